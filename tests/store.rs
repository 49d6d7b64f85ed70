//! What a store holds of earlier runs is taken where nothing has changed, and never believed where something has.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::{Error, RecordsError};
use earlyhelp::features::Cell;
use earlyhelp::project::Project;
use earlyhelp::records::{MemoryLimit, MemorySize, Records, Road};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

const PROJECT: &str = r#"
name = "Store"
purpose = "To test a store"
reject_limit = 0.5

[people]
path = "people.csv"
columns = { person = ["id"], date_of_birth = "born", died = "died" }

[households]
path = "homes.csv"
columns = { person = ["id"], household = "home", start = "from" }

[[source]]
name = "calls"
path = "calls.csv"
columns = { entity = "id", kind = { column = "what" }, occurred = "on" }

[[source]]
name = "plans"
path = "plans_*.csv"
columns = { entity = "id", kind = { constant = "plan" }, occurred = "on", ended = "to", known = { column = "seen" }, reference = "ref", repeated = "latest" }

[[source]]
name = "fines"
path = "fines.csv"
columns = { entity = "id", kind = { column = "code" }, occurred = "on", value = "sum", categories = ["area"], role = "role", duplicates = "drop" }
codes = { code = { file = "codes.csv" } }

[[feature]]
source = "calls"
measure = "count"
over = ["365 days"]

[[feature]]
source = "plans"
measure = "days_open"
over = ["365 days"]

[[feature]]
source = "fines"
measure = "sum"
over = ["365 days", "730 days"]

[outcome]
name = "call"
words = "Another call"
horizon = "12 months"
records = [{ source = "calls" }]

[training]
as_of = ["2022-04-01"]
capacity = { cases = 5 }
"#;

/// 60 people, with dirt of every kind in their records.
fn council() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut people = "id,born,died\n".to_owned();
    let mut homes = "id,home,from\n".to_owned();
    for nth in 0..60 {
        let died = if nth == 7 { "2021-06-01" } else { "" };
        writeln!(people, "P{nth:03},20{:02}-03-{:02},{died}", 5 + nth % 10, 1 + nth % 28).unwrap();
        writeln!(homes, "P{nth:03},H{:02},2015-01-01", nth / 3).unwrap();
    }
    let (mut calls, mut fines) = ("id,what,on\n".to_owned(), "id,code,on,sum,area,role\n".to_owned());
    let mut plans = ["id,on,to,seen,ref\n".to_owned(), "id,on,to,seen,ref\n".to_owned()];
    for nth in 0..400_u32 {
        let (who, month, day) = (nth * 7 % 60, 1 + nth % 12, 1 + nth % 28);
        let what = ["visit", "call", "letter"][nth as usize % 3];
        // Before birth, without a day, and of a day that does not exist.
        let on = match nth % 97 {
            13 => "1999-01-01".to_owned(),
            14 => String::new(),
            15 => "2021-02-30".to_owned(),
            _ => format!("202{}-{month:02}-{day:02}", nth % 3),
        };
        writeln!(calls, "P{who:03},{what},{on}").unwrap();
        let code = ["1", "2: Parking", "9"][nth as usize % 3];
        // Somebody who is on no list; and rows that stand there twice.
        let whom = if nth % 50 == 3 { format!("X{nth}") } else { format!("P{who:03}") };
        let role = ["subject", "victim", "nobody"]
            [usize::from(nth % 40 == 1) * 2 + nth as usize % 2 * usize::from(nth % 40 != 1)];
        for _ in 0..=u32::from(nth % 20 == 0) {
            writeln!(
                fines,
                "{whom},{code},2020-{month:02}-{day:02},{}.5,{},{role}",
                nth % 90,
                ["N", "S", ""][nth as usize % 3]
            )
            .unwrap();
        }
        let to = if nth % 2 == 0 { format!("2022-{month:02}-{day:02}") } else { String::new() };
        let file = &mut plans[usize::from(nth >= 200)];
        writeln!(
            file,
            "P{who:03},2020-{month:02}-{day:02},{to},202{}-{month:02}-{day:02},R{}",
            nth / 200,
            nth % 230
        )
        .unwrap();
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("people.csv", &people);
    write("homes.csv", &homes);
    write("calls.csv", &calls);
    write("fines.csv", &fines);
    write("plans_1.csv", &plans[0]);
    write("plans_2.csv", &plans[1]);
    write("codes.csv", "value,meaning\n1,Speeding\n2,Parking\n");
    write("project.toml", PROJECT);
    folder
}

