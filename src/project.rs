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

mod check;
mod counted;
mod dates;
mod doubts;
mod editing;
mod full_audit;
mod init;
mod inputs;
mod keys;
mod known;
mod looking;
mod progress;
mod pseudonyms;
mod quality;
mod queries;
mod reading;
#[cfg(feature = "schema")]
mod schema;
mod simulation;
mod source;
mod timeliness;
mod training;

pub use check::Checked;
pub use editing::{ChangedVerdict, Edited};
pub use full_audit::FullAudit;
pub use init::{DraftParams, Layout, ProjectDraft};
pub use progress::Progress;
pub use pseudonyms::PseudonymsBy;
pub use quality::{
    CohortAtDate, DataQuality, FindingWeight, LeftOutBy, ModelAtTheDoor, MonthOfRows, NamedCount, Names,
    Overlap, OverlapShare, QualityFinding, RejectGroup, ShownCount, TableQuality, Timeliness,
};
pub use simulation::{
    AtCapacity, DateOutcomes, FoundApart, KnownPlaces, ListResults, ListsApart, ListsFigures, MeasuredOn,
    RightOf, SimulatedDate, SimulatedList, Simulation, SimulationParams, Workload,
};
pub use source::{CodesFile, JoinFile, RuledCodes};
pub use training::Training;

use self::progress::Watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::calendar::{AsOf, Day};
use crate::cohort::{Cohort, CohortSpec, Unit};
use crate::dataset::Dataset;
use crate::error::{Error, EvaluateError, MitigationError, ProjectError, RecordsError, SpecError};
use crate::evaluate::Capacity;
use crate::fairness::ProtectedColumns;
use crate::fairness::label::ReferralSource;
use crate::features::{FeatureSpec, FeatureTemplate};
use crate::known_to::KnownTo;
use crate::ledger::holds_password;
use crate::limits;
use crate::outcome::OutcomeSpec;
use crate::records::{
    Coverage, DEFAULT_REJECT_LIMIT, EventColumns, HouseholdColumns, IdentityColumns, MemoryLimit,
    PeopleColumns, ReadOptions, Records, Selector, one_or_many,
};
use crate::review::{Among, ListParams, RandomSample, ReviewRules};
use crate::scoring::OnePer;
use crate::stats::Bootstrap;

/// What the tables are called that are no sources: no source can have such a name.
const RESERVED: [&str; 4] = ["people", "households", "protected", "identities"];

/// The purpose of a draft, until somebody decides it.
const UNDECIDED: &str = "To be decided";

/// A project file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub reject_limit: f64,
    /// What the model cannot see, in plain words: shown with every score.
    #[serde(default)]
    pub cannot_see: Vec<String>,
    /// The address of the database in which tables with a `query` are asked for: `postgresql://HOST/DATABASE`, without a password.
    /// Whoever runs the project has to allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Whose the ids of several systems are, and which ids were merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<FileOf<IdentityColumns>>,
    /// The key by which ids become pseudonyms while they are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonyms: Option<PseudonymsBy>,
    /// The list of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<FileOf<PeopleColumns>>,
    /// Who belonged to which household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub households: Option<FileOf<HouseholdColumns>>,
    /// Protected characteristics, for audit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<FileOf<ProtectedColumns>>,
    /// The sources of dated records. Once loaded, in the order of their names.
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
    /// Where referrals come from, so that an audit says how far the label is fed by the model's own list. It
    /// needs [`helped`](Self::helped).
    #[serde(default, rename = "referral", skip_serializing_if = "Vec::is_empty")]
    pub referrals: Vec<ReferralSource>,
    /// What means that a service is working with a case already: marked on a list, and told of the backtest's lists. No
    /// model reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_to: Vec<KnownTo>,
    /// Dates, trainer and how the result is tested.
    pub training: Training,
    /// How monthly lists are drawn.
    #[serde(default)]
    pub list: ListRules,
    /// How the team works on them.
    #[serde(default, skip_serializing_if = "ReviewRules::is_default")]
    pub review: ReviewRules,
    /// The folder that paths are relative to.
    #[serde(skip)]
    folder: PathBuf,
    /// The folder that paths of extracts are relative to, if another.
    #[serde(skip)]
    extracts: Option<PathBuf>,
    /// Folders besides these whose files it may read: said by whoever runs it, and not by the file.
    #[serde(skip)]
    may_read: Vec<PathBuf>,
    /// The day on which extracts are read.
    #[serde(skip)]
    read_on: Option<Day>,
    /// How much memory records may take.
    #[serde(skip)]
    memory: Option<MemoryLimit>,
    /// The folder of what was read before.
    #[serde(skip)]
    store: Option<PathBuf>,
    /// Who is told how far it has come.
    #[serde(skip)]
    watch: Watch,
}

