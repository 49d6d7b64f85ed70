//! One source as it is held: its events, the names behind their codes, and what it covers.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::codes::UnlistedCodes;
use super::column::NO_DAY;
use super::dictionary::NONE;
use super::events::EventTable;
use super::kept::{Kept, Rows, Shape};
use super::mapping::{Coverage, Duplicates, Repeated};
use super::people::Partings;
use super::reject::{Remark, RemarkKind};
#[cfg(feature = "files")]
use super::waiting::Shelf;
use crate::calendar::{AsOf, Day};
#[cfg(feature = "files")]
use crate::error::RecordsError;

/// A source as it is held: events and the names behind their codes.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) coverage: Coverage,
    /// The kinds, sorted; an event's kind is its place here.
    pub(crate) kinds: Vec<Box<str>>,
    /// The categories that are kept: the column's name and its values, sorted.
    pub(crate) categories: Vec<(String, Vec<Box<str>>)>,
    pub(super) kept: Kept,
    /// The extract's columns that features can read: kind, value and what it is of, role and categories.
    pub(crate) columns: Vec<String>,
    /// What becomes of references that repeat, and of rows alike in everything; `None` where it was not read but taken from elsewhere.
    pub(super) rules: Option<(Repeated, Duplicates)>,
    /// The codes that are not on their lists.
    pub(super) unlisted: Vec<UnlistedCodes>,
    /// The incidents, sorted, where the mapping names them.
    pub(super) incidents: Vec<Box<str>>,
    /// The first day on which anything happened, as far as it was known: a day of becoming known, and the first
    /// day from then on. Both in order, known rising and first falling.
    pub(super) begins: Vec<(i32, i32)>,
}

/// The days that a source's accepted records name, beside what its mapping declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DaysFound {
    /// The first day on which something happened.
    pub first_occurred: Day,
    /// The last.
    pub last_occurred: Day,
    /// The first day on which something became known.
    pub first_known: Day,
    /// The last.
    pub last_known: Day,
}

impl Source {
    /// How many bytes of memory its events take.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.bytes()
    }

    /// The same, its events waiting on disk.
    #[cfg(feature = "files")]
    pub(super) fn put_away(self, shelf: &mut Shelf) -> Result<Self, RecordsError> {
        match self.kept.put_away(shelf) {
            Ok(kept) => Ok(Self { kept, ..self }),
            Err(error) => Err(RecordsError::PutAway {
                extract: self.name,
                folder: shelf.folder().to_owned(),
                why: error.to_string(),
            }),
        }
    }

    /// Whether its events have to be fetched from disk.
    pub(crate) fn is_waiting(&self) -> bool {
        self.kept.is_waiting()
    }

    /// Its events. They may have to be fetched from disk: ask once, and not for each person or row.
    #[inline]
    pub(crate) fn events(&self) -> Rows<'_> {
        self.kept.events()
    }

    /// What can be said of its events without fetching them.
    pub(crate) fn shape(&self) -> Shape {
        self.kept.shape()
    }

    /// The first day on which anything happened of what was known at a date; `None` where nothing was.
    pub(crate) fn first_day(&self, as_of: AsOf) -> Option<i32> {
        let known = self.begins.partition_point(|&(known, _)| as_of.sees(known));
        known.checked_sub(1).map(|place| self.begins[place].1)
    }

    /// Whether the source reaches close enough to a date.
    pub(crate) fn is_fresh(&self, as_of: AsOf) -> bool {
        self.coverage.is_fresh(as_of)
    }

    /// The first day from which silence means that nothing happened: as declared, or else the first day of the records
    /// known at the date (not of all records: one that arrives later must change nothing). `None` where there are none, so
    /// that the source may not have existed yet.
    pub(crate) fn begins_by(&self, as_of: AsOf) -> Option<i32> {
        self.coverage.from.map(Day::epoch_days).or_else(|| self.first_day(as_of))
    }

    /// The text of an incident's code.
    pub(crate) fn incident(&self, code: u32) -> Option<&str> {
        self.incidents.get(code as usize).map(|text| &**text)
    }

    /// How many incidents have records of several people.
    pub(crate) fn shared_incidents(&self) -> usize {
        let events = self.events();
        let Some(incidents) = &events.incident else { return 0 };
        // For each incident the person it was seen with first, and whether there was another.
        let mut seen = vec![(NONE, false); self.incidents.len()];
        for person in 0..events.people() {
            for row in events.rows_of(person) {
                if let Some((first, shared)) = seen.get_mut(incidents[row] as usize) {
                    if *first == NONE {
                        *first = person;
                    }
                    *shared |= *first != person;
                }
            }
        }
        seen.into_iter().filter(|(_, shared)| *shared).count()
    }

    /// The days that its records name; `None` where it has no record.
    pub(crate) fn days_found(&self) -> Option<DaysFound> {
        let (day, events) = (Day::from_epoch_days, self.events());
        let known = || (0..events.rows()).map(|row| events.known(row));
        Some(DaysFound {
            first_occurred: day(*events.occurred.iter().min()?),
            last_occurred: day(*events.occurred.iter().max()?),
            first_known: day(known().min()?),
            last_known: day(known().max()?),
        })
    }

    /// A digest of what the source said at a date: every visible event, each with its person's id, in
    /// canonical order. The same records give the same digest, in whatever order they were read.
    pub(crate) fn digest(&self, people: &[Box<str>], as_of: AsOf) -> String {
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        text(&self.name);
        self.categories.iter().for_each(|(column, _)| text(column));
        let events = self.events();
        // Texts and not their codes: a code depends on what other rows say, later ones among them.
        let push = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        let mut bytes: Vec<u8> = Vec::new();
        let mut rows: Vec<std::ops::Range<usize>> = Vec::new();
        for (person, id) in people.iter().enumerate() {
            bytes.clear();
            rows.clear();
            for row in events.visible(person as u32, as_of) {
                let start = bytes.len();
                bytes.extend_from_slice(&events.occurred[row].to_le_bytes());
                bytes.extend_from_slice(&events.known(row).to_le_bytes());
                push(&mut bytes, &self.kinds[usize::from(events.kind[row])]);
                bytes.push(events.role(row) as u8);
                if let Some(ended) = events.ended(row, as_of) {
                    bytes.extend_from_slice(&ended.to_le_bytes());
                }
                for values in events.value.iter().chain(&events.of) {
                    bytes.extend_from_slice(&values[row].to_le_bytes());
                }
                for (codes, (_, values)) in events.categories.iter().zip(&self.categories) {
                    push(&mut bytes, values.get(codes[row] as usize).map_or("", |value| value));
                }
                if let Some(reference) = events.reference(row) {
                    push(&mut bytes, reference);
                }
                if let Some(incidents) = &events.incident {
                    push(&mut bytes, self.incidents.get(incidents[row] as usize).map_or("", |text| text));
                }
                rows.push(start..bytes.len());
            }
            if rows.is_empty() {
                continue;
            }
            // Rows alike in everything visible may stand in an order that an end not yet known gave them.
            rows.sort_unstable_by(|a, b| bytes[a.clone()].cmp(&bytes[b.clone()]));
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            for row in &rows {
                hash.update(&bytes[row.clone()]);
            }
        }
        hex::encode(hash.finalize())
    }
}

