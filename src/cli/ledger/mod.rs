//! The commands over a ledger: verify, replay, log, and what people and auditors do with its entries.

pub mod account;
pub mod copy;
pub mod person;
pub mod replay;
pub mod retire;
pub mod review;
pub mod schema;
pub mod verify;

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{CheckpointFolder, Ledger, SigningKey};

use super::output::say;
use super::{Failure, today};

/// The ledger that a command reads or writes.
#[derive(Debug, clap::Args)]
pub struct LedgerArgument {
    /// The ledger: an SQLite file, JSON lines where its name ends in .jsonl, or a PostgreSQL database (`postgresql://HOST/DATABASE`).
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
}

impl LedgerArgument {
    fn open_to_read(&self) -> Result<Ledger, Failure> {
        Ok(Ledger::open_to_read(&self.ledger)?)
    }
}

/// The environment variable that names the key with which checkpoints are signed.
const KEY: &str = "EARLYHELP_SIGNING_KEY";

/// The day of what is put on record, and the checkpoint that is taken after it.
#[derive(Debug, clap::Args)]
pub struct WriteArguments {
    /// The day, if not today. The ledger keeps the day of this machine's clock beside it, and `verify` shows where the two
    /// differ.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// Why the day lies before that of the ledger's last entry. It stays on record, so it must not name a person.
    #[arg(long, value_name = "WHY")]
    because: Option<String>,
    #[command(flatten)]
    keep: KeepArguments,
}

/// Where checkpoints of a ledger that is written to are kept.
#[derive(Debug, clap::Args)]
pub struct KeepArguments {
    /// The folder for the checkpoint that is taken when all is on record, if not the one beside the ledger, LEDGER.checkpoints (of
    /// a ledger on a server, HOST-PORT-DATABASE.checkpoints in the current folder).
    /// Copy checkpoints to where whoever keeps the ledger cannot write: without one, nobody can tell whether it was
    /// rewritten.
    #[arg(long, value_name = "DIR")]
    checkpoints: Option<PathBuf>,
    /// Sign the checkpoint with this key, if not with the one that the environment variable `EARLYHELP_SIGNING_KEY` names.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl WriteArguments {
    /// The day.
    pub fn on(&self) -> Day {
        self.on.unwrap_or_else(today)
    }

    /// Opens a ledger to write to; there must be one.
    pub fn open(&self, path: &Path) -> Result<Written, Failure> {
        self.dated(Ledger::open_existing(path)?)
    }

    /// Opens a ledger to write to, or starts one.
    pub fn start(&self, path: &Path) -> Result<Written, Failure> {
        self.dated(Ledger::open(path)?)
    }

    fn dated(&self, ledger: Ledger) -> Result<Written, Failure> {
        let ledger = ledger.with_clock(today);
        let ledger = match &self.because {
            None => ledger,
            Some(because) => ledger.dated_earlier_because(because),
        };
        let kept = self.keep.kept(&ledger)?;
        Ok(Written { ledger, kept })
    }
}

impl KeepArguments {
    /// Where checkpoints of this ledger go, which is as long as it was when the last one was taken.
    pub fn kept(&self, ledger: &Ledger) -> Result<Kept, Failure> {
        let named = || std::env::var_os(KEY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let key = self.key.clone().or_else(named).map(SigningKey::load).transpose()?;
        let folder = self.checkpoints.clone().unwrap_or_else(|| CheckpointFolder::beside(ledger.path()));
        Ok(Kept(CheckpointFolder::open(ledger, folder, key)?))
    }
}

/// A ledger that is written to, and where its checkpoints go.
pub struct Written {
    pub ledger: Ledger,
    kept: Kept,
}

impl Written {
    /// Takes a checkpoint of what is on record by now.
    pub fn checkpoint(&self) -> Result<(), Failure> {
        self.kept.checkpoint(&self.ledger)
    }
}

/// Where checkpoints of a ledger go.
pub struct Kept(CheckpointFolder);

impl Kept {
    /// Takes a checkpoint of what is on record by now.
    pub fn checkpoint(&self, ledger: &Ledger) -> Result<(), Failure> {
        let taken = self.0.take(ledger, today());
        let taken = taken
            .map_err(|error| format!("all is on record, but {error}; take one by `earlyhelp checkpoint`"))?;
        if let Some(path) = taken {
            say(&format!(
                "checkpoint: {} (copy it to where whoever keeps the ledger cannot write)",
                path.display()
            ));
        }
        Ok(())
    }
}
