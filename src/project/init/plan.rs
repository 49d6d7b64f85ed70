//! What a draft says, before it is written down: the tables of a folder, and what each is taken for.

use crate::calendar::Day;
use crate::cohort::CohortSpec;
use crate::fairness::ProtectedColumns;
use crate::features::FeatureTemplate;
use crate::outcome::OutcomeSpec;
use crate::records::{
    EventColumns, Facts, HouseholdColumns, IdentityColumns, Kind, Known, PeopleColumns, Table,
};

/// What marks a comment that asks for a decision.
pub(super) const DECIDE: &str = "DECIDE: ";

/// A table that is taken for something.
#[derive(Debug)]
pub(super) struct Taken<C> {
    pub(super) name: String,
    /// Its place among the tables.
    pub(super) table: usize,
    pub(super) columns: C,
    /// Why, and what is to be decided: the comments above it.
    pub(super) notes: Vec<String>,
}

/// The columns that make an id with the one of the person, in the order in which they are joined.
#[derive(Debug, Default)]
pub(super) struct Parts(pub(super) Vec<String>);

impl Parts {
    /// Whether a table has all of them.
    pub(super) fn are_in(&self, table: &Table) -> bool {
        self.0.iter().all(|name| table.column(name).is_some())
    }

    /// The whole id, whose last part is the person's.
    pub(super) fn with(&self, id: &str) -> Vec<String> {
        self.0.iter().cloned().chain([id.to_owned()]).collect()
    }
}

/// All that a draft is made of.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) identities: Vec<Taken<IdentityColumns>>,
    pub(super) people: Option<Taken<PeopleColumns>>,
    pub(super) households: Option<Taken<HouseholdColumns>>,
    pub(super) protected: Option<Taken<ProtectedColumns>>,
    pub(super) sources: Vec<Taken<EventColumns>>,
    /// What was not taken for anything, and why.
    pub(super) left_out: Vec<String>,
}

impl Plan {
    /// Leaves out sources none of whose ids is one of the people's: all their rows would be rejected.
    pub(super) fn leave_out_strangers(&mut self, tables: &[Table]) {
        let Some(people) = &self.people else { return };
        let ids = |table: usize, columns: &[String]| tables[table].column(columns.last()?);
        let Some(listed) = ids(people.table, &people.columns.person) else { return };
        let is_strange = |source: &mut Taken<EventColumns>| {
            ids(source.table, &source.columns.entity).is_some_and(|held| held.share_in(listed) == 0.0)
        };
        for source in self.sources.extract_if(.., is_strange) {
            self.left_out.push(format!(
                "{DECIDE}{}: none of its ids is on the list of people, so it is left out. Are they written otherwise, or is the \
                 list of other people?",
                source.name
            ));
        }
    }

    /// Whether no table was taken for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
            && self.people.is_none()
            && self.households.is_none()
            && self.protected.is_none()
            && self.identities.is_empty()
    }
}

/// What a model is to foresee, from what, of whom, and on which dates.
#[derive(Debug)]
pub(super) struct Aim {
    pub(super) cohort: CohortSpec,
    pub(super) features: Vec<FeatureTemplate>,
    /// Comments above the features.
    pub(super) feature_notes: Vec<String>,
    pub(super) outcome: OutcomeSpec,
    pub(super) as_of: Vec<Day>,
    /// Comments above the outcome.
    pub(super) notes: Vec<String>,
    /// Comments below the outcome: whom a service may be working with already.
    pub(super) known_notes: Vec<String>,
    /// Comments above the dates.
    pub(super) date_notes: Vec<String>,
}

/// Days that a record can be of: from 1900 on, and not after today where that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Possible(pub(super) Option<Day>);

impl Possible {
    pub(super) fn has(self, day: i32) -> bool {
        day >= -25_566 && day <= self.0.map_or(47_481, Day::epoch_days)
    }

    /// The possible days of a column, sorted.
    pub(super) fn days(self, facts: &Facts) -> Vec<i32> {
        let mut days: Vec<i32> =
            (0..facts.days.len()).filter_map(|row| facts.day(row)).filter(|&day| self.has(day)).collect();
        days.sort_unstable();
        days
    }
}

