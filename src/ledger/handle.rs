//! A ledger that is open.

use std::path::{Path, PathBuf, absolute};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chain::{Head, name_redacted};
use super::checkpoint::Checkpoint;
use super::entry::{Draft, LedgerEntry};
use super::events::EntryKind;
use super::lines::LinesStore;
#[cfg(feature = "postgres")]
use super::postgres::PostgresStore;
use super::server::{holds_password, is_on_server};
#[cfg(feature = "sqlite")]
use super::sqlite::SqliteStore;
use super::store::{Access, Filter, Reader, Store};
use super::verify::{Verification, verify};
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::words;

/// An append-only, hash-chained record of what was done.
///
/// One handle serves any number of threads, and others may be open beside it, in this process and in others: readers do not wait
/// for anybody, and writers wait for each other.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::{Content, Draft, Ledger, Filter};
///
/// let folder = std::env::temp_dir().join("earlyhelp-ledger-example");
/// # let _ = std::fs::remove_dir_all(&folder);
/// # std::fs::create_dir_all(&folder)?;
/// let ledger = Ledger::open(folder.join("ledger.sqlite"))?;
/// let on = "2025-04-01".parse()?;
/// ledger.append(vec![
///     Draft::new("started", on),
///     Draft::new("scored", on).content(Content::of_subject("P-0017", serde_json::json!({ "score": 1.25 }))),
/// ])?;
///
/// // What is held of one person, and taking it out again.
/// let held = ledger.entries(&Filter::all().subject("P-0017"))?;
/// let seqs: Vec<u64> = held.iter().map(|entry| entry.seq()).collect();
/// let why = serde_json::json!({ "by": "D. Officer", "reason": "erasure was asked for" });
/// ledger.redact(&seqs, vec![Draft::new("purge", on).facts(why)])?;
/// assert!(ledger.entries(&Filter::all().subject("P-0017"))?.is_empty());
///
/// // The chain is whole all the same.
/// let verification = ledger.verify(&[])?;
/// assert!(verification.finding.is_none());
/// assert_eq!((verification.entries, verification.redacted), (3, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ledger {
    stores: Stores,
    path: PathBuf,
    clock: Option<Clock>,
    why_earlier: Option<String>,
    /// The model whose release was seen on record last: nothing takes it out again, and each answer would look for it.
    released: Mutex<Option<String>>,
}

/// Connections to one ledger: as many as were ever used at once.
struct Stores {
    idle: Mutex<Vec<Box<dyn Store>>>,
    /// Whoever looks and then writes has it meanwhile: a thread that has much to write would otherwise look anew for as long as others
    /// of this process write little and often.
    turn: Mutex<()>,
    path: PathBuf,
    access: Access,
}

impl Stores {
    fn of(store: Box<dyn Store>, path: &Path, access: Access) -> Self {
        // What was started once is there.
        let access = if access == Access::Start { Access::Write } else { access };
        // Whoever goes to another folder meanwhile goes on with the same file.
        let path =
            if is_on_server(path) { path.into() } else { absolute(path).unwrap_or_else(|_| path.into()) };
        Self { idle: Mutex::new(vec![store]), turn: Mutex::new(()), path, access }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Box<dyn Store>>> {
        // Taking out and putting back cannot leave it half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something by a connection that nobody else uses meanwhile.
    fn by<T>(&self, work: impl FnOnce(&dyn Store) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let idle = self.idle().pop();
        let store = match idle {
            Some(store) => store,
            None => store_at(&self.path, self.access)?.0,
        };
        let done = work(&*store);
        self.idle().push(store);
        done
    }
}

/// What says which day it is.
type Clock = Box<dyn Fn() -> Day + Send + Sync>;

impl Ledger {
    /// Opens the ledger at `path`, or starts one. A path that ends in `.jsonl` is a file of JSON lines, an address
    /// `postgresql://HOST/DATABASE` a `PostgreSQL` database, which needs the feature `postgres`, and anything else a `SQLite` file,
    /// which needs the default feature `sqlite`.
    ///
    /// **Of a server**, user and password come from the environment as for other clients of `PostgreSQL` (`PGUSER`, `PGPASSWORD`,
    /// `PGPASSFILE` or `~/.pgpass`), a password never from the address. The connection is by TLS with a server that an authority of
    /// `PGSSLROOTCERT` (or `~/.postgresql/root.crt`) vouches for by its name; `PGSSLMODE` may say `verify-full`, which is so anyway,
    /// or `disable`, and nothing in between. A Unix socket needs neither. Its tables are there before
    /// ([`POSTGRES_SCHEMA`](super::POSTGRES_SCHEMA)): this makes none.
    ///
    /// # Errors
    /// [`LedgerError::NoSqlite`] and [`LedgerError::NoPostgres`] without those features; [`LedgerError::Address`] when an address
    /// cannot be used, and [`LedgerError::NoTables`] when nobody made its tables; [`LedgerError`] when the file is something else,
    /// of another format, or cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        // SQLite takes these for a ledger in memory, which keeps nothing.
        if matches!(path.to_str(), Some("" | ":memory:")) {
            let why = "a ledger needs a file".into();
            return Err(LedgerError::NotALedger { path: path.into(), why });
        }
        Self::opened(path, Access::Start)
    }

    fn opened(path: &Path, access: Access) -> Result<Self, LedgerError> {
        let (store, shown) = store_at(path, access)?;
        Ok(Self {
            stores: Stores::of(store, path, access),
            path: shown,
            clock: None,
            why_earlier: None,
            released: Mutex::default(),
        })
    }

    /// Opens the ledger at `path`; there must be one.
    ///
    /// # Errors
    /// As [`Ledger::open`], and [`LedgerError::Missing`] where there is none.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::opened(path.as_ref(), Access::Write)
    }

