//! Calibration of scores that are not chances: the outcome at equal score.

use polars::df;

use super::*;

/// Two groups: for each, for each score from 1 up, rows without the outcome and with it.
fn by_score(groups: [&[[usize; 2]]; 2], part: f64) -> ScoreTable {
    let (mut scores, mut outcomes, mut codes) = (vec![], vec![], vec![]);
    for (group, counts) in groups.into_iter().enumerate() {
        for (score, count) in (1_u32..).zip(counts) {
            for (outcome, &count) in [false, true].into_iter().zip(count) {
                scores.extend(vec![f64::from(score) * part; count]);
                outcomes.extend(vec![outcome; count]);
                codes.extend(vec![group as u32; count]);
            }
        }
    }
    let table = ScoreTable::new(scores, outcomes).unwrap();
    table.group_coded("sex", &codes, &[Some("a"), Some("b")]).unwrap()
}

fn at_equal_score(audit: &Audit) -> &Disparity {
    let all = groups(&audit.attributes[0]).iter().filter_map(shown).flat_map(|(_, all)| all);
    all.filter(|d| d.measure == GroupMeasure::CalibrationGap).find(|d| is_largest(&d.against)).unwrap()
}

#[test]
fn the_difference_at_equal_score_is_that_of_the_hand() {
    let table = by_score([&[[16, 4], [15, 15]], &[[24, 6], [6, 4]]], 1.0);
    let audit = table.audit(&params(OperatingPoint::Threshold(2.0), 0, 39)).unwrap();
    let found = at_equal_score(&audit);
    let difference = found.difference.unwrap();
    // b against a: 0 at 1 with the weight 20 × 30 / 50, -0.1 at 2 with 30 × 10 / 40.
    close(difference.value, -0.1 * 7.5 / 19.5, 1e-12);
    // Residuals from the line: everybody's share at the score, moved by the difference times the other group's part.
    let moved = difference.value;
    let off = |share: f64, n: f64, said: f64| (share * (1.0 - share) + (share - said).powi(2)) / n;
    let at_1 = off(0.2, 30.0, 0.2 + 0.4 * moved) + off(0.2, 20.0, 0.2 - 0.6 * moved);
    let at_2 = off(0.4, 10.0, 0.475 + 0.75 * moved) + off(0.5, 30.0, 0.475 - 0.25 * moved);
    let squares: f64 = 144.0 * 50.0 / 49.0 * at_1 + 56.25 * 40.0 / 39.0 * at_2;
    let reach = 1.959_963_984_540_054 * squares.sqrt() / 19.5;
    close(difference.interval.high - difference.value, reach, 1e-9);
    close(difference.value - difference.interval.low, reach, 1e-9);
    assert_eq!(found.verdict, DisparityVerdict::CannotTell);
    let set_by = criterion(&audit, Criterion::CalibrationWithinGroups).set_by.as_ref().unwrap();
    close(set_by.size.unwrap().value, difference.value, 0.0);
    let (a, _) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let told = |held: &GroupMeasures| -> Vec<(f64, Option<(f64, u64)>)> {
        let all = held.by_score.iter();
        all.map(|at| (at.score, at.observed.map(|observed| (observed.value, observed.n)))).collect()
    };
    assert_eq!(told(a), [(1.0, Some((0.2, 20))), (2.0, Some((0.5, 30)))]);
    // Wilson's interval of 4 in 20.
    close(a.by_score[0].observed.unwrap().interval.high, 0.416, 5e-4);
    assert_eq!(told(&audit.whole), [(1.0, Some((0.2, 50))), (2.0, Some((19.0 / 40.0, 40)))]);
    assert!(a.reliability.is_empty() && a.calibration_gap.is_none());
    // With a minimum of 5 the four with the outcome are withheld; they would follow from everybody's ten and the six, and
    // from the group's total.
    let audit = table.audit(&params(OperatingPoint::Threshold(1.0), 5, 39)).unwrap();
    for group in groups(&audit.attributes[0]) {
        assert!(told(shown(group).unwrap().0).iter().all(|at| at.1.is_none()));
    }
    assert!(told(&audit.whole).iter().all(|at| at.1.is_some()));
}

