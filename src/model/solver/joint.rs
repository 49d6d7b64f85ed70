//! Several outcomes over the same rows: a ridge regression of each, all found at once.
//!
//! # Method
//! A quasi-Newton method for each, all of them in step: the rows are held in single precision, and one pass over
//! them gives every fit its loss and its gradient. The curvature to begin with is shared as well. At the
//! intercept alone every row has the same probability, so the Hessian is one matrix, the products of the
//! columns, times p (1 - p) of the outcome; one matrix is made, and a step from it is Newton's. What becomes of the curvature
//! further on, each fit learns from its own gradients. A step that does not lower the objective enough is not
//! taken; it has shown the curvature that was missing, and the next is half as long at most. Where fits of nearly the same rows are at hand, each goes on
//! from there, with the curvature learnt so far.
//!
//! A fit ends as one by [`solve`](super::solve) does, at a point where the optimality conditions are *seen* to hold and
//! the next step would move hardly anything. What steps in single precision cannot settle (outcomes that are all but
//! separated, a tolerance finer than its rounding) the careful solver takes up where they stopped.
//!
//! # References
//! - D. Böhning (1992), Multinomial logistic regression algorithm, Annals of the Institute of Statistical Mathematics
//!   44: one matrix of products in place of a Hessian at each point.
//! - J. Nocedal, S. J. Wright (2006), Numerical Optimization, section 6.1: how curvature is learnt from gradients (BFGS).

use std::ops::Range;

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::panel::{Asked, Found, Panel, Roles};
use super::passes::{Rows, Sums};
use super::quadratic::{Cholesky, learn_curvature, mirror};
use super::{AT_REST, Design, Here, Limits, Objective, Penalty, SUFFICIENT, Search};
use super::{Solution, SolverError, check_settings};

/// The least violation that single precision is trusted to show: it is right to about 1e-8.
const FINEST: f64 = 1e-7;
/// Rises of an objective in single precision below this share of it are rounding.
const ROUNDING: f64 = 1e-7;
/// Curvature seen along a step, as a share of that supposed, that is not put down to rounding. A column that few rows
/// have is next to flat where their outcomes are settled, and a wall before.
const BELIEVED: Range<f64> = 1e-3..1e6;
/// Passes before the careful solver takes over: a fit takes 5 to 30.
const MOST_PASSES: u32 = 60;

/// A minimum, and what was learnt of the curvature around it.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    /// The minimum.
    pub solution: Solution,
    curvature: Array2<f64>,
}

/// Finds for each outcome the minimum of the objective with a ridge of this strength.
///
/// `near` has for each outcome a fit of nearly the same rows, where there is one; one of another number of columns is
/// left aside. The bits of the result do not depend on the number of threads, nor on which other outcomes are fitted;
/// they may depend on `near`, within the tolerance.
///
/// # Errors
/// As [`solve`](super::solve). Rows of one outcome only stop that fit alone, and so does one that does not converge;
/// anything else stops all.
pub(crate) fn solve_each(
    design: &impl Design,
    (outcomes, weights): (&[&[bool]], Option<&[f64]>),
    (strength, limits): (f64, Limits),
    near: &[Option<Fitted>],
) -> Result<Vec<Result<Fitted, SolverError>>, SolverError> {
    check_settings(Penalty { strength, l1_ratio: 0.0 }, limits)?;
    if strength == 0.0 {
        // A fit at rest could then be one that goes on for ever, along a separation.
        let (name, range) = ("the penalty strength of several outcomes", "above 0");
        return Err(SolverError::Setting { name, range });
    }
    let mut fits = Vec::with_capacity(outcomes.len());
    for (outcome, of_rows) in outcomes.iter().enumerate() {
        fits.push(match Rows::new(design, of_rows, weights) {
            Ok(rows) => Ok(Fit::new(outcome, Objective { rows, ridge: strength, lasso: 0.0 })),
            Err(error @ SolverError::OneClass { .. }) => Err(error),
            Err(error) => return Err(error),
        });
    }
    let panel = Panel::new(design, outcomes, weights, &vec![0; design.rows()], 1)?;
    let mut products = None;
    for (fit, near) in fits.iter_mut().zip(near.iter().map(Option::as_ref).chain(std::iter::repeat(None))) {
        let Ok(fit) = fit else { continue };
        match near.filter(|near| near.curvature.nrows() == panel.width()) {
            Some(near) => fit.start_near(near),
            None => fit.start(products.get_or_insert_with(|| Products::of(&panel))),
        }
    }
    let roles = Roles { learns: vec![true], checks: vec![false] };
    loop {
        let mut open: Vec<&mut Fit<'_, _>> = fits.iter_mut().flatten().filter(|fit| !fit.ended).collect();
        if open.is_empty() {
            break;
        }
        let asked = open.iter().map(|fit| Asked {
            outcome: fit.outcome,
            point: fit.next.as_slice().unwrap_or(&[]),
            roles: &roles,
        });
        let found = panel.pass(&asked.collect::<Vec<_>>());
        open.par_iter_mut().zip(found).for_each(|(fit, found)| fit.arrive(found, limits));
    }
    Ok(fits.into_par_iter().map(|fit| fit?.end(limits)).collect())
}

