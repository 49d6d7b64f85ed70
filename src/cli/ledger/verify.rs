//! `earlyhelp verify` and `earlyhelp checkpoint`

use std::path::PathBuf;

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{Checkpoint, LedgerError, PublicKey, SigningKey};

use super::LedgerArgument;
use crate::cli::{Failure, Outcome, output, today};

const AFTER_HELP: &str = "\
Every entry is hashed with the one before it, so a change, a removal, an insertion or another order shows; \
the first entry that it concerns is named. Content that was purged leaves the chain whole.

A chain cannot tell that its newest entries were cut off together with every mention of them. A checkpoint \
that was written elsewhere before can. Exit code 4: something was found.";

/// Arguments of `earlyhelp verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct VerifyArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// A checkpoint that was taken before: the ledger must still hold everything up to it.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The public key with which the checkpoint must be signed.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    public_key: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub fn verify(arguments: &VerifyArguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open()?;
    let checkpoint = match &arguments.checkpoint {
        None => None,
        Some(path) => Some(Checkpoint::load(path)?),
    };
    if let (Some(checkpoint), Some(path)) = (&checkpoint, &arguments.public_key) {
        checkpoint.verify(&PublicKey::load(path)?)?;
    }
    let found = match ledger.verify(checkpoint.as_ref()) {
        // What is wrong lies outside the entries: a finding all the same.
        Err(error @ LedgerError::Damaged { .. }) => {
            output::print(&format!("{error}\n"))?;
            return Ok(Outcome::Found);
        }
        found => found?,
    };
    if arguments.json {
        output::print_json(&found)?;
    } else {
        output::print(&format!("{found}\n"))?;
        if let (Some(checkpoint), None) = (&checkpoint, &found.finding) {
            let signed = if arguments.public_key.is_some() {
                "its signature is right"
            } else {
                "its signature was not checked"
            };
            output::print(&format!(
                "It agrees with the checkpoint of {} entries of {}; {signed}.\n",
                checkpoint.entries, checkpoint.on
            ))?;
        }
    }
    if found.unfinished > 0 {
        eprintln!(
            "warning: {} bytes of a write that was interrupted, or of entries that were cut off; a checkpoint tells \
             which",
            found.unfinished
        );
    }
    Ok(if found.finding.is_none() && found.unfinished == 0 { Outcome::Done } else { Outcome::Found })
}

/// Arguments of `earlyhelp checkpoint`.
#[derive(Debug, clap::Args)]
pub struct CheckpointArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// The new file to write the checkpoint to: best kept where whoever keeps the ledger cannot write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Sign it with this key.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Make a key first: it is written to the file of --key, and its public half beside it as FILE.pub.
    #[arg(long, requires = "key")]
    new_key: bool,
    /// The day, if not today.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
}

pub fn checkpoint(arguments: &CheckpointArguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open()?;
    // Nobody should sign for a chain that does not hold.
    let found = ledger.verify(None)?;
    if found.finding.is_some() {
        output::print(&format!("{found}\n"))?;
        return Ok(Outcome::Found);
    }
    let mut checkpoint = ledger.checkpoint(arguments.on.unwrap_or_else(today))?;
    if let Some(path) = &arguments.key {
        if arguments.new_key {
            let key = SigningKey::generate()?;
            key.save(path)?;
            output::write(&path.with_added_extension("pub"), &format!("{}\n", key.public()))?;
        }
        checkpoint = checkpoint.sign(&SigningKey::load(path)?)?;
    }
    checkpoint.save(&arguments.out)?;
    output::print(&format!("{} entries; written to {}\n", checkpoint.entries, arguments.out.display()))?;
    Ok(Outcome::Done)
}
