//! A whole path of penalties, followed by several fits at once: that of all rows and those of the folds.
//!
//! # Method
//! Each fit goes down the strengths on its own, from the coefficients of the strength before (a warm start),
//! by steps of a quasi-Newton method: the minimum of the quadratic model of the loss plus the penalty, whose
//! gradient is always that of the fit's own point and rows, while the Hessian may be an earlier one. A
//! strength is done when its optimality conditions are *seen* to hold at the point, for all columns; no
//! column is left out on a guess. Where there are many columns, a step moves those of a
//! [working set](super::working), which all fits share and which takes in every column that violates the conditions.
//! The step for a new strength starts from the gradient that showed the last
//! one done, so most strengths cost a single pass over the rows, which all fits share.
//!
//! The Hessian is shared as well. The rows' curvature is taken at the point of the fit of all rows, in one
//! pass, part by part; a fold's Hessian is the sum over the parts that it learns from. That is off by the
//! little that the folds' probabilities differ, which costs a fold a step now and then and not its
//! accuracy. A fold in which they differ by more, so that a step gains nothing, goes on with a Hessian of its own.
//! Hessians are made again once the steps no longer gain enough.
//!
//! Where the steps gain nothing (columns that all but separate the outcomes), the careful solver with its
//! line search takes over for that strength.
//!
//! # References
//! - J. Friedman, T. Hastie, R. Tibshirani (2010), Regularization paths for generalized linear models via
//!   coordinate descent, Journal of Statistical Software 33(1): the strengths, warm starts, and the rule by
//!   which a path ends early.
//! - J. D. Lee, Y. Sun, M. A. Saunders (2014), Proximal Newton-type methods for minimizing composite
//!   functions, SIAM Journal on Optimization 24(3): the steps.

use std::ops::Range;

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::panel::{Asked, Found, Panel, Roles};
use super::passes::{Rows, Want};
use super::quadratic::{LassoModel, learn_curvature, mirror, violation};
use super::working::working_set;
use super::{Design, Limits, Penalty, Solution, SolverError, solve};

/// The violation of the optimality conditions that is accepted, as a share of the strength's gradient (the
/// lasso part, see [`Path::unit`]). A hundredth of it moves the held-out loss by less than its sixth digit.
const TOLERANCE_SHARE: f64 = 0.02;
/// The accepted violation in any case: never more than glmnet's own precision, and no less than single
/// precision can show.
const TOLERANCE: (f64, f64) = (1e-8, 2e-5);
/// A step that leaves more than this share of the violation calls for a new Hessian.
const SLOW: f64 = 0.3;
/// glmnet divides the largest gradient by at least this, so that a path exists for ridge, too.
const LEAST_L1_RATIO: f64 = 1e-3;
/// A path of [`FEWEST`] strengths or more ends early when the last one brought less than this share of the
/// deviance explained (as in glmnet), or ...
const LEAST_GAIN: f64 = 1e-5;
/// A smaller share of the deviance is rounding.
const NO_GAIN: f64 = 1e-9;
/// Strengths that a path has in any case: glmnet's number.
const FEWEST: usize = 5;
/// ... when this share of the deviance is explained: the rest is separation.
const MOST_EXPLAINED: f64 = 0.999;
/// Share by which the Hessian's diagonal is raised: ten times the rounding of single precision.
const DIAGONAL_MARGIN: f64 = 1e-6;
/// Curvature seen along a step, as a share of that supposed, that is not put down to rounding: the steps of a path are
/// short.
const BELIEVED: Range<f64> = 0.01..100.0;
/// Steps at one strength before the careful solver takes over.
const MOST_STEPS: u32 = 50;

/// Which path to follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Path {
    /// Strengths, 2 or more, equally spaced in logarithm from the least that leaves all coefficients zero.
    pub count: usize,
    /// The last strength as a share of the first: above 0, below 1.
    pub smallest: f64,
    /// Share of the lasso, 0 to 1.
    pub l1_ratio: f64,
}

