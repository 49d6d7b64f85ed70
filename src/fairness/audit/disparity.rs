//! What was found between groups: differences, ratios, and what they say of each criterion of fairness.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::figure::GroupMeasure;
use crate::stats::{Estimate, Interval};

/// Whom a group is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Against {
    /// The reference group that was asked for, by name.
    Reference(String),
    /// The largest known group, by name.
    Largest(String),
    /// All rows, the group itself among them.
    Whole,
}

impl Against {
    /// Whom a group of this name is compared with where groups are compared with `self`: the same, but
    /// everybody for the group that the others are compared with, since none is compared with itself.
    pub fn for_group<'a>(&'a self, group: &str) -> &'a Self {
        match self {
            Self::Reference(name) | Self::Largest(name) if name == group => &Self::Whole,
            _ => self,
        }
    }
}

impl fmt::Display for Against {
    /// Such as `the reference group M` or `everybody`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(name) => write!(f, "the reference group {name}"),
            Self::Largest(name) => write!(f, "the largest group {name}"),
            Self::Whole => f.write_str("everybody"),
        }
    }
}

/// What a comparison says, given how sure it is. Never "fair". It is found on the true figures, whether a reader may
/// see these or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisparityVerdict {
    /// The simultaneous interval is clear of "no difference", however small the difference is.
    Present,
    /// The simultaneous interval holds "no difference" and lies wholly within the margin: whatever difference
    /// there is, is smaller.
    AbsentWithin,
    /// Neither: the sample is too small to tell, or there is nothing to compare.
    CannotTell,
    /// Not said, because the verdict alone would tell a number of people under the minimum.
    Withheld,
}

impl fmt::Display for DisparityVerdict {
    /// `present`, `absent within the margin` or `cannot tell`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Present => "present",
            Self::AbsentWithin => "absent within the margin",
            Self::CannotTell => "cannot tell",
            Self::Withheld => "withheld",
        })
    }
}

/// One figure of one group against the same figure of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Disparity {
    /// Which figure.
    pub measure: GroupMeasure,
    /// Whose figure it is compared with.
    pub against: Against,
    /// The group's figure minus the other's, with a 95% interval of its own; for [`GroupMeasure::Abroca`] the area
    /// between the two curves, and for [`GroupMeasure::CalibrationGap`] of scores that are not chances the difference in
    /// outcome at equal score (Mantel and Haenszel's weights). `None` where either figure is withheld, or has no denominator.
    pub difference: Option<Estimate>,
    /// The ends between which the differences of *all* groups of this column lie at once, in 95 of 100 samples.
    pub difference_simultaneous: Option<Interval>,
    /// The group's figure divided by the other's. Of shares, AUC, average precision, and mean scores that are
    /// chances; `None` where the other is 0 or a figure is not shown.
    pub ratio: Option<Estimate>,
    /// As [`difference_simultaneous`](Self::difference_simultaneous), for the ratio.
    pub ratio_simultaneous: Option<Interval>,
    /// How many standard errors the simultaneous interval reaches: 1.96 for one comparison, more for several.
    pub critical: Option<f64>,
    /// Within how much of no difference it is called absent, in the unit of the difference:
    /// [`AuditParams::margin`](super::AuditParams::margin), but of shares, average precision and figures of chances at
    /// most a fifth of everybody's own figure (of chances, of the prevalence) or of its complement, whichever is the
    /// smaller. Where lists hold 2 in 100, 5 points would be more than all there is. `None` where everybody's figure is
    /// withheld.
    pub margin: Option<f64>,
    /// What the simultaneous interval of the difference says, given the margin.
    pub verdict: DisparityVerdict,
    /// The smallest true difference that samples like this one would have found clear of zero four times in
    /// five (80% power at the simultaneous level), in the unit of the difference.
    pub smallest_shown: Option<f64>,
}

