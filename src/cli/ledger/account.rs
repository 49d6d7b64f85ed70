//! `earlyhelp log`

use std::path::PathBuf;

use earlyhelp::calendar::Day;
use earlyhelp::outputs::json_text;
use earlyhelp::report;

use super::LedgerArgument;
use crate::cli::{ExtractsArgument, Failure, Outcome, output, today};

/// Arguments of `earlyhelp log`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// Count by group, too, of the protected characteristics of this project.
    #[arg(long, value_name = "PROJECT.toml")]
    project: Option<PathBuf>,
    #[command(flatten)]
    extracts: ExtractsArgument,
    /// Groups of fewer alerts are held back.
    #[arg(long, value_name = "N", default_value_t = 10)]
    min_n: u32,
    /// Count up to this day, if not today.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// Write every decision with its reasons to this file, which holds what was written of people: a table (.csv or .xlsx), or
    /// data (.json).
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print the account as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open_to_read()?;
    let protected = match &arguments.project {
        None => None,
        Some(path) => Some(arguments.extracts.load(path)?.protected()?),
    };
    let on = arguments.on.unwrap_or_else(today);
    if let Some(path) = &arguments.decisions {
        let inputs: Vec<PathBuf> =
            [&arguments.ledger.ledger].into_iter().chain(&arguments.project).cloned().collect();
        let (outputs, name) = arguments.force.beside("decisions", path, &inputs)?;
        outputs.check(&[&name])?;
        let decisions = ledger.decisions(on)?;
        let text = match path
            .extension()
            .map(std::ffi::OsStr::to_ascii_lowercase)
            .as_ref()
            .and_then(|ending| ending.to_str())
        {
            Some("csv") => report::decisions_csv(&decisions)?.into_bytes(),
            Some("xlsx") => report::decisions_xlsx(&decisions)?,
            Some("json") => json_text(&decisions)?.into_bytes(),
            _ => return Err("decisions are written as .csv, .xlsx or .json".into()),
        };
        outputs.write(&[(name.as_str(), text)])?;
    }
    let account = ledger.account(protected.as_ref(), arguments.min_n, on)?;
    if arguments.json {
        output::print_json(&account)?;
    } else {
        output::print(&format!("{account}\n"))?;
    }
    Ok(Outcome::Done)
}
