//! The services and what each writes down.

mod activity;
mod care;
mod health;
mod home;
mod justice;
mod layout;
mod school;

pub(super) use layout::{Dates, LAYOUTS, Source};
pub(super) use school::SchoolRates;

use super::care::{ChildCourse, Hazard};
use super::needs::FamilyNeeds;
use super::population::Family;
use super::random::Draw;
use super::timeline::{BOUNDS, EXTRACT, OPEN, RECORDS_START};

/// One row of any service's file. What a service has no column for stays at its empty value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) recorded: i32,
    pub(super) person: u32,
    /// The day it occurred, or the first day of a spell.
    pub(super) start: i32,
    pub(super) end: i32,
    pub(super) end_recorded: i32,
    pub(super) kind: u8,
    /// Role, reason, category or referral source, by place in the source's list.
    pub(super) detail: u8,
    pub(super) value: f32,
}

impl Row {
    /// Something that happened on a day.
    pub(super) fn point(person: u32, occurred: i32, recorded: i32, kind: u8) -> Self {
        Self {
            recorded,
            person,
            start: occurred,
            end: OPEN,
            end_recorded: OPEN,
            kind,
            detail: super::table::EMPTY,
            value: f32::NAN,
        }
    }

    /// Something that lasts; the end is known some days after it came.
    pub(super) fn spell(person: u32, (start, end): (i32, i32), lags: (i32, i32), kind: u8) -> Self {
        let end_recorded = if end == OPEN { OPEN } else { end.saturating_add(lags.1) };
        Self { end, end_recorded, ..Self::point(person, start, start.saturating_add(lags.0), kind) }
    }

    pub(super) fn detail(self, detail: usize) -> Self {
        Self { detail: detail as u8, ..self }
    }

    pub(super) fn value(self, value: f64) -> Self {
        Self { value: value as f32, ..self }
    }
}

/// The rows of every source.
pub(super) struct Records(pub(super) [Vec<Row>; Source::COUNT]);

impl Records {
    pub(super) fn new() -> Self {
        Self([const { Vec::new() }; Source::COUNT])
    }

    /// Keeps what happened while records were kept and was known before the extract.
    fn point(&mut self, source: Source, row: Row) {
        if row.start >= RECORDS_START && row.recorded < EXTRACT {
            self.0[source as usize].push(row);
        }
    }

    /// Keeps a spell that touches the years with records and was known before the extract. An end that
    /// was not yet known is left open.
    fn spell(&mut self, source: Source, mut row: Row) {
        if row.end <= RECORDS_START || row.recorded >= EXTRACT || row.end <= row.start {
            return;
        }
        if row.end_recorded >= EXTRACT {
            (row.end, row.end_recorded) = (OPEN, OPEN);
        }
        self.0[source as usize].push(row);
    }

    pub(super) fn append(&mut self, other: Self) {
        for (to, mut from) in self.0.iter_mut().zip(other.0) {
            to.append(&mut from);
        }
    }
}

/// What all services know when they write about a family.
pub(super) struct Context<'a> {
    pub(super) seed: u64,
    pub(super) hazard: &'a Hazard,
    pub(super) school: &'a SchoolRates,
    /// Contacts that come to nothing, a year, of a child at relative hazard 1.
    pub(super) contacts: f64,
    /// Attendance records of a child in a term.
    pub(super) attendance: u32,
    /// Early-help episodes a year of a child at relative hazard 1.
    pub(super) early_help: f64,
}

/// Writes everything that the services hold about one family.
pub(super) fn write_family(
    context: &Context,
    family: &Family,
    needs: &FamilyNeeds,
    courses: &[ChildCourse],
    records: &mut Records,
) {
    school::write(context, family, needs, records);
    home::write(context.seed, family, needs, records);
    justice::write(context.seed, family, needs, records);
    health::write(context.seed, family, needs, records);
    care::write(context, family, needs, courses, records);
    activity::write(context.seed, family, needs, records);
}

/// Days in a half-year on which events of a yearly rate fall.
fn event_days(half: usize, yearly_rate: f64, draw: &mut Draw) -> Vec<i32> {
    let (first, last) = (BOUNDS[half], BOUNDS[half + 1] - 1);
    (0..draw.poisson(yearly_rate / 2.0)).map(|_| draw.between(first, last)).collect()
}

/// Spells of consecutive half-years in which `on` holds, as places `[first, end)`.
fn runs(on: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let halves = super::timeline::HALVES;
    let mut runs = Vec::new();
    let mut first = None;
    for half in 0..=halves {
        let now = half < halves && on(half);
        match (first, now) {
            (None, true) => first = Some(half),
            (Some(start), false) => {
                runs.push((start, half));
                first = None;
            }
            _ => {}
        }
    }
    runs
}
