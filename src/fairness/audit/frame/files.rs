//! Scores from CSV and Parquet files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use csv::{ByteRecord, Position, ReaderBuilder};
use polars::io::SerReader;
use polars::prelude::ParquetReader;

use super::cells::Cell;
use super::{RowReason, Rows, ScoreColumns, ScoreIntake, ScoresError};
use crate::fairness::audit::ScoreTable;

/// Reads a table of scores from a file, by its ending: `.parquet`, or `.csv` (UTF-8 with or without a byte-order
/// mark, with commas, semicolons, tabs or bars between the fields, names of columns in any case of letters).
///
/// # Errors
/// Those of [`ScoreTable::from_frame`]; [`ScoresError::ColumnTwice`] where the header of a CSV file has a column that is
/// asked for more than once; [`ScoresError::Read`] where the file cannot be read, and
/// [`ScoresError::Format`] for another ending.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreColumns, read_scores};
///
/// let columns = ScoreColumns::new("risk", "excluded").group("sex").group("ethnicity");
/// let (table, intake) = read_scores(Path::new("vendor.csv"), &columns)?;
/// println!("{} of {} rows audited", intake.audited, intake.read);
/// let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.2)))?;
/// # let _ = audit;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_scores(path: &Path, columns: &ScoreColumns) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
    let ends = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    if ends("parquet") {
        read_parquet(path, columns)
    } else if ends("csv") {
        read_csv(path, columns)
    } else {
        Err(ScoresError::Format { path: path.to_owned() })
    }
}

fn read_parquet(path: &Path, columns: &ScoreColumns) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
    let failed = |why: String| ScoresError::Read { path: path.to_owned(), why };
    let open = || File::open(path).map_err(|error| failed(error.to_string()));
    let schema = ParquetReader::new(open()?).schema().map_err(|error| failed(error.to_string()))?;
    let mut wanted: Vec<String> = Vec::new();
    for (_, name) in columns.roles() {
        if !schema.contains(name) {
            return Err(ScoresError::NoColumn { column: name.to_owned() });
        }
        if !wanted.iter().any(|held| held == name) {
            wanted.push(name.to_owned());
        }
    }
    let frame = ParquetReader::new(open()?)
        .with_columns(Some(wanted))
        .finish()
        .map_err(|error| failed(error.to_string()))?;
    ScoreTable::from_frame(&frame, columns)
}

fn read_csv(path: &Path, columns: &ScoreColumns) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
    let failed = |why: String| ScoresError::Read { path: path.to_owned(), why };
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut input = BufReader::with_capacity(1 << 20, file);
    let delimiter = delimiter(input.fill_buf().map_err(|error| failed(error.to_string()))?);
    // Rows of another length than the header are rejected one by one, not by failing the file.
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
    let header = reader.byte_headers().map_err(|error| failed(error.to_string()))?.clone();
    let places = places(&header, columns)?;
    let mut rows = Rows::new(columns);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| failed(error.to_string()))? {
        let line = record.position().map_or(0, Position::line);
        if record.len() != header.len() {
            rows.reject(line, None, RowReason::FieldCount);
            continue;
        }
        let texts: Result<Vec<&str>, _> =
            places.iter().map(|&place| std::str::from_utf8(&record[place])).collect();
        match texts {
            Ok(texts) => rows.push(line, |nth| Cell::text(texts[nth])),
            Err(_) => rows.reject(line, None, RowReason::Encoding),
        }
    }
    rows.finish()
}

/// The place of each column asked for. Names are compared without regard to case and outer blanks, as for
/// extracts; a name that is the same to the letter goes first. Which of two columns of one name is meant
/// cannot be told, so that is refused.
fn places(header: &ByteRecord, columns: &ScoreColumns) -> Result<Vec<usize>, ScoresError> {
    let names: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    columns
        .roles()
        .into_iter()
        .map(|(_, wanted)| {
            let wanted = wanted.trim();
            let all = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
                (0..names.len()).filter(|&place| is(&names[place])).collect()
            };
            let mut found = all(&|name| name == wanted);
            if found.is_empty() {
                found = all(&|name| name.eq_ignore_ascii_case(wanted));
            }
            match found[..] {
                [place] => Ok(place),
                [] => Err(ScoresError::NoColumn { column: wanted.to_owned() }),
                _ => Err(ScoresError::ColumnTwice { column: wanted.to_owned() }),
            }
        })
        .collect()
}

/// What stands most often in the header line; a file of one column is read as comma-separated.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.split(|&byte| byte == delimiter).count();
    [b';', b'\t', b'|', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}
