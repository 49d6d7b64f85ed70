//! Several files of one source: headers that differ, what their names say, lists of codes, look-up tables, incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::{CohortSpec, Unit};
use earlyhelp::error::{Error, RecordsError};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::project::Project;
use earlyhelp::records::{
    CodeList, Coverage, Extract, FilePattern, Known, Lookup, ReadOptions, Records, RejectReason, RemarkKind,
    Role, Selector, SourceMapping, Unlisted,
};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::door::{FORMS, frame_of, write_table};
use crate::world::{self, Dice, as_of};

/// The rows of tables as texts, the header first.
type Rows<'r> = &'r [&'r [&'r str]];

fn folder(files: &[(&str, Rows<'_>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in files {
        write_table(&folder.path().join(name), rows);
    }
    folder
}

fn visits() -> SourceMapping {
    SourceMapping::new("visits", "person_id", "visit", "on").known(Known::Column("recorded".into()))
}

fn with_aliases(aliases: &[(&str, &[&str])]) -> ReadOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let aliases = aliases.iter().map(|(column, names)| ((*column).to_owned(), owned(names))).collect();
    ReadOptions { aliases, ..ReadOptions::default() }
}

fn read(mapping: SourceMapping, extract: Extract) -> Result<Records, RecordsError> {
    Records::builder().source(mapping, extract).reject_limit(1.0).build()
}

fn refused(mapping: SourceMapping, extract: Extract) -> String {
    read(mapping, extract).unwrap_err().to_string()
}

fn digest(records: &Records, source: &str) -> String {
    records.as_of(as_of("2025-01-01")).digest(source).unwrap()
}

const JANUARY: Rows<'_> = &[
    &["person_id", "on", "recorded"],
    &["p1", "2024-01-05", "2024-01-08"],
    &["p2", "2024-01-06", "2024-01-08"],
];
/// The same columns in another order and by other names, and one that nobody asks for.
const FEBRUARY: Rows<'_> = &[
    &["Date keyed in", "note", "Child's ref", "ON"],
    &["2024-02-08", "x", "p1", "2024-02-05"],
    &["2024-02-09", "y", "p3", "2024-02-06"],
];
const BOTH: Rows<'_> = &[
    &["person_id", "on", "recorded"],
    &["p1", "2024-01-05", "2024-01-08"],
    &["p2", "2024-01-06", "2024-01-08"],
    &["p1", "2024-02-05", "2024-02-08"],
    &["p3", "2024-02-06", "2024-02-09"],
];

fn names_of_february() -> ReadOptions {
    with_aliases(&[("person_id", &["PersonID", "child*ref"]), ("recorded", &["date keyed*"])])
}

#[test]
fn headers_may_differ_from_file_to_file_in_every_form() {
    let wanted = digest(&read(visits(), Extract::frame(frame_of(BOTH))).unwrap(), "visits");
    for form in FORMS {
        let (first, second) = (format!("visits_01.{form}"), format!("visits_02.{form}"));
        let folder = folder(&[(&first, JANUARY), (&second, FEBRUARY)]);
        let paths = || [folder.path().join(&first), folder.path().join(&second)];
        let pattern = folder.path().join(format!("visits_*.{form}"));
        for extract in [Extract::paths(paths()), Extract::path(pattern)] {
            let records = read(visits(), extract.options(names_of_february())).unwrap();
            assert_eq!(records.intake()[0].accepted, 4, "{form}");
            assert_eq!(digest(&records, "visits"), wanted, "{form}");
        }
        // Without the aliases the file that lacks a column is named.
        let told = refused(visits(), Extract::paths(paths()));
        assert!(told.contains(&second) && told.contains("no column \"person_id\""), "{form}: {told}");
    }
}

#[test]
fn two_columns_that_may_be_meant_are_refused_in_every_form() {
    let rows: Rows<'_> =
        &[&["person_id", "Child ref", "on", "recorded"], &["p1", "p2", "2024-01-05", "2024-01-05"]];
    for form in FORMS {
        let name = format!("visits.{form}");
        let folder = folder(&[(&name, rows)]);
        let extract = Extract::path(folder.path().join(&name)).options(names_of_february());
        let told = refused(visits(), extract);
        assert!(told.contains("\"person_id\", \"Child ref\"") && !told.contains("p2"), "{form}: {told}");
    }
}

#[test]
fn an_alias_that_nobody_asks_for_and_one_for_two_columns_are_refused() {
    let extract = || Extract::frame(frame_of(BOTH));
    let told = refused(visits(), extract().options(with_aliases(&[("persn_id", &["id"])])));
    assert!(told.contains("persn_id"), "{told}");
    let rows: Rows<'_> = &[&["person_id", "on"], &["p1", "2024-01-05"]];
    let greedy = with_aliases(&[("recorded", &["o*"])]);
    let told = refused(visits(), Extract::frame(frame_of(rows)).options(greedy));
    assert!(told.contains("\"on\" and \"recorded\""), "{told}");
}

