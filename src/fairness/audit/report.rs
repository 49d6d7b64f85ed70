//! What a fairness audit found: figures of each group, differences between groups, and what can be said of
//! each criterion of fairness (the latter in [`disparity`](super::disparity)). Only data here; the measuring is in the
//! neighbouring modules.

use serde::{Deserialize, Serialize};

pub use super::disparity::{Against, Criterion, CriterionReport, Disparity, DisparityVerdict, Setter};
pub use super::figure::GroupMeasure;
use super::params::AuditParams;
pub use super::params::ScoreScale;
pub use crate::evaluate::Tie;
use crate::stats::Estimate;

/// The audit of one table of scores, made by [`ScoreTable::audit`](super::ScoreTable::audit).
///
/// All shares are from 0 to 1. Where [`AuditParams::round_to`] is set, every count in it is rounded, and every
/// share is made from rounded counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each says one thing of the table")]
#[non_exhaustive]
pub struct Audit {
    /// Rows.
    pub n: u64,
    /// Whether outcomes are known. If not, there is nothing here but who is selected and how scores lie.
    pub followed: bool,
    /// Rows with the outcome. `None` where they are not known, or where they, or those without it, are under the minimum.
    pub positives: Option<u64>,
    /// Rows selected. `None` where they, or those not selected, are under the minimum.
    pub selected: Option<u64>,
    /// Clusters (families) that the rows belong to; the number of rows where no clusters were given.
    pub clusters: u64,
    /// Whether clusters were given. Without, rows are taken for independent of each other.
    pub clustered: bool,
    /// How many people the rows are about, where that is said: what is held back is then counted in people. Without, each row
    /// counts as somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
    /// Whether rows have weights. Counts are of rows all the same; shares and scores are weighted.
    pub weighted: bool,
    /// Whether the scores can be read as chances, on which calibration and net benefit depend.
    pub scores: ScoreScale,
    /// Where the scores lie. `None` where there are none: then there is nothing here about scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<ScoreSpread>,
    /// What "selected" means here.
    pub operating: Operating,
    /// Whether the clusters are the people, since no families were given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_person: bool,
    /// How the audit was asked for.
    pub params: AuditParams,
    /// How intervals over several groups were made to hold for all at once, in a sentence.
    pub correction: String,
    /// All rows together.
    pub whole: GroupMeasures,
    /// One entry per group column, in the order given; then those not held.
    pub attributes: Vec<AttributeAudit>,
    /// One entry per pair of group columns, where [`AuditParams::intersections`] is 2.
    pub intersections: Vec<AttributeAudit>,
    /// Who is left out: for each group column, the rows read, those left out of the audit (rejected, not resolved, not
    /// followed) counting as selected. Where one group loses more rows than another, every other figure is of those who
    /// are left. Empty where no row is left out, or where the table was not read from a file or a frame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<AttributeAudit>,
    /// Where there is a random arm: for each group column, the rows of both arms, those whom the ranking chose counting as
    /// selected. Everything else in the audit is of the random arm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<AttributeAudit>,
}

impl Audit {
    /// Whether higher scores go with *fewer* outcomes, by more than chance: the AUC's interval lies below 1/2. The
    /// column may be one of safety rather than of risk, or the outcome be coded the wrong way round.
    pub fn is_inverted(&self) -> bool {
        self.whole.auc.is_some_and(|auc| auc.interval.high < 0.5)
    }
}

/// Where the scores of a table lie. A score that stands for "none", such as -1 or 99, shows here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScoreSpread {
    /// The lowest score.
    pub lowest: f64,
    /// The highest score.
    pub highest: f64,
    /// How many different scores there are.
    pub distinct: u64,
    /// Up to three of the commonest scores, the commonest first, each of at least the minimum of people and of two rows; not
    /// those from which one of fewer people could be worked out.
    pub commonest: Vec<CommonScore>,
}

/// A score that many rows have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CommonScore {
    /// The score.
    pub score: f64,
    /// How many rows have it.
    pub rows: u64,
}

