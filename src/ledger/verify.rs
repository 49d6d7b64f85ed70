//! Verification: the whole chain computed anew, and the first entry that is not as it was written.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::chain::{Hash, Head, PURGE, SALT, commit, hash_entry, hash_from_hex, redacted_by};
use super::checkpoint::Checkpoint;
use super::store::{Ending, Raw, Record, Store};
use crate::error::LedgerError;

/// What a verification saw.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::Ledger;
///
/// # let folder = std::env::temp_dir().join("earlyhelp-verification-example");
/// # let _ = std::fs::remove_dir_all(&folder);
/// # std::fs::create_dir_all(&folder)?;
/// let verification = Ledger::open(folder.join("ledger.jsonl"))?.verify(None)?;
/// assert_eq!(verification.to_string(), "0 entries, 0 with their content taken out; the chain holds");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// How many entries are chained without a gap, from the first on.
    pub entries: u64,
    /// How many of them had content that a purge took out.
    pub redacted: u64,
    /// Bytes at the end that an interrupted write left. They were never committed; the next append removes
    /// them.
    pub unfinished: u64,
    /// The first entry that is not as it was written; `None` when the chain holds.
    pub finding: Option<ChainFault>,
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainFault {
    /// The number of the entry, from 1; of an entry that is gone, the number that it had.
    pub entry: u64,
    /// What was done to it.
    pub what: Tampering,
    /// What was seen, in words.
    pub seen: String,
}

/// What was done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tampering {
    /// Its bytes are others.
    Changed,
    /// It is gone.
    Removed,
    /// It was never appended.
    Inserted,
    /// It stands elsewhere.
    Reordered,
    /// Its content is gone, and no purge says so; or it is there, although a purge took it out.
    Content,
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "was changed",
            Self::Removed => "was removed",
            Self::Inserted => "was inserted",
            Self::Reordered => "was moved",
            Self::Content => "does not have the content that it should",
        })
    }
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} {}: {}", self.entry, self.what, self.seen)
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = if self.entries == 1 { "entry" } else { "entries" };
        write!(f, "{} {entries}, {} with their content taken out; ", self.entries, self.redacted)?;
        if self.unfinished > 0 {
            write!(f, "{} bytes of an interrupted write at the end; ", self.unfinished)?;
        }
        match &self.finding {
            None => f.write_str("the chain holds"),
            Some(finding) => write!(f, "the chain does not hold: {finding}"),
        }
    }
}

/// Walks the store, and a second time where an entry is not followed by its own successor, to say why.
pub(super) fn verify(
    store: &dyn Store,
    path: &Path,
    checkpoint: Option<&Checkpoint>,
) -> Result<Verification, LedgerError> {
    let mut walk = Walk::new(checkpoint);
    let ending = store.walk(&mut |raw| {
        walk.step(&raw);
        Ok(())
    })?;
    match walk.gap.take() {
        Some(gap) => {
            let mut around = Around::new(&gap);
            store.walk(&mut |raw| {
                around.step(&gap, &raw);
                Ok(())
            })?;
            walk.note(around.explain(&gap));
        }
        None => walk.end(&ending, checkpoint),
    }
    if let (None, Some(why)) = (&walk.first, ending.broken) {
        return Err(LedgerError::Damaged { path: path.into(), why });
    }
    Ok(Verification {
        entries: walk.entries,
        redacted: walk.contents.iter().filter(|&&content| content == ContentState::Purged).count() as u64,
        unfinished: ending.unfinished,
        finding: walk.first,
    })
}

/// What is known of an entry's content.
#[derive(Clone, Copy, PartialEq)]
enum ContentState {
    Never,
    There,
    Missing,
    Purged,
}

/// Where the chain does not go on.
struct Gap {
    /// The position of the record that does not follow, from 1.
    at: u64,
    /// The hash that it should follow.
    after: Hash,
    /// Its number, the hash that it follows, and its own; `None` when its bytes are not those of its hash.
    record: Option<Link>,
    /// What was seen.
    seen: String,
}

/// An entry's place in the chain.
#[derive(Clone, Copy)]
struct Link {
    seq: u64,
    previous: Hash,
    hash: Hash,
}

impl Link {
    /// The link of a record whose hash is that of its bytes.
    fn of(record: &Record) -> Option<Self> {
        let previous = hash_from_hex(&record.header.previous)?;
        let hash = hash_entry(&previous, &record.bytes);
        (hash[..] == record.hash).then_some(Self { seq: record.header.seq, previous, hash })
    }
}

/// The first walk: from entry to entry.
struct Walk {
    entries: u64,
    last: Hash,
    /// The number of the last entry of the batch that the last entry is of.
    through: u64,
    contents: Vec<ContentState>,
    first: Option<ChainFault>,
    gap: Option<Gap>,
    /// What the checkpoint says, until its entry is reached.
    expected: Option<Head>,
}

