//! Sparse columns against the same columns in full, and against plain sums.

use ndarray::Array1;

use super::super::design::StandardisedDesign;
use super::super::form::Scale;
use super::passes::{Rows, Want};
use super::path_tests::{assert_optimal, roles};
use super::sparse::Layout;
use super::sparse_rows::SparseRows;
use super::tests::{Columns, assert_near, drawn, violation};
use super::{Design, Limits, Objective, Path, Penalty, Search, Solution, SolverError, solve, trace};
use crate::features::{Cell, FeatureMatrix};

const COLUMNS: usize = 160;

/// Standardised marks of shares from a half to a few rows, some on several, twins, counts, a column of zeros, one that
/// goes with `true` alone, and, last, four in full.
fn wide(rows: usize, seed: u64) -> (Columns, Vec<bool>, Vec<f64>) {
    let (drawn, outcomes, weights) = drawn(rows, COLUMNS, -1.0, seed);
    let mut columns = drawn.0;
    for (nth, column) in columns.iter_mut().enumerate().take(COLUMNS - 4) {
        let edge = nth as f64 / 60.0;
        for (row, value) in column.iter_mut().enumerate() {
            let over: f64 = (*value - edge).max(0.0);
            *value = match nth {
                3 => 0.0,
                5 => f64::from(u8::from(outcomes[row] && row % 20 == 0)),
                40..60 => (2.0 * over).ceil(),
                _ => f64::from(u8::from(over > 0.0)),
            };
        }
    }
    columns[7] = columns[6].clone();
    for column in &mut columns {
        let mean = column.iter().sum::<f64>() / rows as f64;
        let square = column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows as f64;
        column.iter_mut().filter(|_| square > 0.0).for_each(|value| *value = (*value - mean) / square.sqrt());
    }
    let design = Columns::new(columns);
    let layout = Layout::of(&design);
    assert_eq!(layout.dense, (COLUMNS - 4..COLUMNS).collect::<Vec<_>>());
    (design, outcomes, weights)
}

/// The same with every column in full.
fn solve_in_full(
    design: &Columns,
    outcomes: &[bool],
    weights: Option<&[f64]>,
    at: Penalty,
) -> Result<Solution, SolverError> {
    let rows = Rows::new(design, outcomes, weights)?;
    let (ridge, lasso) = (at.strength * (1.0 - at.l1_ratio), at.strength * at.l1_ratio);
    Search::begin(Objective { rows, ridge, lasso }, Limits::default(), None)?.run()
}

fn penalty(strength: f64, l1_ratio: f64) -> Penalty {
    Penalty { strength, l1_ratio }
}

#[test]
fn sums_over_entries_are_those_over_all_rows() {
    let (design, outcomes, weights) = wide(1500, 41);
    let sparse = SparseRows::of(&design).expect("columns that are sparse");
    let full = Rows::new(&design, &outcomes, Some(&weights)).expect("rows");
    let near =
        |left: f64, right: f64| assert!((left - right).abs() < 1e-12 * (1.0 + right.abs()), "{left} {right}");
    let point: Array1<f64> = (0..=COLUMNS).map(|index| ((index * 37 % 19) as f64 - 9.0) / 60.0).collect();
    let found = full.sparse_pass(&sparse, &point);
    let truth = full.pass(&point, Want::Hessian).expect("finite");
    near(found.loss, truth.loss);
    found.gradient.iter().zip(&truth.gradient).for_each(|(found, truth)| near(*found, *truth));
    let product = full.times(&sparse, &found.curvatures, &point);
    product.iter().zip(truth.hessian.dot(&point)).for_each(|(found, truth)| near(*found, truth));
    let moments = full.moments(&sparse, &found.curvatures);
    moments.values.iter().zip(truth.hessian.row(0)).for_each(|(found, truth)| near(*found, *truth));
    moments.squares.iter().zip(truth.hessian.diag()).for_each(|(found, truth)| near(*found, *truth));
    for wanted in [0..=COLUMNS, 40..=70, 150..=160] {
        let all: Vec<usize> = std::iter::once(0).chain(wanted.filter(|&index| index > 0)).collect();
        let set = super::products::ordered(&sparse.layout, &all);
        assert_eq!((set.len(), set[0]), (all.len(), 0));
        let hessian = full.hessian(&sparse, &found.curvatures, &set);
        for ((row, column), &value) in hessian.indexed_iter() {
            near(value, truth.hessian[[set[row], set[column]]]);
        }
    }
}

