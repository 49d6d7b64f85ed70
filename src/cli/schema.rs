//! `earlyhelp schema`

use earlyhelp::project::Project;

use super::{Failure, Outcome, output};

/// Arguments of `earlyhelp schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keep it beside the project: earlyhelp schema > project.schema.json. The project's first line then tells editors that know \
TOML (taplo, Even Better TOML) where it is:

    #:schema ./project.schema.json")]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<Outcome, Failure> {
    output::print_json(&Project::json_schema())?;
    Ok(Outcome::Done)
}