#[test]
fn a_file_that_two_paths_name_is_refused() {
    let folder = folder(&[("visits_01.csv", JANUARY)]);
    let paths = [folder.path().join("visits_*.csv"), folder.path().join("visits_01.csv")];
    assert!(refused(visits(), Extract::paths(paths)).contains("visits_01.csv is named twice"));
}

#[test]
fn rows_are_known_from_the_day_in_the_name_of_their_file_in_every_form() {
    let roll = |pattern: &str| {
        SourceMapping::new("roll", "person", "absence", "on")
            .known(Known::FileName(FilePattern::new(pattern).unwrap()))
    };
    let row = |person: &'static str, on: &'static str| -> [&'static str; 2] { [person, on] };
    for form in FORMS {
        let (january, february) = (format!("roll_jan2024.{form}"), format!("roll_Feb2024.{form}"));
        let folder = folder(&[
            (&january, &[&["person", "on"], &row("p1", "2024-01-05"), &row("p1", "2024-01-06")]),
            (&february, &[&["person", "on"], &row("p1", "2024-02-01")]),
        ]);
        let extract = || Extract::path(folder.path().join(format!("roll_*.{form}")));
        let records = read(roll(&format!("roll_{{mmm}}{{yyyy}}.{form}")), extract()).unwrap();
        let seen = |date: &str| records.as_of(as_of(date)).events("roll", "p1").count();
        // Known on the last day of the month, and so seen from the day after.
        assert_eq!(
            [seen("2024-01-31"), seen("2024-02-01"), seen("2024-02-29"), seen("2024-03-01")],
            [0, 2, 2, 3],
            "{form}"
        );
        let told = refused(roll("roll_{yyyy}{mm}{dd}*"), extract());
        assert!(
            told.contains("source roll") && told.contains("2024.") && told.contains("is not of it"),
            "{told}"
        );
    }
    let told =
        refused(roll("{yyyy}.csv"), Extract::frame(frame_of(&[&["person", "on"], &["p1", "2024-01-05"]])));
    assert!(told.contains("these rows have none"), "{told}");
    let told = refused(roll("{kind}.csv"), Extract::path("x.csv"));
    assert!(told.contains("names no date"), "{told}");
}

/// Half a month's return is known from the end of the month on; one of a year to come was named wrongly.
#[test]
fn the_month_of_a_file_may_not_be_over_yet() {
    let rows: Rows<'_> = &[&["person", "on"], &["p1", "2024-02-05"]];
    let read = |name: &str, pattern: &str| {
        let folder = folder(&[(name, rows)]);
        let known = Known::FileName(FilePattern::new(pattern).unwrap());
        let mapping = SourceMapping::new("roll", "person", "absence", "on").known(known);
        let all = frame_of(&[&["person", "on"], &["p1", "2024-01-05"]]);
        let builder = Records::builder()
            .source(mapping, Extract::path(folder.path().join(name)))
            .source(SourceMapping::new("visits", "person", "visit", "on"), Extract::frame(all));
        let records = builder.reject_limit(1.0).read_on("2024-02-10".parse().unwrap()).build().unwrap();
        records.rejects().iter().map(|reject| reject.reason).collect::<Vec<_>>()
    };
    assert_eq!(read("roll_2024-02.csv", "roll_{yyyy}-{mm}.csv"), []);
    assert_eq!(read("roll_2024.csv", "roll_{yyyy}.csv"), []);
    for (name, pattern) in [
        ("roll_2042-02.csv", "roll_{yyyy}-{mm}.csv"),
        ("roll_2024-02-11.csv", "roll_{yyyy-mm-dd}.csv"),
        ("roll_2026.csv", "roll_{yyyy}.csv"),
    ] {
        assert_eq!(read(name, pattern), [RejectReason::DateImplausible], "{name}");
    }
}

#[test]
fn a_name_may_say_the_kind_too() {
    let folder = folder(&[
        ("late_2024-01-31.csv", &[&["person", "on"], &["p1", "2024-01-05"]]),
        ("absent_2024-01-31.csv", &[&["person", "on"], &["p1", "2024-01-06"], &["p2", "2024-01-06"]]),
    ]);
    let pattern = FilePattern::new("{kind}_{yyyy-mm-dd}.csv").unwrap();
    let mapping = SourceMapping::new("roll", "person", "", "on")
        .known(Known::FileName(pattern.clone()))
        .kind_of_file(pattern);
    let records = read(mapping, Extract::path(folder.path().join("*.csv"))).unwrap();
    assert_eq!(records.kinds("roll").collect::<Vec<_>>(), ["absent", "late"]);
    let snapshot = records.as_of(as_of("2024-02-01"));
    let kinds: Vec<&str> = snapshot.events("roll", "p1").map(|event| event.kind).collect();
    assert_eq!(kinds, ["late", "absent"]);
}

const REASONS: Rows<'_> = &[
    &["value", "meaning", "alias"],
    &["6", "Police", "Plice|constabulary"],
    &["7", "School", ""],
    &["H", "Housing", ""],
];

