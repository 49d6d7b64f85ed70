//! Whom rows are about: what is too small to be shown is counted in people, since twelve rows of one child are one child.

use hashbrown::{HashMap, HashSet};

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
    /// rows in both parts counts in both.
    pub(in crate::fairness) fn parted(
        &self,
        rows: usize,
        places: usize,
        place_of: impl Fn(usize) -> Option<(usize, bool)>,
    ) -> Vec<[u64; 2]> {
        let mut parts = vec![[0; 2]; places];
        let mut met: Vec<(usize, bool)> = Vec::new();
        self.each(rows, |rows| {
            met.clear();
            for found in rows.iter().filter_map(|&row| place_of(row as usize)) {
                if !met.contains(&found) {
                    met.push(found);
                    parts[found.0][usize::from(found.1)] += 1;
                }
            }
        });
        parts
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
        // At the first place a and b; at the second b alone.
        assert_eq!(parts, [[1, 1], [0, 1]]);
        let unknown = RowPeople::of_ids::<&str>(&[]);
        assert_eq!(unknown.distinct(0..5), 5);
        assert_eq!(unknown.parted(4, 1, |row| Some((0, row > 0))), [[1, 3]]);
        assert_eq!(people.reordered(&[3, 0, 2]).distinct(0..3), 2);
    }
}
