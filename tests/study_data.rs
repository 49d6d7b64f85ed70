//! Data as studies keep them: days counted from a day that a column gives, columns in the names of folders, kinds by two
//! dates, look-ups by several columns, episodes of a known length.

use std::path::Path;

use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::RecordsError;
use earlyhelp::model::Trainer;
use earlyhelp::project::{DraftParams, Project};
use earlyhelp::records::{
    DateForm, DayZero, DayZeroColumn, Extract, Kind, KindByDates, Known, Lookup, ReadOptions, Records,
    RejectReason, RemarkKind, Selector, SourceMapping,
};
use polars::df;

use crate::door::{FORMS, frame_of, write_table};
use crate::world::as_of;

/// The rows of tables as texts, the header first.
type Rows<'r> = &'r [&'r [&'r str]];

fn read(mapping: SourceMapping, extract: Extract) -> Result<Records, RecordsError> {
    Records::builder().source(mapping, extract).reject_limit(1.0).build()
}

fn digest(records: &Records) -> String {
    records.as_of(as_of("2025-01-01")).digest("s").unwrap()
}

/// The reasons of a source's rejects, each with the row's place in the table.
fn reasons(records: &Records) -> Vec<RejectReason> {
    let intake = &records.intake()[0];
    assert_eq!(
        (intake.read, intake.rejected),
        (intake.accepted + intake.rejected, records.rejects().len() as u64)
    );
    records.rejects().iter().map(|reject| reject.reason).collect()
}

fn days_from(column: &str, is: &[(&str, &str)]) -> ReadOptions {
    let is = is.iter().map(|(name, day)| ((*name).to_owned(), day.parse().unwrap())).collect();
    let zero = DayZeroColumn { column: column.to_owned(), is };
    ReadOptions { dates: Some(DateForm::DaysFrom(DayZero::Column(zero))), ..ReadOptions::default() }
}

const TERMS: [(&str, &str); 2] = [("2013B", "2013-02-01"), ("2013J", "2013-10-01")];

fn visits() -> SourceMapping {
    SourceMapping::new("s", "who", "visit", "on").ended("until")
}

const TWIN: Rows<'_> = &[
    &["who", "on", "until"],
    &["p1", "2013-02-11", "2013-02-21"],
    &["p2", "2013-09-26", ""],
    &["p3", "2013-10-01", "2013-10-02"],
];

#[test]
fn days_are_counted_from_the_day_that_a_name_stands_for_in_every_form() {
    let rows: Rows<'_> = &[
        &["who", "term", "on", "until"],
        &["p1", "2013B", "10", "20"],
        &["p2", "2013J", "-5", ""],
        &["p3", "2013J", "0", "2013-10-02"],
        &["p4", "2014B", "3", ""],
        &["p5", "", "3", ""],
        &["p6", "2013J", "soon", ""],
    ];
    let twin = digest(&read(visits(), Extract::frame(frame_of(TWIN))).unwrap());
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("visits.{form}"));
        write_table(&path, rows);
        let records = read(visits(), Extract::path(path).options(days_from("term", &TERMS))).unwrap();
        // A name without a day, and a row without a name, have a reason of their own.
        let unknown = RejectReason::DayZeroUnknown;
        assert_eq!(reasons(&records), [unknown, unknown, RejectReason::DateUnreadable], "{form}");
        assert_eq!(digest(&records), twin, "{form}");
    }
    let told = format!(
        "{:?}",
        read(visits(), Extract::frame(frame_of(rows)).options(days_from("term", &TERMS))).unwrap().rejects()
    );
    assert!(!told.contains("2014B") && !told.contains("soon"), "{told}");
}

