//! The chain: each entry's hash goes over the hash before it, so that no entry can be changed, taken out,
//! put in or moved without changing every hash after it.
//!
//! # References
//! - S. Haber, W. S. Stornetta (1991), How to time-stamp a digital document, Journal of Cryptology 3, 99-111:
//!   linking records by hashes.
//! - NIST FIPS 180-4 (2015), Secure Hash Standard: SHA-256.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::entry::{Draft, Header};
use super::events::EntryKind;
use crate::error::LedgerError;

/// The kind of the entry that says what was taken out. It is written by a redaction and by nothing else.
pub const PURGE: &str = "purge";

/// What stands before the first entry. It names the format, so that a chain of another format cannot pass.
const BEFORE_THE_FIRST: &[u8] = b"earlyhelp ledger, format 1";

/// Bytes of a salt: as many as the hash has, so that guessing the salt is no easier than breaking the hash.
pub(super) const SALT: usize = 32;

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// Where a chain ends: how many entries it has, and the hash of the last.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::Head;
/// assert_eq!(Head::empty().entries, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many entries there are; also the number of the last one.
    pub entries: u64,
    /// The hash of the last entry, 64 hexadecimal digits.
    pub hash: String,
}

impl Head {
    /// The head of a ledger without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self { entries: 0, hash: hex::encode(Sha256::digest(BEFORE_THE_FIRST)) }
    }
}

/// The 32 bytes of a hash that is written in 64 lower-case hexadecimal digits.
pub(super) fn hash_from_hex(text: &str) -> Option<Hash> {
    let hash: Hash = hex::decode(text).ok()?.try_into().ok()?;
    (hex::encode(hash) == text).then_some(hash)
}

/// The hash of an entry: over the bytes of the hash before it, and its own canonical bytes.
pub(super) fn hash_entry(previous: &Hash, header: &[u8]) -> Hash {
    Sha256::new().chain_update(previous).chain_update(header).finalize().into()
}

/// The commitment to content.
pub(super) fn commit(salt: &[u8], content: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(content).finalize().into()
}

/// An entry that is numbered and chained, ready to be written.
#[derive(Clone)]
pub struct Sealed {
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        allow(dead_code, reason = "the stores with columns read it")
    )]
    pub(super) header: Header,
    /// The header's canonical bytes.
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) content: Option<SealedContent>,
}

/// Content with the salt that it is committed to with.
#[derive(Clone)]
pub(super) struct SealedContent {
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        allow(dead_code, reason = "the stores with columns read it")
    )]
    pub(super) subject: Option<String>,
    pub(super) salt: Vec<u8>,
    /// Canonical bytes of subject and body.
    pub(super) bytes: Vec<u8>,
}

/// Numbers and chains drafts after `head`. Gives the entries and the head after them.
pub(super) fn seal(head: &Head, drafts: Vec<Draft>) -> Result<(Vec<Sealed>, Head), LedgerError> {
    let unwritable = |error: serde_json::Error| LedgerError::Draft(error.to_string());
    let mut previous = hash_from_hex(&head.hash)
        .ok_or_else(|| LedgerError::Draft("the hash that it would follow is not a hash".into()))?;
    let mut salts = Salts::draw(drafts.iter().filter(|draft| draft.content.is_some()).count())?;
    let through = head.entries + drafts.len() as u64;
    let mut sealed = Vec::with_capacity(drafts.len());
    for (seq, draft) in (head.entries + 1..).zip(drafts) {
        if crate::words::is_blank(&draft.kind) {
            return Err(LedgerError::Draft("it has no kind; say in one word what happened".into()));
        }
        let content = match draft.content {
            None => None,
            Some(mut content) => {
                let bytes = content.canonical().map_err(unwritable)?;
                Some(SealedContent { subject: content.subject, salt: salts.next(), bytes })
            }
        };
        let mut header = Header {
            seq,
            previous: hex::encode(previous),
            through,
            kind: draft.kind,
            on: draft.on,
            run: draft.run,
            facts: draft.facts,
            commitment: content.as_ref().map(|content| hex::encode(commit(&content.salt, &content.bytes))),
            written: draft.written,
            why_earlier: draft.why_earlier,
        };
        let bytes = header.canonical().map_err(unwritable)?;
        let hash = hash_entry(&previous, &bytes);
        sealed.push(Sealed { header, bytes, hash, content });
        previous = hash;
    }
    Ok((sealed, Head { entries: through, hash: hex::encode(previous) }))
}

