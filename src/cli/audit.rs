//! `earlyhelp audit`

use std::path::PathBuf;

use earlyhelp::calendar::{Day, Horizon};
use earlyhelp::evaluate::{Bootstrap, Capacity};
use earlyhelp::fairness::TableAudit;
use earlyhelp::fairness::audit::{
    ArmColumn, Audit, AuditParams, OperatingPoint, ScoreColumns, ScoreFollowUp, ScoreIntake, ScoreScale,
    ScoreTable,
};
use earlyhelp::outputs::json_text;
use earlyhelp::records::{DateForm, Encoding, Extract, ReadOptions};
use earlyhelp::report::audit::{audit_csv, audit_html, audit_text, audit_xlsx};

use super::progress::Progress;
use super::{Failure, Outcome, output};

const AFTER_HELP: &str = "\
Example: earlyhelp audit vendor.csv --score risk --outcome excluded --group sex --group ethnicity \
--capacity 20% --cluster household --out audit

Any scores with their outcomes can be audited; neither a model nor a project is needed. It writes audit.html, \
audit.json and audit.csv, and says of each criterion whether a disparity is present, absent within the margin, \
or impossible to tell. Cannot tell is not fair.";

/// Arguments of `earlyhelp audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[command(group = clap::ArgGroup::new("operating").required(true).args(["threshold", "capacity", "predicted", "confusion"]))]
pub struct Arguments {
    /// The table: one row per case (.csv, .txt, .tsv, .psv, .parquet, .arrow, or a folder of .parquet).
    #[arg(value_name = "SCORES")]
    scores: PathBuf,
    /// The encoding of a text file [default: found row by row].
    #[arg(long, value_name = "utf-8|utf-16|windows-1252", value_parser = encoding)]
    encoding: Option<Encoding>,
    /// Whether the day or the month comes first in the days of scoring, where none of them shows it.
    #[arg(long, value_name = "dd/mm/yyyy|mm/dd/yyyy", value_parser = dates, requires = "scored_on")]
    dates: Option<DateForm>,
    /// The column of the score: a number (12% is 0.12), higher is more at risk. It may be left out where the table says
    /// who was selected.
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// The texts that the score column holds in place of numbers, from the lowest risk to the highest. They count as 0, 1, 2
    /// and so on, which --threshold goes by: with Low,Medium,High, 2 selects High alone.
    #[arg(long, value_name = "LOW,...,HIGH", value_delimiter = ',', requires = "score")]
    score_order: Vec<String>,
    /// The column of the outcome: true or false, 1 or 0, yes or no. Without it (a list in use, whose outcomes
    /// are not known yet) only who is selected is compared.
    #[arg(long, value_name = "COLUMN")]
    outcome: Option<String>,
    /// A text by which the outcome column says that the outcome followed, once for each; any other means that it did
    /// not. For columns that do not say true or false, 1 or 0, yes or no.
    #[arg(long, value_name = "VALUE", requires = "outcome")]
    outcome_true: Vec<String>,
    /// A text by which the outcome column says that it is not resolved yet, once for each. Such rows are set apart.
    #[arg(long, value_name = "VALUE", requires = "outcome")]
    outcome_unresolved: Vec<String>,
    /// A column of groups, once for each characteristic.
    #[arg(long = "group", value_name = "COLUMN", required = true)]
    groups: Vec<String>,
    /// A characteristic that the table does not hold, to be reported as not measurable.
    #[arg(long, value_name = "NAME")]
    not_held: Vec<String>,
    /// Selected are those with this score or more.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Selected are the highest scores: so many, or such a share (20%).
    #[arg(long, value_name = "K")]
    capacity: Option<Capacity>,
    /// Selected are those of whom this column says so: true or false, 1 or 0, yes or no.
    #[arg(long, value_name = "COLUMN")]
    predicted: Option<String>,
    /// Who would have been selected otherwise, such as the usual way: true or false, 1 or 0, yes or no. What each way finds
    /// and who changes is compared row by row; rows count alike here, whatever their weights.
    #[arg(long, value_name = "COLUMN", requires = "outcome", conflicts_with = "round_to")]
    against: Option<String>,
    /// How many people of the population a row stands for: a column of numbers above 0.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// How many cases of exactly this kind a row stands for: a column of whole numbers.
    #[arg(long, value_name = "COLUMN")]
    count: Option<String>,
    /// The columns of a confusion table, a row for each: true positives, false positives, false negatives, true
    /// negatives. They stand in place of score, outcome and selection.
    #[arg(long, value_name = "TP,FP,FN,TN", value_parser = confusion)]
    confusion: Option<Confusion>,
    /// How a row came to be looked at: drawn at random, or chosen by the ranking.
    #[arg(long, value_name = "COLUMN", requires = "random_arm")]
    arm: Option<String>,
    /// The text by which that column says "drawn at random", once for each. Base rates and errors are then those of the
    /// random arm; beside them stands whom the ranking chose.
    #[arg(long, value_name = "VALUE", requires = "arm")]
    random_arm: Vec<String>,
    /// The column of the day on which a row was scored.
    #[arg(long, value_name = "COLUMN")]
    scored_on: Option<String>,
    /// Outcomes were recorded before this day; rows whose horizon had not passed are set apart.
    #[arg(long, value_name = "DATE", requires_all = ["scored_on", "horizon", "outcome"])]
    followed_to: Option<Day>,
    /// The time in which an outcome counts, from the day of scoring on ("12 months").
    #[arg(long, value_name = "SPAN", requires = "followed_to")]
    horizon: Option<Horizon>,
    /// The family of a row. Without it rows are taken for independent, but for those of one --person, and intervals can be
    /// too narrow.
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// Whom a row is about, where people have several rows, such as one at each date. What --min-n holds back is then counted
    /// in people.
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
    /// The group that the others of its column are compared with.
    #[arg(long = "reference", value_name = "GROUP=VALUE", value_parser = reference)]
    references: Vec<(String, String)>,
    /// Groups with fewer rows (people, where --person says whose they are) are held back, and smaller numbers withheld; 1
    /// shows everything [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    min_n: Option<u32>,
    /// Show every group and every number, however small: for auditors who may see them, never for publication.
    #[arg(long, conflicts_with = "min_n")]
    no_suppression: bool,
    /// Round published counts to a multiple of this, for instance 5 [default: exact counts].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    round_to: Option<u32>,
    /// How many characteristics to combine: 1 for none, 2 for every pair [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2))]
    intersections: Option<u32>,
    /// Differences wholly within plus and minus this are called absent (0.05 is 5 percentage points)
    /// [default: 0.05].
    #[arg(long, value_name = "SHARE")]
    margin: Option<f64>,
    /// What the scores are. Only chances are compared with outcome rates; ranks and points are judged by the outcome at
    /// equal score [default: bands are ranks; scores from 0 to 1 are chances, unless they have five to twenty values that
    /// are all twentieths, as deciles divided by ten are: these are ranks; all others are points].
    #[arg(long = "scores", id = "scale", value_name = "chances|ranks|points", value_parser = scale)]
    scale: Option<ScoreScale>,
    /// Resamples of the bootstrap [default: 999].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(Bootstrap::LEAST)..=i64::from(Bootstrap::MOST)))]
    resamples: Option<u32>,
    /// The seed of the bootstrap [default: 0]. The same table and seed give the same audit.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// The heading of the page: whose scores, and what they foresee [default: the name of the file].
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The folder for audit.html, audit.csv, audit.xlsx and audit.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let columns = columns(arguments);
    let params = params(arguments)?;
    let progress = Progress::start("reading");
    let options = ReadOptions {
        encoding: arguments.encoding,
        dates: arguments.dates.clone(),
        ..ReadOptions::default()
    };
    let extract = Extract::path(&arguments.scores).options(options);
    let outputs = arguments.force.folder("audit", &arguments.out, &extract.files());
    outputs.check(&TABLE_FILES)?;
    let (table, intake) = ScoreTable::read(extract, &columns)?;
    progress.stage("auditing");
    let found = TableAudit::of((table, intake), columns, &params)?;
    drop(progress);
    let file = arguments.scores.file_name().unwrap_or_default().to_string_lossy();
    let document = found.published(&file);
    let title = arguments.title.as_deref().unwrap_or(&file);
    outputs.write(&table_files(found.audit(), title, found.published_intake(), json_text(&document)?)?)?;
    if arguments.json {
        output::print_json(&document)?;
    } else {
        output::print(&audit_text(found.audit()))?;
        if let Some(against) = found.against() {
            output::print(&format!("\n{against}"))?;
        }
        output::print(&format!("\nWritten to {}\n", arguments.out.display()))?;
    }
    Ok(outcome_of(&found))
}

