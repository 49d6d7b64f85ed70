//! Passes over rows whose sparse columns are kept: the loss and its gradient, and what a step needs of the curvature,
//! which is the matrix itself only where it is asked for.
//!
//! As in the [passes](super::passes) over columns in full, blocks are gathered into fixed groups, which depend on the data
//! alone; so the sums have the same bits at any number of threads.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis, Slice};
use rayon::prelude::*;

use super::Design;
use super::passes::{Logistic, Rows, Sums};
use super::quadratic::mirror;
use super::products::{Full, Products, Sums as ProductSums};
use super::sparse::{BLOCK, Block, Layout, Rows as OfRows};

/// Groups of blocks whose sums are vectors: work for up to 64 threads.
const GROUPS: usize = 64;
/// Fewest groups of blocks whose sums are matrices, and bytes that these may take together.
const FEWEST_GROUPS: usize = 4;
const PARTIAL_BYTES: usize = 32 << 20;
/// Bytes that held dense columns may take; more of them are made anew in every pass.
const HELD_BYTES: usize = 32 << 20;

/// The entries of a design's sparse columns.
pub(super) struct SparseRows {
    pub(super) layout: Layout,
    blocks: Vec<Block>,
    /// For each block the values of its dense columns, where these can be held.
    dense: Option<Vec<Array2<f64>>>,
}

/// Means over the rows, each by its curvature.
pub(super) struct Moments {
    /// Of each column; of the curvature itself first.
    pub(super) values: Array1<f64>,
    /// Of the squares of each column.
    pub(super) squares: Array1<f64>,
}

/// A point, laid out for the rows.
struct Point {
    /// What every row has.
    start: f64,
    dense: Vec<f64>,
    /// Times the column's step.
    sparse: Vec<f64>,
}

/// Sums over rows, one for each column in the layout's order; that of the constant first, and of a sparse column its
/// amounts'. With them working memory for the values of dense columns that are not held.
struct ByColumn {
    sums: Vec<f64>,
    dense: Array2<f64>,
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

    fn point(&self, point: &Array1<f64>) -> Point {
        let of = |column: usize| point[column + 1];
        let bases = self.layout.sparse.iter().map(|sparse| sparse.base * of(sparse.column));
        Point {
            start: point[0] + bases.sum::<f64>(),
            dense: self.layout.dense.iter().map(|&column| of(column)).collect(),
            sparse: self.layout.sparse.iter().map(|sparse| sparse.step * of(sparse.column)).collect(),
        }
    }

    fn zero(&self) -> ByColumn {
        let dense = self.layout.dense.len();
        ByColumn {
            sums: vec![0.0; 1 + dense + self.layout.sparse.len()],
            dense: Array2::zeros((dense, BLOCK)),
        }
    }

    /// What the rows of a block have at a point.
    fn rows_at(&self, block: usize, point: &Point, dense: &ArrayView2<'_, f64>) -> OfRows {
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
    fn add(&self, block: usize, rows: &OfRows, dense: &ArrayView2<'_, f64>, sums: &mut [f64]) {
        sums[0] += rows.iter().sum::<f64>();
        let numbers = ArrayView1::from(&rows[..]);
        let (of_dense, of_sparse) = sums[1..].split_at_mut(dense.nrows());
        of_dense.iter_mut().zip(dense.rows()).for_each(|(sum, column)| *sum += column.dot(&numbers));
        for (nth, sum) in of_sparse.iter_mut().enumerate() {
            *sum += self.blocks[block].entries(&self.layout, nth).sum(rows);
        }
    }

    /// Sums by column of all groups, in the design's order, the constant's first, divided by `weight`.
    fn means<'s>(&self, groups: impl Iterator<Item = &'s ByColumn>, weight: f64) -> Array1<f64> {
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
    fn groups<T: Send>(
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
fn rows_of(block: usize, rows: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(rows)
}

/// A number of each row of a block, from one of all rows.
fn cut(of_all: &[f64], rows: Range<usize>) -> OfRows {
    let mut cut = [0.0; BLOCK];
    cut.iter_mut().zip(&of_all[rows]).for_each(|(own, value)| *own = *value);
    cut
}

impl<D: Design> Rows<'_, D> {
    /// The dense columns of a block, held or made anew; values of rows that are not there are any old ones.
    fn dense<'s>(
        &self,
        sparse: &'s SparseRows,
        block: usize,
        scratch: &'s mut Array2<f64>,
    ) -> ArrayView2<'s, f64> {
        if let Some(held) = &sparse.dense {
            return held[block].view();
        }
        let rows = rows_of(block, self.design.rows());
        for (&column, mut out) in sparse.layout.dense.iter().zip(scratch.rows_mut()) {
            self.design.write(column, rows.clone(), out.slice_axis_mut(Axis(0), Slice::from(..rows.len())));
        }
        scratch.view()
    }

