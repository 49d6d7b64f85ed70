//! How large a model the texts carry: 500 terms of 64 steps, on every engine.

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{Cell, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::model::{AdditiveModel, Scale, Term};
use earlyhelp::records::{Selector, SourceMapping};
use earlyhelp::sql::{Dialect, Texts};

use super::edges::{self, Posed};
use super::{made, parsed, sql_server};
use crate::world::{self, Dice};

const TERMS: usize = 500;
const STEPS: usize = 64;
const CASES: usize = 300;

fn large() -> Posed {
    let mut dice = Dice::new(500);
    let names: Vec<String> = (0..TERMS).map(|nth| format!("feature_number_{nth}_24m")).collect();
    let mut terms = Vec::new();
    for name in &names {
        let mut edges = Vec::new();
        while edges.len() != STEPS - 1 {
            edges = made::edges(&mut dice, STEPS - 1);
        }
        terms.push(Term::one(name, made::steps(&mut dice, edges)));
    }
    let model = AdditiveModel::new(names.clone(), -2.5, terms).unwrap();
    let mut cell = || match dice.below(20) {
        0 => Cell::Missing,
        1 => Cell::NotCovered,
        _ => Cell::Value((dice.unit() * 50.0 - 10.0) as f32),
    };
    let columns: Vec<Vec<Cell>> = (0..TERMS).map(|_| (0..CASES).map(|_| cell()).collect()).collect();
    let matrix = FeatureMatrix::from_cells(names, CASES, &columns).unwrap();
    edges::posed("large", &model, matrix)
}

fn on_engine(dialect: Dialect) {
    let seconds = edges::on_engine(dialect, &[large()]);
    println!("{dialect}: {TERMS} terms of {STEPS} steps, {CASES} cases: {seconds:?} s");
}

#[test]
fn duckdb_scores_by_a_large_model() {
    on_engine(Dialect::DuckDb);
}

#[test]
fn postgresql_scores_by_a_large_model() {
    on_engine(Dialect::PostgreSql);
}

#[test]
fn spark_scores_by_a_large_model() {
    on_engine(Dialect::Spark);
}

/// The most bytes of all texts of the large model; they have 3.2 MB, and 5.0 for PostgreSQL, which needs a type for each number.
const BUDGET: [(Dialect, usize); 4] = [
    (Dialect::DuckDb, 3_400_000),
    (Dialect::PostgreSql, 5_200_000),
    (Dialect::Spark, 3_400_000),
    (Dialect::SqlServer, 3_400_000),
];

#[test]
fn the_texts_of_a_large_model_are_within_their_budget() {
    let large = large();
    for (dialect, budget) in BUDGET {
        let texts = large.texts(dialect);
        let bytes: Vec<usize> = texts.scripts().iter().map(|script| script.text.len()).collect();
        println!("{dialect}: {bytes:?} bytes");
        assert!(bytes.iter().sum::<usize>() <= budget, "{dialect}: {bytes:?} bytes");
        let statements = parsed::statements(&texts, dialect);
        if dialect == Dialect::SqlServer {
            sql_server::keep_the_rules(&statements);
        }
    }
}

#[test]
fn what_a_table_has_no_room_for_is_refused() {
    let spec = |count: usize| {
        let feature = |nth: usize| {
            let records = Selector::source("visits");
            Feature::new(records, Measure::Count, Lookback::Days(nth as u32 + 1))
        };
        FeatureSpec::new((0..count).map(feature).collect()).unwrap()
    };
    let sources = [SourceMapping::new("visits", "person", "visit", "on")];
    let everybody = CohortSpec::default();
    let is_said = |count: usize, dialect: Dialect| {
        Texts::new(&sources, (&everybody, &spec(count)), (world::list_date(), dialect)).is_ok()
    };
    assert!(is_said(510, Dialect::SqlServer) && !is_said(511, Dialect::SqlServer));
    assert!(is_said(640, Dialect::PostgreSql) && !is_said(641, Dialect::PostgreSql));
    assert!(is_said(2_000, Dialect::DuckDb) && is_said(2_000, Dialect::Spark));
}

#[test]
fn more_terms_than_a_table_has_room_for_are_refused() {
    let names: Vec<String> = (0..60).map(|nth| format!("feature {nth}")).collect();
    let mut dice = Dice::new(3);
    let mut pairs = Vec::new();
    for first in 0..names.len() {
        for second in 0..first {
            let shape = made::grid(&mut dice, [vec![0.5], vec![1.5]]);
            pairs.push(Term::pair(&names[second], &names[first], shape));
        }
    }
    let matrix =
        FeatureMatrix::from_cells(names.clone(), 1, &vec![vec![Cell::Missing]; names.len()]).unwrap();
    let is_said = |terms: usize, dialect: Dialect| {
        let model = AdditiveModel::new(names.clone(), 0.0, pairs[..terms].to_vec()).unwrap();
        edges::posed("pairs", &model, matrix.clone()).try_texts(dialect).is_ok()
    };
    assert!(is_said(250, Dialect::SqlServer) && !is_said(251, Dialect::SqlServer));
    assert!(is_said(1_000, Dialect::PostgreSql) && !is_said(1_001, Dialect::PostgreSql));
    assert!(is_said(1_001, Dialect::DuckDb) && is_said(1_001, Dialect::Spark));
}

#[test]
fn postgresql_has_room_for_as_many_features_as_are_said() {
    // Every value takes its room, but for one, for which the row says which are absent.
    let names: Vec<String> = (0..640).map(|nth| format!("feature {nth}")).collect();
    let line = |name: &String| {
        let mut dice = Dice::new(name.len() as u64);
        Term::one(name, made::line(&mut dice, Scale::Linear))
    };
    let model = AdditiveModel::new(names.clone(), 0.0, names.iter().map(line).collect()).unwrap();
    let mut columns = vec![vec![Cell::Value(1.5); 3]; names.len()];
    columns[0][0] = Cell::Missing;
    let matrix = FeatureMatrix::from_cells(names, 3, &columns).unwrap();
    edges::on_engine(Dialect::PostgreSql, &[edges::posed("wide", &model, matrix)]);
}
