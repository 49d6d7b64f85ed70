//! Records read from a database by a project's queries: the same as from files, as of one moment, and nothing of them in an error.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use earlyhelp::error::{Error, ProjectError, RecordsError};
use earlyhelp::ledger::Ledger;
use earlyhelp::project::{Progress, Project};
use earlyhelp::records::{MemoryLimit, Road};
use earlyhelp::synthetic::{CouncilParams, Format};
use serde_json::Value;

use super::server::Server;
use super::{PASSWORD, SERVER, run, text, text_of};

/// Two sources in a database, `a` before `b`.
const PROJECT: &str = r#"
name = "n"
purpose = "p"
reject_limit = 1.0
database = "DATABASE"
[[source]]
name = "a"
query = "QUERY"
columns = { entity = "id", kind = { column = "kind" }, occurred = "day" }
[[source]]
name = "b"
query = "SELECT id, 'call' AS kind, day FROM calls"
columns = { entity = "id", kind = { column = "kind" }, occurred = "day" }
[[feature]]
source = "a"
measure = "count"
over = ["ever"]
[outcome]
name = "o"
words = "w"
horizon = "90 days"
records = [{ source = "b" }]
[training]
as_of = ["2024-01-01"]
capacity = { cases = 1 }
"#;

const VISITS: &str = "SELECT id, kind, day FROM visits";

/// A database with visits and calls.
fn database(server: &Server) -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let name = format!("queried{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    server.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
    server.sql(
        &name,
        "CREATE TABLE visits (id text, kind text, day date, at timestamptz, photo bytea, rent text); \
         INSERT INTO visits VALUES ('P-0017', 'visit', '2023-05-01', now(), 'x', 'owes rent'), \
         ('P-0018', NULL, '2023-06-01', now(), 'x', ''), ('', 'visit', '2023-06-02', now(), 'x', NULL); \
         CREATE TABLE calls (id text, day text); INSERT INTO calls VALUES ('P-0017', '2023-06-01'), ('P-0018', '2023-06-31'); \
         CREATE SEQUENCE numbers; \
         CREATE FUNCTION leak(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% owes rent', $1 \
         USING ERRCODE = '42501'; END $$",
    );
    name
}

fn toml(address: &str, query: &str) -> String {
    PROJECT.replace("DATABASE", address).replace("QUERY", query)
}

/// The project over one query, which may read the database.
fn project(address: &str, query: &str) -> Project {
    Project::from_toml(&toml(address, query), ".").unwrap().may_read(address)
}

fn why(refused: Result<impl Sized, Error>) -> String {
    let said = refused.err().expect("it is refused").to_string();
    for kept in ["P-00", "owes", "postgres@", "/tmp/", "localhost", PASSWORD] {
        assert!(!said.contains(kept), "{kept} in {said}");
    }
    said
}

/// The files of a council as tables whose columns are of the types that a system would have.
fn load(server: &Server, database: &str, files: &Path) -> Vec<String> {
    let mut client = server.connect(database);
    let mut names = Vec::new();
    for file in std::fs::read_dir(files).unwrap() {
        let path = file.unwrap().path();
        let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".csv") else { continue };
        let rows = std::fs::read_to_string(&path).unwrap();
        let columns: Vec<String> = rows
            .lines()
            .next()
            .unwrap()
            .split(',')
            .map(|column| {
                let of = match column {
                    "date_of_birth" | "start" | "end" | "occurred" | "recorded" => "date",
                    "value" => "numeric",
                    _ => "text",
                };
                format!("\"{column}\" {of}")
            })
            .collect();
        client.batch_execute(&format!("CREATE TABLE \"{name}\" ({})", columns.join(", "))).unwrap();
        let mut into = client.copy_in(&format!("COPY \"{name}\" FROM STDIN (FORMAT csv, HEADER)")).unwrap();
        into.write_all(rows.as_bytes()).unwrap();
        into.finish().unwrap();
        names.push(name.to_owned());
    }
    names
}

