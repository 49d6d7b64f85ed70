//! Whom somebody is working with already: by hand, in a backtest's figures, on a list and on record.

use std::collections::BTreeMap;

use earlyhelp::calendar::{AsOf, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, OwnDay, Unit};
use earlyhelp::error::{Error, SpecError};
use earlyhelp::evaluate::{Backtest, Capacity, KnownReport};
use earlyhelp::features::Scopes;
use earlyhelp::known_to::{IsKnown, KnownCases, KnownTo};
use earlyhelp::ledger::{EntryKind, Filter, Ledger, ReplayOf};
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::records::{
    Coverage, Extract, HouseholdColumns, Known, PeopleColumns, Records, Selector, SourceMapping,
};
use earlyhelp::report::{list_json, model_html, papers::model_card};
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{AuditedModel, Request, SignOff};
use earlyhelp::stats::{Estimate, wilson};
use earlyhelp::synthetic::{Council, CouncilParams, Format};
use polars::df;

use IsKnown::{CannotTell, No, Yes};

fn date(text: &str) -> AsOf {
    text.parse().unwrap()
}

fn covered(from: &str, ages: Option<(u8, u8)>) -> Coverage {
    Coverage {
        from: Some(from.parse().unwrap()),
        to: Some("2024-12-31".parse().unwrap()),
        ages,
        ..Coverage::default()
    }
}

/// Eight people, of whom h is 19 and belongs to nobody's household; a and b live together, as do c and d.
fn town() -> Records {
    let people = df!(
        "who" => ["a", "b", "c", "d", "e", "f", "g", "h"],
        "born" => ["2012-01-01", "2013-01-01", "2014-01-01", "2015-01-01", "2011-01-01", "2010-01-01", "2016-01-01", "2005-01-01"],
    );
    let homes = df!(
        "who" => ["a", "b", "c", "d", "e", "f", "g"],
        "home" => ["h1", "h1", "h2", "h2", "h3", "h4", "h5"],
        "from" => ["2020-01-01"; 7],
    );
    // a: open. b: none. c: closed in December. d: closed in March, which was keyed in after the date. e: begun before the
    // date, and keyed in on it. f: a return said that it is open, and a later one that it had been closed. g: next month.
    let episodes = df!(
        "who" => ["a", "c", "d", "e", "f", "f", "g"],
        "ref" => ["1", "2", "3", "4", "5", "5", "6"],
        "start" => ["2024-01-05", "2023-06-01", "2023-09-01", "2024-03-25", "2024-01-02", "2024-01-02", "2024-05-01"],
        "end" => [None, Some("2023-12-01"), Some("2024-03-20"), None, None, Some("2024-02-01"), None],
        "keyed" => ["2024-01-06", "2023-06-02", "2023-09-02", "2024-04-01", "2024-01-10", "2024-03-15", "2024-05-02"],
        "end_keyed" => [None, Some("2023-12-02"), Some("2024-04-05"), None, None, Some("2024-03-15"), None],
    );
    // a's lies 91 days back, b's 90: the first day of the window. c's was keyed in on the date. d's has no worker.
    let contacts = df!(
        "who" => ["a", "b", "c", "d"],
        "on" => ["2024-01-01", "2024-01-02", "2024-03-01", "2024-03-01"],
        "keyed" => ["2024-01-02", "2024-01-03", "2024-04-01", "2024-03-02"],
        "what" => ["worker", "worker", "worker", "letter"],
    );
    let episodes_of = SourceMapping::new("early_help", "who", "episode", "start")
        .ended("end")
        .reference("ref")
        .known(Known::Column("keyed".into()))
        .ended_known("end_keyed")
        .coverage(covered("2020-01-01", Some((0, 17))));
    let contacts_of = SourceMapping::new("contacts", "who", "", "on")
        .kind_column("what")
        .known(Known::Column("keyed".into()))
        .coverage(covered("2020-01-01", None));
    let person = || vec!["who".to_owned()];
    let people_of =
        PeopleColumns { person: person(), date_of_birth: Some("born".into()), ..PeopleColumns::default() };
    let homes_of = HouseholdColumns {
        person: person(),
        household: "home".into(),
        start: Some("from".into()),
        ..HouseholdColumns::default()
    };
    let lately = df!("who" => ["a"], "on" => ["2024-03-20"]).unwrap();
    Records::builder()
        .people(people_of, Extract::frame(people.unwrap()))
        .households(homes_of, Extract::frame(homes.unwrap()))
        .source(episodes_of, Extract::frame(episodes.unwrap()))
        .source(contacts_of, Extract::frame(contacts.unwrap()))
        .source(
            SourceMapping::new("new", "who", "visit", "on").coverage(covered("2024-03-01", None)),
            Extract::frame(lately),
        )
        .build()
        .unwrap()
}

