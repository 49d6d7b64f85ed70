//! Numbers that single precision merges.

use earlyhelp::calendar::Day;
use earlyhelp::features::{Cell, Direction, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, AdditiveParams, LogisticParams, Scale, ScorecardParams};
use earlyhelp::records::{Duplicates, Extract, Records, RemarkKind, SourceMapping};
use polars::df;

/// Sixty numbers far from nought, or near it, and outcomes that rise with them.
fn table(from: f64) -> (FeatureMatrix, Vec<bool>) {
    let minutes: Vec<f64> = (0..6_000).map(|row| f64::from(row * 37 % 60)).collect();
    let other: Vec<f64> = (0..6_000).map(|row| f64::from(row * 11 % 17) / 7.0).collect();
    let outcomes = (0..6_000).map(|row| (row * 7919) % 60 < 5 + row * 37 % 60 * 4 / 5).collect();
    let moved: Vec<f64> = minutes.iter().map(|minute| from + minute).collect();
    let frame = df!("stamp" => moved, "other" => other).unwrap();
    (FeatureMatrix::from_polars(&frame, &["stamp", "other"]).unwrap(), outcomes)
}

fn scores(model: &AdditiveModel, matrix: &FeatureMatrix) -> Vec<f64> {
    let explained = model.explain_all(matrix).unwrap();
    explained.contributions().rows().into_iter().map(|case| explained.intercept() + case.sum()).collect()
}

#[test]
fn numbers_far_from_nought_are_told_apart_as_near_ones_are() {
    type Fit = fn(&FeatureMatrix, &[bool]) -> AdditiveModel;
    let trainers: [(&str, Fit); 3] = [
        ("additive", |matrix, outcomes| {
            let families: Vec<u64> = (0..matrix.rows() as u64).collect();
            let params = AdditiveParams::default().refits(0);
            params.fit_matrix(matrix, &[Direction::None; 2], outcomes, &families, 1).unwrap().0
        }),
        ("scorecard", |matrix, outcomes| {
            let cards = ScorecardParams::default().fit_matrix(matrix, &[Direction::None; 2], outcomes, None);
            cards.unwrap().remove(0).0
        }),
        ("logistic", |matrix, outcomes| {
            LogisticParams::default().fit_matrix(matrix, &[Scale::Linear; 2], outcomes, None).unwrap().model
        }),
    ];
    let (near, outcomes) = table(0.0);
    let (far, _) = table(1.7e9);
    for (name, fit) in trainers {
        let of_near = scores(&fit(&near, &outcomes), &near);
        let of_far = scores(&fit(&far, &outcomes), &far);
        let spread = of_near.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            - of_near.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(spread > 0.5, "{name}: the number says something: {spread}");
        for (near, far) in of_near.iter().zip(&of_far) {
            assert!((near - far).abs() < 1e-6, "{name}: {near} near nought, {far} far from it");
        }
    }
}

#[test]
fn a_matrix_gives_back_the_numbers_that_it_was_given() {
    let given = [Some(1_700_000_001.0), None, Some(0.1), Some(-3.5), Some(16_777_217.0)];
    let frame = df!("x" => given, "x.absent" => [None, Some("not covered"), None, None, None]).unwrap();
    let matrix = FeatureMatrix::from_polars(&frame, &["x"]).unwrap();
    assert_eq!(matrix.cell(1, 0), Cell::NotCovered);
    let back = matrix.to_polars().unwrap();
    assert_eq!(back.column("x").unwrap().f64().unwrap().iter().collect::<Vec<_>>(), given);
    assert_eq!(FeatureMatrix::from_polars(&back, &["x"]).unwrap(), matrix);
    let moved = df!("x" => [Some(1_700_000_002.0), None, Some(0.1), Some(-3.5), Some(16_777_217.0)]).unwrap();
    assert_ne!(FeatureMatrix::from_polars(&moved, &["x"]).unwrap(), matrix, "the last digit counts");
    // What fits single precision is kept in it alone.
    let short = df!("x" => [1.0, 0.5, f64::from(0.1_f32)]).unwrap();
    let short = FeatureMatrix::from_polars(&short, &["x"]).unwrap().to_polars().unwrap();
    assert!(short.column("x").unwrap().f32().is_ok());
}

#[test]
fn a_number_too_large_for_a_cell_is_refused_by_row() {
    let frame = df!("x" => [1.0, 1e300]).unwrap();
    let error = FeatureMatrix::from_polars(&frame, &["x"]).unwrap_err().to_string();
    assert!(error.contains("\"x\"") && error.contains("row 1"), "{error}");
}

#[test]
fn an_amount_of_records_that_is_rounded_is_told() {
    #[derive(serde::Serialize)]
    struct Payment {
        who: &'static str,
        on: Day,
        pounds: f64,
    }
    let of = |pounds: &[f64], duplicates: Duplicates, used: u64| -> u64 {
        let on = "2024-01-05".parse().unwrap();
        let rows: Vec<Payment> = pounds.iter().map(|&pounds| Payment { who: "p1", on, pounds }).collect();
        let mapping =
            SourceMapping::new("payments", "who", "payment", "on").value("pounds").duplicates(duplicates);
        let records =
            Records::builder().reject_limit(0.5).source(mapping, Extract::rows(rows)).build().unwrap();
        assert_eq!(records.intake()[0].accepted, used);
        let rounded = records.remarks().iter().find(|remark| remark.kind == RemarkKind::Rounded);
        rounded.map_or(0, |remark| remark.rows)
    };
    assert_eq!(of(&[0.1, -1234.56, 99_999.99, 16_777_216.0, 33_554_432.0], Duplicates::Keep, 5), 0);
    assert_eq!(of(&[16_777_217.0, 12.0, -1_700_000_001.0, 1_700_000_000.0], Duplicates::Keep, 4), 2);
    // Of a row that is not used nothing is told.
    assert_eq!(of(&[16_777_217.0, 5.0, 16_777_217.0], Duplicates::Drop, 2), 1);
}
