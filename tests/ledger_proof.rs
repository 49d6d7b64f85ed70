//! What a ledger can prove: forgeries by somebody who can write its file and knows how it is made, against what a
//! verification sees by itself, with a checkpoint, and with a list that left the house. The table stands in the guide.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::{Checkpoint, Erasure, Head, Ledger, LedgerError, ReplayOf, Tampering};
use earlyhelp::project::Project;
use earlyhelp::records::Records;
use earlyhelp::report::list_json;
use earlyhelp::review::{Agreement, ListParams, RandomSample, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const FILES: [&str; 2] = ["ledger.sqlite", "ledger.jsonl"];

/// A ledger with a run, two decided cases and one that was opened alone; the checkpoint after it, and the run's list.
pub struct Told {
    folder: tempfile::TempDir,
    records: Records,
    project: Project,
    pub scorer: Scorer,
    pub today: Day,
    pub run: String,
    pub list: String,
    checkpoints: [Checkpoint; 2],
}

pub static TOLD: LazyLock<Told> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_000, 4).generate().unwrap();
    let project = Project::load(council.write(&folder.path().join("council"), Format::Csv).unwrap()).unwrap();
    let records = project.records().unwrap();
    let path = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let scorer = Scorer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    let today = council.extract_date();
    let mut told = None;
    let checkpoints = FILES.map(|name| {
        let ledger = Ledger::open(folder.path().join(name)).unwrap();
        let cohort = project.cohort(&records, AsOf::new(today)).unwrap();
        let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
        let start = ledger.start_run(&scorer, &request, AsOf::new(today), None).unwrap();
        let scores = scorer.score(&cohort, &request).unwrap();
        let sample = Some(RandomSample { cases: 3, seed: 1 });
        let mut list = ReviewList::draw(
            &scores,
            ListParams { comparison: sample, ..ListParams::new(Capacity::Cases(8)) },
        )
        .unwrap();
        let run = ledger.finish_run(start, &scores, &mut list, &records).unwrap();
        let case = ledger.open_case((&run, 1), worker(), None, today + 1).unwrap();
        let decision =
            case.decide(Step::OfferSupport, Agreement::Agree, "Known at school", today + 2).unwrap();
        ledger.record_decision(&decision).unwrap();
        // The days of a ledger go one way.
        let earlier = ledger.open_case((&run, 2), worker(), None, today + 1);
        assert!(matches!(earlier, Err(LedgerError::Earlier { .. })));
        let case = ledger.open_case((&run, 2), worker(), None, today + 2).unwrap();
        let decision = case.decide(Step::NoAction, Agreement::Disagree, "They do well", today + 3).unwrap();
        ledger.record_decision(&decision).unwrap();
        ledger.open_case((&run, 3), worker(), None, today + 3).unwrap();
        assert_eq!(list.witness().unwrap().entries + 5, ledger.head().unwrap().entries);
        told = Some((run, list_json(&list).unwrap()));
        ledger.checkpoint(today + 3).unwrap()
    });
    let (run, list) = told.unwrap();
    Told { folder, records, project, scorer, today, run, list, checkpoints }
});

fn worker() -> Reviewer {
    Reviewer::new("C. Worker", "family worker")
}

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    seq: u64,
    previous: String,
    through: u64,
    kind: String,
    on: String,
    run: Option<String>,
    facts: Value,
    commitment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why_earlier: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Content {
    subject: Option<String>,
    body: Value,
}

/// An entry as whoever can write the file writes it.
#[derive(Clone)]
struct Row {
    header: Header,
    content: Option<(Vec<u8>, Content)>,
}

