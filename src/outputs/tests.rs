//! A disk that is full, breaks, or stops at every single operation.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::disk::{Disk, System};
use super::{HIDDEN, Outputs, Over};
use crate::error::OutputsError;

/// What happens at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It fails, and all others work.
    Once,
    /// The disk is full from then on: nothing more can be written, but moved and removed.
    Full,
    /// Nothing works from then on, also not what would tidy up: the cable is out.
    Broken,
    /// The process is killed: nothing after it happens at all.
    Killed,
}

struct Faulty {
    how: How,
    at: usize,
    operations: AtomicUsize,
    is_over: AtomicBool,
}

impl Faulty {
    fn new(how: How, at: usize) -> Arc<Self> {
        Arc::new(Self { how, at, operations: AtomicUsize::new(0), is_over: AtomicBool::new(false) })
    }

    fn was_reached(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn step(&self, takes_room: bool) -> io::Result<()> {
        let nth = self.operations.fetch_add(1, Ordering::SeqCst);
        let fails = match self.how {
            How::Once => nth == self.at,
            How::Full => nth >= self.at && takes_room,
            How::Broken | How::Killed => nth >= self.at,
        };
        if nth >= self.at {
            self.is_over.store(true, Ordering::SeqCst);
        }
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for Faulty {
    fn make_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        if path.exists() {
            return System.make_folder(path, mode);
        }
        self.step(true)?;
        System.make_folder(path, mode)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        self.step(true)?;
        System.create(path, mode)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        // Half of it is on the disk when it stops.
        if let Err(error) = self.step(true) {
            System.write(file, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        // And a write may take less than it was given.
        System.write(file, &bytes[..bytes.len().div_ceil(2)])
    }

    // Nothing is really cut off here, so nothing has to reach the disk.
    fn sync(&self, _: &File) -> io::Result<()> {
        self.step(true)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step(true)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(false)?;
        System.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(false)?;
        System.remove(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step(false)?;
        System.remove_folder(path)
    }
}

type Files = BTreeMap<String, String>;

fn on(folder: &Path, disk: &Arc<Faulty>) -> Outputs {
    Outputs { disk: Arc::clone(disk) as Arc<dyn Disk>, ..Outputs::folder(folder) }
}

/// On a disk without faults.
fn sound(folder: &Path) -> Outputs {
    on(folder, &Faulty::new(How::Once, usize::MAX))
}

/// A run's list. The first one also has an Excel file, and a page of rules that says the same in all.
fn set(run: &str) -> Files {
    let mut names = vec!["list.html", "list.csv", "list.json"];
    names.extend((run == "first").then_some("list.xlsx"));
    let mut files: Files =
        names.into_iter().map(|name| (name.to_owned(), format!("{name} of the {run} run\n"))).collect();
    files.insert("rules.txt".to_owned(), "the same in every run\n".to_owned());
    files
}

fn write(outputs: &Outputs, run: &str) -> Result<(), OutputsError> {
    let set = set(run);
    let files: Vec<(&str, &str)> = set.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    outputs.write(&files)
}

/// What somebody sees in the folder, but for their own file.
fn seen(folder: &Path) -> Files {
    let Ok(entries) = std::fs::read_dir(folder) else { return Files::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name != HIDDEN && name != "people.csv");
    names.map(|name| (name.clone(), std::fs::read_to_string(folder.join(name)).unwrap())).collect()
}

/// What waits in the hidden folder.
fn left(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join(HIDDEN)) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "lock" && name != "outputs.json").collect()
}

fn is_part_of(part: &Files, whole: &Files) -> bool {
    part.iter().all(|(name, text)| whole.get(name) == Some(text))
}

/// Every file in the folder and below it is its owner's alone.
#[cfg(unix)]
fn assert_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for path in [folder.to_owned(), folder.join(HIDDEN)] {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert!(
                entry.file_name() == "people.csv" || mode & 0o777 & !0o700 == 0,
                "{:?}: {mode:o}",
                entry.path()
            );
        }
    }
}

#[cfg(not(unix))]
fn assert_private(_: &Path) {}

const PEOPLE: &str = "id\np00017\n";

/// A folder with somebody's own file, and an earlier list where there is to be one.
fn folder(has_first: bool) -> (tempfile::TempDir, std::path::PathBuf) {
    let all = tempfile::tempdir().unwrap();
    let folder = all.path().join("lists").join("april");
    if has_first {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("people.csv"), PEOPLE).unwrap();
        write(&sound(&folder), "first").unwrap();
        assert_eq!(seen(&folder), set("first"));
    }
    (all, folder)
}

/// Tries a fault at each operation until a run meets none; how many it met.
fn at_every_operation(how: How, mut fault: impl FnMut(&Arc<Faulty>)) -> usize {
    (0..1_000)
        .find(|&at| {
            let disk = Faulty::new(how, at);
            fault(&disk);
            !disk.was_reached()
        })
        .unwrap()
}

