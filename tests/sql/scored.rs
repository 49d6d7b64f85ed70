//! Lists that are drawn from a table which an engine made: the same as of the records, or none.

use std::fs::File;
use std::path::Path;

use earlyhelp::cohort::CohortSpec;
use earlyhelp::evaluate::Capacity;
use earlyhelp::records::Records;
use earlyhelp::report::list_json;
use earlyhelp::review::{ListParams, RandomSample, ReviewList};
use earlyhelp::sql::{Dialect, TableFolder, Texts};
use polars::prelude::{
    Column, DataFrame, IntoColumn, NamedFrom, ParquetReader, ParquetWriter, SerReader as _, Series,
};
use serde_json::Value;

use super::asked::mappings_of;
use super::engines::{Engine, numbers, texts_of};
use super::same::given;
use crate::world::{self, wild, wild_date};

fn read(folder: &Path, table: &str) -> DataFrame {
    ParquetReader::new(File::open(folder.join(format!("{table}.parquet"))).unwrap()).finish().unwrap()
}

fn write(folder: &Path, table: &str, mut frame: DataFrame) {
    let file = File::create(folder.join(format!("{table}.parquet"))).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
}

/// A list as text, but for the road that its run took.
fn said(list: &ReviewList) -> String {
    fn without_road(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("run_id");
                fields.remove("table");
                fields.values_mut().for_each(without_road);
            }
            Value::Array(values) => values.iter_mut().for_each(without_road),
            _ => {}
        }
    }
    let mut list: Value = serde_json::from_str(&list_json(list).unwrap()).unwrap();
    without_road(&mut list);
    serde_json::to_string_pretty(&list).unwrap()
}

/// The tables that an engine makes of the released council, and of what they are.
fn made(engine: &Engine) -> (tempfile::TempDir, std::path::PathBuf) {
    let (held, mappings, rules, request) =
        (world::released(), mappings_of(&world::released().world), world::rules(), world::request());
    let spec = held.scorer.candidate().features();
    let texts = Texts::new(&mappings, (&rules, spec), (world::list_date(), engine.dialect)).unwrap();
    let texts = texts.scored_by(&held.scorer, &request).unwrap();
    let (folder, made) = engine.run_one(given(&texts, &held.records));
    let made = made.folder().to_owned();
    (folder, made)
}

/// What becomes of a folder of tables: the list, or why there is none.
fn list_of(
    folder: &Path,
    dialect: Dialect,
    records: &Records,
    sample: Option<u32>,
) -> Result<ReviewList, String> {
    let (held, mappings) = (world::released(), mappings_of(&world::released().world));
    let (rules, request) = (world::rules(), world::request());
    let spec = held.scorer.candidate().features();
    let texts = Texts::new(&mappings, (&rules, spec), (world::list_date(), dialect)).unwrap();
    let texts = texts.scored_by(&held.scorer, &request).unwrap();
    let cohort = world::cohort(records, world::list_date());
    let scores =
        texts.scores(&TableFolder::new(folder), &cohort, sample).map_err(|error| error.to_string())?;
    let params = ListParams::new(Capacity::Cases(12)).comparison(RandomSample { cases: 4, seed: 3 });
    ReviewList::draw(&scores, params).map_err(|error| error.to_string())
}

fn is_the_list_of_score(engine: &Engine) {
    let dialect = engine.dialect;
    let held = world::released();
    let (folder, made) = made(engine);
    let of_records = world::list(&held.scorer, &held.records);
    for sample in [None, Some(0), Some(40)] {
        let list = list_of(&made, dialect, &held.records, sample).unwrap();
        assert_eq!(said(&list), said(&of_records));
        let table = list.provenance().table.as_ref().unwrap();
        assert_eq!(table.dialect, dialect.name());
        let cohort = list.provenance().cohort_size;
        assert_eq!(table.recomputed, sample.map_or(cohort, |sample| sample.min(cohort)));
    }
    // Of records that are read back from the staged tables it is the same to the digests of what the sources said.
    let (mappings, rules) = (mappings_of(&held.world), world::rules());
    let spec = held.scorer.candidate().features();
    let texts = Texts::new(&mappings, (&rules, spec), (world::list_date(), dialect)).unwrap();
    let staged = texts.staged_records(&TableFolder::new(folder.path().join("000"))).unwrap();
    assert_eq!(said(&list_of(&made, dialect, &staged, Some(0)).unwrap()), said(&of_records));
}

