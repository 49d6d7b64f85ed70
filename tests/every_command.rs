//! Every command, on people that can be told from all others: who they are stands where it has to be and nowhere else; and on a
//! disk that is full, or killed at any time, each leaves its files whole or none.

#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use earlyhelp::synthetic::{CouncilParams, Format};

const EARLYHELP: &str = env!("CARGO_BIN_EXE_earlyhelp");

/// What tells an id, a reference, a name, a note, a cell that cannot be read, and what a person wrote.
const MARKERS: [&str; 6] = ["MKID", "MKREF", "MKNAME", "MKNOTE", "MKBAD", "MKWORD"];

/// Where a marker may stand: the beginning of a file's path, or `>` for what the command prints.
struct May {
    marker: &'static str,
    stand: &'static [&'static str],
}

/// One command of the story.
struct Step {
    /// Its words; `{run}`, `{entity}`, `{record}` and `{model}` stand for what the steps before gave.
    words: &'static str,
    /// The files and folders that it writes; no ledger.
    writes: &'static [&'static str],
    /// Exit codes that are none of a failure: rows of the extracts are rejected.
    code: i32,
    may: &'static [May],
}

const LEDGER: &[May] = &[
    May { marker: "MKID", stand: &["ledger."] },
    May { marker: "MKREF", stand: &["ledger."] },
    May { marker: "MKWORD", stand: &["ledger."] },
];