fn load(folder: &Path) -> Project {
    Project::load(folder.join("project.toml")).unwrap().read_on("2023-01-01".parse().unwrap())
}

/// Everything that records say.
fn told(project: &Project) -> (String, Vec<(String, Road)>) {
    let checked = project.check().unwrap();
    let records: &Records = checked.records();
    let snapshot = records.as_of("2022-04-01".parse().unwrap());
    let digests: Vec<_> = snapshot.sources().map(|source| snapshot.digest(source)).collect();
    let cohort = CohortSpec::default().choose(&snapshot).unwrap();
    let matrix = project.features().unwrap().compute(&cohort).unwrap();
    let cells: Vec<Cell> = (0..matrix.rows())
        .flat_map(|row| (0..matrix.names().len()).map(move |column| (row, column)))
        .map(|(row, column)| matrix.cell(row, column))
        .collect();
    let quality = checked.quality("2022-04-01".parse().unwrap(), None);
    let told = format!(
        "{:?} {:?} {:?} {:?} {digests:?} {} {cells:?} {}",
        records.tables(),
        records.intake(),
        records.remarks(),
        records.unlisted_codes().collect::<Vec<_>>(),
        serde_json::to_string(records.rejects()).unwrap(),
        serde_json::to_string(&quality).unwrap(),
    );
    (told, records.roads().to_vec())
}

struct Tried {
    council: TempDir,
    store: PathBuf,
}

impl Tried {
    /// A council that was read once with a store.
    fn new() -> Self {
        let council = council();
        let store = council.path().join("store");
        let tried = Self { council, store };
        assert_eq!(tried.kept(), Vec::<String>::new(), "there was nothing to take");
        tried
    }

    fn path(&self, name: &str) -> PathBuf {
        self.council.path().join(name)
    }

    fn change(&self, name: &str, change: impl Fn(String) -> String) {
        fs::write(self.path(name), change(fs::read_to_string(self.path(name)).unwrap())).unwrap();
    }

    /// The sources that are taken from the store, whose run is to say what one without it says.
    fn kept(&self) -> Vec<String> {
        self.kept_by(|project| project)
    }

    fn kept_by(&self, how: impl Fn(Project) -> Project) -> Vec<String> {
        let (plain, none) = told(&how(load(self.council.path())));
        assert!(none.is_empty());
        let (found, roads) = told(&how(load(self.council.path()).store(&self.store)));
        if plain != found {
            let place = plain.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
            let around =
                |text: &str| text.chars().skip(place.saturating_sub(60)).take(120).collect::<String>();
            panic!("with a store something else is said:\n{}\n{}", around(&plain), around(&found));
        }
        assert_eq!(roads.len(), 3);
        roads.into_iter().filter(|(_, road)| *road == Road::Kept).map(|(source, _)| source).collect()
    }
}

const ALL: [&str; 3] = ["calls", "fines", "plans"];

#[test]
fn what_did_not_change_is_taken_and_says_the_same() {
    let tried = Tried::new();
    assert_eq!(tried.kept(), ALL);
    // A later day of reading, on which nothing else can be.
    assert_eq!(tried.kept_by(|project| project.read_on("2023-02-01".parse().unwrap())), ALL);
    let memory = MemoryLimit::new(MemorySize::bytes(100_000), tried.council.path());
    assert_eq!(tried.kept_by(|project| project.memory(memory.clone())), ALL);
}

