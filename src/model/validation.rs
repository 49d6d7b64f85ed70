//! Held-out cases inside training: by family and by time, never by row.

use crate::calendar::AsOf;
use crate::stats::random::mixed;

/// Which cases a trainer may learn from, and on which it checks its settings, fold by fold.
///
/// A family is in one fold with all its members and dates, so no fit is checked on the sibling, or the
/// next month, of a case it learnt from. Where there are several as-of dates, settings are chosen as the
/// model will be used: learning from the earlier dates, checking on the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validation {
    folds: u8,
    fold: Vec<u8>,
    side: Vec<Side>,
}

/// What a case is for while settings are chosen. The final fit learns from all cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// There is one date: a case is learnt from in the other folds and checked on in its own.
    Both,
    /// An earlier date: learnt from.
    Learn,
    /// The last date: checked on.
    Check,
}

impl Validation {
    /// Folds for cases with these keys (one a family, the same at every run over the same records) and
    /// dates. `folds` is 2 or more.
    pub(crate) fn new(keys: &[u64], dates: &[AsOf], folds: u8, seed: u64) -> Self {
        let last = dates.iter().max();
        let several = dates.iter().min() != last;
        let side = |date: &AsOf| match (several, Some(date) == last) {
            (false, _) => Side::Both,
            (true, true) => Side::Check,
            (true, false) => Side::Learn,
        };
        Self {
            folds,
            fold: keys.iter().map(|&key| (mixed(seed, key) % u64::from(folds)) as u8).collect(),
            side: dates.iter().map(side).collect(),
        }
    }

    /// Folds for cases of one date.
    pub(crate) fn of_one_date(keys: &[u64], folds: u8, seed: u64) -> Self {
        let fold = keys.iter().map(|&key| (mixed(seed, key) % u64::from(folds)) as u8).collect();
        Self { folds, fold, side: vec![Side::Both; keys.len()] }
    }

    /// How many folds there are.
    pub(crate) fn folds(&self) -> u8 {
        self.folds
    }

    /// The fold of a case.
    pub(crate) fn fold(&self, row: usize) -> u8 {
        self.fold[row]
    }

    /// Whether the fit of a fold learns from a case.
    pub(crate) fn learns(&self, row: usize, fold: u8) -> bool {
        self.fold[row] != fold && self.side[row] != Side::Check
    }

    /// Whether the fit of a fold is checked on a case.
    pub(crate) fn checks(&self, row: usize, fold: u8) -> bool {
        self.fold[row] == fold && self.side[row] != Side::Learn
    }
}
