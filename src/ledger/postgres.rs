//! A ledger in a `PostgreSQL` database, for several people on several machines.
//!
//! - An append waits at an advisory lock of the database until no other writes, reads the head under it, and commits entries,
//!   contents and head in one transaction, with `synchronous_commit = on`: what was committed is on the server's disk.
//! - If the connection is lost while committing, the store looks, under the same lock, whether the server did it.
//! - Triggers refuse to change, delete and truncate, whoever asks; content goes by a purge that the same transaction appends.
//!   Roles may do no more than their part: see `schema.sql`. They guard against accidents and against colleagues. Whoever
//!   administers the server can take them away: against that there is the chain, and what was kept of it elsewhere.
//! - The store makes no tables. Whoever may make them is asked to, once, so that no writer needs the right.
//! - Nothing of an entry is in an error: of what the server says, only what cannot hold a value is passed on.
//!
//! **A purge** deletes the rows and rewrites their table (`VACUUM FULL`), so that no file of the table holds them any more; while a
//! transaction on that server that began before is not over, that cannot be done: then it says so, and the next command of a purger
//! does it. What it cannot reach
//! is the server's write-ahead log and its archive, standbys, backups, free blocks of the disk, and the server's own log where that
//! is told to write down statements.
//!
//! # References
//! - `PostgreSQL` documentation: Explicit Locking (advisory locks); Asynchronous Commit; CREATE TRIGGER; VACUUM.

use std::cell::{RefCell, RefMut};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postgres::types::ToSql;
use postgres::{Client, IsolationLevel, Transaction};

use super::chain::{Head, Sealed, check_append, check_end, check_taken, seal};
use super::copying::copied;
use super::entry::{Content, Draft, Header, LedgerEntry};
use super::store::{Access, Ending, Filter, PATIENCE, Reader, Store, Visitor};
use crate::calendar::Day;
use crate::database::Login;
use crate::error::LedgerError;

mod saying;
mod tables;
mod wiping;
use saying::said;
use tables::{AS_MADE, DESCRIBE, WALK, bodies, fits, insert, query, raw};
use wiping::{rewrite, rows_kept};

/// The advisory lock of those who write: "EHLG".
const LOCK: i64 = 0x4548_4C47;
/// The format of the tables.
const FORMAT: i32 = 1;
/// Rows that are read, and entries that are written, at a time.
const PAGE: usize = 256;

/// Entries in one `PostgreSQL` database.
pub struct PostgresStore {
    client: RefCell<Client>,
    login: Login,
    access: Access,
    /// How many rows the last rewriting of a table had to keep though they were deleted; below zero before the server says.
    kept: Arc<AtomicI64>,
}

impl PostgresStore {
    /// Connects to the database. The tables must be there.
    ///
    /// # Errors
    /// [`LedgerError::Address`] when address and environment do not say where to connect, as whom, or whom to believe;
    /// [`LedgerError::NoTables`] when the database holds no ledger; [`LedgerError`] when it cannot be reached or holds one of
    /// another format; [`LedgerError::Damaged`] when it is to be written to, and its tables or what guards them were changed.
    pub fn open(address: &Path, access: Access) -> Result<Self, LedgerError> {
        let login = Login::of(&address.to_string_lossy()).map_err(LedgerError::Address)?;
        let kept = Arc::new(AtomicI64::new(-1));
        let client = connect(&login, access, &kept)?;
        let store = Self { client: RefCell::new(client), login, access, kept };
        store.is_ledger()?;
        if access != Access::Read {
            store.keeps_what_it_commits()?;
            if let Some(why) = store.changed_tables()? {
                return Err(store.damaged(&why));
            }
            store.wipe_what_was_left()?;
        }
        Ok(store)
    }

    /// The address as it may be shown.
    pub fn shown(&self) -> &Path {
        &self.login.shown
    }

