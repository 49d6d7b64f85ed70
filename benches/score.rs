//! Scoring: every score is the sum of its explanation, so all contributions of a case are computed.
//!
//! - **`score/explain_all`**: `AdditiveModel::explain_all` of a fitted model over generated cases with 60
//!   features, all contributions kept: an unsigned model gives no scores. 10,000, 100,000 and 1,000,000 cases; throughput in cases.
//! - **`score/council`**: `Scorer::score` of the synthetic council's cohort on the day of the extract:
//!   features, scores, ranks, and the provenance with a digest of every source. 20,000 children;
//!   throughput in cases.
//! - **`score/draw_20`**: `ReviewList::draw` of the 20 highest: whole cases with contributions in words and
//!   the references of the records behind them. Throughput in cases drawn.
//! - **Seed**: 11.
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use earlyhelp::evaluate::Capacity;
use earlyhelp::model::{LogisticParams, Scale};
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Request, SignOff};

const CASES: [usize; 3] = [10_000, 100_000, 1_000_000];
const CHILDREN: u32 = 20_000;
const DRAWN: u32 = 20;

fn explain_all(criterion: &mut Criterion) {
    let (training, outcomes) = common::cases(CASES[0]);
    let scales: Vec<Scale> =
        (0..60).map(|place| if place < 38 { Scale::Log } else { Scale::Linear }).collect();
    let model = LogisticParams::default().fit_matrix(&training, &scales, &outcomes, None).unwrap().model;
    let mut group = criterion.benchmark_group("score");
    for rows in CASES {
        let (matrix, _) = common::cases(rows);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("explain_all", rows), |bencher| {
            bencher.iter_with_large_drop(|| model.explain_all(&matrix).unwrap());
        });
    }
    group.finish();
}

fn list(criterion: &mut Criterion) {
    let council = common::council(CHILDREN);
    let folder = tempfile::tempdir().unwrap();
    let mut project = common::project(&council, folder.path(), earlyhelp::synthetic::Format::Parquet);
    // The intervals of the backtest play no part in scoring: a few resamples shorten the set-up.
    project.training.resamples = 100;
    let records = project.records().unwrap();
    let protected = project.protected().unwrap();
    let model = project.train(&records, &protected, &project.training.trainer).unwrap();
    let on = council.extract_date();
    let sign_off = SignOff {
        by: "Benchmark".to_owned(),
        role: "nobody: this council does not exist".to_owned(),
        purpose: project.purpose.clone(),
        signed_on: on,
        review_by: on.plus_months(12),
    };
    let scorer = model.release(sign_off).unwrap();
    let request = Request::new("Benchmark", &project.purpose, on);
    let cohort = project.cohort(&records, common::extract_date(&council)).unwrap();

    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(cohort.len() as u64));
    group.bench_function(BenchmarkId::new("council", CHILDREN), |bencher| {
        bencher.iter_with_large_drop(|| scorer.score(&cohort, &request).unwrap());
    });
    let scores = scorer.score(&cohort, &request).unwrap();
    group.throughput(Throughput::Elements(u64::from(DRAWN)));
    group.bench_function(BenchmarkId::new("draw_20", CHILDREN), |bencher| {
        bencher.iter_with_large_drop(|| ReviewList::draw(&scores, Capacity::Cases(DRAWN)).unwrap());
    });
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = explain_all, list }
criterion_main!(benches);
