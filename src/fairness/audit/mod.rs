//! The fairness audit of any scores: how each group fares, how groups differ, and how sure one can be.
//!
//! It asks for a table of scores and outcomes, and for who is selected; a model, or an explanation of the
//! scores, is not needed. A release carries the audit of its backtest ([`FairnessAudit`](super::FairnessAudit)).
//!
//! ```text
//! ScoreTable ─audit(AuditParams)→ Audit { whole, attributes { groups, disparities, criteria }, intersections }
//! ```
//!
//! **What an interval means here.** Shares have Wilson's interval, on an effective number of rows where
//! families or weights are given; differences and ratios of shares are made of the ends of these (MOVER).
//! Everything else has an interval from the cluster bootstrap. Differences also have an interval that holds
//! for all groups of a column at once, which the verdict goes by: with twenty groups, one is otherwise expected
//! to differ by chance alone.
//!
//! **What is not shown.** Groups under the minimum, and what would give them away: see [`AuditedOutcome`] and
//! [`GroupMeasures`]. What is not known of a person is a group of its own, and a characteristic that is not
//! held is "not measurable".
//!
//! **Who is not in it.** Rows that cannot be used, or whose outcome is not known yet, are left out, and a column of that is
//! compared like any other ([`Audit::left_out`]). Where only those are looked into whom a score chose, a random arm says how
//! common the outcome is ([`ArmColumn`], [`Audit::chosen`]).
//!
//! **What is not guarded**, and so is for whoever publishes an audit to look at. Columns that nest in each
//! other, such as age bands within wider age bands: each is guarded by itself, and a difference of two of their
//! groups can be small. Cuts of more than one edge in tables of pairs: the sum of two cells may follow from totals where
//! neither cell does. Rounding ([`AuditParams::round_to`]) blunts both.
//!
//! The group that the others of a column are compared with is compared with everybody, so that it can set a
//! criterion, too.

mod block;
mod calibration;
mod cells;
mod compare;
mod criteria;
mod curves;
mod disparity;
mod earlier;
mod figure;
mod grouping;
mod groups;
mod judged;
mod live;
mod measure;
mod ordinal;
mod params;
mod points;
mod pooled;
mod rates;
mod reading;
mod replicates;
mod report;
mod resample;
mod rows;
mod run;
mod suppress;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use super::people::{Counted, Parts};
pub use crate::error::AuditError;
pub use crate::error::ScoresError;
pub(crate) use earlier::EarlierCheck;
pub use params::{AuditParams, OperatingPoint};
#[cfg(feature = "files")]
pub use reading::read_scores;
pub use reading::{ArmColumn, LoneScore, OutcomeJump, ScoreColumns, ScoreFollowUp, ScoreIntake};
pub use report::{
    Against, AttributeAudit, AttributeFinding, Audit, AuditBin, AuditedGroup, AuditedOutcome, CommonScore,
    Criterion, CriterionReport, Disparity, DisparityVerdict, GroupMeasure, GroupMeasures, Operating,
    OutcomeAtScore, ScoreScale, ScoreSpread, Setter, Tie, TieAsOne,
};
pub(crate) use suppress::{Guard, few_of_either, held_back, hold_back, hold_back_parts};
pub(crate) use table::folded;
pub use table::{NOT_OBTAINED, REFUSED, ScoreTable, UNKNOWN};
