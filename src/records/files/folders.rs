//! Columns that the names of folders give: `year=2024/` (hive partitions).

use std::path::Path;

use crate::error::RecordsError;
use crate::records::column::{Batch, Column};
use crate::records::header::Name;
use crate::records::options::ReadOptions;

/// A folder named `name=value`, in which a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::records) struct Folder {
    pub(in crate::records) name: String,
    /// Empty where the folder says that there is none.
    pub(in crate::records) value: String,
}

/// The folders so named between `root` and the file; of a pattern, those of the whole path. Their values are read as cells are.
pub(in crate::records) fn above(root: &Path, file: &Path, options: &ReadOptions) -> Vec<Folder> {
    let below = file.strip_prefix(root).unwrap_or(file);
    let folders = below.parent().into_iter().flat_map(Path::iter);
    let named = folders.filter_map(|part| part.to_str()?.split_once('='));
    named
        .map(|(name, value)| {
            // What hive writes for an empty value.
            let value = if value == "__HIVE_DEFAULT_PARTITION__" { "" } else { value };
            Folder { name: decoded(name), value: options.clean(&decoded(value)).to_owned() }
        })
        .collect()
}

/// A name without the signs that stand for those that no folder can have: `South%20West`, `a%2Fb`.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = hex.filter(|_| first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

impl Folder {
    /// The place of the column that it gives among those `wanted`; none where the file holds it itself.
    pub(in crate::records) fn column_in(&self, wanted: &[Name<'_>], held: &[String]) -> Option<usize> {
        let place = wanted.iter().position(|name| name.is(&self.name))?;
        (!held.iter().any(|column| wanted[place].is(column))).then_some(place)
    }
}

/// Refuses a file of which two folders say different things.
pub(in crate::records) fn agree(folders: &[Folder], wanted: &[Name<'_>]) -> Result<(), String> {
    for name in wanted {
        let mut said = folders.iter().filter(|folder| name.is(&folder.name));
        let Some(first) = said.next() else { continue };
        if said.any(|other| !is_same(&other.value, &first.value)) {
            return Err(format!(
                "it lies in two folders that give the column {}, and they disagree; rename the one or the other",
                name.column
            ));
        }
    }
    Ok(())
}

/// Whether a cell says what a folder does: the same text, or the same number, written `1` or `01`.
fn is_same(cell: &str, value: &str) -> bool {
    let (cell, value) = (cell.trim(), value.trim());
    let numbers = || Some((cell.parse::<f64>().ok()?, value.parse::<f64>().ok()?));
    #[allow(clippy::float_cmp, reason = "the same number, written 1 or 01")]
    let is_same_number = || numbers().is_some_and(|(cell, value)| cell == value);
    cell == value || is_same_number()
}

/// Refuses a file that says otherwise than the folders it lies in. One that says the same number in other digits is read as
/// the folder has it: `1` in one file and `01` for another would be two codes.
pub(in crate::records) fn check(
    (folders, wanted): (&[Folder], &[Name<'_>]),
    batch: &mut Batch,
) -> Result<(), String> {
    for folder in folders {
        let Some(place) = wanted.iter().position(|name| name.is(&folder.name)) else { continue };
        let cells = &batch.columns[place];
        let rows = if matches!(cells, Column::Constant(_)) { 1 } else { batch.rows.len() };
        let rows = rows.min(batch.rows.len());
        let cell = |row: usize| cells.text(row).unwrap_or_default();
        if let Some(row) = (0..rows).find(|&row| !is_same(&cell(row), &folder.value)) {
            return Err(format!(
                "its column {} says in row {} otherwise than the folder that it lies in; mend the one or the other",
                wanted[place].column,
                batch.rows.position(row)
            ));
        }
        if (0..rows).any(|row| cell(row).trim() != folder.value.trim()) {
            batch.columns[place] = Column::Constant(Some(folder.value.clone()));
        }
    }
    Ok(())
}

/// Reads a file with the columns that its folders give: by `read`, which is told what to ask the file for, and for whose
/// columns to wait. A column that the file lacks is the folder's.
#[allow(clippy::type_complexity, reason = "a callback, named once")]
pub(in crate::records) fn read(
    (folders, wanted): (&[Folder], &[Name<'_>]),
    failed: &dyn Fn(String) -> RecordsError,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    read: &dyn Fn(&[Name<'_>], &mut dyn FnMut(Batch) -> Result<(), RecordsError>) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    agree(folders, wanted).map_err(failed)?;
    // The places of the columns that folders give.
    let mut given: Vec<(usize, &Folder)> = Vec::new();
    loop {
        let is_given = |place: usize| given.iter().any(|(held, _)| *held == place);
        let asked: Vec<Name<'_>> =
            (0..wanted.len()).filter(|&place| !is_given(place)).map(|place| wanted[place]).collect();
        let done = read(&asked, &mut |mut batch| {
            for (place, folder) in &given {
                let value = Some(folder.value.clone()).filter(|value| !value.is_empty());
                batch.columns.insert(*place, Column::Constant(value));
            }
            check((folders, wanted), &mut batch).map_err(failed)?;
            sink(batch)
        });
        let Err(RecordsError::NoColumn { column, .. }) = &done else { return done };
        let lacking = wanted.iter().position(|name| name.column == column);
        let of = |place: usize| folders.iter().find(|folder| wanted[place].is(&folder.name));
        match lacking.filter(|&place| !is_given(place)).and_then(|place| Some((place, of(place)?))) {
            // In the order of their places, so that each is put in where it belongs.
            Some(more) => {
                given.push(more);
                given.sort_by_key(|(place, _)| *place);
            }
            None => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_their_values_are() {
        let folder = |name: &str, value: &str| Folder { name: name.to_owned(), value: value.to_owned() };
        let options = ReadOptions::default();
        let of = |root: &str, file: &str| above(Path::new(root), Path::new(file), &options);
        assert_eq!(
            of("d/t", "d/t/year=2024/area=South%20West/x=1.csv"),
            [folder("year", "2024"), folder("area", "South West")]
        );
        assert_eq!(of("d/t", "d/t/a=__HIVE_DEFAULT_PARTITION__/f.csv"), [folder("a", "")]);
        assert_eq!(of("d/a=1/**/*.csv", "d/a=1/b=2/f.csv"), [folder("a", "1"), folder("b", "2")]);
        assert_eq!(of("d/a=1/f.csv", "d/a=1/f.csv"), []);
        assert_eq!(of("d", "d/kind=NULL/f.csv"), [folder("kind", "")]);
        // A sign that stands for no other stands as it is.
        assert_eq!(of("d", "d/share=50%/rate=5%zz/f.csv"), [folder("share", "50%"), folder("rate", "5%zz")]);
    }
}