/// Group b has twice as many high scores, and at each score as much of the outcome: so nothing differs, and
/// chances read off the deciles would find a gap.
#[test]
fn deciles_divided_by_ten_are_no_chances() {
    let counts = |of: usize| -> Vec<[usize; 2]> {
        (1..=10)
            .map(|decile| (decile, if decile > 5 { of } else { 1 }))
            .map(|(decile, times)| [3 * times * (200 - 4 * decile), 3 * times * 4 * decile])
            .collect()
    };
    let table = by_score([&counts(2), &counts(1)], 0.1);
    let asked = params(OperatingPoint::Threshold(0.8), 10, 99);
    let audit = table.audit(&asked).unwrap();
    assert_eq!((audit.scores, audit.operating.threshold_chance), (ScoreScale::Ranks, None));
    let found = at_equal_score(&audit);
    close(found.difference.unwrap().value, 0.0, 1e-12);
    assert_eq!(criterion(&audit, Criterion::CalibrationWithinGroups).verdict, DisparityVerdict::AbsentWithin);
    let as_chances = AuditParams { scores: Some(ScoreScale::Chances), ..asked.clone() };
    let audit = table.audit(&as_chances).unwrap();
    assert_eq!(audit.scores, ScoreScale::Chances);
    assert_eq!(at_equal_score(&audit).verdict, DisparityVerdict::Present);
    let points = by_score([&counts(2), &counts(1)], 1.0);
    assert!(matches!(points.audit(&as_chances).unwrap_err(), AuditError::Parameter { .. }));
    // More than twenty values are not told apart one by one.
    let many: Vec<[usize; 2]> = vec![[6, 4]; 21];
    let audit = by_score([&many, &many], 1.0).audit(&asked).unwrap();
    assert!(audit.whole.by_score.is_empty() && at_equal_score(&audit).difference.is_none());
}

#[test]
fn bands_are_ranks_even_if_there_are_two() {
    let (n, half) = (60_i32, 30_i32);
    let bands: Vec<&str> = (0..n).map(|row| if row % 3 == 0 { "High" } else { "Low" }).collect();
    let sex: Vec<&str> = (0..n).map(|row| if row < half { "a" } else { "b" }).collect();
    let outcomes: Vec<i32> = (0..n).map(|row| row % 2).collect();
    let frame = df!("band" => bands, "y" => outcomes, "sex" => sex).unwrap();
    let columns = ScoreColumns {
        score_order: vec!["low".to_owned(), "high".to_owned()],
        ..ScoreColumns::new("band", "y").group("sex")
    };
    let (table, _) = ScoreTable::from_frame(&frame, &columns).unwrap();
    let asked = params(OperatingPoint::Threshold(1.0), 1, 39);
    let audit = table.audit(&asked).unwrap();
    assert_eq!((audit.scores, audit.whole.by_score.len()), (ScoreScale::Ranks, 2));
    assert!(at_equal_score(&audit).difference.is_some());
    let said = AuditParams { scores: Some(ScoreScale::Points), ..asked };
    assert_eq!(table.audit(&said).unwrap().scores, ScoreScale::Points);
}

/// Two groups of other scores, from 1 to `values`: in the second, the outcome is by `more` likelier at equal score.
fn drawn(made: &mut Made, values: u32, more: f64, (size, families): (u32, bool)) -> ScoreTable {
    let (mut scores, mut outcomes, mut codes, mut of) = (vec![], vec![], vec![], vec![]);
    let mut shared = (0.0, 0.0);
    for row in 0..2 * size {
        let group = row / size;
        if row % 2 == 0 {
            shared = (made.uniform(), made.uniform());
        }
        let mut draw = |shared: f64| if families && made.uniform() < 0.5 { shared } else { made.uniform() };
        let place = draw(shared.0);
        let place = if group == 1 { place.sqrt() } else { place };
        let score = (place * f64::from(values)).floor() + 1.0;
        let chance = 0.1 + 0.5 * score / f64::from(values) + more * f64::from(group);
        outcomes.push(draw(shared.1) < chance);
        scores.push(score);
        codes.push(group);
        of.push(row / 2);
    }
    let table = ScoreTable::new(scores, outcomes).unwrap();
    let table = if families { table.clusters(of).unwrap() } else { table };
    table.group_coded("sex", &codes, &[Some("a"), Some("b")]).unwrap()
}

#[test]
fn a_difference_at_equal_score_is_found_where_there_is_one_and_else_in_one_of_twenty_samples() {
    for values in [2, 3, 5, 10] {
        let present = |set: u32, more: f64, size: (u32, bool)| {
            let table = drawn(&mut Made::seeded(u64::from(1_000 * values + set)), values, more, size);
            let audit = table.audit(&params(OperatingPoint::Threshold(2.0), 0, 39)).unwrap();
            u32::from(at_equal_score(&audit).verdict == DisparityVerdict::Present)
        };
        let size = |set: u32| [60, 150, 400][set as usize % 3];
        let called: u32 = (0..600).map(|set| present(set, 0.0, (size(set), set % 2 == 1))).sum();
        assert!((15..=45).contains(&called), "{values} values: {called} of 600");
        let found: u32 = (0..20).map(|set| present(set, 0.15, (600, set % 2 == 1))).sum();
        assert!(found >= 18, "{values} values: {found} of 20");
    }
}

