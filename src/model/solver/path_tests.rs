//! The path against glmnet and scikit-learn, against the optimality conditions, and at its limits.

use serde::Deserialize;

use super::tests::{Columns, drawn, violation};
use super::{Limits, Path, Penalty, Roles, Solution, SolverError, Traced, solve, trace};

#[derive(Deserialize)]
struct Fixture {
    columns: Vec<Vec<f64>>,
    outcomes: Vec<u8>,
    folds: Vec<usize>,
    count: usize,
    smallest: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    l1_ratio: f64,
    place: usize,
    strength: f64,
    sklearn: Vec<f64>,
    glmnet: Vec<f64>,
    fold_losses: Vec<f64>,
}

/// The fit of all rows and one for each fold.
pub(super) fn roles(folds: usize) -> Vec<Roles> {
    let all = Roles { learns: vec![true; folds], checks: vec![false; folds] };
    let of_fold = |own: usize| Roles {
        learns: (0..folds).map(|fold| fold != own).collect(),
        checks: (0..folds).map(|fold| fold == own).collect(),
    };
    std::iter::once(all).chain((0..folds).map(of_fold)).collect()
}

fn solution(point: &[f64]) -> Solution {
    Solution { intercept: point[0], coefficients: point[1..].to_vec(), iterations: 0, optimality: 0.0 }
}

/// The largest violation that a path may leave at a strength, rounding of single precision included.
fn allowed(path: Path, strength: f64) -> f64 {
    (0.02 * strength * path.l1_ratio.max(1e-3)).min(2e-5) + 2e-8
}

/// Asserts the optimality conditions of every fit at every strength, with the plain sums of `violation`.
pub(super) fn assert_optimal(
    (design, outcomes, weights): (&Columns, &[bool], Option<&[f64]>),
    parts: &[usize],
    roles: &[Roles],
    path: Path,
    traced: &Traced,
) {
    assert_eq!(traced.tracks.len(), roles.len());
    for (track, roles) in traced.tracks.iter().zip(roles) {
        assert_eq!(track.points.len(), traced.strengths.len());
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let learnt: Vec<f64> =
            (0..outcomes.len()).map(|row| if roles.learns[parts[row]] { weight(row) } else { 0.0 }).collect();
        for (&strength, point) in traced.strengths.iter().zip(&track.points) {
            let at = Penalty { strength, l1_ratio: path.l1_ratio };
            let found = violation(design, outcomes, Some(&learnt), at, &solution(point));
            assert!(found <= allowed(path, strength), "{strength}: {found}");
        }
    }
}

#[test]
fn agrees_with_glmnet_and_scikit_learn_along_a_path() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("../../../tests/fixtures/path.json")).expect("the fixture reads");
    let design = Columns::new(fixture.columns);
    let outcomes: Vec<bool> = fixture.outcomes.iter().map(|&outcome| outcome == 1).collect();
    assert_eq!(fixture.cases.len(), 15);
    for l1_ratio in [1.0, 0.5, 0.0] {
        let path = Path { count: fixture.count, smallest: fixture.smallest, l1_ratio };
        let traced = trace(&design, &outcomes, None, &fixture.folds, &roles(5), path).expect("follows");
        for case in fixture.cases.iter().filter(|case| (case.l1_ratio - l1_ratio).abs() < 1e-9) {
            let strength = traced.strengths[case.place];
            assert!((strength / case.strength - 1.0).abs() < 1e-7, "{strength} {}", case.strength);
            let penalty = Penalty { strength: case.strength, l1_ratio };
            let start = solution(&traced.tracks[0].points[case.place]);
            let found =
                solve(&design, &outcomes, None, penalty, Limits::default(), Some(&start)).expect("fits");
            for truth in [&case.sklearn, &case.glmnet] {
                assert_eq!(truth.len(), 8);
                assert!((found.intercept - truth[0]).abs() < 1e-6, "{l1_ratio} {strength}");
                for (found, truth) in found.coefficients.iter().zip(&truth[1..]) {
                    assert!((found - truth).abs() < 1e-6, "{l1_ratio} {strength}: {found} {truth}");
                }
            }
            for (track, &loss) in traced.tracks[1..].iter().zip(&case.fold_losses) {
                let found = track.check_losses[case.place];
                assert!((found - loss).abs() < 2e-5, "{l1_ratio} {strength}: {found} {loss}");
            }
        }
    }
}