fn contacts(rows: usize) -> Vec<Vec<String>> {
    let reasons = ["6: Police", " plice ", "07", "h) housing", "Aunt rang", "6: School"];
    let mut table = vec![vec!["who".to_owned(), "from".into(), "on".into()]];
    for row in 0..rows {
        // Of the last two, which are not on the list, one in twelve rows is the first and one in four the second.
        let reason = match row % 12 {
            11 => reasons[4],
            8..=10 => reasons[5],
            other => reasons[other % 4],
        };
        table.push(vec![format!("p{row}"), reason.into(), "2024-01-05".into()]);
    }
    table
}

fn borrowed(table: &[Vec<String>]) -> Vec<Vec<&str>> {
    table.iter().map(|row| row.iter().map(String::as_str).collect()).collect()
}

#[test]
fn codes_are_translated_and_what_is_not_listed_is_counted_in_every_form() {
    let table = contacts(60);
    let table = borrowed(&table);
    let rows: Vec<&[&str]> = table.iter().map(Vec::as_slice).collect();
    let mapping = || SourceMapping::new("contacts", "who", "", "on").kind_column("from");
    for form in FORMS {
        let (codes, file) = (format!("codes.{form}"), format!("contacts.{form}"));
        let folder = folder(&[(&codes, REASONS), (&file, &rows)]);
        let list = || CodeList::read(Extract::path(folder.path().join(&codes))).unwrap();
        let extract = |list: CodeList| Extract::path(folder.path().join(&file)).codes("from", list);
        let records = read(mapping(), extract(list())).unwrap();
        assert_eq!(
            records.kinds("contacts").collect::<Vec<_>>(),
            ["6: School", "Aunt rang", "Housing", "Police", "School"],
            "{form}"
        );
        assert_eq!(records.intake()[0].rejected, 0);
        let told: Vec<_> = records.unlisted_codes().collect();
        assert_eq!(told.len(), 1);
        // Five rows of words that may be anybody's are counted and not shown.
        assert_eq!((told[0].rows, told[0].others), (20, 5), "{form}");
        assert_eq!(told[0].shown, [("6: School".to_owned(), 15)]);
        assert!(!told[0].to_string().contains("Aunt"));
        let remarks: Vec<_> =
            records.remarks().iter().filter(|remark| remark.kind == RemarkKind::Unlisted).collect();
        assert_eq!(remarks.iter().map(|remark| remark.rows).sum::<u64>(), 20);

        let records = read(mapping(), extract(list().unlisted(Unlisted::LeaveOut))).unwrap();
        assert_eq!(records.kinds("contacts").collect::<Vec<_>>(), ["Housing", "Police", "School"]);
        assert_eq!(records.intake()[0].rejected, 20);
        assert!(records.rejects().iter().all(|reject| reject.reason == RejectReason::KindMissing));
    }
}

#[test]
fn categories_and_roles_have_codes_and_other_columns_have_none() {
    let rows: Rows<'_> = &[
        &["who", "part", "reason", "on"],
        &["p1", "V", "6", "2024-01-05"],
        &["p1", "?", "6", "2024-01-06"],
        &["p2", "", "9", "2024-01-06"],
    ];
    let roles: Rows<'_> = &[&["value", "meaning"], &["V", "victim"]];
    let list =
        |rows: Rows<'_>| CodeList::read(Extract::frame(frame_of(rows))).unwrap().unlisted(Unlisted::LeaveOut);
    let mapping = || SourceMapping::new("police", "who", "notice", "on").role("part").category("reason");
    let extract = || Extract::frame(frame_of(rows)).codes("part", list(roles)).codes("reason", list(REASONS));
    let records = read(mapping(), extract()).unwrap();
    // A role that is not on the list is a reject, and never a subject.
    let rejects: Vec<_> = records.rejects().iter().map(|reject| (reject.row, reject.reason)).collect();
    assert_eq!(rejects, [(2, RejectReason::RoleUnknown)]);
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-02-01"))).unwrap();
    let police = || Selector::source("police").role(Role::Victim).category("reason", "Police");
    let feature = |measure| Feature::new(police(), measure, Lookback::Ever);
    let spec =
        FeatureSpec::new(vec![feature(Measure::Count), feature(Measure::Distinct("reason".into()))]).unwrap();
    let matrix = spec.compute(&cohort).unwrap();
    assert_eq!([matrix.cell(0, 0), matrix.cell(0, 1)], [Cell::Value(1.0), Cell::Value(1.0)]);
    // A category that is left out is missing.
    assert_eq!(matrix.cell(1, 0), Cell::Value(0.0));

    let told = refused(mapping(), extract().codes("on", list(roles)));
    assert!(told.contains("\"on\"") && told.contains("no kind, role or category"), "{told}");
    let told = refused(mapping(), Extract::frame(frame_of(rows)).codes("reasn", list(roles)));
    assert!(told.contains("\"reasn\""), "{told}");
}

