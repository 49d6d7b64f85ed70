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

    /// Tells all that it says.
    pub(super) fn fingerprint(&self, tell: &mut dyn FnMut(&str)) {
        for (old, merges) in &self.of {
            tell(&format!("{old:?}"));
            let mut into: Vec<String> =
                merges.iter().map(|merge| format!("{} {}", merge.on, merge.into)).collect();
            into.sort_unstable();
            for line in &into {
                tell(line);
            }
        }
    }

    /// The ids that were merged into others, each with the system that it is of.
    pub(super) fn ids(&self) -> impl Iterator<Item = (Option<usize>, &str)> {
        self.of.keys().map(|(system, id)| (*system, &**id))
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

    /// How many ids were merged on a day after this one.
    pub(super) fn after(&self, day: i32) -> u64 {
        self.of.values().filter(|merges| merges.iter().all(|merge| merge.on > day)).count() as u64
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
        // Of several ways to an id the one known first is gone on from, so that ways that part and meet are not multiplied.
        let mut passed: BTreeMap<Box<str>, i32> = BTreeMap::new();
        let mut on_the_way: Vec<(Box<str>, i32)> = vec![(id.into(), i32::MIN)];
        while let Some((id, since)) = on_the_way.pop() {
            if passed.get(&id).is_some_and(|&held| held <= since) {
                continue;
            }
            let key = (system, id);
            match self.of.get(&key) {
                Some(merges) => {
                    on_the_way.extend(merges.iter().map(|merge| (merge.into.clone(), merge.on.max(since))));
                }
                None => {
                    ends.entry(key.1.clone()).and_modify(|held| *held = since.min(*held)).or_insert(since);
                }
            }
            passed.insert(key.1, since);
        }
        ends.into_iter().collect()
    }

    /// Refuses circles, since nobody can say which of their ids the others stand for, and chains that no register has.
    pub(super) fn check(&self) -> Result<(), RecordsError> {
        let keys: Vec<(Option<usize>, &str)> = self.of.keys().map(|(system, id)| (*system, &**id)).collect();
        let place: BTreeMap<(Option<usize>, &str), usize> =
            keys.iter().enumerate().map(|(place, &key)| (key, place)).collect();
        let merges: Vec<&Vec<Merge>> = self.of.values().collect();
        let onward: Vec<Vec<usize>> = keys
            .iter()
            .zip(&merges)
            .map(|((system, _), merges)| {
                merges.iter().filter_map(|merge| place.get(&(*system, &*merge.into)).copied()).collect()
            })
            .collect();
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); keys.len()];
        for (from, to) in onward.iter().enumerate() {
            for &to in to {
                into[to].push(from);
            }
        }
        // What leads to an end is taken away until nothing is; what stays is in a circle, or leads into one.
        let (mut left, order) = peeled(&vec![true; keys.len()], &onward, &into);
        let mut depth = vec![1_usize; keys.len()];
        for &key in &order {
            depth[key] += onward[key].iter().map(|&to| depth[to]).max().unwrap_or(0);
            if depth[key] > LONGEST_CHAIN {
                let (table, row) = merges[key][0].place;
                let why = format!(
                    "ids were merged on and on, more than {LONGEST_CHAIN} times in turn, one of them in row {row}; the columns \
                     may have slipped by a row"
                );
                return Err(RecordsError::Mapping { extract: self.tables[table].clone(), why });
            }
        }
        // And what only leads into a circle.
        left = peeled(&left, &into, &onward).0;
        let left: Vec<&Vec<Merge>> =
            merges.into_iter().zip(left).filter(|(_, left)| *left).map(|(merges, _)| merges).collect();
        let places = left.iter().flat_map(|merges| merges.iter().map(|merge| merge.place));
        let Some((table, row)) = places.min() else { return Ok(()) };
        let why = format!(
            "{} ids were merged in a circle, one of them in row {row}, so nobody can say which of them is in use; take out the \
             merge that is not so",
            left.len()
        );
        Err(RecordsError::Mapping { extract: self.tables[table].clone(), why })
    }
}

/// So many merges in turn no register of people has. A table that slipped by a row has, and nobody is one with all others.
const LONGEST_CHAIN: usize = 100;

/// Takes away what leads on to nothing, until nothing does: what is left, and the order in which the rest went.
fn peeled(held: &[bool], onward: &[Vec<usize>], into: &[Vec<usize>]) -> (Vec<bool>, Vec<usize>) {
    let mut left = held.to_vec();
    let is_held = |&&key: &&usize| held[key];
    let mut open: Vec<usize> = onward.iter().map(|to| to.iter().filter(is_held).count()).collect();
    let mut order: Vec<usize> = (0..held.len()).filter(|&key| held[key] && open[key] == 0).collect();
    let mut next = 0;
    while let Some(&key) = order.get(next) {
        next += 1;
        left[key] = false;
        for &from in into[key].iter().filter(is_held) {
            open[from] -= 1;
            if open[from] == 0 {
                order.push(from);
            }
        }
    }
    (left, order)
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
    fn a_chain_without_end_is_refused_and_ways_that_part_and_meet_are_followed_once() {
        let names: Vec<String> = (0..30_000).map(|nth| format!("{nth:05}")).collect();
        let chain = |length: usize| -> Vec<(&str, &str, i32)> {
            names[..=length].windows(2).map(|pair| (&*pair[0], &*pair[1], 1)).collect()
        };
        assert!(merges(&chain(100)).check().is_ok());
        assert!(merges(&chain(101)).check().is_err());
        assert!(merges(&chain(29_000)).check().is_err());
        // Forty times two ways to the next: 2^40 ways in all.
        let mut ladder: Vec<(&str, &str, i32)> = Vec::new();
        for step in 0..40 {
            let [from, a, b, to] =
                [3 * step, 3 * step + 1, 3 * step + 2, 3 * step + 3].map(|nth| &*names[nth]);
            ladder.extend([(from, a, 5), (from, b, 7), (a, to, 0), (b, to, 0)]);
        }
        let ladder = merges(&ladder);
        assert!(ladder.check().is_ok());
        assert_eq!(ladder.follow(None, &names[0]), vec![((*names[120]).into(), 5)]);
    }

    #[test]
    fn a_circle_is_refused_and_what_leads_into_it_is_not_blamed() {
        let circle = merges(&[("x", "a", 1), ("a", "b", 1), ("b", "c", 1), ("c", "a", 1), ("y", "z", 1)]);
        let told = circle.check().unwrap_err().to_string();
        assert!(told.contains("3 ids") && told.contains("row 3"), "{told}");
    }
}
