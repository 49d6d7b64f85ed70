//! A model file of either kind.

use serde::Deserialize;

use super::release::{AuditedModel, Scorer, is_released};
use crate::error::ScoringError;
use crate::model::Candidate;

/// A model file, whichever kind it is. Either is held to its own digest when it is read.
///
/// # Examples
/// ```no_run
/// use earlyhelp::scoring::ModelFile;
///
/// let file = ModelFile::from_json(&std::fs::read_to_string("model.json")?)?;
/// println!("{}", file.candidate().outcome().words);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ModelFile {
    /// A model that nobody has signed for.
    Audited(AuditedModel),
    /// A model that may score.
    Released(Scorer),
}

impl ModelFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// As [`AuditedModel::from_json`] and [`Scorer::from_json`].
    pub fn from_json(text: &str) -> Result<Self, ScoringError> {
        #[derive(Deserialize)]
        struct Kind {
            format: String,
        }
        let kind: Kind = serde_json::from_str(text)
            .map_err(|error| ScoringError::File(format!("it is not a model file: {error}")))?;
        if is_released(&kind.format) {
            Scorer::from_json(text).map(Self::Released)
        } else {
            AuditedModel::from_json(text).map(Self::Audited)
        }
    }

    /// The candidate in it.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        match self {
            Self::Audited(model) => model.candidate(),
            Self::Released(scorer) => scorer.candidate(),
        }
    }

    /// The model with its evidence and without any signature: what an edit starts from.
    ///
    /// # Errors
    /// As [`Scorer::audited`].
    pub fn audited(self) -> Result<AuditedModel, ScoringError> {
        match self {
            Self::Audited(model) => Ok(model),
            Self::Released(scorer) => scorer.audited(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASED: &str = include_str!("../../models/synthetic_council_additive.json");

    #[test]
    fn either_kind_is_read_and_held_to_its_digest() {
        let released = ModelFile::from_json(RELEASED).unwrap();
        let ModelFile::Released(scorer) = &released else { panic!("it is released") };
        let audited = scorer.audited().unwrap();
        let read = ModelFile::from_json(&audited.to_json().unwrap()).unwrap();
        assert_eq!(read, ModelFile::Audited(audited.clone()));
        assert_eq!(read.candidate().digest(), released.candidate().digest());
        assert_eq!(released.audited().unwrap(), audited);

        let changed = RELEASED.replacen("\"review_by\": \"20", "\"review_by\": \"21", 1);
        assert_ne!(changed, RELEASED);
        assert!(matches!(ModelFile::from_json(&changed), Err(ScoringError::Changed)));
        for other in ["", "[]", "{\"format\": \"something/1\"}"] {
            assert!(matches!(ModelFile::from_json(other), Err(ScoringError::File(_))), "{other}");
        }
    }
}
