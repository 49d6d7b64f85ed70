//! What a feature is.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::plan::Plan;
use super::{FeatureMatrix, kernel};
use crate::calendar::Lookback;
use crate::cohort::{Cohort, Unit};
use crate::error::SpecError;
use crate::records::{Records, Selector};

/// The source name that static facts about people have.
pub(super) const PEOPLE: &str = "people";

/// What is computed from the records that a feature reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// How many records there are.
    Count,
    /// 1 if there is any, else 0.
    Any,
    /// The sum of their values; 0 where there are none.
    Sum,
    /// The mean of their values; missing where there are none.
    Mean,
    /// The largest of their values; missing where there are none.
    Max,
    /// The value of the most recent one that has a value; missing where there is none.
    Latest,
    /// How many different kinds there are.
    DistinctKinds,
    /// On how many different days something happened.
    DistinctDays,
    /// How many different values of a category there are.
    Distinct(String),
    /// Days from the last one to the as-of date (1 or more); missing where there is none.
    DaysSinceLast,
    /// Days from the first one in the window to the as-of date; missing where there is none.
    DaysSinceFirst,
    /// On how many days of the window an episode was open; overlapping episodes count once.
    DaysOpen,
    /// Records in the window, less those in the equally long window before it.
    Change,
    /// 1 if an episode is open at the as-of date, else 0.
    PresentNow,
    /// Age in whole years at the as-of date (of a family: its youngest member's).
    Age,
}

impl Measure {
    /// A measure whose values are mostly small with a long tail, so that the step from 0 to 1 says more
    /// than the step from 10 to 11. Models read these on a logarithmic scale.
    #[must_use]
    pub fn is_long_tailed(&self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::Sum
                | Self::Max
                | Self::DistinctKinds
                | Self::DistinctDays
                | Self::Distinct(_)
                | Self::DaysOpen
        )
    }

    /// Whether the measure is of the as-of date alone, without a window.
    pub(super) fn is_of_the_date(&self) -> bool {
        matches!(self, Self::PresentNow | Self::Age)
    }

    pub(super) fn needs_value(&self) -> bool {
        matches!(self, Self::Sum | Self::Mean | Self::Max | Self::Latest)
    }

    pub(super) fn unit(&self) -> &'static str {
        match self {
            Self::Count | Self::Change => "records",
            Self::Any | Self::PresentNow => "yes or no",
            Self::Sum | Self::Mean | Self::Max | Self::Latest => "value",
            Self::DistinctKinds => "kinds",
            Self::Distinct(_) => "different values",
            Self::DistinctDays | Self::DaysSinceLast | Self::DaysSinceFirst | Self::DaysOpen => "days",
            Self::Age => "years",
        }
    }

    /// The short word used in names.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Count => "count".into(),
            Self::Any => "any".into(),
            Self::Sum => "sum".into(),
            Self::Mean => "mean".into(),
            Self::Max => "max".into(),
            Self::Latest => "latest".into(),
            Self::DistinctKinds => "distinct_kinds".into(),
            Self::DistinctDays => "distinct_days".into(),
            Self::Distinct(category) => format!("distinct_{category}"),
            Self::DaysSinceLast => "days_since_last".into(),
            Self::DaysSinceFirst => "days_since_first".into(),
            Self::DaysOpen => "days_open".into(),
            Self::Change => "change".into(),
            Self::PresentNow => "now".into(),
            Self::Age => "age".into(),
        }
    }
}

/// Whose records a feature reads. The two are never added up: what the others in a household did is
/// shown as theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The person's own (a family's: all its members').
    #[default]
    Own,
    /// Those of the other members of the household at the date.
    Household,
}

/// How the risk is expected to move as the feature rises. It is recorded with the feature; the logistic
/// trainer does not enforce it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Nothing is expected.
    #[default]
    None,
    /// The risk rises with it, or stays.
    Rising,
    /// The risk falls with it, or stays.
    Falling,
}

