//! A table of typed cells: its CSV, its sheet of a workbook and its frame are three writings of the same.

#![cfg_attr(not(feature = "excel"), allow(dead_code, reason = "what only sheets need"))]

use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series};

use super::words;
use crate::calendar::Day;
use crate::error::ReportError;
use crate::features::Cell;
use crate::outputs::cell;
use crate::stats::{Estimate, Interval};

/// Spreadsheets take text without this mark for the encoding of the computer, and spoil every letter
/// beyond plain English.
const UTF8_MARK: &str = "\u{feff}";

/// Columns and rows. A row has a value for each column.
#[derive(Default)]
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

/// A column by its name in a CSV; a sheet says the same as words.
pub(super) struct Column {
    pub name: String,
    /// Decimals of its numbers in a CSV: more would claim more than is known. A sheet holds numbers whole, and shows few.
    pub decimals: usize,
    /// Whether a sheet draws its numbers as bars.
    pub bars: bool,
    holds: Holds,
}

/// What a column of a frame holds, whatever its cells happen to: a frame of which a column is empty has the types of every other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Holds {
    Text,
    Whole,
    Number,
    Date,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Empty,
    Text(String),
    Whole(u64),
    /// A number on a scale of its own.
    Number(f64),
    /// A share from 0 to 1, which a sheet shows in percent.
    Share(f64),
    /// Log-odds, which a sheet shows with their sign.
    Points(f64),
    Date(Day),
}

impl Column {
    /// Of texts, or of cells that are texts here and numbers there.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), decimals: 4, bars: false, holds: Holds::Text }
    }

    pub(super) fn whole(name: impl Into<String>) -> Self {
        Self { holds: Holds::Whole, ..Self::new(name) }
    }

    /// Of numbers, shares or points.
    pub(super) fn number(name: impl Into<String>) -> Self {
        Self { holds: Holds::Number, ..Self::new(name) }
    }

    pub(super) fn date(name: impl Into<String>) -> Self {
        Self { holds: Holds::Date, ..Self::new(name) }
    }

    pub(super) fn decimals(mut self, decimals: usize) -> Self {
        self.decimals = decimals;
        self
    }

    pub(super) fn bars(mut self) -> Self {
        self.bars = true;
        self
    }

    /// Its heading on a sheet, where there is room for more words than in a name: `lists_in_a_row` as `Lists in a row`, `rate_low` as
    /// `Had the outcome in this band: low end (95%)`.
    pub(super) fn heading(&self) -> String {
        const ENDS: [(&str, &str); 2] = [("low", "low end (95%)"), ("high", "high end (95%)")];
        for (end, says) in ENDS {
            if self.name == end {
                return words::capitalised(says);
            }
            if let Some(figure) = self.name.strip_suffix(end).and_then(|name| name.strip_suffix('_')) {
                return format!("{}: {says}", heading(figure));
            }
        }
        heading(&self.name)
    }
}

/// Names that say too little by themselves, and their headings.
const HEADINGS: [(&str, &str); 24] = [
    ("absent", "Values not known"),
    ("as_of", "List of"),
    ("cannot_tell", "Right or wrong: cannot tell"),
    ("entity", "Case"),
    ("from_log_odds", "From this score (log-odds)"),
    ("household", "Others of the household"),
    ("kept_in_refits", "Retrainings that keep it on such a list"),
    ("known_cannot_tell", "Known already: cannot tell"),
    ("known", "Known already"),
    ("length", "Length asked for"),
    ("needs_cannot_tell", "By the count of needs: cannot tell"),
    ("needs_precision", "By the count of needs: share of places that were right"),
    ("needs_recall", "By the count of needs: share of those with the outcome who were listed"),
    ("needs_right", "By the count of needs: right"),
    ("needs_wrong", "By the count of needs: wrong"),
    ("not_known", "Not known already"),
    ("precision", "Share of places that were right"),
    ("rate", "Had the outcome in this band"),
    ("rate_observed_in_band", "Had the outcome in this band"),
    ("rate_of_such_lists", "Had the outcome on lists of the tested length"),
    ("recall", "Share of those with the outcome who were listed"),
    ("refits", "Retrainings"),
    ("shared_with_needs", "On the list by the count of needs as well"),
    ("such_lists", "Had the outcome on lists of the tested length"),
];