#[test]
fn every_fit_is_optimal_at_every_strength() {
    let (design, outcomes, weights) = drawn(1200, 30, -1.0, 11);
    for (folds, l1_ratio) in [(5, 0.5), (9, 1.0), (2, 0.05), (3, 0.0)] {
        let parts: Vec<usize> = (0..1200).map(|row| row * 7 % 97 % folds).collect();
        let path = Path { count: 40, smallest: 1e-4, l1_ratio };
        for weights in [None, Some(weights.as_slice())] {
            let traced = trace(&design, &outcomes, weights, &parts, &roles(folds), path).expect("follows");
            assert!(traced.strengths.windows(2).all(|pair| pair[1] < pair[0]));
            assert_optimal((&design, &outcomes, weights), &parts, &roles(folds), path, &traced);
        }
    }
}

#[test]
fn the_first_strength_leaves_nothing_and_the_second_something() {
    let (design, outcomes, _) = drawn(3000, 12, -2.0, 5);
    let path = Path { count: 30, smallest: 1e-3, l1_ratio: 1.0 };
    let traced = trace(&design, &outcomes, None, &vec![0; 3000], &roles(1)[..1], path).expect("follows");
    let points = &traced.tracks[0].points;
    assert!(points[0][1..].iter().all(|&coefficient| coefficient == 0.0));
    assert!(points[1][1..].iter().any(|&coefficient| coefficient != 0.0));
    let share = traced.strengths[1] / traced.strengths[0];
    assert!((share - 1e-3_f64.powf(1.0 / 29.0)).abs() < 1e-12);
}

/// Hard cases: columns that separate the outcomes, twins, a column of zeros, one that is constant in a fold.
#[test]
fn separation_and_twin_columns_are_followed_to_the_end() {
    let (mut design, outcomes, _) = drawn(240, 5, 0.0, 3);
    let parts: Vec<usize> = (0..240).map(|row| row % 3).collect();
    let twin = design.0[0].clone();
    design.0.push(twin);
    design.0.push(vec![0.0; 240]);
    design.0.push((0..240).map(|row| if parts[row] == 1 && row % 7 == 0 { 3.0 } else { -0.2 }).collect());
    design.0.push((0..240).map(|row| if outcomes[row] { 1.0 } else { -1.0 }).collect());
    for l1_ratio in [1.0, 0.5, 0.0] {
        let path = Path { count: 60, smallest: 1e-4, l1_ratio };
        let traced = trace(&design, &outcomes, None, &parts, &roles(3), path).expect("follows");
        assert_optimal((&design, &outcomes, None), &parts, &roles(3), path, &traced);
        let last = traced.tracks[0].losses.last().copied().unwrap_or(f64::NAN);
        assert!(last < 0.2, "the separating column is found: {last}");
    }
}

#[test]
fn a_path_without_any_relation_ends_early() {
    let (design, _, _) = drawn(2000, 3, 0.0, 1);
    // Outcomes that alternate within every pair of rows: nothing to learn.
    let design = Columns::new(
        design.0.iter().map(|column| (0..2000).map(|row| column[row / 2 * 2]).collect()).collect(),
    );
    let outcomes: Vec<bool> = (0..2000).map(|row| row % 2 == 0).collect();
    let path = Path { count: 100, smallest: 1e-4, l1_ratio: 1.0 };
    let traced = trace(&design, &outcomes, None, &vec![0; 2000], &roles(1)[..1], path).expect("follows");
    assert!(traced.strengths.len() < 10, "{}", traced.strengths.len());
}

