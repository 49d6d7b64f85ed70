//! The same figures as Fairlearn, Aequitas, scikit-learn and numpy, on tables made by
//! `tests/fixtures/make_audit.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::evaluate::calibration::Calibration;

#[derive(Deserialize)]
struct Fixture {
    datasets: Vec<Dataset>,
}

#[derive(Deserialize)]
struct Dataset {
    name: String,
    score: Vec<f64>,
    outcome: Vec<u8>,
    group: Vec<Option<String>>,
    weights: Option<Vec<f64>>,
    threshold: f64,
    fairlearn: Fairlearn,
    aequitas: Aequitas,
}

#[derive(Deserialize)]
struct Fairlearn {
    largest: String,
    whole: BTreeMap<String, f64>,
    groups: Vec<FairlearnGroup>,
}

#[derive(Deserialize)]
struct FairlearnGroup {
    group: String,
    n: u64,
    undefined: Vec<String>,
    #[serde(flatten)]
    figures: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Aequitas {
    reference: String,
    groups: Vec<AequitasGroup>,
}

#[derive(Deserialize)]
struct AequitasGroup {
    group: String,
    n: u64,
    #[serde(flatten)]
    figures: BTreeMap<String, Option<f64>>,
}

fn load() -> Vec<Dataset> {
    let text = include_str!("../../../../tests/fixtures/audit.json");
    serde_json::from_str::<Fixture>(text).unwrap().datasets
}

impl Dataset {
    fn outcomes(&self) -> Vec<bool> {
        self.outcome.iter().map(|&flag| flag == 1).collect()
    }

