//! Several outcomes at once against each alone, the careful solver being the reference.

use super::tests::{Columns, drawn, violation};
use super::{Fitted, Limits, Penalty, Solution, SolverError, solve, solve_each};

/// What proxies ask for, and what single precision may add to it.
const LIMITS: Limits = Limits { max_iterations: 100, tolerance: 1e-7 };
const ALLOWED: f64 = 1e-7 + 3e-8;

/// A random design with outcomes of every kind: as drawn, rare, common, of a dozen rows, all but told by the columns.
fn council(rows: usize, columns: usize, seed: u64) -> (Columns, Vec<Vec<bool>>, Vec<f64>) {
    let (design, outcomes, weights) = drawn(rows, columns, -1.0, seed);
    let by = |of: &dyn Fn(usize) -> bool| (0..rows).map(of).collect::<Vec<bool>>();
    let column = |nth: usize| &design.0[nth];
    let of = vec![
        by(&|row| column(1)[row] + 0.4 * column(0)[row] > 2.5),
        by(&|row| !outcomes[row]),
        by(&|row| row % (rows / 12) == 5),
        by(&|row| column(0)[row] > 0.3),
        by(&|row| column(0)[row] + column(1)[row] - 0.5 * column(2)[row] > 1.0 || row % 97 == 3),
        by(&|row| column(2)[row].abs() < 0.4),
        outcomes.clone(),
    ];
    (design, of, weights)
}

fn fit_each(
    design: &Columns,
    outcomes: &[Vec<bool>],
    weights: Option<&[f64]>,
    strength: f64,
    near: &[Option<Fitted>],
) -> Vec<Result<Fitted, SolverError>> {
    let outcomes: Vec<&[bool]> = outcomes.iter().map(Vec::as_slice).collect();
    solve_each(design, (&outcomes, weights), (strength, LIMITS), near).expect("inputs that fit together")
}

/// The log-odds of every row.
fn log_odds(design: &Columns, at: &Solution) -> Vec<f64> {
    let of =
        |row: usize| design.0.iter().zip(&at.coefficients).map(|(column, by)| column[row] * by).sum::<f64>();
    (0..design.0[0].len()).map(|row| at.intercept + of(row)).collect()
}

/// Asserts that each fit is the one that the careful solver finds alone: optimal by plain sums, and its log-odds those of
/// the other to a thousandth of their spread, which is more than what tolerances as wide as these allow to either.
fn assert_as_alone(design: &Columns, outcomes: &[Vec<bool>], weights: Option<&[f64]>, strength: f64) {
    let at = Penalty { strength, l1_ratio: 0.0 };
    for (nth, (found, outcomes)) in
        fit_each(design, outcomes, weights, strength, &[]).iter().zip(outcomes).enumerate()
    {
        let found = &found.as_ref().expect("a fit").solution;
        let worst = violation(design, outcomes, weights, at, found);
        assert!(worst < ALLOWED, "outcome {nth}: {worst:e}");
        let alone = solve(design, outcomes, weights, at, Limits::default(), None).expect("a fit");
        let (found, alone) = (log_odds(design, found), log_odds(design, &alone));
        let mean = alone.iter().sum::<f64>() / alone.len() as f64;
        let spread =
            (alone.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / alone.len() as f64).sqrt();
        let widest = found.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(widest < 1e-3 * spread.max(1.0), "outcome {nth}: {widest:e} of {spread}");
    }
}

#[test]
fn each_fit_is_the_one_that_is_found_alone() {
    let (design, outcomes, weights) = council(5003, 20, 31);
    for weights in [None, Some(&weights[..])] {
        for strength in [1.0 / 5003.0, 1e-2] {
            assert_as_alone(&design, &outcomes, weights, strength);
        }
    }
}

#[test]
fn so_is_each_of_a_design_that_is_degenerate() {
    let (mut design, mut outcomes, weights) = council(3000, 8, 32);
    design.0[3] = vec![0.0; 3000];
    design.0[4] = vec![1.0; 3000];
    design.0[5] = (0..3000).map(|row| design.0[0][row] - 2.0 * design.0[1][row]).collect();
    design.0[6] = design.0[7].clone();
    // Wholly separated, and in part: a rare mark that only ever goes with `true`.
    outcomes.push(design.0[7].iter().map(|&value| value > 0.0).collect());
    design.0[2] = (0..3000).map(|row| f64::from(u8::from(outcomes[6][row] && row % 40 == 0))).collect();
    for weights in [None, Some(&weights[..])] {
        assert_as_alone(&design, &outcomes, weights, 1.0 / 3000.0);
    }
    let found = fit_each(&design, &outcomes, None, 1.0 / 3000.0, &[]);
    assert!(
        found.iter().all(|fit| fit.as_ref().unwrap().solution.coefficients[3] == 0.0),
        "a column of zeros"
    );
}

#[test]
fn gives_the_same_bits_at_any_number_of_threads_and_in_any_company() {
    let (design, outcomes, weights) = council(20_000, 15, 33);
    let bits = |found: &Result<Fitted, SolverError>| -> Vec<u64> {
        let Solution { intercept, coefficients, .. } = &found.as_ref().expect("a fit").solution;
        std::iter::once(intercept).chain(coefficients).map(|value| value.to_bits()).collect()
    };
    let run = |threads: usize| -> Vec<Vec<u64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let fits = pool.install(|| fit_each(&design, &outcomes, Some(&weights), 5e-5, &[]));
        fits.iter().map(bits).collect()
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(8));
    let alone = fit_each(&design, &outcomes[3..4], Some(&weights), 5e-5, &[]);
    assert_eq!(one[3], bits(&alone[0]));
}

