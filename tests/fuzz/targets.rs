//! What is done to hostile input: one plain function for each kind of file from elsewhere.
//!
//! `cargo fuzz` calls them (`fuzz_targets/`), and so does an ordinary test with the files of `corpus/` (`tests/fuzz.rs`).
//! Each may refuse its input as it likes. It must not panic, and what it accepts must hold together.

use std::path::Path;
use std::sync::OnceLock;

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::CapacityShares;
use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreColumns, read_scores};
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::ledger::{Checkpoint, Filter, Ledger};
use earlyhelp::model::Trainer;
use earlyhelp::monitor::MonitorParams;
use earlyhelp::project::{DraftParams, Project};
use earlyhelp::report::papers::{Organisation, model_card};
use earlyhelp::report::{AnyModel, model_html, model_json};
use earlyhelp::review::{DecisionFile, ReviewList};
use earlyhelp::scoring::{ModelFile, Request, SignOff};
use earlyhelp::service::Service;
use earlyhelp::synthetic::{CouncilParams, Format};
use sha2::{Digest as _, Sha256};

/// A kind of input, and what is done to it.
pub type Target = (&'static str, fn(&[u8]));

/// All of them, by the names of their folders in `corpus/`.
pub const ALL: [Target; 12] = [
    ("text", text),
    ("parquet", parquet),
    ("arrow", arrow),
    ("workbook", workbook),
    ("project", project),
    ("model", model),
    ("ledger_lines", ledger_lines),
    ("ledger_sqlite", ledger_sqlite),
    ("settings", settings),
    ("scores", scores),
    ("decisions", decisions),
    ("question", question),
];

/// A project over one extract, called `x` with this ending.
pub fn project_of(ending: &str) -> String {
    format!(
        r#"
name = "n"
purpose = "p"
reject_limit = 1.0
[[source]]
name = "s"
path = "x.{ending}"
columns = {{ entity = "id", kind = {{ column = "kind" }}, occurred = "on", value = "value" }}
[[feature]]
source = "s"
measure = "count"
over = ["365 days"]
[outcome]
name = "o"
words = "w"
horizon = "90 days"
records = [{{ source = "s" }}]
[training]
as_of = ["2024-01-01"]
capacity = {{ cases = 1 }}
"#
    )
}

/// Reads the data as an extract of that ending, and drafts a project of it.
fn extract(data: &[u8], ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(format!("x.{ending}")), data).unwrap();
    let project = Project::from_toml(&project_of(ending), folder.path()).unwrap();
    if let Ok(records) = project.records() {
        for intake in records.intake() {
            assert_eq!(intake.read, intake.accepted + intake.rejected, "rows were lost");
        }
    }
    // What `earlyhelp init` does with a folder of unknown files.
    if let Ok(draft) = DraftParams::new(folder.path()).draft(folder.path()) {
        assert!(!draft.text().is_empty());
    }
}

/// A delimited text.
pub fn text(data: &[u8]) {
    extract(data, "csv");
}

/// A Parquet file.
pub fn parquet(data: &[u8]) {
    extract(data, "parquet");
}

/// An Arrow file.
pub fn arrow(data: &[u8]) {
    extract(data, "arrow");
}

/// A workbook; what it is it says itself, as Excel takes it.
pub fn workbook(data: &[u8]) {
    let ending = match data {
        [0xd0, 0xcf, ..] => "xls",
        _ if data.windows(11).any(|part| part == b"opendocumen") => "ods",
        _ => "xlsx",
    };
    extract(data, ending);
}

/// A project file.
pub fn project(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Project::from_toml(text, ".") {
        Ok(project) => {
            let features = project.features().unwrap();
            assert!(!features.features().is_empty());
        }
        Err(error) => {
            assert!(error.to_string().len() < 50_000, "an error of {} bytes", error.to_string().len());
        }
    }
}

/// A model file, whose digests are first made right: whoever forges one can do that too.
pub fn model(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(file) = ModelFile::from_json(&resealed(text)) {
        shown(&file);
    }
}