fn read(path: &Path) -> Vec<Row> {
    if path.extension().unwrap() == "jsonl" {
        let text = std::fs::read_to_string(path).unwrap();
        return text
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let content = line.get("content").map(|content| {
                    let salt = hex::decode(line["salt"].as_str().unwrap()).unwrap();
                    (salt, Content::deserialize(content).unwrap())
                });
                Row { header: Header::deserialize(&line["entry"]).unwrap(), content }
            })
            .collect();
    }
    let file = rusqlite::Connection::open(path).unwrap();
    let mut all = file
        .prepare("SELECT e.header, c.salt, c.content FROM entry e LEFT JOIN content c ON c.seq = e.seq ORDER BY e.seq")
        .unwrap();
    let rows = all.query_map([], |row| {
        let header: String = row.get(0)?;
        let salt: Option<Vec<u8>> = row.get(1)?;
        let content: Option<String> = row.get(2)?;
        let content = salt.zip(content).map(|(salt, text)| (salt, serde_json::from_str(&text).unwrap()));
        Ok(Row { header: serde_json::from_str(&header).unwrap(), content })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Writes the rows as a ledger that is whole: numbered, chained and committed to anew, the triggers in their place.
fn write(path: &Path, mut rows: Vec<Row>) {
    let mut previous = hex::decode(Head::empty().hash).unwrap();
    let mut sealed = Vec::new();
    for row in &mut rows {
        let content = row.content.as_mut().map(|(salt, content)| {
            content.body.sort_all_objects();
            let bytes = serde_json::to_vec(content).unwrap();
            let commitment = Sha256::new().chain_update(&*salt).chain_update(&bytes).finalize();
            row.header.commitment = Some(hex::encode(commitment));
            (hex::encode(&*salt), String::from_utf8(bytes).unwrap())
        });
        row.header.previous = hex::encode(&previous);
        row.header.facts.sort_all_objects();
        let bytes = serde_json::to_vec(&row.header).unwrap();
        previous = Sha256::new().chain_update(&previous).chain_update(&bytes).finalize().to_vec();
        sealed.push((String::from_utf8(bytes).unwrap(), hex::encode(&previous), content));
    }
    if path.extension().unwrap() == "jsonl" {
        let mut lines = String::new();
        for (header, hash, content) in &sealed {
            lines += &format!("{{\"hash\":\"{hash}\",\"entry\":{header}");
            if let Some((salt, content)) = content {
                lines += &format!(",\"salt\":\"{salt}\",\"content\":{content}");
            }
            lines += "}\n";
        }
        std::fs::write(path, lines).unwrap();
        return;
    }
    let file = rusqlite::Connection::open(path).unwrap();
    let triggers: Vec<(String, String)> = file
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &triggers {
        file.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    file.execute_batch("DELETE FROM entry; DELETE FROM content").unwrap();
    for (row, (header, hash, content)) in rows.iter().zip(&sealed) {
        let (kind, run, seq) = (&row.header.kind, &row.header.run, row.header.seq as i64);
        let hash = hex::decode(hash).unwrap();
        file.execute("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)", (seq, kind, run, header, hash))
            .unwrap();
        if let Some((salt, content)) = content {
            let subject = row.content.as_ref().unwrap().1.subject.clone();
            let salt = hex::decode(salt).unwrap();
            file.execute("INSERT INTO content VALUES (?1, ?2, ?3, ?4)", (seq, subject, salt, content))
                .unwrap();
        }
    }
    let head = (rows.len() as i64, previous);
    file.execute("UPDATE head SET entries = ?1, hash = ?2", head).unwrap();
    for (_, sql) in &triggers {
        file.execute_batch(sql).unwrap();
    }
    file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// A copy of the ledger to forge.
pub fn copy(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    for ending in ["", "-wal"] {
        let from = TOLD.folder.path().join(format!("{name}{ending}"));
        if from.exists() {
            std::fs::copy(from, folder.join(format!("{name}{ending}"))).unwrap();
        }
    }
    path
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sees {
    Seen,
    /// A purge like any other, and shown as one.
    Shown,
    Not,
}

impl Sees {
    fn words(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Shown => "shown as a purge",
            Self::Not => "**not seen**",
        }
    }
}

fn verified(ledger: &Ledger, kept: &[Checkpoint]) -> Sees {
    match ledger.verify(kept) {
        Err(LedgerError::Damaged { .. }) => Sees::Seen,
        Err(error) => panic!("{error}"),
        Ok(found) if found.finding.is_some() => Sees::Seen,
        Ok(found) if !found.purges_since.is_empty() => Sees::Shown,
        Ok(_) => Sees::Not,
    }
}

/// By itself, with the checkpoint, with the list.
fn seen(path: &Path, nth: usize) -> [Sees; 3] {
    let ledger = Ledger::open_to_read(path).unwrap();
    let with_list = match ledger.compare_list(&TOLD.list) {
        Ok(_) if nth == 0 => {
            // The list is of the other file's ledger: both hold the same run, and each has a chain of its own.
            let witness = witness_in(0);
            verified(&ledger, &[witness])
        }
        Ok(witness) => verified(&ledger, &[witness]),
        Err(_) => Sees::Seen,
    };
    [verified(&ledger, &[]), verified(&ledger, &[TOLD.checkpoints[nth].clone()]), with_list]
}

/// Where the chain ended when the run was on record.
fn witness_in(nth: usize) -> Checkpoint {
    static HEADS: LazyLock<Vec<Head>> = LazyLock::new(|| {
        FILES
            .iter()
            .map(|name| {
                let ledger = Ledger::open_to_read(TOLD.folder.path().join(name)).unwrap();
                let all = ledger.entries(&earlyhelp::ledger::Filter::all()).unwrap();
                let last = all.iter().rfind(|entry| entry.kind() == "run_finished").unwrap();
                Head { entries: last.seq(), hash: last.hash().to_owned() }
            })
            .collect()
    });
    Checkpoint::of(&HEADS[nth], TOLD.today)
}

fn at(rows: &[Row], kind: &str, nth: usize) -> usize {
    rows.iter().enumerate().filter(|(_, row)| row.header.kind == kind).nth(nth).unwrap().0
}

/// An entry behind the others.
fn add(rows: &mut Vec<Row>, mut row: Row) {
    row.header.seq = rows.len() as u64 + 1;
    row.header.through = row.header.seq;
    rows.push(row);
}

/// Takes contents out, and says so in a purge of these facts.
fn purge(rows: &mut Vec<Row>, taken: &[usize], facts: Value) {
    for &place in taken {
        rows[place].content = None;
    }
    let mut row = rows[rows.len() - 1].clone();
    row.header.kind = "purge".into();
    row.header.run = None;
    row.content = None;
    row.header.commitment = None;
    let ranges: Vec<[usize; 2]> = taken.iter().map(|place| [place + 1, place + 1]).collect();
    row.header.facts = facts;
    row.header.facts["redacted"] = json!(ranges);
    add(rows, row);
}

/// All about the person of a place on the list.
fn all_about(rows: &[Row], place: u64) -> Vec<usize> {
    let case = rows.iter().find(|row| row.header.facts["place"] == place).unwrap();
    let subject = &case.content.as_ref().unwrap().1.subject;
    let of = |row: &Row| row.content.as_ref().is_some_and(|(_, content)| content.subject == *subject);
    (0..rows.len()).filter(|&at| of(&rows[at])).collect()
}

type Forge = fn(&mut Vec<Row>);

/// What was done, and who sees it: the ledger by itself, with a checkpoint, with a list.
const TABLE: &[(&str, [Sees; 3], Forge)] = {
    use Sees::{Not, Seen, Shown};
    &[
        ("nothing", [Not, Not, Not], |_| {}),
        ("a decision turned round, all hashes made anew", [Not, Seen, Not], |rows| {
            let place = at(rows, "decision", 0);
            rows[place].header.facts["step"] = json!("no_action");
        }),
        ("a decision's reason put otherwise, all hashes made anew", [Not, Seen, Not], |rows| {
            let place = at(rows, "decision", 1);
            rows[place].content.as_mut().unwrap().1.body["reason"] = json!("Nothing to see");
        }),
        ("the newest entries cut off", [Not, Seen, Not], |rows| rows.truncate(rows.len() - 2)),
        ("the run and all that follows cut off", [Not, Seen, Seen], |rows| {
            let place = at(rows, "run_started", 0);
            rows.truncate(place);
        }),
        ("two people on the list swapped, all hashes made anew", [Not, Seen, Seen], |rows| {
            let [a, b] =
                [1, 2].map(|place| rows.iter().position(|row| row.header.facts["place"] == place).unwrap());
            let [one, two] = [a, b].map(|place| rows[place].content.clone().unwrap().1.subject);
            for row in rows.iter_mut() {
                let Some((_, content)) = &mut row.content else { continue };
                let other = if content.subject == one {
                    &two
                } else if content.subject == two {
                    &one
                } else {
                    continue;
                };
                content.subject.clone_from(other);
                if let Some(case) = content.body.get_mut("case").filter(|case| !case.is_null()) {
                    case["entity"] = json!(other);
                }
            }
        }),
        ("who asked for the list rewritten, in both entries", [Not, Seen, Seen], |rows| {
            for kind in ["run_started", "run_finished"] {
                let place = at(rows, kind, 0);
                let facts = &mut rows[place].header.facts;
                let of = if kind == "run_started" { facts } else { &mut facts["audit"] };
                of["requested_by"] = json!("Nobody");
            }
        }),
        ("who asked for the list rewritten, in one entry", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_started", 0);
            rows[place].header.facts["requested_by"] = json!("Nobody");
        }),
        ("who signed for the model rewritten", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "model_released", 0);
            rows[place].header.facts["by"] = json!("Nobody");
        }),
        ("a score changed, and not what was shown of it", [Seen, Seen, Seen], |rows| {
            let place = rows.iter().position(|row| row.header.facts["place"] == 1).unwrap();
            rows[place].content.as_mut().unwrap().1.body["log_odds"] = json!(0.5);
        }),
        ("a case taken out of a run", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "case_scored", 40);
            rows.remove(place);
            for row in &mut rows[place..] {
                row.header.seq -= 1;
                row.header.through -= 1;
            }
        }),
        ("a decision about a case that nobody opened", [Seen, Seen, Seen], |rows| {
            let mut row = rows[at(rows, "decision", 0)].clone();
            let case = rows.iter().position(|row| row.header.facts["place"] == 5).unwrap();
            row.header.facts["case"] = json!(case + 1);
            row.content
                .as_mut()
                .unwrap()
                .1
                .subject
                .clone_from(&rows[case].content.as_ref().unwrap().1.subject);
            row.header.on.clone_from(&rows[rows.len() - 1].header.on);
            add(rows, row);
        }),
        ("a second decision that does not say so", [Seen, Seen, Seen], |rows| {
            let mut row = rows[at(rows, "decision", 0)].clone();
            row.header.on.clone_from(&rows[rows.len() - 1].header.on);
            add(rows, row);
        }),
        ("a decision after the list's last day", [Seen, Seen, Seen], |rows| {
            let mut row = rows[at(rows, "decision", 0)].clone();
            row.header.facts["supersedes"] = json!(row.header.seq);
            row.header.on = "2025-06-01".into();
            add(rows, row);
        }),
        ("a case opened that was on no list", [Seen, Seen, Seen], |rows| {
            let mut row = rows[rows.len() - 1].clone();
            let place = rows
                .iter()
                .position(|row| row.header.kind == "case_scored" && row.header.facts.get("place").is_none());
            row.header.facts["case"] = json!(place.unwrap() + 1);
            row.content.as_mut().unwrap().1.subject = None;
            add(rows, row);
        }),
        ("an entry dated before the one before it", [Seen, Seen, Seen], |rows| {
            let mut row = rows[rows.len() - 1].clone();
            row.header.on = "2025-04-02".into();
            add(rows, row);
        }),
        ("the release written a second time", [Seen, Seen, Seen], |rows| {
            let mut row = rows[at(rows, "model_released", 0)].clone();
            row.header.on.clone_from(&rows[rows.len() - 1].header.on);
            add(rows, row);
        }),
        ("a reason deleted behind a purge that names nobody", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            purge(rows, &[place], json!({}));
        }),
        ("a decision's reason alone deleted behind a purge", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            purge(rows, &[place], json!({ "by": "D. Officer", "reason": "erasure" }));
        }),
        ("the released model deleted behind a purge", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "model_released", 0);
            purge(rows, &[place], json!({ "by": "D. Officer", "reason": "erasure" }));
        }),
        ("content deleted without a purge", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            rows[place].content = None;
        }),
        ("a model deleted behind a purge that names its entry", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "model_released", 0);
            let facts = json!({ "by": "D. Officer", "reason": "erasure", "named": [place + 1] });
            purge(rows, &[place], facts);
        }),
        ("a case alone deleted behind a purge that names its entry", [Seen, Seen, Seen], |rows| {
            let place = rows.iter().position(|row| row.header.facts["place"] == 1).unwrap();
            let facts = json!({ "by": "D. Officer", "reason": "erasure", "named": [place + 1] });
            purge(rows, &[place], facts);
        }),
        (
            "a decision's reason alone deleted behind a purge that names its entry",
            [Not, Shown, Shown],
            |rows| {
                let place = at(rows, "decision", 0);
                let facts = json!({ "by": "D. Officer", "reason": "erasure", "named": [place + 1] });
                purge(rows, &[place], facts);
            },
        ),
        ("content deleted, and what it was committed to", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            rows[place].content = None;
            rows[place].header.commitment = None;
        }),
        ("a decision without a reason, a person or content", [Seen, Seen, Seen], |rows| {
            let nth = at(rows, "decision", 0);
            let mut row = rows[nth].clone();
            row.header.facts["supersedes"] = json!(nth + 1);
            row.header.on.clone_from(&rows[rows.len() - 1].header.on);
            (row.content, row.header.commitment) = (None, None);
            add(rows, row);
        }),
        ("a case opened by nobody", [Seen, Seen, Seen], |rows| {
            let mut row = rows[rows.len() - 1].clone();
            row.header.facts["reviewer"] = json!({ "name": "\u{200b}", "role": "" });
            add(rows, row);
        }),
        ("a decision's reason made blank, all hashes made anew", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            rows[place].content.as_mut().unwrap().1.body["reason"] = json!(" ");
        }),
        ("a second manifest of the run, with another last day", [Seen, Seen, Seen], |rows| {
            let mut row = rows[at(rows, "run_finished", 0)].clone();
            row.header.facts["audit"]["expires"] = json!("2025-12-31");
            add(rows, row);
        }),
        ("a blank reason why a day is earlier", [Seen, Seen, Seen], |rows| {
            let mut row = rows[rows.len() - 1].clone();
            row.header.on = "2025-04-02".into();
            row.header.why_earlier = Some("\u{200b}".into());
            add(rows, row);
        }),
        ("a judgement claimed to have come first, without one", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "case_opened", 0);
            rows[place].header.facts["judged_first"] = json!(true);
        }),
        (
            "the list made to ask for a judgement first, after the cases were opened",
            [Seen, Seen, Seen],
            |rows| {
                let place = at(rows, "run_finished", 0);
                rows[place].header.facts["review"] = json!({ "own_judgement_first": true });
            },
        ),
        ("the list made to ask for a reason's code, after the decisions", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_finished", 0);
            let codes = json!([{ "code": "known", "words": "We support them already" }]);
            rows[place].header.facts["review"] = json!({ "reason_codes": codes });
        }),
        ("a decision with a reason's code that its list has not", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 0);
            rows[place].header.facts["reason_code"] = json!("known");
        }),
        ("a reviewer whose name is the case's id", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "case_opened", 2);
            let subject = rows[place].content.as_ref().unwrap().1.subject.clone();
            rows[place].header.facts["reviewer"]["name"] = json!(format!("C. Worker ({})", subject.unwrap()));
        }),
        ("a reviewer's role of a thousand bytes", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "case_opened", 2);
            rows[place].header.facts["reviewer"]["role"] = json!("w".repeat(1_000));
        }),
        ("a decision's reason of 100 kB, all hashes made anew", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "decision", 1);
            rows[place].content.as_mut().unwrap().1.body["reason"] = json!("w".repeat(100_000));
        }),
        ("an unlisted case's score changed, its rank kept", [Seen, Seen, Seen], |rows| {
            let is_off =
                |row: &Row| row.header.kind == "case_scored" && row.header.facts.get("place").is_none();
            let place = rows.iter().rposition(is_off).unwrap();
            rows[place].content.as_mut().unwrap().1.body["log_odds"] = json!(30.25);
        }),
        ("a part of a score changed, and not the score", [Seen, Seen, Seen], |rows| {
            let place = rows.iter().position(|row| row.header.facts["place"] == 1).unwrap();
            let case = &mut rows[place].content.as_mut().unwrap().1.body["case"];
            case["contributions"][0]["log_odds"] = json!(9.5);
        }),
        ("the list made to last for years", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_finished", 0);
            rows[place].header.facts["audit"]["expires"] = json!("2035-12-31");
        }),
        ("a list with more places than were asked for", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_finished", 0);
            rows[place].header.facts["capacity"] = json!({ "cases": 1 });
        }),
        ("a cohort said to be of another size", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_finished", 0);
            rows[place].header.facts["audit"]["cohort_size"] = json!(9_999);
        }),
        ("rows that were read and are neither accepted nor rejected", [Seen, Seen, Seen], |rows| {
            let place = at(rows, "run_finished", 0);
            rows[place].header.facts["intake"][0]["read"] = json!(1_000_000);
        }),
        ("a run after the day by which its model was to be reviewed", [Seen, Seen, Seen], |rows| {
            let (begins, ends) = (at(rows, "run_started", 0), at(rows, "run_finished", 0));
            // Whatever followed would be too late as well, and be seen for that.
            rows.truncate(ends + 1);
            for row in &mut rows[begins..] {
                row.header.on = "2035-01-01".into();
            }
            rows[ends].header.facts["audit"]["requested_on"] = json!("2035-01-01");
        }),
        ("a person deleted whole behind a purge made by hand", [Not, Shown, Shown], |rows| {
            let mut taken = all_about(rows, 1);
            taken.push(at(rows, "run_finished", 0));
            purge(rows, &taken, json!({ "by": "D. Officer", "reason": "erasure" }));
        }),
    ]
};

