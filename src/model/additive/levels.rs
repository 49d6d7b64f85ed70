//! The steps of a feature whose numbers are codes without an order.

use super::column::MOST_STEPS;
use crate::features::{Cells, Exact};
use crate::model::footing::is_broad;

/// The most codes: each has a step in the model file, with its refits.
pub(super) const MOST_CODES: usize = 10_000;
/// The most codes with a step of their own: a step is a byte, and four are for the rare, for codes that training did not know and for
/// the two absences.
const MOST_OWN: usize = MOST_STEPS - 4;

/// For each code the step that it is of.
///
/// Codes of too few families share one step, and so do those beyond the commonest [`MOST_OWN`]. By themselves they would say what
/// became of those few; together they say what a rare code is worth, which is more than nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    of_code: Vec<u8>,
    /// How many codes share a step.
    sharing: usize,
    /// The step of any other code.
    other: u8,
}

impl Levels {
    /// Each code by itself.
    pub(super) fn apart(codes: usize) -> Self {
        Self { of_code: (0..codes).map(|code| code as u8).collect(), sharing: 0, other: codes as u8 }
    }

    /// Rare codes together, where there are at least two.
    pub(super) fn grouped(cells: Cells<'_>, codes: usize, families: &[u64]) -> Self {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); codes];
        for (row, cell) in cells.iter().enumerate() {
            if let Some(rows) = cell.value().and_then(|code| rows.get_mut(code as usize)) {
                rows.push(row);
            }
        }
        let mut commonest: Vec<usize> = (0..codes).filter(|&code| !rows[code].is_empty()).collect();
        commonest.sort_by_key(|&code| (std::cmp::Reverse(rows[code].len()), code));
        let (own, sharing): (Vec<usize>, Vec<usize>) = {
            let is_own = |place: usize, code: usize| {
                place < MOST_OWN && is_broad(rows[code].iter().copied(), Some(families))
            };
            let marked = commonest.iter().enumerate().map(|(place, &code)| (is_own(place, code), code));
            let (own, sharing): (Vec<_>, Vec<_>) = marked.partition(|(is_own, _)| *is_own);
            let codes = |held: Vec<(bool, usize)>| held.into_iter().map(|(_, code)| code).collect();
            (codes(own), codes(sharing))
        };
        if codes <= MOST_OWN && sharing.len() < 2 {
            return Self::apart(codes);
        }
        let shared = own.len() as u8;
        let other = shared + u8::from(!sharing.is_empty());
        let mut of_code = vec![other; codes];
        for &code in &sharing {
            of_code[code] = shared;
        }
        let mut own = own;
        own.sort_unstable();
        for (&code, step) in own.iter().zip(0..) {
            of_code[code] = step;
        }
        Self { of_code, sharing: sharing.len(), other }
    }

    /// How many steps there are for values: those of the codes, and one for any other.
    pub(super) fn steps(&self) -> usize {
        usize::from(self.other) + 1
    }

    /// How many codes share a step.
    pub(super) fn sharing(&self) -> usize {
        self.sharing
    }

    /// The step of each case: those of values, then missing, then not covered.
    pub(super) fn codes(&self, cells: Cells<'_>) -> Vec<u8> {
        let values = self.steps();
        let code = |cell: Exact| match cell {
            Exact::Value(value) => self.of_code.get(value as usize).map_or(self.other, |&step| step),
            Exact::Missing => values as u8,
            Exact::NotCovered => values as u8 + 1,
        };
        cells.iter().map(code).collect()
    }

    /// For each step of the finished term the step that it is of: the codes, any other code, missing and not covered.
    pub(super) fn spread(&self) -> Vec<usize> {
        let values = self.steps();
        self.of_code.iter().map(|&step| step.into()).chain(values - 1..values + 2).collect()
    }
}
