//! The lists of past dates as they would have been, before a model goes into use.
//!
//! Every date goes the road that a list goes: the cohort as it was known then, scored as [`Scorer::score`] scores it, drawn as
//! [`ReviewList::draw`](crate::review::ReviewList::draw) draws it. Nothing is drawn at random, nothing is put on record, and
//! no list comes out of it.

mod drawn;
mod found;
mod lengths;
mod params;
mod says;
mod tally;
#[cfg(test)]
mod tests;

pub use found::{
    AtCapacity, DateOutcomes, FoundApart, KnownPlaces, ListResults, ListsApart, ListsFigures, MeasuredOn,
    RightOf, SimulatedDate, SimulatedList, Simulation, Workload,
};
pub use params::SimulationParams;

use hashbrown::HashSet;

use self::drawn::{Came, Draw, Drawn, DrawnCase, Unknown};
use self::lengths::Counted;
use super::Project;
use crate::calendar::AsOf;
use crate::cohort::Unit;
use crate::error::{AuditError, Error, ModelError, SimulationError, SpecError};
use crate::fairness::audit::{Audit, ScoreTable};
use crate::fairness::{Protected, decisive};
use crate::records::Records;
use crate::scoring::Scorer;

impl Project {
    /// Draws the lists of past dates as they would have been, with what followed.
    ///
    /// Dates up to the end of the last horizon of training are told apart: what followed them is what the model learnt from.
    /// Figures over several lists are of the others, if outcomes are known of any. A source that is not what it was at
    /// training is used all the same, and said beside the date. Lists by the count of needs are drawn of the same cases, by the
    /// same rules, with the same lots for equals. The same records, model and parameters give the same simulation, to
    /// the bit, at any number of threads.
    ///
    /// # Errors
    /// [`Error::Simulation`] where the dates are none or too many, a list is to be longer than a cohort, or there would have
    /// been no list at all; [`Error::Evaluate`] where a capacity is none; [`Error::Scoring`] where the model refuses to score, such
    /// as for a purpose that is not the project's; [`Error::Model`] where it names no training date; others where project,
    /// model and records do not fit each other.
    pub fn simulate(
        &self,
        records: &Records,
        scorer: &Scorer,
        params: &SimulationParams,
    ) -> Result<Simulation, Error> {
        let dates = params.dates()?;
        let lengths = params.lengths(self.training.capacity)?;
        let candidate = scorer.candidate();
        let trained_on: Vec<AsOf> = candidate.training().dates.iter().map(|held| held.as_of).collect();
        let horizon = candidate.outcome().horizon;
        let Some(training_ends) = trained_on.iter().map(|&date| horizon.end(date)).max() else {
            let why = "it names no training date; train it from records, not from a frame".to_owned();
            return Err(ModelError::Features(why).into());
        };
        let protected = self.protected()?;
        let draw = Draw { project: self, records, scorer, params, lengths: &lengths, protected: &protected };
        // A case that is seen on a day of its own is followed from then on.
        let in_training = |as_of: AsOf| self.cohort.first_seen(as_of) < training_ends;
        let mut told = Vec::with_capacity(dates.len());
        let mut drawn = Vec::with_capacity(dates.len());
        for as_of in dates {
            self.watch.stage(&format!("the list of {as_of}"));
            let came = draw.at(as_of).map_err(|error| match error {
                Error::Review(_) => {
                    SimulationError::List { as_of: as_of.to_string(), why: Box::new(error) }.into()
                }
                error => error,
            })?;
            told.push(SimulatedDate::of(as_of, in_training(as_of), &came));
            if let Came::Lists(lists) = came {
                drawn.push(lists);
            }
        }
        if drawn.is_empty() {
            let dates = told.len();
            let first = told.into_iter().find_map(|date| Some((date.as_of, date.no_list?)));
            let (as_of, why) = first.map_or_else(Default::default, |(as_of, why)| (as_of.to_string(), why));
            return Err(SimulationError::NoList { dates, as_of, why }.into());
        }
        let after = |held: &&Drawn| !in_training(held.as_of);
        let known = || drawn.iter().filter(|held| held.unknown.is_none());
        let (measured_on, measured): (MeasuredOn, Vec<&Drawn>) = if known().any(|held| after(&held)) {
            (MeasuredOn::AfterTraining, known().filter(after).collect())
        } else if known().next().is_some() {
            (MeasuredOn::InTraining, known().collect())
        } else {
            (MeasuredOn::Nothing, Vec::new())
        };
        self.watch.stage("what followed");
        let minimum = self.training.minimum_group;
        let counted = Counted {
            drawn: &drawn,
            measured: measured.iter().map(|held| held.as_of).collect(),
            minimum: u64::from(minimum),
            trained_on: families_trained_on(scorer, records, &trained_on)?,
            year_from: params.year_from(drawn.iter().map(|held| held.as_of)),
        };
        let mut simulation = Simulation {
            project: self.name.clone(),
            model: scorer.digest().to_owned(),
            candidate: candidate.digest().to_owned(),
            purpose: scorer.sign_off().purpose.clone(),
            outcome: candidate.outcome().words.clone(),
            horizon,
            params: params.clone(),
            one_per: self.list.one_per,
            trained_on,
            training_ends,
            train_until: horizon.last_over_by(self.cohort.first_seen(params.from)),
            says: Vec::new(),
            measured_on,
            dates: told,
            capacities: counted.at_all(&lengths, scorer),
            groups: None,
            minimum,
        };
        if self.protected.is_some() {
            self.watch.stage("protected groups");
            let of = if measured.is_empty() { drawn.iter().collect() } else { measured };
            simulation.groups = self.groups(records, &of, &protected)?;
        }
        simulation.says = says::all(&simulation);
        Ok(simulation)
    }

