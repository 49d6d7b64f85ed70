//! How much a term has to say to stay.

use super::{Dice, fit, logistic};
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::additive::AdditiveParams;

/// The mean share of terms that stay among the first so many features and among the others, of cases whose outcome hangs on the
/// first ones alone.
fn staying(cases: usize, features: usize, telling: usize, slope: f64) -> (f64, f64) {
    const DRAWS: u64 = 20;
    let (mut told, mut silent) = (0, 0);
    for seed in 0..DRAWS {
        let mut dice = Dice::new(900 + seed);
        let mut columns = vec![Vec::new(); features];
        let mut outcomes = Vec::new();
        for _ in 0..cases {
            let values: Vec<f64> = (0..features).map(|_| dice.normal()).collect();
            outcomes.push(dice.chance(logistic(slope * values[..telling].iter().sum::<f64>() - 0.4)));
            for (column, &value) in columns.iter_mut().zip(&values) {
                column.push(Cell::Value(value as f32));
            }
        }
        let names = (0..features).map(|nth| format!("f{nth:02}")).collect();
        let matrix = FeatureMatrix::from_cells(names, cases, &columns).unwrap();
        let families: Vec<u64> = (0..cases as u64).collect();
        let params = AdditiveParams::default().refits(0);
        let (model, _) =
            fit(&params, &matrix, &vec![Direction::None; features], &outcomes, None, &families).unwrap();
        for term in model.terms() {
            let tells = term.on[0][1..].parse::<usize>().unwrap() < telling;
            *(if tells { &mut told } else { &mut silent }) += 1;
        }
    }
    let share = |terms: usize, of: usize| terms as f64 / (DRAWS as usize * of.max(1)) as f64;
    (share(told, telling), share(silent, features - telling))
}

#[test]
fn where_all_features_say_something_weak_ones_stay() {
    // Each is some two standard errors; a bar for each by itself left out two of five.
    let (told, _) = staying(80, 6, 6, 0.5);
    assert!(told > 0.8, "{told} of those that say something");
}

#[test]
fn where_few_features_say_something_those_that_do_not_go() {
    let (told, silent) = staying(400, 16, 2, 0.7);
    assert!(told > 0.95 && silent < 0.25, "{told} of those that say something, {silent} of the others");
    let (_, silent) = staying(400, 12, 0, 0.0);
    assert!(silent < 0.25, "{silent} of features of noise");
    // Nor do the others stay for the sake of those that say something, once there are the cases to tell.
    let (told, silent) = staying(500, 8, 4, 0.7);
    assert!(told > 0.95 && silent < 0.25, "{told} of those that say something, {silent} of the others");
}
