//! A released model, some time later: has what it reads moved, do its sources still deliver, and was it right?
//!
//! ```text
//! cargo run --example monitoring
//! ```
//!
//! Nothing here retrains a model or switches one off. A report asks people to look.

use earlyhelp::calendar::AsOf;
use earlyhelp::monitor::{Monitor, MonitorParams};
use earlyhelp::project::Project;
use earlyhelp::synthetic::{CouncilParams, Format};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let council = CouncilParams::new(4_000, 1).generate()?;
    let folder = std::env::temp_dir().join("earlyhelp-monitoring");
    let mut project = Project::load(council.write(&folder, Format::Csv)?)?;
    let records = project.records()?;

    // The model of a year ago: it was trained without the latest date, whose outcomes are known by now.
    project.training.as_of.pop();
    let model = project.train(&records, &project.protected()?, &project.training.trainer)?;
    let params = MonitorParams { seed: project.seed, ..MonitorParams::default() };

    // On the day of the extracts: drift of the score and of each feature, heaviest first.
    let today = council.extract_date();
    let report = Monitor::audited(&model).run(&records, AsOf::new(today), &params)?;
    println!("{}: {}", report.as_of, report.verdict);
    let psi = report.score.shift.psi;
    println!("score: index {psi:.3}, limit {}: {}", params.limits.score_psi, report.score.shift.verdict);
    for drift in report.drift.iter().take(3) {
        println!("{}: index {:.3}: {}", drift.label, drift.shift.psi, drift.shift.verdict);
    }

    // Outcomes that have become known since the training: is it as good as its backtest said?
    let dates: Vec<String> = report.outcomes.dates.iter().map(ToString::to_string).collect();
    println!("\nOutcomes known since: {}", dates.join(", "));
    for change in &report.outcomes.figures {
        if let (Some(then), Some(now)) = (&change.backtest, &change.now) {
            let figure = change.figure.words();
            println!("{figure}: {:.3} in the backtest, {:.3} now: {}", then.value, now.value, change.verdict);
        }
    }

    // Ten months later with the same extracts: nobody delivered, and the report names what went stale.
    let later = AsOf::new(today.plus_months(10));
    let stale = Monitor::audited(&model).run(&records, later, &params)?;
    println!("\n{}: {}. {}", stale.as_of, stale.verdict, stale.advice);
    for what in stale.beyond().iter().filter(|what| what.ends_with("freshness")).take(3) {
        println!("look at: {what}");
    }
    Ok(())
}
