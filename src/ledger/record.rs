//! Writing down: models and runs.

use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::entry::{Content, Draft, LedgerEntry};
use super::events::{
    CaseScored, EntryKind, ModelFacts, RejectCount, RunContent, RunFinished, RunStarted, ScoreContent,
};
use super::handle::Ledger;
use super::listed::shown_on;
use super::store::Filter;
use crate::calendar::{AsOf, Day};
use crate::error::{LedgerError, ScoringError};
use crate::records::{Records, Road, summarise};
use crate::review::{ListParams, ReviewList, WhyListed, Witness};
use crate::scoring::{AuditedModel, Provenance, Request, Scorer, Scores, SourceState};
use crate::words;

/// A run that was started and is to be finished: see [`Ledger::start_run`].
#[derive(Debug)]
#[must_use = "a run that is started and not finished stays on record as one that did not end"]
pub struct RunStart {
    entry: u64,
    facts: RunStarted,
}

/// The fewest characters that may stand for an id: fewer are a slip of the hand, not a name.
const SHORTEST: usize = 4;

/// The one of the ids that begins so.
fn named<'i>(
    ids: impl Iterator<Item = &'i str>,
    given: &str,
    what: &'static str,
) -> Result<Option<&'i str>, LedgerError> {
    let mut found: Vec<&str> = ids.filter(|id| id.starts_with(given)).collect();
    found.sort_unstable();
    found.dedup();
    // One may be the beginning of another, and is named by being given whole.
    if let Some(whole) = found.iter().find(|id| **id == given) {
        return Ok(Some(whole));
    }
    // Those that begin most alike stand side by side.
    let alike = |pair: &[&str]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count() + 1;
    let needs = found.windows(2).map(alike).max().unwrap_or(0).max(SHORTEST);
    match found.as_slice() {
        [] => Ok(None),
        [only] if given.len() >= SHORTEST => Ok(Some(only)),
        _ => Err(LedgerError::Ambiguous { given: given.to_owned(), what, needs }),
    }
}

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
            signed_on: None,
            review_by: None,
            reason: None,
        };
        self.record_model(EntryKind::ModelRegistered, &facts, || model.to_json(), on)
    }

    /// Puts a release on record on a day: who signed, when, for what, and the released file's text, from which past
    /// scores can be made again. Nothing is written where it stands there.
    ///
    /// # Errors
    /// [`LedgerError::Retired`] where the model was taken out of use: sign for it anew, after a review.
    /// [`LedgerError`] where the ledger cannot be written, or the day lies before that of signing.
    pub fn record_release(&self, scorer: &Scorer, on: Day) -> Result<(), LedgerError> {
        if let Some(retired_on) = self.retired_on(scorer.digest(), None)? {
            return Err(LedgerError::Retired(retired_on.to_string()));
        }
        if on < scorer.sign_off().signed_on {
            return Err(LedgerError::TooEarly("the day on which the model was signed for"));
        }
        let sign_off = scorer.sign_off();
        let facts = ModelFacts {
            model: scorer.digest().to_owned(),
            candidate: scorer.candidate().digest().to_owned(),
            by: sign_off.by.clone(),
            role: Some(sign_off.role.clone()),
            purpose: Some(sign_off.purpose.clone()),
            signed_on: Some(sign_off.signed_on),
            review_by: Some(sign_off.review_by),
            reason: None,
        };
        self.record_model(EntryKind::ModelReleased, &facts, || scorer.to_json(), on)
    }

    fn record_model(
        &self,
        kind: EntryKind,
        facts: &ModelFacts,
        text: impl Fn() -> Result<String, ScoringError>,
        on: Day,
    ) -> Result<(), LedgerError> {
        // It stands there nearly always, and its text is long.
        if self.model_entry(kind, &facts.model)?.is_some() {
            return Ok(());
        }
        let text = text().map_err(|error| LedgerError::Draft(error.to_string()))?;
        self.write(|| {
            if self.model_entry(kind, &facts.model)?.is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![Draft::of(kind, on, facts)?.with(None, &text)?])
        })?;
        Ok(())
    }

    /// Takes a released model, named by the beginning of its digest, out of use: from that day on no run can be
    /// started with it, and no case of its lists opened or decided.
    ///
    /// # Errors
    /// [`LedgerError::NoModel`] where the ledger holds no such release, [`LedgerError::Ambiguous`] where it holds
    /// several, [`LedgerError::Retired`] where it was retired before, [`LedgerError::TooEarly`] before the day of its
    /// release, [`LedgerError::Incomplete`] without a name or a reason.
    pub fn retire(&self, model: &str, by: &str, reason: &str, on: Day) -> Result<(), LedgerError> {
        for (what, text) in [("who retires the model", by), ("why the model is retired", reason)] {
            if words::is_blank(text) {
                return Err(LedgerError::Incomplete(what));
            }
        }
        self.write(|| {
            let releases = self.entries(&Filter::of(&[EntryKind::ModelReleased]).facts_only())?;
            let held: Vec<ModelFacts> =
                releases.iter().map(LedgerEntry::facts_as).collect::<Result<_, _>>()?;
            let digest = named(held.iter().map(|facts| facts.model.as_str()), model, "model")?;
            let Some((entry, released)) =
                releases.iter().zip(&held).find(|(_, facts)| Some(facts.model.as_str()) == digest)
            else {
                return Err(LedgerError::NoModel(model.to_owned()));
            };
            if let Some(retired_on) = self.retired_on(&released.model, None)? {
                return Err(LedgerError::Retired(retired_on.to_string()));
            }
            if on < entry.on() {
                return Err(LedgerError::TooEarly("the day on which the model was released"));
            }
            let facts = ModelFacts {
                by: by.to_owned(),
                reason: Some(reason.to_owned()),
                role: None,
                ..released.clone()
            };
            Ok(vec![Draft::of(EntryKind::ModelRetired, on, &facts)?])
        })?;
        Ok(())
    }

    /// The day on which a model was taken out of use, if it was by a day.
    pub(super) fn retired_on(&self, model: &str, by: Option<Day>) -> Result<Option<Day>, LedgerError> {
        let retired = self.model_entry(EntryKind::ModelRetired, model)?.map(|entry| entry.on());
        Ok(retired.filter(|&retired| by.is_none_or(|by| retired <= by)))
    }

    /// The first entry of a kind about a model, without what is in it.
    fn model_entry(&self, kind: EntryKind, digest: &str) -> Result<Option<LedgerEntry>, LedgerError> {
        for entry in self.entries(&Filter::of(&[kind]).facts_only())? {
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
        let whole = self.entries(&Filter::of(&[EntryKind::ModelReleased]).from(entry.seq()).limit(1))?;
        let text: Option<String> = whole.first().map_or(Ok(None), LedgerEntry::content_as)?;
        let text = text.ok_or_else(none)?;
        Scorer::from_json(&text).ok().filter(|scorer| scorer.digest() == digest).ok_or_else(none)
    }

    /// Puts on record that somebody asks for a run, before it is made: a run that fails is known, too. The
    /// model's release is put on record with it.
    ///
    /// # Errors
    /// As [`Ledger::record_release`].
    pub fn start_run(
        &self,
        scorer: &Scorer,
        request: &Request,
        as_of: AsOf,
        configuration: Option<&str>,
    ) -> Result<RunStart, LedgerError> {
        self.record_release(scorer, request.on)?;
        let facts = RunStarted {
            model: scorer.digest().to_owned(),
            as_of,
            purpose: request.purpose.clone(),
            requested_by: request.requested_by.clone(),
            accepted: request.accepted.clone(),
            exception: request.exception.clone(),
            configuration: configuration
                .map(|configuration| hex::encode(Sha256::digest(configuration.as_bytes()))),
            library_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let head = self.write(|| Ok(vec![Draft::of(EntryKind::RunStarted, request.on, &facts)?]))?;
        Ok(RunStart { entry: head.entries, facts })
    }

    /// Puts a run on record, whole or not at all: every case of the cohort with what the model's features said
    /// of it, the listed ones as the team sees them, those that were not scored, and the run's manifest.
    /// A run that stands there already (the same of the same) is not written again; if another of its id does, which was
    /// made from other records, this one is given the id with `-2` (or more) after it, here and in the list.
    ///
    /// Do this before the list is given to anybody: it is then given the list's [`witness`](ReviewList::witness).
    ///
    /// # Errors
    /// [`LedgerError::OtherRun`] where scores, list and start are not of one run, or the start is not in this
    /// ledger; [`LedgerError::PurgedMeanwhile`] where somebody was taken out since the start; others where the ledger
    /// cannot be written.
    pub fn finish_run(
        &self,
        start: RunStart,
        scores: &Scores<'_, '_>,
        list: &mut ReviewList,
        records: &Records,
    ) -> Result<String, LedgerError> {
        let RunStart { entry: started, facts: asked } = start;
        let audit = scores.provenance();
        let begun = self.entries(&Filter::of(&[EntryKind::RunStarted]).from(started).limit(1))?;
        let is_begun = begun.first().is_some_and(|entry| entry.seq() == started);
        let same = asked.model == audit.model && asked.as_of == audit.as_of && asked.purpose == audit.purpose;
        if !audit.is_of_the_scoring(list.provenance()) || !same || !is_begun {
            return Err(LedgerError::OtherRun);
        }
        let (asked, on) = (list.provenance().run_id.clone(), audit.requested_on);
        list.set_witness(None);
        let head = self.write(|| {
            if !self.entries(&Filter::of(&[EntryKind::Purge]).from(started).limit(1))?.is_empty() {
                return Err(LedgerError::PurgedMeanwhile);
            }
            let is_held = self.name_run(&asked, scores, list)?;
            let mut drafts = if is_held { Vec::new() } else { case_drafts(scores, list)? };
            let manifest =
                RunFinished { listed: back_to_places(&drafts)?, ..manifest(started, scores, list, records) };
            let draft = Draft::of(EntryKind::RunFinished, on, &manifest)?.run(&list.provenance().run_id);
            drafts.push(draft.with(None, &RunContent::of(scores, list)?)?);
            Ok(drafts)
        })?;
        list.set_witness(Some(Witness { entries: head.entries, hash: head.hash }));
        Ok(list.provenance().run_id.clone())
    }

    /// Names the list after what was asked and, where other runs of that name are held, their number. Gives whether this
    /// very run is held.
    fn name_run(
        &self,
        asked: &str,
        scores: &Scores<'_, '_>,
        list: &mut ReviewList,
    ) -> Result<bool, LedgerError> {
        for nth in 1_u32.. {
            let name = if nth == 1 { asked.to_owned() } else { format!("{asked}-{nth}") };
            list.name_run(&name);
            let wanted = Filter::of(&[EntryKind::RunFinished]).run(&name).limit(1);
            match self.entries(&wanted)?.first() {
                None => return Ok(false),
                Some(held) if held.content_as()? == Some(RunContent::of(scores, list)?) => return Ok(true),
                // Of other records; or somebody was taken out of it, and nobody can tell any more.
                Some(_) => {}
            }
        }
        Ok(false)
    }

    /// The first manifest of a run.
    pub(super) fn finished(&self, run: &str) -> Result<Option<RunFinished>, LedgerError> {
        let wanted = Filter::of(&[EntryKind::RunFinished]).run(run).limit(1).facts_only();
        self.entries(&wanted)?.first().map(LedgerEntry::facts_as).transpose()
    }

    /// What a run's first manifest holds beside its facts; `None` where it was taken out.
    pub(super) fn run_content(&self, run: &str) -> Result<Option<RunContent>, LedgerError> {
        let wanted = Filter::of(&[EntryKind::RunFinished]).run(run).limit(1);
        match self.entries(&wanted)?.first() {
            Some(entry) => entry.content_as(),
            None => Ok(None),
        }
    }

    /// Holds a list that left the house (the text of [`list_json`](crate::report::list_json)) against the run that the
    /// ledger holds. Gives the list's witness, to verify the ledger with. The sentences under `says` are not compared: they
    /// follow from the rest.
    ///
    /// # Errors
    /// [`LedgerError::List`] where the text is no such list, has no witness, or does not say what the ledger holds.
    pub fn compare_list(&self, text: &str) -> Result<Checkpoint, LedgerError> {
        let wrong = |why: &str| LedgerError::List(why.to_owned());
        let mut list: Value = serde_json::from_str(text).map_err(|_| wrong("it is no list in JSON"))?;
        let audit: Provenance = serde_json::from_value(list["audit"].clone())
            .map_err(|_| wrong("it is no list that this version of the program writes"))?;
        let witness = list.as_object_mut().and_then(|list| list.remove("witness"));
        let witness: Witness = witness
            .and_then(|witness| serde_json::from_value(witness).ok())
            .ok_or_else(|| wrong("it has no witness: it was not put on record, or by an earlier version"))?;
        if self.finished(&audit.run_id)?.is_none() {
            return Err(LedgerError::NoRun(audit.run_id));
        }
        let says = digest_of_list(list)?;
        match self.run_content(&audit.run_id)? {
            Some(held) if held.output != says => Err(wrong(
                "it does not say what the ledger says that it said: the list or the ledger was changed since",
            )),
            // Somebody was taken out of the run since, and the digest with them; the chain's place still speaks.
            _ => {
                Ok(Checkpoint::of(&Head { entries: witness.entries, hash: witness.hash }, audit.requested_on))
            }
        }
    }

    /// The manifest of the one run whose id begins so.
    pub(crate) fn run_named(&self, beginning: &str) -> Result<RunFinished, LedgerError> {
        let mut runs = self.runs()?;
        let ids = runs.iter().map(|run| run.audit.run_id.as_str());
        let Some(id) = named(ids, beginning, "run")?.map(str::to_owned) else {
            return Err(LedgerError::NoRun(beginning.to_owned()));
        };
        runs.retain(|run| run.audit.run_id == id);
        runs.into_iter().next().ok_or(LedgerError::NoRun(id))
    }

    /// The manifests of all runs that ended, in the order in which they did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<RunFinished>, LedgerError> {
        let finished = Filter::of(&[EntryKind::RunFinished]).facts_only();
        self.entries(&finished)?.iter().map(LedgerEntry::facts_as).collect()
    }
}

