//! Rows that a program has as structs of its own.

use std::collections::BTreeMap;

use polars::error::{PolarsError, PolarsResult};
use polars::frame::DataFrame;
use polars::prelude::{Column, NamedFrom as _, Series};
use serde::Serialize;
use serde_json::Value;

use super::extract::Extract;

impl Extract {
    /// The rows that a program holds as structs of its own: each field a column of its name, `None` an empty cell. What a cell says
    /// is read as a file's would be, by the project's forms of dates and numbers. All are held at once; for what does not fit,
    /// hand over [frames](Self::frames). None at all is a table without a row, whatever its columns.
    ///
    /// A field that is a struct or a list itself is an error where the source is read.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::records::{Extract, Records, SourceMapping};
    /// use earlyhelp::calendar::Day;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Visit {
    ///     child: String,
    ///     number: u32,
    ///     on: Day,
    ///     outcome: Option<&'static str>,
    /// }
    ///
    /// let visits = [
    ///     Visit { child: "p1".into(), number: 1, on: "2024-01-31".parse()?, outcome: Some("seen") },
    ///     Visit { child: "p2".into(), number: 2, on: "2024-02-02".parse()?, outcome: None },
    /// ];
    /// let mapping = SourceMapping::new("visits", "child", "number", "on");
    /// let records = Records::builder().source(mapping, Extract::rows(&visits)).build()?;
    /// assert_eq!(records.people(), 2);
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    pub fn rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        match frame(rows.into_iter()) {
            Ok(None) => Self::frames(Vec::new()),
            Ok(Some(frame)) => Self::frame(frame),
            Err(error) => Self::frames([Err(error)]),
        }
    }

    /// The same where each column has to be one that is read: a misspelt one would be passed over.
    pub(crate) fn whole_rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        match frame(rows.into_iter()) {
            Ok(Some(frame)) => {
                let columns = frame.columns().iter().map(|column| column.name().to_string()).collect();
                Self::frame(frame).whole(columns)
            }
            Ok(None) => Self::frames(Vec::new()),
            Err(error) => Self::frames([Err(error)]),
        }
    }
}

/// A table of so many cells may be as empty as it likes; a larger one has at most so many gaps for each cell that is given.
const FULL: usize = 100_000;
const GAPS: usize = 16;

/// The rows as columns of text; `None` where there is no row.
fn frame<T: Serialize>(rows: impl Iterator<Item = T>) -> PolarsResult<Option<DataFrame>> {
    let mut columns: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    let (mut height, mut given) = (0_usize, 0_usize);
    for row in rows {
        let nth = height + 1;
        let wrong = |why: &str| PolarsError::ComputeError(format!("row {nth}: {why}").into());
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
    let column = |(name, mut cells): (String, Vec<Option<String>>)| {
        cells.resize(height, None);
        Column::from(Series::new(name.as_str().into(), cells))
    };
    if height == 0 {
        return Ok(None);
    }
    DataFrame::new(height, columns.into_iter().map(column).collect()).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::frame;

    #[test]
    fn fields_that_some_rows_lack_are_empty_there() {
        let rows = [json!({ "a": 1, "b": "x" }), json!({ "a": 2.5 }), json!({ "b": null, "c": true })];
        let made = frame(rows.into_iter()).unwrap().unwrap();
        let column = |name: &str| -> Vec<Option<String>> {
            let held = made.column(name).unwrap().str().unwrap();
            held.iter().map(|cell| cell.map(str::to_owned)).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(column("a"), [some("1"), some("2.5"), None]);
        assert_eq!(column("b"), [some("x"), None, None]);
        assert_eq!(column("c"), [None, None, some("true")]);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_number_and_without_a_value() {
        for wrong in [json!({ "a": ["secret"] }), json!("secret"), json!({ "a": { "b": "secret" } })] {
            let told = frame([json!({ "a": 1 }), wrong].into_iter()).unwrap_err().to_string();
            assert!(told.contains("row 2") && !told.contains("secret"), "{told}");
        }
    }
}
