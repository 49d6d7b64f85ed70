//! What was read before: each source's records as they were held, and what was said of its rows, kept from one run to the next
//! under what it was read from.
//!
//! A source is taken from the store only where nothing that its reading rests on is another: the content and names of its
//! files, how they are mapped and read, lists of codes and look-up tables, whose ids are whose, the key of pseudonyms, this
//! version of the program, and the people who are listed, as far as its rows name them. All else is read again. What is taken is
//! held against the digests that were written down with it; what is damaged is read again as well.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::codes::UnlistedCodes;
use super::dictionary::{Dictionary, NONE};
use super::events::EventTable;
use super::fingerprint::digest_of;
use super::intake::Closed;
use super::kept::Kept;
use super::mapping::Coverage;
use super::people::Partings;
use super::reading::Named;
use super::reject::{Intake, Reject, RejectReason, Remark, RemarkKind};
use super::source::{Source, begins, of_lives};
use super::table_file::{self, Width};
use super::tables::TableRead;
use super::waiting::private;
use crate::calendar::Day;
use crate::error::RecordsError;

/// Changes whenever what is kept means something else.
const FORM: u32 = 2;
/// What marks a folder as a store.
const MARK: &str = "earlyhelp-store";

/// A folder of what was read before.
///
/// It holds records as extracts do (with pseudonyms, where ids become such while they are read), so it is made for its owner
/// alone, and one that others could write to is refused: whoever can write there can say what was read.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Extract, Records, RecordStore, Road, SourceMapping};
///
/// let folder = std::env::temp_dir().join(format!("earlyhelp-store-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// std::fs::write(folder.join("calls.csv"), "who,on\np1,2024-01-05\np2,2024-02-05\n")?;
/// let read = || -> Result<Records, Box<dyn std::error::Error>> {
///     let calls = SourceMapping::new("calls", "who", "call", "on");
///     let store = RecordStore::open(folder.join("store"))?;
///     Ok(Records::builder().store(store).source(calls, Extract::path(folder.join("calls.csv"))).build()?)
/// };
/// assert!(matches!(read()?.roads()[0].1, Road::Read { .. }));
/// assert_eq!(read()?.roads()[0].1, Road::Kept);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RecordStore {
    folder: PathBuf,
    /// Held as long as the store is used, by each that uses it.
    _mark: Arc<File>,
}

/// What is kept of a source beside its records.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    form: u32,
    key: String,
    /// Digests of the files of records and of ids.
    records: String,
    ids: String,
    source: String,
    /// The last day that there could be, as it was read.
    last: Option<Day>,
    /// Whether a day was turned away for it.
    is_late: bool,
    /// The digest of the list of people, where there are ids that are on no list.
    list: Option<String>,
    lag: Option<i32>,
    kinds: Vec<Box<str>>,
    categories: Vec<(String, Vec<Box<str>>)>,
    incidents: Vec<Box<str>>,
    columns: Vec<String>,
    unlisted: Vec<UnlistedCodes>,
    intake: Intake,
    rejects: Vec<Reject>,
    remarks: Vec<Remark>,
    table: TableRead,
}

/// What decides whether a source may be taken.
pub(super) struct Asked<'a> {
    /// Of the files and how they are read.
    pub(super) key: &'a str,
    pub(super) last: Option<Day>,
    /// The list of people, where there is one; without it whoever is named is taken in.
    pub(super) listed: Option<&'a Dictionary>,
    /// Whose the ids are hangs on the list as a whole.
    pub(super) needs_list: bool,
    /// The digest of the list of people.
    pub(super) list: &'a str,
}

/// A source that was taken.
pub(super) struct Taken {
    entry: Entry,
    named: Named,
    /// People are numbered as in `named`.
    events: EventTable,
}

