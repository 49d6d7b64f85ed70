//! The staged table of a source, and what of it was known on the date.

use std::fmt::Write as _;

use super::dialect::Dialect;
use super::names::Names;
use super::query::indented;
use crate::calendar::AsOf;
use crate::records::{Coverage, EventColumns, Role, Selector, StagedAs};

/// A source as the texts see it.
#[derive(Debug)]
pub(super) struct Source<'p> {
    pub(super) name: &'p str,
    pub(super) columns: &'p EventColumns,
    pub(super) coverage: &'p Coverage,
    /// Its staged table.
    pub(super) table: String,
    /// The tables of its features: of a case's own records, and of those of the others in the household.
    pub(super) made: [String; 2],
    /// The views that make the staged table of its raw table: its raw rows, each row with its fault, and what becomes of those
    /// that repeat another.
    pub(super) views: [String; 3],
    /// The column of each category.
    categories: Vec<(&'p str, String)>,
}

impl<'p> Source<'p> {
    pub(super) fn new(
        (name, columns, coverage): (&'p str, &'p EventColumns, &'p Coverage),
        names: &mut Names,
    ) -> Self {
        let mut of_categories = Names::default();
        let categories = columns
            .categories
            .iter()
            .map(|category| (category.as_str(), format!("c_{}", of_categories.like(category))));
        let mut table = |of: &str| format!("eh_{}", names.like(&format!("{of}{name}")));
        let (staged, made) = (table(""), ["own_", "household_"].map(&mut table));
        let views = ["raw_", "checked_", "told_"].map(&mut table);
        Self { name, columns, coverage, table: staged, made, views, categories: categories.collect() }
    }

    /// Whether its records have ends.
    pub(super) fn has_episodes(&self) -> bool {
        self.columns.ended.is_some() || self.columns.lasts_days.is_some()
    }

    /// The column of a category that the mapping keeps.
    pub(super) fn category(&self, name: &str) -> Option<&str> {
        self.categories.iter().find(|(held, _)| *held == name).map(|(_, column)| column.as_str())
    }

    pub(super) fn categories(&self) -> impl Iterator<Item = (&'p str, &str)> {
        self.categories.iter().map(|(name, column)| (*name, column.as_str()))
    }

    pub(super) fn staged_as(&self) -> StagedAs<'_> {
        StagedAs {
            source: self.name,
            table: &self.table,
            columns: self.columns,
            coverage: self.coverage,
            categories: self.categories().collect(),
        }
    }

    /// Which rows a selector means, as a condition; `None` where it means all.
    pub(super) fn condition(&self, selector: &Selector, dialect: Dialect) -> Option<String> {
        let among = |column: &str, texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| dialect.text(text)).collect();
            format!("{column} IN ({})", texts.join(", "))
        };
        let mut all = Vec::new();
        if !selector.kinds.is_empty() {
            all.push(among("kind", &selector.kinds));
        }
        if !selector.roles.is_empty() {
            let roles: Vec<String> = selector.roles.iter().map(|&role| (role as u8).to_string()).collect();
            all.push(format!("role IN ({})", roles.join(", ")));
        }
        for (category, wanted) in &selector.categories {
            if let Some(column) = self.category(category) {
                all.push(among(column, wanted));
            }
        }
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    /// The rows that were known on the date, each in the state that it had by then, and for each of `selectors` whether it is
    /// one of those meant (`s0`, `s1`, ...).
    pub(super) fn seen(&self, selectors: &[&Selector], as_of: AsOf, dialect: Dialect) -> String {
        let today = as_of.day().epoch_days();
        let mut columns = vec!["person".to_owned(), "seq".into(), "occurred".into(), "kind".into()];
        if self.has_episodes() {
            columns.push(format!("CASE WHEN ended_known < {today} THEN ended END AS ended"));
        }
        let wanted = [
            (self.columns.value.is_some(), "value"),
            (self.columns.of.is_some(), "part_of"),
            (self.columns.incident.is_some(), "incident"),
        ];
        columns.extend(wanted.iter().filter(|(is_there, _)| *is_there).map(|(_, name)| (*name).to_owned()));
        columns.extend(self.categories.iter().map(|(_, column)| column.clone()));
        for (nth, selector) in selectors.iter().enumerate() {
            columns.push(match self.condition(selector, dialect) {
                None => format!("1 AS s{nth}"),
                Some(condition) => format!("CASE WHEN {condition} THEN 1 ELSE 0 END AS s{nth}"),
            });
        }
        let mut text = format!("SELECT\n{}\n", indented(&columns.join(",\n")));
        let _ = write!(
            text,
            "FROM {}\nWHERE known < {today} AND (superseded IS NULL OR superseded >= {today})",
            self.table
        );
        text
    }

    /// What the staged table has, column by column, in words.
    pub(super) fn staged(&self) -> Vec<(String, &'static str, String)> {
        let day = "a day, as the number of days since 1970-01-01";
        let mut columns: Vec<(String, &'static str, String)> = vec![
            ("person".into(), "text", "the pseudonymous id, as in eh_people".into()),
            (
                "seq".into(),
                "integer",
                "the row's place among the person's, in the order of eh_people's guide".into(),
            ),
            ("occurred".into(), "integer", format!("when it happened or began: {day}")),
            ("known".into(), "integer", format!("when it became known: {day}")),
            (
                "superseded".into(),
                "integer",
                "when a later state of the same record became known, a day; NULL for the last state".into(),
            ),
            ("kind".into(), "text", "what kind of event".into()),
        ];
        if self.has_episodes() {
            columns.push(("ended".into(), "integer", "when it ended, a day; NULL while it lasts".into()));
            columns.push(("ended_known".into(), "integer", "when its end became known, a day".into()));
        }
        let roles: Vec<String> =
            Role::ALL.iter().map(|&role| format!("{} {}", role as u8, role.name())).collect();
        columns.push(("role".into(), "integer", format!("the person's part in it: {}", roles.join(", "))));
        if let Some(value) = &self.columns.value {
            columns.push((
                "value".into(),
                "double",
                format!("{value}, of single precision; NULL where it is not known"),
            ));
        }
        if let Some(of) = &self.columns.of {
            columns.push((
                "part_of".into(),
                "double",
                format!("{of}: what the value is a part of, of single precision"),
            ));
        }
        if let Some(incident) = &self.columns.incident {
            columns.push(("incident".into(), "text", format!("{incident}; NULL where there is none")));
        }
        columns.extend(
            self.categories
                .iter()
                .map(|(name, column)| (column.clone(), "text", format!("{name}; NULL where there is none"))),
        );
        let for_lists = "for lists alone, no text reads it";
        if self.columns.reference.is_some() {
            columns.push(("reference".into(), "text", format!("the source's own reference; {for_lists}")));
        }
        if self.columns.link_probability.is_some() || self.columns.system.is_some() {
            columns.push((
                "link".into(),
                "double",
                format!("how sure it is that the row is the person's, 0 to 1; {for_lists}"),
            ));
        }
        columns
    }
}
