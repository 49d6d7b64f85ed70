//! Which pairs of features say together what they do not say apart.

use rayon::prelude::*;

use super::column::{MOST_STEPS, Working};
use super::sides::{Side, joined, means};

/// Steps of a feature while pairs are ranked, absences included: half a byte.
const COARSE: usize = 16;
/// Cases on which pairs are ranked, evenly spaced: a pair worth having shows in far fewer.
const SAMPLE: usize = 1 << 17;
/// A cell's effect is expected to be some 0.3 log-odds: 1 / 0.3^2.
const CELL_PRECISION: f64 = 11.0;
/// Fixed point of residuals and weights in one word, of a case that counts as much as the mean case: sums
/// over the sample stay exact in any order, and fit half a word each.
const FIXED: f64 = 8192.0;

/// A pair, and how clearly its cells depart from what the two features say apart, in standard deviations
/// of chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RankedPair {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) clarity: f64,
}

/// A side's coarse steps.
struct Runs {
    /// How many are values.
    values: usize,
    /// Where each lies, from its mean; nowhere is 0.
    places: [f64; COARSE],
}

impl Runs {
    fn new(side: &Side<'_>, joined: &[u8], values: usize) -> Self {
        let mut places = [0.0; COARSE];
        if let Some(held) = &side.places {
            places.copy_from_slice(&means(held, (joined, COARSE), side.information));
        }
        Self { values, places }
    }
}

