//! The papers of the shipped models, walked through block by block.

use std::collections::BTreeSet;

use super::document::{Document, PaperKind, Section};
use super::parts::{Block, Cell};
use super::{Organisation, atrs, dpia_evidence, evidence, model_card, prose};
use crate::evaluate::Backtest;
use crate::fairness::audit::AttributeFinding;
use crate::features::{Feature, FeatureSpec};
use crate::model::{Change, Edit, Trainer};
use crate::project::Project;
use crate::records::Intake;
use crate::report::figure::Figure;
use crate::scoring::{AuditedModel, Scorer};
use crate::stats::{newcombe_difference, wilson};
use crate::synthetic::{CouncilParams, Format};

const MODELS: [&str; 3] = [
    include_str!("../../../models/synthetic_council_additive.json"),
    include_str!("../../../models/synthetic_council_logistic.json"),
    include_str!("../../../models/synthetic_council_scorecard.json"),
];

const NASTY: &str = "Ours | theirs\n# not a heading\n\n*second* <b>paragraph</b>";

fn project() -> Project {
    let council = CouncilParams::new(1_000, 1).generate().unwrap();
    Project::from_toml(&council.project_toml(Format::Csv), ".").unwrap()
}

/// An organisation that leaves nothing out, in words that would be Markdown.
fn whole() -> Organisation {
    let fields = serde_json::to_value(Organisation::default()).unwrap();
    let said =
        fields.as_object().unwrap().keys().map(|name| (name.clone(), format!("{name}: {NASTY}").into()));
    serde_json::from_value(serde_json::Value::Object(said.collect())).unwrap()
}

fn intake() -> Vec<Intake> {
    let of = |source: &str| Intake { source: source.to_owned(), read: 1_200, accepted: 1_188, rejected: 12 };
    vec![of("housing"), of("po|lice\nnotes")]
}

/// All papers of all shipped models: with everything at hand, and with as little as there can be.
fn papers() -> Vec<Document> {
    let (project, organisation, intake) = (project(), whole(), intake());
    let mut nasty = project.clone();
    nasty.name = NASTY.to_owned();
    nasty.purpose = NASTY.to_owned();
    let nobody = Organisation::default();
    let mut papers = Vec::new();
    for text in MODELS {
        let scorer = Scorer::from_json(text).unwrap();
        let audited = scorer.audited().unwrap();
        papers.extend([
            model_card(&scorer),
            model_card(&audited),
            atrs(&scorer, Some(&project), &nobody),
            atrs(&audited, None, &nobody),
            atrs(&scorer, Some(&nasty), &organisation),
            dpia_evidence(&scorer, Some(&nasty), &organisation, Some(&intake)),
            dpia_evidence(&scorer, Some(&project), &nobody, None),
            dpia_evidence(&audited, None, &nobody, None),
        ]);
    }
    papers.into_iter().collect::<Result<_, _>>().unwrap()
}

fn for_each_block<'a>(sections: &'a [Section], see: &mut dyn FnMut(&'a Block)) {
    for section in sections {
        for block in &section.blocks {
            see(block);
            if let Block::Field(field) = block {
                field.blocks.iter().for_each(&mut *see);
            }
        }
        for_each_block(&section.sections, see);
    }
}

fn level(line: &str) -> usize {
    line.chars().take_while(|&c| c == '#').count()
}

/// The lines of a text that are not within a block of code.
fn prose(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let is_prose = |line: &&str| {
        let fence = line.starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    };
    text.lines().filter(is_prose).collect()
}

#[test]
fn no_heading_is_empty() {
    for paper in papers() {
        let text = paper.to_markdown();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        for pair in lines.windows(2) {
            let (here, next) = (level(pair[0]), level(pair[1]));
            assert!(here == 0 || next == 0 || next > here, "{:?}: {pair:?}", paper.kind());
        }
        assert!(level(lines[lines.len() - 1]) == 0);
        assert!(!text.contains("Nothing is known."), "{:?}", paper.kind());
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        assert!(words.all(|word| word != "NaN" && word != "inf"), "{:?}", paper.kind());
    }
}

