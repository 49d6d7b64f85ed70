//! The standardised numbers that a linear trainer sees: for each feature its scaled value, and an
//! indicator each for missing and not covered.

use std::ops::Range;

use ndarray::ArrayViewMut2;
use rayon::prelude::*;

use super::footing::is_broad;
use super::form::{Scale, Shape, Term};
use super::solver::{Design, Solution};
use crate::features::{Cell, FeatureMatrix};

/// Bytes that held columns may take, 8 for each row and column: 24 logarithms of a million rows fit.
const HELD_BYTES: usize = 256 << 20;

/// A column of the design.
#[derive(Debug, Clone, Copy)]
struct DesignColumn {
    feature: usize,
    part: Part,
    mean: f64,
    deviation: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// The scaled value; absent cells count as the mean.
    Value(Scale),
    Missing,
    NotCovered,
}

/// The design over a matrix: made block by block, never held as a whole.
pub(super) struct StandardisedDesign<'m> {
    matrix: &'m FeatureMatrix,
    columns: Vec<DesignColumn>,
    /// For each column its values, where they are held: those on the logarithmic scale, whose logarithms
    /// would cost more in every pass than the rest of it. The same bits as made anew.
    held: Vec<Option<Vec<f64>>>,
    /// For each feature what share of cases is missing, and not covered.
    absent: Vec<(f64, f64)>,
}

impl<'m> StandardisedDesign<'m> {
    /// Means and deviations (weighted, if there are weights) of every feature on its scale. An absence has a column where
    /// families enough have it, and have it not.
    pub(super) fn new(
        matrix: &'m FeatureMatrix,
        scales: &[Scale],
        weights: Option<&[f64]>,
        families: Option<&[u64]>,
    ) -> Self {
        let mut design = Self { matrix, columns: Vec::new(), held: Vec::new(), absent: Vec::new() };
        let total: f64 = weights.map_or(matrix.rows() as f64, |weights| weights.iter().sum());
        for (feature, &scale) in scales.iter().enumerate() {
            let summary = Summary::of(matrix.raw(feature), scale, weights);
            let shares = (summary.missing / total, summary.not_covered / total);
            design.absent.push(shares);
            // Rounding leaves a constant column a deviation of some 1e-16 of its size.
            if summary.deviation > 1e-9 * summary.mean.abs().max(1e-9) {
                design.columns.push(DesignColumn {
                    feature,
                    part: Part::Value(scale),
                    mean: summary.mean,
                    deviation: summary.deviation,
                });
            }
            for (part, absence, share) in
                [(Part::Missing, Cell::Missing, shares.0), (Part::NotCovered, Cell::NotCovered, shares.1)]
            {
                let of = |wanted: bool| {
                    let rows = 0..matrix.rows();
                    is_broad(rows.filter(|&row| (matrix.cell(row, feature) == absence) == wanted), families)
                };
                if of(true) && of(false) {
                    let deviation = (share * (1.0 - share)).sqrt();
                    design.columns.push(DesignColumn { feature, part, mean: share, deviation });
                }
            }
        }
        design.hold();
        design
    }

    /// Holds the values of as many logarithmic columns as [`HELD_BYTES`] allows.
    fn hold(&mut self) {
        let most = HELD_BYTES / (8 * self.matrix.rows()).max(1);
        let is_log = |column: &DesignColumn| column.part == Part::Value(Scale::Log);
        let mut logs = 0;
        let chosen: Vec<bool> = self
            .columns
            .iter()
            .map(|column| {
                logs += usize::from(is_log(column));
                is_log(column) && logs <= most
            })
            .collect();
        self.held = self
            .columns
            .par_iter()
            .zip(chosen)
            .map(|(column, chosen)| {
                chosen.then(|| {
                    let mut values = vec![0.0; self.matrix.rows()];
                    column.write(self.matrix.raw(column.feature).iter().copied(), &mut values);
                    values
                })
            })
            .collect();
    }

