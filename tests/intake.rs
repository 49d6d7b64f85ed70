//! Extracts as they really come: broken in every way, and in every file form.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::RecordsError;
use earlyhelp::fairness::{Protected, ProtectedColumns};
use earlyhelp::records::{Extract, Known, ReadOptions, Records, RejectReason, RemarkKind, SourceMapping};
use polars::prelude::{
    ChunkCompareEq, DataFrame, IntoColumn, IpcWriter, NamedFrom, ParquetWriter, SerWriter, Series,
};
use proptest::prelude::*;

use crate::world::{self, Dice, World, cells, wild, wild_date, wild_features};

/// Stands in every cell that could tell of a person.
const SECRET: &str = "SECRET-4711";

fn notices(dice: &mut Dice, rows: usize) -> String {
    let mut text = "person,kind,on,recorded,until,value,role,place,ref,link\n".to_owned();
    for row in 0..rows {
        let person = dice.below(6);
        let (month, day) = (dice.between(1, 12), dice.between(1, 28));
        let until = if dice.chance(0.5) { "2024-12-31" } else { "" };
        let role = *dice.pick(&["victim", "suspect", "", "Witness"]);
        writeln!(
            text,
            "{SECRET}-p{person},{SECRET}-kind,2024-{month:02}-{day:02},2025-01-{day:02},{until},4711.{row},{role},\
             \"{SECRET}, place\",{SECRET}-r{row},0.99"
        )
        .unwrap();
    }
    text
}

fn notice_mapping() -> SourceMapping {
    SourceMapping::new("notices", "person", "none", "on")
        .kind_column("kind")
        .known(Known::Column("recorded".into()))
        .ended("until")
        .value("value")
        .role("role")
        .category("place")
        .reference("ref")
        .link_probability("link", 0.9)
}

/// One way in which a file goes wrong on its way.
fn mutilate(dice: &mut Dice, text: &mut Vec<u8>, spare_header: bool) {
    let header = text.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let from = if spare_header { header.min(text.len() - 1) } else { 0 };
    let at = from + dice.below(text.len() - from);
    let line_start = text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let line_end = text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |end| at + end + 1);
    match dice.below(10) {
        0 => text[at] = dice.next() as u8,
        1 => text[at] = *dice.pick(b",;|\t\n\r\" \0-/"),
        2 => text.truncate(at.max(1)),
        3 => drop(text.drain(at..line_end)),
        4 => text.insert(at, b'"'),
        5 => drop(text.splice(at..at, [0xff, 0xfe, 0x80])),
        6 => {
            let line = text[line_start..line_end].to_vec();
            text.splice(line_end..line_end, line);
        }
        7 => drop(text.drain(line_start.max(from)..line_end)),
        8 => {
            // A field is lost, with the comma behind it.
            let comma = text[at..line_end].iter().position(|&byte| byte == b',');
            if let Some(comma) = comma {
                text.drain(at..=at + comma);
            }
        }
        _ => {
            let cell = *dice.pick(&[
                "31/02/2024",
                "NULL",
                "1e999",
                "NaN",
                "inf",
                "-",
                "£4,711",
                "9999-12-31",
                "0001-01-01",
            ]);
            let comma =
                text[at..line_end].iter().position(|&byte| byte == b',').map_or(at, |comma| at + comma + 1);
            let next =
                text[comma..line_end].iter().position(|&byte| byte == b',').map_or(comma, |end| comma + end);
            text.splice(comma..next, cell.bytes());
        }
    }
    if text.is_empty() {
        text.push(b'\n');
    }
}

fn assert_tells_nothing(text: &str, of: &str) {
    for word in ["SECRET", "4711"] {
        assert!(!text.contains(word), "{of} tells a cell's value: {}", &text[..text.len().min(400)]);
    }
}

