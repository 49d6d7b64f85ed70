//! The records behind a cell.

use super::feature::{Feature, Measure, PEOPLE, Scope};
use super::row::EventRow;
use super::spec::FeatureSpec;
use crate::calendar::{AsOf, Day};
use crate::cohort::{Cohort, Unit};
use crate::error::SpecError;
use crate::records::{EventTable, NONE, OPEN, RecordReference, Selection, Source, category_place, open_on};

impl FeatureSpec {
    /// The records that feature `column` read for case `row` of the cohort, in the order in which they
    /// happened; where the feature rests on one of them (the last, the first, the highest), that one; and of the records
    /// of one incident, where incidents are counted, the first.
    /// Empty for an age, and where the cell is zero because there was nothing.
    ///
    /// # Errors
    /// [`SpecError`] as in [`FeatureSpec::compute`], or where there is no such feature or case.
    pub fn records_behind(
        &self,
        cohort: &Cohort<'_>,
        row: usize,
        column: usize,
    ) -> Result<Vec<RecordReference>, SpecError> {
        let behind = self.rows_behind(cohort, row, column)?;
        Ok(behind.into_iter().map(|behind| reference(cohort, row, behind)).collect())
    }

    /// The same by their places.
    pub(crate) fn rows_behind(
        &self,
        cohort: &Cohort<'_>,
        row: usize,
        column: usize,
    ) -> Result<Vec<EventRow>, SpecError> {
        let feature = self.feature_of(cohort, row, column)?;
        if feature.records.source == PEOPLE {
            return Ok(Vec::new());
        }
        let records = cohort.snapshot().records();
        let selection = feature.records.resolve(records, &format!("feature {}", feature.name))?;
        let source = records.source_at(selection.source);
        let events = &*source.events();
        let has_value = |row| !feature.measure.needs_value() || !is_unknown(&feature.measure, events, row);
        let read = read_by(feature, &selection, events, cohort, row, &has_value);
        // Of several people's records on the last day the first person's counts, as in the kernel.
        let has_category = |&row: &usize| {
            let place = feature.measure.category().and_then(|name| category_place(source, name, "").ok());
            place.is_none_or(|place| events.categories[place][row] != NONE)
        };
        let last = read
            .iter()
            .filter_map(|rows| rows.iter().rev().copied().find(has_category))
            .min_by_key(|&row| (std::cmp::Reverse(events.occurred[row]), row));
        let changed = last_change(feature, (source, events), cohort.seen_on(row), &read);
        let mut rows: Vec<usize> = read.into_iter().flatten().collect();
        rows.sort_by_key(|&row| (events.occurred[row], row));
        let behind = match feature.measure {
            Measure::DaysSinceChange(_) => changed,
            Measure::DaysSinceLast
            | Measure::Latest
            | Measure::LatestIs { .. }
            | Measure::LatestOf { .. } => last.into_iter().collect(),
            Measure::DaysSinceFirst => {
                rows.truncate(1);
                rows
            }
            Measure::Incidents => {
                let mut told = std::collections::BTreeSet::new();
                let incident = |row: usize| events.incident.as_ref().map_or(NONE, |incidents| incidents[row]);
                rows.retain(|&row| incident(row) == NONE || told.insert(incident(row)));
                rows
            }
            Measure::Max | Measure::Min => {
                let sign = if feature.measure == Measure::Max { 1.0 } else { -1.0 };
                let value = |row: usize| events.value.as_ref().map_or(f32::NAN, |values| sign * values[row]);
                let highest = rows.iter().map(|&row| value(row)).fold(f32::NEG_INFINITY, f32::max);
                rows.retain(|&row| value(row) >= highest);
                rows
            }
            _ => rows,
        };
        Ok(behind.into_iter().map(|row| EventRow { source: selection.source, row }).collect())
    }

