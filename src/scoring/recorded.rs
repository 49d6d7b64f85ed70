//! What of a scored cohort is kept in a ledger, and how a kept case is computed again.

use serde::Serialize;

use super::case::words;
use super::{Scorer, Scores};
use crate::error::ModelError;
use crate::features::{Cell, Feature, FeatureMatrix};

/// One scored case as a ledger keeps it: enough to compute its score again to the bit.
pub(crate) struct RecordedScore<'s> {
    pub(crate) entity: &'s str,
    pub(crate) family: u32,
    pub(crate) rank: u32,
    pub(crate) log_odds: f64,
    pub(crate) cells: Vec<Cell>,
}

/// What one term of a model says of a kept case.
#[derive(Clone, PartialEq, Serialize)]
pub struct PlainReason {
    /// The features' names: one, or the two of a pair.
    pub features: Vec<String>,
    /// Log-odds up (above zero) or down from the average case.
    pub points: f64,
    /// A sentence.
    pub words: String,
}

crate::opaque_debug!(PlainReason);

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
    /// [`ModelError::Features`] where a case has not one cell for each feature of the model.
    pub(crate) fn score_again(&self, cases: &[Vec<Cell>]) -> Result<Vec<f64>, ModelError> {
        let names = self.candidate().model().features().to_vec();
        if cases.iter().any(|cells| cells.len() != names.len()) {
            return Err(ModelError::Features("a kept case has not one cell for each feature".into()));
        }
        let columns: Vec<Vec<Cell>> =
            (0..names.len()).map(|feature| cases.iter().map(|cells| cells[feature]).collect()).collect();
        let matrix = FeatureMatrix::from_cells(names, cases.len(), &columns)
            .ok_or_else(|| ModelError::Features("the kept cells do not make a table".into()))?;
        self.candidate().model().log_odds(&matrix)
    }

    /// The plain reasons of a kept case, the largest first.
    ///
    /// # Errors
    /// [`ModelError::Features`] where it has not one cell for each feature of the model.
    pub(crate) fn plain_reasons(&self, cells: &[Cell]) -> Result<Vec<PlainReason>, ModelError> {
        let model = self.candidate().model();
        let features = self.candidate().features().features();
        let mut points = vec![0.0; model.terms().len()];
        model.explain_cells(cells, &mut points)?;
        let mut reasons: Vec<PlainReason> = points
            .into_iter()
            .enumerate()
            .map(|(term, points)| {
                let places: Vec<usize> = model.places(term).collect();
                let of: Vec<&Feature> = places.iter().map(|&place| &features[place]).collect();
                let values: Vec<Cell> = places.iter().map(|&place| cells[place]).collect();
                PlainReason {
                    features: of.iter().map(|feature| feature.name.clone()).collect(),
                    words: words(&of, &values, points),
                    points,
                }
            })
            .collect();
        reasons.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
        Ok(reasons)
    }
}
