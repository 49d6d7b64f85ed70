//! The list of the month before, as a ledger holds it.

use std::collections::BTreeMap;

use super::entry::LedgerEntry;
use super::events::{
    CaseOpened, CaseScored, DecisionContent, DecisionFacts, EntryKind, RunFinished, ScoreContent,
};
use super::handle::Ledger;
use super::shown::ShownCase;
use super::store::Filter;
use crate::calendar::AsOf;
use crate::error::LedgerError;
use crate::review::{EarlierCase, EarlierList, EarlierPart, EarlierPlace, PastDecision};

impl Ledger {
    /// The last list for the same purpose that is of an earlier date, with what was decided about it; `None` where the ledger
    /// holds none. Of several lists of one date the last is taken. Whoever was taken out of the ledger is not on it.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub fn earlier_list(&self, purpose: &str, before: AsOf) -> Result<Option<EarlierList>, LedgerError> {
        let mut by_date: BTreeMap<AsOf, RunFinished> = BTreeMap::new();
        for run in self.runs()? {
            if run.audit.purpose.trim() == purpose.trim() && run.audit.as_of < before {
                by_date.insert(run.audit.as_of, run);
            }
        }
        let mut runs = by_date.into_values().rev();
        let Some(last) = runs.next() else { return Ok(None) };
        let mut places = self.places_of(&last.audit.run_id)?;
        // Who was on the list before that one, too, and on the one before that.
        let mut still: Vec<usize> = (0..places.len()).collect();
        for run in runs {
            let shown = self.places_of(&run.audit.run_id)?;
            let held: hashbrown::HashSet<&str> =
                shown.iter().flat_map(|place| &place.cases).map(|case| case.entity.as_str()).collect();
            still.retain(|&place| places[place].cases.iter().any(|case| held.contains(case.entity.as_str())));
            if still.is_empty() {
                break;
            }
            for &place in &still {
                places[place].times += 1;
            }
        }
        Ok(Some(EarlierList {
            purpose: last.audit.purpose,
            run_id: last.audit.run_id,
            as_of: last.audit.as_of,
            candidate: last.audit.candidate,
            places,
        }))
    }

    /// The places of a run's list with what became of them, in order.
    fn places_of(&self, run: &str) -> Result<Vec<EarlierPlace>, LedgerError> {
        let mut places: BTreeMap<u32, EarlierPlace> = BTreeMap::new();
        let mut beside: Vec<(u32, EarlierCase)> = Vec::new();
        let mut place_of: hashbrown::HashMap<u64, u32> = hashbrown::HashMap::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]).run(run), &mut |entry| {
            let facts: CaseScored = entry.facts_as()?;
            let Some(place) = facts.place.or(facts.beside) else { return Ok(()) };
            let content = entry.content_as::<ScoreContent>()?;
            let Some(case) = content.and_then(|content| content.case).map(EarlierCase::of) else {
                return Ok(());
            };
            if let Some(drawn) = facts.drawn {
                place_of.insert(entry.seq(), place);
                let held = EarlierPlace { drawn, cases: vec![case], times: 1, opened: false, decided: None };
                places.insert(place, held);
            } else {
                beside.push((place, case));
            }
            Ok(())
        })?;
        for (place, case) in beside {
            if let Some(held) = places.get_mut(&place) {
                held.cases.push(case);
            }
        }
        let at = |case: u64| place_of.get(&case).copied();
        for entry in self.entries(&Filter::of(&[EntryKind::CaseOpened]).run(run))? {
            let facts: CaseOpened = entry.facts_as()?;
            if let Some(held) = at(facts.case).and_then(|place| places.get_mut(&place)) {
                held.opened = true;
            }
        }
        for entry in self.entries(&Filter::of(&[EntryKind::Decision]).run(run))? {
            let facts: DecisionFacts = entry.facts_as()?;
            if let Some(held) = at(facts.case).and_then(|place| places.get_mut(&place)) {
                held.decided = Some(past(&entry, facts)?);
            }
        }
        Ok(places.into_values().collect())
    }
}

/// A decision as the next month's list shows it.
fn past(entry: &LedgerEntry, facts: DecisionFacts) -> Result<PastDecision, LedgerError> {
    let content: Option<DecisionContent> = entry.content_as()?;
    Ok(PastDecision {
        by: facts.reviewer,
        on: entry.on(),
        step: facts.step,
        agreement: facts.agreement,
        reason: content.map(|content| content.reason).unwrap_or_default(),
    })
}

impl EarlierCase {
    fn of(shown: ShownCase) -> Self {
        let part = |part: super::shown::ShownPart| EarlierPart {
            features: part.features,
            values: part.values,
            words: part.words,
            records: part.records,
        };
        Self { entity: shown.entity, contributions: shown.contributions.into_iter().map(part).collect() }
    }
}
