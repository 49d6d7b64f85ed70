//! An audit of a council that does not exist, with what the pages have to cope with: 63 groups, small ones held
//! back, names that would break a page or a spreadsheet, a characteristic that nobody asked about.

use crate::evaluate::{Bootstrap, Estimate, Interval};
use crate::fairness::audit::*;
use crate::stats::{newcombe_difference, wilson};

/// Would run in a page.
pub(super) const SCRIPT: &str = "<script>alert(1)</script>";
/// Would run in a spreadsheet.
pub(super) const FORMULA: &str = "=HYPERLINK(\"x\")";
/// The group that is held back in each column; its size stands nowhere.
pub(super) const TINY: &str = "Traveller of Irish heritage";

/// People of a group: with the outcome selected and not, without it selected and not.
#[derive(Debug, Clone, Copy)]
struct Counts {
    found: u64,
    missed: u64,
    wrongly: u64,
    rightly_not: u64,
}

impl Counts {
    /// `n` people; per thousand: with the outcome, of those selected, of the others selected.
    fn of(n: u64, positive: u64, found: u64, wrongly: u64) -> Self {
        let positives = n * positive / 1_000;
        let (found, negatives) = (positives * found / 1_000, n - positives);
        let wrongly = negatives * wrongly / 1_000;
        Self { found, missed: positives - found, wrongly, rightly_not: negatives - wrongly }
    }

    fn n(self) -> u64 {
        self.found + self.missed + self.wrongly + self.rightly_not
    }

    /// Numerator and denominator.
    fn of_measure(self, measure: GroupMeasure) -> Option<(u64, u64)> {
        let (positives, selected) = (self.found + self.missed, self.found + self.wrongly);
        Some(match measure {
            GroupMeasure::Prevalence => (positives, self.n()),
            GroupMeasure::SelectionRate => (selected, self.n()),
            GroupMeasure::TruePositiveRate => (self.found, positives),
            GroupMeasure::FalsePositiveRate => (self.wrongly, self.wrongly + self.rightly_not),
            GroupMeasure::TrueNegativeRate => (self.rightly_not, self.wrongly + self.rightly_not),
            GroupMeasure::FalseNegativeRate => (self.missed, positives),
            GroupMeasure::Precision => (self.found, selected),
            GroupMeasure::FalseDiscoveryRate => (self.wrongly, selected),
            GroupMeasure::FalseOmissionRate => (self.missed, self.missed + self.rightly_not),
            GroupMeasure::Accuracy => (self.found + self.rightly_not, self.n()),
            _ => return None,
        })
    }

    /// A share with a denominator that may be shown.
    fn share(self, measure: GroupMeasure) -> Option<Estimate> {
        let (some, all) = self.of_measure(measure)?;
        wilson(some, all).filter(|_| all >= 10)
    }

    fn measures(self, selected_of_all: u64) -> GroupMeasures {
        let n = self.n();
        let near = |value: f64, reach: f64| {
            let half = reach / (n as f64).sqrt();
            Some(Estimate { value, interval: Interval { low: value - half, high: value + half }, n })
        };
        let positives = self.found + self.missed;
        let selected = self.found + self.wrongly;
        let shown = |part: u64| (part >= 10 && n - part >= 10).then_some(part);
        let prevalence = positives as f64 / n as f64;
        let bins = if positives >= 40 { 8 } else { 0 };
        GroupMeasures {
            n,
            positives: shown(positives),
            selected: shown(selected),
            cells_withheld: false,
            scores_withheld: false,
            prevalence: self.share(GroupMeasure::Prevalence),
            selection_rate: self.share(GroupMeasure::SelectionRate),
            true_positive_rate: self.share(GroupMeasure::TruePositiveRate),
            false_positive_rate: self.share(GroupMeasure::FalsePositiveRate),
            true_negative_rate: self.share(GroupMeasure::TrueNegativeRate),
            false_negative_rate: self.share(GroupMeasure::FalseNegativeRate),
            precision: self.share(GroupMeasure::Precision),
            false_discovery_rate: self.share(GroupMeasure::FalseDiscoveryRate),
            false_omission_rate: self.share(GroupMeasure::FalseOmissionRate),
            accuracy: self.share(GroupMeasure::Accuracy),
            share_of_selected: wilson(selected, selected_of_all),
            auc: near(0.78, 0.8),
            average_precision: near(0.31, 0.9),
            mean_score: near(prevalence + 0.004, 0.3),
            calibration_gap: near(-0.004, 0.4),
            calibration_slope: near(0.94, 4.0),
            calibration_intercept: near(-0.06, 5.0),
            expected_calibration_error: near(0.021, 0.1),
            by_score: Vec::new(),
            reliability: (1..=bins)
                .map(|nth| AuditBin {
                    mean_predicted: 0.01 * (nth * nth) as f64,
                    observed: wilson(n / bins * (nth * nth) * (90 + nth) / 10_000, n / bins).unwrap(),
                })
                .collect(),
            net_benefit: near(0.0123, 0.2),
        }
    }
}

