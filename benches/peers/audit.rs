//! The fairness audit on one table, its costs as one JSON line: our side of `audit.py`, which writes the table
//! and runs Fairlearn and Aequitas on the same rows.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --bench audit -- --table rows.bin [--resamples 1000] [--clusters]
//! ```
//!
//! The table, little-endian: rows and group columns as two `u64`; then scores (`f64`), outcomes and selection (a byte
//! each), clusters (`u32`), and for each group column the number of values (`u64`) and a code (`u16`) a row.
//!
//! - `cpu_s`: CPU seconds of table and audit, user and system, reading the file left out
//! - `peak_mb_over`: the highest resident memory meanwhile over what it was before (Linux only)

use std::error::Error;
use std::fs;

use earlyhelp::evaluate::Bootstrap;
use earlyhelp::fairness::audit::{AttributeFinding, AuditParams, OperatingPoint, ScoreTable};
use serde_json::json;

use costs::{cpu_seconds, forget_peak, memory_mb};

mod costs;

type Anyhow<T> = Result<T, Box<dyn Error>>;

struct Table {
    scores: Vec<f64>,
    outcomes: Vec<bool>,
    selected: Vec<bool>,
    clusters: Vec<u32>,
    groups: Vec<(usize, Vec<u32>)>,
}

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|held| held == name);
        place.and_then(|place| arguments.get(place + 1)).map(String::as_str)
    };
    let Some(path) = after("--table") else {
        println!("skipped: say --table FILE");
        return Ok(());
    };
    let clustered = arguments.iter().any(|held| held == "--clusters");
    let resamples: u32 = after("--resamples").unwrap_or("1000").parse()?;
    let table = read(path)?;
    forget_peak();
    let (before, started) = (memory_mb("VmRSS"), cpu_seconds());
    let clock = std::time::Instant::now();
    let n = table.scores.len();
    let mut scores = ScoreTable::new(table.scores, table.outcomes)?.predicted(table.selected)?;
    if clustered {
        scores = scores.clusters(table.clusters)?;
    }
    for (nth, (values, codes)) in table.groups.iter().enumerate() {
        let names: Vec<String> = (0..*values).map(|value| format!("{value:02}")).collect();
        let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        scores = scores.group_coded(&format!("column {nth}"), codes, &names)?;
    }
    let mut params = AuditParams::at(OperatingPoint::Predicted);
    params.bootstrap = Bootstrap { resamples, seed: 1 };
    let audit = scores.audit(&params)?;
    let (cpu, wall) = (cpu_seconds() - started, clock.elapsed().as_secs_f64());
    let groups: usize = audit
        .attributes
        .iter()
        .map(|attribute| match &attribute.finding {
            AttributeFinding::Measured { groups, .. } => groups.len(),
            AttributeFinding::NotMeasurable { .. } => 0,
        })
        .sum();
    println!(
        "{}",
        json!({
            "what": if clustered { "earlyhelp, families" } else { "earlyhelp, rows independent" },
            "rows": n,
            "resamples": resamples,
            "clusters": audit.clusters,
            "groups": groups,
            "cpu_s": cpu,
            "wall_s": wall,
            "base_mb": before,
            "peak_mb": memory_mb("VmHWM"),
            "selection_rate": audit.whole.selection_rate.map(|rate| rate.value),
            "auc": audit.whole.auc,
        })
    );
    Ok(())
}

fn read(path: &str) -> Anyhow<Table> {
    let bytes = fs::read(path)?;
    let mut at = 0;
    let mut take = |count: usize| {
        at += count;
        bytes.get(at - count..at).ok_or("the file ends too early")
    };
    let number = |bytes: &[u8]| -> Anyhow<usize> { Ok(u64::from_le_bytes(bytes.try_into()?) as usize) };
    let (n, columns) = (number(take(8)?)?, number(take(8)?)?);
    let scores = take(8 * n)?.chunks_exact(8).map(|part| part.try_into().map(f64::from_le_bytes));
    let scores = scores.collect::<Result<_, _>>()?;
    let outcomes = take(n)?.iter().map(|&flag| flag == 1).collect();
    let selected = take(n)?.iter().map(|&flag| flag == 1).collect();
    let clusters = take(4 * n)?.chunks_exact(4).map(|part| part.try_into().map(u32::from_le_bytes));
    let clusters = clusters.collect::<Result<_, _>>()?;
    let mut groups = Vec::new();
    for _ in 0..columns {
        let values = number(take(8)?)?;
        let codes = take(2 * n)?.chunks_exact(2).map(|part| part.try_into().map(u16::from_le_bytes));
        groups.push((values, codes.map(|code| code.map(u32::from)).collect::<Result<_, _>>()?));
    }
    Ok(Table { scores, outcomes, selected, clusters, groups })
}
