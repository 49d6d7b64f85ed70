//! What can be said of each criterion, and the differences behind it.

use super::super::words;
use super::{figure, id, name};
use crate::fairness::audit::{
    Against, AttributeFinding, Audit, AuditedGroup, AuditedOutcome, Criterion, CriterionReport, Disparity,
    DisparityVerdict, GroupMeasure, Setter,
};

/// The question that a criterion asks.
pub(super) fn question(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::StatisticalParity => "Is each group selected as often?",
        Criterion::EqualOpportunity => "Of those who had the outcome, is each group found as often?",
        Criterion::EqualisedOdds => {
            "Is each group found as often, and selected wrongly as often, among those without the outcome?"
        }
        Criterion::PredictiveParity => "Of those selected, did as many have the outcome in each group?",
        Criterion::CalibrationWithinGroups => "Does a score mean the same in each group?",
        Criterion::FourFifthsRule => "Is no group selected less than four fifths as often as another?",
        Criterion::Abroca => "Does the ranking tell people apart equally well in each group?",
    }
}

/// Whom the groups of a characteristic are compared with.
pub(in crate::report) fn main_against(criteria: &[CriterionReport]) -> Option<&Against> {
    criteria.iter().find_map(|report| report.against.as_ref())
}

/// The comparisons of a group, if it is shown.
pub(super) fn disparities(group: &AuditedGroup) -> &[Disparity] {
    match &group.outcome {
        AuditedOutcome::Shown { disparities, .. } => disparities,
        AuditedOutcome::Suppressed { .. } => &[],
    }
}

/// A verdict as a word and a mark that does not rest on colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) struct Said {
    pub class: &'static str,
    pub mark: &'static str,
    pub words: &'static str,
}

impl Said {
    pub(super) fn of(verdict: DisparityVerdict) -> Self {
        let (class, mark, words) = match verdict {
            DisparityVerdict::Present => ("present", "▲", "present"),
            DisparityVerdict::AbsentWithin => ("within", "✓", "absent within the margin"),
            DisparityVerdict::CannotTell => ("unsure", "?", "cannot tell"),
            DisparityVerdict::Withheld => ("unsure", "–", "withheld"),
        };
        Self { class, mark, words }
    }
}

/// All criteria of all characteristics at a glance.
pub(super) struct Overview {
    pub criteria: Vec<&'static str>,
    pub rows: Vec<OverviewRow>,
    /// How many verdicts there are of each kind.
    pub present: usize,
    pub absent: usize,
    pub unsure: usize,
    pub not_measurable: usize,
}

/// One characteristic at a glance.
pub(super) struct OverviewRow {
    pub id: String,
    pub name: String,
    /// Why it could not be measured; empty where it was.
    pub not_measurable: String,
    pub verdicts: Vec<Said>,
}

impl Overview {
    pub(super) fn of(audit: &Audit) -> Self {
        let mut overview = Self {
            criteria: Criterion::ALL.map(Criterion::name).to_vec(),
            rows: Vec::new(),
            present: 0,
            absent: 0,
            unsure: 0,
            not_measurable: 0,
        };
        for (nth, attribute) in audit.attributes.iter().enumerate() {
            let (verdicts, why) = match &attribute.finding {
                AttributeFinding::Measured { criteria, .. } => {
                    (Criterion::ALL.map(|criterion| verdict_of(criterion, criteria)).to_vec(), String::new())
                }
                AttributeFinding::NotMeasurable { why } => (Vec::new(), why.clone()),
            };
            overview.not_measurable += usize::from(verdicts.is_empty());
            for verdict in &verdicts {
                match verdict {
                    DisparityVerdict::Present => overview.present += 1,
                    DisparityVerdict::AbsentWithin => overview.absent += 1,
                    DisparityVerdict::CannotTell | DisparityVerdict::Withheld => overview.unsure += 1,
                }
            }
            overview.rows.push(OverviewRow {
                id: id(nth),
                name: name(attribute),
                not_measurable: why,
                verdicts: verdicts.into_iter().map(Said::of).collect(),
            });
        }
        overview
    }
}

/// What is not reported cannot be told.
fn verdict_of(criterion: Criterion, reports: &[CriterionReport]) -> DisparityVerdict {
    let report = reports.iter().find(|report| report.criterion == criterion);
    report.map_or(DisparityVerdict::CannotTell, |report| report.verdict)
}

