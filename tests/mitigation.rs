//! Mitigation: off unless asked for, recorded when used, and shown before and after.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use earlyhelp::calendar::Horizon;
use earlyhelp::dataset::{Dataset, Reweighing};
use earlyhelp::error::{Error, EvaluateError, MitigationError, ModelError};
use earlyhelp::evaluate::{Backtest, BacktestPlan, Bootstrap, Capacity, PairedChange};
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::fairness::mitigation::{BeforeAfter, RateChanges};
use earlyhelp::fairness::{
    CapacityShares, FairnessAudit, MitigationTrial, Protected, ProtectedColumns, ShareRule, reweigh,
};
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::model::{AdditiveModel, AdditiveParams, Candidate, LogisticParams, ScorecardParams, Trainer};
use earlyhelp::project::Project;
use earlyhelp::records::Extract;
use earlyhelp::report::{list_csv, list_html, list_json, model_html};
use earlyhelp::review::{ListParams, RandomSample, ReviewList, WhyListed};
use earlyhelp::scoring::AuditedModel;
use earlyhelp::synthetic::{Council, CouncilParams, Format};
use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2};

use crate::world::{self, Dice, council};

fn asked(name: &str) -> Reweighing {
    Reweighing {
        reweigh: vec![name.to_owned()],
        reason: "Panel decision 12 & its minutes".into(),
        approved_by: "C. Monitoring Officer".into(),
    }
}

fn shares(characteristic: &str, by: ShareRule) -> CapacityShares {
    CapacityShares {
        characteristic: characteristic.to_owned(),
        by,
        reason: "Panel decision 13 & its minutes".into(),
        approved_by: "C. Monitoring Officer".into(),
        minimum_group: 10,
    }
}

// What weights do in the trainers.

/// Features, outcomes that hang on them, and a weight for each case that is a whole number.
fn cases(rows: usize) -> (Array2<f64>, Array1<bool>, Vec<usize>) {
    let mut dice = Dice::new(11);
    let table = Array2::from_shape_fn((rows, 3), |_| dice.between(0, 6).into());
    let outcomes = Array1::from_shape_fn(rows, |row| {
        let score: f64 = 0.7 * table[[row, 0]] - 0.4 * table[[row, 1]] - 1.5;
        dice.chance(1.0 / (1.0 + (-score).exp()))
    });
    let weights = (0..rows).map(|_| 1 + usize::from(dice.chance(0.4))).collect();
    (table, outcomes, weights)
}

fn linfa(
    table: &Array2<f64>,
    outcomes: &Array1<bool>,
    weights: Option<Vec<f32>>,
) -> DatasetBase<Array2<f64>, Array1<bool>> {
    let data = DatasetBase::new(table.clone(), outcomes.clone()).with_feature_names(vec!["a", "b", "c"]);
    match weights {
        None => data,
        Some(weights) => data.with_weights(Array1::from(weights)),
    }
}

fn fits(data: &DatasetBase<Array2<f64>, Array1<bool>>) -> [AdditiveModel; 3] {
    [
        LogisticParams::default().strength(0.01).fit(data).unwrap(),
        ScorecardParams::default().fit(data).unwrap(),
        AdditiveParams::default().pairs(0).refits(0).fit(data).unwrap(),
    ]
}

#[test]
fn a_weight_of_one_everywhere_is_no_weight_to_the_bit() {
    let (table, outcomes, _) = cases(1_500);
    let without = fits(&linfa(&table, &outcomes, None));
    let with = fits(&linfa(&table, &outcomes, Some(vec![1.0; 1_500])));
    for (without, with) in without.iter().zip(&with) {
        assert!(!without.terms().is_empty());
        assert_eq!(serde_json::to_string(without).unwrap(), serde_json::to_string(with).unwrap());
    }
}

