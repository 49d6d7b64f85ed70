//! Reasons that most places of a list share: said once, at the top.

use super::IN_SHORT;
use crate::report::words::{self, Move};
use crate::review::{ListedCase, WhyListed};
use crate::scoring::Contribution;

/// A reason that most of those listed for their scores share.
pub(super) struct Shared<'a> {
    /// `18 of 20`.
    pub(super) how_many: String,
    pub(super) what: &'a str,
    pub(super) raises: bool,
}

/// A reason, whatever its value: the features that it is of, and whether it raises.
pub(super) type Key<'a> = (&'a [String], &'a str, bool);

/// How many of how many places.
pub(super) type Many = (usize, usize);

pub(super) fn key_of(part: &Contribution) -> Key<'_> {
    // The label begins with what the records are, and goes on with what is computed from them.
    let what = part.label.split(": ").next().unwrap_or(&part.label);
    (&part.features, what, part.log_odds > 0.0)
}

/// The reasons that are among the largest of three in four of the places given for their scores. Fewer than four places share
/// nothing worth a line.
pub(super) fn shared_by_most(entries: &[ListedCase]) -> Vec<(Key<'_>, Many)> {
    let ranked: Vec<&ListedCase> =
        entries.iter().filter(|entry| entry.why_listed() != WhyListed::AtRandom).collect();
    if ranked.len() < 4 {
        return Vec::new();
    }
    let mut times: Vec<(Key<'_>, usize)> = Vec::new();
    for entry in &ranked {
        let telling = |part: &&Contribution| words::rounds_to(part.log_odds) != Move::None;
        for key in entry.case().contributions().iter().filter(telling).take(IN_SHORT).map(key_of) {
            match times.iter_mut().find(|(held, _)| *held == key) {
                Some((_, times)) => *times += 1,
                None => times.push((key, 1)),
            }
        }
    }
    times.retain(|(_, times)| 4 * times >= 3 * ranked.len());
    times.sort_by_key(|&(_, times)| std::cmp::Reverse(times));
    times.into_iter().map(|(key, times)| (key, (times, ranked.len()))).collect()
}

impl<'a> Shared<'a> {
    pub(super) fn of(&(_, what, raises): &Key<'a>, &(times, of): &Many) -> Self {
        Self {
            how_many: format!("{} of {}", words::count(times as u64), words::count(of as u64)),
            what,
            raises,
        }
    }
}
