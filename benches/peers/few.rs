//! Few cases: the additive trainer beside a ridge on invented cases whose chances are known, and how many terms it has that say nothing.
//!
//! ```text
//! cargo bench --bench few                # --draws 60 for a smaller error
//! ```
//!
//! Each line is a mean over draws of the cases, with its standard error: the log loss that is expected at the true chances of 4,000
//! other cases, of the truth, of the mean chance alone, of `ridge` and of `additive`, both at their defaults; how many of the features
//! that say nothing have a term; and how many pairs there are, of which none was planted.
//!
//! Kinds: `straight` (half of 15 features), `curved` (parabolas of four of 15), `mixed` (two lines, a step and a parabola of eight),
//! `separated` and `nearly` (a flag that settles the outcome, or tells it to 1 in 250, beside five features), `noise` (15 features). `positives` are
//! cases with an outcome of one in forty, straight in five of ten features.

use std::error::Error;

use earlyhelp::features::{Cell, Direction, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, AdditiveParams, LogisticParams, Scale};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Cases that scores are held against.
const OTHERS: usize = 4_000;

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn effect(&mut self, least: f64, most: f64) -> f64 {
        let size = least + (most - least) * self.uniform();
        if self.uniform() < 0.5 { size } else { -size }
    }
}

/// Invented cases, and which features tell something of them.
struct World {
    columns: Vec<Vec<f64>>,
    log_odds: Vec<f64>,
    outcomes: Vec<bool>,
    tells: Vec<bool>,
}

impl World {
    fn new(kind: &str, rows: usize, seed: u64) -> Self {
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
        let features = match kind {
            "mixed" => 8,
            "separated" | "nearly" => 6,
            "positives" => 10,
            _ => 15,
        };
        let all = rows + OTHERS;
        let shared: Vec<f64> = (0..all).map(|_| dice.normal()).collect();
        let mut columns: Vec<Vec<f64>> = (0..features)
            .map(|_| {
                shared.iter().map(|part| 0.7_f64.sqrt() * dice.normal() + 0.3_f64.sqrt() * part).collect()
            })
            .collect();
        let mut tells = vec![false; features];
        let mut log_odds = vec![0.0; all];
        let mut add =
            |log_odds: &mut Vec<f64>, of: usize, columns: &[Vec<f64>], shape: &dyn Fn(f64) -> f64| {
                tells[of] = true;
                log_odds.iter_mut().zip(&columns[of]).for_each(|(sum, &value)| *sum += shape(value));
            };
        match kind {
            "straight" => {
                for of in (0..features).step_by(2) {
                    let slope = dice.effect(0.1, 0.6);
                    add(&mut log_odds, of, &columns, &|value| slope * value);
                }
            }
            "positives" => {
                for of in 0..5 {
                    let slope = dice.effect(0.3, 0.9);
                    add(&mut log_odds, of, &columns, &|value| slope * value);
                }
            }
            "curved" => {
                for of in 0..4 {
                    let size = dice.effect(0.25, 0.67);
                    add(&mut log_odds, of, &columns, &|value| size * (value * value - 1.0));
                }
            }
            "mixed" => {
                add(&mut log_odds, 0, &columns, &|value| 0.5 * value);
                add(&mut log_odds, 1, &columns, &|value| if value > 0.3 { 0.8 } else { 0.0 });
                add(&mut log_odds, 2, &columns, &|value| 0.42 * (value * value - 1.0));
                add(&mut log_odds, 3, &columns, &|value| -0.4 * value);
            }
            "separated" | "nearly" => {
                let flag = (0..all).map(|_| f64::from(u8::from(dice.uniform() < 0.4)));
                columns[5] = flag.collect();
                let size = if kind == "separated" { 40.0 } else { 11.0 };
                add(&mut log_odds, 5, &columns, &|value| size * (value - 0.5));
            }
            _ => {}
        }
        if !matches!(kind, "separated" | "nearly") {
            let rate = if kind == "positives" { 1.0 / 40.0 } else { 0.3 };
            let (mut low, mut high) = (-20.0_f64, 20.0_f64);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                let mean = log_odds.iter().map(|sum| chance(sum + middle)).sum::<f64>() / all as f64;
                if mean > rate { high = middle } else { low = middle }
            }
            for sum in &mut log_odds {
                *sum += low;
            }
        }
        let outcomes = log_odds.iter().map(|&sum| dice.uniform() < chance(sum)).collect();
        Self { columns, log_odds, outcomes, tells }
    }

    fn matrix(&self, rows: std::ops::Range<usize>) -> Result<FeatureMatrix, Box<dyn Error>> {
        let names = (0..self.columns.len()).map(|nth| format!("f{nth:02}")).collect();
        let cells =
            |column: &Vec<f64>| column[rows.clone()].iter().map(|&value| Cell::Value(value as f32)).collect();
        let columns: Vec<Vec<Cell>> = self.columns.iter().map(cells).collect();
        FeatureMatrix::from_cells(names, rows.len(), &columns).ok_or_else(|| "not a matrix".into())
    }

    /// The log loss to be expected of these log-odds of the other cases.
    fn loss(&self, rows: usize, log_odds: impl Iterator<Item = f64>) -> f64 {
        let of = |(says, &truth): (f64, &f64)| {
            let truth = chance(truth);
            truth * softplus(-says) + (1.0 - truth) * softplus(says)
        };
        log_odds.zip(&self.log_odds[rows..]).map(of).sum::<f64>() / OTHERS as f64
    }
}

