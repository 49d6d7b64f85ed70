//! Rows of texts, from a file or a sheet, gathered into batches.

use super::lines::Record;
use crate::error::RecordsError;
use crate::records::column::{Batch, Column, Rows, Texts};
use crate::records::form::FileForm;
use crate::records::header::{self, Name};
use crate::records::options::{Encoding, ReadOptions};
use crate::records::reject::{RejectReason, RemarkKind};

/// Rows of one batch: large enough that per-batch work does not matter, small enough to stay in cache.
const BATCH_ROWS: usize = 65_536;

/// Among so many lines at the top the header is looked for: reports have a title, a date, and who made them.
const MOST_TITLE_LINES: usize = 30;

/// Looks for the header among the first rows: the first in which every column asked for stands.
pub(in crate::records) struct Header<'a> {
    source: &'a str,
    wanted: &'a [Name<'a>],
    titles: Vec<Vec<String>>,
}

impl<'a> Header<'a> {
    pub(in crate::records) fn new(source: &'a str, wanted: &'a [Name<'a>]) -> Self {
        Self { source, wanted, titles: Vec::new() }
    }

    /// The places of the columns, if this is the header. `None` as long as there may be one to come.
    pub(in crate::records) fn look(&mut self, record: &Record) -> Result<Option<Vec<usize>>, RecordsError> {
        header::check_width(self.source, record.len())?;
        let names: Vec<String> =
            record.cells().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let held: Vec<&str> = names.iter().map(String::as_str).collect();
        match header::places(self.source, &held, self.wanted, "") {
            Ok(places) => Ok(Some(places)),
            Err(RecordsError::NoColumn { .. }) => {
                self.titles.push(names);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(in crate::records) fn is_past(&self) -> bool {
        self.titles.len() >= MOST_TITLE_LINES
    }

    /// That there is none. `form` says how the file was read.
    pub(in crate::records) fn missing(&self, form: &str) -> RecordsError {
        header::missing(self.source, &self.titles, self.wanted, (form, header::Lines::Yes))
    }

    /// How many of the columns asked for the likeliest row has.
    pub(in crate::records) fn found(&self) -> usize {
        header::most_found(&self.titles, self.wanted)
    }
}

/// The rows behind a header, until there are enough for a batch.
pub(in crate::records) struct Gathering<'a> {
    places: Vec<usize>,
    width: usize,
    options: &'a ReadOptions,
    sink: &'a mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    columns: Vec<Texts>,
    lines: Vec<u64>,
    unreadable: Vec<(u64, RejectReason)>,
    remarks: Vec<(RemarkKind, u64)>,
    /// Until the first batch has told it.
    form: Option<FileForm>,
}

impl<'a> Gathering<'a> {
    /// `width`: how many cells the header has.
    pub(in crate::records) fn new(
        (places, width): (Vec<usize>, usize),
        (form, options): (FileForm, &'a ReadOptions),
        sink: &'a mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Self {
        let columns = vec![Texts::default(); places.len()];
        let form = Some(form);
        Self {
            places,
            width,
            options,
            sink,
            columns,
            lines: vec![],
            unreadable: vec![],
            remarks: vec![],
            form,
        }
    }

    /// Takes note of a line that is no row.
    pub(in crate::records) fn refuse(&mut self, line: u64, reason: RejectReason) -> Result<(), RecordsError> {
        self.unreadable.push((line, reason));
        self.hand_over(BATCH_ROWS)
    }

    /// Takes a row.
    pub(in crate::records) fn take(&mut self, record: &Record) -> Result<(), RecordsError> {
        let line = record.line;
        if is_total(record) {
            return self.refuse(line, RejectReason::TotalRow);
        }
        if record.len() != self.width {
            return self.refuse(line, RejectReason::FieldCount);
        }
        if self.options.encoding != Some(Encoding::Windows1252) && self.take_text(record) {
            return self.hand_over(BATCH_ROWS);
        }
        let is_utf8 = self.places.iter().all(|&place| is_utf8(record.cell(place)));
        let encoding = match self.options.encoding {
            Some(Encoding::Windows1252) => Encoding::Windows1252,
            _ if is_utf8 => Encoding::Utf8,
            // UTF-16 was brought to UTF-8 when the file was opened.
            Some(Encoding::Utf8 | Encoding::Utf16) => return self.refuse(line, RejectReason::Encoding),
            None => {
                self.remark(RemarkKind::Windows1252);
                Encoding::Windows1252
            }
        };
        self.push_line(record);
        for (column, &place) in self.columns.iter_mut().zip(&self.places) {
            let cell = record.cell(place);
            if encoding == Encoding::Windows1252 {
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell);
                column.push(self.options.clean(&text));
            } else {
                column.push(self.options.clean(std::str::from_utf8(cell).unwrap_or_default()));
            }
        }
        self.hand_over(BATCH_ROWS)
    }

    /// Takes a row that is text as a whole, as nearly all are; false where it is not.
    fn take_text(&mut self, record: &Record) -> bool {
        let Some(cells) = record.texts() else { return false };
        if !self.places.iter().all(|&place| cells.at(place).is_some()) {
            return false;
        }
        self.push_line(record);
        for (column, &place) in self.columns.iter_mut().zip(&self.places) {
            column.push(self.options.clean(cells.at(place).unwrap_or_default()));
        }
        true
    }

    fn push_line(&mut self, record: &Record) {
        if record.lines > 1 {
            self.remark(RemarkKind::SeveralLines);
        }
        self.lines.push(record.line);
    }

    /// Hands over what is left; of a table without a row how it was read.
    pub(in crate::records) fn finish(mut self) -> Result<(), RecordsError> {
        let least = usize::from(self.form.is_none());
        self.hand_over(least)
    }

    fn hand_over(&mut self, least: usize) -> Result<(), RecordsError> {
        if self.lines.len() + self.unreadable.len() < least {
            return Ok(());
        }
        let none = vec![Texts::default(); self.places.len()];
        let columns = std::mem::replace(&mut self.columns, none);
        (self.sink)(Batch {
            file: None,
            form: self.form.take(),
            rows: Rows::Lines(std::mem::take(&mut self.lines)),
            columns: columns.into_iter().map(Column::Text).collect(),
            day_zero: None,
            unreadable: std::mem::take(&mut self.unreadable),
            remarks: std::mem::take(&mut self.remarks),
        })
    }

    fn remark(&mut self, kind: RemarkKind) {
        match self.remarks.iter_mut().find(|held| held.0 == kind) {
            Some(held) => held.1 += 1,
            None => self.remarks.push((kind, 1)),
        }
    }
}

fn is_utf8(cell: &[u8]) -> bool {
    cell.is_ascii() || std::str::from_utf8(cell).is_ok()
}

/// Whether the row sums up the others: its first cell that is not empty says so.
fn is_total(record: &Record) -> bool {
    let first = record.cells().map(<[u8]>::trim_ascii).find(|cell| !cell.is_empty()).unwrap_or_default();
    let word = first.strip_suffix(b":").unwrap_or(first);
    matches!(word.first(), Some(b't' | b'T' | b'g' | b'G' | b's' | b'S'))
        && ["total", "totals", "grand total", "sub total", "subtotal", "sub-total"]
            .iter()
            .any(|total| word.eq_ignore_ascii_case(total.as_bytes()))
}