#[test]
fn every_figure_has_its_interval_and_n() {
    for paper in papers() {
        let mut figures = 0;
        let mut see = |block: &Block| {
            let Block::Table(table) = block else { return };
            for cell in table.rows.iter().flatten() {
                if let Cell::Figure(Figure { value, low, high, n, .. }) = cell {
                    assert!(low <= value && value <= high && *n > 0, "{value} ({low} to {high}; n = {n})");
                    figures += 1;
                }
            }
        };
        for_each_block(&paper.sections, &mut see);
        assert!(figures > 20, "{:?}: {figures}", paper.kind());
        let text = paper.to_markdown();
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '\u{2212}');
        for (at, _) in text.match_indices('(') {
            let inside = text[at + 1..].split(')').next().unwrap();
            let mut parts = inside.splitn(2, " to ");
            let (low, rest) = (parts.next().unwrap(), parts.next());
            let unspaced = low.starts_with(is_number) && !low.contains(' ');
            if unspaced && rest.is_some() {
                assert!(inside.contains("; n = "), "{:?}: ({inside})", paper.kind());
            }
        }
    }
}

#[test]
fn the_record_has_every_field_once_and_marks_what_is_unknown() {
    let asked: Vec<(&str, &str)> = include_str!("atrs.md")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')?.split_once(' '))
        .filter(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len());
    assert_eq!(asked.len(), 56);
    let parts = [5, 4, 9, 4, 5, 5, 8, 9, 5, 2];
    let of_part = |part: &str| asked.iter().filter(|(number, _)| number.starts_with(part)).count();
    let found =
        ["0.", "1.", "2.1.", "2.2.", "2.3.", "2.4.1.", "2.4.2.", "2.4.3.", "2.4.4.", "2.5."].map(of_part);
    assert_eq!(found, parts);
    for paper in papers().iter().filter(|paper| paper.kind() == PaperKind::AtrsRecord) {
        let fields = paper.fields();
        let found: Vec<(&str, &str)> =
            fields.iter().map(|field| (field.number.as_str(), field.name.as_str())).collect();
        assert_eq!(found, asked);
        let text = paper.to_markdown();
        for (number, name) in &asked {
            let heading = format!("{number} {name}");
            let times =
                text.lines().filter(|line| line.trim_start_matches('#') == format!(" {heading}")).count();
            assert_eq!(times, 1, "{heading}");
        }
        let open = fields.iter().filter(|field| field.to_complete.is_some()).count();
        assert_eq!(text.matches("**To be completed by the organisation.** ").count(), open);
    }
    let (scorer, project) = (Scorer::from_json(MODELS[0]).unwrap(), project());
    let open = |organisation: &Organisation| -> Vec<String> {
        let open = atrs(&scorer, Some(&project), organisation).unwrap().open_fields();
        open.iter().map(|field| field.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(open(&whole()), [""; 0]);
    let without = Organisation { senior_responsible_owner: None, ..whole() };
    assert_eq!(open(&without), ["2.1.3"]);
    assert_eq!(open(&Organisation { team: Some("  ".into()), ..whole() }), ["2.1.2"]);
    let unknown = open(&Organisation::default());
    assert!(unknown.len() > 30, "{unknown:?}");
    for known in ["0.5", "2.4.2.2", "2.4.2.7", "2.4.3.3"] {
        assert!(!unknown.contains(&known.to_owned()), "{known}");
    }
}

#[test]
fn the_glossary_holds_what_occurs_and_all_that_needs_it() {
    // Abbreviations that readers of these papers know, or that are explained where they stand.
    let known = ["UK", "URL", "UKGDPR"];
    for paper in papers() {
        let text = paper.to_markdown();
        let (body, glossary) = text.split_once("\n## Words used here\n").unwrap();
        assert!(
            paper.glossary.len() > 20 && paper.glossary.is_sorted_by_key(|entry| entry.term.to_lowercase())
        );
        let again = crate::report::glossary::in_text(body);
        for entry in &paper.glossary {
            assert!(again.contains(entry), "{} is explained and does not occur", entry.term);
        }
        let is_code = |word: &str| word.len() == 4 && crate::report::labels::group(word) != word;
        for line in prose(body) {
            let words = line.split(|c: char| !c.is_alphanumeric());
            for word in words.filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase())) {
                let explained = glossary.contains(word) || known.contains(&word) || is_code(word);
                assert!(explained, "{word} is not explained: {line}");
            }
        }
    }
}

