//! A folder into which checkpoints of a ledger are taken.

use std::path::{Path, PathBuf};

use super::checkpoint::SigningKey;
use super::handle::Ledger;
use super::server::is_on_server;
use crate::calendar::Day;
use crate::error::LedgerError;

/// The folder into which checkpoints of one ledger are taken as it grows, as the command does after each step. Copy them to where whoever keeps
/// the ledger cannot write: without one, nobody can tell whether it was rewritten.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Day;
/// use earlyhelp::ledger::{CheckpointFolder, Ledger};
///
/// fn open(path: &std::path::Path, today: Day) -> earlyhelp::Result<Ledger> {
///     let ledger = Ledger::open(path)?;
///     // Refused where the ledger is shorter than it was.
///     let kept = CheckpointFolder::open(&ledger, CheckpointFolder::beside(path), None)?;
///     // ... something is put on record ...
///     kept.take(&ledger, today)?;
///     Ok(ledger)
/// }
/// ```
#[derive(Debug)]
pub struct CheckpointFolder {
    folder: PathBuf,
    key: Option<SigningKey>,
}

impl CheckpointFolder {
    /// Makes the folder if it is not there, before anything is put on record; checkpoints are signed where there is a key.
    ///
    /// # Errors
    /// [`LedgerError::Shorter`] where the ledger has fewer entries than it had at the last checkpoint in the folder: what is missing would
    /// never be noticed once others stand behind it. [`LedgerError::Checkpoint`] where the folder cannot be made.
    pub fn open(
        ledger: &Ledger,
        folder: impl Into<PathBuf>,
        key: Option<SigningKey>,
    ) -> Result<Self, LedgerError> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(|error| {
            LedgerError::Checkpoint(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
        let kept = Self { folder, key };
        let has = ledger.head()?.entries;
        match kept.longest() {
            Some((had, checkpoint)) if had > has => Err(LedgerError::Shorter { has, had, checkpoint }),
            _ => Ok(kept),
        }
    }

    /// The folder beside a ledger, `LEDGER.checkpoints`; of one on a server, `HOST-PORT-DATABASE.checkpoints` in the current folder.
    #[must_use]
    pub fn beside(ledger: &Path) -> PathBuf {
        let mut name = if is_on_server(ledger) {
            let address = ledger.to_string_lossy();
            let place = address.split_once("://").map_or(&*address, |(_, place)| place);
            let kept = |sign: char| if sign.is_alphanumeric() || "-._".contains(sign) { sign } else { '-' };
            place.trim_start_matches('[').chars().map(kept).collect::<String>().into()
        } else {
            ledger.as_os_str().to_owned()
        };
        name.push(".checkpoints");
        name.into()
    }

    /// The checkpoint of the most entries, by its name.
    fn longest(&self) -> Option<(u64, PathBuf)> {
        let files = std::fs::read_dir(&self.folder).ok()?;
        let entries = |file: std::fs::DirEntry| {
            let name = file.file_name().into_string().ok()?;
            Some((name.strip_suffix(".json")?.split('-').next()?.parse().ok()?, file.path()))
        };
        files.flatten().filter_map(entries).max()
    }

    /// Takes a checkpoint of what is on record by now, and gives its file; `None` where the same stood there already.
    ///
    /// # Errors
    /// As [`Ledger::checkpoint`] and [`Checkpoint::save`](super::Checkpoint::save).
    pub fn take(&self, ledger: &Ledger, on: Day) -> Result<Option<PathBuf>, LedgerError> {
        let mut checkpoint = ledger.checkpoint(on)?;
        if let Some(key) = &self.key {
            checkpoint = checkpoint.sign(key)?;
        }
        // Named by what it says, so that whoever took the same one already is no obstacle.
        let hash = checkpoint.hash.get(..8).unwrap_or_default();
        let path = self.folder.join(format!("{:09}-{hash}.json", checkpoint.entries));
        match checkpoint.save(&path) {
            Ok(()) => Ok(Some(path)),
            Err(LedgerError::Checkpoint(_)) if path.exists() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_lie_beside_a_file_and_in_the_current_folder_for_a_server() {
        for (ledger, folder) in [
            ("a/ledger.sqlite", "a/ledger.sqlite.checkpoints"),
            ("postgresql://db.example:5432/care%2Fnorth", "db.example-5432-care-2Fnorth.checkpoints"),
            ("postgresql://[::1]:5432/care", "--1--5432-care.checkpoints"),
        ] {
            assert_eq!(CheckpointFolder::beside(ledger.as_ref()), Path::new(folder));
        }
    }

    #[test]
    fn a_ledger_that_became_shorter_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let day: Day = "2025-04-01".parse().unwrap();
        let entry = || crate::ledger::Draft::new("note", day);
        let ledger = Ledger::open(&path).unwrap();
        ledger.append(vec![entry(), entry()]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let kept = CheckpointFolder::open(&ledger, CheckpointFolder::beside(&path), None).unwrap();
        let taken = kept.take(&ledger, day).unwrap().unwrap();
        assert_eq!(kept.take(&ledger, day).unwrap(), None);
        drop(ledger);

        std::fs::remove_file(&path).unwrap();
        let shorter = Ledger::open(&path).unwrap();
        shorter.append(vec![entry()]).unwrap();
        let refused = CheckpointFolder::open(&shorter, CheckpointFolder::beside(&path), None).unwrap_err();
        assert!(
            matches!(&refused, LedgerError::Shorter { has: 1, had: 2, checkpoint } if *checkpoint == taken),
            "{refused}"
        );
        std::fs::write(&path, whole).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        assert!(CheckpointFolder::open(&ledger, CheckpointFolder::beside(&path), None).is_ok());
    }
}
