//! A ledger when something goes wrong: a full disk or a kill at any write, a medium that can only be read, guards taken away,
//! files of a killed purge left behind; and what the commands leave for later proof.

use std::path::{Path, PathBuf};
use std::process::Command;

use earlyhelp::ledger::Ledger;
use earlyhelp::synthetic::{CouncilParams, Format};

use crate::accountability::{run, text};
use crate::ledger_proof::FILES;

/// A folder with a ledger of each kind that holds one run, and the run's id and list.
fn recorded() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_000, 4).generate().unwrap();
    let project = council.write(&folder.path().join("council"), Format::Csv).unwrap();
    let model = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let ids = FILES.map(|name| {
        let (ledger, out) = (folder.path().join(name), folder.path().join(format!("{name}.out")));
        let said = run(
            0,
            &[
                "score",
                text(&project),
                "--model",
                &model,
                "--as-of=2025-04-01",
                "--capacity=6",
                "--requested-by=B. Lead",
                "--purpose=Offer early help to families before a crisis",
                "--on=2025-04-01",
                "--out",
                text(&out),
                "--ledger",
                text(&ledger),
            ],
        );
        said.split("; run ").nth(1).unwrap().lines().next().unwrap().to_owned()
    });
    let [id, _] = ids;
    (folder, id)
}

fn case<'a>(command: &'a str, ledger: &'a Path, run: &'a str, place: &'a str) -> Vec<&'a str> {
    let mut arguments = vec![command, text(ledger), "--run", run, "--place", place];
    arguments.extend(["--reviewer=C. Worker", "--role=family worker", "--on=2025-04-02"]);
    if command == "decide" {
        arguments.extend(["--step=no-action", "--agreement=agree", "--reason=They do well"]);
    }
    arguments
}

fn entries(ledger: &Path) -> u64 {
    Ledger::open_existing(ledger).unwrap().head().unwrap().entries
}

#[test]
fn each_step_leaves_a_checkpoint_and_verify_says_what_it_cannot_see() {
    let (folder, id) = recorded();
    for name in FILES {
        let (ledger, kept) = (folder.path().join(name), folder.path().join(format!("{name}.kept")));
        let list = folder.path().join(format!("{name}.out/list.json"));
        run(0, &case("open", &ledger, &id, "1"));
        run(0, &case("decide", &ledger, &id, "1"));
        let beside = PathBuf::from(format!("{}.checkpoints", ledger.display()));
        assert_eq!(std::fs::read_dir(&beside).unwrap().count(), 3, "score, open, decide");
        let alone = run(5, &["verify", text(&ledger)]);
        assert!(alone.starts_with("Nothing outside the ledger was compared"), "{alone}");
        assert!(alone.contains("ledger.") && alone.contains("proves little"), "{alone}");
        // Those beside it are looked at all the same.
        std::fs::create_dir(&kept).unwrap();
        for file in std::fs::read_dir(&beside).unwrap() {
            let file = file.unwrap().path();
            std::fs::copy(&file, kept.join(file.file_name().unwrap())).unwrap();
        }
        let with = run(0, &["verify", text(&ledger), "--checkpoint", text(&kept)]);
        assert!(with.contains("It agrees with 3 checkpoints"), "{with}");
        let with = run(0, &["verify", text(&ledger), "--list", text(&list)]);
        assert!(with.contains("2 entries written since"), "{with}");
        let held: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
        let hash = held["witness"]["hash"].as_str().unwrap();
        let witness = format!("{}:{hash}", held["witness"]["entries"]);
        for form in ["list.html", "list.csv"] {
            let form = std::fs::read_to_string(list.with_file_name(form)).unwrap();
            assert!(form.contains(&witness), "the witness stands on every form of the list");
        }
        let workbook = list.with_file_name("list.xlsx");
        let mut book: calamine::Xlsx<_> = calamine::open_workbook(&workbook).unwrap();
        let first = calamine::Reader::worksheet_range(&mut book, "Read me").unwrap();
        assert!(
            first.rows().flatten().any(|cell| *cell == *witness),
            "a cell has the witness and nothing else"
        );
        run(1, &["verify", text(&ledger), "--list", text(&workbook)]);
        run(0, &["verify", text(&ledger), "--witness", &witness]);
        let other = witness.replace(&hash[..4], if hash.starts_with("0000") { "1111" } else { "0000" });
        run(4, &["verify", text(&ledger), "--witness", &other]);
        run(2, &["verify", text(&ledger), "--witness", "12:34"]);
        // One of those beside it that does not agree is seen all the same.
        let mut one = std::fs::read_dir(&beside).unwrap().map(|file| file.unwrap().path()).next().unwrap();
        let mut held: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&one).unwrap()).unwrap();
        held["hash"] = "0".repeat(64).into();
        one.set_file_name("other.json");
        std::fs::write(&one, held.to_string()).unwrap();
        run(4, &["verify", text(&ledger)]);
        std::fs::remove_dir_all(&beside).unwrap();
        run(5, &["verify", text(&ledger)]);
        // One of many checkpoints that does not agree is enough.
        let other = if name == FILES[0] { FILES[1] } else { FILES[0] };
        let foreign = folder.path().join(format!("{other}.foreign"));
        run(0, &["checkpoint", text(&folder.path().join(other)), "--out", text(&foreign)]);
        run(4, &["verify", text(&ledger), "--checkpoint", text(&kept), "--checkpoint", text(&foreign)]);
        // Signed by a key that the environment names, and held to its public half.
        let key = folder.path().join(format!("{name}.key"));
        let first = folder.path().join(format!("{name}.signed"));
        run(0, &["checkpoint", text(&ledger), "--out", text(&first), "--key", text(&key), "--new-key"]);
        let arguments = case("open", &ledger, &id, "2");
        let opened = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
            .args(arguments)
            .args(["--checkpoints", text(&beside)])
            .env("EARLYHELP_SIGNING_KEY", &key)
            .output()
            .unwrap();
        assert!(opened.status.success());
        let public = format!("{}.pub", key.display());
        // What lies beside the ledger is nothing from elsewhere, also where it is given; a copy of it somewhere else is.
        run(5, &["verify", text(&ledger), "--checkpoint", text(&beside), "--public-key", &public]);
        let elsewhere = folder.path().join(format!("{name}.elsewhere"));
        std::fs::create_dir(&elsewhere).unwrap();
        for file in std::fs::read_dir(&beside).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), elsewhere.join(file.file_name())).unwrap();
        }
        run(0, &["verify", text(&ledger), "--checkpoint", text(&elsewhere), "--public-key", &public]);
        run(1, &["verify", text(&ledger), "--checkpoint", text(&kept), "--public-key", &public]);
    }
}

