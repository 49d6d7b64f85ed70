//! Cells between a reader and validation: columns of one batch, whatever file they came from.

use std::borrow::Cow;

use super::reject::RejectReason;

/// A whole number or a day that is not there.
pub(super) const NO_INTEGER: i64 = i64::MIN;
/// A day that is not there.
pub(super) const NO_DAY: i32 = i32::MIN;

/// Texts one behind the other in one buffer. An empty text is an absent one.
#[derive(Debug, Default, Clone)]
pub(super) struct Texts {
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn at(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.at(row))
    }
}

/// One column of a batch.
#[derive(Debug, Clone)]
pub(super) enum Column {
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
    /// The cell as a text, if it is not absent.
    pub(super) fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Constant(text) => text.as_deref().map(Cow::Borrowed),
            Self::Text(texts) => Some(texts.at(row)).filter(|text| !text.is_empty()).map(Cow::Borrowed),
            Self::Integer(values) => {
                Some(values[row]).filter(|&v| v != NO_INTEGER).map(|v| Cow::Owned(v.to_string()))
            }
            Self::Number(values) => {
                Some(values[row]).filter(|v| !v.is_nan()).map(|v| Cow::Owned(v.to_string()))
            }
            Self::Day(values) => Some(values[row])
                .filter(|&v| v != NO_DAY)
                .map(|v| Cow::Owned(crate::calendar::Day::from_epoch_days(v).to_string())),
        }
    }
}

/// Some rows of an extract, in the columns that were asked for.
#[derive(Debug)]
pub(super) struct Batch {
    /// The file, as an index into the reader's list of names.
    pub(super) file: Option<u32>,
    /// Where each row stands.
    pub(super) rows: Rows,
    /// The columns, in the order asked for.
    pub(super) columns: Vec<Column>,
    /// Rows that did not even come as far as columns.
    pub(super) unreadable: Vec<(u64, RejectReason)>,
}

/// Where the rows of a batch stand in their file.
#[derive(Debug)]
pub(super) enum Rows {
    /// Consecutive rows: the first one's number and how many there are.
    Run { first: u64, len: usize },
    /// The line of each.
    Lines(Vec<u64>),
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Run { len, .. } => *len,
            Self::Lines(lines) => lines.len(),
        }
    }

    pub(super) fn position(&self, row: usize) -> u64 {
        match self {
            Self::Run { first, .. } => first + row as u64,
            Self::Lines(lines) => lines[row],
        }
    }
}
