//! Features arranged for one pass over each source: those that read the same records share a tally.

use super::feature::{Feature, Measure, PEOPLE, Scope};
use crate::calendar::Lookback;
use crate::error::SpecError;
use crate::records::{Records, Selection, Selector, Source, category_place};

/// All features of a spec, by source.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) sources: Vec<SourcePlan>,
    /// The features that are read from the lists of people and households.
    pub(super) of_people: Vec<usize>,
}

/// The features of one source.
#[derive(Debug)]
pub(super) struct SourcePlan {
    pub(super) source: usize,
    /// The source whose episodes say who is covered.
    pub(super) roster: Option<usize>,
    pub(super) own: Groups,
    pub(super) household: Groups,
}

/// Groups of one scope, and for each kind of event the groups that may take it.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    pub(super) of_kind: Vec<Vec<u16>>,
    /// Whether a group compares a person's records with those before.
    pub(super) reads_changes: bool,
}

/// Features of one scope that read the same records.
#[derive(Debug)]
pub(super) struct Group {
    records: Selector,
    pub(super) selection: Selection,
    /// The look-backs that its features need.
    pub(super) windows: Vec<Lookback>,
    pub(super) outputs: Vec<Output>,
    pub(super) wants: Wants,
}

/// One feature's place.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) feature: usize,
    /// Its place among the group's windows.
    pub(super) window: usize,
    /// For what reads codes: which of the group's counters.
    pub(super) counter: usize,
    /// For what reads the latest code: what the feature says for each.
    pub(super) says: Vec<f32>,
}

/// What a tally has to keep beyond the count and the days of the first and last event.
#[allow(clippy::struct_excessive_bools, reason = "a set of independent wishes")]
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) values: bool,
    pub(super) line: bool,
    /// Sums of values and of what they are part of.
    pub(super) parts: bool,
    pub(super) days: bool,
    pub(super) incidents: bool,
    pub(super) episodes: bool,
    /// Counts in the equally long window before each window.
    pub(super) previous: bool,
    /// What to count distinct values of.
    pub(super) distinct: Vec<Codes>,
    /// What to keep the latest value of.
    pub(super) latest: Vec<Codes>,
    /// What to keep the last change of.
    pub(super) changes: Vec<Codes>,
}

/// Codes whose distinct values are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codes {
    Kinds,
    /// The category in this place.
    Category(usize),
}

impl Plan {
    pub(super) fn new(features: &[Feature], records: &Records) -> Result<Self, SpecError> {
        let mut plan = Self { sources: Vec::new(), of_people: Vec::new() };
        for (index, feature) in features.iter().enumerate() {
            if feature.records.source == PEOPLE {
                plan.of_people.push(index);
                continue;
            }
            let of = format!("feature {}", feature.name);
            let selection = feature.records.resolve(records, &of)?;
            let source = records.source_at(selection.source);
            check(feature, source, &of)?;
            let codes = match (&feature.measure, feature.measure.category()) {
                (Measure::DistinctKinds, _) => Some(Codes::Kinds),
                (_, Some(column)) => Some(Codes::Category(category_place(source, column, &of)?)),
                _ => None,
            };
            let says = match &codes {
                Some(Codes::Category(place)) => said_of(&feature.measure, &source.categories[*place].1),
                _ => Vec::new(),
            };
            let source_plan = plan.source(selection.source, records, &of)?;
            let groups = match feature.scope {
                Scope::Own => &mut source_plan.own.all,
                Scope::Household => &mut source_plan.household.all,
            };
            let place =
                groups.iter().position(|group| group.records == feature.records).unwrap_or_else(|| {
                    groups.push(Group::new(feature.records.clone(), selection));
                    groups.len() - 1
                });
            groups[place].add(index, feature, codes, says);
        }
        for plan in &mut plan.sources {
            let kinds = records.source_at(plan.source).kinds.len();
            plan.own.index(kinds);
            plan.household.index(kinds);
        }
        Ok(plan)
    }

