//! The list as a table for a spreadsheet, and as data.

use serde::Serialize;

use super::list_page::{Says, says};
use super::table::{Column, Table, Value};
use super::words;
use crate::error::ReportError;
use crate::known_to::IsKnown;
use crate::outputs::json_text;
use crate::review::{ListedCase, ReviewList};
use crate::scoring::Contribution;

/// How many reasons a row has: as many columns as fit on a screen beside the rest. The page and the data
/// have them all.
const REASONS: usize = 5;

/// The list as a table: UTF-8 with a byte-order mark, a line of headings, one row a case.
///
/// The columns: `place` on the list and `rank` in the cohort (from 1), `drawn` (`by rank` or `at
/// random`), `entity`, the others of its `household` that are in the cohort (`; ` between them), whether it is `known_to_a_service` already (`yes`, `no`, `cannot tell`), on how many `lists_in_a_row` it is by the list that this one was held against, what was `decided_last_time`, `band`, the share (0 to 1) of cases *in that band* that had the outcome in the
/// backtest with its 95% interval, the day that a case is `seen_on` where cases have days of their own, in how many of how many refits the case stays on such a list, the five
/// largest reasons, how many features are `absent`, the last day
/// of use, the run and, of a list that is on record, its [witness](crate::review::Witness). The last four are the same in every row: the share with the outcome, with its 95% interval,
/// on the backtest's lists of `tested_length` places, which is this list's length or the next longer one that
/// was measured. Empty where there is no number to give.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it, and signs that are not seen are written out
/// ([`cell`](crate::outputs::cell) says how to have the text back): an id of that kind is joined on [`list_json`]'s.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn list_csv(list: &ReviewList) -> Result<String, ReportError> {
    list_table(list).csv()
}

/// The list, one row a place.
pub(super) fn list_table(list: &ReviewList) -> Table {
    let has_own_days = list.entries().iter().any(|entry| entry.case().has_own_day());
    let mut columns: Vec<Column> = [
        Column::whole("place"),
        Column::whole("rank"),
        Column::new("drawn"),
        Column::new("entity"),
        Column::new("household"),
        Column::new("known_to_a_service"),
        Column::whole("lists_in_a_row"),
        Column::new("decided_last_time"),
        Column::new("band"),
    ]
    .into();
    columns.push(Column::number("rate_observed_in_band").bars());
    columns.extend([Column::number("rate_low"), Column::number("rate_high")]);
    columns.extend(has_own_days.then(|| Column::date("seen_on")));
    columns.extend([Column::whole("kept_in_refits"), Column::whole("refits")]);
    columns.extend((1..=REASONS).map(|nth| Column::new(format!("reason_{nth}"))));
    columns.extend([
        Column::whole("absent"),
        Column::date("expires"),
        Column::new("run_id"),
        Column::new("witness"),
        Column::whole("tested_length"),
    ]);
    columns.extend([
        Column::number("rate_of_such_lists"),
        Column::number("such_lists_low"),
        Column::number("such_lists_high"),
    ]);
    let witness = list.witness().map(ToString::to_string).unwrap_or_default();
    let mut table = Table::new(columns);
    for (nth, entry) in list.entries().iter().enumerate() {
        let mut row = row(nth + 1, entry, has_own_days);
        row.push(Value::text(&witness));
        row.extend(tested(list));
        table.rows.push(row);
    }
    table
}

/// The list as JSON, with everything it holds, ending in one newline. Places count from 1 in the order
/// of `entries`; the scores and contributions in it are log-odds. Under `says` stands what its page says of the list as a whole,
/// in sentences.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn list_json(list: &ReviewList) -> Result<String, ReportError> {
    #[derive(Serialize)]
    struct Document<'a> {
        says: Says<'a>,
        #[serde(flatten)]
        list: &'a ReviewList,
    }
    let document = Document { says: says(list), list };
    json_text(&document).map_err(|error| ReportError::Render(error.to_string()))
}

fn row(place: usize, entry: &ListedCase, has_own_days: bool) -> Vec<Value> {
    let case = entry.case();
    let beside: Vec<&str> = entry.beside().iter().map(|case| case.entity()).collect();
    let mut cells = vec![
        Value::Whole(place as u64),
        Value::whole(case.rank()),
        Value::text(entry.why_listed().words()),
        Value::text(case.entity()),
        Value::text(beside.join("; ")),
        Value::text(case.is_known().map_or("", IsKnown::words)),
        Value::whole(entry.since().map_or(1, |stayed| stayed.times)),
        Value::text(decided_last_time(entry)),
        Value::text(&case.band().name),
    ];
    cells.extend(Value::estimate(Some(&case.band().observed), Value::Share));
    if has_own_days {
        cells.push(Value::Date(case.seen_on().day()));
    }
    let stability = case.stability();
    cells.push(stability.map_or(Value::Empty, |held| Value::whole(held.kept_in)));
    cells.push(stability.map_or(Value::Empty, |held| Value::whole(held.refits)));
    let mut reasons = case.contributions().iter().filter_map(reason);
    cells.extend((0..REASONS).map(|_| reasons.next().map_or(Value::Empty, Value::Text)));
    let audit = case.provenance();
    cells.extend([
        Value::Whole(case.absent().len() as u64),
        Value::Date(audit.expires),
        Value::text(&audit.run_id),
    ]);
    cells
}

/// Step, agreement and reason of the last decision.
fn decided_last_time(entry: &ListedCase) -> String {
    let decided = entry.since().and_then(|stayed| stayed.decided.as_ref());
    decided.map(super::since::decided_in_words).unwrap_or_default()
}

/// What came of the backtest's lists of this length.
fn tested(list: &ReviewList) -> Vec<Value> {
    let found = list.tested();
    let length = found.map_or(Value::Empty, |found| Value::whole(found.cases));
    let rates = Value::estimate(found.map(|found| &found.observed), Value::Share);
    [length].into_iter().chain(rates).collect()
}

/// `2 police incidents in the last year (raises by 0.82)`; nothing where the points
/// round to nothing.
fn reason(part: &Contribution) -> Option<String> {
    let verb = match words::rounds_to(part.log_odds) {
        words::Move::Up => "raises",
        words::Move::Down => "lowers",
        words::Move::None => return None,
    };
    let detail = if part.detail.is_empty() { String::new() } else { format!(": {}", part.detail) };
    Some(format!("{}{detail} ({verb} by {:.2})", part.words.trim_end_matches('.'), part.log_odds.abs()))
}
