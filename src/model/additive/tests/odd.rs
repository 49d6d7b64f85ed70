//! Data that are hard on a trainer: each ends in a sensible model or a clear error.

use super::{Dice, Planted, World, fit, logistic};
use crate::error::ModelError;
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::additive::AdditiveParams;
use crate::model::{AdditiveModel, Shape};

/// Cases of one feature that speaks, `f0`, with their outcomes; further features are put beside it.
struct Odd {
    columns: Vec<Vec<Cell>>,
    outcomes: Vec<bool>,
}

impl Odd {
    fn new(rows: usize) -> Self {
        let mut dice = Dice::new(rows as u64);
        let first: Vec<f64> = (0..rows).map(|_| dice.normal()).collect();
        let mut outcomes: Vec<bool> = first.iter().map(|value| dice.chance(logistic(value - 1.5))).collect();
        (outcomes[0], outcomes[1]) = (true, false);
        Self { columns: vec![first.iter().map(|&value| Cell::Value(value as f32)).collect()], outcomes }
    }

    /// With one more feature, made from the row, the outcome and the first feature.
    fn with(mut self, cell: impl Fn(usize, bool, Cell) -> Cell) -> Self {
        let column =
            (0..self.outcomes.len()).map(|row| cell(row, self.outcomes[row], self.columns[0][row])).collect();
        self.columns.push(column);
        self
    }

    fn fit(&self, params: &AdditiveParams, weights: Option<&[f32]>) -> Result<Fitted, ModelError> {
        let names = (0..self.columns.len()).map(|place| format!("f{place}")).collect();
        let matrix = FeatureMatrix::from_cells(names, self.outcomes.len(), &self.columns).unwrap();
        let families: Vec<u64> = (0..self.outcomes.len() as u64).map(|row| row / 2).collect();
        let directions = vec![Direction::None; self.columns.len()];
        let (model, unused) = fit(params, &matrix, &directions, &self.outcomes, weights, &families)?;
        Ok(Fitted { model, unused, matrix })
    }

    fn fitted(&self) -> Fitted {
        self.fit(&AdditiveParams::default(), None).unwrap()
    }
}

struct Fitted {
    model: AdditiveModel,
    unused: Vec<String>,
    matrix: FeatureMatrix,
}

impl Fitted {
    /// What holds for any sensible model: finite figures of a size that a person could be told of.
    fn checked(self) -> Self {
        assert!(self.model.intercept().abs() < 15.0);
        let explained = self.model.explain_all(&self.matrix).unwrap();
        assert!(explained.contributions().iter().all(|by| by.abs() < 15.0), "a contribution beyond reason");
        for row in (0..self.matrix.rows()).step_by(self.matrix.rows().div_ceil(10)) {
            let reach = self.model.reach(&self.matrix, row).unwrap().unwrap();
            assert!(reach.score.is_finite() && reach.score < 30.0, "{}", reach.score);
        }
        self
    }

    /// Half the spread of a feature's own term.
    fn size(&self, feature: &str) -> f64 {
        let Some(term) = self.model.terms().iter().find(|term| term.on == [feature]) else { return 0.0 };
        let Shape::Steps { values, .. } = &term.shape else { panic!("not steps") };
        let (least, most) = values.iter().fold((0.0_f64, 0.0_f64), |(a, b), &v| (a.min(v), b.max(v)));
        (most - least) / 2.0
    }
}

#[test]
fn features_that_say_nothing_play_no_part() {
    let fitted = Odd::new(4_000)
        .with(|_, _, _| Cell::Value(3.0))
        .with(|_, _, _| Cell::Missing)
        .with(|_, _, _| Cell::NotCovered)
        .with(|row, _, _| if row % 2 == 0 { Cell::Missing } else { Cell::NotCovered })
        .fitted()
        .checked();
    assert!(["f1", "f2", "f3"].iter().all(|name| fitted.unused.iter().any(|held| held == name)));
    assert!(fitted.size("f0") > 0.8, "the feature that speaks is heard");
    assert!(fitted.size("f4") < 0.2);
}

