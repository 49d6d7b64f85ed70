//! Who decides, and what can be decided.

use serde::{Deserialize, Serialize};

use crate::error::ReviewError;
use crate::limits;

/// The person who opens a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
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

    /// Whether the name or the role holds an id: both stay where nobody can be taken out. Written in other letters, or with
    /// something between its letters, it is the same id.
    pub(crate) fn names(&self, entity: &str) -> bool {
        let (plain, id) = (letters(entity), entity.to_lowercase());
        [&self.name, &self.role].into_iter().any(|text| {
            let is_long = plain.chars().count() >= LONG_ID;
            text.to_lowercase().contains(&id) || (is_long && letters(text).contains(&plain))
        })
    }
}

/// Letters and digits of a shorter id may stand one after another in a name by chance.
const LONG_ID: usize = 6;

/// The letters and digits of a text in small letters, those of double width as plain ones.
fn letters(text: &str) -> String {
    let plain = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    text.chars().map(plain).filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The next step that a person chose. The crate records it and does nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
