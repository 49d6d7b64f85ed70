//! How a project's model is trained, tested and checked.

use serde::{Deserialize, Serialize};

use super::Project;

use crate::calendar::AsOf;
use crate::dataset::{Dataset, Reweighing};
use crate::error::Error;
use crate::evaluate::{
    Backtest, BacktestPlan, BandRule, BarReport, Bootstrap, Capacity, ChoiceRule, Entrant, FamilyRule,
    ModelComparison, SuccessBar,
};
use crate::fairness::audit::AuditParams;
use crate::fairness::{CapacityShares, FairnessAudit, MitigationReport, MitigationTrial, Protected, reweigh};
use crate::model::{Candidate, SourceDigest, Trainer, TrainingContext};
use crate::records::Records;
use crate::scoring::AuditedModel;

/// How a model is trained and tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Training {
    /// The as-of dates. The backtest tests on each date by which the outcomes of earlier ones were known;
    /// the released model learns from all. Also read as a rule: `{ every = "1 month", from = "2022-04-01", to =
    /// "2024-04-01" }` stands for a date each month.
    #[serde(deserialize_with = "super::dates::deserialize")]
    #[cfg_attr(feature = "schema", schemars(with = "super::dates::Dates"))]
    pub as_of: Vec<AsOf>,
    /// How many cases a list has: what the figures "at capacity" are about.
    pub capacity: Capacity,
    /// The trainer and its settings.
    #[serde(default = "default_trainer")]
    pub trainer: Trainer,
    /// How families are kept from being trained and tested on at once.
    #[serde(default = "default_families")]
    pub families: FamilyRule,
    /// Resamples of the bootstrap.
    #[serde(default = "default_resamples")]
    #[cfg_attr(feature = "schema", schemars(range(min = 39)))]
    pub resamples: u32,
    /// The smallest group that a fairness report shows.
    #[serde(default = "default_minimum_group")]
    pub minimum_group: u32,
    /// How scores are put into bands.
    #[serde(default)]
    pub bands: BandRule,
    /// Whether scores are recalibrated where the backtest finds their chances to be off: they are by
    /// default, because a model trained on earlier years is usually off in the next.
    #[serde(default = "default_recalibrate")]
    pub recalibrate: bool,
    /// How one of several trainers' models is chosen.
    #[serde(default)]
    pub choice: ChoiceRule,
    /// What counts as success, written down before any test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<SuccessBar>,
    /// By which protected characteristics training cases are reweighed, why, and who approved it. None, the
    /// default: cases count alike. Read [`reweigh`] first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Reweighing>,
}

fn default_trainer() -> Trainer {
    Trainer::default()
}

fn default_recalibrate() -> bool {
    true
}

fn default_families() -> FamilyRule {
    FamilyRule::CrossFit(5)
}

fn default_resamples() -> u32 {
    Bootstrap::default().resamples
}

fn default_minimum_group() -> u32 {
    AuditParams::at_release().minimum
}

impl Project {
    /// The same, counting as the project's `mitigation` says: what models are trained on and tested with.
    /// Without one it is [`Project::dataset`].
    ///
    /// # Errors
    /// As [`Project::dataset`]; [`Error::Mitigation`] where the cases cannot be reweighed.
    pub fn training_data(&self, records: &Records, protected: &Protected) -> Result<Dataset, Error> {
        self.weighed(self.dataset(records)?, protected)
    }

    /// Data of the project's cases, counting as its `mitigation` says.
    ///
    /// # Errors
    /// [`Error::Mitigation`] where the cases cannot be reweighed.
    pub fn weighed(&self, data: Dataset, protected: &Protected) -> Result<Dataset, Error> {
        match &self.training.mitigation {
            None => Ok(data),
            Some(asked) => Ok(reweigh(&data, protected, asked, &self.audit_params())?),
        }
    }

