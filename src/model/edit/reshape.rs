//! Making part of a shape flat, and holding a shape between bounds.

use super::Change;
use crate::error::ModelError;
use crate::features::{Cells, Exact};
use crate::model::form::{Axis, Shape};

/// What an edit makes of a term's figures: of those that were fitted, and alike of every refit's.
pub(super) struct Reshaping {
    /// The shape, with figures that do not matter.
    frame: Shape,
    how: How,
}

enum How {
    /// For each new figure the old ones that it is the mean of, each with its cases; and the cases of each
    /// new figure.
    Joined { groups: Vec<Vec<(usize, f64)>>, counts: Vec<f64> },
    /// A line without a slope.
    Level,
    /// Figures held between bounds.
    Held { least: f64, most: f64, parts: Vec<Part> },
}

/// What a figure is to a clamp.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A contribution of so many cases that can be held.
    Held(f64),
    /// A contribution of so many cases that moves with the centre alone.
    Free(f64),
    /// No contribution.
    Slope,
}

impl Reshaping {
    /// `columns` are the cells of the term's features; `along` is the feature that a range is of.
    pub(super) fn of(
        shape: &Shape,
        change: &Change,
        along: usize,
        columns: &[Cells<'_>],
    ) -> Result<Self, ModelError> {
        match (change, shape) {
            (&Change::Flatten { from, to }, Shape::Steps { axis, .. }) => {
                let joining = Joining::new(axis, from, to)?;
                let how = joining.groups(0, 1, &counts_of(&joining.fine, None, columns));
                Ok(Self { frame: Shape::Steps { axis: joining.after, values: Vec::new() }, how })
            }
            (&Change::Flatten { from, to }, Shape::Grid { first, second, .. }) => {
                let other = if along == 0 { second } else { first };
                let joining = Joining::new(if along == 0 { first } else { second }, from, to)?;
                let (rows, across) = if along == 0 { (&joining.fine, other) } else { (other, &joining.fine) };
                let how = joining.groups(along, other.bins(), &counts_of(rows, Some(across), columns));
                let (first, second) =
                    if along == 0 { (joining.after, other.clone()) } else { (other.clone(), joining.after) };
                Ok(Self { frame: Shape::Grid { first, second, values: Vec::new() }, how })
            }
            (Change::Flatten { from: None, to: None }, Shape::Line { .. }) => {
                Ok(Self { frame: shape.clone(), how: How::Level })
            }
            (Change::Flatten { .. }, Shape::Line { .. }) => Err(ModelError::Edit(
                "a line has one slope; make it flat as a whole, drop it, or train with the additive trainer, whose \
                 steps can be flattened in part"
                    .into(),
            )),
            (&Change::Clamp { least, most }, shape) => {
                let least = least.unwrap_or(f64::NEG_INFINITY);
                let most = most.unwrap_or(f64::INFINITY);
                Ok(Self { frame: shape.clone(), how: How::Held { least, most, parts: parts_of(shape, columns) } })
            }
            (Change::Drop | Change::Points { .. }, _) => {
                Err(ModelError::Edit("it does not change a shape".into()))
            }
        }
    }

    /// The figures after the edit, with a mean of zero over the cases if it was zero before; and what the
    /// intercept takes over for that.
    pub(super) fn figures(&self, before: &[f64]) -> (Vec<f64>, f64) {
        match &self.how {
            How::Joined { groups, .. } => (groups.iter().map(|group| mean(group, before)).collect(), 0.0),
            How::Level => {
                let mut figures = before.to_vec();
                // The centre is the mean of the values, so at the centre is the mean contribution.
                figures[0] = 0.0;
                (figures, 0.0)
            }
            How::Held { least, most, parts } => held(before, *least, *most, parts),
        }
    }

    /// The shape with these figures.
    pub(super) fn shape(&self, figures: Vec<f64>) -> Shape {
        let mut shape = self.frame.clone();
        match &mut shape {
            Shape::Steps { values, .. } | Shape::Grid { values, .. } => *values = figures,
            Shape::Line { slope, at_centre, missing, not_covered, .. } => {
                (*slope, *at_centre) = (figures[0], figures[1]);
                *missing = missing.map(|_| figures[2]);
                *not_covered = not_covered.map(|_| figures[3]);
            }
        }
        shape
    }

    /// The cases of each step, where steps were joined.
    pub(super) fn counts(&self) -> Option<&[f64]> {
        match &self.how {
            How::Joined { counts, .. } => Some(counts),
            How::Level | How::Held { .. } => None,
        }
    }
}

/// The mean of some figures by cases, or of all alike where there are none. A figure that stands alone is
/// not touched to the bit.
fn mean(group: &[(usize, f64)], figures: &[f64]) -> f64 {
    let first = group.first().map_or(0.0, |&(figure, _)| figures[figure]);
    if group.iter().all(|&(figure, _)| figures[figure].to_bits() == first.to_bits()) {
        return first;
    }
    let cases: f64 = group.iter().map(|(_, cases)| cases).sum();
    let sum = |weight: &dyn Fn(f64) -> f64| -> f64 {
        group.iter().map(|&(figure, cases)| weight(cases) * figures[figure]).sum()
    };
    if cases > 0.0 { sum(&|cases| cases) / cases } else { sum(&|_| 1.0) / group.len() as f64 }
}

/// An axis with the steps of a range joined into one.
struct Joining {
    /// How many bins the axis had.
    before: usize,
    /// The axis cut at the ends of the range as well.
    fine: Axis,
    after: Axis,
    /// For each bin of the fine axis the old bin that it is part of, and the new one.
    bins: Vec<(usize, usize)>,
}

impl Joining {
    fn new(axis: &Axis, from: Option<f64>, to: Option<f64>) -> Result<Self, ModelError> {
        let ends = || [from, to].into_iter().flatten();
        let is_outside =
            |edge: &f64| from.is_some_and(|from| *edge <= from) || to.is_some_and(|to| *edge >= to);
        let sorted = |mut edges: Vec<f64>| {
            edges.sort_by(f64::total_cmp);
            edges.dedup();
            Axis::new(edges)
        };
        let fine = sorted(axis.edges().iter().copied().chain(ends()).collect())?;
        let after = sorted(axis.edges().iter().copied().filter(is_outside).chain(ends()).collect())?;
        let cuts = fine.edges().len();
        let place = |axis: &Axis, bin: usize| match bin.checked_sub(1) {
            None => 0,
            // An interval is part of the one that its lower edge lies in.
            Some(edge) if edge < cuts => axis.edges().partition_point(|held| *held <= fine.edges()[edge]),
            Some(absence) => axis.edges().len() + 1 + (absence - cuts),
        };
        let bins = (0..fine.bins()).map(|bin| (place(axis, bin), place(&after, bin))).collect();
        Ok(Self { before: axis.bins(), fine, after, bins })
    }

