//! One feature as a few bins, with a bin each for missing and for not covered; what the bins of other
//! families say of a group.

use serde::Serialize;

use super::separation::Levels;
use crate::features::{Cell, FeatureMatrix};

/// A feature's cells in bins.
#[derive(Debug)]
pub(super) struct Bins {
    /// For each row its bin: those of values first, in their order, then missing, then not covered.
    of_row: Vec<u16>,
    /// How many bins there are of values.
    values: usize,
    /// Whether they are codes, which are never higher or lower.
    are_codes: bool,
}

/// In which way a feature tells a group from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaning {
    /// Its values are higher in the group.
    Higher,
    /// Its values are lower in the group.
    Lower,
    /// It is missing more often in the group.
    MoreOftenMissing,
    /// It is missing less often in the group.
    LessOftenMissing,
    /// Its source covers the group less often.
    LessOftenCovered,
    /// Its source covers the group more often.
    MoreOftenCovered,
    /// In none of these ways alone: for instance values in the middle are more usual in the group.
    NoSingleDirection,
}

impl Leaning {
    /// In words, such as "higher in the group".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Higher => "higher in the group",
            Self::Lower => "lower in the group",
            Self::MoreOftenMissing => "more often missing",
            Self::LessOftenMissing => "less often missing",
            Self::LessOftenCovered => "less often covered",
            Self::MoreOftenCovered => "more often covered",
            Self::NoSingleDirection => "in no single direction",
        }
    }
}

impl Bins {
    /// The bins of a column. Bins of values hold about equally many cases; a value that many share, such as
    /// zero, has a bin of its own. Nothing but the column itself is looked at.
    pub(super) fn of(matrix: &FeatureMatrix, column: usize, most: usize) -> Self {
        let mut sorted: Vec<f32> = matrix.column(column).filter_map(Cell::value).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut last_of_bin: Vec<f32> = Vec::new();
        let (mut held, mut left) = (0, sorted.len());
        for same in sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
            held += same.len();
            let bins_left = most.saturating_sub(last_of_bin.len()).max(1);
            if held * bins_left >= left {
                last_of_bin.push(same[0]);
                (left, held) = (left - held, 0);
            }
        }
        let values = last_of_bin.len();
        let bin = |cell: Cell| match cell {
            Cell::Value(value) => last_of_bin.partition_point(|&last| last < value).min(values.max(1) - 1),
            Cell::Missing => values,
            Cell::NotCovered => values + 1,
        };
        let of_row = matrix.column(column).map(|cell| bin(cell) as u16).collect();
        Self { of_row, values, are_codes: false }
    }

    /// A bin for each of so many codes, and one for any other: codes have no neighbours to share a bin with.
    pub(super) fn of_codes(matrix: &FeatureMatrix, column: usize, codes: usize) -> Self {
        let bin = |cell: Cell| match cell {
            Cell::Value(value) => (value as usize).min(codes),
            Cell::Missing => codes + 1,
            Cell::NotCovered => codes + 2,
        };
        let of_row = matrix.column(column).map(|cell| bin(cell) as u16).collect();
        Self { of_row, values: codes + 1, are_codes: true }
    }

    fn width(&self) -> usize {
        self.values + 2
    }

    /// For each fold and bin, how many are not in the group and how many are.
    fn counts(&self, members: &[bool], fold_of_row: &[u8], folds: usize) -> Vec<Vec<[f64; 2]>> {
        let mut counts = vec![vec![[0.0; 2]; self.width()]; folds];
        for ((&bin, &member), &fold) in self.of_row.iter().zip(members).zip(fold_of_row) {
            counts[usize::from(fold)][usize::from(bin)][usize::from(member)] += 1.0;
        }
        counts
    }

    /// The rows in the order in which the *other* folds' families say that a member is likelier.
    pub(super) fn cross_fitted(&self, members: &[bool], fold_of_row: &[u8], folds: usize) -> Levels {
        let counts = self.counts(members, fold_of_row, folds);
        let mut level_of = Vec::with_capacity(folds);
        let (mut in_stratum, mut start) = (Vec::with_capacity(folds), 0_u32);
        for fold in 0..folds {
            let learnt: Vec<[f64; 2]> = (0..self.width())
                .map(|bin| {
                    let others = counts.iter().enumerate().filter(|&(other, _)| other != fold);
                    others.fold([0.0; 2], |[o, m], (_, bins)| [o + bins[bin][0], m + bins[bin][1]])
                })
                .collect();
            let all = learnt.iter().fold([0.0; 2], |[o, m], count| [o + count[0], m + count[1]]);
            let base = all[1] / (all[0] + all[1]).max(1.0);
            let rate = |[o, m]: [f64; 2]| (m + BELIEF * base) / (o + m + BELIEF);
            let rates: Vec<f64> = learnt.into_iter().map(rate).collect();
            let mut order: Vec<usize> = (0..rates.len()).collect();
            order.sort_by(|&a, &b| rates[a].total_cmp(&rates[b]));
            let mut levels = vec![0_u32; rates.len()];
            let mut level = start;
            for (nth, &bin) in order.iter().enumerate() {
                if nth > 0 && rates[bin] > rates[order[nth - 1]] {
                    level += 1;
                }
                levels[bin] = level;
            }
            in_stratum.push(level + 1 - start);
            start = level + 1;
            level_of.push(levels);
        }
        let level = |(&bin, &fold): (&u16, &u8)| level_of[usize::from(fold)][usize::from(bin)];
        Levels { of_row: self.of_row.iter().zip(fold_of_row).map(level).collect(), in_stratum }
    }

    /// In which way the feature tells the group from the rest, given how well it does so at all.
    ///
    /// Each way is a question with an area under the curve of its own: are values higher (among those that
    /// have one), is it missing, is it not covered. The one that explains most of the whole is named; where
    /// none explains a third of it, none is.
    pub(super) fn leaning(&self, members: &[bool], auc: f64) -> Leaning {
        let none = vec![0; members.len()];
        let counts = &self.counts(members, &none, 1)[0];
        let total = counts.iter().fold([0.0; 2], |[o, m], count| [o + count[0], m + count[1]]);
        let share = |bin: usize, side: usize| counts[bin][side] / total[side].max(1.0);
        let (mut below, mut by_values) = (0.0, 0.0);
        for bin in 0..self.values {
            by_values += share(bin, 1) * (below + share(bin, 0) / 2.0);
            below += share(bin, 0);
        }
        let with_value: f64 = (0..self.values).map(|bin| share(bin, 1)).sum();
        by_values -= with_value * below / 2.0;
        if self.are_codes {
            by_values = 0.0;
        }
        let more = |bin: usize| (share(bin, 1) - share(bin, 0)) / 2.0;
        let (missing, not_covered) = (more(self.values), more(self.values + 1));
        let ways = [
            (by_values, Leaning::Higher, Leaning::Lower),
            (missing, Leaning::MoreOftenMissing, Leaning::LessOftenMissing),
            (not_covered, Leaning::LessOftenCovered, Leaning::MoreOftenCovered),
        ];
        let Some((by, up, down)) = ways.into_iter().max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())) else {
            return Leaning::NoSingleDirection;
        };
        if by.abs() < (auc - 0.5) / 3.0 || by.abs() <= 0.0 {
            Leaning::NoSingleDirection
        } else if by > 0.0 {
            up
        } else {
            down
        }
    }
}

/// A bin's rate counts as if so many more cases at the overall rate were in it: as many as the smallest
/// group that is shown, so that a bin of few cases does not come first or last by luck.
const BELIEF: f64 = 10.0;
