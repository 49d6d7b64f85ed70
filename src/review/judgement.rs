//! Who decides, and what can be decided.

use serde::{Deserialize, Serialize};

use crate::error::ReviewError;

/// The person who opens a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
}

impl Reviewer {
    /// A reviewer.
    pub fn new(name: impl Into<String>, role: impl Into<String>) -> Self {
        Self { name: name.into(), role: role.into() }
    }

    pub(crate) fn check(&self) -> Result<(), ReviewError> {
        if crate::words::is_blank(&self.name) {
            return Err(ReviewError::Reviewer("the name is missing"));
        }
        if crate::words::is_blank(&self.role) {
            return Err(ReviewError::Reviewer("the role is missing"));
        }
        Ok(())
    }
}

/// The next step that a person chose. The crate records it and does nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Offer the family support.
    OfferSupport,
    /// Ask those who know the family first.
    SeekInformation,
    /// Do nothing.
    NoAction,
}

/// Whether the person's own judgement agrees with the case's place on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// It does.
    Agree,
    /// It does not.
    Disagree,
    /// It cannot be said from what is known.
    CannotTell,
}
