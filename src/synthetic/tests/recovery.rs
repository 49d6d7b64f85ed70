//! A plain model on counts of records finds the planted truth: signs, order, and both biases.

use super::super::PlantedEffect;
use super::*;
use crate::features::Scope;

/// Children without an open plan at one date, with a row of features each, and whether an episode of
/// need starts within a year.
struct Asked {
    person: Vec<usize>,
    features: Vec<Vec<f64>>,
    outcome: Vec<bool>,
}

/// Logs of counts of each effect's records in the year before, known by then.
fn ask(on: i32, births: &[i32], effects: &[PlantedEffect]) -> Asked {
    let homes = households(on);
    let count = homes.iter().max().unwrap() + 1;
    let counts: Vec<Vec<f64>> = effects
        .iter()
        .map(|effect| {
            let household = effect.scope == Scope::Household;
            let mut counts = vec![0.0; if household { count } else { homes.len() }];
            let file = COUNCIL.extract(effect.source).unwrap();
            let date = if file.column("occurred").is_some() { "occurred" } else { "start" };
            let dates = days(effect.source, date).into_iter().zip(days(effect.source, "recorded"));
            let kinds = words(effect.source, "kind");
            for (row, (person, (day, known))) in
                ids(effect.source, "person_id").into_iter().zip(dates).enumerate()
            {
                if known < on && (on - 365..on).contains(&day) && effect.kinds.contains(&kinds[row]) {
                    counts[if household { homes[person] } else { person }] += 1.0;
                }
            }
            counts
        })
        .collect();
    let mut starts_need = vec![false; births.len()];
    let plans = words("plans", "kind").into_iter().zip(days("plans", "start"));
    for (person, (kind, start)) in ids("plans", "person_id").into_iter().zip(plans) {
        starts_need[person] |= kind == "cin_episode" && (on..on + 365).contains(&start);
    }
    let open = has_spell("plans", "", on - 1);
    let mut asked = Asked { person: Vec::new(), features: Vec::new(), outcome: Vec::new() };
    for person in 1..births.len() {
        if is_child(births[person], on) && !open[person] && homes[person] > 0 {
            let place = |effect: &PlantedEffect| match effect.scope {
                Scope::Own => person,
                Scope::Household => homes[person],
            };
            let row = effects.iter().zip(&counts).map(|(effect, counts)| counts[place(effect)].ln_1p());
            asked.features.push(std::iter::once(1.0).chain(row).collect());
            asked.person.push(person);
            asked.outcome.push(starts_need[person]);
        }
    }
    asked
}

/// Logistic regression by Newton's method; the first column is the intercept.
fn fit(features: &[&Vec<f64>], outcome: &[bool]) -> Vec<f64> {
    let width = features[0].len();
    let mut weights = vec![0.0; width];
    for _ in 0..12 {
        let mut gradient = vec![0.0; width];
        let mut hessian = vec![vec![0.0; width + 1]; width];
        for (row, &y) in features.iter().zip(outcome) {
            let p = 1.0 / (1.0 + (-score(&weights, row)).exp());
            for i in 0..width {
                gradient[i] += row[i] * (f64::from(u8::from(y)) - p);
                for j in 0..width {
                    hessian[i][j] += row[i] * row[j] * p * (1.0 - p);
                }
            }
        }
        for (line, value) in hessian.iter_mut().zip(gradient) {
            line[width] = value;
        }
        for (weight, step) in weights.iter_mut().zip(solve(hessian)) {
            *weight += step;
        }
    }
    weights
}

fn score(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).map(|(weight, value)| weight * value).sum()
}

/// Gauss-Jordan elimination of a positive definite system, right-hand side in the last column.
fn solve(mut lines: Vec<Vec<f64>>) -> Vec<f64> {
    let n = lines.len();
    for i in 0..n {
        let pivot = lines[i][i];
        lines[i].iter_mut().for_each(|value| *value /= pivot);
        let line = lines[i].clone();
        for (j, other) in lines.iter_mut().enumerate() {
            if j != i {
                let factor = other[i];
                other.iter_mut().zip(&line).for_each(|(value, from)| *value -= factor * from);
            }
        }
    }
    lines.iter().map(|line| line[n]).collect()
}

/// Share with its 95% interval (normal).
fn interval(hits: usize, of: usize) -> (f64, f64) {
    let share = hits as f64 / of as f64;
    let half = 1.96 * (share * (1.0 - share) / of as f64).sqrt();
    (share - half, share + half)
}

#[test]
fn a_logistic_model_finds_signs_order_and_biases() {
    let births = births();
    let effects = &COUNCIL.truth().effects;
    let dates: Vec<Asked> =
        [2022, 2023, 2024].map(|year| ask(day(year, 4, 1), &births, effects)).into_iter().collect();
    let features: Vec<&Vec<f64>> = dates.iter().flat_map(|asked| &asked.features).collect();
    let outcome: Vec<bool> = dates.iter().flat_map(|asked| asked.outcome.clone()).collect();
    let share = outcome.iter().filter(|&&y| y).count() as f64 / outcome.len() as f64;
    assert!((0.026..0.032).contains(&share), "outcome in {share}");

    let weights = fit(&features, &outcome);
    let found: Vec<(f64, f64)> =
        effects.iter().map(|e| e.log_odds).zip(weights[1..].iter().copied()).collect();
    assert!(found.windows(2).all(|pair| pair[0].1 > pair[1].1), "planted and found: {found:?}");
    for &(planted, found) in &found {
        assert!(planted == 0.0 || (planted > 0.0) == (found > 0.0), "{planted} {found}");
        assert!(planted != 0.0 || found.abs() < 0.15, "{planted} {found}");
    }
    audit(&dates[2], &weights);
}

/// At the top 5% of the last date, both biases show outside their 95% intervals.
fn audit(asked: &Asked, weights: &[f64]) {
    let scores: Vec<f64> = asked.features.iter().map(|row| score(weights, row)).collect();
    let mut sorted = scores.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let cut = sorted[sorted.len() / 20];
    let (ethnicity, area) = (protected("ethnicity"), protected("area"));
    let flagged = |outcome: bool, group: &dyn Fn(usize) -> bool| {
        let rows: Vec<usize> = (0..scores.len())
            .filter(|&row| asked.outcome[row] == outcome && group(asked.person[row]))
            .collect();
        let hits = rows.iter().filter(|&&row| scores[row] >= cut).count();
        interval(hits, rows.len())
    };
    let over_recorded = |person: usize| ethnicity[person].starts_with('B');
    let silent = |person: usize| area[person] == "Area 07";
    let (wrongly, wrongly_rest) = (flagged(false, &over_recorded), flagged(false, &|p| !over_recorded(p)));
    assert!(wrongly.0 > wrongly_rest.1, "false positives {wrongly:?} against {wrongly_rest:?}");
    let (found, found_rest) = (flagged(true, &silent), flagged(true, &|p| !silent(p)));
    assert!(found.1 < found_rest.0, "true positives {found:?} against {found_rest:?}");
}