#[test]
fn a_fault_at_any_operation_leaves_all_files_or_none_and_nothing_else() {
    for has_first in [false, true] {
        let before = if has_first { set("first") } else { Files::new() };
        for how in [How::Once, How::Full] {
            let met = at_every_operation(how, |disk| {
                let (all, folder) = folder(has_first);
                let written = write(&on(&folder, disk), "second");
                let at = format!("{how:?} at operation {}: {written:?}", disk.at);
                match &written {
                    Ok(()) | Err(OutputsError::Leftover { .. }) => {
                        assert_eq!(seen(&folder), set("second"), "{at}");
                    }
                    Err(_) => assert_eq!(seen(&folder), before, "{at}"),
                }
                assert_private(&folder);
                if !matches!(written, Err(OutputsError::Leftover { .. })) {
                    assert_eq!(left(&folder), Vec::<String>::new(), "{at}");
                    assert!(written.is_ok() || has_first || !all.path().join("lists").exists(), "{at}");
                }
                write(&sound(&folder), "third").unwrap();
                assert_eq!((seen(&folder), left(&folder)), (set("third"), Vec::new()), "{at}");
            });
            assert!(met > 20, "{met} operations");
        }
    }
}

#[test]
fn a_kill_at_any_operation_mixes_no_runs_and_the_next_run_finishes() {
    for has_first in [false, true] {
        for how in [How::Killed, How::Broken] {
            let mut finished = 0;
            let met = at_every_operation(how, |disk| {
                let (_all, folder) = folder(has_first);
                let written = write(&on(&folder, disk), "second");
                let at = format!("{how:?} at operation {}: {written:?}", disk.at);
                let there = seen(&folder);
                let is_first = has_first && is_part_of(&there, &set("first"));
                assert!(
                    there.is_empty() || is_first || is_part_of(&there, &set("second")),
                    "{at}: {there:?}"
                );
                assert_private(&folder);

                // Asking alone finishes or clears what was begun, unless there was no folder yet.
                sound(&folder).check(&[]).unwrap();
                let there = seen(&folder);
                let is_second = there == set("second");
                assert!(
                    is_second || there == if has_first { set("first") } else { Files::new() },
                    "{at}: {there:?}"
                );
                assert_eq!(left(&folder), Vec::<String>::new(), "{at}");
                finished += usize::from(is_second && written.is_err());

                write(&sound(&folder), "third").unwrap();
                assert_eq!((seen(&folder), left(&folder)), (set("third"), Vec::new()), "{at}");
                if has_first {
                    assert_eq!(std::fs::read_to_string(folder.join("people.csv")).unwrap(), PEOPLE);
                }
            });
            assert!(met > 20 && finished > 5, "{met} operations, {finished} finished");
        }
    }
}

#[test]
fn a_kill_while_finishing_what_a_kill_left_is_finished_all_the_same() {
    let mut tried = 0;
    at_every_operation(How::Killed, |disk| {
        let first = (How::Killed, disk.at);
        at_every_operation(How::Killed, |again| {
            let (_all, folder) = folder(true);
            let _ = write(&on(&folder, &Faulty::new(first.0, first.1)), "second");
            let _ = on(&folder, again).check(&[]);
            let there = seen(&folder);
            assert!(
                is_part_of(&there, &set("first")) || is_part_of(&there, &set("second")),
                "{} and {}: {there:?}",
                disk.at,
                again.at
            );
            sound(&folder).check(&[]).unwrap();
            let there = seen(&folder);
            assert!(
                there == set("first") || there == set("second"),
                "{} and {}: {there:?}",
                disk.at,
                again.at
            );
            tried += 1;
        });
        let (_all, folder) = folder(true);
        let _ = write(&on(&folder, disk), "second");
    });
    assert!(tried > 100, "{tried}");
}

#[test]
fn a_file_that_came_while_moves_were_unfinished_is_left_alone() {
    let own = "somebody's own\n";
    let mut met = 0;
    at_every_operation(How::Killed, |disk| {
        let (_all, folder) = folder(true);
        let _ = write(&on(&folder, disk), "second");
        if !folder.join("list.json").exists() {
            std::fs::write(folder.join("list.json"), own).unwrap();
            sound(&folder).check(&[]).unwrap();
            assert_eq!(seen(&folder)["list.json"], own);
            assert!(matches!(write(&sound(&folder), "third"), Err(OutputsError::Taken { .. })));
            assert_eq!(seen(&folder)["list.json"], own);
            met += 1;
        }
    });
    assert!(met > 1, "{met}");
}

