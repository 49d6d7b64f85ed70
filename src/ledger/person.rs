//! What a ledger holds about one person: to give it to them, to see what a wrong record did, to take it out.

use serde::Serialize;
use serde_json::Value;

use super::entry::{Draft, LedgerEntry};
use super::events::{
    CaseScored, CorrectionContent, CorrectionFacts, EntryKind, PurgeFacts, RunFinished, ScoreContent,
};
use super::handle::Ledger;
use super::replay::score_again;
use super::store::Filter;
use crate::calendar::{AsOf, Day};
use crate::error::LedgerError;
use crate::records::Records;
use crate::review::WhyListed;
use crate::scoring::Contribution;
use crate::words;

/// Everything that a ledger holds about one person (or family, where families are scored), for a subject
/// access request (UK GDPR, Article 15).
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// The rank in the cohort, from 1 (highest score), and of how many; `None` where somebody asked about this person alone.
    pub rank: Option<(u32, u32)>,
    /// The place on the list that people looked at, from 1; `None` where nobody was shown the score.
    pub place: Option<u32>,
    /// Who asked about this person alone, and was shown the score; `None` of a run.
    pub asked_by: Option<String>,
    /// The last day on which the score could be used.
    pub expires: Day,
    /// What makes the score, the largest part first; empty where the model is not in the ledger.
    pub reasons: Vec<Contribution>,
}

crate::opaque_debug!(PastScore);

/// An entry about somebody.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreAndRank {
    pub(super) log_odds: f64,
    /// The rank; `None` where the case was asked about alone.
    pub rank: Option<u32>,
    /// Whether the case is on the run's list; `None` where it was not drawn again (its places were dealt to
    /// groups).
    pub listed: Option<bool>,
}

impl ScoreAndRank {
    /// Whether the score is another one.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        self.log_odds.to_bits() != other.log_odds.to_bits()
    }
}

/// Whom to take out of a ledger, and on what ground.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Erasure {
    /// The pseudonymous id.
    pub entity: String,
    /// Records about the person, as source and the source's own reference: other people's cases may have been
    /// shown with them.
    pub records: Vec<(String, String)>,
    /// Entries about others that have to go as well, as an earlier purge named them.
    pub entries: Vec<u64>,
    /// Who does it.
    pub by: String,
    /// On what ground. It stays in the ledger, so it must not name the person.
    pub reason: String,
}

crate::opaque_debug!(Erasure);

/// What a purge did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Purged {
    /// The entries whose content was taken out: all about the person, those that were named, and the digests of
    /// the runs that the person was in.
    pub entries: Vec<u64>,
    /// Entries about others that still name the person or one of the records: look at them, and purge what
    /// has to go.
    pub still_named_in: Vec<u64>,
    /// Whether the bytes are gone from the file. They are not where another program was reading it: close it
    /// and open the ledger again.
    pub wiped: bool,
}