#[test]
fn days_are_counted_from_the_date_in_a_column_in_every_form() {
    let rows: Rows<'_> = &[
        &["who", "started", "on", "until"],
        &["p1", "2013-02-01", "10", "20"],
        &["p2", "01/10/2013", "-5", ""],
        &["p3", "2013-10-01", "0", "1"],
        &["p4", "soon", "3", ""],
        &["p5", "31/12/2013", "x", ""],
    ];
    let twin = digest(&read(visits(), Extract::frame(frame_of(TWIN))).unwrap());
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("visits.{form}"));
        write_table(&path, rows);
        let records = read(visits(), Extract::path(path).options(days_from("started", &[]))).unwrap();
        let expected = [RejectReason::DayZeroUnknown, RejectReason::DateUnreadable];
        assert_eq!(reasons(&records), expected, "{form}");
        assert_eq!(digest(&records), twin, "{form}");
    }
    // Dates that could be either way round are refused here as anywhere.
    let unclear = frame_of(&[&["who", "started", "on", "until"], &["p1", "01/02/2013", "10", ""]]);
    let refused = read(visits(), Extract::frame(unclear).options(days_from("started", &[]))).unwrap_err();
    assert!(matches!(&refused, RecordsError::DateOrder { column, .. } if column == "started"), "{refused}");
    // And a column that is not there.
    let refused = read(visits(), Extract::frame(frame_of(TWIN)).options(days_from("started", &[])));
    assert!(matches!(refused, Err(RecordsError::NoColumn { column, .. }) if column == "started"));
}

#[test]
fn numbers_of_any_type_are_counted_and_parts_of_days_are_refused() {
    let frame = df!(
        "who" => ["p1", "p2", "p3", "p4"], "term" => ["2013B", "2013J", "2013J", "2013J"],
        "on" => [Some(10.0), Some(-5.0), Some(0.5), None], "until" => [Some(20_i64), None, None, Some(1)],
    );
    let records = read(visits(), Extract::frame(frame.unwrap()).options(days_from("term", &TERMS))).unwrap();
    assert_eq!(reasons(&records), [RejectReason::DateUnreadable, RejectReason::DateMissing]);
    let twin = frame_of(&TWIN[..3]);
    assert_eq!(digest(&records), digest(&read(visits(), Extract::frame(twin)).unwrap()));
}

#[test]
fn the_column_of_days_0_may_be_looked_up_and_mapped_as_a_date_itself() {
    let tests = frame_of(&[&["test", "of"], &["t1", "2013B"], &["t2", "2013J"]]);
    let table = Lookup::read(Extract::frame(tests), ["test", "test"], &[("term", "of")]).unwrap();
    let rows = frame_of(&[
        &["who", "test", "on", "until"],
        &["p1", "t1", "10", "20"],
        &["p2", "t2", "-5", ""],
        &["p3", "t9", "0", ""],
    ]);
    let extract = Extract::frame(rows).join(table).options(days_from("term", &TERMS));
    let records = read(visits(), extract).unwrap();
    assert_eq!(reasons(&records), [RejectReason::DayZeroUnknown]);
    assert_eq!(digest(&records), digest(&read(visits(), Extract::frame(frame_of(&TWIN[..3]))).unwrap()));

    // Day 0 itself, for a number of days.
    let starts = || SourceMapping::new("s", "who", "term", "term").lasts_days(120);
    let rows = frame_of(&[&["who", "term"], &["p1", "2013B"], &["p2", "2013X"], &["p3", ""]]);
    let records = read(starts(), Extract::frame(rows).options(days_from("term", &TERMS))).unwrap();
    assert_eq!(reasons(&records), [RejectReason::DayZeroUnknown, RejectReason::DateMissing]);
    let twin = frame_of(&[&["who", "term", "until"], &["p1", "2013-02-01", "2013-06-01"]]);
    let twin = read(SourceMapping::new("s", "who", "term", "term").ended("until"), Extract::frame(twin));
    assert_eq!(digest(&records), digest(&twin.unwrap()));
}

