//! Verification: the whole chain computed anew, and the first entry that is not as it was written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::chain::{Hash, Head, PURGE, SALT, commit, hash_entry, hash_from_hex, redacted_by};
use super::checkpoint::Checkpoint;
use super::entry::Header;
use super::events::EntryKind;
use super::rules::Rules;
use super::store::{Ending, Raw, Record, Store};
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::words;

/// What a verification saw.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::Ledger;
///
/// # let folder = std::env::temp_dir().join("earlyhelp-verification-example");
/// # let _ = std::fs::remove_dir_all(&folder);
/// # std::fs::create_dir_all(&folder)?;
/// let verification = Ledger::open(folder.join("ledger.jsonl"))?.verify(&[])?;
/// assert!(verification.finding.is_none());
/// // And what it could not see: nothing outside the ledger was compared.
/// assert_eq!(verification.vouched_for, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many entries are chained without a gap, from the first on.
    pub entries: u64,
    /// How many of them had content that a purge took out.
    pub redacted: u64,
    /// Bytes at the end that an interrupted write left. They were never committed; the next append removes
    /// them.
    pub unfinished: u64,
    /// The first entry that is not as it was written, or that breaks a rule; `None` when the chain holds and no entry does.
    pub finding: Option<ChainFault>,
    /// How many checkpoints were compared.
    pub checkpoints: u64,
    /// Up to which entry a checkpoint shows that the ledger is the one of then; `None` without checkpoints. What was written
    /// since rests on the chain alone.
    pub vouched_for: Option<u64>,
    /// Purges since, with how many contents they took out.
    pub purges_since: Vec<PurgeSeen>,
    /// Entries whose day lies more than one from what the machine's clock said when they were written.
    pub dated_otherwise: Vec<u64>,
    /// Entries that were written when the machine's clock stood before that of the entry before.
    pub clock_went_back: Vec<u64>,
}

