//! A project: its records, its models, and its lists.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::error::Class;
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::Protected;
use earlyhelp::limits;
use earlyhelp::model::{Candidate, Trainer};
use earlyhelp::project::Project as ProjectFile;
use earlyhelp::records::{Records as Linked, summarise};
use earlyhelp::review::{Among, ReviewList as List};
use earlyhelp::scoring::Request;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Deserialize;

use crate::arrow::{self, Given, Unusable};
use crate::errors::{Fault, working};
use crate::frame::{self, Frame};
use crate::inputs;
use crate::keeping::Written;
use crate::list::ReviewList;
use crate::model::{Model, Released};
use crate::today;

/// A project file.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Project {
    project: ProjectFile,
    /// Its text, of which a run keeps the digest.
    text: String,
}

/// Linked records, and protected characteristics where a program handed them over with them.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Records {
    records: Arc<Linked>,
    protected: Option<Arc<Protected>>,
}

/// How a list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    as_of: AsOf,
    capacity: u32,
    requested_by: String,
    purpose: String,
    at_random: u32,
    not_known: bool,
    /// Source, by whom it is accepted, and why.
    accept: Vec<(String, String, String)>,
    on: Option<Day>,
    because: Option<String>,
}

#[pymethods]
impl Project {
    #[new]
    #[pyo3(signature = (path, extracts, may_read))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        extracts: Option<PathBuf>,
        may_read: Vec<PathBuf>,
    ) -> PyResult<Self> {
        working(py, || {
            let project = ProjectFile::load(&path)?;
            let text = limits::read_text(&path, limits::SETTINGS_BYTES).map_err(|error| {
                Fault::Of(error.class(), format!("cannot read {}: {error}", path.display()))
            })?;
            let mut project = may_read.iter().fold(project, ProjectFile::may_read);
            if let Some(folder) = extracts {
                project = project.extracts_in(folder)?;
            }
            inputs::read(project.input_files().into_iter().chain([path]));
            Ok(Self { project, text })
        })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.project.name
    }

    #[getter]
    fn purpose(&self) -> &str {
        &self.project.purpose
    }

    fn features(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        working(py, || {
            let spec = self.project.features()?;
            Ok(spec.features().iter().map(|feature| feature.name.clone()).collect())
        })
    }

    /// Reads the project's extracts, some of which may be handed over as frames by their names.
    #[pyo3(signature = (tables))]
    fn records(&self, py: Python<'_>, tables: Option<&Bound<'_, PyDict>>) -> PyResult<Records> {
        let mut given = BTreeMap::new();
        for (name, table) in tables.iter().flat_map(|tables| tables.iter()) {
            let name: String = name.extract()?;
            let table = arrow::given(&table).map_err(|fault| fault.of_table(&name).raised(py))?;
            given.insert(name, table);
        }
        working(py, || self.read(given))
    }

    #[pyo3(signature = (records, trainers))]
    fn train(
        &self,
        py: Python<'_>,
        records: Option<PyRef<'_, Records>>,
        trainers: Option<Vec<String>>,
    ) -> PyResult<(Model, Vec<String>)> {
        let held = records.map(|records| records.held());
        working(py, || self.trained(held, trainers))
    }

    /// Runs a model's backtest again; its report as JSON.
    #[pyo3(signature = (model, records))]
    fn backtest(
        &self,
        py: Python<'_>,
        model: &Bound<'_, PyAny>,
        records: Option<PyRef<'_, Records>>,
    ) -> PyResult<String> {
        let held = records.map(|records| records.held());
        let candidate: Candidate = match (model.cast::<Model>(), model.cast::<Released>()) {
            (Ok(model), _) => model.get().audited.candidate().clone(),
            (_, Ok(released)) => released.get().scorer.candidate().clone(),
            _ => return Err(Fault::Type("a model is needed".to_owned()).raised(py)),
        };
        working(py, || {
            let (records, protected) = self.with_protected(held)?;
            let backtest = self.project.backtest(&records, &protected, &candidate)?;
            Ok(serde_json::to_string(backtest.report())?)
        })
    }

    /// Scores a cohort and draws the list; gives what makes it doubtful, too.
    #[pyo3(signature = (model, asked, records, ledger))]
    fn score(
        &self,
        py: Python<'_>,
        model: PyRef<'_, Released>,
        asked: &str,
        records: Option<PyRef<'_, Records>>,
        ledger: Option<PathBuf>,
    ) -> PyResult<(ReviewList, Vec<String>)> {
        let held = records.map(|records| records.held().0);
        let released = &*model;
        working(py, || self.scored(released, serde_json::from_str(asked)?, held, ledger))
    }
}

/// Records, and what was handed over of protected characteristics.
type Held = (Arc<Linked>, Option<Arc<Protected>>);

