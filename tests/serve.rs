//! The service, as other programs meet it.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::ledger::{EntryKind, Filter, Ledger};
use earlyhelp::limits::QUESTION_BYTES;
use earlyhelp::project::Project;
use earlyhelp::records::Records;
use earlyhelp::scoring::{Scorer, SignOff};
use earlyhelp::service::Service;
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader as _};
use serde_json::{Map, Value, json};

const TOKEN: &str = "0123456789abcdef-only-for-tests";

struct Town {
    folder: tempfile::TempDir,
    project: PathBuf,
    model: PathBuf,
    records: Records,
    scorer: Scorer,
    today: Day,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_000, 5).generate().unwrap();
    let project = council.write(folder.path(), Format::Parquet).unwrap();
    let records = Project::load(&project).unwrap().records().unwrap();
    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/synthetic_council_additive.json");
    let scorer = Scorer::from_json(&std::fs::read_to_string(&model).unwrap()).unwrap();
    std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    Town { project, model, records, scorer, today: council.extract_date(), folder }
});

impl Town {
    /// Ids of people whom the model is for, as of today.
    fn cohort(&self) -> Vec<String> {
        let snapshot = self.records.as_of(AsOf::new(self.today));
        let cohort = self.scorer.candidate().cohort().choose(&snapshot).unwrap();
        cohort.ids().map(str::to_owned).collect()
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "a question reads better with its fields written where it is asked"
    )]
    fn question(&self, what: &str, fields: Value) -> Value {
        let mut question = json!({
            "v": 1, "id": 1, "do": what, "token": TOKEN, "by": "C. Worker",
            "purpose": self.scorer.sign_off().purpose, "on": self.today,
        });
        question.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        question
    }

    fn service(&self, ledger: &Path) -> Service {
        let (project, today) = (Project::load(&self.project).unwrap(), self.today);
        let records = project.records().unwrap();
        Service::new(project, records, self.scorer.clone(), Ledger::open(ledger).unwrap(), move || today)
    }

    fn command(&self, ledger: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_earlyhelp"));
        command.arg("serve").arg(&self.project).arg("--model").arg(&self.model).arg("--ledger").arg(ledger);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A service on a port of its own.
    fn listening(&self, ledger: &Path, more: &[&str]) -> Running {
        let mut command = self.command(ledger);
        command
            .args(["--listen", "127.0.0.1:0", "--token-file"])
            .arg(self.folder.path().join("token"))
            .args(more);
        let mut running = Running { child: command.spawn().unwrap(), address: String::new() };
        let mut said = BufReader::new(running.child.stderr.take().unwrap());
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "{all}");
            if let Some(address) = line.trim().strip_prefix("answering on ") {
                // Whatever it says later is not to block it.
                address.clone_into(&mut running.address);
                std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
                return running;
            }
            all.push_str(&line);
        }
    }
}

struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    answers: BufReader<TcpStream>,
    questions: TcpStream,
}

impl Client {
    fn of(address: &str) -> Self {
        let questions = TcpStream::connect(address).unwrap();
        questions.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        Self { answers: BufReader::new(questions.try_clone().unwrap()), questions }
    }

