//! What stands in files of which nobody has said yet what they are: their tables, and what each column holds.
//!
//! The names are looked for here; the cells come through the reader that a project's extracts come through.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use calamine::Reader as _;
use polars::prelude::PlSmallStr;

use super::column::{Batch, Column, NO_DAY};
use super::date_form::{DateForm, DayZero, DayZeros};
use super::days::{self, Order, OrderFault, Stated};
use super::extract::Extract;
use super::files::lines::{Next, Records};
use super::files::open::{self, Holds, Opened};
use super::files::{blocks, folders, pages, workbook};
use super::header;
use super::lookup::Lookup;
use super::options::{Delimiter, ReadOptions};
use crate::error::RecordsError;
use crate::limits;

/// Rows of one table that are looked into. Which ids two files share, and on which day a file ends, can be told from no
/// smaller part of it; beyond, memory would grow and little would be learnt.
pub(crate) const MOST_ROWS: u64 = 1_000_000;
/// Different texts up to which a column may be a list of codes.
pub(crate) const MOST_VALUES: usize = 60;
/// Lines at the top among which the names stand.
const MOST_TITLE_LINES: usize = 30;

/// A table in a file.
pub(crate) struct Table {
    /// The file, the folder of Parquet files, or the pattern of several files.
    pub(crate) path: PathBuf,
    /// The sheet of a workbook that has several.
    pub(crate) sheet: Option<String>,
    /// Names that stand more than once, and so can mean nothing.
    pub(crate) twice: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<Facts>,
    /// How its dates are read, where that was said.
    pub(crate) dates: Option<DateForm>,
    /// The table that some of its columns are looked up in.
    pub(crate) join: Option<Joined>,
}

/// Another table of the survey, in which columns are looked up.
#[derive(Debug, Clone)]
pub(crate) struct Joined {
    pub(crate) path: PathBuf,
    /// The column that is looked up, and the table's.
    pub(crate) on: [String; 2],
    /// By which name each column is asked for, and the table's.
    pub(crate) columns: Vec<(String, String)>,
}

/// What a column holds. Cells are known by marks and days alone, but for lists of codes.
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) filled: u64,
    /// Cells that are written as a date.
    pub(crate) dates: u64,
    /// Cells that are a number and could be a date: a spreadsheet's, or eight digits.
    pub(crate) serials: u64,
    pub(crate) numbers: u64,
    /// Numbers with decimals.
    pub(crate) fractions: u64,
    /// Cells that begin with a list letter, `a) Male`.
    pub(crate) letters: u64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
    /// The day of each row looked into; [`NO_DAY`] where there is none.
    pub(crate) days: Vec<i32>,
    /// A mark of each row's text: the same for the same text, 0 for none.
    pub(crate) marks: Vec<u64>,
    /// The marks there are, sorted.
    pub(crate) distinct: Vec<u64>,
    /// The texts with how often each stands, where there are few.
    pub(crate) values: Option<BTreeMap<String, u64>>,
    order: Order,
}

crate::opaque_debug!(Table);
crate::opaque_debug!(Facts);

