//! Writing down: models, runs, cases opened, decisions.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::entry::{Content, Draft, LedgerEntry};
use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, EntryKind, ModelFacts, OpenedContent,
    RejectCount, RunContent, RunFinished, RunStarted, ScoreContent,
};
use super::handle::Ledger;
use super::shown::ShownCase;
use super::store::Filter;
use crate::calendar::{AsOf, Day};
use crate::error::LedgerError;
use crate::records::{Records, summarise};
use crate::review::{Decision, ReviewList, Reviewer, WhyListed};
use crate::scoring::{AuditedModel, Provenance, Request, Scorer, Scores};

/// A run that was started and is to be finished: see [`Ledger::start_run`].
#[derive(Debug)]
#[must_use = "a run that is started and not finished stays on record as one that did not end"]
pub struct RunStart {
    entry: u64,
    facts: RunStarted,
}

/// The fewest characters that may stand for an id: of fewer, several soon begin alike.
const SHORTEST: usize = 6;

impl Draft {
    /// An entry of a kind with its facts, and no content.
    pub(super) fn of(kind: EntryKind, on: Day, facts: &impl Serialize) -> Result<Self, LedgerError> {
        Ok(Self::new(kind.name(), on).facts(value(facts)?))
    }

    /// What can be taken out again; `subject` is the pseudonym of whom it is about.
    pub(super) fn with(self, subject: Option<&str>, body: &impl Serialize) -> Result<Self, LedgerError> {
        let content = Content { subject: subject.map(str::to_owned), body: value(body)? };
        Ok(Self { content: Some(content), ..self })
    }
}

fn value(of: &impl Serialize) -> Result<Value, LedgerError> {
    serde_json::to_value(of).map_err(|error| LedgerError::Draft(error.to_string()))
}

impl Filter {
    /// Entries of these kinds.
    #[must_use]
    pub fn of(kinds: &[EntryKind]) -> Self {
        Self { kinds: kinds.iter().map(|kind| kind.name().to_owned()).collect(), ..Self::default() }
    }
}