/// A criterion of group fairness. They cannot all hold at once where groups differ in how common the outcome
/// is; which one matters is for people to say.
///
/// # References
/// M. Hardt, E. Price and N. Srebro (2016), "Equality of opportunity in supervised learning", *Advances in
/// Neural Information Processing Systems* 29. A. Chouldechova (2017), "Fair prediction with disparate impact",
/// *Big Data* 5:153-163. J. Kleinberg, S. Mullainathan and M. Raghavan (2017), "Inherent trade-offs in the fair
/// determination of risk scores", *Innovations in Theoretical Computer Science*. J. Gardner, C. Brooks and R.
/// Baker (2019), "Evaluating the fairness of predictive student models through slicing analysis", *Learning
/// Analytics and Knowledge*. Four fifths: US Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR
/// 1607.4(D).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Criterion {
    /// Equal selection rates.
    StatisticalParity,
    /// Equal true-positive rates.
    EqualOpportunity,
    /// Equal true-positive rates and equal false-positive rates. Two measures can differ by chance, so their
    /// simultaneous intervals are drawn out to hold for both at once (Bonferroni over the two) before the verdict. It
    /// holds equal opportunity, so it is present where that is.
    EqualisedOdds,
    /// Equal precision.
    PredictiveParity,
    /// Scores mean the same in each group: equal calibration gaps, or equal outcomes at equal score where the scores
    /// are not chances.
    CalibrationWithinGroups,
    /// No group's selection rate is under four fifths of the other's, nor over five fourths.
    FourFifthsRule,
    /// Equal ROC curves: no area between them.
    Abroca,
}

impl Criterion {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 7] = [
        Self::StatisticalParity,
        Self::EqualOpportunity,
        Self::EqualisedOdds,
        Self::PredictiveParity,
        Self::CalibrationWithinGroups,
        Self::FourFifthsRule,
        Self::Abroca,
    ];

    /// The figures that it compares.
    pub(crate) fn measures(self) -> &'static [GroupMeasure] {
        match self {
            Self::StatisticalParity | Self::FourFifthsRule => &[GroupMeasure::SelectionRate],
            Self::EqualOpportunity => &[GroupMeasure::TruePositiveRate],
            Self::EqualisedOdds => &[GroupMeasure::TruePositiveRate, GroupMeasure::FalsePositiveRate],
            Self::PredictiveParity => &[GroupMeasure::Precision],
            Self::CalibrationWithinGroups => &[GroupMeasure::CalibrationGap],
            Self::Abroca => &[GroupMeasure::Abroca],
        }
    }

    /// The field's usual name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::StatisticalParity => "statistical parity",
            Self::EqualOpportunity => "equal opportunity",
            Self::EqualisedOdds => "equalised odds",
            Self::PredictiveParity => "predictive parity",
            Self::CalibrationWithinGroups => "calibration within groups",
            Self::FourFifthsRule => "four-fifths rule",
            Self::Abroca => "ABROCA",
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What can be said of one criterion over all groups of a column.
///
/// Present if it is present for some group, absent if it is absent for every group shown; else withheld if it is for
/// some group, and otherwise one cannot tell. The group that the others are compared with is itself compared with
/// everybody, and counts as they do. A criterion that contains another is present where that is: equalised odds
/// where equal opportunity is, statistical parity where the four-fifths rule is broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CriterionReport {
    /// Which criterion.
    pub criterion: Criterion,
    /// Whom the groups are compared with: the reference group if there is one, else the largest. `None` where
    /// neither is shown.
    pub against: Option<Against>,
    /// Within how much of no difference it is called absent: the widest [`Disparity::margin`] of its measures. `None`
    /// for the four-fifths rule, which has its own, and where everybody's figure is withheld.
    pub margin: Option<f64>,
    /// What can be said.
    pub verdict: DisparityVerdict,
    /// The comparison that sets it: among those with the decisive verdict the one with the largest gap.
    pub set_by: Option<Setter>,
}

impl CriterionReport {
    /// Whom the group that sets it is compared with: [`against`](Self::against), or everybody where that very
    /// group sets it. `None` where no group does.
    pub fn set_against(&self) -> Option<&Against> {
        let setter = self.set_by.as_ref()?;
        Some(self.against.as_ref()?.for_group(&setter.group))
    }
}

/// The group and the figure that decide on a criterion. A large gap set by few people is to be read as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Setter {
    /// The group.
    pub group: String,
    /// How many rows it has.
    pub n: u64,
    /// How many rows its figure rests on: the group's own denominator, such as those with the outcome. `None` where
    /// that is withheld.
    pub denominator: Option<u64>,
    /// Which figure.
    pub measure: GroupMeasure,
    /// The difference, or the ratio for [`Criterion::FourFifthsRule`], with the simultaneous interval (for
    /// [`Criterion::EqualisedOdds`] the one that holds for both of its measures). `None` where it is withheld.
    pub size: Option<Estimate>,
}
