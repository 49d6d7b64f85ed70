//! What the additive trainer promises, held against planted truth.

mod bar;
mod coverage;
mod held;
mod odd;
mod optimum;
mod pairs;
mod separation;
mod steps;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{AdditiveParams, Cases, Fitted};
use crate::error::ModelError;
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::AdditiveModel;
use crate::model::validation::Validation;

/// Seeded numbers.
struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number from 0 up to 1.
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }

    /// A standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let length = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        length * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// What a feature looks like, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Planted {
    /// A count, mostly zero, whose first few matter most.
    Count,
    /// A number with gaps; missing and not covered have levels of their own.
    Gaps,
    /// Yes or no.
    Flag,
    /// A number whose effect bends.
    Bend,
    /// A code without an order.
    Category,
    /// A number that does nothing.
    Noise,
    /// A count that does nothing.
    NoiseCount,
}

impl Planted {
    fn draw(self, dice: &mut Dice) -> Cell {
        match self {
            Self::Count | Self::NoiseCount => {
                if dice.chance(0.55) {
                    return Cell::Value(0.0);
                }
                let mut count = 1.0;
                while count < 30.0 && dice.chance(0.6) {
                    count += 1.0;
                }
                Cell::Value(count)
            }
            Self::Gaps => match dice.uniform() {
                kind if kind < 0.25 => Cell::Missing,
                kind if kind < 0.31 => Cell::NotCovered,
                _ => Cell::Value((dice.uniform() * 1000.0) as f32),
            },
            Self::Flag => Cell::Value(f32::from(u8::from(dice.chance(0.2)))),
            Self::Category => Cell::Value((6.0 * dice.uniform().powi(2)).floor() as f32),
            Self::Bend | Self::Noise => Cell::Value(dice.normal() as f32),
        }
    }

    /// The log-odds that a cell adds, before centring.
    fn effect(self, cell: Cell, size: f64) -> f64 {
        size * match (self, cell) {
            (Self::Count, Cell::Value(count)) => 0.6 * f64::from(count).ln_1p(),
            (Self::Gaps, Cell::Value(days)) => 1.2 * (-f64::from(days) / 300.0).exp(),
            (Self::Gaps, Cell::Missing) => -0.3,
            (Self::Gaps, Cell::NotCovered) => 0.4,
            (Self::Flag, Cell::Value(flag)) => 0.9 * f64::from(flag),
            (Self::Bend, Cell::Value(value)) => 0.7 * (1.4 * f64::from(value)).sin(),
            (Self::Category, Cell::Value(code)) => [0.0, 0.5, -0.4, 0.9, -0.2, 0.3][code as usize % 6],
            _ => 0.0,
        }
    }
}

/// Cases whose true log-odds are known.
struct World {
    matrix: FeatureMatrix,
    kinds: Vec<Planted>,
    outcomes: Vec<bool>,
    families: Vec<u64>,
    /// For each feature what it adds to the log-odds of each case.
    effects: Vec<Vec<f64>>,
    /// The planted pair, and what it adds to each case.
    pair: Option<(usize, usize, Vec<f64>)>,
    /// The true log-odds of each case.
    log_odds: Vec<f64>,
}

impl World {
    /// Families of one to four. Siblings share a cell of a feature more often than not, and the dice that
    /// decide their outcomes now and then: outcomes are dependent, while each case's own log-odds stay
    /// exactly the planted sum.
    fn new(seed: u64, rows: usize, kinds: &[Planted], pair: Option<(usize, usize)>, intercept: f64) -> Self {
        let mut dice = Dice::new(seed);
        let sizes: Vec<f64> = kinds.iter().map(|_| 0.6 + 0.8 * dice.uniform()).collect();
        let mut cells: Vec<Vec<Cell>> = vec![Vec::with_capacity(rows); kinds.len()];
        let (mut families, mut rolls) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut family = 0_u64;
        while families.len() < rows {
            let members = (1 + dice.below(4)).min(rows - families.len());
            let shared: Vec<Cell> = kinds.iter().map(|kind| kind.draw(&mut dice)).collect();
            let roll = dice.uniform();
            for _ in 0..members {
                for ((cells, kind), shared) in cells.iter_mut().zip(kinds).zip(&shared) {
                    let own = kind.draw(&mut dice);
                    cells.push(if dice.chance(0.6) { *shared } else { own });
                }
                let own = dice.uniform();
                rolls.push(if dice.chance(0.4) { roll } else { own });
                families.push(family);
            }
            family += 1;
        }
        let effects: Vec<Vec<f64>> = (0..kinds.len())
            .map(|place| cells[place].iter().map(|&cell| kinds[place].effect(cell, sizes[place])).collect())
            .collect();
        let pair = pair.map(|(first, second)| {
            let effect = cells[first].iter().zip(&cells[second]).map(|(&a, &b)| together(a) * together(b));
            (first, second, effect.collect::<Vec<f64>>())
        });
        let log_odds: Vec<f64> = (0..rows)
            .map(|row| {
                let alone: f64 = effects.iter().map(|effect| effect[row]).sum();
                intercept + alone + pair.as_ref().map_or(0.0, |(.., effect)| effect[row])
            })
            .collect();
        let outcomes =
            log_odds.iter().zip(rolls).map(|(&log_odds, roll)| roll < logistic(log_odds)).collect();
        let names = (0..kinds.len()).map(|place| format!("f{place}")).collect();
        let matrix = FeatureMatrix::from_cells(names, rows, &cells).unwrap();
        Self { matrix, kinds: kinds.to_vec(), outcomes, families, effects, pair, log_odds }
    }

