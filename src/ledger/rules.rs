//! What an entry must agree with: the facts with the content, and both with the entries before.
//!
//! A chain shows that entries are those that were chained. It does not show that they make sense: somebody who can write
//! the file can append, with a hash that fits, a decision about a case that nobody opened. What the functions of a
//! [`Ledger`](super::Ledger) would never have written is told here.

use hashbrown::{HashMap, HashSet};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::chain::{PURGE, redacted_by, says_who_and_why};
use super::entry::{Content, Header};
use super::events::{
    Answered, AskedContent, AskedFacts, CaseOpened, CaseScored, CorrectionFacts, DecisionContent,
    DecisionFacts, EntryKind, ModelFacts, OpenedContent, PurgeFacts, RunFinished, RunStarted, ScoreContent,
};
use super::shown::ShownCase;
use super::store::Record;
use crate::calendar::Day;
use crate::limits;
use crate::review::{Reviewer, WhyListed};
use crate::scoring::{AuditedModel, LONGEST_USE, Provenance, Request, Scorer};
use crate::words;

/// What is known of the entries so far.
#[derive(Default)]
pub(super) struct Rules {
    last: Option<Day>,
    registered: HashSet<String>,
    released: HashMap<String, Release>,
    /// Runs that were asked for, by their entry.
    started: HashMap<u64, (Day, RunStarted)>,
    runs: HashMap<String, Run>,
    /// Listed cases, by their entry.
    listed: HashMap<u64, Listed>,
    /// Which listed case an opening or a decision is about.
    about: HashMap<u64, u64>,
    /// Which run a case, listed or not, or a manifest is of.
    run_of: HashMap<u64, String>,
}

struct Release {
    on: Day,
    signed_on: Option<Day>,
    review_by: Option<Day>,
    purpose: String,
    retired_on: Option<Day>,
}

impl Release {
    /// Holds what was scored with the model to what it was released for.
    fn allows(&self, audit: &Provenance) -> Broken {
        if self.purpose.trim() != audit.purpose.trim() {
            return Err("its purpose is not the one that its model was released for");
        }
        if audit.as_of.day() > audit.requested_on {
            return Err("it is for a date after the day on which it was asked for");
        }
        if self.review_by.is_some_and(|review_by| audit.requested_on > review_by) {
            return Err("its model was to be reviewed before");
        }
        let used_for = audit.expires - audit.as_of.day();
        let usual = Request::new("", "", audit.requested_on).valid_for_days;
        let longest = if audit.exception.is_some() { LONGEST_USE } else { usual };
        if !u32::try_from(used_for).is_ok_and(|days| (1..=longest).contains(&days)) {
            return Err("it may be used for longer than anybody allowed");
        }
        Ok(())
    }
}

/// A run whose cases are being read, or that has ended.
#[derive(Default)]
struct Run {
    /// Of all its cases, how many there are so far, listed for their rank and at random, and without a score.
    scored: u64,
    alerts: u64,
    at_random: u64,
    not_scored: u64,
    /// Of each case its rank and its score.
    ranks: HashMap<u32, f64>,
    of: Option<u32>,
    /// Of each place the entry of its case.
    places: HashMap<u32, u64>,
    /// The places that cases without one of their own stand beside.
    beside: Vec<u32>,
    /// The last entry of the step in which they were written.
    through: u64,
    ended: Option<Ended>,
}

struct Ended {
    model: String,
    requested_on: Day,
    expires: Day,
    /// The whole manifest.
    says: RunFinished,
}

struct Listed {
    run: String,
    drawn: WhyListed,
    subject: Option<String>,
    /// By whom, and when.
    openings: Vec<(CaseOpened, Day)>,
    last_decision: Option<(u64, Day)>,
    /// Openings and decisions about it.
    dependents: Vec<u64>,
}

/// What an entry does not agree with.
type Broken = Result<(), &'static str>;

