use super::super::form::{Axis, Scale};
use super::super::scorecard::{CardLine, ScorecardParams};
use super::*;
use crate::features::Direction;

/// 120 cases of two features: whole numbers 0 to 9 and 0 to 3, a tenth of each absent in either way.
fn matrix() -> FeatureMatrix {
    let cell = |row: usize, of: usize, shift: usize| match (row + shift) % 20 {
        0 => Cell::Missing,
        1 => Cell::NotCovered,
        _ => Cell::Value(((row * 7 + shift) % of) as f32),
    };
    let columns =
        [(0..120).map(|row| cell(row, 10, 0)).collect(), (0..120).map(|row| cell(row, 4, 3)).collect()];
    FeatureMatrix::from_cells(vec!["a".into(), "b".into()], 120, &columns).unwrap()
}

fn edit(on: &[&str], change: Change) -> Edit {
    Edit {
        on: on.iter().map(|&name| name.to_owned()).collect(),
        change,
        by: "A. Analyst".into(),
        reason: "It is tested.".into(),
        on_day: "2025-03-01".parse().unwrap(),
    }
}

fn steps() -> Shape {
    let axis = Axis::new(vec![1.0, 3.0, 6.0, 8.0]).unwrap();
    Shape::Steps { axis, values: vec![-0.9, -0.2, 0.3, 0.8, 1.4, 0.5, -0.4] }
}

fn grid() -> Shape {
    let first = Axis::new(vec![2.0, 4.0, 7.0]).unwrap();
    let second = Axis::new(vec![1.0, 2.0]).unwrap();
    let values = (0..30).map(|at| f64::from((at * 11) % 17) / 20.0 - 0.4).collect();
    Shape::Grid { first, second, values }
}

fn line() -> Shape {
    Shape::Line {
        scale: Scale::Log,
        centre: 1.0,
        slope: 0.4,
        at_centre: 0.1,
        missing: Some(1.4),
        not_covered: Some(-0.6),
    }
}

/// A model of these terms, each centred on the cases, with two refits.
fn draft(terms: Vec<Term>) -> Draft {
    let features = || vec!["a".to_owned(), "b".to_owned()];
    let plain = AdditiveModel::new(features(), -2.0, terms).unwrap();
    let mut parts = Parts::of(&plain);
    let means = means(&plain);
    for (term, mean) in parts.terms.iter_mut().zip(means) {
        match &mut term.shape {
            Shape::Steps { values, .. } | Shape::Grid { values, .. } => {
                for value in values.iter_mut() {
                    *value -= mean;
                }
            }
            Shape::Line { at_centre, missing, not_covered, .. } => {
                *at_centre -= mean;
                *missing = missing.map(|held| held - mean);
                *not_covered = not_covered.map(|held| held - mean);
            }
        }
        parts.intercept += mean;
    }
    let figures =
        |by: f64| move |term: &Term| term.shape.figures().iter().map(|figure| figure * by).collect();
    let drawn = |term: &Term| vec![figures(1.25)(term), figures(0.5)(term)];
    parts.drawn = Some(Drawn {
        seed: 3,
        intercepts: vec![parts.intercept + 0.25, parts.intercept - 0.5],
        terms: parts.terms.iter().map(drawn).collect(),
    });
    Draft { model: parts.model(&features()).unwrap(), card: None }
}

/// The mean contribution of each term.
fn means(model: &AdditiveModel) -> Vec<f64> {
    let cases = matrix();
    let all = model.explain_all(&cases).unwrap();
    all.contributions().columns().into_iter().map(|column| column.sum() / cases.rows() as f64).collect()
}

fn changed(draft: &Draft, edit: &Edit) -> Draft {
    edit.check().unwrap();
    draft.edited(edit, &matrix()).unwrap().expect("the term is there")
}

/// The contribution of the only term to every case.
fn contributions(draft: &Draft) -> Vec<f64> {
    draft.model.explain_all(&matrix()).unwrap().contributions().column(0).to_vec()
}

