//! Several features written as one: a template over windows and scopes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::feature::{Direction, Feature, Measure, Scope, label_of, name_of};
use super::say::{Noun, Say};
use crate::calendar::Lookback;
use crate::error::SpecError;
use crate::limits;
use crate::records::{Role, Selector};

/// What a project file writes: one entry that stands for a feature in each window and scope.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Lookback;
/// use earlyhelp::features::{FeatureTemplate, Measure, Scopes};
/// use earlyhelp::records::Selector;
///
/// let template = FeatureTemplate {
///     over: vec![Lookback::Days(90), Lookback::Days(365)],
///     scope: Scopes::Both,
///     ..FeatureTemplate::new(Selector::source("police"), Measure::Count)
/// };
/// let names: Vec<String> = template.expand()?.into_iter().map(|feature| feature.name).collect();
/// assert_eq!(names, ["police_count_90d", "police_count_365d", "police_count_90d_household", "police_count_365d_household"]);
/// # Ok::<(), earlyhelp::error::SpecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FeatureTemplate {
    /// The beginning of the features' names; made from the records where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the records are, in plain words (`Police incidents as a victim`); made from the records where
    /// it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The unit, where it is not the measure's own (`pounds`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The source of the records.
    pub source: String,
    /// Only these kinds of record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Only records in which the person has one of these roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Only records whose category (a column that the mapping keeps) is one of the values.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, Vec<String>>,
    /// Whether there may be no such record yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What is computed.
    pub measure: Measure,
    /// The windows; not for a measure of the date alone (age, present now).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Lookback>,
    /// Whose records.
    #[serde(default)]
    pub scope: Scopes,
    /// How the risk is expected to move with it.
    #[serde(default)]
    pub direction: Direction,
    /// Whether it shows that somebody asked for help.
    #[serde(default)]
    pub help_seeking: bool,
    /// The need that a value above zero speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// Why the model is given it: stands in the model file, on the model's page and in its papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What one of the records is called in sentences, and several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<Noun>,
    /// The sentence that practitioners read, where it is not the measure's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Say>,
}

/// Whose records a template reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scopes {
    /// The person's own.
    #[default]
    Own,
    /// The other household members'.
    Household,
    /// Both, as two features.
    Both,
}

impl FeatureTemplate {
    /// A template of a person's own records, without windows yet.
    #[must_use]
    pub fn new(records: Selector, measure: Measure) -> Self {
        Self {
            name: None,
            label: None,
            unit: None,
            source: records.source,
            kinds: records.kinds,
            roles: records.roles,
            categories: records.categories,
            optional: records.optional,
            measure,
            over: Vec::new(),
            scope: Scopes::Own,
            direction: Direction::None,
            help_seeking: false,
            need: None,
            why: None,
            noun: None,
            say: None,
        }
    }

    /// The features it stands for.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] where a window is missing, or given to a measure that has none.
    pub fn expand(&self) -> Result<Vec<Feature>, SpecError> {
        let wrong = |why: &str| {
            let of = self.name.as_deref().unwrap_or(&self.source);
            Err(SpecError::Invalid { of: format!("feature {of}"), why: why.to_owned() })
        };
        let windows = match (self.measure.is_of_the_date(), self.over.as_slice()) {
            (true, []) => vec![Lookback::Ever],
            (true, _) => return wrong("it is of the date alone; drop `over`"),
            (false, []) => return wrong("say how far back it reads: over = [\"365 days\"]"),
            (false, windows) if windows.len() > limits::FEATURES => {
                return wrong("it has more windows than a project can have features");
            }
            (false, windows) => windows.to_vec(),
        };
        let scopes: &[Scope] = match self.scope {
            Scopes::Own => &[Scope::Own],
            Scopes::Household => &[Scope::Household],
            Scopes::Both => &[Scope::Own, Scope::Household],
        };
        let records = Selector {
            source: self.source.clone(),
            kinds: self.kinds.clone(),
            roles: self.roles.clone(),
            categories: self.categories.clone(),
            optional: self.optional,
        };
        let mut features = Vec::new();
        for &scope in scopes {
            for &over in &windows {
                let mut feature = Feature::new(records.clone(), self.measure.clone(), over);
                feature.scope = scope;
                feature.direction = self.direction;
                feature.help_seeking = self.help_seeking;
                feature.need.clone_from(&self.need);
                feature.why.clone_from(&self.why);
                feature.noun.clone_from(&self.noun);
                feature.say.clone_from(&self.say);
                if let Some(unit) = &self.unit {
                    feature.unit.clone_from(unit);
                }
                feature.name = name_of(&feature, self.name.as_deref());
                feature.label = label_of(&feature, self.label.as_deref());
                features.push(feature);
            }
        }
        Ok(features)
    }
}
