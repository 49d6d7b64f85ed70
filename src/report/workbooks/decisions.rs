//! Decisions on record as a workbook.

use super::super::decisions::decisions_table;
use super::super::words;
use super::super::workbook::{Head, Note, Sheet, fixed_day, workbook};
use crate::error::ReportError;
use crate::ledger::RecordedDecision;

/// Every decision on record as an Excel workbook: what [`decisions_csv`](crate::report::decisions_csv) says. It holds what reviewers
/// wrote of people.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
pub fn decisions_xlsx(decisions: &[RecordedDecision]) -> Result<Vec<u8>, ReportError> {
    let title = "Decisions on record";
    let notes = [
        Note::Title(title.to_owned()),
        Note::Line(
            "What reviewers decided about cases of lists, and why, as the ledger holds it: for those who answer for the lists. It \
             holds what was written of people, and is no measure of a reviewer."
                .into(),
        ),
        Note::Line(
            "A decision whose place another has taken is here, too: only the last about a case counts. Where a case was taken out \
             of the ledger, who it was and what was written are gone."
                .into(),
        ),
        Note::fact("Decisions", words::count(decisions.len() as u64)),
    ];
    let sheet = Sheet { name: "Decisions".to_owned(), table: decisions_table(decisions) };
    workbook(&Head { title, made: fixed_day(), printed: "" }, &notes, &[sheet])
}
