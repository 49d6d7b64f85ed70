//! A small council, from extracts to a list, and what the three reports say of it. Nobody in it exists.

use polars::df;

use super::table::{Column, Table, Value};
use super::{list_csv, list_frames, list_html, list_json, list_text};
use crate::calendar::{AsOf, Horizon, Lookback};
use crate::cohort::CohortSpec;
use crate::dataset::Dataset;
use crate::evaluate::{Backtest, BacktestPlan, Capacity};
use crate::fairness::audit::AuditParams;
use crate::fairness::{FairnessAudit, Protected};
use crate::features::{Direction, Feature, FeatureSpec, FeatureTemplate, Measure, Scopes};
use crate::model::{Candidate, LogisticParams, Trainer, TrainingContext};
use crate::outcome::OutcomeSpec;
use crate::records::{
    Coverage, Extract, HouseholdColumns, Known, PeopleColumns, Records, Selector, SourceMapping,
};
use crate::review::{ListParams, RandomSample, ReviewList, WhyListed};
use crate::scoring::{AuditedModel, OnePer, Request, Scorer, SignOff};

const PEOPLE: usize = 400;
const DATES: [&str; 3] = ["2022-03-03", "2023-03-03", "2024-03-03"];
const SCORED: &str = "2025-03-03";

/// A whole number below `below` that looks random and is the same in every run.
fn draw(person: usize, year: usize, what: usize, below: usize) -> usize {
    let mut mixed = (person as u64) << 40 | (year as u64) << 20 | what as u64;
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    ((mixed >> 33) as usize) % below
}

/// Two ids are what somebody might write to break a page or a spreadsheet.
fn id(person: usize) -> String {
    match person {
        17 => "<b>&\"".to_owned(),
        18 => "=HYPERLINK(\"x\")".to_owned(),
        other => format!("C-{:05}", 10_000 + 7 * other),
    }
}

/// How much there is to see of a person, 0 to 4: it moves the records and the outcome alike.
fn need(person: usize) -> usize {
    if person == 17 || person == 18 { 4 } else { draw(person, 0, 0, 50) / 10 }
}

/// Rows of one kind of record, at most `most` a year and more of them with more need.
#[derive(Default)]
struct Rows {
    who: Vec<String>,
    on: Vec<String>,
    reference: Vec<String>,
}

impl Rows {
    fn new(what: usize, most: usize, years: std::ops::RangeInclusive<usize>) -> Self {
        let mut rows = Self::default();
        for person in 0..PEOPLE {
            for year in years.clone() {
                for nth in 0..most {
                    let place = what * 100 + nth;
                    if draw(person, year, place, 11) < 1 + need(person) {
                        let (month, day) =
                            (1 + draw(person, year, place + 40, 12), 1 + draw(person, year, place + 70, 28));
                        rows.who.push(id(person));
                        rows.on.push(format!("{year}-{month:02}-{day:02}"));
                        rows.reference.push(format!("R{what}-{}", rows.who.len()));
                    }
                }
            }
        }
        rows
    }

    fn extract(self) -> Extract {
        let link = vec![0.9345; self.who.len()];
        let frame = df!("who" => self.who, "on" => self.on, "ref" => self.reference, "link" => link);
        Extract::frame(frame.unwrap())
    }
}

