//! The list as one page.

use askama::Template;

use super::about::About;
use super::since::{Changed, Changes, decided_in_words};
use super::words::{self, Move, OutOf};
use crate::error::ReportError;
use crate::features::{Cell, Scope};
use crate::known_to::{IsKnown, KnownMark};
use crate::records::{LinkProbability, RecordReference};
use crate::review::{ListedCase, ReviewList, WhyListed};
use crate::scoring::{Absence, Chance, Contribution, Provenance, ScoredCase, ShownBand, Stability};
use crate::stats::Interval;

/// Reasons shown before the rest is folded: as many as one reads with care, and in most cases nearly all
/// that moves the score.
const SHOWN: usize = 8;

/// Reasons of a case in the table at the top.
const IN_SHORT: usize = 3;

/// Absent features listed openly; more than these are folded.
const ABSENT_SHOWN: usize = 6;

/// Half the width of a bar's drawing: the longest bar on the page reaches from the middle nearly to the
/// edge.
const HALF: f64 = 100.0;

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

#[derive(Template)]
#[template(path = "list.html", config = "src/report/askama.toml")]
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

struct Case<'a> {
    place: usize,
    entity: &'a str,
    rank: String,
    of: String,
    /// The day of its own that the case is seen on; empty where that is the list's.
    seen_on: String,
    random: bool,
    by_share: bool,
    band: Band<'a>,
    /// The chance with its interval, where chances passed their check; empty otherwise.
    chance: String,
    /// How often the case stays on such a list; empty where that is not known.
    stability: String,
    in_short: Vec<Short<'a>>,
    beside: Vec<Beside<'a>>,
    /// To which services it is known already, and of which that cannot be told.
    known_to: Vec<String>,
    /// By what the page's script finds it: `random`, `new`, `stayed`, `decided`, `open`.
    marks: String,
    /// `new`, or on how many lists in a row; empty where the list was held against no earlier one.
    since: String,
    /// What was decided about it last time; empty where nothing was.
    decided: String,
    /// The reasons that rest on other records than on the earlier list.
    changed: Vec<Changed<'a>>,
    raising: Vec<Reason<'a>>,
    lowering: Vec<Reason<'a>>,
    folded: Vec<Reason<'a>>,
    fold_says: String,
    sums: Sums,
    missing: Absences<'a>,
    not_covered: Absences<'a>,
}

struct Band<'a> {
    name: &'a str,
    rate: String,
    interval: String,
    tested: String,
    average: String,
}

/// A reason in the table at the top.
struct Short<'a> {
    raises: bool,
    words: &'a str,
}

/// A reason that most of those listed for their scores share.
struct Shared<'a> {
    /// `18 of 20`.
    how_many: String,
    what: &'a str,
    raises: bool,
}

/// Another case of the household that a place is for.
struct Beside<'a> {
    entity: &'a str,
    rank: String,
    band: &'a str,
    reasons: Vec<Short<'a>>,
}

struct Reason<'a> {
    words: &'a str,
    /// What the records behind it are, where they differ.
    detail: &'a str,
    /// How usual that is in the cohort; a sentence, or empty.
    usual: String,
    effect: &'static str,
    points: String,
    /// `0.61 to 0.98`; empty where the model has no refits.
    interval: String,
    bar: Option<Bar>,
    household: bool,
    help_seeking: bool,
    records_say: String,
    /// Whether the records may be several people's.
    of_several: bool,
    records: Vec<RecordRow<'a>>,
}

/// A bar from the middle of its drawing to the right or the left.
struct Bar {
    raises: bool,
    x: String,
    width: String,
}

struct RecordRow<'a> {
    source: String,
    reference: &'a str,
    kind: String,
    occurred: String,
    known: String,
    /// Whose it is; empty for the case's own.
    member: String,
    /// Where it is not certain that the record is the person's.
    link: Option<LinkProbability>,
}

/// All reasons of a case added up.
struct Sums {
    raising: String,
    lowering: String,
    together: String,
}

