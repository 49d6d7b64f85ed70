//! The physical lines of a text, and the records that they make: which line a record begins on is known for each, and
//! no quote that somebody forgot to close swallows the rows behind it.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr_iter, memchr2};

use crate::limits;

/// Over how many lines a quoted cell may run. Notes of a visit have a few paragraphs; a quote that is not closed after a
/// hundred lines was never meant to open a cell.
pub(in crate::records) const MOST_LINES_OF_A_CELL: usize = 100;

/// A text, line by line. A line ends with a line feed, a carriage return, or both.
struct Lines<R> {
    input: R,
    /// The number of the line read last, as an editor shows it.
    line: u64,
    after_return: bool,
    /// Lines that were read ahead and are still to come.
    ahead: VecDeque<(u64, Vec<u8>)>,
}

impl<R: BufRead> Lines<R> {
    /// Puts the next line into `into`, without what ends it, and gives its number; `None` at the end.
    fn next(&mut self, into: &mut Vec<u8>) -> io::Result<Option<u64>> {
        into.clear();
        if let Some((number, line)) = self.ahead.pop_front() {
            *into = line;
            return Ok(Some(number));
        }
        let mut begun = false;
        loop {
            let mut held = self.input.fill_buf()?;
            if self.after_return && !held.is_empty() {
                self.after_return = false;
                if held[0] == b'\n' {
                    self.input.consume(1);
                    held = self.input.fill_buf()?;
                }
            }
            if held.is_empty() {
                self.line += u64::from(begun);
                return Ok(begun.then_some(self.line));
            }
            begun = true;
            if let Some(end) = memchr2(b'\n', b'\r', held) {
                check_length(self.line + 1, into.len() + end)?;
                into.extend_from_slice(&held[..end]);
                self.after_return = held[end] == b'\r';
                self.input.consume(end + 1);
                self.line += 1;
                return Ok(Some(self.line));
            }
            check_length(self.line + 1, into.len() + held.len())?;
            into.extend_from_slice(held);
            let all = held.len();
            self.input.consume(all);
        }
    }
}

/// Refuses a line of so many bytes: what has no ends of lines is no table of text, and would fill the memory.
fn check_length(line: u64, bytes: usize) -> io::Result<()> {
    if bytes <= limits::RECORD_BYTES {
        return Ok(());
    }
    let most = limits::RECORD_BYTES;
    Err(io::Error::other(format!(
        "line {line} has more than {most} bytes, which no record of a table needs; is it text with an end to each line?"
    )))
}

/// The cells of one record.
#[derive(Debug, Default)]
pub(in crate::records) struct Record {
    bytes: Vec<u8>,
    /// Where each cell begins and ends.
    places: Vec<(usize, usize)>,
    /// The line on which it begins.
    pub(in crate::records) line: u64,
    /// Over how many lines it runs.
    pub(in crate::records) lines: usize,
}

impl Record {
    pub(in crate::records) fn len(&self) -> usize {
        self.places.len()
    }

    pub(in crate::records) fn cell(&self, place: usize) -> &[u8] {
        let (start, end) = self.places[place];
        &self.bytes[start..end]
    }

    /// The cells as texts, where the record as a whole is one: looked at once, and not cell by cell.
    pub(in crate::records) fn texts(&self) -> Option<Cells<'_>> {
        std::str::from_utf8(&self.bytes).ok().map(|text| Cells { text, places: &self.places })
    }

    pub(in crate::records) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|place| self.cell(place))
    }

    /// Takes a row of texts, which stands on `line`.
    pub(in crate::records) fn set(&mut self, line: u64, cells: impl Iterator<Item = String>) {
        (self.line, self.lines) = (line, 1);
        self.bytes.clear();
        self.places.clear();
        for cell in cells {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(cell.as_bytes());
            self.places.push((start, self.bytes.len()));
        }
    }

    /// Takes cells that stand one behind the other.
    fn joined(&mut self, bytes: &[u8], ends: &[usize]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.places.clear();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        self.places.extend(starts.zip(ends.iter().copied()));
    }

    /// Takes a line, in which no cell is quoted, for its own, and takes it apart.
    fn split(&mut self, line: &mut Vec<u8>, delimiter: u8) {
        std::mem::swap(&mut self.bytes, line);
        self.places.clear();
        let mut start = 0;
        for end in memchr_iter(delimiter, &self.bytes) {
            self.places.push((start, end));
            start = end + 1;
        }
        self.places.push((start, self.bytes.len()));
    }
}

/// The cells of a record that is text.
#[derive(Clone, Copy)]
pub(in crate::records) struct Cells<'r> {
    text: &'r str,
    places: &'r [(usize, usize)],
}

impl<'r> Cells<'r> {
    /// A cell; `None` where it begins or ends within a sign.
    pub(in crate::records) fn at(self, place: usize) -> Option<&'r str> {
        let (start, end) = self.places[place];
        self.text.get(start..end)
    }
}

/// What comes next in a table of text.
pub(in crate::records) enum Next {
    /// A record, in the reader's `record`.
    Record,
    /// A line on which a quote opens that is not closed where it could be. The lines behind it are read as they stand.
    OpenQuote(u64),
    End,
}

