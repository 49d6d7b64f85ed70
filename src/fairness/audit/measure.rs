//! The figures of one group, with their intervals.

use super::calibration::{self, Totals};
use super::cells::People;
use super::groups::{Context, Group, coarse, published, share_parts};
use super::rates::{Rate, rounded};
use super::replicates::{Replicates, Scored};
use super::report::{AuditBin, GroupMeasures};
use crate::stats::{Estimate, Interval, Z};

/// An estimate that is no share, as published.
pub(super) fn estimate(value: f64, interval: Interval, n: u64, round: bool) -> Estimate {
    let interval = Interval { low: coarse(interval.low, round), high: coarse(interval.high, round) };
    Estimate { value: coarse(value, round), interval, n }
}

/// All figures of `group`, whose place among the replicates is `place`.
pub(super) fn measures<'a>(
    context: &Context<'a>,
    group: &'a Group,
    whole: &Group,
    (replicates, place): (&Replicates, usize),
    totals: &mut Totals<'a>,
) -> GroupMeasures {
    let round = context.params.round_to;
    let (n, parts) = (group.n(round), &context.rows.parts);
    let rate = |nth: usize| context.rate(group, nth).filter(|_| group.seen.share(nth));
    let share = |nth: usize| rate(nth).map(|rate| rate.estimate());
    let complement = |nth: usize| rate(nth).map(|rate| rate.complement().estimate());
    let scored = |figure: Scored| {
        let value = group.scored(figure).filter(|_| group.seen.scored(figure))?;
        let series = replicates.figure(place, figure.place());
        let few = group.few(figure.of_curve());
        let interval = match figure {
            Scored::ExpectedError => series.basic(value, few)?,
            _ => series.percentile(value, few)?,
        };
        Some(estimate(value, interval, n, round.is_some()))
    };
    let (slope, intercept) = line(context, group, totals);
    let of_line =
        |estimated: Option<Estimate>| estimated.map(|e| estimate(e.value, e.interval, n, round.is_some()));
    let count = |shown: bool, count: u64| shown.then(|| published(count, round));
    let selected_here = group.seen.selection && whole.seen.selection;
    let of_selected =
        || group.sums.share_of_selected(parts, &whole.sums, round).map(|rate: Rate| rate.estimate());
    GroupMeasures {
        n,
        positives: count(group.seen.outcome, share_parts(parts, &People::of_rows(&group.sums.rows), 0)[0]),
        selected: count(group.seen.selection, share_parts(parts, &People::of_rows(&group.sums.rows), 1)[0]),
        cells_withheld: group.seen.outcome
            && group.seen.selection
            && !group.seen.cells
            && context.rows.followed,
        scores_withheld: !group.seen.scores,
        prevalence: share(0),
        selection_rate: share(1),
        true_positive_rate: share(2),
        false_positive_rate: share(3),
        true_negative_rate: complement(3),
        false_negative_rate: complement(2),
        precision: share(4),
        false_discovery_rate: complement(4),
        false_omission_rate: share(5),
        accuracy: share(6),
        share_of_selected: if !selected_here {
            None
        } else if group.members.len() == whole.members.len() {
            of_selected().map(|all| Estimate { interval: Interval { low: 1.0, high: 1.0 }, ..all })
        } else {
            of_selected()
        },
        auc: scored(Scored::Auc),
        average_precision: scored(Scored::AveragePrecision),
        mean_score: scored(Scored::MeanScore),
        calibration_gap: scored(Scored::CalibrationGap),
        calibration_slope: of_line(slope),
        calibration_intercept: of_line(intercept),
        expected_calibration_error: scored(Scored::ExpectedError),
        reliability: reliability(context, group),
        by_score: Vec::new(),
        net_benefit: scored(Scored::NetBenefit),
    }
}

fn line<'a>(context: &Context<'a>, group: &'a Group, totals: &mut Totals<'a>) -> calibration::Line {
    match &context.log_odds {
        Some(log_odds) if group.seen.curve() => {
            totals.of(&group.members, group.sums.clusters[0]);
            calibration::line(context.rows, &group.members, log_odds, totals)
        }
        _ => (None, None),
    }
}

