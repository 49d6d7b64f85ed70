//! The council against what it promises: published rates, known truth, files as described.

mod files;
mod marginals;
mod recovery;

use std::sync::LazyLock;

use super::table::{Cells, Column};
use super::timeline::{OPEN, YEAR, day};
use super::{Council, CouncilParams};
use crate::calendar::Day;

/// One council for all tests that only read: 60,000 children, so that rare outcomes can be counted.
static COUNCIL: LazyLock<Council> = LazyLock::new(|| CouncilParams::new(60_000, 11).generate().unwrap());

fn column(file: &str, name: &str) -> &'static Column {
    COUNCIL.extract(file).unwrap().column(name).unwrap()
}

fn ids(file: &str, name: &str) -> Vec<usize> {
    match column(file, name).cells() {
        Cells::Id { numbers, .. } => numbers.iter().map(|n| n.unwrap().get() as usize).collect(),
        _ => panic!("{name} is no id"),
    }
}

/// Days since 1970; an empty cell is [`OPEN`].
fn days(file: &str, name: &str) -> Vec<i32> {
    match column(file, name).cells() {
        Cells::Date(days) => days.iter().map(|day| day.map_or(OPEN, Day::epoch_days)).collect(),
        _ => panic!("{name} is no date"),
    }
}

fn words(file: &str, name: &str) -> Vec<&'static str> {
    match column(file, name).cells() {
        Cells::Text { values, codes } => {
            codes.iter().map(|&code| values.get(usize::from(code)).copied().unwrap_or("")).collect()
        }
        _ => panic!("{name} is no text"),
    }
}

/// Birth day of each person, by number.
fn births() -> Vec<i32> {
    let mut births = vec![OPEN; COUNCIL.extract("people").unwrap().rows() + 1];
    for (person, birth) in ids("people", "person_id").into_iter().zip(days("people", "date_of_birth")) {
        births[person] = birth;
    }
    births
}

/// A word of the protected file for each person, by number.
fn protected(name: &str) -> Vec<&'static str> {
    let mut by_person = vec![""; COUNCIL.extract("people").unwrap().rows() + 1];
    for (person, word) in ids("protected", "person_id").into_iter().zip(words("protected", name)) {
        by_person[person] = word;
    }
    by_person
}

/// Whether someone of this birth day is under 18 on a day.
fn is_child(birth: i32, on: i32) -> bool {
    birth <= on && f64::from(on - birth) < 18.0 * YEAR
}

/// Whether each person has a spell of a kind that holds on a day; all kinds when `kind` is empty.
fn has_spell(file: &str, kind: &str, on: i32) -> Vec<bool> {
    let kinds = if kind.is_empty() { Vec::new() } else { words(file, "kind") };
    let mut has = vec![false; births().len()];
    let spells = days(file, "start").into_iter().zip(days(file, "end"));
    for (row, (person, (start, end))) in ids(file, "person_id").into_iter().zip(spells).enumerate() {
        if start <= on && on < end && kinds.get(row).is_none_or(|&k| k == kind) {
            has[person] = true;
        }
    }
    has
}

/// The household of each person on a day; 0 for none.
fn households(on: i32) -> Vec<usize> {
    let mut of = vec![0; births().len()];
    let spells = days("households", "start").into_iter().zip(days("households", "end"));
    let homes = ids("households", "household_id");
    for ((person, home), (start, end)) in ids("households", "person_id").into_iter().zip(homes).zip(spells) {
        if start <= on && on < end {
            of[person] = home;
        }
    }
    of
}

/// The year that rates are measured on.
const YEAR_START: i32 = day(2023, 4, 1);
const YEAR_END: i32 = day(2024, 4, 1);

/// Checks a share or a rate against its target.
///
/// Allowed: three standard errors of a binomial (for rates: Poisson) count, widened by the square root of
/// `clusters` because what families share is not independent, plus `slack` as a part of the target for
/// what the generator simplifies.
fn assert_near(what: &str, seen: usize, of: f64, target: f64, clusters: f64, slack: f64) {
    let share = seen as f64 / of;
    let error = (target * (1.0 - target).max(0.0) / of * clusters).sqrt();
    let allowed = 3.0 * error + slack * target;
    assert!(
        (share - target).abs() <= allowed,
        "{what}: {share:.5}, published {target:.5}, allowed ±{allowed:.5}"
    );
}