/// A path that was followed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traced {
    /// The strengths, falling.
    pub strengths: Vec<f64>,
    /// One track for each fit, each as long as `strengths`.
    pub tracks: Vec<Track>,
}

/// What one fit found on its way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Track {
    /// The point at each strength, intercept first.
    pub points: Vec<Vec<f64>>,
    /// Mean loss over the rows learnt from.
    pub losses: Vec<f64>,
    /// Mean loss over the rows checked on; not a number where there are none.
    pub check_losses: Vec<f64>,
    /// Weight of the rows checked on.
    pub check_weight: f64,
}

impl Path {
    /// The gradient that a strength stands against.
    fn unit(&self, strength: f64) -> f64 {
        strength * self.l1_ratio.max(LEAST_L1_RATIO)
    }

    fn tolerance(&self, strength: f64) -> f64 {
        (TOLERANCE_SHARE * self.unit(strength)).clamp(TOLERANCE.0, TOLERANCE.1)
    }

    fn check(&self) -> Result<(), SolverError> {
        let need =
            |fine: bool, name, range| if fine { Ok(()) } else { Err(SolverError::Setting { name, range }) };
        need(self.count >= 2, "the number of strengths", "2 or more")?;
        need(self.smallest > 0.0 && self.smallest < 1.0, "the smallest strength's share", "between 0 and 1")?;
        need((0.0..=1.0).contains(&self.l1_ratio), "the l1 ratio", "between 0 and 1")
    }

    /// The strengths from this gradient at the intercept alone (index 0 is the intercept's).
    fn strengths(&self, gradient: &Array1<f64>) -> Vec<f64> {
        let steepest = gradient.iter().skip(1).fold(0.0, |most: f64, slope| most.max(slope.abs()));
        let first = steepest / self.l1_ratio.max(LEAST_L1_RATIO);
        let place = |index: usize| index as f64 / (self.count - 1) as f64;
        (0..self.count).map(|index| first * self.smallest.powf(place(index))).collect()
    }
}

/// Follows a path. `parts` gives each row's part, and `roles` what each fit does with each part; the first
/// fit's Hessian serves all, and the first fit decides whether the path ends early.
///
/// # Errors
/// As [`solve`]; rows of one outcome only, in any fit, are [`SolverError::OneClass`].
pub(crate) fn trace(
    design: &impl Design,
    outcomes: &[bool],
    weights: Option<&[f64]>,
    parts: &[usize],
    roles: &[Roles],
    path: Path,
) -> Result<Traced, SolverError> {
    path.check()?;
    let count = roles.iter().map(|roles| roles.learns.len()).max().unwrap_or(0);
    let panel = Panel::new(design, &[outcomes], weights, parts, count)?;
    let mut fits = roles.iter().map(|roles| Fit::new(&panel, roles)).collect::<Result<Vec<_>, _>>()?;
    let learnt = |fit: &Fit<'_>| -> Vec<f64> {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        (0..parts.len()).map(|row| if fit.roles.learns[parts[row]] { weight(row) } else { 0.0 }).collect()
    };
    // The gradient at the intercept alone sets the strengths. In double precision, so that a strength, which
    // a model file states, does not hang on the order of the rows by more than rounding.
    let exact = Rows::new(design, outcomes, Some(&learnt(&fits[0])))?
        .pass(&Array1::from(fits[0].next.clone()), Want::Gradient)?;
    let strengths = path.strengths(&exact.gradient);
    let found = panel.pass(&fits.iter().map(Fit::asked).collect::<Vec<_>>());
    for (fit, found) in fits.iter_mut().zip(found) {
        fit.null_loss = found.loss;
        fit.here = found;
        fit.violation = fit.violation_at(&path, strengths[0]);
    }
    let careful = |fit: &Fit<'_>, strength: f64| {
        let penalty = Penalty { strength, l1_ratio: path.l1_ratio };
        let limits = Limits { tolerance: path.tolerance(strength), ..Limits::default() };
        solve(design, outcomes, Some(&learnt(fit)), penalty, limits, Some(&fit.solution()))
    };
    let mut run = Run { panel, path, strengths, careful, set: vec![0] };
    run.follow(&mut fits)?;
    let Run { strengths, .. } = run;
    let mut tracks: Vec<Track> = fits.into_iter().map(|fit| fit.track).collect();
    for track in &mut tracks {
        track.truncate(strengths.len());
    }
    Ok(Traced { strengths, tracks })
}

