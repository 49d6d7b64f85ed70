//! Whole runs on a synthetic council.

use std::sync::LazyLock;

use polars::prelude::{BooleanChunked, DataFrame, DataType};

use super::*;
use crate::calendar::Day;
use crate::fairness::Protected;
use crate::model::Trainer;
use crate::project::Project;
use crate::records::{Coverage, Extract, SourceMapping};
use crate::scoring::SignOff;
use crate::synthetic::{Council, CouncilParams, Format};

/// A council whose model was trained on 2022 and 2023 and released, so that the outcomes of 2024 are known.
struct World {
    council: Council,
    project: Project,
    records: Records,
    model: AuditedModel,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let council = CouncilParams::new(3_000, 1).generate().unwrap();
    let dates = "\"2022-04-01\", \"2023-04-01\", \"2024-04-01\"";
    let toml = council.project_toml(Format::Csv);
    assert!(toml.contains(dates));
    let toml = toml.replace(dates, "\"2022-04-01\", \"2023-04-01\"");
    let project = Project::from_toml(&toml, ".").unwrap();
    let records = read(&council, &project, |_, frame| frame, |_, _| {});
    let protected = Protected::none(vec!["sex".to_owned()]);
    let trainer = Trainer::by_name("logistic").unwrap().without_refits();
    let model = project.train(&records, &protected, &trainer).unwrap();
    World { council, project, records, model }
});

/// Reads the council's extracts, each changed by `rows`, and each source's coverage by `coverage`.
fn read(
    council: &Council,
    project: &Project,
    rows: impl Fn(&str, DataFrame) -> DataFrame,
    coverage: impl Fn(&str, &mut Coverage),
) -> Records {
    let extract =
        |name: &str| Extract::frame(rows(name, council.extract(name).unwrap().to_polars().unwrap()));
    let mut builder = Records::builder()
        .people(project.people.as_ref().unwrap().columns.clone(), extract("people"))
        .households(project.households.as_ref().unwrap().columns.clone(), extract("households"));
    for source in &project.sources {
        let mut held = source.coverage.clone();
        coverage(&source.name, &mut held);
        let mapping =
            SourceMapping { name: source.name.clone(), columns: source.columns.clone(), coverage: held };
        builder = builder.source(mapping, extract(&source.name));
    }
    builder.build().unwrap()
}

/// The rows of which a column of days holds a day that passes.
fn keep(frame: &DataFrame, column: &str, passes: impl Fn(i32) -> bool) -> DataFrame {
    let days = frame.column(column).unwrap().cast(&DataType::Int32).unwrap();
    let mask: BooleanChunked = days.i32().unwrap().iter().map(|day| Some(day.is_some_and(&passes))).collect();
    frame.filter(&mask).unwrap()
}

fn day(text: &str) -> i32 {
    text.parse::<Day>().unwrap().epoch_days()
}

fn now() -> AsOf {
    "2025-04-01".parse().unwrap()
}

fn release(model: &AuditedModel, review_by: &str) -> Scorer {
    let sign_off = SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: "Offer early help".into(),
        signed_on: "2024-04-01".parse().unwrap(),
        review_by: review_by.parse().unwrap(),
    };
    model.clone().release(sign_off).unwrap()
}

fn run(records: &Records) -> MonitorReport {
    Monitor::audited(&WORLD.model).run(records, now(), &MonitorParams::default()).unwrap()
}

#[test]
fn an_undisturbed_council_raises_no_alarm() {
    let scorer = release(&WORLD.model, "2026-04-01");
    let params = MonitorParams::default();
    let report = Monitor::new(&scorer).run(&WORLD.records, now(), &params).unwrap();
    println!("{report}");
    assert_eq!(report.beyond(), Vec::<String>::new(), "{report}");
    assert_eq!(report.verdict, Verdict::CannotTell); // outcomes are too few to be sure of all figures
    assert_eq!(report.drift.len(), WORLD.model.candidate().features().features().len());
    assert_eq!(report.sources.len(), 16);
    // Most of what can be told is told.
    let within = report.findings().iter().filter(|found| found.verdict == Verdict::Within).count();
    assert!(within * 4 > report.findings().len() * 3, "{within} of {}", report.findings().len());
    // The outcomes of the one date that training knew nothing of.
    assert_eq!(report.outcomes.dates, ["2024-04-01".parse().unwrap()]);
    assert!(report.outcomes.performance.as_ref().unwrap().positives > 30);
    assert!(report.outcomes.figures.iter().all(|figure| figure.difference.is_some()));
    assert!(report.alerts.share_not_scored.is_some());
    assert!(report.sources.iter().all(|held| held.past_as_trained == Some(true)));
}