#[test]
fn finds_the_minimum_that_columns_in_full_have() {
    let (design, outcomes, weights) = wide(3000, 42);
    for weights in [None, Some(&weights[..])] {
        for at in [
            penalty(1.0 / 3000.0, 0.0),
            penalty(0.05, 0.0),
            penalty(1e-3, 0.5),
            penalty(2e-4, 1.0),
            penalty(0.02, 1.0),
        ] {
            let found = solve(&design, &outcomes, weights, at, Limits::default(), None).expect("a fit");
            let worst = violation(&design, &outcomes, weights, at, &found);
            assert!(worst < 1.1e-9, "{at:?}: {worst:e}");
            assert_eq!(found.coefficients[3].to_bits(), 0.0_f64.to_bits(), "a column of zeros");
            let in_full = solve_in_full(&design, &outcomes, weights, at).expect("a fit");
            if at.l1_ratio < 1.0 {
                assert_near(&found, &in_full, 1e-5);
                assert!((found.coefficients[6] - found.coefficients[7]).abs() < 1e-5, "twins share alike");
            }
            let near = Solution { intercept: 0.1, coefficients: vec![0.1; COLUMNS], ..found.clone() };
            for start in [&in_full, &near] {
                let again = solve(&design, &outcomes, weights, at, Limits::default(), Some(start));
                let worst = violation(&design, &outcomes, weights, at, &again.expect("a fit"));
                assert!(worst < 1.1e-9, "{at:?}: {worst:e}");
            }
        }
    }
}

/// Steps of one quantity: neighbouring columns correlate to 0.97 and more, which conjugate gradients crawl over.
#[test]
fn columns_that_are_nearly_the_same_end_with_the_matrix() {
    let (base, outcomes, _) = drawn(4000, 1, -1.0, 43);
    let step = |edge: i32| base.0[0].iter().map(move |x| f64::from(u8::from(*x > 0.015 * f64::from(edge))));
    let design = Columns::new((0..160).map(|edge| step(edge).collect()).collect());
    assert!(Layout::of(&design).is_sparse());
    for at in [penalty(1e-7, 0.0), penalty(1e-4, 0.0), penalty(1e-4, 1.0), penalty(1e-5, 0.5)] {
        let found = solve(&design, &outcomes, None, at, Limits::default(), None).expect("a fit");
        assert!(violation(&design, &outcomes, None, at, &found) < 1.1e-9);
        let in_full = solve_in_full(&design, &outcomes, None, at).expect("a fit");
        let loss = |at: &Solution| (at.intercept, at.coefficients.iter().sum::<f64>());
        let (found, in_full) = (loss(&found), loss(&in_full));
        assert!(
            (found.0 - in_full.0).abs() < 1e-3 && (found.1 - in_full.1).abs() < 1e-2,
            "{found:?} {in_full:?}"
        );
    }
}

#[test]
fn without_a_penalty_it_is_found_or_refused_as_in_full() {
    let (mut design, outcomes, _) = wide(6000, 44);
    let none = penalty(0.0, 0.0);
    let fit = |design: &Columns| solve(design, &outcomes, None, none, Limits::default(), None);
    // Twins and a column that goes with one outcome alone.
    assert!(matches!(fit(&design), Err(SolverError::Collinear { .. } | SolverError::Separated)));
    design.0[7] = design.0[150].iter().zip(&design.0[8]).map(|(left, right)| left * right).collect();
    assert_eq!(fit(&design), Err(SolverError::Separated));
    let kept = design.0.iter().enumerate().filter(|(nth, _)| ![3, 5, 7].contains(nth));
    let design = Columns::new(kept.map(|(_, column)| column.clone()).collect());
    assert!(Layout::of(&design).is_sparse());
    let found = fit(&design).expect("a fit");
    assert_near(&found, &solve_in_full(&design, &outcomes, None, none).expect("a fit"), 1e-5);
}

