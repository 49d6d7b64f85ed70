//! The core alone: it says what the whole library says, and reads, trains and scores rows of a program's own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, LogisticParams, Trainer, TrainingContext};
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};

const PURPOSE: &str = "Offer early help to families before a crisis";

fn scorer(lines: &[u8]) -> (bool, String, String) {
    asked(["2025-04-01", "2025-04-02", "B. Lead", PURPOSE], lines)
}

fn asked(arguments: [&str; 4], lines: &[u8]) -> (bool, String, String) {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/synthetic_council_additive.json");
    let mut program = Command::new(env!("CARGO_BIN_EXE_earlyhelp-scorer"))
        .arg(model)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(lines).unwrap_or_default();
    let done = program.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

/// `answers.jsonl` is held against the whole library by the main crate's own tests.
#[test]
fn answers_are_those_of_the_whole_library() {
    let (is_done, answers, _) = scorer(include_bytes!("../cases.jsonl"));
    assert!(is_done);
    assert_eq!(answers, include_str!("../answers.jsonl"));
}

#[test]
fn a_wrong_line_is_named_and_not_shown() {
    let first = include_str!("../cases.jsonl").lines().next().unwrap();
    let twice = first.replace("P-1", "secret").replacen(r#""age":14"#, r#""age":14,"age":3"#, 1);
    let negative = first.replace("P-1", "secret").replacen(r#""age":14"#, r#""age":-5"#, 1);
    let half = first.replace("P-1", "secret").replacen(r#""sen_now":1"#, r#""sen_now":0.5"#, 1);
    let long = format!(r#"{{"id":"secret{}","features":{{}}}}"#, "x".repeat(2 << 20));
    let wrong: [&[u8]; 11] = [
        br#"{"id":"secret"}"#,
        br#"{"id":"secret","features":{"agge":1}}"#,
        b"secret",
        b"",
        b"secret \xff",
        br#"{"id":" ","features":{"age":1}}"#,
        br#"{"id":"secret","features":{"age":1e60}}"#,
        twice.as_bytes(),
        negative.as_bytes(),
        half.as_bytes(),
        long.as_bytes(),
    ];
    for line in wrong {
        let (is_done, answers, error) = scorer(&[first.as_bytes(), b"\n", line, b"\n"].concat());
        assert!(!is_done && answers.lines().count() == 1, "{}", String::from_utf8_lossy(line));
        assert!(error.contains("line 2: ") && !error.contains("secret") && error.len() < 200, "{error}");
    }
    let (is_done, _, error) = scorer(format!("{first}\n{first}\n").as_bytes());
    assert!(!is_done && error.contains("line 2: its id stood"), "{error}");
}

#[test]
fn what_is_refused_is_refused_without_a_case_too() {
    let refused = [
        ["2025-04-01", "2025-04-02", "B. Lead", "Cut benefits"],
        ["2025-04-03", "2025-04-02", "B. Lead", PURPOSE],
        ["2025-04-01", "2027-04-02", "B. Lead", PURPOSE],
        ["2025-04-01", "2025-04-02", " ", PURPOSE],
        ["April", "2025-04-02", "B. Lead", PURPOSE],
    ];
    for arguments in refused {
        let (is_done, answers, error) = asked(arguments, b"");
        assert!(!is_done && answers.is_empty() && error.len() > 30 && !error.contains('{'), "{error}");
    }
}

#[derive(serde::Serialize)]
struct Visit {
    child: String,
    on: Day,
}

#[test]
fn rows_of_a_programs_own_become_records_features_and_a_model() {
    // Of each child with an even number there are two visits in winter and one in summer; of the others one in winter.
    let day = |text: &str| text.parse::<Day>().unwrap();
    let child = |number: u32| format!("c{number:04}");
    let winter = (0..400).map(|number| Visit { child: child(number), on: day("2024-01-10") });
    let again = (0..400).step_by(2).map(|number| Visit { child: child(number), on: day("2024-02-10") });
    let summer = (0..400).filter(|number| number % 2 == 0 && number % 10 > 0);
    let summer = summer.map(|number| Visit { child: child(number), on: day("2024-06-10") });
    let visits: Vec<Visit> = winter.chain(again).chain(summer).collect();
    let coverage =
        Coverage { from: Some(day("2023-01-01")), to: Some(day("2024-12-31")), ..Coverage::default() };
    let mapping = SourceMapping::new("visits", "child", "visit", "on").coverage(coverage);
    let records = Records::builder().source(mapping, Extract::rows(&visits)).build().unwrap();
    assert_eq!((records.people(), records.intake()[0].read, records.intake()[0].rejected), (400, 760, 0));

    let cohort = CohortSpec::default().choose(&records.as_of(AsOf::new(day("2024-04-01")))).unwrap();
    let visits = || Selector::source("visits");
    let spec = FeatureSpec::new(vec![Feature::new(visits(), Measure::Count, Lookback::Days(365))]).unwrap();
    let outcome = OutcomeSpec::any("again", "Is visited again", [visits()], Horizon::Days(180));
    let data = Dataset::build(&spec, &outcome, &[cohort]).unwrap();
    assert_eq!(data.outcomes().iter().filter(|&&again| again).count(), 160);
    assert_eq!(data.matrix().cell(0, 0), Cell::Value(2.0));

    let trainer = Trainer::Logistic(LogisticParams::default());
    let candidate = Candidate::train(&data, &trainer, TrainingContext::default()).unwrap();
    let of = |row: usize| candidate.model().explain(data.matrix(), row).unwrap().contributions()[0];
    assert!(of(0) > 0.5 && of(1) < -0.5, "{} and {}", of(0), of(1));
}

/// `cargo test --release -- --ignored --nocapture`: figures for the guide, and nothing that can fail.
#[test]
#[ignore = "measures"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn what_one_notice_costs_beside_reading_everything() {
    let first = "2023-01-01".parse::<Day>().unwrap();
    let visit = |number: u32| Visit {
        child: format!("c{:06}", number % 130_000),
        on: first + (number / 130_000 * 30 + number % 29) as i32,
    };
    let source = |name: &str, visits: Vec<Visit>| {
        (SourceMapping::new(name, "child", "visit", "on"), Extract::rows(visits))
    };
    for rows in [130_000_u32, 1_040_000] {
        let read = || {
            let mut builder = Records::builder();
            for name in ["police", "visits", "arrears"] {
                let (mapping, extract) = source(name, (0..rows).map(visit).collect());
                builder = builder.source(mapping, extract);
            }
            builder.build().unwrap()
        };
        let begun = std::time::Instant::now();
        let held = read();
        let all = begun.elapsed();
        let (mapping, extract) = source("police", vec![visit(77)]);
        let notice = Records::builder().source(mapping, extract).build().unwrap();
        let mut took: Vec<_> = (0..9)
            .map(|_| {
                let begun = std::time::Instant::now();
                std::hint::black_box(held.with(&notice, &[]).unwrap());
                begun.elapsed()
            })
            .collect();
        took.sort_unstable();
        println!("3 sources of {rows} rows: read {all:.1?}; with one notice {:.1?} (median of 9)", took[4]);
    }
}

#[test]
fn it_is_the_core_alone() {
    let linked = linked();
    for heavy in ["polars", "linfa", "calamine", "rusqlite", "tokio", "askama"] {
        assert!(!linked.contains(heavy), "{heavy}");
    }
    assert!(linked.lines().count() <= 60, "{linked}");
}

/// What is linked, or run while building.
fn linked() -> String {
    let done = Command::new(std::env::var_os("CARGO").unwrap())
        .args(["tree", "--offline", "--locked", "-e", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let lines: std::collections::BTreeSet<&str> =
        text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!(lines.len() > 20);
    lines.into_iter().collect::<Vec<_>>().join("\n")
}
