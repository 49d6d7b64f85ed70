//! Real records: the features of the Open University's students, by each engine and by the library, to the bit.
//!
//! DuckDB is asked about all of them; the others about the clicks of two modules, with everything else, which they take far faster in.
//! Where the data is not there the tests say so. Students are seen on a date that is the same for all: the texts refuse days of
//! their own.

use std::path::{Path, PathBuf};

use earlyhelp::calendar::AsOf;
use earlyhelp::project::Project;
use earlyhelp::sql::{Dialect, Texts};

use super::engines::{Engine, Given};
use super::same;

/// Day 28 of the presentation of October 2014.
const DATE: &str = "2014-10-29";
const CLICKS: &str = "studentVle_ds";
const MODULES: [&str; 2] = ["code_module=AAA", "code_module=GGG"];

fn data_folder() -> Option<PathBuf> {
    let base = std::env::var_os("EARLYHELP_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = Some(base.join("oulad")).filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!("skipped: no folder oulad in EARLYHELP_DATA or ../shared/data");
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::write(to, std::fs::read(from).unwrap()).unwrap();
    }
}

/// The extracts with the clicks of two modules alone.
fn cut(all: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(all).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != CLICKS {
            copy(&entry.path(), &folder.path().join(entry.file_name()));
        }
    }
    for module in MODULES {
        copy(&all.join(CLICKS).join(module), &folder.path().join(CLICKS).join(module));
    }
    folder
}

fn on_engine(dialect: Dialect, extracts: &Path) {
    let Some(engine) = Engine::of(dialect) else { return };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/oulad.toml");
    let project = Project::load(file).unwrap().extracts_in(extracts).unwrap();
    let (records, spec, date) =
        (project.records().unwrap(), project.features().unwrap(), DATE.parse::<AsOf>().unwrap());
    let cohort = project.cohort(&records, date).unwrap();
    assert!(cohort.len() > 5_000, "{} students", cohort.len());
    let texts = Texts::of_project(&project, &spec, (date, dialect)).unwrap();
    let given: Given = same::given(&texts, &records);
    let matrix = spec.compute(&cohort).unwrap();
    let (_folder, made) = engine.run([given]);
    println!("{dialect}: {} students, seconds {:?}", cohort.len(), made[0].seconds);
    same::features(&made[0].table("eh_features"), &texts, (&cohort, &matrix), &dialect.to_string());
}

#[test]
fn duckdb_makes_the_features_of_all_students() {
    let Some(folder) = data_folder() else { return };
    on_engine(Dialect::DuckDb, &folder);
}

#[test]
fn postgresql_makes_the_features_of_students_of_two_modules() {
    let Some(folder) = data_folder() else { return };
    on_engine(Dialect::PostgreSql, cut(&folder).path());
}

#[test]
fn spark_makes_the_features_of_students_of_two_modules() {
    let Some(folder) = data_folder() else { return };
    on_engine(Dialect::Spark, cut(&folder).path());
}