/// The records of a text.
pub(in crate::records) struct Records<R> {
    lines: Lines<R>,
    delimiter: u8,
    quoted: Reader,
    line: Vec<u8>,
    output: Vec<u8>,
    ends: Vec<usize>,
    /// How many cells a record has; none before the header is known.
    width: Option<usize>,
    pub(in crate::records) record: Record,
}

impl<R: BufRead> Records<R> {
    pub(in crate::records) fn new(input: R, delimiter: u8) -> Self {
        Self {
            lines: Lines { input, line: 0, after_return: false, ahead: VecDeque::new() },
            delimiter,
            quoted: ReaderBuilder::new().delimiter(delimiter).build(),
            line: Vec::new(),
            output: vec![0; 1 << 12],
            ends: vec![0; 1 << 6],
            width: None,
            record: Record::default(),
        }
    }

    /// Says how many cells a record has, as the header does.
    pub(in crate::records) fn expect(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// Reads the next record. Empty lines are none.
    pub(in crate::records) fn next(&mut self) -> io::Result<Next> {
        let number = loop {
            match self.lines.next(&mut self.line)? {
                None => return Ok(Next::End),
                Some(_) if self.line.is_empty() => {}
                Some(number) => break number,
            }
        };
        self.record.line = number;
        self.record.lines = 1;
        if memchr(b'"', &self.line).is_none() {
            self.record.split(&mut self.line, self.delimiter);
            return Ok(Next::Record);
        }
        self.quoted.reset();
        let mut place = (0, 0);
        let mut line = std::mem::take(&mut self.line);
        let mut closed = self.feed(&line, &mut place);
        let mut behind: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut bytes = line.len();
        while !closed && behind.len() < MOST_LINES_OF_A_CELL && bytes <= limits::RECORD_BYTES {
            let mut more = Vec::new();
            let Some(number) = self.lines.next(&mut more)? else { break };
            bytes += more.len();
            closed = self.feed(&more, &mut place);
            behind.push((number, more));
        }
        std::mem::swap(&mut self.line, &mut line);
        self.record.lines += behind.len();
        self.record.joined(&self.output[..place.0], &self.ends[..place.1]);
        if closed && (behind.is_empty() || !self.swallows(&behind)) {
            return Ok(Next::Record);
        }
        behind.append(&mut self.lines.ahead.drain(..).collect());
        self.lines.ahead = behind.into();
        Ok(Next::OpenQuote(number))
    }

    /// Hands a line to the parser of quoted cells; says whether the record is complete. `place`: bytes and cells so far.
    fn feed(&mut self, line: &[u8], place: &mut (usize, usize)) -> bool {
        for mut input in [line, b"\n"] {
            while !input.is_empty() {
                let (result, read, written, cells) =
                    self.quoted.read_record(input, &mut self.output[place.0..], &mut self.ends[place.1..]);
                input = &input[read..];
                *place = (place.0 + written, place.1 + cells);
                match result {
                    ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                    ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                    ReadRecordResult::Record => return true,
                    ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                }
            }
        }
        false
    }

    /// Whether a record of several lines holds rows in a cell: it has another number of cells than the header, or a line
    /// within it has as many by itself, the first of them written like the record's own. Where the first cell itself goes over
    /// several lines, that is what its first line holds before a delimiter.
    fn swallows(&self, behind: &[(u64, Vec<u8>)]) -> bool {
        let Some(width) = self.width else { return false };
        if self.record.len() != width {
            return true;
        }
        let own_first = self.line.split(|&byte| byte == self.delimiter).next().unwrap_or_default();
        let own_first: Vec<u8> = own_first.iter().copied().filter(|&byte| byte != b'"').collect();
        // The last line ends the quoted cell and may well hold what comes after it.
        let within = &behind[..behind.len() - 1];
        within.iter().any(|(_, line)| {
            let mut cells = line.split(|&byte| byte == self.delimiter);
            let first = cells.next().unwrap_or_default();
            let is_like_own = has_shape_of(first, self.record.cell(0)) || has_shape_of(first, &own_first);
            width > 1 && cells.count() + 1 == width && is_like_own
        })
    }
}

/// Whether two cells are written alike: letters and digits in runs, in the same order.
fn has_shape_of(a: &[u8], b: &[u8]) -> bool {
    fn shape(cell: &[u8]) -> Vec<u8> {
        let class = |byte: &u8| match byte {
            b'0'..=b'9' => b'9',
            byte if byte.is_ascii_alphabetic() || *byte >= 0x80 => b'a',
            byte => *byte,
        };
        let mut runs: Vec<u8> = cell.iter().map(class).collect();
        runs.dedup();
        runs
    }
    shape(a.trim_ascii()) == shape(b.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, and cells; or the line of an open quote.
    fn read(text: &str, width: usize) -> Vec<(u64, Option<Vec<String>>)> {
        let mut records = Records::new(text.as_bytes(), b',');
        records.expect(width);
        let mut all = Vec::new();
        loop {
            match records.next().unwrap() {
                Next::End => return all,
                Next::OpenQuote(line) => all.push((line, None)),
                Next::Record => {
                    let cells = records.record.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
                    all.push((records.record.line, Some(cells.collect())));
                }
            }
        }
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Option<Vec<String>>) {
        (line, Some(cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn lines_are_numbered_as_an_editor_shows_them() {
        for ending in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "c,d", "\"e\",f", "", "", "g,\"h", "i\"", "j,k"].join(ending);
            assert_eq!(
                read(&text, 2),
                [
                    row(1, &["a", "b"]),
                    row(3, &["c", "d"]),
                    row(4, &["e", "f"]),
                    row(7, &["g", "h\ni"]),
                    row(9, &["j", "k"])
                ],
                "{ending:?}"
            );
        }
    }

    #[test]
    fn cells_are_texts_where_none_is_cut_within_a_sign() {
        let of = |bytes: &[u8]| {
            let mut records = Records::new(bytes, b',');
            assert!(matches!(records.next(), Ok(Next::Record)));
            let cells = records
                .record
                .texts()
                .map(|cells| (0..2).map(|place| cells.at(place).map(str::to_owned)).collect());
            cells.unwrap_or_else(|| vec![None; 2])
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of("Ren\u{e9}e,\u{2713}\n".as_bytes()), [text("Ren\u{e9}e"), text("\u{2713}")]);
        assert_eq!(of("\"Ren\u{e9}e, A\",b\n".as_bytes()), [text("Ren\u{e9}e, A"), text("b")]);
        assert_eq!(of(b"Ren\xe9e,b\n"), [None, None]);
        // The two halves of a sign in two cells, which stand beside each other once the quotes are gone.
        assert_eq!(of(b"\"a\xc3\",\xa9\n"), [None, None]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_its_own_line_and_no_other() {
        let text = "p1,a\np2,\"b\np3,c\np4,d\n";
        assert_eq!(
            read(text, 2),
            [row(1, &["p1", "a"]), (2, None), row(3, &["p3", "c"]), row(4, &["p4", "d"])]
        );
        // Beyond a hundred lines, too, though it is closed at last.
        let long = format!("p1,\"a\n{}p999,z\"\n", "- a line of prose\n".repeat(150));
        let found = read(&long, 2);
        assert_eq!((found[0].clone(), found.len()), ((1, None), 152));
    }

    #[test]
    fn a_quote_that_closes_rows_later_swallows_none_of_them() {
        let text = "p1,x,ok\np2,x,\"said he\np3,x,ok\np4,x,ok\np5,x,was ill\"\np6,x,ok\n";
        let found = read(text, 3);
        assert_eq!(found[1], (2, None));
        assert_eq!(found.iter().filter(|row| row.1.is_some()).count(), 5);
        assert_eq!(found[4], row(5, &["p5", "x", "was ill\""]));
    }

    #[test]
    fn a_quote_that_opens_the_first_cell_swallows_no_row() {
        let text = "H-1,p1,ok\n\"H-2,p2,ok\nH-3,p3,ok\nH-4,p4,ok\n\"H-5,p5,ok\nH-6,p6,ok\n";
        let found = read(text, 3);
        assert_eq!(found.iter().filter(|row| row.1.is_some()).count(), 4, "{found:?}");
        assert_eq!(found.iter().filter(|row| row.1.is_none()).map(|row| row.0).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(found[2], row(3, &["H-3", "p3", "ok"]));
    }

    #[test]
    fn a_note_of_several_lines_is_one_cell() {
        let text = "p1,\"came home,\n\nate, and slept\",x\np2,\"a \"\"b\"\"\",y\n";
        assert_eq!(
            read(text, 3),
            [row(1, &["p1", "came home,\n\nate, and slept", "x"]), row(4, &["p2", "a \"b\"", "y"])]
        );
    }

    /// A text of one line that never ends.
    struct Endless;

    impl io::Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            into.fill(b'x');
            Ok(into.len())
        }
    }

    #[test]
    fn a_line_without_an_end_is_an_error_that_names_it_and_a_quote_over_long_lines_is_open() {
        let input = io::BufReader::new(io::Read::chain(&b"a,b\n1,"[..], Endless));
        let mut records = Records::new(input, b',');
        assert!(matches!(records.next(), Ok(Next::Record)));
        let Err(error) = records.next() else { panic!("it has no end") };
        assert!(error.to_string().starts_with("line 2 has more than"), "{error}");

        let long = "x".repeat(limits::RECORD_BYTES / 2);
        let text = format!("p1,\"a\n{long}\n{long}\n{long}\nz\"\n");
        let found = read(&text, 2);
        assert_eq!((found[0].clone(), found.len()), ((1, None), 5));
    }

    #[test]
    fn long_records_and_many_cells_fit() {
        let cell = "x".repeat(10_000);
        let line = format!("\"{cell}\"{}\n", ",\"\"".repeat(300));
        let found = read(&line, 301);
        let cells = found[0].1.as_ref().unwrap();
        assert_eq!((cells.len(), cells[0].len()), (301, 10_000));
    }
}
