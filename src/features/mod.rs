//! Features: what was known about a person before the date, in numbers that have names.
//!
//! ```text
//! Cohort + FeatureSpec ─compute→ FeatureMatrix { value | missing | not covered }
//! ```
//!
//! A [`Feature`] counts, sums or dates the records of **one source** over **one look-back**, either the
//! person's own or those of the others in the household, never both together. It carries the words a
//! practitioner reads. Records are read through the snapshot of the cohort, so a feature cannot see
//! what became known later.
//!
//! # Examples
//! ```
//! use earlyhelp::calendar::Lookback;
//! use earlyhelp::cohort::CohortSpec;
//! use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
//! use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};
//! use polars::df;
//!
//! let notices = df!("person" => ["p1", "p1", "p2"], "on" => ["2024-01-05", "2024-02-28", "2023-06-01"])?;
//! let police = SourceMapping::new("police", "person", "incident", "on")
//!     .coverage(Coverage { from: Some("2023-01-01".parse()?), ..Coverage::default() });
//! let records = Records::builder().source(police, Extract::frame(notices)).build()?;
//! let cohort = CohortSpec::default().choose(&records.as_of("2024-04-01".parse()?))?;
//!
//! let incidents = |over| Feature::new(Selector::source("police"), Measure::Count, over);
//! let spec = FeatureSpec::new(vec![incidents(Lookback::Days(90)), incidents(Lookback::Days(1095))])?;
//! let matrix = spec.compute(&cohort)?;
//! assert_eq!(matrix.cell(0, 0), Cell::Value(2.0));
//! assert_eq!(matrix.cell(1, 0), Cell::Value(0.0), "covered, and nothing happened");
//! assert_eq!(matrix.cell(1, 1), Cell::NotCovered, "records begin later than three years ago");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod covered;
mod feature;
#[cfg(feature = "files")]
mod frames;
mod kernel;
mod matrix;
mod plan;
mod provenance;
mod row;
mod say;
mod spec;
mod tally;
mod template;

pub(crate) use feature::NEW_CODE;
pub use feature::{Direction, Feature, Measure, Scope};
pub use matrix::{Cell, FeatureMatrix};
pub(crate) use matrix::{Cells, Exact};
pub(crate) use provenance::reference;
pub(crate) use row::EventRow;
#[cfg(test)]
pub(crate) use say::PARTS;
pub use say::{Noun, Say, SayForms};
pub use spec::FeatureSpec;
pub use template::{FeatureTemplate, Scopes};
