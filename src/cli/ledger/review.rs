//! `earlyhelp open` and `earlyhelp decide`

use std::path::{Path, PathBuf};

use earlyhelp::review::{Agreement, DecisionFile, Reviewer, Step};

use super::{LedgerArgument, WriteArguments};
use crate::cli::{Failure, Outcome, output};

/// Arguments of `earlyhelp open`.
#[derive(Debug, clap::Args)]
pub struct OpenArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// The run whose list it is on, or the beginning of its id.
    #[arg(long, value_name = "ID")]
    run: String,
    /// The place on the list, from 1.
    #[arg(long, value_name = "N")]
    place: u32,
    /// Who looks at it.
    #[arg(long, value_name = "NAME")]
    reviewer: String,
    /// Their role.
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// What the reviewer thinks before they see the score, where the team works so.
    #[arg(long, value_name = "TEXT")]
    own_judgement: Option<String>,
    /// Print the case as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    record: WriteArguments,
}

pub fn open(arguments: &OpenArguments) -> Result<Outcome, Failure> {
    let record = arguments.record.open(&arguments.ledger.ledger)?;
    let reviewer = Reviewer::new(&arguments.reviewer, &arguments.role);
    let (listed, own) = ((&*arguments.run, arguments.place), arguments.own_judgement.as_deref());
    let case = record.ledger.open_case(listed, reviewer, own, arguments.record.on())?;
    record.checkpoint()?;
    if arguments.json {
        output::print(&format!("{}\n", case.to_json()?))?;
    } else {
        output::print(&case.in_words())?;
    }
    Ok(Outcome::Done)
}

/// Arguments of `earlyhelp decide`.
#[derive(Debug, clap::Args)]
pub struct DecideArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// Put the decisions of this file on record, as the list's page saves them: each with its opening, all of them or none.
    #[arg(long, value_name = "DECISIONS.json", conflicts_with_all = ["run", "place", "reviewer", "role", "step", "agreement", "reason_code", "reason", "supersedes", "on"])]
    file: Option<PathBuf>,
    /// The run whose list it is on, or the beginning of its id.
    #[arg(long, value_name = "ID", required_unless_present = "file")]
    run: Option<String>,
    /// The place on the list, from 1.
    #[arg(long, value_name = "N", required_unless_present = "file")]
    place: Option<u32>,
    /// Who decides.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    reviewer: Option<String>,
    /// Their role.
    #[arg(long, value_name = "ROLE", required_unless_present = "file")]
    role: Option<String>,
    /// The next step. The command records it and does nothing about it.
    #[arg(long, value_enum, required_unless_present = "file")]
    step: Option<NextStep>,
    /// Whether the reviewer agrees with the case's place on the list.
    #[arg(long, value_enum, required_unless_present = "file")]
    agreement: Option<Agrees>,
    /// The reason in the council's own list, where the project has one (`[review]`).
    #[arg(long, value_name = "CODE")]
    reason_code: Option<String>,
    /// Why, in words.
    #[arg(long, value_name = "WHY", required_unless_present = "file")]
    reason: Option<String>,
    /// The entry of the case's last decision, where this one is to take its place. Both stay on record.
    #[arg(long, value_name = "ENTRY")]
    supersedes: Option<u64>,
    #[command(flatten)]
    record: WriteArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum NextStep {
    OfferSupport,
    SeekInformation,
    NoAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Agrees {
    Agree,
    Disagree,
    CannotTell,
}

pub fn decide(arguments: &DecideArguments) -> Result<Outcome, Failure> {
    if let Some(path) = &arguments.file {
        return submit(arguments, path);
    }
    let given = (&arguments.run, arguments.place, &arguments.reviewer, &arguments.role, &arguments.reason);
    let ((Some(run), Some(place), Some(name), Some(role), Some(reason)), Some(step), Some(agreement)) =
        (given, arguments.step, arguments.agreement)
    else {
        return Err("say which case, who decides, and what, or give a file of decisions".into());
    };
    let record = arguments.record.open(&arguments.ledger.ledger)?;
    let on = arguments.record.on();
    let case = record.ledger.opened_case((run, place), Reviewer::new(name, role), on)?;
    let step = match step {
        NextStep::OfferSupport => Step::OfferSupport,
        NextStep::SeekInformation => Step::SeekInformation,
        NextStep::NoAction => Step::NoAction,
    };
    let agreement = match agreement {
        Agrees::Agree => Agreement::Agree,
        Agrees::Disagree => Agreement::Disagree,
        Agrees::CannotTell => Agreement::CannotTell,
    };
    let mut decision = case.decide(step, agreement, reason, on)?;
    if let Some(code) = &arguments.reason_code {
        decision = decision.coded(code);
    }
    let entry = match arguments.supersedes {
        None => record.ledger.record_decision(&decision)?,
        Some(superseded) => record.ledger.supersede_decision(superseded, &decision)?,
    };
    record.checkpoint()?;
    output::print(&format!("On record, in entry {entry}.\n"))?;
    Ok(Outcome::Done)
}

/// The decisions of a file.
fn submit(arguments: &DecideArguments, path: &Path) -> Result<Outcome, Failure> {
    let file = DecisionFile::from_json(&output::settings(path)?)?;
    let record = arguments.record.open(&arguments.ledger.ledger)?;
    let entries = record.ledger.submit(&file)?;
    record.checkpoint()?;
    for (place, entry) in &entries {
        output::print(&format!("Place {place}: on record, in entry {entry}.\n"))?;
    }
    Ok(Outcome::Done)
}