#[test]
fn an_episode_of_a_known_length_is_open_so_long() {
    let rows = || Extract::frame(frame_of(&[&["who", "on"], &["p1", "2024-03-01"], &["p2", "2020-01-01"]]));
    let mapping = || SourceMapping::new("s", "who", "course", "on");
    let records = read(mapping().lasts_days(10).known(Known::LagDays(-1)), rows()).unwrap();
    let rules = CohortSpec::default().open(Selector::source("s"));
    let size = |day: &str| rules.choose(&records.as_of(as_of(day))).map(|cohort| cohort.len()).ok();
    let days = ["2024-02-29", "2024-03-01", "2024-03-10", "2024-03-11"];
    assert_eq!(days.map(size), [None, Some(1), Some(1), None]);
    for mapping in
        [mapping().lasts_days(0), mapping().lasts_days(10).ended("on"), mapping().lasts_days(40_000)]
    {
        let told = read(mapping, rows()).unwrap_err().to_string();
        assert!(told.contains("lasts_days"), "{told}");
    }
    let told = read(mapping().lasts_days(10).ended_known("on"), rows()).unwrap_err().to_string();
    assert!(told.contains("ended_known"), "{told}");
}

fn by_dates(empty: Option<&str>) -> KindByDates {
    KindByDates {
        column: "paid".to_owned(),
        after: "due".to_owned(),
        then: "late".to_owned(),
        otherwise: "on_time".to_owned(),
        empty: empty.map(str::to_owned),
    }
}

const PAYMENTS: Rows<'_> = &[
    &["who", "paid", "due", "booked"],
    &["p1", "2024-03-05", "28/02/2024", "2024-03-06"],
    &["p2", "2024-03-01", "2024-03-01", "2024-03-06"],
    &["p3", "2024-03-02", "31-Mar-2199", "2024-03-06"],
    &["p4", "2024-03-02", "", "2024-03-06"],
    &["p5", "2024-03-02", "soon", "2024-03-06"],
    &["p6", "2024-03-02", "2024-04-01", "2024-03-06"],
    &["p7", "2024-03-14", "2024-03-13", "2024-03-16"],
];

#[test]
fn a_kind_is_told_by_which_of_two_dates_is_later_in_every_form() {
    let payments = |empty| {
        let mapping = SourceMapping::new("s", "who", "", "paid");
        mapping.kind_of(Kind::ByDates(by_dates(empty))).known(Known::Column("booked".into()))
    };
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("payments.{form}"));
        write_table(&path, PAYMENTS);
        let twin = |rows: Rows<'_>| {
            let mapping = SourceMapping::new("s", "who", "", "paid").kind_column("kind");
            digest(
                &read(mapping.known(Known::Column("booked".into())), Extract::frame(frame_of(rows))).unwrap(),
            )
        };
        let records = read(payments(Some("not_due")), Extract::path(&path)).unwrap();
        assert_eq!(reasons(&records), [RejectReason::DateUnreadable], "{form}");
        let all: Rows<'_> = &[
            &["who", "paid", "kind", "booked"],
            &["p1", "2024-03-05", "late", "2024-03-06"],
            &["p2", "2024-03-01", "on_time", "2024-03-06"],
            &["p3", "2024-03-02", "not_due", "2024-03-06"],
            &["p4", "2024-03-02", "not_due", "2024-03-06"],
            &["p6", "2024-03-02", "on_time", "2024-03-06"],
            &["p7", "2024-03-14", "late", "2024-03-16"],
        ];
        assert_eq!(digest(&records), twin(all), "{form}");
        // That nothing was due says nothing of whether it came in time, until the mapping does.
        let records = read(payments(None), Extract::path(&path)).unwrap();
        let expected = [RejectReason::KindMissing, RejectReason::KindMissing, RejectReason::DateUnreadable];
        assert_eq!(reasons(&records), expected, "{form}");
        assert!(records.rejects().iter().all(|reject| reject.column.as_deref() == Some("due")), "{form}");
    }
}

