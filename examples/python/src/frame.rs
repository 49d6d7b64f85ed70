//! A frame that the package gives out.

use earlyhelp::polars::prelude::{Column, DataFrame};
use earlyhelp::records::Reject;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow;
use crate::errors::{Fault, working};

/// Columns of equal length.
#[pyclass(frozen, module = "earlyhelp._core")]
pub struct Frame(DataFrame);

impl From<DataFrame> for Frame {
    fn from(frame: DataFrame) -> Self {
        Self(frame)
    }
}

#[pymethods]
impl Frame {
    /// A frame of another library.
    #[staticmethod]
    fn of(py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Self> {
        let given = arrow::given(frame).map_err(|fault| fault.raised(py))?;
        let unusable = given.unusable.clone();
        working(py, move || {
            let frame = given.frame()?;
            let column = frame.columns().iter().find_map(|column| unusable.why(column.name()));
            column.map_or(Ok(Self(frame)), |why| Err(Fault::input(format!("the frame: {why}"))))
        })
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.get_column_names().into_iter().map(ToString::to_string).collect()
    }

    #[getter]
    fn types(&self) -> Vec<String> {
        self.0.columns().iter().map(|column| column.dtype().to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.height()
    }

    /// The first rows as texts; nothing where there is nothing.
    fn head(&self, py: Python<'_>, rows: usize) -> PyResult<Vec<Vec<Option<String>>>> {
        working(py, || {
            let first = self.0.head(Some(rows));
            let cell = |column: &Column, row| {
                let value = column.get(row).ok().filter(|value| !value.is_null())?;
                Some(value.str_value().into_owned())
            };
            let of_row = |row| first.columns().iter().map(|column| cell(column, row)).collect();
            Ok((0..first.height()).map(of_row).collect())
        })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A reader that wants other types casts what it gets, which the interface allows.
        let _ = requested_schema;
        arrow::handed_over(py, &self.0)
    }
}

/// Rejected rows: where each stands, and why.
pub fn rejects(rejects: &[Reject], with_source: bool) -> Result<Frame, Fault> {
    let text = |name: &str, of: &dyn Fn(&Reject) -> Option<String>| {
        Column::new(name.into(), rejects.iter().map(of).collect::<Vec<Option<String>>>())
    };
    let mut columns = Vec::new();
    if with_source {
        columns.push(text("source", &|reject| Some(reject.source.clone())));
        columns.push(text("file", &|reject| reject.file.clone()));
    }
    columns.push(Column::new("row".into(), rejects.iter().map(|reject| reject.row).collect::<Vec<u64>>()));
    columns.push(text("column", &|reject| reject.column.clone()));
    columns.push(text("reason", &|reject| Some(reject.reason.words().to_owned())));
    let frame = DataFrame::new(rejects.len(), columns);
    frame.map(Frame).map_err(|error| Fault::Of(earlyhelp::error::Class::Ours, error.to_string()))
}
