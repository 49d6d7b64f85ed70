//! Elastic-net logistic regression: the numeric core under the linear trainers.
//!
//! Minimised is
//!
//! ```text
//! (1 / sum w) sum_i w_i [ log(1 + exp(eta_i)) - y_i eta_i ]
//!     + strength ( (1 - l1_ratio) / 2 ||beta||^2 + l1_ratio ||beta||_1 ),      eta = intercept + X beta
//! ```
//!
//! where y is 1 for the outcome `true`, always: which outcome is commoner plays no part. The loss is a mean,
//! so a strength means the same at any number of rows. The intercept is not penalised.
//!
//! # Method
//! Newton's method. Each step minimises the quadratic model of the loss plus the penalty: one linear system
//! for ridge, coordinate descent on the Hessian when there is a lasso part (proximal Newton). A step that
//! does not lower the objective enough is halved. While the steps gain well the Hessian of an earlier point
//! is used again, because the Hessian is most of the work; the gradient is never an earlier one, so this
//! changes the path and not the place where it ends.
//!
//! Where there are many columns, most of them [sparse](sparse), the work is in their entries and not in all values. A ridge
//! step is then found by [conjugate gradients](conjugate) without the Hessian, or with it as soon as that is less
//! work; with a lasso part the Hessian is that of a [working set](working). Which way is taken is decided by counting
//! the work, from the shape of the data alone, and all ways end at the same conditions.
//!
//! A fit ends in one of two ways: a point at which the optimality conditions were seen to hold, or an error.
//! The starting point is never handed back as if it were a fit.
//!
//! # References
//! - J. Friedman, T. Hastie, R. Tibshirani (2010), Regularization paths for generalized linear models via
//!   coordinate descent, Journal of Statistical Software 33(1): the objective.
//! - J. D. Lee, Y. Sun, M. A. Saunders (2014), Proximal Newton-type methods for minimizing composite
//!   functions, SIAM Journal on Optimization 24(3): the method and its line search.
//! - A. Albert, J. A. Anderson (1984), On the existence of maximum likelihood estimates in logistic
//!   regression models, Biometrika 71(1): separation.

mod along;
mod conjugate;
mod error;
mod joint;
#[cfg(test)]
mod joint_tests;
mod lanes;
mod panel;
mod passes;
#[cfg(test)]
mod path_tests;
mod products;
mod quadratic;
mod single;
mod sparse;
mod sparse_passes;
mod sparse_rows;
#[cfg(test)]
mod sparse_tests;
#[cfg(test)]
pub(crate) mod tests;
mod working;

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayViewMut1, ArrayViewMut2};

pub(super) use along::{Path, Traced, trace};
use conjugate::{Implicit, Kept, Step};
pub(super) use error::SolverError;
pub(super) use joint::{Fitted, solve_each};
pub(super) use panel::Roles;
use passes::{Rows, Sums, Want};
use quadratic::{Cholesky, LassoModel, Singular, violation};
use sparse_rows::SparseRows;
use working::working_set;

/// Share of the predicted gain that a step must bring: the usual small constant of Armijo's rule.
const SUFFICIENT: f64 = 1e-4;
/// Rises of the objective below this share of it are rounding, not a bad step: a mean over a block of 4,096
/// rows is exact to about 1e-14.
const ROUNDING: f64 = 1e-13;
/// Halvings before a search along a step is given up: 2^-40 of a step changes nothing.
const MOST_HALVINGS: u32 = 40;
/// The Hessian is used again after a whole step that brought the violation down to this share or less.
const GOOD_GAIN: f64 = 0.1;
/// A fit has come to rest when the next step would move no coefficient by more than this, relative to the
/// largest one (or 1). It is there for flat directions, where the gradient vanishes long before the
/// coefficients settle; elsewhere the gradient is the stricter test.
const AT_REST: f64 = 1e-4;
/// Steps in a row that do not shrink although the gradient has vanished: from then on it is separation.
const STEPS_WITHOUT_REST: u32 = 5;

