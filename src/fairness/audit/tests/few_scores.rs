//! What few different scores, and groups within groups, must not tell.

use super::*;

#[test]
fn two_score_values_tell_no_cell_by_their_curve() {
    let rows = [(0.0, false, 100), (1.0, false, 60), (0.0, true, 57), (1.0, true, 3)];
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    for (name, times) in [("d", 1), ("e", 8)] {
        for (score, outcome, count) in rows {
            for _ in 0..count * times {
                scores.push(score);
                outcomes.push(outcome);
                names.push(Some(name));
            }
        }
    }
    let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 99)).unwrap();
    for group in groups(&audit.attributes[0]) {
        let (group, disparities) = shown(group).unwrap();
        assert!(group.cells_withheld && group.auc.is_none() && group.average_precision.is_none());
        assert!(group.withholds(GroupMeasure::Auc));
        let area = disparities.iter().filter(|found| found.measure == GroupMeasure::Abroca);
        assert!(area.into_iter().all(|found| found.difference.is_none()));
    }
}

/// Broad and detailed: of the broad groups all are shown, and one of the detailed ones within `w` has five people.
#[test]
fn groups_within_groups_cannot_be_subtracted() {
    let rows = |cells: &[(&'static str, &'static str, usize)]| {
        let each = cells
            .iter()
            .flat_map(|&(broad, detailed, times)| (0..times).map(move |row| (broad, detailed, row)));
        let each: Vec<_> = each.collect();
        let column = |of: fn(&(&'static str, &'static str, usize)) -> &'static str| {
            each.iter().map(|row| Some(of(row))).collect::<Vec<_>>()
        };
        let scores = each.iter().map(|row| (row.2 % 83) as f64 / 83.0).collect();
        let outcomes = each.iter().map(|row| row.2 % 3 == 0).collect();
        let table = ScoreTable::new(scores, outcomes).unwrap();
        (column(|row| row.0), column(|row| row.1), table)
    };
    let names = |audit: &Audit, nth: usize| -> Vec<String> {
        groups(&audit.attributes[nth])
            .iter()
            .filter(|group| shown(group).is_some())
            .map(AuditedGroup::name)
            .collect()
    };
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let params = params(OperatingPoint::Threshold(0.5), 10, 39);
    let cells = [
        ("w", "w1", 700),
        ("w", "w2", 60),
        ("w", "w3", 5),
        ("a", "a1", 150),
        ("a", "a2", 140),
        ("o", "o1", 90),
    ];
    let (broad, detailed, table) = rows(&cells);
    for order in [["broad", "detailed"], ["detailed", "broad"]] {
        let column = |name: &str| if name == "broad" { &broad } else { &detailed };
        let both = order.iter().fold(table.clone(), |table, name| table.group(name, column(name)).unwrap());
        let audit = both.audit(&params).unwrap();
        let place = |name: &str| order.iter().position(|held| *held == name).unwrap();
        assert_eq!(names(&audit, place("broad")), ["a", "o", "w"]);
        // By itself w3 would be joined by w2, the next in size, which is what there is: within w both are unknown.
        assert_eq!(names(&audit, place("detailed")), ["a1", "a2", "o1", "w1"]);
    }
    // The next in size is in another broad group: it is one within w that joins, and nothing else has to.
    let cells = [("w", "w1", 700), ("w", "w2", 160), ("w", "w3", 5), ("a", "a1", 150), ("a", "a2", 14)];
    let (broad, detailed, table) = rows(&cells);
    let audit = table.group("broad", &broad).unwrap().group("detailed", &detailed).unwrap();
    let audit = audit.audit(&params).unwrap();
    assert_eq!((names(&audit, 0), names(&audit, 1)), (owned(&["a", "w"]), owned(&["a1", "a2", "w1"])));
    // A broad group of one small group alone goes with it.
    let cells = [("w", "w1", 700), ("w", "w2", 160), ("o", "o1", 5), ("a", "a1", 150)];
    let (broad, detailed, table) = rows(&cells);
    let audit = table.group("broad", &broad).unwrap().group("detailed", &detailed).unwrap();
    let audit = audit.audit(&params).unwrap();
    for nth in [0, 1] {
        let names = names(&audit, nth);
        assert!(!names.iter().any(|name| name.starts_with('o') || name.starts_with('a')), "{names:?}");
    }
}

/// A score, and how many have it without the outcome and with it.
type AtOne = (f64, usize, usize);

