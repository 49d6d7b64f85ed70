//! The search for whole-number points with the least loss.
//!
//! The loss of a card depends on its cases only through how many have each total, so a neighbour (one
//! column with some points more or fewer) is judged from the counts of that column by total. One walk
//! over the cases yields these counts for all columns. From several starts, each a guess of what one point
//! is worth, columns are added one by one; then points are moved, dropped and swapped, two columns at a
//! time, until no such move lowers the loss. Offset and unit are refitted for each neighbour. Of a card that is
//! handed back the unit is shrunk by what its lines owe to having been chosen.
//!
//! # References
//! B. Ustun and C. Rudin, "Learning optimized risk scores", *Journal of Machine Learning Research* 20
//! (2019), for the problem and its polishing moves; J. Liu, C. Zhong, B. Li, M. Seltzer and C. Rudin,
//! "`FasterRisk`: fast and accurate interpretable risk scores", *Advances in Neural
//! Information Processing Systems* 35 (2022), for starts from several
//! units and for pools of near-equal cards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::bar::Bar;
use super::columns::{Table, YesNo};
use super::line::Line;
use super::state::{Move, Problem, State, is_lower};

/// Which way a column may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// Either way.
    Any,
    /// It may only raise the risk.
    Up,
    /// It may only lower it.
    Down,
}

/// What a card may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CardLimits {
    /// The most columns with points; `None` for as many as pay.
    pub(crate) terms: Option<usize>,
    /// Points lie between minus this and plus this; 1 or more.
    pub(crate) points: i32,
    /// How many cards are wanted, 1 or more; there may be fewer.
    pub(crate) cards: usize,
    /// Whether columns must pay for their lines; see [`Bar`].
    pub(crate) must_pay: bool,
}

/// A card over columns: `log-odds = offset + unit * sum of the points of the columns that say yes`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IntegerCard {
    /// Columns with points, in order.
    pub(crate) points: Vec<(usize, i32)>,
    /// What one point is worth in log-odds; above zero, or zero for a card without points.
    pub(crate) unit: f64,
    /// The log-odds at no points.
    pub(crate) offset: f64,
    /// The mean log loss over the cases.
    pub(crate) log_loss: f64,
}

/// Why there is no card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CardError {
    #[error("there are no cases")]
    Empty,
    #[error("there must be an outcome for each case, and a sign for each column")]
    Lengths,
    #[error("there must be a weight for each case, finite and not below zero")]
    Weights,
    #[error("there is only one outcome among the cases")]
    OneOutcome,
    #[error("a card needs room for a point or more (at most 1000), for a term or more, and one card or more")]
    Limits,
}

/// The best cards, best first, no two of them with the same columns.
///
/// The result depends neither on the number of threads nor on the order of the cases: all sums over cases
/// are sums of whole numbers (weights are rounded to less than a millionth of the largest).
pub(crate) fn search(
    columns: &[&YesNo],
    signs: &[Sign],
    outcomes: &[bool],
    weights: Option<&[f64]>,
    limits: &CardLimits,
) -> Result<Vec<IntegerCard>, CardError> {
    let rows = outcomes.len();
    if rows == 0 {
        return Err(CardError::Empty);
    }
    if signs.len() != columns.len() || columns.iter().any(|column| column.rows() != rows) {
        return Err(CardError::Lengths);
    }
    if !(1..=1000).contains(&limits.points) || limits.cards == 0 || limits.terms == Some(0) {
        return Err(CardError::Limits);
    }
    let (units, grain) = match weights {
        None => (None, 1.0),
        Some(weights) => whole_weights(weights, rows).map(|(units, grain)| (Some(units), grain))?,
    };
    let outcome: YesNo = outcomes.iter().copied().collect();
    let everything: YesNo = outcomes.iter().map(|_| true).collect();
    let weigh = |column: &YesNo| column.mass(units.as_deref()) as f64 * grain;
    let total = (weigh(&everything), weigh(&outcome));
    if total.1 <= 0.0 || total.1 >= total.0 {
        return Err(CardError::OneOutcome);
    }
    let kept = distinct(columns, signs);
    let held: Vec<&YesNo> = kept.iter().map(|&column| columns[column]).collect();
    let events = total.1.min(total.0 - total.1);
    let bounds = kept.iter().map(|&column| match signs[column] {
        Sign::Any => (-limits.points, limits.points),
        Sign::Up => (0, limits.points),
        Sign::Down => (-limits.points, 0),
    });
    let problem = Problem {
        bounds: bounds.collect(),
        yes: held.iter().map(|column| weigh(&column.and(&outcome))).collect(),
        table: Table::new(&held, rows, units),
        bar: if limits.must_pay { Bar::new(events, held.len()) } else { Bar::NONE },
        columns: held,
        origin: kept,
        total,
        grain,
        terms: limits.terms.unwrap_or(usize::MAX),
    };
    Ok(best_cards(&problem, limits))
}

