//! Reading: from files or frames to validated records in canonical order.
//!
//! - **What**: `Records` of a whole synthetic council (people, households and 16 sources), read from CSV
//!   files, from Parquet files, and from frames in memory. Times include opening files, validating every
//!   row, giving ids their codes and sorting each person's events.
//! - **Sizes**: 2,000, 10,000 and 50,000 children. Throughput is in rows read.
//! - **Seed**: 11.
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use earlyhelp::project::Project;
use earlyhelp::records::{Extract, ReadOptions, Records, SourceMapping};
use earlyhelp::synthetic::{Council, Format};
use polars::prelude::DataFrame;

const CHILDREN: [u32; 3] = [2_000, 10_000, 50_000];

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading");
    for children in CHILDREN {
        let council = common::council(children);
        let folder = tempfile::tempdir().unwrap();
        let csv = common::project(&council, &folder.path().join("csv"), Format::Csv);
        let parquet = common::project(&council, &folder.path().join("parquet"), Format::Parquet);
        let frames = frames(&council);
        let records = parquet.records().unwrap();
        let rows: u64 = records.intake().iter().map(|intake| intake.read).sum();
        group.throughput(Throughput::Elements(rows));
        for (name, project) in [("csv", &csv), ("parquet", &parquet)] {
            group.bench_function(BenchmarkId::new(name, children), |bencher| {
                bencher.iter_with_large_drop(|| project.records().unwrap());
            });
        }
        group.bench_function(BenchmarkId::new("frames", children), |bencher| {
            bencher.iter_with_large_drop(|| from_frames(&parquet, &frames));
        });
    }
    group.finish();
}

/// Every extract as a frame, with its name.
fn frames(council: &Council) -> Vec<(&'static str, DataFrame)> {
    council.extracts().iter().map(|extract| (extract.name(), extract.to_polars().unwrap())).collect()
}

/// The project's records out of frames in place of its files. A copy of a frame shares its columns.
fn from_frames(project: &Project, frames: &[(&'static str, DataFrame)]) -> Records {
    let extract = |name: &str, options: &ReadOptions| {
        let (_, frame) = frames.iter().find(|(held, _)| *held == name).unwrap();
        Extract::frame(frame.clone()).options(options.clone())
    };
    let mut builder = Records::builder();
    if let Some(file) = &project.people {
        builder = builder.people(file.columns.clone(), extract("people", &file.read));
    }
    if let Some(file) = &project.households {
        builder = builder.households(file.columns.clone(), extract("households", &file.read));
    }
    for source in &project.sources {
        let mapping = SourceMapping {
            name: source.name.clone(),
            columns: source.columns.clone(),
            coverage: source.coverage.clone(),
        };
        builder = builder.source(mapping, extract(&source.name, &source.read));
    }
    builder.build().unwrap()
}

criterion_group! { name = benches; config = common::criterion(); targets = reading }
criterion_main!(benches);
