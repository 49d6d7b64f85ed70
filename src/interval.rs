//! A number is never shown without how sure one can be of it: 95% intervals for proportions,
//! for differences of proportions, for means over families, and for anything else by bootstrap.
//!
//! Siblings resemble one another, and one person may be in the test at several as-of dates. Rows of
//! one family are therefore not independent, and an interval that takes them for independent is too
//! narrow. [`clustered_mean`] and [`Bootstrap`] treat the family as the unit. [`wilson`] and
//! [`newcombe_difference`] do not: they are exact enough for small counts, where the others fail, and
//! should be read as a little too narrow where families hold several rows with the same answer.
//!
//! ```
//! use earlyhelp::evaluate::interval::wilson;
//!
//! // 3 of 20 people on a list had the outcome: 15%, and anything from 5% to 36% fits.
//! let found = wilson(3, 20).ok_or("nobody on the list")?;
//! assert_eq!(found.percent(), "15.0% (5.2 to 36.0)");
//! assert!(wilson(0, 0).is_none()); // no denominator, no rate: never 0%
//! # Ok::<(), &str>(())
//! ```

use std::fmt;

use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The 97.5% point of the standard normal distribution: every interval here is a 95% interval.
///
/// 95% because it is the usual one in official statistics and in the audit literature: a reader
/// should not have to find out which level a table uses.
pub const Z: f64 = 1.959_963_984_540_054;

/// The two ends of a 95% interval, in the unit of the value it belongs to; `low <= high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The normal interval: `value` plus and minus 1.96 standard errors.
    pub(crate) fn normal(value: f64, standard_error: f64) -> Option<Self> {
        let (low, high) = (value - Z * standard_error, value + Z * standard_error);
        (low.is_finite() && high.is_finite()).then_some(Self { low, high })
    }

    /// The same interval without what is impossible, such as a loss below zero.
    pub(crate) fn held_to(self, least: f64, most: f64) -> Self {
        Self { low: self.low.clamp(least, most), high: self.high.clamp(least, most) }
    }
}

/// A measured number with its 95% interval and the number of rows that it rests on.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::interval::{Estimate, Interval};
///
/// let auc = Estimate { value: 0.8124, interval: Interval { low: 0.79, high: 0.834 }, n: 9_000 };
/// assert_eq!(auc.to_string(), "0.812 (0.790 to 0.834)");
/// assert_eq!(format!("{auc:.2}"), "0.81 (0.79 to 0.83)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The number itself.
    pub value: f64,
    /// Its 95% interval.
    pub interval: Interval,
    /// How many rows it rests on: the denominator of a rate.
    pub n: u64,
}

impl Estimate {
    /// A proportion (0 to 1) as text in percent, such as `15.0% (5.2 to 36.0)`.
    pub fn percent(&self) -> String {
        let Interval { low, high } = self.interval;
        format!("{:.1}% ({:.1} to {:.1})", 100.0 * self.value, 100.0 * low, 100.0 * high)
    }
}

impl fmt::Display for Estimate {
    /// The value with its interval in brackets; three decimals unless the format asks for others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(3);
        let Interval { low, high } = self.interval;
        write!(f, "{:.decimals$} ({low:.decimals$} to {high:.decimals$})", self.value)
    }
}

/// A proportion with Wilson's score interval.
///
/// Chosen over the textbook interval (value ± 1.96 standard errors) because it stays between 0 and 1,
/// does not shrink to nothing at 0% and 100%, and keeps close to its 95% even for 20 rows.
///
/// `None` when there is no denominator (`n = 0`): an unknown rate is not a rate of zero. Also `None`
/// when `successes > n`, which is no proportion.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::interval::wilson;
///
/// let none_of_ten = wilson(0, 10).ok_or("empty")?;
/// assert_eq!(none_of_ten.percent(), "0.0% (0.0 to 27.8)");
/// # Ok::<(), &str>(())
/// ```
///
/// # References
/// E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
/// *Journal of the American Statistical Association* 22:209-212.
pub fn wilson(successes: u64, n: u64) -> Option<Estimate> {
    if n == 0 || successes > n {
        return None;
    }
    let (s, count) = (successes as f64, n as f64);
    let z2 = Z * Z;
    let centre = (s + z2 / 2.0) / (count + z2);
    let half = Z / (count + z2) * (s * (count - s) / count + z2 / 4.0).sqrt();
    // At none and at all, one end is exactly 0 or 1; rounding must not say otherwise.
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == n { 1.0 } else { (centre + half).min(1.0) };
    Some(Estimate { value: s / count, interval: Interval { low, high }, n })
}

