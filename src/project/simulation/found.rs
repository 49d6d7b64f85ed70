//! What a simulation found: counts and shares, and nobody.

use serde::Serialize;

use super::params::SimulationParams;
use crate::calendar::{AsOf, Day, Horizon};
use crate::evaluate::{Capacity, Estimate, ListLength, NotKnownFigures};
use crate::fairness::audit::Audit;
use crate::scoring::OnePer;

/// The lists of past dates as they would have been, and what followed: for those who decide whether a model goes into use.
///
/// It holds no id and nobody's record. Where outcomes are told, a number of places under [`minimum`](Self::minimum) is not,
/// nor can it be worked out from the others.
///
/// # Examples
/// ```no_run
/// use earlyhelp::project::{Project, SimulationParams};
/// use earlyhelp::scoring::Scorer;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let project = Project::load("project.toml")?;
/// let scorer = Scorer::from_json(&std::fs::read_to_string("released.json")?)?;
/// let params = SimulationParams::new("2024-04-01".parse()?, "2025-03-01".parse()?);
/// let simulation = project.simulate(&project.records()?, &scorer, &params)?;
/// for list in &simulation.capacities[0].lists {
///     println!("{}: {} places, {} of them new", list.as_of, list.places, list.new);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Simulation {
    /// The project.
    pub project: String,
    /// The digest of the released model.
    pub model: String,
    /// The digest of the candidate in it.
    pub candidate: String,
    /// What the model may be used for.
    pub purpose: String,
    /// The outcome in words.
    pub outcome: String,
    /// How far ahead it is looked for.
    pub horizon: Horizon,
    /// What was asked for.
    pub params: SimulationParams,
    /// Whom a place is for.
    pub one_per: OnePer,
    /// The dates that the model was trained on.
    pub trained_on: Vec<AsOf>,
    /// The day on which the last horizon of training ends: training saw outcomes of every day before it.
    pub training_ends: Day,
    /// The last date that a model can be trained on and see nothing of what followed any of these lists.
    pub train_until: Day,
    /// How far to trust the figures, in sentences, the weightiest first.
    pub says: Vec<String>,
    /// On which lists figures over several lists are measured.
    pub measured_on: MeasuredOn,
    /// Every date.
    pub dates: Vec<SimulatedDate>,
    /// The lists by their length, those that were asked for first in front.
    pub capacities: Vec<AtCapacity>,
    /// Who was listed, and who rightly, by protected group: of the lists of the first length that figures are measured on,
    /// each case at each date a row; of all lists, and without outcomes, where those are known of none. `None` where the
    /// project has no file of protected characteristics, or there are too few cases to be audited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Audit>,
    /// Where outcomes are told, no number of places under this is.
    pub minimum: u32,
}

/// On which lists figures over several lists are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredOn {
    /// On those whose outcomes are known and were not seen in training.
    AfterTraining,
    /// On those whose outcomes are known, all of which were seen in training: the figures flatter the model.
    InTraining,
    /// On none: no outcome is known yet.
    Nothing,
}

/// One date.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SimulatedDate {
    /// The date.
    pub as_of: AsOf,
    /// Cases in the cohort.
    pub cohort: u64,
    /// Cases of it that were not scored.
    pub not_scored: u64,
    /// Whether the model was trained on outcomes from this date on.
    pub in_training: bool,
    /// Whether it is known what followed; `None` where there would have been no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<DateOutcomes>,
    /// In what sources are not what they were when the model was trained: `score` stops there until somebody accepts it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_sources: Vec<String>,
    /// Why there would have been no list, where there would have been none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_list: Option<String>,
}

/// Whether it is known what followed a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOutcomes {
    /// The horizon has passed by the end of the extracts.
    Known,
    /// It has not: nothing is right or wrong yet.
    Open {
        /// The day on which it has.
        until: Day,
    },
    /// The extracts hold no outcomes of that time.
    NotCovered {
        /// Why.
        why: String,
    },
}

