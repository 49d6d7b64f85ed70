//! Records with what came in since they were read: some people's rows added, or put in the place of those that are held.

use std::sync::Arc;

use super::Records;
use super::column::NO_DAY;
use super::dictionary::NONE;
use super::events::{EventTable, KnownDays, OPEN};
use super::kept::Kept;
use super::link::LinkProbability;
use super::mapping::{Duplicates, Repeated};
use super::repeats::Repeats;
use super::source::{Source, begins};
use crate::error::RecordsError;

impl Records {
    /// The records with those of `changes` added; in the sources that are named in `replaced`, what `changes` say of their people
    /// stands in the place of what was held of them, also where they say nothing. So a program that learns of one notice asks about a
    /// family at once, and need not read everything again. Sources without a change are shared and not copied; of a source with
    /// one the columns are copied once.
    ///
    /// `changes` are records of any number of people, read [by the same mappings](crate::project::Project::records_from): what comes out is what reading
    /// all rows together would give. [`Records::intake`] and all else that tells of the reading stays as it was: what became of the
    /// rows of a change, the change itself says.
    ///
    /// # Errors
    /// [`RecordsError::Change`] where `changes` hold somebody or a source that these records do not, other dates of birth, of death
    /// or of leaving, or stays in households: who there is, and who lives with whom, is read anew. The same where rows repeat the reference of another
    /// row and contradict it, were read by another mapping, or were taken from a [store](crate::records::RecordStore) as those that are held.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::calendar::AsOf;
    /// use earlyhelp::records::{Extract, Records, SourceMapping};
    /// use polars::df;
    ///
    /// let police = || SourceMapping::new("police", "person", "incident", "occurred");
    /// let of = |people: &[&str], days: &[&str]| -> Result<Records, Box<dyn std::error::Error>> {
    ///     let rows = df!("person" => people, "occurred" => days)?;
    ///     Ok(Records::builder().source(police(), Extract::frame(rows)).build()?)
    /// };
    /// let held = of(&["p1", "p2"], &["2024-01-05", "2024-01-07"])?;
    /// let notice = of(&["p2"], &["2024-03-02"])?;
    ///
    /// let april = AsOf::new("2024-04-01".parse()?);
    /// assert_eq!(held.with(&notice, &[])?.as_of(april).events("police", "p2").count(), 2);
    /// assert_eq!(held.with(&notice, &["police"])?.as_of(april).events("police", "p2").count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with(&self, changes: &Self, replaced: &[&str]) -> Result<Self, RecordsError> {
        let places = self.places_of(changes)?;
        let of_nobody = |source: &str| self.source_index(source).is_none();
        if replaced.iter().any(|source| of_nobody(source)) {
            return Err(RecordsError::Change {
                of: None,
                why: "a source whose rows are to be replaced is not among the records".to_owned(),
            });
        }
        let mut sources = self.sources.clone();
        for change in &changes.sources {
            let is_replaced = replaced.contains(&change.name.as_str());
            if change.shape().rows == 0 && !is_replaced {
                continue;
            }
            let Some(at) = self.source_index(&change.name) else {
                return Err(refused(change, "is not a source of the records"));
            };
            sources[at] = Arc::new(self.sources[at].with(change, &places, is_replaced)?);
        }
        let absent = replaced.iter().any(|source| changes.source_index(source).is_none());
        if absent {
            return Err(RecordsError::Change {
                of: None,
                why: "a source whose rows are to be replaced is not among the changes; give it, without rows where there are none"
                    .to_owned(),
            });
        }
        Ok(Self {
            people: self.people.clone(),
            households: self.households.clone(),
            sources,
            intake: self.intake.clone(),
            rejects: self.rejects.clone(),
            remarks: self.remarks.clone(),
            tables: self.tables.clone(),
            unlisted: self.unlisted.clone(),
            way_back: self.way_back.clone(),
            roads: self.roads.clone(),
            from_database: self.from_database.clone(),
        })
    }

    /// Where the people of changes stand, who have to be held and to be the same.
    fn places_of(&self, changes: &Self) -> Result<Vec<u32>, RecordsError> {
        let refuse = |why: &str| RecordsError::Change { of: None, why: why.to_owned() };
        if !changes.households.spells.is_empty() {
            return Err(refuse(
                "they hold stays in households, which are not changed so; read the records anew",
            ));
        }
        let (held, theirs) = (&self.people, &changes.people);
        let place = |id: &str| held.ids.binary_search_by(|held| (**held).cmp(id)).map(|place| place as u32);
        let places: Result<Vec<u32>, usize> = theirs.ids.iter().map(|id| place(id)).collect();
        let places = places.map_err(|_| {
            refuse("they are of somebody who is not among the records; who there is, is read anew")
        })?;
        let is_other = |(own, &place): (usize, &u32)| {
            let day = |days: &[i32], person: usize| days.get(person).copied().unwrap_or(NO_DAY);
            let differ = |theirs: &[i32], held: &[i32]| {
                let said = day(theirs, own);
                said != NO_DAY && said != day(held, place as usize)
            };
            differ(&theirs.born, &held.born)
                || differ(&theirs.partings.died, &held.partings.died)
                || differ(&theirs.partings.left, &held.partings.left)
        };
        if places.iter().enumerate().any(is_other) {
            return Err(refuse(
                "they say another day of birth, of death or of leaving than the records; read the records anew",
            ));
        }
        Ok(places)
    }
}

