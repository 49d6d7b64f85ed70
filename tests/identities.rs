//! People across systems: crosswalks, merged ids, Splink's output, pseudonyms, and people who died or left.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use earlyhelp::calendar::AsOf;
use earlyhelp::cohort::{CohortSpec, Unit};
use earlyhelp::error::RecordsError;
use earlyhelp::fairness::{Protected, ProtectedColumns};
use earlyhelp::features::Cell;
use earlyhelp::project::Project;
use earlyhelp::records::{
    Extract, HouseholdColumns, Identities, IdentityColumns, Known, PeopleColumns, PseudonymKey, Records,
    RejectReason, RemarkKind, SourceMapping,
};
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::df;
use polars::prelude::DataFrame;
use proptest::prelude::*;

use crate::world::{Dice, as_of, cells, wild, wild_date, wild_features};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn columns(toml: &str) -> IdentityColumns {
    toml::from_str(toml).unwrap()
}

fn crosswalk() -> IdentityColumns {
    columns(
        "form = \"crosswalk\"\nsystem = \"system\"\nlocal = \"id\"\nperson = \"person\"\nfrom = \"from\"\nto = \"to\"\n\
         probability = \"sure\"",
    )
}

fn read(tables: Vec<(IdentityColumns, DataFrame)>) -> Result<Identities, RecordsError> {
    Identities::read(tables.into_iter().map(|(columns, frame)| (columns, Extract::frame(frame))))
}

fn notices(rows: &[(&str, &str)]) -> Extract {
    let (who, on): (Vec<&str>, Vec<&str>) = rows.iter().copied().unzip();
    Extract::frame(df!("who" => who, "on" => on).unwrap())
}

fn police() -> SourceMapping {
    SourceMapping::new("police", "who", "notice", "on").system("Police")
}

/// How many events each person has at a date.
fn counts(records: &Records, source: &str, at: &str, people: &[&str]) -> Vec<usize> {
    let snapshot = records.as_of(as_of(at));
    people.iter().map(|person| snapshot.events(source, person).count()).collect()
}

/// The rejects of a source: the rows and why.
fn rejects(records: &Records, source: &str) -> Vec<(u64, RejectReason)> {
    let of_source = records.rejects().iter().filter(|reject| reject.source == source);
    of_source.map(|reject| (reject.row, reject.reason)).collect()
}

fn remarked(records: &Records, source: &str, kind: RemarkKind) -> u64 {
    let remarks = records.remarks().iter();
    remarks.filter(|held| held.source == source && held.kind == kind).map(|held| held.rows).sum()
}

#[test]
fn an_id_is_whose_it_was_on_the_day_of_the_event() {
    // N1 was p1's until March and is p2's since; N2 was p1's in February alone; N3 is two people's from May on.
    let whose = df!(
        "system" => ["police", "POLICE", "police", "police", "police", "housing"],
        "id" => ["N1", "N1", "N2", "N3", "N3", "T1"],
        "person" => ["p1", "p2", "p1", "p1", "p2", "p2"],
        "from" => ["", "2024-03-01", "2024-02-01", "", "2024-05-01", ""],
        "to" => ["2024-03-01", "", "2024-03-01", "", "", ""],
        "sure" => ["1", "1", "1", "1", "1", "1"],
    )
    .unwrap();
    let rows = [
        ("N1", "2024-02-29"), // p1
        ("N1", "2024-03-01"), // p2
        ("N2", "2024-01-31"), // nobody's yet
        ("N2", "2024-02-01"), // p1
        ("N2", "2024-03-01"), // nobody's any more
        ("N3", "2024-04-30"), // p1
        ("N3", "2024-05-01"), // two people's
        ("N9", "2024-05-01"), // not known
        ("T1", "2024-05-01"), // of another system
        ("", "2024-05-01"),
    ];
    let identities = read(vec![(crosswalk(), whose)]).unwrap();
    let builder = Records::builder().identities(identities).source(police(), notices(&rows));
    let records = builder.reject_limit(1.0).build().unwrap();
    assert_eq!(counts(&records, "police", "2024-06-01", &["p1", "p2"]), [3, 1]);
    let unknown = RejectReason::IdentityUnknown;
    assert_eq!(
        rejects(&records, "police"),
        [
            (3, unknown),
            (5, unknown),
            (7, RejectReason::IdentityTwice),
            (8, unknown),
            (9, unknown),
            (10, RejectReason::EntityMissing)
        ]
    );
    assert_eq!(remarked(&records, "identities", RemarkKind::IdentityTwice), 1);
    let intake = records.intake().iter().find(|intake| intake.source == "identities").unwrap();
    assert_eq!((intake.read, intake.accepted), (6, 6));
}