#[test]
fn a_list_of_duckdbs_table_is_the_list_of_the_records() {
    let Some(engine) = Engine::of(Dialect::DuckDb) else { return };
    is_the_list_of_score(&engine);
}

#[test]
fn a_list_of_postgresqls_table_is_the_list_of_the_records() {
    let Some(engine) = Engine::of(Dialect::PostgreSql) else { return };
    is_the_list_of_score(&engine);
}

#[test]
fn a_list_of_sparks_table_is_the_list_of_the_records() {
    let Some(engine) = Engine::of(Dialect::Spark) else { return };
    is_the_list_of_score(&engine);
}

fn with(frame: &DataFrame, name: &str, column: Column) -> DataFrame {
    let mut changed = frame.clone();
    changed.with_column(column.with_name(name.into())).unwrap();
    changed
}

/// The same table with one cell of a column of numbers changed.
fn moved(frame: &DataFrame, column: &str, row: usize, change: impl Fn(f64) -> f64) -> DataFrame {
    let mut cells = numbers(frame, column);
    cells[row] = cells[row].map(change);
    with(frame, column, Series::new(column.into(), cells).into_column())
}

/// The same table with the entities of two rows swapped.
fn swapped(frame: &DataFrame, a: &str, b: &str) -> DataFrame {
    let other = |id: Option<String>| match id.as_deref() {
        Some(id) if id == a => Some(b.to_owned()),
        Some(id) if id == b => Some(a.to_owned()),
        _ => id,
    };
    let ids: Vec<Option<String>> = texts_of(frame, "entity").into_iter().map(other).collect();
    with(frame, "entity", Series::new("entity".into(), ids).into_column())
}

