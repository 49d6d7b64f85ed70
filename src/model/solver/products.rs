//! The products of some columns with each other over weighted rows, from which a Hessian is made.
//!
//! Columns in full are multiplied as matrices. A sparse column is multiplied entry by entry, with the entries of its row
//! in other columns and with the row's values in full. Only at the end, once for all rows, the bases are put in: for
//! columns base + step e the products are those of e and of the constant.

use ndarray::{Array1, Array2};

use super::passes::add_products;
use super::sparse::{BLOCK, Block, Layout, Rows, SparseColumn, is_thin};

/// The products of a set of columns.
pub(super) struct Products<'l> {
    layout: &'l Layout,
    /// Columns that are multiplied in full, the constant among them first.
    full: Vec<Full>,
    /// Which sparse columns are multiplied entry by entry, ascending.
    thin: Vec<usize>,
}

/// Brings the indices of a set of columns, where 0 is the constant, in the order in which products are made: columns in
/// full first, and of the thin ones those with most entries, so that most sums lie close together.
pub(super) fn ordered(layout: &Layout, set: &[usize]) -> Vec<usize> {
    let Products { full, thin, .. } = Products::new(layout, set);
    let of_full = |of: &Full| match of {
        Full::Constant => 0,
        Full::Dense(place) => layout.dense[*place] + 1,
        Full::Sparse(nth) => layout.sparse[*nth].column + 1,
    };
    full.iter().map(of_full).chain(thin.iter().map(|&nth| layout.sparse[nth].column + 1)).collect()
}

/// A column that is multiplied in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    Constant,
    /// Which of the dense columns.
    Dense(usize),
    /// Which of the sparse columns.
    Sparse(usize),
}

/// Working memory of one thread, and the sums so far.
pub(super) struct Sums {
    /// For each column in full the values of the block's rows.
    pub(super) full: Array2<f64>,
    /// The same by rows.
    by_row: Vec<f64>,
    /// The thin entries by rows: where each row's begin; their columns and amounts.
    starts: [usize; BLOCK + 1],
    columns: Vec<u32>,
    amounts: Vec<f64>,
    /// Among columns in full the upper half, else the lower.
    thin: Vec<f64>,
    of_full: Array2<f64>,
}

impl<'l> Products<'l> {
    /// Of a set of indices in the order of [`ordered`], where 0 is the constant and 1 the first column of the design.
    pub(super) fn new(layout: &'l Layout, set: &[usize]) -> Self {
        let mut wanted = vec![false; layout.columns() + 1];
        for &index in set {
            wanted[index] = true;
        }
        let mut full = vec![Full::Constant];
        let dense = layout.dense.iter().enumerate().filter(|(_, column)| wanted[**column + 1]);
        full.extend(dense.map(|(place, _)| Full::Dense(place)));
        let (thin, thick): (Vec<usize>, Vec<usize>) = (0..layout.sparse.len())
            .filter(|&nth| wanted[layout.sparse[nth].column + 1])
            .partition(|&nth| is_thin(layout.share(&layout.sparse[nth])));
        full.extend(thick.into_iter().map(Full::Sparse));
        Self { layout, full, thin }
    }

    /// The columns that are multiplied in full.
    pub(super) fn full(&self) -> &[Full] {
        &self.full
    }

    fn side(&self) -> usize {
        self.full.len() + self.thin.len()
    }

    pub(super) fn zero(&self) -> Sums {
        let (full, side) = (self.full.len(), self.side());
        let mut values = Array2::zeros((full, BLOCK));
        values.row_mut(0).fill(1.0);
        Sums {
            full: values,
            by_row: vec![0.0; full * BLOCK],
            starts: [0; BLOCK + 1],
            columns: Vec::new(),
            amounts: Vec::new(),
            thin: vec![0.0; side * side],
            of_full: Array2::zeros((full, full)),
        }
    }

    /// Adds a block. The dense columns' rows of `sums.full` have been written; `weights` of rows that are not there are 0.
    pub(super) fn add(&self, block: &Block, weights: &Rows, sums: &mut Sums) {
        self.unpack(block, sums);
        self.add_thin(block, weights, sums);
        let roots: Array1<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
        add_products(&mut sums.full.view_mut(), &roots.view(), &mut sums.of_full);
        sums.full.row_mut(0).fill(1.0);
    }

