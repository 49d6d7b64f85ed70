//! What a caller can do about an error, whatever it is.

use super::{
    AuditError, CalendarError, DatasetError, Error, EvaluateError, FileError, LedgerError, MitigationError,
    ModelError, OutputsError, ProjectError, RecordsError, ReportError, ReviewError, ScoresError,
    ScoringError, SimulationError, SpecError, SqlError, SyntheticError,
};

/// What kind of error it is, by what a caller can do about it.
///
/// # Examples
/// ```
/// use earlyhelp::Error;
/// use earlyhelp::error::Class;
///
/// /// As a service over HTTP would answer.
/// fn status(error: &Error) -> u16 {
///     match error.class() {
///         Class::Refused => 403,
///         Class::BadInput => 422,
///         Class::NotFound => 404,
///         Class::Retry => 503,
///         _ => 500,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Class {
    /// A rule says no: the purpose was not signed for, the list expired, nobody accepted a changed source, a file is not as it was
    /// written. Somebody has to decide; the same again is refused again.
    Refused,
    /// What was given cannot be used: a file, a definition, a date, a name that is none.
    BadInput,
    /// What was asked for by its name is not there.
    NotFound,
    /// Somebody else was in the way. The same again may succeed.
    Retry,
    /// Neither the request nor a rule, but the machine or this crate: a disk that is full, a fit that came to no end.
    Ours,
}

impl Class {
    /// As it is written: `bad_input`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::BadInput => "bad_input",
            Self::NotFound => "not_found",
            Self::Retry => "retry",
            Self::Ours => "ours",
        }
    }
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Outputs(error) => error.class(),
            Self::Calendar(error) => error.class(),
            Self::Records(error) => error.class(),
            Self::Spec(error) => error.class(),
            Self::Dataset(error) => error.class(),
            Self::Model(error) => error.class(),
            Self::Evaluate(error) => error.class(),
            Self::Mitigation(error) => error.class(),
            Self::Sql(error) => error.class(),
            Self::Scoring(error) => error.class(),
            Self::Review(error) => error.class(),
            Self::Audit(error) => error.class(),
            Self::Scores(error) => error.class(),
            Self::Ledger(error) => error.class(),
            Self::Report(error) => error.class(),
            Self::Synthetic(error) => error.class(),
            Self::Project(error) => error.class(),
            Self::Simulation(error) => error.class(),
        }
    }
}

