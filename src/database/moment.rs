//! A database as it stood at one moment, for as many connections as a run needs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use postgres::types::{Kind, Type};
use postgres::{CancelToken, Client};

use super::login::Login;
use super::saying::{said, said_of_rows};

/// How each session is to be treated. How dates and numbers are written must not hang on the server's settings, and neither the
/// wait for somebody's lock nor the rights of a query are without end. Time limits of transactions would end a moment while a
/// long source is read; the limit of a single statement stays as whoever keeps the server set it.
const SET_UP: &str = "SET datestyle = 'ISO, YMD'; SET client_encoding = 'UTF8'; SET extra_float_digits = 1; \
     SET lock_timeout = 60000; SET default_transaction_read_only = on; \
     SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
     WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')";

/// One moment of a database: whoever writes afterwards, what is read is as it stood then. It lasts until this is dropped.
pub(crate) struct Moment {
    login: Login,
    /// The name by which other connections see the database as at this moment.
    exported: String,
    /// What was over by then and what was not, as the server writes it.
    snapshot: String,
    /// What the result of each query is made of, or why it cannot be asked.
    results: BTreeMap<String, Result<Vec<ResultColumn>, String>>,
    /// Two transactions that last as long as the moment: the one that keeps tables from being emptied, and the one whose view of
    /// the database the others take over.
    _held: Mutex<[Client; 2]>,
}

/// A column of a query's result.
#[derive(Debug, Clone)]
pub(crate) struct ResultColumn {
    pub(crate) name: String,
    /// Why it cannot be read, where it is of a type that no text stands for.
    pub(crate) unusable: Option<String>,
}

impl Moment {
    /// Connects, and takes the moment. A query that cannot be asked is an error of whoever asks it, not of all.
    pub(crate) fn begin<'q>(address: &str, queries: impl Iterator<Item = &'q str>) -> Result<Self, String> {
        let login = Login::of(address).map_err(|why| format!("its address cannot be used: {why}"))?;
        let failed = |error: postgres::Error| said(&error);
        // Before the moment comes the hold on the tables: one that is emptied by TRUNCATE and filled again is empty for whoever
        // sees the database as it stood before, without an error.
        let mut keeper = session(&login).map_err(failed)?;
        keeper.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY").map_err(failed)?;
        let mut results = BTreeMap::new();
        for query in queries {
            let described = described(&mut keeper, query).map_err(failed)?;
            results.insert(query.to_owned(), described);
        }
        let mut taker = session(&login).map_err(failed)?;
        taker.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(failed)?;
        let row = taker
            .query_one("SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_current_snapshot()::text", &[])
            .map_err(failed)?;
        let (exported, snapshot) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        Ok(Self { login, exported, snapshot, results, _held: Mutex::new([keeper, taker]) })
    }

    /// The moment as the server writes it (`pg_current_snapshot()`).
    pub(crate) fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// The columns of a query's result, or why it cannot be asked.
    pub(super) fn columns(&self, query: &str) -> Result<Vec<ResultColumn>, String> {
        self.results.get(query).cloned().unwrap_or_else(|| Err("it was not known when reading began".into()))
    }

    /// A connection that sees the database as at this moment, and can write nothing.
    pub(super) fn connect(&self) -> Result<Client, String> {
        let mut client = session(&self.login).map_err(|error| said(&error))?;
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .and_then(|()| client.batch_execute(&format!("SET TRANSACTION SNAPSHOT '{}'", self.exported)))
            .map_err(|error| said_of_rows(&error))?;
        Ok(client)
    }

    pub(super) fn cancel(&self, doing: &CancelToken) {
        self.login.cancel(doing);
    }
}

fn session(login: &Login) -> Result<Client, postgres::Error> {
    let mut client = login.connect(|_| {})?;
    client.batch_execute(SET_UP)?;
    Ok(client)
}

/// What a query's result is made of, or why it cannot be asked. The query is read by the server and not run; its tables are held.
fn described(keeper: &mut Client, query: &str) -> Result<Result<Vec<ResultColumn>, String>, postgres::Error> {
    // A query that is refused would end the transaction with it.
    keeper.batch_execute("SAVEPOINT query")?;
    let statement = match keeper.prepare(query) {
        Ok(statement) => statement,
        Err(error) if error.as_db_error().is_some() => {
            keeper.batch_execute("ROLLBACK TO SAVEPOINT query")?;
            let is_syntax = error.code() == Some(&postgres::error::SqlState::SYNTAX_ERROR);
            let advice = if is_syntax { "; a query is one SELECT" } else { "" };
            return Ok(Err(said(&error) + advice));
        }
        Err(error) => return Err(error),
    };
    if !statement.params().is_empty() {
        return Ok(Err("it asks for values ($1) that nobody gives; write them into it".into()));
    }
    let columns = statement.columns().iter().map(|column| ResultColumn {
        name: column.name().to_owned(),
        unusable: unusable(column.name(), column.type_()),
    });
    Ok(checked(columns.collect()))
}

fn checked(columns: Vec<ResultColumn>) -> Result<Vec<ResultColumn>, String> {
    if columns.is_empty() {
        return Err("its result has no columns; write one SELECT that names some".into());
    }
    let same = |a: &ResultColumn, b: &ResultColumn| a.name.trim().eq_ignore_ascii_case(b.name.trim());
    let twice = columns
        .iter()
        .enumerate()
        .find(|(nth, column)| columns[..*nth].iter().any(|held| same(held, column)));
    match twice {
        None => Ok(columns),
        Some((_, column)) => Err(format!(
            "its result has the column \"{}\" more than once; give each a name of its own (AS)",
            column.name
        )),
    }
}

/// Why a column cannot be read, if it cannot.
fn unusable(name: &str, of: &Type) -> Option<String> {
    if *of == Type::TIMESTAMPTZ {
        return Some(format!(
            "column \"{name}\" is a moment ({of}), which is of one day here and of another there; say in the query of which, for \
             instance (… AT TIME ZONE 'Europe/London')::date"
        ));
    }
    (!is_text(of)).then(|| {
        format!("column \"{name}\" is of type {of}, which cannot be used here; cast it in the query")
    })
}

/// Whether the text of such a value is one that extracts have, too, and the same whatever the server's settings are.
fn is_text(of: &Type) -> bool {
    const PLAIN: [Type; 15] = [
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::NAME,
        Type::CHAR,
        Type::BOOL,
        Type::INT2,
        Type::INT4,
        Type::INT8,
        Type::NUMERIC,
        Type::FLOAT4,
        Type::FLOAT8,
        Type::DATE,
        Type::TIMESTAMP,
        Type::UUID,
    ];
    match of.kind() {
        Kind::Enum(_) => true,
        Kind::Domain(of) => is_text(of),
        Kind::Simple => PLAIN.contains(of) || of.name() == "citext",
        _ => false,
    }
}