#[test]
fn a_list_of_codes_that_contradicts_itself_or_cannot_be_read_is_refused() {
    let told = |rows: Rows<'_>| {
        let folder = folder(&[("reasons.csv", rows)]);
        CodeList::read(Extract::path(folder.path().join("reasons.csv"))).unwrap_err().to_string()
    };
    for (rows, part) in [
        (
            &[&["value", "meaning"][..], &["6", "Police"], &["6", "School"]][..],
            "row 3: a code of it stood before",
        ),
        (&[&["value", "meaning"], &["6", ""]], "row 2: it has no value or no meaning"),
        (&[&["value", "meaning"], &["6", "Police"], &["7"]], "row 3: the row has more or fewer fields"),
        (&[&["value", "word"], &["6", "Police"]], "no column \"meaning\""),
    ] {
        let told = told(rows);
        assert!(told.contains("reasons.csv") && told.contains(part), "{told}");
        assert!(!told.contains("School"), "{told}");
    }
}

const OFFENCES: Rows<'_> =
    &[&["Code", "group", "pounds"], &["105", "violence", "7"], &["28A", "burglary", ""]];

#[test]
fn columns_are_looked_up_in_every_form() {
    let rows: Rows<'_> = &[
        &["who", "offence", "on"],
        &["p1", "105", "2024-01-05"],
        &["p1", "28A", "2024-01-06"],
        &["p2", "999", "2024-01-07"],
        &["p2", "", "2024-01-08"],
    ];
    let mapping = || SourceMapping::new("police", "who", "notice", "on").category("what").value("cost");
    for form in FORMS {
        let (table, file) = (format!("offences.{form}"), format!("police.{form}"));
        let folder = folder(&[(&table, OFFENCES), (&file, rows)]);
        let offences = Extract::path(folder.path().join(&table));
        let table =
            Lookup::read(offences, ["offence", "code"], &[("what", "group"), ("cost", "pounds")]).unwrap();
        let records = read(mapping(), Extract::path(folder.path().join(&file)).join(table)).unwrap();
        assert_eq!(records.intake()[0].rejected, 0, "{form}");
        let lost = records.remarks().iter().find(|remark| remark.kind == RemarkKind::NotInLookup).unwrap();
        assert_eq!(lost.rows, 2, "{form}");
        let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-02-01"))).unwrap();
        let burglary = Selector::source("police").category("what", "burglary");
        let spec = FeatureSpec::new(vec![
            Feature::new(burglary, Measure::Count, Lookback::Ever),
            Feature::new(Selector::source("police"), Measure::Sum, Lookback::Ever),
        ])
        .unwrap();
        let matrix = spec.compute(&cohort).unwrap();
        let cells = |row| [matrix.cell(row, 0), matrix.cell(row, 1)];
        // Of one offence the amount is known; of the others' nothing is.
        assert_eq!(cells(0), [Cell::Value(1.0), Cell::Value(7.0)], "{form}");
        assert_eq!(cells(1), [Cell::Value(0.0), Cell::Missing], "{form}");
    }
}

#[test]
fn keys_that_are_spelt_otherwise_are_counted_and_so_are_rows_of_the_table_without_one() {
    let offences: Rows<'_> = &[
        &["code", "seen", "group"],
        &["0105", "2024-01-31", "violence"],
        &["28A", "2024-01-31", "burglary"],
        &["", "", "not coded"],
        &["7", "", "fraud"],
    ];
    // Zeros lost, a spreadsheet's decimals, capitals, a day written otherwise; another code, and none.
    let rows: Rows<'_> = &[
        &["who", "offence", "day", "on"],
        &["p1", "0105", "2024-01-31", "2024-02-05"],
        &["p1", "105", "2024-01-31", "2024-02-05"],
        &["p1", "105.0", "31/01/2024", "2024-02-06"],
        &["p1", "28a", "2024-01-31", "2024-02-07"],
        &["p2", "999", "2024-01-31", "2024-02-08"],
        &["p2", "", "2024-01-31", "2024-02-09"],
    ];
    let mapping = || SourceMapping::new("police", "who", "notice", "on").category("what");
    for form in FORMS {
        let (table, file) = (format!("offences.{form}"), format!("police.{form}"));
        let folder = folder(&[(&table, offences), (&file, rows)]);
        let offences = Extract::path(folder.path().join(&table));
        let on = [["offence", "code"], ["day", "seen"]];
        let table = Lookup::read_by(offences, &on, &[("what", "group")]).unwrap();
        let records = read(mapping(), Extract::path(folder.path().join(&file)).join(table)).unwrap();
        let count = |kind: RemarkKind| -> u64 {
            records.remarks().iter().filter(|remark| remark.kind == kind).map(|remark| remark.rows).sum()
        };
        assert_eq!(count(RemarkKind::NotInLookup), 5, "{form}");
        assert_eq!(count(RemarkKind::KeySpeltOtherwise), 3, "{form}");
        assert_eq!(count(RemarkKind::KeyMissingInLookup), 2, "{form}");
    }
}

