//! How each source comes to be held: read from its files, or taken from a store; and then at hand, or waiting on disk.

use std::cmp::Reverse;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::column::NO_DAY;
use super::dictionary::{self, Dictionary, NONE};
use super::entrance::Ids;
use super::extract::Extract;
use super::fingerprint::add;
use super::intake::Closed;
use super::kept::Shelf;
use super::mapping::{Coverage, SourceMapping};
use super::memory::{Guard, MemoryLimit};
use super::people::Partings;
use super::reading::{Reading, last_day};
use super::source::Source;
use super::store::{Asked, RecordStore, Road, Taken};
use crate::calendar::Day;
use crate::error::RecordsError;

/// Is told a source and how many more of its rows were read.
pub(super) type ToldRows<'p> = Box<dyn FnMut(&str, u64) + Send + 'p>;

/// People at the places that they have in the end.
pub(super) struct Placed {
    /// For each code its person's place.
    pub(super) place: Vec<u32>,
    pub(super) born: Vec<i32>,
    pub(super) partings: Partings,
}

impl Placed {
    /// `named`: the codes of all people that are held.
    pub(super) fn new(
        ids: &Dictionary,
        named: impl Iterator<Item = u32>,
        (born, partings): (&[i32], Partings),
    ) -> Result<Self, RecordsError> {
        if ids.len() >= dictionary::LINKED_TWICE as usize {
            let limit = u64::from(dictionary::LINKED_TWICE);
            return Err(RecordsError::TooMany { extract: "people".into(), what: "people", limit });
        }
        let place = ids.places(named);
        let people = place.iter().filter(|&&place| place != NONE).count();
        let mut born_at = vec![NO_DAY; people];
        for (&place, &day) in place.iter().zip(born) {
            born_at[place as usize] = day;
        }
        let partings = partings.placed(&place, people);
        Ok(Self { place, born: born_at, partings })
    }
}

/// How much room there is for sources.
struct Room {
    guard: Guard,
    /// Where there is a limit: how many bytes may be at hand, and where the rest is put.
    limited: Option<(u64, Shelf)>,
}

impl Room {
    fn new(limit: Option<MemoryLimit>) -> Self {
        let guard = Guard::new(limit.as_ref());
        let limited = limit.map(|limit| (limit.room(), Shelf::new(limit.folder(), limit.room())));
        Self { guard, limited }
    }
}

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
    fn key(
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
}

/// How long files are and when they were written: if somebody writes to one between its digest and its reading, what is read is
/// not what the digest is of.
struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

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

    fn check(self, source: &str) -> Result<(), RecordsError> {
        let now = Self::of(self.0.iter().map(|(path, _)| path.clone()).collect());
        match self.0.into_iter().zip(now.0).find(|(then, now)| then != now) {
            None => Ok(()),
            Some(((path, _), _)) => Err(RecordsError::Changed { extract: source.to_owned(), path }),
        }
    }
}

/// A source before it is closed.
enum What {
    Read(Box<Reading>),
    /// With the code of each person named, [`NONE`] of one in no accepted row.
    Taken(Box<Taken>, Coverage, Vec<u32>),
}

/// What is found of a source, and by which road; with the key under which it is to be kept.
pub(super) struct Found {
    what: What,
    road: Option<Road>,
    keep_as: Option<(String, Option<Day>, Stamps)>,
}

impl Found {
    /// The people whom accepted rows name, as codes.
    pub(super) fn people(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match &self.what {
            What::Read(reading) => Box::new(reading.people()),
            What::Taken(_, _, codes) => Box::new(codes.iter().copied().filter(|&code| code != NONE)),
        }
    }

    fn bytes(&self) -> u64 {
        match &self.what {
            What::Read(reading) => reading.bytes(),
            What::Taken(taken, ..) => taken.bytes(),
        }
    }
}

/// Mappings, each with where its rows come from.
type Sources = Vec<(SourceMapping, Extract)>;
/// A source as it is held, what became of its rows, and its road where there is a store.
pub(super) type ClosedBy = (Source, Closed, Option<Road>);