    /// The connection; made anew where it was lost, for instance because the server was started again.
    fn client(&self) -> Result<RefMut<'_, Client>, LedgerError> {
        let in_use = |_| self.failed("use it", "it is in use".into());
        let mut client = self.client.try_borrow_mut().map_err(in_use)?;
        if client.is_closed() || client.check_connection().is_err() {
            *client = connect(&self.login, self.access, &self.kept)?;
        }
        Ok(client)
    }

    /// Refuses a database that holds no ledger of this format.
    fn is_ledger(&self) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("read it", &error);
        let mut client = self.client()?;
        let there = client
            .query_one("SELECT to_regnamespace('earlyhelp') IS NOT NULL", &[])
            .and_then(|row| row.try_get::<_, bool>(0));
        if !there.map_err(io)? {
            return Err(LedgerError::NoTables { path: self.login.shown.clone() });
        }
        let has_head = client
            .query_one("SELECT to_regclass('earlyhelp.head') IS NOT NULL", &[])
            .and_then(|row| row.try_get::<_, bool>(0));
        if !has_head.map_err(io)? {
            // Whoever writes is refused for it, and a verification says so.
            return Ok(());
        }
        let format = client.query_opt("SELECT format FROM earlyhelp.head", &[]).map_err(io)?;
        match format.map(|row| row.try_get::<_, i32>(0)).transpose().map_err(io)? {
            None | Some(FORMAT) => Ok(()),
            Some(found) => Err(LedgerError::OtherFormat {
                path: self.login.shown.clone(),
                found: found.into(),
                known: FORMAT.into(),
            }),
        }
    }

    /// Refuses to write to a server that loses what it has committed when its machine stops.
    fn keeps_what_it_commits(&self) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("read its settings", &error);
        let loses: bool = self
            .client()?
            .query_one(
                "SELECT current_setting('fsync') <> 'on' OR current_setting('full_page_writes') <> 'on'",
                &[],
            )
            .and_then(|row| row.try_get(0))
            .map_err(io)?;
        if loses {
            let why = "its server is set to lose what it has committed when the machine stops; switch fsync and \
                       full_page_writes on";
            return Err(self.failed("write to it", why.into()));
        }
        Ok(())
    }

    /// Begins a transaction in which nobody else writes.
    fn begin<'c>(&self, client: &'c mut Client) -> Result<Transaction<'c>, LedgerError> {
        let io = |error: postgres::Error| self.io("write to it", &error);
        if self.access == Access::Read {
            return Err(self.failed("write to it", "it was opened to be read".into()));
        }
        let mut step = client
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .read_only(false)
            .start()
            .map_err(io)?;
        step.batch_execute(&format!(
            "SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_advisory_xact_lock({LOCK})"
        ))
        .map_err(io)?;
        Ok(step)
    }

    /// The head row, if there is one that makes sense.
    fn head_row(&self, ask: &mut impl Ask) -> Result<Option<Head>, LedgerError> {
        self.one_head(ask, "SELECT entries, hash FROM earlyhelp.head")
    }

    /// The head, if the last entry says the same.
    fn head_to_follow(&self, ask: &mut impl Ask) -> Result<Head, LedgerError> {
        let head = self.head_row(ask)?.ok_or_else(|| self.damaged("it has no head"))?;
        let last = self.one_head(ask, "SELECT seq, hash FROM earlyhelp.entry ORDER BY seq DESC LIMIT 1")?;
        if last.unwrap_or_else(Head::empty) == head {
            Ok(head)
        } else {
            Err(self.damaged("its head is not that of its last entry"))
        }
    }

    fn one_head(&self, ask: &mut impl Ask, sql: &str) -> Result<Option<Head>, LedgerError> {
        let read = |row: postgres::Row| {
            let (entries, hash) = (row.try_get::<_, i64>(0)?, row.try_get::<_, Vec<u8>>(1)?);
            Ok(Head { entries: entries.unsigned_abs(), hash: hex::encode(hash) })
        };
        ask.rows(sql, &[])
            .and_then(|rows| rows.into_iter().next().map(read).transpose())
            .map_err(|error| self.io("read its head", &error))
    }

    /// Writes entries, and the head after them.
    fn write(
        &self,
        step: &mut Transaction<'_>,
        entries: &[Sealed],
        head: &Head,
        wipe: bool,
    ) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("write to it", &error);
        entries.iter().try_for_each(fits)?;
        entries.chunks(PAGE).try_for_each(|page| insert(step, page)).map_err(io)?;
        let (entries, hash) = (head.entries as i64, hex::decode(&head.hash).unwrap_or_default());
        let moved = if wipe {
            step.execute("UPDATE earlyhelp.head SET entries = $1, hash = $2, wipe = true", &[&entries, &hash])
        } else {
            // A writer has the right to set these two and no other.
            step.execute("UPDATE earlyhelp.head SET entries = $1, hash = $2", &[&entries, &hash])
        };
        match moved.map_err(io)? {
            1 => Ok(()),
            _ => Err(self.damaged("it has no head")),
        }
    }

    /// Takes the contents out. The server asks at the commit for the purge that names them.
    fn take_out(&self, step: &mut Transaction<'_>, seqs: &[u64]) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("write to it", &error);
        for page in seqs.chunks(PAGE) {
            let numbers: Vec<i64> = page.iter().map(|&seq| i64::try_from(seq).unwrap_or(i64::MAX)).collect();
            let found = step
                .query("SELECT seq, header FROM earlyhelp.entry WHERE seq = ANY ($1)", &[&numbers])
                .and_then(|rows| {
                    let read =
                        |row: &postgres::Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, String>(1)?));
                    rows.iter().map(read).collect::<Result<std::collections::BTreeMap<_, _>, _>>()
                })
                .map_err(io)?;
            for (seq, number) in page.iter().zip(&numbers) {
                let header = found
                    .get(number)
                    .ok_or_else(|| LedgerError::Redaction(format!("there is no entry {seq}")))?;
                let header = Header::parse(header.as_bytes())
                    .ok_or_else(|| self.damaged(&format!("entry {seq} cannot be read")))?;
                check_taken(&header)?;
            }
            step.execute("DELETE FROM earlyhelp.content WHERE seq = ANY ($1)", &[&numbers]).map_err(io)?;
        }
        Ok(())
    }

    /// What came of a commit: where the connection was lost on the way, the server is asked.
    fn committed(
        &self,
        client: &mut Client,
        done: Result<(), postgres::Error>,
        head: Head,
    ) -> Result<Head, LedgerError> {
        const PAUSE: Duration = Duration::from_millis(250);
        let Err(error) = done else { return Ok(head) };
        // What the server itself refused is not there. Where it went down or the line was cut, it may be.
        let refused = error.code().is_some_and(|code| !code.code().starts_with("57P"));
        if refused {
            return Err(self.io("write to it", &error));
        }
        let mut waited = Duration::ZERO;
        loop {
            // Under the lock: a transaction that is still being committed over there is waited for.
            let looked = connect(&self.login, self.access, &self.kept).and_then(|anew| {
                *client = anew;
                let mut step = self.begin(client)?;
                let sql = format!("SELECT seq, hash FROM earlyhelp.entry WHERE seq = {}", head.entries);
                self.one_head(&mut step, &sql)
            });
            match looked {
                Ok(found) if found.as_ref() == Some(&head) => return Ok(head),
                Ok(_) => return Err(self.io("write to it (nothing of it is on record)", &error)),
                Err(_) if waited < PATIENCE => std::thread::sleep(PAUSE),
                Err(_) => {
                    let why = format!(
                        "{}; whether the server still put it on record is not known: look before you do it again",
                        said(&error)
                    );
                    return Err(self.failed("write to it", why));
                }
            }
            waited += PAUSE;
        }
    }

    /// Rewrites the table of contents without what was deleted from it.
    fn wipe(&self, patience: Duration) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("clear what was taken out", &error);
        let before = self.head()?.entries as i64;
        let mut client = self.client()?;
        if let Some(why) = rewrite(&mut client, &self.kept, patience).map_err(io)? {
            return Err(LedgerError::NotWiped { path: self.login.shown.clone(), why });
        }
        // Unless somebody purged meanwhile, whose rows are not cleared by this.
        let mut step = self.begin(&mut client)?;
        step.execute(
            "UPDATE earlyhelp.head SET wipe = false \
             WHERE NOT EXISTS (SELECT FROM earlyhelp.entry WHERE kind = 'purge' AND seq > $1)",
            &[&before],
        )
        .map_err(io)?;
        step.commit().map_err(io)
    }

    /// Finishes a purge whose rows were not cleared, where this login may. If others are in the way, the next one does it.
    fn wipe_what_was_left(&self) -> Result<(), LedgerError> {
        let may: bool = self
            .client()?
            .query_one(
                "SELECT coalesce(pg_catalog.bool_or(h.wipe), false) AND coalesce(pg_catalog.bool_and(\
                 pg_catalog.pg_has_role(c.relowner, 'USAGE')), false) \
                 FROM earlyhelp.head h, pg_catalog.pg_class c WHERE c.oid = 'earlyhelp.content'::pg_catalog.regclass",
                &[],
            )
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.io("read its head", &error))?;
        if !may {
            return Ok(());
        }
        match self.wipe(Duration::from_millis(100)) {
            Err(LedgerError::NotWiped { .. }) => Ok(()),
            other => other,
        }
    }

    /// What of the tables, of the triggers and rights that guard them, is not as it was made.
    fn changed_tables(&self) -> Result<Option<String>, LedgerError> {
        let io = |error: postgres::Error| self.io("read its tables", &error);
        let mut client = self.client()?;
        let described = client
            .query(DESCRIBE, &[])
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>());
        let mut described = described.map_err(io)?;
        described.sort_unstable();
        if ["entry", "content", "head"].iter().any(|name| !described.contains(&format!("table {name} r p f")))
        {
            return Ok(Some("one of its tables is gone, or is something else".into()));
        }
        let functions = client
            .query(
                "SELECT prosrc FROM pg_catalog.pg_proc WHERE pronamespace = to_regnamespace('earlyhelp') \
                 AND proname IN ('refuse', 'go_on', 'named_by_a_purge')",
                &[],
            )
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>());
        let (mut functions, mut bodies) = (functions.map_err(io)?, bodies());
        functions.sort_unstable();
        bodies.sort_unstable();
        let same = described == AS_MADE && functions == bodies;
        Ok((!same).then(|| "its tables, or the triggers and rights that guard them, were changed".to_owned()))
    }

    fn walk_rows(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError> {
        let io = |error: postgres::Error| self.io("read it", &error);
        let mut broken = self.changed_tables()?;
        let tables: i64 = self
            .client()?
            .query_one(
                "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('earlyhelp') \
                 AND relname IN ('entry', 'content', 'head') AND relkind = 'r'",
                &[],
            )
            .and_then(|row| row.try_get(0))
            .map_err(io)?;
        if tables < 3 {
            return Ok(Ending { head: None, unfinished: 0, stray: None, broken });
        }
        self.client()?.batch_execute(WALK).map_err(io)?;
        let (mut entries, mut contents) = (0, 0);
        loop {
            // Nobody else's code runs while the connection is held.
            let page = self.client()?.query(&format!("FETCH {PAGE} FROM walk"), &[]).map_err(io)?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let (raw, has_content) = raw(row);
                entries += 1;
                contents += i64::from(has_content);
                visit(raw)?;
            }
        }
        let head = self.head_row(&mut *self.client()?)?;
        // The tables themselves, past their indexes: one that is broken, or was made to be, could leave rows out.
        let counted = {
            let mut client = self.client()?;
            client
                .batch_execute(
                    "CLOSE walk; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; \
                     SET LOCAL enable_bitmapscan = off",
                )
                .and_then(|()| {
                    client.query_one(
                        "SELECT (SELECT count(*) FROM earlyhelp.entry), (SELECT count(*) FROM earlyhelp.content), \
                         (SELECT pg_catalog.min(c.seq) FROM earlyhelp.content c LEFT JOIN earlyhelp.entry e ON e.seq = c.seq \
                          WHERE e.seq IS NULL)",
                        &[],
                    )
                })
                .and_then(|row| {
                    let stray: Option<i64> = row.try_get(2)?;
                    Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?, stray))
                })
        };
        let (all_entries, all_contents, stray) = counted.map_err(io)?;
        if broken.is_none() && head.is_none() {
            broken = Some("it has no head".into());
        }
        if broken.is_none() && (all_entries != entries || stray.is_none() && all_contents != contents) {
            broken = Some("an index leaves rows out".into());
        }
        Ok(Ending { head, unfinished: 0, stray: stray.map(i64::unsigned_abs), broken })
    }

    fn io(&self, what: &'static str, error: &postgres::Error) -> LedgerError {
        self.failed(what, said(error))
    }

    fn failed(&self, what: &'static str, why: String) -> LedgerError {
        LedgerError::Io { path: self.login.shown.clone(), what, why }
    }

    fn damaged(&self, why: &str) -> LedgerError {
        LedgerError::Damaged { path: self.login.shown.clone(), why: why.into() }
    }
}