#[test]
fn a_case_that_stands_twice_is_a_weight_of_two() {
    let (table, outcomes, weights) = cases(1_500);
    let twice: Vec<usize> = (0..1_500).flat_map(|row| std::iter::repeat_n(row, weights[row])).collect();
    let longer = Array2::from_shape_fn((twice.len(), 3), |(row, column)| table[[twice[row], column]]);
    let longer_outcomes = Array1::from_shape_fn(twice.len(), |row| outcomes[twice[row]]);
    let by_weight =
        fits(&linfa(&table, &outcomes, Some(weights.iter().map(|&weight| weight as f32).collect())));
    let by_case = fits(&linfa(&longer, &longer_outcomes, None));
    // The additive trainer sets its strengths by sums in single precision.
    for (nth, within) in [1e-9, 1e-9, 1e-3].into_iter().enumerate() {
        let columns: Vec<Vec<Cell>> = table
            .columns()
            .into_iter()
            .map(|column| column.iter().map(|&value| Cell::Value(value as f32)).collect())
            .collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let matrix = FeatureMatrix::from_cells(names, 1_500, &columns).unwrap();
        let scores = |model: &AdditiveModel| world::sums(model, &matrix);
        let away = scores(&by_weight[nth])
            .iter()
            .zip(scores(&by_case[nth]))
            .fold(0.0_f64, |away, (one, other)| away.max((one - other).abs()));
        assert!(away <= within, "trainer {nth}: {away}");
    }
}

// A dataset that is reweighed.

fn logistic() -> Trainer {
    Trainer::Logistic(LogisticParams::default())
}

fn train(data: &Dataset, trainer: &Trainer) -> Candidate {
    let context = earlyhelp::model::TrainingContext { seed: 7, ..Default::default() };
    Candidate::train(data, trainer, context).unwrap()
}

