//! The search against all cards of small problems, planted cards, limits, and what a card says.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::columns::YesNo;
use super::line::{Line, RIDGE, Sums, logistic};
use super::search::{CardError, CardLimits, IntegerCard, Sign, search};
use super::{CardLine, Condition, Scorecard, ScorecardParams};
use crate::error::ModelError;
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::{AdditiveModel, Shape};
use crate::stats::link::softplus;

const FREE: CardLimits = CardLimits { terms: Some(3), points: 5, cards: 1, must_pay: false };

fn found(columns: &[YesNo], outcomes: &[bool], limits: &CardLimits) -> Vec<IntegerCard> {
    let columns: Vec<&YesNo> = columns.iter().collect();
    search(&columns, &vec![Sign::Any; columns.len()], outcomes, None, limits).unwrap()
}

/// What the search minimises, summed case by case from its definition.
fn value(card: &IntegerCard, columns: &[YesNo], outcomes: &[bool], weights: Option<&[f64]>) -> f64 {
    let squares: i32 = card.points.iter().map(|(_, points)| points * points).sum();
    let mut sum = 0.5 * RIDGE * card.unit * card.unit * f64::from(squares);
    for (row, &outcome) in outcomes.iter().enumerate() {
        let yes = card.points.iter().filter(|(column, _)| columns[*column].get(row));
        let odds = card.offset + card.unit * f64::from(yes.map(|(_, points)| points).sum::<i32>());
        sum += weights.map_or(1.0, |w| w[row]) * (softplus(odds) - if outcome { odds } else { 0.0 });
    }
    sum
}

fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Columns that say yes as often as they are told, and outcomes by their effects.
fn drawn(seed: u64, rows: usize, shares: &[f64], offset: f64, effects: &[f64]) -> (Vec<YesNo>, Vec<bool>) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut answers = vec![Vec::new(); shares.len()];
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let mut odds = offset;
        for ((answer, &share), effect) in answers.iter_mut().zip(shares).zip(effects) {
            let yes = uniform(&mut random) < share;
            answer.push(yes);
            odds += if yes { *effect } else { 0.0 };
        }
        outcomes.push(uniform(&mut random) < logistic(odds));
    }
    (answers.into_iter().map(|answer| answer.into_iter().collect()).collect(), outcomes)
}

#[derive(Deserialize)]
struct Fixture {
    problems: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    columns: Vec<String>,
    outcomes: String,
    weights: Option<Vec<f64>>,
    signs: Vec<String>,
    terms: usize,
    most: i32,
    points: Vec<(usize, i32)>,
    unit: f64,
    offset: f64,
    value: f64,
    second: f64,
}

#[test]
fn the_best_of_all_cards_is_found() {
    let text = include_str!("../../../tests/fixtures/scorecard.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    assert!(fixture.problems.len() >= 6);
    let bits = |text: &str| text.chars().map(|c| c == '1').collect::<Vec<bool>>();
    for known in fixture.problems {
        let columns: Vec<YesNo> = known.columns.iter().map(|text| bits(text).into_iter().collect()).collect();
        let signs: Vec<Sign> = known
            .signs
            .iter()
            .map(|sign| match sign.as_str() {
                "up" => Sign::Up,
                "down" => Sign::Down,
                _ => Sign::Any,
            })
            .collect();
        let outcomes = bits(&known.outcomes);
        let limits = CardLimits { terms: Some(known.terms), points: known.most, ..FREE };
        let weights = known.weights.as_deref();
        let card =
            &search(&columns.iter().collect::<Vec<_>>(), &signs, &outcomes, weights, &limits).unwrap()[0];
        // Weights are rounded to a millionth of the largest.
        let close = if weights.is_some() { 1e-5 } else { 1e-8 };
        let here = value(card, &columns, &outcomes, weights);
        assert!((here - known.value).abs() < close * known.value, "{here} {} {:?}", known.value, card.points);
        if known.second - known.value > 1e-6 {
            assert_eq!(card.points, known.points);
            assert!((card.unit - known.unit).abs() < 100.0 * close);
            assert!((card.offset - known.offset).abs() < 100.0 * close);
        }
    }
}

#[test]
fn small_problems_by_trying_everything() {
    let mut missed = 0;
    for seed in 0..40 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1000 + seed);
        let shares: Vec<f64> = (0..4).map(|_| 0.1 + 0.8 * uniform(&mut random)).collect();
        let effects: Vec<f64> = (0..4).map(|_| 4.0 * uniform(&mut random) - 2.0).collect();
        let (columns, outcomes) = drawn(seed, 150, &shares, -0.5, &effects);
        let limits = CardLimits { terms: Some(3), points: 2, ..FREE };
        let card = &found(&columns, &outcomes, &limits)[0];
        let mut best = f64::INFINITY;
        for code in 0..5_i32.pow(4) {
            let points: Vec<i32> = (0..4).map(|place| code / 5_i32.pow(place) % 5 - 2).collect();
            if points.iter().filter(|&&points| points != 0).count() > 3 || code == 5_i32.pow(4) / 2 {
                continue;
            }
            let mut totals = vec![0; outcomes.len()];
            for (column, &points) in columns.iter().zip(&points) {
                column.add_to(&mut totals, points);
            }
            let mut sums = Sums {
                low: -8,
                all: vec![0.0; 17],
                yes: 0.0,
                moment: 0.0,
                squares: points.iter().map(|&points| f64::from(points * points)).sum(),
                ridge: RIDGE,
            };
            for (&total, &outcome) in totals.iter().zip(&outcomes) {
                sums.all[(total + 8) as usize] += 1.0;
                sums.yes += f64::from(u8::from(outcome));
                sums.moment += if outcome { f64::from(total) } else { 0.0 };
            }
            let (line, here) = sums.fit(Line { unit: 0.5, offset: -0.5 }, true);
            if line.unit > 0.0 {
                best = best.min(here);
            }
        }
        let here = value(card, &columns, &outcomes, None);
        assert!(here >= best - 1e-8 * best, "the search found what there is not");
        missed += u32::from(here > best + 1e-8 * best);
    }
    assert_eq!(missed, 0);
}

