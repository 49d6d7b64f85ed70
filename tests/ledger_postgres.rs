//! A ledger in a `PostgreSQL` database: many writers, kills of clients and of the server, tampering by whoever administers it, roles,
//! passwords and TLS; and records that a project reads from one. Each test that needs a server says so and is skipped where none can be had.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

#[path = "postgres/queries.rs"]
mod queries;
#[path = "postgres/server.rs"]
mod server;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{
    Content, Draft, Filter, Ledger, LedgerEntry, LedgerError, POSTGRES_SCHEMA, Tampering,
};
use earlyhelp::synthetic::{CouncilParams, Format};
use serde_json::json;
use server::Server;

/// One server for the tests that do not stop theirs.
static SERVER: LazyLock<Option<Server>> = LazyLock::new(Server::start);

/// The variables by which a test tells its children which ledger to write to, and which child each is.
const LEDGER: &str = "EARLYHELP_TEST_LEDGER";
const CHILD: &str = "EARLYHELP_TEST_CHILD";

fn today() -> Day {
    Day::from_ymd(2025, 4, 1).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn database(ledger: &Path) -> &str {
    text(ledger).rsplit('/').next().unwrap()
}

fn about(subject: &str, number: u64) -> Draft {
    let content = Content::of_subject(subject, json!({ "number": number, "words": "owes rent" }));
    Draft::new("scored", today()).run("2025-04").facts(json!({ "number": number })).content(content)
}

fn purge() -> Draft {
    Draft::new("purge", today()).facts(json!({ "by": "D. Officer", "reason": "erasure was asked for" }))
}

/// Twelve entries: one without content, ten about people, and a purge of the third and the fourth.
fn filled(place: &Path) -> Ledger {
    let ledger = Ledger::open(place).unwrap();
    ledger.append(vec![Draft::new("started", today()).run("2025-04")]).unwrap();
    ledger.append((2..=11).map(|number| about(&format!("P-{number:04}"), number)).collect()).unwrap();
    assert_eq!(ledger.redact(&[3, 4], vec![purge()]).unwrap().entries, 12);
    ledger
}

fn numbers(ledger: &Ledger, run: &str) -> Vec<u64> {
    let entries = ledger.entries(&Filter::all().run(run)).unwrap();
    entries.iter().map(|entry| entry.facts()["number"].as_u64().unwrap()).collect()
}

#[test]
fn sixteen_writers_at_once_lose_nothing() {
    let Some(server) = &*SERVER else { return };
    let place = server.ledger();
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let place = &place;
            scope.spawn(move || {
                let ledger = Ledger::open(place).unwrap();
                for number in 0..12 {
                    ledger.append(vec![about(&format!("W-{writer}"), number); 3]).unwrap();
                }
            });
        }
    });
    let ledger = Ledger::open_existing(&place).unwrap();
    let seen = ledger.verify(&[]).unwrap();
    assert_eq!((seen.entries, seen.finding), (16 * 12 * 3, None));
    for writer in 0..16 {
        let mine = ledger.entries(&Filter::all().subject(format!("W-{writer}"))).unwrap();
        let order: Vec<u64> = mine.iter().map(|entry| entry.facts()["number"].as_u64().unwrap()).collect();
        assert!(order.iter().copied().eq((0..12).flat_map(|number| [number; 3])), "{order:?}");
        assert!(mine.chunks(3).all(|step| step[0].through() == step[2].seq()), "a step stands together");
    }
}

/// A batch of one to five entries, or of three hundred, each numbered by its writer.
fn batch(child: &str, first: u64) -> Vec<Draft> {
    let entries = if first % 11 == 3 { 300 } else { 1 + first % 5 };
    (first..first + entries)
        .map(|number| {
            let content = Content::of_subject(format!("P-{number}"), json!({ "text": "x".repeat(600) }));
            Draft::new("written", today()).run(child).facts(json!({ "number": number })).content(content)
        })
        .collect()
}

