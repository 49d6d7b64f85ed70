//! `earlyhelp train`

use std::path::PathBuf;

use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

/// Arguments of `earlyhelp train`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The file to write the audited model to. It cannot score until it is released.
    #[arg(long, value_name = "MODEL.json")]
    out: PathBuf,
    /// The trainer, in place of the project's: logistic.
    #[arg(long, value_name = "NAME")]
    trainer: Option<String>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = Project::load(&arguments.project.project)?;
    let trainer = match &arguments.trainer {
        // The project's settings stand where they are of the trainer that is asked for.
        Some(name) if name != project.training.trainer.name() => Trainer::by_name(name)
            .ok_or_else(|| format!("there is no trainer \"{name}\"; there is: logistic"))?,
        _ => project.training.trainer.clone(),
    };
    let mut progress = Progress::start("reading");
    let records = project.records(|source, rows| progress.rows(source, rows))?;
    let protected = project.protected()?;
    let model = project.train(&records, &protected, &trainer, |stage| progress.stage(stage))?;
    drop(progress);
    output::write(&arguments.out, &model.to_json()?)?;
    if arguments.json {
        output::print_json(&json!({
            "model": model.candidate().digest(),
            "file": arguments.out,
            "training": model.candidate().training(),
            "backtest": model.backtest(),
            "fairness": model.fairness(),
        }))?;
    } else {
        output::print(&output::evidence(&model))?;
        output::print(&format!(
            "\nWritten to {}; `earlyhelp release` signs for it.\n",
            arguments.out.display()
        ))?;
    }
    Ok(output::outcome_of(&records))
}
