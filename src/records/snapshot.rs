//! What was known on a date.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::link::LinkProbability;
use super::people::{Gone, Residence};
use super::{EventTable, OPEN, Records, Role, Source};
use crate::calendar::{AsOf, Day};
use crate::held::Held;

/// The records as they were known on a date: nothing that became known on that day or later is in it.
///
/// Cohorts and features are made from a snapshot and from nothing else, so they cannot look ahead.
///
/// # Examples
/// See the [module's example](super).
#[derive(Clone)]
pub struct Snapshot<'r> {
    records: Held<'r, Records>,
    as_of: AsOf,
    residence: Arc<Residence>,
}

/// One visible event.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event<'r> {
    /// What kind of event.
    pub kind: &'r str,
    /// The person's part in it.
    pub role: Role,
    /// When it happened or began.
    pub occurred: Day,
    /// When it became known.
    pub known: Day,
    /// When the episode ended, if that was known at the date.
    pub ended: Option<Day>,
    /// The source's own reference.
    pub reference: Option<String>,
}

/// Points to a record in its source, without what the record says of the person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordReference {
    /// The source.
    pub source: String,
    /// The source's own reference, where the mapping names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What kind of event.
    pub kind: String,
    /// In which role the person is in it, where the mapping says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When it happened or began.
    pub occurred: Day,
    /// When it became known.
    pub known: Day,
    /// How sure it is that the record is this person's, where it was linked and is not certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkProbability>,
    /// Whose record it is, where the case is a family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<HouseholdMember>,
}

/// One of a family, by pseudonym and age.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HouseholdMember {
    /// The person's pseudonymous id.
    pub id: String,
    /// The band that their age at the date lies in, in whole years: `5 to 9`. The age itself is not needed to tell who is
    /// meant, and would say more than the reason does.
    pub ages: String,
}

impl<'r> Snapshot<'r> {
    pub(super) fn new(records: Held<'r, Records>, as_of: AsOf) -> Self {
        let residence = Arc::new(records.households.at(as_of, records.people.len()));
        Self { records, as_of, residence }
    }

    /// The same records as they were known on another date.
    pub(crate) fn on(&self, as_of: AsOf) -> Self {
        Self::new(self.records.clone(), as_of)
    }

    /// The date.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.as_of
    }

    /// The visible events of a person in a source, in the order in which they happened. None where the
    /// records know neither the source nor the person.
    pub fn events(&self, source: &str, person: &str) -> impl Iterator<Item = Event<'_>> {
        let found = self.records.source(source).zip(self.records.person(person));
        let all = found.map_or_else(Vec::new, |(source, person)| {
            let events = source.events();
            events.visible(person, self.as_of).map(|row| self.event(source, &events, row)).collect()
        });
        all.into_iter()
    }

    /// The other members of the person's household, as known on the date.
    pub fn household(&self, person: &str) -> impl Iterator<Item = &str> {
        let ids = &self.records.people.ids;
        let person = self.records.person(person);
        person
            .into_iter()
            .flat_map(|person| self.residence.others(person))
            .map(|other| &*ids[other as usize])
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// A digest (SHA-256, hexadecimal) of everything a source said at the date; `people` (ids and dates of
    /// birth, and who had died or left) and `households` (as known at the date) count as sources. `None` where there is no such
    /// source. The order of the extract's rows does not change it; one event known earlier does.
    #[must_use]
    pub fn digest(&self, source: &str) -> Option<String> {
        let people = &self.records.people;
        match source {
            "people" => Some(people.digest(self.as_of)),
            "households" => Some(self.residence.digest(people, &self.records.households.ids)),
            _ => self.records.source(source).map(|source| source.digest(&people.ids, self.as_of)),
        }
    }

    /// The digest of each source, in the order of [`Snapshot::sources`].
    pub(crate) fn digests(&self) -> Vec<(String, String)> {
        self.of_sources(|source| (source.to_owned(), self.digest(source).unwrap_or_default()))
    }

    /// What is said of each source, in the order of [`Snapshot::sources`]. Those that wait on disk are fetched one after the
    /// other.
    pub(crate) fn of_sources<T: Send>(&self, say: impl Fn(&str) -> T + Sync) -> Vec<T> {
        let is_waiting = |source: &str| self.records.source(source).is_some_and(Source::is_waiting);
        let (waiting, at_hand): (Vec<_>, Vec<_>) =
            self.sources().enumerate().partition(|&(_, source)| is_waiting(source));
        let said = |(place, source): (usize, &str)| (place, say(source));
        let mut of_each: Vec<(usize, T)> = at_hand.into_par_iter().with_max_len(1).map(said).collect();
        of_each.extend(waiting.into_iter().map(said));
        of_each.sort_unstable_by_key(|&(place, _)| place);
        of_each.into_iter().map(|(_, said)| said).collect()
    }

    /// The names of everything that [`Snapshot::digest`] knows, in order.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        ["people", "households"].into_iter().chain(self.records.sources().map(|(name, ..)| name))
    }

    /// How often a person came into another household since a day, as far as it was known at the date.
    pub(crate) fn moves(&self, person: u32, since: i32) -> i32 {
        self.records.households.moves(self.as_of, person, since)
    }

    fn event<'a>(&self, source: &'a Source, events: &EventTable, row: usize) -> Event<'a> {
        Event {
            kind: &source.kinds[usize::from(events.kind[row])],
            role: events.role(row),
            occurred: Day::from_epoch_days(events.occurred[row]),
            known: Day::from_epoch_days(events.known(row)),
            ended: events.ended(row, self.as_of).filter(|&end| end != OPEN).map(Day::from_epoch_days),
            reference: events.reference(row).map(str::to_owned),
        }
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    pub(crate) fn residence(&self) -> &Residence {
        &self.residence
    }

    /// Whether the person had died or left, as was known at the date.
    pub(crate) fn gone(&self, person: u32) -> Option<Gone> {
        self.records.people.partings.gone(person, self.as_of)
    }

    /// The person's age in whole years at the date.
    pub(crate) fn age(&self, person: u32) -> Option<i32> {
        self.records.people.born(person).map(|born| self.as_of.day().years_since(born))
    }
}

impl Snapshot<'_> {
    /// Whose a record is, with the age at the date.
    pub(crate) fn member(&self, person: u32) -> HouseholdMember {
        let ages = match self.age(person) {
            None => "age not known",
            Some(..5) => "under 5",
            Some(5..10) => "5 to 9",
            Some(10..15) => "10 to 14",
            Some(15..18) => "15 to 17",
            Some(18..25) => "18 to 24",
            Some(_) => "25 or over",
        };
        HouseholdMember { id: self.records.people.ids[person as usize].to_string(), ages: ages.to_owned() }
    }
}

impl Source {
    /// Points to one of its rows.
    pub(crate) fn reference_to(&self, row: usize) -> RecordReference {
        let events = self.events();
        RecordReference {
            source: self.name.clone(),
            reference: events.reference(row).map(str::to_owned),
            kind: self.kinds[usize::from(events.kind[row])].to_string(),
            role: events.role.as_ref().map(|roles| roles[row]),
            occurred: Day::from_epoch_days(events.occurred[row]),
            known: Day::from_epoch_days(events.known(row)),
            member: None,
            link: events.link(row),
        }
    }
}

/// Whether an episode `[start, end)` lasts on a day.
pub(crate) fn open_on(day: i32, start: i32, end: i32) -> bool {
    start <= day && end > day
}

crate::opaque_debug!(Snapshot<'_>);

crate::opaque_debug!(Event<'_>);

crate::opaque_debug!(RecordReference);
