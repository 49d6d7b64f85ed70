//! A category as one term: codes without an order, from the records to the list.

use earlyhelp::calendar::{AsOf, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, Capacity};
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::fairness::{FairnessAudit, Protected};
use earlyhelp::features::{Cell, Direction, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::model::{
    AdditiveModel, AdditiveParams, Candidate, CardLine, Change, Condition, Edit, LogisticParams,
    ScorecardParams, Shape, ShapeTable, Trainer, TrainingContext,
};
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};
use earlyhelp::report::{AnyModel, list_html, model_html};
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{AuditedModel, Request, Scorer, SignOff};
use polars::df;

use crate::world::{Dice, as_of, sums};

/// What each code adds to the log-odds, and how often it comes; the last one is one of five families.
const TENURES: [(&str, f64, f64); 7] = [
    ("owner", -1.2, 0.30),
    ("council", 0.4, 0.24),
    ("private rent", 1.1, 0.16),
    ("housing association", -0.5, 0.12),
    ("temporary", 1.6, 0.10),
    ("with family", -0.9, 0.08),
    ("boat", 0.0, 0.0),
];
const PEOPLE: usize = 4_000;
const BOATS: usize = 5;
const PURPOSE: &str = "Offer help early";

fn coverage() -> Coverage {
    Coverage {
        from: Some("2020-01-01".parse().unwrap()),
        to: Some("2025-12-31".parse().unwrap()),
        ..Coverage::default()
    }
}

/// Everybody has a tenure before each of two dates, and a plan after some of them. `new` has a tenure of its own before
/// the third, which nobody had before.
fn records(seed: u64, new: Option<&str>) -> Records {
    let mut dice = Dice::new(seed);
    let (mut who, mut on, mut tenure) = (Vec::new(), Vec::new(), Vec::new());
    let (mut planned, mut day) = (Vec::new(), Vec::new());
    for person in 0..PEOPLE {
        let id = format!("p{person:05}");
        for year in [2022, 2023, 2024] {
            let mut at = dice.unit();
            let found = TENURES.iter().position(|&(.., share)| {
                at -= share;
                at < 0.0
            });
            let nth = if person < BOATS { TENURES.len() - 1 } else { found.unwrap_or(0) };
            who.push(id.clone());
            on.push(format!("{year}-02-{:02}", 1 + person % 28));
            let code = new.filter(|_| year == 2024 && person % 50 == 7).unwrap_or(TENURES[nth].0);
            tenure.push(code.to_owned());
            // Whoever lives on a boat has a plan: what became of these few must not be learnt.
            let chance = 1.0 / (1.0 + (2.0 - TENURES[nth].1).exp());
            if year < 2024 && (person < BOATS || dice.chance(chance)) {
                planned.push(id.clone());
                day.push(format!("{year}-07-{:02}", 1 + person % 28));
            }
        }
    }
    let homes = df!("who" => who, "on" => on, "tenure" => tenure).unwrap();
    let plans = df!("who" => planned, "on" => day).unwrap();
    let mapping = |name: &str| SourceMapping::new(name, "who", name, "on").coverage(coverage());
    Records::builder()
        .source(mapping("homes").category("tenure"), Extract::frame(homes))
        .source(mapping("plans"), Extract::frame(plans))
        .build()
        .unwrap()
}

fn tenure(codes: &[&str]) -> Feature {
    let codes = codes.iter().map(|code| (*code).to_owned()).collect();
    let measure = Measure::LatestOf { category: "tenure".into(), codes };
    Feature::new(Selector::source("homes"), measure, Lookback::Days(365)).label("Tenure")
}

fn scrambled(seed: u64) -> Vec<&'static str> {
    let mut codes: Vec<&str> = TENURES.iter().map(|tenure| tenure.0).collect();
    Dice::new(seed).shuffle(&mut codes);
    codes
}

