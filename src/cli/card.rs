//! `earlyhelp card`

use std::path::PathBuf;

use earlyhelp::outputs::Outputs;
use earlyhelp::project::Project;
use earlyhelp::records::Intake;
use earlyhelp::report::AnyModel;
use earlyhelp::report::papers::{Document, Organisation, atrs, dpia_evidence, model_card};

use super::progress::Progress;
use super::{ExtractsArgument, Failure, Outcome, output};

const AFTER_HELP: &str = "\
Writes, each as Markdown and as JSON: a model card, a record for the Algorithmic Transparency Recording \
Standard (ATRS), and evidence for a data protection impact assessment (DPIA). With --project they say more.

What only the organisation knows is marked \"to be completed by the organisation\", or comes from a file of \
its own, of which nothing is compulsory:

  name = \"...\"
  contact_email = \"...\"";

/// Arguments of `earlyhelp card`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// A model as `earlyhelp train` or `earlyhelp release` wrote it.
    #[arg(value_name = "MODEL.json")]
    model: PathBuf,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// The project that the model was trained on.
    #[arg(long, value_name = "PROJECT.toml")]
    project: Option<PathBuf>,
    /// Read the project's extracts, too, for how many rows were read and rejected.
    #[arg(long, requires = "project")]
    with_extracts: bool,
    #[command(flatten)]
    extracts: ExtractsArgument,
    /// What the organisation says about itself.
    #[arg(long, value_name = "ORGANISATION.toml")]
    organisation: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let model = output::model(&arguments.model)?;
    let organisation = match &arguments.organisation {
        None => Organisation::default(),
        Some(path) => Organisation::from_toml(&output::settings(path)?)?,
    };
    let project = arguments.project.as_ref().map(|path| arguments.extracts.load(path)).transpose()?;
    let mut inputs = project.as_ref().map(Project::input_files).unwrap_or_default();
    inputs.push(arguments.model.clone());
    inputs.extend([&arguments.project, &arguments.organisation].into_iter().flatten().cloned());
    let outputs = arguments.force.folder("papers", &arguments.out, &inputs);
    let progress = Progress::start("reading");
    let project = project.map(|project| project.on_progress(progress.watch()));
    let records = match &project {
        Some(project) if arguments.with_extracts || arguments.extracts.extracts.is_some() => {
            Some(project.records()?)
        }
        _ => None,
    };
    drop(progress);
    let intake = records.as_ref().map(earlyhelp::records::Records::intake);
    let papers = papers(AnyModel::from(&model), project.as_ref(), intake, &organisation)?;
    for path in write(&papers, &outputs)? {
        output::print(&format!("{}\n", path.display()))?;
    }
    Ok(records.as_ref().map_or(Outcome::Done, output::outcome_of))
}

/// The three papers, from what there is.
pub fn papers(
    model: AnyModel<'_>,
    project: Option<&Project>,
    intake: Option<&[Intake]>,
    organisation: &Organisation,
) -> Result<Vec<Document>, Failure> {
    Ok(vec![
        model_card(model)?,
        atrs(model, project, organisation)?,
        dpia_evidence(model, project, organisation, intake)?,
    ])
}

/// Writes each paper in both forms, and gives the paths of those to read.
pub fn write(papers: &[Document], outputs: &Outputs) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for paper in papers {
        let stem = paper.kind().file_stem();
        files.push((format!("{stem}.md"), paper.to_markdown()));
        files.push((format!("{stem}.json"), paper.to_json()?));
    }
    let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    outputs.write(&named)?;
    Ok(papers.iter().map(|paper| outputs.path(&format!("{}.md", paper.kind().file_stem()))).collect())
}
