//! Why the ledger refuses. It names files, entries by their number and kinds, never what an entry says of a person.

use std::path::PathBuf;

/// A ledger that cannot be opened, read, written to or trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no ledger at the path.
    #[error("there is no ledger at {}; check the path, or start one by scoring with it", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a ledger: {why}; give the path of another file", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What was seen.
        why: String,
    },
    /// A `SQLite` file, and the crate was built without `SQLite`.
    #[error(
        "{} is to be a SQLite ledger, and this build has none; give a path that ends in .jsonl, or build with the \
         feature `sqlite`",
        path.display()
    )]
    NoSqlite {
        /// The file.
        path: PathBuf,
    },
    /// An address of a server, and the crate was built without a client for it.
    #[error(
        "the ledger is to be on a PostgreSQL server, and this build has no client for one; build with the feature `postgres`, or \
         give the path of a file"
    )]
    NoPostgres,
    /// An address that does not say where to connect, as whom, or whom to believe; or that says what it must not. It is not shown.
    #[error("the address of the ledger cannot be used: {0}")]
    Address(String),
    /// The database has no tables of a ledger.
    #[error(
        "the database {} holds no ledger; whoever administers it makes the tables: earlyhelp ledger-schema | psql DATABASE",
        path.display()
    )]
    NoTables {
        /// The database.
        path: PathBuf,
    },
    /// A ledger that is to take over another one, and has entries itself.
    #[error("the ledger {} has entries; a ledger is copied into one that is empty", path.display())]
    NotEmpty {
        /// The ledger.
        path: PathBuf,
    },
    /// The file was made by another version of the library.
    #[error(
        "{} is a ledger of format {found}, and this version reads format {known}; use the version that wrote it, or a \
         later one",
        path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The format that this version reads.
        known: i64,
    },
    /// The file cannot be read or written.
    #[error("the ledger {}: cannot {what}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system says.
        why: String,
    },
    /// Others have it for longer than anybody waits.
    #[error("the ledger {}: other programs have it, and had it for half a minute; try again", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The ledger is not as it was written.
    #[error(
        "the ledger {} is not as it was written: {why}; run `earlyhelp verify` on it, and go back to a copy that verifies",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        why: String,
    },
    /// An entry that cannot be written as it stands.
    #[error("the entry cannot be written: {0}")]
    Draft(String),
    /// A redaction of what cannot be taken out.
    #[error("nothing was taken out of the ledger: {0}")]
    Redaction(String),
    /// Content is taken out, but its bytes are not wiped yet.
    #[error(
        "the content is taken out of the ledger {}, but its bytes could not be wiped from the file yet ({why}); close the \
         other programs that have it open: the next command that writes to it, of somebody who may purge, wipes them",
        path.display()
    )]
    NotWiped {
        /// The file.
        path: PathBuf,
        /// What the store says.
        why: String,
    },
    /// A key that cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(String),
    /// A checkpoint that cannot be used.
    #[error("the checkpoint cannot be used: {0}")]
    Checkpoint(String),
    /// A ledger that has fewer entries than it had.
    #[error(
        "the ledger has {has} entries, and {} was taken when it had {had}: its end was cut off, or it is another ledger of that \
         name; nothing was written (see `earlyhelp verify`)",
        checkpoint.display()
    )]
    Shorter {
        /// The entries that it has.
        has: u64,
        /// Those that it had.
        had: u64,
        /// The checkpoint that says so.
        checkpoint: PathBuf,
    },
    /// A checkpoint that its signer did not sign.
    #[error("the checkpoint's signature is not right: {0}; get the checkpoint again from where it was kept")]
    Signature(&'static str),
    /// Somebody else wrote between looking and writing.
    #[error("somebody else wrote to the ledger meanwhile; try again")]
    Moved,
    /// A person was taken out while a run was under way.
    #[error(
        "somebody was taken out of the ledger while the run was under way; take them out of the extracts, too, and score again"
    )]
    PurgedMeanwhile,
    /// The beginning of an id that several have, or that is too short to name one.
    #[error("\"{given}\" does not name one {what}: give at least {needs} characters of it")]
    Ambiguous {
        /// What was given.
        given: String,
        /// Of what.
        what: &'static str,
        /// How many characters name each of those that begin so.
        needs: usize,
    },
    /// A day before what it follows.
    #[error("the day lies before {0}")]
    TooEarly(&'static str),
    /// A day that has not come.
    #[error(
        "the day {on} lies after today, {today} by this machine's clock; nothing can be put on record before it is done"
    )]
    AfterToday {
        /// The day.
        on: String,
        /// The clock's.
        today: String,
    },
    /// A day before that of the last entry.
    #[error(
        "the day {on} lies before that of the last entry, {last}; if it is right, say why it is put on record only now (--because)"
    )]
    Earlier {
        /// The day.
        on: String,
        /// The last entry's.
        last: String,
    },
    /// What a review may not be.
    #[error(transparent)]
    Review(#[from] super::ReviewError),
    /// One of the decisions of a file cannot be put on record.
    #[error(
        "the decision about place {place} cannot be put on record, and so nothing of the file was: {why}"
    )]
    Submitted {
        /// The place.
        place: u32,
        /// Why.
        why: Box<LedgerError>,
    },
    /// A file of decisions that is about another list.
    #[error(
        "in that place of the list stands another case than the file says: it goes with another list, or was changed"
    )]
    OtherCase,
    /// A second decision about a case.
    #[error(
        "the case is decided already, in entry {entry}; if this decision is to take its place, say so: by --supersedes {entry}, in a file of decisions as \"supersedes\": {entry}, on the page under \"This takes the place of a decision that is on record\""
    )]
    Decided {
        /// The entry.
        entry: u64,
    },
    /// A decision that is to take the place of one that is not the case's last.
    #[error("entry {0} is not the last decision about this case")]
    NotTheLast(u64),
    /// A ground for a purge, or a reviewer's name or role, that names the person.
    #[error(
        "a ground, and a reviewer's name and role, stay in the ledger: they must not hold the person's id"
    )]
    NamesThePerson,
    /// An entry that does not hold what its kind holds.
    #[error(
        "entry {entry} ({kind}) does not hold what such an entry holds; `earlyhelp verify` says whether it was changed"
    )]
    Meaning {
        /// The entry.
        entry: u64,
        /// Its kind.
        kind: String,
    },
    /// A model that is not on record.
    #[error("the ledger holds no release of the model {0}")]
    NoModel(String),
    /// A run with a model that was taken out of use.
    #[error(
        "the model was retired on {0}: nothing is scored, opened or decided with it; release another one, and score with that"
    )]
    Retired(String),
    /// Something without which an entry would be worth nothing.
    #[error("the entry is not complete: {0} is missing")]
    Incomplete(&'static str),
    /// A list that cannot be held against the ledger, or does not agree with it.
    #[error("the list cannot stand for the ledger: {0}")]
    List(String),
    /// Scores, list and start of a run that do not belong together.
    #[error("scores, list and the start of the run are not of one run")]
    OtherRun,
    /// A run that is not on record.
    #[error("the ledger holds no finished run {0}; `earlyhelp log` names those it holds")]
    NoRun(String),
    /// A place that a recorded list does not have.
    #[error("the recorded list has no place {0}; places count from 1")]
    NoPlace(u32),
    /// A decision about a case that was on no list.
    #[error("the case is not on that run's list in the ledger")]
    NotListed,
    /// A decision about a case that the reviewer has not opened.
    #[error("this reviewer has not opened the case; open it first")]
    NotOpened,
    /// A list that is too old.
    #[error(
        "the list expired on {0}; score again, so that people are not judged by what was true then. For what was done \
         while it held, give the day on which it was (`--on`; in a file of decisions, its own days)"
    )]
    Expired(String),
    /// A case whose content was taken out.
    #[error("the case was taken out of the ledger")]
    Purged,
    /// Nothing is held about somebody.
    #[error("the ledger holds nothing about anybody of that id")]
    NobodyOfThatId,
    /// A past run that cannot be made again.
    #[error("the run cannot be made again: {0}")]
    Replay(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes, without which a person's content cannot be hidden: {0}")]
    NoRandomness(String),
}
