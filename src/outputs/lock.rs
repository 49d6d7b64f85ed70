//! One run at a time writes into a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::error::OutputsError;

/// How long a run waits for another one: writing takes seconds, since all is worked out before.
const TRIES: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(100);

/// Held until it is dropped, or until the process ends in whatever way: the system lets go of it then.
pub(super) struct Lock {
    /// Keeps the lock.
    _file: File,
}

impl Lock {
    /// Waits until no other run holds the lock file, which `make` makes the folder for.
    pub(super) fn take(
        (folder, path): (&Path, &Path),
        make: impl Fn() -> Result<(), OutputsError>,
    ) -> Result<Self, OutputsError> {
        let failed = |error: &io::Error| OutputsError::write(path, error);
        for _ in 0..TRIES {
            make()?;
            let file = match open(path) {
                Ok(file) => file,
                // The run before has just tidied up.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&error)),
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return Ok(Self { _file: file }),
                // The file was removed while this run waited for it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
        Err(OutputsError::Busy { folder: folder.to_owned() })
    }
}

fn open(path: &Path) -> io::Result<File> {
    if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is a pipe, a link or a folder"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, super::OWNER);
    options.open(path)
}

/// Whether the file that was opened is still the one of this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(held), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// Where lock files are not removed, it is.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
