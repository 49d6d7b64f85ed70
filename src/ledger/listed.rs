//! Who was shown on a list, and where.

use super::events::CaseScored;
use super::shown::ShownCase;
use crate::review::ReviewList;
use crate::scoring::{CounterEvidence, RankedCase};

/// A case as a list shows it.
#[derive(Clone, Copy)]
pub(super) struct Shown<'l> {
    pub(super) facts: CaseScored,
    case: &'l RankedCase,
    /// Of the case that leads a place.
    counter: Option<&'l CounterEvidence>,
}

impl Shown<'_> {
    /// What of it stands in the ledger; `score` is its score in log-odds.
    pub(super) fn case(&self, score: f64) -> ShownCase {
        let counter = self.counter.cloned().unwrap_or_default();
        ShownCase { counter, ..ShownCase::ranked(self.case, score) }
    }
}

/// The cases of a list by their ids, each with its place or the place that it stands beside.
pub(super) fn shown_on(list: &ReviewList) -> hashbrown::HashMap<&str, Shown<'_>> {
    let mut shown = hashbrown::HashMap::new();
    for (entry, place) in list.entries().iter().zip(1..) {
        let facts = CaseScored { place: Some(place), drawn: Some(entry.why_listed()), beside: None };
        let counter = Some(entry.counter_evidence());
        shown.insert(entry.case().entity(), Shown { facts, case: entry.case(), counter });
        for case in entry.beside() {
            let facts = CaseScored { place: None, drawn: None, beside: Some(place) };
            shown.insert(case.entity(), Shown { facts, case, counter: None });
        }
    }
    shown
}
