//! Whether a score means what it says: of those given 10%, does one in ten have the outcome?
//!
//! [`log_loss`] and [`brier`] judge each probability; [`Calibration`] says in which way they are off.
//! Everything is computed from log-odds, where a probability very close to 0 or 1 keeps its digits.

use serde::{Deserialize, Serialize};

use super::ranking::ranking;
use crate::stats::line::{self, overlap};
use crate::stats::link::{probability, softplus};
use crate::stats::{Clusters, Estimate, clustered_mean, wilson};

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
#[non_exhaustive]
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
#[non_exhaustive]
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
            slope: line::slope(log_odds, outcomes, &clusters)?,
            intercept: line::in_the_large(log_odds, outcomes, &clusters)?,
            bins: reliability(log_odds, outcomes),
        })
    }
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
    use super::*;
    use crate::stats::Z;
    use crate::stats::fixture::{close, load};

    #[track_caller]
    fn normal(ours: &Estimate, value: f64, error: f64, tolerance: f64) {
        close(ours.value, value, tolerance);
        close(ours.interval.low, value - Z * error, tolerance);
        close(ours.interval.high, value + Z * error, tolerance);
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