/// Not a test by itself: what the children do. Each says a batch is committed once it is.
#[test]
#[ignore = "writes until it is killed; another test starts it as a process of its own"]
fn writes_until_killed() {
    let (Ok(place), Ok(child)) = (std::env::var(LEDGER), std::env::var(CHILD)) else { return };
    let ledger = Ledger::open(place).unwrap();
    let mut out = std::io::stdout();
    let mut number = 1;
    writeln!(out).unwrap();
    loop {
        let drafts = batch(&child, number);
        number += drafts.len() as u64;
        let head = ledger.append(drafts).unwrap();
        writeln!(out, "committed {} {}", head.entries, number - 1).unwrap();
    }
}

fn write_until_killed(place: &Path, child: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--ignored", "--nocapture"])
        .env(LEDGER, place)
        .env(CHILD, child)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills a child and gives what it said was committed: the highest head, and its own last number.
fn kill(mut child: Child) -> (u64, u64) {
    child.kill().unwrap();
    let (mut said, mut complaint) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(!complaint.contains("panicked"), "{complaint}");
    let mut committed = said.split_inclusive('\n').filter(|line| line.ends_with('\n')).filter_map(|line| {
        let (head, number) = line.trim_end().strip_prefix("committed ")?.split_once(' ')?;
        Some((head.parse().unwrap(), number.parse().unwrap()))
    });
    committed.next_back().unwrap_or_default()
}

#[test]
fn clients_that_are_killed_lose_nothing_and_block_nobody() {
    let Some(server) = &*SERVER else { return };
    let place = server.ledger();
    let ledger = Ledger::open(&place).unwrap();
    let mut killed_after_a_commit = 0;
    for round in 0..12_u64 {
        let names = [format!("{round} a"), format!("{round} b")];
        let [first, second] = names.each_ref().map(|child| write_until_killed(&place, child));
        // On a machine that is busy they need a while to begin.
        let (before, started) = (ledger.head().unwrap().entries, Instant::now());
        while ledger.head().unwrap().entries == before && started.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(37 * round % 90));
        let first = kill(first);
        std::thread::sleep(Duration::from_millis(11 * round % 40));
        let said = [first, kill(second)];
        killed_after_a_commit += u64::from(said.iter().any(|(head, _)| *head > 0));
        // Whoever held the lock holds it no longer.
        ledger.append(vec![about("after", round)]).unwrap();
        let found = ledger.head().unwrap().entries;
        for (child, (head, number)) in names.iter().zip(said) {
            assert!(head <= found, "{head} entries were committed and {found} are there");
            let numbers = numbers(&ledger, child);
            let there = numbers.len() as u64;
            assert!(there >= number, "{number} were committed and {there} are there");
            assert!(numbers.into_iter().eq(1..=there), "one is missing, or stands twice");
            let mut whole = 0;
            while whole < there {
                whole += batch(child, whole + 1).len() as u64;
            }
            assert_eq!(whole, there, "no batch is there in part");
        }
    }
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    assert!(killed_after_a_commit > 3, "they were killed too early: {killed_after_a_commit} of 12");
}

