//! The steps of a feature whose numbers are codes without an order.

use super::column::MOST_STEPS;
use crate::features::Cell;
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
    /// The step of the codes that share one.
    shared: Option<u8>,
}

impl Levels {
    /// Each code by itself.
    pub(super) fn apart(codes: usize) -> Self {
        Self { of_code: (0..codes).map(|code| code as u8).collect(), shared: None }
    }

    /// Rare codes together, where there are at least two.
    pub(super) fn grouped(cells: &[f32], codes: usize, families: &[u64]) -> Self {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); codes];
        for (row, &raw) in cells.iter().enumerate() {
            if let Some(rows) = Cell::decode(raw).value().and_then(|code| rows.get_mut(code as usize)) {
                rows.push(row);
            }
        }
        let mut commonest: Vec<usize> = (0..codes).collect();
        commonest.sort_by_key(|&code| (std::cmp::Reverse(rows[code].len()), code));
        let mut is_rare = vec![false; codes];
        for (place, &code) in commonest.iter().enumerate() {
            let is_broad = || is_broad(rows[code].iter().copied(), Some(families));
            is_rare[code] = !rows[code].is_empty() && (place >= MOST_OWN || !is_broad());
        }
        if codes <= MOST_OWN && is_rare.iter().filter(|&&is_rare| is_rare).count() < 2 {
            return Self::apart(codes);
        }
        // A code that nobody has lies with the rare: it is as rare as can be.
        let is_own = |code: usize| !is_rare[code] && !rows[code].is_empty();
        let own = (0..codes).filter(|&code| is_own(code)).count() as u8;
        let mut next = 0..own;
        let of_code = (0..codes).map(|code| if is_own(code) { next.next().unwrap_or(own) } else { own }).collect();
        Self { of_code, shared: Some(own) }
    }

    /// How many steps there are for values: those of the codes, and one for any other.
    pub(super) fn steps(&self) -> usize {
        self.of_code.iter().max().map_or(0, |&last| usize::from(last) + 1) + 1
    }

    /// How many codes share a step.
    pub(super) fn sharing(&self) -> usize {
        self.shared.map_or(0, |shared| self.of_code.iter().filter(|&&step| step == shared).count())
    }

    /// The step of each case: those of values, then missing, then not covered.
    pub(super) fn codes(&self, cells: &[f32]) -> Vec<u8> {
        let values = self.steps();
        let code = |&raw: &f32| match Cell::decode(raw) {
            Cell::Value(value) => self.of_code.get(value as usize).map_or(values as u8 - 1, |&step| step),
            Cell::Missing => values as u8,
            Cell::NotCovered => values as u8 + 1,
        };
        cells.iter().map(code).collect()
    }

    /// For each step of the finished term the step that it is of: the codes, any other code, missing and not covered.
    pub(super) fn spread(&self) -> Vec<usize> {
        let values = self.steps();
        self.of_code.iter().map(|&step| step.into()).chain(values - 1..values + 2).collect()
    }
}