#[test]
fn tables_are_whole_whatever_people_typed() {
    for paper in papers() {
        let text = paper.to_markdown();
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut columns = 0;
        let mut tables = 0;
        for line in prose(&text) {
            if line.starts_with("| ") {
                tables += usize::from(columns == 0);
                columns = if columns == 0 { cells(line) } else { columns };
                assert_eq!(cells(line), columns, "{line}");
            } else {
                columns = 0;
                assert!(!line.contains("<b>") && !line.starts_with("# not"), "{line}");
            }
        }
        assert!(tables >= 4, "{:?}: {tables}", paper.kind());
    }
}

#[test]
fn json_reads_back_and_what_is_empty_is_refused() {
    for paper in papers() {
        let json = paper.to_json().unwrap();
        let again: Document = serde_json::from_str(&json).unwrap();
        assert_eq!(again, paper);
        assert_eq!(again.to_markdown(), paper.to_markdown());
    }
    let card = model_card(&Scorer::from_json(MODELS[0]).unwrap()).unwrap();
    let mut json = serde_json::to_value(&card).unwrap();
    json["sections"][1]["blocks"] = serde_json::json!([]);
    let refused = serde_json::from_value::<Document>(json).unwrap_err().to_string();
    assert!(refused.contains("nothing stands under the heading \"What it is\""), "{refused}");
    let mut json = serde_json::to_value(&card).unwrap();
    json["sections"][5]["blocks"][1]["table"]["rows"][0].as_array_mut().unwrap().pop();
    let refused = serde_json::from_value::<Document>(json).unwrap_err().to_string();
    assert!(refused.contains("more or fewer cells"), "{refused}");
}

#[test]
fn a_model_that_nobody_signed_for_says_so() {
    let audited = Scorer::from_json(MODELS[0]).unwrap().audited().unwrap();
    let card = model_card(&audited).unwrap().to_markdown();
    assert!(card.contains("it cannot score") && !card.contains("Demonstration"));
    assert!(
        atrs(&audited, None, &Organisation::default()).unwrap().to_markdown().contains("is not released")
    );
}

#[test]
fn what_the_test_could_not_show_is_said() {
    for text in MODELS {
        let scorer = Scorer::from_json(text).unwrap();
        let (report, fairness) = (scorer.backtest(), scorer.fairness());
        let document = model_card(&scorer).unwrap();
        let card = document.to_markdown();
        let bins = &report.overall.calibration.as_ref().unwrap().bins;
        let is_off = |mean: f64, low: f64, high: f64| mean < low || mean > high;
        let off = bins.iter().filter(|bin| {
            let interval = bin.observed.interval;
            is_off(bin.mean_predicted, interval.low, interval.high)
        });
        let off = off.count();
        assert!(off > 0 && card.contains(&format!("In {off} of {} groups of cases", bins.len())));
        assert_eq!(card.matches("| rarer |").count() + card.matches("| more common |").count(), off);

        let worth = card.split("### What each term is worth").nth(1).unwrap().split("\n#").next().unwrap();
        let not_needed = worth.matches("| no |").count();
        assert!(not_needed > 0 && card.contains(&format!("- {not_needed} of ")), "{not_needed}: {worth}");
        let untouched = worth.lines().filter(|line| line.contains("| 0 of "));
        assert!(untouched.into_iter().all(|line| line.ends_with("| no |")), "{worth}");

        let mut verdicts: Vec<String> = Vec::new();
        for attribute in &fairness.attributes {
            if let AttributeFinding::Measured { criteria, .. } = &attribute.finding {
                verdicts.extend(criteria.iter().map(|report| report.verdict.to_string()));
            }
        }
        // A model of version 1 has no verdicts, and the card says so.
        assert_eq!(verdicts.is_empty(), card.contains("No criterion was judged"));
        assert_eq!(verdicts.is_empty(), card.contains("an earlier form of the check"));
        let mut shown: Vec<String> = Vec::new();
        let mut see = |block: &Block| {
            let Block::Table(table) = block else { return };
            if table.columns[0] == "Criterion" {
                shown.extend(table.rows.iter().filter_map(|row| match &row[1] {
                    Cell::Text(verdict) => Some(verdict.clone()),
                    _ => None,
                }));
            }
        };
        for_each_block(&document.sections, &mut see);
        assert_eq!(shown, verdicts);
        let known = scorer.candidate();
        let reads_age = known.features().features().iter().any(|feature| {
            feature.measure == crate::features::Measure::Age && super::data::is_used(known, feature)
        });
        assert_eq!(card.contains("Age is a protected characteristic, too"), reads_age);
    }
}

