//! How far the values of one column moved: the stability index, and a two-sample test.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Serialize;

use super::bins::Bins;
use super::panel::Panel;
use super::verdict::Verdict;
use crate::fairness::audit::{AuditParams, Counted, held_back};
use crate::stats::{Interval, Z};

/// How far the values of a feature, or of the score, moved between the training cohorts and the cohort of
/// now.
///
/// # References
/// The index: S. Kullback and R. A. Leibler (1951), *Annals of Mathematical Statistics* 22:79-86, whose
/// symmetric divergence it is; N. Siddiqi (2006), *Credit Risk Scorecards*, for its use and the lines 0.1 and
/// 0.25. What chance alone makes of it: B. Yurdakul and J. Naranjo (2020), "Statistical properties of the
/// population stability index", *Journal of Risk Model Validation* 14:4. The distance: A. Kolmogorov (1933)
/// and N. Smirnov (1948), as in `scipy.stats.ks_2samp`. Adjusting for many features: S. Holm (1979), "A
/// simple sequentially rejective multiple test procedure", *Scandinavian Journal of Statistics* 6:65-70.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Shift {
    /// The population stability index, `sum of (now - training) * ln(now / training)` over the shares of the
    /// bins; 0 where nothing moved, without upper end. Bins hold a tenth of the training values each (more
    /// where values repeat); missing and not covered are bins of their own. Each sample counts as one case
    /// more, spread as both samples together are, so that an empty bin has a logarithm.
    pub psi: f64,
    /// What the index is on average where nothing moved and only other families were drawn. With rows
    /// that know nothing of each other it is (bins - 1) * (1/n training + 1/n now); here families are the unit.
    pub psi_by_chance: f64,
    /// The 95% interval of what the index would be without the part that chance adds (delta method by
    /// family). `None` where families are too few.
    pub interval: Option<Interval>,
    /// The highest index allowed.
    pub limit: f64,
    /// The Kolmogorov-Smirnov distance: the largest difference between the shares at or below any value, 0 to
    /// 1. Not covered and missing count as lower than every value.
    pub distance: f64,
    /// Its 95% interval, from a band that holds for all values at once. `None` where families are too few.
    pub distance_interval: Option<Interval>,
    /// How often chance alone would make the distance (at the ends of thirty-two cells, not at every value) as
    /// large, families being drawn anew; adjusted by Holm's method for all features and the score, so that in
    /// a report where nothing moved at all, the chance of any p below 0.05 is at most 5%. `None` where
    /// families are too few.
    pub p_value: Option<f64>,
    /// The bins that hold anything, with their shares: where it moved.
    pub bins: Vec<BinShare>,
    /// Beyond the limit only where the whole interval lies above it and the adjusted p is below 0.05; within
    /// it where the whole interval lies below.
    pub verdict: Verdict,
}

/// A bin and its share of the cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BinShare {
    /// What it holds.
    pub holds: String,
    /// The share of the training cases in it, 0 to 1. `None` where they are fewer than ten, or where such a number
    /// could be worked out of it.
    pub training: Option<f64>,
    /// The share of the cases of now, in the same way.
    pub now: Option<f64>,
}

impl Shift {
    /// Bins of the index. Ten is what its lines 0.1 and 0.25 come from.
    const BINS: usize = 10;
    /// Ordered cells over which the test's chances are worked out: a step of a thirty-second of the cases is
    /// finer than any distance that matters.
    const CELLS: usize = 32;
    /// Draws behind a p-value and a band: enough for a p of 0.0001.
    const DRAWS: usize = 9_999;
    /// The level of the test.
    const LEVEL: f64 = 0.05;

    /// Compares a column (one number a row of the panel, absences among them as [`bins`](super::bins) has
    /// them). The p-value is not adjusted yet, and there is no verdict before that: see [`Shift::judge`].
    pub(super) fn of(column: &[f64], panel: &Panel, limit: f64, seed: u64) -> Self {
        Self::in_bins(column, (panel, seed), limit, None)
    }

    /// The same of these codes, each a bin of its own: an order that they do not have must not join them.
    pub(super) fn of_codes(column: &[f64], panel: &Panel, limit: f64, seed: u64, codes: &[String]) -> Self {
        Self::in_bins(column, (panel, seed), limit, Some(Bins::of_codes(codes)))
    }

