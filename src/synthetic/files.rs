//! Turns people and rows into files.

use std::num::NonZeroU32;

use rayon::prelude::*;

use super::population::{Person, Population, Pseudonyms};
use super::rates::{AREA_VALUES, ETHNICITY_VALUES};
use super::services::{LAYOUTS, Records, Row, Source};
use super::table::{Cells, Column, CouncilFile, EMPTY};
use super::timeline::{EXTRACT, OPEN, RECORDS_START, YOUTH_JUSTICE_START};
use super::truth::SourceCoverage;
use crate::calendar::Day;

/// Digits of a person's, a household's and a record's number.
const PERSON_WIDTH: usize = 7;
const HOUSEHOLD_WIDTH: usize = 6;
const RECORD_WIDTH: usize = 7;

fn date(day: i32) -> Option<Day> {
    (day != OPEN).then(|| Day::from_epoch_days(day))
}

fn person_column(numbers: impl Iterator<Item = u32>) -> Column {
    id_column("person_id", "P", PERSON_WIDTH, numbers)
}

fn id_column(
    name: &'static str,
    prefix: &'static str,
    width: usize,
    numbers: impl Iterator<Item = u32>,
) -> Column {
    Column::new(name, Cells::Id { prefix, width, numbers: numbers.map(NonZeroU32::new).collect() })
}

fn date_column(name: &'static str, days: impl Iterator<Item = i32>) -> Column {
    Column::new(name, Cells::Date(days.map(date).collect()))
}

fn text_column(
    name: &'static str,
    values: &'static [&'static str],
    codes: impl Iterator<Item = u8>,
) -> Column {
    Column::new(name, Cells::Text { values, codes: codes.collect() })
}

/// The files of people, households and protected characteristics.
pub(super) fn of_people(population: &Population, people: &Pseudonyms) -> Vec<CouncilFile> {
    let mut listed: Vec<(u32, &Person, u8)> = population
        .families
        .iter()
        .flat_map(|family| {
            let persons = family.carers.iter().chain(family.children.iter().map(|child| &child.person));
            (family.first_person..)
                .zip(persons)
                .map(|(number, person)| (people.of(number), person, family.area))
        })
        .collect();
    listed.sort_unstable_by_key(|&(name, ..)| name);
    let ids = || person_column(listed.iter().map(|&(name, ..)| name));
    let disability = |person: &Person| person.disability.map_or(EMPTY, u8::from);
    vec![
        CouncilFile {
            name: "people",
            columns: vec![
                ids(),
                date_column("date_of_birth", listed.iter().map(|(_, person, _)| person.shown_birth)),
            ],
        },
        households(population, people),
        CouncilFile {
            name: "protected",
            columns: vec![
                ids(),
                text_column("sex", &["male", "female"], listed.iter().map(|(_, p, _)| u8::from(p.female))),
                text_column("ethnicity", &ETHNICITY_VALUES, listed.iter().map(|(_, p, _)| p.ethnicity)),
                text_column("disability", &["no", "yes"], listed.iter().map(|(_, p, _)| disability(p))),
                text_column("area", &AREA_VALUES, listed.iter().map(|&(.., area)| area)),
            ],
        },
    ]
}

fn households(population: &Population, people: &Pseudonyms) -> CouncilFile {
    let homes = Pseudonyms::new(population.households);
    let mut stays: Vec<(u32, i32, u32, i32)> = Vec::new();
    for family in &population.families {
        for stay in &family.stays {
            // A stay that ended before the records began is not in the files.
            if stay.end > RECORDS_START {
                let home = homes.of(family.first_household + stay.household);
                let end = if stay.end < EXTRACT { stay.end } else { OPEN };
                stays.push((people.of(family.first_person + stay.member as u32), stay.start, home, end));
            }
        }
    }
    stays.sort_unstable();
    CouncilFile {
        name: "households",
        columns: vec![
            person_column(stays.iter().map(|stay| stay.0)),
            id_column("household_id", "H", HOUSEHOLD_WIDTH, stays.iter().map(|stay| stay.2)),
            date_column("start", stays.iter().map(|stay| stay.1)),
            date_column("end", stays.iter().map(|stay| stay.3)),
        ],
    }
}

/// The files of the services and what each covers. Records are numbered in the order in which they
/// became known, as a case system does.
pub(super) fn of_services(records: Records, people: &Pseudonyms) -> (Vec<CouncilFile>, Vec<SourceCoverage>) {
    records
        .0
        .into_par_iter()
        .enumerate()
        .map(|(source, mut rows)| {
            for row in &mut rows {
                row.person = people.of(row.person);
            }
            rows.sort_by_key(|row| (row.recorded, row.person, row.start));
            (service_file(source, &rows), coverage(source, &rows))
        })
        .unzip()
}

fn service_file(source: usize, rows: &[Row]) -> CouncilFile {
    use super::services::Dates;
    let layout = &LAYOUTS[source];
    let days = |name, day: fn(&Row) -> i32| date_column(name, rows.iter().map(day));
    let mut columns = vec![
        id_column("record_id", layout.prefix, RECORD_WIDTH, 1..=rows.len() as u32),
        person_column(rows.iter().map(|row| row.person)),
    ];
    if layout.dates == Dates::Point {
        columns.push(days("occurred", |row| row.start));
    } else {
        columns.push(days("start", |row| row.start));
        columns.push(days("end", |row| row.end));
    }
    columns.push(days("recorded", |row| row.recorded));
    if layout.dates == Dates::SpellWithEnd {
        columns.push(days("end_recorded", |row| row.end_recorded));
    }
    if !layout.kinds.is_empty() {
        columns.push(text_column("kind", layout.kinds, rows.iter().map(|row| row.kind)));
    }
    if let Some((name, values)) = layout.detail {
        columns.push(text_column(name, values, rows.iter().map(|row| row.detail)));
    }
    if layout.has_value {
        // One decimal: the nearest f64, not the nearest f32 with its tail of digits.
        let number = |row: &Row| (!row.value.is_nan()).then(|| (f64::from(row.value) * 10.0).round() / 10.0);
        columns.push(Column::new("value", Cells::Number(rows.iter().map(number).collect())));
    }
    CouncilFile { name: layout.name, columns }
}

fn coverage(source: usize, rows: &[Row]) -> SourceCoverage {
    let from = if source == Source::YouthJustice as usize { YOUTH_JUSTICE_START } else { RECORDS_START };
    // An end is recorded later than its beginning, and a row may be of a day that was still to come.
    let days = rows.iter().flat_map(|row| [row.recorded, row.start, row.end_recorded]);
    let newest = days.filter(|&day| day < EXTRACT).max().unwrap_or(EXTRACT - 1);
    SourceCoverage {
        source: LAYOUTS[source].name,
        from: Day::from_epoch_days(from),
        to: Day::from_epoch_days(EXTRACT),
        last_updated: Day::from_epoch_days(newest),
    }
}
