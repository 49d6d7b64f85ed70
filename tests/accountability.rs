//! The commands of those who answer for a system, and of those who check it, as they use them.

use std::path::Path;
use std::process::{Command, Output};

use earlyhelp::synthetic::{CouncilParams, Format};

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
}

/// Runs the command, holds it to its exit code, and gives back what it said.
#[track_caller]
pub fn run(expected: i32, arguments: &[&str]) -> String {
    let output = earlyhelp(arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

/// Changes one byte of a recorded role, and verifies.
fn one_changed_byte_is_found(ledger: &str) {
    let bytes = std::fs::read(ledger).unwrap();
    let needle = b"family worker";
    let place = bytes.windows(needle.len()).rposition(|window| window == needle).unwrap();
    let mut changed = bytes.clone();
    changed[place] = b'F';
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{ledger}{side}"));
    }
    std::fs::write(ledger, changed).unwrap();
    let found = run(4, &["verify", ledger]);
    assert!(found.contains("entry"), "{found}");
}

/// What `log` counts is what `monitor` tells of the model's decisions.
fn monitoring_tells_the_same(project: &Path, (model, ledger): (&str, &str), account: &serde_json::Value) {
    let monitor = ["monitor", text(project), "--model", model, "--as-of", "2025-05-01", "--json"];
    let watched = earlyhelp(&[&monitor[..], &["--ledger", ledger]].concat());
    assert!(matches!(watched.status.code(), Some(0 | 4)), "{}", String::from_utf8_lossy(&watched.stderr));
    let watched = json(&String::from_utf8(watched.stdout).unwrap());
    assert_eq!(watched["decisions"]["alerts"], account["alerts"]);
    // One decision is too few to be told of by its reasons.
    assert_eq!(watched["decisions"]["verdict"], "cannot_tell");
}

#[test]
fn a_run_is_recorded_reviewed_checked_and_a_person_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let council = CouncilParams::new(2_000, 4).generate().unwrap();
    let project = council.write(&at("council"), Format::Parquet).unwrap();
    let model = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let purpose = "Offer early help to families before a crisis";
    for ledger in [at("ledger.sqlite"), at("ledger.jsonl")] {
        let (out, audit, ledger) = (at("out"), at("audit"), text(&ledger));
        let said = run(
            0,
            &[
                "score",
                text(&project),
                "--model",
                &model,
                "--as-of",
                "2025-04-01",
                "--capacity",
                "12",
                "--requested-by",
                "B. Lead",
                "--purpose",
                purpose,
                "--on",
                "2025-04-01",
                "--out",
                text(&out),
                "--ledger",
                ledger,
                "--audit",
                text(&audit),
            ],
        );
        let run_id = said.split("; run ").nth(1).unwrap().lines().next().unwrap().to_owned();
        // A list in use has no outcomes yet: who is selected can be compared, and nothing else.
        let audited = json(&std::fs::read_to_string(audit.join("audit.json")).unwrap());
        assert_eq!(
            (&audited["followed"], &audited["whole"]["auc"]),
            (&false.into(), &serde_json::Value::Null)
        );
        assert_eq!(audited["whole"]["selected"], 12);

        let who = ["--run", &run_id, "--place", "1", "--reviewer", "C. Worker", "--role", "family worker"];
        let case = |command: &str, more: &[&str], expected: i32| {
            let mut arguments = vec![command, ledger];
            arguments.extend(who);
            arguments.extend(["--on", "2025-04-03"]);
            arguments.extend(more);
            run(expected, &arguments)
        };
        let decision = ["--step", "seek-information", "--agreement", "disagree", "--reason", "They are well"];
        case("decide", &decision, 1); // not opened yet
        let shown = case("open", &["--own-judgement", "I know them"], 0);
        let entity = shown.split(':').next().unwrap().to_owned();
        assert!(shown.contains("What the list cannot see"), "{shown}");
        case("decide", &decision, 0);

        let account = json(&run(0, &["log", ledger, "--on", "2025-04-30", "--json"]));
        assert_eq!((&account["alerts"]["listed"], &account["alerts"]["decided"]), (&12.into(), &1.into()));
        assert_eq!(account["alerts"]["override_rate"]["value"], 1.0);
        monitoring_tells_the_same(&project, (&model, ledger), &account);

        let key = at(&format!("{}.key", entity.len() + ledger.len()));
        let checkpoint = at("checkpoint.json");
        let _ = std::fs::remove_file(&checkpoint);
        let signed = ["checkpoint", ledger, "--out", text(&checkpoint), "--key", text(&key), "--new-key"];
        run(0, &signed);
        let public = key.with_added_extension("pub");
        run(0, &["replay", ledger]);
        run(0, &["replay", ledger, "--project", text(&project)]);

        let pack = at("pack");
        run(0, &["subject", ledger, "--entity", &entity, "--out", text(&pack), "--on", "2025-04-10"]);
        assert!(std::fs::read_to_string(pack.join("subject.html")).unwrap().contains("They are well"));
        let corrected = run(
            0,
            &[
                "correct",
                ledger,
                "--entity",
                &entity,
                "--by",
                "D. Officer",
                "--what",
                "A namesake's record",
                "--project",
                text(&project),
                "--on",
                "2025-04-10",
            ],
        );
        assert!(corrected.contains("still open"), "{corrected}");
        run(0, &["purge", ledger, "--entity", &entity, "--by", "D. Officer", "--reason", "erasure"]);
        run(1, &["subject", ledger, "--entity", &entity, "--out", text(&pack)]);
        run(0, &["verify", ledger, "--checkpoint", text(&checkpoint), "--public-key", text(&public)]);
        // The person has gone, the count has not.
        let account = json(&run(0, &["log", ledger, "--on", "2025-04-30", "--json"]));
        assert_eq!((&account["alerts"]["listed"], &account["alerts"]["decided"]), (&12.into(), &1.into()));
        let run_again = run(0, &["replay", ledger, "--json"]);
        assert_eq!(json(&run_again)["not_replayed"]["purged"], 1);

        // The model can be taken out of use.
        let digest = json(&std::fs::read_to_string(&model).unwrap())["digest"].as_str().unwrap().to_owned();
        run(0, &["retire", ledger, "--model", &digest[..10], "--by", "A. Manager", "--reason", "replaced"]);

        one_changed_byte_is_found(ledger);
    }
}

