//! An audit of a table of scores, with what became of the table's rows.

use serde::Serialize;

use super::audit::{Audit, AuditParams, LoneScore, OutcomeJump, ScoreColumns, ScoreIntake, ScoreTable};
use super::mitigation::SelectionsCompared;
use crate::error::Error;
use crate::records::Reject;

/// An audit of a table of scores, with what became of its rows: what `earlyhelp audit` makes, in one step.
///
/// Where counts are [rounded](AuditParams::round_to), nothing that is [published](Self::published) of the rows is exact either.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::Capacity;
/// use earlyhelp::fairness::TableAudit;
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreColumns, ScoreTable};
/// use earlyhelp::outputs::json_text;
/// use earlyhelp::records::Extract;
///
/// fn audit(vendor: Extract) -> Result<String, Box<dyn std::error::Error>> {
///     let columns = ScoreColumns::new("risk", "excluded").group("sex");
///     let params = AuditParams::at(OperatingPoint::Capacity(Capacity::Share(0.2)));
///     let found = TableAudit::of(ScoreTable::read(vendor, &columns)?, columns, &params)?;
///     for warning in found.intake().warnings() {
///         eprintln!("warning: {warning}");
///     }
///     Ok(json_text(&found.published("vendor.csv"))?)
/// }
/// # let frame = polars::df!(
/// #     "risk" => (0..400).map(|row| f64::from(row % 97) / 97.0).collect::<Vec<_>>(),
/// #     "excluded" => (0..400).map(|row| row % 5 == 0).collect::<Vec<_>>(),
/// #     "sex" => (0..400).map(|row| ["F", "M"][row % 2]).collect::<Vec<_>>(),
/// # )?;
/// # let text = audit(Extract::frame(frame))?;
/// # assert!(text.contains("\"read\": 400"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TableAudit {
    columns: ScoreColumns,
    intake: ScoreIntake,
    audit: Audit,
    against: Option<SelectionsCompared>,
    round_to: Option<u32>,
}

impl TableAudit {
    /// Audits a [table that was read](ScoreTable::read) by these columns, and compares it with the
    /// [other way of selecting](ScoreColumns::against), where there is one.
    ///
    /// # Errors
    /// As [`ScoreTable::audit`] and [`SelectionsCompared::of`].
    pub fn of(
        (table, intake): (ScoreTable, ScoreIntake),
        columns: ScoreColumns,
        params: &AuditParams,
    ) -> Result<Self, Error> {
        let audit = table.audit(params)?;
        let against = columns.against.as_ref().map(|_| SelectionsCompared::of(&table, params)).transpose()?;
        Ok(Self { columns, intake, audit, against, round_to: params.round_to })
    }

    /// The audit.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// What became of the rows, exactly: for whoever runs the audit.
    pub fn intake(&self) -> &ScoreIntake {
        &self.intake
    }

    /// What became of the rows, where that may be published: `None` where counts are rounded.
    pub fn published_intake(&self) -> Option<&ScoreIntake> {
        self.round_to.is_none().then_some(&self.intake)
    }

    /// The table's selection beside the other one.
    pub fn against(&self) -> Option<&SelectionsCompared> {
        self.against.as_ref()
    }

    /// What `audit.json` holds. `scores` names the table, without a folder: a path says more about a computer than about the audit.
    pub fn published<'a>(&'a self, scores: &'a str) -> impl Serialize + 'a {
        let Self { columns, intake, audit, against, round_to } = self;
        let rounded = |count| rounded(count, *round_to);
        let exact = round_to.is_none();
        Published {
            scores,
            columns,
            read: rounded(intake.read),
            audited: rounded(intake.audited),
            without_cluster: rounded(intake.without_cluster),
            without_person: rounded(intake.without_person),
            unresolved: rounded(intake.unresolved),
            not_followed: rounded(intake.not_followed),
            not_random: rounded(intake.not_random),
            rejected_rows: rounded(intake.rejected.len() as u64),
            rejected: exact.then_some(&intake.rejected),
            jump: intake.jump.filter(|_| exact),
            lone_scores: if exact { &intake.lone_scores } else { &[] },
            audit,
            against: against.as_ref(),
        }
    }
}

#[derive(Serialize)]
struct Published<'a> {
    scores: &'a str,
    columns: &'a ScoreColumns,
    read: u64,
    audited: u64,
    without_cluster: u64,
    without_person: u64,
    unresolved: u64,
    not_followed: u64,
    not_random: u64,
    /// How many rows could not be audited.
    rejected_rows: u64,
    /// Where they stand and why. Not given where counts are rounded: their number would be exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<&'a [Reject]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jump: Option<OutcomeJump>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lone_scores: &'a [LoneScore],
    audit: &'a Audit,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a SelectionsCompared>,
}

/// A count, rounded if asked for, halves upwards.
fn rounded(count: u64, round_to: Option<u32>) -> u64 {
    round_to.map_or(count, |to| {
        let to = u64::from(to.max(1));
        (2 * count + to) / (2 * to) * to
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_rounded_halves_upwards() {
        let to_fives = |count| rounded(count, Some(5));
        assert_eq!([0, 2, 3, 2_001, 7].map(to_fives), [0, 0, 5, 2_000, 5]);
        assert_eq!((rounded(5, Some(10)), rounded(2_001, None)), (10, 2_001));
    }
}