impl Store for PostgresStore {
    fn head(&self) -> Result<Head, LedgerError> {
        self.head_row(&mut *self.client()?)?.ok_or_else(|| self.damaged("it has no head"))
    }

    fn last_day(&self) -> Result<Option<Day>, LedgerError> {
        let last = self
            .client()?
            .query_opt("SELECT header FROM earlyhelp.entry ORDER BY seq DESC LIMIT 1", &[])
            .and_then(|row| row.map(|row| row.try_get::<_, String>(0)).transpose());
        last.map_err(|error| self.io("read its last entry", &error))?
            .map(|header| {
                Header::day_in(header.as_bytes()).ok_or_else(|| self.damaged("its last entry cannot be read"))
            })
            .transpose()
    }

    fn append(&self, drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        check_append(&drafts)?;
        let mut client = self.client()?;
        let mut step = self.begin(&mut client)?;
        let head = self.head_to_follow(&mut step)?;
        check_end(&head, after)?;
        if drafts.is_empty() {
            return Ok(head);
        }
        let (entries, head) = seal(&head, drafts)?;
        self.write(&mut step, &entries, &head, false)?;
        let done = step.commit();
        self.committed(&mut client, done, head)
    }

    fn read(&self, wanted: &Filter, reader: &mut Reader<'_>) -> Result<(), LedgerError> {
        let io = |error: postgres::Error| self.io("read it", &error);
        let (sql, conditions) = query(wanted);
        // Page by page up to where it ends now, so that nothing is held while the reader works.
        let last = self.head()?.entries as i64;
        let mut from = i64::try_from(wanted.from).unwrap_or(i64::MAX);
        let mut left = wanted.limit.unwrap_or(u64::MAX);
        while left > 0 && from <= last {
            let most = (PAGE as u64).min(left) as i64;
            let mut values: Vec<&(dyn ToSql + Sync)> = vec![&from, &last, &most];
            values.extend(&conditions);
            let page = self.client()?.query(&sql, &values).map_err(io)?;
            let rows = page.len() as u64;
            for row in &page {
                let header: String = row.try_get(1).map_err(io)?;
                let hash: Vec<u8> = row.try_get(2).map_err(io)?;
                let content: Option<String> = row.try_get(3).map_err(io)?;
                let header = Header::parse(header.as_bytes());
                let content: Option<Option<Content>> =
                    content.map(|content| serde_json::from_str(&content).ok());
                from = row.try_get::<_, i64>(0).map_err(io)?.saturating_add(1);
                match (header, content) {
                    (Some(header), None) => reader(LedgerEntry::new(header, hex::encode(hash), None))?,
                    (Some(header), Some(Some(content))) => {
                        reader(LedgerEntry::new(header, hex::encode(hash), Some(content)))?;
                    }
                    (None, _) | (_, Some(None)) => return Err(self.damaged("an entry cannot be read")),
                }
            }
            if rows < most as u64 {
                break;
            }
            left -= rows;
        }
        Ok(())
    }