/// Ranks all pairs of features by what their cells hold of the residual, the clearest first.
pub(super) fn rank(features: &[Side<'_>], working: &Working, mass: Option<&[f32]>) -> Vec<RankedPair> {
    let rows = working.residual.len();
    let learnt = |row: &usize| mass.is_none_or(|mass| mass[*row] > 0.0);
    let stride = rows.div_ceil(SAMPLE).max(1);
    let sample: Vec<usize> = (0..rows).step_by(stride).filter(learnt).collect();
    let shift = working.shift as f32;
    let counted: f64 = sample.iter().map(|&row| mass.map_or(1.0, |mass| f64::from(mass[row]))).sum();
    let fixed = FIXED * sample.len() as f64 / counted;
    let words: Vec<i64> = sample
        .iter()
        .map(|&row| {
            let weight = working.weight[row];
            let residual = working.residual[row] - weight * shift;
            (((f64::from(residual) * fixed) as i64) << 32) + (f64::from(weight) * fixed) as i64
        })
        .collect();
    let coarse: Vec<(Vec<u8>, Runs)> = features
        .par_iter()
        .map(|side| {
            let (joined, runs) = joined(side.information, side.order.as_deref(), COARSE - 2);
            let codes = side.column.to_codes(rows);
            let codes = sample.iter().map(|&row| joined[usize::from(codes[row])]).collect();
            (codes, Runs::new(side, &joined, runs))
        })
        .collect();
    let pairs: Vec<(usize, usize)> = (0..features.len())
        .flat_map(|first| (first + 1..features.len()).map(move |second| (first, second)))
        .collect();
    let mut ranked: Vec<RankedPair> = pairs
        .into_par_iter()
        .map(|(first, second)| {
            let ((a, first_runs), (b, second_runs)) = (&coarse[first], &coarse[second]);
            let cells = cells(a, b, &words, fixed);
            RankedPair { first, second, clarity: clarity(cells, first_runs, second_runs) }
        })
        .collect();
    ranked
        .sort_by(|a, b| b.clarity.total_cmp(&a.clarity).then((a.first, a.second).cmp(&(b.first, b.second))));
    ranked
}

/// Residuals and weights added up by cell, both in one addition.
fn cells(first: &[u8], second: &[u8], words: &[i64], fixed: f64) -> Vec<(f64, f64)> {
    const LANES: usize = 4;
    let mut sums = [[0_i64; MOST_STEPS]; LANES];
    let (first, first_rest) = first.as_chunks::<LANES>();
    let (second, second_rest) = second.as_chunks::<LANES>();
    let (words, words_rest) = words.as_chunks::<LANES>();
    for ((first, second), words) in first.iter().zip(second).zip(words) {
        for lane in 0..LANES {
            sums[lane][usize::from(first[lane] << 4 | second[lane])] += words[lane];
        }
    }
    for ((first, second), word) in first_rest.iter().zip(second_rest).zip(words_rest) {
        sums[0][usize::from(first << 4 | second)] += word;
    }
    (0..MOST_STEPS)
        .map(|cell| {
            let sum: i64 = sums.iter().map(|lane| lane[cell]).sum();
            let weight = sum & 0xffff_ffff;
            (((sum - weight) >> 32) as f64 / fixed, weight as f64 / fixed)
        })
        .collect()
}

/// Takes out of the cells' residuals what their rows say, and their columns, in turns.
fn clear(cells: &mut [(f64, f64)]) {
    const TURNS: usize = 4;
    let lines = |line: usize, is_row: bool| {
        (0..COARSE).map(move |place| if is_row { line * COARSE + place } else { place * COARSE + line })
    };
    for is_row in [true, false].repeat(TURNS) {
        for line in 0..COARSE {
            let (sum, mass) = lines(line, is_row)
                .fold((0.0, 0.0), |(sum, mass), cell| (sum + cells[cell].0, mass + cells[cell].1));
            if mass > 0.0 {
                lines(line, is_row).for_each(|cell| cells[cell].0 -= cells[cell].1 * sum / mass);
            }
        }
    }
}

/// How far the product of the two sides' places exceeds chance in the cells' residuals, which rows and columns have been cleared from.
fn product(cells: &[(f64, f64)], first: &Runs, second: &Runs) -> f64 {
    let at = |cell: usize| first.places[cell / COARSE] * second.places[cell % COARSE];
    let mut told: Vec<(f64, f64)> =
        cells.iter().enumerate().map(|(cell, (_, weight))| (weight * at(cell), *weight)).collect();
    clear(&mut told);
    let (mut score, mut variance) = (0.0, 0.0);
    for (cell, ((residual, _), (left, _))) in cells.iter().zip(&told).enumerate() {
        score += at(cell) * residual;
        variance += at(cell) * left;
    }
    // A chi-squared of one degree of freedom has a variance of two.
    if variance > 0.0 { (score * score / variance - 1.0) / 2.0_f64.sqrt() } else { f64::NEG_INFINITY }
}

/// How far the cells' residuals exceed chance, at the resolution that shows it best: fine cells, groups of
/// two steps a side, and of four; or as the product of the two sides' places.
///
/// Rows and columns have said what they can before, and chance is what they leave of it.
fn clarity(mut cells: Vec<(f64, f64)>, first: &Runs, second: &Runs) -> f64 {
    clear(&mut cells);
    let mut best = product(&cells, first, second);
    for width in [1, 3, 7] {
        let group =
            |run: usize, runs: usize| if run < runs { run / width } else { COARSE - 2 + (run - runs).min(1) };
        let mut grouped = [(0.0, 0.0); MOST_STEPS];
        for (cell, (residual, weight)) in cells.iter().enumerate() {
            if *weight > 0.0 {
                let to = group(cell / COARSE, first.values) * COARSE + group(cell % COARSE, second.values);
                grouped[to].0 += residual;
                grouped[to].1 += weight;
            }
        }
        let (mut rows, mut columns) = ([0.0; COARSE], [0.0; COARSE]);
        for (cell, (_, weight)) in grouped.iter().enumerate() {
            rows[cell / COARSE] += weight;
            columns[cell % COARSE] += weight;
        }
        let (mut gain, mut variance) = (0.0, 0.0);
        for (cell, (residual, weight)) in
            grouped.into_iter().enumerate().filter(|(_, (_, weight))| *weight > 0.0)
        {
            // What row and column leave of a cell's chance, as if they were independent.
            let left = (1.0 - weight / rows[cell / COARSE]) * (1.0 - weight / columns[cell % COARSE]);
            let share = left.max(0.0) * weight / (weight + CELL_PRECISION);
            gain += residual * residual / (weight + CELL_PRECISION) - share;
            variance += 2.0 * share * share;
        }
        best = best.max(gain / f64::sqrt(variance).max(1.0));
    }
    best
}
