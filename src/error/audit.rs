//! What stops a fairness audit.

use super::RecordsError;

/// A table or a request that cannot be audited. It names columns and positions, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The rows are about fewer people than the minimum for a group.
    #[error(
        "the table is about {n} people (rows, where it does not say whose they are), under the minimum of {minimum}: nothing \
             can be shown"
    )]
    TooFewPeople {
        /// People; rows, where nothing says whom they are about.
        n: usize,
        /// The minimum asked for.
        minimum: u32,
    },
    /// A column has another length than the scores.
    #[error("{what}: {found} entries, where there are {expected} scores")]
    LengthMismatch {
        /// Which column.
        what: String,
        /// How many scores there are.
        expected: usize,
        /// How many entries the column has.
        found: usize,
    },
    /// More rows than positions in 32 bits.
    #[error("the table has 2^32 rows or more; audit it in parts")]
    TooManyRows,
    /// A score is infinite or not a number, or so large that sums overflow.
    #[error(
        "the score of row {row} (counted from 0) is not a usable number; leave the row out, or correct it"
    )]
    Score {
        /// The position of the row, from 0.
        row: usize,
    },
    /// The file of protected characteristics is about others.
    #[error(
        "not one of the {cases} cases is in the file of protected characteristics, so nothing was audited: its `entity` has to \
         hold the ids that the cases have; where families are scored and the file is by person, say `of_family`"
    )]
    MatchedNobody {
        /// Cases to be audited.
        cases: usize,
    },
    /// A weight is not a number above 0.
    #[error(
        "the weight of row {row} (counted from 0) is not a number above 0; leave the row out, or correct it"
    )]
    Weight {
        /// The position of the row, from 0.
        row: usize,
    },
    /// A group code without a name.
    #[error("{column}: the code of row {row} (counted from 0) has no name")]
    Code {
        /// Which column.
        column: String,
        /// The position of the row, from 0.
        row: usize,
    },
    /// Two group columns of one name.
    #[error("there are two group columns \"{column}\"; give each its own name")]
    Twice {
        /// The name.
        column: String,
    },
    /// A column with so many values that it is no grouping.
    #[error(
        "{column} has more than {most} different values, so it is no grouping (an id?); put them into groups"
    )]
    TooManyGroups {
        /// Which column.
        column: String,
        /// The most possible.
        most: usize,
    },
    /// A protected characteristic whose values are those of fewer than two people each on average.
    #[error(
        "{column} has values that fewer than two people have on average, so it is no grouping (an id, a date?); put \
         them into groups, or take it off the protected characteristics"
    )]
    RareValues {
        /// Which column.
        column: String,
    },
    /// A reference for a column that is not there, or for a value that no row has.
    #[error("the reference for {column} names a column that is not audited, or a group without a row")]
    Reference {
        /// Which column.
        column: String,
    },
    /// Selected by score, but the table has none.
    #[error(
        "the table has no scores, so neither a threshold nor a capacity can be applied; say who was selected"
    )]
    NoScores,
    /// Selected as the table says, but the table does not say.
    #[error("no row is marked as selected or not; give the column that says it, a threshold, or a capacity")]
    NoPrediction,
    /// A parameter out of its range.
    #[error("{what}")]
    Parameter {
        /// Which, and what is possible.
        what: &'static str,
    },
}

/// A table of scores that cannot be read. It names files, columns and types, never a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// What is asked for does not go together.
    #[error("{what}")]
    Columns {
        /// What, and what to do.
        what: &'static str,
    },
    /// The file cannot be read, or has not the columns.
    #[error(transparent)]
    Read(#[from] RecordsError),
    /// A column of a type that cannot be used so.
    #[error("column \"{column}\" is of type {found}, where {wanted} is needed")]
    ColumnType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A column of yes and no coded 1 and 2: which of them means yes cannot be told.
    #[error(
        "column \"{column}\" holds 2 and no 0: which of 1 and 2 means yes cannot be told; write 1 for yes and 0 for no \
         (or yes and no)"
    )]
    OneAndTwo {
        /// The column.
        column: String,
    },
    /// Some scores have a per cent sign, and some have none.
    #[error(
        "column \"{column}\" has numbers with a per cent sign and numbers without: whether 12 means 12% cannot be told; \
         write them all in one way"
    )]
    MixedPercent {
        /// The column.
        column: String,
    },
    /// Of the days of scoring it cannot be told whether the day or the month comes first.
    #[error("column \"{column}\": {why}")]
    DateOrder {
        /// The column.
        column: String,
        /// What was found, and what to do.
        why: &'static str,
    },
    /// A value that was named in the request, and that no row has.
    #[error("no row says \"{value}\" in column \"{column}\"; give the value as the table has it")]
    NoSuchValue {
        /// The column.
        column: String,
        /// The value, as it was given.
        value: String,
    },
    /// Counts add up to more cases than can be looked at.
    #[error("the counts add up to more than {most} cases; audit the table in parts")]
    TooManyCases {
        /// The most possible.
        most: u64,
    },
    /// No row could be used.
    #[error("none of the {read} rows read can be audited{why}")]
    NoRow {
        /// Rows read.
        read: u64,
        /// The commonest reason, with its column; empty where there are no rows.
        why: String,
    },
    /// The table cannot be made.
    #[error(transparent)]
    Table(#[from] AuditError),
}