const STEPS: &[Step] = &[
    Step { words: "schema", writes: &[], code: 0, may: &[] },
    Step { words: "init council --out draft.toml", writes: &["draft.toml"], code: 0, may: &[] },
    Step {
        words: "check council/project.toml --as-of 2025-04-01 --out checked --rejects rejects.csv",
        writes: &["checked", "rejects.csv"],
        code: 3,
        may: &[],
    },
    Step {
        words: "train council/project.toml --trainer logistic --out model.json",
        writes: &["model.json", "model.metrics.csv", "model.metrics.xlsx"],
        code: 3,
        may: &[],
    },
    Step { words: "explain model.json --out model.html", writes: &["model.html"], code: 0, may: &[] },
    Step {
        words: "card model.json --out papers --project council/project.toml --with-extracts",
        writes: &["papers"],
        code: 3,
        may: &[],
    },
    Step {
        words: "audit scores.csv --score risk --outcome outcome --group sex --cluster id --capacity 20 --resamples 39 --out audited",
        writes: &["audited"],
        code: 0,
        may: &[],
    },
    Step {
        words: "audit-model council/project.toml --model model.json --out in_depth",
        writes: &["in_depth"],
        code: 3,
        may: &[],
    },
    Step {
        words: "edit council/project.toml --model model.json --drop age --by A --reason B --on 2025-04-01 --out edited.json",
        writes: &["edited.json"],
        code: 3,
        may: &[],
    },
    Step {
        words: "release model.json --by A --role B --purpose early-help --on 2025-04-01 --review-by 2026-04-01 --out released.json \
                --ledger ledger.sqlite",
        writes: &["released.json"],
        code: 0,
        may: &[],
    },
    Step {
        words: "score council/project.toml --model released.json --as-of 2025-04-01 --capacity 6 --at-random 2 --requested-by C \
                --purpose early-help --on 2025-04-01 --out list --audit listed --ledger ledger.sqlite",
        writes: &["list", "listed"],
        code: 3,
        may: &[
            May { marker: "MKID", stand: &["list/", "ledger."] },
            May {
                marker: "MKREF",
                stand: &["list/list.html", "list/list.json", "list/list.xlsx", "ledger."],
            },
        ],
    },
    Step {
        words: "monitor council/project.toml --model released.json --as-of 2025-04-01 --out monitored",
        writes: &["monitored"],
        code: 3,
        may: LEDGER,
    },
    Step {
        words: "simulate council/project.toml --model released.json --from 2024-02-01 --to 2024-04-01 --capacity 6 --out simulated",
        writes: &["simulated"],
        code: 3,
        may: LEDGER,
    },
    Step {
        words: "sql council/project.toml --model released.json --as-of 2025-04-01 --on 2025-04-01 --dialect duckdb --out sql",
        writes: &["sql"],
        code: 0,
        may: &[],
    },
    Step {
        words: "open ledger.sqlite --run {run} --place 1 --reviewer D --role E --own-judgement MKWORD --on 2025-04-02",
        writes: &[],
        code: 0,
        may: &[
            May { marker: "MKID", stand: &["ledger.", ">"] },
            May { marker: "MKREF", stand: &["ledger."] },
            May { marker: "MKWORD", stand: &["ledger."] },
        ],
    },
    Step {
        words: "decide ledger.sqlite --run {run} --place 1 --reviewer D --role E --step no-action --agreement agree --reason MKWORD \
                --on 2025-04-02",
        writes: &[],
        code: 0,
        may: LEDGER,
    },
    Step { words: "log ledger.sqlite --on 2025-04-03", writes: &[], code: 0, may: LEDGER },
    Step { words: "verify ledger.sqlite", writes: &[], code: 5, may: LEDGER },
    Step {
        words: "checkpoint ledger.sqlite --out point.json --on 2025-04-03",
        writes: &["point.json"],
        code: 0,
        may: LEDGER,
    },
    Step {
        words: "replay ledger.sqlite --project council/project.toml --sample 40",
        writes: &[],
        code: 0,
        may: LEDGER,
    },
    Step {
        words: "correct ledger.sqlite --entity {entity} --record {record} --what MKWORD --by F --on 2025-04-03",
        writes: &[],
        code: 0,
        may: &[
            May { marker: "MKID", stand: &["ledger.", ">"] },
            May { marker: "MKREF", stand: &["ledger."] },
            May { marker: "MKWORD", stand: &["ledger."] },
        ],
    },
    Step {
        words: "subject ledger.sqlite --entity {entity} --on 2025-04-03 --out subject",
        writes: &["subject"],
        code: 0,
        may: &[
            May { marker: "MKID", stand: &["ledger.", "subject/"] },
            May { marker: "MKREF", stand: &["ledger.", "subject/"] },
            May { marker: "MKWORD", stand: &["ledger.", "subject/"] },
        ],
    },
    Step {
        words: "purge ledger.sqlite --entity {entity} --record {record} --by F --reason erasure --on 2025-04-03",
        writes: &[],
        // A brother or sister was shown with the same record: what was said of them has to be looked at.
        code: 4,
        may: LEDGER,
    },
    Step {
        words: "retire ledger.sqlite --model {model} --by F --reason over --on 2025-04-03",
        writes: &[],
        code: 0,
        may: LEDGER,
    },
    Step { words: "ledger-copy ledger.sqlite ledger.copy.jsonl", writes: &[], code: 0, may: LEDGER },
    Step { words: "ledger-schema", writes: &[], code: 0, may: LEDGER },
    Step { words: "synth --children 1000 --out invented", writes: &["invented"], code: 0, may: LEDGER },
];

