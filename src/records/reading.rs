//! A source while it is read: its rows validated into events, ids and names still in order of appearance; and its closing, which
//! puts them in order.

use super::codes::UnlistedCodes;
use super::column::{Batch, Column, NO_DAY};
use super::dictionary::{Dictionary, LINKED_TWICE, NONE};
use super::entrance::{Entrance, Ids};
use super::events::{Episodes, EventTable, KnownDays, OPEN, References, Role};
use super::extract::Extract;
use super::intake::{Accepted, Closed, DayOf, Faults, Ledger, Reader};
use super::kept::Kept;
use super::kind::Kind;
use super::layout::{Layout, placed};
use super::link::LinkProbability;
use super::mapping::{Duplicates, Known, SourceMapping};
use super::people::Partings;
use super::reject::{RejectReason, Remark, RemarkKind};
use super::repeats::Repeats;
use super::shape::{KIND_OF_FILE, KNOWN_OF_FILE};
use super::source::{Source, begins, of_lives};
use super::tables::LinkTally;
use crate::calendar::Day;
use crate::error::RecordsError;

/// The numbers of rows, and the numbers that these are part of.
type Numbers = [Option<Vec<f32>>; 2];

/// The people whom a source's rows name.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Their ids, sorted.
    pub(super) ids: Vec<String>,
    /// Whether they stand in a row that was accepted, though it may repeat another.
    pub(super) accepted: Vec<bool>,
    /// Their places among all people.
    pub(super) places: Vec<u32>,
}

/// A source while it is read: rows of accepted events, ids and names still in order of appearance.
pub(super) struct Reading {
    mapping: SourceMapping,
    files: Vec<String>,
    ledger: Ledger,
    reader: Reader,
    person: Vec<u32>,
    kinds: Dictionary,
    categories: Vec<Dictionary>,
    incidents: Dictionary,
    /// The columns that features can read, by every name that they have in a file.
    columns: Vec<String>,
    unlisted: Vec<UnlistedCodes>,
    events: EventTable,
    /// File and row of each event, kept where rows may yet have to be rejected.
    positions: Positions,
    links: LinkTally,
    /// The events, as they were read, whose numbers are held as others.
    rounded: Vec<u32>,
    /// Who is named at all, and who in an accepted row, by code; none where nobody asks.
    met: Option<Vec<[bool; 2]>>,
}

/// The day after which nothing that a source says can have happened.
pub(super) fn last_day(mapping: &SourceMapping, read_on: Option<Day>) -> Option<Day> {
    // A register that is kept ahead of time holds what is yet to come.
    let ahead = match mapping.columns.known {
        Known::LagDays(lag) if lag < 0 => -lag,
        _ => 0,
    };
    mapping.coverage.updated.or(read_on).map(|day| day + ahead)
}

