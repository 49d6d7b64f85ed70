//! One pass over the rows: the mean loss, its gradient and its Hessian at a point.
//!
//! A pass is the only place that touches the data. It works on blocks of rows that fit a core's cache, so
//! its memory does not grow with the number of rows. Blocks are gathered into fixed groups, each group is
//! summed from its first block to its last, and the groups are added in order. Block and group limits
//! depend on the shape of the design alone, never on the number of threads, so the sums have the same bits
//! however many threads there are.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayViewMut2, Axis, Slice};
use rayon::prelude::*;

use super::quadratic::mirror;
use super::sparse_rows::SparseRows;
use super::{Design, SolverError};

/// Numbers in one block, intercept column included: 512 KiB, about half a core's second-level cache.
const BLOCK_CELLS: usize = 1 << 16;
/// Fewest and most rows of a block. Below 256 the matrix product loses to its own packing; above 4,096 the
/// vectors that go with the block leave the first-level cache.
const BLOCK_ROWS: (usize, usize) = (256, 4096);
/// Bytes that all partial Hessians together may take, so that a wide design asks for fewer groups.
const PARTIAL_BYTES: usize = 32 << 20;
/// Fewest and most groups: work for up to 64 threads, and never fewer than 4 parts.
const GROUPS: (usize, usize) = (4, 64);
/// Columns of one tile of the Hessian. Only tiles on and above the diagonal are computed; narrow tiles save
/// more of the lower half but make the matrix product pack more often.
const TILE: usize = 32;

/// The rows to fit on, checked once: their design, outcomes and weights.
pub(super) struct Rows<'a, D> {
    pub(super) design: &'a D,
    pub(super) outcomes: &'a [bool],
    pub(super) weights: Option<&'a [f64]>,
    pub(super) total_weight: f64,
    weight_true: f64,
    weight_false: f64,
    /// The sparse columns, where they are kept.
    pub(super) sparse: Option<SparseRows>,
}

/// What a pass should add up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Loss and gradient.
    Gradient,
    /// Loss, gradient and Hessian.
    Hessian,
    /// The same, and look at every value of the design first; the first pass does this.
    HessianAfterCheck,
}

/// Sums over rows, divided by the total weight once a pass is complete. Index 0 is the intercept.
pub(super) struct Sums {
    /// Mean of log(1 + exp(eta)) - y eta.
    pub(super) loss: f64,
    /// Gradient of the mean loss.
    pub(super) gradient: Array1<f64>,
    /// Hessian of the mean loss; of shape 0 x 0 if it was not wanted.
    pub(super) hessian: Array2<f64>,
    /// True when every row with weight lies strictly on the side of its own outcome.
    pub(super) separated: bool,
    /// Each row's weight times p (1 - p), where sparse columns are kept; the Hessian can be made from it.
    pub(super) curvatures: Vec<f64>,
}

/// Working memory of one thread. Every cell is written before it is read.
struct Scratch {
    /// One row for each column of the design (the first is the intercept's), so a column is contiguous.
    columns: Array2<f64>,
    /// Linear predictor, then weighted residual.
    eta: Array1<f64>,
    /// Square root of each row's weight in the Hessian.
    root: Array1<f64>,
}