#[test]
fn a_project_by_queries_says_what_it_says_by_files() {
    let Some(server) = &*SERVER else { return };
    server.sql("postgres", "CREATE DATABASE council");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text_of(folder.path().join(name));
    let council = CouncilParams::new(1_000, 4).generate().unwrap();
    let by_files = council.write(&folder.path().join("council"), Format::Csv).unwrap();
    // Somebody without an id.
    let people = by_files.with_file_name("people.csv");
    let rows = std::fs::read_to_string(&people).unwrap();
    let (_, rest) = rows.lines().nth(1).unwrap().split_once(',').unwrap();
    std::fs::write(&people, format!("{rows},{rest}\n")).unwrap();
    let tables = load(server, "council", by_files.parent().unwrap());
    assert!(tables.len() > 12, "{tables:?}");
    let address = text_of(server.address("postgres", "council"));
    let mut text_by_queries =
        format!("database = \"{address}\"\n{}", std::fs::read_to_string(&by_files).unwrap());
    for name in &tables {
        let query = format!("query = \"SELECT * FROM \\\"{name}\\\"\"");
        text_by_queries = text_by_queries.replace(&format!("path = \"{name}.csv\""), &query);
    }
    assert!(!text_by_queries.contains("path ="));
    std::fs::create_dir(folder.path().join("queried")).unwrap();
    let by_queries = folder.path().join("queried/project.toml");
    std::fs::write(&by_queries, text_by_queries).unwrap();
    let (by_files, by_queries) = (text_of(by_files), text_of(by_queries));
    let allowed: &[&str] = &["--may-read", &address];
    let both = [(&by_files, &[][..], "files"), (&by_queries, allowed, "queries")];

    let [files, queries] = both.map(|(project, allowed, _)| {
        let said = run(3, &[&["check", project, "--json"], allowed].concat(), &[]);
        let json = &said[..=said.rfind('}').unwrap()];
        serde_json::from_str::<Value>(json).unwrap()
    });
    let place = |checked: &Value| checked["rejects"][0]["row"].as_u64().unwrap();
    // A line of the file has a header above it; a row of the result has none.
    assert_eq!(place(&files), place(&queries) + 1);
    let without_places = |mut checked: Value| {
        for reject in checked["rejects"].as_array_mut().unwrap() {
            let reject = reject.as_object_mut().unwrap();
            reject.remove("row");
            reject.remove("file");
        }
        checked.to_string()
    };
    assert_eq!(without_places(files), without_places(queries));

    let [files, queries] = both.map(|(project, allowed, name)| {
        let model = at(&format!("{name}.json"));
        run(3, &[&["train", project, "--trainer=logistic", "--out", &model], allowed].concat(), &[]);
        std::fs::read(&model).unwrap()
    });
    assert!(files == queries, "the models differ");

    let released = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let purpose = "--purpose=Offer early help to families before a crisis";
    let [files, queries] = both.map(|(project, allowed, name)| {
        let (out, ledger) = (at(name), at(&format!("{name}.jsonl")));
        let asked = [
            "score",
            project,
            "--model",
            &released,
            "--as-of=2025-04-01",
            "--capacity=6",
            "--requested-by=B. Lead",
        ];
        let put = [purpose, "--on=2025-04-01", "--out", &out, "--ledger", &ledger, "--memory=1GB"];
        run(3, &[&asked[..], &put, allowed].concat(), &[]);
        let mut list: Value =
            serde_json::from_slice(&std::fs::read(Path::new(&out).join("list.json")).unwrap()).unwrap();
        // It is of a ledger that holds another project file.
        list.as_object_mut().unwrap().remove("witness");
        list.to_string()
    });
    assert_eq!(files, queries);

    // The manifest says from where, at which moment and by which queries.
    let manifest = |name: &str| Ledger::open_to_read(at(name)).unwrap().runs().unwrap().remove(0);
    assert_eq!(manifest("files.jsonl").from_database, None);
    let told = manifest("queries.jsonl").from_database.unwrap();
    assert!(told.snapshot.split(':').count() == 3, "{told:?}");
    assert_eq!(told.queries.len(), tables.len() - 1, "all but the protected characteristics: {told:?}");
    assert!(told.queries.values().all(|digest| digest.len() == 64));
    run(0, &["verify", &at("queries.jsonl"), "--list", &at("queries/list.json")], &[]);

    // A store keeps nothing of it, and says so.
    let project = Project::load(&by_queries).unwrap().may_read(&address).store(folder.path().join("store"));
    for _ in 0..2 {
        let records = project.records().unwrap();
        let again =
            |(_, road): &(String, Road)| matches!(road, Road::Read { why, .. } if why.contains("each time"));
        assert!(!records.roads().is_empty() && records.roads().iter().all(again), "{:?}", records.roads());
    }
}

