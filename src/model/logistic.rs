//! Elastic-net and ridge logistic regression as a trainer of the one model form.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::StandardisedDesign;
use super::form::{AdditiveModel, Scale};
use super::path::{Followed, PathError, PathParams, PathReport};
use super::solver::{Design as _, Fitted, Limits, Penalty, Solution, SolverError, solve, solve_each};
use super::validation::Validation;
use crate::error::ModelError;
use crate::features::FeatureMatrix;

/// Settings of a logistic regression: a line for each feature, a step for missing and one for not
/// covered, all penalised after standardising.
///
/// The outcome that counts as positive is always `true`. The penalty is glmnet's:
/// `strength * ((1 - l1_ratio) / 2 * squares + l1_ratio * absolutes)` beside the *mean* log loss.
///
/// # Examples
/// As a linfa trainer, on a linfa dataset (NaN means missing):
/// ```
/// use earlyhelp::model::LogisticParams;
/// use linfa::prelude::*;
/// use ndarray::{Array1, Array2};
///
/// let visits = Array2::from_shape_fn((200, 1), |(row, _)| (row % 10) as f64);
/// let outcomes = Array1::from_shape_fn(200, |row| (row * 7) % 23 < row % 10);
/// let data = DatasetBase::new(visits, outcomes).with_feature_names(vec!["visits"]);
///
/// let model = LogisticParams::default().fit(&data)?;
/// assert_eq!(model.terms()[0].on, ["visits"]);
/// # Ok::<(), earlyhelp::error::ModelError>(())
/// ```
///
/// # References
/// Friedman, Hastie and Tibshirani, *Regularization paths for generalized linear models via coordinate
/// descent*, Journal of Statistical Software 33(1), 2010.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LogisticParams {
    /// The penalty's strength, 0 or more. `None`, the default, is one over the number of cases: to the
    /// model that is the belief, held before seeing data, that a standardised coefficient is around 1 at
    /// most. It tames features that all but separate the outcomes, and gives way to evidence. Must be `None`
    /// where a `path` chooses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// The share of the lasso, 0 (ridge, the default: it keeps every feature's part visible) to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub l1_ratio: f64,
    /// The most steps. The default, 100, is far beyond the 5 to 15 that a fit takes.
    pub max_iterations: u32,
    /// The largest violation of the optimality conditions that is accepted; the default, 1e-9, holds
    /// coefficients to about seven decimals.
    pub tolerance: f64,
    /// Chooses the strength along a path, on held-out families and dates. `None`, the default: the strength
    /// is the one above, which needs no choice and suits the ridge; a lasso is better chosen by a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathParams>,
    /// Refits on redrawn families, from which intervals come, when a dataset is trained on; 0 for none.
    /// The default, 20, gives the width of an interval to within a sixth.
    pub refits: u32,
}

/// A logistic regression that was fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The model.
    pub model: AdditiveModel,
    /// The features that play no part in it.
    pub unused: Vec<String>,
    /// What the path showed, where one chose the strength.
    pub path: Option<PathReport>,
    /// On the standardised scale: where a fit of nearly the same cases starts.
    solution: Solution,
}

impl Default for LogisticParams {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            strength: None,
            l1_ratio: 0.0,
            max_iterations: limits.max_iterations,
            tolerance: limits.tolerance,
            path: None,
            refits: 20,
        }
    }
}

impl LogisticParams {
    /// A penalty of this strength; a path that was set before is dropped.
    #[must_use]
    pub fn strength(mut self, strength: f64) -> Self {
        self.strength = Some(strength);
        self.path = None;
        self
    }

    /// The lasso's share of the penalty, 0 to 1.
    #[must_use]
    pub fn l1_ratio(mut self, share: f64) -> Self {
        self.l1_ratio = share;
        self
    }

    /// So many refits.
    #[must_use]
    pub fn refits(mut self, refits: u32) -> Self {
        self.refits = refits;
        self
    }

    /// Chooses the strength along a path; a strength that was set before is dropped.
    #[must_use]
    pub fn path(mut self, path: PathParams) -> Self {
        self.strength = None;
        self.path = Some(path);
        self
    }

