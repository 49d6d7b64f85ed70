//! The list of people while it is read: who is on it, born when, and until when.

use super::column::NO_DAY;
use super::dictionary::Dictionary;
use super::entrance::{Entrance, Ids};
use super::extract::Extract;
use super::intake::{Closed, Faults, Ledger, Parting, Reader};
use super::mapping::PeopleColumns;
use super::people::Partings;
use super::reject::{RejectReason, RemarkKind};
use crate::calendar::Day;
use crate::error::RecordsError;

/// The list of people as it was read, by the codes of the people.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) born: Vec<i32>,
    pub(super) partings: Partings,
}

/// The rows of one person so far, whatever order they come in.
#[derive(Clone, Copy)]
struct Held {
    is_listed: bool,
    born: i32,
    died: i32,
    left: i32,
    births_differ: bool,
    has_several_ids: bool,
}

impl Held {
    const NOBODY: Self = Self {
        is_listed: false,
        born: NO_DAY,
        died: NO_DAY,
        left: NO_DAY,
        births_differ: false,
        has_several_ids: false,
    };

    /// Takes the days of one more row. Of two days of birth or death the earlier; who is still here by one row has not left.
    fn take(&mut self, born: i32, died: i32, left: i32) {
        let known = |day: &i32| *day != NO_DAY;
        self.births_differ |= known(&self.born) && known(&born) && self.born != born;
        let earlier = |a: i32, b: i32| [a, b].into_iter().filter(known).min().unwrap_or(NO_DAY);
        self.left = match (self.is_listed, known(&self.left), known(&left)) {
            (false, ..) => left,
            (true, true, true) => self.left.max(left),
            (true, ..) => NO_DAY,
        };
        self.born = earlier(self.born, born);
        self.died = earlier(self.died, died);
        self.is_listed = true;
    }
}

/// Reads the list of people into `ids`. A person whose row is rejected is not on the list.
pub(super) fn read_people(
    columns: &PeopleColumns,
    (extract, last): (Extract, Option<Day>),
    ids: &mut Ids<'_>,
) -> Result<(Listed, Closed), RecordsError> {
    let mut wanted: Vec<&str> = columns.person.iter().map(String::as_str).collect();
    let parts = wanted.len();
    let places = [&columns.date_of_birth, &columns.died, &columns.left].map(|name| {
        let name = name.as_deref()?;
        wanted.push(name);
        Some(wanted.len() - 1)
    });
    let mut entrance = Entrance::new(ids.identities, "people", columns.system.as_deref())?;
    let mut all = Dictionary::default();
    let mut people: Vec<Held> = Vec::new();
    let mut is_seen: Vec<bool> = Vec::new();
    let mut ledger = Ledger::default();
    let mut reader = Reader::new(extract.how(), last);
    let mut files = Vec::new();
    let unlisted = extract.read("people", (&wanted, &columns.person), &mut files, &mut |batch| {
        let rows = batch.rows.len();
        reader.begin(&batch);
        let mut faults = Faults::default();
        let [born, died, left] = [0, 1, 2].map(|nth| match places[nth] {
            None => vec![NO_DAY; rows],
            Some(place) if nth == 0 => {
                faults.births((&batch.columns[place], rows), place as u32, &mut reader)
            }
            Some(place) => {
                let of = if nth == 1 { Parting::Death } else { Parting::Leaving };
                faults.partings((&batch.columns[place], rows), (place as u32, of), &mut reader)
            }
        });
        let cells: Vec<_> = batch.columns[..parts].iter().collect();
        let entered = entrance.enter(&mut all, (&cells, rows), None, true);
        faults.add_missing_ids(&entered.person, 0);
        people.resize(all.len(), Held::NOBODY);
        for row in 0..rows {
            if !faults.is_sound(row) {
                continue;
            }
            let person = entered.person[row];
            let written = entered.written.as_ref().map_or(person, |written| written[row]) as usize;
            is_seen.resize(is_seen.len().max(written + 1), false);
            let held = &mut people[person as usize];
            if is_seen[written] {
                faults.add(row, 0, RejectReason::EntityRepeated);
            } else {
                held.has_several_ids |= held.is_listed;
                is_seen[written] = true;
            }
            held.take(born[row], died[row], left[row]);
        }
        ledger.judge(&batch, &faults);
        Ok(())
    })?;
    ids.way_back.extend(entrance.way_back());
    let codes: Vec<u32> = (0..all.len() as u32).filter(|&code| people[code as usize].is_listed).collect();
    let listed: Vec<Held> = codes.iter().map(|&code| people[code as usize]).collect();
    if codes.len() == all.len() && ids.people.len() == 0 {
        ids.people = all;
    } else {
        for code in codes {
            ids.people.intern(all.text(code));
        }
    }
    let known = |day: i32| day != NO_DAY;
    let count = |is_so: &dyn Fn(&Held) -> bool| listed.iter().filter(|held| is_so(held)).count() as u64;
    ledger.remark(RemarkKind::Died, count(&|held| known(held.died)));
    ledger.remark(RemarkKind::Left, count(&|held| known(held.left)));
    ledger.remark(RemarkKind::DiedBeforeBirth, count(&|held| known(held.died) && held.died < held.born));
    ledger.remark(RemarkKind::BirthsDiffer, count(&|held| held.births_differ));
    ledger.remark(RemarkKind::SeveralIds, count(&|held| held.has_several_ids));
    let mut partings = Partings::default();
    if listed.iter().any(|held| known(held.died) || known(held.left)) {
        partings.died = listed.iter().map(|held| held.died).collect();
        partings.left = listed.iter().map(|held| held.left).collect();
    }
    reader.check("people", &wanted)?;
    let born = listed.iter().map(|held| held.born).collect();
    Ok((Listed { born, partings }, Closed { unlisted, ..ledger.close("people", &files, &wanted) }))
}