#[test]
fn a_kind_that_would_be_seen_before_anybody_could_tell_it_is_refused() {
    let rows = || Extract::frame(frame_of(PAYMENTS));
    let of = |occurred: &str, kind: KindByDates| {
        let mapping = SourceMapping::new("s", "who", "", occurred).kind_of(Kind::ByDates(kind));
        read(mapping, rows()).map(|_| ()).map_err(|error| error.to_string())
    };
    let told = of("due", by_dates(None)).unwrap_err();
    assert!(told.contains("name that column as `known`"), "{told}");
    assert_eq!(of("paid", by_dates(None)), Ok(()));
    let told = of("paid", KindByDates { after: "paid".to_owned(), ..by_dates(None) }).unwrap_err();
    assert!(told.contains("with itself"), "{told}");
    let told = of("paid", KindByDates { then: " ".to_owned(), ..by_dates(None) }).unwrap_err();
    assert!(told.contains("empty text"), "{told}");
    let refused = of("paid", KindByDates { after: "dued".to_owned(), ..by_dates(None) }).unwrap_err();
    assert!(refused.contains("dued"), "{refused}");
}

#[test]
fn columns_are_looked_up_by_several_together_in_every_form() {
    let table: Rows<'_> = &[
        &["module", "term", "days"],
        &["1", "23", "2013-11-01"],
        &["12", "3", "2013-12-01"],
        &["1", "3", ""],
    ];
    let rows: Rows<'_> = &[
        &["who", "m", "t"],
        &["p1", "1", "23"],
        &["p2", "12", "3"],
        &["p3", "2", "23"],
        &["p4", "1", ""],
        &["p5", "", "23"],
        &["p6", "1", "3"],
    ];
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let (of_table, of_rows) =
            (folder.path().join(format!("table.{form}")), folder.path().join(format!("rows.{form}")));
        write_table(&of_table, table);
        write_table(&of_rows, rows);
        let on = [["m", "module"], ["t", "term"]];
        let lookup = Lookup::read_by(Extract::path(of_table), &on, &[("on", "days")]).unwrap();
        let records =
            read(SourceMapping::new("s", "who", "end", "on"), Extract::path(of_rows).join(lookup)).unwrap();
        assert_eq!(reasons(&records), [RejectReason::DateMissing; 4], "{form}");
        // The last is found, and there is nothing there.
        let lost = records.remarks().iter().find(|remark| remark.kind == RemarkKind::NotInLookup).unwrap();
        assert_eq!(lost.rows, 3, "{form}");
        let twin = frame_of(&[&["who", "on"], &["p1", "2013-11-01"], &["p2", "2013-12-01"]]);
        let twin = read(SourceMapping::new("s", "who", "end", "on"), Extract::frame(twin)).unwrap();
        assert_eq!(digest(&records), digest(&twin), "{form}");
    }
    let read_by = |rows: Rows<'_>, on: &[[&str; 2]]| {
        Lookup::read_by(Extract::frame(frame_of(rows)), on, &[("on", "days")]).unwrap_err().to_string()
    };
    let on = [["m", "module"], ["t", "term"]];
    let header: &[&str] = &["module", "term", "days"];
    let told = read_by(&[header, &["1", "2", "a"], &["1", "2", "b"]], &on);
    assert!(told.contains("row 2: its module and term stood before"), "{told}");
    let told = read_by(&[header, &["1", "", "a"]], &on);
    assert!(told.contains("none of its rows has a module and term"), "{told}");
    assert!(read_by(&[header], &[]).contains("names no column"));
}

/// Writes `rows` of the columns `who` and `on` below folders of these names.
fn below(folder: &Path, folders: &str, form: &str, rows: Rows<'_>) {
    let folder = folder.join(folders);
    std::fs::create_dir_all(&folder).unwrap();
    write_table(&folder.join(format!("part-0.{form}")), rows);
}