/// The names of the files of an audit of a table.
pub const TABLE_FILES: [&str; 4] = ["audit.html", "audit.csv", "audit.xlsx", "audit.json"];

/// An audit of a table in every form, by name.
pub fn table_files(
    audit: &Audit,
    title: &str,
    intake: Option<&ScoreIntake>,
    json: String,
) -> Result<[(&'static str, Vec<u8>); 4], Failure> {
    let [page, table, workbook, data] = TABLE_FILES;
    Ok([
        (page, audit_html(audit, title, intake)?.into_bytes()),
        (table, audit_csv(audit)?.into_bytes()),
        (workbook, audit_xlsx(audit, title, intake)?),
        (data, json.into_bytes()),
    ])
}

fn columns(arguments: &Arguments) -> ScoreColumns {
    ScoreColumns {
        score: arguments.score.clone(),
        score_order: arguments.score_order.clone(),
        outcome: arguments.outcome.clone(),
        outcome_true: arguments.outcome_true.clone(),
        outcome_unresolved: arguments.outcome_unresolved.clone(),
        groups: arguments.groups.clone(),
        not_held: arguments.not_held.clone(),
        predicted: arguments.predicted.clone(),
        against: arguments.against.clone(),
        weight: arguments.weight.clone(),
        cluster: arguments.cluster.clone(),
        person: arguments.person.clone(),
        count: arguments.count.clone(),
        confusion: arguments.confusion.clone().map(|Confusion(names)| names),
        arm: arguments.arm.clone().map(|column| ArmColumn { column, random: arguments.random_arm.clone() }),
        scored_on: arguments.scored_on.clone(),
        follow_up: arguments
            .followed_to
            .zip(arguments.horizon)
            .map(|(to, horizon)| ScoreFollowUp { to, horizon }),
    }
}

fn params(arguments: &Arguments) -> Result<AuditParams, Failure> {
    let operating = match (arguments.threshold, arguments.capacity, &arguments.predicted) {
        (Some(threshold), None, None) => OperatingPoint::Threshold(threshold),
        (None, Some(capacity), None) => OperatingPoint::Capacity(capacity),
        (None, None, Some(_)) => OperatingPoint::Predicted,
        (None, None, None) if arguments.confusion.is_some() => OperatingPoint::Predicted,
        _ => {
            return Err("give one of --threshold, --capacity and --predicted: it says who is selected".into());
        }
    };
    let defaults = AuditParams::at(operating);
    Ok(AuditParams {
        references: arguments.references.clone(),
        minimum: if arguments.no_suppression {
            AuditParams::NOTHING_HELD_BACK
        } else {
            arguments.min_n.unwrap_or(defaults.minimum)
        },
        round_to: arguments.round_to,
        intersections: arguments.intersections.unwrap_or(defaults.intersections),
        margin: arguments.margin.unwrap_or(defaults.margin),
        scores: arguments.scale,
        bootstrap: Bootstrap {
            resamples: arguments.resamples.unwrap_or(defaults.bootstrap.resamples),
            seed: arguments.seed.unwrap_or(defaults.bootstrap.seed),
        },
        ..defaults
    })
}

/// The columns of true positives, false positives, false negatives and true negatives.
#[derive(Debug, Clone)]
struct Confusion([String; 4]);

fn confusion(text: &str) -> Result<Confusion, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let wrong = |_| "write the four columns with commas between them (TP,FP,FN,TN)".to_owned();
    names.try_into().map(Confusion).map_err(wrong)
}

