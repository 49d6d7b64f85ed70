//! What must not show, and what must not change.

use super::super::super::people::{Counted, Parts};
use super::super::suppress::{Guard, PairCells, hold_back};
use super::*;
use crate::evaluate::Capacity;

/// Rows with everything that a table can have.
struct Columns {
    scores: Vec<f64>,
    outcomes: Vec<bool>,
    weights: Vec<f64>,
    families: Vec<u32>,
    first: Vec<Option<&'static str>>,
    second: Vec<Option<&'static str>>,
}

impl Columns {
    fn new(seed: u64, n: usize) -> Self {
        let mut made = Made::seeded(seed);
        let pick = |made: &mut Made, names: &[Option<&'static str>]| {
            names[(made.uniform() * names.len() as f64) as usize]
        };
        let mut columns = Self {
            scores: vec![],
            outcomes: vec![],
            weights: vec![],
            families: vec![],
            first: vec![],
            second: vec![],
        };
        for row in 0..n {
            let outcome = made.uniform() < 0.4;
            columns.outcomes.push(outcome);
            // Many ties.
            let score = (made.uniform() * 20.0 + f64::from(u8::from(outcome)) * 5.0).floor() / 26.0;
            columns.scores.push(score);
            columns.weights.push(0.5 + made.uniform());
            columns.families.push((row / 3) as u32 * 7 + 5);
            columns.first.push(pick(&mut made, &[Some("a"), Some("b"), Some("b"), None]));
            columns.second.push(pick(&mut made, &[Some("x"), Some("y"), Some("z"), Some("z")]));
        }
        columns
    }

    fn table(&self, order: &[usize], weighted: bool, clustered: bool) -> ScoreTable {
        fn take<T: Copy>(from: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&row| from[row]).collect()
        }
        let mut table = ScoreTable::new(take(&self.scores, order), take(&self.outcomes, order)).unwrap();
        if weighted {
            table = table.weights(take(&self.weights, order)).unwrap();
        }
        if clustered {
            table = table.clusters(take(&self.families, order)).unwrap();
        }
        let (first, second) = (take(&self.first, order), take(&self.second, order));
        table.group("first", &first).unwrap().group("second", &second).unwrap()
    }
}

#[test]
fn neither_the_order_of_rows_nor_the_threads_change_a_bit() {
    let columns = Columns::new(3, 300);
    let order: Vec<usize> = (0..300).collect();
    let mut made = Made::seeded(9);
    let mut params = params(OperatingPoint::Threshold(0.5), 5, 199);
    params.intersections = 2;
    for (weighted, clustered) in [(false, false), (true, false), (false, true), (true, true)] {
        let audit = |order: &[usize], threads: usize| {
            let table = columns.table(order, weighted, clustered);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            serde_json::to_string(&pool.install(|| table.audit(&params)).unwrap()).unwrap()
        };
        let first = audit(&order, 1);
        assert_eq!(first, audit(&order, 3));
        for _ in 0..3 {
            let mut shuffled = order.clone();
            for row in (1..shuffled.len()).rev() {
                shuffled.swap(row, (made.uniform() * (row + 1) as f64) as usize);
            }
            assert_ne!(order, shuffled);
            assert_eq!(first, audit(&shuffled, 3));
        }
        let audit: Audit = serde_json::from_str(&first).unwrap();
        assert_eq!(serde_json::to_string(&audit).unwrap(), first);
        assert_eq!((audit.weighted, audit.clustered, audit.intersections.len()), (weighted, clustered, 1));
    }
}

