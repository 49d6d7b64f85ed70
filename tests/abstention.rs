//! Cases that are not scored: none is lost, and none is on a list.

use earlyhelp::error::ScoringError;
use earlyhelp::evaluate::Capacity;
use earlyhelp::report::{list_html, list_json};
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
        let listed = ReviewList::draw(&scores, Capacity::Share(1.0));
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

#[test]
fn looser_limits_than_usual_need_somebody_who_allows_them() {
    let released = world::released();
    let cohort = world::cohort(&released.records, world::list_date());
    let usual = world::request();
    let refused = |request: &Request| {
        let Err(error) = released.scorer.score(&cohort, request) else { panic!("{request:?} is refused") };
        error.to_string()
    };
    let of = |abstention: Abstention| Request { abstention, ..usual.clone() };
    for looser in [
        of(Abstention { widths_outside: 50.0, ..Abstention::default() }),
        of(Abstention { unknown_share: 1.0, ..Abstention::default() }),
        of(Abstention { stale_days: 4_000, ..Abstention::default() }),
        Request { valid_for_days: 90, ..usual.clone() },
    ] {
        assert!(refused(&looser).contains("by_exception"));
        // Blanks that nobody sees are no name.
        assert!(refused(&looser.clone().by_exception("\u{200b}", "a trial")).contains("name and a reason"));
        let allowed = looser.by_exception("A. Manager", "a trial of the rule");
        let scores = released.scorer.score(&cohort, &allowed).unwrap();
        let list = ReviewList::draw(&scores, Capacity::Cases(3)).unwrap();
        for form in [list_html(&list, "A list").unwrap(), list_json(&list).unwrap()] {
            assert!(form.contains("A. Manager") && form.contains("trial of the rule"));
        }
    }
    for (never, why) in [
        (of(Abstention { widths_outside: f64::INFINITY, ..Abstention::default() }), "finite"),
        (of(Abstention { widths_outside: f64::NAN, ..Abstention::default() }), "finite"),
        (of(Abstention { unknown_share: f64::NAN, ..Abstention::default() }), "at most 1"),
        (of(Abstention { unknown_share: 1.5, ..Abstention::default() }), "at most 1"),
        (Request { valid_for_days: 36_500, ..usual.clone() }, "366"),
        (Request { valid_for_days: 0, ..usual.clone() }, "1 to 366"),
    ] {
        assert!(refused(&never.by_exception("A. Manager", "because")).contains(why));
    }
    // A stricter rule needs nobody; and nobody excepts what is usual.
    let stricter = of(Abstention { stale_days: 30, ..Abstention::default() });
    assert!(released.scorer.score(&cohort, &stricter).is_ok());
    assert!(refused(&stricter.by_exception("A. Manager", "because")).contains("nothing to except"));
}

#[test]
fn nobody_is_scored_before_somebody_has_signed() {
    let released = world::released();
    let cohort = world::cohort(&released.records, world::list_date());
    let before = Request { on: released.scorer.sign_off().signed_on + -1, ..world::request() };
    let refused = released.scorer.score(&cohort, &before).err();
    assert!(matches!(refused, Some(ScoringError::BeforeSignOff { .. })), "{refused:?}");
}
