//! The area, differences of means and their standard errors: by hand, against the family bootstrap, and by
//! how often their intervals hold the truth.

use super::super::separation::{Levels, Separation, mean_difference};
use super::uniform;
use crate::evaluate::ranking::RankedRows;
use crate::stats::{Bootstrap, Clusters, Z};

/// Rows of families of three that resemble one another, with a group at `share`.
fn families_of_three(seed: u64, families: usize, share: f64, shift: f64) -> (Vec<f64>, Vec<bool>, Clusters) {
    let rows = 3 * families;
    let normal = |key: u64| (0..12).map(|nth| uniform(seed, key * 12 + nth)).sum::<f64>() - 6.0;
    let member: Vec<bool> = (0..rows).map(|row| uniform(seed ^ 0xABCD, (row / 3) as u64) < share).collect();
    let values = (0..rows)
        .map(|row| {
            let own = normal(1_000_000 + row as u64) + normal(2_000_000 + (row / 3) as u64);
            own + if member[row] { shift } else { 0.0 }
        })
        .collect();
    let codes: Vec<u32> = (0..rows as u32).map(|row| row / 3).collect();
    (values, member, Clusters::new(&codes))
}

fn of_scores(scores: &[f64], members: &[bool], clusters: &Clusters) -> Option<Separation> {
    Separation::of(&Levels::of_scores(scores), members, clusters)
}

fn half_width(separation: &Separation) -> f64 {
    let interval = separation.estimate().interval;
    (interval.high - interval.low) / 2.0
}

#[test]
fn cases_are_compared_within_their_stratum_only() {
    // First stratum: a member above one other and tied with one: 1.5 of 2. Second: below one: 0 of 1.
    let levels = Levels { of_row: vec![1, 0, 1, 2, 3], in_stratum: vec![2, 2] };
    let members = [true, false, false, true, false];
    let found = Separation::of(&levels, &members, &Clusters::new(&[1, 2, 3, 4, 5])).unwrap();
    assert!((found.auc - 0.5).abs() < 1e-15);
    assert_eq!(found.estimate().n, 5);
    // Strata with members alone say nothing, and are not counted.
    let levels = Levels { of_row: vec![1, 0, 1, 2, 2], in_stratum: vec![2, 1] };
    let members = [true, false, false, true, true];
    let found = Separation::of(&levels, &members, &Clusters::new(&[1, 2, 3, 4, 5])).unwrap();
    assert!((found.auc - 0.75).abs() < 1e-15);
    assert_eq!(found.estimate().n, 3);
    assert!(Separation::of(&levels, &[true; 5], &Clusters::new(&[1, 2, 3, 4, 5])).is_none());
    assert!(Separation::of(&levels, &members, &Clusters::new(&[1; 5])).is_none());
}

#[test]
fn standard_errors_are_those_of_the_family_bootstrap() {
    let (values, members, clusters) = families_of_three(5, 400, 0.4, 0.8);
    let ranked = RankedRows::new(&values, &members, &clusters.index);
    let bootstrap = Bootstrap { resamples: 2_000, seed: 1 };
    let spread = |drawn: &[f64]| {
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        (drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / drawn.len() as f64).sqrt()
    };
    let areas = bootstrap.over(clusters.count, |times| ranked.areas(times).unwrap().auc);
    let ours = half_width(&of_scores(&values, &members, &clusters).unwrap()) / Z;
    let theirs = spread(&areas);
    assert!((ours / theirs - 1.0).abs() < 0.08, "{ours} {theirs}");

    let means = bootstrap.over(clusters.count, |times| {
        let mut sums = [[0.0; 2]; 2];
        for ((value, &member), &cluster) in values.iter().zip(&members).zip(&clusters.index) {
            let weight = f64::from(times[cluster as usize]);
            sums[usize::from(member)][0] += weight * value;
            sums[usize::from(member)][1] += weight;
        }
        sums[1][0] / sums[1][1] - sums[0][0] / sums[0][1]
    });
    let (_, ours) = mean_difference(&values, &members, &clusters).unwrap();
    let theirs = spread(&means);
    assert!((ours / theirs - 1.0).abs() < 0.08, "{ours} {theirs}");
    // Taking siblings for strangers would be far too sure.
    let strangers: Vec<u32> = (0..values.len() as u32).collect();
    let (_, alone) = mean_difference(&values, &members, &Clusters::new(&strangers)).unwrap();
    assert!(alone < 0.8 * ours, "{alone} {ours}");
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    // A group of about 20, 60 and 400 of 1,200 people; the truth is a shift of one over a spread of 2: P(Z < 1 / 2).
    let truth = 0.691_462;
    for share in [20.0 / 1_200.0, 0.05, 1.0 / 3.0] {
        let (mut areas, mut means, mut runs) = (0, 0, 0);
        for seed in 0..600 {
            let (values, members, clusters) = families_of_three(1_000 + seed, 400, share, 1.0);
            let Some(found) = of_scores(&values, &members, &clusters) else { continue };
            runs += 1;
            let interval = found.estimate().interval;
            areas += usize::from(interval.low <= truth && truth <= interval.high);
            let (value, error) = mean_difference(&values, &members, &clusters).unwrap();
            means += usize::from((value - 1.0).abs() <= Z * error);
        }
        for (what, held) in [("area", areas), ("mean", means)] {
            let held = f64::from(held as u32) / f64::from(runs);
            println!("{what} at share {share:.3}: {held:.3} of {runs}");
            assert!((0.92..0.985).contains(&held), "{what} at share {share}: {held}");
        }
    }
}

#[test]
fn a_small_group_without_a_rare_record_is_not_called_different() {
    // One person in twelve has a record; twelve families of one, none with a record, are the group.
    let values: Vec<f64> = (0..1_212).map(|row| if row >= 12 && row % 12 == 0 { 1.0 } else { 0.0 }).collect();
    let members: Vec<bool> = (0..1_212).map(|row| row < 12).collect();
    let clusters = Clusters::new(&(0..1_212).collect::<Vec<u32>>());
    let (value, error) = mean_difference(&values, &members, &clusters).unwrap();
    assert!(value < -0.08 && value + Z * error > 0.05, "{value} {error}");
    let interval = of_scores(&values, &members, &clusters).unwrap().estimate().interval;
    assert!(interval.low < 0.5 && interval.high > 0.5);
}
