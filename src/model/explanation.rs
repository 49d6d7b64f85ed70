//! Why a case has its score, and what the score is.

use ndarray::{Array2, ArrayView2};
use serde::{Serialize, Serializer};

use super::form::AdditiveModel;

/// How far a case is from the average one, term by term; their sum is the score.
#[derive(Clone, PartialEq)]
pub struct Explanation<'m> {
    model: &'m AdditiveModel,
    contributions: Vec<f64>,
}

impl<'m> Explanation<'m> {
    pub(super) fn new(model: &'m AdditiveModel, contributions: Vec<f64>) -> Self {
        Self { model, contributions }
    }

    /// The score of the average case, in log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.model.intercept()
    }

    /// Each term's contribution in log-odds, in the order of [`AdditiveModel::terms`].
    #[must_use]
    pub fn contributions(&self) -> &[f64] {
        &self.contributions
    }

    /// Intercept plus contributions: the log-odds of the outcome.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        Self::sum(self.intercept(), &self.contributions)
    }

    /// The score.
    #[must_use]
    pub fn score(&self) -> RiskScore {
        RiskScore(self.log_odds())
    }

    /// The one place where contributions are added up.
    #[inline]
    pub(super) fn sum<'c>(intercept: f64, contributions: impl IntoIterator<Item = &'c f64>) -> f64 {
        contributions.into_iter().fold(intercept, |sum, contribution| sum + contribution)
    }
}

/// The explanations of several cases.
#[derive(Clone, PartialEq)]
pub struct Explanations {
    intercept: f64,
    terms: Vec<Vec<String>>,
    contributions: Array2<f64>,
}

impl Explanations {
    /// A row of contributions for each case.
    pub(super) fn new(model: &AdditiveModel, contributions: Array2<f64>) -> Self {
        let terms = model.terms().iter().map(|term| term.on.clone()).collect();
        Self { intercept: model.intercept(), terms, contributions }
    }

    /// The score of the average case, in log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The features of each term: one, or the two of a pair.
    #[must_use]
    pub fn terms(&self) -> &[Vec<String>] {
        &self.terms
    }

    /// A row for each case and a column for each term, in log-odds.
    #[must_use]
    pub fn contributions(&self) -> ArrayView2<'_, f64> {
        self.contributions.view()
    }

    /// The score of each case: the sum of its explanation.
    pub fn scores(&self) -> impl ExactSizeIterator<Item = RiskScore> {
        self.contributions.rows().into_iter().map(|case| RiskScore(Explanation::sum(self.intercept, case)))
    }
}

crate::opaque_debug!(Explanations);

/// A score to rank cases by. It can be compared with another score and with nothing else, so that no
/// program gets a yes or no from it; the reader of a list gets its band and its explanation.
///
/// ```
/// # use earlyhelp::model::{AdditiveModel, RiskScore};
/// # use earlyhelp::features::FeatureMatrix;
/// # let model = AdditiveModel::new(vec![], -1.0, vec![])?;
/// # let cases = FeatureMatrix::from_cells(vec![], 1, &[]).ok_or("no cells")?;
/// let score: RiskScore = model.explain(&cases, 0)?.score();
/// assert!(score >= score);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A threshold does not compile:
///
/// ```compile_fail,E0308
/// # use earlyhelp::model::{AdditiveModel, RiskScore};
/// # use earlyhelp::features::FeatureMatrix;
/// # let model = AdditiveModel::new(vec![], -1.0, vec![])?;
/// # let cases = FeatureMatrix::from_cells(vec![], 1, &[]).ok_or("no cells")?;
/// let score: RiskScore = model.explain(&cases, 0)?.score();
/// assert!(score >= 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct RiskScore(f64);

impl RiskScore {
    /// The score of a sum; only explanations are summed.
    pub(super) fn of(log_odds: f64) -> Self {
        Self(log_odds)
    }

    /// The order of two scores, lower first. Scores are finite, so there always is one.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Serialize for RiskScore {
    /// The log-odds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

crate::opaque_debug!(Explanation<'_>);

crate::opaque_debug!(RiskScore);