impl Ledger {
    /// Everything that is held about one person, with a plain explanation of every score.
    ///
    /// # Errors
    /// [`LedgerError::NobodyOfThatId`] where nothing is held.
    pub fn subject_pack(&self, entity: &str, on: Day) -> Result<SubjectPack, LedgerError> {
        let held = self.entries(&Filter::default().subject(entity))?;
        if held.is_empty() {
            return Err(LedgerError::NobodyOfThatId);
        }
        let mut pack =
            SubjectPack { entity: entity.to_owned(), made_on: on, scores: Vec::new(), entries: Vec::new() };
        for entry in &held {
            match entry.about() {
                Some(EntryKind::CaseScored) => pack.scores.push(self.past_score(entry)?),
                Some(EntryKind::CaseAsked) => pack.scores.extend(self.past_answer(entry)?),
                _ => {}
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

    fn past_score(&self, entry: &LedgerEntry) -> Result<PastScore, LedgerError> {
        let run = entry.run().unwrap_or_default();
        let audit = self.finished(run)?.ok_or_else(|| LedgerError::NoRun(run.to_owned()))?.audit;
        let content: ScoreContent = entry.content_as()?.ok_or(LedgerError::Purged)?;
        let reasons = self.reasons(&audit.model, &content.cells, content.seen_on.unwrap_or(audit.as_of))?;
        let facts: CaseScored = entry.facts_as()?;
        Ok(PastScore {
            run: run.to_owned(),
            as_of: audit.as_of,
            purpose: audit.purpose,
            outcome: audit.outcome,
            model: audit.model,
            rank: Some((content.rank, content.of)),
            place: facts.place.or(facts.beside),
            asked_by: None,
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
        let mut runs = self.runs()?;
        let mut seen = hashbrown::HashSet::new();
        runs.retain(|run| seen.insert(run.audit.run_id.clone()));
        let mut affected = Vec::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
            let subject = entry.content().and_then(|content| content.subject.as_deref());
            let Some(content) = entry.content_as::<ScoreContent>()? else { return Ok(()) };
            let is_own = subject == Some(correction.entity.as_str());
            let through = content.case.as_ref().map(|case| case.features_that_read(&correction.records));
            let is_affected = match &through {
                // What a listed case rests on is known.
                Some(through) => !through.is_empty() || (is_own && correction.records.is_empty()),
                None => is_own,
            };
            let run = runs.iter().find(|run| Some(run.audit.run_id.as_str()) == entry.run());
            if let (true, Some(run), Some(subject)) = (is_affected, run, subject) {
                let CaseScored { place, drawn, beside } = entry.facts_as()?;
                let place = place.or(beside);
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
                        rank: Some(content.rank),
                        listed: Some(drawn.is_some_and(|drawn| drawn != WhyListed::AtRandom)),
                    },
                    after: None,
                });
            }
            Ok(())
        })?;
        affected.extend(self.affected_answers(correction, records, on)?);
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
        let again = score_again(&run.audit, &scorer, records)?;
        let leads = again.leads(&again.places(run.one_per));
        let listed: hashbrown::HashSet<u32> =
            leads.iter().take(run.capacity.of(leads.len())).map(|&rank| rank as u32).collect();
        let scores: hashbrown::HashMap<&str, (f64, u32)> =
            again.recorded().map(|score| (score.entity, (score.log_odds, score.rank))).collect();
        for case in affected.iter_mut().filter(|case| case.run == run.audit.run_id) {
            case.after = scores.get(case.entity.as_str()).map(|&(log_odds, rank)| ScoreAndRank {
                log_odds,
                rank: Some(rank),
                listed: run.shares.is_none().then(|| listed.contains(&rank)),
            });
        }
        Ok(())
    }

    /// Puts on record that records about somebody were wrong, and which past cases rest on them.
    ///
    /// # Errors
    /// As [`Ledger::affected_by`]; [`LedgerError::Incomplete`] where it is not said who, or what was wrong;
    /// [`LedgerError::NobodyOfThatId`] where nothing is held.
    pub fn correct(
        &self,
        correction: &Correction,
        records: Option<&Records>,
        on: Day,
    ) -> Result<Vec<AffectedCase>, LedgerError> {
        for (what, text) in
            [("who puts the correction on record", &correction.by), ("what was wrong", &correction.what)]
        {
            if words::is_blank(text) {
                return Err(LedgerError::Incomplete(what));
            }
        }
        self.write(|| {
            let affected = self.affected_by(correction, None, on)?;
            let held = Filter::default().subject(&correction.entity).limit(1);
            if affected.is_empty() && self.entries(&held)?.is_empty() {
                return Err(LedgerError::NobodyOfThatId);
            }
            let facts = CorrectionFacts {
                by: correction.by.clone(),
                cases: affected.len() as u64,
                records: correction.records.len() as u64,
            };
            let content = CorrectionContent {
                what: correction.what.clone(),
                cases: affected.iter().map(|case| case.entry).collect(),
                records: correction.records.clone(),
            };
            Ok(vec![Draft::of(EntryKind::Correction, on, &facts)?.with(Some(&correction.entity), &content)?])
        })?;
        // It is on record by now, whatever comes of scoring again.
        self.affected_by(correction, records, on)
    }

