//! A ledger in one file of JSON lines, an entry a line:
//!
//! ```text
//! {"hash":"…","entry":{"seq":1,"previous":"…",…},"salt":"…","content":{"subject":"…","body":…}}
//! ```
//!
//! It needs no database to be read, by a person or by another program. Writers wait for each other at a lock
//! file beside it (`NAME.jsonl.lock`, always empty). An append is written and synced to the disk before it
//! returns. If a writer is killed within a write, what it left of the last line, or of the last batch, was
//! never committed: readers pass over it and the next writer cuts it off.
//!
//! **What it cannot see without a checkpoint:** a tail that somebody cut off. The lines that are left are a
//! ledger that was whole at some time. Write checkpoints elsewhere, or use the `SQLite` store, which keeps its
//! head apart.
//!
//! A redaction writes a new file, syncs it and puts it in the place of the old one. Free blocks of the disk
//! and copies elsewhere are the keeper's.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::{Head, check_append, check_end, check_taken, seal};
use super::copying::copied;
use super::entry::{Draft, LedgerEntry};
use super::store::{Ending, Filter, PATIENCE, Raw, Reader, Store, Visitor};
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::limits;

mod line;
use line::{Line, Rest, as_lines, marks, raw};

/// Entries in one file of JSON lines.
pub struct LinesStore {
    path: PathBuf,
}

/// The longest line: the longest entry holds a model, whose file may be half as long.
const LONGEST_LINE: u64 = 2 * limits::MODEL_BYTES;

/// Asks for a lock until it is given: a program that hangs, or somebody who holds it for ever, must not hang this one. Asked
/// more and more rarely, from a millisecond on, since most who hold it are done in a few.
fn wait(try_lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    const RAREST: Duration = Duration::from_millis(32);
    let (mut waited, mut pause) = (Duration::ZERO, Duration::from_millis(1));
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        waited += pause;
        pause = RAREST.min(pause * 2);
    }
}

/// What the end of a file says.
struct Survey {
    head: Head,
    /// The day of the last entry.
    last_day: Option<Day>,
    /// Bytes up to the end of the last whole batch.
    committed: u64,
    /// All bytes.
    len: u64,
    /// The last line is whole but for its end.
    lacks_newline: bool,
}

