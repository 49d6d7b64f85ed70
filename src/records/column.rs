//! Cells between a reader and validation: columns of one batch, whatever file they came from.

use std::borrow::Cow;

use super::form::FileForm;
use super::reject::{RejectReason, RemarkKind};
use crate::calendar::Day;

/// A whole number or a day that is not there.
pub(super) const NO_INTEGER: i64 = i64::MIN;
/// A day that is not there.
pub(super) const NO_DAY: i32 = i32::MIN;

/// Texts one behind the other in one buffer. An empty text is an absent one.
#[derive(Debug, Default, Clone)]
pub(crate) struct Texts {
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.ends)
    }

    #[inline]
    pub(crate) fn at(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    /// How many are empty.
    fn empty(&self) -> u64 {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).filter(|(start, end)| start == end).count() as u64
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.at(row))
    }
}

/// One column of a batch.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// The same text in every row; `None` where the column holds nothing.
    Constant(Option<String>),
    Text(Texts),
    /// [`NO_INTEGER`] where absent.
    Integer(Vec<i64>),
    /// NaN where absent.
    Number(Vec<f64>),
    /// Days since 1970-01-01; [`NO_DAY`] where absent.
    Day(Vec<i32>),
}

impl Column {
    /// The cell as a day, if it is one and not absent.
    pub(crate) fn day(&self, row: usize) -> Option<Day> {
        match self {
            Self::Day(days) => Some(days[row]).filter(|&day| day != NO_DAY).map(Day::from_epoch_days),
            _ => None,
        }
    }

    /// How many of its `rows` cells are absent.
    pub(crate) fn empty(&self, rows: usize) -> u64 {
        match self {
            Self::Constant(text) => {
                if text.is_some() {
                    0
                } else {
                    rows as u64
                }
            }
            Self::Text(texts) => texts.empty(),
            Self::Integer(values) => values.iter().filter(|&&value| value == NO_INTEGER).count() as u64,
            Self::Number(values) => values.iter().filter(|value| value.is_nan()).count() as u64,
            Self::Day(days) => days.iter().filter(|&&day| day == NO_DAY).count() as u64,
        }
    }

    /// The cell as a text, if it is not absent.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Constant(text) => text.as_deref().map(Cow::Borrowed),
            Self::Text(texts) => Some(texts.at(row)).filter(|text| !text.is_empty()).map(Cow::Borrowed),
            Self::Integer(values) => {
                Some(values[row]).filter(|&v| v != NO_INTEGER).map(|v| Cow::Owned(v.to_string()))
            }
            Self::Number(values) => {
                Some(values[row]).filter(|v| !v.is_nan()).map(|v| Cow::Owned(v.to_string()))
            }
            Self::Day(_) => self.day(row).map(|day| Cow::Owned(day.to_string())),
        }
    }
}

/// Some rows of an extract, in the columns that were asked for.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The file, as an index into the reader's list of names.
    pub(crate) file: Option<u32>,
    /// How the file was read, in its first batch at least.
    pub(crate) form: Option<FileForm>,
    /// Where each row stands.
    pub(crate) rows: Rows,
    /// The columns, in the order asked for.
    pub(crate) columns: Vec<Column>,
    /// What gives each row's day 0, where a column does.
    pub(crate) day_zero: Option<DayZeroCells>,
    /// Rows that did not even come as far as columns.
    pub(crate) unreadable: Vec<(u64, RejectReason)>,
    /// What is remarkable about rows that did, and of how many.
    pub(crate) remarks: Vec<(RemarkKind, u64)>,
}

/// The cells that give day 0 of a batch's rows.
#[derive(Debug)]
pub(crate) struct DayZeroCells {
    pub(crate) cells: Column,
    /// The place of the column, where it is asked for as something else too.
    pub(crate) place: Option<u32>,
}

/// Where the rows of a batch stand in their file.
#[derive(Debug)]
pub(crate) enum Rows {
    /// Consecutive rows: the first one's number and how many there are.
    Run { first: u64, len: usize },
    /// The line of each.
    Lines(Vec<u64>),
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Run { len, .. } => *len,
            Self::Lines(lines) => lines.len(),
        }
    }

    pub(crate) fn position(&self, row: usize) -> u64 {
        match self {
            Self::Run { first, .. } => first + row as u64,
            Self::Lines(lines) => lines[row],
        }
    }
}
