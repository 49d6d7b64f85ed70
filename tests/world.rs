//! Small councils that do not exist: plain rows, the same rows as frames and as CSV texts, and the whole
//! chain from them to a review list.
//!
//! Rows are kept as plain structs, so that a test can read them with loops of its own and compare.

use std::fmt::Write as _;

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec};
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, Bootstrap, Capacity, FamilyRule};
use earlyhelp::fairness::{FairnessAudit, FairnessParams, Protected, ProtectedColumns};
use earlyhelp::features::{Cell, Direction, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, LogisticParams, SourceDigest, Trainer, TrainingContext};
use earlyhelp::outcome::{FollowUp, OutcomeSpec};
use earlyhelp::records::{
    Coverage, Extract, HouseholdColumns, Kind, Known, PeopleColumns, Records, RecordsBuilder, Role, Selector,
    SourceMapping,
};
use earlyhelp::review::{Comparison, ReviewList};
use earlyhelp::scoring::{AuditedModel, Request, Scorer, SignOff};
use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series};

/// Random numbers that are the same everywhere: the SplitMix64 sequence of a seed.
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
    PeopleColumns { person: vec!["person".into()], date_of_birth: Some("born".into()) }
}

pub fn household_columns(lag_days: i32) -> HouseholdColumns {
    HouseholdColumns {
        person: vec!["person".into()],
        household: "home".into(),
        start: Some("start".into()),
        end: Some("end".into()),
        lag_days,
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
            Known::Column(_) => row.known,
            Known::LagDays(lag) => row.occurred + lag,
        }
    }

    /// The day a row's end became known, as its mapping says; `None` while it is open.
    pub fn ended_known(&self, row: &Row) -> Option<i32> {
        let ended = row.ended?;
        Some(match (&self.mapping.columns.ended_known, &self.mapping.columns.known) {
            (Some(_), _) => row.ended_known.unwrap_or(ended),
            (None, Known::LagDays(lag)) => ended + lag,
            (None, Known::Column(_)) => ended.max(row.known),
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
        let optional =
            [&columns.ended, &columns.ended_known, &columns.value, &columns.role, &columns.reference];
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
        let mut builder = self.builder_of_people().reject_limit(0.0);
        for source in &self.sources {
            builder = builder.source(source.mapping.clone(), Extract::frame(source.frame()));
        }
        builder.build().unwrap()
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
    }
}

// ------------------------------------------------------------------------------------------------------
// Wild worlds: everything that rows can do, around one date.

/// The date around which [`wild`] worlds happen.
pub fn wild_date() -> AsOf {
    as_of("2024-03-31")
}

/// Days at which something may turn: the date itself, and both sides of the edges of [`WINDOWS`].
fn wild_day(dice: &mut Dice) -> i32 {
    let today = wild_date().day().epoch_days();
    if dice.chance(0.5) {
        let window = *dice.pick(&WINDOWS[..WINDOWS.len() - 1]);
        let edge = match dice.below(3) {
            0 => wild_date().day(),
            1 => window.start(wild_date()),
            _ => window.start_of_previous(wild_date()).unwrap(),
        };
        edge.epoch_days() + dice.between(-1, 1)
    } else {
        today + dice.between(-400, 60)
    }
}

/// Look-backs whose edges fall on odd days of the month.
pub const WINDOWS: [Lookback; 6] = [
    Lookback::Days(1),
    Lookback::Days(30),
    Lookback::Months(1),
    Lookback::Days(90),
    Lookback::Months(6),
    Lookback::Ever,
];

fn wild_coverage(dice: &mut Dice, source: &str) -> Coverage {
    let today = wild_date().day();
    let from = dice.chance(0.5).then(|| today - dice.between(-5, 500));
    let to = dice.chance(0.3).then(|| today + dice.between(-40, -30));
    Coverage {
        from,
        // A source that ends before it begins is refused.
        to: to.filter(|&to| from.is_none_or(|from| from <= to)),
        updated: None,
        stale_after_days: dice.chance(0.3).then(|| dice.between(30, 38) as u32),
        ages: dice.chance(0.4).then(|| (dice.between(0, 8) as u8, dice.between(9, 40) as u8)),
        roster: (source != "roll" && dice.chance(0.3)).then(|| "roll".to_owned()),
    }
}

/// A row of a source that may say anything a row may say.
pub fn wild_row(dice: &mut Dice, mapping: &SourceMapping, people: usize, reference: String) -> Row {
    let occurred = wild_day(dice);
    let episodes = mapping.columns.ended.is_some();
    let ended = (episodes && dice.chance(0.6)).then(|| occurred + dice.between(0, 200));
    Row {
        person: format!("p{:02}", dice.below(people)),
        kind: (*dice.pick(kinds_of(&mapping.name))).to_owned(),
        occurred,
        // Mostly known later, now and then on record ahead of time.
        known: occurred + if dice.chance(0.1) { -dice.between(0, 40) } else { dice.between(0, 45) },
        ended,
        ended_known: ended.filter(|_| dice.chance(0.7)).map(|day| day + dice.between(-20, 30)),
        role: dice.chance(0.7).then(|| *dice.pick(&Role::ALL)),
        value: dice.chance(0.8).then(|| f64::from(dice.between(-8, 40)) / 4.0),
        place: dice.chance(0.8).then(|| (*dice.pick(&PLACES)).to_owned()),
        reference,
    }
}

/// A world of few people and many odd rows.
pub fn wild(seed: u64, people: usize, rows: usize) -> World {
    let mut dice = Dice::new(seed);
    let today = wild_date().day().epoch_days();
    let household_lag = dice.between(0, 20);
    let mut world =
        World { people: Vec::new(), spells: Vec::new(), household_lag, sources: vec![], sex: vec![] };
    for person in 0..people {
        let id = format!("p{person:02}");
        let born = dice.chance(0.85).then(|| today - dice.between(0, 45 * 365));
        for _ in 0..dice.below(3) {
            let start = dice.chance(0.8).then(|| wild_day(&mut dice));
            let since = start.unwrap_or(today - 1000);
            let end = dice.chance(0.4).then(|| since + dice.between(0, 300));
            let household = format!("h{}", dice.below(people.div_ceil(2)));
            world.spells.push(Spell { person: id.clone(), household, start, end });
        }
        world.people.push(Person { id, born });
    }
    for mut mapping in mappings() {
        mapping.coverage = wild_coverage(&mut dice, &mapping.name);
        let rows = (0..rows)
            .map(|row| wild_row(&mut dice, &mapping, people, format!("{}-{row}", mapping.name)))
            .collect();
        world.sources.push(Source { mapping, rows });
    }
    world
}

fn wild_selector(dice: &mut Dice, mapping: &SourceMapping) -> Selector {
    let mut selector = Selector::source(&mapping.name);
    for kind in kinds_of(&mapping.name) {
        if dice.chance(0.25) {
            selector = selector.kind(*kind);
        }
    }
    if dice.chance(0.1) {
        selector = selector.kind("a kind that is not there");
    }
    if dice.chance(0.3) {
        selector = selector.role(*dice.pick(&Role::ALL));
    }
    if !mapping.columns.categories.is_empty() && dice.chance(0.3) {
        selector = selector.category("place", *dice.pick(&PLACES)).category("place", *dice.pick(&PLACES));
    }
    selector
}

/// Features of every measure that the world's sources can say, over random records, windows and scopes.
pub fn wild_features(dice: &mut Dice, world: &World, families: bool) -> FeatureSpec {
    let mut features = vec![Feature::age()];
    for source in &world.sources {
        let columns = &source.mapping.columns;
        let mut measures = vec![
            Measure::Count,
            Measure::Any,
            Measure::DistinctKinds,
            Measure::DistinctDays,
            Measure::DaysSinceLast,
            Measure::DaysSinceFirst,
            Measure::Change,
        ];
        if columns.value.is_some() {
            measures.extend([Measure::Sum, Measure::Mean, Measure::Max, Measure::Latest]);
        }
        if columns.ended.is_some() {
            measures.extend([Measure::DaysOpen, Measure::PresentNow]);
        }
        measures.extend(columns.categories.iter().cloned().map(Measure::Distinct));
        // Two selectors a source, so that features share the pass over one group of records.
        let selectors = [wild_selector(dice, &source.mapping), wild_selector(dice, &source.mapping)];
        for measure in measures {
            let windows = WINDOWS.len() - usize::from(measure == Measure::Change);
            let over = *dice.pick(&WINDOWS[..windows]);
            let mut feature = Feature::new(dice.pick(&selectors).clone(), measure, over);
            if !families && dice.chance(0.4) {
                feature = feature.of_household();
            }
            let name = format!("f{}", features.len());
            features.push(feature.name(name));
        }
    }
    FeatureSpec::new(features).unwrap()
}

// ------------------------------------------------------------------------------------------------------
// A council with a signal: needs that show in every source and bring plans about.

/// Dates to train and test on.
pub fn training_dates() -> [AsOf; 3] {
    [as_of("2021-04-01"), as_of("2022-04-01"), as_of("2023-04-01")]
}

/// The date of the list.
pub fn list_date() -> AsOf {
    as_of("2024-04-01")
}

pub const PURPOSE: &str = "Offer early help to families";

/// Children in households of three, from 2019 to mid-2024; the higher a child's need, the more happens.
pub fn council(seed: u64, people: usize) -> World {
    let mut dice = Dice::new(seed);
    let (from, to) = (day("2019-01-01"), day("2024-06-30"));
    let mut world = World { people: vec![], spells: vec![], household_lag: 3, sources: vec![], sex: vec![] };
    for mut mapping in mappings() {
        if ["police", "housing"].contains(&mapping.name.as_str()) {
            mapping.coverage.from = Some(Day::from_epoch_days(from));
        }
        if ["plans", "roll"].contains(&mapping.name.as_str()) {
            mapping.coverage.to = Some(Day::from_epoch_days(to));
        }
        mapping.coverage.updated = Some(Day::from_epoch_days(to));
        world.sources.push(Source { mapping, rows: Vec::new() });
    }
    for nth in 0..people {
        let id = format!("p{nth:04}");
        let born = day("2006-01-01") + dice.between(0, 12 * 365);
        let need = dice.normal();
        let home = format!("h{:04}", nth / 3);
        let moves = dice.chance(0.15).then(|| dice.between(from, to));
        world.spells.push(Spell { person: id.clone(), household: home, start: None, end: moves });
        if moves.is_some() {
            let next = format!("h{:04}", dice.below(people.div_ceil(3)));
            world.spells.push(Spell { person: id.clone(), household: next, start: moves, end: None });
        }
        council_rows(&mut dice, &mut world, &id, (born, need), (from, to));
        world.sex.push((id.clone(), if dice.chance(0.5) { "F" } else { "M" }));
        world.people.push(Person { id, born: Some(born) });
    }
    for source in &mut world.sources {
        for (nth, row) in source.rows.iter_mut().enumerate() {
            row.reference = format!("{}-{nth}", source.mapping.name);
        }
    }
    world
}

fn council_rows(
    dice: &mut Dice,
    world: &mut World,
    id: &str,
    (born, need): (i32, f64),
    (from, to): (i32, i32),
) {
    let at_school = from.max(born + 4 * 366);
    let start = at_school + dice.between(0, 30);
    let roll = Row {
        person: id.to_owned(),
        kind: "enrolled".into(),
        occurred: start,
        known: start,
        ended: dice.chance(0.1).then(|| start + dice.between(100, 1500)),
        ..Row::default()
    };
    world.source_mut("roll").rows.push(roll);
    for month in (from..to).step_by(30) {
        for (source, base, slope) in [("police", 0.03, 0.9), ("housing", 0.03, 0.5), ("school", 0.08, 0.4)] {
            let chance = base * f64::exp(slope * need);
            if (source == "school" && month < at_school) || !dice.chance(chance.min(0.9)) {
                continue;
            }
            let occurred = month + dice.between(0, 29);
            let row = Row {
                person: id.to_owned(),
                kind: (*dice.pick(kinds_of(source))).to_owned(),
                occurred,
                known: occurred + dice.between(0, 40),
                role: dice.chance(0.8).then(|| *dice.pick(&Role::ALL)),
                value: dice.chance(0.9).then(|| (100.0 * (need + 4.0 + dice.unit()).max(0.1)).round()),
                place: dice.chance(0.9).then(|| (*dice.pick(&PLACES)).to_owned()),
                ..Row::default()
            };
            world.source_mut(source).rows.push(row);
        }
    }
    let mut next = from;
    while next < to {
        next += 91;
        if dice.chance((0.035 * f64::exp(1.1 * need)).min(0.8)) {
            let occurred = next + dice.between(0, 80);
            let ended = occurred + dice.between(40, 260);
            let row = Row {
                person: id.to_owned(),
                kind: (*dice.pick(kinds_of("plans"))).to_owned(),
                occurred,
                ended: (ended < to).then_some(ended),
                ended_known: (ended < to).then(|| ended + dice.between(0, 20)),
                ..Row::default()
            };
            world.source_mut("plans").rows.push(row);
            next = ended;
        }
    }
}

pub fn rules() -> CohortSpec {
    CohortSpec::default().ages(2, 17).not_open(Selector::source("plans"))
}

pub fn outcome() -> OutcomeSpec {
    OutcomeSpec {
        follow_up: FollowUp { during: None, until_age: Some(18) },
        ..OutcomeSpec::any(
            "plan",
            "A plan begins within a year",
            [Selector::source("plans")],
            Horizon::Months(12),
        )
    }
}

pub fn features() -> FeatureSpec {
    let own = |source: &str, measure, over| Feature::new(Selector::source(source), measure, over);
    let year = Lookback::Months(12);
    FeatureSpec::new(vec![
        own("police", Measure::Count, year).direction(Direction::Rising).need("crime"),
        own("police", Measure::Count, year).of_household(),
        Feature::new(Selector::source("police").role(Role::Victim), Measure::Any, Lookback::Months(24)),
        own("police", Measure::Latest, year),
        own("police", Measure::DaysSinceLast, Lookback::Ever),
        own("police", Measure::Distinct("place".into()), Lookback::Months(24)),
        own("housing", Measure::Sum, year).need("housing"),
        own("housing", Measure::Max, Lookback::Months(36)).name("housing_max"),
        own("housing", Measure::Change, Lookback::Days(180)),
        own("school", Measure::DistinctDays, year).need("school"),
        own("plans", Measure::DaysOpen, Lookback::Months(24)),
        Feature::age(),
    ])
    .unwrap()
}

pub fn cohort(records: &Records, as_of: AsOf) -> Cohort<'_> {
    rules().choose(&records.as_of(as_of)).unwrap()
}

