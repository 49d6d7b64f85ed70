//! Shares and their differences, for counts and for effective numbers of rows.

use super::clusters::Clusters;
use super::interval::{Estimate, Interval, Z};

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
/// use earlyhelp::stats::wilson;
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
    expected_share(successes as f64, n)
}

/// As [`wilson`], of an expected number that need not be whole: of a list whose last places are shared by cases of
/// equal score, say. `successes` is 0 or more; what rounding adds above `n` is cut.
///
/// The interval is Wilson's on `n` rows. The mean over all orders of equals varies less than a list drawn by one of
/// them does, so the interval is, if anything, too wide.
pub(crate) fn expected_share(successes: f64, n: u64) -> Option<Estimate> {
    if n == 0 {
        return None;
    }
    let count = n as f64;
    let successes = successes.min(count);
    Some(Estimate { value: successes / count, interval: score_interval(successes, count, Z), n })
}

/// The mean of `values` (0 to 1) by `weights` (0 to 1), with Wilson's interval on as many rows as clusters (families) of
/// such rows are worth: the weights' sum, over what the variance between clusters exceeds that of as many independent rows
/// by. With each row its own cluster it is [`expected_share`].
///
/// All three have one entry per row. `None` where no row has a weight.
///
/// # References
/// E. L. Korn and B. I. Graubard (1998), "Confidence intervals for proportions with small expected number of positive
/// counts estimated from survey data", *Survey Methodology* 24:193-201.
pub(crate) fn clustered_share(values: &[f64], weights: &[f64], clusters: &[u32]) -> Option<Estimate> {
    let counted = || values.iter().zip(weights).zip(clusters).filter(|((_, weight), _)| **weight > 0.0);
    let rows: f64 = weights.iter().sum();
    // A share of less than half a row, where a tie is shared, rests on one all the same.
    let n = (rows > 0.0).then(|| rows.round().max(1.0) as u64)?;
    let sum: f64 = counted().map(|((value, weight), _)| value * weight).sum();
    let value = (sum / rows).clamp(0.0, 1.0);
    let codes: Vec<u32> = counted().map(|(_, &code)| code).collect();
    let clusters = Clusters::new(&codes);
    let mut totals = vec![0.0; clusters.count];
    let mut squares = 0.0;
    for (((held, weight), _), &cluster) in counted().zip(&clusters.index) {
        let residual = weight * (held - value);
        totals[cluster as usize] += residual;
        squares += residual * residual;
    }
    let between: f64 = totals.iter().map(|total| total * total).sum();
    let alone = codes.len() as f64 / (codes.len() as f64 - 1.0);
    // All rows alike tell nothing of clusters; one cluster is worth one row.
    let effect = if clusters.count == 1 {
        rows
    } else if squares > 0.0 {
        between * clusters.correction() / (squares * alone)
    } else {
        1.0
    };
    let effective = rows / effect.clamp(1.0, rows.max(1.0));
    Some(Estimate { value, interval: score_interval(value * effective, effective, Z), n })
}

/// Wilson's score interval that reaches `z` standard errors, for a share of `successes` in `n`, neither of which
/// need be whole: weighted and clustered rows count as an effective number of them (0 <= `successes` <= `n`, 0 < `n`).
pub(crate) fn score_interval(successes: f64, n: f64, z: f64) -> Interval {
    let z2 = z * z;
    let centre = (successes + z2 / 2.0) / (n + z2);
    let half = z / (n + z2) * (successes * (n - successes) / n + z2 / 4.0).sqrt();
    // At none and at all, one end is exactly 0 or 1; rounding must not say otherwise.
    let low = if successes <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes >= n { 1.0 } else { (centre + half).min(1.0) };
    Interval { low, high }
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
    let found = difference(&first, &second);
    Some(Estimate { interval: found.interval.held_to(-1.0, 1.0), ..found })
}

/// The difference of two independent figures, `a - b`, with an interval made of the ends of theirs (MOVER); `n` is
/// both together. Where the two move together the interval is wider than it need be.
///
/// # References
/// G. Y. Zou and A. Donner (2008), "Construction of confidence limits about effect measures: a general approach",
/// *Statistics in Medicine* 27:1693-1702; of two Wilson intervals it is Newcombe's method 10.
pub(crate) fn difference(a: &Estimate, b: &Estimate) -> Estimate {
    let value = a.value - b.value;
    let below = (a.value - a.interval.low).hypot(b.interval.high - b.value);
    let above = (a.interval.high - a.value).hypot(b.value - b.interval.low);
    Estimate { value, interval: Interval { low: value - below, high: value + above }, n: a.n + b.n }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{close, load};
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
    fn a_share_over_families_by_hand() {
        // Five families of two alike, three of them with it: residuals 0.4 and -0.6. Between families 3 * 0.8² + 2 * 1.2²
        // = 4.8, times 5/4; as single rows 6 * 0.16 + 4 * 0.36 = 2.4, times 10/9. So 2.25 rows are worth one.
        let values = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let (ones, pairs) = ([1.0; 10], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        let found = clustered_share(&values, &ones, &pairs).unwrap();
        let by_hand = score_interval(0.6 * 10.0 / 2.25, 10.0 / 2.25, Z);
        close(found.value, 0.6, 1e-15);
        close(found.interval.low, by_hand.low, 1e-12);
        close(found.interval.high, by_hand.high, 1e-12);
        assert_eq!(found.n, 10);

        // Each alone: Wilson's. Nobody counts whose weight is none.
        let alone: Vec<u32> = (0..10).collect();
        assert_eq!(clustered_share(&values, &ones, &alone), wilson(6, 10));
        let weights = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        assert_eq!(clustered_share(&values, &weights, &alone), wilson(4, 6));
        let tied = [0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(clustered_share(&values, &tied, &alone), wilson(3, 4));
        // One family is worth one row, and where all are alike nothing tells families from rows.
        let one = clustered_share(&values, &ones, &[7; 10]).unwrap();
        assert_eq!(one.interval, score_interval(0.6, 1.0, Z));
        assert_eq!(clustered_share(&[1.0; 10], &ones, &pairs), wilson(10, 10));
        assert_eq!(clustered_share(&values, &[0.0; 10], &alone), None);
        assert_eq!(clustered_share(&[], &[], &[]), None);
    }

    #[test]
    fn half_the_rows_are_a_wider_interval_and_more_errors_a_wider_one_still() {
        let (whole, half) = (score_interval(56.0, 70.0, Z), score_interval(28.0, 35.0, Z));
        assert!(half.low < whole.low && half.high > whole.high);
        // 28 of 35 by hand: centre (28 + 2) / 39, half 2 / 39 * sqrt(28 * 7 / 35 + 1), for z = 2.
        let two = score_interval(28.0, 35.0, 2.0);
        close(two.low, 30.0 / 39.0 - 2.0 / 39.0 * 6.6_f64.sqrt(), 1e-15);
        close(two.high, 30.0 / 39.0 + 2.0 / 39.0 * 6.6_f64.sqrt(), 1e-15);
        assert_eq!(score_interval(0.0, 2.5, Z).low.to_bits(), 0);
        assert_eq!(score_interval(2.5, 2.5, Z).high.to_bits(), 1.0_f64.to_bits());
    }
}