    /// Adds up the rows at `point` (intercept first): loss, gradient and each row's curvature.
    pub(super) fn sparse_pass(&self, sparse: &SparseRows, point: &Array1<f64>) -> Sums {
        let point = sparse.point(point);
        let groups = sparse.groups(
            GROUPS,
            || (sparse.zero(), Sums::zero(0)),
            |block, (by_column, sums)| {
                let rows = rows_of(block, self.design.rows());
                let ByColumn { sums: of_columns, dense } = by_column;
                let dense = self.dense(sparse, block, dense);
                let mut numbers = sparse.rows_at(block, &point, &dense);
                for (row, number) in rows.clone().zip(&mut numbers) {
                    let weight = self.weights.map_or(1.0, |weights| weights[row]);
                    let at = Logistic::at(*number, self.outcomes[row]);
                    sums.loss += weight * at.loss;
                    sums.separated &= at.right_side || weight == 0.0;
                    sums.curvatures.push(weight * at.curvature);
                    *number = weight * at.residual;
                }
                numbers[rows.len()..].fill(0.0);
                sparse.add(block, &numbers, &dense, of_columns);
            },
        );
        let mut total = Sums::zero(0);
        for (_, sums) in &groups {
            total.loss += sums.loss;
            total.separated &= sums.separated;
            total.curvatures.extend(&sums.curvatures);
        }
        total.loss /= self.total_weight;
        total.gradient = sparse.means(groups.iter().map(|(sums, _)| sums), self.total_weight);
        total
    }

    /// The Hessian of the mean loss times a vector, where the rows have these curvatures.
    pub(super) fn times(&self, sparse: &SparseRows, curvatures: &[f64], vector: &Array1<f64>) -> Array1<f64> {
        let point = sparse.point(vector);
        let groups = sparse.groups(
            GROUPS,
            || sparse.zero(),
            |block, ByColumn { sums, dense }| {
                let dense = self.dense(sparse, block, dense);
                let mut numbers = sparse.rows_at(block, &point, &dense);
                let own = cut(curvatures, rows_of(block, self.design.rows()));
                numbers.iter_mut().zip(own).for_each(|(number, curvature)| *number *= curvature);
                sparse.add(block, &numbers, &dense, sums);
            },
        );
        sparse.means(groups.iter(), self.total_weight)
    }

    /// Means of the columns and their squares by the rows' curvatures; of the squares those are the Hessian's diagonal.
    pub(super) fn moments(&self, sparse: &SparseRows, curvatures: &[f64]) -> Moments {
        let groups = sparse.groups(
            GROUPS,
            || (sparse.zero(), sparse.zero()),
            |block, (values, squares)| {
                let ByColumn { sums, dense } = values;
                let dense = self.dense(sparse, block, dense);
                let own = cut(curvatures, rows_of(block, self.design.rows()));
                sparse.add(block, &own, &dense, sums);
                let of_dense = dense.rows().into_iter().map(|column| column.iter().zip(own).map(|(x, by)| x * x * by).sum::<f64>());
                let of_sparse = (0..sparse.layout.sparse.len())
                    .map(|nth| sparse.blocks[block].entries(&sparse.layout, nth).sum_of_squares(&own));
                squares.sums[1..].iter_mut().zip(of_dense.chain(of_sparse)).for_each(|(sum, of)| *sum += of);
            },
        );
        let values = sparse.means(groups.iter().map(|(values, _)| values), self.total_weight);
        // With nothing in the constant's place these are the sums of the entries' squares, times step.
        let mut squares = sparse.means(groups.iter().map(|(_, squares)| squares), self.total_weight);
        squares[0] = values[0];
        for column in &sparse.layout.sparse {
            // (base + step a)^2 = step^2 a^2 + 2 base (base + step a) - base^2
            let (base, index) = (column.base, column.column + 1);
            squares[index] = column.step * squares[index] + base * (2.0 * values[index] - base * values[0]);
        }
        Moments { values, squares }
    }

    /// The Hessian of the mean loss for a set of indices, in the order of [`ordered`](super::products::ordered).
    pub(super) fn hessian(&self, sparse: &SparseRows, curvatures: &[f64], set: &[usize]) -> Array2<f64> {
        let products = Products::new(&sparse.layout, set);
        let most = (PARTIAL_BYTES / (set.len() * set.len() * 8)).clamp(FEWEST_GROUPS, GROUPS);
        let groups = sparse.groups(
            most,
            || products.zero(),
            |block, sums| {
                let rows = rows_of(block, self.design.rows());
                for (of, out) in products.full().iter().zip(sums.full.rows_mut()) {
                    if let Full::Dense(place) = of {
                        self.write_cut(sparse.layout.dense[*place], &rows, out);
                    }
                }
                products.add(&sparse.blocks[block], &cut(curvatures, rows), sums);
            },
        );
        let mut total: Option<ProductSums> = None;
        for group in groups {
            match &mut total {
                Some(total) => total.add(&group),
                None => total = Some(group),
            }
        }
        let mut hessian = products.finish(&total.unwrap_or_else(|| products.zero())) / self.total_weight;
        mirror(&mut hessian);
        hessian
    }

    /// Writes a column's values in a block of rows, and 0 after the last row.
    fn write_cut(&self, column: usize, rows: &Range<usize>, mut out: ArrayViewMut1<'_, f64>) {
        out.slice_axis_mut(Axis(0), Slice::from(rows.len()..)).fill(0.0);
        self.design.write(column, rows.clone(), out.slice_axis_mut(Axis(0), Slice::from(..rows.len())));
    }
}