#[test]
fn every_forgery_is_seen_or_said_not_to_be() {
    let mut told = String::new();
    for (what, expected, forge) in TABLE {
        for (nth, name) in FILES.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let path = copy(folder.path(), name);
            let mut rows = read(&path);
            forge(&mut rows);
            write(&path, rows);
            assert_eq!(seen(&path, nth), *expected, "{what}, {name}");
        }
        if *what != "nothing" {
            let [alone, checkpoint, list] = expected.map(Sees::words);
            told.push_str(&format!("| {what} | {alone} | {checkpoint} | {list} |\n"));
        }
    }
    let guide = include_str!("../src/guide/accountability.md");
    assert!(guide.contains(&told), "the guide's table is:\n{told}");
}

#[test]
fn a_changed_entry_without_new_hashes_is_seen_by_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path(), FILES[1]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"offer_support\"", "\"no_action\"", 1)).unwrap();
    let found = Ledger::open_to_read(&path).unwrap().verify(&[]).unwrap().finding.unwrap();
    assert_eq!(found.what, Tampering::Changed);
}

#[test]
fn a_list_that_was_changed_does_not_pass() {
    let ledger = Ledger::open_to_read(TOLD.folder.path().join(FILES[1])).unwrap();
    assert!(ledger.compare_list(&TOLD.list).is_ok());
    let changed = |from: &str, to: &str| {
        let text = TOLD.list.replacen(from, to, 1);
        assert_ne!(text, TOLD.list, "{from}");
        ledger.compare_list(&text)
    };
    assert!(matches!(changed("\"rank\": 1,", "\"rank\": 2,"), Err(LedgerError::List(_))));
    assert!(matches!(changed("\"witness\"", "\"notes\""), Err(LedgerError::List(_))));
    assert!(matches!(changed("\"B. Lead\"", "\"Nobody\""), Err(LedgerError::List(_))));
    assert!(matches!(changed(&TOLD.run, "0000000000000000"), Err(LedgerError::NoRun(_))));
    assert!(matches!(ledger.compare_list("{}"), Err(LedgerError::List(_))));
}

