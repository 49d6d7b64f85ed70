//! Verdicts that a careful auditor could not call wrong: worst cases, ties, everybody, and what is withheld.

use super::*;
use crate::evaluate::Capacity;
use crate::fairness::audit::suppress::gives_away;

const THRESHOLD: OperatingPoint = OperatingPoint::Threshold(0.5);

fn verdict_of(audit: &Audit, which: Criterion) -> DisparityVerdict {
    criterion(audit, which).verdict
}

/// The comparison of the second group with the largest.
fn second(audit: &Audit, measure: GroupMeasure) -> &Disparity {
    let (_, disparities) = shown(&groups(&audit.attributes[0])[1]).unwrap();
    disparity(disparities, measure, is_largest)
}

#[test]
fn the_worst_that_a_list_can_do_to_a_group_is_found() {
    // a: 30% of 2,000 selected; b: nobody, or everybody.
    let a = [1_000, 400, 400, 200];
    for (b, value) in [([1_400, 0, 600, 0], -0.3), ([0, 1_400, 0, 600], 0.7)] {
        for minimum in [1, 10] {
            let audit = table(&[("a", a), ("b", b)]).audit(&params(THRESHOLD, minimum, 199)).unwrap();
            for which in [
                Criterion::StatisticalParity,
                Criterion::EqualOpportunity,
                Criterion::EqualisedOdds,
                Criterion::FourFifthsRule,
            ] {
                assert_eq!(verdict_of(&audit, which), DisparityVerdict::Present, "{which} {minimum}");
            }
            let (figures, _) = shown(&groups(&audit.attributes[0])[1]).unwrap();
            assert_eq!(figures.selected, Some(if value < 0.0 { 0 } else { 2_000 }));
            close(second(&audit, GroupMeasure::SelectionRate).difference.unwrap().value, value, 1e-12);
            assert!(
                second(&audit, GroupMeasure::TruePositiveRate).difference.unwrap().interval.low.abs() > 0.2
            );
        }
    }
    // As many rows again whose base is the group of whom nobody is selected.
    let audit = table(&[("a", a), ("b", [1_500, 0, 600, 0])]).audit(&params(THRESHOLD, 10, 199)).unwrap();
    assert_eq!(verdict_of(&audit, Criterion::FourFifthsRule), DisparityVerdict::Present);
    // An outcome that nobody, or everybody, of a group had.
    for b in [[1_400, 600, 0, 0], [0, 0, 1_400, 600]] {
        let audit = table(&[("a", a), ("b", b)]).audit(&params(THRESHOLD, 10, 199)).unwrap();
        let found = second(&audit, GroupMeasure::Prevalence);
        assert_eq!(found.verdict, DisparityVerdict::Present);
        assert!(found.difference.is_some());
    }
}

#[test]
fn a_number_is_withheld_and_its_finding_is_not() {
    // Of group b one of 242 is selected, of a three in ten.
    let cells = [("a", [1_000, 400, 400, 200]), ("b", [150, 0, 91, 1]), ("c", [180, 20, 20, 20])];
    let audit = table(&cells).audit(&params(THRESHOLD, 10, 199)).unwrap();
    let (figures, _) = shown(&groups(&audit.attributes[0])[1]).unwrap();
    assert_eq!((figures.selected, figures.selection_rate), (None, None));
    let found = second(&audit, GroupMeasure::SelectionRate);
    assert_eq!((found.verdict, found.difference), (DisparityVerdict::Present, None));
    let parity = criterion(&audit, Criterion::StatisticalParity);
    assert_eq!(parity.verdict, DisparityVerdict::Present);
    let setter = parity.set_by.as_ref().unwrap();
    assert_eq!((setter.group.as_str(), setter.size, setter.denominator), ("b", None, None));
    // Nothing of it stands anywhere else, and nothing at all is withheld where that is asked for.
    let text = serde_json::to_string(&audit).unwrap();
    assert!(!text.contains("0.00413"), "{text}");
    let open = params(THRESHOLD, AuditParams::NOTHING_HELD_BACK, 199);
    let audit = table(&cells).audit(&open).unwrap();
    close(second(&audit, GroupMeasure::SelectionRate).difference.unwrap().value, 1.0 / 242.0 - 0.3, 1e-12);
    // The verdicts are the same.
    assert_eq!(found.verdict, second(&audit, GroupMeasure::SelectionRate).verdict);
}

