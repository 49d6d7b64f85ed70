//! How well an order of cases sets a group apart from the rest, with an interval over families.

use crate::evaluate::ranking::ranking;
use crate::stats::link::probability;
use crate::stats::{Clusters, Estimate, Interval, Z};

/// Cases in order: each at a level, a level being part of one stratum (a fold) and higher where a group is
/// expected more. Cases are compared within their stratum only.
#[derive(Debug)]
pub(super) struct Levels {
    /// For each row its level; levels of one stratum lie together, the lowest first.
    pub(super) of_row: Vec<u32>,
    /// How many levels each stratum has.
    pub(super) in_stratum: Vec<u32>,
}

impl Levels {
    /// Of so many rows, of which none has a level yet.
    pub(super) fn of_rows(rows: usize) -> Self {
        Self { of_row: vec![0; rows], in_stratum: Vec::new() }
    }

    /// A further stratum: some rows by their scores, of which equal ones are one level.
    pub(super) fn add_stratum(&mut self, rows: &[usize], scores: &[f64]) {
        let start: u32 = self.in_stratum.iter().sum();
        let (mut next, mut last) = (start, None);
        for place in ranking(scores).into_iter().rev() {
            let score = scores[place as usize];
            if last.is_none_or(|last| last < score) {
                next += 1;
                last = Some(score);
            }
            self.of_row[rows[place as usize]] = next - 1;
        }
        self.in_stratum.push(next - start);
    }

    /// All rows by their scores.
    #[cfg(test)]
    pub(super) fn of_scores(scores: &[f64]) -> Self {
        let mut levels = Self::of_rows(scores.len());
        levels.add_stratum(&(0..scores.len()).collect::<Vec<_>>(), scores);
        levels
    }
}

/// The area under the ROC curve of levels for a group, and its standard error over families.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Separation {
    pub(super) auc: f64,
    standard_error: f64,
    /// Rows that can be compared with another.
    n: u64,
    /// Families with a member of the group, or with somebody else, whichever are fewer.
    fewest_families: u64,
}

impl Separation {
    /// How often a member of the group stands higher than somebody else of the same stratum (a tie counts
    /// half), over all such pairs.
    ///
    /// The standard error is that of the linearised statistic, summed by family: the first-order effect that
    /// each family has. It is what the family bootstrap comes to with many resamples, in one pass. For cases
    /// that are each a family of their own it is the usual one, of placement values (1988, *Biometrics*
    /// 44:837-845); for clusters see N. A. Obuchowski (1997), *Biometrics* 53:567-578. Of a small group it is
    /// never less than the spread of the rest lets expect ([`Effects`]).
    ///
    /// `None` where no stratum holds both members and others, or there is one family.
    pub(super) fn of(levels: &Levels, members: &[bool], clusters: &Clusters) -> Option<Self> {
        let width: u32 = levels.in_stratum.iter().sum();
        let mut counts = vec![[0_u64; 2]; width as usize];
        for (&level, &member) in levels.of_row.iter().zip(members) {
            counts[level as usize][usize::from(member)] += 1;
        }
        let (mut pairs, mut right) = (0.0, 0.0);
        // For each level, what one more case there would add: to the pairs in the right order, to all pairs.
        let mut adds = vec![[(0.0, 0.0); 2]; width as usize];
        let (mut start, mut n) = (0, 0);
        for &many in &levels.in_stratum {
            let stratum = start..start + many as usize;
            start = stratum.end;
            let [others, inside] =
                counts[stratum.clone()].iter().fold([0, 0], |[o, m], count| [o + count[0], m + count[1]]);
            if others > 0 && inside > 0 {
                n += others + inside;
            }
            pairs += others as f64 * inside as f64;
            let (mut below, mut above) = (0.0, inside as f64);
            for level in stratum {
                let [o, m] = counts[level].map(|count| count as f64);
                above -= m;
                adds[level] = [(above + m / 2.0, inside as f64), (below + o / 2.0, others as f64)];
                right += m * (below + o / 2.0);
                below += o;
            }
        }
        if pairs <= 0.0 || clusters.count < 2 {
            return None;
        }
        let auc: f64 = right / pairs;
        let mut effects = Effects::new(clusters);
        for ((&level, &member), &cluster) in levels.of_row.iter().zip(members).zip(&clusters.index) {
            let (right, all) = adds[level as usize][usize::from(member)];
            effects.add(cluster, member, (right - auc * all) / pairs);
        }
        let families = |wanted: bool| clusters.with_any(members.iter().map(|&member| member == wanted));
        Some(Self {
            auc,
            standard_error: effects.standard_error(),
            n,
            fewest_families: families(true).min(families(false)) as u64,
        })
    }

