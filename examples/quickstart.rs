//! From extracts to a ranked list, on a council that does not exist.
//!
//! ```text
//! cargo run --example quickstart
//! ```

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::project::Project;
use earlyhelp::report::audit::audit_text;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Request, SignOff};
use earlyhelp::synthetic::{CouncilParams, Format};

fn main() -> earlyhelp::Result<()> {
    // Extracts of 16 services and the project.toml that says what they are. Yours go here.
    let council = CouncilParams::new(4_000, 1).generate()?;
    let folder = std::env::temp_dir().join("earlyhelp-quickstart");
    let project = Project::load(council.write(&folder, Format::Csv)?)?;

    // Linked records; every row that cannot be used is kept as a reject.
    let records = project.records()?;

    // A model, tested on later dates and on families it never saw, and checked for fairness.
    let trainer = &project.training.trainer;
    let model = project.train(&records, &project.protected()?, trainer)?;
    println!("{}\n{}", model.backtest().overall, audit_text(&model.fairness()));

    // Nothing scores before somebody has signed for it.
    let today = council.extract_date();
    let scorer = model.release(SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: project.purpose.clone(),
        signed_on: today,
        review_by: today.plus_months(12),
    })?;

    // A short list for people to review: each case with its explanation and its provenance.
    let cohort = project.cohort(&records, AsOf::new(today))?;
    let scores = scorer.score(&cohort, &Request::new("B. Lead", &project.purpose, today))?;
    for entry in ReviewList::draw(&scores, Capacity::Cases(5))?.entries() {
        let case = entry.case();
        println!("{}. {} ({} of scores)", case.rank(), case.entity(), case.band().name);
        for reason in case.contributions().iter().take(3) {
            println!("   {:+.2}  {}", reason.log_odds, reason.words);
        }
    }
    Ok(())
}
