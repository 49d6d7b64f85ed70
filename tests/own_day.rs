//! Cases seen each on a day of its own: the same as a cohort of that day, and every record once.

use std::collections::BTreeMap;

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, OwnDay, Unit};
use earlyhelp::error::{EvaluateError, SpecError};
use earlyhelp::evaluate::{BacktestPlan, Capacity};
use earlyhelp::features::Cell;
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::project::Project;
use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};
use earlyhelp::report::{list_csv, list_html, list_json};
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Request, SignOff};
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::df;
use proptest::prelude::*;

use crate::world::{Dice, World, as_of, cells, wild, wild_date, wild_features};

fn after(records: Selector, days: u32, within: Lookback) -> OwnDay {
    OwnDay { records, days, within }
}

/// The day on which a person is due, with plain loops over the rows.
fn due(world: &World, source: &str, person: &str, days: i32, span: (i32, i32)) -> Option<i32> {
    let source = world.source(source);
    let rows = source.rows.iter().filter(|row| row.person == person);
    rows.map(|row| (row.occurred + days).max(source.known(row) + 1))
        .filter(|day| span.0 < *day && *day <= span.1)
        .max()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_case_is_what_it_is_in_the_cohort_of_its_own_day(seed: u64, days in 0_u32..60, families: bool) {
        let mut world = wild(seed, 9, 30);
        let mut dice = Dice::new(seed ^ 3);
        let unit = if families { Unit::Family } else { Unit::Person };
        let spec = wild_features(&mut dice, &world, families);
        for source in &mut world.sources {
            source.mapping.coverage.to = Some("2026-12-31".parse().unwrap());
            source.mapping.coverage.from = None;
        }
        let records = world.records();
        let date = wild_date();
        let within = *dice.pick(&[Lookback::Days(30), Lookback::Months(1), Lookback::Months(6)]);
        let trigger = *dice.pick(&["police", "plans"]);
        let rules = CohortSpec::default().unit(unit);
        let own = rules.clone().own_day(after(Selector::source(trigger), days, within));
        let cohort = match own.choose(&records.as_of(date)) {
            Err(SpecError::EmptyCohort(_)) => return Ok(()),
            cohort => cohort.unwrap(),
        };
        if !families {
            let span = (within.start(date).epoch_days(), date.day().epoch_days());
            let mut expected: Vec<(&str, i32)> = world
                .people
                .iter()
                .filter_map(|person| Some((person.id.as_str(), due(&world, trigger, &person.id, days as i32, span)?)))
                .collect();
            expected.sort_unstable();
            let found: Vec<(&str, i32)> =
                cohort.ids().enumerate().map(|(row, id)| (id, cohort.seen_on(row).day().epoch_days())).collect();
            prop_assert_eq!(found, expected);
        }
        let outcome = OutcomeSpec::any("again", "Again", [Selector::source("police")], Horizon::Days(60));
        let (matrix, labels) = (spec.compute(&cohort).unwrap(), outcome.labels(&cohort).unwrap());
        let table = cells(&matrix);
        let mut of_day: BTreeMap<AsOf, Cohort<'_>> = BTreeMap::new();
        for (row, id) in cohort.ids().enumerate() {
            let day = cohort.seen_on(row);
            let alone = of_day.entry(day).or_insert_with(|| rules.choose(&records.as_of(day)).unwrap());
            let place = alone.ids().position(|held| held == id).unwrap();
            let same: Vec<Vec<Cell>> = cells(&spec.compute(alone).unwrap());
            let of_row = |table: &[Vec<Cell>], row: usize| table.iter().map(|column| column[row]).collect::<Vec<_>>();
            prop_assert_eq!(of_row(&table, row), of_row(&same, place), "{} on {}", id, day);
            prop_assert_eq!(labels[row], outcome.labels(alone).unwrap()[place]);
            for column in 0..matrix.names().len() {
                let behind = |of: &Cohort<'_>, row| spec.records_behind(of, row, column).unwrap();
                prop_assert_eq!(behind(&cohort, row), behind(alone, place));
            }
        }
    }
}

fn referrals(on: [&str; 4], known: [&str; 4]) -> Records {
    let rows = df!("who" => ["a", "a", "b", "c"], "on" => on, "recorded" => known).unwrap();
    let complete = Coverage {
        from: Some("2020-01-01".parse().unwrap()),
        to: Some("2025-12-31".parse().unwrap()),
        ..Coverage::default()
    };
    let mapping = SourceMapping::new("referrals", "who", "referral", "on")
        .known(earlyhelp::records::Known::Column("recorded".into()))
        .coverage(complete);
    Records::builder().source(mapping, Extract::frame(rows)).build().unwrap()
}