/// The rows of a design that has been standardised already, made block by block, so that no full copy of
/// the data in `f64` need exist.
pub(crate) trait Design: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Number of columns; the intercept is not one of them. 0 is allowed.
    fn columns(&self) -> usize;

    /// Writes the rows `rows` of one column into `out`, of that length.
    ///
    /// The same rows must always give the same values; it is called several times for each, from several
    /// threads.
    fn write(&self, column: usize, rows: Range<usize>, out: ArrayViewMut1<'_, f64>);

    /// The same for all columns, into a block of shape `rows.len()` x `columns()`.
    ///
    /// Every cell is written: a block is used again and holds old values. Each column of the block is
    /// contiguous in memory (`block.column_mut(j)` is one slice), so filling it column by column is
    /// fastest.
    fn fill(&self, rows: Range<usize>, mut block: ArrayViewMut2<'_, f64>) {
        for (column, out) in block.columns_mut().into_iter().enumerate() {
            self.write(column, rows.clone(), out);
        }
    }

    /// The same for any rows, in the order given.
    fn gather(&self, rows: &[usize], block: ArrayViewMut2<'_, f64>);
}

/// The elastic-net penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Penalty {
    /// Weight of the penalty beside the mean loss; 0 or more. glmnet calls it lambda; scikit-learn's C is
    /// 1 / (sum of weights x strength).
    pub strength: f64,
    /// Share of the lasso in the penalty, 0 (ridge) to 1 (lasso). glmnet calls it alpha.
    pub l1_ratio: f64,
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// Most steps, 1 or more.
    ///
    /// Default 100: a fit takes 5 to 15, one that is all but separated up to 30.
    pub max_iterations: u32,
    /// Largest violation of the optimality conditions, in the unit of the mean gradient (residual times
    /// standardised column); above 0.
    ///
    /// Default 1e-9: a coefficient is then off by at most that over the curvature, which with standardised
    /// columns is rarely under 0.01. So seven decimals hold, more than any report prints, while rounding
    /// (about 1e-16) stays far away.
    pub tolerance: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_iterations: 100, tolerance: 1e-9 }
    }
}

/// A minimum of the objective.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Solution {
    /// Log-odds of `true` where all columns are 0.
    pub intercept: f64,
    /// Change of the log-odds for each column, in column order. A column that is all zero has 0.
    pub coefficients: Vec<f64>,
    /// Steps taken from the start.
    pub iterations: u32,
    /// Largest violation of the optimality (KKT) conditions; at most the tolerance.
    pub optimality: f64,
}

/// Finds the minimum of the objective (see the module).
///
/// `weights` are frequency or importance weights, 0 or more; `None` means 1 for each row. `start` is a point
/// near the minimum, such as the solution for a slightly larger penalty; it is left aside when the
/// intercept alone does better. The bits of the result do not depend on the number of threads; they may
/// depend on `start`, within the tolerance.
///
/// # Errors
/// Refuses inputs of unequal length, settings and weights out of range, outcomes of one kind only, and a
/// design with values that are not finite (row and column are named, the value is not). Without ridge, a
/// column that depends linearly on the ones before it is [`SolverError::Collinear`]; the lasso alone has a
/// minimum then, though not the only one, and finds it. Without any penalty, columns that separate the
/// outcomes are [`SolverError::Separated`]. Otherwise a fit that does not reach the tolerance is
/// [`SolverError::NotConverged`].
pub(crate) fn solve(
    design: &impl Design,
    outcomes: &[bool],
    weights: Option<&[f64]>,
    penalty: Penalty,
    limits: Limits,
    start: Option<&Solution>,
) -> Result<Solution, SolverError> {
    check_settings(penalty, limits)?;
    let mut rows = Rows::new(design, outcomes, weights)?;
    rows.keep_sparse();
    let objective = Objective {
        rows,
        ridge: penalty.strength * (1.0 - penalty.l1_ratio),
        lasso: penalty.strength * penalty.l1_ratio,
    };
    Search::begin(objective, limits, start)?.run()
}

fn check_settings(penalty: Penalty, limits: Limits) -> Result<(), SolverError> {
    let need =
        |fine: bool, name, range| if fine { Ok(()) } else { Err(SolverError::Setting { name, range }) };
    need(
        penalty.strength.is_finite() && penalty.strength >= 0.0,
        "the penalty strength",
        "a finite number, 0 or more",
    )?;
    need((0.0..=1.0).contains(&penalty.l1_ratio), "the l1 ratio", "between 0 and 1")?;
    need(limits.max_iterations > 0, "the number of iterations", "1 or more")?;
    need(limits.tolerance.is_finite() && limits.tolerance > 0.0, "the tolerance", "a finite number above 0")
}

/// The smooth loss and the penalty, split into its ridge and its lasso part.
struct Objective<'a, D> {
    rows: Rows<'a, D>,
    ridge: f64,
    lasso: f64,
}

/// What is known at a point (intercept first).
struct Here {
    point: Array1<f64>,
    objective: f64,
    /// Gradient of the loss and the ridge part.
    gradient: Array1<f64>,
    violation: f64,
    separated: bool,
    /// Each row's, where sparse columns are kept.
    curvatures: Vec<f64>,
}

