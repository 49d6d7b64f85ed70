//! The same cases without a mitigation and with it, or as chosen the usual way and by a model, over the same redrawn
//! families.

use std::collections::{BTreeMap, BTreeSet};

use super::super::audit::{
    AttributeFinding, Audit, AuditParams, AuditedOutcome, OperatingPoint, ScoreTable, UNKNOWN, few_of_either,
};
use super::super::people::{Counted, RowPeople};
use super::super::protected::Protected;
use super::report::{BeforeAfter, GroupChange, RateChange, RateChanges};
use crate::calendar::AsOf;
use crate::error::{Error, EvaluateError};
use crate::evaluate::ranking::RankedRows;
use crate::evaluate::{Cases, PairedChange};
use crate::stats::{Bootstrap, Clusters};

/// Scores and lists of one side of the comparison.
pub(super) struct Arm<'a> {
    /// `None` for a selection that no score made.
    pub(super) log_odds: Option<&'a [f64]>,
    pub(super) listed: Vec<bool>,
}

/// The cases, in columns.
pub(super) struct Tested<'a> {
    pub(super) dates: Vec<AsOf>,
    pub(super) entities: Vec<&'a str>,
    pub(super) outcomes: Vec<bool>,
    pub(super) families: Vec<u32>,
    /// Whom each case is about.
    pub(super) people: RowPeople,
}

/// The same cases twice.
pub(super) struct Pair<'a> {
    pub(super) cases: Tested<'a>,
    pub(super) without: Arm<'a>,
    pub(super) with: Arm<'a>,
}

/// Cases of a group (or of all) that count: in all, with the outcome, and on the lists without and with.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: u32,
    positives: u32,
    /// Without and with: on the list, and of these with the outcome.
    listed: [[u32; 2]; 2],
}

/// A rate as part and whole, without and with.
type Shares = [(u32, u32); 2];

impl Tally {
    fn add(&mut self, times: u32, outcome: bool, listed: [bool; 2]) {
        let positive = times * u32::from(outcome);
        self.n += times;
        self.positives += positive;
        for (held, on_it) in self.listed.iter_mut().zip(listed) {
            held[0] += times * u32::from(on_it);
            held[1] += positive * u32::from(on_it);
        }
    }

    fn without(&self, part: &Self) -> Self {
        let listed = [0, 1].map(|arm| [0, 1].map(|kind| self.listed[arm][kind] - part.listed[arm][kind]));
        Self { n: self.n - part.n, positives: self.positives - part.positives, listed }
    }

    fn selection(&self) -> Shares {
        self.listed.map(|[listed, _]| (listed, self.n))
    }

    fn found(&self) -> Shares {
        self.listed.map(|[_, found]| (found, self.positives))
    }

    fn wrongly_listed(&self) -> Shares {
        self.listed.map(|[listed, found]| (listed - found, self.n - self.positives))
    }

    fn outcome_on_list(&self) -> Shares {
        self.listed.map(|[listed, found]| (found, listed))
    }
}

/// One resample: the areas without and with, the tally of all, and that of each group.
struct Resample {
    areas: Option<[(f64, f64); 2]>,
    all: Tally,
    groups: Vec<Vec<Tally>>,
}