/// Writes to the second source, and tries to empty it, when the first was read.
struct Between(Arc<dyn Fn() + Send + Sync>);

impl Progress for Between {
    fn stage(&self, _: &str) {}

    fn rows(&self, source: &str, _: u64) {
        if source == "a" {
            (self.0)();
        }
    }
}

#[test]
fn all_queries_of_a_reading_see_the_database_at_one_moment() {
    let Some(server) = Server::start() else { return };
    let server = Arc::new(server);
    let name = database(&server);
    let address = text_of(server.address("postgres", &name));
    let folder = tempfile::tempdir().unwrap();
    let limit = || MemoryLimit::new("1GB".parse().unwrap(), folder.path());
    let read = |project: Project| {
        let records = project.memory(limit()).records().unwrap();
        records.intake().iter().map(|intake| (intake.source.clone(), intake.read)).collect::<Vec<_>>()
    };
    let before = vec![("a".to_owned(), 3), ("b".to_owned(), 2)];
    assert_eq!(read(project(&address, VISITS)), before);
    let (writer, its_name) = (Arc::clone(&server), name.clone());
    let between = Between(Arc::new(move || {
        let mut client = writer.connect(&its_name);
        client
            .batch_execute(
                "INSERT INTO calls VALUES ('P-0019', '2023-07-01'); DELETE FROM calls WHERE id = 'P-0017'",
            )
            .unwrap();
        // It would be seen empty, and is held instead.
        let emptied = client.batch_execute("SET lock_timeout = 200; TRUNCATE calls");
        assert_eq!(emptied.unwrap_err().code().unwrap().code(), "55P03");
    }));
    assert_eq!(read(project(&address, VISITS).on_progress(between)), before);
    // It was written, and nothing is held any more.
    server.sql(&name, "INSERT INTO calls VALUES ('P-0020', '2023-07-01')");
    assert_eq!(read(project(&address, VISITS))[1].1, 3);
    server.sql(&name, "SET lock_timeout = 2000; TRUNCATE calls");
}

#[test]
fn rows_are_read_as_those_of_a_file_are() {
    let Some(server) = &*SERVER else { return };
    let name = database(server);
    let address = text_of(server.address("postgres", &name));
    let records = project(&address, VISITS).records().unwrap();
    // NULL and an empty text are absent alike, a date that is none is rejected, and what is read is accepted or rejected.
    let counts: Vec<_> =
        records.intake().iter().map(|counts| (counts.read, counts.accepted, counts.rejected)).collect();
    assert_eq!(counts, [(3, 1, 2), (2, 1, 1)]);
    let rejects: Vec<_> = records
        .rejects()
        .iter()
        .map(|reject| (reject.source.as_str(), reject.row, reject.column.as_deref()))
        .collect();
    assert_eq!(rejects, [("a", 2, Some("kind")), ("a", 3, Some("id")), ("b", 2, Some("day"))]);
    // A row of one column that is NULL is a row; and a larger table than one batch is counted through.
    for (query, read) in [
        ("SELECT NULL::text AS id FROM generate_series(1, 7) UNION ALL SELECT 'p'", 8),
        (
            "SELECT CASE WHEN n % 2 = 0 THEN E'p\\\\n\\\\t' || n END AS id FROM generate_series(1, 70000) n; ",
            70_000,
        ),
    ] {
        let toml = toml(&address, query).replacen(
            "kind = { column = \"kind\" }, occurred = \"day\"",
            "kind = { constant = \"k\" }, occurred = \"id\"",
            1,
        );
        let project = Project::from_toml(&toml, ".").unwrap().may_read(&address);
        let records = project.records().unwrap();
        let of_a = &records.intake()[0];
        assert_eq!((of_a.read, of_a.rejected), (read, read), "{query}");
        assert_eq!(
            records.rejects().iter().filter(|reject| reject.source == "a").map(|reject| reject.row).max(),
            Some(read)
        );
    }
    // What the server's settings say of dates and numbers changes nothing.
    server.sql(&name, &format!("ALTER DATABASE {name} SET datestyle = 'German'"));
    assert_eq!(project(&address, VISITS).records().unwrap().intake()[0].accepted, 1);
    // No row is no error by itself, and a column that is not there is one, with rows or without.
    let none = project(&address, &format!("{VISITS} WHERE false")).records().unwrap();
    assert_eq!(none.intake()[0].read, 0);
    let said = why(project(&address, "SELECT id, kind FROM visits WHERE false").records());
    assert!(said.contains("source a") && said.contains("\"day\"") && said.contains("query"), "{said}");
}

