//! `earlyhelp monitor`

use std::path::{Path, PathBuf};

use earlyhelp::calendar::AsOf;
use earlyhelp::error::ScoringError;
use earlyhelp::monitor::{Monitor, MonitorParams};
use earlyhelp::project::Project;
use earlyhelp::scoring::{AuditedModel, Scorer};

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

/// Arguments of `earlyhelp monitor`.
#[derive(Debug, clap::Args)]
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
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
    /// The folder for monitor.json and monitor.txt.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = Project::load(&arguments.project.project)?;
    let model = Model::read(&arguments.model)?;
    let params = match &arguments.limits {
        None => MonitorParams { seed: project.seed, ..MonitorParams::default() },
        Some(path) => toml::from_str(&output::read(path)?)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let mut progress = Progress::start("reading");
    let records = project.records(|source, rows| progress.rows(source, rows))?;
    progress.stage("comparing with training");
    let report = model.monitor().run(&records, arguments.as_of, &params)?;
    drop(progress);
    let json = serde_json::to_string_pretty(&report)? + "\n";
    let text = format!("{report}\n");
    if let Some(folder) = &arguments.out {
        output::write(&folder.join("monitor.json"), &json)?;
        output::write(&folder.join("monitor.txt"), &text)?;
    }
    output::print(if arguments.json { &json } else { &text })?;
    Ok(output::outcome_of(&records))
}

/// A model file of either kind.
enum Model {
    Released(Box<Scorer>),
    Audited(Box<AuditedModel>),
}

impl Model {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = output::read(path)?;
        match Scorer::from_json(&text) {
            Ok(scorer) => Ok(Self::Released(Box::new(scorer))),
            // Not a released model: an audited one, or the reason why it is neither.
            Err(ScoringError::File(_)) => Ok(Self::Audited(Box::new(AuditedModel::from_json(&text)?))),
            Err(error) => Err(error.into()),
        }
    }

    fn monitor(&self) -> Monitor<'_> {
        match self {
            Self::Released(scorer) => Monitor::new(scorer),
            Self::Audited(model) => Monitor::audited(model),
        }
    }
}
