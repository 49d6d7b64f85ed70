//! The solver against scikit-learn, against the optimality conditions, and at its limits.

use std::collections::HashMap;
use std::ops::Range;

use ndarray::{Array2, ArrayViewMut1, ArrayViewMut2};
use serde::Deserialize;

use super::{Design, Limits, Penalty, Solution, SolverError, solve};

/// A design held as columns.
#[derive(Clone)]
pub(crate) struct Columns(pub(crate) Vec<Vec<f64>>, usize);

impl Columns {
    pub(crate) fn new(columns: Vec<Vec<f64>>) -> Self {
        let rows = columns[0].len();
        Self(columns, rows)
    }
}

impl Design for Columns {
    fn rows(&self) -> usize {
        self.1
    }

    fn columns(&self) -> usize {
        self.0.len()
    }

    fn write(&self, column: usize, rows: Range<usize>, mut out: ArrayViewMut1<'_, f64>) {
        out.as_slice_mut().expect("a column is contiguous").copy_from_slice(&self.0[column][rows]);
    }

    fn gather(&self, rows: &[usize], mut block: ArrayViewMut2<'_, f64>) {
        assert_eq!(block.dim(), (rows.len(), self.0.len()));
        for (column, mut out) in self.0.iter().zip(block.columns_mut()) {
            out.iter_mut().zip(rows).for_each(|(out, &row)| *out = column[row]);
        }
    }
}

/// `SplitMix64`, enough to draw test data.
struct Draws(u64);

impl Draws {
    /// Uniform on 0..1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, variance 1: near enough to normal.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// Correlated columns, and outcomes that depend on every third of them.
pub(crate) fn drawn(
    rows: usize,
    columns: usize,
    intercept: f64,
    seed: u64,
) -> (Columns, Vec<bool>, Vec<f64>) {
    let mut draws = Draws(seed);
    let mut design = vec![Vec::with_capacity(rows); columns];
    let (mut outcomes, mut weights) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (shared, mut eta) = (draws.bell(), intercept);
        for (index, column) in design.iter_mut().enumerate() {
            let value = 0.6 * shared + 0.8 * draws.bell();
            eta += [0.5, 0.0, -0.3][index % 3] * value / (1.0 + index as f64 / 8.0);
            column.push(value);
        }
        outcomes.push(draws.share() < 1.0 / (1.0 + (-eta).exp()));
        weights.push(if draws.share() < 0.1 { 0.0 } else { 0.1 + 3.0 * draws.share() });
    }
    (Columns(design, rows), outcomes, weights)
}

fn penalty(strength: f64, l1_ratio: f64) -> Penalty {
    Penalty { strength, l1_ratio }
}

fn fit(design: &Columns, outcomes: &[bool], penalty: Penalty) -> Result<Solution, SolverError> {
    solve(design, outcomes, None, penalty, Limits::default(), None)
}

/// The optimality conditions, written once more and plainly: row by row, no blocks, no shared code.
pub(super) fn violation(
    design: &Columns,
    outcomes: &[bool],
    weights: Option<&[f64]>,
    at: Penalty,
    found: &Solution,
) -> f64 {
    let total: f64 = weights.map_or(outcomes.len() as f64, |w| w.iter().sum());
    let mut gradient = vec![0.0; design.0.len() + 1];
    for (row, &outcome) in outcomes.iter().enumerate() {
        let eta = found.intercept
            + design.0.iter().zip(&found.coefficients).map(|(column, b)| column[row] * b).sum::<f64>();
        let pull = weights.map_or(1.0, |w| w[row]) / total
            * (1.0 / (1.0 + (-eta).exp()) - f64::from(u8::from(outcome)));
        gradient[0] += pull;
        for (slot, column) in gradient[1..].iter_mut().zip(&design.0) {
            *slot += pull * column[row];
        }
    }
    let lasso = at.strength * at.l1_ratio;
    let of_columns = gradient[1..].iter().zip(&found.coefficients).map(|(gradient, &b)| {
        let smooth = gradient + at.strength * (1.0 - at.l1_ratio) * b;
        if b == 0.0 { (smooth.abs() - lasso).max(0.0) } else { (smooth + lasso * b.signum()).abs() }
    });
    of_columns.fold(gradient[0].abs(), f64::max)
}