/// Reads a mutilated file and holds what came of it to the promises of the reader.
fn assert_kept_whole(bytes: &[u8], options: ReadOptions, listed: Option<&[u8]>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.csv");
    std::fs::write(&path, bytes).unwrap();
    let mut builder = Records::builder().source(notice_mapping(), Extract::path(&path).options(options));
    if let Some(people) = listed {
        let path = folder.path().join("people.csv");
        std::fs::write(&path, people).unwrap();
        builder = builder.people(world::people_columns(), Extract::path(path));
    }
    assert_tells_nothing(&format!("{builder:?}"), "the builder");
    let records = match builder.reject_limit(1.0).build() {
        Ok(records) => records,
        Err(error) => {
            assert_tells_nothing(&format!("{error} {error:?}"), "an error");
            return;
        }
    };
    for intake in records.intake() {
        assert_eq!(intake.read, intake.accepted + intake.rejected, "{}", intake.source);
        let of_source = || records.rejects().iter().filter(|reject| reject.source == intake.source);
        assert_eq!(of_source().count() as u64, intake.rejected, "{}", intake.source);
        // Below a header that is whole; one that was broken may not end its line.
        let first = if listed.is_none() { 2 } else { 1 };
        assert!(of_source().all(|reject| reject.row >= first), "a reject without a position");
        for reject in of_source() {
            assert!(!reject.reason.words().is_empty() && !reject.reason.code().is_empty());
            let whole_row = matches!(
                reject.reason,
                RejectReason::FieldCount
                    | RejectReason::Encoding
                    | RejectReason::QuoteOpen
                    | RejectReason::TotalRow
            );
            assert_eq!(reject.column.is_none(), whole_row, "{reject:?}");
            let text = format!("{reject:?} {} {}", reject.reason, serde_json::to_string(reject).unwrap());
            assert_tells_nothing(&text, "a reject");
        }
    }
    let held = records.sources().find(|(name, _, _)| *name == "notices").unwrap().2;
    let notices = records.intake().iter().find(|intake| intake.source == "notices").unwrap();
    let said_before = records
        .remarks()
        .iter()
        .filter(|remark| remark.source == "notices" && remark.kind == RemarkKind::SaidBefore)
        .map(|remark| remark.rows)
        .sum::<u64>();
    assert_eq!(notices.accepted, held as u64 + said_before);
    if listed.is_none() {
        // A quote that swallows rows for another reader costs its own row here.
        let open = records.rejects().iter().filter(|reject| reject.reason == RejectReason::QuoteOpen).count();
        let rows = rows_in(bytes);
        assert!(
            notices.read == rows || open > 0 && notices.read > rows,
            "rows are lost: {} of {rows}",
            notices.read
        );
    }
    assert_tells_nothing(&format!("{:?} {:?}", records.intake(), records.rejects()), "the intake");
    let snapshot = records.as_of(wild_date());
    assert_tells_nothing(&format!("{records:?}"), "Debug of the records");
    assert_tells_nothing(&format!("{snapshot:?}"), "Debug of a snapshot");
    if let Ok(cohort) = CohortSpec::default().choose(&snapshot) {
        assert_tells_nothing(&format!("{cohort:?}"), "Debug of a cohort");
    }
}

/// How many rows there are below the header, counted apart from the crate's reader. Commas separate
/// them: the header is whole.
fn rows_in(bytes: &[u8]) -> u64 {
    csv::ReaderBuilder::new().flexible(true).from_reader(bytes).byte_records().count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutilated_file_is_read_or_refused_and_nothing_is_lost(seed in any::<u64>(), rows in 1_usize..25, blows in 1_usize..8) {
        let mut dice = Dice::new(seed);
        let mut bytes = notices(&mut dice, rows).into_bytes();
        for _ in 0..blows {
            mutilate(&mut dice, &mut bytes, true);
        }
        assert_kept_whole(&bytes, ReadOptions::default(), None);
    }

    #[test]
    fn a_mutilated_list_of_people_or_header_is_read_or_refused(seed in any::<u64>(), rows in 1_usize..15, blows in 1_usize..6) {
        let mut dice = Dice::new(seed);
        let mut bytes = notices(&mut dice, rows).into_bytes();
        let mut people = (0..6).fold("person,born\n".to_owned(), |text, person| {
            text + &format!("{SECRET}-p{person},2010-0{}-15\n", person + 1)
        }).into_bytes();
        for _ in 0..blows {
            let which = if dice.chance(0.5) { &mut bytes } else { &mut people };
            mutilate(&mut dice, which, false);
        }
        assert_kept_whole(&bytes, ReadOptions::default(), Some(&people));
    }

    #[test]
    fn a_mutilated_binary_file_is_refused_without_telling(seed in any::<u64>(), arrow in any::<bool>()) {
        let mut dice = Dice::new(seed);
        let mut frame = DataFrame::new(40, vec![
            Series::new("person".into(), vec![format!("{SECRET}-p"); 40]).into_column(),
            Series::new("on".into(), vec!["2024-01-01"; 40]).into_column(),
        ]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if arrow { "notices.arrow" } else { "notices.parquet" });
        write(&mut frame, &path);
        let mut bytes = std::fs::read(&path).unwrap();
        if dice.chance(0.5) {
            bytes.truncate(dice.below(bytes.len()));
        } else {
            // The end of the file: where it says what it holds.
            let at = bytes.len() - 1 - dice.below(40.min(bytes.len() - 1));
            bytes[at] ^= 1 << dice.below(8);
        }
        std::fs::write(&path, &bytes).unwrap();
        let mapping = SourceMapping::new("notices", "person", "notice", "on");
        // The decoders are foreign; a file that they do not survive is not read as another one.
        let read = std::panic::catch_unwind(|| Records::builder().source(mapping, Extract::path(&path)).build());
        if let Ok(Err(error)) = read {
            assert_tells_nothing(&format!("{error} {error:?}"), "an error");
        }
    }
}

