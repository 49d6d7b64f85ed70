//! New files take the place of old ones: all of them, or none; and what a run that was killed left is finished.
//!
//! All new files are on the disk before the first old one moves. Then what is about to move is written down, the old files
//! step aside, the new ones take their names, and the marker follows. So the names that a folder shows at any moment are
//! those of one run, never of two; and from the moment when the moves are written down, whoever comes next can finish them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::marker::{Marker, Move, Pending};
use crate::error::OutputsError;

/// A folder of outputs, and the folder within it where new files wait.
pub(super) struct Room {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: PathBuf,
    pub(super) hidden: PathBuf,
}

const PENDING: &str = "pending.json";
const MARKER: &str = "outputs.json";
const LOCK: &str = "lock";
/// What a file is called until it is whole.
const UNFINISHED: &str = ".next";

impl Room {
    pub(super) fn lock(&self) -> PathBuf {
        self.hidden.join(LOCK)
    }

    pub(super) fn marker(&self) -> PathBuf {
        self.hidden.join(MARKER)
    }

    fn pending(&self) -> PathBuf {
        self.hidden.join(PENDING)
    }

    fn next(&self, name: &str) -> PathBuf {
        self.hidden.join(format!("{name}{UNFINISHED}"))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), OutputsError> {
        self.disk.rename(from, to).map_err(|error| OutputsError::write(to, &error))
    }

    fn remove(&self, path: &Path) -> Result<(), OutputsError> {
        self.disk.remove(path).map_err(|error| OutputsError::write(path, &error))
    }

    fn sync(&self, folder: &Path) -> Result<(), OutputsError> {
        self.disk.sync_folder(folder).map_err(|error| OutputsError::write(folder, &error))
    }

    /// Finishes the moves of a run that was killed, and removes what it left.
    pub(super) fn recover(&self, marker: &Marker) -> Result<(), OutputsError> {
        let unreadable = |path: &Path, error: &std::io::Error| OutputsError::Marker {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let pending = Pending::load(&self.pending()).map_err(|error| unreadable(&self.pending(), &error))?;
        if let Some(Pending { moves }) = pending {
            for moved in &moves {
                self.set_aside(marker, moved)?;
            }
            for Move { name, staged, .. } in &moves {
                if let Some(staged) = staged.as_ref().map(|staged| self.hidden.join(staged))
                    && is_there(&staged)
                {
                    self.rename(&staged, &self.folder.join(name))?;
                }
            }
            self.sync(&self.folder)?;
            if is_there(&self.next(MARKER)) {
                self.rename(&self.next(MARKER), &self.marker())?;
            }
            self.remove(&self.pending())?;
        }
        self.clear()
    }

    /// Moves an old file out of the way of a new one that waits. A file that came in between is somebody's: then the new one
    /// goes instead.
    fn set_aside(&self, marker: &Marker, moved: &Move) -> Result<(), OutputsError> {
        let (path, aside) = (self.folder.join(&moved.name), self.hidden.join(&moved.aside));
        let staged = moved.staged.as_ref().map(|staged| self.hidden.join(staged));
        let waits = staged.as_ref().is_none_or(|staged| is_there(staged));
        if !waits || !is_there(&path) {
            return Ok(());
        }
        let held = marker.digest_of(&path).ok();
        if held.is_some() && held == moved.old && !is_there(&aside) {
            return self.rename(&path, &aside);
        }
        staged.map_or(Ok(()), |staged| self.remove(&staged))
    }

    /// Removes whatever waits or was put aside.
    pub(super) fn clear(&self) -> Result<(), OutputsError> {
        let Ok(entries) = std::fs::read_dir(&self.hidden) else { return Ok(()) };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == "new" || ending == "old" || ending == "next") {
                self.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Puts the new files in the place of the old ones; `write` writes a file of the hidden folder.
    pub(super) fn swap(
        &self,
        (moves, marker): (&[Move], &Marker),
        write: impl Fn(&Path, &[u8]) -> Result<(), OutputsError>,
    ) -> Result<(), OutputsError> {
        let text = |value: serde_json::Result<Vec<u8>>, name: &str| {
            value.map_err(|error| OutputsError::write(&self.hidden.join(name), &error.into()))
        };
        write(&self.next(MARKER), &text(serde_json::to_vec_pretty(marker), MARKER)?)?;
        let pending = Pending { moves: moves.to_vec() };
        write(&self.next(PENDING), &text(serde_json::to_vec(&pending), PENDING)?)?;
        self.sync(&self.hidden)?;
        self.rename(&self.next(PENDING), &self.pending())?;
        let mut done = Vec::new();
        if let Err(error) = self.put_in_place(moves, &mut done) {
            // Back, the last first. Where even that fails, what was written down stays, and the next run finishes it.
            let back = done.iter().rev().try_for_each(|(from, to)| self.rename(to, from));
            if back.and_then(|()| self.remove(&self.pending())).is_err() {
                return Err(OutputsError::Unfinished { folder: self.folder.clone(), why: error.to_string() });
            }
            return Err(error);
        }
        // From here on the new files are the outputs, whatever happens.
        let left = |error: OutputsError| OutputsError::Leftover {
            path: self.hidden.clone(),
            why: error.to_string(),
        };
        self.remove(&self.pending()).and_then(|()| self.clear()).map_err(left)
    }

    fn put_in_place(&self, moves: &[Move], done: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), OutputsError> {
        let mut step = |from: PathBuf, to: PathBuf| {
            self.rename(&from, &to)?;
            done.push((from, to));
            Ok(())
        };
        self.sync(&self.hidden)?;
        for Move { name, aside, old, .. } in moves {
            if old.is_some() {
                step(self.folder.join(name), self.hidden.join(aside))?;
            }
        }
        for Move { name, staged, .. } in moves {
            if let Some(staged) = staged {
                step(self.hidden.join(staged), self.folder.join(name))?;
            }
        }
        self.sync(&self.folder)?;
        self.sync(&self.hidden)?;
        self.rename(&self.next(MARKER), &self.marker())
    }
}

/// Whether anything has this name, be it a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
