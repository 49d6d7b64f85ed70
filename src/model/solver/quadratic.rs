//! The step: the minimum of the quadratic model of the loss, plus the penalty, around a point.
//!
//! With ridge alone this is one linear system. With a lasso part the model is minimised by coordinate
//! descent with soft thresholding on the Hessian, which never touches the rows. Coordinate descent crawls
//! when columns are strongly correlated, so now and then the linear system of the coefficients that are not
//! zero is solved instead, and followed up to the first change of sign: this, too, can only lower the model,
//! and once the right coefficients are zero it ends the search at once.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1};

/// A pivot smaller than this share of its diagonal entry counts as zero. Rounding leaves about 1e-15 of an
/// exactly collinear column, and a column of which only 1e-12 is its own cannot be estimated from records.
const PIVOT_SHARE: f64 = 1e-12;
/// Fewest sweeps of coordinate descent between two attempts at the linear system, and how many more coefficients call for
/// another: so both cost about alike.
const SWEEPS_BETWEEN: (usize, usize) = (8, 8);
/// Sweeps after which the step is taken as it stands; it lowers the model in any case.
const MOST_SWEEPS: u32 = 20_000;

/// Lower triangular factor L of a symmetric positive definite matrix L L', as one slice of rows.
pub(super) struct Cholesky {
    lower: Vec<f64>,
    side: usize,
}

/// The index at which a factorisation found its matrix singular.
#[derive(Debug)]
pub(super) struct Singular(pub(super) usize);

impl Cholesky {
    /// Factors `matrix`, of which only the lower half is read.
    pub(super) fn new(matrix: &Array2<f64>) -> Result<Self, Singular> {
        let side = matrix.nrows();
        let mut lower: Vec<f64> = matrix.iter().copied().collect();
        for pivot in 0..side {
            let (done, rest) = lower.split_at_mut(pivot * side);
            let row = &mut rest[..=pivot];
            for (column, above) in done.chunks_exact(side).enumerate() {
                row[column] = (row[column] - dot(&row[..column], &above[..column])) / above[column];
            }
            let diagonal = row[pivot];
            let left = diagonal - dot(&row[..pivot], &row[..pivot]);
            if left.is_nan() || left <= PIVOT_SHARE * diagonal {
                return Err(Singular(pivot));
            }
            row[pivot] = left.sqrt();
        }
        Ok(Self { lower, side })
    }

    /// The x for which L L' x = `right`.
    pub(super) fn solve(&self, mut right: Array1<f64>) -> Array1<f64> {
        let rows = || self.lower.chunks_exact(self.side).enumerate();
        for (index, row) in rows() {
            let solved: f64 = row[..index].iter().zip(&right).map(|(factor, x)| factor * x).sum();
            right[index] = (right[index] - solved) / row[index];
        }
        for (index, row) in rows().rev() {
            right[index] /= row[index];
            let value = right[index];
            right.iter_mut().zip(&row[..index]).for_each(|(x, factor)| *x -= factor * value);
        }
        right
    }
}

/// The inner product, by ndarray's unrolled loop.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    ArrayView1::from(left).dot(&ArrayView1::from(right))
}

/// Fills the lower half of a symmetric matrix from the upper.
pub(super) fn mirror(matrix: &mut Array2<f64>) {
    /// Rows and columns that are copied at once, so that both halves' lines stay in the cache.
    const TILE: usize = 32;
    let side = matrix.nrows();
    for (first, second) in
        (0..side).step_by(TILE).flat_map(|row| (0..=row).step_by(TILE).map(move |of| (row, of)))
    {
        for row in first..side.min(first + TILE) {
            for column in second..row.min(second + TILE) {
                matrix[[row, column]] = matrix[[column, row]];
            }
        }
    }
}

/// Corrects a Hessian along a step, where the change of the gradient shows the curvature (the update of
/// Broyden, Fletcher, Goldfarb and Shanno; J. Nocedal and S. J. Wright (2006), *Numerical Optimization*, section 6.1).
///
/// Nothing is learnt where the curvature seen, as a share of that supposed, is not within `believed`: a loss that
/// seems flat, or bent by far more, is rounding.
pub(super) fn learn_curvature(
    hessian: &mut Array2<f64>,
    (step, change): (&Array1<f64>, &Array1<f64>),
    believed: &Range<f64>,
) {
    let expected = hessian.dot(step);
    let (seen, supposed) = (step.dot(change), step.dot(&expected));
    if !believed.contains(&(seen / supposed)) {
        return;
    }
    for (index, mut row) in hessian.rows_mut().into_iter().enumerate() {
        row.scaled_add(change[index] / seen, change);
        row.scaled_add(-expected[index] / supposed, &expected);
    }
}