#[test]
fn a_look_up_table_that_contradicts_itself_or_is_not_asked_for_is_refused() {
    let table = |rows: Rows<'_>| {
        Lookup::read(Extract::frame(frame_of(rows)), ["offence", "code"], &[("what", "group")])
    };
    let header: &[&str] = &["code", "group"];
    let told = table(&[header, &["105", "violence"], &["105", "fraud"]]).unwrap_err().to_string();
    assert!(told.contains("row 2: its code stood before"), "{told}");
    assert!(!told.contains("fraud") && !told.contains("105"), "{told}");
    let told = table(&[header, &["", "violence"]]).unwrap_err().to_string();
    assert!(told.contains("none of its rows has a code"), "{told}");
    let same: Rows<'_> = &[header, &["105", "violence"], &["105", "violence"]];
    let rows = || Extract::frame(frame_of(&[&["who", "offence", "on"], &["p1", "105", "2024-01-05"]]));
    let mapping = || SourceMapping::new("police", "who", "notice", "on");
    assert!(read(mapping().category("what"), rows().join(table(same).unwrap())).is_ok());
    let told = refused(mapping(), rows().join(table(same).unwrap()));
    assert!(told.contains("\"what\"") && told.contains("asks for it"), "{told}");
    let told = refused(mapping().ended("what"), rows().join(table(same).unwrap()));
    assert!(told.contains("has to stand in the extract"), "{told}");
    let twice = rows().join(table(same).unwrap()).join(table(same).unwrap());
    assert!(refused(mapping().category("what"), twice).contains("two look-up tables"));
}

/// A family of four with three incidents, for each of which there is a notice of every one of them.
#[test]
fn a_family_of_four_has_three_incidents_and_not_twelve() {
    let mut notices = vec![vec!["who".to_owned(), "incident".into(), "part".into(), "on".into()]];
    for (incident, on) in [("i1", "2023-06-01"), ("i2", "2024-01-05"), ("i3", "2024-02-05")] {
        for person in 1..=4 {
            let part = if person == 1 { "suspect" } else { "victim" };
            notices.push([format!("p{person}"), incident.into(), part.into(), on.into()].to_vec());
        }
    }
    // What has no incident is one of its own, and an incident of the home's child with a stranger counts too.
    notices.push(["p2", "", "victim", "2024-02-06"].map(str::to_owned).to_vec());
    notices.push(["p9", "i2", "witness", "2024-01-05"].map(str::to_owned).to_vec());
    let notices = borrowed(&notices);
    let rows: Vec<&[&str]> = notices.iter().map(Vec::as_slice).collect();
    let homes = frame_of(&[
        &["person", "home"],
        &["p1", "h"],
        &["p2", "h"],
        &["p3", "h"],
        &["p4", "h"],
        &["p9", "k"],
    ]);
    let columns = earlyhelp::records::HouseholdColumns {
        person: vec!["person".into()],
        household: "home".into(),
        ..Default::default()
    };
    let from = Some("2020-01-01".parse().unwrap());
    let police = SourceMapping::new("police", "who", "notice", "on")
        .role("part")
        .incident("incident")
        .coverage(Coverage { from, ..Coverage::default() });
    let records = Records::builder()
        .households(columns, Extract::frame(homes))
        .source(police, Extract::frame(frame_of(&rows)))
        .build()
        .unwrap();
    let missing = records.remarks().iter().find(|remark| remark.kind == RemarkKind::IncidentMissing).unwrap();
    assert_eq!(missing.rows, 1);
    let feature = Feature::new;
    let police = || Selector::source("police");
    let suspects = || police().role(Role::Suspect);
    let year = Lookback::Days(90);
    let spec = FeatureSpec::new(vec![
        feature(police(), Measure::Count, Lookback::Ever),
        feature(police(), Measure::Incidents, Lookback::Ever),
        feature(police(), Measure::Incidents, year),
        feature(suspects(), Measure::Incidents, Lookback::Ever),
    ])
    .unwrap();
    let snapshot = records.as_of(as_of("2024-03-01"));
    let cohort = CohortSpec::default().unit(Unit::Family).choose(&snapshot).unwrap();
    let matrix = spec.compute(&cohort).unwrap();
    let home = cohort.ids().position(|id| id == "h").unwrap();
    let cells: Vec<Cell> = (0..4).map(|column| matrix.cell(home, column)).collect();
    assert_eq!(cells, [13.0, 4.0, 3.0, 3.0].map(Cell::Value));
    for (column, count) in [(0, 13), (1, 4), (2, 3), (3, 3)] {
        assert_eq!(spec.records_behind(&cohort, home, column).unwrap().len(), count);
    }

    // The others in the household, as the first of them sees it.
    let people = CohortSpec::default().choose(&snapshot).unwrap();
    let others = feature(police(), Measure::Incidents, Lookback::Ever).of_household();
    let spec = FeatureSpec::new(vec![others, feature(police(), Measure::Incidents, Lookback::Ever)]).unwrap();
    let matrix = spec.compute(&people).unwrap();
    assert_eq!([matrix.cell(0, 0), matrix.cell(0, 1)], [Cell::Value(4.0), Cell::Value(3.0)]);

    let without = SourceMapping::new("police", "who", "notice", "on");
    let records = read(without, Extract::frame(frame_of(&rows))).unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-03-01"))).unwrap();
    let spec = FeatureSpec::new(vec![feature(police(), Measure::Incidents, Lookback::Ever)]).unwrap();
    let told = spec.compute(&cohort).unwrap_err().to_string();
    assert!(told.contains("`incident`"), "{told}");
}

