//! What a trainer did on its own.

use std::cmp::Ordering;
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
    /// Other families' outcomes are foreseen better where terms are held more loosely, or more strongly, than their own cases speak for,
    /// or where those stay that hardly say anything. With a thousand cases of the rarer outcome this is only asked where less is left
    /// unexplained than not.
    StrengthsJudged {
        /// How strongly they are held, in percent of what their own cases speak for: 1 to 200.
        percent: u32,
        /// Whether terms that hardly say anything are in the model too.
        idle_kept: bool,
    },
    /// Pairs none of which is clear by itself, and that are in the model because other families' outcomes are foreseen better with all of
    /// them than with none.
    PairsTogether {
        /// How many.
        pairs: u32,
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
            Self::StrengthsJudged { percent, idle_kept } => {
                let drawn = |said: &str| {
                    format!(
                        "Effects are drawn towards nothing {percent}% as strongly as their own cases speak for, and say {said}. "
                    )
                };
                let held = match percent.cmp(&100) {
                    Ordering::Less => drawn("more"),
                    Ordering::Equal => String::new(),
                    Ordering::Greater => drawn("less"),
                };
                let idle = if *idle_kept { "Terms that hardly say anything are kept. " } else { "" };
                format!("{held}{idle}Outcomes of families that were set aside are foreseen better so.")
            }
            Self::PairsTogether { pairs } => format!(
                "{} hardly clear by {}. Outcomes of families that were set aside are foreseen better with all of them than \
                 with none.",
                words::counted(*pairs as usize, "pair of features is", "pairs of features are"),
                if *pairs == 1 { "itself" } else { "themselves" },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_judged_is_said_and_nothing_else() {
        let words = |percent, idle_kept| TrainingNote::StrengthsJudged { percent, idle_kept }.to_string();
        assert!(words(25, false).contains(" 25% ") && words(25, false).contains("say more"));
        assert!(!words(25, false).contains("kept") && words(25, true).contains("kept"));
        assert!(words(200, false).contains("say less"));
        assert!(!words(100, true).contains('%') && words(100, true).contains("kept"));
        let together = |pairs| TrainingNote::PairsTogether { pairs }.to_string();
        assert!(together(1).starts_with("1 pair of features is hardly clear by itself."));
        assert!(together(7).starts_with("7 pairs of features are hardly clear by themselves."));
    }
}
