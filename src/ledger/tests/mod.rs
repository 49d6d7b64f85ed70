//! The ledger's store, chain and verification, each test on all stores: a PostgreSQL database where the feature is on and a server
//! can be had.

mod copying;
mod redaction;
#[cfg(all(feature = "postgres", unix))]
#[path = "../../../tests/postgres/server.rs"]
mod server;
mod stores;
mod tampering_lines;
mod tampering_sqlite;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::calendar::Day;
#[cfg(all(feature = "postgres", unix))]
use crate::ledger::POSTGRES_SCHEMA;
use crate::ledger::{Content, Draft, Ledger};

const FILES: [&str; 2] = ["ledger.sqlite", "ledger.jsonl"];

/// One server for all tests of this program; each ledger is a database of its own.
#[cfg(all(feature = "postgres", unix))]
static SERVER: std::sync::LazyLock<Option<server::Server>> = std::sync::LazyLock::new(server::Server::start);

/// Where a new ledger of each kind can be.
fn places(folder: &Path) -> Vec<PathBuf> {
    let files = FILES.iter().map(|file| folder.join(file));
    #[cfg(all(feature = "postgres", unix))]
    let files = files.chain(SERVER.as_ref().map(server::Server::ledger));
    files.collect()
}

fn today() -> Day {
    Day::from_ymd(2025, 4, 1).unwrap()
}

/// An entry about one person.
fn about(subject: &str, number: u64) -> Draft {
    Draft::new("scored", today())
        .run("2025-04")
        .facts(json!({ "rank": number, "band": "high", "gap": 0.1 + number as f64 }))
        .content(Content::of_subject(subject, json!({ "score": number as f64 / 3.0, "words": "owes rent" })))
}

/// A purge that says why.
fn purge() -> Draft {
    Draft::new("purge", today()).facts(json!({ "by": "D. Officer", "reason": "erasure was asked for" }))
}

/// A ledger of 24 entries: batches of several sizes, entries with content, without, about nobody, and one purge,
/// which is entry 16 and took out the contents of 3, 4 and 9.
fn filled(path: &Path) -> Ledger {
    let ledger = Ledger::open(path).unwrap();
    let people =
        |range: std::ops::RangeInclusive<u64>| range.map(|n| about(&format!("P-{n:04}"), n)).collect();
    ledger.append(vec![Draft::new("started", today()).run("2025-04")]).unwrap();
    ledger.append(people(2..=7)).unwrap();
    ledger
        .append(vec![Draft::new("model", today()).content(Content::material(json!({ "terms": [1, 2.5] })))])
        .unwrap();
    ledger.append(people(9..=15)).unwrap();
    assert_eq!(ledger.redact(&[9, 3, 4], vec![purge()]).unwrap().entries, 16);
    ledger.append(people(17..=18)).unwrap();
    for number in 19..=24 {
        ledger.append(vec![about(&format!("P-{number:04}"), number)]).unwrap();
    }
    assert_eq!(ledger.head().unwrap().entries, 24);
    ledger
}

/// All files beside the ledger, as they are on the disk.
fn bytes_in(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
