//! `earlyhelp sql`

use std::path::{Path, PathBuf};

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::error::{SpecError, SqlError};
use earlyhelp::features::FeatureSpec;
use earlyhelp::project::Project;
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::sql::{Dialect, RawTables, Texts};

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
    #[arg(long, value_name = "RELEASED.json", requires = "as_of")]
    model: Option<PathBuf>,
    /// The date: nothing that became known on it or later is used (year-month-day). Without one, and without a model, texts are written for
    /// each training date of the project, into folders called by them: what `train --matrix` reads.
    #[arg(long, value_name = "DATE")]
    as_of: Option<AsOf>,
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
    let own;
    let spec = if let Some(scorer) = &scorer {
        scorer.candidate().features()
    } else {
        own = project.features()?;
        &own
    };
    let request = scorer.as_ref().map(|scorer| asked(scorer, arguments));
    let scored = scorer.as_ref().zip(request.as_ref());
    let mut written = Vec::new();
    for (as_of, folder) in dates(arguments, &project) {
        written.push((texts_of((&project, spec), (as_of, arguments), scored)?, folder));
    }
    let (mut tables, mut outcome) = (Vec::new(), Outcome::Done);
    if let (true, Some(((texts, _), _))) = (arguments.staged, written.first()) {
        (tables, outcome) = staged(texts, &project)?;
    }
    let is_one = arguments.as_of.is_some();
    for ((texts, _), folder) in &written {
        let around =
            if arguments.staged { texts.file_scripts(if is_one { "" } else { "../" }) } else { Vec::new() };
        let scripts = texts.scripts().into_iter().chain(around);
        let mut files: Files =
            scripts.map(|script| (script.name.to_owned(), script.text.into_bytes())).collect();
        if is_one {
            files.append(&mut tables);
        }
        write((folder, &inputs), &files, arguments)?;
    }
    if !tables.is_empty() {
        write((&arguments.out, &inputs), &tables, arguments)?;
    }
    if let Some(((texts, no_outcome), _)) = written.first() {
        for (table, unsaid) in texts.views().filter(|(_, unsaid)| !unsaid.is_empty()) {
            output::print(&format!("{table} has no view ({}); `--staged` makes it\n", unsaid.join(", ")))?;
        }
        if let Some(why) = no_outcome {
            output::print(&format!("5_outcomes.sql is not among them: {why}\n"))?;
        }
    }
    Ok(outcome)
}
/// The dates that texts are written for, each with its folder: one, or all that the project is trained on.
fn dates(arguments: &Arguments, project: &Project) -> Vec<(AsOf, PathBuf)> {
    match arguments.as_of {
        Some(as_of) => vec![(as_of, arguments.out.clone())],
        None => {
            project.training.as_of.iter().map(|&date| (date, arguments.out.join(date.to_string()))).collect()
        }
    }
}

/// The texts of a date, and why they have no outcome, where they could have one.
fn texts_of<'p>(
    (project, spec): (&'p Project, &'p FeatureSpec),
    (as_of, arguments): (AsOf, &Arguments),
    scored: Option<(&'p Scorer, &'p Request)>,
) -> Result<(Texts<'p>, Option<SpecError>), Failure> {
    let texts = || Texts::of_project(project, spec, (as_of, arguments.dialect));
    let (texts, no_outcome) = match scored {
        Some((scorer, request)) => (texts()?.scored_by(scorer, request)?, None),
        None => match texts()?.with_outcome(&project.outcome) {
            Ok(texts) => (texts, None),
            // The features of such a date can be written, and nobody can be told what follows it.
            Err(SqlError::Outcome(why)) if arguments.as_of.is_some() => (texts()?, Some(why)),
            Err(error) => return Err(error.into()),
        },
    };
    let texts = if arguments.views { texts.with_views(RawTables::of_project(project)) } else { texts };
    Ok((texts, no_outcome))
}

/// Files by their names.
type Files = Vec<(String, Vec<u8>)>;

/// The staged tables that no view makes, as files.
fn staged(texts: &Texts<'_>, project: &Project) -> Result<(Files, Outcome), Failure> {
    let progress = Progress::start("reading");
    let watched = project.clone().on_progress(progress.watch());
    let records = output::to_the_end(watched.records()?);
    progress.stage("staging");
    let mut files = Vec::new();
    for table in texts.staged_tables(&records)?.into_iter().filter(|table| !texts.has_view(&table.name)) {
        files.push((format!("{}.parquet", table.name), table.into_parquet()?));
    }
    drop(progress);
    Ok((files, output::outcome_of(&records)))
}

fn write(
    (folder, inputs): (&Path, &[PathBuf]),
    files: &[(String, Vec<u8>)],
    arguments: &Arguments,
) -> Result<(), Failure> {
    let named: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    arguments.force.folder("sql", folder, inputs).write(&named)?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    output::print(&format!("{}: {}\n", folder.display(), names.join(", ")))
}

fn asked(scorer: &Scorer, arguments: &Arguments) -> Request {
    Request::new("", &scorer.sign_off().purpose, arguments.on.unwrap_or_else(today))
}