#[test]
fn rows_of_a_crosswalk_that_cannot_be_used_are_rejected() {
    let whose = df!(
        "system" => ["police", "", "police", "police", "police", "police", "police"],
        "id" => ["N1", "N2", "", "N4", "N5", "N6", "N7"],
        "person" => ["p1", "p1", "p1", "", "p1", "p1", "p1"],
        "from" => ["", "", "", "", "2024-03-01", "soon", ""],
        "to" => ["", "", "", "", "2024-03-01", "", ""],
        "sure" => ["0.95", "1", "1", "1", "1", "1", "95"],
    )
    .unwrap();
    let identities = read(vec![(crosswalk(), whose)]).unwrap();
    let why: Vec<RejectReason> = identities.rejects().iter().map(|reject| reject.reason).collect();
    assert_eq!(
        why,
        [
            RejectReason::ValueMissing,
            RejectReason::EntityMissing,
            RejectReason::EntityMissing,
            RejectReason::EndBeforeStart,
            RejectReason::DateUnreadable,
            RejectReason::LinkNotAShare
        ]
    );
}

#[test]
fn the_lower_of_two_probabilities_holds_and_comes_with_the_record() {
    let whose = df!(
        "system" => ["police", "police"], "id" => ["N1", "N2"], "person" => ["p1", "p2"],
        "from" => ["", ""], "to" => ["", ""], "sure" => ["0.93", "0.89"],
    )
    .unwrap();
    let rows = df!(
        "who" => ["N1", "N1", "N1", "N2"], "on" => ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"],
        "link" => ["1", "0.91", "0.85", "1"],
    )
    .unwrap();
    let mapping = police().link_probability("link", 0.9);
    let builder = Records::builder().identities(read(vec![(crosswalk(), whose)]).unwrap());
    let records = builder.source(mapping, Extract::frame(rows)).reject_limit(1.0).build().unwrap();
    assert_eq!(rejects(&records, "police"), [(3, RejectReason::LinkWeak), (4, RejectReason::LinkWeak)]);

    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-06-01"))).unwrap();
    let spec = earlyhelp::features::FeatureSpec::new(vec![earlyhelp::features::Feature::new(
        earlyhelp::records::Selector::source("police"),
        earlyhelp::features::Measure::Count,
        earlyhelp::calendar::Lookback::Ever,
    )])
    .unwrap();
    let behind = spec.records_behind(&cohort, 0, 0).unwrap();
    let links: Vec<String> = behind.iter().map(|record| record.link.unwrap().to_string()).collect();
    assert_eq!(links, ["0.93", "0.91"]);
}

#[test]
fn merged_ids_are_followed_to_the_end_and_known_from_the_day() {
    let merged = "form = \"merged\"\nold = \"old\"\ninto = \"new\"\non = \"day\"";
    let merges = |system: &str| columns(&format!("{merged}{system}"));
    // p9 became p8 in March and p8 became p1 in May; p2 was never merged; N7 became N1 at some time.
    let of_people = df!(
        "old" => ["p9", "p8", "p2", "p3"], "new" => ["p8", "p1", "", "p3"],
        "day" => ["2024-03-01", "2024-05-01", "", ""],
    )
    .unwrap();
    let of_police = df!("old" => ["N7"], "new" => ["N1"], "day" => [""]).unwrap();
    let whose = df!(
        "system" => ["police", "police"], "id" => ["N1", "N2"], "person" => ["p9", "p2"],
        "from" => ["", ""], "to" => ["", ""], "sure" => ["1", "1"],
    )
    .unwrap();
    let tables =
        vec![(merges(""), of_people), (merges("\nsystem = \"police\""), of_police), (crosswalk(), whose)];
    let rows = [("N7", "2024-01-01"), ("N1", "2024-01-02"), ("N2", "2024-01-03"), ("N1", "2024-06-01")];
    let care = SourceMapping::new("care", "who", "visit", "on").known(Known::LagDays(10));
    let visits = [("p8", "2024-01-01"), ("p1", "2024-01-01"), ("p9", "2024-04-28")];
    let records = Records::builder()
        .identities(read(tables).unwrap())
        .source(police(), notices(&rows))
        .source(care, notices(&visits))
        .build()
        .unwrap();
    assert_eq!(records.people(), 2);
    // That p9 is p1 is known from 1 May on, and seen from the day after.
    assert_eq!(counts(&records, "police", "2024-05-01", &["p1", "p2"]), [0, 1]);
    assert_eq!(counts(&records, "police", "2024-05-02", &["p1", "p2"]), [2, 1]);
    assert_eq!(counts(&records, "police", "2024-06-02", &["p1", "p2"]), [3, 1]);
    assert_eq!(counts(&records, "care", "2024-05-01", &["p1"]), [1], "the record under the own id");
    assert_eq!(counts(&records, "care", "2024-05-02", &["p1"]), [2], "and the one of the merged id");
    assert_eq!(counts(&records, "care", "2024-05-09", &["p1"]), [3], "known ten days after it happened");
}

