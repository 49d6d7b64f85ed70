//! A run on record: who asked for it, who opened which case, what they decided; then proved, made again, and
//! one person taken out.
//!
//! ```text
//! cargo run --example ledger
//! ```

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::{Erasure, Ledger, ReplayOf};
use earlyhelp::project::Project;
use earlyhelp::review::{Agreement, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A council that does not exist, and a model that was released for such a one.
    let council = CouncilParams::new(4_000, 1).generate()?;
    let folder = std::env::temp_dir().join("earlyhelp-ledger-run");
    let project = Project::load(council.write(&folder, Format::Csv)?)?;
    let records = project.records()?;
    let scorer = Scorer::from_json(include_str!("../models/synthetic_council_additive.json"))?;
    let today = council.extract_date();

    // One file. Each entry is chained to the one before, so a change shows.
    let path = folder.join("ledger.jsonl");
    if path.exists() {
        std::fs::remove_file(&path)?; // of an earlier run of this example
    }
    let ledger = Ledger::open(&path)?;

    // The run is on record before it is made, and whole before anybody gets the list.
    let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
    let start = ledger.start_run(&scorer, &request, AsOf::new(today), None)?;
    let cohort = project.cohort(&records, AsOf::new(today))?;
    let scores = scorer.score(&cohort, &request)?;
    let mut list = ReviewList::draw(&scores, Capacity::Cases(5))?;
    let run = ledger.finish_run(start, &scores, &mut list, &records)?;
    println!("On record: {} cases scored, {} listed", scores.len(), list.len());

    // Opening a case is an entry of its own; so is the decision.
    let reviewer = Reviewer::new("C. Worker", "Early help practitioner");
    let case = ledger.open_case((&run, 1), reviewer, Some("The school is worried."), today + 1)?;
    let entity = case.entity().to_owned();
    let reason = "The school knows the family; ask before anything is offered.";
    let decision = case.decide(Step::SeekInformation, Agreement::Agree, reason, today + 2)?;
    ledger.record_decision(&decision)?;
    println!("Decided by {}: {}", decision.reviewer().name, decision.reason());

    // Nobody changed anything, and every past score comes out the same. Keep the checkpoint elsewhere: with it a
    // chain that was written anew shows, too.
    let checkpoint = ledger.checkpoint(today + 2)?;
    println!("Verified: {}", ledger.verify(std::slice::from_ref(&checkpoint))?);
    let replay = ledger.replay(&ReplayOf::Run(run), None)?;
    println!("Made again: {} of {} the same", replay.reproduced, replay.asked);

    // A person is taken out. What was said of them is gone from the file, and the chain still holds.
    let erasure = Erasure {
        entity: entity.clone(),
        by: "D. Officer".into(),
        reason: "a request for erasure was granted".into(),
        ..Erasure::default()
    };
    let purged = ledger.purge(&erasure, today + 3)?;
    println!("Taken out: the content of {} entries; wiped: {}", purged.entries.len(), purged.wiped);
    println!("Verified: {}", ledger.verify(std::slice::from_ref(&checkpoint))?);
    println!("Still held of the person: {}", ledger.subject_pack(&entity, today + 3).is_ok());
    Ok(())
}
