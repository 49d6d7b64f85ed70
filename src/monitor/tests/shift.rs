//! The index and the test against numpy and scipy, and in simulations.

use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::super::bins::sortable;
use super::*;
use crate::features::Cell;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    training: Vec<Written>,
    now: Vec<Written>,
    psi: f64,
    psi_plain: Option<f64>,
    by_chance: f64,
    training_shares: Vec<f64>,
    now_shares: Vec<f64>,
    distance: f64,
    p_value: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Value(f64),
    NotCovered(String),
    Missing(()),
}

impl Written {
    fn number(&self) -> f64 {
        match self {
            Self::Value(value) => *value,
            Self::NotCovered(text) => {
                assert_eq!(text, "not covered");
                sortable(Cell::NotCovered)
            }
            Self::Missing(()) => sortable(Cell::Missing),
        }
    }
}

fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} is not {theirs}");
}

fn judged(column: &[f64], families: &[u32], training: usize, limit: f64) -> Shift {
    let mut shift = Shift::of(column, &Panel::new(families, training), limit, 7);
    Shift::judge(&mut [&mut shift]);
    shift
}

fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

#[test]
fn codes_are_compared_one_by_one_and_named() {
    // The last of thirty codes, rare in training, becomes common at the cost of the one before it: in tenths of the
    // values they would be one bin, in which nothing moved.
    let n = 3_000;
    let code = |row: usize, last: usize| match row % 30 {
        29 => {
            if row / 30 % 10 < last {
                29.0
            } else {
                28.0
            }
        }
        other => other.min(28) as f64,
    };
    let column: Vec<f64> = (0..n).map(|row| code(row, 1)).chain((0..n).map(|row| code(row, 9))).collect();
    let families: Vec<u32> = (0..2 * n as u32).collect();
    let panel = Panel::new(&families, n);
    let codes: Vec<String> = (0..30).map(|code| format!("place {code}")).collect();
    let shift = Shift::of_codes(&column, &panel, 0.25, 7, &codes);
    let bin = |name: &str| shift.bins.iter().find(|bin| bin.holds == name).unwrap();
    assert_eq!(shift.bins.len(), 30);
    let place = bin("place 29");
    assert!(place.training.is_some_and(|share| share < 0.01) && place.now.is_some_and(|share| share > 0.02));
    assert!(shift.psi > 2.0 * Shift::of(&column, &panel, 0.25, 7).psi.max(0.01));
    let mut new = column.clone();
    new[2 * n - 1] = 30.0;
    let shift = Shift::of_codes(&new, &panel, 0.25, 7, &codes);
    assert!(shift.bins.iter().any(|bin| bin.holds == crate::features::NEW_CODE));
}

