//! Where a source's events are: at hand, or waiting on disk while memory is short.
//!
//! A table that waits is an Arrow file without a name: it is taken out of its folder as soon as it is made, so that nobody else
//! can open it and nothing of it is left however the run ends. It is fetched whole when somebody asks for it; the tables
//! fetched last stay at hand as long as there is room.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::events::EventTable;
use super::table_file::{self, Width};

/// The events of a source.
#[derive(Debug)]
pub(crate) struct Kept {
    place: Place,
    shape: Shape,
}

#[derive(Debug)]
enum Place {
    AtHand(Box<EventTable>),
    Waiting { file: File, number: u64, desk: Arc<Desk>, width: Width },
}

/// What can be said of a table without looking at it.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each column is there or not")]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) has_episodes: bool,
    pub(crate) has_values: bool,
    pub(crate) has_parts: bool,
    pub(crate) has_incidents: bool,
}

/// Events to be read: the table at hand, or one that was fetched and is let go afterwards.
#[derive(Debug)]
pub(crate) enum Rows<'a> {
    AtHand(&'a EventTable),
    Fetched(Arc<EventTable>),
}

impl Deref for Rows<'_> {
    type Target = EventTable;

    #[inline]
    fn deref(&self) -> &EventTable {
        match self {
            Self::AtHand(events) => events,
            Self::Fetched(events) => events,
        }
    }
}

impl Kept {
    pub(super) fn at_hand(events: EventTable) -> Self {
        let shape = Shape {
            rows: events.rows(),
            has_episodes: events.has_episodes(),
            has_values: events.value.is_some(),
            has_parts: events.of.is_some(),
            has_incidents: events.incident.is_some(),
        };
        Self { place: Place::AtHand(Box::new(events)), shape }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The events.
    ///
    /// # Panics
    /// Where the table waits on a disk that can no longer be read: nothing that could be given instead is true.
    #[inline]
    pub(crate) fn events(&self) -> Rows<'_> {
        match &self.place {
            Place::AtHand(events) => Rows::AtHand(events),
            Place::Waiting { file, number, desk, width } => {
                Rows::Fetched(desk.fetch(*number, || table_file::read(file, width)))
            }
        }
    }

    /// Whether the table has to be fetched.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Waiting { .. })
    }

    /// How many bytes of memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        match &self.place {
            Place::AtHand(events) => events.bytes(),
            Place::Waiting { .. } => 0,
        }
    }

    /// The same, waiting on disk.
    pub(super) fn put_away(self, shelf: &mut Shelf) -> io::Result<Self> {
        let Self { place: Place::AtHand(events), shape } = self else { return Ok(self) };
        let file = unnamed(&shelf.folder)?;
        let width = table_file::write(*events, None, &file)?;
        shelf.numbers += 1;
        let place = Place::Waiting { file, number: shelf.numbers, desk: shelf.desk.clone(), width };
        Ok(Self { place, shape })
    }
}

/// Where tables are put away.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    desk: Arc<Desk>,
    numbers: u64,
}

impl Shelf {
    /// `room`: how many bytes of tables that were fetched stay at hand.
    pub(super) fn new(folder: &Path, room: u64) -> Self {
        let desk = Desk { room, held: Mutex::default() };
        Self { folder: folder.to_owned(), desk: Arc::new(desk), numbers: 0 }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The tables that were fetched last, the latest at the end.
#[derive(Debug)]
struct Desk {
    room: u64,
    held: Mutex<Vec<(u64, Arc<EventTable>)>>,
}

impl Desk {
    #[allow(clippy::panic, reason = "see `Kept::events`")]
    fn fetch(&self, number: u64, read: impl FnOnce() -> Result<EventTable, String>) -> Arc<EventTable> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = held.iter().position(|held| held.0 == number) {
            let found = held.remove(place);
            let events = found.1.clone();
            held.push(found);
            return events;
        }
        // Room is made before the table is read. How large it will be is not known; one as large as the last makes do.
        let mut taken: u64 = held.iter().map(|(_, events)| events.bytes()).sum();
        let make_room = |held: &mut Vec<(u64, Arc<EventTable>)>, taken: &mut u64, room: u64| {
            while *taken > room && !held.is_empty() {
                *taken -= held.remove(0).1.bytes();
            }
        };
        make_room(&mut held, &mut taken, self.room / 2);
        let events = match read() {
            Ok(events) => Arc::new(events),
            Err(why) => panic!("records that wait on disk can no longer be read: {why}"),
        };
        held.push((number, events.clone()));
        taken += events.bytes();
        make_room(&mut held, &mut taken, self.room.max(events.bytes()));
        events
    }
}

/// A new file that its owner alone can read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that its owner alone can read, and that has no name any more.
fn unnamed(folder: &Path) -> io::Result<File> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let path = folder.join(format!(".earlyhelp-{}", hex::encode(name)));
    let file = private(&path)?;
    // Windows lets go of the name with the last handle; where it does not, the file stays until the folder is cleared.
    match std::fs::remove_file(&path) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(file),
    }
}
