//! Prose of papers, kept as Markdown beside the code: a filled-in template becomes a paper.
//!
//! A template holds `# a title`, paragraphs, `## sections` and `### sections within`, headings that begin with
//! a number (fields of a form), `- points`, `- **named:** facts`, tables, `> what the organisation still has to
//! write`, and blocks that the code made (`{{ block|safe }}`, on a line of their own). Its values are checked when
//! the crate is built, by askama. A value stays within the line where it was put, whatever somebody typed into it.

use std::fmt::{self, Write};

use askama::Template;
use askama::filters::Escaper;

use super::super::glossary;
use super::document::{Document, PaperKind, Section};
use super::parts::{Block, Blocks, Cell, Fact, Field, Table};
use crate::error::ReportError;

/// What a made block begins with; behind it stands its JSON.
const MADE: char = '\u{1}';
/// What a value begins with, so that no line begins with what somebody typed.
const TYPED: char = '\u{2}';
/// A bar within a value, which ends no cell.
const BAR: char = '\u{3}';

/// Keeps a value within its line and its cell.
#[derive(Clone, Copy)]
pub(super) struct Value;

impl Escaper for Value {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        dest.write_char(TYPED)?;
        string.chars().try_for_each(|c| {
            dest.write_char(match c {
                '|' => BAR,
                c if c.is_control() => ' ',
                c => c,
            })
        })
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|block| writeln!(f, "{block}\n"))
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        write!(f, "{MADE}{json}")
    }
}

/// The paper that a template makes about the model with this digest.
pub(super) fn paper(kind: PaperKind, model: &str, template: &impl Template) -> Result<Document, ReportError> {
    let failed = |why: String| ReportError::Render(format!("{}: {why}", kind.file_stem()));
    let text = template.render().map_err(|error| failed(error.to_string()))?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut reader = Reader::default();
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        reader.line(line, next).map_err(|why| failed(format!("line {}: {why}", at + 1)))?;
    }
    reader.close().map_err(failed)?;
    let Reader { title, lead, mut sections, .. } = reader;
    sections.iter_mut().for_each(drop_empty);
    let mut paper = Document { kind, title, model: model.to_owned(), lead, sections, glossary: Vec::new() };
    paper.glossary = glossary::in_text(&paper.to_markdown());
    paper.checked().map_err(failed)
}

/// Takes out the blocks that say nothing.
fn drop_empty(section: &mut Section) {
    for block in &mut section.blocks {
        if let Block::Field(field) = block {
            field.blocks.retain(|block| !block.is_empty());
        }
    }
    section.blocks.retain(|block| !block.is_empty());
    section.sections.iter_mut().for_each(drop_empty);
}

/// A paper as far as it was read.
#[derive(Default)]
struct Reader {
    title: String,
    lead: Vec<String>,
    sections: Vec<Section>,
    open: Open,
}

/// What the next line may go on with.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Paragraph(String),
    Point(String),
    ToWrite(String),
}

impl Reader {
    fn line(&mut self, line: &str, next: &str) -> Result<(), String> {
        let heading = line.trim_start_matches('#');
        if line.is_empty() {
            self.close()
        } else if heading.len() < line.len() && heading.starts_with(' ') {
            self.close()?;
            self.heading(line.len() - heading.len(), heading.trim())
        } else if let Some(json) = line.strip_prefix(MADE) {
            self.close()?;
            let block = serde_json::from_str(json).map_err(|error| format!("a made block: {error}"))?;
            self.push(block)
        } else if line.starts_with("| ") {
            self.close()?;
            self.row(line, next.starts_with("| ---"))
        } else if let Some(point) = line.strip_prefix("- ") {
            self.close()?;
            self.open = Open::Point(point.to_owned());
            Ok(())
        } else if let Some(hint) = line.strip_prefix("> ") {
            self.close()?;
            self.open = Open::ToWrite(hint.to_owned());
            Ok(())
        } else {
            match &mut self.open {
                Open::Paragraph(text) | Open::Point(text) | Open::ToWrite(text) => {
                    text.push(' ');
                    text.push_str(line);
                }
                Open::Nothing => self.open = Open::Paragraph(line.to_owned()),
            }
            Ok(())
        }
    }

