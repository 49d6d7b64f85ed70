//! A ledger that is written to, and the checkpoints that are taken after it: as the command does.

use std::path::{Path, PathBuf};

use earlyhelp::ledger::{CheckpointFolder, Ledger, SigningKey};

use crate::errors::Fault;
use crate::inputs;
use crate::today;

/// The environment variable that names the key with which checkpoints are signed.
const KEY: &str = "EARLYHELP_SIGNING_KEY";

/// A ledger that is written to, and where its checkpoints go.
pub struct Written {
    pub ledger: Ledger,
    kept: CheckpointFolder,
}

impl Written {
    /// Opens a ledger, or starts one. Where its end was cut off since the last checkpoint, nothing is written behind it.
    pub fn start(path: &Path, because: Option<String>) -> Result<Self, Fault> {
        inputs::read([path.to_owned()]);
        let ledger = Ledger::open(path)?.with_clock(today);
        let ledger = match because {
            None => ledger,
            Some(because) => ledger.dated_earlier_because(because),
        };
        let named = std::env::var_os(KEY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let key = named.map(SigningKey::load).transpose()?;
        let kept = CheckpointFolder::open(&ledger, CheckpointFolder::beside(ledger.path()), key)?;
        Ok(Self { ledger, kept })
    }

    /// Takes a checkpoint of what is on record by now.
    pub fn checkpoint(&self) -> Result<(), Fault> {
        self.kept.take(&self.ledger, today()).map(drop).map_err(|error| {
            let why = format!(
                "all is on record, but {error}; take a checkpoint by the command `earlyhelp checkpoint`"
            );
            Fault::Of(error.class(), why)
        })
    }
}
