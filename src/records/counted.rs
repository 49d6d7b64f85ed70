//! What a source holds, counted: rows by month, kinds, roles and values, and whom they are about.

use super::events::{EventTable, OPEN, Role};
use super::source::Source;
use crate::calendar::Day;

/// What a source holds. Records count in their last state, and once.
pub(crate) struct SourceCounts {
    /// States of records that a later row superseded.
    pub(crate) superseded: u64,
    /// For each person whether they have a record.
    pub(crate) has: Vec<bool>,
    /// Records by the month in which they happened, from the first to the last such month, with the month's first day.
    pub(crate) months: Vec<(Day, u64)>,
    pub(crate) kinds: Vec<NameCounts>,
    /// Empty where the source has no roles.
    pub(crate) roles: Vec<NameCounts>,
    /// By column.
    pub(crate) categories: Vec<(String, Vec<NameCounts>)>,
}

/// How many records have a name, and how many people they are about.
pub(crate) struct NameCounts {
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) people: u64,
}

impl Source {
    /// Counts what is there, for `people` people.
    pub(crate) fn counted(&self, people: usize) -> SourceCounts {
        let events = &*self.events();
        let superseded = events
            .superseded
            .as_ref()
            .map_or(0, |days| days.iter().filter(|&&day| day != OPEN).count() as u64);
        let roles = Role::ALL.map(|role| Box::from(role.name()));
        let of_category = |(place, (column, names)): (usize, &(String, Vec<Box<str>>))| {
            let codes = &events.categories[place];
            (column.clone(), names_of(events, people, names, |row| codes[row] as usize))
        };
        SourceCounts {
            superseded,
            has: (0..people as u32).map(|person| !events.rows_of(person).is_empty()).collect(),
            months: months(events, people),
            kinds: names_of(events, people, &self.kinds, |row| usize::from(events.kind[row])),
            roles: match &events.role {
                Some(held) => names_of(events, people, &roles, |row| held[row] as usize),
                None => Vec::new(),
            },
            categories: self.categories.iter().enumerate().map(of_category).collect(),
        }
    }
}

/// Records and people by name, the commonest first. A record without one has a code beyond all names.
fn names_of(
    events: &EventTable,
    people: usize,
    names: &[Box<str>],
    code: impl Fn(usize) -> usize,
) -> Vec<NameCounts> {
    let mut counts = vec![(0_u64, 0_u64); names.len()];
    let mut last_person = vec![u32::MAX; names.len()];
    for person in 0..people as u32 {
        for code in events.all(person).map(&code).filter(|&code| code < names.len()) {
            counts[code].0 += 1;
            counts[code].1 += u64::from(last_person[code] != person);
            last_person[code] = person;
        }
    }
    let counted = names.iter().zip(counts).filter(|(_, (rows, _))| *rows > 0);
    let mut named: Vec<NameCounts> =
        counted.map(|(name, (rows, people))| NameCounts { name: name.to_string(), rows, people }).collect();
    named.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    named
}

fn months(events: &EventTable, people: usize) -> Vec<(Day, u64)> {
    // By day first: there are far fewer days than records.
    let (Some(&first), Some(&last)) = (events.occurred.iter().min(), events.occurred.iter().max()) else {
        return Vec::new();
    };
    let mut of_days = vec![0_u64; (last - first) as usize + 1];
    for row in (0..people as u32).flat_map(|person| events.all(person)) {
        of_days[(events.occurred[row] - first) as usize] += 1;
    }
    let mut months: Vec<(Day, u64)> = Vec::new();
    for (day, rows) in (first..).zip(of_days).filter(|(_, rows)| *rows > 0) {
        let first = first_of_month(Day::from_epoch_days(day));
        while months.last().is_some_and(|&(last, _)| last < first) {
            let next = months.last().map_or(first, |&(last, _)| last.plus_months(1));
            months.push((next, 0));
        }
        match months.last_mut() {
            Some(last) => last.1 += rows,
            None => months.push((first, rows)),
        }
    }
    months
}

/// The first day of the month in which a day lies.
pub(crate) fn first_of_month(day: Day) -> Day {
    day + (1 - i32::from(day.ymd().2))
}
