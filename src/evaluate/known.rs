//! What of a backtest's lists somebody was working with already, and what the lists add.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cases::Cases;
use super::ranking::places_at_capacity;
use crate::error::EvaluateError;
use crate::known_to::{IsKnown, KnownCases};
use crate::stats::{Estimate, clustered_share};

/// The fewest cases that a share is told of. Below it a share would be about single people, and its interval about
/// nothing.
const FEWEST: u64 = 10;

/// How far a backtest's lists would have held cases that a service was working with on the day, and how they did among
/// the others. Shares have Wilson's interval, on an effective number of cases where families hold several; `None`
/// stands where they would be of fewer than ten cases.
///
/// A case of which nobody can say whether it was known counts as neither: not as known, and not among those with whom
/// nobody was working.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownReport {
    /// Known to any of them.
    pub any: KnownShares,
    /// Known to each, in the project's order.
    pub each: Vec<KnownKind>,
    /// Of the test cases with which nobody was working, the share with the outcome.
    pub prevalence: Option<Estimate>,
    /// How the lists did among those with whom nobody was working.
    pub lists: NotKnownFigures,
    /// How lists of the same length would have done that are drawn of these alone.
    pub own_lists: NotKnownFigures,
}

/// Shares of the test cases, and of the places on the lists.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownShares {
    /// Of all test cases, the share that was known.
    pub cases: Option<Estimate>,
    /// Of all test cases, the share of which it cannot be told.
    pub cases_cannot_tell: Option<Estimate>,
    /// Of the places on the lists, the share of those who were known.
    pub listed: Option<Estimate>,
    /// Of the places on the lists, the share of those of whom it cannot be told.
    pub listed_cannot_tell: Option<Estimate>,
}

/// One [`KnownTo`](crate::known_to::KnownTo), and how many were known to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownKind {
    /// Its name.
    pub name: String,
    /// What is so of a case that is known.
    pub words: String,
    /// The shares.
    pub shares: KnownShares,
}

/// How lists did among those with whom nobody was working.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NotKnownFigures {
    /// Of those of them on the lists, the share that had the outcome.
    pub precision: Option<Estimate>,
    /// Of those of them who had the outcome, the share that the lists hold.
    pub recall: Option<Estimate>,
}

impl KnownReport {
    /// Measures the cases of a backtest. `places` and `scores` (by which lists are drawn) have an entry for each;
    /// `length` says how many places the list of a date with so many cases has.
    pub(super) fn measure(
        cases: &Cases,
        (places, scores): (&[f64], &[f64]),
        known: &[KnownCases],
        length: impl Fn(usize) -> usize,
    ) -> Result<Self, EvaluateError> {
        let found = Found::of(cases, known)?;
        let families = &cases.families;
        let shares = |marks: &[IsKnown]| KnownShares::of(marks, places, families);
        let each = found.to.iter().zip(&found.each).map(|((name, words), marks)| KnownKind {
            name: name.clone(),
            words: words.clone(),
            shares: shares(marks),
        });
        let is_out: Vec<bool> = found.any.iter().map(|&known| known == IsKnown::No).collect();
        let outcomes: Vec<f64> = cases.outcomes.iter().map(|&with| f64::from(u8::from(with))).collect();
        let weight: Vec<f64> = is_out.iter().map(|&out| f64::from(u8::from(out))).collect();
        let figures = |places: &[f64]| NotKnownFigures::of(&is_out, (places, &outcomes), families);
        Ok(Self {
            any: shares(&found.any),
            each: each.collect(),
            prevalence: share(&outcomes, &weight, families),
            lists: figures(places),
            own_lists: figures(&own_places(cases, scores, &is_out, length)),
        })
    }
}

/// The marks of the test cases, in their order.
struct Found {
    to: Vec<(String, String)>,
    any: Vec<IsKnown>,
    each: Vec<Vec<IsKnown>>,
}

impl Found {
    fn of(cases: &Cases, known: &[KnownCases]) -> Result<Self, EvaluateError> {
        let wrong = |why: &str| Err(EvaluateError::Plan(why.to_owned()));
        let Some(first) = known.first() else { return wrong("nobody said who was known at the test dates") };
        if known.iter().any(|held| held.to() != first.to()) {
            return wrong("what cases were known to is not the same at all test dates");
        }
        let mut any = Vec::with_capacity(cases.len());
        let mut each = vec![Vec::with_capacity(cases.len()); first.to().len()];
        for (date, id) in cases.ids() {
            let held = known.iter().find(|held| held.as_of() == date);
            let Some((held, row)) = held.and_then(|held| Some((held, held.row(id)?))) else {
                return wrong("a test case is not among those of whom it was said whether they were known");
            };
            any.push(held.any(row));
            each.iter_mut().zip(held.of_row(row)).for_each(|(marks, mark)| marks.push(mark));
        }
        let to = first.to().iter().map(|known| (known.name.clone(), known.words.clone())).collect();
        Ok(Self { to, any, each })
    }
}

impl KnownShares {
    fn of(marks: &[IsKnown], places: &[f64], families: &[u32]) -> Self {
        let is = |wanted: IsKnown| -> Vec<f64> {
            marks.iter().map(|&mark| f64::from(u8::from(mark == wanted))).collect()
        };
        let (known, unknown) = (is(IsKnown::Yes), is(IsKnown::CannotTell));
        let all = vec![1.0; marks.len()];
        Self {
            cases: share(&known, &all, families),
            cases_cannot_tell: share(&unknown, &all, families),
            listed: share(&known, places, families),
            listed_cannot_tell: share(&unknown, places, families),
        }
    }
}