impl Ledger {
    /// Puts an audited model on record, with its file's text. Nothing is written where it stands there.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub fn register(&self, model: &AuditedModel, by: &str, on: Day) -> Result<(), LedgerError> {
        let facts = ModelFacts {
            model: model.digest().to_owned(),
            candidate: model.candidate().digest().to_owned(),
            by: by.to_owned(),
            role: None,
            purpose: None,
            review_by: None,
            reason: None,
        };
        let text = model.to_json().map_err(|error| LedgerError::Draft(error.to_string()))?;
        self.record_model(EntryKind::ModelRegistered, &facts, &text, on)
    }

    /// Puts a release on record: who signed, for what, and the released file's text, from which past scores
    /// can be made again. Nothing is written where it stands there.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub fn record_release(&self, scorer: &Scorer) -> Result<(), LedgerError> {
        let sign_off = scorer.sign_off();
        let facts = ModelFacts {
            model: scorer.digest().to_owned(),
            candidate: scorer.candidate().digest().to_owned(),
            by: sign_off.by.clone(),
            role: Some(sign_off.role.clone()),
            purpose: Some(sign_off.purpose.clone()),
            review_by: Some(sign_off.review_by),
            reason: None,
        };
        let text = scorer.to_json().map_err(|error| LedgerError::Draft(error.to_string()))?;
        self.record_model(EntryKind::ModelReleased, &facts, &text, sign_off.signed_on)
    }

    fn record_model(
        &self,
        kind: EntryKind,
        facts: &ModelFacts,
        text: &str,
        on: Day,
    ) -> Result<(), LedgerError> {
        self.write(|| {
            if self.model_entry(kind, &facts.model)?.is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![Draft::of(kind, on, facts)?.with(None, &text)?])
        })?;
        Ok(())
    }

    /// Takes a released model, named by the beginning of its digest, out of use: no run of that day or a later
    /// one can be started with it.
    ///
    /// # Errors
    /// [`LedgerError::NoModel`] where the ledger holds no such release, [`LedgerError::Ambiguous`] where it holds
    /// several, [`LedgerError::Incomplete`] without a
    /// name or a reason.
    pub fn retire(&self, model: &str, by: &str, reason: &str, on: Day) -> Result<(), LedgerError> {
        for (what, text) in [("who retires the model", by), ("why the model is retired", reason)] {
            if text.trim().is_empty() {
                return Err(LedgerError::Incomplete(what));
            }
        }
        let mut named = Vec::new();
        for entry in self.entries(&Filter::of(&[EntryKind::ModelReleased]))? {
            named.push(entry.facts_as::<ModelFacts>()?);
        }
        named.retain(|facts| facts.model.starts_with(model));
        let released = match named.as_slice() {
            [] => return Err(LedgerError::NoModel(model.to_owned())),
            [only] if model.len() >= SHORTEST => only.clone(),
            _ => return Err(LedgerError::Ambiguous(model.to_owned(), "model")),
        };
        let facts = ModelFacts { by: by.to_owned(), reason: Some(reason.to_owned()), role: None, ..released };
        self.write(|| Ok(vec![Draft::of(EntryKind::ModelRetired, on, &facts)?]))?;
        Ok(())
    }

    /// The first entry of a kind about a model.
    fn model_entry(&self, kind: EntryKind, digest: &str) -> Result<Option<LedgerEntry>, LedgerError> {
        for entry in self.entries(&Filter::of(&[kind]))? {
            if entry.facts_as::<ModelFacts>()?.model == digest {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// A released model as the ledger holds it.
    ///
    /// # Errors
    /// [`LedgerError::NoModel`] where it holds none of that digest, or the text is not that model's.
    pub fn released_model(&self, digest: &str) -> Result<Scorer, LedgerError> {
        let none = || LedgerError::NoModel(digest.to_owned());
        let entry = self.model_entry(EntryKind::ModelReleased, digest)?.ok_or_else(none)?;
        let text: String = entry.content_as()?.ok_or_else(none)?;
        Scorer::from_json(&text).ok().filter(|scorer| scorer.digest() == digest).ok_or_else(none)
    }

    /// Puts on record that somebody asks for a run, before it is made: a run that fails is known, too. The
    /// model's release is put on record with it.
    ///
    /// # Errors
    /// [`LedgerError::Retired`] where the model was taken out of use.
    pub fn start_run(
        &self,
        scorer: &Scorer,
        request: &Request,
        as_of: AsOf,
        configuration: Option<&str>,
    ) -> Result<RunStart, LedgerError> {
        let retired = self.model_entry(EntryKind::ModelRetired, scorer.digest())?;
        if retired.is_some_and(|entry| entry.on() <= request.on) {
            return Err(LedgerError::Retired);
        }
        self.record_release(scorer)?;
        let facts = RunStarted {
            model: scorer.digest().to_owned(),
            as_of,
            purpose: request.purpose.clone(),
            requested_by: request.requested_by.clone(),
            accepted: request.accepted.clone(),
            configuration: configuration
                .map(|configuration| hex::encode(Sha256::digest(configuration.as_bytes()))),
            library_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let head = self.write(|| Ok(vec![Draft::of(EntryKind::RunStarted, request.on, &facts)?]))?;
        Ok(RunStart { entry: head.entries, facts })
    }

    /// Puts a run on record, whole or not at all: every case of the cohort with what the model's features said
    /// of it, the listed ones as the team sees them, those that were not scored, and the run's manifest.
    /// A run that stands there already (the same of the same) is not written again.
    ///
    /// Do this before the list is given to anybody.
    ///
    /// # Errors
    /// [`LedgerError::OtherRun`] where scores, list and start are not of one run, or the start is not in this
    /// ledger; [`LedgerError::OtherList`] where the run is on record with another list;
    /// [`LedgerError::PurgedMeanwhile`] where somebody was taken out since the start; others where the ledger
    /// cannot be written.
    pub fn finish_run(
        &self,
        start: RunStart,
        scores: &Scores<'_, '_>,
        list: &ReviewList,
        records: &Records,
    ) -> Result<String, LedgerError> {
        let RunStart { entry: started, facts: asked } = start;
        let audit = scores.provenance();
        let begun = self.entries(&Filter::of(&[EntryKind::RunStarted]).from(started).limit(1))?;
        let is_begun = begun.first().is_some_and(|entry| entry.seq() == started);
        let same = asked.model == audit.model && asked.as_of == audit.as_of && asked.purpose == audit.purpose;
        if audit != list.provenance() || !same || !is_begun {
            return Err(LedgerError::OtherRun);
        }
        let manifest = manifest(started, scores, list, records);
        let text = serde_json::to_vec(list).map_err(|error| LedgerError::Draft(error.to_string()))?;
        let digests = RunContent { cohort: audit.cohort.clone(), output: hex::encode(Sha256::digest(text)) };
        let (run, on) = (audit.run_id.as_str(), audit.requested_on);
        self.write(|| {
            if !self.entries(&Filter::of(&[EntryKind::Purge]).from(started).limit(1))?.is_empty() {
                return Err(LedgerError::PurgedMeanwhile);
            }
            let mut drafts = match self.finished(run)? {
                None => case_drafts(scores, list)?,
                Some(held)
                    if (held.capacity, held.comparison, &held.shares)
                        == (manifest.capacity, manifest.comparison, &manifest.shares) =>
                {
                    Vec::new()
                }
                Some(_) => return Err(LedgerError::OtherList),
            };
            let draft = Draft::of(EntryKind::RunFinished, on, &manifest)?.run(run);
            drafts.push(draft.with(None, &digests)?);
            Ok(drafts)
        })?;
        Ok(run.to_owned())
    }

    /// The first manifest of a run.
    pub(super) fn finished(&self, run: &str) -> Result<Option<RunFinished>, LedgerError> {
        let wanted = Filter::of(&[EntryKind::RunFinished]).run(run).limit(1);
        self.entries(&wanted)?.first().map(LedgerEntry::facts_as).transpose()
    }

    /// The manifest of the one run whose id begins so.
    pub(super) fn run_named(&self, beginning: &str) -> Result<RunFinished, LedgerError> {
        let mut runs = self.runs()?;
        runs.retain(|run| run.audit.run_id.starts_with(beginning));
        runs.dedup_by(|a, b| a.audit.run_id == b.audit.run_id);
        let several = runs.windows(2).any(|pair| pair[0].audit.run_id != pair[1].audit.run_id);
        match runs.into_iter().next() {
            None => Err(LedgerError::NoRun(beginning.to_owned())),
            Some(_) if several || beginning.len() < SHORTEST => {
                Err(LedgerError::Ambiguous(beginning.to_owned(), "run"))
            }
            Some(run) => Ok(run),
        }
    }

    /// The manifests of all runs that ended, in the order in which they did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<RunFinished>, LedgerError> {
        self.entries(&Filter::of(&[EntryKind::RunFinished]))?.iter().map(LedgerEntry::facts_as).collect()
    }

    /// Opens a case of a recorded list (the run, or the beginning of its id, and the place from 1) for a named
    /// reviewer, and puts that on record
    /// before anything of the case is given out. `own_judgement` is what they think before they see the
    /// score, where the team works so.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`], [`LedgerError::NoPlace`] where there is no such list or place,
    /// [`LedgerError::Purged`] where the case was taken out, [`LedgerError::Expired`] after the list's last
    /// day, [`LedgerError::Incomplete`] without name or role.
    pub fn open_case(
        &self,
        listed: (&str, u32),
        reviewer: Reviewer,
        own_judgement: Option<&str>,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        let case = self.listed(listed, reviewer, on)?;
        let own = own_judgement.map(str::trim).filter(|text| !text.is_empty());
        self.write(|| {
            let is_held = !self
                .entries(&Filter::of(&[EntryKind::CaseScored]).subject(&case.entity).limit(1))?
                .is_empty();
            if !is_held {
                return Err(LedgerError::Purged);
            }
            // Who has opened it before has seen the score before.
            let judged_first = own.is_some() && self.opening(&case)?.is_none();
            let facts = CaseOpened { case: case.entry, reviewer: case.reviewer.clone(), judged_first };
            let content = OpenedContent { own_judgement: own.map(str::to_owned) };
            let draft = Draft::of(EntryKind::CaseOpened, on, &facts)?.run(&case.run);
            Ok(vec![draft.with(Some(&case.entity), &content)?])
        })?;
        Ok(case)
    }

    /// A case that this reviewer opened before.
    ///
    /// # Errors
    /// As [`Ledger::open_case`], and [`LedgerError::NotOpened`].
    pub fn opened_case(
        &self,
        listed: (&str, u32),
        reviewer: Reviewer,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        let case = self.listed(listed, reviewer, on)?;
        let opened_on = self.opening(&case)?.ok_or(LedgerError::NotOpened)?;
        if on < opened_on {
            return Err(LedgerError::TooEarly("the day on which the case was opened"));
        }
        Ok(RecordedCase { opened_on, ..case })
    }

    /// When the reviewer of a case opened it last, if they did.
    fn opening(&self, case: &RecordedCase) -> Result<Option<Day>, LedgerError> {
        let mut opened_on = None;
        let wanted = Filter::of(&[EntryKind::CaseOpened]).run(&case.run);
        for entry in self.entries(&wanted)? {
            let facts: CaseOpened = entry.facts_as()?;
            if facts.case == case.entry && facts.reviewer == case.reviewer {
                opened_on = Some(entry.on());
            }
        }
        Ok(opened_on)
    }

    fn listed(
        &self,
        (run, place): (&str, u32),
        reviewer: Reviewer,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        reviewer.check().map_err(|_| LedgerError::Incomplete("the reviewer's name and role"))?;
        let audit = self.run_named(run)?.audit;
        if on < audit.requested_on {
            return Err(LedgerError::TooEarly("the day on which the list was asked for"));
        }
        if on > audit.expires {
            return Err(LedgerError::Expired(audit.expires.to_string()));
        }
        let mut found = None;
        self.read(&Filter::of(&[EntryKind::CaseScored]).run(&audit.run_id), &mut |entry| {
            let facts: CaseScored = entry.facts_as()?;
            if let (Some(held), Some(drawn)) = (facts.place, facts.drawn)
                && held == place
            {
                found = Some((entry, drawn));
            }
            Ok(())
        })?;
        let (entry, drawn) = found.ok_or(LedgerError::NoPlace(place))?;
        let content: ScoreContent = entry.content_as()?.ok_or(LedgerError::Purged)?;
        let subject = entry.content().and_then(|content| content.subject.clone());
        Ok(RecordedCase {
            run: audit.run_id,
            entry: entry.seq(),
            entity: subject.ok_or(LedgerError::Purged)?,
            drawn,
            case: content.case.ok_or(LedgerError::NoPlace(place))?,
            reviewer,
            opened_on: on,
            expires: audit.expires,
        })
    }

    /// Puts a decision on record, and that the case was opened, where that does not stand there.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] and [`LedgerError::NotListed`] where the decision is about a case that is not
    /// on a list in this ledger.
    pub fn record_decision(&self, decision: &Decision) -> Result<(), LedgerError> {
        self.write(|| self.decision_drafts(decision))?;
        Ok(())
    }

    fn decision_drafts(&self, decision: &Decision) -> Result<Vec<Draft>, LedgerError> {
        let run = decision.run_id();
        if self.finished(run)?.is_none() {
            return Err(LedgerError::NoRun(run.to_owned()));
        }
        let wanted = Filter::of(&[EntryKind::CaseScored]).run(run).subject(decision.entity());
        let case = self.entries(&wanted)?.into_iter().next().ok_or(LedgerError::NotListed)?;
        if case.facts_as::<CaseScored>()?.place.is_none() {
            return Err(LedgerError::NotListed);
        }
        let reviewer = decision.reviewer().clone();
        let mut drafts = Vec::new();
        let mut was_opened = false;
        for entry in self.entries(&Filter::of(&[EntryKind::CaseOpened]).run(run))? {
            let facts: CaseOpened = entry.facts_as()?;
            was_opened |= facts.case == case.seq() && facts.reviewer == reviewer;
        }
        if !was_opened {
            let facts = CaseOpened { case: case.seq(), reviewer: reviewer.clone(), judged_first: false };
            let draft = Draft::of(EntryKind::CaseOpened, decision.opened_on(), &facts)?.run(run);
            drafts.push(draft.with(Some(decision.entity()), &OpenedContent { own_judgement: None })?);
        }
        let facts = DecisionFacts {
            case: case.seq(),
            drawn: decision.why_listed(),
            reviewer,
            opened_on: decision.opened_on(),
            step: decision.step(),
            agreement: decision.agreement(),
        };
        let content = DecisionContent { reason: decision.reason().to_owned() };
        let draft = Draft::of(EntryKind::Decision, decision.decided_on(), &facts)?.run(run);
        drafts.push(draft.with(Some(decision.entity()), &content)?);
        Ok(drafts)
    }
}

/// The manifest of a run.
fn manifest(started: u64, scores: &Scores<'_, '_>, list: &ReviewList, records: &Records) -> RunFinished {
    let (capacity, comparison) = list.drawn_with();
    let at_random =
        list.entries().iter().filter(|entry| entry.why_listed() == WhyListed::AtRandom).count() as u64;
    let rejects = summarise(records.rejects());
    RunFinished {
        started,
        audit: Provenance { cohort: String::new(), ..scores.provenance().clone() },
        intake: records.intake().to_vec(),
        rejects: rejects
            .into_iter()
            .map(|(source, column, reason, rows)| RejectCount {
                source: source.to_owned(),
                column: column.map(str::to_owned),
                reason: reason.code().to_owned(),
                rows,
            })
            .collect(),
        scored: scores.len() as u64,
        not_scored: scores.not_scored().len() as u64,
        capacity,
        comparison,
        shares: list.shares().cloned(),
        alerts: list.len() as u64 - at_random,
        at_random,
    }
}

/// An entry for each case of a run's cohort.
fn case_drafts(scores: &Scores<'_, '_>, list: &ReviewList) -> Result<Vec<Draft>, LedgerError> {
    let (run, on) = (scores.provenance().run_id.as_str(), scores.provenance().requested_on);
    let listed: hashbrown::HashMap<&str, usize> =
        list.entries().iter().enumerate().map(|(place, entry)| (entry.case().entity(), place)).collect();
    let mut drafts = Vec::with_capacity(scores.len() + scores.not_scored().len() + 1);
    for score in scores.recorded() {
        let place = listed.get(score.entity).copied();
        let entry = place.map(|place| &list.entries()[place]);
        let facts = CaseScored {
            place: place.map(|place| place as u32 + 1),
            drawn: entry.map(crate::review::ListedCase::why_listed),
        };
        let content = ScoreContent {
            rank: score.rank,
            of: scores.len() as u32,
            log_odds: score.log_odds,
            cells: score.cells,
            case: entry.map(|entry| ShownCase::of(entry.case(), score.log_odds)),
        };
        let draft = Draft::of(EntryKind::CaseScored, on, &facts)?.run(run);
        drafts.push(draft.with(Some(score.entity), &content)?);
    }
    for case in scores.not_scored() {
        let draft = Draft::of(EntryKind::CaseNotScored, on, &Value::Object(serde_json::Map::new()))?;
        drafts.push(draft.run(run).with(Some(case.entity()), case.reason())?);
    }
    Ok(drafts)
}

/// A case of a recorded list while a named person looks at it: from here, too, there can be a
/// [`Decision`].
pub struct RecordedCase {
    run: String,
    entry: u64,
    entity: String,
    drawn: WhyListed,
    case: ShownCase,
    reviewer: Reviewer,
    opened_on: Day,
    expires: Day,
}

crate::opaque_debug!(RecordedCase);

impl RecordedCase {
    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// What the list said of the case, as data.
    ///
    /// # Errors
    /// [`LedgerError::Draft`] where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, LedgerError> {
        serde_json::to_string_pretty(&self.case).map_err(|error| LedgerError::Draft(error.to_string()))
    }

    /// What the list said of the case, in a few lines: its rank, what makes the score, what the list cannot see.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.case.in_words()
    }

    /// Decides, with a reason in words.
    ///
    /// # Errors
    /// [`ReviewError`](crate::error::ReviewError) without a reason or after the list's last day.
    pub fn decide(
        self,
        step: crate::review::Step,
        agreement: crate::review::Agreement,
        reason: impl Into<String>,
        on: Day,
    ) -> Result<Decision, crate::error::ReviewError> {
        Decision::about(
            crate::review::LookedAt {
                run_id: self.run,
                entity: self.entity,
                drawn: self.drawn,
                reviewer: self.reviewer,
                opened_on: self.opened_on,
                expires: self.expires,
            },
            step,
            agreement,
            reason.into(),
            on,
        )
    }
}
