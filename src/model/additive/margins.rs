//! The rows and columns of a grid: what its two features' own terms can say of its cells.

use super::banded::{Banded, Factor};

/// The effects of a grid's rows and of its columns, left free, as fixed effects are in restricted maximum likelihood.
///
/// A pair that raises the risk of both its features one by one has lent their two terms most of what it says. Held as they
/// stand, they hide it. Free to hand it back, they cost the grid nothing: they are in the model with it or without.
pub(super) struct Margins<'a> {
    /// The information of each cell, row by row.
    information: &'a [f64],
    columns: usize,
    /// The margins' own normal equations: rows first, then columns.
    equations: Banded,
}

/// A precision, as a share of all information, that all but leaves the margins free. Together rows and columns say the mean
/// twice, so that without it their equations would have no one solution.
const FREE: f64 = 1e-8;

impl<'a> Margins<'a> {
    /// Of cells in rows of so many columns.
    pub(super) fn new(information: &'a [f64], columns: usize) -> Self {
        let rows = information.len() / columns;
        let size = rows + columns;
        let mut margins = Self { information, columns, equations: Banded::zero(size, size - 1) };
        let own = margins.sums(information);
        let free = FREE * information.iter().sum::<f64>();
        for (margin, own) in own.into_iter().enumerate() {
            margins.equations.add(margin, 0, own + free);
        }
        for (cell, information) in information.iter().enumerate() {
            let (row, column) = (cell / columns, rows + cell % columns);
            margins.equations.add(column, column - row, *information);
        }
        margins
    }

    /// Adds up figures of the cells by row, then by column.
    fn sums(&self, cells: &[f64]) -> Vec<f64> {
        let rows = cells.len() / self.columns;
        let mut sums = vec![0.0; rows + self.columns];
        for (cell, value) in cells.iter().enumerate() {
            sums[cell / self.columns] += value;
            sums[rows + cell % self.columns] += value;
        }
        sums
    }

    /// What is left of the cells' residuals once rows and columns have said what they can.
    pub(super) fn cleared(&self, residuals: &[f64]) -> Vec<f64> {
        let mut effects = self.sums(residuals);
        self.equations.clone().factor().solve(&mut effects);
        let rows = residuals.len() / self.columns;
        let said = |cell: usize| effects[cell / self.columns] + effects[rows + cell % self.columns];
        let cells = residuals.iter().zip(self.information).enumerate();
        cells.map(|(cell, (residual, information))| residual - information * said(cell)).collect()
    }

    /// Of the cells' penalised normal equations, with these on their right and the margins fitted beside: for each two of
    /// them the quadratic form (of residuals with themselves: how much of them is explained), and the logarithm of the determinant,
    /// less that of the margins alone.
    pub(super) fn fitted<const N: usize>(&self, cells: &Factor, sides: [&[f64]; N]) -> ([[f64; N]; N], f64) {
        let solved = |side: &[f64]| -> (Vec<f64>, Vec<f64>) {
            let mut cell = side.to_vec();
            cells.solve(&mut cell);
            let weighed: Vec<f64> =
                cell.iter().zip(self.information).map(|(cell, held)| cell * held).collect();
            (cell, self.sums(&weighed))
        };
        let rows = self.information.len() / self.columns;
        let mut left = self.equations.clone();
        for margin in 0..rows + self.columns {
            let is_in = |cell: usize| cell / self.columns == margin || rows + cell % self.columns == margin;
            let held = self.information.iter().enumerate();
            let held: Vec<f64> =
                held.map(|(cell, &information)| if is_in(cell) { information } else { 0.0 }).collect();
            let (_, taken) = solved(&held);
            for (other, taken) in taken.iter().enumerate().take(margin + 1) {
                left.add(margin, margin - other, -taken);
            }
        }
        let left = left.factor();
        let each = sides.map(solved);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut forms = [[0.0; N]; N];
        for (form, side) in forms.iter_mut().zip(&sides) {
            let (_, mut back) = solved(side);
            left.solve(&mut back);
            *form = each.each_ref().map(|(cells, margins)| dot(side, cells) + dot(&back, margins));
        }
        let alone = self.equations.clone().factor().log_determinant();
        (forms, cells.log_determinant() + left.log_determinant() - alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells with residuals, and the same written out in full: margins as columns of a design.
    #[test]
    fn margins_beside_cells_are_the_whole_system() {
        let (rows, columns) = (3, 4);
        let size = rows * columns;
        let information: Vec<f64> = (0..size).map(|cell| 1.0 + (cell * 7 % 5) as f64).collect();
        let raw: Vec<f64> = (0..size).map(|cell| (cell as f64 * 1.3).sin()).collect();
        let margins = Margins::new(&information, columns);
        let residuals = margins.cleared(&raw);
        for sum in margins.sums(&residuals) {
            assert!(sum.abs() < 1e-6, "rows and columns have nothing left to say: {sum}");
        }
        let penalty = |cell: usize| 0.5 + cell as f64 / 10.0;
        let mut own = Banded::zero(size, columns);
        (0..size).for_each(|cell| own.add(cell, 0, information[cell] + penalty(cell)));
        // The system of cells and margins at once.
        let all = size + rows + columns;
        let is_in = |cell: usize, margin: usize| cell / columns == margin || rows + cell % columns == margin;
        let free = FREE * information.iter().sum::<f64>();
        let mut whole = Banded::zero(all, all - 1);
        for (cell, information) in information.iter().enumerate() {
            whole.add(cell, 0, information + penalty(cell));
            for margin in (0..rows + columns).filter(|&margin| is_in(cell, margin)) {
                whole.add(size + margin, size + margin - cell, *information);
            }
        }
        for a in 0..rows + columns {
            for b in 0..=a {
                let shared = (0..size).filter(|&cell| is_in(cell, a) && is_in(cell, b));
                let shared: f64 = shared.map(|cell| information[cell]).sum();
                whole.add(size + a, a - b, shared + if a == b { free } else { 0.0 });
            }
        }
        let mut side = residuals.clone();
        side.extend(vec![0.0; rows + columns]);
        let given = side.clone();
        let whole = whole.factor();
        whole.solve(&mut side);
        let form: f64 = given.iter().zip(&side).map(|(given, solved)| given * solved).sum();
        let determinant = whole.log_determinant() - margins.equations.clone().factor().log_determinant();
        let ([[found]], found_determinant) = margins.fitted(&own.factor(), [&residuals]);
        assert!((found - form).abs() < 1e-6 && (found_determinant - determinant).abs() < 1e-6);
    }
}
