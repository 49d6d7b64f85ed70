//! Why there is no SQL.

use super::{RecordsError, ScoringError, SpecError};

/// A model, project or dialect of which no SQL is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// Something that the texts do not say.
    #[error("SQL is not written for {what}; score with `earlyhelp score`")]
    NotSaid {
        /// What.
        what: &'static str,
    },
    /// What is read is not there.
    #[error("{what}; write the SQL with the project that the model was trained with")]
    Lacks {
        /// What, and where.
        what: String,
    },
    /// A request for which nothing is scored.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// An outcome that cannot be told: its horizon reaches beyond what a source covers.
    #[error(transparent)]
    Outcome(#[from] SpecError),
    /// A staged table that cannot be made.
    #[error("a staged table cannot be made: {why}")]
    Staged {
        /// Why.
        why: String,
    },
    /// A table that an engine made and that cannot be read.
    #[error("the table {table}: {why}")]
    Table {
        /// The table.
        table: String,
        /// Why, and what to do.
        why: String,
    },
    /// A scored table that is not what the texts make of these records.
    #[error("the scored table is refused: {what}")]
    Refused {
        /// What is not as it should be.
        what: String,
    },
    /// Staged tables that cannot be read back.
    #[error(transparent)]
    Records(#[from] RecordsError),
}