#[test]
fn folders_give_columns_to_the_files_in_them_in_every_form() {
    let mapping = || SourceMapping::new("s", "who", "visit", "on").entity(["area", "who"]).category("year");
    let twin = frame_of(&[
        &["area", "year", "who", "on"],
        &["South West", "2023", "p1", "2023-02-01"],
        &["North", "2023", "p1", "2023-02-02"],
        &["North", "2024", "p2", "2024-02-02"],
    ]);
    let twin = digest(&read(mapping(), Extract::frame(twin)).unwrap());
    let header: &[&str] = &["who", "on"];
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        below(folder.path(), "area=South%20West/year=2023", form, &[header, &["p1", "2023-02-01"]]);
        below(folder.path(), "area=North/year=2023", form, &[header, &["p1", "2023-02-02"]]);
        below(folder.path(), "area=North/year=2024", form, &[header, &["p2", "2024-02-02"]]);
        let all = || Extract::path(folder.path().join(format!("**/*.{form}")));
        assert_eq!(digest(&read(mapping(), all()).unwrap()), twin, "{form}");
        if form == "parquet" {
            assert_eq!(digest(&read(mapping(), Extract::path(folder.path())).unwrap()), twin);
        }
        // A file may say the same itself, and a number in another way.
        let own: Rows<'_> = &[&["year", "who", "on"], &["02024", "p2", "2024-02-02"]];
        below(folder.path(), "area=North/year=2024", form, own);
        let records = read(SourceMapping::new("s", "who", "visit", "on").category("year"), all()).unwrap();
        assert_eq!(records.intake()[0].accepted, 3, "{form}");
        assert_eq!(digest(&read(mapping(), all()).unwrap()), twin, "{form}: one code and not two");
        let other: Rows<'_> =
            &[&["year", "who", "on"], &["2024", "p2", "2024-02-02"], &["2023", "p-977", "2023-03-04"]];
        below(folder.path(), "area=North/year=2024", form, other);
        let told = read(mapping(), all()).unwrap_err().to_string();
        assert!(
            told.contains("year") && told.contains("folder") && !told.contains("p-977"),
            "{form}: {told}"
        );
        below(folder.path(), "area=North/year=2024/year=2023", form, &[header, &["p2", "2024-02-02"]]);
        std::fs::remove_dir_all(folder.path().join("area=South%20West")).unwrap();
        std::fs::remove_file(folder.path().join(format!("area=North/year=2024/part-0.{form}"))).unwrap();
        let told = read(mapping(), all()).unwrap_err().to_string();
        assert!(told.contains("two folders that give the column year"), "{form}: {told}");
        // What nobody asks for may say what it likes.
        assert!(read(SourceMapping::new("s", "who", "visit", "on"), all()).is_ok(), "{form}");
        // A column that neither has is missing.
        let refused = read(mapping().category("ward"), all());
        assert!(matches!(refused, Err(RecordsError::NoColumn { column, .. }) if column == "ward"), "{form}");
    }
}

const PROJECT: &str = r#"
name = "Courses"
purpose = "Offer a tutor's time"

[[source]]
name = "s"
path = "results.csv"
read = { dates = { days_from = { column = "term", is = { 2013B = "2013-02-01" } } } }
join = [{ path = "courses.csv", on = [["module", "module"], ["term", "term"]], columns = { length = "days" } }]
columns = { entity = "who", kind = { constant = "end" }, occurred = "length" }

[[feature]]
source = "s"
measure = "count"
over = ["ever"]

[outcome]
name = "end"
words = "The course ends"
horizon = "28 days"
records = [{ source = "s" }]

[training]
as_of = ["2013-03-01", "2013-10-29"]
capacity = { cases = 1 }
"#;

