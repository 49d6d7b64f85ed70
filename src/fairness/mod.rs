//! To whom a model would have been fair, how far, and how sure that is.
//!
//! Protected characteristics come in here and nowhere above: [`Protected`] is loaded apart from the
//! records, and nothing that trains or scores takes one. What can be done about a disparity, by people who
//! answer for it, is in [`mitigation`].
//!
//! ```text
//! Backtest + Protected ─FairnessAudit::of→ FairnessAudit { FairnessReport }
//! ```

pub mod audit;
pub mod label;
pub mod mitigation;
mod protected;
pub mod proxy;
pub mod rates;
pub mod report;

pub use mitigation::{CapacityShares, MitigationReport, MitigationTrial, ShareRule, reweigh};
pub use protected::{Protected, ProtectedColumns};
pub use rates::{Characteristic, Comparison, FairnessParams, GroupRates, UNKNOWN, Verdict};
pub use report::{CharacteristicReport, FairnessReport, Finding, GroupOutcome, GroupReport};

use crate::error::EvaluateError;
use crate::evaluate::Backtest;

/// A finished fairness check of one candidate's backtest: the receipt that a release asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessAudit {
    candidate: String,
    report: FairnessReport,
}

impl FairnessAudit {
    /// Measures the backtest's lists for every protected characteristic. One that is not held is
    /// reported as not measurable, never as fair.
    ///
    /// # Errors
    /// [`EvaluateError`] where the backtest has no case.
    pub fn of(
        backtest: &Backtest,
        protected: &Protected,
        params: &FairnessParams,
    ) -> Result<Self, EvaluateError> {
        let cases = backtest.cases();
        let groups: Vec<(&str, Vec<Option<&str>>)> = protected
            .held()
            .iter()
            .enumerate()
            .map(|(nth, name)| {
                (name.as_str(), cases.entities.iter().map(|entity| protected.group(nth, entity)).collect())
            })
            .collect();
        let characteristics: Vec<Characteristic<'_>> = groups
            .iter()
            .map(|(name, groups)| Characteristic::Held { name, groups })
            .chain(protected.not_held().map(|name| Characteristic::NotHeld { name }))
            .collect();
        let report = FairnessReport::measure(&cases.rows(), &characteristics, params)?;
        Ok(Self { candidate: backtest.candidate().to_owned(), report })
    }

    /// The digest of the candidate whose backtest was measured.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// What was found.
    #[must_use]
    pub fn report(&self) -> &FairnessReport {
        &self.report
    }
}
