//! What was found in the tables while they were read: how each file was read, what its cells are, and what its dates are.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::column::Batch;
use super::days::{DateWritten, Plausible, WAYS};
use super::form::FileForm;
use super::reject::RemarkKind;
use super::unmatched::UnmatchedIds;
use crate::calendar::Day;

/// What was found in one table while it was read: a source, `people` or `households`. It holds counts, names of files and
/// columns, and nothing that a row says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableRead {
    /// The source; `people` and `households` count as sources.
    pub source: String,
    /// Its files, in the order of reading; one without a name where the rows are of no file.
    pub files: Vec<FileRead>,
    /// Its mapped columns, each once, in the order of the mapping.
    pub columns: Vec<ColumnRead>,
    /// Rows whose id is not on the list of people, by what may have become of the id.
    pub unmatched: Vec<UnmatchedIds>,
    /// How sure the links to people are, where the mapping names a column of link probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkCertainty>,
}

/// How one file was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileRead {
    /// Its name; `None` where a program or a database handed the rows over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Rows read, rejected ones among them.
    pub read: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// What it turned out to be; `None` where it held no row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<FileForm>,
    /// Rows that are not UTF-8, read as Windows-1252.
    pub windows_1252: u64,
    /// How the dates of each column of dates are written, and how many are.
    pub dates: BTreeMap<String, BTreeMap<DateWritten, u64>>,
}

/// What the cells of one mapped column are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnRead {
    /// The column.
    pub column: String,
    /// Its cells: one for each row that has the columns at all, rejected rows among them.
    pub cells: u64,
    /// Cells with nothing in them, or with a text that stands for nothing.
    pub empty: u64,
    /// Dates by plausibility; empty where the column holds no dates.
    pub dates: BTreeMap<DateClass, u64>,
}

/// Whether a date can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateClass {
    /// It can be.
    Plausible,
    /// There is none.
    Absent,
    /// A text that is no date, or a date that does not exist.
    Unreadable,
    /// The first of January 1900, which systems write where they know none.
    Placeholder,
    /// A year of fewer than four figures, such as 0024.
    YearShort,
    /// Before the first day that can be.
    TooEarly,
    /// After the day on which the extract was made or read.
    AfterExtract,
    /// After 2099.
    FarFuture,
    /// An end that stands for none, such as 9999-12-31.
    OpenEnd,
}

impl DateClass {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Plausible,
        Self::Absent,
        Self::Unreadable,
        Self::Placeholder,
        Self::YearShort,
        Self::TooEarly,
        Self::AfterExtract,
        Self::FarFuture,
        Self::OpenEnd,
    ];

    /// What it means, in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Plausible => "plausible",
            Self::Absent => "empty",
            Self::Unreadable => "no date, or none that exists",
            Self::Placeholder => "1900-01-01, which stands for no date",
            Self::YearShort => "a year of fewer than four figures",
            Self::TooEarly => "too early to be",
            Self::AfterExtract => "after the extract was made",
            Self::FarFuture => "after 2099",
            Self::OpenEnd => "an end that stands for none",
        }
    }

    /// What is wrong with a day outside of what is plausible.
    pub(super) fn implausible(day: i32, plausible: Plausible) -> Self {
        let is = |year, month, of_month| {
            Day::from_ymd(year, month, of_month).is_some_and(|held| held.epoch_days() == day)
        };
        if day > Plausible::DEFAULT.last {
            Self::FarFuture
        } else if day > plausible.last {
            Self::AfterExtract
        } else if is(1900, 1, 1) {
            Self::Placeholder
        } else if Day::from_epoch_days(day).ymd().0 < 1_000 {
            Self::YearShort
        } else {
            Self::TooEarly
        }
    }
}

/// How sure the links of a source's accepted rows to people are. Weaker links than the mapping allows are rejects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkCertainty {
    /// The least probability that the mapping accepts.
    pub minimum: f64,
    /// Accepted rows below each of [`LinkCertainty::LIMITS`], in their order.
    pub below: [u64; 2],
    /// How many people such a row is about.
    pub people_below: [u64; 2],
}

impl LinkCertainty {
    /// What counts as a low certainty: of links at the first limit one in twenty is wrong, at the second one in a hundred.
    pub const LIMITS: [f64; 2] = [0.95, 0.99];
}

/// Links of accepted rows, while a table is read.
#[derive(Debug, Default)]
pub(super) struct LinkTally {
    rows: [u64; 2],
    people: [HashSet<u32>; 2],
}

