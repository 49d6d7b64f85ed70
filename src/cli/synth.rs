//! `earlyhelp synth`

use std::path::PathBuf;

use earlyhelp::synthetic::{CouncilParams, Format};

use super::progress::Progress;
use super::{Failure, Outcome, output};

/// Arguments of `earlyhelp synth`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// How many children live there: 1,000 to 1,500,000.
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=1_500_000))]
    children: u32,
    /// The same seed gives the same council.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Attendance records of each child in a term: 1 to 75, one for each equal part of it. What a child misses stays the same.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "layout", value_parser = clap::value_parser!(u32).range(1..=75))]
    attendance_records: u32,
    /// The form of the extracts.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// Damage some rows, as in real extracts.
    #[arg(long)]
    dirty: bool,
    /// Whom the project scores.
    #[arg(long, value_enum, default_value_t = super::Scored::Person)]
    unit: super::Scored,
    /// Write comma-separated tables of this layout, and no project: `earlyhelp init --layout` drafts one. There is `ssd`.
    #[arg(long, value_name = "LAYOUT", value_parser = ["ssd"], conflicts_with_all = ["dirty", "format"])]
    layout: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Csv,
    Parquet,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let progress = Progress::start("inventing a council");
    let council = CouncilParams::new(arguments.children, arguments.seed)
        .dirty(arguments.dirty)
        .attendance(arguments.attendance_records)
        .families(arguments.unit == super::Scored::Family)
        .generate()?;
    progress.stage("writing extracts");
    let outputs = arguments.force.folder("council", &arguments.out, &[]);
    if arguments.layout.is_some() {
        council.write_ssd(&outputs)?;
        drop(progress);
        output::print(&format!("{}\n", arguments.out.display()))?;
        return Ok(Outcome::Done);
    }
    let format = match arguments.format {
        Form::Csv => Format::Csv,
        Form::Parquet => Format::Parquet,
    };
    let project = council.write(&outputs, format)?;
    drop(progress);
    output::print(&format!("{}\n", project.display()))?;
    Ok(Outcome::Done)
}
