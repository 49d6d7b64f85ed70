//! The examples are run, and the first program that a reader sees is the same wherever it stands.

use std::path::Path;
use std::process::Command;

fn run(example: &str) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--example", example])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn quickstart_ends_with_five_explained_cases() {
    let said = run("quickstart");
    for place in 1..=5 {
        assert!(said.lines().any(|line| line.starts_with(&format!("{place}. P"))), "{said}");
    }
    assert!(said.contains("Audit of ") && said.contains("equal opportunity"), "{said}");
}

#[test]
fn embed_dataframes_prints_cases_as_json() {
    let list: serde_json::Value = serde_json::from_str(&run("embed_dataframes")).expect("JSON");
    let entries = list["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 3);
    for entry in entries {
        assert!(!entry["case"]["contributions"].as_array().expect("contributions").is_empty());
        assert_eq!(entry["case"]["audit"]["run_id"], list["audit"]["run_id"]);
    }
}

#[test]
fn review_ends_with_a_decision() {
    let said = run("review");
    let decision: serde_json::Value =
        serde_json::from_str(&said[said.find("\n{").expect("a decision")..]).expect("JSON");
    assert_eq!(decision["step"], "seek_information");
    assert_eq!(decision["reviewer"]["name"], "C. Worker");
}

#[test]
fn audit_says_what_is_present_and_what_is_withheld() {
    let said = run("audit");
    assert!(said.contains("area: equal opportunity: present"), "{said}");
    // Six children of no known area are too few to be shown, and with them a group that they could be worked out from.
    let withheld =
        said.lines().find_map(|line| line.strip_prefix("area: withheld: ")).expect("what is withheld");
    assert!(!withheld.starts_with("0 groups"), "{withheld}");
    assert!(said.contains("disability: not measured"), "{said}");
}

#[test]
fn ledger_proves_its_run_and_takes_a_person_out() {
    let said = run("ledger");
    assert_eq!(said.matches("the chain holds").count(), 2, "{said}");
    let again = said.lines().find_map(|line| line.strip_prefix("Made again: ")).expect("a replay");
    let (same, asked) =
        again.strip_suffix(" the same").and_then(|text| text.split_once(" of ")).expect("counts");
    assert!(same == asked && same.parse::<u32>().expect("a count") > 1_000, "{again}");
    assert!(said.contains("wiped: true") && said.ends_with("Still held of the person: false\n"), "{said}");
}

#[test]
fn linking_brings_two_services_together_and_says_how_sure_it_is() {
    let said = run("linking");
    assert!(said.contains("absences: 300 rows read, 300 accepted, 0 rejected"), "{said}");
    assert!(said.contains("arrears: 150 rows read, 150 accepted, 0 rejected"), "{said}");
    // Without a link nobody has both.
    let line = said.lines().find(|line| line.contains(" children, ")).expect("how many children");
    let both = line.split(' ').nth(2).and_then(|count| count.parse::<u32>().ok());
    assert!(both.is_some_and(|both| both > 20), "{line}");
    assert_eq!(said.matches(", linked with 0.99\n").count(), 3, "{said}");
}

#[test]
fn monitoring_names_what_went_stale_and_says_what_became_known() {
    let said = run("monitoring");
    assert!(said.contains("Outcomes known since: 2024-04-01"), "{said}");
    assert!(said.contains("score: index ") && said.contains(" in the backtest, "), "{said}");
    assert!(
        said.lines().any(|line| line.starts_with("look at: source ") && line.ends_with(": freshness")),
        "{said}"
    );
}

#[test]
fn readme_crate_docs_and_example_show_one_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let example = read("examples/quickstart.rs");
    let program = example[example.find("use earlyhelp").expect("a program")..].trim();
    assert!(read("README.md").contains(program), "README.md shows another program");
    let docs: Vec<String> = read("src/lib.rs")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("//!").map(|rest| rest.strip_prefix(' ').unwrap_or(rest).to_owned())
        })
        .collect();
    assert!(docs.join("\n").contains(program), "the crate docs show another program");
}

#[test]
fn embed_asks_is_restarted_decides_and_knows_what_was_said() {
    let said = run("embed");
    assert!(said.contains(" of scores, ") && said.contains("Place 1: "), "{said}");
    assert!(said.contains(" to the team, on a list: ") && said.contains(" to C. Worker: "), "{said}");
}
