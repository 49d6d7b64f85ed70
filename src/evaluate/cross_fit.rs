//! Cross-fitting: every case is scored by a model that has not seen its family.

use serde::{Deserialize, Serialize};

use crate::stats::random::mix;

/// How families are kept from being trained and tested on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FamilyRule {
    /// Families are dealt into so many folds; each fold's cases are scored by a model trained on the
    /// other folds' (at the earlier dates). Every case of the test date is tested, and the right choice
    /// where the same people are in the cohort year after year. The default, with 5 folds: the usual
    /// compromise between training on most families and fitting few models.
    CrossFit(#[cfg_attr(feature = "schema", schemars(range(min = 2)))] u32),
    /// Families in the test are left out of training. One model a split; the right choice where most
    /// people appear once.
    LeaveOut,
}

/// Families kept from being learnt from and scored at once. A family's fold depends on its number and the seed
/// alone, so it is the same at every date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrossFit<'a> {
    /// The family of each row.
    pub(crate) families: &'a [u32],
    /// How they are kept apart.
    pub(crate) rule: FamilyRule,
    /// Deals families into folds.
    pub(crate) seed: u64,
}

/// What one model learns from, and the places among the scored rows that it scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) learnt: Vec<u32>,
    pub(crate) places: Vec<usize>,
}

impl CrossFit<'_> {
    /// The fold of a row; 0 where there is one model.
    pub(crate) fn fold(&self, row: u32) -> u32 {
        match self.rule {
            FamilyRule::CrossFit(folds) => {
                (mix(self.seed, u64::from(self.families[row as usize])) % u64::from(folds)) as u32
            }
            FamilyRule::LeaveOut => 0,
        }
    }

    /// The models to fit: each learns from rows of `learns` and scores rows of `scored`, and of no family both.
    /// Every place among the scored rows is in one part; a fold without one has none.
    pub(crate) fn parts(&self, learns: &[u32], scored: &[u32]) -> Vec<Part> {
        match self.rule {
            FamilyRule::CrossFit(folds) => (0..folds)
                .map(|this| Part {
                    learnt: learns.iter().copied().filter(|&row| self.fold(row) != this).collect(),
                    places: (0..scored.len()).filter(|&place| self.fold(scored[place]) == this).collect(),
                })
                .filter(|part| !part.places.is_empty())
                .collect(),
            FamilyRule::LeaveOut => {
                let family = |row: u32| self.families[row as usize];
                let tested: hashbrown::HashSet<u32> = scored.iter().map(|&row| family(row)).collect();
                let learnt = learns.iter().copied().filter(|&row| !tested.contains(&family(row))).collect();
                vec![Part { learnt, places: (0..scored.len()).collect() }]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Families of one or two rows; the even rows are learnt from, and every fifth is scored.
    fn rows() -> (Vec<u32>, Vec<u32>, Vec<u32>) {
        let families = (0..400).map(|row| row * 7 % 211).collect();
        (families, (0..400).step_by(2).collect(), (0..400).step_by(5).collect())
    }

    #[test]
    fn no_family_is_learnt_from_and_scored_by_one_model_and_every_case_is_scored_once() {
        let (families, learns, scored) = rows();
        for rule in [FamilyRule::CrossFit(2), FamilyRule::CrossFit(5), FamilyRule::LeaveOut] {
            let parts = CrossFit { families: &families, rule, seed: 3 }.parts(&learns, &scored);
            let mut places: Vec<usize> = parts.iter().flat_map(|part| part.places.clone()).collect();
            places.sort_unstable();
            assert_eq!(places, (0..scored.len()).collect::<Vec<_>>());
            for part in &parts {
                assert!(part.learnt.iter().all(|row| learns.contains(row)) && !part.learnt.is_empty());
                for &place in &part.places {
                    let family = families[scored[place] as usize];
                    assert!(part.learnt.iter().all(|&row| families[row as usize] != family));
                }
            }
        }
    }

    #[test]
    fn nothing_is_left_out_that_need_not_be() {
        let (families, learns, scored) = rows();
        let fit = CrossFit { families: &families, rule: FamilyRule::CrossFit(5), seed: 3 };
        for part in fit.parts(&learns, &scored) {
            let this = fit.fold(scored[part.places[0]]);
            let others = learns.iter().filter(|&&row| fit.fold(row) != this).count();
            assert_eq!(part.learnt.len(), others);
        }
        // A fold in which nobody is scored needs no model.
        let one = &scored[..1];
        assert_eq!(fit.parts(&learns, one).len(), 1);
    }

    #[test]
    fn a_family_stays_in_its_fold_whatever_else_is_there() {
        let families = [5, 9, 5, 12];
        let fit = CrossFit { families: &families, rule: FamilyRule::CrossFit(4), seed: 11 };
        assert_eq!(fit.fold(0), fit.fold(2));
        let other = CrossFit { families: &[12, 5], ..fit };
        assert_eq!((other.fold(0), other.fold(1)), (fit.fold(3), fit.fold(0)));
    }
}
