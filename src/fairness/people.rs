//! Whom rows are about: what is too small to be shown is counted in people, since twelve rows of one child are one child.

use hashbrown::{HashMap, HashSet};

/// A count and its complement: both must be large enough. For the rows of a group both are the same.
pub(crate) type Parts = [u64; 2];

/// The people of a cell, in two parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// All of them.
    pub(crate) parts: Parts,
    /// Those of whom no cell before has anything: what the cell adds for sure to the people of several cells together.
    pub(crate) new: Parts,
}

impl From<Parts> for Counted {
    /// Of people who are in no other cell.
    fn from(parts: Parts) -> Self {
        Self { parts, new: parts }
    }
}

/// The person of each row; where nobody says so, each row is about somebody else.
#[derive(Debug, Clone, Default)]
pub(in crate::fairness) struct RowPeople(Option<Known>);

#[derive(Debug, Clone)]
struct Known {
    /// The person of each row, by a code.
    codes: Vec<u32>,
    /// The rows person by person.
    order: Vec<u32>,
}

impl RowPeople {
    /// By ids, of which there may be none.
    pub(in crate::fairness) fn of_ids<T: AsRef<str>>(ids: &[T]) -> Self {
        if ids.is_empty() {
            return Self(None);
        }
        let mut codes: HashMap<&str, u32> = HashMap::new();
        let mut code = |id| {
            let next = codes.len() as u32;
            *codes.entry(id).or_insert(next)
        };
        Self::of_codes(ids.iter().map(|id| code(id.as_ref())).collect())
    }

    pub(in crate::fairness) fn of_codes(codes: Vec<u32>) -> Self {
        let mut order: Vec<u32> = (0..codes.len() as u32).collect();
        order.sort_unstable_by_key(|&row| (codes[row as usize], row));
        Self(Some(Known { codes, order }))
    }

    /// The same, where row `order[i]` comes at place `i`.
    pub(in crate::fairness) fn reordered(&self, order: &[u32]) -> Self {
        let Some(known) = &self.0 else { return Self(None) };
        Self::of_codes(order.iter().map(|&row| known.codes[row as usize]).collect())
    }

    /// How many people there are, where it is said whom rows are about.
    pub(in crate::fairness) fn known(&self) -> Option<u64> {
        self.0.as_ref().map(|known| self.distinct(0..known.codes.len()))
    }

    /// How many different people some rows are about.
    pub(in crate::fairness) fn distinct(&self, rows: impl Iterator<Item = usize>) -> u64 {
        match &self.0 {
            None => rows.count() as u64,
            Some(known) => rows.map(|row| known.codes[row]).collect::<HashSet<_>>().len() as u64,
        }
    }

    /// Of how many people a row is such a one, of `rows` in all.
    pub(in crate::fairness) fn with_any(&self, rows: usize, is_such: impl Fn(usize) -> bool) -> u64 {
        let mut people = 0;
        self.each(rows, |rows| people += u64::from(rows.iter().any(|&row| is_such(row as usize))));
        people
    }

    /// Calls `each` with everybody's rows, of `rows` in all.
    pub(in crate::fairness) fn each(&self, rows: usize, mut each: impl FnMut(&[u32])) {
        match &self.0 {
            None => (0..rows as u32).for_each(|row| each(&[row])),
            Some(Known { codes, order }) => {
                order.chunk_by(|a, b| codes[*a as usize] == codes[*b as usize]).for_each(each);
            }
        }
    }

    /// The people of each of `places`, in two parts: `place_of` gives the place of a row, and which part of it. Somebody with
    /// rows in both parts counts in both, and somebody with rows at several places is new at the first.
    pub(in crate::fairness) fn parted(
        &self,
        rows: usize,
        places: usize,
        place_of: impl Fn(usize) -> Option<(usize, bool)>,
    ) -> Vec<Counted> {
        let mut people = vec![Counted::default(); places];
        let mut met: Vec<(usize, bool)> = Vec::new();
        self.each(rows, |rows| {
            met.clear();
            met.extend(rows.iter().filter_map(|&row| place_of(row as usize)));
            met.sort_unstable();
            met.dedup();
            let first = met.first().map(|met| met.0);
            for &(place, part) in &met {
                people[place].parts[usize::from(part)] += 1;
                people[place].new[usize::from(part)] += u64::from(Some(place) == first);
            }
        });
        people
    }

    /// The people of each of `places`, by the place of each row.
    pub(in crate::fairness) fn sizes(
        &self,
        rows: usize,
        places: usize,
        place_of: impl Fn(usize) -> usize,
    ) -> Vec<Counted> {
        let mut people = self.parted(rows, places, |row| Some((place_of(row), true)));
        for Counted { parts, new } in &mut people {
            (*parts, *new) = ([parts[1]; 2], [new[1]; 2]);
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_person_are_one_person() {
        let people = RowPeople::of_ids(&["a", "b", "a", "c", "b"]);
        assert_eq!(people.distinct(0..5), 3);
        assert_eq!(people.distinct([0, 2].into_iter()), 1);
        let parts = people.parted(5, 2, |row| (row != 3).then_some((row / 3, row % 2 == 0)));
        // At the first place a and b; at the second b alone, who is not new there.
        let of = |parts, new| Counted { parts, new };
        assert_eq!(parts, [of([1, 1], [1, 1]), of([0, 1], [0, 0])]);
        assert_eq!(people.sizes(5, 2, |row| row / 3), [of([2; 2], [2; 2]), of([2; 2], [1; 2])]);
        let unknown = RowPeople::of_ids::<&str>(&[]);
        assert_eq!(unknown.distinct(0..5), 5);
        assert_eq!(unknown.parted(4, 1, |row| Some((0, row > 0))), [[1, 3].into()]);
        assert_eq!(people.reordered(&[3, 0, 2]).distinct(0..3), 2);
    }
}
