//! Every change to a file of JSON lines is seen, and the first entry that it touches is named.

use std::io::Write as _;
use std::path::PathBuf;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::{FILES, about, filled};
use crate::ledger::chain::{hash_entry, hash_from_hex, seal};
use crate::ledger::entry::Header;
use crate::ledger::verify::Tampering;
use crate::ledger::{ChainFault, Checkpoint, Head, Ledger, Verification};

/// A ledger whose lines can be changed.
struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
    ledger: Ledger,
    lines: Vec<Vec<u8>>,
    checkpoint: Checkpoint,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILES[1]);
        let ledger = filled(&path);
        let bytes = std::fs::read(&path).unwrap();
        let lines: Vec<Vec<u8>> = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        assert_eq!(lines.len(), 24);
        let checkpoint = ledger.checkpoint(super::today()).unwrap();
        Self { _folder: folder, path, ledger, lines, checkpoint }
    }

    /// What a verification says of these lines.
    fn verify(&self, lines: &[Vec<u8>], checkpoint: &[Checkpoint]) -> Verification {
        let bytes = lines.concat();
        // Written over, not cut and written: some file systems sync a file that is cut, and this is done often.
        let mut file = std::fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all(&bytes).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        self.ledger.verify(checkpoint).unwrap()
    }

    fn kept(&self) -> &[Checkpoint] {
        std::slice::from_ref(&self.checkpoint)
    }

    fn found(&self, lines: &[Vec<u8>]) -> ChainFault {
        self.verify(lines, &[]).finding.expect("it is seen")
    }

    fn entry(&self, index: usize) -> (Header, String) {
        let line: serde_json::Value = serde_json::from_slice(&self.lines[index]).unwrap();
        (serde_json::from_value(line["entry"].clone()).unwrap(), line["hash"].as_str().unwrap().to_owned())
    }

    /// An entry that was never appended and fits the one before it, to stand at `index`.
    fn forged(&self, index: usize) -> Vec<u8> {
        let head = match index {
            0 => Head::empty(),
            _ => Head { entries: index as u64, hash: self.entry(index - 1).1 },
        };
        let sealed = seal(&head, vec![about("P-9999", 1)]).unwrap().0;
        let content = sealed[0].content.as_ref().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        format!(
            "{{\"hash\":\"{}\",\"entry\":{},\"salt\":\"{}\",\"content\":{}}}\n",
            hex::encode(sealed[0].hash),
            text(&sealed[0].bytes),
            hex::encode(&content.salt),
            text(&content.bytes)
        )
        .into_bytes()
    }

    /// Entry `index` with another fact, and a hash that fits.
    fn rewritten(&self, index: usize) -> Vec<u8> {
        let (mut header, hash) = self.entry(index);
        let before = header.canonical().unwrap();
        header.facts["rank"] = json!(999);
        let after = header.canonical().unwrap();
        let new = hex::encode(hash_entry(&hash_from_hex(&header.previous).unwrap(), &after));
        let line = String::from_utf8(self.lines[index].clone()).unwrap();
        line.replace(std::str::from_utf8(&before).unwrap(), std::str::from_utf8(&after).unwrap())
            .replace(&hash, &new)
            .into_bytes()
    }
}

fn below(random: &mut Xoshiro256PlusPlus, bound: usize) -> usize {
    (random.next_u64() % bound as u64) as usize
}

#[test]
fn five_thousand_changes_are_each_seen_and_located() {
    let file = File::new();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(41);
    let whole = file.verify(&file.lines, file.kept());
    assert_eq!((whole.entries, whole.redacted, whole.finding), (24, 3, None));
    let count = file.lines.len();
    for case in 0..5_000 {
        let mut now = file.lines.clone();
        let (at, other) = (below(&mut random, count), below(&mut random, count));
        let (expected, what) = match case % 7 {
            // A byte, anywhere, the ends of the lines included.
            0 | 1 => {
                let byte = below(&mut random, now[at].len());
                now[at][byte] ^= 1 + below(&mut random, 255) as u8;
                (at, None)
            }
            2 => {
                now.remove(at % (count - 1));
                (at % (count - 1), Some(Tampering::Removed))
            }
            3 => {
                let other = if at == other { (at + 1) % count } else { other };
                now.swap(at, other);
                (at.min(other), Some(Tampering::Reordered))
            }
            // A copy; of two copies side by side, the second is named.
            4 => {
                now.insert(at, file.lines[other].clone());
                (at + usize::from(at == other), Some(Tampering::Inserted))
            }
            5 => {
                now.insert(at, file.forged(at));
                (at, Some(Tampering::Inserted))
            }
            _ => {
                let at = at % (count - 1);
                now[at] = file.rewritten(at);
                (at, Some(Tampering::Changed))
            }
        };
        let finding = file.found(&now);
        assert_eq!(finding.entry, expected as u64 + 1, "case {case}: {finding}");
        assert!(what.is_none_or(|what| what == finding.what), "case {case}: {finding}");
    }
}

