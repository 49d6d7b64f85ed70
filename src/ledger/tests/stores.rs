//! What all stores do alike: append, read, refuse, sign, and serve several writers.

use std::path::Path;

use serde_json::json;

use super::{FILES, about, bytes_in, filled, holds, places, today};
use crate::ledger::{
    Checkpoint, Content, Draft, Filter, Ledger, LedgerEntry, LedgerError, PublicKey, SigningKey,
};

fn seqs(ledger: &Ledger, wanted: &Filter) -> Vec<u64> {
    ledger.entries(wanted).unwrap().iter().map(LedgerEntry::seq).collect()
}

#[test]
fn what_is_appended_is_read_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    for place in places(folder.path()) {
        let ledger = Ledger::open(place).unwrap();
        let facts =
            json!({ "z": 0.1, "a": -0.0, "tiny": 5e-324, "huge": u64::MAX, "text": "é \"\\\n\u{1F600}" });
        let content = Content::of_subject("P \"1\"", json!({ "b": [1.0, 1e300, null], "a": 2.0 / 3.0 }));
        let draft =
            Draft::new("kind", today()).run("run \"1\"").facts(facts.clone()).content(content.clone());
        let head = ledger.append(vec![draft.clone(), Draft::new("bare", today())]).unwrap();
        let entries = ledger.entries(&Filter::all()).unwrap();
        let first = &entries[0];
        assert_eq!((first.facts(), first.content()), (&facts, Some(&content)));
        let bits = |value: &serde_json::Value| value["a"].as_f64().unwrap().to_bits();
        assert_eq!(bits(first.facts()), bits(&facts));
        assert_eq!((first.kind(), first.run(), first.on()), ("kind", Some("run \"1\""), today()));
        assert_eq!((first.seq(), first.through(), first.subject()), (1, 2, Some("P \"1\"")));
        assert_eq!((entries[1].previous(), entries[1].hash()), (first.hash(), head.hash.as_str()));
        assert!(entries[1].commitment().is_none() && !entries[1].is_redacted());
        assert_eq!(seqs(&ledger, &Filter::all().subject("P \"1\"").run("run \"1\"").kind("kind")), [1]);
        assert!(!format!("{first:?} {draft:?} {content:?}").contains("P \""));
        assert_eq!(ledger.append(Vec::new()).unwrap(), head);
        assert!(matches!(ledger.append(vec![Draft::new(" ", today())]), Err(LedgerError::Draft(_))));
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    }
}

#[test]
fn all_stores_chain_the_same_entries_alike_but_for_the_salts() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let heads = places.iter().map(|place| {
        let ledger = Ledger::open(place).unwrap();
        ledger.append((1..9).map(|n| Draft::new("a", today()).facts(json!({ "n": n }))).collect()).unwrap()
    });
    let heads: Vec<_> = heads.collect();
    assert!(heads.iter().all(|head| head == &heads[0]));
    let salted: std::collections::BTreeSet<_> = places
        .iter()
        .map(|place| Ledger::open(place).unwrap().append(vec![about("P-1", 1)]).unwrap().hash)
        .collect();
    assert_eq!(salted.len(), places.len(), "a commitment that could be made again could be guessed back");
}

#[test]
fn reading_takes_what_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for place in places(folder.path()) {
        let ledger = filled(&place);
        assert_eq!(seqs(&ledger, &Filter::all()), (1..=24).collect::<Vec<_>>());
        assert_eq!(seqs(&ledger, &Filter::all().kind("model").kind("purge")), [8, 16]);
        assert_eq!(seqs(&ledger, &Filter::all().subject("P-0010")), [10]);
        assert!(seqs(&ledger, &Filter::all().subject("P-0003")).is_empty());
        assert!(seqs(&ledger, &Filter::all().subject("P-00")).is_empty());
        assert_eq!(seqs(&ledger, &Filter::all().run("2025-04").from(15).limit(3)), [15, 17, 18]);
        assert!(seqs(&ledger, &Filter::all().run("2025")).is_empty());
        assert!(seqs(&ledger, &Filter::all().limit(0)).is_empty());
        // A reader's error ends the reading and comes out.
        let mut read = 0;
        let outcome = ledger.read(&Filter::all(), &mut |_| {
            read += 1;
            if read == 3 { Err(LedgerError::Draft("enough".into())) } else { Ok(()) }
        });
        assert_eq!((read, outcome), (3, Err(LedgerError::Draft("enough".into()))));
    }
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        let path = folder.path().join(file);
        assert!(matches!(Ledger::open_existing(&path), Err(LedgerError::Missing { .. })));
        assert!(!path.exists());
        std::fs::write(&path, "a letter to a friend\nand more of it\n").unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::NotALedger { .. })), "{file}");
        assert_eq!(std::fs::read(&path).unwrap(), b"a letter to a friend\nand more of it\n");
    }
    let path = folder.path().join("other.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE mine (a)").unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::NotALedger { .. })));
    let path = folder.path().join("later.sqlite");
    drop(Ledger::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::OtherFormat { found: 2, known: 1, .. })));
}