#[test]
fn an_extract_that_ends_a_year_early_is_found_and_named() {
    let end = day("2024-04-01");
    // The rows of housing are of parents: other people in the household than the cohort's children.
    for source in ["police", "housing"] {
        let cut = |name: &str, frame: DataFrame| {
            if name == source { keep(&frame, "recorded", |known| known < end) } else { frame }
        };
        // It does not say so: rows are missing, and nobody was told.
        let silent = run(&read(&WORLD.council, &WORLD.project, cut, |_, _| {}));
        let beyond = silent.beyond();
        for what in ["volume", "freshness"] {
            let what = format!("source {source}: {what}");
            assert!(beyond.contains(&what), "{what} is not in {beyond:?}");
            assert!(silent.advice.contains(&what), "{}", silent.advice);
        }
        assert!(beyond.iter().all(|found| found.contains(source) || found == "score"), "{beyond:?}");
        assert_eq!(silent.verdict, Verdict::Beyond);
        let held = silent.sources.iter().find(|held| held.source == source).unwrap();
        assert!(held.volume.ratio.unwrap().value < 1e-12);
        assert!(held.freshness.silent_days >= 365);
    }
    let cut = |name: &str, frame: DataFrame| match name {
        "police" => keep(&frame, "recorded", |known| known < end),
        _ => frame,
    };
    // It says so: its features are not covered.
    let told = read(&WORLD.council, &WORLD.project, cut, |name, held| {
        if name == "police" {
            held.to = Some("2024-03-31".parse().unwrap());
        }
    });
    let told = run(&told);
    let beyond = told.beyond();
    for what in ["source police: coverage", "source police: freshness", "feature police_count_365d"] {
        assert!(beyond.iter().any(|found| found == what), "{what} is not in {beyond:?}");
    }
}

#[test]
fn values_in_another_unit_are_named() {
    // Attendance is given as half of what it was since last year.
    let since = day("2024-04-01");
    let shifted = read(
        &WORLD.council,
        &WORLD.project,
        |name, mut frame| {
            if name == "attendance" {
                let days = frame.column("recorded").unwrap().cast(&DataType::Int32).unwrap();
                let values = frame.column("value").unwrap().cast(&DataType::Float64).unwrap();
                let moved: polars::prelude::Float64Chunked = values
                    .f64()
                    .unwrap()
                    .iter()
                    .zip(days.i32().unwrap().iter())
                    .map(|(value, day)| {
                        value.map(|value| if day >= Some(since) { value / 2.0 } else { value })
                    })
                    .collect();
                frame
                    .replace(
                        "value",
                        polars::prelude::IntoColumn::into_column(moved.with_name("value".into())),
                    )
                    .unwrap();
            }
            frame
        },
        |_, _| {},
    );
    let beyond = run(&shifted).beyond();
    assert!(beyond.iter().any(|found| found.starts_with("feature attendance")), "{beyond:?}");
    assert!(beyond.iter().all(|found| found.contains("attendance") || found.contains("score")), "{beyond:?}");
}

#[test]
fn an_outcome_twice_as_common_is_found_and_named() {
    let since = day("2024-04-01");
    let records = read(
        &WORLD.council,
        &WORLD.project,
        |name, frame| {
            if name != "plans" {
                return frame;
            }
            // Episodes of the three years before happen again within the year, to the same families.
            let again = keep(&frame, "start", |start| start >= since - 3 * 365 && start < since);
            let columns: Vec<_> = again.columns().iter().map(|column| moved(column, since)).collect();
            let again = DataFrame::new(again.height(), columns).unwrap();
            frame.vstack(&again).unwrap()
        },
        // A later extract.
        |name, coverage| {
            if name == "plans" {
                coverage.updated = None;
            }
        },
    );
    let report = run(&records);
    let beyond = report.beyond();
    for what in ["outcome rate", "calibration in the large"] {
        assert!(beyond.iter().any(|found| found == what), "{what} is not in {beyond:?}\n{report}");
    }
}

