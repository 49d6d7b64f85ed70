//! A recorded list, as far as it can be seen before a case is opened.

use std::collections::BTreeMap;

use super::events::{CaseOpened, CaseScored, DecisionFacts, EntryKind, RunFinished};
use super::handle::Ledger;
use super::store::Filter;
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::review::{Reviewer, Step, WhyListed};

/// A list that the ledger holds: who is on it, and what became of each place. Of scores and reasons it says nothing; those are seen
/// by [opening a case](Ledger::open_case).
///
/// # Examples
/// ```
/// use earlyhelp::ledger::Ledger;
///
/// fn what_is_left(ledger: &Ledger, run: &str) -> earlyhelp::Result<()> {
///     let list = ledger.list(run)?;
///     for place in list.places.iter().filter(|place| place.decided.is_none()) {
///         println!("{}. {}", place.place, place.entity.as_deref().unwrap_or("taken out"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecordedList {
    /// The run's manifest.
    pub run: RunFinished,
    /// Its places, from the first.
    pub places: Vec<RecordedPlace>,
}

/// A place of a recorded list.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RecordedPlace {
    /// Its number, from 1.
    pub place: u32,
    /// The pseudonymous id of the case; `None` where it was taken out.
    pub entity: Option<String>,
    /// Why the case is on the list.
    pub why_listed: WhyListed,
    /// Who opened it, each with the first day.
    pub opened: Vec<(Reviewer, Day)>,
    /// The last decision, by its day.
    pub decided: Option<(Step, Day)>,
}

crate::opaque_debug!(RecordedPlace);

impl Ledger {
    /// A list that the ledger holds, by the run's id or the beginning of it.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] and [`LedgerError::Ambiguous`] where no one run is named so, others where the ledger cannot be read.
    pub fn list(&self, run: &str) -> Result<RecordedList, LedgerError> {
        let run = self.run_named(run)?;
        let mut places: BTreeMap<u64, RecordedPlace> = BTreeMap::new();
        self.each_place(&run, &mut |entry| {
            let CaseScored { place, drawn, .. } = entry.facts_as()?;
            if let (Some(place), Some(why_listed)) = (place, drawn) {
                let entity = entry.content().and_then(|content| content.subject.clone());
                let opened = Vec::new();
                places
                    .insert(entry.seq(), RecordedPlace { place, entity, why_listed, opened, decided: None });
            }
            Ok(())
        })?;
        let looked_at =
            Filter::of(&[EntryKind::CaseOpened, EntryKind::Decision]).run(&run.audit.run_id).facts_only();
        self.read(&looked_at, &mut |entry| {
            if entry.about() == Some(EntryKind::Decision) {
                let facts: DecisionFacts = entry.facts_as()?;
                if let Some(place) = places.get_mut(&facts.case) {
                    place.decided = Some((facts.step, entry.on()));
                }
            } else {
                let facts: CaseOpened = entry.facts_as()?;
                if let Some(place) = places.get_mut(&facts.case)
                    && place.opened.iter().all(|(reviewer, _)| *reviewer != facts.reviewer)
                {
                    place.opened.push((facts.reviewer, entry.on()));
                }
            }
            Ok(())
        })?;
        let mut places: Vec<RecordedPlace> = places.into_values().collect();
        places.sort_unstable_by_key(|place| place.place);
        Ok(RecordedList { run, places })
    }
}
