//! The tables of a simulation.

use super::length;
use crate::evaluate::Estimate;
use crate::project::{
    AtCapacity, DateOutcomes, ListResults, ListsFigures, RightOf, SimulatedDate, SimulatedList, Simulation,
};
use crate::words;

/// A date and its list of the first length.
pub(super) struct ListRow<'a> {
    pub as_of: String,
    /// Why there would have been no list; empty where there would have been one.
    pub no_list: &'a str,
    pub cohort: String,
    pub not_scored: String,
    pub places: u64,
    pub new: u64,
    pub repeats: u64,
    pub returning: u64,
    pub known: String,
    pub right: String,
    pub wrong: String,
    pub cannot_tell: String,
    pub precision: String,
    pub recall: String,
    pub needs_right: String,
    pub shared: u64,
    pub state: String,
    pub changed: &'a [String],
}

/// How it stands with what followed a date.
pub(super) fn state(date: &SimulatedDate, list: Option<&SimulatedList>) -> String {
    match (&date.outcomes, list) {
        (None, _) | (_, None) => "no list".to_owned(),
        (Some(DateOutcomes::Open { until }), _) => format!("open until {}", words::date(*until)),
        (Some(DateOutcomes::NotCovered { .. }), _) => "no outcomes in the extracts".to_owned(),
        (Some(DateOutcomes::Known), Some(list)) if list.withheld => "withheld".to_owned(),
        (Some(DateOutcomes::Known), _) if date.in_training => "seen in training".to_owned(),
        (Some(DateOutcomes::Known), _) => "known".to_owned(),
    }
}

/// The list of a date, at a length.
pub(super) fn list_of<'a>(at: &'a AtCapacity, date: &SimulatedDate) -> Option<&'a SimulatedList> {
    at.lists.iter().find(|list| list.as_of == date.as_of)
}

fn number_of(results: Option<&ListResults>, of: fn(&ListResults) -> u64) -> String {
    results.map_or_else(|| "–".to_owned(), |results| words::count(of(results)))
}

pub(super) fn percent(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "–".to_owned(), Estimate::percent)
}

impl<'a> ListRow<'a> {
    pub(super) fn all(held: &'a Simulation) -> Vec<Self> {
        let Some(main) = held.capacities.first() else { return Vec::new() };
        held.dates.iter().map(|date| Self::of(date, list_of(main, date))).collect()
    }

    fn of(date: &'a SimulatedDate, list: Option<&SimulatedList>) -> Self {
        let count = |of: fn(&SimulatedList) -> u64| list.map_or(0, of);
        let results = list.and_then(|list| list.results.as_ref());
        let known = list.and_then(|list| list.known).map(|known| {
            let unknown = match known.cannot_tell {
                0 => String::new(),
                some => format!(", {some} cannot be told"),
            };
            format!("{} of {}{unknown}", known.yes, known.yes + known.no + known.cannot_tell)
        });
        Self {
            as_of: words::date(date.as_of.day()),
            no_list: date.no_list.as_deref().unwrap_or_default(),
            cohort: words::count(date.cohort),
            not_scored: words::count(date.not_scored),
            places: count(|list| list.places),
            new: count(|list| list.new),
            repeats: count(|list| list.repeats),
            returning: count(|list| list.returning),
            known: known.unwrap_or_else(|| "–".to_owned()),
            right: number_of(results, |results| results.right),
            wrong: number_of(results, |results| results.wrong),
            cannot_tell: number_of(results, |results| results.cannot_tell),
            precision: percent(results.and_then(|results| results.precision.as_ref())),
            recall: percent(results.and_then(|results| results.recall.as_ref())),
            needs_right: number_of(list.and_then(|list| list.needs.as_ref()), |results| results.right),
            shared: count(|list| list.shared_with_needs),
            state: state(date, list),
            changed: &date.changed_sources,
        }
    }
}

/// How much work lists of one length are, and what they find.
pub(super) struct LengthRow {
    pub length: String,
    pub is_asked: bool,
    pub a_list: String,
    pub new: String,
    pub cases: String,
    pub families: String,
    pub in_year: String,
    pub known: String,
    pub precision: String,
    pub recall: String,
    pub of_household: String,
    pub needs_precision: String,
    pub needs_recall: String,
}

