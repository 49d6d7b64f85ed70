//! Decisions one by one, and what they say together of the reasons that people were shown.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::Serialize;

use super::entry::LedgerEntry;
use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, EntryKind, OpenedContent, ScoreContent,
};
use super::handle::Ledger;
use super::store::Filter;
use super::tally::Listed;
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::review::{Agreement, ReviewRules, Reviewer, Step, WhyListed};
use crate::stats::{Estimate, newcombe_difference, wilson};

/// A decision on record, with what was written of it. Of a case that was taken out of the ledger, `case`, `reason` and
/// `own_judgement` are gone.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RecordedDecision {
    /// The entry.
    pub entry: u64,
    /// The run whose list the case was on.
    pub run: String,
    /// The place on it, from 1.
    pub place: u32,
    /// The pseudonymous id.
    pub case: Option<String>,
    /// Why it was listed.
    pub drawn: WhyListed,
    /// Who decided.
    pub reviewer: Reviewer,
    /// When they had opened the case.
    pub opened_on: Day,
    /// When they decided.
    pub decided_on: Day,
    /// What the machine's clock said when it was written, where it had one.
    pub written_on: Option<Day>,
    /// Whether they wrote their own judgement down before they saw the score.
    pub judged_first: bool,
    /// That judgement.
    pub own_judgement: Option<String>,
    /// The next step.
    pub step: Step,
    /// Whether they agree with the case's place on the list.
    pub agreement: Agreement,
    /// The reason in the council's own list, where it has one.
    pub reason_code: Option<String>,
    /// What that code means.
    pub reason_code_words: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The decision whose place it took.
    pub supersedes: Option<u64>,
    /// The decision that took its place.
    pub superseded_by: Option<u64>,
}

crate::opaque_debug!(RecordedDecision);

/// How people judged the cases for which they were shown one reason, or which they gave one reason for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The reason: what a feature is about, or a code of the council's own list in words.
    pub reason: String,
    /// Decisions about alerts.
    pub decided: u64,
    /// How many of them disagree with the case's place on the list.
    pub disagreed: u64,
    /// Their share (Wilson).
    pub override_rate: Option<Estimate>,
    /// By how much that is above the share of all other decisions about alerts (Newcombe), -1 to 1; `None` without others.
    pub difference: Option<Estimate>,
}

impl Judged {
    /// Whether people clearly disagree more often than where the reason was not among those shown: the whole interval of the
    /// difference is above 0. A feature that says something wrong shows here first.
    #[must_use]
    pub fn stands_out(&self) -> bool {
        self.difference.is_some_and(|difference| difference.interval.low > 0.0)
    }
}

/// How many of a case's largest reasons are held to have been looked at: as many as its row on the list leads with.
const LOOKED_AT: usize = 3;

impl Ledger {
    /// Every decision on record up to and including a day, the oldest first; those whose place another has taken among them.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where the ledger does not [verify](Ledger::verify), others where it cannot be read.
    pub fn decisions(&self, on: Day) -> Result<Vec<RecordedDecision>, LedgerError> {
        self.check()?;
        let mut rules: HashMap<String, ReviewRules> = HashMap::new();
        for run in self.runs()? {
            rules.insert(run.audit.run_id, run.review);
        }
        let mut place_of: HashMap<u64, u32> = HashMap::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
            if let Some(place) = entry.facts_as::<CaseScored>()?.place {
                place_of.insert(entry.seq(), place);
            }
            Ok(())
        })?;
        let mut openings: Vec<(CaseOpened, Day, Option<String>)> = Vec::new();
        let mut decisions: Vec<RecordedDecision> = Vec::new();
        self.read(&Filter::of(&[EntryKind::CaseOpened, EntryKind::Decision]), &mut |entry| {
            if entry.on() > on {
                return Ok(());
            }
            if entry.about() == Some(EntryKind::CaseOpened) {
                let own = entry.content_as::<OpenedContent>()?.and_then(|content| content.own_judgement);
                openings.push((entry.facts_as()?, entry.on(), own));
                return Ok(());
            }
            let facts: DecisionFacts = entry.facts_as()?;
            if let Some(before) = facts.supersedes
                && let Some(held) = decisions.iter_mut().find(|held| held.entry == before)
            {
                held.superseded_by = Some(entry.seq());
            }
            decisions.push(told(&entry, facts, &place_of, &rules, &openings)?);
            Ok(())
        })?;
        Ok(decisions)
    }

    /// How alerts were judged by the reasons that people were shown; only reasons with `least` decisions or more, the largest
    /// share of disagreement first.
    pub(super) fn judged_by_reason(
        &self,
        cases: &BTreeMap<u64, Listed>,
        least: u32,
    ) -> Result<Vec<Judged>, LedgerError> {
        let decided = |case: &Listed| {
            let judged = case.decision.as_ref().filter(|_| case.drawn != WhyListed::AtRandom)?;
            Some(judged.1.agreement == Agreement::Disagree)
        };
        let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
            let Some(disagreed) = cases.get(&entry.seq()).and_then(decided) else { return Ok(()) };
            let content = entry.content_as::<ScoreContent>()?;
            let Some(case) = content.and_then(|content| content.case) else { return Ok(()) };
            let mut reasons: Vec<&str> = case
                .contributions
                .iter()
                .filter(|part| part.log_odds > 0.0)
                .take(LOOKED_AT)
                .map(|part| part.label.as_str())
                .collect();
            reasons.sort_unstable();
            reasons.dedup();
            for reason in reasons {
                let held = counts.entry(reason.to_owned()).or_default();
                *held = [held[0] + 1, held[1] + u64::from(disagreed)];
            }
            Ok(())
        })?;
        Ok(Judged::of(counts, cases, least))
    }
}