fn open() -> KnownTo {
    KnownTo::while_open("early_help", "an early-help episode is open", [Selector::source("early_help")])
}

fn seen(lookback: Lookback) -> KnownTo {
    let workers = Selector::source("contacts").kind("worker");
    KnownTo::within("worker", "a worker was in touch", [workers], lookback)
}

fn any(to: &[KnownTo], cohort: &Cohort<'_>) -> Vec<IsKnown> {
    let known = KnownCases::of(to, cohort).unwrap();
    (0..known.len()).map(|row| known.any(row)).collect()
}

#[test]
fn what_was_known_before_the_date_says_it_and_nothing_else() {
    let records = town();
    let cohort = CohortSpec::default().choose(&records.as_of(date("2024-04-01"))).unwrap();
    assert_eq!(cohort.ids().collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f", "g", "h"]);
    // h is older than the source covers: no record of theirs is no answer.
    assert_eq!(any(&[open()], &cohort), [Yes, No, No, Yes, No, No, No, CannotTell]);
    let ninety = || seen(Lookback::Days(90));
    assert_eq!(any(&[ninety()], &cohort), [No, Yes, No, No, No, No, No, No]);

    let both = KnownCases::of(&[open(), ninety()], &cohort).unwrap();
    assert_eq!(both.of_row(1).collect::<Vec<_>>(), [No, Yes]);
    let any_of = any(&[open(), ninety()], &cohort);
    assert_eq!(any_of, [Yes, Yes, No, Yes, No, No, No, CannotTell]);
    assert_eq!((both.counts(), both.as_of()), ([3, 4, 1], date("2024-04-01")));
    let marks = both.marks(7);
    assert_eq!((marks[0].name.as_str(), marks[0].known, marks[1].known), ("early_help", CannotTell, No));
    assert!(!format!("{both:?} {:?}", marks[0]).contains("early"), "nobody's mark in a log");

    // Ten days later the end of d's and the beginning of e's are known; before its return came, f's was open.
    let at = |day: &str| {
        let cohort = CohortSpec::default().choose(&records.as_of(date(day))).unwrap();
        any(&[open()], &cohort)
    };
    assert_eq!(at("2024-04-11"), [Yes, No, No, No, Yes, No, No, CannotTell]);
    assert_eq!(at("2024-03-15")[5], Yes);
    assert_eq!(at("2024-03-16")[5], No);
}

#[test]
fn whoever_is_seen_on_a_day_of_their_own_is_known_as_of_the_list() {
    let records = town();
    let own = OwnDay { records: Selector::source("contacts"), days: 3, within: Lookback::Months(4) };
    let cohort = CohortSpec::default().own_day(own).choose(&records.as_of(date("2024-04-02"))).unwrap();
    let rows: Vec<(&str, AsOf)> =
        cohort.ids().enumerate().map(|(row, id)| (id, cohort.seen_on(row))).collect();
    let at = |id: &str| rows.iter().position(|(held, _)| *held == id).unwrap();
    // a is seen in January, four days into their episode; d in March, when theirs was open, and so it was on the date.
    assert_eq!((rows[at("a")].1, rows[at("d")].1), (date("2024-01-04"), date("2024-03-04")));
    let known = any(&[open()], &cohort);
    assert_eq!((known[at("a")], known[at("d")], known[at("b")]), (Yes, Yes, No));
    // What was keyed in on 6 January was not known on a's own day.
    let then = CohortSpec::default().choose(&records.as_of(date("2024-01-04"))).unwrap();
    let row = then.ids().position(|id| id == "a").unwrap();
    assert_eq!(any(&[open()], &then)[row], No);
}

#[test]
fn others_in_the_household_count_where_the_scope_says_so() {
    let records = town();
    let cohort = CohortSpec::default().choose(&records.as_of(date("2024-04-01"))).unwrap();
    // Nobody lives with e, f and g, and h's household is not known.
    let others = any(&[open().scope(Scopes::Household)], &cohort);
    assert_eq!(others, [No, Yes, Yes, No, No, No, No, CannotTell]);
    let either = any(&[open().scope(Scopes::Both)], &cohort);
    assert_eq!(either, [Yes, Yes, Yes, Yes, No, No, No, CannotTell]);

    let families =
        CohortSpec::default().unit(Unit::Family).choose(&records.as_of(date("2024-04-01"))).unwrap();
    assert_eq!(any(&[open()], &families), [Yes, Yes, No, No, No]);
    let told = KnownCases::of(&[open().scope(Scopes::Both)], &families).unwrap_err().to_string();
    assert!(told.starts_with("known_to early_help:") && told.contains("drop the scope"), "{told}");
}

#[test]
fn a_window_that_begins_before_the_source_is_no_no_and_a_record_in_it_is_a_yes() {
    let records = town();
    let cohort = CohortSpec::default().choose(&records.as_of(date("2024-04-01"))).unwrap();
    let visited = |lookback| KnownTo::within("new", "visited", [Selector::source("new")], lookback);
    let short = any(&[visited(Lookback::Days(20))], &cohort);
    assert_eq!(short, [Yes, No, No, No, No, No, No, No]);
    let long = any(&[visited(Lookback::Days(90))], &cohort);
    assert_eq!(long[0], Yes);
    assert!(long[1..].iter().all(|&known| known == CannotTell), "{long:?}");
}

#[test]
fn what_contradicts_itself_or_fits_no_record_is_an_error_that_says_what_to_do() {
    let records = town();
    let cohort = CohortSpec::default().choose(&records.as_of(date("2024-04-01"))).unwrap();
    let refused = |to: &[KnownTo]| KnownCases::of(to, &cohort).unwrap_err().to_string();
    for (to, told) in [
        (KnownTo { over: Some(Lookback::Days(9)), ..open() }, "open = true"),
        (KnownTo { open: false, ..open() }, "over = \"90 days\""),
        (KnownTo { records: vec![], ..open() }, "names no records"),
        (KnownTo { words: "\u{200B} ".into(), ..open() }, "words that people can read"),
        (KnownTo { records: vec![Selector::source("earlyhelp")], ..open() }, "did you mean \"early_help\"?"),
        (KnownTo { records: vec![Selector::source("contacts")], ..open() }, "no episodes"),
        (seen(Lookback::Days(0)), "days"),
    ] {
        let said = refused(&[to]);
        assert!(said.starts_with("known_to ") && said.contains(told), "{said}");
    }
    assert!(refused(&[open(), open()]).contains("two of this name"));

    let nothing =
        df!("who" => Vec::<String>::new(), "start" => Vec::<String>::new(), "end" => Vec::<String>::new());
    let people = df!("who" => ["a"]).unwrap();
    let mapping = SourceMapping::new("early_help", "who", "episode", "start").ended("end");
    let emptied = Records::builder()
        .people(
            PeopleColumns { person: vec!["who".into()], ..PeopleColumns::default() },
            Extract::frame(people),
        )
        .source(mapping, Extract::frame(nothing.unwrap()))
        .build()
        .unwrap();
    let cohort = CohortSpec::default().choose(&emptied.as_of(date("2024-04-01"))).unwrap();
    let told = KnownCases::of(&[open()], &cohort);
    assert!(matches!(told, Err(SpecError::NoRecords { .. })), "an emptied source leaves nobody known");
}

#[test]
fn the_project_file_is_checked_before_and_with_the_records() {
    let council = CouncilParams::new(1_000, 3).generate().unwrap();
    let text = council.project_toml(Format::Csv);
    let with = |from: &str, to: &str| {
        let at = text.find("[[known_to]]").unwrap();
        assert!(text[at..].contains(from), "{from}");
        Project::from_toml(&(text[..at].to_owned() + &text[at..].replacen(from, to, 1)), ".")
    };
    let project = with("open = true", "open = true\nscope = \"both\"").unwrap();
    assert_eq!((project.known_to.len(), project.known_to[0].scope), (2, Scopes::Both));
    assert_eq!(project.known_to[1].over, Some(Lookback::Days(45)));
    let told = |from, to| with(from, to).unwrap_err().to_string();
    assert!(told("open = true", "opens = true").contains("did you mean `open`?"));
    assert!(told("open = true\n", "").contains("known_to early_help: say either"));
    assert!(told("name = \"referred\"", "name = \"early_help\"").contains("two of this name"));
    let protected = told(
        "records = [{ source = \"referrals\" }]",
        "records = [{ source = \"referrals\", where = { ethnicity = [\"x\"] } }]",
    );
    assert!(protected.contains("ethnicity") && protected.contains("protected"), "{protected}");

    let folder = tempfile::tempdir().unwrap();
    council.write(folder.path(), Format::Csv).unwrap();
    let kind = "records = [{ source = \"early_help\", kinds = [\"early_help\"] }]";
    let text = text.replacen("records = [{ source = \"early_help\" }]", kind, 1);
    let misspelt = Project::from_toml(&text, folder.path()).unwrap();
    let refused = misspelt.dataset(&misspelt.records().unwrap()).map(drop).unwrap_err();
    assert!(matches!(refused, Error::Spec(SpecError::NoValue { .. })), "{refused}");
    let faults = misspelt.check().unwrap().faults();
    assert!(faults.iter().any(|fault| fault.to_string().starts_with("known_to early_help:")), "{faults:?}");
}

struct Made {
    _folder: tempfile::TempDir,
    council: Council,
    project: Project,
    records: Records,
}

fn made() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(3_000, 6).generate().unwrap();
    let mut project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    project.training.resamples = 39;
    project.training.trainer = Trainer::by_name("logistic").unwrap();
    let records = project.records().unwrap();
    Made { _folder: folder, council, project, records }
}

