//! One table in the forms in which it may arrive, written by other programs (`fixtures/make_twins.py`): whatever the form,
//! the features are the same to the bit.

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::records::{
    Coverage, Decimal, Extract, Known, ReadOptions, Records, RejectReason, Selector, SourceMapping,
};
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, IpcWriter, NamedFrom, ParquetWriter, SerWriter, Series, TimeUnit,
};

use crate::world::as_of;

/// Rows below the header.
const ROWS: u64 = 60;

fn twin(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/twins").join(name)
}

fn mapping() -> SourceMapping {
    SourceMapping::new("homes", "Person ID", "none", "Started")
        .kind_column("Event")
        .known(Known::Column("Recorded".into()))
        .ended("Ended")
        .value("Amount")
        .category("Remark")
        .coverage(Coverage { from: Some("2021-01-01".parse().unwrap()), ..Coverage::default() })
}

fn features() -> FeatureSpec {
    let homes = || Selector::source("homes");
    let mut features = Vec::new();
    let measures = [
        Measure::Count,
        Measure::Sum,
        Measure::Mean,
        Measure::Max,
        Measure::Min,
        Measure::Latest,
        Measure::Slope,
        Measure::DistinctKinds,
        Measure::Distinct("Remark".into()),
        Measure::LatestIs { category: "Remark".into(), value: "Zoë called".into() },
        Measure::DaysSinceChange("Remark".into()),
        Measure::DaysSinceLast,
        Measure::DaysSinceFirst,
        Measure::DaysOpen,
        Measure::PresentNow,
    ];
    for measure in measures {
        for records in [homes(), homes().kind("Repair, urgent")] {
            for over in [Lookback::Months(6), Lookback::Ever] {
                let name = format!("f{}", features.len());
                features.push(Feature::new(records.clone(), measure.clone(), over).name(name));
            }
        }
    }
    FeatureSpec::new(features).unwrap()
}

/// Every cell of every person on three dates, and how many rows were rejected as a line of totals.
fn read(extract: Extract, said: &str) -> (Vec<(u8, u32)>, usize) {
    let records = Records::builder()
        .read_on("2024-12-31".parse().unwrap())
        .source(mapping(), extract)
        .build()
        .unwrap_or_else(|error| panic!("{said}: {error}"));
    let totals = records.rejects().iter().filter(|reject| reject.reason == RejectReason::TotalRow).count();
    assert_eq!(records.rejects().len(), totals, "{said}: {:?}", records.rejects());
    let intake = &records.intake()[0];
    assert_eq!((intake.read, intake.accepted), (ROWS + totals as u64, ROWS), "{said}");
    let spec = features();
    let mut cells = Vec::new();
    for date in ["2022-09-01", "2023-06-15", "2024-04-01"] {
        let cohort = CohortSpec::default().choose(&records.as_of(as_of(date))).unwrap();
        let matrix = spec.compute(&cohort).unwrap();
        for row in 0..matrix.rows() {
            cells.extend((0..spec.features().len()).map(|column| match matrix.cell(row, column) {
                Cell::Value(value) => (0, value.to_bits()),
                Cell::Missing => (1, 0),
                Cell::NotCovered => (2, 0),
            }));
        }
    }
    (cells, totals)
}

#[test]
fn one_table_in_twenty_forms_gives_the_same_features() {
    let usual = ReadOptions::default;
    let (plain, _) = read(Extract::path(twin("plain.csv")), "plain.csv");
    assert!(plain.iter().filter(|(what, bits)| *what == 0 && *bits != 0).count() > 500);
    let comma = ReadOptions { decimal: Decimal::Comma, ..usual() };
    let sheet = ReadOptions { sheet: Some("Data*".into()), ..usual() };
    for (name, options, totals) in [
        ("crlf_blank_lines.csv", usual(), 0),
        ("bom.csv", usual(), 0),
        ("windows_semicolon.csv", usual(), 0),
        ("utf16.txt", usual(), 0),
        ("sep_line.csv", usual(), 0),
        ("titles_total.csv", usual(), 1),
        ("compact_dates.csv", usual(), 0),
        ("serial_dates.csv", usual(), 0),
        ("times.csv", usual(), 0),
        ("zulu.csv", usual(), 0),
        ("decimal_comma.csv", comma, 0),
        ("packed.csv.gz", usual(), 0),
        ("packed.csv.zst", usual(), 0),
        ("packed.zip", usual(), 0),
        ("titles_total.xlsx", usual(), 1),
        ("titles_total.xlsx", sheet, 1),
        ("all_text.xlsx", usual(), 0),
        ("mixed_cells.xlsx", usual(), 0),
        ("old.xls", usual(), 0),
        ("open.ods", usual(), 0),
    ] {
        let (cells, found) = read(Extract::path(twin(name)).options(options), name);
        assert_eq!(found, totals, "{name}: lines of totals");
        assert!(cells == plain, "{name}: features differ");
    }
}

/// The table as programs hold it.
fn frame(dates: &DataType) -> DataFrame {
    let mut reader = csv::Reader::from_path(twin("plain.csv")).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let columns: Vec<Column> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let cells = || rows.iter().map(|row| Some(&row[place]).filter(|cell| !cell.is_empty()));
            let day = |text: &str| text.parse::<earlyhelp::calendar::Day>().unwrap().epoch_days();
            match name.as_str() {
                "Started" | "Ended" | "Recorded" => {
                    let days: Vec<Option<i32>> = cells().map(|cell| cell.map(day)).collect();
                    let days = Series::new(name.as_str().into(), days).cast(&DataType::Date).unwrap();
                    days.cast(dates).unwrap().into_column()
                }
                "Amount" => {
                    let amounts: Vec<Option<f64>> =
                        cells().map(|cell| cell.map(|cell| cell.parse().unwrap())).collect();
                    Series::new(name.as_str().into(), amounts).into_column()
                }
                _ => {
                    let texts: Vec<Option<&str>> = cells().collect();
                    Series::new(name.as_str().into(), texts).into_column()
                }
            }
        })
        .collect();
    DataFrame::new(rows.len(), columns).unwrap()
}

#[test]
fn a_frame_and_its_files_give_the_same_features_as_its_text() {
    let (plain, _) = read(Extract::path(twin("plain.csv")), "plain.csv");
    let folder = tempfile::tempdir().unwrap();
    let units = [TimeUnit::Milliseconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds];
    let kinds = units.map(|unit| DataType::Datetime(unit, None));
    for dates in kinds.iter().chain([&DataType::Date, &DataType::String]) {
        let mut table = frame(dates);
        let said = format!("{dates:?}");
        assert!(read(Extract::frame(table.clone()), &said).0 == plain, "{said}: a frame");
        let parquet = folder.path().join("homes.parquet");
        ParquetWriter::new(std::fs::File::create(&parquet).unwrap()).finish(&mut table).unwrap();
        assert!(read(Extract::path(&parquet), &said).0 == plain, "{said}: Parquet");
        let arrow = folder.path().join("homes.arrow");
        IpcWriter::new(std::fs::File::create(&arrow).unwrap()).finish(&mut table).unwrap();
        assert!(read(Extract::path(&arrow), &said).0 == plain, "{said}: Arrow");
    }
}