impl Facts {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            filled: 0,
            dates: 0,
            serials: 0,
            numbers: 0,
            fractions: 0,
            letters: 0,
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            days: Vec::new(),
            marks: Vec::new(),
            distinct: Vec::new(),
            values: Some(BTreeMap::new()),
            order: Order::default(),
        }
    }

    /// What is wrong with the order of day and month, if anything.
    pub(crate) fn month_first(&self) -> Option<bool> {
        match self.order.fault() {
            None => None,
            Some(OrderFault::MonthFirst) => Some(true),
            Some(OrderFault::Unclear | OrderFault::Mixed) => Some(false),
        }
    }

    /// The day of a row looked into.
    pub(crate) fn day(&self, row: usize) -> Option<i32> {
        self.days.get(row).copied().filter(|&day| day != NO_DAY)
    }

    fn take(&mut self, column: &Column, row: usize, stated: Option<Stated>) {
        let Some(text) = column.text(row) else {
            self.days.push(NO_DAY);
            self.marks.push(0);
            return;
        };
        let text = text.as_ref();
        self.filled += 1;
        let number = number(text);
        if let Some(number) = number {
            self.numbers += 1;
            self.fractions += u64::from(number.fract() != 0.0);
            self.smallest = self.smallest.min(number);
            self.largest = self.largest.max(number);
        }
        let day = match column {
            Column::Day(days) => Some(days[row]),
            _ => days::read(text, stated, &mut self.order),
        };
        if let Some(day) = day {
            self.dates += u64::from(number.is_none());
            self.serials += u64::from(number.is_some());
            self.days.push(day);
        } else {
            self.days.push(NO_DAY);
        }
        let bytes = text.as_bytes();
        self.letters += u64::from(bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b')');
        self.marks.push(mark(text));
        if let Some(values) = &mut self.values {
            if let Some(count) = values.get_mut(text) {
                *count += 1;
            } else if values.len() < MOST_VALUES {
                values.insert(text.to_owned(), 1);
            } else {
                self.values = None;
            }
        }
    }

    fn close(&mut self) {
        self.distinct = self.marks.iter().copied().filter(|&mark| mark != 0).collect();
        self.distinct.sort_unstable();
        self.distinct.dedup();
    }

    /// The mark of a text.
    pub(crate) fn mark_of(text: &str) -> u64 {
        mark(text)
    }

    /// Whether dates of the column show that the day stands first.
    pub(crate) fn is_day_first(&self) -> bool {
        self.order.is_day_first()
    }

    /// How many of `ids` have one of these texts in this column.
    pub(crate) fn people_with(&self, texts: &[&str], ids: &Self) -> usize {
        let wanted: Vec<u64> = texts.iter().map(|text| mark(text)).collect();
        let rows = self.marks.iter().zip(&ids.marks);
        let mut people: Vec<u64> =
            rows.filter(|(held, _)| wanted.contains(held)).map(|(_, id)| *id).collect();
        people.sort_unstable();
        people.dedup();
        people.len()
    }

    /// The share of this column's different texts that stand in the other column.
    pub(crate) fn share_in(&self, other: &Self) -> f64 {
        let shared = self.distinct.iter().filter(|mark| other.distinct.binary_search(mark).is_ok()).count();
        shared as f64 / self.distinct.len().max(1) as f64
    }
}

/// The same for the same text; never 0.
fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

