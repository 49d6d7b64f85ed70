//! How well the order of the scores puts those with the outcome first.
//!
//! Only the order counts here: any score that ranks in the same way gets the same numbers. Whether a score
//! means what it says is a question for [`calibration`](super::calibration).

use sha2::{Digest as _, Sha256};

use crate::stats::LANES;

/// The area under the ROC curve: how often a row with the outcome scores higher than one without it, when
/// one of each is picked at random. 0 to 1; 0.5 is no better than chance; equal scores count half.
///
/// The count of pairs is exact, so the order of the rows cannot change it.
///
/// `None` when the lengths differ, when a score is not finite, or when only one class is present: there
/// is then no pair to compare.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::auc;
///
/// // Pairs (with, without): 2 > 1 right, 2 > 0 right, 1 = 1 half, 1 > 0 right: 3.5 of 4.
/// assert_eq!(auc(&[2.0, 1.0, 1.0, 0.0], &[true, true, false, false]), Some(0.875));
/// assert_eq!(auc(&[2.0, 1.0], &[true, true]), None);
/// ```
///
/// # References
/// D. Bamber (1975), "The area above the ordinal dominance graph and the area below the receiver operating
/// characteristic graph", *Journal of Mathematical Psychology* 12:387-415.
pub fn auc(log_odds: &[f64], outcomes: &[bool]) -> Option<f64> {
    Some(unweighted(log_odds, outcomes)?.auc)
}

/// Average precision: the share with the outcome among the best ranked, averaged over all depths at which a
/// row with the outcome is met. 0 to 1; chance gives the share with the outcome overall.
///
/// The step-wise sum, without interpolation: over the distinct scores from the highest down, the gain in
/// recall times the precision at that score. Rows of equal score are met together.
///
/// `None` when the lengths differ, when a score is not finite, or when only one class is present.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::average_precision;
///
/// // Met at rank 1 (precision 1/1) and at rank 3 (precision 2/3): the mean is 5/6.
/// let found = average_precision(&[3.0, 2.0, 1.0, 0.0], &[true, false, true, false]);
/// assert!(found.is_some_and(|value| (value - 5.0 / 6.0).abs() < 1e-12));
/// ```
///
/// # References
/// C. D. Manning, P. Raghavan and H. Schütze (2008), *Introduction to Information Retrieval*, section 8.4.
/// The same definition as scikit-learn's `average_precision_score`.
pub fn average_precision(log_odds: &[f64], outcomes: &[bool]) -> Option<f64> {
    Some(unweighted(log_odds, outcomes)?.average_precision)
}

/// The positions of the rows, best (highest score) first.
///
/// Equal scores keep the order of the rows, so the caller must bring rows into an order that does not
/// depend on chance (by date and pseudonym, for instance). A score that is not a number ranks last.
/// Positions are `u32`: up to 2³² rows.
pub(crate) fn ranking(log_odds: &[f64]) -> Vec<u32> {
    let mut rows: Vec<(u64, u32)> = log_odds.iter().map(|&score| descending(score)).zip(0..).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Who is on a list of `capacity` places that is really drawn: the best ranked, exactly `min(capacity, n)` of them, with one
/// flag per row in the order of the rows.
///
/// There is no threshold: a team can review so many cases and no more. Ties at the cut are broken as in
/// [`ranking`].
pub(crate) fn at_capacity(log_odds: &[f64], capacity: usize) -> Vec<bool> {
    let mut rows: Vec<(u64, u32)> = log_odds.iter().map(|&score| descending(score)).zip(0..).collect();
    let capacity = capacity.min(rows.len());
    if (1..rows.len()).contains(&capacity) {
        rows.select_nth_unstable(capacity - 1);
    }
    let mut selected = vec![false; log_odds.len()];
    for &(_, row) in &rows[..capacity] {
        selected[row as usize] = true;
    }
    selected
}

/// The part of a place that each row has on a list of `capacity` places, in the order of the rows: 1 on the list,
/// 0 off it. Rows of equal score at the cut share the places that are left: each has the chance of a place that
/// it would have if every order of equals were as likely as any other.
pub(crate) fn places_at_capacity(log_odds: &[f64], capacity: usize) -> Vec<f64> {
    if !(1..log_odds.len()).contains(&capacity) {
        return vec![if capacity == 0 { 0.0 } else { 1.0 }; log_odds.len()];
    }
    let keys: Vec<u64> = log_odds.iter().map(|&score| descending(score)).collect();
    let cut = *keys.clone().select_nth_unstable(capacity - 1).1;
    let above = keys.iter().filter(|&&key| key < cut).count();
    let equal = keys.iter().filter(|&&key| key == cut).count();
    let part = (capacity - above) as f64 / equal as f64;
    let place = |key: &u64| match key.cmp(&cut) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => part,
        std::cmp::Ordering::Greater => 0.0,
    };
    keys.iter().map(place).collect()
}