    /// Ends what was open.
    fn close(&mut self) -> Result<(), String> {
        match std::mem::take(&mut self.open) {
            Open::Nothing => Ok(()),
            Open::Paragraph(text) if self.sections.is_empty() => {
                self.lead.push(plain(&text));
                Ok(())
            }
            Open::Paragraph(text) => self.push(Block::Paragraph(plain(&text))),
            Open::ToWrite(hint) => match self.blocks()?.last_mut() {
                Some(Block::Field(field)) => {
                    field.to_complete = Some(plain(&hint));
                    Ok(())
                }
                _ => Err("what the organisation has to write stands in no field".to_owned()),
            },
            Open::Point(text) => {
                let named = text.strip_prefix("**").and_then(|text| text.split_once(":** "));
                let place = self.place()?;
                match (named, place.last_mut()) {
                    (Some((name, says)), last) => {
                        let fact = Fact { name: plain(name), says: cell(says) };
                        match last {
                            Some(Block::Facts(facts)) => facts.push(fact),
                            _ => place.push(Block::Facts(vec![fact])),
                        }
                    }
                    (None, Some(Block::List(points))) => points.push(plain(&text)),
                    (None, _) => place.push(Block::List(vec![plain(&text)])),
                }
                Ok(())
            }
        }
    }

    fn heading(&mut self, level: usize, text: &str) -> Result<(), String> {
        let title = plain(text);
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (number, name) = title.split_once(' ').ok_or("a field has no name")?;
            let (number, name) = (number.to_owned(), name.to_owned());
            self.blocks()?.push(Block::Field(Field { number, name, blocks: Vec::new(), to_complete: None }));
            return Ok(());
        }
        let section = Section { title: title.clone(), blocks: Vec::new(), sections: Vec::new() };
        match level {
            1 => self.title = title,
            2 => self.sections.push(section),
            _ => self.sections.last_mut().ok_or("a part stands in no section")?.sections.push(section),
        }
        Ok(())
    }

    fn row(&mut self, line: &str, is_head: bool) -> Result<(), String> {
        let inner =
            line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).ok_or("a row has no end")?;
        let cells = inner.split('|').map(str::trim);
        if line.starts_with("| ---") {
            return Ok(());
        }
        if is_head {
            return self.push(Block::Table(Table { columns: cells.map(plain).collect(), rows: Vec::new() }));
        }
        match self.place()?.last_mut() {
            Some(Block::Table(table)) => table.rows.push(cells.map(cell).collect()),
            _ => return Err("a row stands in no table".to_owned()),
        }
        Ok(())
    }

    fn push(&mut self, block: Block) -> Result<(), String> {
        self.place()?.push(block);
        Ok(())
    }

    /// The blocks of the innermost section.
    fn blocks(&mut self) -> Result<&mut Vec<Block>, String> {
        let outer = self.sections.last_mut().ok_or("it stands in no section")?;
        match outer.sections.last_mut() {
            Some(inner) => Ok(&mut inner.blocks),
            None => Ok(&mut outer.blocks),
        }
    }

    /// Where the next block goes: into the field that was begun last, or else into the section.
    fn place(&mut self) -> Result<&mut Vec<Block>, String> {
        let blocks = self.blocks()?;
        if !matches!(blocks.last(), Some(Block::Field(_))) {
            return Ok(blocks);
        }
        match blocks.last_mut() {
            Some(Block::Field(field)) => Ok(&mut field.blocks),
            _ => Err("it stands in no field".to_owned()),
        }
    }
}

/// A text without the marks of this module.
fn plain(text: &str) -> String {
    text.replace(TYPED, "").replace(BAR, "|").trim().to_owned()
}

fn cell(text: &str) -> Cell {
    let code = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    code.map_or_else(|| Cell::Text(plain(text)), |code| Cell::Code(plain(code)))
}
