//! The proxy report on made-up tables; below, each part against other programs and by simulation.

mod council;
mod fixture;
mod separation;

use super::*;
use crate::features::Cell;
use crate::stats::random::mix;

/// From 0 up to 1, the same everywhere.
fn uniform(seed: u64, key: u64) -> f64 {
    (mix(seed, key) >> 11) as f64 / (1_u64 << 53) as f64
}

fn cells(rows: usize, cell: impl Fn(usize) -> Cell) -> Vec<Cell> {
    (0..rows).map(cell).collect()
}

const ROWS: usize = 3_000;

/// Six features over 1,000 families of three; every fourth family is in the group, ten families are in a small
/// one.
fn measured(seed: u64) -> ProxyReport {
    let member = |row: usize| (row / 3).is_multiple_of(4);
    let lot = |row: usize, nth: u64| uniform(seed, row as u64 * 10 + nth);
    let number = |value: f64| Cell::Value(value as f32);
    let columns = [
        cells(ROWS, |row| number((lot(row, 0) * 9.0 + if member(row) { 3.0 } else { 0.0 }).floor())),
        cells(ROWS, |row| {
            number(lot(row, 1) * if member(row) { 4.0 } else { 12.0 } + if member(row) { 4.0 } else { 0.0 })
        }),
        cells(ROWS, |row| {
            if lot(row, 2) < if member(row) { 0.6 } else { 0.2 } {
                Cell::Missing
            } else {
                number(lot(row, 3).round())
            }
        }),
        cells(ROWS, |row| {
            if lot(row, 4) < if member(row) { 0.1 } else { 0.5 } {
                Cell::NotCovered
            } else {
                Cell::Value(0.0)
            }
        }),
        cells(ROWS, |row| number(lot(row, 5))),
        cells(ROWS, |row| number(lot(row / 3, 6))),
    ];
    let names = ["more", "middle", "gap", "cover", "noise", "family_noise"].map(str::to_owned);
    let matrix = FeatureMatrix::from_cells(names.to_vec(), ROWS, &columns).unwrap();
    let families: Vec<u32> = (0..ROWS as u32).map(|row| row / 3).collect();
    let groups: Vec<Option<&str>> = (0..ROWS)
        .map(|row| match row {
            _ if member(row) => Some("in"),
            3..6 => Some("tiny"),
            6..12 | 15..18 => None,
            _ => Some("out"),
        })
        .collect();
    let asked =
        [Characteristic::Held { name: "kind", groups: &groups }, Characteristic::NotHeld { name: "faith" }];
    let params = ProxyParams { seed, ..ProxyParams::default() };
    ProxyReport::measure(&matrix, (&[Scale::Linear; 6], &families), &asked, &params).unwrap()
}

#[test]
fn codes_tell_a_group_apart_in_no_order_and_more_of_them_than_there_are_bins() {
    // Forty codes, of which every second one is usual in the group.
    let member = |row: usize| (row / 3).is_multiple_of(4);
    let code = |row: usize| {
        let code = (uniform(5, row as u64) * 20.0).floor() * 2.0;
        let turned = uniform(6, row as u64) < if member(row) { 0.9 } else { 0.1 };
        Cell::Value((code + f64::from(u8::from(turned))) as f32)
    };
    let matrix = FeatureMatrix::from_cells(vec!["code".into()], ROWS, &[cells(ROWS, code)]).unwrap();
    let families: Vec<u32> = (0..ROWS as u32).map(|row| row / 3).collect();
    let groups: Vec<Option<&str>> =
        (0..ROWS).map(|row| Some(if member(row) { "in" } else { "out" })).collect();
    let asked = [Characteristic::Held { name: "kind", groups: &groups }];
    let params = ProxyParams::default();
    let of = |codes: &[Option<usize>]| {
        let table = (&[Scale::Linear][..], codes, &families[..]);
        ProxyReport::measure_codes(&matrix, table, (&asked, &RowPeople::default()), &params).unwrap()
    };
    let (codes, numbers) = (of(&[Some(40)]), of(&[]));
    let auc = |report: &ProxyReport| report.feature("kind", "in", "code").unwrap().auc.unwrap().value;
    assert!(auc(&codes) > 0.85 && auc(&numbers) < 0.7, "{} {}", auc(&codes), auc(&numbers));
    assert_eq!(codes.feature("kind", "in", "code").unwrap().leaning, Leaning::NoSingleDirection);
}

#[test]
fn every_kind_of_proxy_is_found_with_its_direction() {
    let report = measured(1);
    let found = |feature: &str| report.feature("kind", "in", feature).unwrap();
    for (feature, leaning) in [
        ("more", Leaning::Higher),
        ("middle", Leaning::NoSingleDirection),
        ("gap", Leaning::MoreOftenMissing),
        ("cover", Leaning::MoreOftenCovered),
    ] {
        assert_eq!(found(feature).verdict, ProxyVerdict::Proxy, "{feature}");
        assert_eq!(found(feature).leaning, leaning, "{feature}");
    }
    // Half of 0.6 - 0.2, and of 0.5 - 0.1, beside the chance of one half.
    assert!((found("gap").auc.unwrap().value - 0.7).abs() < 0.03);
    assert!((found("cover").auc.unwrap().value - 0.7).abs() < 0.03);
    for feature in ["noise", "family_noise"] {
        assert_ne!(found(feature).verdict, ProxyVerdict::Proxy, "{feature}");
        assert!((found(feature).auc.unwrap().value - 0.5).abs() < 0.04, "{feature}");
    }
    let Some(ProxyOutcome::Shown { n, together, features }) = report.group("kind", "in") else {
        panic!("shown")
    };
    assert_eq!((*n, together.verdict), (750, ProxyVerdict::Proxy));
    assert!(features.windows(2).all(|pair| pair[0].auc.unwrap().value >= pair[1].auc.unwrap().value));
    assert!(features.iter().all(|found| found.auc.unwrap().n == ROWS as u64));
    // Three lines together know more than the best feature does.
    assert!(together.auc.unwrap().value > features[0].auc.unwrap().value);
    assert_eq!(report.families, 1_000);
}