/// Several groups without any difference: no group of a column is said to differ in more than 7.5% of samples.
#[test]
fn verdicts_at_equal_score_hold_for_all_groups_of_a_column() {
    let called = |set: u64| {
        let made = &mut Made::seeded(90_000 + set);
        let (n, names) = (600_usize, [Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), Some("f")]);
        let scores: Vec<f64> = (0..n).map(|_| (made.uniform() * 5.0).ceil()).collect();
        let outcomes: Vec<bool> = scores.iter().map(|score| made.uniform() < 0.1 * score).collect();
        let codes: Vec<u32> = (0..n as u32).map(|row| row % 6).collect();
        let table = ScoreTable::new(scores, outcomes).unwrap().group_coded("area", &codes, &names).unwrap();
        let audit = table.audit(&params(OperatingPoint::Threshold(4.0), 0, 39)).unwrap();
        let all = groups(&audit.attributes[0]).iter().filter_map(shown).flat_map(|(_, all)| all);
        all.filter(|d| d.measure == GroupMeasure::CalibrationGap && is_largest(&d.against))
            .any(|d| d.verdict == DisparityVerdict::Present)
    };
    let present = (0..1_000).filter(|&set| called(set)).count();
    assert!(present <= 75, "{present} of 1,000");
}

/// Equations in numbers that a reader does not know, each a sum with these factors whose value is known.
struct Equations(Vec<Vec<f64>>);

impl Equations {
    /// Which of the numbers follow from the equations: those that a row of the reduced form has alone.
    fn solved(mut self, unknown: usize) -> Vec<bool> {
        let mut solved = vec![false; unknown];
        let mut top = 0;
        for column in 0..unknown {
            let Some(pivot) = (top..self.0.len()).find(|&row| self.0[row][column].abs() > 1e-9) else {
                continue;
            };
            self.0.swap(top, pivot);
            let factor = self.0[top][column];
            self.0[top].iter_mut().for_each(|entry| *entry /= factor);
            let line = self.0[top].clone();
            for row in (0..self.0.len()).filter(|&row| row != top) {
                let times = self.0[row][column];
                self.0[row].iter_mut().zip(&line).for_each(|(entry, pivot)| *entry -= times * pivot);
            }
            top += 1;
        }
        for row in &self.0 {
            let held: Vec<usize> = (0..unknown).filter(|&column| row[column].abs() > 1e-9).collect();
            if let [only] = held[..] {
                solved[only] = true;
            }
        }
        solved
    }
}

/// Rows by group, score (from 1) and outcome.
type Counts = Vec<Vec<[usize; 2]>>;

/// The scores of a group that are shown.
fn told(group: &GroupMeasures, scores: usize) -> Vec<bool> {
    let shown = |score: usize| {
        let at = group.by_score.iter().find(|at| (at.score - (score + 1) as f64).abs() < 1e-9);
        at.is_some_and(|at| at.observed.is_some())
    };
    (0..scores).map(shown).collect()
}