/// The one command that reads nobody, which makes a council of its own for minutes, is not run here, nor is the one that needs an
/// engine to make its table: see `sql::scored`.
const NOT_RUN: [&str; 4] = ["demo", "help", "list", "serve"];

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn gather(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.map(Result::unwrap) {
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                gather(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name, std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    let mut found = BTreeMap::new();
    gather(folder, "", &mut found);
    found
}

/// Without what the writer keeps for itself: its lock, and its list of what it wrote.
fn written(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let is_kept =
        |path: &String| path.contains(".earlyhelp/lock") || path.contains(".earlyhelp/outputs.json");
    files(folder).into_iter().filter(|(path, _)| !is_kept(path)).collect()
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let to = to.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

/// The extracts of an invented council, in which every id, reference, name and note can be told, with rows that are rejected.
fn council(folder: &Path) {
    let project =
        CouncilParams::new(4_000, 4).generate().unwrap().write(&folder.join("council"), Format::Csv).unwrap();
    let text = std::fs::read_to_string(&project).unwrap();
    let purpose = text.lines().find(|line| line.starts_with("purpose = ")).unwrap().to_owned();
    std::fs::write(&project, text.replace(&purpose, "purpose = \"early-help\"")).unwrap();
    for entry in std::fs::read_dir(folder.join("council")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let table = std::fs::read_to_string(&path).unwrap();
        let mut lines = table.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut marked = format!("{},name,note\n", head.join(","));
        for line in lines {
            let cells = line.split(',').zip(&head).map(|(cell, column)| match *column {
                "person_id" => format!("MKID{cell}"),
                "record_id" => format!("MKREF{cell}"),
                _ => cell.to_owned(),
            });
            marked.push_str(&cells.collect::<Vec<_>>().join(","));
            marked.push_str(",MKNAME Smith,MKNOTE he said\n");
        }
        if path.ends_with("police.csv") {
            // A date that is none, of somebody who is known.
            let cells = head.iter().map(|column| match *column {
                "person_id" => "MKIDP0000001",
                "record_id" => "MKREF-0",
                "occurred" | "recorded" => "MKBAD",
                _ => "",
            });
            marked.push_str(&cells.collect::<Vec<_>>().join(","));
            marked.push_str(",MKNAME Smith,MKNOTE he said\n");
        }
        std::fs::write(&path, marked).unwrap();
    }
    let rows = (0..120).map(|row| {
        let (sex, outcome) = (["f", "m"][row % 2], usize::from((row * 5) % 7 < 2));
        format!("MKID{row},0.{:02},{outcome},{sex},MKNAME,MKNOTE\n", (row * 37) % 100)
    });
    let table = "id,risk,outcome,sex,name,note\n".to_owned() + &rows.collect::<String>();
    std::fs::write(folder.join("scores.csv"), table).unwrap();
}

/// What stands for the words in braces, as the files say by now.
fn words(step: &Step, folder: &Path) -> Vec<String> {
    let json = |name: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    };
    let said = |word: &str| -> String {
        let list = || json("list/list.json");
        match word {
            "{run}" => list()["audit"]["run_id"].as_str().unwrap().to_owned(),
            "{entity}" => list()["entries"][0]["case"]["entity"].as_str().unwrap().to_owned(),
            "{model}" => json("released.json")["digest"].as_str().unwrap().to_owned(),
            "{record}" => {
                let list = list();
                let parts = list["entries"][0]["case"]["contributions"].as_array().unwrap();
                let record = parts.iter().find_map(|part| part["records"].get(0)).unwrap();
                format!("{}={}", record["source"].as_str().unwrap(), record["reference"].as_str().unwrap())
            }
            other => other.to_owned(),
        }
    };
    step.words.split_whitespace().map(said).collect()
}

/// The command in a folder, with that as the place for temporary files, too.
fn command(words: &[String], folder: &Path) -> Command {
    let mut command = Command::new(EARLYHELP);
    command.args(words).current_dir(folder).env("TMPDIR", folder.join("tmp"));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// The story as it is told once: for each step the folder before it, how it ended and how long it took.
struct Told {
    _all: tempfile::TempDir,
    /// The folder before each step; the last is the one after all.
    before: Vec<PathBuf>,
    ended: Vec<Output>,
    took: Vec<Duration>,
}

static TOLD: LazyLock<Told> = LazyLock::new(|| {
    let all = tempfile::tempdir().unwrap();
    let at = |nth: usize| all.path().join(nth.to_string());
    std::fs::create_dir_all(at(0).join("tmp")).unwrap();
    council(&at(0));
    let (mut ended, mut took) = (Vec::new(), Vec::new());
    for (nth, step) in STEPS.iter().enumerate() {
        let folder = at(nth + 1);
        std::fs::create_dir_all(folder.join("tmp")).unwrap();
        // Modes are part of what is tested: the step runs where the steps before it ran.
        Command::new("cp").args(["-a"]).arg(at(nth)).arg(all.path().join("next")).status().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::rename(all.path().join("next"), &folder).unwrap();
        let began = Instant::now();
        let output = command(&words(step, &folder), &folder).output().unwrap();
        took.push(began.elapsed());
        assert_eq!(output.status.code(), Some(step.code), "{}: {}", step.words, said(&output));
        ended.push(output);
    }
    Told { before: (0..=STEPS.len()).map(at).collect(), ended, took, _all: all }
});

#[test]
fn no_command_is_forgotten_here() {
    let help = Command::new(EARLYHELP).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let commands: BTreeSet<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let here: BTreeSet<&str> =
        STEPS.iter().map(|step| step.words.split(' ').next().unwrap()).chain(NOT_RUN).collect();
    assert_eq!(commands, here);
}

/// All that a workbook holds.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut held = Vec::new();
    for nth in 0..archive.len() {
        archive.by_index(nth).unwrap().read_to_end(&mut held).unwrap();
    }
    assert!(held.len() > bytes.len());
    held
}

#[test]
fn people_stand_where_they_have_to_and_nowhere_else() {
    let told = &*TOLD;
    let mut looked_at = 0;
    let mut may_stand: Vec<(&str, &str)> = Vec::new();
    for (nth, step) in STEPS.iter().enumerate() {
        let output = &told.ended[nth];
        for may in step.may {
            may_stand
                .extend(may.stand.iter().filter(|place| **place != ">").map(|place| (may.marker, *place)));
        }
        for marker in MARKERS {
            let printed = step.may.iter().any(|may| may.marker == marker && may.stand.contains(&">"));
            assert!(printed || !said(output).contains(marker), "{}: prints {marker}", step.words);
        }
        let folder = &told.before[nth + 1];
        for (path, bytes) in files(folder) {
            if path.starts_with("council/") || path == "scores.csv" {
                continue;
            }
            looked_at += 1;
            let bytes = if bytes.starts_with(b"PK") { unpacked(&bytes) } else { bytes };
            let text = String::from_utf8_lossy(&bytes);
            for marker in MARKERS.into_iter().filter(|marker| text.contains(marker)) {
                let may = may_stand.iter().any(|(held, place)| *held == marker && path.starts_with(place));
                assert!(may, "{}: {marker} stands in {path}", step.words);
                let mode = std::fs::metadata(folder.join(&path)).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{path} holds people and is not its owner's alone");
            }
        }
        assert!(files(&folder.join("tmp")).is_empty(), "{}: a temporary file is left", step.words);
    }
    assert!(looked_at > 300, "{looked_at} files");
}

/// A column that is gone, dates that are none, and a file that is cut in the middle of a row.
#[test]
fn what_is_said_of_a_failure_names_nobody() {
    let told = &*TOLD;
    let mut failed = 0;
    for (nth, step) in STEPS.iter().enumerate() {
        if !step.words.contains("council/project.toml") {
            continue;
        }
        for fault in ["column", "dates", "cut"] {
            let folder = tempfile::tempdir().unwrap();
            copy(&told.before[nth], folder.path());
            std::fs::create_dir_all(folder.path().join("tmp")).unwrap();
            let path = folder.path().join("council/referrals.csv");
            let table = std::fs::read_to_string(&path).unwrap();
            let spoiled = match fault {
                "column" => table.replacen("occurred", "elsewhere", 1),
                "dates" => table.replace(",20", ",MKBAD"),
                _ => table[..table.len() / 2].to_owned() + "\"MKNOTE",
            };
            std::fs::write(&path, spoiled).unwrap();
            let output = command(&words(step, folder.path()), folder.path()).output().unwrap();
            failed += usize::from(!matches!(output.status.code(), Some(0 | 3)));
            assert!(output.status.code().is_some(), "{}: {fault}: a signal ended it", step.words);
            for marker in MARKERS {
                assert!(!said(&output).contains(marker), "{}: {fault}: {}", step.words, said(&output));
            }
        }
    }
    assert!(failed > 10, "{failed} failed");
}

/// Whether a path is that of a file, or of one in a folder.
fn is_of(path: &str, of: &str) -> bool {
    path == of || path.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'))
}

/// The files that a step writes, by their paths.
fn outputs(step: &Step, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    written(folder).into_iter().filter(|(path, _)| step.writes.iter().any(|of| is_of(path, of))).collect()
}

#[test]
fn on_a_full_disk_or_killed_at_any_time_files_are_whole_or_absent_and_a_rerun_finishes() {
    let told = &*TOLD;
    let mut account = String::new();
    for (nth, step) in STEPS.iter().enumerate().filter(|(_, step)| !step.writes.is_empty()) {
        let (before, whole) = (written(&told.before[nth]), outputs(step, &told.before[nth + 1]));
        assert!(!whole.is_empty(), "{} writes nothing", step.words);
        let (mut tried, mut stopped, mut finished) = (0, 0, 0);
        let largest = whole.values().map(Vec::len).max().unwrap_or_default().div_ceil(512);
        let limits = [0, 1, largest / 2, largest.saturating_sub(1)].map(Err);
        let times = [1, 3, 5, 6, 7].map(|part| Ok(told.took[nth] * part / 7));
        for fault in limits.into_iter().chain(times) {
            let folder = tempfile::tempdir().unwrap();
            copy(&told.before[nth], folder.path());
            std::fs::create_dir_all(folder.path().join("tmp")).unwrap();
            let words = words(step, folder.path());
            tried += 1;
            let success = match fault {
                Err(blocks) => {
                    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
                    let output = Command::new("sh")
                        .args(["-c", &script, EARLYHELP])
                        .args(&words)
                        .current_dir(folder.path())
                        .env("TMPDIR", folder.path().join("tmp"))
                        .output()
                        .unwrap();
                    let ended = output.status.code();
                    assert!(ended.is_some(), "{}: a signal ended it", step.words);
                    if ended != Some(step.code) {
                        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
                        assert!(complaint.contains("make room on that disk"), "{}: {complaint}", step.words);
                    }
                    ended == Some(step.code)
                }
                Ok(pause) => {
                    let mut run = command(&words, folder.path())
                        .stdout(Stdio::null())
                        .stderr(Stdio::null())
                        .spawn()
                        .unwrap();
                    std::thread::sleep(pause);
                    let _ = run.kill();
                    run.wait().unwrap().code() == Some(step.code)
                }
            };
            stopped += usize::from(!success);
            let after = written(folder.path());
            for (path, bytes) in before.iter().filter(|(path, _)| !path.starts_with("ledger.")) {
                assert!(after.get(path) == Some(bytes), "{}: {path} was touched", step.words);
            }
            // A set of files is whole or not there; a run with an audit has two sets.
            let found = outputs(step, folder.path());
            for set in step.writes {
                let of = |files: &BTreeMap<String, Vec<u8>>| -> BTreeSet<String> {
                    files.keys().filter(|path| is_of(path, set)).cloned().collect()
                };
                let there = of(&found);
                let visible: BTreeSet<&String> =
                    there.iter().filter(|path| !path.contains("/.earlyhelp/")).collect();
                // A kill between two renames leaves some of the new files, and the next run finishes the moves; of a full disk
                // nothing stays.
                let is_new = visible.iter().all(|path| whole.contains_key(*path));
                let is_whole = visible.is_empty() || visible.len() == of(&whole).len();
                assert!(
                    is_new && (is_whole || fault.is_ok()),
                    "{}: {visible:?} of {:?}",
                    step.words,
                    of(&whole)
                );
            }
            if !success {
                let again = command(&words, folder.path()).output().unwrap();
                assert_eq!(again.status.code(), Some(step.code), "{}: {}", step.words, said(&again));
                let found = outputs(step, folder.path());
                assert!(found.keys().eq(whole.keys()), "{}: {:?}", step.words, found.keys());
                if !step.words.contains("ledger.") {
                    assert!(found == whole, "{}: a rerun writes something else", step.words);
                }
                finished += 1;
            }
        }
        account.push_str(&format!(
            "{}: {tried} tried, {stopped} stopped, {finished} finished by a rerun, 0 lost\n",
            step.words.split(' ').next().unwrap_or_default()
        ));
        assert_eq!(stopped, finished);
    }
    println!("{account}");
}