#[test]
fn replay_compares_all_that_was_shown() {
    let replayed = |forge: &dyn Fn(&mut Value)| {
        let folder = tempfile::tempdir().unwrap();
        let path = copy(folder.path(), FILES[1]);
        let mut rows = read(&path);
        let place = rows.iter().position(|row| row.header.facts["place"] == 1).unwrap();
        forge(&mut rows[place].content.as_mut().unwrap().1.body);
        write(&path, rows);
        let ledger = Ledger::open_to_read(&path).unwrap();
        assert_eq!(ledger.verify(&[]).unwrap().finding, None, "the forgery is whole");
        let found = ledger.replay(&ReplayOf::Everything, None).unwrap();
        found.different.values().map(|differs| format!("{differs:?}")).collect::<Vec<_>>().join(",")
    };
    assert_eq!(replayed(&|_| {}), "");
    assert_eq!(replayed(&|body| body["case"]["band"]["name"] = json!("lowest")), "Words");
    assert_eq!(replayed(&|body| body["case"]["contributions"][0]["words"] = json!("No reason")), "Words");
    assert_eq!(replayed(&|body| body["case"]["contributions"][0]["label"] = json!("Nothing")), "Words");
    assert_eq!(replayed(&|body| body["case"]["cannot_see"] = json!([])), "Words");
    // What does not add up, or stands before a higher score, is no whole forgery: these do, and stand where they may.
    let parts = |body: &mut Value| {
        for (part, by) in [(0, 0.25), (1, -0.25)] {
            let held = &mut body["case"]["contributions"][part]["log_odds"];
            *held = json!(held.as_f64().unwrap() + by);
        }
    };
    assert_eq!(replayed(&parts), "Explanation");
    let score = |body: &mut Value| {
        let raised = json!(body["log_odds"].as_f64().unwrap() + 1e-9);
        body["log_odds"] = raised.clone();
        body["case"]["score"] = raised;
    };
    assert_eq!(replayed(&score), "Score");
    // Words of another version are not held against today's.
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path(), FILES[1]);
    let mut rows = read(&path);
    for kind in ["run_started", "run_finished"] {
        let place = at(&rows, kind, 0);
        let facts = &mut rows[place].header.facts;
        let of = if kind == "run_started" { facts } else { &mut facts["audit"] };
        of["library_version"] = json!("0.0.9");
    }
    write(&path, rows);
    let found = Ledger::open_to_read(&path).unwrap().replay(&ReplayOf::Everything, None).unwrap();
    // All that were shown: those with a place, and those of their households.
    let list: Value = serde_json::from_str(&TOLD.list).unwrap();
    let beside = |entry: &Value| entry["beside"].as_array().map_or(0, Vec::len);
    let shown: usize = list["entries"].as_array().unwrap().iter().map(|entry| 1 + beside(entry)).sum();
    assert!(shown > 11, "eight places and three at random, and somebody beside them");
    assert_eq!((found.worded_otherwise, found.different.len()), (shown as u64, 0));
    // From the extracts, records and stability too.
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path(), FILES[1]);
    let mut rows = read(&path);
    let place = rows.iter().position(|row| row.header.facts["place"] == 1).unwrap();
    rows[place].content.as_mut().unwrap().1.body["case"]["stability"]["kept_in"] = json!(1);
    write(&path, rows);
    let ledger = Ledger::open_to_read(&path).unwrap();
    let found = ledger.replay(&ReplayOf::Everything, Some(&TOLD.records)).unwrap();
    assert_eq!(found.different.len(), 1);
    let ledger = Ledger::open_to_read(TOLD.folder.path().join(FILES[1])).unwrap();
    let found = ledger.replay(&ReplayOf::Everything, Some(&TOLD.records)).unwrap();
    assert!(found.is_faithful() && found.not_replayed.is_empty(), "{found}");
}