    fn in_bins(column: &[f64], (panel, seed): (&Panel, u64), limit: f64, given: Option<Bins>) -> Self {
        let sorted = |wanted: &dyn Fn(bool) -> bool| {
            let rows = column.iter().zip(&panel.is_now);
            let mut values: Vec<f64> =
                rows.filter(|(_, now)| wanted(**now)).map(|(&value, _)| value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let (training, now) = (sorted(&|now| !now), sorted(&|now| now));
        let bins = given.unwrap_or_else(|| Bins::of(&training, Self::BINS));
        let table = Table::new(column, &bins, panel);
        let index = table.index(panel);
        let cells = Bins::of(&sorted(&|_| true), Self::CELLS);
        let test = Table::new(column, &cells, panel).largest_step(panel, seed);
        let distance = distance(&training, &now);
        let interval = index.error.map(|error| {
            let moved = index.psi - index.by_chance;
            Interval { low: (moved - Z * error).max(0.0), high: (moved + Z * error).max(0.0) }
        });
        let distance_interval = test.as_ref().map(|test| Interval {
            low: (test.found - test.band).max(0.0), // at the ends of cells: never more than the distance
            high: (distance + test.band).min(1.0),
        });
        Self {
            psi: index.psi,
            psi_by_chance: index.by_chance,
            interval,
            limit,
            distance,
            distance_interval,
            p_value: test.map(|test| test.p_value),
            bins: table.shares(&bins),
            verdict: Verdict::CannotTell,
        }
    }

    /// Adjusts the p-values of all that were compared, and gives each its verdict.
    pub(super) fn judge(all: &mut [&mut Self]) {
        let raw: Vec<Option<f64>> = all.iter().map(|shift| shift.p_value).collect();
        for (shift, p_value) in all.iter_mut().zip(holm(&raw)) {
            shift.p_value = p_value;
            let allowed = Interval { low: 0.0, high: shift.limit };
            let by_limit = shift.interval.map_or(Verdict::CannotTell, |found| Verdict::of(found, allowed));
            let is_sure = p_value.is_some_and(|p_value| p_value < Self::LEVEL);
            shift.verdict = match by_limit {
                Verdict::Beyond if !is_sure => Verdict::CannotTell,
                verdict => verdict,
            };
        }
    }
}

/// Holm's adjusted p-values, in the order given. What could not be tested stays untested and counts as no
/// test.
fn holm(raw: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        raw.iter().enumerate().filter_map(|(place, p)| p.map(|p| (p, place))).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut adjusted = vec![None; raw.len()];
    let (tests, mut highest) = (order.len(), 0.0_f64);
    for (nth, (p, place)) in order.into_iter().enumerate() {
        highest = highest.max((p * (tests - nth) as f64).min(1.0));
        adjusted[place] = Some(highest);
    }
    adjusted
}

/// The Kolmogorov-Smirnov distance of two sorted samples.
fn distance(first: &[f64], second: &[f64]) -> f64 {
    let (mut i, mut j, mut most) = (0, 0, 0.0_f64);
    while i < first.len() && j < second.len() {
        let at = first[i].min(second[j]);
        i += first[i..].iter().take_while(|&&value| value <= at).count();
        j += second[j..].iter().take_while(|&&value| value <= at).count();
        most = most.max((i as f64 / first.len() as f64 - j as f64 / second.len() as f64).abs());
    }
    most
}

/// How many rows of each sample lie in each bin.
struct Table {
    place: Vec<u16>,
    counts: [Vec<u64>; 2],
    n: [f64; 2],
}

struct Index {
    psi: f64,
    by_chance: f64,
    error: Option<f64>,
}

struct Test {
    /// The largest difference at the end of a cell.
    found: f64,
    /// What chance stays below in 95 of 100 draws.
    band: f64,
    p_value: f64,
}

impl Table {
    fn new(column: &[f64], bins: &Bins, panel: &Panel) -> Self {
        let place: Vec<u16> = column.iter().map(|&value| bins.place(value)).collect();
        let mut counts = [vec![0; bins.len()], vec![0; bins.len()]];
        for (&place, &now) in place.iter().zip(&panel.is_now) {
            counts[usize::from(now)][usize::from(place)] += 1;
        }
        Self { place, counts, n: panel.n.map(|n| n as f64) }
    }

    fn bins(&self) -> usize {
        self.counts[0].len()
    }

    fn share(&self, sample: usize, bin: usize) -> f64 {
        self.counts[sample][bin] as f64 / self.n[sample]
    }

    /// The share of both samples together.
    fn pooled(&self, bin: usize) -> f64 {
        (self.counts[0][bin] + self.counts[1][bin]) as f64 / (self.n[0] + self.n[1])
    }

    /// The share with one case more that is spread as both samples together are.
    fn smooth(&self, sample: usize, bin: usize) -> f64 {
        (self.counts[sample][bin] as f64 + self.pooled(bin)) / (self.n[sample] + 1.0)
    }

    fn shares(&self, bins: &Bins) -> Vec<BinShare> {
        // What is measured is measured on all; what is told names no few.
        let few = [0, 1].map(|sample: usize| {
            let sizes: Vec<Counted> = self.counts[sample].iter().map(|&n| [n; 2].into()).collect();
            held_back(&sizes, u64::from(AuditParams::MINIMUM))
        });
        let told = |sample: usize, bin: usize| (!few[sample][bin]).then(|| self.share(sample, bin));
        let held = (0..self.bins()).filter(|&bin| self.pooled(bin) > 0.0);
        held.map(|bin| BinShare { holds: bins.words(bin), training: told(0, bin), now: told(1, bin) })
            .collect()
    }

    /// For each family what its rows add to the shares of each bin beyond an average family's, by sample.
    fn by_family(&self, panel: &Panel, mut seen: impl FnMut(&[f64], &[f64])) {
        let bins = self.bins();
        let (mut then, mut now) = (vec![0.0; bins], vec![0.0; bins]);
        for rows in panel.families() {
            then.fill(0.0);
            now.fill(0.0);
            let mut sizes = [0.0; 2];
            for &row in rows {
                let is_now = panel.is_now[row as usize];
                let place = usize::from(self.place[row as usize]);
                if is_now {
                    now[place] += 1.0;
                } else {
                    then[place] += 1.0;
                }
                sizes[usize::from(is_now)] += 1.0;
            }
            for bin in 0..bins {
                then[bin] = (then[bin] - sizes[0] * self.share(0, bin)) / self.n[0];
                now[bin] = (now[bin] - sizes[1] * self.share(1, bin)) / self.n[1];
            }
            seen(&then, &now);
        }
    }

    /// The stability index, what chance makes of it, and its standard error.
    ///
    /// Near no shift the index is a sum of squares, `sum of d²/r` with `d` the differences of shares and `r`
    /// the pooled shares: its mean is the trace of `V/r` and its variance `2 tr((V/r)²)`, `V` being the
    /// variance of `d` by family. Away from it, it is linear in the shares (delta method). Both parts are added.
    fn index(&self, panel: &Panel) -> Index {
        let bins = self.bins();
        let used: Vec<usize> = (0..bins).filter(|&bin| self.pooled(bin) > 0.0).collect();
        let (mut psi, mut slope_then, mut slope_now) = (0.0, vec![0.0; bins], vec![0.0; bins]);
        for &bin in &used {
            let (then, now) = (self.smooth(0, bin), self.smooth(1, bin));
            let log = (now / then).ln();
            psi += (now - then) * log;
            slope_now[bin] = log + 1.0 - then / now;
            slope_then[bin] = -log + 1.0 - now / then;
        }
        let mut variance = vec![0.0; bins * bins];
        let mut linear = 0.0;
        self.by_family(panel, |then, now| {
            let mut along = 0.0;
            for &a in &used {
                along += slope_then[a] * then[a] + slope_now[a] * now[a];
                for &b in &used {
                    variance[a * bins + b] += (now[a] - then[a]) * (now[b] - then[b]);
                }
            }
            linear += along * along;
        });
        let correction = panel.correction();
        let pairs = || used.iter().flat_map(|&a| used.iter().map(move |&b| (a, b)));
        let by_chance: f64 =
            used.iter().map(|&bin| correction * variance[bin * bins + bin] / self.pooled(bin)).sum();
        let squares: f64 = pairs()
            .map(|(a, b)| (correction * variance[a * bins + b]).powi(2) / (self.pooled(a) * self.pooled(b)))
            .sum();
        let error = (correction * linear + 2.0 * squares).sqrt();
        if panel.is_enough() {
            Index { psi, by_chance, error: Some(error) }
        } else {
            let [then, now] = self.n;
            let by_chance = (used.len() as f64 - 1.0) * (1.0 / then + 1.0 / now);
            Index { psi, by_chance, error: None }
        }
    }

    /// How large the largest difference of cumulative shares would be by chance: the largest of as many
    /// normal numbers as there are cells, with the variance that they have by family.
    fn largest_step(&self, panel: &Panel, seed: u64) -> Option<Test> {
        if !panel.is_enough() {
            return None;
        }
        let cells = self.bins() - 1; // up to the last cell both shares are 1
        let mut variance = vec![0.0; cells * cells];
        let mut steps = vec![0.0; cells];
        self.by_family(panel, |then, now| {
            let mut sum = 0.0;
            for cell in 0..cells {
                sum += now[cell] - then[cell];
                steps[cell] = sum;
            }
            for a in 0..cells {
                for b in 0..=a {
                    variance[a * cells + b] += steps[a] * steps[b];
                }
            }
        });
        let (mut sum, mut found) = (0.0, 0.0_f64);
        for cell in 0..cells {
            sum += self.share(1, cell) - self.share(0, cell);
            found = found.max(sum.abs());
        }
        let correction = panel.correction();
        for variance in &mut variance {
            *variance *= correction;
        }
        let root = triangular_root(&variance, cells);
        let mut largest = draws_of_the_largest(&root, cells, seed);
        largest.sort_unstable_by(f64::total_cmp);
        // Rounding must not make a difference out of none.
        let at_least = largest.len() - largest.partition_point(|&draw| draw < found - 1e-12);
        let drawn = (1 + at_least) as f64 / (1 + largest.len()) as f64;
        // Chances too small to be drawn: all cells' tails together, each at most 2 exp(-x²/2).
        let tails: f64 = (0..cells)
            .map(|cell| variance[cell * cells + cell])
            .filter(|&variance| variance > 0.0)
            .map(|variance| 2.0 * (-found * found / (2.0 * variance)).exp())
            .sum();
        let p_value = if found > 1e-12 { drawn.min(tails) } else { 1.0 };
        let band = largest[(largest.len() + 1) * 95 / 100 - 1];
        Some(Test { found, band, p_value })
    }
}

/// The lower triangular square root of a variance matrix (Cholesky); a number that is a sum of earlier ones
/// has none of its own left, and rounding may leave it a little below zero.
fn triangular_root(variance: &[f64], size: usize) -> Vec<f64> {
    let largest = (0..size).map(|at| variance[at * size + at]).fold(0.0, f64::max);
    let mut root = vec![0.0; size * size];
    for column in 0..size {
        let own: f64 = root[column * size..column * size + column].iter().map(|part| part * part).sum();
        let left = variance[column * size + column] - own;
        if left <= 1e-10 * largest {
            continue;
        }
        root[column * size + column] = left.sqrt();
        for row in column + 1..size {
            let shared: f64 = (0..column).map(|at| root[row * size + at] * root[column * size + at]).sum();
            root[row * size + column] = (variance[row * size + column] - shared) / left.sqrt();
        }
    }
    root
}

/// The largest absolute value among correlated normal numbers, again and again.
fn draws_of_the_largest(root: &[f64], size: usize, seed: u64) -> Vec<f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut normals = vec![0.0; size + 1];
    (0..Shift::DRAWS)
        .map(|_| {
            for pair in normals.chunks_exact_mut(2) {
                let uniform = |bits: u64| ((bits >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
                let radius = (-2.0 * uniform(random.next_u64()).ln()).sqrt();
                let (sin, cos) = (std::f64::consts::TAU * uniform(random.next_u64())).sin_cos();
                (pair[0], pair[1]) = (radius * cos, radius * sin);
            }
            if size.is_multiple_of(2) {
                normals[size] = 0.0;
            }
            (0..size)
                .map(|row| {
                    let weights = &root[row * size..=row * size + row];
                    weights.iter().zip(&normals).map(|(weight, normal)| weight * normal).sum::<f64>().abs()
                })
                .fold(0.0, f64::max)
        })
        .collect()
}

#[cfg(test)]
#[path = "tests/shift.rs"]
mod tests;