#[test]
fn a_circle_of_merges_and_a_system_that_nobody_knows_are_errors_without_an_id() {
    let merged = || columns("form = \"merged\"\nold = \"old\"\ninto = \"new\"");
    let circle = df!("old" => ["x", "s3cret-1", "s3cret-2"], "new" => ["y", "s3cret-2", "s3cret-1"]).unwrap();
    let told = read(vec![(merged(), circle)]).unwrap_err();
    let text = format!("{told} {told:?}");
    assert!(text.contains("2 ids were merged in a circle") && text.contains("row 2"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");

    let identities = read(vec![(merged(), df!("old" => ["a"], "new" => ["b"]).unwrap())]).unwrap();
    let builder = Records::builder().identities(identities);
    let told = builder.source(police(), notices(&[("N1", "2024-01-01")])).build().unwrap_err().to_string();
    assert!(told.contains("source police") && told.contains("system \"Police\""), "{told}");
    // An id that was merged into two people is nobody's.
    let two = df!("old" => ["a", "a"], "new" => ["b", "c"]).unwrap();
    let builder = Records::builder().identities(read(vec![(merged(), two)]).unwrap());
    let care = SourceMapping::new("care", "who", "visit", "on");
    let rows = notices(&[("a", "2024-01-01"), ("b", "2024-01-01")]);
    let records = builder.source(care, rows).reject_limit(1.0).build().unwrap();
    assert_eq!(rejects(&records, "care"), [(1, RejectReason::IdentityTwice)]);
    assert_eq!(remarked(&records, "identities", RemarkKind::IdentityTwice), 1);
}

#[test]
fn splinks_clusters_and_pairs_are_read_as_they_are_written() {
    let clusters = || {
        df!(
            "cluster_id" => ["c-1", "c-1", "c-1", "c-2", "c-3", "c-3"],
            "source_dataset" => ["care", "police", "housing", "police", "care", "police"],
            "unique_id" => [1, 1, 1, 2, 3, 3],
            "surname" => ["x", "x", "x", "x", "x", "x"],
        )
        .unwrap()
    };
    // police 1 is joined to the cluster by 0.93 (its other pair is weaker), housing 1 by 0.97; the pair of police 3 with care 1
    // leads out of its cluster, so nothing that was shown keeps it there; police 2 is alone.
    let pairs = df!(
        "match_weight" => [1.0, 2.0, 3.0, 4.0],
        "match_probability" => [0.93, 0.97, 0.5, 0.999],
        "source_dataset_l" => ["care", "care", "police", "care"],
        "unique_id_l" => [1, 1, 1, 1],
        "source_dataset_r" => ["police", "housing", "housing", "police"],
        "unique_id_r" => [1, 1, 1, 3],
    )
    .unwrap();
    let (form, of_pairs) = (|| columns("form = \"splink_clusters\""), || columns("form = \"splink_pairs\""));
    let rows = [("1", "2024-01-01"), ("2", "2024-01-02"), ("3", "2024-01-03")];
    let with = |tables: Vec<(IdentityColumns, DataFrame)>, least: f64| {
        let mut mapping = police();
        mapping.columns.minimum_link = least;
        let builder = Records::builder().identities(read(tables).unwrap());
        builder.source(mapping, notices(&rows)).reject_limit(1.0).build().unwrap()
    };
    let both = |least| with(vec![(of_pairs(), pairs.clone()), (form(), clusters())], least);
    assert_eq!(rejects(&both(0.93), "police"), [(3, RejectReason::LinkWeak)]);
    assert_eq!(rejects(&both(0.9301), "police"), [(1, RejectReason::LinkWeak), (3, RejectReason::LinkWeak)]);
    assert_eq!(counts(&both(0.9), "police", "2024-06-01", &["c-1", "c-2", "c-3"]), [1, 1, 0]);
    // Without pairs nobody says how sure the links are.
    assert!(with(vec![(form(), clusters())], 0.9).rejects().is_empty());
    let told = read(vec![(of_pairs(), pairs.clone())]).unwrap_err().to_string();
    assert!(told.contains("splink_clusters"), "{told}");
}

#[test]
fn one_table_may_have_a_column_for_each_system() {
    let wide = df!(
        "care_id" => ["p1", "p2", ""], "upn" => ["A1", "", "A3"], "nominal" => ["N1", "N2", "N3"],
    )
    .unwrap();
    let form = "form = \"wide\"\nperson = \"care_id\"\nsystems = { school = \"upn\", police = \"nominal\", care = \"care_id\" }";
    let identities = read(vec![(columns(form), wide)]).unwrap();
    assert_eq!(identities.rejects().len(), 1, "a row without a person");
    let rows = notices(&[("N1", "2024-01-01"), ("N2", "2024-01-01"), ("N3", "2024-01-01")]);
    let records = Records::builder().identities(identities).source(police(), rows);
    let records = records.reject_limit(0.5).build().unwrap();
    assert_eq!(counts(&records, "police", "2024-06-01", &["p1", "p2"]), [1, 1]);
    assert_eq!(rejects(&records, "police"), [(3, RejectReason::IdentityUnknown)]);
}

fn people(rows: &[[&str; 4]]) -> Extract {
    let column = |nth: usize| rows.iter().map(|row| row[nth]).collect::<Vec<_>>();
    let frame = df!("id" => column(0), "born" => column(1), "died" => column(2), "left" => column(3));
    Extract::frame(frame.unwrap())
}

fn people_columns() -> PeopleColumns {
    PeopleColumns {
        person: vec!["id".into()],
        date_of_birth: Some("born".into()),
        died: Some("died".into()),
        left: Some("left".into()),
        ..PeopleColumns::default()
    }
}

#[test]
fn who_died_or_left_is_in_no_cohort_once_it_is_known() {
    let list = people(&[
        ["p1", "2015-01-01", "", ""],
        ["p2", "2015-01-01", "2024-03-31", ""],
        ["p3", "2015-01-01", "", "2024-02-01"],
        ["p4", "2015-01-01", "2024-03-01", "2024-01-01"],
        ["p5", "2015-01-01", "n/k", "9999-12-31"],
        ["p6", "2015-01-01", "2014-12-31", ""],
    ]);
    let rows = [("p2", "2024-03-31"), ("p2", "2024-04-01"), ("p3", "2024-05-01"), ("p4", "2024-03-02")];
    let care = SourceMapping::new("care", "who", "visit", "on");
    let homes =
        df!("id" => ["p1", "p2", "p3", "p4", "p6"], "home" => ["h1", "h1", "h2", "h2", "h3"]).unwrap();
    let homes_columns = HouseholdColumns {
        person: vec!["id".into()],
        household: "home".into(),
        ..HouseholdColumns::default()
    };
    let records = Records::builder()
        .people(people_columns(), list)
        .households(homes_columns, Extract::frame(homes))
        .source(care, notices(&rows))
        .build()
        .unwrap();
    let cohort = |rules: CohortSpec, at: &str| {
        let cohort = rules.choose(&records.as_of(as_of(at))).unwrap();
        let left_out = cohort.left_out();
        (cohort.ids().map(str::to_owned).collect::<Vec<_>>().join(" "), left_out.died, left_out.left)
    };
    let rules = || CohortSpec::default().ages(0, 16);
    assert_eq!(cohort(rules(), "2024-01-01"), ("p1 p2 p3 p4 p5".into(), 1, 0));
    assert_eq!(cohort(rules(), "2024-02-01"), ("p1 p2 p3 p5".into(), 1, 1), "p4 had left the month before");
    assert_eq!(cohort(rules(), "2024-03-31"), ("p1 p2 p5".into(), 2, 1), "a death of today is not known yet");
    assert_eq!(cohort(rules(), "2024-04-01"), ("p1 p5".into(), 3, 1));
    // A family is there as long as one of its members is.
    assert_eq!(cohort(rules().unit(Unit::Family), "2024-04-01"), ("h1".into(), 1, 1));
    let remarked = |kind| remarked(&records, "people", kind);
    assert_eq!([RemarkKind::Died, RemarkKind::Left].map(remarked), [3, 2]);
    assert_eq!([RemarkKind::PartingUnusable, RemarkKind::DiedBeforeBirth].map(remarked), [1, 1]);
    assert_eq!(self::remarked(&records, "care", RemarkKind::AfterDeath), 2, "p2 on 1 April, p4 on 2 March");

    // What was said of people at a date does not change by a death that came to be known later.
    let with = |died: &str| {
        let list = people(&[["p1", "2015-01-01", died, ""], ["p2", "2015-01-01", "2024-01-01", ""]]);
        let records = Records::builder().people(people_columns(), list).build().unwrap();
        records.as_of(as_of("2024-04-01")).digest("people").unwrap()
    };
    assert_eq!(with(""), with("2024-04-01"));
    assert_ne!(with(""), with("2024-03-31"));
}

#[test]
fn two_people_under_one_id_and_one_under_two_are_counted() {
    let whose = df!(
        "system" => ["care"; 4], "id" => ["1", "2", "3", "4"], "person" => ["a", "b", "a", "c"],
        "from" => [""; 4], "to" => [""; 4], "sure" => ["1"; 4],
    )
    .unwrap();
    let rows = [
        ["1", "2015-01-01", "", "2024-01-01"],
        ["2", "2012-05-05", "", ""],
        ["2", "2011-05-05", "", ""], // another child, or a mistake
        ["3", "2015-01-01", "", ""], // the same child as 1, who is still here
        ["4", "2014-01-01", "", "2024-02-01"],
        ["4", "", "2024-03-01", "2024-01-01"],
    ];
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 2, 5, 0, 4, 1]] {
        let columns = PeopleColumns { system: Some("care".into()), ..people_columns() };
        let identities = read(vec![(crosswalk(), whose.clone())]).unwrap();
        let list = people(&order.map(|nth| rows[nth]));
        let records = Records::builder().identities(identities).people(columns, list);
        let records = records.reject_limit(0.5).build().unwrap();
        assert_eq!(records.people(), 3);
        let repeated: Vec<_> = rejects(&records, "people").into_iter().map(|(_, why)| why).collect();
        assert_eq!(repeated, [RejectReason::EntityRepeated; 2]);
        let of = |kind| remarked(&records, "people", kind);
        assert_eq!([RemarkKind::BirthsDiffer, RemarkKind::SeveralIds].map(of), [1, 1], "{order:?}");
        assert_eq!([RemarkKind::Died, RemarkKind::Left].map(of), [1, 1], "only c, who died after leaving");
        let cohort = CohortSpec::default().ages(12, 12).choose(&records.as_of(as_of("2024-01-01"))).unwrap();
        assert_eq!(cohort.ids().collect::<Vec<_>>(), ["b"], "of two births the earlier");
    }
}