#[test]
fn a_ledger_that_does_not_hold_is_not_counted_and_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path(), FILES[1]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"offer_support\"", "\"no_action\"", 1)).unwrap();
    let ledger = Ledger::open_to_read(&path).unwrap();
    assert!(matches!(ledger.account(None, 10, TOLD.today), Err(LedgerError::Damaged { .. })));
    assert!(matches!(ledger.replay(&ReplayOf::Everything, None), Err(LedgerError::Damaged { .. })));
}

#[test]
fn decisions_and_retirements_have_an_order() {
    let told = &*TOLD;
    for name in FILES {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(copy(folder.path(), name)).unwrap();
        let (run, on) = (&told.run, told.today + 4);
        let decide = |place: u32, on: Day| {
            let case = ledger.open_case((run, place), worker(), None, on).unwrap();
            case.decide(Step::SeekInformation, Agreement::CannotTell, "New words", on).unwrap()
        };
        // A second decision says that it is one.
        let second = decide(1, on);
        let Err(LedgerError::Decided { entry }) = ledger.record_decision(&second) else { panic!("{name}") };
        assert!(matches!(ledger.supersede_decision(entry + 1, &second), Err(LedgerError::NotTheLast(_))));
        let now = ledger.supersede_decision(entry, &second).unwrap();
        assert!(matches!(ledger.supersede_decision(entry, &decide(1, on)), Err(LedgerError::NotTheLast(_))));
        ledger.supersede_decision(now, &decide(1, on)).unwrap();
        let third = decide(3, on);
        assert!(matches!(ledger.supersede_decision(now, &third), Err(LedgerError::NotTheLast(_))));
        ledger.record_decision(&third).unwrap();
        // The last one counts, once.
        assert_eq!(ledger.account(None, 10, on).unwrap().alerts.decided, 3);

        // A name of blanks that nobody sees is none.
        for blank in ["", " ", "\u{200b}", "\u{3164}\u{2800}"] {
            let refused = ledger.retire(told.scorer.digest(), blank, "why", on);
            assert!(matches!(refused, Err(LedgerError::Incomplete(_))), "{blank:?}");
            let refused = ledger.open_case((run, 4), Reviewer::new(blank, "role"), None, on);
            assert!(matches!(refused, Err(LedgerError::Incomplete(_))), "{blank:?}");
        }
        let too_early = ledger.retire(told.scorer.digest(), "A. Manager", "why", told.today + -1);
        assert!(matches!(too_early, Err(LedgerError::TooEarly(_))));
        ledger.retire(told.scorer.digest(), "A. Manager", "replaced", on).unwrap();
        let again = ledger.retire(told.scorer.digest(), "A. Manager", "replaced", on);
        assert!(matches!(again, Err(LedgerError::Retired(_))));
        assert!(matches!(ledger.record_release(&told.scorer, on), Err(LedgerError::Retired(_))));
        assert!(matches!(ledger.open_case((run, 4), worker(), None, on), Err(LedgerError::Retired(_))));
        let opened = ledger.opened_case((run, 2), worker(), on);
        assert!(matches!(opened, Err(LedgerError::Retired(_))));
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
        // A model that was never released here.
        let none = ledger.retire("0123456789", "A. Manager", "why", on);
        assert!(matches!(none, Err(LedgerError::NoModel(_))));
    }
}

