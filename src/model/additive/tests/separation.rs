//! Features that tell the outcomes apart, all but or altogether.

use super::{Dice, fit, fitted, logistic};
use crate::features::{Cell, Direction, Exact, FeatureMatrix};
use crate::model::additive::AdditiveParams;
use crate::model::{LogisticParams, Scale, TrainingNote};
use crate::stats::link::softplus;

/// People with a flag that is the outcome (but for a share that is the other way round), their age and two features that say
/// nothing.
fn people(seed: u64, rows: usize, rate: f64, wrong: f64) -> (FeatureMatrix, Vec<bool>) {
    let mut dice = Dice::new(seed);
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); 4];
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let outcome = dice.chance(rate);
        let flag = outcome != dice.chance(wrong);
        let values = [f64::from(u8::from(flag)), dice.below(18) as f64, dice.below(5) as f64, dice.normal()];
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(Cell::Value(value as f32));
        }
        outcomes.push(outcome);
    }
    let names = ["flag", "age", "visits", "noise"].map(str::to_owned).to_vec();
    (FeatureMatrix::from_cells(names, rows, &columns).unwrap(), outcomes)
}

/// The share of pairs of an outcome and none that scores put in the right order; equal scores are half right.
fn auc(scores: &[f64], outcomes: &[bool]) -> f64 {
    let of = |wanted: bool| {
        scores.iter().zip(outcomes).filter(move |(_, outcome)| **outcome == wanted).map(|(score, _)| *score)
    };
    let (mut right, mut pairs) = (0.0, 0.0);
    for with in of(true) {
        for without in of(false) {
            right += if with > without {
                1.0
            } else {
                0.5 * f64::from(u8::from(with.to_bits() == without.to_bits()))
            };
            pairs += 1.0;
        }
    }
    right / pairs
}

#[test]
fn a_flag_that_is_the_outcome_is_all_there_is_to_say() {
    for rows in [60, 150, 300, 600, 2_000] {
        for (rate, directions) in [(0.2, Direction::None), (0.5, Direction::Rising), (0.1, Direction::Rising)]
        {
            if (rows as f64) * rate < 10.0 {
                continue;
            }
            for seed in 0..6 {
                let (matrix, outcomes) = people(seed, rows, rate, 0.0);
                let families: Vec<u64> = (0..rows as u64).collect();
                let directions = [directions, Direction::None, Direction::None, Direction::None];
                let params = AdditiveParams::default();
                let (model, _) = fit(&params, &matrix, &directions, &outcomes, None, &families).unwrap();
                let (others, others_outcomes) = people(1_000 + seed, 1_000, rate, 0.0);
                let scores = model.log_odds(&others).unwrap();
                let auc = auc(&scores, &others_outcomes);
                assert!(auc > 0.999, "{rows} people, {rate}, data set {seed}: {auc}");
                // Half a case more on either side would be odds of twice the cases and one.
                let most = (2.0 * rows as f64 + 1.0).ln();
                assert!(scores.iter().all(|score| score.abs() < most), "{rows} people: beyond {most}");
            }
        }
    }
}

#[test]
fn a_flag_that_is_nearly_the_outcome_ranks_as_it_does_by_itself() {
    for rows in [300, 600] {
        let mut lost = 0.0;
        for seed in 0..6 {
            let (matrix, outcomes) = people(seed, rows, 0.2, 0.03);
            let families: Vec<u64> = (0..rows as u64).collect();
            let params = AdditiveParams::default();
            let (model, _) =
                fit(&params, &matrix, &[Direction::None; 4], &outcomes, None, &families).unwrap();
            let (others, others_outcomes) = people(1_000 + seed, 1_000, 0.2, 0.03);
            let flag: Vec<f64> = others.cells(0).iter().filter_map(Exact::value).collect();
            let (alone, model) =
                (auc(&flag, &others_outcomes), auc(&model.log_odds(&others).unwrap(), &others_outcomes));
            assert!(model > alone - 0.01, "{rows} people, data set {seed}: {model}, by itself {alone}");
            lost += (alone - model) / 6.0;
        }
        // What three features that say nothing cost beside it.
        assert!(lost < 0.005, "{rows} people: {lost}");
    }
}

/// Twelve features that go together, six of which say so much together that hardly a case is in doubt.
fn hardly_in_doubt(seed: u64, rows: usize) -> (FeatureMatrix, Vec<bool>) {
    let mut dice = Dice::new(seed);
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); 12];
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let shared = dice.normal();
        let values: Vec<f64> = columns.iter().map(|_| 0.6 * shared + 0.8 * dice.normal()).collect();
        let log_odds: f64 =
            values.iter().take(6).enumerate().map(|(place, value)| [5.0, -4.0][place % 2] * value).sum();
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(Cell::Value(value as f32));
        }
        outcomes.push(dice.chance(logistic(log_odds)));
    }
    let names = (0..12).map(|place| format!("f{place:02}")).collect();
    (FeatureMatrix::from_cells(names, rows, &columns).unwrap(), outcomes)
}

#[test]
fn other_families_loosen_what_tells_outcomes_apart() {
    let rows = 250;
    let (mut loss, mut loosened) = ([0.0; 2], 0);
    for seed in 0..8 {
        let (matrix, outcomes) = hardly_in_doubt(seed, rows);
        let families: Vec<u64> = (0..rows as u64).collect();
        let (params, directions) = (AdditiveParams::default(), [Direction::None; 12]);
        let fitted = fitted(&params, &matrix, &directions, &outcomes, None, &families).unwrap();
        let loosely = |note: &TrainingNote| {
            matches!(note, TrainingNote::StrengthsJudged { percent: 1..100, idle_kept: _ })
        };
        loosened += usize::from(fitted.notes.iter().any(loosely));
        let scales = [Scale::Linear; 12];
        let ridge = LogisticParams::default().fit_matrix(&matrix, &scales, &outcomes, None).unwrap().model;
        let (others, others_outcomes) = hardly_in_doubt(1_000 + seed, 2_000);
        for (loss, model) in loss.iter_mut().zip([fitted.model, ridge]) {
            for (score, outcome) in model.log_odds(&others).unwrap().into_iter().zip(&others_outcomes) {
                *loss += softplus(if *outcome { -score } else { score }) / 16_000.0;
            }
        }
    }
    assert!(loosened >= 6, "loosened in {loosened} of 8");
    let [additive, ridge] = loss;
    assert!(additive < 1.02 * ridge, "additive {additive}, ridge {ridge}");
}