#[test]
fn scores_of_another_program_are_audited_from_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Women without the outcome are selected three times as often; nobody of the two in the north is shown.
    let mut table = String::from("id,risk,care,sex,area\n");
    for row in 0..2_000 {
        let (woman, outcome) = (row % 2 == 0, row % 5 == 0);
        let high = outcome || (woman && row % 10 < 4 && row % 3 == 0);
        let area = if row < 2 { "north" } else { ["east", "west", "south"][row % 3] };
        let sex = if row % 9 == 7 {
            ""
        } else if woman {
            "F"
        } else {
            "M"
        };
        let risk = if high { 0.8 } else { 0.1 } + (row % 97) as f64 / 1_000.0;
        table.push_str(&format!("{row},{risk:.3},{},{sex},{area}\n", u8::from(outcome)));
    }
    table.push_str("2000,not a number,1,F,east\n");
    std::fs::write(at("vendor.csv"), table).unwrap();
    let (scores, out) = (at("vendor.csv"), at("audit"));
    let of = ["audit", text(&scores), "--score", "risk", "--outcome", "care"];
    let groups = ["--group", "sex", "--group", "area", "--not-held", "faith", "--threshold", "0.5"];
    let more = ["--resamples", "199", "--intersections", "2", "--out", text(&out)];
    let said = run(3, &[&of[..], &groups, &more].concat());
    assert!(said.contains("NOT MEASURABLE"), "{said}");
    let found = json(&std::fs::read_to_string(out.join("audit.json")).unwrap());
    assert_eq!((&found["read"], &found["audited"]), (&2_001.into(), &2_000.into()));
    let sex = &found["audit"]["attributes"][0]["finding"]["measured"];
    let names: Vec<&str> =
        sex["groups"].as_array().unwrap().iter().map(|group| group["values"][0].as_str().unwrap()).collect();
    assert_eq!(names, ["f", "m", "unknown"]);
    let odds =
        sex["criteria"].as_array().unwrap().iter().find(|of| of["criterion"] == "equalised_odds").unwrap();
    assert_eq!(odds["verdict"], "present");
    for form in ["audit.html", "audit.csv", "audit.json"] {
        let text = std::fs::read_to_string(out.join(form)).unwrap();
        assert!(!text.contains("not a number"), "{form} holds a value of the table");
    }
    let missing = earlyhelp(&[
        "audit",
        text(&scores),
        "--score",
        "rsik",
        "--group",
        "sex",
        "--capacity",
        "9",
        "--out",
        "x",
    ]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("\"rsik\""));
}

#[test]
fn papers_and_monitoring_are_written_for_a_shipped_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let council = CouncilParams::new(2_000, 4).generate().unwrap();
    let project = council.write(&at("council"), Format::Parquet).unwrap();
    let model = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let organisation = at("organisation.toml");
    std::fs::write(&organisation, "name = \"A council that does not exist\"\n").unwrap();
    let (papers, watched) = (at("papers"), at("watched"));
    run(
        0,
        &[
            "card",
            &model,
            "--out",
            text(&papers),
            "--project",
            text(&project),
            "--organisation",
            text(&organisation),
        ],
    );
    for paper in ["model_card", "atrs_record", "dpia_evidence"] {
        let markdown = std::fs::read_to_string(papers.join(format!("{paper}.md"))).unwrap();
        assert!(markdown.starts_with("# "), "{paper}");
        json(&std::fs::read_to_string(papers.join(format!("{paper}.json"))).unwrap());
    }
    let record = std::fs::read_to_string(papers.join("atrs_record.md")).unwrap();
    assert!(record.contains("A council that does not exist"));

    let monitor =
        ["monitor", text(&project), "--model", &model, "--as-of", "2025-04-01", "--out", text(&watched)];
    let output = earlyhelp(&monitor);
    assert!(matches!(output.status.code(), Some(0 | 4)), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&std::fs::read_to_string(watched.join("monitor.json")).unwrap());
    assert_eq!(report["verdict"] == "beyond", output.status.code() == Some(4));
    assert!(!report["drift"].as_array().unwrap().is_empty());
}
