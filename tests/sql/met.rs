//! What the worlds and models that every engine is asked about really have in them, and what they have not, and why.

use std::collections::BTreeSet;

use earlyhelp::cohort::Unit;
use earlyhelp::features::{Cell, Feature, Scope};
use earlyhelp::model::{Scale, Shape};
use earlyhelp::project::Project;
use earlyhelp::scoring::WhyNot;

use super::WORLDS;
use super::asked::Asked;

const STATES: [&str; 3] = ["value", "missing", "not_covered"];

fn state_of(cell: Cell) -> &'static str {
    match cell {
        Cell::Value(_) => STATES[0],
        Cell::Missing => STATES[1],
        Cell::NotCovered => STATES[2],
    }
}

/// The name that a project file has for it.
fn name_of(what: &impl serde::Serialize) -> String {
    match serde_json::to_value(what).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(named) => named.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

/// The names of all measures that there are, as the schema of a project file lists them.
fn measures() -> BTreeSet<String> {
    let schema = Project::json_schema();
    let all = schema["$defs"]["Measure"]["oneOf"].as_array().unwrap();
    let names = |one: &serde_json::Value| -> Vec<String> {
        let named = one["properties"].as_object().into_iter().flat_map(|named| named.keys().cloned());
        let plain = one["const"].as_str().map(str::to_owned).into_iter();
        let listed =
            one["enum"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
        named.chain(plain).chain(listed).collect()
    };
    all.iter().flat_map(names).collect()
}

/// What one of them has: features, shapes, reasons and rules, each as words.
pub fn met(asked: &Asked) -> BTreeSet<String> {
    let cohort = asked.cohort();
    let matrix = asked.spec().compute(&cohort).unwrap();
    let mut met: BTreeSet<String> = BTreeSet::new();
    for (place, feature) in asked.spec().features().iter().enumerate() {
        for cell in matrix.column(place) {
            let (unit, measure) = (name_of(&asked.rules.unit), name_of(&feature.measure));
            met.insert(format!("{unit} {measure} {} {}", name_of(&feature.scope), state_of(cell)));
        }
    }
    let place = |name: &String| asked.spec().features().iter().position(|feature| feature.name == *name);
    for term in asked.scorer.candidate().model().terms() {
        let places: Vec<usize> = term.on.iter().map(|name| place(name).unwrap()).collect();
        for row in 0..matrix.rows() {
            let states: Vec<&str> = places.iter().map(|&place| state_of(matrix.cell(row, place))).collect();
            met.insert(format!("{} {}", shape_of(&term.shape, states[0]), states.join(" ")));
        }
    }
    let scores = asked.scorer.score(&cohort, &asked.request).unwrap();
    if !scores.is_empty() {
        met.insert("scored".to_owned());
    }
    for case in scores.not_scored() {
        met.insert(super::same::word(case.reason()).to_owned());
        let row = cohort.ids().position(|id| id == case.entity()).unwrap();
        let has_other_code = |feature: &Feature, cell: Cell| {
            let codes = feature.measure.codes().map(<[String]>::len);
            codes.is_some_and(|codes| cell.value().is_some_and(|value| value as usize >= codes))
        };
        if let WhyNot::Thin { features } = case.reason() {
            let told = |feature: &&Feature| features.contains(&feature.label);
            let unknown = asked.spec().features().iter().filter(told);
            if unknown
                .into_iter()
                .any(|feature| has_other_code(feature, matrix.cell(row, place(&feature.name).unwrap())))
            {
                met.insert("a code that training did not know".to_owned());
            }
        }
    }
    let left_out = cohort.left_out();
    met.extend(
        left_out.by_rule().filter(|(_, count)| *count > 0).map(|(rule, _)| format!("left out: {rule}")),
    );
    met
}

/// The shape, and of a line whether training learnt what such an absence means.
fn shape_of(shape: &Shape, state: &str) -> String {
    match shape {
        Shape::Steps { .. } => "steps".to_owned(),
        Shape::Grid { .. } => "grid".to_owned(),
        Shape::Line { scale, missing, not_covered, .. } => {
            let learnt = match state {
                "missing" => missing.is_some(),
                "not_covered" => not_covered.is_some(),
                _ => true,
            };
            let scale = if *scale == Scale::Log { "log" } else { "linear" };
            format!("{scale} line{}", if learnt { "" } else { ", not learnt:" })
        }
    }
}

/// Everything that could be met, by its words, with the reason where it cannot be.
fn everything() -> Vec<(String, Option<&'static str>)> {
    let mut all = Vec::new();
    for unit in [Unit::Person, Unit::Family] {
        for measure in measures() {
            for scope in [Scope::Own, Scope::Household] {
                for state in STATES {
                    let words = format!("{} {measure} {} {state}", name_of(&unit), name_of(&scope));
                    all.push((words, why_not(unit, &measure, scope, state)));
                }
            }
        }
    }
    for state in STATES {
        all.push((format!("steps {state}"), None));
        all.extend(STATES.map(|other| (format!("grid {state} {other}"), None)));
        for scale in ["linear", "log"] {
            all.push((format!("{scale} line {state}"), None));
            if state != "value" {
                all.push((format!("{scale} line, not learnt: {state}"), None));
            }
        }
    }
    let others = ["scored", "outside", "thin", "stale", "a code that training did not know"];
    all.extend(others.map(|words| (words.to_owned(), None)));
    all
}

/// Why there is no such cell.
fn why_not(unit: Unit, measure: &str, scope: Scope, state: &str) -> Option<&'static str> {
    let of_people = ["age", "members", "moves"].contains(&measure);
    // Of nothing they are 0.
    let is_number = [
        "count",
        "any",
        "distinct_kinds",
        "distinct_days",
        "distinct",
        "incidents",
        "days_open",
        "change",
        "present_now",
    ];
    match (unit, scope, state) {
        (Unit::Family, Scope::Household, _) => Some("a family has no others in its household"),
        (_, Scope::Household, _) if of_people => {
            Some("the lists of people and households are of the case alone")
        }
        (_, _, "not_covered") if of_people => Some("no coverage is declared of these lists"),
        (Unit::Family, _, "missing") if measure == "moves" => Some("a family has a household"),
        (_, Scope::Own, "missing") if is_number.contains(&measure) => Some("no record makes 0"),
        _ => None,
    }
}

#[test]
fn what_the_worlds_do_not_have_is_what_cannot_be() {
    let all = super::all(&WORLDS);
    let met: BTreeSet<String> = all.iter().flat_map(met).collect();
    assert!(measures().len() >= 23, "{:?}", measures());
    let everything = everything();
    let wrong: Vec<String> = everything
        .iter()
        .filter(|(words, why_not)| met.contains(words) == why_not.is_some())
        .map(|(words, why_not)| {
            why_not.map_or_else(|| format!("not met: {words}"), |why| format!("met, though {why}: {words}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unlisted: Vec<&String> = met
        .iter()
        .filter(|words| {
            !words.starts_with("left out: ") && !everything.iter().any(|(listed, _)| listed == *words)
        })
        .collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
    // By every rule somebody is left out, but by that of a day of one's own, which the texts refuse.
    let left_out = met.iter().filter(|words| words.starts_with("left out: "));
    assert_eq!(left_out.count(), 8);
}
