//! Trying a mitigation out: the same training without it and with it.

use super::super::audit::AuditParams;
use super::super::protected::Protected;
use super::cross_fit::{CrossFitted, Side};
use super::paired::{Arm, Pair};
use super::report::{BeforeAfter, MitigationReport, Used};
use super::reweigh::reweigh;
use super::shares::CapacityShares;
use crate::dataset::{Dataset, Reweighing};
use crate::error::{Error, EvaluateError, MitigationError};
use crate::evaluate::ranking::ranking;
use crate::evaluate::{BacktestPlan, Split};
use crate::model::Trainer;

/// What a mitigation is tried out on, before anybody uses it.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::AuditParams;
/// use earlyhelp::fairness::{CapacityShares, MitigationTrial, ShareRule};
/// use earlyhelp::model::Trainer;
/// use earlyhelp::project::Project;
/// use earlyhelp::synthetic::{CouncilParams, Format};
///
/// let council = CouncilParams::new(4_000, 1).generate()?;
/// let folder = std::env::temp_dir().join("earlyhelp-mitigation-report");
/// let project = Project::load(council.write(&folder, Format::Csv)?)?;
///
/// let shares = CapacityShares {
///     characteristic: "sex".into(),
///     by: ShareRule::GroupSize,
///     reason: "To see what it would do".into(),
///     approved_by: "C. Monitoring Officer".into(),
///     minimum_group: 10,
/// };
/// let trial = MitigationTrial {
///     data: &project.dataset(&project.records()?)?,
///     trainer: &Trainer::by_name("logistic").unwrap_or_default(),
///     plan: &project.backtest_plan()?,
///     protected: &project.protected()?,
///     params: AuditParams::at_release(),
/// };
/// let report = trial.of_shares(&shares)?;
/// println!("{report}");
/// assert!(report.later.characteristics.iter().any(|(name, _)| name == "sex"));
/// # Ok::<(), earlyhelp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MitigationTrial<'a> {
    /// The cases. Whether they are reweighed already makes no difference to
    /// [`of_reweighing`](Self::of_reweighing).
    pub data: &'a Dataset,
    /// The trainer.
    pub trainer: &'a Trainer,
    /// The backtest's plan, of which the last split is measured.
    pub plan: &'a BacktestPlan,
    /// The characteristics whose groups are looked at.
    pub protected: &'a Protected,
    /// What the audits of both sides ask for, and the smallest group that is shown. The operating point is the
    /// lists, and no characteristics are combined.
    pub params: AuditParams,
}

impl MitigationTrial<'_> {
    /// Trains with and without the reweighing, and compares.
    ///
    /// # Errors
    /// [`Error::Mitigation`] as for [`reweigh`]; [`Error::Evaluate`] where the plan has no split or there is
    /// too little to measure; [`Error::Model`] where a fit fails.
    pub fn of_reweighing(&self, asked: &Reweighing) -> Result<MitigationReport, Error> {
        let Self { trainer, plan, params, .. } = self;
        let split = self.split()?;
        let plain = self.data.unweighed();
        let reweighed = reweigh(&plain, self.protected, asked, params)?;
        let without = CrossFitted::run(trainer, &plain, plan, split)?;
        let with = CrossFitted::run(trainer, &reweighed, plan, split)?;
        let record = reweighed.take(&without.training.rows).reweighed_by();
        let used = record.ok_or(MitigationError::TooSmall { minimum: params.minimum })?;
        let side = |without: &Side, with: &Side| {
            let pair = Pair {
                cases: without.tested(&plain),
                without: Arm { log_odds: Some(&without.log_odds), listed: without.listed(&plain, plan) },
                with: Arm { log_odds: Some(&with.log_odds), listed: with.listed(&plain, plan) },
            };
            pair.measure(self.protected, params, &plan.bootstrap)
        };
        let sides = [side(&without.training, &with.training)?, side(&without.later, &with.later)?];
        Ok(self.report(Used::Reweighing(used), split, sides))
    }

    /// Deals the places of the same scores with and without the shares, and compares. Where the cases are
    /// reweighed, both sides are.
    ///
    /// # Errors
    /// [`Error::Mitigation`] where the shares cannot be dealt; others as for
    /// [`of_reweighing`](Self::of_reweighing).
    pub fn of_shares(&self, shares: &CapacityShares) -> Result<MitigationReport, Error> {
        let Self { data, trainer, plan, .. } = *self;
        let split = self.split()?;
        let fitted = CrossFitted::run(trainer, data, plan, split)?;
        let side = |side: &Side| -> Result<BeforeAfter, Error> {
            let pair = Pair {
                cases: side.tested(data),
                without: Arm { log_odds: Some(&side.log_odds), listed: side.listed(data, plan) },
                with: Arm {
                    log_odds: Some(&side.log_odds),
                    listed: side.by_date(data, |places| self.dealt(side, places, shares))?,
                },
            };
            pair.measure(self.protected, &self.params, &plan.bootstrap)
        };
        let sides = [side(&fitted.training)?, side(&fitted.later)?];
        Ok(self.report(Used::Shares(shares.clone()), split, sides))
    }

    fn report(&self, used: Used, split: &Split, [training, later]: [BeforeAfter; 2]) -> MitigationReport {
        MitigationReport {
            used,
            trainer: self.trainer.name().to_owned(),
            split: split.clone(),
            bootstrap: self.plan.bootstrap,
            minimum_group: self.params.minimum,
            training,
            later,
        }
    }

    fn split(&self) -> Result<&Split, EvaluateError> {
        self.plan.splits.last().ok_or_else(|| EvaluateError::Plan("it has no split".into()))
    }

    /// One date's list with places dealt to groups.
    fn dealt(&self, side: &Side, places: &[usize], shares: &CapacityShares) -> Result<Vec<bool>, Error> {
        let scores: Vec<f64> = places.iter().map(|&place| side.log_odds[place]).collect();
        let order = ranking(&scores);
        let ranked = order.iter().map(|&nth| {
            let nth = nth as usize;
            (self.data.id(side.rows[places[nth]] as usize), scores[nth])
        });
        let chosen = shares.deal(self.protected, ranked, self.plan.capacity.of(places.len()))?;
        let mut listed = vec![false; places.len()];
        for (&nth, on_it) in order.iter().zip(chosen) {
            listed[nth as usize] = on_it;
        }
        Ok(listed)
    }
}