#[test]
fn what_nothing_needs_is_named() {
    let (scorer, mut project) = (Scorer::from_json(MODELS[0]).unwrap(), project());
    let mut idle = project.sources[0].clone();
    idle.name = "library_loans".into();
    project.sources.push(idle);
    let paper = dpia_evidence(&scorer, Some(&project), &Organisation::default(), None).unwrap().to_markdown();
    let section = paper.split("## What could be left out").nth(1).unwrap().split("### ").next().unwrap();
    for line in ["- library loans", "- youth justice", "- police: role", "- suspensions: reason"] {
        assert!(section.lines().any(|held| held == line), "{line}: {section}");
    }
    assert!(!section.contains("school roll") && !section.contains("plans: start"));
}

#[test]
fn the_difference_of_two_shares_is_newcombes() {
    for (a, b) in [((763, 4_537), (398, 4_537)), ((1, 30), (9, 30)), ((0, 12), (12, 12))] {
        let (one, other) = (wilson(a.0, a.1).unwrap(), wilson(b.0, b.1).unwrap());
        let (ours, theirs) = (evidence::difference(&one, &other), newcombe_difference(a, b).unwrap());
        let ends = |found: &crate::evaluate::Estimate| [found.value, found.interval.low, found.interval.high];
        for (ours, theirs) in ends(&ours).into_iter().zip(ends(&theirs)) {
            assert!((ours - theirs).abs() < 1e-12, "{ours} {theirs}");
        }
    }
}

/// A small model of its own, edited by a person.
fn edited(project: &Project) -> (AuditedModel, Vec<Intake>) {
    let records = project.records().unwrap();
    let protected = project.protected().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap().without_refits();
    let before = project.train(&records, &protected, &trainer).unwrap();
    let data = project.dataset(&records).unwrap();
    let edit = Edit {
        on: before.candidate().model().terms()[0].on.clone(),
        change: Change::Drop,
        by: "A. Analyst".into(),
        reason: "It says how busy a clinic was | not who was ill.".into(),
        on_day: "2025-03-01".parse().unwrap(),
    };
    let candidate = before.candidate().edited(edit, &data).unwrap();
    let backtest = Backtest::run(&candidate, &data, &before.backtest().plan).unwrap();
    let (candidate, backtest) = project.recalibrate(candidate, backtest).unwrap();
    let after = project.audit(candidate, &backtest, &protected).unwrap().replacing(&before).unwrap();
    (after, records.intake().to_vec())
}

#[test]
fn edits_are_told_and_no_person_is_named() {
    let council = CouncilParams::new(1_000, 1).generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let (model, intake) = edited(&project);
    let card = model_card(&model).unwrap().to_markdown();
    assert_eq!(card.matches("| dropped | A. Analyst | 1 March 2025 |").count(), 1, "{card}");
    assert_eq!(card.matches("busy a clinic was \\| not").count(), 2);
    assert!(card.contains("The version before people edited it"));
    let organisation = Organisation::default();
    let papers = [
        model_card(&model).unwrap(),
        atrs(&model, Some(&project), &organisation).unwrap(),
        dpia_evidence(&model, Some(&project), &organisation, Some(&intake)).unwrap(),
    ];
    let people = std::fs::read_to_string(folder.path().join("people.csv")).unwrap();
    let ids: BTreeSet<&str> = people.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(ids.len() > 500);
    for paper in papers {
        let text = paper.to_json().unwrap() + &paper.to_markdown();
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        assert!(words.all(|word| !ids.contains(word)), "{:?}", paper.kind());
        if paper.kind() == PaperKind::DpiaEvidence {
            let read: u64 = intake.iter().map(|taken| taken.read).max().unwrap();
            assert!(text.contains(&crate::words::count(read)));
        }
    }
}

