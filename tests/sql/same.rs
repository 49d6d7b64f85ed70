//! That what an engine made is what the library says: features and steps to the bit, scores to 1e-12.

use earlyhelp::cohort::Cohort;
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, Scale, Shape};
use earlyhelp::scoring::WhyNot;
use earlyhelp::sql::{Dialect, Texts};

use super::asked::Asked;
use super::engines::{Engine, Given, Made, Table};
use crate::world;

/// What an engine is given to compute all of it.
pub fn given(texts: &Texts<'_>, records: &earlyhelp::records::Records) -> Given {
    let tables = texts.staged_tables(records).unwrap().into_iter();
    let tables = tables.map(|table| (table.name.clone(), table.into_parquet().unwrap()));
    Given { scripts: texts.scripts(), tables: tables.collect(), keep: Vec::new() }
}

/// Runs all of them on an engine and compares everything that it made; nothing where it is not here.
pub fn on_engine(dialect: Dialect, all: &[Asked]) {
    let Some(engine) = Engine::of(dialect) else { return };
    let (_folder, made) = engine.run(all.iter().map(|asked| given(&asked.texts(dialect), &asked.records)));
    for (asked, made) in all.iter().zip(&made) {
        let (texts, cohort) = (asked.texts(dialect), asked.cohort());
        let matrix = asked.spec().compute(&cohort).unwrap();
        let of = format!("{dialect}, {}", asked.name);
        features(&made.table("eh_features"), &texts, (&cohort, &matrix), &of);
        let entities: Vec<&str> = cohort.ids().collect();
        contributions(made, &texts, asked.scorer.candidate().model(), (&entities, &matrix), &of);
        scores(&made.table("eh_scores"), asked, &cohort, &of);
    }
}

/// That the features which an engine made are those of the library, cell by cell and to the bit.
pub fn features(table: &Table, texts: &Texts<'_>, (cohort, matrix): (&Cohort<'_>, &FeatureMatrix), of: &str) {
    let entities: Vec<&str> = cohort.ids().collect();
    assert_eq!(table.entities().collect::<Vec<_>>(), entities, "{of}");
    for (place, (value, state)) in texts.columns().enumerate() {
        let (values, states) = (table.numbers(value), table.numbers(state));
        for (row, entity) in entities.iter().enumerate() {
            let at = table.row(entity);
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

/// That contributions are the library's, to the bit where no logarithm is in them, and their sums to 1e-12.
pub fn contributions(
    made: &Made,
    texts: &Texts<'_>,
    model: &AdditiveModel,
    (entities, matrix): (&[&str], &FeatureMatrix),
    of: &str,
) {
    let (contributions, scores) = (made.table("eh_contributions"), made.table("eh_scores"));
    assert_eq!(contributions.entities().count(), entities.len(), "{of}");
    let explained = model.explain_all(matrix).unwrap();
    for (term, column) in texts.terms().enumerate() {
        let is_log = matches!(&model.terms()[term].shape, Shape::Line { scale: Scale::Log, .. });
        let numbers = contributions.numbers(column);
        for (row, entity) in entities.iter().enumerate() {
            let found = numbers[contributions.row(entity)].unwrap();
            let expected = explained.contributions()[[row, term]];
            let is_same = if is_log {
                is_near(found, expected)
            } else {
                (found + 0.0).to_bits() == (expected + 0.0).to_bits()
            };
            let on = || model.terms()[term].on.join(", ");
            assert!(is_same, "{of}: {column} ({}) of {entity}: {found:?}, by the library {expected:?}", on());
        }
    }
    let log_odds = scores.numbers("log_odds");
    for (entity, sum) in entities.iter().zip(world::sums(model, matrix)) {
        let found = log_odds[scores.row(entity)].unwrap();
        assert!(is_near(found, sum), "{of}: {entity}: {found}, by the library {sum}");
    }
}

/// To 1e-12, or where a number is larger than one to so much of it.
fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

/// That the same cases are not scored for the same reasons, and that the others have their bands and places.
fn scores(table: &Table, asked: &Asked, cohort: &Cohort<'_>, of: &str) {
    let scores = asked.scorer.score(cohort, &asked.request).unwrap();
    let not_scored = table.texts("not_scored");
    assert_eq!(not_scored.iter().flatten().count(), scores.not_scored().len(), "{of}");
    for case in scores.not_scored() {
        let found = not_scored[table.row(case.entity())].as_deref();
        assert_eq!(found, Some(word(case.reason())), "{of}: {}", case.entity());
    }
    let (bands, places) = (table.texts("band"), table.numbers("score_rank"));
    for rank in 1..=scores.len() {
        let case = scores.case(rank).unwrap().unwrap();
        let at = table.row(case.entity());
        assert_eq!(bands[at].as_deref(), Some(case.band().name.as_str()), "{of}: {}", case.entity());
        assert_eq!(places[at], Some(rank as f64), "{of}: {}", case.entity());
    }
}

pub fn word(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::Outside { .. } => "outside",
        WhyNot::Thin { .. } => "thin",
        WhyNot::Stale { .. } => "stale",
        other => panic!("a reason that the texts do not know: {other:?}"),
    }
}