fn chance(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A council whose outcome hangs on sex: girls' outcomes are mostly recorded as sex "F".
fn unequal() -> (Dataset, Protected, BTreeMap<String, &'static str>) {
    let world = council(3, 1_200);
    let data = world::dataset(&world.records());
    let with: std::collections::BTreeSet<&str> =
        data.ids().zip(data.outcomes()).filter(|(_, outcome)| **outcome).map(|(id, _)| id).collect();
    let mut dice = Dice::new(2);
    let sex: BTreeMap<String, &str> = world
        .people
        .iter()
        .map(|person| {
            let is_f = dice.chance(if with.contains(person.id.as_str()) { 0.8 } else { 0.4 });
            (person.id.clone(), if is_f { "F" } else { "M" })
        })
        .collect();
    let frame = polars::df!(
        "person" => sex.keys().cloned().collect::<Vec<_>>(),
        "sex" => sex.values().copied().collect::<Vec<_>>(),
    );
    let columns: ProtectedColumns = world::protected_columns();
    let protected = Protected::read(&columns, Extract::frame(frame.unwrap())).unwrap();
    (data, protected, sex)
}

#[test]
fn group_and_outcome_are_independent_in_what_is_learnt_from() {
    let (data, protected, sex) = unequal();
    assert_eq!(data.case_weights(), None, "nothing is reweighed unless somebody asks");
    let reweighed = reweigh(&data, &protected, &asked("sex"), &AuditParams::at_release()).unwrap();
    let weights = reweighed.case_weights().unwrap();
    let ids: Vec<&str> = data.ids().collect();
    let rate = |group: &str, weight: &dyn Fn(usize) -> f64| {
        let rows: Vec<usize> = (0..data.rows()).filter(|&row| sex[ids[row]] == group).collect();
        let with = rows.iter().filter(|&&row| data.outcomes()[row]).map(|&row| weight(row)).sum::<f64>();
        with / rows.iter().map(|&row| weight(row)).sum::<f64>()
    };
    assert!(rate("F", &|_| 1.0) > 1.5 * rate("M", &|_| 1.0), "there is something to set right");
    let overall = data.outcomes().iter().filter(|&&outcome| outcome).count() as f64 / data.rows() as f64;
    for group in ["F", "M"] {
        assert!((rate(group, &|row| weights[row]) - overall).abs() < 1e-12);
    }
    let record = reweighed.reweighed_by().unwrap();
    assert_eq!((record.groups, record.pooled, &record.asked), (2, 0, &asked("sex")));
    assert!(record.least_weight < 1.0 && record.greatest_weight > 1.0);
}

#[test]
fn every_trainer_learns_from_the_weights_and_keeps_the_base_rate() {
    let (data, protected, _) = unequal();
    let reweighed = reweigh(&data, &protected, &asked("sex"), &AuditParams::at_release()).unwrap();
    let overall = data.outcomes().iter().filter(|&&outcome| outcome).count() as f64 / data.rows() as f64;
    for name in Trainer::NAMES {
        let trainer = Trainer::by_name(name).unwrap();
        let (without, with) = (train(&data, &trainer), train(&reweighed, &trainer));
        assert_eq!(without.training().mitigation, None);
        assert!(!serde_json::to_string(&without).unwrap().contains("mitigation"), "{name}");
        assert_eq!(with.training().mitigation, reweighed.reweighed_by());
        let stored = serde_json::to_string(&with).unwrap();
        assert_eq!(serde_json::from_str::<Candidate>(&stored).unwrap(), with);
        let (before, after) =
            (world::sums(without.model(), data.matrix()), world::sums(with.model(), data.matrix()));
        assert_ne!(before, after, "{name}: weights move the scores");
        let mean = after.iter().map(|&score| chance(score)).sum::<f64>() / data.rows() as f64;
        assert!((mean - overall).abs() < 1e-9, "{name}: {mean} {overall}");
        assert_eq!(with.features(), without.features(), "no feature comes in");
        assert!(with.model().refits().is_some_and(|refits| refits.len() == 20));
        if let Some(card) = with.training().cards.first() {
            let place = |feature: &str| with.model().features().iter().position(|name| name == feature);
            for (row, score) in after.iter().enumerate() {
                let holds = |line: &&earlyhelp::model::CardLine| {
                    world::holds(line.condition, data.matrix().cell(row, place(&line.feature).unwrap()))
                };
                let points: i32 = card.lines.iter().filter(holds).map(|line| line.points).sum();
                let by_card = card.offset + card.unit * f64::from(points);
                assert!((by_card - score).abs() < 1e-9, "the card says the same: {by_card} {score}");
            }
        }
    }
}

#[test]
fn a_test_of_another_weighing_is_refused() {
    let (data, protected, _) = unequal();
    let params = AuditParams::at_release();
    let reweighed = reweigh(&data, &protected, &asked("sex"), &params).unwrap();
    let (without, with) = (train(&data, &logistic()), train(&reweighed, &logistic()));
    let dates = world::training_dates();
    let plan = BacktestPlan::expanding(&dates, Horizon::Months(12), Capacity::Cases(40)).unwrap();
    for (candidate, other) in [(&without, &reweighed), (&with, &data)] {
        let refused = Backtest::run(candidate, other, &plan).unwrap_err();
        assert!(
            matches!(&refused, EvaluateError::Training { why, .. } if why.contains("reweigh")),
            "{refused}"
        );
    }
    let unlike = Reweighing { reason: "Another".into(), ..asked("sex") };
    let unlike = reweigh(&data, &protected, &unlike, &params).unwrap();
    assert!(matches!(with.fit_again(&unlike), Err(ModelError::Features(_))));
    // Tested alike, it is recorded where people read.
    let page = |candidate: Candidate, data: &Dataset| {
        let backtest = Backtest::run(&candidate, data, &plan).unwrap();
        let audit = FairnessAudit::of(&backtest, &protected, &params).unwrap();
        model_html(&AuditedModel::new(candidate, &backtest, &audit).unwrap()).unwrap()
    };
    let (plain, told) = (page(without, &data), page(with, &reweighed));
    assert!(told.contains("reweighed by sex") && told.contains("Approved by C. Monitoring Officer"));
    assert!(!plain.contains("reweighed"));
}

#[test]
fn what_nobody_answers_for_is_refused() {
    let (data, protected, _) = unequal();
    let refused =
        |asked: &Reweighing| reweigh(&data, &protected, asked, &AuditParams::at_release()).unwrap_err();
    let good = asked("sex");
    for unsigned in [
        Reweighing { reason: " ".into(), ..good.clone() },
        Reweighing { approved_by: String::new(), ..good.clone() },
    ] {
        assert!(matches!(refused(&unsigned), MitigationError::NotSigned(_)));
    }
    let of = |names: &[&str]| Reweighing {
        reweigh: names.iter().map(|&name| name.to_owned()).collect(),
        ..good.clone()
    };
    assert_eq!(refused(&of(&[])), MitigationError::NoCharacteristic);
    assert_eq!(refused(&of(&["sex", "sex"])), MitigationError::Twice("sex".into()));
    assert_eq!(refused(&of(&["religion"])), MitigationError::NotHeld("religion".into()));
    assert_eq!(refused(&of(&["shoe_size"])), MitigationError::Unknown("shoe_size".into()));
    let strict = AuditParams { minimum: 100_000, ..AuditParams::at_release() };
    let small = reweigh(&data, &protected, &good, &strict).unwrap_err();
    assert_eq!(small, MitigationError::TooSmall { minimum: 100_000 });
}

// The list.

#[test]
fn a_list_with_shares_says_so_and_marks_whom_it_lists_for_them() {
    let made = world::released();
    let cohort = world::cohort(&made.records, world::list_date());
    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    let sample = Some(RandomSample { cases: 4, seed: 3 });
    let capacity = Capacity::Cases(12);
    let plain =
        ReviewList::draw(&scores, ListParams { comparison: sample, ..ListParams::new(capacity) }).unwrap();
    assert!(plain.shares().is_none() && !list_json(&plain).unwrap().contains("\"shares\""));

    let sex: BTreeMap<&str, &str> = made.world.sex.iter().map(|(id, sex)| (id.as_str(), *sex)).collect();
    let of_f = |list: &ReviewList| {
        let on_it = list.entries().iter().filter(|entry| entry.why_listed() != WhyListed::AtRandom);
        on_it.filter(|entry| sex[entry.case().entity()] == "F").count()
    };
    let protected = made.world.protected();
    let want = if of_f(&plain) > 6 { 3 } else { 9 };
    let given = [("F".to_owned(), f64::from(want) / 12.0), ("M".to_owned(), f64::from(12 - want) / 12.0)];
    let shares = shares("sex", ShareRule::Given(given.into()));
    let list = ReviewList::draw_shared(
        &scores,
        ListParams { comparison: sample, ..ListParams::new(capacity) },
        &protected,
        &shares,
    )
    .unwrap();
    assert_eq!((of_f(&list), list.len()), (want as usize, 16));

    let used = list.shares().unwrap();
    let marked: Vec<u32> = list
        .entries()
        .iter()
        .filter(|entry| entry.why_listed() == WhyListed::ByShare)
        .map(|entry| entry.case().rank())
        .collect();
    assert!(!marked.is_empty() && marked.iter().all(|&rank| rank > 12), "{marked:?}");
    assert_eq!((used.places, used.changed as usize, &used.asked), (12, marked.len(), &shares));
    assert_eq!(marked.last(), Some(&used.lowest_rank));
    let ranks = |list: &ReviewList, group: &str| -> Vec<u32> {
        let on_it = list.entries().iter().filter(|entry| entry.why_listed() != WhyListed::AtRandom);
        on_it.filter(|held| sex[held.case().entity()] == group).map(|held| held.case().rank()).collect()
    };
    for group in ["F", "M"] {
        // The highest of each group, in the order of all: one list's are the beginning of the other's.
        let (one, other) = (ranks(&plain, group), ranks(&list, group));
        assert!(one.starts_with(&other) || other.starts_with(&one), "{one:?} {other:?}");
    }
    let ids: std::collections::BTreeSet<&str> =
        list.entries().iter().map(|held| held.case().entity()).collect();
    assert_eq!(ids.len(), 16, "the sample is of those who have no place");

    let page = list_html(&list, "May").unwrap();
    assert!(page.contains("Of 12 places") && page.contains("C. Monitoring Officer"));
    assert_eq!(page.matches("Listed by its group's share").count(), marked.len());
    assert_eq!(list_csv(&list).unwrap().matches("by share").count(), marked.len());
    let json: serde_json::Value = serde_json::from_str(&list_json(&list).unwrap()).unwrap();
    assert_eq!(json["shares"]["changed"], marked.len());

    let unknown = CapacityShares { characteristic: "religion".into(), ..shares };
    let refused = ReviewList::draw_shared(&scores, capacity, &protected, &unknown);
    assert!(matches!(refused, Err(Error::Mitigation(MitigationError::NotHeld(_)))));
}

// The synthetic council, whose police over-record three groups.

struct Made {
    council: Council,
    protected: Protected,
    data: Dataset,
    plan: BacktestPlan,
}

impl Made {
    fn trial<'a>(&'a self, trainer: &'a Trainer) -> MitigationTrial<'a> {
        let Self { protected, data, plan, .. } = self;
        MitigationTrial { data, trainer, plan, protected, params: AuditParams::at_release() }
    }
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let council = CouncilParams::default().generate().unwrap();
        let path: PathBuf = council.write(folder.path(), Format::Parquet).unwrap();
        let project = Project::load(path).unwrap();
        let records = project.records().unwrap();
        let (protected, data) = (project.protected().unwrap(), project.dataset(&records).unwrap());
        let bootstrap = Bootstrap { resamples: 199, seed: 1 };
        let plan = BacktestPlan { bootstrap, ..project.backtest_plan().unwrap() };
        Made { council, protected, data, plan }
    })
}