    /// Fits cases; `scales` has a scale for each feature, `weights` (if any) a weight for each case.
    ///
    /// **With a [`path`](Self::path), each case is taken as a family of its own here**, and all as of one
    /// date, because a matrix does not say more: siblings, or two dates of one person, then land in
    /// different folds, and the strength is chosen too low. Training on a dataset
    /// ([`Trainer::fit`](crate::model::Trainer::fit)) keeps families and dates apart.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`] where there is only one outcome, a setting is out of range, the features
    /// separate the outcomes without a penalty, or the fit does not converge. A fit that has not
    /// converged is never returned.
    pub fn fit_matrix(
        &self,
        matrix: &FeatureMatrix,
        scales: &[Scale],
        outcomes: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<LogisticFit, ModelError> {
        self.fit_validated(matrix, scales, outcomes, weights, Groups::default(), None)
    }

    /// The same with families and the folds of a path given (its own number of folds then plays no part), and, where
    /// there is one, a fit of nearly the same cases to start from.
    pub(crate) fn fit_validated(
        &self,
        matrix: &FeatureMatrix,
        scales: &[Scale],
        outcomes: &[bool],
        weights: Option<&[f64]>,
        groups: Groups<'_>,
        near: Option<&LogisticFit>,
    ) -> Result<LogisticFit, ModelError> {
        let need = |fine: bool, why: &str| {
            if fine { Ok(()) } else { Err(ModelError::NotFitted(why.to_owned())) }
        };
        need(scales.len() == matrix.names().len(), "there must be a scale for each feature")?;
        need(outcomes.len() == matrix.rows(), "there must be an outcome for each case")?;
        need(
            weights.is_none_or(|weights| weights.len() == matrix.rows()),
            "there must be a weight for each case",
        )?;
        let design = StandardisedDesign::new(matrix, (scales, groups.codes), weights, groups.families);
        let followed = match &self.path {
            Some(path) => Some(self.follow(path, &design, outcomes, weights, groups.validation)?),
            None => None,
        };
        let given = self.strength.unwrap_or(1.0 / matrix.rows().max(1) as f64);
        let strength = followed.as_ref().map_or(given, |followed| followed.report.strength());
        let along = followed.as_ref().map(|followed| Solution {
            intercept: followed.point[0],
            coefficients: followed.point[1..].to_vec(),
            iterations: 0,
            optimality: f64::INFINITY,
        });
        // Other weights can leave a rare absence without a column; then there is no start.
        let nearby =
            near.map(|near| near.solution.clone()).filter(|near| near.coefficients.len() == design.columns());
        let start = along.or(nearby);
        let penalty = Penalty { strength, l1_ratio: self.l1_ratio };
        let limits = Limits { max_iterations: self.max_iterations, tolerance: self.tolerance };
        let solution = solve(&design, outcomes, weights, penalty, limits, start.as_ref())
            .map_err(|error| not_fitted(&error, &design))?;
        let (terms, unused) = design.terms(&solution)?;
        let model = AdditiveModel::new(matrix.names().to_vec(), solution.intercept, terms)?;
        Ok(LogisticFit { model, unused, path: followed.map(|followed| followed.report), solution })
    }

    /// Fits several outcomes of the same cases with a ridge, each as it would be fitted alone: `codes` has for each
    /// feature whose numbers are codes without an order how many there are, and may be empty; `near` has for each
    /// outcome a fit of nearly the same cases to start from, where there is one.
    ///
    /// # Errors
    /// As [`fit_matrix`](Self::fit_matrix) where it is about all outcomes.
    pub(crate) fn fit_each<'m>(
        &self,
        matrix: &'m FeatureMatrix,
        (scales, codes): (&[Scale], &[Option<usize>]),
        (outcomes, weights): (&[&[bool]], &[f64]),
        near: &[Option<Fitted>],
    ) -> Result<JointFit<'m>, ModelError> {
        if self.l1_ratio != 0.0 || self.path.is_some() {
            return Err(ModelError::NotFitted(
                "several outcomes at once: with a ridge of known strength".into(),
            ));
        }
        let design = StandardisedDesign::new(matrix, (scales, codes), Some(weights), None);
        let strength = self.strength.unwrap_or(1.0 / matrix.rows().max(1) as f64);
        let limits = Limits { max_iterations: self.max_iterations, tolerance: self.tolerance };
        let fits = solve_each(&design, (outcomes, Some(weights)), (strength, limits), near)
            .map_err(|error| not_fitted(&error, &design))?;
        Ok(JointFit { design, fits: fits.into_iter().map(Result::ok).collect() })
    }

    fn follow(
        &self,
        path: &PathParams,
        design: &StandardisedDesign<'_>,
        outcomes: &[bool],
        weights: Option<&[f64]>,
        validation: Option<&Validation>,
    ) -> Result<Followed, ModelError> {
        let refused = |why: &str| Err(ModelError::NotFitted(why.to_owned()));
        if self.strength.is_some() {
            return refused("a strength and a path exclude each other: leave one of them out");
        }
        if path.folds < 2 {
            return refused("the number of folds must be 2 or more");
        }
        let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
        if let Some(row) = weights.and_then(|weights| weights.iter().position(bad)) {
            return Err(not_fitted(&SolverError::Weight { row }, design));
        }
        let alone;
        let validation = if let Some(given) = validation {
            given
        } else {
            let rows: Vec<u64> = (0..outcomes.len() as u64).collect();
            alone = Validation::of_one_date(&rows, path.folds, 0);
            &alone
        };
        path.follow(self.l1_ratio, design, outcomes, weights, validation).map_err(|error| match error {
            PathError::Folds(error) => error,
            PathError::Fit(error) => not_fitted(&error, design),
        })
    }
}