impl Here {
    /// How far a step moves the point, relative to its largest coefficient (or 1).
    fn moved_by(&self, step: &Array1<f64>) -> f64 {
        largest(step) / self.scale()
    }

    /// The largest coefficient, or 1.
    fn scale(&self) -> f64 {
        largest(&self.point).max(1.0)
    }

    fn solution(self, iterations: u32) -> Solution {
        Solution {
            intercept: self.point[0],
            coefficients: self.point.iter().skip(1).copied().collect(),
            iterations,
            optimality: self.violation,
        }
    }
}

fn largest(values: &Array1<f64>) -> f64 {
    values.iter().fold(0.0, |most: f64, value| most.max(value.abs()))
}

impl Solution {
    /// The intercept and after it the coefficients.
    fn point(&self) -> Array1<f64> {
        std::iter::once(self.intercept).chain(self.coefficients.iter().copied()).collect()
    }
}

impl<D: Design> Objective<'_, D> {
    fn is_unpenalised(&self) -> bool {
        self.ridge == 0.0 && self.lasso == 0.0
    }

    /// Adds the penalty to the sums of a pass at `point`. The Hessian comes with the ridge part, or empty if
    /// the pass made none.
    fn penalise(&self, point: Array1<f64>, sums: Sums) -> (Here, Array2<f64>) {
        let Sums { loss, mut gradient, mut hessian, separated, curvatures } = sums;
        let mut objective = loss;
        for (&coefficient, gradient) in point.iter().zip(&mut gradient).skip(1) {
            objective += 0.5 * self.ridge * coefficient * coefficient + self.lasso * coefficient.abs();
            *gradient += self.ridge * coefficient;
        }
        self.add_ridge(&mut hessian);
        let violation = violation(&gradient, &point, self.lasso);
        (Here { point, objective, gradient, violation, separated, curvatures }, hessian)
    }

    /// Adds the ridge part to the Hessian of the loss.
    fn add_ridge(&self, hessian: &mut Array2<f64>) {
        for (index, diagonal) in hessian.diag_mut().iter_mut().enumerate() {
            *diagonal += if index == 0 { 0.0 } else { self.ridge };
            // A column of zeros: any curvature will do, since its gradient is 0 and its coefficient stays.
            if *diagonal == 0.0 {
                *diagonal = 1.0;
            }
        }
    }

    /// Adds up the rows at a point; where sparse columns are kept no Hessian is made, whatever is wanted.
    fn sums(&self, point: &Array1<f64>, want: Want) -> Result<Sums, SolverError> {
        match &self.rows.sparse {
            Some(sparse) => Ok(self.rows.sparse_pass(sparse, point)),
            None => self.rows.pass(point, want),
        }
    }

    fn at(&self, point: Array1<f64>, want: Want) -> Result<(Here, Array2<f64>), SolverError> {
        let sums = self.sums(&point, want)?;
        Ok(self.penalise(point, sums))
    }

    /// Where a search begins: at `start`, or at the intercept alone if that does better.
    fn at_start(&self, start: Option<&Solution>) -> Result<(Here, Array2<f64>), SolverError> {
        let width = self.rows.width();
        let (intercept, loss) = self.rows.intercept_alone();
        let mut alone = Array1::zeros(width);
        alone[0] = intercept;
        let Some(start) = start else { return self.at_first(alone) };
        if start.coefficients.len() + 1 != width {
            let found = start.coefficients.len();
            return Err(SolverError::Length { what: "start", expected: width - 1, found });
        }
        let first = self.at_first(start.point())?;
        // A start that is not finite has no objective, and does no better than anything.
        if first.0.objective <= loss { Ok(first) } else { self.at(alone, Want::Hessian) }
    }

    /// The first pass: looks at every value and sets the coefficients of columns of zeros to 0.
    fn at_first(&self, mut point: Array1<f64>) -> Result<(Here, Array2<f64>), SolverError> {
        let sums = self.sums(&point, Want::HessianAfterCheck)?;
        let diagonal = match &self.rows.sparse {
            Some(sparse) => self.rows.moments(sparse, &sums.curvatures).squares,
            None => sums.hessian.diag().to_owned(),
        };
        for index in 1..point.len() {
            let curvature = diagonal[index];
            if curvature == f64::INFINITY {
                return Err(SolverError::TooLarge { column: index - 1 });
            }
            if curvature == 0.0 && sums.gradient[index] == 0.0 {
                point[index] = 0.0;
            }
        }
        Ok(self.penalise(point, sums))
    }

    /// What to step with at a point; `hessian` is that of a pass there, `whole` asks for a matrix in any case.
    fn curvature(&self, here: &Here, hessian: Array2<f64>, whole: bool) -> Result<Curvature, Singular> {
        if let Some(sparse) = &self.rows.sparse {
            return self.sparse_curvature(sparse, here, whole);
        }
        if self.lasso > 0.0 {
            return Ok(Curvature::Plain(hessian, (0..here.point.len()).collect()));
        }
        Cholesky::new(&hessian).map(Curvature::Factored)
    }

    /// What to step with at a point where sparse columns are kept: the Hessian of the working set under a lasso, all of it
    /// where nothing is penalised or it is asked for, else none.
    fn sparse_curvature(&self, sparse: &SparseRows, here: &Here, whole: bool) -> Result<Curvature, Singular> {
        if self.lasso == 0.0 && self.ridge > 0.0 && !whole {
            let kept = Kept { rows: &self.rows, sparse };
            return Ok(Curvature::Implicit(Implicit::at(&kept, here, self.ridge)));
        }
        let steepness: Vec<f64> = here.gradient.iter().map(|slope| slope.abs()).collect();
        let needed =
            |index: usize| self.lasso == 0.0 || here.point[index] != 0.0 || steepness[index] > self.lasso;
        let needed: Vec<bool> = (0..steepness.len()).map(needed).collect();
        let set = working_set(&sparse.layout, &needed, &steepness);
        let mut hessian = self.rows.hessian(sparse, &here.curvatures, &set);
        self.add_ridge(&mut hessian);
        if self.lasso > 0.0 {
            return Ok(Curvature::Plain(hessian, set));
        }
        // In the design's order, so that a column which is collinear is so with the ones before it.
        let mut place_of = vec![0; set.len()];
        set.iter().enumerate().for_each(|(place, &index)| place_of[index] = place);
        let in_order = |(row, column): (usize, usize)| hessian[[place_of[row], place_of[column]]];
        Cholesky::new(&Array2::from_shape_fn(hessian.dim(), in_order)).map(Curvature::Factored)
    }

    /// Change of the objective that the gradient and the lasso part predict for a whole step: below 0.
    fn predicted(&self, here: &Here, step: &Array1<f64>) -> f64 {
        let lasso: f64 = (1..step.len())
            .map(|index| (here.point[index] + step[index]).abs() - here.point[index].abs())
            .sum();
        here.gradient.dot(step) + self.lasso * lasso
    }
}

