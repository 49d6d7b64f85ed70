//! One line of a ledger of JSON lines: how it is written, read, and told from a torn one.

use serde::{Deserialize, Serialize};

use crate::ledger::chain::{Sealed, hash_entry, hash_from_hex};
use crate::ledger::entry::{Content, Header};
use crate::ledger::store::{Filter, Raw, Record};

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) hash: String,
    pub(super) entry: Header,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content>,
}

impl Line {
    /// Its bytes, without the end of the line.
    pub(super) fn canonical(&mut self) -> serde_json::Result<Vec<u8>> {
        self.entry.facts.sort_all_objects();
        if let Some(content) = &mut self.content {
            content.body.sort_all_objects();
        }
        serde_json::to_vec(self)
    }

    /// Reads a line as [`Line::canonical`] writes it, and nothing else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut line: Self = serde_json::from_slice(bytes).ok()?;
        (line.canonical().ok()? == bytes).then_some(line)
    }

    /// Its hash, if that is the hash of its entry.
    pub(super) fn right_hash(&mut self) -> Option<String> {
        let previous = hash_from_hex(&self.entry.previous)?;
        let hash = hex::encode(hash_entry(&previous, &self.entry.canonical().ok()?));
        (hash == self.hash).then_some(hash)
    }
}

/// What stands after the last end of a line.
#[derive(PartialEq)]
pub(super) enum Rest {
    Nothing,
    /// The beginning of a line.
    Torn,
    /// A line that lacks its end only.
    Line,
    /// What no interrupted write leaves.
    Foreign,
}

impl Rest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Nothing;
        }
        // After a power cut some file systems fill with zeros what they had no time to write.
        let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        match serde_json::from_slice::<Line>(&bytes[..bytes.len() - zeros]) {
            Ok(_) if zeros == 0 => Self::Line,
            Err(error) if error.is_eof() => Self::Torn,
            Ok(_) | Err(_) => Self::Foreign,
        }
    }
}

/// One line as it is written.
pub(super) fn raw(bytes: &[u8]) -> Raw {
    let record = || -> Option<Box<Record>> {
        let mut line = Line::parse(bytes)?;
        let salt = match line.salt {
            None => None,
            Some(salt) => Some(hash_from_hex(&salt)?.to_vec()),
        };
        let content = match &mut line.content {
            None => None,
            Some(content) => Some(content.canonical().ok()?),
        };
        let hash = hash_from_hex(&line.hash)?.to_vec();
        let bytes = line.entry.canonical().ok()?;
        Some(Box::new(Record { header: line.entry, bytes, hash, salt, content, disagrees: None }))
    };
    record().map_or_else(|| Raw::Unreadable("its line is not one that a ledger writes".into()), Raw::Readable)
}

/// Entries as lines.
pub(super) fn as_lines(entries: Vec<Sealed>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for sealed in entries {
        // Header and content are the very bytes that were hashed, so they are not written a second time.
        bytes.extend_from_slice(b"{\"hash\":\"");
        bytes.extend_from_slice(hex::encode(sealed.hash).as_bytes());
        bytes.extend_from_slice(b"\",\"entry\":");
        bytes.extend_from_slice(&sealed.bytes);
        if let Some(content) = sealed.content {
            bytes.extend_from_slice(b",\"salt\":\"");
            bytes.extend_from_slice(hex::encode(content.salt).as_bytes());
            bytes.extend_from_slice(b"\",\"content\":");
            bytes.extend_from_slice(&content.bytes);
        }
        bytes.extend_from_slice(b"}\n");
    }
    bytes
}

/// Texts of which one must stand in the line of a wanted entry. Looking for them is far quicker than reading
/// the line, and there is no index.
pub(super) struct Mark(Vec<String>);

impl Mark {
    pub(super) fn may_be_in(&self, line: &[u8]) -> bool {
        std::str::from_utf8(line).is_ok_and(|line| self.0.iter().any(|text| line.contains(text)))
    }
}

pub(super) fn marks(wanted: &Filter) -> Vec<Mark> {
    let mark = |field: &str, value: &String| format!("\"{field}\":{}", serde_json::json!(value));
    let mut marks = Vec::new();
    if !wanted.kinds.is_empty() {
        marks.push(Mark(wanted.kinds.iter().map(|kind| mark("kind", kind)).collect()));
    }
    marks.extend(wanted.run.iter().map(|run| Mark(vec![mark("run", run)])));
    marks.extend(wanted.subject.iter().map(|subject| Mark(vec![mark("subject", subject)])));
    marks
}