    /// Takes a person's content out of every entry: scores, explanations, reasons; and the digests that a guess
    /// who was in a run could be held against. What stays are facts that name nobody, so that the ledger can
    /// still be counted and verified. It cannot be undone.
    ///
    /// # Errors
    /// [`LedgerError::Incomplete`] where it is not said who or on what ground, [`LedgerError::NamesThePerson`]
    /// where the ground does, [`LedgerError::NobodyOfThatId`] where nothing is held.
    pub fn purge(&self, erasure: &Erasure, on: Day) -> Result<Purged, LedgerError> {
        let Erasure { entity, records, entries: named, by, reason } = erasure;
        for (what, text) in [("who purges", by), ("on what ground", reason), ("whom to take out", entity)] {
            if words::is_blank(text) {
                return Err(LedgerError::Incomplete(what));
            }
        }
        if [reason.as_str(), by, self.because().unwrap_or_default()]
            .iter()
            .any(|text| is_word_of(text, entity))
        {
            return Err(LedgerError::NamesThePerson);
        }
        let mut texts = vec![entity.as_str()];
        texts.extend(records.iter().map(|(_, reference)| reference.as_str()));
        let mut taken = Vec::new();
        let done = self.take_out(|| {
            let about = self.entries(&Filter::default().subject(entity))?;
            taken = about.iter().map(LedgerEntry::seq).chain(named.iter().copied()).collect();
            if taken.is_empty() {
                return Err(if self.naming(&texts)?.is_empty() {
                    LedgerError::NobodyOfThatId
                } else {
                    LedgerError::Incomplete(
                        "which entries (nothing is held under this id, but it is named in some)",
                    )
                });
            }
            let runs: hashbrown::HashSet<&str> = about.iter().filter_map(LedgerEntry::run).collect();
            for entry in self.entries(&Filter::of(&[EntryKind::RunFinished]))? {
                if entry.content().is_some() && entry.run().is_some_and(|run| runs.contains(run)) {
                    taken.push(entry.seq());
                }
            }
            taken.sort_unstable();
            taken.dedup();
            let facts = PurgeFacts { by: by.clone(), reason: reason.clone(), named: named.clone() };
            Ok((taken.clone(), vec![Draft::of(EntryKind::Purge, on, &facts)?]))
        });
        let wiped = match done {
            Ok(_) => true,
            Err(LedgerError::NotWiped { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(Purged { entries: taken, still_named_in: self.naming(&texts)?, wiped })
    }

    /// The entries in which one of the texts stands anywhere.
    fn naming(&self, texts: &[&str]) -> Result<Vec<u64>, LedgerError> {
        let mut naming = Vec::new();
        self.read(&Filter::default(), &mut |entry| {
            let content =
                entry.content().filter(|content| content.subject.is_some()).map(|content| &content.body);
            let why_earlier = entry.why_earlier().unwrap_or_default();
            if content.is_some_and(|body| holds(body, texts))
                || holds(entry.facts(), texts)
                || texts.iter().any(|text| why_earlier.contains(text))
            {
                naming.push(entry.seq());
            }
            Ok(())
        })?;
        Ok(naming)
    }
}

/// Whether one of the texts stands anywhere in a value.
fn holds(value: &Value, texts: &[&str]) -> bool {
    let has = |text: &str| texts.iter().any(|wanted| text.contains(wanted));
    match value {
        Value::String(text) => has(text),
        Value::Array(values) => values.iter().any(|value| holds(value, texts)),
        Value::Object(fields) => fields.iter().any(|(key, value)| has(key) || holds(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a name stands in a text as a word of its own, in whatever case of letters.
fn is_word_of(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_words_and_texts_anywhere() {
        assert!(is_word_of("asked by p0017, in person", "P0017"));
        assert!(!is_word_of("Article 17", "7") && is_word_of("Article 17", "17"));
        let value = serde_json::json!({ "a": [1, "xP0017y"], "b": null });
        assert!(holds(&value, &["P0017"]) && !holds(&value, &["P0018"]));
    }
}