#[test]
fn a_verdict_that_tells_a_small_number_is_withheld() {
    // Under ten of twenty: one more would be said differently, so what is said of nine tells nine.
    let said = |number: u64| number >= 9;
    assert!(gives_away((9, 200), 10, &true, |number| said(number) && number < 100));
    assert!(!gives_away((3, 200), 10, &false, said));
    // Numbers that are not small, and none, are shown anyway.
    assert!(!gives_away((0, 200), 10, &true, |_| false));
    assert!(!gives_away((12, 200), 10, &true, |_| false));
    // As is a small number on the other side.
    assert!(gives_away((198, 200), 10, &1, |number| u64::from(number == 198)));
    let report = DisparityVerdict::Withheld;
    assert_eq!(report.to_string(), "withheld");
}

/// A score, whether the outcome followed, and the group.
type Row = (f64, bool, &'static str);

/// Twenty of 9 points, 120 of 8 and sixty of 3 in each of two groups, in an order; outcomes as told.
fn tied(order: impl Fn(&mut Vec<Row>)) -> ScoreTable {
    let mut rows = Vec::new();
    for group in ["F", "M"] {
        for (score, n, positives) in [(9.0, 20, 10), (8.0, 120, 40), (3.0, 60, 12)] {
            rows.extend((0..n).map(|nth| (score, nth < positives, group)));
        }
    }
    order(&mut rows);
    let names: Vec<Option<&str>> = rows.iter().map(|row| Some(row.2)).collect();
    let outcomes = rows.iter().map(|row| row.1).collect();
    ScoreTable::new(rows.iter().map(|row| row.0).collect(), outcomes).unwrap().group("sex", &names).unwrap()
}

#[test]
fn a_tie_at_the_cut_is_shared() {
    let params = params(OperatingPoint::Capacity(Capacity::Cases(100)), 10, 199);
    let orders: [fn(&mut Vec<Row>); 3] =
        [|_| {}, |rows| rows.reverse(), |rows| rows.sort_by_key(|row| !row.1)];
    let audits: Vec<Audit> = orders.iter().map(|order| tied(order).audit(&params).unwrap()).collect();
    let first = serde_json::to_string(&audits[0]).unwrap();
    for audit in &audits {
        assert_eq!(serde_json::to_string(audit).unwrap(), first);
        assert_eq!(audit.operating.tied, Some(Tie { rows: 240, places: 60 }));
        assert_eq!(audit.selected, Some(100));
        for group in groups(&audit.attributes[0]) {
            let (figures, _) = shown(group).unwrap();
            // 20 + 120 × 60/240 of 200; with the outcome 10 + 40/4 of 62.
            assert_eq!(figures.selected, Some(50));
            close(figures.selection_rate.unwrap().value, 0.25, 1e-15);
            close(figures.true_positive_rate.unwrap().value, 20.0 / 62.0, 1e-15);
            close(figures.precision.unwrap().value, 20.0 / 50.0, 1e-15);
            close(figures.false_omission_rate.unwrap().value, 42.0 / 150.0, 1e-15);
            close(figures.accuracy.unwrap().value, (20.0 + 108.0) / 200.0, 1e-15);
        }
        for measure in GroupMeasure::COMPARED {
            let found = second(audit, measure);
            if let Some(difference) = found.difference {
                close(difference.value, 0.0, 1e-12);
            }
            assert_ne!(found.verdict, DisparityVerdict::Present, "{measure}");
        }
    }
}

/// The mean over many orders of equals is what a shared tie gives, with weights and families as well.
#[test]
fn a_shared_tie_is_the_mean_over_orders() {
    let mut made = Made::seeded(5);
    let n = 240;
    let scores: Vec<f64> = (0..n).map(|_| (made.uniform() * 5.0).floor() / 5.0).collect();
    let outcomes: Vec<bool> = scores.iter().map(|score| made.uniform() < 0.2 + 0.5 * score).collect();
    let weights: Vec<f64> = (0..n).map(|_| 0.5 + made.uniform()).collect();
    let names: Vec<Option<&str>> = (0..n).map(|row| Some(["a", "b"][row % 2])).collect();
    let families: Vec<u32> = (0..n as u32).map(|row| row / 3).collect();
    let table = |predicted: Option<Vec<bool>>| {
        let table = ScoreTable::new(scores.clone(), outcomes.clone()).unwrap();
        let table = table.weights(weights.clone()).unwrap().clusters(families.clone()).unwrap();
        let table = table.group("area", &names).unwrap();
        predicted.map_or(table.clone(), |predicted| table.predicted(predicted).unwrap())
    };
    let places = 61_u32;
    let capacity = OperatingPoint::Capacity(Capacity::Cases(places));
    let shared = table(None).audit(&params(capacity, 1, 39)).unwrap();
    let tie = shared.operating.tied.unwrap();
    assert!(tie.places < tie.rows && tie.rows > 20);
    let measures =
        [GroupMeasure::SelectionRate, GroupMeasure::TruePositiveRate, GroupMeasure::FalsePositiveRate];
    let (sets, mut sums) = (400, [0.0; 3]);
    for _ in 0..sets {
        let mut lots: Vec<(f64, f64, usize)> =
            (0..n).map(|row| (-scores[row], made.uniform(), row)).collect();
        lots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut predicted = vec![false; n];
        lots[..places as usize].iter().for_each(|lot| predicted[lot.2] = true);
        let audit = table(Some(predicted)).audit(&params(OperatingPoint::Predicted, 1, 39)).unwrap();
        let (figures, _) = shown(&groups(&audit.attributes[0])[0]).unwrap();
        for (sum, measure) in sums.iter_mut().zip(measures) {
            *sum += figures.figure(measure).unwrap().value / f64::from(sets);
        }
    }
    let (figures, _) = shown(&groups(&shared.attributes[0])[0]).unwrap();
    for (mean, measure) in sums.iter().zip(measures) {
        // A single order's figure varies by some 0.05, so the mean of 400 by 0.0025.
        close(figures.figure(measure).unwrap().value, *mean, 0.01);
    }
}

#[test]
fn everybody_holds_the_group_itself() {
    // 18 of 100 and 10 of 100: against each other no finding, so none against everybody either.
    let audit = table(&[("a", [82, 18, 0, 0]), ("b", [90, 10, 0, 0])]);
    let audit = audit.audit(&params(THRESHOLD, 1, 199)).unwrap();
    let (_, disparities) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let found = disparity(disparities, GroupMeasure::SelectionRate, |held| *held == Against::Whole);
    let difference = found.difference.unwrap();
    // Half of Newcombe's interval of the two groups.
    let halves = crate::stats::newcombe_difference((18, 100), (10, 100)).unwrap();
    close(difference.value, 0.04, 1e-15);
    close(difference.interval.low, halves.interval.low / 2.0, 1e-12);
    close(difference.interval.high, halves.interval.high / 2.0, 1e-12);
    assert!((-0.010..-0.008).contains(&difference.interval.low), "{difference:?}");
    assert!((0.088..0.090).contains(&difference.interval.high), "{difference:?}");
    let ratio = found.ratio.unwrap();
    close(ratio.value, 18.0 / 14.0, 1e-12);
    // On the same side of 1 as the difference is of 0.
    assert!(ratio.interval.low < 1.0 && ratio.interval.high > ratio.value);
    assert_eq!(found.verdict, DisparityVerdict::CannotTell);
    // Where the others have none at all, the ratio to everybody has a bound.
    let audit = table(&[("a", [82, 18, 0, 0]), ("b", [300, 0, 0, 0])]);
    let audit = audit.audit(&params(THRESHOLD, 1, 199)).unwrap();
    let (_, disparities) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let found = disparity(disparities, GroupMeasure::SelectionRate, |held| *held == Against::Whole);
    close(found.ratio.unwrap().value, 4.0, 1e-12);
    assert!(found.ratio.unwrap().interval.high <= 4.0 + 1e-12 && found.ratio.unwrap().interval.low > 2.0);
}

/// Group against everybody with families in both groups and with weights: the figures of a bootstrap by hand.
#[test]
fn the_difference_from_everybody_knows_of_families() {
    let mut made = Made::seeded(8);
    let families = 400_u32;
    let (mut scores, mut names, mut clusters) = (vec![], vec![], vec![]);
    for family in 0..families {
        // Siblings of both groups, who are mostly selected together.
        let together = made.uniform() < 0.3;
        for group in ["a", "b", "b"] {
            let selected = if made.uniform() < 0.8 { together } else { made.uniform() < 0.3 };
            scores.push(if selected { 0.9 } else { 0.1 });
            names.push(Some(group));
            clusters.push(family);
        }
    }
    let n = scores.len();
    let table = ScoreTable::new(scores.clone(), vec![false; n]).unwrap();
    let table = table.clusters(clusters).unwrap().group("area", &names).unwrap();
    let audit = table.audit(&params(THRESHOLD, 1, 199)).unwrap();
    let (_, disparities) = shown(&groups(&audit.attributes[0])[0]).unwrap();
    let found = disparity(disparities, GroupMeasure::SelectionRate, |held| *held == Against::Whole);
    let difference = found.difference.unwrap();
    let mut drawn = Vec::new();
    for _ in 0..4_000 {
        let (mut part, mut all) = ([0.0; 2], [0.0; 2]);
        for _ in 0..families {
            let first = (made.uniform() * f64::from(families)) as usize * 3;
            for row in first..first + 3 {
                let selected = f64::from(u8::from(scores[row] > 0.5));
                all = [all[0] + selected, all[1] + 1.0];
                if names[row] == Some("a") {
                    part = [part[0] + selected, part[1] + 1.0];
                }
            }
        }
        drawn.push(part[0] / part[1] - all[0] / all[1]);
    }
    drawn.sort_by(f64::total_cmp);
    close(difference.interval.low, drawn[100], 0.003);
    close(difference.interval.high, drawn[3_899], 0.003);
}

#[test]
fn a_criterion_is_present_where_one_that_it_holds_is() {
    // Over tables in which the true-positive rates differ more and more, and the others do not.
    let mut held = [0; 2];
    for missed in 10..60 {
        let cells = [("a", [300, 100, 40, 60]), ("b", [300, 100, missed, 100 - missed])];
        let audit = table(&cells).audit(&params(THRESHOLD, 1, 199)).unwrap();
        let opportunity = verdict_of(&audit, Criterion::EqualOpportunity);
        let odds = verdict_of(&audit, Criterion::EqualisedOdds);
        held[usize::from(opportunity == DisparityVerdict::Present)] += 1;
        if opportunity == DisparityVerdict::Present {
            assert_eq!(odds, DisparityVerdict::Present, "{missed}");
        }
        if verdict_of(&audit, Criterion::FourFifthsRule) == DisparityVerdict::Present {
            assert_eq!(verdict_of(&audit, Criterion::StatisticalParity), DisparityVerdict::Present);
        }
    }
    assert!(held[0] > 5 && held[1] > 5, "{held:?}");
}

#[test]
fn a_margin_is_no_wider_than_a_fifth_of_what_everybody_has() {
    // Lists of 1% and of 2%: ten thousand each, which a margin of five points would call alike.
    let cells = [("a", [9_400, 100, 450, 50]), ("b", [9_410, 90, 460, 40])];
    let audit = table(&cells).audit(&params(THRESHOLD, 10, 199)).unwrap();
    let found = second(&audit, GroupMeasure::SelectionRate);
    close(found.margin.unwrap(), 0.2 * 280.0 / 20_000.0, 1e-12);
    assert_eq!(found.verdict, DisparityVerdict::CannotTell);
    // Where shares are not small it is the one asked for; of curves it always is.
    let audit = table(&[("a", [50, 20, 10, 40]), ("b", [30, 10, 12, 28])]);
    let audit = audit.audit(&params(THRESHOLD, 10, 199)).unwrap();
    assert_eq!(second(&audit, GroupMeasure::SelectionRate).margin, Some(0.05));
    assert_eq!(second(&audit, GroupMeasure::Auc).margin, Some(0.05));
    let complement = second(&audit, GroupMeasure::FalseNegativeRate).margin.unwrap();
    close(complement, second(&audit, GroupMeasure::TruePositiveRate).margin.unwrap(), 1e-12);
}

#[test]
fn spellings_of_one_group_are_one_group() {
    let n = 120;
    let spelt = ["White British", "white british", " White  British ", "Asian", "ASIAN", "White British"];
    let scores: Vec<f64> = (0..n).map(|row| (row % 11) as f64 / 11.0).collect();
    let outcomes: Vec<bool> = (0..n).map(|row| row % 3 == 0).collect();
    let audit = |names: &[Option<&str>]| {
        let table = ScoreTable::new(scores.clone(), outcomes.clone()).unwrap();
        let mut params = params(THRESHOLD, 5, 99);
        params.references = vec![("ethnicity".to_owned(), "WHITE british".to_owned())];
        table.group("ethnicity", names).unwrap().audit(&params).unwrap()
    };
    let names: Vec<Option<&str>> = (0..n).map(|row| Some(spelt[row % 6])).collect();
    let found = audit(&names);
    let named: Vec<String> = groups(&found.attributes[0]).iter().map(AuditedGroup::name).collect();
    assert_eq!(named, ["asian", "white british"]);
    let tidy: Vec<Option<&str>> =
        (0..n).map(|row| Some(if matches!(row % 6, 3 | 4) { "ASIAN" } else { "White British" })).collect();
    assert_eq!(serde_json::to_string(&found).unwrap(), serde_json::to_string(&audit(&tidy)).unwrap());
    let AttributeFinding::Measured { reference, .. } = &found.attributes[0].finding else { panic!() };
    assert_eq!(reference.as_deref(), Some("white british"));
}

#[test]
fn scores_that_stand_for_none_and_scores_of_safety_show() {
    let n = 600;
    let scores: Vec<f64> = (0..n).map(|row| if row % 5 == 0 { -99.0 } else { (row % 97) as f64 }).collect();
    let outcomes: Vec<bool> = scores.iter().map(|score| *score < 30.0 && *score > -1.0).collect();
    let names: Vec<Option<&str>> = (0..n).map(|row| Some(["a", "b"][row % 2])).collect();
    let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(50.0), 10, 99)).unwrap();
    let spread = audit.spread.as_ref().unwrap();
    assert_eq!((spread.lowest, spread.highest), (-99.0, 96.0));
    // All others are had by fewer than ten.
    assert_eq!(spread.commonest, [CommonScore { score: -99.0, rows: 120 }]);
    assert!(audit.is_inverted());
    let all = params(OperatingPoint::Capacity(Capacity::Cases(601)), 10, 99);
    assert!(matches!(table.audit(&all).unwrap_err(), AuditError::Parameter { .. }));
}