#[test]
fn lists_a_span_apart_take_every_record_once_however_late_it_was_known() {
    // a is referred twice; b's referral is recorded two months late; c's on the last day of a month.
    let records = referrals(
        ["2024-01-10", "2024-03-05", "2024-01-20", "2024-02-29"],
        ["2024-01-10", "2024-03-05", "2024-03-25", "2024-02-29"],
    );
    let rules = CohortSpec::default().own_day(after(Selector::source("referrals"), 0, Lookback::Months(1)));
    let mut seen = Vec::new();
    for date in ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"] {
        match rules.choose(&records.as_of(as_of(date))) {
            Ok(cohort) => {
                assert_eq!(cohort.len() as u64 + cohort.left_out().no_own_day, 3);
                seen.extend(
                    cohort.ids().enumerate().map(|(row, id)| format!("{id} {}", cohort.seen_on(row))),
                );
            }
            Err(error) => assert!(matches!(error, SpecError::EmptyCohort(_)), "{error}"),
        }
    }
    // On the day itself a referral is not known yet: the day after is the first.
    assert_eq!(seen, ["a 2024-01-11", "c 2024-03-01", "a 2024-03-06", "b 2024-03-26"]);
}

#[test]
fn a_return_that_says_a_record_again_makes_no_second_case() {
    // The referral is returned again two months later, with its end.
    let rows = df!(
        "who" => ["a", "a", "b"],
        "on" => ["2024-01-10", "2024-01-10", "2024-03-04"],
        "until" => [None, Some("2024-03-01"), None],
        "recorded" => ["2024-01-10", "2024-03-02", "2024-03-04"],
        "ref" => ["r1", "r1", "r2"],
    )
    .unwrap();
    let mapping = SourceMapping::new("referrals", "who", "referral", "on")
        .ended("until")
        .reference("ref")
        .known(earlyhelp::records::Known::Column("recorded".into()));
    let records = Records::builder().source(mapping, Extract::frame(rows)).build().unwrap();
    let rules = CohortSpec::default().own_day(after(Selector::source("referrals"), 0, Lookback::Months(1)));
    let on = |date: &str| {
        let cohort = rules.choose(&records.as_of(as_of(date))).unwrap();
        cohort.ids().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(on("2024-02-01"), ["a"]);
    assert_eq!(on("2024-04-01"), ["b"]);
}

#[test]
fn a_date_that_is_corrected_later_makes_no_second_case_and_none_before_it_was_known() {
    let rows = df!(
        "who" => ["a", "a", "b", "b"],
        "on" => ["2024-01-10", "2024-02-10", "2024-02-05", "2024-02-15"],
        "recorded" => ["2024-01-10", "2024-02-20", "2024-02-06", "2024-03-25"],
        "ref" => ["r1", "r1", "r2", "r2"],
    )
    .unwrap();
    let mapping = SourceMapping::new("referrals", "who", "referral", "on")
        .reference("ref")
        .known(earlyhelp::records::Known::Column("recorded".into()));
    let records = Records::builder().source(mapping, Extract::frame(rows)).build().unwrap();
    let rules = CohortSpec::default().own_day(after(Selector::source("referrals"), 14, Lookback::Months(1)));
    let seen = |date: &str| match rules.choose(&records.as_of(as_of(date))) {
        Ok(cohort) => {
            cohort.ids().enumerate().map(|(row, id)| format!("{id} {}", cohort.seen_on(row))).collect()
        }
        Err(SpecError::EmptyCohort(_)) => Vec::new(),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(seen("2024-02-01"), ["a 2024-01-24"]);
    assert_eq!(seen("2024-03-01"), ["b 2024-02-19"]);
    assert_eq!(seen("2024-04-01"), Vec::<String>::new());
}

#[test]
fn whoever_died_or_left_by_the_date_is_on_no_list_of_it() {
    let people = df!(
        "person" => ["a", "b", "c"],
        "died" => [Some("2024-03-20"), None, None],
        "left" => [None, Some("2024-03-25"), None],
    )
    .unwrap();
    let columns = earlyhelp::records::PeopleColumns {
        person: vec!["person".into()],
        died: Some("died".into()),
        left: Some("left".into()),
        ..earlyhelp::records::PeopleColumns::default()
    };
    let rows = df!("who" => ["a", "b", "c"], "on" => ["2024-03-05", "2024-03-05", "2024-03-05"]).unwrap();
    let mapping = SourceMapping::new("referrals", "who", "referral", "on");
    let records = Records::builder()
        .people(columns, Extract::frame(people))
        .source(mapping, Extract::frame(rows))
        .build()
        .unwrap();
    let rules = CohortSpec::default().own_day(after(Selector::source("referrals"), 0, Lookback::Months(1)));
    let cohort = rules.choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    assert_eq!(cohort.ids().collect::<Vec<_>>(), ["c"]);
    assert_eq!((cohort.left_out().died, cohort.left_out().left, cohort.left_out().no_own_day), (1, 1, 0));
}

#[test]
fn a_rule_that_cannot_be_is_refused() {
    let records = referrals(["2024-01-10"; 4], ["2024-01-10"; 4]);
    let wrong = |own_day: OwnDay, says: &str| {
        let refused = CohortSpec::default().own_day(own_day).choose(&records.as_of(as_of("2024-02-01")));
        let told = refused.map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("own_day") && told.contains(says), "{told}");
    };
    let on = || Selector::source("referrals");
    wrong(after(on(), u32::MAX, Lookback::Days(30)), "0 to 36,525");
    wrong(after(on(), 1, Lookback::Ever), "as long as lists are apart");
    wrong(after(on(), 1, Lookback::Months(200_000)), "1 to 1200 months");
    wrong(after(on(), 1, Lookback::Months(13)), "at most 366 days");
    wrong(after(Selector::source("police"), 1, Lookback::Days(30)), "police");
}

#[test]
fn a_test_begins_with_the_first_day_on_which_one_of_its_cases_is_seen() {
    let dates: Vec<AsOf> = ["2022-04-01", "2023-04-01", "2023-06-01"].map(as_of).to_vec();
    let horizon = Horizon::Months(12);
    let plan = BacktestPlan::expanding(&dates, horizon, Capacity::Cases(5)).unwrap();
    assert_eq!(plan.splits.len(), 2);
    // Cases of 1 April 2023 are seen from 2 March on, when outcomes of April 2022 were not known to the end.
    let monthly = CohortSpec::default().own_day(after(Selector::source("r"), 1, Lookback::Months(1)));
    let by_month = plan.clone().seen_by(&monthly, horizon).unwrap();
    assert_eq!(by_month.splits.len(), 1);
    assert_eq!(by_month.splits[0].test, dates[2]);
    assert_eq!(plan.clone().seen_by(&CohortSpec::default(), horizon).unwrap(), plan);
    let yearly = CohortSpec::default().own_day(after(Selector::source("r"), 1, Lookback::Months(24)));
    assert!(matches!(plan.seen_by(&yearly, horizon), Err(EvaluateError::Plan(_))));
}

#[test]
fn a_project_trains_tests_and_lists_cases_on_days_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(6_000, 5).generate().unwrap();
    let path = council.write(folder.path(), Format::Csv).unwrap();
    let rule = "[cohort.own_day]\nrecords = { source = \"contacts\" }\ndays = 14\nwithin = \"6 months\"\n\n[outcome]";
    let text = std::fs::read_to_string(path).unwrap().replacen("[outcome]", rule, 1);
    let project = Project::from_toml(&text, folder.path()).unwrap();
    let records = project.records().unwrap();
    let checked = project.check().unwrap();
    let faults = checked.faults();
    assert!(faults.is_empty(), "{faults:?}");
    // Training dates a year apart, and half a year's cases of each.
    let between = |warning: &String| warning.contains("`own_day`") && warning.contains("in no cohort");
    assert_eq!(
        checked.warnings("2025-04-01".parse().unwrap()).iter().filter(|warning| between(warning)).count(),
        1
    );

    let data = project.dataset(&records).unwrap();
    let horizon = project.outcome.horizon;
    let frame = data.to_polars().unwrap();
    assert!(frame.column("seen_on").is_ok());
    for split in &project.backtest_plan().unwrap().splits {
        let first =
            (0..data.rows()).filter(|&row| data.as_of(row) == split.test).map(|row| data.seen_on(row)).min();
        let last = (0..data.rows())
            .filter(|&row| split.train.contains(&data.as_of(row)))
            .map(|row| data.seen_on(row));
        assert!(last.max().map(|last| horizon.end(last)) <= first.map(AsOf::day));
    }

    let model = project.train(&records, &project.protected().unwrap(), &project.training.trainer).unwrap();
    let today: Day = council.extract_date();
    let signed = SignOff {
        by: "A. Manager".into(),
        role: "Head".into(),
        purpose: project.purpose.clone(),
        signed_on: today,
        review_by: today.plus_months(12),
    };
    let scorer = model.release(signed).unwrap();
    let cohort = project.cohort(&records, AsOf::new(today)).unwrap();
    let scores = scorer.score(&cohort, &Request::new("B. Lead", &project.purpose, today)).unwrap();
    let list = ReviewList::draw(&scores, Capacity::Cases(5)).unwrap();
    let page = list_html(&list, "Test").unwrap();
    let (json, csv) = (list_json(&list).unwrap(), list_csv(&list).unwrap());
    for entry in list.entries() {
        let case = entry.case();
        let row = cohort.ids().position(|id| id == case.entity()).unwrap();
        assert_eq!(case.seen_on(), cohort.seen_on(row));
        assert!(case.seen_on().day() <= today && case.seen_on().day() > today.plus_months(-6));
        // What is behind its reasons was known before its own day.
        let behind = case.contributions().iter().flat_map(|part| &part.records);
        assert!(behind.into_iter().all(|record| record.known < case.seen_on().day()));
        let said = format!("\"seen_on\": \"{}\"", case.seen_on());
        assert!(json.contains(&said), "{said}");
        assert!(csv.contains(&case.seen_on().to_string()));
    }
    assert!(page.contains("a day of the case's own"), "the page says as of when a case is seen");
    assert!(page.contains("on or after the day on which the case is seen") && page.contains("seen as of "));
    assert!(page.contains("As of, at the latest") && !page.contains("As of (known before this day)"));
    assert!(csv.contains(",seen_on,"));
}
