//! References that stand more than once: what of it is the next state of a record, and what is a mistake.

use std::hash::BuildHasher as _;

use rayon::prelude::*;

use super::column::Texts;
use super::events::{EventTable, OPEN, References};
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
        let mut found = Self::default();
        let alike = events.references.as_ref().map_or_else(Vec::new, alike);
        if alike.is_empty() {
            return found;
        }
        let mut superseded = vec![OPEN; events.rows()];
        for mut rows in alike {
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

/// The rows of each reference that stands more than once.
fn alike(references: &References) -> Vec<Vec<usize>> {
    let texts = &references.texts;
    // Most systems number their records as they come, and then no two are alike.
    if rises(texts) {
        return Vec::new();
    }
    let groups = repeated(texts);
    if groups.is_empty() {
        return Vec::new();
    }
    let mut row_of = vec![0; texts.len()];
    references.place.iter().enumerate().for_each(|(row, &place)| row_of[place as usize] = row);
    groups
        .into_iter()
        .map(|places| places.into_iter().map(|place| row_of[place as usize]).collect())
        .collect()
}

/// Whether each text is longer than the one before it, or comes after it.
fn rises(texts: &Texts) -> bool {
    (1..texts.len()).all(|place| {
        let (before, text) = (texts.at(place - 1), texts.at(place));
        (before.len(), before) < (text.len(), text)
    })
}

/// Parts into which hashes are cut by their first bits, each small enough for the cache.
const PARTS: usize = 1 << 10;

/// The places of texts that are alike, where there are several. In place of one table as large as all texts, in which every
/// look-up waits for memory, hashes are first cut into parts and then sorted, part by part.
fn repeated(texts: &Texts) -> Vec<Vec<u32>> {
    let hasher = hashbrown::DefaultHashBuilder::default();
    let hashes: Vec<u64> =
        (0..texts.len()).into_par_iter().map(|place| hasher.hash_one(texts.at(place))).collect();
    let part = |hash: u64| (hash >> 54) as usize;
    let mut ends = vec![0_usize; PARTS + 1];
    for &hash in &hashes {
        ends[part(hash) + 1] += 1;
    }
    for nth in 0..PARTS {
        ends[nth + 1] += ends[nth];
    }
    let mut next = ends.clone();
    let mut cut = vec![(0_u64, 0_u32); hashes.len()];
    for (place, &hash) in (0_u32..).zip(&hashes) {
        let at = &mut next[part(hash)];
        cut[*at] = (hash, place);
        *at += 1;
    }
    drop(hashes);
    let mut parts: Vec<&mut [(u64, u32)]> = Vec::with_capacity(PARTS);
    let mut rest = cut.as_mut_slice();
    for nth in 0..PARTS {
        let (own, others) = rest.split_at_mut(ends[nth + 1] - ends[nth]);
        parts.push(own);
        rest = others;
    }
    let groups = parts.into_par_iter().flat_map_iter(|part| {
        part.sort_unstable();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for same in part.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
            // Of one hash, and nearly always one text.
            let first = groups.len();
            for &(_, place) in same {
                let is_its = |group: &&mut Vec<u32>| texts.at(group[0] as usize) == texts.at(place as usize);
                match groups[first..].iter_mut().find(is_its) {
                    Some(group) => group.push(place),
                    None => groups.push(vec![place]),
                }
            }
        }
        groups.retain(|group| group.len() > 1);
        groups
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn texts(all: &[String]) -> Texts {
        let mut texts = Texts::default();
        for text in all {
            texts.push(text);
        }
        texts
    }

    proptest! {
        #[test]
        fn what_stands_more_than_once_is_found_as_by_counting(
            all in proptest::collection::vec("[a-c]{1,3}|[0-9]{1,2}", 0..200)
        ) {
            let mut counted: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
            for (place, text) in (0..).zip(&all) {
                counted.entry(text).or_default().push(place);
            }
            let mut expected: Vec<Vec<u32>> = counted.into_values().filter(|places| places.len() > 1).collect();
            expected.sort();
            let held = texts(&all);
            let mut found = repeated(&held);
            for group in &mut found {
                group.sort_unstable();
            }
            found.sort();
            prop_assert_eq!(&found, &expected);
            prop_assert!(!rises(&held) || expected.is_empty());
        }
    }

    #[test]
    fn numbers_that_go_up_are_seen_to() {
        let rising = |all: &[&str]| rises(&texts(&all.iter().map(ToString::to_string).collect::<Vec<_>>()));
        assert!(rising(&["8", "9", "10", "11"]) && rising(&["a07", "a08"]) && rising(&[]) && rising(&["x"]));
        assert!(!rising(&["9", "9"]) && !rising(&["10", "9"]) && !rising(&["b1", "a2"]));
    }
}
