//! How a model is watched, and from where on something is too much.

use serde::{Deserialize, Serialize};

use crate::error::SpecError;

/// How a model is watched. Every part has a default.
///
/// # Examples
/// ```
/// use earlyhelp::monitor::{Limits, MonitorParams};
///
/// let stricter = MonitorParams {
///     limits: Limits { auc_fall: 0.03, ..Limits::default() },
///     ..MonitorParams::default()
/// };
/// assert_eq!(stricter.limits.score_psi, 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorParams {
    /// The limits.
    pub limits: Limits,
    /// Rows of a source are counted over so many days before a date. The default, 365: a whole year, so
    /// that school holidays and winters weigh the same at every date.
    pub volume_days: u32,
    /// Outcomes are looked up for as-of dates so many months apart. The default, 3: lists are monthly, but
    /// what is known of a family changes slowly, and four dates in a year cost a third of twelve.
    pub outcomes_every_months: u32,
    /// Where the random numbers of the two-sample test start. The same seed gives the same report.
    pub seed: u64,
}

impl Default for MonitorParams {
    fn default() -> Self {
        Self { limits: Limits::default(), volume_days: 365, outcomes_every_months: 3, seed: 0 }
    }
}

/// From where on a change is too much. A limit is a question to a person, not an answer: beyond it somebody
/// has to look, and nothing else happens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The highest population stability index of a feature. The default, 0.25, is the line from which
    /// practice calls a shift large (Siddiqi 2006); one feature alone matters only as far as it moves the
    /// score, which has a stricter limit.
    pub feature_psi: f64,
    /// The highest index of the score. The default, 0.1, is the line from which practice speaks of a shift at
    /// all: the list is drawn by the score, and small shifts of many features add up in it.
    pub score_psi: f64,
    /// How many times more, or fewer, rows a case a source may bring than in training. The default, 2: a
    /// source read twice doubles, one that stopped in mid-year halves; services grow and shrink by less.
    pub volume_ratio: f64,
    /// By how much the share of cases that a source covers may fall, 0 to 1. The default, 0.1: a score with
    /// one more source unknown for every tenth family is another score. A rise has no limit here; if it
    /// changes what the model sees, the features show it.
    pub coverage_fall: f64,
    /// How many days longer than the longest silence at a training date a source may have been silent. The
    /// default, 31: one monthly delivery that did not come.
    pub silence_days: u32,
    /// By how much the AUC may fall below the backtest's. The default, 0.05: of a hundred pairs of one family
    /// with and one without the outcome, five more are in the wrong order. With the few hundred outcomes that
    /// a council sees in a year a smaller fall cannot be told from luck.
    pub auc_fall: f64,
    /// By what share of the backtest's figure average precision and precision at capacity may fall, and the
    /// outcome rate may rise or fall. The default, 0.25: a list that held eight families in need now holds
    /// six.
    pub relative_change: f64,
    /// How far the calibration slope may move, up or down. The default, 0.25: chances that are too extreme
    /// or too timid by a quarter, on the scale of log-odds.
    pub slope_change: f64,
    /// How far calibration in the large may move, up or down, in log-odds. The default, 0.25: for rare
    /// outcomes, chances that are off by about a quarter.
    pub intercept_change: f64,
    /// The largest share of the cohort that may go without a score, 0 to 1. The default, 0.1: more, and the
    /// list is silent about so many families that its ranking is of another population.
    pub not_scored: f64,
    /// How many times more, or fewer, cases may reach the score that was the cut of the lists over the
    /// training cohorts. The default, 1.5: the work that the list stands for has grown or shrunk by half.
    pub cut_ratio: f64,
    /// By how much the share of decisions that disagree with the list may be higher where one reason was among those shown
    /// first than in all other decisions, 0 to 1. The default, 0.2: of ten families for whom that reason leads, people send
    /// two more away than of ten others. Some difference is what review is for; a fifth asks whether the records behind
    /// the reason mean what the model takes them for.
    pub override_rise: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            feature_psi: 0.25,
            score_psi: 0.1,
            volume_ratio: 2.0,
            coverage_fall: 0.1,
            silence_days: 31,
            auc_fall: 0.05,
            relative_change: 0.25,
            slope_change: 0.25,
            intercept_change: 0.25,
            not_scored: 0.1,
            cut_ratio: 1.5,
            override_rise: 0.2,
        }
    }
}

impl MonitorParams {
    /// The longest window that rows are counted over: ten years.
    const MOST_DAYS: u32 = 3_653;

    pub(super) fn check(&self) -> Result<(), SpecError> {
        let wrong = |why: &str| Err(SpecError::Invalid { of: "monitoring".to_owned(), why: why.to_owned() });
        let limits = &self.limits;
        if !(1..=Self::MOST_DAYS).contains(&self.volume_days) {
            return wrong("rows of a source are counted over 1 to 3,653 days; set volume_days");
        }
        // Written so that a number that is none is refused as well.
        if !(limits.volume_ratio >= 1.0 && limits.cut_ratio >= 1.0) {
            return wrong("volume_ratio and cut_ratio say how many times more or fewer; give 1 or more");
        }
        let others = [
            limits.feature_psi,
            limits.score_psi,
            limits.coverage_fall,
            limits.auc_fall,
            limits.relative_change,
            limits.slope_change,
            limits.intercept_change,
            limits.not_scored,
            limits.override_rise,
        ];
        if others.iter().all(|&limit| limit >= 0.0) {
            Ok(())
        } else {
            wrong("a limit is below 0, or no number")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_without_sense_are_refused() {
        assert!(MonitorParams::default().check().is_ok());
        let with = |limits: Limits| MonitorParams { limits, ..MonitorParams::default() }.check().is_err();
        assert!(with(Limits { volume_ratio: 0.5, ..Limits::default() }));
        assert!(with(Limits { cut_ratio: f64::NAN, ..Limits::default() }));
        assert!(with(Limits { auc_fall: -0.1, ..Limits::default() }));
        assert!(with(Limits { score_psi: f64::NAN, ..Limits::default() }));
        for volume_days in [0, u32::MAX] {
            assert!(MonitorParams { volume_days, ..MonitorParams::default() }.check().is_err());
        }
    }
}
