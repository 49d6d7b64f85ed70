//! A document as Markdown.

use std::borrow::Cow;

use super::super::words;
use super::document::{Document, Section};
use super::parts::{Block, Cell, Fact, Field, Figure, Table, Unit};

/// What stands before what an organisation still has to write.
pub(super) const TO_COMPLETE: &str = "To be completed by the organisation.";

/// The whole document.
pub(super) fn of(document: &Document) -> String {
    let mut text = format!("# {}\n", escaped(document.title()));
    for paragraph in document.lead() {
        text.push_str(&format!("\n{}\n", escaped(paragraph)));
    }
    for section in document.sections() {
        write_section(&mut text, section, 2);
    }
    if !document.glossary().is_empty() {
        text.push_str("\n## Words used here\n\n");
        for entry in document.glossary() {
            text.push_str(&format!("- **{}**: {}\n", escaped(&entry.term), escaped(&entry.meaning)));
        }
    }
    text
}

fn write_section(text: &mut String, section: &Section, level: usize) {
    text.push_str(&format!("\n{} {}\n", "#".repeat(level), escaped(section.title())));
    for block in section.blocks() {
        write_block(text, block, level);
    }
    for inner in section.sections() {
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
    let in_points: Vec<bool> = (0..table.columns().len()).map(|place| is_in_points(table, place)).collect();
    let head = |(column, in_points): (&String, &bool)| {
        let unit = if *in_points { ", in percentage points" } else { "" };
        format!("{}{unit}", escaped(column))
    };
    text.push_str(&row(table.columns().iter().zip(&in_points).map(head).collect()));
    text.push_str(&row(table.columns().iter().map(|_| "---".to_owned()).collect()));
    for cells in table.rows() {
        let write = |(held, in_points): (&Cell, &bool)| match held {
            Cell::Figure(figure) if *in_points => written(figure, ""),
            held => cell(held),
        };
        text.push_str(&row(cells.iter().zip(&in_points).map(write).collect()));
    }
}

/// Whether all figures of a column are in percentage points, so that its head can say so once.
fn is_in_points(table: &Table, place: usize) -> bool {
    let mut figures = table.rows().iter().filter_map(|row| match row.get(place) {
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
        Cell::Code(code) => format!("`{}`", code.replace(['`', '\n', '\r'], " ").replace('|', "\\|")),
        Cell::Count(count) => words::count(*count),
        Cell::Figure(figure) => said(figure),
    }
}

/// A figure in words: `16.8% (15.7% to 17.9%; n = 4,537)`.
pub(super) fn said(figure: &Figure) -> String {
    let unit = match figure.unit {
        Unit::Share | Unit::Scale => "",
        Unit::Points => " percentage points",
        Unit::LogOdds => " log-odds",
        Unit::Nats => " nats",
        Unit::Cases => " cases",
    };
    written(figure, unit)
}

/// A figure with these words for its unit.
fn written(figure: &Figure, behind: &str) -> String {
    let Figure { value, low, high, n, unit } = *figure;
    let (factor, decimals, sign, mark) = match unit {
        Unit::Share => (100.0, 1, false, "%"),
        Unit::Points => (100.0, 1, true, ""),
        Unit::LogOdds => (1.0, 2, true, ""),
        Unit::Nats => (1.0, 4, false, ""),
        Unit::Cases => (1.0, 1, false, ""),
        Unit::Scale => (1.0, 3, false, ""),
    };
    let decimals = enough(&[factor * low, factor * high], decimals);
    let write = |number: f64| {
        let number = factor * number;
        format!("{}{mark}", if sign { signed(number, decimals) } else { plain(number, decimals) })
    };
    format!("{}{behind} ({} to {}; n = {})", write(value), write(low), write(high), words::count(n))
}

/// So many decimals, or up to two more where an end of an interval would else be written as 0 and is not:
/// whether it holds 0 is what a reader looks for. What is too small even for that is written as 0.
fn enough(ends: &[f64], decimals: usize) -> usize {
    let shows = |decimals: usize| {
        let least = 0.5 * 10_f64.powi(-(decimals as i32));
        ends.iter().all(|end| *end == 0.0 || end.abs() >= least)
    };
    (decimals..=decimals + 2).find(|&decimals| shows(decimals)).unwrap_or(decimals)
}

/// A number with a real minus.
fn plain(number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    if number < 0.0 && !is_nothing { format!("\u{2212}{text}") } else { text }
}

/// A number with its sign, which zero does not have.
pub(super) fn signed(number: f64, decimals: usize) -> String {
    let text = plain(number, decimals);
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    if number > 0.0 && !is_nothing { format!("+{text}") } else { text }
}

/// Text that says in Markdown what it says without: on one line, with nothing in it that would end a cell,
/// begin a heading or make a link. What people typed into a project or an edit comes through here.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
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
            '#' | '+' | '-' | '=' | '~' => place == 0,
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
            ("cin_plan and _this_", "cin_plan and \\_this\\_"),
            ("<script>", "\\<script\\>"),
            ("[a](b)", "\\[a\\](b)"),
            ("`x` *y*", "\\`x\\` \\*y\\*"),
            ("back\\slash", "back\\\\slash"),
            ("plain words, as they are", "plain words, as they are"),
        ] {
            assert_eq!(escaped(typed), written);
        }
        assert_eq!(cell(&Cell::Code("a|b\nc`d".into())), "`a\\|b c d`");
    }

    #[test]
    fn a_figure_says_its_unit_interval_and_n() {
        let figure = |unit| Figure { value: 0.168, low: -0.0004, high: 0.179, n: 4_537, unit };
        for (unit, text) in [
            (Unit::Share, "16.80% (\u{2212}0.04% to 17.90%; n = 4,537)"),
            (Unit::Points, "+16.80 percentage points (\u{2212}0.04 to +17.90; n = 4,537)"),
            (Unit::LogOdds, "+0.1680 log-odds (\u{2212}0.0004 to +0.1790; n = 4,537)"),
            (Unit::Nats, "0.1680 nats (\u{2212}0.0004 to 0.1790; n = 4,537)"),
            (Unit::Cases, "0.2 cases (0.0 to 0.2; n = 4,537)"),
            (Unit::Scale, "0.1680 (\u{2212}0.0004 to 0.1790; n = 4,537)"),
        ] {
            assert_eq!(said(&figure(unit)), text);
        }
    }
}
