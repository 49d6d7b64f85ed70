//! A pair's grid: its cells, and what of it is really the two features' own.

use super::axis::StepAxis;
use super::column::Column;
use super::line::Line;
use super::sides::{self, joined, means};

/// The most value steps of a grid's narrower side: the cost of a grid grows with its square.
const NARROW: usize = 14;
/// A grid's cells, absences included, are bytes.
const MOST_CELLS: usize = 256;

/// How the steps of two features are joined to a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// The features; the second is the one with fewer steps.
    pub(super) first: Side,
    pub(super) second: Side,
}

/// One side of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Side {
    pub(super) feature: usize,
    /// For each step of the feature the grid's.
    pub(super) joined: Vec<u8>,
    /// Steps on this side, absences included.
    pub(super) steps: usize,
    /// Whether each step of this side is a run of the feature's: not where they were put in another order.
    is_in_order: bool,
    /// Where its runs lie: the mean of their steps' places, by information; `None` where these lie nowhere.
    at: Option<Vec<f64>>,
}

impl Side {
    fn new(feature: usize, side: &sides::Side<'_>, most: usize) -> Self {
        let (joined, runs) = joined(side.information, side.order.as_deref(), most);
        let steps = runs + 2;
        let at = side.places.as_ref().map(|places| means(places, (&joined, steps), side.information));
        Self { feature, joined, steps, is_in_order: side.order.is_none(), at }
    }

    /// The edges of this side of the finished grid: between its runs, or all of the feature's where those have no order.
    pub(super) fn edges(&self, axis: &StepAxis) -> Vec<f64> {
        let edges = axis.edges();
        if !self.is_in_order {
            return edges;
        }
        let is_kept = |edge: usize| self.joined[edge] != self.joined[edge + 1];
        edges.into_iter().enumerate().filter(|(edge, _)| is_kept(*edge)).map(|(_, edge)| edge).collect()
    }

    /// For each step of this side of the finished grid the run that it is of.
    fn runs(&self, axis: &StepAxis) -> Vec<usize> {
        if self.is_in_order {
            (0..self.steps).collect()
        } else {
            axis.spread(&self.joined).into_iter().map(usize::from).collect()
        }
    }
}

impl Grid {
    pub(super) fn new(a: (usize, &sides::Side<'_>), b: (usize, &sides::Side<'_>)) -> Self {
        let is_wider = a.1.information.len() >= b.1.information.len();
        let (wide, narrow) = if is_wider { (a, b) } else { (b, a) };
        let second = Side::new(narrow.0, narrow.1, NARROW);
        let first = Side::new(wide.0, wide.1, MOST_CELLS / second.steps - 2);
        Self { first, second }
    }

    /// Figures of the cells as the finished grid has them: each code its own row or column, with what its run says.
    pub(super) fn spread<T: Copy>(&self, cells: &[T], axes: &[StepAxis]) -> Vec<T> {
        let runs = |side: &Side| side.runs(&axes[side.feature]);
        let second = runs(&self.second);
        let cell = |row: usize, column: usize| cells[row * self.second.steps + column];
        runs(&self.first)
            .iter()
            .flat_map(|&row| second.iter().map(move |&column| cell(row, column)))
            .collect()
    }

    /// The product of the sides' places, where both have some.
    pub(super) fn product(&self) -> Option<Line> {
        Some(Line::product(self.first.at.as_ref()?, self.second.at.as_ref()?))
    }

    /// The cell of every row.
    pub(super) fn column(&self, columns: &[Column], rows: usize) -> Column {
        let first = columns[self.first.feature].to_codes(rows);
        let mut cells = columns[self.second.feature].to_codes(rows);
        for (cell, first) in cells.iter_mut().zip(first) {
            let place = usize::from(self.first.joined[usize::from(first)]) * self.second.steps;
            *cell = (place + usize::from(self.second.joined[usize::from(*cell)])) as u8;
        }
        Column::new(cells)
    }

    /// Takes out of the cells what depends on one feature alone, given how many cases are in each: the
    /// steps that the first side's runs, the second side's runs and the intercept take over. What is left
    /// has a mean of zero along each row and column.
    ///
    /// Lengerich and others, *Purifying interaction effects with the functional ANOVA*, AISTATS 2020.
    pub(super) fn purify(&self, cells: &mut [f64], counts: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (rows, columns) = (self.first.steps, self.second.steps);
        let (mut first, mut second) = (vec![0.0; rows], vec![0.0; columns]);
        for _ in 0..PURIFYING_ROUNDS {
            let mut largest: f64 = 0.0;
            for (row, first) in first.iter_mut().enumerate() {
                let at = row * columns..(row + 1) * columns;
                let by = mean(cells[at.clone()].iter().zip(&counts[at.clone()]));
                cells[at].iter_mut().for_each(|cell| *cell -= by);
                *first += by;
                largest = largest.max(by.abs());
            }
            for (column, second) in second.iter_mut().enumerate() {
                let at = || (0..rows).map(|row| row * columns + column);
                let by = mean(at().map(|place| (&cells[place], &counts[place])));
                at().for_each(|place| cells[place] -= by);
                *second += by;
                largest = largest.max(by.abs());
            }
            if largest < 1e-12 {
                break;
            }
        }
        // Cells that nobody was in say nothing of their own.
        for (cell, &count) in cells.iter_mut().zip(counts) {
            if count == 0.0 {
                *cell = 0.0;
            }
        }
        (first, second)
    }

    /// Adds to the two features' own steps what the grid's runs said of them.
    pub(super) fn hand_over(&self, values: &mut [Vec<f64>], first: &[f64], second: &[f64]) {
        for (side, by) in [(&self.first, first), (&self.second, second)] {
            for (value, &run) in values[side.feature].iter_mut().zip(&side.joined) {
                *value += by[usize::from(run)];
            }
        }
    }
}

/// Alternating means converge fast unless the two features all but coincide; then what is left is small.
const PURIFYING_ROUNDS: usize = 200;

fn mean<'a>(cells: impl Iterator<Item = (&'a f64, &'a f64)>) -> f64 {
    let (sum, mass) = cells.fold((0.0, 0.0), |(sum, mass), (cell, count)| (sum + cell * count, mass + count));
    if mass > 0.0 { sum / mass } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_feature_says_alone_leaves_the_grid() {
        let joined = |steps: usize| (0..steps as u8).collect();
        let side =
            |feature, steps| Side { feature, joined: joined(steps), steps, is_in_order: true, at: None };
        let grid = Grid { first: side(0, 3), second: side(1, 4) };
        let counts: Vec<f64> = (0..12).map(|cell| f64::from(cell % 5 + 1)).collect();
        let own = |row: usize, column: usize| if (row, column) == (1, 2) { 0.7 } else { 0.0 };
        let whole: Vec<f64> = (0..12)
            .map(|cell| own(cell / 4, cell % 4) + 0.3 * (cell / 4) as f64 - 0.2 * (cell % 4) as f64)
            .collect();
        let mut cells = whole.clone();
        let (first, second) = grid.purify(&mut cells, &counts);
        for (cell, whole) in whole.iter().enumerate() {
            assert!((cells[cell] + first[cell / 4] + second[cell % 4] - whole).abs() < 1e-9);
        }
        for row in 0..3 {
            let sum: f64 = (0..4).map(|column| cells[row * 4 + column] * counts[row * 4 + column]).sum();
            assert!(sum.abs() < 1e-9);
        }
        for column in 0..4 {
            let sum: f64 = (0..3).map(|row| cells[row * 4 + column] * counts[row * 4 + column]).sum();
            assert!(sum.abs() < 1e-9);
        }
    }
}