#[test]
fn pseudonyms_are_those_that_python_makes() {
    let key = PseudonymKey::new(KEY).unwrap();
    // hmac.new(key, message, sha256).hexdigest()[:32], the message being the lengths (8 bytes, little-endian) and texts of
    // b"earlyhelp/pseudonym/1" and b"person" (or b"household"), and then the id.
    assert_eq!(key.of_person("p1"), "7e46c09ee17e710cf104e00279f171ac");
    assert_eq!(key.of_household("p1"), "c8a050dd401eef8d360f0a9bf5898cf2");
    for length in [0, 1, 31] {
        let told = PseudonymKey::new(&KEY[..length]).unwrap_err().to_string();
        assert!(told.contains("fewer than 32 bytes") && !told.contains("0123"), "{told}");
    }
    assert_eq!(format!("{key:?}"), "PseudonymKey { .. }");
}

#[test]
fn pseudonyms_are_everywhere_and_the_way_back_only_where_it_is_asked_for() {
    let key = PseudonymKey::new(KEY).unwrap();
    let whose = || {
        df!(
            "system" => ["police"], "id" => ["N1"], "person" => ["4711"],
            "from" => [""], "to" => [""], "sure" => ["1"],
        )
        .unwrap()
    };
    let identities = || read(vec![(crosswalk(), whose())]).unwrap().pseudonyms(key.clone());
    let build = |identities: Identities| {
        let homes = df!("id" => [4711], "home" => [17]).unwrap();
        let homes_columns = HouseholdColumns {
            person: vec!["id".into()],
            household: "home".into(),
            ..HouseholdColumns::default()
        };
        let list = df!("id" => [4711, 4712]).unwrap();
        let list_columns = PeopleColumns { person: vec!["id".into()], ..PeopleColumns::default() };
        let builder = Records::builder()
            .identities(identities)
            .people(list_columns, Extract::frame(list))
            .households(homes_columns, Extract::frame(homes))
            .source(police(), notices(&[("N1", "2024-01-01")]))
            .source(
                SourceMapping::new("care", "who", "visit", "on"),
                notices(&[("4711", "2024-01-01"), ("17", "2024-01-01")]),
            );
        assert!(!format!("{builder:?}").contains("0123"));
        builder.reject_limit(0.5).build().unwrap()
    };
    let records = build(identities());
    let [person, other, home] = [key.of_person("4711"), key.of_person("4712"), key.of_household("17")];
    assert_eq!(counts(&records, "police", "2024-06-01", &[&person, &other, "4711"]), [1, 0, 0]);
    assert_eq!(counts(&records, "care", "2024-06-01", &[&person]), [1]);
    assert_eq!(rejects(&records, "care"), [(2, RejectReason::EntityUnknown)]);
    let families = CohortSpec::default().unit(Unit::Family).choose(&records.as_of(as_of("2024-06-01")));
    assert_eq!(families.unwrap().ids().collect::<Vec<_>>(), [home.as_str()]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.csv");
    let told = records.write_way_back(&path).unwrap_err().to_string();
    assert!(told.contains("not kept") && !path.exists(), "{told}");
    let kept = build(identities().keep_way_back());
    kept.write_way_back(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let back: BTreeMap<&str, &str> = text.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    let expected = BTreeMap::from([(person.as_str(), "4711"), (&*other, "4712"), (&*home, "17")]);
    assert_eq!(back, expected, "the id that was rejected is not among them");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(kept.write_way_back(&path).is_err(), "it is not written over");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(!format!("{kept:?}").contains("4711"));
}

#[test]
fn protected_characteristics_come_in_by_the_same_door() {
    let whose = df!(
        "system" => ["care", "care"], "id" => ["1", "2"], "person" => ["a", "b"],
        "from" => ["", ""], "to" => ["", ""], "sure" => ["1", "0.5"],
    )
    .unwrap();
    let columns = ProtectedColumns {
        entity: vec!["id".into()],
        system: Some("care".into()),
        characteristics: vec!["sex".into()],
        ..ProtectedColumns::default()
    };
    let identities = read(vec![(crosswalk(), whose)]).unwrap();
    let frame = df!("id" => [1, 2, 3], "sex" => ["F", "M", "M"]).unwrap();
    let protected = Protected::read_of(&columns, Extract::frame(frame), &identities, Unit::Person).unwrap();
    let why: Vec<_> = protected.rejects().iter().map(|reject| (reject.row, reject.reason)).collect();
    assert_eq!(why, [(2, RejectReason::LinkWeak), (3, RejectReason::IdentityUnknown)]);
    assert!(Protected::read(&columns, Extract::frame(df!("id" => [1], "sex" => ["F"]).unwrap())).is_err());
}

/// Replaces the ids in the first column of this name by those that `of` gives.
fn translate(path: &Path, column: &str, of: &dyn Fn(&str) -> String) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let place = header.iter().position(|name| name == column).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        let cell = |(nth, cell): (usize, &str)| if nth == place { of(cell) } else { cell.to_owned() };
        writer.write_record(row.iter().enumerate().map(cell)).unwrap();
    }
    std::fs::write(path, writer.into_inner().unwrap()).unwrap();
}

