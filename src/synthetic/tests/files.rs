//! The files: dates in order, ids that link, coverage as declared, the same bytes again, planted dirt.

use std::collections::{BTreeSet, HashMap};

use super::super::rates::OVER_RECORDING;
use super::super::timeline::{EXTRACT, RECORDS_START, YOUTH_JUSTICE_START};
use super::super::{CouncilFile, DirtKind};
use super::*;

const POINTS: [&str; 10] = [
    "attendance",
    "suspensions",
    "housing",
    "police",
    "domestic_abuse",
    "youth_justice",
    "health",
    "contacts",
    "referrals",
    "youth_activity",
];
const SPELLS: [&str; 6] = ["school_roll", "sen", "fsm", "benefits", "early_help", "plans"];

#[test]
fn nothing_is_known_before_it_happened_or_after_the_extract() {
    for file in POINTS {
        let (occurred, recorded) = (days(file, "occurred"), days(file, "recorded"));
        assert!(!occurred.is_empty(), "{file}");
        for (occurred, recorded) in occurred.into_iter().zip(recorded) {
            assert!((RECORDS_START..=recorded).contains(&occurred) && recorded < EXTRACT, "{file}");
        }
    }
    for file in SPELLS {
        let (start, end, recorded) = (days(file, "start"), days(file, "end"), days(file, "recorded"));
        let end_recorded =
            if ["early_help", "plans"].contains(&file) { days(file, "end_recorded") } else { end.clone() };
        for row in 0..start.len() {
            assert!(start[row] <= recorded[row] && recorded[row] < EXTRACT, "{file}");
            assert!(start[row] < end[row] && end[row] > RECORDS_START, "{file}");
            assert_eq!(end[row] == OPEN, end_recorded[row] == OPEN, "{file}");
            assert!(end[row] <= end_recorded[row], "{file}");
            assert!(end[row] == OPEN || end_recorded[row] < EXTRACT, "{file}");
        }
    }
}

#[test]
fn every_record_has_its_own_id_and_a_listed_person() {
    let people: BTreeSet<usize> = ids("people", "person_id").into_iter().collect();
    assert_eq!(people.len(), COUNCIL.extract("people").unwrap().rows());
    for file in POINTS.into_iter().chain(SPELLS) {
        assert!(ids(file, "record_id").into_iter().eq(1..=COUNCIL.extract(file).unwrap().rows()), "{file}");
        assert!(ids(file, "person_id").iter().all(|person| people.contains(person)), "{file}");
    }
    assert!(ids("protected", "person_id").into_iter().eq(ids("people", "person_id")));
    assert_eq!(COUNCIL.extracts().len(), 3 + POINTS.len() + SPELLS.len());
    assert_eq!(column("police", "record_id").cell(0), "POL-0000001");
    assert_eq!(column("people", "person_id").cell(122), "P0000123");
}

#[test]
fn every_child_lives_somewhere() {
    let births = births();
    for on in [RECORDS_START, YEAR_START, EXTRACT - 1] {
        let homes = households(on);
        // A birth date shown as the 15th may come before the true one.
        let born_for_long = |person: usize| is_child(births[person], on - 31) && is_child(births[person], on);
        assert!((1..births.len()).filter(|&p| born_for_long(p)).all(|p| homes[p] > 0));
    }
}

#[test]
fn attendance_and_suspensions_are_of_pupils_on_a_roll() {
    let mut rolls: HashMap<usize, Vec<(i32, i32)>> = HashMap::new();
    let spells = days("school_roll", "start").into_iter().zip(days("school_roll", "end"));
    for (person, spell) in ids("school_roll", "person_id").into_iter().zip(spells) {
        rolls.entry(person).or_default().push(spell);
    }
    for file in ["attendance", "suspensions"] {
        for (person, on) in ids(file, "person_id").into_iter().zip(days(file, "occurred")) {
            let spells = rolls.get(&person).map_or(&[][..], Vec::as_slice);
            assert!(spells.iter().any(|&(start, end)| start <= on && on < end), "{file}");
        }
    }
}

