//! What is not what it says is an error or a said thing: records of which there are none, sources that do not reach a
//! date, lists of everybody and of nobody.

use earlyhelp::calendar::{AsOf, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::error::{Error, ReviewError, ScoringError, SpecError};
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::label::Helped;
use earlyhelp::fairness::{FairnessAudit, Protected};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::outcome::{FollowUp, OutcomeSpec};
use earlyhelp::records::{Coverage, Extract, Known, PeopleColumns, Records, Role, Selector, SourceMapping};
use earlyhelp::review::{ListParams, RandomSample, ReviewList};
use earlyhelp::scoring::{Abstention, Request, WhyNot};
use polars::df;

use crate::world::{self, World, as_of, day};

fn one(feature: Feature) -> FeatureSpec {
    FeatureSpec::new(vec![feature]).unwrap()
}

#[test]
fn a_model_is_not_made_of_records_of_which_there_are_none() {
    let records = world::council(5, 60).records();
    let date = world::training_dates()[0];
    let build = |spec: &FeatureSpec, rules: &CohortSpec, outcome: &OutcomeSpec| {
        let cohort = rules.choose(&records.as_of(date)).unwrap();
        Dataset::build(spec, outcome, &[cohort]).map(|data| data.rows())
    };
    let (spec, rules, outcome) = (world::features(), world::rules(), world::outcome());
    assert!(build(&spec, &rules, &outcome).is_ok());

    let named = |selector: Selector| one(Feature::new(selector, Measure::Count, Lookback::Months(12)));
    let police = || Selector::source("police");
    let wrong =
        [police().kind("Theft"), police().category("place", "East"), police().kind("theft").kind("fraud")];
    for selector in wrong {
        let refused = build(&named(selector.clone()), &rules, &outcome).unwrap_err();
        assert!(matches!(refused, Error::Spec(SpecError::NoValue { .. })), "{refused}");
        assert!(build(&named(selector.optional()), &rules, &outcome).is_ok());
    }
    let refused = build(&spec, &world::rules().not_open(Selector::source("plans").kind("CIN")), &outcome);
    assert!(refused.unwrap_err().to_string().contains("not_open"));
    let nobody = OutcomeSpec { records: vec![Selector::source("plans").kind("CP")], ..world::outcome() };
    assert!(build(&spec, &rules, &nobody).unwrap_err().to_string().contains("did you mean \"cp\""));
    let during = Some(Selector::source("roll").role(Role::Witness));
    let follow_up = FollowUp { during, until_age: None };
    assert!(build(&spec, &rules, &OutcomeSpec { follow_up, ..world::outcome() }).is_err());

    let cohort = rules.choose(&records.as_of(date)).unwrap();
    let help = [Selector::source("plans").kind("early help")];
    assert!(Helped::within(&[cohort], &help, Horizon::Months(12)).is_err());
}

#[test]
fn a_released_model_scores_a_month_without_one_of_the_kinds_where_somebody_accepts_it() {
    let made = world::released();
    let mut world = World { ..made.world.clone() };
    world.source_mut("housing").rows.clear();
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let refused = made.scorer.score(&cohort, &world::request()).err();
    assert!(matches!(refused, Some(ScoringError::SourcesChanged { .. })), "{refused:?}");
    let accepted = world::request().accepting("housing", "C. Data", "the landlord sends no more");
    let scores = made.scorer.score(&cohort, &accepted);
    assert!(scores.is_ok(), "{:?}", scores.err());
}

/// Two visits, the first in January 2024.
fn visits(coverage: Coverage) -> Records {
    let rows = df!("who" => ["a", "b"], "on" => ["2024-01-05", "2024-03-01"]).unwrap();
    let mapping = SourceMapping::new("visits", "who", "visit", "on").coverage(coverage);
    Records::builder().source(mapping, Extract::frame(rows)).build().unwrap()
}

#[test]
fn a_source_that_states_no_beginning_begins_with_its_first_record_known_at_the_date() {
    let cell = |coverage: Coverage, over: Lookback, date: &str| {
        let records = visits(coverage);
        let cohort = CohortSpec::default().choose(&records.as_of(as_of(date))).unwrap();
        one(Feature::new(Selector::source("visits"), Measure::Count, over))
            .compute(&cohort)
            .unwrap()
            .cell(1, 0)
    };
    let (unsaid, month) = (Coverage::default, Lookback::Days(30));
    assert_eq!(cell(unsaid(), month, "2024-04-01"), Cell::Value(0.0));
    assert_eq!(cell(unsaid(), Lookback::Days(365), "2024-04-01"), Cell::NotCovered);
    assert_eq!(cell(unsaid(), Lookback::Ever, "2024-04-01"), Cell::Value(1.0));
    // On the day of the first record it is not known yet, so that the source has not begun.
    assert_eq!(cell(unsaid(), month, "2024-01-05"), Cell::NotCovered);
    let stated = Coverage { from: Some("2020-01-01".parse().unwrap()), ..Coverage::default() };
    assert_eq!(cell(stated, Lookback::Days(365), "2024-04-01"), Cell::Value(1.0));
}

#[test]
fn an_outcome_is_not_asked_about_before_its_records_begin() {
    let from = |from: &str| Coverage {
        from: Some(from.parse().unwrap()),
        to: Some("2024-12-31".parse().unwrap()),
        ..Coverage::default()
    };
    let outcome = OutcomeSpec::any("again", "Comes again", [Selector::source("visits")], Horizon::Days(90));
    let labels = |coverage: Coverage| {
        let records = visits(coverage);
        let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-01-01"))).unwrap();
        outcome.labels(&cohort).map(|labels| labels.len())
    };
    assert_eq!(labels(from("2024-01-01")), Ok(2));
    let refused = labels(from("2024-01-02")).unwrap_err();
    assert!(matches!(refused, SpecError::BeforeExtract { .. }), "{refused}");
}

#[test]
fn a_list_is_of_a_date_that_the_records_can_speak_of() {
    let made = world::released();
    let score = |date: AsOf, request: &Request| {
        let cohort = world::rules().choose(&made.records.as_of(date)).unwrap();
        made.scorer.score(&cohort, request).map(|scores| scores.len())
    };
    let mut request = world::request();
    request.on = "2024-03-31".parse().unwrap();
    let refused = score(world::list_date(), &request).unwrap_err();
    assert!(matches!(refused, ScoringError::AsOfAfterRequest { .. }), "{refused}");

    let before = score(as_of("2014-01-01"), &world::request()).unwrap_err();
    assert!(matches!(before, ScoringError::BeforeRecords { .. }), "{before}");

    let mut late = world::request();
    late.on = "2025-02-01".parse().unwrap();
    let mut world = World { ..made.world.clone() };
    for source in &mut world.sources {
        source.mapping.coverage.to = Some("2024-06-30".parse().unwrap());
        source.rows.retain(|row| row.occurred < day("2024-06-30"));
    }
    let records = world.records();
    let cohort = world::rules().choose(&records.as_of(as_of("2025-02-01"))).unwrap();
    let refused = made.scorer.score(&cohort, &late).map(|scores| scores.len()).unwrap_err();
    assert!(matches!(refused, ScoringError::AfterRecords { .. }), "{refused}");
}

#[test]
fn a_list_of_nobody_says_why_and_a_list_of_everybody_and_more_is_refused() {
    let made = world::released();
    let cohort = world::cohort(&made.records, world::list_date());
    let abstention = Abstention { unknown_share: -1.0, ..Abstention::default() };
    let nobody = made.scorer.score(&cohort, &Request { abstention, ..world::request() }).unwrap();
    let thin = nobody.not_scored().iter().filter(|held| matches!(held.reason(), WhyNot::Thin { .. })).count();
    let Err(Error::Review(refused)) = ReviewList::draw(&nobody, Capacity::Cases(5)) else {
        panic!("there is a list of nobody")
    };
    let ReviewError::NobodyScored { cohort: all, stale, thin: told, outside } = refused else {
        panic!("{refused}")
    };
    assert_eq!((all, told), (cohort.len(), thin));
    assert_eq!(stale + told + outside, all);

    let scores = made.scorer.score(&cohort, &world::request()).unwrap();
    let above = u32::try_from(cohort.len()).unwrap() + 1;
    let refused = ReviewList::draw(&scores, Capacity::Cases(above));
    assert!(matches!(refused, Err(Error::Review(ReviewError::CapacityAboveCohort { .. }))));
    let sample = RandomSample { cases: above, seed: 1 };
    let refused = ReviewList::draw(&scores, ListParams::new(Capacity::Cases(5)).comparison(sample));
    assert!(matches!(refused, Err(Error::Review(ReviewError::SampleAboveCohort { .. }))));
    for share in [f64::NAN, f64::INFINITY, 2.0, -1.0] {
        let refused = ReviewList::draw(&scores, Capacity::Share(share));
        assert!(matches!(refused, Err(Error::Review(ReviewError::NoCapacity))), "{share}");
    }
}

#[test]
fn an_audit_that_matches_nobody_is_an_error() {
    let made = world::released();
    let others = df!("person" => ["x1", "x2"], "sex" => ["F", "M"]).unwrap();
    let protected = Protected::read(&world::protected_columns(), Extract::frame(others)).unwrap();
    let params = earlyhelp::fairness::audit::AuditParams::at_release();
    let refused = FairnessAudit::of(&made.chain.backtest, &protected, &params).unwrap_err().to_string();
    assert!(refused.contains("not one of"), "{refused}");
}

#[test]
fn a_reject_limit_is_a_share() {
    for limit in [f64::NAN, f64::INFINITY, 2.0, -1.0] {
        let rows = df!("who" => ["a"], "on" => ["2024-01-05"]).unwrap();
        let mapping = SourceMapping::new("visits", "who", "visit", "on");
        let refused = Records::builder().source(mapping, Extract::frame(rows)).reject_limit(limit).build();
        assert!(refused.unwrap_err().to_string().contains("from 0 to 1"), "{limit}");
    }
}

#[test]
fn an_amount_that_is_not_known_is_no_zero_and_a_sum_beside_it_says_that_it_lacks_one() {
    let rows = df!(
        "who" => ["a", "a", "a", "b", "b", "c"],
        "on" => ["2024-01-05", "2024-02-01", "2024-03-01", "2024-01-05", "2024-02-01", "2023-01-01"],
        "owed" => [Some(120.5), None, Some(30.0), None, None, Some(7.0)],
    )
    .unwrap();
    let mapping = SourceMapping::new("rent", "who", "arrears", "on")
        .value("owed")
        .coverage(Coverage { from: Some("2020-01-01".parse().unwrap()), ..Coverage::default() });
    let records = Records::builder().source(mapping, Extract::frame(rows)).build().unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2024-04-01"))).unwrap();
    let spec = |measure| one(Feature::new(Selector::source("rent"), measure, Lookback::Days(365)));
    // The sum by hand; how many records it lacks. Somebody whose records are older has a true zero.
    for (row, sum, lacks) in [(0, Cell::Value(150.5), 1), (1, Cell::Missing, 2), (2, Cell::Value(0.0), 0)] {
        let of = spec(Measure::Sum);
        assert_eq!(of.compute(&cohort).unwrap().cell(row, 0), sum);
        assert_eq!(of.unknown_behind(&cohort, row, 0), Ok(lacks));
        assert_eq!(spec(Measure::Count).unknown_behind(&cohort, row, 0), Ok(0));
    }
    assert!(spec(Measure::Sum).unknown_behind(&cohort, 3, 0).is_err());
}

#[test]
fn rules_on_the_last_record_and_on_none_lately_are_those_of_the_records_known_at_the_date() {
    let rows = df!(
        "who" => ["a", "a", "b", "c", "d"],
        "on" => ["2024-01-05", "2024-03-25", "2024-03-01", "2024-03-31", "2024-01-01"],
        "tenure" => [Some("council"), Some("private"), Some("council"), Some("council"), None],
    )
    .unwrap();
    let records = |coverage: Coverage| {
        let mapping =
            SourceMapping::new("homes", "who", "tenancy", "on").category("tenure").coverage(coverage);
        let people = df!("person" => ["a", "b", "c", "d", "e"]).unwrap();
        let listed = PeopleColumns { person: vec!["person".into()], ..PeopleColumns::default() };
        Records::builder()
            .people(listed, Extract::frame(people))
            .source(mapping, Extract::frame(rows.clone()))
            .build()
            .unwrap()
    };
    let from = Coverage { from: Some("2023-01-01".parse().unwrap()), ..Coverage::default() };
    let known = records(from);
    let chosen = |rules: CohortSpec, date: &str| {
        rules.choose(&known.as_of(as_of(date))).map(|cohort| cohort.ids().collect::<String>())
    };
    let council = || Selector::source("homes").category("tenure", "council");
    // On 31 March, c's record of that day is not known; e has none, and d's names no tenure.
    assert_eq!(chosen(CohortSpec::default().latest(council()), "2024-03-31").unwrap(), "b");
    assert_eq!(chosen(CohortSpec::default().latest(council()), "2024-04-01").unwrap(), "bc");
    assert_eq!(chosen(CohortSpec::default().latest(council()), "2024-03-25").unwrap(), "ab");
    let quiet = |days| CohortSpec::default().none_within(council(), days);
    // 1 March is 31 days before 1 April, and a's council tenancy 87.
    assert_eq!(chosen(quiet(30), "2024-04-01").unwrap(), "abde");
    assert_eq!(chosen(quiet(31), "2024-04-01").unwrap(), "ade");
    assert_eq!(chosen(quiet(87), "2024-04-01").unwrap(), "de");
    let cohort = quiet(31).choose(&known.as_of(as_of("2024-04-01"))).unwrap();
    assert_eq!((cohort.left_out().has_record, cohort.left_out().other_latest), (2, 0));
    // Days that the source does not cover, or none.
    for days in [0, 600, u32::MAX] {
        assert!(matches!(chosen(quiet(days), "2024-04-01"), Err(SpecError::Invalid { .. })), "{days}");
    }
    let ended = Coverage { to: Some("2024-01-31".parse().unwrap()), ..Coverage::default() };
    assert!(quiet(5).choose(&records(ended).as_of(as_of("2024-04-01"))).is_err());
}

#[test]
fn a_column_that_does_not_show_the_order_of_day_and_month_is_written_as_the_others_of_its_table() {
    let read = |on: [&str; 2], known: [&str; 2]| {
        let rows = df!("who" => ["a", "b"], "on" => on, "known" => known).unwrap();
        let mapping = SourceMapping::new("visits", "who", "visit", "on").known(Known::Column("known".into()));
        let records = Records::builder().source(mapping, Extract::frame(rows)).build();
        records.map(|records| records.days_found("visits").unwrap().first_occurred)
    };
    let february = "2024-02-01".parse().unwrap();
    assert_eq!(read(["01/02/2024", "01/02/2024"], ["31/03/2024", "01/04/2024"]), Ok(february));
    assert!(read(["01/02/2024", "01/02/2024"], ["01/04/2024", "01/04/2024"]).is_err());
    // What shows the other order, and what shows both, is refused.
    assert!(read(["01/02/2024", "01/02/2024"], ["03/31/2024", "04/01/2024"]).is_err());
    assert!(read(["31/01/2024", "01/02/2024"], ["03/31/2024", "04/01/2024"]).is_err());
}

#[test]
fn a_list_of_households_without_households_and_unreadable_days_of_death_are_warned_of() {
    use earlyhelp::project::Project;
    use earlyhelp::synthetic::{CouncilParams, Format};

    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_000, 3).generate().unwrap();
    let path = council.write(folder.path(), Format::Csv).unwrap();
    let warned = |text: &str, of: &str| {
        let project = Project::from_toml(text, folder.path()).unwrap();
        let warnings = project.check().unwrap().warnings("2025-04-01".parse().unwrap());
        warnings.iter().filter(|warning| warning.contains(of)).count()
    };
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!((warned(&text, "households"), warned(&text, "death")), (0, 0));

    let people = std::fs::read_to_string(folder.path().join("people.csv")).unwrap();
    let with_deaths: Vec<String> = people
        .lines()
        .enumerate()
        .map(|(row, line)| {
            format!("{line},{}\n", if row == 0 { "died" } else { ["", "n/k"][usize::from(row < 5)] })
        })
        .collect();
    std::fs::write(folder.path().join("people.csv"), with_deaths.concat()).unwrap();
    let died = text.replace(
        "date_of_birth = \"date_of_birth\" }",
        "date_of_birth = \"date_of_birth\", died = \"died\" }",
    );
    assert_ne!(died, text);
    assert_eq!(warned(&died, "4 days of death"), 1);

    std::fs::write(folder.path().join("households.csv"), "person_id,household_id,start,end\n").unwrap();
    assert_eq!(warned(&died, "households has 0 of"), 1);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("visits.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no pipe can be made here");
        return;
    }
    let mapping = SourceMapping::new("visits", "who", "visit", "on");
    let refused = Records::builder().source(mapping, Extract::path(pipe)).build().unwrap_err();
    assert!(refused.to_string().contains("a pipe"), "{refused}");
}