/// Writes a frame in the form that the path's ending names.
fn write(frame: &mut DataFrame, path: &Path) {
    let file = File::create(path).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "parquet" => drop(ParquetWriter::new(file).finish(frame).unwrap()),
        _ => IpcWriter::new(file).finish(frame).unwrap(),
    }
}

/// Writes a source as Parquet files below folders that name the kind.
fn write_hive(world: &World, source: &str, folder: &Path) {
    let frame = world.source(source).frame();
    for kind in world::kinds_of(source) {
        let mask = frame.column("kind").unwrap().str().unwrap().equal(*kind);
        let mut part = frame.filter(&mask).unwrap().drop("kind").unwrap();
        if part.height() == 0 {
            continue;
        }
        let folder = folder.join(format!("kind={kind}"));
        std::fs::create_dir_all(&folder).unwrap();
        write(&mut part, &folder.join("part.parquet"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_file_form_gives_the_same_matrix(seed in any::<u64>(), people in 1_usize..7, rows in 0_usize..30) {
        let world = wild(seed, people, rows);
        let spec = wild_features(&mut Dice::new(seed ^ 8), &world, false);
        let folder = tempfile::tempdir().unwrap();
        let read = |form: &str| {
            let extract = |name: &str, frame: &mut DataFrame, csv: String| {
                let path = folder.path().join(format!("{name}.{form}"));
                // Folders stand for the sources' kinds; lists of people have none.
                let folders = form == "hive" && world::mappings().iter().any(|mapping| mapping.name == name);
                match form {
                    "csv" => std::fs::write(&path, csv).unwrap(),
                    "parquet" | "arrow" => write(frame, &path),
                    "hive" if folders && frame.height() > 0 => write_hive(&world, name, &path),
                    _ => return Extract::frame(frame.clone()),
                }
                Extract::path(path)
            };
            let homes = world::household_columns(world.household_lag);
            let mut builder = Records::builder()
                .people(world::people_columns(), extract("people", &mut world.people_frame(), world.people_csv()))
                .households(homes, extract("homes", &mut world.homes_frame(), world.homes_csv()));
            for source in &world.sources {
                let extract = extract(source.name(), &mut source.frame(), source.csv());
                builder = builder.source(source.mapping.clone(), extract);
            }
            let records = builder.reject_limit(0.0).build().unwrap();
            let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
            let digests: Vec<_> = records.sources().map(|(name, _, _)| cohort.snapshot().digest(name)).collect();
            (cells(&spec.compute(&cohort).unwrap()), digests)
        };
        let wanted = read("frame");
        for form in ["csv", "parquet", "arrow", "hive"] {
            prop_assert_eq!(&read(form), &wanted, "{}", form);
        }
    }
}

#[test]
fn a_frame_of_one_row_is_read() {
    for kind in ["theft", ""] {
        let frame = polars::df!(
            "person" => ["p1"], "on" => ["2024-01-05"], "value" => [2.5], "kind" => [kind], "sure" => [true],
        )
        .unwrap();
        let mapping = SourceMapping::new("notices", "person", "none", "on")
            .kind_column("kind")
            .value("value")
            .category("sure");
        let built = Records::builder().source(mapping, Extract::frame(frame)).reject_limit(1.0).build();
        match built {
            Ok(records) => assert_eq!(records.intake()[0].accepted, u64::from(!kind.is_empty())),
            // Nobody is left when the only row is rejected.
            Err(error) => assert_eq!((error, kind), (RecordsError::Empty, "")),
        }
    }
}

#[test]
fn a_person_named_only_by_rejected_rows_is_nobody() {
    let notices = polars::df!(
        "person" => ["p1", "p1", "p2"], "on" => ["2024-01-05", "2024-01-06", "31/02/2024"],
    )
    .unwrap();
    let mapping = SourceMapping::new("notices", "person", "notice", "on");
    let records = Records::builder()
        .source(mapping.clone(), Extract::frame(notices.clone()))
        .reject_limit(1.0)
        .build()
        .unwrap();
    assert_eq!(records.rejects().len(), 1);
    assert_eq!(records.people(), 1);

    // Nor is a row of the list of people that was rejected.
    let people = polars::df!("person" => ["p1", "p2"], "born" => ["2010-01-15", "2010-02-31"]).unwrap();
    let records = Records::builder()
        .people(world::people_columns(), Extract::frame(people))
        .source(mapping, Extract::frame(notices))
        .reject_limit(1.0)
        .build()
        .unwrap();
    let people = &records.intake()[0];
    assert_eq!((people.source.as_str(), people.accepted), ("people", records.people() as u64));
}

#[test]
fn too_many_rejects_stop_a_run_with_a_count_and_no_value() {
    let mut text = notices(&mut Dice::new(3), 20);
    for person in ["p0", "p1"] {
        text = text.replace(
            &format!("{SECRET}-{person},{SECRET}-kind,2024-"),
            &format!("{SECRET}-{person},{SECRET}-kind,2O24-"),
        );
    }
    let wrong = text.matches("2O24-").count() as u64;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.csv");
    std::fs::write(&path, text).unwrap();
    let error = Records::builder().source(notice_mapping(), Extract::path(&path)).build().unwrap_err();
    let RecordsError::TooManyRejects { rejected, read, .. } = &error else { panic!("{error}") };
    assert!(wrong > 1 && (*rejected, *read) == (wrong, 20));
    assert_tells_nothing(&format!("{error} {error:?}"), "the error");
}

#[test]
fn protected_characteristics_are_read_apart_and_tell_nothing() {
    let columns = ProtectedColumns {
        entity: vec!["person".into()],
        characteristics: vec!["sex".into()],
        not_held: vec!["religion".into()],
        of_family: None,
        ..ProtectedColumns::default()
    };
    let person = |n: u32| format!("{SECRET}-p{n}");
    let frame = polars::df!(
        "person" => [person(1), person(2), person(1), String::new()], "sex" => ["SECRET-F", "", "SECRET-M", "SECRET-F"],
    )
    .unwrap();
    let protected = Protected::read(&columns, Extract::frame(frame)).unwrap();
    let intake = protected.intake().unwrap();
    assert_eq!((intake.read, intake.accepted, intake.rejected), (4, 2, 2));
    let reasons: Vec<RejectReason> = protected.rejects().iter().map(|reject| reject.reason).collect();
    assert_eq!(reasons, [RejectReason::EntityRepeated, RejectReason::EntityMissing]);
    assert_tells_nothing(
        &format!("{protected:?} {:?}", protected.rejects()),
        "Debug of the protected characteristics",
    );
}

#[test]
fn an_absent_hive_value_is_absent_as_in_a_column() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["theft", "NULL"] {
        let folder = folder.path().join(format!("kind={kind}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut part = polars::df!("person" => ["p1", "p2"], "on" => ["2024-01-05", "2024-01-06"]).unwrap();
        write(&mut part, &folder.join("part.parquet"));
    }
    let mapping = SourceMapping::new("notices", "person", "none", "on").kind_column("kind");
    let records =
        Records::builder().source(mapping, Extract::path(folder.path())).reject_limit(1.0).build().unwrap();
    assert_eq!(records.kinds("notices").collect::<Vec<_>>(), ["theft"]);
    assert_eq!(records.rejects().len(), 2);
}

/// A household that cannot be read does not move anybody.
#[test]
fn households_keep_their_rows_too() {
    let people = polars::df!("person" => ["p1", "p2"], "born" => ["2010-01-15", "2011-01-15"]).unwrap();
    let homes = polars::df!(
        "person" => ["p1", "p2", "p2", "p3"], "home" => ["h1", "h1", "", "h1"],
        "start" => ["2020-01-01", "2020-01-01", "2021-01-01", "2020-01-01"], "end" => ["", "2019-01-01", "", ""],
    )
    .unwrap();
    let notices = polars::df!("person" => ["p1", "p2"], "on" => ["2024-01-05", "2024-01-06"]).unwrap();
    let mapping = SourceMapping::new("notices", "person", "notice", "on");
    let records = Records::builder()
        .people(world::people_columns(), Extract::frame(people))
        .households(world::household_columns(0), Extract::frame(homes))
        .source(mapping, Extract::frame(notices))
        .reject_limit(1.0)
        .build()
        .unwrap();
    let intake = records.intake().iter().find(|intake| intake.source == "households").unwrap();
    assert_eq!((intake.read, intake.accepted, intake.rejected), (4, 1, 3));
    assert_eq!(records.as_of(wild_date()).household("p1").count(), 0);
}
