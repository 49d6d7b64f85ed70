//! How each source comes to be held: read from its files, or taken from a store; and then at hand, or waiting on disk.

use std::cmp::Reverse;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::prelude::*;
use serde::Serialize;

use super::column::NO_DAY;
use super::dictionary::{self, Dictionary, NONE};
use super::entrance::Ids;
use super::extract::Extract;
use super::intake::Closed;
#[cfg(feature = "files")]
use super::mapping::Coverage;
use super::mapping::SourceMapping;
use super::memory::{Guard, MemoryLimit};
use super::people::Partings;
use super::reading::Reading;
#[cfg(feature = "files")]
use super::reading::last_day;
use super::source::Source;
#[cfg(feature = "files")]
use super::store::Taken;
#[cfg(feature = "files")]
use super::store_at::{Stamps, StoreAt};
#[cfg(feature = "files")]
use super::waiting::Shelf;
use crate::calendar::Day;
use crate::error::RecordsError;

/// How a source came to be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Road {
    /// Its files were read.
    Read {
        /// Why nothing was taken from the store.
        why: &'static str,
        /// Why what was read could not be kept there; `None` where it was.
        not_kept: Option<String>,
    },
    /// It was taken from the store.
    Kept,
}

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
    #[cfg(feature = "files")]
    limit: Option<MemoryLimit>,
}

impl Room {
    fn new(limit: Option<&MemoryLimit>) -> Self {
        Self {
            guard: Guard::new(limit),
            #[cfg(feature = "files")]
            limit: limit.cloned(),
        }
    }
}

/// A source before it is closed.
enum What {
    Read(Box<Reading>),
    /// From the store, with the code of each person named, [`NONE`] of one in no accepted row.
    #[cfg(feature = "files")]
    Taken(Box<Taken>, Coverage, Vec<u32>),
}

/// The key under which a source is to be kept, the last day that there can be in it, and how its files were before they were read.
#[cfg(feature = "files")]
type KeepAs = (String, Option<Day>, Stamps);

/// What the store has of a source.
#[cfg(feature = "files")]
enum FromStore {
    /// Its records, and the code of each person named, [`NONE`] of one in no accepted row.
    Taken(Box<Taken>, Vec<u32>),
    /// Nothing: it has to be read.
    Nothing { road: Option<Road>, keep_as: Option<KeepAs> },
}

/// What is found of a source, and by which road; with the key under which it is to be kept.
pub(super) struct Found {
    what: What,
    road: Option<Road>,
    #[cfg(feature = "files")]
    keep_as: Option<KeepAs>,
}

impl Found {
    /// The people whom accepted rows name, as codes.
    pub(super) fn people(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match &self.what {
            What::Read(reading) => Box::new(reading.people()),
            #[cfg(feature = "files")]
            What::Taken(_, _, codes) => Box::new(codes.iter().copied().filter(|&code| code != NONE)),
        }
    }

