//! The staged tables: what the texts read, and the same made by the library of the records that it read.

use polars::prelude::{DataFrame, ParquetWriter, PolarsResult};

use super::Texts;
use super::dialect::Dialect;
use super::query::commented;
use super::source::Source;
use super::views;
use crate::error::SqlError;
use crate::records::{PEOPLE_TABLE, Records, STAYS_TABLE};

/// A staged table.
#[non_exhaustive]
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
    text.push_str(&table(PEOPLE_TABLE, "everybody, once", &owned(&PEOPLE)));
    text.push_str(&table(STAYS_TABLE, "who belonged to which household, and when", &owned(&STAYS)));
    let read: Vec<&str> = asked.read().map(|source| source.name).collect();
    for source in &asked.sources {
        let for_lists = if read.contains(&source.name) { "" } else { "; for lists alone, no text reads it" };
        let says = format!("source {}; rows as they were accepted{for_lists}", source.name);
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
        let table = |name: &str, frame: PolarsResult<DataFrame>| match frame {
            Ok(frame) => Ok(StagedTable { name: name.to_owned(), frame }),
            Err(error) => Err(SqlError::Staged { why: error.to_string() }),
        };
        let mut tables =
            vec![table(PEOPLE_TABLE, records.staged_people())?, table(STAYS_TABLE, records.staged_stays())?];
        for source in &self.sources {
            let frame = records.staged_events(&source.staged_as()).ok_or_else(|| SqlError::Lacks {
                what: format!("the records have no source \"{}\"", source.name),
            })?;
            tables.push(table(&source.table, frame)?);
        }
        Ok(tables)
    }
}
