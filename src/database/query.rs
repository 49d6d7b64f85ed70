//! The rows of one query.

use std::io::BufRead as _;
use std::sync::Arc;

use super::moment::{Moment, ResultColumn};
use super::saying::{said_of_rows, said_of_stream};
use crate::limits;

/// A query, to be asked of a database as it stood at one moment.
#[derive(Clone)]
pub(crate) struct Query {
    moment: Arc<Moment>,
    text: String,
    columns: Vec<ResultColumn>,
}

/// The cells of one row, one behind the other. One that is NULL is empty.
#[derive(Default)]
pub(crate) struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Query {
    /// A query that was named when the moment began.
    pub(crate) fn of(moment: &Arc<Moment>, text: &str) -> Result<Self, String> {
        let columns = moment.columns(text)?;
        Ok(Self { moment: Arc::clone(moment), text: text.to_owned(), columns })
    }

    pub(crate) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// Asks it, and hands each row over as it comes; `failed` makes an error of what went wrong.
    ///
    /// In the form of text of COPY: of CSV, a row of one column that is NULL is an empty line, and a reader passes over those.
    pub(crate) fn rows<E>(
        &self,
        failed: impl Fn(String) -> E,
        take: &mut dyn FnMut(&Cells) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut client = self.moment.connect().map_err(&failed)?;
        let cancel = client.cancel_token();
        // By itself it was read as one statement, so its brackets are closed and it ends none but its own; a remark at its end
        // ends with its line.
        let query = self.text.trim_end().trim_end_matches(|sign: char| sign == ';' || sign.is_whitespace());
        let mut rows = client
            .copy_out(&format!("COPY (\n{query}\n) TO STDOUT"))
            .map_err(|error| failed(said_of_rows(&error)))?;
        let (mut line, mut cells) = (Vec::new(), Cells::default());
        loop {
            line.clear();
            let broken =
                |error: &std::io::Error| failed(format!("its rows broke off: {}", said_of_stream(error)));
            rows.read_until(b'\n', &mut line).map_err(|error| broken(&error))?;
            if line.is_empty() {
                break;
            }
            let taken = match self.cells(&line, &mut cells) {
                Ok(()) => take(&cells),
                Err(why) => Err(failed(why.to_owned())),
            };
            if taken.is_err() {
                // The rest of a large table is not waited for.
                self.moment.cancel(&cancel);
                return taken;
            }
        }
        drop(rows);
        client.batch_execute("COMMIT").map_err(|error| failed(said_of_rows(&error)))
    }

    fn cells(&self, line: &[u8], cells: &mut Cells) -> Result<(), &'static str> {
        if line.len() > limits::RECORD_BYTES {
            return Err("one of its rows has more than 16 MiB; leave out what no mapping reads");
        }
        let line = line.strip_suffix(b"\n").ok_or("its last row is not whole; run the same again")?;
        cells.read(std::str::from_utf8(line).map_err(|_| "a row is no UTF-8")?);
        if cells.ends.len() == self.columns.len() {
            Ok(())
        } else {
            Err("a row has another number of cells than the result has columns")
        }
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").finish_non_exhaustive()
    }
}

impl Cells {
    pub(crate) fn at(&self, place: usize) -> &str {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.text[start..self.ends[place]]
    }

    /// Reads a line of COPY's text: cells stand between tabs, `\N` is NULL, and a backslash stands before what would be
    /// taken for something else.
    fn read(&mut self, line: &str) {
        self.text.clear();
        self.ends.clear();
        for cell in line.split('\t') {
            if cell != "\\N" {
                self.push(cell);
            }
            self.ends.push(self.text.len());
        }
    }

    fn push(&mut self, cell: &str) {
        let mut rest = cell;
        while let Some((before, behind)) = rest.split_once('\\') {
            self.text.push_str(before);
            let mut signs = behind.chars();
            self.text.extend(signs.next().map(|sign| match sign {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                itself => itself,
            }));
            rest = signs.as_str();
        }
        self.text.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn a_line_is_read_as_the_server_wrote_it() {
        let mut cells = Cells::default();
        for (line, expected) in [
            ("a\tb", &["a", "b"][..]),
            ("\\N", &[""]),
            ("", &[""]),
            ("\\N\t\\\\N\t", &["", "\\N", ""]),
            ("a\\tb\\nc\\\\n\td\\re\\\\", &["a\tb\nc\\n", "d\re\\"]),
            ("é\\b\\f\\v", &["é\u{8}\u{c}\u{b}"]),
            ("\"q\",\"r\"", &["\"q\",\"r\""]),
        ] {
            cells.read(line);
            let read: Vec<&str> = (0..cells.ends.len()).map(|place| cells.at(place)).collect();
            assert_eq!(read, expected, "{line}");
        }
    }
}
