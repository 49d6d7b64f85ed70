//! The tables of a `PostgreSQL` ledger as the server describes them, and what their rows say.

use postgres::types::ToSql;
use postgres::{Row, Transaction};

use crate::error::LedgerError;
use crate::ledger::chain::Sealed;
use crate::ledger::entry::{Content, Header};
use crate::ledger::server::POSTGRES_SCHEMA;
use crate::ledger::store::{Filter, Raw, Record};

/// What the server says of the three tables and of all that decides what they show and refuse, a line each: columns, keys,
/// indexes, triggers, rules, tables that inherit, hidden rows, and rights to change that somebody has beside the owner. The texts of
/// `pg_get_...` are not asked for, since they differ from version to version.
pub(super) const DESCRIBE: &str = "
WITH held AS (
  SELECT c.* FROM pg_catalog.pg_class c
  WHERE c.relnamespace = pg_catalog.to_regnamespace('earlyhelp') AND c.relname IN ('entry', 'content', 'head')
)
SELECT pg_catalog.format('table %s %s %s %s', relname, relkind, relpersistence, relrowsecurity) FROM held
UNION ALL
SELECT pg_catalog.format('column %s.%s %s %s', c.relname, a.attname, a.atttypid::pg_catalog.regtype, a.attnotnull)
FROM held c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT pg_catalog.format('key %s %s', c.relname, k.conkey)
FROM held c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' AND k.convalidated
UNION ALL
SELECT pg_catalog.format('index %s %s', c.relname, i.indisvalid AND i.indisready)
FROM held c JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
UNION ALL
SELECT pg_catalog.format('trigger %s.%s %s %s %s %s', c.relname, t.tgname, t.tgtype, t.tgenabled, p.proname, t.tgqual IS NULL)
FROM held c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
UNION ALL
SELECT pg_catalog.format('rule %s', c.relname) FROM held c JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
UNION ALL
SELECT pg_catalog.format('heir %s', c.relname) FROM held c JOIN pg_catalog.pg_inherits h ON h.inhparent = c.oid
UNION ALL
SELECT pg_catalog.format('right %s %s', c.relname, r.privilege_type)
FROM held c, LATERAL pg_catalog.aclexplode(c.relacl) r
WHERE r.grantee <> c.relowner AND r.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
ORDER BY 1";

/// What it says of tables that are as they were made.
pub(super) const AS_MADE: [&str; 31] = [
    "column content.content text t",
    "column content.salt bytea t",
    "column content.seq bigint t",
    "column content.subject text f",
    "column entry.hash bytea t",
    "column entry.header text t",
    "column entry.kind text t",
    "column entry.run text f",
    "column entry.seq bigint t",
    "column head.entries bigint t",
    "column head.format integer t",
    "column head.hash bytea t",
    "column head.one boolean t",
    "column head.wipe boolean t",
    "index content t",
    "index content t",
    "index entry t",
    "index entry t",
    "index entry t",
    "index head t",
    "key content {1}",
    "key entry {1}",
    "key head {1}",
    "table content r p f",
    "table entry r p f",
    "table head r p f",
    "trigger content.content_goes_by_purge 9 A named_by_a_purge t",
    "trigger content.content_stays 50 A refuse t",
    "trigger entry.entry_stays 58 A refuse t",
    "trigger head.head_goes_on 19 A go_on t",
    "trigger head.head_stays 42 A refuse t",
];

/// The bodies of the triggers' functions.
pub(super) fn bodies() -> Vec<&'static str> {
    POSTGRES_SCHEMA.split("$$").skip(1).step_by(2).collect()
}