/// From when to when a source seems to hold everything: back from its last day in years, as long as a year has at least
/// half of what the later ones have. Few old records say that a system was filled by hand with what was still open.
pub(super) fn found_coverage(
    columns: &EventColumns,
    table: &Table,
    possible: Possible,
) -> Option<(Day, Day)> {
    const YEAR: i32 = 365;
    let occurred = possible.days(table.column(&columns.occurred)?);
    let (&first, last) = (occurred.first()?, last_of_most(&occurred)?);
    let last_known = match &columns.known {
        Known::Column(column) => table.column(column).and_then(|facts| last_of_most(&possible.days(facts))),
        Known::LagDays(_) | Known::FileName(_) => None,
    };
    let to = last_known.unwrap_or(last).max(last);
    let within = |from: i32, to: i32| {
        let place = |day: i32| occurred.partition_point(|&held| held <= day);
        place(to) - place(from)
    };
    let (mut from, mut held, mut years) = (to, 0, 0);
    while from > first {
        let rows = within(from - YEAR, from);
        // Two years at least, so that a slow beginning is not taken for the whole.
        if years > 1 && rows * 2 * years < held {
            break;
        }
        from -= YEAR;
        held += rows;
        years += 1;
    }
    let from = (from + 1).max(first);
    // Of records of a single day nobody can say what they cover.
    (from < to).then(|| (Day::from_epoch_days(from), Day::from_epoch_days(to)))
}

/// The last day, but for a few that stand far behind all others: planned, or mistyped. Taken for the end they would move
/// the dates of training to where nothing is on record.
fn last_of_most(days: &[i32]) -> Option<i32> {
    /// Longer than the slowest source is silent: a term.
    const GAP: i32 = 92;
    let few = days.len() / 100;
    let behind = (1..=few).rev().find(|rows| {
        let place = days.len() - rows;
        place > 0 && days[place] - days[place - 1] > GAP
    });
    days[..days.len() - behind.unwrap_or(0)].last().copied()
}

/// The columns of a source in which dates stand.
pub(super) fn date_columns(columns: &EventColumns) -> impl Iterator<Item = &str> {
    let known = match &columns.known {
        Known::Column(column) => Some(column),
        Known::LagDays(_) | Known::FileName(_) => None,
    };
    [Some(&columns.occurred), columns.ended.as_ref(), known, columns.ended_known.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
}

/// The columns of a source in which words stand.
pub(super) fn word_columns(columns: &EventColumns) -> impl Iterator<Item = &str> {
    let kind = match &columns.kind {
        Kind::Column(column) => Some(column),
        Kind::Constant(_) | Kind::FileName(_) | Kind::ByDates(_) => None,
    };
    kind.into_iter().chain(&columns.role).chain(&columns.categories).map(String::as_str)
}

/// Whether the words of these columns stand behind list letters (`a) Male`).
pub(super) fn has_letters<'a>(table: &Table, columns: impl Iterator<Item = &'a str>) -> bool {
    columns
        .filter_map(|name| table.column(name))
        .any(|facts| facts.filled > 0 && facts.letters * 2 >= facts.filled)
}

/// A text without its list letter.
pub(super) fn without_letter(text: &str) -> &str {
    match text.split_once(')') {
        Some((letter, rest)) if letter.len() == 1 && letter.as_bytes()[0].is_ascii_alphabetic() => {
            rest.trim_start()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_days_far_behind_the_others_are_not_the_end() {
        let days: Vec<i32> = (0..400).collect();
        let with = |more: &[i32]| last_of_most(&[days.as_slice(), more].concat());
        assert_eq!((with(&[]), last_of_most(&[])), (Some(399), None));
        assert_eq!(with(&[700, 701, 1_100]), Some(399));
        assert_eq!(with(&[450, 480]), Some(480), "near the others");
        assert_eq!(with(&[700, 701, 702, 703, 704]), Some(704), "too many to be slips");
    }
}
