//! The page, the tables and the data that explain a model say what the model says, and name nobody.

use std::process::Command;
use std::sync::OnceLock;

use earlyhelp::calendar::{AsOf, Horizon, Lookback};
use earlyhelp::cohort::CohortSpec;
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, Capacity};
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::fairness::{FairnessAudit, Protected};
use earlyhelp::features::{Cell, Direction, Feature, FeatureMatrix, FeatureSpec, FeatureTemplate, Measure};
use earlyhelp::model::{
    AdditiveParams, Candidate, Change, Edit, LogisticParams, PathParams, Place, ScorecardParams, ShapeRow,
    ShapeTable, Trainer, TrainingContext,
};
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::records::{Coverage, Extract, Known, PeopleColumns, Records, Selector, SourceMapping};
use earlyhelp::report::{AnyModel, model_curves, model_html, model_json};
use earlyhelp::scoring::{AuditedModel, SignOff};
use polars::df;

const PEOPLE: usize = 2_500;
const DATES: [&str; 3] = ["2022-03-03", "2023-03-03", "2024-03-03"];
const PURPOSE: &str = "Offer <early> help to families";

/// A whole number below `below` that looks random and is the same in every run.
fn draw(person: usize, year: usize, what: usize, below: usize) -> usize {
    let mut mixed = (person as u64) << 40 | (year as u64) << 20 | what as u64;
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    ((mixed >> 33) as usize) % below
}

fn id(person: usize) -> String {
    format!("NHS-{:05}", 10_000 + 7 * person)
}

/// Rows of an extract, each with a day of its year and a value.
#[derive(Default)]
struct Rows {
    who: Vec<String>,
    on: Vec<String>,
    value: Vec<f64>,
}

impl Rows {
    fn add(&mut self, person: usize, year: usize, day: usize, value: f64) {
        self.who.push(id(person));
        self.on.push(format!("{year}-{:02}-{:02}", 1 + day % 2, 1 + day % 28));
        self.value.push(value);
    }

    fn extract(self) -> Extract {
        Extract::frame(df!("who" => self.who, "on" => self.on, "value" => self.value).unwrap())
    }
}

/// How many police incidents and absences somebody has at the beginning of a year, before its as-of date: 0 to
/// 3 each.
fn counts(person: usize, year: usize) -> (usize, usize) {
    (draw(person, year, 1, 10).saturating_sub(6), draw(person, year, 2, 8).saturating_sub(4))
}

/// Risk rises with either count, and most where there is one without the other: what one feature says
/// turns with the other, so that a model of this needs the pair.
fn has_outcome(person: usize, year: usize) -> bool {
    let (police, absences) = counts(person, year);
    let apart = if (police > 0) == (absences > 0) { 0 } else { 45 };
    draw(person, year, 3, 100) < 3 + 2 * police + 2 * absences + apart
}

fn records() -> Records {
    let mut extracts: [Rows; 5] = std::array::from_fn(|_| Rows::default());
    for person in 0..PEOPLE {
        for year in 2021..=2024 {
            let (police, absences) = counts(person, year);
            (0..police).for_each(|nth| extracts[0].add(person, year, 5 * nth + 1, 1.0));
            (0..absences).for_each(|nth| extracts[1].add(person, year, 7 * nth + 2, 1.0));
            // Few have a debt; what it comes to is not a whole number.
            if draw(person, year, 4, 10) == 0 {
                extracts[2].add(person, year, 9, draw(person, year, 5, 900) as f64 + 0.25);
            }
            if draw(person, year, 6, 5) == 0 {
                extracts[3].add(person, year, 11, 1.0);
            }
            if year > 2021 && has_outcome(person, year) {
                // After the as-of date of its year.
                extracts[4].who.push(id(person));
                extracts[4].on.push(format!("{year}-06-{:02}", 1 + person % 28));
                extracts[4].value.push(1.0);
            }
        }
    }
    let ids: Vec<String> = (0..PEOPLE).map(id).collect();
    let born: Vec<String> =
        (0..PEOPLE).map(|person| format!("20{:02}-05-17", 8 + draw(person, 0, 9, 12))).collect();
    let people = PeopleColumns {
        person: vec!["who".into()],
        date_of_birth: Some("born".into()),
        ..PeopleColumns::default()
    };
    let source = |name: &str, from: &str| {
        SourceMapping::new(name, "who", "record", "on").value("value").known(Known::LagDays(1)).coverage(
            Coverage {
                from: Some(from.parse().unwrap()),
                to: Some("2025-12-31".parse().unwrap()),
                ..Coverage::default()
            },
        )
    };
    let [police, school, debts, help, plans] = extracts;
    Records::builder()
        .people(people, Extract::frame(df!("who" => ids, "born" => born).unwrap()))
        .source(source("police", "2019-01-01"), police.extract())
        .source(source("school", "2019-01-01"), school.extract())
        // Nothing before 2022: at the first date the year before is not covered.
        .source(source("debts", "2022-01-01"), debts.extract())
        .source(source("help", "2019-01-01"), help.extract())
        .source(source("plans", "2019-01-01"), plans.extract())
        .build()
        .unwrap()
}

