//! Where rows come from: a file, a folder of Parquet files, or frames handed over by a program.

use std::path::{Path, PathBuf};

use polars::error::PolarsResult;
use polars::frame::DataFrame;

use super::column::Batch;
use super::options::ReadOptions;
use super::{csv, frame};
use crate::error::RecordsError;

/// The rows of one source.
///
/// A path is read by its ending, in capitals or not: `.csv`, `.txt`, `.tsv` and `.psv` as delimited text, `.parquet`,
/// `.arrow`, `.ipc` and `.feather` as such, and a folder as Parquet files, with `name=value` folders
/// becoming columns (hive partitions). Names of columns are compared without regard to capitals and outer blanks; a
/// column that is asked for and stands twice is refused.
///
/// # Examples
/// ```
/// use earlyhelp::records::Extract;
/// use polars::df;
///
/// let from_file = Extract::path("extracts/police.csv");
/// let from_program = Extract::frame(df!("person_id" => ["p1"], "occurred" => ["2024-01-31"])?);
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
#[derive(Debug)]
pub struct Extract {
    origin: Origin,
    options: ReadOptions,
}

enum Origin {
    Path(PathBuf),
    Frames(Box<dyn Iterator<Item = PolarsResult<DataFrame>>>),
}

impl std::fmt::Debug for Origin {
    /// Never prints the rows of a frame.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Frames(_) => f.write_str("frames"),
        }
    }
}

impl Extract {
    /// The rows of a file, or of a folder of Parquet files.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self { origin: Origin::Path(path.into()), options: ReadOptions::default() }
    }

    /// The rows of a frame.
    #[must_use]
    pub fn frame(frame: DataFrame) -> Self {
        Self::frames([Ok(frame)])
    }

    /// The rows of several frames with the same columns, one after another. Each is asked for when the
    /// one before has been read, so that they need not be held together.
    pub fn frames<I>(frames: I) -> Self
    where
        I: IntoIterator<Item = PolarsResult<DataFrame>>,
        I::IntoIter: 'static,
    {
        Self { origin: Origin::Frames(Box::new(frames.into_iter())), options: ReadOptions::default() }
    }

    /// Reads text so.
    #[must_use]
    pub fn options(mut self, options: ReadOptions) -> Self {
        self.options = options;
        self
    }

    /// Hands the `wanted` columns over in batches; names in `files` what the batches' file numbers mean.
    pub(crate) fn read(
        self,
        source: &str,
        wanted: &[&str],
        files: &mut Vec<String>,
        sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        let path = match self.origin {
            Origin::Frames(frames) => {
                let mut first = 1;
                for frame in frames {
                    let frame = frame.map_err(|error| RecordsError::Frame {
                        extract: source.to_owned(),
                        why: error.to_string(),
                    })?;
                    frame::batches(source, &frame, wanted, &self.options, first, sink)?;
                    first += frame.height() as u64;
                }
                return Ok(());
            }
            Origin::Path(path) => path,
        };
        for (file, name) in list_files(source, &path)? {
            let number = files.len() as u32;
            files.push(name);
            let numbered = &mut |mut batch: Batch| {
                batch.file = Some(number);
                sink(batch)
            };
            let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
            match ending.as_deref().unwrap_or_default() {
                "parquet" => frame::read_parquet(source, &path, &file, wanted, &self.options, numbered)?,
                "arrow" | "ipc" | "feather" => {
                    frame::read_ipc(source, &file, wanted, &self.options, numbered)?;
                }
                "csv" | "txt" | "tsv" | "psv" => csv::read(source, &file, &self.options, wanted, numbered)?,
                _ => return Err(RecordsError::Format { extract: source.to_owned(), path: file }),
            }
        }
        Ok(())
    }
}

/// The file itself, or the Parquet files below a folder in the order of their names; each with the name
/// that a reject shows.
fn list_files(source: &str, path: &Path) -> Result<Vec<(PathBuf, String)>, RecordsError> {
    let unreadable =
        |why: String| RecordsError::Read { extract: source.to_owned(), path: path.to_owned(), why };
    if !path.is_dir() {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        return Ok(vec![(path.to_owned(), name)]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(error.to_string()))? {
            let entry = entry.map_err(|error| unreadable(error.to_string()))?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "parquet") {
                found.push(entry);
            }
        }
    }
    if found.is_empty() {
        return Err(unreadable("the folder holds no .parquet file".to_owned()));
    }
    found.sort();
    Ok(found
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy().into_owned();
            (file, name)
        })
        .collect())
}
