//! Models: trained, tested and checked; and released, once somebody has signed.

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::error::ScoringError;
use earlyhelp::limits;
use earlyhelp::outputs::Outputs;
use earlyhelp::report::papers::model_card;
use earlyhelp::report::{evidence_text, metrics_frame, model_html};
use earlyhelp::scoring::{AuditedModel, Scorer, SignOff};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::errors::{Fault, working};
use crate::frame::Frame;
use crate::inputs::outputs;
use crate::keeping::Written;
use crate::today;

/// A model with its evidence, for which nobody has signed.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Model {
    pub audited: AuditedModel,
    /// What training said besides: a comparison of trainers, say.
    before: String,
    after: String,
}

/// A model that may score for one purpose.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Released {
    pub scorer: Scorer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    by: String,
    role: String,
    purpose: String,
    review_by: Day,
    signed_on: Option<Day>,
    because: Option<String>,
}

impl Model {
    pub fn trained(model: AuditedModel, before: String, after: String) -> Self {
        Self { audited: model, before, after }
    }
}

fn read(path: &Path) -> Result<String, Fault> {
    let unreadable = |error: earlyhelp::error::FileError| {
        Fault::Of(error.class(), format!("cannot read {}: {error}", path.display()))
    };
    limits::read_text(path, limits::MODEL_BYTES).map_err(unreadable)
}

fn write(kind: &str, path: &Path, text: &str, force: bool) -> Result<(), Fault> {
    let (_, name) = Outputs::beside(path)?;
    let outputs = outputs(kind, path.parent().unwrap_or(Path::new("")), force);
    Ok(outputs.write(&[(name.as_str(), text)])?)
}

fn named(path: &Path, error: &ScoringError) -> Fault {
    Fault::Of(error.class(), format!("{}: {error}", path.display()))
}

#[pymethods]
impl Model {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        working(py, || {
            let model = AuditedModel::from_json(&read(&path)?).map_err(|error| named(&path, &error))?;
            Ok(Self::trained(model, String::new(), String::new()))
        })
    }

    #[getter]
    fn digest(&self) -> &str {
        self.audited.digest()
    }

    #[getter]
    fn candidate(&self) -> &str {
        self.audited.candidate().digest()
    }

    #[getter]
    fn outcome(&self) -> &str {
        &self.audited.candidate().outcome().words
    }

    /// The model card, as Markdown.
    fn card(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(model_card(&self.audited)?.to_markdown()))
    }

    fn text(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || {
            let card = self.audited.candidate().card_text().map(|card| format!("\n{card}"));
            let evidence = evidence_text(&self.audited);
            Ok(format!("{}{evidence}{}{}", self.before, card.unwrap_or_default(), self.after))
        })
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(model_html(&self.audited)?))
    }

    fn metrics(&self, py: Python<'_>) -> PyResult<Frame> {
        working(py, || Ok(metrics_frame(&self.audited)?.into()))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(self.audited.to_json()?))
    }

    fn save(&self, py: Python<'_>, path: PathBuf, force: bool) -> PyResult<()> {
        working(py, || write("model", &path, &self.audited.to_json()?, force))
    }

    /// Signs for the model. With a ledger, model and release are on record before it is given.
    #[pyo3(signature = (signature, ledger))]
    fn release(&self, py: Python<'_>, signature: &str, ledger: Option<PathBuf>) -> PyResult<Released> {
        working(py, || {
            let Signature { by, role, purpose, review_by, signed_on, because } =
                serde_json::from_str(signature)?;
            let signed_on = signed_on.unwrap_or_else(today);
            let registered_by = by.clone();
            let scorer = self.audited.clone().release(SignOff { by, role, purpose, signed_on, review_by })?;
            if let Some(path) = &ledger {
                let record = Written::start(path, because)?;
                record.ledger.register(&self.audited, &registered_by, signed_on)?;
                record.ledger.record_release(&scorer, signed_on)?;
                record.checkpoint()?;
            }
            Ok(Released { scorer })
        })
    }
}

#[pymethods]
impl Released {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        working(py, || {
            let scorer = Scorer::from_json(&read(&path)?).map_err(|error| named(&path, &error))?;
            Ok(Self { scorer })
        })
    }

    #[getter]
    fn digest(&self) -> &str {
        self.scorer.digest()
    }

    #[getter]
    fn candidate(&self) -> &str {
        self.scorer.candidate().digest()
    }

    #[getter]
    fn outcome(&self) -> &str {
        &self.scorer.candidate().outcome().words
    }

    /// Who signed, for what, as JSON.
    fn sign_off(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(serde_json::to_string(self.scorer.sign_off())?))
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(model_html(&self.scorer)?))
    }

    fn save(&self, py: Python<'_>, path: PathBuf, force: bool) -> PyResult<()> {
        working(py, || write("released model", &path, &self.scorer.to_json()?, force))
    }
}