#[test]
fn coverage_says_when_youth_justice_began_and_hides_the_silent_area() {
    for cover in COUNCIL.coverage() {
        let from = if cover.source == "youth_justice" { YOUTH_JUSTICE_START } else { RECORDS_START };
        assert_eq!(cover.from.epoch_days(), from, "{}", cover.source);
        assert_eq!(cover.to, COUNCIL.extract_date());
        assert!(cover.last_updated < cover.to);
    }
    assert_eq!(COUNCIL.coverage().len(), POINTS.len() + SPELLS.len());
    assert!(days("youth_justice", "occurred").iter().all(|&day| day >= YOUTH_JUSTICE_START));
}

#[test]
fn planted_biases_are_in_the_files_and_the_outcome_is_not_touched() {
    let (ethnicity, area) = (protected("ethnicity"), protected("area"));
    let hit = |person: usize| ethnicity[person].starts_with('B');
    let per_head = |file: &str, wanted: bool| {
        let people = (1..ethnicity.len()).filter(|&person| hit(person) == wanted).count() as f64;
        let rows = ids(file, "person_id").into_iter().filter(|&person| hit(person) == wanted).count() as f64;
        (rows / people, rows)
    };
    // Families with one record have more: three standard errors, widened fourfold for bunches of records.
    for (file, factor, bunches) in
        [("police", OVER_RECORDING, 4.0), ("housing", 1.0, 4.0), ("plans", 1.0, 2.0)]
    {
        let ((with, n), (without, m)) = (per_head(file, true), per_head(file, false));
        let allowed = 3.0 * bunches * (1.0 / n + 1.0 / m).sqrt();
        assert!((with / without / factor).ln().abs() < allowed, "{file}: {with} against {without}");
    }
    let silent = COUNCIL.truth().biases[1];
    assert_eq!(silent.group, ["Area 07"]);
    assert!(ids(silent.source, "person_id").into_iter().all(|person| area[person] != "Area 07"));
    assert!(ids("health", "person_id").into_iter().any(|person| area[person] == "Area 07"));
    let roles = words("police", "role");
    let of_hit = |role: &str| {
        ids("police", "person_id").into_iter().zip(&roles).filter(|&(p, &r)| hit(p) && r == role).count()
    };
    assert!(of_hit("victim") * 3 < of_hit("suspect"));
}

fn bytes(extract: &CouncilFile) -> Vec<u8> {
    let mut file = Vec::new();
    extract.write_csv(&mut file).unwrap();
    file
}

#[test]
fn the_same_parameters_give_the_same_bytes_at_any_number_of_threads() {
    let params = CouncilParams::new(3_000, 5).dirty(true);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| params.generate()).unwrap()
    };
    let (one, three) = (with(1), with(3));
    assert!(one == three);
    assert!(one.extracts().iter().zip(three.extracts()).all(|(a, b)| bytes(a) == bytes(b)));
    let other = CouncilParams::new(3_000, 6).dirty(true).generate().unwrap();
    assert!(one.extracts()[0] != other.extracts()[0]);
}