impl RunContent {
    fn of(scores: &Scores<'_, '_>, list: &ReviewList) -> Result<Self, LedgerError> {
        // As it reads back from a file: what another program sees of the list, and not how it was made.
        let text = serde_json::to_vec(list).map_err(|error| LedgerError::Draft(error.to_string()))?;
        let list = serde_json::from_slice(&text).map_err(|error| LedgerError::Draft(error.to_string()))?;
        let audit = scores.provenance();
        let digest = |source: &SourceState| (source.source.clone(), source.digest.clone());
        Ok(Self {
            cohort: audit.cohort.clone(),
            output: digest_of_list(list)?,
            sources: audit.sources.iter().map(digest).collect(),
        })
    }
}

/// SHA-256 of a list as data, the keys of objects sorted. Without its witness, which came later, and without what a page says in
/// sentences, which follows from the rest and may be put better one day.
fn digest_of_list(mut list: Value) -> Result<String, LedgerError> {
    if let Some(fields) = list.as_object_mut() {
        fields.remove("witness");
        fields.remove("says");
    }
    list.sort_all_objects();
    let text = serde_json::to_vec(&list).map_err(|error| LedgerError::Draft(error.to_string()))?;
    Ok(hex::encode(Sha256::digest(text)))
}

/// The manifest of a run.
fn manifest(started: u64, scores: &Scores<'_, '_>, list: &ReviewList, records: &Records) -> RunFinished {
    let ListParams { capacity, comparison, one_per, among } = list.drawn_with();
    let at_random =
        list.entries().iter().filter(|entry| entry.why_listed() == WhyListed::AtRandom).count() as u64;
    let rejects = summarise(records.rejects());
    RunFinished {
        started,
        audit: Provenance { cohort: String::new(), ..list.provenance().without_digests() },
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
        from_store: records
            .roads()
            .iter()
            .filter(|(_, road)| *road == Road::Kept)
            .map(|(source, _)| source.clone())
            .collect(),
        from_database: records.from_database().cloned(),
        scored: scores.len() as u64,
        not_scored: scores.not_scored().len() as u64,
        capacity,
        comparison,
        one_per,
        among,
        shares: list.shares().cloned(),
        review: list.review().clone(),
        alerts: list.len() as u64 - at_random,
        at_random,
        listed: Vec::new(),
    }
}

