//! Workbooks: the sheet that has the columns, its cells as texts.

use std::io::Cursor;

use calamine::{Cell, Data, DataRef, Range, Reader, Sheets, open_workbook_auto_from_rs};

use super::compound::Compound;
use super::gather::{Gathering, Header};
use super::lines::Record;
use super::old_sheets;
use super::open::Opened;
use crate::error::RecordsError;
use crate::records::column::Batch;
use crate::records::form::FileForm;
use crate::records::header::{Name, is_of};
use crate::records::options::ReadOptions;

/// Reads the `wanted` columns of one sheet in batches.
pub(in crate::records) fn read(
    (source, file): (&str, &Opened<'_>),
    wanted: &[Name<'_>],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let mut book = opened(file)?;
    let asked = options.sheet.as_deref();
    let names: Vec<String> = book
        .sheet_names()
        .into_iter()
        .filter(|name| asked.is_none_or(|asked| is_of(name.trim(), asked.trim())))
        .collect();
    if names.is_empty() {
        let held = book.sheet_names().join(", ");
        return Err(file.failed(format!("no sheet of it is named so; it has {held}")));
    }
    let mut with_columns: Vec<(String, Sheet)> = Vec::new();
    let mut likeliest: Option<(usize, RecordsError)> = None;
    for name in names {
        let range = file.decoded(|| range(&mut book, &name))?;
        let mut header = Header::new(source, wanted);
        match Sheet::find(range, &mut header)? {
            Some(sheet) => with_columns.push((name, sheet)),
            None if likeliest.as_ref().is_none_or(|(found, _)| header.found() > *found) => {
                likeliest = Some((header.found(), header.missing(&format!("sheet {name} of a workbook"))));
            }
            None => {}
        }
    }
    if with_columns.len() > 1 {
        let held: Vec<&str> = with_columns.iter().map(|(name, _)| name.as_str()).collect();
        let why = format!("the columns stand in several sheets ({}); name one as `sheet`", held.join(", "));
        return Err(file.failed(why));
    }
    match (with_columns.pop(), likeliest) {
        (Some((name, sheet)), _) => sheet.rows((FileForm::workbook(name), options), sink),
        (None, Some((_, missing))) => Err(missing),
        (None, None) => Err(file.failed("it has no sheet")),
    }
}

/// A workbook, of whichever kind.
pub(in crate::records) fn opened(file: &Opened<'_>) -> Result<Sheets<Cursor<Vec<u8>>>, RecordsError> {
    let bytes = file.bytes()?;
    if let Some(compound) = Compound::of(&bytes) {
        if !compound.chains_end() {
            return Err(
                file.failed("its sectors lead back into themselves; the file is damaged: save it again")
            );
        }
        let extent = old_sheets::extent(&compound);
        if too_sparse(extent.places, extent.cells) || extent.stated > MOST_PLACES {
            return Err(file.failed(far_apart("its sheets", extent.places.max(extent.stated))));
        }
    }
    // `.xlsx` and `.ods` are archives.
    if bytes.starts_with(b"PK") {
        file.check_unpacked(&bytes)?;
    }
    file.decoded(|| open_workbook_auto_from_rs(Cursor::new(bytes)))
}

/// The cells of a sheet as a table.
///
/// A table has a place for every cell between the outermost ones, so two cells in opposite corners of a sheet would ask for
/// seventeen billion. calamine knows a bound for `.ods`; an `.xls` was looked at before it was opened; here is one for the others.
pub(in crate::records) fn range(
    book: &mut Sheets<Cursor<Vec<u8>>>,
    name: &str,
) -> Result<Range<Data>, String> {
    match book {
        Sheets::Xlsx(book) => {
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| error.to_string())?;
            table(name, || cells.next_cell().map_err(|error| error.to_string()))
        }
        Sheets::Xlsb(book) => {
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| error.to_string())?;
            table(name, || cells.next_cell().map_err(|error| error.to_string()))
        }
        other => other.worksheet_range(name).map_err(|error| error.to_string()),
    }
}

/// Tables of fewer places than this are made, however few of them are filled.
const PLACES: u64 = 4_000_000;
/// Of larger ones at least one in so many places is filled.
const FILLED: u64 = 100;
/// No table is larger, however well it is filled: a place takes 24 bytes, so this is above a gigabyte.
const MOST_PLACES: u64 = 50_000_000;

fn too_sparse(places: u64, cells: u64) -> bool {
    places > MOST_PLACES || (places > PLACES && places / FILLED > cells)
}

fn far_apart(whose: &str, places: u64) -> String {
    format!(
        "the cells of {whose} lie so far apart that a table of them has {places} places; delete what stands outside of the \
         table, or save it as CSV"
    )
}

/// The table of a sheet whose cells come one after another.
fn table<'a>(
    name: &str,
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'a>>>, String>,
) -> Result<Range<Data>, String> {
    let mut cells: Vec<Cell<Data>> = Vec::new();
    let (mut low, mut high) = ((u32::MAX, u32::MAX), (0, 0));
    while let Some(cell) = next()? {
        let value = Data::from(cell.get_value().clone());
        if matches!(value, Data::Empty) {
            continue;
        }
        let (row, column) = cell.get_position();
        low = (low.0.min(row), low.1.min(column));
        high = (high.0.max(row), high.1.max(column));
        cells.push(Cell::new((row, column), value));
    }
    if cells.is_empty() {
        return Ok(Range::empty());
    }
    let places = (u64::from(high.0 - low.0) + 1) * (u64::from(high.1 - low.1) + 1);
    if too_sparse(places, cells.len() as u64) {
        return Err(far_apart(&format!("sheet {name}"), places));
    }
    Ok(Range::from_sparse(cells))
}

/// A sheet whose header has been found.
struct Sheet {
    range: Range<Data>,
    places: Vec<usize>,
    /// The row of the header, from 0 in the range.
    head: usize,
    width: usize,
}

impl Sheet {
    fn find(range: Range<Data>, header: &mut Header<'_>) -> Result<Option<Self>, RecordsError> {
        let mut record = Record::default();
        for (head, row) in range.rows().enumerate() {
            if header.is_past() {
                break;
            }
            record.set(0, row.iter().map(text));
            if let Some(places) = header.look(&record)? {
                let width = record.len();
                return Ok(Some(Self { range, places, head, width }));
            }
        }
        Ok(None)
    }

    fn rows(
        self,
        how: (FileForm, &ReadOptions),
        sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        let first = self.range.start().map_or(0, |start| u64::from(start.0)) + 1;
        let mut gathering = Gathering::new((self.places, self.width), how, sink);
        let mut record = Record::default();
        for (place, row) in self.range.rows().enumerate().skip(self.head + 1) {
            // As an empty line of a text is.
            if row.iter().all(|cell| matches!(cell, Data::Empty)) {
                continue;
            }
            record.set(first + place as u64, row.iter().map(text));
            gathering.take(&record)?;
        }
        gathering.finish()
    }
}

/// A cell as a text would have it: days and times in the form of ISO 8601, numbers without more digits than they have.
pub(in crate::records) fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(flag) => flag.to_string(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        Data::DateTime(span) => span.as_f64().to_string(),
    }
}
