//! The pass over events: for each case its people's visible events, each into the tallies that read it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::covered::Covered;
use super::feature::{Feature, Measure};
use super::matrix::{Cell, FeatureMatrix};
use super::plan::{Codes, Groups, Output, Plan, SourcePlan};
use super::row::EventRow;
use super::tally::{Slots, Tally};
use crate::calendar::AsOf;
use crate::cohort::Cohort;
use crate::records::{EventTable, Rows, Source};

/// Cases that one thread does at a time. The result does not depend on it.
const CHUNK: usize = 1024;

/// Computes every feature of every case, straight into the columns of the matrix, as if the records in `without` were not there.
pub(super) fn compute(
    features: &[Feature],
    plan: &Plan,
    cohort: &Cohort<'_>,
    without: &[EventRow],
) -> FeatureMatrix {
    let rows = cohort.len();
    let mut columns: Vec<Vec<f32>> = features.iter().map(|_| vec![0.0; rows]).collect();
    let records = cohort.snapshot().records();
    // Sources that wait on disk are fetched one after the other.
    let (waiting, at_hand): (Vec<&SourcePlan>, Vec<&SourcePlan>) =
        plan.sources.iter().partition(|source| records.source_at(source.source).is_waiting());
    pass(features, (&at_hand, &plan.of_people), (cohort, without), &mut columns);
    for source in waiting {
        pass(features, (&[source], &[]), (cohort, without), &mut columns);
    }
    let names = features.iter().map(|feature| feature.name.clone()).collect();
    FeatureMatrix { names, rows, columns, ..FeatureMatrix::default() }
}

