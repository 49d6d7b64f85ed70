//! Small tables whose answers can be worked out on paper.

use super::*;
use crate::evaluate::Capacity;
use crate::stats::{newcombe_difference, wilson};

#[test]
fn without_families_shares_are_wilson_and_differences_newcombe() {
    let table = table(&[("a", [50, 20, 10, 40]), ("b", [30, 10, 12, 28])]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 199)).unwrap();
    let found = groups(&audit.attributes[0]);
    let (a, _) = shown(&found[0]).unwrap();
    let (b, disparities) = shown(&found[1]).unwrap();
    assert_eq!((a.n, a.positives, a.selected), (120, Some(50), Some(60)));
    for (ours, (part, whole)) in [
        (a.prevalence, (50, 120)),
        (a.selection_rate, (60, 120)),
        (a.true_positive_rate, (40, 50)),
        (a.false_positive_rate, (20, 70)),
        (a.precision, (40, 60)),
        (a.false_omission_rate, (10, 60)),
        (a.accuracy, (90, 120)),
        (b.false_negative_rate, (12, 40)),
        (b.true_negative_rate, (30, 40)),
        (b.false_discovery_rate, (10, 38)),
        (b.share_of_selected, (38, 98)),
    ] {
        let (ours, theirs) = (ours.unwrap(), wilson(part, whole).unwrap());
        assert_eq!(ours.n, theirs.n);
        close(ours.value, theirs.value, 1e-15);
        close(ours.interval.low, theirs.interval.low, 1e-12);
        close(ours.interval.high, theirs.interval.high, 1e-12);
    }
    let theirs = newcombe_difference((28, 40), (40, 50)).unwrap();
    let ours = disparity(disparities, GroupMeasure::TruePositiveRate, is_largest);
    let difference = ours.difference.unwrap();
    close(difference.interval.low, theirs.interval.low, 1e-12);
    close(difference.interval.high, theirs.interval.high, 1e-12);
    // One comparison: nothing to correct.
    assert_eq!(ours.difference_simultaneous, Some(difference.interval));
    close(ours.ratio.unwrap().value, 0.875, 1e-15);
    // Net benefit at one half: a wrong selection weighs as much as a right one.
    close(a.net_benefit.unwrap().value, 20.0 / 120.0, 1e-15);
    close(a.mean_score.unwrap().value, 0.5, 1e-15);
    close(a.calibration_gap.unwrap().value, 50.0 / 120.0 - 0.5, 1e-15);
    // Two bins: 10 of 60 where 1/4 was said, 40 of 60 where 3/4 was said.
    close(a.expected_calibration_error.unwrap().value, (5.0 + 5.0) / 120.0, 1e-15);
    assert_eq!(a.reliability.len(), 2);
}

#[test]
fn the_area_between_curves_by_hand() {
    // Three scores. Corners of a: (0.2, 0.8), (0.4, 0.8); of b: (0.2, 0.4), (0.4, 0.8). The gap rises from 0
    // to 0.4 at 0.2 and falls to 0 at 0.4.
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    for (name, with, without) in [("a", [8, 0, 2], [2, 2, 6]), ("b", [4, 4, 2], [2, 2, 6])] {
        for (score, (with, without)) in [0.9, 0.5, 0.1].into_iter().zip(with.into_iter().zip(without)) {
            for (outcome, count) in [(true, with), (false, without)] {
                for _ in 0..count {
                    scores.push(score);
                    outcomes.push(outcome);
                    names.push(Some(name));
                }
            }
        }
    }
    let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 0, 199)).unwrap();
    let (_, disparities) = shown(&groups(&audit.attributes[0])[1]).unwrap();
    let area = disparity(disparities, GroupMeasure::Abroca, is_largest).difference.unwrap();
    close(area.value, 0.5 * 0.4 * 0.4, 1e-15);
    assert!(area.interval.low <= area.value && area.value <= area.interval.high);
}