#[test]
fn index_and_distance_agree_with_numpy_and_scipy() {
    let text = include_str!("../../../tests/fixtures/monitor.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    assert_eq!(fixture.cases.len(), 9);
    for case in fixture.cases {
        let column: Vec<f64> = case.training.iter().chain(&case.now).map(Written::number).collect();
        let alone: Vec<u32> = (0..column.len() as u32).collect();
        let found = judged(&column, &alone, case.training.len(), 0.25);
        close(found.psi, case.psi, 1e-12, &case.name);
        close(found.distance, case.distance, 1e-12, &case.name);
        assert_eq!(found.bins.len(), case.training_shares.len(), "{}", case.name);
        for ((bin, then), now) in found.bins.iter().zip(&case.training_shares).zip(&case.now_shares) {
            for (told, is, all, cases) in [
                (bin.training, *then, &case.training_shares, case.training.len()),
                (bin.now, *now, &case.now_shares, case.now.len()),
            ] {
                let is_few = |share: &f64| *share > 0.0 && share * (cases as f64) < 9.5;
                match told {
                    Some(share) => close(share, is, 1e-12, &case.name),
                    // Held back for its own sake, or for that of another.
                    None => assert!(all.iter().any(is_few), "{}", case.name),
                }
                assert!(told.is_none() || !is_few(&is), "{}", case.name);
            }
        }
        if let Some(plain) = case.psi_plain {
            // One case more in each sample moves it by little, and the less the larger the samples.
            let [then, now] = [case.training.len(), case.now.len()].map(|n| 1.0 / n as f64);
            close(found.psi, plain, 3.0 * (then + now) * plain, &case.name);
        }
        if case.psi < 0.05 {
            // By family, and every row a family: the textbook's expectation but for luck.
            close(found.psi_by_chance, case.by_chance, 0.1 * case.by_chance, &case.name);
        }
        // Both p-values are drawn, each with its error; and ours is the limit of large samples.
        let p = case.p_value;
        let drawn = 4.0 * (p * (1.0 - p) * (1.0 / 19_999.0 + 1.0 / 9_999.0)).sqrt();
        let few = 3.0 / case.training.len().min(case.now.len()) as f64;
        close(found.p_value.unwrap(), p, drawn + few, &case.name);
        let interval = found.distance_interval.unwrap();
        assert!(interval.low <= case.distance && case.distance <= interval.high, "{}", case.name);
        assert_eq!(interval.low > 0.0, found.p_value.unwrap() < 0.05, "{}", case.name);
    }
}

#[test]
fn what_moved_is_beyond_and_what_did_not_is_within() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let n = 4_000;
    let families: Vec<u32> = (0..n).map(|row| row / 2).collect();
    let still: Vec<f64> = (0..n).map(|_| normal(&mut random)).collect();
    let moved: Vec<f64> =
        still.iter().zip(0..n).map(|(v, row)| v + f64::from(u8::from(row >= 3_000))).collect();
    assert_eq!(judged(&still, &families, 3_000, 0.1).verdict, Verdict::Within);
    let found = judged(&moved, &families, 3_000, 0.25);
    assert_eq!(found.verdict, Verdict::Beyond);
    // Two normals one apart: the index, not in bins, is 1; in ten bins a little less.
    assert!((0.7..1.0).contains(&found.psi), "{}", found.psi);
    assert!(found.p_value.unwrap() < 0.001);
    // A constant that becomes another, and one that stays.
    let stays = vec![3.0; n as usize];
    let found = judged(&stays, &families, 3_000, 0.25);
    assert_eq!((found.psi, found.distance, found.verdict), (0.0, 0.0, Verdict::Within));
    assert_eq!(found.p_value, Some(1.0));
    let changes: Vec<f64> = (0..n).map(|row| if row < 3_000 { 3.0 } else { 4.0 }).collect();
    assert_eq!(judged(&changes, &families, 3_000, 0.25).verdict, Verdict::Beyond);
    // No value at all, then and now; and values that stopped.
    let absent = vec![sortable(Cell::Missing); n as usize];
    assert_eq!(judged(&absent, &families, 3_000, 0.25).verdict, Verdict::Within);
    let stopped: Vec<f64> = still
        .iter()
        .zip(0..n)
        .map(|(&value, row)| if row < 3_000 { value } else { sortable(Cell::NotCovered) })
        .collect();
    let found = judged(&stopped, &families, 3_000, 0.25);
    assert_eq!((found.verdict, found.distance), (Verdict::Beyond, 1.0));
    assert_eq!(found.bins[0].holds, "not covered");
}

#[test]
fn tiny_cohorts_cannot_be_told() {
    let column: Vec<f64> = (0..40).map(|row| f64::from(row % 7)).collect();
    let alone: Vec<u32> = (0..40).collect();
    let found = judged(&column, &alone, 35, 0.25);
    assert_eq!((found.verdict, found.interval, found.p_value), (Verdict::CannotTell, None, None));
    assert!(found.psi_by_chance > 0.5);
    // Forty rows now, in one family.
    let rows: Vec<f64> = (0..140).map(|row| f64::from(row % 7)).collect();
    let families: Vec<u32> = (0..140).map(|row| row.min(100)).collect();
    assert_eq!(judged(&rows, &families, 100, 0.25).verdict, Verdict::CannotTell);
    assert_eq!(judged(&[1.0], &[0], 1, 0.25).verdict, Verdict::CannotTell);
}

/// Families of one to six rows, in training and now, that share most of their values.
fn made(seed: u64, families: u32) -> (Vec<f64>, Vec<u32>, usize) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rows: Vec<(bool, f64, u32)> = Vec::new();
    for family in 0..families {
        let common = normal(&mut random);
        // Each family is in one of the two samples only: half of the same data.
        let now = uniform(&mut random) < 0.4;
        for _ in 0..=random.next_u64() % 6 {
            rows.push((now, 0.9 * common + 0.4 * normal(&mut random), family));
        }
    }
    rows.sort_by_key(|row| row.0);
    let training = rows.iter().filter(|row| !row.0).count();
    (rows.iter().map(|row| row.1).collect(), rows.iter().map(|row| row.2).collect(), training)
}