/// Checks what holds after every change of a shape: the term is centred, cases that the change is not about
/// have the score they had.
fn check_the_rest(before: &Draft, after: &Draft, is_touched: impl Fn(usize) -> bool) {
    let cases = matrix();
    for mean in means(&after.model) {
        assert!(mean.abs() < 1e-12, "{mean}");
    }
    let (then, now) = (before.model.log_odds(&cases).unwrap(), after.model.log_odds(&cases).unwrap());
    let mut touched = 0;
    for row in 0..cases.rows() {
        if is_touched(row) {
            touched += 1;
        } else {
            assert!((then[row] - now[row]).abs() < 1e-12, "case {row}: {} {}", then[row], now[row]);
        }
    }
    assert!(touched > 0 && touched < cases.rows(), "{touched}");
}

/// The same for every refit, where a change touches the same cases in all of them. Refits are kept to a
/// thousandth of the widest.
fn check_refits(before: &Draft, after: &Draft, is_touched: impl Fn(usize) -> bool) {
    let cases = matrix();
    for refit in 0..2 {
        let of = |draft: &Draft| draft.model.refit_log_odds(&cases, refit).unwrap().unwrap();
        let (then, now) = (of(before), of(after));
        for row in (0..cases.rows()).filter(|&row| !is_touched(row)) {
            assert!(
                (then[row] - now[row]).abs() < 0.005,
                "refit {refit}, case {row}: {} {}",
                then[row],
                now[row]
            );
        }
    }
}

fn value(row: usize, feature: usize) -> Option<f32> {
    matrix().cell(row, feature).value()
}

#[test]
fn a_range_of_steps_takes_its_mean_and_leaves_the_others() {
    let before = draft(vec![Term::one("a", steps()).counted(&[30.0; 7])]);
    // The range begins within a step and ends within another.
    let after = changed(&before, &edit(&["a"], Change::Flatten { from: Some(2.0), to: Some(7.0) }));
    let in_range = |row: usize| value(row, 0).is_some_and(|value| (2.0..7.0).contains(&value));
    check_the_rest(&before, &after, in_range);
    check_refits(&before, &after, in_range);
    let (then, now) = (contributions(&before), contributions(&after));
    let rows: Vec<usize> = (0..120).filter(|&row| in_range(row)).collect();
    let mean = rows.iter().map(|&row| then[row]).sum::<f64>() / rows.len() as f64;
    assert!(rows.iter().all(|&row| (now[row] - mean).abs() < 1e-12));
    let Shape::Steps { axis, .. } = &after.model.terms()[0].shape else { panic!("no steps") };
    assert_eq!(axis.edges(), [1.0, 2.0, 7.0, 8.0]);
    // Cases are counted anew, to the nearest five.
    let cases = &after.model.terms()[0].cases;
    assert_eq!(cases.len(), 7);
    assert!(cases[2].abs_diff(rows.len() as u64) <= 2, "{cases:?}");
    // A range without an end.
    let open = changed(&before, &edit(&["a"], Change::Flatten { from: Some(6.0), to: None }));
    check_the_rest(&before, &open, |row| value(row, 0).is_some_and(|value| value >= 6.0));
    let Shape::Steps { axis, .. } = &open.model.terms()[0].shape else { panic!("no steps") };
    assert_eq!(axis.edges(), [1.0, 3.0, 6.0]);
}

#[test]
fn a_pair_is_made_flat_along_either_feature() {
    let before = draft(vec![Term::pair("a", "b", grid())]);
    for (on, along, from, to) in [(["a", "b"], 0, 3.0, 8.0), (["b", "a"], 1, 1.0, 3.0)] {
        let range = Change::Flatten { from: Some(from), to: Some(to) };
        let after = changed(&before, &edit(&on, range));
        let in_range =
            |row: usize| value(row, along).is_some_and(|value| (from..to).contains(&f64::from(value)));
        check_the_rest(&before, &after, in_range);
        check_refits(&before, &after, in_range);
        let (then, now) = (contributions(&before), contributions(&after));
        // For every step of the other feature: one contribution, the mean of those that were there.
        let Shape::Grid { first, second, .. } = &after.model.terms()[0].shape else { panic!("no grid") };
        let other = if along == 0 { second } else { first };
        for step in 0..other.bins() {
            let is_here = |row: &usize| other.bin(matrix().cells(1 - along).at(*row)) == step;
            let rows: Vec<usize> = (0..120).filter(|&row| in_range(row)).filter(is_here).collect();
            let mean = rows.iter().map(|&row| then[row]).sum::<f64>() / rows.len() as f64;
            assert!(rows.iter().all(|&row| (now[row] - mean).abs() < 1e-12), "{on:?} {step}");
        }
    }
}

