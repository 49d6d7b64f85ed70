//! What holds for every trainer: one table of trainers, one set of properties.

use earlyhelp::calendar::{AsOf, Horizon};
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{
    Backtest, BacktestPlan, Capacity, ChoiceRule, Entrant, Figure, ModelComparison, SuccessBar,
};
use earlyhelp::features::{Cell, Direction, Feature, FeatureMatrix, FeatureSpec};
use earlyhelp::model::{Candidate, PathParams, Trainer};
use earlyhelp::project::Project;
use earlyhelp::report::metrics_csv;
use earlyhelp::scoring::AuditedModel;
use earlyhelp::synthetic::{CouncilParams, Format};

use crate::world::{self, Dice, World, council};

/// Every trainer, and the settings that take another road through it.
fn table() -> Vec<(&'static str, Trainer)> {
    let lasso = match Trainer::by_name("logistic").unwrap() {
        Trainer::Logistic(params) => {
            let path = PathParams { strengths: 20, ..PathParams::default() };
            Trainer::Logistic(params.l1_ratio(0.5).path(path).refits(5))
        }
        other => other,
    };
    let mut table: Vec<(&'static str, Trainer)> =
        Trainer::NAMES.iter().map(|&name| (name, Trainer::by_name(name).unwrap())).collect();
    table.push(("logistic path", lasso));
    table
}

/// A council's dataset whose features all declare a direction.
fn dataset(world: &World, direction: Direction) -> Dataset {
    let records = world.records();
    let features: Vec<Feature> =
        world::features().features().iter().map(|feature| feature.clone().direction(direction)).collect();
    let dates: Vec<AsOf> = world::training_dates().to_vec();
    let cohorts: Vec<_> = dates.iter().map(|&date| world::cohort(&records, date)).collect();
    Dataset::build(&FeatureSpec::new(features).unwrap(), &world::outcome(), &cohorts).unwrap()
}

fn train(data: &Dataset, trainer: &Trainer) -> Candidate {
    let context = earlyhelp::model::TrainingContext { seed: 7, ..Default::default() };
    Candidate::train(data, trainer, context).unwrap()
}

#[test]
fn contributions_are_the_same_alone_and_together_and_are_centred() {
    let data = dataset(&council(3, 1_200), Direction::None);
    for (name, trainer) in table() {
        let candidate = train(&data, &trainer);
        let model = candidate.model();
        let explained = model.explain_all(data.matrix()).unwrap();
        for (row, together) in explained.contributions().rows().into_iter().enumerate() {
            let alone = model.explain(data.matrix(), row).unwrap();
            assert_eq!(alone.intercept().to_bits(), explained.intercept().to_bits(), "{name}");
            assert!(alone.contributions().iter().eq(together.iter()), "{name}, row {row}");
        }
        for (column, on) in explained.contributions().columns().into_iter().zip(explained.terms()) {
            let mean = column.mean().unwrap();
            assert!(mean.abs() < 1e-6, "{name}: the mean contribution of {on:?} is {mean}");
        }
    }
}

#[test]
fn declared_directions_are_kept_by_the_trainers_that_promise_it() {
    let mut dice = Dice::new(8);
    for (direction, sign) in [(Direction::Rising, 1.0), (Direction::Falling, -1.0)] {
        // The truth goes both ways, so that keeping to one takes enforcing.
        let data = dataset(&council(4, 1_500), direction);
        for name in ["additive", "scorecard"] {
            // A pair's grid may turn within a feature's direction: the direction is of the feature's own
            // term.
            let trainer = match Trainer::by_name(name).unwrap() {
                Trainer::Additive(params) => Trainer::Additive(params.pairs(0)),
                other => other,
            };
            let model = train(&data, &trainer).model().clone();
            assert!(!model.terms().is_empty(), "{name}: nothing to test");
            for (place, feature) in model.features().iter().enumerate() {
                let mut values: Vec<f32> = (0..40).map(|_| (dice.unit() * 40.0 - 2.0) as f32).collect();
                values.sort_unstable_by(f32::total_cmp);
                let columns: Vec<Vec<Cell>> = (0..model.features().len())
                    .map(|column| {
                        values.iter().map(|&v| Cell::Value(if column == place { v } else { 0.0 })).collect()
                    })
                    .collect();
                let cases =
                    FeatureMatrix::from_cells(model.features().to_vec(), values.len(), &columns).unwrap();
                let scores = world::sums(&model, &cases);
                let turns = scores.windows(2).any(|pair| sign * (pair[1] - pair[0]) < -1e-9);
                assert!(!turns, "{name}: {feature} turns against {direction:?}");
            }
        }
    }
}

#[test]
fn order_of_records_and_threads_leave_no_trace() {
    let world = council(5, 900);
    let mut dice = Dice::new(1);
    let other = world.permuted(&mut dice);
    let on = |world: &World, trainer: &Trainer, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&train(&dataset(world, Direction::None), trainer)).unwrap())
    };
    for (name, trainer) in table() {
        let alone = on(&world, &trainer, 1);
        for threads in [2, 8] {
            assert!(alone == on(&world, &trainer, threads), "{name}: {threads} threads");
            assert!(
                alone == on(&other, &trainer, threads),
                "{name}: another order of records, {threads} threads"
            );
        }
    }
}

