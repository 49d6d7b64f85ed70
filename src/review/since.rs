//! What changed since an earlier list.

use serde::{Deserialize, Serialize};

use super::judgement::{Agreement, Reviewer, Step};
use crate::calendar::{AsOf, Day};
use crate::records::RecordReference;
use crate::stats::Interval;

/// What a person decided about a place of an earlier list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PastDecision {
    /// Who.
    pub by: Reviewer,
    /// When.
    pub on: Day,
    /// The next step.
    pub step: Step,
    /// Whether they agreed with the place.
    pub agreement: Agreement,
    /// Why; empty where it was taken out.
    pub reason: String,
}

crate::opaque_debug!(PastDecision);

/// What changed since an earlier list.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Since {
    /// The earlier list's run.
    pub run_id: String,
    /// Its as-of date.
    pub as_of: AsOf,
    /// Places, given for a score, that were not on it.
    pub new: u32,
    /// Places, given for a score, that were.
    pub stayed: u32,
    /// Those that were on it for their scores and are not on this one.
    pub left: Vec<Left>,
    /// Those that people opened or decided about then, and whose score has fallen clearly since: the interval of the
    /// difference lies below zero. Somebody may be able to step down. Empty where another model scored.
    pub fallen: Vec<Fallen>,
}

crate::opaque_debug!(Since);

/// What changed of a place that was on the earlier list, too.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stayed {
    /// On how many lists in a row it is, this one counted.
    pub times: u32,
    /// Its place on the earlier list, from 1.
    pub place_then: u32,
    /// The reasons that rest on other records than then.
    pub changed: Vec<ChangedReason>,
    /// What was decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<PastDecision>,
}

crate::opaque_debug!(Stayed);

/// A reason that rests on other records than it did.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangedReason {
    /// The features.
    pub features: Vec<String>,
    /// What it said then.
    pub then: String,
    /// What it says now.
    pub now: String,
    /// Records behind it that were not there then.
    pub new_records: Vec<RecordReference>,
    /// How many records were behind it then and are no more.
    pub records_gone: u32,
}

crate::opaque_debug!(ChangedReason);

/// A place of the earlier list that is on this one no more.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// The case that led it.
    pub entity: String,
    /// Its place then, from 1.
    pub place_then: u32,
    /// Why it is not on this list.
    pub why: WhyLeft,
    /// What was decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<PastDecision>,
}

crate::opaque_debug!(Left);

/// Why a case is on a list no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyLeft {
    /// The outcome came about since.
    Outcome,
    /// It ranks below the places of the list; among those drawn at random it may still be.
    Fell {
        /// Its rank now, from 1.
        rank: u32,
    },
    /// It was not scored, for this reason.
    NotScored {
        /// The reason as a sentence.
        why: String,
    },
    /// It is not asked about any more, by this rule of the cohort.
    NotAskedAbout {
        /// The rule in words: `of another age`.
        rule: String,
    },
    /// The extracts do not hold it any more.
    NotInExtracts,
}

impl WhyLeft {
    /// The reason in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Outcome => "the outcome is on record since".to_owned(),
            Self::Fell { rank } => format!("its rank is now {}", crate::words::count(u64::from(*rank))),
            Self::NotScored { why } => format!("it was not scored: {why}"),
            Self::NotAskedAbout { rule } => format!("it is not asked about any more: {rule}"),
            Self::NotInExtracts => "the extracts do not hold it any more".to_owned(),
        }
    }
}

/// A case whose score has fallen clearly.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fallen {
    /// The case.
    pub entity: String,
    /// Its place then, from 1.
    pub place_then: u32,
    /// Its rank now, from 1.
    pub rank: u32,
    /// How much lower its score is, in log-odds, below zero.
    pub difference: f64,
    /// The 95% interval of that, over refits on redrawn families.
    pub interval: Interval,
    /// What was decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<PastDecision>,
}

crate::opaque_debug!(Fallen);
