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
    /// [`RecordsError`] where the table cannot be read, a row has no key, or one key stands twice with different things
    /// behind it.
    pub fn read(extract: Extract, on: [&str; 2], columns: &[(&str, &str)]) -> Result<Self, RecordsError> {
        let label = extract.label("look-up table");
        let [local, key] = on;
        let mut wanted = vec![key];
        let mut places = Vec::new();
        for (_, column) in columns {
            let held = wanted.iter().position(|held| held == column);
            places.push(held.unwrap_or_else(|| {
                wanted.push(column);
                wanted.len() - 1
            }));
        }
        let mut table = Self::new(local, columns);
        rows(extract, &label, &wanted, &[], &mut |cells| {
            let Some(held) = &cells[0] else { return Err(format!("it has no {key}")) };
            let behind: Vec<Option<Cow<'_, str>>> =
                places.iter().map(|&place| cells[place].clone()).collect();
            if table.add(held, &behind) {
                Ok(())
            } else {
                Err(format!("its {key} stood before, with something else behind it"))
            }
        })?;
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