#[test]
fn noise_is_flat_or_next_to_it() {
    let kinds: Vec<Planted> = std::iter::once(Planted::Count)
        .chain((0..20).map(|nth| if nth % 2 == 0 { Planted::Noise } else { Planted::NoiseCount }))
        .collect();
    let (mut flat, mut sizes) = (0, Vec::new());
    for seed in 0..6 {
        let world = World::new(300 + seed, 4_000, &kinds, None, -2.2);
        let (model, unused) = world.fit(&world.params().refits(0));
        assert!(!unused.contains(&"f0".to_owned()));
        flat += unused.len();
        let fitted = Fitted { model, unused, matrix: world.matrix.clone() };
        sizes.extend((1..=20).map(|place| fitted.size(&format!("f{place}"))));
    }
    // The likeliest amount of smoothing is all of it for about half of what says nothing.
    assert!(flat >= 42, "only {flat} of 120 noise features are flat");
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    assert!(mean < 0.06, "{mean}");
    sizes.sort_by(f64::total_cmp);
    assert!(sizes[100] < 0.12, "{sizes:?}");
}

#[test]
fn twins_share_what_one_would_say() {
    let alone = Odd::new(4_000).fitted();
    let twins = Odd::new(4_000).with(|_, _, first| first).fitted().checked();
    let one = alone.model.log_odds(&alone.matrix).unwrap();
    let both = twins.model.log_odds(&twins.matrix).unwrap();
    let apart = one.iter().zip(&both).map(|(one, both)| (one - both).abs()).fold(0.0, f64::max);
    assert!(apart < 0.3, "{apart}");
    assert!(twins.model.terms().iter().all(|term| term.on.len() == 1), "twins are no pair");
}

#[test]
fn a_feature_that_gives_the_outcome_away_is_heard_within_reason() {
    let told =
        Odd::new(4_000).with(|_, outcome, _| Cell::Value(f32::from(u8::from(outcome)))).fitted().checked();
    assert!(told.size("f1") > 3.0, "{}", told.size("f1"));
    let by_number = Odd::new(4_000)
        .with(|row, outcome, _| Cell::Value(if outcome { 1.0 } else { -1.0 } * (1 + row % 50) as f32));
    let by_number = by_number.fitted().checked();
    assert!(by_number.size("f1") > 3.0, "{}", by_number.size("f1"));
    // Known only of those with the outcome: the absence gives it away.
    let by_absence =
        Odd::new(4_000).with(|_, outcome, _| if outcome { Cell::Missing } else { Cell::Value(1.0) });
    assert!(by_absence.fitted().checked().size("f1") > 3.0);
}

#[test]
fn few_cases_and_few_outcomes_make_modest_models() {
    Odd::new(10).fitted().checked();
    Odd::new(2).fitted().checked();
    let mut rare = Odd::new(10_000);
    rare.outcomes.fill(false);
    rare.outcomes[4_321] = true;
    let rare = rare.with(|row, _, _| Cell::Value((row % 7) as f32)).fitted().checked();
    assert!((rare.model.intercept() - (1.0_f64 / 9_999.0).ln()).abs() < 1.0, "{}", rare.model.intercept());
    assert!(rare.size("f0") < 1.0 && rare.size("f1") < 1.0);
    let mut common = Odd::new(10_000);
    common.outcomes.iter_mut().enumerate().for_each(|(row, outcome)| *outcome = row != 77);
    common.fitted().checked();
}

#[test]
fn no_features_leave_the_share_of_outcomes() {
    let mut none = Odd::new(1_000);
    none.columns.clear();
    let fitted = none.fitted();
    let positive = none.outcomes.iter().filter(|&&outcome| outcome).count() as f64;
    let share = (positive / (1_000.0 - positive)).ln();
    assert!((fitted.model.intercept() - share).abs() < 1e-4, "{} {share}", fitted.model.intercept());
    assert!(fitted.model.terms().is_empty());
}

