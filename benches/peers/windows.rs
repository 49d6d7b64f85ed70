//! Windowed features of one table of events, its costs as one JSON line: the other side of `windows.py`, which does the same
//! with `NumPy` and `Polars`.
//!
//! ```text
//! python windows.py make --out DATA
//! cargo bench --bench windows -- --data DATA --dates 12
//! ```
//!
//! For each as-of date: counts and sums of values of 30 kinds over 30, 90, 365 and 1,095 days before it, and the days since the
//! last in 1,095: 270 columns, a row for each person. The sums over all cells are those of the other programs: they are the
//! proof that the same was computed.
//!
//! - `read_cpu_s`: from files to linked records; `features_cpu_s`: from records to matrices; user and system
//! - `peak_mb`: the highest resident memory of the whole (Linux only)

use std::error::Error;
use std::path::Path;

use earlyhelp::calendar::{AsOf, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::records::{Extract, PeopleColumns, Records, Selector, SourceMapping};
use serde_json::json;

use costs::{cpu_seconds, memory_mb};

mod costs;

const KINDS: usize = 30;
const WINDOWS: [u32; 4] = [30, 90, 365, 1095];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|held| held == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let Some(data) = after("--data").map(Path::new) else {
        println!("skipped: say --data DIR");
        return Ok(());
    };
    let dates: u32 = after("--dates").unwrap_or("1").parse()?;
    let spec = spec()?;
    let started = (cpu_seconds(), std::time::Instant::now());
    let people = PeopleColumns { person: vec!["person_id".to_owned()], ..PeopleColumns::default() };
    let events =
        SourceMapping::new("events", "person_id", "", "date").kind_column("event_type").value("value");
    let records = Records::builder()
        .people(people, Extract::path(data.join("people.parquet")))
        .source(events, Extract::path(data.join("events.parquet")))
        .build()?;
    let read = (cpu_seconds(), std::time::Instant::now());
    let mut sums = [0.0; 3];
    let (mut rows, mut columns) = (0, 0);
    let mut spent = [0.0; 2];
    for as_of in as_of_dates(dates)? {
        let started = (cpu_seconds(), std::time::Instant::now());
        let cohort = CohortSpec::default().choose(&records.as_of(as_of))?;
        let matrix = spec.compute(&cohort)?;
        spent = [spent[0] + cpu_seconds() - started.0, spent[1] + started.1.elapsed().as_secs_f64()];
        rows += matrix.rows();
        columns = matrix.names().len();
        for (place, name) in matrix.names().iter().enumerate() {
            let of = if name.contains("count") { 0 } else { 1 + usize::from(!name.contains("sum")) };
            let values = (0..matrix.rows()).filter_map(|row| matrix.cell(row, place).value());
            sums[of] += values.map(f64::from).sum::<f64>();
        }
    }
    println!(
        "{}",
        json!({
            "engine": "earlyhelp",
            "version": env!("CARGO_PKG_VERSION"),
            "dates": dates,
            "read_cpu_s": read.0 - started.0,
            "read_wall_s": (read.1 - started.1).as_secs_f64(),
            "features_cpu_s": spent[0],
            "features_wall_s": spent[1],
            "peak_mb": memory_mb("VmHWM"),
            "rows": rows,
            "cols": columns,
            "cnt": sums[0],
            "sum": sums[1],
            "rec": sums[2],
        })
    );
    Ok(())
}

fn spec() -> Result<FeatureSpec, Box<dyn Error>> {
    let mut features = Vec::new();
    for kind in 0..KINDS {
        let of = |measure, days| {
            let records = Selector::source("events").kind(format!("E{kind:02}"));
            Feature::new(records, measure, Lookback::Days(days))
        };
        for days in WINDOWS {
            features.push(of(Measure::Count, days));
            features.push(of(Measure::Sum, days));
        }
        features.push(of(Measure::DaysSinceLast, WINDOWS[3]));
    }
    Ok(FeatureSpec::new(features)?)
}

/// One date, or the first of each of so many months.
fn as_of_dates(dates: u32) -> Result<Vec<AsOf>, Box<dyn Error>> {
    if dates == 1 {
        return Ok(vec!["2023-06-01".parse()?]);
    }
    let month = |nth: u32| format!("{}-{:02}-01", 2022 + (5 + nth) / 12, (5 + nth) % 12 + 1);
    Ok((0..dates).map(|nth| month(nth).parse()).collect::<Result<_, _>>()?)
}