/// For each test case, by date and id, whether it was known: looked up one cohort at a time.
fn marks(made: &Made, backtest: &Backtest) -> BTreeMap<(AsOf, String), IsKnown> {
    let mut marks = BTreeMap::new();
    for split in &backtest.report().plan.splits {
        let cohort = made.project.cohort(&made.records, split.test).unwrap();
        let known = KnownCases::of(&made.project.known_to, &cohort).unwrap();
        for (row, id) in cohort.ids().enumerate() {
            marks.insert((split.test, id.to_owned()), known.any(row));
        }
    }
    marks
}

fn is_share(found: Option<Estimate>, (some, all): (usize, usize)) {
    let by_hand = wilson(some as u64, all as u64).unwrap();
    let found = found.unwrap();
    assert!((found.value - by_hand.value).abs() < 1e-12, "{found} {some} of {all}");
    assert_eq!(found.n, all as u64);
    // Families of several cases make an interval wider than Wilson's, never narrower.
    let width = |of: &Estimate| of.interval.high - of.interval.low;
    assert!(width(&found) >= width(&by_hand) - 1e-12 && width(&found) < 2.0 * width(&by_hand), "{found}");
}

#[test]
fn the_backtest_says_what_its_lists_add() {
    let made = made();
    let protected = made.project.protected().unwrap();
    let (candidate, backtest) =
        made.project.test(&made.records, &protected, &made.project.training.trainer).unwrap();
    let report = backtest.report();
    let found: &KnownReport = report.known_to.as_ref().unwrap();
    assert!(report.overall.tied.is_none(), "take a seed whose lists are not shared by equals");
    let marks = marks(&made, &backtest);
    let cases = backtest.cases();
    let of: Vec<IsKnown> = cases.ids().iter().map(|&(date, id)| marks[&(date, id.to_owned())]).collect();
    let count = |holds: &dyn Fn(usize) -> bool| (0..cases.len()).filter(|&row| holds(row)).count();

    let listed = count(&|row| cases.listed[row]);
    is_share(found.any.cases, (count(&|row| of[row] == Yes), cases.len()));
    is_share(found.any.listed, (count(&|row| of[row] == Yes && cases.listed[row]), listed));
    is_share(found.any.cases_cannot_tell, (count(&|row| of[row] == CannotTell), cases.len()));
    // The highest scores are those of children whom somebody is working with.
    assert!(found.any.listed.unwrap().value > 1.5 * found.any.cases.unwrap().value);

    let out = |row: usize| of[row] == No;
    let with = |row: usize| out(row) && cases.outcomes[row];
    is_share(found.prevalence, (count(&with), count(&out)));
    let hits = count(&|row| with(row) && cases.listed[row]);
    is_share(found.lists.precision, (hits, count(&|row| out(row) && cases.listed[row])));
    is_share(found.lists.recall, (hits, count(&with)));

    // Lists of their own: as many places on each date, by score.
    let (mut places, mut hits) = (0, 0);
    for split in &report.plan.splits {
        let length = count(&|row| cases.dates[row] == split.test && cases.listed[row]);
        let mut rows: Vec<usize> =
            (0..cases.len()).filter(|&row| cases.dates[row] == split.test && out(row)).collect();
        let scores = backtest.listing_scores();
        rows.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        assert!(scores[rows[length - 1]] > scores[rows[length]], "take a seed without a tie at the cut");
        places += length;
        hits += rows[..length].iter().filter(|&&row| cases.outcomes[row]).count();
    }
    is_share(found.own_lists.precision, (hits, places));
    is_share(found.own_lists.recall, (hits, count(&with)));

    // Each by itself, in the project's order and words.
    let names: Vec<&str> = found.each.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["early_help", "referred"]);
    let sum: f64 = found.each.iter().map(|kind| kind.shares.cases.unwrap().value).sum();
    assert!(sum >= found.any.cases.unwrap().value);
    let said = found.to_string();
    assert!(said.contains("an early-help episode is open") && said.contains("nobody was working with"));

    // The model is another by nothing of this, and without it the file is as it was.
    let mut without = made.project.clone();
    without.known_to.clear();
    let (plain, tested) = without.test(&made.records, &protected, &without.training.trainer).unwrap();
    assert_eq!(plain.digest(), candidate.digest());
    assert!(!serde_json::to_string(tested.report()).unwrap().contains("known_to"));
    let mut bare = report.clone();
    bare.known_to = None;
    assert_eq!(*tested.report(), bare);

    let model = made.project.audit(candidate, &backtest, &protected).unwrap();
    let again = AuditedModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(again.backtest().known_to, report.known_to);
    let card = model_card(&model).unwrap().to_markdown();
    let page = model_html(&model).unwrap();
    let own = found.own_lists.precision.unwrap().percent();
    assert!(page.contains("What the lists add") && page.contains(&own), "{own}");
    assert!(card.contains("What the lists add") && card.contains("An early-help episode is open"));
    let plain = made.project.audit(plain, &tested, &protected).unwrap();
    assert!(!model_html(&plain).unwrap().contains("What the lists add"));
    assert!(!model_card(&plain).unwrap().to_markdown().contains("What the lists add"));
}

