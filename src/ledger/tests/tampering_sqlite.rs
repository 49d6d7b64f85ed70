//! Every change to a `SQLite` ledger is seen, and the first entry that it touches is named.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use rusqlite::{Connection, params};

use super::{FILES, about, filled};
use crate::ledger::chain::{Head, seal};
use crate::ledger::sqlite::SqliteStore;
use crate::ledger::store::Access;
use crate::ledger::verify::{Tampering, verify};
use crate::ledger::{ChainFault, Ledger, LedgerError, Verification};

const TRIGGERS: [&str; 5] =
    ["entry_unchanged", "entry_stays", "content_unchanged", "content_stays", "head_stays"];

struct File {
    _folder: tempfile::TempDir,
    store: SqliteStore,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILES[0]);
        drop(filled(&path));
        Self { store: SqliteStore::open(&path, Access::Write).unwrap(), _folder: folder }
    }

    /// The same, without the triggers that would refuse what the tests do.
    fn unguarded() -> Self {
        let file = Self::new();
        for trigger in TRIGGERS {
            file.connection().execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        file
    }

    fn connection(&self) -> &Connection {
        &self.store.connection
    }

    fn verify(&self) -> Result<Verification, LedgerError> {
        verify(&self.store, "ledger".as_ref(), &[])
    }

    /// What a verification finds after a change, which is then undone.
    fn found(&self, change: impl FnOnce(&Connection)) -> ChainFault {
        self.connection().execute_batch("BEGIN").unwrap();
        change(self.connection());
        let finding = self.verify().unwrap().finding.expect("it is seen");
        self.connection().execute_batch("ROLLBACK").unwrap();
        finding
    }

    fn flip(&self, random: &mut Xoshiro256PlusPlus, table: &str, column: &str, seq: i64) -> ChainFault {
        let mut bytes: Vec<u8> = self
            .connection()
            .query_row(&format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE seq = ?1"), [seq], |row| {
                row.get(0)
            })
            .unwrap();
        let byte = (random.next_u64() % bytes.len() as u64) as usize;
        bytes[byte] ^= 1 + (random.next_u64() % 255) as u8;
        let kind = if column == "hash" || column == "salt" { "BLOB" } else { "TEXT" };
        let sql = format!("UPDATE {table} SET {column} = CAST(?1 AS {kind}) WHERE seq = ?2");
        self.found(|to| assert_eq!(to.execute(&sql, params![bytes, seq]).unwrap(), 1))
    }
}

fn move_row(to: &Connection, from: i64, seq: i64) {
    for table in ["entry", "content"] {
        to.execute(&format!("UPDATE {table} SET seq = ?2 WHERE seq = ?1"), [from, seq]).unwrap();
    }
}

/// Makes room for a row at `seq`.
fn make_room(to: &Connection, seq: i64) {
    for row in (seq..=24).rev() {
        move_row(to, row, row + 1);
    }
}

