//! `earlyhelp check`

use std::path::PathBuf;

use earlyhelp::calendar::AsOf;
use earlyhelp::records::{Records, SourceChange};
use earlyhelp::scoring::ModelFile;
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output, today};

/// Arguments of `earlyhelp check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// Also compare the sources with what they were when this model was trained (released, or audited and not released
    /// yet). Exit code 4: one is not what it was.
    #[arg(long, value_name = "MODEL.json")]
    model: Option<PathBuf>,
    /// The date of the list that the sources are to serve, if not today (year-month-day).
    #[arg(long, value_name = "DATE", requires = "model")]
    as_of: Option<AsOf>,
    /// Print everything as JSON, each rejected row with it.
    #[arg(long)]
    json: bool,
    /// Write every rejected row (source, file, row, column, reason; never a value) to this CSV file.
    #[arg(long, value_name = "FILE.csv")]
    rejects: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
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
    let changes = changes(arguments, records)?;
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
            "changes": changes,
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
    if let (Some(changes), false) = (&changes, arguments.json) {
        for change in changes {
            let SourceChange { source, words, .. } = change;
            output::print(&format!("{source} is not what it was when the model was trained: {words}\n"))?;
        }
        if changes.is_empty() {
            output::print("the model's sources are what they were when it was trained\n")?;
        }
    }
    warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    if !faults.is_empty() {
        return Err(faults.join("\nerror: ").into());
    }
    if changes.is_some_and(|changes| !changes.is_empty()) {
        return Ok(Outcome::Found);
    }
    Ok(if checked.rejects().next().is_none() { Outcome::Done } else { Outcome::DoneWithRejects })
}

/// In what the sources are not what they were when the model was trained, where one is given.
fn changes(arguments: &Arguments, records: &Records) -> Result<Option<Vec<SourceChange>>, Failure> {
    let Some(path) = &arguments.model else { return Ok(None) };
    let model = output::model(path)?;
    let candidate = match &model {
        ModelFile::Released(scorer) => scorer.candidate(),
        ModelFile::Audited(model) => model.candidate(),
    };
    if candidate.training().profiles.is_empty() {
        return Err(format!(
            "{} does not say what its sources were when it was trained; train it again with this version",
            path.display()
        )
        .into());
    }
    let as_of = arguments.as_of.unwrap_or_else(|| AsOf::new(today()));
    Ok(Some(candidate.changed_sources(&records.as_of(as_of))))
}