impl Judged {
    /// How alerts were judged by the code that the decision gives.
    pub(super) fn by_code(
        cases: &BTreeMap<u64, Listed>,
        words: &BTreeMap<String, String>,
        least: u32,
    ) -> Vec<Self> {
        let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        for (_, facts) in alerts(cases) {
            if let Some(code) = &facts.reason_code {
                let held = counts.entry(words.get(code).unwrap_or(code).clone()).or_default();
                *held = [held[0] + 1, held[1] + u64::from(facts.agreement == Agreement::Disagree)];
            }
        }
        Self::of(counts, cases, least)
    }

    fn of(counts: BTreeMap<String, [u64; 2]>, cases: &BTreeMap<u64, Listed>, least: u32) -> Vec<Self> {
        let (mut all, mut against) = (0, 0);
        for (_, facts) in alerts(cases) {
            all += 1;
            against += u64::from(facts.agreement == Agreement::Disagree);
        }
        let mut judged: Vec<Self> = counts
            .into_iter()
            .filter(|(_, [decided, _])| *decided >= u64::from(least))
            .map(|(reason, [decided, disagreed])| {
                let others = (against - disagreed, all - decided);
                Self {
                    reason,
                    decided,
                    disagreed,
                    override_rate: wilson(disagreed, decided),
                    difference: newcombe_difference((disagreed, decided), others),
                }
            })
            .collect();
        let share = |judged: &Self| judged.override_rate.as_ref().map_or(0.0, |rate| rate.value);
        judged.sort_by(|one, other| {
            share(other).total_cmp(&share(one)).then_with(|| one.reason.cmp(&other.reason))
        });
        judged
    }
}

/// The last decisions about alerts.
fn alerts(cases: &BTreeMap<u64, Listed>) -> impl Iterator<Item = &(Day, DecisionFacts)> {
    cases.values().filter(|case| case.drawn != WhyListed::AtRandom).filter_map(|case| case.decision.as_ref())
}

fn told(
    entry: &LedgerEntry,
    facts: DecisionFacts,
    place_of: &HashMap<u64, u32>,
    rules: &HashMap<String, ReviewRules>,
    openings: &[(CaseOpened, Day, Option<String>)],
) -> Result<RecordedDecision, LedgerError> {
    let run = entry.run().unwrap_or_default();
    let content: Option<DecisionContent> = entry.content_as()?;
    let code_words = facts.reason_code.as_ref().and_then(|code| {
        let codes = &rules.get(run)?.reason_codes;
        codes.iter().find(|reason| reason.code == *code).map(|reason| reason.words.clone())
    });
    let by_them = || {
        openings
            .iter()
            .filter(|(opening, _, _)| opening.case == facts.case && opening.reviewer == facts.reviewer)
    };
    Ok(RecordedDecision {
        entry: entry.seq(),
        run: run.to_owned(),
        place: place_of.get(&facts.case).copied().unwrap_or_default(),
        case: entry.content().and_then(|content| content.subject.clone()),
        drawn: facts.drawn,
        opened_on: facts.opened_on,
        decided_on: entry.on(),
        written_on: entry.written(),
        judged_first: by_them().any(|(opening, _, _)| opening.judged_first),
        own_judgement: by_them().rev().find_map(|(_, _, own)| own.clone()),
        reviewer: facts.reviewer,
        step: facts.step,
        agreement: facts.agreement,
        reason_code: facts.reason_code,
        reason_code_words: code_words,
        reason: content.map(|content| content.reason),
        supersedes: facts.supersedes,
        superseded_by: None,
    })
}
