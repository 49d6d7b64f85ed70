//! What holds for every model: directions, sums, centres, bytes.

use rayon::ThreadPoolBuilder;

use super::{Dice, Planted, World, fit, logistic};
use crate::features::{Cell, Direction, FeatureMatrix};
use crate::model::additive::AdditiveParams;
use crate::model::{AdditiveModel, Shape, Term};

const CAST: [Planted; 6] =
    [Planted::Count, Planted::Gaps, Planted::Flag, Planted::Bend, Planted::Category, Planted::Noise];

fn json(model: &AdditiveModel) -> String {
    serde_json::to_string(model).unwrap()
}

#[test]
fn shapes_keep_their_direction_where_the_truth_turns() {
    for seed in 0..6 {
        let pair = (seed % 2 == 1).then_some((0, 3));
        let world = World::new(40 + seed, 8_000, &CAST, pair, -2.0);
        let directions = [
            Direction::Rising,
            Direction::Falling,
            Direction::Falling,
            Direction::Rising,
            Direction::None,
            Direction::Rising,
        ];
        let params = world.params();
        let (model, _) =
            fit(&params, &world.matrix, &directions, &world.outcomes, None, &world.families).unwrap();
        assert!(model.terms().iter().any(|term| term.on == ["f3"]), "the rising parts of the bend are heard");
        let mut turns: Vec<Vec<Cell>> = vec![Vec::new(); CAST.len()];
        let mut dice = Dice::new(seed);
        // For many cases, the same case with one feature raised: no score may go against a direction.
        for _ in 0..400 {
            let row = dice.below(world.matrix.rows());
            let other = dice.below(world.matrix.rows());
            let feature = dice.below(CAST.len());
            for (place, turns) in turns.iter_mut().enumerate() {
                let cell = world.matrix.cell(row, place);
                turns.push(cell);
                turns.push(if place == feature { world.matrix.cell(other, place) } else { cell });
            }
        }
        let cases = FeatureMatrix::from_cells(world.matrix.names().to_vec(), 800, &turns).unwrap();
        let refits = model.refits().unwrap().len();
        let fits = (0..refits).map(|refit| model.refit_log_odds(&cases, refit).unwrap().unwrap());
        for (nth, scores) in std::iter::once(model.log_odds(&cases).unwrap()).chain(fits).enumerate() {
            for case in 0..400 {
                for (place, direction) in directions.iter().enumerate() {
                    let (Some(a), Some(b)) =
                        (cases.cell(2 * case, place).value(), cases.cell(2 * case + 1, place).value())
                    else {
                        continue;
                    };
                    let rise = (scores[2 * case + 1] - scores[2 * case]) * f64::from((b - a).signum());
                    let allowed = if nth == 0 { 1e-9 } else { 0.005 };
                    let fine = match direction {
                        _ if a.to_bits() == b.to_bits() => true,
                        Direction::Rising => rise >= -allowed,
                        Direction::Falling => rise <= allowed,
                        Direction::None => true,
                    };
                    assert!(fine, "data set {seed}, fit {nth}: feature {place} goes the wrong way by {rise}");
                }
            }
        }
    }
}

#[test]
fn bytes_are_the_same_at_any_number_of_threads() {
    let world = World::new(8, 6_000, &CAST, Some((0, 3)), -2.0);
    let at = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| json(&world.fit(&world.params()).0))
    };
    let one = at(1);
    assert!(one.contains("grid") && one.contains("refits"));
    assert!(one == at(2) && one == at(8));
}

/// The columns of a world in another order.
fn reordered(world: &World, order: &[usize]) -> FeatureMatrix {
    let names = order.iter().map(|&place| world.matrix.names()[place].clone()).collect();
    let columns: Vec<Vec<Cell>> = order.iter().map(|&place| world.matrix.column(place).collect()).collect();
    FeatureMatrix::from_cells(names, world.matrix.rows(), &columns).unwrap()
}

