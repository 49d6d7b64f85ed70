//! `earlyhelp demo`: the whole story, told as it happens.

use std::path::PathBuf;

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::Ledger;
use earlyhelp::report::audit::{AUDIT_FILES, audit_files};
use earlyhelp::report::papers::Organisation;
use earlyhelp::report::{self, AnyModel, evidence_text};
use earlyhelp::review::{ListParams, RandomSample, ReviewList};
use earlyhelp::scoring::{Request, SignOff};
use earlyhelp::synthetic::{CouncilParams, Format};

use super::card::{papers, write as write_papers};
use super::progress::Progress;
use super::score::{LIST_FILES, list_files};
use super::{Failure, Outcome, output};

/// Arguments of `earlyhelp demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// How many children live in the council: 1,000 to 1,500,000.
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=1_500_000))]
    children: u32,
    /// The same seed gives the same story.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Whom the project scores.
    #[arg(long, value_enum, default_value_t = super::Scored::Person)]
    unit: super::Scored,
}

/// A monthly list is 10 to 20 families long: as many as a team can look at with care.
const CAPACITY: u32 = 20;
/// Beside them, drawn at random: enough to notice over a year what the ranking misses.
const AT_RANDOM: u32 = 5;

/// The names of a model's files.
const MODEL_FILES: [&str; 3] = ["model.json", "released.json", "model.html"];

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let in_folder = |name: &str| arguments.force.folder("demo", &arguments.out.join(name), &[]);
    let out = in_folder("");
    out.check(&MODEL_FILES)?;
    out.check(&LIST_FILES)?;
    in_folder("audit").check(AUDIT_FILES)?;
    let progress = Progress::start("inventing a council");
    let council = CouncilParams::new(arguments.children, arguments.seed)
        .families(arguments.unit == super::Scored::Family)
        .generate()?;
    progress.stage("writing its extracts");
    let project_file = council.write(in_folder("council"), Format::Csv)?;

    let project = super::load(&project_file)?.on_progress(progress.watch());
    let records = project.records()?;
    let protected = project.protected()?;
    let (candidate, backtest) = project.test(&records, &protected, &project.training.trainer)?;
    let tested = (&candidate, &backtest);
    let audit = project.full_audit(&records, &protected, tested, &project.audit_params())?;
    in_folder("audit").write(&audit_files(&audit, &project.name)?)?;
    let model = project.audit(candidate, &backtest, &protected)?;
    let model_file = model.to_json()?;
    let evidence = evidence_text(&model);

    progress.stage("scoring");
    let as_of = council.extract_date();
    let ledger = Ledger::open(arguments.out.join("ledger.sqlite"))?;
    ledger.register(&model, "Demonstration", as_of)?;
    let scorer = model.release(SignOff {
        by: "Demonstration".to_owned(),
        role: "nobody: this council does not exist".to_owned(),
        purpose: project.purpose.clone(),
        signed_on: as_of,
        review_by: as_of.plus_months(12),
    })?;
    let texts = [model_file, scorer.to_json()?, report::model_html(&scorer)?];
    out.write(&std::array::from_fn::<_, 3, _>(|nth| (MODEL_FILES[nth], &texts[nth])))?;
    let papers =
        papers(AnyModel::from(&scorer), Some(&project), Some(records.intake()), &Organisation::default())?;
    write_papers(&papers, &in_folder("papers"))?;
    let request = Request::new("Demonstration", &project.purpose, as_of);
    let configuration = output::read(&project_file)?;
    let start = ledger.start_run(&scorer, &request, AsOf::new(as_of), Some(&configuration))?;
    let cohort = project.cohort(&records, AsOf::new(as_of))?;
    let scores = scorer.score(&cohort, &request)?.known_to(&project.known_to)?;
    let comparison = RandomSample { cases: AT_RANDOM, seed: project.seed };
    let mut list =
        ReviewList::draw(&scores, ListParams::new(Capacity::Cases(CAPACITY)).comparison(comparison))?;
    progress.stage("putting the run on record");
    let run = ledger.finish_run(start, &scores, &mut list, &records)?;
    let checkpoint = serde_json::to_string_pretty(&ledger.checkpoint(as_of)?)? + "\n";
    out.write(&list_files(&list, &project.name)?)?;
    out.write(&[("checkpoint.json", checkpoint)])?;
    drop(progress);

    output::print(&format!(
        "A council that does not exist, with {} children and their families.\n\n1. Records\n\n{}\n",
        arguments.children,
        output::intake(&records)
    ))?;
    output::print(&format!("2. Model\n\n{evidence}\n"))?;
    output::print(&format!(
        "3. What was planted, to hold the model and the fairness check against\n\n{}\n",
        council.truth()
    ))?;
    output::print(&format!(
        "4. The list as of {as_of}: {} of {} {}\n\n",
        list.len(),
        cohort.len(),
        arguments.unit.many()
    ))?;
    output::print(&report::list_text(&list))?;
    let at = |name: &str| arguments.out.join(name).display().to_string();
    output::print(&format!(
        "\n5. What to open\n\n\
         {}  the list, as a practitioner reads it\n\
         {}  what the model is\n\
         {}  to whom it would have been unfair, and how sure that is\n\
         {}  model card, transparency record, evidence for an impact assessment\n\
         {}  run {run} on record: try `earlyhelp log`, `replay`, and `verify` with --checkpoint {}\n",
        at("list.html"),
        at("model.html"),
        at("audit/audit.html"),
        at("papers"),
        at("ledger.sqlite"),
        at("checkpoint.json"),
    ))?;
    Ok(output::outcome_of(&records))
}
