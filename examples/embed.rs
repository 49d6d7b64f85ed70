//! A case-management program embeds the crate: it asks about one person, keeps a month's list for all its threads, is
//! restarted, and works on where it was.
//!
//! ```text
//! cargo run --example embed
//! ```

use std::sync::Arc;

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::Ledger;
use earlyhelp::project::Project;
use earlyhelp::review::{Agreement, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{Answer, Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};

fn main() -> earlyhelp::Result<()> {
    let council = CouncilParams::new(4_000, 1).generate()?;
    let folder = std::env::temp_dir().join("earlyhelp-embed");
    let _ = std::fs::remove_dir_all(&folder); // of an earlier run of this example
    let project = Project::load(council.write(&folder, Format::Csv)?)?;
    let (today, path) = (council.extract_date(), folder.join("ledger.sqlite"));

    // What the program holds, for all its threads. Nothing borrows from anything.
    let records = Arc::new(project.records()?);
    let scorer = Arc::new(Scorer::from_json(include_str!("../models/synthetic_council_additive.json"))?);
    let ledger = Ledger::open(&path)?;
    let asking = scorer.asking_shared(&records.as_of_shared(AsOf::new(today))).known_to(&project.known_to)?;
    let request = |by: &str| Request::new(by, &scorer.sign_off().purpose, today);

    // This month's list, on record before anybody sees it.
    let start = ledger.start_run(&scorer, &request("B. Lead"), AsOf::new(today), None)?;
    let cohort = scorer.candidate().cohort().choose(asking.snapshot())?;
    let scores = scorer.score_shared(&cohort, &request("B. Lead"))?.known_to(&project.known_to)?;
    let mut list = ReviewList::draw(&scores, Capacity::Cases(10))?;
    let run = ledger.finish_run(start, &scores, &mut list, &records)?;

    // A worker opens a person: the same score and reasons, apart from any list, and on record.
    let person = list.entries()[0].case().entity().to_owned();
    let asked = asking.one(&person, &request("C. Worker"))?;
    ledger.record_asked(&scorer, &asked)?;
    match asked.answer() {
        Answer::Scored(case) => {
            println!("{person}: {} of scores, {}", case.band().name, case.contributions()[0].words);
        }
        Answer::NotScored(why) => println!("{person}: {}", why.words()),
        Answer::NotInCohort(why) => println!("{person}: {}", why.words()),
        _ => {}
    }

    // The program is restarted. The list is where it was, and a case of it is opened and decided.
    drop((ledger, scores, list, asking));
    let ledger = Ledger::open_existing(&path)?;
    let next = ledger.list(&run)?.places.into_iter().find(|place| place.decided.is_none());
    if let Some(place) = next {
        let worker = Reviewer::new("C. Worker", "Early help practitioner");
        let case = ledger.open_case((&run, place.place), worker, None, today + 1)?;
        println!(
            "Place {}: {} reasons, the first: {}",
            place.place,
            case.view().reasons().len(),
            case.in_words()
        );
        let decision =
            case.decide(Step::SeekInformation, Agreement::CannotTell, "Ask the school first.", today + 1)?;
        ledger.record_decision(&decision)?;
    }

    // Later: what did we say of this person, to whom, and why?
    for said in ledger.subject_pack(&person, today + 31)?.scores {
        let whom = said.asked_by.unwrap_or_else(|| "the team, on a list".to_owned());
        println!("{} to {whom}: {}", said.as_of, said.reasons.first().map_or("", |reason| &reason.words));
    }
    Ok(())
}
