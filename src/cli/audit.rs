//! `earlyhelp audit`

use std::path::PathBuf;

use earlyhelp::evaluate::{Bootstrap, Capacity};
use earlyhelp::fairness::audit::{
    Audit, AuditParams, OperatingPoint, RejectedRow, ScoreColumns, ScoreIntake, read_scores,
};
use earlyhelp::report::audit::{audit_csv, audit_html, audit_text};
use serde::Serialize;

use super::progress::Progress;
use super::{Failure, Outcome, output};

const AFTER_HELP: &str = "\
Example: earlyhelp audit vendor.csv --score risk --outcome excluded --group sex --group ethnicity \
--capacity 20% --cluster household --out audit

Any scores with their outcomes can be audited; neither a model nor a project is needed. It writes audit.html, \
audit.json and audit.csv, and says of each criterion whether a disparity is present, absent within the margin, \
or that one cannot tell, which is not fair.";

/// Arguments of `earlyhelp audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[command(group = clap::ArgGroup::new("operating").required(true).args(["threshold", "capacity", "predicted"]))]
pub struct Arguments {
    /// The table: one row per case (.csv or .parquet).
    #[arg(value_name = "SCORES.csv|SCORES.parquet")]
    scores: PathBuf,
    /// The column of the score: a number, higher is more at risk.
    #[arg(long, value_name = "COLUMN")]
    score: String,
    /// The column of the outcome: true or false, 1 or 0, yes or no. Without it (a list in use, whose outcomes
    /// are not known yet) only who is selected is compared.
    #[arg(long, value_name = "COLUMN")]
    outcome: Option<String>,
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
    #[arg(long, value_name = "K", value_parser = capacity)]
    capacity: Option<Capacity>,
    /// Selected are those of whom this column says so: true or false, 1 or 0, yes or no.
    #[arg(long, value_name = "COLUMN")]
    predicted: Option<String>,
    /// How many people of the population a row stands for: a column of numbers above 0.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// The family of a row. Without it rows are taken for independent, and intervals can be too narrow.
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// The group that the others of its column are compared with.
    #[arg(long = "reference", value_name = "GROUP=VALUE", value_parser = reference)]
    references: Vec<(String, String)>,
    /// Groups with fewer rows are held back, and smaller numbers withheld; 1 shows everything [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    min_n: Option<u32>,
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
    /// Resamples of the bootstrap [default: 999].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(Bootstrap::LEAST)..))]
    resamples: Option<u32>,
    /// The seed of the bootstrap [default: 0]. The same table and seed give the same audit.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// The heading of the page: whose scores, and what they foresee [default: the name of the file].
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The folder for audit.html, audit.json and audit.csv.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// What audit.json holds.
#[derive(Serialize)]
struct Document<'a> {
    /// The name of the file, without its folder: a path says more about a computer than about the audit.
    scores: &'a str,
    columns: &'a ScoreColumns,
    read: u64,
    audited: u64,
    without_cluster: u64,
    /// How many rows could not be audited.
    rejected_rows: u64,
    /// Where they stand and why. Not given where counts are rounded: their number would be exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<&'a [RejectedRow]>,
    audit: &'a Audit,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let columns = columns(arguments);
    let params = params(arguments)?;
    let progress = Progress::start("reading");
    let (table, intake) = read_scores(&arguments.scores, &columns)?;
    progress.stage("auditing");
    let audit = table.audit(&params)?;
    drop(progress);
    let exact = params.round_to.is_none();
    let file = arguments.scores.file_name().unwrap_or_default().to_string_lossy();
    let document = Document {
        scores: &file,
        columns: &columns,
        read: published(intake.read, params.round_to),
        audited: published(intake.audited, params.round_to),
        without_cluster: published(intake.without_cluster, params.round_to),
        rejected_rows: published(intake.rejected.len() as u64, params.round_to),
        rejected: exact.then_some(&intake.rejected),
        audit: &audit,
    };
    let title = arguments.title.as_deref().unwrap_or(&file);
    let out = &arguments.out;
    output::write(&out.join("audit.html"), &audit_html(&audit, title, exact.then_some(&intake))?)?;
    output::write(&out.join("audit.json"), &(serde_json::to_string_pretty(&document)? + "\n"))?;
    output::write(&out.join("audit.csv"), &audit_csv(&audit)?)?;
    if arguments.json {
        output::print_json(&document)?;
    } else {
        output::print(&audit_text(&audit))?;
        output::print(&format!("\nWritten to {}\n", out.display()))?;
    }
    Ok(outcome_of(&intake, exact))
}