/// A notice: whose, about which incident, and on which day.
#[derive(Debug, Clone)]
struct Notice {
    person: usize,
    incident: Option<usize>,
    role: Role,
    on: i32,
    known: i32,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Incidents counted a second time, with sets.
    #[test]
    fn incidents_are_counted_as_by_hand(seed in any::<u64>(), people in 1_usize..8, rows in 1_usize..60) {
        let mut dice = Dice::new(seed);
        let today = world::day("2024-03-01");
        let notices: Vec<Notice> = (0..rows).map(|_| {
            let on = today - dice.between(-3, 500);
            let incident = dice.chance(0.85).then(|| dice.below(1 + rows / 3));
            Notice { person: dice.below(people), incident, role: *dice.pick(&Role::ALL), on, known: on + dice.between(0, 40) }
        }).collect();
        let home = |person: usize| person % 3;
        let day = |day: i32| earlyhelp::calendar::Day::from_epoch_days(day).to_string();
        let mut table = vec![["who", "incident", "part", "on", "known"].map(str::to_owned).to_vec()];
        table.extend(notices.iter().map(|notice| vec![
            format!("p{}", notice.person),
            notice.incident.map_or_else(String::new, |incident| format!("i{incident}")),
            notice.role.name().to_owned(),
            day(notice.on),
            day(notice.known),
        ]));
        let table = borrowed(&table);
        let table: Vec<&[&str]> = table.iter().map(Vec::as_slice).collect();
        let homes: Vec<Vec<String>> = (0..people).map(|person| vec![format!("p{person}"), format!("h{}", home(person))]).collect();
        let homes = borrowed(&homes);
        let mut homes: Vec<&[&str]> = homes.iter().map(Vec::as_slice).collect();
        homes.insert(0, &["person", "home"]);
        let born: Vec<Vec<String>> = (0..people).map(|person| vec![format!("p{person}"), "2012-05-15".to_owned()]).collect();
        let born = borrowed(&born);
        let mut born: Vec<&[&str]> = born.iter().map(Vec::as_slice).collect();
        born.insert(0, &["person", "born"]);
        let columns = earlyhelp::records::HouseholdColumns {
            person: vec!["person".into()], household: "home".into(), ..Default::default()
        };
        let police = SourceMapping::new("police", "who", "notice", "on")
            .known(Known::Column("known".into())).role("part").incident("incident")
            .coverage(Coverage { from: Some("2020-01-01".parse().unwrap()), ..Coverage::default() });
        let records = Records::builder()
            .people(world::people_columns(), Extract::frame(frame_of(&born)))
            .households(columns, Extract::frame(frame_of(&homes)))
            .source(police, Extract::frame(frame_of(&table))).build().unwrap();
        let windows = [Lookback::Days(30), Lookback::Days(200), Lookback::Ever];
        let selectors = [Selector::source("police"), Selector::source("police").role(Role::Victim).role(Role::Suspect).optional()];
        let mut features = Vec::new();
        for selector in &selectors {
            for over in windows {
                features.push(Feature::new(selector.clone(), Measure::Incidents, over));
            }
        }
        let by_hand = |members: &[usize], feature: &Feature| {
            let start = feature.over.start(as_of("2024-03-01")).epoch_days();
            let read = notices.iter().filter(|notice| {
                members.contains(&notice.person) && notice.known < today && notice.on < today && notice.on >= start
                    && (feature.records.roles.is_empty() || feature.records.roles.contains(&notice.role))
            });
            let (mut named, mut own) = (BTreeSet::new(), 0);
            for notice in read {
                match notice.incident {
                    Some(incident) => drop(named.insert(incident)),
                    None => own += 1,
                }
            }
            named.len() + own
        };
        let snapshot = records.as_of(as_of("2024-03-01"));
        let spec = FeatureSpec::new(features.clone()).unwrap();
        let families = CohortSpec::default().unit(Unit::Family).choose(&snapshot).unwrap();
        let matrix = spec.compute(&families).unwrap();
        for (row, id) in families.ids().enumerate() {
            let members: Vec<usize> = (0..people).filter(|&person| format!("h{}", home(person)) == id).collect();
            for (column, feature) in features.iter().enumerate() {
                let wanted = by_hand(&members, feature);
                prop_assert_eq!(matrix.cell(row, column), Cell::Value(wanted as f32), "{} {:?}", id, feature.over);
                prop_assert_eq!(spec.records_behind(&families, row, column).unwrap().len(), wanted);
            }
        }
        let others: Vec<Feature> = features.iter().cloned().map(Feature::of_household).collect();
        let spec = FeatureSpec::new(others.clone()).unwrap();
        let cohort = CohortSpec::default().choose(&snapshot).unwrap();
        let matrix = spec.compute(&cohort).unwrap();
        for (row, id) in cohort.ids().enumerate() {
            let own: usize = id[1..].parse().unwrap();
            let members: Vec<usize> = (0..people).filter(|&person| person != own && home(person) == home(own)).collect();
            for (column, feature) in others.iter().enumerate() {
                let wanted = by_hand(&members, feature);
                prop_assert_eq!(matrix.cell(row, column), Cell::Value(wanted as f32));
                prop_assert_eq!(spec.records_behind(&cohort, row, column).unwrap().len(), wanted);
            }
        }
    }
}

