//! Which pairs are chosen.

use super::super::column::{Column, Working};
use super::super::pairs::rank;
use super::Planted::{Bend, Category, Count, Flag, Gaps, Noise, NoiseCount};
use super::{Dice, World};

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
