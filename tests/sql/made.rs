//! Models that nobody trained: of any features, with any terms.

use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{FeatureSpec, Measure};
use earlyhelp::model::{AdditiveModel, Axis, FeatureRange, Scale, Shape, Term};
use earlyhelp::scoring::Scorer;

use crate::fuzz::targets::{compact, resealed};
use crate::world::{self, Dice};

/// A released model as it is kept, with another cohort, other features and other terms: nobody signed for it, and nobody needs
/// to, for it scores people who do not exist.
pub fn scorer(
    (cohort, spec): (&CohortSpec, &FeatureSpec),
    model: &AdditiveModel,
    (ranges, importance): (&[FeatureRange], &[f64]),
) -> Scorer {
    let mut text = compact(&world::released().scorer.to_json().unwrap());
    let mut at = text.find("\"crate_version\"").unwrap();
    for (key, value) in [
        ("cohort", json(cohort)),
        ("features", json(spec)),
        ("ranges", json(&ranges)),
        ("importance", json(&importance)),
        ("sources", "[]".to_owned()),
        ("profiles", "[]".to_owned()),
        ("model", json(model)),
    ] {
        let Some((start, end)) = value_of(&text, at, key) else {
            assert_eq!(key, "profiles");
            continue;
        };
        // What is empty is left out of a file.
        let start = if key == "profiles" { start - "\"profiles\":".len() } else { start };
        let (value, end) = if key == "profiles" { (String::new(), end + 1) } else { (value, end) };
        text.replace_range(start..end, &value);
        at = start + value.len();
    }
    Scorer::from_json(&resealed(&text)).unwrap()
}

/// Where the value of the first such key from a place on stands.
fn value_of(text: &str, from: usize, key: &str) -> Option<(usize, usize)> {
    let mark = format!("\"{key}\":");
    let start = from + text[from..].find(&mark)? + mark.len();
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde_json::Value>();
    values.next()?.unwrap();
    Some((start, start + values.byte_offset()))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// A contribution.
pub fn figure(dice: &mut Dice) -> f64 {
    dice.normal()
}

/// Rising edges: quarters, halves, and numbers that are none of single precision.
pub fn edges(dice: &mut Dice, count: usize) -> Vec<f64> {
    let mut edge = -dice.unit() * count as f64 / 4.0;
    let mut next = || {
        edge += 0.05 + dice.unit();
        if dice.chance(0.5) { (edge * 4.0).ceil() / 4.0 } else { edge }
    };
    let mut edges: Vec<f64> = (0..count).map(|_| next()).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

pub fn steps(dice: &mut Dice, edges: Vec<f64>) -> Shape {
    let axis = Axis::new(edges).unwrap();
    let values = (0..axis.bins()).map(|_| figure(dice)).collect();
    Shape::Steps { axis, values }
}

pub fn grid(dice: &mut Dice, edges: [Vec<f64>; 2]) -> Shape {
    let [first, second] = edges.map(|edges| Axis::new(edges).unwrap());
    let values = (0..first.bins() * second.bins()).map(|_| figure(dice)).collect();
    Shape::Grid { first, second, values }
}

pub fn line(dice: &mut Dice, scale: Scale) -> Shape {
    Shape::Line {
        scale,
        centre: figure(dice),
        slope: figure(dice),
        at_centre: figure(dice),
        missing: dice.chance(0.5).then(|| figure(dice)),
        not_covered: dice.chance(0.5).then(|| figure(dice)),
    }
}

/// A model of a term for each feature, and of some pairs.
pub fn any_model(dice: &mut Dice, spec: &FeatureSpec, pairs: usize) -> AdditiveModel {
    let features = spec.features();
    let mut terms: Vec<Term> = Vec::new();
    for feature in features {
        let shape = match (feature.measure.codes(), dice.below(3)) {
            (Some(codes), _) => steps(dice, (0..codes.len()).map(|code| code as f64 + 0.5).collect()),
            (None, 0) => line(dice, Scale::Linear),
            (None, 1) => line(dice, Scale::Log),
            _ => {
                let count = 1 + dice.below(9);
                let edges = edges(dice, count);
                steps(dice, edges)
            }
        };
        let mut term = Term::one(&feature.name, shape);
        // Now and then training saw too few of something to learn from it.
        if let Shape::Steps { values, .. } = &term.shape
            && dice.chance(0.3)
        {
            term.cases = values.iter().map(|_| if dice.chance(0.5) { 0 } else { 50 }).collect();
        }
        terms.push(term);
    }
    for _ in 0..pairs {
        let (first, second) = (dice.pick(features), dice.pick(features));
        if first.name != second.name {
            let edges = [(); 2].map(|()| {
                let count = 1 + dice.below(5);
                edges(dice, count)
            });
            terms.push(Term::pair(&first.name, &second.name, grid(dice, edges)));
        }
    }
    let names = features.iter().map(|feature| feature.name.clone()).collect();
    AdditiveModel::new(names, figure(dice), terms).unwrap()
}

/// Where the values of features lay: around zero, more or less wide, or not told.
pub fn any_ranges(dice: &mut Dice, spec: &FeatureSpec) -> Vec<FeatureRange> {
    let range = |feature: &earlyhelp::features::Feature| FeatureRange {
        feature: feature.name.clone(),
        quantiles: if dice.chance(0.2) {
            Vec::new()
        } else {
            let width = f64::from(dice.between(1, 400)) / 40.0;
            (0..11).map(|nth| width * f64::from(nth)).collect()
        },
        missing: 0.0,
        not_covered: 0.0,
    };
    spec.features().iter().map(range).collect()
}

/// The importance of each term: a few have some, among them one of codes.
pub fn any_importance(dice: &mut Dice, spec: &FeatureSpec, model: &AdditiveModel) -> Vec<f64> {
    let mut importance = vec![0.0; model.terms().len()];
    for _ in 0..dice.between(1, 5) {
        importance[dice.below(model.terms().len())] += 1.0 + dice.unit();
    }
    let of_codes =
        |feature: &earlyhelp::features::Feature| matches!(feature.measure, Measure::LatestOf { .. });
    let places: Vec<usize> =
        (0..spec.features().len()).filter(|&at| of_codes(&spec.features()[at])).collect();
    if !places.is_empty() && dice.chance(0.5) {
        importance[*dice.pick(&places)] += 2.0 + 3.0 * dice.unit();
    }
    importance
}
