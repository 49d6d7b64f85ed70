//! Making past scores again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::entry::LedgerEntry;
use super::events::{Answered, AskedFacts, CaseScored, EntryKind, RunContent, RunFinished, ScoreContent};
use super::handle::Ledger;
use super::listed::shown_on;
use super::reviewing::cases_of;
use super::shown::ShownCase;
use super::store::Filter;
use crate::error::LedgerError;
use crate::records::Records;
use crate::review::{Among, ReviewList};
use crate::scoring::{Provenance, Request, Scorer, Scores, SourceState};
use crate::stats::random::mix;

/// Which past cases are made again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayOf {
    /// All.
    Everything,
    /// Those of the run whose id starts so.
    Run(String),
    /// So many, drawn at random over all runs and answers about one person.
    Sample {
        /// How many.
        cases: usize,
        /// The same seed draws the same cases.
        seed: u64,
    },
}

/// Why a past case could not be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotReplayed {
    /// The person was taken out of the ledger.
    Purged,
    /// The released model is not in the ledger.
    NoModel,
    /// A source's extract is gone, or says something else than it did.
    ExtractChanged,
    /// The case is not in the cohort that today's extracts give for the date.
    NotInCohort,
    /// It comes out otherwise from today's extracts; whether they are those of then cannot be told, since somebody was
    /// taken out of the run, and the digests of its extracts with them.
    ExtractsUnknown,
}

impl NotReplayed {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Purged => "the person was taken out of the ledger",
            Self::NoModel => "the released model is not in the ledger",
            Self::ExtractChanged => "an extract is gone, or says something else than it did then",
            Self::NotInCohort => "today's extracts do not give this case for that date",
            Self::ExtractsUnknown => {
                "it comes out otherwise from today's extracts, and somebody was taken out of the run, so that nobody can \
                 tell whether they say what they said then"
            }
        }
    }
}

/// What came of making past cases again.
///
/// `asked = reproduced + different + not replayed` always holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Replay {
    /// Cases that were to be made again.
    pub asked: u64,
    /// Made again, the same to the bit: the score, and for listed cases all that was shown of it: rank, band, every
    /// contribution with its words, what is absent. From extracts also what the features say, ranks, places, and the
    /// records behind each reason.
    pub reproduced: u64,
    /// The entries whose cases came out otherwise, with what differs.
    pub different: BTreeMap<u64, Differs>,
    /// Why others could not be made again, and how many.
    pub not_replayed: BTreeMap<NotReplayed, u64>,
    /// What of a run's manifest does not come out again, by run.
    pub manifests: BTreeMap<String, Vec<String>>,
    /// Listed cases of which words and bands were not compared: another version of this crate wrote them.
    pub worded_otherwise: u64,
    /// Sources that are gone or say something else, by run, where extracts were gone back to.
    pub changed_sources: BTreeMap<String, Vec<String>>,
    /// Whether extracts were gone back to; else the recorded inputs were.
    pub from_extracts: bool,
}

/// What differs between a recorded case and the same case made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Differs {
    /// The score.
    Score,
    /// A contribution to it.
    Explanation,
    /// What a feature says of the case.
    Inputs,
    /// Its rank.
    Rank,
    /// Its place on the list, or why it was there.
    Place,
    /// How it was shown: its band, a reason's words, what is absent, the records behind a reason.
    Words,
}

impl Replay {
    /// Whether every case that could be made again came out the same, and there was one.
    #[must_use]
    pub fn is_faithful(&self) -> bool {
        self.different.is_empty() && self.manifests.is_empty() && self.reproduced > 0
    }

    pub(super) fn not(&mut self, why: NotReplayed, cases: u64) {
        if cases > 0 {
            *self.not_replayed.entry(why).or_default() += cases;
        }
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.from_extracts { "extracts" } else { "recorded inputs" };
        writeln!(
            f,
            "{} of {} past cases were made again from the {from} and are the same to the bit.",
            self.reproduced, self.asked
        )?;
        if !self.different.is_empty() {
            let shown: Vec<String> = self.different.keys().take(5).map(u64::to_string).collect();
            let more = if self.different.len() > shown.len() { " ..." } else { "" };
            writeln!(f, "{} came out otherwise: entries {}{more}.", self.different.len(), shown.join(", "))?;
        }
        for (run, facts) in &self.manifests {
            writeln!(f, "Run {run}: its manifest says otherwise: {}.", facts.join(", "))?;
        }
        if self.worded_otherwise > 0 {
            writeln!(
                f,
                "Of {} listed cases the words were not compared: another version of this program wrote them.",
                self.worded_otherwise
            )?;
        }
        for (why, cases) in &self.not_replayed {
            writeln!(f, "{cases} could not be made again: {}.", why.words())?;
        }
        for (run, sources) in &self.changed_sources {
            writeln!(f, "Run {run}: changed or gone: {}.", sources.join(", "))?;
        }
        Ok(())
    }
}

