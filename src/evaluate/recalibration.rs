//! Scores recalibrated on later data: a slope and an offset in log-odds.

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use crate::stats::line::slope_and_offset;
use crate::stats::random::mix;

/// How a model's log-odds were moved: `offset + slope * log-odds`, learnt from the backtest's test cases,
/// which are later than what the model learnt from.
///
/// Contributions are multiplied by the slope, so they still sum to the score; with a slope above zero no
/// rank changes. The figures of a recalibrated backtest rest on halves: each family's cases are moved by
/// what the other half of the families say, so that no case is judged by its own outcome.
///
/// # References
/// D. R. Cox (1958), *Biometrika* 45:562-565; J. Platt (1999), *Probabilistic outputs for support vector
/// machines*, from whom the method has one of its names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecalibrationReport {
    /// What log-odds are multiplied by; above 0.
    pub slope: f64,
    /// What is added, in log-odds.
    pub offset: f64,
    /// The calibration slope before.
    pub slope_before: f64,
    /// Calibration in the large before, in log-odds.
    pub in_the_large_before: f64,
}

impl RecalibrationReport {
    /// The line through all cases, and each case's log-odds moved by the line through the other half of
    /// the families. `None` where a line cannot be estimated or does not rise.
    pub(super) fn fit(log_odds: &[f64], outcomes: &[bool], families: &[u32]) -> Option<(Self, Vec<f64>)> {
        let before = Calibration::measure(log_odds, outcomes, families)?;
        let (slope, offset) = slope_and_offset(log_odds, outcomes)?;
        let half = |row: usize| mix(HALVES, u64::from(families[row])) & 1 == 1;
        let mut lines = [(0.0, 0.0); 2];
        for (side, line) in lines.iter_mut().enumerate() {
            let rows: Vec<usize> = (0..log_odds.len()).filter(|&row| half(row) == (side == 1)).collect();
            let scores: Vec<f64> = rows.iter().map(|&row| log_odds[row]).collect();
            let outcomes: Vec<bool> = rows.iter().map(|&row| outcomes[row]).collect();
            *line = slope_and_offset(&scores, &outcomes)?;
        }
        let rises = slope > 0.0 && lines.iter().all(|(slope, _)| *slope > 0.0);
        let moved = log_odds.iter().enumerate().map(|(row, score)| {
            let (slope, offset) = lines[usize::from(!half(row))];
            offset + slope * score
        });
        let moved: Vec<f64> = moved.collect();
        let this = Self {
            slope,
            offset,
            slope_before: before.slope.value,
            in_the_large_before: before.intercept.value,
        };
        rises.then_some((this, moved))
    }
}

/// Sets the halves of the families apart from the folds of the backtest.
const HALVES: u64 = 0x9e37_79b9;
