//! The working set: the columns that take part in a step under a lasso.
//!
//! Most coefficients are 0 and stay so; the Hessian is made only for those that are not, and for those whose gradient
//! pulls them away from 0. Nothing hangs on a guess: the optimality conditions are looked at for all columns, and a
//! column that violates them is taken in.
//!
//! # References
//! R. Tibshirani, J. Bien, J. Friedman, T. Hastie, N. Simon, J. Taylor, R. J. Tibshirani (2012), Strong rules for
//! discarding predictors in lasso-type problems, Journal of the Royal Statistical Society B 74(2): working sets that are
//! checked.

use super::products::ordered;
use super::sparse::{Layout, ProductsWork};

/// A set takes in a share of this more columns than it must, so that it seldom grows, since then the Hessian is made anew.
const AHEAD: f64 = 0.25;

/// The set of the columns that are `needed` and of the ones that come next, which are those with the steepest gradient:
/// a quarter more than needed, and in any case as many as have their products made in the time of a pass. 0 is the
/// intercept, and always the first; the others come in the order of their [products](ordered).
pub(super) fn working_set(layout: &Layout, needed: &[bool], steepness: &[f64]) -> Vec<usize> {
    let width = needed.len();
    if !layout.is_sparse() {
        return (0..width).collect();
    }
    let shares = layout.shares();
    let mut work = ProductsWork::default();
    let (mut set, mut others): (Vec<usize>, Vec<usize>) =
        (0..width).partition(|&index| index == 0 || needed[index]);
    set.iter().skip(1).for_each(|&index| work.add(shares[index - 1]));
    others.sort_by(|&left, &right| steepness[right].total_cmp(&steepness[left]));
    let most = set.len() as f64 * (1.0 + AHEAD);
    for index in others {
        work.add(shares[index - 1]);
        if set.len() as f64 >= most && work.of_row() > layout.pass_work() {
            break;
        }
        set.push(index);
    }
    ordered(layout, &set)
}
