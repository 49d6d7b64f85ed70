//! Small councils that do not exist: plain rows, the same rows as frames and as CSV texts, and the whole
//! chain from them to a review list.
//!
//! Rows are kept as plain structs, so that a test can read them with loops of its own and compare.

mod council;
mod wild;

use std::fmt::Write as _;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::fairness::{Protected, ProtectedColumns};
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, Condition};
use earlyhelp::records::{
    Coverage, Extract, HouseholdColumns, Kind, Known, PeopleColumns, Records, RecordsBuilder, Role,
    SourceMapping,
};
use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series};

pub use council::*;
pub use wild::*;

/// Random numbers that are the same everywhere: the `SplitMix64` sequence of a seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to `n`, which is not among them.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Both ends included.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as usize) as i32
    }

    /// About normal, mean 0 and deviation 1: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// One row of a source of dated records; a source uses the fields that its mapping names.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub person: String,
    pub kind: String,
    pub occurred: i32,
    pub known: i32,
    pub ended: Option<i32>,
    pub ended_known: Option<i32>,
    pub role: Option<Role>,
    pub value: Option<f64>,
    pub of: Option<f64>,
    pub place: Option<String>,
    pub reference: String,
}

/// One source: how it is read, and its rows.
#[derive(Debug, Clone)]
pub struct Source {
    pub mapping: SourceMapping,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub born: Option<i32>,
}

/// One person's time in one household.
#[derive(Debug, Clone)]
pub struct Spell {
    pub person: String,
    pub household: String,
    pub start: Option<i32>,
    pub end: Option<i32>,
}

#[derive(Debug, Clone)]
pub struct World {
    pub people: Vec<Person>,
    pub spells: Vec<Spell>,
    pub household_lag: i32,
    pub sources: Vec<Source>,
    /// Protected characteristics: person and group.
    pub sex: Vec<(String, &'static str)>,
}

/// How the sources are read; every mapping names its columns alike.
pub fn mappings() -> Vec<SourceMapping> {
    let base =
        |name: &str| SourceMapping::new(name, "person", "none", "on").kind_column("kind").reference("ref");
    let recorded = || Known::Column("recorded".into());
    vec![
        base("police").known(recorded()).role("role").value("value").category("place"),
        base("plans").known(Known::LagDays(2)).ended("until").ended_known("until_known"),
        base("housing").known(Known::LagDays(10)).value("value"),
        base("school").known(recorded()).category("place").coverage(Coverage {
            ages: Some((4, 17)),
            roster: Some("roll".into()),
            ..Coverage::default()
        }),
        base("roll").ended("until"),
        base("care").known(recorded()).ended("until").value("value"),
    ]
}

/// The kinds of each source of [`mappings`].
pub fn kinds_of(source: &str) -> &'static [&'static str] {
    match source {
        "police" => &["assault", "domestic", "theft"],
        "plans" => &["cin", "cp"],
        "housing" => &["arrears", "notice"],
        "school" => &["absence", "exclusion"],
        "care" => &["adult", "carer"],
        _ => &["enrolled"],
    }
}

pub const PLACES: [&str; 4] = ["east", "north", "south", "west"];

pub fn day(text: &str) -> i32 {
    text.parse::<Day>().unwrap().epoch_days()
}

pub fn as_of(text: &str) -> AsOf {
    text.parse().unwrap()
}

pub fn people_columns() -> PeopleColumns {
    PeopleColumns {
        person: vec!["person".into()],
        date_of_birth: Some("born".into()),
        ..PeopleColumns::default()
    }
}

pub fn household_columns(lag_days: i32) -> HouseholdColumns {
    HouseholdColumns {
        person: vec!["person".into()],
        household: "home".into(),
        start: Some("start".into()),
        end: Some("end".into()),
        lag_days,
        ..HouseholdColumns::default()
    }
}

fn texts<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    Series::new(name.into(), values.collect::<Vec<_>>()).into_column()
}

fn days(name: &str, values: impl Iterator<Item = Option<i32>>) -> Column {
    let days = Series::new(name.into(), values.collect::<Vec<_>>());
    days.cast(&DataType::Date).unwrap().into_column()
}

fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Series::new(name.into(), values.collect::<Vec<_>>()).into_column()
}

fn csv_line(text: &mut String, cells: &[String]) {
    writeln!(text, "{}", cells.join(",")).unwrap();
}

