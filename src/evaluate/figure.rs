//! The figures that models are compared by.

use serde::{Deserialize, Serialize};

use super::performance::Performance;
use crate::stats::Estimate;

/// A figure that models are chosen or held to account by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// The area under the ROC curve.
    Auc,
    /// Average precision.
    AveragePrecision,
    /// The share of the list that had the outcome.
    PrecisionAtCapacity,
    /// The share of those with the outcome that the list holds.
    RecallAtCapacity,
    /// The mean log loss; lower is better.
    LogLoss,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Auc, Self::AveragePrecision, Self::PrecisionAtCapacity, Self::RecallAtCapacity, Self::LogLoss];

    /// The figure of a test; `None` where it could not be measured.
    #[must_use]
    pub fn of(self, performance: &Performance) -> Option<Estimate> {
        match self {
            Self::Auc => performance.auc,
            Self::AveragePrecision => performance.average_precision,
            Self::PrecisionAtCapacity => performance.precision_at_capacity,
            Self::RecallAtCapacity => performance.recall_at_capacity,
            Self::LogLoss => Some(performance.log_loss),
        }
    }

    /// The figure in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Auc => "AUC",
            Self::AveragePrecision => "average precision",
            Self::PrecisionAtCapacity => "outcome on the list",
            Self::RecallAtCapacity => "found by the list",
            Self::LogLoss => "log loss",
        }
    }

    /// Higher is better, after this.
    pub(super) fn rising(self, value: f64) -> f64 {
        if self == Self::LogLoss { -value } else { value }
    }
}