#[test]
fn a_planted_card_is_recovered() {
    let planted = [3.0, -2.0, 0.0, 1.0, 0.0, -3.0, 2.0, 0.0, 0.0, 0.0];
    let effects = planted.map(|points| 0.5 * points);
    let shares = [0.3, 0.5, 0.4, 0.2, 0.6, 0.3, 0.7, 0.5, 0.1, 0.9];
    let (columns, outcomes) = drawn(7, 60_000, &shares, -1.5, &effects);
    let card = &found(&columns, &outcomes, &CardLimits { terms: Some(5), points: 3, ..FREE })[0];
    assert_eq!(card.points, [(0, 3), (1, -2), (3, 1), (5, -3), (6, 2)]);
    assert!((card.unit - 0.5).abs() < 0.02 && (card.offset + 1.5).abs() < 0.05, "{card:?}");
}

#[test]
fn limits_and_signs_hold_and_cards_differ() {
    let effects = [1.5, -1.0, 0.8, -0.6, 0.4, 0.9, -1.2, 0.3];
    let (columns, outcomes) = drawn(3, 4000, &[0.4; 8], -1.0, &effects);
    let refs: Vec<&YesNo> = columns.iter().collect();
    let signs: Vec<Sign> = (0..8).map(|place| [Sign::Down, Sign::Any, Sign::Up][place % 3]).collect();
    for (terms, points) in [(1, 1), (2, 5), (4, 2), (8, 3)] {
        let limits = CardLimits { terms: Some(terms), points, cards: 6, must_pay: false };
        let cards = search(&refs, &signs, &outcomes, None, &limits).unwrap();
        assert!(cards.windows(2).all(|pair| {
            let all = |card| value(card, &columns, &outcomes, None);
            let asked = |card: &IntegerCard| card.points.iter().map(|held| held.0).collect::<Vec<_>>();
            all(&pair[0]) <= all(&pair[1]) + 1e-6 && asked(&pair[0]) != asked(&pair[1])
        }));
        for card in &cards {
            assert!(card.points.len() <= terms && card.unit >= 0.0);
            for &(column, held) in &card.points {
                assert!(held != 0 && held.abs() <= points);
                assert!(signs[column] != Sign::Up || held > 0);
                assert!(signs[column] != Sign::Down || held < 0);
            }
        }
        assert!(!cards[0].points.is_empty());
    }
}