#[test]
fn a_server_that_goes_down_in_the_middle_of_appends_loses_nothing_that_was_committed() {
    let Some(server) = Server::start() else { return };
    let place = server.ledger();
    let over = AtomicBool::new(false);
    let counts = [0, 1, 2].map(|_| AtomicUsize::new(0));
    // On a machine that is busy each needs a while: the server goes down on those who have written something since.
    let has_written = |since: [usize; 3]| {
        counts.iter().zip(since).all(|(count, since)| count.load(Ordering::SeqCst) >= since + 6)
    };
    let while_they_write = || {
        let (since, started) = (counts.each_ref().map(|count| count.load(Ordering::SeqCst)), Instant::now());
        std::thread::sleep(Duration::from_millis(300));
        while !has_written(since) && started.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let (written, refused) = std::thread::scope(|scope| {
        let writers = [0, 1, 2].map(|writer| {
            let (ledger, over, count) = (Ledger::open(&place).unwrap(), &over, &counts[writer]);
            scope.spawn(move || {
                let (mut written, mut refused) = (Vec::new(), 0);
                for number in 0.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    let draft = Draft::new("written", today()).run(format!("w{writer}"));
                    match ledger.append(vec![draft.facts(json!({ "number": number })); 2]) {
                        Ok(_) => {
                            written.extend([number; 2]);
                            count.fetch_add(2, Ordering::SeqCst);
                        }
                        // Not there, and it says so: the next one is another.
                        Err(LedgerError::Io { why, .. }) => {
                            assert!(!why.contains("not known"), "{why}");
                            refused += 1;
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                (written, refused)
            })
        });
        for _ in 0..4 {
            while_they_write();
            server.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "-m", "immediate", "restart"]);
        }
        while_they_write();
        over.store(true, Ordering::SeqCst);
        let (written, refused): (Vec<_>, Vec<u32>) =
            writers.map(|writer| writer.join().unwrap()).into_iter().unzip();
        (written, refused.into_iter().sum::<u32>())
    });
    let ledger = Ledger::open(&place).unwrap();
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    for (writer, written) in written.into_iter().enumerate() {
        assert!(written.len() > 20, "{written:?}");
        assert_eq!(numbers(&ledger, &format!("w{writer}")), written, "what it was told is what is there");
    }
    println!("{refused} appends were refused while the server was down, none that was committed is missing");
    assert!(refused > 0, "the server never went down on anybody");
}

/// What a verification finds after somebody who administers the server took the guards away, changed something, and put them back.
fn found(server: &Server, change: &str) -> Option<(u64, Tampering)> {
    let place = server.ledger();
    let ledger = filled(&place);
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    let guards = |state: &str| -> String {
        [
            ("entry", "entry_stays"),
            ("content", "content_stays"),
            ("content", "content_goes_by_purge"),
            ("head", "head_stays"),
            ("head", "head_goes_on"),
        ]
        .map(|(table, guard)| format!("ALTER TABLE earlyhelp.{table} {state} TRIGGER {guard};"))
        .concat()
    };
    server.sql(database(&place), &format!("{}{change};{}", guards("DISABLE"), guards("ENABLE ALWAYS")));
    let finding = ledger.verify(&[]).unwrap().finding;
    finding.map(|finding| (finding.entry, finding.what))
}

#[test]
fn tampering_by_whoever_administers_the_server_is_found() {
    use Tampering::{Changed, Content, Inserted, Removed, Reordered};
    let Some(server) = &*SERVER else { return };
    for (change, expected) in [
        (
            "UPDATE earlyhelp.entry SET header = replace(header, '\"number\":7', '\"number\":8') WHERE seq = 7",
            (7, Changed),
        ),
        ("UPDATE earlyhelp.entry SET header = header || ' ' WHERE seq = 5", (5, Changed)),
        ("UPDATE earlyhelp.entry SET hash = sha256(hash) WHERE seq = 6", (6, Changed)),
        ("UPDATE earlyhelp.entry SET kind = 'other' WHERE seq = 9", (9, Changed)),
        ("UPDATE earlyhelp.entry SET run = NULL WHERE seq = 2", (2, Changed)),
        (
            "UPDATE earlyhelp.content SET content = replace(content, 'rent', 'rant') WHERE seq = 8",
            (8, Changed),
        ),
        ("UPDATE earlyhelp.content SET salt = sha256(salt) WHERE seq = 8", (8, Changed)),
        ("UPDATE earlyhelp.content SET subject = 'P-0001' WHERE seq = 8", (8, Changed)),
        ("DELETE FROM earlyhelp.content WHERE seq = 10", (10, Content)),
        ("UPDATE earlyhelp.content SET seq = 3 WHERE seq = 5", (3, Changed)),
        ("UPDATE earlyhelp.content SET seq = 30 WHERE seq = 5", (5, Content)),
        ("DELETE FROM earlyhelp.entry WHERE seq = 6", (6, Removed)),
        ("DELETE FROM earlyhelp.entry WHERE seq = 12", (12, Removed)),
        ("UPDATE earlyhelp.head SET entries = 11", (12, Inserted)),
        ("UPDATE earlyhelp.head SET hash = sha256(hash)", (12, Changed)),
        (
            "UPDATE earlyhelp.entry SET seq = 100 WHERE seq = 6; UPDATE earlyhelp.entry SET seq = 6 WHERE seq = 7; \
             UPDATE earlyhelp.entry SET seq = 7 WHERE seq = 100",
            (6, Reordered),
        ),
    ] {
        assert_eq!(found(server, change), Some(expected), "{change}");
    }
    // Nothing done, nothing found: what is seen above is not the taking away and putting back.
    assert_eq!(found(server, "SELECT 1"), None);
}

#[test]
fn tables_whose_guards_were_changed_are_read_and_not_written() {
    let Some(server) = &*SERVER else { return };
    for change in [
        "ALTER TABLE earlyhelp.entry DISABLE TRIGGER entry_stays",
        "ALTER TABLE earlyhelp.content ENABLE TRIGGER content_goes_by_purge",
        "DROP TRIGGER head_goes_on ON earlyhelp.head",
        "CREATE OR REPLACE FUNCTION earlyhelp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER skip BEFORE INSERT ON earlyhelp.content FOR EACH ROW EXECUTE FUNCTION public.skip()",
        "CREATE RULE silent AS ON INSERT TO earlyhelp.content DO INSTEAD NOTHING",
        "ALTER TABLE earlyhelp.entry ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE public.more () INHERITS (earlyhelp.entry)",
        "ALTER TABLE earlyhelp.entry DROP CONSTRAINT entry_pkey",
        "ALTER TABLE earlyhelp.content ALTER COLUMN salt DROP NOT NULL",
        "GRANT DELETE ON earlyhelp.content TO earlyhelp_writer",
        "GRANT UPDATE ON earlyhelp.entry TO PUBLIC",
        "ALTER TABLE earlyhelp.content RENAME TO contents",
    ] {
        let place = server.ledger();
        drop(filled(&place));
        server.sql(database(&place), change);
        assert!(matches!(Ledger::open(&place), Err(LedgerError::Damaged { .. })), "{change}");
        let to_read = Ledger::open_to_read(&place).unwrap();
        assert!(matches!(to_read.verify(&[]), Err(LedgerError::Damaged { .. })), "{change}");
    }
    // Rows that are hidden from a reader are an error, and no shorter ledger.
    let place = server.ledger();
    drop(filled(&place));
    server.sql(
        database(&place),
        "ALTER TABLE earlyhelp.entry ENABLE ROW LEVEL SECURITY; DROP ROLE IF EXISTS hidden_from; \
         CREATE ROLE hidden_from LOGIN IN ROLE earlyhelp_reader",
    );
    let hidden = Ledger::open_to_read(server.address("hidden_from", database(&place))).unwrap();
    assert!(hidden.entries(&Filter::all()).is_err());
}

#[test]
fn the_guards_refuse_whoever_asks() {
    let Some(server) = &*SERVER else { return };
    let place = server.ledger();
    let ledger = filled(&place);
    let head = ledger.head().unwrap();
    let purge = |names: &str| {
        format!(
            "INSERT INTO earlyhelp.entry VALUES (13, 'purge', NULL, '{{\"facts\":{{\"redacted\":{names}}}}}', 'x'); \
             DELETE FROM earlyhelp.content WHERE seq = 5"
        )
    };
    for statement in [
        "UPDATE earlyhelp.entry SET kind = 'x' WHERE seq = 1",
        "UPDATE earlyhelp.entry SET kind = 'x' WHERE false",
        "DELETE FROM earlyhelp.entry WHERE seq = 12",
        "TRUNCATE earlyhelp.entry",
        "UPDATE earlyhelp.content SET subject = 'x' WHERE seq = 2",
        "TRUNCATE earlyhelp.content",
        "DELETE FROM earlyhelp.content WHERE seq = 2",
        "DELETE FROM earlyhelp.head",
        "TRUNCATE earlyhelp.head",
        "UPDATE earlyhelp.head SET entries = 3",
        "UPDATE earlyhelp.head SET hash = sha256(hash)",
        "SET session_replication_role = replica; DELETE FROM earlyhelp.entry WHERE seq = 12",
        "SET session_replication_role = replica; DELETE FROM earlyhelp.content WHERE seq = 2",
        &purge("[[1,4],[6,9]]"),
        &purge("[]"),
    ] {
        let refused = server.connect(database(&place)).batch_execute(statement);
        let error = refused.expect_err(statement);
        assert_eq!(error.code().unwrap().code(), "P0001", "{statement}: {error:?}");
    }
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    // And the one that names it is let through.
    server.sql(database(&place), &purge("[[2,2],[4,5]]"));
}

fn denied<T>(refused: Result<T, LedgerError>) {
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("permission denied"), "{error}");
    assert!(!error.contains("P-0005") && !error.contains("rent"), "{error}");
}

