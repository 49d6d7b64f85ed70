//! What the model is for, how it was made, and what is needed to make it again.

use serde_json::Value;

use super::super::words;
use super::{AnyModel, percent};
use crate::cohort::{CohortSpec, Unit};
use crate::dataset::Reweighed;
use crate::features::Measure;
use crate::model::{Candidate, Edit, FeatureRange, Trainer};
use crate::records::Selector;
use crate::scoring::SignOff;

/// The top of the page.
pub(super) struct About<'a> {
    pub outcome: &'a str,
    pub horizon: String,
    pub measures: &'a str,
    pub kind: &'static str,
    pub how: String,
    pub unit: &'static str,
    pub cohort: String,
    pub cannot_see: Vec<String>,
    pub cases: String,
    pub families: String,
    pub positives: String,
    pub dates: String,
    pub signed: Option<Signed<'a>>,
}

/// Who released it.
pub(super) struct Signed<'a> {
    pub says: &'a SignOff,
    pub day: String,
    pub review_by: String,
}

impl<'a> About<'a> {
    pub(super) fn of(model: AnyModel<'a>) -> Self {
        let candidate = model.candidate();
        let training = candidate.training();
        Self {
            outcome: &candidate.outcome().words,
            horizon: candidate.outcome().horizon.to_string(),
            measures: &candidate.outcome().measures,
            kind: kind(candidate.trainer()),
            how: made(candidate),
            unit: match candidate.cohort().unit {
                Unit::Person => "person",
                Unit::Family => "family",
            },
            cohort: cohort(candidate.cohort()),
            cannot_see: cannot_see(candidate),
            cases: words::count(training.rows),
            families: words::count(training.families),
            positives: words::count(training.positives),
            dates: training
                .dates
                .iter()
                .map(|date| words::date(date.as_of.day()))
                .collect::<Vec<_>>()
                .join(", "),
            signed: model.sign_off().map(|says| Signed {
                says,
                day: words::date(says.signed_on),
                review_by: words::date(says.review_by),
            }),
        }
    }
}

fn kind(trainer: &Trainer) -> &'static str {
    match trainer {
        Trainer::Additive(_) => "Additive model (a table of steps for each term)",
        Trainer::Scorecard(_) => "Scorecard (whole points for yes-or-no questions)",
        Trainer::Logistic(_) => "Logistic regression (a line for each term)",
    }
}

/// How it is made, in a line or two.
fn made(candidate: &Candidate) -> String {
    let terms = candidate.model().terms();
    let pairs = terms.iter().filter(|term| term.on.len() == 2).count();
    let features = words::counted(candidate.features().features().len(), "feature", "features");
    let count = words::counted(terms.len(), "term", "terms");
    let mut text = match candidate.trainer() {
        Trainer::Additive(_) => format!(
            "Every case starts from the average. Each of {count} then adds to the score or takes from it, by a \
             table of steps learnt from past cases; the sum is the score. Nothing else goes in."
        ),
        Trainer::Scorecard(_) => format!(
            "Every case starts from the average. {count} add or take whole points by yes-or-no questions; the sum \
             is the score. It can be added up by hand."
        ),
        Trainer::Logistic(_) => format!(
            "Every case starts from the average. Each of {count} then adds to the score or takes from it, in \
             proportion to its value; the sum is the score. Nothing else goes in."
        ),
    };
    if pairs > 0 {
        text.push_str(&format!(" {} look at two features together.", words::counted(pairs, "term", "terms")));
    }
    let unused = candidate.training().unused.len();
    if unused == 0 {
        text.push_str(&format!(" All of the {features} that it was given play a part."));
    } else {
        text.push_str(&format!(
            " Of the {features} that it was given, {} play no part.",
            words::count(unused as u64)
        ));
    }
    if let Some(record) = &candidate.training().mitigation {
        text.push(' ');
        text.push_str(&reweighed(record));
    }
    text
}