pub fn dataset(records: &Records) -> Dataset {
    let cohorts: Vec<Cohort<'_>> = training_dates().iter().map(|&date| cohort(records, date)).collect();
    Dataset::build(&features(), &outcome(), &cohorts).unwrap()
}

pub fn context(records: &Records) -> TrainingContext {
    let mut sources = Vec::new();
    for as_of in training_dates() {
        let snapshot = records.as_of(as_of);
        for (source, _, _) in records.sources() {
            let digest = snapshot.digest(source).unwrap();
            sources.push(SourceDigest { source: source.to_owned(), as_of, digest });
        }
    }
    TrainingContext {
        sources,
        seed: 7,
        protected: vec!["sex".into(), "religion".into()],
        cannot_see: vec!["What nobody wrote down.".into()],
    }
}

pub fn trainer() -> Trainer {
    Trainer::Logistic(LogisticParams::default())
}

pub fn backtest(candidate: &Candidate, data: &Dataset) -> Backtest {
    let mut plan =
        BacktestPlan::expanding(&training_dates(), Horizon::Months(12), Capacity::Share(0.1)).unwrap();
    plan.families = FamilyRule::CrossFit(2);
    plan.bootstrap = Bootstrap { resamples: 99, seed: 5 };
    Backtest::run(candidate, data, &plan).unwrap()
}

