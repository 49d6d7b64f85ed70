//! The staged tables: what the texts read, and the same made by the library of the records that it read.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};

use super::Texts;
use super::dialect::Dialect;
use super::query::commented;
use super::source::Source;
use super::views;
use crate::error::SqlError;
use crate::records::{OPEN, Records};

/// A staged table.
pub struct StagedTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub frame: DataFrame,
}

impl StagedTable {
    /// The table as a Parquet file.
    ///
    /// # Errors
    /// [`SqlError::Staged`] where it cannot be written.
    pub fn into_parquet(mut self) -> Result<Vec<u8>, SqlError> {
        let mut bytes = Vec::new();
        let written = ParquetWriter::new(&mut bytes).finish(&mut self.frame);
        written.map_err(|error| SqlError::Staged { why: error.to_string() })?;
        Ok(bytes)
    }
}

crate::opaque_debug!(StagedTable);

const PEOPLE: [(&str, &str, &str); 4] = [
    ("person", "text", "the pseudonymous id"),
    ("born", "integer", "the day of birth; NULL where it is not known"),
    ("died", "integer", "the day of death; NULL where none is known"),
    ("left_day", "integer", "the day on which the person left for good; NULL where none is known"),
];

const STAYS: [(&str, &str, &str); 5] = [
    ("person", "text", "the pseudonymous id"),
    ("household", "text", "the household's"),
    ("start_day", "integer", "the first day; NULL where there is no beginning"),
    ("end_day", "integer", "the day after the last; NULL while it lasts"),
    ("lag_days", "integer", "how many days after a move it is known"),
];

/// What the tables look like that the other texts read.
pub(super) fn text(asked: &Texts<'_>) -> String {
    let mut text = asked
        .heading("Staging: the tables that the other texts read. Days are numbers of days since 1970-01-01.");
    if asked.dialect == Dialect::SqlServer {
        text.push_str(&commented(
            "Texts are nvarchar with COLLATE Latin1_General_BIN2, without blanks around them: with another collation\n\
             codes that differ in capitals would be the same.\n",
        ));
    }
    let table = |name: &str, says: &str, columns: &[(String, &str, String)]| {
        let types: Vec<String> =
            columns.iter().map(|(name, kind, says)| format!("  {name:<14} {kind:<8} {says}")).collect();
        commented(&format!("{name}: {says}\n{}\n", types.join("\n"))) + "\n"
    };
    let owned = |columns: &[(&str, &'static str, &str)]| -> Vec<(String, &'static str, String)> {
        columns.iter().map(|(name, kind, says)| ((*name).to_owned(), *kind, (*says).to_owned())).collect()
    };
    text.push_str(&table("eh_people", "everybody, once", &owned(&PEOPLE)));
    text.push_str(&table("eh_stays", "who belonged to which household, and when", &owned(&STAYS)));
    for source in asked.read() {
        let says = format!("source {}; rows as they were accepted", source.name);
        text.push_str(&table(&source.table, &says, &source.staged()));
    }
    if let Some(raw) = &asked.raw {
        text.push_str(&views::text(asked, raw));
    }
    text
}

impl<'p> Texts<'p> {
    /// The sources that features, rules, rosters and the outcome read.
    pub(super) fn read(&self) -> impl Iterator<Item = &Source<'p>> {
        let of_features = self.features().map(|(feature, _)| feature.records.source.as_str());
        let of_rules = self.cohort.selectors().map(|(selector, _)| selector.source.as_str());
        let mut named: Vec<&str> = of_features.chain(of_rules).collect();
        let rosters: Vec<&str> =
            named.iter().filter_map(|name| self.source(name)?.coverage.roster.as_deref()).collect();
        named.extend(rosters);
        let of_outcome = self.outcome.iter().flat_map(|outcome| outcome.selectors());
        named.extend(of_outcome.map(|selector| selector.source.as_str()));
        self.sources.iter().filter(move |source| named.contains(&source.name))
    }
}

impl Texts<'_> {
    /// The staged tables of records that the library read: for an engine that is to compute the rest.
    ///
    /// # Errors
    /// [`SqlError`] where the records are of other sources, or a table cannot be made.
    pub fn staged_tables(&self, records: &Records) -> Result<Vec<StagedTable>, SqlError> {
        let mut tables = vec![people(records)?, stays(records)?];
        for source in self.read() {
            tables.push(events(source, records)?);
        }
        Ok(tables)
    }
}

