//! The list as a table for a spreadsheet, and as data.

use super::words;
use crate::error::ReportError;
use crate::evaluate::Estimate;
use crate::known_to::IsKnown;
use crate::outputs::{cell, json_text};
use crate::review::{ListedCase, ReviewList};
use crate::scoring::{Contribution, ScoredCase};

/// How many reasons a row has: as many columns as fit on a screen beside the rest. The page and the data
/// have them all.
const REASONS: usize = 5;

/// Spreadsheets take text without this mark for the encoding of the computer, and spoil every letter
/// beyond plain English.
const UTF8_MARK: &str = "\u{feff}";

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
    let mut head = vec![
        "place".to_owned(),
        "rank".to_owned(),
        "drawn".to_owned(),
        "entity".to_owned(),
        "household".to_owned(),
        "known_to_a_service".to_owned(),
        "lists_in_a_row".to_owned(),
        "decided_last_time".to_owned(),
        "band".to_owned(),
        "rate_observed_in_band".to_owned(),
        "rate_low".to_owned(),
        "rate_high".to_owned(),
    ];
    let has_own_days = list.entries().iter().any(|entry| entry.case().has_own_day());
    if has_own_days {
        head.push("seen_on".to_owned());
    }
    head.extend(["kept_in_refits", "refits"].map(str::to_owned));
    head.extend((1..=REASONS).map(|nth| format!("reason_{nth}")));
    head.extend(
        [
            "absent",
            "expires",
            "run_id",
            "witness",
            "tested_length",
            "rate_of_such_lists",
            "such_lists_low",
            "such_lists_high",
        ]
        .map(str::to_owned),
    );
    let witness = list.witness().map(ToString::to_string).unwrap_or_default();
    let lines = list.entries().iter().enumerate().map(|(nth, entry)| {
        row(nth + 1, entry, has_own_days).into_iter().chain([witness.clone()]).chain(tested(list)).collect()
    });
    table(&head, lines)
}

/// A table as a spreadsheet takes it, from cells that are safe already.
pub(super) fn table(
    head: &[String],
    lines: impl Iterator<Item = Vec<String>>,
) -> Result<String, ReportError> {
    let mut table = csv::Writer::from_writer(UTF8_MARK.as_bytes().to_vec());
    table.write_record(head).map_err(|error| failed(&error))?;
    for line in lines {
        table.write_record(line).map_err(|error| failed(&error))?;
    }
    let bytes = table.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// The list as JSON, with everything it holds, ending in one newline. Places count from 1 in the order
/// of `entries`; the scores and contributions in it are log-odds.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn list_json(list: &ReviewList) -> Result<String, ReportError> {
    json_text(list).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> ReportError {
    ReportError::Render(error.to_string())
}

fn row(place: usize, entry: &ListedCase, has_own_days: bool) -> Vec<String> {
    let case = entry.case();
    let observed = &case.band().observed;
    let mut cells = vec![
        place.to_string(),
        case.rank().to_string(),
        entry.why_listed().words().to_owned(),
        cell(case.entity()).into_owned(),
        cell(&entry.beside().iter().map(ScoredCase::entity).collect::<Vec<_>>().join("; ")).into_owned(),
        case.is_known().map_or("", IsKnown::words).to_owned(),
        entry.since().map_or_else(|| "1".to_owned(), |stayed| stayed.times.to_string()),
        cell(&decided_last_time(entry)).into_owned(),
        cell(&case.band().name).into_owned(),
        rate(observed.value),
        rate(observed.interval.low),
        rate(observed.interval.high),
    ];
    if has_own_days {
        cells.push(case.seen_on().to_string());
    }
    let stability = case.stability();
    cells.push(stability.map_or_else(String::new, |held| held.kept_in.to_string()));
    cells.push(stability.map_or_else(String::new, |held| held.refits.to_string()));
    let mut reasons = case.contributions().iter().filter_map(reason);
    cells.extend((0..REASONS).map(|_| reasons.next().unwrap_or_default()));
    let audit = case.provenance();
    cells.extend([case.absent().len().to_string(), audit.expires.to_string(), audit.run_id.clone()]);
    cells
}

/// Step, agreement and reason of the last decision.
fn decided_last_time(entry: &ListedCase) -> String {
    let decided = entry.since().and_then(|stayed| stayed.decided.as_ref());
    decided.map(super::since::decided_in_words).unwrap_or_default()
}

/// What came of the backtest's lists of this length.
fn tested(list: &ReviewList) -> [String; 4] {
    list.tested().map_or_else(Default::default, |found| {
        let Estimate { value, interval, .. } = found.observed;
        [found.cases.to_string(), rate(value), rate(interval.low), rate(interval.high)]
    })
}

/// Four decimals: more would claim more than a backtest knows.
fn rate(share: f64) -> String {
    if share.is_finite() { format!("{share:.4}") } else { String::new() }
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
    let text = format!("{}{detail} ({verb} by {:.2})", part.words.trim_end_matches('.'), part.log_odds.abs());
    Some(cell(&text).into_owned())
}