#[cfg(unix)]
#[test]
fn a_ledger_that_can_only_be_read_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let (folder, id) = recorded();
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder.path(), 0o755);
    let sealed = folder.path().join("sealed");
    std::fs::create_dir(&sealed).unwrap();
    let list = std::fs::read_to_string(folder.path().join("ledger.jsonl.out/list.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let entity = list["entries"][0]["case"]["entity"].as_str().unwrap();
    for name in FILES {
        std::fs::copy(folder.path().join(name), sealed.join(name)).unwrap();
        mode(&sealed.join(name), 0o444);
    }
    let command = folder.path().join("earlyhelp");
    std::fs::hard_link(env!("CARGO_BIN_EXE_earlyhelp"), &command)
        .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_earlyhelp"), &command).map(|_| ()))
        .unwrap();
    let out = folder.path().join("pack");
    std::fs::create_dir(&out).unwrap();
    mode(&out, 0o777);
    mode(&sealed, 0o555);
    // Whoever may do anything writes everywhere: try as nobody in particular.
    let probe = sealed.join("probe");
    let may_do_anything = std::fs::write(&probe, "").is_ok();
    let _ = std::fs::remove_file(&probe);
    for name in FILES {
        let ledger = sealed.join(name);
        for (expected, arguments) in [
            (5, vec!["verify", text(&ledger)]),
            (0, vec!["log", text(&ledger), "--on=2025-04-02"]),
            (0, vec!["replay", text(&ledger)]),
            (0, vec!["subject", text(&ledger), "--entity", entity, "--out", text(&out), "--on=2025-04-02"]),
            (1, case("open", &ledger, &id, "1")),
        ] {
            let mut command = Command::new(&command);
            command.args(&arguments);
            if may_do_anything {
                command.uid(65_534).gid(65_534);
            }
            let output = command.output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {complaint}");
        }
    }
    mode(&sealed, 0o755);
    assert_eq!(std::fs::read_dir(&sealed).unwrap().count(), 2, "nothing was made beside them");
}

#[cfg(unix)]
#[test]
fn what_is_made_is_its_owner_s_alone_and_a_killed_purge_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, id) = recorded();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in FILES {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    let ledger = folder.path().join(FILES[1]);
    assert_eq!(mode(&folder.path().join("ledger.jsonl.lock")), 0o600);
    // As a purge that was killed leaves it; and a link, planted to have another file written over.
    let (new, victim) = (folder.path().join("ledger.jsonl.new"), folder.path().join("victim"));
    std::fs::write(&new, "personal data").unwrap();
    run(0, &case("open", &ledger, &id, "1"));
    assert!(!new.exists());
    std::fs::write(&victim, "untouched").unwrap();
    std::os::unix::fs::symlink(&victim, &new).unwrap();
    let list = std::fs::read_to_string(folder.path().join("ledger.jsonl.out/list.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let entity = list["entries"][0]["case"]["entity"].as_str().unwrap();
    run(
        0,
        &[
            "purge",
            text(&ledger),
            "--entity",
            entity,
            "--by=D. Officer",
            "--reason=erasure",
            "--on=2025-04-02",
        ],
    );
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    assert!(!new.exists() && mode(&ledger) == 0o600);
}

#[test]
fn a_ledger_without_its_guards_is_read_and_not_written() {
    let (folder, id) = recorded();
    let ledger = folder.path().join(FILES[0]);
    let file = rusqlite::Connection::open(&ledger).unwrap();
    file.execute_batch("DROP TRIGGER entry_stays").unwrap();
    drop(file);
    run(1, &case("open", &ledger, &id, "1"));
    let said = run(4, &["verify", text(&ledger)]);
    assert!(said.contains("triggers"), "{said}");
    run(1, &["log", text(&ledger)]);
}

/// Every write of `decide` and `purge` meets a full disk, and a kill, somewhere: the file may not grow beyond so many blocks.
#[cfg(unix)]
#[test]
fn a_full_disk_or_a_kill_at_any_write_loses_nothing_and_leaves_nothing() {
    let (folder, id) = recorded();
    let list = std::fs::read_to_string(folder.path().join("ledger.jsonl.out/list.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let entity = list["entries"][1]["case"]["entity"].as_str().unwrap().to_owned();
    let (mut tried, mut refused) = (0, 0);
    for name in FILES {
        let whole = folder.path().join(name);
        run(0, &case("open", &whole, &id, "1"));
        let before = entries(&whole);
        // A checkpoint of SQLite's log when the last handle closes: one file is the whole ledger.
        let bytes = std::fs::read(&whole).unwrap();
        let blocks = bytes.len().div_ceil(512);
        let purge =
            ["purge", "@", "--entity", &entity, "--by=D. Officer", "--reason=erasure", "--on=2025-04-03"];
        let decide = case("decide", Path::new("@"), &id, "1");
        let limits = (0..8).map(|step| blocks * step / 8).chain(blocks - 1..blocks + 4);
        for (limit, command) in limits.flat_map(|limit| [(limit, &decide[..]), (limit, &purge[..])]) {
            for signal in ["trap '' XFSZ;", ""] {
                let place = tempfile::tempdir().unwrap();
                let ledger = place.path().join(name);
                std::fs::write(&ledger, &bytes).unwrap();
                let at = |argument: &&str| {
                    if *argument == "@" { text(&ledger).to_owned() } else { (*argument).to_owned() }
                };
                let arguments: Vec<String> = command.iter().map(at).collect();
                let ended = Command::new("sh")
                    .args(["-c", &format!("{signal} ulimit -f {limit}; exec \"$0\" \"$@\"")])
                    .arg(env!("CARGO_BIN_EXE_earlyhelp"))
                    .args(&arguments)
                    .output()
                    .unwrap();
                tried += 1;
                let on_record = entries(&ledger);
                if ended.status.success() {
                    assert_eq!(on_record, before + 1);
                    continue;
                }
                refused += 1;
                // All of it or nothing.
                assert!(on_record == before || on_record == before + 1, "{limit}: {on_record}");
                if on_record == before {
                    let again: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    run(0, &again);
                }
                let found = Ledger::open_existing(&ledger).unwrap().verify(&[]).unwrap();
                assert_eq!((found.entries, found.finding, found.unfinished), (before + 1, None, 0));
                let left: Vec<String> = std::fs::read_dir(place.path())
                    .unwrap()
                    .map(|file| file.unwrap().file_name().into_string().unwrap())
                    .filter(|file| ["jsonl.new", "sqlite-journal"].iter().any(|ending| file.contains(ending)))
                    .collect();
                assert!(left.is_empty(), "{left:?}");
            }
        }
    }
    println!("{tried} tried, {refused} stopped by the limit, none lost");
    assert!(refused > 20, "the limits are met: {refused} of {tried}");
}
