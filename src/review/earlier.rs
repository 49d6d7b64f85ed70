//! An earlier list, and how a later one is held against it.

use serde::Deserialize;

use super::list::ReviewList;
use super::listed::WhyListed;
use super::since::{ChangedReason, Fallen, Left, PastDecision, Since, Stayed, WhyLeft};
use crate::calendar::AsOf;
use crate::error::{Error, ReviewError};
use crate::features::Cell;
use crate::records::RecordReference;
use crate::scoring::{Contribution, NotScored, Provenance, Scores};
use crate::words;

/// An earlier list, as far as a later one is held against it: who was on it, for which reasons, and what was decided.
///
/// It is read from a list's data ([`EarlierList::from_json`]), which knows of no decisions, or taken from a ledger
/// ([`Ledger::earlier_list`](crate::ledger::Ledger::earlier_list)), which does.
#[derive(Clone, PartialEq)]
pub struct EarlierList {
    pub(crate) run_id: String,
    pub(crate) as_of: AsOf,
    /// What it was drawn for.
    pub(crate) purpose: String,
    /// The candidate that scored it: scores of another cannot be compared.
    pub(crate) candidate: String,
    pub(crate) places: Vec<EarlierPlace>,
}

crate::opaque_debug!(EarlierList);

/// A place on an earlier list.
#[derive(Clone, PartialEq)]
pub(crate) struct EarlierPlace {
    pub(crate) drawn: WhyListed,
    /// The case that led it, and those that stood beside it.
    pub(crate) cases: Vec<EarlierCase>,
    /// On how many lists in a row it was by then.
    pub(crate) times: u32,
    pub(crate) opened: bool,
    pub(crate) decided: Option<PastDecision>,
}

/// A case as it was shown.
#[derive(Clone, PartialEq, Deserialize)]
pub(crate) struct EarlierCase {
    pub(crate) entity: String,
    pub(crate) contributions: Vec<EarlierPart>,
}

/// A reason as it was shown.
#[derive(Clone, PartialEq, Deserialize)]
pub(crate) struct EarlierPart {
    pub(crate) features: Vec<String>,
    pub(crate) values: Vec<Cell>,
    pub(crate) words: String,
    pub(crate) records: Vec<RecordReference>,
}

impl EarlierList {
    /// Reads a list's data, as [`list_json`](crate::report::list_json) writes it. It knows of no decisions.
    ///
    /// # Errors
    /// [`ReviewError::EarlierList`] where it is no such list.
    pub fn from_json(text: &str) -> Result<Self, ReviewError> {
        #[derive(Deserialize)]
        struct File {
            audit: Provenance,
            entries: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            drawn: WhyListed,
            case: EarlierCase,
            #[serde(default)]
            beside: Vec<EarlierCase>,
            #[serde(default)]
            since: Option<Times>,
        }
        #[derive(Deserialize)]
        struct Times {
            times: u32,
        }
        // The parser's own words can hold a value of somebody's.
        let File { audit, entries } = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            ReviewError::EarlierList(format!(
                "the file is no list of this program's, at line {line}, column {column}"
            ))
        })?;
        let place = |entry: Entry| EarlierPlace {
            drawn: entry.drawn,
            cases: std::iter::once(entry.case).chain(entry.beside).collect(),
            times: entry.since.map_or(1, |since| since.times),
            opened: false,
            decided: None,
        };
        Ok(Self {
            run_id: audit.run_id,
            as_of: audit.as_of,
            purpose: audit.purpose,
            candidate: audit.candidate,
            places: entries.into_iter().map(place).collect(),
        })
    }

    /// The list's as-of date.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.as_of
    }

    /// Refuses a list of which most cases are nobody whom the extracts hold: it is another council's, or of other ids.
    fn is_of_these_people(&self, scores: &Scores<'_, '_>) -> Result<(), Error> {
        let mut strangers = 0;
        for place in &self.places {
            let Some(lead) = place.cases.first() else { continue };
            strangers += usize::from(!scores.holds(&lead.entity));
        }
        if 2 * strangers > self.places.len() {
            let why = format!(
                "of its {} the extracts hold {}: it is another service's, or of other ids",
                words::counted(self.places.len(), "case", "cases"),
                words::count((self.places.len() - strangers) as u64)
            );
            return Err(ReviewError::EarlierList(why).into());
        }
        Ok(())
    }

    /// The place (from 1) that holds the case, if one does.
    fn place_of(&self, entity: &str) -> Option<(u32, &EarlierPlace, &EarlierCase)> {
        (1..).zip(&self.places).find_map(|(place, held)| {
            held.cases.iter().find(|case| case.entity == entity).map(|case| (place, held, case))
        })
    }
}

