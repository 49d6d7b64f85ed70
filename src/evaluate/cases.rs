//! Test cases in columns.

use crate::calendar::AsOf;
use crate::error::EvaluateError;

use super::performance::TestRows;

/// Test cases in columns, all in one order: what a model that had never seen a case's family or its future said
/// of it, and what happened.
#[derive(Clone, Default, PartialEq)]
pub struct Cases {
    /// The pseudonymous ids; empty where they are not known.
    pub entities: Vec<String>,
    /// The as-of dates.
    pub dates: Vec<AsOf>,
    /// A number for each case's family.
    pub families: Vec<u32>,
    /// Whether the outcome came about.
    pub outcomes: Vec<bool>,
    /// The scores, in log-odds.
    pub log_odds: Vec<f64>,
    /// Whether the case was on its date's list; empty where no lists were drawn.
    pub listed: Vec<bool>,
}

impl Cases {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log_odds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log_odds.is_empty()
    }

    /// What figures are measured on, with the part of a place that each case has on its date's list.
    pub(super) fn rows<'a>(&'a self, places: &'a [f64]) -> TestRows<'a> {
        TestRows { log_odds: &self.log_odds, outcomes: &self.outcomes, families: &self.families, places }
    }

    /// Each case by its date and its id.
    #[must_use]
    pub fn ids(&self) -> Vec<(AsOf, &str)> {
        self.dates.iter().copied().zip(self.entities.iter().map(String::as_str)).collect()
    }

    /// Those of one date.
    pub(super) fn at(&self, date: AsOf) -> Self {
        let places: Vec<usize> = (0..self.len()).filter(|&place| self.dates[place] == date).collect();
        Self {
            entities: places.iter().filter_map(|&place| self.entities.get(place).cloned()).collect(),
            dates: vec![date; places.len()],
            families: places.iter().map(|&place| self.families[place]).collect(),
            outcomes: places.iter().map(|&place| self.outcomes[place]).collect(),
            log_odds: places.iter().map(|&place| self.log_odds[place]).collect(),
            listed: places.iter().filter_map(|&place| self.listed.get(place).copied()).collect(),
        }
    }

    /// Checks that every column has an entry for each case, and that scores are numbers.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`], [`EvaluateError::LengthMismatch`] or [`EvaluateError::Score`].
    pub fn check(&self) -> Result<(), EvaluateError> {
        let expected = self.len();
        let optional = |found: usize| if found == 0 { expected } else { found };
        for (what, found) in [
            ("entities", optional(self.entities.len())),
            ("dates", self.dates.len()),
            ("families", self.families.len()),
            ("outcomes", self.outcomes.len()),
            ("listed", optional(self.listed.len())),
        ] {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found });
            }
        }
        if expected == 0 {
            return Err(EvaluateError::Empty);
        }
        match self.log_odds.iter().position(|score| !score.is_finite()) {
            Some(row) => Err(EvaluateError::Score { row }),
            None => Ok(()),
        }
    }
}

crate::opaque_debug!(Cases);

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Cases {
        let (early, late) = ("2023-04-01".parse().unwrap(), "2024-04-01".parse().unwrap());
        Cases {
            entities: vec!["a".into(), "b".into(), "a".into()],
            dates: vec![early, early, late],
            families: vec![1, 2, 1],
            outcomes: vec![true, false, false],
            log_odds: vec![0.5, -0.5, 0.25],
            listed: vec![true, false, true],
        }
    }

    #[test]
    fn the_cases_of_a_date_keep_their_columns_together() {
        let cases = three();
        let late = cases.at(cases.dates[2]);
        assert_eq!((late.len(), late.ids()), (1, vec![(cases.dates[2], "a")]));
        assert_eq!((late.families.as_slice(), late.listed.as_slice()), ([1].as_slice(), [true].as_slice()));
        assert_eq!(cases.at(cases.dates[0]).log_odds, [0.5, -0.5]);
        assert!(late.check().is_ok() && cases.check().is_ok());
    }

    #[test]
    fn columns_of_other_lengths_and_scores_that_are_none_are_refused() {
        let refused = |change: fn(&mut Cases)| {
            let mut cases = three();
            change(&mut cases);
            cases.check().unwrap_err()
        };
        let is_of = |error: EvaluateError, column: &str| matches!(error, EvaluateError::LengthMismatch { what, expected: 3, found: 2 } if what == column);
        assert!(is_of(refused(|cases| cases.entities.truncate(2)), "entities"));
        assert!(is_of(refused(|cases| cases.dates.truncate(2)), "dates"));
        assert!(is_of(refused(|cases| cases.families.truncate(2)), "families"));
        assert!(is_of(refused(|cases| cases.outcomes.truncate(2)), "outcomes"));
        assert!(is_of(refused(|cases| cases.listed.truncate(2)), "listed"));
        assert_eq!(refused(|cases| cases.log_odds[1] = f64::NAN), EvaluateError::Score { row: 1 });
        assert_eq!(refused(|cases| *cases = Cases::default()), EvaluateError::Empty);
        let bare = Cases { entities: Vec::new(), listed: Vec::new(), ..three() };
        assert!(bare.check().is_ok());
    }
}
