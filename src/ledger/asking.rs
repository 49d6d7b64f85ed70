//! Answers about one person or family that somebody asked about: apart from runs, lists and alerts.

use std::sync::Arc;

use super::entry::{Draft, LedgerEntry};
use super::events::{Answered, AskedContent, AskedFacts, EntryKind, ScoreContent};
use super::handle::Ledger;
use super::person::{AffectedCase, Correction, PastScore, ScoreAndRank};
use super::replay::{Differs, NotReplayed, Replay, asked_then, compare, is_of_this_version, note};
use super::shown::ShownCase;
use super::store::Filter;
use crate::calendar::{AsOf, Day};
use crate::error::LedgerError;
use crate::features::Cell;
use crate::records::Records;
use crate::review::Reviewer;
use crate::scoring::{Answer, Asked, Asking, Contribution, Provenance, Scorer, SourceState};

/// What was answered once about somebody.
struct PastAnswer {
    entry: u64,
    subject: String,
    audit: Provenance,
    said: AskedContent,
}

impl PastAnswer {
    /// What stands in an entry; `None` where it was taken out.
    fn of(entry: &LedgerEntry) -> Result<Option<Self>, LedgerError> {
        let subject = entry.content().and_then(|content| content.subject.clone());
        let Some((subject, said)) = subject.zip(entry.content_as::<AskedContent>()?) else { return Ok(None) };
        let AskedFacts { audit, .. } = entry.facts_as()?;
        Ok(Some(Self { entry: entry.seq(), subject, audit, said }))
    }

    /// The day that its features are of.
    fn seen_on(&self) -> AsOf {
        self.said.seen_on.unwrap_or(self.audit.as_of)
    }

    /// As a case of a run is kept.
    fn kept(&self, case: &ShownCase) -> ScoreContent {
        ScoreContent {
            rank: 0,
            of: 0,
            log_odds: case.score,
            cells: self.said.cells.clone(),
            seen_on: self.said.seen_on,
            known: None,
            case: Some(case.clone()),
        }
    }
}

impl Ledger {
    /// Puts on record what somebody was told of one person or family, with the model's release where that does not stand there:
    /// before the answer is given out. It is no alert and on no list, and nothing can be decided about it; it is part of what is
    /// held about the person ([`Ledger::subject_pack`]), is [made again](Ledger::replay) as others are, and goes with a
    /// [purge](Ledger::purge). Gives the number of its entry. Asked twice, it stands there twice: so often somebody looked.
    ///
    /// # Errors
    /// [`LedgerError::OtherRun`] where another model answered, [`LedgerError::Retired`] where it was taken out of use,
    /// [`LedgerError::NamesThePerson`] where what would stay holds the id (who asked, where records or features come from, who accepted a
    /// source and why), others where the ledger cannot be written.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::ledger::Ledger;
    /// use earlyhelp::records::Snapshot;
    /// use earlyhelp::scoring::{Asked, Request, Scorer};
    ///
    /// /// What a case-management system calls when a worker opens a person.
    /// fn look_at(
    ///     (ledger, scorer): (&Ledger, &Scorer),
    ///     today: &Snapshot<'_>,
    ///     id: &str,
    ///     request: &Request,
    /// ) -> earlyhelp::Result<Asked> {
    ///     let asked = scorer.score_one(today, id, request)?;
    ///     ledger.record_asked(scorer, &asked)?;
    ///     Ok(asked)
    /// }
    /// ```
    pub fn record_asked(&self, scorer: &Scorer, asked: &Asked) -> Result<u64, LedgerError> {
        let entries = self.record_all_asked(scorer, &[asked])?;
        Ok(entries.first().copied().unwrap_or_default())
    }

    /// The same for several answers of one model in one step: all of them or none. Gives the numbers of their entries, in their
    /// order.
    ///
    /// # Errors
    /// As [`Ledger::record_asked`].
    pub fn record_all_asked(&self, scorer: &Scorer, asked: &[&Asked]) -> Result<Vec<u64>, LedgerError> {
        let drafts = || asked.iter().map(|asked| draft_of(scorer, asked)).collect::<Result<Vec<_>, _>>();
        let mut ready = Some(drafts()?);
        let Some(first) = asked.iter().map(|asked| asked.provenance().requested_on).min() else {
            return Ok(Vec::new());
        };
        // Retired or not is asked below, where nobody else writes meanwhile.
        if self.released().as_deref() != Some(scorer.digest()) || first < scorer.sign_off().signed_on {
            self.record_release(scorer, first)?;
            *self.released() = Some(scorer.digest().to_owned());
        }
        let head = self.write(|| {
            // Somebody may have taken the model out of use meanwhile.
            match self.retired_on(scorer.digest(), None)? {
                Some(retired_on) => Err(LedgerError::Retired(retired_on.to_string())),
                // Made again where another process was quicker, and not kept as a copy for that.
                None => ready.take().map_or_else(&drafts, Ok),
            }
        })?;
        let first = head.entries + 1 - asked.len() as u64;
        Ok((first..=head.entries).collect())
    }