#[test]
fn order_of_cases_and_threads_change_nothing() {
    let effects = [1.0, -0.7, 0.5, 0.0, -0.4, 0.8];
    let (columns, outcomes) = drawn(11, 3000, &[0.3, 0.5, 0.1, 0.4, 0.8, 0.2], -1.2, &effects);
    let weights: Vec<f64> = (0..3000).map(|row| 0.5 + f64::from(row % 7) / 3.0).collect();
    let limits = CardLimits { terms: Some(4), points: 4, cards: 4, must_pay: false };
    let order: Vec<usize> = (0..3000).map(|row| row * 1009 % 3000).collect();
    let turned: Vec<YesNo> =
        columns.iter().map(|column| order.iter().map(|&row| column.get(row)).collect()).collect();
    let outcomes_turned: Vec<bool> = order.iter().map(|&row| outcomes[row]).collect();
    let weights_turned: Vec<f64> = order.iter().map(|&row| weights[row]).collect();
    let signs = [Sign::Any; 6];
    for weighted in [false, true] {
        let run = |columns: &[YesNo], outcomes: &[bool], weights: &[f64], threads: usize| {
            let columns: Vec<&YesNo> = columns.iter().collect();
            let weights = weighted.then_some(weights);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| search(&columns, &signs, outcomes, weights, &limits)).unwrap()
        };
        let one = run(&columns, &outcomes, &weights, 1);
        for threads in [2, 8] {
            assert_eq!(one, run(&columns, &outcomes, &weights, threads));
        }
        // Equal to the bit: every sum over cases is a sum of whole numbers.
        assert_eq!(one, run(&turned, &outcomes_turned, &weights_turned, 2));
    }
}

#[test]
fn whole_weights_are_repetitions() {
    let (columns, outcomes) = drawn(5, 500, &[0.4, 0.3, 0.6], -0.8, &[1.0, -1.0, 0.5]);
    let weights: Vec<f64> = (0..500).map(|row| f64::from(row % 3)).collect();
    let repeated: Vec<usize> = (0..500).flat_map(|row| vec![row; row % 3]).collect();
    let longer: Vec<YesNo> =
        columns.iter().map(|column| repeated.iter().map(|&row| column.get(row)).collect()).collect();
    let outcomes_longer: Vec<bool> = repeated.iter().map(|&row| outcomes[row]).collect();
    let limits = CardLimits { points: 3, ..FREE };
    let by_weight =
        search(&columns.iter().collect::<Vec<_>>(), &[Sign::Any; 3], &outcomes, Some(&weights), &limits);
    let (by_weight, by_case) = (&by_weight.unwrap()[0], &found(&longer, &outcomes_longer, &limits)[0]);
    assert_eq!(by_weight.points, by_case.points);
    assert!((by_weight.unit - by_case.unit).abs() < 1e-6);
    assert!((by_weight.log_loss - by_case.log_loss).abs() < 1e-6);
}

#[test]
fn odd_columns_end_sensibly() {
    let outcomes: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
    let perfect: YesNo = outcomes.iter().copied().collect();
    let opposite = perfect.opposite();
    let constant: YesNo = outcomes.iter().map(|_| true).collect();
    let never = constant.opposite();
    let columns = [constant, perfect.clone(), perfect, opposite, never];
    let card = &found(&columns, &outcomes, &FREE)[0];
    assert_eq!(card.points, [(1, 1)], "a repetition, an opposite and a constant add nothing");
    assert!(card.unit.is_finite() && card.unit < 20.0 && card.log_loss < 0.05, "{card:?}");
    let nothing = &found(&columns[..1], &outcomes, &FREE)[0];
    assert!(nothing.points.is_empty() && (nothing.offset - (1.0_f64 / 3.0).ln()).abs() < 1e-9);
    let none = &found(&[], &outcomes, &FREE)[0];
    assert_eq!(none.log_loss.to_bits(), nothing.log_loss.to_bits());
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let outcomes = [true, false, true, false];
    let column: YesNo = [true, true, false, false].into_iter().collect();
    let run = |outcomes: &[bool], weights: Option<&[f64]>, limits: &CardLimits| {
        search(&[&column], &[Sign::Any], outcomes, weights, limits).map(|_| ())
    };
    assert_eq!(run(&outcomes, None, &FREE), Ok(()));
    assert_eq!(run(&[true; 4], None, &FREE), Err(CardError::OneOutcome));
    assert_eq!(run(&[false; 4], None, &FREE), Err(CardError::OneOutcome));
    assert_eq!(run(&outcomes, Some(&[1.0, 0.0, 1.0, 0.0]), &FREE), Err(CardError::OneOutcome));
    assert_eq!(run(&[], None, &FREE), Err(CardError::Empty));
    assert_eq!(run(&outcomes, Some(&[0.0; 4]), &FREE), Err(CardError::Empty));
    assert_eq!(run(&outcomes[..3], None, &FREE), Err(CardError::Lengths));
    assert_eq!(run(&outcomes, Some(&[1.0, 1.0, 1.0, f64::NAN]), &FREE), Err(CardError::Weights));
    assert_eq!(run(&outcomes, Some(&[1.0; 3]), &FREE), Err(CardError::Weights));
    for limits in [
        CardLimits { points: 0, ..FREE },
        CardLimits { points: 1001, ..FREE },
        CardLimits { cards: 0, ..FREE },
        CardLimits { terms: Some(0), ..FREE },
    ] {
        assert_eq!(run(&outcomes, None, &limits), Err(CardError::Limits));
    }
}