/// The Hessian in use, factored where the step is one linear system.
enum Curvature {
    Factored(Cholesky),
    /// Of the working set, whose indices these are.
    Plain(Array2<f64>, Vec<usize>),
    Implicit(Implicit),
}

/// The state of one fit.
struct Search<'a, D> {
    objective: Objective<'a, D>,
    limits: Limits,
    here: Here,
    curvature: Curvature,
    /// The Hessian is that of `here`, not of an earlier point.
    fresh: bool,
    /// The next whole step may keep the Hessian.
    reuse: bool,
    /// Steps without the matrix have shown to be no less work.
    whole: bool,
    iterations: u32,
}

impl<'a, D: Design> Search<'a, D> {
    fn begin(
        objective: Objective<'a, D>,
        limits: Limits,
        start: Option<&Solution>,
    ) -> Result<Self, SolverError> {
        let (here, hessian) = objective.at_start(start)?;
        // The intercept's own pivot, the mean of p (1 - p), is above 0 here.
        let error = |Singular(index)| SolverError::Collinear { column: usize::max(index, 1) - 1 };
        let curvature = objective.curvature(&here, hessian, false).map_err(error)?;
        // A start is taken to be near the end, where the Hessian changes little.
        let reuse = start.is_some() && !matches!(curvature, Curvature::Implicit(_));
        Ok(Self { objective, limits, here, curvature, fresh: true, reuse, whole: false, iterations: 0 })
    }

    fn run(mut self) -> Result<Solution, SolverError> {
        let (mut last_move, mut without_rest) = (f64::INFINITY, 0);
        loop {
            if self.objective.is_unpenalised() && self.here.separated {
                return Err(SolverError::Separated);
            }
            let Step { change: step, doubt } = self.step()?;
            let moves = self.here.moved_by(&step) + doubt / self.here.scale();
            if self.here.violation <= self.limits.tolerance {
                if moves <= AT_REST {
                    return Ok(self.here.solution(self.iterations));
                }
                without_rest = if moves < 0.5 * last_move { 0 } else { without_rest + 1 };
                if self.objective.is_unpenalised() && without_rest == STEPS_WITHOUT_REST {
                    return Err(SolverError::Separated);
                }
            }
            if self.iterations == self.limits.max_iterations {
                return Err(self.not_converged());
            }
            last_move = moves;
            self.iterations += 1;
            self.advance(&step)?;
        }
    }

