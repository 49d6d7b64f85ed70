//! The lists of one date as they would have been, and what followed: rows of people, which stay in memory.

use super::super::Project;
use super::params::SimulationParams;
use crate::calendar::{AsOf, Day};
use crate::cohort::Cohort;
use crate::error::{Error, ReviewError, ScoringError, SpecError};
use crate::evaluate::Capacity;
use crate::fairness::Protected;
use crate::known_to::IsKnown;
use crate::outcome::{Label, OutcomeSpec};
use crate::records::Records;
use crate::review::{leads, leads_by_needs, length};
use crate::scoring::{Places, Request, Scorer, Scores};

/// What every date is drawn with.
pub(super) struct Draw<'a> {
    pub(super) project: &'a Project,
    pub(super) records: &'a Records,
    pub(super) scorer: &'a Scorer,
    pub(super) params: &'a SimulationParams,
    pub(super) lengths: &'a [Capacity],
    pub(super) protected: &'a Protected,
}

/// One date's lists.
pub(super) struct Drawn {
    pub(super) as_of: AsOf,
    /// The first day after the horizon.
    pub(super) ends: Day,
    pub(super) not_scored: u64,
    /// In what sources are not what they were at training; somebody would have had to accept that.
    pub(super) changed: Vec<String>,
    /// Why outcomes are not known; `None` where they are.
    pub(super) unknown: Option<Unknown>,
    /// A pair of lists for each capacity.
    pub(super) lists: Vec<Pair>,
    pub(super) cases: Vec<DrawnCase>,
}

/// Why nobody can say what followed.
pub(super) enum Unknown {
    /// The horizon reaches beyond the extract.
    Open,
    /// The records of the outcome begin later, or hold nothing then.
    NotCovered(String),
}

/// What a date came to.
pub(super) enum Came {
    Lists(Drawn),
    /// No list could have been given, for this reason.
    Nothing {
        cohort: u64,
        why: String,
    },
}

/// A case of the cohort.
pub(super) struct DrawnCase {
    /// Its place among all ids.
    pub(super) subject: u32,
    pub(super) family: u32,
    /// Whom it shares a place with.
    pub(super) place: u32,
    pub(super) is_scored: bool,
    /// Whether the outcome came about; `None` where that cannot be said.
    pub(super) outcome: Option<bool>,
    pub(super) known: Option<IsKnown>,
}

/// The list by the score and the one by the count of needs: rows of the cases that lead a place.
pub(super) struct Pair {
    pub(super) model: Vec<u32>,
    pub(super) needs: Vec<u32>,
}

/// Who asks in a simulation.
const ASKED_BY: &str = "a simulation";

impl Draw<'_> {
    /// Draws the lists of a date.
    pub(super) fn at(&self, as_of: AsOf) -> Result<Came, Error> {
        let cohort = match self.project.cohort(self.records, as_of) {
            Err(Error::Spec(error @ SpecError::EmptyCohort(_))) => {
                return Ok(Came::Nothing { cohort: 0, why: error.to_string() });
            }
            cohort => cohort?,
        };
        let nothing = |why: String| Ok(Came::Nothing { cohort: cohort.len() as u64, why });
        let changes = self.scorer.candidate().changed_sources(cohort.snapshot());
        let on = as_of.day().max(self.scorer.sign_off().signed_on);
        let mut request = Request::new(ASKED_BY, &self.project.purpose, on);
        let mut accepted: Vec<&str> = changes.iter().map(|change| change.source.as_str()).collect();
        accepted.dedup();
        for source in accepted {
            request = request.accepting(source, ASKED_BY, "the simulation says so beside the list");
        }
        let scores = match self.scorer.score(&cohort, &request) {
            Err(error @ (ScoringError::BeforeRecords { .. } | ScoringError::AfterRecords { .. })) => {
                return nothing(error.to_string());
            }
            scores => scores?.known_to(&self.project.known_to)?,
        };
        let places = scores.places(self.project.list.one_per);
        let lists = match self.lists(&scores, &places) {
            Err(Error::Review(error @ (ReviewError::NobodyScored { .. } | ReviewError::AllAreKnown))) => {
                return nothing(error.to_string());
            }
            lists => lists?,
        };
        let outcome = self.scorer.candidate().outcome();
        let (labels, unknown) = labels(outcome, &cohort)?;
        Ok(Came::Lists(Drawn {
            as_of,
            ends: outcome.horizon.end(as_of),
            not_scored: scores.not_scored().len() as u64,
            changed: changes.iter().map(|change| format!("{}: {}", change.source, change.words)).collect(),
            unknown,
            lists,
            cases: cases(&cohort, &scores, &places, labels.as_deref()),
        }))
    }

    fn lists(&self, scores: &Scores<'_, '_>, places: &Places) -> Result<Vec<Pair>, Error> {
        let among = self.params.among;
        // Before the leads: where nobody is scored, that is what is said.
        self.lengths.iter().try_for_each(|&capacity| length(scores, capacity, 0).map(drop))?;
        let (ranked, by_needs) = (leads(scores, places, among)?, leads_by_needs(scores, places, among)?);
        let pair = |&capacity: &Capacity| {
            let length = length(scores, capacity, ranked.len())?;
            let rows = |ranks: &mut dyn Iterator<Item = usize>| -> Vec<u32> {
                ranks.map(|rank| scores.row(rank) as u32).collect()
            };
            let model = match &self.params.shares {
                Some(shares) => {
                    let has_place = shares.deal(self.protected, scores.ranked(&ranked), length)?;
                    let dealt = ranked.iter().zip(has_place).filter(|(_, has_place)| *has_place);
                    rows(&mut dealt.map(|(&rank, _)| rank))
                }
                None => rows(&mut ranked.iter().take(length).copied()),
            };
            Ok(Pair { model, needs: rows(&mut by_needs.iter().take(length).copied()) })
        };
        self.lengths.iter().map(pair).collect()
    }
}

/// The labels of a cohort, or why there are none.
fn labels(
    outcome: &OutcomeSpec,
    cohort: &Cohort<'_>,
) -> Result<(Option<Vec<Label>>, Option<Unknown>), Error> {
    match outcome.labels(cohort) {
        Ok(labels) => Ok((Some(labels), None)),
        Err(SpecError::BeyondExtract { .. }) => Ok((None, Some(Unknown::Open))),
        Err(error @ SpecError::BeforeExtract { .. }) => {
            Ok((None, Some(Unknown::NotCovered(error.to_string()))))
        }
        Err(error) => Err(error.into()),
    }
}

fn cases(
    cohort: &Cohort<'_>,
    scores: &Scores<'_, '_>,
    places: &Places,
    labels: Option<&[Label]>,
) -> Vec<DrawnCase> {
    let mut is_scored = vec![false; cohort.len()];
    (1..=scores.len()).for_each(|rank| is_scored[scores.row(rank)] = true);
    let case = |(row, subject): (usize, u32)| DrawnCase {
        subject,
        family: cohort.family(row),
        place: places.of(row),
        is_scored: is_scored[row],
        outcome: labels.and_then(|labels| labels[row].outcome()),
        known: scores.known(row),
    };
    cohort.subjects().enumerate().map(case).collect()
}
