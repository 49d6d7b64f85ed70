//! `earlyhelp init`

use std::path::{Path, PathBuf};

use earlyhelp::project::{DraftParams, Layout};

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
    /// The files are of this layout: `ssd`, `annex-a` or `ssda903`.
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
}

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
    let mut params = DraftParams::new(&arguments.folder).read_on(today());
    if let Some(layout) = arguments.layout {
        params = params.layout(layout);
    }
    let progress = Progress::start("reading");
    let draft = params.draft(to)?;
    drop(progress);
    output::write_new(&out, draft.text())?;
    draft.account().iter().try_for_each(|line| output::print(&format!("{line}\n")))?;
    output::print(&format!(
        "\n{}\n{} comments marked \"# DECIDE:\" ask for a decision. Then: earlyhelp check {}\n",
        out.display(),
        draft.decisions(),
        out.display()
    ))?;
    Ok(Outcome::Done)
}
