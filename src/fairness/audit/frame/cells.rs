//! What a cell says, whichever type the column has.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, NewChunkedArray, StringChunked,
};

use super::{RowReason, ScoreColumns, ScoresError};

/// What is asked of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A text that stands for a group or a family.
    Label,
}

impl Role {
    fn wanted(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Flag => "a boolean, 0 and 1, or yes and no",
            Self::Label => "a text, a number or a boolean",
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Number(f64),
    Flag(bool),
    Text(&'a str),
}

impl<'a> Cell<'a> {
    /// A text; one of blanks alone says nothing.
    pub(super) fn text(text: &'a str) -> Self {
        let text = text.trim();
        if text.is_empty() { Self::Missing } else { Self::Text(text) }
    }

    /// As the table takes it: larger than anything that gives scores would overflow its sums.
    const LARGEST: f64 = 1e100;

    pub(super) fn score(self) -> Result<f64, RowReason> {
        let number = match self {
            Self::Missing => return Err(RowReason::Missing),
            Self::Number(number) => number,
            Self::Flag(flag) => f64::from(u8::from(flag)),
            Self::Text(text) => text.parse().map_err(|_| RowReason::NotANumber)?,
        };
        if number.abs() <= Self::LARGEST { Ok(number) } else { Err(RowReason::NotANumber) }
    }

    pub(super) fn weight(self) -> Result<f64, RowReason> {
        let weight = self.score()?;
        if weight > 0.0 { Ok(weight) } else { Err(RowReason::WeightNotAboveZero) }
    }

    pub(super) fn flag(self) -> Result<bool, RowReason> {
        match self {
            Self::Missing => Err(RowReason::Missing),
            Self::Flag(flag) => Ok(flag),
            Self::Number(0.0) => Ok(false),
            Self::Number(1.0) => Ok(true),
            Self::Number(_) => Err(RowReason::NotYesOrNo),
            Self::Text(text) => {
                let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
                if is(&["1", "true", "yes", "1.0"]) {
                    Ok(true)
                } else if is(&["0", "false", "no", "0.0"]) {
                    Ok(false)
                } else {
                    Err(RowReason::NotYesOrNo)
                }
            }
        }
    }

    /// Whether it is the 2 of a column coded 1 and 2, of which no program can tell what 1 means.
    pub(super) fn is_two(self) -> bool {
        match self {
            Self::Number(number) => (number - 2.0).abs() < f64::EPSILON,
            Self::Text(text) => matches!(text, "2" | "2.0"),
            Self::Missing | Self::Flag(_) => false,
        }
    }

    /// `None` for a cell that says nothing. Columns of labels are texts by now; `12.0` is the `12` of a program that
    /// took ids for numbers.
    pub(super) fn label(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(match text.split_once('.') {
                Some((whole, part))
                    if !whole.is_empty()
                        && !part.is_empty()
                        && whole.bytes().all(|byte| byte.is_ascii_digit())
                        && part.bytes().all(|byte| byte == b'0') =>
                {
                    whole
                }
                _ => text,
            }),
            Self::Missing | Self::Number(_) | Self::Flag(_) => None,
        }
    }
}

/// A column of a frame, in one of three forms.
enum Held {
    Numbers(Float64Chunked),
    Flags(BooleanChunked),
    Texts(StringChunked),
}

/// The columns of a frame, in the order of [`ScoreColumns::roles`].
pub(super) struct Columns(Vec<Held>);

impl Columns {
    pub(super) fn of(frame: &DataFrame, columns: &ScoreColumns) -> Result<Self, ScoresError> {
        let held = columns.roles().into_iter().map(|(role, name)| {
            let column = frame.column(name).map_err(|_| ScoresError::NoColumn { column: name.to_owned() })?;
            Held::of(role, column).ok_or_else(|| ScoresError::ColumnType {
                column: name.to_owned(),
                found: column.dtype().to_string(),
                wanted: role.wanted(),
            })
        });
        Ok(Self(held.collect::<Result<_, _>>()?))
    }

    /// Of the `nth` column, the cell of a row counted from 0.
    pub(super) fn cell(&self, nth: usize, row: usize) -> Cell<'_> {
        match &self.0[nth] {
            Held::Numbers(numbers) => numbers.get(row).map_or(Cell::Missing, Cell::Number),
            Held::Flags(flags) => flags.get(row).map_or(Cell::Missing, Cell::Flag),
            Held::Texts(texts) => texts.get(row).map_or(Cell::Missing, Cell::text),
        }
    }
}

impl Held {
    /// `None` for a type that cannot play the role. One chunk each, so that any row is found at once.
    fn of(role: Role, column: &Column) -> Option<Self> {
        let series = column.as_materialized_series().rechunk();
        let is_text = matches!(
            series.dtype(),
            DataType::String | DataType::Categorical(..) | DataType::Enum(..) | DataType::Null
        );
        let is_number = series.dtype().is_integer() || series.dtype().is_float();
        let texts = |series: &polars::prelude::Series| {
            Some(Self::Texts(series.cast(&DataType::String).ok()?.str().ok()?.clone()))
        };
        match (role, series.dtype()) {
            _ if is_text => texts(&series),
            (Role::Label, DataType::Boolean | DataType::Date) => texts(&series),
            (Role::Label, dtype) if dtype.is_integer() => texts(&series),
            (Role::Label, dtype) if dtype.is_float() => {
                let numbers = series.cast(&DataType::Float64).ok()?;
                let named = numbers.f64().ok()?.iter().map(|number| number.and_then(named));
                Some(Self::Texts(StringChunked::from_iter_options(series.name().clone(), named)))
            }
            (_, DataType::Boolean) => Some(Self::Flags(series.bool().ok()?.clone())),
            (Role::Number | Role::Flag, _) if is_number => {
                Some(Self::Numbers(series.f64().cloned().or_else(|_| cast(&series)).ok()?))
            }
            _ => None,
        }
    }
}

fn cast(series: &polars::prelude::Series) -> polars::prelude::PolarsResult<Float64Chunked> {
    series.cast(&DataType::Float64)?.f64().cloned()
}

/// A number that names a group: `3` and not `3.0`, as a CSV file would have it. Nothing for what is no number.
fn named(number: f64) -> Option<String> {
    number.is_finite().then(|| number.to_string())
}