#[test]
fn contributions_are_held_between_bounds() {
    let pair = Term::pair("a", "b", grid());
    for term in [Term::one("a", steps()), pair] {
        let on: Vec<&str> = term.on.iter().map(String::as_str).collect();
        let before = draft(vec![term.clone()]);
        let then = contributions(&before);
        for (least, most) in
            [(Some(-0.2), Some(0.15)), (None, Some(0.2)), (Some(-0.1), None), (None, Some(0.0))]
        {
            let after = changed(&before, &edit(&on, Change::Clamp { least, most }));
            let (low, high) = (least.unwrap_or(f64::NEG_INFINITY), most.unwrap_or(f64::INFINITY));
            check_the_rest(&before, &after, |row| !(low..=high).contains(&then[row]));
            // Scores are the held contributions above the intercept of before.
            let scores = after.model.log_odds(&matrix()).unwrap();
            for (score, then) in scores.iter().zip(&then) {
                assert!((score - before.model.intercept() - then.clamp(low, high)).abs() < 1e-12);
            }
            for refit in 0..2 {
                let of = |draft: &Draft| draft.model.refit_log_odds(&matrix(), refit).unwrap().unwrap();
                let intercept = before.model.intercept() + before.model.refits().unwrap().intercept(refit);
                for (then, now) in of(&before).iter().zip(of(&after)) {
                    assert!((now - intercept - (then - intercept).clamp(low, high)).abs() < 0.005);
                }
            }
        }
    }
}

#[test]
fn holding_everything_at_zero_leaves_the_average_case() {
    let before = draft(vec![Term::one("a", steps()), Term::one("b", line())]);
    let after = changed(&before, &edit(&["a"], Change::Clamp { least: Some(0.0), most: Some(0.0) }));
    assert!(contributions(&after).iter().all(|part| part.abs() < 1e-12));
    assert!((after.model.intercept() - before.model.intercept()).abs() < 1e-12);
}

#[test]
fn a_line_is_made_flat_as_a_whole_and_held_where_it_is_absent() {
    // A line's centre is the mean of its scaled values.
    let scaled: Vec<f64> =
        (0..120).filter_map(|row| value(row, 0)).map(|value| Scale::Log.apply(f64::from(value))).collect();
    let mut shape = line();
    let Shape::Line { centre, .. } = &mut shape else { panic!("no line") };
    *centre = scaled.iter().sum::<f64>() / scaled.len() as f64;
    let before = draft(vec![Term::one("a", shape)]);
    let flat = changed(&before, &edit(&["a"], Change::Flatten { from: None, to: None }));
    check_the_rest(&before, &flat, |row| value(row, 0).is_some());
    check_refits(&before, &flat, |row| value(row, 0).is_some());
    let now = contributions(&flat);
    let of_values: Vec<f64> = (0..120).filter(|&row| value(row, 0).is_some()).map(|row| now[row]).collect();
    assert!(of_values.iter().all(|part| (part - of_values[0]).abs() < 1e-12));
    let part = edit(&["a"], Change::Flatten { from: Some(3.0), to: None });
    assert!(matches!(before.edited(&part, &matrix()), Err(ModelError::Edit(_))));

    let Shape::Line { missing: Some(missing), .. } = before.model.terms()[0].shape else { panic!("no line") };
    // No value of the line is held, and what is missing is.
    let most =
        contributions(&before).into_iter().filter(|part| (part - missing).abs() > 1e-9).fold(0.0, f64::max);
    assert!(missing > most + 0.01, "{missing} {most}");
    let bound = f64::midpoint(missing, most);
    let held = changed(&before, &edit(&["a"], Change::Clamp { least: None, most: Some(bound) }));
    let is_missing = |row: usize| matrix().cell(row, 0) == Cell::Missing;
    check_the_rest(&before, &held, is_missing);
    let scores = held.model.log_odds(&matrix()).unwrap();
    let wanted = before.model.intercept() + bound;
    assert!((0..120).filter(|&row| is_missing(row)).all(|row| (scores[row] - wanted).abs() < 1e-12));
}

