//! Decisions on record as a table for a spreadsheet.

use super::table::{Table, Value};
use crate::error::ReportError;
use crate::ledger::RecordedDecision;

/// Decisions as a table: UTF-8 with a byte-order mark, a line of headings, one row a decision.
///
/// The columns: the `entry` in the ledger, the `run` and the `place` on its list, the `case`, `drawn` (`by rank`, `by share` or
/// `at random`), `reviewer` and `role`, the days on which the case was opened and decided (`opened_on`, `decided_on`), and on
/// which that was written by the machine's clock (`written_on`), whether the reviewer `judged_first` (`yes`, `no`) and their
/// `own_judgement`, the next `step`, the `agreement` with the place, the `reason_code` of the council's own list and what it means
/// (`reason_code_words`), the `reason` in words, and the entries whose place the decision took or that took its own
/// (`supersedes`, `superseded_by`). Empty where there is nothing, and where content was taken out of the ledger.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it ([`cell`](crate::outputs::cell)).
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn decisions_csv(decisions: &[RecordedDecision]) -> Result<String, ReportError> {
    decisions_table(decisions).csv()
}

/// Decisions, one row each.
pub(super) fn decisions_table(decisions: &[RecordedDecision]) -> Table {
    let mut table = Table::named([
        "entry",
        "run",
        "place",
        "case",
        "drawn",
        "reviewer",
        "role",
        "opened_on",
        "decided_on",
        "written_on",
        "judged_first",
        "own_judgement",
        "step",
        "agreement",
        "reason_code",
        "reason_code_words",
        "reason",
        "supersedes",
        "superseded_by",
    ]);
    let text = |text: &Option<String>| Value::text(text.as_deref().unwrap_or_default());
    let entry = |entry: Option<u64>| entry.map_or(Value::Empty, Value::Whole);
    table.rows.extend(decisions.iter().map(|decision| {
        vec![
            Value::Whole(decision.entry),
            Value::text(&decision.run),
            Value::whole(decision.place),
            text(&decision.case),
            Value::text(decision.drawn.words()),
            Value::text(&decision.reviewer.name),
            Value::text(&decision.reviewer.role),
            Value::Date(decision.opened_on),
            Value::Date(decision.decided_on),
            Value::date(decision.written_on),
            Value::text(if decision.judged_first { "yes" } else { "no" }),
            text(&decision.own_judgement),
            Value::text(decision.step.words()),
            Value::text(decision.agreement.words()),
            text(&decision.reason_code),
            text(&decision.reason_code_words),
            text(&decision.reason),
            entry(decision.supersedes),
            entry(decision.superseded_by),
        ]
    }));
    table
}
