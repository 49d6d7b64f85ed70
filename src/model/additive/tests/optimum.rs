//! The fit against the objective it claims to minimise, solved by other means.

use super::super::block::{Block, Kind, Strengths};
use super::super::column::Column;
use super::super::descent::{Cases, Descent};
use super::super::line::Line;
use super::{Dice, logistic};
use crate::features::Direction;

/// The same with a line beside it: of all partings of the values into a line and deviations the one that costs least. `places` has
/// for each step where it lies on the line; absences lie nowhere.
fn penalty_beside(
    kind: &Kind,
    (places, line): (&[Option<f64>], &Line),
    information: &[f64],
    strengths: Strengths,
) -> Vec<Vec<f64>> {
    let steps = information.len();
    let mut matrix = penalty(kind, Some(line), information, strengths);
    // What a place counts for their mean is what holds the level there: of a grid each cell alike.
    let weight = |information: f64| if matches!(kind, Kind::Grid { .. }) { 1.0 } else { information };
    let told = || places.iter().zip(information).filter_map(|(place, &held)| Some(((*place)?, weight(held))));
    let known: f64 = told().map(|(_, information)| information).sum();
    let mean = told().map(|(place, information)| place * information).sum::<f64>() / known;
    let at = |step: usize| places[step].map_or(0.0, |place| place - mean);
    let product: Vec<f64> =
        (0..steps).map(|step| (0..steps).map(|other| matrix[step][other] * at(other)).sum()).collect();
    let own = strengths.line + (0..steps).map(|step| at(step) * product[step]).sum::<f64>();
    for (row, by) in matrix.iter_mut().zip(&product) {
        row.iter_mut().zip(&product).for_each(|(entry, other)| *entry -= by * other / own);
    }
    matrix
}

/// Places of steps, some closer together than others, standardised as a line does.
fn places(steps: usize, dice: &mut Dice) -> (Vec<Option<f64>>, Line) {
    let mut place = 0.0;
    let raw: Vec<f64> = (0..steps)
        .map(|_| {
            place += 0.1 + dice.uniform();
            place
        })
        .collect();
    let counts = vec![1.0; steps];
    let line = Line::of(&raw, &counts).unwrap();
    let standard = line.centred(&[&counts[..], &[0.0; 2]].concat());
    let standard = standard.into_iter().take(steps).map(Some).chain([None; 2]).collect();
    (standard, line)
}

/// The product of the places of a grid's two sides.
fn product(first: usize, second: usize) -> (Vec<Option<f64>>, Line) {
    let side =
        |steps: usize, mean: f64| (0..steps).map(|step| (step as f64).sqrt() - mean).collect::<Vec<_>>();
    let (a, b) = (side(first, 1.7), side(second, 1.0));
    let line = Line::product(&a, &b);
    let is_value = |i: usize, j: usize| i < first - 2 && j < second - 2;
    let cells = (0..first).flat_map(|i| (0..second).map(move |j| (i, j)));
    (cells.map(|(i, j)| is_value(i, j).then(|| a[i] * b[j])).collect(), line)
}

/// The penalty's matrix, in full: what the documentation of a term's penalty says.
fn penalty(kind: &Kind, line: Option<&Line>, information: &[f64], strengths: Strengths) -> Vec<Vec<f64>> {
    let steps = information.len();
    let mut matrix = vec![vec![0.0; steps]; steps];
    let mut difference = |a: usize, b: usize, strength: f64| {
        matrix[a][a] += strength;
        matrix[b][b] += strength;
        matrix[a][b] -= strength;
        matrix[b][a] -= strength;
    };
    match *kind {
        Kind::Ordered { steps: values, .. } => {
            let closeness = line.map_or_else(|| vec![1.0; values - 1], Line::closeness);
            for step in 1..values {
                difference(step - 1, step, strengths.rough * closeness[step - 1]);
            }
            let known: f64 = information[..values].iter().sum();
            for step in 0..values {
                matrix[step][step] += strengths.level * information[step] / known;
            }
            for (absent, row) in matrix.iter_mut().enumerate().skip(values) {
                row[absent] += strengths.level;
            }
        }
        Kind::Levels { .. } => (0..steps).for_each(|step| matrix[step][step] += strengths.rough),
        Kind::Grid { first, second } => {
            for i in 0..first {
                for j in 0..second {
                    if j + 3 < second {
                        difference(i * second + j, i * second + j + 1, strengths.rough * (second - 3) as f64);
                    }
                    if i + 3 < first {
                        difference(
                            i * second + j,
                            (i + 1) * second + j,
                            strengths.rough * (first - 3) as f64,
                        );
                    }
                }
            }
            let own = strengths.rough / (first * second) as f64;
            (0..steps).for_each(|step| matrix[step][step] += own);
        }
    }
    matrix
}