#[test]
fn small_groups_are_held_back_and_what_is_not_held_is_not_measurable() {
    let report = measured(2);
    for group in ["tiny", "unknown"] {
        assert_eq!(report.group("kind", group), None, "{group}");
    }
    let ProxyFinding::Measured { comparisons, groups } = &report.characteristics[0].finding else {
        panic!("measured")
    };
    assert_eq!((*comparisons, groups.len()), (14, 4)); // two groups shown, six features and all together
    for held in &groups[2..] {
        assert_eq!((held.group.as_str(), &held.outcome), ("", &ProxyOutcome::Suppressed { under: 10 }));
    }
    assert!(
        matches!(&report.characteristics[1].finding, ProxyFinding::NotMeasurable { why } if why.contains("not hold"))
    );
    let text = report.to_string();
    for told in ["held back", "not measurable", "more often missing", "a proxy", "1000 families"] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn noise_is_called_a_proxy_less_often_than_one_in_twenty() {
    // 60 councils of noise: two features, two groups each.
    let called = (0..60)
        .filter(|&seed| {
            let report = measured(100 + seed);
            ["noise", "family_noise"]
                .iter()
                .any(|feature| report.feature("kind", "in", feature).unwrap().verdict == ProxyVerdict::Proxy)
        })
        .count();
    assert!(called <= 3, "{called} of 60");
}

#[test]
fn the_report_is_the_same_at_any_number_of_threads() {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(alone.install(|| measured(3)), three.install(|| measured(3)));
}

#[test]
fn a_feature_that_is_the_group_is_a_proxy_whatever_its_luck() {
    let matrix = FeatureMatrix::from_cells(
        vec!["copy".into(), "nothing".into()],
        400,
        &[cells(400, |row| Cell::Value((row % 2) as f32)), cells(400, |_| Cell::Missing)],
    )
    .unwrap();
    let families: Vec<u32> = (0..400).collect();
    let groups: Vec<Option<&str>> = (0..400).map(|row| Some(if row % 2 == 1 { "x" } else { "y" })).collect();
    let asked = [Characteristic::Held { name: "k", groups: &groups }];
    let scales = [Scale::Linear; 2];
    let report =
        ProxyReport::measure(&matrix, (&scales, &families), &asked, &ProxyParams::default()).unwrap();
    let copy = report.feature("k", "x", "copy").unwrap();
    let auc = copy.auc.unwrap();
    assert_eq!((auc.value, auc.interval.high, copy.verdict), (1.0, 1.0, ProxyVerdict::Proxy));
    assert!(auc.interval.low > 0.97 && auc.interval.low < 0.99, "{auc}");
    let nothing = report.feature("k", "x", "nothing").unwrap();
    assert_eq!((nothing.auc.unwrap().value, nothing.leaning), (0.5, Leaning::NoSingleDirection));
    assert_ne!(nothing.verdict, ProxyVerdict::Proxy);
    // What cannot be measured is refused.
    let refused = |families: &[u32], params: ProxyParams| {
        ProxyReport::measure(&matrix, (&scales, families), &asked, &params).unwrap_err()
    };
    assert!(matches!(refused(&families[1..], ProxyParams::default()), EvaluateError::LengthMismatch { .. }));
    assert!(matches!(refused(&[7; 400], ProxyParams::default()), EvaluateError::OneFamily));
    for params in [
        ProxyParams { limit: 0.4, ..ProxyParams::default() },
        ProxyParams { folds: 1, ..ProxyParams::default() },
        ProxyParams { bins: 1, ..ProxyParams::default() },
    ] {
        assert!(matches!(refused(&families, params), EvaluateError::Plan(_)));
    }
}

#[test]
fn bins_hold_equally_many_and_zero_has_its_own() {
    // 60 zeros, then 1 to 40: 4 bins are zero alone and three of the rest.
    let column = cells(120, |row| match row {
        0..60 => Cell::Value(0.0),
        60..100 => Cell::Value((row - 59) as f32),
        100..110 => Cell::Missing,
        _ => Cell::NotCovered,
    });
    let matrix = FeatureMatrix::from_cells(vec!["f".into()], 120, &[column]).unwrap();
    let members = vec![false; 120];
    let levels = Bins::of(&matrix, 0, 4).cross_fitted(&members, &[0; 120], 1);
    // Nothing was learnt from other folds: all bins are one level.
    assert_eq!(levels.in_stratum, [1]);
    let learnt: Vec<bool> = (0..120).map(|row| row >= 60).collect();
    let folds: Vec<u8> = (0..120).map(|row| (row % 2) as u8).collect();
    let levels = Bins::of(&matrix, 0, 4).cross_fitted(&learnt, &folds, 2);
    let zero: Vec<u32> = (0..60).step_by(2).map(|row| levels.of_row[row]).collect();
    assert!(zero.iter().all(|&level| level == 0), "zero is the lowest: nobody there is a member");
    assert!((60..120).step_by(2).all(|row| levels.of_row[row] > 0));
}
