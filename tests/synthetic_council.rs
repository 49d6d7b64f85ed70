//! The whole path over a synthetic council, held against what was planted in it.

use std::path::PathBuf;
use std::sync::OnceLock;

use earlyhelp::calendar::Lookback;
use earlyhelp::dataset::Dataset;
use earlyhelp::fairness::{Finding, GroupOutcome, GroupRates, Verdict};
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::model::Shape;
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::records::{Records, Selector};
use earlyhelp::scoring::AuditedModel;
use earlyhelp::synthetic::{Council, CouncilParams, Format, Scope};

/// Seed and size of the demonstration: an audit of a smaller council has too few people to tell.
fn trained() -> &'static (Council, AuditedModel, Project, Records) {
    static TRAINED: OnceLock<(Council, AuditedModel, Project, Records)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let council = CouncilParams::default().generate().unwrap();
        let path: PathBuf = council.write(folder.path(), Format::Parquet).unwrap();
        let project = Project::load(path).unwrap();
        let records = project.records(|_, _| {}).unwrap();
        assert!(records.intake().iter().all(|intake| intake.rejected == 0));
        let protected = project.protected().unwrap();
        let model = project.train(&records, &protected, &project.training.trainer, |_| {}).unwrap();
        (council, model, project, records)
    })
}

/// One feature for each planted effect, reading the records that the truth names. (The demonstration's
/// own project reads a child's records and the others' in two features; how an effect is shared between
/// two that say nearly the same is not settled by data.)
#[test]
fn planted_effects_are_found_with_their_signs_and_in_their_order() {
    let (council, _, project, records) = trained();
    let effects = &council.truth().effects;
    let mut features = vec![Feature::age()];
    for effect in effects {
        let of = effect.kinds.iter().fold(Selector::source(effect.source), |of, kind| of.kind(*kind));
        let count = Feature::new(of, Measure::Count, Lookback::Days(365));
        let feature = if effect.scope == Scope::Household { count.of_household() } else { count };
        features.push(feature.name(effect.need));
    }
    let dates = &project.training.as_of;
    let cohorts: Vec<_> = dates.iter().map(|&date| project.cohort(records, date).unwrap()).collect();
    let data = Dataset::build(&FeatureSpec::new(features).unwrap(), &project.outcome, &cohorts).unwrap();
    // Lines: one slope an effect.
    let trainer = Trainer::by_name("logistic").unwrap();
    let model = trainer.fit(&data, project.seed).unwrap().model;

    let mut above = f64::INFINITY;
    for effect in effects {
        let term = model.terms().iter().find(|term| term.on == [effect.need]).expect("a term");
        let Shape::Line { slope, .. } = term.shape else { panic!("not a line") };
        if effect.log_odds.abs() > 0.0 {
            assert_eq!(effect.log_odds > 0.0, slope > 0.0, "{}: the wrong sign", effect.need);
        }
        assert!(slope < above, "{}: {slope} is out of order, above it stands {above}", effect.need);
        above = slope;
    }
}

#[test]
fn the_model_beats_the_simple_rules() {
    let (_, model, ..) = trained();
    let backtest = model.backtest();
    let of_model = backtest.overall.auc.unwrap();
    assert_eq!(backtest.splits.len(), 2);
    for rule in &backtest.rules {
        let of_rule = rule.performance.auc.unwrap();
        assert!(of_model.interval.low > of_rule.interval.high, "{:?}", rule.rule);
        assert!(backtest.overall.log_loss.value < rule.performance.log_loss.value);
    }
}

fn group<'m>(model: &'m AuditedModel, characteristic: &str, group: &str) -> &'m GroupRates {
    let report = &model.fairness().characteristics;
    let of = report.iter().find(|of| of.name == characteristic).expect("audited");
    let Finding::Measured { groups } = &of.finding else { panic!("{characteristic} was not measured") };
    let found = groups.iter().find(|of| of.group == group).expect("a group");
    match &found.outcome {
        GroupOutcome::Shown(rates) => rates,
        GroupOutcome::Suppressed { .. } => panic!("{group} is held back"),
    }
}

#[test]
fn the_fairness_check_finds_both_planted_biases() {
    let (council, model, ..) = trained();
    for bias in &council.truth().biases {
        for name in bias.group {
            let rates = group(model, bias.characteristic, name);
            if bias.factor > 1.0 {
                let verdict = rates.false_positive_rate_difference.verdict;
                assert_eq!(verdict, Verdict::Higher, "{name}: over-recorded, so wrongly listed more often");
            } else {
                let verdict = rates.true_positive_rate_difference.verdict;
                assert_eq!(verdict, Verdict::Lower, "{name}: not recorded, so missed more often");
            }
        }
    }
    let report = &model.fairness().characteristics;
    let religion = report.iter().find(|of| of.name == "religion").unwrap();
    assert!(matches!(religion.finding, Finding::NotMeasurable { .. }), "not held is never fair");
}
