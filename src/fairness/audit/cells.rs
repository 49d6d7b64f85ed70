//! The cells into which an audit sorts its rows, and which of them each share counts.
//!
//! A list of limited length can end among rows of equal score. Which of them get the last places is then no matter
//! of the scores: any order of equals is as good as any other. So rows tied at the cut are cells of their own, and
//! each counts as selected by the part of them that there are places for: the mean over all orders of equals.

/// True negatives, false positives, false negatives, true positives; then rows tied at the cut, without the
/// outcome and with it.
pub(super) const CELLS: usize = 6;

/// A number for each cell.
pub(super) type PerCell = [f64; CELLS];

/// The cell of a row; `None` for selected means tied at the cut.
pub(super) fn cell(outcome: bool, selected: Option<bool>) -> usize {
    match selected {
        Some(selected) => 2 * usize::from(outcome) + usize::from(selected),
        None => 4 + usize::from(outcome),
    }
}

/// Whether the rows of a cell have the outcome.
pub(super) fn has_outcome(cell: usize) -> bool {
    matches!(cell, 2 | 3 | 5)
}

/// How much of each cell's rows counts, for every share.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// Whether rows are tied at the cut and share its last places.
    pub(super) tied: bool,
    /// All, without the outcome, with it, not selected, selected.
    pub(super) denominators: [PerCell; Self::DENOMINATORS],
    /// Prevalence, selection rate, true-positive rate, false-positive rate, precision, false-omission rate,
    /// accuracy: all others are complements of these.
    pub(super) shares: [PerCell; Self::SHARES],
}

impl Cells {
    pub(super) const DENOMINATORS: usize = 5;
    pub(super) const SHARES: usize = 7;
    /// The denominators of those with the outcome and of those selected.
    pub(super) const WITH: usize = 2;
    pub(super) const SELECTED: usize = 4;
    /// Which denominator each share has.
    pub(super) const DENOMINATOR_OF: [usize; Self::SHARES] = [0, 0, 2, 1, 4, 3, 0];

    /// `places`: the part, 0 to 1, of the rows tied at the cut that there are places for.
    pub(super) fn new(places: f64) -> Self {
        let selected: PerCell = [0.0, 1.0, 0.0, 1.0, places, places];
        let not_selected = selected.map(|part| 1.0 - part);
        let with: PerCell = std::array::from_fn(|cell| f64::from(has_outcome(cell)));
        let without = with.map(|part| 1.0 - part);
        let both = |a: &PerCell, b: &PerCell| -> PerCell { std::array::from_fn(|cell| a[cell] * b[cell]) };
        let right = both(&selected, &with);
        let accurate = std::array::from_fn(|cell| right[cell] + not_selected[cell] * without[cell]);
        let shares =
            [with, selected, right, both(&selected, &without), right, both(&not_selected, &with), accurate];
        let denominators = [[1.0; CELLS], without, with, not_selected, selected];
        Self { tied: places > 0.0, denominators, shares }
    }

    /// For each denominator, the cells of which it counts anything, as bits.
    pub(super) fn sets(&self) -> [u8; Self::DENOMINATORS] {
        self.denominators
            .map(|parts| (0..CELLS).fold(0, |set, cell| set | u8::from(parts[cell] > 0.0) << cell))
    }
}

/// The people of a group, by the cells that each has rows in, as bits. Where nobody says whose rows are whose, each row is
/// somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct People([u64; 1 << CELLS]);

impl People {
    pub(super) const NOBODY: Self = Self([0; 1 << CELLS]);

    /// Rows that are somebody each.
    pub(super) fn of_rows(rows: &[u64; CELLS]) -> Self {
        let mut people = Self::NOBODY;
        for (cell, &rows) in rows.iter().enumerate() {
            people.0[1 << cell] = rows;
        }
        people
    }

    /// Somebody with rows in these cells.
    pub(super) fn add(&mut self, cells: u8) {
        self.0[usize::from(cells)] += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many have a row in one of these cells.
    pub(super) fn within(&self, cells: u8) -> u64 {
        (0..self.0.len()).filter(|set| set & usize::from(cells) > 0).map(|set| self.0[set]).sum()
    }

    /// How many have a row that counts. Where a tie is shared, the nearest whole number, but never none for a part of
    /// one.
    pub(super) fn with(&self, parts: &PerCell) -> u64 {
        let most = |set: usize| (0..CELLS).filter(move |cell| set >> cell & 1 == 1).map(|cell| parts[cell]);
        let sum: f64 = (0..self.0.len())
            .filter(|&set| self.0[set] > 0)
            .map(|set| self.0[set] as f64 * most(set).fold(0.0, f64::max))
            .sum();
        if sum > 0.0 { sum.round().max(1.0) as u64 } else { 0 }
    }
}

/// The people of a group: all of them, and those who are in no group before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupPeople {
    pub(super) all: People,
    pub(super) new: People,
}

impl GroupPeople {
    pub(super) const NOBODY: Self = Self { all: People::NOBODY, new: People::NOBODY };
}
