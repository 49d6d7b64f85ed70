//! Delimited text: comma, pipe, tab or semicolon.

use std::io::BufRead;

use super::gather::{Gathering, Header};
use super::lines::{Next, Records};
use super::open::Opened;
use crate::error::RecordsError;
use crate::records::column::Batch;
use crate::records::form::FileForm;
use crate::records::header::Name;
use crate::records::options::{Delimiter, ReadOptions};
use crate::records::reject::RejectReason;

/// In so many bytes at the beginning the delimiter is looked for.
const START: usize = 1 << 16;

/// Reads the `wanted` columns of a text in batches.
pub(in crate::records) fn read(
    (source, file): (&str, &Opened<'_>),
    wanted: &[Name<'_>],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let failed = |error: std::io::Error| file.failed(error);
    let (mut input, encoding) = file.text(options)?;
    if input.fill_buf().map_err(failed)?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let start = input.fill_buf().map_err(failed)?;
    let start = &start[..start.len().min(START)];
    let delimiter = options.delimiter.or(told(start)).unwrap_or_else(|| sniff(start, wanted));
    let mut records = Records::new(input, delimiter as u8);
    let mut header = Header::new(source, wanted);
    let mut open = None;
    let places = loop {
        let next = if header.is_past() { Next::End } else { records.next().map_err(failed)? };
        if matches!(next, Next::End) {
            let open = open.map_or_else(String::new, |line| {
                format!("; a quote that opens on line {line} is not closed where it could be")
            });
            let form = format!("text with {} between its columns{open}", delimiter.name());
            return Err(header.missing(&form));
        }
        if let Next::OpenQuote(line) = next {
            open = open.or(Some(line));
        }
        if matches!(next, Next::Record)
            && let Some(places) = header.look(&records.record)?
        {
            break places;
        }
    };
    let width = records.record.len();
    records.expect(width);
    let form = FileForm::text(delimiter.name(), encoding);
    let mut rows = Gathering::new((places, width), (form, options), sink);
    loop {
        match records.next().map_err(failed)? {
            Next::Record => rows.take(&records.record)?,
            Next::OpenQuote(line) => rows.refuse(line, RejectReason::QuoteOpen)?,
            Next::End => break,
        }
    }
    rows.finish()?;
    file.check_unchanged()
}

/// What a first line `sep=;` says, as spreadsheets write it. The line itself has none of the columns and is passed over.
fn told(start: &[u8]) -> Option<Delimiter> {
    match start {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, b'\r' | b'\n', ..] => {
            Delimiter::ALL.into_iter().find(|known| *known as u8 == *delimiter)
        }
        _ => None,
    }
}

/// The delimiter that parts most of the columns asked for from each other in one of the first lines, and of equals the
/// one that stands there most often.
fn sniff(start: &[u8], wanted: &[Name<'_>]) -> Delimiter {
    const MOST_LINES: usize = 60;
    let lines = || start.split(|&byte| matches!(byte, b'\n' | b'\r')).take(MOST_LINES);
    let is_wanted = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
        let cell = cell.strip_suffix(b"\"").unwrap_or(cell).trim_ascii();
        let cell = String::from_utf8_lossy(cell);
        wanted.iter().any(|name| name.is(&cell))
    };
    let names = |line: &[u8], delimiter: Delimiter| {
        line.split(|&byte| byte == delimiter as u8).filter(|cell| is_wanted(cell)).count()
    };
    let score = |delimiter: Delimiter| {
        let found = lines().map(|line| (names(line, delimiter), count(line, delimiter)));
        found.max().unwrap_or_default()
    };
    // The last of equals is taken, so a file of one column is read as comma-separated.
    Delimiter::ALL.into_iter().max_by_key(|&delimiter| score(delimiter)).unwrap_or(Delimiter::Comma)
}

fn count(line: &[u8], delimiter: Delimiter) -> usize {
    memchr::memchr_iter(delimiter as u8, line).count()
}
