//! An audit as a workbook.

use super::super::about;
use super::super::table::{Table, Value};
use super::super::workbook::{Head, Note, Sheet, fixed_day, workbook};
use super::facts::{Apart, Facts};
use super::figure;
use super::plain::audit_table;
use crate::error::ReportError;
use crate::fairness::audit::{AttributeFinding, Audit, CriterionReport, ScoreIntake};

/// The audit as an Excel workbook: what it is and is not, each criterion of fairness with its verdict, and every figure of every group as
/// [`audit_csv`](super::audit_csv) has it. `intake` is as for [`audit_html`](super::audit_html).
///
/// Numbers are those of the JSON, whole. Groups that are held back have no figure, and say so. The file's day of creation is
/// the same for every audit, since the library knows no day.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::Audit;
/// use earlyhelp::report::audit::audit_xlsx;
///
/// fn write(audit: &Audit, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     std::fs::write(folder.join("audit.xlsx"), audit_xlsx(audit, "Exclusion score, 2024", None)?)?;
///     Ok(())
/// }
/// ```
pub fn audit_xlsx(audit: &Audit, title: &str, intake: Option<&ScoreIntake>) -> Result<Vec<u8>, ReportError> {
    let sheets = [("Criteria", criteria(audit)), ("Figures", audit_table(audit))]
        .map(|(name, table)| Sheet { name: name.to_owned(), table });
    workbook(&Head { title, made: fixed_day(), printed: "" }, &notes(audit, title, intake), &sheets)
}

fn notes(audit: &Audit, title: &str, intake: Option<&ScoreIntake>) -> Vec<Note> {
    let facts = Facts::of(audit);
    let mut notes = vec![
        Note::Title(title.to_owned()),
        Note::Heading("What this audit is, and is not".to_owned()),
        Note::Line(about::AUDIT.join(" ")),
        Note::Heading("What it cannot see".to_owned()),
    ];
    notes.extend(about::AUDIT_CANNOT_SEE.map(|line| Note::Line(line.to_owned())));
    notes.push(Note::Heading("What was audited, and how".to_owned()));
    let told = [
        ("Rows", facts.n),
        ("With the outcome", facts.positives),
        ("Selected", facts.selected),
        ("Families", facts.clusters),
        ("People", facts.people),
        ("Who is selected", facts.operating),
        ("The scores", facts.meaning.to_owned()),
        ("Doubtful", facts.inverted.to_owned()),
        ("Equals", facts.tied),
        ("A group is held back under", format!("{} {}", facts.minimum, facts.unit)),
        ("Counts are rounded to", facts.rounded),
        ("Margin", facts.margin),
        ("Many comparisons", facts.correction),
        ("Resamples", facts.resamples),
        ("Seed", facts.seed.to_string()),
        ("Compared with", facts.references),
    ];
    let told = told.into_iter().filter(|(_, text)| !text.is_empty());
    notes.extend(told.map(|(label, text)| Note::fact(label, text)));
    if let Some(apart) = intake.and_then(Apart::of) {
        let doubts = apart.doubts.into_iter();
        notes.extend(doubts.map(|(what, says)| Note::fact("To be doubted", format!("{what}: {says}"))));
        if !apart.says.is_empty() {
            notes.push(Note::fact("Left out", apart.says));
        }
        notes.extend(apart.reasons.into_iter().map(|(why, rows)| Note::fact(why, rows)));
    }
    notes
}

/// The verdict on each criterion for each characteristic; of one that could not be measured, why.
fn criteria(audit: &Audit) -> Table {
    let mut table = Table::named([
        "characteristic",
        "criterion",
        "compared_with",
        "verdict",
        "group_that_sets_it",
        "group_rows",
        "rests_on_rows",
        "measure",
        "difference_or_ratio",
        "low",
        "high",
    ]);
    let columns = table.columns.len();
    for attribute in &audit.attributes {
        let name = attribute.name();
        match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => table.rows.push(vec![
                Value::text(&name),
                Value::Empty,
                Value::Empty,
                Value::text(format!("not measurable: {why}")),
            ]),
            AttributeFinding::Measured { criteria, .. } => {
                table.rows.extend(criteria.iter().map(|held| criterion(audit, &name, held)));
            }
        }
    }
    table.rows.iter_mut().for_each(|row| row.resize(columns, Value::Empty));
    table
}

fn criterion(audit: &Audit, name: &str, held: &CriterionReport) -> Vec<Value> {
    let mut row = vec![
        Value::text(name),
        Value::text(held.criterion.to_string()),
        Value::text(
            held.set_against().or(held.against.as_ref()).map(ToString::to_string).unwrap_or_default(),
        ),
        Value::text(held.verdict.to_string()),
    ];
    if let Some(setter) = &held.set_by {
        row.extend([
            Value::text(&setter.group),
            Value::Whole(setter.n),
            setter.denominator.map_or_else(|| Value::text(figure::WITHHELD), Value::Whole),
            Value::text(figure::name(setter.measure, audit.scores)),
        ]);
        row.extend(Value::estimate(setter.size.as_ref(), Value::Number));
    }
    row
}
