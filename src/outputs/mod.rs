//! Files that a run writes: whole or not at all, for their owner alone, and never over an input.
//!
//! ```text
//! Outputs::folder ─(over, apart_from)→ start → Writing ─file, file ...→ finish
//! ```
//!
//! - The files of a run are a set. They wait under other names until the last one is on the disk, and take their own names
//!   then, together: the names in a folder are at no moment those of two runs. If the run is killed meanwhile, some may be
//!   missing; the next one that writes into the folder finishes what was begun.
//! - While a run writes into a folder, another one waits.
//! - Every file, and every folder made for files, is its owner's alone (mode 600 and 700 where the system knows modes). A
//!   file that was stricter stays so. Windows keeps no modes: there a file has the rights of the folder that it is in, so
//!   choose a folder that only those can open who may read what is in it.
//! - A file that is there is written over only if it is what an earlier run wrote there ([`Over::Own`]). The folder
//!   `.earlyhelp` within it remembers names and salted digests, nothing else; a file that somebody changed or put there is
//!   not known, whatever its name.
//! - What is among the inputs is never written over, under whatever name or link it is reached.
//!
//! Text on its way to a terminal or a spreadsheet: [`on_one_line`], [`printable`], [`printable_json`], [`json_text`], [`cell`].
//!
//! # Examples
//! ```
//! use earlyhelp::outputs::Outputs;
//!
//! # let folder = std::env::temp_dir().join(format!("earlyhelp-outputs-{}", std::process::id()));
//! let outputs = Outputs::folder(&folder).apart_from(["people.csv"]);
//! outputs.write(&[("list.html", "<p>no cases</p>"), ("list.csv", "place\n")])?;
//!
//! // What an earlier run wrote is written over; what somebody else did is not.
//! outputs.write(&[("list.html", "<p>still none</p>"), ("list.csv", "place\n")])?;
//! std::fs::write(folder.join("list.csv"), "somebody's own\n").unwrap();
//! assert!(outputs.write(&[("list.html", "<p>one</p>"), ("list.csv", "place\n1\n")]).is_err());
//! assert_eq!(std::fs::read_to_string(folder.join("list.html")).unwrap(), "<p>still none</p>");
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), earlyhelp::error::OutputsError>(())
//! ```

mod disk;
mod lock;
mod marker;
mod swap;
#[cfg(test)]
mod tests;
mod text;

use std::cell::Cell;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use self::disk::{Disk, System};
use self::lock::Lock;
use self::marker::{Held, Marker, Move};
use self::swap::{Room, is_there};
#[cfg(feature = "excel")]
pub(crate) use self::text::workbook_text;
pub use self::text::{cell, json_text, on_one_line, printable, printable_json};
use crate::error::OutputsError;

/// The mode of a file.
const OWNER: u32 = 0o600;
/// The mode of a folder.
const OWNER_FOLDER: u32 = 0o700;
/// The folder where new files wait, and where it is remembered what was written.
const HIDDEN: &str = ".earlyhelp";

/// What may be written over. An input never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Over {
    /// Nothing: the file has to be new.
    Nothing,
    /// What an earlier run of the same [kind](Outputs::kind) wrote there and nobody changed, and what holds the same bytes already.
    #[default]
    Own,
    /// Any file: somebody said so. A link is replaced itself, not what it leads to.
    Anything,
}

/// Where files are to be written, and over what.
///
/// See the [module](self) for what is promised.
#[derive(Clone)]
pub struct Outputs {
    folder: PathBuf,
    kind: String,
    over: Over,
    inputs: Vec<PathBuf>,
    disk: Arc<dyn Disk>,
}

crate::opaque_debug!(Outputs);

