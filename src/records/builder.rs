//! Reads all extracts into one set of records.

use std::sync::Arc;

use hashbrown::HashSet;

use super::Records;
use super::codes::UnlistedCodes;
use super::column::NO_DAY;
use super::dictionary::{Dictionary, NONE};
use super::entrance::{Entrance, Ids};
use super::events::OPEN;
use super::extract::Extract;
use super::identities::{Identities, TABLES};
use super::intake::{Closed, DayOf, Faults, Ledger, Reader};
use super::listing::{Listed, read_people};
use super::mapping::{HouseholdColumns, MINIMUM_LINK, PeopleColumns, SourceMapping};
use super::memory::MemoryLimit;
use super::people::{Households, People, Spell, families};
use super::reject::{Intake, Reject, RejectReason, Remark, RemarkKind, summarise};
use super::roads::{Found, Placed, SourcesAt, ToldRows};
#[cfg(feature = "files")]
use super::store::RecordStore;
#[cfg(feature = "files")]
use super::store_at::StoreAt;
use super::tables::TableRead;
use crate::calendar::Day;
use crate::error::RecordsError;

/// The most rows of a source that may be rejected before a run fails: 5%. A source of which more than
/// one row in twenty cannot be read is not the source that the mapping describes.
pub const DEFAULT_REJECT_LIMIT: f64 = 0.05;

/// Gathers extracts; [`RecordsBuilder::build`] reads them.
#[derive(Default)]
pub struct RecordsBuilder<'p> {
    identities: Arc<Identities>,
    people: Option<(PeopleColumns, Extract)>,
    households: Option<(HouseholdColumns, Extract)>,
    sources: Vec<(SourceMapping, Extract)>,
    reject_limit: Option<f64>,
    read_on: Option<Day>,
    memory: Option<MemoryLimit>,
    #[cfg(feature = "files")]
    store: Option<RecordStore>,
    progress: Option<ToldRows<'p>>,
}