pub(super) fn assert_near(left: &Solution, right: &Solution, margin: f64) {
    assert!((left.intercept - right.intercept).abs() < margin, "{left:?}\n{right:?}");
    assert_eq!(left.coefficients.len(), right.coefficients.len());
    for (left_one, right_one) in left.coefficients.iter().zip(&right.coefficients) {
        assert!((left_one - right_one).abs() < margin, "{left:?}\n{right:?}");
    }
}

#[derive(Deserialize)]
struct Fixture {
    designs: HashMap<String, FixtureDesign>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct FixtureDesign {
    columns: Vec<Vec<f64>>,
    outcomes: Vec<u8>,
    weights: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    design: String,
    weighted: bool,
    strength: f64,
    l1_ratio: f64,
    intercept: f64,
    coefficients: Vec<f64>,
}

#[test]
fn agrees_with_scikit_learn() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("../../../tests/fixtures/logistic.json")).expect("a valid fixture");
    assert_eq!(fixture.cases.len(), 24);
    for case in &fixture.cases {
        let source = &fixture.designs[&case.design];
        let design = Columns::new(source.columns.clone());
        let outcomes: Vec<bool> = source.outcomes.iter().map(|&y| y == 1).collect();
        let weights = case.weighted.then_some(&source.weights[..]);
        let at = penalty(case.strength, case.l1_ratio);
        let found = solve(&design, &outcomes, weights, at, Limits::default(), None).expect("a fit");
        let truth = Solution {
            intercept: case.intercept,
            coefficients: case.coefficients.clone(),
            iterations: 0,
            optimality: 0.0,
        };
        assert_near(&found, &truth, 1e-6);
        for (found, truth) in found.coefficients.iter().zip(&truth.coefficients) {
            assert_eq!(*found == 0.0, *truth == 0.0, "the same coefficients are zero");
        }
        assert!(found.optimality <= 1e-9 && found.iterations <= 12, "{found:?}");
    }
}

#[test]
fn meets_the_optimality_conditions() {
    // 70 columns are more than two tiles of the Hessian, 5,003 rows a ragged last block.
    let (design, outcomes, weights) = drawn(5003, 70, -2.0, 1);
    for weights in [None, Some(&weights[..])] {
        for at in [penalty(0.0, 0.0), penalty(0.01, 0.0), penalty(0.01, 0.5), penalty(0.01, 1.0)] {
            let found = solve(&design, &outcomes, weights, at, Limits::default(), None).expect("a fit");
            let worst = violation(&design, &outcomes, weights, at, &found);
            assert!(worst < 1.1e-9, "{at:?}: {worst:e}");
            assert!((worst - found.optimality).abs() < 1e-12, "the violation reported is the true one");
            let zeros = found.coefficients.iter().filter(|b| **b == 0.0).count();
            assert_eq!(zeros > 0, at.l1_ratio > 0.0, "{at:?}: {zeros} zeros");
            assert!(found.iterations <= 12, "{found:?}");
        }
    }
}

#[test]
fn gives_the_same_bits_at_any_number_of_threads() {
    // 270,000 rows make groups of more than one block, 40 columns more than one tile.
    for (rows, columns) in [(270_000, 3), (12_000, 40)] {
        let (design, outcomes, weights) = drawn(rows, columns, -3.0, 2);
        for at in [penalty(1e-3, 0.0), penalty(3e-3, 0.5)] {
            let bits: Vec<Vec<u64>> = [1, 2, 8]
                .into_iter()
                .map(|threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                    let found = pool
                        .install(|| solve(&design, &outcomes, Some(&weights), at, Limits::default(), None))
                        .expect("a fit");
                    std::iter::once(found.intercept).chain(found.coefficients).map(f64::to_bits).collect()
                })
                .collect();
            assert_eq!(bits[0], bits[1]);
            assert_eq!(bits[0], bits[2]);
        }
    }
}

#[test]
fn permuting_columns_permutes_coefficients() {
    let (design, outcomes, _) = drawn(3000, 12, -1.0, 3);
    let order: Vec<usize> = (0..12).map(|index| (5 * index + 3) % 12).collect();
    let permuted = Columns::new(order.iter().map(|&index| design.0[index].clone()).collect());
    for at in [penalty(0.0, 0.0), penalty(0.01, 0.0), penalty(0.01, 0.7), penalty(0.01, 1.0)] {
        let plain = fit(&design, &outcomes, at).expect("a fit");
        let mut other = fit(&permuted, &outcomes, at).expect("a fit");
        let mut back = vec![f64::NAN; 12];
        order.iter().zip(&other.coefficients).for_each(|(&index, &b)| back[index] = b);
        other.coefficients = back;
        assert_near(&plain, &other, 1e-8);
    }
}

