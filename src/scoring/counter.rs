//! Counter-evidence: what a score would be without a record, or without those of people who asked for help.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::scores::Scores;
use crate::cohort::Cohort;
use crate::error::ScoringError;
use crate::features::{EventRow, reference};
use crate::records::RecordReference;
use crate::words::{self, Move, counted, rounds_to};

/// How much a case's score rests on single records, each of which can be wrong and can be contested, and on records of somebody
/// having asked for help.
///
/// A score without a record is computed from the records again, as if that one were not there: nothing is estimated, and
/// whatever else rests on it changes with it. It is the arithmetic of the model, and says nothing of what would have happened.
///
/// # Examples
/// ```
/// use earlyhelp::scoring::Scores;
///
/// fn print(scores: &Scores<'_, '_>) -> Result<(), earlyhelp::error::ScoringError> {
///     for found in scores.counter_evidence(1)?.map(|found| found.records).unwrap_or_default() {
///         println!("{}", found.words());
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CounterEvidence {
    /// The records without which the score would be lowest, the one that lowers it most first; at most three, each of which
    /// moves it by what can be seen.
    pub records: Vec<WithoutRecord>,
    /// The score without any record of somebody having asked for help; `None` where no such record is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help_seeking: Option<Without>,
}

/// What a score would be without some records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Without {
    /// How many records.
    pub records: usize,
    /// How far it would be from what it is, in log-odds; below zero where it would be lower.
    pub change: f64,
    /// The rank that the case would have, from 1, all others as they are.
    pub rank: u32,
    /// The rank that it has.
    pub rank_now: u32,
    /// Of how many.
    pub of: u32,
}

/// What it would be without one record.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithoutRecord {
    /// The record.
    pub record: RecordReference,
    /// What it would be.
    #[serde(flatten)]
    pub without: Without,
}

crate::opaque_debug!(CounterEvidence);
crate::opaque_debug!(WithoutRecord);

impl CounterEvidence {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.help_seeking.is_none()
    }
}

/// Records that are named.
const NAMED: usize = 3;

/// The last records of a feature that are tried, each by itself: of a feature of hundreds, one hardly moves anything.
const TRIED: usize = 20;

impl Without {
    /// `its rank would be 61 of 2,000, not 3`.
    fn rank_in_words(&self) -> String {
        let rank = |rank: u32| words::count(u64::from(rank));
        if self.rank == self.rank_now {
            return format!("its rank would be {} all the same", rank(self.rank));
        }
        format!("its rank would be {} of {}, not {}", rank(self.rank), rank(self.of), rank(self.rank_now))
    }

    /// As a sentence, of records of help-seeking.
    #[must_use]
    pub fn words(&self) -> String {
        let records = counted(
            self.records,
            "record of somebody having asked for help",
            "records of somebody having asked for help",
        );
        match rounds_to(self.change) {
            Move::None => format!("Without the {records} the score would be the same."),
            _ => format!(
                "Without the {records} the score would be {}: {}.",
                moved(self.change),
                self.rank_in_words()
            ),
        }
    }
}

impl WithoutRecord {
    /// As a sentence: `Without the record of 3 March 2025 (police notices: domestic abuse) the score would be 0.42 points lower: its
    /// rank would be 61 of 2,000, not 3.`
    #[must_use]
    pub fn words(&self) -> String {
        let RecordReference { source, kind, occurred, .. } = &self.record;
        format!(
            "Without the record of {} ({}: {}) the score would be {}: {}.",
            words::date(*occurred),
            words::plain(source),
            words::plain(kind),
            moved(self.without.change),
            self.without.rank_in_words()
        )
    }
}

/// `0.42 points lower`.
fn moved(change: f64) -> String {
    let way = if change < 0.0 { "lower" } else { "higher" };
    format!("{:.2} points {way}", change.abs())
}

impl Scores<'_, '_> {
    /// What the score of the case at a rank (from 1) would be without single records behind the reasons that raise it, and
    /// without all records of somebody having asked for help; `None` beyond the last rank.
    ///
    /// # Errors
    /// [`ScoringError`] where the case cannot be explained from the records.
    pub fn counter_evidence(&self, rank: usize) -> Result<Option<CounterEvidence>, ScoringError> {
        let Some(&row) = rank.checked_sub(1).and_then(|place| self.order.get(place)) else { return Ok(None) };
        let row = row as usize;
        let candidate = self.scorer().candidate();
        let (features, model) = (candidate.features(), candidate.model());
        let explanation = model.explain(&self.matrix, row)?;
        let (mut single, mut asked) = (BTreeSet::new(), BTreeSet::new());
        for (term, &log_odds) in explanation.contributions().iter().enumerate() {
            for place in model.places(term) {
                let is_help_seeking = features.features()[place].help_seeking;
                let raises = rounds_to(log_odds) == Move::Up;
                if !is_help_seeking && !raises {
                    continue;
                }
                let behind = features.rows_behind(&self.cohort, row, place)?;
                if raises {
                    single.extend(behind.iter().rev().take(TRIED).copied());
                }
                if is_help_seeking {
                    asked.extend(behind);
                }
            }
        }
        let alone = self.cohort.only(row);
        let mut records = Vec::new();
        for gone in single {
            let without = self.without(&alone, (rank, row), &[gone])?;
            if rounds_to(without.change) == Move::Down {
                records.push(WithoutRecord { record: reference(&self.cohort, row, gone), without });
            }
        }
        records.sort_by(|one, other| {
            one.without.change.total_cmp(&other.without.change).then_with(|| one.record.cmp(&other.record))
        });
        records.truncate(NAMED);
        let asked: Vec<EventRow> = asked.into_iter().collect();
        let help_seeking =
            if asked.is_empty() { None } else { Some(self.without(&alone, (rank, row), &asked)?) };
        Ok(Some(CounterEvidence { records, help_seeking }))
    }

    /// The score of a case, computed again as if these records were not there.
    fn without(
        &self,
        alone: &Cohort<'_>,
        (rank, row): (usize, usize),
        gone: &[EventRow],
    ) -> Result<Without, ScoringError> {
        let candidate = self.scorer().candidate();
        let matrix = candidate.features().compute_without(alone, gone)?;
        let log_odds = candidate.model().log_odds(&matrix)?[0];
        if log_odds.to_bits() == self.log_odds[row].to_bits() {
            let rank = rank as u32;
            return Ok(Without {
                records: gone.len(),
                change: 0.0,
                rank,
                rank_now: rank,
                of: self.order.len() as u32,
            });
        }
        // Ranked by falling scores: those above it come first, and the case itself is none of them.
        let above = self.order.partition_point(|&other| self.log_odds[other as usize] > log_odds);
        let itself = usize::from(rank <= above);
        Ok(Without {
            records: gone.len(),
            change: log_odds - self.log_odds[row],
            rank: (above - itself) as u32 + 1,
            rank_now: rank as u32,
            of: self.order.len() as u32,
        })
    }
}
