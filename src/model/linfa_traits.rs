//! The trainers as linfa's own: fitted to its datasets, and a model that predicts explanations.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2};

use super::additive::{AdditiveParams, Cases, FOLDS};
use super::explanation::Explanations;
use super::form::{AdditiveModel, Scale};
use super::logistic::LogisticParams;
use super::scorecard::{Scorecard, ScorecardParams};
use super::validation::Validation;
use crate::error::ModelError;
use crate::features::{Cell, Direction, FeatureMatrix};

type Table = DatasetBase<Array2<f64>, Array1<bool>>;

impl Fit<Array2<f64>, Array1<bool>, ModelError> for LogisticParams {
    type Object = AdditiveModel;

    /// Fits a linfa dataset on the linear scale: NaN means missing; weights count if there are any. With a
    /// path, each record is taken as a family of its own, as in [`LogisticParams::fit_matrix`].
    fn fit(&self, dataset: &Table) -> Result<AdditiveModel, ModelError> {
        let matrix = matrix_of(dataset)?;
        let scales = vec![Scale::Linear; matrix.names().len()];
        let weights: Option<Vec<f64>> =
            dataset.weights().map(|weights| weights.iter().map(|&weight| f64::from(weight)).collect());
        let outcomes = dataset.targets().to_vec();
        self.fit_matrix(&matrix, &scales, &outcomes, weights.as_deref()).map(|fit| fit.model)
    }
}

impl Fit<Array2<f64>, Array1<bool>, ModelError> for AdditiveParams {
    type Object = AdditiveModel;

    /// Fits a linfa dataset: NaN means missing; weights count if there are any. linfa knows of no
    /// families, so each record is taken as one of its own: cases that belong together (siblings, dates of
    /// one person) make the intervals too narrow here.
    fn fit(&self, dataset: &Table) -> Result<AdditiveModel, ModelError> {
        let matrix = matrix_of(dataset)?;
        let weights: Option<Vec<f32>> = dataset.weights().map(<[f32]>::to_vec);
        let families: Vec<u64> = (0..matrix.rows() as u64).collect();
        let validation = Validation::of_one_date(&families, FOLDS, 0);
        let cases = Cases {
            matrix: &matrix,
            directions: &vec![Direction::None; matrix.names().len()],
            scales: &[],
            codes: &[],
            outcomes: &dataset.targets().to_vec(),
            weights: weights.as_deref(),
            families: &families,
            validation: &validation,
            seed: 0,
        };
        self.fit_cases(cases).map(|fitted| fitted.model)
    }
}

impl ScorecardParams {
    /// As `fit` on a linfa dataset: the best cards, best first, each as a model and as a card to print.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`] where there is only one outcome, a setting is out of range, or a record is
    /// infinite.
    pub fn cards_of(&self, dataset: &Table) -> Result<Vec<(AdditiveModel, Scorecard)>, ModelError> {
        let matrix = matrix_of(dataset)?;
        let directions = vec![Direction::None; matrix.names().len()];
        let weights: Option<Vec<f64>> =
            dataset.weights().map(|weights| weights.iter().map(|&weight| f64::from(weight)).collect());
        self.fit_matrix(&matrix, &directions, &dataset.targets().to_vec(), weights.as_deref())
    }
}

impl Fit<Array2<f64>, Array1<bool>, ModelError> for ScorecardParams {
    type Object = AdditiveModel;

    /// Fits a linfa dataset, no direction expected of any feature: NaN means missing; weights count if
    /// there are any. Gives the best card's model.
    fn fit(&self, dataset: &Table) -> Result<AdditiveModel, ModelError> {
        let best = self.cards_of(dataset)?.into_iter().next();
        best.map(|(model, _)| model).ok_or_else(|| ModelError::NotFitted("there is no card".into()))
    }
}

impl Predict<&Array2<f64>, Result<Explanations, ModelError>> for AdditiveModel {
    /// Explains records, one column for each feature in the model's order (NaN means missing). A prediction
    /// is a whole explanation, and no score: that takes a release.
    fn predict(&self, records: &Array2<f64>) -> Result<Explanations, ModelError> {
        if records.ncols() != self.features().len() {
            return Err(ModelError::Features(
                "the records have another number of columns than the model".into(),
            ));
        }
        self.explain_all(&cells_of(self.features().to_vec(), records)?)
    }
}

/// A linfa dataset's records as cells.
fn matrix_of(dataset: &Table) -> Result<FeatureMatrix, ModelError> {
    let records = dataset.records();
    if dataset.targets().len() != records.nrows() {
        return Err(ModelError::NotFitted("there must be a target for each record".into()));
    }
    let mut names: Vec<String> = dataset.feature_names().to_vec();
    if names.len() != records.ncols() {
        names = (0..records.ncols()).map(|column| format!("feature-{column}")).collect();
    }
    cells_of(names, records)
}

/// A table of numbers as cells: NaN means missing.
fn cells_of(names: Vec<String>, records: &Array2<f64>) -> Result<FeatureMatrix, ModelError> {
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
