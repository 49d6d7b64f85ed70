//! The models that are shipped can be loaded, verified and used.

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::error::ScoringError;
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::audit::{AttributeFinding, AuditedOutcome};
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::report::model_html;
use earlyhelp::report::papers::model_card;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{AuditedModel, Request, Scorer};
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
        let card = model_card(&scorer).unwrap();
        for (form, text) in [("md", card.to_markdown()), ("json", card.to_json().unwrap())] {
            let path =
                format!("{}/models/synthetic_council_{trainer}.card.{form}", env!("CARGO_MANIFEST_DIR"));
            let shipped = std::fs::read_to_string(path).unwrap();
            assert!(shipped == text, "{trainer}: write the cards again, see models/make.sh");
        }

        let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
        let scores = scorer.score(&cohort, &request).unwrap();
        assert_eq!(scores.len() + scores.not_scored().len(), cohort.len(), "nobody is lost");
        let list = ReviewList::draw(&scores, Capacity::Cases(3)).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list.provenance().model, scorer.digest());
        assert!(list.entries()[0].case().score() >= list.entries()[2].case().score());
        for entry in list.entries() {
            let stability = entry.case().stability().unwrap();
            assert!(stability.kept_in <= stability.refits && stability.refits >= 2);
            assert!(entry.case().contributions().iter().all(|part| part.interval.is_some()));
        }
    }
}

/// A file as version 1 of the form had it.
const RELEASED_1: &str = include_str!("fixtures/released_1.json");

#[test]
fn a_file_of_version_1_loads_verifies_and_stays_as_it_is() {
    let scorer = Scorer::from_json(RELEASED_1).unwrap();
    assert!(RELEASED_1.contains(scorer.digest()));
    assert_eq!(scorer.to_json().unwrap(), RELEASED_1.trim_end());
    for (was, is) in
        [("\"selected\": 2162", "\"selected\": 2163"), ("\"group\": \"WROM\"", "\"group\": \"WROX\"")]
    {
        let changed = RELEASED_1.replacen(was, is, 1);
        assert_ne!(changed, RELEASED_1);
        assert!(matches!(Scorer::from_json(&changed), Err(ScoringError::Changed)), "{was}");
    }
    let renamed = RELEASED_1.replacen("earlyhelp-released/1", "earlyhelp-released/2", 1);
    assert!(matches!(Scorer::from_json(&renamed), Err(ScoringError::File(_))), "not an audit");
    // It is read; nobody signs for such a check again.
    let refused = scorer.audited().unwrap().release(scorer.sign_off().clone()).unwrap_err();
    assert!(matches!(refused, ScoringError::EarlierCheck), "{refused}");
}

/// The example model as a later version could write it: with a field that this one does not know, and a digest of all of it.
fn of_a_later_version(field: &str) -> String {
    let text = include_str!("../models/synthetic_council_additive.json");
    let says = &text[text.find("\"says\": ").unwrap() + "\"says\": ".len()..text.trim_end().len() - 1];
    let says = says.trim_end().replacen('{', &format!("{{\n    {field},"), 1);
    // A pretty printer breaks lines between tokens, and has one space behind a name.
    let compact: String = says.lines().map(str::trim_start).collect::<String>().replace("\": ", "\":");
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(compact));
    format!("{{\"format\": \"earlyhelp-released/2\", \"digest\": \"{digest}\", \"says\": {says}}}")
}

#[test]
fn a_file_of_a_later_version_is_told_from_one_that_was_changed() {
    let known = include_str!("../models/synthetic_council_additive.json");
    let of_form = |form: &str| known.replacen("earlyhelp-released/2", form, 1);
    let later = of_form("earlyhelp-released/3");
    assert!(matches!(Scorer::from_json(&later), Err(ScoringError::Later)));
    assert!(matches!(AuditedModel::from_json(&later), Err(ScoringError::Later)));
    assert!(matches!(Scorer::from_json(&of_form("earlyhelp-released/x")), Err(ScoringError::File(_))));

    let whole = of_a_later_version("\"weather\": \"a \\\"fine\\\" day\"");
    let refused = Scorer::from_json(&whole).unwrap_err();
    assert!(matches!(refused, ScoringError::Later), "{refused}");
    let changed = whole.replacen("fine", "dull", 1);
    assert!(matches!(Scorer::from_json(&changed), Err(ScoringError::File(_))));
}

#[test]
fn a_file_of_version_1_shows_no_small_number_of_people() {
    // The file itself has a group of 103 with 5 who had the outcome and 7 on lists.
    assert!(RELEASED_1.contains("\"positives\": 5,") && RELEASED_1.contains("\"selected\": 7,"));
    let scorer = Scorer::from_json(RELEASED_1).unwrap();
    let audit = scorer.fairness();
    let (mut shown, mut withheld) = (0, 0);
    for attribute in &audit.attributes {
        let AttributeFinding::Measured { groups, criteria, .. } = &attribute.finding else { continue };
        assert!(criteria.is_empty());
        for group in groups {
            let AuditedOutcome::Shown { measures, .. } = &group.outcome else { continue };
            for count in [measures.positives, measures.selected] {
                // None and all point at nobody; what lies between is not few on either side.
                let is_few = |number: u64| (1..10).contains(&number);
                assert!(
                    count.is_none_or(|count| !is_few(count) && !is_few(measures.n - count)),
                    "{}",
                    group.name()
                );
                if count.is_some() { shown += 1 } else { withheld += 1 }
            }
        }
    }
    assert!(shown > 40 && withheld > 2, "{shown} {withheld}");
    let (page, card) = (model_html(&scorer).unwrap(), model_card(&scorer).unwrap().to_markdown());
    for text in [&page, &card] {
        assert!(text.contains("an earlier form of the check") && text.contains("not shown"));
    }
}