/// Gives each error of a stage its class; a new one does not compile without.
macro_rules! classes {
    ($($error:ident { $($(#[$when:meta])? $pattern:pat => $class:expr),+ $(,)? })+) => {$(
        impl $error {
            /// What a caller can do about it.
            #[must_use]
            pub fn class(&self) -> Class {
                match self {
                    $($(#[$when])? $pattern => $class),+
                }
            }
        }
    )+};
}

use Class::{BadInput, NotFound, Ours, Refused, Retry};

classes! {
    OutputsError {
        Self::Busy { .. } => Retry,
        Self::Write { .. } | Self::Unfinished { .. } | Self::Leftover { .. } => Ours,
        Self::NotAFile { .. } | Self::Name { .. } => BadInput,
        Self::Input { .. } | Self::Taken { .. } | Self::Exists { .. } | Self::Marker { .. } | Self::NotOwn { .. } => Refused,
    }
    CalendarError {
        Self::NotADate | Self::NotAHorizon | Self::NotASpan | Self::TooLong => BadInput,
    }
    FileError {
        Self::System(_) => NotFound,
        Self::NotAFile | Self::TooLarge { .. } | Self::NotText => BadInput,
    }
    RecordsError {
        Self::Changed { .. } => Retry,
        Self::Memory { .. } | Self::Store { .. } | Self::PutAway { .. } => Ours,
        Self::TooManyRejects { .. }
        | Self::PartingsUnusable { .. }
        | Self::Read { .. }
        | Self::Frame { .. }
        | Self::Query { .. }
        | Self::NoColumn { .. }
        | Self::DateOrder { .. }
        | Self::ColumnTwice { .. }
        | Self::ColumnsAlike { .. }
        | Self::ColumnForTwo { .. }
        | Self::FilePattern { .. }
        | Self::Format { .. }
        | Self::ColumnType { .. }
        | Self::NameTwice(_)
        | Self::Mapping { .. }
        | Self::Change { .. }
        | Self::RejectLimit(_)
        | Self::Staged { .. }
        | Self::TooMany { .. }
        | Self::PseudonymKey { .. }
        | Self::WayBack { .. }
        | Self::Empty => BadInput,
    }
    SpecError {
        Self::Protected { .. } => Refused,
        Self::NoSource { .. }
        | Self::NoCategory { .. }
        | Self::NoRecords { .. }
        | Self::NoValue { .. }
        | Self::NeverTogether { .. }
        | Self::FeatureTwice(_)
        | Self::Invalid { .. }
        | Self::BeyondExtract { .. }
        | Self::BeforeExtract { .. }
        | Self::EmptyCohort(_) => BadInput,
    }
    DatasetError {
        Self::Frame(_) => Ours,
        Self::NoDates | Self::DateTwice(_) | Self::OtherRecords | Self::TooManyDates | Self::NoOutcomes => BadInput,
    }
    ModelError {
        Self::NotFitted(_) => Ours,
        #[cfg(feature = "linfa")]
        Self::Linfa(_) => Ours,
        Self::Changed | Self::Protected(_) => Refused,
        Self::Form(_) | Self::Features(_) | Self::File(_) | Self::Edit(_) => BadInput,
    }
    EvaluateError {
        Self::Training { .. } => Ours,
        Self::Empty
        | Self::LengthMismatch { .. }
        | Self::Score { .. }
        | Self::OneFamily
        | Self::TooFewResamples { .. }
        | Self::TooManyResamples { .. }
        | Self::Capacity(_)
        | Self::Plan(_) => BadInput,
    }
    MitigationError {
        Self::NotSigned(_) => Refused,
        Self::NoCharacteristic
        | Self::Twice(_)
        | Self::NotHeld(_)
        | Self::Unknown(_)
        | Self::TooSmall { .. }
        | Self::Shares(_) => BadInput,
    }
    SqlError {
        Self::Scoring(error) => error.class(),
        Self::Outcome(error) => error.class(),
        Self::Records(error) => error.class(),
        Self::Refused { .. } => Refused,
        Self::NotSaid { .. } | Self::Lacks { .. } | Self::Staged { .. } | Self::Table { .. } => BadInput,
    }
    ScoringError {
        Self::OtherCandidate { .. }
        | Self::NothingAudited
        | Self::EarlierCheck
        | Self::NoPrevious
        | Self::SignOff(_)
        | Self::OtherFeatures { .. }
        | Self::OtherPurpose { .. }
        | Self::ReviewOverdue { .. }
        | Self::BeforeSignOff { .. }
        | Self::OtherPopulation { .. }
        | Self::SourcesChanged { .. }
        | Self::Changed => Refused,
        Self::NotAnEdit(_)
        | Self::AsOfAfterRequest { .. }
        | Self::AfterRecords { .. }
        | Self::BeforeRecords { .. }
        | Self::Request(_)
        | Self::Later
        | Self::File(_) => BadInput,
        Self::Spec(error) => error.class(),
        Self::Model(error) => error.class(),
    }
    ReviewError {
        Self::NoPlace(_) => NotFound,
        Self::Expired(_) | Self::JudgeFirst | Self::NoReason | Self::NobodyScored { .. } => Refused,
        Self::NoCapacity
        | Self::CapacityAboveCohort { .. }
        | Self::SampleAboveCohort { .. }
        | Self::NobodyIsMarked
        | Self::AllAreKnown
        | Self::EarlierList(_)
        | Self::Reviewer(_)
        | Self::TooLong { .. }
        | Self::ReasonCodes(_)
        | Self::ReasonCode(_)
        | Self::DecisionFile(_) => BadInput,
    }
    AuditError {
        Self::TooFewPeople { .. } => Refused,
        Self::LengthMismatch { .. }
        | Self::TooManyRows
        | Self::Score { .. }
        | Self::MatchedNobody { .. }
        | Self::Weight { .. }
        | Self::Code { .. }
        | Self::Twice { .. }
        | Self::TooManyGroups { .. }
        | Self::RareValues { .. }
        | Self::Reference { .. }
        | Self::NoScores
        | Self::NoPrediction
        | Self::Parameter { .. } => BadInput,
    }
    ScoresError {
        Self::Read(error) => error.class(),
        Self::Table(error) => error.class(),
        Self::Columns { .. }
        | Self::ColumnType { .. }
        | Self::OneAndTwo { .. }
        | Self::MixedPercent { .. }
        | Self::DateOrder { .. }
        | Self::NoSuchValue { .. }
        | Self::TooManyCases { .. }
        | Self::NoRow { .. } => BadInput,
    }
    LedgerError {
        Self::Missing { .. }
        | Self::NoTables { .. }
        | Self::NoModel(_)
        | Self::NoRun(_)
        | Self::NoPlace(_)
        | Self::NotListed
        | Self::Purged
        | Self::NobodyOfThatId => NotFound,
        Self::Moved | Self::InUse { .. } | Self::NotWiped { .. } | Self::PurgedMeanwhile => Retry,
        Self::Io { .. } | Self::NoRandomness(_) => Ours,
        Self::Damaged { .. }
        | Self::Meaning { .. }
        | Self::Signature(_)
        | Self::NotEmpty { .. }
        | Self::Shorter { .. }
        | Self::NamesThePerson
        | Self::Retired(_)
        | Self::NotOpened
        | Self::Expired(_)
        | Self::Decided { .. }
        | Self::Redaction(_)
        | Self::List(_) => Refused,
        Self::NotALedger { .. }
        | Self::NoSqlite { .. }
        | Self::NoPostgres
        | Self::Address(_)
        | Self::OtherFormat { .. }
        | Self::Draft(_)
        | Self::Key(_)
        | Self::Checkpoint(_)
        | Self::Ambiguous { .. }
        | Self::TooEarly(_)
        | Self::AfterToday { .. }
        | Self::Earlier { .. }
        | Self::OtherCase
        | Self::NotTheLast(_)
        | Self::Incomplete(_)
        | Self::OtherRun
        | Self::Replay(_) => BadInput,
        Self::Review(error) => error.class(),
        Self::Submitted { why, .. } => why.class(),
    }
    ReportError {
        Self::Render(_) => Ours,
    }
    SyntheticError {
        Self::Outputs(error) => error.class(),
        Self::Frame(_) => Ours,
        Self::Attendance { .. } | Self::Children { .. } => BadInput,
    }
    ProjectError {
        Self::Read { .. } => NotFound,
        Self::Outside { .. } | Self::DatabaseNotAllowed | Self::Protected { .. } | Self::OtherSource { .. } => Refused,
        Self::Folder { .. }
        | Self::Parse(_)
        | Self::ParseUnseen
        | Self::NoPostgres
        | Self::Database(_)
        | Self::Range { .. }
        | Self::ReferralsWithoutHelp => BadInput,
    }
    SimulationError {
        Self::List { why, .. } => why.class(),
        Self::Period { .. } | Self::TooManyLists { .. } | Self::NoList { .. } => BadInput,
    }
}