    fn send(&mut self, line: &[u8]) -> std::io::Result<Value> {
        self.questions.write_all(line)?;
        self.questions.write_all(b"\n")?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    fn ask(&mut self, question: &Value) -> Value {
        let answer = self.send(question.to_string().as_bytes()).unwrap();
        assert_eq!(answer["id"], question["id"]);
        answer
    }
}

fn ok(answer: &Value) -> &Value {
    assert!(answer.get("ok").is_some(), "{answer}");
    &answer["ok"]
}

/// Lines that are no question, each with the class of its answer.
fn wrong_lines(town: &Town, person: &str) -> Vec<(Vec<u8>, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut question = town.question("explain", json!({ "person": person }));
        if value.is_null() {
            question.as_object_mut().unwrap().remove(field);
        } else {
            question[field] = value;
        }
        question.to_string().into_bytes()
    };
    let whole = with("id", json!(7));
    vec![
        (b"{".to_vec(), "bad_input"),
        (b"[]".to_vec(), "bad_input"),
        (b"\"explain\"".to_vec(), "bad_input"),
        (vec![0xff, 0xfe, 0x00], "bad_input"),
        (vec![b'['; 100_000], "bad_input"),
        (whole[..whole.len() - 1].to_vec(), "bad_input"),
        ([&whole[..whole.len() - 1], b",\"person\":\"another\"}".as_slice()].concat(), "bad_input"),
        (with("v", json!(2)), "bad_input"),
        (with("v", Value::Null), "bad_input"),
        (with("token", Value::Null), "refused"),
        (with("token", json!("0123456789abcdef")), "refused"),
        (with("do", json!("act")), "bad_input"),
        (with("do", Value::Null), "bad_input"),
        (with("id", json!({ "a": 1 })), "bad_input"),
        (with("by", Value::Null), "bad_input"),
        (with("by", json!(" ")), "bad_input"),
        (with("by", json!(person)), "refused"),
        (with("purpose", json!("Something else")), "refused"),
        (with("person", Value::Null), "bad_input"),
        (with("person", json!(17)), "bad_input"),
        (with("on", json!("yesterday")), "bad_input"),
        (with("as_of", json!("2025-05-01")), "bad_input"),
        (with("more", json!(person)), "bad_input"),
        (with("features", json!({})), "bad_input"),
        (with("features", json!({ "a": person })), "bad_input"),
        (with("records", json!({ "nothing": [] })), "bad_input"),
        (with("records", json!({ "people": [[person]] })), "bad_input"),
        (with("accept", json!([{ "source": "police", "by": "A", "reason": "B" }])), "bad_input"),
        (with("accept", json!([{ "source": person, "by": "A", "reason": "B" }])), "bad_input"),
        (with("origin", json!("the case file")), "bad_input"),
        (with(&format!("x`, expected `{person}"), json!(1)), "bad_input"),
        (with("as_of", json!(format!("2025, expected {person}"))), "bad_input"),
        (
            town.question("health", json!({ format!("x`, expected `{person}"): 1 })).to_string().into_bytes(),
            "bad_input",
        ),
        (with("person", json!(" ")), "bad_input"),
        (with("by", json!("x".repeat(2_000))), "bad_input"),
        (
            with("records", json!({ "people": [{ "person_id": person, "born_on": "2012-01-01" }] })),
            "bad_input",
        ),
        (
            with(
                "records",
                (0..4_000).fold(json!({ "people": [] }), |mut tables, nth| {
                    let mut row = Map::new();
                    row.insert(format!("c{nth}"), json!(person));
                    tables["people"].as_array_mut().unwrap().push(Value::Object(row));
                    tables
                }),
            ),
            "bad_input",
        ),
        (
            String::from_utf8(with("records", json!({ "people": [{ "person_id": person }] })))
                .unwrap()
                .replace("\"people\":", "\"people\":[],\"people\":")
                .into_bytes(),
            "bad_input",
        ),
        (
            town.question("open", json!({ "run": "0000", "place": 1, "role": "r" })).to_string().into_bytes(),
            "not_found",
        ),
        (town.question("list", json!({ "run": "0000" })).to_string().into_bytes(), "not_found"),
        (town.question("list", json!({ "run": person })).to_string().into_bytes(), "not_found"),
        (
            town.question("score", json!({ "capacity": 5, "at_random": 4_294_967_295_u32 }))
                .to_string()
                .into_bytes(),
            "bad_input",
        ),
        (town.question("score", json!({ "capacity": 0 })).to_string().into_bytes(), "bad_input"),
    ]
}

#[test]
fn what_is_no_question_is_answered_as_such_and_ends_nothing() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let service = town.service(&folder.path().join("ledger.sqlite")).with_token(TOKEN);
    let person = &town.cohort()[0];
    for (line, class) in wrong_lines(town, person) {
        let text = service.answer(&line);
        let answer: Value = serde_json::from_str(&text).unwrap();
        let shown = String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned();
        assert_eq!(answer["error"]["class"], class, "{shown}: {text}");
        assert!(!text.contains(person.as_str()) && !text.contains('\n'), "{shown}: {text}");
    }
    // What would have been right is said, of whatever kind it is.
    for (what, fields, told) in [
        (
            "explain",
            json!({ "persn": "a" }),
            "(expected one of `person`, `as_of`, `accept`, `records`, `features`, `origin`)",
        ),
        ("list", json!({ "run": 17 }), "(expected a string)"),
    ] {
        let text = service.answer(town.question(what, fields).to_string().as_bytes());
        assert!(text.contains(told), "{text}");
    }
    let long = vec![b' '; QUESTION_BYTES + 1];
    assert_eq!(service.answer(&long), Service::too_long());
    let health = json!({ "v": 1, "id": "h", "do": "health", "token": TOKEN }).to_string();
    let answer: Value = serde_json::from_str(&service.answer(health.as_bytes())).unwrap();
    assert_eq!((&answer["id"], &answer["ok"]["protocol"]), (&json!("h"), &json!(1)));
    // Only runs that were asked for and refused stand there.
    let entries = service.ledger().entries(&Filter::all().facts_only()).unwrap();
    assert!(entries.iter().all(|entry| entry.about() != Some(EntryKind::CaseAsked)));
    assert_eq!(service.ledger().verify(&[]).unwrap().finding, None);
}

