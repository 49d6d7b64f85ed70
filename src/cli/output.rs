//! What several commands print or write.

use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::fairness::CapacityShares;
use earlyhelp::limits;
use earlyhelp::outputs::{Outputs, Over, json_text, printable, printable_json};
use earlyhelp::records::{Intake, Records, Remark, summarise};
use earlyhelp::scoring::ModelFile;
use serde::Serialize;

use super::{Failure, Outcome};

/// Prints a text to stdout, without what a terminal would obey. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    put_out(&printable(text))
}

pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    put_out(&json_text(value)?)
}

/// Prints what is JSON already.
pub fn print_made_json(json: &str) -> Result<(), Failure> {
    put_out(&printable_json(json))
}

fn put_out(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Says something on stderr, without what a terminal would obey.
pub fn say(text: &str) {
    // Where nobody can be told, what was done is done all the same.
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
}

/// Over what a command may write.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ForceArgument {
    /// Write over files of these names that this command did not write there, or that were changed since. What the command
    /// reads is never written over.
    #[arg(long)]
    force: bool,
}

impl ForceArgument {
    /// Files of a kind in a folder.
    pub fn folder(self, kind: &str, folder: &Path, inputs: &[PathBuf]) -> Outputs {
        Outputs::folder(folder)
            .kind(kind)
            .over(if self.force { Over::Anything } else { Over::Own })
            .apart_from(inputs.iter().cloned())
    }

    /// A file, with others beside it.
    pub fn beside(self, kind: &str, path: &Path, inputs: &[PathBuf]) -> Result<(Outputs, String), Failure> {
        let (_, name) = Outputs::beside(path)?;
        Ok((self.folder(kind, path.parent().unwrap_or(Path::new("")), inputs), name))
    }
}

/// The name of a file beside another: `model.json`, `comparison.csv` gives `model.comparison.csv`.
pub fn with_ending(name: &str, ending: &str) -> String {
    Path::new(name).with_extension(ending).to_string_lossy().into_owned()
}

/// Writes a file, over nothing but what was written there before.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let (outputs, name) = Outputs::beside(path)?;
    Ok(outputs.write(&[(name.as_str(), text)])?)
}

/// The text of a model file, or of another that may be as large.
pub fn read(path: &Path) -> Result<String, Failure> {
    read_within(path, limits::MODEL_BYTES)
}

/// The text of a file of settings.
pub fn settings(path: &Path) -> Result<String, Failure> {
    read_within(path, limits::SETTINGS_BYTES)
}

fn read_within(path: &Path, most: u64) -> Result<String, Failure> {
    Ok(limits::read_text(path, most).map_err(|error| format!("cannot read {}: {error}", path.display()))?)
}

/// A model file of either kind.
pub fn model(path: &Path) -> Result<ModelFile, Failure> {
    Ok(ModelFile::from_json(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// A file that says how places are dealt to groups.
pub fn shares(path: &Path) -> Result<CapacityShares, Failure> {
    let shares = toml::from_str(&settings(path)?);
    Ok(shares.map_err(|error| format!("{} does not say how places are dealt: {error}", path.display()))?)
}

/// Keeps what is read until the process ends: the system takes all memory back at once, and to give it back piece by piece
/// takes as long as to read a tenth of it.
pub fn to_the_end<T>(held: T) -> ManuallyDrop<T> {
    ManuallyDrop::new(held)
}

/// Warns of rejected rows on stderr, and says how the command ended.
pub fn outcome_of(records: &Records) -> Outcome {
    let rejected: u64 = records.intake().iter().map(|intake| intake.rejected).sum();
    if rejected == 0 {
        return Outcome::Done;
    }
    say(&format!("warning: {rejected} rows were rejected; `earlyhelp check` shows which and why"));
    Outcome::DoneWithRejects
}

/// What is remarkable about rows that are used; empty where nothing is.
pub fn remarks(records: &Records) -> String {
    let line =
        |remark: &Remark| format!("{:<16} {:>10} {}\n", remark.source, remark.rows, remark.kind.words());
    let lines: String = records.remarks().iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\nworth a look:\n{lines}") }
}

/// Rows of every source, and the days it is declared to hold beside those that its records name.
pub fn intake(records: &Records) -> String {
    let day = |day: Option<Day>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let mut text = format!("{:<16} {:>10} {:>10} {:>9}\n", "source", "read", "accepted", "rejected");
    for Intake { source, read, accepted, rejected, .. } in records.intake() {
        text.push_str(&format!("{source:<16} {read:>10} {accepted:>10} {rejected:>9}\n"));
    }
    text.push_str(&format!(
        "\n{:<16} {:<34}  {:<22}  {}\n{:<16} {:<10}  {:<10}  {:<10}  {:<10}  {:<10}  {:<10}  {}\n",
        "",
        "declared",
        "found: happened",
        "became known",
        "",
        "from",
        "to",
        "updated",
        "first",
        "last",
        "first",
        "last"
    ));
    for (name, coverage, _) in records.sources() {
        let found = records.days_found(name);
        text.push_str(&format!(
            "{name:<16} {:<10}  {:<10}  {:<10}  {:<10}  {:<10}  {:<10}  {}\n",
            day(coverage.from),
            day(coverage.to),
            day(coverage.updated),
            day(found.map(|found| found.first_occurred)),
            day(found.map(|found| found.last_occurred)),
            day(found.map(|found| found.first_known)),
            day(found.map(|found| found.last_known)),
        ));
    }
    for (source, column, reason, count) in summarise(records.rejects()) {
        let column = column.map_or_else(String::new, |column| format!(", column {column}"));
        text.push_str(&format!("  {count} of {source}{column}: {} ({reason})\n", reason.words()));
    }
    text
}
