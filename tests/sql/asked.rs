//! What is asked of engines and of the library alike: worlds, each with rules, features and a model.

use earlyhelp::calendar::{AsOf, Day, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, Unit};
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::records::{Extract, PeopleColumns, Records, Selector, SourceMapping};
use earlyhelp::scoring::{Abstention, Request, Scorer};
use earlyhelp::sql::{Dialect, Texts};
use polars::prelude::{DataFrame, DataType, IntoColumn as _, NamedFrom as _, Series};

use super::made;
use crate::world::{self, Dice, World, kinds_of, wild, wild_date, wild_features};

/// A world, and what is asked about it.
pub struct Asked {
    pub name: String,
    pub records: Records,
    pub mappings: Vec<SourceMapping>,
    pub rules: CohortSpec,
    pub date: AsOf,
    pub scorer: Scorer,
    pub request: Request,
}

impl Asked {
    /// The council, with the model that was trained on it.
    pub fn council() -> Self {
        let world = world::council(11, 600);
        Self {
            name: "council".to_owned(),
            records: world.records(),
            mappings: mappings_of(&world),
            rules: world::rules(),
            date: world::list_date(),
            scorer: world::released().scorer.clone(),
            request: world::request(),
        }
    }

    /// A wild world with rules and a model; `None` where the rules let nobody pass.
    pub fn wild(seed: u64) -> Option<Self> {
        let mut dice = Dice::new(seed ^ 0x5135);
        let people = 4 + seed as usize * 7 % 37;
        let mut world = wild(seed, people, 30 + 3 * people);
        more_of_rows(&mut dice, &mut world);
        let records = records(&mut dice, &world);
        let families = seed % 3 == 2;
        let mappings = mappings_of(&world);
        let rules = rules(&mut dice, &mappings, families);
        let rules = if rules.choose(&records.as_of(wild_date())).is_ok() {
            rules
        } else {
            CohortSpec::default().unit(rules.unit)
        };
        rules.choose(&records.as_of(wild_date())).ok()?;
        let spec = features(&mut Dice::new(seed ^ 7), &world, families);
        let model = made::any_model(&mut dice, &spec, 6);
        let ranges = made::any_ranges(&mut dice, &spec);
        let importance = made::any_importance(&mut dice, &spec, &model);
        let scorer = made::scorer((&rules, &spec), &model, (&ranges, &importance));
        let abstention = Abstention { stale_days: 33, ..Abstention::default() };
        let request = Request { abstention, ..world::request() };
        Some(Self {
            name: format!("world {seed}"),
            records,
            mappings,
            rules,
            date: wild_date(),
            scorer,
            request,
        })
    }

    pub fn spec(&self) -> &FeatureSpec {
        self.scorer.candidate().features()
    }

    pub fn cohort(&self) -> Cohort<'_> {
        self.rules.choose(&self.records.as_of(self.date)).unwrap()
    }

    pub fn texts(&self, dialect: Dialect) -> Texts<'_> {
        let texts = Texts::new(&self.mappings, (&self.rules, self.spec()), (self.date, dialect)).unwrap();
        texts.scored_by(&self.scorer, &self.request).unwrap()
    }
}

pub fn mappings_of(world: &World) -> Vec<SourceMapping> {
    world.sources.iter().map(|source| source.mapping.clone()).collect()
}

/// What wild worlds have not by themselves: incidents of several people, and records that came to say something else.
fn more_of_rows(dice: &mut Dice, world: &mut World) {
    // A place stands for what happened there: any column can hold an incident.
    world.source_mut("police").mapping.columns.incident = Some("place".to_owned());
    for source in &mut world.sources {
        let kinds = kinds_of(&source.mapping.name);
        for nth in 0..source.rows.len() {
            if dice.chance(0.2) {
                let mut later = source.rows[nth].clone();
                later.known += dice.between(0, 60);
                later.occurred += dice.between(0, 2);
                kinds[dice.below(kinds.len())].clone_into(&mut later.kind);
                later.value = later.value.map(|value| value / 2.0);
                later.ended = later.ended.map(|day| day + dice.between(0, 30));
                source.rows.push(later);
            }
        }
    }
}

/// The records, of people of whom some died or left.
fn records(dice: &mut Dice, world: &World) -> Records {
    let today = wild_date().day().epoch_days();
    let mut some = |name: &str| {
        let days = world.people.iter().map(|_| dice.chance(0.15).then(|| today + dice.between(-40, 3)));
        let days = Series::new(name.into(), days.collect::<Vec<Option<i32>>>());
        days.cast(&DataType::Date).unwrap().into_column()
    };
    let gone = [some("died"), some("left")];
    let mut columns = world.people_frame().columns().to_vec();
    columns.extend(gone);
    let people = DataFrame::new(world.people.len(), columns).unwrap();
    let of_people = PeopleColumns {
        died: Some("died".to_owned()),
        left: Some("left".to_owned()),
        ..world::people_columns()
    };
    let homes = world::household_columns(world.household_lag);
    let mut builder = Records::builder()
        .reject_limit(1.0)
        .people(of_people, Extract::frame(people))
        .households(homes, Extract::frame(world.homes_frame()));
    for source in &world.sources {
        builder = builder.source(source.mapping.clone(), Extract::frame(source.frame()));
    }
    builder.build().unwrap()
}

/// Rules of every kind, now and then.
fn rules(dice: &mut Dice, mappings: &[SourceMapping], families: bool) -> CohortSpec {
    let mut rules = CohortSpec::default().unit(if families { Unit::Family } else { Unit::Person });
    if dice.chance(0.3) {
        rules = rules.ages(dice.between(0, 10) as u8, dice.between(20, 60) as u8);
    }
    if dice.chance(0.2) {
        rules = rules.open(Selector::source("roll"));
    }
    if dice.chance(0.3) {
        rules = rules.not_open(Selector::source("plans").kind(*dice.pick(kinds_of("plans"))));
    }
    if dice.chance(0.2) {
        rules = rules.latest(Selector::source("care").kind(*dice.pick(kinds_of("care"))));
    }
    // Silence is asked of a source that is declared to cover the days.
    let covers = |mapping: &&SourceMapping| {
        let from = mapping.coverage.from.is_some_and(|from: Day| from <= wild_date().day() - 30);
        from && mapping.coverage.to.is_none() && mapping.coverage.stale_after_days.is_none()
    };
    if let Some(mapping) = mappings.iter().find(covers)
        && dice.chance(0.5)
    {
        rules = rules.none_within(Selector::source(&mapping.name).kind(kinds_of(&mapping.name)[0]), 30);
    }
    rules
}

/// The features of a wild world, and those of incidents.
fn features(dice: &mut Dice, world: &World, families: bool) -> FeatureSpec {
    let mut features = wild_features(dice, world, families).features().to_vec();
    let incidents = || Feature::new(Selector::source("police"), Measure::Incidents, Lookback::Ever);
    features.push(incidents().name("incidents"));
    if !families {
        features.push(incidents().of_household().name("incidents_around"));
    }
    FeatureSpec::new(features).unwrap()
}