/// One feature: what it reads, how, and the words a practitioner reads.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Lookback;
/// use earlyhelp::features::{Direction, Feature, Measure};
/// use earlyhelp::records::{Role, Selector};
///
/// let harmed = Feature::new(
///     Selector::source("police").role(Role::Victim),
///     Measure::Count,
///     Lookback::Months(12),
/// )
/// .label("Police incidents as a victim, last 12 months")
/// .direction(Direction::Rising)
/// .need("crime");
/// assert_eq!(harmed.name, "police_victim_count_12m");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The name; unique within a spec.
    pub name: String,
    /// What it says, in plain words.
    pub label: String,
    /// The unit of its values.
    pub unit: String,
    /// The records it reads.
    pub records: Selector,
    /// What it computes from them.
    pub measure: Measure,
    /// How far back it reads.
    pub over: Lookback,
    /// Whose records it reads.
    pub scope: Scope,
    /// How the risk is expected to move with it.
    pub direction: Direction,
    /// Whether it shows that somebody asked for help. Such a feature should not count against them
    /// unnoticed.
    pub help_seeking: bool,
    /// The need (say, `housing`) that a value above zero speaks for: the count of needs, a simple rule
    /// that any model has to beat, is made of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// Why the model is given it, in the words of those who chose it; `None` where nobody gave a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Feature {
    /// A feature of the person's own records, with a name and label made from what it reads.
    #[must_use]
    pub fn new(records: Selector, measure: Measure, over: Lookback) -> Self {
        let over = if measure.is_of_the_date() { Lookback::Ever } else { over };
        let mut feature = Self {
            name: String::new(),
            label: String::new(),
            unit: measure.unit().to_owned(),
            records,
            measure,
            over,
            scope: Scope::Own,
            direction: Direction::None,
            help_seeking: false,
            need: None,
            why: None,
        };
        feature.name = super::template::name_of(&feature, None);
        feature.label = super::template::label_of(&feature, None);
        feature
    }

    /// The age at the date.
    #[must_use]
    pub fn age() -> Self {
        Self::new(Selector::source(PEOPLE), Measure::Age, Lookback::Ever)
    }

    /// Another name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Other words.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The expected direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The need it speaks for.
    #[must_use]
    pub fn need(mut self, need: impl Into<String>) -> Self {
        self.need = Some(need.into());
        self
    }

    /// The reason why the model is given it.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// The same of the other household members' records.
    #[must_use]
    pub fn of_household(mut self) -> Self {
        self.scope = Scope::Household;
        self.name = super::template::name_of(&self, None);
        self.label = super::template::label_of(&self, None);
        self
    }

    fn check(&self) -> Result<(), SpecError> {
        let wrong =
            |why: &str| Err(SpecError::Invalid { of: format!("feature {}", self.name), why: why.to_owned() });
        if self.name.trim().is_empty() || self.label.trim().is_empty() {
            return wrong("a feature needs a name and a label that people can read");
        }
        if self.why.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return wrong("its reason (`why`) is blank: write one, or leave the key out");
        }
        if (self.measure == Measure::Age) != (self.records.source == PEOPLE) {
            return wrong("age is read from \"people\", and nothing else is");
        }
        if self.measure == Measure::Change && self.over == Lookback::Ever {
            return wrong("a change needs a window of a stated length, not \"ever\"");
        }
        if self.measure == Measure::Age && self.scope == Scope::Household {
            return wrong("age is the person's own; drop the household scope");
        }
        Ok(())
    }
}

/// The features of a model, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Feature>", into = "Vec<Feature>")]
pub struct FeatureSpec {
    features: Vec<Feature>,
}

