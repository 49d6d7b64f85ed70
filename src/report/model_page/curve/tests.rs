//! Drawings in figures.

use super::axis::{BINS, written};
use super::*;

fn row(at: Place, contribution: f64, share: Option<f64>) -> ShapeRow {
    ShapeRow { at, label: "x".into(), contribution, reach: Some(0.1), share, learnt: share.is_some() }
}

fn table(rows: Vec<ShapeRow>) -> TermTable {
    TermTable {
        on: vec!["f".into()],
        labels: vec!["F".into()],
        units: vec!["records".into()],
        importance: 0.1,
        shares: Shares::Counted,
        shape: ShapeTable::Steps { rows },
    }
}

fn steps(count: u32, height: f64) -> Vec<ShapeRow> {
    (0..count)
        .map(|nth| {
            let from = (nth > 0).then(|| f64::from(nth));
            let below = (nth + 1 < count).then(|| f64::from(nth + 1));
            let up = height * f64::from(nth) / f64::from(count - 1);
            row(Place::Between { from, below }, up, Some(1.0 / f64::from(count)))
        })
        .collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

#[test]
fn one_scale_serves_a_page() {
    let tables = [table(steps(3, 2.0)), table(steps(3, 0.2))];
    let scale = PageScale::of(&tables);
    let drawn: Vec<Curve> = tables.iter().map(|table| Curve::of(table, None, scale).unwrap()).collect();
    let zero_to_one = |curve: &Curve| {
        let y = |wanted: fn(&Level) -> bool| number(&curve.levels.iter().find(|l| wanted(l)).unwrap().y);
        let zero = y(|level| level.is_zero);
        let next = curve.levels.iter().map(|level| zero - number(&level.y)).filter(|up| *up > 0.0);
        next.fold(f64::INFINITY, f64::min)
    };
    assert!((zero_to_one(&drawn[0]) - zero_to_one(&drawn[1])).abs() < 0.11);
    assert!(number(&drawn[0].height) > number(&drawn[1].height) + 50.0);
}

#[test]
fn a_step_is_drawn_where_its_figure_is_and_an_absence_apart() {
    let mut rows = steps(3, 1.0);
    rows.push(row(Place::Missing, -0.5, Some(0.3)));
    rows.push(row(Place::NotCovered, 0.0, Some(0.0)));
    let tables = [table(rows)];
    let scale = PageScale::of(&tables);
    let curve = Curve::of(&tables[0], None, scale).unwrap();
    let zero = number(&curve.levels.iter().find(|level| level.is_zero).unwrap().y);
    assert!(curve.line.starts_with(&format!("M52.0 {zero:.1}H")), "{}", curve.line);
    let top = zero - scale.per_unit;
    assert!(curve.line.ends_with(&format!("V{top:.1}H550.0")), "{} {top}", curve.line);
    assert_eq!(curve.absent.len(), 1, "what nobody showed is not drawn");
    assert!((number(&curve.absent[0].y) - (zero + 0.5 * scale.per_unit)).abs() < 0.1);
    assert_eq!((curve.bars.len(), curve.figures.len()), (3, 3));
    assert_eq!((curve.absent[0].name.label.as_str(), curve.absent[0].share.label.as_str()), ("x", "30%"));
    assert_eq!(curve.caption, "records; 70% of cases have a value");
    assert!(curve.rare.is_empty());
}

#[test]
fn many_steps_lie_along_their_values_and_keep_their_people() {
    let tables = [table(steps(40, 1.0))];
    let curve = Curve::of(&tables[0], None, PageScale::of(&tables)).unwrap();
    assert_eq!(curve.bars.len(), BINS);
    assert!(curve.figures.is_empty());
    let labels: Vec<&str> = curve.marks.iter().map(|mark| mark.label.as_str()).collect();
    assert_eq!(&labels[..3], ["5", "10", "15"]);
    let spread =
        [People { from: LEFT, to: 300.0, share: 0.6 }, People { from: 300.0, to: 300.0, share: 0.4 }];
    let sum: f64 = even(&spread, RIGHT).iter().map(|people| people.share).sum();
    assert!((sum - 1.0).abs() < 1e-12);
}

#[test]
fn steps_without_people_are_told_apart() {
    let mut rows = steps(3, 1.0);
    rows[1].share = None;
    let curve = Curve::of(&table(rows), None, PageScale { per_unit: 100.0, tick: 0.5 }).unwrap();
    assert_eq!(curve.rare.matches('M').count(), 1);
    assert_eq!(curve.figures[1].label, "<10");
    assert_eq!(curve.bars.len(), 2);
}

#[test]
fn labels_that_have_no_room_are_left_out_but_for_the_ends() {
    let labels =
        |width: f64| fitting((0..5).map(|nth| (width * f64::from(nth), format!("label {nth}")))).len();
    assert_eq!((labels(100.0), labels(40.0), labels(5.0)), (5, 3, 2));
}

#[test]
fn marks_are_round_numbers() {
    let steps = [0.034, 0.011, 0.07, 3.0, 1.0].map(nice);
    for (step, right) in steps.into_iter().zip([0.05, 0.02, 0.1, 5.0, 1.0]) {
        assert!((step - right).abs() < 1e-12, "{step} {right}");
    }
    assert_eq!([1500.0, -2.0, 0.25].map(written), ["1,500", "\u{2212}2", "0.25"]);
    let across = Across { scale: Scale::Log, low: 0.0, high: 1000.0, right: RIGHT };
    let labels: Vec<String> = across.marks(true).into_iter().map(|(_, label)| label).collect();
    assert_eq!(labels[..3], ["0", "1", "5"], "1 and 2 are too near each other");
    assert_eq!(labels.last().unwrap(), "1,000");
}

#[test]
fn people_under_a_line_stand_at_their_values() {
    let at = |value: f64, share: f64| row(Place::At(value), 0.1 * value, Some(share));
    let rows = vec![at(0.0, 0.8), at(2.0, 0.2), row(Place::Missing, 0.0, Some(0.0))];
    let point = |value: f64| CurvePoint { value, contribution: 0.1 * value, reach: None };
    let curve = vec![point(0.0), point(1.0), point(2.0)];
    let line = TermTable {
        shares: Shares::FromTenths,
        shape: ShapeTable::Line { scale: Scale::Linear, rows, curve },
        ..table(vec![])
    };
    let drawn = Curve::of(&line, None, PageScale::of(std::slice::from_ref(&line))).unwrap();
    // Those above 0 and up to 2 are half at 1 and half at 2.
    let places: Vec<f64> = drawn.bars.iter().map(|bar| number(&bar.x)).collect();
    let middle = f64::midpoint(LEFT, FULL);
    assert_eq!(places.len(), 3);
    assert!(places[0] < LEFT + 1.0 && (places[1] - middle).abs() < 10.0 && places[2] > FULL - 10.0);
    assert_eq!(drawn.bars[1].height, drawn.bars[2].height);
    assert!(drawn.band.is_empty() && drawn.line.starts_with("M52.0 "));
    let labels: Vec<&str> = drawn.marks.iter().map(|mark| mark.label.as_str()).collect();
    assert_eq!(labels, ["0", "1", "2"]);
    assert_eq!(drawn.caption, "records; bars are right to within a tenth");
}
