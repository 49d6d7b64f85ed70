//! `earlyhelp audit-model`

use std::path::{Path, PathBuf};

use earlyhelp::project::{FullAudit, Project};
use earlyhelp::report::audit::{audit_csv, audit_html, audit_text};

use super::explain::Model;
use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

const AFTER_HELP: &str = "\
The model's backtest is run again, and its test cases are audited: every figure of every group; how well each \
feature tells protected groups; which term carries a difference between groups; what leaving a feature out \
would change; and, where the project says which records mean help, outcomes among those helped and not.

`earlyhelp train --audit DIR` writes the same while training. Scores of other programs: `earlyhelp audit`.";

/// Arguments of `earlyhelp audit-model`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The model: released, or audited and not released yet.
    #[arg(long, value_name = "MODEL.json")]
    model: PathBuf,
    /// How many characteristics to combine: 1 for none, 2 for every pair.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    intersections: u32,
    /// The folder for audit.html, audit.csv, audit.json and proxies.txt.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = Project::load(&arguments.project.project)?;
    let model = Model::read(&arguments.model)?;
    let candidate = model.any().candidate();
    let mut progress = Progress::start("reading");
    let records = project.records(|source, rows| progress.rows(source, rows))?;
    let protected = project.protected()?;
    progress.stage("backtest");
    let backtest = project.backtest(&records, &protected, candidate)?;
    let mut params = project.audit_params();
    params.intersections = arguments.intersections;
    let stage = |stage: &str| progress.stage(stage);
    let audit = project.full_audit(&records, (candidate, &backtest), &protected, &params, stage)?;
    drop(progress);
    write_full(&audit, &project.name, &arguments.out)?;
    if arguments.json {
        output::print_json(&audit)?;
    } else {
        output::print(&audit_text(&audit.audit))?;
        output::print(&format!("\n{}\nWritten to {}\n", audit.carriers, arguments.out.display()))?;
    }
    Ok(output::outcome_of(&records))
}

/// Writes an audit in depth in every form.
pub fn write_full(full: &FullAudit, title: &str, folder: &Path) -> Result<(), Failure> {
    output::write(&folder.join("audit.html"), &audit_html(&full.audit, title, None)?)?;
    output::write(&folder.join("audit.csv"), &audit_csv(&full.audit)?)?;
    output::write(&folder.join("audit.json"), &(serde_json::to_string_pretty(full)? + "\n"))?;
    let mut text = format!("{}\n\n{}\n\n{}\n", full.proxies, full.carriers, full.ablation);
    if let Some(label) = &full.label {
        text.push_str(&format!("\n{label}\n"));
    }
    output::write(&folder.join("proxies.txt"), &text)
}
