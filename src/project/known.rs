//! Whom a service is working with already: what the project declares, beside its cohorts and its backtest.

use super::Project;

use crate::error::{Error, SpecError};
use crate::evaluate::Backtest;
use crate::known_to::{KnownCases, check_all};
use crate::records::Records;

impl Project {
    /// Refuses declarations that contradict themselves, and those that read a protected characteristic: a mark beside a
    /// case is seen by whoever reads the list.
    pub(super) fn check_known_to(&self) -> Result<(), SpecError> {
        check_all(&self.known_to)?;
        let protected = self.protected_names();
        self.known_to.iter().try_for_each(|known| known.check_protected(&protected))
    }

    /// Choices of records for `known_to` that match none.
    pub(super) fn known_faults(&self, records: &Records) -> Vec<SpecError> {
        self.known_to.iter().flat_map(|known| known.faults(records)).collect()
    }

    /// A backtest with what of its lists was known to a service already; as it is where the project does not say what that
    /// means.
    ///
    /// # Errors
    /// [`Error::Spec`] where a declaration does not fit the records, [`Error::Evaluate`] where the backtest is of other
    /// cohorts.
    pub(super) fn with_known(&self, backtest: Backtest, records: &Records) -> Result<Backtest, Error> {
        if self.known_to.is_empty() {
            return Ok(backtest);
        }
        let known = backtest
            .report()
            .plan
            .splits
            .iter()
            .map(|split| Ok(KnownCases::of(&self.known_to, &self.cohort(records, split.test)?)?))
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(backtest.known_to(&known)?)
    }
}
