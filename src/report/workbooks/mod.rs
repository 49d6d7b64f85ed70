//! What people open, as Excel workbooks.

mod decisions;
mod list;
mod metrics;
mod rejects;
mod simulation;

pub use decisions::decisions_xlsx;
pub use list::list_xlsx;
pub use metrics::metrics_xlsx;
pub use rejects::rejects_xlsx;
pub use simulation::simulation_xlsx;
