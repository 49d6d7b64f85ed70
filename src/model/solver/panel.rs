//! The rows in single precision, kept ready for many passes at several points at once.
//!
//! A path with its folds asks for hundreds of gradients, each of a slightly other point, over the same rows; so
//! do the regressions of several outcomes. So the standardised rows are made once, and one pass over them
//! serves all fits: a row that is in the first-level cache is multiplied with the coefficients of [`LANES`] fits
//! before the next row is read, and a block that is in the second-level cache with those of all.
//! That costs 4 bytes for each row and column (39 MB for 80,000 rows by 121 columns). Where there are many columns, the
//! [sparse](super::sparse) ones cost a byte for each entry, or nine where entries differ, and the work of their entries.
//!
//! Single precision is enough here because every sum runs over at most 256 rows before it goes on in double
//! precision: the gradient of the mean loss then carries an error of about 1e-9, and a path is followed to
//! [1e-8 or more](super::along). The fit that becomes a model is finished in double precision elsewhere.
//!
//! Rows are sorted by *part* (rows that always serve the same folds), and parts are cut into blocks, so a
//! fold leaves out whole blocks. Blocks and the groups in which they are added up depend on the data alone,
//! never on the number of threads; so the sums have the same bits however many threads there are.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::lanes::{
    BLOCK_STRIPS, ByRow, LANES, Lanes, PADDED, add_masked, by_rows, plus, plus_rows, plus_scaled,
};
use super::lanes::{slopes, total};
use super::products::{Full, Products, Sums as ProductSums};
use super::single::{Logistic, STRIP, Strip};
use super::sparse::{BLOCK, Block as SparseBlock, Layout};
use super::{Design, SolverError};

/// Groups of blocks in a pass: work for up to 64 threads.
const GROUPS: usize = 64;
/// Blocks whose products are added up at once: the longer the matrix product, the less its packing costs.
const BLOCKS_AT_ONCE: usize = 4;
/// Columns of one tile of the products; only tiles on and above the diagonal are computed.
const TILE: usize = 64;
/// Bytes that all partial products together may take, so that a wide design asks for fewer groups.
const PARTIAL_BYTES: usize = 32 << 20;
/// What a fit does with each part of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    /// For each part whether the fit learns from it.
    pub learns: Vec<bool>,
    /// For each part whether the fit is checked on it.
    pub checks: Vec<bool>,
}

/// The packed rows.
pub(super) struct Panel {
    layout: Layout,
    /// Strips from one set of rows to the next: odd, so that rows do not all fall on the same cache lines.
    stride: usize,
    blocks: Vec<Block>,
    parts: Vec<Part>,
}

/// Weights of one part.
#[derive(Debug, Clone)]
struct Part {
    weight: f64,
    /// For each outcome.
    weights_true: Vec<f64>,
}

struct Block {
    part: usize,
    /// For each strip of rows a strip for each dense column.
    cells: Vec<Strip>,
    /// The entries of the sparse columns.
    sparse: SparseBlock,
    /// For each outcome its strips of rows. A byte a row, or a few dozen outcomes would outweigh the cells.
    targets: Vec<Vec<[bool; STRIP]>>,
    /// 0 for the rows that only fill up the last strip.
    weights: Vec<Strip>,
}

/// A fit that a pass is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Which of the panel's outcomes.
    pub outcome: usize,
    /// Intercept first.
    pub point: &'a [f64],
    pub roles: &'a Roles,
}

/// What a pass finds of one fit: means over the rows it learns from, and over those it is checked on.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Mean loss over the rows learnt from.
    pub loss: f64,
    /// Gradient of that mean; the intercept's first.
    pub gradient: Vec<f64>,
    /// Mean loss over the rows checked on; not a number where there are none.
    pub check_loss: f64,
}

/// Sums of a pass, before they are divided by weights.
#[derive(Clone)]
struct Sums {
    loss: Lanes<f64>,
    check_loss: Lanes<f64>,
    /// The intercept's, the dense columns', and the sums over the sparse columns' entries.
    gradient: Vec<Lanes<f64>>,
}

