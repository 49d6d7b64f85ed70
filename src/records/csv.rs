//! CSV extracts: comma, pipe, tab or semicolon; UTF-8 (with or without BOM) or Windows-1252.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::column::{Batch, Column, Rows, Texts};
use super::header;
use super::options::{Encoding, ReadOptions};
use super::reject::RejectReason;
use crate::error::RecordsError;

/// Rows of one batch: large enough that per-batch work does not matter, small enough to stay in cache.
const BATCH_ROWS: usize = 65_536;

/// Reads the `wanted` columns of a CSV file in batches.
pub(super) fn read(
    source: &str,
    path: &Path,
    options: &ReadOptions,
    wanted: &[&str],
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let unreadable = |error: std::io::Error| RecordsError::Read {
        extract: source.to_owned(),
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let delimiter = match options.delimiter {
        Some(delimiter) => delimiter as u8,
        None => sniff_delimiter(input.fill_buf().map_err(unreadable)?),
    };
    // Rows of another length than the header are rejected one by one, not by failing the file.
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
    let head = reader.byte_headers().map_err(|error| unreadable(error.into()))?.clone();
    let names: Vec<String> = head.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let places = header::places(source, &names.iter().map(String::as_str).collect::<Vec<_>>(), wanted)?;

    let mut record = ByteRecord::new();
    loop {
        let (batch, more) = read_batch(&mut reader, &mut record, head.len(), &places, options)
            .map_err(|error| unreadable(error.into()))?;
        if batch.rows.len() > 0 || !batch.unreadable.is_empty() {
            sink(batch)?;
        }
        if !more {
            return Ok(());
        }
    }
}

fn read_batch<R: Read>(
    reader: &mut csv::Reader<R>,
    record: &mut ByteRecord,
    fields: usize,
    places: &[usize],
    options: &ReadOptions,
) -> Result<(Batch, bool), csv::Error> {
    let mut lines = Vec::new();
    let mut columns = vec![Texts::default(); places.len()];
    let mut unreadable = Vec::new();
    let mut more = true;
    while lines.len() < BATCH_ROWS {
        more = reader.read_byte_record(record)?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != fields {
            unreadable.push((line, RejectReason::FieldCount));
        } else if options.encoding == Encoding::Utf8
            && places.iter().any(|&place| std::str::from_utf8(&record[place]).is_err())
        {
            unreadable.push((line, RejectReason::Encoding));
        } else {
            lines.push(line);
            for (column, &place) in columns.iter_mut().zip(places) {
                match options.encoding {
                    Encoding::Utf8 => {
                        column.push(options.clean(std::str::from_utf8(&record[place]).unwrap_or_default()));
                    }
                    Encoding::Windows1252 => {
                        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&record[place]);
                        column.push(options.clean(&text));
                    }
                }
            }
        }
    }
    let columns = columns.into_iter().map(Column::Text).collect();
    Ok((Batch { file: None, rows: Rows::Lines(lines), columns, unreadable }, more))
}

/// The delimiter that stands most often in the header line.
fn sniff_delimiter(start: &[u8]) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.split(|&byte| byte == delimiter).count();
    // The first of equals is taken, so a file of one column is read as comma-separated.
    [b';', b'\t', b'|', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], options: &ReadOptions, wanted: &[&str]) -> Result<Vec<Batch>, RecordsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut batches = Vec::new();
        read("s", file.path(), options, wanted, &mut |batch| {
            batches.push(batch);
            Ok(())
        })?;
        Ok(batches)
    }

    #[test]
    fn a_bom_a_pipe_and_a_quoted_delimiter_are_read() {
        let text = "\u{feff}Person ID |note|when\n7|\"a|b\"|2024-01-02\n8|x\n9||2024-01-03\n";
        let batches = read_all(text.as_bytes(), &ReadOptions::default(), &["person id", "when"]).unwrap();
        let batch = &batches[0];
        assert_eq!(batch.rows.len(), 2);
        assert_eq!(batch.columns[0].text(1).as_deref(), Some("9"));
        assert_eq!(batch.columns[1].text(0).as_deref(), Some("2024-01-02"));
        assert_eq!(batch.unreadable, vec![(3, RejectReason::FieldCount)]);
        assert_eq!(batch.rows.position(1), 4);
    }

    #[test]
    fn windows_1252_is_read_when_declared_and_rejected_otherwise() {
        let bytes = b"id,place\n1,Caf\xe9\n2,x\n";
        let options = ReadOptions { encoding: Encoding::Windows1252, ..ReadOptions::default() };
        let batch = &read_all(bytes, &options, &["place"]).unwrap()[0];
        assert_eq!(batch.columns[0].text(0).as_deref(), Some("Café"));
        let batch = &read_all(bytes, &ReadOptions::default(), &["place"]).unwrap()[0];
        assert_eq!(batch.unreadable, vec![(2, RejectReason::Encoding)]);
    }

    #[test]
    fn a_missing_column_is_named_and_nothing_else() {
        let error = read_all(b"4471,secret\n", &ReadOptions::default(), &["person"]).unwrap_err();
        assert!(error.to_string().contains("person"));
        assert!(!error.to_string().contains("secret"));
    }
}