#[test]
fn a_person_a_person_with_records_and_a_person_with_features_are_told_the_same() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let service = town.service(&folder.path().join("ledger.sqlite"));
    let ask = |fields: Value| -> Value {
        let mut question = town.question("explain", fields);
        question.as_object_mut().unwrap().remove("token");
        serde_json::from_str(&service.answer(question.to_string().as_bytes())).unwrap()
    };
    let snapshot = town.records.as_of(AsOf::new(town.today));
    let cohort = town.scorer.candidate().cohort().choose(&snapshot).unwrap();
    let matrix = town.scorer.candidate().features().compute(&cohort).unwrap();
    let tables: BTreeMap<String, DataFrame> = std::fs::read_dir(town.folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "parquet"))
        .filter(|path| path.file_stem().is_some_and(|name| name != "protected"))
        .map(|path| {
            let frame = ParquetReader::new(std::fs::File::open(&path).unwrap()).finish().unwrap();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), frame)
        })
        .collect();
    let rows_of = |people: &HashSet<String>| -> Value {
        let mut all = Map::new();
        for (name, frame) in &tables {
            let texts: Vec<_> =
                frame.columns().iter().map(|column| column.cast(&DataType::String).unwrap()).collect();
            let ids = frame.column("person_id").unwrap().str().unwrap();
            let of_them =
                (0..frame.height()).filter(|&row| ids.get(row).is_some_and(|id| people.contains(id)));
            let row = |row: usize| -> Value {
                let cell = |column: &polars::prelude::Column| {
                    (column.name().to_string(), json!(column.str().unwrap().get(row)))
                };
                Value::Object(texts.iter().map(cell).collect())
            };
            all.insert(name.clone(), of_them.map(row).collect());
        }
        Value::Object(all)
    };
    let mut scored = 0;
    for (row, id) in cohort.ids().enumerate().step_by(97) {
        let by_id = ask(json!({ "person": id }));
        let mut people: HashSet<String> = snapshot.household(id).map(str::to_owned).collect();
        people.insert(id.to_owned());
        let by_records = ask(json!({ "person": id, "records": rows_of(&people) }));
        let cells: Map<String, Value> = (0..matrix.names().len())
            .map(|place| (matrix.names()[place].clone(), json!(matrix.cell(row, place))))
            .collect();
        let by_features = ask(json!({ "person": id, "features": cells, "origin": "a test" }));
        let [a, b, c] = [&by_id, &by_records, &by_features].map(|answer| &ok(answer)["answer"]);
        let Some(whole) = a.get("scored") else {
            assert!(b.get("not_scored").is_some() && c.get("not_scored").is_some(), "{b} {c}");
            continue;
        };
        scored += 1;
        for (other, has_records) in [(&b["scored"], true), (&c["scored"], false)] {
            assert_eq!(other["score"], whole["score"]);
            assert_eq!(other["band"], whole["band"]);
            for (one, two) in whole["contributions"]
                .as_array()
                .unwrap()
                .iter()
                .zip(other["contributions"].as_array().unwrap())
            {
                assert_eq!(
                    (&one["words"], &one["log_odds"], &one["values"]),
                    (&two["words"], &two["log_odds"], &two["values"])
                );
                assert!(!has_records || one["records"] == two["records"]);
            }
        }
        assert!(by_records["ok"].get("rejects").is_none());
    }
    assert!(scored > 5, "{scored}");
    // A row that cannot be read is not passed over without a word.
    let id = cohort.ids().next().unwrap();
    let mut rows = rows_of(&HashSet::from([id.to_owned()]));
    rows["people"][0]["date_of_birth"] = json!("the day before");
    let told = ask(json!({ "person": id, "records": rows }));
    let what = told["ok"]["remarks"].to_string();
    assert!(what.contains("date of birth cannot be read") && !what.contains("the day before"), "{what}");
    // Where records come from stays when the person is taken out, so it must not hold the id.
    let named = ask(json!({ "person": id, "records": rows, "origin": format!("case file of {id}") }));
    assert_eq!(named["error"]["class"], "refused");
    assert_eq!(service.ledger().verify(&[]).unwrap().finding, None);
}

