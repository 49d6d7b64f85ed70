//! Decisions one by one, and what they say together of the reasons that people were shown.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use serde::Serialize;

use super::entry::LedgerEntry;
use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, EntryKind, OpenedContent, RunFinished,
    ScoreContent,
};
use super::groups::{distinct, parted};
use super::handle::Ledger;
use super::store::Filter;
use super::tally::Listed;
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::fairness::audit::{Counted, held_back, hold_back_parts};
use crate::review::{Agreement, ReviewRules, Reviewer, Step, WhyListed};
use crate::stats::{Estimate, newcombe_difference, wilson};

/// A decision on record, with what was written of it. Of a case that was taken out of the ledger, `case`, `reason` and
/// `own_judgement` are gone.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
        let mut decided: Vec<&Listed> = Vec::new();
        let mut led_by: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
            let case = cases.get(&entry.seq()).filter(|case| is_decided_alert(case));
            let Some(case) = case else { return Ok(()) };
            let shown = entry.content_as::<ScoreContent>()?.and_then(|content| content.case);
            // Of a case that was taken out nobody can tell what people were shown. It stands with no reason, and among all others:
            // left out, it would be what the total has more.
            let parts = shown.map(|shown| shown.contributions).unwrap_or_default();
            let raising = parts.iter().filter(|part| part.log_odds > 0.0).take(LOOKED_AT);
            for reason in raising.map(|part| part.label.as_str()).collect::<BTreeSet<&str>>() {
                led_by.entry(reason.to_owned()).or_default().push(decided.len());
            }
            decided.push(case);
            Ok(())
        })?;
        let judged = led_by.into_iter().filter_map(|(reason, places)| {
            let (with, others): (Vec<_>, Vec<_>) = decided
                .iter()
                .copied()
                .enumerate()
                .partition(|(place, _)| places.binary_search(place).is_ok());
            let [with, others] = [with, others]
                .map(|cases| -> Vec<&Listed> { cases.into_iter().map(|(_, case)| case).collect() });
            // What is not with the reason follows from the totals.
            let held = withheld(&[&with, &others], least);
            (!held[0]).then(|| Judged::of(reason, &with, &others))
        });
        Ok(Judged::sorted(judged.collect()))
    }
}

impl Judged {
    /// How alerts were judged by the code that the decision gives, each with the words that it had on its own list.
    pub(super) fn by_code(cases: &BTreeMap<u64, Listed>, runs: &[RunFinished], least: u32) -> Vec<Self> {
        let mut groups: BTreeMap<Option<(&str, &str)>, Vec<&Listed>> = BTreeMap::new();
        for case in cases.values().filter(|case| is_decided_alert(case)) {
            let code = case.decision.as_ref().and_then(|(_, facts)| facts.reason_code.as_deref());
            let meaning = code.map(|code| {
                let mut codes = runs[case.run].review.reason_codes.iter();
                let words = codes.find(|reason| reason.code == code).map(|reason| reason.words.as_str());
                (code, words.unwrap_or(code))
            });
            groups.entry(meaning).or_default().push(case);
        }
        let sets: Vec<&[&Listed]> = groups.values().map(Vec::as_slice).collect();
        let held = withheld(&sets, least);
        let is_one_of_several =
            |words: &str| groups.keys().flatten().filter(|held| held.1 == words).count() > 1;
        let judged = groups.iter().enumerate().filter_map(|(nth, (meaning, with))| {
            let (code, words) = meaning.as_ref().filter(|_| !held[nth])?;
            let reason =
                if is_one_of_several(words) { format!("{words} ({code})") } else { (*words).to_owned() };
            let others: Vec<&Listed> = sets
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != nth)
                .flat_map(|(_, set)| set.iter().copied())
                .collect();
            Some(Self::of(reason, with, &others))
        });
        Self::sorted(judged.collect())
    }

    fn of(reason: String, with: &[&Listed], others: &[&Listed]) -> Self {
        let count = |cases: &[&Listed]| {
            let against = cases.iter().filter(|case| disagrees(case)).count();
            (against as u64, cases.len() as u64)
        };
        let (disagreed, decided) = count(with);
        Self {
            reason,
            decided,
            disagreed,
            override_rate: wilson(disagreed, decided),
            difference: newcombe_difference((disagreed, decided), count(others)),
        }
    }

    fn sorted(mut judged: Vec<Self>) -> Vec<Self> {
        let share = |judged: &Self| judged.override_rate.as_ref().map_or(0.0, |rate| rate.value);
        judged.sort_by(|one, other| {
            share(other).total_cmp(&share(one)).then_with(|| one.reason.cmp(&other.reason))
        });
        judged
    }
}

