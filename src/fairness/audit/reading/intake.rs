//! What became of the rows of a table of scores.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::Day;
use crate::records::{Reject, RejectReason};
use crate::words;

/// What became of the rows of a table of scores. `read` is the sum of `audited`, the rejected, `unresolved`,
/// `not_followed` and `not_random`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct ScoreIntake {
    /// Rows read.
    pub read: u64,
    /// Rows in the audit.
    pub audited: u64,
    /// Rows in the audit that have no family where others have one: each counts as its own.
    pub without_cluster: u64,
    /// Rows in the audit that do not say whom they are about where others do: all of them count as one person.
    pub without_person: u64,
    /// Rows set apart because their outcome is not resolved.
    pub unresolved: u64,
    /// Rows set apart because their whole horizon had not passed when outcomes were last recorded.
    pub not_followed: u64,
    /// Rows set apart because they were not drawn at random, where a random arm was named.
    pub not_random: u64,
    /// Rows that could not be used, in the order of the table.
    pub rejected: Vec<Reject>,
    /// Where the outcome is one and the same for the latest rows, and was not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jump: Option<OutcomeJump>,
    /// Scores that may stand for none, the lowest and the highest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lone_scores: Vec<LoneScore>,
}

/// A score of several rows that lies farther from all others than these lie from each other, or of many different ones is the only one below zero. Programs
/// write such numbers (-1, -999, 9999) where there is no score: the rows then look like the lowest or the highest risks of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoneScore {
    /// The score.
    pub score: f64,
    /// How many audited rows have it.
    pub rows: u64,
}

/// From some day of scoring on every row has the outcome, or none has. That is seldom how the world changes, and often
/// how a table was made: of rows not followed long enough, only those who had the outcome already were kept, or it was not
/// recorded yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutcomeJump {
    /// From this day of scoring on.
    pub from: Day,
    /// How many rows were scored from then on.
    pub rows: u64,
    /// The share of earlier rows with the outcome, 0 to 1.
    pub before: f64,
    /// Whether all of the later ones have the outcome; if not, none has.
    pub all: bool,
}

impl ScoreIntake {
    /// How many rows were rejected for each column and reason, the commonest first.
    pub fn reasons(&self) -> Vec<(Option<&str>, RejectReason, u64)> {
        let mut counts: BTreeMap<(Option<&str>, RejectReason), u64> = BTreeMap::new();
        for rejected in &self.rejected {
            *counts.entry((rejected.column.as_deref(), rejected.reason)).or_default() += 1;
        }
        let mut reasons: Vec<_> =
            counts.into_iter().map(|((column, reason), count)| (column, reason, count)).collect();
        reasons.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        reasons
    }

    /// What is doubtful of the table, a sentence each: rows without a family or a person, an outcome that changes from some day
    /// on, and rows that could not be audited, by column and reason.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.without_cluster > 0 {
            warnings.push(format!("{} rows have no family; each counts as its own", self.without_cluster));
        }
        if self.without_person > 0 {
            warnings.push(format!(
                "{} rows do not say whom they are about; they count as one person, so that nothing is shown of fewer people than \
                 the minimum",
                self.without_person
            ));
        }
        warnings.extend(self.jump.map(|jump| jump.to_string()));
        warnings.extend(self.lone_scores.iter().map(LoneScore::to_string));
        if !self.rejected.is_empty() {
            let reasons: Vec<String> = self
                .reasons()
                .into_iter()
                .map(|(column, reason, count)| {
                    let column = column.map_or_else(String::new, |column| format!("column {column}: "));
                    format!("\n  {count}: {column}{}", reason.words())
                })
                .collect();
            let (rejected, read) = (self.rejected.len(), self.read);
            warnings.push(format!("{rejected} of {read} rows could not be audited:{}", reasons.concat()));
        }
        warnings
    }

    /// The rows set apart, with what for in words; none where there are none.
    pub fn set_apart(&self) -> Vec<(&'static str, u64)> {
        [
            ("not resolved: nobody knows yet whether the outcome followed", self.unresolved),
            ("not followed for the whole horizon", self.not_followed),
            ("not drawn at random: chosen by the ranking, or of neither arm", self.not_random),
        ]
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .collect()
    }
}

impl std::fmt::Display for OutcomeJump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "of the {} rows scored from {} on {} the outcome, of those before {:.1}%: rows may have been kept because of \
             it, or it was not recorded yet; say how long outcomes were waited for, or leave those rows out",
            words::count(self.rows),
            self.from,
            if self.all { "every one has" } else { "none has" },
            100.0 * self.before
        )
    }
}

impl std::fmt::Display for LoneScore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = words::counted(self.rows as usize, "row has", "rows have");
        write!(
            f,
            "{rows} the score {}, which stands apart from all others: if it stands for none, leave those rows out, because here it counts as \
             a risk like any other",
            self.score
        )
    }
}

impl LoneScore {
    /// Fewer rows than this are an extreme case and no habit of a program.
    const FEWEST_ROWS: u64 = 2;
    /// Of fewer different scores than this nobody can tell what is far.
    const FEWEST_OTHERS: usize = 4;
    /// And of fewer than this a card of points may well have one total below zero.
    const FEWEST_ABOVE: usize = 20;

    /// The lowest and the highest score, where they are such.
    pub(super) fn find(scores: &[f64]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        while let Some(lone) = Self::next(scores, &found) {
            found.push(lone);
        }
        found.sort_by(|a, b| a.score.total_cmp(&b.score));
        found
    }

