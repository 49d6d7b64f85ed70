//! What the comparisons of one column say of each criterion of fairness.

use super::compare::{rounded_ends, stretched, verdict};
use super::judged::Judged;
use super::measure::critical_for_two;
use super::params::AuditParams;
use super::report::{
    Against, Criterion, CriterionReport, DisparityVerdict, GroupMeasure, GroupMeasures, Setter,
};
use crate::stats::{Estimate, Interval};

/// A group that is shown: its name, its figures as published, and all its comparisons.
pub(super) struct JudgedGroup {
    pub(super) name: String,
    pub(super) measures: GroupMeasures,
    pub(super) judged: Vec<Judged>,
}

/// One entry per criterion; none where fewer than two groups are shown, since there is then nothing to
/// compare. `against` is the base that counts: the reference, or else the largest group. The base itself is
/// compared with everybody: otherwise nothing would be said of it, however differently it fares.
pub(super) fn criteria(
    groups: &[JudgedGroup],
    against: Option<&Against>,
    params: &AuditParams,
) -> Vec<CriterionReport> {
    if groups.len() < 2 {
        return Vec::new();
    }
    Criterion::ALL.into_iter().map(|criterion| report(criterion, groups, against, params)).collect()
}

/// One comparison, as a criterion sees it.
struct Seen {
    verdict: DisparityVerdict,
    /// How far from "no difference"; `None` where there is nothing to compare.
    gap: Option<f64>,
    setter: Setter,
}

fn report(
    criterion: Criterion,
    groups: &[JudgedGroup],
    against: Option<&Against>,
    params: &AuditParams,
) -> CriterionReport {
    let mut all: Vec<Seen> = Vec::new();
    let mut margin = None;
    for group in groups {
        let against = against.map(|against| against.for_group(&group.name));
        for judged in &group.judged {
            let disparity = &judged.disparity;
            if Some(&disparity.against) == against && criterion.measures().contains(&disparity.measure) {
                all.push(seen(criterion, group, judged, params));
                let said = disparity.margin.filter(|_| judged.margin_seen);
                margin = said.into_iter().chain(margin).reduce(f64::max);
            }
        }
    }
    let any = |verdict: DisparityVerdict| all.iter().any(|seen| seen.verdict == verdict);
    let verdict = [DisparityVerdict::Present, DisparityVerdict::Withheld, DisparityVerdict::CannotTell]
        .into_iter()
        .find(|&verdict| any(verdict))
        .unwrap_or(if all.is_empty() {
            DisparityVerdict::CannotTell
        } else {
            DisparityVerdict::AbsentWithin
        });
    let decisive = all.into_iter().filter(|seen| seen.verdict == verdict && seen.gap.is_some());
    // Of equal gaps the first. Which of the withheld ones is the widest is not said.
    let widest = decisive.reduce(|best, next| if next.gap > best.gap { next } else { best });
    let set_by = widest.filter(|_| verdict != DisparityVerdict::Withheld).map(|seen| seen.setter);
    let margin = margin.filter(|_| criterion != Criterion::FourFifthsRule);
    CriterionReport { criterion, against: against.cloned(), margin, verdict, set_by }
}

fn seen(criterion: Criterion, group: &JudgedGroup, judged: &Judged, params: &AuditParams) -> Seen {
    let (found, figures) = (&judged.disparity, &group.measures);
    let size = |estimate: &Option<Estimate>, all: &Option<Interval>| {
        estimate.zip(*all).map(|(estimate, interval)| Estimate { interval, ..estimate })
    };
    let difference = size(&found.difference, &found.difference_simultaneous);
    let gap = difference.map(|difference| difference.value.abs());
    let (size, gap, said) = match criterion {
        Criterion::FourFifthsRule => {
            let ratio = size(&found.ratio, &found.ratio_simultaneous);
            // A ratio to nobody is without bound.
            let far = ratio.map(|ratio| ratio.value.ln().abs());
            (ratio, far.or(gap.map(|_| f64::INFINITY)), judged.four_fifths)
        }
        // What contains another criterion is present where that is.
        Criterion::StatisticalParity if judged.four_fifths == DisparityVerdict::Present => {
            (difference, gap, DisparityVerdict::Present)
        }
        Criterion::EqualisedOdds
            if found.measure != GroupMeasure::TruePositiveRate
                || found.verdict != DisparityVerdict::Present =>
        {
            let both =
                difference.map(|difference| for_two_measures(difference, found.critical, params.round_to));
            let margin = found.margin.unwrap_or(params.margin);
            (both, gap, both.map_or(DisparityVerdict::CannotTell, |both| verdict(&both.interval, margin)))
        }
        _ => (difference, gap, found.verdict),
    };
    let size = if judged.seen { size } else { None };
    let denominator = figures.figure(found.measure).map(|figure| figure.n);
    let setter =
        Setter { group: group.name.clone(), n: figures.n, denominator, measure: found.measure, size };
    Seen { verdict: if judged.gives_away { DisparityVerdict::Withheld } else { said }, gap, setter }
}

/// A difference with the interval that holds for two measures at once: each of them alone would be found
/// clear of zero by chance in 5 of 100 samples, and either of them in nearly 10.
fn for_two_measures(difference: Estimate, critical: Option<f64>, round: Option<u32>) -> Estimate {
    let Some(critical) = critical else { return difference };
    let Interval { low, high } =
        stretched(difference.value, difference.interval, critical_for_two(critical) / critical, None);
    let interval = rounded_ends(Interval { low: low.max(-1.0), high: high.min(1.0) }, round.is_some());
    Estimate { interval, ..difference }
}
