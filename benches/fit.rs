//! Training: from a matrix and outcomes to a model.
//!
//! - **`fit/ridge`**, **`fit/elastic_net`**: `LogisticParams::fit_matrix` on generated cases with 60
//!   features (counts and days on the logarithmic scale, gaps as a step of their own); the elastic net with
//!   strength 0.001 and half of it lasso. 10,000, 30,000 and 100,000 cases; throughput in cases.
//! - **`fit/additive`**: `AdditiveParams::fit_matrix` with its defaults (pairs and 20 refits included) on the
//!   same cases, each a family of its own. **`fit/scorecard`**: `ScorecardParams::fit_matrix`, ten lines.
//! - **`fit/candidate`**: `Candidate::train` on the dataset of the synthetic project, three as-of dates
//!   of a council with 10,000 children: ridge with its refits, the training record and the digest.
//! - **Seed**: 11.
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use earlyhelp::features::Direction;
use earlyhelp::model::{
    AdditiveParams, Candidate, LogisticParams, Scale, ScorecardParams, Trainer, TrainingContext,
};

const CASES: [usize; 3] = [10_000, 30_000, 100_000];

fn matrix(criterion: &mut Criterion) {
    let trainers = [
        ("ridge", LogisticParams::default()),
        ("elastic_net", LogisticParams::default().strength(0.001).l1_ratio(0.5)),
    ];
    let scales: Vec<Scale> =
        (0..60).map(|place| if place < 38 { Scale::Log } else { Scale::Linear }).collect();
    let mut group = criterion.benchmark_group("fit");
    for rows in CASES {
        let (matrix, outcomes) = common::cases(rows);
        group.throughput(Throughput::Elements(rows as u64));
        for (name, params) in &trainers {
            group.bench_function(BenchmarkId::new(*name, rows), |bencher| {
                bencher.iter(|| params.fit_matrix(&matrix, &scales, &outcomes, None).unwrap());
            });
        }
        let free = vec![Direction::None; matrix.names().len()];
        let families: Vec<u64> = (0..rows as u64).collect();
        group.bench_function(BenchmarkId::new("additive", rows), |bencher| {
            let params = AdditiveParams::default();
            bencher.iter(|| params.fit_matrix(&matrix, &free, &outcomes, &families, common::SEED).unwrap());
        });
        group.bench_function(BenchmarkId::new("scorecard", rows), |bencher| {
            bencher.iter(|| ScorecardParams::default().fit_matrix(&matrix, &free, &outcomes, None).unwrap());
        });
    }
    group.finish();
}

fn candidate(criterion: &mut Criterion) {
    let (project, records) = common::council_records(&common::council(10_000));
    let data = project.dataset(&records).unwrap();
    let trainer = Trainer::Logistic(LogisticParams::default());
    let mut group = criterion.benchmark_group("fit");
    group.throughput(Throughput::Elements(data.rows() as u64));
    group.bench_function(BenchmarkId::new("candidate", data.rows()), |bencher| {
        bencher.iter(|| Candidate::train(&data, &trainer, TrainingContext::default()).unwrap());
    });
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = matrix, candidate }
criterion_main!(benches);
