//! What is fitted.

use crate::features::{Cells, Direction};
use crate::model::shape::Scale;
use crate::model::validation::Validation;

/// What is fitted.
pub(super) struct Task<'a> {
    /// A column of cells for each feature.
    pub(super) cells: &'a [Cells<'a>],
    pub(super) kinds: &'a [FeatureKind],
    pub(super) outcomes: &'a [bool],
    pub(super) mass: Option<&'a [f32]>,
    /// A key for the family of each case.
    pub(super) families: &'a [u64],
    pub(super) validation: &'a Validation,
    pub(super) most_steps: usize,
    pub(super) most_pairs: usize,
    pub(super) most_terms: Option<usize>,
    pub(super) redraws: usize,
    pub(super) seed: u64,
}

impl Task<'_> {
    /// How much each case counts where a fold's cases are set aside: those are nothing.
    pub(super) fn learnt(&self, fold: u8) -> Vec<f32> {
        self.counting(|row| self.validation.learns(row, fold))
    }

    /// And where a fold's cases are checked on.
    pub(super) fn checked(&self, fold: u8) -> Vec<f32> {
        self.counting(|row| self.validation.checks(row, fold))
    }

    fn counting(&self, is_in: impl Fn(usize) -> bool) -> Vec<f32> {
        let mass = |row: usize| if is_in(row) { self.mass.map_or(1.0, |mass| mass[row]) } else { 0.0 };
        (0..self.outcomes.len()).map(mass).collect()
    }
}

/// What a trainer is told of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FeatureKind {
    /// Numbers in order, and the scale on which a straight line is straight.
    Number(Direction, Scale),
    /// So many codes 0, 1, 2 ... without an order, and one more for any other. Where they are of somebody's list, each says what it
    /// says by itself or nothing: rare ones share no step, and the term keeps out of pairs.
    Category { codes: usize, is_listed: bool },
}
