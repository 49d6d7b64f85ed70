//! Sparse columns: of a column in which most rows have the same value, only the rows that differ are kept.
//!
//! A mark that one case in a hundred has is a hundredth of the work of a column written out in full. It stays so after
//! standardising: the value that most rows have is no longer 0, but it is one number, the *base*, and what the other
//! rows have beyond it are the *entries*. Sums over the rows come from sums over the entries and from what the base
//! adds, which is the same for every row. So nothing is centred that would have to be held in full.
//!
//! Entries are kept in blocks of 256 rows, in which a byte says which row; all that a block is worked with stays in the
//! first-level cache.

use std::cmp::Reverse;

use ndarray::{ArrayView2, ArrayViewMut1};
use rayon::prelude::*;

use super::Design;

/// Rows of a block.
pub(super) const BLOCK: usize = 256;
/// A number for each row of a block; the last block of a design fills a part of it.
pub(super) type Rows = [f64; BLOCK];

/// Work is counted in multiplications as a product of dense matrices does them, in long vectors. An entry, which is
/// looked up alone, costs about ten of these;
pub(super) const OF_ENTRY: f64 = 10.0;
/// ... one that meets another entry, whose sum lies anywhere in a large matrix, thirty;
const OF_PAIR: f64 = 30.0;
/// ... a cell of a dense column that is multiplied with one vector, four;
pub(super) const OF_CELL: f64 = 4.0;
/// ... and one that is made anew from the records, twenty.
pub(super) const OF_READING: f64 = 20.0;

/// Which columns of a design are kept in full, and which sparse.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Columns in full, by their index in the design.
    pub(super) dense: Vec<usize>,
    /// First those whose entries are all alike, then the others; of each kind the one with most entries first.
    pub(super) sparse: Vec<SparseColumn>,
    /// How many sparse columns have entries that are all alike.
    alike: usize,
    rows: usize,
}

/// A sparse column: `base` for every row, and `step` times the entry's amount more for some.
#[derive(Debug, Clone)]
pub(super) struct SparseColumn {
    /// Index in the design.
    pub(super) column: usize,
    pub(super) base: f64,
    pub(super) step: f64,
    /// How many rows have an entry.
    entries: usize,
    /// All entries have the amount 1.
    alike: bool,
}

/// The entries of the sparse columns in a block of rows.
pub(super) struct Block {
    /// For each sparse column where its entries begin, and after the last where they end.
    starts: Vec<u32>,
    /// The entry's row in the block.
    places: Vec<u8>,
    /// Amounts of the entries that are not all alike, which come last.
    amounts: Vec<f64>,
}

/// The entries of one column in a block: their rows, and their amounts where these are not all 1.
#[derive(Clone, Copy)]
pub(super) struct Entries<'b> {
    pub(super) places: &'b [u8],
    pub(super) amounts: Option<&'b [f64]>,
}

impl Layout {
    /// All columns in full.
    pub(super) fn full(design: &impl Design) -> Self {
        Self { dense: (0..design.columns()).collect(), sparse: Vec::new(), alike: 0, rows: design.rows() }
    }

    /// Looks for sparse columns where that can save work: where forming the products of all columns once, in full, costs
    /// more than to look at every value. Else, or if the values are not what one can calculate with, all are in full.
    pub(super) fn of(design: &impl Design) -> Self {
        let (rows, columns) = (design.rows(), design.columns());
        // Every value is read twice: to learn its column's kind, and to be kept.
        let looking = 2.0 * OF_READING * columns as f64;
        let in_full = 0.5 * (columns as f64).powi(2);
        if in_full <= looking {
            return Self::full(design);
        }
        let kind = |values: &mut Vec<f64>, column: usize| {
            design.write(column, 0..rows, ArrayViewMut1::from(&mut values[..]));
            Kind::of(values, column)
        };
        let kinds: Vec<Kind> = (0..columns).into_par_iter().map_init(|| vec![0.0; rows], kind).collect();
        let (mut dense, mut sparse) = (Vec::new(), Vec::new());
        for (column, kind) in kinds.into_iter().enumerate() {
            match kind {
                Kind::Dense => dense.push(column),
                Kind::Sparse(column) => sparse.push(column),
                // Who works on columns in full also says where the value is.
                Kind::Unusable => return Self::full(design),
            }
        }
        sparse.sort_by_key(|column| (!column.alike, Reverse(column.entries)));
        let alike = sparse.iter().take_while(|column| column.alike).count();
        let layout = Self { dense, sparse, alike, rows };
        let saved = in_full - layout.products_work(0..columns);
        if saved > looking { layout } else { Self::full(design) }
    }

    pub(super) fn is_sparse(&self) -> bool {
        !self.sparse.is_empty()
    }

    /// Columns of the design.
    pub(super) fn columns(&self) -> usize {
        self.dense.len() + self.sparse.len()
    }

    /// The share of rows that have an entry.
    pub(super) fn share(&self, sparse: &SparseColumn) -> f64 {
        sparse.entries as f64 / self.rows as f64
    }

    /// Entries of a row, on average.
    pub(super) fn entries_of_row(&self) -> f64 {
        self.sparse.iter().map(|column| self.share(column)).sum()
    }

    /// For each column of the design the share of its rows that have an entry; 1 for one in full.
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![1.0; self.columns()];
        for sparse in &self.sparse {
            shares[sparse.column] = self.share(sparse);
        }
        shares
    }

    /// The work for each row of multiplying all columns with a vector of a number for each, and the rows with another.
    pub(super) fn pass_work(&self) -> f64 {
        2.0 * OF_ENTRY * self.entries_of_row() + 2.0 * OF_CELL * self.dense.len() as f64
    }

    /// The work for each row that the products of these columns take.
    pub(super) fn products_work(&self, columns: impl Iterator<Item = usize>) -> f64 {
        let shares = self.shares();
        let mut work = ProductsWork::default();
        columns.for_each(|column| work.add(shares[column]));
        work.of_row()
    }
}

