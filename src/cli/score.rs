//! `earlyhelp score`

use std::path::{Path, PathBuf};

use earlyhelp::calendar::AsOf;
use earlyhelp::cohort::Cohort;
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::Protected;
use earlyhelp::outputs::json_text;
use earlyhelp::project::Project;
use earlyhelp::records::Records;
use earlyhelp::report;
use earlyhelp::review::{Among, EarlierList, ListParams, ReviewList};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::sql::{TableFolder, Texts};

use super::audit::{TABLE_FILES, table_files};
use super::ledger::WriteArguments;
use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output};

/// Arguments of `earlyhelp score`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The released model.
    #[arg(long, value_name = "RELEASED.json")]
    model: PathBuf,
    /// The date of the list: nothing that became known on it or later is used (year-month-day). Not after
    /// the day of the request, and one that the extracts reach.
    #[arg(long, value_name = "DATE")]
    as_of: AsOf,
    /// How many places the list has: as many families as the team can look at with care, or cases where the project says
    /// `one_per = "case"`.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: u32,
    /// Give places only to those whom no service knows already, by the project's `[[known_to]]`.
    #[arg(long)]
    not_known: bool,
    /// So many cases drawn at random beside them, marked as such, to see what the ranking misses.
    #[arg(long, value_name = "N", default_value_t = 0)]
    at_random: u32,
    /// Deal the places to groups of a protected characteristic, as this file says: characteristic, by
    /// (`group_size`, `expected_need` or given), reason and `approved_by`. Take legal advice first. The list says
    /// that it was done, why, and how many places changed.
    #[arg(long, value_name = "SHARES.toml")]
    shares: Option<PathBuf>,
    /// Who asks.
    #[arg(long, value_name = "NAME")]
    requested_by: String,
    /// For what; it must be the purpose that the model was released for.
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// Use this source though it is not what it was when the model was trained (empty, halved, a month short, values
    /// blank): otherwise scoring is refused. Say who accepts that and why; all of it stands on the list and in the
    /// ledger. Repeat the three for each such source, or give one name and one reason for all.
    #[arg(long, value_name = "SOURCE", requires_all = ["by", "reason"])]
    accept: Vec<String>,
    /// Who accepts the source.
    #[arg(long, value_name = "NAME", requires = "accept")]
    by: Vec<String>,
    /// Why the source is right as it is.
    #[arg(long, value_name = "TEXT", requires = "accept")]
    reason: Vec<String>,
    /// The folder for list.json, list.csv, list.xlsx and list.html.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Say what changed since this earlier list: who is new, who stayed, who left and why. With --ledger, and without this, it
    /// is the ledger's last list of an earlier date for the same purpose, with what was decided about it.
    #[arg(long, value_name = "LIST.json")]
    previous: Option<PathBuf>,
    /// Put the run on record in this ledger (it is started where there is none): what was scored, by which
    /// model, on which data, for whom. An SQLite file, JSON lines where the name ends in .jsonl, or a PostgreSQL database
    /// (`postgresql://HOST/DATABASE`), whose tables are there before: see `earlyhelp ledger-schema`.
    #[arg(long, value_name = "LEDGER")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    record: WriteArguments,
    /// Audit who is on the list by protected characteristic, and write that into this folder: for those who
    /// answer for the list, not for its readers.
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// Also write into that folder where needs and places are, by this protected characteristic: an area, say. It names nobody,
    /// and small numbers are withheld.
    #[arg(long, value_name = "CHARACTERISTIC", requires = "audit")]
    areas: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    draw(arguments, None)
}

/// A scored table that a list is drawn from.
pub struct FromTable<'a> {
    /// The folder of the tables that an engine made.
    pub made: &'a TableFolder,
    /// The folder of staged tables, where the records are read from them and not from the project's extracts.
    pub staged: Option<&'a TableFolder>,
    /// Of how many cases features are computed again; of all without it.
    pub sample: Option<u32>,
}

