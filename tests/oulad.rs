//! The whole path over real records, where they are to be had.

#[allow(dead_code, reason = "the example's own main and printing are not used here")]
#[path = "../examples/oulad.rs"]
mod example;

use earlyhelp::cohort::Cohort;
use earlyhelp::evaluate::Backtest;
use earlyhelp::fairness::{Finding, GroupOutcome, Verdict};

use earlyhelp::fairness::audit::{
    Against, AttributeFinding, AuditParams, AuditedOutcome, DisparityVerdict, Measure, OperatingPoint,
    ScoreTable,
};
use earlyhelp::fairness::{FairnessAudit, FairnessParams};
use earlyhelp::model::Trainer;
use example::{Lies, cohorts, data_folder, ladder, load, protected, run};

fn auc(backtest: &Backtest) -> f64 {
    backtest.report().overall.auc.unwrap().value
}

#[test]
fn real_records_give_the_known_figures_and_a_known_disparity() {
    let Some(folder) = data_folder() else {
        println!("skipped: no folder oulad in EARLYHELP_DATA or ../shared/data");
        return;
    };
    let trainer = Trainer::by_name("logistic").unwrap();
    let records = load(&folder, Lies::default()).unwrap();
    let clicks = records.intake().iter().find(|intake| intake.source == "clicks").unwrap();
    assert_eq!((clicks.read, clicks.rejected), (10_655_280, 0));
    for (day, size) in [(0, 29_252), (28, 27_515), (84, 25_713)] {
        let cohort: usize = cohorts(&records, day).unwrap().iter().map(Cohort::len).sum();
        assert_eq!(cohort, size, "day {day}");
    }
    let day_28 = run(&records, 28, &trainer).unwrap();
    let (honest, later) = (auc(&day_28), auc(&run(&records, 84, &trainer).unwrap()));
    assert!((0.74..0.76).contains(&honest), "day 28: {honest}");
    assert!((0.785..0.81).contains(&later), "day 84: {later}");
    // Steps and pairs see what lines do not.
    let additive = auc(&run(&records, 28, &Trainer::default()).unwrap());
    assert!(additive > honest && additive < 0.85, "{additive} beside {honest}; 0.85 would be a leak");

    let protected = protected(&folder).unwrap();
    let audit = FairnessAudit::of(&day_28, &protected, &FairnessParams::default()).unwrap();
    // Sex is not in the model, but courses are: men more often take those where more people fail, and
    // are wrongly listed more often. The plain scikit-learn pipeline on the same cases shows the same.
    let gender = &audit.report().characteristics[0];
    let Finding::Measured { groups } = &gender.finding else { panic!("gender is held") };
    for group in groups {
        let GroupOutcome::Shown(rates) = &group.outcome else { panic!("large groups") };
        let wrongly_listed = &rates.false_positive_rate_difference;
        let expected = if group.group == "M" { Verdict::Higher } else { Verdict::Lower };
        assert_eq!(wrongly_listed.verdict, expected, "{}: {wrongly_listed:?}", group.group);
    }
    drop(records);

    // The full audit, for those among the highest fifth of scores, with intervals that hold for all groups of
    // a characteristic at once.
    let table = ScoreTable::of_backtest(&day_28, &protected).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap();
    let verdict = |characteristic: &str, group: &str, measure: Measure| {
        let of = audit.attributes.iter().find(|of| of.columns == [characteristic]).expect("audited");
        let AttributeFinding::Measured { groups, .. } = &of.finding else { panic!("it is held") };
        let of = groups.iter().find(|of| of.values == [group]).expect("a group");
        let AuditedOutcome::Shown { disparities, .. } = &of.outcome else { panic!("{group} is held back") };
        let of = disparities.iter().find(|of| of.measure == measure && of.against == Against::Whole);
        let of = of.expect("compared");
        (of.verdict, of.difference_simultaneous)
    };
    let (found, interval) = verdict("gender", "M", Measure::FalsePositiveRate);
    assert_eq!(found, DisparityVerdict::Present);
    assert!(interval.unwrap().low > 0.0, "men are wrongly listed more often: {interval:?}");
    // 87 people: whatever the point estimates say, they are too few to tell of who is found and who wrongly listed.
    for measure in [Measure::FalsePositiveRate, Measure::TruePositiveRate] {
        assert_eq!(verdict("age_band", "55<=", measure).0, DisparityVerdict::CannotTell, "{measure}");
    }
    // But so few of them are selected that it is clear all the same, whether the number may be shown or not.
    assert_eq!(verdict("age_band", "55<=", Measure::SelectionRate).0, DisparityVerdict::Present);

    // Each rung of the ladder is a lie about what was known; each makes the model look better.
    let rungs: Vec<f64> = ladder(28)[1..]
        .iter()
        .map(|(_, lies)| auc(&run(&load(&folder, *lies).unwrap(), 28, &trainer).unwrap()))
        .collect();
    assert!(rungs[0] > honest + 0.04, "leavers kept in: {rungs:?}");
    assert!(rungs[1] > 0.9, "the whole course: {rungs:?}");
    assert!(rungs[2] > 0.9 && rungs[2] > rungs[1], "no cut-off: {rungs:?}");
}