/// How sources are read.
pub(super) struct SourcesAt<'p> {
    read_on: Option<Day>,
    progress: Mutex<ToldRows<'p>>,
    room: Room,
    kept: Option<StoreAt>,
}

impl<'p> SourcesAt<'p> {
    pub(super) fn new(
        (read_on, memory): (Option<Day>, Option<MemoryLimit>),
        kept: Option<StoreAt>,
        progress: ToldRows<'p>,
    ) -> Self {
        Self { read_on, progress: Mutex::new(progress), room: Room::new(memory), kept }
    }

    fn tell(&self, source: &str, rows: u64) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress(source, rows);
    }

    /// Takes a source from the store, or reads it; `held` bytes are held besides.
    fn find(
        &self,
        (mapping, extract): (SourceMapping, Extract),
        ids: &mut Ids<'_>,
        held: u64,
    ) -> Result<Found, RecordsError> {
        let last = last_day(&mapping, self.read_on);
        let (mut road, mut keep_as) = (None, None);
        if let Some(kept) = &self.kept {
            mapping.check()?;
            let key = kept.key(&mapping, &extract, ids.are_listed)?;
            if let Some((key, _)) = &key {
                // As a file, and then as it is held.
                self.room.guard.check(&mapping.name, held, 2 * kept.store.bytes(key))?;
            }
            let taken = match &key {
                None => Err(extract.why_read_again()),
                Some((key, _)) => kept.store.take(&kept.asked(key, (last, &ids.people, ids.are_listed))),
            };
            match taken {
                Ok(taken) => {
                    self.tell(&mapping.name, taken.read());
                    let of_named = taken.named().ids.iter().zip(&taken.named().accepted);
                    // Whoever is listed is found.
                    let code = |(id, &is_accepted): (&String, &bool)| {
                        if is_accepted || ids.are_listed { ids.people.intern(id) } else { NONE }
                    };
                    let codes = of_named.map(code).collect();
                    let what = What::Taken(Box::new(taken), mapping.coverage, codes);
                    return Ok(Found { what, road: Some(Road::Kept), keep_as: None });
                }
                Err(why) => road = Some(Road::Read { why, not_kept: None }),
            }
            keep_as = key.map(|(key, stamps)| (key, last, stamps));
        }
        let name = mapping.name.clone();
        let guard = &self.room.guard;
        let how = (extract, self.read_on, keep_as.is_some());
        let reading = Reading::read(mapping, how, ids, |rows, reading| {
            self.tell(&name, rows);
            // A column that has no room left moves to one of twice its size.
            guard.check(&name, held + reading.bytes(), reading.bytes() / 4)
        })?;
        guard.check(&name, held + reading.bytes(), reading.bytes_to_close())?;
        Ok(Found { what: What::Read(Box::new(reading)), road, keep_as })
    }

    /// Finds the sources, in their order, since each may add to the people whom the next finds.
    pub(super) fn found(&self, sources: Sources, ids: &mut Ids<'_>) -> Result<Vec<Found>, RecordsError> {
        let mut held = 0;
        let mut find = |source| {
            let found = self.find(source, ids, held)?;
            held += found.bytes();
            Ok(found)
        };
        sources.into_iter().map(&mut find).collect()
    }

    /// Closes a source, and keeps what had to be read.
    fn close_one(
        &self,
        Found { what, mut road, keep_as }: Found,
        people: &Dictionary,
        placed: &Placed,
    ) -> Result<ClosedBy, RecordsError> {
        let lives = (&placed.born[..], &placed.partings);
        let (source, closed) = match what {
            What::Taken(taken, coverage, codes) => {
                let place = |&code: &u32| if code == NONE { NONE } else { placed.place[code as usize] };
                let places: Vec<u32> = codes.iter().map(place).collect();
                taken.close(coverage, &places, lives)
            }
            What::Read(reading) => {
                let named =
                    keep_as.as_ref().map(|_| (reading.named(people, &placed.place), reading.is_late()));
                let (source, closed) = reading.close(&placed.place, lives);
                if let (Some(kept), Some((named, is_late)), Some((key, last, stamps))) =
                    (&self.kept, named, keep_as)
                {
                    stamps.check(&source.name)?;
                    let asked = kept.asked(&key, (last, people, !kept.list.is_empty()));
                    // A copy, and its columns as they are written.
                    let has_room = self.room.guard.check(&source.name, source.bytes(), 2 * source.bytes());
                    let keep = || kept.store.keep(&asked, (&source, &closed), (&named, is_late));
                    let done = has_room.map_err(|error| error.to_string());
                    let done = done.and_then(|()| keep().map_err(|error| error.to_string()));
                    // That it cannot be kept is no fault of what was read.
                    if let (Some(Road::Read { not_kept, .. }), Err(why)) = (&mut road, done) {
                        *not_kept = Some(why);
                    }
                }
                (source, closed)
            }
        };
        Ok((source, closed, road))
    }

    pub(super) fn close(
        mut self,
        found: Vec<Found>,
        people: &Dictionary,
        placed: &Placed,
    ) -> Result<Vec<ClosedBy>, RecordsError> {
        if let Some(limited) = self.room.limited.take() {
            let mut kept = Limited::new(limited);
            return found
                .into_iter()
                .map(|found| kept.keep(self.close_one(found, people, placed)?))
                .collect();
        }
        found.into_par_iter().map(|found| self.close_one(found, people, placed)).collect()
    }

    /// Finds the sources and closes each: at the same time as others, or one after the other where memory is limited.
    pub(super) fn closed(
        mut self,
        sources: Sources,
        ids: &mut Ids<'_>,
        placed: &Placed,
    ) -> Result<Vec<ClosedBy>, RecordsError> {
        let one = |source, ids: &mut Ids<'_>, held: u64, at: &Self| {
            let found = at.find(source, ids, held)?;
            at.close_one(found, &ids.people, placed)
        };
        if let Some(limited) = self.room.limited.take() {
            // While a source is read, others take no more than their room, and none is fetched.
            let held = limited.0;
            let mut kept = Limited::new(limited);
            return sources.into_iter().map(|source| kept.keep(one(source, ids, held, &self)?)).collect();
        }
        let apart = apart(sources, |source| {
            let mut ids = ids.apart();
            (one(source, &mut ids, 0, &self), ids.way_back)
        });
        let mut closed = Vec::new();
        for (source, way_back) in apart {
            closed.push(source?);
            ids.way_back.extend(way_back);
        }
        Ok(closed)
    }
}

