//! A place on the list.

use serde::{Deserialize, Serialize};

use super::since::Stayed;
use crate::scoring::{CounterEvidence, RankedCase};

/// A case in its place on the list.
#[derive(Clone, PartialEq, Serialize)]
pub struct ListedCase {
    #[serde(rename = "drawn")]
    pub(super) why_listed: WhyListed,
    pub(super) case: RankedCase,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) beside: Vec<RankedCase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Stayed>,
    pub(super) counter: CounterEvidence,
}

/// Why a case is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyListed {
    /// For its rank.
    ByRank,
    /// At random, for comparison.
    AtRandom,
    /// For its group's share of the places: by rank alone it would not be on the list.
    ByShare,
}

impl WhyListed {
    /// In words: `by rank`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ByRank => "by rank",
            Self::AtRandom => "at random",
            Self::ByShare => "by share",
        }
    }
}

impl ListedCase {
    /// Why the case is on the list.
    #[must_use]
    pub fn why_listed(&self) -> WhyListed {
        self.why_listed
    }

    /// The other scored cases of its household, the highest first, where a place is for a household.
    #[must_use]
    pub fn beside(&self) -> &[RankedCase] {
        &self.beside
    }

    /// What the score would be without single records, and without those of somebody having asked for help.
    #[must_use]
    pub fn counter_evidence(&self) -> &CounterEvidence {
        &self.counter
    }

    /// What changed since the earlier list that this one was held against, where the place was on that, too.
    #[must_use]
    pub fn since(&self) -> Option<&Stayed> {
        self.since.as_ref()
    }

    /// The case that leads the place.
    #[must_use]
    pub fn case(&self) -> &RankedCase {
        &self.case
    }
}

crate::opaque_debug!(ListedCase);