/// The points of a pass, laid out for it.
struct Points {
    /// With what the bases of sparse columns add.
    intercepts: Lanes<f32>,
    /// Dense columns that any point uses, with their coefficients.
    used: Vec<(usize, Lanes<f32>)>,
    /// Sparse columns that any point uses, with their coefficients times their steps.
    used_sparse: Vec<(usize, [f32; PADDED])>,
}

impl Panel {
    /// Packs the rows that carry weight, with what became of each by one or more `outcomes`; `parts` has a
    /// number below `count` for each row.
    pub(super) fn new(
        design: &impl Design,
        outcomes: &[&[bool]],
        weights: Option<&[f64]>,
        parts: &[usize],
        count: usize,
    ) -> Result<Self, SolverError> {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut totals = vec![Part { weight: 0.0, weights_true: vec![0.0; outcomes.len()] }; count];
        for (row, &part) in parts.iter().enumerate().filter(|(row, _)| weight(*row) > 0.0) {
            rows_of[part].push(row);
            totals[part].weight += weight(row);
            for (sum, outcomes) in totals[part].weights_true.iter_mut().zip(outcomes) {
                *sum += if outcomes[row] { weight(row) } else { 0.0 };
            }
        }
        let pieces: Vec<(usize, &[usize])> = rows_of
            .iter()
            .enumerate()
            .flat_map(|(part, rows)| rows.chunks(BLOCK_STRIPS * STRIP).map(move |piece| (part, piece)))
            .collect();
        let layout = Layout::of(design);
        let columns = design.columns();
        let stride = layout.dense.len() | 1;
        let blocks = pieces
            .into_par_iter()
            .map_init(
                || Array2::zeros((columns, BLOCK_STRIPS * STRIP)),
                |scratch, (part, rows)| {
                    let mut values = scratch.slice_axis_mut(Axis(1), Slice::from(..rows.len()));
                    design.gather(rows, values.view_mut().reversed_axes());
                    let cells = packed(&values.view(), rows, &layout.dense)?;
                    let sparse = SparseBlock::of(&layout, &values.view());
                    let targets = outcomes.iter().map(|outcomes| strips(rows, |row| outcomes[row]));
                    let targets = targets.collect();
                    let weights = strips(rows, |row| weight(row) as f32);
                    Ok(Block { part, cells, sparse, targets, weights })
                },
            )
            .collect::<Result<_, SolverError>>()?;
        Ok(Self { layout, stride, blocks, parts: totals })
    }

    /// How the columns are kept.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Columns of the design and one for the intercept.
    pub(super) fn width(&self) -> usize {
        self.layout.columns() + 1
    }

    /// Weight of the rows that a fit learns from, and of those among them where the outcome is `true`.
    pub(super) fn learnt(&self, outcome: usize, roles: &Roles) -> (f64, f64) {
        let learnt = || self.parts.iter().zip(&roles.learns).filter(|(_, learns)| **learns);
        let of_true = learnt().map(|(part, _)| part.weights_true[outcome]).sum();
        (learnt().map(|(part, _)| part.weight).sum(), of_true)
    }

    /// Weight of the rows that a fit is checked on.
    pub(super) fn checked(&self, roles: &Roles) -> f64 {
        self.parts.iter().zip(&roles.checks).filter(|(_, checks)| **checks).map(|(part, _)| part.weight).sum()
    }

