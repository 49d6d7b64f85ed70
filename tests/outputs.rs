//! What the command writes: whole or absent, for its owner alone, never over an input; and what it prints.
//!
//! A fault at every single operation of writing is tried beside the code (`src/outputs/tests.rs`).

#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use earlyhelp::synthetic::{CouncilParams, Format};

const EARLYHELP: &str = env!("CARGO_BIN_EXE_earlyhelp");

fn earlyhelp<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(EARLYHELP).args(arguments).output().unwrap()
}

/// The command under a shell's settings: limits, traps, a mask of modes.
fn under(settings: &str, arguments: &[&str]) -> Output {
    let script = format!("{settings}; exec \"$0\" \"$@\"");
    Command::new("sh").args(["-c", &script, EARLYHELP]).args(arguments).output().unwrap()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every file below a folder, hidden ones too, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    found
}

/// The files of a folder itself, by name.
fn seen(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let own = files(folder).into_iter().filter(|(path, _)| path.parent() == Some(folder));
    own.map(|(path, bytes)| (path.file_name().unwrap().to_str().unwrap().to_owned(), bytes)).collect()
}

/// What a run left besides its files: nothing should wait in the hidden folder.
fn left(folder: &Path) -> Vec<PathBuf> {
    let hidden = files(&folder.join(".earlyhelp")).into_keys();
    hidden.filter(|path| !path.ends_with("lock") && !path.ends_with("outputs.json")).collect()
}

fn council(folder: &Path) -> PathBuf {
    CouncilParams::new(2_000, 3).dirty(true).generate().unwrap().write(folder, Format::Csv).unwrap()
}

/// A table of scores; another `month` has other ones.
fn scores(path: &Path, month: usize) {
    let rows = (0..120).map(|row| {
        let (sex, outcome) = (["f", "m"][row % 2], usize::from((row * (month + 3)) % 7 < 2));
        format!("{}.{:02},{outcome},{sex}\n", month, (row * 37) % 100)
    });
    std::fs::write(path, "risk,outcome,sex\n".to_owned() + &rows.collect::<String>()).unwrap();
}

fn audit<'a>(table: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let start = ["audit", text(table), "--score", "risk", "--outcome", "outcome", "--group", "sex"];
    let end = ["--capacity", "20", "--resamples", "39", "--title", "scores", "--out", text(out)];
    start.iter().chain(&end).chain(more).copied().collect()
}

