//! `earlyhelp explain`

use std::path::PathBuf;

use earlyhelp::report::{AnyModel, model_curves, model_html, model_json};

use super::{Failure, Outcome, output};

const AFTER_HELP: &str = "\
Example: earlyhelp explain model.json --out model.html

Without --out or --json it prints the terms, the most important first: the mean size of what each adds to \
a score (in log-odds), by how much the error of the backtest (log loss) rises without it, and the share of \
the backtest's lists that would stay the same.";

/// Arguments of `earlyhelp explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// A model as `earlyhelp train` or `earlyhelp release` wrote it.
    #[arg(value_name = "MODEL.json")]
    model: PathBuf,
    /// The page to write: every term as a table and a curve, with the evidence behind the model.
    #[arg(long, value_name = "MODEL.html")]
    out: Option<PathBuf>,
    /// A folder for the curve of each term as an SVG file, 01.svg for the most important: for slides and papers.
    #[arg(long, value_name = "DIR")]
    curves: Option<PathBuf>,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = output::model(&arguments.model)?;
    let model = AnyModel::from(&file);
    if let Some(path) = &arguments.out {
        let (outputs, name) =
            arguments.force.beside("model page", path, std::slice::from_ref(&arguments.model))?;
        outputs.write(&[(name.as_str(), model_html(model)?)])?;
    }
    if let Some(folder) = &arguments.curves {
        let outputs = arguments.force.folder("curves", folder, std::slice::from_ref(&arguments.model));
        let curves = model_curves(model)?;
        let files: Vec<(&str, &str)> =
            curves.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        outputs.write(&files)?;
    }
    match (&arguments.out, arguments.json) {
        (_, true) => output::print_made_json(&model_json(model)?)?,
        (Some(path), false) => output::print(&format!("Written to {}\n", path.display()))?,
        (None, false) => output::print(&table(model))?,
    }
    Ok(Outcome::Done)
}

/// The terms by importance, figures first: names are long.
fn table(model: AnyModel<'_>) -> String {
    let mut tables = model.candidate().tables();
    tables.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    let mut text = format!(
        "Model {}: {}\n\n{:>10}  {:>30}  {:>9}  term\n",
        &model.candidate().digest()[..12],
        model.candidate().outcome().words,
        "importance",
        "log loss without (95%)",
        "list kept"
    );
    for table in tables {
        let without = model.backtest().terms.iter().find(|term| term.on == table.on);
        let loss = without.and_then(|term| term.log_loss_without.as_ref());
        let loss = loss.map_or_else(
            || "-".to_owned(),
            |loss| {
                let interval = loss.interval;
                format!("{:+.5} ({:+.5} to {:+.5})", loss.value, interval.low, interval.high)
            },
        );
        let kept = without.map_or_else(|| "-".to_owned(), |term| format!("{:.0}%", 100.0 * term.list_kept));
        let name = table.labels.join(" with ");
        text.push_str(&format!("{:>10.3}  {loss:>30}  {kept:>9}  {name}\n", table.importance));
    }
    text
}
