//! The command as a person uses it: what it writes, what it says, how it exits.

use std::path::Path;
use std::process::{Command, Output};

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn the_whole_path_from_extracts_to_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let council = at("council");
    let project = council.join("project.toml");
    let (model, released, out) = (at("model.json"), at("released.json"), at("lists"));

    let synth = earlyhelp(&["synth", "--out", text(&council), "--children", "4000", "--format", "parquet"]);
    assert_eq!(code(&synth), 0, "{}", complained(&synth));
    assert_eq!(said(&synth).trim(), text(&project));

    let check = earlyhelp(&["check", text(&project), "--json"]);
    assert_eq!(code(&check), 0, "{}", complained(&check));
    let report: serde_json::Value = serde_json::from_str(&said(&check)).unwrap();
    for intake in report["intake"].as_array().unwrap() {
        assert_eq!(intake["read"], intake["accepted"]);
    }

    let train =
        earlyhelp(&["train", text(&project), "--out", text(&model), "--trainer", "logistic", "--json"]);
    assert_eq!(code(&train), 0, "{}", complained(&train));
    let figures: serde_json::Value = serde_json::from_str(&said(&train)).unwrap();
    assert!(figures["backtest"]["overall"]["auc"]["value"].as_f64().unwrap() > 0.6);

    // Not released: it cannot score.
    let purpose = "Offer early help to families before a crisis";
    let score = |model: &Path, purpose: &str, on: &str| {
        earlyhelp(&[
            "score",
            text(&project),
            "--model",
            text(model),
            "--as-of",
            "2025-04-01",
            "--capacity",
            "7",
            "--at-random",
            "2",
            "--requested-by",
            "B. Lead",
            "--purpose",
            purpose,
            "--on",
            on,
            "--out",
            text(&out),
        ])
    };
    let early = score(&model, purpose, "2025-04-01");
    assert_eq!(code(&early), 1);
    assert!(complained(&early).contains("release it first"), "{}", complained(&early));

    let release = earlyhelp(&[
        "release",
        text(&model),
        "--by",
        "A. Manager",
        "--role",
        "Head of Early Help",
        "--purpose",
        purpose,
        "--review-by",
        "2026-04-01",
        "--on",
        "2025-04-01",
        "--out",
        text(&released),
    ]);
    assert_eq!(code(&release), 0, "{}", complained(&release));
    for part in ["Released by A. Manager (Head of Early Help)", "2026-04-01", purpose, text(&released)] {
        assert!(said(&release).contains(part), "{part}: {}", said(&release));
    }

    let other = score(&released, "Choose whom to investigate", "2025-04-01");
    assert_eq!(code(&other), 1);
    let late = score(&released, purpose, "2026-04-02");
    assert_eq!(code(&late), 1);
    assert!(complained(&late).contains("reviewed by 2026-04-01"), "{}", complained(&late));
    assert!(!out.exists(), "a refused run writes nothing");

    let scored = score(&released, purpose, "2025-04-01");
    assert_eq!(code(&scored), 0, "{}", complained(&scored));
    let list: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("list.json")).unwrap()).unwrap();
    assert_eq!(list["entries"].as_array().unwrap().len(), 9);
    assert_eq!(list["entries"][8]["drawn"], "at_random");
    assert_eq!(list["audit"]["sources"].as_array().unwrap().len(), 18);
    assert_eq!(std::fs::read_to_string(out.join("list.csv")).unwrap().lines().count(), 10);
    let page = std::fs::read_to_string(out.join("list.html")).unwrap();
    assert!(page.contains(list["entries"][0]["case"]["entity"].as_str().unwrap()));

    // A list that nobody could act on any more says so.
    assert!(!said(&scored).contains("has expired"), "{}", said(&scored));
    let expired = score(&released, purpose, "2025-06-15");
    assert_eq!(code(&expired), 0, "{}", complained(&expired));
    assert!(said(&expired).contains("This list has expired"), "{}", said(&expired));
    assert!(said(&expired).contains("--on"), "{}", said(&expired));

    // A changed model is refused.
    let changed = std::fs::read_to_string(&released).unwrap().replacen("\"rows\": ", "\"rows\": 1", 1);
    std::fs::write(&released, changed).unwrap();
    let refused = score(&released, purpose, "2025-04-01");
    assert_eq!(code(&refused), 1);
    assert!(complained(&refused).contains("changed"), "{}", complained(&refused));
}

#[test]
fn dirty_extracts_are_read_rejected_and_reported() {
    use earlyhelp::synthetic::{CouncilParams, Format};

    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2000, 3).dirty(true).generate().unwrap();
    let project = council.write(folder.path(), Format::Csv).unwrap();
    let rejects = folder.path().join("rejects.csv");
    let check = earlyhelp(&["check", text(&project), "--json", "--rejects", text(&rejects)]);
    assert_eq!(code(&check), 3, "{}", complained(&check));

    let report: serde_json::Value = serde_json::from_str(&said(&check)).unwrap();
    let listed = std::fs::read_to_string(&rejects).unwrap();
    // Every row that was planted to be bad is rejected where it stands (the header is line 1), and no other.
    let mut planted = std::collections::BTreeSet::new();
    for dirt in council.planted_dirt().iter().filter(|dirt| dirt.kind.must_be_rejected()) {
        for row in &dirt.rows {
            planted.insert((dirt.source.to_owned(), *row as u64 + 2));
        }
    }
    let found: std::collections::BTreeSet<(String, u64)> = report["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| (reject["source"].as_str().unwrap().to_owned(), reject["row"].as_u64().unwrap()))
        .collect();
    assert!(!planted.is_empty());
    assert_eq!(found, planted);
    assert_eq!(listed.lines().count() - 1, found.len());
    for intake in report["intake"].as_array().unwrap() {
        let count = |name: &str| intake[name].as_u64().unwrap();
        assert_eq!(count("read"), count("accepted") + count("rejected"));
    }
}

#[test]
fn wrong_use_and_failures_have_their_own_codes() {
    assert_eq!(code(&earlyhelp(&["score"])), 2);
    assert_eq!(code(&earlyhelp(&["demo", "--out", "x", "--children", "many"])), 2);
    let missing = earlyhelp(&["check", "no-such-project.toml"]);
    assert_eq!(code(&missing), 1);
    assert!(complained(&missing).contains("no-such-project.toml"));
    let help = earlyhelp(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(said(&help).contains("Exit codes"));
}
