//! x
pub mod error;
pub mod calendar;
pub mod records;
pub mod cohort;
pub mod features;
pub use error::{Error, Result};