/// Scores and draws a list: of records, or of a table that an engine made of them.
pub fn draw(arguments: &Arguments, table: Option<&FromTable<'_>>) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let scorer = Scorer::from_json(&output::read(&arguments.model)?)?;
    let on = arguments.record.on();
    let request = accepting(Request::new(&arguments.requested_by, &arguments.purpose, on), arguments)?;
    let mut inputs = arguments.project.inputs(&project);
    inputs.push(arguments.model.clone());
    inputs.extend([&arguments.shares, &arguments.previous, &arguments.ledger].into_iter().flatten().cloned());
    let out = arguments.force.folder("list", &arguments.out, &inputs);
    out.check(&LIST_FILES)?;
    let audited = arguments.audit.as_deref().map(|folder| arguments.force.folder("audit", folder, &inputs));
    let answer_files: Vec<&str> =
        TABLE_FILES.into_iter().chain(area_files(arguments).iter().copied()).collect();
    audited.as_ref().map_or(Ok(()), |folder| folder.check(&answer_files))?;
    let mut earlier = match &arguments.previous {
        Some(path) => Some(EarlierList::from_json(&output::read(path)?)?),
        None => None,
    };
    // A run that fails is on record, too: as one that was started and did not end.
    let ledger = match &arguments.ledger {
        None => None,
        Some(path) => {
            let record = arguments.record.start(path)?;
            if earlier.is_none() {
                earlier = record.ledger.earlier_list(&request.purpose, arguments.as_of)?;
            }
            let configuration = output::read(&arguments.project.project)?;
            let start = record.ledger.start_run(&scorer, &request, arguments.as_of, Some(&configuration))?;
            Some((record, start))
        }
    };
    let shares = arguments.shares.as_deref().map(output::shares).transpose()?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    // A table names the dialect of the texts that it was made by.
    let texts = match table {
        Some(table) => {
            let date = (arguments.as_of, table.made.dialect()?);
            let features = scorer.candidate().features();
            Some(Texts::of_project(&project, features, date)?.scored_by(&scorer, &request)?)
        }
        None => None,
    };
    let staged = texts.as_ref().zip(table.and_then(|table| table.staged));
    let (records, protected) = read(&project, staged, shares.is_some() || audited.is_some())?;
    let records = output::to_the_end(records);
    progress.warn(&project.scoring_warnings(&records, arguments.as_of));
    progress.stage("scoring");
    let cohort = project.cohort(&records, arguments.as_of)?;
    let scores = match (&texts, table) {
        (Some(texts), Some(table)) => texts.scores(table.made, &cohort, table.sample)?,
        _ => scorer.score(&cohort, &request)?,
    };
    let scores = scores.known_to(&project.known_to)?;
    let params = params(arguments, &project);
    let mut list = match (&shares, &protected) {
        (Some(shares), Some(protected)) => ReviewList::draw_shared(&scores, params, protected, shares)?,
        _ => ReviewList::draw(&scores, params)?,
    };
    list = list.reviewed_by(project.review.clone())?;
    if let Some(earlier) = &earlier {
        list.since(earlier, &scores)?;
    }
    if let (Some(folder), Some(protected)) = (&audited, &protected) {
        progress.stage("auditing the list");
        let params = project.audit_params();
        let audit = list.table(&scores, protected)?.audit(&params)?;
        let mut files = table_files(&audit, &project.name, None, json_text(&audit)?)?.to_vec();
        if let Some(by) = &arguments.areas {
            let view = list.by_area(&scores, protected, by, params.minimum)?;
            let texts = [
                report::areas_html(&view, &project.name)?,
                report::areas_csv(&view)?,
                report::areas_json(&view)?,
            ];
            files.extend(AREA_FILES.into_iter().zip(texts.map(String::into_bytes)));
        }
        folder.write(&files)?;
    }
    // On record first: no list is given out of which the ledger knows nothing.
    let is_on_record = ledger.is_some();
    if let Some((record, start)) = ledger {
        progress.stage("putting the run on record");
        record.ledger.finish_run(start, &scores, &mut list, &records)?;
        record.checkpoint()?;
    }
    out.write(&list_files(&list, &project.name)?).map_err(|error| -> Failure {
        if is_on_record {
            let run = &list.provenance().run_id;
            format!("run {run} is on record, and its list was not given out: {error}; score again for a list, as a run of its own").into()
        } else {
            error.into()
        }
    })?;
    drop(progress);
    account(&list, &cohort, &arguments.out)?;
    Ok(output::outcome_of(&records))
}

/// The records, from staged tables or the project's own, and the protected characteristics where they are asked for: read together,
/// so that all queries of the run see a database at one moment.
fn read(
    project: &Project,
    staged: Option<(&Texts, &TableFolder)>,
    needs_protected: bool,
) -> Result<(Records, Option<Protected>), Failure> {
    Ok(match staged {
        Some((texts, staged)) => {
            (texts.staged_records(staged)?, needs_protected.then(|| project.protected()).transpose()?)
        }
        None if needs_protected => {
            let (records, protected) = project.records_and_protected()?;
            (records, Some(protected))
        }
        None => (project.records()?, None),
    })
}