/// The work that the products of some columns take.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ProductsWork {
    /// Columns that are multiplied in full.
    full: f64,
    /// Entries of a row in the others.
    thin: f64,
}

impl ProductsWork {
    /// Adds a column in which this share of rows has an entry.
    pub(super) fn add(&mut self, share: f64) {
        if is_thin(share) { self.thin += share } else { self.full += 1.0 }
    }

    pub(super) fn of_row(self) -> f64 {
        // Each entry meets the earlier ones of its row, and a vector of the row's values in full.
        0.5 * self.full * self.full + self.thin * (0.5 * OF_PAIR * self.thin + OF_CELL * self.full)
    }
}

/// Whether a column with this share of entries is multiplied with others entry by entry: two such columns meet in the
/// square of the share of rows, which must be few enough for that to be less work.
pub(super) fn is_thin(share: f64) -> bool {
    share * share * OF_PAIR < 1.0
}

enum Kind {
    Dense,
    Sparse(SparseColumn),
    /// A value is not finite, or its square is not.
    Unusable,
}

/// Whether two numbers are the very same: a base is one of the column's values.
fn is(value: f64, other: f64) -> bool {
    value.to_bits() == other.to_bits()
}

impl Kind {
    fn of(values: &[f64], column: usize) -> Self {
        /// Squares of such values, summed over any number of rows, are finite.
        const LARGEST: f64 = 1e140;
        // The vote of Boyer and Moore: a value that more than half have is the one that is left.
        let (mut base, mut votes) = (0.0, 0_usize);
        for &value in values {
            if value.is_nan() || value.abs() > LARGEST {
                return Self::Unusable;
            }
            if votes == 0 {
                base = value;
            }
            if is(value, base) { votes += 1 } else { votes -= 1 }
        }
        let mut others = values.iter().copied().filter(|&value| !is(value, base));
        let first = others.next();
        let (more, other) = others.fold((0, false), |(count, other), value| {
            (count + 1, other || !first.is_some_and(|first| is(value, first)))
        });
        let entries = usize::from(first.is_some()) + more;
        if 2 * entries > values.len() {
            return Self::Dense;
        }
        let step = if other { 1.0 } else { first.map_or(0.0, |first| first - base) };
        Self::Sparse(SparseColumn { column, base, step, entries, alike: !other })
    }
}

impl Block {
    /// From the values of some rows: a row of `values` for each column of the design.
    pub(super) fn of(layout: &Layout, values: &ArrayView2<'_, f64>) -> Self {
        let mut block = Self { starts: vec![0], places: Vec::new(), amounts: Vec::new() };
        for sparse in &layout.sparse {
            for (place, &value) in (0..=u8::MAX).zip(values.row(sparse.column)) {
                if !is(value, sparse.base) {
                    block.places.push(place);
                    if !sparse.alike {
                        block.amounts.push(value - sparse.base);
                    }
                }
            }
            block.starts.push(block.places.len() as u32);
        }
        block.places.shrink_to_fit();
        block.amounts.shrink_to_fit();
        block
    }

    /// The entries of the nth sparse column.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a column has a few entries in a block, fewer than a call costs"
    )]
    pub(super) fn entries(&self, layout: &Layout, nth: usize) -> Entries<'_> {
        let (from, to) = (self.starts[nth] as usize, self.starts[nth + 1] as usize);
        let alike = self.starts[layout.alike] as usize;
        let amounts = (nth >= layout.alike).then(|| &self.amounts[from - alike..to - alike]);
        Entries { places: &self.places[from..to], amounts }
    }
}

impl Entries<'_> {
    /// Adds `by` times the amount to each row that has one.
    #[inline]
    pub(super) fn add_to(&self, rows: &mut Rows, by: f64) {
        match self.amounts {
            None => self.places.iter().for_each(|&place| rows[usize::from(place)] += by),
            Some(amounts) => self.each(amounts).for_each(|(place, amount)| rows[place] += by * amount),
        }
    }

    /// The sum over the entries of amount times the row's number.
    #[inline]
    pub(super) fn sum(&self, rows: &Rows) -> f64 {
        let Some(amounts) = self.amounts else {
            // Four sums side by side: one addition need not wait for the one before.
            let fours = self.places.chunks_exact(4);
            let rest: f64 = fours.remainder().iter().map(|&place| rows[usize::from(place)]).sum();
            let mut sums = [0.0; 4];
            for four in fours {
                for (sum, &place) in sums.iter_mut().zip(four) {
                    *sum += rows[usize::from(place)];
                }
            }
            return rest + (sums[0] + sums[1]) + (sums[2] + sums[3]);
        };
        self.each(amounts).map(|(place, amount)| amount * rows[place]).sum()
    }

    /// The same with the squares of the amounts.
    pub(super) fn sum_of_squares(&self, rows: &Rows) -> f64 {
        let Some(amounts) = self.amounts else { return self.sum(rows) };
        self.each(amounts).map(|(place, amount)| amount * amount * rows[place]).sum()
    }

    fn each<'e>(&'e self, amounts: &'e [f64]) -> impl Iterator<Item = (usize, f64)> + 'e {
        self.places.iter().map(|&place| usize::from(place)).zip(amounts.iter().copied())
    }
}
