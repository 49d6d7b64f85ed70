use std::collections::BTreeSet;

use super::*;
use crate::features::PARTS;
use crate::records::{Role, Selector};

fn day() -> AsOf {
    AsOf::new("2025-04-01".parse().unwrap())
}

/// One feature of each measure.
fn measures() -> Vec<Measure> {
    let category = || "tenure".to_owned();
    vec![
        Measure::Count,
        Measure::Any,
        Measure::Sum,
        Measure::Mean,
        Measure::Max,
        Measure::Min,
        Measure::Share,
        Measure::Latest,
        Measure::Slope,
        Measure::LatestIs { category: category(), value: "private rent".to_owned() },
        Measure::LatestOf {
            category: category(),
            codes: vec!["council".to_owned(), "private rent".to_owned()],
        },
        Measure::DistinctKinds,
        Measure::DistinctDays,
        Measure::Distinct(category()),
        Measure::Incidents,
        Measure::DaysSinceLast,
        Measure::DaysSinceFirst,
        Measure::DaysSinceChange(category()),
        Measure::DaysOpen,
        Measure::Change,
        Measure::PresentNow,
        Measure::Age,
        Measure::Members(0, 17),
        Measure::Moves,
    ]
}

fn feature(measure: &Measure, scope: Scope, over: Lookback) -> Feature {
    let source = if measure.is_of_people() { "people" } else { "notices" };
    let feature = Feature::new(Selector::source(source), measure.clone(), over)
        .noun("domestic abuse notice", "domestic abuse notices");
    if scope == Scope::Household { feature.of_household() } else { feature }
}

#[test]
fn the_file_has_every_measure_and_no_part_that_there_is_none_of() {
    let english: Sentences = toml::from_str(include_str!("en.toml")).unwrap();
    let named: BTreeSet<String> = measures().iter().map(key).collect();
    assert_eq!(english.measure.keys().cloned().collect::<BTreeSet<_>>(), named);
    assert!(english.measure.values().all(|forms| forms.many.is_some()));
    let usual = BTreeSet::from(["value", "share"]);
    let texts = english.parts.values().map(|text| (text, false));
    for (text, is_usual) in texts.chain(english.usual.values().map(|text| (text, true))) {
        fill(text, |part| {
            assert!(if is_usual { usual.contains(part) } else { PARTS.contains(&part) }, "{text}");
            String::new()
        });
    }
    for forms in english.measure.values() {
        let SayForms { none, one, many, fewer, missing } = forms;
        for text in [none, one, many, fewer, missing].into_iter().flatten() {
            fill(text, |part| {
                assert!(PARTS.contains(&part), "{text}");
                String::new()
            });
        }
    }
}

/// Every measure, scope, unit and absence as it is read.
#[test]
fn sentences_as_they_are_read() {
    let cells = [
        Cell::Value(0.0),
        Cell::Value(1.0),
        Cell::Value(3.0),
        Cell::Value(-2.0),
        Cell::Value(1_204.56),
        Cell::Missing,
        Cell::NotCovered,
    ];
    let mut said = String::new();
    for measure in measures() {
        said.push_str(&format!("[{}]\n", key(&measure)));
        let scopes: &[Scope] =
            if measure.is_of_people() { &[Scope::Own] } else { &[Scope::Own, Scope::Household] };
        for &scope in scopes {
            for cell in cells {
                said.push_str(&format!(
                    "{}\n",
                    of(&feature(&measure, scope, Lookback::Days(365)), cell, day())
                ));
            }
        }
    }
    insta::assert_snapshot!(said);
}

/// That nobody knows who lives in a home must never read as if nothing had happened there.
#[test]
fn what_is_missing_of_others_is_not_said_to_be_none() {
    for measure in measures().iter().filter(|measure| !measure.is_of_people()) {
        let said = of(&feature(measure, Scope::Household, Lookback::Days(365)), Cell::Missing, day());
        assert!(said.contains("it is not known who lives there"), "{said}");
    }
}

#[test]
fn windows_are_said_as_people_say_them() {
    let said = |over| of(&feature(&Measure::Count, Scope::Own, over), Cell::Value(2.0), day());
    for (over, window) in [
        (Lookback::Days(1), "in the last day"),
        (Lookback::Days(90), "in the last 90 days"),
        (Lookback::Days(365), "in the last year"),
        (Lookback::Days(1095), "in the last 3 years"),
        (Lookback::Days(1461), "in the last 1,461 days"),
        (Lookback::Months(1), "in the last month"),
        (Lookback::Months(12), "in the last 12 months"),
        (Lookback::Ever, "on record"),
    ] {
        assert_eq!(said(over), format!("2 domestic abuse notices {window}"));
    }
}

#[test]
fn a_label_serves_where_nobody_says_what_records_are_called() {
    let arrears = Feature::new(Selector::source("housing"), Measure::Count, Lookback::Days(365));
    assert_eq!(of(&arrears, Cell::Value(1.0), day()), "1 record of housing in the last year");
    let arrears = arrears.label("Rent arrears: how many, last 365 days");
    assert_eq!(of(&arrears, Cell::Value(0.0), day()), "No records of rent arrears in the last year");
    let other = arrears.label("SEN support");
    assert_eq!(of(&other, Cell::Value(2.0), day()), "2 records of SEN support in the last year");
}

