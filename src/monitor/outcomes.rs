//! What became of the cases: the model's figures on outcomes that are known by now.

use serde::Serialize;

use super::params::{Limits, MonitorParams};
use super::verdict::Verdict;
use crate::calendar::AsOf;
use crate::cohort::Cohort;
use crate::dataset::Dataset;
use crate::error::{DatasetError, Error, EvaluateError};
use crate::evaluate::performance::TestRows;
use crate::evaluate::ranking::places_at_capacity;
use crate::evaluate::{BacktestReport, Estimate, Interval, Performance};
use crate::model::Candidate;
use crate::outcome::OutcomeSpec;
use crate::records::Records;
use crate::stats::difference;

/// The model on outcomes that it did not learn from, beside the figures it was released with.
///
/// The dates are those from the end of the last training date's horizon on, whose own horizon is over: no
/// outcome counts that training had seen. Families that training had seen are among the cases, as they are
/// whenever the model is used; the backtest tested on families it had not seen, so figures here can be a
/// little better than there for that alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Outcomes {
    /// The as-of dates.
    pub dates: Vec<AsOf>,
    /// The figures; `None` where no such date is there yet, or nothing can be measured.
    pub performance: Option<Performance>,
    /// Each figure beside the backtest's.
    pub figures: Vec<FigureChange>,
    /// The highest of the figures' verdicts.
    pub verdict: Verdict,
}

/// A figure of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WatchedFigure {
    /// The share of cases with the outcome.
    OutcomeRate,
    /// The area under the ROC curve.
    Auc,
    /// Average precision.
    AveragePrecision,
    /// The share of the lists, at the model's capacity, that had the outcome.
    PrecisionAtCapacity,
    /// The calibration slope.
    CalibrationSlope,
    /// Calibration in the large, in log-odds.
    CalibrationInTheLarge,
}

/// A figure now and in the backtest.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FigureChange {
    /// Which.
    pub figure: WatchedFigure,
    /// In the backtest that the model was released with.
    pub backtest: Option<Estimate>,
    /// Now.
    pub now: Option<Estimate>,
    /// Now less backtest. Its interval is made of both intervals, as if they knew nothing of each other (G. Y.
    /// Zou and A. Donner, 2008, "Construction of confidence limits about effect measures", *Statistics in
    /// Medicine* 27:1693-1702); with the same families in both it is rather too wide than too narrow.
    pub difference: Option<Estimate>,
    /// The differences allowed.
    pub allowed: Interval,
    /// The verdict.
    pub verdict: Verdict,
}

impl Outcomes {
    /// Where nobody looked at outcomes: no date, no figure, and nothing said of them.
    pub(super) fn not_looked_at() -> Self {
        Self { dates: Vec::new(), performance: None, figures: Vec::new(), verdict: Verdict::CannotTell }
    }
}

impl WatchedFigure {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 6] = [
        Self::OutcomeRate,
        Self::Auc,
        Self::AveragePrecision,
        Self::PrecisionAtCapacity,
        Self::CalibrationSlope,
        Self::CalibrationInTheLarge,
    ];

    /// The figure in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OutcomeRate => "outcome rate",
            Self::Auc => "AUC",
            Self::AveragePrecision => "average precision",
            Self::PrecisionAtCapacity => "precision at capacity",
            Self::CalibrationSlope => "calibration slope",
            Self::CalibrationInTheLarge => "calibration in the large",
        }
    }

    fn of(self, performance: &Performance) -> Option<Estimate> {
        let calibration = performance.calibration.as_ref();
        match self {
            Self::OutcomeRate => Some(performance.prevalence),
            Self::Auc => performance.auc,
            Self::AveragePrecision => performance.average_precision,
            Self::PrecisionAtCapacity => performance.precision_at_capacity,
            Self::CalibrationSlope => calibration.map(|calibration| calibration.slope),
            Self::CalibrationInTheLarge => calibration.map(|calibration| calibration.intercept),
        }
    }

    /// The differences allowed. A ranking that got better is nothing to worry about.
    fn allowed(self, backtest: Option<Estimate>, limits: &Limits) -> Interval {
        let relative = limits.relative_change * backtest.map_or(0.0, |estimate| estimate.value);
        let from = |low: f64| Interval { low, high: f64::MAX };
        let around = |reach: f64| Interval { low: -reach, high: reach };
        match self {
            Self::OutcomeRate => around(relative),
            Self::Auc => from(-limits.auc_fall),
            Self::AveragePrecision | Self::PrecisionAtCapacity => from(-relative),
            Self::CalibrationSlope => around(limits.slope_change),
            Self::CalibrationInTheLarge => around(limits.intercept_change),
        }
    }
}