    /// How many records that feature `column` would have read for case `row` have no value that could be read: what it
    /// says is of the others alone, so that a sum may be too low. 0 for a measure that reads no values.
    ///
    /// # Errors
    /// As [`FeatureSpec::records_behind`].
    pub fn unknown_behind(&self, cohort: &Cohort<'_>, row: usize, column: usize) -> Result<usize, SpecError> {
        let feature = self.feature_of(cohort, row, column)?;
        if feature.records.source == PEOPLE || !feature.measure.needs_value() {
            return Ok(0);
        }
        let records = cohort.snapshot().records();
        let selection = feature.records.resolve(records, &format!("feature {}", feature.name))?;
        let events = &*records.source_at(selection.source).events();
        let unknown = read_by(feature, &selection, events, cohort, row, &|row| {
            is_unknown(&feature.measure, events, row)
        });
        Ok(unknown.iter().map(Vec::len).sum())
    }

    fn feature_of(&self, cohort: &Cohort<'_>, row: usize, column: usize) -> Result<&Feature, SpecError> {
        self.features().get(column).filter(|_| row < cohort.len()).ok_or_else(|| {
            let why = "there is no such feature or case".to_owned();
            SpecError::Invalid { of: "provenance".into(), why }
        })
    }
}

/// What points a reader to a record that was read for case `row` of the cohort.
pub(crate) fn reference(cohort: &Cohort<'_>, row: usize, behind: EventRow) -> RecordReference {
    let source = cohort.snapshot().records().source_at(behind.source);
    // Not of the others in a household: a name in another's case would outlive the taking out of whoever bears it.
    let of_several = cohort.unit() == Unit::Family;
    let member = || cohort.seen(row).member(source.events().person_of(behind.row) as u32);
    RecordReference { member: of_several.then(member), ..source.reference_to(behind.row) }
}

fn is_unknown(measure: &Measure, events: &EventTable, row: usize) -> bool {
    if *measure == Measure::Share {
        return events.part(row).is_none();
    }
    events.value.as_ref().is_none_or(|values| values[row].is_nan())
}

/// The two records between which a category changed last, of the person with whom it changed last.
fn last_change(
    feature: &Feature,
    (source, events): (&Source, &EventTable),
    as_of: AsOf,
    read: &[Vec<usize>],
) -> Vec<usize> {
    let Measure::DaysSinceChange(category) = &feature.measure else { return Vec::new() };
    let Some(codes) = category_place(source, category, "").ok().map(|place| &events.categories[place]) else {
        return Vec::new();
    };
    let start = feature.over.start(as_of).epoch_days();
    let day = |row: usize| events.occurred[row];
    let mut found: Option<[usize; 2]> = None;
    for rows in read {
        let known: Vec<usize> = rows.iter().copied().filter(|&row| codes[row] != NONE).collect();
        let mut changes =
            known.windows(2).filter(|pair| codes[pair[0]] != codes[pair[1]] && day(pair[1]) >= start);
        if let Some(pair) = changes.next_back()
            && found.is_none_or(|held| day(pair[1]) > day(held[1]))
        {
            found = Some([pair[0], pair[1]]);
        }
    }
    found.into_iter().flatten().collect()
}

/// The rows of the source that the feature reads for the case, person by person, as far as they are `wanted`.
fn read_by(
    feature: &Feature,
    selection: &Selection,
    events: &EventTable,
    cohort: &Cohort<'_>,
    row: usize,
    wanted: &dyn Fn(usize) -> bool,
) -> Vec<Vec<usize>> {
    let people: Vec<u32> = match feature.scope {
        Scope::Own => cohort.own(row).people().to_vec(),
        Scope::Household => cohort.others(row).into_iter().flatten().collect(),
    };
    let as_of = cohort.seen_on(row);
    let today = as_of.day().epoch_days();
    let start = match feature.measure {
        Measure::Change => feature.over.start_of_previous(as_of),
        // What it changed from may lie before the window.
        Measure::DaysSinceChange(_) => None,
        _ => Some(feature.over.start(as_of)),
    }
    .map_or(i32::MIN, Day::epoch_days);
    let is_read = |&row: &usize| {
        let day = events.occurred[row];
        let in_window = match feature.measure {
            Measure::PresentNow => open_on(today, day, events.ended(row, as_of).unwrap_or(OPEN)),
            Measure::DaysOpen => day < today && events.ended(row, as_of).is_some_and(|end| end > start),
            _ => day >= start && day < today,
        };
        in_window && wanted(row) && selection.matches(events, row)
    };
    people.into_iter().map(|person| events.visible(person, as_of).filter(is_read).collect()).collect()
}
