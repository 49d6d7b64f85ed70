//! A score is the sum of its explanation, wherever it is read.

use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, Candidate, LogisticParams, Scale};
use earlyhelp::scoring::{AuditedModel, Scorer};
use proptest::prelude::*;
use serde_json::Value;

use crate::world::{self, Dice};

/// Cases with all three sorts of cell, and outcomes that depend on them.
fn cases(dice: &mut Dice, rows: usize, features: usize) -> (FeatureMatrix, Vec<Scale>, Vec<bool>) {
    let shares: Vec<(f64, f64)> =
        (0..features).map(|_| (*dice.pick(&[0.0, 0.01, 0.2]), *dice.pick(&[0.0, 0.01, 0.3]))).collect();
    let columns: Vec<Vec<Cell>> = shares
        .iter()
        .map(|&(missing, not_covered)| {
            (0..rows)
                .map(|_| {
                    let value = Cell::Value((dice.normal() * 3.0 + 2.0) as f32);
                    let otherwise = if dice.chance(not_covered) { Cell::NotCovered } else { value };
                    if dice.chance(missing) { Cell::Missing } else { otherwise }
                })
                .collect()
        })
        .collect();
    let outcomes = (0..rows)
        .map(|row| {
            let log_odds: f64 = columns
                .iter()
                .map(|column| match column[row] {
                    Cell::Value(value) => 0.2 * f64::from(value) - 0.4,
                    Cell::Missing => 0.5,
                    Cell::NotCovered => -0.3,
                })
                .sum();
            dice.chance(1.0 / (1.0 + (1.0 - log_odds).exp()))
        })
        .collect();
    let scales = (0..features).map(|_| if dice.chance(0.5) { Scale::Log } else { Scale::Linear }).collect();
    let names = (0..features).map(|feature| format!("f{feature}")).collect();
    (FeatureMatrix::from_cells(names, rows, &columns).unwrap(), scales, outcomes)
}

fn fit(dice: &mut Dice) -> (AdditiveModel, FeatureMatrix) {
    let (rows, features) = (dice.between(200, 800) as usize, dice.between(1, 7) as usize);
    let (matrix, scales, outcomes) = cases(dice, rows, features);
    let params = LogisticParams::default().l1_ratio(*dice.pick(&[0.0, 0.5, 1.0])).strength(0.003);
    (params.fit_matrix(&matrix, &scales, &outcomes, None).unwrap().model, matrix)
}

/// A case that training may never have seen: any number, or none.
fn any_case(dice: &mut Dice, model: &AdditiveModel) -> FeatureMatrix {
    let columns: Vec<Vec<Cell>> = model
        .features()
        .iter()
        .map(|_| {
            vec![match dice.below(4) {
                0 => Cell::Missing,
                1 => Cell::NotCovered,
                _ => Cell::Value((dice.normal() * 10_f64.powi(dice.between(-3, 5))) as f32),
            }]
        })
        .collect();
    FeatureMatrix::from_cells(model.features().to_vec(), 1, &columns).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_case_is_explained_as_it_is_among_all(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (model, _) = fit(&mut dice);
        for _ in 0..20 {
            let case = any_case(&mut dice, &model);
            let explanation = model.explain(&case, 0).unwrap();
            let sum: f64 = explanation.intercept() + explanation.contributions().iter().rev().sum::<f64>();
            let size: f64 = explanation.contributions().iter().map(|part| part.abs()).sum();
            prop_assert_eq!(explanation.contributions().len(), model.terms().len());
            let all = world::sums(&model, &case)[0];
            prop_assert!((sum - all).abs() <= 1e-12 * size.max(1.0));
            let alone = explanation.contributions().iter().fold(model.intercept(), |sum, part| sum + part);
            prop_assert_eq!(alone.to_bits(), all.to_bits(), "one case and all cases are explained alike");
        }
    }

    #[test]
    fn terms_are_centred_on_the_training_cases(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (model, matrix) = fit(&mut dice);
        let mut sums = vec![0.0; model.terms().len()];
        for row in 0..matrix.rows() {
            let explanation = model.explain(&matrix, row).unwrap();
            for (sum, part) in sums.iter_mut().zip(explanation.contributions()) {
                *sum += part;
            }
        }
        for (term, sum) in model.terms().iter().zip(&sums) {
            let mean = sum / matrix.rows() as f64;
            prop_assert!(mean.abs() < 1e-9, "the mean contribution is {}: {:?}", mean, term);
        }
    }

    #[test]
    fn a_model_read_back_says_the_same_to_the_bit(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (model, matrix) = fit(&mut dice);
        let read: AdditiveModel = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        prop_assert_eq!(&read, &model);
        prop_assert_eq!(bits(&read, &matrix), bits(&model, &matrix));
    }
}