impl LinesStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`LedgerError`] when the file is something else or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let made = private(OpenOptions::new().write(true).create_new(true)).open(path);
        match made {
            Ok(file) => {
                file.sync_all().map_err(|error| failed(path, "make it", &error))?;
                sync_folder(path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(path, "make it", &error)),
        }
        Self::open_existing(path)
    }

    /// Opens the file; there must be one.
    ///
    /// # Errors
    /// As [`LinesStore::open`], and [`LedgerError::Missing`].
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::Missing { path: path.into() });
        }
        // A redaction puts a new file in the place of the old one, which must not be a link to it.
        let path = fs::canonicalize(path).map_err(|error| failed(path, "open it", &error))?;
        let store = Self { path };
        let mut start = Vec::new();
        let file = store.reopen(false)?;
        (&file).take(9).read_to_end(&mut start).map_err(|error| store.io("read it", &error))?;
        let lock = store.lock_to_read()?;
        // One of both may be damage, which a verification has to be able to name.
        if !b"{\"hash\":\"".starts_with(&start)
            && matches!(store.survey(&store.reopen(false)?), Err(LedgerError::Damaged { .. }))
        {
            let why = "neither its beginning nor its end is that of an entry".to_owned();
            return Err(LedgerError::NotALedger { path: store.path, why });
        }
        drop(lock);
        Ok(store)
    }

    /// Waits until no other writes. The lock ends with the file that is returned.
    fn lock(&self) -> Result<File, LedgerError> {
        let io = |error: io::Error| self.io("lock it", &error);
        let lock = self.lock_file().map_err(io)?;
        wait(|| lock.try_lock()).map_err(io)?;
        // What a redaction that was killed had written of its new file: nobody else is writing one.
        match fs::remove_file(self.beside(".new")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(error)),
            _ => Ok(lock),
        }
    }

    /// Waits until nobody writes. Where the lock file cannot be made, because the medium can only be read,
    /// nobody writes.
    fn lock_to_read(&self) -> Result<Option<File>, LedgerError> {
        let io = |error: io::Error| self.io("lock it", &error);
        match self.lock_file() {
            Ok(lock) => wait(|| lock.try_lock_shared()).map(|()| Some(lock)).map_err(io),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(io(error)),
        }
    }

    /// The lock file. Whoever may write the ledger may lock it.
    fn lock_file(&self) -> io::Result<File> {
        let path = self.beside(".lock");
        // A pipe would be waited for, for ever.
        if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("its lock file is a pipe, a link or a folder"));
        }
        match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match private(OpenOptions::new().write(true).create_new(true)).open(&path) {
            Ok(made) => made.set_permissions(fs::metadata(&self.path)?.permissions()).map(|()| made),
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                OpenOptions::new().write(true).open(&path)
            }
            Err(error) => Err(error),
        }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    /// The file as it stands now: a redaction may have put another in its place.
    fn reopen(&self, write: bool) -> Result<File, LedgerError> {
        OpenOptions::new()
            .read(true)
            .write(write)
            .open(&self.path)
            .map_err(|error| self.io("open it", &error))
    }

    /// The end of the file. Nobody may write meanwhile.
    fn survey(&self, file: &File) -> Result<Survey, LedgerError> {
        let io = |error: io::Error| self.io("read its end", &error);
        let len = file.metadata().map_err(io)?.len();
        let ends = line_start(file, len).map_err(io)?;
        let rest = Rest::of(&between(file, ends, len).map_err(io)?);
        let (start, end) = match rest {
            Rest::Foreign => {
                return Err(self.damaged("what stands after its last line is not an interrupted write"));
            }
            Rest::Line => (ends, len),
            Rest::Nothing | Rest::Torn if ends == 0 => {
                return Ok(Survey {
                    head: Head::empty(),
                    last_day: None,
                    committed: 0,
                    len,
                    lacks_newline: false,
                });
            }
            Rest::Nothing | Rest::Torn => (line_start(file, ends - 1).map_err(io)?, ends - 1),
        };
        let mut last = Line::parse(&between(file, start, end).map_err(io)?)
            .ok_or_else(|| self.damaged("its last line cannot be read"))?;
        let hash = last.right_hash().ok_or_else(|| self.damaged("its last line does not match its hash"))?;
        if !last.entry.closes() {
            return self.survey_batches(file, len);
        }
        let head = Head { entries: last.entry.seq, hash };
        let lacks_newline = rest == Rest::Line;
        let last_day = Some(last.entry.on);
        Ok(Survey { head, last_day, committed: if lacks_newline { len } else { ends }, len, lacks_newline })
    }

    /// The slow way, after a writer was killed within a batch: from the start to the end of the last batch
    /// that is whole.
    fn survey_batches(&self, file: &File, len: u64) -> Result<Survey, LedgerError> {
        let mut survey =
            Survey { head: Head::empty(), last_day: None, committed: 0, len, lacks_newline: false };
        let (mut last, mut end) = (Head::empty(), 0);
        self.each_line(file, len, |bytes, whole| {
            end += bytes.len() as u64 + 1;
            if !whole {
                return Ok(false);
            }
            // Only a chain that holds up to its last line was left so by an interrupted write.
            let (entry, hash) = Line::parse(bytes)
                .and_then(|mut line| line.right_hash().map(|hash| (line.entry, hash)))
                .filter(|(entry, _)| entry.seq == last.entries + 1 && entry.previous == last.hash)
                .ok_or_else(|| self.damaged("an entry does not stand in its place"))?;
            last = Head { entries: entry.seq, hash };
            if entry.closes() {
                (survey.committed, survey.head, survey.last_day) = (end, last.clone(), Some(entry.on));
            }
            Ok(true)
        })?;
        Ok(survey)
    }

    /// Calls `each` with every line up to `len` bytes, without its end, and whether it had one; until it
    /// says false.
    fn each_line(
        &self,
        file: &File,
        len: u64,
        mut each: impl FnMut(&[u8], bool) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let io = |error: io::Error| self.io("read it", &error);
        let mut file = file;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut reader = BufReader::with_capacity(1 << 16, file.take(len));
        let mut line = Vec::new();
        // One more than it may have: its end.
        while reader.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line).map_err(io)? > 0 {
            if line.len() as u64 > LONGEST_LINE {
                return Err(self.damaged("a line of it is longer than any entry"));
            }
            let whole = line.last() == Some(&b'\n');
            if whole {
                line.pop();
            }
            if !each(&line, whole)? {
                break;
            }
            line.clear();
        }
        Ok(())
    }

    /// Cuts off what an interrupted write left.
    fn mend(&self, file: &mut File, survey: &Survey) -> Result<(), LedgerError> {
        let io = |error: io::Error| self.io("write to it", &error);
        if survey.committed < survey.len {
            file.set_len(survey.committed).map_err(io)?;
        }
        file.seek(SeekFrom::Start(survey.committed)).map_err(io)?;
        if survey.lacks_newline {
            file.write_all(b"\n").map_err(io)?;
        }
        Ok(())
    }

    /// Copies the lines without the contents of `seqs` (in order).
    fn copy_without(
        &self,
        file: &File,
        committed: u64,
        seqs: &[u64],
        to: &mut impl Write,
    ) -> Result<(), LedgerError> {
        let io = |error: io::Error| self.io("write its new file", &error);
        let mut seq = 0;
        self.each_line(file, committed, |bytes, _| {
            seq += 1;
            if seqs.binary_search(&seq).is_err() {
                to.write_all(bytes).map_err(io)?;
            } else {
                let mut line = Line::parse(bytes)
                    .filter(|line| line.entry.seq == seq)
                    .ok_or_else(|| self.damaged(&format!("entry {seq} does not stand in its place")))?;
                check_taken(&line.entry)?;
                (line.salt, line.content) = (None, None);
                let bytes = line.canonical().map_err(|error| LedgerError::Redaction(error.to_string()))?;
                to.write_all(&bytes).map_err(io)?;
            }
            to.write_all(b"\n").map_err(io)?;
            Ok(true)
        })
    }

    /// Writes a new file and puts it in the place of the old one. Nobody else may write meanwhile.
    fn renew<T>(
        &self,
        old: &File,
        fill: impl FnOnce(&mut BufWriter<File>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let io = |error: io::Error| self.io("write its new file", &error);
        let new = self.beside(".new");
        let written = (|| {
            // Made here and by nobody else: what stands there under this name is not followed.
            let made = private(OpenOptions::new().write(true).create_new(true)).open(&new);
            let mut to = BufWriter::new(made.map_err(io)?);
            let filled = fill(&mut to)?;
            let to = to.into_inner().map_err(|error| io(error.into_error()))?;
            to.set_permissions(old.metadata().map_err(io)?.permissions()).map_err(io)?;
            to.sync_all().map_err(io)?;
            fs::rename(&new, &self.path).map_err(io)?;
            Ok(filled)
        })();
        if written.is_err() {
            // It may not be there; whoever writes next takes it away.
            let _ = fs::remove_file(&new);
            return written;
        }
        sync_folder(&self.path)?;
        written
    }

    fn io(&self, what: &'static str, error: &io::Error) -> LedgerError {
        failed(&self.path, what, error)
    }

    fn damaged(&self, why: &str) -> LedgerError {
        LedgerError::Damaged { path: self.path.clone(), why: why.into() }
    }
}