    /// Loss and gradient of each fit at its point.
    pub(super) fn pass(&self, fits: &[Asked<'_>]) -> Vec<Found> {
        let lanes: Vec<(&[Asked<'_>], Points)> =
            fits.chunks(LANES).map(|fits| (fits, Points::new(fits, &self.layout))).collect();
        let zero = || vec![Sums::zero(self.width()); lanes.len()];
        let groups = GROUPS.min(self.blocks.len());
        let partials: Vec<Vec<Sums>> = (0..groups)
            .into_par_iter()
            .map(|group| {
                let mut sums = zero();
                let from = group * self.blocks.len() / groups;
                for block in &self.blocks[from..(group + 1) * self.blocks.len() / groups] {
                    for ((fits, points), sums) in lanes.iter().zip(&mut sums) {
                        block.add(self, points, fits, sums);
                    }
                }
                sums
            })
            .collect();
        let mut totals = zero();
        for partial in &partials {
            totals.iter_mut().zip(partial).for_each(|(total, partial)| total.add(partial));
        }
        let found = |(fits, total): (&[Asked<'_>], &Sums)| -> Vec<Found> {
            fits.iter().enumerate().map(|(lane, asked)| self.found(total, lane, asked)).collect()
        };
        fits.chunks(LANES).zip(&totals).flat_map(found).collect()
    }

    fn found(&self, total: &Sums, lane: usize, asked: &Asked<'_>) -> Found {
        let weight = self.learnt(asked.outcome, asked.roles).0;
        Found {
            loss: total.loss[lane] / weight,
            gradient: self.gradient(total, lane).into_iter().map(|of| of / weight).collect(),
            check_loss: total.check_loss[lane] / self.checked(asked.roles),
        }
    }

    /// One fit's gradient in the design's order.
    fn gradient(&self, total: &Sums, lane: usize) -> Vec<f64> {
        let mut gradient = vec![total.gradient[0][lane]; self.width()];
        let Layout { dense, sparse, .. } = &self.layout;
        let (of_dense, of_sparse) = total.gradient[1..].split_at(dense.len());
        dense.iter().zip(of_dense).for_each(|(&column, of)| gradient[column + 1] = of[lane]);
        for (column, of) in sparse.iter().zip(of_sparse) {
            gradient[column.column + 1] = column.base * gradient[0] + column.step * of[lane];
        }
        gradient
    }

    /// The curvature of each part's loss at a point: the sum of weight times p (1 - p) times the products of
    /// the columns of a set, upper half only, the intercept's first. The set has all columns where none is sparse.
    /// Of the `wanted` parts, and none of a part without rows.
    pub(super) fn curvatures(
        &self,
        point: &[f64],
        set: &[usize],
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<(usize, Array2<f64>)> {
        let roles = Roles { learns: Vec::new(), checks: Vec::new() };
        let points = Points::new(&[Asked { outcome: 0, point, roles: &roles }], &self.layout);
        let width = set.len();
        // At least one for each part; sums over sparse columns are in double precision.
        let (least, bytes) = if self.layout.is_sparse() { (1, 8) } else { (self.parts.len(), 4) };
        let most = (PARTIAL_BYTES / (width * width * bytes)).clamp(least, GROUPS.max(self.parts.len()));
        let a_group = self.blocks.len().div_ceil(most).max(1);
        let groups: Vec<&[Block]> = self
            .blocks
            .chunk_by(|left, right| left.part == right.part)
            .filter(|blocks| wanted(blocks[0].part))
            .flat_map(|part| part.chunks(a_group))
            .collect();
        if self.layout.is_sparse() {
            return self.sparse_curvatures(groups, &points, set);
        }
        let partials: Vec<(usize, Array2<f32>)> = groups
            .into_par_iter()
            .map_init(
                || Array2::zeros((width, BLOCKS_AT_ONCE * BLOCK_STRIPS * STRIP)),
                |scratch, blocks| (blocks[0].part, products(blocks, self.stride, &points, scratch)),
            )
            .collect();
        let mut sums: Vec<(usize, Array2<f64>)> = Vec::new();
        for (part, partial) in partials {
            if sums.last().is_none_or(|(last, _)| *last != part) {
                sums.push((part, Array2::zeros((width, width))));
            }
            if let Some((_, sum)) = sums.last_mut() {
                sum.zip_mut_with(&partial, |sum, &value| *sum += f64::from(value));
            }
        }
        sums
    }

    fn sparse_curvatures(
        &self,
        groups: Vec<&[Block]>,
        points: &Points,
        set: &[usize],
    ) -> Vec<(usize, Array2<f64>)> {
        let products = Products::new(&self.layout, set);
        let partials: Vec<(usize, ProductSums)> = groups
            .into_par_iter()
            .map(|blocks| {
                let mut sums = products.zero();
                for block in blocks {
                    let weights = block.curvatures(self, points);
                    block.write_full(self.stride, products.full(), &mut sums.full);
                    products.add(&block.sparse, &weights, &mut sums);
                }
                (blocks[0].part, sums)
            })
            .collect();
        let mut sums: Vec<(usize, ProductSums)> = Vec::new();
        for (part, partial) in partials {
            match sums.last_mut() {
                Some((last, sum)) if *last == part => sum.add(&partial),
                _ => sums.push((part, partial)),
            }
        }
        sums.into_iter().map(|(part, sums)| (part, products.finish(&sums))).collect()
    }
}

/// Turns a block's columns into strips.
fn packed(values: &ArrayView2<'_, f64>, rows: &[usize], dense: &[usize]) -> Result<Vec<Strip>, SolverError> {
    let stride = dense.len() | 1;
    let mut cells = vec![[0.0; STRIP]; rows.len().div_ceil(STRIP) * stride];
    for (nth, &column) in dense.iter().enumerate() {
        for (place, &value) in values.row(column).iter().enumerate() {
            let value = value as f32;
            if !value.is_finite() {
                return Err(SolverError::NonFinite { row: rows[place], column });
            }
            cells[place / STRIP * stride + nth][place % STRIP] = value;
        }
    }
    Ok(cells)
}

/// A quantity of each row, in strips; nothing fills up the last one.
fn strips<T: Copy + Default>(rows: &[usize], of: impl Fn(usize) -> T) -> Vec<[T; STRIP]> {
    let mut strips = vec![[T::default(); STRIP]; rows.len().div_ceil(STRIP)];
    for (place, &row) in rows.iter().enumerate() {
        strips[place / STRIP][place % STRIP] = of(row);
    }
    strips
}

/// The upper half of the weighted products of all columns over some blocks.
fn products(blocks: &[Block], stride: usize, points: &Points, scratch: &mut Array2<f32>) -> Array2<f32> {
    let width = scratch.nrows();
    let mut sums = Array2::zeros((width, width));
    for blocks in blocks.chunks(BLOCKS_AT_ONCE) {
        let mut filled = 0;
        for block in blocks {
            filled = block.write_rooted(stride, points, scratch, filled);
        }
        let columns = scratch.slice_axis(Axis(1), Slice::from(..filled));
        for (first, mut band) in sums.axis_chunks_iter_mut(Axis(0), TILE).enumerate() {
            let left = columns.slice_axis(Axis(0), Slice::from(first * TILE..width.min((first + 1) * TILE)));
            let right = columns.slice_axis(Axis(0), Slice::from(first * TILE..));
            let mut upper = band.slice_axis_mut(Axis(1), Slice::from(first * TILE..));
            general_mat_mul(1.0, &left, &right.t(), 1.0, &mut upper);
        }
    }
    sums
}

impl Points {
    fn new(fits: &[Asked<'_>], layout: &Layout) -> Self {
        let lanes = |column: usize, step: f64| {
            let mut lanes = [0.0; PADDED];
            for (lane, asked) in lanes.iter_mut().zip(fits) {
                *lane = (step * asked.point[column + 1]) as f32;
            }
            lanes
        };
        let of_dense = |&column: &usize| -> Lanes<f32> {
            let padded = lanes(column, 1.0);
            std::array::from_fn(|lane| padded[lane])
        };
        let used = layout.dense.iter().map(of_dense).enumerate();
        let used = used.filter(|(_, lanes)| lanes.iter().any(|&lane| lane != 0.0)).collect();
        let sparse = layout.sparse.iter().map(|column| lanes(column.column, column.step)).enumerate();
        let used_sparse = sparse.filter(|(_, lanes)| lanes.iter().any(|&lane| lane != 0.0)).collect();
        let mut intercepts = [0.0; LANES];
        for (lane, asked) in intercepts.iter_mut().zip(fits) {
            let bases = layout.sparse.iter().map(|column| column.base * asked.point[column.column + 1]);
            *lane = (asked.point[0] + bases.sum::<f64>()) as f32;
        }
        Self { intercepts, used, used_sparse }
    }
}

impl Sums {
    fn zero(width: usize) -> Self {
        Self { loss: [0.0; LANES], check_loss: [0.0; LANES], gradient: vec![[0.0; LANES]; width] }
    }

    fn add(&mut self, other: &Self) {
        let add = |into: &mut Lanes<f64>, from: &Lanes<f64>| {
            into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        };
        add(&mut self.loss, &other.loss);
        add(&mut self.check_loss, &other.check_loss);
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(into, from)| add(into, from));
    }
}

impl Block {
    /// Adds the block's loss and gradient for each fit.
    fn add(&self, panel: &Panel, points: &Points, fits: &[Asked<'_>], sums: &mut Sums) {
        let stride = panel.stride;
        let mut residuals = [[[0.0; STRIP]; LANES]; BLOCK_STRIPS];
        let mut losses = [[0.0; STRIP]; LANES];
        let of_sparse = self.sparse_etas(panel, points);
        for (strip, (cells, residuals)) in self.cells.chunks_exact(stride).zip(&mut residuals).enumerate() {
            let mut etas = etas(cells, points);
            if let Some(by_row) = &of_sparse {
                plus_rows(&mut etas, &by_row[strip * STRIP..]);
            }
            // A lane that no fit uses is left at zero.
            for (lane, asked) in fits.iter().enumerate() {
                let target = self.targets[asked.outcome][strip].map(|is_true| f32::from(u8::from(is_true)));
                let at = Logistic::at(&etas[lane], &target, &self.weights[strip]);
                residuals[lane] = at.residual;
                losses[lane].iter_mut().zip(at.loss).for_each(|(sum, loss)| *sum += loss);
            }
        }
        let mut learns = [0.0; LANES];
        for (lane, Asked { roles, .. }) in fits.iter().enumerate() {
            let loss = total(&losses[lane]);
            if roles.learns[self.part] {
                learns[lane] = 1.0;
                sums.loss[lane] += loss;
            }
            if roles.checks[self.part] {
                sums.check_loss[lane] += loss;
            }
        }
        let strips = self.weights.len();
        let mut alone = [[0.0; STRIP]; LANES];
        for residuals in &residuals[..strips] {
            for (sum, residual) in alone.iter_mut().zip(residuals) {
                sum.iter_mut().zip(residual).for_each(|(sum, residual)| *sum += residual);
            }
        }
        add_masked(&mut sums.gradient[0], &alone, &learns);
        let (of_dense, of_sparse) = sums.gradient[1..].split_at_mut(panel.layout.dense.len());
        for (column, gradient) in of_dense.iter_mut().enumerate() {
            let cells = self.cells[column..].iter().step_by(stride);
            add_masked(gradient, &slopes(cells, &residuals[..strips]), &learns);
        }
        if !of_sparse.is_empty() {
            self.add_sparse(&panel.layout, &by_rows(&residuals), &learns, of_sparse);
        }
    }

    /// What the sparse columns add to each row's linear predictors, beyond their bases; none where there are none.
    fn sparse_etas(&self, panel: &Panel, points: &Points) -> Option<ByRow> {
        let mut by_row = (!points.used_sparse.is_empty()).then_some([[0.0; PADDED]; BLOCK])?;
        for (nth, of) in &points.used_sparse {
            let entries = self.sparse.entries(&panel.layout, *nth);
            match entries.amounts {
                None => {
                    for &place in entries.places {
                        plus(&mut by_row[usize::from(place)], of, 1.0);
                    }
                }
                Some(amounts) => {
                    for (&place, &amount) in entries.places.iter().zip(amounts) {
                        plus(&mut by_row[usize::from(place)], of, amount as f32);
                    }
                }
            }
        }
        Some(by_row)
    }

    /// Adds the residuals of each sparse column's entries.
    fn add_sparse(&self, layout: &Layout, residuals: &ByRow, learns: &Lanes<f64>, sums: &mut [Lanes<f64>]) {
        for (nth, sums) in sums.iter_mut().enumerate() {
            let entries = self.sparse.entries(layout, nth);
            let mut of_block = [0.0; PADDED];
            match entries.amounts {
                None => {
                    for &place in entries.places {
                        plus(&mut of_block, &residuals[usize::from(place)], 1.0);
                    }
                }
                Some(amounts) => {
                    for (&place, &amount) in entries.places.iter().zip(amounts) {
                        plus(&mut of_block, &residuals[usize::from(place)], amount as f32);
                    }
                }
            }
            for ((sum, of), learns) in sums.iter_mut().zip(of_block).zip(learns) {
                *sum += learns * f64::from(of);
            }
        }
    }

    /// Each row's curvature at the first of some points.
    fn curvatures(&self, panel: &Panel, points: &Points) -> [f64; BLOCK] {
        let mut curvatures = [0.0; BLOCK];
        let of_sparse = self.sparse_etas(panel, points);
        let strips = self.cells.chunks_exact(panel.stride).zip(curvatures.chunks_exact_mut(STRIP));
        for (strip, (cells, out)) in strips.enumerate() {
            let mut etas = etas(cells, points);
            if let Some(by_row) = &of_sparse {
                plus_rows(&mut etas, &by_row[strip * STRIP..]);
            }
            let at = Logistic::at(&etas[0], &[0.0; STRIP], &self.weights[strip]);
            out.iter_mut().zip(at.curvature).for_each(|(out, curvature)| *out = f64::from(curvature));
        }
        curvatures
    }

    /// Writes the dense ones among the columns that are multiplied in full.
    fn write_full(&self, stride: usize, full: &[Full], out: &mut Array2<f64>) {
        for (of, mut out) in full.iter().zip(out.rows_mut()) {
            let Full::Dense(place) = *of else { continue };
            let cells = self.cells[place..].iter().step_by(stride).flatten();
            out.iter_mut().zip(cells).for_each(|(out, &cell)| *out = f64::from(cell));
        }
    }

    /// Writes the columns, each value times the root of its row's curvature, from place `from` on; gives the
    /// place after the last.
    fn write_rooted(&self, stride: usize, points: &Points, out: &mut Array2<f32>, from: usize) -> usize {
        for (strip, cells) in self.cells.chunks_exact(stride).enumerate() {
            let eta = etas(cells, points)[0];
            // Which outcome a row has plays no part in the curvature.
            let roots = Logistic::at(&eta, &[0.0; STRIP], &self.weights[strip]).curvature.map(f32::sqrt);
            let place = from + strip * STRIP;
            let ones = [1.0; STRIP];
            let columns = std::iter::once(&ones).chain(cells);
            for (mut out, cell) in out.rows_mut().into_iter().zip(columns) {
                for row in 0..STRIP {
                    out[place + row] = cell[row] * roots[row];
                }
            }
        }
        from + self.weights.len() * STRIP
    }
}

/// The linear predictors of a strip for all fits.
#[inline(never)]
fn etas(cells: &[Strip], points: &Points) -> Lanes<Strip> {
    // Six names and not an array: so the compiler keeps the sums in registers.
    let [mut a, mut b, mut c, mut d, mut e, mut f] = points.intercepts.map(|intercept| [intercept; STRIP]);
    for (column, of) in &points.used {
        let cell = cells[*column];
        a = plus_scaled(a, cell, of[0]);
        b = plus_scaled(b, cell, of[1]);
        c = plus_scaled(c, cell, of[2]);
        d = plus_scaled(d, cell, of[3]);
        e = plus_scaled(e, cell, of[4]);
        f = plus_scaled(f, cell, of[5]);
    }
    [a, b, c, d, e, f]
}
