//! What a ledger holds about one person: to give it to them, to see what a wrong record did, to take it out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::events::{
    CaseScored, CorrectionContent, CorrectionFacts, Kind, PurgeFacts, RunFinished, ScoreContent,
};
use super::replay::score_again;
use super::{Draft, Entry, Ledger, LedgerError, Wanted};
use crate::calendar::{AsOf, Day};
use crate::records::Records;
use crate::review::Drawn;
use crate::scoring::PlainReason;

/// Everything that a ledger holds about one person (or family, where families are scored), for a subject
/// access request (UK GDPR, Article 15).
#[derive(Clone, PartialEq, Serialize)]
pub struct SubjectPack {
    /// The pseudonymous id.
    pub entity: String,
    /// The day on which it was made.
    pub made_on: Day,
    /// Every score, in the order in which they were made.
    pub scores: Vec<PastScore>,
    /// Every entry about them, as it stands in the ledger.
    pub entries: Vec<Held>,
}

crate::opaque_debug!(SubjectPack);

/// A score of the past with its plain explanation.
#[derive(Clone, PartialEq, Serialize)]
pub struct PastScore {
    /// The run.
    pub run: String,
    /// The date scored for: nothing that became known on it or later was used.
    pub as_of: AsOf,
    /// For what.
    pub purpose: String,
    /// What was foreseen, in words.
    pub outcome: String,
    /// The released model.
    pub model: String,
    /// The rank in the cohort, from 1 (highest score).
    pub rank: u32,
    /// Of how many.
    pub of: u32,
    /// The place on the list that people looked at, from 1; `None` where nobody was shown the score.
    pub place: Option<u32>,
    /// The last day on which the score could be used.
    pub expires: Day,
    /// What makes the score, the largest part first; empty where the model is not in the ledger.
    pub reasons: Vec<PlainReason>,
}

crate::opaque_debug!(PastScore);

/// An entry about somebody.
#[derive(Clone, PartialEq, Serialize)]
pub struct Held {
    /// Its number.
    pub entry: u64,
    /// Its kind.
    pub kind: String,
    /// Its day.
    pub on: Day,
    /// Its run.
    pub run: Option<String>,
    /// Its facts.
    pub facts: Value,
    /// Its content.
    pub content: Value,
}

crate::opaque_debug!(Held);

/// A record that was wrong, or was taken out at its source.
#[derive(Clone, PartialEq, Eq)]
pub struct Correction {
    /// About whom.
    pub entity: String,
    /// The records, as source and the source's own reference. Empty: any record about them may be concerned.
    pub records: Vec<(String, String)>,
    /// What was wrong and what was put right.
    pub what: String,
    /// Who puts it on record.
    pub by: String,
}

crate::opaque_debug!(Correction);

/// A past case that rests on records that were wrong.
#[derive(Clone, PartialEq, Serialize)]
pub struct AffectedCase {
    /// The entry in which it was scored.
    pub entry: u64,
    /// The run.
    pub run: String,
    /// The date scored for.
    pub as_of: AsOf,
    /// Whose case.
    pub entity: String,
    /// Its place on the list that people looked at, if it had one.
    pub place: Option<u32>,
    /// Whether that list was still open on the day of the correction.
    pub is_open: bool,
    /// The features through which the records came in. Empty for a case that was on no list: for these the
    /// ledger keeps what the features said and not the records behind them.
    pub through: Vec<String>,
    /// Its score (log-odds) and rank then.
    pub before: ScoreAndRank,
    /// The same with today's extracts, where they were given; `None` too where they no longer give the case.
    pub after: Option<ScoreAndRank>,
}

crate::opaque_debug!(AffectedCase);

/// A score in log-odds, its rank from 1, and whether that rank is on the run's list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreAndRank {
    /// The score.
    pub log_odds: f64,
    /// The rank.
    pub rank: u32,
    /// Whether a list of the run's capacity holds that rank.
    pub listed: bool,
}

/// What a purge did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// The entries whose content was taken out.
    pub entries: Vec<u64>,
    /// Entries about others that still name the person: look at them, and purge what has to go.
    pub still_named_in: Vec<u64>,
}