fn records() -> Records {
    let ids: Vec<String> = (0..PEOPLE).map(id).collect();
    let born: Vec<String> =
        (0..PEOPLE).map(|person| format!("20{:02}-05-17", 8 + draw(person, 0, 9, 12))).collect();
    let homes: Vec<String> = (0..PEOPLE).map(|person| format!("H{}", person / 2)).collect();
    let people = PeopleColumns {
        person: vec!["who".into()],
        date_of_birth: Some("born".into()),
        ..PeopleColumns::default()
    };
    let households = HouseholdColumns {
        person: vec!["who".into()],
        household: "home".into(),
        start: None,
        end: None,
        lag_days: 0,
        ..HouseholdColumns::default()
    };
    let source = |name: &str, kind: &str| {
        SourceMapping::new(name, "who", kind, "on").reference("ref").known(Known::LagDays(3))
    };
    let covered = |from: &str, to: Option<&str>| Coverage {
        from: Some(from.parse().unwrap()),
        to: to.map(|to| to.parse().unwrap()),
        updated: to.map(|_| "2025-12-31".parse().unwrap()),
        ..Coverage::default()
    };
    Records::builder()
        .people(people, Extract::frame(df!("who" => ids.clone(), "born" => born).unwrap()))
        .households(households, Extract::frame(df!("who" => ids, "home" => homes).unwrap()))
        .source(
            source("police", "incident").coverage(covered("2019-01-01", Some("2025-03-02"))),
            Rows::new(1, 3, 2020..=2024).extract(),
        )
        .source(source("school", "unauthorised_absence"), Rows::new(2, 6, 2020..=2024).extract())
        .source(source("front_door", "asked_for_help"), Rows::new(3, 1, 2020..=2024).extract())
        .source(
            source("housing", "rent_arrears").link_probability("link", 0.9),
            Rows::new(4, 2, 2020..=2024).extract(),
        )
        // Ends before the scored date, so that what training always saw is not covered there.
        .source(
            source("health", "missed_appointment").coverage(covered("2019-01-01", Some("2024-06-30"))),
            Rows::new(5, 2, 2020..=2024).extract(),
        )
        .source(
            source("plans", "cin_plan").coverage(covered("2019-01-01", Some("2025-12-31"))),
            Rows::new(6, 1, 2022..=2025).extract(),
        )
        .build()
        .unwrap()
}

fn features() -> FeatureSpec {
    let template = |source: &str, label: &str, measure: Measure, over: &[Lookback]| FeatureTemplate {
        label: Some(label.to_owned()),
        over: over.to_vec(),
        direction: Direction::Rising,
        ..FeatureTemplate::new(Selector::source(source), measure)
    };
    let (year, quarter) = (Lookback::Days(365), Lookback::Days(90));
    let templates = [
        FeatureTemplate {
            scope: Scopes::Both,
            ..template("police", "Police incidents", Measure::Count, &[quarter, year])
        },
        template("police", "Police incidents", Measure::DaysSinceLast, &[Lookback::Months(24)]),
        template("school", "Days of unauthorised absence", Measure::DistinctDays, &[quarter, year]),
        template("school", "Days of unauthorised absence", Measure::Change, &[year]),
        FeatureTemplate {
            help_seeking: true,
            ..template("front_door", "Asked the front door for help", Measure::Any, &[year])
        },
        template("housing", "Rent arrears <notices> & warnings", Measure::Count, &[year]),
        template("housing", "Rent arrears notices", Measure::DaysSinceLast, &[year]),
        template("health", "Missed health appointments", Measure::Count, &[year]),
    ];
    let mut features: Vec<Feature> =
        templates.iter().flat_map(|template| template.expand().unwrap()).collect();
    features.push(Feature::age());
    FeatureSpec::new(features).unwrap()
}

fn scorer(records: &Records) -> Scorer {
    let outcome = OutcomeSpec::any(
        "plan_within_a_year",
        "A child-in-need plan begins within 12 months",
        [Selector::source("plans")],
        Horizon::Months(12),
    );
    let dates: Vec<AsOf> = DATES.iter().map(|date| date.parse().unwrap()).collect();
    let cohorts: Vec<_> = dates
        .iter()
        .map(|&date| CohortSpec::default().ages(0, 17).choose(&records.as_of(date)).unwrap())
        .collect();
    let data = Dataset::build(&features(), &outcome, &cohorts).unwrap();
    let context = TrainingContext {
        protected: vec!["ethnicity".into()],
        cannot_see: vec!["Support given by <charities> & friends.".into()],
        ..TrainingContext::default()
    };
    let trainer = Trainer::Logistic(LogisticParams::default());
    let candidate = Candidate::train(&data, &trainer, context).unwrap();
    let plan = BacktestPlan::expanding(&dates, outcome.horizon, Capacity::Cases(20)).unwrap();
    let backtest = Backtest::run(&candidate, &data, &plan).unwrap();
    let protected = Protected::none(vec!["ethnicity".into()]);
    let audit = FairnessAudit::of(&backtest, &protected, &AuditParams::at_release()).unwrap();
    let sign_off = SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: "Offer early help to families".into(),
        signed_on: "2025-02-01".parse().unwrap(),
        review_by: "2026-02-01".parse().unwrap(),
    };
    AuditedModel::new(candidate, &backtest, &audit).unwrap().release(sign_off).unwrap()
}

