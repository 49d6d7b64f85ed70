//! x
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
pub mod report;
pub mod synthetic;
pub mod project;
pub use error::{Error, Result};
