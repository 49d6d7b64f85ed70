//! The tables of a `SQLite` ledger, and what their rows say.

use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

use crate::ledger::entry::{Content, Header};
use crate::ledger::store::{Filter, Raw, Record};

/// The trigger that a redaction takes away and puts back within its transaction.
pub(super) const CONTENT_STAYS: &str = "CREATE TRIGGER content_stays BEFORE DELETE ON content \
     BEGIN SELECT RAISE(ABORT, 'the ledger takes content out by a redaction alone'); END";

/// Tables, indexes and triggers, word for word as `SQLite` keeps them.
pub(super) const SCHEMA: [&str; 11] = [
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, header TEXT NOT NULL, \
     hash BLOB NOT NULL) STRICT",
    "CREATE TABLE content (seq INTEGER PRIMARY KEY, subject TEXT, salt BLOB NOT NULL, content TEXT NOT NULL) STRICT",
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, hash BLOB NOT NULL, \
     wipe INTEGER NOT NULL) STRICT",
    "CREATE INDEX entry_of_kind ON entry (kind)",
    "CREATE INDEX entry_of_run ON entry (run) WHERE run IS NOT NULL",
    "CREATE INDEX content_of_subject ON content (subject) WHERE subject IS NOT NULL",
    "CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry \
     BEGIN SELECT RAISE(ABORT, 'the ledger changes nothing'); END",
    "CREATE TRIGGER entry_stays BEFORE DELETE ON entry \
     BEGIN SELECT RAISE(ABORT, 'the ledger deletes nothing'); END",
    "CREATE TRIGGER content_unchanged BEFORE UPDATE ON content \
     BEGIN SELECT RAISE(ABORT, 'the ledger changes nothing'); END",
    "CREATE TRIGGER head_stays BEFORE DELETE ON head \
     BEGIN SELECT RAISE(ABORT, 'the ledger deletes nothing'); END",
    CONTENT_STAYS,
];

/// The query for the wanted entries.
pub(super) fn query(wanted: &Filter) -> (String, Vec<Value>) {
    let content = if wanted.facts_only { "NULL" } else { "c.content" };
    let mut sql = format!(
        "SELECT e.header, e.hash, {content} FROM entry e LEFT JOIN content c ON c.seq = e.seq WHERE e.seq >= ?"
    );
    let mut values = vec![Value::Integer(i64::try_from(wanted.from).unwrap_or(i64::MAX))];
    if !wanted.kinds.is_empty() {
        sql += &format!(" AND e.kind IN ({})", vec!["?"; wanted.kinds.len()].join(", "));
        values.extend(wanted.kinds.iter().cloned().map(Value::Text));
    }
    if let Some(run) = &wanted.run {
        sql += " AND e.run = ?";
        values.push(Value::Text(run.clone()));
    }
    if let Some(subject) = &wanted.subject {
        sql += " AND c.subject = ?";
        values.push(Value::Text(subject.clone()));
    }
    sql += " ORDER BY e.seq";
    if let Some(limit) = wanted.limit {
        sql += " LIMIT ?";
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    }
    (sql, values)
}

/// The bytes of a cell; `None` where it is empty.
pub(super) fn bytes(cell: ValueRef<'_>) -> Option<Vec<u8>> {
    cell.as_bytes_or_null().ok().flatten().map(<[u8]>::to_vec)
}

/// One row as it is written.
pub(super) fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let cell = |column: usize| row.get_ref(column).map(bytes);
    let number = |column: usize| row.get::<_, Option<i64>>(column);
    let header_bytes = cell(3)?.unwrap_or_default();
    let Some(header) = Header::parse(&header_bytes) else {
        return Ok(Raw::Unreadable("its bytes are not those of an entry".into()));
    };
    let (salt, content) = (cell(7)?, cell(8)?);
    let subject = match &content {
        None => None,
        Some(content) => match serde_json::from_slice::<Content>(content) {
            Ok(content) => content.subject,
            Err(_) => None,
        },
    };
    let text =
        |column: usize| cell(column).map(|cell| cell.map(|cell| String::from_utf8_lossy(&cell).into_owned()));
    let disagrees = if number(0)? != Some(header.seq as i64) {
        Some("it stands in the row of another number")
    } else if text(1)?.as_ref() != Some(&header.kind) || text(2)? != header.run {
        Some("the columns for its kind and run do not say what the entry says")
    } else if text(6)? != subject {
        Some("the column for its subject does not say what the content says")
    } else {
        None
    };
    let (hash, salt) = (cell(4)?.unwrap_or_default(), number(5)?.map(|_| salt.unwrap_or_default()));
    Ok(Raw::Readable(Box::new(Record { header, bytes: header_bytes, hash, salt, content, disagrees })))
}
