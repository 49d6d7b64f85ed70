//! What each source brings: rows, coverage, and how fresh it is.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use super::panel::Panel;
use super::params::MonitorParams;
use super::people;
use super::verdict::Verdict;
use crate::calendar::Day;
use crate::cohort::Cohort;
use crate::evaluate::{Estimate, Interval};
use crate::features::{Cell, FeatureMatrix, FeatureSpec};
use crate::model::{Candidate, TrainingRecord};
use crate::records::{Coverage, Records, Source, SourceChange};

/// A source now, beside the same source at the training dates.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceHealth {
    /// The source.
    pub source: String,
    /// Whether a feature of the model reads it.
    pub read: bool,
    /// How many rows it brings.
    pub volume: Volume,
    /// How many cases it covers; `None` where no feature reads it.
    pub coverage: Option<CoverageChange>,
    /// How old it is.
    pub freshness: Freshness,
    /// Whether it says of the training dates what it said when the model was trained (digests of all that was
    /// visible then). If not, rows were corrected, added late or removed since, and "training" here is as
    /// today's extract has it: a finding of its own, on which the verdict is "cannot tell". `None` where the model
    /// file has no digest of it.
    pub past_as_trained: Option<bool>,
    /// In what it is not what the model file says it was at training: empty, cut short, a month left out, values blank.
    /// Each is beyond. `None` where the model file does not say what it was, as those of earlier versions.
    pub changes: Option<Vec<SourceChange>>,
}

/// Rows that became known in the days before a date.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Volume {
    /// Over how many days.
    pub days: u32,
    /// Rows per case, of the case and of the others in its household, at the training dates whose days the
    /// source covers; `None` where there is no such date, or where cases are families.
    pub training: Option<f64>,
    /// Rows per case now.
    pub now: Option<f64>,
    /// How many times as many; `None` also where families are too few or there are no rows at all. Where
    /// training had none and now has some, it is the largest number there is.
    pub ratio: Option<Estimate>,
    /// How many times more, or fewer, are allowed.
    pub limit: f64,
    /// The verdict. A source without rows then and now is within where no feature reads it. Where one does, it
    /// cannot be told whether there was nothing to record or nothing was delivered.
    pub verdict: Verdict,
}

/// The share of cells that the source covers, over all cases and the features that read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CoverageChange {
    /// The share in training, 0 to 1.
    pub training: f64,
    /// The share now, 0 to 1.
    pub now: f64,
    /// Now less training; `None` where families are too few.
    pub change: Option<Estimate>,
    /// The largest fall allowed.
    pub limit: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// How old a source is. These are dates and no samples: the verdict is within or beyond, and "cannot tell"
/// where the project does not say what the source covers and no row is there to go by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Freshness {
    /// The last day the source covers, where the project says so.
    pub covers_to: Option<Day>,
    /// The day of the extract, where the project says so.
    pub updated: Option<Day>,
    /// How many days before the as-of date's eve coverage ends; 0 where it reaches it.
    pub days_behind: Option<u32>,
    /// How many are allowed: the project's `stale_after_days` for the source. Beyond it its features are not
    /// covered.
    pub limit: u32,
    /// The last day before the as-of date on which a row of the cohort or its households became known.
    pub last_record: Option<Day>,
    /// How many days before the as-of date that is.
    pub silent_days: u32,
    /// The most days from one day on which rows became known to the next such day, or to the training date, in
    /// all the history before any training date: a source that reports once a term is silent between terms, and one
    /// that reports once a year is silent across the start of any year that is looked at.
    pub longest_silence_in_training: Option<u32>,
    /// How many days longer it may be silent now.
    pub silence_limit: u32,
    /// How often a silence this long comes by chance at the rate of rows in training (rows taken for
    /// independent). Only below [`Freshness::RARE`] does a silence count.
    pub silence_by_chance: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Freshness {
    /// A silence that chance brings more often than this is no sign of anything. One in a thousand: there are
    /// a dozen sources, and rows come in bursts, so that long silences are commoner than worked out.
    pub const RARE: f64 = 0.001;
}

/// Rows of one source.
struct Rows {
    /// How many became known in the window, by row of the cohort.
    counts: Vec<u32>,
    /// The last day on which one became known, in the window or before.
    last: Option<Day>,
    /// The most days from one day on which some did to the next, or to the date, in all the history before it.
    longest_silence: u32,
}