impl LinkTally {
    pub(super) fn add(&mut self, person: u32, probability: f64) {
        for (place, limit) in LinkCertainty::LIMITS.into_iter().enumerate() {
            if probability < limit {
                self.rows[place] += 1;
                self.people[place].insert(person);
            }
        }
    }

    pub(super) fn close(self, minimum: f64) -> LinkCertainty {
        let people_below = self.people.map(|people| people.len() as u64);
        LinkCertainty { minimum, below: self.rows, people_below }
    }
}

/// The dates of a column: by class, and by the way they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateTally {
    pub(super) classes: [u64; DateClass::ALL.len()],
    pub(super) written: [u64; WAYS],
}

/// What is in a column of one file.
#[derive(Debug, Default)]
struct ColumnTally {
    cells: u64,
    empty: u64,
    dates: Option<DateTally>,
}

/// What is in one file.
#[derive(Debug, Default)]
struct FileTally {
    read: u64,
    form: Option<FileForm>,
    windows_1252: u64,
    columns: BTreeMap<u32, ColumnTally>,
}

/// What is in a table, while it is read.
#[derive(Debug, Default)]
pub(super) struct TableTally {
    files: BTreeMap<Option<u32>, FileTally>,
}

fn add<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

impl TableTally {
    /// Takes note of a batch, and of the dates of its columns.
    pub(super) fn take(&mut self, batch: &Batch, dates: &[(u32, DateTally)]) {
        let rows = batch.rows.len();
        let file = self.files.entry(batch.file).or_default();
        file.read += (rows + batch.unreadable.len()) as u64;
        if batch.form.is_some() {
            file.form.clone_from(&batch.form);
        }
        let remarks = batch.remarks.iter().filter(|(kind, _)| *kind == RemarkKind::Windows1252);
        file.windows_1252 += remarks.map(|(_, rows)| rows).sum::<u64>();
        for (place, cells) in batch.columns.iter().enumerate() {
            let column = file.columns.entry(place as u32).or_default();
            column.cells += rows as u64;
            column.empty += cells.empty(rows);
        }
        for (place, counts) in dates {
            let held = file.columns.entry(*place).or_default().dates.get_or_insert_default();
            add(&mut held.classes, &counts.classes);
            add(&mut held.written, &counts.written);
        }
    }

    /// What is in the table, by the names of its files and columns. `rejected`: rows by file.
    pub(super) fn close(
        self,
        source: &str,
        (files, columns): (&[String], &[&str]),
        rejected: &BTreeMap<Option<u32>, u64>,
        unmatched: Vec<UnmatchedIds>,
    ) -> TableRead {
        let mut of_columns: BTreeMap<u32, (u64, u64, Option<DateTally>)> = BTreeMap::new();
        for (&place, tally) in self.files.values().flat_map(|file| &file.columns) {
            let held = of_columns.entry(place).or_default();
            (held.0, held.1) = (held.0 + tally.cells, held.1 + tally.empty);
            if let Some(dates) = &tally.dates {
                add(&mut held.2.get_or_insert_default().classes, &dates.classes);
            }
        }
        let column = |(place, (cells, empty, dates)): (u32, (u64, u64, Option<DateTally>))| ColumnRead {
            column: columns[place as usize].to_owned(),
            cells,
            empty,
            dates: dates.map(|dates| named(&DateClass::ALL, &dates.classes)).unwrap_or_default(),
        };
        let mut tallies = self.files;
        // A file without a row brings no batch, and stands here all the same.
        for number in 0..files.len() as u32 {
            tallies.entry(Some(number)).or_default();
        }
        let file = |(number, tally): (Option<u32>, FileTally)| FileRead {
            file: number.map(|number| files[number as usize].clone()),
            read: tally.read,
            rejected: rejected.get(&number).copied().unwrap_or_default(),
            form: tally.form,
            windows_1252: tally.windows_1252,
            dates: tally
                .columns
                .into_iter()
                .filter_map(|(place, column)| {
                    let written = named(&DateWritten::ALL, &column.dates?.written);
                    (!written.is_empty()).then(|| (columns[place as usize].to_owned(), written))
                })
                .collect(),
        };
        TableRead {
            source: source.to_owned(),
            files: tallies.into_iter().map(file).collect(),
            columns: of_columns.into_iter().map(column).collect(),
            unmatched,
            links: None,
        }
    }
}

/// The counts above 0 by what they count.
fn named<K: Ord + Copy, const N: usize>(names: &[K; N], counts: &[u64; N]) -> BTreeMap<K, u64> {
    names.iter().copied().zip(counts.iter().copied()).filter(|&(_, count)| count > 0).collect()
}