fn refused(source: &Source, why: &str) -> RecordsError {
    RecordsError::Change { of: Some(source.name.clone()), why: why.to_owned() }
}

impl Source {
    /// `places`: where each person of the change stands among the people of this source.
    fn with(&self, change: &Self, places: &[u32], is_replaced: bool) -> Result<Self, RecordsError> {
        let (mut events, mut added) = (self.events().clone(), change.events().clone());
        if self
            .categories
            .iter()
            .map(|(column, _)| column)
            .ne(change.categories.iter().map(|(column, _)| column))
        {
            return Err(refused(change, "has other columns of categories than the records"));
        }
        let (kinds, [held, theirs]) = union(&self.kinds, &change.kinds);
        if kinds.len() > usize::from(u16::MAX) {
            return Err(refused(
                change,
                "has more kinds of event, together with the records, than a source can have",
            ));
        }
        for (events, places) in [(&mut events, &held), (&mut added, &theirs)] {
            events.kind.iter_mut().for_each(|kind| *kind = places[usize::from(*kind)] as u16);
        }
        let mut categories = Vec::new();
        for (nth, ((column, own), (_, others))) in self.categories.iter().zip(&change.categories).enumerate()
        {
            let (values, [held, theirs]) = union(own, others);
            recode(&mut events.categories[nth], &held);
            recode(&mut added.categories[nth], &theirs);
            categories.push((column.clone(), values));
        }
        let (incidents, [held, theirs]) = union(&self.incidents, &change.incidents);
        events.incident.iter_mut().for_each(|codes| recode(codes, &held));
        added.incident.iter_mut().for_each(|codes| recode(codes, &theirs));
        let (order, first_new) = (order(&events, (&added, places), is_replaced), events.rows() as u32);
        if !events.append(added) {
            return Err(refused(change, "was read by another mapping than the records"));
        }
        events.arrange(order, first_new);
        let Some(rules) = change.rules.or(self.rules) else {
            return Err(refused(
                change,
                "was taken from a store like the records, and what becomes of repeated rows is not known; read the changes without one",
            ));
        };
        change.settle(rules, &mut events)?;
        let mut unlisted = self.unlisted.clone();
        unlisted.extend(change.unlisted.iter().cloned());
        Ok(Self {
            name: self.name.clone(),
            coverage: self.coverage.clone(),
            kinds,
            categories,
            begins: begins(&events),
            kept: Kept::at_hand(events),
            columns: self.columns.clone(),
            rules: Some(rules),
            unlisted,
            incidents,
        })
    }

    /// Finds which rows are later states of a record, by the rules of the change, as if all had been read together.
    fn settle(
        &self,
        (repeated, duplicates): (Repeated, Duplicates),
        events: &mut EventTable,
    ) -> Result<(), RecordsError> {
        let rows = events.rows();
        let mut drop = vec![false; rows];
        if events.references.is_some() {
            let repeats = Repeats::find(events, |row| row, repeated);
            if !repeats.rejected.is_empty() {
                return Err(refused(self, "repeats the reference of another record and contradicts it"));
            }
            repeats.said_before.iter().for_each(|&row| drop[row] = true);
            events.superseded = repeats.superseded;
        } else if duplicates == Duplicates::Drop {
            let same =
                |row: usize| events.person_of(row) == events.person_of(row - 1) && events.same(row - 1, row);
            (1..rows).filter(|&row| same(row)).for_each(|row| drop[row] = true);
        }
        if drop.contains(&true) {
            events.drop_rows(&drop);
        }
        Ok(())
    }
}

