//! Which groups and which counts are held back, so that no number of people under the minimum is shown or
//! can be worked out from what is shown.
//!
//! Four numbers are guarded alike: the rows of a group; those with the outcome and those without it; those
//! selected and those not selected; and the four cells of the confusion matrix. A group whose rows are too few is not
//! shown at all. A group in which those with the outcome (or without it) are too few has no figure that knows of the
//! outcome, since from several such figures the number could be worked out; likewise for the selection, and for the cells
//! every figure that knows of both, such as the share of those with the outcome who were selected.
//!
//! **None is not few.** One person with the outcome among those of a group is somebody, whom a neighbour may find;
//! that nobody of 2,000 has it names no one, and that everybody was selected is a rule, not a person. So 0 and all
//! are shown, if the group itself has the minimum of rows: the worst a list can do to a group must not
//! be what a report leaves out. What it does tell, that a person known to be of the group was not (or was) selected,
//! is true of a whole group and said of the group.
//!
//! **A verdict is not a number.** Whether groups differ is judged on the true counts and said even where the numbers
//! are withheld. A reader learns from it no more than a range of counts. Where the verdict on a share would be another
//! for every other small count, so that it would tell the very number, it is withheld as well, and said to be withheld;
//! see [`gives_away`].
//!
//! **Together** means different people. Somebody who moved house, or was seen as of several dates, can be in two groups; of
//! what several cells hold together each person is counted in the first cell alone, so that twelve people in two groups
//! are never taken for twenty-four.
//!
//! The total over all groups is known. So no group is ever the only one held back, and what is held back
//! is together never under the minimum, beyond the one row that each group listed by name must have. In a table
//! of pairs this is asked of every row and column, whose totals are the groups of the single columns; and a cell
//! that follows from several totals together (a bridge of the graph whose nodes are rows and columns, and whose
//! edges are the cells held back) is joined by others until it does not. Where the groups of one column lie within those
//! of another, each of these is a total as well. What else three columns tell about each other is not looked at: pairs share
//! only the totals of single columns.
//!
//! # References
//! D. Gusfield (1988), "A graph theoretic approach to statistical data security", *SIAM Journal on Computing*
//! 17:552-571, on bridges. L. H. Cox (1980), "Suppression methodology and statistical disclosure control",
//! *Journal of the American Statistical Association* 75:377-385.

use super::super::people::{Counted, Parts};

/// From what number on one may be known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    /// Smaller numbers are held back.
    least: u64,
    /// What is known of every cell that is held back: how much it holds at least.
    at_least: u64,
}

impl Guard {
    /// For rows: a group that is held back is listed by name, so it is known to have one. Ten groups that hold
    /// ten rows together would all be known to have exactly one.
    pub(crate) fn of_rows(least: u64) -> Self {
        Self { least, at_least: 1 }
    }

    /// For those with the outcome and without it, selected and not: a group may have none.
    pub(crate) fn of_parts(least: u64) -> Self {
        Self { least, at_least: 0 }
    }

    /// Whether so many cells, that hold `sum` together, leave enough unknown.
    fn is_enough(self, count: usize, sum: u64) -> bool {
        sum.saturating_sub(count as u64 * self.at_least) >= self.least
    }
}

/// Whether a number is small enough to point at people: above 0 and under the minimum.
pub(super) fn is_few(number: u64, least: u64) -> bool {
    number > 0 && number < least
}

/// Whether a number or its complement is.
pub(crate) fn few_of_either(parts: Parts, least: u64) -> bool {
    parts.into_iter().any(|part| is_few(part, least))
}

/// Whether what is `said` would give away a small `number` of people to a reader who knows everything else: when
/// of all small numbers, counted from none and from all of `of`, this one alone would have it said.
pub(super) fn gives_away<T: PartialEq>(
    (number, of): (u64, u64),
    least: u64,
    said: &T,
    would_say: impl Fn(u64) -> T,
) -> bool {
    if !few_of_either([number, of.saturating_sub(number)], least) {
        return false;
    }
    let small = (1..least.min(of)).flat_map(|few| [few, of - few]);
    let mut others = small.filter(|&other| other != number);
    !others.any(|other| would_say(other) == *said)
}

/// Holds back more of `cells` until none can be worked out from their total. `held` says which are held back
/// to begin with; from the smallest up (the first of equals), each that is too small is added, and then as
/// many more as it takes.
pub(crate) fn hold_back(cells: &[Counted], held: &mut [bool], guard: Guard) {
    for (cell, held) in held.iter_mut().enumerate() {
        *held |= few_of_either(cells[cell].parts, guard.least);
    }
    let mut order: Vec<usize> = (0..cells.len()).filter(|&cell| !held[cell]).collect();
    order.sort_by_key(|&cell| smaller(cells[cell].parts));
    let mut hidden = Hidden::of(cells, held);
    for cell in order {
        if hidden.is_unknown(guard) {
            break;
        }
        held[cell] = true;
        hidden.add(cells[cell]);
    }
}

/// What is held back of cells whose total is known.
#[derive(Default)]
struct Hidden {
    cells: usize,
    new: Parts,
}

impl Hidden {
    fn of(cells: &[Counted], held: &[bool]) -> Self {
        let mut hidden = Self::default();
        cells.iter().zip(held).filter(|(_, held)| **held).for_each(|(&cell, _)| hidden.add(cell));
        hidden
    }

    fn add(&mut self, cell: Counted) {
        self.cells += 1;
        self.new.iter_mut().zip(cell.new).for_each(|(sum, new)| *sum += new);
    }

    /// Whether it cannot be worked out, or is nothing.
    fn is_unknown(&self, guard: Guard) -> bool {
        let are_enough = || self.new.iter().all(|&sum| guard.is_enough(self.cells, sum));
        self.cells == 0 || (self.cells > 1 && are_enough())
    }
}