impl Project {
    /// The project, whose extracts are read today.
    fn of_today(&self) -> ProjectFile {
        self.project.clone().read_on(today())
    }

    /// The names of its tables.
    fn tables(&self) -> Vec<&str> {
        let ProjectFile { identities, people, households, protected, sources, .. } = &self.project;
        let is_there = [
            ("identities", !identities.is_empty()),
            ("people", people.is_some()),
            ("households", households.is_some()),
            ("protected", protected.is_some()),
        ];
        let lists = is_there.into_iter().filter_map(|(name, there)| there.then_some(name));
        lists.chain(sources.iter().map(|source| source.name.as_str())).collect()
    }

    fn read(&self, mut given: BTreeMap<String, Given>) -> Result<Records, Fault> {
        let tables = self.tables();
        if let Some(unknown) = given.keys().find(|name| !tables.contains(&name.as_str())) {
            let why = format!("the project has no table \"{unknown}\"; it has: {}", tables.join(", "));
            return Err(Fault::input(why));
        }
        if given.contains_key("identities") && self.project.identities.len() > 1 {
            let why = "the project has several tables of identities, which cannot be told apart by name; leave them in their files";
            return Err(Fault::input(why.to_owned()));
        }
        let unusable: Vec<Unusable> = given.values().map(|given| given.unusable.clone()).collect();
        let of_frames = |error: earlyhelp::Error| Fault::of_error(error, &unusable);
        let has_protected = given.contains_key("protected");
        let project = self.of_today();
        let nothing_given = given.is_empty();
        let give = |table: &str| given.remove(table).map(Given::extract);
        let (records, protected) = if has_protected {
            let (records, protected) = project.records_and_protected_from(give).map_err(of_frames)?;
            (records, Some(Arc::new(protected)))
        } else if nothing_given {
            (project.records().map_err(of_frames)?, None)
        } else {
            (project.records_from(give).map_err(of_frames)?, None)
        };
        Ok(Records { records: Arc::new(records), protected })
    }

    /// Records and protected characteristics: those that are held, and what is not from the project's files.
    fn with_protected(&self, held: Option<Held>) -> Result<(Arc<Linked>, Arc<Protected>), Fault> {
        let project = self.of_today();
        Ok(match held {
            None => {
                let (records, protected) = project.records_and_protected()?;
                (Arc::new(records), Arc::new(protected))
            }
            Some((records, Some(protected))) => (records, protected),
            Some((records, None)) => (records, Arc::new(project.protected()?)),
        })
    }

    fn trained(
        &self,
        held: Option<Held>,
        trainers: Option<Vec<String>>,
    ) -> Result<(Model, Vec<String>), Fault> {
        let trainers = self.trainers(trainers)?;
        let (records, protected) = self.with_protected(held)?;
        let project = &self.project;
        let mut warnings: Vec<String> = of_rejects(&records).into_iter().collect();
        warnings.extend(project.training_warnings(&records));
        let data = project.training_data(&records, &protected)?;
        let (before, model) = match trainers.as_slice() {
            [only] => {
                let (candidate, backtest) = project.test_on(&data, &records, only)?;
                (String::new(), project.audit(candidate, &backtest, &protected)?)
            }
            several => {
                let (comparison, model) = project.compare_on(&data, (&records, &protected), several)?;
                (format!("Trainers on the same test cases (with 95% intervals):\n{comparison}\n"), model)
            }
        };
        let trainer = model.candidate().trainer();
        let mut after = String::new();
        for report in project.mitigation_reports_on(&data, &protected, trainer, None)? {
            after.push_str(&format!("\n{report}\n"));
        }
        if let Some(success) = project.success(&model) {
            after.push_str(&format!("\n{success}"));
        }
        Ok((Model::trained(model, before, after), warnings))
    }

    /// The trainers that are asked for. The project's settings stand for the trainer that it names.
    fn trainers(&self, asked: Option<Vec<String>>) -> Result<Vec<Trainer>, Fault> {
        let own = &self.project.training.trainer;
        let Some(mut names) = asked else { return Ok(vec![own.clone()]) };
        if names == ["all"] {
            names = Trainer::NAMES.map(str::to_owned).to_vec();
        }
        let unknown = |name: &str| {
            let known = Trainer::NAMES.join(", ");
            Fault::input(format!("there is no trainer \"{name}\"; there are: {known}, and all"))
        };
        if names.is_empty() {
            return Err(Fault::input("no trainer is named".to_owned()));
        }
        let named = |name: &String| match name.as_str() {
            name if name == own.name() => Ok(own.clone()),
            name => Trainer::by_name(name).ok_or_else(|| unknown(name)),
        };
        names.iter().map(named).collect()
    }