    /// A score that somebody asked for, in plain words; `None` where there was none.
    pub(super) fn past_answer(&self, entry: &LedgerEntry) -> Result<Option<PastScore>, LedgerError> {
        let Some(past) = PastAnswer::of(entry)? else { return Ok(None) };
        if past.said.case.is_none() {
            return Ok(None);
        }
        let reasons = self.reasons(&past.audit.model, &past.said.cells, past.seen_on())?;
        let audit = past.audit;
        Ok(Some(PastScore {
            run: past.said.run_id,
            as_of: audit.as_of,
            purpose: audit.purpose,
            outcome: audit.outcome,
            model: audit.model,
            rank: None,
            place: None,
            asked_by: Some(audit.requested_by),
            expires: audit.expires,
            reasons,
        }))
    }

    /// Answers that rest on records which are now known to be wrong, each scored again where records are given.
    pub(super) fn affected_answers(
        &self,
        correction: &Correction,
        records: Option<&Records>,
        on: Day,
    ) -> Result<Vec<AffectedCase>, LedgerError> {
        let mut affected = Vec::new();
        let mut again = Again::default();
        self.read(&Filter::of(&[EntryKind::CaseAsked]), &mut |entry| {
            let Some(past) = PastAnswer::of(&entry)? else { return Ok(()) };
            let Some(case) = &past.said.case else { return Ok(()) };
            let through = case.features_that_read(&correction.records);
            let is_own = past.subject == correction.entity;
            if through.is_empty() && !(is_own && correction.records.is_empty()) {
                return Ok(());
            }
            let score = |log_odds| ScoreAndRank { log_odds, rank: None, listed: None };
            let now = match (records, again.model(self, &past.audit.model)?) {
                (Some(records), Some(scorer)) => {
                    Some(again.asking(&scorer, records, past.audit.as_of).told(&past)?)
                }
                _ => None,
            };
            affected.push(AffectedCase {
                entry: past.entry,
                run: past.said.run_id.clone(),
                as_of: past.audit.as_of,
                entity: past.subject.clone(),
                place: None,
                is_open: on <= past.audit.expires,
                through,
                before: score(case.score),
                after: now.as_ref().and_then(Asked::case).map(|case| score(case.score().log_odds())),
            });
            Ok(())
        })?;
        Ok(affected)
    }

    /// Makes scores again that somebody asked for: those that are wanted, or all.
    pub(super) fn replay_asked(
        &self,
        wanted: Option<&hashbrown::HashSet<u64>>,
        records: Option<&Records>,
        replay: &mut Replay,
    ) -> Result<(), LedgerError> {
        let mut again = Again::default();
        self.read(&Filter::of(&[EntryKind::CaseAsked]), &mut |entry| {
            let AskedFacts { audit, answer } = entry.facts_as()?;
            if answer != Answered::Scored || wanted.is_some_and(|wanted| !wanted.contains(&entry.seq())) {
                return Ok(());
            }
            replay.asked += 1;
            let Some(past) = PastAnswer::of(&entry)? else {
                replay.not(NotReplayed::Purged, 1);
                return Ok(());
            };
            let Some(case) = &past.said.case else { return Ok(()) };
            match (again.model(self, &audit.model)?, records) {
                (None, _) => replay.not(NotReplayed::NoModel, 1),
                (Some(scorer), None) => compare(&audit, &scorer, &[(past.entry, past.kept(case))], replay)?,
                (Some(scorer), Some(records)) => {
                    replay_answer(&past, case, again.asking(&scorer, records, audit.as_of), replay)?;
                }
            }
            Ok(())
        })
    }

