//! `earlyhelp simulate`

use std::path::PathBuf;

use earlyhelp::calendar::{AsOf, Horizon};
use earlyhelp::evaluate::Capacity;
use earlyhelp::project::SimulationParams;
use earlyhelp::report::{simulation_csv, simulation_html, simulation_json, simulation_text, simulation_xlsx};
use earlyhelp::review::Among;
use earlyhelp::scoring::Scorer;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

const AFTER_HELP: &str = "\
Nothing is put on record and no list comes out: there is no id in what is written. Dates whose outcomes the model was \
trained on are drawn as well and told apart, since they flatter it.";

/// Arguments of `earlyhelp simulate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The released model.
    #[arg(long, value_name = "RELEASED.json")]
    model: PathBuf,
    /// The date of the first list (year-month-day).
    #[arg(long, value_name = "DATE")]
    from: AsOf,
    /// No list is of a later date.
    #[arg(long, value_name = "DATE")]
    to: AsOf,
    /// From each list to the next: "1 month", "14 days".
    #[arg(long, value_name = "SPAN", default_value = "1 month")]
    every: Horizon,
    /// How many places a list has; without it, as many as the project's `capacity` says. Half and twice as many are told beside
    /// it; repeat it to name the lengths yourself, the one to be told in detail first.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Vec<u32>,
    /// Give places only to those whom no service knows already, by the project's `[[known_to]]`.
    #[arg(long)]
    not_known: bool,
    /// Deal the places to groups of a protected characteristic, as `score --shares` does.
    #[arg(long, value_name = "SHARES.toml")]
    shares: Option<PathBuf>,
    /// The folder for simulation.html, simulation.csv, simulation.xlsx and simulation.json. Without it a short text is printed, and no more.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    force: output::ForceArgument,
}

/// The names of a simulation's files.
const FILES: [&str; 4] = ["simulation.html", "simulation.csv", "simulation.xlsx", "simulation.json"];

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let scorer = Scorer::from_json(&output::read(&arguments.model)?)?;
    let mut inputs = arguments.project.inputs(&project);
    inputs.push(arguments.model.clone());
    inputs.extend(arguments.shares.clone());
    let out = arguments.out.as_deref().map(|folder| arguments.force.folder("simulation", folder, &inputs));
    out.as_ref().map_or(Ok(()), |out| out.check(&FILES))?;
    let mut params = SimulationParams {
        every: arguments.every,
        shares: arguments.shares.as_deref().map(output::shares).transpose()?,
        ..SimulationParams::new(arguments.from, arguments.to)
    }
    .capacities(arguments.capacity.iter().map(|&places| Capacity::Cases(places)));
    if arguments.not_known {
        params.among = Among::NotKnown;
    }
    // Before anything is read: a slip of the pen should not cost an hour.
    params.dates()?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let records = project.records()?;
    let simulation = project.simulate(&records, &scorer, &params)?;
    let [page, table, workbook, json] = FILES;
    if let Some(out) = &out {
        out.write(&[
            (page, simulation_html(&simulation)?.into_bytes()),
            (table, simulation_csv(&simulation)?.into_bytes()),
            (workbook, simulation_xlsx(&simulation)?),
            (json, simulation_json(&simulation)?.into_bytes()),
        ])?;
    }
    drop(progress);
    output::print(&simulation_text(&simulation))?;
    Ok(output::outcome_of(&records))
}
