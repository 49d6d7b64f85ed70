//! How an audit is asked for.

use serde::{Deserialize, Serialize};

use crate::evaluate::{Bootstrap, Capacity};

/// How an audit is made. Each default has its reason beside it.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint};
///
/// let params = AuditParams::at(OperatingPoint::Threshold(0.2));
/// assert_eq!((params.minimum, params.intersections, params.margin), (10, 1, 0.05));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditParams {
    /// Who counts as selected. There is no default: every rate depends on it.
    pub operating: OperatingPoint,
    /// The group that the others of a column are compared with, as (column, value). Every group is compared with
    /// the largest and with everybody anyway; none by default, because which group is the norm is not for a
    /// program to say.
    pub references: Vec<(String, String)>,
    /// Groups of fewer rows are held back, and so is every figure that would give away a smaller number: see
    /// [`GroupMeasures`](super::GroupMeasures). 1, [`AuditParams::NOTHING_HELD_BACK`], shows everything.
    ///
    /// 10 by default: the cautious end of the small-number rules of UK official statistics (counts under 5
    /// or under 10 are held back), because a rate of fewer says little and can point at a person.
    pub minimum: u32,
    /// Round every published count to a multiple of this, and make shares of the rounded counts; 5 is usual.
    /// `None` by default: with the minimum, inside an organisation, exact counts are of more use.
    pub round_to: Option<u32>,
    /// How many columns are combined: 1 for none, 2 for every pair. 1 by default, because pairs make many small
    /// groups, most of which can say nothing.
    pub intersections: u32,
    /// Differences wholly within plus and minus this are called absent, in the unit of the measure; above 0
    /// and below 1, since shares differ by 1 at most (5 would be meant as points, and call everything absent). Where
    /// everybody's own share (or its complement) is small, a fifth of that counts instead: see [`Disparity::margin`].
    ///
    /// [`Disparity::margin`]: super::Disparity::margin
    ///
    /// 0.05 by default: five in a hundred people treated otherwise. It is the order of gap that published audits
    /// discuss, and some 1,500 rows a group can rule it out at a share of one half (the interval of a
    /// difference is then about ±3.6 points).
    pub margin: f64,
    /// What the scores are. `None` by default: bands in a stated [order](super::ScoreColumns::score_order) are ranks; scores
    /// that all lie from 0 to 1 are chances, unless they are of five to twenty values that are all twentieths, as deciles
    /// divided by ten are, which are ranks; all others are points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreScale>,
    /// Resamples and seed of the cluster bootstrap.
    pub bootstrap: Bootstrap,
}

impl AuditParams {
    /// The [`minimum`](Self::minimum) where nothing else is said.
    pub const MINIMUM: u32 = 10;
    /// The [`minimum`](Self::minimum) at which every group and every number is shown, for auditors who may see them.
    pub const NOTHING_HELD_BACK: u32 = 1;

    /// The defaults, at this operating point.
    pub fn at(operating: OperatingPoint) -> Self {
        Self {
            operating,
            references: Vec::new(),
            minimum: Self::MINIMUM,
            round_to: None,
            intersections: 1,
            margin: 0.05,
            scores: None,
            bootstrap: Bootstrap::default(),
        }
    }

    /// The defaults of the audit that a release carries: the lists of the backtest, and a margin of one percentage
    /// point, because a list holds a few in a hundred, and beside that five points are no small difference.
    pub fn at_release() -> Self {
        Self { margin: 0.01, ..Self::at(OperatingPoint::Predicted) }
    }
}

/// Who counts as selected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperatingPoint {
    /// Those with this score or more.
    Threshold(f64),
    /// Those with the highest scores, as many as a team can look at. Rows of equal score at the end of the list share
    /// its last places, see [`Tie`](super::Tie).
    Capacity(Capacity),
    /// Those that the table says were selected, see [`ScoreTable::predicted`](super::ScoreTable::predicted).
    Predicted,
}

/// Whether a score can be read as the chance of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScoreScale {
    /// Chances, from 0 to 1: they are compared with what happened.
    Chances,
    /// Places in an order, such as deciles or bands. They are judged as points are.
    Ranks,
    /// Points in any unit: there is no net benefit, and calibration is the outcome at equal score, where scores have at
    /// most 20 values.
    #[serde(alias = "not_chances")]
    Points,
}