fn days(name: &str, days: impl Iterator<Item = Option<i32>>) -> polars::prelude::Column {
    Series::new(name.into(), days.collect::<Vec<Option<i32>>>()).into_column()
}

fn texts<'a>(name: &str, texts: impl Iterator<Item = Option<&'a str>>) -> polars::prelude::Column {
    Series::new(name.into(), texts.collect::<Vec<Option<&str>>>()).into_column()
}

fn table(name: &str, columns: Vec<polars::prelude::Column>) -> Result<StagedTable, SqlError> {
    let height = columns.first().map_or(0, polars::prelude::Column::len);
    let frame =
        DataFrame::new(height, columns).map_err(|error| SqlError::Staged { why: error.to_string() })?;
    Ok(StagedTable { name: name.to_owned(), frame })
}

fn people(records: &Records) -> Result<StagedTable, SqlError> {
    let people = records.the_people();
    let all = || 0..people.len() as u32;
    let columns = vec![
        texts("person", people.ids.iter().map(|id| Some(&**id))),
        days("born", all().map(|person| people.born(person).map(crate::calendar::Day::epoch_days))),
        days("died", all().map(|person| people.died(person))),
        days("left_day", all().map(|person| people.left(person))),
    ];
    table("eh_people", columns)
}

fn stays(records: &Records) -> Result<StagedTable, SqlError> {
    let (people, households) = (records.the_people(), records.household_ids());
    let stays = records.stays();
    let known = |day: i32, none: i32| (day != none).then_some(day);
    let columns = vec![
        texts("person", stays.iter().map(|stay| Some(&*people.ids[stay.person as usize]))),
        texts("household", stays.iter().map(|stay| Some(&*households[stay.household as usize]))),
        days("start_day", stays.iter().map(|stay| known(stay.start, i32::MIN))),
        days("end_day", stays.iter().map(|stay| known(stay.end, OPEN))),
        days("lag_days", stays.iter().map(|stay| Some(stay.lag))),
    ];
    table("eh_stays", columns)
}

fn events(source: &Source<'_>, records: &Records) -> Result<StagedTable, SqlError> {
    let held = records
        .source(source.name)
        .ok_or_else(|| SqlError::Lacks { what: format!("the records have no source \"{}\"", source.name) })?;
    let events = &*held.events();
    let people = records.the_people();
    let rows = || 0..events.rows();
    let of_row: Vec<(u32, i32)> = (0..people.len() as u32)
        .flat_map(|person| events.rows_of(person).zip(0..).map(move |(_, seq)| (person, seq)))
        .collect();
    let kinds = &held.kinds;
    let mut columns = vec![
        texts("person", of_row.iter().map(|&(person, _)| Some(&*people.ids[person as usize]))),
        days("seq", of_row.iter().map(|&(_, seq)| Some(seq))),
        days("occurred", rows().map(|row| Some(events.occurred[row]))),
        days("known", rows().map(|row| Some(events.known(row)))),
        days("superseded", rows().map(|row| events.superseded_on(row))),
        texts("kind", rows().map(|row| Some(&*kinds[usize::from(events.kind[row])]))),
        days("role", rows().map(|row| Some(events.role(row) as i32))),
    ];
    if source.has_episodes() {
        columns.push(days("ended", rows().map(|row| events.finally_ended(row).filter(|&day| day != OPEN))));
        columns.push(days("ended_known", rows().map(|row| events.end_known(row))));
    }
    for (name, values) in [("value", &events.value), ("part_of", &events.of)] {
        if let Some(values) = values {
            let values: Vec<Option<f64>> =
                values.iter().map(|&value| (!value.is_nan()).then_some(f64::from(value))).collect();
            columns.push(Series::new(name.into(), values).into_column());
        }
    }
    if let Some(incidents) = &events.incident {
        columns.push(texts("incident", incidents.iter().map(|&code| held.incident(code))));
    }
    for (place, (_, column)) in source.categories().enumerate() {
        let (codes, (_, names)) = (&events.categories[place], &held.categories[place]);
        columns.push(texts(column, codes.iter().map(|&code| names.get(code as usize).map(|name| &**name))));
    }
    table(&source.table, columns)
}
