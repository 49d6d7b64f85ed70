//! Shares of two numbers: sessions missed, of sessions possible.

use std::fmt::Write as _;

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::{CohortSpec, Unit};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::project::{DraftParams, Project};
use earlyhelp::records::{
    Coverage, Extract, HouseholdColumns, Records, RecordsBuilder, RejectReason, Selector, SourceMapping,
};
use polars::df;

use crate::world::as_of;

fn attendance() -> SourceMapping {
    SourceMapping::new("attendance", "who", "term", "on")
        .value("missed")
        .of("possible")
        .coverage(Coverage { from: Some("2020-01-01".parse().unwrap()), ..Coverage::default() })
}

/// Who, from when, missed, of so many.
type Term = (&'static str, &'static str, Option<f64>, Option<f64>);

fn builder(mapping: SourceMapping, terms: &[Term]) -> RecordsBuilder<'static> {
    let rows = df!(
        "who" => terms.iter().map(|term| term.0).collect::<Vec<_>>(),
        "on" => terms.iter().map(|term| term.1).collect::<Vec<_>>(),
        "missed" => terms.iter().map(|term| term.2).collect::<Vec<_>>(),
        "possible" => terms.iter().map(|term| term.3).collect::<Vec<_>>(),
    )
    .unwrap();
    Records::builder().source(mapping, Extract::frame(rows)).reject_limit(1.0)
}

fn records(terms: &[Term]) -> Records {
    builder(attendance(), terms).build().unwrap()
}

fn share() -> Feature {
    Feature::new(Selector::source("attendance"), Measure::Share, Lookback::Days(365))
}

fn spec(feature: Feature) -> FeatureSpec {
    FeatureSpec::new(vec![feature]).unwrap()
}

#[test]
fn a_share_is_of_the_sums_of_records_that_say_both_numbers() {
    let records = records(&[
        // 10 of 100 and 40 of 60 are 50 of 160; what is older, or has one number alone, plays no part.
        ("a", "2024-01-05", Some(10.0), Some(100.0)),
        ("a", "2024-02-01", Some(40.0), Some(60.0)),
        ("a", "2022-01-05", Some(60.0), Some(60.0)),
        ("a", "2024-03-01", Some(7.0), None),
        ("a", "2024-03-02", None, Some(50.0)),
        // On the day itself it is not yet known.
        ("a", "2024-04-01", Some(50.0), Some(50.0)),
        // One number of each record alone; nothing in the window; nothing possible; none missed; all missed.
        ("b", "2024-01-05", Some(3.0), None),
        ("b", "2024-02-05", None, Some(30.0)),
        ("c", "2022-01-05", Some(3.0), Some(30.0)),
        ("d", "2024-01-05", Some(0.0), Some(0.0)),
        ("e", "2024-01-05", Some(0.0), Some(12.5)),
        ("f", "2024-01-05", Some(12.5), Some(12.5)),
    ]);
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let spec = spec(share());
    let matrix = spec.compute(&cohort).unwrap();
    let wanted = [
        (Cell::Value(31.25), 2, 2),
        (Cell::Missing, 2, 0),
        (Cell::Missing, 0, 0),
        (Cell::Missing, 0, 1),
        (Cell::Value(0.0), 0, 1),
        (Cell::Value(100.0), 0, 1),
    ];
    for (row, (cell, unknown, behind)) in wanted.into_iter().enumerate() {
        assert_eq!(matrix.cell(row, 0), cell, "case {row}");
        assert_eq!(spec.unknown_behind(&cohort, row, 0), Ok(unknown), "case {row}");
        assert_eq!(spec.records_behind(&cohort, row, 0).unwrap().len(), behind, "case {row}");
    }
    let feature = &spec.features()[0];
    assert_eq!((feature.name.as_str(), feature.unit.as_str()), ("attendance_share_365d", "%"));
}

#[test]
fn a_part_above_its_whole_or_below_nothing_is_a_reject_and_never_clipped() {
    let records = records(&[
        ("a", "2024-01-05", Some(61.0), Some(60.0)),
        ("a", "2024-01-06", Some(-1.0), Some(60.0)),
        ("a", "2024-01-07", Some(1.0), Some(0.0)),
        ("a", "2024-01-08", None, Some(-60.0)),
        ("a", "2024-01-09", Some(-1.0), None),
        ("a", "2024-01-10", Some(15.0), Some(60.0)),
    ]);
    let rejects: Vec<(u64, RejectReason, Option<&str>)> = records
        .rejects()
        .iter()
        .map(|reject| (reject.row, reject.reason, reject.column.as_deref()))
        .collect();
    // Where the whole is below 0, it is the whole that is wrong.
    let column = |row: u64| Some(if row == 4 { "possible" } else { "missed" });
    let wanted: Vec<_> = (1..=5).map(|row| (row, RejectReason::NotAPart, column(row))).collect();
    assert_eq!(rejects, wanted);
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    assert_eq!(spec(share()).compute(&cohort).unwrap().cell(0, 0), Cell::Value(25.0));
}

