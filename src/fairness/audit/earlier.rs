//! The fairness check that model files of version 1 carry: read, kept as it is so that the file's digest still
//! holds, and shown as an audit without what would give a small number of people away.

use super::super::people::{Counted, Parts};
use serde::{Deserialize, Serialize};

use super::params::AuditParams;
use super::report::{
    AttributeAudit, AttributeFinding, Audit, AuditedGroup, AuditedOutcome, GroupMeasures, Operating,
    ScoreScale,
};
use super::suppress::{Guard, few_of_either, hold_back};
use super::table::is_known;
use crate::stats::Estimate;

/// Said in place of how intervals were corrected.
const CORRECTION: &str = "not at all: this model was checked by an earlier form of the check, which compared each group with \
    all others and knew no criteria; train or edit the model again, or run earlyhelp audit-model, for verdicts";

/// The check, as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EarlierCheck {
    minimum_group: u32,
    n: u64,
    selected: u64,
    characteristics: Vec<Characteristic>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Characteristic {
    name: String,
    finding: Finding,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Finding {
    Measured { groups: Vec<Group> },
    NotMeasurable { why: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: String,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Shown(Box<Rates>),
    Suppressed { under: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    n: u64,
    positives: u64,
    selected: u64,
    base_rate: Option<Estimate>,
    selection_rate: Option<Estimate>,
    true_positive_rate: Option<Estimate>,
    false_positive_rate: Option<Estimate>,
    selection_rate_difference: Difference,
    true_positive_rate_difference: Difference,
    false_positive_rate_difference: Difference,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    difference: Option<Estimate>,
    verdict: String,
}

impl EarlierCheck {
    /// What may be shown of it. Names and numbers are held back by the rule of today, which is stricter; there are
    /// no comparisons, since those of the file go by another rule.
    pub(crate) fn audit(&self) -> Audit {
        let attributes = self.characteristics.iter().map(|held| AttributeAudit {
            columns: vec![held.name.clone()],
            finding: match &held.finding {
                Finding::NotMeasurable { why } => AttributeFinding::NotMeasurable { why: why.clone() },
                Finding::Measured { groups } => self.measured(groups),
            },
        });
        let parts = [self.selected, self.n.saturating_sub(self.selected)];
        let selected = Some(self.selected).filter(|_| !few_of_either(parts, self.least()));
        Audit {
            n: self.n,
            followed: true,
            positives: None,
            selected,
            clusters: self.n,
            clustered: false,
            by_person: false,
            people: None,
            weighted: false,
            scores: ScoreScale::Chances,
            spread: None,
            operating: Operating {
                words: "on the backtest's lists".to_owned(),
                threshold_chance: None,
                tied: None,
                tie_withheld: false,
                not_shared: None,
            },
            params: AuditParams { minimum: self.minimum_group, ..AuditParams::at_release() },
            correction: CORRECTION.to_owned(),
            whole: GroupMeasures { selected, ..bare(self.n) },
            attributes: attributes.collect(),
            intersections: Vec::new(),
            left_out: Vec::new(),
            chosen: Vec::new(),
        }
    }

    fn least(&self) -> u64 {
        u64::from(self.minimum_group)
    }

    fn measured(&self, groups: &[Group]) -> AttributeFinding {
        let shown: Vec<(&str, &Rates)> = groups
            .iter()
            .filter_map(|group| match &group.outcome {
                Outcome::Shown(rates) => Some((group.group.as_str(), &**rates)),
                Outcome::Suppressed { .. } => None,
            })
            .collect();
        let hidden = groups.len() - shown.len();
        let held = |parts: fn(&Rates) -> Parts, left: Parts, begin: &[bool], guard: Guard| {
            // The file does not say how what it holds back divides; their sum is what may be known.
            let mut cells: Vec<Counted> = shown.iter().map(|(_, rates)| parts(rates).into()).collect();
            let mut held = begin.to_vec();
            cells.extend((0..hidden).map(|nth| if nth == 0 { left } else { [0; 2] }).map(Counted::from));
            held.resize(cells.len(), true);
            hold_back(&cells, &mut held, guard);
            held
        };
        let sum = |of: fn(&Rates) -> u64| shown.iter().map(|(_, rates)| of(rates)).sum::<u64>();
        let left = self.n.saturating_sub(sum(|rates| rates.n));
        let listed = self.selected.saturating_sub(sum(|rates| rates.selected));
        let (rows, parts) = (Guard::of_rows(self.least()), Guard::of_parts(self.least()));
        let by_rows = held(|rates| [rates.n; 2], [left; 2], &vec![false; shown.len()], rows);
        let begin = &by_rows[..shown.len()];
        let selection = held(Rates::selection, [listed, left.saturating_sub(listed)], begin, parts);
        // How many of those held back had the outcome does not stand there, so they are taken for none.
        let outcome = held(Rates::outcome, [0; 2], begin, parts);
        let mut cells: Vec<bool> = (0..shown.len()).map(|nth| outcome[nth] || selection[nth]).collect();
        loop {
            let before = cells.clone();
            for of in [Rates::found as fn(&Rates) -> Parts, Rates::alarmed] {
                cells = held(of, [0; 2], &cells, parts)[..shown.len()].to_vec();
            }
            if cells == before {
                break;
            }
        }
        let named = shown.iter().enumerate().filter(|&(nth, _)| !by_rows[nth]);
        let named = named.map(|(nth, (name, rates))| AuditedGroup {
            values: vec![(*name).to_owned()],
            known: is_known(name),
            outcome: AuditedOutcome::Shown {
                measures: Box::new(rates.measures([!outcome[nth], !selection[nth], !cells[nth]])),
                disparities: Vec::new(),
            },
        });
        let unnamed = by_rows.iter().filter(|&&held| held).map(|_| AuditedGroup {
            values: Vec::new(),
            known: false,
            outcome: AuditedOutcome::Suppressed { under: self.minimum_group },
        });
        let groups: Vec<AuditedGroup> = named.chain(unnamed).collect();
        AttributeFinding::Measured { reference: None, largest: None, groups, criteria: Vec::new() }
    }
}

impl Rates {
    fn selection(&self) -> Parts {
        [self.selected, self.n.saturating_sub(self.selected)]
    }

    fn outcome(&self) -> Parts {
        [self.positives, self.n.saturating_sub(self.positives)]
    }

    /// Of those with the outcome, the selected and the others.
    fn found(&self) -> Parts {
        Self::parted(self.positives, self.true_positive_rate.as_ref())
    }

    /// Of those without the outcome, the selected and the others.
    fn alarmed(&self) -> Parts {
        Self::parted(self.n.saturating_sub(self.positives), self.false_positive_rate.as_ref())
    }

    fn parted(of: u64, share: Option<&Estimate>) -> Parts {
        let counted = share.map_or(0, |share| (share.value * of as f64).round() as u64);
        [counted, of.saturating_sub(counted)]
    }

    /// The figures that may be shown, given whether those who had the outcome, those selected, and those who are both may
    /// be known.
    fn measures(&self, [outcome, selection, cells]: [bool; 3]) -> GroupMeasures {
        GroupMeasures {
            positives: Some(self.positives).filter(|_| outcome),
            selected: Some(self.selected).filter(|_| selection),
            cells_withheld: outcome && selection && !cells,
            prevalence: self.base_rate.filter(|_| outcome),
            selection_rate: self.selection_rate.filter(|_| selection),
            true_positive_rate: self.true_positive_rate.filter(|_| cells),
            false_positive_rate: self.false_positive_rate.filter(|_| cells),
            ..bare(self.n)
        }
    }
}

/// Rows, and nothing else.
fn bare(n: u64) -> GroupMeasures {
    GroupMeasures {
        n,
        positives: None,
        selected: None,
        cells_withheld: false,
        scores_withheld: false,
        prevalence: None,
        selection_rate: None,
        true_positive_rate: None,
        false_positive_rate: None,
        true_negative_rate: None,
        false_negative_rate: None,
        precision: None,
        false_discovery_rate: None,
        false_omission_rate: None,
        accuracy: None,
        share_of_selected: None,
        auc: None,
        average_precision: None,
        mean_score: None,
        calibration_gap: None,
        calibration_slope: None,
        calibration_intercept: None,
        expected_calibration_error: None,
        reliability: Vec::new(),
        by_score: Vec::new(),
        net_benefit: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, counts: Option<[u64; 3]>) -> serde_json::Value {
        let Some([n, positives, selected]) = counts else {
            return serde_json::json!({ "group": name, "outcome": { "suppressed": { "under": 10 } } });
        };
        let rate = |part: u64, whole: u64| crate::stats::wilson(part, whole);
        let none = serde_json::json!({ "difference": null, "verdict": "cannot_tell" });
        serde_json::json!({ "group": name, "outcome": { "shown": {
            "n": n, "positives": positives, "selected": selected,
            "base_rate": rate(positives, n), "selection_rate": rate(selected, n),
            "true_positive_rate": rate(positives / 2, positives),
            "false_positive_rate": rate(selected - positives / 2, n - positives),
            "selection_rate_difference": none, "true_positive_rate_difference": none,
            "false_positive_rate_difference": none,
        } } })
    }

    /// Of each group the name, the rows, those with the outcome, those selected.
    type Seen = (String, Option<(u64, Option<u64>, Option<u64>)>);

    fn seen(n: u64, selected: u64, groups: &[(&str, Option<[u64; 3]>)]) -> (Vec<Seen>, Audit) {
        let groups: Vec<_> = groups.iter().map(|&(name, counts)| group(name, counts)).collect();
        let json = serde_json::json!({ "minimum_group": 10, "n": n, "selected": selected, "characteristics": [
            { "name": "area", "finding": { "measured": { "groups": groups } } },
            { "name": "faith", "finding": { "not_measurable": { "why": "the data do not hold it" } } },
        ] });
        let check: EarlierCheck = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&check).unwrap(), json, "kept as it is");
        let audit = check.audit();
        let AttributeFinding::Measured { groups, criteria, .. } = &audit.attributes[0].finding else {
            panic!("measured")
        };
        assert!(criteria.is_empty() && audit.correction.contains("an earlier form"));
        assert!(matches!(audit.attributes[1].finding, AttributeFinding::NotMeasurable { .. }));
        let seen = groups.iter().map(|group| {
            let counts = match &group.outcome {
                AuditedOutcome::Shown { measures, .. } => {
                    let both = measures.positives.is_some() && measures.selected.is_some();
                    let cells = both && !measures.cells_withheld;
                    assert_eq!(measures.true_positive_rate.is_some(), cells);
                    assert_eq!(measures.false_positive_rate.is_some(), cells);
                    for (rate, of) in [
                        (measures.true_positive_rate, measures.positives),
                        (measures.false_positive_rate, measures.positives.map(|with| measures.n - with)),
                    ] {
                        let Some((rate, of)) = rate.zip(of) else { continue };
                        let counted = (rate.value * of as f64).round() as u64;
                        assert!(!few_of_either([counted, of - counted], 10), "{counted} of {of}");
                    }
                    assert_eq!(measures.selection_rate.is_some(), measures.selected.is_some());
                    assert_eq!(measures.prevalence.is_some(), measures.positives.is_some());
                    Some((measures.n, measures.positives, measures.selected))
                }
                AuditedOutcome::Suppressed { .. } => None,
            };
            (group.name(), counts)
        });
        (seen.collect(), audit)
    }

    #[test]
    fn small_counts_of_an_earlier_check_are_withheld_with_what_gives_them_away() {
        // b has 5 with the outcome and 7 selected: both go, and so do those of c, the next in size, or all minus
        // the others would give them away.
        let groups = [("a", Some([500, 100, 60])), ("b", Some([90, 5, 7])), ("c", Some([300, 40, 30]))];
        let (found, audit) = seen(890, 97, &groups);
        assert_eq!(
            found,
            [
                ("a".to_owned(), Some((500, Some(100), Some(60)))),
                ("b".to_owned(), Some((90, None, None))),
                ("c".to_owned(), Some((300, None, None))),
            ]
        );
        assert_eq!((audit.n, audit.selected, audit.positives), (890, Some(97), None));
    }

    #[test]
    fn names_of_an_earlier_check_are_withheld_and_sizes_cannot_be_subtracted() {
        // Two held back, 11 rows together, each known to have one: 9 are not enough, so the next goes, too.
        let groups = [("a", Some([500, 100, 60])), ("x", None), ("y", None), ("z", Some([40, 20, 15]))];
        let (found, _) = seen(551, 76, &groups);
        assert_eq!(found[0], ("a".to_owned(), Some((500, Some(100), Some(60)))));
        assert_eq!(found[1..], vec![(String::new(), None); 3]);
    }
}
