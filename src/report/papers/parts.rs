//! What a section holds: blocks, cells, and figures that carry their unit, interval and n.

use serde::{Deserialize, Serialize};

use crate::evaluate::{Estimate, Interval};

/// One block of a section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
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

/// A named fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What it says.
    pub says: Cell,
}

/// A table. Every row has a cell for each column, and there is at least one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
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

/// A measured figure: never without its interval and the number of cases it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The figure.
    pub value: f64,
    /// The lower end of its 95% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many cases it rests on.
    pub n: u64,
    /// Its unit.
    pub unit: Unit,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share, held as 0 to 1 and written in percent.
    Share,
    /// A difference of two shares, held as -1 to 1 and written in percentage points.
    Points,
    /// Log-odds.
    LogOdds,
    /// Nats: the unit of a log loss.
    Nats,
    /// Cases.
    Cases,
    /// A number on a scale of its own, which the line it stands in describes.
    Scale,
}

/// A field of a form, filled in, partly filled in, or left to the organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
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
    pub(super) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Cell)>) -> Self {
        let fact = |(name, says): (&str, Cell)| Fact { name: name.to_owned(), says };
        Self::Facts(facts.into_iter().map(fact).collect())
    }

    /// A table.
    pub(super) fn table<'a>(
        columns: impl IntoIterator<Item = &'a str>,
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        let columns = columns.into_iter().map(str::to_owned).collect();
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
    /// The heads of its columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Its rows, each with a cell for every column.
    #[must_use]
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

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

impl Figure {
    /// `None` where the estimate or an end of its interval is no number, or it rests on nothing.
    pub(super) fn of(estimate: &Estimate, unit: Unit) -> Option<Self> {
        let Estimate { value, interval: Interval { low, high }, n } = *estimate;
        let whole = value.is_finite() && low.is_finite() && high.is_finite() && n > 0;
        whole.then_some(Self { value, low, high, n, unit })
    }
}