impl Ledger {
    /// Everything that is held about one person, with a plain explanation of every score.
    ///
    /// # Errors
    /// [`LedgerError::NobodyOfThatId`] where nothing is held.
    pub fn subject_pack(&self, entity: &str, on: Day) -> Result<SubjectPack, LedgerError> {
        let held = self.entries(&Wanted::default().subject(entity))?;
        if held.is_empty() {
            return Err(LedgerError::NobodyOfThatId);
        }
        let mut pack =
            SubjectPack { entity: entity.to_owned(), made_on: on, scores: Vec::new(), entries: Vec::new() };
        for entry in &held {
            if entry.about() == Some(Kind::CaseScored) {
                pack.scores.push(self.past_score(entry)?);
            }
            pack.entries.push(Held {
                entry: entry.seq(),
                kind: entry.kind().to_owned(),
                on: entry.on(),
                run: entry.run().map(str::to_owned),
                facts: entry.facts().clone(),
                content: entry.content().map(|content| content.body.clone()).unwrap_or_default(),
            });
        }
        Ok(pack)
    }

    fn past_score(&self, entry: &Entry) -> Result<PastScore, LedgerError> {
        let run = entry.run().unwrap_or_default();
        let audit = self.finished(run)?.ok_or_else(|| LedgerError::NoRun(run.to_owned()))?.audit;
        let content: ScoreContent = entry.content_as()?.ok_or(LedgerError::Purged)?;
        let reasons = match self.released_model(&audit.model) {
            Ok(scorer) => scorer
                .plain_reasons(&content.cells)
                .map_err(|error| LedgerError::Replay(error.to_string()))?,
            Err(LedgerError::NoModel(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(PastScore {
            run: run.to_owned(),
            as_of: audit.as_of,
            purpose: audit.purpose,
            outcome: audit.outcome,
            model: audit.model,
            rank: content.rank,
            of: content.of,
            place: entry.facts_as::<CaseScored>()?.place,
            expires: audit.expires,
            reasons,
        })
    }

    /// The past cases that rest on records which are now known to be wrong: those of the person, and listed
    /// cases of others (of one household) that were shown with the same records behind them. Nothing is
    /// written.
    ///
    /// With `records`, read from extracts in which the error is put right, each is scored again for its own
    /// date by its own model.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read, or a run cannot be scored again.
    pub fn affected_by(
        &self,
        correction: &Correction,
        records: Option<&Records>,
        on: Day,
    ) -> Result<Vec<AffectedCase>, LedgerError> {
        let runs = self.runs()?;
        let mut affected = Vec::new();
        self.read(&Wanted::of(&[Kind::CaseScored]), &mut |entry| {
            let subject = entry.content().and_then(|content| content.subject.as_deref());
            let Some(content) = entry.content_as::<ScoreContent>()? else { return Ok(()) };
            let is_own = subject == Some(correction.entity.as_str());
            let through = content.case.as_ref().map(|case| features_that_read(case, &correction.records));
            let is_affected = match &through {
                // What a listed case rests on is known.
                Some(through) => !through.is_empty() || (is_own && correction.records.is_empty()),
                None => is_own,
            };
            let run = runs.iter().find(|run| Some(run.audit.run_id.as_str()) == entry.run());
            if let (true, Some(run), Some(subject)) = (is_affected, run, subject) {
                let CaseScored { place, drawn } = entry.facts_as()?;
                affected.push(AffectedCase {
                    entry: entry.seq(),
                    run: run.audit.run_id.clone(),
                    as_of: run.audit.as_of,
                    entity: subject.to_owned(),
                    place,
                    is_open: place.is_some() && on <= run.audit.expires,
                    through: through.unwrap_or_default(),
                    before: ScoreAndRank {
                        log_odds: content.log_odds,
                        rank: content.rank,
                        listed: drawn.is_some_and(|drawn| drawn != Drawn::AtRandom),
                    },
                    after: None,
                });
            }
            Ok(())
        })?;
        if let Some(records) = records {
            for run in &runs {
                if affected.iter().any(|case| case.run == run.audit.run_id) {
                    self.score_affected_again(run, records, &mut affected)?;
                }
            }
        }
        Ok(affected)
    }

    fn score_affected_again(
        &self,
        run: &RunFinished,
        records: &Records,
        affected: &mut [AffectedCase],
    ) -> Result<(), LedgerError> {
        let scorer = self.released_model(&run.audit.model)?;
        let again = score_again(run, &scorer, records)?;
        let listed = run.capacity.of(again.len()) as u32;
        let scores: hashbrown::HashMap<&str, (f64, u32)> =
            again.recorded().map(|score| (score.entity, (score.log_odds, score.rank))).collect();
        for case in affected.iter_mut().filter(|case| case.run == run.audit.run_id) {
            case.after = scores.get(case.entity.as_str()).map(|&(log_odds, rank)| ScoreAndRank {
                log_odds,
                rank,
                listed: rank <= listed,
            });
        }
        Ok(())
    }

    /// Puts on record that records about somebody were wrong, and which past cases rest on them.
    ///
    /// # Errors
    /// As [`Ledger::affected_by`]; [`LedgerError::Incomplete`] where it is not said who, or what was wrong.
    pub fn correct(
        &self,
        correction: &Correction,
        records: Option<&Records>,
        on: Day,
    ) -> Result<Vec<AffectedCase>, LedgerError> {
        for (what, text) in
            [("who puts the correction on record", &correction.by), ("what was wrong", &correction.what)]
        {
            if text.trim().is_empty() {
                return Err(LedgerError::Incomplete(what));
            }
        }
        let affected = self.affected_by(correction, records, on)?;
        let facts = CorrectionFacts {
            by: correction.by.clone(),
            cases: affected.iter().map(|case| case.entry).collect(),
            records: correction.records.len() as u64,
        };
        let content =
            CorrectionContent { what: correction.what.clone(), records: correction.records.clone() };
        let draft = Draft::of(Kind::Correction, on, &facts)?.with(Some(&correction.entity), &content)?;
        self.append(vec![draft])?;
        Ok(affected)
    }

    /// Takes a person's content out of every entry: scores, explanations, reasons. What stays are facts that
    /// name nobody, so that the ledger can still be counted and verified. It cannot be undone.
    ///
    /// # Errors
    /// [`LedgerError::Incomplete`] where it is not said who or on what ground,
    /// [`LedgerError::NobodyOfThatId`] where nothing is held.
    pub fn purge(&self, entity: &str, by: &str, reason: &str, on: Day) -> Result<Purged, LedgerError> {
        for (what, text) in [("who purges", by), ("on what ground", reason)] {
            if text.trim().is_empty() {
                return Err(LedgerError::Incomplete(what));
            }
        }
        if by.contains(entity) || reason.contains(entity) {
            return Err(LedgerError::Incomplete("a ground that does not name the person"));
        }
        let entries: Vec<u64> =
            self.entries(&Wanted::default().subject(entity))?.iter().map(Entry::seq).collect();
        if entries.is_empty() {
            return Err(LedgerError::NobodyOfThatId);
        }
        let facts = PurgeFacts { by: by.to_owned(), reason: reason.to_owned() };
        self.redact(&entries, vec![Draft::of(Kind::Purge, on, &facts)?])?;
        let mut still_named_in = Vec::new();
        self.read(&Wanted::default(), &mut |entry| {
            let content = entry.content().map(|content| &content.body);
            if content.is_some_and(|body| is_named_in(body, entity)) || is_named_in(entry.facts(), entity) {
                still_named_in.push(entry.seq());
            }
            Ok(())
        })?;
        Ok(Purged { entries, still_named_in })
    }
}

/// The names of features of a shown case that rest on one of the records.
fn features_that_read(case: &Value, records: &[(String, String)]) -> Vec<String> {
    let contributions = case["contributions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_one = |record: &Value| {
        records.iter().any(|(source, reference)| {
            record["source"].as_str() == Some(source) && record["reference"].as_str() == Some(reference)
        })
    };
    contributions
        .iter()
        .filter(|part| part["records"].as_array().is_some_and(|records| records.iter().any(is_one)))
        .flat_map(|part| part["features"].as_array().into_iter().flatten())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// Whether a text in a value holds the name as a word of its own.
fn is_named_in(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        }),
        Value::Array(values) => values.iter().any(|value| is_named_in(value, name)),
        Value::Object(fields) => fields.iter().any(|(key, value)| key == name || is_named_in(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
