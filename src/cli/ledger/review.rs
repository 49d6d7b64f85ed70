//! `earlyhelp open` and `earlyhelp decide`

use earlyhelp::calendar::Day;
use earlyhelp::review::{Agreement, Reviewer, Step};

use super::{LedgerArgument, WriteArguments, Written};
use crate::cli::{Failure, Outcome, output};

/// Which case, and who looks at it.
#[derive(Debug, clap::Args)]
pub struct CaseArguments {
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
    #[command(flatten)]
    record: WriteArguments,
}

impl CaseArguments {
    fn reviewer(&self) -> Reviewer {
        Reviewer::new(&self.reviewer, &self.role)
    }

    fn on(&self) -> Day {
        self.record.on()
    }

    fn open(&self) -> Result<Written, Failure> {
        self.record.open(&self.ledger.ledger)
    }
}

/// Arguments of `earlyhelp open`.
#[derive(Debug, clap::Args)]
pub struct OpenArguments {
    #[command(flatten)]
    case: CaseArguments,
    /// What the reviewer thinks before they see the score, where the team works so.
    #[arg(long, value_name = "TEXT")]
    own_judgement: Option<String>,
    /// Print the case as JSON.
    #[arg(long)]
    json: bool,
}

pub fn open(arguments: &OpenArguments) -> Result<Outcome, Failure> {
    let of = &arguments.case;
    let record = of.open()?;
    let own = arguments.own_judgement.as_deref();
    let case = record.ledger.open_case((&of.run, of.place), of.reviewer(), own, of.on())?;
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
    case: CaseArguments,
    /// The next step. The command records it and does nothing about it.
    #[arg(long, value_enum)]
    step: NextStep,
    /// Whether the reviewer agrees with the case's place on the list.
    #[arg(long, value_enum)]
    agreement: Agrees,
    /// Why, in words.
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// The entry of the case's last decision, where this one is to take its place. Both stay on record.
    #[arg(long, value_name = "ENTRY")]
    supersedes: Option<u64>,
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
    let of = &arguments.case;
    let record = of.open()?;
    let case = record.ledger.opened_case((&of.run, of.place), of.reviewer(), of.on())?;
    let step = match arguments.step {
        NextStep::OfferSupport => Step::OfferSupport,
        NextStep::SeekInformation => Step::SeekInformation,
        NextStep::NoAction => Step::NoAction,
    };
    let agreement = match arguments.agreement {
        Agrees::Agree => Agreement::Agree,
        Agrees::Disagree => Agreement::Disagree,
        Agrees::CannotTell => Agreement::CannotTell,
    };
    let decision = case.decide(step, agreement, &arguments.reason, of.on())?;
    let entry = match arguments.supersedes {
        None => record.ledger.record_decision(&decision)?,
        Some(superseded) => record.ledger.supersede_decision(superseded, &decision)?,
    };
    record.checkpoint()?;
    output::print(&format!("On record, in entry {entry}.\n"))?;
    Ok(Outcome::Done)
}
