//! Polars frames in, scored cases out as JSON: how a program that has its own data embeds the crate,
//! without a project file.
//!
//! ```text
//! cargo run --example embed_dataframes
//! ```

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, Capacity};
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::fairness::{FairnessAudit, Protected, ProtectedColumns};
use earlyhelp::features::{Direction, Feature, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, LogisticParams, Trainer, TrainingContext};
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::records::{Coverage, Extract, Known, PeopleColumns, Records, Selector, SourceMapping};
use earlyhelp::report;
use earlyhelp::report::audit::audit_text;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{AuditedModel, Request, SignOff};
use polars::prelude::*;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let records = records()?;

    // What is read: windows before the date. What is foreseen: a plan within a year after it.
    let visits = || Selector::source("visits");
    let spec = FeatureSpec::new(vec![
        Feature::new(visits(), Measure::Count, Lookback::Days(90)).direction(Direction::Rising),
        Feature::new(visits(), Measure::Count, Lookback::Days(365)).direction(Direction::Rising),
        Feature::new(visits(), Measure::DaysSinceLast, Lookback::Days(365)),
        Feature::new(Selector::source("arrears"), Measure::Max, Lookback::Months(12)),
    ])?;
    let outcome = OutcomeSpec::any(
        "plan_within_a_year",
        "A plan begins within 12 months",
        [Selector::source("plans")],
        Horizon::Months(12),
    );
    let rules = CohortSpec::default().ages(0, 17);

    // Train on two dates; the backtest trains on the first alone and is tested on the second.
    let dates: Vec<AsOf> = vec!["2022-01-01".parse()?, "2023-01-01".parse()?];
    let cohorts =
        dates.iter().map(|&date| rules.choose(&records.as_of(date))).collect::<Result<Vec<_>, _>>()?;
    let data = Dataset::build(&spec, &outcome, &cohorts)?;
    let trainer = Trainer::Logistic(LogisticParams::default());
    let context = TrainingContext { protected: vec!["sex".into()], ..TrainingContext::default() };
    let candidate = Candidate::train(&data, &trainer, context)?;
    let plan = BacktestPlan::expanding(&dates, outcome.horizon, Capacity::Cases(40))?;
    let backtest = Backtest::run(&candidate, &data, &plan)?;
    let audit = FairnessAudit::of(&backtest, &protected()?, &AuditParams::at_release())?;
    eprintln!("{}\n{}", backtest.report().overall, audit_text(audit.audit()));

    let today: Day = "2024-01-01".parse()?;
    let scorer = AuditedModel::new(candidate, &backtest, &audit)?.release(SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: "Offer early help".into(),
        signed_on: today,
        review_by: today.plus_months(12),
    })?;
    let cohort = rules.choose(&records.as_of(AsOf::new(today)))?;
    let scores = scorer.score(&cohort, &Request::new("B. Lead", "Offer early help", today))?;
    let list = ReviewList::draw(&scores, Capacity::Cases(3))?;
    println!("{}", report::list_json(&list)?);
    Ok(())
}

/// How many invented people there are.
const PEOPLE: i32 = 1_500;

/// A number that looks random and is the same every time.
fn scatter(person: i32, salt: i32) -> i32 {
    (person.wrapping_mul(7919).wrapping_add(salt.wrapping_mul(104_729)) % 1000).abs()
}

fn id(person: i32) -> String {
    format!("p{person:05}")
}

fn dates(name: &str, days: &[i32]) -> PolarsResult<Column> {
    Ok(Series::new(name.into(), days).cast(&DataType::Date)?.into_column())
}

/// Frames as a program might hold them. The more often somebody is visited, the likelier a plan.
fn records() -> std::result::Result<Records, Box<dyn std::error::Error>> {
    let start = Day::from_ymd(2021, 1, 1).ok_or("a day")?.epoch_days();
    let (mut who, mut when, mut told) = (vec![], vec![], vec![]);
    let (mut debtor, mut seen, mut pounds) = (vec![], vec![], vec![]);
    let (mut planned, mut began) = (vec![], vec![]);
    for person in 0..PEOPLE {
        let need = scatter(person, 1) / 200;
        for visit in 0..need * 4 {
            let day = start + scatter(person, 10 + visit) * 1094 / 999;
            who.push(id(person));
            when.push(day);
            // It takes the council a week to hear of a visit.
            told.push(day + 7);
        }
        if scatter(person, 2) < 300 {
            debtor.push(id(person));
            seen.push(start + scatter(person, 3));
            pounds.push(f64::from(scatter(person, 4)));
        }
        for year in 0..3 {
            if scatter(person, 5 + year) < 30 + 50 * need {
                planned.push(id(person));
                began.push(start + 365 * year + scatter(person, 20 + year) * 364 / 999);
            }
        }
    }
    let rows = |columns: Vec<Column>| DataFrame::new(columns[0].len(), columns);
    let visits = rows(vec![
        Series::new("client".into(), who).into_column(),
        dates("visited", &when)?,
        dates("heard", &told)?,
    ])?;
    let arrears = rows(vec![
        Series::new("client".into(), debtor).into_column(),
        dates("day", &seen)?,
        Series::new("pounds".into(), pounds).into_column(),
    ])?;
    let plans = rows(vec![Series::new("client".into(), planned).into_column(), dates("began", &began)?])?;
    let born: Vec<i32> = (0..PEOPLE).map(|person| start - 365 - scatter(person, 6) * 4).collect();
    let ids: Vec<String> = (0..PEOPLE).map(id).collect();
    let people = rows(vec![Series::new("client".into(), ids).into_column(), dates("born", &born)?])?;

    let whole = || -> Result<Coverage, earlyhelp::error::CalendarError> {
        Ok(Coverage {
            from: Some("2021-01-01".parse()?),
            to: Some("2023-12-31".parse()?),
            ..Coverage::default()
        })
    };
    let columns = PeopleColumns {
        person: vec!["client".into()],
        date_of_birth: Some("born".into()),
        ..PeopleColumns::default()
    };
    Ok(Records::builder()
        .people(columns, Extract::frame(people))
        .source(
            SourceMapping::new("visits", "client", "visit", "visited")
                .known(Known::Column("heard".into()))
                .coverage(whole()?),
            Extract::frame(visits),
        )
        .source(
            SourceMapping::new("arrears", "client", "arrears", "day").value("pounds").coverage(whole()?),
            Extract::frame(arrears),
        )
        .source(
            SourceMapping::new("plans", "client", "plan", "began").coverage(whole()?),
            Extract::frame(plans),
        )
        .build()?)
}

/// Held for the fairness check alone.
fn protected() -> std::result::Result<Protected, Box<dyn std::error::Error>> {
    let ids: Vec<String> = (0..PEOPLE).map(id).collect();
    let sex: Vec<&str> = (0..PEOPLE).map(|p| if scatter(p, 9) < 490 { "F" } else { "M" }).collect();
    let columns = ProtectedColumns {
        entity: vec!["client".into()],
        characteristics: vec!["sex".into()],
        not_held: vec!["ethnicity".into(), "disability".into()],
        of_family: None,
        ..ProtectedColumns::default()
    };
    Ok(Protected::read(&columns, Extract::frame(df!("client" => ids, "sex" => sex)?))?)
}