impl<'a, D: Design> Rows<'a, D> {
    /// Checks lengths, weights and that both outcomes occur.
    pub(super) fn new(
        design: &'a D,
        outcomes: &'a [bool],
        weights: Option<&'a [f64]>,
    ) -> Result<Self, SolverError> {
        let rows = design.rows();
        if rows == 0 {
            return Err(SolverError::NoRows);
        }
        let length = |what, found| {
            if found == rows { Ok(()) } else { Err(SolverError::Length { what, expected: rows, found }) }
        };
        length("outcomes", outcomes.len())?;
        let (mut of_true, mut of_false) = (0.0, 0.0);
        if let Some(weights) = weights {
            length("weights", weights.len())?;
            if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                return Err(SolverError::Weight { row });
            }
        }
        for (row, &outcome) in outcomes.iter().enumerate() {
            let weight = weights.map_or(1.0, |w| w[row]);
            *(if outcome { &mut of_true } else { &mut of_false }) += weight;
        }
        let total_weight: f64 = of_true + of_false;
        if !total_weight.is_finite() {
            return Err(SolverError::WeightsTooLarge);
        }
        match (of_true > 0.0, of_false > 0.0) {
            (true, true) => {}
            (false, false) => return Err(SolverError::NoWeight),
            (outcome, _) => return Err(SolverError::OneClass { outcome }),
        }
        let (weight_true, weight_false) = (of_true, of_false);
        Ok(Self { design, outcomes, weights, total_weight, weight_true, weight_false, sparse: None })
    }

    /// Keeps the sparse columns for the passes to come, where that saves work.
    pub(super) fn keep_sparse(&mut self) {
        self.sparse = SparseRows::of(self.design);
    }

    /// Columns of the design and one for the intercept.
    pub(super) fn width(&self) -> usize {
        self.design.columns() + 1
    }

    /// The intercept that fits best when all coefficients are 0, and the mean loss there.
    pub(super) fn intercept_alone(&self) -> (f64, f64) {
        let loss_of = |weight: f64| weight / self.total_weight * (self.total_weight.ln() - weight.ln());
        let intercept = self.weight_true.ln() - self.weight_false.ln();
        (intercept, loss_of(self.weight_true) + loss_of(self.weight_false))
    }

    /// Adds up the rows at `point` (intercept first).
    pub(super) fn pass(&self, point: &Array1<f64>, want: Want) -> Result<Sums, SolverError> {
        let width = self.width();
        let block_rows = (BLOCK_CELLS / width).clamp(BLOCK_ROWS.0, BLOCK_ROWS.1).min(self.design.rows());
        let blocks = self.design.rows().div_ceil(block_rows);
        let groups = (PARTIAL_BYTES / (width * width * 8)).clamp(GROUPS.0, GROUPS.1).min(blocks);
        let partials: Vec<Result<Sums, SolverError>> = (0..groups)
            .into_par_iter()
            .map_init(
                || Scratch::new(width, block_rows),
                |scratch, group| {
                    let mut sums = Sums::zero(width).with_hessian(want);
                    for block in group * blocks / groups..(group + 1) * blocks / groups {
                        let end = ((block + 1) * block_rows).min(self.design.rows());
                        self.add_block(block * block_rows..end, point, want, scratch, &mut sums)?;
                    }
                    Ok(sums)
                },
            )
            .collect();
        let mut total = Sums::zero(width).with_hessian(want);
        for partial in partials {
            total.add(&partial?);
        }
        total.finish(self.total_weight);
        Ok(total)
    }

    fn add_block(
        &self,
        rows: Range<usize>,
        point: &Array1<f64>,
        want: Want,
        scratch: &mut Scratch,
        sums: &mut Sums,
    ) -> Result<(), SolverError> {
        let length = rows.len();
        let Scratch { columns, eta, root } = scratch;
        let mut columns = columns.slice_axis_mut(Axis(1), Slice::from(..length));
        let mut eta = eta.slice_axis_mut(Axis(0), Slice::from(..length));
        let mut root = root.slice_axis_mut(Axis(0), Slice::from(..length));

        self.design.fill(rows.clone(), columns.slice_axis_mut(Axis(0), Slice::from(1..)).reversed_axes());
        columns.row_mut(0).fill(1.0);
        if want == Want::HessianAfterCheck {
            let bad = |row: &usize| columns.column(*row).iter().any(|value| !value.is_finite());
            // The quick look first: a column at a time, in the order the block is stored in.
            if columns.iter().fold(false, |any, value| any | !value.is_finite())
                && let Some(row) = (0..length).find(bad)
            {
                let column = columns.column(row).iter().take_while(|value| value.is_finite()).count() - 1;
                return Err(SolverError::NonFinite { row: rows.start + row, column });
            }
        }

        eta.fill(point[0]);
        for (column, &coefficient) in columns.rows().into_iter().zip(point).skip(1) {
            if coefficient != 0.0 {
                eta.scaled_add(coefficient, &column);
            }
        }
        for ((row, eta), root) in rows.zip(&mut eta).zip(&mut root) {
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            let at = Logistic::at(*eta, self.outcomes[row]);
            sums.loss += weight * at.loss;
            sums.separated &= at.right_side || weight == 0.0;
            *eta = weight * at.residual;
            *root = (weight * at.curvature).sqrt();
        }
        for (gradient, column) in sums.gradient.iter_mut().zip(columns.rows()) {
            *gradient += column.dot(&eta);
        }

        if want != Want::Gradient {
            add_products(&mut columns, &root.view(), &mut sums.hessian);
        }
        Ok(())
    }
}