/// Kept cases that are computed together: bounds what is held in memory.
const CHUNK: usize = 4_096;

impl Ledger {
    /// Makes past cases again, from the released model and the inputs that the ledger holds, and compares
    /// score and contributions to the bit. With `records` it goes back further: to the extracts, from which
    /// cohort, features, scores and ranks are computed as they were for each run.
    ///
    /// Extracts that grew since give the same: a snapshot holds what was known before its date. A source
    /// whose snapshot says something else than it did is named, and its runs' cases count as not replayed.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where the ledger does not [verify](Ledger::verify), others where it cannot be read, or holds
    /// no such run.
    pub fn replay(&self, of: &ReplayOf, records: Option<&Records>) -> Result<Replay, LedgerError> {
        self.check()?;
        let mut replay = Replay { from_extracts: records.is_some(), ..Replay::default() };
        let runs: Vec<RunFinished> = match of {
            ReplayOf::Run(run) => {
                vec![self.run_named(run)?]
            }
            ReplayOf::Everything | ReplayOf::Sample { .. } => {
                let mut runs = self.runs()?;
                let mut seen = hashbrown::HashSet::new();
                runs.retain(|run| seen.insert(run.audit.run_id.clone()));
                runs
            }
        };
        let wanted = self.drawn(of, &runs)?;
        for run in &runs {
            let is_wanted =
                |entry: &LedgerEntry| wanted.as_ref().is_none_or(|drawn| drawn.contains(&entry.seq()));
            match self.released_model(&run.audit.model) {
                Err(LedgerError::NoModel(_)) => {
                    let mut cases = 0;
                    self.read(&cases_of(run), &mut |entry| {
                        cases += u64::from(is_wanted(&entry));
                        Ok(())
                    })?;
                    replay.asked += cases;
                    replay.not(NotReplayed::NoModel, cases);
                }
                Err(error) => return Err(error),
                Ok(scorer) => match records {
                    None => self.replay_inputs(run, &scorer, &is_wanted, &mut replay)?,
                    Some(records) => {
                        self.replay_extracts(run, (&scorer, records), &is_wanted, &mut replay)?;
                    }
                },
            }
        }
        if !matches!(of, ReplayOf::Run(_)) {
            self.replay_asked(wanted.as_ref(), records, &mut replay)?;
        }
        Ok(replay)
    }

    /// The entries of a sample; `None` for all.
    fn drawn(
        &self,
        of: &ReplayOf,
        runs: &[RunFinished],
    ) -> Result<Option<hashbrown::HashSet<u64>>, LedgerError> {
        let ReplayOf::Sample { cases, seed } = of else { return Ok(None) };
        let mut lots = Vec::new();
        for run in runs {
            self.read(&cases_of(run), &mut |entry| {
                lots.push((mix(*seed, entry.seq()), entry.seq()));
                Ok(())
            })?;
        }
        self.read(&Filter::of(&[EntryKind::CaseAsked]), &mut |entry| {
            if entry.facts_as::<AskedFacts>()?.answer == Answered::Scored {
                lots.push((mix(*seed, entry.seq()), entry.seq()));
            }
            Ok(())
        })?;
        lots.sort_unstable();
        Ok(Some(lots.into_iter().take(*cases).map(|(_, entry)| entry).collect()))
    }

    /// What each source's digest was in a run; `None` where it was taken out with somebody.
    fn source_digests(&self, run: &RunFinished) -> Result<Option<BTreeMap<String, String>>, LedgerError> {
        let sources = &run.audit.sources;
        if sources.iter().any(|source| !source.digest.is_empty()) {
            // As earlier versions wrote it.
            let pair = |source: &SourceState| (source.source.clone(), source.digest.clone());
            return Ok(Some(sources.iter().map(pair).collect()));
        }
        Ok(self.run_content(&run.audit.run_id)?.map(|content| content.sources))
    }