/// The difference of two independent proportions, `a - b`, each given as (successes, n), with
/// Newcombe's interval made of the two Wilson intervals. Between -1 and 1; `n` is both groups together.
///
/// It holds its level when the groups are small or very unequal in size, which is the usual case
/// when one group of people is compared with everybody else. `None` when either has no denominator.
///
/// # References
/// R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions:
/// comparison of eleven methods", *Statistics in Medicine* 17:873-890, method 10.
pub fn newcombe_difference(a: (u64, u64), b: (u64, u64)) -> Option<Estimate> {
    let (first, second) = (wilson(a.0, a.1)?, wilson(b.0, b.1)?);
    let value = first.value - second.value;
    let below = (first.value - first.interval.low).hypot(second.interval.high - second.value);
    let above = (first.interval.high - first.value).hypot(second.value - second.interval.low);
    let interval = Interval { low: value - below, high: value + above }.held_to(-1.0, 1.0);
    Some(Estimate { value, interval, n: first.n + second.n })
}

/// The mean of `values`, with an interval that takes the cluster (the family), not the row, as the unit.
///
/// `values` and `clusters` have one entry per row; equal codes are one cluster. The variance is the sum
/// of squared cluster totals of the residuals, times `G / (G - 1)` for `G` clusters, over `n²`; the
/// interval is normal. With each row its own cluster it is the usual standard error of a mean. Rows
/// are added in the order given, so another order may change the last bits.
///
/// `None` when the lengths differ, when there are fewer than two clusters, or when a value is not finite.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::interval::clustered_mean;
///
/// let values = [1.0, 1.0, 0.0, 0.0];
/// let alone = clustered_mean(&values, &[1, 2, 3, 4]).ok_or("too few")?;
/// let pairs = clustered_mean(&values, &[1, 1, 2, 2]).ok_or("too few")?;
/// assert_eq!(alone.value, pairs.value);
/// assert!(pairs.interval.low < alone.interval.low); // two families say less than four people
/// # Ok::<(), &str>(())
/// ```
///
/// # References
/// K.-Y. Liang and S. L. Zeger (1986), "Longitudinal data analysis using generalized linear models",
/// *Biometrika* 73:13-22.
pub fn clustered_mean(values: &[f64], clusters: &[u32]) -> Option<Estimate> {
    if values.len() != clusters.len() {
        return None;
    }
    clustered_mean_in(values, &Clusters::new(clusters))
}

/// [`clustered_mean`] with clusters that were numbered before, since several measures share them.
pub(crate) fn clustered_mean_in(values: &[f64], clusters: &Clusters) -> Option<Estimate> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if clusters.count < 2 || !mean.is_finite() {
        return None;
    }
    let mut totals = vec![0.0; clusters.count];
    for (value, &cluster) in values.iter().zip(&clusters.index) {
        totals[cluster as usize] += value - mean;
    }
    let squares: f64 = totals.iter().map(|total| total * total).sum();
    let standard_error = (squares * clusters.correction()).sqrt() / count;
    let interval = Interval::normal(mean, standard_error)?;
    Some(Estimate { value: mean, interval, n: values.len() as u64 })
}

/// Clusters numbered 0, 1, 2 ... in the order of their codes, so that the numbers do not depend on the
/// order of the rows.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// The number of each row's cluster.
    pub(crate) index: Vec<u32>,
    /// How many clusters there are.
    pub(crate) count: usize,
}

impl Clusters {
    pub(crate) fn new(codes: &[u32]) -> Self {
        let mut rows: Vec<(u32, u32)> = codes.iter().copied().zip(0..).collect();
        rows.sort_unstable();
        let mut index = vec![0; codes.len()];
        let (mut count, mut last) = (0_u32, None);
        for (code, row) in rows {
            if last != Some(code) {
                count += 1;
                last = Some(code);
            }
            index[row as usize] = count - 1;
        }
        Self { index, count: count as usize }
    }

    /// `G / (G - 1)`: what a variance estimated from `G` clusters falls short by.
    pub(crate) fn correction(&self) -> f64 {
        self.count as f64 / (self.count as f64 - 1.0)
    }

    /// How many clusters hold at least one row for which `holds` is true.
    pub(crate) fn with_any(&self, holds: impl Iterator<Item = bool>) -> usize {
        let mut seen = vec![false; self.count];
        for (&cluster, hold) in self.index.iter().zip(holds) {
            seen[cluster as usize] |= hold;
        }
        seen.into_iter().filter(|&any| any).count()
    }
}

