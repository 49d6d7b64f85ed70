//! Which pairs are chosen.

use super::super::banded::Banded;
use super::super::column::{Column, Working};
use super::super::pairs::rank;
use super::super::sides::Side;
use super::Planted::{Bend, Category, Count, Flag, Gaps, Noise, NoiseCount};
use super::{Dice, World, fit, fitted, logistic};
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::TrainingNote;
use crate::model::additive::AdditiveParams;

fn chosen(world: &World) -> Vec<Vec<usize>> {
    let (model, _) = world.fit(&world.params().refits(0));
    let terms = 0..model.terms().len();
    let mut chosen: Vec<Vec<usize>> =
        terms.map(|nth| model.places(nth).collect()).filter(|on: &Vec<usize>| on.len() == 2).collect();
    for on in &mut chosen {
        on.sort_unstable();
    }
    chosen
}

#[test]
fn a_planted_pair_is_found_and_no_other() {
    let cast = [Count, Gaps, Bend, Noise, Flag, Category, NoiseCount];
    let planted = [(0, 2), (1, 2), (0, 4), (2, 4), (0, 1), (2, 3)];
    let mut right = 0;
    for seed in 0..18 {
        let pair = planted[seed % planted.len()];
        let world = World::new(500 + seed as u64, 10_000, &cast, Some(pair), -2.2);
        let chosen = chosen(&world);
        assert!(chosen.contains(&vec![pair.0, pair.1]), "data set {seed}: {pair:?} not among {chosen:?}");
        right += usize::from(chosen.len() == 1);
    }
    assert!(right >= 17, "only {right} of 18 without another pair");
}

#[test]
fn where_features_only_add_no_pair_is_chosen() {
    let cast = [Count, Gaps, Bend, Noise, Flag, Category, NoiseCount, Bend];
    let with_pairs =
        (0..80).filter(|seed| !chosen(&World::new(900 + seed, 3_000, &cast, None, -2.0)).is_empty());
    let with_pairs = with_pairs.count();
    assert!(with_pairs <= 4, "pairs in {with_pairs} of 80 data sets");
}

#[test]
fn ranks_are_the_same_however_heavy_the_cases() {
    let rows = 1 << 17;
    let mut dice = Dice::new(5);
    let codes: Vec<Vec<u8>> = (0..4).map(|_| (0..rows).map(|_| dice.below(6) as u8).collect()).collect();
    let information = vec![vec![1.0; 8]; 4];
    let columns: Vec<Column> = codes.iter().map(|codes| Column::new(codes.clone())).collect();
    let features: Vec<Side> = columns
        .iter()
        .zip(&information)
        .map(|(column, information)| Side { column, information, order: None, places: None })
        .collect();
    let ranked = |mass: f32| {
        let residual: Vec<f32> = (0..rows)
            .map(|row| {
                let both = (codes[1][row] < 3) == (codes[3][row] < 3);
                mass * if both { 0.2 } else { -0.2 }
            })
            .collect();
        let working = Working {
            stored: residual.iter().map(|&residual| f64::from(residual)).sum(),
            residual,
            weight: vec![0.25 * mass; rows],
            shift: 0.0,
            weights: 0.25 * f64::from(mass) * rows as f64,
        };
        rank(&features, &working, Some(&vec![mass; rows]))
    };
    for mass in [1.0, 40.0, 1e6] {
        let first = ranked(mass)[0];
        assert_eq!((first.first, first.second), (1, 3), "{mass}");
        // Whoever counts twice says it twice as clearly, as long as chance has its share of the cells.
        assert!(first.clarity > 100.0, "{mass}: {}", first.clarity);
    }
}

/// People with two counts that more often than not are zero, four features that say nothing, and an outcome by chance.
struct Counts {
    columns: Vec<Vec<Cell>>,
    outcomes: Vec<bool>,
}

impl Counts {
    /// The most of a count.
    const MOST: usize = 8;