fn default_seed() -> u64 {
    1
}

fn default_reject_limit() -> f64 {
    DEFAULT_REJECT_LIMIT
}

/// A file and what its columns mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "FileOf{Columns}"))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileOf<Columns> {
    /// The file, or a folder of Parquet files; or several.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::records::OneOrMany<PathBuf>"))]
    pub path: Vec<PathBuf>,
    /// In place of files, one SELECT in the project's [`database`](Project::database).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How its text is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// The columns.
    pub columns: Columns,
    /// Lists of codes, by the column that they translate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<String, CodesFile>,
    /// Look-up tables that columns come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<JoinFile>,
}

/// How monthly lists are drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ListRules {
    /// Whom a place is for. The default: a household.
    pub one_per: OnePer,
}

/// A source of dated records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceFile {
    /// The name features refer to.
    pub name: String,
    /// The file, or a folder of Parquet files; or several.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::records::OneOrMany<PathBuf>"))]
    pub path: Vec<PathBuf>,
    /// In place of files, one SELECT in the project's [`database`](Project::database).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How its text is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// The columns.
    pub columns: EventColumns,
    /// Lists of codes, by the column that they translate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<String, CodesFile>,
    /// Look-up tables that columns come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<JoinFile>,
    /// For when and for whom its silence means that nothing happened.
    #[serde(default)]
    pub coverage: Coverage,
}

