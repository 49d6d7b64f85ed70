//! Features from **linked service records** as they were known on a date, **interpretable risk models**, and
//! short ranked lists for **people to review**. Every score is computed from its explanation and carries its
//! provenance, and **nothing in the crate can act on it**.
//!
//! ```text
//! extracts ─read→ Records ─as_of→ Snapshot → Cohort ─┬─ FeatureSpec (what was known before) → FeatureMatrix ┐
//!                   └──────────── OutcomeSpec (what followed) ───────────────────────── labels ─────────────┴→ Dataset
//! Dataset ─train→ Candidate ─backtest→ Backtest ─audit→ FairnessAudit ─sign-off→ Scorer
//! Scorer + Cohort + Request → ScoredCase { score, explanation, provenance } → ReviewList ─(a person)→ Decision ─→ Ledger
//! ```
//!
//! Each type is the receipt for the step before it: there is no [`Scorer`](scoring::Scorer) without a
//! fairness check of the very model it holds, no score without its explanation, no
//! [`Decision`](review::Decision) without a named person who opened one case. Modules stand below in the
//! order of the flow, and a module uses only those above it. Start with [`records`], or with a
//! [`project`] file and the `earlyhelp` command; [`guide`] explains the ideas, the defaults and the limits.
//!
//! # Quick start
//! ```
//! use earlyhelp::calendar::AsOf;
//! use earlyhelp::evaluate::Capacity;
//! use earlyhelp::project::Project;
//! use earlyhelp::report::audit::audit_text;
//! use earlyhelp::review::ReviewList;
//! use earlyhelp::scoring::{Request, SignOff};
//! use earlyhelp::synthetic::{CouncilParams, Format};
//!
//! fn main() -> earlyhelp::Result<()> {
//!     // Extracts of 16 services and the project.toml that says what they are. Yours go here.
//!     let council = CouncilParams::new(4_000, 1).generate()?;
//!     let folder = std::env::temp_dir().join("earlyhelp-quickstart");
//!     let project = Project::load(council.write(&folder, Format::Csv)?)?;
//!
//!     // Linked records; every row that cannot be used is kept as a reject.
//!     let records = project.records()?;
//!
//!     // A model, tested on later dates and on families it never saw, and checked for fairness.
//!     let trainer = &project.training.trainer;
//!     let model = project.train(&records, &project.protected()?, trainer)?;
//!     println!("{}\n{}", model.backtest().overall, audit_text(&model.fairness()));
//!
//!     // Nothing scores before somebody has signed for it.
//!     let today = council.extract_date();
//!     let scorer = model.release(SignOff {
//!         by: "A. Manager".into(),
//!         role: "Head of Early Help".into(),
//!         purpose: project.purpose.clone(),
//!         signed_on: today,
//!         review_by: today.plus_months(12),
//!     })?;
//!
//!     // A short list for people to review: each case with its explanation and its provenance.
//!     let cohort = project.cohort(&records, AsOf::new(today))?;
//!     let scores = scorer.score(&cohort, &Request::new("B. Lead", &project.purpose, today))?;
//!     for entry in ReviewList::draw(&scores, Capacity::Cases(5))?.entries() {
//!         let case = entry.case();
//!         println!("{}. {} ({} of scores)", case.rank(), case.entity(), case.band().name);
//!         for reason in case.contributions().iter().take(3) {
//!             println!("   {:+.2}  {}", reason.log_odds, reason.words);
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Features
//! Without any: **the core**. Rows of a program's own become [`records`], features, models, audits and scores, with 54 other crates; a
//! released model is loaded and scores a matrix or a person. `examples/scorer` is a program of it.
//! - `files`: extracts in files (text, workbooks, Parquet, Arrow) and polars frames.
//! - `linfa`: the trainers as linfa's own.
//! - `full`: both, and the rest of the flow: [`project`] files, the [`ledger`], [`monitor`], [`sql`], the [`service`] and the [pages](report)
//!   that people open. Everything below brings it.
//! - `cli` (default): the `earlyhelp` command; brings `excel`, `sqlite` and `schema`.
//! - `excel` (default): [reports](report) as Excel workbooks.
//! - `sqlite` (default): a [`ledger`] in one SQLite file. Without it a ledger is a file of JSON lines.
//! - `postgres`: a [`ledger`] in a PostgreSQL database, for a team on several machines, and records read from one. It links a network
//!   client, which nothing else does.
//! - `schema` (default): the JSON Schema of a project file, for editors.

// The library says nothing by itself and does not know the time: its caller prints, and passes the date.
// Tests may show figures and measure.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
// The core alone has what the rest of the flow asks it for; with that nothing is unused.
#![cfg_attr(not(feature = "full"), allow(dead_code, unused_imports))]

/// A `Debug` that says what something is and nothing of what is in it: it may hold people's records.
macro_rules! opaque_debug {
    ($name:ident $(<$($lifetime:lifetime),+>)?) => {
        impl std::fmt::Debug for $name $(<$($lifetime),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use opaque_debug;

// The order of the flow; a module uses only those above it (a test holds this).
pub mod error;

pub mod limits;
#[cfg(feature = "full")]
pub mod outputs;

#[cfg(feature = "postgres")]
mod database;

mod held;

pub mod calendar;
pub mod stats;

pub mod records;

pub mod cohort;

pub mod features;

mod words;

mod sentences;

pub mod outcome;

pub mod known_to;

pub mod dataset;

pub mod model;

pub mod evaluate;

pub mod fairness;

pub mod scoring;

pub mod review;

#[cfg(feature = "full")]
pub mod ledger;

#[cfg(feature = "full")]
pub mod monitor;

#[cfg(feature = "full")]
pub mod project;

#[cfg(feature = "full")]
pub mod sql;

#[cfg(feature = "full")]
pub mod service;

#[cfg(feature = "full")]
pub mod report;

#[cfg(feature = "full")]
pub mod synthetic;

#[cfg(feature = "full")]
pub mod guide;

/// The `polars` whose frames this crate takes and gives: a program that uses it by this name has the same one.
#[cfg(feature = "files")]
pub use polars;

pub use error::{Error, Result};
