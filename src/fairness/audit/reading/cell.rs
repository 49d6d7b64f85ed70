//! What a cell says, whichever type its column has.

use std::borrow::Cow;

use super::super::table::ScoreTable;
use crate::calendar::Day;
use crate::records::{Column, DatesRead, RejectReason};

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Number(f64),
    Day(Day),
    Text(Cow<'a, str>),
}

/// A number, and whether a per cent sign stood behind it.
pub(super) struct Score {
    pub(super) value: f64,
    pub(super) percent: bool,
}

impl<'a> Cell<'a> {
    pub(super) fn of(column: &'a Column, row: usize) -> Self {
        match column {
            Column::Number(numbers) if numbers[row].is_nan() => Self::Missing,
            Column::Number(numbers) => Self::Number(numbers[row]),
            Column::Day(_) => column.day(row).map_or(Self::Missing, Self::Day),
            Column::Integer(_) | Column::Text(_) | Column::Constant(_) => {
                column.text(row).map_or(Self::Missing, Self::Text)
            }
        }
    }

    /// A number; larger than anything that gives scores would overflow a table's sums.
    fn number(&self) -> Result<f64, RejectReason> {
        let number = match self {
            Self::Missing => return Err(RejectReason::ValueMissing),
            Self::Day(_) => return Err(RejectReason::NumberUnreadable),
            Self::Number(number) => *number,
            // No comma is taken for anything: it may stand for the decimal point.
            Self::Text(text) => match text.parse() {
                Ok(number) => number,
                // As a frame of booleans has it.
                Err(_) if text == "true" => 1.0,
                Err(_) if text == "false" => 0.0,
                Err(_) => return Err(RejectReason::NumberUnreadable),
            },
        };
        if number.abs() <= ScoreTable::LARGEST { Ok(number) } else { Err(RejectReason::NumberUnreadable) }
    }

    pub(super) fn score(&self) -> Result<Score, RejectReason> {
        if let Self::Text(text) = self
            && let Some(number) = text.strip_suffix('%')
        {
            let value = Cell::Text(Cow::Borrowed(number.trim_end())).number()? / 100.0;
            return Ok(Score { value, percent: true });
        }
        Ok(Score { value: self.number()?, percent: false })
    }

    pub(super) fn weight(&self) -> Result<f64, RejectReason> {
        let weight = self.number()?;
        if weight > 0.0 { Ok(weight) } else { Err(RejectReason::WeightNotAboveZero) }
    }

    pub(super) fn count(&self) -> Result<u32, RejectReason> {
        let count = self.number().map_err(|reason| match reason {
            RejectReason::ValueMissing => reason,
            _ => RejectReason::CountUnreadable,
        })?;
        if count >= 0.0 && count.fract() == 0.0 && count <= f64::from(u32::MAX) {
            Ok(count as u32)
        } else {
            Err(RejectReason::CountUnreadable)
        }
    }

    /// A day; `dates` are those of its column so far.
    pub(super) fn day(&self, dates: &mut DatesRead) -> Result<Day, RejectReason> {
        match self {
            Self::Missing => Err(RejectReason::DateMissing),
            Self::Day(day) => Ok(*day),
            Self::Text(text) => dates.read(text).ok_or(RejectReason::DateUnreadable),
            Self::Number(_) => Err(RejectReason::DateUnreadable),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, RejectReason> {
        let text = match self {
            Self::Missing => return Err(RejectReason::ValueMissing),
            Self::Number(number) if *number == 0.0 => return Ok(false),
            Self::Number(number) if (*number - 1.0).abs() < f64::EPSILON => return Ok(true),
            Self::Day(_) | Self::Number(_) => return Err(RejectReason::FlagUnreadable),
            Self::Text(text) => whole(text),
        };
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(&["1", "true", "yes"]) {
            Ok(true)
        } else if is(&["0", "false", "no"]) {
            Ok(false)
        } else {
            Err(RejectReason::FlagUnreadable)
        }
    }

    /// Whether it is the 2 of a column coded 1 and 2, of which no program can tell what 1 means.
    pub(super) fn is_two(&self) -> bool {
        match self {
            Self::Number(number) => (number - 2.0).abs() < f64::EPSILON,
            Self::Text(text) => whole(text) == "2",
            Self::Missing | Self::Day(_) => false,
        }
    }

    /// `None` for a cell that says nothing. A number names a group, too: `3`, as `3.0` does.
    pub(super) fn label(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(whole(text))),
            Self::Number(number) => number.is_finite().then(|| Cow::Owned(number.to_string())),
            Self::Day(day) => Some(Cow::Owned(day.to_string())),
            Self::Missing => None,
        }
    }
}

/// A text; `12.0` is the `12` of a program that took ids for numbers.
fn whole(text: &str) -> &str {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, part))
            if digits(whole.strip_prefix('-').unwrap_or(whole))
                && digits(part)
                && part.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => text,
    }
}