    /// Opens the ledger at `path`, to read it and nothing else: also on a medium that cannot be written to, for a user
    /// who may only read, and where somebody changed its tables, which [`Ledger::verify`] then says.
    ///
    /// # Errors
    /// As [`Ledger::open_existing`]; [`LedgerError::Io`] where part of it still stands in a `SQLite` write-ahead log
    /// that cannot be read without writing beside it: copy both files to where that can be done.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::opened(path.as_ref(), Access::Read)
    }

    /// With a clock, whose day is written into each entry beside the day that the caller says: the library reads no clock
    /// of its own. [`Verification::dated_otherwise`] tells where the two lie more than a day apart.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Day + Send + Sync + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Allows days that lie before the last entry's, which are refused otherwise, for a reason that stands in each such
    /// entry for ever: a decision that was taken on paper, for instance, and is put on record a week later.
    #[must_use]
    pub fn dated_earlier_because(mut self, reason: impl Into<String>) -> Self {
        self.why_earlier = Some(reason.into());
        self
    }

    /// Why days may lie before the last entry's.
    pub(super) fn because(&self) -> Option<&str> {
        self.why_earlier.as_deref()
    }

    /// The path that it was opened by; of a ledger on a server, its address without who connects.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the chain ends now.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    pub fn head(&self) -> Result<Head, LedgerError> {
        self.stores.by(|store| store.head())
    }

    /// Appends all drafts or none, in their order. When it returns, they are on the disk. Gives the head
    /// after them: their numbers are the last ones up to [`Head::entries`].
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be written to, when its end is damaged, or when a draft has no
    /// kind, or one of the [kinds](super::EntryKind) that have their own way in: a decision, for instance, comes
    /// from a person who opened a case, and from nowhere else; [`LedgerError::Earlier`] when a day lies before that of
    /// the entry before it, unless [that is allowed](Self::dated_earlier_because).
    pub fn append(&self, drafts: Vec<Draft>) -> Result<Head, LedgerError> {
        if let Some(draft) = drafts.iter().find(|draft| EntryKind::of(&draft.kind).is_some()) {
            let why =
                format!("entries of the kind \"{}\" are written by their own function alone", draft.kind);
            return Err(LedgerError::Draft(why));
        }
        self.write(move || Ok(drafts.clone()))
    }

    /// Appends what `make` says, given the ledger as it stands; if somebody else wrote meanwhile, it is asked
    /// again, so that what it looked at still holds when its entries are written.
    pub(super) fn write(
        &self,
        make: impl FnMut() -> Result<Vec<Draft>, LedgerError>,
    ) -> Result<Head, LedgerError> {
        self.write_later(None, make)
    }

    /// The same for what may have been done before the ledger's last entry, with why it is put on record only now, where
    /// nobody gave another reason.
    pub(super) fn write_later(
        &self,
        why: Option<&str>,
        mut make: impl FnMut() -> Result<Vec<Draft>, LedgerError>,
    ) -> Result<Head, LedgerError> {
        let _turn = self.stores.turn();
        loop {
            let head = self.head()?;
            let drafts = self.dated(make()?, why)?;
            match self.stores.by(|store| store.append(drafts, Some(&head))) {
                Err(LedgerError::Moved) => {}
                done => return done,
            }
        }
    }

    /// The model whose release is known to be on record.
    pub(super) fn released(&self) -> MutexGuard<'_, Option<String>> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the contents of the entries that `choose` names and appends what it says, in the same way.
    pub(super) fn take_out(
        &self,
        mut choose: impl FnMut() -> Result<(Vec<u64>, Vec<Draft>), LedgerError>,
    ) -> Result<Head, LedgerError> {
        let _turn = self.stores.turn();
        loop {
            let head = self.head()?;
            let (entries, drafts) = choose()?;
            let mut drafts = self.dated(drafts, None)?;
            name_redacted(&entries, &mut drafts)?;
            match self.stores.by(|store| store.redact(&entries, drafts, Some(&head))) {
                Err(LedgerError::Moved) => {}
                done => return done,
            }
        }
    }

    /// Writes down what the clock says, and holds the days against that of the last entry.
    fn dated(&self, mut drafts: Vec<Draft>, why: Option<&str>) -> Result<Vec<Draft>, LedgerError> {
        let why = self.why_earlier.as_deref().filter(|why| !words::is_blank(why)).or(why);
        let written = self.clock.as_ref().map(|clock| clock());
        let mut last = if drafts.is_empty() { None } else { self.stores.by(|store| store.last_day())? };
        for draft in &mut drafts {
            draft.written = written;
            // A day more, since clocks stand in time zones.
            if let Some(today) = written.filter(|&today| draft.on > today + 1) {
                return Err(LedgerError::AfterToday { on: draft.on.to_string(), today: today.to_string() });
            }
            if let Some(before) = last.filter(|&before| draft.on < before) {
                let Some(why) = why else {
                    return Err(LedgerError::Earlier { on: draft.on.to_string(), last: before.to_string() });
                };
                draft.why_earlier = Some(why.to_owned());
            }
            last = Some(draft.on);
        }
        Ok(drafts)
    }

    /// Calls `reader` with each wanted entry, the oldest first. Only one entry is held at a time.
    ///
    /// Reading trusts what is written; [`Ledger::verify`] does not.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read, or what `reader` returns.
    pub fn read(&self, wanted: &Filter, reader: &mut Reader<'_>) -> Result<(), LedgerError> {
        self.stores.by(|store| store.read(wanted, reader))
    }

    /// The wanted entries, the oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    pub fn entries(&self, wanted: &Filter) -> Result<Vec<LedgerEntry>, LedgerError> {
        let mut entries = Vec::new();
        self.read(wanted, &mut |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// Takes the contents of these entries out for good and appends the drafts, in one step. One of the
    /// drafts must be of the kind [`PURGE`](super::PURGE), whose facts say who does it (`by`) and why (`reason`); the
    /// redaction writes into them which entries it took the content of (`redacted`, ranges `[first, last]`). Entries
    /// whose content is gone already may be named again.
    ///
    /// When it returns, no byte of the ledger's files holds the contents, and the chain still verifies. Of a database on a server
    /// that is true of the files of its tables alone: its write-ahead log and what is archived of it, standbys and backups hold
    /// the contents until they are done with.
    ///
    /// # Errors
    /// [`LedgerError::Redaction`] when an entry does not exist, never had content or holds a model, or when the drafts
    /// hold no purge that says who and why: then nothing is changed. [`LedgerError::NotWiped`] when all is done, but another
    /// program that is reading kept the bytes from being wiped.
    pub fn redact(&self, seqs: &[u64], drafts: Vec<Draft>) -> Result<Head, LedgerError> {
        self.take_out(move || Ok((seqs.to_vec(), drafts.clone())))
    }

    /// Computes the whole chain anew from the bytes of the file, holds every entry against those before it (was the case
    /// opened that was decided? is the model the one that was signed for?), and compares with all checkpoints. **Without a
    /// checkpoint that was kept elsewhere it cannot see** a ledger that was rewritten as a whole, nor a tail that was cut
    /// off. Whether a checkpoint itself can be trusted is for [`Checkpoint::verify`].
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read, or when what is wrong with the file is not in an
    /// entry. A chain that does not hold is no error but a
    /// [`finding`](super::Verification::finding).
    pub fn verify(&self, checkpoints: &[Checkpoint]) -> Result<Verification, LedgerError> {
        self.stores.by(|store| verify(store, &self.path, checkpoints))
    }

    /// Refuses a ledger that does not hold.
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        match self.verify(&[])?.finding {
            None => Ok(()),
            Some(finding) => Err(LedgerError::Damaged { path: self.path.clone(), why: finding.to_string() }),
        }
    }

    /// Takes over all entries of another ledger, of whatever store, in one step; this one must be empty. Nothing is numbered,
    /// salted or hashed anew: what was taken out stays out, and checkpoints and witnesses of the one hold for the other. Both are
    /// verified. Gives the head that they share.
    ///
    /// # Errors
    /// [`LedgerError::NotEmpty`] when this ledger has entries; [`LedgerError::Damaged`] when the other does not hold, or when this
    /// one does not come out as the other; [`LedgerError`] when one of them cannot be read or written to.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::ledger::{Draft, Ledger};
    ///
    /// let folder = std::env::temp_dir().join("earlyhelp-ledger-copy-example");
    /// # let _ = std::fs::remove_dir_all(&folder);
    /// # std::fs::create_dir_all(&folder)?;
    /// let file = Ledger::open(folder.join("ledger.sqlite"))?;
    /// file.append(vec![Draft::new("started", "2025-04-01".parse()?)])?;
    ///
    /// let lines = Ledger::open(folder.join("ledger.jsonl"))?;
    /// assert_eq!(lines.copy_from(&file)?, file.head()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn copy_from(&self, from: &Self) -> Result<Head, LedgerError> {
        if self.head()? != Head::empty() {
            return Err(LedgerError::NotEmpty { path: self.path.clone() });
        }
        from.check()?;
        // Also where both are the same one: a store that waits for itself would wait for ever.
        if from.head()? == Head::empty() {
            return Ok(Head::empty());
        }
        let head = self.take_over(from)?;
        // What was read was held against its hashes; this is what came to lie on the other side.
        self.check()?;
        if self.head()? == head {
            Ok(head)
        } else {
            let why = "somebody wrote to it while it was filled".into();
            Err(LedgerError::Damaged { path: self.path.clone(), why })
        }
    }

    pub(super) fn take_over(&self, from: &Self) -> Result<Head, LedgerError> {
        self.stores.by(|to| from.stores.by(|from| to.take_over(from)))
    }

    /// The day of the last entry; `None` where there is none.
    pub(crate) fn last_day(&self) -> Result<Option<Day>, LedgerError> {
        self.stores.by(|store| store.last_day())
    }

    /// What to keep elsewhere, so that nobody can cut the tail off or write the chain anew unseen. `on` is
    /// today: the library reads no clock.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    pub fn checkpoint(&self, on: Day) -> Result<Checkpoint, LedgerError> {
        Ok(Checkpoint::of(&self.head()?, on))
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Opens the store that a path or an address names; gives with it what may be shown of where it is.
fn store_at(path: &Path, access: Access) -> Result<(Box<dyn Store>, PathBuf), LedgerError> {
    if is_on_server(path) || holds_password(&path.to_string_lossy()) {
        return on_server(path, access);
    }
    // A pipe would be waited for, for ever.
    if std::fs::metadata(path).is_ok_and(|held| !held.is_file()) {
        let why = "it is a folder, a pipe or a device".into();
        return Err(LedgerError::NotALedger { path: path.into(), why });
    }
    let store: Box<dyn Store> = match access {
        _ if !is_lines(path) => sqlite(path, access)?,
        Access::Start => Box::new(LinesStore::open(path)?),
        Access::Write | Access::Read => Box::new(LinesStore::open_existing(path)?),
    };
    Ok((store, path.into()))
}