/// Rows by name.
fn at_scores(groups: &[(&'static str, &[AtOne])]) -> ScoreTable {
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    for &(name, rows) in groups {
        for &(score, without, with) in rows {
            for row in 0..without + with {
                scores.push(score);
                outcomes.push(row >= without);
                names.push(Some(name));
            }
        }
    }
    ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap()
}

const OF_SCORES: [GroupMeasure; 7] = [
    GroupMeasure::Auc,
    GroupMeasure::AveragePrecision,
    GroupMeasure::MeanScore,
    GroupMeasure::CalibrationGap,
    GroupMeasure::CalibrationSlope,
    GroupMeasure::CalibrationIntercept,
    GroupMeasure::ExpectedCalibrationError,
];

/// A few figures of three scores are equations for how many people are at each: none of them is told where one is few, of the
/// group nor of the one that it could be subtracted from.
#[test]
fn figures_of_few_scores_tell_nobody_at_one_of_them() {
    let plenty = [(0.1, 300, 30), (0.31, 200, 60), (0.72, 100, 80)];
    let more = [(0.1, 400, 40), (0.31, 300, 90), (0.72, 150, 120)];
    let few = [(0.1, 60, 20), (0.31, 40, 20), (0.72, 15, 4)];
    let table = at_scores(&[("a", &more), ("b", &plenty), ("c", &few)]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.3), 10, 99)).unwrap();
    let found: Vec<_> = groups(&audit.attributes[0]).iter().map(|group| shown(group).unwrap()).collect();
    let withheld = found.iter().map(|group| group.0.scores_withheld).collect::<Vec<_>>();
    assert_eq!(withheld, [false, true, true]);
    let (a, b, c) = (found[0].0, found[1].0, found[2].0);
    for measure in OF_SCORES {
        assert!(a.figure(measure).is_some(), "{measure}");
        for group in [b, c] {
            assert!(group.figure(measure).is_none() && group.withholds(measure), "{measure}");
        }
    }
    assert!(!a.reliability.is_empty() && b.reliability.is_empty() && c.reliability.is_empty());
    assert!(c.true_positive_rate.is_some(), "40 and 24 of 44, 55 of 115: no cell of the cut is few");
    // The comparison of b with c is made, and no number of it told.
    let with_largest = disparity(found[2].1, GroupMeasure::Auc, is_largest);
    assert!(with_largest.difference.is_none() && with_largest.smallest_shown.is_none());
    // Without suppression all is told.
    let all = table.audit(&params(OperatingPoint::Threshold(0.3), 1, 99)).unwrap();
    let every = groups(&all.attributes[0]);
    assert!(every.iter().all(|group| shown(group).unwrap().0.auc.is_some()));
}

/// Up to twenty scores somebody could try all tables; beyond that figures are told.
#[test]
fn figures_of_many_scores_are_told() {
    for (values, is_told) in [(8, false), (20, false), (21, true)] {
        let rows = |times: usize| -> Vec<AtOne> {
            let score = |nth: usize| (nth as f64 + 0.37) / values as f64;
            (0..values)
                .map(|nth| (score(nth), (13 + 3 * (values - nth)) * times, (3 + nth) * times))
                .collect()
        };
        let (small, large) = (rows(1), rows(30));
        let table = at_scores(&[("large", &large), ("small", &small)]);
        let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 99)).unwrap();
        let (group, disparities) = shown(&groups(&audit.attributes[0])[1]).unwrap();
        assert_eq!(group.scores_withheld, !is_told, "{values}");
        for measure in OF_SCORES {
            assert_eq!(group.figure(measure).is_some(), is_told, "{values}: {measure}");
        }
        for measure in [GroupMeasure::Auc, GroupMeasure::Abroca, GroupMeasure::MeanScore] {
            let found = disparity(disparities, measure, is_largest);
            assert_eq!(found.difference.is_some(), is_told, "{measure}");
        }
    }
}

/// What counts as no difference of mean scores is a fifth of everybody's share with the outcome.
#[test]
fn the_margin_of_the_mean_score_tells_nobody() {
    let many: Vec<AtOne> = (0..40).map(|nth| (f64::from(nth) / 41.0, 30, usize::from(nth > 32))).collect();
    let table = at_scores(&[("a", &many[..]), ("b", &many[..20])]);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 99)).unwrap();
    assert_eq!(audit.positives, None);
    let (_, disparities) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let means = disparities.iter().filter(|found| found.measure == GroupMeasure::MeanScore);
    assert!(means.into_iter().all(|found| found.margin.is_none()));
}

/// The number at a score that is not listed follows from those that are, if it is the only one.
#[test]
fn common_scores_leave_no_few_behind() {
    let spread = |rows: &[(f64, usize, usize)]| {
        let audit = at_scores(&[("a", rows)]).audit(&params(OperatingPoint::Threshold(0.5), 10, 39)).unwrap();
        audit.spread.unwrap().commonest.iter().map(|common| (common.score, common.rows)).collect::<Vec<_>>()
    };
    assert_eq!(spread(&[(0.1, 80, 20), (0.3, 40, 20), (0.7, 20, 20)]), [(0.1, 100), (0.3, 60), (0.7, 40)]);
    // Four have 0.9: sums of the others, of those selected and of all would tell them.
    let few = [(0.1, 80, 20), (0.3, 40, 20), (0.7, 20, 20), (0.9, 2, 2)];
    assert_eq!(spread(&few), []);
    // Of many scores one that few have is joined by the next.
    let mut many: Vec<AtOne> = (0..21).map(|nth| (0.5 + f64::from(nth) / 100.0, 15, 15)).collect();
    (many[0].1, many[1].1) = (60, 40);
    assert_eq!(spread(&many), [(0.5, 75), (0.51, 55), (0.7, 30)]);
    assert_eq!(spread(&[(0.1, 80, 20), (0.7, 2, 2)]), []);
}
