//! Parquet and Arrow files and polars frames, brought to the same columns as CSV.

use std::io::Cursor;

use polars::io::SerReader;
use polars::prelude::{
    ArrowSchema, DataFrame, DataType, ParquetReader, PlSmallStr, Scalar, Series, TimeUnit,
};

use super::blocks;
use super::folders::{self, Folder};
use super::open::Opened;
use super::pages;
use crate::error::RecordsError;
use crate::records::column::{Batch, Column, NO_DAY, NO_INTEGER, Rows, Texts};
use crate::records::form::FileForm;
use crate::records::header::{self, Name};
use crate::records::options::ReadOptions;

/// Rows decoded at a time: bounds memory, whatever the size of the file.
const STEP: usize = 1 << 20;
/// Rows validated at a time: few enough that what is made of them stays in the cache.
const BATCH_ROWS: usize = 1 << 15;

/// Reads the `wanted` columns of one Parquet file in steps. A column that the file lacks but its `folders` name
/// (`year=2024/`) is theirs.
pub(in crate::records) fn read_parquet(
    (source, file, folders): (&str, &Opened<'_>, &[Folder]),
    wanted: &[Name<'_>],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let bytes = file.bytes()?;
    let open = || Cursor::new(bytes.as_slice());
    let mut reader = pages::reader(file, &bytes)?;
    let schema = file.decoded(|| reader.schema())?;
    let height = file.decoded(|| reader.num_rows())?;
    let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let mut held: Vec<String> = Vec::new();
    for name in wanted {
        if let Some(place) = header::place(source, &names, *name)?
            && !held.iter().any(|held| held == names[place])
        {
            held.push(names[place].to_owned());
        }
    }
    usable((source, file), &schema, &held)?;
    pages::check(file, &mut reader, &bytes, &held)?;
    folders::agree(folders, wanted).map_err(|why| file.failed(why))?;
    let mut start = 0;
    while start < height {
        let reader = ParquetReader::new(open()).with_columns(Some(held.clone()));
        let frame = file.decoded(|| reader.with_slice(Some((start, STEP))).finish())?;
        let len = STEP.min(height - start);
        // A frame without columns has no height of its own, so the folders' columns give it one.
        let mut columns = frame.columns().to_vec();
        columns.extend(folders.iter().filter(|folder| folder.column_in(wanted, &held).is_some()).map(
            |folder| {
                let value = Scalar::from(PlSmallStr::from(folder.value.as_str()));
                polars::prelude::Column::new_scalar(folder.name.as_str().into(), value, len)
            },
        ));
        let frame = DataFrame::new(len, columns).map_err(|error| file.failed(error))?;
        let mut told = |mut batch: Batch| {
            folders::check((folders, wanted), &mut batch).map_err(|why| file.failed(why))?;
            sink(batch)
        };
        batches((source, "a Parquet file"), &frame, wanted, (options, start as u64 + 1), &mut told)?;
        start += len;
    }
    Ok(())
}

/// Reads the `wanted` columns of an Arrow IPC file.
pub(in crate::records) fn read_ipc(
    (source, file): (&str, &Opened<'_>),
    wanted: &[Name<'_>],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let bytes = file.bytes()?;
    let mut reader = blocks::reader(file, &bytes)?;
    let schema = file.decoded(|| reader.schema())?;
    let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let mut held: Vec<String> = Vec::new();
    for place in header::places(source, &names, wanted, "an Arrow file")? {
        if !held.iter().any(|held| held == names[place]) {
            held.push(names[place].to_owned());
        }
    }
    usable((source, file), &schema, &held)?;
    let frame = file.decoded(|| reader.with_columns(Some(held)).finish())?;
    batches((source, "an Arrow file"), &frame, wanted, (options, 1), sink)
}

/// That none of the `held` columns is of a kind that no feature reads, before one is decoded: tables within a cell, and bytes,
/// whose width a damaged file can say as it likes.
fn usable(
    (source, file): (&str, &Opened<'_>),
    schema: &ArrowSchema,
    held: &[String],
) -> Result<(), RecordsError> {
    for name in held {
        let Some(field) = schema.get(name) else { continue };
        // Kinds that polars does not know make it panic.
        let dtype = file.decoded(|| Ok::<_, String>(DataType::from_arrow_field(field)))?;
        if dtype.is_nested() || dtype == DataType::Binary {
            return Err(RecordsError::ColumnType {
                extract: source.to_owned(),
                column: name.clone(),
                found: dtype.to_string(),
            });
        }
    }
    Ok(())
}

/// Hands over the `wanted` columns of a frame whose first row is number `first`, some rows at a time.
pub(in crate::records) fn batches(
    (source, form): (&str, &str),
    frame: &DataFrame,
    wanted: &[Name<'_>],
    (options, first): (&ReadOptions, u64),
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let names: Vec<&str> = frame.columns().iter().map(|column| column.name().as_str()).collect();
    let columns: Vec<_> = header::places(source, &names, wanted, form)?
        .into_iter()
        .map(|place| &frame.columns()[place])
        .collect();
    let mut start = 0;
    while start < frame.height() {
        let len = BATCH_ROWS.min(frame.height() - start);
        let columns = columns
            .iter()
            .map(|column| convert(source, &column.slice(start as i64, len), options))
            .collect::<Result<_, _>>()?;
        let rows = Rows::Run { first: first + start as u64, len };
        let kind = match form {
            "a Parquet file" => "Parquet",
            "an Arrow file" => "Arrow",
            _ => "a frame",
        };
        let form = Some(FileForm::plain(kind));
        let (unreadable, remarks) = (Vec::new(), Vec::new());
        sink(Batch { file: None, form, rows, columns, day_zero: None, unreadable, remarks })?;
        start += len;
    }
    Ok(())
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
        DataType::Datetime(_, None) => {
            let days = series.cast(&DataType::Date).map_err(|_| unusable())?;
            return convert_series(source, &days, options);
        }
        DataType::Datetime(unit, Some(zone)) => {
            let clock = Clock::new(zone).ok_or_else(unusable)?;
            let moments = series.datetime().map_err(|_| unusable())?.physical();
            let a_second = match unit {
                TimeUnit::Nanoseconds => 1_000_000_000,
                TimeUnit::Microseconds => 1_000_000,
                TimeUnit::Milliseconds => 1_000,
            };
            let day = |moment: i64| clock.day(moment.div_euclid(a_second)).unwrap_or(NO_DAY);
            Column::Day(moments.iter().map(|moment| moment.map_or(NO_DAY, day)).collect())
        }
        dtype if dtype.is_integer() => {
            let wide = || series.cast(&DataType::String).map_err(|_| unusable());
            let integers = series.cast(&DataType::Int64).map_err(|_| unusable())?;
            let integers = integers.i64().map_err(|_| unusable())?;
            // Hashes, for instance: what 64 bits with a sign cannot hold is a text, as it would be in a file.
            let is_wide = integers.null_count() > series.null_count()
                || integers.iter().any(|held| held == Some(NO_INTEGER));
            if is_wide {
                return convert_series(source, &wide()?, options);
            }
            let whole = integers.null_count() == 0;
            Column::Integer(fill(integers.iter(), whole, integers.into_no_null_iter(), NO_INTEGER))
        }
        dtype if dtype.is_float() || dtype.is_decimal() => {
            let numbers = series.cast(&DataType::Float64).map_err(|_| unusable())?;
            let numbers = numbers.f64().map_err(|_| unusable())?;
            if let DataType::Decimal(_, scale) = dtype
                && numbers.iter().flatten().any(|number| number.abs() * 10_f64.powi(*scale as i32) >= EXACT)
            {
                return Ok(Column::Text(decimals(series).ok_or_else(unusable)?));
            }
            let whole = numbers.null_count() == 0;
            let mut numbers = fill(numbers.iter(), whole, numbers.into_no_null_iter(), f64::NAN);
            // Of the many forms of "no number" one stays, or two rows alike would differ.
            numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = f64::NAN);
            if *dtype == DataType::Float32 {
                // The number that the shorter one is written as: 0.1, and not 0.10000000149011612.
                let written = |number: f64| (number as f32).to_string().parse().unwrap_or(number);
                for number in &mut numbers {
                    *number = written(*number);
                }
            }
            Column::Number(numbers)
        }
        _ => return Err(unusable()),
    })
}

/// Decimals of fewer digits than this number come out of 64-bit numbers as they went in.
const EXACT: f64 = 1e15;

/// Decimals as they are written, without zeros at their ends: two ids of twenty digits must not become one.
fn decimals(series: &Series) -> Option<Texts> {
    let written = series.cast(&DataType::String).ok()?;
    let mut texts = Texts::default();
    for text in written.str().ok()?.iter() {
        let text = text.unwrap_or_default();
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        texts.push(short);
    }
    Some(texts)
}

/// A zone that is written as an offset, such as `+01:00`.
fn fixed(zone: &str) -> Option<jiff::tz::TimeZone> {
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = sign * (hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60);
    jiff::tz::Offset::from_seconds(seconds).ok().map(jiff::tz::TimeZone::fixed)
}

/// The rule by which a moment has a day: midnight of a summer's day in London lies in the day before by universal time.
struct Clock(jiff::tz::TimeZone);

impl Clock {
    fn new(zone: &str) -> Option<Self> {
        let named = jiff::tz::TimeZone::get(zone).ok();
        named.or_else(|| fixed(zone)).map(Self)
    }

    /// The day of a moment in seconds since 1970, as days since then.
    fn day(&self, seconds: i64) -> Option<i32> {
        let offset = self.0.to_offset(jiff::Timestamp::from_second(seconds).ok()?);
        Some((seconds + i64::from(offset.seconds())).div_euclid(86_400) as i32)
    }
}

fn fill<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    whole: bool,
    plain: impl Iterator<Item = T>,
    absent: T,
) -> Vec<T> {
    if whole { plain.collect() } else { values.map(|value| value.unwrap_or(absent)).collect() }
}

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;

    use super::*;

    fn texts(series: &Series) -> Vec<Option<String>> {
        let column = convert_series("s", series, &ReadOptions::default()).unwrap();
        (0..series.len()).map(|row| column.text(row).map(std::borrow::Cow::into_owned)).collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn two_numbers_never_become_one_text_and_none_is_lost() {
        // What a 64-bit float cannot tell apart, as DuckDB's HUGEINT comes.
        let near = Series::new("id".into(), [4_000_000_000_000_000_001_i64, 4_000_000_000_000_000_002]);
        let near = near.cast(&DataType::Decimal(38, 0)).unwrap();
        assert_eq!(texts(&near), some(&["4000000000000000001", "4000000000000000002"]));
        // What 64 bits with a sign cannot hold: a hash.
        let hashes = Series::new("id".into(), [1_u64 << 63, (1 << 63) + 1]);
        assert_eq!(texts(&hashes), some(&["9223372036854775808", "9223372036854775809"]));
        let least = Series::new("id".into(), [Some(i64::MIN), None, Some(5)]);
        assert_eq!(texts(&least), [Some("-9223372036854775808".to_owned()), None, Some("5".to_owned())]);
        // Others come out as they are written, whatever holds them.
        let short = Series::new("v".into(), [0.1_f32, -2.5, f32::NAN]);
        assert_eq!(texts(&short), [Some("0.1".to_owned()), Some("-2.5".to_owned()), None]);
        let money = Series::new("v".into(), [12.5, 3.0]).cast(&DataType::Decimal(10, 2)).unwrap();
        assert_eq!(texts(&money), some(&["12.5", "3"]));
        let fine = Series::new("v".into(), ["0.12345678901234567", "1.50"])
            .cast(&DataType::Decimal(38, 17))
            .unwrap();
        assert_eq!(texts(&fine), some(&["0.12345678901234567", "1.5"]));
        let whole = Series::new("v".into(), [u64::from(u32::MAX), 0]);
        assert!(matches!(convert_series("s", &whole, &ReadOptions::default()), Ok(Column::Integer(_))));
    }
}
