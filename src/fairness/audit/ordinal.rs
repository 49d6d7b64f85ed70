//! Scores that are no chances, of few values: whether groups differ in outcome where their scores are equal.

use super::rows::Rows;

/// The most distinct scores that are told apart one by one.
pub(super) const MOST_VALUES: usize = 20;
/// The fewest rows of each group at a score for its spread to be known.
const LEAST_ROWS: u64 = 2;

/// Rows of one score: how many, their weight, and that of those with the outcome.
#[derive(Debug, Clone, Copy, Default)]
struct AtScore {
    rows: u64,
    weight: f64,
    with: f64,
}

impl AtScore {
    fn share(&self) -> f64 {
        self.with / self.weight
    }
}

/// Whether the scores are of so few values that each can be looked at.
pub(super) fn few_valued(rows: &Rows) -> bool {
    let values = rows.scores.chunk_by(|a, b| a.total_cmp(b).is_eq());
    values.take(MOST_VALUES + 1).count() <= MOST_VALUES
}

/// Whether scores look like ranks that were divided: from five to twenty values, all of them twentieths, as
/// deciles over ten are.
pub(super) fn look_like_ranks(scores: &[f64]) -> bool {
    let values: Vec<f64> = scores.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tie| tie[0]).collect();
    let is_twentieth = |value: &f64| (value * 20.0 - (value * 20.0).round()).abs() < 1e-9;
    (5..=MOST_VALUES).contains(&values.len()) && values.iter().all(is_twentieth)
}

/// The rows of a group at each score; each score has a bin of its own, since there are few.
fn at_scores(rows: &Rows, members: &[u32]) -> Vec<AtScore> {
    let mut all = vec![AtScore::default(); rows.bin_count];
    for &row in members {
        let (at, weight) = (&mut all[usize::from(rows.bins[row as usize])], rows.weight(row as usize));
        at.rows += 1;
        at.weight += weight;
        at.with += if rows.outcomes[row as usize] { weight } else { 0.0 };
    }
    all
}

/// The difference in outcome at equal score, -1 to 1: the mean over the scores of the difference of the shares, each
/// with the weight `ab / (a + b)` of the rows `a` and `b` of both groups; and its standard error, by family. The base may
/// be everybody, the group among them. `None` where no score has two rows of each, or where nothing varies.
///
/// # References
/// The weights: W. G. Cochran (1954), "Some methods for strengthening the common χ² tests", *Biometrics* 10:417-451. N.
/// Mantel and W. Haenszel (1959), *Journal of the National Cancer Institute* 22:719-748. The error: what each row adds to
/// first order, raised by `n / (n - 1)` within each score, summed by family.
pub(super) fn at_equal_score(rows: &Rows, here: &[u32], base: &[u32]) -> Option<(f64, f64)> {
    let groups = [at_scores(rows, here), at_scores(rows, base)];
    let weights: Vec<f64> = groups[0]
        .iter()
        .zip(&groups[1])
        .map(|(a, b)| {
            let enough = a.rows.min(b.rows) >= LEAST_ROWS;
            if enough { a.weight * b.weight / (a.weight + b.weight) } else { 0.0 }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let parts = weights.iter().zip(groups[0].iter().zip(&groups[1])).filter(|(weight, _)| **weight > 0.0);
    let difference = parts.map(|(weight, (a, b))| weight * (a.share() - b.share())).sum::<f64>() / total;
    let clusters = rows.clusters.as_ref();
    let mut sums = vec![(false, 0.0); clusters.map_or(rows.count(), |clusters| clusters.count)];
    for ((members, scores), sign) in [here, base].into_iter().zip(&groups).zip([1.0, -1.0]) {
        for &row in members {
            let row = row as usize;
            let bin = usize::from(rows.bins[row]);
            if weights[bin] <= 0.0 {
                continue;
            }
            let at = &scores[bin];
            let n = at.rows as f64;
            let off = f64::from(u8::from(rows.outcomes[row])) - at.share();
            let part = weights[bin] / total * rows.weight(row) / at.weight * off * (n / (n - 1.0)).sqrt();
            let sum = &mut sums[clusters.map_or(row, |clusters| clusters.index[row] as usize)];
            *sum = (true, sum.1 + sign * part);
        }
    }
    let families = sums.iter().filter(|sum| sum.0).count() as f64;
    let squares: f64 = sums.iter().map(|sum| sum.1 * sum.1).sum();
    let correction = if clusters.is_some() { families / (families - 1.0) } else { 1.0 };
    let error = (squares * correction).sqrt();
    (error > 0.0 && error.is_finite()).then_some((difference, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_over_ten_are_ranks_and_few_chances_are_not() {
        let scores = |values: &[f64]| values.iter().rev().copied().collect::<Vec<f64>>();
        let deciles: Vec<f64> = (1..=10).map(|decile| f64::from(decile) / 10.0).collect();
        assert!(look_like_ranks(&scores(&deciles)));
        assert!(!look_like_ranks(&scores(&[0.1, 0.9])));
        assert!(!look_like_ranks(&scores(&[0.1, 0.2, 0.31, 0.4, 0.5])));
        let many: Vec<f64> = (0..=20).map(|nth| f64::from(nth) / 20.0).collect();
        assert!(!look_like_ranks(&scores(&many)));
    }
}
