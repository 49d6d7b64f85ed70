//! The promises of the crate's design, one by one: each has a test that fails when it is broken.
//!
//! What must not even compile is tested where the types are, by doctests.

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::error::{Error, ModelError, ReviewError, ScoringError, SpecError};
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::audit::{AttributeFinding, AuditError, AuditParams, AuditedGroup};
use earlyhelp::fairness::{FairnessAudit, Protected, ProtectedColumns};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, LogisticParams, Trainer, TrainingContext};
use earlyhelp::outcome::{FollowUp, Label, Occurrence, OutcomeSpec};
use earlyhelp::records::{Coverage, Extract, Known, Records, Selector, SourceMapping};
use earlyhelp::report::audit::{audit_csv, audit_text};
use earlyhelp::report::papers::model_card;
use earlyhelp::report::{model_html, model_json};
use earlyhelp::review::{Agreement, Decision, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{AuditedModel, Scorer, SignOff};
use polars::df;

use crate::world::{self, as_of, released};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The examples of a source file or page: what follows the three backticks, and the lines of the code.
fn examples(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or(line).trim();
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some((kind.to_owned(), Vec::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, code))) => code.push(line.to_owned()),
            (None, None) => {}
        }
    }
    found
}

/// An example that must not compile proves something only beside one that does and is the same but for a line:
/// otherwise a misspelt import would do.
#[test]
fn what_must_not_compile_stands_beside_a_twin_that_does_and_differs_in_one_line() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut codes = std::collections::BTreeMap::<String, usize>::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs" && kind != "md") {
                continue;
            }
            let examples = examples(&std::fs::read_to_string(&path).unwrap());
            for (place, (kind, fails)) in examples.iter().enumerate() {
                let Some(code) = kind.strip_prefix("compile_fail") else { continue };
                assert!(code.starts_with(",E0"), "{}: {kind} names no error", path.display());
                *codes.entry(code.to_owned()).or_default() += 1;
                let without = |these: &[String], others: &[String]| {
                    these.iter().filter(|line| !others.contains(line)).count()
                };
                let is_twin = |(kind, passes): &(String, Vec<String>)| {
                    kind.is_empty() && without(fails, passes) == 1 && without(passes, fails) <= 1
                };
                assert!(
                    examples[..place].iter().any(is_twin),
                    "{}: {kind} has no twin: {fails:?}",
                    path.display()
                );
            }
        }
    }
    assert!(codes.values().sum::<usize>() >= 20, "{codes:?}");
}

// 1. Strictly before.

#[test]
fn invariant_1_known_and_occurred_are_two_dates_and_only_the_first_opens_a_record() {
    let notices = df!(
        "person" => ["p", "p", "p"], "on" => ["2024-01-01", "2024-01-01", "2024-01-01"],
        "recorded" => ["2024-03-30", "2024-03-31", "2024-04-01"],
    )
    .unwrap();
    let mapping =
        SourceMapping::new("notices", "person", "notice", "on").known(Known::Column("recorded".into()));
    let records = Records::builder().source(mapping, Extract::frame(notices)).build().unwrap();
    let seen = |date: &str| records.as_of(as_of(date)).events("notices", "p").count();
    assert_eq!(["2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"].map(seen), [0, 1, 2, 3]);
}

#[test]
fn invariant_1_an_end_is_open_until_it_is_known() {
    let plans = df!(
        "person" => ["p"; 2], "on" => ["2024-01-01", "2024-01-02"], "until" => ["2024-02-01", "2024-02-02"],
        "told" => ["2024-03-31", "2024-03-30"],
    )
    .unwrap();
    let mapping = SourceMapping::new("plans", "person", "plan", "on").ended("until").ended_known("told");
    let records = Records::builder().source(mapping, Extract::frame(plans)).build().unwrap();
    let ends: Vec<Option<Day>> =
        records.as_of(as_of("2024-03-31")).events("plans", "p").map(|event| event.ended).collect();
    assert_eq!(ends, [None, Some(day("2024-02-02"))]);
}

// 2. The explanation is the only source of the score (the sums themselves: see `additivity`).

#[test]
fn invariant_2_the_score_changes_with_its_explanation_and_with_nothing_else() {
    let made = released();
    let cohort = world::cohort(&made.records, world::list_date());
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    let model = made.scorer.candidate().model();
    let matrix = made.scorer.candidate().features().compute(&cohort).unwrap();
    let ids: Vec<&str> = cohort.ids().collect();
    for rank in [1, 2, scores.len() / 2, scores.len()] {
        let case = scores.case(rank).unwrap().unwrap();
        let row = ids.iter().position(|id| *id == case.entity()).unwrap();
        let explanation = model.explain(&matrix, row).unwrap();
        let sum = explanation.contributions().iter().fold(explanation.intercept(), |sum, part| sum + part);
        let written = serde_json::to_value(&case).unwrap()["score"].as_f64().unwrap();
        assert_eq!(written.to_bits(), sum.to_bits());
        let mut wanted = explanation.contributions().to_vec();
        let mut found: Vec<f64> = case.contributions().iter().map(|part| part.log_odds).collect();
        wanted.sort_by(f64::total_cmp);
        found.sort_by(f64::total_cmp);
        assert_eq!(found, wanted);
    }
}

