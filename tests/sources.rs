//! A source that came otherwise than at training, on the command: refused, accepted with a name, found.

use std::path::Path;
use std::process::{Command, Output};

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const PURPOSE: &str = "Offer early help to families before a crisis";

/// A council with a released model, and the list of its next date.
struct Council {
    folder: tempfile::TempDir,
}

impl Council {
    fn new() -> Self {
        let council = Self { folder: tempfile::tempdir().unwrap() };
        let [project, model, released] =
            ["project.toml", "model.json", "released.json"].map(|name| council.at(name));
        let folder = council.folder.path().to_str().unwrap();
        let commands: [&[&str]; 3] = [
            &["synth", "--out", folder, "--children", "2000", "--format", "csv"],
            &["train", &project, "--out", &model, "--trainer", "logistic"],
            &[
                "release",
                &model,
                "--by",
                "A",
                "--role",
                "Head",
                "--purpose",
                PURPOSE,
                "--on",
                "2025-04-01",
                "--review-by",
                "2026-04-01",
                "--out",
                &released,
            ],
        ];
        for command in commands {
            let done = earlyhelp(command);
            assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        }
        council
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn score(&self, more: &[&str]) -> Output {
        let [project, model, out, ledger] =
            ["project.toml", "released.json", "list", "ledger.jsonl"].map(|name| self.at(name));
        let given = [
            "score",
            &project,
            "--model",
            &model,
            "--as-of",
            "2025-04-01",
            "--capacity",
            "20",
            "--requested-by",
            "B. Lead",
            "--purpose",
            PURPOSE,
            "--on",
            "2025-04-01",
            "--out",
            &out,
            "--ledger",
            &ledger,
        ];
        earlyhelp(&[&given[..], more].concat())
    }
}

#[test]
fn an_emptied_source_is_refused_until_somebody_accepts_it() {
    let council = Council::new();
    let said = council.score(&[]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let unneeded = council.score(&["--accept", "housing", "--by", "C. Data", "--reason", "none"]);
    assert!(text(&unneeded.stderr).contains("nothing to accept"), "{}", text(&unneeded.stderr));

    let housing = council.at("housing.csv");
    let whole = std::fs::read_to_string(&housing).unwrap();
    std::fs::write(&housing, whole.lines().next().unwrap().to_owned() + "\n").unwrap();
    std::fs::remove_dir_all(council.at("list")).unwrap();

    let refused = council.score(&[]);
    let why = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(why.contains("housing: it has no row") && why.contains("--accept SOURCE"), "{why}");
    assert!(!Path::new(&council.at("list")).exists(), "no list of a source that is not there");

    let [project, model] = ["project.toml", "released.json"].map(|name| council.at(name));
    // For `check` it is an error besides, since features read a source without a record.
    for (command, code) in [("check", 1), ("monitor", 4)] {
        let found = earlyhelp(&[command, &project, "--model", &model, "--as-of", "2025-04-01"]);
        assert_eq!(found.status.code(), Some(code), "{command}: {}", text(&found.stderr));
        let said = text(&found.stdout);
        assert!(said.contains("housing is not what it was when the model was trained"), "{said}");
    }

    let accepted = council.score(&[
        "--accept",
        "housing",
        "--by",
        "C. Data",
        "--reason",
        "the landlord left the council",
    ]);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted.stderr));
    let list = std::fs::read_to_string(council.at("list/list.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let held = &list["audit"]["accepted"][0];
    assert_eq!(held["acceptance"]["by"], "C. Data");
    assert_eq!(held["found"][0]["source"], "housing");
    let page = std::fs::read_to_string(council.at("list/list.html")).unwrap();
    assert!(page.contains("C. Data accepted that: The landlord left the council."));
    let ledger = std::fs::read_to_string(council.at("ledger.jsonl")).unwrap();
    // Where the run was asked for, and in its manifest.
    assert!(ledger.matches("the landlord left the council").count() >= 2);
}
