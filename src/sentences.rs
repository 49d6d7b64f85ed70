//! What a feature says of a case, as a sentence that a practitioner reads.
//!
//! ```text
//! Feature + Cell + the day ─of→ "3 domestic abuse notices about others in the home in the last year"
//! records behind it     ─detail→ "2 as victim, 1 as suspect"
//! the cohort's values    ─usual→ "Most have none (4.1% have any)"
//! ```
//!
//! All words stand in `sentences/en.toml`, one sentence for each measure and form; a project replaces them feature by feature
//! ([`Say`]). A sentence is made from the cell and the day alone, so that a recorded one can be made again without the
//! records.

mod usual;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::calendar::{AsOf, Lookback};
use crate::features::{Cell, Feature, Measure, Noun, Say, SayForms, Scope};
use crate::records::RecordReference;
use crate::words;

pub(crate) use usual::Usual;

/// A file of sentences.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentences {
    parts: BTreeMap<String, String>,
    measure: BTreeMap<String, SayForms>,
    usual: BTreeMap<String, String>,
}

/// The sentences in English. A test reads the file, so that it is never empty.
static ENGLISH: LazyLock<Sentences> =
    LazyLock::new(|| toml::from_str(include_str!("sentences/en.toml")).unwrap_or_default());

impl Sentences {
    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }
}

/// What the feature says of a case that is seen on a day: one sentence, without a full stop.
pub(crate) fn of(feature: &Feature, cell: Cell, seen_on: AsOf) -> String {
    let english = &*ENGLISH;
    let usual = english.measure.get(&key(&feature.measure));
    let form = |pick: fn(&SayForms) -> Option<&String>| {
        let own = match &feature.say {
            Some(Say::Forms(forms)) => pick(forms),
            _ => None,
        };
        own.or_else(|| usual.and_then(pick))
    };
    let always = match &feature.say {
        Some(Say::Always(text)) => Some(text),
        _ => None,
    };
    let many = || form(|forms| forms.many.as_ref());
    let others = feature.scope == Scope::Household;
    let template = match cell {
        Cell::NotCovered => None,
        // The measure's own form says that there is no record, which of others is not known.
        Cell::Missing if others => match &feature.say {
            Some(Say::Forms(forms)) => forms.missing.as_ref(),
            _ => None,
        },
        Cell::Missing => form(|forms| forms.missing.as_ref()),
        Cell::Value(_) if always.is_some() => always,
        Cell::Value(0.0) => form(|forms| forms.none.as_ref()).or_else(many),
        Cell::Value(1.0) => form(|forms| forms.one.as_ref()).or_else(many),
        Cell::Value(value) if value < 0.0 => form(|forms| forms.fewer.as_ref()).or_else(many),
        Cell::Value(_) => many(),
    };
    let usual_absence = match cell {
        Cell::NotCovered => "not_covered",
        _ if others => "missing_others",
        _ => "missing",
    };
    let template = template.map_or_else(|| english.part(usual_absence), String::as_str);
    let text = fill(template, |part| part_of(feature, cell, seen_on, part));
    words::capitalised(text.trim())
}

/// The measure's name in the file.
fn key(measure: &Measure) -> String {
    match measure {
        Measure::LatestIs { .. } => "latest_is".to_owned(),
        Measure::LatestOf { .. } => "latest_of".to_owned(),
        Measure::Distinct(_) => "distinct".to_owned(),
        Measure::DaysSinceChange(_) => "days_since_change".to_owned(),
        Measure::Members(..) => "members".to_owned(),
        Measure::PresentNow => "present_now".to_owned(),
        other => other.word(),
    }
}

