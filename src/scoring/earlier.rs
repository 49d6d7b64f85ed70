//! What of a scored cohort a list is held against an earlier one by.

use super::Scores;
use crate::calendar::AsOf;
use crate::error::{ScoringError, SpecError};
use crate::features::{Cell, FeatureMatrix};
use crate::stats::Interval;

impl Scores<'_, '_> {
    /// The rank (from 1) of every scored case.
    pub(crate) fn ranks(&self) -> hashbrown::HashMap<&str, u32> {
        self.order.iter().zip(1..).map(|(&row, rank)| (self.cohort.id(row as usize), rank)).collect()
    }

    /// Whether the outcome came about for somebody since a date, as far as it was known on the list's.
    pub(crate) fn had_outcome_since(&self, entity: &str, since: AsOf) -> Result<bool, SpecError> {
        self.scorer().candidate().outcome().came_about(&self.cohort, entity, since.day())
    }

    /// Whether the extracts hold somebody of that id.
    pub(crate) fn holds(&self, entity: &str) -> bool {
        self.cohort.all_ids().binary_search_by(|id| (**id).cmp(entity)).is_ok()
    }

    /// The rule by which somebody is not in the cohort, in words; `None` where the extracts do not hold them.
    pub(crate) fn why_left_out(&self, entity: &str) -> Result<Option<&'static str>, SpecError> {
        self.cohort.why_left_out(entity)
    }

    /// How far the score of the case at a rank has moved from what the model says of other values of its features (`then`;
    /// one that nothing is said of counts as missing), with its 95% interval over refits; `None` where the model has none.
    pub(crate) fn moved_since(
        &self,
        then: impl Fn(&str) -> Option<Cell>,
        rank: u32,
    ) -> Result<Option<(f64, Interval)>, ScoringError> {
        let Some(&row) = self.order.get(rank as usize - 1) else { return Ok(None) };
        let names = self.matrix.names();
        let columns: Vec<Vec<Cell>> = (0..)
            .zip(names)
            .map(|(place, name)| {
                vec![then(name).unwrap_or(Cell::Missing), self.matrix.cell(row as usize, place)]
            })
            .collect();
        let Some(matrix) = FeatureMatrix::from_cells(names.to_vec(), 2, &columns) else { return Ok(None) };
        let moved = self.scorer().candidate().model().moved(&matrix)?;
        Ok(moved.map(|(by, reach)| (by, Interval { low: by - reach, high: by + reach })))
    }
}