/// A purge that no checkpoint vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PurgeSeen {
    /// Its entry.
    pub entry: u64,
    /// Its day.
    pub on: Day,
    /// Who did it, as it says.
    pub by: String,
    /// How many entries' content it took out.
    pub contents: u64,
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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
    /// It is chained, and does not agree with its own content or with the entries before it: no ledger writes it.
    Rule,
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "was changed",
            Self::Removed => "was removed",
            Self::Inserted => "was inserted",
            Self::Reordered => "was moved",
            Self::Content => "does not have the content that it should",
            Self::Rule => "is not one that a ledger writes",
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
        match (self.vouched_for, &self.finding) {
            (None, _) => writeln!(
                f,
                "Nothing outside the ledger was compared: a ledger that was rewritten as a whole, or whose end was cut off, \
                 looks like this, too. Compare with checkpoints or lists that were kept elsewhere."
            )?,
            (Some(entry), None) => {
                let kept = words::counted(self.checkpoints as usize, "checkpoint", "checkpoints");
                write!(f, "It agrees with {kept}: up to entry {entry} it is the ledger of then.")?;
                let since = (self.entries - entry) as usize;
                if since > 0 {
                    let since = words::counted(since, "entry", "entries");
                    write!(f, " {since} written since: what they say rests on the chain alone.")?;
                }
                writeln!(f)?;
            }
            (Some(_), Some(_)) => {}
        }
        let entries = words::counted(self.entries as usize, "entry", "entries");
        write!(f, "{entries}, {} with their content taken out; ", self.redacted)?;
        if self.unfinished > 0 {
            write!(f, "{} bytes of an interrupted write at the end; ", self.unfinished)?;
        }
        match &self.finding {
            None => f.write_str("the chain holds, and no entry breaks a rule")?,
            Some(finding @ ChainFault { what: Tampering::Rule, .. }) => {
                write!(f, "the chain holds, and not what it says: {finding}")?;
            }
            Some(finding) => write!(f, "the chain does not hold: {finding}")?,
        }
        for purge in &self.purges_since {
            let contents = words::counted(purge.contents as usize, "entry", "entries");
            let PurgeSeen { entry, on, by, .. } = purge;
            write!(
                f,
                "\nentry {entry}: {by} took out the content of {contents} on {on}; no checkpoint is newer"
            )?;
        }
        for (entries, what) in [
            (&self.dated_otherwise, "dated more than a day from what the machine's clock said"),
            (&self.clock_went_back, "written when the machine's clock had gone back"),
        ] {
            if !entries.is_empty() {
                let shown: Vec<String> = entries.iter().take(5).map(u64::to_string).collect();
                let more = if entries.len() > shown.len() { ", ..." } else { "" };
                let count = words::counted(entries.len(), "entry", "entries");
                write!(f, "\n{count} {what}: {}{more}", shown.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Walks the store, and a second time where an entry is not followed by its own successor, to say why.
pub(super) fn verify(
    store: &dyn Store,
    path: &Path,
    checkpoints: &[Checkpoint],
) -> Result<Verification, LedgerError> {
    let mut walk = Walk::new(checkpoints);
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
        None => walk.end(&ending),
    }
    if let (None, Some(why)) = (&walk.first, ending.broken) {
        return Err(LedgerError::Damaged { path: path.into(), why });
    }
    let vouched_for = checkpoints.iter().map(|checkpoint| checkpoint.entries).max();
    walk.purges.retain(|purge| purge.entry > vouched_for.unwrap_or(0));
    Ok(Verification {
        entries: walk.entries,
        redacted: walk.contents.iter().filter(|&&(content, _)| content == ContentState::Purged).count()
            as u64,
        unfinished: ending.unfinished,
        finding: walk.first,
        checkpoints: checkpoints.len() as u64,
        vouched_for,
        purges_since: if vouched_for.is_some() { walk.purges } else { Vec::new() },
        dated_otherwise: walk.dated_otherwise,
        clock_went_back: walk.clock_went_back,
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
    /// Of each entry: its content, and its kind where it is a known one.
    contents: Vec<(ContentState, Option<EntryKind>)>,
    first: Option<ChainFault>,
    gap: Option<Gap>,
    /// The hashes that checkpoints say, by the entry.
    expected: BTreeMap<u64, Vec<String>>,
    rules: Rules,
    purges: Vec<PurgeSeen>,
    dated_otherwise: Vec<u64>,
    clock_went_back: Vec<u64>,
    /// What the machine's clock said last.
    written: Option<Day>,
}

impl Walk {
    fn new(checkpoints: &[Checkpoint]) -> Self {
        let mut expected: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for checkpoint in checkpoints {
            expected.entry(checkpoint.entries).or_default().push(checkpoint.hash.clone());
        }
        let mut walk = Self {
            entries: 0,
            last: hash_from_hex(&Head::empty().hash).unwrap_or_default(),
            through: 0,
            contents: Vec::new(),
            first: None,
            gap: None,
            expected,
            rules: Rules::default(),
            purges: Vec::new(),
            dated_otherwise: Vec::new(),
            clock_went_back: Vec::new(),
            written: None,
        };
        walk.compare_with_checkpoints();
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
        self.look_at_clock(&record.header);
        // What is not as it was written is told as such; what follows rests on it.
        if self.first.is_none()
            && let Err(seen) = self.rules.step(record)
        {
            self.note(ChainFault { entry: at, what: Tampering::Rule, seen: seen.into() });
        }
        self.compare_with_checkpoints();
    }

    fn look_at_clock(&mut self, header: &Header) {
        let Some(written) = header.written else { return };
        if (header.on - written).abs() > 1 {
            self.dated_otherwise.push(header.seq);
        }
        if self.written.is_some_and(|before| written < before) {
            self.clock_went_back.push(header.seq);
        }
        self.written = Some(written);
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
        self.contents.push((state, EntryKind::of(&record.header.kind)));
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
        let mut taken = 0;
        for seq in ranges.into_iter().flat_map(|(first, last)| first..=last) {
            taken += 1;
            match &mut self.contents[seq as usize - 1].0 {
                state @ ContentState::Missing => *state = ContentState::Purged,
                ContentState::There => {
                    let seen = format!("its content is there, and entry {at} says that it was taken out");
                    self.note(ChainFault { entry: seq, what: Tampering::Content, seen });
                }
                ContentState::Never => {
                    let seen = format!("it takes the content out of entry {seq}, which never had any");
                    self.note(ChainFault { entry: at, what: Tampering::Rule, seen });
                }
                ContentState::Purged => {}
            }
        }
        let header = &record.header;
        let by = header.facts.get("by").and_then(serde_json::Value::as_str).unwrap_or("nobody");
        self.purges.push(PurgeSeen { entry: at, on: header.on, by: by.to_owned(), contents: taken });
        let content = |seq: u64| self.contents.get(seq as usize - 1).copied();
        let is_there =
            |seq: u64| matches!(content(seq), Some((ContentState::There | ContentState::Missing, _)));
        let kind_of = |seq: u64| content(seq).and_then(|(_, kind)| kind);
        if self.first.is_none()
            && let Err(seen) = self.rules.purge(header, kind_of, is_there)
        {
            self.note(ChainFault { entry: at, what: Tampering::Rule, seen: seen.into() });
        }
    }

    fn compare_with_checkpoints(&mut self) {
        let Some(hashes) = self.expected.remove(&self.entries) else { return };
        if hashes.iter().any(|hash| hash_from_hex(hash) != Some(self.last)) {
            let seen =
                "its hash is not that of a checkpoint: it, or an entry before it, was written anew since";
            let entry = self.entries.max(1);
            self.note(ChainFault { entry, what: Tampering::Changed, seen: seen.into() });
        }
    }

    /// After the last entry, when the chain has no gap.
    fn end(&mut self, ending: &Ending) {
        let next = self.entries + 1;
        let removed = |seen: String| ChainFault { entry: next, what: Tampering::Removed, seen };
        if self.through >= next {
            let seen =
                format!("entries up to {} were written in one step, and it is not there", self.through);
            self.note(removed(seen));
        }
        // What is left of them lies beyond the end.
        if let Some((&entries, _)) = self.expected.last_key_value() {
            self.note(removed(format!("a checkpoint is of {entries} entries")));
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
        let missing = self.contents.iter().position(|&(content, _)| content == ContentState::Missing);
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
