//! A ledger in one `SQLite` file.
//!
//! - Write-ahead log with `synchronous = FULL`: what was committed is on the disk, whatever is killed when.
//! - `BEGIN IMMEDIATE` with a busy timeout: writers wait for each other and never work from an old head.
//! - The last number and hash stand in a row of their own, changed in the same transaction, so that a tail that
//!   was cut off is seen even without a checkpoint. (Somebody who also changes that row is seen by a
//!   checkpoint alone.)
//! - Triggers refuse to change or delete. They guard against accidents; against intent there is the chain.
//! - `secure_delete`, and after a redaction `VACUUM` and a truncated write-ahead log, so that no byte of the
//!   files still holds what was taken out. Free blocks of the disk and copies elsewhere are the keeper's.
//!
//! The columns `kind`, `run` and `subject` repeat what the entry says, for the indexes; verification compares.
//!
//! # References
//! - `SQLite` documentation: Write-Ahead Logging; `PRAGMA` `secure_delete`, `wal_checkpoint`; `VACUUM`.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

use super::chain::{Head, Sealed, check_append, check_end, check_taken, seal};
use super::copying::copied;
use super::entry::{Content, Draft, Header, LedgerEntry};
use super::lines::{private, sync_folder};
use super::store::{Access, Ending, Filter, PATIENCE, Raw, Reader, Store, Visitor};
use crate::calendar::Day;
use crate::error::{LedgerError, MAKE_ROOM};

mod tables;
use tables::{CONTENT_STAYS, SCHEMA, bytes, query, raw};

/// "EHLG": what the file says it is.
const APPLICATION: i64 = 0x4548_4C47;
/// The format of the tables.
const FORMAT: i64 = 1;

/// Entries in one `SQLite` file.
pub struct SqliteStore {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file; to start a ledger, makes it where there is none.
    ///
    /// # Errors
    /// [`LedgerError`] when the file is something else, of another format, or cannot be opened;
    /// [`LedgerError::Damaged`] when it is to be written to, and the triggers that guard it are not as they were made.
    pub fn open(path: &Path, access: Access) -> Result<Self, LedgerError> {
        if access != Access::Start && !path.exists() {
            return Err(LedgerError::Missing { path: path.into() });
        }
        refuse_other_files(path)?;
        if access == Access::Read {
            return Self::open_to_read(path);
        }
        if access == Access::Start {
            // SQLite would make it as readable as any file; what it makes beside it later is as this one is.
            match private(OpenOptions::new().write(true).create_new(true)).open(path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(LedgerError::Io {
                        path: path.into(),
                        what: "make it",
                        why: error.to_string(),
                    });
                }
                _ => {}
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| unreadable(path, "open it", &error))?;
        let store = Self { connection, path: path.into() };
        store.connection.busy_timeout(PATIENCE).map_err(|error| store.io("open it", &error))?;
        if !store.is_ledger()? {
            if access != Access::Start {
                return Err(store.not_a_ledger("it is an empty database"));
            }
            store.create()?;
        }
        store.set_up()?;
        if let Some(why) = store.changed_schema()? {
            return Err(store.damaged(&why));
        }
        store.wipe_what_was_left()?;
        Ok(store)
    }

