//! Who decides, and what can be decided.

use serde::{Deserialize, Serialize};

use crate::error::ReviewError;
use crate::limits;

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
        if self.name.len().max(self.role.len()) > limits::NAME_BYTES {
            return Err(ReviewError::Reviewer("the name or the role has more than 200 bytes"));
        }
        Ok(())
    }

    /// Whether the name or the role holds an id: both stay where nobody can be taken out.
    pub(crate) fn names(&self, entity: &str) -> bool {
        // Written in other letters it is the same id.
        let (name, role, id) = (self.name.to_lowercase(), self.role.to_lowercase(), entity.to_lowercase());
        name.contains(&id) || role.contains(&id)
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

impl Step {
    /// All of them, in the order in which a reviewer is asked.
    pub const ALL: [Self; 3] = [Self::OfferSupport, Self::SeekInformation, Self::NoAction];

    /// In words: `offer support`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OfferSupport => "offer support",
            Self::SeekInformation => "ask those who know the family",
            Self::NoAction => "no action",
        }
    }

    /// As it is written in data: `offer_support`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OfferSupport => "offer_support",
            Self::SeekInformation => "seek_information",
            Self::NoAction => "no_action",
        }
    }
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

impl Agreement {
    /// All of them, in the order in which a reviewer is asked.
    pub const ALL: [Self; 3] = [Self::Agree, Self::Disagree, Self::CannotTell];

    /// What the reviewer did, in words: `agreed with the place`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Agree => "agreed with the place",
            Self::Disagree => "disagreed with the place",
            Self::CannotTell => "could not tell",
        }
    }

    /// As it is written in data: `cannot_tell`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Disagree => "disagree",
            Self::CannotTell => "cannot_tell",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_data() {
        for step in Step::ALL {
            assert_eq!(serde_json::to_value(step).unwrap(), step.code());
        }
        for agreement in Agreement::ALL {
            assert_eq!(serde_json::to_value(agreement).unwrap(), agreement.code());
        }
    }
}