/// A project file with its sources and its features the other way round.
fn turned_round(text: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match blocks.last_mut() {
            Some(block) if !line.starts_with('[') => block.push_str(line),
            _ => blocks.push(line.to_owned()),
        }
    }
    for kind in ["[[source]]", "[[feature]]"] {
        let places: Vec<usize> = (0..blocks.len()).filter(|&place| blocks[place].starts_with(kind)).collect();
        assert!(places.len() > 5, "{kind}");
        let turned: Vec<String> = places.iter().rev().map(|&place| blocks[place].clone()).collect();
        for (place, block) in places.into_iter().zip(turned) {
            blocks[place] = block;
        }
    }
    blocks.concat()
}

#[test]
fn the_order_of_a_project_file_leaves_no_trace_in_what_a_model_says() {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_500, 3).generate().unwrap();
    let path = council.write(folder.path(), Format::Csv).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let trained = |text: &str| {
        let project = Project::from_toml(text, folder.path()).unwrap();
        let (records, protected) = (project.records().unwrap(), project.protected().unwrap());
        project.train(&records, &protected, &project.training.trainer).unwrap()
    };
    let (one, other) = (trained(&text), trained(&turned_round(&text)));
    assert_ne!(one.candidate().features(), other.candidate().features());
    let figures = |model: &AuditedModel| {
        let texts = [
            serde_json::to_string(model.backtest()),
            serde_json::to_string(&model.fairness()),
            serde_json::to_string(model.candidate().model().terms()),
        ];
        texts.map(Result::unwrap)
    };
    assert!(figures(&one) == figures(&other));
    assert_eq!(metrics_csv(&one).unwrap(), metrics_csv(&other).unwrap());
}

#[test]
fn files_come_back_as_they_went_and_changed_ones_do_not() {
    let data = dataset(&council(6, 900), Direction::None);
    for (name, trainer) in table() {
        let candidate = train(&data, &trainer);
        let sums = |candidate: &Candidate| world::sums(candidate.model(), data.matrix());
        let text = serde_json::to_string(&candidate).unwrap();
        let back: Candidate = serde_json::from_str(&text).unwrap();
        assert!(back == candidate, "{name}");
        let (a, b) = (sums(&candidate), sums(&back));
        assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
        let digit = text.find("\"intercept\":").unwrap() + "\"intercept\":-".len();
        let changed =
            format!("{}{}", &text[..digit], text[digit..].replacen(|c: char| c.is_ascii_digit(), "7", 1));
        if changed != text {
            assert!(
                serde_json::from_str::<Candidate>(&changed).is_err(),
                "{name}: a changed figure was accepted"
            );
        }
    }
}

#[test]
fn every_score_has_an_interval_that_refits_make() {
    let data = dataset(&council(7, 1_200), Direction::None);
    for (name, trainer) in table() {
        let candidate = train(&data, &trainer);
        let model = candidate.model();
        let refits = model.refits().unwrap().len();
        assert!(refits >= 2, "{name}");
        let row = 3;
        let reach = model.reach(data.matrix(), row).unwrap().unwrap();
        assert!(reach.score > 0.02 && reach.score < 10.0, "{name}: {}", reach.score);
        assert_eq!(reach.contributions.len(), model.terms().len());
    }
}