// 3. A score cannot be separated from its explanation and audit record.

#[test]
fn invariant_3_a_case_is_written_with_its_explanation_and_its_audit_record() {
    let made = released();
    let list = world::list(&made.scorer, &made.records);
    let text = serde_json::to_value(&list).unwrap();
    for entry in text["entries"].as_array().unwrap() {
        let case = &entry["case"];
        assert!(case["score"].is_f64() && case["average"].is_f64());
        assert!(!case["contributions"].as_array().unwrap().is_empty());
        assert!(case["cannot_see"].as_array().unwrap().len() >= 3);
        assert_eq!(case["audit"], text["audit"]);
        assert_eq!(case["audit"]["candidate"], made.chain.candidate.digest());
        assert_eq!(case["audit"]["model"], made.scorer.digest());
        let sources = case["audit"]["sources"].as_array().unwrap();
        let mut found: Vec<&str> = sources.iter().map(|state| state["source"].as_str().unwrap()).collect();
        let mut wanted: Vec<&str> = made.world.sources.iter().map(world::Source::name).collect();
        wanted.extend(["people", "households"]);
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        assert!(sources.iter().all(|state| state["digest"].as_str().unwrap().len() == 64));
    }
}

// 4. It never acts.

fn a_list() -> ReviewList {
    let made = released();
    world::list(&made.scorer, &made.records)
}

fn reviewer() -> Reviewer {
    Reviewer::new("C. Worker", "Social worker")
}

fn decide(list: &mut ReviewList, reason: &str) -> Result<Decision, ReviewError> {
    let open = list.open(1, reviewer(), day("2024-04-03")).unwrap();
    open.decide(Step::SeekInformation, Agreement::CannotTell, reason, day("2024-04-03"))
}

#[test]
fn invariant_4_a_decision_needs_a_named_reviewer_and_a_reason() {
    let mut list = a_list();
    for (name, role) in
        [("", "Social worker"), (" \t", "Social worker"), ("C. Worker", ""), ("C. Worker", "  ")]
    {
        let refused = list.open(1, Reviewer::new(name, role), day("2024-04-03"));
        assert!(matches!(refused, Err(ReviewError::Reviewer(_))), "{name:?}, {role:?}");
    }
    for reason in ["", " ", "\n\t"] {
        assert_eq!(decide(&mut list, reason).unwrap_err(), ReviewError::NoReason);
    }
    let decision = decide(&mut list, "The school should be asked first.").unwrap();
    assert_eq!(decision.reviewer().name, "C. Worker");
    assert_eq!(decision.reason(), "The school should be asked first.");
    assert_eq!(decision.run_id(), list.provenance().run_id);
    assert_eq!(decision.entity(), list.entries()[0].case().entity());
}

#[test]
fn invariant_4_there_is_no_place_beside_the_list() {
    let mut list = a_list();
    for place in [0, list.len() + 1, usize::MAX] {
        let refused = list.open(place, reviewer(), day("2024-04-03"));
        assert_eq!(refused.err(), Some(ReviewError::NoPlace(place)));
    }
    assert!(list.open(list.len(), reviewer(), day("2024-04-03")).is_ok());
}

#[test]
fn invariant_4_an_expired_list_is_refused() {
    let mut list = a_list();
    let last = list.provenance().expires;
    assert_eq!(last, world::list_date().day() + 31);
    assert!(list.open(1, reviewer(), last).is_ok());
    assert_eq!(list.open(1, reviewer(), last + 1).err(), Some(ReviewError::Expired(last.to_string())));
}

