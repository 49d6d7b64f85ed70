//! What a section holds: blocks, cells, and figures that carry their unit, interval and n.

use serde::{Deserialize, Serialize};

use super::super::figure::{Figure, Unit};
use crate::stats::Estimate;

/// One block of a section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Block {
    /// Sentences.
    Paragraph(String),
    /// Points, one below the other.
    List(Vec<String>),
    /// Short facts, each with its name.
    Facts(Vec<Fact>),
    /// Rows and columns.
    Table(Table),
    /// A field of a form.
    Field(Field),
    /// A text for machines, kept as it is.
    Code(String),
}

/// Blocks, one below the other.
pub(super) struct Blocks(pub Vec<Block>);

impl Blocks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A named fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fact {
    /// What it is about.
    pub name: String,
    /// What it says.
    pub says: Cell,
}

/// A table. Every row has a cell for each column, and there is at least one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A text for machines: a digest, a name in a file.
    Code(String),
    /// A count of everything there was, which therefore has no interval.
    Count(u64),
    /// A measured figure.
    Figure(Figure),
    /// Nothing could be measured or may be shown: why.
    NotShown(String),
}

/// A field of a form, filled in, partly filled in, or left to the organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// Its number in the form.
    pub number: String,
    /// Its name in the form.
    pub name: String,
    /// What is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// What the organisation still has to write there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_complete: Option<String>,
}

impl Block {
    /// A paragraph.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }

    /// A list.
    pub(super) fn list<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// Facts.
    pub(super) fn facts<S: Into<String>>(facts: impl IntoIterator<Item = (S, Cell)>) -> Self {
        Self::Facts(facts.into_iter().map(|(name, says)| Fact { name: name.into(), says }).collect())
    }

    /// A table.
    pub(super) fn table<S: Into<String>>(
        columns: impl IntoIterator<Item = S>,
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self::Table(Table { columns, rows: rows.into_iter().collect() })
    }

    /// Whether it says nothing, so that it can be left out.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Paragraph(text) | Self::Code(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Facts(facts) => facts.is_empty(),
            Self::Table(table) => table.rows.is_empty(),
            Self::Field(field) => field.blocks.is_empty() && field.to_complete.is_none(),
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self {
            empty if empty.is_empty() => Some("a block is empty"),
            Self::List(items) if items.iter().any(|item| item.trim().is_empty()) => Some("a point is empty"),
            Self::Table(table) => table.fault(),
            Self::Field(field) => field.blocks.iter().find_map(Self::fault),
            _ => None,
        }
    }
}

impl Table {
    fn fault(&self) -> Option<&'static str> {
        let uneven = self.rows.iter().any(|row| row.len() != self.columns.len());
        uneven.then_some("a row of a table has more or fewer cells than its head")
    }
}

impl Cell {
    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A figure with its interval, or that it could not be measured.
    pub(super) fn figure(estimate: Option<&Estimate>, unit: Unit) -> Self {
        estimate
            .and_then(|estimate| Figure::of(estimate, unit))
            .map_or_else(|| Self::NotShown("not measured".to_owned()), Self::Figure)
    }
}