fn encoding(text: &str) -> Result<Encoding, String> {
    match text {
        "utf-8" => Ok(Encoding::Utf8),
        "windows-1252" => Ok(Encoding::Windows1252),
        "utf-16" => Ok(Encoding::Utf16),
        _ => Err("write utf-8, utf-16 or windows-1252".to_owned()),
    }
}

fn dates(text: &str) -> Result<DateForm, String> {
    match text {
        "dd/mm/yyyy" => Ok(DateForm::DayFirst),
        "mm/dd/yyyy" => Ok(DateForm::MonthFirst),
        _ => Err("write dd/mm/yyyy or mm/dd/yyyy".to_owned()),
    }
}

fn scale(text: &str) -> Result<ScoreScale, String> {
    match text {
        "chances" => Ok(ScoreScale::Chances),
        "ranks" => Ok(ScoreScale::Ranks),
        "points" => Ok(ScoreScale::Points),
        _ => Err("write chances, ranks or points".to_owned()),
    }
}

/// `sex=M`.
fn reference(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, value)) if !column.trim().is_empty() && !value.trim().is_empty() => {
            Ok((column.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write the column and its value with = between them (sex=M)".to_owned()),
    }
}

/// Warns of rows that are not in the audit, and says how the command ended.
fn outcome_of(found: &TableAudit) -> Outcome {
    let intake = found.intake();
    for (why, rows) in intake.set_apart() {
        output::say(&format!("note: {rows} of {} rows are set apart: {why}", intake.read));
    }
    for warning in intake.warnings() {
        output::say(&format!("warning: {warning}"));
    }
    if intake.rejected.is_empty() {
        return Outcome::Done;
    }
    if found.published_intake().is_some() {
        output::say("audit.json has the position of each");
    } else {
        output::say("positions are not written down, since counts are to be rounded");
    }
    Outcome::DoneWithRejects
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parsed(more: &[&str]) -> Result<Arguments, clap::Error> {
        let start = ["audit", "s.csv", "--score", "risk", "--outcome", "y", "--group", "sex", "--out", "o"];
        Command::try_parse_from(start.iter().chain(more)).map(|command| command.arguments)
    }

    #[test]
    fn who_is_selected_has_to_be_said_once() {
        assert!(parsed(&[]).is_err());
        assert!(parsed(&["--threshold", "0.2", "--capacity", "20"]).is_err());
        for (more, expected) in [
            (["--threshold", "-0.2"], OperatingPoint::Threshold(-0.2)),
            (["--capacity", "20"], OperatingPoint::Capacity(Capacity::Cases(20))),
            (["--capacity", "20%"], OperatingPoint::Capacity(Capacity::Share(0.2))),
            (["--predicted", "listed"], OperatingPoint::Predicted),
        ] {
            assert_eq!(params(&parsed(&more).unwrap()).unwrap().operating, expected);
        }
        for wrong in ["0", "0%", "101%", "many", "-3"] {
            assert!(parsed(&["--capacity", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_scores_are_can_be_said() {
        let said = |more: &[&str]| parsed(&[&["--threshold", "2"], more].concat()).map(|held| held.scale);
        assert_eq!(said(&[]).unwrap(), None);
        let all =
            [("chances", ScoreScale::Chances), ("ranks", ScoreScale::Ranks), ("points", ScoreScale::Points)];
        for (text, scale) in all {
            assert_eq!(said(&["--scores", text]).unwrap(), Some(scale));
        }
        assert!(said(&["--scores", "odds"]).is_err());
    }

    #[test]
    fn what_is_not_given_has_the_defaults_of_the_library() {
        let arguments = parsed(&["--threshold", "0.2"]).unwrap();
        assert_eq!(params(&arguments).unwrap(), AuditParams::at(OperatingPoint::Threshold(0.2)));
        let more = [
            "--threshold",
            "0.2",
            "--min-n",
            "20",
            "--round-to",
            "5",
            "--intersections",
            "2",
            "--margin",
            "0.02",
            "--resamples",
            "199",
            "--seed",
            "7",
            "--reference",
            "sex=M",
            "--group",
            "age",
            "--not-held",
            "faith",
        ];
        let arguments = parsed(&more).unwrap();
        let given = params(&arguments).unwrap();
        assert_eq!((given.minimum, given.round_to, given.intersections), (20, Some(5), 2));
        assert_eq!(given.bootstrap, Bootstrap { resamples: 199, seed: 7 });
        assert_eq!(given.references, [("sex".to_owned(), "M".to_owned())]);
        let columns = columns(&arguments);
        assert_eq!(
            (columns.groups, columns.not_held),
            (vec!["sex".into(), "age".into()], vec!["faith".into()])
        );
        assert!(parsed(&["--threshold", "0.2", "--reference", "sex"]).is_err());
    }
}
