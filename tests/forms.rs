//! Files of the first forms are read for ever: a ledger, its checkpoint and its list.
//!
//! `tests/fixtures/forms_1` was written by version 0.1.0 before its release: `earlyhelp synth --children 1000 --seed 5`, scored on
//! 2025-04-01 by `models/synthetic_council_additive.json` with three places into `ledger.jsonl`, one person asked about over `serve`, the
//! first place opened and decided, the last checkpoint kept, ledger and list packed by `zstd -19`. It is never made again: a later
//! version that cannot read it breaks what the guide's page on embedding promises.

use std::path::Path;

use earlyhelp::ledger::{Checkpoint, EntryKind, Filter, Ledger, ReplayOf};
use earlyhelp::review::EarlierList;

fn unpacked(name: &str) -> Vec<u8> {
    let path = Path::new("tests/fixtures/forms_1").join(name);
    zstd::stream::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

#[test]
fn a_ledger_a_checkpoint_and_a_list_of_the_first_forms_are_read_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    std::fs::write(&path, unpacked("ledger.jsonl.zst")).unwrap();
    let list = String::from_utf8(unpacked("list.json.zst")).unwrap();
    let ledger = Ledger::open_to_read(&path).unwrap();

    let checkpoint = Checkpoint::load("tests/fixtures/forms_1/checkpoint.json").unwrap();
    let witness = ledger.compare_list(&list).unwrap();
    assert_eq!(ledger.verify(&[checkpoint, witness]).unwrap().finding, None);
    let of = |kind| ledger.entries(&Filter::of(&[kind])).unwrap().len();
    assert_eq!([EntryKind::RunFinished, EntryKind::CaseAsked, EntryKind::Decision].map(of), [1, 1, 1]);

    let run = &ledger.list("4666d488f1466931").unwrap();
    let decided: Vec<bool> = run.places.iter().map(|place| place.decided.is_some()).collect();
    assert_eq!(decided, [true, false, false]);
    assert!(EarlierList::from_json(&list).is_ok());

    // Every score of it comes out as it was, made again from what the ledger holds.
    let replay = ledger.replay(&ReplayOf::Everything, None).unwrap();
    assert!(replay.different.is_empty() && replay.manifests.is_empty(), "{replay:?}");
    assert!(replay.reproduced >= 900 && replay.reproduced == replay.asked, "{replay:?}");
}