#[test]
fn a_whole_review_over_the_standard_streams() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.jsonl");
    let mut child = town.command(&ledger).spawn().unwrap();
    let (mut questions, mut answers) =
        (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut ask = |what: &str, fields: Value| -> Value {
        writeln!(questions, "\n{}", town.question(what, fields)).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        ok(&answer).clone()
    };
    let run = ask("score", json!({ "capacity": 5, "at_random": 2 }))["run"].as_str().unwrap().to_owned();
    let list = ask("list", json!({ "run": run[..8] }));
    assert_eq!(list["places"].as_array().unwrap().len(), 7);
    let case = ask("open", json!({ "run": run, "place": 1, "role": "Practitioner" }));
    assert_eq!(case["case"]["entity"], list["places"][0]["person"]);
    let decision = json!({
        "run": run, "place": 1, "role": "Practitioner", "step": "no_action", "agreement": "agree", "reason": "Known."
    });
    let entry = ask("decide", decision.clone())["entry"].as_u64().unwrap();
    let mut again = decision;
    again["supersedes"] = json!(entry);
    assert_eq!(ask("decide", again)["entry"], entry + 1);
    let list = ask("list", json!({ "run": run }));
    assert_eq!(list["places"][0]["decided"]["step"], "no_action");
    assert_eq!(list["places"][0]["opened"][0]["name"], "C. Worker");
    let audit = ask("audit", json!({}));
    assert_eq!((&audit["finding"], &audit["account"]["alerts"]["listed"]), (&Value::Null, &json!(5)));
    drop(questions);
    let mut rest = String::new();
    answers.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert!(child.wait().unwrap().success());
    // Its end is kept, beside the ledger.
    assert_eq!(std::fs::read_dir(folder.path().join("ledger.jsonl.checkpoints")).unwrap().count(), 1);
    assert_eq!(Ledger::open_to_read(&ledger).unwrap().verify(&[]).unwrap().finding, None);
}

#[test]
fn a_list_is_opened_for_its_own_purpose_alone_and_a_run_keeps_what_it_was_configured_by() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let purpose = "Plan how many places are needed".to_owned();
    let (by, role) = ("A. Manager".to_owned(), "Head".to_owned());
    let (signed_on, review_by) = (town.today, town.today.plus_months(12));
    let sign_off = SignOff { by, role, purpose: purpose.clone(), signed_on, review_by };
    let other = town.scorer.audited().unwrap().release(sign_off).unwrap();
    let (project, today) = (Project::load(&town.project).unwrap(), town.today);
    let records = project.records().unwrap();
    let planning = Service::new(project, records, other, Ledger::open(&path).unwrap(), move || today)
        .with_configuration("its text");
    let ask = |service: &Service, what: &str, fields: Value| -> Value {
        let question = town.question(what, fields).to_string();
        serde_json::from_str(&service.answer(question.as_bytes())).unwrap()
    };
    let drawn = ask(&planning, "score", json!({ "capacity": 3, "purpose": purpose }));
    let run = ok(&drawn)["run"].clone();
    assert!(drawn["ok"]["warnings"].is_array());
    let service = town.service(&path);
    for (what, more) in [
        ("list", json!({})),
        ("open", json!({ "place": 1, "role": "Practitioner" })),
        (
            "decide",
            json!({ "place": 1, "role": "r", "step": "no_action", "agreement": "agree", "reason": "x" }),
        ),
    ] {
        let mut fields = more;
        fields["run"] = run.clone();
        assert_eq!(ask(&service, what, fields)["error"]["class"], "refused", "{what}");
    }
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.entries(&Filter::of(&[EntryKind::CaseOpened])).unwrap().len(), 0);
    let started = &ledger.entries(&Filter::of(&[EntryKind::RunStarted])).unwrap()[0];
    assert_eq!(started.facts()["configuration"].as_str().map(str::len), Some(64));
}