/// Cases with a rising, a falling, a free and an all but useless feature, gaps of both kinds among them.
fn cases(rows: usize) -> (FeatureMatrix, [Direction; 4], Vec<bool>) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(99);
    let mut columns = vec![Vec::new(); 4];
    let mut outcomes = Vec::new();
    for row in 0..rows {
        let contacts = (uniform(&mut random) * 8.0).floor();
        let days = (uniform(&mut random) * 900.0).floor();
        let age = (uniform(&mut random) * 180.0).floor() / 10.0;
        let absent = row % 9;
        let mut odds = -3.0 + 0.3 * contacts;
        odds += match absent {
            0 => -0.8,
            1 => 0.2,
            _ => 1.2 - 0.003 * days,
        };
        odds += if (5.0..11.0).contains(&age) { 0.7 } else { 0.0 };
        columns[0].push(Cell::Value(contacts as f32));
        columns[1].push(match absent {
            0 => Cell::Missing,
            1 => Cell::NotCovered,
            _ => Cell::Value(days as f32),
        });
        columns[2].push(Cell::Value(age as f32));
        columns[3].push(if row < 3 { Cell::Value(1.0) } else { Cell::Missing });
        outcomes.push(uniform(&mut random) < logistic(odds));
    }
    let names = ["contacts", "days_since_last", "age", "hardly_known"].map(str::to_owned).to_vec();
    let directions = [Direction::Rising, Direction::Falling, Direction::None, Direction::None];
    (FeatureMatrix::from_cells(names, rows, &columns).unwrap(), directions, outcomes)
}

fn total(card: &Scorecard, matrix: &FeatureMatrix, row: usize) -> i32 {
    let cell = |name: &str| matrix.cell(row, matrix.names().iter().position(|held| held == name).unwrap());
    card.lines.iter().filter(|line| line.condition.holds(cell(&line.feature))).map(|line| line.points).sum()
}

#[test]
fn the_order_of_features_plays_no_part() {
    let (matrix, directions, outcomes) = cases(2_000);
    // A twin of the first feature: which of the two a card names is a toss-up.
    let columns: Vec<Vec<Cell>> = [0, 1, 2, 3, 0].map(|place| matrix.column(place).collect()).to_vec();
    let names = ["contacts", "days_since_last", "age", "hardly_known", "again"].map(str::to_owned);
    let directions = [directions[0], directions[1], directions[2], directions[3], directions[0]];
    let fitted = |order: [usize; 5]| {
        let held = order.map(|place| columns[place].clone());
        let matrix =
            FeatureMatrix::from_cells(order.map(|place| names[place].clone()).to_vec(), 2_000, &held)
                .unwrap();
        let directions = order.map(|place| directions[place]);
        ScorecardParams::default().fit_matrix(&matrix, &directions, &outcomes, None).unwrap()
    };
    let one = fitted([0, 1, 2, 3, 4]);
    for order in [[4, 3, 2, 1, 0], [2, 4, 0, 3, 1], [1, 0, 3, 4, 2]] {
        let other = fitted(order);
        assert_eq!(one.len(), other.len());
        for ((model, card), (other, other_card)) in one.iter().zip(&other) {
            assert_eq!(model.intercept().to_bits(), other.intercept().to_bits());
            assert_eq!(model.terms().len(), other.terms().len());
            assert!(model.terms().iter().all(|term| other.terms().contains(term)));
            assert_eq!(
                (card.unit, card.offset, &card.table),
                (other_card.unit, other_card.offset, &other_card.table)
            );
            assert_eq!(card.lines.len(), other_card.lines.len());
            assert!(card.lines.iter().all(|line| other_card.lines.contains(line)));
            let place = |name: &String| other.features().iter().position(|held| held == name);
            assert!(other_card.lines.iter().is_sorted_by_key(|line| place(&line.feature)));
            // Sums add up in one order, whichever way the columns stand.
            assert!(other.terms().iter().is_sorted_by_key(|term| &term.on[0]));
        }
    }
}

