//! `earlyhelp edit`

use std::path::PathBuf;

use earlyhelp::calendar::Day;
use earlyhelp::model::{Change, Condition, Edit};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output, today};

const AFTER_HELP: &str = "\
The change is made to the model and, so that it is tested, to every model that the backtest trains. The \
backtest and the fairness check are run again on the same cases, and both versions' figures are printed side \
by side, with their difference. The new file says who changed what and why; it has to be released like any other.

Examples:
  Six visits or more count alike:
    earlyhelp edit project.toml --model model.json --flatten visits_12m:6: \\
      --by \"A. Analyst\" --reason \"Beyond six it says how a clinic books\" --out edited.json
  Help that was asked for must not raise a score above the average case's:
    earlyhelp edit project.toml --model model.json --clamp help_asked_12m::0 --by ... --reason ... --out ...
  A pair is written FIRST*SECOND:
    earlyhelp edit project.toml --model model.json --drop \"age*visits_12m\" --by ... --reason ... --out ...
  A line of a scorecard gets two points (0 takes it off the card):
    earlyhelp edit project.toml --model card.json --points \"visits_12m>=3=2\" --by ... --reason ... --out ...";

const POINTS_HELP: &str = "Give a line of a scorecard other points: FEATURE>=CUT=POINTS, FEATURE<CUT=POINTS, \
    FEATURE:missing=POINTS, FEATURE:not_covered=POINTS or, for both at once, FEATURE:absent=POINTS";

/// Arguments of `earlyhelp edit`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The model as `earlyhelp train`, `earlyhelp edit` or `earlyhelp release` wrote it.
    #[arg(long, value_name = "MODEL.json")]
    model: PathBuf,
    /// Who changes it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The day of the change, if not today.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    #[command(flatten)]
    change: Asked,
    /// The file to write the edited model to. It cannot score until it is released.
    #[arg(long, value_name = "EDITED.json")]
    out: PathBuf,
    #[command(flatten)]
    force: output::ForceArgument,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// One change a run: each has its own reason, and its own figures before and after.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Asked {
    /// Take a feature out, with every pair that it is part of; or a pair alone.
    #[arg(long, value_name = "FEATURE")]
    drop: Option<String>,
    /// Make a shape flat for values from FROM up to, not including, TO; either may be left empty.
    #[arg(long, value_name = "FEATURE:FROM:TO")]
    flatten: Option<String>,
    /// Hold a shape's contributions, as they stand (log-odds), between LEAST and MOST; either may be left empty.
    #[arg(long, value_name = "FEATURE:LEAST:MOST")]
    clamp: Option<String>,
    #[arg(long, value_name = "LINE=POINTS", help = POINTS_HELP)]
    points: Option<String>,
}

impl Asked {
    /// What is changed, and how.
    fn read(&self) -> Result<(Vec<String>, Change), Failure> {
        if let Some(feature) = &self.drop {
            return Ok((features(feature), Change::Drop));
        }
        if let Some(text) = &self.flatten {
            let (on, [from, to]) = range(text, "--flatten", "FEATURE:FROM:TO")?;
            return Ok((on, Change::Flatten { from, to }));
        }
        if let Some(text) = &self.clamp {
            let (on, [least, most]) = range(text, "--clamp", "FEATURE:LEAST:MOST")?;
            return Ok((on, Change::Clamp { least, most }));
        }
        let (feature, condition, points) = points(self.points.as_deref().unwrap_or_default())?;
        Ok((vec![feature], Change::Points { condition, points }))
    }
}

/// The feature, or the two of a pair.
fn features(text: &str) -> Vec<String> {
    text.split('*').map(|name| name.trim().to_owned()).collect()
}

/// Features and two bounds, either of which may be empty.
fn range(text: &str, option: &str, form: &str) -> Result<(Vec<String>, [Option<f64>; 2]), Failure> {
    let wrong = || format!("{option} \"{text}\": write {form}; a bound may be left empty, the colons not");
    let mut parts = text.rsplitn(3, ':');
    let (Some(high), Some(low), Some(on)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong().into());
    };
    let bound = |text: &str| match text.trim() {
        "" => Ok(None),
        number => number.parse().map(Some).map_err(|_| wrong()),
    };
    Ok((features(on), [bound(low)?, bound(high)?]))
}

