//! `earlyhelp correct`, `earlyhelp purge` and `earlyhelp subject`

use std::path::PathBuf;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::ledger::{AffectedCase, Correction, Erasure, ScoreAndRank, is_on_server};
use earlyhelp::outputs::json_text;
use earlyhelp::report;

use super::{LedgerArgument, WriteArguments};
use crate::cli::progress::Progress;
use crate::cli::{ExtractsArgument, Failure, Outcome, output, today};

/// Arguments of `earlyhelp correct`.
#[derive(Debug, clap::Args)]
pub struct CorrectArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// Whose records were wrong: the pseudonymous id.
    #[arg(long, value_name = "ID")]
    entity: String,
    /// A record that was wrong, as source and the source's own reference; may be given several times.
    /// Without any, every past case of the person counts as affected.
    #[arg(long, value_name = "SOURCE=REFERENCE", value_parser = record)]
    record: Vec<(String, String)>,
    /// What was wrong and what was put right.
    #[arg(long, value_name = "TEXT")]
    what: String,
    /// Who puts it on record.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Score the affected cases again from this project's extracts, in which the error is put right.
    #[arg(long, value_name = "PROJECT.toml")]
    project: Option<PathBuf>,
    #[command(flatten)]
    extracts: ExtractsArgument,
    #[command(flatten)]
    written: WriteArguments,
    /// Print the affected cases as JSON.
    #[arg(long)]
    json: bool,
}

fn record(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or("write it as SOURCE=REFERENCE")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

pub fn correct(arguments: &CorrectArguments) -> Result<Outcome, Failure> {
    let on = arguments.written.on();
    let written = arguments.written.open(&arguments.ledger.ledger)?;
    let progress = Progress::start("reading");
    let records = match &arguments.project {
        None => None,
        Some(path) => Some(arguments.extracts.load(path)?.on_progress(progress.watch()).records()?),
    };
    progress.stage("looking for past cases");
    let correction = Correction {
        entity: arguments.entity.clone(),
        records: arguments.record.clone(),
        what: arguments.what.clone(),
        by: arguments.by.clone(),
    };
    let affected = written.ledger.correct(&correction, records.as_ref(), on)?;
    drop(progress);
    written.checkpoint()?;
    if arguments.json {
        output::print_json(&affected)?;
    } else {
        output::print(&table(&affected, records.is_some()))?;
    }
    Ok(Outcome::Done)
}

fn table(affected: &[AffectedCase], scored_again: bool) -> String {
    let mut text = format!(
        "On record. {} past cases rest on such records, as far as the ledger shows: the person's own, and listed \
         cases of others.\n",
        affected.len()
    );
    if scored_again {
        text.push_str(
            "Scored again from today's extracts: whatever else changed in them since counts, too.\n",
        );
    }
    for case in affected {
        let place = match (case.place, case.before.rank) {
            (Some(place), _) => format!("place {place}"),
            (None, Some(_)) => "on no list".to_owned(),
            (None, None) => "asked about alone".to_owned(),
        };
        let open = match (case.is_open, case.place) {
            (false, _) => "",
            (true, Some(_)) => ", on a list that is still open",
            (true, None) => ", and the answer can still be used",
        };
        let rank = rank_in_words(&case.before);
        text.push_str(&format!("  {}  {}  run {}  {place}{open}{rank}", case.entity, case.as_of, case.run));
        match case.after {
            Some(after) => {
                let list = match (case.before.listed, after.listed) {
                    (Some(true), Some(false)) => "; it would not have been listed",
                    (Some(false), Some(true)) => "; it would have been listed",
                    _ => "",
                };
                let score = if after.differs_from(&case.before) { "another score" } else { "the same score" };
                text.push_str(&format!(" -> {score}{}{list}", rank_in_words(&after)));
            }
            None if scored_again => text.push_str(" -> not in the cohort any more"),
            None => {}
        }
        text.push('\n');
    }
    text
}

/// `; rank 3`; nothing of a case that was asked about alone.
fn rank_in_words(case: &ScoreAndRank) -> String {
    case.rank.map_or_else(String::new, |rank| format!("; rank {rank}"))
}

/// Arguments of `earlyhelp purge`.
#[derive(Debug, clap::Args)]
pub struct PurgeArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// Whom to take out: the pseudonymous id.
    #[arg(long, value_name = "ID")]
    entity: String,
    /// Who does it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// On what ground. It stays in the ledger, so it must not name the person.
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// A record about the person, as source and the source's own reference: entries about others that name it
    /// are listed. May be given several times.
    #[arg(long, value_name = "SOURCE=REFERENCE", value_parser = record)]
    record: Vec<(String, String)>,
    /// Take all records of the person from this project's extracts, as they are known today.
    #[arg(long, value_name = "PROJECT.toml")]
    project: Option<PathBuf>,
    #[command(flatten)]
    extracts: ExtractsArgument,
    /// An entry about somebody else that has to go as well, as an earlier purge named it.
    #[arg(long, value_name = "N")]
    entry: Vec<u64>,
    #[command(flatten)]
    written: WriteArguments,
}

