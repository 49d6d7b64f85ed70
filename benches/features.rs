//! Features: from the events known at a date to a matrix.
//!
//! - **`features/council`**: the features of the synthetic project (own and household scope, coverage,
//!   rosters) for its cohort on the day of the extract. 2,000, 10,000 and 50,000 children; throughput in
//!   cases.
//! - **`features/wide`**: 30 kinds with counts and sums over 30, 90, 365 and 1,095 days and the days since
//!   the last, 270 columns, at one date. 100,000, 1,000,000 and 5,000,000 events of 20 times fewer people;
//!   throughput in events held, visible at the date or not. Reading is not part of it.
//! - **Seed**: 11.
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const CHILDREN: [u32; 3] = [2_000, 10_000, 50_000];
const EVENTS: [usize; 3] = [100_000, 1_000_000, 5_000_000];

fn council(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("features");
    for children in CHILDREN {
        let council = common::council(children);
        let (project, records) = common::council_records(&council);
        let spec = project.features().unwrap();
        let cohort = project.cohort(&records, common::extract_date(&council)).unwrap();
        group.throughput(Throughput::Elements(cohort.len() as u64));
        group.bench_function(BenchmarkId::new("council", children), |bencher| {
            bencher.iter_with_large_drop(|| spec.compute(&cohort).unwrap());
        });
    }
    group.finish();
}

fn wide(criterion: &mut Criterion) {
    let spec = common::wide_spec();
    let mut group = criterion.benchmark_group("features");
    for events in EVENTS {
        let records = common::events(events);
        let cohort = common::everybody(&records, "2023-06-01");
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(BenchmarkId::new("wide", events), |bencher| {
            bencher.iter_with_large_drop(|| spec.compute(&cohort).unwrap());
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = council, wide }
criterion_main!(benches);
