//! What people open: the review list as a page, as a table and as data; a model as a page and as data.
//!
//! ```text
//! ReviewList ─list_html→ one page for practitioners   (print it, or open it without a network)
//!            ─list_csv→  one row a case               (for a spreadsheet)
//!            ─list_json→ everything, digit for digit  (for an archive, or another program)
//!            ─list_text→ the short form for a terminal
//! AuditedModel, Scorer ─model_html→ one page for those who answer for a model
//!                      ─model_json→ everything, digit for digit
//!                      ─metrics_csv, metrics_xlsx→ every figure of its backtest
//! DataQuality ─check_html→ one page for those who mend extracts
//!             ─check_json→ everything, digit for digit
//! Simulation ─simulation_html→ one page for those who decide whether a model goes into use
//!            ─simulation_csv→  one row a list
//!            ─simulation_json→ everything, digit for digit
//!            ─simulation_text→ the short form for a terminal
//! Checked ─rejects_xlsx→ every rejected row
//! ```
//!
//! All forms of a list say the same of a case. Each has a band, and a band has the rate at which the outcome came about among such
//! cases in the backtest. A chance of its own stands beside it, always with its interval, and only where the model's chances passed
//! their check in the backtest ([`Chance`](crate::scoring::Chance)).
//! Nothing is read back in: a report is where the crate ends and a person begins.
//!
//! # Examples
//! ```
//! use std::path::Path;
//!
//! use earlyhelp::report::{list_csv, list_html, list_json};
//! use earlyhelp::review::ReviewList;
//!
//! fn write(list: &ReviewList, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
//!     let title = "Early help, March: children who may need a plan within a year";
//!     std::fs::write(folder.join("list.html"), list_html(list, title)?)?;
//!     std::fs::write(folder.join("list.csv"), list_csv(list)?)?;
//!     std::fs::write(folder.join("list.json"), list_json(list)?)?;
//!     Ok(())
//! }
//! ```

mod about;
mod areas;
pub mod audit;
mod chances;
mod check_page;
mod decisions;
mod evidence;
mod figure;
mod glossary;
mod groups_sheet;
mod labels;
mod list_page;
mod list_tables;
mod metrics;
mod model_page;
mod page;
pub mod papers;
mod plain;
mod simulation_page;
mod since;
mod subject;
mod table;
#[cfg(test)]
mod tests;
#[cfg(feature = "excel")]
mod workbook;
#[cfg(feature = "excel")]
mod workbooks;

use crate::words;

pub use areas::{areas_csv, areas_html, areas_json};
pub use check_page::{check_html, check_json};
pub use decisions::decisions_csv;
pub use evidence::evidence_text;
pub use list_page::{list_html, list_text};
pub use list_tables::list_frames;
pub use metrics::{metrics_csv, metrics_frame};
pub use model_page::{AnyModel, model_curves, model_html, model_json};
pub use plain::{list_csv, list_json};
pub use simulation_page::{simulation_csv, simulation_html, simulation_json, simulation_text};
pub use subject::subject_html;
#[cfg(feature = "excel")]
pub use workbooks::{decisions_xlsx, list_xlsx, metrics_xlsx, rejects_xlsx, simulation_xlsx};