    /// Which old figures become which new one. `along` says whether the joined axis is a shape's first (0)
    /// or its second; the other has `other` bins. `counts` has the cases of each pair of fine bins.
    fn groups(&self, along: usize, other: usize, counts: &[f64]) -> How {
        let (rows, across) = if along == 0 { (self.bins.len(), other) } else { (other, self.bins.len()) };
        let (old_width, new_width) =
            if along == 0 { (other, other) } else { (self.before, self.after.bins()) };
        let mut groups = vec![Vec::new(); self.after.bins() * other];
        let mut joined = vec![0.0; groups.len()];
        for row in 0..rows {
            for column in 0..across {
                let ((old_row, new_row), (old_column, new_column)) = if along == 0 {
                    (self.bins[row], (column, column))
                } else {
                    ((row, row), self.bins[column])
                };
                let (cases, new) = (counts[row * across + column], new_row * new_width + new_column);
                groups[new].push((old_row * old_width + old_column, cases));
                joined[new] += cases;
            }
        }
        How::Joined { groups, counts: joined }
    }
}

/// How many cases there are in each bin, or in each pair of bins.
fn counts_of(first: &Axis, second: Option<&Axis>, columns: &[Cells<'_>]) -> Vec<f64> {
    let width = second.map_or(1, Axis::bins);
    let mut counts = vec![0.0; first.bins() * width];
    for (row, cell) in columns[0].iter().enumerate() {
        let other = second.map_or(0, |axis| axis.bin(columns[1].at(row)));
        counts[first.bin(cell) * width + other] += 1.0;
    }
    counts
}

/// What each figure of a shape is to a clamp.
fn parts_of(shape: &Shape, columns: &[Cells<'_>]) -> Vec<Part> {
    let held = |counts: Vec<f64>| counts.into_iter().map(Part::Held).collect();
    match shape {
        Shape::Steps { axis, .. } => held(counts_of(axis, None, columns)),
        Shape::Grid { first, second, .. } => held(counts_of(first, Some(second), columns)),
        Shape::Line { missing, not_covered, .. } => {
            let (mut values, mut absent) = (0.0, [0.0; 2]);
            for cell in columns[0].iter() {
                match cell {
                    Exact::Value(_) => values += 1.0,
                    Exact::Missing => absent[0] += 1.0,
                    Exact::NotCovered => absent[1] += 1.0,
                }
            }
            let part = |learnt: bool, cases: f64| if learnt { Part::Held(cases) } else { Part::Free(cases) };
            vec![
                Part::Slope,
                Part::Free(values),
                part(missing.is_some(), absent[0]),
                part(not_covered.is_some(), absent[1]),
            ]
        }
    }
}

/// Figures held between bounds, then centred; and the mean that was taken out.
fn held(before: &[f64], least: f64, most: f64, parts: &[Part]) -> (Vec<f64>, f64) {
    let hold = |(&figure, part): (&f64, &Part)| match part {
        Part::Held(_) => figure.max(least).min(most),
        Part::Free(_) | Part::Slope => figure,
    };
    let mut figures: Vec<f64> = before.iter().zip(parts).map(hold).collect();
    let cases: f64 = parts.iter().map(|part| part.cases()).sum();
    let sum: f64 = figures.iter().zip(parts).map(|(figure, part)| part.cases() * figure).sum();
    let mean = sum / cases.max(1.0);
    for (figure, part) in figures.iter_mut().zip(parts) {
        if !matches!(part, Part::Slope) {
            *figure -= mean;
        }
    }
    (figures, mean)
}

impl Part {
    fn cases(self) -> f64 {
        match self {
            Self::Held(cases) | Self::Free(cases) => cases,
            Self::Slope => 0.0,
        }
    }
}