/// The same project with everything that is a set the other way round.
fn reversed(project: &Project) -> Project {
    let mut other = project.clone();
    other.sources.reverse();
    other.features.reverse();
    for source in &mut other.sources {
        source.columns.categories.reverse();
    }
    let columns = &mut other.protected.as_mut().unwrap().columns;
    columns.characteristics.reverse();
    columns.not_held.reverse();
    other
}

#[test]
fn the_order_of_a_project_file_changes_no_paper() {
    let mut project = project();
    project.sources[0].columns.categories = vec!["year".into(), "area".into()];
    let other = reversed(&project);
    assert_ne!(project.sources[0].name, other.sources[0].name);
    let (intake, organisation) = (intake(), Organisation::default());
    let turned: Vec<Intake> = intake.iter().rev().cloned().collect();
    for text in MODELS {
        let scorer = Scorer::from_json(text).unwrap();
        let papers = |project: &Project, intake: &[Intake]| {
            let papers = [
                atrs(&scorer, Some(project), &organisation).unwrap(),
                dpia_evidence(&scorer, Some(project), &organisation, Some(intake)).unwrap(),
            ];
            papers.map(|paper| (paper.to_markdown(), paper.to_json().unwrap()))
        };
        assert_eq!(papers(&project, &intake), papers(&other, &turned));
    }
}

/// A small model whose features have these reasons, the first first.
fn with_reasons(why: &[Option<&str>]) -> AuditedModel {
    let council = CouncilParams::new(1_000, 1).generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    for (nth, feature) in project.features.iter_mut().enumerate() {
        feature.why = why[nth % why.len()].map(str::to_owned);
    }
    let records = project.records().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap().without_refits();
    project.train(&records, &project.protected().unwrap(), &trainer).unwrap()
}

#[test]
fn why_a_feature_is_there_is_said_or_that_nobody_said() {
    let without = Scorer::from_json(MODELS[0]).unwrap();
    let without = without.candidate().features();
    let old: Vec<Feature> = without.features().iter().map(|f| Feature { why: None, ..f.clone() }).collect();
    let old = serde_json::to_string(&FeatureSpec::new(old).unwrap()).unwrap();
    assert!(!old.contains("why"), "a spec without reasons is written, and digested, as before");

    let model = with_reasons(&[Some("the panel | asked for it"), None]);
    let (card, record) = (
        model_card(&model).unwrap().to_markdown(),
        atrs(&model, None, &Organisation::default()).unwrap().to_markdown(),
    );
    let features = model.candidate().features().features();
    let lacking = features.iter().filter(|feature| feature.why.is_none()).count();
    assert!(0 < lacking && lacking < features.len());
    assert_eq!(card.matches("| nobody gave a reason |").count(), lacking);
    assert_eq!(card.matches("| The panel \\| asked for it. |").count(), features.len() - lacking);
    let said =
        format!("Of the {} features that it was given, {lacking} are there without a reason", features.len());
    assert!(card.contains(&said) && record.contains(&said), "{said}");
    assert!(record.contains("Why it is there: The panel \\| asked for it."));
    assert!(record.contains("Why it is there: nobody gave a reason."));
    let page = crate::report::model_html(&model).unwrap();
    assert!(page.contains("Why it is there: The panel | asked for it."));
    assert!(page.contains("Nobody gave a reason why it is there."));
    let file = serde_json::to_string(model.candidate()).unwrap();
    assert_eq!(file.matches("\"why\"").count(), features.len() - lacking);

    let none = with_reasons(&[None]);
    assert!(
        model_card(&none)
            .unwrap()
            .to_markdown()
            .contains("Nobody gave a reason why any of its features is there.")
    );
    assert!(!serde_json::to_string(none.candidate()).unwrap().contains("\"why\""));
}

