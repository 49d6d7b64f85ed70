//! Why a fit was refused or did not finish.

use thiserror::Error;

/// What stopped a logistic fit.
///
/// A position (row or column index, counted from 0) is named where there is one; a value never is,
/// because a row belongs to a person.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SolverError {
    /// The design has no rows.
    #[error("there are no rows to fit on")]
    NoRows,
    /// One of the inputs has a different length from the design.
    #[error("{what}: expected {expected} values, found {found}")]
    Length {
        /// Which input: "outcomes", "weights" or "start".
        what: &'static str,
        /// The length that the design asks for.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// A setting lies outside its range.
    #[error("{name} must be {range}")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// The range it must lie in, in words.
        range: &'static str,
    },
    /// A weight is negative, infinite or not a number.
    #[error("the weight of row {row} is negative or not finite")]
    Weight {
        /// Index of the row.
        row: usize,
    },
    /// The sum of the weights is too large to be a number.
    #[error("the weights add up to more than a number can hold; divide them all by a constant")]
    WeightsTooLarge,
    /// All rows that carry weight have the same outcome, so there is nothing to tell apart.
    #[error("every row with a weight above zero has the outcome `{outcome}`; both outcomes are needed")]
    OneClass {
        /// The only outcome that was found.
        outcome: bool,
    },
    /// No row carries any weight.
    #[error("all weights are zero")]
    NoWeight,
    /// A value of the design is infinite or not a number.
    #[error("row {row}, column {column} of the design is not a finite number")]
    NonFinite {
        /// Index of the first such row.
        row: usize,
        /// Index of the first such column in that row.
        column: usize,
    },
    /// The values of a column are so large that their squares overflow.
    #[error("column {column} of the design holds values too large to square; standardise it first")]
    TooLarge {
        /// Index of the column.
        column: usize,
    },
    /// A column says nothing that the columns before it do not say already.
    #[error(
        "column {column} of the design is a constant or a linear combination of the columns before it, so its \
         coefficient is not determined; leave the column out or raise the penalty strength"
    )]
    Collinear {
        /// Index of the column.
        column: usize,
    },
    /// Without a penalty the coefficients would grow for ever.
    #[error(
        "the columns separate the two outcomes, wholly or in part, so without a penalty the coefficients have no \
         finite best value; set a penalty strength above zero"
    )]
    Separated,
    /// The iterations ended before the optimality conditions held.
    #[error(
        "not converged after {iterations} iterations: the optimality conditions are violated by {optimality:.1e} \
         (allowed {tolerance:.1e}), or the coefficients still move; raise the penalty strength, allow more \
         iterations, or check that the columns are standardised"
    )]
    NotConverged {
        /// Steps that were taken.
        iterations: u32,
        /// Largest violation of the optimality conditions at the last point.
        optimality: f64,
        /// The violation that was allowed.
        tolerance: f64,
    },
}