impl Pair<'_> {
    pub(super) fn measure(
        &self,
        protected: &Protected,
        params: &AuditParams,
        bootstrap: &Bootstrap,
    ) -> Result<BeforeAfter, Error> {
        bootstrap.check()?;
        let Tested { dates, entities, outcomes, families, people } = &self.cases;
        let cases = outcomes.len();
        let clusters = Clusters::new(families);
        let named: Vec<(Vec<&str>, Vec<u32>)> =
            (0..protected.held().len()).map(|nth| numbered(protected, nth, entities)).collect();
        let ranked = [&self.without, &self.with]
            .map(|arm| Some(RankedRows::new(arm.log_odds?, outcomes, &clusters.index)));
        let resample = |times: &[u8]| {
            let mut drawn = Resample {
                areas: None,
                all: Tally::default(),
                groups: named.iter().map(|(names, _)| vec![Tally::default(); names.len()]).collect(),
            };
            let areas = [0, 1].map(|arm| ranked[arm].as_ref()?.areas(times));
            if let [Some(without), Some(with)] = areas {
                drawn.areas = Some([without, with].map(|held| (held.auc, held.average_precision)));
            }
            for place in 0..cases {
                let count = u32::from(times[clusters.index[place] as usize]);
                if count > 0 {
                    let listed = [self.without.listed[place], self.with.listed[place]];
                    drawn.all.add(count, outcomes[place], listed);
                    for (tallies, (_, numbers)) in drawn.groups.iter_mut().zip(&named) {
                        tallies[numbers[place] as usize].add(count, outcomes[place], listed);
                    }
                }
            }
            drawn
        };
        let whole = resample(&vec![1; clusters.count]);
        let drawn = bootstrap.over(clusters.count, resample);
        let asked = AuditParams {
            operating: OperatingPoint::Predicted,
            intersections: 1,
            // The audits say what may be shown; the intervals are those of the pairs below.
            bootstrap: Bootstrap { resamples: Bootstrap::LEAST, ..*bootstrap },
            ..params.clone()
        };
        let audit = |arm: &Arm<'_>| {
            // What may be shown goes by the lists; a selection without scores borrows the other's.
            let scores = arm.log_odds.or(self.with.log_odds).unwrap_or_default();
            let table = ScoreTable::new(scores.to_vec(), outcomes.clone())?.predicted(arm.listed.clone())?;
            table.protected(entities, protected)?.about(people.clone()).audit(&asked)
        };
        let audits = [audit(&self.without)?, audit(&self.with)?];
        let measured = Measured { whole: &whole, drawn: &drawn, least: params.minimum };
        let both = self.without.listed.iter().zip(&self.with.listed);
        let on_both =
            |row: usize| 2 * usize::from(self.without.listed[row]) + usize::from(self.with.listed[row]);
        let few = |people: &Counted| few_of_either(people.parts, u64::from(params.minimum));
        let told = !people.sizes(cases, 4, on_both).iter().any(few);
        Ok(BeforeAfter {
            dates: dates.clone(),
            n: cases as u64,
            positives: u64::from(whole.all.positives),
            families: clusters.count as u64,
            listed: u64::from(whole.all.listed[0][0]),
            places_changed: told.then(|| both.filter(|(without, with)| **without && !**with).count() as u64),
            auc: measured.area(|areas| areas.0),
            average_precision: measured.area(|areas| areas.1),
            outcome_on_list: measured.rate(|drawn| drawn.all.outcome_on_list()),
            characteristics: protected
                .held()
                .iter()
                .zip(&named)
                .enumerate()
                .map(|(nth, (name, (groups, _)))| (name.clone(), measured.groups(nth, groups, &audits)))
                .collect(),
        })
    }
}

impl BeforeAfter {
    /// The lists of tested cases against another selection of the same cases, such as who was chosen the usual way,
    /// for everybody and group by group: `usual`, one entry per case in their order, is the side *without*, the
    /// lists are the side *with*. There is no ranking to compare. Groups and counts are held back as in a fairness
    /// audit by `params`, whose bootstrap is used.
    ///
    /// # Errors
    /// As for [`Cases::check`]; [`EvaluateError::LengthMismatch`] where a column has another length;
    /// [`EvaluateError::TooFewResamples`]; [`Error::Audit`] where a characteristic has too many groups to be one.
    pub fn of_selections(
        cases: &Cases,
        usual: &[bool],
        protected: &Protected,
        params: &AuditParams,
    ) -> Result<Self, Error> {
        Self::of_people(cases, &RowPeople::of_ids(&cases.entities), usual, protected, params)
    }

    /// The same, where the ids are not those of people.
    pub(super) fn of_people(
        cases: &Cases,
        people: &RowPeople,
        usual: &[bool],
        protected: &Protected,
        params: &AuditParams,
    ) -> Result<Self, Error> {
        cases.check()?;
        let expected = cases.len();
        let lengths =
            [("usual", usual.len()), ("entities", cases.entities.len()), ("listed", cases.listed.len())];
        for (what, found) in lengths {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found }.into());
            }
        }
        let mut dates = cases.dates.clone();
        dates.sort_unstable();
        dates.dedup();
        let pair = Pair {
            cases: Tested {
                dates,
                entities: cases.entities.iter().map(String::as_str).collect(),
                outcomes: cases.outcomes.clone(),
                families: cases.families.clone(),
                people: people.clone(),
            },
            without: Arm { log_odds: None, listed: usual.to_vec() },
            with: Arm { log_odds: Some(&cases.log_odds), listed: cases.listed.clone() },
        };
        pair.measure(protected, params, &params.bootstrap)
    }
}

