//! A case on the list's page.

use super::IN_SHORT;
use super::adding_up::{AddingUp, Dated, in_time};
use super::shape::{Pictures, Stand};
use super::shared::{Key, Many, key_of};
use crate::features::{Cell, Scope};
use crate::known_to::{IsKnown, KnownMark};
use crate::records::{LinkProbability, RecordReference, Role};
use crate::report::since::{Changed, decided_in_words};
use crate::report::words::{self, Move, OutOf};
use crate::review::{ListedCase, WhyListed};
use crate::scoring::{
    Absence, Chance, Contribution, RankedCase, ScoredCase, ShownBand, Stability, Without, WithoutRecord,
};
use crate::stats::Interval;

/// Reasons shown before the rest is folded: as many as one reads with care, and in most cases nearly all
/// that moves the score.
const SHOWN: usize = 8;

/// Absent features listed openly; more than these are folded.
const ABSENT_SHOWN: usize = 6;

/// Half the width of a bar's drawing: the longest bar on the page reaches from the middle nearly to the
/// edge.
const HALF: f64 = 100.0;

pub(super) struct Case<'a> {
    pub(super) place: usize,
    /// By which number the page calls it: its place, unless that is covered.
    pub(super) at: usize,
    pub(super) entity: &'a str,
    /// As much of it as tells it from all others on the page.
    pub(super) code: &'a str,
    pub(super) rank: String,
    pub(super) of: String,
    /// The day of its own that the case is seen on; empty where that is the list's.
    pub(super) seen_on: String,
    pub(super) random: bool,
    pub(super) by_share: bool,
    pub(super) band: Band<'a>,
    /// The chance with its interval, where chances passed their check; empty otherwise.
    pub(super) chance: String,
    /// How often the case stays on such a list; empty where that is not known.
    pub(super) stability: String,
    pub(super) in_short: Vec<Short<'a>>,
    pub(super) beside: Vec<Beside<'a>>,
    /// To which services it is known already, and of which that cannot be told.
    pub(super) known_to: Vec<String>,
    /// By what the page's script finds it: `random`, `new`, `stayed`, `decided`, `open`.
    pub(super) marks: String,
    /// `new`, or on how many lists in a row; empty where the list was held against no earlier one.
    pub(super) since: String,
    /// What was decided about it last time; empty where nothing was.
    pub(super) decided: String,
    /// The reasons that rest on other records than on the earlier list.
    pub(super) changed: Vec<Changed<'a>>,
    pub(super) raising: Vec<Reason<'a>>,
    pub(super) lowering: Vec<Reason<'a>>,
    pub(super) folded: Vec<Reason<'a>>,
    pub(super) fold_says: String,
    pub(super) sums: Sums,
    pub(super) adding_up: AddingUp,
    pub(super) in_time: Vec<Dated>,
    /// What would change the score, in sentences.
    pub(super) counter: Vec<String>,
    pub(super) missing: Absences<'a>,
    pub(super) not_covered: Absences<'a>,
}

pub(super) struct Band<'a> {
    pub(super) name: &'a str,
    pub(super) rate: String,
    pub(super) interval: String,
    pub(super) tested: String,
    pub(super) average: String,
}

/// A reason in the table at the top.
pub(super) struct Short<'a> {
    pub(super) raises: bool,
    pub(super) words: &'a str,
}

/// Another case of the household that a place is for.
pub(super) struct Beside<'a> {
    pub(super) entity: &'a str,
    pub(super) rank: String,
    pub(super) band: &'a str,
    pub(super) reasons: Vec<Short<'a>>,
}

pub(super) struct Reason<'a> {
    pub(super) words: &'a str,
    /// What the records behind it are, where they differ.
    pub(super) detail: &'a str,
    /// How usual that is in the cohort; a sentence, or empty.
    pub(super) usual: String,
    pub(super) effect: &'static str,
    pub(super) points: String,
    /// `0.61 to 0.98`; empty where the model has no refits.
    pub(super) interval: String,
    pub(super) bar: Option<Bar>,
    pub(super) shape: Option<Stand>,
    pub(super) household: bool,
    pub(super) help_seeking: bool,
    pub(super) records_say: String,
    /// Whether the records may be several people's.
    pub(super) of_several: bool,
    pub(super) records: Vec<RecordRow<'a>>,
}

/// A bar from the middle of its drawing to the right or the left.
pub(super) struct Bar {
    pub(super) raises: bool,
    pub(super) x: String,
    pub(super) width: String,
}

pub(super) struct RecordRow<'a> {
    pub(super) source: String,
    pub(super) reference: &'a str,
    pub(super) kind: String,
    pub(super) occurred: String,
    pub(super) known: String,
    /// Whose it is; empty for the case's own.
    pub(super) member: String,
    /// Where it is not certain that the record is the person's.
    pub(super) link: Option<LinkProbability>,
}

