//! `earlyhelp ledger-schema`

use earlyhelp::ledger::POSTGRES_SCHEMA;

use crate::cli::{Failure, Outcome, output};

const AFTER_HELP: &str = "\
Run once by somebody who may make roles and schemas, in the database that is to hold the ledger:

  earlyhelp ledger-schema | psql -v ON_ERROR_STOP=1 DATABASE

Then give each login one of the roles: earlyhelp_writer to those who score, open and decide, earlyhelp_reader to auditors, and \
earlyhelp_owner to the few who purge.";

/// Arguments of `earlyhelp ledger-schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<Outcome, Failure> {
    output::print(POSTGRES_SCHEMA)?;
    Ok(Outcome::Done)
}