#[test]
fn equal_weights_and_families_of_one_change_nothing_but_rounding() {
    let columns = Columns::new(4, 240);
    let order: Vec<usize> = (0..240).collect();
    let params = params(OperatingPoint::Threshold(0.5), 5, 399);
    let plain = columns.table(&order, false, false).audit(&params).unwrap();
    let table = columns.table(&order, false, false).weights(vec![3.0; 240]).unwrap();
    let table = table.clusters((0..240).rev().collect()).unwrap();
    let same = table.audit(&params).unwrap();
    for (a, b) in groups(&plain.attributes[0]).iter().zip(groups(&same.attributes[0])) {
        let ((a, differences), (b, others)) = (shown(a).unwrap(), shown(b).unwrap());
        for measure in GroupMeasure::COMPARED {
            let (Some(a), Some(b)) = (a.figure(measure), b.figure(measure)) else { continue };
            close(a.value, b.value, 1e-12);
            // Shares do not draw lots, the others do.
            let exact = matches!(measure, GroupMeasure::SelectionRate | GroupMeasure::TruePositiveRate);
            let tolerance = if exact { 1e-9 } else { 0.05 };
            close(a.interval.low, b.interval.low, tolerance);
            close(a.interval.high, b.interval.high, tolerance);
        }
        for (a, b) in differences.iter().zip(others) {
            if a.measure == GroupMeasure::SelectionRate {
                close(a.difference.unwrap().interval.low, b.difference.unwrap().interval.low, 1e-9);
            }
        }
    }
    // Copies of the same people in one family say no more than the people: the interval hardly narrows.
    let twice: Vec<usize> = order.iter().flat_map(|&row| [row, row]).collect();
    let copies = columns.table(&twice, false, false);
    let copies = copies.clusters(twice.iter().map(|&row| row as u32).collect()).unwrap();
    let copies = copies.audit(&params).unwrap();
    let (once, doubled) = (plain.whole.selection_rate.unwrap(), copies.whole.selection_rate.unwrap());
    close(once.interval.low, doubled.interval.low, 2e-3);
    close(once.interval.high, doubled.interval.high, 2e-3);
    let independent = columns.table(&twice, false, false).audit(&params).unwrap();
    let narrow = independent.whole.selection_rate.unwrap().interval;
    assert!(narrow.high - narrow.low < 0.8 * (doubled.interval.high - doubled.interval.low));
}

fn numbers(value: &serde_json::Value, into: &mut Vec<f64>) {
    match value {
        serde_json::Value::Number(number) => into.push(number.as_f64().unwrap()),
        serde_json::Value::Array(all) => all.iter().for_each(|value| numbers(value, into)),
        serde_json::Value::Object(all) => all.values().for_each(|value| numbers(value, into)),
        _ => {}
    }
}

#[test]
fn what_is_held_back_appears_nowhere() {
    // Group b has 7 rows; c goes with it. Group d has 6 rows with the outcome, and e goes with it.
    let cells: [(&str, [usize; 4]); 5] = [
        ("a", [400, 200, 100, 111]),
        ("b", [2, 2, 2, 1]),
        ("c", [20, 20, 13, 14]),
        ("d", [300, 293, 3, 3]),
        ("e", [100, 57, 40, 23]),
    ];
    let table = confusion(&cells);
    let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 99)).unwrap();
    let found = groups(&audit.attributes[0]);
    let listed: Vec<String> = found.iter().map(AuditedGroup::name).collect();
    assert_eq!(listed, ["a", "d", "e", "", ""], "those held back come last, without their names");
    assert!(shown(&found[3]).is_none() && shown(&found[4]).is_none());
    let (d, disparities) = shown(&found[1]).unwrap();
    assert_eq!((d.n, d.positives, d.selected), (599, None, Some(296)));
    assert!(d.selection_rate.is_some() && d.mean_score.is_some());
    for measure in [GroupMeasure::Prevalence, GroupMeasure::TruePositiveRate, GroupMeasure::FalsePositiveRate]
    {
        assert!(d.figure(measure).is_none());
        assert!(disparity(disparities, measure, is_largest).difference.is_none());
    }
    assert!(d.precision.is_none() && d.auc.is_none() && d.accuracy.is_none() && d.reliability.is_empty());
    // d's positives are not what remains when all others are taken off: b, c and d together are.
    assert!(shown(&found[0]).unwrap().0.positives.is_some());
    let mut all = vec![];
    numbers(&serde_json::to_value(&audit).unwrap(), &mut all);
    // 7 and 67 rows, 6 with the outcome in d, 593 without.
    for secret in [7.0, 67.0, 6.0, 593.0] {
        assert!(!all.contains(&secret), "{secret} is shown");
    }
}

