//! One error type for each stage, and one [`enum@Error`] that holds them all for `?`.
//!
//! An error says where it happened and what to do about it. It carries positions (source, file, row,
//! column) and names that the project itself chose (sources, features, kinds). It never carries a
//! person's value or id.

use std::path::PathBuf;

/// The result of an `earlyhelp` function that names no other error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the crate, by stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading and validating extracts.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A cohort, feature or outcome definition that does not fit the records.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Stacking as-of dates into a dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Training a model, or reading a model file.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Measuring a model.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Releasing a model, or scoring with it.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// Reviewing a list.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Writing a report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Making a synthetic council.
    #[error(transparent)]
    Synthetic(#[from] SyntheticError),
    /// The project file.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

/// A date or a span of time that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The text is not a date in the form year-month-day.
    #[error("not a date: write it as year-month-day, for instance 2024-03-31")]
    NotADate,
    /// The text is not a span such as `90 days`, `12 months` or `ever`.
    #[error("not a span of time: write for instance \"90 days\", \"12 months\" or \"ever\"")]
    NotASpan,
}

/// Extracts that cannot be read or used.
///
/// A single bad row is not an error: it is kept among the rejects.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// A file cannot be opened or decoded.
    #[error("source {extract}: cannot read {}: {why}", path.display())]
    Read {
        /// The source.
        extract: String,
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        why: String,
    },
    /// A mapped column is not in the extract.
    #[error("source {extract}: there is no column \"{column}\"; correct the mapping, or the header line of the extract")]
    NoColumn {
        /// The source.
        extract: String,
        /// The column.
        column: String,
    },
    /// A column is of a type that cannot hold what it is mapped to.
    #[error("source {extract}: column \"{column}\" is of type {found}, which cannot be used here; cast it before handing it over")]
    ColumnType {
        /// The source.
        extract: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// Two sources, or a source and the people, have one name.
    #[error("two sources are named \"{0}\"; give each its own name")]
    NameTwice(String),
    /// A mapping contradicts itself.
    #[error("source {extract}: {why}")]
    Mapping {
        /// The source.
        extract: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// More rows were rejected than the project allows.
    #[error(
        "source {extract}: {rejected} of {read} rows were rejected, over the limit of {limit:.1}% (most often: {commonest}); \
         `earlyhelp check` lists them; mend the extract or the mapping, or raise reject_limit"
    )]
    TooManyRejects {
        /// The source.
        extract: String,
        /// Rows rejected.
        rejected: u64,
        /// Rows read.
        read: u64,
        /// The limit, percent.
        limit: f64,
        /// The most frequent reason.
        commonest: String,
    },
    /// More people, kinds or rows than the tables can number.
    #[error("source {extract}: more than {limit} {what}; split the extract or correct the mapping")]
    TooMany {
        /// The source.
        extract: String,
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// No entity at all.
    #[error("there are no people: neither a list of people nor an accepted record names anybody")]
    Empty,
}

/// A cohort, feature or outcome that does not fit the project or the records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A source that there is not.
    #[error("{of}: there is no source \"{source_name}\"")]
    NoSource {
        /// Whose definition it is.
        of: String,
        /// The name that was looked for.
        source_name: String,
    },
    /// A category that the source's mapping does not keep.
    #[error("{of}: source {source_name} keeps no category \"{column}\"; list the column under `categories` in its mapping")]
    NoCategory {
        /// Whose definition it is.
        of: String,
        /// The source.
        source_name: String,
        /// The category.
        column: String,
    },
    /// A feature that reads a protected characteristic.
    #[error(
        "feature {feature}: \"{characteristic}\" is declared as a protected characteristic, which is held for audit alone; \
         no feature may read it"
    )]
    Protected {
        /// The feature.
        feature: String,
        /// The characteristic.
        characteristic: String,
    },
    /// Two features of one name.
    #[error("two features are named \"{0}\"; give one of them a name of its own")]
    FeatureTwice(String),
    /// A definition that contradicts itself or cannot be computed.
    #[error("{of}: {why}")]
    Invalid {
        /// Whose definition it is.
        of: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// An outcome that reaches beyond the records.
    #[error(
        "outcome {outcome}: its horizon from {as_of} ends on {ends}, but source {source_name} is complete only up to {covered_to}; \
         take an earlier as-of date or a later extract"
    )]
    BeyondExtract {
        /// The outcome.
        outcome: String,
        /// The as-of date.
        as_of: String,
        /// The first day after the horizon.
        ends: String,
        /// The source.
        source_name: String,
        /// The last day it covers.
        covered_to: String,
    },
    /// Nobody is in the cohort.
    #[error("the cohort at {0} is empty: nobody passes its rules; check the rules and the people's dates of birth")]
    EmptyCohort(String),
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum DatasetError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum ModelError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum EvaluateError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum ScoringError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum ReviewError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum ReportError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum SyntheticError {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum ProjectError {}
