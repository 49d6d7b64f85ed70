//! The whole path over a synthetic council, held against what was planted in it.

use std::path::PathBuf;
use std::sync::OnceLock;

use earlyhelp::fairness::{Finding, GroupOutcome, GroupRates, Verdict};
use earlyhelp::model::Shape;
use earlyhelp::project::Project;
use earlyhelp::scoring::AuditedModel;
use earlyhelp::synthetic::{Council, CouncilParams, Format};

/// Seed and size of the demonstration: an audit of a smaller council has too few people to tell.
fn trained() -> &'static (Council, AuditedModel) {
    static TRAINED: OnceLock<(Council, AuditedModel)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let council = CouncilParams::default().generate().unwrap();
        let path: PathBuf = council.write(folder.path(), Format::Parquet).unwrap();
        let project = Project::load(path).unwrap();
        let records = project.records(|_, _| {}).unwrap();
        assert!(records.intake().iter().all(|intake| intake.rejected == 0));
        let protected = project.protected().unwrap();
        let model = project.train(&records, &protected, &project.training.trainer, |_| {}).unwrap();
        (council, model)
    })
}

/// The slope of a feature's line, in log-odds for a step on its scale; zero where it plays no part.
fn slope(model: &AuditedModel, feature: &str) -> f64 {
    let terms = model.candidate().model().terms();
    match terms.iter().find(|term| term.on == [feature]).map(|term| &term.shape) {
        Some(Shape::Line { slope, .. }) => *slope,
        _ => 0.0,
    }
}

#[test]
fn planted_effects_are_found_with_their_signs_and_in_their_order() {
    let (council, model) = trained();
    // The features of the demonstration project that count the records of each planted need. Where a need
    // shows in everybody's records, the model reads the child's own and the others' apart: both count.
    let features: &[(&str, &[&str])] = &[
        ("domestic_abuse", &["domestic_abuse_count_365d_household", "domestic_abuse_count_365d"]),
        ("offending", &["police_count_365d_household", "police_count_365d"]),
        ("parental_substance_use", &["substance_referral_count_365d_household"]),
        ("housing_instability", &["housing_count_365d_household"]),
        ("school_disengagement", &["suspensions_count_365d"]),
        ("financial_hardship", &["council_tax_arrears_count_365d_household"]),
        ("parental_mental_health", &["mental_health_referral_count_365d_household"]),
        ("youth_activity", &["youth_activity_count_365d"]),
    ];
    assert_eq!(features.len(), council.truth().effects.len());
    let names: Vec<&String> = model.candidate().model().features().iter().collect();
    let mut above = f64::INFINITY;
    for effect in &council.truth().effects {
        let (_, of_need) = features.iter().find(|(need, _)| *need == effect.need).expect("a known need");
        assert!(of_need.iter().all(|feature| names.iter().any(|name| name == feature)), "{of_need:?}");
        let found: f64 = of_need.iter().map(|feature| slope(model, feature)).sum();
        if effect.log_odds.abs() > 0.0 {
            let (planted, found) = (effect.log_odds > 0.0, found > 0.0);
            assert_eq!(planted, found, "{}: the wrong sign", effect.need);
        }
        assert!(found < above, "{}: {found} is out of order, above it stands {above}", effect.need);
        above = found;
    }
}

#[test]
fn the_model_beats_the_simple_rules() {
    let (_, model) = trained();
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
    let (council, model) = trained();
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