/// Rows by name and confusion matrix: true negatives, false positives, false negatives, true positives.
fn confusion(cells: &[(&'static str, [usize; 4])]) -> ScoreTable {
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    for &(name, counts) in cells {
        for (cell, count) in counts.into_iter().enumerate() {
            for row in 0..count {
                scores.push(if cell % 2 == 1 { 0.6 } else { 0.1 } + (row % 29) as f64 / 97.0);
                outcomes.push(cell >= 2);
                names.push(Some(name));
            }
        }
    }
    ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap()
}

#[test]
fn a_cell_of_the_confusion_matrix_is_a_number_of_people_too() {
    // In d, 60 have the outcome and 63 are selected; three are both. b, which has the fewest, goes with it.
    let cells = [
        ("a", [400, 200, 100, 111]),
        ("b", [80, 40, 30, 20]),
        ("c", [200, 120, 60, 90]),
        ("d", [100, 60, 57, 3]),
        ("e", [300, 100, 40, 0]),
    ];
    let audit = confusion(&cells).audit(&params(OperatingPoint::Threshold(0.5), 10, 99)).unwrap();
    let found = groups(&audit.attributes[0]);
    let told: Vec<bool> = found.iter().map(|group| shown(group).unwrap().0.cells_withheld).collect();
    assert_eq!(told, [false, true, false, true, false], "none of 40 in e names nobody");
    let (d, disparities) = shown(&found[3]).unwrap();
    assert_eq!((d.positives, d.selected), (Some(60), Some(63)));
    let known = [GroupMeasure::Prevalence, GroupMeasure::SelectionRate, GroupMeasure::Auc];
    assert!(known.into_iter().all(|measure| d.figure(measure).is_some()));
    let both = [
        GroupMeasure::TruePositiveRate,
        GroupMeasure::FalsePositiveRate,
        GroupMeasure::TrueNegativeRate,
        GroupMeasure::FalseNegativeRate,
        GroupMeasure::Precision,
        GroupMeasure::FalseDiscoveryRate,
        GroupMeasure::FalseOmissionRate,
        GroupMeasure::Accuracy,
        GroupMeasure::NetBenefit,
    ];
    for measure in both {
        assert!(d.figure(measure).is_none() && d.withholds(measure), "{measure}");
        assert!(disparity(disparities, measure, is_largest).difference.is_none(), "{measure}");
    }
    // Three of 60 against 111 of 211: the finding stands, without its numbers.
    let verdict = |measure| disparity(disparities, measure, is_largest).verdict;
    assert_eq!(verdict(GroupMeasure::TruePositiveRate), DisparityVerdict::Present);
    assert_eq!(verdict(GroupMeasure::Precision), DisparityVerdict::Present);
    let all = confusion(&cells).audit(&params(OperatingPoint::Threshold(0.5), 1, 99)).unwrap();
    let every = groups(&all.attributes[0]);
    assert!(every.iter().all(|group| !shown(group).unwrap().0.cells_withheld));
    let rate = shown(&every[3]).unwrap().0.true_positive_rate.unwrap();
    close(rate.value, 3.0 / 60.0, 1e-12);
}

#[test]
fn with_rounding_no_exact_count_is_left() {
    let columns = Columns::new(8, 403);
    let order: Vec<usize> = (0..403).collect();
    let mut params = params(OperatingPoint::Threshold(0.5), 10, 99);
    params.round_to = Some(5);
    params.intersections = 2;
    for weighted in [false, true] {
        let audit = columns.table(&order, weighted, true).audit(&params).unwrap();
        let mut counts = vec![audit.n, audit.clusters];
        for attribute in audit.attributes.iter().chain(&audit.intersections) {
            for (figures, disparities) in groups(attribute).iter().filter_map(shown) {
                counts.extend([figures.n].into_iter().chain(figures.positives).chain(figures.selected));
                for measure in GroupMeasure::COMPARED {
                    let Some(figure) = figures.figure(measure) else { continue };
                    counts.push(figure.n);
                    let share = !matches!(
                        measure,
                        GroupMeasure::Auc
                            | GroupMeasure::AveragePrecision
                            | GroupMeasure::MeanScore
                            | GroupMeasure::CalibrationGap
                            | GroupMeasure::ExpectedCalibrationError
                            | GroupMeasure::NetBenefit
                    );
                    if share {
                        // A share of the rounded denominator is a whole number of fives.
                        let fives = figure.value * figure.n as f64 / 5.0;
                        close(fives, fives.round(), 1e-9);
                    } else {
                        assert!(format!("{}", figure.value.abs()).len() <= 9, "{measure}: {}", figure.value);
                    }
                }
                for found in disparities.iter().filter(|found| found.difference.is_some()) {
                    let (difference, all) =
                        (found.difference.unwrap(), found.difference_simultaneous.unwrap());
                    for held in [difference.interval, all] {
                        for end in [held.low, held.high]
                            .into_iter()
                            .filter(|end| end.to_bits() != difference.value.to_bits())
                        {
                            assert!(format!("{}", end.abs()).len() <= 9, "{}: {end}", found.measure);
                        }
                    }
                }
                counts.extend(disparities.iter().filter_map(|found| found.difference).map(|found| found.n));
                counts.extend(figures.reliability.iter().map(|bin| bin.observed.n));
            }
        }
        assert!(counts.len() > 100 && counts.iter().all(|count| count % 5 == 0));
    }
}

#[test]
fn no_small_group_can_be_worked_out_of_a_line() {
    let held = |cells: &[Parts]| {
        let mut held = vec![false; cells.len()];
        let cells: Vec<Counted> = cells.iter().map(|&parts| parts.into()).collect();
        hold_back(&cells, &mut held, Guard::of_parts(10));
        held
    };
    assert_eq!(held(&[[50; 2], [9; 2], [20; 2]]), [false, true, true]);
    assert_eq!(held(&[[50; 2], [10; 2], [20; 2]]), [false; 3]);
    assert_eq!(held(&[[9; 2], [50; 2], [4; 2], [20; 2]]), [true, false, true, false]);
    // The complement counts as well: 3 of 100 are left out, so another must be hidden.
    assert_eq!(held(&[[97, 3], [40, 40], [50, 50]]), [true, true, false]);
    // Two hidden with 6 in the second part together: not enough.
    assert_eq!(held(&[[97, 3], [97, 3], [50, 50], [60, 60]]), [true, true, true, false]);
    assert_eq!(held(&[[500, 500], [3, 3]]), [true, true]);
    // Rows: ten groups of one are known to have one each, since they are listed; an eleventh must go with them.
    let mut cells = vec![[1; 2]; 10];
    cells.extend([[40; 2], [50; 2]]);
    assert!(!held(&cells)[10]);
    let mut rows = vec![false; 12];
    let cells: Vec<Counted> = cells.into_iter().map(Counted::from).collect();
    hold_back(&cells, &mut rows, Guard::of_rows(10));
    assert!(rows[..11].iter().all(|held| *held) && !rows[11]);
}

#[test]
fn no_small_group_can_be_worked_out_of_a_table_of_pairs() {
    let mut made = Made::seeded(21);
    let mut hidden = 0;
    for _ in 0..300 {
        let (rows, columns) = (2 + (made.uniform() * 4.0) as usize, 2 + (made.uniform() * 4.0) as usize);
        let places: Vec<(usize, usize)> =
            (0..rows * columns).map(|at| (at / columns, at % columns)).collect();
        let people: Vec<Counted> =
            places.iter().map(|_| [4 + (made.uniform() * 60.0) as u64; 2].into()).collect();
        let margins = (vec![false; rows], vec![false; columns]);
        let table = PairCells { places: &places, people: &people, margins: (&margins.0, &margins.1) };
        let held = table.hold_back(&[], Guard::of_parts(10));
        assert!((0..people.len()).all(|cell| held[cell] || people[cell].parts[0] >= 10));
        // The totals of rows and columns, as equations of the hidden cells: none is fixed by them.
        let unknown: Vec<usize> = (0..people.len()).filter(|&cell| held[cell]).collect();
        hidden += unknown.len();
        let equation = |on: &dyn Fn((usize, usize)) -> bool| -> Vec<f64> {
            unknown.iter().map(|&cell| f64::from(u8::from(on(places[cell])))).collect()
        };
        let mut system: Vec<Vec<f64>> = (0..rows).map(|row| equation(&|place| place.0 == row)).collect();
        system.extend((0..columns).map(|column| equation(&|place| place.1 == column)));
        assert!(!fixes_one(system), "{places:?} {people:?} {held:?}");
    }
    assert!(hidden > 1_000);
}

/// Whether linear equations determine one of their unknowns: some row of the reduced form has a single entry.
fn fixes_one(mut system: Vec<Vec<f64>>) -> bool {
    let width = system.first().map_or(0, Vec::len);
    let mut next = 0;
    for column in 0..width {
        let Some(pivot) = (next..system.len()).find(|&row| system[row][column].abs() > 1e-9) else {
            continue;
        };
        system.swap(next, pivot);
        let lead = system[next].clone();
        for (row, other) in system.iter_mut().enumerate() {
            let factor = other[column] / lead[column];
            if row != next && factor.abs() > 1e-12 {
                for (entry, lead) in other.iter_mut().zip(&lead) {
                    *entry -= factor * lead;
                }
            }
        }
        next += 1;
    }
    system.iter().any(|row| row.iter().filter(|entry| entry.abs() > 1e-9).count() == 1)
}

/// 400 people at one date, of whom 8, the group b, have twelve more rows each.
fn at_many_dates() -> (ScoreTable, Vec<u32>) {
    let rows: Vec<u32> = (0..400).chain((0..8).flat_map(|person| [person; 12])).collect();
    let scores = rows.iter().map(|&person| f64::from(person % 97) / 100.0).collect();
    let groups: Vec<Option<&str>> =
        rows.iter().map(|&person| Some(if person < 8 { "b" } else { "a" })).collect();
    // A tenth has the outcome, at every date; of the 300 of group `low` six people, one of them at twelve more.
    let low: Vec<Option<&str>> =
        rows.iter().map(|&p| Some(if p % 4 == 0 { "high" } else { "low" })).collect();
    let outcomes =
        rows.iter().map(|&p| if p % 4 == 0 { p % 8 == 0 } else { [1, 9, 10, 11, 13, 14].contains(&p) });
    let table = ScoreTable::new(scores, outcomes.collect()).unwrap();
    (table.group("area", &groups).unwrap().group("need", &low).unwrap(), rows)
}

#[test]
fn groups_and_counts_are_held_back_by_their_people() {
    let (table, people) = at_many_dates();
    let params = AuditParams::at(OperatingPoint::Threshold(0.5));
    let shown = |audit: &Audit, attribute: usize| {
        let AttributeFinding::Measured { groups, .. } = &audit.attributes[attribute].finding else {
            panic!("measured")
        };
        let measures = groups.iter().filter_map(|group| match &group.outcome {
            AuditedOutcome::Shown { measures, .. } => Some((group.name(), measures.positives)),
            AuditedOutcome::Suppressed { .. } => None,
        });
        measures.collect::<Vec<_>>()
    };
    let by_rows = table.audit(&params).unwrap();
    let by_people = table.people(people).unwrap().audit(&params).unwrap();
    assert_eq!((by_rows.people, by_people.people), (None, Some(400)));
    assert_eq!((by_rows.n, by_people.n), (496, 496));
    // Eight people have 104 rows; with them goes the only other group.
    assert_eq!(shown(&by_rows, 0).len(), 2);
    assert!(shown(&by_people, 0).is_empty());
    // Six people have 18 rows with the outcome.
    assert_eq!(shown(&by_rows, 1), [("high".to_owned(), Some(62)), ("low".to_owned(), Some(18))]);
    assert_eq!(shown(&by_people, 1), [("high".to_owned(), None), ("low".to_owned(), None)]);
}

/// Those held back together have to be different people: a dozen in two groups are a dozen.
#[test]
fn people_of_several_groups_are_summed_once() {
    // As of the first date the first six are of b, as of the second of c; all others are of a.
    let people: Vec<u32> = (0..200).chain(0..200).collect();
    let moved = |row: usize| people[row] < 6;
    let groups: Vec<Option<&str>> = (0..400)
        .map(|row| {
            Some(if !moved(row) {
                "a"
            } else if row < 200 {
                "b"
            } else {
                "c"
            })
        })
        .collect();
    let scores = people.iter().map(|&person| f64::from(person % 97) / 100.0).collect();
    let outcomes = people.iter().map(|&person| person % 3 == 0).collect();
    let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &groups).unwrap();
    let audit = |table: &ScoreTable| {
        let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 10, 39)).unwrap();
        groups_shown(&audit.attributes[0])
    };
    // Twelve rows would be enough together; of six people the third group would tell how many they are.
    assert_eq!(audit(&table), ["a"]);
    assert!(audit(&table.people(people.clone()).unwrap()).is_empty());

    let cells =
        [Counted { parts: [6; 2], new: [6; 2] }, Counted { parts: [6; 2], new: [0; 2] }, [90; 2].into()];
    let mut held = [false; 3];
    hold_back(&cells, &mut held, Guard::of_parts(10));
    assert_eq!(held, [true; 3]);
}

