//! Reads lists of codes and look-up tables. They are a project's own, so a row that cannot be used is an error here.

use std::borrow::Cow;

use super::codes::CodeList;
use super::extract::Extract;
use super::lookup::Lookup;
use crate::error::RecordsError;

impl CodeList {
    /// Reads a list from the columns `value` and `meaning` of a table, and `alias` where it has one: other ways in which
    /// the value is written, with `|` between them. A value may have several rows, one for each alias.
    ///
    /// # Errors
    /// [`RecordsError`] where the table cannot be read, a row has no value or no meaning, or one code means two things.
    pub fn read(extract: Extract) -> Result<Self, RecordsError> {
        let label = extract.label("list of codes");
        let mut list = Self::default();
        let extract = extract.without_nulls();
        rows(extract, &label, &["value", "meaning"], &["alias"], &mut |cells| {
            let (Some(value), Some(meaning)) = (&cells[0], &cells[1]) else {
                return Err("it has no value or no meaning".to_owned());
            };
            let aliases = cells.get(2).and_then(Option::as_deref).unwrap_or_default();
            let aliases = aliases.split('|').map(str::trim).filter(|alias| !alias.is_empty());
            for code in std::iter::once(&**value).chain(aliases) {
                if !list.add(code, meaning) {
                    return Err("a code of it stood before and meant something else".to_owned());
                }
            }
            Ok(())
        })?;
        Ok(list)
    }
}

impl Lookup {
    /// Reads a table. `on` names the column of the extract that is looked up, and the table's column that it is looked up
    /// in; `columns` names what the table gives: the name by which the mapping asks for it, and the table's column.
    ///
    /// # Errors
    /// [`RecordsError`] where the table cannot be read, none of its rows has a key, or one key stands twice with different things
    /// behind it.
    pub fn read(extract: Extract, on: [&str; 2], columns: &[(&str, &str)]) -> Result<Self, RecordsError> {
        Self::read_by(extract, &[on], columns)
    }

    /// Reads a table that is looked up by several columns together: each of `on` names one of the extract and the table's that
    /// it is looked up in.
    ///
    /// # Errors
    /// As [`Lookup::read`], and where `on` names no column.
    pub fn read_by(
        extract: Extract,
        on: &[[&str; 2]],
        columns: &[(&str, &str)],
    ) -> Result<Self, RecordsError> {
        let label = extract.label("look-up table");
        if on.is_empty() {
            return Err(RecordsError::Mapping { extract: label, why: "`on` names no column".to_owned() });
        }
        let mut wanted: Vec<&str> = Vec::new();
        let mut place = |column| {
            wanted.iter().position(|held| *held == column).unwrap_or_else(|| {
                wanted.push(column);
                wanted.len() - 1
            })
        };
        let keys: Vec<usize> = on.iter().map(|[_, key]| place(key)).collect();
        let places: Vec<usize> = columns.iter().map(|(_, column)| place(column)).collect();
        let key = on.iter().map(|[_, key]| *key).collect::<Vec<_>>().join(" and ");
        let mut table = Self::new(on.iter().map(|[local, _]| (*local).to_owned()).collect(), columns);
        rows(extract, &label, &wanted, &[], &mut |cells| {
            let held = Self::key(keys.iter().map(|&place| cells[place].clone()));
            // By a part of a key nothing is found, so such a row (a line of a total, a blank one) changes nothing: it is
            // counted, and said with the rows that look up.
            let Some(held) = held else {
                table.without_key += 1;
                return Ok(());
            };
            let behind: Vec<Option<Cow<'_, str>>> =
                places.iter().map(|&place| cells[place].clone()).collect();
            if table.add(&held, &behind) {
                Ok(())
            } else {
                Err(format!("its {key} stood before, with something else behind it"))
            }
        })?;
        if table.is_empty() && table.without_key > 0 {
            return Err(RecordsError::Mapping {
                extract: label,
                why: format!("none of its rows has a {key}"),
            });
        }
        Ok(table)
    }
}

/// Hands over the cells of every row: of the columns that have to be there, and of those that may be. `take` says what is
/// wrong with them.
#[allow(clippy::type_complexity, reason = "a callback, named once")]
fn rows(
    extract: Extract,
    label: &str,
    needed: &[&str],
    optional: &[&str],
    take: &mut dyn FnMut(&[Option<Cow<'_, str>>]) -> Result<(), String>,
) -> Result<(), RecordsError> {
    let mut files = Vec::new();
    let wrong = |row: u64, why: &str| RecordsError::Mapping {
        extract: label.to_owned(),
        why: format!("row {row}: {why}; mend the table"),
    };
    extract.read_with(label, (needed, optional), &mut files, &mut |batch| {
        if let Some(&(row, reason)) = batch.unreadable.first() {
            return Err(wrong(row, reason.words()));
        }
        for row in 0..batch.rows.len() {
            let cells: Vec<_> = batch.columns.iter().map(|column| column.text(row)).collect();
            take(&cells).map_err(|why| wrong(batch.rows.position(row), &why))?;
        }
        Ok(())
    })
}