struct Absences<'a> {
    open: bool,
    says: String,
    items: Vec<AbsentItem<'a>>,
}

pub(super) struct AbsentItem<'a> {
    pub label: &'a str,
    pub note: &'static str,
    warn: bool,
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
        Self {
            title,
            about: About::of(list, witness),
            audit: Audit::of(list.provenance()),
            tested: list.tested_in_words(),
            average: bands().next().map(|band| out_of.rate(&band.average)).unwrap_or_default(),
            cases: entries
                .iter()
                .enumerate()
                .map(|(nth, entry)| {
                    Case::of(nth + 1, entry, out_of, (largest, &common, list.changes().is_some()))
                })
                .collect(),
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
        Self { says, as_of: words::date(says.as_of.day()), expires: words::date(says.expires), sources }
    }
}

impl<'a> Case<'a> {
    fn of(
        place: usize,
        entry: &'a ListedCase,
        out_of: OutOf,
        (largest, common, is_compared): (f64, &[(Key<'a>, Many)], bool),
    ) -> Self {
        let case = entry.case();
        // Contributions come with the largest first, so what rounds to nothing comes last.
        let parts = case.contributions();
        let telling = parts.iter().filter(|part| words::rounds_to(part.log_odds) != Move::None).count();
        let (shown, rest) = parts.split_at(telling.min(SHOWN));
        let reasons = |parts: &'a [Contribution], which: &dyn Fn(&Contribution) -> bool| {
            parts.iter().filter(|part| which(part)).map(|part| Reason::of(part, largest)).collect()
        };
        // What sets this one apart goes before what most places share, in the sum's own order.
        let (own, shared): (Vec<&Contribution>, Vec<&Contribution>) =
            shown.iter().partition(|part| common.iter().all(|(held, _)| *held != key_of(part)));
        let in_short = own.into_iter().chain(shared).take(IN_SHORT).map(Short::of);
        Self {
            place,
            entity: case.entity(),
            rank: words::count(u64::from(case.rank())),
            of: words::count(u64::from(case.of())),
            seen_on: if case.seen_on() == case.provenance().as_of {
                String::new()
            } else {
                words::date(case.seen_on().day())
            },
            random: entry.why_listed() == WhyListed::AtRandom,
            by_share: entry.why_listed() == WhyListed::ByShare,
            band: Band::of(case.band(), out_of),
            chance: case.chance().map(chance_in_words).unwrap_or_default(),
            stability: case.stability().map(stability_in_words).unwrap_or_default(),
            in_short: in_short.collect(),
            beside: entry.beside().iter().map(Beside::of).collect(),
            known_to: case.known_to().iter().filter_map(mark_in_words).collect(),
            marks: marks(entry, is_compared),
            since: match entry.since() {
                Some(stayed) => {
                    format!("on {} lists in a row, last time in place {}", stayed.times, stayed.place_then)
                }
                None if is_compared => "new".to_owned(),
                None => String::new(),
            },
            decided: entry
                .since()
                .and_then(|stayed| stayed.decided.as_ref())
                .map(decided_in_words)
                .unwrap_or_default(),
            changed: entry
                .since()
                .map_or_else(Vec::new, |stayed| stayed.changed.iter().map(Changed::of).collect()),
            raising: reasons(shown, &|part| part.log_odds > 0.0),
            lowering: reasons(shown, &|part| part.log_odds < 0.0),
            folded: reasons(rest, &|_| true),
            fold_says: format!(
                "{}, together {}",
                words::counted(rest.len(), "smaller reason", "smaller reasons"),
                words::points(rest.iter().map(|part| part.log_odds).sum())
            ),
            sums: Sums::of(parts),
            missing: Absences::of(case, Cell::Missing),
            not_covered: Absences::of(case, Cell::NotCovered),
        }
    }
}

/// A reason, whatever its value: the features that it is of, and whether it raises.
type Key<'a> = (&'a [String], &'a str, bool);

/// How many of how many places.
type Many = (usize, usize);

fn key_of(part: &Contribution) -> Key<'_> {
    // The label begins with what the records are, and goes on with what is computed from them.
    let what = part.label.split(": ").next().unwrap_or(&part.label);
    (&part.features, what, part.log_odds > 0.0)
}

/// The reasons that are among the largest of three in four of the places given for their scores. Fewer than four places share
/// nothing worth a line.
fn shared_by_most(entries: &[ListedCase]) -> Vec<(Key<'_>, Many)> {
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
    fn of(&(_, what, raises): &Key<'a>, &(times, of): &Many) -> Self {
        Self {
            how_many: format!("{} of {}", words::count(times as u64), words::count(of as u64)),
            what,
            raises,
        }
    }
}

impl<'a> Short<'a> {
    fn of(part: &'a Contribution) -> Self {
        Self { raises: part.log_odds > 0.0, words: part.words.trim_end_matches('.') }
    }
}

impl<'a> Beside<'a> {
    fn of(case: &'a ScoredCase) -> Self {
        let telling = |part: &&Contribution| words::rounds_to(part.log_odds) != Move::None;
        Self {
            entity: case.entity(),
            rank: words::count(u64::from(case.rank())),
            band: &case.band().name,
            reasons: case.contributions().iter().filter(telling).take(IN_SHORT).map(Short::of).collect(),
        }
    }
}

/// What a mark says; nothing where the service does not know the case.
pub(super) fn mark_in_words(mark: &KnownMark) -> Option<String> {
    match mark.known {
        IsKnown::Yes => Some(mark.words.clone()),
        IsKnown::No => None,
        IsKnown::CannotTell => Some(format!("it cannot be told whether {}", mark.words)),
    }
}

/// What the filter of the page knows of a place.
fn marks(entry: &ListedCase, is_compared: bool) -> String {
    let mut marks = Vec::new();
    if entry.why_listed() == WhyListed::AtRandom {
        marks.push("random");
    }
    match entry.case().is_known() {
        Some(IsKnown::Yes) => marks.push("known"),
        Some(IsKnown::No | IsKnown::CannotTell) => marks.push("unknown"),
        None => {}
    }
    match entry.since() {
        Some(stayed) => marks.extend(["stayed", if stayed.decided.is_some() { "decided" } else { "open" }]),
        None if is_compared => marks.push("new"),
        None => {}
    }
    marks.join(" ")
}

/// `4.1% (2.9% to 5.8%)`.
pub(super) fn chance_in_words(chance: Chance) -> String {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let Interval { low, high } = chance.interval;
    format!("{} ({} to {})", percent(chance.value), percent(low), percent(high))
}

/// `On the list in 14 of 20 retrainings: a close call`.
pub(super) fn stability_in_words(stability: Stability) -> String {
    let Stability { kept_in, refits, .. } = stability;
    let how_sure = match (10 * kept_in, refits) {
        (times, refits) if times >= 9 * refits => "the place is steady",
        (times, refits) if times >= 5 * refits => "a close call",
        _ => "mostly it is not",
    };
    format!(
        "on a list of this length in {kept_in} of {}, each time on other families drawn from the same: {how_sure}",
        words::counted(refits as usize, "retraining", "retrainings")
    )
}

impl<'a> Band<'a> {
    fn of(band: &'a ShownBand, out_of: OutOf) -> Self {
        Self {
            name: &band.name,
            rate: out_of.rate(&band.observed),
            interval: out_of.interval(&band.observed),
            tested: words::count(band.observed.n),
            average: out_of.rate(&band.average),
        }
    }
}

impl<'a> Reason<'a> {
    fn of(part: &'a Contribution, largest: f64) -> Self {
        Self {
            words: part.words.trim_end_matches('.'),
            detail: &part.detail,
            usual: words::sentence(&part.usual),
            effect: effect(part.log_odds),
            points: words::points(part.log_odds),
            interval: part
                .interval
                .map(|held| format!("{} to {}", words::points(held.low), words::points(held.high)))
                .unwrap_or_default(),
            bar: Bar::of(part.log_odds, largest),
            household: part.scope == Scope::Household,
            help_seeking: part.help_seeking,
            records_say: records_say(part),
            of_several: part.records.iter().any(|record| record.member.is_some()),
            records: part.records.iter().map(RecordRow::of).collect(),
        }
    }
}

/// Which way points move a score, as a verb.
pub(super) fn effect(points: f64) -> &'static str {
    match words::rounds_to(points) {
        Move::Up => "raises",
        Move::Down => "lowers",
        Move::None => "hardly moves",
    }
}