/// Shows a model on every face, and what it says of cases of every kind.
pub fn shown(file: &ModelFile) {
    let model = file.candidate().model();
    let cells = [
        Cell::Value(0.0),
        Cell::Value(-1.5),
        Cell::Value(3.0),
        Cell::Value(f32::MAX),
        Cell::Value(f32::MIN),
        Cell::Missing,
        Cell::NotCovered,
    ];
    let columns = vec![cells.to_vec(); model.features().len()];
    let matrix = FeatureMatrix::from_cells(model.features().to_vec(), cells.len(), &columns).unwrap();
    model.explain_all(&matrix).unwrap();
    for row in 0..cells.len() {
        let explanation = model.explain(&matrix, row).unwrap();
        let score = explanation.intercept() + explanation.contributions().iter().sum::<f64>();
        assert!(score.is_finite(), "an infinite score");
        if let Some(reach) = model.reach(&matrix, row).unwrap() {
            assert!(reach.score.is_finite() && reach.contributions.iter().all(|reach| reach.is_finite()));
        }
    }
    let any = AnyModel::from(file);
    let page = model_html(any).unwrap();
    assert!(page.len() < 16 << 20, "a page of {} bytes", page.len());
    assert!(!page.contains("<script"), "text became a script");
    model_json(any).unwrap();
    let _ = file.candidate().card_text();
    // A card with an empty point is refused, which is an answer.
    if let Ok(card) = model_card(any) {
        assert!(card.to_markdown().len() < 16 << 20);
    }
}

/// A ledger of JSON lines.
pub fn ledger_lines(data: &[u8]) {
    ledger(data, "l.jsonl");
}

/// A ledger in SQLite.
pub fn ledger_sqlite(data: &[u8]) {
    ledger(data, "l.sqlite");
}

fn ledger(data: &[u8], name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, data).unwrap();
    let Ok(ledger) = Ledger::open_existing(&path) else { return };
    let verified = ledger.verify(&[]);
    let read = ledger.entries(&Filter::all());
    if let (Ok(verified), Ok(entries)) = (verified, read)
        && verified.finding.is_none()
    {
        assert_eq!(verified.entries, entries.len() as u64, "entries were lost");
    }
}

/// Files of settings: how places are dealt, limits of monitoring, what an organisation says of itself, a checkpoint.
pub fn settings(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.json");
    std::fs::write(&path, data).unwrap();
    let _ = Checkpoint::load(&path);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = toml::from_str::<CapacityShares>(text);
    let _ = toml::from_str::<MonitorParams>(text);
    let _ = Organisation::from_toml(text);
    let _ = Organisation::from_json(text);
}

/// A table of scores to be audited.
pub fn scores(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, data).unwrap();
    let columns = ScoreColumns::new("score", "outcome").group("sex");
    let Ok((table, intake)) = read_scores(Path::new(&path), &columns) else { return };
    assert!(intake.audited <= intake.read);
    let mut params = AuditParams::at(OperatingPoint::Capacity(Capacity::Share(0.2)));
    params.bootstrap.resamples = 39;
    let _ = table.audit(&params);
}

/// A ledger with the list of a council that does not exist: its bytes, the run, and who is in its places.
struct Recorded {
    bytes: Vec<u8>,
    run: String,
    cases: Vec<String>,
    /// Answers questions about that council, with a ledger of its own.
    service: Service,
}

fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let council = CouncilParams::new(2_000, 1).generate().unwrap();
        let mut project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
        project.training.resamples = 39;
        let (records, protected) = (project.records().unwrap(), project.protected().unwrap());
        let trainer = Trainer::by_name("logistic").unwrap();
        let on = council.extract_date();
        let sign_off = SignOff {
            by: "A. Manager".into(),
            role: "Head of Early Help".into(),
            purpose: project.purpose.clone(),
            signed_on: on,
            review_by: on.plus_months(12),
        };
        let scorer = project.train(&records, &protected, &trainer).unwrap().release(sign_off).unwrap();
        let ledger = Ledger::open(folder.path().join("l.jsonl")).unwrap();
        let request = Request::new("B. Lead", &project.purpose, on);
        let start = ledger.start_run(&scorer, &request, AsOf::new(on), None).unwrap();
        let cohort = project.cohort(&records, AsOf::new(on)).unwrap();
        let scores = scorer.score(&cohort, &request).unwrap();
        let mut list = ReviewList::draw(&scores, Capacity::Cases(5)).unwrap();
        ledger.finish_run(start, &scores, &mut list, &records).unwrap();
        // It reads its ledger again and again, and nobody takes a static away: the same file for every run of this.
        let path = std::env::temp_dir().join("earlyhelp-fuzz-question.jsonl");
        std::fs::copy(ledger.path(), &path).unwrap();
        let cases = list.entries().iter().map(|entry| entry.case().entity().to_owned()).collect();
        let run = list.provenance().run_id.clone();
        drop((scores, cohort));
        Recorded {
            bytes: std::fs::read(ledger.path()).unwrap(),
            run,
            cases,
            service: Service::new(project, records, scorer, Ledger::open(path).unwrap(), move || on),
        }
    })
}