impl Outputs {
    /// Files in a folder, which is made if need be.
    #[must_use]
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        let folder = Some(folder.into()).filter(|folder| !folder.as_os_str().is_empty());
        Self {
            folder: folder.unwrap_or_else(|| PathBuf::from(".")),
            kind: String::new(),
            over: Over::default(),
            inputs: Vec::new(),
            disk: Arc::new(System),
        }
    }

    /// Files beside the file of this path, and that file's name.
    ///
    /// # Errors
    /// [`OutputsError::Name`] where the path does not end in a name.
    pub fn beside(path: impl AsRef<Path>) -> Result<(Self, String), OutputsError> {
        let path = path.as_ref();
        let no_name = || OutputsError::Name { name: path.to_string_lossy().into_owned() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(no_name)?;
        Ok((Self::folder(path.parent().unwrap_or(Path::new(""))), name.to_owned()))
    }

    /// What the files are (`list`, `model`): only files of the same kind are known again as an earlier run's own, so that a
    /// page does not take the place of a signed model.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// What may be written over; [`Over::Own`] if nothing is said.
    #[must_use]
    pub fn over(mut self, over: Over) -> Self {
        self.over = over;
        self
    }

    /// Files that are read, beside those said before: they are not written over, whatever else may be.
    #[must_use]
    pub fn apart_from<P: Into<PathBuf>>(mut self, inputs: impl IntoIterator<Item = P>) -> Self {
        self.inputs.extend(inputs.into_iter().map(Into::into));
        self
    }

    /// The path of a file of the set.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether files of these names may be written: to be asked before long work. Nothing is written.
    ///
    /// # Errors
    /// As [`Writing::file`].
    pub fn check(&self, names: &[&str]) -> Result<(), OutputsError> {
        if !is_there(&self.folder.join(HIDDEN)) {
            return names.iter().try_for_each(|name| self.taken(name, None).map(|_| ()));
        }
        // A run that was killed may have left something to finish first.
        let writing = self.start()?;
        names.iter().try_for_each(|name| self.taken(name, Some(&writing.marker)).map(|_| ()))
    }

    /// Writes a set of files, each by its name and its content.
    ///
    /// # Errors
    /// [`OutputsError`] where one of them cannot be written or may not be written over; none is, then.
    pub fn write<C: AsRef<[u8]>>(&self, files: &[(&str, C)]) -> Result<(), OutputsError> {
        let mut writing = self.start()?;
        for (name, content) in files {
            writing.file(name, |to| to.write_all(content.as_ref()))?;
        }
        writing.finish()
    }

    /// Begins to write a set of files. Another run that wants to write into the folder waits until this one ends, for two
    /// minutes at most.
    ///
    /// # Errors
    /// [`OutputsError::Busy`] where another run does not end, and others where the folder cannot be used.
    pub fn start(&self) -> Result<Writing, OutputsError> {
        let room = Room {
            disk: Arc::clone(&self.disk),
            folder: self.folder.clone(),
            hidden: self.folder.join(HIDDEN),
        };
        let mut made = Made { disk: Arc::clone(&self.disk), folders: Vec::new() };
        made.make(&self.folder)?;
        let is_made_here = Cell::new(false);
        let lock = Lock::take((&self.folder, &room.lock()), || {
            if make_folder(&*self.disk, &room.hidden)? {
                is_made_here.set(true);
            }
            if is_own(&room.hidden) {
                Ok(())
            } else {
                Err(OutputsError::NotOwn { path: room.hidden.clone() })
            }
        });
        let lock = lock.inspect_err(|_| {
            let _ = self.disk.remove_folder(&room.hidden);
        })?;
        let mut writing = Writing {
            outputs: self.clone(),
            marker: Marker::new().map_err(|error| OutputsError::write(&room.marker(), &error))?,
            moves: Vec::new(),
            is_whole: true,
            is_begun: false,
            room,
            lock: Some(lock),
            made,
        };
        if !is_made_here.get() && !self.is_ours(&writing.room.hidden)? {
            return Err(OutputsError::NotOwn { path: writing.room.hidden.clone() });
        }
        let marker = writing.room.marker();
        let unreadable =
            |error: io::Error| OutputsError::Marker { path: marker.clone(), why: error.to_string() };
        if let Some(held) = Marker::load(&marker).map_err(unreadable)? {
            writing.marker = held;
        }
        writing.room.recover(&writing.marker)?;
        // Finishing may have brought another one.
        if let Some(held) = Marker::load(&marker).map_err(unreadable)? {
            writing.marker = held;
        }
        writing.is_begun = true;
        Ok(writing)
    }

    /// Whether the hidden folder is this user's: what another one put there is not obeyed, since it says which files to move.
    #[cfg(unix)]
    fn is_ours(&self, hidden: &Path) -> Result<bool, OutputsError> {
        use std::os::unix::fs::MetadataExt as _;
        // Whose files are made here is told by a file that is made here.
        let probe = hidden.join("probe.new");
        let failed = |error: io::Error| OutputsError::write(&probe, &error);
        let _ = std::fs::remove_file(&probe);
        let made = self.disk.create(&probe, OWNER).and_then(|file| file.metadata());
        let _ = self.disk.remove(&probe);
        Ok(made.map_err(failed)?.uid() == std::fs::symlink_metadata(hidden).map_err(failed)?.uid())
    }

    #[cfg(not(unix))]
    fn is_ours(&self, _: &Path) -> Result<bool, OutputsError> {
        Ok(true)
    }

    /// What is under a name, if it may go; an error if it may not. Without a marker nothing is known again.
    fn taken(&self, name: &str, marker: Option<&Marker>) -> Result<Option<Metadata>, OutputsError> {
        if !is_plain(name) {
            return Err(OutputsError::Name { name: name.to_owned() });
        }
        let path = self.folder.join(name);
        if self.inputs.iter().any(|input| is_same(input, &path)) {
            return Err(OutputsError::Input { path });
        }
        let there = match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            there => there.map_err(|error| OutputsError::write(&path, &error))?,
        };
        if !there.is_file() && !there.is_symlink() {
            return Err(OutputsError::NotAFile { path });
        }
        match (self.over, marker) {
            (Over::Nothing, _) => return Err(OutputsError::Exists { path }),
            (Over::Own, Some(marker)) if is_as_written(marker, (name, &self.kind), &path)? => {}
            (Over::Own, _) => return Err(OutputsError::Taken { path }),
            (Over::Anything, _) => {}
        }
        Ok(Some(there))
    }
}

