//! The records behind a cell.

use super::feature::{Feature, Measure, PEOPLE, Scope};
use super::spec::FeatureSpec;
use crate::calendar::Day;
use crate::cohort::Cohort;
use crate::error::SpecError;
use crate::records::{NONE, OPEN, RecordReference, Selection, Source, open_on};

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
        let (Some(feature), true) = (self.features().get(column), row < cohort.len()) else {
            let why = "there is no such feature or case".to_owned();
            return Err(SpecError::Invalid { of: "provenance".into(), why });
        };
        if feature.records.source == PEOPLE {
            return Ok(Vec::new());
        }
        let records = cohort.snapshot().records();
        let selection = feature.records.resolve(records, &format!("feature {}", feature.name))?;
        let source = records.source_at(selection.source);
        let read = read_by(feature, &selection, source, cohort, row);
        let events = &source.events;
        // Of several people's records on the last day the first person's counts, as in the kernel.
        let last = read
            .iter()
            .filter_map(|rows| rows.last())
            .copied()
            .min_by_key(|&row| (std::cmp::Reverse(events.occurred[row]), row));
        let mut rows: Vec<usize> = read.into_iter().flatten().collect();
        rows.sort_by_key(|&row| (events.occurred[row], row));
        let behind = match feature.measure {
            Measure::DaysSinceLast | Measure::Latest => last.into_iter().collect(),
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
            Measure::Max => {
                let value = |row: usize| events.value.as_ref().map_or(f32::NAN, |values| values[row]);
                let highest = rows.iter().map(|&row| value(row)).fold(f32::NEG_INFINITY, f32::max);
                rows.retain(|&row| value(row) >= highest);
                rows
            }
            _ => rows,
        };
        Ok(behind.into_iter().map(|row| source.reference_to(row)).collect())
    }
}

/// The rows of the source that the feature reads for the case, person by person.
fn read_by(
    feature: &Feature,
    selection: &Selection,
    source: &Source,
    cohort: &Cohort<'_>,
    row: usize,
) -> Vec<Vec<usize>> {
    let people: Vec<u32> = match feature.scope {
        Scope::Own => cohort.own(row).people().to_vec(),
        Scope::Household => cohort.others(row).into_iter().flatten().collect(),
    };
    let as_of = cohort.as_of();
    let today = as_of.day().epoch_days();
    let start = match feature.measure {
        Measure::Change => feature.over.start_of_previous(as_of),
        _ => Some(feature.over.start(as_of)),
    }
    .map_or(i32::MIN, Day::epoch_days);
    let events = &source.events;
    let is_read = |&row: &usize| {
        let day = events.occurred[row];
        let in_window = match feature.measure {
            Measure::PresentNow => open_on(today, day, events.ended(row, as_of).unwrap_or(OPEN)),
            Measure::DaysOpen => day < today && events.ended(row, as_of).is_some_and(|end| end > start),
            _ => day >= start && day < today,
        };
        let has_value = !feature.measure.needs_value()
            || events.value.as_ref().is_some_and(|values| !values[row].is_nan());
        in_window && has_value && selection.matches(events, row)
    };
    people.into_iter().map(|person| events.visible(person, as_of).filter(is_read).collect()).collect()
}
