//! What all features together say of each group: ridge regressions of membership, learnt from other folds' families.

use rayon::prelude::*;

use super::separation::Levels;
use crate::evaluate::Part;
use crate::features::FeatureMatrix;
use crate::model::{LogisticParams, Scale};

/// For each group, given by its members, the rows in the order in which regressions on the *other* folds' families say
/// that a member is likelier, each of the `parts` a stratum. `None` where a regression could not be fitted: a
/// fold's other families hold no member, or nobody else.
///
/// The regressions of one fold have their rows in common, and are fitted together; of any two folds most rows are the
/// same, so the others begin where the first ended.
pub(super) fn cross_fitted(
    matrix: &FeatureMatrix,
    codes: (&[Scale], &[Option<usize>]),
    parts: &[Part],
    groups: &[Vec<bool>],
) -> Vec<Option<Levels>> {
    // The order of cases is settled long before the last digits of the coefficients are; this is as fine as single
    // precision goes.
    let logistic = LogisticParams { tolerance: 1e-7, refits: 0, ..LogisticParams::default() };
    let mut levels: Vec<Option<Levels>> =
        groups.iter().map(|_| Some(Levels::of_rows(matrix.rows()))).collect();
    let mut near = Vec::new();
    for part in parts {
        let mut learns = vec![0.0; matrix.rows()];
        part.learnt.iter().for_each(|&row| learns[row as usize] = 1.0);
        let members: Vec<&[bool]> = groups.iter().map(Vec::as_slice).collect();
        let Ok(fits) = logistic.fit_each(matrix, codes, (&members, &learns), &near) else {
            return groups.iter().map(|_| None).collect();
        };
        let scores = fits.log_odds(&part.places);
        levels.par_iter_mut().zip(scores).for_each(|(levels, scores)| match (levels.as_mut(), scores) {
            (Some(levels), Some(scores)) => levels.add_stratum(&part.places, &scores),
            _ => *levels = None,
        });
        near = fits.into_near();
    }
    levels
}
