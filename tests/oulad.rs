//! The whole path over real records, where they are to be had.

#[allow(dead_code, reason = "the example's own main and printing are not used here")]
#[path = "../examples/oulad.rs"]
mod example;

use earlyhelp::cohort::Cohort;
use earlyhelp::evaluate::Backtest;

use earlyhelp::fairness::FairnessAudit;
use earlyhelp::fairness::audit::{
    Against, AttributeFinding, AuditParams, AuditedOutcome, Disparity, DisparityVerdict, GroupMeasure,
    OperatingPoint, ScoreTable,
};

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use example::{Lies, PRESENTATIONS, cases, cohorts, data_folder, ladder, load, protected, run};

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
    let audit = FairnessAudit::of(&day_28, &protected, &AuditParams::at_release()).unwrap();
    // Sex is not in the model, but courses are: men more often take those where more people fail, and
    // are wrongly listed more often. The plain scikit-learn pipeline on the same cases shows the same.
    let gender = &audit.audit().attributes[0];
    let AttributeFinding::Measured { groups, .. } = &gender.finding else { panic!("gender is held") };
    for group in groups {
        let AuditedOutcome::Shown { disparities, .. } = &group.outcome else { panic!("large groups") };
        let whole = |held: &&Disparity| held.against == Against::Whole;
        let mut wrongly = disparities.iter().filter(|held| held.measure == GroupMeasure::FalsePositiveRate);
        let interval = wrongly.find(whole).and_then(|held| held.difference).expect("compared").interval;
        let is_clear = if group.values == ["m"] { interval.low > 0.0 } else { interval.high < 0.0 };
        assert!(is_clear, "{}: {interval:?}", group.name());
    }
    drop(records);

    // The full audit, for those among the highest fifth of scores, with intervals that hold for all groups of
    // a characteristic at once.
    let table = ScoreTable::of_backtest(&day_28, &protected).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap();
    let verdict = |characteristic: &str, group: &str, measure: GroupMeasure| {
        let of = audit.attributes.iter().find(|of| of.columns == [characteristic]).expect("audited");
        let AttributeFinding::Measured { groups, .. } = &of.finding else { panic!("it is held") };
        let of = groups.iter().find(|of| of.values == [group]).expect("a group");
        let AuditedOutcome::Shown { disparities, .. } = &of.outcome else { panic!("{group} is held back") };
        let of = disparities.iter().find(|of| of.measure == measure && of.against == Against::Whole);
        let of = of.expect("compared");
        (of.verdict, of.difference_simultaneous)
    };
    let (found, interval) = verdict("gender", "m", GroupMeasure::FalsePositiveRate);
    assert_eq!(found, DisparityVerdict::Present);
    assert!(interval.unwrap().low > 0.0, "men are wrongly listed more often: {interval:?}");
    // 87 people: whatever the point estimates say, they are too few to tell of who is found and who wrongly listed.
    for measure in [GroupMeasure::FalsePositiveRate, GroupMeasure::TruePositiveRate] {
        assert_eq!(verdict("age_band", "55<=", measure).0, DisparityVerdict::CannotTell, "{measure}");
    }
    // But so few of them are selected that it is clear all the same, whether the number may be shown or not.
    assert_eq!(verdict("age_band", "55<=", GroupMeasure::SelectionRate).0, DisparityVerdict::Present);

    // Each rung of the ladder is a lie about what was known; each makes the model look better.
    let rungs: Vec<f64> = ladder(28)[1..]
        .iter()
        .map(|(_, lies)| auc(&run(&load(&folder, *lies).unwrap(), 28, &trainer).unwrap()))
        .collect();
    assert!(rungs[0] > honest + 0.04, "leavers kept in: {rungs:?}");
    assert!(rungs[1] > 0.9, "the whole course: {rungs:?}");
    assert!(rungs[2] > 0.9 && rungs[2] > rungs[1], "no cut-off: {rungs:?}");
}

#[test]
fn the_project_file_alone_gives_the_cohorts_and_the_figures_of_the_program() {
    let Some(folder) = data_folder() else {
        println!("skipped: no folder oulad in EARLYHELP_DATA or ../shared/data");
        return;
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/oulad.toml");
    let project = Project::load(file).unwrap().extracts_in(&folder).unwrap();
    let held = project.records().unwrap();
    let of = |source: &str| held.intake().iter().find(|intake| intake.source == source).unwrap();
    assert_eq!((of("clicks").read, of("clicks").rejected), (10_655_280, 0));
    assert_eq!((of("submissions").read, of("submissions").rejected), (173_912, 0));
    for (day, size) in [(0, 29_252), (28, 27_515), (84, 25_713)] {
        let at = |start: &str| AsOf::new(start.parse::<Day>().unwrap() + day);
        let sizes = PRESENTATIONS.iter().map(|(_, start)| project.cohort(&held, at(start)).unwrap().len());
        assert_eq!(sizes.sum::<usize>(), size, "day {day}");
    }
    let (_, by_project) =
        project.test(&held, &project.protected().unwrap(), &project.training.trainer).unwrap();
    let data = project.dataset(&held).unwrap();

    let records = load(&folder, Lies::default()).unwrap();
    let (of_program, _) = cases(&records, 28).unwrap();
    assert_eq!(data.rows(), of_program.rows());
    assert_eq!(data.outcomes(), of_program.outcomes());
    assert_eq!(data.families(), of_program.families());
    let columns = data.matrix().names().len();
    assert_eq!(columns, of_program.matrix().names().len());
    for row in 0..data.rows() {
        for column in 0..columns {
            let cell = data.matrix().cell(row, column);
            assert_eq!(cell, of_program.matrix().cell(row, column), "row {row}, column {column}");
        }
    }
    let by_program = run(&records, 28, &Trainer::by_name("logistic").unwrap()).unwrap();
    let (project, program) = (auc(&by_project), auc(&by_program));
    assert!((project - program).abs() < 1e-9, "{project} by the project, {program} by the program");
}
