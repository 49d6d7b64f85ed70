//! Whether a score means what it says: of those given 10%, does one in ten have the outcome?
//!
//! [`log_loss`] and [`brier`] judge each probability; [`Calibration`] says in which way they are off.
//! Everything is computed from log-odds, where a probability very close to 0 or 1 keeps its digits.

use serde::{Deserialize, Serialize};

use super::interval::{Clusters, Estimate, Interval, clustered_mean, wilson};
use super::ranking::ranking;

/// The mean negative log-likelihood, in nats: 0 is perfect, ln 2 = 0.693 is what "fifty-fifty for everybody"
/// gets, and a sure but wrong answer costs without bound.
///
/// One entry per row in each slice; the interval takes the family as the unit. `None` as in
/// [`clustered_mean`], or when the lengths differ.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::calibration::log_loss;
///
/// let half = log_loss(&[0.0, 0.0], &[true, false], &[1, 2]).ok_or("too few")?;
/// assert!((half.value - 2.0_f64.ln()).abs() < 1e-15);
/// # Ok::<(), &str>(())
/// ```
///
/// # References
/// I. J. Good (1952), "Rational decisions", *Journal of the Royal Statistical Society B* 14:107-114.
pub fn log_loss(log_odds: &[f64], outcomes: &[bool], families: &[u32]) -> Option<Estimate> {
    mean_cost(log_odds, outcomes, families, softplus, f64::INFINITY)
}

/// The Brier score: the mean squared distance of the probability from what happened (1 or 0). 0 is perfect,
/// 0.25 is what "fifty-fifty for everybody" gets, 1 is the worst.
///
/// One entry per row in each slice; the interval takes the family as the unit. `None` as in
/// [`clustered_mean`], or when the lengths differ.
///
/// # References
/// G. W. Brier (1950), "Verification of forecasts expressed in terms of probability", *Monthly Weather
/// Review* 78:1-3.
pub fn brier(log_odds: &[f64], outcomes: &[bool], families: &[u32]) -> Option<Estimate> {
    mean_cost(log_odds, outcomes, families, |against| probability(against).powi(2), 1.0)
}

/// The mean of `cost`, which is given the log-odds of what did *not* happen.
fn mean_cost(
    log_odds: &[f64],
    outcomes: &[bool],
    families: &[u32],
    cost: impl Fn(f64) -> f64,
    worst: f64,
) -> Option<Estimate> {
    if log_odds.len() != outcomes.len() {
        return None;
    }
    let rows = log_odds.iter().zip(outcomes);
    let costs: Vec<f64> = rows.map(|(&score, &outcome)| cost(if outcome { -score } else { score })).collect();
    let mean = clustered_mean(&costs, families)?;
    Some(Estimate { interval: mean.interval.held_to(0.0, worst), ..mean })
}

/// The probability that belongs to a log-odds. Neither end overflows.
pub(crate) fn probability(log_odds: f64) -> f64 {
    let small = (-log_odds.abs()).exp();
    (if log_odds < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

/// `ln(1 + e^x)` without overflow: minus the log of the probability whose log-odds is `-x`.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// How predicted probabilities compare with what happened.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::calibration::Calibration;
///
/// // Twice as sure as it should be: the log-odds are ±2 ln 3 (90%), what happens is 75% and 25%.
/// let score = 2.0 * 3.0_f64.ln();
/// let log_odds: Vec<f64> = (0..80).map(|row| if row < 40 { score } else { -score }).collect();
/// let outcomes: Vec<bool> = (0..80).map(|row| (row % 4 == 0) != (row < 40)).collect();
/// let families: Vec<u32> = (0..80).collect();
/// let found = Calibration::measure(&log_odds, &outcomes, &families).ok_or("not estimable")?;
/// assert!((found.slope.value - 0.5).abs() < 1e-9);
/// assert!(found.intercept.value.abs() < 1e-9);
/// # Ok::<(), &str>(())
/// ```
///
/// # References
/// D. R. Cox (1958), "Two further applications of a model for binary regression", *Biometrika* 45:562-565.
/// B. Van Calster and others (2019), "Calibration: the
/// Achilles heel of predictive analytics", *BMC Medicine* 17:230. Intervals: H. White (1982), "Maximum
/// likelihood estimation of misspecified models", *Econometrica* 50:1-25, with scores added up by family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The slope of a logistic regression of the outcome on the log-odds (with its own intercept). 1 is right;
    /// below 1 the scores are too extreme (the usual sign of overfitting), above 1 too timid.
    pub slope: Estimate,
    /// Calibration in the large: the intercept of a logistic regression of the outcome with the slope *fixed
    /// at 1* (the log-odds as offset), not the intercept fitted beside the slope. 0 is right; above 0 the
    /// outcome is commoner than predicted, below 0 rarer.
    pub intercept: Estimate,
    /// Ten groups of (nearly) equal size, from the lowest scores to the highest. Ten, as it is the usual
    /// choice and the one of earlier child-welfare validations, so that plots can be compared.
    ///
    /// Equal scores stay in one bin, so that the row order cannot decide; where many are equal, bins
    /// are unequal, or fewer.
    pub bins: Vec<ReliabilityBin>,
}

/// One group of rows with neighbouring scores: what was predicted, and what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// The mean predicted probability, 0 to 1.
    pub mean_predicted: f64,
    /// The share that had the outcome, with Wilson's interval.
    pub observed: Estimate,
    /// How many rows are in the bin.
    pub n: u64,
}