#[test]
fn a_project_says_it_in_its_own_words() {
    let missed = Feature::new(Selector::source("school"), Measure::Mean, Lookback::Days(365))
        .say(Say::Always("missed {value} of school sessions {window}".into()));
    let missed = Feature { unit: "%".into(), ..missed };
    assert_eq!(of(&missed, Cell::Value(37.6), day()), "Missed 38% of school sessions in the last year");
    assert_eq!(of(&missed, Cell::Value(0.0), day()), "Missed 0% of school sessions in the last year");
    assert_eq!(of(&missed, Cell::Missing, day()), "School: no value on record");
    let forms = SayForms { many: Some("{n} worries".into()), ..SayForms::default() };
    let own = feature(&Measure::Count, Scope::Own, Lookback::Ever).say(Say::Forms(forms));
    let said = [0.0, 1.0, 2.0].map(|n| of(&own, Cell::Value(n), day()));
    assert_eq!(
        said,
        ["No domestic abuse notices on record", "1 domestic abuse notice on record", "2 worries"]
    );
    let last = feature(&Measure::DaysSinceLast, Scope::Own, Lookback::Ever)
        .say(Say::Always("last referred {days} ago ({date})".into()));
    assert_eq!(of(&last, Cell::Value(31.0), day()), "Last referred 31 days ago (1 March 2025)");
}

fn record(role: Option<Role>, kind: &str) -> RecordReference {
    let on = "2025-01-01".parse().unwrap();
    RecordReference {
        source: "s".into(),
        reference: None,
        kind: kind.into(),
        role,
        occurred: on,
        known: on,
        link: None,
        member: None,
    }
}

#[test]
fn what_records_are_is_said_where_they_differ() {
    let count = feature(&Measure::Count, Scope::Own, Lookback::Ever);
    let said = |records: &[RecordReference]| detail(&count, records);
    let victim = || record(Some(Role::Victim), "notice");
    assert_eq!(
        said(&[victim(), record(Some(Role::Suspect), "notice"), victim()]),
        "2 as victim, 1 as suspect"
    );
    assert_eq!(said(&[victim()]), "1 as victim");
    assert_eq!(said(&[record(None, "rent_arrears"), record(None, "notice")]), "notice (1), rent arrears (1)");
    assert_eq!(said(&[record(None, "notice"), record(None, "notice")]), "");
    assert_eq!(said(&[]), "");
    assert_eq!(detail(&feature(&Measure::Mean, Scope::Own, Lookback::Ever), &[victim()]), "");
}

/// A cohort of which so many have the values.
fn cohort(parts: &[(usize, Cell)]) -> impl Iterator<Item = Cell> {
    parts.iter().flat_map(|&(times, cell)| std::iter::repeat_n(cell, times))
}

#[test]
fn how_usual_a_value_is() {
    let said = |measure: &Measure, parts: &[(usize, Cell)], cell: Cell| {
        let feature = feature(measure, Scope::Own, Lookback::Days(365));
        Usual::of(&feature, cohort(parts)).words(&feature, cell)
    };
    let value = Cell::Value;
    let rare = [(96, value(0.0)), (3, value(1.0)), (1, value(9.0)), (20, Cell::NotCovered)];
    assert_eq!(said(&Measure::Count, &rare, value(1.0)), "Most have none (4.0% have any)");
    assert_eq!(said(&Measure::Count, &rare, value(0.0)), "So it is for most (96%)");
    assert_eq!(said(&Measure::Count, &rare, Cell::NotCovered), "");
    let common = [(40, value(0.0)), (20, value(2.0)), (40, value(5.0))];
    assert_eq!(said(&Measure::Count, &common, value(5.0)), "Half have 2 records or less");
    assert_eq!(said(&Measure::Count, &common, value(0.0)), "So it is for 40%");
    let few = [(40, value(0.0)), (9, value(1.0))];
    assert_eq!(said(&Measure::Count, &few, value(1.0)), "", "too few to say");
    let since = [(70, Cell::Missing), (30, value(40.0))];
    assert_eq!(said(&Measure::DaysSinceLast, &since, value(40.0)), "Most have none (30% have any)");
    assert_eq!(said(&Measure::DaysSinceLast, &since, Cell::Missing), "So it is for most (70%)");
    let since = [(30, Cell::Missing), (40, value(10.0)), (30, value(40.0))];
    assert_eq!(said(&Measure::DaysSinceLast, &since, value(40.0)), "For half it is 40 days or less");
    let held = [(88, value(0.0)), (12, value(1.0))];
    assert_eq!(said(&Measure::PresentNow, &held, value(1.0)), "12% have this");
    assert_eq!(said(&Measure::PresentNow, &held, value(0.0)), "So it is for most (88%)");
    let codes = Measure::LatestOf { category: "tenure".into(), codes: vec!["council".into(), "own".into()] };
    let tenure = [(30, value(0.0)), (65, value(1.0)), (5, value(2.0))];
    assert_eq!(said(&codes, &tenure, value(0.0)), "So it is for 30%");
    assert_eq!(said(&codes, &tenure, value(7.0)), "So it is for 5.0%");
    assert_eq!(
        said(&Measure::Mean, &[(60, value(4.0)), (40, value(38.2))], value(38.2)),
        "Half have 4 or less"
    );
    assert_eq!(said(&Measure::Age, &[(60, value(4.0))], value(4.0)), "");
}
