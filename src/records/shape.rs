//! What stands between the columns of a file and those that a mapping asks for: names of files, look-up tables, codes.

use super::codes::{CodeList, UnlistedCodes, UnlistedTally};
use super::column::{Batch, Column, DayZeroCells, Texts};
use super::file_name::FilePattern;
use super::lookup::Lookup;
use super::reject::RemarkKind;
use crate::error::RecordsError;

/// The column, as rejects name it, of the day on which a file's rows became known.
pub(super) const KNOWN_OF_FILE: &str = "name of the file (known)";
/// The column, as rejects name it, of the kind of a file's rows.
pub(super) const KIND_OF_FILE: &str = "name of the file (kind)";

/// How an extract's columns come about, where they are not simply those of its files.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// By [`KNOWN_OF_FILE`] or [`KIND_OF_FILE`].
    pub(super) of_file: Vec<(&'static str, FilePattern)>,
    pub(super) lookups: Vec<Lookup>,
    /// By column.
    pub(super) codes: Vec<(String, CodeList)>,
}

impl Shape {
    /// Tells all that it makes columns of.
    pub(super) fn fingerprint(&self, tell: &mut dyn FnMut(&str)) {
        tell(&format!("{:?}", self.of_file));
        for (column, list) in &self.codes {
            tell(column);
            list.fingerprint(tell);
        }
        self.lookups.iter().for_each(|table| table.fingerprint(tell));
    }

    pub(super) fn is_plain(&self) -> bool {
        self.of_file.is_empty() && self.lookups.is_empty() && self.codes.is_empty()
    }
}

/// Where a column that is asked for comes from.
enum From {
    /// The column in this place of those asked of the file.
    File(usize),
    /// What its name says, in this place.
    Name(usize),
    /// This look-up table's column in this place.
    Lookup(usize, usize),
}

/// A shape at work on one extract.
pub(super) struct Shaping<'a> {
    source: &'a str,
    shape: &'a Shape,
    /// The columns to ask files for.
    asked: Vec<&'a str>,
    from: Vec<From>,
    /// For each look-up table the places of its keys among the columns asked for.
    keys: Vec<Vec<usize>>,
    /// Where the column of days 0 comes from, and its place among those wanted.
    day_zero: Option<(From, Option<u32>)>,
    /// For each list of codes the place of its column among those wanted, and what is not on it.
    coded: Vec<(usize, UnlistedTally)>,
    /// What the name of the file at hand says.
    said: Vec<Column>,
    /// Whether rows came already: what is to be said of a look-up table is said once.
    is_begun: bool,
}

impl<'a> Shaping<'a> {
    /// `day_zero`: the column that gives day 0 of the rows, if one does.
    pub(super) fn new(
        source: &'a str,
        wanted: &[&'a str],
        (shape, day_zero): (&'a Shape, Option<&'a str>),
    ) -> Result<Self, RecordsError> {
        let wrong = |why: String| RecordsError::Mapping { extract: source.to_owned(), why };
        let is_wanted = |column: &str| wanted.contains(&column) || day_zero == Some(column);
        for (column, _) in shape.lookups.iter().flat_map(|table| &table.columns) {
            if !is_wanted(column) {
                return Err(wrong(format!(
                    "a look-up table gives \"{column}\", and no key of `columns` asks for it"
                )));
            }
            if shape
                .lookups
                .iter()
                .flat_map(|table| &table.columns)
                .filter(|(held, _)| held == column)
                .count()
                > 1
            {
                return Err(wrong(format!(
                    "two look-up tables give \"{column}\"; leave one out, or rename it"
                )));
            }
        }
        let mut asked: Vec<&str> = Vec::new();
        let mut from = Vec::new();
        let place_in = |asked: &mut Vec<&'a str>, column: &'a str| {
            asked.iter().position(|held| *held == column).unwrap_or_else(|| {
                asked.push(column);
                asked.len() - 1
            })
        };
        let come = |asked: &mut Vec<&'a str>, column: &'a str| {
            let looked_up = shape.lookups.iter().enumerate().find_map(|(table, lookup)| {
                lookup.columns.iter().position(|(name, _)| name == column).map(|place| (table, place))
            });
            match (shape.of_file.iter().position(|(name, _)| *name == column), looked_up) {
                (Some(place), _) => From::Name(place),
                (None, Some((table, place))) => From::Lookup(table, place),
                (None, None) => From::File(place_in(asked, column)),
            }
        };
        for &column in wanted {
            from.push(come(&mut asked, column));
        }
        let day_zero = day_zero.map(|column| {
            let place = wanted.iter().position(|held| *held == column).map(|place| place as u32);
            (come(&mut asked, column), place)
        });
        let keys = shape
            .lookups
            .iter()
            .map(|table| table.on.iter().map(|column| place_in(&mut asked, column)).collect())
            .collect();
        let mut coded: Vec<(usize, UnlistedTally)> = Vec::new();
        for (column, _) in &shape.codes {
            let Some(place) = wanted.iter().position(|held| held == column) else {
                return Err(wrong(format!(
                    "codes are given for \"{column}\", and no key of `columns` asks for it"
                )));
            };
            if coded.iter().any(|(held, _)| *held == place) {
                return Err(wrong(format!("two lists of codes are given for \"{column}\"")));
            }
            coded.push((place, UnlistedTally::default()));
        }
        Ok(Self { source, shape, asked, from, keys, day_zero, coded, said: Vec::new(), is_begun: false })
    }

    /// The columns to ask files for.
    pub(super) fn asked(&self) -> &[&'a str] {
        &self.asked
    }

    /// Refuses files whose names do not say what is asked of them, before any is read.
    pub(super) fn check<'n>(&mut self, files: impl Iterator<Item = &'n str>) -> Result<(), RecordsError> {
        files.into_iter().try_for_each(|file| self.begin(file))
    }