impl Calibration {
    /// How many bins there are when no scores are equal.
    pub const BINS: usize = 10;

    /// Measures calibration; one entry per row in each slice. The intervals of slope and intercept are
    /// robust: they take the family as the unit, and do not assume that the model is right.
    ///
    /// `None` where there is no answer: lengths differ, a score is not finite, there are fewer than two
    /// families, only one class is present, all scores are equal, the scores separate the classes without
    /// overlap (the slope is then infinite), or lie so far apart that a range of intercepts fits equally well.
    pub fn measure(log_odds: &[f64], outcomes: &[bool], families: &[u32]) -> Option<Self> {
        let lengths = log_odds.len() == outcomes.len() && log_odds.len() == families.len();
        if !lengths || !log_odds.iter().all(|score| score.is_finite()) || !overlap(log_odds, outcomes) {
            return None;
        }
        let clusters = Clusters::new(families);
        if clusters.count < 2 {
            return None;
        }
        Some(Self {
            slope: slope(log_odds, outcomes, &clusters)?,
            intercept: intercept(log_odds, outcomes, &clusters)?,
            bins: reliability(log_odds, outcomes),
        })
    }
}

impl Calibration {
    /// Slope and offset of the logistic regression of the outcome on the log-odds; `None` as for
    /// [`Calibration::measure`].
    pub(super) fn line(log_odds: &[f64], outcomes: &[bool]) -> Option<(f64, f64)> {
        if !overlap(log_odds, outcomes) {
            return None;
        }
        let line = Line::fit(log_odds, outcomes)?;
        let slope = line.at[1] / line.spread;
        Some((slope, line.at[0] - slope * line.mean))
    }
}

/// Whether some row without the outcome scores higher than some row with it, and the other way round. This is
/// exactly when a logistic regression on one score has a finite answer (A. Albert and J. A. Anderson, 1984,
/// *Biometrika* 71:1-10); it is false for one class and for a constant score.
fn overlap(log_odds: &[f64], outcomes: &[bool]) -> bool {
    let range = |class: bool| {
        let scores = log_odds.iter().zip(outcomes).filter(move |&(_, &outcome)| outcome == class);
        scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (&s, _)| (low.min(s), high.max(s)))
    };
    let (with, without) = (range(true), range(false));
    with.0 < without.1 && without.0 < with.1
}

/// The most Newton steps; both regressions need about six, and twenty in hard cases.
const MOST_STEPS: usize = 100;
/// A Newton step below this (on the standardised scale) ends the search: the error left is its square.
const SMALL_STEP: f64 = 1e-9;
/// How much of the slope along a step may be left after it. A Newton step leaves hardly any near the answer; from far
/// away it may go too far, and any shrinking leads there in the end.
const STILL_RISING: f64 = 0.9;
/// Rows whose parts of a sum are added up plainly, before the sums of such stretches are added with compensation.
const STRETCH: usize = 1_024;
/// The least information a row must give on average (at most 1/4) for the intercept to be told from rounding.
const LEAST_INFORMATION: f64 = 1e-10;