#[test]
fn a_query_that_cannot_be_asked_says_why_and_nothing_of_what_it_reads() {
    let Some(server) = &*SERVER else { return };
    let name = database(server);
    let address = text_of(server.address("postgres", &name));
    for (query, said) in [
        ("SELECT id, kind, day FROM no_such_table", "\"no_such_table\" does not exist"),
        ("SELECT id, kind, dya FROM visits", "\"dya\" does not exist"),
        ("SELECT id, kind, day, day FROM visits", "more than once"),
        ("SELECT id, kind, day, 'x' AS \\\" ID\\\" FROM visits", "more than once"),
        ("SELECT FROM visits", "no columns"),
        ("DELETE FROM visits", "no columns"),
        ("-- nothing", "no columns"),
        ("DELETE FROM visits RETURNING id, kind, day", "read-only"),
        ("WITH gone AS (DELETE FROM visits RETURNING *) SELECT id, kind, day FROM gone", "read-only"),
        ("SELECT id, kind, day, nextval('numbers') FROM visits", "read-only"),
        (
            "SELECT set_config('transaction_read_only', 'off', false) AS kind, id, day FROM visits",
            "before any query",
        ),
        ("SELECT id, kind, day FROM visits; DROP TABLE visits", "one SELECT"),
        ("SELECT id, kind, day FROM visits) TO PROGRAM 'touch /tmp/x' --", "one SELECT"),
        ("EXPLAIN SELECT id, kind, day FROM visits", "there is no column"),
        ("SELECT id, kind, day FROM visits WHERE id = $1", "nobody gives"),
        ("SELECT id, kind, at AS day FROM visits", "AT TIME ZONE"),
        ("SELECT id, photo AS kind, day FROM visits", "type bytea"),
        ("SELECT id, ARRAY[kind] AS kind, day FROM visits", "cast it in the query"),
        // What the server says of these names a value.
        ("SELECT id, kind, rent::date AS day FROM visits", "22007"),
        ("SELECT leak(id) AS id, kind, day FROM visits", "a function of the database"),
        ("SELECT id, kind, day FROM visits WHERE to_tsquery(id || ' owes rent') IS NULL", "42601"),
    ] {
        let refused = why(project(&address, query).records());
        assert!(refused.starts_with("source a: ") && refused.contains(said), "{query}: {refused}");
        let faults: Vec<String> =
            project(&address, query).reading_faults().iter().map(ToString::to_string).collect();
        assert_eq!(faults, [refused], "{query}");
    }
    server.sql(
        &name,
        "DROP ROLE IF EXISTS outsider; CREATE ROLE outsider LOGIN; GRANT SELECT ON calls TO outsider",
    );
    let said = why(project(&text_of(server.address("outsider", &name)), VISITS).records());
    assert!(said.contains("permission denied for table visits") && !said.contains("outsider"), "{said}");
    let said = why(project(&text_of(server.address("postgres", "nowhere")), VISITS).records());
    assert!(said.contains("does not exist"), "{said}");
    // Everything stands as it did.
    let rows: i64 = server.connect(&name).query_one("SELECT count(*) FROM visits", &[]).unwrap().get(0);
    assert_eq!(rows, 3);
}