fn heading(name: &str) -> String {
    let said = HEADINGS.iter().find(|(held, _)| *held == name);
    said.map_or_else(|| words::capitalised(&words::plain(name)), |(_, said)| (*said).to_owned())
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    pub(super) fn whole(number: impl Into<u64>) -> Self {
        Self::Whole(number.into())
    }

    pub(super) fn date(day: Option<Day>) -> Self {
        day.map_or(Self::Empty, Self::Date)
    }

    /// What a feature says of a case: a number as JSON has it, or the words for its absence.
    pub(super) fn cell(cell: Cell) -> Self {
        match cell {
            // The number that the shorter one is written as: its own bits would be read as another.
            Cell::Value(value) => Self::Number(value.to_string().parse().unwrap_or(f64::from(value))),
            absent => Self::text(words::value(absent, "")),
        }
    }

    /// A figure and the ends of its interval, of whichever kind.
    pub(super) fn ends(value: Option<f64>, interval: Option<Interval>, kind: fn(f64) -> Self) -> [Self; 3] {
        [value, interval.map(|held| held.low), interval.map(|held| held.high)]
            .map(|number| number.map_or(Self::Empty, kind))
    }

    pub(super) fn estimate(found: Option<&Estimate>, kind: fn(f64) -> Self) -> [Self; 3] {
        Self::ends(found.map(|found| found.value), found.map(|found| found.interval), kind)
    }

    /// As in a CSV: no number where there is none to give.
    fn written(&self, decimals: usize) -> String {
        match self {
            Self::Number(number) | Self::Share(number) | Self::Points(number) if number.is_finite() => {
                format!("{number:.decimals$}")
            }
            Self::Text(text) => cell(text).into_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Date(day) => day.to_string(),
            _ => String::new(),
        }
    }
}

impl Table {
    pub(super) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Columns of texts, or such as never become a frame: they need nothing but their names.
    pub(super) fn named<const N: usize>(names: [&str; N]) -> Self {
        Self::new(names.map(Column::new))
    }

    /// UTF-8 with a byte-order mark, and a line of headings.
    ///
    /// # Errors
    /// [`ReportError::Render`] where the text cannot be made.
    pub(super) fn csv(&self) -> Result<String, ReportError> {
        let failed = |error: &dyn std::error::Error| ReportError::Render(error.to_string());
        let mut text = csv::Writer::from_writer(UTF8_MARK.as_bytes().to_vec());
        let names = self.columns.iter().map(|column| &column.name);
        text.write_record(names).map_err(|error| failed(&error))?;
        for row in &self.rows {
            let cells = self.columns.iter().zip(row).map(|(column, value)| value.written(column.decimals));
            text.write_record(cells).map_err(|error| failed(&error))?;
        }
        let bytes = text.into_inner().map_err(|error| failed(&error))?;
        String::from_utf8(bytes).map_err(|error| failed(&error))
    }

    /// A frame: numbers whole, texts as they are (a frame runs no formula), null where there is nothing.
    ///
    /// # Errors
    /// [`ReportError::Render`] where a column holds what it says it does not.
    pub(super) fn frame(&self) -> Result<DataFrame, ReportError> {
        let failed = |what: String| ReportError::Render(what);
        let columns = self.columns.iter().enumerate().map(|(at, column)| {
            let cells = self.rows.iter().map(|row| row.get(at).unwrap_or(&Value::Empty));
            let series = column.series(cells);
            series
                .map(IntoColumn::into_column)
                .ok_or_else(|| failed(format!("the column {} holds another kind of cell", column.name)))
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        DataFrame::new(self.rows.len(), columns).map_err(|error| failed(error.to_string()))
    }
}

impl Column {
    /// The cells as a series of the column's type; `None` where one is of another.
    fn series<'v>(&self, cells: impl Iterator<Item = &'v Value>) -> Option<Series> {
        fn all<'v, T>(
            cells: impl Iterator<Item = &'v Value>,
            of: impl Fn(&Value) -> Option<T>,
        ) -> Option<Vec<Option<T>>> {
            cells
                .map(|cell| if matches!(cell, Value::Empty) { Some(None) } else { of(cell).map(Some) })
                .collect()
        }
        let name = self.name.as_str().into();
        Some(match self.holds {
            Holds::Text => Series::new(name, all(cells, |cell| Some(cell.plain()))?),
            Holds::Whole => Series::new(name, all(cells, Value::as_whole)?),
            Holds::Number => Series::new(name, all(cells, Value::as_number)?),
            Holds::Date => {
                let days = all(cells, |cell| match cell {
                    Value::Date(day) => Some(day.epoch_days()),
                    _ => None,
                })?;
                Series::new(name, days).cast(&DataType::Date).ok()?
            }
        })
    }
}

impl Value {
    fn as_whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) | Self::Share(number) | Self::Points(number) => Some(*number),
            _ => None,
        }
    }

    /// As a text of its own, whole.
    fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) | Self::Share(number) | Self::Points(number) => number.to_string(),
            Self::Date(day) => day.to_string(),
        }
    }
}