    fn new(seed: u64, people: usize, chance: impl Fn(f64, f64) -> f64) -> Self {
        let mut dice = Dice::new(seed);
        let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); 6];
        let mut outcomes = Vec::new();
        for _ in 0..people {
            let mut count = || {
                let mut count = usize::from(dice.chance(0.4));
                while count > 0 && count < Self::MOST && dice.chance(0.4) {
                    count += 1;
                }
                count as f64
            };
            let counts = [count(), count(), count(), count()];
            outcomes.push(dice.chance(chance(counts[0], counts[1])));
            for (column, value) in
                columns.iter_mut().zip(counts.into_iter().chain([dice.normal(), dice.normal()]))
            {
                column.push(Cell::Value(value as f32));
            }
        }
        Self { columns, outcomes }
    }

    /// The pairs that are chosen where each person is seen at so many dates, with the same features and the same outcome.
    fn chosen(&self, dates: usize) -> Vec<Vec<String>> {
        let people = self.outcomes.len();
        let names = (0..self.columns.len()).map(|place| format!("f{place}")).collect();
        let columns: Vec<Vec<Cell>> = self.columns.iter().map(|column| column.repeat(dates)).collect();
        let matrix = FeatureMatrix::from_cells(names, people * dates, &columns).unwrap();
        let families: Vec<u64> = (0..people as u64).collect::<Vec<_>>().repeat(dates);
        let outcomes = self.outcomes.repeat(dates);
        let params = AdditiveParams::default().refits(0);
        let (model, _) = fit(&params, &matrix, &[Direction::None; 6], &outcomes, None, &families).unwrap();
        model.terms().iter().filter(|term| term.on.len() == 2).map(|term| term.on.clone()).collect()
    }

    /// Twice the logarithm of the ratio of likelihoods with and without "both above zero", beside a step for each value of
    /// the first two counts: chi-squared with one degree of freedom where there is no pair.
    fn likelihood_ratio(&self) -> f64 {
        let count = |column: usize, row: usize| self.columns[column][row].value().unwrap() as usize;
        let side = Self::MOST + 1;
        let mut cells = vec![(0.0, 0.0); side * side];
        for (row, &outcome) in self.outcomes.iter().enumerate() {
            let cell = &mut cells[count(0, row) * side + count(1, row)];
            cell.0 += 1.0;
            cell.1 += f64::from(u8::from(outcome));
        }
        let size = 2 * Self::MOST + 2;
        let is_in = |cell: usize, place: usize| match place {
            0 => true,
            place if place <= Self::MOST => cell / side >= place,
            place if place <= 2 * Self::MOST => cell % side >= place - Self::MOST,
            _ => cell / side > 0 && cell % side >= 1,
        };
        let likelihood = |size: usize| {
            let mut steps = vec![0.0; size];
            let odds = |steps: &[f64], cell: usize| -> f64 {
                (0..size).filter(|&place| is_in(cell, place)).map(|place| steps[place]).sum()
            };
            for _ in 0..30 {
                let (mut matrix, mut slope) = (Banded::zero(size, size - 1), vec![0.0; size]);
                for (cell, &(cases, yes)) in cells.iter().enumerate() {
                    let chance = logistic(odds(&steps, cell));
                    for a in (0..size).filter(|&place| is_in(cell, place)) {
                        slope[a] += yes - cases * chance;
                        for b in (0..=a).filter(|&place| is_in(cell, place)) {
                            matrix.add(a, a - b, cases * chance * (1.0 - chance));
                        }
                    }
                }
                // A count that nobody has, or that tells all, has no step of its own.
                for place in 0..size {
                    matrix.add(place, 0, 1e-3);
                    slope[place] -= 1e-3 * steps[place];
                }
                matrix.factor().solve(&mut slope);
                steps.iter_mut().zip(slope).for_each(|(step, by)| *step += by);
            }
            let of = |(cell, &(cases, yes)): (usize, &(f64, f64))| {
                let odds = odds(&steps, cell);
                yes * odds - cases * (1.0 + odds.exp()).ln()
            };
            cells.iter().enumerate().map(of).sum::<f64>()
        };
        2.0 * (likelihood(size) - likelihood(size - 1))
    }
}

#[test]
fn a_pair_that_hides_in_its_features_own_terms_is_found() {
    let (mut found, mut others) = (0, 0);
    for seed in 0..20 {
        let counts = Counts::new(seed, 7_500, |a, b| {
            let both = if a > 0.0 && b > 0.0 { 0.35 } else { 0.0 };
            f64::min(0.03 + 0.04 * (a + b) + both, 0.95)
        });
        // Anyone who knew where to look would be sure at one in a thousand.
        assert!(counts.likelihood_ratio() > 10.83);
        let chosen = counts.chosen(1);
        let is_planted = |on: &&Vec<String>| on.contains(&"f0".to_owned()) && on.contains(&"f1".to_owned());
        found += usize::from(chosen.iter().any(|on| is_planted(&on)));
        others += chosen.iter().filter(|on| !is_planted(on)).count();
    }
    assert!(found >= 18 && others <= 1, "found in {found} of 20 data sets, with {others} others");
}

