//! Whether scores that are chances mean the same in each group: slope, intercept, error and bins, with weights
//! and families.
//!
//! The measures are those of [`evaluate::calibration`](crate::evaluate::calibration), for many groups of many
//! rows. So both regressions are first solved on bins of scores, and that answer is then corrected on all rows
//! by Newton's method: it is exact, after two or three passes over the rows.

use super::rows::Rows;
use super::suppress::Parts;
use crate::evaluate::interval::{Estimate, Interval, Z};

/// Bins of the calibration error and of the reliability diagram, as in
/// [`Calibration::BINS`](crate::evaluate::calibration::Calibration::BINS): the usual ten.
pub(super) const BINS: usize = 10;
/// Up to so many rows every row is its own bin in the first stage.
const FEW_ROWS: usize = 5_000;
/// The most Newton steps in each stage; about six are needed in the first, two in the second.
const MOST_STEPS: usize = 60;
/// A Newton step below this (on the standardised scale) is the last: the error left is about its square.
const SMALL_STEP: f64 = 1e-6;
/// The least information a row must give on average (at most 1/4) for the intercept to be told from rounding.
const LEAST_INFORMATION: f64 = 1e-10;

/// The log-odds of every row's score; infinite at 0 and 1.
pub(super) fn log_odds(rows: &Rows) -> Vec<f64> {
    rows.scores.iter().map(|score| score.ln() - (-score).ln_1p()).collect()
}

/// Slope, and intercept with the slope held at 1.
pub(super) type Line = (Option<Estimate>, Option<Estimate>);

/// Fits both regressions to these rows. `None` where there is no answer: a score of exactly 0 or 1 (its
/// log-odds are infinite), one class only, equal scores, classes that do not overlap, a single family.
pub(super) fn line(rows: &Rows, members: &[u32], log_odds: &[f64], totals: &mut Totals) -> Line {
    if !overlap(rows, members, log_odds) {
        return (None, None);
    }
    let exact: Points = Points::Rows { rows, members, log_odds };
    let rough: Points =
        if members.len() <= FEW_ROWS { exact.clone() } else { binned(rows, members, log_odds) };
    // Mean and spread only put the regression on a handy scale.
    let (mut weight, mut sum, mut square) = (0.0, 0.0, 0.0);
    rough.each(|x, w, _, _| (weight, sum) = (weight + w, sum + w * x));
    let mean = sum / weight;
    rough.each(|x, w, _, _| square += w * (x - mean).powi(2));
    let spread = (square / weight).sqrt();
    if !(spread > 0.0 && spread.is_finite()) {
        return (None, None);
    }
    let scale = Scale { mean, spread, weight };
    let (slope, intercept) = (slope(&rough, &exact, &scale), intercept(&rough, &exact, &scale));
    let none = |_: f64, _: f64, _: f64| 0.0;
    // One pass for the variances of both.
    let variances = match (&slope, &intercept) {
        (Some(slope), Some(level)) => {
            totals.sandwich(&exact, |x, w, y| [slope.part(x, w, y), level.part(x, w, y)])
        }
        (Some(slope), None) => totals.sandwich(&exact, |x, w, y| [slope.part(x, w, y), none(x, w, y)]),
        (None, Some(level)) => totals.sandwich(&exact, |x, w, y| [none(x, w, y), level.part(x, w, y)]),
        (None, None) => None,
    };
    let Some(variances) = variances else { return (None, None) };
    let estimate = |fitted: Option<Fitted>, variance: f64| {
        fitted.and_then(|fitted| normal(fitted.value, variance.sqrt(), totals.n))
    };
    (estimate(slope, variances[0]), estimate(intercept, variances[1]))
}

struct Scale {
    mean: f64,
    spread: f64,
    weight: f64,
}

/// What a regression is fitted to.
#[derive(Clone)]
enum Points<'a> {
    Rows {
        rows: &'a Rows,
        members: &'a [u32],
        log_odds: &'a [f64],
    },
    /// Log-odds, weight, weight with the outcome.
    Bins(Vec<[f64; 3]>),
}

impl Points<'_> {
    /// Calls `each` with log-odds, weight, weight with the outcome, and the row.
    fn each(&self, mut each: impl FnMut(f64, f64, f64, usize)) {
        match self {
            Self::Rows { rows, members, log_odds } => {
                for &row in *members {
                    let row = row as usize;
                    let weight = rows.weight(row);
                    each(log_odds[row], weight, if rows.outcomes[row] { weight } else { 0.0 }, row);
                }
            }
            Self::Bins(bins) => {
                for &[x, weight, with] in bins {
                    each(x, weight, with, 0);
                }
            }
        }
    }
}