pub fn purge(arguments: &PurgeArguments) -> Result<Outcome, Failure> {
    let written = arguments.written.open(&arguments.ledger.ledger)?;
    let (ledger, on) = (&written.ledger, arguments.written.on());
    let mut records = arguments.record.clone();
    if let Some(path) = &arguments.project {
        let progress = Progress::start("reading");
        let held = arguments.extracts.load(path)?.on_progress(progress.watch()).records()?;
        let snapshot = held.as_of(AsOf::new(on));
        for (source, ..) in held.sources() {
            let references = snapshot.events(source, &arguments.entity).filter_map(|event| event.reference);
            records.extend(references.map(|reference| (source.to_owned(), reference)));
        }
    }
    let purged = ledger.purge(
        &Erasure {
            entity: arguments.entity.clone(),
            records,
            entries: arguments.entry.clone(),
            by: arguments.by.clone(),
            reason: arguments.reason.clone(),
        },
        on,
    )?;
    let mut ended = Outcome::Done;
    let chain = ledger.verify(&[])?;
    let holds = match &chain.finding {
        None => "the chain holds".to_owned(),
        Some(finding) => {
            ended = Outcome::Found;
            format!("the ledger does not hold: {finding}")
        }
    };
    output::print(&format!("Taken out of {} entries; {holds}.\n", purged.entries.len()))?;
    written.checkpoint()?;
    if is_on_server(ledger.path()) {
        output::say(
            "the server's write-ahead log and what is archived of it, standbys and backups hold what was taken out until they are \
             done with: ask whoever keeps them",
        );
    }
    if !purged.wiped {
        output::say(
            "warning: another program was reading the ledger, so the bytes are still in its file or table; close it, and \
             the next command that writes to the ledger, of somebody who may purge, wipes them",
        );
        ended = Outcome::Found;
    }
    if !purged.still_named_in.is_empty() {
        let entries: Vec<String> = purged.still_named_in.iter().map(u64::to_string).collect();
        output::say(&format!(
            "warning: entries about others still name this id or one of the records: {}; look at them, and give \
             those that have to go with --entry. Who did something, on what ground, and why a day is earlier cannot be taken out",
            entries.join(", ")
        ));
        ended = Outcome::Found;
    }
    Ok(ended)
}

/// Arguments of `earlyhelp subject`.
#[derive(Debug, clap::Args)]
pub struct SubjectArguments {
    #[command(flatten)]
    ledger: LedgerArgument,
    /// About whom: the pseudonymous id.
    #[arg(long, value_name = "ID")]
    entity: String,
    #[command(flatten)]
    force: output::ForceArgument,
    /// The folder for subject.html and subject.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The day, if not today.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
}

pub fn subject(arguments: &SubjectArguments) -> Result<Outcome, Failure> {
    let ledger = arguments.ledger.open_to_read()?;
    let pack = ledger.subject_pack(&arguments.entity, arguments.on.unwrap_or_else(today))?;
    let inputs = std::slice::from_ref(&arguments.ledger.ledger);
    arguments
        .force
        .folder("subject", &arguments.out, inputs)
        .write(&[("subject.html", report::subject_html(&pack)?), ("subject.json", json_text(&pack)?)])?;
    output::print(&format!(
        "{} scores and {} entries in {}\n",
        pack.scores.len(),
        pack.entries.len(),
        arguments.out.display()
    ))?;
    Ok(Outcome::Done)
}
