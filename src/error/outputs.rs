//! Errors of writing files.

use std::io;
use std::path::{Path, PathBuf};

/// Files that cannot be written, or may not be written over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputsError {
    /// A file cannot be written. Nothing of its set was.
    #[error("cannot write {}: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The name is that of an input.
    #[error("{} is one of the files that are read, and those are never written over; give another name", path.display())]
    Input {
        /// The file.
        path: PathBuf,
    },
    /// A file of this name is there that this program did not write, or that was changed since.
    #[error(
        "{} is there already, and is not what this program wrote there before; give another name, or --force to write over it",
        path.display()
    )]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// A file of this name is there, and what is to be written never takes the place of one.
    #[error("{} is there already, and is not written over; give another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What has this name is no file.
    #[error("{} is not a file but a folder or a device; give the name of a file", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// The name cannot be that of an output.
    #[error("\"{}\" cannot be the name of a file to write; give a plain name, in Unicode", name.escape_debug())]
    Name {
        /// The name.
        name: String,
    },
    /// Another run has been writing into the folder for too long.
    #[error("another run is still writing into {}; try again when it has ended", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// What the folder remembers of earlier outputs cannot be read.
    #[error(
        "{} cannot be read ({why}), so earlier outputs are not known again; delete the folder that it is in, and give --force \
         for files that may be written over",
        path.display()
    )]
    Marker {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The folder in which new files wait is not this program's alone.
    #[error("{} is a link, or others can write into it; delete it, or write into another folder", path.display())]
    NotOwn {
        /// The folder.
        path: PathBuf,
    },
    /// Writing failed when some files had moved already, and they could not be moved back.
    #[error("the files of {} are half moved ({why}); run the same again, which finishes that first", folder.display())]
    Unfinished {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        why: String,
    },
    /// The files are written, but what they replaced is still there.
    #[error(
        "the files are written, but what was there before could not be removed from {} ({why}); run the same again, or delete it",
        path.display()
    )]
    Leftover {
        /// The folder that it is in.
        path: PathBuf,
        /// What happened.
        why: String,
    },
}

impl OutputsError {
    pub(crate) fn write(path: &Path, error: &io::Error) -> Self {
        Self::Write { path: path.to_owned(), why: super::said(error) }
    }
}