#[test]
fn a_database_is_asked_where_whoever_runs_the_project_allows_it() {
    let Some(server) = &*SERVER else { return };
    let name = database(server);
    let address = text_of(server.address("postgres", &name));
    let toml = toml(&address, VISITS);
    let project = || Project::from_toml(&toml, ".").unwrap();
    for refused in
        [project(), project().may_read("."), project().may_read(address.replacen("://", ":///", 1))]
    {
        assert!(matches!(refused.records(), Err(Error::Project(ProjectError::DatabaseNotAllowed))));
        assert!(matches!(refused.reading_faults()[..], [Error::Project(ProjectError::DatabaseNotAllowed)]));
    }
    assert!(project().may_read(&address).records().is_ok());
    let with_password = "postgresql://worker:s3cret@h/d";
    for (from, to, said) in [
        (&*address, with_password, "a password has no place in a file"),
        (&*address, "records.sqlite", "it is no address"),
        ("[[source]]\nname = \"a\"", "[[source]]\nname = \"a\"\npath = \"a.csv\"", "both `path` and `query`"),
        (&format!("query = \"{VISITS}\"\n"), "", "a needs `path`"),
        (VISITS, " ", "an empty `query`"),
        (&format!("database = \"{address}\""), "", "names no `database`"),
        (&format!("\"{address}\""), &format!("\"{with_password}"), "an address that has a password"),
    ] {
        assert!(toml.contains(from), "{from}");
        let refused = Project::from_toml(&toml.replacen(from, to, 1), ".").unwrap_err().to_string();
        assert!(refused.contains(said) && !refused.contains("s3cret"), "{refused}");
    }
}

/// A way to the server that is cut when so many bytes came back by it.
fn cut_after(port: u16, most: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) =
                (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || {
                let (mut passed, mut bytes) = (0, [0; 4096]);
                while let Ok(len @ 1..) = server.read(&mut bytes) {
                    passed += len;
                    if passed > most || client.write_all(&bytes[..len]).is_err() {
                        break;
                    }
                }
                for end in [&client, &server] {
                    let _ = end.shutdown(std::net::Shutdown::Both);
                }
            });
        }
    });
    own
}

#[test]
fn a_result_that_breaks_off_is_an_error_and_a_password_is_in_none() {
    const MANY: &str = "SELECT 'P-00' || n AS id, 'visit' AS kind, DATE '2023-05-01' AS day FROM generate_series(1, 300000) n";
    let Some(server) = Server::start() else { return };
    let name = database(&server);
    let by_socket = text_of(server.address("postgres", &name));
    server.sql(
        &name,
        &format!("CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT ON visits, calls TO worker"),
    );
    let folder = tempfile::tempdir().unwrap();
    let check = |port: u16, password: &str| {
        let address = format!("postgresql://worker@localhost:{port}/{name}?sslmode=disable");
        let file = folder.path().join(format!("{port}.toml"));
        std::fs::write(&file, toml(&address, MANY)).unwrap();
        // Two sources alone are nothing to train on, so the command fails in any case; what matters is what it says.
        let said = run(1, &["check", text(&file), "--may-read", &address], &[("PGPASSWORD", password)]);
        assert!(!said.contains("s3cret") && !said.contains("worker") && !said.contains("P-00"), "{said}");
        said
    };
    let said = check(server.port, PASSWORD);
    assert!(said.contains("300000") && said.contains("people"), "{said}");
    let said = check(server.port, "s3cret-of-another");
    assert!(said.contains("refuses the login") && said.contains("PGPASSWORD"), "{said}");
    let said = check(cut_after(server.port, 1_000_000), PASSWORD);
    assert!(said.contains("source a: the query: its rows broke off"), "{said}");
    // The same where the server says goodbye.
    let ends = "SELECT id, 'visit' AS kind, day FROM (SELECT 'P-00' || n AS id, DATE '2023-05-01' AS day, CASE WHEN n = 200000 THEN \
         pg_terminate_backend(pg_backend_pid()) END AS gone FROM generate_series(1, 300000) n) q WHERE gone IS NULL OR gone";
    let refused = project(&by_socket, ends).records();
    assert!(matches!(refused, Err(Error::Records(RecordsError::Query { .. }))));
    let said = why(refused);
    assert!(said.contains("its rows broke off: terminating connection"), "{said}");
}