/// Logistic regressions of several outcomes of the same cases.
pub(crate) struct JointFit<'m> {
    design: StandardisedDesign<'m>,
    /// For each outcome; none where it cannot be fitted.
    fits: Vec<Option<Fitted>>,
}

impl JointFit<'_> {
    /// For each outcome the log-odds of some rows of the matrix.
    pub(crate) fn log_odds(&self, rows: &[usize]) -> Vec<Option<Vec<f64>>> {
        /// Rows whose columns are made at once.
        const BLOCK: usize = 512;
        let fitted: Vec<&Solution> = self.fits.iter().flatten().map(|fit| &fit.solution).collect();
        let columns = self.design.columns();
        let of = |(fit, column): (usize, usize)| fitted[fit].coefficients[column];
        let coefficients = Array2::from_shape_fn((fitted.len(), columns), of);
        let blocks: Vec<Array2<f64>> = rows
            .par_chunks(BLOCK)
            .map_init(
                || Array2::zeros((columns, BLOCK)),
                |scratch, rows| {
                    let mut block = scratch.slice_axis_mut(Axis(1), Slice::from(..rows.len()));
                    self.design.gather(rows, block.view_mut().reversed_axes());
                    let intercept = |(fit, _): (usize, usize)| fitted[fit].intercept;
                    let mut log_odds = Array2::from_shape_fn((fitted.len(), rows.len()), intercept);
                    general_mat_mul(1.0, &coefficients, &block, 1.0, &mut log_odds);
                    log_odds
                },
            )
            .collect();
        let mut found =
            (0..fitted.len()).map(|fit| blocks.iter().flat_map(|block| block.row(fit).to_vec()).collect());
        self.fits.iter().map(|fit| fit.as_ref().and_then(|_| found.next())).collect()
    }

    /// The fits, for one of nearly the same cases to start from.
    pub(crate) fn into_near(self) -> Vec<Option<Fitted>> {
        self.fits
    }
}

/// Which cases belong together, and which features' numbers are codes, where that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Groups<'a> {
    /// A key for the family of each case.
    pub(crate) families: Option<&'a [u64]>,
    /// The folds of a path.
    pub(crate) validation: Option<&'a Validation>,
    /// For each feature whose numbers are codes without an order, how many there are; may be empty.
    pub(crate) codes: &'a [Option<usize>],
}