/// The features and outcomes of all training dates, and what the sources said at the first, as bits.
fn made_of(project: &Project) -> (Vec<Vec<u32>>, Vec<String>, Vec<Option<String>>) {
    let records = project.records().unwrap();
    assert!(records.rejects().is_empty());
    let bits = |cell: Cell| match cell {
        Cell::Value(value) => value.to_bits(),
        Cell::Missing => u32::MAX,
        Cell::NotCovered => u32::MAX - 1,
    };
    let (mut features, mut cohorts, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for &date in &project.training.as_of {
        let cohort = project.cohort(&records, date).unwrap();
        cohorts.push(cohort.digest());
        let matrix = project.features().unwrap().compute(&cohort).unwrap();
        features.extend(cells(&matrix).into_iter().map(|column| column.into_iter().map(bits).collect()));
        let snapshot = records.as_of(date);
        digests.extend(snapshot.sources().map(|source| snapshot.digest(source)));
    }
    (features, cohorts, digests)
}

#[test]
fn a_council_of_four_id_systems_has_the_features_of_one() {
    let council = CouncilParams::new(1_000, 7).dirty(false).generate().unwrap();
    let [clean, systems] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let whole = Project::load(council.write(clean.path(), Format::Csv).unwrap()).unwrap();
    let path = council.write(systems.path(), Format::Csv).unwrap();
    let mut text = std::fs::read_to_string(&path).unwrap();
    let at = |name: &str| systems.path().join(name);

    // Ids that say nothing of each other; every third person of the police has a second id, merged into the first.
    let of_system = |system: &str, id: &str| {
        let number = id.bytes().fold(7_u64, |held, byte| held.wrapping_mul(1_000_003) ^ u64::from(byte));
        format!("{}{}", &system[..1], number % 1_000_000_007)
    };
    let mut people = csv::Reader::from_path(at("people.csv")).unwrap();
    let place = people.headers().unwrap().iter().position(|name| name == "person_id").unwrap();
    let ids: Vec<String> = people.records().map(|row| row.unwrap()[place].to_owned()).collect();
    assert!(ids.len() > 1_000);
    let mut whose = "system,id,person\n".to_owned();
    let mut merged = "old,new\n".to_owned();
    for (nth, id) in ids.iter().enumerate() {
        for system in ["police", "housing", "school"] {
            whose += &format!("{system},{},{id}\n", of_system(system, id));
        }
        if nth % 3 == 0 {
            let first = of_system("police", id);
            merged += &format!("x{first},{first}\n");
        }
    }
    std::fs::write(at("whose.csv"), whose).unwrap();
    std::fs::write(at("merged.csv"), merged).unwrap();
    let third: std::collections::BTreeSet<&String> = ids.iter().step_by(3).collect();
    let count = std::cell::Cell::new(0_u32);
    let police = |id: &str| {
        count.set(count.get() + 1);
        let second = third.contains(&id.to_owned()) && count.get().is_multiple_of(2);
        format!("{}{}", if second { "x" } else { "" }, of_system("police", id))
    };
    translate(&at("police.csv"), "person_id", &police);
    for (file, system) in [("housing", "housing"), ("attendance", "school"), ("suspensions", "school")] {
        translate(&at(&format!("{file}.csv")), "person_id", &|id| of_system(system, id));
    }
    for (file, system) in
        [("police", "police"), ("housing", "housing"), ("attendance", "school"), ("suspensions", "school")]
    {
        let start = text.find(&format!("path = \"{file}.csv\"")).unwrap();
        let columns = start + text[start..].find("columns = { ").unwrap() + "columns = { ".len();
        text.insert_str(columns, &format!("system = \"{system}\", "));
    }
    let tables = r#"
[[identities]]
path = "whose.csv"
columns = { form = "crosswalk", system = "system", local = "id", person = "person" }

[[identities]]
path = "merged.csv"
columns = { form = "merged", old = "old", into = "new", system = "police" }
"#;
    std::fs::write(&path, format!("{text}{tables}")).unwrap();
    let translated = Project::load(&path).unwrap();
    assert!(made_of(&whole) == made_of(&translated), "ids of four systems change what is known of somebody");

    // With a key both have the same pseudonyms, and nobody's id.
    std::fs::write(at("pseudonyms.key"), [KEY, b"\n"].concat()).unwrap();
    std::fs::copy(at("pseudonyms.key"), clean.path().join("pseudonyms.key")).unwrap();
    let keyed = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text + "\n[pseudonyms]\nkey_file = \"pseudonyms.key\"\n").unwrap();
        Project::load(path).unwrap()
    };
    let (one, four) = (keyed(&clean.path().join("project.toml")), keyed(&path));
    assert!(made_of(&one) == made_of(&four));
    let cohort_of = |project: &Project| {
        let records = project.records().unwrap();
        let cohort = project.cohort(&records, project.training.as_of[0]).unwrap();
        cohort.ids().map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let key = PseudonymKey::new(KEY).unwrap();
    let expected = cohort_of(&whole).iter().map(|id| key.of_person(id)).collect();
    assert_eq!(cohort_of(&four), expected);

    // And on the command.
    let back = at("back.csv");
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_earlyhelp"));
        command.arg("check").arg(&path).arg("--pseudonyms-back").arg(&back).output().unwrap()
    };
    let done = check();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains("identities 1") && !said.contains("0123456789abcdef"), "{said}");
    let lines = std::fs::read_to_string(&back).unwrap().lines().count();
    assert!(lines > ids.len(), "{lines}");
    assert_eq!(check().status.code(), Some(1), "it is not written over");
}

