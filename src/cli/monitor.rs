//! `earlyhelp monitor`

use std::path::PathBuf;

use earlyhelp::calendar::AsOf;
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::ledger::Ledger;
use earlyhelp::monitor::{Monitor, MonitorParams, Verdict};
use earlyhelp::outputs::json_text;
use earlyhelp::scoring::ModelFile;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

const AFTER_HELP: &str = "\
Each check has a stated limit and comes out as within, beyond, or cannot tell. The command changes nothing and \
stops nothing. Exit code 4: something is beyond its limit.";

/// Arguments of `earlyhelp monitor`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The model: released, or audited and not released yet.
    #[arg(long, value_name = "MODEL.json")]
    model: PathBuf,
    /// The date that the training dates are compared with (year-month-day).
    #[arg(long, value_name = "DATE")]
    as_of: AsOf,
    /// A TOML file with limits other than the defaults, for instance `limits = { auc_fall = 0.03 }`.
    #[arg(long, value_name = "LIMITS.toml")]
    limits: Option<PathBuf>,
    /// Tell of what was decided about the model's cases, too, as this ledger has it up to the date: how often people disagreed
    /// with the list, by group and by the reasons that led a case.
    #[arg(long, value_name = "LEDGER")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
    /// The folder for monitor.json and monitor.txt.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let model = output::model(&arguments.model)?;
    let params = match &arguments.limits {
        None => MonitorParams { seed: project.seed, ..MonitorParams::default() },
        Some(path) => toml::from_str(&output::settings(path)?)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let mut inputs = arguments.project.inputs(&project);
    inputs.push(arguments.model.clone());
    inputs.extend(arguments.limits.clone());
    inputs.extend(arguments.ledger.clone());
    let outputs =
        arguments.out.as_deref().map(|folder| arguments.force.folder("monitoring", folder, &inputs));
    outputs.as_ref().map_or(Ok(()), |outputs| outputs.check(&["monitor.json", "monitor.txt"]))?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    // Read with the records where they are asked for, so that all queries of the run see a database at one moment.
    let (records, protected) = if arguments.ledger.is_some() {
        let (records, protected) = project.records_and_protected()?;
        (records, Some(protected))
    } else {
        (project.records()?, None)
    };
    progress.stage("comparing with training");
    let watch = match &model {
        ModelFile::Released(scorer) => Monitor::new(scorer),
        ModelFile::Audited(model) => Monitor::audited(model),
    };
    let mut report = watch.run(&records, arguments.as_of, &params)?;
    if let Some(path) = &arguments.ledger {
        let ModelFile::Released(scorer) = &model else {
            return Err("a model that is not released has no decisions on record; leave out --ledger".into());
        };
        let ledger = Ledger::open_to_read(path)?;
        // Groups and reasons of fewer decisions are not told of.
        let minimum = AuditParams::at_release().minimum;
        let on = arguments.as_of.day();
        let account = ledger.account_of_model(scorer.digest(), protected.as_ref(), minimum, on)?;
        report = report.with_decisions(&account);
    }
    drop(progress);
    let json = json_text(&report)?;
    let text = format!("{report}\n");
    if let Some(outputs) = &outputs {
        outputs.write(&[("monitor.json", &json), ("monitor.txt", &text)])?;
    }
    if arguments.json {
        output::print_made_json(&json)?;
    } else {
        output::print(&text)?;
    }
    Ok(if report.verdict == Verdict::Beyond { Outcome::Found } else { output::outcome_of(&records) })
}