fn groups_shown(attribute: &AttributeAudit) -> Vec<String> {
    groups(attribute).iter().filter(|group| shown(group).is_some()).map(AuditedGroup::name).collect()
}

/// A bin of reliability is a share of people as any other.
#[test]
fn bins_of_reliability_hold_enough_people() {
    // 400 people at one date, a quarter with the outcome; the one with the highest score at forty, every other time with it.
    let people: Vec<u32> = (0..400).chain(vec![399; 40]).collect();
    let scores: Vec<f64> = people.iter().map(|&person| (f64::from(person) + 0.5) / 400.0).collect();
    let outcomes: Vec<bool> = people
        .iter()
        .enumerate()
        .map(|(row, &person)| if row < 400 { person % 4 == 0 } else { row % 2 == 0 })
        .collect();
    let table = ScoreTable::new(scores, outcomes).unwrap();
    let params = params(OperatingPoint::Threshold(0.5), 10, 39);
    let bins = |table: &ScoreTable| table.audit(&params).unwrap().whole.reliability;
    let (by_rows, by_people) = (bins(&table), bins(&table.clone().people(people).unwrap()));
    let rows = |bins: &[AuditBin]| bins.iter().map(|bin| bin.observed.n).sum::<u64>();
    assert_eq!((rows(&by_rows), rows(&by_people)), (440, 440));
    // Of the last tenth one person has nearly all rows: it is no bin by itself.
    let last = by_rows.last().unwrap();
    assert!(last.observed.n < 60 && last.mean_predicted > 0.98, "{last:?}");
    assert!(by_people.len() < by_rows.len() && by_people.last().unwrap().mean_predicted < 0.98);
}

