//! What people decided about the model's cases: do they disagree with it more often where one of its reasons leads?

use serde::Serialize;

use super::params::Limits;
use super::verdict::Verdict;
use crate::calendar::Day;
use crate::ledger::{Account, GroupTallies, Judged, Tally};
use crate::stats::{Estimate, Interval};

/// What became of the lists that were drawn with the model, as a ledger has it. No reviewer is counted by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DecisionsSeen {
    /// The day up to which it counts.
    pub on: Day,
    /// Lists on record.
    pub lists: u64,
    /// Cases listed for their rank, what was decided about them, and how often people disagreed with the list.
    pub alerts: Tally,
    /// The same by group of each protected characteristic; small numbers are withheld.
    pub by_group: Vec<GroupTallies>,
    /// Reasons that people were shown, the most disagreed with first.
    pub reasons: Vec<ReasonSeen>,
    /// By the code of the council's own list that they gave.
    pub by_code: Vec<Judged>,
    /// By how much the share that disagrees may exceed that of all other decisions.
    pub limit: f64,
    /// Reasons and groups of fewer decisions are not told of.
    pub minimum_group: u32,
    /// The highest verdict on a reason; [`Verdict::CannotTell`] without one.
    pub verdict: Verdict,
}

/// How cases were judged for which people were shown one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReasonSeen {
    /// The counts.
    #[serde(flatten)]
    pub judged: Judged,
    /// The verdict on [`Judged::difference`].
    pub verdict: Verdict,
}

impl DecisionsSeen {
    pub(super) fn of(account: &Account, limits: &Limits) -> Self {
        let limit = limits.override_rise;
        let allowed = Interval { low: -1.0, high: limit };
        let verdict = |difference: &Option<Estimate>| {
            difference.map_or(Verdict::CannotTell, |difference| Verdict::of(difference.interval, allowed))
        };
        let reasons: Vec<ReasonSeen> = account
            .by_reason
            .iter()
            .map(|judged| ReasonSeen { judged: judged.clone(), verdict: verdict(&judged.difference) })
            .collect();
        Self {
            on: account.on,
            lists: account.runs.len() as u64,
            alerts: account.alerts.clone(),
            by_group: account.by_group.clone(),
            verdict: reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::CannotTell),
            reasons,
            by_code: account.by_code.clone(),
            limit,
            minimum_group: account.minimum_group,
        }
    }
}
