//! A dataset as a polars frame.

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series};

use super::Dataset;
use crate::calendar::AsOf;
use crate::error::DatasetError;

impl Dataset {
    /// A frame: `entity`, `as_of`, `family` (a number), `outcome`, then the features as in
    /// [`FeatureMatrix::to_polars`](crate::features::FeatureMatrix::to_polars). Where cases are seen on days of their own, `seen_on` stands behind `as_of`.
    ///
    /// # Errors
    /// [`DatasetError::Frame`] where a feature has the name of one of the columns before it.
    pub fn to_polars(&self) -> Result<DataFrame, DatasetError> {
        let frame_error = |error: polars::error::PolarsError| DatasetError::Frame(error.to_string());
        let dates = |name: &str, day: fn(&Self, usize) -> AsOf| {
            let days: Vec<i32> = (0..self.rows()).map(|row| day(self, row).day().epoch_days()).collect();
            Series::new(name.into(), days).cast(&DataType::Date).map(Series::into_column).map_err(frame_error)
        };
        let ids: Vec<&str> = self.ids().collect();
        let mut columns: Vec<Column> =
            vec![Series::new("entity".into(), ids).into_column(), dates("as_of", Self::as_of)?];
        if !self.seen.is_empty() {
            columns.push(dates("seen_on", Self::seen_on)?);
        }
        columns.push(Series::new("family".into(), self.family.clone()).into_column());
        columns.push(Series::new("outcome".into(), self.outcomes.clone()).into_column());
        columns.extend(self.matrix.to_polars()?.columns().iter().cloned());
        DataFrame::new(self.rows(), columns).map_err(frame_error)
    }
}
