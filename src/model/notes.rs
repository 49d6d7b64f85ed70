//! What a trainer did on its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words;

/// Something that a trainer did although nobody asked for it: it stands in the model file and on the model's page.
///
/// Features that play no part stand there apart ([`TrainingRecord::unused`](super::TrainingRecord::unused)).
///
/// # Examples
/// ```
/// use earlyhelp::model::TrainingNote;
///
/// let note = TrainingNote::PairsDropped { found: 12, kept: 9 };
/// assert!(note.to_string().starts_with("12 pairs of features"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrainingNote {
    /// Rare codes of a category share one step.
    CodesGrouped {
        /// The feature.
        feature: String,
        /// How many codes share it.
        codes: u32,
    },
    /// A feature's values are cut into more steps than were asked for, because outcomes clearly differed within some.
    StepsAdded {
        /// The feature.
        feature: String,
        /// How many steps its values have.
        steps: u32,
    },
    /// Pairs that were clear where they were looked for, and are not in the model: beside the others they said
    /// nothing more, other families' outcomes did not bear them out, or there were more than were asked for.
    PairsDropped {
        /// How many were clear.
        found: u32,
        /// How many of them are in the model.
        kept: u32,
    },
}

impl TrainingNote {
    /// The note in words, with each feature called as `label` says.
    pub fn words(&self, label: impl Fn(&str) -> String) -> String {
        match self {
            Self::CodesGrouped { feature, codes } => format!(
                "{}: {} of too few families, or beyond the commonest 252, share one step.",
                label(feature),
                words::counted(*codes as usize, "code", "codes")
            ),
            Self::StepsAdded { feature, steps } => format!(
                "{}: its values are cut into {steps} steps, more than the setting says, because outcomes clearly differed \
                 within some.",
                label(feature)
            ),
            Self::PairsDropped { found, kept } => format!(
                "{} were clear where they were looked for; {} in the model. The others said nothing more beside these, \
                 other families' outcomes did not bear them out, or they were more than the setting allows.",
                words::counted(*found as usize, "pair of features", "pairs of features"),
                words::counted(*kept as usize, "is", "are")
            ),
        }
    }
}

impl fmt::Display for TrainingNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(|name| format!("\"{name}\"")))
    }
}
