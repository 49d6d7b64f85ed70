//! The SQL beside the library, on real engines: features and steps to the bit, scores to 1e-12.
//!
//! `EARLYHELP_ENGINES` names a Python that has them; an engine that it does not have is skipped, and said so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use earlyhelp::calendar::{AsOf, Horizon, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, Unit};
use earlyhelp::features::{Cell, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::outcome::{FollowUp, Occurrence, OutcomeSpec};
use earlyhelp::records::{Coverage, Records, Selector, SourceMapping};
use earlyhelp::sql::{Dialect, StagedTable, Texts};
use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader as _};

use crate::world::{self, Dice, World, wild, wild_date, wild_features, wild_selector};

/// The Python that has an engine; `None`, with a line that says so, where there is none.
pub fn engine(module: &str) -> Option<String> {
    if module == "pyspark" && Command::new("java").arg("-version").output().is_err() {
        println!("skipped: Spark needs a Java");
        return None;
    }
    let python = std::env::var("EARLYHELP_ENGINES").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("EARLYHELP_ENGINES").is_none(), "the Python that is named has no {module}");
    println!("skipped: no Python with {module}");
    None
}

/// The same where there is a PostgreSQL server beside it.
pub fn postgresql() -> Option<String> {
    if glob::glob("/usr/lib/postgresql/*/bin/initdb").unwrap().next().is_none() {
        println!("skipped: no PostgreSQL server");
        return None;
    }
    engine("duckdb")
}

