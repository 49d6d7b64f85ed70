//! The second month: what a list says of the list before it, against a direct calculation from the two.

use std::collections::{BTreeMap, BTreeSet};

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::Ledger;
use earlyhelp::report::list_json;
use earlyhelp::review::{
    Agreement, EarlierList, ListParams, RandomSample, ReviewList, Reviewer, Step, WhyLeft, WhyListed,
};
use earlyhelp::scoring::{OnePer, Request, Scores};
use serde_json::Value;

use crate::world::{PURPOSE, cohort, released};

/// Asks for a list of a date, puts it on record, and holds it against the ledger's list before it.
fn month<'a>(ledger: &Ledger, as_of: AsOf) -> (Scores<'a, 'a>, ReviewList) {
    let council = released();
    let request = Request::new("B. Lead", PURPOSE, as_of.day() + 1);
    let start = ledger.start_run(&council.scorer, &request, as_of, None).unwrap();
    let earlier = ledger.earlier_list(PURPOSE, as_of).unwrap();
    let scores = council.scorer.score(&cohort(&council.records, as_of), &request).unwrap();
    let sample = RandomSample { cases: 4, seed: 3 };
    let mut list =
        ReviewList::draw(&scores, ListParams::new(Capacity::Cases(12)).comparison(sample)).unwrap();
    if let Some(earlier) = earlier {
        list.since(&earlier, &scores).unwrap();
    }
    ledger.finish_run(start, &scores, &mut list, &council.records).unwrap();
    (scores, list)
}

/// Everybody on a list by the place, ranked places alone.
fn places(list: &ReviewList) -> Vec<BTreeSet<String>> {
    let ranked = list.entries().iter().filter(|entry| entry.why_listed() != WhyListed::AtRandom);
    ranked
        .map(|entry| {
            let all = std::iter::once(entry.case()).chain(entry.beside());
            all.map(|case| case.entity().to_owned()).collect()
        })
        .collect()
}

/// The log-odds of every scored case, by id.
fn log_odds(scores: &Scores<'_, '_>) -> BTreeMap<String, f64> {
    (1..=scores.len())
        .map(|rank| {
            let case = scores.case(rank).unwrap().unwrap();
            let score = serde_json::to_value(&case).unwrap()["score"].as_f64().unwrap();
            (case.entity().to_owned(), score)
        })
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told for both stores")]
fn the_second_list_says_what_is_new_stayed_left_fell_and_was_decided() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ledger.sqlite", "ledger.jsonl"] {
        let ledger = Ledger::open(folder.path().join(name)).unwrap();
        let (april, june): (AsOf, AsOf) = ("2024-04-01".parse().unwrap(), "2024-06-01".parse().unwrap());
        let (then_scores, then) = month(&ledger, april);
        assert!(then.changes().is_none(), "there was no list before the first");
        // Every place is looked at, and two in three are decided about.
        let reviewer = || Reviewer::new("A. Worker", "early help worker");
        let decided_on = april.day() + 10;
        for place in 1..=then.len() as u32 {
            let case = ledger
                .open_case((then.provenance().run_id.as_str(), place), reviewer(), None, decided_on)
                .unwrap();
            if place % 3 != 0 {
                let (step, agreement) = (Step::OfferSupport, Agreement::Agree);
                let decision = case.decide(step, agreement, format!("seen at {place}"), decided_on).unwrap();
                ledger.record_decision(&decision).unwrap();
            }
        }
        let (now_scores, now) = month(&ledger, june);
        let since = now.changes().unwrap();
        assert_eq!((since.as_of, &since.run_id), (april, &then.provenance().run_id));

        // New and stayed, by anybody of the place.
        let shown_then: BTreeSet<String> = then
            .entries()
            .iter()
            .flat_map(|entry| std::iter::once(entry.case()).chain(entry.beside()))
            .map(|case| case.entity().to_owned())
            .collect();
        let of_now = places(&now);
        let stayed = of_now.iter().filter(|place| !place.is_disjoint(&shown_then)).count();
        assert_eq!((since.stayed as usize, since.new as usize), (stayed, of_now.len() - stayed));
        assert!(since.stayed > 0 && since.new > 0, "both happen: {} and {}", since.stayed, since.new);

        // Left: the leads of ranked places of which nobody is shown any more.
        let shown_now: BTreeSet<String> = now
            .entries()
            .iter()
            .flat_map(|entry| std::iter::once(entry.case()).chain(entry.beside()))
            .map(|case| case.entity().to_owned())
            .collect();
        let gone: Vec<&str> = then
            .entries()
            .iter()
            .zip(places(&then))
            .filter(|(_, place)| place.is_disjoint(&shown_now))
            .map(|(entry, _)| entry.case().entity())
            .collect();
        let left: Vec<&str> = since.left.iter().map(|left| left.entity.as_str()).collect();
        assert_eq!(left, gone);
        assert!(!left.is_empty());
        let (before, after) = (log_odds(&then_scores), log_odds(&now_scores));
        let lowest_now = places(&now)
            .iter()
            .flatten()
            .filter_map(|entity| after.get(entity))
            .fold(f64::INFINITY, |low, &score| low.min(score));
        for left in &since.left {
            match &left.why {
                WhyLeft::Fell { rank } => {
                    let case = now_scores.case(*rank as usize).unwrap().unwrap();
                    assert_eq!(case.entity(), left.entity);
                }
                WhyLeft::NotScored { why } => {
                    let held = now_scores.not_scored().iter().find(|held| held.entity() == left.entity);
                    assert_eq!(held.unwrap().reason().words(), *why);
                }
                _ => assert!(!after.contains_key(&left.entity)),
            }
            assert!(!left.why.words().is_empty());
        }
        assert!(lowest_now.is_finite());

        // Decided, and for how long.
        for entry in now.entries() {
            let Some(stayed) = entry.since() else { continue };
            assert_eq!(stayed.times, 2);
            let decided = stayed.decided.as_ref();
            assert_eq!(decided.is_some(), stayed.place_then % 3 != 0);
            if let Some(decided) = decided {
                assert_eq!(decided.reason, format!("seen at {}", stayed.place_then));
                assert_eq!((decided.by.clone(), decided.on), (reviewer(), decided_on));
            }
            for changed in &stayed.changed {
                assert!(!changed.new_records.is_empty() || changed.records_gone > 0);
                let since_then = |record: &earlyhelp::records::RecordReference| record.known >= april.day();
                assert!(
                    changed.new_records.iter().all(since_then),
                    "records are new because they were not known then"
                );
            }
        }

        // Fallen: the difference of the two scores, by their own sums.
        for fallen in &since.fallen {
            let direct = after[&fallen.entity] - before[&fallen.entity];
            assert!((fallen.difference - direct).abs() < 1e-9, "{} and {direct}", fallen.difference);
            assert!(fallen.interval.high < 0.0 && fallen.interval.low < fallen.difference);
        }
        let fallen: BTreeSet<&str> = since.fallen.iter().map(|fallen| fallen.entity.as_str()).collect();
        for entry in then.entries() {
            let entity = entry.case().entity();
            if let Some(now) = after.get(entity)
                && *now >= before[entity]
            {
                assert!(!fallen.contains(entity), "a score that has not fallen");
            }
        }

        // A list's own data say the same, but for decisions.
        let from_file = EarlierList::from_json(&list_json(&then).unwrap()).unwrap();
        let mut again =
            ReviewList::draw(&now_scores, ListParams::new(Capacity::Cases(12)).one_per(OnePer::Household))
                .unwrap();
        again.since(&from_file, &now_scores).unwrap();
        let same = again.changes().unwrap();
        assert_eq!((same.new, same.stayed), (since.new, since.stayed));
        let ids = |left: &[earlyhelp::review::Left]| {
            left.iter().map(|left| left.entity.clone()).collect::<Vec<_>>()
        };
        assert!(ids(&since.left).iter().all(|entity| ids(&same.left).contains(entity)));
        assert!(
            again.entries().iter().filter_map(|entry| entry.since()).all(|stayed| stayed.decided.is_none())
        );
        let data: Value = serde_json::from_str(&list_json(&now).unwrap()).unwrap();
        assert_eq!(data["since"]["new"].as_u64().unwrap(), u64::from(since.new));
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}

