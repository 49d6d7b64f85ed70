//! What the model is for, how it was made, and what is needed to make it again.

use super::super::{labels, words};
use super::{AnyModel, percent};
use crate::dataset::Reweighed;
use crate::features::Measure;
use crate::model::{Candidate, Edit, FeatureRange};
use crate::records::Selector;
use crate::scoring::SignOff;

/// The top of the page.
pub(super) struct About<'a> {
    pub outcome: &'a str,
    pub horizon: String,
    pub measures: &'a str,
    pub kind: String,
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
            kind: words::capitalised(labels::kind(candidate.trainer())),
            how: made(candidate),
            unit: labels::unit(candidate.cohort()).0,
            cohort: labels::cohort(candidate.cohort()),
            cannot_see: training.blind_spots("the day that is asked about"),
            cases: words::count(training.rows),
            families: words::count(training.families),
            positives: words::count(training.positives),
            dates: labels::dates(training.dates.iter().map(|date| date.as_of)),
            signed: model.sign_off().map(|says| Signed {
                says,
                day: words::date(says.signed_on),
                review_by: words::date(says.review_by),
            }),
        }
    }
}

/// How it is made, in a line or two.
fn made(candidate: &Candidate) -> String {
    let mut text = labels::how(candidate);
    let features = words::counted(candidate.features().features().len(), "feature", "features");
    match candidate.training().unused.len() {
        0 => text.push_str(&format!(" All of the {features} that it was given play a part.")),
        unused => text.push_str(&format!(
            " Of the {features} that it was given, {} no part.",
            words::counted(unused, "plays", "play")
        )),
    }
    for note in &candidate.training().notes {
        text.push(' ');
        text.push_str(&note.words(|name| labels::label(candidate, name)));
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
        let label = |name: &String| labels::label(candidate, name);
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
    pub why: String,
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
            let coded = feature.measure.codes().map(|_| "codes, in no order".to_owned());
            Some(Self {
                label: feature.label.clone(),
                reads: reads(&feature.records, &feature.measure, feature.over),
                why: feature.why.as_deref().map_or("Nobody gave a reason.".to_owned(), words::sentence),
                part: if is_used(&feature.name) { "yes" } else { "no" },
                missing: share(range.missing, training.rows),
                not_covered: share(range.not_covered, training.rows),
                middle: coded.clone().or(value(5)).unwrap_or_else(few),
                most: coded.or(most).unwrap_or_else(few),
            })
        };
        training.ranges.iter().filter_map(row).collect()
    }
}

/// What a feature is computed from: `police (incident), last 365 days`.
pub(super) fn reads(selector: &Selector, measure: &Measure, over: crate::calendar::Lookback) -> String {
    match measure {
        Measure::Age => "date of birth".to_owned(),
        Measure::Members(..) => "households and dates of birth, at the date".to_owned(),
        Measure::PresentNow => format!("{}, open at the date", labels::records(selector)),
        _ => match over {
            crate::calendar::Lookback::Ever => {
                format!("{}, as far back as the records go", labels::records(selector))
            }
            over => format!("{}, last {over}", labels::records(selector)),
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
            trainer: labels::settings(candidate.trainer()),
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
