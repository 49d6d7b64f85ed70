//! A record by where it stands.

/// A record by its place: a row of a source's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventRow {
    pub(crate) source: usize,
    pub(crate) row: usize,
}