#[test]
fn every_term_has_its_table_and_the_table_says_what_the_model_adds() {
    for text in MODELS {
        let scorer = Scorer::from_json(text).unwrap();
        let card = model_card(&scorer).unwrap();
        let annex = card.sections.iter().find(|section| section.title == "What each term adds").unwrap();
        let tables = scorer.candidate().tables();
        assert_eq!(annex.sections.len(), tables.len());
        for (sheet, table) in annex.sections.iter().zip(&tables) {
            assert_eq!(sheet.title, table.labels.join(" together with "));
            let [Block::Table(shown)] = sheet.blocks.as_slice() else { panic!("{}: no table", sheet.title) };
            let rows = match &table.shape {
                crate::model::ShapeTable::Steps { rows } | crate::model::ShapeTable::Line { rows, .. } => {
                    rows
                }
                crate::model::ShapeTable::Grid { .. } => continue,
            };
            assert_eq!(shown.rows.len(), rows.len());
            for (cells, row) in shown.rows.iter().zip(rows) {
                let Cell::Text(adds) = &cells[1] else { panic!("{cells:?}") };
                let adds: f64 = adds.replace('\u{2212}', "-").parse().unwrap();
                assert!((adds - row.contribution).abs() <= 0.000_5, "{cells:?}");
                assert_eq!(
                    cells[3],
                    Cell::Text(crate::report::labels::share(
                        row,
                        table.shares == crate::model::Shares::FromTenths
                    ))
                );
            }
        }
    }
}

#[test]
fn card_record_and_page_say_the_same_of_chances() {
    for text in MODELS {
        let scorer = Scorer::from_json(text).unwrap();
        let said = crate::report::chances::Chances::of(scorer.backtest());
        assert!(!said.slope.is_empty() && !said.bins.is_empty());
        let faces = [
            model_card(&scorer).unwrap().to_markdown(),
            atrs(&scorer, None, &Organisation::default()).unwrap().to_markdown(),
            crate::report::model_html(&scorer).unwrap(),
        ];
        for face in faces {
            for part in [said.verdict, said.means, &said.bins, &said.slope, &said.in_the_large] {
                assert!(face.contains(part), "{part}");
            }
        }
    }
}

#[derive(askama::Template)]
#[template(
    source = "# {{ typed }}\n\n## One\n\n{{ typed }}\n\n- {{ typed }}\n- **A:** `{{ typed }}`\n\n| H |\n| --- |\n| {{ typed }} |\n\n{{ made|safe }}\n\n### 1.2 A field\n\n> {{ typed }}\n",
    ext = "md",
    config = "src/report/askama.toml"
)]
struct Small<'a> {
    typed: &'a str,
    made: Block,
}

#[test]
fn what_somebody_typed_stays_within_its_line_and_cell() {
    for typed in
        ["plain", "## no\n\n| a | b |\n- c", "> 1.2 x", "| --- |", "**B:** `x`", "\u{1}{\"list\":[\"x\"]}"]
    {
        let made = Block::Code(typed.to_owned());
        let paper = prose::paper(PaperKind::ModelCard, "m", &Small { typed, made: made.clone() }).unwrap();
        let one_line = typed.replace(|c: char| c.is_control(), " ").trim().to_owned();
        let [section] = paper.sections.as_slice() else { panic!("{typed}: {:?}", paper.sections) };
        let [
            Block::Paragraph(first),
            Block::List(points),
            Block::Facts(facts),
            Block::Table(table),
            code,
            Block::Field(field),
        ] = section.blocks.as_slice()
        else {
            panic!("{typed}: {:?}", section.blocks)
        };
        assert_eq!([&paper.title, first, &points[0]], [&one_line; 3]);
        assert_eq!(facts[0].says, Cell::Code(one_line.clone()));
        assert_eq!(table.rows, [vec![Cell::Text(one_line.clone())]]);
        assert_eq!(code, &made, "what the code made is kept digit for digit");
        assert_eq!(field.to_complete.as_ref(), Some(&one_line));
    }
}

#[test]
fn a_template_that_says_nothing_under_a_heading_is_refused() {
    #[derive(askama::Template)]
    #[template(
        source = "# T\n\n## Empty\n\n## Full\n\nText.\n",
        ext = "md",
        config = "src/report/askama.toml"
    )]
    struct Empty;
    let refused = prose::paper(PaperKind::ModelCard, "m", &Empty).unwrap_err().to_string();
    assert!(refused.contains("nothing stands under the heading \"Empty\""), "{refused}");
}