fn features() -> FeatureSpec {
    let template = |source: &str, label: &str, measure: Measure| FeatureTemplate {
        label: Some(label.to_owned()),
        over: vec![Lookback::Days(365)],
        ..FeatureTemplate::new(Selector::source(source), measure)
    };
    let templates = [
        template("police", "Police <script>alert(1)</script>", Measure::Count),
        template("school", "Absences & lateness", Measure::Count),
        template("debts", "Debt", Measure::Mean),
        FeatureTemplate {
            help_seeking: true,
            direction: Direction::Rising,
            ..template("help", "Asked for help", Measure::Any)
        },
    ];
    let mut features: Vec<Feature> =
        templates.iter().flat_map(|template| template.expand().unwrap()).collect();
    features.push(Feature::age());
    FeatureSpec::new(features).unwrap()
}

fn data(records: &Records) -> Dataset {
    let outcome = OutcomeSpec::any(
        "plan",
        "A plan begins within 12 months",
        [Selector::source("plans")],
        Horizon::Months(12),
    );
    let cohort = |date: &str| CohortSpec::default().ages(0, 17).choose(&records.as_of(date.parse().unwrap()));
    let cohorts: Vec<_> = DATES.iter().map(|date| cohort(date).unwrap()).collect();
    Dataset::build(&features(), &outcome, &cohorts).unwrap()
}

fn model(data: &Dataset, trainer: &Trainer) -> AuditedModel {
    audited(candidate(data, trainer), data)
}

fn candidate(data: &Dataset, trainer: &Trainer) -> Candidate {
    let context = TrainingContext {
        protected: vec!["ethnicity".into()],
        cannot_see: vec!["What <neighbours> know.".into()],
        ..TrainingContext::default()
    };
    Candidate::train(data, trainer, context).unwrap()
}

fn audited(candidate: Candidate, data: &Dataset) -> AuditedModel {
    let dates: Vec<AsOf> = DATES.iter().map(|date| date.parse().unwrap()).collect();
    let plan = BacktestPlan::expanding(&dates, data.outcome().horizon, Capacity::Cases(100)).unwrap();
    let backtest = Backtest::run(&candidate, data, &plan).unwrap();
    let audit =
        FairnessAudit::of(&backtest, &Protected::none(vec!["ethnicity".into()]), &AuditParams::at_release());
    AuditedModel::new(candidate, &backtest, &audit.unwrap()).unwrap()
}

/// A model of each trainer, the last one without refits.
fn models() -> &'static [AuditedModel; 4] {
    static MODELS: OnceLock<[AuditedModel; 4]> = OnceLock::new();
    MODELS.get_or_init(|| {
        let records = records();
        let data = data(&records);
        let lasso = LogisticParams::default().l1_ratio(1.0).path(PathParams::default()).refits(5);
        [
            Trainer::Additive(AdditiveParams::default()),
            Trainer::Scorecard(ScorecardParams::default().terms(4)),
            Trainer::Logistic(lasso),
            Trainer::Logistic(LogisticParams::default().refits(0)),
        ]
        .map(|trainer| model(&data, &trainer))
    })
}

/// A cell that lies at a place.
fn cell(at: Place) -> Cell {
    match at {
        Place::Missing => Cell::Missing,
        Place::NotCovered => Cell::NotCovered,
        Place::At(value) | Place::Between { from: Some(value), .. } => Cell::Value(value as f32),
        Place::Between { from: None, below } => Cell::Value(below.map_or(0.0, |below| below as f32 - 1.0)),
    }
}

/// What the model itself adds for a term where its features have these cells.
fn said(model: &Candidate, nth: usize, cells: &[(&str, Cell)]) -> f64 {
    let columns: Vec<Vec<Cell>> = model
        .model()
        .features()
        .iter()
        .map(|name| vec![cells.iter().find(|(of, _)| of == name).map_or(Cell::Missing, |(_, cell)| *cell)])
        .collect();
    let matrix = FeatureMatrix::from_cells(model.model().features().to_vec(), 1, &columns).unwrap();
    model.model().explain(&matrix, 0).unwrap().contributions()[nth]
}

fn rows(shape: &ShapeTable) -> &[ShapeRow] {
    match shape {
        ShapeTable::Steps { rows } | ShapeTable::Line { rows, .. } => rows,
        ShapeTable::Grid { .. } => &[],
    }
}

