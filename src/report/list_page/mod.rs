//! The list as one page.

use askama::Template;

use self::case::Case;
use self::deciding::Questions;
use self::shape::{Drawing, Pictures};
use self::shared::{Shared, shared_by_most};
use super::since::Changes;
use super::words::{self, OutOf};
use crate::error::ReportError;
use crate::review::{Among, ListedCase, ReviewList, SharesUsed, WhyListed};
use crate::scoring::{OnePer, Provenance, ScoredCase};

mod adding_up;
mod case;
mod deciding;
mod shape;
mod shared;

/// Reasons of a case in the table at the top.
const IN_SHORT: usize = 3;

/// The list as one HTML page, complete in itself: nothing loaded from elsewhere, readable on paper. A script in it finds, filters
/// and sorts; without it the page says the same.
///
/// `title` is the heading: say what the list is for and what is foreseen ("Early help, September: children
/// who may need a plan within a year").
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
pub fn list_html(list: &ReviewList, title: &str) -> Result<String, ReportError> {
    let mut page = Page::of(list, title).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

#[derive(Template)]
#[template(path = "list_page/list.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    audit: Audit<'a>,
    /// `20 cases`.
    length: String,
    /// How many of them were drawn at random, in words; empty for none.
    random: String,
    /// How many are known to a service already; empty where the project does not say what that means.
    known: String,
    /// Whether the list is of those alone that no service knows.
    not_known_alone: bool,
    /// Sources that are used though they are not what they were at training.
    accepted: Vec<String>,
    /// Where the ledger's chain ended; empty for a list that is on no record.
    witness: String,
    /// How places were dealt to groups; empty where they were not.
    shares: String,
    /// How many of those not drawn at random are in each band of the score.
    by_band: String,
    /// What came of the backtest's lists of this length; empty where that is not known.
    tested: String,
    /// The rate of the outcome among all cases of the backtest.
    average: String,
    cannot_see: &'a [String],
    /// Whether cases are seen on days of their own.
    own_days: bool,
    /// Reasons that most places share: said once, at the top.
    shared: Vec<Shared<'a>>,
    since: Option<Changes<'a>>,
    questions: Questions<'a>,
    drawings: Vec<Drawing>,
    cases: Vec<Case<'a>>,
    not_scored: Vec<Unscored<'a>>,
    /// `3 cases of the cohort were`.
    unscored_say: String,
}

/// A case that was not scored.
struct Unscored<'a> {
    entity: &'a str,
    words: String,
}

struct Audit<'a> {
    says: &'a Provenance,
    as_of: String,
    requested_on: String,
    expires: String,
    cohort_size: String,
    sources: Vec<SourceRow<'a>>,
}

struct SourceRow<'a> {
    name: String,
    covers_from: String,
    covers_to: String,
    updated: String,
    digest: &'a str,
}