/// Solves a dense symmetric positive-definite system by elimination.
fn solved(mut matrix: Vec<Vec<f64>>, mut side: Vec<f64>) -> Vec<f64> {
    let size = side.len();
    for pivot in 0..size {
        for row in pivot + 1..size {
            let by = matrix[row][pivot] / matrix[pivot][pivot];
            if by != 0.0 {
                let (above, below) = matrix.split_at_mut(row);
                below[0][pivot..]
                    .iter_mut()
                    .zip(&above[pivot][pivot..])
                    .for_each(|(to, from)| *to -= by * from);
                side[row] -= by * side[pivot];
            }
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| matrix[row][column] * side[column]).sum();
        side[row] = (side[row] - known) / matrix[row][row];
    }
    side
}

/// Newton's method in double precision over intercept and all steps at once. `places` has for each case
/// the columns that are 1.
fn newton(places: &[Vec<usize>], outcomes: &[bool], mass: &[f32], penalty: &[Vec<f64>]) -> Vec<f64> {
    let size = penalty.len();
    let mut at = vec![0.0; size];
    for _ in 0..30 {
        let mut matrix = penalty.to_vec();
        let mut side: Vec<f64> =
            penalty.iter().map(|row| -row.iter().zip(&at).map(|(a, b)| a * b).sum::<f64>()).collect();
        for ((places, &outcome), &mass) in places.iter().zip(outcomes).zip(mass) {
            let chance = logistic(places.iter().map(|&place| at[place]).sum());
            let weight = f64::from(mass) * chance * (1.0 - chance);
            let residual = f64::from(mass) * (f64::from(u8::from(outcome)) - chance);
            for &a in places {
                side[a] += residual;
                for &b in places {
                    matrix[a][b] += weight;
                }
            }
        }
        let moves = solved(matrix, side);
        at.iter_mut().zip(&moves).for_each(|(at, by)| *at += by);
        if moves.iter().all(|by| by.abs() < 1e-7) {
            return at;
        }
    }
    panic!("Newton's method did not converge");
}

#[test]
fn the_fit_is_the_minimum_of_its_penalised_objective() {
    let rows = 6_000;
    let mut dice = Dice::new(77);
    let kinds = [
        Kind::Ordered { steps: 12, direction: Direction::None },
        Kind::Ordered { steps: 5, direction: Direction::None },
        Kind::Levels { steps: 4 },
        Kind::Grid { first: 7, second: 5 },
    ];
    // The first is mostly one step, so its column is sparse; the second goes with the first.
    let mut codes: Vec<Vec<u8>> = vec![Vec::new(); 4];
    let (mut outcomes, mut mass) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let first = if dice.chance(0.75) { 3 } else { dice.below(14) };
        let second = if dice.chance(0.5) { first % 7 } else { dice.below(7) };
        let level = dice.below(6);
        let together = if (first % 7 < 3) == (second % 5 < 2) { 0.6 } else { -0.6 };
        let alone = 0.9 * (first as f64 / 3.0).sin() + 0.2 * second as f64 - 0.3 * (level % 3) as f64;
        let log_odds = -1.5 + alone + together;
        for (codes, code) in codes.iter_mut().zip([first, second, level, (first % 7) * 5 + second % 5]) {
            codes.push(code as u8);
        }
        outcomes.push(dice.chance(logistic(log_odds)));
        mass.push([0.0, 0.5, 1.0, 1.0, 2.5][dice.below(5)]);
    }
    let columns: Vec<Column> = codes.iter().map(|codes| Column::new(codes.clone())).collect();
    assert!(columns[0].common().is_some() && columns[1].common().is_none());
    let cases = Cases { outcomes: &outcomes, mass: Some(&mass) };
    let lines = [Some(places(12, &mut dice)), Some(places(5, &mut dice)), None, Some(product(7, 5))];
    let blocks = kinds.iter().enumerate().map(|(nth, kind)| {
        Block::new(kind.clone()).with_line(lines[nth].as_ref().map(|(_, line)| line.clone()))
    });
    let mut fit = Descent::start(blocks, cases);
    fit.run(&columns, cases, 4_000, 2e-5);

    let mut starts = vec![1];
    for part in &fit.parts {
        starts.push(starts[starts.len() - 1] + part.values.len());
    }
    let mut whole = vec![vec![0.0; starts[4]]; starts[4]];
    for (nth, (part, &start)) in fit.parts.iter().zip(&starts).enumerate() {
        let strengths = fit.strengths(part);
        let matrix = match &lines[nth] {
            Some((places, line)) => penalty_beside(&kinds[nth], (places, line), &part.information, strengths),
            None => penalty(&kinds[nth], None, &part.information, strengths),
        };
        for (a, row) in matrix.into_iter().enumerate() {
            whole[start + a][start..start + row.len()].copy_from_slice(&row);
        }
    }
    let places: Vec<Vec<usize>> = (0..rows)
        .map(|row| {
            std::iter::once(0).chain((0..4).map(|nth| starts[nth] + usize::from(codes[nth][row]))).collect()
        })
        .collect();
    let best = newton(&places, &outcomes, &mass, &whole);
    assert!((fit.intercept - best[0]).abs() < 2e-3, "{} {}", fit.intercept, best[0]);
    let flat = fit.parts.iter().filter(|part| part.rough > 1e6).count();
    assert!(flat <= 1, "flat terms prove little");
    for (part, &start) in fit.parts.iter().zip(&starts) {
        for (step, value) in part.values.iter().enumerate() {
            assert!(
                (value - best[start + step]).abs() < 2e-3,
                "{start} {step}: {value} {}",
                best[start + step]
            );
        }
    }
}

