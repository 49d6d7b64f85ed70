//! A mitigation before and after: what it does to the ranking and to each group.

use serde::Serialize;

use super::shares::CapacityShares;
use crate::calendar::AsOf;
use crate::dataset::Reweighed;
use crate::evaluate::{PairedChange, Split};
use crate::stats::Bootstrap;

/// What a mitigation does ([`MitigationTrial`](super::MitigationTrial)), without it and with it on the same
/// cases: ranking quality and the rates of every group of every protected characteristic that is held.
///
/// Measured on the last split of the backtest's plan, twice: on the dates that it trains on and on its
/// later test date. Every case is scored by a model that had not seen its family, so the first is no
/// fit to its own cases, and the second shows whether the effect lasts into a later year. Lists are drawn
/// for each date at the plan's capacity. Scores are as trained, before any recalibration by test cases.
///
/// Intervals, also those of a change, are 95% percentile intervals over the same redrawn families for both
/// sides (a paired bootstrap). They hold models and lists fixed, and **are not corrected for the number of
/// figures**: with many groups, some changes are clear by chance.
///
/// # References
/// A. C. Davison and D. V. Hinkley (1997), *Bootstrap Methods and their Application*, section 5.3.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MitigationReport {
    /// What was done.
    pub used: Used,
    /// The trainer.
    pub trainer: String,
    /// The split that was measured.
    pub split: Split,
    /// Resamples and seed.
    pub bootstrap: Bootstrap,
    /// The smallest group that is shown, and the fewest cases that a rate is a share of.
    pub minimum_group: u32,
    /// At the dates that were trained on, families never trained on.
    pub training: BeforeAfter,
    /// At the later date, families never trained on.
    pub later: BeforeAfter,
}

/// Which mitigation it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Used {
    /// Cases were reweighed: what that came to over all the split's training cases.
    Reweighing(Reweighed),
    /// Places were dealt to groups.
    Shares(CapacityShares),
}

/// The same cases without the mitigation and with it; or as they were chosen the usual way and by a model, see
/// [`BeforeAfter::of_selections`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BeforeAfter {
    /// The as-of dates.
    pub dates: Vec<AsOf>,
    /// Cases.
    pub n: u64,
    /// Cases with the outcome.
    pub positives: u64,
    /// Different families.
    pub families: u64,
    /// Cases on the lists without the mitigation.
    pub listed: u64,
    /// Of these, how many are on no list with the mitigation. `None` where too few people are on both lists, on one alone, or
    /// on neither.
    pub places_changed: Option<u64>,
    /// Area under the ROC curve, 0 to 1; chance gives 0.5. Unchanged by shares, which move no score.
    pub auc: Option<PairedChange>,
    /// Average precision, 0 to 1; chance gives about the share with the outcome.
    pub average_precision: Option<PairedChange>,
    /// Of the cases on the lists, the share with the outcome, 0 to 1.
    pub outcome_on_list: Option<PairedChange>,
    /// For each characteristic that is held, its name and its groups by name, those not known after these. Last
    /// comes one entry for all that an audit of either side holds back, without their names and rates.
    pub characteristics: Vec<(String, Vec<GroupChange>)>,
}

/// One group's rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupChange {
    /// The name of the group, or how many are held back, such as `2 further groups`.
    pub group: String,
    /// Its rates; `None` for the groups held back.
    pub rates: Option<Box<RateChanges>>,
}

/// The rates of a group that may be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateChanges {
    /// Cases of the group.
    pub n: u64,
    /// The share of the group that is on the lists.
    pub selection: RateChange,
    /// Of those with the outcome, the share on the lists (true-positive rate).
    pub found: RateChange,
    /// Of those without the outcome, the share on the lists (false-positive rate).
    pub wrongly_listed: RateChange,
}

/// A rate, and how it differs from the same rate of everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateChange {
    /// The rate, 0 to 1. `None` where it would be a share of too few cases, or would give a small number of people
    /// away: where an audit of either side does not show it.
    pub rate: Option<PairedChange>,
    /// The group's rate minus that of everybody else, -1 to 1. `None` where either is of too few cases.
    pub to_the_rest: Option<PairedChange>,
}
