//! `earlyhelp monitor`

use std::path::PathBuf;

use earlyhelp::calendar::AsOf;
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
    let outputs =
        arguments.out.as_deref().map(|folder| arguments.force.folder("monitoring", folder, &inputs));
    outputs.as_ref().map_or(Ok(()), |outputs| outputs.check(&["monitor.json", "monitor.txt"]))?;
    let progress = Progress::start("reading");
    let records = project.on_progress(progress.watch()).records()?;
    progress.stage("comparing with training");
    let watch = match &model {
        ModelFile::Released(scorer) => Monitor::new(scorer),
        ModelFile::Audited(model) => Monitor::audited(model),
    };
    let report = watch.run(&records, arguments.as_of, &params)?;
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
