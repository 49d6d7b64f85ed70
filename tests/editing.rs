//! A model changed by hand: what becomes of it, and what it takes to release it.

use std::process::{Command, Output};
use std::sync::OnceLock;

use earlyhelp::dataset::Dataset;
use earlyhelp::error::{ModelError, ScoringError};
use earlyhelp::fairness::FairnessAudit;
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::features::Cell;
use earlyhelp::model::{
    AdditiveParams, Candidate, CardLine, Change, Condition, Edit, LogisticParams, ScorecardParams, Shape,
    Trainer,
};
use earlyhelp::scoring::{AuditedModel, Scorer};

use crate::world::{self, released};

fn edit(on: &[&str], change: Change) -> Edit {
    Edit {
        on: on.iter().map(|&name| name.to_owned()).collect(),
        change,
        by: "A. Analyst".into(),
        reason: "Agreed with the practitioners' panel.".into(),
        on_day: "2024-02-01".parse().unwrap(),
    }
}

fn data() -> &'static Dataset {
    &released().chain.data
}

fn trained(trainer: &Trainer) -> Candidate {
    Candidate::train(data(), trainer, world::context(&released().records)).unwrap()
}

fn additive() -> &'static Candidate {
    static CANDIDATE: OnceLock<Candidate> = OnceLock::new();
    CANDIDATE.get_or_init(|| trained(&Trainer::Additive(AdditiveParams::default().refits(4))))
}

fn card() -> &'static Candidate {
    static CANDIDATE: OnceLock<Candidate> = OnceLock::new();
    CANDIDATE.get_or_init(|| trained(&Trainer::Scorecard(ScorecardParams::default().refits(4))))
}

fn audited(candidate: Candidate) -> AuditedModel {
    let backtest = world::backtest(&candidate, data());
    let protected = released().world.protected();
    let audit = FairnessAudit::of(&backtest, &protected, &AuditParams::at_release()).unwrap();
    AuditedModel::new(candidate, &backtest, &audit).unwrap()
}

/// The feature that matters most, of those with a term of their own.
fn foremost(candidate: &Candidate) -> &str {
    let terms = candidate.model().terms().iter().zip(&candidate.training().importance);
    let alone = terms.filter(|(term, _)| term.on.len() == 1);
    let (term, _) = alone.max_by(|a, b| a.1.total_cmp(b.1)).expect("a term");
    &term.on[0]
}

/// A model of every trainer with changes that it allows, and for each whether a cell of the changed feature
/// is touched by it.
type Touches = Box<dyn Fn(Cell) -> bool>;

fn changes() -> Vec<(&'static Candidate, Edit, Touches)> {
    let everything = || -> Touches { Box::new(|_| true) };
    let lines = &released().chain.candidate;
    let mut changes = vec![
        (additive(), edit(&[foremost(additive())], Change::Drop), everything()),
        (lines, edit(&[foremost(lines)], Change::Drop), everything()),
        (card(), edit(&[foremost(card())], Change::Drop), everything()),
    ];
    // A line, made flat for all values.
    let is_value = |cell: Cell| cell.value().is_some();
    let flat = Change::Flatten { from: None, to: None };
    changes.push((lines, edit(&["police_days_since_last_ever"], flat), Box::new(is_value)));
    // The upper half of a shape made flat, and its effect held.
    let on = foremost(additive());
    let shape = additive().model().terms().iter().find(|term| term.on == [on]).map(|term| &term.shape);
    let Some(Shape::Steps { axis, values }) = shape else { panic!("no steps") };
    let edges = axis.edges();
    let from = edges[edges.len() / 2];
    let upper = move |cell: Cell| cell.value().is_some_and(|value| f64::from(value) >= from);
    let flat = Change::Flatten { from: Some(from), to: None };
    changes.push((additive(), edit(&[on], flat), Box::new(upper)));
    let held = Change::Clamp { least: None, most: Some(0.05) };
    let above = move |cell: Cell| {
        let place = match cell {
            Cell::Value(value) => edges.partition_point(|edge| *edge <= f64::from(value)),
            Cell::Missing => edges.len() + 1,
            Cell::NotCovered => edges.len() + 2,
        };
        values[place] > 0.05
    };
    changes.push((additive(), edit(&[on], held), Box::new(above)));
    // Another point for every line of the card, and every line taken off.
    // What a value counts that nobody lacks touches nobody here.
    let is_somebodys = |line: &&CardLine| {
        let names = data().matrix().names();
        let column = names.iter().position(|name| *name == line.feature).unwrap();
        data().matrix().column(column).any(|cell| world::holds(line.condition, cell))
    };
    for line in card().training().cards[0].lines.iter().filter(is_somebodys) {
        let (asked, sign) = (line.condition, line.points.signum());
        let less = line.points - sign;
        for points in if less == 0 { vec![0] } else { vec![less, 0] } {
            let change = Change::Points { condition: asked, points };
            changes.push((
                card(),
                edit(&[&line.feature], change),
                Box::new(move |cell| world::holds(asked, cell)),
            ));
        }
    }
    changes
}

