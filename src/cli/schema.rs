//! `earlyhelp schema`

use earlyhelp::project::Project;
use earlyhelp::service::Service;

use super::{Failure, Outcome, output};

/// Arguments of `earlyhelp schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keep it beside the project: earlyhelp schema > project.schema.json. The project's first line then tells editors that know \
TOML (taplo, Even Better TOML) where it is:

    #:schema ./project.schema.json")]
pub struct Arguments {
    /// Print the schema of the questions that `earlyhelp serve` answers.
    #[arg(long)]
    service: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let schema = if arguments.service { Service::json_schema() } else { Project::json_schema() };
    output::print_json(&schema)?;
    Ok(Outcome::Done)
}
