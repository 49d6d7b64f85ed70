//! Where a feature's values are cut into steps.

use crate::features::{Cell, Measure};
use crate::model::shape::{Scale, upward};
use crate::stats::round_between;

/// Cases that quantiles are taken from, evenly spaced over all: enough to place a cut to within a
/// thousandth of the cases, and sorting them costs little.
const SAMPLE: usize = 1 << 16;

/// Edges between the steps of a feature: each different value a step of its own where there are at most
/// `most` of them, else quantiles, where a value as common as a whole step still stands alone.
pub(super) fn edges(cells: &[f32], most: usize) -> Vec<f64> {
    let stride = cells.len().div_ceil(SAMPLE).max(1);
    let mut values: Vec<f32> =
        cells.iter().step_by(stride).filter_map(|&raw| Cell::decode(raw).value()).collect();
    values.sort_unstable_by(f32::total_cmp);
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for value in values {
        match distinct.last_mut() {
            Some((last, count)) if *last >= value => *count += 1,
            _ => distinct.push((value, 1)),
        }
    }
    let counted: usize = distinct.iter().map(|(_, count)| count).sum();
    // A value as common as a whole step is one; the others share what steps are left.
    let is_common = |count: usize| distinct.len() <= most || count * most >= counted;
    let (common, mut left) = distinct.iter().fold((0, 0), |(common, left), &(_, count)| {
        if is_common(count) { (common + 1, left) } else { (common, left + count) }
    });
    let mut steps = most - common.min(most);
    let mut edges = Vec::new();
    let mut held = 0;
    for pair in distinct.windows(2) {
        let (value, count) = pair[0];
        let (next, next_count) = pair[1];
        if !is_common(count) {
            held += count;
        }
        let is_full = is_common(count) || is_common(next_count) || held * steps >= left;
        if is_full && edges.len() + 1 < most {
            edges.push(edge_between(f64::from(value), f64::from(next)));
            if held > 0 {
                left -= held;
                held = 0;
                steps = (steps - 1).max(1);
            }
        }
    }
    edges
}

/// An edge between two neighbouring values: half way between whole numbers that follow each other, else the roundest number
/// around the middle. From edges half way between amounts, one after another, each person's exact amount could be worked out.
fn edge_between(value: f64, next: f64) -> f64 {
    let gap = next - value;
    let follow = value.fract() == 0.0 && gap <= 1.0;
    if follow { f64::midpoint(value, next) } else { round_between(value + 0.25 * gap, next - 0.25 * gap) }
}

/// Where the value steps lie on a scale: the mean of their values, over a sample of the cases, and how many of it are in each. A step of
/// which the sample has nobody lies half way between its edges.
pub(super) fn places(cells: &[f32], edges: &[f64], scale: Scale) -> (Vec<f64>, Vec<f64>) {
    let stride = cells.len().div_ceil(SAMPLE).max(1);
    let (mut sums, mut counts) = (vec![0.0; edges.len() + 1], vec![0.0; edges.len() + 1]);
    for value in cells.iter().step_by(stride).filter_map(|&raw| Cell::decode(raw).value()) {
        let step = edges.partition_point(|&edge| edge <= f64::from(value));
        sums[step] += scale.apply(f64::from(value));
        counts[step] += 1.0;
    }
    let place = |step: usize| {
        if counts[step] > 0.0 {
            return sums[step] / counts[step];
        }
        let below = edges.get(step.wrapping_sub(1)).or(edges.first());
        let above = edges.get(step).or(edges.last());
        below.zip(above).map_or(0.0, |(&below, &above)| scale.apply(f64::midpoint(below, above)))
    };
    ((0..sums.len()).map(place).collect(), counts)
}

/// The most categories of a feature that get a step of their own.
pub(super) const MOST_CATEGORIES: usize = Measure::MOST_CODES;

/// How many codes 0, 1, 2 ... there are up to the largest.
pub(super) fn codes_in(cells: &[f32]) -> usize {
    let largest = cells.iter().filter_map(|&raw| Cell::decode(raw).value()).fold(0.0, f32::max);
    (largest as usize).min(MOST_CATEGORIES - 1) + 1
}

/// The step of every case: value steps, then missing, then not covered.
pub(super) fn codes(cells: &[f32], edges: &[f64]) -> Vec<u8> {
    let steps = edges.len() + 1;
    // Values are single precision, and so can the edges be: the smallest that is not below the edge.
    let edges: Vec<f32> = edges.iter().map(|&edge| upward(edge)).collect();
    let code = |raw: f32| match Cell::decode(raw) {
        Cell::Value(value) => edges.partition_point(|&edge| edge <= value) as u8,
        Cell::Missing => steps as u8,
        Cell::NotCovered => steps as u8 + 1,
    };
    // Of most people there is nothing on record: a cell is mostly the one before it again.
    let mut last = cells.first().map_or((0, 0), |&raw| (raw.to_bits(), code(raw)));
    cells
        .iter()
        .map(|&raw| {
            if raw.to_bits() != last.0 {
                last = (raw.to_bits(), code(raw));
            }
            last.1
        })
        .collect()
}