fn is_decided_alert(case: &Listed) -> bool {
    case.drawn != WhyListed::AtRandom && case.decision.is_some()
}

fn disagrees(case: &Listed) -> bool {
    case.decision.as_ref().is_some_and(|(_, facts)| facts.agreement == Agreement::Disagree)
}

/// Which of these sets of decided cases, whose totals are told, would tell of fewer than `least` people: in all, or among those
/// that were disagreed with or were not.
fn withheld(sets: &[&[&Listed]], least: u32) -> Vec<bool> {
    let least = u64::from(least);
    let sizes: Vec<u64> = sets.iter().map(|set| distinct(set.iter().copied())).collect();
    let people: Vec<Counted> = sizes.iter().map(|&size| [size; 2].into()).collect();
    let mut held = held_back(&people, least);
    let parts: Vec<Counted> = sets.iter().map(|set| parted(set, disagrees).into()).collect();
    hold_back_parts(&parts, &mut held, least);
    // Somebody on three lists may stand in three sets: what is withheld has to be of enough people together.
    let is_few = |people: u64| (1..least).contains(&people);
    loop {
        let together: Vec<&Listed> = sets
            .iter()
            .zip(&held)
            .filter(|(_, held)| **held)
            .flat_map(|(set, _)| set.iter().copied())
            .collect();
        let [against, others] = parted(&together, disagrees);
        let tells = [distinct(together.iter().copied()), against, others].into_iter().any(is_few);
        let next = (0..sets.len()).filter(|&set| !held[set]).min_by_key(|&set| sizes[set]);
        let (true, Some(next)) = (tells, next) else { return held };
        held[next] = true;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{Reviewer, Step};

    fn case(person: Option<&str>, agreement: Agreement) -> Listed {
        let on: Day = "2025-03-01".parse().unwrap();
        let facts = DecisionFacts {
            case: 1,
            drawn: WhyListed::ByRank,
            reviewer: Reviewer::new("A", "B"),
            opened_on: on,
            step: Step::NoAction,
            agreement,
            reason_code: None,
            supersedes: None,
        };
        Listed {
            entity: person.map(str::to_owned),
            drawn: WhyListed::ByRank,
            run: 0,
            requested_on: on,
            opened: true,
            decision: Some((on, facts)),
        }
    }

    /// Cases of so many people, half of them disagreed with.
    fn of(name: &str, people: usize) -> Vec<Listed> {
        let agreement = |nth| if nth % 2 == 0 { Agreement::Agree } else { Agreement::Disagree };
        (0..people).map(|nth| case(Some(&format!("{name}{nth}")), agreement(nth))).collect()
    }

    fn held(sets: &[Vec<Listed>]) -> Vec<bool> {
        let sets: Vec<Vec<&Listed>> = sets.iter().map(|set| set.iter().collect()).collect();
        withheld(&sets.iter().map(Vec::as_slice).collect::<Vec<_>>(), 10)
    }

    #[test]
    fn nine_people_on_three_lists_do_not_pass_for_twenty_seven() {
        let sets = [of("few", 9), of("few", 9), of("few", 9), of("many", 60), of("more", 80)];
        // The next larger goes with them.
        assert_eq!(held(&sets), [true, true, true, true, false]);
        let apart = [of("a", 9), of("b", 9), of("c", 9), of("many", 60), of("more", 80)];
        assert_eq!(held(&apart), [true, true, true, false, false]);
    }

    #[test]
    fn who_was_taken_out_is_no_group_of_one() {
        let gone = || vec![case(None, Agreement::Disagree)];
        assert_eq!(held(&[gone(), of("many", 40), of("more", 60)]), [true, true, false]);
        let many = (0..30).map(|_| case(None, Agreement::Agree)).collect::<Vec<_>>();
        assert_eq!(held(&[many, of("many", 40), of("more", 60)]), [true, true, false]);
    }
}