    fn replay_inputs(
        &self,
        run: &RunFinished,
        scorer: &Scorer,
        is_wanted: &dyn Fn(&LedgerEntry) -> bool,
        replay: &mut Replay,
    ) -> Result<(), LedgerError> {
        let mut held = Vec::new();
        self.read(&cases_of(run), &mut |entry| {
            if !is_wanted(&entry) {
                return Ok(());
            }
            replay.asked += 1;
            match entry.content_as::<ScoreContent>()? {
                None => replay.not(NotReplayed::Purged, 1),
                Some(content) => held.push((entry.seq(), content)),
            }
            if held.len() == CHUNK {
                compare(&run.audit, scorer, &held, replay)?;
                held.clear();
            }
            Ok(())
        })?;
        compare(&run.audit, scorer, &held, replay)
    }

    fn replay_extracts(
        &self,
        run: &RunFinished,
        (scorer, records): (&Scorer, &Records),
        is_wanted: &dyn Fn(&LedgerEntry) -> bool,
        replay: &mut Replay,
    ) -> Result<(), LedgerError> {
        let mut held = Vec::new();
        let mut purged = 0;
        self.read(&cases_of(run), &mut |entry| {
            if !is_wanted(&entry) {
                return Ok(());
            }
            replay.asked += 1;
            let subject = entry.content().and_then(|content| content.subject.clone());
            match (subject, entry.content_as::<ScoreContent>()?) {
                (Some(subject), Some(content)) => {
                    held.push((entry.seq(), subject, content, entry.facts_as::<CaseScored>()?));
                }
                _ => purged += 1,
            }
            Ok(())
        })?;
        replay.not(NotReplayed::Purged, purged);
        let then = self.source_digests(run)?;
        let changed = then.as_ref().map_or_else(Vec::new, |then| changed_sources(run, then, records));
        if !changed.is_empty() {
            replay.not(NotReplayed::ExtractChanged, held.len() as u64);
            replay.changed_sources.insert(run.audit.run_id.clone(), changed);
            return Ok(());
        }
        let again = score_again(&run.audit, scorer, records)?;
        let facts =
            manifest_differs(&run.audit, again.provenance(), self.run_content(&run.audit.run_id)?.as_ref());
        if !facts.is_empty() && then.is_some() {
            replay.manifests.insert(run.audit.run_id.clone(), facts);
        }
        let by_entity: hashbrown::HashMap<&str, _> =
            again.recorded().map(|score| (score.entity, score)).collect();
        // A list whose places were dealt to groups needs their groups, and one of those that no service knows needs the project,
        // which the ledger does not hold.
        let list = match (&run.shares, run.among) {
            (Some(_), _) | (None, Among::NotKnown) => None,
            (None, Among::Everybody) => Some(
                ReviewList::draw(&again, run.drawn_with())
                    .map_err(|error| LedgerError::Replay(error.to_string()))?,
            ),
        };
        let places = list.as_ref().map(shown_on);
        for (entry, subject, content, facts) in held {
            let Some(score) = by_entity.get(subject.as_str()) else {
                replay.not(NotReplayed::NotInCohort, 1);
                continue;
            };
            let listed = places.as_ref().map(|places| places.get(subject.as_str()).copied());
            let differs = if score.cells != content.cells {
                Some(Differs::Inputs)
            } else if score.log_odds.to_bits() != content.log_odds.to_bits() {
                Some(Differs::Score)
            } else if score.rank != content.rank {
                Some(Differs::Rank)
            } else if listed
                .is_some_and(|listed| listed.map(|shown| shown.facts).unwrap_or_default() != facts)
            {
                Some(Differs::Place)
            } else {
                let differs = shown_differs(&run.audit, scorer, &content, replay)?;
                // Who is known to a service is not computed again: what that means stands in the project.
                let known_to = content.case.as_ref().map_or_else(Vec::new, |case| case.known_to.clone());
                let whole =
                    listed.flatten().map(|shown| ShownCase { known_to, ..shown.case(score.log_odds) });
                differs.or_else(|| {
                    let is_other = is_of_this_version(&run.audit) && whole.is_some() && whole != content.case;
                    is_other.then_some(Differs::Words)
                })
            };
            if then.is_none() && differs.is_some() {
                replay.not(NotReplayed::ExtractsUnknown, 1);
            } else {
                note(replay, entry, differs);
            }
        }
        Ok(())
    }
}

/// Sources whose snapshot says something else than it did in a run, or that there are no more.
fn changed_sources(run: &RunFinished, then: &BTreeMap<String, String>, records: &Records) -> Vec<String> {
    let snapshot = records.as_of(run.audit.as_of);
    let is_other =
        |(source, digest): &(&String, &String)| snapshot.digest(source).unwrap_or_default() != **digest;
    then.iter().filter(is_other).map(|(source, _)| source.clone()).collect()
}