    /// Opens the file so that nothing is written, beside it neither.
    fn open_to_read(path: &Path) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = |connection: Connection| -> Result<Self, LedgerError> {
            let store = Self { connection, path: path.into() };
            store.connection.busy_timeout(PATIENCE).map_err(|error| store.io("open it", &error))?;
            if !store.is_ledger()? {
                return Err(store.not_a_ledger("it is an empty database"));
            }
            store.set_up()?;
            Ok(store)
        };
        let opened =
            Connection::open_with_flags(path, flags).map_err(|error| unreadable(path, "open it", &error));
        match opened.and_then(store) {
            // The index of the write-ahead log cannot be made beside it. Without a log the file is all there is, and
            // nobody can be writing it.
            Err(LedgerError::Io { what, why, .. }) => {
                let mut log = path.as_os_str().to_owned();
                log.push("-wal");
                if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
                    let why = format!(
                        "{why}; part of it stands in its write-ahead log (the file of this name with -wal at its end): \
                         copy both to a folder that can be written to"
                    );
                    return Err(LedgerError::Io { path: path.into(), what, why });
                }
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(immutable(path), flags)
                    .map_err(|error| unreadable(path, "open it", &error))
                    .and_then(store)
            }
            done => done,
        }
    }

    fn set_up(&self) -> Result<(), LedgerError> {
        // trusted_schema: a file from elsewhere must not run functions through its schema. wal_autocheckpoint: the log is folded in at 40 MB
        // and not at 4, so that of some two thousand answers one waits for that, and not each two hundredth.
        self.connection
            .execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; \
                 PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 10000;",
            )
            .map_err(|error| self.io("set it up", &error))
    }

    /// Whether the file is a ledger of this format; false if it is an empty database.
    fn is_ledger(&self) -> Result<bool, LedgerError> {
        // One view of the file: another process may just be making the tables.
        self.in_one_view(|| self.says_it_is_a_ledger())
    }

    fn says_it_is_a_ledger(&self) -> Result<bool, LedgerError> {
        let number = |sql: &str| {
            self.connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .map_err(|error| self.io("read it", &error))
        };
        let (application, format) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
        match (application, format) {
            (APPLICATION, FORMAT) => Ok(true),
            (APPLICATION, found) => {
                Err(LedgerError::OtherFormat { path: self.path.clone(), found, known: FORMAT })
            }
            (0, 0) if number("SELECT count(*) FROM sqlite_schema")? == 0 => Ok(false),
            _ => Err(self.not_a_ledger("it is a database of something else")),
        }
    }

    /// Reads several times from the file as it stands at the first.
    fn in_one_view<T>(&self, read: impl FnOnce() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let io = |error: rusqlite::Error| self.io("read it", &error);
        self.connection.execute_batch("SAVEPOINT one_view").map_err(io)?;
        // What went wrong while reading may have ended the view as well: then that is what has to be said.
        let outcome = read();
        let released = self.connection.execute_batch("RELEASE one_view").map_err(io);
        outcome.and_then(|found| released.map(|()| found))
    }

    /// Makes the tables, unless another process was quicker.
    fn create(&self) -> Result<(), LedgerError> {
        // Going over to the write-ahead log does not wait by itself for others who do the same.
        let mut tries = 0;
        while let Err(error) = self.connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            let busy = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
            if !busy || tries == 3_000 {
                return Err(self.io("make it", &error));
            }
            tries += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        let step = self.begin()?;
        if self.is_ledger()? {
            return Ok(());
        }
        let made = SCHEMA.iter().try_for_each(|sql| self.connection.execute_batch(sql)).and_then(|()| {
            let head = Head::empty();
            let hash = hex::decode(head.hash).unwrap_or_default();
            self.connection.execute("INSERT INTO head VALUES (1, 0, ?1, 0)", [hash])?;
            self.connection.pragma_update(None, "application_id", APPLICATION)?;
            self.connection.pragma_update(None, "user_version", FORMAT)
        });
        made.and_then(|()| step.commit()).map_err(|error| self.io("make it", &error))?;
        sync_folder(&self.path)
    }

    fn begin(&self) -> Result<Transaction<'_>, LedgerError> {
        Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(|error| self.io("write to it", &error))
    }

    /// The head row, if there is one that makes sense.
    fn head_row(&self) -> Result<Option<Head>, LedgerError> {
        self.connection
            .query_row("SELECT entries, hash FROM head", [], |row| {
                let entries: i64 = row.get(0)?;
                let hash: Vec<u8> = row.get(1)?;
                Ok(Head { entries: entries.unsigned_abs(), hash: hex::encode(hash) })
            })
            .optional()
            .map_err(|error| self.io("read its head", &error))
    }

    /// The head, if the last entry says the same.
    fn head_to_follow(&self) -> Result<Head, LedgerError> {
        let head = self.head_row()?.ok_or_else(|| self.damaged("it has no head"))?;
        let last = self
            .connection
            .query_row("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok(Head {
                    entries: row.get::<_, i64>(0)?.unsigned_abs(),
                    hash: hex::encode(row.get::<_, Vec<u8>>(1)?),
                })
            })
            .optional()
            .map_err(|error| self.io("read its last entry", &error))?;
        if last.unwrap_or_else(Head::empty) == head {
            Ok(head)
        } else {
            Err(self.damaged("its head is not that of its last entry"))
        }
    }

    fn write(&self, entries: &[Sealed], head: &Head, wipe: bool) -> Result<(), LedgerError> {
        let written = || -> rusqlite::Result<()> {
            let mut entry =
                self.connection.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?;
            let mut content =
                self.connection.prepare_cached("INSERT INTO content VALUES (?1, ?2, ?3, ?4)")?;
            for sealed in entries {
                let seq = sealed.header.seq as i64;
                let text = String::from_utf8_lossy(&sealed.bytes);
                entry.execute(params![seq, sealed.header.kind, sealed.header.run, text, sealed.hash])?;
                if let Some(part) = &sealed.content {
                    let text = String::from_utf8_lossy(&part.bytes);
                    content.execute(params![seq, part.subject, part.salt, text])?;
                }
            }
            let hash = hex::decode(&head.hash).unwrap_or_default();
            self.connection
                .prepare_cached("UPDATE head SET entries = ?1, hash = ?2, wipe = max(wipe, ?3)")?
                .execute(params![head.entries as i64, hash, wipe])
                .map(|_| ())
        };
        written().map_err(|error| self.io("write to it", &error))
    }

    fn take_out(&self, seqs: &[u64]) -> Result<(), LedgerError> {
        let io = |error: rusqlite::Error| self.io("write to it", &error);
        self.connection.execute_batch("DROP TRIGGER content_stays").map_err(io)?;
        let mut look =
            self.connection.prepare_cached("SELECT header FROM entry WHERE seq = ?1").map_err(io)?;
        let mut delete = self.connection.prepare_cached("DELETE FROM content WHERE seq = ?1").map_err(io)?;
        for &seq in seqs {
            let header = look
                .query_row([seq as i64], |row| row.get::<_, String>(0))
                .optional()
                .map_err(io)?
                .ok_or_else(|| LedgerError::Redaction(format!("there is no entry {seq}")))?;
            let header = Header::parse(header.as_bytes())
                .ok_or_else(|| self.damaged(&format!("entry {seq} cannot be read")))?;
            check_taken(&header)?;
            delete.execute([seq as i64]).map_err(io)?;
        }
        self.connection.execute_batch(CONTENT_STAYS).map_err(io)
    }

    /// Rewrites the file without what was deleted from it, and empties the write-ahead log, in at most so many
    /// tries.
    fn wipe(&self, tries: u32) -> Result<(), LedgerError> {
        let kept = |why: String| LedgerError::NotWiped { path: self.path.clone(), why };
        let wiped = || -> rusqlite::Result<bool> {
            self.connection.execute_batch("VACUUM")?;
            // SQLite does not wait for somebody else's checkpoint, which is over in a moment.
            for again in (0..tries).rev() {
                let busy: i64 =
                    self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
                if busy == 0 {
                    self.connection.execute("UPDATE head SET wipe = 0", [])?;
                    return Ok(true);
                }
                if again > 0 {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Ok(false)
        };
        match wiped() {
            Ok(true) => Ok(()),
            Ok(false) => Err(kept("somebody is reading it".into())),
            Err(error) => Err(kept(error.to_string())),
        }
    }

    /// Finishes a redaction that was killed before its bytes were wiped. If others have the file open and
    /// are in the way, the next one does it.
    fn wipe_what_was_left(&self) -> Result<(), LedgerError> {
        let left = self
            .connection
            .query_row("SELECT wipe FROM head", [], |row| row.get::<_, i64>(0))
            .optional()
            .map_err(|error| self.io("read its head", &error))?;
        if left == Some(1) {
            let short =
                |patience| self.connection.busy_timeout(patience).map_err(|error| self.io("open it", &error));
            short(Duration::from_millis(100))?;
            let outcome = self.wipe(1);
            short(PATIENCE)?;
            return match outcome {
                Err(LedgerError::NotWiped { .. }) => Ok(()),
                other => other,
            };
        }
        Ok(())
    }

    fn walk_rows(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError> {
        let io = |error: rusqlite::Error| self.io("read it", &error);
        let broken = self.changed_schema()?;
        let tables: i64 = self
            .connection
            .query_row(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('entry', 'content', 'head')",
                [],
                |row| row.get(0),
            )
            .map_err(io)?;
        if tables < 3 {
            // What stands in a table's place may never end.
            let broken = broken.or_else(|| Some("one of its tables is gone".to_owned()));
            return Ok(Ending { head: None, unfinished: 0, stray: None, broken });
        }
        let mut all = self
            .connection
            .prepare_cached(
                "SELECT e.seq, e.kind, e.run, e.header, e.hash, c.seq, c.subject, c.salt, c.content \
                 FROM entry e LEFT JOIN content c ON c.seq = e.seq ORDER BY e.seq",
            )
            .map_err(io)?;
        let mut rows = all.query([]).map_err(io)?;
        loop {
            match rows.next() {
                Ok(Some(row)) => visit(raw(row).map_err(io)?)?,
                Ok(None) => break,
                Err(error) if is_corrupt(&error) => {
                    visit(Raw::Unreadable("its page of the file is broken".into()))?;
                    break;
                }
                Err(error) => return Err(io(error)),
            }
        }
        let head = self.head_row()?;
        let mut broken = broken.or_else(|| head.is_none().then(|| "it has no head".to_owned()));
        if broken.is_none() {
            broken = self.broken_index()?;
        }
        let stray: Option<i64> = self
            .connection
            .query_row(
                "SELECT min(seq) FROM content c WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.seq = c.seq)",
                [],
                |row| row.get(0),
            )
            .map_err(io)?;
        Ok(Ending { head, unfinished: 0, stray: stray.map(i64::unsigned_abs), broken })
    }

    /// What of the tables, indexes and triggers is not as it was made.
    fn changed_schema(&self) -> Result<Option<String>, LedgerError> {
        let found = || -> rusqlite::Result<Vec<String>> {
            self.connection
                .prepare_cached("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?
                .query_map([], |row| row.get(0))?
                .collect()
        };
        let found = found().map_err(|error| self.io("read its tables", &error))?;
        let same =
            found.len() == SCHEMA.len() && SCHEMA.iter().all(|sql| found.iter().any(|found| found == sql));
        Ok((!same).then(|| "its tables or the triggers that guard them were changed".to_owned()))
    }

    /// What is wrong with the file below the entries, for instance an index that leaves some out.
    fn broken_index(&self) -> Result<Option<String>, LedgerError> {
        let report: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|error| self.io("check it", &error))?;
        // What SQLite reports names rows and indexes, never what is in them.
        Ok((report != "ok").then_some(report))
    }

    fn io(&self, what: &'static str, error: &rusqlite::Error) -> LedgerError {
        unreadable(&self.path, what, error)
    }

    fn damaged(&self, why: &str) -> LedgerError {
        LedgerError::Damaged { path: self.path.clone(), why: why.into() }
    }

    fn not_a_ledger(&self, why: &str) -> LedgerError {
        LedgerError::NotALedger { path: self.path.clone(), why: why.into() }
    }
}

impl Store for SqliteStore {
    fn head(&self) -> Result<Head, LedgerError> {
        self.head_row()?.ok_or_else(|| self.damaged("it has no head"))
    }

    fn last_day(&self) -> Result<Option<Day>, LedgerError> {
        self.connection
            .prepare_cached("SELECT header FROM entry ORDER BY seq DESC LIMIT 1")
            .and_then(|mut last| last.query_row([], |row| row.get::<_, String>(0)).optional())
            .map_err(|error| self.io("read its last entry", &error))?
            .map(|header| {
                Header::day_in(header.as_bytes()).ok_or_else(|| self.damaged("its last entry cannot be read"))
            })
            .transpose()
    }

    fn append(&self, drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        check_append(&drafts)?;
        let step = self.begin()?;
        let head = self.head_to_follow()?;
        check_end(&head, after)?;
        if drafts.is_empty() {
            return Ok(head);
        }
        let (entries, head) = seal(&head, drafts)?;
        self.write(&entries, &head, false)?;
        step.commit().map_err(|error| self.io("write to it", &error))?;
        Ok(head)
    }

    fn read(&self, wanted: &Filter, reader: &mut Reader<'_>) -> Result<(), LedgerError> {
        let io = |error: rusqlite::Error| self.io("read it", &error);
        let (sql, values) = query(wanted);
        let mut chosen = self.connection.prepare_cached(&sql).map_err(io)?;
        let mut rows = chosen.query(rusqlite::params_from_iter(values)).map_err(io)?;
        while let Some(row) = rows.next().map_err(io)? {
            let read = |column: usize| row.get_ref(column).map(bytes);
            let header = read(0).map_err(io)?.and_then(|header| Header::parse(&header));
            let hash = read(1).map_err(io)?.unwrap_or_default();
            let content = read(2).map_err(io)?;
            let content: Option<Option<Content>> =
                content.map(|content| serde_json::from_slice(&content).ok());
            match (header, content) {
                (Some(header), None) => reader(LedgerEntry::new(header, hex::encode(hash), None))?,
                (Some(header), Some(Some(content))) => {
                    reader(LedgerEntry::new(header, hex::encode(hash), Some(content)))?;
                }
                (None, _) | (_, Some(None)) => return Err(self.damaged("an entry cannot be read")),
            }
        }
        Ok(())
    }

    fn redact(&self, seqs: &[u64], drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        let step = self.begin()?;
        let head = self.head_to_follow()?;
        check_end(&head, after)?;
        self.take_out(seqs)?;
        let (entries, head) = seal(&head, drafts)?;
        self.write(&entries, &head, true)?;
        step.commit().map_err(|error| self.io("write to it", &error))?;
        self.wipe(50)?;
        Ok(head)
    }

    fn take_over(&self, from: &dyn Store) -> Result<Head, LedgerError> {
        let step = self.begin()?;
        if self.head_to_follow()? != Head::empty() {
            return Err(LedgerError::NotEmpty { path: self.path.clone() });
        }
        let head = copied(from, &mut |entries, head| self.write(&entries, head, false))?;
        step.commit().map_err(|error| self.io("write to it", &error))?;
        Ok(head)
    }

    fn walk(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError> {
        // One view of the file from the first row to the head, whoever writes meanwhile.
        self.in_one_view(|| self.walk_rows(visit))
    }
}

/// The address of a file that nobody changes while it is open.
fn immutable(path: &Path) -> String {
    let mut address = String::from("file:");
    let text = path.to_string_lossy();
    if cfg!(windows) && path.is_absolute() {
        address.push('/');
    }
    for c in text.chars() {
        match c {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3f"),
            '#' => address.push_str("%23"),
            '\\' if cfg!(windows) => address.push('/'),
            c => address.push(c),
        }
    }
    address + "?immutable=1"
}

/// Refuses a file that is not a database before anything is written to it.
fn refuse_other_files(path: &Path) -> Result<(), LedgerError> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let mut start = Vec::new();
    let read = file.take(16).read_to_end(&mut start);
    let why = |why: &str| LedgerError::NotALedger { path: path.into(), why: why.into() };
    match read {
        Err(error) => Err(why(&error.to_string())),
        Ok(0) => Ok(()),
        Ok(_) if start == b"SQLite format 3\0" => Ok(()),
        Ok(_) => Err(why("it is not a SQLite file (a file of JSON lines must end in .jsonl)")),
    }
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What `SQLite` says, without a statement's values.
/// Whether nothing more could be written: the disk is full, or what stands for that.
fn has_no_room(failure: rusqlite::ffi::Error) -> bool {
    use rusqlite::ffi;
    let of_writing = [
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_DIR_FSYNC,
        ffi::SQLITE_IOERR_TRUNCATE,
        ffi::SQLITE_IOERR_SHMSIZE,
        ffi::SQLITE_IOERR_SHMOPEN,
    ];
    failure.code == rusqlite::ErrorCode::DiskFull || of_writing.contains(&failure.extended_code)
}

fn unreadable(path: &Path, what: &'static str, error: &rusqlite::Error) -> LedgerError {
    match error {
        _ if is_corrupt(error) => {
            LedgerError::Damaged { path: path.into(), why: "the database file is broken".into() }
        }
        rusqlite::Error::SqliteFailure(failure, _)
            if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
        {
            LedgerError::InUse { path: path.into() }
        }
        rusqlite::Error::SqliteFailure(failure, why) => {
            let why = why.clone().unwrap_or_else(|| failure.to_string());
            let why = if has_no_room(*failure) { format!("{why}; {MAKE_ROOM}") } else { why };
            LedgerError::Io { path: path.into(), what, why }
        }
        other => LedgerError::Io { path: path.into(), what, why: other.to_string() },
    }
}
