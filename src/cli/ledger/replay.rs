//! `earlyhelp replay`

use std::path::PathBuf;

use earlyhelp::ledger::ReplayOf;

use super::LedgerArgument;
use crate::cli::progress::Progress;
use crate::cli::{ExtractsArgument, Failure, Outcome, output};

const AFTER_HELP: &str = "\
Scores and contributions are computed again from the released model and the inputs that the ledger holds, \
and compared to the bit, and so is all that a listed case was shown with: band, reasons, words. The ledger is verified \
first. With --project it goes back to the extracts: cohort, features, scores and ranks.

Exit code 4: a case came out otherwise, or none could be made again.";

/// Arguments of `earlyhelp replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// Only the run whose id starts so.
    #[arg(long, value_name = "ID", conflicts_with = "sample")]
    run: Option<String>,
    /// So many cases drawn at random over all runs.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// The same seed draws the same sample.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Go back to the extracts of this project.
    #[arg(long, value_name = "PROJECT.toml")]
    project: Option<PathBuf>,
    #[command(flatten)]
    extracts: ExtractsArgument,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open_to_read()?;
    let of = match (&arguments.run, arguments.sample) {
        (Some(run), _) => ReplayOf::Run(run.clone()),
        (None, Some(cases)) => ReplayOf::Sample { cases, seed: arguments.seed },
        (None, None) => ReplayOf::Everything,
    };
    let progress = Progress::start("reading");
    let records = match &arguments.project {
        None => None,
        Some(path) => Some(arguments.extracts.load(path)?.on_progress(progress.watch()).records()?),
    };
    progress.stage("making past scores again");
    let replay = ledger.replay(&of, records.as_ref())?;
    drop(progress);
    if arguments.json {
        output::print_json(&replay)?;
    } else {
        output::print(&replay.to_string())?;
    }
    Ok(if replay.is_faithful() { Outcome::Done } else { Outcome::Found })
}
