//! `earlyhelp init`

use std::path::{Path, PathBuf};

use earlyhelp::outputs::{Outputs, Over};
use earlyhelp::project::{DraftParams, Layout, Project};

use super::progress::Progress;
use super::{Failure, Outcome, output, today};

/// Arguments of `earlyhelp init`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder of extracts: every table in it and in the folders in it is looked into.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The project file to write; FOLDER/project.toml without it. One that is there is never written over.
    #[arg(long, value_name = "PROJECT.toml")]
    out: Option<PathBuf>,
    /// The files are of this layout: `ssd`, `annex-a`, `ssda903` or `csc-census`.
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// Also write project.schema.json beside the project file, which names it in its first line: an editor then completes
    /// and checks the file.
    #[arg(long)]
    schema: bool,
}

/// Whether a folder is another one or in it.
fn below(folder: &Path, other: &Path) -> bool {
    let real = |folder: &Path| folder.canonicalize().ok();
    real(folder).zip(real(other)).is_some_and(|(folder, other)| folder.starts_with(other))
}

/// The file beside a project by which an editor checks it.
const SCHEMA: &str = "project.schema.json";

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let out = arguments.out.clone().unwrap_or_else(|| arguments.folder.join("project.toml"));
    if out.exists() {
        return Err(format!(
            "{} is there already, and is not written over; give another --out",
            out.display()
        )
        .into());
    }
    let to = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !to.is_dir() {
        return Err(format!("there is no folder {}; make it first", to.display()).into());
    }
    let (outputs, name) = Outputs::beside(&out)?;
    let outputs = outputs.over(Over::Nothing);
    let mut params = DraftParams::new(&arguments.folder).read_on(today());
    if let Some(layout) = arguments.layout {
        params = params.layout(layout);
    }
    let progress = Progress::start("reading");
    let draft = params.draft(to)?;
    drop(progress);
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&Project::json_schema())? + "\n";
        let text = format!("#:schema ./{SCHEMA}\n{}", draft.text());
        outputs.write(&[(name.as_str(), text), (SCHEMA, schema)])?;
    } else {
        outputs.write(&[(name.as_str(), draft.text())])?;
    }
    draft.account().iter().try_for_each(|line| output::print(&format!("{line}\n")))?;
    output::print(&format!(
        "\n{}\n{} comments marked \"# DECIDE:\" ask for a decision. Then: earlyhelp check {}{}\n",
        out.display(),
        draft.decisions(),
        out.display(),
        if below(&arguments.folder, to) {
            String::new()
        } else {
            format!(" --may-read {}", arguments.folder.display())
        }
    ))?;
    Ok(Outcome::Done)
}