/// A file of decisions, handed in about a list that there is: what cannot be on record leaves no trace, and what is on record
/// verifies. `RUN` and `CASE` stand for what a search could not guess.
pub fn decisions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(mut file) = DecisionFile::from_json(text) else { return };
    let held = recorded();
    if file.run == "RUN" {
        held.run.clone_into(&mut file.run);
    }
    for decision in &mut file.decisions {
        let place = (decision.place as usize).wrapping_sub(1);
        if let Some(case) = held.cases.get(place).filter(|_| decision.case == "CASE") {
            decision.case.clone_from(case);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.jsonl");
    std::fs::write(&path, &held.bytes).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let before = ledger.head().unwrap();
    match ledger.submit(&file) {
        Ok(entries) => {
            assert_eq!(entries.len(), file.decisions.len());
            assert!(ledger.verify(&[]).unwrap().finding.is_none());
        }
        Err(_) => assert_eq!(ledger.head().unwrap(), before),
    }
}

/// A question to a service: whatever it is, one line answers it, and nothing is told of a person that is not on record. `RUN`, `CASE`
/// and `PURPOSE` stand for what a search could not guess.
pub fn question(data: &[u8]) {
    let held = recorded();
    let asked = String::from_utf8_lossy(data);
    let text = asked.replace("RUN", &held.run).replace("CASE", &held.cases[0]);
    let text = text.replace("PURPOSE", "Offer early help to families before a crisis");
    // What is no text is asked as it is.
    let question = if asked.as_bytes() == data { text.as_bytes() } else { data };
    let before = held.service.ledger().head().unwrap().entries;
    let answer = held.service.answer(question);
    assert!(!answer.contains('\n'));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["v"], 1);
    assert!(answer.get("ok").is_some() != answer.get("error").is_some());
    assert!(answer["error"]["class"] != "ours", "{answer}");
    let after = held.service.ledger().head().unwrap().entries;
    if answer["ok"].get("answer").is_some() {
        // Others may ask meanwhile.
        let entry = answer["ok"]["entry"].as_u64().unwrap();
        assert!((before + 1..=after).contains(&entry));
    }
}

/// A JSON text without blanks between its parts, as digests are taken of it.
pub fn compact(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in text.chars() {
        if in_text || !c.is_ascii_whitespace() {
            kept.push(c);
        }
        in_text = if escaped || c != '"' { in_text } else { !in_text };
        escaped = in_text && c == '\\' && !escaped;
    }
    kept
}

/// A model file with the digests that its content has: first the candidate's, then that of the whole.
pub fn resealed(text: &str) -> String {
    let mut text = compact(text);
    for mark in ["\"candidate\":{\"format\":\"earlyhelp-candidate/1\",\"digest\":\"", "\"digest\":\""] {
        let Some(at) = text.find(mark).map(|at| at + mark.len()) else { continue };
        let Some((start, end)) = says(&text, at) else { continue };
        let digest = hex::encode(Sha256::digest(&text.as_bytes()[start..end]));
        text.replace_range(at..at + 64, &digest);
    }
    text
}

/// Where what a digest is over stands, behind the 64 letters of the digest.
fn says(text: &str, digest: usize) -> Option<(usize, usize)> {
    const BETWEEN: &str = "\",\"says\":";
    let rest = text.get(digest + 64..)?;
    rest.starts_with(BETWEEN).then_some(())?;
    let start = digest + 64 + BETWEEN.len();
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((start, at + 1));
                }
            }
            b'"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && byte == b'\\' && !escaped;
    }
    None
}
