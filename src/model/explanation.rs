//! Why a case has its score, and what the score is.

use ndarray::{Array2, ArrayView2};

/// Why a case would have its score: how far each term moves it from the average case.
///
/// A model that nobody has signed for explains, and does not score. Contributions can be read:
/// ```
/// # use earlyhelp::model::Explanation;
/// fn read(explanation: &Explanation) {
///     let _ = explanation.contributions();
/// }
/// ```
/// Their sum, the score, is given out by a [`Scorer`](crate::scoring::Scorer) alone:
/// ```compile_fail,E0624
/// # use earlyhelp::model::Explanation;
/// fn read(explanation: &Explanation) {
///     let _ = explanation.score();
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct Explanation {
    intercept: f64,
    contributions: Vec<f64>,
}

impl Explanation {
    pub(super) fn new(intercept: f64, contributions: Vec<f64>) -> Self {
        Self { intercept, contributions }
    }

    /// The score of the average case, in log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// Each term's contribution in log-odds, in the order of [`AdditiveModel::terms`](super::AdditiveModel::terms).
    #[must_use]
    pub fn contributions(&self) -> &[f64] {
        &self.contributions
    }

    /// The score: intercept plus contributions.
    pub(crate) fn score(&self) -> RiskScore {
        RiskScore(Self::sum(self.intercept(), &self.contributions))
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
    /// A row of contributions for each case, and a column for each term.
    pub(super) fn new(intercept: f64, terms: Vec<Vec<String>>, contributions: Array2<f64>) -> Self {
        Self { intercept, terms, contributions }
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
}

crate::opaque_debug!(Explanations);

/// A score to rank cases by: the log-odds of the outcome, as the sum of an explanation.
///
/// It comes from a [`ScoredCase`](crate::scoring::ScoredCase), so from a released model, and compares with
/// another score and with nothing else. A program gets no yes or no from it; the reader of a list gets its
/// band and its explanation.
///
/// # What does not compile
/// Two scores can be compared:
/// ```
/// # use earlyhelp::model::RiskScore;
/// fn is_above(score: RiskScore, other: RiskScore) -> bool {
///     score >= other
/// }
/// ```
/// A score and a threshold cannot:
/// ```compile_fail,E0308
/// # use earlyhelp::model::RiskScore;
/// fn is_above(score: RiskScore, other: f64) -> bool {
///     score >= other
/// }
/// ```
/// A score can be handed on:
/// ```
/// # use earlyhelp::model::RiskScore;
/// fn given(score: RiskScore) -> RiskScore { score }
/// ```
/// It cannot be made up, nor be turned into a number:
/// ```compile_fail,E0423
/// # use earlyhelp::model::RiskScore;
/// fn given(score: f64) -> RiskScore { RiskScore(score) }
/// ```
/// ```compile_fail,E0616
/// # use earlyhelp::model::RiskScore;
/// fn given(score: RiskScore) -> f64 { score.0 }
/// ```
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct RiskScore(f64);

impl RiskScore {
    /// The order of two scores, lower first. Scores are finite, so there always is one.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }

    /// The sum itself, for a file that also holds what it is the sum of.
    pub(crate) fn log_odds(self) -> f64 {
        self.0
    }
}

crate::opaque_debug!(Explanation);

crate::opaque_debug!(RiskScore);