    /// What the project's mitigation does with a trainer, before and after; `None` where it has none. And
    /// what shares of the places would do with lists of the model so trained, where they are given.
    ///
    /// It trains some models more, which is why [`Project::train`] does not do it by itself.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn mitigation_reports(
        &self,
        records: &Records,
        protected: &Protected,
        trainer: &Trainer,
        shares: Option<&CapacityShares>,
    ) -> Result<Vec<MitigationReport>, Error> {
        if self.training.mitigation.is_none() && shares.is_none() {
            return Ok(Vec::new());
        }
        self.mitigation_reports_on(&self.training_data(records, protected)?, protected, trainer, shares)
    }

    /// The same with [training data](Project::training_data) that are there already.
    ///
    /// # Errors
    /// As [`Project::mitigation_reports`].
    pub fn mitigation_reports_on(
        &self,
        data: &Dataset,
        protected: &Protected,
        trainer: &Trainer,
        shares: Option<&CapacityShares>,
    ) -> Result<Vec<MitigationReport>, Error> {
        let mut reports = Vec::new();
        if self.training.mitigation.is_none() && shares.is_none() {
            return Ok(reports);
        }
        self.watch.stage("mitigation, before and after");
        let plan = self.backtest_plan()?;
        let trial = MitigationTrial { data, trainer, plan: &plan, protected, params: self.audit_params() };
        if let Some(asked) = &self.training.mitigation {
            reports.push(trial.of_reweighing(asked)?);
        }
        if let Some(shares) = shares {
            reports.push(trial.of_shares(shares)?);
        }
        Ok(reports)
    }

    /// Trains a model on all training dates, backtests the same training on the past, and checks the
    /// backtest's lists for fairness. Where the project has a mitigation, cases count as it says, in the backtest
    /// by each split's own training cases;
    /// [`Project::mitigation_reports`] shows what that does.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn train(
        &self,
        records: &Records,
        protected: &Protected,
        trainer: &Trainer,
    ) -> Result<AuditedModel, Error> {
        let (candidate, backtest) = self.test(records, protected, trainer)?;
        self.watch.stage("fairness check");
        self.audit(candidate, &backtest, protected)
    }

    /// Trains a model on all training dates and backtests the same training on the past; where the project
    /// wants that, both are recalibrated. The backtest holds the scored test cases: what a full
    /// [audit](crate::fairness::audit) is made from.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn test(
        &self,
        records: &Records,
        protected: &Protected,
        trainer: &Trainer,
    ) -> Result<(Candidate, Backtest), Error> {
        self.watch.stage("features and outcomes");
        self.test_on(&self.training_data(records, protected)?, records, trainer)
    }

    /// The same with [training data](Project::training_data) that are there already, of these records.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn test_on(
        &self,
        data: &Dataset,
        records: &Records,
        trainer: &Trainer,
    ) -> Result<(Candidate, Backtest), Error> {
        let stage = |what: &str| self.watch.stage(what);
        stage("digests of the sources");
        let context = self.context(records, data);
        stage("training");
        let candidate = Candidate::train(data, trainer, context)?;
        stage("backtest");
        let backtest = Backtest::run(&candidate, data, &self.backtest_plan()?)?;
        let backtest = self.with_known(backtest, records)?;
        self.recalibrate(candidate, backtest)
    }

    /// Trains and backtests several trainers on the same splits, chooses one by the project's rule, and
    /// checks it for fairness. Where somebody [has a clock](super::Progress::cpu_seconds), it also says how long
    /// each took to train.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn compare(
        &self,
        records: &Records,
        protected: &Protected,
        trainers: &[Trainer],
    ) -> Result<(ModelComparison, AuditedModel), Error> {
        self.watch.stage("features and outcomes");
        self.compare_on(&self.training_data(records, protected)?, (records, protected), trainers)
    }

    /// The same with [training data](Project::training_data) that are there already, of these records.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn compare_on(
        &self,
        data: &Dataset,
        (records, protected): (&Records, &Protected),
        trainers: &[Trainer],
    ) -> Result<(ModelComparison, AuditedModel), Error> {
        let stage = |what: &str| self.watch.stage(what);
        stage("digests of the sources");
        let context = self.context(records, data);
        let plan = self.backtest_plan()?;
        let mut tested = Vec::new();
        let mut entrants = Vec::new();
        for trainer in trainers {
            stage(&format!("training: {}", trainer.name()));
            let before = self.watch.cpu_seconds();
            let candidate = Candidate::train(data, trainer, context.clone())?;
            let seconds = self.watch.cpu_seconds().zip(before).map(|(after, before)| after - before);
            stage(&format!("backtest: {}", trainer.name()));
            let backtest = Backtest::run(&candidate, data, &plan)?;
            entrants.push(Entrant::new(&candidate, &backtest, seconds)?);
            tested.push((candidate, backtest));
        }
        let rules = tested.first().map(|(_, backtest)| backtest.report().rules.clone()).unwrap_or_default();
        let backtests: Vec<&Backtest> = tested.iter().map(|(_, backtest)| backtest).collect();
        let comparison = ModelComparison::new(entrants, rules, self.training.choice)?.paired(&backtests)?;
        let (candidate, backtest) = tested.swap_remove(comparison.chosen);
        let backtest = self.with_known(backtest, records)?;
        stage("fairness check");
        let (candidate, backtest) = self.recalibrate(candidate, backtest)?;
        Ok((comparison, self.audit(candidate, &backtest, protected)?))
    }

    /// Recalibrates a tested candidate and its backtest, where the project wants that.
    ///
    /// # Errors
    /// [`Error::Evaluate`] where the backtest is of another candidate, or cannot be measured again.
    pub fn recalibrate(
        &self,
        candidate: Candidate,
        backtest: Backtest,
    ) -> Result<(Candidate, Backtest), Error> {
        if !self.training.recalibrate {
            return Ok((candidate, backtest));
        }
        let (backtest, candidate) = backtest.recalibrated(candidate)?;
        Ok((candidate, backtest))
    }

    /// Checks a tested candidate's lists for fairness, and puts candidate and evidence together.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn audit(
        &self,
        candidate: Candidate,
        backtest: &Backtest,
        protected: &Protected,
    ) -> Result<AuditedModel, Error> {
        let params = self.audit_params();
        let audit = FairnessAudit::of(backtest, protected, &params)?;
        Ok(AuditedModel::new(candidate, backtest, &audit)?)
    }

    /// Whether a model meets the project's success bar; `None` where the project has none.
    #[must_use]
    pub fn success(&self, model: &AuditedModel) -> Option<BarReport> {
        self.training.success.map(|bar| bar.check(model.backtest()))
    }

    fn context(&self, records: &Records, data: &Dataset) -> TrainingContext {
        let mut sources = self.source_digests(records);
        let mut cannot_see = self.cannot_see.clone();
        for (table, as_of, digest) in data.tables() {
            sources.push(SourceDigest { source: (*table).to_owned(), as_of: *as_of, digest: digest.clone() });
        }
        if !data.tables().is_empty() {
            cannot_see.push(
                "Whether a source has changed since the model was trained: it was trained on features that were computed in SQL, and nothing \
                 is known of the records behind them"
                    .to_owned(),
            );
        }
        TrainingContext { sources, seed: self.seed, protected: self.protected_names(), cannot_see }
    }

    /// The backtest that the project asks for.
    ///
    /// # Errors
    /// [`Error::Evaluate`] where the dates lie too close together to test anything.
    pub fn backtest_plan(&self) -> Result<BacktestPlan, Error> {
        let training = &self.training;
        let plan = BacktestPlan::expanding(&training.as_of, self.outcome.horizon, training.capacity)?
            .seen_by(&self.cohort, self.outcome.horizon)?;
        let bootstrap = Bootstrap { resamples: training.resamples, seed: self.seed };
        Ok(BacktestPlan { families: training.families, bootstrap, bands: training.bands.clone(), ..plan })
    }

    fn source_digests(&self, records: &Records) -> Vec<SourceDigest> {
        let digests_at = |&as_of: &AsOf| {
            let digests = records.as_of(as_of).digests();
            digests.into_iter().map(move |(source, digest)| SourceDigest { source, as_of, digest })
        };
        self.training.as_of.iter().flat_map(digests_at).collect()
    }
}
