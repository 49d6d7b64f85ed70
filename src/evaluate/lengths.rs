//! How lists of other lengths than the plan's would have done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::performance::Listed;
use super::ranking::places_at_capacity;
use crate::stats::{Estimate, expected_share};
use crate::words;

/// The lengths that are measured: in tens where most lists end, then in wider steps. None is under ten, and none is
/// close to the one before: whether single cases of the top had the outcome is nobody's business.
const MEASURED: [u32; 19] =
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 150, 200, 250, 300, 400, 500, 750, 1_000];

/// What came of the cases on the backtest's lists, had each had this many places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListLength {
    /// Places on each list.
    pub cases: u32,
    /// Lists, one for each test date that has more cases.
    pub lists: u32,
    /// The share of those on them that had the outcome (Wilson); cases of equal score at the end share the last places.
    pub observed: Estimate,
}

impl ListLength {
    /// What is said of a list of `length` cases, in a sentence or two.
    #[must_use]
    pub fn words(&self, length: usize) -> String {
        let cases = words::counted(self.cases as usize, "case", "cases");
        let lists = words::counted(self.lists as usize, "list", "lists");
        let said = format!(
            "In the backtest, {} of those on a list of {cases} had the outcome ({lists}; 95% interval in brackets).",
            self.observed.percent()
        );
        if length == self.cases as usize {
            said
        } else {
            format!("{said} A list of exactly {} was not measured.", words::count(length as u64))
        }
    }
}

/// The one of these lengths that says most about a list of `length` cases: the shortest that is not shorter, or the
/// longest.
pub(super) fn nearest(measured: &[ListLength], length: usize) -> Option<&ListLength> {
    measured.iter().find(|held| held.cases as usize >= length).or(measured.last())
}

/// Lists and expected cases with the outcome on them, by length.
#[derive(Debug, Default)]
pub(super) struct Lengths(BTreeMap<u32, (u32, f64)>);

impl Lengths {
    /// Takes one test date's cases.
    pub(super) fn add(&mut self, log_odds: &[f64], outcomes: &[bool]) {
        for length in MEASURED.into_iter().filter(|&length| (length as usize) < log_odds.len()) {
            let Listed { found, .. } =
                Listed::count(outcomes, &places_at_capacity(log_odds, length as usize));
            let held = self.0.entry(length).or_default();
            *held = (held.0 + 1, held.1 + found);
        }
    }

    pub(super) fn measured(self) -> Vec<ListLength> {
        let of = |(cases, (lists, found)): (u32, (u32, f64))| {
            let observed = expected_share(found, u64::from(cases) * u64::from(lists))?;
            Some(ListLength { cases, lists, observed })
        };
        self.0.into_iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::wilson;

    #[test]
    fn lists_of_ten_and_twenty_by_hand() {
        // 25 cases at the first date: the top eight had the outcome, and the last. 15 at the second, all of one score,
        // six with the outcome: ten places hold 6 * 10/15 = 4 of them. Twenty places there are not.
        let mut lengths = Lengths::default();
        let scores: Vec<f64> = (0..25).map(|row| -f64::from(row)).collect();
        let outcomes: Vec<bool> = (0..25).map(|row| row < 8 || row == 24).collect();
        lengths.add(&scores, &outcomes);
        lengths.add(&[0.5; 15], &(0..15).map(|row| row % 5 < 2).collect::<Vec<_>>());
        let found = lengths.measured();
        let of = |cases, lists, observed| ListLength { cases, lists, observed };
        assert_eq!(found, [of(10, 2, wilson(12, 20).unwrap()), of(20, 1, wilson(8, 20).unwrap())]);

        let cases = |length: usize| nearest(&found, length).map(|held| held.cases);
        assert_eq!(
            [cases(1), cases(10), cases(11), cases(20), cases(90)].map(Option::unwrap),
            [10, 10, 20, 20, 20]
        );
        assert_eq!(nearest(&[], 20), None);

        let said = found[1].words(20);
        assert_eq!(
            said,
            "In the backtest, 40.0% (21.9 to 61.3) of those on a list of 20 cases had the outcome (1 list; 95% \
             interval in brackets)."
        );
        assert!(found[1].words(15).ends_with("A list of exactly 15 was not measured."));
    }
}
