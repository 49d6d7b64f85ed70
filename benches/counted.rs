//! Instructions, counted by callgrind and not timed: figures that repeat on a machine that does other things too.
//!
//! ```text
//! cargo bench --bench counted            # all stages; a minute or two
//! cargo bench --bench counted -- csv     # those whose name matches
//! ```
//!
//! Each stage runs in a process of its own under `valgrind --tool=callgrind`, on one thread, twice: with its input prepared and
//! nothing done, and with the work done. What is told is the difference.
//!
//! - **`csv`, `parquet`**: a council of 2,000 children from its files to validated, linked records; instructions for each row
//!   read (some 64,000).
//! - **`features`, `features-12`**: 270 windowed columns of 100,000 events of 5,000 people at one date, and at twelve; for each
//!   event and date.
//! - **`council`**: the features of the council's own project for its cohort at one date; for each case.
//! - **Seed**: 11.
#![allow(clippy::unwrap_used, reason = "a benchmark whose set-up fails must stop")]

mod common;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use earlyhelp::project::Project;
use earlyhelp::synthetic::Format;

const STAGES: [&str; 5] = ["csv", "parquet", "features", "features-12", "council"];
const CHILDREN: u32 = 2_000;
const EVENTS: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [child, stage, folder] = &arguments[..]
        && let Some(works) = ["--prepare", "--work"].iter().position(|name| name == child)
    {
        println!("{}", run(stage, Path::new(folder), works == 1));
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return;
    }
    let council = common::council(CHILDREN);
    let folder = tempfile::tempdir().unwrap();
    common::project(&council, &folder.path().join("csv"), Format::Csv);
    common::project(&council, &folder.path().join("parquet"), Format::Parquet);
    let asked = arguments.iter().find(|argument| !argument.starts_with("--"));
    println!("{:<12} {:>16} {:>10}  each", "stage", "instructions", "of");
    for stage in STAGES.iter().filter(|stage| asked.is_none_or(|asked| stage.contains(asked.as_str()))) {
        let [(idle, _), (busy, of)] = ["--prepare", "--work"].map(|what| counted(what, stage, folder.path()));
        let counted = busy.saturating_sub(idle);
        println!("{stage:<12} {counted:>16} {of:>10}  {:.0}", counted as f64 / of as f64);
    }
}

/// The instructions of one run of this program, and what it says that it has worked through.
fn counted(what: &str, stage: &str, folder: &Path) -> (u64, u64) {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([what, stage])
        .arg(folder)
        .env("RAYON_NUM_THREADS", "1")
        .env("POLARS_MAX_THREADS", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stderr).unwrap();
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1)).unwrap();
    let done = String::from_utf8(output.stdout).unwrap();
    (collected.trim().parse().unwrap(), done.trim().parse().unwrap())
}

/// Prepares a stage's input, and does the work where that is asked for. Gives what there is to work through.
fn run(stage: &str, folder: &Path, works: bool) -> u64 {
    let project = |form: &str| Project::load(folder.join(form).join("project.toml")).unwrap();
    match stage {
        "csv" | "parquet" => {
            let project = project(stage);
            if !works {
                return 1;
            }
            let records = project.records().unwrap();
            black_box(&records).intake().iter().map(|intake| intake.read).sum()
        }
        "council" => {
            let project = project("parquet");
            let records = project.records().unwrap();
            let spec = project.features().unwrap();
            let cohort = project.cohort(&records, "2024-04-01".parse().unwrap()).unwrap();
            if works {
                black_box(spec.compute(&cohort).unwrap());
            }
            cohort.len() as u64
        }
        _ => {
            let dates = if stage == "features" { 1 } else { 12 };
            let (records, spec) = (common::events(EVENTS), common::wide_spec());
            for month in 1..=dates {
                let cohort = common::everybody(&records, &format!("2023-{month:02}-01"));
                if works {
                    black_box(spec.compute(&cohort).unwrap());
                }
            }
            (EVENTS * dates) as u64
        }
    }
}