/// Adds X'WX to the upper half of `hessian`. Scales the columns on the way.
pub(super) fn add_products(
    columns: &mut ArrayViewMut2<'_, f64>,
    root: &ArrayView1<'_, f64>,
    hessian: &mut Array2<f64>,
) {
    for mut column in columns.rows_mut() {
        column *= root;
    }
    let bands = hessian.axis_chunks_iter_mut(Axis(0), TILE);
    for (first, (left, mut band)) in columns.axis_chunks_iter(Axis(0), TILE).zip(bands).enumerate() {
        let tiles = band.axis_chunks_iter_mut(Axis(1), TILE);
        for (right, mut tile) in columns.axis_chunks_iter(Axis(0), TILE).zip(tiles).skip(first) {
            general_mat_mul(1.0, &left, &right.t(), 1.0, &mut tile);
        }
    }
}

impl Scratch {
    fn new(width: usize, rows: usize) -> Self {
        Self { columns: Array2::zeros((width, rows)), eta: Array1::zeros(rows), root: Array1::zeros(rows) }
    }
}

impl Sums {
    pub(super) fn zero(width: usize) -> Self {
        Self {
            loss: 0.0,
            gradient: Array1::zeros(width),
            hessian: Array2::zeros((0, 0)),
            separated: true,
            curvatures: Vec::new(),
        }
    }

    fn with_hessian(mut self, want: Want) -> Self {
        let side = if want == Want::Gradient { 0 } else { self.gradient.len() };
        self.hessian = Array2::zeros((side, side));
        self
    }

    fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        self.gradient += &other.gradient;
        self.hessian += &other.hessian;
        self.separated &= other.separated;
    }

    /// Turns sums into means and fills the lower half of the Hessian from the upper.
    fn finish(&mut self, total_weight: f64) {
        self.loss /= total_weight;
        self.gradient /= total_weight;
        self.hessian /= total_weight;
        mirror(&mut self.hessian);
    }
}

/// The logistic loss of one row and its derivatives in the linear predictor.
pub(super) struct Logistic {
    /// log(1 + exp(eta)) - y eta
    pub(super) loss: f64,
    /// probability - y
    pub(super) residual: f64,
    /// probability (1 - probability)
    pub(super) curvature: f64,
    /// The linear predictor lies strictly on the side of the outcome.
    pub(super) right_side: bool,
}

impl Logistic {
    /// One exponential and one logarithm, and no difference of nearly equal numbers: the residual of a row
    /// that is all but certain keeps its digits.
    pub(super) fn at(eta: f64, outcome: bool) -> Self {
        let small = (-eta.abs()).exp();
        let (near, far) = (1.0 / (1.0 + small), small / (1.0 + small));
        let (of_true, of_false) = if eta >= 0.0 { (near, far) } else { (far, near) };
        let margin = if outcome { eta } else { -eta };
        Self {
            loss: (-margin).max(0.0) + small.ln_1p(),
            residual: if outcome { -of_false } else { of_true },
            curvature: near * far,
            right_side: margin > 0.0,
        }
    }
}