/// The bits of a number that hold its power of two.
const EXPONENT: u64 = 0x7ff0_0000_0000_0000;

/// Weights in whole units of less than a millionth of the largest, and what a unit is worth: a power of two,
/// so that weights of 1 (and sums of them) stay what they are to the bit.
fn whole_weights(weights: &[f64], rows: usize) -> Result<(Arc<[u32]>, f64), CardError> {
    if weights.len() != rows || !weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0) {
        return Err(CardError::Weights);
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return Err(CardError::Empty);
    }
    // The largest weight with its fraction cut off is a power of two; it has 2^20 parts.
    let power = f64::from_bits(largest.to_bits() & EXPONENT).max(f64::MIN_POSITIVE);
    let grain = power / f64::from(1 << 20);
    Ok((weights.iter().map(|weight| (weight / grain).round() as u32).collect(), grain))
}

/// The columns that say something of their own: not those that always say the same, not repetitions, and
/// not the opposite of one that may count either way.
fn distinct(columns: &[&YesNo], signs: &[Sign]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let opposite_sign = |sign| match sign {
        Sign::Any => Sign::Any,
        Sign::Up => Sign::Down,
        Sign::Down => Sign::Up,
    };
    (0..columns.len())
        .filter(|&column| {
            let (held, sign) = (columns[column], signs[column]);
            let ones = held.ones();
            // Of a column and its opposite the one that says no of the first case stands for both.
            let (key, sign) =
                if held.get(0) { (held.opposite(), opposite_sign(sign)) } else { (held.clone(), sign) };
            ones > 0 && ones < held.rows() && seen.insert((key.fingerprint(), sign))
        })
        .collect()
}

/// Cards by the columns that they use: of each set only the best.
#[derive(Default)]
struct Pool(BTreeMap<Vec<usize>, Kept>);

#[derive(Clone)]
struct Kept {
    value: f64,
    points: Vec<(usize, i32)>,
    unit: f64,
    offset: f64,
    loss: f64,
}

impl Pool {
    /// Keeps the card that a move from a state leads to.
    fn note(&mut self, problem: &Problem<'_>, state: &State, next: &Move) {
        let mut points: Vec<(usize, i32)> = Vec::new();
        for (column, &held) in state.points.iter().enumerate() {
            let held = held + if column == next.column { next.step } else { 0 };
            if held != 0 {
                points.push((problem.origin[column], held));
            }
        }
        if next.value.is_finite() {
            let loss = next.sums.loss(next.line);
            let kept =
                Kept { value: next.value, points, unit: next.line.unit, offset: next.line.offset, loss };
            self.keep(kept);
        }
    }

    fn keep(&mut self, kept: Kept) {
        let columns = kept.points.iter().map(|&(column, _)| column).collect();
        match self.0.get(&columns) {
            Some(held) if !is_lower(kept.value, held.value) => {}
            _ => {
                self.0.insert(columns, kept);
            }
        }
    }
}

/// Searches from every start and hands back the best of all, none of them worse than the card without points.
fn best_cards(problem: &Problem<'_>, limits: &CardLimits) -> Vec<IntegerCard> {
    let pools: Vec<Pool> = starts(problem, limits)
        .into_par_iter()
        .map(|unit| {
            let mut pool = Pool::default();
            from_start(problem, unit, &mut pool);
            pool
        })
        .collect();
    let mut pool = Pool::default();
    for found in pools.into_iter().flat_map(|pool| pool.0.into_values()) {
        pool.keep(found);
    }
    let nothing = State::empty(problem, 0.0);
    let loss = nothing.sums.loss(nothing.line);
    pool.keep(Kept {
        value: nothing.value,
        points: Vec::new(),
        unit: 0.0,
        offset: nothing.line.offset,
        loss,
    });
    let mut cards: Vec<Kept> = pool.0.into_values().filter(|card| card.value <= nothing.value).collect();
    cards.sort_by(|a, b| a.value.total_cmp(&b.value).then_with(|| a.points.cmp(&b.points)));
    cards.truncate(limits.cards);
    if limits.must_pay {
        shrink(problem, &nothing, &mut cards);
    }
    cards.iter().map(|card| finished(problem, card)).collect()
}

/// Leaves of each card's unit what stands of its gain; see [`Bar::stands`].
fn shrink(problem: &Problem<'_>, nothing: &State, cards: &mut [Kept]) {
    let used: BTreeSet<usize> = cards.iter().flat_map(|card| &card.points).map(|held| held.0).collect();
    let is_used = |place: &usize| used.contains(&problem.origin[*place]);
    let part = problem.narrowed(&(0..problem.origin.len()).filter(is_used).collect::<Vec<_>>());
    for card in cards.iter_mut().filter(|card| !card.points.is_empty()) {
        let start = Line { unit: card.unit, offset: card.offset };
        let (state, without) = State::of(&part, &card.points, start);
        let gain = nothing.value - (state.value - problem.bar.of_lines(without.len()));
        let unit = state.line.unit * problem.bar.stands(gain, &without);
        let (line, _) = state.sums.fit(Line { unit, ..state.line }, false);
        (card.unit, card.offset, card.loss) = (line.unit, line.offset, state.sums.loss(line));
    }
}