/// A mean of counts: one decimal.
pub(super) fn mean(mean: f64) -> String {
    let text = format!("{mean:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// The lengths, the shortest first.
pub(super) fn by_length(held: &Simulation) -> Vec<(usize, &AtCapacity)> {
    let mut all: Vec<(usize, &AtCapacity)> = held.capacities.iter().enumerate().collect();
    all.sort_by_key(|(_, at)| at.workload.places);
    all
}

impl LengthRow {
    pub(super) fn all(held: &Simulation) -> Vec<Self> {
        by_length(held).into_iter().map(|(nth, at)| Self::of(at, nth == 0)).collect()
    }

    fn of(at: &AtCapacity, is_asked: bool) -> Self {
        let none = || "–".to_owned();
        let shares = |of: &ListsFigures| {
            let results = of.results.as_ref();
            let precision = percent(results.and_then(|held| held.precision.as_ref()));
            (precision, percent(results.and_then(|held| held.recall.as_ref())))
        };
        let ((precision, recall), (needs_precision, needs_recall)) = (shares(&at.model), shares(&at.needs));
        let work = &at.workload;
        Self {
            length: length(at.capacity),
            is_asked,
            a_list: mean(work.places_a_list),
            new: work.new_a_list.map_or_else(none, mean),
            cases: words::count(work.cases),
            families: words::count(work.families),
            known: percent(work.known.as_ref()),
            in_year: work.families_in_last_year.map_or_else(none, words::count),
            precision,
            recall,
            of_household: percent(at.model.recall_of_household.as_ref()),
            needs_precision,
            needs_recall,
        }
    }
}

/// How the lists of the first length differ from those by the count of needs.
pub(super) struct ApartSheet {
    pub says: String,
    pub rows: Vec<ApartRow>,
}

pub(super) struct ApartRow {
    pub name: &'static str,
    pub places: String,
    /// Of how many it is known; empty where that is not told.
    pub known: String,
    pub right: String,
    pub share: String,
}

impl ApartSheet {
    pub(super) fn of(held: &Simulation) -> Option<Self> {
        let apart = &held.capacities.first()?.apart;
        let places = apart.both + apart.only_model;
        let share = if places == 0 { 0.0 } else { apart.both as f64 / places as f64 };
        let row = |name, places: u64, found: Option<RightOf>| ApartRow {
            name,
            places: words::count(places),
            known: found.map_or_else(|| "–".to_owned(), |found| words::count(found.places)),
            right: found.map_or_else(|| "–".to_owned(), |found| words::count(found.right)),
            share: percent(found.as_ref().and_then(|found| found.share.as_ref())),
        };
        let found = apart.found;
        Some(Self {
            says: format!(
                "Of {} on the lists by the score, {} ({}) are on the list by the count of needs of that date as well.",
                words::counted(places as usize, "place", "places"),
                words::count(apart.both),
                words::percent(share)
            ),
            rows: vec![
                row("On both lists", apart.both, found.map(|found| found.both)),
                row("By the score alone", apart.only_model, found.map(|found| found.only_model)),
                row("By the count of needs alone", apart.only_needs, found.map(|found| found.only_needs)),
            ],
        })
    }
}

/// What lists find among those nobody was working with.
pub(super) struct KnownRow {
    pub name: &'static str,
    pub precision: String,
    pub recall: String,
}

impl KnownRow {
    pub(super) fn all(held: &Simulation) -> Vec<Self> {
        let Some(main) = held.capacities.first() else { return Vec::new() };
        let lists = [("The lists by the score", &main.model), ("Lists by the count of needs", &main.needs)];
        let row = |(name, figures): (&'static str, &ListsFigures)| {
            let known = figures.not_known.as_ref()?;
            let [precision, recall] = [&known.precision, &known.recall].map(|share| percent(share.as_ref()));
            Some(Self { name, precision, recall })
        };
        lists.into_iter().filter_map(row).collect()
    }
}
