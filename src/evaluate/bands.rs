//! Bands of the score: what a reader is shown in place of a figure that looks surer than it is.

use serde::{Deserialize, Serialize};

use super::ranking::ranking;
use crate::error::EvaluateError;
use crate::stats::link::probability;
use crate::stats::{Estimate, wilson};

/// A range of scores and what came of the cases in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Band {
    /// Its name.
    pub name: String,
    /// The lowest log-odds in it; `None` for the lowest band.
    pub from: Option<f64>,
    /// The rate of the outcome among test cases in it.
    pub observed: Estimate,
}

/// How scores are put into bands, from the highest down.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::BandRule;
///
/// assert_eq!(BandRule::default(), BandRule::Shares(vec![0.01, 0.05, 0.10, 0.25]));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BandRule {
    /// Each band down to such a share of the test cases, rising; the rest is the last band. The default is
    /// the highest 1%, 5%, 10% and 25%: a list is a small top slice of a large cohort, so bands are narrow
    /// there.
    Shares(Vec<f64>),
    /// So many bands of equal size, 2 to 20.
    Equal(#[cfg_attr(feature = "schema", schemars(range(min = 2, max = 20)))] u32),
    /// Each band from such a predicted chance up, falling; the rest is the last band. Fixed cut points stay
    /// where they are from model to model, so a band means the same every year.
    Chances(Vec<f64>),
}

impl Default for BandRule {
    fn default() -> Self {
        Self::Shares(vec![0.01, 0.05, 0.10, 0.25])
    }
}

impl BandRule {
    pub(super) fn check(&self) -> Result<(), EvaluateError> {
        let inside =
            |values: &[f64]| !values.is_empty() && values.iter().all(|value| *value > 0.0 && *value < 1.0);
        let fine = match self {
            Self::Shares(shares) => inside(shares) && shares.is_sorted_by(|a, b| a < b),
            Self::Equal(bands) => (2..=20).contains(bands),
            Self::Chances(chances) => inside(chances) && chances.is_sorted_by(|a, b| a > b),
        };
        if fine {
            return Ok(());
        }
        Err(EvaluateError::Plan(
            "bands need shares between 0 and 1 that rise, chances between 0 and 1 that fall, or 2 to 20 of equal size"
                .into(),
        ))
    }

    /// The bands of these scores; one that nobody is in is left out.
    pub(super) fn of(&self, log_odds: &[f64], outcomes: &[bool]) -> Vec<Band> {
        let order = ranking(log_odds);
        let cases = order.len();
        let place = |share: f64| (share * cases as f64).round() as usize;
        let percent = |share: f64| {
            let text = format!("{:.1}", 100.0 * share);
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        };
        let ends: Vec<(String, usize)> = match self {
            Self::Shares(shares) => {
                let mut ends = Vec::new();
                let mut from = 0.0;
                for &share in shares {
                    let name = if from == 0.0 {
                        format!("highest {}%", percent(share))
                    } else {
                        format!("highest {} to {}%", percent(from), percent(share))
                    };
                    ends.push((name, place(share)));
                    from = share;
                }
                ends.push((format!("lower {}%", percent(1.0 - from)), cases));
                ends
            }
            Self::Equal(bands) => (1..=*bands)
                .map(|nth| (format!("band {nth} of {bands}"), place(f64::from(nth) / f64::from(*bands))))
                .collect(),
            Self::Chances(chances) => {
                let above =
                    |chance: f64| order.partition_point(|&row| probability(log_odds[row as usize]) >= chance);
                let mut ends: Vec<(String, usize)> = chances
                    .iter()
                    .map(|&chance| (format!("{}% or more", percent(chance)), above(chance)))
                    .collect();
                let least = chances.last().copied().unwrap_or_default();
                ends.push((format!("under {}%", percent(least)), cases));
                ends
            }
        };
        let mut start = 0;
        let mut bands = Vec::new();
        for (name, end) in ends {
            let mut end = end.clamp(start, cases);
            // Equal scores are never in two bands.
            while end > start && end < cases && same(log_odds, &order, end) {
                end += 1;
            }
            let within = &order[start..end];
            let positives = within.iter().filter(|&&row| outcomes[row as usize]).count() as u64;
            if let Some(observed) = wilson(positives, within.len() as u64) {
                let lowest = within.last().map(|&row| log_odds[row as usize]);
                let from = if end == cases { None } else { lowest };
                bands.push(Band { name, from, observed });
            }
            start = end;
        }
        bands
    }
}

#[allow(clippy::float_cmp, reason = "the very same score")]
fn same(log_odds: &[f64], order: &[u32], place: usize) -> bool {
    log_odds[order[place] as usize] == log_odds[order[place - 1] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores() -> (Vec<f64>, Vec<bool>) {
        (
            (0..1_000).map(|row| f64::from(row) / 100.0 - 8.0).collect(),
            (0..1_000).map(|row| row % 3 == 0).collect(),
        )
    }

    #[test]
    fn every_case_is_in_one_band_by_each_rule() {
        let (log_odds, outcomes) = scores();
        for rule in [BandRule::default(), BandRule::Equal(4), BandRule::Chances(vec![0.5, 0.1, 0.01])] {
            rule.check().unwrap();
            let bands = rule.of(&log_odds, &outcomes);
            let cases: u64 = bands.iter().map(|band| band.observed.n).sum();
            assert_eq!(cases, 1_000, "{rule:?}");
            assert_eq!(bands.last().unwrap().from, None);
            let from: Vec<f64> = bands.iter().filter_map(|band| band.from).collect();
            assert!(from.is_sorted_by(|a, b| a > b), "{rule:?}");
        }
        let fixed = BandRule::Chances(vec![0.5, 0.1]).of(&log_odds, &outcomes);
        assert_eq!(fixed[0].name, "50% or more");
        // Log-odds of zero and up: rows 800 to 999.
        assert_eq!(fixed[0].observed.n, 200);
        let equal = BandRule::Equal(4).of(&log_odds, &outcomes);
        assert!(equal.iter().all(|band| band.observed.n == 250));
    }

    #[test]
    fn rules_that_make_no_bands_are_refused() {
        let wrong = [
            BandRule::Shares(vec![]),
            BandRule::Shares(vec![0.1, 0.05]),
            BandRule::Equal(1),
            BandRule::Chances(vec![0.1, 0.5]),
            BandRule::Chances(vec![1.5]),
        ];
        assert!(wrong.iter().all(|rule| rule.check().is_err()));
    }
}
