//! The lists of every length, counted.

use hashbrown::{HashMap, HashSet};

use super::drawn::Drawn;
use super::found::{AtCapacity, SimulatedList, Workload};
use super::tally::{Apart, Tally, known, share, told};
use crate::calendar::{AsOf, Day};
use crate::evaluate::Capacity;
use crate::known_to::IsKnown;
use crate::scoring::Scorer;

/// What was drawn, to be counted at every length.
pub(super) struct Counted<'a> {
    pub(super) drawn: &'a [Drawn],
    /// The dates that figures over several lists are of.
    pub(super) measured: HashSet<AsOf>,
    pub(super) minimum: u64,
    /// Families in the cohorts of training.
    pub(super) trained_on: HashSet<u32>,
    /// From which day on lists are the last year's; `None` where they do not span one.
    pub(super) year_from: Option<Day>,
}

impl<'a> Counted<'a> {
    pub(super) fn at_all(&self, lengths: &[Capacity], scorer: &Scorer) -> Vec<AtCapacity> {
        let places =
            |held: &Drawn| -> Vec<u64> { held.lists.iter().map(|pair| pair.model.len() as u64).collect() };
        let tells =
            |held: &Drawn, leads: &[u32]| Tally::of(held, leads, &self.trained_on).tells(self.minimum);
        let each_of = |held: &Drawn| -> Vec<bool> {
            let told = told(&places(held), self.minimum).into_iter().zip(&held.lists);
            told.map(|(told, pair)| told && tells(held, &pair.model) && tells(held, &pair.needs)).collect()
        };
        let each: Vec<Vec<bool>> = self.drawn.iter().map(each_of).collect();
        let is_measured = |held: &Drawn| self.measured.contains(&held.as_of);
        let mut sums = vec![0; lengths.len()];
        // Places on lists of which nothing is told must not follow from a sum.
        let mut withheld = vec![0; lengths.len()];
        for (held, told) in self.drawn.iter().zip(&each).filter(|(held, _)| is_measured(held)) {
            for (nth, (places, told)) in places(held).into_iter().zip(told).enumerate() {
                sums[nth] += places;
                withheld[nth] += if *told { 0 } else { places };
            }
        }
        let together: Vec<bool> = told(&sums, self.minimum)
            .into_iter()
            .zip(withheld)
            .map(|(told, withheld)| told && (withheld == 0 || withheld >= self.minimum))
            .collect();
        let at = |(nth, &capacity): (usize, &Capacity)| {
            let lists: Vec<bool> = each.iter().map(|told| told[nth]).collect();
            self.at(nth, capacity, (&lists, together[nth]), scorer)
        };
        lengths.iter().enumerate().map(at).collect()
    }

    fn at(
        &self,
        nth: usize,
        capacity: Capacity,
        (lists_told, told): (&[bool], bool),
        scorer: &Scorer,
    ) -> AtCapacity {
        let mut lists = Vec::with_capacity(self.drawn.len());
        let (mut model, mut needs) = (Tally::default(), Tally::default());
        let mut apart = Apart::default();
        let mut before: HashSet<u32> = HashSet::new();
        let mut ever: HashSet<u32> = HashSet::new();
        for (held, &is_told) in self.drawn.iter().zip(lists_told) {
            let pair = &held.lists[nth];
            let split = Apart::of(held, &pair.model, &pair.needs);
            let [by_model, by_needs] =
                [&pair.model, &pair.needs].map(|leads| Tally::of(held, leads, &self.trained_on));
            let is_known = held.unknown.is_none();
            let tells = |tally: &Tally| (is_known && is_told).then(|| tally.results(self.minimum));
            let mut list = SimulatedList {
                as_of: held.as_of,
                places: pair.model.len() as u64,
                new: 0,
                repeats: 0,
                returning: 0,
                shared_with_needs: split.both(),
                known: is_told.then(|| known(held, &pair.model)).flatten(),
                results: tells(&by_model),
                needs: tells(&by_needs),
                withheld: !is_told,
            };
            let shown = shown(held, &pair.model);
            for members in &shown {
                if members.iter().any(|subject| before.contains(subject)) {
                    list.repeats += 1;
                } else if members.iter().any(|subject| ever.contains(subject)) {
                    list.returning += 1;
                } else {
                    list.new += 1;
                }
            }
            before = shown.into_iter().flatten().collect();
            ever.extend(&before);
            lists.push(list);
            let is_measured = self.measured.contains(&held.as_of);
            apart.add(split, is_measured);
            if is_measured {
                model.add(by_model);
                needs.add(by_needs);
            }
        }
        let workload = self.workload(nth, &lists);
        AtCapacity {
            capacity,
            backtest: scorer.backtest().of_length(workload.places_a_list.round() as usize).copied(),
            lists,
            workload,
            model: model.figures(self.minimum, told),
            needs: needs.figures(self.minimum, told),
            apart: apart.told(self.minimum, told && !self.measured.is_empty()),
        }
    }

    fn workload(&self, nth: usize, lists: &[SimulatedList]) -> Workload {
        let leads = move |held: &'a Drawn| held.lists[nth].model.iter().map(|&row| &held.cases[row as usize]);
        let families = |drawn: &'a [Drawn]| -> u64 {
            let all: HashSet<u32> = drawn.iter().flat_map(leads).map(|case| case.family).collect();
            all.len() as u64
        };
        let all = || self.drawn.iter().flat_map(leads);
        let cases: HashSet<u32> = all().map(|case| case.subject).collect();
        let known = all().filter_map(|case| Some((case.known? == IsKnown::Yes, case.family)));
        let places: u64 = lists.iter().map(|list| list.places).sum();
        let of_year =
            |from: Day| families(&self.drawn[self.drawn.partition_point(|held| held.as_of.day() < from)..]);
        Workload {
            lists: lists.len() as u64,
            places,
            places_a_list: places as f64 / lists.len() as f64,
            new_a_list: (lists.len() > 1).then(|| {
                let new: u64 = lists[1..].iter().map(|list| list.new).sum();
                new as f64 / (lists.len() - 1) as f64
            }),
            cases: cases.len() as u64,
            families: families(self.drawn),
            known: share(known, self.minimum),
            families_in_last_year: self.year_from.map(of_year),
        }
    }
}

/// Everybody whom each place of a list shows: the case that leads it and those beside.
fn shown(drawn: &Drawn, leads: &[u32]) -> Vec<Vec<u32>> {
    let nth_of: HashMap<u32, usize> =
        leads.iter().enumerate().map(|(nth, &row)| (drawn.cases[row as usize].place, nth)).collect();
    let mut shown = vec![Vec::new(); leads.len()];
    for case in drawn.cases.iter().filter(|case| case.is_scored) {
        if let Some(&nth) = nth_of.get(&case.place) {
            shown[nth].push(case.subject);
        }
    }
    shown
}
