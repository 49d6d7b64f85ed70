//! Where steps are cut, and that rows fall where the model will look for them.

use super::super::bins::{self, codes, codes_in};
use super::super::levels::Levels;
use super::Dice;
use crate::features::Cell;
use crate::model::Axis;
use crate::model::shape::code_edges;

/// Edges where the outcome is the same everywhere.
fn edges(cells: &[f32], most: usize) -> Vec<f64> {
    bins::edges(cells.into(), (&vec![false; cells.len()], None), most).at
}

#[test]
fn few_values_have_a_step_each_however_rare() {
    let mut cells = vec![f32::NAN; 5];
    for (value, count) in [(0.0, 3), (1.0, 4), (2.0, 2), (5.0, 90), (9.0, 1), (10.0, 900)] {
        cells.extend(vec![value; count]);
    }
    assert_eq!(edges(&cells, 6), [0.5, 1.5, 4.0, 8.0, 9.5]);
    assert_eq!(edges(&cells, 64), edges(&cells, 6));
    let joined = edges(&cells, 3);
    assert!(joined.len() == 2 && joined.contains(&9.5), "the commonest value stands alone: {joined:?}");
}

#[test]
fn many_values_are_cut_to_steps_of_about_one_size() {
    let mut dice = Dice::new(1);
    let cells: Vec<f32> =
        (0..20_000).map(|_| if dice.chance(0.5) { 0.0 } else { dice.normal().abs() as f32 }).collect();
    let edges = edges(&cells, 32);
    assert!((30..32).contains(&edges.len()), "{}", edges.len());
    let mut counts = vec![0; 34];
    for code in codes(cells[..].into(), &edges) {
        counts[usize::from(code)] += 1;
    }
    assert!(counts[0] > 9_000, "zeros");
    assert!(counts[1..=edges.len()].iter().all(|&count| (200..=450).contains(&count)), "{counts:?}");
}

#[test]
fn no_amount_can_be_worked_out_of_the_edges() {
    // Each is one person's; the edges used to be half way, so that one followed from the other.
    let cells = [0.0, 0.0, 312.48, 1_250.5, 77_777.25];
    let edges = edges(&cells, 64);
    assert_eq!(edges, [200.0, 1_000.0, 50_000.0]);
    let mut value = 0.0;
    for (edge, held) in edges.iter().zip(&cells[2..]) {
        value = 2.0 * edge - value;
        assert!((value - f64::from(*held)).abs() > 0.05 * f64::from(*held), "{value}");
    }
}

#[test]
fn training_and_scoring_see_the_same_step() {
    let mut dice = Dice::new(2);
    // Neighbouring numbers in single precision: an edge between them is no such number itself.
    let mut cells: Vec<f32> =
        vec![1.0, 1.0_f32.next_up(), 1.0_f32.next_up().next_up(), 16_777_216.0, 16_777_218.0];
    cells.extend([f32::MAX, f32::MIN, 0.0, -0.0, f32::NAN, Cell::NOT_COVERED, f32::MIN_POSITIVE]);
    cells.extend((0..500).map(|_| (dice.normal() * 10.0_f64.powf(8.0 * dice.uniform() - 4.0)) as f32));
    for most in [2, 7, 64, 254] {
        let edges = edges(&cells, most);
        assert!(edges.len() < most);
        let axis = Axis::new(edges.clone()).unwrap();
        for (&cell, code) in cells.iter().zip(codes(cells[..].into(), &edges)) {
            assert_eq!(axis.bin(Cell::decode(cell)), usize::from(code), "{cell} with {most} steps");
        }
    }
    // Halfway between neighbours is no single-precision number: rounding must not take a value along.
    let neighbours = &cells[..3];
    let halves = edges(neighbours, 3);
    assert_eq!(codes(neighbours.into(), &halves), [0, 1, 2]);
    let codes_of = [0.0, 4.0, 2.0, f32::NAN, Cell::NOT_COVERED, 900.0];
    let category = code_edges(codes_in(codes_of[..5].into()));
    assert_eq!(codes(codes_of[..].into(), &category), [0, 4, 2, 6, 7, 5]);
    assert_eq!(Levels::apart(5).codes(codes_of[..].into()), [0, 4, 2, 6, 7, 5]);
}