#[test]
fn invariant_4_a_list_is_cut_at_capacity_and_marks_what_was_drawn_by_lot() {
    let made = released();
    let cohort = world::cohort(&made.records, world::list_date());
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    for nothing in [Capacity::Cases(0), Capacity::Share(0.0), Capacity::Share(f64::NAN)] {
        let refused = ReviewList::draw(&scores, nothing);
        assert!(matches!(refused, Err(Error::Review(ReviewError::NoCapacity))));
    }
    assert_eq!(ReviewList::draw(&scores, Capacity::Cases(7)).unwrap().len(), 7);
    let text = serde_json::to_value(a_list()).unwrap();
    let entries = text["entries"].as_array().unwrap();
    let ranks = |drawn: &str| -> Vec<u64> {
        entries
            .iter()
            .filter(|entry| entry["drawn"] == drawn)
            .map(|entry| entry["case"]["rank"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ranks("by_rank"), (1..=12).collect::<Vec<u64>>());
    assert_eq!(ranks("at_random").len(), 4);
    assert!(ranks("at_random").iter().all(|&rank| rank > 12));
}

// 5. Released means audited and signed.

/// A candidate that differs from the released one in its settings alone.
fn another_candidate() -> Candidate {
    let made = released();
    let trainer = Trainer::Logistic(LogisticParams::default().strength(0.5));
    Candidate::train(&made.chain.data, &trainer, world::context(&made.records)).unwrap()
}

#[test]
fn invariant_5_evidence_of_another_candidate_is_refused() {
    let made = released();
    let other = another_candidate();
    let (chain, protected) = (&made.chain, made.world.protected());
    let other_backtest = world::backtest(&other, &chain.data);
    let other_audit = FairnessAudit::of(&other_backtest, &protected, &AuditParams::at_release()).unwrap();
    let refused = AuditedModel::new(other.clone(), &chain.backtest, &other_audit).unwrap_err();
    assert!(matches!(refused, ScoringError::OtherCandidate { what: "backtest" }), "{refused}");
    let refused = AuditedModel::new(other.clone(), &other_backtest, &chain.audit).unwrap_err();
    assert!(matches!(refused, ScoringError::OtherCandidate { what: "fairness check" }), "{refused}");
    assert!(AuditedModel::new(other, &other_backtest, &other_audit).is_ok());
}

#[test]
fn invariant_5_a_sign_off_says_who_what_for_and_until_when() {
    let good = world::sign_off();
    let broken = [
        SignOff { by: " ".into(), ..good.clone() },
        SignOff { role: String::new(), ..good.clone() },
        SignOff { purpose: "\t".into(), ..good.clone() },
        SignOff { review_by: good.signed_on, ..good.clone() },
        SignOff { review_by: good.signed_on - 1, ..good.clone() },
    ];
    for sign_off in broken {
        let refused = released().chain.audited.clone().release(sign_off.clone());
        assert!(matches!(refused, Err(ScoringError::SignOff(_))), "{sign_off:?}");
    }
}

#[test]
fn invariant_5_scoring_is_refused_for_another_purpose_or_by_nobody() {
    let made = released();
    let cohort = world::cohort(&made.records, world::list_date());
    for purpose in
        ["", "Fraud checks", "offer early help to families", "Offer early help to families and more"]
    {
        let mut request = world::request();
        request.purpose = purpose.into();
        let refused = made.scorer.score(&cohort, &request).err();
        assert!(matches!(refused, Some(ScoringError::OtherPurpose { .. })), "{purpose:?}");
    }
    let mut request = world::request();
    request.requested_by = " ".into();
    assert!(matches!(made.scorer.score(&cohort, &request).err(), Some(ScoringError::Request(_))));
    assert!(made.scorer.score(&cohort, &world::request()).is_ok());
}

#[test]
fn invariant_5_scoring_is_refused_when_the_review_is_overdue() {
    let made = released();
    let cohort = world::cohort(&made.records, world::list_date());
    let review_by = world::sign_off().review_by;
    let mut request = world::request();
    request.on = review_by;
    assert!(made.scorer.score(&cohort, &request).is_ok());
    request.on = review_by + 1;
    let refused = made.scorer.score(&cohort, &request).err();
    assert!(matches!(refused, Some(ScoringError::ReviewOverdue { .. })));
    // A request that is dated back does not help where the cohort is of a later day.
    let late = world::rules().choose(&made.records.as_of(AsOf::new(review_by + 1))).unwrap();
    let refused = made.scorer.score(&late, &world::request()).err();
    assert!(matches!(refused, Some(ScoringError::ReviewOverdue { .. })));
}

#[test]
fn invariant_5_a_cohort_by_other_rules_is_refused() {
    let made = released();
    let snapshot = made.records.as_of(world::list_date());
    for (rules, key) in [
        (CohortSpec::default(), "`"),
        (world::rules().ages(2, 16), "differ in `ages`;"),
        (world::rules().open(Selector::source("roll")), "differ in `open`;"),
    ] {
        let refused = made.scorer.score(&rules.choose(&snapshot).unwrap(), &world::request()).err();
        assert!(matches!(refused, Some(ScoringError::OtherPopulation { .. })), "{rules:?}");
        let told = refused.unwrap().to_string();
        assert!(told.contains(key), "{told}");
    }
}

/// Changes one byte after another of a file. A change that is read at all must be one that leaves
/// everything the file says as it was (the last digit of a number may be one of several for one float).
fn assert_no_byte_can_change<T: PartialEq>(text: &str, original: &T, read: impl Fn(&str) -> Option<T>) {
    assert!(read(text).as_ref() == Some(original), "the file itself is read");
    let step = text.len() / 400 + 1;
    let (mut tried, mut refused) = (0, 0);
    for at in (0..text.len()).step_by(step) {
        for bit in [0x01, 0x10] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            tried += 1;
            match read(&changed) {
                None => refused += 1,
                Some(says) => assert!(says == *original, "a change at byte {at} passed for the original"),
            }
        }
    }
    assert!(tried > 400 && refused * 100 > tried * 98, "{refused} of {tried} were refused");
}

#[test]
fn invariant_5_a_changed_file_is_refused() {
    let made = released();
    let candidate = serde_json::to_string(&made.chain.candidate).unwrap();
    assert_no_byte_can_change(&candidate, &made.chain.candidate, |text| serde_json::from_str(text).ok());
    let audited = made.chain.audited.to_json().unwrap();
    assert_no_byte_can_change(&audited, &made.chain.audited, |text| AuditedModel::from_json(text).ok());
    let scorer = made.scorer.to_json().unwrap();
    assert_no_byte_can_change(&scorer, &made.scorer, |text| Scorer::from_json(text).ok());
    // Cut short, doubled, or of another kind.
    assert!(Scorer::from_json(&scorer[..scorer.len() - 1]).is_err());
    assert!(Scorer::from_json(&format!("{scorer}{scorer}")).is_err());
    assert!(Scorer::from_json(&audited).is_err() && AuditedModel::from_json(&scorer).is_err());
}

#[test]
fn invariant_5_a_file_changed_in_meaning_is_told_from_a_broken_one() {
    let text = released().scorer.to_json().unwrap();
    let changed = text.replacen("A. Manager", "B. Manager", 1);
    assert_ne!(text, changed);
    assert!(matches!(Scorer::from_json(&changed), Err(ScoringError::Changed)));
    let broken = text.replacen('{', "", 1);
    assert!(matches!(Scorer::from_json(&broken), Err(ScoringError::File(_))));
}

// 6. Protected characteristics have no road into a model.

fn one_feature(feature: Feature) -> FeatureSpec {
    FeatureSpec::new(vec![feature]).unwrap()
}

fn train_with(feature: Feature, protected: &[&str]) -> Result<Candidate, ModelError> {
    let records = &released().records;
    let cohort = world::cohort(records, world::training_dates()[0]);
    let data = Dataset::build(&one_feature(feature), &world::outcome(), &[cohort]).unwrap();
    let protected = protected.iter().map(|&name| name.to_owned()).collect();
    Candidate::train(&data, &world::trainer(), TrainingContext { protected, ..TrainingContext::default() })
}

#[test]
fn invariant_6_a_feature_that_reads_a_protected_characteristic_is_refused() {
    let year = Lookback::Months(12);
    let police = || Selector::source("police");
    let roads = [
        ("place", Feature::new(police().category("place", "north"), Measure::Count, year)),
        ("Place", Feature::new(police().category("place", "north"), Measure::Count, year)),
        ("place", Feature::new(police(), Measure::Distinct("place".into()), year)),
        ("domestic", Feature::new(police().kind("theft").kind("domestic"), Measure::Any, year)),
        ("police", Feature::new(police(), Measure::Count, year)),
        ("police", Feature::new(police(), Measure::Count, year).of_household()),
        ("age", Feature::age()),
        ("date_of_birth", Feature::age().name("years")),
        ("age_band", Feature::age()),
        ("Date_Of_Birth", Feature::age()),
    ];
    for (characteristic, feature) in roads {
        let refused = train_with(feature.clone(), &[characteristic]).err();
        assert!(matches!(refused, Some(ModelError::Protected(_))), "{characteristic}: {}", feature.name);
        let refused = one_feature(feature.clone()).check_protected(&["another", characteristic]);
        assert!(matches!(refused, Err(SpecError::Protected { .. })), "{characteristic}");
        assert!(train_with(feature, &["another"]).is_ok());
    }
}

/// A candidate that was trained without a word of a characteristic is not released once the audit shows
/// that it reads it.
#[test]
fn invariant_6_an_audit_of_a_characteristic_that_the_model_reads_stops_the_release() {
    let made = released();
    let records = &made.records;
    let cohorts: Vec<_> = world::training_dates().iter().map(|&date| world::cohort(records, date)).collect();
    let feature = Feature::new(
        Selector::source("police").category("place", "north"),
        Measure::Count,
        Lookback::Months(12),
    );
    let data = Dataset::build(&one_feature(feature), &world::outcome(), &cohorts).unwrap();
    let candidate = Candidate::train(&data, &world::trainer(), TrainingContext::default()).unwrap();
    let backtest = world::backtest(&candidate, &data);
    for (characteristic, is_read) in [("sex", false), ("place", true)] {
        let protected = Protected::none(vec![characteristic.into()]);
        let audit = FairnessAudit::of(&backtest, &protected, &AuditParams::at_release()).unwrap();
        let released = AuditedModel::new(candidate.clone(), &backtest, &audit);
        assert_eq!(released.is_err(), is_read, "{characteristic}");
    }
}

// 6b. Who is few in a group is not pointed at.

/// The characteristics of everybody in the world, as `of` says.
fn protected_as(name: &str, of: impl Fn(usize, &str) -> String) -> Protected {
    let made = released();
    let people: Vec<&str> = made.world.sex.iter().map(|(person, _)| person.as_str()).collect();
    let values: Vec<String> = people.iter().enumerate().map(|(nth, person)| of(nth, person)).collect();
    let columns = ProtectedColumns { characteristics: vec![name.into()], ..world::protected_columns() };
    Protected::read(&columns, Extract::frame(df!("person" => people, name => values).unwrap())).unwrap()
}

#[test]
fn invariant_6_a_small_group_is_named_nowhere_and_refused_is_not_unknown() {
    let chain = &released().chain;
    let tested: Vec<&str> = chain.backtest.cases().entities.iter().map(String::as_str).collect();
    let rare = tested[0];
    let said = ["White British", "REFU", "Unknown", "unknown", "NOBT", "White British", ""];
    let protected = protected_as("ethnicity", |nth, person| {
        if person == rare { "Rarest of All".to_owned() } else { said[nth % said.len()].to_owned() }
    });
    let params = AuditParams::at_release();
    let audit = FairnessAudit::of(&chain.backtest, &protected, &params).unwrap();
    let AttributeFinding::Measured { groups, .. } = &audit.audit().attributes[0].finding else {
        panic!("measured")
    };
    // The rare one is held back with the next in size; the three ways of not knowing are three groups.
    let names: Vec<String> = groups.iter().map(AuditedGroup::name).collect();
    assert_eq!(names.len(), 5);
    assert_eq!(names[..1], ["white british"]);
    let not_known = ["unknown", "refused", "not obtained"];
    assert!(names[1..3].iter().all(|name| not_known.contains(&name.as_str())), "{names:?}");
    assert_eq!(names[3..], ["", ""]);
    let model = AuditedModel::new(chain.audited.candidate().clone(), &chain.backtest, &audit).unwrap();
    let texts = [
        model.to_json().unwrap(),
        model_html(&model).unwrap(),
        model_json(&model).unwrap(),
        model_card(&model).unwrap().to_markdown(),
        audit_text(&model.fairness()),
        audit_csv(&model.fairness()).unwrap(),
    ];
    for text in texts {
        assert!(text.contains("white british") && !text.to_lowercase().contains("rarest of all"));
    }
}

#[test]
fn invariant_6_an_id_is_no_protected_characteristic() {
    let chain = &released().chain;
    let refused = |of: &dyn Fn(usize, &str) -> String| {
        let protected = protected_as("person_id", of);
        FairnessAudit::of(&chain.backtest, &protected, &AuditParams::at_release()).unwrap_err()
    };
    let error = refused(&|_, person| person.to_owned());
    assert_eq!(error, AuditError::TooManyGroups { column: "person_id".into(), most: 60 });
    assert!(error.to_string().contains("put them into groups"), "{error}");
    // A few people whose ids are known are too many values, too.
    let error = refused(&|nth, person| if nth % 30 == 0 { person.to_owned() } else { String::new() });
    assert!(
        matches!(&error, AuditError::RareValues { column } if column == "person_id")
            && error.to_string().contains("put them into groups"),
        "{error}"
    );
}

// 7. Deterministic: see `determinism`.

#[test]
fn invariant_7_the_same_run_has_the_same_name_and_another_has_another() {
    let made = released();
    let cohort = world::cohort(&made.records, world::list_date());
    let run = |request| made.scorer.score(&cohort, &request).unwrap().provenance().clone();
    let first = run(world::request());
    assert_eq!(first, run(world::request()));
    let mut by_another = world::request();
    by_another.requested_by = "D. Lead".into();
    assert_ne!(first.run_id, run(by_another).run_id);
    let mut next_day = world::request();
    next_day.on = next_day.on + 1;
    assert_ne!(first.run_id, run(next_day).run_id);
}

// 8. Missing, zero and not covered are three things.

#[test]
fn invariant_8_the_three_stay_apart_from_the_reader_to_the_model_s_cases() {
    let notices = df!(
        "person" => ["p1", "p1", "p2"], "on" => ["2024-01-05", "2023-01-06", "2022-06-01"],
        "value" => [Some(0.0), None, Some(5.0)],
    )
    .unwrap();
    let people =
        df!("person" => ["p1", "p2", "p3"], "born" => ["2010-01-01", "2010-01-01", "1950-01-01"]).unwrap();
    let covers = Coverage { from: Some(day("2023-06-01")), ages: Some((0, 20)), ..Coverage::default() };
    let mapping = SourceMapping::new("notices", "person", "notice", "on").value("value").coverage(covers);
    let records = Records::builder()
        .people(world::people_columns(), Extract::frame(people))
        .source(mapping, Extract::frame(notices))
        .build()
        .unwrap();
    let of = |measure, over| Feature::new(Selector::source("notices"), measure, over);
    let (short, long) = (Lookback::Months(6), Lookback::Months(24));
    let spec =
        FeatureSpec::new(vec![of(Measure::Sum, short), of(Measure::Max, short), of(Measure::Count, long)])
            .unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let matrix = spec.compute(&cohort).unwrap();
    let row = |row| [0, 1, 2].map(|column| matrix.cell(row, column));
    assert_eq!(row(0), [Cell::Value(0.0), Cell::Value(0.0), Cell::NotCovered]);
    assert_eq!(row(1), [Cell::Value(0.0), Cell::Missing, Cell::NotCovered], "nothing happened");
    assert_eq!(row(2), [Cell::NotCovered; 3], "of an age that the source does not cover");
    let frame = matrix.to_polars().unwrap();
    let absent: Vec<Option<&str>> =
        frame.column(&format!("{}.absent", matrix.names()[1])).unwrap().str().unwrap().iter().collect();
    assert_eq!(absent, [None, Some("missing"), Some("not covered")]);
}

#[test]
fn invariant_8_the_three_stay_apart_in_the_explanation_that_is_written() {
    let made = released();
    let mut world = made.world.clone();
    // The school's roll ended before the list's look-back for some, and housing was read up to 2023 only.
    world.source_mut("housing").mapping.coverage.to = Some(day("2023-12-31"));
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    let (mut zero, mut missing, mut not_covered) = (0, 0, 0);
    for rank in 1..=scores.len() {
        let case = serde_json::to_value(scores.case(rank).unwrap().unwrap()).unwrap();
        let absent = case["absent"].as_array().unwrap();
        for part in case["contributions"].as_array().unwrap() {
            let (value, name) = (&part["values"][0], &part["features"][0]);
            let listed = absent.iter().find(|absence| absence["feature"] == *name);
            let words = part["words"].as_str().unwrap();
            if let Some(why) = value.as_str() {
                assert_eq!(listed.unwrap()["why"], why, "{name}");
                let said = if why == "missing" { "no value" } else { "not covered by the source" };
                assert!(words.contains(said), "{words}");
                missing += usize::from(why == "missing");
                not_covered += usize::from(why == "not covered");
            } else {
                assert!(listed.is_none() && value.is_number(), "{name}: {value}");
                assert!(!words.contains("no value") && !words.contains("not covered"), "{words}");
                zero += usize::from(value.as_f64() == Some(0.0));
            }
            if name.as_str().unwrap().starts_with("housing") {
                assert_eq!(*value, "not covered", "{name}");
            }
        }
    }
    assert!(zero > 0 && missing > 0 && not_covered > 0, "{zero}, {missing}, {not_covered}");
}

/// A school roll that begins later says nothing about absence now.
#[test]
fn invariant_8_a_place_taken_ahead_of_time_covers_nothing_yet() {
    let people = df!("person" => ["p1", "p2"], "born" => ["2015-01-01", "2015-01-01"]).unwrap();
    let roll =
        df!("person" => ["p1", "p2"], "on" => ["2023-09-01", "2024-09-01"], "until" => ["", ""]).unwrap();
    let absences = df!("person" => ["p1"], "on" => ["2024-01-10"]);
    // A second row, so that this test is about rolls alone.
    let absences =
        absences.unwrap().vstack(&df!("person" => ["p1"], "on" => ["2024-01-11"]).unwrap()).unwrap();
    let from = Some("2023-01-01".parse().unwrap());
    let covers = Coverage { from, roster: Some("roll".into()), ..Coverage::default() };
    let records = Records::builder()
        .people(world::people_columns(), Extract::frame(people))
        .source(
            SourceMapping::new("roll", "person", "place", "on").ended("until").known(Known::LagDays(-365)),
            Extract::frame(roll),
        )
        .source(
            SourceMapping::new("school", "person", "absence", "on").coverage(covers),
            Extract::frame(absences),
        )
        .build()
        .unwrap();
    let spec = one_feature(Feature::new(Selector::source("school"), Measure::Count, Lookback::Days(90)));
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let matrix = spec.compute(&cohort).unwrap();
    assert_eq!([matrix.cell(0, 0), matrix.cell(1, 0)], [Cell::Value(2.0), Cell::NotCovered]);
}

// Outcomes: nobody is a negative of whom that cannot be said.

fn plans(rows: &[(&str, &str, &str)], to: Option<&str>) -> Records {
    let column = |nth: usize| -> Vec<&str> { rows.iter().map(|row| [row.0, row.1, row.2][nth]).collect() };
    let frame = df!("person" => column(0), "on" => column(1), "until" => column(2)).unwrap();
    let people =
        df!("person" => ["p1", "p2", "p3"], "born" => ["2010-01-15", "2006-06-15", "2012-01-15"]).unwrap();
    let roll = df!(
        "person" => ["p1", "p2", "p3", "p3"], "on" => ["2015-09-01", "2015-09-01", "2015-09-01", "2024-06-01"],
        "until" => ["", "", "2024-06-01", "2024-09-01"],
    )
    .unwrap();
    let covers = Coverage { to: Some(day(to.unwrap_or("2025-12-31"))), ..Coverage::default() };
    let complete = Coverage { to: Some(day("2025-12-31")), ..Coverage::default() };
    Records::builder()
        .people(world::people_columns(), Extract::frame(people))
        .source(
            SourceMapping::new("plans", "person", "plan", "on").ended("until").coverage(covers),
            Extract::frame(frame),
        )
        .source(
            SourceMapping::new("roll", "person", "place", "on").ended("until").coverage(complete),
            Extract::frame(roll),
        )
        .build()
        .unwrap()
}

fn a_plan() -> OutcomeSpec {
    OutcomeSpec::any("plan", "A plan begins", [Selector::source("plans")], Horizon::Months(12))
}

fn labels(records: &Records, outcome: &OutcomeSpec) -> Result<Vec<Label>, SpecError> {
    outcome.labels(&CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap())
}

const TWO_PLANS: [(&str, &str, &str); 2] = [("p1", "2024-04-01", ""), ("p2", "2025-04-01", "")];

#[test]
fn an_outcome_counts_from_the_date_on_up_to_the_horizon() {
    let found = labels(&plans(&TWO_PLANS, None), &a_plan()).unwrap();
    assert_eq!(found, [Label::Positive, Label::Negative, Label::Negative]);
}

#[test]
fn a_horizon_beyond_the_extract_is_refused() {
    assert!(labels(&plans(&TWO_PLANS, Some("2025-03-31")), &a_plan()).is_ok());
    let refused = labels(&plans(&TWO_PLANS, Some("2025-03-30")), &a_plan()).unwrap_err();
    assert!(matches!(refused, SpecError::BeyondExtract { .. }), "{refused}");
    let records = plans(&TWO_PLANS, Some("2025-03-30"));
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let spec = one_feature(Feature::age());
    assert!(matches!(
        Dataset::build(&spec, &a_plan(), &[cohort]),
        Err(Error::Spec(SpecError::BeyondExtract { .. }))
    ));
}

/// A source that does not say how far it reaches cannot have negatives.
#[test]
fn an_outcome_of_a_source_without_an_end_is_refused() {
    let frame = df!("person" => ["p1"], "on" => ["2024-05-01"]).unwrap();
    let records = Records::builder()
        .source(SourceMapping::new("plans", "person", "plan", "on"), Extract::frame(frame))
        .build()
        .unwrap();
    let refused = labels(&records, &a_plan()).unwrap_err();
    assert!(refused.to_string().contains("`to`"), "{refused}");
}

#[test]
fn a_case_whose_follow_up_ends_early_is_never_a_negative() {
    let records = plans(&TWO_PLANS, None);
    let followed = |during: Option<&str>, until_age| OutcomeSpec {
        follow_up: FollowUp { during: during.map(Selector::source), until_age },
        ..a_plan()
    };
    // p2 turns 18 within the horizon; p3 leaves the roll within it, after one unbroken run of two places.
    let found = labels(&records, &followed(None, Some(18))).unwrap();
    assert_eq!(found, [Label::Positive, Label::FollowUpEnded, Label::Negative]);
    let found = labels(&records, &followed(Some("roll"), None)).unwrap();
    assert_eq!(found, [Label::Positive, Label::Negative, Label::FollowUpEnded]);
    let outcome = followed(Some("roll"), Some(18));
    assert_eq!(
        labels(&records, &outcome).unwrap(),
        [Label::Positive, Label::FollowUpEnded, Label::FollowUpEnded]
    );
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let data = Dataset::build(&one_feature(Feature::age()), &outcome, &[cohort]).unwrap();
    assert_eq!((data.rows(), data.outcomes(), data.dates()[0].follow_up_ended), (1, &[true][..], 2));
}

#[test]
fn an_outcome_before_follow_up_ended_still_counts() {
    let records = plans(&[("p3", "2024-08-31", ""), ("p1", "2020-01-01", "2020-02-01")], None);
    let outcome = OutcomeSpec {
        follow_up: FollowUp { during: Some(Selector::source("roll")), until_age: None },
        ..a_plan()
    };
    assert_eq!(labels(&records, &outcome).unwrap()[2], Label::Positive);
}

#[test]
fn the_first_occurrence_alone_leaves_out_whoever_had_one_before() {
    let records = plans(
        &[
            ("p1", "2020-01-01", "2020-02-01"),
            ("p1", "2024-05-01", ""),
            ("p2", "2024-05-01", ""),
            ("p3", "2024-03-31", ""),
        ],
        None,
    );
    let first = OutcomeSpec { counts: Occurrence::First, ..a_plan() };
    assert_eq!(labels(&records, &a_plan()).unwrap(), [Label::Positive, Label::Positive, Label::Negative]);
    let found = labels(&records, &first).unwrap();
    assert_eq!(found, [Label::AlreadyHappened, Label::Positive, Label::AlreadyHappened]);
    assert!(found.iter().all(|label| *label == Label::Positive || label.outcome().is_none()));
}

/// A roll that was read up to some day cannot say who was followed after it.
#[test]
fn a_follow_up_source_that_ends_within_the_horizon_is_refused() {
    let made = released();
    let mut world = made.world.clone();
    world.source_mut("roll").mapping.coverage.to = Some(day("2023-06-30"));
    let records = world.records();
    let outcome = OutcomeSpec {
        follow_up: FollowUp { during: Some(Selector::source("roll")), until_age: None },
        ..world::outcome()
    };
    let refused = outcome.labels(&world::cohort(&records, as_of("2023-04-01"))).unwrap_err();
    assert!(matches!(refused, SpecError::BeyondExtract { .. }), "{refused}");
}

// 9. Nothing is lost: see `intake`.

#[test]
fn invariant_9_every_row_of_every_source_is_accounted_for() {
    let made = released();
    let rows = |name: &str| match name {
        "people" => made.world.people.len(),
        "households" => made.world.spells.len(),
        source => made.world.source(source).rows.len(),
    };
    assert_eq!(made.records.intake().len(), made.world.sources.len() + 2);
    for intake in made.records.intake() {
        assert_eq!(
            (intake.read, intake.accepted, intake.rejected),
            (rows(&intake.source) as u64, intake.read, 0)
        );
    }
}

// 10. No person's value or id in an error, a log or a `Debug`.

/// Ids, references and values that nothing else could contain.
fn telling_world() -> world::World {
    let mut world = world::council(23, 120);
    let tell = |text: &mut String| *text = format!("SECRET-4711-{text}");
    world.people.iter_mut().for_each(|person| tell(&mut person.id));
    world.spells.iter_mut().for_each(|spell| {
        tell(&mut spell.person);
        tell(&mut spell.household);
    });
    for row in world.sources.iter_mut().flat_map(|source| &mut source.rows) {
        tell(&mut row.person);
        tell(&mut row.reference);
        row.place.iter_mut().for_each(tell);
        row.value = row.value.map(|_| 471_147.0);
    }
    for (person, sex) in &mut world.sex {
        tell(person);
        *sex = "SECRET-4711-group";
    }
    world
}

fn assert_tells_nothing(of: &str, text: &str) {
    for word in ["SECRET", "4711"] {
        let found = text.find(word).map(|at| &text[at.saturating_sub(80)..(at + 40).min(text.len())]);
        assert!(found.is_none(), "Debug of {of}: {found:?}");
    }
}

#[test]
fn invariant_10_debug_of_what_is_read_tells_of_nobody() {
    let world = telling_world();
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    assert_tells_nothing("an extract", &format!("{:?}", Extract::frame(world.sources[0].frame())));
    assert_tells_nothing("a builder", &format!("{:?}", world.builder_of_people()));
    assert_tells_nothing("the protected characteristics", &format!("{:?}", world.protected()));
    assert_tells_nothing("the records", &format!("{records:?}"));
    assert_tells_nothing("a snapshot", &format!("{:?}", cohort.snapshot()));
    assert_tells_nothing("a cohort", &format!("{cohort:?}"));
    let event = cohort.ids().find_map(|id| cohort.snapshot().events("police", id).next()).unwrap();
    assert_tells_nothing("an event", &format!("{event:?}"));
}

#[test]
fn invariant_10_debug_of_what_is_computed_tells_of_nobody() {
    let world = telling_world();
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let spec = world::features();
    assert_tells_nothing("a matrix", &format!("{:?}", spec.compute(&cohort).unwrap()));
    assert_tells_nothing("a dataset", &format!("{:?}", world::dataset(&records)));
    for row in 0..cohort.len() {
        assert_tells_nothing("a reference", &format!("{:?}", spec.records_behind(&cohort, row, 0).unwrap()));
    }
    let made = released();
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    assert_tells_nothing("scores", &format!("{scores:?}"));
    assert_tells_nothing("a case", &format!("{:?}", scores.case(1).unwrap()));
    let mut list = world::list(&made.scorer, &records);
    assert_tells_nothing("a list", &format!("{list:?}"));
    let open = list.open(1, reviewer(), day("2024-04-03")).unwrap();
    assert_tells_nothing("an open case", &format!("{open:?}"));
    let decision = open.decide(Step::NoAction, Agreement::Agree, "SECRET reason", day("2024-04-03")).unwrap();
    assert_tells_nothing("a decision", &format!("{decision:?}"));
}

#[test]
fn invariant_10_debug_of_a_backtest_tells_of_nobody() {
    let world = telling_world();
    let records = world.records();
    let chain = world::chain(&world, &records);
    assert_tells_nothing("a backtest", &format!("{:?}", chain.backtest));
    assert_tells_nothing("test cases", &format!("{:?}", chain.backtest.cases()));
}

#[test]
fn invariant_10_errors_name_the_definition_and_nobody() {
    let world = telling_world();
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let spec =
        |source: &str, measure| one_feature(Feature::new(Selector::source(source), measure, Lookback::Ever));
    let errors = [
        spec("nowhere", Measure::Count).compute(&cohort).unwrap_err(),
        spec("school", Measure::Sum).compute(&cohort).unwrap_err(),
        spec("police", Measure::DaysOpen).compute(&cohort).unwrap_err(),
        spec("police", Measure::Distinct("street".into())).compute(&cohort).unwrap_err(),
        world::features().records_behind(&cohort, cohort.len(), 0).unwrap_err(),
        world::rules().ages(100, 120).choose(cohort.snapshot()).unwrap_err(),
    ];
    for error in errors {
        assert_tells_nothing("an error", &format!("{error} {error:?}"));
    }
}