#[test]
fn each_role_may_do_its_part_and_no_more() {
    let Some(server) = &*SERVER else { return };
    let place = server.ledger();
    drop(filled(&place));
    server.sql(
        "postgres",
        "CREATE ROLE worker LOGIN IN ROLE earlyhelp_writer; CREATE ROLE auditor LOGIN IN ROLE earlyhelp_reader; \
         CREATE ROLE officer LOGIN IN ROLE earlyhelp_owner; CREATE ROLE stranger LOGIN",
    );
    let at = |user: &str| server.address(user, database(&place));

    let worker = Ledger::open(at("worker")).unwrap();
    assert_eq!(worker.append(vec![about("P-0050", 50)]).unwrap().entries, 13);
    assert_eq!(worker.entries(&Filter::all().subject("P-0050")).unwrap().len(), 1);
    denied(worker.redact(&[5], vec![purge()]));
    for statement in [
        "UPDATE earlyhelp.entry SET kind = 'x'",
        "DELETE FROM earlyhelp.content",
        "TRUNCATE earlyhelp.content",
        "UPDATE earlyhelp.head SET wipe = false",
        "ALTER TABLE earlyhelp.entry DISABLE TRIGGER ALL",
    ] {
        let connected = postgres::Config::new()
            .host_path(server.folder())
            .port(server.port)
            .user("worker")
            .dbname(database(&place))
            .connect(postgres::NoTls);
        let refused = connected.unwrap().batch_execute(statement).expect_err(statement);
        assert_eq!(refused.code().unwrap().code(), "42501", "{statement}");
    }

    let auditor = Ledger::open_to_read(at("auditor")).unwrap();
    assert_eq!(auditor.verify(&[]).unwrap().finding, None);
    assert_eq!(auditor.entries(&Filter::all().subject("P-0005")).unwrap().len(), 1);
    assert!(auditor.append(vec![about("P-0051", 51)]).is_err());
    denied(Ledger::open(at("auditor")).unwrap().append(vec![about("P-0051", 51)]));

    denied(Ledger::open(at("stranger")));
    denied(Ledger::open_to_read(at("stranger")));

    let officer = Ledger::open(at("officer")).unwrap();
    assert_eq!(officer.redact(&[5], vec![purge()]).unwrap().entries, 14);
    let seen = auditor.verify(&[]).unwrap();
    assert_eq!((seen.entries, seen.redacted, seen.finding), (14, 3, None));
}