    /// Begins with a file.
    pub(super) fn begin(&mut self, file: &str) -> Result<(), RecordsError> {
        let say = |(column, pattern): &(&str, FilePattern)| {
            Ok(if *column == KNOWN_OF_FILE {
                Column::Day(vec![pattern.day(file)?.epoch_days()])
            } else {
                Column::Constant(Some(pattern.kind(file)?))
            })
        };
        let said = self.shape.of_file.iter().map(say).collect::<Result<_, RecordsError>>();
        self.said = said
            .map_err(|why| RecordsError::Mapping { extract: self.source.to_owned(), why: why.to_string() })?;
        Ok(())
    }

    /// Makes the columns that are wanted of those that were asked for.
    pub(super) fn make(&mut self, batch: &mut Batch) {
        let rows = batch.rows.len();
        let mut joined: Vec<Vec<Texts>> = Vec::new();
        for (table, keys) in self.shape.lookups.iter().zip(&self.keys) {
            let keys: Vec<&Column> = keys.iter().map(|&key| &batch.columns[key]).collect();
            let (columns, lost) = look_up(table, &keys, rows);
            joined.push(columns);
            let said = [
                (RemarkKind::NotInLookup, lost.keys),
                (RemarkKind::KeySpeltOtherwise, lost.spelt_otherwise),
                (RemarkKind::KeyMissingInLookup, if self.is_begun { 0 } else { table.without_key }),
            ];
            batch.remarks.extend(said.into_iter().filter(|(_, rows)| *rows > 0));
        }
        self.is_begun = true;
        batch.day_zero = self.day_zero.as_ref().map(|(from, place)| {
            let cells = match from {
                From::File(place) => batch.columns[*place].clone(),
                From::Name(place) => self.said[*place].clone(),
                From::Lookup(table, place) => Column::Text(joined[*table][*place].clone()),
            };
            DayZeroCells { cells, place: *place }
        });
        let mut held: Vec<Option<Column>> =
            std::mem::take(&mut batch.columns).into_iter().map(Some).collect();
        batch.columns = self
            .from
            .iter()
            .map(|from| match from {
                // Each is wanted once.
                From::File(place) => held[*place].take().unwrap_or(Column::Constant(None)),
                From::Name(place) => match &self.said[*place] {
                    Column::Day(days) => Column::Day(vec![days[0]; rows]),
                    text => text.clone(),
                },
                From::Lookup(table, place) => Column::Text(std::mem::take(&mut joined[*table][*place])),
            })
            .collect();
        for ((_, list), (place, tally)) in self.shape.codes.iter().zip(&mut self.coded) {
            let column = &mut batch.columns[*place];
            let (texts, unlisted) = translate(list, column, rows, tally);
            *column = Column::Text(texts);
            if unlisted > 0 {
                batch.remarks.push((RemarkKind::Unlisted, unlisted));
            }
        }
    }

    /// What was not on a list of codes.
    pub(super) fn unlisted(self) -> Vec<UnlistedCodes> {
        let close = |((column, _), (_, tally)): (&(String, CodeList), (usize, UnlistedTally))| {
            tally.close(self.source, column)
        };
        self.shape.codes.iter().zip(self.coded).filter_map(close).collect()
    }
}

/// Rows whose key a table does not know.
#[derive(Default)]
struct Lost {
    keys: u64,
    /// Those of which it knows another spelling.
    spelt_otherwise: u64,
}

/// The columns that a table gives for the keys in columns, and how many rows have no key that it knows.
fn look_up(table: &Lookup, keys: &[&Column], rows: usize) -> (Vec<Texts>, Lost) {
    let mut columns = vec![Texts::default(); table.columns.len()];
    let mut lost = Lost::default();
    for row in 0..rows {
        let key = Lookup::key(keys.iter().map(|cells| cells.text(row)));
        let found = key.as_deref().and_then(|key| table.find(key.trim()));
        if found.is_none() {
            lost.keys += 1;
            lost.spelt_otherwise += u64::from(key.is_some_and(|key| table.is_spelt_otherwise(key.trim())));
        }
        for (place, column) in columns.iter_mut().enumerate() {
            column.push(found.map_or("", |cells| &cells[place]));
        }
    }
    (columns, lost)
}

/// What the codes of a column mean, and how many rows have one that is not on the list.
fn translate(list: &CodeList, column: &Column, rows: usize, tally: &mut UnlistedTally) -> (Texts, u64) {
    let mut texts = Texts::default();
    let mut unlisted = 0;
    for row in 0..rows {
        let cell = column.text(row).unwrap_or_default();
        match list.meaning(&cell) {
            _ if cell.is_empty() => texts.push(""),
            Some(meaning) => texts.push(meaning),
            None => {
                unlisted += 1;
                tally.add(&cell);
                texts.push(if list.keeps_unlisted() { &cell } else { "" });
            }
        }
    }
    (texts, unlisted)
}
