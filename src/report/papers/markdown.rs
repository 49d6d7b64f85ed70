//! A document as Markdown.

use std::borrow::Cow;

use super::super::figure::Unit;
use super::super::words;
use super::document::{Document, Section};
use super::parts::{Block, Cell, Fact, Field, Table};
use crate::outputs::on_one_line;

/// What stands before what an organisation still has to write.
pub(super) const TO_COMPLETE: &str = "To be completed by the organisation.";

impl Document {
    /// The paper as Markdown (GitHub's, for its tables), ending in one newline.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n", escaped(&self.title));
        for paragraph in &self.lead {
            text.push_str(&format!("\n{}\n", escaped(paragraph)));
        }
        for section in &self.sections {
            write_section(&mut text, section, 2);
        }
        if !self.glossary.is_empty() {
            text.push_str("\n## Words used here\n\n");
            for entry in &self.glossary {
                text.push_str(&format!("- **{}**: {}\n", escaped(&entry.term), escaped(&entry.meaning)));
            }
        }
        text
    }
}

fn write_section(text: &mut String, section: &Section, level: usize) {
    text.push_str(&format!("\n{} {}\n", "#".repeat(level), escaped(&section.title)));
    for block in &section.blocks {
        write_block(text, block, level);
    }
    for inner in &section.sections {
        write_section(text, inner, level + 1);
    }
}

fn write_block(text: &mut String, block: &Block, level: usize) {
    text.push('\n');
    match block {
        Block::Paragraph(paragraph) => text.push_str(&format!("{}\n", escaped(paragraph))),
        Block::List(items) => {
            for item in items {
                text.push_str(&format!("- {}\n", escaped(item)));
            }
        }
        Block::Facts(facts) => {
            for Fact { name, says } in facts {
                text.push_str(&format!("- **{}:** {}\n", escaped(name), cell(says)));
            }
        }
        Block::Table(table) => write_table(text, table),
        Block::Field(field) => write_field(text, field, level + 1),
        Block::Code(code) => {
            let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
            let fence = "`".repeat(3.max(longest + 1));
            text.push_str(&format!("{fence}json\n{}\n{fence}\n", code.trim_end()));
        }
    }
}

fn write_field(text: &mut String, field: &Field, level: usize) {
    text.push_str(&format!("{} {} {}\n", "#".repeat(level), field.number, escaped(&field.name)));
    for block in &field.blocks {
        write_block(text, block, level);
    }
    if let Some(hint) = &field.to_complete {
        text.push_str(&format!("\n**{TO_COMPLETE}** {}\n", escaped(hint)));
    }
}

fn write_table(text: &mut String, table: &Table) {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let in_points: Vec<bool> = (0..table.columns.len()).map(|place| is_in_points(table, place)).collect();
    let head = |(column, in_points): (&String, &bool)| {
        let unit = if *in_points { ", in percentage points" } else { "" };
        format!("{}{unit}", escaped(column))
    };
    text.push_str(&row(table.columns.iter().zip(&in_points).map(head).collect()));
    text.push_str(&row(table.columns.iter().map(|_| "---".to_owned()).collect()));
    for cells in &table.rows {
        let write = |(held, in_points): (&Cell, &bool)| match held {
            Cell::Figure(figure) if *in_points => figure.with_unit(""),
            held => cell(held),
        };
        text.push_str(&row(cells.iter().zip(&in_points).map(write).collect()));
    }
}

/// Whether all figures of a column are in percentage points, so that its head can say so once.
fn is_in_points(table: &Table, place: usize) -> bool {
    let mut figures = table.rows.iter().filter_map(|row| match row.get(place) {
        Some(Cell::Figure(figure)) => Some(figure.unit),
        _ => None,
    });
    figures.next() == Some(Unit::Points) && figures.all(|unit| unit == Unit::Points)
}

/// A cell on one line.
pub(super) fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::NotShown(text) => escaped(text).into_owned(),
        // A bar ends a cell even within code.
        Cell::Code(code) => {
            format!("`{}`", on_one_line(&code.replace(['`', '\n', '\r'], " ")).replace('|', "\\|"))
        }
        Cell::Count(count) => words::count(*count),
        Cell::Figure(figure) => figure.words(),
    }
}

/// Text that says in Markdown what it says without: on one line, with nothing in it that would end a cell,
/// begin a heading or make a link. What people typed into a project or an edit comes through here.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let line = on_one_line(&line);
    let chars: Vec<char> = line.chars().collect();
    let mut made = String::with_capacity(line.len());
    let in_word = |place: Option<usize>| {
        place.and_then(|place| chars.get(place)).is_some_and(|c: &char| c.is_alphanumeric())
    };
    for (place, &c) in chars.iter().enumerate() {
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' => true,
            // Within a word an underscore is only an underscore.
            '_' => !(in_word(place.checked_sub(1)) && in_word(Some(place + 1))),
            // `+0.5` is no list, and `+ 5` would be one.
            '+' => place == 0 && chars.get(1).is_none_or(|c| *c == ' '),
            '#' | '-' | '=' | '~' => place == 0,
            // `1. ` at the beginning would be a numbered list.
            '.' | ')' => {
                let ends = chars.get(place + 1).is_none_or(|c| *c == ' ');
                ends && place > 0 && chars[..place].iter().all(char::is_ascii_digit)
            }
            _ => false,
        };
        if special {
            made.push('\\');
        }
        made.push(c);
    }
    if made == text { Cow::Borrowed(text) } else { Cow::Owned(made) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_people_typed_is_taken_for_markdown() {
        for (typed, written) in [
            ("a | b", "a \\| b"),
            ("two\n\nlines\r\n", "two lines"),
            ("# not a heading", "\\# not a heading"),
            ("1. no list", "1\\. no list"),
            ("version 1.2", "version 1.2"),
            ("1.0%", "1.0%"),
            ("- no list", "\\- no list"),
            ("+ no list", "\\+ no list"),
            ("+0.5", "+0.5"),
            ("cin_plan and _this_", "cin_plan and \\_this\\_"),
            ("<script>", "\\<script\\>"),
            ("[a](b)", "\\[a\\](b)"),
            ("`x` *y*", "\\`x\\` \\*y\\*"),
            ("back\\slash", "back\\\\slash"),
            ("hid\u{202e}den\u{1b}[2J", "hid\\\\u{202e}den\\\\u{1b}\\[2J"),
            ("plain words, as they are", "plain words, as they are"),
        ] {
            assert_eq!(escaped(typed), written);
        }
        assert_eq!(cell(&Cell::Code("a|b\nc`d".into())), "`a\\|b c d`");
    }
}