/// How training cases were reweighed, and who answers for it.
fn reweighed(record: &Reweighed) -> String {
    let names: Vec<String> = record.asked.reweigh.iter().map(|name| words::plain(name)).collect();
    format!(
        "In training, past cases were reweighed by {}, so that every group had the same share with the outcome (groups \
         that are too small were taken together): they \
         counted {:.2} to {:.2} times. Approved by {}, for this reason: {}",
        names.join(" and "),
        record.least_weight,
        record.greatest_weight,
        record.asked.approved_by,
        record.asked.reason
    )
}

/// Who is asked about, in words.
fn cohort(rules: &CohortSpec) -> String {
    let mut text = match (rules.unit, rules.ages) {
        (Unit::Person, None) => "People".to_owned(),
        (Unit::Person, Some((youngest, oldest))) => format!("People aged {youngest} to {oldest}"),
        (Unit::Family, None) => "Families".to_owned(),
        (Unit::Family, Some((youngest, oldest))) => {
            format!("Families with a member aged {youngest} to {oldest}")
        }
    };
    let named = |selectors: &[Selector]| selectors.iter().map(records).collect::<Vec<_>>().join(" and ");
    if !rules.open.is_empty() {
        text.push_str(&format!(", with an open entry in {}", named(&rules.open)));
    }
    if !rules.not_open.is_empty() {
        text.push_str(&format!(", without an open entry in {}", named(&rules.not_open)));
    }
    text
}

/// Which records, in words: `plans (cin plan or cp plan)`.
pub(super) fn records(selector: &Selector) -> String {
    let mut text = words::plain(&selector.source);
    let mut kinds: Vec<String> = selector.kinds.iter().map(|kind| words::plain(kind)).collect();
    kinds.extend(selector.roles.iter().map(|role| format!("as {}", role.name())));
    kinds.extend(selector.categories.values().flatten().cloned());
    if !kinds.is_empty() {
        text.push_str(&format!(" ({})", kinds.join(" or ")));
    }
    text
}

fn cannot_see(candidate: &Candidate) -> Vec<String> {
    let training = candidate.training();
    let mut lines = vec![
        "Anything that became known on or after the day it is asked about.".to_owned(),
        "Records of services that are not among its sources, and whatever was never recorded.".to_owned(),
    ];
    if !training.protected.is_empty() {
        lines.push(format!(
            "Protected characteristics ({}): {}",
            training.protected.iter().map(|name| words::plain(name)).collect::<Vec<_>>().join(", "),
            match &training.mitigation {
                None => "they are kept for fairness checks alone.",
                Some(_) => "the score reads none of them; how they were used in training is said above.",
            }
        ));
    }
    lines.extend(training.cannot_see.iter().cloned());
    lines
}

/// What a person changed in the model.
pub(super) struct EditRow {
    pub what: String,
    pub change: String,
    pub by: String,
    pub on: String,
    pub reason: String,
}

impl EditRow {
    pub(super) fn all(candidate: &Candidate) -> Vec<Self> {
        let label = |name: &String| {
            let feature = candidate.features().features().iter().find(|feature| feature.name == *name);
            feature.map_or_else(|| name.clone(), |feature| feature.label.clone())
        };
        let row = |edit: &Edit| Self {
            what: edit.on.iter().map(label).collect::<Vec<_>>().join(" with "),
            change: edit.change.to_string(),
            by: edit.by.clone(),
            on: words::date(edit.on_day),
            reason: edit.reason.clone(),
        };
        candidate.edits().iter().map(row).collect()
    }
}

/// How far the records reach for one feature.
pub(super) struct FeatureRow {
    pub label: String,
    pub reads: String,
    pub part: &'static str,
    pub missing: String,
    pub not_covered: String,
    pub middle: String,
    pub most: String,
}

