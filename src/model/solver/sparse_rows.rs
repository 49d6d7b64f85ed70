//! The rows of a design whose sparse columns are kept, and how sums over them are added up.
//!
//! As in the [passes](super::passes) over columns in full, blocks are gathered into fixed groups, which depend on the data
//! alone; so the sums have the same bits at any number of threads.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::Design;
use super::sparse::{BLOCK, Block, Layout, Rows as OfRows};

/// Groups of blocks whose sums are vectors: work for up to 64 threads.
pub(super) const GROUPS: usize = 64;
/// Bytes that held dense columns may take; more of them are made anew in every pass.
const HELD_BYTES: usize = 32 << 20;

/// The entries of a design's sparse columns.
pub(super) struct SparseRows {
    pub(super) layout: Layout,
    pub(super) blocks: Vec<Block>,
    /// For each block the values of its dense columns, where these can be held.
    pub(super) dense: Option<Vec<Array2<f64>>>,
}

/// A point, laid out for the rows.
pub(super) struct Point {
    /// What every row has.
    start: f64,
    dense: Vec<f64>,
    /// Times the column's step.
    sparse: Vec<f64>,
}

/// Sums over rows, one for each column in the layout's order; that of the constant first, and of a sparse column its
/// amounts'. With them working memory for the values of dense columns that are not held.
pub(super) struct ByColumn {
    pub(super) sums: Vec<f64>,
    pub(super) dense: Array2<f64>,
}

impl SparseRows {
    /// Keeps the sparse columns of a design, if that saves work.
    pub(super) fn of(design: &impl Design) -> Option<Self> {
        let layout = Layout::of(design);
        if !layout.is_sparse() {
            return None;
        }
        let blocks = (0..design.rows().div_ceil(BLOCK)).into_par_iter().map_init(
            || Array2::zeros((design.columns(), BLOCK)),
            |scratch, block| {
                let rows = rows_of(block, design.rows());
                let mut values = scratch.slice_axis_mut(Axis(1), Slice::from(..rows.len()));
                design.fill(rows, values.view_mut().reversed_axes());
                let dense = layout.dense.len() * design.rows() * 8 <= HELD_BYTES;
                (Block::of(&layout, &values.view()), dense.then(|| scratch.select(Axis(0), &layout.dense)))
            },
        );
        let (blocks, dense): (Vec<Block>, Vec<Option<Array2<f64>>>) = blocks.unzip();
        Some(Self { layout, blocks, dense: dense.into_iter().collect() })
    }

    pub(super) fn point(&self, point: &Array1<f64>) -> Point {
        let of = |column: usize| point[column + 1];
        let bases = self.layout.sparse.iter().map(|sparse| sparse.base * of(sparse.column));
        Point {
            start: point[0] + bases.sum::<f64>(),
            dense: self.layout.dense.iter().map(|&column| of(column)).collect(),
            sparse: self.layout.sparse.iter().map(|sparse| sparse.step * of(sparse.column)).collect(),
        }
    }

    pub(super) fn zero(&self) -> ByColumn {
        let dense = self.layout.dense.len();
        ByColumn {
            sums: vec![0.0; 1 + dense + self.layout.sparse.len()],
            dense: Array2::zeros((dense, BLOCK)),
        }
    }

    /// What the rows of a block have at a point.
    pub(super) fn rows_at(&self, block: usize, point: &Point, dense: &ArrayView2<'_, f64>) -> OfRows {
        let mut rows = [point.start; BLOCK];
        for (column, &by) in dense.rows().into_iter().zip(&point.dense).filter(|(_, by)| **by != 0.0) {
            rows.iter_mut().zip(column).for_each(|(row, value)| *row += by * value);
        }
        for (nth, &by) in point.sparse.iter().enumerate().filter(|(_, by)| **by != 0.0) {
            self.blocks[block].entries(&self.layout, nth).add_to(&mut rows, by);
        }
        rows
    }

    /// Adds the products of each column with a number of each row, which is 0 for rows that are not there.
    pub(super) fn add(&self, block: usize, rows: &OfRows, dense: &ArrayView2<'_, f64>, sums: &mut [f64]) {
        sums[0] += rows.iter().sum::<f64>();
        let numbers = ArrayView1::from(&rows[..]);
        let (of_dense, of_sparse) = sums[1..].split_at_mut(dense.nrows());
        of_dense.iter_mut().zip(dense.rows()).for_each(|(sum, column)| *sum += column.dot(&numbers));
        for (nth, sum) in of_sparse.iter_mut().enumerate() {
            *sum += self.blocks[block].entries(&self.layout, nth).sum(rows);
        }
    }

    /// Sums by column of all groups, in the design's order, the constant's first, divided by `weight`.
    pub(super) fn means<'s>(&self, groups: impl Iterator<Item = &'s ByColumn>, weight: f64) -> Array1<f64> {
        let mut total = Array1::zeros(self.zero().sums.len());
        groups.for_each(|group| total += &ArrayView1::from(&group.sums));
        let mut ordered = Array1::zeros(self.layout.columns() + 1);
        ordered[0] = total[0] / weight;
        let (dense, sparse) = (&self.layout.dense, &self.layout.sparse);
        dense.iter().zip(total.iter().skip(1)).for_each(|(&column, sum)| ordered[column + 1] = sum / weight);
        for (column, sum) in sparse.iter().zip(total.iter().skip(1 + dense.len())) {
            ordered[column.column + 1] = (column.base * total[0] + column.step * sum) / weight;
        }
        ordered
    }

    /// Adds up blocks in groups: for each group what its blocks added to `start`.
    pub(super) fn groups<T: Send>(
        &self,
        most: usize,
        start: impl Fn() -> T + Sync,
        add: impl Fn(usize, &mut T) + Sync,
    ) -> Vec<T> {
        let blocks = self.blocks.len();
        let groups = most.min(blocks);
        let of_group = |group: usize| {
            let mut sums = start();
            (group * blocks / groups..(group + 1) * blocks / groups).for_each(|block| add(block, &mut sums));
            sums
        };
        (0..groups).into_par_iter().map(of_group).collect()
    }
}

/// The rows of a block.
pub(super) fn rows_of(block: usize, rows: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(rows)
}

/// A number of each row of a block, from one of all rows.
pub(super) fn cut(of_all: &[f64], rows: Range<usize>) -> OfRows {
    let mut cut = [0.0; BLOCK];
    cut.iter_mut().zip(&of_all[rows]).for_each(|(own, value)| *own = *value);
    cut
}
