//! A list for people to review.

use std::path::PathBuf;

use earlyhelp::report::{list_csv, list_frames, list_html, list_json, list_text, list_xlsx};
use earlyhelp::review::ReviewList as List;
use pyo3::prelude::*;

use crate::errors::working;
use crate::frame::Frame;
use crate::inputs::outputs;

/// A list, with the name of its project.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct ReviewList {
    list: List,
    title: String,
}

impl ReviewList {
    pub fn new(list: List, title: String) -> Self {
        Self { list, title }
    }
}

#[pymethods]
impl ReviewList {
    fn __len__(&self) -> usize {
        self.list.len()
    }

    #[getter]
    fn run(&self) -> &str {
        &self.list.provenance().run_id
    }

    #[getter]
    fn title(&self) -> &str {
        &self.title
    }

    /// The last day on which it may be used.
    #[getter]
    fn expires(&self) -> String {
        self.list.provenance().expires.to_string()
    }

    #[getter]
    fn as_of(&self) -> String {
        self.list.provenance().as_of.to_string()
    }

    fn tables(&self, py: Python<'_>) -> PyResult<Vec<(String, Frame)>> {
        working(py, || {
            let frames = list_frames(&self.list)?;
            Ok(frames.into_iter().map(|(name, frame)| (name, frame.into())).collect())
        })
    }

    fn text(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(list_text(&self.list)))
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(list_html(&self.list, &self.title)?))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        working(py, || Ok(list_json(&self.list)?))
    }

    /// Writes what the command writes.
    fn save(&self, py: Python<'_>, folder: PathBuf, force: bool) -> PyResult<()> {
        working(py, || {
            let files = [
                ("list.json", list_json(&self.list)?.into_bytes()),
                ("list.csv", list_csv(&self.list)?.into_bytes()),
                ("list.xlsx", list_xlsx(&self.list, &self.title)?),
                ("list.html", list_html(&self.list, &self.title)?.into_bytes()),
            ];
            Ok(outputs("list", &folder, force).write(&files)?)
        })
    }
}
