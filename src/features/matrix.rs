//! The matrix: one row a case, one column a feature, three kinds of cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a feature says of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A number; zero means that it was looked for and there was none.
    Value(f32),
    /// There is no number to give: never happened within the window, or not recorded.
    Missing,
    /// The source does not cover this person or this period: nobody could have known.
    NotCovered,
}

impl Cell {
    /// The number, if it is one.
    #[must_use]
    pub fn value(self) -> Option<f32> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::NotCovered => None,
        }
    }

    /// Kept in one float: every real value is finite, so two others stand for the two absences.
    pub(crate) const MISSING: f32 = f32::NAN;
    pub(crate) const NOT_COVERED: f32 = f32::NEG_INFINITY;

    #[inline]
    pub(crate) fn decode(raw: f32) -> Self {
        if raw.is_nan() {
            Self::Missing
        } else if raw == Self::NOT_COVERED {
            Self::NotCovered
        } else {
            Self::Value(raw)
        }
    }

    #[inline]
    pub(crate) fn encode(self) -> f32 {
        match self {
            Self::Value(value) => value.clamp(f32::MIN, f32::MAX),
            Self::Missing => Self::MISSING,
            Self::NotCovered => Self::NOT_COVERED,
        }
    }
}

/// What a feature says of a case, to the last digit: a [`Cell`] has room for seven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Exact {
    Value(f64),
    Missing,
    NotCovered,
}

impl Exact {
    #[inline]
    pub(crate) fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::NotCovered => None,
        }
    }
}

impl From<Cell> for Exact {
    #[inline]
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Value(value) => Self::Value(value.into()),
            Cell::Missing => Self::Missing,
            Cell::NotCovered => Self::NotCovered,
        }
    }
}

/// All cases of one feature.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'m> {
    /// As [`Cell::encode`] writes them.
    single: &'m [f32],
    /// The numbers as they are, where single precision has no room for them.
    whole: Option<&'m [f64]>,
}

impl<'m> Cells<'m> {
    pub(crate) fn len(&self) -> usize {
        self.single.len()
    }

    #[inline]
    pub(crate) fn at(&self, row: usize) -> Exact {
        match (Cell::decode(self.single[row]), self.whole) {
            (Cell::Value(_), Some(whole)) => Exact::Value(whole[row]),
            (cell, _) => cell.into(),
        }
    }

    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = Exact> + 'm {
        (0..self.len()).map(move |row| self.at(row))
    }

    pub(crate) fn range(&self, rows: std::ops::Range<usize>) -> Self {
        Self { single: &self.single[rows.clone()], whole: self.whole.map(|whole| &whole[rows]) }
    }
}

#[cfg(test)]
impl<'m> From<&'m [f32]> for Cells<'m> {
    fn from(single: &'m [f32]) -> Self {
        Self { single, whole: None }
    }
}

impl Serialize for Cell {
    /// A number, or the text `missing` or `not covered`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => serializer.serialize_f32(*value),
            Self::Missing => serializer.serialize_str("missing"),
            Self::NotCovered => serializer.serialize_str("not covered"),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    /// As it was written: a number (finite, else it is refused), `missing` or `not covered`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Absent(String),
        }
        let refused = || serde::de::Error::custom("a cell is a number, `missing` or `not covered`");
        match Written::deserialize(deserializer)? {
            Written::Number(number) if (number as f32).is_finite() => Ok(Self::Value(number as f32)),
            Written::Absent(text) if text == "missing" => Ok(Self::Missing),
            Written::Absent(text) if text == "not covered" => Ok(Self::NotCovered),
            _ => Err(refused()),
        }
    }
}

/// The features of a cohort: rows as in the cohort, columns as in the spec.
#[derive(Clone, Default)]
pub struct FeatureMatrix {
    pub(super) names: Vec<String>,
    pub(super) rows: usize,
    pub(super) columns: Vec<Vec<f32>>,
    /// Of the features whose numbers do not fit single precision the numbers as they are; nothing in particular where a cell is
    /// absent.
    pub(super) wholes: BTreeMap<usize, Vec<f64>>,
}

crate::opaque_debug!(FeatureMatrix);

impl PartialEq for FeatureMatrix {
    /// Equal to the bit: the same names and the same cells, missing ones included.
    fn eq(&self, other: &Self) -> bool {
        let bits = |column: &Vec<f32>| -> Vec<u32> { column.iter().map(|cell| cell.to_bits()).collect() };
        let all = |matrix: &Self| -> Vec<Vec<u32>> { matrix.columns.iter().map(bits).collect() };
        self.names == other.names
            && self.rows == other.rows
            && all(self) == all(other)
            && self.wholes == other.wholes
    }
}

impl FeatureMatrix {
    /// How many cases.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The features' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The places of the features in the order of their names. Trainers fit in this order, and
    /// models add up in it, so that the order of columns plays no part: even the last bits of a sum depend on what is added first.
    pub(crate) fn by_name(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.names.len()).collect();
        places.sort_by(|&a, &b| self.names[a].cmp(&self.names[b]));
        places
    }

    /// What feature `column` says of case `row`.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Cell {
        Cell::decode(self.columns[column][row])
    }

    /// All cases of one feature.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn column(&self, column: usize) -> impl ExactSizeIterator<Item = Cell> {
        self.columns[column].iter().map(|&raw| Cell::decode(raw))
    }

    /// A matrix of given cells, for models over data that did not come from records.
    ///
    /// Returns `None` unless every column has `rows` cells and there is a name for each.
    #[must_use]
    pub fn from_cells(names: Vec<String>, rows: usize, columns: &[Vec<Cell>]) -> Option<Self> {
        let fits = names.len() == columns.len() && columns.iter().all(|column| column.len() == rows);
        fits.then(|| Self {
            names,
            rows,
            columns: columns.iter().map(|cells| cells.iter().map(|cell| cell.encode()).collect()).collect(),
            wholes: BTreeMap::new(),
        })
    }

    /// All cases of one feature, to the last digit.
    #[inline]
    pub(crate) fn cells(&self, column: usize) -> Cells<'_> {
        Cells { single: &self.columns[column], whole: self.wholes.get(&column).map(Vec::as_slice) }
    }

    /// Puts the rows of `below` under these.
    pub(crate) fn append(&mut self, below: Self) {
        if self.columns.is_empty() {
            *self = below;
            return;
        }
        for place in 0..self.columns.len() {
            if self.wholes.contains_key(&place) || below.wholes.contains_key(&place) {
                let whole = |of: &Self| -> Vec<f64> {
                    of.cells(place).iter().map(|cell| cell.value().unwrap_or_default()).collect()
                };
                let both = [whole(self), whole(&below)].concat();
                self.wholes.insert(place, both);
            }
        }
        self.rows += below.rows;
        for (column, more) in self.columns.iter_mut().zip(below.columns) {
            column.extend(more);
        }
    }

    /// The given rows, in that order.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let of = |column: &Vec<f32>| rows.iter().map(|&row| column[row as usize]).collect();
        let of_wholes = |whole: &Vec<f64>| rows.iter().map(|&row| whole[row as usize]).collect();
        Self {
            names: self.names.clone(),
            rows: rows.len(),
            columns: self.columns.iter().map(of).collect(),
            wholes: self.wholes.iter().map(|(&place, whole)| (place, of_wholes(whole))).collect(),
        }
    }
}