/// A card, its points without a common divisor.
fn finished(problem: &Problem<'_>, card: &Kept) -> IntegerCard {
    let divisor = card.points.iter().fold(0, |common, &(_, points)| gcd(common, points.abs())).max(1);
    IntegerCard {
        points: card.points.iter().map(|&(column, points)| (column, points / divisor)).collect(),
        unit: card.unit * f64::from(divisor),
        offset: card.offset,
        log_loss: card.loss / problem.total.0,
    }
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What one point may be worth at the start: the strongest column, alone, is to get a third of the limit, or
/// more, up to twice the limit (where it would be cut to it). Most starts end at one card; the others are
/// there for the cases where that is not the best.
fn starts(problem: &Problem<'_>, limits: &CardLimits) -> Vec<f64> {
    let mut state = State::empty(problem, 1.0);
    let tally = state.tally(problem);
    let strongest = state.strongest(problem, &tally);
    // With as many lines as pay, what one cannot say another can: one fine start is enough.
    let shares: &[f64] = if limits.terms.is_none() { &[1.5] } else { &[2.2, 1.5, 1.0, 0.7, 0.45, 0.3] };
    shares.iter().map(|share| strongest / (share * f64::from(limits.points))).collect()
}

/// One start: columns are added while the unit stands still, then everything moves.
fn from_start(problem: &Problem<'_>, unit: f64, pool: &mut Pool) {
    let mut state = State::empty(problem, unit);
    settle(problem, &mut state, false, pool);
    state.refit(problem);
    settle(problem, &mut state, true, pool);
}

/// More columns than this are searched in parts: a case's bits then fit in two or three words. A part holds
/// twice the columns that are looked at closely, so that it lasts for several moves.
const PART: usize = 96;

/// Moves until no move lowers the value. Of many columns only those with most promise are counted again
/// and again; the others are looked at when these are done.
fn settle(problem: &Problem<'_>, state: &mut State, free: bool, pool: &mut Pool) {
    if problem.columns.len() <= 2 * PART {
        improve(problem, state, free, pool);
        return;
    }
    loop {
        let before = state.value;
        let tally = state.tally(problem);
        let columns = state.most_promising(problem, &tally, free, PART);
        let part = problem.narrowed(&columns);
        let mut narrow = state.narrowed(&columns);
        improve(&part, &mut narrow, free, pool);
        state.widen(&columns, narrow);
        if !is_lower(state.value, before) {
            return;
        }
    }
}

/// Longer cards than this are not searched two columns at a time: that takes three walks over the cases for
/// each column, and of many columns one more step elsewhere does as well.
const PAIRED: usize = 24;

/// Moves of one column until none lowers the value, then of two, and again.
fn improve(problem: &Problem<'_>, state: &mut State, free: bool, pool: &mut Pool) {
    climb(problem, state, free, pool);
    while free && state.terms() <= PAIRED && swap(problem, state, pool) {
        climb(problem, state, free, pool);
    }
}

/// Takes the best move of one column until none lowers the value.
fn climb(problem: &Problem<'_>, state: &mut State, free: bool, pool: &mut Pool) {
    loop {
        let tally = state.tally(problem);
        let moves = state.moves(problem, &tally, free);
        for next in &moves {
            pool.note(problem, state, next);
        }
        match moves.into_iter().next() {
            Some(best) if is_lower(best.value, state.value) => state.take(problem, best),
            _ => return,
        }
    }
}

/// Moves two columns at once: one of the card is dropped or moved by a point, and the best answer to it
/// taken if both together lower the value. Says whether there was one.
fn swap(problem: &Problem<'_>, state: &mut State, pool: &mut Pool) -> bool {
    let tally = state.tally(problem);
    let mut firsts = Vec::new();
    for column in state.chosen() {
        let (low, high) = problem.bounds[column];
        let points = state.points[column];
        let mut steps = vec![-points, -1, 1];
        steps.retain(|step| (low..=high).contains(&(points + step)));
        steps.dedup();
        firsts.extend(steps.into_iter().map(|step| state.step(problem, &tally, column, step, true)));
    }
    firsts.sort_by(|a, b| a.value.total_cmp(&b.value).then((a.column, a.step).cmp(&(b.column, b.step))));
    for first in firsts {
        if !first.value.is_finite() {
            continue;
        }
        let mut next = state.clone();
        next.take(problem, first);
        let tally = next.tally(problem);
        let answers = next.moves(problem, &tally, true);
        for answer in &answers {
            pool.note(problem, &next, answer);
        }
        if let Some(best) = answers.into_iter().next()
            && is_lower(best.value, state.value)
        {
            next.take(problem, best);
            *state = next;
            return true;
        }
    }
    false
}