#[test]
fn a_run_id_is_named_by_four_characters_and_more_where_needed() {
    let told = &*TOLD;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(copy(folder.path(), FILES[1])).unwrap();
    let open = |beginning: &str| ledger.open_case((beginning, 4), worker(), None, told.today + 4).map(|_| ());
    open(&told.run[..4]).unwrap();
    let Err(LedgerError::Ambiguous { needs, .. }) = open(&told.run[..3]) else { panic!("three are too few") };
    assert_eq!(needs, 4);
    // The same of the same is the same run; of other records it is a second one, which begins like the first.
    let cohort = told.project.cohort(&told.records, AsOf::new(told.today)).unwrap();
    let request = Request::new("B. Lead", &told.scorer.sign_off().purpose, told.today);
    let late = Ledger::open(folder.path().join(FILES[1])).unwrap().dated_earlier_because("asked for again");
    let again = |records: &Records, cohort: &earlyhelp::cohort::Cohort<'_>| {
        let start = late.start_run(&told.scorer, &request, AsOf::new(told.today), None).unwrap();
        let scores = told.scorer.score(cohort, &request).unwrap();
        let sample = Some(RandomSample { cases: 3, seed: 1 });
        let mut list = ReviewList::draw(
            &scores,
            ListParams { comparison: sample, ..ListParams::new(Capacity::Cases(8)) },
        )
        .unwrap();
        let run = late.finish_run(start, &scores, &mut list, records).unwrap();
        assert!(list_json(&list).unwrap().contains(&format!("\"run_id\": \"{run}\"")));
        run
    };
    assert_eq!(again(&told.records, &cohort), told.run);
    let elsewhere = tempfile::tempdir().unwrap();
    // As many people, and other records.
    let other = CouncilParams::new(2_000, 4).generate().unwrap();
    let project = other.write(elsewhere.path(), Format::Csv).unwrap();
    let file = elsewhere.path().join("attendance.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let fewer: Vec<&str> = text.lines().take(text.lines().count() - 1).collect();
    std::fs::write(&file, fewer.join("\n") + "\n").unwrap();
    let project = Project::load(project).unwrap();
    let records = project.records().unwrap();
    let run = again(&records, &project.cohort(&records, AsOf::new(told.today)).unwrap());
    assert_eq!(run, format!("{}-2", told.run));
    // Whole, each is named; a beginning of both is not.
    open(&told.run).unwrap();
    let Err(LedgerError::Ambiguous { needs, .. }) = open(&told.run[..8]) else { panic!("both begin so") };
    assert_eq!(needs, told.run.len() + 1);
    assert_eq!(late.verify(&[]).unwrap().finding, None);
}