#[test]
fn the_positive_class_is_true_even_when_it_is_rare() {
    let (design, outcomes, _) = drawn(4000, 3, -3.5, 4);
    let share = outcomes.iter().filter(|y| **y).count() as f64 / 4000.0;
    assert!(share < 0.06);
    let rare = fit(&design, &outcomes, penalty(0.001, 0.3)).expect("a fit");
    assert!(rare.intercept < -2.5 && rare.coefficients[0] > 0.2);
    let swapped: Vec<bool> = outcomes.iter().map(|y| !y).collect();
    let mut common = fit(&design, &swapped, penalty(0.001, 0.3)).expect("a fit");
    common.intercept = -common.intercept;
    common.coefficients.iter_mut().for_each(|b| *b = -*b);
    assert_near(&rare, &common, 1e-8);
}

#[test]
fn a_weight_of_two_is_a_row_twice() {
    let (design, outcomes, _) = drawn(500, 4, 0.3, 5);
    let weights: Vec<f64> = (0..500).map(|row| f64::from(row % 3)).collect();
    let rows: Vec<usize> = (0..500).flat_map(|row| std::iter::repeat_n(row, row % 3)).collect();
    let repeated =
        Columns::new(design.0.iter().map(|column| rows.iter().map(|&r| column[r]).collect()).collect());
    let outcomes_repeated: Vec<bool> = rows.iter().map(|&row| outcomes[row]).collect();
    let at = penalty(0.01, 0.5);
    let weighted = solve(&design, &outcomes, Some(&weights), at, Limits::default(), None).expect("a fit");
    assert_near(&weighted, &fit(&repeated, &outcomes_repeated, at).expect("a fit"), 1e-8);
}

#[test]
fn separation_without_a_penalty_is_an_error() {
    let (mut design, outcomes, _) = drawn(2000, 3, -1.0, 6);
    let wholly = outcomes.iter().map(|&y| if y { 1.2 } else { -0.4 }).collect();
    let mut separated = design.clone();
    separated.0[1] = wholly;
    // In part: a rare mark that only ever goes with `false`. Its coefficient has no lower limit, while the
    // loss of the other rows keeps the objective well above zero.
    design.0[2] =
        outcomes.iter().enumerate().map(|(row, y)| f64::from(u8::from(!y && row % 40 == 0))).collect();
    for design in [&separated, &design] {
        assert_eq!(fit(design, &outcomes, penalty(0.0, 0.0)), Err(SolverError::Separated));
        for at in [penalty(1e-3, 0.0), penalty(1e-3, 1.0), penalty(1e-7, 0.0)] {
            let found = fit(design, &outcomes, at).expect("a penalty makes the minimum finite");
            assert!(violation(design, &outcomes, None, at, &found) < 1.1e-9);
        }
    }
    // Nor does a loose tolerance let it through.
    let loose = Limits { tolerance: 1e-3, ..Limits::default() };
    assert_eq!(solve(&design, &outcomes, None, penalty(0.0, 0.0), loose, None), Err(SolverError::Separated));
}

#[test]
fn one_class_is_an_error() {
    let (design, outcomes, _) = drawn(100, 2, 0.0, 7);
    for outcome in [true, false] {
        let error = SolverError::OneClass { outcome };
        assert_eq!(fit(&design, &[outcome; 100], penalty(0.1, 0.0)), Err(error.clone()));
        let only: Vec<f64> = outcomes.iter().map(|&y| f64::from(u8::from(y == outcome))).collect();
        let found = solve(&design, &outcomes, Some(&only), penalty(0.1, 0.0), Limits::default(), None);
        assert_eq!(found, Err(error));
    }
    let found = solve(&design, &outcomes, Some(&[0.0; 100]), penalty(0.1, 0.0), Limits::default(), None);
    assert_eq!(found, Err(SolverError::NoWeight));
}

