//! How a measure would vary had other families been drawn.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::random::{below, stream};
use crate::error::EvaluateError;

/// Resamples that are measured at a time: as many as bytes fit into a word.
pub(crate) const LANES: usize = 8;

/// The cluster (family) bootstrap: how a measure would vary had other families been in the test.
///
/// Each resample draws as many families as there are, with replacement; a family drawn twice counts twice,
/// with all its rows. The interval runs from the 2.5% to the 97.5% point of the measure over the
/// resamples (percentile interval). Resample `r` has its own stream of random numbers, made from
/// `(seed, r)`, so the result is the same at any number of threads.
///
/// # Examples
/// ```
/// use earlyhelp::stats::Bootstrap;
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

    /// The most resamples: a hundred times the default. The luck of drawing then moves an end of an interval by less than a
    /// hundredth of a standard error, and every measure keeps a number for each of them.
    pub const MOST: u32 = 99_999;

    /// Refuses so few or so many resamples that they are of no use.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewResamples`] and [`EvaluateError::TooManyResamples`].
    pub fn check(&self) -> Result<(), EvaluateError> {
        let (resamples, least, most) = (self.resamples, Self::LEAST, Self::MOST);
        if resamples < least {
            return Err(EvaluateError::TooFewResamples { resamples, least });
        }
        if resamples > most {
            return Err(EvaluateError::TooManyResamples { resamples, most });
        }
        Ok(())
    }

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

    /// As [`Bootstrap::over`], several resamples at a time: `measure` is handed, for each cluster, how often it was drawn in each
    /// of [`LANES`] resamples, and gives a measure for each. What reads many rows in another order than their clusters' then
    /// waits for memory once for all of them. The numbers are those of [`Bootstrap::over`], to the bit.
    pub(crate) fn over_lanes<T: Send>(
        &self,
        clusters: usize,
        measure: impl Fn(&[[u8; LANES]]) -> [T; LANES] + Sync,
    ) -> Vec<T> {
        let mut measured: Vec<T> = (0..self.resamples.div_ceil(LANES as u32))
            .into_par_iter()
            .map_init(
                || (vec![0_u8; clusters], vec![[0_u8; LANES]; clusters]),
                |(times, lanes), block| {
                    for lane in 0..LANES {
                        // Beyond the last resample the lanes hold others, which nobody looks at.
                        self.draw(block * LANES as u32 + lane as u32, times);
                        lanes.iter_mut().zip(&*times).for_each(|(held, &times)| held[lane] = times);
                    }
                    measure(lanes)
                },
            )
            .flatten_iter()
            .collect();
        measured.truncate(self.resamples as usize);
        measured
    }

    /// Fills `times` with how often each cluster is drawn in this resample.
    ///
    /// A byte is enough, and keeps the counts of many clusters in the processor's cache: up to 255 clusters
    /// no count can be higher, and with more the chance of one is below 1 in 10^500.
    fn draw(&self, resample: u32, times: &mut [u8]) {
        times.fill(0);
        let mut random = stream(self.seed, u64::from(resample));
        let count = times.len() as u32;
        for _ in 0..count {
            let drawn = &mut times[below(&mut random, count) as usize];
            *drawn = drawn.saturating_add(1);
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
mod tests {
    use super::super::fixture::close;
    use super::*;

    #[test]
    fn draws_are_fair_and_do_not_depend_on_threads() {
        let bootstrap = Bootstrap { resamples: 4_000, seed: 5 };
        let draws = bootstrap.over(7, <[u8]>::to_vec);
        let lanes = Bootstrap { resamples: 203, seed: 5 }.over_lanes(7, |times| {
            std::array::from_fn(|lane| times.iter().map(|of| of[lane]).collect::<Vec<u8>>())
        });
        assert_eq!(lanes, draws[..203]);
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
}
