//! An audit of a table of scores: what `earlyhelp audit` does.

use std::path::PathBuf;

use earlyhelp::error::Class;
use earlyhelp::evaluate::{Bootstrap, Capacity};
use earlyhelp::fairness::TableAudit;
use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreColumns, ScoreScale, ScoreTable};
use earlyhelp::outputs::json_text;
use earlyhelp::records::Extract;
use earlyhelp::report::audit::{audit_csv, audit_frame, audit_html, audit_text, audit_xlsx};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::arrow;
use crate::errors::{Fault, working};
use crate::frame::{self, Frame};
use crate::inputs::{self, outputs};

/// How an audit is asked for; what is not said is as the command has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    threshold: Option<f64>,
    capacity: Option<String>,
    references: Vec<(String, String)>,
    minimum: Option<u32>,
    round_to: Option<u32>,
    intersections: Option<u32>,
    margin: Option<f64>,
    scale: Option<ScoreScale>,
    resamples: Option<u32>,
    seed: Option<u64>,
}

impl Asked {
    fn params(self) -> Result<AuditParams, Fault> {
        let capacity = self.capacity.as_deref().map(str::parse::<Capacity>).transpose()?;
        let operating = match (self.threshold, capacity) {
            (Some(threshold), _) => OperatingPoint::Threshold(threshold),
            (None, Some(capacity)) => OperatingPoint::Capacity(capacity),
            (None, None) => OperatingPoint::Predicted,
        };
        let defaults = AuditParams::at(operating);
        let bootstrap = Bootstrap {
            resamples: self.resamples.unwrap_or(defaults.bootstrap.resamples),
            seed: self.seed.unwrap_or(defaults.bootstrap.seed),
        };
        bootstrap.check()?;
        Ok(AuditParams {
            references: self.references,
            minimum: self.minimum.unwrap_or(defaults.minimum),
            round_to: self.round_to,
            intersections: self.intersections.unwrap_or(defaults.intersections),
            margin: self.margin.unwrap_or(defaults.margin),
            scores: self.scale,
            bootstrap,
            ..defaults
        })
    }
}

/// An audit, with what became of the table's rows.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Audit {
    found: TableAudit,
    /// The name of the table.
    scores: String,
    title: String,
}

/// Audits a frame, or a file where a path is given.
#[pyfunction]
#[pyo3(signature = (frame, path, columns, asked, title))]
pub fn audit(
    py: Python<'_>,
    frame: Option<&Bound<'_, PyAny>>,
    path: Option<PathBuf>,
    columns: &str,
    asked: &str,
    title: Option<String>,
) -> PyResult<Audit> {
    let given = frame.map(arrow::given).transpose().map_err(|fault| fault.raised(py))?;
    working(py, move || {
        let columns: ScoreColumns = serde_json::from_str(columns)?;
        let params = serde_json::from_str::<Asked>(asked)?.params()?;
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let scores = path.as_ref().map_or_else(|| "a frame".to_owned(), name);
        let unusable: Vec<_> = given.iter().map(|given| given.unusable.clone()).collect();
        let extract = match (given, &path) {
            (Some(given), _) => given.extract(),
            (None, Some(path)) => {
                let extract = Extract::path(path);
                inputs::read(extract.files());
                extract
            }
            (None, None) => return Err(Fault::Type("a frame or a path is needed".to_owned())),
        };
        let read = ScoreTable::read(extract, &columns).map_err(|error| Fault::of_error(error, &unusable))?;
        let found = TableAudit::of(read, columns, &params)?;
        let title = title.unwrap_or_else(|| path.as_ref().map_or_else(|| "Scores".to_owned(), name));
        Ok(Audit { found, scores, title })
    })
}

impl Audit {
    fn to_json(&self) -> Result<String, Fault> {
        Ok(json_text(&self.found.published(&self.scores))?)
    }

    fn page(&self) -> Result<String, Fault> {
        Ok(audit_html(self.found.audit(), &self.title, self.found.published_intake())?)
    }
}

#[pymethods]
impl Audit {
    #[getter]
    fn title(&self) -> &str {
        &self.title
    }

    fn text(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || {
            let mut text = audit_text(self.found.audit());
            if let Some(against) = self.found.against() {
                text.push_str(&format!("\n{against}"));
            }
            Ok(text)
        })
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || self.page())
    }

    fn csv(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(audit_csv(self.found.audit())?))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || self.to_json())
    }

    fn figures(&self, py: Python<'_>) -> PyResult<Frame> {
        working(py, || Ok(audit_frame(self.found.audit())?.into()))
    }

    /// Where rejected rows stand; refused where counts are rounded, since their number would be exact.
    fn rejected(&self, py: Python<'_>) -> PyResult<Frame> {
        working(py, || {
            match self.found.published_intake() {
            Some(intake) => frame::rejects(&intake.rejected, false),
            None => Err(Fault::Of(
                Class::Refused,
                "counts are rounded (round_to), so rejected rows are not given one by one: their number would be exact".to_owned(),
            )),
        }
        })
    }

    /// Rows that are set apart or were rejected, and what is doubtful of the others.
    fn warnings(&self) -> Vec<String> {
        let intake = self.found.intake();
        let apart = intake.set_apart().into_iter();
        let apart = apart.map(|(why, rows)| format!("{rows} of {} rows are set apart: {why}", intake.read));
        apart.chain(intake.warnings()).collect()
    }

    /// Writes what the command writes.
    fn save(&self, py: Python<'_>, folder: PathBuf, force: bool) -> PyResult<()> {
        working(py, || {
            let (audit, intake) = (self.found.audit(), self.found.published_intake());
            let files = [
                ("audit.html", self.page()?.into_bytes()),
                ("audit.csv", audit_csv(audit)?.into_bytes()),
                ("audit.xlsx", audit_xlsx(audit, &self.title, intake)?),
                ("audit.json", self.to_json()?.into_bytes()),
            ];
            let outputs = outputs("audit", &folder, force);
            Ok(outputs.write(&files)?)
        })
    }
}
