//! A number is never shown without how sure one can be of it: 95% intervals for proportions,
//! for differences of proportions, for means over families, and for anything else by bootstrap.
//!
//! Siblings resemble one another, and one person may be in the test at several as-of dates. Rows of
//! one family are therefore not independent, and an interval that takes them for independent is too
//! narrow. [`clustered_mean`] and [`Bootstrap`] treat the family as the unit. [`wilson`] and
//! [`newcombe_difference`] do not: they are exact enough for small counts, where the others fail, and
//! should be read as a little too narrow where families hold several rows with the same answer.
//!
//! ```
//! use earlyhelp::stats::wilson;
//!
//! // 3 of 20 people on a list had the outcome: 15%, and anything from 5% to 36% fits.
//! let found = wilson(3, 20).ok_or("nobody on the list")?;
//! assert_eq!(found.percent(), "15.0% (5.2 to 36.0)");
//! assert!(wilson(0, 0).is_none()); // no denominator, no rate: never 0%
//! # Ok::<(), &str>(())
//! ```

mod bootstrap;
pub(crate) mod chance;
mod clusters;
#[cfg(test)]
pub(crate) mod fixture;
mod interval;
pub(crate) mod line;
pub(crate) mod link;
pub(crate) mod random;
mod round;
pub(crate) mod shares;

pub use bootstrap::Bootstrap;
pub(crate) use bootstrap::{LANES, percentile_interval};
pub(crate) use clusters::Clusters;
pub(crate) use interval::clustered_mean_in;
pub use interval::{Estimate, Interval, Z, clustered_mean};
pub(crate) use round::round_between;
pub(crate) use shares::{clustered_share, difference, expected_share};
pub use shares::{newcombe_difference, wilson};