pub fn sign_off() -> SignOff {
    SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: PURPOSE.into(),
        signed_on: "2024-03-01".parse().unwrap(),
        review_by: "2025-03-01".parse().unwrap(),
    }
}

pub fn request() -> Request {
    Request::new("B. Lead", PURPOSE, "2024-04-02".parse().unwrap())
}

/// Everything up to the model that may be signed for.
pub struct Chain {
    pub data: Dataset,
    pub candidate: Candidate,
    pub backtest: Backtest,
    pub audit: FairnessAudit,
    pub audited: AuditedModel,
}

pub fn chain(world: &World, records: &Records) -> Chain {
    let data = dataset(records);
    let candidate = Candidate::train(&data, &trainer(), context(records)).unwrap();
    let backtest = backtest(&candidate, &data);
    let audit = FairnessAudit::of(&backtest, &world.protected(), &FairnessParams::default()).unwrap();
    let audited = AuditedModel::new(candidate.clone(), &backtest, &audit).unwrap();
    Chain { data, candidate, backtest, audit, audited }
}

pub fn list(scorer: &Scorer, records: &Records) -> ReviewList {
    let scores = scorer.score(&cohort(records, list_date()), &request()).unwrap();
    ReviewList::draw(&scores, Capacity::Cases(12), Some(Comparison { cases: 4, seed: 3 })).unwrap()
}

/// A world, its records and a model released on them: made once for all tests that only read it.
pub struct Released {
    pub world: World,
    pub records: Records,
    pub chain: Chain,
    pub scorer: Scorer,
}

pub fn released() -> &'static Released {
    static RELEASED: std::sync::OnceLock<Released> = std::sync::OnceLock::new();
    RELEASED.get_or_init(|| {
        let world = council(11, 600);
        let records = world.records();
        let chain = chain(&world, &records);
        let scorer = chain.audited.clone().release(sign_off()).unwrap();
        Released { world, records, chain, scorer }
    })
}

/// Every cell of a matrix, column by column, so that two can be compared.
pub fn cells(matrix: &FeatureMatrix) -> Vec<Vec<Cell>> {
    (0..matrix.names().len()).map(|column| matrix.column(column).collect()).collect()
}
