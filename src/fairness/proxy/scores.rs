//! Scores with what each term added to them: what ablation and carriers are measured on.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::error::EvaluateError;
use crate::evaluate::ranking::at_capacity;
use crate::evaluate::{Backtest, Capacity, Cases};

/// Scored cases of an additive model with each term's contribution, by date.
///
/// Of a backtest by [`AdditiveScores::of`]; of any other additive model by filling the fields. Cases of one
/// date stand together, in the order in which equal scores are listed.
#[derive(Clone, PartialEq)]
pub struct AdditiveScores {
    /// The cases, in the order in which equal scores of one date are listed. Who was on a list plays no part.
    pub cases: Cases,
    /// Each term: the feature, or the two of a pair, and what it added to each case's score.
    pub contributions: Vec<(Vec<String>, Vec<f64>)>,
    /// How long each date's list is.
    pub capacity: Capacity,
}

impl AdditiveScores {
    /// The test cases of a backtest, as scored by models that had seen neither the family nor the date. The scores
    /// are those by which the lists were drawn, before any recalibration: so the lists drawn from them are those
    /// that were audited.
    #[must_use]
    pub fn of(backtest: &Backtest) -> Self {
        Self {
            cases: Cases { log_odds: backtest.listing_scores().to_vec(), ..backtest.cases().clone() },
            contributions: backtest
                .listing_contributions()
                .iter()
                .map(|(on, added)| (on.clone(), added.clone()))
                .collect(),
            capacity: backtest.report().plan.capacity,
        }
    }

    /// Checks that everything has an entry for each case and can be added up.
    pub(super) fn check(&self) -> Result<(), EvaluateError> {
        self.cases.check()?;
        let expected = self.cases.len();
        for (on, added) in &self.contributions {
            if added.len() != expected {
                let what = format!("term {}", on.join(" and "));
                return Err(EvaluateError::LengthMismatch { what, expected, found: added.len() });
            }
            if let Some(row) = added.iter().position(|value| !value.is_finite()) {
                return Err(EvaluateError::Score { row });
            }
        }
        let families = &self.cases.families;
        if families.iter().all(|family| *family == families[0]) {
            return Err(EvaluateError::OneFamily);
        }
        Ok(())
    }

    /// The features that any term reads, by name.
    pub(super) fn features(&self) -> BTreeSet<&str> {
        self.contributions.iter().flat_map(|(on, _)| on).map(String::as_str).collect()
    }

    /// The scores less every term that reads the feature.
    pub(super) fn without(&self, feature: &str) -> Vec<f64> {
        let mut left = self.cases.log_odds.clone();
        for (_, added) in self.contributions.iter().filter(|(on, _)| on.iter().any(|name| name == feature)) {
            for (score, by) in left.iter_mut().zip(added) {
                *score -= by;
            }
        }
        left
    }

    /// Each date's cases.
    fn lists(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let runs = self.cases.dates.chunk_by(|a, b| a == b).map(|run| {
            let list = start..start + run.len();
            start = list.end;
            list
        });
        runs.collect()
    }

    /// Who is on the lists that these scores draw, date by date at capacity.
    pub(super) fn listed(&self, log_odds: &[f64]) -> Vec<bool> {
        self.lists()
            .into_iter()
            .flat_map(|list| {
                let length = self.capacity.of(list.len());
                at_capacity(&log_odds[list], length)
            })
            .collect()
    }
}

impl std::fmt::Debug for AdditiveScores {
    /// Never prints a score.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdditiveScores").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}