#[test]
fn what_was_purged_is_in_no_file_of_the_tables_and_in_no_statistics() {
    const PERSON: &str = "ZQ-7731-XK";
    let Some(server) = &*SERVER else { return };
    let place = server.ledger();
    let ledger = filled(&place);
    let draft = Draft::new("decided", today());
    ledger
        .append(
            (0..40).map(|round| draft.clone().content(Content::of_subject(PERSON, json!(round)))).collect(),
        )
        .unwrap();
    let mut admin = server.connect(database(&place));
    let oid: u32 = admin
        .query_one("SELECT oid FROM pg_database WHERE datname = current_database()", &[])
        .unwrap()
        .get(0);
    let folder = server.folder().join(format!("data/base/{oid}"));
    let mut files_that_hold_it = || {
        admin.batch_execute("ANALYZE earlyhelp.content; CHECKPOINT").unwrap();
        let files =
            std::fs::read_dir(&folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(PERSON.len()).any(|held| held == PERSON.as_bytes())).count()
    };
    assert_eq!(files_that_hold_it(), 1, "the table of contents, and no index and no statistics beside it");
    let seqs: Vec<u64> = (13..53).collect();
    // Somebody's older view would keep it: it is waited for.
    let mut viewer = server.connect(database(&place));
    viewer
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM earlyhelp.head")
        .unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(600));
            viewer.batch_execute("COMMIT").unwrap();
        });
        ledger.redact(&seqs, vec![purge()]).unwrap();
    });
    assert_eq!(files_that_hold_it(), 0);
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    // One that was killed before it came to that is finished by the next who may.
    let wipe = |admin: &mut postgres::Client| -> bool {
        admin.query_one("SELECT wipe FROM earlyhelp.head", &[]).unwrap().get(0)
    };
    let mut admin = server.connect(database(&place));
    assert!(!wipe(&mut admin));
    admin.batch_execute("UPDATE earlyhelp.head SET wipe = true").unwrap();
    drop(Ledger::open_to_read(&place).unwrap());
    assert!(wipe(&mut admin));
    drop(Ledger::open(&place).unwrap());
    assert!(!wipe(&mut admin));
}