impl Reading {
    /// Reads and validates an extract. With a list of people, ids outside it are rejected; without one they are added.
    pub(super) fn read(
        mapping: SourceMapping,
        (extract, read_on, notes_people): (Extract, Option<Day>, bool),
        ids: &mut Ids<'_>,
        mut each: impl FnMut(u64, &Self) -> Result<(), RecordsError>,
    ) -> Result<Self, RecordsError> {
        mapping.check()?;
        let last = last_day(&mapping, read_on);
        let mut entrance = Entrance::new(ids.identities, &mapping.name, mapping.columns.system.as_deref())?;
        let is_linked = mapping.columns.link_probability.is_some() || mapping.columns.system.is_some();
        let mut reading = Self {
            files: Vec::new(),
            ledger: Ledger::default(),
            reader: Reader::new(extract.how(), last),
            person: Vec::new(),
            kinds: Dictionary::default(),
            categories: mapping.columns.categories.iter().map(|_| Dictionary::default()).collect(),
            incidents: Dictionary::default(),
            columns: mapping.columns.readable().map(str::to_owned).collect(),
            unlisted: Vec::new(),
            events: EventTable {
                episodes: (mapping.columns.ended.is_some() || mapping.columns.lasts_days.is_some())
                    .then(Episodes::default),
                known: match mapping.columns.known {
                    Known::LagDays(lag) if !entrance.delays() => KnownDays::Lag(lag),
                    Known::LagDays(_) | Known::Column(_) | Known::FileName(_) => KnownDays::Told(Vec::new()),
                },
                value: mapping.columns.value.is_some().then(Vec::new),
                of: mapping.columns.of.is_some().then(Vec::new),
                role: mapping.columns.role.is_some().then(Vec::new),
                categories: mapping.columns.categories.iter().map(|_| Vec::new()).collect(),
                references: mapping.columns.reference.is_some().then(References::default),
                incident: mapping.columns.incident.is_some().then(Vec::new),
                link: is_linked.then(Vec::new),
                ..EventTable::default()
            },
            positions: Positions::default(),
            links: LinkTally::default(),
            rounded: Vec::new(),
            met: notes_people.then(Vec::new),
            mapping,
        };
        let mapping = reading.mapping.clone();
        let layout = Layout::of(&mapping.columns);
        let mut extract = placed(&mapping, extract)?;
        if let Known::FileName(pattern) = &mapping.columns.known {
            extract = extract.column_of_file(KNOWN_OF_FILE, pattern.clone());
        }
        if let Kind::FileName(pattern) = &mapping.columns.kind {
            extract = extract.column_of_file(KIND_OF_FILE, pattern.clone());
        }
        let behind: Vec<String> =
            mapping.columns.readable().flat_map(|column| extract.behind(column)).collect();
        reading.columns.extend(behind);
        let mut files = std::mem::take(&mut reading.files);
        reading.unlisted = extract.read(
            &mapping.name,
            (&layout.wanted, &mapping.columns.entity),
            &mut files,
            &mut |batch| {
                let rows = batch.rows.len();
                reading.accept(&batch, &layout, &mut entrance, ids)?;
                each(rows as u64, &reading)
            },
        )?;
        reading.files = files;
        ids.way_back.extend(entrance.way_back());
        reading.reader.check(&mapping.name, &layout.wanted)?;
        Ok(reading)
    }

    fn accept(
        &mut self,
        batch: &Batch,
        layout: &Layout<'_>,
        entrance: &mut Entrance<'_>,
        ids: &mut Ids<'_>,
    ) -> Result<(), RecordsError> {
        let rows = batch.rows.len();
        let mut faults = Faults::default();
        let cells = |place: usize| &batch.columns[place];

        let entity: Vec<&Column> = layout.entity.iter().map(|&place| cells(place)).collect();
        let reader = &mut self.reader;
        reader.begin(batch);
        // Whose an id is hangs on the day; of a row's faults the id's stays the first.
        let mut of_days = Faults::default();
        let mut days =
            |place: usize, of: DayOf| of_days.days((cells(place), rows), (place as u32, of), reader);
        let occurred = days(layout.occurred, DayOf::Event);
        let of_known = match &self.mapping.columns.known {
            Known::FileName(pattern) => DayOf::Ahead(pattern.ahead()),
            Known::Column(_) | Known::LagDays(_) => DayOf::Event,
        };
        let known = layout.known.map(|place| days(place, of_known));
        let entered = entrance.enter(&mut ids.people, (&entity, rows), Some(&occurred), !ids.are_listed);
        let person = entered.person;
        faults.add_missing_ids(&person, layout.entity[0] as u32);
        self.ledger.look_at_ids(&ids.people, &person, &entity);
        faults.absorb(of_days);
        let known = self.known_as_theirs(known, &occurred, entered.known);
        let episodes = match (layout.ended, self.mapping.columns.lasts_days) {
            (Some(place), _) => {
                Some(self.ends(batch, layout, place, &occurred, known.as_deref(), &mut faults))
            }
            (None, Some(days)) => Some(self.ends_after(days, &occurred, known.as_deref())),
            (None, None) => None,
        };
        let kind = self.kinds_of(batch, layout, &mut faults)?;
        let ([value, of], is_rounded) = self.numbers(batch, layout, &mut faults);
        let role = layout.role.map(|place| roles(cells(place), rows, place as u32, &mut faults));
        let told =
            layout.link.map(|place| faults.probabilities((cells(place), rows), place as u32, &self.reader));
        let link = self.links(layout, (told, entered.link), &mut faults);
        if let Some(place) = layout.reference {
            for row in 0..rows {
                if cells(place).text(row).is_none() {
                    faults.add(row, place as u32, RejectReason::ReferenceMissing);
                }
            }
        }
        let categories: Vec<Vec<u32>> = layout
            .categories
            .iter()
            .zip(&mut self.categories)
            .map(|(&place, names)| names.encode(cells(place), rows, true))
            .collect();

        let incident = layout.incident.map(|place| self.incidents.encode(cells(place), rows, true));

        let accepted = self.ledger.judge(batch, &faults);
        self.meet(&person, &accepted);
        if let (Some(held), Some(incident)) = (&mut self.events.incident, &incident) {
            keep(held, incident, &accepted);
        }
        let places = (self.person.len() as u32..).zip((0..rows).filter(|&row| accepted.has(row)));
        self.rounded.extend(places.filter(|&(_, row)| is_rounded[row]).map(|(place, _)| place));
        let linked =
            person.iter().zip(link.iter().flatten()).enumerate().filter(|&(row, _)| accepted.has(row));
        linked.for_each(|(_, (&person, link))| self.links.add(person, link.value()));
        keep(&mut self.events.occurred, &occurred, &accepted);
        if let (KnownDays::Told(held), Some(known)) = (&mut self.events.known, &known) {
            keep(held, known, &accepted);
        }
        if let (Some(held), Some((ended, ended_known))) = (&mut self.events.episodes, &episodes) {
            keep(&mut held.ended, ended, &accepted);
            keep(&mut held.ended_known, ended_known, &accepted);
        }
        keep(&mut self.person, &person, &accepted);
        keep(&mut self.events.kind, &kind, &accepted);
        for (held, numbers) in [(&mut self.events.value, &value), (&mut self.events.of, &of)] {
            if let (Some(held), Some(numbers)) = (held, numbers) {
                keep(held, numbers, &accepted);
            }
        }
        if let (Some(held), Some(role)) = (&mut self.events.role, &role) {
            keep(held, role, &accepted);
        }
        if let (Some(held), Some(link)) = (&mut self.events.link, &link) {
            keep(held, link, &accepted);
        }
        for (held, codes) in self.events.categories.iter_mut().zip(&categories) {
            keep(held, codes, &accepted);
        }
        if let (Some(held), Some(place)) = (&mut self.events.references, layout.reference) {
            for row in (0..rows).filter(|&row| accepted.has(row)) {
                held.place.push(held.texts.len() as u32);
                held.texts.push(&cells(place).text(row).unwrap_or_default());
            }
        }
        if layout.reference.is_some() || self.mapping.columns.duplicates == Duplicates::Drop {
            let kept = (0..rows).filter(|&row| accepted.has(row));
            if !self.positions.add(batch.file, kept.map(|row| batch.rows.position(row))) {
                return Err(self.too_many("rows in a file", u64::from(u32::MAX)));
            }
        }
        if self.person.len() > u32::MAX as usize - 1 {
            return Err(self.too_many("rows", u64::from(u32::MAX) - 1));
        }
        Ok(())
    }