impl<'a> Page<'a> {
    fn of(list: &'a ReviewList, title: &'a str) -> Self {
        let entries = list.entries();
        let bands = || entries.iter().map(|entry| entry.case().band());
        let out_of = OutOf::fitting(bands().flat_map(|band| [band.observed.value, band.average.value]));
        let largest = entries
            .iter()
            .flat_map(|entry| entry.case().contributions())
            .map(|part| part.log_odds.abs())
            .fold(0.0, f64::max);
        let random = entries.iter().filter(|entry| entry.why_listed() == WhyListed::AtRandom).count();
        let common = shared_by_most(entries);
        let codes = short_codes(entries);
        let questions = Questions::of(list);
        let pictures = Pictures::of(list.pictures());
        let mut cases: Vec<Case<'a>> = entries
            .iter()
            .enumerate()
            .map(|(nth, entry)| {
                let found = (largest, &*common, &pictures, list.changes().is_some());
                Case::of((nth + 1, codes[nth]), entry, out_of, found)
            })
            .collect();
        if questions.first {
            // The order of places would tell what is to be seen later.
            cases.sort_by_key(|case| case.entity);
        }
        let cannot_see = entries.first().map_or(&[][..], |entry| entry.case().cannot_see());
        Self {
            title,
            audit: Audit::of(list.provenance()),
            length: match list.drawn_with().one_per {
                OnePer::Household => words::counted(entries.len(), "household", "households"),
                OnePer::Case => words::counted(entries.len(), "case", "cases"),
            },
            accepted: list.provenance().allowed(),
            witness: list.witness().map(ToString::to_string).unwrap_or_default(),
            shares: list.shares().map(shares_in_words).unwrap_or_default(),
            random: if random == 0 {
                String::new()
            } else {
                words::counted(random, "case was", "cases were")
            },
            known: list.known().map(known_in_words).unwrap_or_default(),
            not_known_alone: list.drawn_with().among == Among::NotKnown,
            by_band: list
                .by_band()
                .into_iter()
                .map(|(band, cases)| format!("{} in the {band}", words::count(cases as u64)))
                .collect::<Vec<_>>()
                .join(", "),
            tested: list.tested_in_words(),
            average: bands().next().map(|band| out_of.rate(&band.average)).unwrap_or_default(),
            cannot_see,
            own_days: entries.iter().any(|entry| entry.case().has_own_day()),
            questions,
            drawings: pictures.drawings(),
            cases,
            shared: common.iter().map(|(key, many)| Shared::of(key, many)).collect(),
            since: list.changes().map(Changes::of),
            not_scored: list
                .not_scored()
                .iter()
                .map(|held| Unscored { entity: held.entity(), words: held.reason().words() })
                .collect(),
            unscored_say: words::counted(
                list.not_scored().len(),
                "case of the cohort was",
                "cases of the cohort were",
            ),
        }
    }
}

impl<'a> Audit<'a> {
    fn of(says: &'a Provenance) -> Self {
        let sources = says
            .sources
            .iter()
            .map(|state| SourceRow {
                name: words::plain(&state.source),
                covers_from: words::date_if_stated(state.covers_from),
                covers_to: words::date_if_stated(state.covers_to),
                updated: words::date_if_stated(state.updated),
                digest: &state.digest,
            })
            .collect();
        Self {
            says,
            as_of: words::date(says.as_of.day()),
            requested_on: words::date(says.requested_on),
            expires: words::date(says.expires),
            cohort_size: words::count(u64::from(says.cohort_size)),
            sources,
        }
    }
}

/// `4 of 25 are known to a service already; of 1 that cannot be told`.
fn known_in_words([yes, no, cannot_tell]: [usize; 3]) -> String {
    let of = words::count((yes + no + cannot_tell) as u64);
    let said = format!("{} of {of}", words::count(yes as u64));
    match cannot_tell {
        0 => said,
        _ => format!("{said}; of {} it cannot be told", words::count(cannot_tell as u64)),
    }
}

/// How places were dealt to groups, and who answers for it.
fn shares_in_words(used: &SharesUsed) -> String {
    format!(
        "The places of this list were dealt to groups by {}, the highest scores within each. Of {} places, {} are others \
         than by score alone. Approved by {}, for this reason: {}",
        words::plain(&used.asked.characteristic),
        words::count(u64::from(used.places)),
        words::count(u64::from(used.changed)),
        used.asked.approved_by,
        used.asked.reason
    )
}

/// The fewest characters of an id that are shown: shorter ones are shown whole.
const CODE: usize = 8;

/// For each place as much of its id as tells it from every other one on the page: an id may be a digest of 64 characters, which
/// nobody reads out on the telephone.
fn short_codes(entries: &[ListedCase]) -> Vec<&str> {
    let all: Vec<&str> = entries
        .iter()
        .flat_map(|entry| std::iter::once(entry.case()).chain(entry.beside()))
        .map(ScoredCase::entity)
        .collect();
    let code = |entity: &'_ str| -> usize {
        let alike =
            |other: &&str| entity.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        let others = all.iter().filter(|other| **other != entity).map(alike);
        let needs = others.max().map_or(CODE, |alike| (alike + 1).max(CODE));
        // A few characters less are no gain.
        if entity.len() <= needs + 4 {
            return entity.len();
        }
        (needs..entity.len()).find(|&at| entity.is_char_boundary(at)).unwrap_or(entity.len())
    };
    entries.iter().map(|entry| entry.case().entity()).map(|entity| &entity[..code(entity)]).collect()
}