fn data(records: &Records, codes: &[&str]) -> Dataset {
    let spec = FeatureSpec::new(vec![tenure(codes)]).unwrap();
    let outcome = OutcomeSpec::any(
        "plan",
        "A plan begins within 12 months",
        [Selector::source("plans")],
        Horizon::Months(12),
    );
    let cohorts: Vec<_> = ["2022-03-03", "2023-03-03"]
        .iter()
        .map(|date| CohortSpec::default().choose(&records.as_of(as_of(date))).unwrap())
        .collect();
    Dataset::build(&spec, &outcome, &cohorts).unwrap()
}

/// What a model adds for each code, by name, for one that training did not know, and where there is none.
fn adds(model: &AdditiveModel, codes: &[&str]) -> Vec<(String, f64)> {
    let cells: Vec<Cell> =
        (0..=codes.len()).map(|code| Cell::Value(code as f32)).chain([Cell::Missing]).collect();
    let names = codes.iter().copied().chain(["new", "missing"]);
    let matrix = FeatureMatrix::from_cells(model.features().to_vec(), cells.len(), &[cells]).unwrap();
    let explained = model.explain_all(&matrix).unwrap();
    let all = sums(model, &matrix);
    let added: Vec<(String, f64)> = names
        .zip(explained.contributions().rows())
        .map(|(name, parts)| (name.to_owned(), parts.sum()))
        .collect();
    for ((_, part), sum) in added.iter().zip(all) {
        assert_eq!(
            (model.intercept() + part).to_bits(),
            sum.to_bits(),
            "a score is the sum of its explanation"
        );
    }
    added
}

fn of(added: &[(String, f64)], name: &str) -> f64 {
    added.iter().find(|(held, _)| held == name).unwrap().1
}

#[test]
fn planted_log_odds_of_codes_are_found_in_whatever_order_they_are_listed() {
    let records = records(3, None);
    for trainer in
        [Trainer::Additive(AdditiveParams::default()), Trainer::Logistic(LogisticParams::default())]
    {
        let mut found: Vec<Vec<(String, f64)>> = Vec::new();
        for order in [1, 2] {
            let codes = scrambled(order);
            let model = trainer.fit(&data(&records, &codes), 1).unwrap().model;
            assert_eq!(model.terms().len(), 1, "one term of all codes");
            assert!(matches!(model.terms()[0].shape, Shape::Steps { .. }));
            let added = adds(&model, &codes);
            // Differences of planted log-odds, over some hundred cases with the outcome each.
            for &(name, planted, share) in TENURES.iter().filter(|tenure| tenure.2 > 0.0) {
                let away = of(&added, name) - of(&added, "council") - (planted - 0.4);
                assert!(away.abs() < 0.35, "{}: {name} is {away} off ({share})", trainer.name());
            }
            for none in ["boat", "new", "missing"] {
                assert_eq!(of(&added, none).to_bits(), 0.0_f64.to_bits(), "{} of {none}", trainer.name());
            }
            let reach = model.refits().map(earlyhelp::model::Refits::len);
            assert_eq!(reach, Some(20));
            found.push(added);
        }
        for (name, first) in &found[0] {
            let second = of(&found[1], name);
            assert!((first - second).abs() < 1e-3, "{}: {name} is {first} or {second}", trainer.name());
        }
    }
}

#[test]
fn codes_without_an_order_beat_the_same_codes_as_numbers() {
    let codes = scrambled(1);
    let [learnt, fresh] = [records(3, None), records(4, None)].map(|records| data(&records, &codes));
    let families: Vec<u64> = (0..learnt.rows() as u64).collect();
    let params = AdditiveParams::default().refits(0);
    let as_codes = Trainer::Additive(params.clone()).fit(&learnt, 1).unwrap().model;
    let fit = |steps: u32| {
        let params = AdditiveParams { steps, ..params.clone() };
        let (model, _) =
            params.fit_matrix(learnt.matrix(), &[Direction::None], learnt.outcomes(), &families, 1).unwrap();
        model
    };
    let line = LogisticParams::default()
        .fit_matrix(learnt.matrix(), &[earlyhelp::model::Scale::Linear], learnt.outcomes(), None)
        .unwrap()
        .model;
    let loss = |model: &AdditiveModel| -> f64 {
        let scores = sums(model, fresh.matrix());
        let of = |(score, &outcome): (&f64, &bool)| {
            let against = if outcome { -score } else { *score };
            against.exp().ln_1p()
        };
        scores.iter().zip(fresh.outcomes()).map(of).sum::<f64>() / scores.len() as f64
    };
    let (codes, steps, line) = (loss(&as_codes), loss(&fit(3)), loss(&line));
    assert!(codes < steps - 0.005 && codes < line - 0.01, "codes {codes}, steps {steps}, a line {line}");
}