/// Days moved into the year from `since` on, references made new, ends left open.
fn moved(column: &polars::prelude::Column, since: i32) -> polars::prelude::Column {
    use polars::prelude::{IntoColumn, NamedFrom, Series};
    let name = column.name().clone();
    match name.as_str() {
        "start" | "recorded" => {
            let days = column.cast(&DataType::Int32).unwrap();
            let days: Vec<Option<i32>> =
                days.i32().unwrap().iter().map(|day| day.map(|day| since + day.rem_euclid(330))).collect();
            let start = name.as_str() == "start";
            let days: Vec<Option<i32>> =
                days.into_iter().map(|day| if start { day } else { Some(since + 360) }).collect();
            Series::new(name, days).cast(&DataType::Date).unwrap().into_column()
        }
        "end" | "end_recorded" => {
            Series::new(name, vec![None::<i32>; column.len()]).cast(&DataType::Date).unwrap().into_column()
        }
        "record_id" => {
            let ids: Vec<String> = (0..column.len()).map(|nth| format!("again-{nth}")).collect();
            Series::new(name, ids).into_column()
        }
        _ => column.clone(),
    }
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_change_nothing() {
    let reversed = read(&WORLD.council, &WORLD.project, |_, frame| frame.reverse(), |_, _| {});
    let first = run(&WORLD.records);
    assert_eq!(run(&reversed), first);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| run(&WORLD.records)), first);
}

#[test]
fn what_cannot_be_said_is_said_to_be_so() {
    // At the time of release no outcome is known that training had not seen.
    let early = "2024-04-01".parse().unwrap();
    let scorer = release(&WORLD.model, "2024-06-01");
    let params = MonitorParams::default();
    let report = Monitor::new(&scorer).run(&WORLD.records, early, &params).unwrap();
    assert!(report.outcomes.dates.is_empty());
    assert_eq!((report.outcomes.performance, report.outcomes.verdict), (None, Verdict::CannotTell));
    assert!(report.alerts.share_not_scored.is_some());
    // A review that is overdue is told, and is no reason not to look.
    let late = Monitor::new(&scorer).run(&WORLD.records, now(), &params).unwrap();
    assert!(late.alerts.why.as_ref().is_some_and(|why| why.contains("review")), "{:?}", late.alerts.why);
    assert_eq!((late.alerts.verdict, late.alerts.not_scored.clone()), (Verdict::CannotTell, None));
    // Limits are the caller's.
    let strict = Limits { score_psi: 0.0, feature_psi: 0.1, ..Limits::default() };
    let report = run_with(strict);
    assert!(
        report.beyond().iter().any(|found| found == "feature youth_justice_count_730d"),
        "{:?}",
        report.beyond()
    );
    assert_ne!(report.score.shift.verdict, Verdict::Within);
}

fn run_with(limits: Limits) -> MonitorReport {
    let params = MonitorParams { limits, ..MonitorParams::default() };
    Monitor::audited(&WORLD.model).run(&WORLD.records, now(), &params).unwrap()
}

/// Not run with the others, for its time: councils of other seeds. Youth justice records begin in 2021, so
/// its features cover more in 2025 than in training. That is a disturbance, and where it moved the score,
/// chances may be off.
#[test]
#[ignore = "a minute"]
fn other_undisturbed_councils_raise_no_alarm() {
    let mut alarms = 0;
    for seed in 2..12 {
        let council = CouncilParams::new(3_000, seed).generate().unwrap();
        let records = read(&council, &WORLD.project, |_, frame| frame, |_, _| {});
        let protected = Protected::none(vec!["sex".to_owned()]);
        let trainer = Trainer::by_name("logistic").unwrap().without_refits();
        let model = WORLD.project.train(&records, &protected, &trainer).unwrap();
        let report = Monitor::audited(&model).run(&records, now(), &MonitorParams::default()).unwrap();
        for alarm in report.beyond() {
            let score_moved = report.score.shift.p_value.is_some_and(|p_value| p_value < 0.05);
            assert!(alarm == "calibration in the large" && score_moved, "seed {seed}: {alarm}\n{report}");
            alarms += 1;
        }
    }
    assert!(alarms <= 1, "{alarms} alarms in ten councils");
}