const MARGIN: f64 = 0.05;

fn verdict(held: Interval) -> DisparityVerdict {
    if held.low > 0.0 || held.high < 0.0 {
        DisparityVerdict::Present
    } else if held.low > -MARGIN && held.high < MARGIN {
        DisparityVerdict::AbsentWithin
    } else {
        DisparityVerdict::CannotTell
    }
}

fn disparity(measure: GroupMeasure, against: &Against, own: Counts, other: Counts) -> Disparity {
    let both = own.of_measure(measure).zip(other.of_measure(measure));
    let shown = both.filter(|((_, own), (_, other))| *own >= 10 && *other >= 10);
    let mut found = Disparity {
        measure,
        against: against.clone(),
        difference: None,
        difference_simultaneous: None,
        ratio: None,
        ratio_simultaneous: None,
        critical: Some(2.8),
        margin: Some(MARGIN),
        verdict: DisparityVerdict::CannotTell,
        smallest_shown: None,
    };
    let n = own.n() + other.n();
    let (difference, ratio) = if let Some((own, other)) = shown {
        let difference = newcombe_difference(own, other).unwrap();
        let ratio = (own.0 as f64 / own.1 as f64) / (other.0 as f64 / other.1 as f64);
        (difference, Some(ratio).filter(|ratio| ratio.is_finite()))
    } else if measure == GroupMeasure::CalibrationGap || measure == GroupMeasure::Abroca {
        let half = 0.6 / (own.n() as f64).sqrt();
        let value = if measure == GroupMeasure::Abroca { half } else { 0.004 };
        let interval = Interval { low: value - half * 0.9, high: value + half };
        (Estimate { value, interval, n }, None)
    } else {
        return found;
    };
    let Interval { low, high } = difference.interval;
    let wide = |value: f64, end: f64| value + 1.4 * (end - value);
    let held = Interval { low: wide(difference.value, low), high: wide(difference.value, high) };
    found.difference = Some(difference);
    found.difference_simultaneous = Some(held);
    found.verdict = verdict(held);
    found.smallest_shown = Some((high - low) / 3.92 * (2.8 + 0.84));
    if let Some(ratio) = ratio {
        let interval = Interval { low: ratio * 0.8, high: ratio * 1.25 };
        found.ratio = Some(Estimate { value: ratio, interval, n });
        found.ratio_simultaneous = Some(Interval { low: ratio * 0.7, high: ratio * 1.4 });
    }
    found
}

/// A group by name, with its people; `None` where it is held back.
type Group<'a> = (Vec<&'a str>, Option<Counts>);