#[test]
fn a_table_that_was_changed_is_refused() {
    const TABLES: [&str; 3] = ["eh_features", "eh_contributions", "eh_scores"];
    let Some(engine) = Engine::of(Dialect::DuckDb) else { return };
    let held = world::released();
    let (_folder, made) = made(&engine);
    let whole: Vec<DataFrame> = TABLES.iter().map(|table| read(&made, table)).collect();
    let refusal = |changed: &[(usize, DataFrame)], sample: Option<u32>| {
        for (table, frame) in changed {
            write(&made, TABLES[*table], frame.clone());
        }
        let why = list_of(&made, Dialect::DuckDb, &held.records, sample).err();
        for (table, _) in changed {
            write(&made, TABLES[*table], whole[*table].clone());
        }
        why.unwrap_or_else(|| "it was taken".to_owned())
    };
    let [features, contributions, scores] = [&whole[0], &whole[1], &whole[2]];
    let column_of = |frame: &DataFrame, begins: &str| -> String {
        let names = frame.get_column_names();
        names.iter().find(|name| name.starts_with(begins)).unwrap().to_string()
    };
    let term = column_of(contributions, "t_");
    let told = |why: String, says: &str| assert!(why.contains(says), "{why}");

    // The largest change that is told from noise, and the smallest that is refused.
    told(refusal(&[(1, moved(contributions, &term, 3, |part| part + 1e-9))], Some(0)), "eh_contributions");
    told(refusal(&[(2, moved(scores, "log_odds", 3, |sum| sum + 1e-9))], Some(0)), "log_odds");
    // A case's row under another's name: in one table, in two, and in all.
    let list = world::list(&held.scorer, &held.records);
    let first = list.entries()[0].case().entity().to_owned();
    let ranks = numbers(scores, "score_rank");
    let last = ranks.iter().position(|&rank| rank == Some(100.0)).unwrap();
    let last = texts_of(scores, "entity")[last].clone().unwrap();
    told(refusal(&[(2, swapped(scores, &first, &last))], Some(0)), "log_odds");
    let both = |table: usize| (table, swapped(&whole[table], &first, &last));
    told(refusal(&[both(1)], Some(0)), "eh_contributions");
    told(refusal(&[both(0)], Some(0)), "eh_contributions");
    told(refusal(&[both(0), both(1)], Some(0)), "log_odds");
    // In all three only the records can tell: of a listed case without any sample, of the others where they are drawn.
    told(refusal(&[both(0), both(1), both(2)], Some(0)), "the records of 1 of the 1");
    told(refusal(&[both(0), both(1), both(2)], None), "the records of 2 of");
    // Another model, purpose, date or time of use.
    for label in ["model", "purpose", "as_of", "expires", "dialect"] {
        let other: Vec<Option<&str>> = vec![Some("another"); scores.height()];
        let other = with(scores, label, Series::new(label.into(), other).into_column());
        told(refusal(&[(2, other)], Some(0)), &format!("of another {}", label.replace('_', "-")));
    }
    // A part that is missing, one that is there twice, and somebody who is not of the cohort.
    for (table, frame) in whole.iter().enumerate() {
        let missing = frame.slice(0, frame.height() - 7);
        told(refusal(&[(table, missing)], Some(0)), "7 cases are missing");
        let twice = frame.vstack(&frame.slice(0, 5)).unwrap();
        told(refusal(&[(table, twice)], Some(0)), "5 are there again");
        told(refusal(&[(table, swapped(frame, &first, "nobody"))], Some(0)), "1 rows are of others");
        told(refusal(&[(table, DataFrame::empty())], Some(0)), "no column");
    }
    // A band, a rank, a reason.
    let other_band: Vec<Option<String>> = texts_of(scores, "band")
        .into_iter()
        .enumerate()
        .map(|(row, band)| if row == 5 { Some("x".into()) } else { band })
        .collect();
    told(
        refusal(&[(2, with(scores, "band", Series::new("band".into(), other_band).into_column()))], Some(0)),
        "band",
    );
    told(refusal(&[(2, moved(scores, "score_rank", 3, |rank| rank + 1.0))], Some(0)), "score_rank");
    let mut reasons = texts_of(scores, "not_scored");
    reasons[4] = Some("thin".to_owned());
    told(
        refusal(
            &[(2, with(scores, "not_scored", Series::new("not_scored".into(), reasons).into_column()))],
            Some(0),
        ),
        "not_scored",
    );
    // Features of the day before.
    let yesterday = moved(features, "as_of_day", 0, |day| day - 1.0);
    told(refusal(&[(0, yesterday)], Some(0)), "eh_features is of another date");
    let other = moved(features, "made_by", 3, |mark| mark + 1.0);
    told(refusal(&[(0, other)], Some(0)), "eh_features was made by other texts");
    // A feature that is none: not of single precision, or with a state that there is not.
    let (value, state) = (column_of(features, "f_"), column_of(features, "s_"));
    let row = numbers(features, &value).iter().position(Option::is_some).unwrap();
    told(
        refusal(&[(0, moved(features, &value, row, |value| value + 1e-9))], Some(0)),
        "do not make a feature",
    );
    told(refusal(&[(0, moved(features, &state, row, |_| 3.0))], Some(0)), "do not make a feature");
    // No row at all, where somebody asks in which dialect it was made.
    write(&made, "eh_scores", scores.slice(0, 0));
    assert!(TableFolder::new(&made).dialect().unwrap_err().to_string().contains("does not say"));
    write(&made, "eh_scores", scores.clone());
    // And what was not changed is taken.
    list_of(&made, Dialect::DuckDb, &held.records, None).unwrap();
}

#[test]
fn a_table_in_parts_is_read_whole_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let frame = |from: i32| polars::df!("entity" => [format!("p{from}")], "seq" => [from]).unwrap();
    std::fs::create_dir(folder.path().join("eh_x")).unwrap();
    for (name, from) in [("part-1", 1), ("part-0", 0), (".part-0", 5), ("_temporary", 6)] {
        write(&folder.path().join("eh_x"), name, frame(from));
    }
    std::fs::write(folder.path().join("eh_x/_SUCCESS"), "").unwrap();
    let tables = TableFolder::new(folder.path());
    assert_eq!(numbers(&tables.read("eh_x").unwrap(), "seq"), [Some(0.0), Some(1.0)]);
    write(folder.path(), "eh_x", frame(2));
    assert!(tables.read("eh_x").unwrap_err().to_string().contains("twice"));
    std::fs::remove_file(folder.path().join("eh_x.parquet")).unwrap();
    std::fs::create_dir(folder.path().join("eh_x/year=2024")).unwrap();
    assert!(tables.read("eh_x").unwrap_err().to_string().contains("partitions"));
    std::fs::remove_dir(folder.path().join("eh_x/year=2024")).unwrap();
    // A part with other columns, and one that is no Parquet file.
    write(&folder.path().join("eh_x"), "part-2", polars::df!("other" => [1]).unwrap());
    assert!(tables.read("eh_x").is_err());
    std::fs::write(folder.path().join("eh_x/part-2.parquet"), "PAR1 no, PAR1").unwrap();
    assert!(tables.read("eh_x").is_err());
    std::fs::remove_dir_all(folder.path().join("eh_x")).unwrap();
    std::fs::create_dir(folder.path().join("eh_x")).unwrap();
    assert!(tables.read("eh_x").unwrap_err().to_string().contains("no part"));
}

