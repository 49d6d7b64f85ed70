//! `earlyhelp verify` and `earlyhelp checkpoint`

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{Checkpoint, CheckpointFolder, Head, LedgerError, PublicKey, SigningKey};
use earlyhelp::review::Witness;

use super::LedgerArgument;
use crate::cli::{Failure, Outcome, output, today};

const AFTER_HELP: &str = "\
Every entry is hashed with the one before it, and is held against those before it: was the case opened that was \
decided, is the model the one that was signed for, did the list still hold. The first entry that does not fit is named. \
Content that was purged leaves the chain whole.

What this cannot see by itself: whoever can write the ledger can write all of it anew, or cut off its end, and hash it \
afresh. Only what was kept elsewhere tells: a checkpoint, or a list that left the house. `release`, `score`, `open`, \
`decide` and the other commands that write take checkpoints into LEDGER.checkpoints; copy them to where whoever keeps \
the ledger cannot write. Those beside the ledger are compared, too, and prove less: they lie where it lies.

Exit codes: 0 it holds, and agrees with what was kept elsewhere; 4 something was found; 5 it holds, but nothing from \
elsewhere was given to compare it with.";

/// Arguments of `earlyhelp verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct VerifyArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// A checkpoint that was kept elsewhere, or a folder of them: the ledger must lead to each. May be given several times.
    #[arg(long, value_name = "FILE or DIR")]
    checkpoint: Vec<PathBuf>,
    /// The list of a recorded run (list.json): it must say what the ledger holds, and the ledger must lead to its witness. Its
    /// sentences (`says`) follow from the rest and are not compared. May be given several times.
    #[arg(long, value_name = "list.json")]
    list: Vec<PathBuf>,
    /// The witness of a list as it is printed on its page: a number, a colon and 64 digits. May be given several times.
    #[arg(long, value_name = "N:HASH")]
    witness: Vec<Witness>,
    /// The public key with which every checkpoint must be signed.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    public_key: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub fn verify(arguments: &VerifyArguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open_to_read()?;
    let mut kept = Vec::new();
    for path in &arguments.checkpoint {
        let held = checkpoints_in(path)?;
        if held.is_empty() {
            return Err(format!("there is no checkpoint in {}", path.display()).into());
        }
        kept.extend(held);
    }
    if let Some(path) = &arguments.public_key {
        let key = PublicKey::load(path)?;
        kept.iter().try_for_each(|checkpoint| checkpoint.verify(&key))?;
    }
    for path in &arguments.list {
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx")) {
            return Err(format!(
                "{} is a workbook, which does not hold the whole list: give list.json, or by --witness what stands under \
                 \"On record\" on its first sheet",
                path.display()
            )
            .into());
        }
        match ledger.compare_list(&output::read(path)?) {
            Ok(witness) => kept.push(witness),
            Err(error @ (LedgerError::List(_) | LedgerError::NoRun(_))) => {
                output::print(&format!("{}: {error}\n", path.display()))?;
                return Ok(Outcome::Found);
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Every ledger leads to its beginning, and to what lies beside it.
    let own = CheckpointFolder::beside(ledger.path()).canonicalize().ok();
    let is_beside = |path: &PathBuf| {
        own.is_some()
            && path
                .canonicalize()
                .ok()
                .is_some_and(|path| Some(&path) == own.as_ref() || path.parent() == own.as_deref())
    };
    let from_elsewhere = kept.iter().any(|checkpoint| checkpoint.entries > 0)
        && (!arguments.list.is_empty() || arguments.checkpoint.iter().any(|path| !is_beside(path)))
        || arguments.witness.iter().any(|witness| witness.entries > 0);
    let head = |of: &Witness| Head { entries: of.entries, hash: of.hash.clone() };
    kept.extend(arguments.witness.iter().map(|witness| Checkpoint::of(&head(witness), today())));
    let found = match ledger.verify(&kept) {
        // What is wrong lies outside the entries: a finding all the same.
        Err(error @ LedgerError::Damaged { .. }) => {
            output::print(&format!("{error}\n"))?;
            return Ok(Outcome::Found);
        }
        found => found?,
    };
    let folder = CheckpointFolder::beside(ledger.path());
    let lie_beside = if folder.is_dir() { checkpoints_in(&folder)? } else { Vec::new() };
    // Those vouch for nothing, since they lie where the ledger lies; but a careless hand forgets them.
    let found = match &found.finding {
        None if !lie_beside.is_empty() => {
            let beside = ledger.verify(&lie_beside)?;
            if beside.finding.is_some() { beside } else { found }
        }
        _ => found,
    };
    if arguments.json {
        output::print_json(&found)?;
    } else {
        output::print(&format!("{found}\n"))?;
        if found.finding.is_none() {
            let beside = (!lie_beside.is_empty()).then_some(&folder);
            say_what_it_rests_on(arguments, (from_elsewhere, !kept.is_empty()), beside)?;
        }
    }
    if found.unfinished > 0 {
        output::say(&format!(
            "warning: {} bytes of a write that was interrupted, or of entries that were cut off; a checkpoint tells \
             which. The next command that writes to the ledger takes an interrupted write out: do again what was interrupted",
            found.unfinished
        ));
    }
    Ok(if found.finding.is_some() || found.unfinished > 0 {
        Outcome::Found
    } else if !from_elsewhere {
        Outcome::NothingToCompare
    } else {
        Outcome::Done
    })
}

/// What a ledger that holds was compared with, and what that proves.
fn say_what_it_rests_on(
    arguments: &VerifyArguments,
    (from_elsewhere, is_given): (bool, bool),
    beside: Option<&PathBuf>,
) -> Result<(), Failure> {
    if !from_elsewhere && is_given {
        output::print(
            "What was given lies beside the ledger, or says nothing of its entries: this compares it with nothing from elsewhere.\n",
        )?;
    }
    if let Some(folder) = beside.filter(|_| !from_elsewhere) {
        output::print(&format!(
            "What lies in {} agrees with it, and proves little: whoever rewrote the ledger could have rewritten that, too.\n",
            folder.display()
        ))?;
    }
    if !arguments.list.is_empty() {
        output::print(
            "Of the lists everything was compared but their sentences (`says`), which follow from the rest.\n",
        )?;
    }
    if !arguments.checkpoint.is_empty() {
        output::print(match arguments.public_key {
            Some(_) => "The signatures of the checkpoints that were given are right.\n",
            None => "Signatures were not checked: give --public-key.\n",
        })?;
    }
    Ok(())
}

/// The checkpoint of a file, or those in a folder.
fn checkpoints_in(path: &Path) -> Result<Vec<Checkpoint>, Failure> {
    if !path.is_dir() {
        return Ok(vec![Checkpoint::load(path)?]);
    }
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut files = Vec::new();
    for file in std::fs::read_dir(path).map_err(cannot)? {
        // What is left out could be the one that tells: a file that is no checkpoint is an error.
        let file = file.map_err(cannot)?.path();
        if file.file_name().is_none_or(|name| !name.as_encoded_bytes().starts_with(b".")) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files.iter().map(Checkpoint::load).collect::<Result<_, _>>()?)
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
    let ledger = arguments.ledger.open_to_read()?;
    // Nobody should sign for a chain that does not hold.
    let found = ledger.verify(&[])?;
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