#[test]
fn no_input_is_written_over_under_any_name_even_where_it_is_forced() {
    let all = tempfile::tempdir().unwrap();
    let project = council(all.path());
    let at = |name: &str| all.path().join(name);
    std::fs::hard_link(at("people.csv"), at("hard.csv")).unwrap();
    symlink(at("people.csv"), at("soft.csv")).unwrap();
    std::fs::write(at("scores.csv"), "risk\n").unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/synthetic_council_logistic.json");
    std::fs::copy(model, at("model.json")).unwrap();
    let before = files(all.path());

    let (project, people, model) = (text(&project), at("people.csv"), at("model.json"));
    let (hard, soft, scores) = (at("hard.csv"), at("soft.csv"), at("scores.csv"));
    let runs: [&[&str]; 8] = [
        &["check", project, "--rejects", text(&people)],
        &["check", project, "--rejects", text(&hard)],
        &["check", project, "--rejects", text(&soft)],
        &["check", project, "--rejects", project],
        &["train", project, "--out", project],
        &["train", project, "--out", text(&people)],
        &["explain", text(&model), "--out", text(&model)],
        &[
            "release",
            text(&model),
            "--by",
            "B",
            "--role",
            "R",
            "--purpose",
            "P",
            "--review-by",
            "2030-01-01",
            "--out",
            text(&model),
        ],
    ];
    for run in runs {
        for forced in [&[][..], &["--force"]] {
            let output = earlyhelp(&[run, forced].concat());
            assert_eq!(output.status.code(), Some(1), "{run:?}");
            let says = complained(&output);
            assert!(says.contains("never written over; give another name"), "{run:?}: {says}");
            assert!(files(all.path()) == before, "{run:?}");
        }
    }
    // The name of another file that is there needs a word.
    for run in [
        &["check", project, "--rejects", text(&scores)][..],
        &["explain", text(&model), "--out", text(&scores)],
        &["train", project, "--out", text(&scores)],
    ] {
        let output = earlyhelp(run);
        assert_eq!(output.status.code(), Some(1), "{run:?}");
        assert!(
            complained(&output).contains("or --force to write over it"),
            "{run:?}: {}",
            complained(&output)
        );
        assert!(files(all.path()) == before, "{run:?}");
    }
    let forced = earlyhelp(&["explain", text(&model), "--out", text(&scores), "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", complained(&forced));
    assert!(std::fs::read_to_string(&scores).unwrap().contains("<html"));
}

#[test]
fn an_invented_council_is_not_written_over_real_files() {
    let all = tempfile::tempdir().unwrap();
    let real = all.path().join("council");
    std::fs::create_dir(&real).unwrap();
    std::fs::write(real.join("people.csv"), "person_id\nreal\n").unwrap();
    let before = files(all.path());
    for run in [
        ["synth", "--children", "1000", "--out", text(&real)],
        ["demo", "--children", "1000", "--out", text(all.path())],
    ] {
        let output = earlyhelp(&run);
        assert_eq!(output.status.code(), Some(1));
        assert!(complained(&output).contains("people.csv is there already"), "{}", complained(&output));
        assert!(files(all.path()) == before, "{run:?}");
    }
    let synth = |more: &[&str]| {
        let output = earlyhelp(&[&["synth", "--children", "1000", "--out", text(&real)], more].concat());
        (output.status.code(), complained(&output))
    };
    assert_eq!(synth(&["--force"]).0, Some(0));
    // Its own earlier files are its own; one that was changed since is somebody's.
    assert_eq!(synth(&["--seed", "2"]).0, Some(0));
    std::fs::write(real.join("plans.csv"), "mine\n").unwrap();
    let (code, says) = synth(&["--seed", "3"]);
    assert!(code == Some(1) && says.contains("plans.csv is there already"), "{says}");
    assert_eq!(std::fs::read_to_string(real.join("plans.csv")).unwrap(), "mine\n");
}

#[test]
fn forty_runs_at_once_never_mix_two_tables() {
    let all = tempfile::tempdir().unwrap();
    let tables = [1, 2].map(|month| {
        let path = all.path().join(format!("scores-{month}.csv"));
        scores(&path, month);
        path
    });
    // As each is when it is alone. The name of the file stands in it.
    let alone = [0, 1].map(|nth| {
        let out = all.path().join(format!("alone-{nth}"));
        let output = earlyhelp(&audit(&tables[nth], &out, &[]));
        assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
        seen(&out)
    });
    assert_eq!(alone[0].len(), 4);
    assert!(
        alone[0].iter().zip(&alone[1]).all(|(one, other)| one.1 != other.1),
        "the tables differ in every file"
    );
    let out = all.path().join("together");
    for _ in 0..5 {
        let runs: Vec<_> = (0..8)
            .map(|nth| Command::new(EARLYHELP).args(audit(&tables[nth % 2], &out, &[])).output_later())
            .collect();
        for mut run in runs {
            assert!(run.wait().unwrap().success());
        }
        let there = seen(&out);
        assert!(alone.contains(&there), "{:?}", there.keys());
        assert_eq!(left(&out), Vec::<PathBuf>::new());
    }
}

trait OutputLater {
    fn output_later(&mut self) -> std::process::Child;
}

impl OutputLater for Command {
    fn output_later(&mut self) -> std::process::Child {
        self.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    }
}

#[test]
fn a_full_disk_leaves_nothing_and_a_killed_run_is_tidied_up_by_the_next() {
    let all = tempfile::tempdir().unwrap();
    let whole = all.path().join("whole");
    let synth = |out: &Path| ["synth", "--children", "1000", "--out", text(out)].map(str::to_owned);
    assert!(earlyhelp(&synth(&whole)).status.success());
    let whole = seen(&whole);
    assert!(whole.len() > 15);

    // No file may be longer than so many blocks. First the limit is an error, then it kills.
    for blocks in [1, 8, 40, 100] {
        let out = all.path().join(format!("full-{blocks}"));
        let run = synth(&out);
        let run: Vec<&str> = run.iter().map(String::as_str).collect();
        let output = under(&format!("trap '' XFSZ; ulimit -f {blocks}"), &run);
        assert_eq!(output.status.code(), Some(1), "{blocks}");
        assert!(complained(&output).contains("cannot write"), "{}", complained(&output));
        assert!(!out.exists(), "{:?}", files(&out).keys());

        let output = under(&format!("ulimit -f {blocks}"), &run);
        assert_eq!(output.status.code(), None, "a signal ended it");
        assert!(seen(&out).is_empty());
        for path in files(&out).keys() {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
        }
        assert!(earlyhelp(&run).status.success());
        assert!(seen(&out) == whole && left(&out).is_empty());
    }
    // Killed at any time.
    let out = all.path().join("killed");
    let mut killed = 0;
    for pause in 0..40 {
        let mut run = Command::new(EARLYHELP).args(synth(&out)).output_later();
        std::thread::sleep(Duration::from_millis(8 * pause));
        run.kill().unwrap();
        killed += usize::from(!run.wait().unwrap().success());
        let there = seen(&out);
        assert!(there.iter().all(|(name, bytes)| whole.get(name) == Some(bytes)), "{:?}", there.keys());
    }
    assert!(killed > 3, "{killed} were killed in time");
    assert!(earlyhelp(&synth(&out)).status.success());
    assert!(seen(&out) == whole && left(&out).is_empty());
}

#[test]
fn whatever_is_written_is_its_owners_alone_and_follows_no_link() {
    let all = tempfile::tempdir().unwrap();
    let at = |name: &str| all.path().join(name);
    scores(&at("scores.csv"), 1);
    let out = at("out");
    let run = under("umask 0", &audit(&at("scores.csv"), &out, &[]));
    assert_eq!(run.status.code(), Some(0), "{}", complained(&run));
    let council_made = under(
        "umask 0",
        &["synth", "--children", "2000", "--seed", "3", "--dirty", "--out", text(&at("council"))],
    );
    assert_eq!(council_made.status.code(), Some(0));
    let (page, rejects) = (at("page"), at("council").join("rejects.csv"));
    let project = at("council").join("project.toml");
    let check =
        under("umask 0", &["check", text(&project), "--out", text(&page), "--rejects", text(&rejects)]);
    assert_eq!(check.status.code(), Some(3), "{}", complained(&check));
    let written: Vec<PathBuf> =
        [&out, &page, &at("council")].into_iter().flat_map(|folder| files(folder).into_keys()).collect();
    assert!(written.len() > 25 && written.contains(&rejects), "{written:?}");
    for path in written {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o177, 0, "{path:?}");
    }
    // What was stricter stays so.
    std::fs::set_permissions(out.join("audit.csv"), std::fs::Permissions::from_mode(0o400)).unwrap();
    scores(&at("scores.csv"), 2);
    assert_eq!(earlyhelp(&audit(&at("scores.csv"), &out, &[])).status.code(), Some(0));
    assert_eq!(std::fs::metadata(out.join("audit.csv")).unwrap().permissions().mode() & 0o777, 0o400);

    // Links that somebody planted where files are to come.
    for planted in ["audit.csv", "audit.csv.part", ".earlyhelp"] {
        let (out, victim) = (at(&format!("planted-{planted}")), at("victim"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(&victim, "somebody's\n").unwrap();
        symlink(&victim, out.join(planted)).unwrap();
        let run = earlyhelp(&audit(&at("scores.csv"), &out, &[]));
        assert_eq!(run.status.success(), planted == "audit.csv.part", "{}", complained(&run));
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "somebody's\n");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let all = tempfile::tempdir().unwrap();
    let table = all.path().join("scores.csv");
    scores(&table, 1);
    // The name of a column, from a file of somebody else's.
    let column = "sex\u{1b}]0;x\u{7}\u{202e}\u{9b}2J\u{200b}";
    let text_of =
        std::fs::read_to_string(&table).unwrap().replacen("sex", column, 1).replace(",f\n", ",f\u{1b}[8m\n");
    std::fs::write(&table, text_of).unwrap();
    let out = all.path().join("out");
    let mut run = audit(&table, &out, &[]);
    let place = run.iter().position(|word| *word == "sex").unwrap();
    run[place] = column;
    let is_tame = |bytes: &[u8]| {
        let printed = String::from_utf8(bytes.to_vec()).unwrap();
        let wild = printed.chars().find(|&c| {
            (c.is_control() && c != '\n')
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{202a}'..='\u{202e}').contains(&c)
        });
        assert_eq!(wild, None, "{printed:?}");
        printed
    };
    let words = earlyhelp(&run);
    assert_eq!(words.status.code(), Some(0), "{}", complained(&words));
    assert!(is_tame(&words.stdout).contains("sex\\u{1b}]0;x"));
    run.push("--json");
    let json = is_tame(&earlyhelp(&run).stdout);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["columns"]["groups"][0], column);
    is_tame(&std::fs::read(out.join("audit.csv")).unwrap()[3..]);

    // Error texts: a path, a name in a project.
    for name in ["no\u{1b}[2J.toml", "no\u{202e}.toml"] {
        let run = earlyhelp(&["check", name]);
        assert_eq!(run.status.code(), Some(1));
        assert!(is_tame(&run.stderr).contains("\\u{"));
    }
}

#[test]
fn rejects_are_neutralised_and_hold_nobody() {
    let all = tempfile::tempdir().unwrap();
    let project = council(&all.path().join("council"));
    let police = project.with_file_name("police.csv");
    // A column whose name is a formula, and a row whose every cell can be looked for.
    let table = std::fs::read_to_string(&police).unwrap().replacen("occurred", "=now()", 1);
    let columns = table.lines().next().unwrap().split(',').count();
    std::fs::write(&police, table + &["MARKER-CELL"; 20][..columns].join(",") + "\n").unwrap();
    let with = std::fs::read_to_string(&project).unwrap();
    let at = with.find("path = \"police.csv\"").unwrap();
    let with = with[..at].to_owned() + &with[at..].replacen("\"occurred\"", "\"=now()\"", 1);
    std::fs::write(&project, with).unwrap();
    let (out, rejects) = (all.path().join("page"), all.path().join("rejects.csv"));
    let run = earlyhelp(&["check", text(&project), "--out", text(&out), "--rejects", text(&rejects)]);
    assert_eq!(run.status.code(), Some(3), "{}", complained(&run));
    let table = std::fs::read_to_string(&rejects).unwrap();
    assert!(table.contains(",'=now(),") && !table.contains(",=now"), "{table}");
    let said = [run.stdout.clone(), run.stderr.clone()];
    let council = project.parent().unwrap();
    let written = files(all.path()).into_iter().filter(|(path, _)| !path.starts_with(council));
    let written: Vec<Vec<u8>> = written.map(|(_, bytes)| bytes).chain(said).collect();
    assert!(written.len() >= 5);
    for bytes in written {
        assert!(!String::from_utf8_lossy(&bytes).contains("MARKER"));
    }
}