impl From<&Path> for Outputs {
    fn from(folder: &Path) -> Self {
        Self::folder(folder)
    }
}

impl From<&PathBuf> for Outputs {
    fn from(folder: &PathBuf) -> Self {
        Self::folder(folder)
    }
}

impl From<&Self> for Outputs {
    fn from(outputs: &Self) -> Self {
        outputs.clone()
    }
}

/// Whether a name is one of a file in the folder itself: no path, no sign that cannot be seen, and not the hidden folder's.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
        && name != HIDDEN
        && !name.chars().any(char::is_control)
}

/// Whether a file is what the marker remembers of it.
fn is_as_written(marker: &Marker, (name, kind): (&str, &str), path: &Path) -> Result<bool, OutputsError> {
    let Some(held) = marker.files.get(name).filter(|held| held.kind == kind) else { return Ok(false) };
    let digest = marker.digest_of(path).map_err(|error| OutputsError::write(path, &error))?;
    Ok(digest == held.digest)
}

/// A set of files that is being written. What is not finished leaves nothing behind.
pub struct Writing {
    outputs: Outputs,
    room: Room,
    marker: Marker,
    moves: Vec<Move>,
    /// No file failed.
    is_whole: bool,
    /// What was found is in order, so what this run made may be removed.
    is_begun: bool,
    lock: Option<Lock>,
    made: Made,
}

crate::opaque_debug!(Writing);