/// What a list shares out at its end is a part of people, from which those strictly above could be told.
#[test]
fn few_above_or_within_a_tie_are_not_told() {
    // In each of two groups: `above` of 9 points and 80 of 5, `with` of each with the outcome, and 200 below.
    let table = |above: u64, with: u64, tied: u64| {
        let mut rows = Vec::new();
        for group in ["a", "b"] {
            for (score, n, positives) in [(9.0, above, with), (5.0, tied, tied / 2), (1.0, 200, 40)] {
                rows.extend((0..n).map(|nth| (score, nth < positives, group)));
            }
        }
        let names: Vec<Option<&str>> = rows.iter().map(|row| Some(row.2)).collect();
        let outcomes = rows.iter().map(|row| row.1).collect();
        let table = ScoreTable::new(rows.iter().map(|row| row.0).collect(), outcomes).unwrap();
        table.group("area", &names).unwrap()
    };
    let audit = |table: ScoreTable, places: u32| {
        table.audit(&params(OperatingPoint::Capacity(Capacity::Cases(places)), 10, 39)).unwrap()
    };
    let all = audit(table(60, 20, 80), 160);
    assert!(all.whole.precision.is_some() && all.operating.tied == Some(Tie { rows: 160, places: 40 }));
    let figures = shown(&groups(&all.attributes[0])[0]).unwrap().0;
    assert!(figures.selected.is_some() && figures.precision.is_some());
    // Of those above 6 have the outcome: with what is shared among those tied, precision would tell them.
    let few = audit(table(60, 3, 80), 160);
    assert_eq!((few.whole.precision, few.selected), (None, Some(160)));
    assert!(few.operating.tied.is_some() && !few.operating.tie_withheld);
    // 3 above in each group: how many of a group are selected would tell them, and how many share how many places.
    let few = audit(table(3, 0, 80), 46);
    assert_eq!((few.selected, few.operating.tied, few.operating.tie_withheld), (Some(46), None, true));
    assert!(shown(&groups(&few.attributes[0])[0]).unwrap().0.selected.is_none());
    // Four people tied for two places, or for three: none is selected, or all, and everything else is told.
    for (places, selected) in [(2, 120), (3, 124)] {
        let few = audit(table(60, 20, 2), 120 + places);
        let all = if places > 2 { TieAsOne::Selected } else { TieAsOne::LeftOff };
        assert_eq!((few.operating.tied, few.operating.not_shared), (None, Some(all)));
        assert_eq!(few.selected, Some(selected));
        assert!(few.whole.precision.is_some());
    }
}