    /// The trainer's settings for these features.
    fn params(&self) -> AdditiveParams {
        let names = self.matrix.names().iter().zip(&self.kinds);
        AdditiveParams::default()
            .categories(names.filter(|(_, kind)| **kind == Planted::Category).map(|(name, _)| name))
    }

    fn fit(&self, params: &AdditiveParams) -> (AdditiveModel, Vec<String>) {
        let directions = vec![Direction::None; self.kinds.len()];
        fit(params, &self.matrix, &directions, &self.outcomes, None, &self.families).unwrap()
    }
}

/// One side of a planted pair: its effect is the product of both.
fn together(cell: Cell) -> f64 {
    match cell {
        Cell::Value(value) if value <= 0.3 => -0.8,
        Cell::Value(_) => 1.4,
        Cell::Missing | Cell::NotCovered => 0.0,
    }
}

/// Fits cases of one date.
fn fit(
    params: &AdditiveParams,
    matrix: &FeatureMatrix,
    directions: &[Direction],
    outcomes: &[bool],
    weights: Option<&[f32]>,
    families: &[u64],
) -> Result<(AdditiveModel, Vec<String>), ModelError> {
    fitted(params, matrix, directions, outcomes, weights, families)
        .map(|fitted| (fitted.model, fitted.unused))
}

/// The same, and what the trainer did on its own.
fn fitted(
    params: &AdditiveParams,
    matrix: &FeatureMatrix,
    directions: &[Direction],
    outcomes: &[bool],
    weights: Option<&[f32]>,
    families: &[u64],
) -> Result<Fitted, ModelError> {
    let validation = Validation::of_one_date(families, 5, 11);
    let cases = Cases {
        matrix,
        directions,
        scales: &[],
        codes: &[],
        outcomes,
        weights,
        families,
        validation: &validation,
        seed: 11,
    };
    params.fit_cases(cases)
}

#[test]
fn an_absence_of_one_family_is_an_average_value_at_however_many_dates() {
    // 600 families at two dates; one family lacks the first feature, at both, and had the outcome at both.
    let rows = 1_200;
    let families: Vec<u64> = (0..rows as u64).map(|row| row / 2).collect();
    let value = |row: usize, by: usize| Cell::Value(((row / 2) * by % 13) as f32);
    let lacks = |row: usize, most: usize| row / 2 < most;
    for (few, is_learnt) in [(1, false), (9, false), (40, true)] {
        let first = (0..rows).map(|row| if lacks(row, few) { Cell::Missing } else { value(row, 5) });
        let columns = [first.collect::<Vec<_>>(), (0..rows).map(|row| value(row, 7)).collect()];
        let names = vec!["first".to_owned(), "second".to_owned()];
        let matrix = FeatureMatrix::from_cells(names, rows, &columns).unwrap();
        let outcomes: Vec<bool> =
            (0..rows).map(|row| lacks(row, few) || (row / 2) * 5 % 13 + (row / 2) * 7 % 3 > 11).collect();
        let params = AdditiveParams::default();
        let (model, _) = fit(&params, &matrix, &[Direction::None; 2], &outcomes, None, &families).unwrap();
        let own = (0..model.terms().len()).find(|&term| model.places(term).eq([0])).unwrap();
        let step = model.explain(&matrix, 0).unwrap().contributions()[own];
        assert_eq!(step != 0.0, is_learnt, "{few} families: {step}");
        assert_eq!(model.terms()[own].is_blind_to(Cell::Missing), !is_learnt);
    }
}