/// Two sorted lists as one, and where the texts of each stand in it.
fn union(held: &[Box<str>], others: &[Box<str>]) -> (Vec<Box<str>>, [Vec<u32>; 2]) {
    let mut all: Vec<Box<str>> = held.iter().chain(others).cloned().collect();
    all.sort_unstable();
    all.dedup();
    let places = |list: &[Box<str>]| {
        // Each text is in the list of all.
        list.iter().map(|text| all.partition_point(|held| held < text) as u32).collect()
    };
    let places = [places(held), places(others)];
    (all, places)
}

fn recode(codes: &mut [u32], places: &[u32]) {
    for code in codes.iter_mut().filter(|code| **code != NONE) {
        *code = places[*code as usize];
    }
}

/// Which rows each person has: of the table that is held, or of the added one, whose rows are counted on from there.
fn order(held: &EventTable, (added, places): (&EventTable, &[u32]), is_replaced: bool) -> Vec<Vec<u32>> {
    let rows = held.rows() as u32;
    let mut order: Vec<Vec<u32>> = Vec::with_capacity(held.people() as usize);
    for person in 0..held.people() {
        order.push(held.rows_of(person).map(|row| row as u32).collect());
    }
    for (own, &place) in (0_u32..).zip(places) {
        let of_person = &mut order[place as usize];
        if is_replaced {
            of_person.clear();
        }
        of_person.extend(added.rows_of(own).map(|row| rows + row as u32));
    }
    order
}

impl EventTable {
    /// Puts the columns of another table behind these; false where one of the two has a column that the other lacks. Who has which row
    /// is not looked at.
    fn append(&mut self, other: Self) -> bool {
        fn both<T>(own: &mut Option<Vec<T>>, other: Option<Vec<T>>) -> bool {
            match (own, other) {
                (Some(own), Some(other)) => {
                    own.extend(other);
                    true
                }
                (None, None) => true,
                _ => false,
            }
        }
        /// Where a column says nothing of most rows, one that is missing says nothing of any.
        fn filled<T: Copy>(own: &mut Option<Vec<T>>, other: Option<Vec<T>>, nothing: T, rows: [usize; 2]) {
            if own.is_some() || other.is_some() {
                let own = own.get_or_insert_with(|| vec![nothing; rows[0]]);
                own.extend(other.unwrap_or_else(|| vec![nothing; rows[1]]));
            }
        }
        let rows = [self.rows(), other.rows()];
        let is_same_lag = match (&mut self.known, other.known) {
            (KnownDays::Lag(own), KnownDays::Lag(other)) => *own == other,
            (KnownDays::Told(own), KnownDays::Told(other)) => {
                own.extend(other);
                true
            }
            _ => false,
        };
        let episodes = match (&mut self.episodes, other.episodes) {
            (Some(own), Some(other)) => {
                own.ended.extend(other.ended);
                own.ended_known.extend(other.ended_known);
                true
            }
            (None, None) => true,
            _ => false,
        };
        let references = match (&mut self.references, other.references) {
            (Some(own), Some(other)) => {
                let before = own.texts.len() as u32;
                other.texts.iter().for_each(|text| own.texts.push(text));
                own.place.extend(other.place.into_iter().map(|place| before + place));
                true
            }
            (None, None) => true,
            _ => false,
        };
        self.occurred.extend(other.occurred);
        self.kind.extend(other.kind);
        self.categories.iter_mut().zip(other.categories).for_each(|(own, other)| own.extend(other));
        filled(&mut self.link, other.link, LinkProbability::CERTAIN, rows);
        filled(&mut self.superseded, other.superseded, OPEN, rows);
        is_same_lag
            && episodes
            && references
            && both(&mut self.value, other.value)
            && both(&mut self.of, other.of)
            && both(&mut self.role, other.role)
            && both(&mut self.incident, other.incident)
    }
}
