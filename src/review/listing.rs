//! Who has a place on a list: the one road of lists for review and of simulated ones.

use serde::{Deserialize, Serialize};

use crate::error::ReviewError;
use crate::evaluate::Capacity;
use crate::scoring::{Places, Scores, WhyNot};

/// Among whom the places of a list are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Among {
    /// All scored cases. The default: whether somebody is known says nothing of their need.
    #[default]
    Everybody,
    /// Those of whose household no case is known to a service already ([`Scores::known_to`]). Where that cannot be told they are
    /// among them: what is not covered is not taken for known.
    NotKnown,
}

/// The ranks that lead a place, among those asked for.
pub(crate) fn leads(
    scores: &Scores<'_, '_>,
    places: &Places,
    among: Among,
) -> Result<Vec<usize>, ReviewError> {
    among_these(scores, places, among, scores.leads(places))
}

/// The same where the count of needs on record puts cases in order, not the score.
pub(crate) fn leads_by_needs(
    scores: &Scores<'_, '_>,
    places: &Places,
    among: Among,
) -> Result<Vec<usize>, ReviewError> {
    among_these(scores, places, among, scores.leads_by_needs(places))
}

fn among_these(
    scores: &Scores<'_, '_>,
    places: &Places,
    among: Among,
    leads: Vec<usize>,
) -> Result<Vec<usize>, ReviewError> {
    match among {
        Among::Everybody => Ok(leads),
        Among::NotKnown if scores.is_known(1).is_none() && !scores.is_empty() => {
            Err(ReviewError::NobodyIsMarked)
        }
        Among::NotKnown => {
            let leads = scores.not_known(places, leads);
            if leads.is_empty() { Err(ReviewError::AllAreKnown) } else { Ok(leads) }
        }
    }
}

/// How many places there are, of so many at most.
pub(crate) fn length(scores: &Scores<'_, '_>, capacity: Capacity, most: usize) -> Result<usize, ReviewError> {
    let (scored, refused) = (scores.len(), scores.not_scored());
    let cohort = scored + refused.len();
    if capacity.check().is_err() {
        return Err(ReviewError::NoCapacity);
    }
    if let Capacity::Cases(places) = capacity
        && places as usize > cohort
    {
        return Err(ReviewError::CapacityAboveCohort { places, cohort });
    }
    if scored == 0 {
        let count = |is: fn(&WhyNot) -> bool| refused.iter().filter(|held| is(held.reason())).count();
        return Err(ReviewError::NobodyScored {
            cohort,
            stale: count(|why| matches!(why, WhyNot::Stale { .. })),
            thin: count(|why| matches!(why, WhyNot::Thin { .. })),
            outside: count(|why| matches!(why, WhyNot::Outside { .. })),
        });
    }
    Ok(capacity.of(most))
}