fn bits(model: &AdditiveModel, matrix: &FeatureMatrix) -> Vec<u64> {
    world::sums(model, matrix).into_iter().map(f64::to_bits).collect()
}

#[test]
fn files_of_every_stage_read_back_say_the_same_to_the_bit() {
    let made = world::released();
    let matrix = made.chain.data.matrix();
    let wanted = bits(made.chain.candidate.model(), matrix);
    let text = serde_json::to_string(&made.chain.candidate).unwrap();
    let candidate: Candidate = serde_json::from_str(&text).unwrap();
    assert_eq!(candidate, made.chain.candidate);
    assert_eq!(candidate.digest(), made.chain.candidate.digest());
    assert_eq!(bits(candidate.model(), matrix), wanted);
    let audited = AuditedModel::from_json(&made.chain.audited.to_json().unwrap()).unwrap();
    assert_eq!(audited, made.chain.audited);
    assert_eq!(bits(audited.candidate().model(), matrix), wanted);
    let scorer = Scorer::from_json(&made.scorer.to_json().unwrap()).unwrap();
    assert_eq!(scorer, made.scorer);
    assert_eq!(bits(scorer.candidate().model(), matrix), wanted);
    assert_eq!(scorer.to_json().unwrap(), made.scorer.to_json().unwrap());
}

#[test]
fn every_case_of_a_cohort_adds_up_as_it_is_written() {
    let made = world::released();
    let cohort = world::cohort(&made.records, world::list_date());
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    let mut previous = f64::INFINITY;
    for rank in 1..=scores.len() {
        let case = serde_json::to_value(scores.case(rank).unwrap().unwrap()).unwrap();
        let number = |value: &Value| value.as_f64().unwrap();
        let parts: f64 =
            case["contributions"].as_array().unwrap().iter().map(|part| number(&part["log_odds"])).sum();
        let score = number(&case["score"]);
        assert!((number(&case["average"]) + parts - score).abs() < 1e-12, "rank {rank}");
        assert!(score <= previous, "rank {rank} is higher than the one before");
        previous = score;
    }
    assert!(scores.case(0).unwrap().is_none() && scores.case(scores.len() + 1).unwrap().is_none());
}

/// A count of two rests on two records, also where nothing tells one from the other.
#[test]
fn a_count_and_the_records_shown_for_it_are_as_many() {
    let made = world::released();
    let mut world = made.world.clone();
    for source in &mut world.sources {
        source.mapping.columns.reference = None;
        let twice: Vec<_> = source.rows.clone();
        if source.mapping.name == "police" {
            source.rows.extend(twice);
        }
    }
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let request = world::request().accepting("police", "C. Data", "every notice stands twice, for a test");
    let scores = made.scorer.score(&cohort, &request).unwrap();
    let mut seen = 0;
    for rank in 1..=40 {
        let case = scores.case(rank).unwrap().unwrap();
        for part in case.contributions().iter().filter(|part| part.features == ["police_count_12m"]) {
            let Cell::Value(count) = part.values[0] else { continue };
            assert_eq!(part.records.len(), count as usize, "{}", part.words);
            seen += part.records.len();
        }
    }
    assert!(seen > 0);
}
