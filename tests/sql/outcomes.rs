//! Outcomes beside the library: what followed, for whom it cannot be said, and until when somebody looked.

use std::collections::BTreeMap;

use earlyhelp::calendar::{AsOf, Horizon};
use earlyhelp::cohort::{Cohort, CohortSpec, Unit};
use earlyhelp::features::{Feature, FeatureSpec};
use earlyhelp::outcome::{FollowUp, Occurrence, OutcomeSpec};
use earlyhelp::records::{Coverage, Selector, SourceMapping};
use earlyhelp::sql::{Dialect, Texts};

use super::asked::mappings_of;
use super::engines::{Engine, Made};
use super::same::{self, given};
use crate::world::{self, Dice, World, wild, wild_date, wild_features, wild_selector};

/// That the outcome of each case which an engine made is that of the library; gives how many cases have each label.
fn same_outcomes(made: &Made, (cohort, outcome): (&Cohort<'_>, &OutcomeSpec), of: &str) -> Labels {
    let table = made.table("eh_outcomes");
    let (found, told, until) = (table.texts("label"), table.numbers("outcome"), table.texts("looked_until"));
    assert_eq!(table.entities().collect::<Vec<_>>(), cohort.ids().collect::<Vec<_>>(), "{of}");
    let last = (outcome.horizon.end(cohort.as_of()) - 1).to_string();
    let mut labels = Labels::new();
    for (entity, label) in cohort.ids().zip(outcome.labels(cohort).unwrap()) {
        let at = table.row(entity);
        let name = serde_json::to_value(label).unwrap().as_str().unwrap().to_owned();
        assert_eq!(found[at].as_deref(), Some(name.as_str()), "{of}: {entity}");
        assert_eq!(told[at], label.outcome().map(|came| f64::from(u8::from(came))), "{of}: {entity}");
        assert_eq!(until[at].as_ref(), Some(&last));
        *labels.entry(name).or_default() += 1;
    }
    labels
}

type Labels = BTreeMap<String, usize>;

/// Some rows become later states of others.
pub fn restated(mut world: World, dice: &mut Dice) -> World {
    for rows in world.sources.iter_mut().map(|source| &mut source.rows) {
        for row in 1..rows.len() {
            if dice.chance(0.25) {
                let before = rows[dice.below(row)].clone();
                rows[row].person = before.person;
                rows[row].reference = before.reference;
            }
        }
    }
    world
}

/// An outcome of a wild world that may ask for anything an outcome may ask for; its sources are made to cover the horizon.
fn wild_outcome(dice: &mut Dice, world: &mut World) -> OutcomeSpec {
    let mut records = Vec::new();
    for _ in 0..=dice.below(2) {
        let source = dice.pick(&world.sources).mapping.clone();
        records.push(wild_selector(dice, &source));
    }
    let horizons = [Horizon::Days(1), Horizon::Days(30), Horizon::Months(1), Horizon::Months(2)];
    let mut outcome = OutcomeSpec::any("what follows", "It comes about", records, *dice.pick(&horizons));
    if dice.chance(0.4) {
        outcome.counts = Occurrence::First;
    }
    let during = ["roll", "care", "plans", "housing"];
    outcome.follow_up = FollowUp {
        during: dice.chance(0.6).then(|| Selector::source(*dice.pick(&during))),
        until_age: dice.chance(0.5).then(|| dice.between(0, 40) as u8),
    };
    for source in &mut world.sources {
        let coverage = &mut source.mapping.coverage;
        coverage.to = Some(wild_date().day() + 100);
        coverage.from = coverage.from.filter(|&from| from <= wild_date().day());
    }
    outcome
}

fn wild_outcomes(engine: &Engine, seeds: std::ops::Range<u64>) -> Labels {
    let mut labels = Labels::new();
    for seed in seeds {
        let mut dice = Dice::new(seed ^ 0x63);
        let families = seed % 3 == 2;
        let mut world = restated(wild(seed, 4 + seed as usize % 9, 30), &mut dice);
        let outcome = wild_outcome(&mut dice, &mut world);
        // Of rows that contradict each other one is rejected.
        let records = world.builder().reject_limit(1.0).build().unwrap();
        let mappings = mappings_of(&world);
        let spec = wild_features(&mut dice, &world, families);
        let rules = CohortSpec::default().unit(if families { Unit::Family } else { Unit::Person });
        let Ok(cohort) = rules.choose(&records.as_of(wild_date())) else { continue };
        let texts = Texts::new(&mappings, (&rules, &spec), (wild_date(), engine.dialect)).unwrap();
        let texts = texts.with_outcome(&outcome).unwrap();
        let (_folder, made) = engine.run_one(given(&texts, &records));
        let of = format!("world {seed}");
        same::features(&made.table("eh_features"), &texts, (&cohort, &spec.compute(&cohort).unwrap()), &of);
        for (label, count) in same_outcomes(&made, (&cohort, &outcome), &of) {
            *labels.entry(label).or_default() += count;
        }
    }
    labels
}

fn council_outcomes(engine: &Engine, dates: &[AsOf]) {
    let held = world::released();
    let (mappings, rules, outcome) = (mappings_of(&held.world), world::rules(), world::outcome());
    let age = FeatureSpec::new(vec![Feature::age()]).unwrap();
    for &date in dates {
        let texts = Texts::new(&mappings, (&rules, &age), (date, engine.dialect)).unwrap();
        let texts = texts.with_outcome(&outcome).unwrap();
        let (_folder, made) = engine.run_one(given(&texts, &held.records));
        let cohort = world::cohort(&held.records, date);
        let labels = same_outcomes(&made, (&cohort, &outcome), &format!("council on {date}"));
        assert!(["positive", "negative"].iter().all(|label| labels[*label] > 0), "{labels:?}");
    }
}

#[test]
fn duckdb_makes_the_outcomes_of_the_library() {
    let Some(engine) = Engine::of(Dialect::DuckDb) else { return };
    let labels = wild_outcomes(&engine, 100..130);
    assert!(labels.len() == 4 && labels.values().all(|&count| count > 10), "{labels:?}");
    council_outcomes(&engine, &world::training_dates());
}

#[test]
fn postgresql_makes_the_outcomes_of_the_library() {
    let Some(engine) = Engine::of(Dialect::PostgreSql) else { return };
    wild_outcomes(&engine, 100..106);
    council_outcomes(&engine, &world::training_dates()[..1]);
}

#[test]
fn spark_makes_the_outcomes_of_the_library() {
    let Some(engine) = Engine::of(Dialect::Spark) else { return };
    wild_outcomes(&engine, 103..106);
    council_outcomes(&engine, &world::training_dates()[..1]);
}

#[test]
fn an_outcome_that_no_source_covers_is_refused() {
    let mapping = |coverage| SourceMapping::new("visits", "who", "visit", "on").coverage(coverage);
    let (rules, age) = (CohortSpec::default(), FeatureSpec::new(vec![Feature::age()]).unwrap());
    let visits = |of: &str| {
        OutcomeSpec::any("visited", "A visit", [Selector::source("visits").kind(of)], Horizon::Days(30))
    };
    let refused = |coverage: Coverage, outcome: &OutcomeSpec| {
        let mappings = [mapping(coverage)];
        let texts = Texts::new(&mappings, (&rules, &age), (wild_date(), Dialect::DuckDb)).unwrap();
        texts.with_outcome(outcome).err().map(|error| error.to_string())
    };
    let to = |days: i32| Coverage { to: Some(wild_date().day() + days), ..Coverage::default() };
    let outcome = visits("visit");
    assert_eq!(refused(to(29), &outcome), None);
    assert!(refused(to(28), &outcome).unwrap().contains("complete only up to"));
    assert!(refused(Coverage::default(), &outcome).unwrap().contains("does not say up to which day"));
    let late = Coverage { from: Some(wild_date().day() + 1), ..to(29) };
    assert!(refused(late, &outcome).unwrap().contains("holds nothing from before"));
    let calls = OutcomeSpec { records: vec![Selector::source("calls")], ..visits("visit") };
    assert!(refused(to(29), &calls).unwrap().contains("the source \"calls\""));
    assert!(refused(to(29), &OutcomeSpec { records: vec![], ..calls }).unwrap().contains("names no records"));
}
