//! Rows of a query in a database, brought to the same columns as those of CSV.

use crate::database::Query;
use crate::error::RecordsError;
use crate::records::column::{Batch, Column, Rows, Texts};
use crate::records::form::FileForm;
use crate::records::header::{self, Name};
use crate::records::options::ReadOptions;

/// Rows validated at a time, as those of files are.
const BATCH_ROWS: usize = 1 << 15;

/// Reads the `wanted` columns of a query's result in batches. Rows are counted as they come.
pub(in crate::records) fn read(
    (source, query): (&str, &Query),
    wanted: &[Name<'_>],
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let failed = |why: String| RecordsError::Query { extract: source.to_owned(), why };
    let columns = query.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let places = header::places(source, &names, wanted, "the result of a query")?;
    if let Some(why) = places.iter().find_map(|&place| columns[place].unusable.clone()) {
        return Err(failed(why));
    }
    let mut texts = vec![Texts::default(); places.len()];
    let (mut first, mut len) = (1, 0);
    let mut hand_over = |texts: Vec<Texts>, (first, len): (u64, usize)| {
        sink(Batch {
            file: None,
            form: Some(FileForm::plain("query")),
            rows: Rows::Run { first, len },
            columns: texts.into_iter().map(Column::Text).collect(),
            day_zero: None,
            unreadable: Vec::new(),
            remarks: Vec::new(),
        })
    };
    query.rows(failed, &mut |cells| {
        for (texts, &place) in texts.iter_mut().zip(&places) {
            texts.push(options.clean(cells.at(place)));
        }
        len += 1;
        if len == BATCH_ROWS {
            let none = vec![Texts::default(); places.len()];
            hand_over(std::mem::replace(&mut texts, none), (first, len))?;
            (first, len) = (first + len as u64, 0);
        }
        Ok(())
    })?;
    // Of a table without a row, too, it is told how it was read.
    if len > 0 || first == 1 { hand_over(texts, (first, len)) } else { Ok(()) }
}