#[test]
fn two_days_stand_in_an_entry_and_a_difference_is_shown() {
    let told = &*TOLD;
    for name in FILES {
        let folder = tempfile::tempdir().unwrap();
        let path = copy(folder.path(), name);
        let clock = told.today + 20;
        let ledger = Ledger::open(&path).unwrap().with_clock(move || clock);
        ledger.open_case((&told.run, 4), worker(), None, told.today + 5).unwrap();
        ledger.open_case((&told.run, 5), worker(), None, told.today + 19).unwrap();
        let found = ledger.verify(&[]).unwrap();
        let last = found.entries;
        assert_eq!((found.dated_otherwise.as_slice(), found.finding), ([last - 1].as_slice(), None));
        // Before what is on record: with a reason that stays there.
        let early = ledger.open_case((&told.run, 6), worker(), None, told.today + 7);
        assert!(matches!(early, Err(LedgerError::Earlier { .. })));
        let back = told.today + 10;
        let ledger = Ledger::open(&path).unwrap().with_clock(move || back);
        for blank in ["", "\u{200b}"] {
            let ledger = Ledger::open(&path).unwrap().dated_earlier_because(blank);
            assert!(ledger.open_case((&told.run, 6), worker(), None, told.today + 7).is_err());
        }
        let ledger = ledger.dated_earlier_because("written on paper first");
        ledger.open_case((&told.run, 6), worker(), None, told.today + 7).unwrap();
        let entries = ledger.entries(&earlyhelp::ledger::Filter::all().from(last + 1)).unwrap();
        assert_eq!(entries[0].why_earlier(), Some("written on paper first"));
        assert_eq!(entries[0].written(), Some(back));
        let found = ledger.verify(&[]).unwrap();
        assert_eq!((found.clock_went_back.as_slice(), &found.finding), ([last + 1].as_slice(), &None));
        assert!(found.to_string().contains("clock had gone back"));
    }
}

