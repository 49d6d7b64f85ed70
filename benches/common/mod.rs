//! What the benchmarks share: invented data of a given size and seed, and Criterion's settings.
#![allow(dead_code, reason = "each benchmark is a program of its own and uses a part")]
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

use std::path::Path;
use std::time::Duration;

use criterion::Criterion;
use earlyhelp::calendar::{AsOf, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec};
use earlyhelp::features::{Cell, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::project::Project;
use earlyhelp::records::{Extract, Records, Selector, SourceMapping};
use earlyhelp::synthetic::{Council, CouncilParams, Format};
use polars::prelude::{DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, Series};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The seed of everything that is drawn.
pub const SEED: u64 = 11;

/// Short measurements: all benchmarks together take a few minutes, and differences of a few percent are
/// not what they are for.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
}

/// A council with so many children.
pub fn council(children: u32) -> Council {
    CouncilParams::new(children, SEED).generate().unwrap()
}

/// The council's files and project in a folder.
pub fn project(council: &Council, folder: &Path, format: Format) -> Project {
    Project::load(council.write(folder, format).unwrap()).unwrap()
}

/// The council's records and project, read from Parquet files that are gone again.
pub fn council_records(council: &Council) -> (Project, Records) {
    let folder = tempfile::tempdir().unwrap();
    let project = project(council, folder.path(), Format::Parquet);
    let records = project.records().unwrap();
    (project, records)
}

/// The day the council's files were drawn, as a date to ask about.
pub fn extract_date(council: &Council) -> AsOf {
    AsOf::new(council.extract_date())
}

/// Uniform, normal and gamma numbers from one stream.
pub struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// In (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }
}

/// How many kinds of event [`events`] has, and how many people for each event.
pub const KINDS: usize = 30;
const EVENTS_A_PERSON: usize = 20;
/// 2019-01-01, and the five years from it on.
const FIRST_DAY: i32 = 17_897;
const DAYS: f64 = 1826.0;

/// The name of a kind.
pub fn kind_name(kind: usize) -> String {
    format!("E{kind:02}")
}

/// One source, `events`, with so many events of 30 kinds over five years, 20 a person on average. How many
/// a person has is heavy-tailed (weights from a gamma distribution of shape 0.5), kinds follow a Zipf-like
/// law, values are gamma distributed. Peers are measured on records of the same shape.
pub fn events(count: usize) -> Records {
    let mut draw = Draw::new(SEED);
    let people = (count / EVENTS_A_PERSON).max(1);
    // Half a squared normal is gamma distributed with shape 0.5.
    let weights: Vec<f64> = (0..people).map(|_| draw.normal().powi(2) / 2.0).collect();
    let kinds: Vec<f64> = (0..KINDS).map(|kind| (1.0 + kind as f64).powf(-0.7)).collect();
    let cumulated = |weights: &[f64]| -> Vec<f64> {
        let total: f64 = weights.iter().sum();
        let add = |sum: &mut f64, weight: &f64| {
            *sum += weight / total;
            Some(*sum)
        };
        weights.iter().scan(0.0, add).collect()
    };
    let (weights, kinds) = (cumulated(&weights), cumulated(&kinds));
    let pick =
        |cumulated: &[f64], at: f64| cumulated.partition_point(|&sum| sum <= at).min(cumulated.len() - 1);
    let names: Vec<String> = (0..KINDS).map(kind_name).collect();

    let (mut person, mut kind, mut day, mut value) = (vec![], vec![], vec![], vec![]);
    for _ in 0..count {
        person.push(pick(&weights, draw.unit()) as i32);
        kind.push(names[pick(&kinds, draw.unit())].as_str());
        day.push(FIRST_DAY + (draw.unit() * DAYS) as i32);
        value.push(((draw.exponential() + draw.exponential()) * 2500.0).round() / 100.0);
    }
    let days = Int32Chunked::from_vec("date".into(), day).into_series().cast(&DataType::Date).unwrap();
    let frame = DataFrame::new(
        count,
        vec![
            Series::new("person_id".into(), person).into_column(),
            Series::new("event_type".into(), kind).into_column(),
            days.into_column(),
            Series::new("value".into(), value).into_column(),
        ],
    )
    .unwrap();
    let mapping =
        SourceMapping::new("events", "person_id", "event", "date").kind_column("event_type").value("value");
    Records::builder().source(mapping, Extract::frame(frame)).build().unwrap()
}

/// 270 columns over [`events`]: counts and sums of every kind over four windows, and the days since the last.
pub fn wide_spec() -> FeatureSpec {
    let mut features = Vec::new();
    for kind in 0..KINDS {
        let of =
            |measure, over| Feature::new(Selector::source("events").kind(kind_name(kind)), measure, over);
        for days in [30, 90, 365, 1095] {
            features.push(of(Measure::Count, Lookback::Days(days)));
            features.push(of(Measure::Sum, Lookback::Days(days)));
        }
        features.push(of(Measure::DaysSinceLast, Lookback::Days(1095)));
    }
    FeatureSpec::new(features).unwrap()
}

/// Everybody who is known on a day.
pub fn everybody<'r>(records: &'r Records, day: &str) -> Cohort<'r> {
    CohortSpec::default().choose(&records.as_of(day.parse().unwrap())).unwrap()
}

/// Cases with 60 features as linked records yield them, and an outcome that 3 in 100 have: 24 counts that are
/// mostly zero, 14 numbers of days since something with gaps, 16 flags, and 6 continuous numbers, all a
/// little correlated through one hidden need.
pub fn cases(rows: usize) -> (FeatureMatrix, Vec<bool>) {
    let mut draw = Draw::new(SEED);
    let need: Vec<f64> = (0..rows).map(|_| draw.normal()).collect();
    let mut risk = vec![-5.0; rows];
    let mut names = Vec::new();
    let mut columns: Vec<Vec<Cell>> = Vec::new();
    for place in 0..60 {
        // Commoner from feature to feature, and commoner where the need is.
        let share = 0.03 + 0.02 * f64::from(place % 24);
        let effect = if place % 4 == 0 { 0.3 } else { 0.0 };
        let mut column = Vec::with_capacity(rows);
        for (need, risk) in need.iter().zip(&mut risk) {
            let odds = share / (1.0 - share) * (0.5 * need).exp();
            let happened = draw.unit() < odds / (1.0 + odds);
            column.push(match place {
                0..24 => {
                    let count = if happened { 1.0 + (draw.exponential() * 2.0).floor() } else { 0.0 };
                    *risk += effect * f64::ln_1p(count);
                    Cell::Value(count as f32)
                }
                24..38 if !happened => Cell::Missing,
                24..38 => {
                    let days = (draw.exponential() * 400.0).min(1825.0).round();
                    *risk += effect * (-days / 200.0).exp();
                    Cell::Value(days as f32)
                }
                38..54 => {
                    *risk += effect * f64::from(u8::from(happened));
                    Cell::Value(f32::from(u8::from(happened)))
                }
                _ => {
                    let number = 0.2 * need + draw.normal();
                    *risk += effect * number;
                    Cell::Value(number as f32)
                }
            });
        }
        names.push(format!("feature_{place:02}"));
        columns.push(column);
    }
    let outcomes = risk.iter().map(|risk| draw.unit() < 1.0 / (1.0 + (-risk).exp())).collect();
    (FeatureMatrix::from_cells(names, rows, &columns).unwrap(), outcomes)
}