/// What of a manifest is not what the same scoring says of itself now.
fn manifest_differs(then: &Provenance, now: &Provenance, content: Option<&RunContent>) -> Vec<String> {
    let mut facts = Vec::new();
    let mut same = |what: &str, is_same: bool| {
        if !is_same {
            facts.push(what.to_owned());
        }
    };
    same("the candidate", then.candidate == now.candidate);
    same("the features", then.features == now.features);
    same("the outcome", then.outcome == now.outcome && then.outcome_measures == now.outcome_measures);
    same("the size of the cohort", then.cohort_size == now.cohort_size);
    same("the number of cases that were not scored", then.not_scored == now.not_scored);
    same("the last day of use", then.expires == now.expires);
    same("who was in the cohort", content.is_none_or(|content| content.cohort == now.cohort));
    facts
}

/// Whether a run's words can be held against those of this version.
pub(super) fn is_of_this_version(audit: &Provenance) -> bool {
    audit.library_version == env!("CARGO_PKG_VERSION")
}

/// A run's scoring, done again from extracts.
pub(super) fn score_again<'s, 'r>(
    audit: &Provenance,
    scorer: &'s Scorer,
    records: &'r Records,
) -> Result<Scores<'s, 'r>, LedgerError> {
    let cannot = |error: &dyn std::error::Error| LedgerError::Replay(error.to_string());
    let cohort =
        scorer.candidate().cohort().choose(&records.as_of(audit.as_of)).map_err(|error| cannot(&error))?;
    scorer.score(&cohort, &asked_then(audit)).map_err(|error| cannot(&error))
}

/// What was asked for.
pub(super) fn asked_then(audit: &Provenance) -> Request {
    Request {
        requested_by: audit.requested_by.clone(),
        purpose: audit.purpose.clone(),
        on: audit.requested_on,
        valid_for_days: u32::try_from(audit.expires - audit.as_of.day()).unwrap_or_default(),
        abstention: audit.abstention,
        exception: audit.exception.clone(),
        accepted: audit.accepted.iter().map(|held| held.acceptance.clone()).collect(),
    }
}

pub(super) fn compare(
    audit: &Provenance,
    scorer: &Scorer,
    held: &[(u64, ScoreContent)],
    replay: &mut Replay,
) -> Result<(), LedgerError> {
    let cells: Vec<_> = held.iter().map(|(_, content)| content.cells.clone()).collect();
    let again = scorer.score_again(&cells).map_err(|error| LedgerError::Replay(error.to_string()))?;
    for ((entry, content), again) in held.iter().zip(again) {
        let differs = if again.to_bits() == content.log_odds.to_bits() {
            shown_differs(audit, scorer, content, replay)?
        } else {
            Some(Differs::Score)
        };
        note(replay, *entry, differs);
    }
    Ok(())
}

pub(super) fn note(replay: &mut Replay, entry: u64, differs: Option<Differs>) {
    match differs {
        None => replay.reproduced += 1,
        Some(differs) => {
            replay.different.insert(entry, differs);
        }
    }
}

/// Whether something that a listed case was shown with comes out otherwise from what is kept of it.
fn shown_differs(
    audit: &Provenance,
    scorer: &Scorer,
    content: &ScoreContent,
    replay: &mut Replay,
) -> Result<Option<Differs>, LedgerError> {
    let Some(shown) = &content.case else { return Ok(None) };
    // That score and rank are those that are kept is a rule of every entry: see `rules`.
    let without_value = |features: &[String]| {
        let part = shown.contributions.iter().find(|part| part.features == features);
        part.map_or(0, |part| part.without_value)
    };
    let again = scorer
        .explain_again(&content.cells, content.seen_on.unwrap_or(audit.as_of), without_value)
        .map_err(|error| LedgerError::Replay(error.to_string()))?;
    let mut parts: Vec<(&[String], u64)> = again
        .contributions
        .iter()
        .map(|reason| (reason.features.as_slice(), reason.log_odds.to_bits()))
        .collect();
    parts.sort_unstable();
    if parts != shown.log_odds() {
        return Ok(Some(Differs::Explanation));
    }
    if !is_of_this_version(audit) {
        replay.worded_otherwise += 1;
        return Ok(None);
    }
    let has_own_days = scorer.candidate().cohort().own_day.is_some();
    let cannot_see = scorer.cannot_see(has_own_days, audit.as_of);
    Ok((!shown.says_the_same(&again, &cannot_see)).then_some(Differs::Words))
}