    /// Takes note of whom rows name.
    fn meet(&mut self, person: &[u32], accepted: &Accepted) {
        let Some(met) = &mut self.met else { return };
        for (row, &code) in person.iter().enumerate().filter(|(_, code)| **code < LINKED_TWICE) {
            if met.len() <= code as usize {
                met.resize(code as usize + 1, [false; 2]);
            }
            let met = &mut met[code as usize];
            *met = [true, met[1] || accepted.has(row)];
        }
    }

    /// The days on which records became known as this person's: not before it was known whose the id is.
    fn known_as_theirs(
        &self,
        known: Option<Vec<i32>>,
        occurred: &[i32],
        since: Option<Vec<i32>>,
    ) -> Option<Vec<i32>> {
        let Some(since) = since else { return known };
        let lag = match self.mapping.columns.known {
            Known::LagDays(lag) => lag,
            Known::Column(_) | Known::FileName(_) => 0,
        };
        let known = known.unwrap_or_else(|| occurred.iter().map(|day| day.saturating_add(lag)).collect());
        Some(known.into_iter().zip(since).map(|(known, since)| known.max(since)).collect())
    }

    /// The values, and what they are part of.
    fn numbers(&self, batch: &Batch, layout: &Layout<'_>, faults: &mut Faults) -> (Numbers, Vec<bool>) {
        let rows = batch.rows.len();
        let read = [layout.value, layout.of].map(|place| {
            place.map(|place| faults.numbers((&batch.columns[place], rows), place as u32, &self.reader))
        });
        if let (Some(place), [Some(value), Some(of)]) = (layout.value, &read) {
            for (row, (&value, &of)) in value.iter().zip(of).enumerate() {
                // What is not known (NaN) contradicts nothing.
                if of < 0.0 {
                    faults.add(row, layout.of.unwrap_or(place) as u32, RejectReason::NotAPart);
                } else if value < 0.0 || value > of {
                    faults.add(row, place as u32, RejectReason::NotAPart);
                }
            }
        }
        // Seven digits are held. A code or a moment that somebody maps as an amount would come out as another one.
        let is_rounded = |row: usize| {
            let another = |number: f64| (f64::from(number as f32) - number).abs() >= 0.5;
            read.iter().flatten().any(|numbers| another(numbers[row]))
        };
        let rounded = (0..rows).map(is_rounded).collect();
        (read.map(|numbers| Some(numbers?.into_iter().map(|number| number as f32).collect())), rounded)
    }

