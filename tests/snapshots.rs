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

/// A list of people, and two sources of which much is wrong: ids that lost their zeros, dates, a forgotten month.
fn at_the_door(folder: &Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let people: Vec<String> =
        (0..40).map(|nth| format!("{:06},{}-03-15\n", 417 + nth, 2008 + nth % 12)).collect();
    let people = people.concat();
    write("people.csv", &("id,born\n".to_owned() + &people));
    let mut contacts = "who;kind;on\n".to_owned();
    let mut police = "who,role,on,recorded,link\n".to_owned();
    for nth in 0..36 * 24 {
        let (year, month, day) = (2021 + nth / 24 / 12, 1 + nth / 24 % 12, 1 + nth % 24);
        let who = 417 + nth % 40;
        let kind = ["school", "health", "other"][nth % 40 / 19];
        if (year, month) != (2022, 5) {
            contacts.push_str(&format!("{who:06};{kind};{day:02}/{month:02}/{year}\n"));
        }
        if nth % 3 == 0 {
            let role = ["victim", "witness", ""][nth % 2];
            police.push_str(&format!(
                "{who:06},{role},{year}-{month:02}-{day:02},{year}-{month:02}-28,0.9{}\n",
                nth % 10
            ));
        }
    }
    contacts.push_str(&"418;school;03/02/2022\n".repeat(6));
    contacts.push_str(
        "000418;school;31-Feb-2022\n4.18E+2;school;03/02/2022\n;school;\n000419;school;01/01/1900\n",
    );
    write("contacts.csv", &contacts);
    write("police.csv", &police);
    write(
        "project.toml",
        r#"
name = "A council at the door"
purpose = "A test"

[people]
path = "people.csv"
columns = { person = "id", date_of_birth = "born" }

[[source]]
name = "contacts"
path = "contacts.csv"
columns = { entity = "who", kind = { column = "kind" }, occurred = "on" }
coverage = { from = "2021-01-01", to = "2023-12-31" }

[[source]]
name = "police"
path = "police.csv"
columns = { entity = "who", kind = { constant = "incident" }, occurred = "on", known = { column = "recorded" }, role = "role", link_probability = "link" }
coverage = { to = "2023-10-31" }

[[feature]]
source = "police"
measure = "count"
over = ["365 days"]
kinds = ["incidents"]

[outcome]
name = "contact"
words = "A contact of another kind"
horizon = "6 months"
records = [{ source = "contacts", kinds = ["other"] }]

[training]
as_of = ["2022-01-01", "2022-07-01"]
capacity = { cases = 5 }
"#,
    );
}

#[test]
fn what_a_check_says() {
    let folder = tempfile::tempdir().unwrap();
    at_the_door(folder.path());
    let output = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
        .current_dir(folder.path())
        .args(["check", "project.toml", "--as-of", "2024-01-01", "--out", "checked"])
        .output()
        .unwrap();
    // A misspelt kind is an error, and the page is written all the same.
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("check_page", text_of(&read(folder.path(), "checked/check.html")));
}
