//! `earlyhelp check`

use std::path::PathBuf;

use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

/// Arguments of `earlyhelp check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// Print everything as JSON, each rejected row with it.
    #[arg(long)]
    json: bool,
    /// Write every rejected row (source, file, row, column, reason; never a value) to this CSV file.
    #[arg(long, value_name = "FILE.csv")]
    rejects: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = super::load(&arguments.project.project)?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let checked = project.check()?;
    drop(progress);
    if let Some(path) = &arguments.rejects {
        output::write(path, &checked.rejects_csv()?)?;
    }
    let (records, protected) = (checked.records(), checked.protected());
    let warnings = checked.warnings();
    let faults: Vec<String> = checked.faults().iter().map(ToString::to_string).collect();
    if arguments.json {
        let sources: Vec<_> = records
            .sources()
            .map(|(name, coverage, events)| {
                let found = records.days_found(name);
                json!({ "source": name, "coverage": coverage, "found": found, "events": events })
            })
            .collect();
        output::print_json(&json!({
            "intake": records.intake(),
            "protected": protected.intake(),
            "sources": sources,
            "people": records.people(),
            "families": records.families(),
            "remarks": records.remarks(),
            "rejects": checked.rejects().collect::<Vec<_>>(),
            "warnings": warnings,
            "errors": faults,
        }))?;
    } else {
        output::print(&output::intake(records))?;
        output::print(&output::remarks(records))?;
        output::print(&format!("\n{} people in {} families\n", records.people(), records.families()))?;
        if let Some(intake) = protected.intake() {
            output::print(&format!(
                "protected characteristics (for fairness checks alone): {} rows read, {} accepted, {} rejected\n",
                intake.read, intake.accepted, intake.rejected
            ))?;
        }
    }
    warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    if !faults.is_empty() {
        return Err(faults.join("\nerror: ").into());
    }
    Ok(if checked.rejects().next().is_none() { Outcome::Done } else { Outcome::DoneWithRejects })
}