#[test]
fn monotone_steps_are_the_best_of_all_that_keep_the_order() {
    let mut dice = Dice::new(3);
    for case in 0..300 {
        let steps = 2 + dice.below(7);
        let direction = if case % 2 == 0 { Direction::Rising } else { Direction::Falling };
        let kind = Kind::Ordered { steps, direction };
        let information: Vec<f64> = (0..steps + 2)
            .map(|_| if dice.chance(0.15) { 0.0 } else { 10.0_f64.powf(3.0 * dice.uniform() - 1.0) })
            .collect();
        let side: Vec<f64> = information.iter().map(|information| information * dice.normal()).collect();
        let mut strength = |least: f64, spread: f64| 10.0_f64.powf(spread * dice.uniform() + least);
        let strengths =
            Strengths { rough: strength(-2.0, 4.0), level: strength(-0.3, 0.5), line: strength(-1.0, 3.0) };
        if information[..steps].iter().sum::<f64>() == 0.0 {
            continue;
        }
        let beside = (steps > 2 && case % 3 > 0).then(|| places(steps, &mut dice));
        let block = Block::new(kind.clone()).with_line(beside.as_ref().map(|(_, line)| line.clone()));
        let found = block.solve(&information, side.clone(), 0.0, strengths);
        let mut matrix = match &beside {
            Some((places, line)) => penalty_beside(&kind, (places, line), &information, strengths),
            None => penalty(&kind, None, &information, strengths),
        };
        (0..steps + 2).for_each(|step| matrix[step][step] += information[step]);
        let sign = if direction == Direction::Falling { -1.0 } else { 1.0 };
        // Every order of steps that are tied with the next is tried; the best that keeps the order wins.
        let mut best = (f64::INFINITY, Vec::new());
        for tied in 0..1_usize << (steps - 1) {
            let mut group = vec![0];
            for step in 1..steps + 2 {
                let is_tied = step < steps && tied >> (step - 1) & 1 == 1;
                group.push(group[step - 1] + usize::from(!is_tied));
            }
            let groups = group[steps + 1] + 1;
            let (mut joined, mut joined_side) = (vec![vec![0.0; groups]; groups], vec![0.0; groups]);
            for a in 0..steps + 2 {
                joined_side[group[a]] += side[a];
                (0..steps + 2).for_each(|b| joined[group[a]][group[b]] += matrix[a][b]);
            }
            let solution = solved(joined, joined_side);
            let values: Vec<f64> = group.iter().map(|&group| solution[group]).collect();
            if values[..steps].windows(2).any(|pair| sign * (pair[1] - pair[0]) < -1e-12) {
                continue;
            }
            let cost = cost(&matrix, &side, &values);
            if cost < best.0 {
                best = (cost, values);
            }
        }
        assert!(found[..steps].windows(2).all(|pair| sign * (pair[1] - pair[0]) >= 0.0));
        for (found, best) in found.iter().zip(&best.1) {
            assert!((found - best).abs() < 1e-7 * (1.0 + best.abs()), "{case}: {found} {best}");
        }
    }
}