impl Writing {
    /// Writes one file of the set: whatever the closure writes. It has its name only when the set is finished.
    ///
    /// # Errors
    /// [`OutputsError::Input`], [`OutputsError::Taken`] and [`OutputsError::Exists`] where the name may not be written over,
    /// [`OutputsError::Write`] where the disk is full or the like, or the closure fails. The set cannot be finished then.
    pub fn file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), OutputsError> {
        let staged = self.stage(name, write);
        self.is_whole &= staged.is_ok();
        self.moves.push(staged?);
        Ok(())
    }

    fn stage(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Move, OutputsError> {
        let nth = self.moves.len();
        let path = self.room.folder.join(name);
        let failed = |error: io::Error| OutputsError::write(&path, &error);
        if self.moves.iter().any(|before| before.name == name) {
            return Err(OutputsError::Name { name: name.to_owned() });
        }
        // What holds the same bytes may stay, so whether it is known is asked when they are written.
        let there = match self.outputs.taken(name, Some(&self.marker)) {
            Err(OutputsError::Taken { .. }) => std::fs::symlink_metadata(&path).map(Some).map_err(failed)?,
            there => there?,
        };
        let staged = format!("{nth}.new");
        let digest = create(
            (&*self.room.disk, self.marker.digest()),
            (&self.room.hidden.join(&staged), there.as_ref().map_or(OWNER, strict)),
            write,
        )
        .map_err(failed)?;
        let old = match &there {
            None => None,
            Some(_) => Some(self.marker.digest_of(&path).map_err(failed)?),
        };
        let is_same = old.as_ref() == Some(&digest);
        if !is_same {
            self.outputs.taken(name, Some(&self.marker))?;
        }
        let with = self.moves.first().map_or_else(|| name.to_owned(), |first| first.name.clone());
        let kind = self.outputs.kind.clone();
        self.marker.files.insert(name.to_owned(), Held { digest, with, kind });
        let moved = Move { name: name.to_owned(), staged: Some(staged), aside: format!("{nth}.old"), old };
        if is_same && there.as_ref().is_some_and(is_private) {
            // It stays: nobody who is reading it loses it.
            return Ok(Move { staged: None, old: None, ..moved });
        }
        Ok(moved)
    }

    /// Gives all files their names: after this they are there, or none is.
    ///
    /// # Errors
    /// [`OutputsError::Write`] where it fails, and the folder is as it was before. Where it cannot be made so,
    /// [`OutputsError::Unfinished`] or [`OutputsError::Leftover`] says what to do.
    pub fn finish(mut self) -> Result<(), OutputsError> {
        if !self.is_whole {
            let why = io::Error::other("a file of the set could not be written");
            return Err(OutputsError::write(&self.room.folder, &why));
        }
        self.retire()?;
        let disk = Arc::clone(&self.room.disk);
        let swapped = self.room.swap((&self.moves, &self.marker), |path, text| {
            let written = create((&*disk, self.marker.digest()), (path, OWNER), |to| to.write_all(text));
            written.map(|_| ()).map_err(|error| OutputsError::write(path, &error))
        });
        // Moves that could not be taken back are the next run's.
        self.is_begun = !matches!(swapped, Err(OutputsError::Unfinished { .. }));
        if swapped.is_ok() {
            self.made.folders.clear();
        }
        swapped
    }

    /// Lets those files go that an earlier run wrote with this set, and that the set has no longer. One that somebody changed
    /// is theirs, and stays.
    fn retire(&mut self) -> Result<(), OutputsError> {
        let Some(first) = self.moves.first().map(|first| first.name.clone()) else { return Ok(()) };
        let is_new = |name: &String| self.moves.iter().any(|moved| moved.name == *name);
        let gone: Vec<String> = self
            .marker
            .files
            .iter()
            .filter(|(name, held)| held.with == first && held.kind == self.outputs.kind && !is_new(name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            let path = self.room.folder.join(&name);
            let held = self.marker.files.remove(&name);
            let is_input = self.outputs.inputs.iter().any(|input| is_same(input, &path));
            if is_there(&path) && !is_input {
                let old = self.marker.digest_of(&path).map_err(|error| OutputsError::write(&path, &error))?;
                if held.is_some_and(|held| held.digest == old) {
                    let aside = format!("{}.old", self.moves.len());
                    self.moves.push(Move { name, staged: None, aside, old: Some(old) });
                }
            }
        }
        // A file that is gone needs not be remembered.
        let folder = &self.room.folder;
        let is_new =
            |name: &String| self.moves.iter().any(|moved| moved.staged.is_some() && moved.name == *name);
        self.marker.files.retain(|name, _| is_new(name) || is_there(&folder.join(name)));
        Ok(())
    }
}

impl Drop for Writing {
    /// Removes what waits, and the folders that were made for it. What cannot be removed is removed by the next run.
    fn drop(&mut self) {
        if self.is_begun && self.room.clear().is_ok() && !is_there(&self.room.marker()) {
            // Elsewhere than on Unix nobody could tell that the lock that they waited for is of a file that is gone.
            if cfg!(unix) && self.room.disk.remove(&self.room.lock()).is_ok() {
                let _ = self.room.disk.remove_folder(&self.room.hidden);
            }
        }
        self.lock = None;
    }
}

/// Folders that this run made. When it writes nothing into them, they go again.
struct Made {
    disk: Arc<dyn Disk>,
    folders: Vec<PathBuf>,
}

impl Made {
    /// Makes a folder and those above it.
    fn make(&mut self, folder: &Path) -> Result<(), OutputsError> {
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
        for above in missing.into_iter().rev() {
            if make_folder(&*self.disk, above)? {
                self.folders.push(above.to_owned());
            }
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // One that is not empty stays, by itself.
        while let Some(folder) = self.folders.pop() {
            let _ = self.disk.remove_folder(&folder);
        }
    }
}

/// Makes a folder; whether it was not there.
fn make_folder(disk: &dyn Disk, folder: &Path) -> Result<bool, OutputsError> {
    match disk.make_folder(folder, OWNER_FOLDER) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(OutputsError::write(folder, &error)),
    }
}

/// Writes a file that is not there yet, and gives its digest when it is on the disk.
fn create(
    (disk, digest): (&dyn Disk, Sha256),
    (path, mode): (&Path, u32),
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<String> {
    let file = disk.create(path, mode)?;
    let mut writer =
        BufWriter::with_capacity(1 << 16, DigestedFile { disk, file, digest, has_no_room: false });
    if let Err(error) = write(&mut writer) {
        // Whatever wrote it may have told it in words of its own, which say nothing of the disk.
        let has_no_room = writer.get_ref().has_no_room;
        return Err(if has_no_room { io::Error::new(io::ErrorKind::StorageFull, error) } else { error });
    }
    let DigestedFile { file, digest, .. } = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    disk.sync(&file)?;
    Ok(hex::encode(digest.finalize()))
}

/// A file, and the digest of what was written to it.
struct DigestedFile<'d> {
    disk: &'d dyn Disk,
    file: File,
    digest: Sha256,
    /// A write failed because there is no room.
    has_no_room: bool,
}

impl Write for DigestedFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.disk.write(&mut self.file, bytes).inspect_err(|error| {
            self.has_no_room |= crate::error::is_of_room(error);
        })?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether two paths lead to one file, also by links. A file that is not there is no other's.
#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(one), Ok(other)) = (std::fs::metadata(one), std::fs::metadata(other)) else { return false };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (one.canonicalize(), other.canonicalize()) else { return false };
    one == other
}

/// The mode of what takes a file's place: the owner's alone, and what the file did not allow is not allowed.
#[cfg(unix)]
fn strict(there: &Metadata) -> u32 {
    // A link has no mode of its own.
    if there.is_symlink() {
        OWNER
    } else {
        OWNER & std::os::unix::fs::PermissionsExt::mode(&there.permissions())
    }
}

#[cfg(not(unix))]
fn strict(_: &Metadata) -> u32 {
    OWNER
}

/// Whether a file is a file, and its owner's alone.
fn is_private(there: &Metadata) -> bool {
    #[cfg(unix)]
    let is_owners = std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o777 & !OWNER == 0;
    #[cfg(not(unix))]
    let is_owners = true;
    there.is_file() && is_owners
}

/// Whether the folder is one, and nobody else can put files into it.
fn is_own(folder: &Path) -> bool {
    let Ok(there) = std::fs::symlink_metadata(folder) else { return false };
    #[cfg(unix)]
    let others_write = std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o022 != 0;
    #[cfg(not(unix))]
    let others_write = false;
    there.is_dir() && !others_write
}