#[test]
fn dirt_is_where_it_is_said_to_be_and_nowhere_else() {
    let params = CouncilParams::new(5_000, 2);
    let clean = params.generate().unwrap();
    let dirty = params.dirty(true).generate().unwrap();
    assert!(clean.planted_dirt().is_empty());
    let kinds: BTreeSet<DirtKind> = dirty.planted_dirt().iter().map(|dirt| dirt.kind).collect();
    assert_eq!(kinds.len(), 8);
    for (before, after) in clean.extracts().iter().zip(dirty.extracts()) {
        let mut damage: HashMap<usize, DirtKind> = HashMap::new();
        for dirt in dirty.planted_dirt().iter().filter(|dirt| dirt.source == after.name()) {
            for &row in &dirt.rows {
                assert!(damage.insert(row, dirt.kind).is_none(), "a row is damaged twice");
            }
        }
        let repeats = damage.values().filter(|&&kind| kind == DirtKind::RepeatedRow).count();
        assert_eq!(after.rows(), before.rows() + repeats);
        assert!(damage.len() <= before.rows() / 100 + 8, "{}", after.name());
        let line = |extract: &CouncilFile, row: usize| -> Vec<String> {
            extract.columns().iter().map(|column| column.cell(row).into_owned()).collect()
        };
        let mut original = 0;
        for row in 0..after.rows() {
            let now = line(after, row);
            match damage.get(&row) {
                Some(DirtKind::RepeatedRow) => {
                    assert_eq!(now, line(after, row - 1));
                    continue;
                }
                Some(&kind) => assert_damaged(kind, after, &now, &line(before, original)),
                None => assert_eq!(now, line(before, original)),
            }
            original += 1;
        }
        assert_eq!(original, before.rows());
    }
}

/// One cell differs, in the way that the kind of damage says.
fn assert_damaged(kind: DirtKind, extract: &CouncilFile, now: &[String], then: &[String]) {
    let changed: Vec<usize> = (0..now.len()).filter(|&column| now[column] != then[column]).collect();
    assert_eq!(changed.len(), 1, "{kind:?}");
    let (name, text, was) = (extract.columns()[changed[0]].name(), &now[changed[0]], &then[changed[0]]);
    let column_of = |wanted: &str| extract.columns().iter().position(|column| column.name() == wanted);
    match kind {
        DirtKind::UnreadableDate => assert!(["31/02/2023", "n/k"].contains(&text.as_str())),
        DirtKind::PlaceholderPerson => assert_eq!((name, text.as_str()), ("person_id", "UNKNOWN")),
        DirtKind::EmptyPerson => assert_eq!((name, text.as_str()), ("person_id", "")),
        DirtKind::UnlistedPerson => {
            let number: usize = text.strip_prefix('P').unwrap().parse().unwrap();
            assert!(name == "person_id" && number > 10_000);
        }
        DirtKind::EndBeforeStart => {
            assert_eq!(name, "end");
            assert!(*text < now[column_of("start").unwrap()]);
        }
        DirtKind::DayFirstDate => {
            let parts: Vec<&str> = text.split('/').collect();
            assert_eq!(format!("{}-{}-{}", parts[2], parts[1], parts[0]), *was);
        }
        DirtKind::LetteredWord => assert_eq!(text[1..], format!(") {was}")),
        DirtKind::RepeatedRow => panic!("handled before"),
    }
    assert_eq!(
        kind.must_be_rejected(),
        !matches!(kind, DirtKind::RepeatedRow | DirtKind::DayFirstDate | DirtKind::LetteredWord)
    );
}

#[test]
fn too_few_or_too_many_children_are_refused() {
    for children in [0, 999, 1_500_001] {
        assert!(CouncilParams::new(children, 1).generate().is_err());
    }
    for records in [0, 76] {
        assert!(CouncilParams::new(1_000, 1).attendance(records).generate().is_err());
    }
    // More records of attendance, and of nothing else. The first term began before records were kept.
    let attended = |records: u32| CouncilParams::new(1_000, 1).attendance(records).generate().unwrap();
    let (one, seven) = (attended(1), attended(7));
    for (one, seven) in one.extracts().iter().zip(seven.extracts()) {
        let times = if one.name() == "attendance" { 6..=7 } else { 1..=1 };
        let rows = times.start() * one.rows()..=times.end() * one.rows();
        assert!(rows.contains(&seven.rows()), "{}: {}, then {}", one.name(), one.rows(), seven.rows());
    }
    let smallest = CouncilParams::new(1_000, 1).generate().unwrap();
    assert!(smallest.extracts().iter().all(|extract| extract.rows() > 0));
}
