//! The logistic trainer held against linfa's own, and datasets as linfa and polars see them.

use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, LogisticParams};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use polars::prelude::DataType;

use crate::world::{self, Dice};

/// Columns of mean 0 and deviation 1 and an outcome that `true` and `false` share about evenly.
fn standardised(rows: usize, features: usize, seed: u64) -> (Array2<f64>, Array1<bool>) {
    let mut dice = Dice::new(seed);
    let mut x = Array2::from_shape_simple_fn((rows, features), || dice.normal());
    for mut column in x.columns_mut() {
        let mean = column.mean().unwrap();
        let deviation = column.std(0.0);
        // The trainer keeps cells in single precision; both trainers shall see the same numbers.
        column.mapv_inplace(|value| f64::from(((value - mean) / deviation) as f32));
    }
    let y = x
        .rows()
        .into_iter()
        .map(|row| {
            let log_odds: f64 =
                row.iter().enumerate().map(|(nth, value)| value * [1.0, -0.7, 0.4, 0.0][nth % 4]).sum();
            dice.chance(1.0 / (1.0 + (-log_odds).exp()))
        })
        .collect();
    (x, y)
}

fn matrix_of(x: &Array2<f64>, names: &[String]) -> FeatureMatrix {
    let columns: Vec<Vec<Cell>> = x
        .columns()
        .into_iter()
        .map(|column| column.iter().map(|&value| Cell::Value(value as f32)).collect())
        .collect();
    FeatureMatrix::from_cells(names.to_vec(), x.nrows(), &columns).unwrap()
}

/// linfa minimises the *sum* of the losses plus `alpha / 2` times the sum of squares; this crate minimises
/// their *mean* plus `strength / 2` times the sum of squares. So `strength = alpha / rows`.
#[test]
fn the_trainers_agree_where_both_say_the_same() {
    for (seed, alpha) in [(1, 1.0), (2, 25.0), (3, 400.0)] {
        let (x, y) = standardised(1500, 4, seed);
        let rows = x.nrows() as f64;
        let data = DatasetBase::new(x.clone(), y.clone()).with_feature_names(vec!["a", "b", "c", "d"]);
        let ours: AdditiveModel = LogisticParams::default().strength(alpha / rows).fit(&data).unwrap();
        let theirs = LogisticRegression::default()
            .alpha(alpha)
            .gradient_tolerance(1e-8)
            .max_iterations(1000)
            .fit(&data)
            .unwrap();
        // Whichever outcome is commoner counts as linfa's positive class.
        let sign = if theirs.labels().pos.class { 1.0 } else { -1.0 };
        let expected = (x.dot(theirs.params()) + theirs.intercept()) * sign;
        let found = world::sums(&ours, &matrix_of(&x, ours.features()));
        let worst = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-3, "alpha {alpha}: log-odds differ by up to {worst}");
        // They have something to agree on.
        let spread = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(spread > 0.5, "alpha {alpha}: the highest log-odds are {spread}");
    }
}

/// A rarer `true` does not turn the score round.
#[test]
fn the_positive_outcome_is_true_however_rare() {
    let (x, _) = standardised(1000, 1, 9);
    for (share, rare) in [(0.1, true), (0.9, false)] {
        let mut order: Vec<usize> = (0..1000).collect();
        order.sort_by(|&a, &b| x[[b, 0]].total_cmp(&x[[a, 0]]));
        let mut y = Array1::from_elem(1000, false);
        // The highest are `true`, with one in eight swapped so that the classes overlap.
        for (place, &row) in order.iter().enumerate() {
            y[row] = ((place as f64) < share * 1000.0) != (place % 8 == 0);
        }
        let data = DatasetBase::new(x.clone(), y).with_feature_names(vec!["a"]);
        let model = LogisticParams::default().fit(&data).unwrap();
        let case =
            FeatureMatrix::from_cells(vec!["a".into()], 2, &[vec![Cell::Value(-2.0), Cell::Value(2.0)]])
                .unwrap();
        let log_odds = world::sums(&model, &case);
        assert!(log_odds[1] > log_odds[0], "{share}");
        assert_eq!(model.intercept() < 0.0, rare, "{share}");
    }
}

