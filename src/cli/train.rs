//! `earlyhelp train`

use std::path::PathBuf;

use earlyhelp::model::Trainer;
use earlyhelp::outputs::json_text;
use earlyhelp::project::Project;
use earlyhelp::report::audit::{AUDIT_FILES, audit_files};
use earlyhelp::report::{evidence_text, metrics_csv, metrics_xlsx};
use earlyhelp::sql::{TableFolder, staged_people, training_data};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

/// Arguments of `earlyhelp train`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The file to write the audited model to. It cannot score until it is released. Every figure of its backtest is written
    /// beside it as MODEL.metrics.csv and MODEL.metrics.xlsx.
    #[arg(long, value_name = "MODEL.json")]
    out: PathBuf,
    /// The trainer, in place of the project's: additive, scorecard or logistic; several with commas between
    /// them, or "all", are compared on the same test cases, and one is chosen by the project's rule. The
    /// table is also written beside the model, as MODEL.comparison.csv.
    #[arg(long, value_name = "NAME[,NAME]|all")]
    trainer: Option<String>,
    /// Audit the model in depth, too, and write that into this folder: every figure of every group, proxies,
    /// what leaving a feature out would change.
    #[arg(long, value_name = "DIR", conflicts_with = "trainer")]
    audit: Option<PathBuf>,
    /// Train on features and outcomes that a database or Spark made by the texts of `earlyhelp sql`, and read no records: a folder with one folder
    /// for each training date (`2024-04-01`), in which `eh_features` and `eh_outcomes` are, and with `eh_people` and `eh_stays`, all as
    /// Parquet files. What the sources were is not known then, so scoring cannot tell whether one of them has changed since.
    #[arg(long, value_name = "DIR", conflicts_with = "audit")]
    matrix: Option<PathBuf>,
    /// Show what shares of a list's places by group would do, before and after: a file with characteristic,
    /// by (`group_size`, `expected_need` or given), reason and `approved_by`.
    #[arg(long, value_name = "SHARES.toml")]
    shares: Option<PathBuf>,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let trainers = trainers(&project, arguments.trainer.as_deref())?;
    let shares = arguments.shares.as_deref().map(output::shares).transpose()?;
    // Refused before the work, not after it.
    let mut inputs = arguments.project.inputs(&project);
    inputs.extend(arguments.shares.clone());
    let (outputs, name) = arguments.force.beside("model", &arguments.out, &inputs)?;
    let (mitigated, compared) =
        (output::with_ending(&name, "mitigation.json"), output::with_ending(&name, "comparison.csv"));
    let [table, workbook] = ["metrics.csv", "metrics.xlsx"].map(|ending| output::with_ending(&name, ending));
    let mut names = vec![name.as_str(), &table, &workbook];
    names.extend((shares.is_some() || project.training.mitigation.is_some()).then_some(mitigated.as_str()));
    names.extend((trainers.len() > 1).then_some(compared.as_str()));
    outputs.check(&names)?;
    let audited = arguments.audit.as_deref().map(|folder| arguments.force.folder("audit", folder, &inputs));
    audited.as_ref().map_or(Ok(()), |folder| folder.check(AUDIT_FILES))?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let (records, protected) = match &arguments.matrix {
        None => project.records_and_protected()?,
        Some(made) => (staged_people(&project, &TableFolder::new(made))?, project.protected()?),
    };
    let records = output::to_the_end(records);
    // Before anything can fail: what is doubtful of the records is often why.
    if arguments.matrix.is_none() {
        progress.warn(&project.training_warnings(&records));
    }
    progress.stage("features and outcomes");
    let data = match &arguments.matrix {
        None => project.training_data(&records, &protected)?,
        Some(made) => project.weighed(training_data(&project, made, &records)?, &protected)?,
    };
    let (comparison, model) = match trainers.as_slice() {
        [only] => {
            let (candidate, backtest) = project.test_on(&data, &records, only)?;
            if let Some(folder) = &audited {
                let (tested, params) = ((&candidate, &backtest), project.audit_params());
                let audit = project.full_audit(&records, &protected, tested, &params)?;
                folder.write(&audit_files(&audit, &project.name)?)?;
            }
            (None, project.audit(candidate, &backtest, &protected)?)
        }
        several => {
            let (comparison, model) = project.compare_on(&data, (&records, &protected), several)?;
            (Some(comparison), model)
        }
    };
    let trainer = model.candidate().trainer();
    let mitigation = project.mitigation_reports_on(&data, &protected, trainer, shares.as_ref())?;
    drop(progress);
    let mut files = vec![
        (name.as_str(), model.to_json()?.into_bytes()),
        (&table, metrics_csv(&model)?.into_bytes()),
        (&workbook, metrics_xlsx(&model, &project.name)?),
    ];
    if !mitigation.is_empty() {
        files.push((&mitigated, json_text(&mitigation)?.into_bytes()));
    }
    if let Some(comparison) = &comparison {
        files.push((&compared, comparison.to_csv().into_bytes()));
    }
    outputs.write(&files)?;
    let success = project.success(&model);
    if arguments.json {
        output::print_json(&json!({
            "model": model.candidate().digest(),
            "file": arguments.out,
            "training": model.candidate().training(),
            "comparison": comparison,
            "backtest": model.backtest(),
            "fairness": model.fairness(),
            "mitigation": mitigation,
            "success": success,
        }))?;
        return Ok(output::outcome_of(&records));
    }
    if let Some(comparison) = &comparison {
        output::print(&format!("Trainers on the same test cases (with 95% intervals):\n{comparison}\n"))?;
    }
    output::print(&evidence_text(&model))?;
    if let Some(card) = model.candidate().card_text() {
        output::print(&format!("\n{card}"))?;
    }
    for report in &mitigation {
        output::print(&format!("\n{report}\n"))?;
    }
    if let Some(success) = success {
        output::print(&format!("\n{success}"))?;
    }
    output::print(&format!("\nWritten to {}; `earlyhelp release` signs for it.\n", arguments.out.display()))?;
    Ok(output::outcome_of(&records))
}

/// The trainers that are asked for. The project's settings stand for the trainer that it names.
fn trainers(project: &Project, asked: Option<&str>) -> Result<Vec<Trainer>, Failure> {
    let own = &project.training.trainer;
    let named = |name: &str| {
        if name == own.name() { Some(own.clone()) } else { Trainer::by_name(name) }
    };
    let names: Vec<&str> = match asked {
        None => return Ok(vec![own.clone()]),
        Some("all") => Trainer::NAMES.to_vec(),
        Some(names) => names.split(',').map(str::trim).collect(),
    };
    let unknown = |name: &str| {
        format!("there is no trainer \"{name}\"; there are: {}, and all", Trainer::NAMES.join(", "))
    };
    names.iter().map(|name| named(name).ok_or_else(|| unknown(name).into())).collect()
}