    fn audit(&self, weighted: bool) -> Audit {
        let groups: Vec<Option<&str>> = self.group.iter().map(Option::as_deref).collect();
        let table = ScoreTable::new(self.score.clone(), self.outcomes()).unwrap();
        let mut table = table.group("group", &groups).unwrap();
        if let Some(weights) = self.weights.as_ref().filter(|_| weighted) {
            table = table.weights(weights.clone()).unwrap();
        }
        let mut params = params(OperatingPoint::Threshold(self.threshold), 0, 199);
        params.references = vec![("group".to_owned(), self.aequitas.reference.clone())];
        table.audit(&params).unwrap()
    }
}

fn measure(name: &str) -> GroupMeasure {
    match name {
        "selection_rate" | "pprev" => GroupMeasure::SelectionRate,
        "tpr" => GroupMeasure::TruePositiveRate,
        "fpr" => GroupMeasure::FalsePositiveRate,
        "tnr" => GroupMeasure::TrueNegativeRate,
        "fnr" => GroupMeasure::FalseNegativeRate,
        "precision" => GroupMeasure::Precision,
        "fdr" => GroupMeasure::FalseDiscoveryRate,
        "for" => GroupMeasure::FalseOmissionRate,
        "prev" => GroupMeasure::Prevalence,
        "ppr" => GroupMeasure::ShareOfSelected,
        "accuracy" => GroupMeasure::Accuracy,
        "auc" => GroupMeasure::Auc,
        "average_precision" => GroupMeasure::AveragePrecision,
        "abroca" => GroupMeasure::Abroca,
        other => panic!("what is {other}?"),
    }
}

#[test]
fn figures_agree_with_fairlearn_scikit_learn_and_numpy() {
    let (mut undefined, mut areas) = (0, 0);
    for set in load() {
        let audit = set.audit(true);
        for (name, &theirs) in &set.fairlearn.whole {
            close(audit.whole.figure(measure(name)).unwrap().value, theirs, 1e-9);
        }
        let ours = groups(&audit.attributes[0]);
        assert_eq!(ours.len(), set.fairlearn.groups.len(), "{}", set.name);
        for theirs in &set.fairlearn.groups {
            let group = ours.iter().find(|group| group.name() == theirs.group).unwrap();
            let (figures, disparities) = shown(group).unwrap();
            assert_eq!(figures.n, theirs.n);
            for (name, &value) in &theirs.figures {
                if theirs.undefined.contains(name) {
                    // Fairlearn says 0: a perfect score, or the worst.
                    assert_eq!(figures.figure(measure(name)), None, "{name}");
                    undefined += 1;
                } else if name == "abroca" {
                    if theirs.group != set.fairlearn.largest {
                        let found = disparity(disparities, GroupMeasure::Abroca, is_largest);
                        close(found.difference.unwrap().value, value, 1e-9);
                        areas += 1;
                    }
                } else {
                    close(figures.figure(measure(name)).unwrap().value, value, 1e-9);
                }
            }
        }
    }
    assert!(undefined > 0 && areas >= 8);
}

#[test]
fn figures_and_disparities_agree_with_aequitas() {
    let mut compared = 0;
    for set in load() {
        let audit = set.audit(false);
        let ours = groups(&audit.attributes[0]);
        assert_eq!(ours.len(), set.aequitas.groups.len());
        for theirs in &set.aequitas.groups {
            let group = ours.iter().find(|group| group.name() == theirs.group).unwrap();
            let (figures, disparities) = shown(group).unwrap();
            assert_eq!(figures.n, theirs.n);
            for (name, value) in &theirs.figures {
                let Some(name) = name.strip_suffix("_disparity") else {
                    assert_eq!(figures.figure(measure(name)).is_none(), value.is_none(), "{name}");
                    if let Some(value) = value {
                        close(figures.figure(measure(name)).unwrap().value, *value, 1e-9);
                    }
                    continue;
                };
                if group.name() == set.aequitas.reference {
                    continue;
                }
                let found = disparity(disparities, measure(name), |a| matches!(a, Against::Reference(_)));
                if let (Some(ratio), Some(value)) = (found.ratio, value) {
                    close(ratio.value, *value, 1e-9);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn calibration_agrees_with_that_of_a_backtest() {
    for set in load() {
        let audit = set.audit(false);
        for group in groups(&audit.attributes[0]) {
            let name = group.name();
            let in_group: Vec<usize> = (0..set.score.len())
                .filter(|&row| set.group[row].as_deref().unwrap_or(UNKNOWN) == name)
                .collect();
            let log_odds: Vec<f64> =
                in_group.iter().map(|&row| set.score[row].ln() - (-set.score[row]).ln_1p()).collect();
            let outcomes: Vec<bool> = in_group.iter().map(|&row| set.outcome[row] == 1).collect();
            let families: Vec<u32> = (0..in_group.len() as u32).collect();
            let figures = shown(group).unwrap().0;
            let Some(theirs) = Calibration::measure(&log_odds, &outcomes, &families) else {
                assert_eq!(figures.calibration_slope, None);
                continue;
            };
            for (ours, theirs) in [
                (figures.calibration_slope.unwrap(), theirs.slope),
                (figures.calibration_intercept.unwrap(), theirs.intercept),
            ] {
                close(ours.value, theirs.value, 1e-7);
                close(ours.interval.low, theirs.interval.low, 1e-5);
                close(ours.interval.high, theirs.interval.high, 1e-5);
            }
        }
    }
}

#[test]
fn many_rows_in_families_have_the_calibration_of_a_backtest() {
    let mut made = Made::seeded(5);
    let n = 12_000;
    let truth: Vec<f64> = (0..n).map(|_| made.normal() - 2.0).collect();
    let outcomes: Vec<bool> = truth.iter().map(|&x| made.uniform() < 1.0 / (1.0 + (-x).exp())).collect();
    let scores: Vec<f64> = truth.iter().map(|&x| 1.0 / (1.0 + (-1.3 * x - 0.4).exp())).collect();
    let families: Vec<u32> = (0..n as u32).map(|row| row / 3).collect();
    let log_odds: Vec<f64> = scores.iter().map(|score| score.ln() - (-score).ln_1p()).collect();
    let theirs = Calibration::measure(&log_odds, &outcomes, &families).unwrap();
    let table = ScoreTable::new(scores, outcomes).unwrap().clusters(families).unwrap();
    let audit = table.audit(&params(OperatingPoint::Threshold(0.3), 10, 39)).unwrap();
    let (slope, intercept) =
        (audit.whole.calibration_slope.unwrap(), audit.whole.calibration_intercept.unwrap());
    for (ours, theirs) in [(slope, theirs.slope), (intercept, theirs.intercept)] {
        close(ours.value, theirs.value, 1e-8);
        close(ours.interval.low, theirs.interval.low, 1e-6);
        close(ours.interval.high, theirs.interval.high, 1e-6);
    }
    for (ours, theirs) in audit.whole.reliability.iter().zip(&theirs.bins) {
        close(ours.mean_predicted, theirs.mean_predicted, 1e-12);
        close(ours.observed.value, theirs.observed.value, 1e-12);
    }
    assert_eq!(audit.whole.reliability.len(), 10);
}
