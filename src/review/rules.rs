//! How a team works on a list.

use serde::{Deserialize, Serialize};

use crate::error::ReviewError;
use crate::words;

/// How a team works on a list. It stands in the project, on the list and in the ledger, which holds decisions to it.
///
/// # Examples
/// ```
/// use earlyhelp::review::ReviewRules;
///
/// let rules: ReviewRules = toml::from_str(
///     r#"
///     own_judgement_first = true
///     reason_codes = [
///         { code = "known", words = "We support this family already" },
///         { code = "moved", words = "The family has moved away" },
///     ]
///     "#,
/// )?;
/// rules.check().unwrap();
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReviewRules {
    /// Whether reviewers write down their own judgement before they see place, band and reasons. People who have seen a score
    /// tend to follow it. Not by default: it takes time that a team has to have agreed to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own_judgement_first: bool,
    /// The council's own list of reasons for a decision, of which each then names one; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reason_codes: Vec<ReasonCode>,
}

/// A reason of the council's own list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReasonCode {
    /// The code, as it is counted.
    pub code: String,
    /// What it means, as a reviewer reads it.
    pub words: String,
}

/// More reasons than anybody chooses among with care.
const CODES: usize = 50;

impl ReviewRules {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Holds the list of reasons to what it is for.
    ///
    /// # Errors
    /// [`ReviewError::ReasonCodes`] where a code or its words are blank, a code stands twice, or there are more than 50.
    pub fn check(&self) -> Result<(), ReviewError> {
        let wrong = |why: String| Err(ReviewError::ReasonCodes(why));
        if self.reason_codes.len() > CODES {
            let given = self.reason_codes.len();
            return wrong(format!("there are {given}, and nobody chooses among more than {CODES}"));
        }
        for (nth, reason) in self.reason_codes.iter().enumerate() {
            if words::is_blank(&reason.code) || words::is_blank(&reason.words) {
                return wrong(format!("of number {} the code or the words are blank", nth + 1));
            }
            if self.reason_codes[..nth].iter().any(|before| before.code == reason.code) {
                return wrong(format!("the code \"{}\" stands there twice", reason.code));
            }
        }
        Ok(())
    }

    /// Holds the code of a decision to the council's list.
    pub(crate) fn allow(&self, code: Option<&str>) -> Result<(), ReviewError> {
        let is_one = |code: &str| self.reason_codes.iter().any(|reason| reason.code == code);
        match code {
            None if self.reason_codes.is_empty() => Ok(()),
            Some(code) if is_one(code) => Ok(()),
            _ => Err(ReviewError::ReasonCode(
                self.reason_codes.iter().map(|reason| reason.code.clone()).collect(),
            )),
        }
    }
}