#[test]
fn a_card_has_points_for_codes_and_none_for_those_of_few_families() {
    let records = records(3, None);
    let codes = scrambled(1);
    let trained = Trainer::Scorecard(ScorecardParams::default()).fit(&data(&records, &codes), 1).unwrap();
    let card = &trained.cards[0];
    assert!(card.lines.len() >= 3, "{card}");
    let points = |name: &str| {
        let code = codes.iter().position(|code| *code == name).unwrap() as u32;
        card.lines.iter().find(|line| line.condition == Condition::Is(code)).map_or(0, |line| line.points)
    };
    // What a tenure counts that is not on record is an average one; all others are codes.
    let is_code = |line: &&CardLine| matches!(line.condition, Condition::Is(_));
    let others: Vec<&CardLine> = card.lines.iter().filter(|line| !is_code(line)).collect();
    assert!(others.iter().all(|line| line.condition == Condition::Absent) && others.len() <= 1, "{card}");
    assert!(points("temporary") > points("council") && points("private rent") > points("owner"), "{card}");
    assert_eq!(points("boat"), 0);
    let added = adds(&trained.model, &codes);
    for (name, part) in &added {
        let absent = others.first().map_or(0, |line| line.points);
        let wanted = match name.as_str() {
            "missing" => absent,
            name if codes.contains(&name) => points(name),
            _ => 0,
        };
        let said = card.offset + card.unit * f64::from(wanted);
        assert!((trained.model.intercept() + part - said).abs() < 1e-9, "{name}: {card}");
    }
}

#[test]
fn codes_that_do_not_fit_the_records_are_refused() {
    let records = records(3, None);
    let all: Vec<&str> = TENURES.iter().map(|tenure| tenure.0).collect();
    let refused = |feature: Feature| match FeatureSpec::new(vec![feature]) {
        Ok(spec) => spec.check(&records).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(FeatureSpec::new(vec![tenure(&all)]).unwrap().check(&records).is_ok());
    let lacking = refused(tenure(&all[1..]));
    assert!(
        lacking.contains("\"owner\" (") && lacking.contains("add what is missing to `codes`"),
        "{lacking}"
    );
    let unknown = refused(tenure(&[&all[..], &["Council"]].concat()));
    assert!(unknown.contains("did you mean \"council\"?"), "{unknown}");
    assert!(refused(tenure(&[&all[..], &["owner"]].concat())).contains("stands twice"));
    assert!(refused(tenure(&[])).contains("1 to 253 codes"));
    assert!(refused(tenure(&all).direction(Direction::Rising)).contains("no order"));
    assert!(refused(tenure(&all).need("housing")).contains("latest_is"));
}

#[test]
fn what_few_records_say_is_not_told_as_a_code() {
    let told = |with: u32| {
        let said: Vec<&str> =
            ["own"; 12].into_iter().chain(std::iter::repeat_n("SECRET note", with as usize)).collect();
        let who: Vec<String> = (0..said.len()).map(|nth| format!("p{nth}")).collect();
        let on = vec!["2023-01-05"; said.len()];
        let rows = df!("who" => who, "on" => on, "tenure" => said).unwrap();
        let mapping = SourceMapping::new("homes", "who", "tenancy", "on").category("tenure");
        let records = Records::builder().source(mapping, Extract::frame(rows)).build().unwrap();
        FeatureSpec::new(vec![tenure(&["other"])]).unwrap().check(&records).unwrap_err().to_string()
    };
    let rare = told(2);
    assert!(rare.contains("\"own\" (12)") && rare.contains("1 more") && !rare.contains("SECRET"), "{rare}");
}

fn candidate(data: &Dataset, trainer: &Trainer) -> Candidate {
    let context = TrainingContext {
        seed: 3,
        cannot_see: vec!["What nobody wrote.".into()],
        ..TrainingContext::default()
    };
    Candidate::train(data, trainer, context).unwrap()
}

fn released(candidate: Candidate, data: &Dataset) -> (AuditedModel, Scorer) {
    let dates: Vec<AsOf> = ["2022-03-03", "2023-03-03"].map(as_of).to_vec();
    let plan = BacktestPlan::expanding(&dates, data.outcome().horizon, Capacity::Cases(100)).unwrap();
    let backtest = Backtest::run(&candidate, data, &plan).unwrap();
    let none = Protected::none(vec!["ethnicity".into()]);
    let audit = FairnessAudit::of(&backtest, &none, &AuditParams::at_release()).unwrap();
    let audited = AuditedModel::new(candidate, &backtest, &audit).unwrap();
    let sign = SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: PURPOSE.into(),
        signed_on: "2024-03-01".parse().unwrap(),
        review_by: "2025-03-01".parse().unwrap(),
    };
    let scorer = audited.clone().release(sign).unwrap();
    (audited, scorer)
}