#[test]
fn a_database_without_tables_says_how_they_are_made() {
    let Some(server) = &*SERVER else { return };
    server.sql("postgres", "CREATE DATABASE bare");
    let place = server.address("postgres", "bare");
    for opened in [Ledger::open(&place), Ledger::open_existing(&place), Ledger::open_to_read(&place)] {
        let error = opened.err().unwrap();
        assert!(matches!(error, LedgerError::NoTables { .. }), "{error}");
        assert!(error.to_string().contains("earlyhelp ledger-schema | psql"), "{error}");
    }
    let printed = command(&["ledger-schema"], &[]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), POSTGRES_SCHEMA);
    // A second time it changes nothing.
    server.sql("bare", POSTGRES_SCHEMA);
    drop(filled(&place));
    assert!(server.connect("bare").batch_execute(POSTGRES_SCHEMA).is_err());
    assert_eq!(Ledger::open(&place).unwrap().head().unwrap().entries, 12);
    server.sql(
        "bare",
        "ALTER TABLE earlyhelp.head DISABLE TRIGGER head_goes_on; \
                        UPDATE earlyhelp.head SET format = 2",
    );
    assert!(matches!(Ledger::open(&place), Err(LedgerError::OtherFormat { found: 2, known: 1, .. })));
    let nowhere = Ledger::open(server.address("postgres", "nowhere")).err().unwrap().to_string();
    assert!(nowhere.contains("does not exist"), "{nowhere}");
}

/// Runs the command with variables of its own, and none of this process that speak of a server.
fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_earlyhelp"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// Runs it, asserts the exit code, and gives all that it said.
fn run(expected: i32, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(arguments, variables);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {said}");
    said
}

const PASSWORD: &str = "s3cret-of-the-worker";

/// The address by the network of a ledger with twelve entries, for a login that needs a password and comes in by TLS alone.
fn guarded(server: &Server) -> String {
    let place = server.ledger();
    drop(filled(&place));
    server.sql(
        database(&place),
        &format!(
            "DROP ROLE IF EXISTS encrypted; CREATE ROLE encrypted LOGIN PASSWORD '{PASSWORD}' IN ROLE earlyhelp_writer"
        ),
    );
    format!("postgresql://encrypted@localhost:{}/{}", server.port, database(&place))
}