#[test]
fn an_edited_model_says_what_was_changed_and_sums_as_before() {
    let matrix = data().matrix();
    for (before, edit, is_touched) in changes() {
        let after = match before.edited(edit.clone(), data()) {
            Ok(after) => after,
            Err(error) => panic!("{edit}: {error}"),
        };
        assert_ne!(after.digest(), before.digest());
        assert_eq!(after.edits(), std::slice::from_ref(&edit));
        assert_eq!(after.edited_from(), Some(before.digest()));
        let (model, training) = (after.model(), after.training());
        assert_eq!(training.importance.len(), model.terms().len());
        let feature = matrix.names().iter().position(|name| *name == edit.on[0]).unwrap();
        let (then, now) = (world::sums(before.model(), matrix), world::sums(after.model(), matrix));
        let all = model.explain_all(matrix).unwrap();
        let mut touched = 0;
        for row in 0..matrix.rows() {
            let sum = model.intercept() + all.contributions().row(row).sum();
            assert!((sum - now[row]).abs() < 1e-12, "{edit}");
            if is_touched(matrix.cell(row, feature)) {
                touched += usize::from((then[row] - now[row]).abs() > 1e-9);
            } else {
                assert!((then[row] - now[row]).abs() < 1e-12, "{edit}, case {row}");
            }
        }
        assert!(touched > 0, "{edit}");
        for (term, column) in model.terms().iter().zip(all.contributions().columns()) {
            assert!((column.sum() / matrix.rows() as f64).abs() < 1e-9, "{edit}: {:?} is centred", term.on);
        }
        // A fit to the same cases, edited, is the same model.
        let again = world::sums(&after.fit_again(data()).unwrap(), matrix);
        assert!(again.iter().zip(&now).all(|(again, now)| (again - now).abs() < 1e-9), "{edit}");
        if edit.change == Change::Drop {
            assert!(all.terms().iter().all(|on| !on.contains(&edit.on[0])), "it is in no explanation");
            assert!(training.unused.contains(&edit.on[0]));
        }
        for card in &training.cards {
            let cases: u64 = card.table.iter().map(|row| row.cases).sum();
            assert_eq!(
                (training.cards.len(), cases),
                (1, training.rows),
                "the card that is used, counted anew"
            );
        }
    }
}

/// What an absence counts that training did not see can be changed all the same: others may lack the value.
#[test]
fn what_an_unseen_absence_counts_can_be_changed() {
    // Of coarse points an average is mostly none.
    let card = trained(&Trainer::Scorecard(ScorecardParams::default().points(20).refits(4)));
    let line = card.training().cards[0]
        .lines
        .iter()
        .find(|line| line.condition == Condition::Absent)
        .expect("an absence that training did not see");
    let names = data().matrix().names();
    let place = names.iter().position(|name| *name == line.feature).unwrap();
    assert!(data().matrix().column(place).all(|cell| cell.value().is_some()), "nobody lacks it");
    let change = |points| edit(&[&line.feature], Change::Points { condition: Condition::Absent, points });
    let more = if line.points < 20 { line.points + 1 } else { line.points - 1 };
    let after = card.edited(change(more), data()).unwrap();
    let held = after.training().cards[0]
        .lines
        .iter()
        .find(|held| held.feature == line.feature && held.condition == Condition::Absent);
    assert_eq!(held.map(|held| held.points), Some(more));
    let sums = |candidate: &Candidate| world::sums(candidate.model(), data().matrix());
    assert_eq!(sums(&card), sums(&after), "nobody's score changes");
    let same = card.edited(change(line.points), data()).map(|edited| edited.digest().to_owned());
    assert!(matches!(same, Err(ModelError::Edit(_))));
}