/// One criterion of a characteristic.
pub(in crate::report) struct CriterionRow {
    pub name: &'static str,
    pub question: &'static str,
    pub said: Said,
    /// What absent would mean.
    pub margin: String,
    /// The group that sets it; empty where there is none.
    pub group: String,
    pub size: String,
    /// On how many people that rests.
    pub rests_on: String,
    /// The smallest differences that the sample would have shown, over the groups.
    pub could_show: String,
}

impl CriterionRow {
    pub(in crate::report) fn all(
        audit: &Audit,
        groups: &[AuditedGroup],
        reports: &[CriterionReport],
    ) -> Vec<Self> {
        reports.iter().map(|report| Self::of(audit, groups, report)).collect()
    }

    fn of(audit: &Audit, groups: &[AuditedGroup], report: &CriterionReport) -> Self {
        let (mut group, mut size, mut rests_on) = (String::new(), String::new(), String::new());
        if let Some(setter) = &report.set_by {
            group.clone_from(&setter.group);
            size = size_in_words(audit, report.criterion, setter);
            rests_on = format!("n = {}", words::count(setter.n));
            if let Some(denominator) = setter.denominator.filter(|&denominator| denominator != setter.n) {
                rests_on.push_str(&format!(", the figure on {}", words::count(denominator)));
            }
            // The yardstick itself is held against everybody.
            if report.set_against() == Some(&Against::Whole) {
                rests_on.push_str("; against everybody");
            }
        }
        Self {
            name: report.criterion.name(),
            question: question(report.criterion),
            said: Said::of(report.verdict),
            margin: figure::margin(report.criterion, report.margin),
            group,
            size,
            rests_on,
            could_show: could_show(audit, groups, report),
        }
    }
}

/// `true-positive rate +4.2 points (1.0 to 7.4)`, or `selected 0.71 times as often (0.60 to 0.84)`.
///
/// Or that it is withheld, which a verdict is not.
pub(in crate::report) fn size_in_words(audit: &Audit, criterion: Criterion, setter: &Setter) -> String {
    let measure = setter.measure;
    match &setter.size {
        None => format!("{measure}: by how much is {}", figure::WITHHELD),
        Some(size) if criterion == Criterion::FourFifthsRule => {
            format!("{} times as often", figure::ratio(size.value, Some(size.interval)))
        }
        Some(size) => {
            let held = Some(size.interval);
            format!(
                "{} {}",
                figure::name(measure, audit.scores),
                figure::difference(measure, size.value, held, audit.scores)
            )
        }
    }
}