#[test]
fn a_password_is_in_no_output_and_an_address_that_holds_one_is_refused() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = server.ledger();
    drop(filled(&place));
    let database = database(&place);
    server.sql(database, &format!("CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}' IN ROLE earlyhelp_writer"));
    let address = format!("postgresql://worker@localhost:{}/{database}?sslmode=disable", server.port);
    let pass = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        text_of(path)
    };
    let (right, wrong) = (
        pass("right", &format!("other:*:*:*:no\nlocalhost:*:{database}:worker:{PASSWORD}\n")),
        pass("wrong", &format!("localhost:*:*:worker:{PASSWORD}x\n")),
    );
    for (code, variables) in [
        (5, ("PGPASSWORD", PASSWORD)),
        (5, ("PGPASSFILE", &*right)),
        (1, ("PGPASSWORD", "s3cret-of-another")),
        (1, ("PGPASSFILE", &*wrong)),
        (1, ("PGPASSFILE", "/nowhere")),
        (1, ("HOME", "/nowhere")),
    ] {
        let said = run(code, &["verify", &address], &[variables]);
        assert!(!said.contains("s3cret") && !said.contains("worker"), "{said}");
    }
    // In the address it is refused, wherever the address stands and whatever is wrong beside it.
    let held = format!("postgresql://worker:{PASSWORD}@localhost:{}/{database}", server.port);
    let ledger = format!("--ledger={held}");
    let query = format!("{address}&password={PASSWORD}");
    for arguments in [
        &["verify", &held][..],
        &["verify", &query],
        &["verify", "a.sqlite", &held],
        &["log", &held, "--no-such-option"],
        &["release", "model.json", &ledger],
        &[&held],
        &["ledger-copy", &held, "a.sqlite"],
    ] {
        let said = run(2, arguments, &[]);
        assert!(!said.contains("s3cret") && said.contains("PGPASSWORD"), "{said}");
    }
    for address in [&held, &query] {
        let error = Ledger::open(address).err().unwrap();
        assert!(matches!(error, LedgerError::Address(_)), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    // Nor is it in what is written, or in what a ledger says of itself.
    let ledger = Ledger::open(&place).unwrap();
    assert_eq!(ledger.path(), Path::new(&format!("postgresql://localhost:{}/{database}", server.port)));
    assert!(!format!("{ledger:?}").contains("postgres@"));
    let out = folder.path().join("one.checkpoint");
    run(0, &["checkpoint", &address, "--out", text(&out)], &[("PGPASSWORD", PASSWORD)]);
    let copy = folder.path().join("copy.jsonl");
    run(0, &["ledger-copy", &address, text(&copy)], &[("PGPASSWORD", PASSWORD)]);
    for written in [&out, &copy] {
        let written = std::fs::read_to_string(written).unwrap();
        assert!(!written.contains("s3cret") && !written.contains("localhost"), "{written}");
    }
}

fn text_of(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap()
}

#[test]
fn tls_is_with_a_server_that_the_right_authority_vouches_for() {
    let Some(server) = Server::start() else { return };
    let (Some(right), Some(wrong)) = (server.authority("right"), server.authority("wrong")) else {
        println!("skipped: there is no openssl to make certificates with");
        return;
    };
    let address = guarded(&server);
    let by_number = address.replace("localhost", "127.0.0.1");
    let password = ("PGPASSWORD", PASSWORD);
    let nowhere = ("HOME", "/nowhere");
    let believe = |authority: &Path| text_of(authority.to_owned());
    let (right, wrong) = (believe(&right), believe(&wrong));
    let none = text_of(server.folder().join("log"));
    for (code, address, variables, why) in [
        (5, &address, vec![("PGSSLROOTCERT", &*right)], "the chain holds"),
        (5, &address, vec![("PGSSLROOTCERT", &*right), ("PGSSLMODE", "verify-full")], "the chain holds"),
        (1, &address, vec![("PGSSLROOTCERT", &*wrong)], "certificate"),
        (1, &address, vec![("PGSSLROOTCERT", &*none)], "none in it"),
        (1, &address, vec![], "PGSSLROOTCERT"),
        // Its certificate is for its name.
        (1, &by_number, vec![("PGSSLROOTCERT", &*right)], "certificate"),
        // What would be weaker is refused by this end, and no TLS at all by the other.
        (1, &address, vec![("PGSSLROOTCERT", &*right), ("PGSSLMODE", "prefer")], "verify-full"),
        (1, &address, vec![("PGSSLROOTCERT", &*right), ("PGSSLMODE", "require")], "verify-full"),
        (1, &address, vec![("PGSSLMODE", "disable")], "refuses the login"),
        (1, &address, vec![("PGSSLROOTCERT", &*right), ("PGSSLCRL", "x")], "PGSSLCRL"),
    ] {
        let mut all = vec![password, nowhere];
        all.extend(&variables);
        let said = run(code, &["verify", address], &all);
        assert!(said.contains(why), "{variables:?}: {said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

#[test]
fn the_commands_take_an_address_wherever_they_take_a_path() {
    let Some(server) = &*SERVER else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text_of(folder.path().join(name));
    let place = server.ledger();
    let ledger = text(&place);
    let council = CouncilParams::new(1_000, 4).generate().unwrap();
    let project = text_of(council.write(&folder.path().join("council"), Format::Csv).unwrap());
    let model = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let here = |expected: i32, arguments: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = said(&ended);
        assert_eq!(ended.status.code(), Some(expected), "{arguments:?}: {said}");
        assert!(!said.contains("postgres@"), "{said}");
        said
    };
    let purpose = "--purpose=Offer early help to families before a crisis";
    let scored = here(
        0,
        &[
            "score",
            &project,
            "--model",
            &model,
            "--as-of=2025-04-01",
            "--capacity=6",
            "--requested-by=B. Lead",
            purpose,
            "--on=2025-04-01",
            "--out",
            &at("list"),
            "--ledger",
            ledger,
        ],
    );
    let id = scored.split("; run ").nth(1).unwrap().lines().next().unwrap();
    let case = |command: &'static str| {
        vec![command, ledger, "--run", id, "--place=1", "--reviewer=C", "--role=worker", "--on=2025-04-02"]
    };
    here(0, &case("open"));
    let mut decide = case("decide");
    decide.extend(["--step=no-action", "--agreement=agree", "--reason=They do well"]);
    here(0, &decide);
    here(1, &decide);
    let beside = format!("localhost-{}-{}.checkpoints", server.port, database(&place));
    assert_eq!(std::fs::read_dir(folder.path().join(&beside)).unwrap().count(), 3, "score, open, decide");
    here(0, &["verify", ledger, "--list", &at("list/list.json")]);
    here(0, &["replay", ledger]);
    here(0, &["checkpoint", ledger, "--out", &at("kept")]);
    let list: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(at("list/list.json")).unwrap()).unwrap();
    let entity = list["entries"][1]["case"]["entity"].as_str().unwrap();
    here(0, &["subject", ledger, "--entity", entity, "--out", &at("pack"), "--on=2025-04-02"]);
    let purged = here(
        0,
        &["purge", ledger, "--entity", entity, "--by=D", "--reason=erasure was asked for", "--on=2025-04-03"],
    );
    assert!(purged.contains("write-ahead log"), "{purged}");

    // Into a file and back into another database: what was kept elsewhere holds for each.
    here(0, &["ledger-copy", ledger, &at("copy.sqlite")]);
    here(0, &["ledger-copy", &at("copy.sqlite"), &at("copy.jsonl")]);
    let again = text_of(server.ledger());
    let copied = here(0, &["ledger-copy", &at("copy.jsonl"), &again]);
    let head = Ledger::open_to_read(&place).unwrap().head().unwrap();
    assert!(copied.contains(&head.hash), "{copied}");
    here(1, &["ledger-copy", &at("copy.jsonl"), &again]);
    for copy in [&again, &at("copy.sqlite"), &at("copy.jsonl")] {
        here(0, &["verify", copy, "--checkpoint", &at("kept")]);
        assert_eq!(here(0, &["log", copy, "--on=2025-04-03"]), here(0, &["log", ledger, "--on=2025-04-03"]));
    }
    // No list, pack or table says where the ledger is.
    for file in
        ["list/list.json", "list/list.html", "list/list.csv", "pack/subject.json", "pack/subject.html"]
    {
        let written = std::fs::read_to_string(at(file)).unwrap();
        assert!(!written.contains("postgresql:") && !written.contains(database(&place)), "{file}");
    }
    let entries = Ledger::open_to_read(&place).unwrap().entries(&Filter::all()).unwrap();
    let held = serde_json::to_string(&entries.iter().map(LedgerEntry::facts).collect::<Vec<_>>()).unwrap();
    assert!(!held.contains("postgresql:"));
}