/// What is compared: cohorts, their features, and the families of all rows.
pub(super) struct Compared<'a, 'r> {
    pub(super) records: &'a Records,
    pub(super) training: &'a [Cohort<'r>],
    pub(super) now: &'a Cohort<'r>,
    pub(super) matrices: &'a [FeatureMatrix],
    pub(super) matrix: &'a FeatureMatrix,
    pub(super) families: &'a [u32],
    pub(super) panel: &'a Panel,
}

/// Looks at every source.
pub(super) fn measure(
    candidate: &Candidate,
    compared: &Compared<'_, '_>,
    params: &MonitorParams,
) -> Vec<SourceHealth> {
    let (spec, record) = (candidate.features(), candidate.training());
    let reads = candidate.reads(compared.now.snapshot());
    let sources: Vec<(&str, &Coverage)> =
        compared.records.sources().map(|(name, held, _)| (name, held)).collect();
    let people: Vec<_> = compared.training.iter().map(people::households).collect();
    let people_now = people::households(compared.now);
    sources
        .into_par_iter()
        .map(|(source, held)| {
            let then: Vec<Rows> = compared
                .training
                .iter()
                .zip(&people)
                .map(|(cohort, people)| rows_of(cohort, people, source, params.volume_days))
                .collect();
            let now = rows_of(compared.now, &people_now, source, params.volume_days);
            let read = spec.features().iter().any(|feature| feature.records.source == source);
            let volume = volume((held, read), &then, &now, compared, params);
            SourceHealth {
                source: source.to_owned(),
                read,
                freshness: freshness(held, &then, &now, &volume, compared, params),
                volume,
                coverage: coverage(source, spec, compared, params),
                past_as_trained: past_as_trained(source, record, compared.training),
                changes: record.profiles.iter().find(|profile| profile.source == source).map(|profile| {
                    // A source that no feature reads may be the outcome's: all of it counts.
                    let since = reads.get(source).copied().unwrap_or(profile.from);
                    profile.changes(compared.now.snapshot(), since)
                }),
            }
        })
        .collect()
}

fn rows_of(cohort: &Cohort<'_>, households: &[Vec<&str>], source: &str, days: u32) -> Rows {
    let today = cohort.as_of().day();
    let since = today - i32::try_from(days).unwrap_or(i32::MAX);
    let records = cohort.snapshot().records();
    let events = records.source(source).map(Source::events);
    let known = |person: &&str| {
        let found = events.as_deref().zip(records.person(person));
        found.into_iter().flat_map(|(events, person)| {
            events
                .visible(person, cohort.snapshot().as_of())
                .map(|row| Day::from_epoch_days(events.known(row)))
        })
    };
    let mut known_on = BTreeSet::new();
    let counts = households
        .iter()
        .map(|people| {
            let mut count = 0;
            for day in people.iter().flat_map(known) {
                known_on.insert(day);
                count += u32::from(day >= since);
            }
            count
        })
        .collect();
    let nexts = known_on.iter().skip(1).chain([&today]);
    let silences = known_on.iter().zip(nexts).map(|(&known, &next)| next - known);
    let longest_silence = u32::try_from(silences.max().unwrap_or(0)).unwrap_or(0);
    Rows { counts, last: known_on.last().copied(), longest_silence }
}

fn volume(
    (held, read): (&Coverage, bool),
    then: &[Rows],
    now: &Rows,
    compared: &Compared<'_, '_>,
    params: &MonitorParams,
) -> Volume {
    let limit = params.limits.volume_ratio;
    let mut found = Volume {
        days: params.volume_days,
        training: None,
        now: None,
        ratio: None,
        limit,
        verdict: Verdict::CannotTell,
    };
    let (mut counts, mut families, mut at) = (Vec::new(), Vec::new(), 0);
    for (cohort, rows) in compared.training.iter().zip(then) {
        let since = cohort.as_of().day() - i32::try_from(params.volume_days).unwrap_or(i32::MAX);
        let place = at..at + cohort.len();
        at = place.end;
        if held.from.is_none_or(|from| from <= since) {
            counts.extend(&rows.counts);
            families.extend(&compared.families[place]);
        }
    }
    let training = counts.len();
    counts.extend(&now.counts);
    families.extend(&compared.families[at..]);
    let panel = Panel::new(&families, training);
    let means = panel.means(&counts);
    found.now = Some(means[1]);
    if training == 0 {
        return found;
    }
    found.training = Some(means[0]);
    found.ratio = panel.ratio(&counts).map(|change| Estimate {
        value: change.value,
        interval: change.interval,
        n: panel.n[1],
    });
    found.verdict = match found.ratio {
        Some(ratio) => Verdict::of(ratio.interval, Interval { low: 1.0 / limit, high: limit }),
        // No row then and now: of no matter to the model, unless a feature reads what is not there.
        None if panel.totals(&counts) == [0, 0] && !read => Verdict::Within,
        None => Verdict::CannotTell,
    };
    found
}