#[test]
fn the_order_of_features_plays_no_part() {
    let mut pairs = 0;
    for seed in 0..5_usize {
        // The sides of the second and third pair have equally many steps.
        let pair = [(0, 3), (1, 3), (1, 5), (2, 3), (0, 1)][seed];
        let world = World::new(60 + seed as u64, 5_000, &CAST, Some(pair), -1.8);
        let mut directions = [Direction::None; CAST.len()];
        directions[5] = if pair.1 == 5 { Direction::None } else { Direction::Rising };
        directions[2] = if pair.0 == 2 { Direction::None } else { Direction::Rising };
        let fitted = |order: &[usize]| {
            let matrix = reordered(&world, order);
            let directions: Vec<Direction> = order.iter().map(|&place| directions[place]).collect();
            let params = world.params().refits(3);
            fit(&params, &matrix, &directions, &world.outcomes, None, &world.families).unwrap()
        };
        let (one, unused) = fitted(&[0, 1, 2, 3, 4, 5]);
        pairs += one.terms().iter().filter(|term| term.on.len() == 2).count();
        let mut dice = Dice::new(seed as u64);
        for _ in 0..3 {
            let mut order: Vec<usize> = (0..CAST.len()).collect();
            (1..order.len()).rev().for_each(|place| order.swap(place, dice.below(place + 1)));
            let (other, other_unused) = fitted(&order);
            assert_eq!(one.intercept().to_bits(), other.intercept().to_bits(), "{order:?}");
            assert_eq!(one.terms().len(), other.terms().len());
            for (nth, term) in one.terms().iter().enumerate() {
                let place = other.terms().iter().position(|held| held.on == term.on).unwrap();
                let bits = |term: &Term| term.shape.figures().iter().map(|f| f.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(term), bits(&other.terms()[place]), "{order:?}: {:?}", term.on);
                assert_eq!(term, &other.terms()[place]);
                let redrawn = |model: &AdditiveModel, nth: usize| {
                    let refits = model.refits().unwrap();
                    let figures = 0..term.shape.figures().len();
                    let of =
                        |refit: usize| figures.clone().map(move |f| refits.figure(nth, refit, f).to_bits());
                    (0..3).flat_map(of).collect::<Vec<_>>()
                };
                assert_eq!(redrawn(&one, nth), redrawn(&other, place));
            }
            // What is listed is listed by name, pairs after single features: sums add up in one order.
            let alone = other.terms().iter().filter(|term| term.on.len() == 1);
            assert!(alone.map(|term| &term.on[0]).is_sorted());
            assert!(other.terms().is_sorted_by_key(|term| term.on.len()));
            assert_eq!(unused, other_unused);
            let names = |model: &AdditiveModel| -> Vec<Vec<String>> {
                model.terms().iter().map(|term| term.on.clone()).collect()
            };
            assert_eq!(names(&one), names(&other));
        }
    }
    assert!(pairs >= 4, "{pairs} pairs prove little");
}

