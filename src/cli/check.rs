//! `earlyhelp check`

use std::path::{Path, PathBuf};

use earlyhelp::calendar::AsOf;
use earlyhelp::outputs::Outputs;
use earlyhelp::project::{DataQuality, ModelAtTheDoor, Project};
use earlyhelp::records::SourceChange;
use earlyhelp::report::{check_html, check_json, rejects_xlsx};
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
    /// yet), and make every test of monitoring that needs no outcome. Exit code 4: a source is not what it was, or something
    /// is beyond its limit.
    #[arg(long, value_name = "MODEL.json")]
    model: Option<PathBuf>,
    /// The date of the list that the sources are to serve, if not today (year-month-day): freshness is told for it.
    #[arg(long, value_name = "DATE")]
    as_of: Option<AsOf>,
    /// Print everything as JSON, each rejected row with it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    force: output::ForceArgument,
    /// The folder for check.html and check.json: each source in time, what is in it, and what is wrong with it. Neither
    /// holds an id or a value of a row.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write every rejected row (source, file, row, column, reason, what the cell looks like; never a value) to this file: a
    /// workbook where its name ends in .xlsx, a CSV otherwise.
    #[arg(long, value_name = "FILE.csv|xlsx")]
    rejects: Option<PathBuf>,
    /// Write each pseudonym with the id that it was made of to this new file, which its owner alone can read. Who has it
    /// needs no key.
    #[arg(long, value_name = "FILE.csv")]
    pseudonyms_back: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let as_of = arguments.as_of.unwrap_or_else(|| AsOf::new(today()));
    let model = arguments.model.as_deref().map(model).transpose()?;
    let places = Places::of(arguments, &project)?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let checked = match project.check() {
        Ok(checked) => output::to_the_end(checked),
        Err(error) => return Err(unread(&places, &project, as_of).unwrap_or(error.into())),
    };
    progress.stage("checking");
    if let Some((outputs, name)) = &places.rejects {
        let is_workbook =
            Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
        let rejects = if is_workbook { rejects_xlsx(&checked)? } else { checked.rejects_csv()?.into_bytes() };
        outputs.write(&[(name.as_str(), rejects)])?;
    }
    if let Some(path) = &arguments.pseudonyms_back {
        project.write_way_back(path)?;
        let warning = "the way back from pseudonyms to people; keep it away from the data";
        output::say(&format!("{}: {warning}", path.display()));
    }
    let (records, protected) = (checked.records(), checked.protected());
    let warnings = checked.warnings(as_of);
    let at_the_door = model.as_ref().map(|model| checked.at_the_door(model, as_of));
    let mut faults: Vec<String> = checked.faults().iter().map(ToString::to_string).collect();
    let failed = at_the_door.iter().filter_map(|said| said.failed.clone());
    faults.extend(failed.filter(|why| !faults.contains(why)).collect::<Vec<_>>());
    if let Some(folder) = &places.page {
        write_page(folder, &checked.quality(as_of, at_the_door.clone()))?;
    }
    drop(progress);
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
            "changes": at_the_door.as_ref().map(|said| &said.changes),
            "tests": at_the_door.as_ref().map(|said| &said.tests),
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
        at_the_door.as_ref().map_or(Ok(()), print_model)?;
    }
    for warning in &warnings {
        output::say(&format!("warning: {warning}"));
    }
    if !faults.is_empty() {
        return Err(faults.join("\nerror: ").into());
    }
    if at_the_door.is_some_and(|said| !said.changes.is_empty() || !said.beyond().is_empty()) {
        return Ok(Outcome::Found);
    }
    Ok(if checked.rejects().next().is_none() { Outcome::Done } else { Outcome::DoneWithRejects })
}

/// What a model says of the records.
fn print_model(said: &ModelAtTheDoor) -> Result<(), Failure> {
    for SourceChange { source, words, .. } in &said.changes {
        output::print(&format!("{source} is not what it was when the model was trained: {words}\n"))?;
    }
    if said.changes.is_empty() {
        output::print("the model's sources are what they were when it was trained\n")?;
    }
    said.beyond().iter().try_for_each(|about| output::print(&format!("beyond its limit: {about}\n")))
}

/// Where files are to be written: asked before anything is read.
struct Places {
    page: Option<Outputs>,
    rejects: Option<(Outputs, String)>,
}

impl Places {
    fn of(arguments: &Arguments, project: &Project) -> Result<Self, Failure> {
        let mut inputs = arguments.project.inputs(project);
        inputs.extend(arguments.model.clone());
        let page = arguments.out.as_deref().map(|folder| arguments.force.folder("check", folder, &inputs));
        page.as_ref().map_or(Ok(()), |page| page.check(&["check.html", "check.json"]))?;
        let rejects =
            arguments.rejects.as_deref().map(|path| arguments.force.beside("rejects", path, &inputs));
        let rejects = rejects.transpose()?;
        rejects.as_ref().map_or(Ok(()), |(outputs, name)| outputs.check(&[name]))?;
        Ok(Self { page, rejects })
    }
}

/// Writes the page, and the same as JSON.
fn write_page(folder: &Outputs, quality: &DataQuality) -> Result<(), Failure> {
    Ok(folder.write(&[("check.html", check_html(quality)?), ("check.json", check_json(quality)?)])?)
}

/// Everything for which extracts cannot be read, not just what comes first, on the page and as what the command says.
fn unread(places: &Places, project: &Project, as_of: AsOf) -> Option<Failure> {
    let faults = project.reading_faults();
    if let Some(folder) = &places.page
        && let Err(error) = write_page(folder, &DataQuality::unread(project, as_of, &faults))
    {
        return Some(error);
    }
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    (!told.is_empty()).then(|| told.join("\nerror: ").into())
}

/// A model that says what its sources were when it was trained.
fn model(path: &Path) -> Result<ModelFile, Failure> {
    let model = output::model(path)?;
    if model.candidate().training().profiles.is_empty() {
        return Err(format!(
            "{} does not say what its sources were when it was trained; train it again with this version",
            path.display()
        )
        .into());
    }
    Ok(model)
}