/// Everybody on the list, the lower part of it drawn at random.
fn list(by_rank: u32, at_random: u32) -> ReviewList {
    let records = records();
    let scorer = scorer(&records);
    let as_of: AsOf = SCORED.parse().unwrap();
    let cohort = CohortSpec::default().ages(0, 17).choose(&records.as_of(as_of)).unwrap();
    let request = Request::new("B. <Lead>", "Offer early help to families", as_of.day());
    let scores = scorer.score(&cohort, &request).unwrap();
    let comparison = RandomSample { cases: at_random, seed: 5 };
    let params = ListParams::new(Capacity::Cases(by_rank)).comparison(comparison).one_per(OnePer::Case);
    ReviewList::draw(&scores, params).unwrap()
}

/// The part of a page between two texts.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let start = page.find(from).unwrap_or_else(|| panic!("no {from}"));
    let rest = &page[start..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("no {to} after {from}"))]
}

fn times(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

#[test]
fn the_page_has_all_its_layers() {
    let list = list(12, 3);
    let page = list_html(&list, "Early help <March>").unwrap();
    assert!(page.contains("<h1>Early help &#60;March&#62;</h1>"));
    assert!(page.contains("<dt>As of (known before this day)</dt><dd>3 March 2025</dd>"));
    assert!(page.contains("<dt>Do not use after</dt><dd>3 April 2025</dd>"));
    let cohort = list.provenance().cohort_size;
    assert!(page.contains(&format!("<dd>15 cases from a cohort of {cohort}</dd>")));
    assert!(page.contains("<dd>Offer early help to families</dd>"));
    assert!(page.contains("<dd>B. &#60;Lead&#62;, 3 March 2025</dd>"));
    let headings = [
        "What this list is, and is not",
        "The list in short",
        "The cases",
        "How to read the bars",
        "Reasons that raise the score",
        "Reasons that lower the score",
        "What is not known",
        "Audit record",
    ];
    for heading in headings {
        assert!(page.contains(&format!(">{heading}</h")), "{heading}");
    }
    assert_eq!(times(&page, "<article "), 15);
    assert_eq!(times(&page, "<h4>What is not known</h4>"), 15);
    assert_eq!(
        times(&page, &list.provenance().run_id),
        1 + 15 + 1,
        "in the margin, in every case, in the audit"
    );
    let audit = between(&page, "id=\"audit\"", "</body>");
    for digest in [&list.provenance().model, &list.provenance().cohort, &list.provenance().sources[0].digest]
    {
        assert!(audit.contains(digest.as_str()));
    }
}

#[test]
fn the_page_stands_alone_and_is_well_formed() {
    let page = list_html(&list(400, 0), "Everybody").unwrap();
    assert_eq!(times(&page, "<script"), 1, "its own script");
    for foreign in ["http", "src=", "fetch(", "XMLHttp", "<link", "<img", "@import", "url(", "javascript:"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for tag in ["article", "section", "details", "table", "ul", "li", "div", "svg", "span", "dl", "p"] {
        let opened = times(&page, &format!("<{tag}>")) + times(&page, &format!("<{tag} "));
        assert_eq!(opened, times(&page, &format!("</{tag}>")), "{tag}");
    }
    let mut level = 0;
    for (place, _) in page.match_indices("<h") {
        if let Some(next) = page[place + 2..].chars().next().and_then(|c| c.to_digit(10)) {
            assert!(next <= level + 1, "a heading of level {next} after one of level {level}");
            level = next;
        }
    }
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
    for link in page.split("href=\"#").skip(1) {
        let target = &link[..link.find('"').unwrap()];
        assert!(ids.binary_search(&target).is_ok(), "no #{target}");
    }
}

#[test]
fn what_the_extracts_say_is_escaped() {
    let list = list(400, 0);
    assert!(list.entries().iter().any(|entry| entry.case().entity() == "<b>&\""));
    let page = list_html(&list, "Everybody").unwrap();
    assert!(!page.contains("<b>"));
    assert!(page.contains("<span class=\"entity\">&#60;b&#62;&#38;&#34;</span>"));
    assert!(page.contains("ent arrears &#60;notices&#62; &#38; warnings"));
    assert!(page.contains("<li>Support given by &#60;charities&#62; &#38; friends.</li>"));
    assert!(page.contains("<li>Anything that became known on or after 3 March 2025.</li>"));
}

#[test]
fn cases_drawn_at_random_are_marked_in_every_report() {
    let list = list(12, 3);
    let page = list_html(&list, "March").unwrap();
    let table = between(&page, "<table class=\"short\"", "</table>");
    assert_eq!(times(table, "drawn at random, not for its score"), 3);
    assert_eq!(times(&page, "<article class=\"case random\""), 3);
    assert_eq!(times(&page, ">Drawn at random, not for its score<"), 3);
    assert!(page.contains("3 cases were drawn at random"));
    assert!(list_csv(&list).unwrap().lines().filter(|line| line.contains(",at random,")).count() == 3);
    assert_eq!(times(&list_json(&list).unwrap(), "\"drawn\": \"at_random\""), 3);

    let none = list_html(&self::list(12, 0), "March").unwrap();
    let script = none.find("<script>").unwrap();
    assert!(!none[..script].contains("rawn at random"));
}

#[test]
fn a_terminal_is_told_what_each_place_leads_with() {
    let list = list(12, 3);
    let text = list_text(&list);
    assert_eq!(times(&text, "drawn at random, for comparison"), 3);
    let page = list_html(&list, "March").unwrap();
    let table = between(&page, "<table class=\"short\"", "</table>");
    let places: Vec<&str> =
        text.lines().filter(|line| line.trim_start().starts_with(char::is_numeric)).collect();
    assert_eq!(places.len(), 15);
    for (line, entry) in places.iter().zip(list.entries()) {
        assert!(line.contains(entry.case().entity()));
        let labels = entry.case().contributions().iter().map(|part| part.label.as_str());
        assert_eq!(labels.filter(|label| line.contains(label)).count(), 0, "{line}");
        for reason in line.splitn(4, "  ").nth(3).into_iter().flat_map(|reasons| reasons.trim().split("; ")) {
            let escaped = reason.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;");
            assert!(table.contains(&escaped) || reason.contains("at random"), "{reason}");
        }
    }
    let shared = text.lines().count() - places.len();
    assert_eq!(shared, times(between(&page, "What most places share:", "</p>"), "<span class=\"tag\">"));
}

#[test]
fn a_case_shows_at_most_eight_reasons_and_folds_the_rest() {
    let list = list(400, 0);
    let page = list_html(&list, "Everybody").unwrap();
    let mut folded = 0;
    for (article, entry) in page.split("<article ").skip(1).zip(list.entries()) {
        let article = &article[..article.find("</article>").unwrap()];
        let parts = entry.case().contributions();
        assert_eq!(times(article, "<li class=\"reason\">"), parts.len(), "no reason is lost");
        let open = article.split("<details class=\"more\">").next().unwrap();
        let shown = times(open, "<li class=\"reason\">");
        assert!(shown <= 8);
        let raising = between(article, "that raise the score</h4>", "<h4>Reasons that lower");
        let raised = parts[..shown].iter().filter(|part| part.log_odds > 0.0).count();
        assert_eq!(times(raising, "<li class=\"reason\">"), raised);
        assert_eq!(times(raising, "height=\"10\" class=\"up\""), raised);
        assert_eq!(times(raising, "class=\"down\""), 0);
        folded += parts.len() - shown;
    }
    assert!(folded > 0);
}

#[test]
fn bars_have_one_scale_and_their_figure_in_words() {
    let list = list(400, 0);
    let page = list_html(&list, "Everybody").unwrap();
    let widths: Vec<f64> = page
        .split("<rect x=\"")
        .skip(1)
        // Those beside a reason.
        .filter(|bar| bar.split('>').next().is_some_and(|bar| bar.contains("y=\"2\" ")))
        .filter_map(|bar| between(bar, "width=\"", "\" height").strip_prefix("width=\"")?.parse().ok())
        .collect();
    assert!((widths.iter().copied().fold(0.0, f64::max) - 98.0).abs() < 0.1);
    assert!(widths.iter().any(|width| *width < 20.0));
    let parts = list.entries().iter().flat_map(|entry| entry.case().contributions());
    let strongest = parts.max_by(|a, b| a.log_odds.abs().total_cmp(&b.log_odds.abs())).unwrap();
    assert!(strongest.log_odds > 0.0);
    let said = format!("<span class=\"vh\">raises the score: </span>+{:.2} ", strongest.log_odds);
    assert!(page.contains(&said), "{said}");
}

#[test]
fn tags_and_records_tell_where_a_reason_comes_from() {
    let list = list(400, 0);
    let page = list_html(&list, "Everybody").unwrap();
    let parts = || list.entries().iter().flat_map(|entry| entry.case().contributions());
    let helped = parts().filter(|part| part.help_seeking).count();
    assert!(helped > 0);
    assert_eq!(times(&page, "rests on a request for help: asking is not a risk in itself"), helped);
    let household = parts().filter(|part| part.features[0].ends_with("_household")).count();
    assert!(household > 0);
    assert_eq!(times(&page, ">others in the household</span>"), household);

    let record = parts().find_map(|part| part.records.first()).unwrap();
    let reference = record.reference.as_deref().unwrap();
    let row = between(&page, &format!("<td>{reference}</td>"), "</tr>");
    assert!(row.contains(&super::words::date(record.occurred)));
    assert!(row.contains(&super::words::date(record.known)));
    assert_ne!(record.occurred, record.known);
    assert!(page.contains("<td>unauthorised absence</td>"), "kinds in plain words");
    let of_housing = times(&page, "<td>R4-");
    assert!(of_housing > 0);
    assert_eq!(
        times(&page, "(linked with 0.93)</td>"),
        of_housing,
        "how sure the link is, and only where it is not"
    );
}

#[test]
fn missing_and_not_covered_are_told_apart() {
    let list = list(400, 0);
    let page = list_html(&list, "Everybody").unwrap();
    let mut missing = 0;
    for (article, entry) in page.split("<article ").skip(1).zip(list.entries()) {
        let nothing = between(article, "<h4>What is not known</h4>", "<footer>");
        let uncovered = between(nothing, "<strong>Not covered</strong>", "</details>");
        assert!(uncovered.contains("Missed health appointments"));
        assert!(uncovered.contains("counts as an average value, which is not the same as safe"));
        let never = entry.case().absent().iter().any(|absence| absence.label.starts_with("Police"));
        if never {
            let section = between(nothing, "<strong>Missing</strong>", "</details>");
            assert!(section.contains("Police incidents: days since the last one"));
            missing += 1;
        }
        assert!(!uncovered.contains("Police incidents"));
    }
    assert!(missing > 0);
}

#[test]
fn rates_are_of_bands_and_no_person_has_a_probability() {
    let list = list(12, 3);
    let page = list_html(&list, "March").unwrap();
    let first = between(&page, "id=\"case-1\"", "<h4>");
    let band = list.entries()[0].case().band();
    let per_hundred = (band.observed.value * 100.0).round();
    assert!(
        first.contains(&format!("Of such cases, about {per_hundred} of 100 had the outcome in the backtest"))
    );
    assert!(first.contains("95% interval"));
    for entry in list.entries() {
        let case = entry.case();
        let score: f64 = serde_json::to_value(case).unwrap()["score"].as_f64().unwrap();
        let parts = case.contributions();
        let sum = parts.iter().fold(case.average(), |sum, part| sum + part.log_odds);
        assert!((sum - score).abs() < 1e-9, "the score is the sum of what is shown");
        let chance = 1.0 / (1.0 + (-score).exp());
        for text in [format!("{chance:.3}"), format!("{:.1}%", chance * 100.0), format!("{score:.3}")] {
            assert!(!page.contains(&text), "{text}");
        }
    }
}

#[test]
fn the_table_reads_back_and_holds_no_formula() {
    let list = list(400, 0);
    let text = list_csv(&list).unwrap();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let head = table.headers().unwrap().clone();
    assert_eq!(head.get(0), Some("place"));
    let column = |name: &str| head.iter().position(|held| held == name).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), list.len());
    for (row, entry) in rows.iter().zip(list.entries()) {
        let case = entry.case();
        assert_eq!(row[column("rank")], case.rank().to_string());
        assert_eq!(row[column("expires")], *"2025-04-03");
        assert_eq!(row[column("run_id")], case.provenance().run_id);
        assert_eq!(row[column("absent")], case.absent().len().to_string());
        let rate: f64 = row[column("rate_observed_in_band")].parse().unwrap();
        assert!((rate - case.band().observed.value).abs() < 1e-4);
        let largest = &case.contributions()[0];
        assert!(row[column("reason_1")].starts_with(largest.words.trim_end_matches('.')));
        let verb = if largest.log_odds > 0.0 { "raises" } else { "lowers" };
        assert!(row[column("reason_1")].ends_with(&format!("({verb} by {:.2})", largest.log_odds.abs())));
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "a formula: {cell}");
        }
    }
    let entities: Vec<&str> = rows.iter().map(|row| &row[column("entity")]).collect();
    assert!(entities.contains(&"'=HYPERLINK(\"x\")"));
    assert!(entities.contains(&"<b>&\""));
}

