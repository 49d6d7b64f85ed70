//! What a score would be without a record: against the same records read again without that row.

use earlyhelp::cohort::Cohort;
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::FairnessAudit;
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::features::FeatureSpec;
use earlyhelp::model::Candidate;
use earlyhelp::records::Records;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{AuditedModel, Scorer, Scores, Without};

use crate::world::{self, World, cohort, list_date, released, request, sign_off};

fn score_of(scores: &Scores<'_, '_>, entity: &str) -> f64 {
    let at = (1..=scores.len()).find(|&rank| scores.case(rank).unwrap().unwrap().entity() == entity);
    serde_json::to_value(scores.case(at.unwrap()).unwrap().unwrap()).unwrap()["score"].as_f64().unwrap()
}

/// The world without the rows of these references.
fn without(world: &World, gone: &[String]) -> Records {
    let mut rest = world.clone();
    for source in &mut rest.sources {
        source.rows.retain(|row| !gone.contains(&row.reference));
    }
    rest.records()
}

/// Holds what is said against the score that the records without those rows give, and its rank among all others.
fn holds(said: &Without, scorer: &Scorer, scores: &Scores<'_, '_>, entity: &str, left: &Records) -> bool {
    let all: Vec<(String, f64)> = (1..=scores.len())
        .map(|rank| {
            let case = scores.case(rank).unwrap().unwrap();
            let value = serde_json::to_value(&case).unwrap();
            (case.entity().to_owned(), value["score"].as_f64().unwrap())
        })
        .collect();
    let now = all.iter().position(|(held, _)| held == entity).unwrap();
    let again = score_of(&scorer.score(&cohort(left, list_date()), &request()).unwrap(), entity);
    let above = all.iter().filter(|(held, score)| held != entity && *score > again).count();
    assert_eq!(said.of as usize, all.len());
    assert_eq!(said.rank_now as usize, now + 1);
    assert_eq!(
        said.change.to_bits(),
        (again - all[now].1).to_bits(),
        "{} and {}",
        said.change,
        again - all[now].1
    );
    again.to_bits() == all[now].1.to_bits() || said.rank as usize == above + 1
}

#[test]
fn a_score_without_a_record_is_the_score_of_the_records_without_it() {
    let council = released();
    let scores = council.scorer.score(&cohort(&council.records, list_date()), &request()).unwrap();
    let list = ReviewList::draw(&scores, Capacity::Cases(6)).unwrap();
    let mut told = 0;
    for entry in list.entries() {
        let entity = entry.case().entity();
        let found = entry.counter_evidence();
        assert!(found.help_seeking.is_none(), "no feature of this model rests on help-seeking");
        assert!(found.records.len() <= 3);
        assert!(found.records.windows(2).all(|pair| pair[0].without.change <= pair[1].without.change));
        for one in &found.records {
            let reference = one.record.reference.clone().unwrap();
            let left = without(&council.world, std::slice::from_ref(&reference));
            assert!(holds(&one.without, &council.scorer, &scores, entity, &left), "{reference}");
            assert!(one.without.change < 0.0);
            assert!(one.words().contains("points lower"), "{}", one.words());
            told += 1;
        }
        // None that was left out lowers it more.
        let weakest = found.records.last().map_or(0.0, |one| one.without.change);
        let behind = entry
            .case()
            .contributions()
            .iter()
            .filter(|part| part.log_odds > 0.005)
            .flat_map(|part| &part.records);
        let others: std::collections::BTreeSet<String> = behind
            .filter_map(|record| record.reference.clone())
            .filter(|reference| {
                found.records.iter().all(|one| one.record.reference.as_ref() != Some(reference))
            })
            .collect();
        for reference in others.into_iter().take(5) {
            let left = without(&council.world, std::slice::from_ref(&reference));
            let again =
                score_of(&council.scorer.score(&cohort(&left, list_date()), &request()).unwrap(), entity);
            let now = score_of(&scores, entity);
            assert!(again - now >= weakest || found.records.len() < 3 && again - now > -0.005, "{reference}");
        }
    }
    assert!(told >= 6, "only {told} records were named");
}

#[test]
fn a_score_without_help_seeking_is_that_of_the_records_without_any() {
    let council = released();
    // The same model, but that schools' records are requests for help.
    let features = world::features().features().to_vec().into_iter().map(|mut feature| {
        feature.help_seeking = feature.records.source == "school";
        feature
    });
    let features = FeatureSpec::new(features.collect()).unwrap();
    let cohorts: Vec<Cohort<'_>> =
        world::training_dates().iter().map(|&date| cohort(&council.records, date)).collect();
    let data = Dataset::build(&features, &world::outcome(), &cohorts).unwrap();
    let candidate = Candidate::train(&data, &world::trainer(), world::context(&council.records)).unwrap();
    let backtest = world::backtest(&candidate, &data);
    let audit = FairnessAudit::of(&backtest, &council.world.protected(), &AuditParams::at_release()).unwrap();
    let scorer = AuditedModel::new(candidate, &backtest, &audit).unwrap().release(sign_off()).unwrap();
    let scores = scorer.score(&cohort(&council.records, list_date()), &request()).unwrap();
    let mut told = 0;
    for rank in 1..=8 {
        let case = scores.case(rank).unwrap().unwrap();
        let asked: Vec<String> = case
            .contributions()
            .iter()
            .filter(|part| part.help_seeking)
            .flat_map(|part| part.records.iter().filter_map(|record| record.reference.clone()))
            .collect();
        let found = scores.counter_evidence(rank).unwrap().unwrap().help_seeking;
        assert_eq!(found.is_none(), asked.is_empty(), "rank {rank}");
        if let Some(found) = found {
            let left = without(&council.world, &asked);
            assert!(holds(&found, &scorer, &scores, case.entity(), &left), "rank {rank}");
            assert!(found.words().contains("asked for help"));
            told += 1;
        }
    }
    assert!(told > 0);
    assert!(scores.counter_evidence(0).unwrap().is_none());
    assert!(scores.counter_evidence(scores.len() + 1).unwrap().is_none());
}