#[test]
fn a_backtest_is_not_told_of_other_cohorts() {
    let made = made();
    let protected = made.project.protected().unwrap();
    let mut without = made.project.clone();
    let known_to = std::mem::take(&mut without.known_to);
    let (_, backtest) = without.test(&made.records, &protected, &without.training.trainer).unwrap();
    let at = |text: &str| {
        let cohort = made.project.cohort(&made.records, date(text)).unwrap();
        KnownCases::of(&known_to, &cohort).unwrap()
    };
    let [_, second, third] = ["2022-04-01", "2023-04-01", "2024-04-01"].map(at);
    let told = backtest.clone().known_to(std::slice::from_ref(&second)).map(drop).unwrap_err().to_string();
    assert!(told.contains("test case"), "{told}");
    let told = backtest.clone().known_to(&[second.clone(), third.clone()]).unwrap();
    assert!(told.report().known_to.is_some());
    let cohort = made.project.cohort(&made.records, date("2023-04-01")).unwrap();
    let fewer = KnownCases::of(&known_to[..1], &cohort).unwrap();
    assert!(backtest.clone().known_to(&[fewer, third]).is_err(), "two dates, two meanings");
    let nothing = KnownCases::of(&[], &cohort).unwrap();
    assert_eq!(nothing.any(0), No);
    assert!(backtest.known_to(&[nothing]).unwrap().report().known_to.is_none());
}