/// Two groups that do not differ: how often a difference in selection is called present, before and after the
/// correction for several groups.
#[test]
fn no_difference_is_called_present_as_often_as_an_interval_errs() {
    let sets = 400;
    for (values, n, families) in [(3, 60, false), (5, 300, true), (1_000_000, 600, false)] {
        let mut made = Made::seeded(values + u64::from(n as u32));
        let (mut each, mut any, mut all) = (0.0, 0.0, 0.0);
        for _ in 0..sets {
            let (mut scores, mut outcomes, mut names, mut clusters) = (vec![], vec![], vec![], vec![]);
            for row in 0..4 * n {
                let lot = made.uniform();
                let score = if values > 100 { lot } else { (lot * values as f64).floor() / values as f64 };
                scores.push(score);
                outcomes.push(made.uniform() < 0.3);
                names.push(Some(["a", "b", "c", "d"][row % 4]));
                // Families of two of one group.
                clusters.push(if families { (row / 8 * 4 + row % 4) as u32 } else { row as u32 });
            }
            let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap();
            let table = if families { table.clusters(clusters).unwrap() } else { table };
            let capacity = OperatingPoint::Capacity(Capacity::Share(0.3));
            let audit = table.audit(&params(capacity, 1, 99)).unwrap();
            let mut present = false;
            for group in groups(&audit.attributes[0]) {
                let (_, disparities) = shown(group).unwrap();
                for found in disparities.iter().filter(|held| is_largest(&held.against)) {
                    if found.measure == GroupMeasure::SelectionRate {
                        let interval = found.difference.unwrap().interval;
                        each += f64::from(u8::from(interval.low > 0.0 || interval.high < 0.0));
                        all += 1.0;
                        present |= found.verdict == DisparityVerdict::Present;
                    }
                }
            }
            any += f64::from(u8::from(present));
        }
        let (each, any) = (each / all, any / f64::from(sets));
        println!("{values} values, groups of {n}: {each:.3} each, {any:.3} of any");
        // With a tie at the cut the lot that it stands for is in the interval, so it errs less often.
        assert!(each <= 0.075 && any <= 0.075, "{values}: {each} {any}");
        assert!(values < 100 || each >= 0.025, "{values}: {each}");
    }
}