    /// What makes a past score, the largest part first; empty where the model is not in the ledger.
    pub(super) fn reasons(
        &self,
        model: &str,
        cells: &[Cell],
        seen_on: AsOf,
    ) -> Result<Vec<Contribution>, LedgerError> {
        match self.released_model(model) {
            Ok(scorer) => {
                let again = scorer.explain_again(cells, seen_on, |_| 0);
                Ok(again.map_err(|error| LedgerError::Replay(error.to_string()))?.contributions)
            }
            Err(LedgerError::NoModel(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// What answers are made again with. They stand in the order of their days, so the last model and the last date serve for most.
#[derive(Default)]
struct Again<'r> {
    model: Option<(String, Option<Arc<Scorer>>)>,
    asking: Option<Asking<'static, 'r>>,
}

impl<'r> Again<'r> {
    /// A released model; `None` where the ledger does not hold it.
    fn model(&mut self, ledger: &Ledger, digest: &str) -> Result<Option<Arc<Scorer>>, LedgerError> {
        if let Some((_, scorer)) = self.model.as_ref().filter(|(held, _)| held == digest) {
            return Ok(scorer.clone());
        }
        let scorer = match ledger.released_model(digest) {
            Ok(scorer) => Some(Arc::new(scorer)),
            Err(LedgerError::NoModel(_)) => None,
            Err(error) => return Err(error),
        };
        self.model = Some((digest.to_owned(), scorer.clone()));
        Ok(scorer)
    }

    /// The model and the records of a date.
    fn asking(&mut self, scorer: &Arc<Scorer>, records: &'r Records, as_of: AsOf) -> &Asking<'static, 'r> {
        let is_it = |held: &Asking<'_, '_>| {
            held.snapshot().as_of() == as_of && held.scorer().digest() == scorer.digest()
        };
        let held = self.asking.take().filter(is_it);
        self.asking.insert(held.unwrap_or_else(|| Asking::held(scorer, records.as_of(as_of))))
    }
}

impl Asking<'_, '_> {
    /// The same question asked again.
    fn told(&self, past: &PastAnswer) -> Result<Asked, LedgerError> {
        self.one(&past.subject, &asked_then(&past.audit))
            .map_err(|error| LedgerError::Replay(error.to_string()))
    }
}

/// Makes an answer again from records.
fn replay_answer(
    past: &PastAnswer,
    case: &ShownCase,
    asking: &Asking<'_, '_>,
    replay: &mut Replay,
) -> Result<(), LedgerError> {
    let now = |source: &str| asking.sources().iter().find(|held| held.source == source);
    let says_otherwise =
        |(source, digest): &(&String, &String)| now(source).is_none_or(|held| held.digest != **digest);
    let changed: Vec<String> =
        past.said.sources.iter().filter(says_otherwise).map(|(source, _)| source.clone()).collect();
    if !changed.is_empty() {
        replay.not(NotReplayed::ExtractChanged, 1);
        replay.changed_sources.insert(past.said.run_id.clone(), changed);
        return Ok(());
    }
    let again = asking.told(past)?;
    let Some(now) = again.case() else {
        replay.not(NotReplayed::NotInCohort, 1);
        return Ok(());
    };
    if again.cells() != past.said.cells.as_slice() {
        note(replay, past.entry, Some(Differs::Inputs));
        return Ok(());
    }
    let whole = ShownCase { known_to: case.known_to.clone(), ..ShownCase::of(now, now.score().log_odds()) };
    // Features from elsewhere were shown without the records behind them.
    let is_of_records = past.audit.table.is_none() && is_of_this_version(&past.audit);
    if is_of_records && whole.score.to_bits() == case.score.to_bits() && whole != *case {
        note(replay, past.entry, Some(Differs::Words));
        return Ok(());
    }
    compare(&past.audit, asking.scorer(), &[(past.entry, past.kept(case))], replay)
}

/// The entry of an answer.
fn draft_of(scorer: &Scorer, asked: &Asked) -> Result<Draft, LedgerError> {
    let audit = asked.provenance();
    if audit.model != scorer.digest() {
        return Err(LedgerError::OtherRun);
    }
    let accepted = audit.accepted.iter().flat_map(|held| [&held.acceptance.by, &held.acceptance.reason]);
    let exception = audit.exception.iter().flat_map(|held| [&held.by, &held.reason]);
    let origins = audit.given.iter().chain(audit.table.iter().map(|table| &table.dialect));
    let kept = [&audit.requested_by].into_iter().chain(accepted).chain(exception).chain(origins);
    // What stays when the person is taken out.
    if kept.into_iter().any(|text| Reviewer::new(&**text, "").names(asked.entity())) {
        return Err(LedgerError::NamesThePerson);
    }
    let (answer, case, why) = match asked.answer() {
        Answer::Scored(case) => (Answered::Scored, Some(ShownCase::of(case, case.score().log_odds())), None),
        Answer::NotScored(why) => (Answered::NotScored, None, Some(why.words())),
        Answer::NotInCohort(why) => (Answered::NotInCohort, None, Some(why.words())),
    };
    let bare = audit.without_digests();
    let facts =
        AskedFacts { audit: Provenance { run_id: String::new(), cohort: String::new(), ..bare }, answer };
    let digest = |source: &SourceState| (source.source.clone(), source.digest.clone());
    let said = AskedContent {
        run_id: audit.run_id.clone(),
        cohort: audit.cohort.clone(),
        sources: audit.sources.iter().map(digest).collect(),
        cells: asked.cells().to_vec(),
        seen_on: asked.own_day(),
        case,
        why,
    };
    Draft::of(EntryKind::CaseAsked, audit.requested_on, &facts)?.with(Some(asked.entity()), &said)
}