#[test]
fn counts_that_only_add_are_no_pair_however_many_dates() {
    for (people, dates) in [(3_000, 1), (1_500, 6)] {
        let with_pairs = (0..100).filter(|&seed| {
            let counts = Counts::new(seed, people, |a, b| logistic(-2.5 + 0.4 * (a + b)));
            !counts.chosen(dates).is_empty()
        });
        let with_pairs = with_pairs.count();
        assert!(with_pairs <= 5, "{dates} dates: pairs in {with_pairs} of 100 data sets");
    }
}

/// Numbers whose chances depend on sums, and, where there is a `size`, on products of two dozen pairs.
fn crowded(seed: u64, rows: usize, size: f64) -> (FeatureMatrix, Vec<bool>, Vec<f64>) {
    const FEATURES: usize = 16;
    let mut dice = Dice::new(seed);
    let signs: Vec<f64> = (0..24).map(|_| if dice.chance(0.5) { size } else { -size }).collect();
    let cells: Vec<Vec<f64>> = (0..FEATURES).map(|_| (0..rows).map(|_| dice.normal()).collect()).collect();
    let log_odds = |row: usize| {
        let at = |feature: usize| cells[feature % FEATURES][row];
        let together =
            signs.iter().enumerate().map(|(nth, size)| size * at(nth) * at(nth + 1 + nth / FEATURES));
        -1.0 + (0..4).map(|feature| 0.3 * at(feature)).sum::<f64>() + together.sum::<f64>()
    };
    let log_odds: Vec<f64> = (0..rows).map(log_odds).collect();
    let outcomes = log_odds.iter().map(|&log_odds| dice.chance(logistic(log_odds))).collect();
    let names = (0..FEATURES).map(|feature| format!("f{feature:02}")).collect();
    let values = |cells: &Vec<f64>| cells.iter().map(|&value| Cell::Value(value as f32)).collect();
    let cells: Vec<Vec<Cell>> = cells.iter().map(values).collect();
    (FeatureMatrix::from_cells(names, rows, &cells).unwrap(), outcomes, log_odds)
}

#[test]
fn pairs_that_each_say_little_are_taken_together_and_none_where_there_is_none() {
    let taken = |seed: u64, size: f64| -> (u32, f64) {
        let (matrix, outcomes, log_odds) = crowded(seed, 4_000, size);
        let families: Vec<u64> = (0..4_000).collect();
        let fitted = |pairs: u32| {
            let params = AdditiveParams::default().refits(0).pairs(pairs);
            fitted(&params, &matrix, &[Direction::None; 16], &outcomes, None, &families).unwrap()
        };
        // Squares of what is wrong with the log-odds, which are known.
        let wrong = |model: &crate::model::AdditiveModel| -> f64 {
            let explained = model.explain_all(&matrix).unwrap();
            let of = |(case, truth): (ndarray::ArrayView1<'_, f64>, &f64)| {
                (explained.intercept() + case.sum() - truth).powi(2)
            };
            explained.contributions().rows().into_iter().zip(&log_odds).map(of).sum()
        };
        let (with, without) = (fitted(30), fitted(0));
        let together = with.notes.iter().find_map(|note| match note {
            TrainingNote::PairsTogether { pairs } => Some(*pairs),
            _ => None,
        });
        let in_model = with.model.terms().iter().filter(|term| term.on.len() == 2).count();
        assert!(in_model <= 30 && in_model >= together.unwrap_or_default() as usize);
        (together.unwrap_or_default(), wrong(&with.model) / wrong(&without.model))
    };
    let planted: Vec<(u32, f64)> = (0..6).map(|seed| taken(seed, 0.12)).collect();
    assert!(planted.iter().all(|(pairs, _)| *pairs >= 5), "{planted:?}");
    assert!(planted.iter().all(|(_, wrong)| *wrong < 0.8), "{planted:?}");
    let nothing = (0..20).filter(|&seed| taken(100 + seed, 0.0).0 > 0).count();
    assert!(nothing <= 2, "pairs in {nothing} of 20 data sets");
}