#[test]
fn trainers_are_compared_on_the_same_cases_and_one_is_chosen_by_the_rule() {
    let data = dataset(&council(9, 1_500), Direction::None);
    let plan = {
        let dates: Vec<AsOf> = world::training_dates().to_vec();
        let mut plan = BacktestPlan::expanding(&dates, Horizon::Months(12), Capacity::Share(0.1)).unwrap();
        plan.bootstrap.resamples = 99;
        plan
    };
    let tested: Vec<(Candidate, Backtest)> = Trainer::NAMES
        .iter()
        .map(|name| {
            let candidate = train(&data, &Trainer::by_name(name).unwrap());
            let backtest = Backtest::run(&candidate, &data, &plan).unwrap();
            (candidate, backtest)
        })
        .collect();
    let entrants: Vec<Entrant> = tested
        .iter()
        .map(|(candidate, backtest)| Entrant::new(candidate, backtest, Some(1.5)).unwrap())
        .collect();
    assert!(Entrant::new(&tested[0].0, &tested[1].1, None).is_err(), "the backtest of another candidate");
    let rules = tested[0].1.report().rules.clone();

    // With a margin of nothing the best is chosen, with a vast one the smallest.
    let by = |margin| ChoiceRule { by: Figure::AveragePrecision, margin };
    let choose = |margin| ModelComparison::new(entrants.clone(), rules.clone(), by(margin)).unwrap();
    let precision = |entrant: &Entrant| entrant.overall.average_precision.unwrap().value;
    let best = entrants.iter().map(precision).fold(f64::NEG_INFINITY, f64::max);
    assert!((precision(choose(0.0).choice()) - best).abs() < 1e-12);
    let fewest = entrants.iter().map(|entrant| entrant.figures).min().unwrap();
    assert_eq!(choose(10.0).choice().figures, fewest);

    let table = choose(0.0);
    let csv = table.to_csv();
    assert_eq!(csv.lines().count(), 1 + Trainer::NAMES.len() + rules.len());
    let text = table.to_string();
    assert!(Trainer::NAMES.iter().all(|name| text.contains(name) && csv.contains(name)), "{text}");

    // Each other model against the chosen one, case by case: the difference of the figures, and every place accounted
    // for.
    let backtests: Vec<&Backtest> = tested.iter().map(|(_, backtest)| backtest).collect();
    let paired = choose(0.0).paired(&backtests).unwrap();
    assert_eq!(paired.differences.len(), entrants.len() - 1);
    for (trainer, difference) in &paired.differences {
        let other = entrants.iter().find(|entrant| &entrant.trainer == trainer).unwrap();
        for figure in Figure::ALL {
            let (chosen, other) =
                (figure.of(&paired.choice().overall).unwrap(), figure.of(&other.overall).unwrap());
            let change = difference.change(figure).unwrap().change;
            assert!((change.value - (other.value - chosen.value)).abs() < 1e-9, "{trainer}: {figure:?}");
            assert!(change.interval.low <= change.value && change.value <= change.interval.high);
        }
        let [first, second] = difference.capacity.map(|places| places as f64);
        assert!((difference.in_both.unwrap() + difference.only_in_first.unwrap() - first).abs() < 1e-9);
        assert!((difference.in_both.unwrap() + difference.only_in_second.unwrap() - second).abs() < 1e-9);
    }
    assert!(paired.to_string().contains("on the same cases"), "{paired}");
    let turned: Vec<&Backtest> = backtests.iter().rev().copied().collect();
    assert!(choose(0.0).paired(&turned).is_err(), "backtests of other candidates");

    // The bar is held to the same figures.
    let report = tested[0].1.report();
    let found = report.overall.average_precision.unwrap();
    let reaches =
        |value| SuccessBar::Reaches { figure: Figure::AveragePrecision, reaches: value }.check(report);
    assert!(reaches(found.value - 1e-9).met && !reaches(found.value + 1e-9).met);
    assert!(reaches(found.interval.low - 1e-9).clearly && !reaches(found.interval.low + 1e-9).clearly);
    let loss = report.overall.log_loss.value;
    let loses = |value| SuccessBar::Reaches { figure: Figure::LogLoss, reaches: value }.check(report).met;
    assert!(loses(loss + 1e-9) && !loses(loss - 1e-9), "a log loss has to be under its bar");
}

#[test]
fn a_feature_that_is_mostly_absent_does_not_flatten_the_others() {
    use earlyhelp::model::{AdditiveParams, Shape};
    let rows = 7_500;
    let mut dice = Dice::new(21);
    let counts: Vec<f32> = (0..rows).map(|_| dice.below(4) as f32).collect();
    let outcomes: Vec<bool> =
        counts.iter().map(|&count| dice.chance(0.1 + 0.15 * f64::from(count))).collect();
    let noise: Vec<Cell> = (0..rows)
        .map(|_| match dice.below(100) {
            0..60 => Cell::Missing,
            60..93 => Cell::NotCovered,
            _ => Cell::Value(dice.unit() as f32),
        })
        .collect();
    let families: Vec<u64> = (0..rows as u64).collect();
    let told: Vec<Cell> = counts.iter().map(|&count| Cell::Value(count)).collect();
    let range = |columns: Vec<Vec<Cell>>| {
        let names: Vec<String> = (0..columns.len()).map(|column| format!("f{column}")).collect();
        let directions = vec![Direction::None; columns.len()];
        let matrix = FeatureMatrix::from_cells(names, rows, &columns).unwrap();
        let (model, _) =
            AdditiveParams::default().fit_matrix(&matrix, &directions, &outcomes, &families, 1).unwrap();
        let term = model.terms().iter().find(|term| term.on == ["f0"]).unwrap();
        let Shape::Steps { values, .. } = &term.shape else { panic!("steps") };
        values[3] - values[0]
    };
    let (alone, beside) = (range(vec![told.clone()]), range(vec![told, noise]));
    assert!(alone > 1.0 && (beside / alone - 1.0).abs() < 0.05, "{alone} alone, {beside} beside noise");
}
