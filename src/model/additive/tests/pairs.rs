//! Which pairs are chosen.

use super::super::block::{Block, Kind};
use super::super::column::{Column, Working};
use super::super::pairs::rank;
use super::Planted::{Bend, Category, Count, Flag, Gaps, Noise, NoiseCount};
use super::{Dice, World, fit};
use crate::features::{Cell, Direction, FeatureMatrix};
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
    let features: Vec<(&Column, &[f64])> =
        columns.iter().zip(&information).map(|(c, i)| (c, &i[..])).collect();
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

/// The pairs chosen among counts that are mostly zero, where the risk is 3% and 4 points more a count of the
/// first two, and so much more where both are above zero.
fn chosen_of_counts(seed: u64, together: f64) -> Vec<Vec<String>> {
    let (rows, features) = (7_500, 6);
    let mut dice = Dice::new(seed);
    let mut columns = vec![Vec::new(); features];
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let mut counts = [0.0_f32; 6];
        for count in &mut counts {
            if dice.chance(0.15) {
                *count = 1.0;
                while *count < 8.0 && dice.chance(0.3) {
                    *count += 1.0;
                }
            }
        }
        let both = if counts[0] > 0.0 && counts[1] > 0.0 { together } else { 0.0 };
        outcomes.push(dice.chance((0.03 + 0.04 * f64::from(counts[0] + counts[1]) + both).min(0.95)));
        columns.iter_mut().zip(counts).for_each(|(column, count)| column.push(Cell::Value(count)));
    }
    let names = (0..features).map(|place| format!("f{place}")).collect();
    let matrix = FeatureMatrix::from_cells(names, rows, &columns).unwrap();
    let families: Vec<u64> = (0..rows as u64).collect();
    let params = AdditiveParams::default().refits(0);
    let directions = vec![Direction::None; features];
    let (model, _) = fit(&params, &matrix, &directions, &outcomes, None, &families).unwrap();
    let mut pairs: Vec<Vec<String>> =
        model.terms().iter().map(|term| term.on.clone()).filter(|on| on.len() == 2).collect();
    pairs.iter_mut().for_each(|on| on.sort());
    pairs
}

#[test]
fn a_pair_that_main_effects_hide_is_found() {
    let found: Vec<_> = (0..20).map(|seed| chosen_of_counts(seed, 0.35)).collect();
    let right = found.iter().filter(|pairs| pairs.contains(&vec!["f0".to_owned(), "f1".into()])).count();
    let wrong: usize = found.iter().flatten().filter(|on| **on != ["f0", "f1"]).count();
    assert!(right >= 18, "found in {right} of 20: {found:?}");
    assert!(wrong <= 1, "{found:?}");
}

#[test]
fn counts_that_only_add_are_no_pair() {
    // Added risks are all but added log-odds here: what departs from them is less than chance shows.
    let with_pairs = (0..40).filter(|&seed| !chosen_of_counts(100 + seed, 0.0).is_empty()).count();
    assert!(with_pairs <= 2, "pairs in {with_pairs} of 40 data sets");
}

#[test]
fn evidence_is_that_of_all_refitted() {
    // Two by two steps and two absences a side that nobody has. The joint model, written out: a step for
    // each row and column without a penalty, four cells with one; marginal likelihoods by hand.
    let kind = Kind::Grid { first: 4, second: 4 };
    let mut information = vec![0.0; 16];
    let mut sums = vec![0.0; 16];
    for (cell, weight, sum) in [(0, 40.0, -3.0), (1, 9.0, 2.0), (4, 7.0, 4.0), (5, 2.0, 5.0)] {
        (information[cell], sums[cell]) = (weight, sum);
    }
    // What rows and columns cannot say is one number: the difference of differences, which is
    // sum(s c / w) / sum(1 / w) with c = +1, -1, -1, +1, known with information 1 / sum(1 / w).
    let (over, seen) = [(40.0, -3.0, 1.0), (9.0, 2.0, -1.0), (7.0, 4.0, -1.0), (2.0, 5.0, 1.0)]
        .into_iter()
        .fold((0.0_f64, 0.0_f64), |(over, seen), (w, s, c): (f64, f64, f64)| {
            (over + 1.0 / w, seen + c * s / w)
        });
    let (evidence, rough) = Block::new(kind).evidence(&information, &sums);
    // Under the penalty the difference of differences has this variance: that of +1, -1, -1, +1 under the
    // inverse of the penalty's matrix (edges of weight 1 round a square, 1/16 on each cell), whose
    // eigenvalue there is 4 + 1/16.
    let best = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0]
        .into_iter()
        .map(|rough| {
            let prior = 4.0 / (rough * (4.0 + 1.0 / 16.0));
            let by_hand =
                0.5 * (seen * seen / over - seen * seen / (over + prior) - ((over + prior) / over).ln());
            (by_hand, rough)
        })
        .fold((f64::NEG_INFINITY, 0.0), |best, next| if next.0 > best.0 { next } else { best });
    assert!((evidence - best.0).abs() < 1e-4 && rough == best.1, "{evidence} {rough} {best:?}");
    // What rows and columns can say, however much, is no evidence.
    let added: Vec<f64> =
        (0..16).map(|cell| sums[cell] + information[cell] * (cell / 4 * 3 + cell % 4) as f64).collect();
    let (again, _) = Block::new(Kind::Grid { first: 4, second: 4 }).evidence(&information, &added);
    assert!((again - evidence).abs() < 1e-3, "{again} {evidence}");
}
