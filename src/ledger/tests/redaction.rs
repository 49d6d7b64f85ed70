//! What is taken out leaves no trace, and the chain holds.

use std::path::Path;

use serde_json::json;

use super::{FILES, about, bytes_in, filled, holds, places, purge, today};
use crate::ledger::{Content, Draft, Filter, Ledger, LedgerError};

/// A pseudonym and a text that stand nowhere else.
const PERSON: &str = "ZQ-7731-XK";
const TEXT: &str = "wrote-about-the-kitchen-fire";

fn trace(folder: &Path) -> Option<String> {
    bytes_in(folder)
        .into_iter()
        .find(|(_, bytes)| holds(bytes, PERSON) || holds(bytes, TEXT))
        .map(|(path, _)| path.display().to_string())
}

#[test]
fn a_purge_leaves_no_trace_in_any_byte_and_the_chain_holds() {
    for file in FILES {
        let folder = tempfile::tempdir().unwrap();
        let ledger = filled(&folder.path().join(file));
        // Short and long contents, among those of others, so that they lie in pages of every kind.
        for round in 0..40_u64 {
            let text = TEXT.repeat(1 + 97 * (round as usize % 5));
            let of_person = Content::of_subject(PERSON, json!({ "text": text, "round": round }));
            let drafts = vec![
                about(&format!("P-{round}"), round),
                Draft::new("decided", today()).content(of_person),
                about(&format!("R-{round}"), round),
            ];
            ledger.append(drafts).unwrap();
        }
        let checkpoint = ledger.checkpoint(today()).unwrap();
        let held = ledger.entries(&Filter::all().subject(PERSON)).unwrap();
        assert_eq!(held.len(), 40);
        assert!(trace(folder.path()).is_some(), "the search finds what is there");
        let others = ledger.entries(&Filter::all().subject("R-7")).unwrap();

        let seqs: Vec<u64> = held.iter().map(crate::ledger::LedgerEntry::seq).collect();
        let head = ledger.redact(&seqs, vec![purge(), about("S-1", 1)]).unwrap();
        assert_eq!(trace(folder.path()), None, "with the ledger open");
        assert_eq!(head.entries, 24 + 120 + 2);
        assert!(ledger.entries(&Filter::all().subject(PERSON)).unwrap().is_empty());
        assert_eq!(ledger.entries(&Filter::all().subject("R-7")).unwrap(), others);
        let redacted = ledger.entries(&Filter::all().kind("decided")).unwrap();
        assert!(redacted.len() == 40 && redacted.iter().all(crate::ledger::LedgerEntry::is_redacted));

        // What was written down before the purge still holds after it.
        let seen = ledger.verify(std::slice::from_ref(&checkpoint)).unwrap();
        assert_eq!((seen.entries, seen.redacted, seen.finding), (head.entries, 43, None));
        drop(ledger);
        assert_eq!(trace(folder.path()), None, "with the ledger closed");
        let ledger = Ledger::open_existing(folder.path().join(file)).unwrap();
        assert_eq!(ledger.head().unwrap(), head);
        // Named again, nothing changes but that it is said again.
        ledger.redact(&seqs, vec![purge()]).unwrap();
        assert_eq!(ledger.verify(std::slice::from_ref(&checkpoint)).unwrap().finding, None);
    }
}

#[test]
fn a_redaction_that_is_refused_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for place in places(folder.path()) {
        let ledger = filled(&place);
        let head = ledger.head().unwrap();
        let twice = Draft::new("purge", today()).facts(json!({ "redacted": [] }));
        for (seqs, drafts) in [
            (vec![2, 25], vec![purge()]),
            (vec![2, 0], vec![purge()]),
            (vec![2, 1], vec![purge()]),
            (vec![2], vec![]),
            (vec![2], vec![purge(), purge()]),
            (vec![2], vec![twice]),
        ] {
            let refused = ledger.redact(&seqs, drafts);
            assert!(matches!(refused, Err(LedgerError::Redaction(_))), "{place:?} {seqs:?}");
        }
        assert_eq!(ledger.head().unwrap(), head);
        assert_eq!(ledger.entries(&Filter::all().subject("P-0002")).unwrap().len(), 1);
        let seen = ledger.verify(&[]).unwrap();
        assert_eq!((seen.redacted, seen.finding), (3, None));
        assert!(matches!(ledger.append(vec![purge()]), Err(LedgerError::Draft(_))));
    }
}

#[test]
fn bytes_that_a_killed_redaction_left_are_wiped_when_the_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILES[0]);
    let ledger = filled(&path);
    ledger
        .append(vec![Draft::new("decided", today()).content(Content::of_subject(PERSON, json!(TEXT)))])
        .unwrap();
    // A reader who holds his view of the file keeps the bytes from being wiped.
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0)).unwrap();
    let store = crate::ledger::sqlite::SqliteStore::open(&path, crate::ledger::store::Access::Write).unwrap();
    store.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let mut drafts = vec![purge()];
    crate::ledger::chain::name_redacted(&[25], &mut drafts).unwrap();
    let outcome = crate::ledger::store::Store::redact(&store, &[25], drafts, None);
    assert!(matches!(outcome, Err(LedgerError::NotWiped { .. })));
    assert!(trace(folder.path()).is_some());
    assert!(
        ledger.entries(&Filter::all().subject(PERSON)).unwrap().is_empty(),
        "it is taken out all the same"
    );
    drop(reader);
    drop(Ledger::open(&path).unwrap());
    assert_eq!(trace(folder.path()), None);
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
}
