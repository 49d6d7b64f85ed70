//! The project file: one TOML text that binds extracts, cohort, features, outcome and dates together.
//!
//! Everything that a training or scoring run rests on stands in it, so that a run can be read, reviewed
//! and repeated. Paths are relative to the file. The `earlyhelp` command is a thin reader of it.
//!
//! # Examples
//! ```
//! use earlyhelp::project::Project;
//!
//! let project = Project::from_toml(
//!     r#"
//! name = "Early help"
//! purpose = "Offer early help to families"
//!
//! [[source]]
//! name = "contacts"
//! path = "contacts.csv"
//! columns = { entity = "person_id", kind = { constant = "contact" }, occurred = "date" }
//!
//! [cohort]
//! ages = [0, 16]
//!
//! [[feature]]
//! source = "contacts"
//! measure = "count"
//! over = ["90 days", "365 days"]
//!
//! [outcome]
//! name = "contact_again"
//! words = "Another contact within a year"
//! horizon = "12 months"
//! records = [{ source = "contacts" }]
//!
//! [training]
//! as_of = ["2022-04-01", "2023-04-01"]
//! capacity = { cases = 50 }
//! "#,
//!     ".",
//! )?;
//! assert_eq!(project.features()?.features().len(), 2);
//! # Ok::<(), earlyhelp::Error>(())
//! ```

mod full_audit;

pub use full_audit::FullAudit;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::calendar::AsOf;
use crate::cohort::{Cohort, CohortSpec};
use crate::dataset::{Dataset, Reweighing};
use crate::error::{Error, MitigationError, ProjectError, SpecError};
use crate::evaluate::{
    Backtest, BacktestPlan, BandRule, BarReport, Bootstrap, Capacity, ChoiceRule, Entrant, FamilyRule,
    ModelComparison, SuccessBar,
};
use crate::fairness::{
    CapacityShares, FairnessAudit, FairnessParams, MitigationReport, Protected, ProtectedColumns, reweigh,
};
use crate::features::{FeatureSpec, FeatureTemplate};
use crate::model::{Candidate, SourceDigest, Trainer, TrainingContext};
use crate::outcome::OutcomeSpec;
use crate::records::{
    Coverage, DEFAULT_REJECT_LIMIT, EventColumns, Extract, HouseholdColumns, PeopleColumns, ReadOptions,
    Records, Selector, SourceMapping,
};
use crate::scoring::AuditedModel;

/// A project file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// What it is called in reports.
    pub name: String,
    /// What scores are for. A release is signed for a purpose; this is the one proposed.
    pub purpose: String,
    /// The seed of every random choice: folds, resamples, comparison samples.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The largest share of a source's rows that may be rejected.
    #[serde(default = "default_reject_limit")]
    pub reject_limit: f64,
    /// What the model cannot see, in plain words: shown with every score.
    #[serde(default)]
    pub cannot_see: Vec<String>,
    /// The list of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<FileOf<PeopleColumns>>,
    /// Who belonged to which household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub households: Option<FileOf<HouseholdColumns>>,
    /// Protected characteristics, for audit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<FileOf<ProtectedColumns>>,
    /// The sources of dated records.
    #[serde(rename = "source")]
    pub sources: Vec<SourceFile>,
    /// Who is asked about.
    #[serde(default)]
    pub cohort: CohortSpec,
    /// The features.
    #[serde(rename = "feature")]
    pub features: Vec<FeatureTemplate>,
    /// The outcome.
    pub outcome: OutcomeSpec,
    /// Records which mean that help was given. An audit then tells outcomes among those helped within the
    /// horizon and those not helped apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helped: Vec<Selector>,
    /// Dates, trainer and how the result is tested.
    pub training: Training,
    /// The folder that paths are relative to.
    #[serde(skip)]
    folder: PathBuf,
}

fn default_seed() -> u64 {
    1
}

fn default_reject_limit() -> f64 {
    DEFAULT_REJECT_LIMIT
}

/// A file and what its columns mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOf<Columns> {
    /// The file, or a folder of Parquet files.
    pub path: PathBuf,
    /// How its text is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// The columns.
    pub columns: Columns,
}

/// A source of dated records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// The name features refer to.
    pub name: String,
    /// The file, or a folder of Parquet files.
    pub path: PathBuf,
    /// How its text is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// The columns.
    pub columns: EventColumns,
    /// For when and for whom its silence means that nothing happened.
    #[serde(default)]
    pub coverage: Coverage,
}

