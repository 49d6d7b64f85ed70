//! Whether scores that are chances mean the same in each group: slope, intercept, error and bins, with weights
//! and families.
//!
//! The measures are those of [`evaluate::calibration`](crate::evaluate::calibration), for many groups of many
//! rows. So where rows are many, both regressions are solved by Newton's method on sums of powers over short
//! stretches of log-odds, which one pass over the rows makes: the answer is that of all rows, to nine digits or
//! more.

use super::points::{Members, Points, Scale, Stretches};
use super::rows::Rows;
use crate::stats::line::{LEAST_INFORMATION, newton, solve};
use crate::stats::link::{self, probability};
use crate::stats::{Estimate, Interval};

/// Bins of the calibration error and of the reliability diagram, as in
/// [`Calibration::BINS`](crate::evaluate::calibration::Calibration::BINS): the usual ten.
pub(super) const BINS: usize = 10;
/// Up to so many rows, a regression is solved on the rows themselves, which then takes no longer.
const FEW_ROWS: usize = 2_000;
/// The most Newton steps; about six are needed.
const MOST_STEPS: usize = 60;
/// A Newton step below so many log-odds is the last: the error left is about its square.
const SMALL_STEP: f64 = 1e-6;

/// The log-odds of every row's score; infinite at 0 and 1.
pub(super) fn log_odds(rows: &Rows) -> Vec<f64> {
    rows.scores.iter().map(|&score| link::log_odds(score)).collect()
}

/// Slope, and intercept with the slope held at 1.
pub(super) type Line = (Option<Estimate>, Option<Estimate>);

/// Fits both regressions to these rows. `None` where there is no answer: a score of exactly 0 or 1 (its
/// log-odds are infinite), one class only, equal scores, classes that do not overlap, a single family.
pub(super) fn line(rows: &Rows, members: &[u32], log_odds: &[f64], totals: &mut Totals) -> Line {
    let members = Members { rows, places: members, log_odds };
    if !members.overlap() {
        return (None, None);
    }
    let many = members.places.len() > FEW_ROWS;
    let points = if many { Points::Stretches(Stretches::new(&members)) } else { Points::Rows(members) };
    let scale = points.scale();
    if !(scale.spread > 0.0 && scale.spread.is_finite()) {
        return (None, None);
    }
    let (mut tilted, mut level) = (slope(&points, &scale), intercept(&points, &scale));
    let followed = |fitted: &Option<Fitted>| fitted.as_ref().is_some_and(|held| points.follow(held.at[1]));
    let rows = Points::Rows(members);
    if many && !followed(&tilted) {
        tilted = slope(&rows, &scale);
    }
    if many && !followed(&level) {
        level = intercept(&rows, &scale);
    }
    let Some(variances) = totals.variances(&members, &points, [tilted.as_ref(), level.as_ref()]) else {
        return (None, None);
    };
    let estimate = |fitted: Option<Fitted>, variance: f64| {
        fitted.and_then(|fitted| {
            let interval = Interval::normal(fitted.value, variance.sqrt())?;
            Some(Estimate { value: fitted.value, interval, n: totals.n })
        })
    };
    (estimate(tilted, variances[0]), estimate(level, variances[1]))
}

/// A fitted number, and what each row adds to its error to first order: the row's residual at the line fitted
/// (`level` and `tilt` of the log-odds), times a line in the log-odds.
#[derive(Debug, Clone, Copy, Default)]
struct Fitted {
    value: f64,
    at: [f64; 2],
    times: [f64; 2],
}

impl Fitted {
    fn part(&self, x: f64, weight: f64, with: f64) -> f64 {
        (with - weight * probability(self.at[0] + self.at[1] * x)) * (self.times[0] + self.times[1] * x)
    }
}