fn attribute(columns: &[&str], groups: &[Group<'_>], whole: Counts, criteria: bool) -> AttributeAudit {
    let known = |values: &[&str]| !values.iter().any(|value| ["refused", "unknown"].contains(value));
    let largest = groups
        .iter()
        .filter_map(|(values, counts)| Some((values, counts.as_ref()?)))
        .filter(|(values, _)| known(values))
        .max_by_key(|(_, counts)| counts.n())
        .map(|(values, counts)| (values.join(", "), *counts));
    let audited: Vec<AuditedGroup> = groups
        .iter()
        .map(|(values, counts)| {
            let outcome = match counts {
                None => AuditedOutcome::Suppressed { under: 10 },
                Some(counts) => {
                    let mut disparities = Vec::new();
                    if let Some((name, other)) =
                        largest.as_ref().filter(|(name, _)| *name != values.join(", "))
                    {
                        let against = Against::Largest(name.clone());
                        disparities.extend(
                            GroupMeasure::COMPARED
                                .map(|measure| disparity(measure, &against, *counts, *other)),
                        );
                    }
                    disparities.extend(
                        GroupMeasure::COMPARED
                            .map(|measure| disparity(measure, &Against::Whole, *counts, whole)),
                    );
                    let measures = Box::new(counts.measures(whole.found + whole.wrongly));
                    AuditedOutcome::Shown { measures, disparities }
                }
            };
            let shown = counts.is_some();
            let values_owned = values.iter().filter(|_| shown).map(|&value| value.to_owned()).collect();
            AuditedGroup { values: values_owned, known: shown && known(values), outcome }
        })
        .collect();
    let reports = if criteria {
        Criterion::ALL.map(|criterion| report(criterion, &audited, largest.as_ref())).to_vec()
    } else {
        Vec::new()
    };
    AttributeAudit {
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        finding: AttributeFinding::Measured {
            reference: None,
            largest: largest.map(|(name, _)| name),
            groups: audited,
            criteria: reports,
        },
    }
}

fn report(
    criterion: Criterion,
    groups: &[AuditedGroup],
    largest: Option<&(String, Counts)>,
) -> CriterionReport {
    let against = largest.map(|(name, _)| Against::Largest(name.clone()));
    let measures = criterion.measures();
    let mut compared: Vec<(&AuditedGroup, &Disparity, Estimate)> = Vec::new();
    for group in groups {
        for found in super::criteria::disparities(group) {
            if Some(&found.against) == against.as_ref() && measures.contains(&found.measure) {
                let size = if criterion == Criterion::FourFifthsRule {
                    found.ratio.map(|held| Estimate { interval: found.ratio_simultaneous.unwrap(), ..held })
                } else {
                    found
                        .difference
                        .map(|held| Estimate { interval: found.difference_simultaneous.unwrap(), ..held })
                };
                compared.extend(size.map(|size| (group, found, size)));
            }
        }
    }
    let all = |verdict| compared.iter().all(|(_, found, _)| found.verdict == verdict);
    let any = |verdict| compared.iter().any(|(_, found, _)| found.verdict == verdict);
    let verdict = if any(DisparityVerdict::Present) {
        DisparityVerdict::Present
    } else if all(DisparityVerdict::AbsentWithin) {
        DisparityVerdict::AbsentWithin
    } else {
        DisparityVerdict::CannotTell
    };
    let set_by = compared
        .into_iter()
        .filter(|(_, found, _)| found.verdict == verdict)
        .max_by(|a, b| a.2.value.abs().total_cmp(&b.2.value.abs()))
        .map(|(group, found, size)| {
            let AuditedOutcome::Shown { measures, .. } = &group.outcome else { unreachable!() };
            let denominator = measures.figure(found.measure).map(|held| held.n);
            Setter {
                group: group.name(),
                n: measures.n,
                denominator,
                measure: found.measure,
                size: Some(size),
            }
        });
    let margin = Some(MARGIN).filter(|_| criterion != Criterion::FourFifthsRule);
    CriterionReport { criterion, against, margin, verdict, set_by }
}

const ETHNICITIES: [&str; 20] = [
    "White British",
    "White Irish",
    "Any other White background",
    "White and Black Caribbean",
    "White and Black African",
    "White and Asian",
    "Any other mixed background",
    "Indian",
    "Pakistani",
    "Bangladeshi",
    "Chinese",
    "Any other Asian background",
    "Black Caribbean",
    "Black African",
    "Any other Black background",
    "Arab",
    "Gypsy or Roma",
    TINY,
    "refused",
    "unknown",
];

fn ethnicity(nth: usize, of: u64) -> Option<Counts> {
    let sizes = [
        14_200, 310, 1_940, 620, 240, 410, 500, 900, 1_310, 880, 95, 610, 700, 1_420, 260, 180, 34, 0, 150,
        420,
    ];
    let n = sizes[nth] / of;
    let wrongly = if ETHNICITIES[nth].contains("Black") { 92 } else { 58 + nth as u64 };
    (n >= 10).then(|| Counts::of(n, 42 + 3 * (nth as u64 % 5), 560 + 10 * (nth as u64 % 7), wrongly))
}

/// The audit.
pub(super) fn audit() -> Audit {
    let whole = Counts::of(25_179, 48, 572, 90);
    let sex = [
        (vec!["F"], Some(Counts::of(12_261, 47, 575, 49))),
        (vec!["M"], Some(Counts::of(12_400, 49, 570, 130))),
        (vec!["unknown"], Some(Counts::of(518, 40, 500, 60))),
    ];
    let ethnicities: Vec<Group<'_>> =
        ETHNICITIES.iter().enumerate().map(|(nth, name)| (vec![*name], ethnicity(nth, 1))).collect();
    let ages = ["0-4", "5-9", "10-13", "14-15", "16-17", "18+"]
        .into_iter()
        .zip([5_000, 6_100, 6_900, 4_300, 2_800, 79]);
    let ages: Vec<Group<'_>> = ages
        .enumerate()
        .map(|(nth, (name, n))| (vec![name], Some(Counts::of(n, 48, 570, 86 + nth as u64))))
        .collect();
    let wards: Vec<String> = (1..=32).map(|nth| format!("Ward {nth:02}")).collect();
    let mut wards: Vec<Group<'_>> = wards
        .iter()
        .enumerate()
        .map(|(nth, name)| {
            (vec![name.as_str()], (nth != 7).then(|| Counts::of(40 * (nth as u64 + 3), 48, 560, 62)))
        })
        .collect();
    wards.push((vec![SCRIPT], Some(Counts::of(610, 50, 560, 66))));
    wards.push((vec![FORMULA], Some(Counts::of(580, 50, 560, 61))));
    let pairs: Vec<Group<'_>> = ETHNICITIES
        .iter()
        .enumerate()
        .flat_map(|(nth, name)| ["F", "M"].map(|sex| (vec![sex, *name], ethnicity(nth, 2))))
        .collect();
    let mut params = AuditParams::at(OperatingPoint::Threshold(0.2));
    params.intersections = 2;
    params.bootstrap = Bootstrap { resamples: 1_000, seed: 7 };
    Audit {
        n: whole.n(),
        followed: true,
        positives: Some(whole.found + whole.missed),
        selected: Some(whole.found + whole.wrongly),
        clusters: 17_034,
        by_person: false,
        clustered: true,
        people: Some(20_911),
        weighted: false,
        scores: ScoreScale::Chances,
        spread: Some(ScoreSpread {
            lowest: 0.001,
            highest: 0.912,
            distinct: 8_114,
            commonest: vec![CommonScore { score: 0.004, rows: 611 }],
        }),
        operating: Operating {
            words: "score of 0.2 or more".to_owned(),
            threshold_chance: Some(0.2),
            tied: None,
            tie_withheld: false,
            not_shared: None,
        },
        params,
        correction: "max-t, family bootstrap, 1,000 resamples".to_owned(),
        whole: whole.measures(whole.found + whole.wrongly),
        attributes: vec![
            attribute(&["sex"], &sex, whole, true),
            attribute(&["ethnicity"], &ethnicities, whole, true),
            attribute(&["age_band"], &ages, whole, true),
            attribute(&["ward"], &wards, whole, true),
            AttributeAudit {
                columns: vec!["disability".to_owned()],
                finding: AttributeFinding::NotMeasurable { why: "the table does not hold it".to_owned() },
            },
        ],
        intersections: vec![attribute(&["sex", "ethnicity"], &pairs, whole, false)],
        left_out: Vec::new(),
        chosen: Vec::new(),
    }
}