#[test]
fn tables_hold_the_models_own_figures() {
    let mut grids = 0;
    for model in models() {
        let candidate = model.candidate();
        let tables = candidate.tables();
        assert_eq!(tables.len(), candidate.model().terms().len());
        for (nth, table) in tables.iter().enumerate() {
            assert_eq!(table.on, candidate.model().terms()[nth].on);
            for row in rows(&table.shape) {
                let model = said(candidate, nth, &[(&table.on[0], cell(row.at))]);
                assert!((row.contribution - model).abs() < 1e-12, "{:?} at {}", table.on, row.label);
                assert_eq!(row.reach.is_some(), candidate.model().refits().is_some());
            }
            if let ShapeTable::Grid { first, second, cells } = &table.shape {
                grids += 1;
                for (first, cells) in first.iter().zip(cells) {
                    for (second, held) in second.iter().zip(cells) {
                        let at = [(table.on[0].as_str(), cell(first.at)), (&table.on[1], cell(second.at))];
                        assert!((held.contribution - said(candidate, nth, &at)).abs() < 1e-12);
                    }
                }
            }
        }
    }
    assert!(grids > 0, "the planted pair was not found: no grid was checked");
}

#[test]
fn shares_of_people_add_up_to_everybody() {
    for model in models() {
        for table in model.candidate().tables() {
            let rows = rows(&table.shape);
            if rows.is_empty() {
                continue;
            }
            let sum: f64 = rows.iter().filter_map(|row| row.share).sum();
            // Counts are to the nearest five, and places of fewer than ten cases are left out.
            let left_out = rows.iter().filter(|row| row.share.is_none()).count();
            let cases = model.candidate().training().rows as f64;
            let most_left_out = 10.0 * left_out as f64 / cases;
            assert!(sum < 1.01 && sum + most_left_out > 0.99, "{:?}: {sum}, {left_out} left out", table.on);
        }
    }
    let additive = models()[0].candidate();
    let table = additive.tables().into_iter().find(|table| table.on == ["police_count_365d"]).unwrap();
    let labels: Vec<&str> = rows(&table.shape).iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["0", "1", "2", "3 or more", "missing", "not covered"]);
    let none = rows(&table.shape)[0].share.unwrap();
    assert!((none - 0.7).abs() < 0.02, "seven of ten draws leave no incident: {none}");
}

#[test]
fn every_term_is_on_the_page_once_and_nobody_is() {
    for model in models() {
        let page = model_html(model).unwrap();
        let terms = model.candidate().model().terms().len();
        assert_eq!(page.matches("<article class=\"term\"").count(), terms);
        for place in 1..=terms {
            assert_eq!(page.matches(&format!("id=\"term-{place}\"")).count(), 1);
            assert_eq!(page.matches(&format!("href=\"#term-{place}\"")).count(), 1);
        }
        let drawn = model.candidate().model().terms().iter().filter(|term| term.on.len() == 1).count();
        let path = usize::from(model.candidate().training().path.is_some());
        assert_eq!(page.matches("<svg class=\"curve\"").count(), drawn + path);
        assert!(!page.contains("<script"), "a label was not escaped");
        assert!(page.contains("Police &#60;script&#62;alert(1)"));
        assert!(page.contains("What &#60;neighbours&#62; know."));
        assert!(!page.contains("NHS-"), "somebody's id is on the page");
        assert!(!page.contains("http"), "something is loaded or linked from elsewhere");
        assert!(page.contains(model.digest()) && page.contains(model.candidate().digest()));
        assert!(page.contains("cannot score anybody"));
        assert!(!page.contains("NaN") && !page.contains("inf,"));
    }
}

#[test]
fn each_kind_of_model_has_its_own_parts() {
    let [additive, card, lasso, plain] = models();
    let page = |model: &AuditedModel| model_html(model).unwrap();
    assert!(page(additive).contains("<table class=\"heat\">"));
    assert!(!page(additive).contains("id=\"card\"") && !page(additive).contains("id=\"path\""));
    assert_eq!(page(lasso).matches("id=\"path\"").count(), 1);
    assert!(!page(card).contains("id=\"path\""));
    // The card's lines and totals, as the file has them.
    let html = page(card);
    let sheet = &html[html.find("id=\"card\"").unwrap()..html.find("id=\"terms\"").unwrap()];
    let best = &card.candidate().training().cards[0];
    let first = sheet.find("</table>").unwrap();
    assert_eq!(sheet[..first].matches("class=\"number\"").count(), best.lines.len());
    for line in &best.lines {
        let points = format!("{:+}", line.points).replace('-', "\u{2212}");
        assert!(sheet[..first].contains(&format!(">{points}</td>")), "{points}");
    }
    for row in best.table.iter().filter(|row| row.cases >= 10) {
        let count = row.cases.to_string();
        assert!(sheet.replace(',', "").contains(&format!("<td>{count}</td>")), "{count}");
    }
    // Without refits nothing is claimed of how surely a line is known.
    assert!(page(plain).contains("without refits") && page(plain).contains("not known"));
    assert!(!page(plain).contains("class=\"band\""));
    assert!(page(lasso).contains("class=\"band\""));
}