fn slope(points: &Points, scale: &Scale) -> Option<Fitted> {
    let start = [(scale.with / (scale.weight - scale.with)).ln(), 0.0];
    let (at, hessian) = newton(start, SMALL_STEP, |at| points.derivatives(scale, at))?;
    // The slope's part of (inverse Hessian × a row's gradient), on the scale of the log-odds.
    let (level, tilt) = (solve(hessian, [1.0, 0.0])?[1], solve(hessian, [0.0, 1.0])?[1]);
    let line = |[a, b]: [f64; 2]| [a - b * scale.mean / scale.spread, b / scale.spread];
    let times = line([level, tilt]).map(|time| time / scale.spread);
    Some(Fitted { value: at[1] / scale.spread, at: line(at), times })
}

/// Calibration in the large: the one number to add to all log-odds so that the chances add up to what happened.
fn intercept(points: &Points, scale: &Scale) -> Option<Fitted> {
    let (at, information) = level(points, scale)?;
    if information < LEAST_INFORMATION * scale.weight {
        return None;
    }
    Some(Fitted { value: at, at: [at, 1.0], times: [1.0 / information, 0.0] })
}

/// The answer and the information there. Newton's method, held between two bounds that are drawn together.
fn level(points: &Points, scale: &Scale) -> Option<(f64, f64)> {
    let (mut low, mut high, mut at) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
    for _ in 0..4 * MOST_STEPS {
        let ([missing, _], [information, ..]) = points.derivatives(scale, [at + scale.mean, scale.spread])?;
        if missing > 0.0 {
            low = at;
        } else {
            high = at;
        }
        // A far start gives hardly any information: the step is then held to a few units.
        let step = (missing / information).clamp(-4.0, 4.0);
        let newton = at + step;
        let next = if newton >= low && newton <= high { newton } else { f64::midpoint(low, high) };
        if !next.is_finite() {
            return None;
        }
        let moved = (next - at).abs();
        at = next;
        if moved <= SMALL_STEP * (1.0 + at.abs()) && information > LEAST_INFORMATION * scale.weight {
            return Some((at, information));
        }
    }
    None
}

/// Adds up by family what rows contribute to two estimates, to get their robust variances.
pub(super) struct Totals<'a> {
    clusters: Option<&'a [u32]>,
    members: &'a [u32],
    /// 0 between two uses.
    sums: Vec<[f64; 2]>,
    n: u64,
    families: u64,
}

impl<'a> Totals<'a> {
    pub(super) fn new(rows: &'a Rows) -> Self {
        let clusters = rows.clusters.as_ref();
        let sums = vec![[0.0; 2]; clusters.map_or(0, |clusters| clusters.count)];
        let clusters = clusters.map(|held| &held.index[..]);
        Self { clusters, members: &[], sums, n: 0, families: 0 }
    }

    /// The rows that the next variances are of, and how many families they belong to.
    pub(super) fn of(&mut self, members: &'a [u32], families: u64) {
        (self.members, self.n, self.families) = (members, members.len() as u64, families);
    }

    /// The variances of both numbers, as far as they are fitted: the sums of squares of the families' totals, times
    /// `G / (G - 1)`; `None` for a single family.
    fn variances(
        &mut self,
        members: &Members<'_>,
        points: &Points<'_>,
        fitted: [Option<&Fitted>; 2],
    ) -> Option<[f64; 2]> {
        let [slope, level] = fitted.map(|fitted| fitted.copied().unwrap_or_default());
        let mut squares = [0.0; 2];
        let mut add = |[a, b]: [f64; 2]| squares = [squares[0] + a * a, squares[1] + b * b];
        let part =
            |x: f64, weight: f64, with: f64| [slope.part(x, weight, with), level.part(x, weight, with)];
        match (self.clusters, points) {
            (None, Points::Stretches(stretches))
                if members.rows.weights.is_none()
                    && points.follow(slope.at[1])
                    && points.follow(level.at[1]) =>
            {
                squares = [slope, level].map(|held| stretches.squares(held.at, held.times));
            }
            (None, _) => members.each(|x, weight, with, _| add(part(x, weight, with))),
            (Some(clusters), _) => {
                members.each(|x, weight, with, row| {
                    let [a, b] = part(x, weight, with);
                    let sum = &mut self.sums[clusters[row] as usize];
                    *sum = [sum[0] + a, sum[1] + b];
                });
                // Each family is met at its first row, and is 0 from then on.
                for &row in self.members {
                    add(std::mem::take(&mut self.sums[clusters[row as usize] as usize]));
                }
            }
        }
        let families = self.families as f64;
        (families > 1.0).then(|| squares.map(|sum| sum * families / (families - 1.0)))
    }
}

