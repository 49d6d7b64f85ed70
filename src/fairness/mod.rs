//! To whom a model would have been fair, how far, and how sure that is.
//!
//! Protected characteristics come in here and nowhere above: [`Protected`] is loaded apart from the
//! records, and nothing that trains or scores takes one. What can be done about a disparity, by people who
//! answer for it, is in [`mitigation`].
//!
//! ```text
//! Backtest + Protected ─FairnessAudit::of→ FairnessAudit { Audit }
//! ```

pub mod audit;
mod cases;
pub mod label;
pub mod mitigation;
mod people;
mod protected;
pub mod proxy;
mod table_audit;

pub use mitigation::{CapacityShares, MitigationReport, MitigationTrial, ShareRule, reweigh};
pub use protected::{Characteristic, FamilyValue, Protected, ProtectedColumns};
pub use table_audit::TableAudit;

use self::audit::{
    AttributeFinding, Audit, AuditParams, AuditedOutcome, GroupMeasure, OperatingPoint, ScoreTable,
};
use crate::error::AuditError;
use crate::evaluate::Backtest;

/// The differences that a release keeps: those that the criteria of fairness rest on. With all others a model
/// file would be several times as long; `earlyhelp audit-model` has every one.
const DECISIVE: [GroupMeasure; 6] = [
    GroupMeasure::SelectionRate,
    GroupMeasure::TruePositiveRate,
    GroupMeasure::FalsePositiveRate,
    GroupMeasure::Precision,
    GroupMeasure::CalibrationGap,
    GroupMeasure::Abroca,
];

/// An audit without the differences that no criterion rests on.
pub(crate) fn decisive(mut audit: Audit) -> Audit {
    for attribute in &mut audit.attributes {
        let AttributeFinding::Measured { groups, .. } = &mut attribute.finding else { continue };
        for group in groups {
            if let AuditedOutcome::Shown { disparities, .. } = &mut group.outcome {
                disparities.retain(|found| DECISIVE.contains(&found.measure));
            }
        }
    }
    audit
}

/// A finished fairness audit of one candidate's backtest: the receipt that a release asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessAudit {
    candidate: String,
    audit: Audit,
}

impl FairnessAudit {
    /// Audits the backtest's lists for every protected characteristic, each by itself. One that is not held is
    /// reported as not measurable, never as fair.
    ///
    /// [`AuditParams::at_release`] has the defaults. Whatever they say of the operating point and of
    /// intersections, the lists of the backtest are audited, and no characteristics are combined.
    ///
    /// # Errors
    /// [`AuditError`] where a characteristic has too many values to be one, or the backtest has fewer cases than
    /// the minimum.
    pub fn of(backtest: &Backtest, protected: &Protected, params: &AuditParams) -> Result<Self, AuditError> {
        let params = AuditParams { operating: OperatingPoint::Predicted, intersections: 1, ..params.clone() };
        let audit = decisive(ScoreTable::of_backtest(backtest, protected)?.audit(&params)?);
        Ok(Self { candidate: backtest.candidate().to_owned(), audit })
    }

    /// The digest of the candidate whose backtest was audited.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// What was found.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.audit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::stats::fixture::{close, load};
    use crate::stats::newcombe_difference;

    /// Rates as Fairlearn gives them, differences from everybody else with their intervals as statsmodels does.
    #[test]
    fn group_rates_and_their_differences_agree_with_fairlearn_and_statsmodels() {
        for set in load().datasets {
            let (outcomes, selected) = (set.outcomes(), set.selected());
            let groups: Vec<Option<&str>> = set.groups.iter().map(|group| Some(group.as_str())).collect();
            let table = ScoreTable::new(set.log_odds.clone(), outcomes.clone()).unwrap();
            let table = table.predicted(selected.clone()).unwrap().group("group", &groups).unwrap();
            let audit = table.audit(&AuditParams { minimum: 1, ..AuditParams::at_release() }).unwrap();
            let AttributeFinding::Measured { groups: audited, .. } = &audit.attributes[0].finding else {
                panic!("measured")
            };
            assert_eq!(audited.len(), set.rates.len());
            // Of each group: those selected of all, of those with the outcome, of those without it.
            let mut parts: BTreeMap<&str, [(u64, u64); 3]> = BTreeMap::new();
            for ((group, &outcome), &selected) in set.groups.iter().zip(&outcomes).zip(&selected) {
                let held = parts.entry(group).or_default();
                for nth in [0, if outcome { 1 } else { 2 }] {
                    held[nth] = (held[nth].0 + u64::from(selected), held[nth].1 + 1);
                }
            }
            for theirs in &set.rates {
                let group = audited.iter().find(|group| group.name() == theirs.group).unwrap();
                let AuditedOutcome::Shown { measures, .. } = &group.outcome else { panic!("shown") };
                close(measures.n as f64, theirs.n, 1e-12);
                close(measures.selection_rate.unwrap().value, theirs.selection, 1e-12);
                close(measures.true_positive_rate.unwrap().value, theirs.found, 1e-12);
                close(measures.false_positive_rate.unwrap().value, theirs.wrong, 1e-12);
                let ends = [theirs.selection_difference, theirs.found_difference, theirs.wrong_difference];
                for (nth, ends) in ends.into_iter().enumerate() {
                    let here = parts[theirs.group.as_str()][nth];
                    let all =
                        parts.values().fold((0, 0), |sum, part| (sum.0 + part[nth].0, sum.1 + part[nth].1));
                    let difference = newcombe_difference(here, (all.0 - here.0, all.1 - here.1)).unwrap();
                    close(difference.interval.low, ends.0, 1e-9);
                    close(difference.interval.high, ends.1, 1e-9);
                }
            }
        }
    }
}