/// Runs the texts over the staged tables, and gives the folder of what they made.
fn run(
    python: &str,
    dialect: Dialect,
    (texts, records): (&Texts<'_>, &Records),
) -> (tempfile::TempDir, PathBuf) {
    let staged = texts.staged_tables(records).unwrap().into_iter().map(|table| (table.name, table.frame));
    run_over(python, (dialect, texts), staged.collect(), &[])
}

/// Runs the texts over some tables, and gives the folder of what they made and of the tables that are to be kept.
pub fn run_over(
    python: &str,
    (dialect, texts): (Dialect, &Texts<'_>),
    tables: Vec<(String, DataFrame)>,
    keep: &[&str],
) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for script in texts.scripts() {
        std::fs::write(folder.path().join(script.name), &script.text).unwrap();
    }
    std::fs::write(folder.path().join("keep.txt"), keep.join(" ")).unwrap();
    for (name, frame) in tables {
        let parquet = StagedTable { name, frame };
        let path = folder.path().join(format!("{}.parquet", parquet.name));
        std::fs::write(path, parquet.into_parquet().unwrap()).unwrap();
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/run.py");
    let output = Command::new(python).arg(program).arg(dialect.name()).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = folder.path().join("made");
    (folder, made)
}

pub fn table(made: &Path, name: &str) -> DataFrame {
    let file = std::fs::File::open(made.join(format!("{name}.parquet"))).unwrap();
    ParquetReader::new(file).finish().unwrap()
}

pub fn numbers(table: &DataFrame, column: &str) -> Vec<Option<f64>> {
    let column = table.column(column).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().collect()
}

pub fn texts_of(table: &DataFrame, column: &str) -> Vec<Option<String>> {
    table.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// The rows of a table by entity.
fn rows(table: &DataFrame) -> BTreeMap<String, usize> {
    texts_of(table, "entity").into_iter().enumerate().map(|(row, entity)| (entity.unwrap(), row)).collect()
}

/// That the features which an engine made are those of the library, cell by cell and to the bit.
pub fn same_features(
    made: &Path,
    texts: &Texts<'_>,
    (cohort, matrix): (&Cohort<'_>, &FeatureMatrix),
    of: &str,
) {
    let table = table(made, "eh_features");
    let rows = rows(&table);
    let entities: Vec<&str> = cohort.ids().collect();
    assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), entities, "{of}");
    for (place, (value, state)) in texts.columns().enumerate() {
        let (values, states) = (numbers(&table, value), numbers(&table, state));
        for (row, entity) in entities.iter().enumerate() {
            let at = rows[*entity];
            let found = match (states[at], values[at]) {
                (Some(0.0), Some(value)) => Cell::Value(value as f32),
                (Some(1.0), None) => Cell::Missing,
                (Some(2.0), None) => Cell::NotCovered,
                other => panic!("{of}: {value} of {entity}: {other:?}"),
            };
            let expected = matrix.cell(row, place);
            let is_same = match (found, expected) {
                (Cell::Value(a), Cell::Value(b)) => (a + 0.0).to_bits() == (b + 0.0).to_bits(),
                (a, b) => a == b,
            };
            assert!(is_same, "{of}: {value} of {entity}: {found:?}, by the library {expected:?}");
        }
    }
}

pub fn of_world(world: &World) -> Vec<SourceMapping> {
    world.sources.iter().map(|source| source.mapping.clone()).collect()
}

fn wild_worlds(python: &str, dialect: Dialect, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let families = seed % 3 == 2;
        let world = wild(seed, 4 + seed as usize % 9, 30);
        let (records, mappings) = (world.records(), of_world(&world));
        let spec = wild_features(&mut Dice::new(seed ^ 7), &world, families);
        let unit = if families { Unit::Family } else { Unit::Person };
        let rules = CohortSpec::default().unit(unit);
        let Ok(cohort) = rules.choose(&records.as_of(wild_date())) else { continue };
        let texts = Texts::new(&mappings, (&rules, &spec), (wild_date(), dialect)).unwrap();
        let (_folder, made) = run(python, dialect, (&texts, &records));
        same_features(&made, &texts, (&cohort, &spec.compute(&cohort).unwrap()), &format!("world {seed}"));
    }
}

fn council(python: &str, dialect: Dialect) {
    let held = world::released();
    let (mappings, rules) = (of_world(&held.world), world::rules());
    let (request, spec): (_, &FeatureSpec) = (world::request(), held.scorer.candidate().features());
    let date = world::list_date();
    let texts = Texts::new(&mappings, (&rules, spec), (date, dialect)).unwrap();
    let texts = texts.scored_by(&held.scorer, &request).unwrap();
    let (_folder, made) = run(python, dialect, (&texts, &held.records));
    let cohort = world::cohort(&held.records, date);
    let matrix = spec.compute(&cohort).unwrap();
    same_features(&made, &texts, (&cohort, &matrix), "council");

    let explanations = held.scorer.candidate().model().explain_all(&matrix).unwrap();
    let contributions = table(&made, "eh_contributions");
    let of_entity = rows(&contributions);
    let scores = held.scorer.score(&cohort, &request).unwrap();
    let made_scores = table(&made, "eh_scores");
    let (at_score, log_odds) = (rows(&made_scores), numbers(&made_scores, "log_odds"));
    for (entity, sum) in cohort.ids().zip(world::sums(held.scorer.candidate().model(), &matrix)) {
        let found = log_odds[at_score[entity]].unwrap();
        assert!((found - sum).abs() <= 1e-12, "{entity}: {found}, by the library {sum}");
    }
    for (term, column) in texts.terms().enumerate() {
        let found = numbers(&contributions, column);
        for (row, entity) in cohort.ids().enumerate() {
            let (found, expected) =
                (found[of_entity[entity]].unwrap(), explanations.contributions()[[row, term]]);
            assert!(
                (found - expected).abs() <= 1e-12,
                "{column} of {entity}: {found}, by the library {expected}"
            );
        }
    }
    let not_scored = texts_of(&made_scores, "not_scored");
    assert_eq!(not_scored.iter().flatten().count(), scores.not_scored().len());
    let bands = texts_of(&made_scores, "band");
    for rank in 1..=scores.len() {
        let case = scores.case(rank).unwrap().unwrap();
        let at = at_score[case.entity()];
        assert_eq!(bands[at].as_deref(), Some(case.band().name.as_str()));
        assert_eq!(not_scored[at], None);
    }
}

/// That the outcome of each case which an engine made is that of the library; gives how many cases have each label.
fn same_outcomes(made: &Path, (cohort, outcome): (&Cohort<'_>, &OutcomeSpec), of: &str) -> Labels {
    let table = table(made, "eh_outcomes");
    let (rows, found) = (rows(&table), texts_of(&table, "label"));
    let (told, until) = (numbers(&table, "outcome"), texts_of(&table, "looked_until"));
    assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), cohort.ids().collect::<Vec<_>>(), "{of}");
    let last = (outcome.horizon.end(cohort.as_of()) - 1).to_string();
    let mut labels = Labels::new();
    for (entity, label) in cohort.ids().zip(outcome.labels(cohort).unwrap()) {
        let at = rows[entity];
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

fn wild_outcomes(python: &str, dialect: Dialect, seeds: std::ops::Range<u64>) -> Labels {
    let mut labels = Labels::new();
    for seed in seeds {
        let mut dice = Dice::new(seed ^ 0x63);
        let families = seed % 3 == 2;
        let mut world = restated(wild(seed, 4 + seed as usize % 9, 30), &mut dice);
        let outcome = wild_outcome(&mut dice, &mut world);
        // Of rows that contradict each other one is rejected.
        let records = world.builder().reject_limit(1.0).build().unwrap();
        let mappings = of_world(&world);
        let spec = wild_features(&mut dice, &world, families);
        let rules = CohortSpec::default().unit(if families { Unit::Family } else { Unit::Person });
        let Ok(cohort) = rules.choose(&records.as_of(wild_date())) else { continue };
        let texts = Texts::new(&mappings, (&rules, &spec), (wild_date(), dialect)).unwrap();
        let texts = texts.with_outcome(&outcome).unwrap();
        let (_folder, made) = run(python, dialect, (&texts, &records));
        let of = format!("world {seed}");
        same_features(&made, &texts, (&cohort, &spec.compute(&cohort).unwrap()), &of);
        for (label, count) in same_outcomes(&made, (&cohort, &outcome), &of) {
            *labels.entry(label).or_default() += count;
        }
    }
    labels
}

fn council_outcomes(python: &str, dialect: Dialect, dates: &[AsOf]) {
    let held = world::released();
    let (mappings, rules, outcome) = (of_world(&held.world), world::rules(), world::outcome());
    let age = FeatureSpec::new(vec![Feature::age()]).unwrap();
    for &date in dates {
        let texts = Texts::new(&mappings, (&rules, &age), (date, dialect)).unwrap();
        let texts = texts.with_outcome(&outcome).unwrap();
        let (_folder, made) = run(python, dialect, (&texts, &held.records));
        let cohort = world::cohort(&held.records, date);
        let labels = same_outcomes(&made, (&cohort, &outcome), &format!("council on {date}"));
        assert!(["positive", "negative"].iter().all(|label| labels[*label] > 0), "{labels:?}");
    }
}

#[test]
fn duckdb_makes_the_outcomes_of_the_library() {
    let Some(python) = engine("duckdb") else { return };
    let labels = wild_outcomes(&python, Dialect::DuckDb, 100..130);
    assert!(labels.len() == 4 && labels.values().all(|&count| count > 10), "{labels:?}");
    council_outcomes(&python, Dialect::DuckDb, &world::training_dates());
}

#[test]
fn postgresql_makes_the_outcomes_of_the_library() {
    let Some(python) = postgresql() else { return };
    wild_outcomes(&python, Dialect::PostgreSql, 100..106);
    council_outcomes(&python, Dialect::PostgreSql, &world::training_dates()[..1]);
}

#[test]
fn spark_makes_the_outcomes_of_the_library() {
    let Some(python) = engine("pyspark") else { return };
    wild_outcomes(&python, Dialect::Spark, 103..106);
    council_outcomes(&python, Dialect::Spark, &world::training_dates()[..1]);
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

#[test]
fn what_cannot_be_said_is_refused_before_anything_is_run() {
    let mapping = || SourceMapping::new("visits", "who", "visit", "on");
    let count = || Feature::new(Selector::source("visits"), Measure::Count, Lookback::Days(90));
    let refused = |mapping: SourceMapping, rules: &CohortSpec, feature: Feature| {
        let spec = FeatureSpec::new(vec![feature]).unwrap();
        Texts::new(&[mapping], (rules, &spec), (wild_date(), Dialect::DuckDb))
            .err()
            .map(|error| error.to_string())
    };
    let everybody = CohortSpec::default();
    assert_eq!(refused(mapping(), &everybody, count()), None);
    let sum = Feature::new(Selector::source("visits"), Measure::Sum, Lookback::Days(90));
    let open = Feature::new(Selector::source("visits"), Measure::PresentNow, Lookback::Ever);
    let other = Feature::new(Selector::source("calls"), Measure::Count, Lookback::Days(90));
    for (feature, said) in [(sum, "reads values"), (open, "reads episodes"), (other, "the source \"calls\"")]
    {
        let told = refused(mapping(), &everybody, feature).unwrap();
        assert!(told.contains(said), "{told}");
    }
    // Silence tells something only where the days are covered, and no database looks whether they are.
    let lately = CohortSpec::default().none_within(Selector::source("visits"), 30);
    assert!(refused(mapping(), &lately, count()).unwrap().contains("says nothing"));
    let from = |days: i32| Coverage { from: Some(wild_date().day() - days), ..Coverage::default() };
    assert!(refused(mapping().coverage(from(29)), &lately, count()).is_some());
    assert_eq!(refused(mapping().coverage(from(30)), &lately, count()), None);
    let ended = Coverage { to: Some(wild_date().day() - 90), ..from(30) };
    assert!(refused(mapping().coverage(ended), &lately, count()).is_some());
    let lists = CohortSpec::default().open(Selector::source("visits"));
    assert!(refused(mapping(), &lists, count()).unwrap().contains("episodes"));
}

#[test]
fn duckdb_makes_the_features_and_scores_of_the_library() {
    let Some(python) = engine("duckdb") else { return };
    wild_worlds(&python, Dialect::DuckDb, 0..24);
    council(&python, Dialect::DuckDb);
}

#[test]
fn postgresql_makes_the_features_and_scores_of_the_library() {
    let Some(python) = postgresql() else { return };
    wild_worlds(&python, Dialect::PostgreSql, 0..6);
    council(&python, Dialect::PostgreSql);
}

#[test]
fn spark_makes_the_features_and_scores_of_the_library() {
    let Some(python) = engine("pyspark") else { return };
    wild_worlds(&python, Dialect::Spark, 0..3);
    council(&python, Dialect::Spark);
}