/// The group's rows in ten bins of (nearly) equal size, from the lowest scores up; equal scores in one bin.
fn tenths<'m>(rows: &Rows, members: &'m [u32]) -> Vec<&'m [u32]> {
    // Members stand best first, so bins are cut from the end.
    let n = members.len();
    let score = |rank: usize| rows.scores[members[n - 1 - rank] as usize];
    let (mut bins, mut start) = (Vec::with_capacity(BINS), 0);
    for bin in 1..=BINS {
        let mut end = (bin * n / BINS).max(start);
        while end > start && end < n && score(end) <= score(end - 1) {
            end += 1;
        }
        if end > start {
            bins.push(&members[n - end..n - start]);
        }
        start = end;
    }
    bins
}

/// Weight, weight with the outcome, weighted sum of scores.
#[derive(Debug, Clone, Copy, Default)]
struct BinSums {
    weight: f64,
    with: f64,
    score: f64,
}

impl BinSums {
    fn of(rows: &Rows, members: &[u32]) -> Self {
        let mut sums = Self::default();
        for &row in members.iter().rev() {
            let row = row as usize;
            let weight = rows.weight(row);
            sums.weight += weight;
            sums.with += if rows.outcomes[row] { weight } else { 0.0 };
            sums.score += weight * rows.scores[row];
        }
        sums
    }
}

/// The expected calibration error over ten bins.
pub(super) fn expected_error(rows: &Rows, members: &[u32]) -> f64 {
    let bins: Vec<BinSums> = tenths(rows, members).into_iter().map(|bin| BinSums::of(rows, bin)).collect();
    let weight: f64 = bins.iter().map(|bin| bin.weight).sum();
    bins.iter().map(|bin| (bin.with - bin.score).abs()).sum::<f64>() / weight
}

/// A reliability bin before its interval is made: mean score, share with the outcome, rows.
pub(super) struct RawBin {
    pub(super) mean: f64,
    pub(super) observed: f64,
    pub(super) rows: u64,
}

/// The bins, joined from the lowest up until each has `least` people with and without the outcome.
pub(super) fn reliability(rows: &Rows, members: &[u32], least: u64) -> Vec<RawBin> {
    let people = |bin: &[u32], outcome: bool| {
        let of_bin = bin.iter().map(|&row| row as usize);
        rows.people.distinct(of_bin.filter(|&row| rows.outcomes[row] == outcome))
    };
    let enough = |bin: &[u32]| [false, true].into_iter().all(|outcome| people(bin, outcome) >= least);
    // Bins that stand beside each other are one stretch of the members.
    let (mut joined, mut end): (Vec<&[u32]>, usize) = (Vec::new(), members.len());
    for bin in tenths(rows, members) {
        let start = end - bin.len();
        match joined.last_mut() {
            Some(last) if !enough(last) => *last = &members[start..start + bin.len() + last.len()],
            _ => joined.push(bin),
        }
        end = start;
    }
    if let [.., before, last] = &joined[..]
        && !enough(last)
    {
        let both = &members[..last.len() + before.len()];
        joined.truncate(joined.len() - 2);
        joined.push(both);
    }
    let raw = |bin: &[u32]| {
        let sums = BinSums::of(rows, bin);
        RawBin {
            mean: sums.score / sums.weight,
            observed: (sums.with / sums.weight).min(1.0),
            rows: bin.len() as u64,
        }
    };
    joined.into_iter().filter(|bin| enough(bin)).map(raw).collect()
}