/// How many records there are, or why there are none.
pub(super) fn records_say(part: &Contribution) -> String {
    let all = |which: fn(&Cell) -> bool| part.values.iter().all(which);
    if !part.records.is_empty() {
        words::counted(part.records.len(), "record behind it", "records behind it")
    } else if part.codes.is_empty() && all(|cell| *cell == Cell::Value(0.0)) {
        "No record behind it: it was looked for, and nothing was found.".to_owned()
    } else if all(|cell| *cell == Cell::NotCovered) {
        "No record behind it: the source does not cover this.".to_owned()
    } else if all(|cell| *cell == Cell::Missing) {
        "No record behind it: there is no value, and that itself counts.".to_owned()
    } else {
        "No dated record behind it.".to_owned()
    }
}

impl Bar {
    /// `None` for a part that moves nothing.
    fn of(points: f64, largest: f64) -> Option<Self> {
        if largest <= 0.0 || words::rounds_to(points) == Move::None {
            return None;
        }
        // At least one unit wide, so that the eye finds it.
        let width = ((HALF - 2.0) * points.abs() / largest).max(1.0);
        let raises = points > 0.0;
        let x = if raises { HALF } else { HALF - width };
        Some(Self { raises, x: format!("{x:.1}"), width: format!("{width:.1}") })
    }
}