    fn scored(
        &self,
        released: &Released,
        asked: Asked,
        held: Option<Arc<Linked>>,
        ledger: Option<PathBuf>,
    ) -> Result<(ReviewList, Vec<String>), Fault> {
        let scorer = &released.scorer;
        let request = Request::new(&asked.requested_by, &asked.purpose, asked.on.unwrap_or_else(today));
        let accept = asked.accept.iter();
        let request = accept.fold(request, |request, (source, by, why)| request.accepting(source, by, why));
        let mut earlier = None;
        // A run that fails is on record, too: as one that was started and did not end.
        let record = match &ledger {
            None => None,
            Some(path) => {
                let record = Written::start(path, asked.because)?;
                earlier = record.ledger.earlier_list(&request.purpose, asked.as_of)?;
                let start = record.ledger.start_run(scorer, &request, asked.as_of, Some(&self.text))?;
                Some((record, start))
            }
        };
        let project = self.of_today();
        let records = match held {
            Some(records) => records,
            None => Arc::new(project.records()?),
        };
        let mut warnings: Vec<String> = of_rejects(&records).into_iter().collect();
        warnings.extend(project.scoring_warnings(&records, asked.as_of));
        let cohort = project.cohort(&records, asked.as_of)?;
        let scores = scorer.score(&cohort, &request)?.known_to(&project.known_to)?;
        let among = if asked.not_known { Among::NotKnown } else { Among::Everybody };
        let params = project.list_params(Capacity::Cases(asked.capacity), asked.at_random, among);
        let mut list = List::draw(&scores, params)?.reviewed_by(project.review.clone())?;
        if let Some(earlier) = &earlier {
            list.since(earlier, &scores)?;
        }
        // On record first: no list is given of which the ledger knows nothing.
        if let Some((record, start)) = record {
            record.ledger.finish_run(start, &scores, &mut list, &records)?;
            record.checkpoint()?;
        }
        warnings.extend(list.provenance().allowed());
        let (expires, asked_on) = (list.provenance().expires, list.provenance().requested_on);
        if expires < asked_on {
            warnings.push(format!(
                "this list has expired: it may be used until {expires}, and it is asked for on {asked_on}; score a later date, or say by on= \
                 on which day it was asked for"
            ));
        }
        Ok((ReviewList::new(list, project.name.clone()), warnings))
    }
}

/// What is said where rows were rejected.
fn of_rejects(records: &Linked) -> Option<String> {
    let rejected: u64 = records.intake().iter().map(|intake| intake.rejected).sum();
    (rejected > 0).then(|| format!("{rejected} rows were rejected; Records.rejects() shows which and why"))
}

impl Records {
    fn held(&self) -> Held {
        (Arc::clone(&self.records), self.protected.clone())
    }
}

#[pymethods]
impl Records {
    #[getter]
    fn people(&self) -> usize {
        self.records.people()
    }

    /// Rows read, used and rejected, by source.
    fn intake(&self) -> Vec<(String, u64, u64, u64)> {
        let of_protected = self.protected.iter().filter_map(|protected| protected.intake());
        let intake = self.records.intake().iter().chain(of_protected);
        intake.map(|of| (of.source.clone(), of.read, of.accepted, of.rejected)).collect()
    }

    fn rejects(&self, py: Python<'_>) -> PyResult<Frame> {
        working(py, || {
            let of_protected = self.protected.iter().flat_map(|protected| protected.rejects());
            let all: Vec<_> = self.records.rejects().iter().chain(of_protected).cloned().collect();
            frame::rejects(&all, true)
        })
    }

    /// Rows that were rejected by source, column and reason, and what is remarkable of others.
    fn warnings(&self) -> Vec<String> {
        let of_protected = self.protected.iter().flat_map(|protected| protected.rejects());
        let all: Vec<_> = self.records.rejects().iter().chain(of_protected).cloned().collect();
        let mut warnings = Vec::new();
        for (source, column, reason, count) in summarise(&all) {
            let column = column.map_or_else(String::new, |column| format!(", column {column}"));
            let rows = if count == 1 { "row" } else { "rows" };
            warnings.push(format!("{count} {rows} of {source}{column} rejected: {}", reason.words()));
        }
        let of_protected = self.protected.iter().flat_map(|protected| protected.remarks());
        for remark in self.records.remarks().iter().chain(of_protected) {
            warnings.push(format!("{}: {} {}", remark.source, remark.rows, remark.kind.words()));
        }
        warnings.extend(self.records.unlisted_codes().map(ToString::to_string));
        warnings
    }
}

impl Fault {
    /// The same fault, of a table that was handed over.
    fn of_table(self, name: &str) -> Self {
        match self {
            Self::Of(Class::BadInput, why) => Self::input(format!("table {name}: {why}")),
            Self::Type(why) => Self::Type(format!("table {name}: {why}")),
            other => other,
        }
    }
}
