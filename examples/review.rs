//! A list, one case, one decision: what case-management software does with a list.
//!
//! ```text
//! cargo run --example review
//! ```
//!
//! Decisions are made by people. The crate records them and does nothing about them.

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::project::Project;
use earlyhelp::review::{Agreement, ListParams, RandomSample, ReviewList, Reviewer, Step, WhyListed};
use earlyhelp::scoring::{Request, SignOff};
use earlyhelp::synthetic::{CouncilParams, Format};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let council = CouncilParams::new(4_000, 1).generate()?;
    let folder = std::env::temp_dir().join("earlyhelp-review");
    let project = Project::load(council.write(&folder, Format::Csv)?)?;
    let records = project.records()?;
    let model = project.train(&records, &project.protected()?, &project.training.trainer)?;
    let today = council.extract_date();
    let scorer = model.release(SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: project.purpose.clone(),
        signed_on: today,
        review_by: today.plus_months(12),
    })?;
    let cohort = project.cohort(&records, AsOf::new(today))?;
    let scores = scorer.score(&cohort, &Request::new("B. Lead", &project.purpose, today))?;
    // Whom somebody is working with already, as the project declares it: marked beside a case, and in no score.
    let scores = scores.known_to(&project.known_to)?;

    // Three cases by rank and one drawn at random, so that the team also sees what the ranking misses.
    let comparison = RandomSample { cases: 1, seed: project.seed };
    let mut list = ReviewList::draw(&scores, ListParams::new(Capacity::Cases(3)).comparison(comparison))?;
    for (place, entry) in list.entries().iter().enumerate() {
        let why = match entry.why_listed() {
            WhyListed::ByRank => "by rank",
            WhyListed::AtRandom => "at random",
            WhyListed::ByShare => "by its group's share",
        };
        println!("place {}: {} ({why})", place + 1, entry.case().entity());
    }

    // A named person opens one case. While it is open, the list cannot be used for anything else.
    let open = list.open(1, Reviewer::new("C. Worker", "Early help practitioner"), today + 2)?;
    let case = open.case();
    println!("\n{} of {}: {} of scores", case.rank(), case.of(), case.band().name);
    for reason in case.contributions().iter().take(4) {
        println!("  {:+.2}  {} [{} records]", reason.log_odds, reason.words, reason.records.len());
    }
    for mark in case.known_to() {
        println!("  {}: {}", mark.words, mark.known);
    }
    for absence in case.absent() {
        println!("  nothing known: {}", absence.label);
    }

    // Deciding closes the case. A reason in words is needed, also for doing nothing.
    let decision = open.decide(
        Step::SeekInformation,
        Agreement::CannotTell,
        "The school knows the family; ask before anything is offered.",
        today + 2,
    )?;
    println!("\n{}", serde_json::to_string_pretty(&decision)?);
    Ok(())
}