/// The bins, with Wilson's interval on as many rows as the group's prevalence is effectively made of.
fn reliability(context: &Context<'_>, group: &Group) -> Vec<AuditBin> {
    let round = context.params.round_to;
    // The bins' mean scores and sizes together give the mean score, which is held back with the selection. Of few scores
    // each is a bin, or two are.
    let seen = group.seen;
    let may = seen.curve() && seen.selection;
    if context.log_odds.is_none() || !may {
        return Vec::new();
    }
    let Some(base) = group.sums.rate(&context.rows.parts, 0, None) else { return Vec::new() };
    let effective = base.effective / base.n as f64;
    let bins = calibration::reliability(context.rows, &group.members, context.least().max(1));
    let shown = bins.into_iter().filter_map(|bin| {
        let (mut observed, mut n) = (bin.observed, bin.rows);
        if let Some(to) = round {
            n = rounded(bin.rows as f64, to);
            observed = (rounded(bin.observed * bin.rows as f64, to) as f64 / n as f64).min(1.0);
        }
        (n > 0).then(|| {
            let rate = Rate::plain(observed, n, n as f64 * effective);
            AuditBin { mean_predicted: coarse(bin.mean, round.is_some()), observed: rate.estimate() }
        })
    });
    shown.collect()
}

/// How many standard errors a comparison that is to be found four times in five must be away from the end
/// of its interval: the 80% point of the normal distribution.
pub(super) const POWER: f64 = 0.841_621_233_572_914_3;

/// The value that no simultaneous interval for `comparisons` normal figures needs to exceed, however they depend on
/// each other: the two-sided 95% point at level `0.95^(1/m)`.
///
/// # References
/// Z. Šidák (1967), "Rectangular confidence regions for the means of multivariate normal distributions", *Journal of
/// the American Statistical Association* 62:626-633. The normal point: M. Abramowitz and I. A. Stegun (1964),
/// *Handbook of Mathematical Functions*, 26.2.23, error below 0.00045.
pub(super) fn sidak(comparisons: usize) -> f64 {
    if comparisons < 2 {
        return Z;
    }
    let tail = (1.0 - 0.95_f64.powf(1.0 / comparisons as f64)) / 2.0;
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - above / below).max(Z)
}

/// The chance of a standard normal figure above `z`, for `z` of 1.9 or more.
fn tail(z: f64) -> f64 {
    // From the inside outwards; at 1.9 sixty steps give all digits.
    let fraction = (1..60).rev().fold(z, |below, step| z + f64::from(step) / below);
    (-z * z / 2.0).exp() / (std::f64::consts::TAU.sqrt() * fraction)
}

/// How many standard errors two figures' intervals must reach to hold together as often as one that reaches
/// `critical` does (1.9 or more): half the chance of an error for each (Bonferroni). With
/// `p = 2 (1 - Φ(critical))` it is the quantile at `1 - p / 4`.
///
/// # References
/// The normal tail as a continued fraction: M. Abramowitz and I. A. Stegun (1964), *Handbook of Mathematical
/// Functions*, 26.2.14.
pub(super) fn critical_for_two(critical: f64) -> f64 {
    let wanted = tail(critical) / 2.0;
    // Newton's way; the tail is convex, so it is reached from below without overshooting.
    (0..12).fold(critical, |z, _| {
        let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
        z + (tail(z) - wanted) / density
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_figures_need_the_quantile_of_half_the_chance() {
        // Of the normal distribution: 2.5%, 1.25%, 0.625% in the upper tail.
        assert!((tail(1.959_963_984_540_054) - 0.025).abs() < 1e-12);
        assert!((critical_for_two(1.959_963_984_540_054) - 2.241_402_727_604_947).abs() < 1e-9);
        assert!((critical_for_two(2.241_402_727_604_947) - 2.497_705_474_412_37).abs() < 1e-6);
    }
}