#[test]
fn curves_are_the_pages_own_as_files() {
    for model in models() {
        let page = model_html(model).unwrap();
        let files = model_curves(model).unwrap();
        let single = model.candidate().model().terms().iter().filter(|term| term.on.len() == 1).count();
        assert_eq!(files.len(), single);
        for (name, svg) in &files {
            assert!(name.strip_suffix(".svg").is_some_and(|place| place.parse::<u32>().is_ok()), "{name}");
            assert!(
                svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>\n")
            );
            let line = svg.split("class=\"line\"").next().unwrap().rsplit("d=\"").next().unwrap();
            assert!(page.contains(line.split('"').next().unwrap()), "{name}");
            // Text of others is text here, too.
            assert!(!svg.contains("<early>") && !svg.contains("var(--"), "{name}");
        }
    }
}

#[test]
fn a_released_model_names_who_signed() {
    let sign_off = SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: PURPOSE.into(),
        signed_on: "2025-02-01".parse().unwrap(),
        review_by: "2026-02-01".parse().unwrap(),
    };
    let released = models()[2].clone().release(sign_off).unwrap();
    let page = model_html(&released).unwrap();
    assert!(page.contains("A. Manager") && page.contains("Offer &#60;early&#62; help"));
    assert!(page.contains("1 February 2026") && !page.contains("cannot score anybody"));
    assert_eq!(AnyModel::from(&released).sign_off().unwrap().by, "A. Manager");
}

#[test]
fn an_edited_model_says_who_changed_what_and_shows_the_version_before() {
    let data = data(&records());
    let trainer = Trainer::Scorecard(ScorecardParams::default().terms(2).cards(1).refits(0));
    let before = model(&data, &trainer);
    let on = before.candidate().model().terms()[0].on.clone();
    let edit = Edit {
        on: on.clone(),
        change: Change::Drop,
        by: "C. <Analyst>".into(),
        reason: "Recorded in other ways since the new form".into(),
        on_day: "2025-01-10".parse().unwrap(),
    };
    let edited = audited(before.candidate().edited(edit, &data).unwrap(), &data);
    let page = model_html(&edited.replacing(&before).unwrap()).unwrap();
    assert!(page.contains("id=\"edits\"") && page.contains("new form"));
    assert!(page.contains("C. &#60;Analyst&#62;, 10 January 2025"));
    assert!(page.contains(before.candidate().digest()));
    let row = page.find("The version before people changed it").unwrap();
    let loss = before.backtest().overall.log_loss;
    assert!(page[row..row + 800].contains(&format!("{:.4} (", loss.value)));
    assert!(!model_html(&before).unwrap().contains("id=\"edits\""));
}

#[test]
fn the_data_can_be_read_and_hold_every_term() {
    for model in models() {
        let text = model_json(model).unwrap();
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let terms = data["terms"].as_array().unwrap();
        assert_eq!(terms.len(), model.candidate().model().terms().len());
        for (term, table) in terms.iter().zip(model.candidate().tables()) {
            assert_eq!(term["on"][0], table.on[0].as_str());
            assert_eq!(term["features"].as_array().unwrap().len(), table.on.len());
            if let Some(row) = rows(&table.shape).first() {
                let kind = if term["shape"]["line"].is_null() { "steps" } else { "line" };
                let held = &term["shape"][kind]["rows"][0];
                assert_eq!(held["contribution"].as_f64(), Some(row.contribution));
                assert_eq!(held["reach"].as_f64(), row.reach);
            }
        }
        assert_eq!(data["candidate"], model.candidate().digest());
        assert!(data["sign_off"].is_null());
        assert!(!text.contains("NHS-"));
    }
}

#[test]
fn the_command_writes_the_page_and_prints_the_terms() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.json");
    std::fs::write(&file, models()[0].to_json().unwrap()).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
            .arg("explain")
            .arg(&file)
            .args(arguments)
            .output()
            .expect("the command runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = run(&[]);
    let terms = models()[0].candidate().model().terms().len();
    assert_eq!(table.lines().count(), 3 + terms);
    let importance: Vec<f64> =
        table.lines().skip(3).map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
    assert!(importance.is_sorted_by(|a, b| a >= b), "{importance:?}");
    let page = folder.path().join("model.html");
    assert!(run(&["--out", page.to_str().unwrap()]).contains("model.html"));
    assert_eq!(std::fs::read_to_string(page).unwrap(), model_html(&models()[0]).unwrap());
    assert_eq!(run(&["--json"]), model_json(&models()[0]).unwrap());
}