/// As refits ask for it: steps pulled as hard as they are held, however stiffly, and a pull at the slope alone.
#[test]
fn monotone_steps_beside_a_line_are_the_best_however_stiff_and_however_pulled() {
    let mut dice = Dice::new(8);
    for case in 0..600 {
        let steps = 3 + dice.below(4);
        let direction = if case % 2 == 0 { Direction::Rising } else { Direction::Falling };
        let (places, line) = places(steps, &mut dice);
        let mut strength = |least: f64, spread: f64| 10.0_f64.powf(spread * dice.uniform() + least);
        let strengths =
            Strengths { rough: strength(-2.0, 11.0), level: strength(-0.3, 0.5), line: strength(0.0, 1.4) };
        let information: Vec<f64> = (0..steps + 2).map(|_| strength(-1.0, 3.0)).collect();
        let block = Block::new(Kind::Ordered { steps, direction }).with_line(Some(line.clone()));
        let mut pull = block.pull(&information, strengths, || dice.normal());
        let lean = pull.pop().unwrap();
        let side: Vec<f64> =
            information.iter().zip(&pull).map(|(held, pull)| held * dice.normal() + pull).collect();
        let found = block.solve(&information, side.clone(), lean, strengths);

        // Deviations and slope in one system: values are at the slope's places plus the deviations.
        let kind = Kind::Ordered { steps, direction };
        let penalty = penalty(&kind, Some(&line), &information, strengths);
        let known: f64 = information[..steps].iter().sum();
        let place = |step: usize| places[step].unwrap();
        let mean = (0..steps).map(|step| place(step) * information[step]).sum::<f64>() / known;
        let at: Vec<f64> =
            (0..steps + 2).map(|step| if step < steps { place(step) - mean } else { 0.0 }).collect();
        let held = |row: usize, values: &[f64]| -> f64 {
            penalty[row].iter().zip(values).map(|(entry, value)| entry * value).sum()
        };
        let on_line: Vec<f64> = (0..steps + 2).map(|row| held(row, &at)).collect();
        let sign = if direction == Direction::Falling { -1.0 } else { 1.0 };
        let mut best = (f64::INFINITY, Vec::new());
        for tied in 0..1_usize << (steps - 1) {
            let mut group = vec![0];
            for step in 1..steps + 2 {
                let is_tied = step < steps && tied >> (step - 1) & 1 == 1;
                group.push(group[step - 1] + usize::from(!is_tied));
            }
            let groups = group[steps + 1] + 1;
            let mut whole = vec![vec![0.0; groups + 1]; groups + 1];
            let mut right = vec![0.0; groups + 1];
            for a in 0..steps + 2 {
                right[group[a]] += side[a];
                whole[group[a]][group[a]] += information[a];
                (0..steps + 2).for_each(|b| whole[group[a]][group[b]] += penalty[a][b]);
                whole[group[a]][groups] -= on_line[a];
                whole[groups][group[a]] -= on_line[a];
                whole[groups][groups] += on_line[a] * at[a];
            }
            whole[groups][groups] += strengths.line;
            right[groups] = lean;
            let solution = solved(whole, right.clone());
            let values: Vec<f64> = group.iter().map(|&group| solution[group]).collect();
            if values[..steps].windows(2).any(|pair| sign * (pair[1] - pair[0]) < -1e-9) {
                continue;
            }
            let cost = -0.5 * right.iter().zip(&solution).map(|(right, value)| right * value).sum::<f64>();
            if cost < best.0 {
                best = (cost, values);
            }
        }
        assert!(found[..steps].windows(2).all(|pair| sign * (pair[1] - pair[0]) >= 0.0));
        for (found, best) in found.iter().zip(&best.1) {
            assert!((found - best).abs() < 1e-4 * (1.0 + best.abs()), "{case} {strengths:?}: {found} {best}");
        }
    }
}

fn cost(matrix: &[Vec<f64>], side: &[f64], values: &[f64]) -> f64 {
    (0..side.len())
        .map(|a| {
            let product: f64 = matrix[a].iter().zip(values).map(|(entry, value)| entry * value).sum();
            values[a] * (0.5 * product - side[a])
        })
        .sum()
}