#[test]
fn two_halves_of_the_same_families_raise_no_alarm_beyond_the_stated_rate() {
    let (mut alarms, mut by_family, mut by_row, mut indices) = (0, 0, 0, 0.0);
    let runs = 300;
    for seed in 0..runs {
        let (column, families, training) = made(seed, 250);
        let panel = Panel::new(&families, training);
        let mut shift = Shift::of(&column, &panel, 0.1, seed);
        by_family += u32::from(shift.p_value.unwrap() < 0.05);
        indices += (shift.psi - shift.psi_by_chance) / f64::from(runs as u32);
        Shift::judge(&mut [&mut shift]);
        alarms += u32::from(shift.verdict == Verdict::Beyond);
        let alone: Vec<u32> = (0..column.len() as u32).collect();
        by_row +=
            u32::from(Shift::of(&column, &Panel::new(&alone, training), 0.1, seed).p_value.unwrap() < 0.05);
    }
    // 5% of 300 is 15, give or take 3.8; three times that is allowed.
    assert!((4..=27).contains(&by_family), "{by_family} of {runs}");
    // Taking the rows of a family for independent finds drift where there is none.
    assert!(by_row > 90, "{by_row} of {runs}");
    // An alarm asks for more than a small p.
    assert!(alarms <= by_family && alarms <= 6, "{alarms} of {runs}");
    // What chance adds is taken off: nothing is left on average.
    assert!(indices.abs() < 0.01, "{indices}");
}

#[test]
fn the_interval_of_the_index_holds_the_index_as_often_as_it_says() {
    // Two normals half a standard deviation apart, in ten bins: the index of the whole population.
    let truth = {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(77);
        let n = 400_000;
        let column: Vec<f64> =
            (0..n).map(|row| normal(&mut random) + if row < n / 2 { 0.0 } else { 0.5 }).collect();
        let alone: Vec<u32> = (0..n as u32).collect();
        Shift::of(&column, &Panel::new(&alone, n / 2), 0.25, 0).psi
    };
    let mut held = 0;
    let runs = 300;
    for seed in 0..runs {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(5_000 + seed);
        let (training, n) = (900, 1_400);
        let column: Vec<f64> =
            (0..n).map(|row| normal(&mut random) + if row < training { 0.0 } else { 0.5 }).collect();
        let panel = Panel::new(&(0..n as u32).collect::<Vec<_>>(), training);
        let found = Shift::of(&column, &panel, 0.25, seed).interval.unwrap();
        held += u32::from(found.low <= truth && truth <= found.high);
    }
    // 95% of 300 is 285, give or take 3.8.
    assert!((272..=297).contains(&held), "{held} of {runs}, truth {truth}");
}

#[test]
fn the_order_of_rows_and_the_numbers_of_families_do_not_matter() {
    let (column, families, training) = made(3, 200);
    let first = judged(&column, &families, training, 0.25);
    let n = column.len();
    let order: Vec<usize> = (0..training).rev().chain((training..n).rev()).collect();
    let turned: Vec<f64> = order.iter().map(|&row| column[row]).collect();
    let same: Vec<u32> = order.iter().map(|&row| families[row]).collect();
    assert_eq!(judged(&turned, &same, training, 0.25), first);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| judged(&column, &families, training, 0.25)), first);
    }
}

#[test]
fn holm_as_in_its_paper() {
    let found = holm(&[Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)]);
    let right = [Some(0.03), None, Some(0.06), Some(0.06), Some(0.02)];
    for (ours, right) in found.iter().zip(right) {
        assert_eq!(ours.is_some(), right.is_some());
        if let Some((ours, right)) = ours.zip(right) {
            close(ours, right, 1e-12, "holm");
        }
    }
}

#[test]
fn chances_too_small_to_draw_are_told_apart() {
    let column: Vec<f64> =
        (0..3_000).map(|row| f64::from(u8::from(row >= 2_000)) + f64::from(row % 10)).collect();
    let alone: Vec<u32> = (0..3_000).collect();
    let found = judged(&column, &alone, 2_000, 0.25);
    assert!(found.p_value.unwrap() < 1e-4, "{:?}", found.p_value);
}