/// A count, rounded if asked for, halves upwards.
fn published(count: u64, round_to: Option<u32>) -> u64 {
    round_to.map_or(count, |to| {
        let to = u64::from(to.max(1));
        (2 * count + to) / (2 * to) * to
    })
}

fn columns(arguments: &Arguments) -> ScoreColumns {
    ScoreColumns {
        groups: arguments.groups.clone(),
        not_held: arguments.not_held.clone(),
        predicted: arguments.predicted.clone(),
        weight: arguments.weight.clone(),
        cluster: arguments.cluster.clone(),
        outcome: arguments.outcome.clone(),
        ..ScoreColumns::without_outcome(&arguments.score)
    }
}

fn params(arguments: &Arguments) -> Result<AuditParams, Failure> {
    let operating = match (arguments.threshold, arguments.capacity, &arguments.predicted) {
        (Some(threshold), None, None) => OperatingPoint::Threshold(threshold),
        (None, Some(capacity), None) => OperatingPoint::Capacity(capacity),
        (None, None, Some(_)) => OperatingPoint::Predicted,
        _ => {
            return Err("give one of --threshold, --capacity and --predicted: it says who is selected".into());
        }
    };
    let defaults = AuditParams::at(operating);
    Ok(AuditParams {
        references: arguments.references.clone(),
        minimum: arguments.min_n.unwrap_or(defaults.minimum),
        round_to: arguments.round_to,
        intersections: arguments.intersections.unwrap_or(defaults.intersections),
        margin: arguments.margin.unwrap_or(defaults.margin),
        bootstrap: Bootstrap {
            resamples: arguments.resamples.unwrap_or(defaults.bootstrap.resamples),
            seed: arguments.seed.unwrap_or(defaults.bootstrap.seed),
        },
        ..defaults
    })
}

/// `20`, or `20%`.
fn capacity(text: &str) -> Result<Capacity, String> {
    let wrong = || "write a number of cases (20), or a share of them (20%)".to_owned();
    if let Some(percent) = text.trim().strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        return if percent > 0.0 && percent <= 100.0 {
            Ok(Capacity::Share(percent / 100.0))
        } else {
            Err(wrong())
        };
    }
    match text.trim().parse() {
        Ok(cases) if cases > 0 => Ok(Capacity::Cases(cases)),
        _ => Err(wrong()),
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
fn outcome_of(intake: &ScoreIntake, exact: bool) -> Outcome {
    if intake.without_cluster > 0 {
        eprintln!("warning: {} rows have no family; each counts as its own", intake.without_cluster);
    }
    if intake.rejected.is_empty() {
        return Outcome::Done;
    }
    eprintln!("warning: {} of {} rows could not be audited:", intake.rejected.len(), intake.read);
    for (column, reason, count) in intake.reasons() {
        let column = column.map_or_else(String::new, |column| format!("column {column}: "));
        eprintln!("  {count}: {column}{}", reason.words());
    }
    if exact {
        eprintln!("audit.json has the position of each");
    } else {
        eprintln!("positions are not written down, since counts are to be rounded");
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
    fn counts_are_rounded_halves_upwards() {
        let rounded = |count| published(count, Some(5));
        assert_eq!([0, 2, 3, 2_001, 7].map(rounded), [0, 0, 5, 2_000, 5]);
        assert_eq!((published(5, Some(10)), published(2_001, None)), (10, 2_001));
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
