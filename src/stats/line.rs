//! The logistic regression of an outcome on one score: its slope and offset, its level with the slope held at 1, and
//! errors that take the family as the unit and do not assume that the model is right.
//!
//! # References
//! D. R. Cox (1958), "Two further applications of a model for binary regression", *Biometrika* 45:562-565. Errors: H.
//! White (1982), "Maximum likelihood estimation of misspecified models", *Econometrica* 50:1-25, with scores added
//! up by family.

use super::clusters::Clusters;
use super::interval::{Estimate, Interval};
use super::link::probability;

/// The gradient of the log-likelihood in offset and slope, and minus its second derivatives as `[aa, ab, bb]`.
pub(crate) type Derivatives = ([f64; 2], [f64; 3]);

/// How far from the answer Newton's last step may start: so many log-odds, as the root mean square over the rows,
/// each weighted by its information. The error left is about the square of it.
const TOLERANCE: f64 = 1e-8;
/// The most Newton steps; about six are needed, and twenty in hard cases.
const MOST_STEPS: usize = 100;
/// A step of the level below this ends the search: the error left is its square.
const SMALL_STEP: f64 = 1e-9;
/// The least information a row must give on average (at most 1/4) for the level to be told from rounding.
pub(crate) const LEAST_INFORMATION: f64 = 1e-10;
/// Rows whose sum is taken plainly, before compensated sums take over.
const BLOCK: usize = 1_024;

/// Whether some row without the outcome scores higher than some row with it, and the other way round. This is
/// exactly when a logistic regression on one score has a finite answer (A. Albert and J. A. Anderson, 1984,
/// *Biometrika* 71:1-10); it is false for one class and for a constant score.
pub(crate) fn overlap(scores: &[f64], outcomes: &[bool]) -> bool {
    let range = |class: bool| {
        let scores = scores.iter().zip(outcomes).filter(move |&(_, &outcome)| outcome == class);
        scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (&s, _)| (low.min(s), high.max(s)))
    };
    let (with, without) = (range(true), range(false));
    with.0 < without.1 && without.0 < with.1
}

/// The slope of the regression, which has an offset of its own, with its robust interval. `None` where the
/// classes do not [`overlap`], or where no finite answer is found.
pub(crate) fn slope(scores: &[f64], outcomes: &[bool], clusters: &Clusters) -> Option<Estimate> {
    let line = Line::fit(scores, outcomes)?;
    let mut totals = vec![[0.0; 2]; clusters.count];
    for ((score, &outcome), &cluster) in scores.iter().zip(outcomes).zip(&clusters.index) {
        let x = line.scale.of(*score);
        let residual = f64::from(u8::from(outcome)) - probability(line.at[0] + line.at[1] * x);
        let total = &mut totals[cluster as usize];
        *total = [total[0] + residual, total[1] + residual * x];
    }
    // The slope's part of (inverse Hessian × cluster total), squared and added: one entry of the sandwich.
    let mut variance = 0.0;
    for total in totals {
        variance += solve(line.hessian, total)?[1].powi(2);
    }
    let value = line.at[1] / line.scale.spread;
    estimate(value, (variance * clusters.correction()).sqrt() / line.scale.spread, scores.len())
}

/// Slope and offset of the regression; `None` as for [`slope`].
pub(crate) fn slope_and_offset(scores: &[f64], outcomes: &[bool]) -> Option<(f64, f64)> {
    let line = Line::fit(scores, outcomes)?;
    let slope = line.at[1] / line.scale.spread;
    Some((slope, line.at[0] - slope * line.scale.mean))
}

/// Calibration in the large: the one number to add to all log-odds so that the predicted probabilities add up
/// to the observed count. Newton's method held between two bounds that the answer cannot leave: a number
/// that makes all probabilities too low, and one that makes all too high.
pub(crate) fn in_the_large(log_odds: &[f64], outcomes: &[bool], clusters: &Clusters) -> Option<Estimate> {
    let n = log_odds.len() as f64;
    let positives = outcomes.iter().filter(|&&outcome| outcome).count() as f64;
    let level = (positives / (n - positives)).ln();
    let lowest = log_odds.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut too_low, mut too_high) = (level - highest, level - lowest);
    let mut at = f64::midpoint(too_low, too_high);
    for _ in 0..2 * MOST_STEPS {
        let [expected, information] = summed(log_odds.len(), |row| {
            let p = probability(at + log_odds[row]);
            [p, p * (1.0 - p)]
        });
        let missing = positives - expected;
        if missing > 0.0 {
            too_low = at;
        } else {
            too_high = at;
        }
        let newton = at + missing / information;
        // Also false when the step is not a number.
        let is_held = newton >= too_low && newton <= too_high;
        let next = if is_held { newton } else { f64::midpoint(too_low, too_high) };
        let moved = (next - at).abs();
        at = next;
        if moved <= SMALL_STEP * (1.0 + at.abs()) {
            // Where all rows are certain at the answer, a wide range of levels fits equally well.
            let error = (information >= LEAST_INFORMATION * n)
                .then(|| level_error(at, information, (log_odds, outcomes), clusters))?;
            return estimate(at, error, log_odds.len());
        }
    }
    None
}

