//! A dataset as linfa's.

use linfa::DatasetBase;
use ndarray::{Array1, Array2};

use super::Dataset;
use crate::features::Cell;

impl Dataset {
    /// A linfa dataset: one `f64` column a feature under its name, NaN where there is no value, targets
    /// `true` where the outcome came about. A feature with cells that are not covered, or both missing
    /// and not covered, has a second column `NAME.not_covered` (1 or 0), so the two are not confused.
    /// Note that linfa's own algorithms do not accept NaN.
    #[must_use]
    pub fn to_linfa(&self) -> DatasetBase<Array2<f64>, Array1<bool>> {
        let mut names = Vec::new();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        for (index, name) in self.matrix.names().iter().enumerate() {
            let cells = || self.matrix.column(index);
            names.push(name.clone());
            columns.push(cells().map(|cell| cell.value().map_or(f64::NAN, f64::from)).collect());
            if cells().any(|cell| cell == Cell::NotCovered) {
                names.push(format!("{name}.not_covered"));
                columns.push(cells().map(|cell| f64::from(u8::from(cell == Cell::NotCovered))).collect());
            }
        }
        let records =
            Array2::from_shape_fn((self.rows(), columns.len()), |(row, column)| columns[column][row]);
        DatasetBase::new(records, Array1::from(self.outcomes.clone())).with_feature_names(names)
    }
}