#[test]
fn a_path_is_optimal_at_every_strength() {
    let (design, outcomes, weights) = wide(1200, 45);
    let parts: Vec<usize> = (0..1200).map(|row| row * 7 % 97 % 3).collect();
    for l1_ratio in [1.0, 0.5, 0.0] {
        let path = Path { count: 25, smallest: 1e-2, l1_ratio };
        for weights in [None, Some(&weights[..])] {
            let traced = trace(&design, &outcomes, weights, &parts, &roles(3), path).expect("follows");
            assert!(traced.strengths.len() > 10);
            assert_optimal((&design, &outcomes, weights), &parts, &roles(3), path, &traced);
        }
    }
}

#[test]
fn the_bits_are_the_same_at_any_number_of_threads() {
    let (design, outcomes, weights) = wide(2500, 46);
    let parts: Vec<usize> = (0..2500).map(|row| row * 13 % 101 % 3).collect();
    let path = Path { count: 15, smallest: 1e-2, l1_ratio: 0.5 };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let fit = |at| solve(&design, &outcomes, Some(&weights), at, Limits::default(), None).expect("a fit");
        pool.install(|| {
            let traced = trace(&design, &outcomes, Some(&weights), &parts, &roles(3), path).expect("follows");
            let points: Vec<_> = traced.tracks.into_iter().map(|track| track.points).collect();
            let fits = [penalty(4e-4, 0.0), penalty(1e-3, 0.5), penalty(1e-3, 1.0)].map(fit);
            (traced.strengths, points, fits.map(|fit| fit.point().mapv(f64::to_bits)))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

/// What the linear trainer makes of 0/1 features with missing and not covered cells, and a constant.
#[test]
fn a_matrix_with_absences_is_fitted_as_its_columns_in_full() {
    let (drawn, outcomes, weights) = drawn(2000, 90, -1.0, 47);
    let cells = |(nth, column): (usize, &Vec<f64>)| -> Vec<Cell> {
        let cell = |(row, &value): (usize, &f64)| match (row * (nth + 3) + row * row) % 23 {
            0 if nth % 2 == 0 => Cell::Missing,
            1 if nth % 3 == 0 => Cell::NotCovered,
            _ if nth == 10 => Cell::Value(4.0),
            _ => Cell::Value(f32::from(u8::from(value > 1.6))),
        };
        column.iter().enumerate().map(cell).collect()
    };
    let names = (0..90).map(|nth| format!("f{nth}")).collect();
    let columns: Vec<Vec<Cell>> = drawn.0.iter().enumerate().map(cells).collect();
    let matrix = FeatureMatrix::from_cells(names, 2000, &columns).expect("a matrix");
    let scales = [Scale::Linear; 90];
    for weights in [None, Some(&weights[..])] {
        let design = StandardisedDesign::new(&matrix, (&scales, &[]), weights, None);
        assert!(Layout::of(&design).is_sparse());
        let mut in_full = ndarray::Array2::zeros((design.columns(), 2000));
        design.fill(0..2000, in_full.view_mut().reversed_axes());
        let in_full = Columns::new(in_full.rows().into_iter().map(|column| column.to_vec()).collect());
        for at in [penalty(1.0 / 2000.0, 0.0), penalty(2e-3, 0.5)] {
            let found = solve(&design, &outcomes, weights, at, Limits::default(), None).expect("a fit");
            assert_near(&found, &solve_in_full(&in_full, &outcomes, weights, at).expect("a fit"), 1e-6);
            assert!(violation(&in_full, &outcomes, weights, at, &found) < 1.1e-9);
        }
    }
}

#[test]
fn narrow_designs_and_dense_ones_are_kept_in_full() {
    let (design, ..) = wide(600, 48);
    assert!(!Layout::of(&Columns::new(design.0[..60].to_vec())).is_sparse());
    let (dense, ..) = drawn(600, COLUMNS, 0.0, 49);
    assert!(!Layout::of(&dense).is_sparse());
    let mut broken = design.clone();
    broken.0[9][17] = f64::INFINITY;
    assert!(!Layout::of(&broken).is_sparse());
    let outcomes: Vec<bool> = (0..600).map(|row| row % 3 == 0).collect();
    let refused = solve(&broken, &outcomes, None, penalty(0.1, 0.0), Limits::default(), None);
    assert_eq!(refused, Err(SolverError::NonFinite { row: 17, column: 9 }));
}