/// The cluster (family) bootstrap: how a measure would vary had other families been in the test.
///
/// Each resample draws as many families as there are, with replacement; a family drawn twice counts twice,
/// with all its rows. The interval runs from the 2.5% to the 97.5% point of the measure over the
/// resamples (percentile interval). Resample `r` has its own stream of random numbers, made from
/// `(seed, r)`, so the result is the same at any number of threads.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::interval::Bootstrap;
///
/// assert_eq!(Bootstrap::default(), Bootstrap { resamples: 999, seed: 0 });
/// ```
///
/// # References
/// B. Efron and R. J. Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13. A. C. Davison and
/// D. V. Hinkley (1997), *Bootstrap Methods and their Application*, sections 3.8 and 5.3. The whole-cluster
/// draw: C. A. Field and A. H. Welsh (2007), "Bootstrapping clustered data", *Journal of the Royal
/// Statistical Society B* 69:369-390.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// How many resamples to draw; at least [`Bootstrap::LEAST`].
    pub resamples: u32,
    /// Where the random numbers start. The same seed gives the same interval, to the bit.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 999 resamples, seed 0.
    ///
    /// About a thousand is what percentile intervals need for luck in the drawing to move an end by
    /// less than a tenth of a standard error; with 999 the ends are exactly the 25th smallest and
    /// the 25th largest resample. The seed is fixed because a report must come out the same when made again.
    fn default() -> Self {
        Self { resamples: 999, seed: 0 }
    }
}

impl Bootstrap {
    /// The fewest resamples that have a 2.5% point at all: the smallest of 39.
    pub const LEAST: u32 = 39;

    /// A measure (or several at once) over every resample of `clusters` clusters, in the order of the
    /// resamples.
    ///
    /// `measure` is handed how often each cluster was drawn (its rows' weight); the numbers sum to
    /// `clusters`. One buffer per thread, no other allocation.
    pub(crate) fn over<T: Send>(&self, clusters: usize, measure: impl Fn(&[u8]) -> T + Sync) -> Vec<T> {
        (0..self.resamples)
            .into_par_iter()
            .map_init(
                || vec![0_u8; clusters],
                |times, resample| {
                    self.draw(resample, times);
                    measure(times)
                },
            )
            .collect()
    }

    /// Fills `times` with how often each cluster is drawn in this resample.
    ///
    /// A byte is enough, and keeps the counts of many clusters in the processor's cache: up to 255 clusters
    /// no count can be higher, and with more the chance of one is below 1 in 10^500.
    fn draw(&self, resample: u32, times: &mut [u8]) {
        times.fill(0);
        // Both inputs go through a mixing step: neighbouring seeds or resamples share no random numbers.
        let start = SplitMix64::seed_from_u64(self.seed).next_u64() ^ u64::from(resample);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(SplitMix64::seed_from_u64(start).next_u64());
        let count = times.len() as u32;
        for _ in 0..count {
            let drawn = &mut times[below(&mut random, count) as usize];
            *drawn = drawn.saturating_add(1);
        }
    }
}

/// A whole number below `bound` (> 0), each equally likely: a 32-bit number times `bound`, top half kept,
/// with the few draws that would favour some numbers thrown away (D. Lemire, 2019, "Fast random integer
/// generation in an interval", *ACM Transactions on Modeling and Computer Simulation* 29:3).
fn below(random: &mut impl Rng, bound: u32) -> u32 {
    loop {
        let product = (random.next_u64() >> 32) * u64::from(bound);
        let rest = product as u32;
        if rest >= bound || rest >= bound.wrapping_neg() % bound {
            return (product >> 32) as u32;
        }
    }
}

/// The percentile interval of a measure over resamples: the `0.025 (R + 1)`-th and the `0.975 (R + 1)`-th
/// smallest of `R`, between two of them where that is no whole number, the outermost where there is no
/// such one. `None` without values.
pub(crate) fn percentile_interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    // Counted in fortieths, in whole numbers: 0.025 is not exact in binary.
    let point = |fortieths: usize| {
        let position = fortieths * (values.len() + 1);
        let (whole, part) = (position / 40, (position % 40) as f64 / 40.0);
        let lower = if whole == 0 { least } else { values[whole - 1] };
        let upper = values.get(whole).copied().unwrap_or(most);
        lower + (upper - lower) * part
    };
    Some(Interval { low: point(1), high: point(39) })
}