fn date_text(value: Option<i32>) -> String {
    value.map_or_else(String::new, |value| Day::from_epoch_days(value).to_string())
}

impl Source {
    pub fn name(&self) -> &str {
        &self.mapping.name
    }

    /// The day a row became known, as its mapping says.
    pub fn known(&self, row: &Row) -> i32 {
        match self.mapping.columns.known {
            Known::Column(_) | Known::FileName(_) => row.known,
            Known::LagDays(lag) => row.occurred + lag,
        }
    }

    /// The day a row's end became known, as its mapping says; `None` while it is open.
    pub fn ended_known(&self, row: &Row) -> Option<i32> {
        let ended = row.ended?;
        Some(match (&self.mapping.columns.ended_known, &self.mapping.columns.known) {
            (Some(_), _) => row.ended_known.unwrap_or(ended),
            (None, Known::LagDays(lag)) => ended + lag,
            (None, Known::Column(_) | Known::FileName(_)) => ended.max(row.known),
        })
    }

    fn column_names(&self) -> Vec<String> {
        let columns = &self.mapping.columns;
        let mut names = vec!["person".to_owned(), "on".to_owned()];
        if let Kind::Column(name) = &columns.kind {
            names.push(name.clone());
        }
        if let Known::Column(name) = &columns.known {
            names.push(name.clone());
        }
        let optional = [
            &columns.ended,
            &columns.ended_known,
            &columns.value,
            &columns.of,
            &columns.role,
            &columns.reference,
        ];
        names.extend(optional.into_iter().flatten().cloned());
        names.extend(columns.categories.iter().cloned());
        names
    }

    pub fn frame(&self) -> DataFrame {
        let rows = || self.rows.iter();
        let columns = self
            .column_names()
            .iter()
            .map(|name| match name.as_str() {
                "person" => texts(name, rows().map(|row| Some(row.person.as_str()))),
                "kind" => texts(name, rows().map(|row| Some(row.kind.as_str()))),
                "on" => days(name, rows().map(|row| Some(row.occurred))),
                "recorded" => days(name, rows().map(|row| Some(row.known))),
                "until" => days(name, rows().map(|row| row.ended)),
                "until_known" => days(name, rows().map(|row| row.ended_known)),
                "value" => numbers(name, rows().map(|row| row.value)),
                "of" => numbers(name, rows().map(|row| row.of)),
                "role" => texts(name, rows().map(|row| row.role.map(Role::name))),
                "place" => texts(name, rows().map(|row| row.place.as_deref())),
                _ => texts(name, rows().map(|row| Some(row.reference.as_str()))),
            })
            .collect();
        DataFrame::new(self.rows.len(), columns).unwrap()
    }

    pub fn csv(&self) -> String {
        let names = self.column_names();
        let mut text = String::new();
        csv_line(&mut text, &names);
        for row in &self.rows {
            let cells: Vec<String> = names
                .iter()
                .map(|name| match name.as_str() {
                    "person" => row.person.clone(),
                    "kind" => row.kind.clone(),
                    "on" => date_text(Some(row.occurred)),
                    "recorded" => date_text(Some(row.known)),
                    "until" => date_text(row.ended),
                    "until_known" => date_text(row.ended_known),
                    "value" => row.value.map_or_else(String::new, |value| value.to_string()),
                    "of" => row.of.map_or_else(String::new, |of| of.to_string()),
                    "role" => row.role.map_or_else(String::new, |role| role.name().to_owned()),
                    "place" => row.place.clone().unwrap_or_default(),
                    _ => row.reference.clone(),
                })
                .collect();
            csv_line(&mut text, &cells);
        }
        text
    }
}

impl World {
    pub fn people_frame(&self) -> DataFrame {
        let columns = vec![
            texts("person", self.people.iter().map(|person| Some(person.id.as_str()))),
            days("born", self.people.iter().map(|person| person.born)),
        ];
        DataFrame::new(self.people.len(), columns).unwrap()
    }

    pub fn people_csv(&self) -> String {
        let mut text = "person,born\n".to_owned();
        for person in &self.people {
            csv_line(&mut text, &[person.id.clone(), date_text(person.born)]);
        }
        text
    }

    pub fn homes_frame(&self) -> DataFrame {
        let spells = || self.spells.iter();
        let columns = vec![
            texts("person", spells().map(|spell| Some(spell.person.as_str()))),
            texts("home", spells().map(|spell| Some(spell.household.as_str()))),
            days("start", spells().map(|spell| spell.start)),
            days("end", spells().map(|spell| spell.end)),
        ];
        DataFrame::new(self.spells.len(), columns).unwrap()
    }