#[test]
fn a_list_carries_the_marks_and_the_ledger_keeps_them() {
    let made = made();
    let protected = made.project.protected().unwrap();
    let model = made.project.train(&made.records, &protected, &made.project.training.trainer).unwrap();
    let today = made.council.extract_date();
    let scorer = model
        .release(SignOff {
            by: "A. Manager".into(),
            role: "Head of Early Help".into(),
            purpose: made.project.purpose.clone(),
            signed_on: today,
            review_by: today.plus_months(12),
        })
        .unwrap();
    let cohort = made.project.cohort(&made.records, AsOf::new(today)).unwrap();
    let request = Request::new("B. Lead", &made.project.purpose, today);
    let plain = scorer.score(&cohort, &request).unwrap();
    assert_eq!(plain.is_known(1), None);
    let scores = scorer.score(&cohort, &request).unwrap().known_to(&made.project.known_to).unwrap();
    let known = KnownCases::of(&made.project.known_to, &cohort).unwrap();
    let rows: BTreeMap<&str, usize> = cohort.ids().zip(0..).collect();
    let mut seen = BTreeMap::new();
    for rank in 1..=scores.len() {
        let is_known = scores.is_known(rank).unwrap();
        *seen.entry(is_known.words()).or_insert(0) += 1;
        if rank <= 60 {
            let (case, bare) = (scores.case(rank).unwrap().unwrap(), plain.case(rank).unwrap().unwrap());
            let row = rows[case.entity()];
            assert!(case.known_to() == known.marks(row), "rank {rank}");
            assert_eq!(is_known, known.any(row));
            // Nothing of it goes into a score, or into what is said where nobody declared it.
            assert!(bare.known_to().is_empty() && bare.entity() == case.entity());
            assert!(bare.contributions() == case.contributions());
            assert!(!serde_json::to_string(&bare).unwrap().contains("known_to"));
        }
    }
    assert!(seen["yes"] > 10 && seen["no"] > 10, "{seen:?}");
    assert_eq!(scores.is_known(0), None);
    assert_eq!(scores.is_known(scores.len() + 1), None);

    let folder = tempfile::tempdir().unwrap();
    for name in ["ledger.sqlite", "ledger.jsonl"] {
        let ledger = Ledger::open(folder.path().join(name)).unwrap();
        let start = ledger.start_run(&scorer, &request, AsOf::new(today), None).unwrap();
        let mut list = ReviewList::draw(&scores, Capacity::Cases(30)).unwrap();
        assert!(list_json(&list).unwrap().contains("an early-help episode is open"));
        ledger.finish_run(start, &scores, &mut list, &made.records).unwrap();
        let (mut kept, mut shown) = (0, 0);
        ledger
            .read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
                assert!(!entry.facts().to_string().contains("known"), "what stays says nothing of anybody");
                let body = &entry.content().unwrap().body;
                kept += usize::from(body["known"].is_string());
                shown += usize::from(body["case"]["known_to"].as_array().is_some_and(|held| held.len() == 2));
                Ok(())
            })
            .unwrap();
        let all = list.entries().iter().map(|entry| 1 + entry.beside().len()).sum::<usize>();
        assert_eq!((kept, shown), (scores.len(), all));
        let replay = ledger.replay(&ReplayOf::Everything, Some(&made.records)).unwrap();
        assert!(replay.different.is_empty(), "{:?}", replay.different);
        assert_eq!(replay.reproduced, scores.len() as u64);
    }
}