#[test]
fn every_form_of_a_list_says_what_came_of_lists_of_its_length_and_which_bands_it_holds() {
    for (length, measured) in [(12, 20), (20, 20)] {
        let list = list(length, 3);
        let tested = *list.tested().expect("lists of ten and more were measured");
        assert_eq!((tested.cases, list.places()), (measured, length as usize));
        assert_eq!(tested.observed.n, u64::from(tested.cases) * u64::from(tested.lists));

        let said = tested.words(length as usize);
        assert_eq!(said.contains("was not measured"), length != measured);
        let page = list_html(&list, "March").unwrap();
        assert!(page.contains(&said), "{said}");
        // Cases drawn at random are in no count.
        let bands = list.by_band();
        assert_eq!(bands.iter().map(|&(_, cases)| cases).sum::<usize>(), length as usize);
        assert!(page.contains(&format!("{} in the {}", bands[0].1, bands[0].0)));

        let read: serde_json::Value = serde_json::from_str(&list_json(&list).unwrap()).unwrap();
        assert_eq!(read["tested"]["cases"], measured);
        assert_eq!(read["tested"]["observed"]["value"].as_f64(), Some(tested.observed.value));
        let text = list_csv(&list).unwrap();
        let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let head = table.headers().unwrap().clone();
        let column = |name: &str| head.iter().position(|held| held == name).unwrap();
        for row in table.records().map(Result::unwrap) {
            assert_eq!(row[column("tested_length")], measured.to_string());
            assert_eq!(row[column("rate_of_such_lists")], format!("{:.4}", tested.observed.value));
            assert_eq!(row[column("such_lists_low")], format!("{:.4}", tested.observed.interval.low));
            assert_eq!(row[column("such_lists_high")], format!("{:.4}", tested.observed.interval.high));
        }
    }
}