#[test]
fn an_incident_mapped_changes_what_a_source_says() {
    let rows: Rows<'_> =
        &[&["who", "incident", "on"], &["p1", "i1", "2024-01-05"], &["p1", "i2", "2024-01-05"]];
    let swapped: Rows<'_> =
        &[&["who", "incident", "on"], &["p1", "i2", "2024-01-05"], &["p1", "i1", "2024-01-05"]];
    let other: Rows<'_> =
        &[&["who", "incident", "on"], &["p1", "i1", "2024-01-05"], &["p1", "i1", "2024-01-05"]];
    let mapping = || SourceMapping::new("police", "who", "notice", "on").incident("incident");
    let said = |rows| {
        let records = read(mapping(), Extract::frame(frame_of(rows))).unwrap();
        let copies = records.remarks().iter().filter(|remark| remark.kind == RemarkKind::Duplicate).count();
        (digest(&records, "police"), copies)
    };
    assert_eq!(said(rows), said(swapped), "the order of rows leaves no trace");
    assert_ne!(said(rows).0, said(other).0);
    // Two rows that differ in the incident alone are no copies.
    assert_eq!((said(rows).1, said(other).1), (0, 1));
}

/// A project of two monthly files, codes, a look-up table and incidents.
fn project(folder: &Path, change: (&str, &str)) -> Result<Project, Error> {
    let text = r#"
name = "Small"
purpose = "A test"

[households]
path = "homes.csv"
columns = { person = "person", household = "home" }

[protected]
path = "protected.csv"
columns = { entity = "person", of_family = "all_alike", characteristics = ["ethnicity"] }

[[source]]
name = "police"
path = ["police_2024-01.csv", "police_2024-02.xlsx"]
read = { aliases = { person = ["PersonID"] } }
columns = { entity = "person", kind = { column = "what" }, occurred = "on", known = { file_name = "police_{yyyy}-{mm}.*" }, incident = "incident", categories = ["group"] }
codes = { what = { file = "codes.csv", unlisted = "keep" } }
join = [{ file = "offences.csv", on = ["offence", "code"], columns = { group = "group" } }]
coverage = { from = "2024-01-01", to = "2024-12-31" }

[cohort]
unit = "family"

[[feature]]
source = "police"
measure = "count"
over = ["30 days"]

[[feature]]
source = "police"
measure = "incidents"
over = ["30 days"]

[outcome]
name = "again"
words = "Another incident"
horizon = "1 months"
records = [{ source = "police" }]

[training]
as_of = ["2024-02-01", "2024-03-01"]
capacity = { cases = 1 }
"#;
    assert!(text.contains(change.0), "{}", change.0);
    Project::from_toml(&text.replacen(change.0, change.1, 1), folder)
}

