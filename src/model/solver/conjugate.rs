//! Newton's step without the Hessian: by the method of conjugate gradients, which only multiplies it with vectors.
//!
//! With p columns, the Hessian takes the products of each with each, and solving with it p^3 / 6 more; to multiply it with
//! a vector takes two passes over the entries. A step is as good as the point where it starts deserves: far from the
//! minimum a rough one will do (a truncated, or inexact, Newton method). Where the columns are so alike that rough steps
//! take long, it is given up in favour of the matrix as soon as it has cost as much. So the choice is never more than
//! about twice as dear as the better of the two, whichever that would have been.
//!
//! The intercept is eliminated: what is solved is the system of the coefficients, with columns centred by the rows'
//! curvatures. That is a correction of rank one, so nothing is centred in memory, and no eigenvalue of the system is
//! below the ridge. So what is left of the system also bounds how far a step is off.
//!
//! # References
//! - J. Nocedal, S. J. Wright (2006), Numerical Optimization, chapters 5.1 and 7.1.
//! - R. S. Dembo, S. C. Eisenstat, T. Steihaug (1982), Inexact Newton methods, SIAM Journal on Numerical Analysis 19(2).

use ndarray::Array1;

use super::passes::Rows;
use super::sparse::{OF_CELL, OF_READING};
use super::sparse_passes::Moments;
use super::sparse_rows::SparseRows;
use super::{AT_REST, Design, Here, Limits};

/// A step is at least as good as this: it leaves no more of the gradient, as far as the quadratic model tells.
const ROUGHEST: f64 = 0.1;

/// The Hessian at a point, as something to multiply with.
pub(super) struct Implicit {
    moments: Moments,
    ridge: f64,
}

/// A step, and how far a coefficient of it may be off where that has been looked at.
pub(super) struct Step {
    pub(super) change: Array1<f64>,
    pub(super) doubt: f64,
}

/// A design as far as it is known for a step: its rows and the sparse columns of them.
pub(super) struct Kept<'k, 'a, D> {
    pub(super) rows: &'k Rows<'a, D>,
    pub(super) sparse: &'k SparseRows,
}

impl<D: Design> Kept<'_, '_, D> {
    /// How many multiplications of the Hessian with a vector cost as much as to make and factor it.
    fn worth_of_matrix(&self) -> f64 {
        let layout = &self.sparse.layout;
        let (rows, side) = (self.rows.design.rows() as f64, layout.columns() as f64);
        let once = rows * (layout.pass_work() + OF_READING * layout.dense.len() as f64);
        (rows * layout.products_work(0..layout.columns()) + OF_CELL * side.powi(3) / 6.0) / once
    }
}

impl Implicit {
    pub(super) fn at<D: Design>(kept: &Kept<'_, '_, D>, here: &Here, ridge: f64) -> Self {
        Self { moments: kept.rows.moments(kept.sparse, &here.curvatures), ridge }
    }

    /// The step from `here`; none where the matrix would have been made for the same work.
    pub(super) fn step<D: Design>(
        &self,
        kept: &Kept<'_, '_, D>,
        here: &Here,
        limits: Limits,
    ) -> Option<Step> {
        let means = &self.moments.values;
        let size = |vector: &Array1<f64>| vector.dot(vector).sqrt();
        // Whether the coefficients rest is seen from a step that is no further off than that.
        let ends = here.violation <= limits.tolerance;
        let mut left = means * (here.gradient[0] / means[0]) - &here.gradient;
        left[0] = 0.0;
        let allowed = if ends {
            0.5 * AT_REST * here.scale() * self.ridge
        } else {
            ROUGHEST.min(here.violation.sqrt()) * size(&left)
        };
        let centred = &self.moments.squares - &(means * means / means[0]);
        // Rounding may take what a column has of its own below zero.
        let inverse = centred.mapv(|own| 1.0 / (own.max(0.0) + self.ridge));
        let mut change = Array1::zeros(left.len());
        let mut towards = &inverse * &left;
        let mut slope = left.dot(&towards);
        let mut spent = 0.0;
        let worth = kept.worth_of_matrix();
        while size(&left) > allowed {
            if spent >= worth {
                return None;
            }
            spent += 1.0;
            let product = self.times(kept, here, &towards);
            let share = slope / towards.dot(&product);
            change.scaled_add(share, &towards);
            left.scaled_add(-share, &product);
            let scaled = &inverse * &left;
            let next = left.dot(&scaled);
            towards = &towards * (next / slope) + scaled;
            slope = next;
        }
        change[0] = -(here.gradient[0] + means.dot(&change)) / means[0];
        let doubt = if ends { size(&left) / self.ridge } else { 0.0 };
        Some(Step { change, doubt })
    }

    /// The centred Hessian with the ridge, times a vector without intercept.
    fn times<D: Design>(&self, kept: &Kept<'_, '_, D>, here: &Here, vector: &Array1<f64>) -> Array1<f64> {
        let mut product = kept.rows.times(kept.sparse, &here.curvatures, vector);
        let common = product[0] / self.moments.values[0];
        product.scaled_add(-common, &self.moments.values);
        product.scaled_add(self.ridge, vector);
        product[0] = 0.0;
        product
    }
}