/// What is remarkable about records and the lives of those they are about.
pub(super) fn of_lives(
    source: &str,
    events: &EventTable,
    (born, partings): (&[i32], &Partings),
) -> impl Iterator<Item = Remark> {
    let before = (RemarkKind::BeforeBirth, before_birth(events, born));
    let after = (RemarkKind::AfterDeath, after_death(events, &partings.died));
    let source = source.to_owned();
    let found = [before, after].into_iter().filter(|(_, rows)| *rows > 0);
    found.map(move |(kind, rows)| Remark { source: source.clone(), kind, rows })
}

/// How many records lie before the birth of the person they are about.
fn before_birth(events: &EventTable, born: &[i32]) -> u64 {
    let of_person = |(person, &born): (usize, &i32)| {
        let rows = events.rows_of(person as u32);
        if born == NO_DAY { 0 } else { rows.filter(|&row| events.occurred[row] < born).count() as u64 }
    };
    born.iter().enumerate().map(of_person).sum()
}

/// How many records lie after the death of the person they are about.
fn after_death(events: &EventTable, died: &[i32]) -> u64 {
    let of_person = |(person, &died): (usize, &i32)| {
        let rows = events.rows_of(person as u32);
        if died == NO_DAY { 0 } else { rows.filter(|&row| events.occurred[row] > died).count() as u64 }
    };
    died.iter().enumerate().map(of_person).sum()
}

/// See [`Source::begins`].
pub(super) fn begins(events: &EventTable) -> Vec<(i32, i32)> {
    // By day of becoming known first: there are far fewer days than rows.
    let mut first: hashbrown::HashMap<i32, i32> = hashbrown::HashMap::new();
    // Rows of one person lie together, and many sources record a day or two before they write it down: most rows are later
    // than the earliest so far was known.
    let (mut earliest, mut known_first) = (i32::MAX, i32::MAX);
    for row in 0..events.rows() {
        let (day, known) = (events.occurred[row], events.known(row));
        if day >= earliest && known >= known_first {
            continue;
        }
        if day <= earliest && known <= known_first {
            (earliest, known_first) = (day, known);
        }
        first.entry(known).and_modify(|held| *held = day.min(*held)).or_insert(day);
    }
    let mut days: Vec<(i32, i32)> = first.into_iter().collect();
    days.sort_unstable();
    let mut earliest = i32::MAX;
    days.retain(|&(_, day)| {
        let is_earlier = day < earliest;
        earliest = earliest.min(day);
        is_earlier
    });
    days
}