    /// Audits the lists of the first length: each case at each date a row.
    fn groups(
        &self,
        records: &Records,
        drawn: &[&Drawn],
        protected: &Protected,
    ) -> Result<Option<Audit>, Error> {
        let ids = match self.cohort.unit {
            Unit::Person => &records.the_people().ids,
            Unit::Family => records.household_ids(),
        };
        let is_known = drawn.iter().all(|held| held.unknown.is_none());
        let (mut entities, mut selected, mut outcomes, mut families) = (vec![], vec![], vec![], vec![]);
        for held in drawn {
            let mut leads = vec![false; held.cases.len()];
            held.lists[0].model.iter().for_each(|&row| leads[row as usize] = true);
            let followed = |case: &&(&DrawnCase, bool)| !is_known || case.0.outcome.is_some();
            for (case, leads) in held.cases.iter().zip(leads).collect::<Vec<_>>().iter().filter(followed) {
                entities.push(&*ids[case.subject as usize]);
                selected.push(*leads);
                outcomes.push(case.outcome == Some(true));
                families.push(case.family);
            }
        }
        let table = ScoreTable::without_scores(selected, is_known.then_some(outcomes))?
            .clusters(families)?
            .protected(&entities, protected)?;
        match table.audit(&self.audit_params()) {
            Err(AuditError::TooFewPeople { .. }) => Ok(None),
            audit => Ok(Some(decisive(audit?))),
        }
    }
}

/// The families in the cohorts that a model was trained on, as far back as the extracts reach.
fn families_trained_on(
    scorer: &Scorer,
    records: &Records,
    dates: &[AsOf],
) -> Result<HashSet<u32>, SpecError> {
    let mut families = HashSet::new();
    for &date in dates {
        match scorer.candidate().cohort().choose(&records.as_of(date)) {
            Ok(cohort) => families.extend((0..cohort.len()).map(|row| cohort.family(row))),
            Err(SpecError::EmptyCohort(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(families)
}

impl SimulatedDate {
    fn of(as_of: AsOf, in_training: bool, came: &Came) -> Self {
        let mut date = Self {
            as_of,
            cohort: 0,
            not_scored: 0,
            in_training,
            outcomes: None,
            changed_sources: Vec::new(),
            no_list: None,
        };
        match came {
            Came::Nothing { cohort, why } => {
                date.cohort = *cohort;
                date.no_list = Some(why.clone());
            }
            Came::Lists(drawn) => {
                date.cohort = drawn.cases.len() as u64;
                date.not_scored = drawn.not_scored;
                date.changed_sources.clone_from(&drawn.changed);
                date.outcomes = Some(match &drawn.unknown {
                    None => DateOutcomes::Known,
                    Some(Unknown::Open) => DateOutcomes::Open { until: drawn.ends },
                    Some(Unknown::NotCovered(why)) => DateOutcomes::NotCovered { why: why.clone() },
                });
            }
        }
        date
    }
}