/// The rates of the groups that the police over-record, so far as they are shown.
fn over_recorded<'r>(side: &'r BeforeAfter, made: &Made) -> Vec<(&'r str, &'r RateChanges)> {
    let bias = made.council.truth().biases.iter().find(|bias| bias.factor > 1.0).unwrap();
    let (_, groups) = side.characteristics.iter().find(|(name, _)| name == bias.characteristic).unwrap();
    let hit: Vec<_> = groups
        .iter()
        .filter(|group| bias.group.contains(&group.group.to_uppercase().as_str()))
        .map(|group| (group.group.as_str(), &**group.rates.as_ref().unwrap()))
        .collect();
    assert_eq!(hit.len(), bias.group.len());
    hit
}

/// The fault is in a feature (too many police records) and not in the outcome, and weights set right what goes
/// wrong with outcomes: so reweighing moves hardly anything here, and the report says so.
#[test]
fn reweighing_does_not_mend_a_source_that_over_records() {
    let made = made();
    let report = made.trial(&logistic()).of_reweighing(&asked("ethnicity")).unwrap();
    for side in [&report.training, &report.later] {
        assert!(
            side.places_changed.is_none_or(|places| places * 20 < side.listed),
            "{:?} places",
            side.places_changed
        );
        for (name, rates) in over_recorded(side, made) {
            let rest = rates.selection.to_the_rest.unwrap();
            assert!(rest.change.value.abs() < 0.01, "{name}: {}", rest.change.value);
        }
        let (_, of_baf) = over_recorded(side, made).into_iter().find(|(name, _)| *name == "bafr").unwrap();
        assert!(of_baf.selection.to_the_rest.unwrap().with.interval.low > 0.0, "still listed more often");
    }
}

