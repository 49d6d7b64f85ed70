//! Calibration of scores that are no chances: the outcome at equal score.

use super::super::report::ScoreScale;
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
    all.filter(|d| d.measure == Measure::CalibrationGap).find(|d| is_largest(&d.against)).unwrap()
}

fn criterion(audit: &Audit) -> &CriterionReport {
    let AttributeFinding::Measured { criteria, .. } = &audit.attributes[0].finding else { panic!() };
    criteria.iter().find(|held| held.criterion == Criterion::CalibrationWithinGroups).unwrap()
}

#[test]
fn the_difference_at_equal_score_is_that_of_the_hand() {
    let table = by_score([&[[16, 4], [15, 15]], &[[24, 6], [6, 4]]], 1.0);
    let audit = table.audit(&params(OperatingPoint::Threshold(2.0), 0, 39)).unwrap();
    let found = at_equal_score(&audit);
    let difference = found.difference.unwrap();
    // b against a: 0 at 1 with the weight 20 × 30 / 50, -0.1 at 2 with 30 × 10 / 40.
    close(difference.value, -0.1 * 7.5 / 19.5, 1e-12);
    let squares: f64 = 144.0 * (0.16 / 19.0 + 0.16 / 29.0) + 56.25 * (0.25 / 29.0 + 0.24 / 9.0);
    let reach = 1.959_963_984_540_054 * squares.sqrt() / 19.5;
    close(difference.interval.high - difference.value, reach, 1e-9);
    close(difference.value - difference.interval.low, reach, 1e-9);
    assert_eq!(found.verdict, DisparityVerdict::CannotTell);
    assert_eq!(criterion(&audit).set_by.as_ref().unwrap().size.unwrap().value, difference.value);
    let (a, _) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let bins: Vec<(f64, f64, u64)> =
        a.by_score.iter().map(|bin| (bin.mean_predicted, bin.observed.value, bin.observed.n)).collect();
    assert_eq!(bins, [(1.0, 0.2, 20), (2.0, 0.5, 30)]);
    assert!(a.reliability.is_empty() && a.calibration_gap.is_none());
    // With a minimum of 10 the four of a score of 1 are joined with those of 2.
    let audit = table.audit(&params(OperatingPoint::Threshold(2.0), 10, 39)).unwrap();
    let (a, _) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    assert_eq!(a.by_score.len(), 1);
    assert_eq!((a.by_score[0].observed.value, a.by_score[0].observed.n), (0.38, 50));
}

/// Group b has twice as many high scores, and at each score as much of the outcome: so nothing differs, and
/// chances read off the deciles would find a gap.
#[test]
fn deciles_divided_by_ten_are_no_chances() {
    let counts = |of: usize| -> Vec<[usize; 2]> {
        (1..=10)
            .map(|decile| (decile, if decile > 5 { of } else { 1 }))
            .map(|(decile, times)| [times * (200 - 4 * decile), times * 4 * decile])
            .collect()
    };
    let table = by_score([&counts(2), &counts(1)], 0.1);
    let asked = params(OperatingPoint::Threshold(0.8), 10, 99);
    let audit = table.audit(&asked).unwrap();
    assert_eq!((audit.scores, audit.operating.threshold_chance), (ScoreScale::NotChances, None));
    let found = at_equal_score(&audit);
    close(found.difference.unwrap().value, 0.0, 1e-12);
    assert_eq!(criterion(&audit).verdict, DisparityVerdict::AbsentWithin);
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

/// Two groups of other scores: half of the outcome's rows are `more` likelier to have it in the second group.
fn drawn(made: &mut Made, more: f64, (size, families): (u32, bool)) -> ScoreTable {
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
        let decile = (place * 10.0).floor().min(9.0) + 1.0;
        let chance = 0.1 + 0.05 * decile + more * f64::from(group);
        outcomes.push(draw(shared.1) < chance);
        scores.push(decile);
        codes.push(group);
        of.push(row / 2);
    }
    let table = ScoreTable::new(scores, outcomes).unwrap();
    let table = if families { table.clusters(of).unwrap() } else { table };
    table.group_coded("sex", &codes, &[Some("a"), Some("b")]).unwrap()
}

#[test]
fn a_difference_at_equal_score_is_found_where_there_is_one_and_else_in_one_of_twenty_samples() {
    let present = |set: u64, more: f64, size: (u32, bool)| {
        let table = drawn(&mut Made::seeded(500 + set), more, size);
        let audit = table.audit(&params(OperatingPoint::Threshold(8.0), 0, 39)).unwrap();
        u32::from(at_equal_score(&audit).verdict == DisparityVerdict::Present)
    };
    let called: u32 =
        (0..400).map(|set| present(set, 0.0, ([60, 150, 400][set as usize % 3], set % 2 == 1))).sum();
    println!("no difference: {called} of 400");
    assert!((10..=30).contains(&called), "{called}");
    let found: u32 = (0..20).map(|set| present(set, 0.15, (600, set % 2 == 1))).sum();
    assert!(found >= 18, "{found}");
}
