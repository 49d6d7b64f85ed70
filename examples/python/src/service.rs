//! The service: one line of JSON a question, as `earlyhelp serve` answers.

use earlyhelp::service::{Service as Answering, Setup};
use pyo3::prelude::*;

use crate::errors::working;
use crate::inputs;
use crate::today;

/// A project's records, a released model and a ledger. Any number of threads may ask it at once.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Service(Answering);

#[pymethods]
impl Service {
    /// Opens a service by its setup as JSON, which takes as long as reading the extracts does.
    #[new]
    fn new(py: Python<'_>, setup: &str) -> PyResult<Self> {
        working(py, || {
            let setup: Setup = serde_json::from_str(setup)?;
            inputs::read([setup.project.clone(), setup.ledger.clone()]);
            Ok(Self(Answering::open(&setup, today)?))
        })
    }

    fn answer(&self, py: Python<'_>, question: &[u8]) -> PyResult<String> {
        working(py, || Ok(self.0.answer(question)))
    }
}