#[test]
fn what_changed_is_read_and_then_kept() {
    let tried = Tried::new();
    tried.change("calls.csv", |text| text + "P001,visit,2022-11-11\n");
    assert_eq!(tried.kept(), ["fines", "plans"]);
    assert_eq!(tried.kept(), ALL);
    // One file more of a source of several; one the less; another name.
    fs::write(tried.path("plans_3.csv"), "id,on,to,seen,ref\nP002,2022-01-01,,2022-01-02,R9999\n").unwrap();
    assert_eq!(tried.kept(), ["calls", "fines"]);
    fs::rename(tried.path("plans_3.csv"), tried.path("plans_4.csv")).unwrap();
    assert_eq!(tried.kept(), ["calls", "fines"]);
    fs::remove_file(tried.path("plans_4.csv")).unwrap();
    assert_eq!(tried.kept(), ["calls", "fines"]);
    // A list of codes.
    tried.change("codes.csv", |text| text + "9,Other\n");
    assert_eq!(tried.kept(), ["calls", "plans"]);
    // How a source is mapped.
    tried.change("project.toml", |text| text.replace("duplicates = \"drop\"", "duplicates = \"keep\""));
    assert_eq!(tried.kept(), ["calls", "plans"]);
    assert_eq!(tried.kept(), ALL);
    // Of each source one state is held, in three files, and the mark of the store.
    assert_eq!(fs::read_dir(&tried.store).unwrap().count(), 10);
}

#[test]
fn the_list_of_people_decides_with_it() {
    let tried = Tried::new();
    // Somebody new changes nothing but where some ids are on no list.
    tried.change("people.csv", |text| text + "P0005,2010-01-01,\n");
    assert_eq!(tried.kept(), ["calls", "plans"]);
    // X3 is one of those now.
    tried.change("people.csv", |text| text + "X3,2010-01-01,\n");
    assert_eq!(tried.kept(), ["calls", "plans"]);
    // Another day of birth, or of death, is no part of what is kept.
    tried.change("people.csv", |text| text.replace("2021-06-01", "2020-06-01"));
    assert_eq!(tried.kept(), ALL);
    // Somebody who is named is gone.
    tried.change("people.csv", |text| {
        text.lines().filter(|line| !line.starts_with("P007")).collect::<Vec<_>>().join("\n")
    });
    assert_eq!(tried.kept(), Vec::<String>::new());
    // Without a list whoever is named is taken in.
    tried.change("project.toml", |text| {
        let (start, end) = (text.find("[people]").unwrap(), text.find("[[source]]").unwrap());
        text[..start].to_owned() + &text[end..]
    });
    assert_eq!(tried.kept(), Vec::<String>::new());
    assert_eq!(tried.kept(), ALL);
    tried.change("calls.csv", |text| text + "NEW,visit,2022-11-11\n");
    assert_eq!(tried.kept(), ["fines", "plans"]);
}

#[test]
fn days_that_could_not_be_are_looked_at_again() {
    let tried = Tried::new();
    tried.change("calls.csv", |text| text + "P001,visit,2023-01-15\n");
    assert_eq!(tried.kept(), ["fines", "plans"]);
    assert_eq!(tried.kept(), ALL);
    let later = |project: Project| project.read_on("2023-02-01".parse().unwrap());
    assert_eq!(tried.kept_by(later), ["fines", "plans"], "on that day it can be");
    assert_eq!(tried.kept_by(later), ALL);
    assert_eq!(tried.kept(), ["fines", "plans"], "calls were read on a later day");
}

