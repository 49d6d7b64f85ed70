//! What the comparisons of one column say of each criterion of fairness.

use super::compare::{rounded_ends, stretched, verdict};
use super::measure::critical_for_two;
use super::params::AuditParams;
use super::report::{
    Against, AuditedGroup, AuditedOutcome, Criterion, CriterionReport, Disparity, DisparityVerdict,
    GroupMeasures, Measure, Setter,
};
use crate::stats::{Estimate, Interval};

/// Four fifths, and the same the other way round: ratios between them keep the rule.
const FOUR_FIFTHS: (f64, f64) = (0.8, 1.25);

/// One entry per criterion; none where fewer than two groups are shown, since there is then nothing to
/// compare. `against` is the base that counts: the reference, or else the largest group. The base itself is
/// compared with everybody: otherwise nothing would be said of it, however differently it fares.
pub(super) fn criteria(
    groups: &[AuditedGroup],
    against: Option<&Against>,
    params: &AuditParams,
) -> Vec<CriterionReport> {
    let shown = groups.iter().filter(|group| matches!(group.outcome, AuditedOutcome::Shown { .. }));
    if shown.count() < 2 {
        return Vec::new();
    }
    Criterion::ALL.into_iter().map(|criterion| report(criterion, groups, against, params)).collect()
}

fn measures(criterion: Criterion) -> &'static [Measure] {
    match criterion {
        Criterion::StatisticalParity | Criterion::FourFifthsRule => &[Measure::SelectionRate],
        Criterion::EqualOpportunity => &[Measure::TruePositiveRate],
        Criterion::EqualisedOdds => &[Measure::TruePositiveRate, Measure::FalsePositiveRate],
        Criterion::PredictiveParity => &[Measure::Precision],
        Criterion::CalibrationWithinGroups => &[Measure::CalibrationGap],
        Criterion::Abroca => &[Measure::Abroca],
    }
}

/// One comparison, as a criterion sees it.
struct Seen {
    verdict: DisparityVerdict,
    /// How far from "no difference"; there is none where the figure is not shown.
    gap: Option<f64>,
    setter: Option<Setter>,
}

fn report(
    criterion: Criterion,
    groups: &[AuditedGroup],
    against: Option<&Against>,
    params: &AuditParams,
) -> CriterionReport {
    let mut all: Vec<Seen> = Vec::new();
    for group in groups {
        let AuditedOutcome::Shown { measures: figures, disparities } = &group.outcome else { continue };
        let against = against.map(|against| against.for_group(&group.name()));
        for disparity in disparities {
            if Some(&disparity.against) == against && measures(criterion).contains(&disparity.measure) {
                all.push(seen(criterion, group, figures, disparity, params));
            }
        }
    }
    let any = |verdict: DisparityVerdict| all.iter().any(|seen| seen.verdict == verdict);
    let verdict = if any(DisparityVerdict::Present) {
        DisparityVerdict::Present
    } else if any(DisparityVerdict::CannotTell) || all.is_empty() {
        DisparityVerdict::CannotTell
    } else {
        DisparityVerdict::AbsentWithin
    };
    let decisive = all.into_iter().filter(|seen| seen.verdict == verdict && seen.setter.is_some());
    // Of equal gaps the first.
    let widest = decisive.reduce(|best, next| if next.gap > best.gap { next } else { best });
    let set_by = widest.and_then(|seen| seen.setter);
    CriterionReport { criterion, against: against.cloned(), verdict, set_by }
}

fn seen(
    criterion: Criterion,
    group: &AuditedGroup,
    figures: &GroupMeasures,
    found: &Disparity,
    params: &AuditParams,
) -> Seen {
    let size = |estimate: &Option<Estimate>, all: &Option<Interval>| {
        estimate.zip(*all).map(|(estimate, interval)| Estimate { interval, ..estimate })
    };
    let (size, gap, verdict) = if criterion == Criterion::FourFifthsRule {
        let ratio = size(&found.ratio, &found.ratio_simultaneous);
        (ratio, ratio.map(|ratio| ratio.value.ln().abs()), four_fifths(ratio.as_ref()))
    } else if criterion == Criterion::EqualisedOdds {
        let difference = size(&found.difference, &found.difference_simultaneous)
            .map(|difference| for_two_measures(difference, found.critical, params.round_to));
        let said = difference
            .map_or(DisparityVerdict::CannotTell, |difference| verdict(&difference.interval, params.margin));
        (difference, difference.map(|difference| difference.value.abs()), said)
    } else {
        let difference = size(&found.difference, &found.difference_simultaneous);
        (difference, difference.map(|difference| difference.value.abs()), found.verdict)
    };
    let denominator = figures.figure(found.measure).map_or(figures.n, |figure| figure.n);
    let setter = size.map(|size| Setter {
        group: group.name(),
        n: figures.n,
        denominator,
        measure: found.measure,
        size,
    });
    Seen { verdict, gap, setter }
}

/// A difference with the interval that holds for two measures at once: each of them alone would be found
/// clear of zero by chance in 5 of 100 samples, and either of them in nearly 10.
fn for_two_measures(difference: Estimate, critical: Option<f64>, round: Option<u32>) -> Estimate {
    let Some(critical) = critical else { return difference };
    let Interval { low, high } =
        stretched(difference.value, difference.interval, critical_for_two(critical) / critical, None);
    let interval = rounded_ends(Interval { low: low.max(-1.0), high: high.min(1.0) }, round);
    Estimate { interval, ..difference }
}

/// The rule is broken where the whole interval of the ratio lies outside, kept where it lies inside.
fn four_fifths(ratio: Option<&Estimate>) -> DisparityVerdict {
    let (low, high) = FOUR_FIFTHS;
    match ratio.map(|ratio| ratio.interval) {
        Some(all) if all.low >= low && all.high <= high => DisparityVerdict::AbsentWithin,
        Some(all) if all.high < low || all.low > high => DisparityVerdict::Present,
        _ => DisparityVerdict::CannotTell,
    }
}
