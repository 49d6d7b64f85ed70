//! Which columns can hold ids, the one by which all tables are joined, and where each table has the ids of people.

use super::words::{self, Unfit};
use crate::records::{Facts, Table};

/// From so large a share of a column on it is taken for dates, or for numbers.
pub(super) const MOST: f64 = 0.9;
/// From so large a share of ids in common on two columns are of the same people.
pub(super) const SAME_PEOPLE: f64 = 0.5;
/// The column of ids by which all tables are joined.
#[derive(Clone, Copy)]
pub(super) struct Hub<'t> {
    pub(super) table: usize,
    pub(super) ids: &'t Facts,
}

pub(super) fn is_date(facts: &Facts) -> bool {
    let named = words::date_role(&facts.name).is_some();
    let dates = if named { facts.dates + facts.serials } else { facts.dates };
    // What stands for no end (9999-12-31) and the odd slip are dates too.
    facts.filled > 0 && dates as f64 >= MOST * facts.filled as f64
}

pub(super) fn is_number(facts: &Facts) -> bool {
    facts.filled > 0 && facts.numbers as f64 >= MOST * facts.filled as f64
}

/// Whether a column can hold ids: filled, of many values, and neither a date nor a measured number.
pub(super) fn can_be_id(table: &Table, facts: &Facts) -> bool {
    let looked = facts.marks.len().max(1) as f64;
    let is_measured = is_number(facts) && (facts.fractions > 0 || words::has(&facts.name, &words::VALUES));
    let is_unfit = words::unfit(&facts.name).is_some_and(|why| why != Unfit::OfExtractDay)
        || words::unfit(&facts.name).is_some() && !words::has(&facts.name, &words::IDS);
    table.rows > 0
        && facts.filled as f64 >= MOST * looked
        && facts.distinct.len() >= 2
        && (facts.distinct.len() >= 20 || words::has(&facts.name, &words::IDS))
        && !is_date(facts)
        && !is_measured
        && !is_unfit
        && !words::is_birth(&facts.name)
}

pub(super) fn is_one_a_person(table: &Table, id: &str) -> bool {
    table.column(id).is_some_and(|ids| ids.distinct.len() as f64 >= 0.98 * ids.filled as f64)
}

/// How much a name speaks for the ids of people, against those of records.
fn person_like(name: &str) -> f64 {
    let person = if words::has(name, &words::PEOPLE) { 0.3 } else { 0.0 };
    let other = words::has(name, &words::RECORDS) || words::has(name, &words::HOUSEHOLDS);
    person - if other { 0.3 } else { 0.0 }
}

pub(super) fn birth(table: &Table) -> Option<&Facts> {
    table.columns.iter().find(|facts| words::is_birth(&facts.name) && is_date(facts))
}

/// The ids of the list of people where there is one, else the column whose ids most tables share.
pub(super) fn hub(tables: &[Table]) -> Option<Hub<'_>> {
    let mut best: Option<(f64, Hub<'_>)> = None;
    for (place, table) in tables.iter().enumerate() {
        for ids in table.columns.iter().filter(|facts| can_be_id(table, facts)) {
            let listed = birth(table).is_some() && is_one_a_person(table, &ids.name);
            let shared: f64 = tables
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place)
                .map(|(_, other)| {
                    let shares = other.columns.iter().filter(|facts| can_be_id(other, facts));
                    shares.map(|facts| facts.share_in(ids)).fold(0.0, f64::max)
                })
                .sum();
            let list = if listed { 0.5 + tables.len() as f64 * 0.1 } else { 0.0 };
            let score = shared + list + person_like(&ids.name) * 2.0;
            if best.as_ref().is_none_or(|(held, _)| score > *held) {
                best = Some((score, Hub { table: place, ids }));
            }
        }
    }
    best.map(|(_, hub)| hub)
}

/// The column of a table that holds the ids of people, and the share of them that the hub has.
pub(super) fn person<'t>(table: &'t Table, hub: Hub<'_>) -> Option<(&'t Facts, f64)> {
    let mut best: Option<(f64, &Facts, f64)> = None;
    for facts in table.columns.iter().filter(|facts| can_be_id(table, facts)) {
        let share = facts.share_in(hub.ids).max(hub.ids.share_in(facts));
        let same = if facts.name.eq_ignore_ascii_case(&hub.ids.name) { 0.3 } else { 0.0 };
        let score = share + same + person_like(&facts.name);
        if share >= SAME_PEOPLE && best.as_ref().is_none_or(|(held, ..)| score > *held) {
            best = Some((score, facts, facts.share_in(hub.ids)));
        }
    }
    best.map(|(_, facts, share)| (facts, share))
}