#[test]
fn a_damaged_store_is_not_believed() {
    let tried = Tried::new();
    let held = || -> Vec<PathBuf> {
        let all = fs::read_dir(&tried.store).unwrap().map(|held| held.unwrap().path());
        let mut held: Vec<PathBuf> = all.filter(|path| path.extension().is_some()).collect();
        held.sort();
        held
    };
    assert_eq!(held().len(), 9);
    for nth in 0..9 {
        let path = &held()[nth];
        let bytes = fs::read(path).unwrap();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x20;
            fs::write(path, damaged).unwrap();
            assert_eq!(tried.kept().len(), 2, "{path:?} at {place}");
        }
        for damaged in [&bytes[..bytes.len() / 2], b""] {
            fs::write(path, damaged).unwrap();
            assert_eq!(tried.kept().len(), 2, "{path:?}");
        }
        fs::remove_file(path).unwrap();
        assert_eq!(tried.kept().len(), 2, "{path:?}");
        assert_eq!(tried.kept(), ALL);
    }
    // What is held of one source under the key of another.
    let all = held();
    for of in ["entry", "records.arrow", "ids.arrow"] {
        let its: Vec<&PathBuf> = all.iter().filter(|path| path.to_str().unwrap().ends_with(of)).collect();
        let first = fs::read(its[0]).unwrap();
        // Two sources that name the same people have the same ids.
        let other = its.iter().find(|other| fs::read(other).unwrap() != first);
        let Some(other) = other else { continue };
        fs::copy(other, its[0]).unwrap();
        assert_eq!(tried.kept().len(), 2, "{of}");
        assert_eq!(fs::read(its[0]).unwrap(), first, "it is kept again, and the same");
    }
}

