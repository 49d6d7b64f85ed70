//! The words of a feature's sentence that a project gives itself.

use serde::{Deserialize, Serialize};

/// What one of the records that a feature reads is called, and several: `domestic abuse notice`, `domestic abuse notices`.
///
/// # Examples
/// ```
/// use earlyhelp::features::Noun;
///
/// let notices = Noun { one: "domestic abuse notice".into(), many: "domestic abuse notices".into() };
/// assert_eq!(serde_json::to_string(&notices)?, r#"{"one":"domestic abuse notice","many":"domestic abuse notices"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Noun {
    /// One of them, without an article.
    pub one: String,
    /// Several.
    pub many: String,
}

/// A feature's sentence in the project's own words, in place of the one that is made from what it reads.
///
/// A sentence has no full stop at its end and may hold these parts, in braces: `n` (the number), `value` (the number with its
/// unit), `days` (a number of days), `date` (the day so many days before the case is seen), `one` and `many` (what the records
/// are called), `subject` (what they are, as the label says it), `window` (`in the last year`), `whom` (`about others in the
/// home`, or nothing), `code` and `category`.
///
/// # Examples
/// ```
/// use earlyhelp::features::Say;
///
/// let missed: Say = serde_json::from_str(r#""missed {value} of school sessions {window}""#)?;
/// assert_eq!(missed, Say::Always("missed {value} of school sessions {window}".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum Say {
    /// For every value, whatever it is. Absences keep their usual words.
    Always(String),
    /// For the values that are named. The others keep their usual words.
    Forms(SayForms),
}

/// The forms of a sentence: see [`Say`]. Of `yes or no`, 1 is yes and 0 is no.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SayForms {
    /// For 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<String>,
    /// For 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one: Option<String>,
    /// For any other number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub many: Option<String>,
    /// For a number below 0, which is then said without its sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewer: Option<String>,
    /// Where there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// The parts that a sentence can have.
pub(crate) const PARTS: [&str; 11] =
    ["n", "value", "days", "date", "one", "many", "subject", "window", "whom", "code", "category"];

impl Say {
    /// Every sentence that it has.
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Always(text) => vec![text],
            Self::Forms(SayForms { none, one, many, fewer, missing }) => {
                [none, one, many, fewer, missing].into_iter().filter_map(Option::as_deref).collect()
            }
        }
    }

    /// Refuses a sentence that is blank, or has a part that there is none of.
    pub(super) fn check(&self) -> Result<(), String> {
        let texts = self.texts();
        if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
            return Err("its sentence (`say`) is blank: write one, or leave the key out".to_owned());
        }
        texts.into_iter().try_for_each(check_parts)
    }
}

fn check_parts(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let opens = rest[at..].starts_with('{');
        let part = rest[at + 1..].split_once('}');
        match part {
            Some((part, behind)) if opens && PARTS.contains(&part) => rest = behind,
            Some((part, _)) if opens => {
                return Err(format!(
                    "its sentence (`say`) has a part {{{part}}} that there is none of; the parts are {}",
                    PARTS.map(|part| format!("{{{part}}}")).join(", ")
                ));
            }
            _ => return Err("its sentence (`say`) has a brace that belongs to no part".to_owned()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_there_are_none_of_are_refused() {
        let check = |text: &str| Say::Always(text.to_owned()).check();
        assert_eq!(check("missed {value} {window}"), Ok(()));
        assert!(check("missed {percent}").unwrap_err().contains("{percent}"));
        for odd in ["missed {value", "missed value}", "{}", "}{n}", " "] {
            assert!(check(odd).is_err(), "{odd}");
        }
        assert!(Say::Forms(SayForms::default()).check().is_err());
        let forms = SayForms { none: Some("nothing {window}".into()), ..SayForms::default() };
        assert_eq!(Say::Forms(forms).check(), Ok(()));
    }
}