impl FeatureRow {
    pub(super) fn all(candidate: &Candidate) -> Vec<Self> {
        let training = candidate.training();
        let is_used = |name: &String| candidate.model().terms().iter().any(|term| term.on.contains(name));
        let row = |range: &FeatureRange| {
            let feature = candidate.features().features().iter().find(|held| held.name == range.feature)?;
            let value = |place: usize| {
                let value = range.quantiles.get(place)?;
                let cell = crate::features::Cell::Value(*value as f32);
                Some(words::value(cell, if feature.unit == "yes or no" { "yes or no" } else { "value" }))
            };
            let most = value(1).zip(value(9)).map(
                |(low, high)| {
                    if low == high { low } else { format!("{low} to {high}") }
                },
            );
            let few = || "too few values".to_owned();
            Some(Self {
                label: feature.label.clone(),
                reads: reads(&feature.records, &feature.measure, feature.over),
                part: if is_used(&feature.name) { "yes" } else { "no" },
                missing: share(range.missing, training.rows),
                not_covered: share(range.not_covered, training.rows),
                middle: value(5).unwrap_or_else(few),
                most: most.unwrap_or_else(few),
            })
        };
        training.ranges.iter().filter_map(row).collect()
    }
}

/// What a feature is computed from: `police (incident), last 365 days`.
pub(super) fn reads(selector: &Selector, measure: &Measure, over: crate::calendar::Lookback) -> String {
    match measure {
        Measure::Age => "date of birth".to_owned(),
        Measure::PresentNow => format!("{}, open at the date", records(selector)),
        _ => match over {
            crate::calendar::Lookback::Ever => {
                format!("{}, as far back as the records go", records(selector))
            }
            over => format!("{}, last {over}", records(selector)),
        },
    }
}

/// A share of so many cases, unless it is of very few.
pub(super) fn share(share: f64, rows: u64) -> String {
    const FEWEST: f64 = 10.0;
    let cases = (share * rows as f64).round();
    if cases > 0.0 && cases < FEWEST { "fewer than 10 cases".to_owned() } else { percent(share) }
}

/// What an auditor needs to make the model again.
pub(super) struct Audit {
    pub candidate: String,
    pub edited_from: String,
    pub file: String,
    pub features: String,
    pub version: String,
    pub seed: String,
    pub refits: String,
    pub trainer: Vec<(String, String)>,
    pub protected: String,
    pub dates: Vec<DateRow>,
    pub sources: Vec<SourceRow>,
    pub plan: String,
}

pub(super) struct DateRow {
    pub date: String,
    pub cohort: String,
    pub positive: String,
    pub negative: String,
    pub ended: String,
    pub before: String,
}

pub(super) struct SourceRow {
    pub name: String,
    pub date: String,
    pub digest: String,
}

impl Audit {
    pub(super) fn of(model: AnyModel<'_>) -> Self {
        let candidate = model.candidate();
        let training = candidate.training();
        let plan = &model.backtest().plan;
        Self {
            candidate: candidate.digest().to_owned(),
            edited_from: candidate.edited_from().unwrap_or_default().to_owned(),
            file: model.digest().to_owned(),
            features: candidate.features().digest(),
            version: candidate.crate_version().to_owned(),
            seed: training.seed.to_string(),
            refits: candidate.model().refits().map_or_else(
                || "none: the terms have no intervals".to_owned(),
                |refits| format!("{}, families redrawn by seed {}", refits.len(), refits.seed()),
            ),
            trainer: settings(candidate.trainer()),
            protected: training
                .protected
                .iter()
                .map(|name| words::plain(name))
                .collect::<Vec<_>>()
                .join(", "),
            dates: training
                .dates
                .iter()
                .map(|date| DateRow {
                    date: words::date(date.as_of.day()),
                    cohort: words::count(date.cohort),
                    positive: words::count(date.positive),
                    negative: words::count(date.negative),
                    ended: words::count(date.follow_up_ended),
                    before: words::count(date.already_happened),
                })
                .collect(),
            sources: training
                .sources
                .iter()
                .map(|source| SourceRow {
                    name: words::plain(&source.source),
                    date: words::date(source.as_of.day()),
                    digest: source.digest.clone(),
                })
                .collect(),
            plan: format!(
                "{}; {} resamples of families, seed {}",
                words::counted(plan.splits.len(), "test date", "test dates"),
                words::count(u64::from(plan.bootstrap.resamples)),
                plan.bootstrap.seed
            ),
        }
    }
}

/// The trainer's settings as its file has them, one to a line.
fn settings(trainer: &Trainer) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(trainer) else { return Vec::new() };
    let shown = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (words::plain(&name), shown(value))).collect()
}