/// Random bytes for a whole batch, drawn from the system at once. This is the one place where the library is
/// random without a seed: a salt that somebody could compute again would hide nothing.
struct Salts(std::vec::IntoIter<u8>);

impl Salts {
    fn draw(count: usize) -> Result<Self, LedgerError> {
        let mut bytes = vec![0; count * SALT];
        getrandom::fill(&mut bytes).map_err(|error| LedgerError::NoRandomness(error.to_string()))?;
        Ok(Self(bytes.into_iter()))
    }

    fn next(&mut self) -> Vec<u8> {
        self.0.by_ref().take(SALT).collect()
    }
}

/// Refuses to go on where the chain does not end where the caller thinks.
pub(super) fn check_end(head: &Head, after: Option<&Head>) -> Result<(), LedgerError> {
    if after.is_some_and(|after| after != head) { Err(LedgerError::Moved) } else { Ok(()) }
}

/// Refuses to append what only a redaction may write.
pub(super) fn check_append(drafts: &[Draft]) -> Result<(), LedgerError> {
    if drafts.iter().any(|draft| draft.kind == PURGE) {
        return Err(LedgerError::Draft(format!(
            "the kind \"{PURGE}\" is written by a redaction alone; call redact"
        )));
    }
    Ok(())
}

/// Writes into the drafts of a redaction which entries it takes the content of: `redacted`, a list of
/// ranges `[first, last]`, goes into the facts of the one draft of the kind [`PURGE`].
pub(super) fn name_redacted(seqs: &[u64], drafts: &mut [Draft]) -> Result<(), LedgerError> {
    let mut purges = drafts.iter_mut().filter(|draft| draft.kind == PURGE);
    let (Some(purge), None) = (purges.next(), purges.next()) else {
        return Err(LedgerError::Redaction(format!(
            "give exactly one draft of the kind \"{PURGE}\", which says why and when"
        )));
    };
    if purge.facts.is_null() {
        purge.facts = json!({});
    }
    let Value::Object(facts) = &mut purge.facts else {
        return Err(LedgerError::Redaction("the facts of the purge must be an object".into()));
    };
    if seqs.is_empty() {
        return Err(LedgerError::Redaction("name the entries whose content is to go".into()));
    }
    if !says_who_and_why(facts) {
        return Err(LedgerError::Redaction(
            "the facts of the purge must say who takes it out (\"by\") and why (\"reason\")".into(),
        ));
    }
    if facts.insert("redacted".into(), json!(ranges(seqs))).is_some() {
        return Err(LedgerError::Redaction(
            "\"redacted\" is written by the redaction itself; leave it out".into(),
        ));
    }
    Ok(())
}

/// Whether a purge says who takes something out, and why.
pub(super) fn says_who_and_why(facts: &serde_json::Map<String, Value>) -> bool {
    ["by", "reason"].iter().all(|name| {
        facts.get(*name).and_then(Value::as_str).is_some_and(|text| !crate::words::is_blank(text))
    })
}

/// Refuses to take the content out of an entry that never had any, or without which past scores could not be made again.
pub(super) fn check_taken(header: &Header) -> Result<(), LedgerError> {
    let seq = header.seq;
    if header.commitment.is_none() {
        return Err(LedgerError::Redaction(format!("entry {seq} never had content")));
    }
    if matches!(EntryKind::of(&header.kind), Some(EntryKind::ModelRegistered | EntryKind::ModelReleased)) {
        return Err(LedgerError::Redaction(format!(
            "entry {seq} holds a model, which is about nobody and without which past scores cannot be made again"
        )));
    }
    Ok(())
}

/// Numbers as ranges `(first, last)`, in order.
fn ranges(seqs: &[u64]) -> Vec<(u64, u64)> {
    let mut sorted = seqs.to_vec();
    sorted.sort_unstable();
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seq in sorted {
        match ranges.last_mut() {
            Some((_, last)) if seq <= last.saturating_add(1) => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}

/// Which entries a purge took the content of; `None` if its facts do not say so.
pub(super) fn redacted_by(purge: &Header) -> Option<Vec<(u64, u64)>> {
    let ranges: Vec<(u64, u64)> = Deserialize::deserialize(purge.facts.get("redacted")?).ok()?;
    ranges.iter().all(|&(first, last)| 1 <= first && first <= last && last < purge.seq).then_some(ranges)
}