/// One part of a sentence. A part that the value has none of is left empty.
fn part_of(feature: &Feature, cell: Cell, seen_on: AsOf, part: &str) -> String {
    let english = &*ENGLISH;
    let number = cell.value().unwrap_or_default();
    let days = number.abs() as i32;
    match part {
        "n" => words::rounded(number.abs()),
        "value" => words::sensible(cell, &feature.unit),
        "days" => words::counted(days.unsigned_abs() as usize, "day", "days"),
        "date" => words::date(seen_on.day() - days),
        "one" => named(feature, "one", |noun| &noun.one),
        "many" => named(feature, "many", |noun| &noun.many),
        "subject" => subject(feature),
        "window" => window(feature.over),
        "whom" if feature.scope == Scope::Household => english.part("whom_others").to_owned(),
        "code" => match &feature.measure {
            Measure::LatestIs { value, .. } => value.clone(),
            Measure::Members(from, to) => format!("{from} to {to}"),
            _ => feature.code(cell).unwrap_or_default().to_owned(),
        },
        "category" => words::plain(feature.measure.category().unwrap_or_default()),
        _ => String::new(),
    }
}

fn named(feature: &Feature, part: &str, of: fn(&Noun) -> &String) -> String {
    match &feature.noun {
        Some(noun) => of(noun).clone(),
        None => fill(ENGLISH.part(part), |_| subject(feature)),
    }
}

/// What the records are: the label without what is computed from them, as it stands within a sentence.
fn subject(feature: &Feature) -> String {
    within(feature.stem())
}

/// With a small first letter, unless the word is an abbreviation or a name by itself (`SEN`, `A level`).
fn within(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// How far back, in words.
fn window(over: Lookback) -> String {
    let english = &*ENGLISH;
    let (name, n) = match over {
        Lookback::Ever => ("ever", 0),
        Lookback::Days(1) => ("day", 1),
        Lookback::Days(365) => ("year", 1),
        Lookback::Days(days) if days > 365 && days.is_multiple_of(365) => ("years", days / 365),
        Lookback::Days(days) => ("days", days),
        Lookback::Months(1) => ("month", 1),
        Lookback::Months(months) => ("months", months),
    };
    fill(english.part(name), |_| words::count(u64::from(n)))
}

/// What the records behind a number are, where they differ: `2 as victim, 1 as suspect`. Empty where there is nothing to add.
pub(crate) fn detail(feature: &Feature, records: &[RecordReference]) -> String {
    let counts = matches!(
        feature.measure,
        Measure::Count | Measure::Any | Measure::Incidents | Measure::DistinctDays | Measure::DistinctKinds
    );
    if !counts || records.is_empty() {
        return String::new();
    }
    let english = &*ENGLISH;
    let mut roles: BTreeMap<_, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        *roles.entry(record.role).or_default() += 1;
        *kinds.entry(&record.kind).or_default() += 1;
    }
    let filled = |template: &str, n: usize, what: String| {
        fill(template, |part| if part == "n" { words::count(n as u64) } else { what.clone() })
    };
    if roles.keys().all(Option::is_some) {
        let by_role = roles.into_iter().filter_map(|(role, n)| Some((role?, n)));
        let parts: Vec<String> =
            by_role.map(|(role, n)| filled(english.part("as_role"), n, role.name().to_owned())).collect();
        parts.join(", ")
    } else if kinds.len() > 1 {
        let parts: Vec<String> = kinds
            .into_iter()
            .map(|(kind, n)| filled(english.part("of_kind"), n, words::plain(kind)))
            .collect();
        parts.join(", ")
    } else {
        String::new()
    }
}

/// How many records a sentence leaves out because they have no value that could be read.
pub(crate) fn without_value(records: usize) -> String {
    let many = words::counted(records, "record", "records");
    fill(ENGLISH.part("without_value"), |_| many.clone())
}

/// What is said beside a code of which training knew nothing.
pub(crate) fn unlearnt() -> &'static str {
    ENGLISH.part("unlearnt")
}

/// Which way a part moves the score, as a sentence.
pub(crate) fn effect(log_odds: f64) -> &'static str {
    ENGLISH.part(if log_odds > 0.0 {
        "raises"
    } else if log_odds < 0.0 {
        "lowers"
    } else {
        "leaves"
    })
}

/// The template with its parts put in. What is not a part stays as it is.
fn fill(template: &str, part: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        if let Some((name, behind)) = behind.split_once('}') {
            text.push_str(&part(name));
            rest = behind;
        } else {
            text.push('{');
            rest = behind;
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;