    /// One more beside those that were found.
    fn next(scores: &[f64], found: &[Self]) -> Option<Self> {
        let is_left = |score: &f64| found.iter().all(|lone| lone.score.total_cmp(score).is_ne());
        let left = || scores.iter().copied().filter(is_left);
        let [low, high] = [left().reduce(f64::min)?, left().reduce(f64::max)?];
        [low, high].into_iter().find_map(|end| {
            let others = || left().filter(|score| score.total_cmp(&end).is_ne());
            let (least, most) = (others().reduce(f64::min)?, others().reduce(f64::max)?);
            let rows = left().filter(|score| score.total_cmp(&end).is_eq()).count() as u64;
            let gap = if end < least { least - end } else { end - most };
            let is_far = gap > most - least && are_several(others(), Self::FEWEST_OTHERS);
            let is_below = end < 0.0 && least >= 0.0 && are_several(others(), Self::FEWEST_ABOVE);
            let is_lone = rows >= Self::FEWEST_ROWS && (is_far || is_below);
            is_lone.then_some(Self { score: end, rows })
        })
    }
}

/// Whether there are so many different ones.
fn are_several(scores: impl Iterator<Item = f64>, fewest: usize) -> bool {
    let mut seen: Vec<u64> = Vec::with_capacity(fewest);
    scores.map(f64::to_bits).any(|score| {
        if !seen.contains(&score) {
            seen.push(score);
        }
        seen.len() >= fewest
    })
}

impl OutcomeJump {
    /// So unlikely would it be by chance: one in a million, so that no honest table is ever accused.
    const CHANCE: f64 = 1e-6;

    /// Looks at each row's day of scoring and outcome.
    pub(super) fn find(rows: &mut [(Day, bool)]) -> Option<Self> {
        rows.sort_unstable();
        let last = rows.last()?.1;
        // Whole days: from the day after the last one that has a row of the other kind.
        let other = rows.iter().rposition(|&(_, outcome)| outcome != last)?;
        let start = rows.partition_point(|&(day, _)| day <= rows[other].0);
        let (before, after) = rows.split_at(start);
        let share = before.iter().filter(|&&(_, outcome)| outcome).count() as f64 / before.len() as f64;
        let same = if last { share } else { 1.0 - share };
        let is_chance = after.is_empty() || same.powf(after.len() as f64) > Self::CHANCE;
        (!is_chance).then(|| Self { from: after[0].0, rows: after.len() as u64, before: share, all: last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_that_stands_for_none_is_told_from_the_others() {
        let with = |more: &[f64]| -> Vec<(f64, u64)> {
            let scores: Vec<f64> =
                (0..100).map(|row| f64::from(row) / 100.0).chain(more.iter().copied()).collect();
            LoneScore::find(&scores).into_iter().map(|lone| (lone.score, lone.rows)).collect()
        };
        assert_eq!(with(&[]), []);
        assert_eq!(with(&[-1.0, -1.0, -1.0]), [(-1.0, 3)]);
        assert_eq!(with(&[9999.0, -999.0, 9999.0, -999.0]), [(-999.0, 2), (9999.0, 2)]);
        // One row is an extreme case. Negative scores among others are scores, and so is what is not that far.
        assert_eq!(with(&[9999.0]), []);
        assert_eq!(with(&[-0.2, -0.2, -0.1]), []);
        assert_eq!(with(&[1.5, 1.5]), []);
        // Where no card of points would have as many totals, the only one below zero stands apart.
        let points = |lowest: f64, most: u32| {
            let scores: Vec<f64> = (0..=most).map(f64::from).chain([lowest, lowest]).collect();
            LoneScore::find(&scores).len()
        };
        assert_eq!([points(-1.0, 100), points(-1.0, 6), points(-2.0, 6), points(0.0, 100)], [1, 0, 0, 0]);
        // Of three bands and a fourth nobody can tell.
        assert_eq!(LoneScore::find(&[0.0, 1.0, 2.0, 9.0, 9.0]), []);
        assert_eq!(LoneScore::find(&[]), []);
    }

    #[test]
    fn an_outcome_that_is_the_same_from_some_day_on_is_told_from_chance() {
        let day = |nth: i32| "2014-01-01".parse::<Day>().unwrap() + nth;
        let rows = |late: usize, outcome: bool| -> Vec<(Day, bool)> {
            let early = (0..400).map(|row| (day(row / 10), row % 10 < 4));
            early.chain((0..late).map(|row| (day(60 + row as i32 % 7), outcome))).collect()
        };
        // 0.4^15 is just above one in a million, 0.4^16 below it.
        assert_eq!(OutcomeJump::find(&mut rows(15, true)), None);
        let jump = OutcomeJump::find(&mut rows(16, true)).unwrap();
        assert_eq!((jump.from, jump.rows, jump.all), (day(60), 16, true));
        assert!((jump.before - 0.4).abs() < 1e-12);
        assert!(jump.to_string().contains("every one has the outcome"), "{jump}");
        // 0.6^27 is above it, 0.6^28 below.
        assert_eq!(OutcomeJump::find(&mut rows(27, false)), None);
        assert!(!OutcomeJump::find(&mut rows(28, false)).unwrap().all);
        assert_eq!(OutcomeJump::find(&mut []), None);
        assert_eq!(OutcomeJump::find(&mut rows(0, true)), None);
    }
}
