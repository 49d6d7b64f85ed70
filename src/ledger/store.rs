//! What a store of entries has to do. There are three: one `SQLite` file, one file of JSON lines, and one `PostgreSQL` database.

use std::time::Duration;

use super::chain::Head;
use super::entry::{Content, Draft, Header, LedgerEntry};
use crate::calendar::Day;
use crate::error::LedgerError;

/// How long a program waits for those that have the ledger. A batch of 50,000 entries takes a second or two, a redaction of a
/// large ledger more; half a minute is longer than either, and short enough for a person to see an error.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Which entries to read. Without a condition: all. Conditions add up.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::Filter;
///
/// let decisions = Filter::all().kind("decision").run("2025-04");
/// assert_eq!(decisions.kinds, ["decision"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Entries of one of these kinds; of any, where the list is empty.
    pub kinds: Vec<String>,
    /// Entries of this run.
    pub run: Option<String>,
    /// Entries whose content is about this person (a pseudonym).
    pub subject: Option<String>,
    /// Entries with this number or a higher one.
    pub from: u64,
    /// At most so many of them, the oldest first.
    pub limit: Option<u64>,
    /// Without what is in them: a model, for instance, which is long.
    pub facts_only: bool,
}

impl Filter {
    /// All entries.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those of this kind; called again, also those of another.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// Only those of this run.
    #[must_use]
    pub fn run(mut self, run: impl Into<String>) -> Self {
        self.run = Some(run.into());
        self
    }

    /// Only those whose content is about this person (a pseudonym).
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Only those with this number or a higher one.
    #[must_use]
    pub const fn from(mut self, seq: u64) -> Self {
        self.from = seq;
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Without what is in them.
    #[must_use]
    pub const fn facts_only(mut self) -> Self {
        self.facts_only = true;
        self
    }

    /// Whether an entry is one of them, whatever the limit.
    pub(super) fn takes(&self, header: &Header, content: Option<&Content>) -> bool {
        header.seq >= self.from
            && (self.kinds.is_empty() || self.kinds.contains(&header.kind))
            && self.run.as_ref().is_none_or(|run| header.run.as_ref() == Some(run))
            && self
                .subject
                .as_ref()
                .is_none_or(|subject| content.and_then(|content| content.subject.as_ref()) == Some(subject))
    }
}

/// It may hold a pseudonym.
impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To write; it is made where there is none.
    Start,
    /// To write; there must be one.
    Write,
    /// To read.
    Read,
}

/// What is called with each entry that is read.
pub type Reader<'a> = dyn FnMut(LedgerEntry) -> Result<(), LedgerError> + 'a;

/// Keeps entries in the order in which they were appended.
///
/// Every method may be called while other threads and processes use the same file or database through stores of their
/// own. Users go through [`Ledger`](super::Ledger).
pub trait Store: Send {
    /// Where the chain ends.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    fn head(&self) -> Result<Head, LedgerError>;

    /// The day of the last entry; `None` where there is none.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    fn last_day(&self) -> Result<Option<Day>, LedgerError>;

    /// Appends all drafts or none. When it returns, they are on the disk.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] when the chain does not end at `after` any more, where one is given;
    /// [`LedgerError`] when the store cannot be written to.
    fn append(&self, drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError>;

    /// Calls `reader` with each wanted entry, the oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read, or what `reader` returns.
    fn read(&self, wanted: &Filter, reader: &mut Reader<'_>) -> Result<(), LedgerError>;

    /// Takes the contents of these entries out and appends the drafts, the first of which names the entries, in one
    /// step. When it returns, no byte of the store's files holds the contents; of a server, no file of its tables.
    ///
    /// # Errors
    /// [`LedgerError::Redaction`] when an entry does not exist or never had content; as for
    /// [`append`](Self::append).
    fn redact(&self, seqs: &[u64], drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError>;

    /// Takes over all entries of another store as they are, to the byte, in one step. When it returns, they are on the disk.
    ///
    /// # Errors
    /// [`LedgerError::NotEmpty`] when this one has entries; [`LedgerError::Draft`] when an entry of the other does not stand in
    /// its place; [`LedgerError`] when one of them cannot be read or written to.
    fn take_over(&self, from: &dyn Store) -> Result<Head, LedgerError>;

    /// Calls `visit` with what is written for each entry, in the order of the file, and believes none of it.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read, or what `visit` returns.
    fn walk(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError>;
}

/// What is called with each record that is walked over.
pub type Visitor<'a> = dyn FnMut(Raw) -> Result<(), LedgerError> + 'a;

/// What is written for one entry.
pub enum Raw {
    /// Bytes that can be read as an entry; whether they are right is not known yet.
    Readable(Box<Record>),
    /// Bytes that no ledger writes, and why.
    Unreadable(String),
}

/// The bytes of one entry.
pub struct Record {
    pub(super) header: Header,
    /// The canonical bytes of the header.
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) salt: Option<Vec<u8>>,
    /// The canonical bytes of the content.
    pub(super) content: Option<Vec<u8>>,
    /// What the store says about the entry outside its bytes, where that does not agree with them.
    pub(super) disagrees: Option<&'static str>,
}

/// What a store says about its end.
pub struct Ending {
    /// Where the store itself says that the chain ends; `None` if it does not keep that apart.
    pub(super) head: Option<Head>,
    /// Bytes of a write that was interrupted.
    pub(super) unfinished: u64,
    /// The lowest number for which there is content but no entry.
    pub(super) stray: Option<u64>,
    /// What is wrong with the store apart from the entries.
    pub(super) broken: Option<String>,
}
