//! One error type for each stage, and one [`enum@Error`] that holds them all for `?`.
//!
//! An error says where it happened and what to do about it. It carries positions (source, file, row,
//! column) and names that the project itself chose (sources, features, kinds). It never carries a
//! person's value or id.

mod audit;
mod class;
mod ledger;
mod outputs;
mod records;
mod review;
mod scoring;
mod simulation;
mod sql;

use std::path::PathBuf;

pub use audit::{AuditError, ScoresError};
pub use class::Class;
pub use ledger::LedgerError;
pub use outputs::OutputsError;
pub use records::RecordsError;
pub use review::ReviewError;
pub use scoring::ScoringError;
pub use simulation::SimulationError;
pub use sql::SqlError;

/// The result of an `earlyhelp` function that names no other error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the crate, by stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Writing files.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// A date or a span of time.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
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
    /// Doing something about a disparity.
    #[error(transparent)]
    Mitigation(#[from] MitigationError),
    /// Writing SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Releasing a model, or scoring with it.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// Reviewing a list.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// A fairness audit.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A table of scores to be audited.
    #[error(transparent)]
    Scores(#[from] ScoresError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Writing a report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Making a synthetic council.
    #[error(transparent)]
    Synthetic(#[from] SyntheticError),
    /// The project file.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Simulating lists of past dates.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
}

/// A file that cannot be read as a whole. It does not name the file, which its caller does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refuses.
    #[error("{0}")]
    System(String),
    /// A folder, a pipe or a device.
    #[error("it is no file that holds anything, but a pipe, a device or a folder; write it to a file first")]
    NotAFile,
    /// More than a file of its kind can have.
    #[error("it has more than the {most} bytes that such a file may have; is it the right one?")]
    TooLarge {
        /// The bound.
        most: u64,
    },
    /// Not in UTF-8.
    #[error("it is not a text in UTF-8; save it as one")]
    NotText,
}

/// A date or a span of time that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The text is not a date in the form year-month-day.
    #[error("not a date: write it as year-month-day, for instance 2024-03-31")]
    NotADate,
    /// The text is not a span ahead such as `90 days` or `12 months`.
    #[error("not a span of time: write for instance \"90 days\" or \"12 months\"")]
    NotAHorizon,
    /// The text is not a span such as `90 days`, `12 months` or `ever`.
    #[error("not a span of time: write for instance \"90 days\", \"12 months\" or \"ever\"")]
    NotASpan,
    /// A span that is longer than any records go back.
    #[error(
        "a span of time is 1 to 36600 days or 1 to 1200 months (a hundred years); for all records there are, a look-back is \
         \"ever\""
    )]
    TooLong,
}