/// The names of the groups of the `nth` characteristic, those not known last, and each case's place among them.
fn numbered<'a>(protected: &'a Protected, nth: usize, entities: &[&str]) -> (Vec<&'a str>, Vec<u32>) {
    let group = |entity: &&str| protected.group(nth, entity).unwrap_or(UNKNOWN);
    let groups: Vec<&str> = entities.iter().map(group).collect();
    let names: BTreeSet<(bool, &str)> = groups.iter().map(|&name| (name == UNKNOWN, name)).collect();
    let places: BTreeMap<&str, u32> = names.iter().map(|&(_, name)| name).zip(0..).collect();
    let numbers = groups.iter().map(|name| places[name]).collect();
    (names.into_iter().map(|(_, name)| name).collect(), numbers)
}

/// Whether an audit shows how many of a group had the outcome, how many are on the list, and how many are both; `None` where
/// it holds the group back.
fn seen(audit: &Audit, characteristic: usize, name: &str) -> Option<[bool; 3]> {
    let AttributeFinding::Measured { groups, .. } = &audit.attributes[characteristic].finding else {
        return None;
    };
    let found = groups.iter().find(|group| group.values == [name])?;
    match &found.outcome {
        AuditedOutcome::Shown { measures, .. } => {
            let [outcome, selection] = [measures.positives, measures.selected].map(|count| count.is_some());
            Some([outcome, selection, outcome && selection && !measures.cells_withheld])
        }
        AuditedOutcome::Suppressed { .. } => None,
    }
}

/// The figures of the cases as they are, and over all resamples.
struct Measured<'a> {
    whole: &'a Resample,
    drawn: &'a [Resample],
    least: u32,
}

impl Measured<'_> {
    fn area(&self, of: impl Fn(&(f64, f64)) -> f64) -> Option<PairedChange> {
        let n = [u64::from(self.whole.all.n); 2];
        PairedChange::over(self.whole, self.drawn, n, |drawn: &Resample| {
            drawn.areas.as_ref().map(|[without, with]| [of(without), of(with)])
        })
    }

    /// A rate of a group, or of all; `None` where it is of too few cases.
    fn rate(&self, of: impl Fn(&Resample) -> Shares) -> Option<PairedChange> {
        let wholes = of(self.whole).map(|(_, whole)| whole);
        if wholes.iter().any(|&whole| whole < self.least.max(1)) {
            return None;
        }
        PairedChange::over(self.whole, self.drawn, wholes.map(u64::from), |drawn: &Resample| {
            quotients(of(drawn))
        })
    }

    /// A group's rate minus that of everybody else.
    fn difference(&self, of: impl Fn(&Resample) -> (Shares, Shares)) -> Option<PairedChange> {
        let (here, there) = of(self.whole);
        if here.iter().chain(&there).any(|&(_, whole)| whole < self.least.max(1)) {
            return None;
        }
        let n = [0, 1].map(|arm| u64::from(here[arm].1) + u64::from(there[arm].1));
        PairedChange::over(self.whole, self.drawn, n, |drawn: &Resample| {
            let (here, there) = of(drawn);
            let (here, there) = (quotients(here)?, quotients(there)?);
            Some([here[0] - there[0], here[1] - there[1]])
        })
    }

    /// The groups that both audits show, and how many they do not.
    fn groups(&self, nth: usize, names: &[&str], audits: &[Audit; 2]) -> Vec<GroupChange> {
        let none = RateChange { rate: None, to_the_rest: None };
        let change = |place: usize, of: fn(&Tally) -> Shares| RateChange {
            rate: self.rate(|drawn| of(&drawn.groups[nth][place])),
            to_the_rest: self.difference(|drawn| {
                let group = &drawn.groups[nth][place];
                (of(group), of(&drawn.all.without(group)))
            }),
        };
        let rates = |place: usize, selection: bool, cells: bool| {
            let if_shown =
                |shown: bool, of: fn(&Tally) -> Shares| if shown { change(place, of) } else { none };
            RateChanges {
                n: u64::from(self.whole.groups[nth][place].n),
                selection: if_shown(selection, Tally::selection),
                found: if_shown(cells, Tally::found),
                wrongly_listed: if_shown(cells, Tally::wrongly_listed),
            }
        };
        let mut groups = Vec::new();
        for (place, name) in names.iter().enumerate() {
            if let [Some(without), Some(with)] = [0, 1].map(|arm| seen(&audits[arm], nth, name)) {
                let rates = rates(place, without[1] && with[1], without[2] && with[2]);
                groups.push(GroupChange { group: (*name).to_owned(), rates: Some(Box::new(rates)) });
            }
        }
        let held = names.len() - groups.len();
        if held > 0 {
            let group = format!("{held} further group{}", if held == 1 { "" } else { "s" });
            groups.push(GroupChange { group, rates: None });
        }
        groups
    }
}