/// Whoever can write to the store can write its digests, too: then no code may point beyond its names.
#[test]
fn a_forged_store_does_no_harm() {
    let tried = Tried::new();
    let entries = fs::read_dir(&tried.store).unwrap().map(|held| held.unwrap().path());
    let forge = |path: &Path, json: &[u8]| {
        let digest = hex::encode(Sha256::digest(json));
        fs::write(path, [digest.as_bytes(), b"\n", json].concat()).unwrap();
    };
    for path in entries.filter(|path| path.extension().is_some_and(|of| of == "entry")).collect::<Vec<_>>() {
        let text = fs::read_to_string(&path).unwrap();
        let text = &text[65..];
        let mut entry: serde_json::Value = serde_json::from_str(text).unwrap();
        forge(&path, text.as_bytes());
        assert_eq!(tried.kept(), ALL, "forged as it was");
        for (field, value) in [
            ("kinds", serde_json::json!([])),
            ("form", serde_json::json!(1)),
            ("lag", serde_json::json!("x")),
            ("key", serde_json::json!("another")),
        ] {
            let was = std::mem::replace(&mut entry[field], value);
            forge(&path, &serde_json::to_vec(&entry).unwrap());
            assert_eq!(tried.kept().len(), 2, "{field}");
            entry[field] = was;
        }
    }
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let council = council();
    let refused = |folder: &Path, why: &str| match load(council.path()).store(folder).check() {
        Err(Error::Records(RecordsError::Store { why: found, .. })) => {
            assert!(found.contains(why), "{found}");
        }
        other => panic!("{:?}", other.map(|_| "taken")),
    };
    refused(&council.path().join("people.csv"), "");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let other = council.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o750)).unwrap();
        refused(&other, "chmod 700");
        fs::set_permissions(&other, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(other.join("letter.txt"), "Dear").unwrap();
        refused(&other, "it holds something else");
        assert_eq!(fs::read(other.join("letter.txt")).unwrap(), b"Dear");
        let store = council.path().join("store");
        load(council.path()).store(&store).check().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store), 0o700);
        for held in fs::read_dir(&store).unwrap().map(|held| held.unwrap().path()) {
            assert_eq!(mode(&held) & 0o077, 0, "{held:?}");
        }
    }
}

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().unwrap()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The whole way from extracts to a list on record, read plainly, with a store, and in little memory.
#[test]
fn the_command_writes_the_same_by_every_road() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (council, store, scratch) = (at("council"), at("store"), at("scratch"));
    fs::create_dir(&scratch).unwrap();
    let made = earlyhelp(&["synth", "--out", &council, "--children", "1500", "--format", "parquet"]);
    assert!(made.status.success(), "{}", complained(&made));
    let project = format!("{council}/project.toml");
    let purpose = "Offer early help to families before a crisis";
    let roads: [(&str, Vec<&str>); 4] = [
        ("plain", vec![]),
        ("cold", vec!["--store", &store]),
        ("warm", vec!["--store", &store]),
        ("little", vec!["--memory", "4MB", "--scratch", &scratch]),
    ];
    let mut written: Vec<Vec<u8>> = Vec::new();
    for (name, road) in &roads {
        let (model, released) = (at(&format!("{name}.json")), at(&format!("{name}-released.json")));
        let (lists, ledger) = (at(&format!("{name}-lists")), at(&format!("{name}.jsonl")));
        let run = |arguments: &[&str]| {
            let all: Vec<&str> = arguments.iter().chain(road).copied().collect();
            let done = earlyhelp(&all);
            assert!(done.status.success(), "{name}: {}", complained(&done));
            done
        };
        let check = run(&["check", &project, "--as-of", "2025-04-01", "--json"]);
        let said = complained(&check);
        match *name {
            "cold" => assert!(said.contains("store: 0 of ") && said.contains("read: police"), "{said}"),
            "warm" => {
                assert!(said.contains(" sources are taken from it") && !said.contains("read:"), "{said}");
            }
            _ => assert!(!said.contains("store"), "{said}"),
        }
        run(&["train", &project, "--out", &model, "--trainer", "logistic"]);
        let by = ["--by", "A. Manager", "--role", "Head", "--purpose", purpose, "--review-by", "2026-04-01"];
        let release = ["release", &model, "--on", "2025-04-01", "--out", &released, "--ledger", &ledger];
        let release = earlyhelp(&[&release[..], &by[..]].concat());
        assert!(release.status.success(), "{}", complained(&release));
        let asked = ["--as-of", "2025-04-01", "--capacity", "7", "--requested-by", "B", "--purpose", purpose];
        let score = ["score", &project, "--model", &released, "--on", "2025-04-01", "--out", &lists];
        run(&[&score[..], &asked[..]].concat());
        let list = fs::read(format!("{lists}/list.json")).unwrap();
        written.push([check.stdout, fs::read(&model).unwrap(), list].concat());
        assert!(written[0] == written[written.len() - 1], "{name} writes something else");
        // On record it stands which road a run took.
        run(&[&score[..6], &["--out", &at(&format!("{name}-recorded")), "--ledger", &ledger], &asked[..]]
            .concat());
        let kept = fs::read_to_string(&ledger).unwrap().matches("from_store").count();
        assert_eq!(kept, usize::from(*name == "cold" || *name == "warm"), "{name}");
    }
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "nothing waits any more");

    let refused = |arguments: &[&str], code: i32, says: &str| {
        let done = earlyhelp(&[&["check", &project], arguments].concat());
        assert_eq!(done.status.code(), Some(code), "{}", complained(&done));
        assert!(complained(&done).contains(says), "{}", complained(&done));
    };
    refused(&["--memory", "2"], 2, "write a number and its unit");
    refused(&["--scratch", &scratch], 2, "--memory");
    refused(&["--memory", "1MB"], 1, "1.0 MB is all that was asked for");
    refused(&["--memory", "4MB", "--scratch", &at("nowhere")], 1, "are to wait in");
    refused(&["--store", &council], 1, "the store");
}

/// A day that is turned away for lying behind the day of reading may be read later, however the column is used besides.
#[test]
fn an_end_that_was_not_known_yet_is_looked_at_again() {
    let tried = Tried::new();
    tried.change("project.toml", |text| {
        let plain =
            "ended = \"to\", known = { column = \"seen\" }, reference = \"ref\", repeated = \"latest\" }";
        text.replace(plain, "ended = \"to\", ended_known = \"to\" }")
    });
    let on = |day: &'static str| move |project: Project| project.read_on(day.parse().unwrap());
    tried.kept_by(on("2022-06-01"));
    assert_eq!(tried.kept_by(on("2022-06-01")), ALL);
    let later = tried.kept_by(on("2022-07-01"));
    assert!(!later.contains(&"plans".to_owned()), "{later:?}");
}

