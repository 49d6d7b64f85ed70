//! From one store into another: the same entries, to the byte.

use super::chain::{Hash, Head, Sealed, SealedContent, hash_entry, hash_from_hex};
use super::entry::Content;
use super::store::{Raw, Record, Store};
use crate::error::LedgerError;

/// How many entries are held at a time, but that those of one step stay together.
const AT_A_TIME: usize = 1_000;

/// What is called with each part of a ledger that is copied, and where the chain ends after it.
pub(super) type Take<'a> = dyn FnMut(Vec<Sealed>, &Head) -> Result<(), LedgerError> + 'a;

/// Walks over a store and gives its entries away in parts, each of whole steps. Gives the head after them.
pub(super) fn copied(from: &dyn Store, take: &mut Take<'_>) -> Result<Head, LedgerError> {
    let unfit = |entry: u64| {
        LedgerError::Draft(format!("entry {entry} of the other ledger does not stand in its place"))
    };
    let mut head = Head::empty();
    let mut last = hash_from_hex(&head.hash).unwrap_or_default();
    let mut part = Vec::new();
    from.walk(&mut |raw| {
        let seq = head.entries + 1;
        let record = match raw {
            Raw::Readable(record) if record.header.seq == seq => record,
            _ => return Err(unfit(seq)),
        };
        let closes = record.header.closes();
        let sealed = sealed(*record, &last).ok_or_else(|| unfit(seq))?;
        last = sealed.hash;
        head = Head { entries: seq, hash: hex::encode(last) };
        part.push(sealed);
        if closes && part.len() >= AT_A_TIME {
            take(std::mem::take(&mut part), &head)?;
        }
        Ok(())
    })?;
    if !part.is_empty() {
        take(part, &head)?;
    }
    Ok(head)
}

/// A record as it is written, if it follows the last one.
fn sealed(record: Record, last: &Hash) -> Option<Sealed> {
    let hash = hash_entry(last, &record.bytes);
    if hash[..] != record.hash || record.header.previous != hex::encode(last) || record.disagrees.is_some() {
        return None;
    }
    let content = match (record.salt, record.content) {
        (None, None) => None,
        (Some(salt), Some(bytes)) => {
            let subject = serde_json::from_slice::<Content>(&bytes).ok()?.subject;
            Some(SealedContent { subject, salt, bytes })
        }
        _ => return None,
    };
    Some(Sealed { header: record.header, bytes: record.bytes, hash, content })
}