    fn bytes(&self) -> u64 {
        match &self.what {
            What::Read(reading) => reading.bytes(),
            #[cfg(feature = "files")]
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
    #[cfg(feature = "files")]
    kept: Option<StoreAt>,
}

impl<'p> SourcesAt<'p> {
    pub(super) fn new(
        (read_on, memory): (Option<Day>, Option<&MemoryLimit>),
        #[cfg(feature = "files")] kept: Option<StoreAt>,
        progress: ToldRows<'p>,
    ) -> Self {
        Self {
            read_on,
            progress: Mutex::new(progress),
            room: Room::new(memory),
            #[cfg(feature = "files")]
            kept,
        }
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
        #[cfg(feature = "files")]
        let (road, keep_as) = match self.look_in_store((&mapping, &extract), ids, held)? {
            FromStore::Taken(taken, codes) => {
                let what = What::Taken(taken, mapping.coverage, codes);
                return Ok(Found { what, road: Some(Road::Kept), keep_as: None });
            }
            FromStore::Nothing { road, keep_as } => (road, keep_as),
        };
        let name = mapping.name.clone();
        let guard = &self.room.guard;
        #[cfg(feature = "files")]
        let notes_people = keep_as.is_some();
        #[cfg(not(feature = "files"))]
        let notes_people = false;
        let reading = Reading::read(mapping, (extract, self.read_on, notes_people), ids, |rows, reading| {
            self.tell(&name, rows);
            // A column that has no room left moves to one of twice its size.
            guard.check(&name, held + reading.bytes(), reading.bytes() / 4)
        })?;
        guard.check(&name, held + reading.bytes(), reading.bytes_to_close())?;
        Ok(Found {
            what: What::Read(Box::new(reading)),
            #[cfg(feature = "files")]
            road,
            #[cfg(not(feature = "files"))]
            road: None,
            #[cfg(feature = "files")]
            keep_as,
        })
    }

    /// What the store has of a source.
    #[cfg(feature = "files")]
    fn look_in_store(
        &self,
        (mapping, extract): (&SourceMapping, &Extract),
        ids: &mut Ids<'_>,
        held: u64,
    ) -> Result<FromStore, RecordsError> {
        let Some(kept) = &self.kept else { return Ok(FromStore::Nothing { road: None, keep_as: None }) };
        mapping.check()?;
        let last = last_day(mapping, self.read_on);
        let key = kept.key(mapping, extract, ids.are_listed)?;
        if let Some((key, _)) = &key {
            // As a file, and then as it is held.
            self.room.guard.check(&mapping.name, held, 2 * kept.bytes(key))?;
        }
        let taken = match &key {
            None => Err(extract.why_read_again()),
            Some((key, _)) => kept.take(key, (last, &ids.people, ids.are_listed)),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(why) => {
                let road = Some(Road::Read { why, not_kept: None });
                let keep_as = key.map(|(key, stamps)| (key, last, stamps));
                return Ok(FromStore::Nothing { road, keep_as });
            }
        };
        self.tell(&mapping.name, taken.read());
        let of_named = taken.named().ids.iter().zip(&taken.named().accepted);
        // Whoever is listed is found.
        let code = |(id, &is_accepted): (&String, &bool)| {
            if is_accepted || ids.are_listed { ids.people.intern(id) } else { NONE }
        };
        let codes = of_named.map(code).collect();
        Ok(FromStore::Taken(Box::new(taken), codes))
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
    #[cfg_attr(
        not(feature = "files"),
        expect(
            unused_variables,
            clippy::unused_self,
            clippy::unnecessary_wraps,
            reason = "nothing is kept without a store"
        )
    )]
    fn close_one(
        &self,
        found: Found,
        people: &Dictionary,
        placed: &Placed,
    ) -> Result<ClosedBy, RecordsError> {
        let lives = (&placed.born[..], &placed.partings);
        match found.what {
            #[cfg(feature = "files")]
            What::Taken(taken, coverage, codes) => {
                let place = |&code: &u32| if code == NONE { NONE } else { placed.place[code as usize] };
                let places: Vec<u32> = codes.iter().map(place).collect();
                let (source, closed) = taken.close(coverage, &places, lives);
                Ok((source, closed, found.road))
            }
            #[cfg(feature = "files")]
            What::Read(reading) if found.keep_as.is_some() => {
                let (named, is_late) = (reading.named(people, &placed.place), reading.is_late());
                let (source, closed) = reading.close(&placed.place, lives);
                let mut road = found.road;
                if let (Some(kept), Some((key, last, stamps))) = (&self.kept, found.keep_as) {
                    stamps.check(&source.name)?;
                    // A copy, and its columns as they are written.
                    let has_room = self.room.guard.check(&source.name, source.bytes(), 2 * source.bytes());
                    let keep = || kept.keep((&key, last, people), (&source, &closed), (&named, is_late));
                    let done = has_room.map_err(|error| error.to_string());
                    let done = done.and_then(|()| keep().map_err(|error| error.to_string()));
                    // That it cannot be kept is no fault of what was read.
                    if let (Some(Road::Read { not_kept, .. }), Err(why)) = (&mut road, done) {
                        *not_kept = Some(why);
                    }
                }
                Ok((source, closed, road))
            }
            What::Read(reading) => {
                let (source, closed) = reading.close(&placed.place, lives);
                Ok((source, closed, found.road))
            }
        }
    }

    pub(super) fn close(
        self,
        found: Vec<Found>,
        people: &Dictionary,
        placed: &Placed,
    ) -> Result<Vec<ClosedBy>, RecordsError> {
        #[cfg(feature = "files")]
        if let Some(limit) = &self.room.limit {
            let mut kept = Limited::new(limit);
            return found
                .into_iter()
                .map(|found| kept.keep(self.close_one(found, people, placed)?))
                .collect();
        }
        found.into_par_iter().map(|found| self.close_one(found, people, placed)).collect()
    }

    /// Finds the sources and closes each: at the same time as others, or one after the other where memory is limited.
    pub(super) fn closed(
        self,
        sources: Sources,
        ids: &mut Ids<'_>,
        placed: &Placed,
    ) -> Result<Vec<ClosedBy>, RecordsError> {
        let one = |source, ids: &mut Ids<'_>, held: u64, at: &Self| {
            let found = at.find(source, ids, held)?;
            at.close_one(found, &ids.people, placed)
        };
        #[cfg(feature = "files")]
        if let Some(limit) = &self.room.limit {
            // While a source is read, others take no more than their room, and none is fetched.
            let held = limit.room();
            let mut kept = Limited::new(limit);
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
#[cfg(feature = "files")]
struct Limited {
    room: u64,
    shelf: Shelf,
    held: u64,
}

#[cfg(feature = "files")]
impl Limited {
    fn new(limit: &MemoryLimit) -> Self {
        let room = limit.room();
        Self { room, shelf: Shelf::new(limit.folder(), room), held: 0 }
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