/// What `read` makes of each source, in their order. The largest is begun first, since the others find room beside it.
///
/// On threads of their own, as many as there are for everything: one that belongs to a pool begins another source while it waits
/// for a table to be decoded, and the first then waits for that.
fn apart<T: Send>(sources: Sources, read: impl Fn((SourceMapping, Extract)) -> T + Sync) -> Vec<T> {
    let mut ordered: Vec<_> = sources.into_iter().enumerate().collect();
    ordered.sort_by_cached_key(|(_, (_, extract))| Reverse(extract.bytes()));
    let threads = rayon::current_num_threads().min(ordered.len());
    let left = Mutex::new(ordered.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Vec<(usize, T)> {
        std::iter::from_fn(next).map(|(place, source)| (place, read(source))).collect()
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(place, _)| place);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Sources that are kept at hand as long as there is room, and then put away.
struct Limited {
    room: u64,
    shelf: Shelf,
    held: u64,
}

impl Limited {
    fn new((room, shelf): (u64, Shelf)) -> Self {
        Self { room, shelf, held: 0 }
    }

    fn keep(&mut self, (source, closed, road): ClosedBy) -> Result<ClosedBy, RecordsError> {
        let bytes = source.bytes();
        if self.held + bytes <= self.room {
            self.held += bytes;
            return Ok((source, closed, road));
        }
        Ok((source.put_away(&mut self.shelf)?, closed, road))
    }
}
