//! Two samples of cases side by side, with the family as the unit: the cohorts of training, and that of now.

use crate::stats::{Interval, Z};

/// The rows of training and of now with their families. A family may be in both, and then in both at several
/// dates: what its rows have in common is no news twice, and what stays the same in a family cancels out of
/// a difference.
pub(super) struct Panel {
    /// For each row whether it is of now.
    pub(super) is_now: Vec<bool>,
    /// Rows, family by family in the order of their numbers.
    order: Vec<u32>,
    /// Where each family ends in `order`.
    ends: Vec<usize>,
    /// Rows of training and of now.
    pub(super) n: [u64; 2],
    /// Families with a row in training, and with one now.
    families: [usize; 2],
}

/// A change between the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    pub(super) value: f64,
    pub(super) interval: Interval,
}

impl Panel {
    /// Fewer families than this in one of the samples, and nothing is said of a change: standard errors by
    /// cluster are too small where clusters are few, which in practice begins below 20 to 50 (A. C. Cameron
    /// and D. L. Miller, 2015, "A practitioner's guide to cluster-robust inference", *Journal of Human
    /// Resources* 50:317-372).
    pub(super) const FEWEST: usize = 30;

    /// The first `training` rows are of training, the rest of now; a number for each row's family.
    pub(super) fn new(families: &[u32], training: usize) -> Self {
        let mut order: Vec<u32> = (0..families.len() as u32).collect();
        order.sort_unstable_by_key(|&row| (families[row as usize], row));
        let is_now: Vec<bool> = (0..families.len()).map(|row| row >= training).collect();
        let mut ends = Vec::new();
        let mut with = [0; 2];
        for same in order.chunk_by(|&a, &b| families[a as usize] == families[b as usize]) {
            ends.push(ends.last().copied().unwrap_or(0) + same.len());
            for (sample, with) in with.iter_mut().enumerate() {
                *with += usize::from(same.iter().any(|&row| usize::from(is_now[row as usize]) == sample));
            }
        }
        let n = [training as u64, (families.len() - training) as u64];
        Self { is_now, order, ends, n, families: with }
    }

    /// The rows of each family.
    pub(super) fn families(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.order[start..end])
    }

    /// Whether there are families enough to say anything.
    pub(super) fn is_enough(&self) -> bool {
        self.families.iter().all(|&families| families >= Self::FEWEST)
    }

    /// `G / (G - 1)`: what a variance estimated from `G` families falls short by.
    pub(super) fn correction(&self) -> f64 {
        let families = self.ends.len() as f64;
        families / (families - 1.0)
    }

    /// Counts in each sample.
    pub(super) fn totals(&self, counts: &[u32]) -> [u64; 2] {
        let mut totals = [0; 2];
        for (&count, &now) in counts.iter().zip(&self.is_now) {
            totals[usize::from(now)] += u64::from(count);
        }
        totals
    }

    /// Means of a count over each sample's rows.
    pub(super) fn means(&self, counts: &[u32]) -> [f64; 2] {
        let totals = self.totals(counts);
        std::array::from_fn(|sample| totals[sample] as f64 / self.n[sample] as f64)
    }

    /// For each family the sum of what its counts are above the mean, in each sample.
    fn above_mean<'a>(&'a self, counts: &'a [u32], means: [f64; 2]) -> impl Iterator<Item = [f64; 2]> + 'a {
        self.families().map(move |rows| {
            let (mut sums, mut sizes) = ([0_u64; 2], [0_u64; 2]);
            for &row in rows {
                let sample = usize::from(self.is_now[row as usize]);
                sums[sample] += u64::from(counts[row as usize]);
                sizes[sample] += 1;
            }
            std::array::from_fn(|sample| sums[sample] as f64 - means[sample] * sizes[sample] as f64)
        })
    }

    /// The mean of now less that of training, both divided by `scale`; `None` where families are too few.
    pub(super) fn difference(&self, counts: &[u32], scale: f64) -> Option<Change> {
        if !self.is_enough() {
            return None;
        }
        let means = self.means(counts);
        let [then, now] = self.n.map(|n| n as f64 * scale);
        let squares: f64 =
            self.above_mean(counts, means).map(|above| (above[1] / now - above[0] / then).powi(2)).sum();
        let value = (means[1] - means[0]) / scale;
        let reach = Z * (squares * self.correction()).sqrt();
        Some(Change { value, interval: Interval { low: value - reach, high: value + reach } })
    }

    /// The mean of now over that of training, with an interval on the logarithmic scale. Where one sample has
    /// nothing at all, its mean may still be what three families would bring, each as much as families with
    /// anything bring in the other sample ("rule of three": J. A. Hanley and A. Lippman-Hand, 1983, *JAMA*
    /// 249:1743-1745). `None` where families are too few or nothing is in either sample.
    pub(super) fn ratio(&self, counts: &[u32]) -> Option<Change> {
        let totals = self.totals(counts);
        if !self.is_enough() || totals == [0, 0] {
            return None;
        }
        let means = self.means(counts);
        if let Some(none) = totals.iter().position(|&total| total == 0) {
            let other = 1 - none;
            let with = self
                .families()
                .filter(|rows| {
                    rows.iter().any(|&row| {
                        counts[row as usize] > 0 && usize::from(self.is_now[row as usize]) == other
                    })
                })
                .count() as f64;
            let most = 3.0 * totals[other] as f64 / with / self.n[none] as f64 / means[other];
            return Some(if none == 1 {
                Change { value: 0.0, interval: Interval { low: 0.0, high: most } }
            } else {
                Change { value: f64::MAX, interval: Interval { low: 1.0 / most, high: f64::MAX } }
            });
        }
        let squares: f64 = self
            .above_mean(counts, means)
            .map(|above| (above[1] / totals[1] as f64 - above[0] / totals[0] as f64).powi(2))
            .sum();
        let value = means[1] / means[0];
        let reach = (Z * (squares * self.correction()).sqrt()).exp();
        Some(Change { value, interval: Interval { low: value / reach, high: (value * reach).min(f64::MAX) } })
    }
}