fn mean_contributions(model: &AdditiveModel, matrix: &FeatureMatrix, weights: Option<&[f64]>) -> Vec<f64> {
    let mut sums = vec![0.0; model.terms().len()];
    let mut all = 0.0;
    for row in 0..matrix.rows() {
        let weight = weights.map_or(1.0, |weights| weights[row]);
        all += weight;
        for (sum, held) in sums.iter_mut().zip(model.explain(matrix, row).unwrap().contributions()) {
            *sum += weight * held;
        }
    }
    sums.into_iter().map(|sum| sum / all).collect()
}

#[test]
fn the_model_says_what_the_card_says() {
    let (matrix, directions, outcomes) = cases(6000);
    let weights: Vec<f64> = (0..6000).map(|row| 1.0 + f64::from(row % 4)).collect();
    for (terms, weights) in [(Some(4), None), (Some(10), Some(weights.as_slice())), (None, None)] {
        let params = ScorecardParams { terms, ..ScorecardParams::default() };
        let cards = params.fit_matrix(&matrix, &directions, &outcomes, weights).unwrap();
        assert!(cards.len() > 1);
        for (model, card) in &cards {
            // What an absence counts that was not asked about is no question.
            let asked: Vec<&CardLine> =
                card.lines.iter().filter(|line| line.condition != Condition::Absent).collect();
            assert!(!asked.is_empty() && asked.iter().all(|line| line.points.abs() <= 5));
            assert!(terms.is_none_or(|terms| asked.len() <= terms as usize));
            for row in 0..matrix.rows() {
                let points = f64::from(total(card, &matrix, row));
                let odds = model.explain(&matrix, row).unwrap().score().log_odds();
                assert!((odds - (card.offset + card.unit * points)).abs() < 1e-9);
            }
            for mean in mean_contributions(model, &matrix, weights) {
                assert!(mean.abs() < 1e-9, "a term is not centred: {mean}");
            }
        }
    }
}