impl std::fmt::Debug for RecordsBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordsBuilder").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl<'p> RecordsBuilder<'p> {
    /// Whose the ids of several systems are, and the key for pseudonyms. Every other table says with `system` whose ids it has.
    /// They may be shared by several builders.
    #[must_use]
    pub fn identities(mut self, identities: impl Into<Arc<Identities>>) -> Self {
        self.identities = identities.into();
        self
    }

    /// The list of people. Records about anybody else are then rejected.
    #[must_use]
    pub fn people(mut self, columns: PeopleColumns, extract: Extract) -> Self {
        self.people = Some((columns, extract));
        self
    }

    /// The list of who belonged to which household or family.
    #[must_use]
    pub fn households(mut self, columns: HouseholdColumns, extract: Extract) -> Self {
        self.households = Some((columns, extract));
        self
    }

    /// One source of dated records.
    #[must_use]
    pub fn source(mut self, mapping: SourceMapping, extract: Extract) -> Self {
        self.sources.push((mapping, extract));
        self
    }

    /// The largest share of a source's rows, 0 to 1, that may be rejected
    /// (default [`DEFAULT_REJECT_LIMIT`]).
    #[must_use]
    pub fn reject_limit(mut self, share: f64) -> Self {
        self.reject_limit = Some(share);
        self
    }

    /// The day on which the extracts are read. No record can be of a later day, so one that is was mistyped, and is
    /// rejected; without it such a row is only found where its source's coverage says when the extract was made.
    #[must_use]
    pub fn read_on(mut self, day: Day) -> Self {
        self.read_on = Some(day);
        self
    }

    /// How much memory the records may take; those that do not fit wait on disk. Without it they are all held.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn memory(mut self, limit: MemoryLimit) -> Self {
        self.memory = Some(limit);
        self
    }

    /// What was read before: a source whose files are the same, and for which nothing else is another either, is taken from the
    /// store in place of being read. What comes out is the same, byte for byte; [`Records::roads`] says which road each took.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn store(mut self, store: RecordStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Is told the source and how many more of its rows were read, now and then.
    #[must_use]
    pub fn progress(mut self, progress: impl FnMut(&str, u64) + Send + 'p) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Brings the sources into the order of their names, each of which there can be once.
    fn check_names(&mut self) -> Result<(), RecordsError> {
        self.sources.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let names: Vec<&str> = self.sources.iter().map(|(mapping, _)| mapping.name.as_str()).collect();
        let mut met = HashSet::new();
        let twice = names.iter().copied().find(|name| !met.insert(name.to_lowercase()));
        let is_taken = |name: &&str| {
            let mut of_identities = self.identities.intake().iter();
            ["people", "households"].contains(name) || of_identities.any(|held| held.source == **name)
        };
        if let Some(name) = twice.or(names.into_iter().find(is_taken)) {
            return Err(RecordsError::NameTwice(name.to_owned()));
        }
        Ok(())
    }

    /// Reads and validates everything.
    ///
    /// # Errors
    /// [`RecordsError`] where the reject limit is not a share, a file cannot be read, a mapped column is not there, two
    /// sources have one name, nobody is left, a source has more rejects than the limit allows, or memory does not suffice.
    pub fn build(mut self) -> Result<Records, RecordsError> {
        let limit = self.reject_limit.unwrap_or(DEFAULT_REJECT_LIMIT);
        if !(0.0..=1.0).contains(&limit) {
            return Err(RecordsError::RejectLimit(limit));
        }
        let progress = self.progress.take().unwrap_or_else(|| Box::new(|_, _| {}));
        self.check_names()?;
        let identities = self.identities;
        let mut ids = Ids::new(&identities, self.people.is_some());
        let mut tables = Tables::of(&identities);
        let updated = self.sources.iter().filter_map(|(mapping, _)| mapping.coverage.updated).max();
        let last = self.read_on.or(updated);
        let Listed { born, partings } = match self.people {
            Some((columns, extract)) => {
                let (listed, closed) = read_people(&columns, (extract, last), &mut ids)?;
                tables.add(closed);
                listed
            }
            None => Listed::default(),
        };
        tables.doubt_merges(&ids, last);
        let mut household_ids = Dictionary::default();
        let spells = match self.households {
            Some((columns, extract)) => {
                let (spells, closed) =
                    read_households(&columns, (extract, last), &mut ids, &mut household_ids)?;
                tables.add(closed);
                spells
            }
            None => Vec::new(),
        };
        let of_lists = || spells.iter().map(|spell| spell.person).chain(0..born.len() as u32);
        let at = SourcesAt::new(
            (self.read_on, self.memory.as_ref()),
            // To keep ids beside their pseudonyms they have to be read.
            #[cfg(feature = "files")]
            self.store.filter(|_| !identities.keeps_way_back()).map(|store| StoreAt::new(store, &ids)),
            progress,
        );
        let (read, placed) = if ids.are_listed {
            // Nobody is added, so places are final and each source can be closed as soon as it is read.
            let placed = Placed::new(&ids.people, of_lists(), (&born, partings))?;
            (at.closed(self.sources, &mut ids, &placed)?, placed)
        } else {
            let found = at.found(self.sources, &mut ids)?;
            let named = found.iter().flat_map(Found::people).chain(of_lists());
            let placed = Placed::new(&ids.people, named, (&born, partings))?;
            (at.close(found, &ids.people, &placed)?, placed)
        };
        let Placed { place, born: born_sorted, partings } = placed;
        let Ids { people: ids, mut way_back, .. } = ids;
        let ids = ids.arranged(&place);
        if ids.is_empty() {
            return Err(RecordsError::Empty);
        }
        let (household_ids, household_place) =
            household_ids.sorted(spells.iter().map(|spell| spell.household));
        let mut spells: Vec<Spell> = spells
            .into_iter()
            .map(|spell| Spell {
                person: place[spell.person as usize],
                household: household_place[spell.household as usize],
                ..spell
            })
            .collect();
        spells.sort_unstable();
        let family = families(ids.len(), &spells, household_ids.len());
        let (mut sources, mut roads) = (Vec::new(), Vec::new());
        for (source, closed, road) in read {
            roads.extend(road.map(|road| (source.name.clone(), road)));
            sources.push(Arc::new(source));
            tables.add(closed);
        }
        let Tables { intake, rejects, remarks, read, unlisted } = tables;
        check_limit(&intake, &rejects, limit)?;
        partings.check_limit(&remarks, limit)?;
        let is_held = |(pseudonym, _): &(String, Box<str>)| {
            let is_in = |ids: &[Box<str>]| ids.binary_search_by(|held| (**held).cmp(pseudonym)).is_ok();
            is_in(&ids) || is_in(&household_ids)
        };
        way_back.retain(is_held);
        way_back.sort_unstable();
        way_back.dedup();
        Ok(Records {
            people: People { ids: ids.into(), born: born_sorted, partings, family },
            households: Households { ids: household_ids.into(), spells },
            sources,
            intake,
            rejects,
            remarks,
            tables: read,
            unlisted,
            way_back,
            roads,
            from_database: None,
        })
    }
}

