//! The two features' own steps beside a grid: one for each of its rows, one for each of its columns.

use super::banded::{Banded, Factor};
use super::block::Kind;

/// A share of the mean information that each step gets on top: what rows say together the columns say too,
/// and an empty row says nothing, so without it the equations would have no one solution. It is the same
/// with and without the grid, and drops out of the comparison.
const RIDGE: f64 = 1e-6;

/// The rows and columns of a grid's cells.
pub(super) struct Mains {
    rows: usize,
    columns: usize,
    ridge: f64,
}

impl Mains {
    pub(super) fn new(kind: &Kind, information: &[f64]) -> Self {
        // A term that is no grid has one column.
        let (rows, columns) = match *kind {
            Kind::Grid { first, second } => (first, second),
            Kind::Ordered { .. } | Kind::Levels { .. } => (information.len(), 1),
        };
        let mean = information.iter().sum::<f64>() / (rows + columns) as f64;
        Self { rows, columns, ridge: (RIDGE * mean).max(f64::MIN_POSITIVE.sqrt()) }
    }

    /// How many steps there are.
    pub(super) fn count(&self) -> usize {
        self.rows + self.columns
    }

    /// The row and the column of a cell, as steps.
    fn of(&self, cell: usize) -> [usize; 2] {
        [cell / self.columns, self.rows + cell % self.columns]
    }

    /// Figures of the cells added up by step.
    pub(super) fn sums(&self, cells: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count()];
        for (cell, value) in cells.iter().enumerate() {
            self.of(cell).into_iter().for_each(|main| sums[main] += value);
        }
        sums
    }

    /// The factor of what information is left on the steps when a grid stands beside them that can answer
    /// every move of theirs (the Schur complement), given the factor of the grid's own equations.
    pub(super) fn beside(&self, grid: &Factor, information: &[f64]) -> Factor {
        let taken: Vec<Vec<f64>> = (0..self.count())
            .map(|main| {
                let of = |(cell, &weight)| if self.of(cell).contains(&main) { weight } else { 0.0 };
                let mut cells: Vec<f64> = information.iter().enumerate().map(of).collect();
                grid.solve(&mut cells);
                cells.iter_mut().zip(information).for_each(|(cell, weight)| *cell *= weight);
                self.sums(&cells)
            })
            .collect();
        self.information(information, |a, b| taken[a][b])
    }

    /// The information matrix of the steps less `taken`, factored.
    pub(super) fn information(&self, information: &[f64], taken: impl Fn(usize, usize) -> f64) -> Factor {
        let count = self.count();
        let mut matrix = Banded::zero(count, count - 1);
        for (cell, &weight) in information.iter().enumerate() {
            let [row, column] = self.of(cell);
            matrix.add(row, 0, weight);
            matrix.add(column, 0, weight);
            matrix.add(column, column - row, weight);
        }
        for a in 0..count {
            matrix.add(a, 0, self.ridge);
            for b in 0..=a {
                matrix.add(a, a - b, -taken(a, b));
            }
        }
        matrix.factor()
    }
}
