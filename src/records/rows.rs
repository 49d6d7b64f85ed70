//! Rows that a program has as structs of its own.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::column::{Batch, Column, Rows, Texts};
use super::form::FileForm;
use super::header::{self, Name};
use super::options::ReadOptions;
use crate::error::RecordsError;

/// Rows as columns of text, in the order of their names.
pub(super) struct RowTable {
    height: usize,
    columns: BTreeMap<String, Vec<Option<String>>>,
}

/// A table of so many cells may be as empty as it likes; a larger one has at most so many gaps for each cell that is given.
const FULL: usize = 100_000;
const GAPS: usize = 16;

/// Rows validated at a time: few enough that what is made of them stays in the cache.
const BATCH_ROWS: usize = 1 << 15;

impl RowTable {
    /// What rows say; `None` where there is no row.
    pub(super) fn of<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<Option<Self>, String> {
        let mut columns: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        let (mut height, mut given) = (0_usize, 0_usize);
        for row in rows {
            let nth = height + 1;
            let wrong = |why: &str| format!("row {nth}: {why}");
            // The text of serde's error may hold a value.
            let Ok(Value::Object(fields)) = serde_json::to_value(row) else {
                return Err(wrong("it is not made of named fields"));
            };
            given += fields.len();
            for (name, value) in fields {
                let cell = match value {
                    Value::Null => None,
                    Value::String(text) => Some(text),
                    Value::Bool(is_so) => Some(is_so.to_string()),
                    Value::Number(number) => Some(number.to_string()),
                    Value::Array(_) | Value::Object(_) => {
                        return Err(wrong("a field holds several values; give each a field of its own"));
                    }
                };
                let column = columns.entry(name).or_default();
                column.resize(height, None);
                column.push(cell);
            }
            height += 1;
            // Rows that have hardly a field in common would make a table of nearly nothing but gaps.
            if columns.len() * height > FULL + GAPS * given {
                return Err(wrong(
                    "the rows have hardly a field in common with each other; they are not of one table",
                ));
            }
        }
        for cells in columns.values_mut() {
            cells.resize(height, None);
        }
        Ok((height > 0).then_some(Self { height, columns }))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// Hands the `wanted` columns over, some rows at a time, as those of a frame are.
    pub(super) fn batches(
        &self,
        source: &str,
        wanted: &[Name<'_>],
        options: &ReadOptions,
        sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        let names: Vec<&str> = self.names().collect();
        let cells: Vec<&Vec<Option<String>>> = self.columns.values().collect();
        let places = header::places(source, &names, wanted, "a frame")?;
        for start in (0..self.height).step_by(BATCH_ROWS) {
            let rows = start..self.height.min(start + BATCH_ROWS);
            let column = |&place: &usize| {
                let mut texts = Texts::default();
                for cell in &cells[place][rows.clone()] {
                    texts.push(options.clean(cell.as_deref().unwrap_or_default()));
                }
                Column::Text(texts)
            };
            sink(Batch {
                file: None,
                form: Some(FileForm::plain("a frame")),
                rows: Rows::Run { first: start as u64 + 1, len: rows.len() },
                columns: places.iter().map(column).collect(),
                day_zero: None,
                unreadable: Vec::new(),
                remarks: Vec::new(),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::RowTable;

    #[test]
    fn fields_that_some_rows_lack_are_empty_there() {
        let rows = [json!({ "a": 1, "b": "x" }), json!({ "a": 2.5 }), json!({ "b": null, "c": true })];
        let made = RowTable::of(rows.into_iter()).unwrap().unwrap();
        let column = |name: &str| made.columns[name].clone();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(column("a"), [some("1"), some("2.5"), None]);
        assert_eq!(column("b"), [some("x"), None, None]);
        assert_eq!(column("c"), [None, None, some("true")]);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_number_and_without_a_value() {
        for wrong in [json!({ "a": ["secret"] }), json!("secret"), json!({ "a": { "b": "secret" } })] {
            let told = RowTable::of([json!({ "a": 1 }), wrong].into_iter()).err().unwrap();
            assert!(told.contains("row 2") && !told.contains("secret"), "{told}");
        }
    }
}