/// A key that sorts the highest score first; equal scores (also 0 and -0) have equal keys.
fn descending(score: f64) -> u64 {
    if score.is_nan() {
        return u64::MAX;
    }
    // Adding zero turns -0 into 0. For the rest, the bits of a positive number grow with it, those of
    // a negative one fall.
    let bits = (score + 0.0).to_bits();
    let ascending = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    !ascending
}

fn unweighted(log_odds: &[f64], outcomes: &[bool]) -> Option<Areas> {
    if log_odds.len() != outcomes.len() || !log_odds.iter().all(|score| score.is_finite()) {
        return None;
    }
    RankedRows::new(log_odds, outcomes, &vec![0; log_odds.len()]).areas(&[1])
}

/// The two measures that are read off one walk down the ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Areas {
    pub(crate) auc: f64,
    pub(crate) average_precision: f64,
}

/// Rows sorted once, best first, to be walked many times with other weights.
///
/// Both measures change only where a row with the outcome is met. So rows with and without the outcome are
/// kept apart, and the walk stops once for each distinct score that a row with the outcome has; what
/// lies between two stops is a plain sum of weights. Outcomes are rare, so there are few stops.
#[derive(Debug)]
pub(crate) struct RankedRows {
    /// The clusters of the rows with the outcome, best first.
    with: Vec<u32>,
    /// The clusters of the rows without it, best first.
    without: Vec<u32>,
    stops: Vec<Stop>,
}

/// One distinct score that a row with the outcome has.
#[derive(Debug, Clone, Copy)]
struct Stop {
    /// How many rows with the outcome score this or higher.
    with: u32,
    /// How many rows without the outcome score higher.
    above: u32,
    /// How many rows without the outcome score this or higher.
    without: u32,
}

impl RankedRows {
    /// Sorts rows; all three slices have one entry per row, `clusters` being numbers as in
    /// [`Clusters`](crate::stats::Clusters).
    pub(crate) fn new(log_odds: &[f64], outcomes: &[bool], clusters: &[u32]) -> Self {
        let order = ranking(log_odds);
        let mut ranked = Self { with: vec![], without: vec![], stops: vec![] };
        for tie in
            order.chunk_by(|&a, &b| descending(log_odds[a as usize]) == descending(log_odds[b as usize]))
        {
            let (met, above) = (ranked.with.len(), ranked.without.len() as u32);
            for &row in tie {
                let row = row as usize;
                let class = if outcomes[row] { &mut ranked.with } else { &mut ranked.without };
                class.push(clusters[row]);
            }
            if ranked.with.len() > met {
                let (with, without) = (ranked.with.len() as u32, ranked.without.len() as u32);
                ranked.stops.push(Stop { with, above, without });
            }
        }
        ranked
    }

    /// Both measures when each row counts as often as `times` says of its cluster; `None` without both
    /// classes. Pairs are counted in whole numbers, so nothing depends on the order within a tie.
    pub(crate) fn areas(&self, times: &[u8]) -> Option<Areas> {
        let weight = |clusters: &[u32]| -> [u64; 1] {
            [clusters.iter().map(|&cluster| u64::from(times[cluster as usize])).sum()]
        };
        let [areas] = self.walk(weight);
        areas
    }