#[test]
fn a_case_of_weight_two_counts_as_two_cases() {
    let rows = 4_000;
    let mut dice = Dice::new(12);
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); 3];
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let values = [dice.below(8), dice.below(5), dice.below(2)];
        let together = if (values[0] < 4) == (values[1] < 3) { 0.7 } else { -0.7 };
        outcomes.push(dice.chance(logistic(-1.5 + 0.2 * values[0] as f64 + together)));
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(if value == 4 { Cell::Missing } else { Cell::Value(value as f32) });
        }
    }
    let heavy: Vec<f32> = (0..rows).map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
    let families: Vec<u64> = (0..rows as u64).collect();
    let names = vec!["f0".to_owned(), "f1".into(), "f2".into()];
    let weighted = FeatureMatrix::from_cells(names.clone(), rows, &columns).unwrap();
    let twice: Vec<usize> = (0..rows).chain((0..rows).step_by(3)).collect();
    let doubled: Vec<Vec<Cell>> =
        columns.iter().map(|column| twice.iter().map(|&row| column[row]).collect()).collect();
    let doubled = FeatureMatrix::from_cells(names, twice.len(), &doubled).unwrap();
    let doubled_outcomes: Vec<bool> = twice.iter().map(|&row| outcomes[row]).collect();
    let doubled_families: Vec<u64> = twice.iter().map(|&row| families[row]).collect();
    let params = AdditiveParams::default();
    let directions = [Direction::None; 3];
    let (one, _) = fit(&params, &weighted, &directions, &outcomes, Some(&heavy), &families).unwrap();
    let (two, _) = fit(&params, &doubled, &directions, &doubled_outcomes, None, &doubled_families).unwrap();
    assert!(one.terms().iter().any(|term| term.on.len() == 2));
    assert!((one.intercept() - two.intercept()).abs() < 2e-3, "{} {}", one.intercept(), two.intercept());
    assert_eq!(one.terms().len(), two.terms().len());
    for (nth, (a, b)) in one.terms().iter().zip(two.terms()).enumerate() {
        assert_eq!(a.on, b.on);
        for (figure, (x, y)) in a.shape.figures().into_iter().zip(b.shape.figures()).enumerate() {
            assert!((x - y).abs() < 5e-3, "{:?} {figure}: {x} {y}", a.on);
            let deviation = |model: &AdditiveModel| model.refits().unwrap().figure(nth, 3, figure);
            assert!((deviation(&one) - deviation(&two)).abs() < 0.02);
        }
    }
}

/// Some data sets for what holds of all.
fn worlds() -> impl Iterator<Item = (World, Option<Vec<f32>>, AdditiveModel)> {
    (0..8_u64).map(|seed| {
        let world = World::new(
            70 + seed,
            2_500 + 500 * seed as usize,
            &CAST,
            (seed % 3 != 0).then_some((0, 3)),
            -1.8,
        );
        let mut dice = Dice::new(seed);
        let weights: Vec<f32> = world.outcomes.iter().map(|_| [0.0, 0.5, 1.0, 3.0][dice.below(4)]).collect();
        let weights = (seed % 2 == 0).then_some(weights);
        let directions = [Direction::None; CAST.len()];
        let (model, _) = fit(
            &world.params(),
            &world.matrix,
            &directions,
            &world.outcomes,
            weights.as_deref(),
            &world.families,
        )
        .unwrap();
        (world, weights, model)
    })
}

#[test]
fn contributions_add_up_and_are_nothing_on_average() {
    let mut grids = 0;
    for (world, weights, model) in worlds() {
        let explained = model.explain_all(&world.matrix).unwrap();
        let rows = world.matrix.rows();
        let mass = |row: usize| weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]));
        let total: f64 = (0..rows).map(mass).sum();
        let log_odds = model.log_odds(&world.matrix).unwrap();
        let contributions = explained.contributions();
        for (row, log_odds) in contributions.rows().into_iter().zip(&log_odds) {
            assert!((model.intercept() + row.sum() - log_odds).abs() < 1e-12);
        }
        for (nth, term) in model.terms().iter().enumerate() {
            let mean = (0..rows).map(|row| mass(row) * contributions[(row, nth)]).sum::<f64>() / total;
            assert!(mean.abs() < 1e-6, "{:?}: {mean}", term.on);
            let Shape::Grid { first, second, .. } = &term.shape else { continue };
            grids += 1;
            let places: Vec<usize> = model.places(nth).collect();
            for (axis, place) in [(first, places[0]), (second, places[1])] {
                let mut sums = vec![(0.0, 0.0); axis.bins()];
                for row in 0..rows {
                    let sum = &mut sums[axis.bin(world.matrix.cells(place).at(row))];
                    sum.0 += mass(row) * contributions[(row, nth)];
                    sum.1 += mass(row);
                }
                assert!(
                    sums.iter().all(|(sum, mass)| sum.abs() <= 1e-6 * mass.max(1.0)),
                    "{:?} {sums:?}",
                    term.on
                );
            }
        }
        // The scores of all cases foresee as many outcomes as there were, but for the least step of the fit.
        let foreseen: f64 = (0..rows).map(|row| mass(row) * logistic(log_odds[row])).sum();
        let seen: f64 = (0..rows).filter(|&row| world.outcomes[row]).map(mass).sum();
        assert!((foreseen / seen - 1.0).abs() < 0.01, "{foreseen} {seen}");
    }
    assert!(grids > 0);
}

