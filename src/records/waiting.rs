//! Tables of events that wait on disk while memory is short.
//!
//! A table that waits is an Arrow file without a name: it is taken out of its folder as soon as it is made, so that nobody else
//! can open it and nothing of it is left however the run ends. It is fetched whole when somebody asks for it; the tables
//! fetched last stay at hand as long as there is room.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::events::EventTable;
use super::table_file::{self, Width};

/// A table that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    file: File,
    number: u64,
    desk: Arc<Desk>,
    width: Width,
}

impl Waiting {
    pub(super) fn fetch(&self) -> Arc<EventTable> {
        self.desk.fetch(self.number, || table_file::read(&self.file, &self.width))
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

    pub(super) fn put(&mut self, events: EventTable) -> io::Result<Waiting> {
        let file = unnamed(&self.folder)?;
        let width = table_file::write(events, None, &file)?;
        self.numbers += 1;
        Ok(Waiting { file, number: self.numbers, desk: self.desk.clone(), width })
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