/// Who counts as selected, as it came out on these rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Operating {
    /// The rule in words, such as `score of 0.2 or more`.
    pub words: String,
    /// The chance at which a wrong selection is taken to weigh as much as a right one, for net benefit, 0 to 1:
    /// the threshold, or the lowest score selected. `None` where the scores are not chances, where nobody
    /// is selected, or where the selection does not follow the score.
    pub threshold_chance: Option<f64>,
    /// The rows of equal score among which a list of limited length ends. `None` where it ends between scores, or
    /// has no limit, and where `tie_withheld` or `not_shared` says more.
    pub tied: Option<Tie>,
    /// Whether rows of equal score share the last places, and how many of how many is withheld: with the length of the list
    /// it would tell that of few people above them, or below.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tie_withheld: bool,
    /// Where such rows are of fewer people than the minimum, what became of them: a part of so few would tell what happened
    /// to each. How many they are is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_shared: Option<TieAsOne>,
}

/// Rows of equal score at the end of a list that are too few to share its last places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TieAsOne {
    /// All of them count as selected: there were places for more than half.
    Selected,
    /// None does.
    LeftOff,
}

/// What was found for one group column, or for one pair of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AttributeAudit {
    /// The name of the column, or the two names of a pair.
    pub columns: Vec<String>,
    /// Its groups, or why there is nothing to say.
    pub finding: AttributeFinding,
}

impl AttributeAudit {
    /// The name to show, such as `sex` or `sex × ethnicity`.
    pub fn name(&self) -> String {
        self.columns.join(" × ")
    }
}

/// Measured or not: a characteristic that is not held is never one "without disparity".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AttributeFinding {
    /// The data allow to look at it.
    Measured {
        /// The reference group that was asked for. `None` where none was, or where it is held back.
        reference: Option<String>,
        /// The largest group of known value that is shown. `None` where there is none.
        largest: Option<String>,
        /// Each group by name; unknown, refused and not obtained after those; then, without names, those held back.
        groups: Vec<AuditedGroup>,
        /// One entry per [`Criterion`], in its order; empty for pairs of columns, and where fewer than two
        /// groups are shown, since there is then nothing to compare.
        criteria: Vec<CriterionReport>,
    },
    /// The data do not allow to look at it.
    NotMeasurable {
        /// Why, in a sentence.
        why: String,
    },
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditedGroup {
    /// The value of the column, or the two values of a pair. Empty where the group is held back: that some person
    /// has a rare value can point at the person.
    pub values: Vec<String>,
    /// Whether all values are known; `false` for unknown, refused and not obtained, and for a group held back.
    pub known: bool,
    /// Its figures, if they may be shown.
    pub outcome: AuditedOutcome,
}

impl AuditedGroup {
    /// The name to show, such as `f` or `f, wbri`; empty where the group is held back.
    pub fn name(&self) -> String {
        self.values.join(", ")
    }
}

/// A group's figures, or that they are held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditedOutcome {
    /// The figures.
    Shown {
        /// What was measured in the group.
        measures: Box<GroupMeasures>,
        /// How it differs from others: for each of reference (if any), largest and whole, each measure
        /// of [`GroupMeasure::COMPARED`]. A group is not compared with itself.
        disparities: Vec<Disparity>,
    },
    /// Too small to be shown, or held back with one that is: from the total and all other groups, the small
    /// one could be worked out. The report does not say which.
    Suppressed {
        /// Groups with fewer rows than this are too small.
        under: u32,
    },
}

