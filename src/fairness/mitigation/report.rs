//! A mitigation before and after: what it does to the ranking and to each group.

use serde::{Deserialize, Serialize};

use super::super::audit::AuditParams;
use super::super::protected::Protected;
use super::cross_fit::{CrossFitted, Side};
use super::paired::{Arm, Pair};
use super::{CapacityShares, reweigh};
use crate::calendar::AsOf;
use crate::dataset::{Dataset, Reweighed, Reweighing};
use crate::error::{Error, EvaluateError, MitigationError};
use crate::evaluate::ranking::ranking;
use crate::evaluate::{BacktestPlan, Split};
use crate::model::Trainer;
use crate::stats::{Bootstrap, Estimate};

/// What a mitigation does, without it and with it on the same cases: ranking quality and the rates of every
/// group of every protected characteristic that is held.
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
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::AuditParams;
/// use earlyhelp::fairness::{CapacityShares, MitigationReport, ShareRule};
/// use earlyhelp::model::Trainer;
/// use earlyhelp::project::Project;
/// use earlyhelp::synthetic::{CouncilParams, Format};
///
/// let council = CouncilParams::new(4_000, 1).generate()?;
/// let folder = std::env::temp_dir().join("earlyhelp-mitigation-report");
/// let project = Project::load(council.write(&folder, Format::Csv)?)?;
/// let records = project.records(|_source, _rows| {})?;
/// let (data, plan) = (project.dataset(&records)?, project.backtest_plan()?);
/// let trainer = Trainer::by_name("logistic").unwrap_or_default();
///
/// let shares = CapacityShares {
///     characteristic: "sex".into(),
///     by: ShareRule::GroupSize,
///     reason: "To see what it would do".into(),
///     approved_by: "C. Monitoring Officer".into(),
///     minimum_group: 10,
/// };
/// let (protected, params) = (project.protected()?, AuditParams::at_release());
/// let report = MitigationReport::of_shares(&data, &trainer, &plan, &protected, &shares, &params)?;
/// println!("{report}");
/// assert!(report.later.characteristics.iter().any(|(name, _)| name == "sex"));
/// # Ok::<(), earlyhelp::Error>(())
/// ```
///
/// # References
/// A. C. Davison and D. V. Hinkley (1997), *Bootstrap Methods and their Application*, section 5.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Used {
    /// Cases were reweighed: what that came to over all the split's training cases.
    Reweighing(Reweighed),
    /// Places were dealt to groups.
    Shares(CapacityShares),
}

/// The same cases without the mitigation and with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeforeAfter {
    /// The as-of dates.
    pub dates: Vec<AsOf>,
    /// Cases.
    pub n: u64,
    /// Cases with the outcome.
    pub positives: u64,
    /// Different families.
    pub families: u64,
    /// Cases on the lists.
    pub listed: u64,
    /// Of these, how many are others with the mitigation than without.
    pub places_changed: u64,
    /// Area under the ROC curve, 0 to 1; chance gives 0.5. Unchanged by shares, which move no score.
    pub auc: Option<Change>,
    /// Average precision, 0 to 1; chance gives about the share with the outcome.
    pub average_precision: Option<Change>,
    /// Of the cases on the lists, the share with the outcome, 0 to 1.
    pub outcome_on_list: Option<Change>,
    /// For each characteristic that is held, its name and its groups by name, those not known after these. Last
    /// comes one entry for all that an audit of either side holds back, without their names and rates.
    pub characteristics: Vec<(String, Vec<GroupChange>)>,
}

/// A figure without the mitigation, with it, and the difference of the two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Without.
    pub without: Estimate,
    /// With.
    pub with: Estimate,
    /// With minus without.
    pub change: Estimate,
}

/// One group's rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// The name of the group, or how many are held back, such as `2 further groups`.
    pub group: String,
    /// Its rates; `None` for the groups held back.
    pub rates: Option<Box<RateChanges>>,
}

/// The rates of a group that may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateChange {
    /// The rate, 0 to 1. `None` where it would be a share of too few cases, or would give a small number of people
    /// away: where an audit of either side does not show it.
    pub rate: Option<Change>,
    /// The group's rate minus that of everybody else, -1 to 1. `None` where either is of too few cases.
    pub to_the_rest: Option<Change>,
}