    fn redact(&self, seqs: &[u64], drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        let head = {
            let mut client = self.client()?;
            let mut step = self.begin(&mut client)?;
            let head = self.head_to_follow(&mut step)?;
            check_end(&head, after)?;
            self.take_out(&mut step, seqs)?;
            let (entries, head) = seal(&head, drafts)?;
            self.write(&mut step, &entries, &head, true)?;
            let done = step.commit();
            self.committed(&mut client, done, head)?
        };
        // It is on record by now, whatever becomes of the rest.
        match self.wipe(PATIENCE) {
            Err(LedgerError::Io { path, why, .. }) => Err(LedgerError::NotWiped { path, why }),
            done => done.map(|()| head),
        }
    }

    fn take_over(&self, from: &dyn Store) -> Result<Head, LedgerError> {
        let mut client = self.client()?;
        let mut step = self.begin(&mut client)?;
        if self.head_to_follow(&mut step)? != Head::empty() {
            return Err(LedgerError::NotEmpty { path: self.login.shown.clone() });
        }
        let head = copied(from, &mut |entries, head| self.write(&mut step, &entries, head, false))?;
        let done = step.commit();
        self.committed(&mut client, done, head)
    }

    fn walk(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError> {
        let io = |error: postgres::Error| self.io("read it", &error);
        // One view of all tables from the first row to the head, whoever writes meanwhile.
        self.client()?.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(io)?;
        let outcome = self.walk_rows(visit);
        // What went wrong while reading is what has to be said.
        let ended = self.client().and_then(|mut client| client.batch_execute("COMMIT").map_err(io));
        outcome.and_then(|ending| ended.map(|()| ending))
    }
}

/// What answers a query: the connection, or a transaction on it.
trait Ask {
    fn rows(
        &mut self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<postgres::Row>, postgres::Error>;
}

impl Ask for Client {
    fn rows(
        &mut self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<postgres::Row>, postgres::Error> {
        self.query(sql, values)
    }
}

impl Ask for Transaction<'_> {
    fn rows(
        &mut self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<postgres::Row>, postgres::Error> {
        self.query(sql, values)
    }
}

/// Connects, and says how this session is to be treated.
fn connect(login: &Login, access: Access, kept: &Arc<AtomicI64>) -> Result<Client, LedgerError> {
    let failed =
        |what, error: &postgres::Error| LedgerError::Io { path: login.shown.clone(), what, why: said(error) };
    let kept = Arc::clone(kept);
    let remarked = move |remark: &postgres::error::DbError| {
        if let Some(rows) = rows_kept(remark) {
            kept.store(rows, Ordering::SeqCst);
        }
    };
    let mut client = login.connect(remarked).map_err(|error| failed("connect to it", &error))?;
    let read_only = if access == Access::Read { "on" } else { "off" };
    // A client that is gone without a word loses its lock after a minute. Rows that are hidden are an error, not a shorter ledger.
    client
        .batch_execute(&format!(
            "SET search_path = pg_catalog; SET synchronous_commit = on; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = 60000; SET row_security = off; \
             SET default_transaction_read_only = {read_only}",
            PATIENCE.as_millis()
        ))
        .map_err(|error| failed("set it up", &error))?;
    Ok(client)
}