#[cfg(test)]
pub(crate) mod fixture {
    //! What other programs say of the same data; `tests/fixtures/make_metrics.py` makes it.

    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(crate) struct Fixture {
        pub(crate) wilson: Vec<(u64, u64, f64, f64)>,
        pub(crate) newcombe: Vec<(u64, u64, u64, u64, f64, f64)>,
        pub(crate) datasets: Vec<Dataset>,
    }

    #[derive(Deserialize)]
    pub(crate) struct Dataset {
        pub(crate) name: String,
        pub(crate) log_odds: Vec<f64>,
        outcomes: Vec<u8>,
        pub(crate) families: Vec<u32>,
        selected: Vec<u8>,
        pub(crate) groups: Vec<String>,
        pub(crate) times_drawn: Vec<u8>,
        pub(crate) auc: f64,
        pub(crate) average_precision: f64,
        pub(crate) auc_weighted: f64,
        pub(crate) average_precision_weighted: f64,
        pub(crate) log_loss: f64,
        pub(crate) log_loss_error: f64,
        pub(crate) brier: f64,
        pub(crate) brier_error: f64,
        pub(crate) slope: f64,
        pub(crate) slope_error: f64,
        pub(crate) intercept: f64,
        pub(crate) intercept_error: f64,
        pub(crate) bins: Option<Vec<(f64, f64)>>,
        pub(crate) rates: Vec<Rates>,
    }

    #[derive(Deserialize)]
    pub(crate) struct Rates {
        pub(crate) group: String,
        pub(crate) n: f64,
        pub(crate) selection: f64,
        pub(crate) found: f64,
        pub(crate) wrong: f64,
        pub(crate) selection_difference: (f64, f64),
        pub(crate) found_difference: (f64, f64),
        pub(crate) wrong_difference: (f64, f64),
    }

    impl Dataset {
        pub(crate) fn outcomes(&self) -> Vec<bool> {
            self.outcomes.iter().map(|&flag| flag == 1).collect()
        }

        pub(crate) fn selected(&self) -> Vec<bool> {
            self.selected.iter().map(|&flag| flag == 1).collect()
        }
    }

    pub(crate) fn load() -> Fixture {
        serde_json::from_str(include_str!("../tests/fixtures/metrics.json")).unwrap()
    }