#[test]
fn shares_even_out_how_often_over_recorded_groups_are_listed() {
    let made = made();
    let report = made.trial(&logistic()).of_shares(&shares("ethnicity", ShareRule::GroupSize)).unwrap();
    for side in [&report.training, &report.later] {
        assert!(side.places_changed.unwrap() > 0);
        for (name, rates) in over_recorded(side, made) {
            let rest = rates.selection.to_the_rest.unwrap();
            assert!(rest.without.value > 0.01, "{name}: {}", rest.without.value);
            assert!(rest.change.interval.high < 0.0, "{name}: {:?}", rest.change);
            assert!(rest.with.value.abs() < 0.005, "{name}: {}", rest.with.value);
        }
        let auc = side.auc.unwrap();
        assert_eq!(auc.without, auc.with, "no score moves");
    }
    let text = report.to_string();
    assert!(text.contains("Panel decision 13") && text.contains("of them changed"), "{text}");
}

/// Where the group is told by a feature and has the outcome more often on record, weights take out what the
/// group as such adds.
#[test]
fn reweighing_takes_out_what_a_feature_says_of_the_group_alone() {
    let records = council(3, 1_500).records();
    let data = world::dataset(&records);
    // The group is the upper half by the feature that says most of the outcome.
    let scores = world::sums(train(&data, &logistic()).model(), data.matrix());
    let mut sorted = scores.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let mut upper: BTreeMap<&str, bool> = BTreeMap::new();
    for (id, &score) in data.ids().zip(&scores) {
        *upper.entry(id).or_default() |= score > middle;
    }
    let frame = polars::df!(
        "person" => upper.keys().map(|id| (*id).to_owned()).collect::<Vec<_>>(),
        "sex" => upper.values().map(|&upper| if upper { "F" } else { "M" }).collect::<Vec<_>>(),
    );
    let protected = Protected::read(&world::protected_columns(), Extract::frame(frame.unwrap())).unwrap();
    let plan =
        BacktestPlan::expanding(&world::training_dates(), Horizon::Months(12), Capacity::Share(0.2)).unwrap();
    let plan = BacktestPlan { bootstrap: Bootstrap { resamples: 199, seed: 1 }, ..plan };
    let report = |threads: usize, minimum: u32| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params = AuditParams { minimum, ..AuditParams::at_release() };
        pool.install(|| {
            let trial = MitigationTrial {
                data: &data,
                trainer: &logistic(),
                plan: &plan,
                protected: &protected,
                params,
            };
            trial.of_reweighing(&asked("sex"))
        })
        .unwrap()
    };
    // At the usual minimum a group says how many of it are on a list unless some number of the two groups, on either list
    // or off it, is from one to nine: then neither does.
    let (usual, one) = (report(1, 10), report(1, 0));
    for (held, all) in [(&usual.training, &one.training), (&usual.later, &one.later)] {
        let rates = |side: &BeforeAfter| -> Vec<Option<PairedChange>> {
            let (_, groups) = &side.characteristics[0];
            groups.iter().filter_map(|group| group.rates.as_ref()).map(|rates| rates.selection.rate).collect()
        };
        let numbers = rates(all).into_iter().flatten().flat_map(|rate| {
            [rate.without, rate.with].into_iter().flat_map(|share| {
                let on = (share.value * share.n as f64).round() as u64;
                [on, share.n - on]
            })
        });
        let any_is_small = numbers.into_iter().any(|number| (1..10).contains(&number));
        let told: Vec<bool> = rates(held).iter().map(Option::is_some).collect();
        assert_eq!(told, [!any_is_small; 2]);
    }
    for side in [&one.training, &one.later] {
        let (name, groups) = &side.characteristics[0];
        assert_eq!((name.as_str(), groups[0].group.as_str()), ("sex", "f"));
        let rest = groups[0].rates.as_ref().unwrap().selection.to_the_rest.unwrap();
        assert!(rest.without.value > 0.1 && rest.change.interval.high < 0.0, "{rest:?}");
    }
    let same = serde_json::to_string(&one).unwrap();
    assert_eq!(same, serde_json::to_string(&report(3, 0)).unwrap(), "the same bits at any number of threads");
}