#[test]
fn a_gap_is_present_absent_or_not_to_be_told() {
    let size = 4_000;
    let rate = |selected: usize| [size / 2, selected, 100, 100 - 50];
    let table = table(&[
        ("all", [4_001, 1_000, 300, 300]),
        ("alike", [4_000, 1_000, 300, 300]),
        ("few", [40, 10, 10, 10]),
        ("more", rate(2_000)),
    ]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 199)).unwrap();
    let verdicts: Vec<(String, DisparityVerdict)> = groups(&audit.attributes[0])
        .iter()
        .filter(|group| group.name() != "all")
        .map(|group| {
            let found = disparity(shown(group).unwrap().1, GroupMeasure::SelectionRate, is_largest);
            assert!(found.smallest_shown.unwrap() > 0.0 && found.critical.unwrap() > 1.96);
            (group.name(), found.verdict)
        })
        .collect();
    let expected = [
        ("alike".to_owned(), DisparityVerdict::AbsentWithin),
        ("few".to_owned(), DisparityVerdict::CannotTell),
        ("more".to_owned(), DisparityVerdict::Present),
    ];
    assert_eq!(verdicts, expected);
    let AttributeFinding::Measured { criteria, .. } = &audit.attributes[0].finding else { panic!() };
    assert_eq!(criteria.len(), Criterion::ALL.len());
    let parity = &criteria[0];
    assert_eq!((parity.criterion, parity.verdict), (Criterion::StatisticalParity, DisparityVerdict::Present));
    let set_by = parity.set_by.as_ref().unwrap();
    assert_eq!((set_by.group.as_str(), set_by.n), ("more", 4_150));
    assert_eq!(criteria[5].criterion, Criterion::FourFifthsRule);
    assert_eq!(criteria[5].verdict, DisparityVerdict::Present);
}

#[test]
fn not_known_is_a_group_and_not_held_is_not_measurable() {
    let n = 200;
    let values = [Some("x"), None, Some("REFU"), Some("nobt"), Some("Unknown"), Some(""), Some("n/a")];
    let more = [Some("NULL"), Some("nan"), Some("Not stated"), Some("Prefer not to say"), Some("x")];
    let names: Vec<Option<&str>> = (0..n).map(|row| [&values[..], &more].concat()[row % 12]).collect();
    let scores: Vec<f64> = (0..n).map(|row| (row % 7) as f64 / 7.0).collect();
    let outcomes: Vec<bool> = (0..n).map(|row| row % 3 == 0).collect();
    let table = ScoreTable::new(scores, outcomes).unwrap();
    let nobody = vec![None; n];
    let table = table.group("faith", &names).unwrap().group("sex", &nobody).unwrap().not_held("age").unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 39)).unwrap();
    let names: Vec<(String, bool)> =
        groups(&audit.attributes[0]).iter().map(|group| (group.name(), group.known)).collect();
    let expected = [("x", true), (NOT_OBTAINED, false), (REFUSED, false), (UNKNOWN, false)];
    assert_eq!(names, expected.map(|(name, known)| (name.to_owned(), known)));
    for attribute in &audit.attributes[1..] {
        assert!(matches!(attribute.finding, AttributeFinding::NotMeasurable { .. }));
    }
    assert!(table.clone().group("sex", &nobody).is_err());
}

#[test]
fn a_list_of_limited_length_says_who_was_tied() {
    let scores = vec![0.9, 0.5, 0.5, 0.5, 0.1];
    let table = ScoreTable::new(scores, vec![true, false, true, false, false]).unwrap();
    let audit = table.audit(&params(OperatingPoint::Capacity(Capacity::Cases(2)), 0, 39)).unwrap();
    assert_eq!(audit.operating.tied, Some(Tie { rows: 3, places: 1 }));
    assert_eq!(audit.operating.threshold_chance, Some(0.5));
    assert_eq!(audit.selected, Some(2));
    // Not chances: no calibration, no net benefit, but ranking all the same.
    let scores: Vec<f64> = (0..40).map(|row| f64::from(row) - 20.0).collect();
    let outcomes = (0..40).map(|row| row % 3 > 0).collect();
    let table = ScoreTable::new(scores, outcomes).unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(0.0), 10, 39)).unwrap();
    assert_eq!(audit.scores, ScoreScale::Points);
    assert!(audit.whole.auc.is_some() && audit.whole.mean_score.is_some());
    assert_eq!((audit.whole.net_benefit, audit.whole.calibration_slope), (None, None));
}