    #[track_caller]
    pub(crate) fn close(ours: f64, theirs: f64, tolerance: f64) {
        assert!((ours - theirs).abs() <= tolerance, "{ours} is not {theirs}");
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{close, load};
    use super::*;

    #[test]
    fn proportions_agree_with_statsmodels() {
        let fixture = load();
        assert!(fixture.wilson.len() >= 8 && fixture.newcombe.len() >= 6);
        for (successes, n, low, high) in fixture.wilson {
            let ours = wilson(successes, n).unwrap();
            close(ours.interval.low, low, 1e-12);
            close(ours.interval.high, high, 1e-12);
            assert_eq!(ours.n, n);
        }
        for (s1, n1, s2, n2, low, high) in fixture.newcombe {
            let ours = newcombe_difference((s1, n1), (s2, n2)).unwrap();
            close(ours.interval.low, low, 1e-12);
            close(ours.interval.high, high, 1e-12);
            assert_eq!(ours.n, n1 + n2);
        }
    }

    #[test]
    fn newcombe_gives_the_numbers_of_its_paper() {
        // Table II of the 1998 paper, contrast (a), method 10: 56/70 - 48/80.
        let found = newcombe_difference((56, 70), (48, 80)).unwrap();
        close(found.value, 0.2, 1e-15);
        close(found.interval.low, 0.0524, 5e-5);
        close(found.interval.high, 0.3339, 5e-5);
        // Turned round, it is the mirror image.
        let turned = newcombe_difference((48, 80), (56, 70)).unwrap();
        assert_eq!((turned.interval.low, turned.interval.high), (-found.interval.high, -found.interval.low));
    }

    #[test]
    fn an_empty_denominator_has_no_rate() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(2, 1), None);
        assert_eq!(newcombe_difference((0, 0), (1, 2)), None);
        assert_eq!(newcombe_difference((1, 2), (0, 0)), None);
        assert_eq!(clustered_mean(&[], &[]), None);
        assert_eq!(clustered_mean(&[1.0, 2.0], &[4, 4]), None);
        assert_eq!(clustered_mean(&[1.0, 2.0], &[4]), None);
        assert_eq!(clustered_mean(&[1.0, f64::NAN], &[4, 5]), None);
    }

    #[test]
    fn wilson_covers_as_often_as_it_says() {
        // Exact, not simulated: for each true rate, the chance of a count whose interval holds the rate.
        for n in [20_u64, 50, 200] {
            let intervals: Vec<Interval> = (0..=n).map(|s| wilson(s, n).unwrap().interval).collect();
            let rates: Vec<f64> = (1..400).map(|step| f64::from(step) / 400.0).collect();
            let (mut sum, mut least) = (0.0, 1.0_f64);
            for &p in &rates {
                let (mut log_chance, mut covered) = (n as f64 * (1.0 - p).ln(), 0.0);
                for (s, interval) in intervals.iter().enumerate() {
                    if interval.low <= p && p <= interval.high {
                        covered += f64::exp(log_chance);
                    }
                    log_chance += ((n as f64 - s as f64) / (s as f64 + 1.0) * p / (1.0 - p)).ln();
                }
                sum += covered;
                least = least.min(covered);
            }
            let mean = sum / rates.len() as f64;
            assert!((0.945..0.96).contains(&mean), "n = {n}: {mean}");
            assert!(least > 0.83, "n = {n}: {least}"); // its known worst, at rates next to 0 and 1
        }
    }

    #[test]
    fn a_clustered_mean_by_hand() {
        // Residuals -2, -1, 0, 3; families {-2, -1}, {0}, {3}: totals -3, 0, 3. Variance 18 * 3/2 / 16.
        let found = clustered_mean(&[1.0, 2.0, 3.0, 6.0], &[9, 9, 2, 5]).unwrap();
        close(found.value, 3.0, 1e-15);
        close(found.interval.high - found.value, Z * (27.0_f64 / 16.0).sqrt(), 1e-14);
        close(found.value - found.interval.low, Z * (27.0_f64 / 16.0).sqrt(), 1e-14);
        assert_eq!(found.n, 4);
    }

    #[test]
    fn clusters_are_numbered_by_code_not_by_row() {
        let clusters = Clusters::new(&[70, 3, 70, 12, u32::MAX, 3]);
        assert_eq!(clusters.index, [2, 0, 2, 1, 3, 0]);
        assert_eq!(clusters.count, 4);
        assert_eq!(clusters.with_any([true, false, true, false, false, true].into_iter()), 2);
        assert_eq!(Clusters::new(&[]).count, 0);
    }

    #[test]
    fn draws_are_fair_and_do_not_depend_on_threads() {
        let bootstrap = Bootstrap { resamples: 4_000, seed: 5 };
        let draws = bootstrap.over(7, <[u8]>::to_vec);
        assert!(draws.iter().all(|times| times.iter().sum::<u8>() == 7));
        for cluster in 0..7 {
            let total: u32 = draws.iter().map(|times| u32::from(times[cluster])).sum();
            // 28,000 draws among seven: 4,000 each, give or take 59; five times that is allowed.
            assert!(total.abs_diff(4_000) < 293, "cluster {cluster}: {total}");
            // Never drawn: (6/7)^7 = 0.340 of the resamples, give or take 0.0075.
            let never = draws.iter().filter(|times| times[cluster] == 0).count() as f64 / 4_000.0;
            close(never, (6.0_f64 / 7.0).powi(7), 0.0375);
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| bootstrap.over(7, <[u8]>::to_vec)), draws);
        }
        let other = Bootstrap { seed: 6, ..bootstrap }.over(7, <[u8]>::to_vec);
        let same = draws.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 100, "{same} resamples are the same under another seed");
        // A resample does not depend on how many there are.
        assert_eq!(Bootstrap { resamples: 50, seed: 5 }.over(7, <[u8]>::to_vec), draws[..50]);
    }

    #[test]
    fn percentile_points_are_order_statistics() {
        let numbers = |n: u32| (1..=n).rev().map(f64::from).collect::<Vec<_>>();
        assert_eq!(percentile_interval(numbers(999)), Some(Interval { low: 25.0, high: 975.0 }));
        assert_eq!(percentile_interval(numbers(39)), Some(Interval { low: 1.0, high: 39.0 }));
        assert_eq!(percentile_interval(numbers(99)), Some(Interval { low: 2.5, high: 97.5 }));
        assert_eq!(percentile_interval(numbers(10)), Some(Interval { low: 1.0, high: 10.0 }));
        assert_eq!(percentile_interval(vec![]), None);
    }

    #[test]
    fn an_estimate_reads_back_and_refuses_unknown_fields() {
        let found = wilson(3, 20).unwrap();
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), found);
        assert!(serde_json::from_str::<Interval>(r#"{"low":0,"high":1,"level":0.9}"#).is_err());
    }
}