/// Writes entries and their contents, each in one statement. (With a schema before its name `unnest` takes one list alone.)
pub(super) fn insert(step: &mut Transaction<'_>, entries: &[Sealed]) -> Result<(), postgres::Error> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let seqs: Vec<i64> = entries.iter().map(|sealed| sealed.header.seq as i64).collect();
    let kinds: Vec<&str> = entries.iter().map(|sealed| sealed.header.kind.as_str()).collect();
    let runs: Vec<Option<&str>> = entries.iter().map(|sealed| sealed.header.run.as_deref()).collect();
    let headers: Vec<String> = entries.iter().map(|sealed| text(&sealed.bytes)).collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|sealed| &sealed.hash[..]).collect();
    step.execute(
        "INSERT INTO earlyhelp.entry (seq, kind, run, header, hash) SELECT * FROM unnest(\
         $1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[])",
        &[&seqs, &kinds, &runs, &headers, &hashes],
    )?;
    let parts =
        || entries.iter().filter_map(|sealed| Some((sealed.header.seq as i64, sealed.content.as_ref()?)));
    let seqs: Vec<i64> = parts().map(|(seq, _)| seq).collect();
    let subjects: Vec<Option<&str>> = parts().map(|(_, part)| part.subject.as_deref()).collect();
    let salts: Vec<&[u8]> = parts().map(|(_, part)| &part.salt[..]).collect();
    let contents: Vec<String> = parts().map(|(_, part)| text(&part.bytes)).collect();
    if !seqs.is_empty() {
        step.execute(
            "INSERT INTO earlyhelp.content (seq, subject, salt, content) SELECT * FROM unnest(\
             $1::bigint[], $2::text[], $3::bytea[], $4::text[])",
            &[&seqs, &subjects, &salts, &contents],
        )?;
    }
    Ok(())
}

/// Refuses what `PostgreSQL` keeps in no text.
pub(super) fn fits(sealed: &Sealed) -> Result<(), LedgerError> {
    let subject = sealed.content.as_ref().and_then(|content| content.subject.as_ref());
    let texts = [Some(&sealed.header.kind), sealed.header.run.as_ref(), subject];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        let why = "its kind, run or subject holds a zero character, which PostgreSQL does not keep";
        return Err(LedgerError::Draft(why.into()));
    }
    Ok(())
}

/// The query for the next wanted entries from one number to another, and its values behind these two and the most rows.
pub(super) fn query(wanted: &Filter) -> (String, Vec<&(dyn ToSql + Sync)>) {
    let content = if wanted.facts_only { "NULL::text" } else { "c.content" };
    let mut sql = format!(
        "SELECT e.seq, e.header, e.hash, {content} FROM earlyhelp.entry e \
         LEFT JOIN earlyhelp.content c ON c.seq = e.seq WHERE e.seq BETWEEN $1 AND $2"
    );
    let mut values: Vec<&(dyn ToSql + Sync)> = Vec::new();
    if !wanted.kinds.is_empty() {
        values.push(&wanted.kinds);
        sql += &format!(" AND e.kind = ANY (${})", values.len() + 3);
    }
    if let Some(run) = &wanted.run {
        values.push(run);
        sql += &format!(" AND e.run = ${}", values.len() + 3);
    }
    if let Some(subject) = &wanted.subject {
        values.push(subject);
        sql += &format!(" AND c.subject = ${}", values.len() + 3);
    }
    (sql + " ORDER BY e.seq LIMIT $3", values)
}

/// Every row, whatever stands in it.
pub(super) const WALK: &str = "DECLARE walk NO SCROLL CURSOR FOR \
     SELECT e.seq, e.kind, e.run, e.header, e.hash, c.seq, c.subject, c.salt, c.content \
     FROM earlyhelp.entry e LEFT JOIN earlyhelp.content c ON c.seq = e.seq ORDER BY e.seq";

/// One of those rows, and whether content stands beside it.
pub(super) fn raw(row: &Row) -> (Raw, bool) {
    let text = |column: usize| row.try_get::<_, Option<String>>(column).ok().flatten();
    let bytes = |column: usize| row.try_get::<_, Option<Vec<u8>>>(column).ok().flatten();
    let number = |column: usize| row.try_get::<_, Option<i64>>(column).ok().flatten();
    let has_content = number(5).is_some();
    let header_bytes = text(3).unwrap_or_default().into_bytes();
    let Some(header) = Header::parse(&header_bytes) else {
        return (Raw::Unreadable("its bytes are not those of an entry".into()), has_content);
    };
    let content = text(8).map(String::into_bytes);
    let subject = content
        .as_ref()
        .and_then(|content| serde_json::from_slice::<Content>(content).ok())
        .and_then(|content| content.subject);
    let disagrees = if number(0) != Some(header.seq as i64) {
        Some("it stands in the row of another number")
    } else if text(1).as_ref() != Some(&header.kind) || text(2) != header.run {
        Some("the columns for its kind and run do not say what the entry says")
    } else if text(6) != subject {
        Some("the column for its subject does not say what the content says")
    } else {
        None
    };
    let salt = has_content.then(|| bytes(7).unwrap_or_default());
    let hash = bytes(4).unwrap_or_default();
    (
        Raw::Readable(Box::new(Record { header, bytes: header_bytes, hash, salt, content, disagrees })),
        has_content,
    )
}