#[test]
fn a_run_that_fails_leaves_the_store_as_it_is() {
    let tried = Tried::new();
    let calls = fs::read_to_string(tried.path("calls.csv")).unwrap();
    fs::write(tried.path("calls.csv"), "").unwrap();
    let project = load(tried.council.path()).store(&tried.store);
    assert!(project.check().is_err());
    assert!(!project.reading_faults().is_empty());
    fs::write(tried.path("calls.csv"), calls).unwrap();
    assert_eq!(tried.kept(), ALL);
}

#[test]
fn what_cannot_be_kept_is_no_fault_of_the_run() {
    let tried = Tried::new();
    // A folder stands where an entry of the changed source is to go.
    tried.change("calls.csv", |text| text + "P001,visit,2022-11-11\n");
    let held: Vec<PathBuf> = fs::read_dir(&tried.store).unwrap().map(|held| held.unwrap().path()).collect();
    assert_eq!(tried.kept(), ["fines", "plans"]);
    let new = fs::read_dir(&tried.store).unwrap().map(|held| held.unwrap().path());
    let entry =
        new.filter(|path| !held.contains(path)).find(|path| path.extension().is_some_and(|of| of == "entry"));
    let entry = entry.unwrap();
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    let (_, roads) = told(&load(tried.council.path()).store(&tried.store));
    let Road::Read { not_kept: Some(_), .. } = &roads[0].1 else { panic!("{roads:?}") };
    fs::remove_dir(&entry).unwrap();
    // What a killed run leaves is removed by the next, and nothing that somebody else put there.
    let key = "0123456789abcdef".repeat(4);
    let (left, whole) = (format!("{key}.records.arrow.4567"), format!("{key}.ids.arrow"));
    let theirs =
        ["letter.txt", "records.arrow", "0123.records.arrow.4567", &format!("{key}.records.arrow.mine")];
    for name in [&left[..], &whole].into_iter().chain(theirs) {
        fs::write(tried.store.join(name), "people").unwrap();
    }
    assert_eq!(tried.kept(), ["fines", "plans"]);
    assert!(!tried.store.join(left).exists() && !tried.store.join(whole).exists());
    assert!(theirs.iter().all(|name| tried.store.join(name).is_file()));
    assert_eq!(tried.kept(), ALL);
}

#[test]
fn a_store_stands_apart_and_extracts_may_move() {
    let tried = Tried::new();
    // The same files in another folder.
    let other = tried.path("other");
    fs::create_dir(&other).unwrap();
    for name in ["people.csv", "homes.csv", "calls.csv", "fines.csv", "plans_1.csv", "plans_2.csv"] {
        fs::copy(tried.path(name), other.join(name)).unwrap();
    }
    let moved = load(tried.council.path()).extracts_in(&other).unwrap().store(&tried.store);
    assert!(told(&moved).1.iter().all(|(_, road)| *road == Road::Kept));
    let within = load(&tried.path("")).extracts_in(&other).unwrap();
    let inside = other.join("store");
    told(&within.clone().store(&inside));
    for held in fs::read_dir(&inside).unwrap().map(|held| held.unwrap().path()) {
        if held.extension().is_some_and(|of| of == "arrow") {
            let project = fs::read_to_string(tried.path("project.toml")).unwrap();
            fs::write(tried.path("project.toml"), project.replace("plans_*.csv", "store/*.arrow")).unwrap();
            break;
        }
    }
    match load(tried.council.path()).extracts_in(&other).unwrap().store(&inside).check() {
        Err(Error::Records(RecordsError::Store { why, .. })) => assert!(why.contains("apart"), "{why}"),
        found => panic!("{:?}", found.map(|_| "taken")),
    }
}
