//! Where rows come from: a file, a folder of Parquet files, or frames handed over by a program.

use std::path::PathBuf;

use polars::error::PolarsResult;
use polars::frame::DataFrame;

use super::column::Batch;
use super::open::{self, Holds, Opened};
use super::options::ReadOptions;
use super::{frame, text, workbook};
use crate::error::RecordsError;

/// The rows of one source.
///
/// A path is read by its ending, in capitals or not: `.csv`, `.txt`, `.tsv` and `.psv` as delimited text, `.xlsx`, `.xlsm`,
/// `.xls` and `.ods` as workbooks, `.parquet`, `.arrow`, `.ipc` and `.feather` as such, each also packed as `.gz`, `.zst`
/// or alone in a `.zip`; a folder as Parquet files, with `name=value` folders becoming columns (hive partitions); and a
/// pattern such as `police_*.csv` as all files whose names are of it, in the order of their names.
///
/// The header is the first of the first 30 lines in which all columns asked for stand. Names of columns are compared
/// without regard to capitals and outer blanks; a column that is asked for and stands twice is refused.
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

    /// How its cells are read.
    pub(crate) fn how(&self) -> &ReadOptions {
        &self.options
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
                    frame::batches((source, "a frame"), &frame, wanted, (&self.options, first), sink)?;
                    first += frame.height() as u64;
                }
                return Ok(());
            }
            Origin::Path(path) => path,
        };
        for (path_of_file, name) in open::list(source, &path)? {
            let number = files.len() as u32;
            files.push(name);
            let numbered = &mut |mut batch: Batch| {
                batch.file = Some(number);
                sink(batch)
            };
            let file = Opened::new(source, &path_of_file)?;
            let options = &self.options;
            match file.holds {
                Holds::Text => text::read((source, &file), wanted, options, numbered)?,
                Holds::Workbook => workbook::read((source, &file), wanted, options, numbered)?,
                Holds::Parquet => {
                    let folders = frame::hive_partitions(&path, &path_of_file);
                    frame::read_parquet((source, &file, &folders), wanted, options, numbered)?;
                }
                Holds::Arrow => frame::read_ipc((source, &file), wanted, options, numbered)?,
            }
        }
        Ok(())
    }
}