impl Project {
    /// Reads a project file.
    ///
    /// # Errors
    /// [`ProjectError`] where it cannot be read, is not a project, maps a protected characteristic, or names
    /// sources of referrals without saying which records mean help;
    /// [`SpecError`] where a feature is wrong or reads a protected characteristic; [`MitigationError`] where
    /// cases are to be reweighed by a characteristic that is not held.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = limits::read_text(path, limits::SETTINGS_BYTES)
            .map_err(|error| ProjectError::Read { path: path.to_owned(), why: error.to_string() })?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a project's text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn from_toml(text: &str, folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let mut project: Self = toml::from_str(text).map_err(|error| {
            // The line that is shown may be one with an address.
            let shown = error.to_string();
            if holds_password(&shown) {
                return ProjectError::ParseUnseen;
            }
            ProjectError::Parse(keys::with_near_miss(&limits::shortened(&shown)))
        })?;
        project.folder = folder.into();
        // The order in which somebody wrote them down is no part of any paper.
        project.sources.sort_by(|a, b| a.name.cmp(&b.name));
        project.check_ranges()?;
        project.check_queries()?;
        project.features()?;
        project.check_mappings()?;
        project.check_known_to()?;
        project.review.check()?;
        project.check_mitigation()?;
        if !project.referrals.is_empty() && project.helped.is_empty() {
            return Err(ProjectError::ReferralsWithoutHelp.into());
        }
        Ok(project)
    }

    /// The same project, whose extracts are read on this day: a record of a later one was mistyped, and is rejected. See
    /// [`RecordsBuilder::read_on`](crate::records::RecordsBuilder::read_on).
    #[must_use]
    pub fn read_on(mut self, day: Day) -> Self {
        self.read_on = Some(day);
        self
    }

    /// The same project, whose records may take so much memory; those that do not fit wait on disk. Nothing that comes out
    /// depends on it. See [`MemoryLimit`].
    #[must_use]
    pub fn memory(mut self, limit: MemoryLimit) -> Self {
        self.memory = Some(limit);
        self
    }

    /// The same project, whose sources are taken from a store where nothing that they are read from has changed, and kept there
    /// where it has. See [`RecordStore`](crate::records::RecordStore).
    #[must_use]
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Self {
        self.store = Some(folder.into());
        self
    }

    /// The same project, whose extracts are read from another folder: last month's project over this month's files. The
    /// paths of extracts are taken from there; lists of codes, look-up tables that are a `file`, and keys stay with the project.
    ///
    /// # Errors
    /// [`ProjectError::Range`] where a path in the project is absolute, so that it would still lead to the old file;
    /// [`ProjectError::Folder`] where there is no such folder.
    pub fn extracts_in(mut self, folder: impl Into<PathBuf>) -> Result<Self, ProjectError> {
        let folder = folder.into();
        if !folder.is_dir() {
            return Err(ProjectError::Folder {
                path: folder,
                why: "there is no such folder of extracts".to_owned(),
            });
        }
        let of_identities = self.identities.iter().flat_map(|file| &file.path);
        let of_people = self.people.iter().flat_map(|file| &file.path);
        let of_households = self.households.iter().flat_map(|file| &file.path);
        let of_protected = self.protected.iter().flat_map(|file| &file.path);
        let of_sources = self.sources.iter().flat_map(|source| &source.path);
        let of_joins = self.joins().filter_map(|join| join.path.as_ref());
        let of_who = of_identities.chain(of_people).chain(of_households).chain(of_protected);
        let absolute = of_who.chain(of_sources).chain(of_joins).find(|path| path.is_absolute()).cloned();
        if let Some(path) = absolute {
            let why = format!(
                "{} is absolute, so it leads to the same file whatever the folder of extracts; write it as it is seen from the \
                 project file",
                path.display()
            );
            return Err(ProjectError::Range { key: "path", why });
        }
        self.extracts = Some(folder);
        Ok(self)
    }

    /// The same project, which may read files below this folder, too. A project reads what lies below its own folder and below
    /// that of its extracts ([`Project::extracts_in`]), wherever links lead; what else it names is refused, since a file that
    /// somebody sent could name any that its reader may open. So a project cannot allow itself anything: its caller does.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-may-read");
    /// let project = Project::load(council.write(&folder, Format::Csv)?)?;
    /// let codes = folder.join("../codes");
    /// assert!(project.may_read(codes).records().is_ok()); // nothing of it lies there: no matter
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    #[must_use]
    pub fn may_read(mut self, folder: impl Into<PathBuf>) -> Self {
        self.may_read.push(folder.into());
        self
    }

    /// The same project, which tells `progress` what it is doing and how many rows it has read.
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::sync::Arc;
    ///
    /// use earlyhelp::project::{Progress, Project};
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// struct Rows(Arc<AtomicU64>);
    ///
    /// impl Progress for Rows {
    ///     fn stage(&self, _what: &str) {}
    ///
    ///     fn rows(&self, _source: &str, rows: u64) {
    ///         self.0.fetch_add(rows, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-on-progress");
    /// let rows = Arc::new(AtomicU64::new(0));
    /// let project = Project::load(council.write(&folder, Format::Csv)?)?.on_progress(Rows(rows.clone()));
    ///
    /// let records = project.records()?;
    /// let of_sources = records.sources().filter_map(|(name, ..)| {
    ///     records.intake().iter().find(|intake| intake.source == name)
    /// });
    /// assert_eq!(rows.load(Ordering::Relaxed), of_sources.map(|intake| intake.read).sum::<u64>());
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    #[must_use]
    pub fn on_progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watch = Watch::by(progress);
        self
    }

    /// Refuses numbers that cannot be, before anything is read.
    fn check_ranges(&self) -> Result<(), ProjectError> {
        if !(0.0..=1.0).contains(&self.reject_limit) {
            let why = RecordsError::RejectLimit(self.reject_limit).to_string();
            return Err(ProjectError::Range { key: "reject_limit", why });
        }
        if let Some(source) = self.sources.iter().find(|source| RESERVED.contains(&source.name.as_str())) {
            let why = format!(
                "\"{}\" is what this table of every project is called; give the source another name",
                source.name
            );
            return Err(ProjectError::Range { key: "source.name", why });
        }
        self.joins().try_for_each(JoinFile::check)?;
        let of_family = self.protected.as_ref().and_then(|file| file.columns.of_family);
        if of_family.is_some() && (self.cohort.unit != Unit::Family || self.households.is_none()) {
            let why =
                "it is for a cohort of families (`unit = \"family\"`) with `[households]`; leave it out"
                    .into();
            return Err(ProjectError::Range { key: "protected.columns.of_family", why });
        }
        let bootstrap = Bootstrap { resamples: self.training.resamples, seed: self.seed };
        bootstrap
            .check()
            .map_err(|error| ProjectError::Range { key: "training.resamples", why: error.to_string() })?;
        let of_capacity =
            |error: EvaluateError| ProjectError::Range { key: "training.capacity", why: error.to_string() };
        self.training.capacity.check().map_err(of_capacity)
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
        let is_protected = |column: &str| protected.iter().any(|name| name.eq_ignore_ascii_case(column));
        // By whatever name it stands in a file: as an alias, or in a table that is joined.
        let read = |source: &SourceFile| -> Vec<String> {
            let own = source.columns.readable();
            let behind = own.clone().flat_map(|column| source.behind(column));
            own.map(str::to_owned).chain(behind).collect()
        };
        self.sources.iter().try_for_each(|source| {
            match read(source).iter().find(|column| is_protected(column)) {
                None => Ok(()),
                Some(column) => {
                    Err(ProjectError::Protected { extract: source.name.clone(), column: column.to_owned() })
                }
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
            if features.len() > limits::FEATURES {
                break; // which the spec refuses
            }
        }
        let spec = FeatureSpec::new(features)?;
        spec.check_protected(&self.protected_names())?;
        Ok(spec)
    }

    /// Chooses the cohort of a date.
    ///
    /// # Errors
    /// [`Error::Spec`] where a rule does not fit the records, or nobody passes.
    pub fn cohort<'r>(&self, records: &'r Records, as_of: AsOf) -> Result<Cohort<'r>, Error> {
        Ok(self.cohort.choose(&records.as_of(as_of))?)
    }

    /// How a list of the project is drawn: a place for whom the project says, with so many cases at random beside them, drawn by the
    /// project's seed.
    #[must_use]
    pub fn list_params(&self, capacity: Capacity, at_random: u32, among: Among) -> ListParams {
        let params = ListParams::new(capacity).one_per(self.list.one_per).among(among);
        match at_random {
            0 => params,
            cases => params.comparison(RandomSample { cases, seed: self.seed }),
        }
    }

    /// Features and outcomes of all training dates.
    ///
    /// # Errors
    /// [`Error::Spec`] or [`Error::Dataset`] where something does not fit the records, or names records of which
    /// there is none: what an audit of the model will ask for among it.
    pub fn dataset(&self, records: &Records) -> Result<Dataset, Error> {
        let mut faults = self.help_faults(records).into_iter().chain(self.known_faults(records));
        faults.next().map_or(Ok(()), Err)?;
        let cohorts = self
            .training
            .as_of
            .iter()
            .map(|&as_of| self.cohort(records, as_of))
            .collect::<Result<Vec<_>, _>>()?;
        Dataset::build(&self.features()?, &self.outcome, &cohorts)
    }

    /// Choices of records for `helped` and `referral` that match none.
    fn help_faults(&self, records: &Records) -> Vec<SpecError> {
        let helped = self.helped.iter().map(|selector| (selector, "helped".to_owned()));
        let referrals = self.referrals.iter().flat_map(|source| {
            source.records.iter().map(|selector| (selector, format!("referral {}", source.name)))
        });
        helped.chain(referrals).filter_map(|(selector, of)| selector.check(records, &of).err()).collect()
    }

    fn protected_names(&self) -> Vec<String> {
        self.protected
            .iter()
            .flat_map(|file| file.columns.characteristics.iter().chain(&file.columns.not_held).cloned())
            .collect()
    }

    /// The look-up tables of all tables.
    fn joins(&self) -> impl Iterator<Item = &JoinFile> {
        let of_people = self.people.iter().flat_map(|file| &file.join);
        let of_households = self.households.iter().flat_map(|file| &file.join);
        let of_protected = self.protected.iter().flat_map(|file| &file.join);
        let of_sources = self.sources.iter().flat_map(|source| &source.join);
        of_people.chain(of_households).chain(of_protected).chain(of_sources)
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
    fn numbers_that_cannot_be_are_refused_when_the_project_is_loaded() {
        for limit in ["nan", "inf", "2.0", "-1.0", "-inf"] {
            let told = load_with("seed = 1", &format!("reject_limit = {limit}")).unwrap_err().to_string();
            assert!(told.contains("reject_limit") && told.contains("from 0 to 1"), "{told}");
        }
        for capacity in ["share = 0.0", "share = nan", "share = 5.0", "cases = 0", "cases = -1"] {
            let refused = load_with("capacity = { share = 0.05 }", &format!("capacity = {{ {capacity} }}"));
            assert!(matches!(refused, Err(Error::Project(_))), "{capacity}");
        }
        let told = load_with("over = [\"365 days\"]", "over = [\"200000 months\"]").unwrap_err().to_string();
        assert!(told.contains("1 to 1200 months"), "{told}");
        let told =
            load_with("horizon = \"12 months\"", "horizon = \"200000 months\"").unwrap_err().to_string();
        assert!(told.contains("1 to 1200 months"), "{told}");
    }

    #[test]
    fn sources_of_referrals_are_refused_where_nobody_says_what_help_is() {
        let referral = "[[referral]]\nname = \"school\"\nrecords = [{ source = \"contacts\" }]\n\n[training]";
        let refused = load_with("[training]", referral);
        assert!(matches!(refused, Err(Error::Project(ProjectError::ReferralsWithoutHelp))));
        let with_help = format!("[[helped]]\nsource = \"plans\"\n\n{referral}");
        assert_eq!(load_with("[training]", &with_help).unwrap().referrals.len(), 1);
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