    /// How sure it is that each row is its person's: of what the row says itself and what the identities say the lower.
    fn links(
        &self,
        layout: &Layout<'_>,
        (told, entered): (Option<Vec<f64>>, Option<Vec<f64>>),
        faults: &mut Faults,
    ) -> Option<Vec<LinkProbability>> {
        let links = match (told, entered) {
            (Some(told), Some(entered)) => told.into_iter().zip(entered).map(|(a, b)| a.min(b)).collect(),
            (told, entered) => told.or(entered)?,
        };
        let column = layout.link.unwrap_or(layout.entity[0]) as u32;
        let judged = links.into_iter().enumerate().map(|(row, link)| {
            if link < self.mapping.columns.minimum_link {
                faults.add(row, column, RejectReason::LinkWeak);
            }
            LinkProbability::new(link).unwrap_or(LinkProbability::CERTAIN)
        });
        Some(judged.collect())
    }

    /// Ends of episodes and when each became known.
    fn ends(
        &mut self,
        batch: &Batch,
        layout: &Layout<'_>,
        place: usize,
        occurred: &[i32],
        known: Option<&[i32]>,
        faults: &mut Faults,
    ) -> (Vec<i32>, Vec<i32>) {
        let rows = batch.rows.len();
        let column = (&batch.columns[place], rows);
        let mut ended = faults.days(column, (place as u32, DayOf::End), &mut self.reader);
        for row in 0..rows {
            if ended[row] == NO_DAY {
                ended[row] = OPEN;
            } else if ended[row] < occurred[row] {
                faults.add(row, place as u32, RejectReason::EndBeforeStart);
            }
        }
        let ended_known = match (layout.ended_known, &self.mapping.columns.known) {
            (Some(column), _) => {
                let cells = (&batch.columns[column], rows);
                let told = faults.days(cells, (column as u32, DayOf::Optional), &mut self.reader);
                told.iter().zip(&ended).map(|(&day, &end)| if day == NO_DAY { end } else { day }).collect()
            }
            (None, Known::LagDays(lag)) => ended.iter().map(|&end| end.saturating_add(*lag)).collect(),
            (None, Known::Column(_) | Known::FileName(_)) => {
                let known = known.unwrap_or(occurred);
                ended.iter().zip(known).map(|(&end, &known)| end.max(known)).collect()
            }
        };
        (ended, ended_known)
    }

    /// Ends of episodes that last so many days, known with the record.
    fn ends_after(&self, days: u32, occurred: &[i32], known: Option<&[i32]>) -> (Vec<i32>, Vec<i32>) {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let ended = occurred.iter().map(|&day| if day == NO_DAY { OPEN } else { day.saturating_add(days) });
        let ended_known = match (known, &self.mapping.columns.known) {
            (Some(known), _) => known.to_vec(),
            (None, Known::LagDays(lag)) => occurred.iter().map(|day| day.saturating_add(*lag)).collect(),
            (None, Known::Column(_) | Known::FileName(_)) => occurred.to_vec(),
        };
        (ended.collect(), ended_known)
    }

