//! The names of the figures that groups are compared by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A figure of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupMeasure {
    /// [`GroupMeasures::prevalence`](super::GroupMeasures::prevalence).
    Prevalence,
    /// [`GroupMeasures::selection_rate`](super::GroupMeasures::selection_rate).
    SelectionRate,
    /// [`GroupMeasures::true_positive_rate`](super::GroupMeasures::true_positive_rate).
    TruePositiveRate,
    /// [`GroupMeasures::false_positive_rate`](super::GroupMeasures::false_positive_rate).
    FalsePositiveRate,
    /// [`GroupMeasures::true_negative_rate`](super::GroupMeasures::true_negative_rate).
    TrueNegativeRate,
    /// [`GroupMeasures::false_negative_rate`](super::GroupMeasures::false_negative_rate).
    FalseNegativeRate,
    /// [`GroupMeasures::precision`](super::GroupMeasures::precision).
    Precision,
    /// [`GroupMeasures::false_discovery_rate`](super::GroupMeasures::false_discovery_rate).
    FalseDiscoveryRate,
    /// [`GroupMeasures::false_omission_rate`](super::GroupMeasures::false_omission_rate).
    FalseOmissionRate,
    /// [`GroupMeasures::accuracy`](super::GroupMeasures::accuracy).
    Accuracy,
    /// [`GroupMeasures::share_of_selected`](super::GroupMeasures::share_of_selected).
    ShareOfSelected,
    /// [`GroupMeasures::auc`](super::GroupMeasures::auc).
    Auc,
    /// [`GroupMeasures::average_precision`](super::GroupMeasures::average_precision).
    AveragePrecision,
    /// [`GroupMeasures::mean_score`](super::GroupMeasures::mean_score).
    MeanScore,
    /// [`GroupMeasures::calibration_gap`](super::GroupMeasures::calibration_gap).
    CalibrationGap,
    /// [`GroupMeasures::calibration_slope`](super::GroupMeasures::calibration_slope).
    CalibrationSlope,
    /// [`GroupMeasures::calibration_intercept`](super::GroupMeasures::calibration_intercept).
    CalibrationIntercept,
    /// [`GroupMeasures::expected_calibration_error`](super::GroupMeasures::expected_calibration_error).
    ExpectedCalibrationError,
    /// [`GroupMeasures::net_benefit`](super::GroupMeasures::net_benefit).
    NetBenefit,
    /// The area between two groups' ROC curves, 0 to 1. Of two groups only, so no figure of one.
    Abroca,
}

impl GroupMeasure {
    /// All of them, in the order in which tables have them.
    pub(crate) const ALL: [Self; 20] = [
        Self::Prevalence,
        Self::SelectionRate,
        Self::TruePositiveRate,
        Self::FalsePositiveRate,
        Self::TrueNegativeRate,
        Self::FalseNegativeRate,
        Self::Precision,
        Self::FalseDiscoveryRate,
        Self::FalseOmissionRate,
        Self::Accuracy,
        Self::ShareOfSelected,
        Self::Auc,
        Self::AveragePrecision,
        Self::MeanScore,
        Self::CalibrationGap,
        Self::CalibrationSlope,
        Self::CalibrationIntercept,
        Self::ExpectedCalibrationError,
        Self::NetBenefit,
        Self::Abroca,
    ];

    /// Those that groups are compared by, in the order of [`AuditedOutcome::Shown`](super::AuditedOutcome::Shown)'s disparities. Slope and
    /// intercept of calibration are not among them ([`GroupMeasure::CalibrationGap`] is), nor is the share of the
    /// selected, which follows the size of the group.
    pub const COMPARED: [Self; 16] = [
        Self::Prevalence,
        Self::SelectionRate,
        Self::TruePositiveRate,
        Self::FalsePositiveRate,
        Self::TrueNegativeRate,
        Self::FalseNegativeRate,
        Self::Precision,
        Self::FalseDiscoveryRate,
        Self::FalseOmissionRate,
        Self::Accuracy,
        Self::Auc,
        Self::AveragePrecision,
        Self::MeanScore,
        Self::CalibrationGap,
        Self::NetBenefit,
        Self::Abroca,
    ];

    /// The field's usual name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prevalence => "prevalence",
            Self::SelectionRate => "selection rate",
            Self::TruePositiveRate => "true-positive rate",
            Self::FalsePositiveRate => "false-positive rate",
            Self::TrueNegativeRate => "true-negative rate",
            Self::FalseNegativeRate => "false-negative rate",
            Self::Precision => "precision",
            Self::FalseDiscoveryRate => "false-discovery rate",
            Self::FalseOmissionRate => "false-omission rate",
            Self::Accuracy => "accuracy",
            Self::ShareOfSelected => "share of the selected",
            Self::Auc => "AUC",
            Self::AveragePrecision => "average precision",
            Self::MeanScore => "mean score",
            Self::CalibrationGap => "calibration gap",
            Self::CalibrationSlope => "calibration slope",
            Self::CalibrationIntercept => "calibration intercept",
            Self::ExpectedCalibrationError => "expected calibration error",
            Self::NetBenefit => "net benefit",
            Self::Abroca => "ABROCA",
        }
    }
}

impl fmt::Display for GroupMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
