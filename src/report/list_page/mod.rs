//! The list as one page.

use askama::Template;

use self::case::Case;
pub(super) use self::case::{
    AbsentItem, chance_in_words, effect, mark_in_words, records_say, stability_in_words,
};
use self::deciding::Questions;
pub(super) use self::says::{Says, says};
use self::shape::{Drawing, Pictures};
use self::shared::{Shared, shared_by_most};
use super::about::About;
use super::since::Changes;
use super::words::{self, OutOf};
use crate::error::ReportError;
use crate::review::{ListedCase, ReviewList};
use crate::scoring::Provenance;

mod adding_up;
mod case;
mod deciding;
mod says;
mod shape;
mod shared;

/// Reasons of a case in the table at the top.
const IN_SHORT: usize = 3;

/// Reasons of a case on its line in a terminal: more do not fit on one.
const IN_TEXT: usize = 2;

/// The list as one HTML page, complete in itself: nothing loaded from elsewhere, readable on paper. A script in it finds, filters
/// and sorts; without it the page says the same.
///
/// `title` is the heading: say what the list is for and what is foreseen ("Early help, September: children
/// who may need a plan within a year").
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
pub fn list_html(list: &ReviewList, title: &str) -> Result<String, ReportError> {
    let witness = list.witness().map(ToString::to_string).unwrap_or_default();
    let mut page =
        Page::of(list, title, &witness).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

/// The list in short, for a terminal: what most places share, then a line a place: id, band, and what is particular to it.
///
/// Where reviewers judge for themselves first, it has the ids alone, in their order: a place or a reason would tell what is to be
/// seen later.
pub fn list_text(list: &ReviewList) -> String {
    let page = Page::of(list, "", "");
    let mut text = String::new();
    if page.questions.first {
        for case in &page.cases {
            text.push_str(case.entity);
            text.push('\n');
        }
        return text;
    }
    for reason in &page.shared {
        let how = if reason.raises { "raises" } else { "lowers" };
        text.push_str(&format!("{how} the score of {}: {}\n", reason.how_many, reason.what));
    }
    for case in &page.cases {
        let why = if case.random {
            "drawn at random, for comparison".to_owned()
        } else {
            let reasons = case.in_short.iter().filter(|reason| reason.raises).take(IN_TEXT);
            reasons.map(|reason| reason.words).collect::<Vec<_>>().join("; ")
        };
        text.push_str(&format!("{:>3}. {}  {:<10}  {why}\n", case.place, case.entity, case.band.name));
    }
    text
}

#[derive(Template)]
#[template(path = "list_page/list.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    about: About<'a>,
    audit: Audit<'a>,
    /// What came of the backtest's lists of this length; empty where that is not known.
    tested: String,
    /// The rate of the outcome among all cases of the backtest.
    average: String,
    /// Reasons that most places share: said once, at the top.
    shared: Vec<Shared<'a>>,
    since: Option<Changes<'a>>,
    questions: Questions<'a>,
    drawings: Vec<Drawing>,
    cases: Vec<Case<'a>>,
    not_scored: Vec<Unscored<'a>>,
}

/// A case that was not scored.
struct Unscored<'a> {
    entity: &'a str,
    words: String,
}

struct Audit<'a> {
    says: &'a Provenance,
    as_of: String,
    expires: String,
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
    fn of(list: &'a ReviewList, title: &'a str, witness: &'a str) -> Self {
        let entries = list.entries();
        let bands = || entries.iter().map(|entry| entry.case().band());
        let out_of = OutOf::fitting(bands().flat_map(|band| [band.observed.value, band.average.value]));
        let largest = entries
            .iter()
            .flat_map(|entry| entry.case().contributions())
            .map(|part| part.log_odds.abs())
            .fold(0.0, f64::max);
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
            for (nth, case) in cases.iter_mut().enumerate() {
                case.at = nth + 1;
                case.marks = without_what_is_covered(&case.marks);
            }
        }
        Self {
            title,
            about: About::of(list, witness),
            audit: Audit::of(list.provenance()),
            tested: list.tested_in_words(),
            average: bands().next().map(|band| out_of.rate(&band.average)).unwrap_or_default(),
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
        }
    }
}

/// Marks by which the page filters, without those that tell where a case stands and why.
fn without_what_is_covered(marks: &str) -> String {
    let covered = ["random", "new", "stayed"];
    marks.split(' ').filter(|mark| !covered.contains(mark)).collect::<Vec<_>>().join(" ")
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
        let [as_of, expires] = [says.as_of.day(), says.expires].map(words::date);
        Self { says, as_of, expires, sources }
    }
}

/// The fewest characters of an id that are shown: shorter ones are shown whole.
const CODE: usize = 8;

/// For each place as much of its id as tells it from every other one on the page: an id may be a digest of 64 characters, which
/// nobody reads out on the telephone.
fn short_codes(entries: &[ListedCase]) -> Vec<&str> {
    let all: Vec<&str> = entries
        .iter()
        .flat_map(|entry| std::iter::once(entry.case()).chain(entry.beside()))
        .map(|case| case.entity())
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
