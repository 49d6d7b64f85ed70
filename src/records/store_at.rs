//! The store of what was read before, and what it is asked of besides each source's files.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::dictionary::Dictionary;
use super::entrance::Ids;
use super::extract::Extract;
use super::fingerprint::add;
use super::intake::Closed;
use super::mapping::SourceMapping;
use super::reading::Named;
use super::source::Source;
use super::store::{Asked, RecordStore, Taken};
use crate::calendar::Day;
use crate::error::RecordsError;

/// The store, and what it is asked of besides each source's files.
pub(super) struct StoreAt {
    store: RecordStore,
    /// Of whose ids are whose.
    identities: String,
    needs_list: bool,
    list: String,
}

impl StoreAt {
    pub(super) fn new(store: RecordStore, ids: &Ids<'_>) -> Self {
        let (mut of_identities, mut of_list) = (Sha256::new(), Sha256::new());
        ids.identities.fingerprint(&mut |text| add(&mut of_identities, text));
        ids.people.texts().for_each(|text| add(&mut of_list, text));
        Self {
            store,
            identities: hex::encode(of_identities.finalize()),
            needs_list: !ids.identities.are_plain(),
            list: if ids.are_listed { hex::encode(of_list.finalize()) } else { String::new() },
        }
    }

    /// The key of a source, and how its files are at the moment; `None` where nothing says whether its rows are the same.
    pub(super) fn key(
        &self,
        mapping: &SourceMapping,
        extract: &Extract,
        are_listed: bool,
    ) -> Result<Option<(String, Stamps)>, RecordsError> {
        let files = extract.files();
        self.store.is_apart(&files)?;
        let stamps = Stamps::of(files);
        let mut hash = Sha256::new();
        let way = (env!("CARGO_PKG_VERSION"), &mapping.name, &mapping.columns, are_listed, &self.identities);
        hash.update(format!("{way:?}"));
        match extract.fingerprint(&mapping.name, &mut hash) {
            None => Ok(None),
            Some(done) => done.map(|()| Some((hex::encode(hash.finalize()), stamps))),
        }
    }

    fn asked<'a>(
        &'a self,
        key: &'a str,
        (last, people, are_listed): (Option<Day>, &'a Dictionary, bool),
    ) -> Asked<'a> {
        let listed = are_listed.then_some(people);
        Asked { key, last, listed, needs_list: self.needs_list, list: &self.list }
    }

    /// How many bytes it has under a key.
    pub(super) fn bytes(&self, key: &str) -> u64 {
        self.store.bytes(key)
    }

    /// What it has under a key; else why nothing is taken.
    pub(super) fn take(
        &self,
        key: &str,
        of: (Option<Day>, &Dictionary, bool),
    ) -> Result<Taken, &'static str> {
        self.store.take(&self.asked(key, of))
    }

    /// Keeps what was read under a key.
    pub(super) fn keep(
        &self,
        (key, last, people): (&str, Option<Day>, &Dictionary),
        read: (&Source, &Closed),
        named: (&Named, bool),
    ) -> io::Result<()> {
        self.store.keep(&self.asked(key, (last, people, !self.list.is_empty())), read, named)
    }
}

/// How long files are and when they were written: if somebody writes to one between its digest and its reading, what is read is
/// not what the digest is of.
pub(super) struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

/// How long a file is, and when it was written where the system says.
type Stamp = (u64, Option<SystemTime>);

impl Stamps {
    fn of(files: Vec<PathBuf>) -> Self {
        let stamp = |path: PathBuf| {
            let held = std::fs::metadata(&path).ok().map(|held| (held.len(), held.modified().ok()));
            (path, held)
        };
        Self(files.into_iter().map(stamp).collect())
    }

    pub(super) fn check(self, source: &str) -> Result<(), RecordsError> {
        let now = Self::of(self.0.iter().map(|(path, _)| path.clone()).collect());
        match self.0.into_iter().zip(now.0).find(|(then, now)| then != now) {
            None => Ok(()),
            Some(((path, _), _)) => Err(RecordsError::Changed { extract: source.to_owned(), path }),
        }
    }
}