/// How many cells are withheld, and the small ones that a reader can work out, who knows every total: of each score, and
/// of each group among those selected and the others, of whom `parts` of each score's rows are selected.
fn worked_out(audit: &Audit, counts: &Counts, parts: &[f64], least: usize) -> (usize, Vec<(usize, usize)>) {
    let (scores, by_group) = (parts.len(), groups(&audit.attributes[0]));
    let whole = told(&audit.whole, scores);
    let mut unknown: Vec<(usize, usize)> = Vec::new();
    for (group, held) in by_group.iter().enumerate() {
        let told = told(shown(held).unwrap().0, scores);
        unknown.extend(
            (0..scores).filter(|&score| !told[score] && counts[group][score] != [0, 0]).map(|s| (group, s)),
        );
    }
    let totals = by_group.len();
    unknown.extend((0..scores).filter(|&score| !whole[score]).map(|score| (totals, score)));
    let mut equations = Vec::new();
    let mut add = |factor: &dyn Fn(usize, usize) -> f64| {
        equations.push(unknown.iter().map(|&(group, score)| factor(group, score)).collect());
    };
    for group in 0..=totals {
        add(&|of, score| if of == group { parts[score] } else { 0.0 });
        add(&|of, score| if of == group { 1.0 - parts[score] } else { 0.0 });
    }
    for score in 0..scores {
        add(&|of, at| {
            if at != score {
                0.0
            } else if of == totals {
                -1.0
            } else {
                1.0
            }
        });
    }
    let solved = Equations(equations).solved(unknown.len());
    // What is all of a group on one side of the cut is told by its rates already.
    let on_side = |group: usize, is: &dyn Fn(f64) -> bool| {
        (0..scores).filter(|&score| is(parts[score]) && counts[group][score] != [0, 0]).count()
    };
    let of_the_rates = |group: usize, score: usize| {
        let (low, between, high) = (
            on_side(group, &|part| part <= 0.0),
            on_side(group, &|part| part > 0.0 && part < 1.0),
            on_side(group, &|part| part >= 1.0),
        );
        match parts[score] {
            part if part <= 0.0 => low == 1 && (between == 0 || high == 0),
            part if part >= 1.0 => high == 1 && (between == 0 || low == 0),
            _ => low == 0 || high == 0,
        }
    };
    let is_small = |&&(group, score): &&(usize, usize)| {
        group < totals
            && counts[group][score].iter().any(|&count| count > 0 && count < least)
            && !of_the_rates(group, score)
    };
    let cells = unknown.iter().zip(solved).filter(|(_, solved)| *solved).map(|(cell, _)| cell);
    (unknown.len(), cells.filter(is_small).copied().collect())
}

#[test]
fn no_small_number_of_a_group_at_a_score_is_shown_or_can_be_worked_out() {
    let (mut withheld, mut seen, mut ties) = (0, 0, 0);
    for set in 0..300_u64 {
        let made = &mut Made::seeded(7_000 + set);
        // Those tied at the end of a list have to be enough of every group for anything to be told.
        let size = if set % 4 > 1 { 40.0 } else { 10.0 };
        let counts: Counts = (0..3 + set as usize % 2)
            .map(|_| {
                let cell =
                    |_| [12.0, 6.0].map(|most| (made.uniform() * made.uniform() * size * most) as usize);
                (0..6).map(cell).collect()
            })
            .collect();
        let (mut scores, mut outcomes, mut codes) = (vec![], vec![], vec![]);
        for (group, counts) in counts.iter().enumerate() {
            for (score, count) in counts.iter().enumerate() {
                for outcome in [false, true] {
                    let count = count[usize::from(outcome)];
                    scores.extend(vec![(score + 1) as f64; count]);
                    outcomes.extend(vec![outcome; count]);
                    codes.extend(vec![group as u32; count]);
                }
            }
        }
        let n = scores.len();
        let names = ["a", "b", "c", "d"].map(Some);
        let table = ScoreTable::new(scores, outcomes).unwrap().group_coded("area", &codes, &names).unwrap();
        // Half of them by a list that ends among equal scores.
        let point = match set % 4 {
            0 => OperatingPoint::Threshold(4.0),
            1 => OperatingPoint::Threshold(3.0),
            _ => OperatingPoint::Capacity(crate::evaluate::Capacity::Cases(n as u32 / 2)),
        };
        let audit = table.audit(&params(point, 10, 39)).unwrap();
        let by_group = groups(&audit.attributes[0]);
        if by_group.iter().any(|group| shown(group).is_none_or(|held| held.0.by_score.is_empty())) {
            continue;
        }
        seen += 1;
        let mut parts = vec![0.0; 6];
        let mut left = if set % 4 > 1 { n / 2 } else { n };
        for score in (0..6).rev() {
            let here: usize = counts.iter().map(|counts| counts[score].iter().sum::<usize>()).sum();
            let selected = match point {
                OperatingPoint::Threshold(threshold) => ((score + 1) as f64 >= threshold).then_some(here),
                _ => Some(here.min(left)),
            };
            let selected = selected.unwrap_or(0);
            left -= selected;
            parts[score] = if here > 0 { selected as f64 / here as f64 } else { 0.0 };
            ties += usize::from(selected > 0 && selected < here);
        }
        for (group, held) in by_group.iter().enumerate() {
            let told = told(shown(held).unwrap().0, 6);
            for (score, count) in counts[group].iter().enumerate() {
                let small = count.iter().any(|&count| count > 0 && count < 10);
                assert!(!(told[score] && small), "set {set}: {group} at {score} is shown");
            }
        }
        let (unknown, found) = worked_out(&audit, &counts, &parts, 10);
        withheld += unknown;
        assert!(found.is_empty(), "set {set}: {found:?} can be worked out");
    }
    assert!(seen > 50 && withheld > 500 && ties > 20, "{seen} {withheld} {ties}");
}