#[test]
fn the_data_hold_everything() {
    let list = list(12, 3);
    let text = list_json(&list).unwrap();
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut bare = read.clone();
    let says = bare.as_object_mut().unwrap().remove("says").unwrap();
    assert_eq!(bare, serde_json::to_value(&list).unwrap());
    // What the page says of the list as a whole stands beside it.
    let page = list_html(&list, "Early help").unwrap();
    for said in says["is"].as_array().unwrap().iter().chain(says["cannot_see"].as_array().unwrap()) {
        let said = said.as_str().unwrap().replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;");
        assert!(page.contains(&said), "{said}");
    }
    for (label, said) in says["facts"].as_object().unwrap() {
        assert!(page.contains(label.as_str()) && !said.as_str().unwrap().is_empty(), "{label}");
    }
    assert_eq!(read["audit"]["run_id"], list.provenance().run_id);
    let entries = read["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 15);
    for (entry, held) in entries.iter().zip(list.entries()) {
        let drawn = if held.why_listed() == WhyListed::ByRank { "by_rank" } else { "at_random" };
        assert_eq!(entry["drawn"], drawn);
        assert_eq!(entry["case"]["entity"], held.case().entity());
        let parts = entry["case"]["contributions"].as_array().unwrap();
        assert_eq!(parts.len(), held.case().contributions().len());
        assert_eq!(parts[0]["log_odds"].as_f64(), Some(held.case().contributions()[0].log_odds));
    }
}

#[test]
fn reports_are_the_same_every_time() {
    let (first, second) = (list(12, 3), list(12, 3));
    assert_eq!(list_html(&first, "March").unwrap(), list_html(&second, "March").unwrap());
    assert_eq!(list_csv(&first).unwrap(), list_csv(&second).unwrap());
    assert_eq!(list_json(&first).unwrap(), list_json(&second).unwrap());
}

#[test]
fn frames_hold_the_figures_whole_and_have_the_same_types_whoever_is_listed() {
    let types = |list: &ReviewList| -> Vec<(String, Vec<String>)> {
        let frames = list_frames(list).unwrap();
        let of = |(name, frame): (String, polars::prelude::DataFrame)| {
            (
                name,
                frame
                    .columns()
                    .iter()
                    .map(|column| format!("{} {}", column.name(), column.dtype()))
                    .collect(),
            )
        };
        frames.into_iter().map(of).collect()
    };
    let list = list(12, 3);
    // One place, of which most cells are empty.
    assert_eq!(types(&list), types(&self::list(1, 0)));

    let frames = list_frames(&list).unwrap();
    let frame = |name: &str| &frames.iter().find(|(held, _)| held == name).unwrap().1;
    assert_eq!(frame("List").height(), list.len());
    let reasons = frame("Reasons");
    let points = reasons.column("points").unwrap().f64().unwrap();
    let expected: Vec<f64> = list
        .entries()
        .iter()
        .flat_map(|entry| [entry.case()].into_iter().chain(entry.beside()))
        .flat_map(|case| case.contributions().iter().map(|part| part.log_odds))
        .collect();
    assert_eq!(points.into_no_null_iter().collect::<Vec<_>>(), expected);
    let expires = frame("List").column("expires").unwrap();
    assert_eq!(expires.dtype(), &polars::prelude::DataType::Date);
    assert_eq!(expires.get(0).unwrap().to_string(), "2025-04-03");
}

#[test]
fn a_frame_of_another_kind_of_cell_than_its_column_says_is_refused() {
    let mut table = Table::new([Column::whole("place"), Column::date("seen_on"), Column::new("value")]);
    table.rows.push(vec![Value::Whole(1), Value::Empty, Value::Number(0.1)]);
    table.rows.push(vec![Value::Empty, Value::Empty, Value::text("missing")]);
    let frame = table.frame().unwrap();
    assert_eq!(frame.column("value").unwrap().str().unwrap().get(0), Some("0.1"));
    assert_eq!(frame.column("place").unwrap().i64().unwrap().iter().collect::<Vec<_>>(), [Some(1), None]);
    table.rows.push(vec![Value::Share(0.5), Value::Empty, Value::Empty]);
    assert!(table.frame().unwrap_err().to_string().contains("the column place holds another kind of cell"));
}
