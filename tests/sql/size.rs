//! How large a model the texts carry: 500 terms of 64 steps, on every engine.

use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, Term};
use earlyhelp::sql::Dialect;

use super::edges::{self, Posed};
use super::{made, parsed, sql_server};
use crate::world::Dice;

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
    edges::posed("large", model, matrix)
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

#[test]
fn the_texts_of_a_large_model_are_within_their_budget() {
    let large = large();
    for dialect in Dialect::ALL {
        let texts = large.texts(dialect);
        for script in texts.scripts() {
            println!("{dialect} {}: {} bytes", script.name, script.text.len());
        }
        let statements = parsed::statements(&texts, dialect);
        if dialect == Dialect::SqlServer {
            sql_server::keep_the_rules(&statements);
        }
    }
}