    /// From here to the minimum of the quadratic model, or near it.
    fn step(&mut self) -> Result<Step, SolverError> {
        if let (Curvature::Implicit(implicit), Some(sparse)) = (&self.curvature, &self.objective.rows.sparse)
        {
            let kept = Kept { rows: &self.objective.rows, sparse };
            if let Some(step) = implicit.step(&kept, &self.here, self.limits) {
                return Ok(step);
            }
            self.whole = true;
            self.set_curvature(Array2::zeros((0, 0)))?;
        }
        if self.is_pulled_out() {
            self.set_curvature(Array2::zeros((0, 0)))?;
        }
        let Here { point, gradient, violation, .. } = &self.here;
        let change = match &self.curvature {
            Curvature::Factored(factor) => factor.solve(-gradient),
            Curvature::Plain(hessian, set) => {
                // Three digits more than the point itself has, so that the model is never the bottleneck.
                let tolerance = (1e-3 * violation).max(0.1 * self.limits.tolerance);
                let of_set = |all: &Array1<f64>| set.iter().map(|&index| all[index]).collect::<Array1<f64>>();
                let (slopes, here) = (of_set(gradient), of_set(point));
                let model = LassoModel::new(hessian, &slopes, &here, self.objective.lasso);
                let step = model.minimise(tolerance) - here;
                let mut change = Array1::zeros(point.len());
                set.iter().zip(step).for_each(|(&index, step)| change[index] = step);
                change
            }
            // A matrix was made in its place.
            Curvature::Implicit(_) => Array1::zeros(point.len()),
        };
        Ok(Step { change, doubt: 0.0 })
    }

    /// Whether the gradient pulls a coefficient outside the working set away from 0.
    fn is_pulled_out(&self) -> bool {
        let Curvature::Plain(_, set) = &self.curvature else { return false };
        let mut inside = vec![false; self.here.point.len()];
        for &index in set {
            inside[index] = true;
        }
        let pulled = |index: usize| self.here.gradient[index].abs() > self.objective.lasso;
        set.len() < inside.len() && (0..inside.len()).any(|index| !inside[index] && pulled(index))
    }

    /// Takes the step, or the first of its halves, quarters, ... that lowers the objective enough.
    fn advance(&mut self, step: &Array1<f64>) -> Result<(), SolverError> {
        let predicted = self.objective.predicted(&self.here, step);
        let slack = ROUNDING * self.here.objective;
        let mut share = 1.0;
        for halvings in 0..MOST_HALVINGS {
            let whole = halvings == 0;
            let want = if whole && !self.reuse { Want::Hessian } else { Want::Gradient };
            let (there, hessian) = self.objective.at(&self.here.point + &(step * share), want)?;
            if there.objective <= self.here.objective + SUFFICIENT * share * predicted + slack {
                let gained = there.violation <= GOOD_GAIN * self.here.violation;
                self.here = there;
                self.fresh = false;
                self.reuse = whole
                    && gained
                    && self.here.violation > self.limits.tolerance
                    && !matches!(self.curvature, Curvature::Implicit(_));
                return match want {
                    Want::Gradient if whole => Ok(()),
                    Want::Gradient => self.refresh(),
                    _ => self.set_curvature(hessian),
                };
            }
            if !self.fresh {
                // The Hessian of an earlier point may be what misled the step.
                return self.refresh();
            }
            share *= 0.5;
        }
        Err(self.not_converged())
    }

    /// Makes the Hessian of this very point.
    fn refresh(&mut self) -> Result<(), SolverError> {
        let (here, hessian) = self.objective.at(self.here.point.clone(), Want::Hessian)?;
        self.here = here;
        self.reuse = false;
        self.set_curvature(hessian)
    }

    fn set_curvature(&mut self, hessian: Array2<f64>) -> Result<(), SolverError> {
        // The first Hessian was regular; what has flattened since is the loss, along a separation.
        let error = |Singular(_)| {
            if self.objective.is_unpenalised() { SolverError::Separated } else { self.not_converged() }
        };
        self.curvature = self.objective.curvature(&self.here, hessian, self.whole).map_err(error)?;
        self.fresh = true;
        Ok(())
    }

    fn not_converged(&self) -> SolverError {
        SolverError::NotConverged {
            iterations: self.iterations,
            optimality: self.here.violation,
            tolerance: self.limits.tolerance,
        }
    }
}
