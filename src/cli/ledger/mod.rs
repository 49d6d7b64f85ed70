//! The commands over a ledger: verify, replay, log, and what people and auditors do with its entries.

pub mod account;
pub mod person;
pub mod replay;
pub mod retire;
pub mod review;
pub mod verify;

use std::path::PathBuf;

use earlyhelp::ledger::Ledger;

use super::Failure;

/// The ledger that a command reads or writes.
#[derive(Debug, clap::Args)]
pub struct LedgerArgument {
    /// The ledger: an SQLite file, or JSON lines where its name ends in .jsonl.
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
}

impl LedgerArgument {
    fn open(&self) -> Result<Ledger, Failure> {
        Ok(Ledger::open_existing(&self.ledger)?)
    }
}