impl Store for LinesStore {
    fn head(&self) -> Result<Head, LedgerError> {
        let _lock = self.lock_to_read()?;
        Ok(self.survey(&self.reopen(false)?)?.head)
    }

    fn last_day(&self) -> Result<Option<Day>, LedgerError> {
        let _lock = self.lock_to_read()?;
        Ok(self.survey(&self.reopen(false)?)?.last_day)
    }

    fn append(&self, drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        check_append(&drafts)?;
        let io = |error: io::Error| self.io("write to it", &error);
        let _lock = self.lock()?;
        let mut file = self.reopen(true)?;
        let survey = self.survey(&file)?;
        check_end(&survey.head, after)?;
        if drafts.is_empty() {
            return Ok(survey.head);
        }
        let (entries, head) = seal(&survey.head, drafts)?;
        let bytes = as_lines(entries);
        self.mend(&mut file, &survey)?;
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_all()) {
            // For instance a full disk: nothing of the batch stays. If even that fails, the next writer does it.
            let _ = file.set_len(survey.committed + u64::from(survey.lacks_newline));
            return Err(io(error));
        }
        Ok(head)
    }

    fn read(&self, wanted: &Filter, reader: &mut Reader<'_>) -> Result<(), LedgerError> {
        let (file, committed) = {
            let _lock = self.lock_to_read()?;
            let file = self.reopen(false)?;
            let survey = self.survey(&file)?;
            (file, survey.committed)
        };
        // Up to here the file never changes, and a redaction writes another: no lock is needed.
        let marks = marks(wanted);
        let mut left = wanted.limit.unwrap_or(u64::MAX);
        let mut number = 0;
        self.each_line(&file, committed, |bytes, _| {
            number += 1;
            if left == 0 {
                return Ok(false);
            }
            if number < wanted.from || !marks.iter().all(|mark| mark.may_be_in(bytes)) {
                return Ok(true);
            }
            let line: Line = serde_json::from_slice(bytes)
                .map_err(|_| self.damaged(&format!("line {number} cannot be read")))?;
            if wanted.takes(&line.entry, line.content.as_ref()) {
                left -= 1;
                let content = line.content.filter(|_| !wanted.facts_only);
                reader(LedgerEntry::new(line.entry, line.hash, content))?;
            }
            Ok(true)
        })
    }

    fn redact(&self, seqs: &[u64], drafts: Vec<Draft>, after: Option<&Head>) -> Result<Head, LedgerError> {
        let io = |error: io::Error| self.io("write its new file", &error);
        let mut seqs = seqs.to_vec();
        seqs.sort_unstable();
        let _lock = self.lock()?;
        let file = self.reopen(false)?;
        let survey = self.survey(&file)?;
        check_end(&survey.head, after)?;
        if let Some(&seq) = seqs.iter().find(|&&seq| seq == 0 || seq > survey.head.entries) {
            return Err(LedgerError::Redaction(format!("there is no entry {seq}")));
        }
        let (entries, head) = seal(&survey.head, drafts)?;
        self.renew(&file, |to| {
            self.copy_without(&file, survey.committed, &seqs, to)?;
            to.write_all(&as_lines(entries)).map_err(io)
        })?;
        Ok(head)
    }

    fn take_over(&self, from: &dyn Store) -> Result<Head, LedgerError> {
        let io = |error: io::Error| self.io("write its new file", &error);
        let _lock = self.lock()?;
        let file = self.reopen(false)?;
        if self.survey(&file)?.head != Head::empty() {
            return Err(LedgerError::NotEmpty { path: self.path.clone() });
        }
        self.renew(&file, |to| copied(from, &mut |entries, _| to.write_all(&as_lines(entries)).map_err(io)))
    }

    fn walk(&self, visit: &mut Visitor<'_>) -> Result<Ending, LedgerError> {
        let (file, committed, len) = {
            let _lock = self.lock_to_read()?;
            let file = self.reopen(false)?;
            match self.survey(&file) {
                Ok(survey) => (file, survey.committed, survey.len),
                // The end cannot be trusted: walk over everything, and let the walk say where it goes wrong.
                Err(LedgerError::Damaged { .. }) => {
                    let len = file.metadata().map_err(|error| self.io("read it", &error))?.len();
                    (file, len, len)
                }
                Err(error) => return Err(error),
            }
        };
        self.each_line(&file, committed, |bytes, whole| {
            visit(if whole { raw(bytes) } else { Raw::Unreadable("the end of its line is missing".into()) })?;
            Ok(true)
        })?;
        Ok(Ending { head: None, unfinished: len - committed, stray: None, broken: None })
    }
}

/// What is made is for its owner's eyes alone (on Unix; elsewhere its folder decides who may read).
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Where the line starts that ends at `end`.
fn line_start(mut file: &File, end: u64) -> io::Result<u64> {
    let mut upper = end;
    while upper > end.saturating_sub(LONGEST_LINE) {
        let lower = upper.saturating_sub(1 << 16);
        file.seek(SeekFrom::Start(lower))?;
        let mut block = vec![0; (upper - lower) as usize];
        file.read_exact(&mut block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(lower + at as u64 + 1);
        }
        upper = lower;
    }
    if upper > 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of it is longer than any entry"));
    }
    Ok(0)
}

fn between(mut file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; (end - start) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Makes sure that the name of a new file is on the disk, not only its bytes.
pub(super) fn sync_folder(path: &Path) -> Result<(), LedgerError> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(path, "sync its folder", &error))?;
    }
    Ok(())
}

fn failed(path: &Path, what: &'static str, error: &io::Error) -> LedgerError {
    if error.kind() == io::ErrorKind::TimedOut {
        return LedgerError::InUse { path: path.into() };
    }
    LedgerError::Io { path: path.into(), what, why: crate::error::said(error) }
}