/// One pass over the cases, for the features of some sources and of people.
fn pass(
    features: &[Feature],
    (sources, of_the_people): (&[&SourcePlan], &[usize]),
    (cohort, without): (&Cohort<'_>, &[EventRow]),
    columns: &mut [Vec<f32>],
) {
    let rows = cohort.len();
    // The columns, cut into the pieces that one chunk of cases writes.
    let mut chunks: Vec<Vec<&mut [f32]>> = Vec::new();
    chunks.resize_with(rows.div_ceil(CHUNK), Vec::new);
    for column in columns {
        for (pieces, piece) in chunks.iter_mut().zip(column.chunks_mut(CHUNK)) {
            pieces.push(piece);
        }
    }
    chunks.into_par_iter().enumerate().for_each_init(
        || sources.iter().map(|source| Worker::new(features, source, cohort, without)).collect::<Vec<_>>(),
        |workers, (chunk, mut pieces)| {
            let first = chunk * CHUNK;
            for worker in workers.iter_mut() {
                worker.nothing_found(|feature, raw| pieces[feature].fill(raw));
            }
            for row in first..rows.min(first + CHUNK) {
                for worker in workers.iter_mut() {
                    worker.case(features, cohort, row, |feature, raw| pieces[feature][row - first] = raw);
                }
                for &feature in of_the_people {
                    pieces[feature][row - first] = of_people(&features[feature], cohort, row).encode();
                }
            }
        },
    );
}

/// What the lists of people and households say of a case.
fn of_people(feature: &Feature, cohort: &Cohort<'_>, row: usize) -> Cell {
    let snapshot = cohort.snapshot();
    let own = cohort.own(row);
    let found = match feature.measure {
        Measure::Members(youngest, oldest) => cohort.members(row).and_then(|members| {
            let mut ages = members.iter().map(|&person| snapshot.age(person));
            let is_of_age = |age| (i32::from(youngest)..=i32::from(oldest)).contains(&age);
            ages.try_fold(0, |count, age| age.map(|age| count + i32::from(is_of_age(age))))
        }),
        Measure::Moves => cohort.members(row).map(|_| {
            let start = feature.over.start(cohort.as_of()).epoch_days();
            own.people().iter().map(|&person| snapshot.moves(person, start)).max().unwrap_or(0)
        }),
        _ => own.people().iter().filter_map(|&person| snapshot.age(person)).min(),
    };
    found.map_or(Cell::Missing, |found| Cell::Value(found as f32))
}

/// One thread's tallies for one source.
struct Worker<'a, 'r> {
    events: Rows<'a>,
    covered: Covered<'a, 'r>,
    own: Side<'a>,
    household: Side<'a>,
    /// Rows that are passed over: of this source, and nearly always none.
    without: Vec<usize>,
}

impl<'a, 'r> Worker<'a, 'r> {
    fn new(features: &[Feature], plan: &'a SourcePlan, cohort: &'a Cohort<'r>, without: &[EventRow]) -> Self {
        let snapshot = cohort.snapshot();
        let source = snapshot.records().source_at(plan.source);
        let side = |groups: &'a Groups| Side::new(features, groups, source, cohort.as_of());
        Self {
            events: source.events(),
            covered: Covered::new(snapshot, plan),
            own: side(&plan.own),
            household: side(&plan.household),
            without: without.iter().filter(|gone| gone.source == plan.source).map(|gone| gone.row).collect(),
        }
    }

    /// What each feature says of a case that is covered and of whom nothing is found.
    fn nothing_found(&self, mut write: impl FnMut(usize, f32)) {
        for &(feature, raw) in self.own.nothing.iter().chain(&self.household.nothing) {
            write(feature, raw);
        }
    }

    fn case(
        &mut self,
        features: &[Feature],
        cohort: &Cohort<'_>,
        row: usize,
        mut write: impl FnMut(usize, f32),
    ) {
        let (events, covered, without, as_of) =
            (&*self.events, &self.covered, &*self.without, cohort.as_of());
        if !self.own.tallies.is_empty() {
            let own = cohort.own(row);
            self.own.tally(events, without, as_of, own.people().iter().copied());
            self.own.write(features, &mut write, |start| {
                own.people().iter().any(|&person| covered.person(person, start))
            });
        }
        if self.household.tallies.is_empty() {
            return;
        }
        match cohort.others(row) {
            None => self.household.missing(&mut write),
            Some(others) => {
                self.household.tally(events, without, as_of, others.clone());
                // Nobody else in the household: there is nothing that a source could have missed.
                let alone = others.clone().next().is_none();
                self.household.write(features, &mut write, |start| {
                    alone || others.clone().any(|person| covered.person(person, start))
                });
            }
        }
    }
}

/// The tallies of one scope.
struct Side<'a> {
    groups: &'a Groups,
    slots: Vec<Slots>,
    tallies: Vec<Tally>,
    /// The groups that have taken something of the case at hand: most have nothing to say of most cases.
    touched: Vec<u16>,
    /// For each feature what it says where its source covers the case and nothing is found.
    nothing: Vec<(usize, f32)>,
    /// The days from which on a source has to cover a case, and the features that ask for it.
    from: Vec<(i32, Vec<usize>)>,
}

impl<'a> Side<'a> {
    fn new(features: &[Feature], groups: &'a Groups, source: &Source, as_of: AsOf) -> Self {
        let slots: Vec<Slots> = groups.all.iter().map(|group| Slots::new(group, as_of)).collect();
        let tallies: Vec<Tally> = groups
            .all
            .iter()
            .zip(&slots)
            .map(|(group, slots)| Tally::new(group, slots, |codes| codes_in(codes, source)))
            .collect();
        let mut nothing = Vec::new();
        let mut from: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for ((group, slots), tally) in groups.all.iter().zip(&slots).zip(&tallies) {
            for output in &group.outputs {
                let measure = &features[output.feature].measure;
                nothing.push((output.feature, measured(measure, tally, slots, output).encode()));
                let start = match measure {
                    // An episode open now is looked for now, whatever came before.
                    Measure::PresentNow => slots.today(),
                    Measure::Change => slots.previous_start(output.window).unwrap_or(i32::MIN),
                    _ => slots.start(output.window),
                };
                from.entry(start).or_default().push(output.feature);
            }
        }
        Self { groups, slots, tallies, touched: Vec::new(), nothing, from: from.into_iter().collect() }
    }