/// Opens a ledger in a database, whose address may hold what must not be shown.
fn on_server(address: &Path, access: Access) -> Result<(Box<dyn Store>, PathBuf), LedgerError> {
    if holds_password(&address.to_string_lossy()) {
        let why = "a password must not stand in it, where other programs and the shell's history see it; put it into PGPASSWORD, or \
                   into a file that PGPASSFILE names";
        return Err(LedgerError::Address(why.into()));
    }
    #[cfg(feature = "postgres")]
    {
        let store = PostgresStore::open(address, access)?;
        let path = store.shown().to_owned();
        Ok((Box::new(store), path))
    }
    #[cfg(not(feature = "postgres"))]
    {
        let _ = access;
        Err(LedgerError::NoPostgres)
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &Path, access: Access) -> Result<Box<dyn Store>, LedgerError> {
    Ok(Box::new(SqliteStore::open(path, access)?))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(path: &Path, _: Access) -> Result<Box<dyn Store>, LedgerError> {
    Err(LedgerError::NoSqlite { path: path.into() })
}

fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"))
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
#[path = "tests/mod.rs"]
mod tests;

#[cfg(test)]
#[cfg(not(feature = "sqlite"))]
mod tests {
    use super::{Ledger, LedgerError};

    #[test]
    fn without_the_feature_a_sqlite_path_is_refused_and_json_lines_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ledger.sqlite", "ledger.db", "ledger"] {
            for opened in
                [Ledger::open(folder.path().join(name)), Ledger::open_existing(folder.path().join(name))]
            {
                assert!(matches!(opened, Err(LedgerError::NoSqlite { .. })), "{name}");
            }
            assert!(!folder.path().join(name).exists(), "{name}");
        }
        assert!(Ledger::open(folder.path().join("ledger.jsonl")).is_ok());
    }
}