#[test]
fn a_value_that_is_not_finite_is_an_error_with_its_first_position() {
    let (design, outcomes, _) = drawn(20_000, 5, 0.0, 8);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut design = design.clone();
        for (row, column) in [(19_999, 0), (15_001, 4), (15_001, 3), (16_000, 1)] {
            design.0[column][row] = bad;
        }
        let error = fit(&design, &outcomes, penalty(0.1, 0.5)).expect_err("no fit");
        assert_eq!(error, SolverError::NonFinite { row: 15_001, column: 3 });
        assert_eq!(error.to_string(), "row 15001, column 3 of the design is not a finite number");
    }
    let mut huge = design;
    huge.0[2][77] = 1e200;
    assert_eq!(fit(&huge, &outcomes, penalty(0.1, 0.0)), Err(SolverError::TooLarge { column: 2 }));
}

#[test]
fn collinear_columns_need_a_penalty() {
    let (mut design, outcomes, _) = drawn(2000, 4, 0.0, 9);
    design.0[3] = (0..2000).map(|row| design.0[0][row] - 2.0 * design.0[1][row]).collect();
    assert_eq!(fit(&design, &outcomes, penalty(0.0, 0.0)), Err(SolverError::Collinear { column: 3 }));
    for at in [penalty(1e-4, 0.0), penalty(1e-4, 0.5), penalty(1e-3, 1.0)] {
        let found = fit(&design, &outcomes, at).expect("a fit");
        assert!(violation(&design, &outcomes, None, at, &found) < 1.1e-9);
    }
    let twins = Columns::new(vec![design.0[0].clone(), design.0[0].clone()]);
    let found = fit(&twins, &outcomes, penalty(0.01, 0.0)).expect("a fit");
    assert!((found.coefficients[0] - found.coefficients[1]).abs() < 1e-9, "ridge shares it out evenly");
    // A constant that is not zero is collinear with the intercept.
    design.0[3] = vec![1.0; 2000];
    assert_eq!(fit(&design, &outcomes, penalty(0.0, 0.0)), Err(SolverError::Collinear { column: 3 }));
}

#[test]
fn a_column_of_zeros_has_coefficient_zero() {
    let (mut design, outcomes, _) = drawn(800, 3, 0.0, 10);
    design.0[1] = vec![0.0; 800];
    let without = Columns::new(vec![design.0[0].clone(), design.0[2].clone()]);
    for at in [penalty(0.0, 0.0), penalty(0.01, 0.0), penalty(0.01, 0.5)] {
        let start =
            Solution { intercept: 0.1, coefficients: vec![0.1, 0.1, -0.1], iterations: 0, optimality: 0.0 };
        for start in [None, Some(&start)] {
            let mut found = solve(&design, &outcomes, None, at, Limits::default(), start).expect("a fit");
            assert_eq!(found.coefficients.remove(1).to_bits(), 0.0_f64.to_bits());
            assert_near(&found, &fit(&without, &outcomes, at).expect("a fit"), 1e-7);
        }
    }
}

#[test]
fn a_start_changes_the_way_and_not_the_end() {
    let (design, outcomes, _) = drawn(4000, 10, -2.0, 11);
    for l1_ratio in [0.0, 0.8] {
        let at = penalty(0.005, l1_ratio);
        let cold = fit(&design, &outcomes, at).expect("a fit");
        let near = fit(&design, &outcomes, penalty(0.006, l1_ratio)).expect("a fit");
        let far = Solution { intercept: 40.0, coefficients: vec![-9.0; 10], ..near.clone() };
        let nowhere = Solution { coefficients: vec![f64::NAN; 10], ..near.clone() };
        for start in [&near, &far, &nowhere, &cold] {
            let warm = solve(&design, &outcomes, None, at, Limits::default(), Some(start)).expect("a fit");
            assert_near(&warm, &cold, 1e-7);
            if start == &near {
                assert!(warm.iterations < cold.iterations);
            }
        }
        let again = solve(&design, &outcomes, None, at, Limits::default(), Some(&cold)).expect("a fit");
        assert_eq!(again.iterations, 0, "a solution is its own solution");
        let short = Solution { coefficients: vec![0.0; 9], ..cold };
        let refused = solve(&design, &outcomes, None, at, Limits::default(), Some(&short));
        assert_eq!(refused, Err(SolverError::Length { what: "start", expected: 10, found: 9 }));
    }
}

