//! What people open, as Excel workbooks.

mod list;
mod metrics;
mod rejects;

pub use list::list_xlsx;
pub use metrics::metrics_xlsx;
pub use rejects::rejects_xlsx;

/// The day of creation of workbooks that are of no day: the library reads no clock, and the same input gives the same bytes.
pub(super) fn fixed_day() -> crate::calendar::Day {
    // 1 January 2000.
    crate::calendar::Day::from_epoch_days(10_957)
}