fn insert_forged(to: &Connection, seq: i64) {
    let before =
        to.query_row("SELECT hash FROM entry WHERE seq = ?1", [seq - 1], |row| row.get::<_, Vec<u8>>(0));
    let head = before
        .map_or_else(|_| Head::empty(), |hash| Head { entries: seq as u64 - 1, hash: hex::encode(hash) });
    let forged = &seal(&head, vec![about("P-9999", 1)]).unwrap().0[0];
    let header = std::str::from_utf8(&forged.bytes).unwrap();
    let values = params![seq, forged.header.kind, forged.header.run, header, forged.hash];
    to.execute("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
    let content = forged.content.as_ref().unwrap();
    let text = std::str::from_utf8(&content.bytes).unwrap();
    let values = params![seq, content.subject, content.salt, text];
    to.execute("INSERT INTO content VALUES (?1, ?2, ?3, ?4)", values).unwrap();
}

#[test]
fn five_thousand_changes_are_each_seen_and_located() {
    let file = File::unguarded();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(44);
    let with_content: Vec<i64> = (2..=24).filter(|seq| ![3, 4, 9, 16].contains(seq)).collect();
    for case in 0..5_000 {
        let mut pick = |bound: i64| (random.next_u64() % bound as u64) as i64;
        let (seq, other) = (1 + pick(24), 1 + pick(24));
        let filled = with_content[pick(with_content.len() as i64) as usize];
        let (finding, expected, what) = match case % 10 {
            0 => (file.flip(&mut random, "entry", "header", seq), seq, Some(Tampering::Changed)),
            1 => (file.flip(&mut random, "entry", "hash", seq), seq, Some(Tampering::Changed)),
            2 => (file.flip(&mut random, "content", "salt", filled), filled, Some(Tampering::Changed)),
            3 => (file.flip(&mut random, "content", "content", filled), filled, Some(Tampering::Changed)),
            4 => (file.flip(&mut random, "entry", "kind", seq), seq, Some(Tampering::Changed)),
            5 => {
                let person = if filled == 8 { 2 } else { filled };
                (file.flip(&mut random, "content", "subject", person), person, Some(Tampering::Changed))
            }
            6 => {
                let finding = file.found(|to| {
                    for table in ["entry", "content"] {
                        to.execute(&format!("DELETE FROM {table} WHERE seq = ?1"), [seq]).unwrap();
                    }
                });
                (finding, seq, Some(Tampering::Removed))
            }
            7 => {
                let other = if other == seq { 1 + seq % 24 } else { other };
                let finding = file.found(|to| {
                    move_row(to, seq, 1_000);
                    move_row(to, other, seq);
                    move_row(to, 1_000, other);
                });
                (finding, seq.min(other), Some(Tampering::Reordered))
            }
            8 => {
                let finding = file.found(|to| {
                    make_room(to, seq);
                    insert_forged(to, seq);
                });
                (finding, seq, Some(Tampering::Inserted))
            }
            _ => {
                let finding = file.found(|to| {
                    to.execute("DELETE FROM content WHERE seq = ?1", [filled]).unwrap();
                });
                (finding, filled, Some(Tampering::Content))
            }
        };
        assert_eq!(finding.entry, expected as u64, "case {case}: {finding}");
        assert!(what.is_none_or(|what| what == finding.what), "case {case}: {finding}");
    }
}

#[test]
fn the_head_row_shows_a_tail_that_was_cut_off_and_an_entry_that_was_put_behind_it() {
    let file = File::unguarded();
    for left in 0..24 {
        let finding = file.found(|to| {
            to.execute("DELETE FROM entry WHERE seq > ?1", [left]).unwrap();
            to.execute("DELETE FROM content WHERE seq > ?1", [left]).unwrap();
        });
        assert_eq!((finding.entry, finding.what), (left as u64 + 1, Tampering::Removed));
    }
    let finding = file.found(|to| insert_forged(to, 25));
    assert_eq!((finding.entry, finding.what), (25, Tampering::Inserted));
    for entries in (0..40).filter(|&entries| entries != 24) {
        let finding =
            file.found(|to| assert_eq!(to.execute("UPDATE head SET entries = ?1", [entries]).unwrap(), 1));
        assert_eq!(finding.entry, entries.min(24) as u64 + 1);
    }
    let finding =
        file.found(|to| assert_eq!(to.execute("UPDATE head SET hash = zeroblob(32)", []).unwrap(), 1));
    assert_eq!((finding.entry, finding.what), (24, Tampering::Changed));
}

#[test]
fn what_lies_beside_the_entries_is_seen_too() {
    let file = File::unguarded();
    // The triggers are gone: no entry is touched, and the file is not trusted.
    assert!(matches!(file.verify(), Err(LedgerError::Damaged { .. })));
    let finding = file.found(|to| {
        to.execute("INSERT INTO content VALUES (30, NULL, zeroblob(32), '{}')", []).unwrap();
    });
    assert_eq!((finding.entry, finding.what), (30, Tampering::Content));
    let finding = file.found(|to| {
        to.execute("INSERT INTO content VALUES (1, NULL, zeroblob(32), '{}')", []).unwrap();
    });
    assert_eq!((finding.entry, finding.what), (1, Tampering::Changed));
    let finding = file
        .found(|to| assert_eq!(to.execute("UPDATE entry SET run = 'other' WHERE seq = 7", []).unwrap(), 1));
    assert_eq!((finding.entry, finding.what), (7, Tampering::Changed));
}

#[test]
fn the_triggers_refuse_to_change_and_to_delete() {
    let file = File::new();
    for sql in [
        "UPDATE entry SET kind = 'x' WHERE seq = 1",
        "DELETE FROM entry WHERE seq = 24",
        "UPDATE content SET subject = 'x' WHERE seq = 2",
        "DELETE FROM content WHERE seq = 2",
        "DELETE FROM head",
    ] {
        assert!(file.connection().execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(file.verify().unwrap().finding, None);
}

#[test]
fn a_byte_changed_in_the_file_itself_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILES[0]);
    drop(filled(&path));
    let bytes = std::fs::read(&path).unwrap();
    let wanted = b"\"rank\":11}";
    let at = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    let mut changed = bytes;
    changed[at + 8] = b'2';
    std::fs::write(&path, changed).unwrap();
    let finding = Ledger::open_existing(&path).unwrap().verify(&[]).unwrap().finding.unwrap();
    assert_eq!((finding.entry, finding.what), (11, Tampering::Changed));
}
