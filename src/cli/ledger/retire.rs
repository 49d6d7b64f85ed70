//! `earlyhelp retire`

use earlyhelp::calendar::Day;

use super::LedgerArgument;
use crate::cli::{Failure, Outcome, output, today};

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
    /// The day, if not today.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open()?;
    let on = arguments.on.unwrap_or_else(today);
    ledger.retire(&arguments.model, &arguments.by, &arguments.reason, on)?;
    output::print("Retired: no run can be started with it in this ledger from now on.\n")?;
    Ok(Outcome::Done)
}