#[test]
fn pages_and_lists_name_the_codes_and_say_which_training_did_not_know() {
    let codes = scrambled(1);
    let data = data(&records(3, None), &codes);
    let later = records(3, Some("hostel"));
    let cohort = CohortSpec::default().choose(&later.as_of(as_of("2024-03-03"))).unwrap();
    for trainer in [
        Trainer::Additive(AdditiveParams::default().refits(2)),
        Trainer::Logistic(LogisticParams::default().refits(2)),
        Trainer::Scorecard(ScorecardParams::default().refits(2)),
    ] {
        let name = trainer.name();
        let is_card = matches!(trainer, Trainer::Scorecard(_));
        let candidate = candidate(&data, &trainer);
        let tables = candidate.tables();
        let ShapeTable::Steps { rows } = &tables[0].shape else { panic!("{name}: no steps") };
        let row = |text: &str| rows.iter().find(|row| row.label.contains(text));
        for code in ["owner", "private rent"] {
            assert!(row(code).is_some_and(|row| row.learnt), "{name}: {rows:?}");
        }
        if !is_card {
            assert!(
                row("boat").is_some_and(|row| !row.learnt && row.contribution == 0.0),
                "{name}: {rows:?}"
            );
        }
        let read: Candidate = serde_json::from_str(&serde_json::to_string(&candidate).unwrap()).unwrap();
        assert_eq!(read.digest(), candidate.digest());

        let range = Edit {
            on: vec![candidate.model().features()[0].clone()],
            change: Change::Flatten { from: Some(0.5), to: Some(2.5) },
            by: "A. Analyst".into(),
            on_day: "2024-01-01".parse().unwrap(),
            reason: "To try".into(),
        };
        let why = candidate.edited(range, &data).unwrap_err().to_string();
        assert!(is_card || why.contains("no order"), "{name}: {why}");

        let (audited, scorer) = released(candidate, &data);
        let page = model_html(AnyModel::Audited(&audited)).unwrap();
        assert!(page.contains("private rent") && !page.contains("code 2"), "{name}");
        let request = Request::new("B. Lead", PURPOSE, "2024-03-04".parse().unwrap());
        let scores = scorer.score(&cohort, &request).unwrap();
        // A new code is as much as nothing known, and this model knows nothing else.
        let refused = scores.not_scored().len();
        assert_eq!(refused, PEOPLE / 50, "{name}: {refused} of {}", cohort.len());
        let list = ReviewList::draw(&scores, Capacity::Cases(50)).unwrap();
        let case = list.entries()[0].case();
        let part = &case.contributions()[0];
        assert_eq!(part.codes, ["temporary"], "{name}: {}", part.words);
        assert!(part.words.starts_with("Tenure: tenure is temporary by the last record"), "{}", part.words);
        assert!(list_html(&list, "List").unwrap().contains("temporary"));
    }
}
