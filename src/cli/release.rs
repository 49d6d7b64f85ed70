//! `earlyhelp release`

use std::path::PathBuf;

use earlyhelp::calendar::Day;
use earlyhelp::scoring::{AuditedModel, SignOff};

use super::ledger::WriteArguments;
use super::{Failure, Outcome, output};

/// Arguments of `earlyhelp release`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The audited model that `earlyhelp train` wrote.
    #[arg(value_name = "MODEL.json")]
    model: PathBuf,
    /// Who signs.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Their role.
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// What scores may be used for; scoring for anything else is refused.
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// The last day on which it may score without having been reviewed (year-month-day).
    #[arg(long, value_name = "DATE")]
    review_by: Day,
    /// The file to write the released model to.
    #[arg(long, value_name = "RELEASED.json")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Put model and release on record in this ledger.
    #[arg(long, value_name = "LEDGER")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    record: WriteArguments,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let inputs: Vec<PathBuf> = [&arguments.model].into_iter().chain(&arguments.ledger).cloned().collect();
    let (outputs, name) = arguments.force.beside("released model", &arguments.out, &inputs)?;
    outputs.check(&[&name])?;
    let model = AuditedModel::from_json(&output::read(&arguments.model)?)?;
    let sign_off = SignOff {
        by: arguments.by.clone(),
        role: arguments.role.clone(),
        purpose: arguments.purpose.clone(),
        signed_on: arguments.record.on(),
        review_by: arguments.review_by,
    };
    let registered = model.clone();
    let scorer = model.release(sign_off)?;
    if let Some(path) = &arguments.ledger {
        let signed_on = scorer.sign_off().signed_on;
        let record = arguments.record.start(path)?;
        record.ledger.register(&registered, &arguments.by, signed_on)?;
        record.ledger.record_release(&scorer, signed_on)?;
        record.checkpoint()?;
    }
    outputs.write(&[(name.as_str(), scorer.to_json()?)])?;
    let SignOff { by, role, purpose, signed_on, review_by } = scorer.sign_off();
    output::print(&format!("{}  {}\n", scorer.digest(), arguments.out.display()))?;
    output::print(&format!(
        "Released by {by} ({role}) on {signed_on} for \"{purpose}\"; it may score until {review_by}, and is then to be reviewed.\n"
    ))?;
    Ok(Outcome::Done)
}