impl FigureChange {
    fn new(
        figure: WatchedFigure,
        backtest: &Performance,
        now: Option<&Performance>,
        limits: &Limits,
    ) -> Self {
        let before = figure.of(backtest);
        let now = now.and_then(|now| figure.of(now));
        let difference = now.zip(before).map(|(now, before)| difference(&now, &before));
        let allowed = figure.allowed(before, limits);
        let verdict =
            difference.map_or(Verdict::CannotTell, |difference| Verdict::of(difference.interval, allowed));
        Self { figure, backtest: before, now, difference, allowed, verdict }
    }
}

/// The as-of dates whose outcomes are known at `as_of` and which training knew nothing of, `every` months
/// apart, earliest first.
pub(super) fn dates(candidate: &Candidate, records: &Records, as_of: AsOf, every: u32) -> Vec<AsOf> {
    let horizon = candidate.outcome().horizon;
    let Some(last) = candidate.training().dates.iter().map(|date| date.as_of).max() else {
        return Vec::new();
    };
    let first = horizon.end(last);
    let known_to = known_to(candidate.outcome(), records).map_or(as_of.day(), |to| as_of.day().min(to + 1));
    let step = i32::try_from(every.max(1)).unwrap_or(i32::MAX);
    (0..MOST_DATES)
        .map(|nth| AsOf::new(first.plus_months(nth.saturating_mul(step))))
        .take_while(|&date| date < as_of && horizon.end(date) <= known_to)
        .collect()
}

/// No model is in use for so many steps; it ends the search where a horizon never seems to.
const MOST_DATES: i32 = 1_200;

/// The last day up to which all sources of the outcome are complete.
fn known_to(outcome: &OutcomeSpec, records: &Records) -> Option<crate::calendar::Day> {
    let sources: Vec<&str> = outcome
        .records
        .iter()
        .chain(&outcome.follow_up.during)
        .map(|selector| selector.source.as_str())
        .collect();
    records.sources().filter(|(name, ..)| sources.contains(name)).filter_map(|(_, held, _)| held.to).min()
}

/// Measures the model on the cohorts of these dates.
pub(super) fn measure(
    candidate: &Candidate,
    backtest: &BacktestReport,
    cohorts: &[Cohort<'_>],
    params: &MonitorParams,
) -> Result<Outcomes, Error> {
    let performance = performance(candidate, backtest, cohorts)?;
    let figures: Vec<FigureChange> = WatchedFigure::ALL
        .iter()
        .map(|&figure| FigureChange::new(figure, &backtest.overall, performance.as_ref(), &params.limits))
        .collect();
    let verdict = figures.iter().map(|figure| figure.verdict).max().unwrap_or(Verdict::CannotTell);
    Ok(Outcomes { dates: cohorts.iter().map(Cohort::as_of).collect(), performance, figures, verdict })
}

fn performance(
    candidate: &Candidate,
    backtest: &BacktestReport,
    cohorts: &[Cohort<'_>],
) -> Result<Option<Performance>, Error> {
    if cohorts.is_empty() {
        return Ok(None);
    }
    let data = match Dataset::of_model(candidate.features(), candidate.outcome(), cohorts) {
        Err(Error::Dataset(DatasetError::NoOutcomes)) => return Ok(None),
        data => data?,
    };
    let log_odds = candidate.model().log_odds(data.matrix())?;
    let mut places = Vec::with_capacity(data.rows());
    for date in data.dates() {
        let rows = (date.positive + date.negative) as usize;
        let at = places.len();
        places.extend(places_at_capacity(&log_odds[at..at + rows], backtest.plan.capacity.of(rows)));
    }
    let rows = TestRows {
        log_odds: &log_odds,
        outcomes: data.outcomes(),
        families: data.families(),
        places: &places,
    };
    match Performance::measure(&rows, &backtest.plan.bootstrap) {
        Err(EvaluateError::OneFamily | EvaluateError::Empty) => Ok(None),
        measured => Ok(Some(measured?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::wilson;

    #[test]
    fn a_better_ranking_is_within_and_a_doubled_rate_beyond() {
        let limits = Limits::default();
        let found = |figure: WatchedFigure, value: f64, reach: f64, before: f64| {
            let allowed = figure.allowed(wilson((before * 1e4) as u64, 10_000), &limits);
            Verdict::of(Interval { low: value - reach, high: value + reach }, allowed)
        };
        assert_eq!(found(WatchedFigure::Auc, 0.2, 0.05, 0.7), Verdict::Within);
        assert_eq!(found(WatchedFigure::Auc, -0.2, 0.05, 0.7), Verdict::Beyond);
        assert_eq!(found(WatchedFigure::Auc, -0.04, 0.05, 0.7), Verdict::CannotTell);
        assert_eq!(found(WatchedFigure::OutcomeRate, 0.05, 0.01, 0.05), Verdict::Beyond);
        assert_eq!(found(WatchedFigure::OutcomeRate, -0.04, 0.01, 0.05), Verdict::Beyond);
        assert_eq!(found(WatchedFigure::AveragePrecision, -0.02, 0.01, 0.2), Verdict::Within);
    }
}
