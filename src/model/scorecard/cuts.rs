//! The yes/no questions that a card may ask of a feature.

use super::card::Condition;
use super::columns::YesNo;
use super::search::Sign;
use crate::features::{Cells, Direction, Exact, FeatureMatrix};
use crate::model::footing::{self, is_broad};
use crate::stats::round_between;

/// A question, and the answers of all cases.
pub(super) struct Question {
    pub(super) feature: usize,
    pub(super) condition: Condition,
    pub(super) sign: Sign,
    pub(super) answers: YesNo,
}

/// Fewer cases, and fewer families, than this on one side of a question are too few to learn from.
const FEWEST: u32 = footing::FEWEST as u32;

/// Intervals of about equal numbers of cases among which cuts are chosen. 64 leave at most 1.6% of the
/// cases between a cut and the best place for it, and keep the choice to some thousand steps a feature.
const INTERVALS: usize = 64;

/// The questions that may be asked of every feature: `at least` each of at most `most_cuts` cuts, and
/// whether the value is missing or not covered where that was seen often enough. Where cells are absent,
/// `below` is not the opposite of `at least`, and is asked too. Of a feature of so many `codes` each is asked for: no cut
/// among them means anything.
pub(super) fn questions(
    (matrix, outcomes): (&FeatureMatrix, &[bool]),
    (directions, codes): (&[Direction], &[Option<usize>]),
    families: Option<&[u64]>,
    most_cuts: usize,
) -> Vec<Question> {
    let mut questions = Vec::new();
    // Of equally good cards the first is taken: which that is must not depend on the order of columns.
    for feature in matrix.by_name() {
        let direction = directions[feature];
        let cells = matrix.cells(feature);
        let rows = cells.len() as u32;
        let mut ask = |condition: Condition, sign: Sign| {
            let of = |wanted: bool| {
                let holds = |row: &usize| condition.holds(cells.at(*row)) == wanted;
                is_broad((0..cells.len()).filter(holds), families)
            };
            // Without families the cuts have cases enough on both sides as they are.
            if families.is_some() && !(of(true) && of(false)) {
                return;
            }
            let answers: YesNo = cells.iter().map(|cell| condition.holds(cell)).collect();
            questions.push(Question { feature, condition, sign, answers });
        };
        let (up, down) = match direction {
            Direction::None => (Sign::Any, Sign::Any),
            Direction::Rising => (Sign::Up, Sign::Down),
            Direction::Falling => (Sign::Down, Sign::Up),
        };
        let intervals = Intervals::of(cells, outcomes);
        let is_seen = |count: u32| count >= FEWEST && count + FEWEST <= rows;
        let codes = codes.get(feature).copied().flatten();
        if let Some(codes) = codes {
            // One more than there are codes stands for any other.
            let mut counts = vec![0; codes + 1];
            for value in cells.iter().filter_map(Exact::value) {
                counts[(value as usize).min(codes)] += 1;
            }
            for (code, _) in counts.iter().enumerate().filter(|(_, count)| is_seen(**count)) {
                ask(Condition::Is(code as u32), Sign::Any);
            }
        }
        let cuts = if codes.is_some() { Vec::new() } else { intervals.cuts(most_cuts) };
        for &cut in &cuts {
            ask(Condition::AtLeast(cut), up);
        }
        if is_seen(intervals.missing) || is_seen(intervals.not_covered) {
            for &cut in &cuts {
                ask(Condition::Below(cut), down);
            }
        }
        for (count, condition) in
            [(intervals.missing, Condition::Missing), (intervals.not_covered, Condition::NotCovered)]
        {
            if is_seen(count) {
                ask(condition, Sign::Any);
            }
        }
    }
    questions
}

/// Values that lie close together.
#[derive(Debug, Clone, Copy)]
struct Interval {
    least: f64,
    most: f64,
    cases: u32,
    yes: u32,
}

impl Interval {
    const NONE: Self = Self { least: f64::INFINITY, most: f64::NEG_INFINITY, cases: 0, yes: 0 };

    fn take(&mut self, value: f64, outcome: bool) {
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.cases += 1;
        self.yes += u32::from(outcome);
    }

    /// A quarter of the way down from its end, and up from its beginning: a cut may stray so far to be
    /// round. Of cases it moves less than half a percent; an interval of one value it never parts.
    fn quarter_below(&self) -> f64 {
        self.most - 0.25 * (self.most - self.least)
    }

    fn quarter_above(&self) -> f64 {
        self.least + 0.25 * (self.most - self.least)
    }

    fn join(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.cases += other.cases;
        self.yes += other.yes;
    }
}

/// A feature's values in intervals, lowest first.
struct Intervals {
    held: Vec<Interval>,
    missing: u32,
    not_covered: u32,
}

impl Intervals {
    fn of(cells: Cells<'_>, outcomes: &[bool]) -> Self {
        let (mut missing, mut not_covered) = (0, 0);
        // By the first 16 bits of a number: two significant digits, whole numbers to 256 apart.
        let mut held = vec![Interval::NONE; 1 << 16];
        for (cell, &outcome) in cells.iter().zip(outcomes) {
            match cell {
                Exact::Value(value) => held[(rank(value as f32) >> 16) as usize].take(value, outcome),
                Exact::Missing => missing += 1,
                Exact::NotCovered => not_covered += 1,
            }
        }
        held.retain(|interval| interval.cases > 0);
        let all: u32 = held.iter().map(|interval| interval.cases).sum();
        let share = all / INTERVALS as u32;
        if held.iter().any(|interval| interval.cases > share && interval.least < interval.most) {
            held = one_by_one(cells, outcomes);
        }
        Self { held: joined(held, share), missing, not_covered }
    }