impl Walk {
    fn new(checkpoint: Option<&Checkpoint>) -> Self {
        let empty = Head::empty();
        let expected =
            checkpoint.map(|checkpoint| Head { entries: checkpoint.entries, hash: checkpoint.hash.clone() });
        let mut walk = Self {
            entries: 0,
            last: hash_from_hex(&empty.hash).unwrap_or_default(),
            through: 0,
            contents: Vec::new(),
            first: None,
            gap: None,
            expected,
        };
        walk.compare_with_checkpoint();
        walk
    }

    /// Keeps the finding with the lowest number.
    fn note(&mut self, finding: ChainFault) {
        if self.first.as_ref().is_none_or(|first| finding.entry < first.entry) {
            self.first = Some(finding);
        }
    }

    fn step(&mut self, raw: &Raw) {
        if self.gap.is_some() {
            return;
        }
        let at = self.entries + 1;
        let gap = |record, seen: String| Some(Gap { at, after: self.last, record, seen });
        let record = match raw {
            Raw::Unreadable(seen) => {
                self.gap = gap(None, seen.clone());
                return;
            }
            Raw::Readable(record) => record,
        };
        let Some(link) = Link::of(record) else {
            self.gap = gap(None, "its bytes do not match its hash".into());
            return;
        };
        if link.seq != at || link.previous != self.last {
            self.gap = gap(Some(link), format!("where it should stand, entry {} stands", link.seq));
            return;
        }
        self.entries = at;
        self.last = link.hash;
        self.through = record.header.through;
        if let Some(seen) = record.disagrees {
            self.note(ChainFault { entry: at, what: Tampering::Changed, seen: seen.into() });
        }
        self.content(at, record);
        if record.header.kind == PURGE {
            self.purge(at, record);
        }
        self.compare_with_checkpoint();
    }

    /// Compares an entry's content with what the entry commits to.
    fn content(&mut self, at: u64, record: &Record) {
        let changed = |seen: &str| Some((Tampering::Changed, seen.to_owned()));
        let (state, wrong) = match (&record.header.commitment, &record.salt, &record.content) {
            (None, None, None) => (ContentState::Never, None),
            (Some(_), None, None) => (ContentState::Missing, None),
            (Some(commitment), Some(salt), Some(content)) => {
                let right = salt.len() == SALT && hash_from_hex(commitment) == Some(commit(salt, content));
                let seen = "its content is not the one that it was written with";
                (ContentState::There, if right { None } else { changed(seen) })
            }
            (None, _, _) => (ContentState::Never, changed("it has content, and was written without")),
            (Some(_), _, _) => (ContentState::There, changed("it has only half of its content")),
        };
        self.contents.push(state);
        if let Some((what, seen)) = wrong {
            self.note(ChainFault { entry: at, what, seen });
        }
    }

    /// Checks that what a purge says it took out is gone.
    fn purge(&mut self, at: u64, record: &Record) {
        let Some(ranges) = redacted_by(&record.header) else {
            let seen = "it does not say which entries it took the content of".to_owned();
            self.note(ChainFault { entry: at, what: Tampering::Changed, seen });
            return;
        };
        for seq in ranges.into_iter().flat_map(|(first, last)| first..=last) {
            match &mut self.contents[seq as usize - 1] {
                state @ ContentState::Missing => *state = ContentState::Purged,
                ContentState::There => {
                    let seen = format!("its content is there, and entry {at} says that it was taken out");
                    self.note(ChainFault { entry: seq, what: Tampering::Content, seen });
                }
                ContentState::Never | ContentState::Purged => {}
            }
        }
    }

    fn compare_with_checkpoint(&mut self) {
        if let Some(expected) = self.expected.take_if(|expected| expected.entries == self.entries)
            && hash_from_hex(&expected.hash) != Some(self.last)
        {
            let seen =
                "its hash is not that of the checkpoint: it, or an entry before it, was written anew since";
            let entry = expected.entries.max(1);
            self.note(ChainFault { entry, what: Tampering::Changed, seen: seen.into() });
        }
    }

