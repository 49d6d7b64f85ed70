//! The simple rules that a model has to beat.

use serde::{Deserialize, Serialize};

use super::performance::Performance;
use crate::dataset::Dataset;
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix, FeatureSpec, Measure};
use crate::model::{AdditiveModel, LogisticParams, Scale};

/// A rule that needs no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SimpleRule {
    /// Everybody has the average risk.
    Prevalence,
    /// The more needs there are on record, the higher the risk: the way families qualified for the
    /// Supporting Families programme.
    CountOfNeeds,
}

impl SimpleRule {
    /// All rules.
    pub const ALL: [Self; 2] = [Self::Prevalence, Self::CountOfNeeds];

    /// The rule in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Prevalence => "the average risk for everybody",
            Self::CountOfNeeds => "the number of needs on record",
        }
    }
}

/// How a simple rule did on the same test cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RuleReport {
    /// The rule.
    pub rule: SimpleRule,
    /// Its figures.
    pub performance: Performance,
}

/// How many needs a case shows.
pub(crate) fn needs(spec: &FeatureSpec, matrix: &FeatureMatrix) -> Vec<f32> {
    let on_record = NeedsOnRecord::of(spec);
    let mut shown = vec![false; on_record.names.len()];
    (0..matrix.rows())
        .map(|row| {
            on_record.of_case(matrix, row, &mut shown);
            shown.iter().filter(|shown| **shown).count() as f32
        })
        .collect()
}

/// The needs that features speak of. Features name their need; where none does, each source counts as one.
pub(crate) struct NeedsOnRecord<'f> {
    pub(crate) names: Vec<&'f str>,
    /// Features, and the need that each speaks of.
    of_feature: Vec<(usize, usize)>,
}

impl<'f> NeedsOnRecord<'f> {
    pub(crate) fn of(spec: &'f FeatureSpec) -> Self {
        let tagged = spec.features().iter().any(|feature| feature.need.is_some());
        let mut names: Vec<&str> = Vec::new();
        let mut of_feature = Vec::new();
        for (column, feature) in spec.features().iter().enumerate() {
            let need = if tagged { feature.need.as_deref() } else { Some(feature.records.source.as_str()) };
            // How old somebody is, and with how many they live, is no need; moves are where somebody says so.
            let is_none =
                |measure: &Measure| measure.is_of_people() && (!tagged || *measure != Measure::Moves);
            // No code is more than another.
            let is_code = feature.measure.codes().is_some();
            if let Some(need) = need.filter(|_| !is_none(&feature.measure) && !is_code) {
                let place = names.iter().position(|held| *held == need).unwrap_or_else(|| {
                    names.push(need);
                    names.len() - 1
                });
                of_feature.push((column, place));
            }
        }
        Self { names, of_feature }
    }

    /// Which of them a case shows: those of which a feature above zero speaks.
    pub(crate) fn of_case(&self, matrix: &FeatureMatrix, row: usize, shown: &mut [bool]) {
        shown.fill(false);
        for &(column, need) in &self.of_feature {
            shown[need] |= matches!(matrix.cell(row, column), Cell::Value(value) if value > 0.0);
        }
    }
}

/// A rule with its probabilities learnt from training cases, so that its log loss can be compared.
pub(super) struct FittedRule {
    model: Option<AdditiveModel>,
    prevalence: f64,
}

impl FittedRule {
    pub(super) fn fit(rule: SimpleRule, training: &Dataset) -> Result<Self, ModelError> {
        let positives = training.outcomes().iter().filter(|&&outcome| outcome).count() as f64;
        let rest = training.rows() as f64 - positives;
        let model = match rule {
            SimpleRule::Prevalence => None,
            SimpleRule::CountOfNeeds => {
                let counts = matrix_of(needs(training.spec(), training.matrix()))?;
                let params = LogisticParams::default();
                Some(params.fit_matrix(&counts, &[Scale::Linear], training.outcomes(), None)?.model)
            }
        };
        Ok(Self { model, prevalence: (positives / rest).ln() })
    }

    pub(super) fn log_odds(&self, test: &Dataset) -> Result<Vec<f64>, ModelError> {
        match &self.model {
            None => Ok(vec![self.prevalence; test.rows()]),
            Some(model) => model.log_odds(&matrix_of(needs(test.spec(), test.matrix()))?),
        }
    }
}

fn matrix_of(counts: Vec<f32>) -> Result<FeatureMatrix, ModelError> {
    let cells: Vec<Cell> = counts.into_iter().map(Cell::Value).collect();
    FeatureMatrix::from_cells(vec!["needs".into()], cells.len(), &[cells])
        .ok_or_else(|| ModelError::Features("no counts".into()))
}
