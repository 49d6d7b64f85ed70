//! Decisions on record as a table for a spreadsheet.

use super::plain::table;
use crate::error::ReportError;
use crate::ledger::RecordedDecision;
use crate::outputs::cell;

/// Decisions as a table: UTF-8 with a byte-order mark, a line of headings, one row a decision.
///
/// The columns: the `entry` in the ledger, the `run` and the `place` on its list, the `case`, `drawn` (`by rank`, `by share` or
/// `at random`), `reviewer` and `role`, the days on which the case was opened and decided (`opened_on`, `decided_on`), and on
/// which that was written by the machine's clock (`written_on`), whether the reviewer `judged_first` (`yes`, `no`) and their
/// `own_judgement`, the next `step`, the `agreement` with the place, the `reason_code` of the council's own list and what it means
/// (`reason_code_words`), the `reason` in words, and the entries whose place the decision took or that took its own
/// (`supersedes`, `superseded_by`). Empty where there is nothing, and where content was taken out of the ledger.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it ([`cell`]).
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn decisions_csv(decisions: &[RecordedDecision]) -> Result<String, ReportError> {
    let head = [
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
    ];
    let text = |text: Option<&str>| cell(text.unwrap_or_default()).into_owned();
    let entry = |entry: Option<u64>| entry.map_or_else(String::new, |entry| entry.to_string());
    let lines = decisions.iter().map(|decision| {
        vec![
            decision.entry.to_string(),
            text(Some(&decision.run)),
            decision.place.to_string(),
            text(decision.case.as_deref()),
            decision.drawn.words().to_owned(),
            text(Some(&decision.reviewer.name)),
            text(Some(&decision.reviewer.role)),
            decision.opened_on.to_string(),
            decision.decided_on.to_string(),
            decision.written_on.map_or_else(String::new, |day| day.to_string()),
            if decision.judged_first { "yes" } else { "no" }.to_owned(),
            text(decision.own_judgement.as_deref()),
            decision.step.words().to_owned(),
            decision.agreement.words().to_owned(),
            text(decision.reason_code.as_deref()),
            text(decision.reason_code_words.as_deref()),
            text(decision.reason.as_deref()),
            entry(decision.supersedes),
            entry(decision.superseded_by),
        ]
    });
    table(&head.map(str::to_owned), lines)
}
