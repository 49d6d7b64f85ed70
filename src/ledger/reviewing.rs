//! Writing down what people do with a list: cases opened, decisions, one by one or as a file.

use super::entry::{Draft, LedgerEntry};
use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, EntryKind, OpenedContent, RunFinished,
    ScoreContent,
};
use super::handle::Ledger;
use super::shown::{CaseView, ShownCase};
use super::store::{Filter, Reader};
use crate::calendar::Day;
use crate::error::{LedgerError, ReviewError};
use crate::limits;
use crate::outputs::printable;
use crate::review::{Decision, DecisionFile, Reviewer, SubmittedDecision, WhyListed};
use crate::scoring::Provenance;
use crate::words;

/// Why a decision of a file may lie before what is on record already.
const HANDED_IN: &str = "decided on the list's page, and handed in later";

impl Ledger {
    /// Opens a case of a recorded list (the run, or the beginning of its id, and the place from 1) for a named
    /// reviewer, and puts that on record
    /// before anything of the case is given out. `own_judgement` is what they think before they see the
    /// score, where the team works so.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`], [`LedgerError::NoPlace`] where there is no such list or place,
    /// [`LedgerError::Purged`] where the case was taken out, [`LedgerError::Expired`] after the list's last
    /// day, [`LedgerError::Retired`] where the model was taken out of use by then, [`LedgerError::Incomplete`] without
    /// name or role, [`ReviewError::JudgeFirst`] where the list asks for the reviewer's own judgement first and there is none.
    pub fn open_case(
        &self,
        listed: (&str, u32),
        reviewer: Reviewer,
        own_judgement: Option<&str>,
        on: Day,
    ) -> Result<RecordedCase, LedgerError> {
        let case = self.listed(listed, reviewer, on)?;
        let own = own_judgement.map(str::trim).filter(|text| !words::is_blank(text));
        short_enough(own)?;
        self.write(|| {
            let is_held = !self
                .entries(&Filter::of(&[EntryKind::CaseScored]).subject(&case.entity).limit(1))?
                .is_empty();
            if !is_held {
                return Err(LedgerError::Purged);
            }
            // Who has opened it before has seen the score before.
            let is_first = self.opening(&case)?.is_none();
            if is_first && case.judge_first && own.is_none() {
                return Err(ReviewError::JudgeFirst.into());
            }
            let judged_first = own.is_some() && is_first;
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
        if words::is_blank(&reviewer.name) || words::is_blank(&reviewer.role) {
            return Err(LedgerError::Incomplete("the reviewer's name and role"));
        }
        reviewer.check()?;
        let run = self.run_named(run)?;
        let at = self.entry_of_place(&run, place)?;
        let (audit, judge_first) = (run.audit, run.review.own_judgement_first);
        self.check_in_use(&audit, on)?;
        if on < audit.requested_on {
            return Err(LedgerError::TooEarly("the day on which the list was asked for"));
        }
        if on > audit.expires {
            return Err(LedgerError::Expired(audit.expires.to_string()));
        }
        let (entry, drawn) = at.ok_or(LedgerError::NoPlace(place))?;
        let content: ScoreContent = entry.content_as()?.ok_or(LedgerError::Purged)?;
        let subject = entry.content().and_then(|content| content.subject.clone());
        if subject.as_ref().is_some_and(|entity| reviewer.names(entity)) {
            return Err(LedgerError::NamesThePerson);
        }
        Ok(RecordedCase {
            run: audit.run_id,
            entry: entry.seq(),
            entity: subject.ok_or(LedgerError::Purged)?,
            drawn,
            case: content.case.ok_or(LedgerError::NoPlace(place))?,
            reviewer,
            opened_on: on,
            expires: audit.expires,
            judge_first,
        })
    }

    /// The entry of the case at a place of a run's list, and why it is there.
    fn entry_of_place(
        &self,
        run: &RunFinished,
        place: u32,
    ) -> Result<Option<(LedgerEntry, WhyListed)>, LedgerError> {
        let mut found = None;
        let mut take = |entry: LedgerEntry| {
            let facts: CaseScored = entry.facts_as()?;
            if let (Some(drawn), true) = (facts.drawn, facts.place == Some(place)) {
                found = Some((entry, drawn));
            }
            Ok(())
        };
        let nth = (place as usize).checked_sub(1);
        match nth.and_then(|nth| run.listed.get(nth)) {
            Some(&back) => self.entry_back((run, self.manifest_of(run)?), back, &mut take)?,
            None if run.listed.is_empty() => self.read(&cases_of(run), &mut take)?,
            None => {}
        }
        Ok(found)
    }

    /// Calls `reader` with each case that has a place on a run's list, and perhaps with others of it.
    pub(super) fn each_place(&self, run: &RunFinished, reader: &mut Reader<'_>) -> Result<(), LedgerError> {
        if run.listed.is_empty() {
            // As ledgers were written before places were kept.
            return self.read(&cases_of(run), reader);
        }
        let manifest = self.manifest_of(run)?;
        run.listed.iter().try_for_each(|&back| self.entry_back((run, manifest), back, reader))
    }

    /// The entry of a run's first manifest.
    fn manifest_of(&self, run: &RunFinished) -> Result<u64, LedgerError> {
        let wanted = Filter::of(&[EntryKind::RunFinished]).run(&run.audit.run_id).limit(1).facts_only();
        Ok(self.entries(&wanted)?.first().map_or(0, LedgerEntry::seq))
    }

    /// The case so many entries before a run's manifest.
    fn entry_back(
        &self,
        (run, manifest): (&RunFinished, u64),
        back: u64,
        reader: &mut Reader<'_>,
    ) -> Result<(), LedgerError> {
        self.read(&cases_of(run).from(manifest.saturating_sub(back)).limit(1), reader)
    }

    /// Refuses a day on which the model of a run was out of use.
    fn check_in_use(&self, audit: &Provenance, on: Day) -> Result<(), LedgerError> {
        match self.retired_on(&audit.model, Some(on))? {
            Some(retired_on) => Err(LedgerError::Retired(retired_on.to_string())),
            None => Ok(()),
        }
    }

    /// Puts a decision on record, and that the case was opened, where that does not stand there. Gives the number of the
    /// decision's entry.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] and [`LedgerError::NotListed`] where the decision is about a case that is not
    /// on a list in this ledger, [`LedgerError::Retired`] where the model was taken out of use by then,
    /// [`LedgerError::Decided`] where the case is decided already.
    pub fn record_decision(&self, decision: &Decision) -> Result<u64, LedgerError> {
        Ok(self.write(|| self.decision_drafts(decision, None, None))?.entries)
    }

    /// Puts a decision on record that takes the place of the case's last one, whose entry is `superseded`. Both stay on
    /// record; the last one counts.
    ///
    /// # Errors
    /// As [`Ledger::record_decision`]; [`LedgerError::NotTheLast`] where that entry is not the case's last decision.
    pub fn supersede_decision(&self, superseded: u64, decision: &Decision) -> Result<u64, LedgerError> {
        Ok(self.write(|| self.decision_drafts(decision, Some(superseded), None))?.entries)
    }

    /// Puts the decisions of a file on record, each with its opening, by the road of any other: all of them or none. Gives for
    /// each place the number of its decision's entry, in the file's order.
    ///
    /// Days are the file's, which may lie before those of entries that others wrote meanwhile; that they do stands in the
    /// entry, with the day of writing beside it where the ledger [has a clock](Ledger::with_clock).
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] where there is no such list; [`LedgerError::Submitted`] with the place and what
    /// [`Ledger::open_case`] and [`Ledger::record_decision`] have against it, [`LedgerError::OtherCase`] among it.
    pub fn submit(&self, file: &DecisionFile) -> Result<Vec<(u32, u64)>, LedgerError> {
        let mut numbers = Vec::new();
        let head = self.write_later(Some(HANDED_IN), || {
            let mut drafts: Vec<(Option<u32>, Draft)> = Vec::new();
            for submitted in &file.decisions {
                let place = submitted.place;
                let of_one = self
                    .submitted(file, submitted)
                    .map_err(|why| LedgerError::Submitted { place, why: Box::new(why) })?;
                let last = of_one.len() - 1;
                drafts.extend(
                    of_one
                        .into_iter()
                        .enumerate()
                        .map(|(nth, draft)| ((nth == last).then_some(place), draft)),
                );
            }
            // An opening stays before its decision: no day of a decision lies before its opening's.
            drafts.sort_by_key(|(_, draft)| draft.on);
            numbers = drafts.iter().map(|(place, _)| *place).collect();
            Ok(drafts.into_iter().map(|(_, draft)| draft).collect())
        })?;
        let first = head.entries + 1 - numbers.len() as u64;
        let entry_of = |place: u32| {
            numbers.iter().position(|held| *held == Some(place)).map(|nth| (place, first + nth as u64))
        };
        Ok(file.decisions.iter().filter_map(|decision| entry_of(decision.place)).collect())
    }

    /// The entries of one of a file's decisions, its own last.
    fn submitted(
        &self,
        file: &DecisionFile,
        submitted: &SubmittedDecision,
    ) -> Result<Vec<Draft>, LedgerError> {
        let own = submitted.own_judgement();
        short_enough(own)?;
        let case = self.listed((&file.run, submitted.place), file.reviewer.clone(), submitted.opened_on)?;
        // A page writes out the signs that are not to be seen, and what it saves is written so.
        if case.entity != submitted.case && printable(&case.entity) != submitted.case {
            return Err(LedgerError::OtherCase);
        }
        let run = case.run.clone();
        let mut decision =
            case.decide(submitted.step, submitted.agreement, &*submitted.reason, submitted.decided_on)?;
        if let Some(code) = &submitted.reason_code {
            let run = self.finished(&run)?;
            let kept = run.as_ref().and_then(|run| {
                let mut codes = run.review.reason_codes.iter().map(|reason| &reason.code);
                codes.find(|kept| *kept == code || printable(kept) == *code)
            });
            decision = decision.coded(kept.unwrap_or(code));
        }
        self.decision_drafts(&decision, submitted.supersedes, own)
    }

    fn decision_drafts(
        &self,
        decision: &Decision,
        supersedes: Option<u64>,
        own_judgement: Option<&str>,
    ) -> Result<Vec<Draft>, LedgerError> {
        let run = decision.run_id();
        let held = self.finished(run)?.ok_or_else(|| LedgerError::NoRun(run.to_owned()))?;
        self.check_in_use(&held.audit, decision.decided_on())?;
        held.review.allow(decision.reason_code())?;
        let wanted = Filter::of(&[EntryKind::CaseScored]).run(run).subject(decision.entity());
        let case = self.entries(&wanted)?.into_iter().next().ok_or(LedgerError::NotListed)?;
        if case.facts_as::<CaseScored>()?.place.is_none() {
            return Err(LedgerError::NotListed);
        }
        let reviewer = decision.reviewer().clone();
        if reviewer.names(decision.entity()) {
            return Err(LedgerError::NamesThePerson);
        }
        let mut drafts = Vec::new();
        let (mut was_opened, mut is_first, mut decided, mut decided_on) = (false, true, None, None);
        for entry in self.entries(&Filter::of(&[EntryKind::CaseOpened, EntryKind::Decision]).run(run))? {
            if entry.about() == Some(EntryKind::Decision) {
                if entry.facts_as::<DecisionFacts>()?.case == case.seq() {
                    (decided, decided_on) = (Some(entry.seq()), Some(entry.on()));
                }
            } else {
                let facts: CaseOpened = entry.facts_as()?;
                if facts.case == case.seq() && facts.reviewer == reviewer {
                    is_first = false;
                    was_opened |= entry.on() == decision.opened_on();
                }
            }
        }
        match (decided, supersedes) {
            (Some(entry), None) => return Err(LedgerError::Decided { entry }),
            (decided, Some(entry)) if decided != Some(entry) => return Err(LedgerError::NotTheLast(entry)),
            _ => {}
        }
        if decided_on.is_some_and(|before| decision.decided_on() < before) {
            return Err(LedgerError::TooEarly("that of the decision whose place it takes"));
        }
        if is_first && held.review.own_judgement_first && own_judgement.is_none() {
            return Err(ReviewError::JudgeFirst.into());
        }
        // A judgement that comes with a case that was opened already stands in an opening of its own.
        if !was_opened || own_judgement.is_some() {
            let judged_first = own_judgement.is_some() && is_first;
            let facts = CaseOpened { case: case.seq(), reviewer: reviewer.clone(), judged_first };
            let content = OpenedContent { own_judgement: own_judgement.map(str::to_owned) };
            let draft = Draft::of(EntryKind::CaseOpened, decision.opened_on(), &facts)?.run(run);
            drafts.push(draft.with(Some(decision.entity()), &content)?);
        }
        let facts = DecisionFacts {
            case: case.seq(),
            drawn: decision.why_listed(),
            reviewer,
            opened_on: decision.opened_on(),
            step: decision.step(),
            agreement: decision.agreement(),
            reason_code: decision.reason_code().map(str::to_owned),
            supersedes,
        };
        let content = DecisionContent { reason: decision.reason().to_owned() };
        let draft = Draft::of(EntryKind::Decision, decision.decided_on(), &facts)?.run(run);
        drafts.push(draft.with(Some(decision.entity()), &content)?);
        Ok(drafts)
    }
}

/// The scored cases of a run.
pub(super) fn cases_of(run: &RunFinished) -> Filter {
    Filter::of(&[EntryKind::CaseScored]).run(&run.audit.run_id)
}

/// Refuses a judgement that is longer than anybody reads.
fn short_enough(own_judgement: Option<&str>) -> Result<(), ReviewError> {
    let bytes = own_judgement.map_or(0, str::len);
    if bytes > limits::NOTE_BYTES {
        return Err(ReviewError::TooLong { bytes, most: limits::NOTE_BYTES });
    }
    Ok(())
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
    /// Whether a reviewer's own judgement comes first.
    judge_first: bool,
}

crate::opaque_debug!(RecordedCase);

impl RecordedCase {
    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// What the list said of the case.
    #[must_use]
    pub fn view(&self) -> CaseView<'_> {
        CaseView(&self.case)
    }

    /// Why it is on the list.
    #[must_use]
    pub fn why_listed(&self) -> WhyListed {
        self.drawn
    }

    /// The last day on which it can be decided.
    #[must_use]
    pub fn expires(&self) -> Day {
        self.expires
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
    /// [`ReviewError`] without a reason, with one beyond 64 KiB, or after the list's last day.
    pub fn decide(
        self,
        step: crate::review::Step,
        agreement: crate::review::Agreement,
        reason: impl Into<String>,
        on: Day,
    ) -> Result<Decision, ReviewError> {
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
