//! x
pub mod error;
pub mod calendar;
pub mod records;
pub mod cohort;
pub mod features;
pub mod outcome;
pub mod dataset;
pub mod model;
pub mod evaluate;
pub mod fairness;
pub mod scoring;
pub mod review;
pub use error::{Error, Result};
