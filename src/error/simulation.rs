//! Errors of simulating lists.

use super::Error;

/// Lists of past dates that cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A period that ends before it begins.
    #[error(
        "lists from {from} to {to} are none: the first date lies after the last; give the earlier one as the first"
    )]
    Period {
        /// The first date.
        from: String,
        /// The last date.
        to: String,
    },
    /// More lists than anybody reads.
    #[error("these are more than {most} lists; take a shorter period, or a longer time from list to list")]
    TooManyLists {
        /// The bound.
        most: usize,
    },
    /// A list that cannot be drawn.
    #[error("the list of {as_of}: {why}")]
    List {
        /// The date.
        as_of: String,
        /// What is wrong.
        why: Box<Error>,
    },
    /// Not one list.
    #[error("there would have been no list at any of the {dates} dates; at the first, {as_of}: {why}")]
    NoList {
        /// How many dates.
        dates: usize,
        /// The first of them.
        as_of: String,
        /// Why there is none.
        why: String,
    },
}
