//! A trained model with everything that an auditor needs to make it again.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::form::{AdditiveModel, Scale};
use super::logistic::LogisticParams;
use crate::calendar::AsOf;
use crate::cohort::CohortSpec;
use crate::dataset::{Dataset, DateSummary};
use crate::error::ModelError;
use crate::features::{FeatureMatrix, FeatureSpec};
use crate::outcome::OutcomeSpec;

/// A trainer and its settings, as a project file and a model file name them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "trainer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trainer {
    /// Elastic-net or ridge logistic regression.
    Logistic(LogisticParams),
}

impl Trainer {
    /// The trainer's name, as on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Logistic(_) => "logistic",
        }
    }

    /// A trainer with its default settings by name; `None` where there is none of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "logistic" => Some(Self::Logistic(LogisticParams::default())),
            _ => None,
        }
    }

    /// Fits a dataset; gives the model and the features that play no part in it.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`], as the trainer says.
    pub fn fit(&self, data: &Dataset) -> Result<(AdditiveModel, Vec<String>), ModelError> {
        match self {
            Self::Logistic(params) => {
                let scales: Vec<Scale> = data
                    .spec()
                    .features()
                    .iter()
                    .map(|f| if f.measure.is_long_tailed() { Scale::Log } else { Scale::Linear })
                    .collect();
                params.fit_matrix(data.matrix(), &scales, data.outcomes(), None)
            }
        }
    }
}

/// What a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecord {
    /// The as-of dates and what each brought.
    pub dates: Vec<DateSummary>,
    /// Cases.
    pub rows: u64,
    /// Different families among them.
    pub families: u64,
    /// Cases with the outcome.
    pub positives: u64,
    /// Features that were given and play no part.
    pub unused: Vec<String>,
    /// Digests of what each source said at each date.
    pub sources: Vec<SourceDigest>,
    /// The seed of every random choice in training.
    pub seed: u64,
    /// Protected characteristics, held or not: none of them is a feature.
    pub protected: Vec<String>,
    /// What the model cannot see, beyond what is true of every model, in plain words.
    pub cannot_see: Vec<String>,
}

/// What a model file records of the circumstances of training, beyond the dataset itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainingContext {
    /// Digests of what was read.
    pub sources: Vec<SourceDigest>,
    /// The seed of every random choice in training.
    pub seed: u64,
    /// Protected characteristics, held or not. A feature that reads one is refused.
    pub protected: Vec<String>,
    /// What the model cannot see, in plain words: shown with every score.
    pub cannot_see: Vec<String>,
}

/// What one source said at one date, as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDigest {
    /// The source.
    pub source: String,
    /// The date.
    pub as_of: AsOf,
    /// SHA-256, hexadecimal: see [`Snapshot::digest`](crate::records::Snapshot::digest).
    pub digest: String,
}

/// A trained model that has not been released: it can be measured, audited and read, and cannot score
/// anybody for review.
///
/// Its file names a digest of everything it says; one changed character is refused on loading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Candidate {
    body: Body,
    digest: String,
}

/// What the digest is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    crate_version: String,
    cohort: CohortSpec,
    outcome: OutcomeSpec,
    features: FeatureSpec,
    trainer: Trainer,
    training: TrainingRecord,
    model: AdditiveModel,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    digest: String,
    says: Body,
}

/// The form of a candidate's file.
const FORMAT: &str = "earlyhelp-candidate/1";

impl Candidate {
    /// Trains a model on a dataset.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`], as the trainer says, or [`ModelError::Protected`] where a feature reads
    /// a protected characteristic.
    pub fn train(data: &Dataset, trainer: &Trainer, context: TrainingContext) -> Result<Self, ModelError> {
        data.spec()
            .check_protected(&context.protected)
            .map_err(|error| ModelError::Protected(error.to_string()))?;
        let is_protected =
            |column: &&String| context.protected.iter().any(|name| name.eq_ignore_ascii_case(column));
        if let Some(column) = data.columns_read().iter().find(is_protected) {
            return Err(ModelError::Protected(format!(
                "a source that features read maps the column \"{column}\", which is a protected characteristic, held \
                 for audit alone; take it out of the mapping"
            )));
        }
        let (model, unused) = trainer.fit(data)?;
        Self::of(Body {
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
            cohort: data.cohort().clone(),
            outcome: data.outcome().clone(),
            features: data.spec().clone(),
            trainer: trainer.clone(),
            training: TrainingRecord {
                dates: data.dates().to_vec(),
                rows: data.rows() as u64,
                families: data.family_count() as u64,
                positives: data.outcomes().iter().filter(|&&outcome| outcome).count() as u64,
                unused,
                sources: context.sources,
                seed: context.seed,
                protected: context.protected,
                cannot_see: context.cannot_see,
            },
            model,
        })
    }

    fn of(body: Body) -> Result<Self, ModelError> {
        if body.model.features().iter().ne(body.features.features().iter().map(|feature| &feature.name)) {
            return Err(ModelError::Form("the model's features are not those of its spec".into()));
        }
        let canonical = serde_json::to_vec(&body).map_err(|error| ModelError::File(error.to_string()))?;
        Ok(Self { digest: hex::encode(Sha256::digest(canonical)), body })
    }

    /// The digest (SHA-256, hexadecimal) of everything the candidate says.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &AdditiveModel {
        &self.body.model
    }

    /// The features it reads.
    #[must_use]
    pub fn features(&self) -> &FeatureSpec {
        &self.body.features
    }

    /// The outcome it was trained for.
    #[must_use]
    pub fn outcome(&self) -> &OutcomeSpec {
        &self.body.outcome
    }

    /// The population it was trained on.
    #[must_use]
    pub fn cohort(&self) -> &CohortSpec {
        &self.body.cohort
    }

    /// The trainer and its settings.
    #[must_use]
    pub fn trainer(&self) -> &Trainer {
        &self.body.trainer
    }

    /// What it was trained on.
    #[must_use]
    pub fn training(&self) -> &TrainingRecord {
        &self.body.training
    }

    /// The version of this crate that trained it.
    #[must_use]
    pub fn crate_version(&self) -> &str {
        &self.body.crate_version
    }

    /// The log-odds of every case of a matrix: for measuring, not for review.
    ///
    /// # Errors
    /// [`ModelError::Features`] where the matrix has other features.
    pub fn log_odds(&self, matrix: &FeatureMatrix) -> Result<Vec<f64>, ModelError> {
        self.body.model.log_odds(matrix)
    }
}

impl TryFrom<Stored> for Candidate {
    type Error = ModelError;

    fn try_from(stored: Stored) -> Result<Self, ModelError> {
        if stored.format != FORMAT {
            return Err(ModelError::File(format!(
                "its form is not {FORMAT}; it was made by another version"
            )));
        }
        let candidate = Self::of(stored.says)?;
        if candidate.digest == stored.digest { Ok(candidate) } else { Err(ModelError::Changed) }
    }
}

impl From<Candidate> for Stored {
    fn from(candidate: Candidate) -> Self {
        Self { format: FORMAT.to_owned(), digest: candidate.digest, says: candidate.body }
    }
}