impl ReviewList {
    /// Holds the list against an earlier one: what is new, what stayed and what changed of it, what left and why, and what
    /// has fallen. `scores` are those that the list was drawn from. A place is the same where a case of it, leading or beside,
    /// was on the earlier list. Cases that were drawn at random then, or are now, are neither new nor gone.
    ///
    /// # Errors
    /// [`ReviewError::EarlierList`] where the other list is not of an earlier date, or the errors of the records.
    pub fn since(&mut self, earlier: &EarlierList, scores: &Scores<'_, '_>) -> Result<(), Error> {
        if earlier.as_of >= self.provenance.as_of {
            let why = "it is not of an earlier date than this one".to_owned();
            return Err(ReviewError::EarlierList(why).into());
        }
        if earlier.purpose.trim() != self.provenance.purpose.trim() {
            let why = format!("it was drawn for another purpose: \"{}\"", earlier.purpose);
            return Err(ReviewError::EarlierList(why).into());
        }
        earlier.is_of_these_people(scores)?;
        let (mut new, mut stayed) = (0, 0);
        for entry in &mut self.entries {
            let shown = || std::iter::once(&entry.case).chain(&entry.beside);
            let found = shown().find_map(|case| Some((case, earlier.place_of(case.entity())?)));
            let ranked = entry.why_listed != WhyListed::AtRandom;
            let Some((case, (place, then, case_then))) = found else {
                new += u32::from(ranked);
                continue;
            };
            stayed += u32::from(ranked);
            entry.since = Some(Stayed {
                times: then.times.saturating_add(1),
                place_then: place,
                changed: case
                    .contributions()
                    .iter()
                    .filter_map(|part| ChangedReason::of(part, &case_then.contributions))
                    .collect(),
                decided: then.decided.clone(),
            });
        }
        let is_shown = |entity: &str| {
            let mut shown =
                self.entries.iter().flat_map(|entry| std::iter::once(&entry.case).chain(&entry.beside));
            shown.any(|case| case.entity() == entity)
        };
        let ranks = scores.ranks();
        let mut left = Vec::new();
        let mut fallen = Vec::new();
        for (place, then) in (1..).zip(&earlier.places) {
            let Some(lead) = then.cases.first() else { continue };
            if then.drawn != WhyListed::AtRandom && !then.cases.iter().any(|case| is_shown(&case.entity)) {
                left.push(Left {
                    entity: lead.entity.clone(),
                    place_then: place,
                    why: why_left(&lead.entity, earlier.as_of, scores, &ranks)?,
                    decided: then.decided.clone(),
                });
            }
            let looked_at = then.opened || then.decided.is_some();
            if looked_at
                && earlier.candidate == self.provenance.candidate
                && let Some(&rank) = ranks.get(lead.entity.as_str())
                && let Some((difference, interval)) = scores.moved_since(|name| lead.said(name), rank)?
                && interval.high < 0.0
            {
                let (entity, decided) = (lead.entity.clone(), then.decided.clone());
                fallen.push(Fallen { entity, place_then: place, rank, difference, interval, decided });
            }
        }
        self.since =
            Some(Since { run_id: earlier.run_id.clone(), as_of: earlier.as_of, new, stayed, left, fallen });
        Ok(())
    }
}

impl EarlierCase {
    /// What a feature said of the case, where one of its reasons is of that feature.
    fn said(&self, feature: &str) -> Option<Cell> {
        self.contributions.iter().find_map(|part| {
            let nth = part.features.iter().position(|held| held == feature)?;
            part.values.get(nth).copied()
        })
    }
}

impl ChangedReason {
    /// `None` where the reason rests on the records that it rested on.
    fn of(part: &Contribution, then: &[EarlierPart]) -> Option<Self> {
        let then = then.iter().find(|held| held.features == part.features)?;
        let new_records: Vec<RecordReference> =
            part.records.iter().filter(|record| !then.records.contains(record)).cloned().collect();
        let records_gone = then.records.iter().filter(|record| !part.records.contains(record)).count() as u32;
        (!new_records.is_empty() || records_gone > 0).then(|| Self {
            features: part.features.clone(),
            then: then.words.clone(),
            now: part.words.clone(),
            new_records,
            records_gone,
        })
    }
}

/// Why a case that was on a list is not on one that was drawn from these scores.
fn why_left(
    entity: &str,
    since: AsOf,
    scores: &Scores<'_, '_>,
    ranks: &hashbrown::HashMap<&str, u32>,
) -> Result<WhyLeft, Error> {
    if let Some(&rank) = ranks.get(entity) {
        return Ok(WhyLeft::Fell { rank });
    }
    if scores.had_outcome_since(entity, since)? {
        return Ok(WhyLeft::Outcome);
    }
    if let Some(held) = scores.not_scored().iter().find(|held| held.entity() == entity) {
        return Ok(WhyLeft::NotScored { why: NotScored::reason(held).words() });
    }
    Ok(match scores.why_left_out(entity)? {
        Some(rule) => WhyLeft::NotAskedAbout { rule: rule.to_owned() },
        None => WhyLeft::NotInExtracts,
    })
}