/// `1.2 points (F) to 18.4 points (55+)`; empty where no group could be compared.
fn could_show(audit: &Audit, groups: &[AuditedGroup], report: &CriterionReport) -> String {
    // The rule of four fifths is about ratios, and its smallest differences are those of statistical parity.
    let Some(against) = report.against.as_ref().filter(|_| report.criterion != Criterion::FourFifthsRule)
    else {
        return String::new();
    };
    let mut shown: Vec<(f64, GroupMeasure, String)> = Vec::new();
    for group in groups {
        let compared = disparities(group).iter().filter(|found| {
            found.against == *against && report.criterion.measures().contains(&found.measure)
        });
        // Of a criterion of two figures a difference in either could go unseen, so the one that is shown less well counts.
        let least = compared
            .filter_map(|found| Some((found.smallest_shown?, found.measure)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        shown.extend(least.map(|(size, measure)| (size, measure, group.name())));
    }
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    let told = |(size, measure, group): &(f64, GroupMeasure, String)| {
        format!("{} ({group})", figure::size(*measure, *size, audit.scores))
    };
    match shown.as_slice() {
        [] => String::new(),
        [only] => told(only),
        [least, .., most] => format!("{} to {}", told(least), told(most)),
    }
}

/// A difference of one group from those it is compared with.
pub(super) struct DifferenceRow {
    pub group: String,
    pub measure: &'static str,
    /// With its own interval.
    pub difference: String,
    /// The interval that holds for all groups at once.
    pub simultaneous: String,
    pub ratio: String,
    pub said: Said,
    pub could_show: String,
    pub rests_on: String,
}

/// Differences on the page. The true-negative, false-negative and false-discovery rates are left to the table
/// and the data: their differences are those of the rates they complete, with the sign turned.
const TOLD: [GroupMeasure; 13] = [
    GroupMeasure::Prevalence,
    GroupMeasure::SelectionRate,
    GroupMeasure::TruePositiveRate,
    GroupMeasure::FalsePositiveRate,
    GroupMeasure::Precision,
    GroupMeasure::FalseOmissionRate,
    GroupMeasure::Accuracy,
    GroupMeasure::Auc,
    GroupMeasure::AveragePrecision,
    GroupMeasure::MeanScore,
    GroupMeasure::CalibrationGap,
    GroupMeasure::NetBenefit,
    GroupMeasure::Abroca,
];

impl DifferenceRow {
    /// Those that are present, and the rest.
    pub(super) fn split(
        audit: &Audit,
        groups: &[AuditedGroup],
        against: Option<&Against>,
    ) -> (Vec<Self>, Vec<Self>) {
        let (mut present, mut others) = (Vec::new(), Vec::new());
        for group in groups {
            for found in told(group, against) {
                let to = if found.verdict == DisparityVerdict::Present { &mut present } else { &mut others };
                to.extend(Self::of(audit, group, found));
            }
        }
        (present, others)
    }

    /// `None` where there is nothing to compare.
    fn of(audit: &Audit, group: &AuditedGroup, found: &Disparity) -> Option<Self> {
        let measure = found.measure;
        let Some(difference) = found.difference.as_ref() else {
            return (found.verdict != DisparityVerdict::CannotTell).then(|| Self {
                group: group.name(),
                measure: figure::name(measure, audit.scores),
                difference: figure::WITHHELD.to_owned(),
                simultaneous: String::new(),
                ratio: String::new(),
                said: Said::of(found.verdict),
                could_show: String::new(),
                rests_on: String::new(),
            });
        };
        let told = |value, interval| figure::difference(measure, value, interval, audit.scores);
        let ratio = found.ratio.as_ref();
        Some(Self {
            group: group.name(),
            measure: figure::name(measure, audit.scores),
            difference: told(difference.value, Some(difference.interval)),
            simultaneous: found
                .difference_simultaneous
                .map(|held| between(measure, held, audit))
                .unwrap_or_default(),
            ratio: ratio
                .map(|ratio| figure::ratio(ratio.value, found.ratio_simultaneous.or(Some(ratio.interval))))
                .unwrap_or_default(),
            said: Said::of(found.verdict),
            could_show: found
                .smallest_shown
                .map(|least| figure::size(measure, least, audit.scores))
                .unwrap_or_default(),
            rests_on: words::count(difference.n),
        })
    }
}

/// The differences of a group that are present, each with the interval that holds for all groups at once.
pub(in crate::report) fn present(
    audit: &Audit,
    group: &AuditedGroup,
    against: Option<&Against>,
) -> Vec<String> {
    let against = against.map(|against| against.for_group(&group.name()));
    let present = told(group, against)
        .filter(|found| found.verdict == DisparityVerdict::Present && found.measure != GroupMeasure::Abroca);
    present
        .filter_map(|found| {
            let difference = found.difference.as_ref()?;
            let held = found.difference_simultaneous.or(Some(difference.interval));
            let size = figure::difference(found.measure, difference.value, held, audit.scores);
            Some(format!("{} {size}", figure::name(found.measure, audit.scores)))
        })
        .collect()
}

/// The comparisons that the page tells of a group.
pub(super) fn told<'a>(
    group: &'a AuditedGroup,
    against: Option<&'a Against>,
) -> impl Iterator<Item = &'a Disparity> {
    disparities(group)
        .iter()
        .filter(move |found| Some(&found.against) == against && TOLD.contains(&found.measure))
}

/// `1.0 to 7.4`, out of the way that a difference is told.
fn between(measure: GroupMeasure, held: crate::evaluate::Interval, audit: &Audit) -> String {
    let text = figure::difference(measure, held.high, Some(held), audit.scores);
    text.split_once('(').map_or(String::new(), |(_, ends)| ends.trim_end_matches(')').to_owned())
}
