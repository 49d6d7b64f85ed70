//! A ledger that is written to, and the checkpoints that are taken after it: as the command does.

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::error::Class;
use earlyhelp::ledger::{Ledger, LedgerError, SigningKey};

use crate::errors::Fault;
use crate::today;

/// The environment variable that names the key with which checkpoints are signed.
const KEY: &str = "EARLYHELP_SIGNING_KEY";

/// A ledger that is written to, and where its checkpoints go.
pub struct Written {
    pub ledger: Ledger,
    folder: PathBuf,
    key: Option<SigningKey>,
}

impl Written {
    /// Opens a ledger, or starts one. Where its end was cut off since the last checkpoint, nothing is written behind it.
    pub fn start(path: &Path, because: Option<String>) -> Result<Self, Fault> {
        let ledger = Ledger::open(path)?.with_clock(today);
        let ledger = match because {
            None => ledger,
            Some(because) => ledger.dated_earlier_because(because),
        };
        let named = std::env::var_os(KEY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let key = named.map(SigningKey::load).transpose()?;
        let mut folder = ledger.path().as_os_str().to_owned();
        folder.push(".checkpoints");
        let folder = PathBuf::from(folder);
        // Before anything is put on record: what cannot be kept should not first be found out then.
        std::fs::create_dir_all(&folder).map_err(|error| {
            let why = format!("cannot make the folder for checkpoints {}: {error}", folder.display());
            Fault::Of(Class::Ours, why)
        })?;
        let written = Self { ledger, folder, key };
        written.is_as_long_as_it_was()?;
        Ok(written)
    }

    fn is_as_long_as_it_was(&self) -> Result<(), Fault> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Ok(()) };
        let taken = files.flatten().filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let entries: u64 = name.strip_suffix(".json")?.split('-').next()?.parse().ok()?;
            Some((entries, file.path()))
        });
        let has = self.ledger.head()?.entries;
        match taken.max() {
            Some((entries, path)) if entries > has => Err(Fault::Of(
                Class::Refused,
                format!(
                    "the ledger has {has} entries, and {} was taken when it had {entries}: its end was cut off, or it is another ledger of \
                     that name; nothing was written (see the command `earlyhelp verify`)",
                    path.display()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Takes a checkpoint of what is on record by now.
    pub fn checkpoint(&self) -> Result<(), Fault> {
        let day: Day = today();
        let mut checkpoint = self.ledger.checkpoint(day)?;
        if let Some(key) = &self.key {
            checkpoint = checkpoint.sign(key)?;
        }
        // Named by what it says, so that whoever took the same one already is no obstacle.
        let hash = checkpoint.hash.get(..8).unwrap_or_default();
        let path = self.folder.join(format!("{:09}-{hash}.json", checkpoint.entries));
        match checkpoint.save(&path) {
            Ok(()) => Ok(()),
            Err(LedgerError::Checkpoint(_)) if path.exists() => Ok(()),
            Err(error) => {
                let why = format!(
                    "all is on record, but {error}; take a checkpoint by the command `earlyhelp checkpoint`"
                );
                Err(Fault::Of(error.class(), why))
            }
        }
    }
}