/// All reasons of a case added up.
pub(super) struct Sums {
    pub(super) raising: String,
    pub(super) lowering: String,
    pub(super) together: String,
}

pub(super) struct Absences<'a> {
    pub(super) open: bool,
    pub(super) says: String,
    pub(super) items: Vec<AbsentItem<'a>>,
}

pub(in crate::report) struct AbsentItem<'a> {
    pub(in crate::report) label: &'a str,
    pub(in crate::report) note: &'static str,
    pub(super) warn: bool,
}

impl<'a> Case<'a> {
    pub(super) fn of(
        (place, code): (usize, &'a str),
        entry: &'a ListedCase,
        out_of: OutOf,
        (largest, common, pictures, is_compared): (f64, &[(Key<'a>, Many)], &Pictures<'_>, bool),
    ) -> Self {
        let case = entry.case();
        // Contributions come with the largest first, so what rounds to nothing comes last.
        let parts = case.contributions();
        let telling = parts.iter().filter(|part| words::rounds_to(part.log_odds) != Move::None).count();
        let (shown, rest) = parts.split_at(telling.min(SHOWN));
        let reasons = |parts: &'a [Contribution], which: &dyn Fn(&Contribution) -> bool| {
            let told = parts.iter().filter(|part| which(part));
            told.map(|part| Reason::of(part, largest, Some(pictures))).collect()
        };
        // What sets this one apart goes before what most places share, in the sum's own order.
        let (own, shared): (Vec<&Contribution>, Vec<&Contribution>) =
            shown.iter().partition(|part| common.iter().all(|(held, _)| *held != key_of(part)));
        let in_short = own.into_iter().chain(shared).take(IN_SHORT).map(Short::of);
        Self {
            place,
            at: place,
            entity: case.entity(),
            code,
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
            // Without pictures and bars: there are many, and they hardly move the score.
            folded: rest.iter().map(|part| Reason { bar: None, ..Reason::of(part, largest, None) }).collect(),
            fold_says: format!(
                "{}, together {}",
                words::counted(rest.len(), "smaller reason", "smaller reasons"),
                words::points(rest.iter().map(|part| part.log_odds).sum())
            ),
            sums: Sums::of(parts),
            adding_up: AddingUp::of(case),
            in_time: in_time(case),
            counter: counter(entry),
            missing: Absences::of(case, Cell::Missing),
            not_covered: Absences::of(case, Cell::NotCovered),
        }
    }
}

impl<'a> Short<'a> {
    fn of(part: &'a Contribution) -> Self {
        Self { raises: part.log_odds > 0.0, words: part.words.trim_end_matches('.') }
    }
}

impl<'a> Beside<'a> {
    fn of(case: &'a RankedCase) -> Self {
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
pub(in crate::report) fn mark_in_words(mark: &KnownMark) -> Option<String> {
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
pub(in crate::report) fn chance_in_words(chance: Chance) -> String {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let Interval { low, high } = chance.interval;
    format!("{} ({} to {})", percent(chance.value), percent(low), percent(high))
}

/// `On the list in 14 of 20 retrainings: a close call`.
pub(in crate::report) fn stability_in_words(stability: Stability) -> String {
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
    fn of(part: &'a Contribution, largest: f64, pictures: Option<&Pictures<'_>>) -> Self {
        Self {
            shape: pictures.and_then(|pictures| pictures.stand(part)),
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

/// Single records without which the score would be lower, and what it would be without those of help-seeking.
fn counter(entry: &ListedCase) -> Vec<String> {
    let found = entry.counter_evidence();
    let records = found.records.iter().map(WithoutRecord::words);
    records.chain(found.help_seeking.iter().map(Without::words)).collect()
}

/// Which way points move a score, as a verb.
pub(in crate::report) fn effect(points: f64) -> &'static str {
    match words::rounds_to(points) {
        Move::Up => "raises",
        Move::Down => "lowers",
        Move::None => "hardly moves",
    }
}

/// How many records there are, or why there are none.
pub(in crate::report) fn records_say(part: &Contribution) -> String {
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
            kind: in_role(record),
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

/// What kind of record it is, and in which role the person is in it, where that is not the usual one.
fn in_role(record: &RecordReference) -> String {
    let kind = words::plain(&record.kind);
    match record.role.filter(|role| *role != Role::Subject) {
        None => kind,
        Some(role) => format!("{kind} (as {})", role.name()),
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
    pub(in crate::report) fn of(absence: &'a Absence, parts: &[Contribution]) -> Self {
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
