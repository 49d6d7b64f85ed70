//! The models that are shipped can be loaded, verified and used.

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::evaluate::Capacity;
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::report::papers::model_card;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};

#[test]
fn the_released_example_models_score_another_council() {
    // Another council than the one they were trained on, with the same extracts and rules.
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_000, 9).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let records = project.records().unwrap();
    let today: Day = council.extract_date();
    let cohort = project.cohort(&records, AsOf::new(today)).unwrap();
    for trainer in Trainer::NAMES {
        let path = format!("{}/models/synthetic_council_{trainer}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let scorer = Scorer::from_json(&text).unwrap();
        assert_eq!(scorer.candidate().trainer().name(), trainer);
        assert!(text.contains(scorer.digest()));
        // Verified: one changed character of what it says is refused.
        let words = &scorer.candidate().outcome().words;
        let changed = text.replacen(words, &words.to_uppercase(), 1);
        assert_ne!(changed, text);
        assert!(Scorer::from_json(&changed).is_err(), "{trainer}");

        // Its card is what the crate says of it today, and was not touched by hand.
        let card = model_card(&scorer);
        for (form, text) in [("md", card.to_markdown()), ("json", card.to_json().unwrap())] {
            let path =
                format!("{}/models/synthetic_council_{trainer}.card.{form}", env!("CARGO_MANIFEST_DIR"));
            let shipped = std::fs::read_to_string(path).unwrap();
            assert!(shipped == text, "{trainer}: write the cards again, see models/make.sh");
        }

        let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
        let scores = scorer.score(&cohort, &request).unwrap();
        assert_eq!(scores.len() + scores.not_scored().len(), cohort.len(), "nobody is lost");
        let list = ReviewList::draw(&scores, Capacity::Cases(3), None).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list.audit().model, scorer.digest());
        assert!(list.entries()[0].case().score() >= list.entries()[2].case().score());
        for entry in list.entries() {
            let stability = entry.case().stability().unwrap();
            assert!(stability.kept_in <= stability.refits && stability.refits >= 2);
            assert!(entry.case().contributions().iter().all(|part| part.interval.is_some()));
        }
    }
}