/// How the list is to be drawn.
fn params(arguments: &Arguments, project: &Project) -> ListParams {
    let among = if arguments.not_known { Among::NotKnown } else { Among::Everybody };
    project.list_params(Capacity::Cases(arguments.capacity), arguments.at_random, among)
}

/// What a reader of the terminal is told of the list.
fn account(list: &ReviewList, cohort: &Cohort<'_>, out: &Path) -> Result<(), Failure> {
    for allowed in list.provenance().allowed() {
        output::print(&format!("{allowed}\n"))?;
    }
    output::print(&format!(
        "{} places from a cohort of {}, in {}; run {}\n",
        list.len(),
        cohort.len(),
        out.display(),
        list.provenance().run_id
    ))?;
    let audit = list.provenance();
    if audit.expires < audit.requested_on {
        output::print(&format!(
            "This list has expired: it may be used until {}, and it is asked for on {}. Score a later date, or say by --on on \
             which day it was asked for.\n",
            audit.expires, audit.requested_on
        ))?;
    }
    let left_out: Vec<String> =
        cohort.left_out().by_rule().map(|(rule, count)| format!("{count} {rule}")).collect();
    if !left_out.is_empty() {
        output::print(&format!("Not in the cohort: {}.\n", left_out.join(", ")))?;
    }
    let bands: Vec<String> =
        list.by_band().into_iter().map(|(band, cases)| format!("{cases} in the {band} of scores")).collect();
    output::print(&format!("Listed for their scores: {}.\n", bands.join(", ")))?;
    if let Some([yes, no, cannot_tell]) = list.known() {
        let unsure = if cannot_tell == 0 {
            String::new()
        } else {
            format!(", and of {cannot_tell} it cannot be told")
        };
        output::print(&format!(
            "Of the {} listed, {yes} are known to a service already and {no} are not{unsure}.\n",
            list.len()
        ))?;
    }
    if list.tested().is_some() {
        output::print(&format!("{}\n", list.tested_in_words()))?;
    }
    if let Some(since) = list.changes() {
        output::print(&format!(
            "Since the list of {}: {} new, {} stayed, {} left, {} fallen clearly.\n",
            since.as_of,
            since.new,
            since.stayed,
            since.left.len(),
            since.fallen.len()
        ))?;
    }
    if let Some(used) = list.shares() {
        output::print(&format!(
            "Places were dealt to groups by {}: {} of {} are others than by score alone.\n",
            used.asked.characteristic, used.changed, used.places
        ))?;
    }
    Ok(())
}

/// The request with the sources that it accepts.
fn accepting(mut request: Request, arguments: &Arguments) -> Result<Request, Failure> {
    let Arguments { accept, by, reason, .. } = arguments;
    let of = |given: &[String], nth: usize| match given {
        [one] => Some(one.clone()),
        each if each.len() == accept.len() => Some(each[nth].clone()),
        _ => None,
    };
    for (nth, source) in accept.iter().enumerate() {
        let (Some(by), Some(reason)) = (of(by, nth), of(reason, nth)) else {
            let why =
                "give one --by and one --reason for each --accept, in its order, or one of each for all";
            return Err(why.into());
        };
        request = request.accepting(source, by, reason);
    }
    Ok(request)
}

/// The names of the files of needs by area.
const AREA_FILES: [&str; 3] = ["areas.html", "areas.csv", "areas.json"];

/// Those of them that are asked for.
fn area_files(arguments: &Arguments) -> &'static [&'static str] {
    if arguments.areas.is_some() { &AREA_FILES } else { &[] }
}

/// The names of a list's files.
pub const LIST_FILES: [&str; 4] = ["list.json", "list.csv", "list.xlsx", "list.html"];

/// The list in every form, by name.
pub fn list_files(list: &ReviewList, title: &str) -> Result<[(&'static str, Vec<u8>); 4], Failure> {
    let [json, table, workbook, page] = LIST_FILES;
    Ok([
        (json, report::list_json(list)?.into_bytes()),
        (table, report::list_csv(list)?.into_bytes()),
        (workbook, report::list_xlsx(list, title)?),
        (page, report::list_html(list, title)?.into_bytes()),
    ])
}