#[test]
fn the_bits_are_the_same_at_any_number_of_threads() {
    let (design, outcomes, weights) = drawn(5000, 20, -2.0, 8);
    let parts: Vec<usize> = (0..5000).map(|row| row * 13 % 101 % 5).collect();
    let path = Path { count: 30, smallest: 1e-3, l1_ratio: 0.5 };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| trace(&design, &outcomes, Some(&weights), &parts, &roles(5), path)).expect("follows")
    };
    let one = with(1);
    for threads in [2, 8] {
        let other = with(threads);
        assert_eq!(one.strengths, other.strengths);
        for (left, right) in one.tracks.iter().zip(&other.tracks) {
            assert_eq!(left.points, right.points);
            assert_eq!(left.losses, right.losses);
        }
    }
}

#[test]
fn a_weight_of_two_is_a_row_twice_and_one_of_zero_is_none() {
    let (design, outcomes, _) = drawn(600, 6, -0.5, 21);
    let parts: Vec<usize> = (0..600).map(|row| row % 3).collect();
    let weights: Vec<f64> = (0..600).map(|row| f64::from(row as u32 / 3 % 3)).collect();
    let again: Vec<usize> = (0..600).flat_map(|row| vec![row; weights[row] as usize]).collect();
    let take = |column: &Vec<f64>| again.iter().map(|&row| column[row]).collect();
    let repeated = Columns::new(design.0.iter().map(take).collect());
    let path = Path { count: 20, smallest: 1e-2, l1_ratio: 0.5 };
    let weighted = trace(&design, &outcomes, Some(&weights), &parts, &roles(3), path).expect("follows");
    let outcomes: Vec<bool> = again.iter().map(|&row| outcomes[row]).collect();
    let parts: Vec<usize> = again.iter().map(|&row| parts[row]).collect();
    let plain = trace(&repeated, &outcomes, None, &parts, &roles(3), path).expect("follows");
    assert_eq!(weighted.strengths.len(), plain.strengths.len());
    for (left, right) in weighted.tracks.iter().zip(&plain.tracks) {
        assert!((left.check_weight - right.check_weight).abs() < 1e-9);
        for (left, right) in left.check_losses.iter().zip(&right.check_losses).skip(1) {
            assert!((left - right).abs() < 1e-5 || left.is_nan() && right.is_nan(), "{left} {right}");
        }
    }
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let (design, outcomes, _) = drawn(90, 2, 0.0, 2);
    let parts: Vec<usize> = (0..90).map(|row| row % 2).collect();
    let path = Path { count: 10, smallest: 0.01, l1_ratio: 1.0 };
    let run = |path: Path, outcomes: &[bool], design: &Columns| {
        trace(design, outcomes, None, &parts, &roles(2), path).map(|_| ())
    };
    assert_eq!(run(path, &outcomes, &design), Ok(()));
    for wrong in [
        Path { count: 1, ..path },
        Path { smallest: 0.0, ..path },
        Path { smallest: 1.0, ..path },
        Path { l1_ratio: 1.5, ..path },
    ] {
        assert!(matches!(run(wrong, &outcomes, &design), Err(SolverError::Setting { .. })), "{wrong:?}");
    }
    // Part 0 has only one outcome, so the fit that leaves out part 1 has nothing to tell apart.
    let one_sided: Vec<bool> = (0..90).map(|row| row % 2 == 1 && outcomes[row]).collect();
    assert_eq!(run(path, &one_sided, &design), Err(SolverError::OneClass { outcome: false }));
    let mut broken = design.clone();
    broken.0[1][7] = f64::NAN;
    assert_eq!(run(path, &outcomes, &broken), Err(SolverError::NonFinite { row: 7, column: 1 }));
}