#[test]
fn records_come_back_from_staged_tables_as_they_were() {
    for seed in 0..60 {
        let world = wild(seed, 4 + seed as usize % 9, 30);
        let (records, mappings) = (world.records(), mappings_of(&world));
        let (rules, spec) = (CohortSpec::default(), world::features());
        let texts = Texts::new(&mappings, (&rules, &spec), (wild_date(), Dialect::DuckDb));
        let Ok(texts) = texts else { continue };
        let folder = tempfile::tempdir().unwrap();
        for table in texts.staged_tables(&records).unwrap() {
            // In any order of rows.
            let frame = table.frame.reverse();
            write(folder.path(), &table.name, frame);
        }
        let back = texts.staged_records(&TableFolder::new(folder.path())).unwrap();
        assert_eq!(back.people(), records.people());
        assert_eq!(back.families(), records.families());
        for day in [-400, -30, 0, 30, 900] {
            let date = earlyhelp::calendar::AsOf::new(wild_date().day() + day);
            let (now, then) = (back.as_of(date), records.as_of(date));
            assert_eq!(now.sources().collect::<Vec<_>>(), then.sources().collect::<Vec<_>>());
            for source in then.sources() {
                assert_eq!(now.digest(source), then.digest(source), "{source} of world {seed}");
            }
        }
        for intake in back.intake() {
            assert_eq!(intake.read, intake.accepted + intake.rejected);
        }
    }
}

#[test]
fn a_staged_table_that_holds_what_it_cannot_is_refused() {
    let held = world::released();
    let (mappings, rules) = (mappings_of(&held.world), world::rules());
    let spec = held.scorer.candidate().features();
    let texts = Texts::new(&mappings, (&rules, spec), (world::list_date(), Dialect::DuckDb)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tables = texts.staged_tables(&held.records).unwrap();
    for table in &tables {
        write(folder.path(), &table.name, table.frame.clone());
    }
    let refusal = |name: &str, frame: DataFrame| {
        write(folder.path(), name, frame);
        let why = texts.staged_records(&TableFolder::new(folder.path())).err().map(|error| error.to_string());
        let whole = tables.iter().find(|table| table.name == name).unwrap();
        write(folder.path(), name, whole.frame.clone());
        why.unwrap_or_else(|| "it was taken".to_owned())
    };
    let frame = |name: &str| tables.iter().find(|table| table.name == name).unwrap().frame.clone();
    let told =
        |why: String, table: &str, says: &str| assert!(why.contains(table) && why.contains(says), "{why}");
    let people = frame("eh_people");
    told(refusal("eh_people", people.vstack(&people.slice(0, 1)).unwrap()), "eh_people", "everybody once");
    told(refusal("eh_people", people.drop("born").unwrap()), "eh_people", "no column born");
    let police = frame("eh_police");
    told(refusal("eh_people", people.slice(3, people.height())), "eh_", "rows are of nobody");
    let days = Series::new("occurred".into(), vec![i64::MAX; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "occurred", days)), "eh_police", "occurred");
    let days = Series::new("known".into(), vec![None::<i32>; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "known", days)), "eh_police", "empty cells");
    let texts_in = Series::new("role".into(), vec!["victim"; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "role", texts_in)), "eh_police", "role");
    let never = Series::new("occurred".into(), vec![i32::MIN + 1; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "occurred", never)), "eh_police", "a day that cannot be");
    let stays = frame("eh_stays");
    let before = Series::new("end_day".into(), vec![-60_000; stays.height()]).into_column();
    told(refusal("eh_stays", with(&stays, "end_day", before)), "eh_stays", "end before they begin");
    let blanks: Vec<Option<String>> =
        texts_of(&people, "person").into_iter().map(|id| id.map(|id| format!(" {id}"))).collect();
    let blanks = with(&people, "person", Series::new("person".into(), blanks).into_column());
    told(refusal("eh_people", blanks), "eh_people", "blanks around it");
    let halves = Series::new("occurred".into(), vec![19_000.5; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "occurred", halves)), "eh_police", "whole numbers");
    let kinds = Series::new("kind".into(), vec![None::<&str>; police.height()]).into_column();
    told(refusal("eh_police", with(&police, "kind", kinds)), "eh_police", "kind");
}
