//! Who was shown on a list, and where.

use super::events::CaseScored;
use crate::review::ReviewList;
use crate::scoring::ScoredCase;

/// The cases of a list by their ids, each with its place or the place that it stands beside.
pub(super) fn shown_on(list: &ReviewList) -> hashbrown::HashMap<&str, (CaseScored, &ScoredCase)> {
    let mut shown = hashbrown::HashMap::new();
    for (entry, place) in list.entries().iter().zip(1..) {
        let facts = CaseScored { place: Some(place), drawn: Some(entry.why_listed()), beside: None };
        shown.insert(entry.case().entity(), (facts, entry.case()));
        for case in entry.beside() {
            let facts = CaseScored { place: None, drawn: None, beside: Some(place) };
            shown.insert(case.entity(), (facts, case));
        }
    }
    shown
}