impl Track {
    fn truncate(&mut self, count: usize) {
        self.points.truncate(count);
        self.losses.truncate(count);
        self.check_losses.truncate(count);
    }
}

/// One fit on its way.
struct Fit<'a> {
    roles: &'a Roles,
    point: Vec<f64>,
    /// What the last accepted point showed.
    here: Found,
    /// Its violation at the current strength.
    violation: f64,
    null_loss: f64,
    /// The point of the next pass.
    next: Vec<f64>,
    /// Hessian of the mean loss, without ridge, of the working set.
    hessian: Array2<f64>,
    /// Steps taken since this Hessian was made.
    steps_since: u32,
    /// Steps at the current strength.
    steps: u32,
    /// The first fit's probabilities have misled it: its Hessian is made with its own.
    own: bool,
    /// Its own Hessian is to be made, or made again.
    misled: bool,
    /// The steps gain nothing: the careful solver makes the next point, which is taken as it is.
    stuck: bool,
    track: Track,
}

struct Run<F> {
    panel: Panel,
    path: Path,
    strengths: Vec<f64>,
    careful: F,
    /// The working set: indices of points, the intercept's first.
    set: Vec<usize>,
}

impl<F: Fn(&Fit<'_>, f64) -> Result<Solution, SolverError> + Sync> Run<F> {
    fn follow(&mut self, fits: &mut [Fit<'_>]) -> Result<(), SolverError> {
        self.take_in(fits);
        self.renew(fits);
        loop {
            if self.take_in(fits) {
                self.renew(fits);
                fits.iter_mut().filter(|fit| fit.own).for_each(|fit| self.renew_own(fit));
            }
            self.step(fits)?;
            let open: Vec<usize> =
                (0..fits.len()).filter(|&fit| fits[fit].place() < self.strengths.len()).collect();
            if open.is_empty() {
                return Ok(());
            }
            let asked: Vec<_> = open.iter().map(|&fit| fits[fit].asked()).collect();
            let found = self.panel.pass(&asked);
            let mut renew = false;
            for (&fit, found) in open.iter().zip(found) {
                let slow = fits[fit].arrive(found, self);
                fits[fit].misled |= slow && fits[fit].own;
                renew |= slow && !fits[fit].own;
            }
            let end = fits[0].end_of_path(self.strengths.len());
            self.strengths.truncate(end);
            if renew {
                self.renew(fits);
            }
            fits.iter_mut().filter(|fit| fit.misled).for_each(|fit| self.renew_own(fit));
        }
    }

    /// The next point of each fit that has not ended.
    fn step(&self, fits: &mut [Fit<'_>]) -> Result<(), SolverError> {
        fits.par_iter_mut().try_for_each(|fit| {
            let Some(&strength) = self.strengths.get(fit.place()) else { return Ok(()) };
            fit.next = if fit.stuck {
                (self.careful)(fit, strength)?.point().to_vec()
            } else {
                fit.model_minimum(self, strength)
            };
            fit.steps += 1;
            fit.steps_since += 1;
            Ok(())
        })
    }

    /// Takes the columns that violate the optimality conditions of a fit into the working set. Gives whether there were any.
    fn take_in(&mut self, fits: &[Fit<'_>]) -> bool {
        let mut needed = vec![false; self.panel.width()];
        self.set.iter().for_each(|&index| needed[index] = true);
        if needed.iter().all(|&needed| needed) {
            return false;
        }
        // By how much the gradient is steeper than what the lasso holds against it, in the fit where it is most.
        let mut steepness = vec![0.0_f64; needed.len()];
        let mut grows = false;
        for fit in fits {
            let Some(&strength) = self.strengths.get(fit.place()) else { continue };
            let lasso = strength * self.path.l1_ratio;
            for (index, slope) in fit.here.gradient.iter().enumerate() {
                let violates = slope.abs() > lasso || fit.point[index] != 0.0;
                grows |= violates && !needed[index];
                needed[index] |= violates;
                steepness[index] = steepness[index].max(slope.abs() / strength);
            }
        }
        if grows || self.set.len() == 1 {
            self.set = working_set(self.panel.layout(), &needed, &steepness);
        }
        grows
    }

    /// Makes Hessians anew: with the probabilities of the first fit, where a fit has none of its own.
    fn renew(&self, fits: &mut [Fit<'_>]) {
        let parts = self.panel.curvatures(&fits[0].point, &self.set, |_| true);
        for fit in fits.iter_mut().filter(|fit| !fit.own) {
            fit.set_hessian(&parts, self.panel.learnt(0, fit.roles).0);
        }
    }

    /// Makes a fit's own Hessian anew.
    fn renew_own(&self, fit: &mut Fit<'_>) {
        let parts = self.panel.curvatures(&fit.point, &self.set, |part| fit.roles.learns[part]);
        fit.set_hessian(&parts, self.panel.learnt(0, fit.roles).0);
    }
}

impl<F> Run<F> {
    /// The entries of the working set.
    fn of_set(&self, all: &[f64]) -> Array1<f64> {
        self.set.iter().map(|&index| all[index]).collect()
    }
}

impl<'a> Fit<'a> {
    /// A fit at the intercept alone.
    fn new(panel: &Panel, roles: &'a Roles) -> Result<Self, SolverError> {
        let (weight, of_true) = panel.learnt(0, roles);
        let of_false = weight - of_true;
        match (of_true > 0.0, of_false > 0.0) {
            (true, true) => {}
            (false, false) => return Err(SolverError::NoWeight),
            (outcome, _) => return Err(SolverError::OneClass { outcome }),
        }
        let mut point = vec![0.0; panel.width()];
        point[0] = of_true.ln() - of_false.ln();
        Ok(Self {
            roles,
            next: point.clone(),
            point,
            here: Found { loss: 0.0, gradient: Vec::new(), check_loss: f64::NAN },
            violation: f64::INFINITY,
            null_loss: 0.0,
            hessian: Array2::zeros((0, 0)),
            steps_since: 0,
            steps: 0,
            own: false,
            misled: false,
            stuck: false,
            track: Track { check_weight: panel.checked(roles), ..Track::default() },
        })
    }

    /// What the next pass is to find of it.
    fn asked(&self) -> Asked<'_> {
        Asked { outcome: 0, point: &self.next, roles: self.roles }
    }

    /// Index of the strength that the fit works on.
    fn place(&self) -> usize {
        self.track.points.len()
    }

    fn solution(&self) -> Solution {
        let coefficients = self.point[1..].to_vec();
        Solution { intercept: self.point[0], coefficients, iterations: 0, optimality: self.violation }
    }

    /// The Hessian from the parts' sums of products (upper halves).
    fn set_hessian(&mut self, parts: &[(usize, Array2<f64>)], weight: f64) {
        let side = parts.first().map_or(0, |(_, part)| part.nrows());
        self.hessian = Array2::zeros((side, side));
        for (_, part) in parts.iter().filter(|(part, _)| self.roles.learns[*part]) {
            self.hessian += part;
        }
        self.hessian /= weight;
        for row in 0..side {
            // Single precision can make the matrix of collinear columns dip below zero; and a column of
            // zeros may have any curvature, since its coefficient stays.
            let diagonal = self.hessian[[row, row]] * (1.0 + DIAGONAL_MARGIN);
            self.hessian[[row, row]] = if diagonal > 0.0 { diagonal } else { 1.0 };
        }
        mirror(&mut self.hessian);
        (self.steps_since, self.misled) = (0, false);
    }

    /// Gradient of the smooth part (the loss and ridge), and the lasso part.
    fn smooth(found: &Found, point: &[f64], path: &Path, strength: f64) -> (Array1<f64>, f64) {
        let ridge = strength * (1.0 - path.l1_ratio);
        let mut gradient = Array1::from(found.gradient.clone());
        for (slope, coefficient) in gradient.iter_mut().zip(point).skip(1) {
            *slope += ridge * coefficient;
        }
        (gradient, strength * path.l1_ratio)
    }

    fn violation_at(&self, path: &Path, strength: f64) -> f64 {
        let (gradient, lasso) = Self::smooth(&self.here, &self.point, path, strength);
        violation(&gradient, &Array1::from(self.point.clone()), lasso)
    }

    /// From the point to the minimum of the quadratic model with the penalty.
    fn model_minimum<F>(&self, run: &Run<F>, strength: f64) -> Vec<f64> {
        let (gradient, lasso) = Self::smooth(&self.here, &self.point, &run.path, strength);
        let mut hessian = self.hessian.clone();
        hessian.diag_mut().iter_mut().skip(1).for_each(|of| *of += strength * (1.0 - run.path.l1_ratio));
        let (slopes, point) = (run.of_set(gradient.as_slice().unwrap_or(&[])), run.of_set(&self.point));
        // A digit more than the point itself will have.
        let tolerance = 0.1 * run.path.tolerance(strength);
        let minimum = LassoModel::new(&hessian, &slopes, &point, lasso).minimise(tolerance);
        let mut next = self.point.clone();
        run.set.iter().zip(minimum).for_each(|(&index, value)| next[index] = value);
        next
    }

    /// Takes in what a pass found at the next point. Gives whether a new Hessian is called for.
    fn arrive<F>(&mut self, found: Found, run: &Run<F>) -> bool {
        let (path, strengths) = (&run.path, &run.strengths);
        let strength = strengths[self.place()];
        let (gradient, lasso) = Self::smooth(&found, &self.next, path, strength);
        let there = violation(&gradient, &Array1::from(self.next.clone()), lasso);
        // What the step was to bring down: a column that only now violates the conditions is the next one's task.
        let slopes = run.of_set(gradient.as_slice().unwrap_or(&[]));
        let of_set = violation(&slopes, &run.of_set(&self.next), lasso);
        let done = self.stuck || there <= path.tolerance(strength);
        let slow = of_set.is_nan() || of_set > SLOW * self.violation;
        // A path goes on in much the same direction, so the next step profits.
        let step = run.of_set(&self.next) - run.of_set(&self.point);
        let change = run.of_set(&found.gradient) - run.of_set(&self.here.gradient);
        learn_curvature(&mut self.hessian, (&step, &change), &BELIEVED);
        if done || of_set < self.violation {
            self.point.clone_from(&self.next);
            self.here = found;
            self.violation = there;
        } else if self.steps_since == 1 {
            // The Hessian was that of the first fit's point, or even of its own.
            (self.stuck, self.misled, self.own) = (self.own, !self.own, true);
        }
        if done {
            self.track.points.push(self.point.clone());
            self.track.losses.push(self.here.loss);
            self.track.check_losses.push(self.here.check_loss);
            (self.stuck, self.steps) = (false, 0);
            if let Some(&next) = strengths.get(self.place()) {
                self.violation = self.violation_at(path, next);
            }
            return false;
        }
        self.stuck |= self.steps >= MOST_STEPS;
        slow && !self.stuck && self.steps_since > 1
    }

    /// How many strengths the path has, as far as this fit can say.
    fn end_of_path(&self, count: usize) -> usize {
        let explained = |place: usize| 1.0 - self.track.losses[place] / self.null_loss;
        let Some(last) = self.place().checked_sub(1) else { return count };
        let gained = if last == 0 { f64::INFINITY } else { explained(last) - explained(last - 1) };
        let is_flat = last + 1 >= FEWEST && gained < (LEAST_GAIN * explained(last)).max(NO_GAIN);
        if is_flat || explained(last) > MOST_EXPLAINED { self.place() } else { count }
    }
}