    fn tally(
        &mut self,
        events: &EventTable,
        without: &[usize],
        as_of: AsOf,
        people: impl Iterator<Item = u32>,
    ) {
        for place in self.touched.drain(..) {
            self.tallies[usize::from(place)].clear();
        }
        for person in people {
            if self.groups.reads_changes {
                self.touched.iter().for_each(|&place| self.tallies[usize::from(place)].next_person());
            }
            for row in events.visible(person, as_of).rev() {
                if !without.is_empty() && without.contains(&row) {
                    continue;
                }
                for &place in &self.groups.of_kind[usize::from(events.kind[row])] {
                    let at = usize::from(place);
                    let group = &self.groups.all[at];
                    if group.selection.matches_beside_kind(events, row) {
                        let tally = &mut self.tallies[at];
                        let was_touched = tally.is_touched();
                        tally.add(group, &self.slots[at], events, row, as_of);
                        if !was_touched && tally.is_touched() {
                            self.touched.push(place);
                        }
                    }
                }
            }
        }
    }

    /// Writes what was found. Where nothing was, the columns say so already.
    fn write(
        &mut self,
        features: &[Feature],
        write: &mut impl FnMut(usize, f32),
        covered: impl Fn(i32) -> bool,
    ) {
        for &place in &self.touched {
            let at = usize::from(place);
            let (group, slots, tally) = (&self.groups.all[at], &self.slots[at], &mut self.tallies[at]);
            tally.finish();
            for output in &group.outputs {
                let cell = measured(&features[output.feature].measure, tally, slots, output);
                write(output.feature, cell.encode());
            }
        }
        for (day, asking) in &self.from {
            if !covered(*day) {
                for &feature in asking {
                    write(feature, Cell::NOT_COVERED);
                }
            }
        }
    }

    fn missing(&self, write: &mut impl FnMut(usize, f32)) {
        self.nothing.iter().for_each(|&(feature, _)| write(feature, Cell::MISSING));
    }
}

fn measured(measure: &Measure, tally: &Tally, slots: &Slots, output: &Output) -> Cell {
    let window = output.window;
    let number = |value: f32| Cell::Value(value);
    let optional = |value: Option<f32>| value.map_or(Cell::Missing, Cell::Value);
    match measure {
        Measure::Count => number(tally.count(slots, window) as f32),
        Measure::Any => number(f32::from(u8::from(tally.count(slots, window) > 0))),
        Measure::Sum => optional(tally.sum(slots, window).map(|sum| sum as f32)),
        Measure::Mean => optional(tally.mean(slots, window)),
        Measure::Max => optional(tally.max(slots, window)),
        Measure::Min => optional(tally.min(slots, window)),
        Measure::Share => optional(tally.share(slots, window)),
        Measure::Latest => optional(tally.latest(slots, window)),
        Measure::Slope => optional(tally.slope(slots, window)),
        Measure::LatestIs { .. } | Measure::LatestOf { .. } => {
            optional(tally.latest_code(slots, window, output.counter).map(|code| output.says[code]))
        }
        Measure::DaysSinceChange(_) => {
            optional(tally.days_since_change(slots, window, output.counter).map(|days| days as f32))
        }
        Measure::DistinctKinds | Measure::Distinct(_) => {
            number(tally.distinct(slots, window, output.counter) as f32)
        }
        Measure::Incidents => number(tally.incidents(slots, window) as f32),
        Measure::DistinctDays => number(tally.distinct_days(slots, window) as f32),
        Measure::DaysSinceLast => optional(tally.days_since_last(slots, window).map(|days| days as f32)),
        Measure::DaysSinceFirst => optional(tally.days_since_first(slots, window).map(|days| days as f32)),
        Measure::DaysOpen => number(tally.days_open(slots, window) as f32),
        Measure::Change => number(tally.change(slots, window)),
        Measure::PresentNow => number(f32::from(u8::from(tally.present()))),
        Measure::Age | Measure::Members(..) | Measure::Moves => Cell::Missing,
    }
}

fn codes_in(codes: &Codes, source: &Source) -> usize {
    match codes {
        Codes::Kinds => source.kinds.len(),
        Codes::Category(column) => source.categories[*column].1.len(),
    }
}