    /// After the last entry, when the chain has no gap.
    fn end(&mut self, ending: &Ending, checkpoint: Option<&Checkpoint>) {
        let next = self.entries + 1;
        let removed = |seen: String| ChainFault { entry: next, what: Tampering::Removed, seen };
        if self.through >= next {
            let seen =
                format!("entries up to {} were written in one step, and it is not there", self.through);
            self.note(removed(seen));
        }
        if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.entries >= next) {
            self.note(removed(format!("the checkpoint is of {} entries", checkpoint.entries)));
        }
        if let Some(head) = &ending.head {
            if head.entries >= next {
                self.note(removed(format!("the ledger's head says that there are {} entries", head.entries)));
            } else if head.entries < self.entries {
                let seen = format!("the ledger's head says that there are {} entries", head.entries);
                self.note(ChainFault { entry: head.entries + 1, what: Tampering::Inserted, seen });
            } else if hash_from_hex(&head.hash) != Some(self.last) {
                let seen = "its hash is not the one that the ledger's head has".to_owned();
                self.note(ChainFault { entry: self.entries.max(1), what: Tampering::Changed, seen });
            }
        }
        // Where a tail is gone, the purge that took the content out may be gone with it.
        let whole = self.first.as_ref().is_none_or(|first| first.entry < next);
        let missing = self.contents.iter().position(|&content| content == ContentState::Missing);
        if let Some(missing) = missing.filter(|_| whole) {
            let seen = "its content is gone, and no purge says that it was taken out".to_owned();
            self.note(ChainFault { entry: missing as u64 + 1, what: Tampering::Content, seen });
        }
        if let Some(stray) = ending.stray {
            let seen = "there is content for it, and no entry".to_owned();
            self.note(ChainFault { entry: stray, what: Tampering::Content, seen });
        }
    }
}

/// The second walk: what stands around a gap, to tell removed, inserted and moved entries apart.
struct Around {
    position: u64,
    /// The last position before the gap whose entry the record at the gap follows.
    follows: Option<u64>,
    /// The hash of the entry after that.
    rival: Option<Hash>,
    /// Where the entry stands that should be at the gap.
    missing_one: Option<u64>,
    /// Whether the record at the gap stands once more after it.
    copy_after: bool,
    /// Whether the record after the gap follows the one at it; `None` if there is none.
    followed: Option<bool>,
}

impl Around {
    fn new(gap: &Gap) -> Self {
        let start = hash_from_hex(&Head::empty().hash);
        let from_start = gap.record.is_some_and(|record| Some(record.previous) == start);
        Self {
            position: 0,
            follows: from_start.then_some(0),
            rival: None,
            missing_one: None,
            copy_after: false,
            followed: None,
        }
    }

    fn step(&mut self, gap: &Gap, raw: &Raw) {
        self.position += 1;
        let link = match raw {
            Raw::Readable(record) => Link::of(record),
            Raw::Unreadable(_) => None,
        };
        if self.position < gap.at {
            let hash = link.map(|link| link.hash);
            if self.follows.is_some_and(|follows| follows + 1 == self.position) {
                self.rival = hash;
            }
            if gap.record.is_some_and(|record| Some(record.previous) == hash) {
                self.follows = Some(self.position);
            }
        } else if self.position > gap.at {
            if let Some(link) = link {
                if link.seq == gap.at && link.previous == gap.after {
                    self.missing_one.get_or_insert(self.position);
                }
                self.copy_after |= gap.record.is_some_and(|record| record.hash == link.hash);
            }
            if self.position == gap.at + 1 {
                self.followed = Some(match (gap.record, link) {
                    (Some(record), Some(link)) => link.previous == record.hash,
                    _ => false,
                });
            }
        }
    }

    fn explain(&self, gap: &Gap) -> ChainFault {
        let at = gap.at;
        let found = |entry, what, seen: String| ChainFault { entry, what, seen };
        let Some(record) = gap.record else {
            return match self.missing_one {
                Some(_) => found(
                    at,
                    Tampering::Inserted,
                    format!("{}, and the entry of this number stands after it", gap.seen),
                ),
                None => found(at, Tampering::Changed, gap.seen.clone()),
            };
        };
        if let Some(follows) = self.follows.filter(|&follows| follows + 1 < at) {
            if self.rival == Some(record.hash) {
                return found(at, Tampering::Inserted, format!("it is a copy of entry {}", record.seq));
            }
            if record.seq == follows + 1 && self.followed != Some(false) {
                let seen = format!(
                    "another entry {} stands {} after it, and the chain goes on from that one",
                    record.seq,
                    at - record.seq
                );
                return found(record.seq, Tampering::Inserted, seen);
            }
            return found(at, Tampering::Inserted, format!("what stands there follows entry {follows}"));
        }
        match self.missing_one {
            Some(_) if self.copy_after => {
                found(at, Tampering::Inserted, format!("it is a copy of entry {}", record.seq))
            }
            Some(place) => {
                found(at, Tampering::Reordered, format!("{}, and it stands in place {place}", gap.seen))
            }
            None if record.seq > at => found(at, Tampering::Removed, gap.seen.clone()),
            None if record.seq < at => found(
                at,
                Tampering::Inserted,
                format!("what stands there says that it is entry {}", record.seq),
            ),
            None if at > 1 && self.followed != Some(false) => {
                let seen = format!(
                    "it has a hash that fits its bytes, but entry {at} was written after another one"
                );
                found(at - 1, Tampering::Changed, seen)
            }
            None => found(at, Tampering::Changed, "it does not follow the entry before it".into()),
        }
    }
}
