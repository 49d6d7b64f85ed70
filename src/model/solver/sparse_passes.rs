//! Passes over rows whose sparse columns are kept: the loss and its gradient, and what a step needs of the curvature,
//! which is the matrix itself only where it is asked for.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis, Slice};

use super::Design;
use super::passes::{Logistic, Rows, Sums};
use super::products::{Full, Products, Sums as ProductSums};
use super::quadratic::mirror;
use super::sparse_rows::{ByColumn, GROUPS, SparseRows, cut, rows_of};

/// Fewest groups of blocks whose sums are matrices, and bytes that these may take together.
const FEWEST_GROUPS: usize = 4;
const PARTIAL_BYTES: usize = 32 << 20;

/// Means over the rows, each by its curvature.
pub(super) struct Moments {
    /// Of each column; of the curvature itself first.
    pub(super) values: Array1<f64>,
    /// Of the squares of each column.
    pub(super) squares: Array1<f64>,
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
                let of_dense = dense
                    .rows()
                    .into_iter()
                    .map(|column| column.iter().zip(own).map(|(x, by)| x * x * by).sum::<f64>());
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
