//! Which rows belong together, and whose records may speak of a row.

use hashbrown::HashMap;

use crate::cohort::{Cohort, Unit};

/// A number for the family of every row of every cohort, in their order: people who shared a household at
/// one of the dates, directly or through others, have one number at all of them.
pub(super) fn families(cohorts: &[&Cohort<'_>]) -> Vec<u32> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut parent: Vec<usize> = Vec::new();
    let mut rows = Vec::new();
    for cohort in cohorts {
        for id in cohort.ids() {
            let person = place_of(id, &mut places, &mut parent);
            rows.push(person);
            if cohort.unit() == Unit::Person {
                for other in cohort.snapshot().household(id) {
                    let other = place_of(other, &mut places, &mut parent);
                    let (a, b) = (root(&mut parent, person), root(&mut parent, other));
                    parent[a.max(b)] = a.min(b);
                }
            }
        }
    }
    rows.into_iter().map(|row| root(&mut parent, row) as u32).collect()
}

fn place_of<'r>(id: &'r str, places: &mut HashMap<&'r str, usize>, parent: &mut Vec<usize>) -> usize {
    *places.entry(id).or_insert_with(|| {
        parent.push(parent.len());
        parent.len() - 1
    })
}

fn root(parent: &mut [usize], mut of: usize) -> usize {
    while parent[of] != of {
        parent[of] = parent[parent[of]];
        of = parent[of];
    }
    of
}

/// For each row the ids of the people whose records may speak of it: its own, and the other members of the
/// household. `None` where rows are families, whose members the cohort does not name.
pub(super) fn households<'r>(cohort: &Cohort<'r>) -> Option<Vec<Vec<&'r str>>> {
    let of = |id| std::iter::once(id).chain(cohort.snapshot().household(id)).collect();
    (cohort.unit() == Unit::Person).then(|| cohort.ids().map(of).collect())
}