#[test]
fn a_key_that_is_not_there_or_too_short_is_told_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_000, 7).dirty(false).generate().unwrap();
    let path = council.write(folder.path(), Format::Csv).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let told = |table: &str| {
        let project = Project::from_toml(&format!("{text}\n[pseudonyms]\n{table}\n"), folder.path()).unwrap();
        project.records().unwrap_err().to_string()
    };
    assert!(told("key_file = \"none.key\"").contains("none.key"));
    assert!(told("key_env = \"EARLYHELP_NO_SUCH_KEY\"").contains("no variable EARLYHELP_NO_SUCH_KEY"));
    std::fs::write(
        folder.path().join("short.key"),
        "s3cret\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
    )
    .unwrap();
    let short = told("key_file = \"short.key\"");
    assert!(short.contains("fewer than 32 bytes") && !short.contains("s3cret"), "{short}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_and_tables_never_matters(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let world = wild(seed, 12, 60);
        let ids: Vec<String> = world.people.iter().map(|person| person.id.clone()).collect();
        // Some people are another's old id, and every id of a source is one of its own, now and then of two people.
        let mut merges: Vec<(String, String, String)> = Vec::new();
        for nth in 1..ids.len() {
            if dice.chance(0.3) {
                let into = ids[dice.below(nth)].clone();
                let day = if dice.chance(0.5) { "2024-02-10" } else { "" };
                merges.push((ids[nth].clone(), into, day.to_owned()));
            }
        }
        let mut whose: Vec<[String; 5]> = Vec::new();
        for id in &ids {
            let sure = if dice.chance(0.2) { "0.85" } else { "0.97" };
            whose.push([format!("n-{id}"), id.clone(), String::new(), String::new(), sure.to_owned()]);
            if dice.chance(0.2) {
                let other = dice.pick(&ids).clone();
                whose.push([format!("n-{id}"), other, "2024-01-01".into(), "2024-03-01".into(), "1".into()]);
            }
        }
        let records = |dice: &mut Dice, shuffled: bool| {
            let world = if shuffled { world.permuted(dice) } else { world.clone() };
            let (mut merges, mut whose) = (merges.clone(), whose.clone());
            if shuffled {
                dice.shuffle(&mut merges);
                dice.shuffle(&mut whose);
            }
            let column = |nth: usize| whose.iter().map(|row| row[nth].as_str()).collect::<Vec<_>>();
            let whose = df!(
                "system" => vec!["police"; column(0).len()], "id" => column(0), "person" => column(1),
                "from" => column(2), "to" => column(3), "sure" => column(4),
            ).unwrap();
            let merged = df!(
                "old" => merges.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
                "new" => merges.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(),
                "day" => merges.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(),
            ).unwrap();
            let mut tables = vec![
                (crosswalk(), whose),
                (columns("form = \"merged\"\nold = \"old\"\ninto = \"new\"\non = \"day\""), merged),
            ];
            if shuffled {
                tables.reverse();
            }
            let mut builder = world.builder_of_people().identities(read(tables).unwrap()).reject_limit(1.0);
            for source in &world.sources {
                let (mut mapping, mut rows) = (source.mapping.clone(), source.clone());
                if mapping.name == "police" {
                    mapping = mapping.system("police");
                    for row in &mut rows.rows {
                        row.person = format!("n-{}", row.person);
                    }
                }
                builder = builder.source(mapping, Extract::frame(rows.frame()));
            }
            builder.build().unwrap()
        };
        let told = |records: &Records| {
            let date: AsOf = wild_date();
            let snapshot = records.as_of(date);
            let digests: Vec<_> = snapshot.sources().map(|source| snapshot.digest(source)).collect();
            let reasons: BTreeMap<_, u64> = records.rejects().iter().fold(BTreeMap::new(), |mut held, reject| {
                *held.entry((reject.source.clone(), reject.reason)).or_default() += 1;
                held
            });
            let spec = wild_features(&mut Dice::new(seed ^ 3), &world, false);
            let cohort = CohortSpec::default().choose(&snapshot).unwrap();
            let matrix = cells(&spec.compute(&cohort).unwrap());
            for intake in records.intake() {
                assert_eq!(intake.read, intake.accepted + intake.rejected, "{}", intake.source);
            }
            (digests, reasons, matrix, records.people())
        };
        let one = told(&records(&mut dice, false));
        let two = told(&records(&mut dice, true));
        // Which table of identities is the first is in their names alone.
        let plain = |reasons: &BTreeMap<(String, RejectReason), u64>| {
            reasons.iter().filter(|((source, _), _)| !source.starts_with("identities")).map(|(k, n)| (k.clone(), *n)).collect::<Vec<_>>()
        };
        prop_assert_eq!(&one.0, &two.0);
        prop_assert_eq!(plain(&one.1), plain(&two.1));
        prop_assert!(one.2 == two.2, "the matrix differs");
        prop_assert_eq!(one.3, two.3);
    }
}