/// A cohort, feature or outcome that does not fit the project or the records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A source that there is not.
    #[error("{of}: there is no source \"{source_name}\"{nearest}")]
    NoSource {
        /// Whose definition it is.
        of: String,
        /// The name that was looked for.
        source_name: String,
        /// What was most likely meant; empty where nothing is near.
        nearest: String,
    },
    /// A category that the source's mapping does not keep.
    #[error(
        "{of}: source {source_name} keeps no category \"{column}\"; list the column under `categories` in its mapping"
    )]
    NoCategory {
        /// Whose definition it is.
        of: String,
        /// The source.
        source_name: String,
        /// The category.
        column: String,
    },
    /// A source without a single accepted record.
    #[error(
        "{of}: source {source_name} holds no record; give its extract, or write `optional = true` beside it if its records \
         are expected later"
    )]
    NoRecords {
        /// Whose definition it is.
        of: String,
        /// The source.
        source_name: String,
    },
    /// A kind, role or category that no record has.
    #[error(
        "{of}: no record of source {source_name} has the {what} \"{wanted}\"{nearest} ({held}); write it as the source has \
         it, or write `optional = true` beside it if such records are expected later"
    )]
    NoValue {
        /// Whose definition it is.
        of: String,
        /// The source.
        source_name: String,
        /// What was looked for: a kind, a role, a value of a category.
        what: String,
        /// Its name, as the definition has it.
        wanted: String,
        /// The name that was most likely meant, as a question; empty where none is near.
        nearest: String,
        /// The names that there are.
        held: String,
    },
    /// Kinds, roles and categories that records have, and no record has together.
    #[error(
        "{of}: its kinds, roles and categories are each in source {source_name}, but never together in one record; widen \
         it, or write `optional = true` beside it if such records are expected later"
    )]
    NeverTogether {
        /// Whose definition it is.
        of: String,
        /// The source.
        source_name: String,
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
    /// An outcome that is asked about before its records begin.
    #[error(
        "outcome {outcome}: source {source_name} holds nothing from before {covered_from}, so that from {as_of} on an outcome \
         could be missed and would count as \"no\"; take a later as-of date, or an extract that begins earlier"
    )]
    BeforeExtract {
        /// The outcome.
        outcome: String,
        /// The as-of date.
        as_of: String,
        /// The source.
        source_name: String,
        /// The first day it covers.
        covered_from: String,
    },
    /// Nobody is in the cohort.
    #[error(
        "the cohort at {0} is empty: nobody passes its rules; check the rules and the people's dates of birth"
    )]
    EmptyCohort(String),
}
/// As-of dates that cannot be stacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// No date was given.
    #[error("a dataset needs at least one as-of date")]
    NoDates,
    /// A date was given twice.
    #[error("the as-of date {0} is given twice")]
    DateTwice(String),
    /// Cohorts of different records, or chosen by different rules.
    #[error("the cohorts are of different records, or were chosen by different rules")]
    OtherRecords,
    /// More dates than can be numbered.
    #[error("more than 65,535 as-of dates")]
    TooManyDates,
    /// Not one case has a known outcome.
    #[error("no case has a known outcome: all were left out; check the outcome's follow-up rule")]
    NoOutcomes,
    /// A frame could not be made.
    #[error("the dataset cannot be made a frame: {0}")]
    Frame(String),
}
/// A model that cannot be trained, read or applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A model that contradicts itself.
    #[error("not a model: {0}")]
    Form(String),
    /// Cases that the model was not made for.
    #[error("the cases do not fit the model: {0}")]
    Features(String),
    /// Training did not end in a model.
    #[error("the model could not be fitted: {0}")]
    NotFitted(String),
    /// A model file that cannot be read.
    #[error("the model file cannot be read: {0}")]
    File(String),
    /// A model file whose content is not what its digest says.
    #[error(
        "the model file was changed after it was made: its content does not match its digest; get the original, or train again"
    )]
    Changed,
    /// A feature that reads a protected characteristic.
    #[error("{0}")]
    Protected(String),
    /// An edit that says too little, or that the model does not allow.
    #[error("the edit cannot be made: {0}")]
    Edit(String),
    /// linfa refused its part.
    #[cfg(feature = "linfa")]
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
/// Why a test set cannot be measured. It names a position or a count, never a person's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// There are no rows.
    #[error("there are no rows to measure")]
    Empty,
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
    /// A score is infinite or not a number, or so large that sums overflow.
    #[error("the score of row {row} (counted from 0) is not a usable number")]
    Score {
        /// The position of the row, from 0.
        row: usize,
    },
    /// All rows belong to one family: nothing says how much families differ.
    #[error("all rows belong to one family; an interval needs at least two")]
    OneFamily,
    /// The bootstrap has too few resamples for a 95% interval.
    #[error("{resamples} resamples are too few for a 95% interval; at least {least} are needed")]
    TooFewResamples {
        /// How many were asked for.
        resamples: u32,
        /// The fewest possible.
        least: u32,
    },
    /// The bootstrap has more resamples than could tell anything more.
    #[error("{resamples} resamples are too many; beyond {most} they only cost time and memory")]
    TooManyResamples {
        /// How many were asked for.
        resamples: u32,
        /// The most possible.
        most: u32,
    },
    /// A list of no place, or of more than everybody.
    #[error("a capacity is 1 or more cases, or a share above 0 and at most 1; {0}")]
    Capacity(String),
    /// A plan whose training would see what the test is about.
    #[error("the backtest cannot be run: {0}")]
    Plan(String),
    /// A model could not be trained in one of the splits.
    #[error("training for the test on {test}: {why}")]
    Training {
        /// The as-of date tested on.
        test: String,
        /// What the trainer said.
        why: String,
    },
}
/// A mitigation that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MitigationError {
    /// Nobody answers for it.
    #[error(
        "a mitigation treats people differently by a protected characteristic: {0} must say so in words; take legal \
         advice first"
    )]
    NotSigned(&'static str),
    /// No characteristic is named.
    #[error("name at least one protected characteristic to reweigh by")]
    NoCharacteristic,
    /// A characteristic is named twice.
    #[error("the protected characteristic \"{0}\" is named twice")]
    Twice(String),
    /// A characteristic that the project says is not held.
    #[error("the protected characteristic \"{0}\" is not held, so nothing can be done by it")]
    NotHeld(String),
    /// A characteristic that nobody declared.
    #[error("there is no protected characteristic \"{0}\"; name one of those declared as held")]
    Unknown(String),
    /// Too few cases to weigh by.
    #[error(
        "fewer than two groups have {minimum} cases with the outcome and {minimum} without it; there is nothing to \
         weigh against each other"
    )]
    TooSmall {
        /// The fewest.
        minimum: u32,
    },
    /// Shares that cannot be dealt.
    #[error("the shares cannot be dealt: {0}")]
    Shares(String),
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The text could not be made.
    #[error("the report could not be made: {0}")]
    Render(String),
}
/// A synthetic council that cannot be made or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntheticError {
    /// The number of attendance records a term is out of range.
    #[error("a child has 1 to {most} attendance records in a term, not {given}")]
    Attendance {
        /// The most.
        most: u32,
        /// The number asked for.
        given: u32,
    },
    /// The number of children is out of range.
    #[error("a council has {least} to {most} children, not {given}")]
    Children {
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
        /// The number asked for.
        given: u32,
    },
    /// A file cannot be written, or may not be written over.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// A frame could not be made.
    #[error("an extract cannot be made a frame: {0}")]
    Frame(String),
}
/// A project file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The file cannot be read.
    #[error("cannot read the project file {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A folder of extracts cannot be used.
    #[error("the folder {} cannot be used: {why}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file that the project names, or finds by a pattern or a link, lies where it may not read.
    #[error(
        "the project reads {}, which is neither below its own folder nor below that of its extracts; if you mean it to, allow \
         that folder (`--may-read FOLDER`, or `Project::may_read`)",
        path.display()
    )]
    Outside {
        /// The file.
        path: PathBuf,
    },
    /// The text is not a project.
    #[error("the project file is not right: {0}")]
    Parse(String),
    /// The text is not a project, and where it is not, there is an address with a password.
    #[error(
        "the project file is not right, in a line with an address that has a password in it; take the password out, and put it into \
         PGPASSWORD, PGPASSFILE or ~/.pgpass"
    )]
    ParseUnseen,
    /// A project that asks a database, in a build without a client for it.
    #[error(
        "the project reads tables by `query`, and this build has no client for a database; build with the feature `postgres`, or \
         name files by `path`"
    )]
    NoPostgres,
    /// A project that asks a database which whoever runs it did not allow.
    #[error(
        "the project reads from a database with your login; if you mean it to, allow the address that it has as `database` \
         (`--may-read ADDRESS`, or `Project::may_read`)"
    )]
    DatabaseNotAllowed,
    /// The database cannot be used.
    #[error("the project's database cannot be used: {0}")]
    Database(String),
    /// A number that cannot be.
    #[error("the project file is not right: {key}: {why}")]
    Range {
        /// The key.
        key: &'static str,
        /// What it can be.
        why: String,
    },
    /// Sources of referrals in a project that does not say which records mean help.
    #[error(
        "the project names sources of referrals (`[[referral]]`) and does not say which records mean that help was \
         given; give `helped`, which the same report needs"
    )]
    ReferralsWithoutHelp,
    /// Records that say something else than those a model was trained on, so that what an edit does could not be
    /// told from what the new records do.
    #[error(
        "source {extract} says something else at {as_of} than when the model was trained; edit it with the extracts \
         it was made from, or train again"
    )]
    OtherSource {
        /// The source.
        extract: String,
        /// The date.
        as_of: String,
    },
    /// A source that maps a protected characteristic as something features can read.
    #[error(
        "source {extract}: column \"{column}\" is declared as a protected characteristic, which is held for audit alone; \
         take it out of the source's mapping"
    )]
    Protected {
        /// The source.
        extract: String,
        /// The column.
        column: String,
    },
}

/// What is to be done where nothing more can be written.
pub(crate) const MAKE_ROOM: &str = "make room on that disk, and run the same again";

/// What the system says, and what to do where the disk is full.
pub(crate) fn said(error: &std::io::Error) -> String {
    if is_of_room(error) { format!("{error}; {MAKE_ROOM}") } else { error.to_string() }
}

/// Whether nothing more can be written because there is no room for it.
pub(crate) fn is_of_room(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