#[test]
fn a_byte_taken_out_or_put_in_is_seen_and_located() {
    let file = File::new();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(42);
    for case in 0..1_000 {
        let mut now = file.lines.clone();
        let at = below(&mut random, now.len());
        let byte = below(&mut random, now[at].len());
        if case % 2 == 0 {
            now[at].remove(byte);
        } else {
            now[at].insert(byte, random.next_u64() as u8);
        }
        assert_eq!(file.found(&now).entry, at as u64 + 1, "case {case}");
    }
}

#[test]
fn a_tail_that_was_cut_off_is_seen_by_the_checkpoint() {
    let file = File::new();
    for left in 0..24 {
        let seen = file.verify(&file.lines[..left], file.kept());
        let finding = seen.finding.unwrap();
        // Of a batch that is cut, nothing counts.
        assert_eq!(finding.entry, seen.entries + 1);
        assert!(finding.entry <= left as u64 + 1);
        assert_eq!(finding.what, Tampering::Removed);
    }
}

#[test]
fn a_chain_that_was_written_anew_is_seen_by_the_checkpoint() {
    let file = File::new();
    let mut now = file.lines.clone();
    now[23] = file.rewritten(23);
    assert_eq!(file.verify(&now, &[]).finding, None, "nothing follows the last entry");
    let finding = file.verify(&now, file.kept()).finding.unwrap();
    assert_eq!((finding.entry, finding.what), (24, Tampering::Changed));
}

#[test]
fn content_that_is_gone_without_a_purge_or_there_in_spite_of_one_is_seen() {
    let file = File::new();
    let mut now = file.lines.clone();
    let text = String::from_utf8(now[4].clone()).unwrap();
    now[4] = format!("{}}}\n", text.split(",\"salt\"").next().unwrap()).into_bytes();
    let finding = file.found(&now);
    assert_eq!((finding.entry, finding.what), (5, Tampering::Content));

    // What a purge took out comes back from a copy.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILES[1]);
    let ledger = filled(&path);
    let before = std::fs::read_to_string(&path).unwrap();
    ledger.redact(&[20], vec![super::purge()]).unwrap();
    let after = std::fs::read_to_string(&path).unwrap();
    let back: Vec<&str> = after
        .lines()
        .enumerate()
        .map(|(index, line)| if index == 19 { before.lines().nth(19).unwrap() } else { line })
        .collect();
    std::fs::write(&path, back.join("\n") + "\n").unwrap();
    let finding = ledger.verify(&[]).unwrap().finding.unwrap();
    assert_eq!((finding.entry, finding.what), (20, Tampering::Content));
}

#[test]
fn a_write_that_was_torn_anywhere_is_no_tampering_and_is_mended() {
    let file = File::new();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(43);
    let whole = file.lines.concat();
    std::fs::write(&file.path, &whole).unwrap();
    file.ledger.append((1..=4).map(|n| about("P-0100", n)).collect()).unwrap();
    let longer = std::fs::read(&file.path).unwrap();
    for _ in 0..300 {
        // Anywhere within the batch of four; its very last byte is the one case that is named below.
        let len = whole.len() + below(&mut random, longer.len() - 1 - whole.len());
        std::fs::write(&file.path, &longer[..len]).unwrap();
        let seen = file.ledger.verify(file.kept()).unwrap();
        assert_eq!((seen.entries, seen.finding), (24, None));
        assert_eq!(seen.unfinished, (len - whole.len()) as u64);
        assert_eq!(file.ledger.head().unwrap().entries, 24);
        assert_eq!(file.ledger.append(vec![about("P-0101", 1)]).unwrap().entries, 25);
        let seen = file.ledger.verify(file.kept()).unwrap();
        assert_eq!((seen.entries, seen.unfinished, seen.finding), (25, 0, None));
    }
    // Only the end of the line is missing: nothing of it is lost.
    std::fs::write(&file.path, &longer[..longer.len() - 1]).unwrap();
    assert_eq!(file.ledger.verify(&[]).unwrap().finding.unwrap().entry, 28);
    assert_eq!(file.ledger.append(vec![about("P-0101", 1)]).unwrap().entries, 29);
    assert_eq!(file.ledger.verify(&[]).unwrap().finding, None);
}
