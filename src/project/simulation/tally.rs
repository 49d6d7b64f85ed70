//! What followed on lists, counted, and what of it may be told.

use hashbrown::HashSet;

use super::drawn::Drawn;
use super::found::{FoundApart, KnownPlaces, ListResults, ListsApart, ListsFigures, RightOf};
use crate::evaluate::{Estimate, NotKnownFigures};
use crate::known_to::IsKnown;
use crate::stats::clustered_share;

/// What followed on one list, or on several.
#[derive(Default)]
pub(super) struct Tally {
    lists: u64,
    places: u64,
    cannot_tell: u64,
    judged: Vec<Judged>,
    with_outcome: Vec<WithOutcome>,
    /// The family of each place, and whether the model was trained on it.
    families: Vec<(u32, bool)>,
}

/// A place of which it is known whether it was right.
struct Judged {
    right: bool,
    family: u32,
    known: Option<IsKnown>,
}

/// A case of a cohort that had the outcome.
struct WithOutcome {
    leads: bool,
    is_shown: bool,
    family: u32,
    known: Option<IsKnown>,
}

impl Tally {
    /// Counts one list, given by the rows of the cases that lead its places.
    pub(super) fn of(drawn: &Drawn, leads: &[u32], trained_on: &HashSet<u32>) -> Self {
        let lead = || leads.iter().map(|&row| &drawn.cases[row as usize]);
        let listed: HashSet<u32> = lead().map(|case| case.place).collect();
        let leading: HashSet<u32> = lead().map(|case| case.subject).collect();
        let judged = lead().filter_map(|case| {
            let right = case.outcome?;
            Some(Judged { right, family: case.family, known: case.known })
        });
        let judged: Vec<Judged> = judged.collect();
        let with_outcome = drawn.cases.iter().filter(|case| case.outcome == Some(true));
        Self {
            lists: 1,
            places: leads.len() as u64,
            cannot_tell: (leads.len() - judged.len()) as u64,
            judged,
            with_outcome: with_outcome
                .map(|case| WithOutcome {
                    leads: leading.contains(&case.subject),
                    is_shown: case.is_scored && listed.contains(&case.place),
                    family: case.family,
                    known: case.known,
                })
                .collect(),
            families: lead().map(|case| (case.family, trained_on.contains(&case.family))).collect(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.lists += other.lists;
        self.places += other.places;
        self.cannot_tell += other.cannot_tell;
        self.judged.extend(other.judged);
        self.with_outcome.extend(other.with_outcome);
        self.families.extend(other.families);
    }

    /// Whether what followed may be told: of no family, or of enough. One family at many dates is one.
    pub(super) fn tells(&self, minimum: u64) -> bool {
        let families = distinct(self.judged.iter().map(|held| held.family));
        families == 0 || families >= minimum
    }

    pub(super) fn results(&self, minimum: u64) -> ListResults {
        let right = self.judged.iter().filter(|held| held.right).count() as u64;
        let precision = share(self.judged.iter().map(|held| (held.right, held.family)), minimum);
        let recall = share(self.with_outcome.iter().map(|held| (held.leads, held.family)), minimum);
        ListResults {
            right,
            wrong: self.judged.len() as u64 - right,
            cannot_tell: self.cannot_tell,
            recall: recall.filter(|_| precision.is_some()),
            precision,
        }
    }

    /// The figures; without what `is_told` says may not be.
    pub(super) fn figures(&self, minimum: u64, is_told: bool) -> ListsFigures {
        let is_told = is_told && self.tells(minimum);
        let with_outcome = self.with_outcome.iter();
        let few = |number: u64| number > 0 && number < minimum;
        let [trained, others] = [true, false].map(|trained| {
            distinct(self.families.iter().filter(|held| held.1 == trained).map(|held| held.0))
        });
        let tells_trained = self.places > 0 && !few(trained) && !few(others);
        let trained = self.families.iter().filter(|held| held.1).count();
        ListsFigures {
            lists: self.lists,
            places: self.places,
            results: (is_told && self.lists > 0).then(|| self.results(minimum)),
            recall_of_household: share(with_outcome.map(|held| (held.is_shown, held.family)), minimum)
                .filter(|_| is_told),
            not_known: is_told.then(|| self.not_known(minimum)).flatten(),
            families_trained_on: tells_trained.then(|| trained as f64 / self.places as f64),
        }
    }

    /// Among those nobody was working with. Withheld also where those left are so few that what followed for them could be
    /// worked out.
    fn not_known(&self, minimum: u64) -> Option<NotKnownFigures> {
        let all = || self.judged.iter().map(|held| (held.known, held.family));
        let of_all = self.with_outcome.iter().map(|held| (held.known, held.family));
        all().chain(of_all.clone()).find_map(|(known, _)| known)?;
        let is_out = |known: Option<IsKnown>| known == Some(IsKnown::No);
        let left_few = |known: &mut dyn Iterator<Item = (Option<IsKnown>, u32)>| {
            let left = distinct(known.filter(|&(known, _)| !is_out(known)).map(|(_, family)| family));
            left > 0 && left < minimum
        };
        let judged = self.judged.iter().filter(|held| is_out(held.known));
        let with_outcome = self.with_outcome.iter().filter(|held| is_out(held.known));
        let precision = share(judged.map(|held| (held.right, held.family)), minimum);
        let recall = share(with_outcome.map(|held| (held.leads, held.family)), minimum);
        let precision = precision.filter(|_| !left_few(&mut all()));
        // How many were right follows from the recall: where too few were listed to tell of, it is withheld as well.
        let recall = recall.filter(|_| precision.is_some() && !left_few(&mut of_all.clone()));
        Some(NotKnownFigures { precision, recall })
    }
}

fn distinct(families: impl Iterator<Item = u32>) -> u64 {
    families.collect::<HashSet<_>>().len() as u64
}

/// A share of rows, each with its family; `None` of fewer families than the minimum.
pub(super) fn share(rows: impl Iterator<Item = (bool, u32)>, minimum: u64) -> Option<Estimate> {
    let (values, families): (Vec<f64>, Vec<u32>) =
        rows.map(|(is, family)| (f64::from(u8::from(is)), family)).unzip();
    if distinct(families.iter().copied()) < minimum {
        return None;
    }
    clustered_share(&values, &vec![1.0; values.len()], &families)
}

/// The leading cases of a list by whether they were known; `None` where nobody said what that is.
pub(super) fn known(drawn: &Drawn, leads: &[u32]) -> Option<KnownPlaces> {
    let mut places = KnownPlaces::default();
    for &row in leads {
        match drawn.cases[row as usize].known? {
            IsKnown::Yes => places.yes += 1,
            IsKnown::No => places.no += 1,
            IsKnown::CannotTell => places.cannot_tell += 1,
        }
    }
    Some(places)
}

/// How two lists of each date differ: places on both, on the one by the score alone, and on the one by the count of needs alone.
#[derive(Default)]
pub(super) struct Apart {
    places: [u64; 3],
    /// Of those of which it is known what followed: whether they were right, and the family.
    judged: [Vec<(bool, u32)>; 3],
}

impl Apart {
    pub(super) fn both(&self) -> u64 {
        self.places[0]
    }

    /// One date's lists.
    pub(super) fn of(drawn: &Drawn, model: &[u32], needs: &[u32]) -> Self {
        let places = |leads: &[u32]| -> HashSet<u32> {
            leads.iter().map(|&row| drawn.cases[row as usize].place).collect()
        };
        let (on_model, on_needs) = (places(model), places(needs));
        let mut apart = Self::default();
        let parts = [(model, &on_needs, true), (model, &on_needs, false), (needs, &on_model, false)];
        for (nth, (leads, other, shared)) in parts.into_iter().enumerate() {
            let cases = leads.iter().map(|&row| &drawn.cases[row as usize]);
            for case in cases.filter(|case| other.contains(&case.place) == shared) {
                apart.places[nth] += 1;
                apart.judged[nth].extend(case.outcome.map(|right| (right, case.family)));
            }
        }
        apart
    }

    /// Takes another date's in; `is_measured`: with what followed.
    pub(super) fn add(&mut self, other: Self, is_measured: bool) {
        for (nth, (places, judged)) in other.places.into_iter().zip(other.judged).enumerate() {
            self.places[nth] += places;
            if is_measured {
                self.judged[nth].extend(judged);
            }
        }
    }

    /// What followed is told where none of the three is of so few places that single ones would be told of.
    pub(super) fn told(&self, minimum: u64, may: bool) -> ListsApart {
        let [both, only_model, only_needs] = self.places;
        let right_of = |nth: usize| RightOf {
            places: self.judged[nth].len() as u64,
            right: self.judged[nth].iter().filter(|(right, _)| *right).count() as u64,
            share: share(self.judged[nth].iter().copied(), 1),
        };
        let [of_both, of_model, of_needs] = [0, 1, 2].map(right_of);
        let few = |judged: &Vec<(bool, u32)>| {
            !judged.is_empty() && distinct(judged.iter().map(|held| held.1)) < minimum
        };
        let may = may && !self.judged.iter().any(few);
        let found = FoundApart { both: of_both, only_model: of_model, only_needs: of_needs };
        ListsApart { both, only_model, only_needs, found: may.then_some(found) }
    }
}

/// Which of several lengths of one list may be told of: those of enough places, which differ from each told before by none or
/// by enough. `places` are in the order in which they are to be told.
pub(super) fn told(places: &[u64], minimum: u64) -> Vec<bool> {
    let mut told: Vec<u64> = Vec::new();
    places
        .iter()
        .map(|&places| {
            let is_apart = |&held: &u64| held == places || held.abs_diff(places) >= minimum;
            let may = places >= minimum && told.iter().all(is_apart);
            if may {
                told.push(places);
            }
            may
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_differ_by_few_are_not_both_told_of() {
        assert_eq!(told(&[20, 10, 40], 10), [true, true, true]);
        assert_eq!(told(&[15, 8, 30], 10), [true, false, true]);
        assert_eq!(told(&[20, 25, 35, 29], 10), [true, false, true, false]);
        assert_eq!(told(&[9, 5, 18], 10), [false, false, true]);
        assert_eq!(told(&[3, 2], 1), [true, true]);
    }

    #[test]
    fn shares_of_few_are_not_told() {
        let rows = |n: u32| (0..n).map(|row| (row % 2 == 0, row));
        assert!(share(rows(9), 10).is_none());
        let told = share(rows(10), 10).unwrap();
        assert_eq!((told.value, told.n), (0.5, 10));
        // One family on ten lists is worth less than ten families.
        let same = share((0..100).map(|row| (row < 50, row / 10)), 10).unwrap();
        assert_eq!((same.value, same.n), (0.5, 100));
        assert!(same.interval.low <= told.interval.low && same.interval.high >= told.interval.high);
        // Nine families on ten lists each are nine.
        assert!(share((0..90).map(|row| (row < 50, row / 10)), 10).is_none());
        assert!(share(std::iter::empty(), 1).is_none());
    }
}