/// A logistic regression on one standardised score.
struct Line {
    mean: f64,
    spread: f64,
    scores: Vec<f64>,
    /// Offset and slope on the standardised scale.
    at: [f64; 2],
}

impl Line {
    /// By Newton's method, until a step is small. The likelihood is concave, so its gradient falls along the step until it
    /// is 0 at the top: a step after which it is not clearly smaller is halved. Heights are not compared: over
    /// millions of rows the rounding of their sum is larger than what the last steps gain.
    fn fit(log_odds: &[f64], outcomes: &[bool]) -> Option<Self> {
        let n = log_odds.len() as f64;
        let mean = log_odds.iter().sum::<f64>() / n;
        let spread = (log_odds.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt();
        if !(spread > 0.0 && spread.is_finite()) {
            return None;
        }
        let scores: Vec<f64> = log_odds.iter().map(|score| (score - mean) / spread).collect();
        let share = outcomes.iter().filter(|&&outcome| outcome).count() as f64 / n;
        let mut at = [(share / (1.0 - share)).ln(), 0.0];
        let (mut gradient, mut hessian) = derivatives(at, &scores, outcomes);
        for _ in 0..MOST_STEPS {
            let step = solve(hessian, gradient)?;
            let size = step[0].abs().max(step[1].abs());
            if size <= SMALL_STEP * (1.0 + at[0].abs().max(at[1].abs())) {
                at = [at[0] + step[0], at[1] + step[1]];
                return Some(Self { mean, spread, scores, at });
            }
            let along = |gradient: [f64; 2]| gradient[0] * step[0] + gradient[1] * step[1];
            let mut scale = 1.0;
            loop {
                let next = [at[0] + scale * step[0], at[1] + scale * step[1]];
                let there = derivatives(next, &scores, outcomes);
                if along(there.0).abs() <= STILL_RISING * along(gradient) {
                    at = next;
                    (gradient, hessian) = there;
                    break;
                }
                scale *= 0.5;
                if scale < 1e-12 {
                    return None;
                }
            }
        }
        None
    }
}

/// The slope with its interval, robust and by family.
fn slope(log_odds: &[f64], outcomes: &[bool], clusters: &Clusters) -> Option<Estimate> {
    let Line { spread, scores, at, .. } = Line::fit(log_odds, outcomes)?;
    let (_, hessian) = derivatives(at, &scores, outcomes);
    let mut totals = vec![[0.0; 2]; clusters.count];
    for ((x, &y), &cluster) in scores.iter().zip(outcomes).zip(&clusters.index) {
        let residual = f64::from(u8::from(y)) - probability(at[0] + at[1] * x);
        let total = &mut totals[cluster as usize];
        *total = [total[0] + residual, total[1] + residual * x];
    }
    // The slope's part of (inverse Hessian × cluster total), squared and added: one entry of the sandwich.
    let mut variance = 0.0;
    for total in totals {
        variance += solve(hessian, total)?[1].powi(2);
    }
    let standard_error = (variance * clusters.correction()).sqrt() / spread;
    let value = at[1] / spread;
    Some(Estimate { value, interval: Interval::normal(value, standard_error)?, n: log_odds.len() as u64 })
}

/// The gradient of the log-likelihood, and minus its second derivatives as `[aa, ab, bb]`.
///
/// Summed with compensation, so that the rounding of a sum does not grow with the rows (A. Neumaier, 1974,
/// *Zeitschrift für Angewandte Mathematik und Mechanik* 54:39-51).
fn derivatives([a, b]: [f64; 2], scores: &[f64], outcomes: &[bool]) -> ([f64; 2], [f64; 3]) {
    let (mut sums, mut lost) = ([0.0_f64; 5], [0.0_f64; 5]);
    for (scores, outcomes) in scores.chunks(STRETCH).zip(outcomes.chunks(STRETCH)) {
        let mut parts = [0.0; 5];
        for (x, &y) in scores.iter().zip(outcomes) {
            let p = probability(a + b * x);
            let residual = f64::from(u8::from(y)) - p;
            let weight = p * (1.0 - p);
            let row = [residual, residual * x, weight, weight * x, weight * x * x];
            for (part, row) in parts.iter_mut().zip(row) {
                *part += row;
            }
        }
        for ((sum, lost), part) in sums.iter_mut().zip(&mut lost).zip(parts) {
            let next = *sum + part;
            *lost += if sum.abs() >= part.abs() { (*sum - next) + part } else { (part - next) + *sum };
            *sum = next;
        }
    }
    let [g, gx, aa, ab, bb]: [f64; 5] = std::array::from_fn(|nth| sums[nth] + lost[nth]);
    ([g, gx], [aa, ab, bb])
}

/// Solves a symmetric two-by-two system; `None` when it has no finite answer.
fn solve([aa, ab, bb]: [f64; 3], [a, b]: [f64; 2]) -> Option<[f64; 2]> {
    let determinant = aa * bb - ab * ab;
    let answer = [(bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant];
    (determinant > 0.0 && answer.iter().all(|x| x.is_finite())).then_some(answer)
}

/// Calibration in the large: the one number to add to all log-odds so that the predicted probabilities add up
/// to the observed count. Newton's method held between two bounds that the answer cannot leave: a number
/// that makes all probabilities too low, and one that makes all too high.
fn intercept(log_odds: &[f64], outcomes: &[bool], clusters: &Clusters) -> Option<Estimate> {
    let n = log_odds.len() as f64;
    let positives = outcomes.iter().filter(|&&outcome| outcome).count() as f64;
    let level = (positives / (n - positives)).ln();
    let lowest = log_odds.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut too_low, mut too_high) = (level - highest, level - lowest);
    let mut at = too_low + (too_high - too_low) / 2.0;
    let mut information = 0.0;
    let mut found = false;
    for _ in 0..2 * MOST_STEPS {
        let mut missing = positives;
        information = 0.0;
        for score in log_odds {
            let p = probability(at + score);
            missing -= p;
            information += p * (1.0 - p);
        }
        if missing > 0.0 {
            too_low = at;
        } else {
            too_high = at;
        }
        let newton = at + missing / information;
        // Also false when the step is not a number.
        let next = if newton >= too_low && newton <= too_high {
            newton
        } else {
            too_low + (too_high - too_low) / 2.0
        };
        let moved = (next - at).abs();
        at = next;
        if moved <= SMALL_STEP * (1.0 + at.abs()) {
            found = true;
            break;
        }
    }
    // Where all rows are certain at the answer, a wide range of intercepts fits equally well.
    if !found || information < LEAST_INFORMATION * n {
        return None;
    }
    let mut totals = vec![0.0; clusters.count];
    for ((score, &outcome), &cluster) in log_odds.iter().zip(outcomes).zip(&clusters.index) {
        totals[cluster as usize] += f64::from(u8::from(outcome)) - probability(at + score);
    }
    let squares: f64 = totals.iter().map(|total| total * total).sum();
    let standard_error = (squares * clusters.correction()).sqrt() / information;
    Some(Estimate { value: at, interval: Interval::normal(at, standard_error)?, n: log_odds.len() as u64 })
}

/// The bins, from the lowest scores up. A cut inside a run of equal scores moves to the end of the run.
fn reliability(log_odds: &[f64], outcomes: &[bool]) -> Vec<ReliabilityBin> {
    let mut order = ranking(log_odds);
    order.reverse();
    let score = |rank: usize| log_odds[order[rank] as usize];
    let mut bins = Vec::with_capacity(Calibration::BINS);
    let mut start = 0;
    for bin in 1..=Calibration::BINS {
        let mut end = (bin * order.len() / Calibration::BINS).max(start);
        // Scores rise from here on: not higher than the one before is equal to it.
        while end > start && end < order.len() && score(end) <= score(end - 1) {
            end += 1;
        }
        let rows = &order[start..end];
        let positives = rows.iter().filter(|&&row| outcomes[row as usize]).count() as u64;
        let predicted: f64 = rows.iter().map(|&row| probability(log_odds[row as usize])).sum();
        if let Some(observed) = wilson(positives, rows.len() as u64) {
            let mean_predicted = predicted / rows.len() as f64;
            bins.push(ReliabilityBin { mean_predicted, observed, n: observed.n });
        }
        start = end;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::super::interval::Z;
    use super::super::interval::fixture::{close, load};
    use super::*;

    #[track_caller]
    fn normal(ours: &Estimate, value: f64, error: f64, tolerance: f64) {
        close(ours.value, value, tolerance);
        close(ours.interval.low, value - Z * error, tolerance);
        close(ours.interval.high, value + Z * error, tolerance);
    }

    /// 50,000 cases and the same a hundred times over have the same line.
    #[test]
    fn five_million_rows_have_the_line_of_fifty_thousand() {
        let n = 50_000_u32;
        // Scores of some -7 to 0, and outcomes that rise less steeply with them, in no order.
        let log_odds: Vec<f64> = (0..n)
            .map(|row| -7.0 * (f64::from(row.wrapping_mul(2_654_435_761) >> 8) / 16_777_216.0))
            .collect();
        let outcomes: Vec<bool> = (0..n)
            .map(|row| {
                let lot = f64::from(row.wrapping_mul(40_503).wrapping_add(977) % 65_536) / 65_536.0;
                lot < probability(0.3 + 0.7 * log_odds[row as usize])
            })
            .collect();
        let few = Line::fit(&log_odds, &outcomes).unwrap();
        let many = Line::fit(&log_odds.repeat(100), &outcomes.repeat(100)).unwrap();
        close(few.at[0], many.at[0], 1e-10);
        close(few.at[1], many.at[1], 1e-10);
        close(few.at[1] / few.spread, 0.7, 0.05);
    }

    #[test]
    fn losses_agree_with_scikit_learn_and_statsmodels() {
        for set in load().datasets {
            let loss = log_loss(&set.log_odds, &set.outcomes(), &set.families).unwrap();
            normal(&loss, set.log_loss, set.log_loss_error, 1e-9);
            let brier = brier(&set.log_odds, &set.outcomes(), &set.families).unwrap();
            normal(&brier, set.brier, set.brier_error, 1e-9);
        }
    }

    #[test]
    fn calibration_agrees_with_scikit_learn_and_statsmodels() {
        let mut with_bins = 0;
        for set in load().datasets {
            let found = Calibration::measure(&set.log_odds, &set.outcomes(), &set.families).unwrap();
            normal(&found.slope, set.slope, set.slope_error, 1e-6);
            normal(&found.intercept, set.intercept, set.intercept_error, 1e-6);
            assert_eq!(
                found.bins.iter().map(|bin| bin.n).sum::<u64>(),
                set.log_odds.len() as u64,
                "{}",
                set.name
            );
            let Some(bins) = set.bins else { continue };
            assert_eq!(bins.len(), found.bins.len());
            for ((predicted, observed), bin) in bins.into_iter().zip(&found.bins) {
                close(bin.mean_predicted, predicted, 1e-12);
                close(bin.observed.value, observed, 1e-12);
            }
            with_bins += 1;
        }
        assert!(with_bins >= 3);
    }

    #[test]
    fn certain_answers_lose_no_digits() {
        // Right and sure: the loss is e^-50, which 1 - p would have rounded to 0. Wrong and sure: 50.
        let right = log_loss(&[50.0, -50.0], &[true, false], &[1, 2]).unwrap().value;
        close(right / (-50.0_f64).exp(), 1.0, 1e-12);
        close(log_loss(&[50.0, -50.0], &[false, true], &[1, 2]).unwrap().value, 50.0, 1e-12);
        close(log_loss(&[5e4, -5e4], &[false, true], &[1, 2]).unwrap().value, 5e4, 1e-9);
        close(brier(&[5e4, -5e4], &[false, true], &[1, 2]).unwrap().value, 1.0, 0.0);
        close(brier(&[5e4, -5e4], &[true, false], &[1, 2]).unwrap().value, 0.0, 0.0);
        // 0.75 and 0.25 by hand.
        let third = 3.0_f64.ln();
        close(brier(&[third, third], &[true, false], &[1, 2]).unwrap().value, 0.3125, 1e-15);
        // An interval does not leave what is possible.
        let held = log_loss(&[9.0, -9.0, 9.0], &[true, false, false], &[1, 2, 3]).unwrap();
        close(held.interval.low, 0.0, 0.0);
    }

    #[test]
    fn a_known_slope_and_intercept_come_back() {
        // Two scores with true log-odds ln 3 and -ln 3 in the data; the scores say something else.
        let third = 3.0_f64.ln();
        let outcomes: Vec<bool> = (0..80).map(|row| (row % 4 == 0) != (row < 40)).collect();
        let families: Vec<u32> = (0..80).collect();
        for (slope, shift) in [(1.0, 0.0), (0.5, 0.7), (4.0, -2.0), (-1.0, 0.0), (0.1, 3.0)] {
            let score = |row: usize| (if row < 40 { third } else { -third } - shift) / slope;
            let log_odds: Vec<f64> = (0..80).map(score).collect();
            let found = Calibration::measure(&log_odds, &outcomes, &families).unwrap();
            close(found.slope.value, slope, 1e-9);
            assert_eq!(found.bins.len(), 2); // equal scores stay together
            // With the intercept added, the predicted probabilities add up to the observed count.
            let predicted: f64 = log_odds.iter().map(|x| probability(x + found.intercept.value)).sum();
            close(predicted, 40.0, 1e-6);
        }
    }

    #[test]
    fn what_cannot_be_estimated_is_none() {
        let families: Vec<u32> = (0..6).collect();
        let scores = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0];
        let mixed = [false, true, false, true, false, true];
        let measure = |scores: &[f64], outcomes: &[bool]| Calibration::measure(scores, outcomes, &families);
        assert!(measure(&scores, &mixed).is_some());
        assert_eq!(measure(&scores, &[true; 6]), None);
        assert_eq!(measure(&scores, &[false; 6]), None);
        assert_eq!(measure(&[0.3; 6], &mixed), None);
        // Separated, both ways, and separated but for one shared score.
        assert_eq!(measure(&scores, &[false, false, false, true, true, true]), None);
        assert_eq!(measure(&scores, &[true, true, true, false, false, false]), None);
        let touching = [-2.0, -1.0, 0.0, 0.0, 2.0, 3.0];
        assert_eq!(measure(&touching, &[false, false, false, true, true, true]), None);
        // Scores so far apart that any intercept between them fits: no interval.
        let apart = [-4e3, 4e3, -4e3, 4e3, -4e3, 4e3];
        assert_eq!(measure(&apart, &[false, true, true, true, false, false]), None);
        assert_eq!(measure(&scores[..5], &mixed), None);
        assert_eq!(measure(&[0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN], &mixed), None);
        assert_eq!(Calibration::measure(&scores, &mixed, &[7; 6]), None);
    }

    #[test]
    fn hard_but_possible_cases_converge() {
        // Nearly separated, far apart, on a large scale, and with one wild score.
        let n = 2_000;
        let families: Vec<u32> = (0..n).collect();
        let mut outcomes: Vec<bool> = (0..n).map(|row| row >= n / 2).collect();
        outcomes[3] = true;
        let mut log_odds: Vec<f64> = (0..n).map(|row| (f64::from(row) - 1_000.0) * 2.0).collect();
        let found = Calibration::measure(&log_odds, &outcomes, &families).unwrap();
        assert!(found.slope.value > 0.0 && found.slope.value < 0.1, "{}", found.slope);
        log_odds[1_500] = -1e7;
        let wild = Calibration::measure(&log_odds, &outcomes, &families).unwrap();
        assert!(wild.slope.value.abs() < found.slope.value);
    }

    #[test]
    fn bins_are_equal_and_rise() {
        let log_odds: Vec<f64> = (0..103).map(|row| f64::from(row * 37 % 103) / 20.0 - 2.5).collect();
        let outcomes: Vec<bool> = (0..103).map(|row| row % 3 == 0).collect();
        let bins = reliability(&log_odds, &outcomes);
        assert_eq!(bins.len(), 10);
        assert!(bins.iter().all(|bin| bin.n == 10 || bin.n == 11));
        assert!(bins.windows(2).all(|pair| pair[0].mean_predicted < pair[1].mean_predicted));
        assert_eq!(reliability(&log_odds[..4], &outcomes[..4]).len(), 4);
    }
}
