//! Elastic-net and ridge logistic regression as a trainer of the one model form.

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::design::StandardisedDesign;
use super::form::{AdditiveModel, Scale};
use super::solver::{Limits, Penalty, SolverError, solve};
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix};

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
#[serde(deny_unknown_fields, default)]
pub struct LogisticParams {
    /// The penalty's strength, 0 or more. `None`, the default, is one over the number of cases: to the
    /// model that is the belief, held before seeing data, that a standardised coefficient is around 1 at
    /// most. It tames features that all but separate the outcomes, and gives way to evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// The share of the lasso, 0 (ridge, the default: it keeps every feature's part visible) to 1.
    pub l1_ratio: f64,
    /// The most steps. The default, 100, is far beyond the 5 to 12 that a fit takes.
    pub max_iterations: u32,
    /// The largest violation of the optimality conditions that is accepted; the default, 1e-9, holds
    /// coefficients to about seven decimals.
    pub tolerance: f64,
}

impl Default for LogisticParams {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            strength: None,
            l1_ratio: 0.0,
            max_iterations: limits.max_iterations,
            tolerance: limits.tolerance,
        }
    }
}

impl LogisticParams {
    /// A penalty of this strength.
    #[must_use]
    pub fn strength(mut self, strength: f64) -> Self {
        self.strength = Some(strength);
        self
    }

    /// The lasso's share of the penalty, 0 to 1.
    #[must_use]
    pub fn l1_ratio(mut self, share: f64) -> Self {
        self.l1_ratio = share;
        self
    }

    /// Fits cases; `scales` has a scale for each feature, `weights` (if any) a weight for each case.
    /// Gives the model, and the features that play no part in it.
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
    ) -> Result<(AdditiveModel, Vec<String>), ModelError> {
        if scales.len() != matrix.names().len() {
            return Err(ModelError::NotFitted("there must be a scale for each feature".into()));
        }
        if weights.is_some_and(|weights| weights.len() != matrix.rows()) {
            return Err(ModelError::NotFitted("there must be a weight for each case".into()));
        }
        let design = StandardisedDesign::new(matrix, scales, weights);
        let strength = self.strength.unwrap_or(1.0 / matrix.rows().max(1) as f64);
        let penalty = Penalty { strength, l1_ratio: self.l1_ratio };
        let limits = Limits { max_iterations: self.max_iterations, tolerance: self.tolerance };
        let solution = solve(&design, outcomes, weights, penalty, limits, None)
            .map_err(|error| not_fitted(&error, &design))?;
        let (terms, unused) = design.terms(&solution);
        let model = AdditiveModel::new(matrix.names().to_vec(), solution.intercept, terms)?;
        Ok((model, unused))
    }
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

impl Fit<Array2<f64>, Array1<bool>, ModelError> for LogisticParams {
    type Object = AdditiveModel;

    /// Fits a linfa dataset on the linear scale: NaN means missing; weights count if there are any.
    fn fit(&self, dataset: &DatasetBase<Array2<f64>, Array1<bool>>) -> Result<AdditiveModel, ModelError> {
        let matrix = matrix_of(dataset)?;
        let scales = vec![Scale::Linear; matrix.names().len()];
        let weights: Option<Vec<f64>> =
            dataset.weights().map(|weights| weights.iter().map(|&weight| f64::from(weight)).collect());
        let outcomes = dataset.targets().to_vec();
        self.fit_matrix(&matrix, &scales, &outcomes, weights.as_deref()).map(|(model, _)| model)
    }
}

/// A linfa dataset's records as cells.
fn matrix_of(dataset: &DatasetBase<Array2<f64>, Array1<bool>>) -> Result<FeatureMatrix, ModelError> {
    let records = dataset.records();
    if dataset.targets().len() != records.nrows() {
        return Err(ModelError::NotFitted("there must be a target for each record".into()));
    }
    let mut names: Vec<String> = dataset.feature_names().to_vec();
    if names.len() != records.ncols() {
        names = (0..records.ncols()).map(|column| format!("feature-{column}")).collect();
    }
    let mut columns = Vec::with_capacity(names.len());
    for (name, column) in names.iter().zip(records.columns()) {
        if let Some(row) = column.iter().position(|value| value.is_infinite()) {
            return Err(ModelError::NotFitted(format!(
                "feature \"{name}\", record {row}: not a finite number"
            )));
        }
        let cell = |&value: &f64| if value.is_nan() { Cell::Missing } else { Cell::Value(value as f32) };
        columns.push(column.iter().map(cell).collect::<Vec<_>>());
    }
    FeatureMatrix::from_cells(names, records.nrows(), &columns)
        .ok_or_else(|| ModelError::NotFitted("the records are not a table".into()))
}
