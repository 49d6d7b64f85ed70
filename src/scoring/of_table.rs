//! Scores of a feature table that an engine made: the same guards, and nothing of it believed that the records deny.

use super::provenance::ScoredTable;
use super::release::Scorer;
use super::request::Request;
use super::scores::Scores;
use crate::cohort::Cohort;
use crate::error::ScoringError;
use crate::features::{Cell, FeatureMatrix};
use crate::held::Held;

impl Scorer {
    /// Scores every case of a cohort by features that were computed elsewhere; `again` says of how many cases they are computed
    /// once more. Of a case that is handed out they always are.
    pub(crate) fn score_table<'r>(
        &self,
        (cohort, matrix): (&Cohort<'r>, FeatureMatrix),
        request: &Request,
        (table, again): (ScoredTable, &[bool]),
    ) -> Result<Scores<'_, 'r>, ScoringError> {
        let scores = Scores::of(Held::Lent(self), (cohort, None), request, |_| Ok(matrix), Some(table))?;
        scores.compute_again(again)?;
        Ok(scores)
    }
}

impl Scores<'_, '_> {
    /// Computes the features of these rows from the records, and refuses where the table says anything else.
    fn compute_again(&self, rows: &[bool]) -> Result<(), ScoringError> {
        let places: Vec<usize> = (0..rows.len()).filter(|&row| rows[row]).collect();
        if places.is_empty() {
            return Ok(());
        }
        self.are_of_the_records(&self.cohort.keep(rows), &places)
    }

    /// The same of one case that is about to be handed out; of scores that were not taken from a table there is nothing to see.
    pub(super) fn compute_case_again(&self, row: usize) -> Result<(), ScoringError> {
        match self.provenance().table {
            Some(_) => self.are_of_the_records(&self.cohort.only(row), &[row]),
            None => Ok(()),
        }
    }

    /// Refuses where a table says something else of cases than their records: `rows` are their places in the table.
    fn are_of_the_records(&self, cases: &Cohort<'_>, rows: &[usize]) -> Result<(), ScoringError> {
        let matrix = self.scorer().candidate().features().compute(cases)?;
        let differs = |(again, &row): (usize, &usize)| {
            (0..matrix.names().len())
                .any(|feature| !is_same(matrix.cell(again, feature), self.matrix.cell(row, feature)))
        };
        match rows.iter().enumerate().filter(|&case| differs(case)).count() {
            0 => Ok(()),
            cases => Err(ScoringError::OtherFeatures { cases, of: rows.len() }),
        }
    }
}

/// Whether two cells say the same; to an engine zero has no sign.
fn is_same(a: Cell, b: Cell) -> bool {
    match (a, b) {
        (Cell::Value(a), Cell::Value(b)) => (a + 0.0).to_bits() == (b + 0.0).to_bits(),
        _ => a == b,
    }
}
