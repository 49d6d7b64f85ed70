//! `earlyhelp audit-model`

use std::path::PathBuf;

use earlyhelp::report::audit::{AUDIT_FILES, audit_files, audit_text};

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

const AFTER_HELP: &str = "\
The model's backtest is run again, and its test cases are audited: every figure of every group; how well each \
feature tells protected groups; which term carries a difference between groups; what leaving a feature out \
would change; and, where the project says which records mean help, outcomes among those helped and not, and how \
many referrals came from the model's own list.

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
    /// The folder for audit.html, audit.csv, audit.xlsx, audit.json and proxies.txt.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let model = output::model(&arguments.model)?;
    let candidate = model.candidate();
    let mut inputs = arguments.project.inputs(&project);
    inputs.push(arguments.model.clone());
    let outputs = arguments.force.folder("audit", &arguments.out, &inputs);
    outputs.check(AUDIT_FILES)?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let (records, protected) = project.records_and_protected()?;
    let records = output::to_the_end(records);
    let backtest = project.backtest(&records, &protected, candidate)?;
    let mut params = project.audit_params();
    params.intersections = arguments.intersections;
    let audit = project.full_audit(&records, &protected, (candidate, &backtest), &params)?;
    drop(progress);
    outputs.write(&audit_files(&audit, &project.name)?)?;
    if arguments.json {
        output::print_json(&audit)?;
    } else {
        output::print(&audit_text(&audit.audit))?;
        output::print(&format!("\n{}\n", audit.carriers))?;
        if let Some(label) = &audit.label {
            output::print(&format!("\n{label}\n"))?;
        }
        output::print(&format!("Written to {}\n", arguments.out.display()))?;
    }
    Ok(output::outcome_of(&records))
}
