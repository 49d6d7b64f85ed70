//! The standardised numbers that a linear trainer sees: for each feature its scaled value (of a feature of codes an indicator
//! for each code), and an indicator each for missing and not covered.

use std::ops::Range;

use ndarray::{ArrayViewMut1, ArrayViewMut2};
use rayon::prelude::*;

use super::footing::is_broad;
use super::form::{Axis, Scale, Shape, Term};
use super::shape::code_edges;
use super::solver::{Design, Solution};
use crate::error::ModelError;
use crate::features::{Cell, Cells, Exact, FeatureMatrix};

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
    /// Whether the value is this code.
    Code(usize),
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
    /// For each feature of codes what is known of them.
    codes: Vec<Option<Codes>>,
}

/// The codes of a feature, one more among them for any other.
#[derive(Debug)]
struct Codes {
    /// For each what share of cases has it.
    shares: Vec<f64>,
    /// For each how many cases have it; 0 where they are of too few families to learn from.
    counts: Vec<f64>,
    /// The commonest, which has no column: beside all others it says nothing more.
    commonest: usize,
}

impl<'m> StandardisedDesign<'m> {
    /// Means and deviations (weighted, if there are weights) of every feature on its scale. An absence, or a code, has a
    /// column where families enough have it, and have it not. `codes` has, for each feature of codes, how many; it may be
    /// empty.
    pub(super) fn new(
        matrix: &'m FeatureMatrix,
        (scales, codes): (&[Scale], &[Option<usize>]),
        weights: Option<&[f64]>,
        families: Option<&[u64]>,
    ) -> Self {
        let mut design = Self {
            matrix,
            columns: Vec::new(),
            held: Vec::new(),
            absent: vec![(0.0, 0.0); scales.len()],
            codes: scales.iter().map(|_| None).collect(),
        };
        let total: f64 = weights.map_or(matrix.rows() as f64, |weights| weights.iter().sum());
        for feature in matrix.by_name() {
            let scale = scales[feature];
            let summary = Summary::of(matrix.cells(feature), scale, weights);
            let shares = (summary.missing / total, summary.not_covered / total);
            design.absent[feature] = shares;
            let coded = codes.get(feature).copied().flatten();
            let coded =
                coded.map(|codes| Codes::of(matrix.cells(feature), codes, (weights, total), families));
            let is_coded = coded.is_some();
            for (code, share) in coded.iter().flat_map(Codes::told) {
                let deviation = (share * (1.0 - share)).sqrt();
                design.columns.push(DesignColumn { feature, part: Part::Code(code), mean: share, deviation });
            }
            design.codes[feature] = coded;
            // Rounding leaves a constant column a deviation of some 1e-16 of its size.
            if !is_coded && summary.deviation > 1e-9 * summary.mean.abs().max(1e-9) {
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
                // In a refit nobody with it may have been drawn, or nobody without. Most features are never absent, which
                // the share tells without a look at the cases.
                if share > 0.0 && share < 1.0 && of(true) && of(false) {
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
                    column.write(self.matrix.cells(column.feature).iter(), &mut values);
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
    pub(super) fn terms(&self, solution: &Solution) -> Result<(Vec<Term>, Vec<String>), ModelError> {
        let mut terms = Vec::new();
        let mut unused = Vec::new();
        for feature in self.matrix.by_name() {
            let name = &self.matrix.names()[feature];
            let find = |wanted: &dyn Fn(Part) -> bool| {
                self.columns
                    .iter()
                    .zip(&solution.coefficients)
                    .find(|(column, _)| column.feature == feature && wanted(column.part))
                    .map(|(column, coefficient)| (*column, coefficient / column.deviation))
            };
            let value = find(&|part| matches!(part, Part::Value(_)));
            let missing = find(&|part| part == Part::Missing).map(|(_, step)| step);
            let not_covered = find(&|part| part == Part::NotCovered).map(|(_, step)| step);
            if let Some(codes) = &self.codes[feature] {
                let step = |code: usize| find(&|part| part == Part::Code(code)).map(|(_, step)| step);
                let absent = [(missing, self.absent[feature].0), (not_covered, self.absent[feature].1)];
                match codes.term(name, step, absent, self.matrix.rows())? {
                    Some(term) => terms.push(term),
                    None => unused.push(name.clone()),
                }
                continue;
            }
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
        Ok((terms, unused))
    }
}

impl Design for StandardisedDesign<'_> {
    fn rows(&self) -> usize {
        self.matrix.rows()
    }

    fn columns(&self) -> usize {
        self.columns.len()
    }

    fn write(&self, column: usize, rows: Range<usize>, out: ArrayViewMut1<'_, f64>) {
        if let Some(values) = &self.held[column] {
            out.into_iter().zip(&values[rows]).for_each(|(out, &value)| *out = value);
        } else {
            let column = &self.columns[column];
            column.write(self.matrix.cells(column.feature).range(rows).iter(), out);
        }
    }

    fn gather(&self, rows: &[usize], mut block: ArrayViewMut2<'_, f64>) {
        for (place, column) in self.columns.iter().enumerate() {
            let out = block.column_mut(place);
            if let Some(values) = &self.held[place] {
                out.into_iter().zip(rows).for_each(|(out, &row)| *out = values[row]);
            } else {
                let cells = self.matrix.cells(column.feature);
                column.write(rows.iter().map(|&row| cells.at(row)), out);
            }
        }
    }
}

impl DesignColumn {
    /// The standardised values of cells.
    fn write<'o>(&self, cells: impl Iterator<Item = Exact>, out: impl IntoIterator<Item = &'o mut f64>) {
        let scale_by = 1.0 / self.deviation;
        for (out, cell) in out.into_iter().zip(cells) {
            let value = match (self.part, cell) {
                (Part::Value(scale), Exact::Value(value)) => scale.apply(value),
                (Part::Value(_), _) => self.mean,
                (Part::Code(code), Exact::Value(value)) => f64::from(u8::from(value as usize == code)),
                (Part::Code(_), _) => 0.0,
                (Part::Missing, cell) => f64::from(u8::from(cell == Exact::Missing)),
                (Part::NotCovered, cell) => f64::from(u8::from(cell == Exact::NotCovered)),
            };
            *out = (value - self.mean) * scale_by;
        }
    }
}

impl Codes {
    fn of(
        cells: Cells<'_>,
        codes: usize,
        (weights, total): (Option<&[f64]>, f64),
        families: Option<&[u64]>,
    ) -> Self {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); codes + 1];
        for (row, cell) in cells.iter().enumerate() {
            if let Some(value) = cell.value() {
                rows[(value as usize).min(codes)].push(row);
            }
        }
        let weight = |row: &usize| weights.map_or(1.0, |weights| weights[*row]);
        let count = |rows: &Vec<usize>| {
            if is_broad(rows.iter().copied(), families) { rows.len() as f64 } else { 0.0 }
        };
        let most = (0..=codes).max_by_key(|&code| (rows[code].len(), codes - code));
        Self {
            shares: rows.iter().map(|rows| rows.iter().map(weight).sum::<f64>() / total).collect(),
            counts: rows.iter().map(count).collect(),
            commonest: most.unwrap_or(0),
        }
    }

    /// The codes that have a column, with their shares.
    fn told(&self) -> impl Iterator<Item = (usize, f64)> {
        let is_told = |code: usize| {
            // In a refit nobody with the code may have been drawn.
            code != self.commonest && self.counts[code] > 0.0 && self.shares[code] > 0.0
        };
        (0..self.shares.len()).filter(move |&code| is_told(code)).map(|code| (code, self.shares[code]))
    }

    /// The centred term of these steps from the commonest code; a code of too few families adds nothing. `absent` has the
    /// steps of missing and of not covered, with their shares. `None` where all are alike.
    fn term(
        &self,
        name: &str,
        step: impl Fn(usize) -> Option<f64>,
        absent: [(Option<f64>, f64); 2],
        rows: usize,
    ) -> Result<Option<Term>, ModelError> {
        let steps: Vec<Option<f64>> = (0..self.shares.len())
            .map(|code| if code == self.commonest { Some(0.0) } else { step(code) })
            .collect();
        let is_flat = |step: &Option<f64>| step.is_none_or(|step| step == 0.0);
        if steps.iter().all(is_flat) && absent.iter().all(|(step, _)| is_flat(step)) {
            return Ok(None);
        }
        let shares = self.shares.iter().copied().chain(absent.map(|(_, share)| share));
        let steps = steps.into_iter().chain(absent.map(|(step, _)| step));
        let steps: Vec<(Option<f64>, f64)> = steps.zip(shares).collect();
        let average: f64 = steps.iter().map(|(step, share)| step.unwrap_or(0.0) * share).sum();
        let mut counts = self.counts.clone();
        let of_absent = |(step, share): (Option<f64>, f64)| step.map_or(0.0, |_| share * rows as f64);
        counts.extend(absent.map(of_absent));
        let is_learnt = |place: usize| counts[place] > 0.0;
        let values = steps
            .iter()
            .enumerate()
            .map(|(place, (step, _))| step.filter(|_| is_learnt(place)).map_or(0.0, |step| step - average))
            .collect();
        let shape = Shape::Steps { axis: Axis::new(code_edges(self.shares.len() - 1))?, values };
        Ok(Some(Term::one(name, shape).counted(&counts)))
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
    fn of(cells: Cells<'_>, scale: Scale, weights: Option<&[f64]>) -> Self {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let (mut present, mut sum) = (0.0, 0.0);
        let mut summary = Self { mean: 0.0, deviation: 0.0, missing: 0.0, not_covered: 0.0 };
        for (row, cell) in cells.iter().enumerate() {
            match cell {
                Exact::Value(value) => {
                    present += weight(row);
                    sum += weight(row) * scale.apply(value);
                }
                Exact::Missing => summary.missing += weight(row),
                Exact::NotCovered => summary.not_covered += weight(row),
            }
        }
        if present <= 0.0 {
            return summary;
        }
        summary.mean = sum / present;
        let mut squares = 0.0;
        for (row, cell) in cells.iter().enumerate() {
            if let Exact::Value(value) = cell {
                squares += weight(row) * (scale.apply(value) - summary.mean).powi(2);
            }
        }
        summary.deviation = (squares / present).sqrt();
        summary
    }
}