fn number(text: &str) -> Option<f64> {
    let plain: String = text.chars().filter(|c| !matches!(c, '£' | ',' | '%' | ' ')).collect();
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The tables in a file, or in a folder of Parquet files, with what their columns hold.
pub(crate) fn survey(path: &Path) -> Result<Vec<Table>, RecordsError> {
    let source = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut tables = Vec::new();
    for Head { sheet, names } in headers(&source, path)? {
        let (names, twice) = apart(&names);
        let mut table = Table {
            path: path.to_owned(),
            sheet,
            twice,
            rows: 0,
            columns: names.iter().map(|name| Facts::new(name)).collect(),
            dates: None,
            join: None,
        };
        table.read(&source, Extract::path(path))?;
        tables.push(table);
    }
    Ok(tables)
}

impl Table {
    /// Several files of the same columns as one table.
    pub(crate) fn of_pattern(&self, pattern: &Path) -> Result<Self, RecordsError> {
        Self { path: pattern.to_owned(), ..self.unread() }.again()
    }

    /// The same table, its dates read so.
    pub(crate) fn with_dates(&self, dates: DateForm) -> Result<Self, RecordsError> {
        Self { dates: Some(dates), ..self.unread() }.again()
    }

    /// The same table, with columns of another.
    pub(crate) fn with_join(&self, join: Joined) -> Result<Self, RecordsError> {
        let mut table = self.unread();
        table.columns.extend(join.columns.iter().map(|(name, _)| Facts::new(name)));
        table.join = Some(join);
        table.again()
    }

    /// The same table, of which nothing is known but its names.
    fn unread(&self) -> Self {
        Self {
            path: self.path.clone(),
            sheet: self.sheet.clone(),
            twice: self.twice.clone(),
            rows: 0,
            columns: self.columns.iter().map(|facts| Facts::new(&facts.name)).collect(),
            dates: self.dates.clone(),
            join: self.join.clone(),
        }
    }

    fn again(mut self) -> Result<Self, RecordsError> {
        let source = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned();
        let mut extract = Extract::path(&self.path);
        if let Some(Joined { path, on: [local, key], columns }) = &self.join {
            let columns: Vec<(&str, &str)> =
                columns.iter().map(|(name, column)| (name.as_str(), column.as_str())).collect();
            extract = extract.join(Lookup::read(Extract::path(path), [local, key], &columns)?);
        }
        self.read(&source, extract)?;
        Ok(self)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Facts> {
        self.columns.iter().find(|facts| facts.name == name)
    }

    fn read(&mut self, source: &str, extract: Extract) -> Result<(), RecordsError> {
        let names: Vec<String> = self.columns.iter().map(|facts| facts.name.clone()).collect();
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let dates = self.dates.clone();
        let options = ReadOptions { sheet: self.sheet.clone(), dates, ..ReadOptions::default() };
        let mut order = Order::default();
        extract.options(options).read(source, (&wanted, &[]), &mut Vec::new(), &mut |batch: Batch| {
            let zeros = match (&self.dates, &batch.day_zero) {
                (Some(DateForm::DaysFrom(DayZero::Column(of))), Some(given)) => {
                    Some(DayZeros::read(of, (&given.cells, batch.rows.len()), &mut order))
                }
                _ => None,
            };
            for row in 0..batch.rows.len() {
                self.rows += 1;
                if self.rows > MOST_ROWS {
                    continue;
                }
                for (facts, column) in self.columns.iter_mut().zip(&batch.columns) {
                    facts.take(column, row, zeros.as_ref().map(|zeros| zeros.stated(row)));
                }
            }
            Ok(())
        })?;
        self.columns.iter_mut().for_each(Facts::close);
        Ok(())
    }
}

/// The names that stand once, and those that stand more often. Columns without a name are neither.
fn apart(names: &[String]) -> (Vec<String>, Vec<String>) {
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let count = |name: &String| names.iter().filter(|other| is(other, name)).count();
    let named = names.iter().filter(|name| !name.is_empty());
    let (once, mut twice): (Vec<String>, Vec<String>) = named.cloned().partition(|name| count(name) == 1);
    twice.sort();
    twice.dedup();
    (once, twice)
}

/// The names of a table's columns, and the sheet on which they stand.
struct Head {
    sheet: Option<String>,
    names: Vec<String>,
}

impl Head {
    fn of_file(names: Vec<String>) -> Vec<Self> {
        vec![Self { sheet: None, names }]
    }
}

/// The names of columns, of each sheet that has some.
fn headers(source: &str, path: &Path) -> Result<Vec<Head>, RecordsError> {
    let listed = open::list(source, &[path.to_path_buf()])?;
    let Some(first) = listed.into_iter().next().map(|file| file.path) else { return Ok(Vec::new()) };
    let file = Opened::new(source, &first)?;
    let none = || file.failed("no line at its top looks like the names of columns");
    let mut heads = match file.holds {
        Holds::Text => Ok(Head::of_file(text_names(&file)?.ok_or_else(none)?)),
        Holds::Workbook => sheets(&file),
        Holds::Parquet => {
            let bytes = file.bytes()?;
            let mut reader = pages::reader(&file, &bytes)?;
            let schema = file.decoded(|| reader.schema())?;
            Ok(Head::of_file(schema.iter_names().map(PlSmallStr::to_string).collect()))
        }
        Holds::Arrow => {
            let bytes = file.bytes()?;
            let mut reader = blocks::reader(&file, &bytes)?;
            let schema = file.decoded(|| reader.schema())?;
            Ok(Head::of_file(schema.iter_names().map(PlSmallStr::to_string).collect()))
        }
    }?;
    // Of a file alone the folders above it say nothing that the reader would take.
    for folder in folders::above(path, &first, &ReadOptions::default()) {
        for head in &mut heads {
            if !head.names.iter().any(|name| name.eq_ignore_ascii_case(&folder.name)) {
                head.names.push(folder.name.clone());
            }
        }
    }
    Ok(heads)
}

fn text_names(file: &Opened<'_>) -> Result<Option<Vec<String>>, RecordsError> {
    let lines_of = |delimiter: Delimiter| -> Result<Vec<Vec<String>>, RecordsError> {
        let failed = |error: std::io::Error| file.failed(error);
        let (mut input, _) = file.text(&ReadOptions::default())?;
        if input.fill_buf().map_err(failed)?.starts_with(b"\xef\xbb\xbf") {
            input.consume(3);
        }
        let mut records = Records::new(input, delimiter as u8);
        let mut lines = Vec::new();
        while lines.len() < MOST_TITLE_LINES {
            match records.next().map_err(failed)? {
                Next::End => break,
                Next::OpenQuote(_) => {}
                Next::Record => {
                    let width = records.record.len();
                    if width > limits::COLUMNS {
                        return Err(file.failed(format!("a line at its top has {width} columns")));
                    }
                    let cells = records.record.cells();
                    lines.push(cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect());
                }
            }
        }
        Ok(lines)
    };
    let mut best: (usize, Option<Vec<String>>) = (0, None);
    for delimiter in Delimiter::ALL {
        let lines = lines_of(delimiter)?;
        // Lines of the width of the header: text with commas in it has lines of many widths.
        let names = names_among(&lines);
        let width = names.as_ref().map_or(0, Vec::len);
        let alike = lines.iter().filter(|line| line.len() == width).count() * width.min(50);
        if width > 1 && alike >= best.0 {
            best = (alike, names);
        }
    }
    Ok(best.1)
}

fn sheets(file: &Opened<'_>) -> Result<Vec<Head>, RecordsError> {
    let mut book = workbook::opened(file)?;
    let mut found = Vec::new();
    for name in book.sheet_names() {
        let range = file.decoded(|| workbook::range(&mut book, &name))?;
        let lines: Vec<Vec<String>> = range
            .rows()
            .take(MOST_TITLE_LINES)
            .map(|row| row.iter().map(|cell| workbook::text(cell).trim().to_owned()).collect())
            .collect();
        if let Some(names) = names_among(&lines) {
            found.push(Head { sheet: Some(name), names });
        }
    }
    Ok(found)
}

/// The line that names the columns: the first that is about as wide as the widest, and in which nothing stands twice that
/// looks like a value.
fn names_among(lines: &[Vec<String>]) -> Option<Vec<String>> {
    let filled = |line: &Vec<String>| line.iter().filter(|cell| !cell.is_empty()).count();
    let widest = lines.iter().map(filled).max()?;
    let is_head = |line: &&Vec<String>| {
        let named = filled(line);
        let is_text = |cell: &String| !cell.chars().any(|c| c.is_control() && !c.is_whitespace());
        named >= 2
            && named * 5 >= widest * 3
            && line.iter().all(is_text)
            && !line.iter().any(|cell| header::is_a_value(cell))
    };
    lines.iter().find(is_head).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Table {
        let folder = std::env::temp_dir().join(format!("earlyhelp-survey-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        survey(&path).unwrap().pop().unwrap()
    }

    #[test]
    fn names_are_found_below_titles_and_between_any_delimiter() {
        let text = "Report of contacts; made, by hand\n\nChild ID;Date seen;Note;Note\n7;01/03/2024;a, b;c\n8;13/03/2024;d;e\n";
        let table = table("titles.csv", text);
        let names: Vec<&str> = table.columns.iter().map(|facts| facts.name.as_str()).collect();
        assert_eq!((names, table.rows), (vec!["Child ID", "Date seen"], 2));
        assert_eq!(table.twice, ["Note"]);
        let seen = table.column("Date seen").unwrap();
        assert_eq!((seen.dates, seen.filled, seen.month_first()), (2, 2, None));
        assert!(!format!("{table:?} {seen:?}").contains('7'));
    }

    #[test]
    fn a_file_without_names_is_refused_and_says_nothing_of_what_is_in_it() {
        let path = std::env::temp_dir().join(format!("earlyhelp-nameless-{}.csv", std::process::id()));
        std::fs::write(&path, "10001,2024-03-01\n10002,2024-03-02\n").unwrap();
        let told = survey(&path).unwrap_err().to_string();
        assert!(told.contains("names of columns") && !told.contains("10001"), "{told}");
    }

    #[test]
    fn numbers_are_dates_only_in_doubt() {
        let table = table("serials.csv", "id,on,pounds\na,45382,1.5\nb,45383,2\n");
        let on = table.column("on").unwrap();
        assert_eq!((on.dates, on.serials, on.numbers, on.fractions), (0, 2, 2, 0));
        assert_eq!(table.column("pounds").unwrap().fractions, 1);
    }
}