fn binned<'a>(rows: &Rows, members: &[u32], log_odds: &[f64]) -> Points<'a> {
    let mut bins = vec![[0.0; 3]; rows.bin_count];
    for &row in members {
        let row = row as usize;
        let (bin, weight) = (&mut bins[rows.bins[row] as usize], rows.weight(row));
        bin[0] += weight * log_odds[row];
        bin[1] += weight;
        bin[2] += if rows.outcomes[row] { weight } else { 0.0 };
    }
    bins.retain(|bin| bin[1] > 0.0);
    for bin in &mut bins {
        bin[0] /= bin[1];
    }
    Points::Bins(bins)
}

/// Whether some row without the outcome scores higher than some row with it, and the other way round: exactly
/// then a logistic regression on one score has a finite answer (A. Albert and J. A. Anderson, 1984, *Biometrika*
/// 71:1-10). False also where a score is infinite.
fn overlap(rows: &Rows, members: &[u32], log_odds: &[f64]) -> bool {
    let mut range = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for &row in members {
        let class = &mut range[usize::from(rows.outcomes[row as usize])];
        let score = log_odds[row as usize];
        *class = (class.0.min(score), class.1.max(score));
    }
    let finite = range.iter().all(|(low, high)| low.is_finite() && high.is_finite());
    finite && range[1].0 < range[0].1 && range[0].0 < range[1].1
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Solves a symmetric two-by-two system; `None` when it has no finite answer.
fn solve([aa, ab, bb]: [f64; 3], [a, b]: [f64; 2]) -> Option<[f64; 2]> {
    let determinant = aa * bb - ab * ab;
    let answer = [(bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant];
    (determinant > 0.0 && answer.iter().all(|x| x.is_finite())).then_some(answer)
}

/// A fitted number, and what each row adds to its error to first order: the row's residual at the line fitted
/// (`level` and `tilt` of the log-odds), times a line in the log-odds.
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

fn slope(rough: &Points, exact: &Points, scale: &Scale) -> Option<Fitted> {
    let mut with = 0.0;
    exact.each(|_, _, happened, _| with += happened);
    let start = [(with / (scale.weight - with)).ln(), 0.0];
    let near = newton(rough, scale, start).map_or(start, |(at, _)| at);
    let (at, hessian) = newton(exact, scale, near)?;
    // The slope's part of (inverse Hessian × a row's gradient), on the scale of the log-odds.
    let (level, tilt) = (solve(hessian, [1.0, 0.0])?[1], solve(hessian, [0.0, 1.0])?[1]);
    let line = |[a, b]: [f64; 2]| [a - b * scale.mean / scale.spread, b / scale.spread];
    let times = line([level, tilt]).map(|time| time / scale.spread);
    Some(Fitted { value: at[1] / scale.spread, at: line(at), times })
}

fn normal(value: f64, standard_error: f64, n: u64) -> Option<Estimate> {
    let interval = Interval { low: value - Z * standard_error, high: value + Z * standard_error };
    (interval.low.is_finite() && interval.high.is_finite()).then_some(Estimate { value, interval, n })
}

/// The gradient of the log-likelihood, and minus its second derivatives as `[aa, ab, bb]`.
fn derivatives(points: &Points, scale: &Scale, [a, b]: [f64; 2]) -> Option<([f64; 2], [f64; 3])> {
    let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
    points.each(|x, weight, with, _| {
        let z = (x - scale.mean) / scale.spread;
        let p = probability(a + b * z);
        let (residual, curve) = (with - weight * p, weight * p * (1.0 - p));
        gradient = [gradient[0] + residual, gradient[1] + residual * z];
        hessian = [hessian[0] + curve, hessian[1] + curve * z, hessian[2] + curve * z * z];
    });
    hessian.iter().all(|entry| entry.is_finite()).then_some((gradient, hessian))
}

/// Newton's method from `at`. The gradient must shrink with each step; a step after which it grows is halved. The
/// likelihood is concave, so where the gradient is 0 is the answer. Also the second derivatives, as they were just
/// before the last small step.
fn newton(points: &Points, scale: &Scale, mut at: [f64; 2]) -> Option<([f64; 2], [f64; 3])> {
    let (mut gradient, mut hessian) = derivatives(points, scale, at)?;
    for _ in 0..MOST_STEPS {
        let step = solve(hessian, gradient)?;
        let size = step[0].abs().max(step[1].abs());
        if size <= SMALL_STEP * (1.0 + at[0].abs().max(at[1].abs())) {
            return Some(([at[0] + step[0], at[1] + step[1]], hessian));
        }
        let mut part = 1.0;
        loop {
            let next = [at[0] + part * step[0], at[1] + part * step[1]];
            let there = derivatives(points, scale, next);
            // The likelihood still rises along the step, or has only just begun to fall.
            let slope = |g: [f64; 2]| g[0] * step[0] + g[1] * step[1];
            if let Some((g, h)) = there
                && slope(g).abs() <= 0.9 * slope(gradient)
            {
                (at, gradient, hessian) = (next, g, h);
                break;
            }
            part *= 0.5;
            if part < 1e-6 {
                return None;
            }
        }
    }
    None
}

/// Calibration in the large: the one number to add to all log-odds so that the chances add up to what happened.
fn intercept(rough: &Points, exact: &Points, scale: &Scale) -> Option<Fitted> {
    let near = level(rough, scale, 0.0).map_or(0.0, |(at, _)| at);
    let (at, information) = level(exact, scale, near)?;
    if information < LEAST_INFORMATION * scale.weight {
        return None;
    }
    Some(Fitted { value: at, at: [at, 1.0], times: [1.0 / information, 0.0] })
}

/// The answer and the information there. Newton's method, held between two bounds that are drawn together.
fn level(points: &Points, scale: &Scale, start: f64) -> Option<(f64, f64)> {
    let (mut low, mut high, mut at) = (f64::NEG_INFINITY, f64::INFINITY, start);
    for _ in 0..4 * MOST_STEPS {
        let (mut missing, mut information) = (0.0, 0.0);
        points.each(|x, weight, with, _| {
            let p = probability(at + x);
            missing += with - weight * p;
            information += weight * p * (1.0 - p);
        });
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

    /// The sums of squares of the families' totals, times `G / (G - 1)`; `None` for a single family. `part` is what a
    /// row of these log-odds, weight, and weight with the outcome contributes.
    fn sandwich(&mut self, points: &Points, part: impl Fn(f64, f64, f64) -> [f64; 2]) -> Option<[f64; 2]> {
        let mut variance = [0.0; 2];
        let mut add = |[a, b]: [f64; 2]| variance = [variance[0] + a * a, variance[1] + b * b];
        match self.clusters {
            None => points.each(|x, weight, with, _| add(part(x, weight, with))),
            Some(clusters) => {
                points.each(|x, weight, with, row| {
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
        (families > 1.0).then(|| variance.map(|sum| sum * families / (families - 1.0)))
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

/// Rows, rows with the outcome, weight, weight with the outcome, weighted sum of scores.
#[derive(Debug, Clone, Copy, Default)]
struct BinSums {
    rows: Parts,
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
            sums.rows[usize::from(rows.outcomes[row])] += 1;
            sums.weight += weight;
            sums.with += if rows.outcomes[row] { weight } else { 0.0 };
            sums.score += weight * rows.scores[row];
        }
        sums
    }

    fn plus(self, other: Self) -> Self {
        Self {
            rows: [self.rows[0] + other.rows[0], self.rows[1] + other.rows[1]],
            weight: self.weight + other.weight,
            with: self.with + other.with,
            score: self.score + other.score,
        }
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

/// The bins, joined from the lowest up until each has `least` rows with and without the outcome.
pub(super) fn reliability(rows: &Rows, members: &[u32], least: u64) -> Vec<RawBin> {
    let enough = |bin: &BinSums| bin.rows[0].min(bin.rows[1]) >= least;
    let mut joined: Vec<BinSums> = Vec::new();
    for bin in tenths(rows, members) {
        let bin = BinSums::of(rows, bin);
        match joined.last_mut() {
            Some(last) if !enough(last) => *last = last.plus(bin),
            _ => joined.push(bin),
        }
    }
    if joined.len() > 1 && joined.last().is_some_and(|last| !enough(last)) {
        let last = joined.pop().unwrap_or_default();
        if let Some(before) = joined.last_mut() {
            *before = before.plus(last);
        }
    }
    let raw = |bin: BinSums| RawBin {
        mean: bin.score / bin.weight,
        observed: (bin.with / bin.weight).min(1.0),
        rows: bin.rows[0] + bin.rows[1],
    };
    joined.into_iter().filter(enough).map(raw).collect()
}
