//! The interval of a figure, the figure that carries it, and the mean over families.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::clusters::Clusters;

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
/// use earlyhelp::stats::{Estimate, Interval};
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
/// use earlyhelp::stats::clustered_mean;
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

#[cfg(test)]
mod tests {
    use super::super::fixture::close;
    use super::super::wilson;
    use super::*;

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
    fn fewer_than_two_clusters_or_no_number_has_no_mean() {
        assert_eq!(clustered_mean(&[], &[]), None);
        assert_eq!(clustered_mean(&[1.0, 2.0], &[4, 4]), None);
        assert_eq!(clustered_mean(&[1.0, 2.0], &[4]), None);
        assert_eq!(clustered_mean(&[1.0, f64::NAN], &[4, 5]), None);
    }

    #[test]
    fn an_estimate_reads_back_and_refuses_unknown_fields() {
        let found = wilson(3, 20).unwrap();
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), found);
        assert!(serde_json::from_str::<Interval>(r#"{"low":0,"high":1,"level":0.9}"#).is_err());
    }
}
