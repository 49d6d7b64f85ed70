//! `earlyhelp sql`

use std::path::PathBuf;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::sql::{Dialect, RawTables, SqlError, StagedTable, Texts};

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output, today};

/// Arguments of `earlyhelp sql`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The texts make tables whose names begin with eh_: run them in the order of their names in the database that holds the staged \
tables, which 1_staging.sql describes. eh_scores is a scored table and no list: nothing may be done with it but to draw a list \
for people to review.")]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The released model. Without one the features and the outcome of the project are written: what a model is to be trained on.
    #[arg(long, value_name = "RELEASED.json")]
    model: Option<PathBuf>,
    /// The date: nothing that became known on it or later is used (year-month-day).
    #[arg(long, value_name = "DATE")]
    as_of: AsOf,
    /// The engine: duckdb, postgresql, spark or sqlserver.
    #[arg(long, value_name = "DIALECT")]
    dialect: Dialect,
    /// The day on which scores are asked for [default: today].
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// The folder for the texts.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The database holds the raw tables: also write views that make the staged tables of them, as far as views can say what the
    /// mapping asks. Then `--staged` writes only the tables that have no view.
    #[arg(long)]
    views: bool,
    /// Also read the extracts, and write the staged tables into that folder as Parquet files.
    #[arg(long)]
    staged: bool,
    #[command(flatten)]
    force: output::ForceArgument,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let scorer = arguments
        .model
        .as_deref()
        .map(|path| -> Result<_, Failure> { Ok(Scorer::from_json(&output::read(path)?)?) });
    let scorer = scorer.transpose()?;
    let mut inputs = arguments.project.inputs(&project);
    inputs.extend(arguments.model.clone());
    let out = arguments.force.folder("sql", &arguments.out, &inputs);
    let date = (arguments.as_of, arguments.dialect);
    let own;
    let spec = if let Some(scorer) = &scorer {
        scorer.candidate().features()
    } else {
        own = project.features()?;
        &own
    };
    let texts = Texts::of_project(&project, spec, date)?;
    let (request, mut no_outcome) = (scorer.as_ref().map(|scorer| asked(scorer, arguments)), None);
    let texts = match scorer.as_ref().zip(request.as_ref()) {
        Some((scorer, request)) => texts.scored_by(scorer, request)?,
        None => match texts.with_outcome(&project.outcome) {
            Ok(texts) => texts,
            // The features of such a date can be written, and nobody can be told what follows it.
            Err(SqlError::Outcome(why)) => {
                no_outcome = Some(why);
                Texts::of_project(&project, spec, date)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    let texts = if arguments.views { texts.with_views(RawTables::of_project(&project)) } else { texts };
    let scripts = texts.scripts();
    let mut files: Vec<(String, Vec<u8>)> =
        scripts.into_iter().map(|script| (script.name.to_owned(), script.text.into_bytes())).collect();
    let mut outcome = Outcome::Done;
    if arguments.staged {
        files.extend(
            texts.file_scripts().into_iter().map(|script| (script.name.to_owned(), script.text.into_bytes())),
        );
        let progress = Progress::start("reading");
        let watched = project.clone().on_progress(progress.watch());
        let records = output::to_the_end(watched.records()?);
        progress.stage("staging");
        let has_view =
            |table: &StagedTable| texts.views().any(|(name, unsaid)| name == table.name && unsaid.is_empty());
        for table in texts.staged_tables(&records)?.into_iter().filter(|table| !has_view(table)) {
            files.push((format!("{}.parquet", table.name), table.into_parquet()?));
        }
        drop(progress);
        outcome = output::outcome_of(&records);
    }
    let named: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    out.write(&named)?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    output::print(&format!("{}: {}\n", arguments.out.display(), names.join(", ")))?;
    for (table, unsaid) in texts.views().filter(|(_, unsaid)| !unsaid.is_empty()) {
        output::print(&format!("{table} has no view ({}); `--staged` makes it\n", unsaid.join(", ")))?;
    }
    if let Some(why) = no_outcome {
        output::print(&format!("5_outcomes.sql is not among them: {why}\n"))?;
    }
    Ok(outcome)
}

fn asked(scorer: &Scorer, arguments: &Arguments) -> Request {
    Request::new("", &scorer.sign_off().purpose, arguments.on.unwrap_or_else(today))
}