#[test]
fn what_cannot_be_audited_is_refused() {
    let table = || table(&[("a", [10, 10, 10, 10]), ("b", [10, 10, 10, 10])]);
    let good = params(OperatingPoint::Threshold(0.5), 10, 39);
    let refused = |change: fn(&mut AuditParams)| {
        let mut bad = good.clone();
        change(&mut bad);
        table().audit(&bad).unwrap_err()
    };
    assert_eq!(refused(|p| p.operating = OperatingPoint::Predicted), AuditError::NoPrediction);
    assert_eq!(refused(|p| p.minimum = 81), AuditError::TooFewPeople { n: 80, minimum: 81 });
    let column = "area".to_owned();
    assert_eq!(
        refused(|p| p.references = vec![("area".to_owned(), "c".to_owned())]),
        AuditError::Reference { column }
    );
    for change in [
        (|p| p.margin = 0.0) as fn(&mut AuditParams),
        |p| p.margin = 1.0,
        |p| p.margin = f64::NAN,
        |p| p.intersections = 3,
        |p| p.round_to = Some(1),
        |p| p.bootstrap.resamples = 38,
        |p| p.operating = OperatingPoint::Threshold(f64::NAN),
        |p| p.operating = OperatingPoint::Capacity(Capacity::Share(1.5)),
    ] {
        assert!(matches!(refused(change), AuditError::Parameter { .. }));
    }
    assert_eq!(ScoreTable::new(vec![f64::NAN], vec![true]).unwrap_err(), AuditError::Score { row: 0 });
    assert!(ScoreTable::new(vec![0.5], vec![]).is_err());
    assert_eq!(table().weights(vec![0.0; 80]).unwrap_err(), AuditError::Weight { row: 0 });
    assert!(table().clusters(vec![1]).is_err());
    let ids: Vec<String> = (0..1_001).map(|id| id.to_string()).collect();
    let ids: Vec<Option<&str>> = ids.iter().map(|id| Some(id.as_str())).collect();
    let wide = ScoreTable::new(vec![0.5; 1_001], vec![true; 1_001]).unwrap();
    assert!(matches!(wide.group("id", &ids).unwrap_err(), AuditError::TooManyGroups { .. }));
}

#[test]
fn the_group_that_others_are_compared_with_can_set_a_criterion() {
    // Each small group alone is too small to tell; the largest against all of them is not.
    let names: Vec<String> = (0..20).map(|nth| format!("small {nth}")).collect();
    let mut cells = vec![("large", [200, 200, 100, 100])];
    cells.extend(names.iter().map(|name| (name.as_str(), [8, 2, 2, 3])));
    let audit = table(&cells).audit(&params(OperatingPoint::Threshold(0.5), 2, 199)).unwrap();
    let parity = &criteria(&audit)[0];
    assert_eq!((parity.criterion, parity.verdict), (Criterion::StatisticalParity, DisparityVerdict::Present));
    assert_eq!(parity.set_by.as_ref().unwrap().group, "large");
    assert_eq!(parity.against, Some(Against::Largest("large".to_owned())));
    assert_eq!(parity.set_against(), Some(&Against::Whole));
}

#[test]
fn equalised_odds_allows_for_its_two_measures() {
    let table = table(&[("a", [50, 20, 10, 40]), ("b", [30, 10, 12, 28])]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 199)).unwrap();
    let odds = &criteria(&audit)[2];
    assert_eq!(odds.criterion, Criterion::EqualisedOdds);
    let (set_by, against) = (odds.set_by.as_ref().unwrap(), odds.set_against().unwrap());
    let group = groups(&audit.attributes[0]).iter().find(|group| group.name() == set_by.group).unwrap();
    let found = disparity(shown(group).unwrap().1, set_by.measure, |held| held == against);
    let (all, size) = (found.difference_simultaneous.unwrap(), set_by.size.unwrap());
    // One comparison reaches 1.96 standard errors, one of two measures 2.2414.
    let wider = 2.241_402_727_604_947 / found.critical.unwrap();
    close(size.interval.low, size.value - wider * (size.value - all.low), 1e-9);
    close(size.interval.high, size.value + wider * (all.high - size.value), 1e-9);
    assert!(wider > 1.05);
}

#[test]
fn a_single_group_is_compared_with_nobody() {
    let audit = table(&[("a", [50, 20, 10, 40])]);
    let audit = audit.audit(&params(OperatingPoint::Threshold(0.5), 10, 39)).unwrap();
    assert!(criteria(&audit).is_empty());
}

#[test]
fn a_mean_score_is_shown_only_where_the_selection_is() {
    // Three of b are selected; c goes with it.
    let table = table(&[("a", [90, 50, 30, 30]), ("b", [30, 2, 30, 1]), ("c", [30, 20, 20, 20])]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 39)).unwrap();
    let (a, _) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let (b, disparities) = shown(&groups(&audit.attributes[0])[1]).unwrap();
    assert!(a.mean_score.is_some() && a.calibration_gap.is_some() && !a.reliability.is_empty());
    assert!(b.prevalence.is_some() && b.selection_rate.is_none());
    assert!(b.mean_score.is_none() && b.calibration_gap.is_none() && b.reliability.is_empty());
    assert!(disparity(disparities, GroupMeasure::MeanScore, is_largest).difference.is_none());
}
