//! `earlyhelp` for Python: what the package's own modules, which have the documentation, are made of.
//!
//! Settings come in as JSON and are read by the library's own types, so that a keyword which the library does not know is refused.
//! No panic reaches Python, and other threads run while something is worked on.

mod arrow;
mod audit;
mod errors;
mod frame;
mod inputs;
mod keeping;
mod list;
mod model;
mod project;
mod service;

use earlyhelp::calendar::Day;
use pyo3::prelude::*;

/// Today's date (UTC).
#[expect(
    clippy::disallowed_methods,
    reason = "this is where time comes in: a caller in Python may pass none"
)]
fn today() -> Day {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().into()
}

/// Panics, for the test that no panic reaches Python.
#[cfg(debug_assertions)]
#[pyfunction]
#[expect(clippy::panic, reason = "that is what it is for")]
fn _fault(py: Python<'_>, about: String) -> PyResult<()> {
    errors::working(py, move || panic!("{about}"))
}

/// The compiled part of the package.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::keep_panics();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(audit::audit, module)?)?;
    #[cfg(debug_assertions)]
    module.add_function(wrap_pyfunction!(_fault, module)?)?;
    module.add_class::<audit::Audit>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<list::ReviewList>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<model::Released>()?;
    module.add_class::<project::Project>()?;
    module.add_class::<project::Records>()?;
    module.add_class::<service::Service>()
}
