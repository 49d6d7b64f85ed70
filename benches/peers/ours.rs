//! One of our trainers on one table, its costs and its quality as one JSON line: the other side of
//! `run.py`, which does the same for the programs that we compare with.
//!
//! ```text
//! cargo bench --bench ours -- --trainer additive --data dense_100000.parquet --reps 3
//! ```
//!
//! Trainers: `additive` (defaults, pairs and refits included), `scorecard` (ten lines, points within 5),
//! `scorecard-5`, `scorecard-any` (as many lines as pay, points within 20), `path` (elastic net with half
//! lasso, 100 strengths, five folds), `ridge`. The table is as for `run.py`: `y`, feature columns (those
//! called `cat_...` hold texts), `p_true` and `grp_...` left aside, `is_test` if there is one, otherwise
//! the last fifth of the rows is the test. Set `RAYON_NUM_THREADS=1` for the figures of one thread.
//!
//! - `fit_cpu_s`: CPU seconds of each fit, user and system, reading left out
//! - `peak_mb_over`: the highest resident memory during a fit over what it was before (Linux only)
//! - `contributions_rows_per_cpu_s`: test rows explained, all contributions kept, in a second of CPU

use std::error::Error;
use std::fs::File;

use earlyhelp::evaluate::calibration::{Calibration, log_loss};
use earlyhelp::evaluate::{auc, average_precision};
use earlyhelp::features::{Direction, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, AdditiveParams, LogisticParams, PathParams, Scale, ScorecardParams};
use polars::prelude::*;
use serde_json::json;

use costs::{cpu_seconds, forget_peak, memory_mb};

mod costs;

type Anyhow<T> = Result<T, Box<dyn Error>>;

/// A table ready to fit.
struct Table {
    train: FeatureMatrix,
    test: FeatureMatrix,
    categories: Vec<String>,
    outcomes: (Vec<bool>, Vec<bool>),
}

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        arguments
            .iter()
            .position(|held| held == name)
            .and_then(|place| arguments.get(place + 1))
            .map(String::as_str)
    };
    let (Some(trainer), Some(path)) = (after("--trainer"), after("--data")) else {
        println!("skipped: say --trainer NAME --data FILE.parquet");
        return Ok(());
    };
    let reps: usize = after("--reps").unwrap_or("3").parse()?;
    let table = Table::read(path, trainer != "additive")?;
    let mut seconds = Vec::new();
    let mut peaks = Vec::new();
    let mut model = None;
    for _ in 0..reps {
        drop(model.take());
        forget_peak();
        let (before, started) = (memory_mb("VmRSS"), cpu_seconds());
        model = Some(fit(trainer, &table)?);
        seconds.push(cpu_seconds() - started);
        peaks.push(memory_mb("VmHWM") - before);
    }
    let model = model.ok_or("no fit was asked for")?;
    let explained = model.explain_all(&table.test)?;
    let contributions = explained.contributions();
    let scores: Vec<f64> =
        contributions.rows().into_iter().map(|case| explained.intercept() + case.sum()).collect();
    let started = cpu_seconds();
    let mut passes = 0;
    while passes < 3 || cpu_seconds() - started < 1.0 {
        std::hint::black_box(model.explain_all(&table.test)?);
        passes += 1;
    }
    let explained = (passes * table.test.rows()) as f64 / (cpu_seconds() - started);
    let families: Vec<u32> = (0..scores.len() as u32).collect();
    let outcomes = &table.outcomes.1;
    seconds.sort_by(f64::total_cmp);
    println!(
        "{}",
        json!({
            "peer": format!("earlyhelp-{trainer}"),
            "version": env!("CARGO_PKG_VERSION"),
            "data": path,
            "train_rows": table.train.rows(),
            "test_rows": table.test.rows(),
            "features": table.train.names().len(),
            "median_fit_cpu_s": seconds[seconds.len() / 2],
            "fit_cpu_s": seconds,
            "peak_mb_over": peaks,
            "terms": model.terms().len(),
            "pairs": model.terms().iter().filter(|term| term.on.len() == 2).count(),
            "auc": auc(&scores, outcomes),
            "average_precision": average_precision(&scores, outcomes),
            "log_loss": log_loss(&scores, outcomes, &families).map(|found| found.value),
            "calibration_slope": Calibration::measure(&scores, outcomes, &families).map(|found| found.slope.value),
            "contributions_rows_per_cpu_s": explained.round(),
        })
    );
    Ok(())
}

