//! Rejected rows as a workbook.

use super::super::table::{Table, Value};
use super::super::workbook::{Head, Note, Sheet, fixed_day, workbook};
use crate::error::ReportError;
use crate::project::Checked;

/// Every rejected row as an Excel workbook: what [`Checked::rejects_csv`] says, and how many there are of each reason. No value of
/// a row is in it. The file's day of creation is the same for every workbook, since the library knows no day.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
pub fn rejects_xlsx(checked: &Checked<'_>) -> Result<Vec<u8>, ReportError> {
    let title = "Rejected rows";
    let mut rows = Table::named(Checked::REJECT_COLUMNS);
    let mut counts: Vec<((&str, &str, &str), u64)> = Vec::new();
    for reject in checked.rejects() {
        let (file, column) = (reject.file.as_deref(), reject.column.as_deref().unwrap_or_default());
        rows.rows.push(vec![
            Value::text(&reject.source),
            Value::text(file.unwrap_or_default()),
            Value::Whole(reject.row),
            Value::text(column),
            Value::text(reject.reason.code()),
            Value::text(reject.pattern.as_ref().map(ToString::to_string).unwrap_or_default()),
        ]);
        let key = (reject.source.as_str(), column, reject.reason.words());
        match counts.iter_mut().find(|(held, _)| *held == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
    let mut reasons = Table::named(["source", "column", "why", "rows"]);
    reasons.columns[3].bars = true;
    reasons.rows = counts
        .into_iter()
        .map(|((source, column, why), count)| {
            vec![Value::text(source), Value::text(column), Value::text(why), Value::Whole(count)]
        })
        .collect();
    let notes = [
        Note::Title(title.to_owned()),
        Note::Line("Rows of the extracts that were not used, and why: to be mended where they come from.".into()),
        Note::Line(
            "A row is named by its place in the file, and a cell by what it looks like. No value is here, and nobody can be told \
             by it."
                .into(),
        ),
        Note::fact("Rows", super::super::words::count(rows.rows.len() as u64)),
        Note::fact("Row", "In a CSV the line on which the row begins (the header is line 1); otherwise the row, from 1."),
    ];
    let sheet = |name: &str, table| Sheet { name: name.to_owned(), table };
    workbook(
        &Head { title, made: fixed_day(), printed: "" },
        &notes,
        &[sheet("Reasons", reasons), sheet("Rejects", rows)],
    )
}
