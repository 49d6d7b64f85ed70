//! What studies write otherwise than services: dates as days from a start that a column names, and ids of several parts.
//!
//! A table in which either is found is looked into again, as the draft will read it.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{self, Hub};
use super::plan::Parts;
use super::words;
use crate::calendar::Day;
use crate::error::RecordsError;
use crate::records::{DateForm, DayZero, DayZeroColumn, Facts, Joined, Table};

/// Names of starts that fewer rows of all tables together have are not written into a draft, which is passed around as no
/// extract is.
const FEWEST_SHOWN: u64 = 10;
/// The most parts of an id besides the one of the person. With more, nearly any table could be told apart by chance.
const MOST_PARTS: usize = 3;
/// Beyond so many days from a start a number is no offset: ten years, longer than anything that is counted so.
const MOST_DAYS: f64 = 3_660.0;

/// Looks for both, and into the tables that have them again; says what cannot be read.
pub(super) fn study(tables: &mut [Table]) -> (Parts, Vec<String>) {
    let mut faults = Vec::new();
    let parts = ids::hub(tables).map(|hub| parts(tables, hub)).unwrap_or_default();
    let joins: Vec<Option<Joined>> = tables.iter().map(|table| lacking(table, tables, &parts)).collect();
    let again = |table: &mut Table, found: Result<Table, RecordsError>, faults: &mut Vec<String>| match found
    {
        Ok(found) => *table = found,
        Err(fault) => faults.push(super::one_line(&fault.to_string())),
    };
    for (table, join) in tables.iter_mut().zip(joins) {
        if let Some(join) = join {
            let found = table.with_join(join);
            again(table, found, &mut faults);
        }
    }
    let names = starts(tables);
    for table in tables.iter_mut().filter(|table| table.columns.iter().any(is_offset)) {
        if let Some(zero) = zero(table, &names) {
            let found = table.with_dates(DateForm::DaysFrom(DayZero::Column(zero)));
            again(table, found, &mut faults);
        }
    }
    (parts, faults)
}

/// Whether a column is called a date and holds whole numbers of days from a day nearby.
fn is_offset(facts: &Facts) -> bool {
    words::date_role(&facts.name).is_some()
        && !words::is_birth(&facts.name)
        && facts.filled > 0
        && facts.numbers == facts.filled
        && facts.fractions == 0
        && facts.smallest > -MOST_DAYS
        && facts.largest < MOST_DAYS
}

/// The year that stands in a name: `2013J`, `autumn 2023`.
fn year(name: &str) -> Option<i16> {
    let mut numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 4);
    let year: i16 = numbers.next()?.parse().ok()?;
    (1990..2100).contains(&year).then_some(year)
}

/// Whether a column names starts: few names, a year in each, and more than the year.
fn names_starts(facts: &Facts) -> bool {
    facts.values.as_ref().is_some_and(|values| {
        !values.is_empty() && values.keys().all(|name| year(name).is_some() && name.trim().len() > 4)
    }) && facts.dates == 0
}

/// The names of starts in all tables, by column.
fn starts(tables: &[Table]) -> BTreeMap<String, BTreeSet<String>> {
    let mut rows: BTreeMap<(String, String), u64> = BTreeMap::new();
    let columns = tables.iter().flat_map(|table| &table.columns);
    for facts in columns.filter(|facts| names_starts(facts)) {
        for (name, count) in facts.values.iter().flatten() {
            *rows.entry((facts.name.clone(), name.trim().to_owned())).or_default() += count;
        }
    }
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((column, name), _) in rows.into_iter().filter(|(_, count)| *count >= FEWEST_SHOWN) {
        names.entry(column).or_default().insert(name);
    }
    names
}

/// The column that likely gives a table's days 0: one of names, or else one of dates.
fn zero(table: &Table, names: &BTreeMap<String, BTreeSet<String>>) -> Option<DayZeroColumn> {
    let named = table.columns.iter().filter(|facts| names_starts(facts));
    // Of several the one of most names: it parts the rows most finely.
    let named = named.max_by_key(|facts| names.get(&facts.name).map_or(0, BTreeSet::len));
    if let Some(facts) = named {
        let of = |name: &String| Some((name.clone(), Day::from_ymd(year(name)?, 1, 1)?));
        let is = names.get(&facts.name)?.iter().filter_map(of).collect();
        return Some(DayZeroColumn { column: facts.name.clone(), is });
    }
    let is_start = |facts: &&Facts| {
        facts.dates == facts.filled
            && facts.filled == facts.marks.len() as u64
            && words::first(&facts.name, &["start", "started", "begin", "began", "begins", "commenced"])
                .is_some()
    };
    let dated = table.columns.iter().find(is_start)?;
    Some(DayZeroColumn { column: dated.name.clone(), is: BTreeMap::new() })
}