/// The figures of one group, each with its 95% interval and the number of rows that it rests on (the
/// denominator of a share).
///
/// A figure is `None`, never 0, where it has no denominator, or where it is [withheld](Self::withholds): showing it
/// would give away a number of people from one up to the minimum, of those of the group with the outcome, without it,
/// selected, not selected, or in one cell of the confusion matrix. None and all are shown, since they point at nobody in
/// particular.
///
/// Shares have Wilson's interval on the effective number of rows; calibration slope and intercept a
/// cluster-robust normal one; the rest percentile intervals of the cluster bootstrap. These intervals are
/// of one group each; those that hold for all groups at once are in [`Disparity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GroupMeasures {
    /// Rows of the group.
    pub n: u64,
    /// Rows with the outcome.
    pub positives: Option<u64>,
    /// Rows selected.
    pub selected: Option<u64>,
    /// Whether how many are both, the cells of the confusion matrix, is withheld though `positives` and `selected` are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cells_withheld: bool,
    /// Whether figures of the scores (areas under and between curves, means, calibration) are withheld: of scores with at most 20
    /// values they tell how many are at each, and at some of them people with the outcome, or without it, are from one up to the minimum.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scores_withheld: bool,
    /// The share with the outcome (base rate).
    pub prevalence: Option<Estimate>,
    /// The share selected.
    pub selection_rate: Option<Estimate>,
    /// Of those with the outcome, the share selected (recall, sensitivity).
    pub true_positive_rate: Option<Estimate>,
    /// Of those without the outcome, the share selected.
    pub false_positive_rate: Option<Estimate>,
    /// Of those without the outcome, the share not selected (specificity).
    pub true_negative_rate: Option<Estimate>,
    /// Of those with the outcome, the share not selected.
    pub false_negative_rate: Option<Estimate>,
    /// Of those selected, the share with the outcome (positive predictive value).
    pub precision: Option<Estimate>,
    /// Of those selected, the share without the outcome.
    pub false_discovery_rate: Option<Estimate>,
    /// Of those not selected, the share with the outcome.
    pub false_omission_rate: Option<Estimate>,
    /// The share for whom selection and outcome agree.
    pub accuracy: Option<Estimate>,
    /// Of all selected rows of the table, the share that belongs to this group. 1 for the whole.
    pub share_of_selected: Option<Estimate>,
    /// The area under the ROC curve, 0 to 1.
    pub auc: Option<Estimate>,
    /// Average precision, 0 to 1.
    pub average_precision: Option<Estimate>,
    /// The mean score, in the unit of the scores.
    pub mean_score: Option<Estimate>,
    /// The share with the outcome minus the mean score, -1 to 1: above 0, scores are too low.
    pub calibration_gap: Option<Estimate>,
    /// The slope of the outcome's log-odds on the score's: 1 is right, below 1 scores are too extreme.
    pub calibration_slope: Option<Estimate>,
    /// Calibration in the large on the log-odds scale, with the slope held at 1: 0 is right.
    pub calibration_intercept: Option<Estimate>,
    /// Expected calibration error, 0 to 1: the mean distance of the observed share from the mean score, over
    /// ten bins of (nearly) equal size.
    pub expected_calibration_error: Option<Estimate>,
    /// The reliability bins, from the lowest scores up: ten or fewer, joined until each has enough rows with
    /// and without the outcome to be shown. Empty where there is no calibration.
    pub reliability: Vec<AuditBin>,
    /// What happened at each score that the group has, from the lowest up, where scores are not chances and have at most
    /// 20 values: beyond that most cells of such a table are withheld or say nothing. Empty otherwise, for pairs of
    /// columns, and where the number selected, with the outcome, or both is withheld.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_score: Vec<OutcomeAtScore>,
    /// Net benefit at [`Operating::threshold_chance`], in true positives per row, up to the prevalence: the share
    /// rightly selected, less the share wrongly selected times the odds of that chance.
    pub net_benefit: Option<Estimate>,
}

/// Rows of neighbouring scores: what was predicted, and what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditBin {
    /// The mean score, 0 to 1.
    pub mean_predicted: f64,
    /// The share with the outcome.
    pub observed: Estimate,
}

/// The rows of one score: what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OutcomeAtScore {
    /// The score, in its own unit.
    pub score: f64,
    /// The share with the outcome. `None` where it is withheld: those with the outcome, or without it, are from one up to
    /// the minimum, or the number of another cell of the table could be worked out from it.
    pub observed: Option<Estimate>,
}

impl GroupMeasures {
    /// Whether the figure of this name is missing because a reader may not know it. `false` where it is shown, or where
    /// there is none: a share of nobody.
    pub fn withholds(&self, measure: GroupMeasure) -> bool {
        let (outcome, selection) = match measure {
            GroupMeasure::SelectionRate | GroupMeasure::ShareOfSelected | GroupMeasure::MeanScore => {
                (false, true)
            }
            GroupMeasure::Prevalence
            | GroupMeasure::Auc
            | GroupMeasure::AveragePrecision
            | GroupMeasure::CalibrationSlope
            | GroupMeasure::CalibrationIntercept
            | GroupMeasure::ExpectedCalibrationError
            | GroupMeasure::Abroca => (true, false),
            _ => (true, true),
        };
        // Where everybody or nobody has the outcome there is no curve at all.
        let has_both = self.positives.is_some_and(|with| with > 0 && with < self.n);
        let cells = match measure {
            GroupMeasure::TruePositiveRate
            | GroupMeasure::FalsePositiveRate
            | GroupMeasure::TrueNegativeRate
            | GroupMeasure::FalseNegativeRate
            | GroupMeasure::Precision
            | GroupMeasure::FalseDiscoveryRate
            | GroupMeasure::FalseOmissionRate
            | GroupMeasure::Accuracy
            | GroupMeasure::NetBenefit => true,
            // Audits of before `scores_withheld` was there withheld the curves of two scores so.
            GroupMeasure::Auc | GroupMeasure::AveragePrecision | GroupMeasure::Abroca => has_both,
            _ => false,
        };
        let scores = match measure {
            GroupMeasure::Auc
            | GroupMeasure::AveragePrecision
            | GroupMeasure::Abroca
            | GroupMeasure::CalibrationSlope
            | GroupMeasure::CalibrationIntercept => has_both,
            GroupMeasure::MeanScore
            | GroupMeasure::CalibrationGap
            | GroupMeasure::ExpectedCalibrationError => true,
            _ => false,
        };
        let withheld = outcome && self.positives.is_none()
            || selection && self.selected.is_none()
            || cells && self.cells_withheld
            || scores && self.scores_withheld;
        withheld && self.figure(measure).is_none()
    }

