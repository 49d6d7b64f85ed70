//! `earlyhelp ledger-copy`

use std::path::PathBuf;

use earlyhelp::ledger::Ledger;

use crate::cli::{Failure, Outcome, output};

const AFTER_HELP: &str = "\
Every entry is taken over as it is, to the byte, so that the chain ends in the same hash: checkpoints and lists that were kept of \
the one hold for the other. What was purged is not there to be copied. Both are verified. All is copied or nothing.

Exit code 4: the first ledger does not hold, and nothing was copied.";

/// Arguments of `earlyhelp ledger-copy`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// The ledger to copy: an SQLite file, JSON lines where its name ends in .jsonl, or a PostgreSQL database
    /// (`postgresql://HOST/DATABASE`).
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// The ledger to copy it into, which has no entries or is not there yet.
    #[arg(value_name = "TO")]
    to: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let from = Ledger::open_to_read(&arguments.from)?;
    let found = from.verify(&[])?;
    if found.finding.is_some() {
        output::print(&format!("{found}\n"))?;
        return Ok(Outcome::Found);
    }
    let to = Ledger::open(&arguments.to)?;
    let head = to.copy_from(&from)?;
    output::print(&format!(
        "{} entries in {}, which ends in the same hash: {}\n",
        head.entries,
        to.path().display(),
        head.hash
    ))?;
    Ok(Outcome::Done)
}
