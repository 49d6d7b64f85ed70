//! References that stand more than once: what of it is the next state of a record, and what is a mistake.

use hashbrown::HashMap;

use super::events::{EventTable, OPEN};
use super::mapping::Repeated;

/// What is to become of the rows of a source whose references repeat; rows in canonical order.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Rows that contradict another of the same reference: about somebody else, or known on the same day.
    pub(super) rejected: Vec<usize>,
    /// Rows that say what another says.
    pub(super) said_before: Vec<usize>,
    /// How many rows are a later state of a record.
    pub(super) later_states: u64,
    /// For each row the day on which its record's next state became known.
    pub(super) superseded: Option<Vec<i32>>,
}

impl Repeats {
    /// `position` tells where a row stands in the extract: of rows that are the same in everything the first is kept.
    pub(super) fn find<P: Ord>(
        events: &EventTable,
        position: impl Fn(usize) -> P,
        repeated: Repeated,
    ) -> Self {
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(events.rows());
        let mut more: HashMap<usize, Vec<usize>> = HashMap::new();
        for row in 0..events.rows() {
            let Some(reference) = events.reference(row) else { continue };
            match first.entry(reference) {
                hashbrown::hash_map::Entry::Vacant(place) => {
                    place.insert(row);
                }
                hashbrown::hash_map::Entry::Occupied(place) => {
                    more.entry(*place.get()).or_default().push(row);
                }
            }
        }
        let mut found = Self::default();
        let mut superseded = vec![OPEN; events.rows()];
        for (first, rest) in more {
            let mut rows = rest;
            rows.push(first);
            // Whoever was known first is whom the record is about, so that a row which comes later never takes away
            // what was seen before.
            rows.sort_by(|&a, &b| {
                events
                    .known(a)
                    .cmp(&events.known(b))
                    .then(a.cmp(&b))
                    .then_with(|| position(a).cmp(&position(b)))
            });
            let person = events.person_of(rows[0]);
            let (own, others): (Vec<usize>, Vec<usize>) =
                rows.into_iter().partition(|&row| events.person_of(row) == person);
            found.rejected.extend(others);
            match repeated {
                Repeated::Reject => {
                    // Of rows alike in everything, the one that stands first in the extract.
                    let kept = own.iter().copied().filter(|&row| events.same(row, own[0]));
                    let kept = kept.min_by_key(|&row| position(row)).unwrap_or(own[0]);
                    found.rejected.extend(own.into_iter().filter(|&row| row != kept));
                }
                Repeated::Latest => found.states(events, &own, &mut superseded),
            }
        }
        if superseded.iter().any(|&day| day != OPEN) {
            found.superseded = Some(superseded);
        }
        found.rejected.sort_unstable();
        found.said_before.sort_unstable();
        found
    }

    /// Sorts rows of one person and reference, the first known first, into states.
    fn states(&mut self, events: &EventTable, rows: &[usize], superseded: &mut [i32]) {
        let mut states: Vec<usize> = Vec::new();
        for &row in rows {
            let Some(&held) = states.last() else {
                states.push(row);
                continue;
            };
            if events.says_the_same(row, held) {
                self.said_before.push(row);
            } else if events.known(row) > events.known(held) {
                superseded[held] = events.known(row);
                self.later_states += 1;
                states.push(row);
            } else if events.closes(row, held) {
                // Both known on the day it began: the row with the end says when that became known by itself.
                self.said_before.push(held);
                states.pop();
                states.push(row);
            } else if events.closes(held, row) {
                self.said_before.push(row);
            } else {
                self.rejected.push(row);
            }
        }
    }
}
