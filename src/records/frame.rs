//! Parquet and Arrow files and polars frames, brought to the same columns as CSV.

use std::fs::File;
use std::path::Path;

use polars::io::SerReader;
use polars::prelude::{DataFrame, DataType, IpcReader, ParquetReader, PlSmallStr, Scalar, Series};

use super::column::{Batch, Column, NO_DAY, NO_INTEGER, Rows, Texts};
use super::header;
use super::options::ReadOptions;
use crate::error::RecordsError;

/// Rows decoded at a time: bounds memory, whatever the size of the file.
const STEP: usize = 1 << 20;
/// Rows validated at a time: few enough that what is made of them stays in the cache.
const BATCH_ROWS: usize = 1 << 15;

/// Reads the `wanted` columns of one Parquet file below `root` in steps. A column that the file lacks
/// but its path names (`year=2024/`) is the path's.
pub(super) fn read_parquet(
    source: &str,
    root: &Path,
    file: &Path,
    wanted: &[&str],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let failed = |why: String| RecordsError::Read { extract: source.to_owned(), path: file.to_owned(), why };
    let open = || File::open(file).map_err(|error| failed(error.to_string()));
    let mut reader = ParquetReader::new(open()?);
    let schema = reader.schema().map_err(|error| failed(error.to_string()))?;
    let height = reader.num_rows().map_err(|error| failed(error.to_string()))?;
    let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let mut held: Vec<String> = Vec::new();
    for name in wanted {
        if let Some(place) = header::place(source, &names, name)?
            && !held.iter().any(|held| held == names[place])
        {
            held.push(names[place].to_owned());
        }
    }
    let partitions = hive_partitions(root, file);

    let mut start = 0;
    while start < height {
        let frame = ParquetReader::new(open()?)
            .with_columns(Some(held.clone()))
            .with_slice(Some((start, STEP)))
            .finish()
            .map_err(|error| failed(error.to_string()))?;
        let len = STEP.min(height - start);
        // A frame without columns has no height of its own, so the partitions' columns give it one.
        let partitions =
            partitions.iter().filter(|(key, _)| wanted.contains(&key.as_str()) && !held.contains(key));
        let mut columns = frame.columns().to_vec();
        columns.extend(partitions.map(|(key, value)| {
            // What hive writes for an empty value.
            let value = if value == "__HIVE_DEFAULT_PARTITION__" { "" } else { value.as_str() };
            polars::prelude::Column::new_scalar(
                key.as_str().into(),
                Scalar::from(PlSmallStr::from(value)),
                len,
            )
        }));
        let frame = DataFrame::new(len, columns).map_err(|error| failed(error.to_string()))?;
        batches(source, &frame, wanted, options, start as u64 + 1, sink)?;
        start += len;
    }
    Ok(())
}

/// Reads the `wanted` columns of an Arrow IPC file.
pub(super) fn read_ipc(
    source: &str,
    file: &Path,
    wanted: &[&str],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let failed = |why: String| RecordsError::Read { extract: source.to_owned(), path: file.to_owned(), why };
    let open = || File::open(file).map_err(|error| failed(error.to_string()));
    let schema = IpcReader::new(open()?).schema().map_err(|error| failed(error.to_string()))?;
    let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let mut held: Vec<String> = Vec::new();
    for place in header::places(source, &names, wanted)? {
        if !held.iter().any(|held| held == names[place]) {
            held.push(names[place].to_owned());
        }
    }
    let frame = IpcReader::new(open()?)
        .with_columns(Some(held))
        .finish()
        .map_err(|error| failed(error.to_string()))?;
    batches(source, &frame, wanted, options, 1, sink)
}

/// Hands over the `wanted` columns of a frame whose first row is number `first`, some rows at a time.
pub(super) fn batches(
    source: &str,
    frame: &DataFrame,
    wanted: &[&str],
    options: &ReadOptions,
    first: u64,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let names: Vec<&str> = frame.columns().iter().map(|column| column.name().as_str()).collect();
    let columns: Vec<_> =
        header::places(source, &names, wanted)?.into_iter().map(|place| &frame.columns()[place]).collect();
    let mut start = 0;
    while start < frame.height() {
        let len = BATCH_ROWS.min(frame.height() - start);
        let columns = columns
            .iter()
            .map(|column| convert(source, &column.slice(start as i64, len), options))
            .collect::<Result<_, _>>()?;
        let rows = Rows::Run { first: first + start as u64, len };
        sink(Batch { file: None, rows, columns, unreadable: Vec::new() })?;
        start += len;
    }
    Ok(())
}

/// `name=value` folders between `root` and the file.
fn hive_partitions(root: &Path, file: &Path) -> Vec<(String, String)> {
    file.strip_prefix(root)
        .unwrap_or(file)
        .iter()
        .filter_map(|part| part.to_str()?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn convert(
    source: &str,
    column: &polars::prelude::Column,
    options: &ReadOptions,
) -> Result<Column, RecordsError> {
    match column {
        // One value for all rows: no need to write it out for each.
        polars::prelude::Column::Scalar(scalar) if !scalar.is_empty() => {
            let one = convert_series(source, &scalar.as_single_value_series(), options)?;
            Ok(Column::Constant(one.text(0).map(std::borrow::Cow::into_owned)))
        }
        _ => convert_series(source, column.as_materialized_series(), options),
    }
}

fn convert_series(source: &str, series: &Series, options: &ReadOptions) -> Result<Column, RecordsError> {
    let unusable = || RecordsError::ColumnType {
        extract: source.to_owned(),
        column: series.name().to_string(),
        found: series.dtype().to_string(),
    };
    Ok(match series.dtype() {
        DataType::Null => Column::Constant(None),
        DataType::String => {
            let mut texts = Texts::default();
            for text in series.str().map_err(|_| unusable())?.iter() {
                texts.push(options.clean(text.unwrap_or_default()));
            }
            Column::Text(texts)
        }
        DataType::Boolean | DataType::Categorical(..) | DataType::Enum(..) => {
            // Through the text: the physical codes of categories are not stable from run to run.
            let strings = series.cast(&DataType::String).map_err(|_| unusable())?;
            return convert_series(source, &strings, options);
        }
        DataType::Date => {
            let days = series.date().map_err(|_| unusable())?.physical();
            Column::Day(fill(days.iter(), days.null_count() == 0, days.into_no_null_iter(), NO_DAY))
        }
        DataType::Datetime(..) => {
            let days = series.cast(&DataType::Date).map_err(|_| unusable())?;
            return convert_series(source, &days, options);
        }
        dtype if dtype.is_integer() => {
            let integers = series.cast(&DataType::Int64).map_err(|_| unusable())?;
            let integers = integers.i64().map_err(|_| unusable())?;
            let whole = integers.null_count() == 0;
            Column::Integer(fill(integers.iter(), whole, integers.into_no_null_iter(), NO_INTEGER))
        }
        dtype if dtype.is_float() => {
            let numbers = series.cast(&DataType::Float64).map_err(|_| unusable())?;
            let numbers = numbers.f64().map_err(|_| unusable())?;
            let whole = numbers.null_count() == 0;
            Column::Number(fill(numbers.iter(), whole, numbers.into_no_null_iter(), f64::NAN))
        }
        _ => return Err(unusable()),
    })
}

fn fill<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    whole: bool,
    plain: impl Iterator<Item = T>,
    absent: T,
) -> Vec<T> {
    if whole { plain.collect() } else { values.map(|value| value.unwrap_or(absent)).collect() }
}