impl FeatureSpec {
    /// The spec of these features.
    ///
    /// # Errors
    /// [`SpecError`] where there is none, two have one name, or one contradicts itself.
    pub fn new(features: Vec<Feature>) -> Result<Self, SpecError> {
        if features.is_empty() {
            return Err(SpecError::Invalid { of: "features".into(), why: "there are none".into() });
        }
        let mut names = std::collections::BTreeSet::new();
        for feature in &features {
            feature.check()?;
            if !names.insert(feature.name.as_str()) {
                return Err(SpecError::FeatureTwice(feature.name.clone()));
            }
        }
        Ok(Self { features })
    }

    /// Refuses a feature that reads a protected characteristic: as a category that it counts or is
    /// selected by, as a kind, as a source, or as an age.
    ///
    /// # Errors
    /// [`SpecError::Protected`] names the feature and the characteristic.
    pub fn check_protected<S: AsRef<str>>(&self, protected: &[S]) -> Result<(), SpecError> {
        self.features.iter().try_for_each(|feature| match reads_protected(feature, protected) {
            None => Ok(()),
            Some(characteristic) => {
                Err(SpecError::Protected { feature: feature.name.clone(), characteristic })
            }
        })
    }

    /// The columns of extracts whose content the features can read: a protected characteristic that is
    /// mapped as a kind or a value is as protected as one that is named.
    pub(crate) fn columns_read(&self, records: &Records) -> Vec<String> {
        let sources: std::collections::BTreeSet<&str> =
            self.features.iter().map(|feature| feature.records.source.as_str()).collect();
        sources
            .into_iter()
            .filter_map(|name| records.source(name))
            .flat_map(|source| source.columns.iter().cloned())
            .collect()
    }

    /// The features.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// A digest (SHA-256, hexadecimal) of everything the spec says.
    #[must_use]
    pub fn digest(&self) -> String {
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }

    /// Computes all features of a cohort.
    ///
    /// # Errors
    /// [`SpecError`] where a feature names a source or category that the records do not hold, or asks of
    /// a source what it cannot say (a sum of a source without values).
    pub fn compute(&self, cohort: &Cohort<'_>) -> Result<FeatureMatrix, SpecError> {
        if cohort.unit() == Unit::Family
            && let Some(feature) = self.features.iter().find(|f| f.scope == Scope::Household)
        {
            return Err(SpecError::Invalid {
                of: format!("feature {}", feature.name),
                why: "a family's records are all its own; drop the household scope".into(),
            });
        }
        let plan = Plan::new(&self.features, cohort.snapshot().records())?;
        Ok(kernel::compute(&self.features, &plan, cohort))
    }

    /// Checks the spec against records without computing anything.
    ///
    /// # Errors
    /// As [`FeatureSpec::compute`].
    pub fn check(&self, records: &Records) -> Result<(), SpecError> {
        Plan::new(&self.features, records).map(|_| ())
    }
}

impl TryFrom<Vec<Feature>> for FeatureSpec {
    type Error = SpecError;
    fn try_from(features: Vec<Feature>) -> Result<Self, SpecError> {
        Self::new(features)
    }
}

impl From<FeatureSpec> for Vec<Feature> {
    fn from(spec: FeatureSpec) -> Self {
        spec.features
    }
}

fn reads_protected<S: AsRef<str>>(feature: &Feature, protected: &[S]) -> Option<String> {
    let counted = match &feature.measure {
        Measure::Distinct(category) => Some(category.as_str()),
        Measure::Age => Some("age"),
        _ => None,
    };
    let read = feature
        .records
        .categories
        .keys()
        .chain(&feature.records.kinds)
        .map(String::as_str)
        .chain(counted)
        .chain([feature.records.source.as_str()]);
    let protected: Vec<&str> = protected.iter().map(AsRef::as_ref).collect();
    let is_age =
        |name: &str| ["age", "age_band", "date_of_birth"].iter().any(|age| age.eq_ignore_ascii_case(name));
    read.into_iter()
        .find_map(|name| {
            protected.iter().find(|p| p.eq_ignore_ascii_case(name) || (name == "age" && is_age(p)))
        })
        .map(|&name| name.to_owned())
}
