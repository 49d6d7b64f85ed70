//! Cases that are not scored: none is lost, and none is on a list.

use earlyhelp::evaluate::Capacity;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Abstention, Request, WhyNot};

use crate::world;

#[test]
fn scored_and_not_scored_are_the_cohort_and_each_refusal_says_why() {
    let released = world::released();
    let cohort = world::cohort(&released.records, world::list_date());
    let score = |abstention: Abstention| {
        let request = Request { abstention, ..world::request() };
        let scores = released.scorer.score(&cohort, &request).unwrap();
        assert_eq!(scores.len() + scores.not_scored().len(), cohort.len());
        assert_eq!(scores.provenance().not_scored as usize, scores.not_scored().len());
        let reasons: Vec<WhyNot> = scores.not_scored().iter().map(|held| held.reason().clone()).collect();
        let refused: Vec<String> = scores.not_scored().iter().map(|held| held.entity().to_owned()).collect();
        let listed = ReviewList::draw(&scores, Capacity::Share(1.0), None);
        if let Ok(list) = &listed {
            assert_eq!(list.not_scored().len(), refused.len());
            let on_list = |entity: &str| refused.iter().any(|held| held == entity);
            assert!(!list.entries().iter().any(|entry| on_list(entry.case().entity())));
        }
        (reasons, scores.is_empty(), listed.is_err())
    };

    let (usual, ..) = score(Abstention::default());
    assert!(usual.len() * 10 < cohort.len(), "{} of {} refused by default", usual.len(), cohort.len());

    // A range without its outer nine tenths: whoever is not near the middle is outside it.
    let (narrow, ..) = score(Abstention { widths_outside: -0.45, ..Abstention::default() });
    assert!(narrow.len() > usual.len());
    assert!(narrow.iter().any(|reason| matches!(reason, WhyNot::Outside { .. })));

    // Nothing may be unknown, not even nothing: everybody is refused, and there is no list.
    let (all, empty, no_list) = score(Abstention { unknown_share: -1.0, ..Abstention::default() });
    assert_eq!(all.len(), cohort.len());
    assert!(empty && no_list);
    assert!(all.iter().all(|reason| !reason.words().is_empty()));
}
