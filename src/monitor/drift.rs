//! Drift of every feature, and of the score.

use rayon::prelude::*;
use serde::Serialize;

use super::bins::sortable;
use super::panel::Panel;
use super::params::MonitorParams;
use super::shift::Shift;
use super::verdict::Verdict;
use crate::evaluate::{Capacity, Estimate, Interval};
use crate::features::FeatureMatrix;
use crate::model::Candidate;
use crate::stats::round_between;

/// How far a feature moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FeatureDrift {
    /// The feature's name.
    pub feature: String,
    /// What it says, in plain words.
    pub label: String,
    /// The source it reads.
    pub source: String,
    /// The share of the model's importance that rests on it, 0 to 1: the same drift matters more in a feature
    /// that the model leans on. A pair's importance is halved between its two features.
    pub importance: f64,
    /// How far.
    pub shift: Shift,
}

impl FeatureDrift {
    /// Below this share of the model's importance a feature's drift does not set the verdict on the whole. 1%: with
    /// dozens of features some hardly move any score, and an alarm on one of them sends people looking for what
    /// cannot have changed a list. What all of them together do, the score shows, and it has the stricter limit.
    pub const LEAST_IMPORTANCE: f64 = 0.01;

    /// Whether its drift counts for the verdict on the whole.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.importance >= Self::LEAST_IMPORTANCE
    }
}

/// How far the score moved, and how many reach what was the cut of the lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ScoreDrift {
    /// How far the score (log-odds) moved.
    pub shift: Shift,
    /// The cut of the lists at the model's capacity over the training cohorts, in log-odds: the roundest number that no more
    /// and no fewer training cases reach than were listed, since the score of the last one listed is somebody's.
    pub cut: f64,
    /// The share of the training cases that reach it, 0 to 1.
    pub reached_in_training: f64,
    /// The share of the cases of now that reach it, 0 to 1.
    pub reached_now: f64,
    /// How many times as many reach it; `None` where families are too few.
    pub ratio: Option<Estimate>,
    /// How many times more, or fewer, are allowed.
    pub limit: f64,
    /// The verdict on that ratio.
    pub verdict: Verdict,
}

/// The matrices of training's cohorts and of now, one after the other.
pub(super) struct Stacked<'m> {
    pub(super) training: &'m [FeatureMatrix],
    pub(super) now: &'m FeatureMatrix,
}

impl Stacked<'_> {
    fn column(&self, feature: usize) -> Vec<f64> {
        let matrices = self.training.iter().chain([self.now]);
        matrices.flat_map(|matrix| matrix.column(feature).map(sortable)).collect()
    }
}

/// Compares all features and the score. `log_odds` has a number for each row of the panel.
pub(super) fn measure(
    candidate: &Candidate,
    stacked: &Stacked<'_>,
    log_odds: &[f64],
    panel: &Panel,
    capacity: Capacity,
    params: &MonitorParams,
) -> (Vec<FeatureDrift>, ScoreDrift) {
    let importance = shares_of_importance(candidate);
    let features = candidate.features().features();
    let mut drift: Vec<FeatureDrift> = features
        .par_iter()
        .enumerate()
        .map(|(place, feature)| {
            let (column, limit) = (stacked.column(place), params.limits.feature_psi);
            FeatureDrift {
                feature: feature.name.clone(),
                label: feature.label.clone(),
                source: feature.records.source.clone(),
                importance: importance[place],
                shift: match feature.measure.codes() {
                    Some(codes) => Shift::of_codes(&column, panel, limit, params.seed, codes),
                    None => Shift::of(&column, panel, limit, params.seed),
                },
            }
        })
        .collect();
    let mut shift = Shift::of(log_odds, panel, params.limits.score_psi, params.seed);
    let mut all: Vec<&mut Shift> = drift.iter_mut().map(|drift| &mut drift.shift).collect();
    all.push(&mut shift);
    Shift::judge(&mut all);

    let sizes = stacked.training.iter().map(FeatureMatrix::rows);
    let listed: usize = sizes.map(|rows| capacity.of(rows)).sum();
    let mut training = log_odds[..panel.n[0] as usize].to_vec();
    training.sort_unstable_by(|a, b| b.total_cmp(a));
    let cut = training.get(listed.saturating_sub(1)).copied().unwrap_or(f64::MAX);
    let reach: Vec<u32> = log_odds.iter().map(|&score| u32::from(score >= cut)).collect();
    let [reached_in_training, reached_now] = panel.means(&reach);
    let limit = params.limits.cut_ratio;
    let ratio = panel.ratio(&reach).map(|found| Estimate {
        value: found.value,
        interval: found.interval,
        n: panel.n[1],
    });
    let allowed = Interval { low: 1.0 / limit, high: limit };
    let verdict = ratio.map_or(Verdict::CannotTell, |ratio| Verdict::of(ratio.interval, allowed));
    let cut = told_cut(&training, cut);
    (drift, ScoreDrift { shift, cut, reached_in_training, reached_now, ratio, limit, verdict })
}

/// What is told of a cut of scores, the highest first: the roundest number above the next lower score.
fn told_cut(training: &[f64], cut: f64) -> f64 {
    // Below the lowest of all there is room enough.
    let next = training[training.partition_point(|&score| score >= cut)..].first();
    round_between(next.copied().unwrap_or(cut - 1.0), cut.next_down())
}

fn shares_of_importance(candidate: &Candidate) -> Vec<f64> {
    let features = candidate.features().features();
    let mut shares = vec![0.0; features.len()];
    let total: f64 = candidate.training().importance.iter().sum();
    for (term, importance) in candidate.model().terms().iter().zip(&candidate.training().importance) {
        for (place, feature) in features.iter().enumerate() {
            if term.on.contains(&feature.name) && total > 0.0 {
                shares[place] += importance / total / term.on.len() as f64;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cut_of_scores_is_told_that_is_somebodys() {
        let scores = [3.241_59, 2.618_28, 2.618_28, 1.314_21, -0.577_21];
        for listed in 1..=scores.len() {
            let cut = scores[listed - 1];
            let told = told_cut(&scores, cut);
            assert!(!scores.contains(&told), "{told}");
            let reach = |cut: f64| scores.iter().filter(|&&score| score >= cut).count();
            assert_eq!(reach(told), reach(cut), "{told}");
        }
        assert!((told_cut(&scores, 2.618_28) - 2.0).abs() < 1e-12);
    }
}