impl MitigationReport {
    /// Trains with and without the reweighing, and compares. It makes no difference whether `data` are
    /// reweighed already.
    ///
    /// # Errors
    /// [`Error::Mitigation`] as for [`reweigh`]; [`Error::Evaluate`] where the plan has no split or there is
    /// too little to measure; [`Error::Model`] where a fit fails.
    pub fn of_reweighing(
        data: &Dataset,
        trainer: &Trainer,
        plan: &BacktestPlan,
        protected: &Protected,
        asked: &Reweighing,
        params: &AuditParams,
    ) -> Result<Self, Error> {
        let split = last_split(plan)?;
        let plain = data.unweighed();
        let reweighed = reweigh(&plain, protected, asked, params)?;
        let without = CrossFitted::run(trainer, &plain, plan, split)?;
        let with = CrossFitted::run(trainer, &reweighed, plan, split)?;
        let rows: Vec<u32> = without.training.rows.clone();
        let record = reweighed.take(&rows).reweighed_by();
        let used = record.ok_or(MitigationError::TooSmall { minimum: params.minimum })?;
        let side = |without: &Side, with: &Side| -> Result<BeforeAfter, Error> {
            let pair = Pair {
                data: &plain,
                side: without,
                without: Arm { log_odds: &without.log_odds, listed: without.listed(data, plan) },
                with: Arm { log_odds: &with.log_odds, listed: with.listed(data, plan) },
            };
            pair.measure(protected, params, &plan.bootstrap)
        };
        Ok(Self {
            used: Used::Reweighing(used),
            trainer: trainer.name().to_owned(),
            split: split.clone(),
            bootstrap: plan.bootstrap,
            minimum_group: params.minimum,
            training: side(&without.training, &with.training)?,
            later: side(&without.later, &with.later)?,
        })
    }

    /// Deals the places of the same scores with and without the shares, and compares. Where `data` are
    /// reweighed, both sides are.
    ///
    /// # Errors
    /// [`Error::Mitigation`] where the shares cannot be dealt; others as for
    /// [`of_reweighing`](Self::of_reweighing).
    pub fn of_shares(
        data: &Dataset,
        trainer: &Trainer,
        plan: &BacktestPlan,
        protected: &Protected,
        shares: &CapacityShares,
        params: &AuditParams,
    ) -> Result<Self, Error> {
        let split = last_split(plan)?;
        let fitted = CrossFitted::run(trainer, data, plan, split)?;
        let side = |side: &Side| -> Result<BeforeAfter, Error> {
            let dealt = side.by_date(data, |places| dealt(data, side, places, plan, protected, shares))?;
            let pair = Pair {
                data,
                side,
                without: Arm { log_odds: &side.log_odds, listed: side.listed(data, plan) },
                with: Arm { log_odds: &side.log_odds, listed: dealt },
            };
            pair.measure(protected, params, &plan.bootstrap)
        };
        Ok(Self {
            used: Used::Shares(shares.clone()),
            trainer: trainer.name().to_owned(),
            split: split.clone(),
            bootstrap: plan.bootstrap,
            minimum_group: params.minimum,
            training: side(&fitted.training)?,
            later: side(&fitted.later)?,
        })
    }
}

fn last_split(plan: &BacktestPlan) -> Result<&Split, EvaluateError> {
    plan.splits.last().ok_or_else(|| EvaluateError::Plan("it has no split".into()))
}

/// One date's list with places dealt to groups.
fn dealt(
    data: &Dataset,
    side: &Side,
    places: &[usize],
    plan: &BacktestPlan,
    protected: &Protected,
    shares: &CapacityShares,
) -> Result<Vec<bool>, Error> {
    let scores: Vec<f64> = places.iter().map(|&place| side.log_odds[place]).collect();
    let order = ranking(&scores);
    let ranked = order.iter().map(|&nth| {
        let nth = nth as usize;
        (data.id(side.rows[places[nth]] as usize), scores[nth])
    });
    let chosen = shares.deal(protected, ranked, plan.capacity.of(places.len()))?;
    let mut listed = vec![false; places.len()];
    for (&nth, on_it) in order.iter().zip(chosen) {
        listed[nth as usize] = on_it;
    }
    Ok(listed)
}