    /// The same of several resamples at once ([`Bootstrap::over_lanes`](crate::stats::Bootstrap::over_lanes)).
    pub(crate) fn areas_of_lanes(&self, times: &[[u8; LANES]]) -> [Option<Areas>; LANES] {
        self.walk(|clusters| {
            let mut sums = [0_u64; LANES];
            // A sum of so many bytes fits into 32 bits.
            for clusters in clusters.chunks(1 << 24) {
                let mut part = [0_u32; LANES];
                for &cluster in clusters {
                    let drawn = times[cluster as usize];
                    (0..LANES).for_each(|lane| part[lane] += u32::from(drawn[lane]));
                }
                (0..LANES).for_each(|lane| sums[lane] += u64::from(part[lane]));
            }
            sums
        })
    }

    /// Walks down the ranking `N` times at once; `weight` gives how often rows of these clusters count, each time.
    fn walk<const N: usize>(&self, weight: impl Fn(&[u32]) -> [u64; N]) -> [Option<Areas>; N] {
        let (mut positives, mut negatives) = ([0_u64; N], [0_u64; N]); // down to here
        let (mut wrong_halves, mut precision_sum) = ([0_u64; N], [0.0_f64; N]);
        let mut last = Stop { with: 0, above: 0, without: 0 };
        for &stop in &self.stops {
            let gained = weight(&self.with[last.with as usize..stop.with as usize]);
            let above = weight(&self.without[last.without as usize..stop.above as usize]);
            let tied = weight(&self.without[stop.above as usize..stop.without as usize]);
            for nth in 0..N {
                let gained = gained[nth];
                let above = negatives[nth] + above[nth];
                negatives[nth] = above + tied[nth];
                positives[nth] += gained;
                // A pair in the wrong order is two halves, a tied one is one.
                wrong_halves[nth] += gained * (above + negatives[nth]);
                let seen = (positives[nth] + negatives[nth]).max(1);
                precision_sum[nth] += gained as f64 * positives[nth] as f64 / seen as f64;
            }
            last = stop;
        }
        let rest = weight(&self.without[last.without as usize..]);
        std::array::from_fn(|nth| {
            let (positives, negatives) = (positives[nth], negatives[nth] + rest[nth]);
            (positives > 0 && negatives > 0).then(|| Areas {
                auc: (2 * positives * negatives - wrong_halves[nth]) as f64
                    / (2 * positives * negatives) as f64,
                average_precision: precision_sum[nth] / positives as f64,
            })
        })
    }
}