/// The robust standard error of a level.
fn level_error(
    at: f64,
    information: f64,
    (log_odds, outcomes): (&[f64], &[bool]),
    clusters: &Clusters,
) -> f64 {
    let mut totals = vec![0.0; clusters.count];
    for ((score, &outcome), &cluster) in log_odds.iter().zip(outcomes).zip(&clusters.index) {
        totals[cluster as usize] += f64::from(u8::from(outcome)) - probability(at + score);
    }
    let squares: f64 = totals.iter().map(|total| total * total).sum();
    (squares * clusters.correction()).sqrt() / information
}

fn estimate(value: f64, standard_error: f64, rows: usize) -> Option<Estimate> {
    Some(Estimate { value, interval: Interval::normal(value, standard_error)?, n: rows as u64 })
}

/// Where a score stands among the scores: the regression is fitted to figures with mean 0 and deviation 1.
#[derive(Debug, Clone, Copy)]
struct Scale {
    mean: f64,
    spread: f64,
}

impl Scale {
    /// `None` for equal scores, and for scores without a finite deviation.
    fn new(scores: &[f64]) -> Option<Self> {
        let n = scores.len() as f64;
        let [sum] = summed(scores.len(), |row| [scores[row]]);
        let mean = sum / n;
        let [squares] = summed(scores.len(), |row| [(scores[row] - mean).powi(2)]);
        let spread = (squares / n).sqrt();
        (spread > 0.0 && spread.is_finite()).then_some(Self { mean, spread })
    }

    #[inline]
    fn of(self, score: f64) -> f64 {
        (score - self.mean) / self.spread
    }
}

/// A fitted line on the standardised scale.
struct Line {
    scale: Scale,
    /// Offset and slope.
    at: [f64; 2],
    hessian: [f64; 3],
}

impl Line {
    fn fit(scores: &[f64], outcomes: &[bool]) -> Option<Self> {
        if !overlap(scores, outcomes) {
            return None;
        }
        let scale = Scale::new(scores)?;
        let share = outcomes.iter().filter(|&&outcome| outcome).count() as f64 / outcomes.len() as f64;
        let start = [(share / (1.0 - share)).ln(), 0.0];
        let (at, hessian) = newton(start, TOLERANCE, |at| Some(derivatives(&scale, (scores, outcomes), at)))?;
        Some(Self { scale, at, hessian })
    }
}

fn derivatives(scale: &Scale, (scores, outcomes): (&[f64], &[bool]), [a, b]: [f64; 2]) -> Derivatives {
    let [ga, gb, aa, ab, bb] = summed(scores.len(), |row| {
        let x = scale.of(scores[row]);
        let p = probability(a + b * x);
        let residual = f64::from(u8::from(outcomes[row])) - p;
        let weight = p * (1.0 - p);
        [residual, residual * x, weight, weight * x, weight * x * x]
    });
    ([ga, gb], [aa, ab, bb])
}

/// Newton's method for a concave log-likelihood of two numbers, from `at`: the answer, and the second derivatives just
/// before the last step. `None` when there is no finite answer.
///
/// It ends by the gradient. With gradient `g` and second derivatives `H`, `g' H^-1 g` is the sum over rows of information
/// times the squared change in log-odds that a step makes; the last step is the one where that is below
/// `tolerance` squared times the information, whatever the number of rows (the Newton decrement: S. Boyd and L.
/// Vandenberghe, 2004, *Convex Optimization*, section 9.5). Heights are not compared: close to the top they are
/// equal to all digits. A step that goes well past the highest point along it is halved; one that stops short of that
/// point has gone up, since the likelihood is concave.
pub(crate) fn newton(
    mut at: [f64; 2],
    tolerance: f64,
    mut derivatives: impl FnMut([f64; 2]) -> Option<Derivatives>,
) -> Option<([f64; 2], [f64; 3])> {
    let (mut gradient, mut hessian) = derivatives(at)?;
    for _ in 0..MOST_STEPS {
        let step = solve(hessian, gradient)?;
        let rise = |gradient: [f64; 2]| gradient[0] * step[0] + gradient[1] * step[1];
        let before = rise(gradient);
        if before <= tolerance * tolerance * hessian[0] {
            return Some(([at[0] + step[0], at[1] + step[1]], hessian));
        }
        let mut part = 1.0;
        (at, gradient, hessian) = loop {
            let next = [at[0] + part * step[0], at[1] + part * step[1]];
            if let Some((gradient, hessian)) = derivatives(next)
                && rise(gradient) >= -0.5 * before
            {
                break (next, gradient, hessian);
            }
            part *= 0.5;
            if part < 1e-12 {
                return None;
            }
        };
    }
    None
}

