//! `earlyhelp check`

use std::path::PathBuf;

use earlyhelp::records::{Records, Reject};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};
use earlyhelp::project::Project;

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
    let mut project = Project::load(&arguments.project.project)?;
    // Too many rejects end a run, but this command is there to show them.
    let limit = std::mem::replace(&mut project.reject_limit, 1.0);
    let mut progress = Progress::start("reading");
    let records = project.records(|source, rows| progress.rows(source, rows))?;
    let protected = project.protected()?;
    drop(progress);
    if let Some(path) = &arguments.rejects {
        output::write(path, &rejects_csv(records.rejects())?)?;
    }
    if arguments.json {
        output::print_json(&report(&records, &protected))?;
    } else {
        output::print(&output::intake(&records))?;
        output::print(&format!("\n{} people in {} families\n", records.people(), records.families()))?;
        if let Some(intake) = protected.intake() {
            output::print(&format!(
                "protected characteristics (for fairness checks alone): {} rows read, {} accepted, {} rejected\n",
                intake.read, intake.accepted, intake.rejected
            ))?;
        }
    }
    project.features()?.check(&records)?;
    for &as_of in &project.training.as_of {
        project.cohort(&records, as_of)?;
    }
    if let Some(over) = records.intake().iter().find(|intake| intake.rejected_share() > limit) {
        return Err(format!(
            "source {}: {} of {} rows were rejected, over the limit of {:.1}%; mend the extract or the mapping, \
             or raise reject_limit",
            over.source,
            over.rejected,
            over.read,
            limit * 100.0
        )
        .into());
    }
    let rejected = records.rejects().len() + protected.rejects().len();
    Ok(if rejected == 0 { Outcome::Done } else { Outcome::DoneWithRejects })
}

fn report(records: &Records, protected: &earlyhelp::fairness::Protected) -> serde_json::Value {
    let sources: Vec<_> = records
        .sources()
        .map(|(name, coverage, events)| json!({ "source": name, "coverage": coverage, "events": events }))
        .collect();
    json!({
        "intake": records.intake(),
        "protected": protected.intake(),
        "sources": sources,
        "people": records.people(),
        "families": records.families(),
        "rejects": records.rejects().iter().chain(protected.rejects()).collect::<Vec<_>>(),
    })
}

fn rejects_csv(rejects: &[Reject]) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["source", "file", "row", "column", "reason"])?;
    for reject in rejects {
        writer.write_record([
            reject.source.as_str(),
            reject.file.as_deref().unwrap_or_default(),
            &reject.row.to_string(),
            reject.column.as_deref().unwrap_or_default(),
            reject.reason.code(),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