#[test]
fn no_columns_or_a_heavy_lasso_leave_the_base_rate() {
    let (design, outcomes, _) = drawn(1000, 3, -1.0, 12);
    let odds =
        outcomes.iter().filter(|y| **y).count() as f64 / outcomes.iter().filter(|y| !**y).count() as f64;
    let none = fit(&Columns(Vec::new(), 1000), &outcomes, penalty(0.0, 0.0)).expect("a fit");
    assert!((none.intercept - odds.ln()).abs() < 1e-9 && none.coefficients.is_empty());
    let heavy = fit(&design, &outcomes, penalty(10.0, 1.0)).expect("a fit");
    assert!((heavy.intercept - odds.ln()).abs() < 1e-9);
    assert_eq!(heavy.coefficients, [0.0; 3]);
}

#[test]
fn an_unfinished_fit_is_an_error_that_says_what_to_do() {
    let (design, outcomes, _) = drawn(1000, 3, -2.0, 13);
    let limits = Limits { max_iterations: 1, ..Limits::default() };
    for l1_ratio in [0.0, 0.5] {
        let error =
            solve(&design, &outcomes, None, penalty(0.001, l1_ratio), limits, None).expect_err("no fit");
        assert!(matches!(error, SolverError::NotConverged { iterations: 1, .. }), "{error:?}");
        assert!(error.to_string().contains("raise the penalty strength, allow more iterations"));
    }
}

#[test]
fn inputs_out_of_range_are_refused() {
    let (design, outcomes, weights) = drawn(50, 2, 0.0, 14);
    for at in [penalty(-1.0, 0.5), penalty(f64::NAN, 0.5), penalty(1.0, 1.1), penalty(1.0, f64::NAN)] {
        assert!(matches!(fit(&design, &outcomes, at), Err(SolverError::Setting { .. })));
    }
    for (max_iterations, tolerance) in [(0, 1e-9), (10, 0.0), (10, f64::INFINITY), (10, f64::NAN)] {
        let limits = Limits { max_iterations, tolerance };
        let found = solve(&design, &outcomes, None, penalty(0.1, 0.0), limits, None);
        assert!(matches!(found, Err(SolverError::Setting { .. })));
    }
    let with = |outcomes: &[bool], weights: &[f64]| {
        solve(&design, outcomes, Some(weights), penalty(0.1, 0.0), Limits::default(), None)
    };
    let length = |what, found| Err(SolverError::Length { what, expected: 50, found });
    assert_eq!(with(&outcomes[1..], &weights), length("outcomes", 49));
    assert_eq!(with(&outcomes, &weights[2..]), length("weights", 48));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let mut weights = weights.clone();
        weights[30] = bad;
        assert_eq!(with(&outcomes, &weights), Err(SolverError::Weight { row: 30 }));
    }
    assert_eq!(with(&outcomes, &[f64::MAX; 50]), Err(SolverError::WeightsTooLarge));
    let empty = Columns::new(vec![Vec::new()]);
    assert_eq!(fit(&empty, &[], penalty(0.1, 0.0)), Err(SolverError::NoRows));
}

#[test]
fn coordinate_descent_copes_with_columns_that_are_nearly_the_same() {
    // Steps of one quantity: neighbouring columns correlate to 0.97 and more.
    let (base, outcomes, _) = drawn(3000, 1, -1.0, 15);
    let step = |edge: i32| base.0[0].iter().map(move |x| f64::from(u8::from(*x > 0.05 * f64::from(edge))));
    let design = Columns::new((-20..20).map(|edge| step(edge).collect()).collect());
    for at in [penalty(1e-4, 1.0), penalty(1e-5, 0.5)] {
        let found = fit(&design, &outcomes, at).expect("a fit");
        assert!(violation(&design, &outcomes, None, at, &found) < 1.1e-9);
        assert!(found.iterations <= 15, "{found:?}");
    }
}

#[test]
fn cholesky_solves_and_finds_the_singular_column() {
    let matrix = ndarray::arr2(&[[4.0, 2.0, 0.0], [2.0, 5.0, 1.0], [0.0, 1.0, 3.0]]);
    let x = ndarray::arr1(&[1.0, -2.0, 0.5]);
    let Ok(factor) = super::Cholesky::new(&matrix) else { panic!("the matrix is positive definite") };
    let solved = factor.solve(matrix.dot(&x));
    assert!((solved - x).iter().all(|gap| gap.abs() < 1e-14));
    let singular: Array2<f64> = ndarray::arr2(&[[1.0, 1.0, 1.0], [1.0, 2.0, 3.0], [1.0, 3.0, 5.0]]);
    assert_eq!(super::Cholesky::new(&singular).err().map(|error| error.0), Some(2));
}