    /// The place of the figure of this name; `None` for [`GroupMeasure::Abroca`].
    pub(super) fn figure_mut(&mut self, measure: GroupMeasure) -> Option<&mut Option<Estimate>> {
        match measure {
            GroupMeasure::Prevalence => Some(&mut self.prevalence),
            GroupMeasure::SelectionRate => Some(&mut self.selection_rate),
            GroupMeasure::TruePositiveRate => Some(&mut self.true_positive_rate),
            GroupMeasure::FalsePositiveRate => Some(&mut self.false_positive_rate),
            GroupMeasure::TrueNegativeRate => Some(&mut self.true_negative_rate),
            GroupMeasure::FalseNegativeRate => Some(&mut self.false_negative_rate),
            GroupMeasure::Precision => Some(&mut self.precision),
            GroupMeasure::FalseDiscoveryRate => Some(&mut self.false_discovery_rate),
            GroupMeasure::FalseOmissionRate => Some(&mut self.false_omission_rate),
            GroupMeasure::Accuracy => Some(&mut self.accuracy),
            GroupMeasure::ShareOfSelected => Some(&mut self.share_of_selected),
            GroupMeasure::Auc => Some(&mut self.auc),
            GroupMeasure::AveragePrecision => Some(&mut self.average_precision),
            GroupMeasure::MeanScore => Some(&mut self.mean_score),
            GroupMeasure::CalibrationGap => Some(&mut self.calibration_gap),
            GroupMeasure::CalibrationSlope => Some(&mut self.calibration_slope),
            GroupMeasure::CalibrationIntercept => Some(&mut self.calibration_intercept),
            GroupMeasure::ExpectedCalibrationError => Some(&mut self.expected_calibration_error),
            GroupMeasure::NetBenefit => Some(&mut self.net_benefit),
            GroupMeasure::Abroca => None,
        }
    }

    /// The figure of this name. `None` where it is not shown, and always for [`GroupMeasure::Abroca`].
    pub fn figure(&self, measure: GroupMeasure) -> Option<&Estimate> {
        match measure {
            GroupMeasure::Prevalence => self.prevalence.as_ref(),
            GroupMeasure::SelectionRate => self.selection_rate.as_ref(),
            GroupMeasure::TruePositiveRate => self.true_positive_rate.as_ref(),
            GroupMeasure::FalsePositiveRate => self.false_positive_rate.as_ref(),
            GroupMeasure::TrueNegativeRate => self.true_negative_rate.as_ref(),
            GroupMeasure::FalseNegativeRate => self.false_negative_rate.as_ref(),
            GroupMeasure::Precision => self.precision.as_ref(),
            GroupMeasure::FalseDiscoveryRate => self.false_discovery_rate.as_ref(),
            GroupMeasure::FalseOmissionRate => self.false_omission_rate.as_ref(),
            GroupMeasure::Accuracy => self.accuracy.as_ref(),
            GroupMeasure::ShareOfSelected => self.share_of_selected.as_ref(),
            GroupMeasure::Auc => self.auc.as_ref(),
            GroupMeasure::AveragePrecision => self.average_precision.as_ref(),
            GroupMeasure::MeanScore => self.mean_score.as_ref(),
            GroupMeasure::CalibrationGap => self.calibration_gap.as_ref(),
            GroupMeasure::CalibrationSlope => self.calibration_slope.as_ref(),
            GroupMeasure::CalibrationIntercept => self.calibration_intercept.as_ref(),
            GroupMeasure::ExpectedCalibrationError => self.expected_calibration_error.as_ref(),
            GroupMeasure::NetBenefit => self.net_benefit.as_ref(),
            GroupMeasure::Abroca => None,
        }
    }
}
