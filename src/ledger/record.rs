//! Writing down: models, runs, cases opened, decisions.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, Kind, ModelFacts, OpenedContent, RejectCount,
    RunFinished, RunStarted, ScoreContent,
};
use super::{Content, Draft, Entry, Ledger, LedgerError, Wanted};
use crate::calendar::{AsOf, Day};
use crate::records::{Records, summarise};
use crate::review::{Decision, ReviewList, Reviewer};
use crate::scoring::{AuditedModel, Request, Scorer, Scores};

/// A run that was started and is to be finished: see [`Ledger::start_run`].
#[derive(Debug)]
#[must_use = "a run that is started and not finished stays on record as one that did not end"]
pub struct RunStart {
    entry: u64,
    model: String,
}

impl Draft {
    /// An entry of a kind with its facts, and no content.
    pub(super) fn of(kind: Kind, on: Day, facts: &impl Serialize) -> Result<Self, LedgerError> {
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

impl Wanted {
    /// Entries of these kinds.
    #[must_use]
    pub fn of(kinds: &[Kind]) -> Self {
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
        self.record_model(Kind::ModelRegistered, &facts, &text, on)
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
        self.record_model(Kind::ModelReleased, &facts, &text, sign_off.signed_on)
    }

    fn record_model(&self, kind: Kind, facts: &ModelFacts, text: &str, on: Day) -> Result<(), LedgerError> {
        if self.model_entry(kind, &facts.model)?.is_some() {
            return Ok(());
        }
        self.append(vec![Draft::of(kind, on, facts)?.with(None, &text)?])?;
        Ok(())
    }

    /// Takes a released model out of use: no run can be started with it from then on.
    ///
    /// # Errors
    /// [`LedgerError::NoModel`] where the ledger holds no such release, [`LedgerError::Incomplete`] without a
    /// name or a reason.
    pub fn retire(&self, model: &str, by: &str, reason: &str, on: Day) -> Result<(), LedgerError> {
        for (what, text) in [("who retires the model", by), ("why the model is retired", reason)] {
            if text.trim().is_empty() {
                return Err(LedgerError::Incomplete(what));
            }
        }
        let Some(entry) = self.model_entry(Kind::ModelReleased, model)? else {
            return Err(LedgerError::NoModel(model.to_owned()));
        };
        let released: ModelFacts = entry.facts_as()?;
        let facts = ModelFacts { by: by.to_owned(), reason: Some(reason.to_owned()), role: None, ..released };
        self.append(vec![Draft::of(Kind::ModelRetired, on, &facts)?])?;
        Ok(())
    }

    /// The first entry of a kind about a model whose digest starts so.
    pub(super) fn model_entry(&self, kind: Kind, model: &str) -> Result<Option<Entry>, LedgerError> {
        for entry in self.entries(&Wanted::of(&[kind]))? {
            if entry.facts_as::<ModelFacts>()?.model.starts_with(model) {
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
        let entry = self.model_entry(Kind::ModelReleased, digest)?.ok_or_else(none)?;
        let text: String = entry.content_as()?.ok_or_else(none)?;
        Scorer::from_json(&text).map_err(|_| none())
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
        if self.model_entry(Kind::ModelRetired, scorer.digest())?.is_some() {
            return Err(LedgerError::Retired);
        }
        self.record_release(scorer)?;
        let facts = RunStarted {
            model: scorer.digest().to_owned(),
            as_of,
            purpose: request.purpose.clone(),
            requested_by: request.requested_by.clone(),
            configuration: configuration
                .map(|configuration| hex::encode(Sha256::digest(configuration.as_bytes()))),
            library_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let head = self.append(vec![Draft::of(Kind::RunStarted, request.on, &facts)?])?;
        Ok(RunStart { entry: head.entries, model: facts.model })
    }

    /// Puts a run on record, whole or not at all: every case of the cohort with what the model's features said
    /// of it, the listed ones as the team sees them, those that were not scored, and the run's manifest.
    /// A run that stands there already (the same of the same) is not written again.
    ///
    /// # Errors
    /// [`LedgerError::OtherRun`] where scores, list and start are not of one run; others where the ledger
    /// cannot be written.
    pub fn finish_run(
        &self,
        start: RunStart,
        scores: &Scores<'_, '_>,
        list: &ReviewList,
        records: &Records,
    ) -> Result<String, LedgerError> {
        let RunStart { entry: started, model } = start;
        let audit = scores.audit();
        if audit != list.audit() || model != audit.model {
            return Err(LedgerError::OtherRun);
        }
        let (run, on) = (audit.run_id.as_str(), audit.requested_on);
        let mut drafts = Vec::with_capacity(scores.len() + scores.not_scored().len() + 1);
        if self.finished(run)?.is_none() {
            let listed: hashbrown::HashMap<&str, usize> = list
                .entries()
                .iter()
                .enumerate()
                .map(|(place, entry)| (entry.case().entity(), place))
                .collect();
            for score in scores.recorded() {
                let place = listed.get(score.entity).copied();
                let entry = place.map(|place| &list.entries()[place]);
                let facts = CaseScored {
                    place: place.map(|place| place as u32 + 1),
                    drawn: entry.map(crate::review::Entry::drawn),
                };
                let content = ScoreContent {
                    rank: score.rank,
                    of: scores.len() as u32,
                    log_odds: score.log_odds,
                    cells: score.cells,
                    case: entry.map(|entry| value(entry.case())).transpose()?,
                };
                let draft = Draft::of(Kind::CaseScored, on, &facts)?.run(run);
                drafts.push(draft.with(Some(score.entity), &content)?);
            }
            for case in scores.not_scored() {
                let draft = Draft::of(Kind::CaseNotScored, on, &Value::Object(serde_json::Map::new()))?;
                drafts.push(draft.run(run).with(Some(case.entity()), case.reason())?);
            }
        }
        let (capacity, comparison) = list.drawn_with();
        let at_random = list.entries().iter().filter(|entry| entry.drawn() == crate::review::Drawn::AtRandom);
        let at_random = at_random.count() as u64;
        let text = serde_json::to_vec(list).map_err(|error| LedgerError::Draft(error.to_string()))?;
        let facts = RunFinished {
            started,
            audit: audit.clone(),
            intake: records.intake().to_vec(),
            rejects: summarise(records.rejects())
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
            output: hex::encode(Sha256::digest(text)),
        };
        drafts.push(Draft::of(Kind::RunFinished, on, &facts)?.run(run));
        self.append(drafts)?;
        Ok(run.to_owned())
    }

    /// The first manifest of a run, or of the run whose id starts so.
    pub(super) fn finished(&self, run: &str) -> Result<Option<RunFinished>, LedgerError> {
        for entry in self.entries(&Wanted::of(&[Kind::RunFinished]))? {
            if entry.run().is_some_and(|held| held.starts_with(run)) {
                return entry.facts_as().map(Some);
            }
        }
        Ok(None)
    }

    /// The manifests of all runs that ended, in the order in which they did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<RunFinished>, LedgerError> {
        self.entries(&Wanted::of(&[Kind::RunFinished]))?.iter().map(Entry::facts_as).collect()
    }

    /// Opens the case in a place of a recorded list (from 1) for a named reviewer, and puts that on record
    /// before anything of the case is given out. `own_judgement` is what they think before they see the
    /// score, where the team works so.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`], [`LedgerError::NoPlace`] where there is no such list or place,
    /// [`LedgerError::Purged`] where the case was taken out, [`LedgerError::Expired`] after the list's last
    /// day, [`LedgerError::Incomplete`] without name or role.
    pub fn open_case(
        &self,
        run: &str,
        place: u32,
        reviewer: Reviewer,
        own_judgement: Option<&str>,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        let case = self.listed(run, place, reviewer, on)?;
        let facts = CaseOpened {
            case: case.entry,
            reviewer: case.reviewer.clone(),
            judged_first: own_judgement.is_some(),
        };
        let content = OpenedContent { own_judgement: own_judgement.map(str::to_owned) };
        let draft = Draft::of(Kind::CaseOpened, on, &facts)?.run(&case.run);
        self.append(vec![draft.with(Some(&case.entity), &content)?])?;
        Ok(case)
    }

    /// A case that this reviewer opened before.
    ///
    /// # Errors
    /// As [`Ledger::open_case`], and [`LedgerError::NotOpened`].
    pub fn opened_case(
        &self,
        run: &str,
        place: u32,
        reviewer: Reviewer,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        let case = self.listed(run, place, reviewer, on)?;
        let opened_on = self.opening(&case)?.ok_or(LedgerError::NotOpened)?;
        Ok(RecordedCase { opened_on, ..case })
    }

    /// When the reviewer of a case opened it last, if they did.
    fn opening(&self, case: &RecordedCase) -> Result<Option<Day>, LedgerError> {
        let mut opened_on = None;
        let wanted = Wanted::of(&[Kind::CaseOpened]).run(&case.run);
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
        run: &str,
        place: u32,
        reviewer: Reviewer,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        reviewer.check().map_err(|_| LedgerError::Incomplete("the reviewer's name and role"))?;
        let no_run = || LedgerError::NoRun(run.to_owned());
        let audit = self.finished(run)?.ok_or_else(no_run)?.audit;
        if on > audit.expires {
            return Err(LedgerError::Expired(audit.expires.to_string()));
        }
        let mut found = None;
        self.read(&Wanted::of(&[Kind::CaseScored]).run(&audit.run_id), &mut |entry| {
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
        let run = decision.run_id();
        if self.finished(run)?.is_none() {
            return Err(LedgerError::NoRun(run.to_owned()));
        }
        let wanted = Wanted::of(&[Kind::CaseScored]).run(run).subject(decision.entity());
        let case = self.entries(&wanted)?.into_iter().next().ok_or(LedgerError::NotListed)?;
        if case.facts_as::<CaseScored>()?.place.is_none() {
            return Err(LedgerError::NotListed);
        }
        let reviewer = decision.reviewer().clone();
        let mut drafts = Vec::new();
        let opened = self.entries(&Wanted::of(&[Kind::CaseOpened]).run(run))?;
        let is_opening = |entry: &Entry| -> Result<bool, LedgerError> {
            let facts: CaseOpened = entry.facts_as()?;
            Ok(facts.case == case.seq() && facts.reviewer == reviewer)
        };
        let was_opened = opened.iter().map(is_opening).collect::<Result<Vec<_>, _>>()?.contains(&true);
        if !was_opened {
            let facts = CaseOpened { case: case.seq(), reviewer: reviewer.clone(), judged_first: false };
            let draft = Draft::of(Kind::CaseOpened, decision.opened_on(), &facts)?.run(run);
            drafts.push(draft.with(Some(decision.entity()), &OpenedContent { own_judgement: None })?);
        }
        let facts = DecisionFacts {
            case: case.seq(),
            drawn: decision.drawn(),
            reviewer,
            opened_on: decision.opened_on(),
            step: decision.step(),
            agreement: decision.agreement(),
        };
        let content = DecisionContent { reason: decision.reason().to_owned() };
        let draft = Draft::of(Kind::Decision, decision.decided_on(), &facts)?.run(run);
        drafts.push(draft.with(Some(decision.entity()), &content)?);
        self.append(drafts)?;
        Ok(())
    }
}

/// A case of a recorded list while a named person looks at it: from here, too, there can be a
/// [`Decision`].
pub struct RecordedCase {
    run: String,
    entry: u64,
    entity: String,
    drawn: crate::review::Drawn,
    case: Value,
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

    /// What the list said of the case: a [`ScoredCase`](crate::scoring::ScoredCase) as it was written.
    #[must_use]
    pub fn case(&self) -> &Value {
        &self.case
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