fn coverage(
    source: &str,
    spec: &FeatureSpec,
    compared: &Compared<'_, '_>,
    params: &MonitorParams,
) -> Option<CoverageChange> {
    let of = |place: &usize| spec.features()[*place].records.source == source;
    let places: Vec<usize> = (0..spec.features().len()).filter(of).collect();
    if places.is_empty() {
        return None;
    }
    let covered: Vec<u32> = compared
        .matrices
        .iter()
        .chain([compared.matrix])
        .flat_map(|matrix| {
            let places = &places;
            (0..matrix.rows()).map(move |row| {
                places.iter().filter(|&&place| matrix.cell(row, place) != Cell::NotCovered).count() as u32
            })
        })
        .collect();
    let scale = places.len() as f64;
    let panel = compared.panel;
    let [training, now] = panel.means(&covered).map(|mean| mean / scale);
    let limit = params.limits.coverage_fall;
    let change = panel.difference(&covered, scale).map(|change| Estimate {
        value: change.value,
        interval: change.interval,
        n: panel.n[1],
    });
    let allowed = Interval { low: -limit, high: 1.0 };
    let verdict = change.map_or(Verdict::CannotTell, |change| {
        let held = Interval { high: change.interval.high.min(1.0), ..change.interval };
        Verdict::of(held, allowed)
    });
    Some(CoverageChange { training, now, change, limit, verdict })
}

fn freshness(
    held: &Coverage,
    then: &[Rows],
    now: &Rows,
    volume: &Volume,
    compared: &Compared<'_, '_>,
    params: &MonitorParams,
) -> Freshness {
    let today = compared.now.as_of().day();
    let limit = held.stale_after_days.unwrap_or(Coverage::STALE_AFTER_DAYS);
    let silence_limit = params.limits.silence_days;
    let days_behind = held.to.map(|to| u32::try_from(today - 1 - to).unwrap_or(0));
    let any_then = then.iter().filter(|rows| rows.last.is_some());
    let longest_silence_in_training = any_then.map(|rows| rows.longest_silence).max();
    // Without any row ever, silent for at least the window.
    let silent_days = now.last.map_or(volume.days, |last| (today - last) as u32);
    let rate = volume.training.map(|rate| rate * compared.now.len() as f64 / f64::from(volume.days));
    let silence_by_chance = rate.map(|rate| (-rate * f64::from(silent_days)).exp());
    let silence = match longest_silence_in_training {
        Some(then) if silent_days <= then.saturating_add(silence_limit) => Some(Verdict::Within),
        Some(_) => match silence_by_chance {
            Some(by_chance) if by_chance < Freshness::RARE => Some(Verdict::Beyond),
            _ => Some(Verdict::CannotTell),
        },
        None => None,
    };
    let behind = days_behind.map(|behind| if behind > limit { Verdict::Beyond } else { Verdict::Within });
    Freshness {
        covers_to: held.to,
        updated: held.updated,
        days_behind,
        limit,
        last_record: now.last,
        silent_days,
        longest_silence_in_training,
        silence_limit,
        silence_by_chance,
        verdict: behind.max(silence).unwrap_or(Verdict::CannotTell),
    }
}

fn past_as_trained(source: &str, record: &TrainingRecord, training: &[Cohort<'_>]) -> Option<bool> {
    let mut digests = record.sources.iter().filter(|held| held.source == source).peekable();
    digests.peek()?;
    Some(digests.all(|held| {
        training
            .iter()
            .find(|cohort| cohort.as_of() == held.as_of)
            .is_none_or(|cohort| cohort.snapshot().digest(source).as_ref() == Some(&held.digest))
    }))
}