impl NotKnownFigures {
    fn of(is_out: &[bool], (places, outcomes): (&[f64], &[f64]), families: &[u32]) -> Self {
        let among = |weights: &[f64]| -> Vec<f64> {
            weights.iter().zip(is_out).map(|(&weight, &out)| if out { weight } else { 0.0 }).collect()
        };
        let precision = share(outcomes, &among(places), families);
        // How many of them were right follows from the recall: of too few it is not told either.
        let recall = share(places, &among(outcomes), families).filter(|_| precision.is_some());
        Self { precision, recall }
    }
}

/// A share of at least [`FEWEST`] cases.
fn share(values: &[f64], weights: &[f64], families: &[u32]) -> Option<Estimate> {
    clustered_share(values, weights, families).filter(|found| found.n >= FEWEST)
}

/// The part of a place that each case has where each date's list is drawn of some of its cases alone.
fn own_places(cases: &Cases, scores: &[f64], is_in: &[bool], length: impl Fn(usize) -> usize) -> Vec<f64> {
    let mut places = vec![0.0; cases.len()];
    let mut dates = cases.dates.clone();
    dates.sort_unstable();
    dates.dedup();
    for date in dates {
        let at: Vec<usize> = (0..cases.len()).filter(|&row| cases.dates[row] == date).collect();
        let rows: Vec<usize> = at.iter().copied().filter(|&row| is_in[row]).collect();
        let of_rows: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
        let parts = places_at_capacity(&of_rows, length(at.len()));
        rows.into_iter().zip(parts).for_each(|(row, part)| places[row] = part);
    }
    places
}

/// A share in percent with its interval, or that it is of too few.
fn said(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "too few to say".to_owned(), Estimate::percent)
}

impl KnownShares {
    /// What cannot be told, as the end of a sentence; empty where that is nobody.
    #[must_use]
    pub fn cannot_tell_words(&self) -> String {
        let some = |estimate: &Estimate| estimate.value > 0.0;
        match (self.listed_cannot_tell.filter(some), self.cases_cannot_tell.filter(some)) {
            (None, None) => String::new(),
            (listed, cases) => {
                let none = "none".to_owned();
                let [listed, cases] = [listed, cases]
                    .map(|share| share.as_ref().map_or_else(|| none.clone(), Estimate::percent));
                format!("It cannot be told of {listed} of those on the lists and of {cases} of all cases.")
            }
        }
    }
}

impl fmt::Display for KnownReport {
    /// A few lines for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (listed, cases) = (said(self.any.listed.as_ref()), said(self.any.cases.as_ref()));
        writeln!(f, "Known already on the date: {listed} of the list; {cases} of all cases")?;
        for kind in &self.each {
            let (listed, cases) = (said(kind.shares.listed.as_ref()), said(kind.shares.cases.as_ref()));
            writeln!(f, "  {}: {listed} of the list; {cases} of all cases", kind.words)?;
        }
        let unknown = self.any.cannot_tell_words();
        if !unknown.is_empty() {
            writeln!(f, "  {unknown}")?;
        }
        let of = |figures: &NotKnownFigures| [figures.precision.as_ref(), figures.recall.as_ref()].map(said);
        let [precision, recall] = of(&self.lists);
        let chance = said(self.prevalence.as_ref());
        writeln!(f, "Those nobody was working with: {chance} of them had the outcome")?;
        writeln!(f, "  on the list: {precision}; it holds {recall} of those of them who had it")?;
        let [precision, recall] = of(&self.own_lists);
        write!(f, "  on a list of them alone, of the same length: {precision}; it holds {recall}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_is_said_and_nothing_where_that_is_nobody() {
        let share = |value: f64| clustered_share(&[value; 20], &[1.0; 20], &(0..20).collect::<Vec<_>>());
        let shares = |listed: f64, cases: f64| KnownShares {
            cases: share(0.5),
            cases_cannot_tell: share(cases),
            listed: share(0.5),
            listed_cannot_tell: share(listed),
        };
        assert_eq!(shares(0.0, 0.0).cannot_tell_words(), "");
        let told = shares(0.0, 0.25).cannot_tell_words();
        assert!(told.contains("of none of those on the lists and of 25.0% ("), "{told}");
    }

    #[test]
    fn a_list_of_its_own_is_drawn_date_by_date_of_those_who_are_in() {
        let (early, late) = ("2023-04-01".parse().unwrap(), "2024-04-01".parse().unwrap());
        let cases = Cases {
            dates: vec![early, early, early, early, late, late],
            log_odds: vec![0.0; 6],
            ..Cases::default()
        };
        let scores = [9.0, 5.0, 5.0, 1.0, 2.0, 3.0];
        let is_in = [false, true, true, true, true, false];
        // A place for every two cases of a date: two at the first, which the two of score 5 take; one at the second.
        assert_eq!(own_places(&cases, &scores, &is_in, |cases| cases / 2), [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        // One place, which the two equals share.
        assert_eq!(own_places(&cases, &scores, &is_in, |_| 1), [0.0, 0.5, 0.5, 0.0, 1.0, 0.0]);
    }
}