fn files_of_project() -> TempDir {
    folder(&[
        ("homes.csv", &[&["person", "home"], &["p1", "h"], &["p2", "h"], &["p3", "k"]]),
        ("protected.csv", &[&["person", "ethnicity"], &["p1", "b"], &["p2", "b"], &["p3", "b"]]),
        ("codes.csv", &[&["value", "meaning"], &["1", "notice"]]),
        ("offences.csv", &[&["code", "group"], &["105", "violence"]]),
        (
            "police_2024-01.csv",
            &[
                &["person", "what", "on", "incident", "offence"],
                &["p1", "1", "2024-01-20", "i1", "105"],
                &["p2", "1", "2024-01-20", "i1", "105"],
                &["p3", "quarrel", "2024-01-21", "i2", "999"],
            ],
        ),
        (
            "police_2024-02.xlsx",
            &[
                &["PersonID", "incident", "what", "on", "offence"],
                &["p1", "i3", "1: Notice", "2024-02-10", "105"],
            ],
        ),
    ])
}

#[test]
fn a_project_says_it_all_and_check_warns_of_what_is_counted_twice() {
    let folder = files_of_project();
    let project = project(folder.path(), ("Small", "Small")).unwrap();
    let written = toml::to_string(&project).unwrap();
    assert_eq!(toml::to_string(&Project::from_toml(&written, folder.path()).unwrap()).unwrap(), written);
    let checked = project.check().unwrap();
    assert!(checked.faults().is_empty(), "{:?}", checked.faults());
    let remarks: BTreeMap<RemarkKind, u64> =
        checked.records().remarks().iter().map(|remark| (remark.kind, remark.rows)).collect();
    assert_eq!((remarks[&RemarkKind::Unlisted], remarks[&RemarkKind::NotInLookup]), (1, 1));
    let warnings = checked.warnings("2025-04-01".parse().unwrap());
    let has = |part: &str| warnings.iter().any(|warning| warning.contains(part));
    assert!(has("several people about 1 incident") && has("police_count_30d"), "{warnings:?}");
    assert!(!has("police_incidents_30d;"), "{warnings:?}");
    assert!(has("1 row has a what that is not on its list") && !has("quarrel"), "{warnings:?}");
    let data = project.dataset(checked.records()).unwrap();
    let cell = |column| (0..data.rows()).map(|row| data.matrix().cell(row, column)).collect::<Vec<_>>();
    let values = |numbers: [f32; 4]| numbers.map(Cell::Value).to_vec();
    // Both families in February, and in March.
    assert_eq!((cell(0), cell(1)), (values([2.0, 1.0, 1.0, 0.0]), values([1.0, 1.0, 1.0, 0.0])));
}

#[test]
fn a_reference_that_stands_with_several_people_is_warned_about_in_families() {
    let folder = files_of_project();
    let project = project(folder.path(), ("incident = \"incident\"", "reference = \"incident\"")).unwrap();
    let warnings = project.check().unwrap().warnings("2025-04-01".parse().unwrap());
    assert!(warnings.iter().any(|warning| warning.contains("map it as `incident`")), "{warnings:?}");
}

#[test]
fn a_protected_characteristic_has_no_road_through_an_alias_or_a_table() {
    let folder = files_of_project();
    for change in [
        ("{ group = \"group\" }", "{ group = \"Ethnicity\" }"),
        ("person = [\"PersonID\"]", "what = [\"ethnicity\"]"),
    ] {
        let refused = project(folder.path(), change).unwrap_err().to_string();
        assert!(refused.to_lowercase().contains("ethnicity"), "{refused}");
    }
    for (from, to, part) in [
        ("{yyyy}-{mm}", "{yy}-{mm}", "yyyy, mm, mmm, dd or kind"),
        ("unlisted = \"keep\"", "unlistd = \"keep\"", "codes"),
        ("on = [\"offence\", \"code\"]", "on = [\"offence\"]", "on"),
    ] {
        let refused = project(folder.path(), (from, to)).unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn files_of_one_name_are_told_apart_by_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for year in ["2023", "2024"] {
        let path = folder.path().join(year).join("visits.csv");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_table(
            &path,
            &[&["person_id", "on", "recorded"], &["p1", "2023-01-05", "2023-01-05"], &["", "2023-01-05", ""]],
        );
        paths.push(path);
    }
    let records = read(visits(), Extract::paths(paths)).unwrap();
    let files: Vec<&str> = records.rejects().iter().filter_map(|reject| reject.file.as_deref()).collect();
    assert_eq!(files, ["2023/visits.csv", "2024/visits.csv"]);
}