/// The parts of an id besides the person's: where no table has each person once, the fewest columns that two tables or more
/// share, and with which each row of these is one of its own.
fn parts(tables: &[Table], hub: Hub<'_>) -> Parts {
    let with_ids: Vec<(&Table, &Facts)> =
        tables.iter().filter_map(|table| Some((table, ids::person(table, hub)?.0))).collect();
    if with_ids.iter().any(|(table, ids)| ids::is_one_a_person(table, &ids.name)) {
        return Parts::default();
    }
    let is_part = |table: &Table, facts: &Facts| {
        facts.values.is_some()
            && facts.filled == facts.marks.len() as u64
            && facts.fractions == 0
            && facts.dates == 0
            && !is_offset(facts)
            && words::unfit(&facts.name).is_none()
            && tables.iter().any(|other| other.path != table.path && other.column(&facts.name).is_some())
    };
    let mut found: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for (table, ids) in &with_ids {
        let columns: Vec<&Facts> = table.columns.iter().filter(|facts| is_part(table, facts)).collect();
        let whole = choices(columns.len()).into_iter().find(|chosen| {
            let rows = (0..ids.marks.len()).map(|row| {
                let mut key: Vec<u64> = chosen.iter().map(|&place| columns[place].marks[row]).collect();
                key.push(ids.marks[row]);
                key
            });
            let mut seen = BTreeSet::new();
            table.rows > 1
                && table.rows == ids.marks.len() as u64
                && rows.into_iter().all(|key| seen.insert(key))
        });
        if let Some(chosen) = whole {
            let names = chosen.iter().map(|&place| columns[place].name.clone()).collect();
            *found.entry(names).or_default() += 1;
        }
    }
    // In one table it may be chance; of equals the shorter.
    let often = found.into_iter().filter(|(_, tables)| *tables > 1);
    Parts(
        often
            .max_by_key(|(names, tables)| (*tables, usize::MAX - names.len()))
            .map_or_else(Vec::new, |(names, _)| names),
    )
}

/// Choices of one to [`MOST_PARTS`] of so many columns, the fewest first.
fn choices(columns: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut last: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..MOST_PARTS {
        last = last
            .iter()
            .flat_map(|chosen| {
                let from = chosen.last().map_or(0, |place| place + 1);
                (from..columns).map(move |place| chosen.iter().copied().chain([place]).collect())
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Where the parts of an id that a table of people's ids lacks are to be had: another table that has them, once for each
/// value of a column that both have.
fn lacking(table: &Table, tables: &[Table], parts: &Parts) -> Option<Joined> {
    let lacks: Vec<&String> = parts.0.iter().filter(|name| table.column(name).is_none()).collect();
    if lacks.is_empty() {
        return None;
    }
    let is_key = |facts: &&Facts| {
        table.column(&facts.name).is_some()
            && facts.distinct.len() > 1
            && facts.distinct.len() == facts.marks.len()
            && table.column(&facts.name).is_some_and(|own| own.share_in(facts) > 0.5)
    };
    let others = tables.iter().filter(|other| other.path != table.path && other.sheet.is_none());
    let mut with_all = others.filter(|other| lacks.iter().all(|name| other.column(name).is_some()));
    with_all.find_map(|other| {
        let key = other.columns.iter().find(is_key)?;
        let columns = lacks.iter().map(|name| ((*name).clone(), (*name).clone())).collect();
        Some(Joined { path: other.path.clone(), on: [key.name.clone(), key.name.clone()], columns })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_and_something_more_names_a_start() {
        assert_eq!(
            ["2013J", "autumn 2023", "12345", "20131001", "J"].map(year),
            [Some(2013), Some(2023), None, None, None]
        );
    }

    #[test]
    fn choices_are_few_columns_first_and_none_twice() {
        assert_eq!(choices(2), [vec![0], vec![1], vec![0, 1]]);
        assert_eq!(choices(4).len(), 4 + 6 + 4);
        assert!(choices(0).is_empty());
    }
}