#[test]
fn many_runs_at_once_leave_the_files_of_one() {
    let (_all, folder) = folder(true);
    std::thread::scope(|scope| {
        for nth in 0..40 {
            let folder = &folder;
            scope.spawn(move || {
                write(&Outputs::folder(folder), if nth % 2 == 0 { "march" } else { "april" }).unwrap();
            });
        }
    });
    let there = seen(&folder);
    assert!(there == set("march") || there == set("april"), "{there:?}");
    assert_eq!(left(&folder), Vec::<String>::new());
}

#[test]
fn only_what_a_run_wrote_and_nobody_changed_is_written_over() {
    let all = tempfile::tempdir().unwrap();
    let folder = all.path();
    let outputs = Outputs::folder(folder);
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    std::fs::write(folder.join("list.csv"), "mine\n").unwrap();
    let taken = outputs.write(&[("list.html", "1"), ("list.csv", "1")]);
    assert!(matches!(taken, Err(OutputsError::Taken { .. })), "{taken:?}");
    assert!(!folder.join("list.html").exists() && !folder.join(HIDDEN).exists());
    assert!(outputs.check(&["list.csv"]).is_err() && outputs.check(&["list.html"]).is_ok());

    outputs.clone().over(Over::Anything).write(&[("list.html", "1"), ("list.csv", "1")]).unwrap();
    outputs.write(&[("list.html", "2"), ("list.csv", "2")]).unwrap();
    assert_eq!((text("list.html"), text("list.csv")), ("2".into(), "2".into()));

    // Somebody wrote into it: it is theirs now.
    std::fs::write(folder.join("list.csv"), "2, and a note\n").unwrap();
    assert!(matches!(outputs.check(&["list.csv"]), Err(OutputsError::Taken { .. })));
    assert!(outputs.write(&[("list.html", "3"), ("list.csv", "3")]).is_err());
    assert_eq!((text("list.html"), text("list.csv")), ("2".into(), "2, and a note\n".into()));
    // What holds the very bytes is no loss.
    outputs.write(&[("list.csv", "2, and a note\n")]).unwrap();
    outputs.write(&[("list.csv", "4")]).unwrap();

    let new = outputs.clone().over(Over::Nothing);
    assert!(matches!(new.write(&[("list.csv", "4")]), Err(OutputsError::Exists { .. })));
    new.write(&[("other.csv", "4")]).unwrap();
    std::fs::create_dir(folder.join("sub")).unwrap();
    let over_all = outputs.clone().over(Over::Anything);
    assert!(matches!(over_all.write(&[("sub", "4")]), Err(OutputsError::NotAFile { .. })));
    for name in ["", ".", "..", "a/b", "/a", HIDDEN, "a\u{1b}b"] {
        assert!(matches!(over_all.write(&[(name, "4")]), Err(OutputsError::Name { .. })), "{name}");
    }
    assert!(matches!(over_all.write(&[("a", "4"), ("a", "5")]), Err(OutputsError::Name { .. })));
    assert!(!folder.join("a").exists());
}

#[cfg(unix)]
#[test]
fn an_input_is_known_under_every_name_and_a_stricter_mode_stays() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let all = tempfile::tempdir().unwrap();
    let (folder, people) = (all.path().join("out"), all.path().join("people.csv"));
    std::fs::write(&people, PEOPLE).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::hard_link(&people, folder.join("hard.csv")).unwrap();
    symlink(&people, folder.join("soft.csv")).unwrap();
    symlink("nowhere", folder.join("dangling.csv")).unwrap();
    let outputs = Outputs::folder(&folder).over(Over::Anything).apart_from([&people]);
    let beside = Outputs::folder(all.path()).over(Over::Anything).apart_from([&people]);
    for (outputs, name) in [(&outputs, "hard.csv"), (&outputs, "soft.csv"), (&beside, "people.csv")] {
        assert!(matches!(outputs.write(&[(name, "x")]), Err(OutputsError::Input { .. })), "{name}");
    }
    // A link that somebody planted is neither followed nor, unasked, replaced.
    let own = Outputs::folder(&folder);
    assert!(matches!(own.write(&[("dangling.csv", "x")]), Err(OutputsError::Taken { .. })));
    outputs.write(&[("dangling.csv", "x")]).unwrap();
    assert!(std::fs::symlink_metadata(folder.join("dangling.csv")).unwrap().is_file());
    assert!(!folder.join("nowhere").exists());
    assert_eq!(std::fs::read_to_string(&people).unwrap(), PEOPLE);

    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("dangling.csv"), 0o600);
    for (found, kept) in [(0o400, 0o400), (0o644, 0o600), (0o777, 0o600), (0o640, 0o600)] {
        std::fs::set_permissions(folder.join("dangling.csv"), std::fs::Permissions::from_mode(found))
            .unwrap();
        own.write(&[("dangling.csv", format!("{found:o}"))]).unwrap();
        assert_eq!(mode("dangling.csv"), kept, "{found:o}");
    }

    // The folder where files wait is not taken from others.
    let planted = all.path().join("planted");
    std::fs::create_dir(&planted).unwrap();
    symlink(&folder, planted.join(HIDDEN)).unwrap();
    assert!(matches!(Outputs::folder(&planted).write(&[("a", "x")]), Err(OutputsError::NotOwn { .. })));
}