impl RecordStore {
    /// Opens a store, or makes one where there is no folder, or an empty one.
    ///
    /// # Errors
    /// [`RecordsError::Store`] where the folder is no store, is not its owner's alone, or cannot be used.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, RecordsError> {
        let folder = folder.into();
        let failed = |why: &str| failed(&folder, why);
        let io = |error: io::Error| failed(&error.to_string());
        if !folder.exists() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&folder).map_err(io)?;
        }
        let held = std::fs::metadata(&folder).map_err(io)?;
        if !held.is_dir() {
            return Err(failed("it is no folder"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let of_process = std::fs::metadata("/proc/self").ok().map(|held| held.uid());
            if held.mode() & 0o077 != 0 {
                let why =
                    "others than its owner can enter it; take their rights (chmod 700), or name a new folder";
                return Err(failed(why));
            }
            if of_process.is_some_and(|own| own != held.uid()) {
                return Err(failed("it is somebody else's; name a new folder"));
            }
        }
        let path = folder.join(MARK);
        let is_other = |name: &std::ffi::OsStr| name != MARK;
        let has_others = || {
            std::fs::read_dir(&folder)
                .is_ok_and(|mut all| all.any(|held| held.is_ok_and(|held| is_other(&held.file_name()))))
        };
        // Another run may have made it meanwhile, so the mark is looked for last.
        if has_others() && !path.exists() {
            return Err(failed("it holds something else; name a new folder"));
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mark = options.open(&path).map_err(io)?;
        // What a run left behind that was killed is removed by the next that is alone.
        if mark.try_lock().is_ok() {
            tidy(&folder).map_err(io)?;
            mark.unlock().map_err(io)?;
        }
        // Where a drive knows no locks, nothing is ever tidied.
        let _ = mark.lock_shared();
        Ok(Self { folder, _mark: Arc::new(mark) })
    }

    /// Refuses extracts that lie in the store, or would be found in it.
    pub(super) fn is_apart(&self, files: &[PathBuf]) -> Result<(), RecordsError> {
        let Ok(folder) = self.folder.canonicalize() else { return Ok(()) };
        let lies_in = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path.starts_with(&folder));
        if files.iter().any(lies_in) {
            return Err(failed(
                &self.folder,
                "a source finds its files in it; name a folder apart from the extracts",
            ));
        }
        Ok(())
    }

    /// How many bytes the records take that are kept under a key.
    pub(super) fn bytes(&self, key: &str) -> u64 {
        std::fs::metadata(self.path(key, RECORDS)).map_or(0, |held| held.len())
    }

    fn path(&self, key: &str, of: &str) -> PathBuf {
        self.folder.join(format!("{key}.{of}"))
    }

    /// What is kept under a key, if it may be taken; otherwise why not.
    pub(super) fn take(&self, asked: &Asked<'_>) -> Result<Taken, &'static str> {
        const DAMAGED: &str = "what the store holds of it is damaged";
        let Ok(text) = std::fs::read(self.path(asked.key, ENTRY)) else {
            return Err("the store holds nothing of these files, read in this way");
        };
        let entry: Entry = said_in(&text).ok_or(DAMAGED)?;
        if entry.form != FORM || entry.key != asked.key {
            return Err(DAMAGED);
        }
        if entry.list.as_deref().is_some_and(|list| list != asked.list) {
            return Err("whose its ids are hangs on the list of people, and that is another");
        }
        let is_same_end = match (entry.last, asked.last) {
            (Some(then), Some(now)) => then == now || then < now && !entry.is_late,
            (then, now) => then == now,
        };
        if !is_same_end {
            return Err("it names days that could not be when it was read");
        }
        let open = |of: &str, digest: &str| -> Option<File> {
            let file = File::open(self.path(asked.key, of)).ok()?;
            (digest_of(&file).ok()? == digest).then_some(file)
        };
        let (Some(records), Some(ids)) = (open(RECORDS, &entry.records), open(IDS, &entry.ids)) else {
            return Err(DAMAGED);
        };
        // Decoders of other people panic on some damaged files.
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            let (ids, accepted) = table_file::read_ids(&ids)?;
            let width = Width { people: ids.len(), categories: entry.categories.len(), lag: entry.lag };
            let events = table_file::read(&records, &width)?;
            Ok::<_, String>((Named { ids, accepted, places: Vec::new() }, events))
        }));
        let Ok(Ok((named, events))) = decoded else { return Err(DAMAGED) };
        if !fits(&entry, &events) || named.ids.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(DAMAGED);
        }
        if let Some(people) = asked.listed
            && named.ids.iter().any(|id| people.find(id).is_none())
        {
            return Err("somebody whom it names is on the list of people no more");
        }
        Ok(Taken { entry, named, events })
    }

    /// Keeps a source in place of what was kept of it before.
    pub(super) fn keep(
        &self,
        asked: &Asked<'_>,
        (source, closed): (&Source, &Closed),
        (named, is_late): (&Named, bool),
    ) -> io::Result<()> {
        let key = asked.key;
        // Each file is whole or absent, and what names the others by their digests comes last.
        let written = |of: &str, write: &dyn Fn(&File) -> io::Result<()>| -> io::Result<String> {
            let aside = self.path(key, &format!("{of}.{}", std::process::id()));
            let _ = std::fs::remove_file(&aside);
            let file = private(&aside)?;
            let done = write(&file).and_then(|()| file.sync_all()).and_then(|()| digest_of(&file));
            match &done {
                Ok(_) => std::fs::rename(&aside, self.path(key, of))?,
                Err(_) => std::fs::remove_file(&aside)?,
            }
            done
        };
        let events = source.events();
        let lag = table_file::lag(&events);
        let records =
            written(RECORDS, &|file| table_file::write(events.clone(), Some(&named.places), file).map(drop))?;
        let ids = written(IDS, &|file| table_file::write_ids(&named.ids, &named.accepted, file))?;
        let has_unknown = closed.rejects.iter().any(|reject| reject.reason == RejectReason::EntityUnknown);
        let entry = Entry {
            form: FORM,
            key: key.to_owned(),
            records,
            ids,
            source: source.name.clone(),
            last: asked.last,
            is_late,
            list: (has_unknown || asked.needs_list).then(|| asked.list.to_owned()),
            lag,
            kinds: source.kinds.clone(),
            categories: source.categories.clone(),
            incidents: source.incidents.clone(),
            columns: source.columns.clone(),
            unlisted: source.unlisted.clone(),
            intake: closed.intake.clone(),
            rejects: closed.rejects.clone(),
            remarks: closed.remarks.iter().filter(|remark| !is_of_lives(remark.kind)).cloned().collect(),
            table: closed.table.clone(),
        };
        let text = serde_json::to_vec(&entry)?;
        let text = [digest(&text).as_bytes(), b"\n", &text].concat();
        written(ENTRY, &|mut file| io::Write::write_all(&mut file, &text))?;
        self.forget_others(key, &source.name)
    }

    /// Removes what was kept of a source under other keys.
    fn forget_others(&self, key: &str, source: &str) -> io::Result<()> {
        /// What of an entry says whose it is.
        #[derive(Deserialize)]
        struct Of {
            source: String,
        }
        for held in std::fs::read_dir(&self.folder)? {
            let path = held?.path();
            let Some(other) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".entry")) else {
                continue;
            };
            let is_its = || Some(said_in::<Of>(&std::fs::read(&path).ok()?)?.source == source);
            if other != key && is_its() == Some(true) {
                // The other two files are nothing without it.
                for of in [ENTRY, RECORDS, IDS] {
                    match std::fs::remove_file(self.path(other, of)) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}

fn failed(folder: &Path, why: &str) -> RecordsError {
    RecordsError::Store { folder: folder.to_owned(), why: why.to_owned() }
}

/// Removes files of the store that no entry speaks for, and none that is called otherwise: what else lies there is not ours.
fn tidy(folder: &Path) -> io::Result<()> {
    for held in std::fs::read_dir(folder)? {
        let path = held?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(key) = key_of(name) {
            let is_whole = [ENTRY, RECORDS, IDS].iter().any(|of| name.ends_with(of));
            let is_spoken_for = is_whole && folder.join(format!("{key}.{ENTRY}")).is_file();
            if !is_spoken_for && path.is_file() {
                std::fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}

/// The key in the name of a file that a store writes, also while it is written; `None` for any other name.
fn key_of(name: &str) -> Option<&str> {
    let (key, of) = name.split_once('.')?;
    let is_key = key.len() == 64 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_of = |kind: &&str| {
        let behind = of.strip_prefix(*kind)?;
        let process = behind.strip_prefix('.');
        let is_number = process.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        (behind.is_empty() || is_number).then_some(())
    };
    [ENTRY, RECORDS, IDS].iter().find_map(is_of).filter(|()| is_key).map(|()| key)
}

const ENTRY: &str = "entry";
const RECORDS: &str = "records.arrow";
const IDS: &str = "ids.arrow";

/// Whether a remark is about the lives of people and not about the rows alone: it is made anew.
fn is_of_lives(kind: RemarkKind) -> bool {
    matches!(kind, RemarkKind::BeforeBirth | RemarkKind::AfterDeath)
}

/// Whether every code of a table has a name.
fn fits(entry: &Entry, events: &EventTable) -> bool {
    let named =
        |codes: &[u32], names: usize| codes.iter().all(|&code| code == NONE || (code as usize) < names);
    events.kind.iter().all(|&kind| usize::from(kind) < entry.kinds.len())
        && events
            .categories
            .iter()
            .zip(&entry.categories)
            .all(|(codes, (_, names))| named(codes, names.len()))
        && events.incident.as_ref().is_none_or(|codes| named(codes, entry.incidents.len()))
}

/// What an entry says: the digest of what follows, an end of line, and JSON. `None` where it is damaged.
fn said_in<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Option<T> {
    let (said, json) = text.split_at_checked(64)?;
    let json = json.strip_prefix(b"\n")?;
    if digest(json).as_bytes() != said {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Taken {
    /// The people whom its rows name.
    pub(super) fn named(&self) -> &Named {
        &self.named
    }

    /// How many bytes its events take.
    pub(super) fn bytes(&self) -> u64 {
        self.events.bytes()
    }

    /// How many rows were read.
    pub(super) fn read(&self) -> u64 {
        self.entry.intake.read
    }

    /// The source among all people: `places` has the place of each that is named, or [`NONE`] for one who stands in no accepted
    /// row.
    pub(super) fn close(
        self,
        coverage: Coverage,
        places: &[u32],
        (born, partings): (&[i32], &Partings),
    ) -> (Source, Closed) {
        let Self { entry, mut events, .. } = self;
        events.spread(places, born.len());
        let mut remarks = entry.remarks;
        remarks.extend(of_lives(&entry.source, &events, (born, partings)));
        remarks.sort_by_key(|remark| remark.kind);
        let closed = Closed {
            intake: entry.intake,
            rejects: entry.rejects,
            remarks,
            table: entry.table,
            unlisted: Vec::new(),
        };
        let source = Source {
            name: entry.source,
            coverage,
            kinds: entry.kinds,
            categories: entry.categories,
            begins: begins(&events),
            kept: Kept::at_hand(events),
            columns: entry.columns,
            rules: None,
            unlisted: entry.unlisted,
            incidents: entry.incidents,
        };
        (source, closed)
    }
}
