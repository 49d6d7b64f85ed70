//! The models that are shipped can be loaded, verified and used.

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::evaluate::Capacity;
use earlyhelp::project::Project;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};

#[test]
fn the_released_example_model_scores_another_council() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/synthetic_council_logistic.json");
    let text = std::fs::read_to_string(path).unwrap();
    let scorer = Scorer::from_json(&text).unwrap();
    assert!(text.contains(scorer.digest()));

    // Another council than the one it was trained on, with the same extracts and rules.
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_000, 9).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let records = project.records(|_, _| {}).unwrap();
    let today: Day = council.extract_date();
    let cohort = project.cohort(&records, AsOf::new(today)).unwrap();
    let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
    let scores = scorer.score(&cohort, &request).unwrap();
    let list = ReviewList::draw(&scores, Capacity::Cases(3), None).unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(list.audit().model, scorer.digest());
    assert!(list.entries()[0].case().score() >= list.entries()[2].case().score());
}
