//! How many cases a list would hold, and how many have no score.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::params::MonitorParams;
use super::verdict::Verdict;
use crate::cohort::Cohort;
use crate::error::ScoringError;
use crate::evaluate::{BacktestReport, Estimate, Interval};
use crate::scoring::{Request, Scorer, WhyNot};
use crate::stats::wilson;

/// The list that a run at the date would be drawn from. No list is drawn here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alerts {
    /// Cases in the cohort.
    pub cohort: u64,
    /// Cases on a list of the backtest's capacity.
    pub listed: u64,
    /// Cases without a score, by reason, the commonest first; `None` where that cannot be said (see `why`).
    pub not_scored: Option<Vec<NotScoredCount>>,
    /// Their share of the cohort (Wilson).
    pub share_not_scored: Option<Estimate>,
    /// The largest share allowed.
    pub limit: f64,
    /// Why cases without a score could not be counted, where they could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The verdict on that share.
    pub verdict: Verdict,
}

/// So many cases have no score for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NotScoredCount {
    /// The reason, in words.
    pub reason: String,
    /// How many cases.
    pub cases: u64,
}

/// Counts. A model that is not released does not score, so only a released one says who would go without.
pub(super) fn measure(
    scorer: Option<&Scorer>,
    backtest: &BacktestReport,
    cohort: &Cohort<'_>,
    params: &MonitorParams,
) -> Result<Alerts, ScoringError> {
    let limit = params.limits.not_scored;
    let mut alerts = Alerts {
        cohort: cohort.len() as u64,
        listed: backtest.plan.capacity.of(cohort.len()) as u64,
        not_scored: None,
        share_not_scored: None,
        limit,
        why: None,
        verdict: Verdict::CannotTell,
    };
    let Some(scorer) = scorer else {
        alerts.why = Some("the model is not released, and only a released model scores".to_owned());
        return Ok(alerts);
    };
    // Counting who would have no score is no list: sources that changed have a verdict of their own.
    let changed: BTreeSet<String> = scorer
        .candidate()
        .changed_sources(cohort.snapshot())
        .into_iter()
        .map(|change| change.source)
        .collect();
    // A date from before the release can be looked at as well: it is asked about now, and not then.
    let sign_off = scorer.sign_off();
    let on = cohort.as_of().day().max(sign_off.signed_on);
    let request =
        changed.into_iter().fold(Request::new("monitoring", &sign_off.purpose, on), |request, source| {
            request.accepting(source, "monitoring", "to count who would have no score")
        });
    let scores = match scorer.score(cohort, &request) {
        Err(refused @ ScoringError::ReviewOverdue { .. }) => {
            alerts.why = Some(refused.to_string());
            return Ok(alerts);
        }
        scores => scores?,
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for case in scores.not_scored() {
        *counts.entry(reason(case.reason())).or_default() += 1;
    }
    let mut by_reason: Vec<NotScoredCount> =
        counts.into_iter().map(|(reason, cases)| NotScoredCount { reason, cases }).collect();
    by_reason.sort_by_key(|count| std::cmp::Reverse(count.cases));
    alerts.listed = backtest.plan.capacity.of(scores.len()) as u64;
    alerts.share_not_scored = wilson(scores.not_scored().len() as u64, alerts.cohort);
    alerts.not_scored = Some(by_reason);
    alerts.verdict = alerts
        .share_not_scored
        .map_or(Verdict::CannotTell, |share| Verdict::of(share.interval, Interval { low: 0.0, high: limit }));
    Ok(alerts)
}

/// The reason without what differs from case to case.
fn reason(why: &WhyNot) -> String {
    match why {
        WhyNot::Outside { feature } => format!("a value far outside training's: {feature}"),
        WhyNot::Thin { .. } => "most of what the model reads is not covered".to_owned(),
        WhyNot::Stale { sources } => format!("out of date: {}", sources.join(", ")),
    }
}