/// A group of one column, and the groups of another that make it up.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) group: usize,
    pub(super) parts: Vec<usize>,
}

/// The groups of several columns, one behind the other, and which of them are made up of groups of another column: a broad
/// ethnicity of detailed ones. Such a group is a total that is known, as that of all rows is.
pub(super) struct Columns {
    pub(super) each: Vec<std::ops::Range<usize>>,
    pub(super) wholes: Vec<Whole>,
}

impl Columns {
    /// Holds back more groups, until none can be worked out from the total of its column or from a group that it is part of.
    pub(super) fn hold_back(&self, people: &[Counted], mut held: Vec<bool>, guard: Guard) -> Vec<bool> {
        loop {
            let before = held.clone();
            // Within wholes first: what joins there is enough for the column as well, and need not be joined elsewhere.
            for Whole { group, parts } in &self.wholes {
                let cells: Vec<Counted> = parts.iter().map(|&part| people[part]).collect();
                let mut hidden: Vec<bool> = parts.iter().map(|&part| held[part] || held[*group]).collect();
                if !held[*group] {
                    hold_back(&cells, &mut hidden, guard);
                    // Where it has too few parts for that, it is held back with them.
                    held[*group] = !Hidden::of(&cells, &hidden).is_unknown(guard);
                }
                for (&part, is_hidden) in parts.iter().zip(hidden) {
                    held[part] = is_hidden;
                }
            }
            for column in &self.each {
                hold_back(&people[column.clone()], &mut held[column.clone()], guard);
            }
            if held == before {
                return held;
            }
        }
    }
}

/// What cells are held back by: the smallest first. One that has none of either adds nothing to what is unknown, so
/// it comes after all others.
pub(super) fn smaller(parts: Parts) -> (bool, u64) {
    let least = parts[0].min(parts[1]);
    (least == 0, least)
}

/// Which groups are held back whose people are so many: both parts of each are the same.
pub(crate) fn held_back(sizes: &[Counted], least: u64) -> Vec<bool> {
    let mut held = vec![false; sizes.len()];
    hold_back(sizes, &mut held, Guard::of_rows(least));
    held
}

/// Holds back more groups, until none whose members are parted in two shows a part that is too small.
pub(crate) fn hold_back_parts(parts: &[Counted], held: &mut [bool], least: u64) {
    hold_back(parts, held, Guard::of_parts(least));
}

/// A table of pairs: for each cell that has rows, its row, its column, and its people.
pub(super) struct PairCells<'a> {
    pub(super) places: &'a [(usize, usize)],
    pub(super) people: &'a [Counted],
    /// Which groups of the first, and of the second column are held back themselves.
    pub(super) margins: (&'a [bool], &'a [bool]),
}

impl PairCells<'_> {
    /// Which cells are held back. `begin` says which are to begin with, empty for none; of a row or column that
    /// is held back itself, all are.
    pub(super) fn hold_back(&self, begin: &[bool], guard: Guard) -> Vec<bool> {
        let (rows, columns) = self.margins;
        let outside = |(cell, &(row, column)): (usize, &(usize, usize))| {
            rows[row] || columns[column] || begin.get(cell).copied().unwrap_or(false)
        };
        let mut held: Vec<bool> = self.places.iter().enumerate().map(outside).collect();
        loop {
            let before = held.clone();
            for row in 0..rows.len() {
                self.line(|place| place.0 == row, &mut held, guard);
            }
            for column in 0..columns.len() {
                self.line(|place| place.1 == column, &mut held, guard);
            }
            if held == before && !self.cross_a_bridge(&mut held) {
                return held;
            }
        }
    }

    fn line(&self, on: impl Fn((usize, usize)) -> bool, held: &mut [bool], guard: Guard) {
        let cells: Vec<usize> = (0..self.places.len()).filter(|&cell| on(self.places[cell])).collect();
        let people: Vec<Counted> = cells.iter().map(|&cell| self.people[cell]).collect();
        let mut line: Vec<bool> = cells.iter().map(|&cell| held[cell]).collect();
        hold_back(&people, &mut line, guard);
        for (cell, hidden) in cells.into_iter().zip(line) {
            held[cell] = hidden;
        }
    }

    /// Finds a cell that follows from totals, and holds back one more beside it. False where there is none.
    fn cross_a_bridge(&self, held: &mut [bool]) -> bool {
        let (rows, columns) = self.margins;
        for bridge in 0..self.places.len() {
            let (row, column) = self.places[bridge];
            if !held[bridge] || rows[row] || columns[column] || self.connected_without(bridge, held) {
                continue;
            }
            let beside = (0..self.places.len())
                .filter(|&cell| !held[cell] && (self.places[cell].0 == row || self.places[cell].1 == column));
            if let Some(cell) = beside.min_by_key(|&cell| smaller(self.people[cell].parts)) {
                held[cell] = true;
                return true;
            }
        }
        false
    }

    /// Whether row and column of a cell are joined by other cells that are held back.
    fn connected_without(&self, bridge: usize, held: &[bool]) -> bool {
        let (row, column) = self.places[bridge];
        let (mut rows, mut columns) = (vec![false; self.margins.0.len()], vec![false; self.margins.1.len()]);
        rows[row] = true;
        loop {
            let mut grown = false;
            for (cell, &(row, column)) in self.places.iter().enumerate() {
                if held[cell] && cell != bridge && rows[row] != columns[column] {
                    (rows[row], columns[column]) = (true, true);
                    grown = true;
                }
            }
            if columns[column] || !grown {
                return columns[column];
            }
        }
    }
}
