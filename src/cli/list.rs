//! `earlyhelp list`

use std::path::PathBuf;

use earlyhelp::sql::TableFolder;

use super::score::{self, FromTable};
use super::{Failure, Outcome};

/// Arguments of `earlyhelp list`.
#[derive(Debug, clap::Args)]
#[group(skip)] // there is one of the name in what is flattened
#[command(after_help = "\
Nothing of the table is believed that the records deny: scores, contributions, bands and ranks are made again of its features, and \
the features of every case that is shown, and of the others or a sample of them, are computed again from the records. What \
differs by more than 1e-12 is refused.")]
pub struct Arguments {
    /// The folder with `eh_features`, `eh_contributions` and `eh_scores` as Parquet files, or as folders of their parts: what the texts of
    /// `earlyhelp sql` made.
    #[arg(long, value_name = "DIR")]
    scored: PathBuf,
    /// Read the records from the staged tables in this folder, and not from the project's extracts.
    #[arg(long, value_name = "DIR")]
    staged: Option<PathBuf>,
    /// Compute the features of so many cases again, drawn by lot, and not of all; of each case that is shown they always are.
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
    #[command(flatten)]
    drawing: score::Arguments,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let made = TableFolder::new(&arguments.scored);
    let staged = arguments.staged.as_ref().map(TableFolder::new);
    let table = FromTable { made: &made, staged: staged.as_ref(), sample: arguments.sample };
    score::draw(&arguments.drawing, Some(&table))
}