#[test]
fn a_household_and_a_family_have_the_share_of_all_their_records() {
    let homes = df!("who" => ["a", "b", "c"], "home" => ["h", "h", "h"]).unwrap();
    let columns = HouseholdColumns {
        person: vec!["who".into()],
        household: "home".into(),
        ..HouseholdColumns::default()
    };
    let terms: [Term; 3] = [
        ("a", "2024-01-05", Some(30.0), Some(60.0)),
        ("b", "2024-01-05", Some(0.0), Some(100.0)),
        ("c", "2024-01-05", Some(10.0), Some(100.0)),
    ];
    let records = builder(attendance(), &terms).households(columns, Extract::frame(homes)).build().unwrap();
    let snapshot = records.as_of(as_of("2024-04-01"));
    let people = CohortSpec::default().choose(&snapshot).unwrap();
    let others = spec(share().of_household()).compute(&people).unwrap();
    assert_eq!(others.cell(0, 0), Cell::Value(5.0), "10 of 200 of the two others");
    let families = CohortSpec::default().unit(Unit::Family).choose(&snapshot).unwrap();
    let all = spec(share()).compute(&families).unwrap().cell(0, 0);
    assert_eq!(all, Cell::Value((100.0 * 40.0 / 260.0) as f32));
}

#[test]
fn a_share_needs_both_columns_and_two_of_them() {
    let terms: [Term; 1] = [("a", "2024-01-05", Some(30.0), Some(60.0))];
    let mut one = attendance();
    one.columns.of = None;
    let records = builder(one, &terms).build().unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let why = spec(share()).compute(&cohort).unwrap_err().to_string();
    assert!(why.contains("attendance") && why.contains("`of`"), "{why}");

    let mut none = attendance();
    none.columns.value = None;
    let mut same = attendance();
    same.columns.of = same.columns.value.clone();
    for (mapping, part) in [(none, "without the value"), (same, "one column")] {
        let why = builder(mapping, &terms).build().unwrap_err().to_string();
        assert!(why.contains(part), "{why}");
    }
}

/// Terms of 600 people over six years, as a school system writes them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut people = "Child ID,DOB\n".to_owned();
    let mut attendance = "Child ID,Term Start,Sessions Possible,Sessions Missed\n".to_owned();
    let mut referrals = "Child ID,Referral Date\n".to_owned();
    for child in 0..600 {
        writeln!(people, "C{child:04},{}-03-01", 2010 + child % 8).unwrap();
        for term in 0..18 {
            let (year, month) = (2018 + term / 3, [1, 4, 9][term % 3]);
            let possible = 100 + (child + term) % 30;
            writeln!(attendance, "C{child:04},{year}-{month:02}-07,{possible},{}", (child * term) % 40)
                .unwrap();
        }
        if child % 2 == 0 {
            writeln!(referrals, "C{child:04},{}-06-{:02}", 2019 + child % 5, 1 + child % 28).unwrap();
        }
    }
    for (name, text) in [("people", people), ("attendance", attendance), ("referrals", referrals)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
    }
    folder
}

#[test]
fn a_draft_finds_the_pair_and_proposes_its_share() {
    let folder = folder();
    let draft = DraftParams::new(folder.path()).draft(folder.path()).unwrap();
    let text = draft.text();
    let project = Project::from_toml(text, folder.path()).unwrap();
    let columns = &project.sources.iter().find(|source| source.name == "attendance").unwrap().columns;
    assert_eq!(columns.value.as_deref(), Some("Sessions Missed"), "{text}");
    assert_eq!(columns.of.as_deref(), Some("Sessions Possible"));
    assert!(columns.categories.is_empty(), "a number of the pair is no code: {text}");
    assert!(text.contains("By their names Sessions Missed is a part of Sessions Possible"), "{text}");
    let feature = project.features.iter().find(|feature| feature.measure == Measure::Share).unwrap();
    assert_eq!(feature.unit.as_deref(), Some("% of sessions possible"));
    assert!(project.records().unwrap().rejects().is_empty());
}