#[test]
fn writers_in_many_threads_lose_nothing_and_start_one_ledger_together() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        for path in places(folder.path()) {
            std::thread::scope(|scope| {
                for thread in 0..6 {
                    let path = &path;
                    scope.spawn(move || {
                        let ledger = Ledger::open(path).unwrap();
                        for number in 0..5 {
                            ledger.append(vec![about(&format!("T-{thread}"), number); 2]).unwrap();
                        }
                        let mine = seqs(&ledger, &Filter::all().subject(format!("T-{thread}")));
                        if thread == 0 {
                            ledger.redact(&mine[..4], vec![super::purge()]).unwrap();
                        }
                    });
                }
            });
            let ledger = Ledger::open_existing(&path).unwrap();
            let seen = ledger.verify(&[]).unwrap();
            assert_eq!((seen.entries, seen.redacted, seen.finding), (61, 4, None));
            for thread in 1..6 {
                assert_eq!(seqs(&ledger, &Filter::all().subject(format!("T-{thread}"))).len(), 10);
            }
        }
    }
}

#[test]
fn fifty_thousand_entries_are_appended_and_verified_in_seconds() {
    let folder = tempfile::tempdir().unwrap();
    for place in places(folder.path()) {
        let ledger = Ledger::open(&place).unwrap();
        let drafts = (0..50_000).map(|n| about(&format!("P-{n:05}"), n)).collect();
        let start = std::time::Instant::now();
        assert_eq!(ledger.append(drafts).unwrap().entries, 50_000);
        let appended = start.elapsed();
        let start = std::time::Instant::now();
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
        let verified = start.elapsed();
        let start = std::time::Instant::now();
        assert_eq!(seqs(&ledger, &Filter::all().subject("P-41234")), [41_235]);
        let found = start.elapsed();
        println!(
            "{}: appended in {appended:?}, verified in {verified:?}, one person found in {found:?}",
            ledger.path().display()
        );
        // Far above what it takes, and far below what a sync for each entry would.
        assert!(appended.as_secs() < 20, "{appended:?}");
    }
}

fn signed(path: &Path) -> (Checkpoint, SigningKey) {
    let key = SigningKey::generate().unwrap();
    (filled(path).checkpoint(today()).unwrap().sign(&key).unwrap(), key)
}

#[test]
fn a_signature_is_of_one_checkpoint_by_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (checkpoint, key) = signed(&at(FILES[0]));
    key.save(at("key")).unwrap();
    assert!(matches!(key.save(at("key")), Err(LedgerError::Key(_))), "a key is never written over");
    std::fs::write(at("key.pub"), key.public().to_string()).unwrap();
    checkpoint.save(at("checkpoint.json")).unwrap();

    let public = PublicKey::load(at("key.pub")).unwrap();
    assert_eq!(public, SigningKey::load(at("key")).unwrap().public());
    assert_eq!(public, public.to_string().parse().unwrap());
    let back = Checkpoint::load(at("checkpoint.json")).unwrap();
    assert_eq!(back, checkpoint);
    back.verify(&public).unwrap();

    let other = SigningKey::generate().unwrap();
    let changed = [
        Checkpoint { entries: back.entries - 1, ..back.clone() },
        Checkpoint { hash: back.hash.replace(['1', '2', '3'], "0"), ..back.clone() },
        Checkpoint { on: today() + 1, ..back.clone() },
        Checkpoint { signature: None, ..back.clone() },
        Checkpoint { signature: other_signature(&back, &other), ..back.clone() },
        back.clone().sign(&other).unwrap(),
    ];
    for changed in changed {
        assert!(matches!(changed.verify(&public), Err(LedgerError::Signature(_))), "{changed:?}");
    }
    assert!(back.verify(&other.public()).is_err());
    std::fs::write(at("short"), [7; 31]).unwrap();
    assert!(matches!(SigningKey::load(at("short")), Err(LedgerError::Key(_))));
    std::fs::write(at("raw"), [7; 32]).unwrap();
    SigningKey::load(at("raw")).unwrap();
    let text = std::fs::read(at("key")).unwrap();
    assert!(!holds(
        &std::fs::read(at("checkpoint.json")).unwrap(),
        std::str::from_utf8(&text).unwrap().trim()
    ));
    assert!(bytes_in(folder.path()).len() >= 5);
}

fn other_signature(checkpoint: &Checkpoint, key: &SigningKey) -> Option<String> {
    checkpoint.clone().sign(key).unwrap().signature
}
