//! Rows that a program has as structs of its own.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::column::{Batch, Column, Rows, Texts};
use super::form::FileForm;
use super::header::{self, Name};
use super::options::ReadOptions;
use crate::error::RecordsError;

/// Rows as columns, in the order of their names.
pub(super) struct RowTable {
    height: usize,
    columns: BTreeMap<String, Vec<Value>>,
}

/// A table of so many cells may be as empty as it likes; a larger one has at most so many gaps for each cell that is given.
const FULL: usize = 100_000;
const GAPS: usize = 16;

/// Rows validated at a time: few enough that what is made of them stays in the cache.
const BATCH_ROWS: usize = 1 << 15;

impl RowTable {
    /// What rows say; `None` where there is no row.
    pub(super) fn of<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<Option<Self>, String> {
        let mut columns: BTreeMap<String, Vec<Value>> = BTreeMap::new();
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
                if value.is_array() || value.is_object() {
                    return Err(wrong("a field holds several values; give each a field of its own"));
                }
                let column = columns.entry(name).or_default();
                column.resize(height, Value::Null);
                column.push(value);
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
            cells.resize(height, Value::Null);
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
        let cells: Vec<&Vec<Value>> = self.columns.values().collect();
        let places = header::places(source, &names, wanted, "a frame")?;
        for start in (0..self.height).step_by(BATCH_ROWS) {
            let rows = start..self.height.min(start + BATCH_ROWS);
            let column = |&place: &usize| column(&cells[place][rows.clone()], options);
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

/// Numbers with a fraction are numbers, however a project writes them in its texts; all else is read as text is.
fn column(cells: &[Value], options: &ReadOptions) -> Column {
    let given = || cells.iter().filter(|cell| !cell.is_null());
    if given().any(Value::is_f64) && given().all(Value::is_number) {
        let number = |cell: &Value| {
            let is_null = |number: &f64| options.clean(&number.to_string()).is_empty();
            cell.as_f64().filter(|number| !is_null(number)).unwrap_or(f64::NAN)
        };
        return Column::Number(cells.iter().map(number).collect());
    }
    let mut texts = Texts::default();
    for cell in cells {
        match cell {
            Value::Null => texts.push(""),
            Value::String(text) => texts.push(options.clean(text)),
            other => texts.push(options.clean(&other.to_string())),
        }
    }
    Column::Text(texts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ReadOptions, RowTable, Value};
    use crate::records::Decimal;

    #[test]
    fn fields_that_some_rows_lack_are_empty_there() {
        let rows = [json!({ "a": 1, "b": "x" }), json!({ "a": 2.5 }), json!({ "b": null, "c": true })];
        let made = RowTable::of(rows.into_iter()).unwrap().unwrap();
        assert_eq!(made.columns["a"], [json!(1), json!(2.5), json!(null)]);
        assert_eq!(made.columns["b"], [json!("x"), json!(null), json!(null)]);
        assert_eq!(made.columns["c"], [json!(null), json!(null), json!(true)]);
    }

    #[test]
    fn a_number_is_one_whatever_the_form_of_texts() {
        let options = ReadOptions {
            decimal: Decimal::Comma,
            nulls: vec!["-999".to_owned(), "none".to_owned()],
            ..ReadOptions::default()
        };
        let texts = |cells: &[Value]| -> Vec<String> {
            let column = super::column(cells, &options);
            (0..cells.len()).map(|row| column.text(row).unwrap_or_default().into_owned()).collect()
        };
        let numbers = [json!(1.204), json!(-999), json!(12), json!(null), json!(-999.0)];
        assert_eq!(texts(&numbers), ["1.204", "", "12", "", ""]);
        assert_eq!(
            texts(&[json!(18_446_744_073_709_551_615_u64), json!(-999)]),
            ["18446744073709551615", ""]
        );
        assert_eq!(texts(&[json!(" x "), json!("none"), json!(true), json!(2)]), ["x", "", "true", "2"]);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_number_and_without_a_value() {
        for wrong in [json!({ "a": ["secret"] }), json!("secret"), json!({ "a": { "b": "secret" } })] {
            let told = RowTable::of([json!({ "a": 1 }), wrong].into_iter()).err().unwrap();
            assert!(told.contains("row 2") && !told.contains("secret"), "{told}");
        }
    }
}