    /// Writes the sparse columns that are multiplied in full.
    fn unpack(&self, block: &Block, sums: &mut Sums) {
        for (of, mut out) in self.full.iter().zip(sums.full.rows_mut()) {
            let Full::Sparse(nth) = *of else { continue };
            let column = &self.layout.sparse[nth];
            let mut values = [column.base; BLOCK];
            block.entries(self.layout, nth).add_to(&mut values, column.step);
            out.iter_mut().zip(values).for_each(|(out, value)| *out = value);
        }
    }

    fn add_thin(&self, block: &Block, weights: &Rows, sums: &mut Sums) {
        if self.thin.is_empty() {
            return;
        }
        self.sort_by_rows(block, sums);
        let (full, side) = (self.full.len(), self.side());
        for (row, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            let of_row = sums.starts[row]..sums.starts[row + 1];
            let (columns, amounts) = (&sums.columns[of_row.clone()], &sums.amounts[of_row]);
            let values = &sums.by_row[row * full..(row + 1) * full];
            for (nth, (&column, &amount)) in columns.iter().zip(amounts).enumerate() {
                let by = weight * amount;
                let from = (full + column as usize) * side;
                let (in_full, in_thin) = sums.thin[from..from + side].split_at_mut(full);
                in_full.iter_mut().zip(values).for_each(|(sum, value)| *sum += by * value);
                for (&other, &amount) in columns[..=nth].iter().zip(amounts) {
                    in_thin[other as usize] += by * amount;
                }
            }
        }
    }

    /// Turns the block's columns into rows: the thin entries, and the values in full.
    fn sort_by_rows(&self, block: &Block, sums: &mut Sums) {
        let mut next = [0; BLOCK + 1];
        for &nth in &self.thin {
            let places = block.entries(self.layout, nth).places;
            for &place in places {
                next[usize::from(place) + 1] += 1;
            }
        }
        for row in 0..BLOCK {
            next[row + 1] += next[row];
        }
        sums.starts = next;
        sums.columns.resize(next[BLOCK], 0);
        sums.amounts.resize(next[BLOCK], 0.0);
        for (column, &nth) in (0..).zip(&self.thin) {
            let entries = block.entries(self.layout, nth);
            for (entry, &place) in entries.places.iter().enumerate() {
                let at = &mut next[usize::from(place)];
                sums.columns[*at] = column;
                sums.amounts[*at] = entries.amounts.map_or(1.0, |amounts| amounts[entry]);
                *at += 1;
            }
        }
        let full = self.full.len();
        for (nth, values) in sums.full.rows().into_iter().enumerate() {
            let out = sums.by_row[nth..].iter_mut().step_by(full);
            out.zip(values).for_each(|(out, &value)| *out = value);
        }
    }

    /// The matrix of products in the order of the set, upper half only.
    pub(super) fn finish(&self, sums: &Sums) -> Array2<f64> {
        let (full, side) = (self.full.len(), self.side());
        let mut matrix = Array2::zeros((side, side));
        for left in 0..full {
            for right in left..full {
                matrix[[left, right]] = sums.of_full[[left, right]];
            }
        }
        // Sums with the constant: of a thin column those of its amounts.
        let amounts: Vec<f64> = (full..side).map(|place| sums.thin[place * side]).collect();
        let columns: Vec<&SparseColumn> = self.thin.iter().map(|&nth| &self.layout.sparse[nth]).collect();
        let weight = matrix[[0, 0]];
        for (nth, column) in columns.iter().enumerate() {
            let (in_full, in_thin) = sums.thin[(full + nth) * side..(full + nth + 1) * side].split_at(full);
            for (place, sum) in in_full.iter().enumerate() {
                matrix[[place, full + nth]] = column.step * sum + column.base * matrix[[0, place]];
            }
            let own = column.step * amounts[nth] + column.base * weight;
            for (place, (other, sum)) in columns[..=nth].iter().zip(in_thin).enumerate() {
                let of_entries = other.step * (column.step * sum + column.base * amounts[place]);
                matrix[[full + place, full + nth]] = of_entries + other.base * own;
            }
        }
        matrix
    }
}

impl Sums {
    /// Adds the sums over other rows.
    pub(super) fn add(&mut self, other: &Self) {
        self.thin.iter_mut().zip(&other.thin).for_each(|(sum, other)| *sum += other);
        self.of_full += &other.of_full;
    }
}