#[test]
fn a_dropped_feature_takes_its_pairs_along_and_a_dropped_pair_nothing() {
    let terms = || vec![Term::one("a", steps()), Term::one("b", line()), Term::pair("a", "b", grid())];
    let before = draft(terms());
    let without = changed(&before, &edit(&["a"], Change::Drop));
    let on =
        |draft: &Draft| -> Vec<String> { draft.model.terms().iter().map(|term| term.on.join("*")).collect() };
    assert_eq!(on(&without), ["b"]);
    assert_eq!(on(&changed(&before, &edit(&["b", "a"], Change::Drop))), ["a", "b"]);
    // What is left of a score is what the other terms gave, in the fit and in the refits.
    let cases = matrix();
    let (then, now) = (before.model.explain_all(&cases).unwrap(), without.model.log_odds(&cases).unwrap());
    for (row, parts) in then.contributions().rows().into_iter().enumerate() {
        assert!((now[row] - (then.intercept() + parts[1])).abs() < 1e-12);
    }
    let (old, new) = (before.model.refits().unwrap(), without.model.refits().unwrap());
    assert_eq!(new.len(), 2);
    assert!((old.figure(1, 0, 0) - new.figure(0, 0, 0)).abs() < 1e-6);
    // Nothing left to drop.
    assert_eq!(without.edited(&edit(&["a"], Change::Drop), &cases).unwrap(), None);
}

/// A card made for cases whose outcomes follow both features.
fn carded() -> Draft {
    let cases = matrix();
    let outcomes: Vec<bool> = (0..120)
        .map(|row| {
            let of = |feature| cases.cell(row, feature).value().unwrap_or(1.0);
            of(0) + 2.0 * of(1) > 5.0 + f64::from((row as u32 * 13) % 5) as f32
        })
        .collect();
    let params = ScorecardParams::default().terms(4);
    let found = params.fit_matrix(&cases, &[Direction::None; 2], &outcomes, None).unwrap();
    let (model, card) = found.into_iter().next().unwrap();
    let mut parts = Parts::of(&model);
    let drawn = |term: &Term| -> Vec<Vec<f64>> {
        let by = |worth: f64| term.shape.figures().iter().map(|figure| figure * worth).collect();
        vec![by(1.2), by(0.7)]
    };
    parts.drawn = Some(Drawn {
        seed: 1,
        intercepts: vec![0.1 + 1.2 * model.intercept(), -0.2 + 0.7 * model.intercept()],
        terms: model.terms().iter().map(drawn).collect(),
    });
    Draft { model: parts.model(model.features()).unwrap(), card: Some(card) }
}

/// The log-odds that a card gives to every case.
fn by_card(card: &Scorecard) -> Vec<f64> {
    let cases = matrix();
    let total = |row: usize| -> i32 {
        let place = |line: &CardLine| cases.names().iter().position(|name| *name == line.feature).unwrap();
        card.lines
            .iter()
            .filter(|line| line.condition.holds(cases.cell(row, place(line))))
            .map(|line| line.points)
            .sum()
    };
    (0..cases.rows()).map(|row| card.offset + card.unit * f64::from(total(row))).collect()
}

fn same(these: &[f64], those: &[f64]) -> bool {
    these.iter().zip(those).all(|(this, that)| (this - that).abs() < 1e-12)
}

#[test]
fn card_and_model_say_the_same_after_every_change_of_points() {
    let before = carded();
    let cases = matrix();
    let card = before.card.as_ref().unwrap();
    assert!(same(&by_card(card), &before.model.log_odds(&cases).unwrap()));
    for (nth, line) in card.lines.iter().enumerate() {
        for points in [line.points + 1, -line.points, 0] {
            let change = Change::Points { condition: line.condition, points };
            let after = changed(&before, &edit(&[&line.feature], change));
            let edited = after.card.as_ref().unwrap();
            assert!(same(&by_card(edited), &after.model.log_odds(&cases).unwrap()));
            assert_eq!(
                (edited.unit.to_bits(), edited.offset.to_bits()),
                (card.unit.to_bits(), card.offset.to_bits())
            );
            assert_eq!(edited.lines.len(), card.lines.len() - usize::from(points == 0));
            assert!(points == 0 || edited.lines[nth].points == points);
            let place = cases.names().iter().position(|name| *name == line.feature).unwrap();
            check_the_rest(&before, &after, |row| line.condition.holds(cases.cell(row, place)));
            // Refits say what a point is worth; the changed line's points are worth as much as all others.
            for (refit, worth, offset) in [(0, 1.2, 0.1), (1, 0.7, -0.2)] {
                let drawn = after.model.refit_log_odds(&cases, refit).unwrap().unwrap();
                let wanted: Vec<f64> = by_card(edited).iter().map(|score| offset + worth * score).collect();
                let off = drawn.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 0.01, "{off}");
            }
        }
    }
}