impl Rules {
    /// Takes an entry in whose bytes nothing is wrong.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn step(&mut self, record: &Record) -> Broken {
        let header = &record.header;
        if self.last.is_some_and(|last| header.on < last) && header.why_earlier.is_none() {
            return Err("its day lies before that of the entry before it, and it does not say why");
        }
        if header.why_earlier.as_deref().is_some_and(words::is_blank) {
            return Err("why its day lies before that of the entry before it is blank");
        }
        self.last = Some(header.on);
        let content: Option<Content> = match &record.content {
            None => None,
            Some(bytes) => Some(serde_json::from_slice(bytes).map_err(|_| "its content cannot be read")?),
        };
        let content = content.as_ref();
        let kind = EntryKind::of(&header.kind);
        if kind.is_some_and(has_content) && header.commitment.is_none() {
            return Err("an entry of its kind has content, and it never had any");
        }
        if kind.is_some_and(is_about_somebody) && content.is_some_and(|content| content.subject.is_none()) {
            return Err("it does not say whom it is about");
        }
        match kind {
            Some(EntryKind::ModelRegistered) => self.registered(header, content),
            Some(EntryKind::ModelReleased) => self.released(header, content),
            Some(EntryKind::ModelRetired) => self.retired(header),
            Some(EntryKind::RunStarted) => self.started(header),
            Some(EntryKind::CaseScored) => self.scored(header, content),
            Some(EntryKind::CaseNotScored) => {
                self.run(header)?.not_scored += 1;
                self.run_of.insert(header.seq, header.run.clone().unwrap_or_default());
                Ok(())
            }
            Some(EntryKind::RunFinished) => self.finished(header),
            Some(EntryKind::CaseAsked) => self.asked(header, content),
            Some(EntryKind::CaseOpened) => self.opened(header, content),
            Some(EntryKind::Decision) => self.decided(header, content),
            Some(EntryKind::Correction) => {
                let facts: CorrectionFacts = facts(header)?;
                named(&[&facts.by])
            }
            // A purge is looked at when it is known what is gone.
            Some(EntryKind::Purge) | None => Ok(()),
        }
    }

    fn registered(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let facts: ModelFacts = facts(header)?;
        named(&[&facts.by])?;
        if let Some(content) = content {
            let text = content.body.as_str().unwrap_or_default();
            let model = AuditedModel::from_json(text).map_err(|_| "its content is no audited model")?;
            if model.digest() != facts.model || model.candidate().digest() != facts.candidate {
                return Err("its facts name another model than the one in its content");
            }
        }
        if !self.registered.insert(facts.model) {
            return Err("the model is on record already");
        }
        Ok(())
    }

    fn released(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let facts: ModelFacts = facts(header)?;
        let content = content.ok_or("the released model is not in it")?;
        let scorer = Scorer::from_json(content.body.as_str().unwrap_or_default())
            .map_err(|_| "its content is no released model")?;
        let signed = scorer.sign_off();
        if scorer.digest() != facts.model || scorer.candidate().digest() != facts.candidate {
            return Err("its facts name another model than the one in its content");
        }
        if facts.by != signed.by
            || facts.role.as_ref() != Some(&signed.role)
            || facts.purpose.as_ref() != Some(&signed.purpose)
            || facts.review_by != Some(signed.review_by)
            || facts.signed_on.unwrap_or(header.on) != signed.signed_on
        {
            return Err("who signed for the model, when or for what is not what stands in the model");
        }
        if header.on < signed.signed_on {
            return Err("it was released before it was signed for");
        }
        let release = Release {
            on: header.on,
            signed_on: Some(signed.signed_on),
            review_by: Some(signed.review_by),
            purpose: signed.purpose.clone(),
            retired_on: None,
        };
        match self.released.insert(facts.model, release) {
            None => Ok(()),
            Some(_) => Err("the release is on record already"),
        }
    }

    fn retired(&mut self, header: &Header) -> Broken {
        let facts: ModelFacts = facts(header)?;
        named(&[&facts.by, facts.reason.as_deref().unwrap_or_default()])?;
        let release =
            self.released.get_mut(&facts.model).ok_or("no release of that model stands before it")?;
        if release.retired_on.is_some() {
            return Err("the model was retired before");
        }
        if header.on < release.on {
            return Err("the model was retired before it was released");
        }
        release.retired_on = Some(header.on);
        Ok(())
    }

    fn started(&mut self, header: &Header) -> Broken {
        let facts: RunStarted = facts(header)?;
        named(&[&facts.requested_by])?;
        let release = self.released.get(&facts.model).ok_or("no release of its model stands before it")?;
        if release.retired_on.is_some() {
            return Err("its model was retired before");
        }
        if release.signed_on.is_some_and(|signed_on| header.on < signed_on) {
            return Err("it was asked for before anybody had signed for its model");
        }
        // One that is asked for another purpose is refused later, and stays on record as one that did not end.
        self.started.insert(header.seq, (header.on, facts));
        Ok(())
    }

    /// Somebody was told of one person, by a model that was in use, for what it was signed for.
    fn asked(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let AskedFacts { audit, answer } = facts(header)?;
        named(&[&audit.requested_by])?;
        let release = self.released.get(&audit.model).ok_or("no release of its model stands before it")?;
        if release.retired_on.is_some() {
            return Err("its model was retired before");
        }
        if header.on != audit.requested_on || release.signed_on.is_some_and(|signed_on| header.on < signed_on)
        {
            return Err(
                "it was asked on another day than it says, or before anybody had signed for its model",
            );
        }
        release.allows(&audit)?;
        if header.run.is_some() {
            return Err("it is of a run, and who is asked about alone is in none");
        }
        let Some(content) = content else { return Ok(()) };
        let said: AskedContent = body(content)?;
        let is_scored = answer == Answered::Scored;
        if said.case.is_some() != is_scored || said.why.is_none() != is_scored {
            return Err("what was told is not of the kind that its facts say");
        }
        let Some(shown) = &said.case else { return Ok(()) };
        if Some(&shown.entity) != content.subject.as_ref() || shown.rank.is_some() {
            return Err("it was told under another id, or with a rank");
        }
        if !adds_up(shown) {
            return Err("the parts that people were shown do not add up to its score");
        }
        Ok(())
    }

    /// The run of a case that is written now.
    fn run(&mut self, header: &Header) -> Result<&mut Run, &'static str> {
        let id = header.run.as_ref().ok_or("it is of no run")?;
        let run = self.runs.entry_ref(id.as_str()).or_default();
        if run.through != 0 && run.through != header.through {
            return Err("it was not written with the other cases of its run");
        }
        run.through = header.through;
        Ok(run)
    }

    fn scored(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let facts: CaseScored = facts(header)?;
        let run = self.run(header)?;
        run.scored += 1;
        match facts.drawn {
            Some(WhyListed::AtRandom) => run.at_random += 1,
            Some(WhyListed::ByRank | WhyListed::ByShare) => run.alerts += 1,
            None => {}
        }
        if facts.place.is_some() != facts.drawn.is_some() {
            return Err("it has a place without a reason why, or a reason without a place");
        }
        if facts.place.is_some_and(|place| run.places.insert(place, header.seq).is_some()) {
            return Err("its place on the list is another case's");
        }
        if let Some(place) = facts.beside {
            if facts.place.is_some() {
                return Err("it has a place of its own and stands beside another");
            }
            run.beside.push(place);
        }
        if let Some(content) = content {
            let score: ScoreContent = body(content)?;
            if !(1..=score.of).contains(&score.rank) || run.ranks.insert(score.rank, score.log_odds).is_some()
            {
                return Err("its rank is none, or another case's");
            }
            if *run.of.get_or_insert(score.of) != score.of {
                return Err("it was ranked among another number of cases than others of its run");
            }
            if score.case.is_some() != facts.place.or(facts.beside).is_some() {
                return Err(
                    "what people were shown is not held of it, though it was listed; or is, though it was not",
                );
            }
            if let Some(shown) = &score.case
                && (shown.score.to_bits(), shown.rank, shown.of)
                    != (score.log_odds.to_bits(), Some(score.rank), Some(score.of))
            {
                return Err("people were shown another score or rank than it had");
            }
            if score.case.as_ref().is_some_and(|shown| Some(&shown.entity) != content.subject.as_ref()) {
                return Err("people were shown it under another id");
            }
            if score.case.as_ref().is_some_and(|shown| !adds_up(shown)) {
                return Err("the parts that people were shown do not add up to its score");
            }
        }
        let run = header.run.clone().unwrap_or_default();
        if let Some(drawn) = facts.drawn {
            let listed = Listed {
                run: run.clone(),
                drawn,
                subject: content.and_then(|content| content.subject.clone()),
                openings: Vec::new(),
                last_decision: None,
                dependents: Vec::new(),
            };
            self.listed.insert(header.seq, listed);
        }
        self.run_of.insert(header.seq, run);
        Ok(())
    }

    fn finished(&mut self, header: &Header) -> Broken {
        let facts: RunFinished = facts(header)?;
        let (on, asked) = self.started.get(&facts.started).ok_or("nobody had asked for the run")?;
        let audit = &facts.audit;
        if header.run.as_ref() != Some(&audit.run_id) {
            return Err("it stands under the id of another run than the one it is of");
        }
        if asked.model != audit.model
            || asked.as_of != audit.as_of
            || asked.purpose != audit.purpose
            || asked.requested_by != audit.requested_by
            || asked.exception != audit.exception
            || *on != audit.requested_on
            || header.on != audit.requested_on
        {
            return Err("model, dates, purpose or who asked are not those that the run was asked for with");
        }
        let release = self.released.get(&audit.model).ok_or("no release of its model stands before it")?;
        release.allows(audit)?;
        if facts.intake.iter().any(|held| held.accepted.checked_add(held.rejected) != Some(held.read)) {
            return Err("rows that were read are neither accepted nor rejected");
        }
        if facts.from_store.iter().any(|name| !facts.intake.iter().any(|held| held.source == *name)) {
            return Err("it names a source that has no rows");
        }
        let run = self.runs.entry_ref(audit.run_id.as_str()).or_default();
        self.run_of.insert(header.seq, audit.run_id.clone());
        if let Some(ended) = &run.ended {
            // Asked for again, a run that comes out the same has its id; what was read for it may be more by then, and by another
            // road.
            let again = RunFinished {
                started: ended.says.started,
                intake: ended.says.intake.clone(),
                rejects: ended.says.rejects.clone(),
                from_store: ended.says.from_store.clone(),
                // Its cases stand with the first one.
                listed: if facts.listed.is_empty() { ended.says.listed.clone() } else { facts.listed },
                ..facts
            };
            let is_same = ended.says == again;
            return if is_same { Ok(()) } else { Err("the run has ended before, and was another one") };
        }
        if (run.scored, run.not_scored) != (facts.scored, facts.not_scored)
            || (run.alerts, run.at_random) != (facts.alerts, facts.at_random)
        {
            return Err("it counts other numbers of cases than there are");
        }
        if u64::from(audit.cohort_size) != facts.scored + facts.not_scored {
            return Err("its cohort is of another size than its cases");
        }
        if facts.alerts > facts.capacity.of(audit.cohort_size as usize) as u64 {
            return Err("its list has more places than were asked for");
        }
        let mut ranked: Vec<(u32, f64)> = run.ranks.drain().collect();
        ranked.sort_unstable_by_key(|&(rank, _)| rank);
        if ranked.windows(2).any(|pair| pair[0].1 < pair[1].1) {
            return Err("a case has a higher score than one that is ranked before it");
        }
        if run.through != 0 && run.through != header.through {
            return Err("it was not written with the cases of its run");
        }
        let stands = |(back, place): (&u64, u32)| {
            run.places.get(&place).is_some_and(|entry| header.seq.checked_sub(*back) == Some(*entry))
        };
        let is_whole = facts.listed.is_empty() || facts.listed.len() == run.places.len();
        if !is_whole || !facts.listed.iter().zip(1..).all(stands) {
            return Err("it says of places that they are where they are not");
        }
        if run.places.keys().any(|&place| !(1..=run.places.len() as u32).contains(&place)) {
            return Err("its list has a place without a case");
        }
        if run.beside.iter().any(|place| !run.places.contains_key(place)) {
            return Err("a case stands beside a place that its list has not");
        }
        if run.of.is_some_and(|of| u64::from(of) != facts.scored) {
            return Err("its cases were ranked among another number than it counts");
        }
        run.ended = Some(Ended {
            model: audit.model.clone(),
            requested_on: audit.requested_on,
            expires: audit.expires,
            says: facts.clone(),
        });
        run.places = HashMap::new();
        Ok(())
    }

    /// The listed case that an opening or a decision is about, on a day on which it could be.
    fn case(
        &mut self,
        case: u64,
        header: &Header,
        content: Option<&Content>,
    ) -> Result<&mut Listed, &'static str> {
        let listed =
            self.listed.get_mut(&case).ok_or("no listed case stands where it says that its case does")?;
        if header.run.as_ref() != Some(&listed.run) {
            return Err("its case is of another run");
        }
        let subject = content.and_then(|content| content.subject.as_ref());
        if subject.is_some() && listed.subject.is_some() && subject != listed.subject.as_ref() {
            return Err("its case is another person's");
        }
        let run = self.runs.get(&listed.run).and_then(|run| run.ended.as_ref());
        let run = run.ok_or("the run of its case did not end")?;
        if header.on < run.requested_on {
            return Err("its day lies before that of the list");
        }
        if header.on > run.expires {
            return Err("the list had expired");
        }
        let retired_on = self.released.get(&run.model).and_then(|release| release.retired_on);
        if retired_on.is_some_and(|retired_on| retired_on <= header.on) {
            return Err("the model of its case was retired");
        }
        self.about.insert(header.seq, case);
        listed.dependents.push(header.seq);
        Ok(listed)
    }

    /// Whether the list of a case asks for the reviewer's own judgement before anything else.
    fn asks_first(&self, case: u64) -> bool {
        let run = self.listed.get(&case).and_then(|listed| self.runs.get(&listed.run));
        run.and_then(|run| run.ended.as_ref()).is_some_and(|ended| ended.says.review.own_judgement_first)
    }

    fn opened(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let facts: CaseOpened = facts(header)?;
        looked_at(&facts.reviewer, content)?;
        let asks_first = self.asks_first(facts.case);
        let own = content.map(body::<OpenedContent>).transpose()?;
        let own = own.map(|own| own.own_judgement.unwrap_or_default());
        if own.as_ref().is_some_and(|own| own.len() > limits::NOTE_BYTES) {
            return Err("the reviewer's own judgement is longer than any that is taken");
        }
        if own.is_some_and(|own| facts.judged_first && words::is_blank(&own)) {
            return Err(
                "the reviewer is said to have judged before they saw the score, and no judgement stands there",
            );
        }
        let listed = self.case(facts.case, header, content)?;
        let is_first = listed.openings.iter().all(|(before, _)| before.reviewer != facts.reviewer);
        if is_first && asks_first && !facts.judged_first {
            return Err(
                "the reviewer saw the case without a judgement of their own, which its list asks for first",
            );
        }
        if facts.judged_first && !is_first {
            return Err(
                "the reviewer is said to have judged before they saw the score, and had opened the case before",
            );
        }
        listed.openings.push((facts, header.on));
        Ok(())
    }

    fn decided(&mut self, header: &Header, content: Option<&Content>) -> Broken {
        let facts: DecisionFacts = facts(header)?;
        looked_at(&facts.reviewer, content)?;
        if let Some(content) = content {
            let reason = body::<DecisionContent>(content)?.reason;
            if words::is_blank(&reason) {
                return Err("it gives no reason");
            }
            if reason.len() > limits::NOTE_BYTES {
                return Err("its reason is longer than any that is taken");
            }
        }
        let review = self.listed.get(&facts.case).and_then(|listed| self.runs.get(&listed.run));
        let review = review.and_then(|run| run.ended.as_ref()).map(|ended| &ended.says.review);
        if review.is_some_and(|review| review.allow(facts.reason_code.as_deref()).is_err()) {
            return Err("it does not name one of the reasons of its list");
        }
        let listed = self.case(facts.case, header, content)?;
        let is_its =
            |(opening, on): &(CaseOpened, Day)| opening.reviewer == facts.reviewer && *on == facts.opened_on;
        if !listed.openings.iter().any(is_its) {
            return Err("the reviewer had not opened the case on the day that it says");
        }
        if header.on < facts.opened_on {
            return Err("it was decided before it was opened");
        }
        if facts.drawn != listed.drawn {
            return Err("it says that the case was listed for another reason than it was");
        }
        if facts.supersedes != listed.last_decision.map(|(entry, _)| entry) {
            return Err(if facts.supersedes.is_none() {
                "the case was decided before, and it does not say that it takes that decision's place"
            } else {
                "the decision whose place it takes is not the last one about its case"
            });
        }
        if listed.last_decision.is_some_and(|(_, before)| header.on < before) {
            return Err("its day lies before that of the decision whose place it takes");
        }
        listed.last_decision = Some((header.seq, header.on));
        Ok(())
    }

    /// Looks at a purge once it is known what is gone: `is_gone` tells whether the content of an entry is.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn purge(
        &self,
        header: &Header,
        kind_of: impl Fn(u64) -> Option<EntryKind>,
        is_there: impl Fn(u64) -> bool,
    ) -> Broken {
        debug_assert_eq!(header.kind, PURGE);
        let Value::Object(says) = &header.facts else { return Err("its facts are none") };
        if !says_who_and_why(says) {
            return Err("it does not say who took it out, and why");
        }
        let named: Vec<u64> = facts::<PurgeFacts>(header).map(|facts| facts.named).unwrap_or_default();
        let ranges = redacted_by(header).unwrap_or_default();
        let taken: HashSet<u64> = ranges.iter().flat_map(|&(first, last)| first..=last).collect();
        let runs: HashSet<&String> = taken
            .iter()
            .filter(|seq| kind_of(**seq) != Some(EntryKind::RunFinished))
            .filter_map(|seq| {
                self.run_of.get(seq).or_else(|| self.about.get(seq).and_then(|case| self.run_of.get(case)))
            })
            .collect();
        for &seq in &taken {
            match kind_of(seq) {
                Some(EntryKind::ModelRegistered | EntryKind::ModelReleased) => {
                    return Err("it took out a model, which is about nobody");
                }
                // What somebody wrote about another can name the person, and is taken out by its number.
                Some(EntryKind::CaseOpened | EntryKind::Decision | EntryKind::Correction) | None
                    if named.contains(&seq) => {}
                Some(EntryKind::CaseScored) => {
                    let dependents = self.listed.get(&seq).map_or(&[][..], |listed| &listed.dependents);
                    if dependents.iter().any(|&dependent| is_there(dependent)) {
                        return Err("it took out a case, and left what was decided about it");
                    }
                }
                Some(EntryKind::CaseOpened | EntryKind::Decision)
                    if self.about.get(&seq).is_some_and(|&case| is_there(case)) =>
                {
                    return Err("it took out what was decided about a case, and left the case");
                }
                Some(EntryKind::RunFinished)
                    if self.run_of.get(&seq).is_some_and(|run| !runs.contains(run)) =>
                {
                    return Err("it took out the digests of a run, and nobody of the run");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the average case and the parts come to the score, but for rounding.
fn adds_up(shown: &ShownCase) -> bool {
    let sum = shown.contributions.iter().map(|part| part.log_odds).sum::<f64>() + shown.average;
    (sum - shown.score).abs() <= 1e-6 * shown.score.abs().max(1.0)
}

/// Holds whoever looked at a case to what may stay where nobody can be taken out.
fn looked_at(reviewer: &Reviewer, content: Option<&Content>) -> Broken {
    named(&[&reviewer.name, &reviewer.role])?;
    if reviewer.check().is_err() {
        return Err("the reviewer's name or role is longer than any that is taken");
    }
    if content.and_then(|content| content.subject.as_ref()).is_some_and(|subject| reviewer.names(subject)) {
        return Err("the reviewer's name or role holds the id of whom it is about");
    }
    Ok(())
}

/// Whether entries of a kind are never without content, but for what was taken out.
fn has_content(kind: EntryKind) -> bool {
    is_about_somebody(kind) || matches!(kind, EntryKind::ModelRegistered | EntryKind::ModelReleased)
}

/// Whether entries of a kind are about one person or family.
fn is_about_somebody(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::CaseScored
            | EntryKind::CaseNotScored
            | EntryKind::CaseAsked
            | EntryKind::CaseOpened
            | EntryKind::Decision
            | EntryKind::Correction
    )
}

/// Refuses what says neither who nor why.
fn named(texts: &[&str]) -> Broken {
    if texts.iter().any(|text| words::is_blank(text)) {
        return Err("it does not say who did it, in which role, or why");
    }
    Ok(())
}

fn facts<T: DeserializeOwned>(header: &Header) -> Result<T, &'static str> {
    T::deserialize(&header.facts).map_err(|_| "its facts are not those of its kind")
}

fn body<T: DeserializeOwned>(content: &Content) -> Result<T, &'static str> {
    T::deserialize(&content.body).map_err(|_| "its content is not that of its kind")
}
