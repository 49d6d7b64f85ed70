//! What of a scored cohort is kept in a ledger, and how a kept case is computed again.

use super::{Contribution, Scorer, Scores};
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix};

/// One scored case as a ledger keeps it: enough to compute its score again to the bit.
pub(crate) struct RecordedScore<'s> {
    pub(crate) entity: &'s str,
    pub(crate) family: u32,
    pub(crate) rank: u32,
    pub(crate) log_odds: f64,
    pub(crate) cells: Vec<Cell>,
}

impl Scores<'_, '_> {
    /// Every scored case in the order of the ranks.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = RecordedScore<'_>> {
        self.order.iter().zip(1..).map(|(&row, rank)| {
            let row = row as usize;
            let cells =
                (0..self.matrix.names().len()).map(|feature| self.matrix.cell(row, feature)).collect();
            RecordedScore {
                entity: self.cohort.id(row),
                family: self.cohort.family(row),
                rank,
                log_odds: self.log_odds[row],
                cells,
            }
        })
    }
}

impl Scorer {
    /// The scores (log-odds) of kept cases, computed again from their cells.
    ///
    /// # Errors
    /// [`ModelError::Features`] where a case does not have one cell for each feature of the model.
    pub(crate) fn score_again(&self, cases: &[Vec<Cell>]) -> Result<Vec<f64>, ModelError> {
        self.candidate().model().log_odds(&self.kept(cases)?)
    }

    /// What makes the score of a kept case, the largest part first.
    ///
    /// # Errors
    /// [`ModelError::Features`] where it does not have one cell for each feature of the model.
    pub(crate) fn explain_again(&self, cells: &[Cell]) -> Result<Vec<Contribution>, ModelError> {
        let model = self.candidate().model();
        let case = self.kept(&[cells.to_vec()])?;
        let explanation = model.explain(&case, 0)?;
        let reach = model.reach(&case, 0)?;
        let mut contributions: Vec<Contribution> = explanation
            .contributions()
            .iter()
            .enumerate()
            .map(|(term, &log_odds)| {
                Contribution::of(self.candidate(), term, |place| cells[place], log_odds)
                    .within(reach.as_ref().map(|reach| reach.contributions[term]))
            })
            .collect();
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        Ok(contributions)
    }

    /// Kept cases as the model reads them.
    fn kept(&self, cases: &[Vec<Cell>]) -> Result<FeatureMatrix, ModelError> {
        let names = self.candidate().model().features().to_vec();
        if cases.iter().any(|cells| cells.len() != names.len()) {
            return Err(ModelError::Features("a kept case does not have one cell for each feature".into()));
        }
        let columns: Vec<Vec<Cell>> =
            (0..names.len()).map(|feature| cases.iter().map(|cells| cells[feature]).collect()).collect();
        FeatureMatrix::from_cells(names, cases.len(), &columns)
            .ok_or_else(|| ModelError::Features("the kept cells do not make a table".into()))
    }
}