/// A line of a card and its new points.
fn points(text: &str) -> Result<(String, Condition, i32), Failure> {
    let wrong = || {
        format!(
            "--points \"{text}\": write FEATURE>=CUT=POINTS, FEATURE<CUT=POINTS, FEATURE:missing=POINTS, \
             FEATURE:not_covered=POINTS, FEATURE:absent=POINTS (either) or, of a feature of codes, \"FEATURE:code NUMBER=POINTS\" (the place in its list, from 0)"
        )
    };
    let (line, points) = text.rsplit_once('=').ok_or_else(wrong)?;
    let points = points.trim().parse().map_err(|_| wrong())?;
    let cut = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
    let (feature, condition) = if let Some((feature, at)) = line.split_once(">=") {
        (feature, Condition::AtLeast(cut(at)?))
    } else if let Some((feature, at)) = line.split_once('<') {
        (feature, Condition::Below(cut(at)?))
    } else {
        match line.rsplit_once(':').ok_or_else(wrong)? {
            (feature, "missing") => (feature, Condition::Missing),
            (feature, "not_covered") => (feature, Condition::NotCovered),
            (feature, "absent") => (feature, Condition::Absent),
            (feature, code) => {
                let code = code.strip_prefix("code ").and_then(|code| code.trim().parse().ok());
                (feature, Condition::Is(code.ok_or_else(wrong)?))
            }
        }
    };
    Ok((feature.trim().to_owned(), condition, points))
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let project = arguments.project.load()?;
    let before = output::model(&arguments.model)?.audited()?;
    let (on, change) = arguments.change.read()?;
    let mut inputs = arguments.project.inputs(&project);
    inputs.push(arguments.model.clone());
    let (outputs, name) = arguments.force.beside("model", &arguments.out, &inputs)?;
    outputs.check(&[&name])?;
    let edit = Edit {
        on,
        change,
        by: arguments.by.clone(),
        reason: arguments.reason.clone(),
        on_day: arguments.on.unwrap_or_else(today),
    };
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let (records, protected) = project.records_and_protected()?;
    let edited = project.edit(&records, &protected, before, edit)?;
    drop(progress);
    let after = edited.after();
    outputs.write(&[(name.as_str(), after.to_json()?)])?;
    if arguments.json {
        output::print_json(&json!({
            "model": after.candidate().digest(),
            "file": arguments.out,
            "edits": after.candidate().edits(),
            "previous": after.previous(),
            "training": after.candidate().training(),
            "backtest": after.backtest(),
            "fairness": after.fairness(),
            "difference": edited.difference(),
            "changed_verdicts": edited.changed_verdicts(),
        }))?;
    } else {
        output::print(&edited.to_string())?;
        output::print(&format!(
            "\nWritten to {}; `earlyhelp release` signs for it.\n",
            arguments.out.display()
        ))?;
    }
    Ok(output::outcome_of(&records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_from_their_short_forms() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(features("age*visits"), names(&["age", "visits"]));
        assert_eq!(range("a:3:", "", "").unwrap(), (names(&["a"]), [Some(3.0), None]));
        assert_eq!(range("a*b::-0.5", "", "").unwrap(), (names(&["a", "b"]), [None, Some(-0.5)]));
        for wrong in ["a", "a:3", "a:x:", ""] {
            assert!(range(wrong, "", "").is_err(), "{wrong}");
        }
        let line = |text: &str| points(text).map_err(|error| error.to_string());
        assert_eq!(line("a>=3=2"), Ok(("a".into(), Condition::AtLeast(3.0), 2)));
        assert_eq!(line("a<0.5=-1"), Ok(("a".into(), Condition::Below(0.5), -1)));
        assert_eq!(line("a:code 2=3"), Ok(("a".into(), Condition::Is(2), 3)));
        assert_eq!(line("a:missing=0"), Ok(("a".into(), Condition::Missing, 0)));
        assert_eq!(line("a:not_covered=4"), Ok(("a".into(), Condition::NotCovered, 4)));
        assert_eq!(line("a:absent=1"), Ok(("a".into(), Condition::Absent, 1)));
        for wrong in ["a>=3", "a=2", "a:gone=2", "a>=x=2", "a>=3=two", ""] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }
}