#[test]
fn a_marker_that_cannot_be_read_is_said() {
    let all = tempfile::tempdir().unwrap();
    let outputs = Outputs::folder(all.path());
    outputs.write(&[("a", "1")]).unwrap();
    for text in ["", "{", "{\"format\": \"other\", \"salt\": \"\", \"files\": {}}"] {
        std::fs::write(all.path().join(HIDDEN).join("outputs.json"), text).unwrap();
        assert!(matches!(outputs.write(&[("a", "2")]), Err(OutputsError::Marker { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(all.path().join("a")).unwrap(), "1");
    }
    std::fs::remove_dir_all(all.path().join(HIDDEN)).unwrap();
    assert!(matches!(outputs.write(&[("a", "2")]), Err(OutputsError::Taken { .. })));
}

/// A folder that came from elsewhere can hold what says which files to move. It is not obeyed.
#[test]
fn what_is_written_down_moves_no_file_of_another_folder() {
    let all = tempfile::tempdir().unwrap();
    let (home, got) = (all.path().join("home"), all.path().join("got"));
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("mine"), "mine").unwrap();
    let moves = [
        r#"{"name":"../home/mine","staged":null,"aside":"0.old","old":"0"}"#,
        r#"{"name":"list.html","staged":"../../home/mine","aside":"0.old","old":null}"#,
        r#"{"name":"list.html","staged":"0.new","aside":"../../home/mine","old":null}"#,
        r#"{"name":"/etc/passwd","staged":"0.new","aside":"0.old","old":null}"#,
        r#"{"name":".earlyhelp","staged":"0.new","aside":"0.old","old":null}"#,
    ];
    for moved in moves {
        let _ = std::fs::remove_dir_all(&got);
        Outputs::folder(&got).write(&[("list.html", "one")]).unwrap();
        let hidden = got.join(HIDDEN);
        std::fs::write(hidden.join("0.new"), "theirs").unwrap();
        std::fs::write(hidden.join("pending.json"), format!(r#"{{"moves":[{moved}]}}"#)).unwrap();
        let refused = Outputs::folder(&got).write(&[("list.html", "two")]).unwrap_err().to_string();
        assert!(refused.contains("outside of its folder"), "{refused}");
        assert_eq!(std::fs::read_to_string(home.join("mine")).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(got.join("list.html")).unwrap(), "one");
    }
    // Nor does what is remembered of files.
    let marker = got.join(HIDDEN).join("outputs.json");
    std::fs::remove_file(got.join(HIDDEN).join("pending.json")).unwrap();
    let text = std::fs::read_to_string(&marker).unwrap();
    std::fs::write(&marker, text.replace("\"list.html\": {", "\"../home/mine\": {")).unwrap();
    let refused = Outputs::folder(&got).write(&[("list.html", "two")]).unwrap_err().to_string();
    assert!(refused.contains("outside of its folder"), "{refused}");
    assert!(home.join("mine").exists());
}

#[test]
fn another_kind_of_file_is_not_known_again_and_takes_nothing_with_it() {
    let all = tempfile::tempdir().unwrap();
    let of = |kind: &str| Outputs::folder(all.path()).kind(kind);
    of("council").write(&[("project.toml", "p"), ("people.csv", "q")]).unwrap();
    let refused = of("model page").write(&[("project.toml", "<p>")]).unwrap_err();
    assert!(matches!(refused, OutputsError::Taken { .. }), "{refused}");
    of("model page").over(Over::Anything).write(&[("project.toml", "<p>")]).unwrap();
    assert_eq!(std::fs::read_to_string(all.path().join("people.csv")).unwrap(), "q");
    // Its own kind is: what the set no longer has goes.
    of("list").write(&[("list.json", "1"), ("list.csv", "2")]).unwrap();
    of("list").write(&[("list.json", "3")]).unwrap();
    assert!(!all.path().join("list.csv").exists());
}

/// The hidden folder's files are looked at before they are opened: a pipe would be waited for.
#[cfg(unix)]
#[test]
fn a_pipe_or_a_link_in_the_hidden_folder_is_no_file_of_ours() {
    for name in ["outputs.json", "pending.json", "lock"] {
        let all = tempfile::tempdir().unwrap();
        Outputs::folder(all.path()).write(&[("list.html", "one")]).unwrap();
        let path = all.path().join(HIDDEN).join(name);
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(Outputs::folder(all.path()).write(&[("list.html", "two")]).is_err(), "{name}");
    }
}