/// Largest violation of the optimality conditions, where `gradient` is that of the smooth part.
///
/// A coefficient that is not zero needs a gradient of minus `lasso` times its sign; one that is zero needs
/// a gradient no larger than `lasso`; the intercept (index 0) is not penalised and needs none.
pub(super) fn violation(gradient: &Array1<f64>, point: &Array1<f64>, lasso: f64) -> f64 {
    let of_one = |index: usize| {
        let (slope, value) = (gradient[index], point[index]);
        if index == 0 {
            slope.abs()
        } else if value == 0.0 {
            (slope.abs() - lasso).max(0.0)
        } else {
            (slope + lasso.copysign(value)).abs()
        }
    };
    // `f64::max` would pass over a value that is not a number.
    (0..point.len())
        .map(of_one)
        .fold(0.0, |worst, next| if next > worst || next.is_nan() { next } else { worst })
}

/// The minimum of a quadratic model plus the lasso penalty, found by coordinate descent.
pub(super) struct LassoModel<'a> {
    hessian: &'a Array2<f64>,
    lasso: f64,
    /// Gradient of the quadratic at `point`.
    gradient: Array1<f64>,
    point: Array1<f64>,
}

impl<'a> LassoModel<'a> {
    /// The model around `point`, where the smooth part has this gradient and Hessian.
    pub(super) fn new(
        hessian: &'a Array2<f64>,
        gradient: &Array1<f64>,
        point: &Array1<f64>,
        lasso: f64,
    ) -> Self {
        Self { hessian, lasso, gradient: gradient.clone(), point: point.clone() }
    }

    /// Moves to the minimum, until the optimality conditions of the model hold to `tolerance`.
    pub(super) fn minimise(mut self, tolerance: f64) -> Array1<f64> {
        let mut since = 0;
        for _ in 0..MOST_SWEEPS {
            self.sweep();
            since += 1;
            if violation(&self.gradient, &self.point, self.lasso) <= tolerance {
                break;
            }
            let support = self.point.iter().filter(|&&value| value != 0.0).count();
            if since >= SWEEPS_BETWEEN.0.max(support / SWEEPS_BETWEEN.1) {
                self.solve_support();
                since = 0;
            }
        }
        self.point
    }

    /// One round of exact minimisation along each coordinate.
    fn sweep(&mut self) {
        for index in 0..self.point.len() {
            let curvature = self.hessian[[index, index]];
            let lasso = if index == 0 { 0.0 } else { self.lasso };
            let pull = curvature * self.point[index] - self.gradient[index];
            let next = (pull.abs() - lasso).max(0.0).copysign(pull) / curvature;
            self.shift(index, next);
        }
    }

    /// Sets one coefficient and brings the gradient up to date.
    fn shift(&mut self, index: usize, next: f64) {
        let change = next - self.point[index];
        if change != 0.0 {
            self.point[index] = next;
            self.gradient.scaled_add(change, &self.hessian.row(index));
        }
    }

    /// Goes towards the minimum among the coefficients that are not zero now, signs held, and stops where
    /// the first of them reaches zero. Does nothing when their minimum is not unique.
    fn solve_support(&mut self) {
        let support: Vec<usize> =
            (0..self.point.len()).filter(|&index| index == 0 || self.point[index] != 0.0).collect();
        let matrix = Array2::from_shape_fn((support.len(), support.len()), |(row, column)| {
            self.hessian[[support[row], support[column]]]
        });
        let Ok(factor) = Cholesky::new(&matrix) else { return };
        let step = factor.solve(Array1::from_iter(support.iter().map(|&index| {
            let lasso = if index == 0 { 0.0 } else { self.lasso.copysign(self.point[index]) };
            -(self.gradient[index] + lasso)
        })));
        let (mut share, mut first) = (1.0, None);
        for (&index, &change) in support.iter().zip(&step).skip(1) {
            let reach = -self.point[index] / change;
            if reach >= 0.0 && reach < share {
                (share, first) = (reach, Some(index));
            }
        }
        for (&index, &change) in support.iter().zip(&step) {
            let next = if first == Some(index) { 0.0 } else { self.point[index] + share * change };
            self.shift(index, next);
        }
    }
}