    fn kinds_of(
        &mut self,
        batch: &Batch,
        layout: &Layout<'_>,
        faults: &mut Faults,
    ) -> Result<Vec<u16>, RecordsError> {
        let rows = batch.rows.len();
        let codes = match (&self.mapping.columns.kind, layout.kind) {
            (Kind::ByDates(by), _) => {
                let [first, second] = layout.kind_dates.unwrap_or([layout.occurred; 2]);
                let reader = &mut self.reader;
                let mut days = |place: usize, of: DayOf| {
                    faults.days((&batch.columns[place], rows), (place as u32, of), reader)
                };
                // What is due may be yet to come.
                let (firsts, seconds) = (days(first, DayOf::Optional), days(second, DayOf::End));
                let mut code = |row: usize| {
                    let Some(kind) = by.of(firsts[row], seconds[row]) else {
                        faults.add(row, second as u32, RejectReason::KindMissing);
                        return NONE;
                    };
                    self.kinds.intern(kind)
                };
                (0..rows).map(&mut code).collect()
            }
            (_, Some(place)) => {
                let codes = self.kinds.encode(&batch.columns[place], rows, true);
                for (row, _) in codes.iter().enumerate().filter(|(_, code)| **code == NONE) {
                    faults.add(row, place as u32, RejectReason::KindMissing);
                }
                codes
            }
            (Kind::Constant(kind) | Kind::Column(kind), None) => vec![self.kinds.intern(kind); rows],
            (Kind::FileName(_), None) => vec![self.kinds.intern(KIND_OF_FILE); rows],
        };
        if self.kinds.len() > usize::from(u16::MAX) {
            return Err(self.too_many("kinds of event", u64::from(u16::MAX)));
        }
        Ok(codes.into_iter().map(|code| code as u16).collect())
    }

    fn too_many(&self, what: &'static str, limit: u64) -> RecordsError {
        RecordsError::TooMany { extract: self.mapping.name.clone(), what, limit }
    }

    /// How many bytes its rows take.
    pub(super) fn bytes(&self) -> u64 {
        let numbers = size_of_val(&*self.person) + size_of_val(&*self.positions.rows);
        self.events.bytes() + numbers as u64
    }

    /// How many bytes more it takes to sort them: a key and a number for each, a column and its copy, and who is repeated.
    pub(super) fn bytes_to_close(&self) -> u64 {
        const EACH: u64 = 16 + 4 + 4 + 4 + 4;
        EACH * self.person.len() as u64
    }

    /// Whether rows might be read otherwise on a later day.
    pub(super) fn is_late(&self) -> bool {
        self.reader.is_late
    }

    /// Who is named, in the order of ids.
    pub(super) fn named(&self, ids: &Dictionary, places: &[u32]) -> Named {
        let met = self.met.iter().flatten().enumerate().filter(|(_, met)| met[0]);
        let mut met: Vec<(u32, usize, bool)> =
            met.map(|(code, met)| (places[code], code, met[1])).filter(|met| met.0 != NONE).collect();
        met.sort_unstable();
        Named {
            ids: met.iter().map(|met| ids.text(met.1 as u32).to_owned()).collect(),
            accepted: met.iter().map(|met| met.2).collect(),
            places: met.iter().map(|met| met.0).collect(),
        }
    }

    /// The people that accepted rows are about, as codes.
    pub(super) fn people(&self) -> impl Iterator<Item = u32> {
        self.person.iter().copied()
    }

