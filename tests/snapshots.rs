//! What people see, word for word: a change to a page, a paper or what the terminal says is looked at before it is
//! accepted. CONTRIBUTING.md says how.

use std::path::Path;
use std::process::Command;

/// What a reader sees of a page: its text, with a line for each element that holds some.
fn text_of(page: &str) -> String {
    let body = &page[page.find("<body").unwrap()..];
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, said) = part.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        if !["b", "strong", "em", "span", "code", "a"].contains(&name) {
            text.push('\n');
        }
        if name != "style" {
            text.push_str(&said.replace('\n', " "));
        }
    }
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What the command says on its standard output, wherever the folder is and whichever version it has.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_earlyhelp")).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
}

/// Scores of somebody else: two groups, one of which is seen less well, and six people of no known group.
fn vendor() -> String {
    let mut table = "risk,care,area\n".to_owned();
    for row in 0..806_u32 {
        let area = if row < 800 { ["North", "South", "Coast"][row as usize % 3] } else { "" };
        let in_need = row % 5 == 0;
        let risk = row * 37 % 100 + if in_need && area != "South" { 60 } else { 0 };
        let care = if area == "South" && row % 8 == 1 { "" } else { ["no", "yes"][usize::from(in_need)] };
        table.push_str(&format!("{risk},{care},{area}\n"));
    }
    table
}

#[test]
fn what_the_command_says_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let purpose = "Offer early help to families before a crisis";
    said(folder, &["synth", "--out", "council", "--children", "3000"]);
    let project = "council/project.toml";
    insta::assert_snapshot!(
        "train",
        said(folder, &["train", project, "--trainer", "scorecard", "--out", "model.json"])
    );
    let release =
        ["release", "model.json", "--by", "A. Manager", "--role", "Head of Early Help", "--purpose"];
    let until = [purpose, "--review-by", "2026-04-01", "--on", "2025-04-01", "--out", "released.json"];
    said(folder, &[&release[..], &until].concat());
    let score = ["score", project, "--model", "released.json", "--as-of", "2025-04-01", "--capacity", "7"];
    let request = ["--requested-by", "B. Lead", "--purpose", purpose, "--on", "2025-04-01", "--out", "lists"];
    insta::assert_snapshot!("score", said(folder, &[&score[..], &request].concat()));
    insta::assert_snapshot!("list", text_of(&read(folder, "lists/list.html")));
    said(folder, &["card", "released.json", "--out", "papers"]);
    insta::assert_snapshot!("model_card", read(folder, "papers/model_card.md"));
    insta::assert_snapshot!("atrs", read(folder, "papers/atrs_record.md"));
    said(folder, &["explain", "released.json", "--out", "model.html"]);
    insta::assert_snapshot!("model", text_of(&read(folder, "model.html")));
}

#[test]
fn what_an_audit_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vendor.csv"), vendor()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
        .current_dir(folder.path())
        .args(["audit", "vendor.csv", "--score", "risk", "--outcome", "care", "--group", "area"])
        .args(["--not-held", "disability", "--capacity", "80", "--out", "audit"])
        .output()
        .unwrap();
    // Some rows have no outcome, which has an exit code of its own.
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!("audit", String::from_utf8(output.stdout).unwrap());
    insta::assert_snapshot!("audit_page", text_of(&read(folder.path(), "audit/audit.html")));
}