/// How many questions sixteen clients ask together: `EARLYHELP_QUESTIONS` says otherwise than what a test has time for.
fn questions() -> usize {
    std::env::var("EARLYHELP_QUESTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

#[test]
fn sixteen_clients_lose_nothing_and_nothing_stands_twice() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let running = town.listening(&path, &["--clients", "17"]);
    let cohort = town.cohort();
    let each = questions() / 16;
    let answered: Vec<(u64, String)> = std::thread::scope(|scope| {
        // Much to write waits for none of those who write little and often.
        let address = running.address.clone();
        let list = scope.spawn(move || {
            let answer = Client::of(&address).ask(&town.question("score", json!({ "capacity": 5 })));
            assert_eq!(ok(&answer)["places"], 5);
        });
        let workers: Vec<_> = (0..16)
            .map(|worker| {
                let (address, cohort) = (&running.address, &cohort);
                scope.spawn(move || {
                    let mut client = Client::of(address);
                    let wrong = wrong_lines(town, &cohort[worker]);
                    let mut entries = Vec::new();
                    for nth in 0..each {
                        let person = &cohort[(worker * 7919 + nth) % cohort.len()];
                        let mut question = town.question("explain", json!({ "person": person }));
                        question["id"] = json!(nth);
                        let answer = client.ask(&question);
                        entries.push((ok(&answer)["entry"].as_u64().unwrap(), person.clone()));
                        if nth % 10 == 0 {
                            let (line, class) = &wrong[(worker + nth / 10) % wrong.len()];
                            assert_eq!(client.send(line).unwrap()["error"]["class"], *class);
                        }
                        if nth % 500 == 250 {
                            let answer = client.send(&vec![b'x'; QUESTION_BYTES + 10]).unwrap();
                            assert_eq!(answer["error"]["class"], "bad_input");
                        }
                    }
                    entries
                })
            })
            .collect();
        let all = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        list.join().unwrap();
        all
    });
    // Of more clients than it takes one is told so.
    let mut held = Vec::new();
    let is_told = (0..40).any(|_| {
        let stream = TcpStream::connect(&running.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut line = String::new();
        // Whoever is let in hears nothing.
        let _ = BufReader::new(stream.try_clone().unwrap()).read_line(&mut line);
        held.push(stream);
        line.contains("\"retry\"")
    });
    assert!(is_told);
    drop(held);
    drop(running);
    is_on_record(&path, &answered, true);
}

/// Each answer has its entry, about whom it was given; and, where nobody was killed, no entry stands there beside.
fn is_on_record(path: &Path, answered: &[(u64, String)], is_all: bool) {
    let ledger = Ledger::open(path).unwrap();
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    let mut held = BTreeMap::new();
    for entry in ledger.entries(&Filter::of(&[EntryKind::CaseAsked])).unwrap() {
        held.insert(entry.seq(), entry.content().unwrap().subject.clone().unwrap());
    }
    let numbers: HashSet<u64> = answered.iter().map(|(entry, _)| *entry).collect();
    assert_eq!(numbers.len(), answered.len());
    for (entry, person) in answered {
        assert_eq!(held.get(entry), Some(person), "entry {entry}");
    }
    assert!(!is_all || held.len() == answered.len());
}

#[test]
fn a_service_that_is_killed_has_on_record_all_that_it_answered() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let cohort = town.cohort();
    for name in ["ledger.sqlite", "ledger.jsonl"] {
        let path = folder.path().join(name);
        let mut answered: Vec<(u64, String)> = Vec::new();
        for round in 0..4_u64 {
            let mut running = town.listening(&path, &[]);
            let new: Vec<(u64, String)> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..4)
                    .map(|worker: usize| {
                        let (address, cohort) = (running.address.clone(), &cohort);
                        scope.spawn(move || {
                            let mut client = Client::of(&address);
                            let mut entries = Vec::new();
                            for nth in 0.. {
                                let person = &cohort[(worker * 31 + nth) % cohort.len()];
                                let question =
                                    town.question("explain", json!({ "person": person })).to_string();
                                // Killed in the middle of a line, it has not answered.
                                let Ok(answer) = client.send(question.as_bytes()) else { break };
                                entries.push((ok(&answer)["entry"].as_u64().unwrap(), person.clone()));
                            }
                            entries
                        })
                    })
                    .collect();
                std::thread::sleep(Duration::from_millis(70 + 90 * round));
                running.child.kill().unwrap();
                running.child.wait().unwrap();
                workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
            });
            answered.extend(new);
            is_on_record(&path, &answered, false);
        }
        assert!(answered.len() > 8, "{name}: {}", answered.len());
    }
}