/// What became of the rows of all tables.
#[derive(Default)]
struct Tables {
    intake: Vec<Intake>,
    rejects: Vec<Reject>,
    remarks: Vec<Remark>,
    read: Vec<TableRead>,
    unlisted: Vec<UnlistedCodes>,
}

impl Tables {
    fn of(identities: &Identities) -> Self {
        Self {
            intake: identities.intake().to_vec(),
            rejects: identities.rejects().to_vec(),
            remarks: identities.remarks().to_vec(),
            read: Vec::new(),
            unlisted: Vec::new(),
        }
    }

    /// Takes note of ids that were merged into one that is nobody's, once the list of people is read, and of those merged
    /// after the last day that there can be.
    fn doubt_merges(&mut self, ids: &Ids<'_>, last: Option<Day>) {
        let is_listed = |id: &str| ids.people.find(id).is_some();
        let is_listed: Option<&dyn Fn(&str) -> bool> = if ids.are_listed { Some(&is_listed) } else { None };
        let into_nobody = ids.identities.merged_into_nobody(is_listed);
        let later = last.map_or(0, |day| ids.identities.merged_after(day));
        let found = [(RemarkKind::MergedIntoNobody, into_nobody), (RemarkKind::MergedLater, later)];
        let remark = |(kind, rows)| Remark { source: TABLES.to_owned(), kind, rows };
        self.remarks.extend(found.into_iter().filter(|(_, rows)| *rows > 0).map(remark));
    }

    fn add(&mut self, closed: Closed) {
        self.intake.push(closed.intake);
        self.rejects.extend(closed.rejects);
        self.remarks.extend(closed.remarks);
        self.read.push(closed.table);
        self.unlisted.extend(closed.unlisted);
    }
}

/// Refuses a source of whose rows a larger share was rejected, but for rows that are no record of their own: a line of totals,
/// and a copy that the mapping asks to drop.
pub(crate) fn check_limit(intake: &[Intake], rejects: &[Reject], limit: f64) -> Result<(), RecordsError> {
    let unusable = |counts: &Intake| {
        rejects.iter().filter(|r| r.source == counts.source && !r.reason.is_no_record()).count() as u64
    };
    let is_over = |counts: &&Intake| {
        // What is not over with everything is not over without some.
        counts.rejected_share() > limit && unusable(counts) as f64 > limit * counts.read as f64
    };
    let Some(over) = intake.iter().find(is_over) else { return Ok(()) };
    let of_source: Vec<Reject> =
        rejects.iter().filter(|r| r.source == over.source && !r.reason.is_no_record()).cloned().collect();
    let commonest = summarise(&of_source)
        .into_iter()
        .max_by_key(|&(_, _, _, count)| count)
        .map(|(_, column, reason, _)| match column {
            Some(column) => format!("{} in column {column}", reason.words()),
            None => reason.words().to_owned(),
        })
        .unwrap_or_default();
    Err(RecordsError::TooManyRejects {
        extract: over.source.clone(),
        rejected: of_source.len() as u64,
        read: over.read,
        limit: limit * 100.0,
        commonest,
    })
}

