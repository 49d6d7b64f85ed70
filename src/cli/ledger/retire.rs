//! `earlyhelp retire`

use super::{LedgerArgument, WriteArguments};
use crate::cli::{Failure, Outcome, output};

/// Arguments of `earlyhelp retire`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// The digest of the released model, or its beginning.
    #[arg(long, value_name = "DIGEST")]
    model: String,
    /// Who retires it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "WHY")]
    reason: String,
    #[command(flatten)]
    record: WriteArguments,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let record = arguments.record.open(&arguments.ledger.ledger)?;
    record.ledger.retire(&arguments.model, &arguments.by, &arguments.reason, arguments.record.on())?;
    record.checkpoint()?;
    output::print(
        "Retired: no run can be started with it in this ledger from now on, and no case of its lists opened or decided.\n",
    )?;
    Ok(Outcome::Done)
}