#[cfg(unix)]
#[test]
fn a_socket_is_its_owners_alone_and_one_that_was_left_is_taken_over() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixStream;

    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let (socket, ledger) = (folder.path().join("s"), folder.path().join("ledger.sqlite"));
    std::fs::write(&socket, "no socket").unwrap();
    let start = || town.command(&ledger).arg("--socket").arg(&socket).spawn().unwrap();
    let refused = start().wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is no socket"));
    std::fs::remove_file(&socket).unwrap();
    for _ in 0..2 {
        // The second finds the socket that the first left when it was killed.
        let mut child = start();
        let begun = Instant::now();
        let mut stream = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(_) if begun.elapsed() < Duration::from_mins(1) => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        writeln!(stream, "{}", json!({ "v": 1, "id": null, "do": "health" })).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["ok"]["protocol"], 1);
        let second = start().wait_with_output().unwrap();
        assert!(String::from_utf8_lossy(&second.stderr).contains("another service"));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for wrong in [&["--listen", "127.0.0.1:0"][..], &["--listen", "0.0.0.0:0", "--token-file", "t"][..]] {
        let refused = town.command(&ledger).current_dir(folder.path()).args(wrong).output().unwrap();
        assert!(!refused.status.success() && refused.stdout.is_empty());
    }
    std::fs::write(folder.path().join("t"), "short").unwrap();
    let mut command = town.command(&ledger);
    let refused = command
        .current_dir(folder.path())
        .args(["--listen", "127.0.0.1:0", "--token-file", "t"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds no token"));
}

/// Runs a client's program; `false` where this machine has not what it needs.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: this machine has no {program}");
    }
    there
}

#[test]
fn each_client_does_a_whole_review() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients");
    for client in std::fs::read_dir(&clients).unwrap() {
        let text = std::fs::read_to_string(client.unwrap().path()).unwrap();
        assert!(
            text.lines().count() < 80,
            "nobody copies a client that is longer: {}",
            text.lines().next().unwrap()
        );
    }
    let exe = folder.path().join("Review.exe");
    let mut programs: Vec<Vec<String>> = Vec::new();
    let script = |name: &str| clients.join(name).to_string_lossy().into_owned();
    if is_there("python3") {
        programs.push(vec!["python3".into(), script("review.py")]);
    }
    if is_there("node") {
        programs.push(vec!["node".into(), script("review.mjs")]);
    }
    if is_there("java") {
        programs.push(vec!["java".into(), script("Review.java")]);
    }
    if is_there("mcs") && is_there("mono") {
        let libraries = ["-r:System.Runtime.Serialization", "-r:System.Xml", "-r:System.Xml.Linq"];
        let made = Command::new("mcs")
            .args(libraries)
            .arg(format!("-out:{}", exe.display()))
            .arg(script("Review.cs"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        programs.push(vec!["mono".into(), exe.to_string_lossy().into_owned()]);
    }
    for program in programs {
        let path = folder.path().join(format!("{}.sqlite", program[0]));
        let running = town.listening(&path, &[]);
        let output = Command::new(&program[0])
            .args(&program[1..])
            .arg(&running.address)
            .arg(town.folder.path().join("token"))
            .args([&town.scorer.sign_off().purpose, &town.today.to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}{}", program[0], String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("place 1: ") && said.contains("decided in entry "), "{said}");
        assert!(said.contains("refused: ") || said.contains("not_found: "), "{said}");
        drop(running);
        let ledger = Ledger::open(&path).unwrap();
        let kinds =
            [EntryKind::RunFinished, EntryKind::CaseOpened, EntryKind::CaseAsked, EntryKind::Decision];
        for kind in kinds {
            assert_eq!(ledger.entries(&Filter::of(&[kind])).unwrap().len(), 1, "{} {kind:?}", program[0]);
        }
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    }
}