#[test]
fn a_file_holds_the_very_bits() {
    for (world, _, model) in worlds().take(3) {
        let again: AdditiveModel = serde_json::from_str(&json(&model)).unwrap();
        assert_eq!(json(&again), json(&model));
        let bits = |model: &AdditiveModel| -> Vec<u64> {
            model.log_odds(&world.matrix).unwrap().iter().map(|score| score.to_bits()).collect()
        };
        assert_eq!(bits(&again), bits(&model));
        let drawn = |model: &AdditiveModel| model.refit_log_odds(&world.matrix, 4).unwrap().unwrap();
        assert_eq!(drawn(&again), drawn(&model));
    }
}

#[test]
fn missing_and_not_covered_are_each_their_own() {
    let rows = 6_000;
    let mut dice = Dice::new(31);
    let (mut cells, mut outcomes) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (cell, log_odds) = match dice.below(3) {
            0 => (Cell::Missing, -0.5),
            1 => (Cell::NotCovered, -2.5),
            _ => (Cell::Value(dice.below(4) as f32), -1.5),
        };
        cells.push(cell);
        outcomes.push(dice.chance(logistic(log_odds)));
    }
    let families: Vec<u64> = (0..rows as u64).collect();
    let matrix = FeatureMatrix::from_cells(vec!["f0".into()], rows, &[cells]).unwrap();
    let (model, _) =
        fit(&AdditiveParams::default(), &matrix, &[Direction::None], &outcomes, None, &families).unwrap();
    let of = |cell: Cell| {
        let case = FeatureMatrix::from_cells(vec!["f0".into()], 1, &[vec![cell]]).unwrap();
        model.log_odds(&case).unwrap()[0]
    };
    assert!((of(Cell::Missing) + 0.5).abs() < 0.2, "{}", of(Cell::Missing));
    assert!((of(Cell::NotCovered) + 2.5).abs() < 0.3, "{}", of(Cell::NotCovered));
    assert!((of(Cell::Value(2.0)) + 1.5).abs() < 0.3);
    assert_eq!(of(Cell::Missing).to_bits(), of(Cell::Value(f32::NAN)).to_bits());
}

#[test]
fn the_limit_on_terms_holds_unless_a_term_pays() {
    let kinds = [
        Planted::Count,
        Planted::Gaps,
        Planted::Flag,
        Planted::Bend,
        Planted::Noise,
        Planted::NoiseCount,
        Planted::Noise,
    ];
    let world = World::new(21, 12_000, &kinds, Some((0, 3)), -2.0);
    let terms = |most: Option<u32>| {
        let params = AdditiveParams { terms: most, ..world.params().refits(0) };
        let (model, _) = world.fit(&params);
        model.terms().iter().map(|term| term.on.clone()).collect::<Vec<_>>()
    };
    let (free, one, many) = (terms(None), terms(Some(1)), terms(Some(100)));
    assert_eq!(free, many, "a limit beyond the terms there are changes none");
    assert!(one.len() <= 6, "{one:?}");
    for place in [0, 1, 3] {
        assert!(one.contains(&vec![format!("f{place}")]), "what pays stays: {one:?}");
    }
    for place in [4, 5, 6] {
        assert!(!one.contains(&vec![format!("f{place}")]), "noise goes: {one:?}");
    }
    // A feature whose effect is next to nothing goes beyond the limit, and stays within it.
    let weak =
        World::new(22, 3_000, &[Planted::Count, Planted::Bend, Planted::Flag, Planted::Noise], None, -2.0);
    let params = |most: u32| weak.params().refits(0).terms(most);
    assert!(weak.fit(&params(2)).0.terms().len() <= weak.fit(&params(4)).0.terms().len());
}