/// Both shares as numbers; `None` where either is a share of nothing.
fn quotients(shares: Shares) -> Option<[f64; 2]> {
    let [without, with] = shares.map(|(part, whole)| (whole > 0).then(|| f64::from(part) / f64::from(whole)));
    Some([without?, with?])
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;
    use crate::fairness::ProtectedColumns;
    use crate::records::Extract;
    use crate::stats::fixture::close;

    #[test]
    fn a_model_and_the_usual_way_by_group_and_by_hand() {
        // 100 of group A, then 97 of B; every fifth had the outcome: 20 of each. The usual way lists 15 with and 15
        // without the outcome of A, 6 and 4 of B; the model 10 and 10 of A, 12 and 8 of B.
        let rows = 0..197_usize;
        let of = |with: [usize; 2], without: [usize; 2]| -> Vec<bool> {
            rows.clone()
                .map(|row| {
                    let (group, nth) = if row < 100 { (0, row / 5) } else { (1, (row - 100) / 5) };
                    (row % 5 == 0 && nth < with[group]) || (row % 5 == 1 && nth < without[group])
                })
                .collect()
        };
        let (usual, listed) = (of([15, 6], [15, 4]), of([10, 12], [10, 8]));
        let entities: Vec<String> = rows.clone().map(|row| format!("e{row}")).collect();
        let groups: Vec<&str> = rows.clone().map(|row| if row < 100 { "A" } else { "B" }).collect();
        let columns = ProtectedColumns {
            entity: vec!["id".into()],
            characteristics: vec!["g".into()],
            not_held: Vec::new(),
            of_family: None,
            ..ProtectedColumns::default()
        };
        let frame = df!("id" => entities.clone(), "g" => groups).unwrap();
        let protected = Protected::read(&columns, Extract::frame(frame)).unwrap();
        let cases = Cases {
            entities,
            dates: vec!["2024-04-01".parse().unwrap(); 197],
            families: (0..197).collect(),
            outcomes: rows.clone().map(|row| row % 5 == 0).collect(),
            log_odds: rows.map(|row| -(row as f64)).collect(),
            listed,
        };
        // Of B four were chosen without the outcome, the smallest number there is.
        let params = AuditParams {
            bootstrap: Bootstrap { resamples: 199, seed: 1 },
            minimum: 4,
            ..AuditParams::at_release()
        };
        let found = BeforeAfter::of_selections(&cases, &usual, &protected, &params).unwrap();
        assert_eq!((found.n, found.positives, found.listed, found.places_changed), (197, 40, 40, Some(10)));
        assert_eq!((found.auc, found.average_precision), (None, None));
        close(found.outcome_on_list.unwrap().change.value, 1.0 / 40.0, 1e-12);
        let (name, groups) = &found.characteristics[0];
        assert_eq!((name.as_str(), groups.len()), ("g", 2));
        let expected = [("a", -0.1, -0.25, -5.0 / 80.0), ("b", 10.0 / 97.0, 0.3, 4.0 / 77.0)];
        for (group, (name, selection, recall, wrongly)) in groups.iter().zip(expected) {
            assert_eq!(group.group, name);
            let rates = group.rates.as_ref().unwrap();
            let change = |change: RateChange| change.rate.unwrap().change;
            close(change(rates.selection).value, selection, 1e-12);
            close(change(rates.found).value, recall, 1e-12);
            close(change(rates.wrongly_listed).value, wrongly, 1e-12);
            // All who change are of one kind, so no redrawing turns the sign.
            let interval = change(rates.found).interval;
            assert!(interval.low <= recall && recall <= interval.high && interval.low * interval.high > 0.0);
        }

        // A minimum that those four, or the 20 with the outcome, do not reach: who was found is not told by group.
        for minimum in [5, 25] {
            let strict = AuditParams { minimum, ..params.clone() };
            let found = BeforeAfter::of_selections(&cases, &usual, &protected, &strict).unwrap();
            let told =
                |group: &GroupChange| group.rates.as_ref().is_some_and(|rates| rates.found.rate.is_some());
            assert!(!found.characteristics[0].1.iter().any(told));
        }

        let short = BeforeAfter::of_selections(&cases, &usual[1..], &protected, &params);
        assert!(matches!(short, Err(Error::Evaluate(EvaluateError::LengthMismatch { .. }))));
    }
}
