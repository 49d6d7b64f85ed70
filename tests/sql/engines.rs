//! Engines: which are here, what they are given, and what they made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use earlyhelp::sql::{Dialect, Script};
use polars::prelude::{DataFrame, DataType, ParquetReader, ParquetWriter, SerReader as _};

/// An engine, with the Python that runs it.
pub struct Engine {
    python: String,
    pub dialect: Dialect,
}

/// What an engine is given: texts, and the tables that they read, as Parquet files by their names.
#[derive(Default)]
pub struct Given {
    pub scripts: Vec<Script>,
    pub tables: Vec<(String, Vec<u8>)>,
    /// Tables that are kept beside those of features, scores and outcomes.
    pub keep: Vec<String>,
}

impl Given {
    pub fn table(&mut self, name: &str, mut frame: DataFrame) {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        self.tables.push((name.to_owned(), bytes));
    }
}

/// What an engine made of what it was given.
pub struct Made {
    folder: PathBuf,
    /// The seconds of each text.
    pub seconds: BTreeMap<String, f64>,
}

impl Engine {
    /// The engine of a dialect; `None`, with a line that says so, where it is not here.
    pub fn of(dialect: Dialect) -> Option<Self> {
        let module = match dialect {
            Dialect::Spark => "pyspark",
            _ => "duckdb",
        };
        if dialect == Dialect::Spark && Command::new("java").arg("-version").output().is_err() {
            println!("skipped: Spark needs a Java");
            return None;
        }
        let has_server = || glob::glob("/usr/lib/postgresql/*/bin/initdb").unwrap().next().is_some();
        if dialect == Dialect::PostgreSql && !has_server() {
            println!("skipped: no PostgreSQL server");
            return None;
        }
        let python = std::env::var("EARLYHELP_ENGINES").unwrap_or_else(|_| "python3".to_owned());
        let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        if has.is_ok_and(|output| output.status.success()) {
            return Some(Self { python, dialect });
        }
        assert!(std::env::var_os("EARLYHELP_ENGINES").is_none(), "the Python that is named has no {module}");
        println!("skipped: no Python with {module}");
        None
    }

    /// The Python that runs it.
    pub fn python(&self) -> &str {
        &self.python
    }

    /// The same of one thing that is given.
    pub fn run_one(&self, given: Given) -> (tempfile::TempDir, Made) {
        let (folder, mut made) = self.run([given]);
        (folder, made.remove(0))
    }

    /// Runs each of what is given by itself, all in one process: what an engine needs to start, it needs once.
    pub fn run(&self, given: impl IntoIterator<Item = Given>) -> (tempfile::TempDir, Vec<Made>) {
        let folder = tempfile::tempdir().unwrap();
        let mut folders = Vec::new();
        for (nth, given) in given.into_iter().enumerate() {
            let own = folder.path().join(format!("{nth:03}"));
            std::fs::create_dir(&own).unwrap();
            for script in given.scripts {
                std::fs::write(own.join(script.name), &script.text).unwrap();
            }
            for (name, bytes) in given.tables {
                std::fs::write(own.join(format!("{name}.parquet")), bytes).unwrap();
            }
            std::fs::write(own.join("keep.txt"), given.keep.join(" ")).unwrap();
            folders.push(own);
        }
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/run.py");
        let output =
            Command::new(&self.python).arg(program).arg(self.dialect.name()).args(&folders).output().unwrap();
        let (said, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {complaint}", self.dialect);
        let seconds = said.lines().filter(|line| line.starts_with('{'));
        let seconds: Vec<_> = seconds.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(seconds.len(), folders.len(), "{said}");
        let made = folders.into_iter().zip(seconds);
        (folder, made.map(|(own, seconds)| Made { folder: own.join("made"), seconds }).collect())
    }
}

impl Made {
    /// A table of cases.
    pub fn table(&self, name: &str) -> Table {
        Table::of(self.frame(name))
    }

    pub fn frame(&self, name: &str) -> DataFrame {
        let file = std::fs::File::open(self.folder.join(format!("{name}.parquet"))).unwrap();
        ParquetReader::new(file).finish().unwrap()
    }

    /// Where its tables are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

pub fn numbers(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    let column = frame.column(column).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().collect()
}

pub fn texts_of(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// A table of cases that an engine made.
pub struct Table {
    frame: DataFrame,
    rows: BTreeMap<String, usize>,
}

impl Table {
    fn of(frame: DataFrame) -> Self {
        let mut table = Self { frame, rows: BTreeMap::new() };
        let entities = table.texts("entity");
        table.rows = entities.into_iter().enumerate().map(|(row, entity)| (entity.unwrap(), row)).collect();
        table
    }

    /// The cases that it has, in the order of their ids.
    pub fn entities(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The row of a case.
    pub fn row(&self, entity: &str) -> usize {
        *self.rows.get(entity).unwrap_or_else(|| panic!("no row of {entity}"))
    }

    pub fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        numbers(&self.frame, column)
    }

    pub fn texts(&self, column: &str) -> Vec<Option<String>> {
        texts_of(&self.frame, column)
    }
}