    pub fn homes_csv(&self) -> String {
        let mut text = "person,home,start,end\n".to_owned();
        for spell in &self.spells {
            let cells =
                [spell.person.clone(), spell.household.clone(), date_text(spell.start), date_text(spell.end)];
            csv_line(&mut text, &cells);
        }
        text
    }

    pub fn source(&self, name: &str) -> &Source {
        self.sources.iter().find(|source| source.name() == name).unwrap()
    }

    pub fn source_mut(&mut self, name: &str) -> &mut Source {
        self.sources.iter_mut().find(|source| source.name() == name).unwrap()
    }

    /// A builder with the list of people and the households, and no source yet.
    pub fn builder_of_people(&self) -> RecordsBuilder<'static> {
        Records::builder()
            .people(people_columns(), Extract::frame(self.people_frame()))
            .households(household_columns(self.household_lag), Extract::frame(self.homes_frame()))
    }

    /// All records, read from frames; these worlds have no row to reject.
    pub fn records(&self) -> Records {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> RecordsBuilder<'static> {
        let add = |builder: RecordsBuilder<'static>, source: &Source| {
            builder.source(source.mapping.clone(), Extract::frame(source.frame()))
        };
        self.sources.iter().fold(self.builder_of_people().reject_limit(0.0), add)
    }

    /// The same without a list of people: whoever a source names is taken in.
    pub fn builder_without_list(&self) -> RecordsBuilder<'static> {
        let add = |builder: RecordsBuilder<'static>, source: &Source| {
            builder.source(source.mapping.clone(), Extract::frame(source.frame()))
        };
        self.sources.iter().fold(Records::builder(), add)
    }

    pub fn protected(&self) -> Protected {
        let columns = vec![
            texts("person", self.sex.iter().map(|(person, _)| Some(person.as_str()))),
            texts("sex", self.sex.iter().map(|(_, sex)| Some(*sex))),
        ];
        let frame = DataFrame::new(self.sex.len(), columns).unwrap();
        Protected::read(&protected_columns(), Extract::frame(frame)).unwrap()
    }

    /// The same world with the rows of everything, and the sources, in another order.
    pub fn permuted(&self, dice: &mut Dice) -> Self {
        let mut other = self.clone();
        dice.shuffle(&mut other.people);
        dice.shuffle(&mut other.spells);
        dice.shuffle(&mut other.sex);
        dice.shuffle(&mut other.sources);
        for source in &mut other.sources {
            dice.shuffle(&mut source.rows);
        }
        other
    }
}

pub fn protected_columns() -> ProtectedColumns {
    ProtectedColumns {
        entity: vec!["person".into()],
        characteristics: vec!["sex".into()],
        not_held: vec!["religion".into()],
        of_family: None,
        ..ProtectedColumns::default()
    }
}

/// Every cell of a matrix, column by column, so that two can be compared.
pub fn cells(matrix: &FeatureMatrix) -> Vec<Vec<Cell>> {
    (0..matrix.names().len()).map(|column| matrix.column(column).collect()).collect()
}

/// Intercept plus contributions of every case, as an embedder would add them up.
pub fn sums(model: &AdditiveModel, matrix: &FeatureMatrix) -> Vec<f64> {
    let explained = model.explain_all(matrix).unwrap();
    let cases = explained.contributions();
    cases
        .rows()
        .into_iter()
        .map(|case| case.iter().fold(explained.intercept(), |sum, part| sum + part))
        .collect()
}

/// Whether the answer to a card's question is yes, as a person with the card in hand would say.
pub fn holds(asked: Condition, cell: Cell) -> bool {
    match (asked, cell) {
        (Condition::AtLeast(cut), Cell::Value(value)) => f64::from(value) >= cut,
        (Condition::Below(cut), Cell::Value(value)) => f64::from(value) < cut,
        (Condition::Is(code), Cell::Value(value)) => (f64::from(value) - f64::from(code)).abs() < 0.5,
        (asked, Cell::Missing) => matches!(asked, Condition::Missing | Condition::Absent),
        (asked, Cell::NotCovered) => matches!(asked, Condition::NotCovered | Condition::Absent),
        _ => false,
    }
}