#[test]
fn a_fit_of_nearly_the_same_rows_saves_passes_and_one_of_other_columns_is_left_aside() {
    let (design, outcomes, weights) = council(6000, 12, 34);
    let strength = 1.0 / 6000.0;
    let cold = fit_each(&design, &outcomes, None, strength, &[]);
    // Four fifths of the rows.
    let fold: Vec<f64> = (0..6000).map(|row| f64::from(u8::from(row % 5 != 2))).collect();
    let near: Vec<Option<Fitted>> = cold.iter().map(|fit| fit.clone().ok()).collect();
    let warm = fit_each(&design, &outcomes, Some(&fold), strength, &near);
    let anew = fit_each(&design, &outcomes, Some(&fold), strength, &[]);
    let passes = |fits: &[Result<Fitted, SolverError>]| -> u32 {
        fits.iter().map(|fit| fit.as_ref().unwrap().solution.iterations).sum()
    };
    assert!(passes(&warm) < passes(&anew), "{} {}", passes(&warm), passes(&anew));
    let at = Penalty { strength, l1_ratio: 0.0 };
    for (warm, outcomes) in warm.iter().zip(&outcomes) {
        let worst = violation(&design, outcomes, Some(&fold), at, &warm.as_ref().unwrap().solution);
        assert!(worst < ALLOWED, "{worst:e}");
    }
    let narrow = Columns::new(design.0[..9].to_vec());
    let found = fit_each(&narrow, &outcomes, Some(&weights), strength, &near);
    let plain = fit_each(&narrow, &outcomes, Some(&weights), strength, &[]);
    for (found, plain) in found.iter().zip(&plain) {
        assert_eq!(found.as_ref().unwrap().solution, plain.as_ref().unwrap().solution);
    }
}

/// A mark on a dozen rows, six times over as absences of one source are, is next to flat where none of these rows is
/// `true`, and a wall as soon as one is: the curvature of the fit near by is then far too small.
#[test]
fn a_rare_mark_that_turns_out_otherwise_is_found_from_near_by() {
    let (mut design, outcomes, _) = drawn(20_000, 12, -4.0, 37);
    let (rare, deviation) = (|row: usize| row % 1_600 == 9, (13.0 / 20_000.0_f64).sqrt());
    let mark: Vec<f64> = (0..20_000).map(|row| f64::from(u8::from(rare(row))) / deviation).collect();
    design.0[6..].fill(mark);
    let outcomes: Vec<bool> =
        (0..20_000).map(|row| if rare(row) { row == 9 } else { outcomes[row] }).collect();
    let without: Vec<f64> = (0..20_000).map(|row| f64::from(u8::from(row >= 4_000))).collect();
    let with: Vec<f64> = (0..20_000).map(|row| f64::from(u8::from(row < 16_000))).collect();
    let at = Penalty { strength: 1.0 / 20_000.0, l1_ratio: 0.0 };
    let outcomes = [outcomes];
    let near = fit_each(&design, &outcomes, Some(&without), at.strength, &[]).remove(0).ok();
    let found = fit_each(&design, &outcomes, Some(&with), at.strength, &[near]).remove(0).unwrap().solution;
    let worst = violation(&design, &outcomes[0], Some(&with), at, &found);
    assert!(worst < ALLOWED, "{worst:e}");
}

#[test]
fn an_outcome_that_cannot_be_fitted_stops_no_other() {
    let (design, mut outcomes, weights) = council(2000, 4, 35);
    let whole = fit_each(&design, &outcomes, None, 1e-3, &[]);
    outcomes[1] = vec![true; 2000];
    let found = fit_each(&design, &outcomes, None, 1e-3, &[]);
    assert_eq!(found[1].as_ref().err(), Some(&SolverError::OneClass { outcome: true }));
    for nth in [0, 2, 3, 4, 5, 6] {
        assert_eq!(found[nth].as_ref().unwrap().solution, whole[nth].as_ref().unwrap().solution);
    }
    // What is about all stops all.
    let outcomes: Vec<&[bool]> = outcomes.iter().map(Vec::as_slice).collect();
    let refused = |outcomes: &[&[bool]], weights: &[f64], strength: f64| {
        solve_each(&design, (outcomes, Some(weights)), (strength, LIMITS), &[]).err()
    };
    assert!(matches!(
        refused(&outcomes, &weights[1..], 1e-3),
        Some(SolverError::Length { what: "weights", .. })
    ));
    assert!(matches!(refused(&[&outcomes[0][1..]], &weights, 1e-3), Some(SolverError::Length { .. })));
    for strength in [0.0, -1.0] {
        assert!(matches!(refused(&outcomes, &weights, strength), Some(SolverError::Setting { .. })));
    }
    assert_eq!(refused(&outcomes, &[0.0; 2000], 1e-3), Some(SolverError::NoWeight));
    let mut bad = design.clone();
    bad.0[2][77] = f64::NAN;
    let error = solve_each(&bad, (&outcomes, None), (1e-3, LIMITS), &[]).err();
    assert_eq!(error, Some(SolverError::NonFinite { row: 77, column: 2 }));
    assert!(fit_each(&design, &[], None, 1e-3, &[]).is_empty());
}

#[test]
fn what_single_precision_cannot_settle_is_left_to_the_careful_solver() {
    let (design, outcomes, _) = council(2000, 6, 36);
    let each: Vec<&[bool]> = outcomes.iter().map(Vec::as_slice).collect();
    let fine = solve_each(&design, (&each, None), (1e-3, Limits::default()), &[]).expect("fits");
    for (found, outcomes) in fine.iter().zip(&outcomes) {
        let at = Penalty { strength: 1e-3, l1_ratio: 0.0 };
        let worst = violation(&design, outcomes, None, at, &found.as_ref().unwrap().solution);
        assert!(worst < 1.1e-9, "{worst:e}");
    }
}