#[test]
fn an_edited_file_reads_back_and_a_changed_one_is_refused() {
    for (before, edit, _) in changes() {
        let after = before.edited(edit, data()).unwrap();
        let text = serde_json::to_string(&after).unwrap();
        assert_eq!(serde_json::from_str::<Candidate>(&text).unwrap(), after);
        for (from, to) in [("A. Analyst", "B. Analyst"), ("panel", "board"), ("2024-02-01", "2024-02-02")] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let refused = serde_json::from_str::<Candidate>(&changed).unwrap_err().to_string();
            assert!(refused.contains("changed after it was made"), "{refused}");
        }
    }
    // Without edits nothing is written of them, so files made before there were any keep their digests.
    let text = serde_json::to_string(additive()).unwrap();
    assert!(["\"edits\"", "\"edited_from\"", "\"footings\""].iter().all(|key| !text.contains(key)));
}

#[test]
fn the_backtest_tests_the_edited_model() {
    let (feature, line) = {
        let line = &card().training().cards[0].lines[0];
        (line.feature.as_str(), line.condition)
    };
    let of_additive = foremost(additive());
    for (before, edit) in [
        (additive(), edit(&[of_additive], Change::Drop)),
        (additive(), edit(&[of_additive], Change::Clamp { least: Some(-0.02), most: Some(0.02) })),
        (card(), edit(&[feature], Change::Points { condition: line, points: 0 })),
    ] {
        let after = before.edited(edit.clone(), data()).unwrap();
        let (old, new) = (world::backtest(before, data()), world::backtest(&after, data()));
        assert_eq!(new.candidate(), after.digest());
        assert_ne!(old.report().overall.log_loss, new.report().overall.log_loss, "{edit}");
        match edit.change {
            Change::Drop => {
                assert!(old.report().terms.iter().any(|term| term.on.contains(&edit.on[0])));
                assert!(new.report().terms.iter().all(|term| !term.on.contains(&edit.on[0])));
            }
            Change::Clamp { .. } => {
                let of = new.report().terms.iter().find(|term| term.on == edit.on).unwrap();
                assert!(of.importance <= 0.04, "{}", of.importance);
            }
            _ => {}
        }
    }
}

#[test]
fn an_edit_that_says_too_little_or_does_not_fit_is_refused() {
    let lines = &released().chain.candidate;
    let good = edit(&[additive().model().terms()[0].on[0].as_str()], Change::Drop);
    let asked = &card().training().cards[0].lines[0];
    let points = |points| Change::Points { condition: asked.condition, points };
    let unasked = Change::Points { condition: Condition::AtLeast(1e9), points: 1 };
    let part = Change::Flatten { from: Some(1.0), to: None };
    let wide = Change::Clamp { least: Some(-50.0), most: Some(50.0) };
    let refused: Vec<(&Candidate, Edit, &str)> = vec![
        (additive(), Edit { by: " ".into(), ..good.clone() }, "name of the person"),
        (additive(), Edit { reason: String::new(), ..good.clone() }, "a reason"),
        (additive(), edit(&["no_such_feature"], Change::Drop), "no feature \"no_such_feature\""),
        (additive(), edit(&["age", "police_count_12m"], wide.clone()), "no term on age * police_count_12m"),
        (additive(), edit(&[&good.on[0]], wide), "nobody's score"),
        (additive(), edit(&[&good.on[0]], points(1)), "on scorecards alone"),
        (lines, edit(&["police_count_12m"], part.clone()), "one slope"),
        (
            lines,
            edit(&["police_count_12m"], Change::Clamp { least: None, most: Some(0.0) }),
            "a line cannot be bent",
        ),
        (card(), edit(&[&asked.feature], part), "whole numbers"),
        (card(), edit(&[&asked.feature], points(asked.points)), "already"),
        (card(), edit(&[&asked.feature], points(6)), "between -5 and +5"),
        (card(), edit(&[&asked.feature], unasked), "it asks"),
    ];
    for (candidate, edit, why) in refused {
        match candidate.edited(edit.clone(), data()) {
            Err(ModelError::Edit(told)) => assert!(told.contains(why), "{edit}: {told}"),
            other => panic!("{edit}: {:?}", other.map(|edited| edited.digest().to_owned())),
        }
    }
    // Other cases than those it was trained on.
    let cohort = world::cohort(&released().records, world::training_dates()[0]);
    let fewer = Dataset::build(&world::features(), &world::outcome(), &[cohort]).unwrap();
    assert!(matches!(additive().edited(good, &fewer), Err(ModelError::Features(_))));
}