    /// Puts people and names in their final order, rows in canonical order, and turns away repeated
    /// references.
    pub(super) fn close(
        mut self,
        person_place: &[u32],
        (born, partings): (&[i32], &Partings),
    ) -> (Source, Closed) {
        let (kinds, kind_place) = self.kinds.sorted(self.events.kind.iter().map(|&kind| u32::from(kind)));
        for kind in &mut self.events.kind {
            *kind = kind_place[usize::from(*kind)] as u16;
        }
        let mut categories = Vec::new();
        for ((names, codes), column) in
            self.categories.into_iter().zip(&mut self.events.categories).zip(&self.mapping.columns.categories)
        {
            let (values, place) = names.sorted(codes.iter().copied());
            for code in codes.iter_mut().filter(|code| **code != NONE) {
                *code = place[*code as usize];
            }
            categories.push((column.clone(), values));
        }
        let mut incidents = Vec::new();
        if let Some(codes) = &mut self.events.incident {
            let (sorted, place) = self.incidents.sorted(codes.iter().copied());
            for code in codes.iter_mut().filter(|code| **code != NONE) {
                *code = place[*code as usize];
            }
            incidents = sorted;
        }
        let person: Vec<u32> = self.person.iter().map(|&p| person_place[p as usize]).collect();
        let order = self.events.sort(&person, born.len());
        let layout = Layout::of(&self.mapping.columns);
        let mut drop = vec![false; self.events.rows()];
        let reject = |ledger: &mut Ledger, row: usize, reason: RejectReason| {
            let (file, position) = self.positions.at(order[row] as usize);
            let column = layout.reference.filter(|_| reason == RejectReason::ReferenceRepeated);
            ledger.reject_later(file, position, column.map(|place| place as u32), reason);
        };
        if self.events.references.is_some() {
            let position = |row: usize| self.positions.at(order[row] as usize);
            let repeats = Repeats::find(&self.events, position, self.mapping.columns.repeated);
            for &row in &repeats.rejected {
                reject(&mut self.ledger, row, RejectReason::ReferenceRepeated);
            }
            for &row in repeats.rejected.iter().chain(&repeats.said_before) {
                drop[row] = true;
            }
            self.ledger.remark(RemarkKind::SaidBefore, repeats.said_before.len() as u64);
            self.ledger.remark(RemarkKind::LaterState, repeats.later_states);
            self.events.superseded = repeats.superseded;
        } else {
            let copies = copies(&self.events, born.len());
            match self.mapping.columns.duplicates {
                Duplicates::Keep => self.ledger.remark(RemarkKind::Duplicate, copies.len() as u64),
                Duplicates::Drop => {
                    for row in copies {
                        reject(&mut self.ledger, row, RejectReason::Duplicate);
                        drop[row] = true;
                    }
                }
            }
        }
        if !self.rounded.is_empty() {
            let is_rounded =
                |(row, &event): (usize, &u32)| !drop[row] && self.rounded.binary_search(&event).is_ok();
            let rounded = order.iter().enumerate().filter(|&event| is_rounded(event)).count();
            self.ledger.remark(RemarkKind::Rounded, rounded as u64);
        }
        if drop.contains(&true) {
            self.events.drop_rows(&drop);
        }
        let without = self.events.incident.iter().flatten().filter(|&&incident| incident == NONE).count();
        self.ledger.remark(RemarkKind::IncidentMissing, without as u64);
        for Remark { kind, rows, .. } in of_lives(&self.mapping.name, &self.events, (born, partings)) {
            self.ledger.remark(kind, rows);
        }
        let mut closed = self.ledger.close(&self.mapping.name, &self.files, &layout.wanted);
        let minimum = self.mapping.columns.minimum_link;
        closed.table.links = self.events.link.is_some().then(|| self.links.close(minimum));
        let source = Source {
            name: self.mapping.name,
            coverage: self.mapping.coverage,
            kinds,
            categories,
            begins: begins(&self.events),
            kept: Kept::at_hand(self.events),
            columns: self.columns,
            rules: Some((self.mapping.columns.repeated, self.mapping.columns.duplicates)),
            unlisted: self.unlisted,
            incidents,
        };
        (source, closed)
    }
}

/// File and row of each event, in the order in which they were read.
#[derive(Debug, Default)]
struct Positions {
    rows: Vec<u32>,
    /// Each file, with the first of its events.
    files: Vec<(usize, Option<u32>)>,
}

impl Positions {
    /// False where a row's number is too large.
    fn add(&mut self, file: Option<u32>, mut rows: impl Iterator<Item = u64>) -> bool {
        if self.files.last().is_none_or(|held| held.1 != file) {
            self.files.push((self.rows.len(), file));
        }
        rows.all(|row| u32::try_from(row).map(|row| self.rows.push(row)).is_ok())
    }

    fn at(&self, event: usize) -> (Option<u32>, u64) {
        let next = self.files.partition_point(|&(first, _)| first <= event);
        (next.checked_sub(1).and_then(|place| self.files[place].1), u64::from(self.rows[event]))
    }
}

/// Rows that are the same in everything as the row before them.
fn copies(events: &EventTable, people: usize) -> Vec<usize> {
    let of_person = |person: u32| {
        let rows = events.rows_of(person);
        rows.clone().skip(1).filter(move |&row| events.same(row - 1, row))
    };
    (0..people as u32).flat_map(of_person).collect()
}

/// Adds the values of accepted rows.
fn keep<T: Copy>(column: &mut Vec<T>, values: &[T], accepted: &Accepted) {
    match accepted {
        Accepted::All => column.extend_from_slice(values),
        Accepted::Some(rows) => {
            column
                .extend(values.iter().zip(rows).filter(|(_, accepted)| **accepted).map(|(value, _)| *value));
        }
    }
}

fn roles(cells: &Column, rows: usize, column: u32, faults: &mut Faults) -> Vec<Role> {
    (0..rows)
        .map(|row| match cells.text(row) {
            None => Role::Subject,
            Some(text) => Role::parse(&text).unwrap_or_else(|| {
                faults.add(row, column, RejectReason::RoleUnknown);
                Role::Subject
            }),
        })
        .collect()
}
