//! Folders below a folder, each once: links can lead round in circles.

use std::io;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

/// A walk through folders that knows where it has been.
pub(crate) struct Walk {
    seen: HashSet<PathBuf>,
}

impl Walk {
    /// One that begins in a folder.
    pub(crate) fn from(folder: &Path) -> Self {
        let mut walk = Self { seen: HashSet::new() };
        walk.enters(folder);
        walk
    }

    /// Whether a folder is one in which it has not been, by whatever name.
    pub(crate) fn enters(&mut self, folder: &Path) -> bool {
        folder.canonicalize().is_ok_and(|real| self.seen.insert(real))
    }

    /// All files below a folder, those of nearer folders first.
    pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut walk = Self::from(folder);
        let (mut files, mut level) = (Vec::new(), vec![folder.to_path_buf()]);
        while !level.is_empty() {
            let mut next = Vec::new();
            for folder in level {
                let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
                let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
                entries.sort();
                for entry in entries {
                    if !entry.is_dir() {
                        files.push(entry);
                    } else if walk.enters(&entry) {
                        next.push(entry);
                    }
                }
            }
            level = next;
        }
        Ok(files)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_round_in_circles_are_followed_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        for file in ["x.csv", "a/y.csv", "a/b/z.csv"] {
            std::fs::write(at(file), "").unwrap();
        }
        std::os::unix::fs::symlink(".", at("loop")).unwrap();
        std::os::unix::fs::symlink("..", at("a/up")).unwrap();
        std::os::unix::fs::symlink("../../a", at("a/b/round")).unwrap();
        let found = Walk::files(folder.path()).unwrap();
        assert_eq!(found, ["x.csv", "a/y.csv", "a/b/z.csv"].map(at));
    }
}
