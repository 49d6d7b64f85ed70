//! A matrix as a polars frame, and back.

use std::collections::BTreeMap;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series};

use super::matrix::{Cell, Exact, FeatureMatrix};
use crate::error::DatasetError;

impl FeatureMatrix {
    /// A frame with a column of numbers for each feature (null where there is none), and for each feature
    /// with absent cells a column `NAME.absent` that says `missing` or `not covered`.
    ///
    /// # Errors
    /// [`DatasetError::Frame`] where a feature is called like another's `NAME.absent`.
    pub fn to_polars(&self) -> Result<DataFrame, DatasetError> {
        let mut columns: Vec<Column> = Vec::new();
        for (place, name) in self.names.iter().enumerate() {
            let cells = || self.column(place);
            columns.push(if self.wholes.contains_key(&place) {
                let values: Vec<Option<f64>> = self.cells(place).iter().map(Exact::value).collect();
                Series::new(name.into(), values).into_column()
            } else {
                let values: Vec<Option<f32>> = cells().map(Cell::value).collect();
                Series::new(name.into(), values).into_column()
            });
            let absent: Vec<Option<&str>> = cells()
                .map(|cell| match cell {
                    Cell::Value(_) => None,
                    Cell::Missing => Some("missing"),
                    Cell::NotCovered => Some("not covered"),
                })
                .collect();
            if absent.iter().any(Option::is_some) {
                columns.push(Series::new(format!("{name}.absent").into(), absent).into_column());
            }
        }
        DataFrame::new(self.rows, columns).map_err(|error| DatasetError::Frame(error.to_string()))
    }

    /// The matrix of these columns of a frame, for models over features that were computed elsewhere. A
    /// column holds numbers or booleans; null and NaN mean missing, or what the column `NAME.absent` says
    /// there, as [`FeatureMatrix::to_polars`] writes it. Numbers are kept as they are: trainers and models tell 1,700,000,001 and
    /// 1,700,000,002 apart, which a [`Cell`], and so what people read, rounds to seven digits.
    ///
    /// # Errors
    /// [`DatasetError::Frame`] names a column that is not there, holds no numbers, or has an infinite one.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::features::{Cell, FeatureMatrix};
    /// use polars::df;
    ///
    /// let frame = df!(
    ///     "visits" => [Some(2.0), None, None],
    ///     "visits.absent" => [None, Some("missing"), Some("not covered")],
    /// )?;
    /// let matrix = FeatureMatrix::from_polars(&frame, &["visits"])?;
    /// assert_eq!(matrix.cell(0, 0), Cell::Value(2.0));
    /// assert_eq!(matrix.cell(1, 0), Cell::Missing);
    /// assert_eq!(matrix.cell(2, 0), Cell::NotCovered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_polars<S: AsRef<str>>(frame: &DataFrame, names: &[S]) -> Result<Self, DatasetError> {
        let mut columns = Vec::with_capacity(names.len());
        let mut wholes = BTreeMap::new();
        for name in names {
            let name = name.as_ref();
            let wrong = |why: &str| DatasetError::Frame(format!("column \"{name}\": {why}"));
            let column = frame.column(name).map_err(|_| wrong("there is none of that name"))?;
            if !(column.dtype().is_primitive_numeric() || column.dtype().is_bool()) {
                return Err(wrong("a feature needs numbers, or true and false"));
            }
            let numbers = column.cast(&DataType::Float64).map_err(|_| wrong("its numbers cannot be read"))?;
            let numbers = numbers.f64().map_err(|_| wrong("its numbers cannot be read"))?;
            if let Some(row) =
                numbers.iter().position(|value| value.is_some_and(|value| (value as f32).is_infinite()))
            {
                return Err(wrong(&format!("row {row} (counted from 0) is not a finite number")));
            }
            let mut cells: Vec<f32> =
                numbers.iter().map(|value| value.map_or(Cell::MISSING, |value| value as f32)).collect();
            let whole = |value: Option<f64>| value.filter(|value| !value.is_nan()).unwrap_or_default();
            let fits = |value: f64| f64::from(value as f32).to_bits() == value.to_bits();
            if !numbers.iter().all(|value| fits(whole(value))) {
                wholes.insert(columns.len(), numbers.iter().map(whole).collect());
            }
            if let Ok(absent) = frame.column(&format!("{name}.absent")) {
                let absent = absent.str().map_err(|_| wrong("its absences are not text"))?;
                for (cell, absent) in cells.iter_mut().zip(absent.iter()) {
                    if cell.is_nan() && absent == Some("not covered") {
                        *cell = Cell::NOT_COVERED;
                    }
                }
            }
            columns.push(cells);
        }
        let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        Ok(Self { names, rows: frame.height(), columns, wholes })
    }
}