#[test]
fn the_largest_numbers_are_numbers() {
    let fitted = Odd::new(3_000)
        .with(|row, outcome, _| match row % 5 {
            0 => Cell::Value(f32::MAX),
            1 => Cell::Value(f32::INFINITY),
            2 => Cell::Value(f32::MIN),
            3 => Cell::Value(f32::MIN_POSITIVE),
            _ => Cell::Value(if outcome { -0.0 } else { 0.0 }),
        })
        .fitted()
        .checked();
    assert!(fitted.size("f1") < 0.3, "the sign of zero says nothing");
}

#[test]
fn categories_of_many_codes_are_fitted_and_what_is_no_code_is_refused() {
    let params = AdditiveParams::default().categories(["f1"]);
    let code = |count: usize| move |row: usize, _: bool, _: Cell| Cell::Value((row * 7 % count) as f32);
    for codes in [253, 300, 3_000] {
        let fitted = Odd::new(6_000).with(code(codes)).fit(&params, None).unwrap().checked();
        assert!(fitted.size("f1") < 0.6, "codes without meaning say little: {}", fitted.size("f1"));
    }
    let refused = |odd: Odd| {
        let Err(ModelError::NotFitted(why)) = odd.fit(&params, None) else { panic!("fitted") };
        assert!(why.contains("f1"), "{why}");
    };
    refused(Odd::new(20_000).with(code(10_001)));
    refused(Odd::new(100).with(|row, _, _| Cell::Value(row as f32 / 2.0)));
    refused(Odd::new(100).with(|_, _, _| Cell::Value(-1.0)));
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let refused = |odd: &Odd, params: &AdditiveParams, weights: Option<&[f32]>| {
        assert!(matches!(odd.fit(params, weights), Err(ModelError::NotFitted(_))));
    };
    let odd = Odd::new(50);
    let fine = AdditiveParams::default();
    let mut one_sided = Odd::new(50);
    one_sided.outcomes.fill(true);
    refused(&one_sided, &fine, None);
    refused(&Odd { columns: vec![vec![]], outcomes: vec![] }, &fine, None);
    // All that have the outcome weigh nothing.
    let weights: Vec<f32> = odd.outcomes.iter().map(|&outcome| f32::from(u8::from(!outcome))).collect();
    refused(&odd, &fine, Some(&weights));
    for wrong in [f32::NAN, f32::INFINITY, -1.0] {
        let mut weights = vec![1.0; 50];
        weights[7] = wrong;
        refused(&odd, &fine, Some(&weights));
    }
    refused(&odd, &fine, Some(&[1.0; 49]));
    refused(&odd, &AdditiveParams { steps: 1, ..fine.clone() }, None);
    refused(&odd, &AdditiveParams { steps: 255, ..fine.clone() }, None);
    refused(&odd, &fine.clone().refits(1), None);
    refused(&odd, &fine.categories(["nobody"]), None);
}

#[test]
fn cases_that_weigh_nothing_say_nothing() {
    let honest = Odd::new(4_000);
    let weights: Vec<f32> = (0..4_000).map(|row| if row % 2 == 0 { 1.0 } else { 0.0 }).collect();
    let with_lies = Odd {
        columns: honest.columns.clone(),
        outcomes: honest
            .outcomes
            .iter()
            .enumerate()
            .map(|(row, &outcome)| outcome != (row % 2 == 1))
            .collect(),
    };
    let params = AdditiveParams::default();
    let honest = honest.fit(&params, Some(&weights)).unwrap().checked();
    let lies = with_lies.fit(&params, Some(&weights)).unwrap().checked();
    assert_eq!(serde_json::to_string(&honest.model).unwrap(), serde_json::to_string(&lies.model).unwrap());
}