/// Solves a symmetric two-by-two system; `None` when it has no finite answer.
pub(crate) fn solve([aa, ab, bb]: [f64; 3], [a, b]: [f64; 2]) -> Option<[f64; 2]> {
    let determinant = aa * bb - ab * ab;
    let answer = [(bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant];
    (determinant > 0.0 && answer.iter().all(|x| x.is_finite())).then_some(answer)
}

/// Several sums over rows at once. Blocks of rows are added plainly and the blocks with the rounding carried along, so
/// that millions of rows lose no more digits than a thousand do.
///
/// # References
/// A. Neumaier (1974), "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", *Zeitschrift für
/// Angewandte Mathematik und Mechanik* 54:39-51.
fn summed<const N: usize>(rows: usize, figures: impl Fn(usize) -> [f64; N]) -> [f64; N] {
    let (mut sums, mut lost) = ([0.0_f64; N], [0.0; N]);
    for start in (0..rows).step_by(BLOCK) {
        let mut block = [0.0_f64; N];
        for row in start..rows.min(start + BLOCK) {
            for (sum, figure) in block.iter_mut().zip(figures(row)) {
                *sum += figure;
            }
        }
        for ((sum, lost), part) in sums.iter_mut().zip(&mut lost).zip(block) {
            let next = *sum + part;
            let (large, small) = if sum.abs() >= part.abs() { (*sum, part) } else { (part, *sum) };
            *lost += (large - next) + small;
            *sum = next;
        }
    }
    std::array::from_fn(|place| sums[place] + lost[place])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::close;
    use super::super::random::mix;
    use super::*;

    /// Log-odds around -3 and outcomes drawn from a chance that rises half as steeply.
    fn drawn(rows: u64) -> (Vec<f64>, Vec<bool>) {
        let unit = |seed, row| (mix(seed, row) >> 11) as f64 / (1_u64 << 53) as f64;
        let spread = |row| (1..=4).map(|seed| unit(seed, row) - 0.5).sum::<f64>() * 2.0;
        let scores: Vec<f64> = (0..rows).map(|row| -3.0 + spread(row)).collect();
        let outcome = |(row, score): (u64, &f64)| unit(9, row) < probability(-1.2 + 0.5 * score);
        let outcomes = (0..rows).zip(&scores).map(outcome).collect();
        (scores, outcomes)
    }

    #[test]
    fn five_million_rows_are_the_line_of_a_hundredth_of_them_in_few_passes() {
        let (scores, outcomes) = drawn(50_000);
        let few = slope_and_offset(&scores, &outcomes).unwrap();
        assert!((few.0 - 0.5).abs() < 0.1, "{few:?}");
        let (scores, outcomes) = (scores.repeat(100), outcomes.repeat(100));
        let scale = Scale::new(&scores).unwrap();
        let mut passes = 0;
        let (at, _) = newton([0.0; 2], TOLERANCE, |at| {
            passes += 1;
            Some(derivatives(&scale, (&scores, &outcomes), at))
        })
        .unwrap();
        assert!(passes <= 8, "{passes} passes");
        let slope = at[1] / scale.spread;
        close(slope, few.0, 1e-12);
        close(at[0] - slope * scale.mean, few.1, 1e-12);
    }

    #[test]
    fn any_number_of_rows_has_an_answer() {
        // Also from next to the answer, where all heights are equal but for rounding, and from far off.
        for rows in (1_000..60_000).step_by(7_919) {
            let (scores, outcomes) = drawn(rows);
            let scale = Scale::new(&scores).unwrap();
            let rows = (&scores[..], &outcomes[..]);
            let line = |start| newton(start, TOLERANCE, |at| Some(derivatives(&scale, rows, at))).unwrap().0;
            let near = line([-2.0, 0.3]);
            for start in [[0.0, 0.0], near, [4.0, -3.0], [-9.0, 2.0]] {
                let at = line(start);
                close(at[0], near[0], 1e-12);
                close(at[1], near[1], 1e-12);
            }
        }
    }

    #[test]
    fn sums_keep_what_a_plain_sum_loses() {
        // 1 + a million times 1e-16, in blocks: added one by one, none of them would count.
        let rows = 1_000_001;
        let [sum, count] = summed(rows, |row| [if row == 0 { 1.0 } else { 1e-16 }, 1.0]);
        close(sum, 1.0 + 1e-10, 2e-13);
        assert_eq!(count.to_bits(), 1_000_001.0_f64.to_bits());
        assert_eq!(summed(0, |_| [1.0]).map(f64::to_bits), [0]);
    }

    #[test]
    fn two_scores_have_the_line_through_their_log_odds() {
        // Shares of 1/4 at 0 and 3/4 at 2: log-odds -ln 3 and ln 3, slope ln 3, offset -ln 3.
        let scores = [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0];
        let outcomes = [true, false, false, false, true, true, true, false];
        let (slope, offset) = slope_and_offset(&scores, &outcomes).unwrap();
        close(slope, 3.0_f64.ln(), 1e-14);
        close(offset, -(3.0_f64.ln()), 1e-14);
        assert_eq!(slope_and_offset(&scores, &[true; 8]), None);
        assert_eq!(slope_and_offset(&[1.0; 8], &outcomes), None);
    }
}
