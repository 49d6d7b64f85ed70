//! A ledger that two processes write to while both are killed: nothing that was committed is lost, the chain
//! verifies, and the next append goes on.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{Content, Draft, Filter, Ledger, LedgerError};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;

/// The variables by which a test tells its children which ledger to write to, and which child each is.
const LEDGER: &str = "EARLYHELP_TEST_LEDGER";
const CHILD: &str = "EARLYHELP_TEST_CHILD";

fn today() -> Day {
    Day::from_ymd(2025, 4, 1).unwrap()
}

/// A batch of one to five entries, or of a hundred, so that some kills fall within a long write. Each
/// entry is numbered by its writer, from `first` on.
fn batch(child: &str, first: u64) -> Vec<Draft> {
    let entries = if first % 11 == 3 { 100 } else { 1 + first % 5 };
    (first..first + entries)
        .map(|number| {
            let content = Content::of_subject(format!("P-{number}"), json!({ "text": "x".repeat(600) }));
            Draft::new("written", today()).run(child).facts(json!({ "number": number })).content(content)
        })
        .collect()
}

/// Not a test by itself: what the children do. Each says a batch is committed once it is.
#[test]
#[ignore = "writes until it is killed; the other tests of this module start it as a process of its own"]
fn writes_until_killed() {
    let (Ok(path), Ok(child)) = (std::env::var(LEDGER), std::env::var(CHILD)) else { return };
    let ledger = Ledger::open(path).unwrap();
    let mut out = std::io::stdout();
    let mut number = 1;
    writeln!(out).unwrap();
    for round in 1_u64.. {
        let drafts = batch(&child, number);
        number += drafts.len() as u64;
        let head = ledger.append(drafts).unwrap();
        writeln!(out, "committed {} {}", head.entries, number - 1).unwrap();
        if round.is_multiple_of(8) {
            // Its own last entry or the other's: whichever stands there has content that can be taken out.
            let purge = Draft::new("purge", today()).facts(json!({ "by": "D. Officer", "reason": "test" }));
            match ledger.redact(&[head.entries], vec![purge]) {
                Ok(head) => writeln!(out, "committed {} {}", head.entries, number - 1).unwrap(),
                // Taken out, and the bytes wait for the other writer to be done: nothing is lost.
                Err(LedgerError::NotWiped { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn start(ledger: &Path, child: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger_crash::writes_until_killed", "--ignored", "--nocapture"])
        .env(LEDGER, ledger)
        .env(CHILD, child)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the child and gives what it said was committed: the highest head, and its own last number.
fn kill(mut child: Child) -> (u64, u64) {
    child.kill().unwrap();
    let (mut said, mut complaint) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(!complaint.contains("panicked"), "{complaint}");
    let mut committed = (0, 0);
    for line in said.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        if let Some(numbers) = line.trim_end().strip_prefix("committed ") {
            let (head, number) = numbers.split_once(' ').unwrap();
            committed = (head.parse().unwrap(), number.parse().unwrap());
        }
    }
    committed
}

/// One run: two children, each killed at a moment of its own. Gives how many entries were found.
fn run(ledger: &Path, name: usize, random: &mut Xoshiro256PlusPlus) -> (u64, bool) {
    let names = [format!("{name} a"), format!("{name} b")];
    let mut children = names.each_ref().map(|child| start(ledger, child)).into_iter();
    let (first, second) = (children.next().unwrap(), children.next().unwrap());
    let mut pause = || std::thread::sleep(Duration::from_micros(random.next_u64() % 50_000));
    std::thread::sleep(Duration::from_millis(10));
    pause();
    let first = kill(first);
    pause();
    let said = [first, kill(second)];

    let ledger = Ledger::open(ledger).unwrap();
    let verification = ledger.verify(&[]).unwrap();
    assert_eq!(verification.finding, None);
    let found = ledger.head().unwrap().entries;
    assert_eq!(verification.entries, found);
    for (child, (head, number)) in names.iter().zip(said) {
        assert!(head <= found, "{head} entries were committed and {found} are there");
        let entries = ledger.entries(&Filter::all().run(child)).unwrap();
        let numbers: Vec<u64> =
            entries.iter().map(|entry| entry.facts()["number"].as_u64().unwrap()).collect();
        assert!(numbers.len() as u64 >= number, "{number} were committed and {} are there", numbers.len());
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "one is missing, or stands twice");
        // No batch is there in part.
        let mut whole = 0;
        while whole < numbers.len() as u64 {
            whole += batch(child, whole + 1).len() as u64;
        }
        assert_eq!(whole, numbers.len() as u64);
    }
    let after = ledger.append(batch("after", 1)).unwrap();
    assert_eq!(after.entries, found + batch("after", 1).len() as u64);
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    (said[0].0.max(said[1].0), verification.unfinished > 0)
}

fn runs(file: &str, seed: u64) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut committed, mut torn) = (0, 0);
    // A new ledger every 5 runs, so that what is measured is not how long a large one takes to verify.
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join(file);
        for name in 0..5 {
            let (said, unfinished) = run(&ledger, name, &mut random);
            committed += u64::from(said > 0);
            torn += u64::from(unfinished);
        }
    }
    println!("{file}: {committed} of 100 runs were killed after a commit, {torn} within a write");
    assert!(
        committed > 50,
        "only {committed} of 100 runs came to a first commit: they were killed too early"
    );
}

#[test]
fn a_sqlite_ledger_loses_nothing_when_its_writers_are_killed() {
    runs("ledger.sqlite", 1);
}

#[test]
fn a_ledger_of_json_lines_loses_nothing_when_its_writers_are_killed() {
    runs("ledger.jsonl", 2);
}