fn fit(trainer: &str, table: &Table) -> Anyhow<AdditiveModel> {
    let (matrix, outcomes) = (&table.train, &table.outcomes.0);
    let free = vec![Direction::None; matrix.names().len()];
    let card = |params: ScorecardParams| -> Anyhow<AdditiveModel> {
        let (model, _) =
            params.fit_matrix(matrix, &free, outcomes, None)?.into_iter().next().ok_or("no card")?;
        Ok(model)
    };
    let linear = |params: LogisticParams| -> Anyhow<AdditiveModel> {
        let scales = vec![Scale::Linear; matrix.names().len()];
        Ok(params.fit_matrix(matrix, &scales, outcomes, None)?.model)
    };
    match trainer {
        "additive" => {
            let families: Vec<u64> = (0..matrix.rows() as u64).collect();
            let params = AdditiveParams::default().categories(table.categories.clone());
            Ok(params.fit_matrix(matrix, &free, outcomes, &families, 1)?.0)
        }
        "scorecard" => card(ScorecardParams::default()),
        "scorecard-5" => card(ScorecardParams::default().terms(5)),
        "scorecard-any" => card(ScorecardParams::default().any_terms().points(20)),
        "path" => linear(LogisticParams::default().l1_ratio(0.5).path(PathParams::default())),
        "ridge" => linear(LogisticParams::default()),
        _ => Err(format!("there is no trainer {trainer}").into()),
    }
}

impl Table {
    /// Reads a table. Categories become codes, or, `one_hot`, a column of 0 and 1 for each but the first.
    fn read(path: &str, one_hot: bool) -> Anyhow<Self> {
        let frame = ParquetReader::new(File::open(path)?).finish()?;
        let outcome = frame.column("y")?.cast(&DataType::Int32)?;
        let outcomes: Vec<bool> = outcome.i32()?.iter().map(|value| value == Some(1)).collect();
        let rows = frame.height();
        let is_test: Vec<bool> = match frame.column("is_test") {
            Ok(column) => {
                column.cast(&DataType::Int32)?.i32()?.iter().map(|value| value == Some(1)).collect()
            }
            Err(_) => (0..rows).map(|row| row >= rows * 4 / 5).collect(),
        };
        let is_feature =
            |name: &str| !["y", "is_test", "p_true"].contains(&name) && !name.starts_with("grp_");
        let mut columns: Vec<Column> = Vec::new();
        let mut categories = Vec::new();
        for column in frame.columns().iter().filter(|column| is_feature(column.name())) {
            if !column.name().starts_with("cat_") {
                columns.push(column.clone());
                continue;
            }
            let texts = column.cast(&DataType::String)?;
            let texts = texts.str()?;
            let mut levels: Vec<&str> = texts.iter().flatten().collect();
            levels.sort_unstable();
            levels.dedup();
            let codes: Vec<Option<u32>> = texts
                .iter()
                .map(|text| text.and_then(|text| levels.binary_search(&text).ok()).map(|code| code as u32))
                .collect();
            if one_hot {
                for (code, level) in levels.iter().enumerate().skip(1) {
                    let is: Vec<f32> =
                        codes.iter().map(|held| f32::from(u8::from(*held == Some(code as u32)))).collect();
                    columns.push(Series::new(format!("{}={level}", column.name()).into(), is).into_column());
                }
            } else {
                categories.push(column.name().to_string());
                columns.push(Series::new(column.name().clone(), codes).into_column());
            }
        }
        let frame = DataFrame::new(rows, columns)?;
        let names: Vec<String> = frame.columns().iter().map(|column| column.name().to_string()).collect();
        let part = |wanted: bool| -> Anyhow<FeatureMatrix> {
            let mask: BooleanChunked = is_test.iter().map(|&test| test == wanted).collect();
            Ok(FeatureMatrix::from_polars(&frame.filter(&mask)?, &names)?)
        };
        let of = |wanted: bool| {
            let rows = outcomes.iter().zip(&is_test).filter(|(_, test)| **test == wanted);
            rows.map(|(outcome, _)| *outcome).collect::<Vec<bool>>()
        };
        Ok(Self { train: part(false)?, test: part(true)?, categories, outcomes: (of(false), of(true)) })
    }
}