#[test]
fn a_feature_dropped_from_a_card_keeps_the_average_case() {
    let before = carded();
    let feature = before.model.terms()[0].on[0].clone();
    let after = changed(&before, &edit(&[&feature], Change::Drop));
    let card = after.card.as_ref().unwrap();
    assert!(card.lines.iter().all(|line| line.feature != feature));
    assert!(same(&by_card(card), &after.model.log_odds(&matrix()).unwrap()));
    assert!((after.model.intercept() - before.model.intercept()).abs() < 1e-12);
}

#[test]
fn in_another_fit_the_nearest_line_is_changed_and_none_is_put_in() {
    let before = carded();
    let card = before.card.as_ref().unwrap();
    let is_cut = |line: &&CardLine| matches!(line.condition, Condition::AtLeast(_));
    let line = card.lines.iter().find(is_cut).expect("a line with a cut");
    let Condition::AtLeast(cut) = line.condition else { panic!("no cut") };
    let moved = Change::Points { condition: Condition::AtLeast(cut + 0.25), points: line.points + 1 };
    let after = changed(&before, &edit(&[&line.feature], moved));
    let changed_lines: Vec<_> =
        after.card.as_ref().unwrap().lines.iter().filter(|held| !card.lines.contains(held)).collect();
    assert_eq!(changed_lines.len(), 1);
    assert_eq!(changed_lines[0].points, line.points + 1);
    assert_eq!(changed_lines[0].condition, line.condition);
    // A question that the card does not ask.
    let missing =
        card.lines.iter().any(|held| held.condition == Condition::NotCovered && held.feature == "a");
    assert!(!missing);
    let other = edit(&["a"], Change::Points { condition: Condition::NotCovered, points: 2 });
    assert_eq!(before.edited(&other, &matrix()).unwrap(), None);
}

#[test]
fn points_keep_to_what_was_declared() {
    let rising = Shape::Steps { axis: Axis::new(vec![2.0]).unwrap(), values: vec![-0.5, 0.5, -3.0, 0.0] };
    assert!(points::check_direction(&rising, Direction::Rising).is_ok());
    assert!(points::check_direction(&rising, Direction::None).is_ok());
    let refused = points::check_direction(&rising, Direction::Falling).unwrap_err().to_string();
    assert!(refused.contains("declared to fall"), "{refused}");
}

#[test]
fn an_edit_says_who_and_why_and_makes_sense() {
    let good = edit(&["a"], Change::Drop);
    assert!(good.check().is_ok());
    let wrong = [
        Edit { by: "  ".into(), ..good.clone() },
        Edit { reason: "\n".into(), ..good.clone() },
        edit(&[], Change::Drop),
        edit(&["a", "a"], Change::Drop),
        edit(&["a", "b", "c"], Change::Drop),
        edit(&["a"], Change::Flatten { from: Some(3.0), to: Some(3.0) }),
        edit(&["a"], Change::Flatten { from: Some(f64::NAN), to: None }),
        edit(&["a"], Change::Clamp { least: None, most: None }),
        edit(&["a"], Change::Clamp { least: Some(0.1), most: Some(0.0) }),
        edit(&["a"], Change::Clamp { least: Some(f64::NEG_INFINITY), most: None }),
        edit(&["a", "b"], Change::Points { condition: Condition::Missing, points: 1 }),
        edit(&["a"], Change::Points { condition: Condition::AtLeast(f64::NAN), points: 1 }),
    ];
    for edit in wrong {
        assert!(matches!(edit.check(), Err(ModelError::Edit(_))), "{edit:?}");
    }
    let text = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<Edit>(&text).unwrap(), good);
    assert!(serde_json::from_str::<Edit>(&text.replacen("{\"on\"", "{\"role\":\"x\",\"on\"", 1)).is_err());
}