/// Lists of one length.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AtCapacity {
    /// The length.
    pub capacity: Capacity,
    /// The lists, in the order of their dates.
    pub lists: Vec<SimulatedList>,
    /// How much work they are.
    pub workload: Workload,
    /// What followed on the lists by the score.
    pub model: ListsFigures,
    /// What followed on lists of the same length, of the same cases, by the count of needs on record.
    pub needs: ListsFigures,
    /// How the lists differ from those by the count of needs.
    pub apart: ListsApart,
    /// What the backtest found of lists of this length or of the next longer one measured: by models that had seen neither
    /// the families nor the time, on lists with a place for each case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backtest: Option<ListLength>,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SimulatedList {
    /// Its date.
    pub as_of: AsOf,
    /// Its places: alerts.
    pub places: u64,
    /// Places of which nobody was on any list before.
    pub new: u64,
    /// Places of which somebody, leading or beside, was on the list before.
    pub repeats: u64,
    /// Places of which nobody was on the list before, and somebody on an earlier one.
    pub returning: u64,
    /// Places that the list by the count of needs has as well.
    pub shared_with_needs: u64,
    /// Whether the cases that lead the places were known to a service already; `None` where the project does not say what
    /// that is, and where it is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownPlaces>,
    /// What followed; `None` where that is not known, and where it is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<ListResults>,
    /// What followed on the list by the count of needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<ListResults>,
    /// Whether what is known of it is withheld: it has so few places, or so few of which it is known what followed, or so few
    /// more or less than the same list of another length, that single ones would be told of.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
}

/// Places by whether their leading case was known to a service already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownPlaces {
    /// Known.
    pub yes: u64,
    /// Not known.
    pub no: u64,
    /// It cannot be told.
    pub cannot_tell: u64,
}

/// What followed on one list. A place is right where the outcome came about for the case that leads it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListResults {
    /// Places whose leading case had the outcome within the horizon.
    pub right: u64,
    /// Places whose leading case was followed over the whole horizon without it. It may have needed help all the same.
    pub wrong: u64,
    /// Places whose leading case was not followed to the end, or no longer at risk.
    pub cannot_tell: u64,
    /// Of the right and the wrong, the share that is right. `None` of too few.
    pub precision: Option<Estimate>,
    /// Of the cohort's cases with the outcome, scored or not, the share that leads a place. `None` of too few.
    pub recall: Option<Estimate>,
}

/// How much work lists are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Workload {
    /// Lists.
    pub lists: u64,
    /// Places on all of them.
    pub places: u64,
    /// Places a list, on average.
    pub places_a_list: f64,
    /// New places a list, on average over all but the first, on which all are new. `None` where there is only one.
    pub new_a_list: Option<f64>,
    /// Different cases that led a place.
    pub cases: u64,
    /// Different families among them: people who ever shared a household.
    pub families: u64,
    /// Of the places, the share whose leading case was known to a service already. `None` where the project does not say what
    /// that is, or of too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Estimate>,
    /// Different families on the lists of the last year. `None` where they do not span one.
    pub families_in_last_year: Option<u64>,
}

/// What followed on several lists: of those that [`Simulation::measured_on`] names. Intervals take the family as the unit, at
/// however many dates it was listed; `None` stands where there is nothing to tell, or it is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListsFigures {
    /// Lists.
    pub lists: u64,
    /// Places on them.
    pub places: u64,
    /// Right, wrong, and of which it cannot be told.
    pub results: Option<ListResults>,
    /// Of the cases with the outcome, the share that is on a list, leading a place or beside the one who leads it.
    pub recall_of_household: Option<Estimate>,
    /// The same shares among those with whom no service was working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_known: Option<NotKnownFigures>,
    /// Of the places, the share (0 to 1) of families whose outcomes at earlier dates the model was trained on.
    pub families_trained_on: Option<f64>,
}

/// How two lists of each date differ, place by place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListsApart {
    /// Places that both lists have, over all dates.
    pub both: u64,
    /// Places on the list by the score alone.
    pub only_model: u64,
    /// Places on the list by the count of needs alone.
    pub only_needs: u64,
    /// What followed, on the lists that figures are measured on. `None` where there is nothing to tell, or it is withheld.
    pub found: Option<FoundApart>,
}

/// What each list found that the other did not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FoundApart {
    /// On both, by the case that leads the place on the list by the score.
    pub both: RightOf,
    /// On the list by the score alone.
    pub only_model: RightOf,
    /// On the list by the count of needs alone.
    pub only_needs: RightOf,
}

/// How many of so many places were right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RightOf {
    /// Places of which it is known.
    pub places: u64,
    /// Of these, those that were right.
    pub right: u64,
    /// The same as a share; `None` of none.
    pub share: Option<Estimate>,
}