    /// The area with its 95% interval.
    pub(super) fn estimate(&self) -> Estimate {
        Estimate { value: self.auc, interval: self.within(Z), n: self.n }
    }

    /// The interval of `z` standard errors on the scale of log-odds, where an area is nearer to normal and
    /// its interval stays between 0 and 1. A group that is set apart without an exception shows no spread at
    /// all; its interval is Wilson's for that many families without one.
    pub(super) fn within(&self, z: f64) -> Interval {
        let n = self.fewest_families as f64;
        let slack = z * z / (n + z * z);
        let spread = self.auc * (1.0 - self.auc);
        if spread <= 0.0 || self.standard_error <= 0.0 {
            let low = if self.auc <= 0.0 { 0.0 } else { self.auc - slack };
            let high = if self.auc >= 1.0 { 1.0 } else { self.auc + slack };
            return Interval { low: low.max(0.0), high: high.min(1.0) };
        }
        let (centre, half) = ((self.auc / (1.0 - self.auc)).ln(), z * self.standard_error / spread);
        Interval { low: probability(centre - half), high: probability(centre + half) }
    }
}

/// How many standard errors a two-sided interval needs for `comparisons` of them to hold together with
/// 95% (Bonferroni): the upper `0.025 / comparisons` point of the standard normal distribution, to nine digits.
///
/// # References
/// C. E. Bonferroni (1936), *Pubblicazioni del R. Istituto Superiore di Scienze Economiche e Commerciali di
/// Firenze* 8:3-62. P. J. Acklam (2003), "An algorithm for computing the inverse normal cumulative distribution
/// function": his rational function for the tail.
pub(super) fn simultaneous_z(comparisons: usize) -> f64 {
    if comparisons < 2 {
        return Z;
    }
    let q = (-2.0 * (0.025 / comparisons as f64).ln()).sqrt();
    let polynomial = |coefficients: &[f64]| coefficients.iter().fold(0.0, |sum, c| sum * q + c);
    let above = polynomial(&[
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ]);
    let below = polynomial(&[
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ]);
    -above / below
}

/// The difference between the mean of `values` in a group and in the rest, and its standard error over
/// families (linearised, as above).
///
/// `None` where one of the two is empty or there is one family.
pub(in crate::fairness) fn mean_difference(
    values: &[f64],
    members: &[bool],
    clusters: &Clusters,
) -> Option<(f64, f64)> {
    let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
    for (value, &member) in values.iter().zip(members) {
        sums[usize::from(member)] += value;
        counts[usize::from(member)] += 1.0;
    }
    if counts.iter().any(|&count| count < 1.0) || clusters.count < 2 {
        return None;
    }
    let means = [sums[0] / counts[0], sums[1] / counts[1]];
    let mut effects = Effects::new(clusters);
    for ((value, &member), &cluster) in values.iter().zip(members).zip(&clusters.index) {
        let side = usize::from(member);
        let by = (value - means[side]) / counts[side];
        effects.add(cluster, member, if member { by } else { -by });
    }
    Some((means[1] - means[0], effects.standard_error()))
}

/// The first-order effects of families on a figure that compares a group with the rest.
struct Effects<'a> {
    clusters: &'a Clusters,
    /// For each family the effect of its rows in the rest and in the group.
    moved: Vec<[f64; 2]>,
    /// Rows of the rest and of the group.
    rows: [f64; 2],
}

impl<'a> Effects<'a> {
    fn new(clusters: &'a Clusters) -> Self {
        Self { clusters, moved: vec![[0.0; 2]; clusters.count], rows: [0.0; 2] }
    }

    fn add(&mut self, cluster: u32, member: bool, by: f64) {
        self.moved[cluster as usize][usize::from(member)] += by;
        self.rows[usize::from(member)] += 1.0;
    }

    /// The root of the sum of squared effects, with the usual correction for few families.
    ///
    /// A small group may by luck show no spread: a dozen families, none with a rare record. So the smaller
    /// side counts as spread out at least as the larger is, for as many rows as it has.
    fn standard_error(&self) -> f64 {
        let larger = usize::from(self.rows[1] > self.rows[0]);
        let (mut all, mut of_larger) = (0.0, 0.0);
        for effects in &self.moved {
            all += (effects[0] + effects[1]).powi(2);
            of_larger += effects[larger].powi(2);
        }
        let expected = of_larger * (1.0 + self.rows[larger] / self.rows[1 - larger]);
        (f64::max(all, expected) * self.clusters.correction()).sqrt()
    }
}
