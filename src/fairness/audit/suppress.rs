//! Which groups and which counts are held back, so that no number of people under the minimum is shown or
//! can be worked out from what is shown.
//!
//! Three numbers are guarded alike: the rows of a group; those with the outcome and those without it; those
//! selected and those not selected. A group whose rows are too few is not shown at all. A group in which
//! those with the outcome (or without it) are too few has no figure that knows of the outcome, since from
//! several such figures the number could be worked out; likewise for the selection.
//!
//! The total over all groups is known. So no group is ever the only one held back, and what is held back
//! is together never under the minimum, beyond the one row that each group listed by name must have. In a table
//! of pairs this is asked of every row and column, whose totals are the groups of the single columns; and a cell
//! that follows from several totals together (a bridge of the graph whose nodes are rows and columns, and whose
//! edges are the cells held back) is joined by others until it does not. What three columns tell about each other
//! is not looked at: pairs share only the totals of single columns.
//!
//! # References
//! D. Gusfield (1988), "A graph theoretic approach to statistical data security", *SIAM Journal on Computing*
//! 17:552-571, on bridges. L. H. Cox (1980), "Suppression methodology and statistical disclosure control",
//! *Journal of the American Statistical Association* 75:377-385.

/// A count and its complement: both must be large enough. For the rows of a group both are the same.
pub(crate) type Parts = [u64; 2];

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

/// Holds back more of `cells` until none can be worked out from their total. `held` says which are held back
/// to begin with; from the smallest up (the first of equals), each that is too small is added, and then as
/// many more as it takes.
pub(crate) fn hold_back(cells: &[Parts], held: &mut [bool], guard: Guard) {
    let small = |cell: usize| cells[cell][0].min(cells[cell][1]);
    for (cell, held) in held.iter_mut().enumerate() {
        *held |= small(cell) < guard.least;
    }
    let mut order: Vec<usize> = (0..cells.len()).filter(|&cell| !held[cell]).collect();
    order.sort_by_key(|&cell| small(cell));
    for cell in order {
        let hidden = || (0..cells.len()).filter(|&cell| held[cell]);
        let sum = |part: usize| hidden().map(|cell| cells[cell][part]).sum::<u64>();
        let count = hidden().count();
        if count == 0 || (count > 1 && guard.is_enough(count, sum(0)) && guard.is_enough(count, sum(1))) {
            break;
        }
        held[cell] = true;
    }
}

/// A table of pairs: for each cell that has rows, its row, its column, and its parts.
pub(super) struct PairCells<'a> {
    pub(super) places: &'a [(usize, usize)],
    pub(super) parts: &'a [Parts],
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
        let parts: Vec<Parts> = cells.iter().map(|&cell| self.parts[cell]).collect();
        let mut line: Vec<bool> = cells.iter().map(|&cell| held[cell]).collect();
        hold_back(&parts, &mut line, guard);
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
            if let Some(cell) = beside.min_by_key(|&cell| self.parts[cell][0].min(self.parts[cell][1])) {
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