#[test]
fn linfa_sees_the_same_cases() {
    let data = &world::released().chain.data;
    let linfa = data.to_linfa();
    let names = linfa.feature_names();
    let matrix = data.matrix();
    assert_eq!(linfa.records().nrows(), data.rows());
    assert_eq!(linfa.targets().to_vec(), data.outcomes());
    assert_eq!(names.len(), linfa.records().ncols());
    let mut place = 0;
    let (mut missing, mut not_covered) = (0, 0);
    for (column, name) in matrix.names().iter().enumerate() {
        assert_eq!(&names[place], name);
        let told = matrix.column(column).any(|cell| cell == Cell::NotCovered);
        for (row, cell) in matrix.column(column).enumerate() {
            let value = linfa.records()[[row, place]];
            match cell {
                Cell::Value(wanted) => assert_eq!(value.to_bits(), f64::from(wanted).to_bits()),
                Cell::Missing | Cell::NotCovered => assert!(value.is_nan()),
            }
            missing += usize::from(cell == Cell::Missing);
            not_covered += usize::from(cell == Cell::NotCovered);
            if told {
                let flag = linfa.records()[[row, place + 1]];
                assert_eq!(flag.to_bits(), f64::from(u8::from(cell == Cell::NotCovered)).to_bits());
            }
        }
        if told {
            assert_eq!(names[place + 1], format!("{name}.not_covered"));
        }
        place += 1 + usize::from(told);
    }
    assert_eq!(place, names.len());
    assert!(missing > 0 && not_covered > 0, "the world shows both absences");
}

#[test]
fn polars_sees_the_same_cases() {
    let data = &world::released().chain.data;
    let frame = data.to_polars().unwrap();
    assert_eq!(frame.height(), data.rows());
    let names: Vec<String> = frame.get_column_names().iter().map(ToString::to_string).collect();
    assert_eq!(names[..4], ["entity", "as_of", "family", "outcome"]);
    assert_eq!(frame.column("as_of").unwrap().dtype(), &DataType::Date);
    let entities = frame.column("entity").unwrap().str().unwrap().clone();
    assert!(entities.iter().zip(data.ids()).all(|(held, id)| held == Some(id)));
    let families = frame.column("family").unwrap().u32().unwrap().clone();
    assert!(families.iter().zip(data.families()).all(|(held, family)| held == Some(*family)));
    let outcomes = frame.column("outcome").unwrap().bool().unwrap().clone();
    assert!(outcomes.iter().zip(data.outcomes()).all(|(held, outcome)| held == Some(*outcome)));
    let days = frame.column("as_of").unwrap().cast(&DataType::Int32).unwrap();
    let days = days.i32().unwrap();
    assert!(days.iter().enumerate().all(|(row, day)| day == Some(data.as_of(row).day().epoch_days())));
    let matrix = data.matrix();
    for (column, name) in matrix.names().iter().enumerate() {
        let values = frame.column(name).unwrap().f32().unwrap().clone();
        let absent = frame.column(&format!("{name}.absent")).ok().map(|column| column.str().unwrap().clone());
        assert_eq!(absent.is_some(), matrix.column(column).any(|cell| cell.value().is_none()), "{name}");
        for (row, cell) in matrix.column(column).enumerate() {
            assert_eq!(values.get(row), cell.value(), "{name}, row {row}");
            let word = match cell {
                Cell::Value(_) => None,
                Cell::Missing => Some("missing"),
                Cell::NotCovered => Some("not covered"),
            };
            assert_eq!(absent.as_ref().and_then(|absent| absent.get(row)), word, "{name}, row {row}");
        }
    }
}

/// A name that cannot be told from a column of absences is an error, not a frame that lacks features.
#[test]
fn a_frame_never_loses_features_in_silence() {
    let cells = [vec![Cell::Missing, Cell::Value(1.0)], vec![Cell::Value(0.0), Cell::Value(2.0)]];
    let named = |second: &str| FeatureMatrix::from_cells(vec!["a".into(), second.into()], 2, &cells).unwrap();
    assert!(named("a.absent").to_polars().is_err());
    assert_eq!(named("b").to_polars().unwrap().shape(), (2, 3));
}

#[test]
fn a_matrix_equals_itself() {
    let cells = [vec![Cell::Missing, Cell::NotCovered, Cell::Value(1.0)]];
    let matrix = FeatureMatrix::from_cells(vec!["a".into()], 3, &cells).unwrap();
    assert_eq!(matrix, matrix.clone());
}