/// The mean products of all columns, the intercept's first: what the Hessians of all outcomes have in common at the
/// intercept alone.
struct Products(Array2<f64>);

impl Products {
    fn of(panel: &Panel) -> Self {
        // Where every probability is one half, the curvature is a quarter of them.
        let all: Vec<usize> = (0..panel.width()).collect();
        let mut quarter = Array2::zeros((all.len(), all.len()));
        panel.curvatures(&vec![0.0; all.len()], &all, |_| true).iter().for_each(|(_, part)| quarter += part);
        mirror(&mut quarter);
        // The intercept with itself is the weight of the rows, a quarter of it.
        let rows = quarter[[0, 0]];
        Self(quarter / rows)
    }
}

/// One fit on its way.
struct Fit<'a, D> {
    outcome: usize,
    objective: Objective<'a, D>,
    /// The point that was taken last; none before the first pass.
    here: Option<Here>,
    /// The point of the next pass, intercept first.
    next: Array1<f64>,
    /// Hessian of the objective as far as it is known.
    curvature: Array2<f64>,
    passes: u32,
    /// There is nothing that another pass could do.
    ended: bool,
    /// The optimality conditions were seen to hold.
    settled: bool,
}

impl<'a, D: Design> Fit<'a, D> {
    fn new(outcome: usize, objective: Objective<'a, D>) -> Self {
        let (next, curvature) = (Array1::zeros(0), Array2::zeros((0, 0)));
        Self { outcome, objective, here: None, next, curvature, passes: 0, ended: false, settled: false }
    }

    /// Begins at the intercept alone.
    fn start(&mut self, products: &Products) {
        let (intercept, _) = self.objective.rows.intercept_alone();
        self.next = Array1::zeros(products.0.nrows());
        self.next[0] = intercept;
        let share = 1.0 / (1.0 + (-intercept).exp());
        self.curvature = &products.0 * (share * (1.0 - share));
        self.objective.add_ridge(&mut self.curvature);
    }

    /// Begins where a fit of nearly the same rows ended.
    fn start_near(&mut self, near: &Fitted) {
        self.next = near.solution.point();
        self.curvature.clone_from(&near.curvature);
    }

    /// Takes in what a pass found at the next point, and chooses another.
    fn arrive(&mut self, found: Found, limits: Limits) {
        self.passes += 1;
        let sums = Sums {
            loss: found.loss,
            gradient: Array1::from(found.gradient),
            hessian: Array2::zeros((0, 0)),
            separated: false,
            curvatures: Vec::new(),
        };
        let (there, _) = self.objective.penalise(self.next.clone(), sums);
        let (mut taken, mut tried) = (true, f64::INFINITY);
        if let Some(here) = &self.here {
            let step = &there.point - &here.point;
            let change = &there.gradient - &here.gradient;
            learn_curvature(&mut self.curvature, (&step, &change), &BELIEVED);
            tried = here.moved_by(&step);
            let enough = SUFFICIENT * here.gradient.dot(&step) + ROUNDING * here.objective;
            taken = there.objective <= here.objective + enough;
        }
        let here = if taken { self.here.insert(there) } else { self.here.get_or_insert(there) };
        let Ok(factor) = Cholesky::new(&self.curvature) else {
            self.ended = true;
            return;
        };
        let step = factor.solve(-&here.gradient);
        self.settled = here.violation <= limits.tolerance.max(FINEST) && here.moved_by(&step) <= AT_REST;
        self.ended = self.settled || self.passes == MOST_PASSES;
        let share = if taken { 1.0 } else { (0.5 * tried / here.moved_by(&step)).min(1.0) };
        self.next = &here.point + &(step * share);
    }

    /// The minimum; of the careful solver where single precision has not settled it.
    fn end(self, limits: Limits) -> Result<Fitted, SolverError> {
        let Self { mut objective, here, curvature, passes, settled, .. } = self;
        let solution = match here.map(|here| here.solution(passes)) {
            Some(solution) if settled && limits.tolerance >= FINEST => solution,
            start => {
                objective.rows.keep_sparse();
                Search::begin(objective, limits, start.as_ref())?.run()?
            }
        };
        Ok(Fitted { solution, curvature })
    }
}