fn read_households(
    columns: &HouseholdColumns,
    (extract, last): (Extract, Option<Day>),
    ids: &mut Ids<'_>,
    household_ids: &mut Dictionary,
) -> Result<(Vec<Spell>, Closed), RecordsError> {
    let mut wanted: Vec<&str> = columns.person.iter().map(String::as_str).collect();
    let parts = wanted.len();
    wanted.push(&columns.household);
    let start_place = columns.start.as_deref().map(|name| (wanted.push(name), wanted.len() - 1).1);
    let end_place = columns.end.as_deref().map(|name| (wanted.push(name), wanted.len() - 1).1);
    if let Some(end) = columns.end.as_deref().filter(|end| extract.joined().any(|joined| joined == *end)) {
        let why = format!(
            "column {end} comes from a look-up table; where nothing is found there, people would be taken to live in the household \
             still; put it into the extract itself"
        );
        return Err(RecordsError::Mapping { extract: "households".to_owned(), why });
    }
    let mut entrance = Entrance::new(ids.identities, "households", columns.system.as_deref())?;
    let mut spells = Vec::new();
    let mut ledger = Ledger::default();
    let mut reader = Reader::new(extract.how(), last);
    let mut files = Vec::new();
    let unlisted = extract.read("households", (&wanted, &columns.person), &mut files, &mut |batch| {
        let rows = batch.rows.len();
        reader.begin(&batch);
        let mut faults = Faults::default();
        let mut of_days = Faults::default();
        let mut days = |place: Option<usize>, of: DayOf, absent: i32| -> Vec<i32> {
            let Some(place) = place else { return vec![absent; rows] };
            let days = of_days.days((&batch.columns[place], rows), (place as u32, of), &mut reader);
            days.into_iter().map(|day| if day == NO_DAY { absent } else { day }).collect()
        };
        let start = days(start_place, DayOf::Optional, NO_DAY);
        let end = days(end_place, DayOf::End, OPEN);
        let cells: Vec<_> = batch.columns[..parts].iter().collect();
        let entered = entrance.enter(&mut ids.people, (&cells, rows), Some(&start), !ids.are_listed);
        let person = entered.person;
        faults.add_missing_ids(&person, 0);
        ledger.look_at_ids(&ids.people, &person, &cells);
        let links = entered.link.iter().flatten().enumerate();
        for (row, _) in links.filter(|(_, link)| **link < MINIMUM_LINK) {
            faults.add(row, 0, RejectReason::LinkWeak);
        }
        let household = entrance.enter_households(household_ids, (&[&batch.columns[parts]], rows));
        for (row, _) in household.iter().enumerate().filter(|(_, code)| **code == NONE) {
            faults.add(row, parts as u32, RejectReason::HouseholdMissing);
        }
        faults.absorb(of_days);
        for row in 0..rows {
            if end[row] < start[row] {
                faults.add(row, end_place.unwrap_or(parts) as u32, RejectReason::EndBeforeStart);
            }
        }
        let accepted = ledger.judge(&batch, &faults);
        spells.extend((0..rows).filter(|&row| accepted.has(row)).map(|row| Spell {
            person: person[row],
            start: start[row],
            household: household[row],
            end: end[row],
            lag: columns.lag_days,
        }));
        Ok(())
    })?;
    ids.way_back.extend(entrance.way_back());
    reader.check("households", &wanted)?;
    Ok((spells, Closed { unlisted, ..ledger.close("households", &files, &wanted) }))
}

/// Whose ids a table of texts has.
pub(crate) enum EntityOf<'a> {
    /// People's, of this system or their own.
    Person(Option<&'a str>),
    /// Households'.
    Household,
}

/// Reads a table of texts by entity: hands each accepted row's id and cells (in the order of `columns`)
/// to `take`. A row without an id, or with one that stood before, is rejected.
pub(crate) fn read_table(
    name: &str,
    (entity, columns): (&[String], &[String]),
    (extract, identities, of): (Extract, &Identities, EntityOf<'_>),
    mut take: impl FnMut(&str, &[Option<std::borrow::Cow<'_, str>>]),
) -> Result<Closed, RecordsError> {
    let wanted: Vec<&str> = entity.iter().chain(columns).map(String::as_str).collect();
    let system = match of {
        EntityOf::Person(system) => system,
        EntityOf::Household => None,
    };
    let mut entrance = Entrance::new(identities, name, system)?;
    let mut ids = Dictionary::default();
    let mut is_seen: Vec<bool> = Vec::new();
    let mut ledger = Ledger::default();
    let mut files = Vec::new();
    let unlisted = extract.read(name, (&wanted, entity), &mut files, &mut |batch| {
        let rows = batch.rows.len();
        let mut faults = Faults::default();
        let cells: Vec<_> = batch.columns[..entity.len()].iter().collect();
        let codes = match of {
            EntityOf::Person(_) => {
                let entered = entrance.enter(&mut ids, (&cells, rows), None, true);
                faults.add_missing_ids(&entered.person, 0);
                let links = entered.link.iter().flatten().enumerate();
                for (row, _) in links.filter(|(_, link)| **link < MINIMUM_LINK) {
                    faults.add(row, 0, RejectReason::LinkWeak);
                }
                entered.person
            }
            EntityOf::Household => entrance.enter_households(&mut ids, (&cells, rows)),
        };
        faults.add_missing_ids(&codes, 0);
        is_seen.resize(ids.len(), false);
        for (row, &code) in codes.iter().enumerate() {
            if !faults.is_sound(row) {
                continue;
            }
            if std::mem::replace(&mut is_seen[code as usize], true) {
                faults.add(row, 0, RejectReason::EntityRepeated);
                continue;
            }
            let cells: Vec<_> = batch.columns[entity.len()..].iter().map(|column| column.text(row)).collect();
            take(ids.text(code), &cells);
        }
        ledger.judge(&batch, &faults);
        Ok(())
    })?;
    Ok(Closed { unlisted, ..ledger.close(name, &files, &wanted) })
}
