//! The SQL beside the library, on real engines: features and steps to the bit, scores to 1e-12.
//!
//! `EARLYHELP_ENGINES` names a Python that has them; an engine that it does not have is skipped, and said so.

mod asked;
mod edges;
mod engines;
mod made;
mod met;
mod outcomes;
mod parsed;
mod same;
mod scored;
mod size;
mod sql_server;
mod students;
mod trained;
mod views;

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::records::{Coverage, Selector, SourceMapping};
use earlyhelp::sql::{Dialect, Texts};

use crate::world::wild_date;

use self::asked::Asked;

/// The worlds that every engine is asked about: few, and with everything in them that there can be ([`met`]).
const WORLDS: [u64; 6] = [112, 141, 227, 278, 292, 294];

/// More of them, for the engine that needs a moment for each.
const MORE_WORLDS: [u64; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The council, and wild worlds.
fn all<'s>(worlds: impl IntoIterator<Item = &'s u64>) -> Vec<Asked> {
    let wild = worlds.into_iter().filter_map(|&seed| Asked::wild(seed));
    std::iter::once(Asked::council()).chain(wild).collect()
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
    same::on_engine(Dialect::DuckDb, &all(WORLDS.iter().chain(&MORE_WORLDS)));
}

#[test]
fn postgresql_makes_the_features_and_scores_of_the_library() {
    same::on_engine(Dialect::PostgreSql, &all(&WORLDS));
}

#[test]
fn spark_makes_the_features_and_scores_of_the_library() {
    same::on_engine(Dialect::Spark, &all(&WORLDS));
}