#[test]
fn steps_go_the_declared_way() {
    let (matrix, directions, outcomes) = cases(6000);
    // The opposite of the truth is declared: nothing may then be said of the value.
    let wrong = [Direction::Falling, Direction::Rising, Direction::None, Direction::None];
    for (directions, is_true) in [(directions, true), (wrong, false)] {
        let params = ScorecardParams::default().any_terms().points(20);
        let cards = params.fit_matrix(&matrix, &directions, &outcomes, None).unwrap();
        for (model, card) in &cards {
            let asks = card
                .lines
                .iter()
                .any(|line| line.feature == "contacts" && matches!(line.condition, Condition::AtLeast(_)));
            assert_eq!(asks, is_true, "{card}");
            for (feature, direction) in ["contacts", "days_since_last"].iter().zip(directions) {
                let sign = if direction == Direction::Rising { 1.0 } else { -1.0 };
                let values: Vec<f64> = (0..900_u16)
                    .map(|value| {
                        let cells: Vec<Vec<Cell>> = matrix
                            .names()
                            .iter()
                            .map(|name| {
                                vec![Cell::Value(if name == feature { f32::from(value) } else { 0.0 })]
                            })
                            .collect();
                        let one = FeatureMatrix::from_cells(matrix.names().to_vec(), 1, &cells).unwrap();
                        sign * model.explain(&one, 0).unwrap().score().log_odds()
                    })
                    .collect();
                assert!(values.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{card}");
            }
        }
    }
}

#[test]
fn the_table_holds_every_case_and_the_card_fits_a_page() {
    let (matrix, directions, outcomes) = cases(6000);
    for (terms, points) in [(1, 5), (5, 5), (10, 5), (20, 20)] {
        let params = ScorecardParams::default().terms(terms).points(points);
        let (_, card) = &params.fit_matrix(&matrix, &directions, &outcomes, None).unwrap()[0];
        assert_eq!(card.table.iter().map(|row| row.cases).sum::<u64>(), 6000);
        let had: f64 = card.table.iter().map(|row| row.observed.value * row.cases as f64).sum();
        assert!((had - outcomes.iter().filter(|&&outcome| outcome).count() as f64).abs() < 1e-6);
        assert!(card.table.windows(2).all(|pair| pair[0].to < pair[1].from));
        assert!(card.table.windows(2).all(|pair| pair[0].predicted < pair[1].predicted));
        for row in 0..matrix.rows() {
            let points = i64::from(total(card, &matrix, row));
            assert_eq!(card.table.iter().filter(|row| (row.from..=row.to).contains(&points)).count(), 1);
        }
        let page = card.to_string();
        assert!(page.lines().count() <= 60 && page.lines().all(|line| line.chars().count() <= 78), "{page}");
        for line in &card.lines {
            assert!(page.contains(&line.to_string()));
        }
        let text = serde_json::to_string(card).unwrap();
        assert_eq!(&serde_json::from_str::<Scorecard>(&text).unwrap(), card);
        assert!(
            serde_json::from_str::<Scorecard>(&text.replacen("{\"unit\"", "{\"x\":1,\"unit\"", 1)).is_err()
        );
    }
}

#[test]
fn odd_features_end_sensibly() {
    let outcomes: Vec<bool> = (0..300).map(|row| row % 5 == 0).collect();
    let by = |cell: fn(usize) -> Cell| (0..300).map(cell).collect::<Vec<_>>();
    let truth = by(|row| Cell::Value(if row % 5 == 0 { 7.0 } else { 2.0 }));
    let columns =
        [by(|_| Cell::Missing), by(|_| Cell::NotCovered), by(|_| Cell::Value(3.0)), truth.clone(), truth];
    let names = (0..columns.len()).map(|place| format!("f{place}")).collect();
    let matrix = FeatureMatrix::from_cells(names, 300, &columns).unwrap();
    let directions = [Direction::None; 5];
    let cards = ScorecardParams::default().fit_matrix(&matrix, &directions, &outcomes, None).unwrap();
    let (model, card) = &cards[0];
    assert_eq!(card.lines.len(), 1);
    assert_eq!((card.lines[0].feature.as_str(), card.lines[0].condition), ("f3", Condition::AtLeast(7.0)));
    assert!(model.explain(&matrix, 0).unwrap().score().log_odds() > 2.0);
    assert!(model.explain(&matrix, 1).unwrap().score().log_odds() < -2.0);
    // Nothing to ask: the card without lines.
    let plain = FeatureMatrix::from_cells(vec!["f".into()], 300, &columns[..1]).unwrap();
    let cards = ScorecardParams::default().fit_matrix(&plain, &directions[..1], &outcomes, None).unwrap();
    assert!(cards[0].1.lines.is_empty() && cards[0].0.terms().is_empty());
    assert_eq!(cards[0].1.table.len(), 1);
}

#[test]
fn wrong_settings_are_errors() {
    let (matrix, directions, outcomes) = cases(200);
    let fails = |params: &ScorecardParams, directions: &[Direction], outcomes: &[bool]| {
        let fit = params.fit_matrix(&matrix, directions, outcomes, None);
        matches!(fit, Err(ModelError::NotFitted(_)))
    };
    let good = ScorecardParams::default();
    assert!(!fails(&good, &directions, &outcomes));
    assert!(fails(&good, &directions[..3], &outcomes));
    assert!(fails(&good, &directions, &outcomes[..199]));
    assert!(fails(&good, &directions, &[true; 200]));
    for wrong in
        [good.clone().terms(0), good.clone().points(0), good.clone().cards(0), good.clone().most_cuts(0)]
    {
        assert!(fails(&wrong, &directions, &outcomes), "{wrong:?}");
    }
    assert!(serde_json::from_str::<ScorecardParams>(r#"{"points":3}"#).is_ok_and(|p| p == good.points(3)));
    assert!(serde_json::from_str::<ScorecardParams>(r#"{"point":3}"#).is_err());
    for params in [ScorecardParams::default(), ScorecardParams::default().any_terms().points(7)] {
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<ScorecardParams>(&text).unwrap(), params);
    }
    assert!(serde_json::from_str::<ScorecardParams>(r#"{"terms":"any"}"#).is_ok_and(|p| p.terms.is_none()));
    assert!(serde_json::from_str::<ScorecardParams>(r#"{"terms":"many"}"#).is_err());
}

#[test]
fn an_absence_that_was_not_learnt_counts_as_an_average_value() {
    // Nine cases without a value, too few to learn from, and none that is not covered.
    let rows = 2_000;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let (mut cells, mut outcomes) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let notices = (uniform(&mut random) * 4.0).floor();
        cells.push(if row < 9 { Cell::Missing } else { Cell::Value(notices as f32) });
        outcomes.push(row >= 9 && uniform(&mut random) < logistic(-2.0 + 1.1 * notices));
    }
    let matrix = FeatureMatrix::from_cells(vec!["notices".to_owned()], rows, &[cells]).unwrap();
    let fits = ScorecardParams::default().fit_matrix(&matrix, &[Direction::Rising], &outcomes, None).unwrap();
    let (model, card) = &fits[0];
    let Shape::Steps { axis, values } = &model.terms()[0].shape else { panic!("steps") };
    let says = |cell: Cell| values[axis.bin(cell)];
    for absence in [Cell::Missing, Cell::NotCovered] {
        let said = says(absence);
        assert!(said.abs() <= 0.5 * card.unit + 1e-12, "{said} of {}", card.unit);
        assert!(said > says(Cell::Value(0.0)) && said < says(Cell::Value(3.0)));
        assert_eq!(card.lines.iter().filter(|line| line.condition.holds(absence)).count(), 1);
    }
    assert_eq!(card.table.iter().map(|row| row.cases).sum::<u64>(), rows as u64);
}

#[test]
fn an_absence_that_was_not_learnt_is_averaged_with_the_one_that_was() {
    // A third has no value, and the outcome often; no source fails to cover anybody.
    let rows = 3_000;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(8);
    let (mut cells, mut outcomes) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let notices = (uniform(&mut random) * 4.0).floor();
        let is_missing = row % 3 == 0;
        cells.push(if is_missing { Cell::Missing } else { Cell::Value(notices as f32) });
        let odds = if is_missing { 1.5 } else { -2.5 + 0.6 * notices };
        outcomes.push(uniform(&mut random) < logistic(odds));
    }
    let matrix = FeatureMatrix::from_cells(vec!["notices".to_owned()], rows, &[cells]).unwrap();
    let fits = ScorecardParams::default().fit_matrix(&matrix, &[Direction::Rising], &outcomes, None).unwrap();
    let (model, card) = &fits[0];
    assert!(card.lines.iter().any(|line| line.condition == Condition::Missing && line.points > 0), "{card}");
    let Shape::Steps { axis, values } = &model.terms()[0].shape else { panic!("steps") };
    let says = |cell: Cell| values[axis.bin(cell)];
    // The average case's contribution is 0, whether or not it has a value.
    let said = says(Cell::NotCovered);
    assert!(said.abs() <= 0.5 * card.unit + 1e-12, "{said} of {}: {card}", card.unit);
    assert!(says(Cell::Missing) > said);
}

/// Numbers between 0 and 1, `flags` of them yes/no features of which three in ten say yes.
fn unrelated(random: &mut Xoshiro256PlusPlus, features: usize, flags: usize, rows: usize) -> Vec<Vec<f32>> {
    let column = |feature: usize| {
        let mut value = || {
            let value = uniform(random);
            if feature < flags { f32::from(u8::from(value < 0.3)) } else { value as f32 }
        };
        (0..rows).map(|_| value()).collect()
    };
    (0..features).map(column).collect()
}

fn matrix_of(columns: &[Vec<f32>]) -> FeatureMatrix {
    let names = (0..columns.len()).map(|place| format!("f{place:02}")).collect();
    let cells: Vec<Vec<Cell>> =
        columns.iter().map(|column| column.iter().map(|&value| Cell::Value(value)).collect()).collect();
    FeatureMatrix::from_cells(names, columns[0].len(), &cells).unwrap()
}

fn cards(params: &ScorecardParams, matrix: &FeatureMatrix, outcomes: &[bool]) -> Vec<Scorecard> {
    let directions = vec![Direction::None; matrix.names().len()];
    let cards = params.fit_matrix(matrix, &directions, outcomes, None).unwrap();
    cards.into_iter().map(|(_, card)| card).collect()
}

/// The names of the features that are asked about.
fn asked(card: &Scorecard) -> Vec<&str> {
    let lines = card.lines.iter().filter(|line| line.condition != Condition::Absent);
    let mut names: Vec<&str> = lines.map(|line| line.feature.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn noise_gets_no_line() {
    for (features, flags, rows, rate) in [(40, 0, 200, 0.3), (40, 0, 400, 0.05), (60, 60, 200, 0.3)] {
        let (mut tables, mut with_lines) = (0, 0);
        for seed in 0..40 {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let matrix = matrix_of(&unrelated(&mut random, features, flags, rows));
            let outcomes: Vec<bool> = (0..rows).map(|_| uniform(&mut random) < rate).collect();
            for params in
                [ScorecardParams::default(), ScorecardParams::default().any_terms().points(20).cards(3)]
            {
                let cards = cards(&params, &matrix, &outcomes);
                tables += 1;
                // Nothing that is worse than no line is handed out either.
                if cards[0].lines.is_empty() {
                    assert_eq!((cards.len(), cards[0].table.len()), (1, 1));
                } else {
                    with_lines += 1;
                }
            }
        }
        assert!(10 * with_lines <= tables, "{with_lines} of {tables}");
    }
}

#[test]
fn planted_lines_are_found_among_noise() {
    let effects = [1.6, -1.4, 1.2, -1.2, 1.0];
    for seed in 0..5 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(100 + seed);
        let rows = 2_000;
        let columns = unrelated(&mut random, 60, 30, rows);
        let odds = |row: usize| -> f64 {
            effects.iter().zip(&columns).map(|(effect, column)| effect * f64::from(column[row])).sum()
        };
        let outcomes: Vec<bool> =
            (0..rows).map(|row| uniform(&mut random) < logistic(odds(row) - 1.0)).collect();
        let matrix = matrix_of(&columns);
        for params in [ScorecardParams::default(), ScorecardParams::default().any_terms().points(20)] {
            let card = &cards(&params, &matrix, &outcomes)[0];
            let names = asked(card);
            assert!(["f00", "f01", "f02", "f03", "f04"].iter().all(|name| names.contains(name)), "{card}");
            // Of sixty features that say nothing one or two may look as if they did.
            assert!(names.len() <= 7, "{card}");
        }
    }
}

#[test]
fn of_few_cases_a_flag_that_separates_is_found_and_noise_is_not() {
    for seed in 0..5 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(200 + seed);
        for (rows, positives) in [(50, 5), (50, 10), (100, 10), (100, 50)] {
            let outcomes: Vec<bool> = (0..rows).map(|row| row < positives).collect();
            let mut columns = unrelated(&mut random, 50, 10, rows);
            let params = ScorecardParams::default().any_terms().points(20);
            let none = &cards(&params, &matrix_of(&columns), &outcomes)[0];
            assert!(none.lines.is_empty(), "{none}");
            columns[7] = outcomes.iter().map(|&outcome| f32::from(u8::from(outcome))).collect();
            let card = &cards(&params, &matrix_of(&columns), &outcomes)[0];
            // Of fewer than ten cases nothing is learnt.
            let found: &[&str] = if positives < 10 { &[] } else { &["f07"] };
            assert_eq!(asked(card), found, "{card}");
        }
    }
}

#[test]
fn what_a_point_is_worth_holds_on_other_cases() {
    let effects = [1.5, -1.2, 1.2, -1.0, 0.8, 0.8];
    let (rows, fresh, seeds) = (500, 4_000, 12);
    let mut slopes = 0.0;
    for seed in 0..seeds {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(300 + seed);
        let columns = unrelated(&mut random, 40, 20, rows + fresh);
        let outcomes: Vec<bool> = (0..rows + fresh)
            .map(|row| {
                let odds: f64 = effects
                    .iter()
                    .zip(&columns)
                    .map(|(effect, column)| effect * f64::from(column[row]))
                    .sum();
                uniform(&mut random) < logistic(odds - 1.5)
            })
            .collect();
        let part = |from: usize, to: usize| {
            matrix_of(&columns.iter().map(|column| column[from..to].to_vec()).collect::<Vec<_>>())
        };
        let params = ScorecardParams::default().any_terms().points(20);
        let card = &cards(&params, &part(0, rows), &outcomes[..rows])[0];
        // The unit that other cases would give the same points, over the card's own.
        let others = part(rows, rows + fresh);
        let totals: Vec<i32> = (0..fresh).map(|row| total(card, &others, row)).collect();
        let low = *totals.iter().min().unwrap();
        let width = (totals.iter().max().unwrap() - low + 1) as usize;
        let mut sums = Sums { low, all: vec![0.0; width], yes: 0.0, moment: 0.0, squares: 1.0, ridge: 0.0 };
        for (&total, &outcome) in totals.iter().zip(&outcomes[rows..]) {
            sums.all[(total - low) as usize] += 1.0;
            sums.yes += f64::from(u8::from(outcome));
            sums.moment += if outcome { f64::from(total) } else { 0.0 };
        }
        let (line, _) = sums.fit(Line { unit: card.unit, offset: card.offset }, true);
        slopes += line.unit / card.unit / f64::from(seeds as u32);
    }
    assert!((0.85..1.15).contains(&slopes), "{slopes}");
}