fn chance(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn scores(model: &AdditiveModel, matrix: &FeatureMatrix) -> Result<Vec<f64>, Box<dyn Error>> {
    let explained = model.explain_all(matrix)?;
    let intercept = explained.intercept();
    Ok(explained.contributions().rows().into_iter().map(|case| intercept + case.sum()).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        arguments.iter().position(|held| held == "--draws").and_then(|place| arguments.get(place + 1));
    let draws: u64 = after.map_or("30", String::as_str).parse()?;
    println!("| kind | cases | truth | mean alone | ridge | additive | idle terms, of | pairs |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let of_rows = ["straight", "curved", "mixed", "separated", "nearly", "noise"];
    let settings = of_rows.iter().flat_map(|&kind| [50, 100, 500].map(|rows| (kind, rows)));
    for (kind, rows) in settings.chain([5, 10, 50].map(|positives| ("positives", 40 * positives))) {
        let mut figures: Vec<[f64; 6]> = Vec::new();
        let mut idle = 0;
        for seed in 0.. {
            if figures.len() as u64 == draws {
                break;
            }
            let world = World::new(kind, rows, 1_000 * seed + rows as u64);
            let outcomes = &world.outcomes[..rows];
            let positive = outcomes.iter().filter(|&&outcome| outcome).count();
            // Neither trainer takes cases of one outcome alone.
            if positive == 0 || positive == rows {
                continue;
            }
            let (matrix, others) = (world.matrix(0..rows)?, world.matrix(rows..rows + OTHERS)?);
            let features = world.columns.len();
            let families: Vec<u64> = (0..rows as u64).collect();
            let params = AdditiveParams::default().refits(0);
            let (additive, _) =
                params.fit_matrix(&matrix, &vec![Direction::None; features], outcomes, &families, 1)?;
            let scales = vec![Scale::Linear; features];
            let ridge = LogisticParams::default().fit_matrix(&matrix, &scales, outcomes, None)?.model;
            let mean = positive as f64 / rows as f64;
            let alone = (mean / (1.0 - mean)).ln();
            let says_nothing =
                |name: &String| world.tells.get(name[1..].parse().unwrap_or(0)) == Some(&false);
            let singles = additive.terms().iter().filter(|term| term.on.len() == 1);
            idle = world.tells.iter().filter(|tells| !**tells).count();
            figures.push([
                world.loss(rows, world.log_odds[rows..].iter().copied()),
                world.loss(rows, std::iter::repeat_n(alone, OTHERS)),
                world.loss(rows, scores(&ridge, &others)?.into_iter()),
                world.loss(rows, scores(&additive, &others)?.into_iter()),
                singles.filter(|term| says_nothing(&term.on[0])).count() as f64,
                additive.terms().iter().filter(|term| term.on.len() == 2).count() as f64,
            ]);
        }
        let mean = |of: usize| figures.iter().map(|held| held[of]).sum::<f64>() / draws as f64;
        let error = |of: usize| {
            let squares = figures.iter().map(|held| (held[of] - mean(of)).powi(2)).sum::<f64>();
            (squares / (draws as f64 - 1.0) / draws as f64).sqrt()
        };
        let shown = |of: usize| format!("{:.4} ({:.4})", mean(of), error(of));
        println!(
            "| {kind} | {} | {} | {} | {} | {} | {:.1}, {idle} | {:.2} |",
            if kind == "positives" {
                format!("{rows}, some {} with it", rows / 40)
            } else {
                rows.to_string()
            },
            shown(0),
            shown(1),
            shown(2),
            shown(3),
            mean(4),
            mean(5)
        );
    }
    Ok(())
}
