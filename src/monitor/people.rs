//! Which rows belong together, and whose records may speak of a row.

use crate::cohort::Cohort;

/// A number for the family of every row of every cohort, in their order: see
/// [`Records::families`](crate::records::Records::families).
pub(super) fn families(cohorts: &[&Cohort<'_>]) -> Vec<u32> {
    cohorts.iter().flat_map(|cohort| (0..cohort.len()).map(|row| cohort.family(row))).collect()
}

/// For each row the ids of the people whose records may speak of it: its own, and the other members of the
/// household.
pub(super) fn households<'r>(cohort: &'r Cohort<'_>) -> Vec<Vec<&'r str>> {
    let ids = &cohort.snapshot().records().the_people().ids;
    let of = |row| {
        let others: Vec<u32> = cohort.others(row).into_iter().flatten().collect();
        cohort.own(row).people().iter().chain(&others).map(|&person| &*ids[person as usize]).collect()
    };
    (0..cohort.len()).map(of).collect()
}