#[test]
fn an_edited_model_is_released_with_its_own_evidence_beside_the_version_before() {
    let chain = &released().chain;
    let before = &chain.audited;
    let feature = chain.candidate.model().terms()[0].on[0].as_str();
    let after = chain.candidate.edited(edit(&[feature], Change::Drop), data()).unwrap();
    // Not with the evidence of the version before.
    let refused = AuditedModel::new(after.clone(), &chain.backtest, &chain.audit);
    assert!(matches!(refused, Err(ScoringError::OtherCandidate { what: "backtest" })));
    let backtest = world::backtest(&after, data());
    let refused = AuditedModel::new(after.clone(), &backtest, &chain.audit);
    assert!(matches!(refused, Err(ScoringError::OtherCandidate { what: "fairness check" })));
    // Not without the version before beside it, and not beside just any other.
    let alone = audited(after.clone());
    assert!(matches!(alone.clone().release(world::sign_off()), Err(ScoringError::NoPrevious)));
    let other = audited(additive().clone());
    assert!(matches!(alone.clone().replacing(&other), Err(ScoringError::NotAnEdit(_))));
    assert!(matches!(before.clone().replacing(&alone), Err(ScoringError::NotAnEdit(_))));

    let beside = alone.clone().replacing(before).unwrap();
    assert_ne!(beside.digest(), alone.digest());
    let previous = beside.previous().unwrap();
    assert_eq!(previous.candidate, before.candidate().digest());
    assert_eq!(previous.edits, after.edits());
    assert_eq!(previous.performance, before.backtest().overall);
    assert_ne!(previous.performance, beside.backtest().overall);
    let read = AuditedModel::from_json(&beside.to_json().unwrap()).unwrap();
    assert_eq!(read, beside);
    let scorer = beside.clone().release(world::sign_off()).unwrap();
    assert_eq!(Scorer::from_json(&scorer.to_json().unwrap()).unwrap().previous(), beside.previous());
    assert_eq!(scorer.audited().unwrap(), beside, "an edit can start from a released model");

    // A second edit shows what has changed since the version that it is put beside.
    let next = after.model().terms()[0].on[0].as_str();
    let twice = audited(after.edited(edit(&[next], Change::Drop), data()).unwrap());
    let since = |held: &AuditedModel| twice.clone().replacing(held).unwrap().previous().unwrap().edits.len();
    assert_eq!((since(&beside), since(before)), (1, 2));
}

/// A ridge so strong that chances are far too timid: it is recalibrated.
#[test]
fn edits_hold_on_the_calibration_on_which_they_were_made() {
    let timid = trained(&Trainer::Logistic(LogisticParams::default().strength(0.5).refits(0)));
    let (_, recalibrated) = world::backtest(&timid, data()).recalibrated(timid.clone()).unwrap();
    let by = match recalibrated.recalibrations() {
        [by] => *by,
        other => panic!("{other:?}"),
    };
    assert!(by.slope > 1.5, "{by:?}");
    // Its backtest tests it as recalibrated.
    let (raw, moved) = (world::backtest(&timid, data()), world::backtest(&recalibrated, data()));
    for (raw, moved) in raw.cases().log_odds.iter().zip(&moved.cases().log_odds) {
        let wanted = by.offset + by.slope * raw;
        assert!((wanted - moved).abs() < 1e-9);
    }
    let feature = recalibrated.model().terms()[0].on[0].as_str();
    let edited = recalibrated.edited(edit(&[feature], Change::Drop), data()).unwrap();
    let matrix = data().matrix();
    let again = world::sums(&edited.fit_again(data()).unwrap(), matrix);
    let now = world::sums(edited.model(), matrix);
    assert!(again.iter().zip(&now).all(|(again, now)| (again - now).abs() < 1e-9));
    assert_eq!(edited.recalibrations(), recalibrated.recalibrations());
    assert_eq!(edited.edits_since(&timid).map(<[Edit]>::len), Some(1));
}

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
}