/// For each place of a list, in their order, how many entries before the manifest its case stands.
fn back_to_places(cases: &[Draft]) -> Result<Vec<u64>, LedgerError> {
    let mut places = Vec::new();
    for (draft, back) in cases.iter().zip((1..=cases.len() as u64).rev()) {
        if draft.kind == EntryKind::CaseScored.name() {
            let facts = CaseScored::deserialize(&draft.facts);
            let facts = facts.map_err(|error| LedgerError::Draft(error.to_string()))?;
            places.extend(facts.place.map(|place| (place, back)));
        }
    }
    places.sort_unstable();
    Ok(places.into_iter().map(|(_, back)| back).collect())
}

/// An entry for each case of a run's cohort.
fn case_drafts(scores: &Scores<'_, '_>, list: &ReviewList) -> Result<Vec<Draft>, LedgerError> {
    let (run, on) = (list.provenance().run_id.as_str(), list.provenance().requested_on);
    let listed = shown_on(list);
    let mut drafts = Vec::with_capacity(scores.len() + scores.not_scored().len() + 1);
    for score in scores.recorded() {
        let shown = listed.get(score.entity);
        let facts = shown.map(|shown| shown.facts).unwrap_or_default();
        let content = ScoreContent {
            rank: score.rank,
            of: scores.len() as u32,
            log_odds: score.log_odds,
            cells: score.cells,
            seen_on: score.seen_on,
            known: score.known,
            case: shown.map(|shown| shown.case(score.log_odds)),
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