/// The lot that a case draws: cases of equal score are put in this order, which is the same every time and favours no id. It is
/// the beginning of SHA-256 over the seed as a decimal number, a slash and the id, so that any engine can draw the same.
pub(crate) fn lot(seed: u64, id: &str) -> u64 {
    let hash = Sha256::new().chain_update(seed.to_string()).chain_update("/").chain_update(id).finalize();
    hash[..8].iter().fold(0, |lot, &byte| lot << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Clusters;
    use crate::stats::fixture::{close, load};

    #[test]
    fn both_measures_agree_with_scikit_learn() {
        for set in load().datasets {
            let outcomes = set.outcomes();
            close(auc(&set.log_odds, &outcomes).unwrap(), set.auc, 1e-9);
            close(average_precision(&set.log_odds, &outcomes).unwrap(), set.average_precision, 1e-9);
            // The same with families drawn several times or not at all.
            let clusters = Clusters::new(&set.families);
            assert_eq!(clusters.count, set.times_drawn.len());
            let order = RankedRows::new(&set.log_odds, &outcomes, &clusters.index);
            let drawn = order.areas(&set.times_drawn).unwrap();
            close(drawn.auc, set.auc_weighted, 1e-9);
            close(drawn.average_precision, set.average_precision_weighted, 1e-9);
        }
    }

    #[test]
    fn weights_are_the_same_as_copies() {
        let log_odds = [0.5, 0.5, -1.0, 2.0, 0.1, 0.5];
        let outcomes = [true, false, false, true, true, false];
        let times = [2, 0, 3, 1, 1, 4];
        let copies: Vec<usize> =
            (0..6).flat_map(|row| std::iter::repeat_n(row, times[row] as usize)).collect();
        let scores: Vec<f64> = copies.iter().map(|&row| log_odds[row]).collect();
        let happened: Vec<bool> = copies.iter().map(|&row| outcomes[row]).collect();
        let drawn = RankedRows::new(&log_odds, &outcomes, &[0, 1, 2, 3, 4, 5]).areas(&times).unwrap();
        assert_eq!(Some(drawn.auc), auc(&scores, &happened));
        close(drawn.average_precision, average_precision(&scores, &happened).unwrap(), 1e-15);
    }

    #[test]
    fn ties_by_hand() {
        // All equal: every pair is tied, and all are met at once.
        let outcomes = [true, false, false, true, false];
        assert_eq!(auc(&[1.5; 5], &outcomes), Some(0.5));
        assert_eq!(average_precision(&[1.5; 5], &outcomes), Some(0.4));
        // 0 and -0 are equal.
        assert_eq!(auc(&[0.0, -0.0], &[true, false]), Some(0.5));
        assert_eq!(auc(&[-0.0, 0.0], &[true, false]), Some(0.5));
        // First tie: one with, one without (precision 1/2, half the recall); then one with (2/3).
        let found = average_precision(&[2.0, 2.0, 1.0], &[true, false, true]).unwrap();
        close(found, 0.5 * 0.5 + 0.5 * 2.0 / 3.0, 1e-15);
    }

    #[test]
    fn one_class_or_bad_input_has_no_answer() {
        assert_eq!(auc(&[], &[]), None);
        assert_eq!(auc(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(average_precision(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auc(&[1.0], &[true, false]), None);
        assert_eq!(auc(&[1.0, f64::NAN], &[true, false]), None);
        assert_eq!(auc(&[1.0, f64::INFINITY], &[true, false]), None);
        let order = RankedRows::new(&[1.0, 2.0], &[true, false], &[0, 1]);
        assert_eq!(order.areas(&[2, 0]), None);
    }

    #[test]
    fn rows_of_equal_score_share_the_places_that_are_left() {
        let scores = [2.0, 1.0, 3.0, 1.0, 0.0, 1.0];
        // Two are above the tie; the third place is shared by three, then the third and the fourth.
        assert_eq!(places_at_capacity(&scores, 3), [1.0, 1.0 / 3.0, 1.0, 1.0 / 3.0, 0.0, 1.0 / 3.0]);
        assert_eq!(places_at_capacity(&scores, 4), [1.0, 2.0 / 3.0, 1.0, 2.0 / 3.0, 0.0, 2.0 / 3.0]);
        assert_eq!(places_at_capacity(&scores, 5), [1.0, 1.0, 1.0, 1.0, 0.0, 1.0]);
        assert_eq!(places_at_capacity(&scores, 9), [1.0; 6]);
        assert_eq!(places_at_capacity(&scores, 0), [0.0; 6]);
        // 0 and -0 are equal.
        assert_eq!(places_at_capacity(&[0.0, -0.0], 1), [0.5, 0.5]);
        // A drawn list is one of the orders: it holds all who have a whole place and none who has no part.
        for (drawn, part) in at_capacity(&scores, 4).into_iter().zip(places_at_capacity(&scores, 4)) {
            assert!(if drawn { part > 0.0 } else { part < 1.0 });
        }
    }

    #[test]
    fn ranking_is_stable_and_the_list_is_exact() {
        let scores = [1.0, f64::NAN, -0.0, 0.0, 1.0, f64::NEG_INFINITY, -3.0, 1e-300];
        assert_eq!(ranking(&scores), [0, 4, 7, 2, 3, 6, 5, 1]);
        assert_eq!(at_capacity(&[1.0, 1.0, 1.0], 2), [true, true, false]);
        for capacity in 0..12 {
            let listed = at_capacity(&scores, capacity).into_iter().filter(|&on| on).count();
            assert_eq!(listed, capacity.min(8));
        }
    }
}