#[test]
fn a_look_up_table_among_the_extracts_is_read_where_they_are() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (folder, days) in folders.iter().zip(["240", "269"]) {
        write_table(
            &folder.path().join("courses.csv"),
            &[&["module", "term", "days"], &["A", "2013B", days]],
        );
        write_table(&folder.path().join("results.csv"), &[&["who", "module", "term"], &["p1", "A", "2013B"]]);
    }
    let project = || Project::from_toml(PROJECT, folders[0].path());
    let last = |project: Project| {
        let records = project.records().unwrap();
        records.days_found("s").unwrap().last_occurred.to_string()
    };
    assert_eq!(last(project().unwrap()), "2013-09-29");
    assert_eq!(last(project().unwrap().extracts_in(folders[1].path()).unwrap()), "2013-10-28");

    let with = |from: &str, to: &str| Project::from_toml(&PROJECT.replace(from, to), folders[0].path());
    for (from, to) in [
        ("path = \"courses.csv\", ", ""),
        ("path = \"courses.csv\"", "file = \"courses.csv\", path = \"courses.csv\""),
    ] {
        let told = with(from, to).unwrap_err().to_string();
        assert!(told.contains("look-up table needs `file`"), "{told}");
    }
    let told =
        with("[[\"module\", \"module\"], [\"term\", \"term\"]]", "[\"module\"]").unwrap_err().to_string();
    assert!(told.contains("or a list of such pairs"), "{told}");
    let absolute = with("path = \"courses.csv\"", "path = \"/nowhere/courses.csv\"").unwrap();
    let told = absolute.extracts_in(folders[1].path()).unwrap_err().to_string();
    assert!(told.contains("absolute"), "{told}");
}

/// Tables of a study as they are published: students of two modules in two terms, some of whom come again.
fn write_study(folder: &Path) {
    let (modules, terms) = (["AAA", "BBB"], ["2013B", "2013J"]);
    let mut info = vec![["module", "term", "student", "gender"].map(str::to_owned).to_vec()];
    let mut registered = vec![
        ["module", "term", "student", "date_registration", "date_unregistration"].map(str::to_owned).to_vec(),
    ];
    let mut marks = vec![["test", "student", "date_submitted", "score"].map(str::to_owned).to_vec()];
    let mut tests = vec![["test", "module", "term", "weight"].map(str::to_owned).to_vec()];
    for (place, module) in modules.iter().enumerate() {
        for (nth, term) in terms.iter().enumerate() {
            let test = format!("t{place}{nth}");
            tests.push(vec![test.clone(), (*module).to_owned(), (*term).to_owned(), "50".to_owned()]);
            let mut clicks = vec![["student", "date", "sum_click"].map(str::to_owned).to_vec()];
            for number in 0..120 {
                // A third of the second term's students are the first's, and two thirds of a module's the other's.
                let student = (10_000 + place * 40 + nth * 80 + number).to_string();
                let gender = if number % 3 == 0 { "m" } else { "f" };
                info.push(vec![(*module).to_owned(), (*term).to_owned(), student.clone(), gender.to_owned()]);
                let left = if number % 7 == 0 { (40 + number % 60).to_string() } else { String::new() };
                let came = format!("-{}", 5 + number % 30);
                registered.push(vec![(*module).to_owned(), (*term).to_owned(), student.clone(), came, left]);
                for day in 0..number % 5 {
                    clicks.push(vec![student.clone(), (day * 9).to_string(), (1 + number % 11).to_string()]);
                }
                if number % 4 > 0 {
                    marks.push(vec![
                        test.clone(),
                        student,
                        (20 + number % 100).to_string(),
                        (number % 100).to_string(),
                    ]);
                }
            }
            let to = folder.join(format!("clicks/module={module}/term={term}"));
            std::fs::create_dir_all(&to).unwrap();
            write(&to.join("part-0.parquet"), &clicks);
        }
    }
    write(&folder.join("info.csv"), &info);
    write(&folder.join("registration.csv"), &registered);
    write(&folder.join("marks.csv"), &marks);
    write(&folder.join("tests.csv"), &tests);
}

