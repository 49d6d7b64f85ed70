//! From any store into any other: the same chain, what was purged stays out, and nothing is there where it does not work out.

use super::{FILES, about, filled, places, purge, today};
use crate::ledger::{Draft, Filter, Ledger, LedgerError};

#[test]
fn a_ledger_goes_from_each_store_into_each_other_and_back_with_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["from", "to"].map(|name| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        folder.path().join(name)
    });
    for place in places(&from) {
        let ledger = filled(&place);
        // Enough for several parts, a step across their border, and one without content.
        ledger.append((0..2_300).map(|n| about(&format!("Q-{n}"), n)).collect()).unwrap();
        ledger.redact(&[30, 31], vec![purge()]).unwrap();
        let checkpoint = ledger.checkpoint(today()).unwrap();
        let entries = ledger.entries(&Filter::all()).unwrap();
        for (turn, place) in places(&to).into_iter().enumerate() {
            let copy = Ledger::open(&place).unwrap();
            assert_eq!(copy.copy_from(&ledger).unwrap(), ledger.head().unwrap());
            assert_eq!(copy.entries(&Filter::all()).unwrap(), entries);
            let seen = copy.verify(std::slice::from_ref(&checkpoint)).unwrap();
            assert_eq!((seen.finding, seen.redacted, seen.vouched_for), (None, 5, Some(2_325)));
            // A copy is a ledger: it is written to, and not copied over.
            copy.append(vec![about("P-1", 1)]).unwrap();
            assert!(matches!(copy.copy_from(&ledger), Err(LedgerError::NotEmpty { .. })));
            let back = Ledger::open(folder.path().join(format!("{turn}.jsonl"))).unwrap();
            assert_eq!(back.copy_from(&copy).unwrap(), copy.head().unwrap());
            drop((copy, back));
            std::fs::remove_file(folder.path().join(format!("{turn}.jsonl"))).unwrap();
            let _ = std::fs::remove_file(&place);
        }
    }
}

#[test]
fn a_ledger_that_does_not_hold_is_not_copied_and_an_empty_one_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILES[1]);
    let ledger = filled(&path);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"rank\":11}", "\"rank\":12}")).unwrap();
    let to = folder.path().join("to");
    std::fs::create_dir(&to).unwrap();
    for place in places(&to) {
        let copy = Ledger::open(&place).unwrap();
        assert!(matches!(copy.copy_from(&ledger), Err(LedgerError::Damaged { .. })));
        // By the store alone, too, which comes upon it half way: nothing of it is there.
        assert!(copy.take_over(&ledger).is_err());
        assert_eq!(copy.head().unwrap().entries, 0);
        assert_eq!(copy.copy_from(&copy).unwrap().entries, 0);
        copy.append(vec![Draft::new("started", today())]).unwrap();
        assert_eq!(copy.verify(&[]).unwrap().finding, None);
    }
}