    /// The cuts, at most `most`, that part the intervals with the greatest likelihood of the outcomes,
    /// by dynamic programming.
    ///
    /// # References
    /// W. D. Fisher, "On grouping for maximum homogeneity", *Journal of the American Statistical
    /// Association* 53 (1958).
    fn cuts(&self, most: usize) -> Vec<f64> {
        let count = self.held.len();
        if count < 2 {
            return Vec::new();
        }
        let mut sums = vec![(0_u32, 0_u32)];
        for interval in &self.held {
            let (cases, yes) = sums[sums.len() - 1];
            sums.push((cases + interval.cases, yes + interval.yes));
        }
        let part = |from: usize, to: usize| {
            let (cases, yes) = (sums[to].0 - sums[from].0, sums[to].1 - sums[from].1);
            if cases < FEWEST { f64::NEG_INFINITY } else { likelihood(cases, yes) }
        };
        // best[to]: the likelihood of the first `to` intervals in so many parts; from[parts][to]: where
        // the last of the parts begins.
        let mut best: Vec<f64> =
            (0..=count).map(|to| if to == 0 { f64::NEG_INFINITY } else { part(0, to) }).collect();
        let mut from: Vec<Vec<usize>> = Vec::new();
        let mut ends = vec![best[count]];
        for parts in 1..=most.min(count - 1) {
            let mut next = vec![f64::NEG_INFINITY; count + 1];
            let mut begins = vec![0; count + 1];
            for to in parts + 1..=count {
                for (start, before) in best.iter().enumerate().take(to).skip(parts) {
                    let value = before + part(start, to);
                    if value > next[to] {
                        (next[to], begins[to]) = (value, start);
                    }
                }
            }
            ends.push(next[count]);
            from.push(begins);
            best = next;
        }
        // The most parts that can be had: the card's search decides which of their cuts pay.
        let parts = (0..ends.len()).rev().find(|&parts| ends[parts].is_finite()).unwrap_or(0);
        let (mut cuts, mut to) = (Vec::new(), count);
        for begins in from[..parts].iter().rev() {
            to = begins[to];
            cuts.push(round_between(self.held[to - 1].quarter_below(), self.held[to].quarter_above()));
        }
        cuts.reverse();
        cuts
    }
}

/// A whole number that orders as floats do.
fn rank(value: f32) -> u32 {
    // Minus nought is nought.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// An interval for each different value.
fn one_by_one(cells: Cells<'_>, outcomes: &[bool]) -> Vec<Interval> {
    let mut values: Vec<(f64, bool)> = cells
        .iter()
        .zip(outcomes)
        .filter_map(|(cell, &outcome)| cell.value().map(|value| (value, outcome)))
        .collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut held: Vec<Interval> = Vec::new();
    for (value, outcome) in values {
        match held.last_mut() {
            Some(last) if last.most >= value => last.take(value, outcome),
            _ => {
                let mut first = Interval::NONE;
                first.take(value, outcome);
                held.push(first);
            }
        }
    }
    held
}

/// Neighbours joined until each holds its share of the cases.
fn joined(held: Vec<Interval>, share: u32) -> Vec<Interval> {
    if held.len() <= INTERVALS {
        return held;
    }
    let mut wide: Vec<Interval> = Vec::new();
    let mut open = Interval::NONE;
    for interval in held {
        // A value that is a share of its own stays apart.
        if interval.cases >= share && open.cases > 0 {
            wide.push(std::mem::replace(&mut open, Interval::NONE));
        }
        open.join(&interval);
        if open.cases >= share {
            wide.push(std::mem::replace(&mut open, Interval::NONE));
        }
    }
    if open.cases > 0 {
        wide.push(open);
    }
    wide
}

/// The logarithm of the likelihood of outcomes at their own rate.
fn likelihood(cases: u32, yes: u32) -> f64 {
    let part = |some: u32| {
        if some == 0 { 0.0 } else { f64::from(some) * (f64::from(some) / f64::from(cases)).ln() }
    };
    part(yes) + part(cases - yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_where_the_rate_changes() {
        let cells: Vec<f32> = (0..6000).map(|row| (row % 3000) as f32 / 10.0).collect();
        let outcomes: Vec<bool> = cells
            .iter()
            .enumerate()
            .map(|(row, &value)| {
                row % 10
                    < if value < 100.0 {
                        1
                    } else if value < 250.0 {
                        3
                    } else {
                        6
                    }
            })
            .collect();
        let cuts = Intervals::of(cells[..].into(), &outcomes).cuts(2);
        assert_eq!(cuts.len(), 2);
        assert!((cuts[0] - 100.0).abs() < 5.0 && (cuts[1] - 250.0).abs() < 5.0, "{cuts:?}");
    }

    #[test]
    fn years_are_told_apart() {
        let cells: Vec<f32> = (0..1000).map(|row| (2010 + row % 10) as f32).collect();
        let outcomes: Vec<bool> = cells.iter().map(|&year| year >= 2017.0).collect();
        assert_eq!(Intervals::of(cells[..].into(), &outcomes).cuts(1), [2017.0]);
    }

    #[test]
    fn rank_orders_as_numbers_do() {
        let values = [f32::MIN, -2.0, -1.0, -0.5, -1e-30, 0.0, 1e-30, 0.5, 1.0, 2.0, f32::MAX];
        assert!(values.windows(2).all(|pair| rank(pair[0]) < rank(pair[1])));
        assert_eq!(rank(-0.0), rank(0.0));
    }
}
