//! Ids that were merged into others: chains of them, circles, and from which day.

use std::collections::BTreeMap;

use super::column::NO_DAY;
use crate::error::RecordsError;

/// What ids were merged into.
#[derive(Default)]
pub(super) struct Merges {
    /// By the system that an id is of (none for a person's), and the id.
    of: BTreeMap<(Option<usize>, Box<str>), Vec<Merge>>,
    tables: Vec<String>,
}

struct Merge {
    into: Box<str>,
    /// `i32::MIN` where no day is given: it was so always.
    on: i32,
    /// The table and the row.
    place: (usize, u64),
}

impl Merges {
    /// Numbers a table, so that a fault can be said to be in it.
    pub(super) fn table(&mut self, name: &str) -> usize {
        self.tables.push(name.to_owned());
        self.tables.len() - 1
    }

    pub(super) fn add(
        &mut self,
        (system, old): (Option<usize>, &str),
        (into, on): (&str, i32),
        place: (usize, u64),
    ) {
        let on = if on == NO_DAY { i32::MIN } else { on };
        let held = self.of.entry((system, old.into())).or_default();
        match held.iter_mut().find(|merge| *merge.into == *into) {
            // Said twice: it was known from the first day of the two.
            Some(merge) => (merge.on, merge.place) = (merge.on.min(on), merge.place.min(place)),
            None => held.push(Merge { into: into.into(), on, place }),
        }
    }

    pub(super) fn has(&self, system: Option<usize>, id: &str) -> bool {
        self.of.contains_key(&(system, id.into()))
    }

    /// Whether anything was merged of this system, or of people.
    pub(super) fn reach(&self, system: Option<usize>) -> bool {
        self.of.keys().any(|(of, _)| of.is_none() || *of == system)
    }

    /// Whether a day says since when something was merged of this system, or of people.
    pub(super) fn has_days(&self, system: Option<usize>) -> bool {
        let mut of_it = self.of.iter().filter(|((of, _), _)| of.is_none() || *of == system);
        of_it.any(|(_, merges)| merges.iter().any(|merge| merge.on != i32::MIN))
    }

    /// How many ids were merged into two others.
    pub(super) fn of_two(&self, system: Option<usize>) -> u64 {
        self.of.iter().filter(|((of, _), merges)| *of == system && merges.len() > 1).count() as u64
    }

    /// What an id stands for in the end, and the day since when that is known: the last of those on the way, and of several
    /// ways the first. More than one where an id was merged into two.
    pub(super) fn follow(&self, system: Option<usize>, id: &str) -> Vec<(Box<str>, i32)> {
        if self.of.is_empty() {
            return vec![(id.into(), i32::MIN)];
        }
        let mut ends: BTreeMap<Box<str>, i32> = BTreeMap::new();
        let mut on_the_way: Vec<(Box<str>, i32)> = vec![(id.into(), i32::MIN)];
        while let Some((id, since)) = on_the_way.pop() {
            let key = (system, id);
            match self.of.get(&key) {
                Some(merges) => {
                    on_the_way.extend(merges.iter().map(|merge| (merge.into.clone(), merge.on.max(since))));
                }
                None => {
                    ends.entry(key.1).and_modify(|held| *held = since.min(*held)).or_insert(since);
                }
            }
        }
        ends.into_iter().collect()
    }

    /// Refuses circles: nobody can say which of their ids the others stand for.
    pub(super) fn check(&self) -> Result<(), RecordsError> {
        // What leads to an end is taken away until nothing is; what stays is in a circle, or leads into one.
        let mut left: BTreeMap<(Option<usize>, &str), &Vec<Merge>> =
            self.of.iter().map(|((system, id), merges)| ((*system, &**id), merges)).collect();
        loop {
            let before = left.len();
            let ending: Vec<(Option<usize>, &str)> = left
                .iter()
                .filter(|((system, _), merges)| {
                    !merges.iter().any(|merge| left.contains_key(&(*system, &*merge.into)))
                })
                .map(|(key, _)| *key)
                .collect();
            for key in ending {
                left.remove(&key);
            }
            if left.len() == before {
                break;
            }
        }
        // And what only leads into one.
        loop {
            let before = left.len();
            let reached: std::collections::BTreeSet<(Option<usize>, &str)> = left
                .iter()
                .flat_map(|((system, _), merges)| merges.iter().map(|merge| (*system, &*merge.into)))
                .collect();
            left.retain(|key, _| reached.contains(key));
            if left.len() == before {
                break;
            }
        }
        let places = left.values().flat_map(|merges| merges.iter().map(|merge| merge.place));
        let Some((table, row)) = places.min() else { return Ok(()) };
        let why = format!(
            "{} ids were merged in a circle, one of them in row {row}, so nobody can say which of them is in use; take out the \
             merge that is not so",
            left.len()
        );
        Err(RecordsError::Mapping { extract: self.tables[table].clone(), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merges(of: &[(&str, &str, i32)]) -> Merges {
        let mut merges = Merges::default();
        let table = merges.table("identities");
        for (row, &(old, into, on)) in of.iter().enumerate() {
            merges.add((None, old), (into, on), (table, row as u64 + 2));
        }
        merges
    }

    #[test]
    fn a_chain_is_followed_to_its_end_and_known_from_its_last_day() {
        let merges = merges(&[("b", "c", 20), ("a", "b", 10), ("d", "c", NO_DAY)]);
        assert!(merges.check().is_ok());
        assert_eq!(merges.follow(None, "a"), vec![("c".into(), 20)]);
        assert_eq!(merges.follow(None, "b"), vec![("c".into(), 20)]);
        assert_eq!(merges.follow(None, "d"), vec![("c".into(), i32::MIN)]);
        assert_eq!(merges.follow(None, "c"), vec![("c".into(), i32::MIN)]);
        assert_eq!(merges.follow(Some(0), "a"), vec![("a".into(), i32::MIN)], "of a system of its own");
    }

    #[test]
    fn an_id_merged_into_two_stands_for_two_unless_they_are_one_again() {
        let two = merges(&[("a", "b", 10), ("a", "c", 20)]);
        assert_eq!(two.follow(None, "a"), vec![("b".into(), 10), ("c".into(), 20)]);
        assert_eq!(two.of_two(None), 1);
        let one = merges(&[("a", "b", 10), ("a", "c", 20), ("c", "b", 5)]);
        assert_eq!(one.follow(None, "a"), vec![("b".into(), 10)]);
    }

    #[test]
    fn a_circle_is_refused_and_what_leads_into_it_is_not_blamed() {
        let circle = merges(&[("x", "a", 1), ("a", "b", 1), ("b", "c", 1), ("c", "a", 1), ("y", "z", 1)]);
        let told = circle.check().unwrap_err().to_string();
        assert!(told.contains("3 ids") && told.contains("row 3"), "{told}");
    }
}