impl<'a> RecordRow<'a> {
    fn of(record: &'a RecordReference) -> Self {
        Self {
            source: words::plain(&record.source),
            reference: record.reference.as_deref().unwrap_or("none given"),
            kind: words::plain(&record.kind),
            occurred: words::date(record.occurred),
            known: words::date(record.known),
            member: record
                .member
                .as_ref()
                .map_or_else(String::new, |member| format!("{} ({})", member.id, member.ages)),
            link: record.link,
        }
    }
}

impl Sums {
    fn of(parts: &[Contribution]) -> Self {
        let sum = |which: fn(&f64) -> bool| {
            words::points(parts.iter().map(|part| part.log_odds).filter(which).sum())
        };
        Self { raising: sum(|p| *p > 0.0), lowering: sum(|p| *p < 0.0), together: sum(|_| true) }
    }
}

impl<'a> Absences<'a> {
    fn of(case: &'a ScoredCase, why: Cell) -> Self {
        let items: Vec<AbsentItem<'a>> = case
            .absent()
            .iter()
            .filter(|absence| absence.why == why)
            .map(|absence| AbsentItem::of(absence, case.contributions()))
            .collect();
        Self {
            open: items.len() <= ABSENT_SHOWN,
            says: words::counted(items.len(), "feature", "features"),
            items,
        }
    }
}

impl<'a> AbsentItem<'a> {
    pub(super) fn of(absence: &'a Absence, parts: &[Contribution]) -> Self {
        let counts = parts.iter().any(|part| part.features.contains(&absence.feature));
        let (note, warn) = match (counts, absence.learnt) {
            (false, _) => ("plays no part in this model", false),
            (true, true) => ("training saw such cases; its effect is among the reasons above", false),
            (true, false) => (
                "training did not learn what this means, so it counts as an average value, which is not the same as safe",
                true,
            ),
        };
        Self { label: &absence.label, note, warn }
    }
}