    fn source(&mut self, index: usize, records: &Records, of: &str) -> Result<&mut SourcePlan, SpecError> {
        let found = self.sources.iter().position(|plan| plan.source == index);
        if found.is_none() {
            let roster = roster_of(records, index, of)?;
            let (own, household) = (Groups::default(), Groups::default());
            self.sources.push(SourcePlan { source: index, roster, own, household });
        }
        let place = found.unwrap_or(self.sources.len() - 1);
        Ok(&mut self.sources[place])
    }
}

fn roster_of(records: &Records, source: usize, of: &str) -> Result<Option<usize>, SpecError> {
    let Some(name) = &records.source_at(source).coverage.roster else { return Ok(None) };
    records
        .source_index(name)
        .filter(|&roster| records.source_at(roster).shape().has_episodes)
        .map(Some)
        .ok_or_else(|| SpecError::Invalid {
            of: of.to_owned(),
            why: format!("the roster \"{name}\" of its source is not a source of episodes"),
        })
}

impl Groups {
    fn index(&mut self, kinds: usize) {
        self.reads_changes = self.all.iter().any(|group| !group.wants.changes.is_empty());
        self.of_kind = (0..kinds as u16)
            .map(|kind| {
                (0..self.all.len() as u16)
                    .filter(|&group| self.all[usize::from(group)].selection.takes_kind(kind))
                    .collect()
            })
            .collect();
    }
}

impl Group {
    fn new(records: Selector, selection: Selection) -> Self {
        Self { records, selection, windows: Vec::new(), outputs: Vec::new(), wants: Wants::default() }
    }

    fn add(&mut self, feature: usize, spec: &Feature, codes: Option<Codes>, says: Vec<f32>) {
        let counter = codes.map_or(0, |codes| {
            let counters = match spec.measure {
                Measure::LatestIs { .. } | Measure::LatestOf { .. } => &mut self.wants.latest,
                Measure::DaysSinceChange(_) => &mut self.wants.changes,
                _ => &mut self.wants.distinct,
            };
            counters.iter().position(|held| *held == codes).unwrap_or_else(|| {
                counters.push(codes);
                counters.len() - 1
            })
        });
        self.wants.values |= spec.measure.needs_value();
        self.wants.line |= spec.measure == Measure::Slope;
        self.wants.parts |= spec.measure == Measure::Share;
        self.wants.days |= spec.measure == Measure::DistinctDays;
        self.wants.incidents |= spec.measure == Measure::Incidents;
        self.wants.episodes |= spec.measure == Measure::DaysOpen;
        let window = self.windows.iter().position(|held| *held == spec.over).unwrap_or_else(|| {
            self.windows.push(spec.over);
            self.windows.len() - 1
        });
        self.wants.previous |= spec.measure == Measure::Change;
        self.outputs.push(Output { feature, window, counter, says });
    }
}

/// What a measure of the latest code says for each code of a source.
fn said_of(measure: &Measure, held: &[Box<str>]) -> Vec<f32> {
    match measure {
        Measure::LatestIs { value, .. } => {
            held.iter().map(|name| f32::from(u8::from(**name == **value))).collect()
        }
        Measure::LatestOf { codes, .. } => held
            .iter()
            .map(|name| codes.iter().position(|code| **code == **name).unwrap_or(codes.len()) as f32)
            .collect(),
        _ => Vec::new(),
    }
}

/// Refuses what the source cannot say.
fn check(feature: &Feature, source: &Source, of: &str) -> Result<(), SpecError> {
    let why = match feature.measure {
        Measure::DaysOpen | Measure::PresentNow if !source.shape().has_episodes => {
            format!("source {} holds no episodes; name the column of their ends in its mapping", source.name)
        }
        Measure::Incidents if !source.shape().has_incidents => {
            format!(
                "source {} has no incidents; name the column of them (`incident`) in its mapping",
                source.name
            )
        }
        _ if feature.measure.needs_value() && !source.shape().has_values => {
            format!("source {} has no values; name the column of them in its mapping", source.name)
        }
        Measure::Share if !source.shape().has_parts => {
            format!(
                "source {} does not say what its values are part of; name the column of it (`of`) in its mapping",
                source.name
            )
        }
        _ => return Ok(()),
    };
    Err(SpecError::Invalid { of: of.to_owned(), why })
}