#[test]
fn what_a_purge_leaves_confirms_no_guess() {
    let told = &*TOLD;
    for name in FILES {
        let folder = tempfile::tempdir().unwrap();
        let path = copy(folder.path(), name);
        let ledger = Ledger::open(&path).unwrap();
        let snapshot = told.records.as_of(AsOf::new(told.today));
        let digests: Vec<String> =
            snapshot.sources().map(|source| snapshot.digest(source).unwrap()).collect();
        assert!(digests.len() > 5);
        let held = |text: &str| digests.iter().filter(|digest| text.contains(digest.as_str())).count();
        let all = |ledger: &Ledger| -> String {
            let entries = ledger.entries(&earlyhelp::ledger::Filter::all()).unwrap();
            entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect()
        };
        let facts = |ledger: &Ledger| -> String {
            let entries = ledger.entries(&earlyhelp::ledger::Filter::all()).unwrap();
            entries.iter().map(|entry| entry.facts().to_string()).collect()
        };
        assert_eq!((held(&all(&ledger)), held(&facts(&ledger))), (digests.len(), 0));
        let list: Value = serde_json::from_str(&told.list).unwrap();
        let entity = list["entries"][0]["case"]["entity"].as_str().unwrap().to_owned();
        let erasure =
            Erasure { entity, by: "D. Officer".into(), reason: "erasure".into(), ..Erasure::default() };
        ledger.purge(&erasure, told.today + 4).unwrap();
        assert_eq!(held(&all(&ledger)), 0);
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
        // What is left comes out the same from the extracts, and the rest is told.
        let found = ledger.replay(&ReplayOf::Everything, Some(&told.records)).unwrap();
        assert!(found.different.is_empty() && found.reproduced + 1 == found.asked, "{found}");
        // The list that left the house still speaks for the chain.
        assert!(ledger.compare_list(&told.list).is_ok());
    }
}