    /// The feature behind a column of the design, for messages.
    pub(super) fn feature_of(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |column| self.matrix.names()[column.feature].as_str())
    }

    /// Undoes the standardising: centred terms in the features' own units, and the features that training
    /// told nothing of. Centred means that a term's mean over the training cases is zero, so the intercept
    /// is untouched.
    pub(super) fn terms(&self, solution: &Solution) -> (Vec<Term>, Vec<String>) {
        let mut terms = Vec::new();
        let mut unused = Vec::new();
        for (feature, name) in self.matrix.names().iter().enumerate() {
            let find = |wanted: fn(Part) -> bool| {
                self.columns
                    .iter()
                    .zip(&solution.coefficients)
                    .find(|(column, _)| column.feature == feature && wanted(column.part))
                    .map(|(column, coefficient)| (*column, coefficient / column.deviation))
            };
            let value = find(|part| matches!(part, Part::Value(_)));
            let missing = find(|part| part == Part::Missing).map(|(_, step)| step);
            let not_covered = find(|part| part == Part::NotCovered).map(|(_, step)| step);
            let is_flat = |step: Option<f64>| step.is_none_or(|step| step == 0.0);
            if is_flat(value.map(|(_, slope)| slope)) && is_flat(missing) && is_flat(not_covered) {
                unused.push(name.clone());
                continue;
            }
            let (scale, centre, slope) = match value {
                Some((DesignColumn { part: Part::Value(scale), mean, .. }, slope)) => (scale, mean, slope),
                _ => (Scale::Linear, 0.0, 0.0),
            };
            // The value part is zero on average by its centre; the absences bring the rest.
            let (share_missing, share_not_covered) = self.absent[feature];
            let average =
                share_missing * missing.unwrap_or(0.0) + share_not_covered * not_covered.unwrap_or(0.0);
            terms.push(Term::one(
                name,
                Shape::Line {
                    scale,
                    centre,
                    slope,
                    at_centre: -average,
                    missing: missing.map(|step| step - average),
                    not_covered: not_covered.map(|step| step - average),
                },
            ));
        }
        (terms, unused)
    }
}

impl Design for StandardisedDesign<'_> {
    fn rows(&self) -> usize {
        self.matrix.rows()
    }

    fn columns(&self) -> usize {
        self.columns.len()
    }

    fn fill(&self, rows: Range<usize>, mut block: ArrayViewMut2<'_, f64>) {
        for (place, column) in self.columns.iter().enumerate() {
            let out = block.column_mut(place);
            if let Some(values) = &self.held[place] {
                out.into_iter().zip(&values[rows.clone()]).for_each(|(out, &value)| *out = value);
            } else {
                column.write(self.matrix.raw(column.feature)[rows.clone()].iter().copied(), out);
            }
        }
    }

    fn gather(&self, rows: &[usize], mut block: ArrayViewMut2<'_, f64>) {
        for (place, column) in self.columns.iter().enumerate() {
            let out = block.column_mut(place);
            if let Some(values) = &self.held[place] {
                out.into_iter().zip(rows).for_each(|(out, &row)| *out = values[row]);
            } else {
                let cells = self.matrix.raw(column.feature);
                column.write(rows.iter().map(|&row| cells[row]), out);
            }
        }
    }
}

impl DesignColumn {
    /// The standardised values of cells.
    fn write<'o>(&self, cells: impl Iterator<Item = f32>, out: impl IntoIterator<Item = &'o mut f64>) {
        let scale_by = 1.0 / self.deviation;
        for (out, raw) in out.into_iter().zip(cells) {
            let value = match (self.part, Cell::decode(raw)) {
                (Part::Value(scale), Cell::Value(value)) => scale.apply(f64::from(value)),
                (Part::Value(_), _) => self.mean,
                (Part::Missing, cell) => f64::from(u8::from(cell == Cell::Missing)),
                (Part::NotCovered, cell) => f64::from(u8::from(cell == Cell::NotCovered)),
            };
            *out = (value - self.mean) * scale_by;
        }
    }
}

/// Weighted figures of one feature on its scale.
struct Summary {
    mean: f64,
    deviation: f64,
    missing: f64,
    not_covered: f64,
}

impl Summary {
    fn of(cells: &[f32], scale: Scale, weights: Option<&[f64]>) -> Self {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let (mut present, mut sum) = (0.0, 0.0);
        let mut summary = Self { mean: 0.0, deviation: 0.0, missing: 0.0, not_covered: 0.0 };
        for (row, &raw) in cells.iter().enumerate() {
            match Cell::decode(raw) {
                Cell::Value(value) => {
                    present += weight(row);
                    sum += weight(row) * scale.apply(f64::from(value));
                }
                Cell::Missing => summary.missing += weight(row),
                Cell::NotCovered => summary.not_covered += weight(row),
            }
        }
        if present <= 0.0 {
            return summary;
        }
        summary.mean = sum / present;
        let mut squares = 0.0;
        for (row, &raw) in cells.iter().enumerate() {
            if let Cell::Value(value) = Cell::decode(raw) {
                squares += weight(row) * (scale.apply(f64::from(value)) - summary.mean).powi(2);
            }
        }
        summary.deviation = (squares / present).sqrt();
        summary
    }
}