fn done(arguments: &[&str]) -> String {
    let output = earlyhelp(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(arguments: &[&str]) -> String {
    let output = earlyhelp(arguments);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_command_edits_tests_again_and_shows_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (council, model, edited, released) =
        (at("council"), at("model.json"), at("edited.json"), at("released.json"));
    let project = at("council/project.toml");
    done(&["synth", "--out", &council, "--children", "8000", "--format", "parquet"]);
    done(&["train", &project, "--out", &model, "--trainer", "scorecard", "--json"]);
    let before = AuditedModel::from_json(&std::fs::read_to_string(&model).unwrap()).unwrap();
    let is_heavy =
        |line: &&CardLine| line.points.abs() > 1 && matches!(line.condition, Condition::AtLeast(_));
    let line = before.candidate().training().cards[0].lines.iter().find(is_heavy).expect("a line").clone();
    let Condition::AtLeast(cut) = line.condition else { panic!("{line}: no cut") };
    let points = line.points - line.points.signum();
    let change = format!("{}>={cut}={points}", line.feature);

    let by = ["--by", "A. Analyst", "--on", "2025-03-01", "--reason", "Too much weight on one record"];
    let asked = |model: &str, out: &str, change: &[&str]| -> Vec<String> {
        let fixed = ["edit", &project, "--model", model, "--out", out];
        fixed.iter().chain(&by).chain(change).map(|&part| part.to_owned()).collect()
    };
    let run = |model: &str, out: &str, change: &[&str]| {
        done(&asked(model, out, change).iter().map(String::as_str).collect::<Vec<_>>())
    };
    let said = run(&model, &edited, &["--points", &change]);
    let after = AuditedModel::from_json(&std::fs::read_to_string(&edited).unwrap()).unwrap();
    assert_eq!(after.previous().unwrap().candidate, before.candidate().digest());
    assert_eq!(after.previous().unwrap().performance, before.backtest().overall);
    assert_eq!(after.candidate().edits()[0].by, "A. Analyst");
    for version in [&before, &after] {
        assert!(said.contains(&version.candidate().digest()[..12]), "{said}");
        let overall = &version.backtest().overall;
        for figure in [overall.auc, overall.average_precision, overall.precision_at_capacity] {
            assert!(said.contains(&figure.unwrap().to_string()), "{said}");
        }
        assert!(said.contains(&format!("{:.4}", overall.log_loss)), "{said}");
        let calibration = overall.calibration.as_ref().unwrap();
        assert!(said.contains(&calibration.slope.to_string()), "{said}");
    }
    assert!(said.contains("minus before (first), measured on the same cases"), "{said}");
    assert!(said.contains("places on the lists: ") && said.contains("go to the same cases"), "{said}");
    assert!(said.contains("Too much weight on one record") && said.contains("Fairness audit"), "{said}");

    // What was released can be edited again, and released again.
    let release = |from: &str| {
        let signed =
            ["--by", "A. Manager", "--role", "Head", "--purpose", "Offer early help", "--on", "2025-04-01"];
        let rest = ["--review-by", "2026-04-01", "--out", &released];
        done(&["release", from].into_iter().chain(signed).chain(rest).collect::<Vec<_>>())
    };
    release(&edited);
    let feature = &line.feature;
    let text = run(&released, &edited, &["--drop", feature, "--json"]);
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(figures["edits"].as_array().unwrap().len(), 2);
    assert_eq!(figures["previous"]["edits"].as_array().unwrap().len(), 1);
    assert_eq!(figures["previous"]["candidate"], after.candidate().digest());
    assert!(figures["changed_verdicts"].is_array());
    release(&edited);
    let scorer = Scorer::from_json(&std::fs::read_to_string(&released).unwrap()).unwrap();
    assert!(scorer.candidate().model().terms().iter().all(|term| !term.on.contains(feature)));

    // One change a run, that the model allows, on the records it was made from.
    let strings = asked(&model, &edited, &["--drop", feature, "--clamp", "x::0"]);
    let two = earlyhelp(&strings.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(two.status.code(), Some(2));
    let strings = asked(&model, &at("never.json"), &["--drop", "no_such_feature"]);
    let told = refused(&strings.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(told.contains("no feature \"no_such_feature\""), "{told}");
    done(&["synth", "--out", &council, "--children", "3000", "--format", "parquet", "--seed", "2"]);
    let strings = asked(&model, &at("never.json"), &["--drop", feature]);
    let told = refused(&strings.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(told.contains("says something else"), "{told}");
    assert!(!std::path::Path::new(&at("never.json")).exists(), "a refused run writes nothing");
    assert!(done(&["edit", "--help"]).contains("--flatten visits_12m:6:"));
}
