//! Where a source's events are: at hand, or [waiting](super::waiting) on disk while memory is short.

#[cfg(feature = "files")]
use std::io;
use std::ops::Deref;
#[cfg(feature = "files")]
use std::sync::Arc;

use super::events::EventTable;
#[cfg(feature = "files")]
use super::waiting::{Shelf, Waiting};

/// The events of a source.
#[derive(Debug)]
pub(crate) struct Kept {
    place: Place,
    shape: Shape,
}

#[derive(Debug)]
enum Place {
    AtHand(Box<EventTable>),
    #[cfg(feature = "files")]
    Waiting(Waiting),
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
    #[cfg(feature = "files")]
    Fetched(Arc<EventTable>),
}

impl Deref for Rows<'_> {
    type Target = EventTable;

    #[inline]
    fn deref(&self) -> &EventTable {
        match self {
            Self::AtHand(events) => events,
            #[cfg(feature = "files")]
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
            #[cfg(feature = "files")]
            Place::Waiting(waiting) => Rows::Fetched(waiting.fetch()),
        }
    }

    /// Whether the table has to be fetched.
    pub(super) fn is_waiting(&self) -> bool {
        !matches!(self.place, Place::AtHand(_))
    }

    /// How many bytes of memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        match &self.place {
            Place::AtHand(events) => events.bytes(),
            #[cfg(feature = "files")]
            Place::Waiting(_) => 0,
        }
    }

    /// The same, waiting on disk.
    #[cfg(feature = "files")]
    pub(super) fn put_away(self, shelf: &mut Shelf) -> io::Result<Self> {
        let Self { place: Place::AtHand(events), shape } = self else { return Ok(self) };
        Ok(Self { place: Place::Waiting(shelf.put(*events)?), shape })
    }
}