/// Says of which feature the solver speaks.
fn not_fitted(error: &SolverError, design: &StandardisedDesign<'_>) -> ModelError {
    let feature = match error {
        SolverError::NonFinite { column, .. }
        | SolverError::TooLarge { column }
        | SolverError::Collinear { column } => Some(design.feature_of(*column)),
        _ => None,
    };
    ModelError::NotFitted(match feature {
        Some(feature) => format!("feature \"{feature}\": {error}"),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Cell;

    /// The fit alone is the reference: the joint one must give its log-odds for cases that neither has seen.
    #[test]
    fn several_outcomes_at_once_are_each_fitted_as_alone() {
        let rows = 3_000;
        let lot = |row: usize, nth: usize| (row * (2 * nth + 31) + row * row % (97 + nth)) % 101;
        let columns: [Vec<Cell>; 6] = std::array::from_fn(|nth| {
            let cell = |row: usize| match (nth, lot(row, nth)) {
                (0, 0..9) | (3, 0..20) => Cell::Missing,
                (1, 0..30) => Cell::NotCovered,
                // A constant, codes, and a feature that is another one again.
                (2, _) => Cell::Value(7.0),
                (3, lot) => Cell::Value((lot % 5) as f32),
                (4, _) => Cell::Value((2 * lot(row, 5)) as f32),
                (_, lot) => Cell::Value(lot as f32),
            };
            (0..rows).map(cell).collect()
        });
        let names = ["visits", "age", "constant", "code", "twice", "once"].map(str::to_owned);
        let matrix = FeatureMatrix::from_cells(names.to_vec(), rows, &columns).unwrap();
        let scales = [Scale::Log, Scale::Linear, Scale::Linear, Scale::Linear, Scale::Linear, Scale::Linear];
        let codes = [None, None, None, Some(5), None, None];
        let outcomes: [Vec<bool>; 4] = [
            (0..rows).map(|row| lot(row, 0) + lot(row, 7) > 120).collect(),
            (0..rows).map(|row| lot(row, 5) > 60).collect(),
            (0..rows).map(|row| row % 250 == 3).collect(),
            (0..rows).map(|row| lot(row, 3) % 5 == 2 || lot(row, 8) < 20).collect(),
        ];
        let each: Vec<&[bool]> = outcomes.iter().map(Vec::as_slice).collect();
        let joint = LogisticParams { tolerance: 1e-7, ..LogisticParams::default() };
        let mut near = Vec::new();
        for fold in 0..3 {
            let learns: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(row % 3 != fold))).collect();
            let fits = joint.fit_each(&matrix, (&scales, &codes), (&each, &learns), &near).unwrap();
            let unseen: Vec<usize> = (0..rows).filter(|row| row % 3 == fold).collect();
            for (found, outcomes) in fits.log_odds(&unseen).into_iter().zip(&outcomes) {
                let groups = Groups { codes: &codes, ..Groups::default() };
                let params = LogisticParams::default();
                let alone = params.fit_validated(&matrix, &scales, outcomes, Some(&learns), groups, None);
                let alone = alone.unwrap().model.log_odds(&matrix).unwrap();
                let widest = alone.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
                for (found, &row) in found.unwrap().iter().zip(&unseen) {
                    assert!((found - alone[row]).abs() < 1e-3 * widest, "{found} {}", alone[row]);
                }
            }
            near = fits.into_near();
        }
        let lasso = joint.clone().l1_ratio(0.5);
        assert!(lasso.fit_each(&matrix, (&scales, &codes), (&each, &vec![1.0; rows]), &[]).is_err());
    }

    #[test]
    fn the_order_of_features_plays_no_part() {
        let rows = 600;
        let cell = |row: usize, place: usize| match (row * (2 * place + 3) + row * row % (5 + place)) % 17 {
            0 => Cell::Missing,
            1 if place == 2 => Cell::NotCovered,
            value => Cell::Value((value + place) as f32 / 3.0),
        };
        let scales = [Scale::Log, Scale::Linear, Scale::Linear, Scale::Log];
        let outcomes: Vec<bool> = (0..rows).map(|row| (row * 7 + row * row % 11) % 13 < 4).collect();
        let fitted = |params: &LogisticParams, order: [usize; 4]| {
            let columns = order.map(|place| (0..rows).map(|row| cell(row, place)).collect::<Vec<_>>());
            let names = order.map(|place| ["visits", "age", "days", "calls"][place].to_owned());
            let matrix = FeatureMatrix::from_cells(names.to_vec(), rows, &columns).unwrap();
            params.fit_matrix(&matrix, &order.map(|place| scales[place]), &outcomes, None).unwrap().model
        };
        for params in [
            LogisticParams::default(),
            LogisticParams::default().l1_ratio(1.0).strength(0.01),
            LogisticParams::default().l1_ratio(0.5).path(PathParams::default()),
        ] {
            let one = fitted(&params, [0, 1, 2, 3]);
            for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
                let other = fitted(&params, order);
                assert_eq!(one.intercept().to_bits(), other.intercept().to_bits(), "{order:?}");
                assert_eq!(one.terms().len(), other.terms().len());
                for term in one.terms() {
                    let same = other.terms().iter().find(|held| held.on == term.on).unwrap();
                    let bits = |term: &super::super::form::Term| {
                        term.shape.figures().iter().map(|figure| figure.to_bits()).collect::<Vec<_>>()
                    };
                    assert_eq!(bits(term), bits(same), "{order:?}: {:?}", term.on);
                }
            }
        }
    }
}