#[test]
fn a_step_is_cut_again_only_where_outcomes_differ_within_it() {
    let mut dice = Dice::new(3);
    let values: Vec<f32> = (0..20_000).map(|_| dice.below(400) as f32).collect();
    let plain = edges(&values, 64).len();
    let cut = |chance: &dyn Fn(f32) -> f64, dice: &mut Dice| {
        let outcomes: Vec<bool> = values.iter().map(|&value| dice.chance(chance(value))).collect();
        let edges = bins::edges(values[..].into(), (&outcomes, None), 64);
        assert_eq!(edges.are_cut_again, edges.at.len() > plain);
        edges.at
    };
    // A jump at one value of many, amid a step: it has a step of its own.
    let spike = cut(&|value| if (value - 203.0).abs() < 0.5 { 0.9 } else { 0.2 }, &mut dice);
    assert!(spike.contains(&202.5) && spike.contains(&203.5), "{spike:?}");
    // A level that changes amid a step.
    let level = cut(&|value| if value < 203.0 { 0.1 } else { 0.5 }, &mut dice);
    assert!(level.contains(&202.5), "{level:?}");
    // What says nothing, or changes slowly, has the steps that it had.
    let mut more = 0;
    for _ in 0..50 {
        more += usize::from(cut(&|_| 0.2, &mut dice).len() > plain);
        more += usize::from(cut(&|value| 0.1 + f64::from(value) / 800.0, &mut dice).len() > plain);
    }
    assert!(more <= 12, "{more} of 100 have more steps than were asked for");
}

#[test]
fn rare_codes_share_a_step_and_others_have_their_own() {
    let (mut cells, mut families) = (Vec::new(), Vec::new());
    // Codes 0 and 3 of many families; 1 and 4 of nine each, at many dates; 2 of nobody.
    for (code, of, dates) in [(0, 50, 1), (3, 40, 1), (1, 9, 8), (4, 9, 1)] {
        for family in 0..of {
            cells.extend(vec![code as f32; dates]);
            families.extend(vec![code * 1_000 + family; dates]);
        }
    }
    cells.push(f32::NAN);
    families.push(9_999);
    let levels = Levels::grouped(cells[..].into(), codes_in(cells[..].into()), &families);
    let probe = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 70_000.0, f32::NAN, Cell::NOT_COVERED];
    assert_eq!(levels.codes(probe[..].into()), [0, 2, 3, 1, 2, 3, 3, 4, 5]);
    assert_eq!((levels.steps(), levels.sharing()), (4, 2));
    assert_eq!(levels.spread(), [0, 2, 3, 1, 2, 3, 4, 5]);
    // One rare code has nobody to share with.
    let is_rare = |cell: &&f32| (**cell - 4.0).abs() < 0.5;
    let kept: Vec<usize> = (0..cells.len()).filter(|&row| !is_rare(&&cells[row])).collect();
    let (cells, families): (Vec<f32>, Vec<u64>) = kept.iter().map(|&row| (cells[row], families[row])).unzip();
    assert_eq!(Levels::grouped(cells[..].into(), 5, &families), Levels::apart(5));
}

#[test]
fn beyond_the_commonest_codes_the_others_share_a_step() {
    let cells: Vec<f32> = (0..300).flat_map(|code| vec![code as f32; 40 - code / 10]).collect();
    let families: Vec<u64> = (0..cells.len() as u64).collect();
    let levels = Levels::grouped(cells[..].into(), 300, &families);
    assert_eq!((levels.steps(), levels.sharing()), (254, 48));
    let spread = levels.spread();
    assert_eq!(spread.len(), 303);
    assert!((0..252).all(|code| spread[code] == code) && spread[252..300].iter().all(|&step| step == 252));
}

#[test]
fn the_ends_have_finer_steps_where_they_have_the_cases() {
    let mut dice = Dice::new(4);
    let cells: Vec<f32> = (0..20_000).map(|_| dice.normal() as f32).collect();
    let counts = |rows: usize, most: usize| {
        let edges = edges(&cells[..rows], most);
        let mut counts = vec![0; edges.len() + 1];
        for code in codes(cells[..rows].into(), &edges) {
            counts[usize::from(code)] += 1;
        }
        counts
    };
    let fine = counts(20_000, 64);
    assert_eq!(fine.len(), 70);
    for inwards in [fine.clone(), fine.into_iter().rev().collect()] {
        let shares: Vec<f64> = inwards[..5].iter().map(|&count| f64::from(count) * 64.0 / 20_000.0).collect();
        for (share, wanted) in shares.iter().zip([0.125, 0.125, 0.25, 0.5, 1.0]) {
            assert!((share - wanted).abs() < 0.02, "{shares:?}");
        }
    }
    // Of few cases there is nothing to halve, a setting below the default is a limit, and a step is a byte.
    assert_eq!(counts(1_000, 64).len(), 64);
    assert_eq!(counts(20_000, 63).len(), 63);
    assert_eq!(counts(20_000, 254).len(), 254);
    // Half of all are one value at the lower end: it is one step.
    let floor: Vec<f32> = cells.iter().map(|&cell| cell.max(0.0)).collect();
    let edges = edges(&floor, 64);
    assert_eq!(
        codes(floor[..].into(), &edges).into_iter().map(usize::from).filter(|&code| code == 0).count(),
        floor.iter().filter(|&&cell| cell <= 0.0).count()
    );
}