fn write(path: &Path, rows: &[Vec<String>]) {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    write_table(path, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn a_draft_of_a_study_has_its_parts_of_ids_and_asks_for_its_days_0() {
    let folder = tempfile::tempdir().unwrap();
    write_study(folder.path());
    let draft =
        DraftParams::new(folder.path()).read_on("2025-01-01".parse().unwrap()).draft(folder.path()).unwrap();
    let text = draft.text();
    let has = |wanted: &str| assert!(text.contains(wanted), "{wanted}\n{text}");
    let entity = "entity = [\"module\", \"term\", \"student\"]";
    assert_eq!(text.matches(entity).count(), 4, "{text}");
    has("person = [\"module\", \"term\", \"student\"], household = \"student\"");
    has("characteristics = [\"gender\"]");
    has("path = \"clicks\"");
    has(
        "join = [{ path = \"tests.csv\", on = [\"test\", \"test\"], columns = { module = \"module\", term = \"term\" } }]",
    );
    let asked = "dates = { days_from = { column = \"term\", is = { 2013B = \"2013-01-01\", 2013J = \"2013-01-01\" } } }";
    assert_eq!(text.matches(asked).count(), 3, "{text}");
    assert_eq!(text.matches("Give each name its day in `is`").count(), 3, "{text}");
    has("tests.csv: looked up by marks.csv");
    assert!(!text.contains("10041") && !text.contains("t00"), "no value of a row: {text}");

    // The edits that the comments ask for: the days 0, and with them the dates of training and what is covered.
    let edited = text.replace(
        "2013B = \"2013-01-01\", 2013J = \"2013-01-01\"",
        "2013B = \"2013-02-01\", 2013J = \"2013-10-01\"",
    );
    let mut table: toml::Table = toml::from_str(&edited).unwrap();
    let training = table["training"].as_table_mut().unwrap();
    training.insert("as_of".into(), toml::Value::Array(vec!["2013-02-15".into(), "2013-10-15".into()]));
    for source in table["source"].as_array_mut().unwrap() {
        let complete: toml::Table = toml::from_str("from = \"2012-01-01\"\nto = \"2014-12-31\"").unwrap();
        source.as_table_mut().unwrap().insert("coverage".into(), toml::Value::Table(complete));
    }
    let outcome = table["outcome"].as_table_mut().unwrap();
    outcome.insert("horizon".into(), "3 months".into());
    let project = Project::from_toml(&table.to_string(), folder.path()).unwrap();
    let faults = project.check().unwrap().faults();
    assert!(faults.is_empty(), "{faults:?}");
    let (records, protected) = (project.records().unwrap(), project.protected().unwrap());
    assert_eq!(records.people(), 480);
    assert!(records.intake().iter().all(|intake| intake.rejected == 0), "{:?}", records.intake());
    let trained = project.train(&records, &protected, &Trainer::by_name("logistic").unwrap());
    assert!(trained.is_ok(), "{}", trained.unwrap_err());
}

#[test]
fn a_council_whose_people_are_listed_once_has_no_ids_of_several_parts() {
    let folder = tempfile::tempdir().unwrap();
    write_study(folder.path());
    let mut people = vec![["student", "date_of_birth"].map(str::to_owned).to_vec()];
    people.extend((0..2).flat_map(|place| {
        (0..200).map(move |number| {
            vec![(10_000 + place * 200 + number).to_string(), format!("2000-01-{:02}", number % 28 + 1)]
        })
    }));
    write(&folder.path().join("people.csv"), &people);
    let draft =
        DraftParams::new(folder.path()).read_on("2025-01-01".parse().unwrap()).draft(folder.path()).unwrap();
    assert!(
        draft.text().contains("entity = \"student\"") && !draft.text().contains("\"term\", \"student\""),
        "{}",
        draft.text()
    );
}

#[test]
fn people_whose_ids_are_names_of_folders_are_refused_without_telling_them() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("visits/person=SECRET-1");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("a.csv"), "on\n2024-01-05\n").unwrap();
    let mapping = SourceMapping::new("visits", "person", "visit", "on");
    let pattern = folder.path().join("visits/**/*.csv");
    let told = Records::builder().source(mapping, Extract::path(pattern)).build().unwrap_err().to_string();
    assert!(told.contains("names of folders") && !told.contains("SECRET"), "{told}");
}