/// How a model is trained and tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The as-of dates. The backtest tests on each date by which the outcomes of earlier ones were known;
    /// the released model learns from all.
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
    pub resamples: u32,
    /// The smallest group that a fairness report shows.
    #[serde(default = "default_minimum_group")]
    pub minimum_group: u32,
    /// How scores are put into bands.
    #[serde(default)]
    pub bands: BandRule,
    /// Whether scores are put on another footing where the backtest finds chances off: they are by
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
    FairnessParams::default().minimum_group
}

impl Project {
    /// Reads a project file.
    ///
    /// # Errors
    /// [`ProjectError`] where it cannot be read, is not a project, or maps a protected characteristic;
    /// [`SpecError`] where a feature is wrong or reads a protected characteristic; [`MitigationError`] where
    /// cases are to be reweighed by a characteristic that is not held.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ProjectError::Read { path: path.to_owned(), why: error.to_string() })?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a project's text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn from_toml(text: &str, folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let mut project: Self =
            toml::from_str(text).map_err(|error| ProjectError::Parse(error.to_string()))?;
        project.folder = folder.into();
        project.features()?;
        project.check_mappings()?;
        project.check_mitigation()?;
        Ok(project)
    }

    /// Refuses to reweigh by what is not declared as a held characteristic, before anything is read.
    fn check_mitigation(&self) -> Result<(), MitigationError> {
        let Some(asked) = &self.training.mitigation else { return Ok(()) };
        let columns = self.protected.as_ref().map(|file| &file.columns);
        let is_in = |name: &String, of: fn(&ProtectedColumns) -> &Vec<String>| {
            columns.is_some_and(|columns| of(columns).contains(name))
        };
        asked.reweigh.iter().try_for_each(|name| {
            if is_in(name, |columns| &columns.characteristics) {
                Ok(())
            } else if is_in(name, |columns| &columns.not_held) {
                Err(MitigationError::NotHeld(name.clone()))
            } else {
                Err(MitigationError::Unknown(name.clone()))
            }
        })
    }

    /// Refuses a source whose kinds, values, roles or categories come from a protected column.
    fn check_mappings(&self) -> Result<(), ProjectError> {
        let protected = self.protected_names();
        let is_protected = |column: &&str| protected.iter().any(|name| name.eq_ignore_ascii_case(column));
        self.sources.iter().try_for_each(|source| match source.columns.readable().find(is_protected) {
            None => Ok(()),
            Some(column) => {
                Err(ProjectError::Protected { extract: source.name.clone(), column: column.to_owned() })
            }
        })
    }

    /// The features, each window and scope on its own.
    ///
    /// # Errors
    /// [`SpecError`] where one contradicts itself, two have one name, or one reads a protected
    /// characteristic.
    pub fn features(&self) -> Result<FeatureSpec, SpecError> {
        let mut features = Vec::new();
        for template in &self.features {
            features.extend(template.expand()?);
        }
        let spec = FeatureSpec::new(features)?;
        spec.check_protected(&self.protected_names())?;
        Ok(spec)
    }

    /// Reads and validates all extracts. `progress` is told the source and how many more of its rows
    /// were read.
    ///
    /// # Errors
    /// [`Error::Records`] where an extract cannot be used.
    pub fn records(&self, progress: impl FnMut(&str, u64)) -> Result<Records, Error> {
        let mut builder = Records::builder().reject_limit(self.reject_limit).progress(progress);
        if let Some(people) = &self.people {
            builder = builder.people(people.columns.clone(), self.extract(&people.path, &people.read));
        }
        if let Some(households) = &self.households {
            let extract = self.extract(&households.path, &households.read);
            builder = builder.households(households.columns.clone(), extract);
        }
        for source in &self.sources {
            let mapping = SourceMapping {
                name: source.name.clone(),
                columns: source.columns.clone(),
                coverage: source.coverage.clone(),
            };
            builder = builder.source(mapping, self.extract(&source.path, &source.read));
        }
        Ok(builder.build()?)
    }

    /// Reads the protected characteristics, for audit alone.
    ///
    /// # Errors
    /// [`Error::Records`] where the file cannot be used.
    pub fn protected(&self) -> Result<Protected, Error> {
        Ok(match &self.protected {
            None => Protected::none(Vec::new()),
            Some(file) => Protected::read(&file.columns, self.extract(&file.path, &file.read))?,
        })
    }

    /// Chooses the cohort of a date.
    ///
    /// # Errors
    /// [`Error::Spec`] where a rule does not fit the records, or nobody passes.
    pub fn cohort<'r>(&self, records: &'r Records, as_of: AsOf) -> Result<Cohort<'r>, Error> {
        Ok(self.cohort.choose(&records.as_of(as_of))?)
    }

    /// Features and outcomes of all training dates.
    ///
    /// # Errors
    /// [`Error::Spec`] or [`Error::Dataset`] where something does not fit the records.
    pub fn dataset(&self, records: &Records) -> Result<Dataset, Error> {
        let cohorts = self
            .training
            .as_of
            .iter()
            .map(|&as_of| self.cohort(records, as_of))
            .collect::<Result<Vec<_>, _>>()?;
        Dataset::build(&self.features()?, &self.outcome, &cohorts)
    }

    /// The same, counting as the project's `mitigation` says: what models are trained on and tested with.
    /// Without one it is [`Project::dataset`].
    ///
    /// # Errors
    /// As [`Project::dataset`]; [`Error::Mitigation`] where the cases cannot be reweighed.
    pub fn training_data(&self, records: &Records, protected: &Protected) -> Result<Dataset, Error> {
        let data = self.dataset(records)?;
        match &self.training.mitigation {
            None => Ok(data),
            Some(asked) => Ok(reweigh(&data, protected, asked, &self.fairness_params())?),
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
        let mut reports = Vec::new();
        if self.training.mitigation.is_none() && shares.is_none() {
            return Ok(reports);
        }
        let (data, plan) = (self.training_data(records, protected)?, self.backtest_plan()?);
        let params = self.fairness_params();
        if let Some(asked) = &self.training.mitigation {
            reports.push(MitigationReport::of_reweighing(&data, trainer, &plan, protected, asked, &params)?);
        }
        if let Some(shares) = shares {
            reports.push(MitigationReport::of_shares(&data, trainer, &plan, protected, shares, &params)?);
        }
        Ok(reports)
    }

    fn fairness_params(&self) -> FairnessParams {
        FairnessParams { minimum_group: self.training.minimum_group }
    }

    /// Trains a model on all training dates, backtests the same training on the past, and checks the
    /// backtest's lists for fairness. `stage` is told what is being done. Where the project has a
    /// mitigation, cases count as it says, in the backtest by each split's own training cases;
    /// [`Project::mitigation_reports`] shows what that does.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn train(
        &self,
        records: &Records,
        protected: &Protected,
        trainer: &Trainer,
        mut stage: impl FnMut(&str),
    ) -> Result<AuditedModel, Error> {
        let (candidate, backtest) = self.test(records, protected, trainer, &mut stage)?;
        stage("fairness check");
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
        mut stage: impl FnMut(&str),
    ) -> Result<(Candidate, Backtest), Error> {
        stage("features and outcomes");
        let data = self.training_data(records, protected)?;
        stage("digests of the sources");
        let context = self.context(records);
        stage("training");
        let candidate = Candidate::train(&data, trainer, context)?;
        stage("backtest");
        let backtest = Backtest::run(&candidate, &data, &self.backtest_plan()?)?;
        self.recalibrate(candidate, backtest)
    }

    /// Trains and backtests several trainers on the same splits, chooses one by the project's rule, and
    /// checks it for fairness. `cpu` gives the CPU seconds of this process so far, where there is a clock.
    ///
    /// # Errors
    /// The [`Error`] of the stage that fails.
    pub fn compare(
        &self,
        records: &Records,
        protected: &Protected,
        trainers: &[Trainer],
        mut stage: impl FnMut(&str),
        mut cpu: impl FnMut() -> Option<f64>,
    ) -> Result<(ModelComparison, AuditedModel), Error> {
        stage("features and outcomes");
        let data = self.training_data(records, protected)?;
        stage("digests of the sources");
        let context = self.context(records);
        let plan = self.backtest_plan()?;
        let mut tested = Vec::new();
        let mut entrants = Vec::new();
        for trainer in trainers {
            stage(&format!("training: {}", trainer.name()));
            let before = cpu();
            let candidate = Candidate::train(&data, trainer, context.clone())?;
            let seconds = cpu().zip(before).map(|(after, before)| after - before);
            stage(&format!("backtest: {}", trainer.name()));
            let backtest = Backtest::run(&candidate, &data, &plan)?;
            entrants.push(Entrant::new(&candidate, &backtest, seconds)?);
            tested.push((candidate, backtest));
        }
        let rules = tested.first().map(|(_, backtest)| backtest.report().rules.clone()).unwrap_or_default();
        let comparison = ModelComparison::new(entrants, rules, self.training.choice)?;
        let (candidate, backtest) = tested.swap_remove(comparison.chosen);
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
        let params = self.fairness_params();
        let audit = FairnessAudit::of(backtest, protected, &params)?;
        Ok(AuditedModel::new(candidate, backtest, &audit)?)
    }

    /// Whether a model meets the project's success bar; `None` where the project has none.
    #[must_use]
    pub fn success(&self, model: &AuditedModel) -> Option<BarReport> {
        self.training.success.map(|bar| bar.check(model.backtest()))
    }

    fn context(&self, records: &Records) -> TrainingContext {
        TrainingContext {
            sources: self.source_digests(records),
            seed: self.seed,
            protected: self.protected_names(),
            cannot_see: self.cannot_see.clone(),
        }
    }

    /// The backtest that the project asks for.
    ///
    /// # Errors
    /// [`Error::Evaluate`] where the dates lie too close together to test anything.
    pub fn backtest_plan(&self) -> Result<BacktestPlan, Error> {
        let training = &self.training;
        let plan = BacktestPlan::expanding(&training.as_of, self.outcome.horizon, training.capacity)?;
        let bootstrap = Bootstrap { resamples: training.resamples, seed: self.seed };
        Ok(BacktestPlan { families: training.families, bootstrap, bands: training.bands.clone(), ..plan })
    }

    fn source_digests(&self, records: &Records) -> Vec<SourceDigest> {
        let mut digests = Vec::new();
        for &as_of in &self.training.as_of {
            let snapshot = records.as_of(as_of);
            for source in snapshot.sources() {
                let digest = snapshot.digest(source).unwrap_or_default();
                digests.push(SourceDigest { source: source.to_owned(), as_of, digest });
            }
        }
        digests
    }

    fn protected_names(&self) -> Vec<String> {
        self.protected
            .iter()
            .flat_map(|file| file.columns.characteristics.iter().chain(&file.columns.not_held).cloned())
            .collect()
    }

    fn extract(&self, path: &Path, read: &ReadOptions) -> Extract {
        Extract::path(self.folder.join(path)).options(read.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{CouncilParams, Format};

    fn load_with(from: &str, to: &str) -> Result<Project, Error> {
        let text = CouncilParams::new(1_000, 1).generate()?.project_toml(Format::Csv);
        assert!(text.contains(from), "{from}");
        Project::from_toml(&text.replacen(from, to, 1), ".")
    }

    #[test]
    fn a_protected_characteristic_is_refused_when_the_project_is_loaded() {
        assert!(load_with("seed = 1", "seed = 2").is_ok());
        for column in ["ethnicity", "Religion"] {
            let refused = load_with("categories = [\"reason\"]", &format!("categories = [\"{column}\"]"));
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("source suspensions") && told.contains(column), "{told}");
        }
        let refused = load_with("kinds = [\"substance_referral\"]", "where = { sex = [\"female\"] }");
        assert!(matches!(refused, Err(Error::Spec(SpecError::Protected { .. }))));
    }

    #[test]
    fn reweighing_by_what_is_not_held_is_refused_when_the_project_is_loaded() {
        let with = |name: &str| {
            let table = format!(
                "[training.mitigation]\nreweigh = [\"{name}\"]\nreason = \"r\"\napproved_by = \"a\"\n\n[training]"
            );
            load_with("[training]", &table)
        };
        assert!(with("sex").unwrap().training.mitigation.is_some());
        assert!(matches!(with("religion"), Err(Error::Mitigation(MitigationError::NotHeld(_)))));
        assert!(matches!(with("shoe_size"), Err(Error::Mitigation(MitigationError::Unknown(_)))));
        let unsigned = "[training.mitigation]\nreweigh = [\"sex\"]\nreason = \"r\"\n\n[training]";
        let refused = load_with("[training]", unsigned).unwrap_err().to_string();
        assert!(refused.contains("approved_by"), "{refused}");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        for (from, to) in [
            ("reference = \"record_id\"", "referense = \"record_id\""),
            ("help_seeking = true", "help_seaking = true"),
            ("[training]", "[trianing]"),
        ] {
            assert!(matches!(load_with(from, to), Err(Error::Project(ProjectError::Parse(_)))), "{to}");
        }
    }
}