#[test]
fn a_list_of_no_earlier_date_and_a_file_that_is_no_list_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.jsonl")).unwrap();
    let (scores, mut list) = month(&ledger, "2024-04-01".parse().unwrap());
    let itself = EarlierList::from_json(&list_json(&list).unwrap()).unwrap();
    let refused = list.since(&itself, &scores).unwrap_err().to_string();
    assert!(refused.contains("not of an earlier date"), "{refused}");
    // A list that was drawn for something else, or of other people, is none that this one follows; and a number is not believed.
    let data = list_json(&list).unwrap();
    let earlier = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut data: serde_json::Value = serde_json::from_str(&data).unwrap();
        data["audit"]["as_of"] = "2024-03-01".into();
        change(&mut data);
        EarlierList::from_json(&data.to_string()).unwrap()
    };
    let mut held_against =
        |earlier: &EarlierList| list.since(earlier, &scores).map_err(|why| why.to_string());
    let other = earlier(&|data| data["audit"]["purpose"] = "Find fraud".into());
    assert!(held_against(&other).unwrap_err().contains("another purpose"));
    let strangers = earlier(&|data| {
        for (nth, entry) in data["entries"].as_array_mut().unwrap().iter_mut().enumerate() {
            entry["case"]["entity"] = format!("MARKER-{nth}").into();
        }
    });
    let told = held_against(&strangers).unwrap_err();
    assert!(told.contains("of other ids") && !told.contains("MARKER"), "{told}");
    let long = earlier(&|data| {
        for entry in data["entries"].as_array_mut().unwrap() {
            entry["since"] = serde_json::json!({ "times": u32::MAX });
        }
    });
    held_against(&long).unwrap();
    for text in ["", "{}", "[1]", r#"{"audit": {"run_id": "MARKER-1"}, "entries": []}"#] {
        let refused = EarlierList::from_json(text).err().unwrap().to_string();
        assert!(refused.contains("no list of this program's") && !refused.contains("MARKER"), "{refused}");
    }
}
