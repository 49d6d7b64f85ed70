//! What a feature is, and the name and label that are made from what it reads.

use serde::{Deserialize, Serialize};

use super::matrix::Cell;
use super::say::{Noun, Say};
use crate::calendar::Lookback;
use crate::error::SpecError;
use crate::records::Selector;

/// The source name that static facts about people have.
pub(super) const PEOPLE: &str = "people";

/// What is computed from the records that a feature reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// How many records there are.
    Count,
    /// 1 if there is any, else 0.
    Any,
    /// The sum of their values; 0 where there are no records, missing where there are some and none has a value.
    Sum,
    /// The mean of their values; missing where there are none.
    Mean,
    /// The largest of their values; missing where there are none.
    Max,
    /// The smallest of their values; missing where there are none.
    Min,
    /// The sum of their values as a percentage of the sum of what they are part of, 0 to 100; missing where that sum is 0,
    /// as it is where there are none. A record of which one of the two is not known counts in neither sum.
    Share,
    /// The value of the most recent one that has a value; missing where there is none.
    Latest,
    /// By how much their values rise in 30 days: the slope of the line of least squares through them, by day; missing
    /// where they stand on fewer than two days.
    Slope,
    /// 1 if a category of the most recent one that has it has this value, else 0; missing where there is none. One such
    /// feature for each value of interest reads a category (a tenure, a placement) without putting its values in order.
    LatestIs {
        /// The category.
        category: String,
        /// The value.
        value: String,
    },
    /// The place that a category of the most recent one that has it has among these codes, from 0; as many as there are
    /// codes where it is none of them; missing where there is none. The numbers have no order, and no trainer gives them
    /// one: a model has a step, or points, for each code, and shows them as one term.
    LatestOf {
        /// The category.
        category: String,
        /// Its codes: all that records have when a model is trained, 1 to [`Measure::MOST_CODES`]. Their order says nothing.
        codes: Vec<String>,
    },
    /// How many different kinds there are.
    DistinctKinds,
    /// On how many different days something happened.
    DistinctDays,
    /// How many different values of a category there are.
    Distinct(String),
    /// How many different incidents there are: of the records of several members about one incident, one counts. A record
    /// without an incident is one of its own.
    Incidents,
    /// Days from the last one to the as-of date (1 or more); missing where there is none.
    DaysSinceLast,
    /// Days from the first one in the window to the as-of date; missing where there is none.
    DaysSinceFirst,
    /// Days since a category was first another than in the record before (of several people: the shortest); missing where
    /// it did not change in the window. What it changed from may lie before the window.
    DaysSinceChange(String),
    /// On how many days of the window an episode was open; overlapping episodes count once.
    DaysOpen,
    /// Records in the window, less those in the equally long window before it.
    Change,
    /// 1 if an episode is open at the as-of date, else 0.
    PresentNow,
    /// Age in whole years at the as-of date (of a family: its youngest member's).
    Age,
    /// How many members of the household (the person among them) are of these ages at the as-of date, in whole years, both
    /// ends included; missing where no household is known, or the age of one of them is not.
    Members(u8, u8),
    /// How often the person came into another household, as far as it was known (of a family: the member who did so
    /// most); missing where no household is known.
    Moves,
}

impl Measure {
    /// The most codes of one category: with a step for any other and two for absences, a step is a byte.
    pub const MOST_CODES: usize = 253;

    /// The codes that its numbers stand for, where they have no order.
    #[must_use]
    pub fn codes(&self) -> Option<&[String]> {
        match self {
            Self::LatestOf { codes, .. } => Some(codes),
            _ => None,
        }
    }

    /// Whether it can have such a value at all: no count is below 0 or half a one, and a yes or no is 1 or 0.
    pub(crate) fn can_be(&self, value: f32) -> bool {
        match self {
            Self::Sum | Self::Mean | Self::Max | Self::Min | Self::Latest | Self::Slope => true,
            Self::Change => value.fract() == 0.0,
            Self::Share => (0.0..=100.0).contains(&value),
            Self::Any | Self::LatestIs { .. } | Self::PresentNow => [0.0, 1.0].contains(&value),
            Self::Count
            | Self::LatestOf { .. }
            | Self::DistinctKinds
            | Self::DistinctDays
            | Self::Distinct(_)
            | Self::Incidents
            | Self::DaysSinceLast
            | Self::DaysSinceFirst
            | Self::DaysSinceChange(_)
            | Self::DaysOpen
            | Self::Age
            | Self::Members(..)
            | Self::Moves => value >= 0.0 && value.fract() == 0.0,
        }
    }

    /// A measure whose values are mostly small with a long tail, so that the step from 0 to 1 says more
    /// than the step from 10 to 11. Models read these on a logarithmic scale.
    #[must_use]
    pub fn is_long_tailed(&self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::Sum
                | Self::Max
                | Self::Min
                | Self::DistinctKinds
                | Self::Incidents
                | Self::DistinctDays
                | Self::Distinct(_)
                | Self::DaysOpen
                | Self::Moves
        )
    }

    /// Whether the measure is of the as-of date alone, without a window.
    pub(super) fn is_of_the_date(&self) -> bool {
        matches!(self, Self::PresentNow | Self::Age | Self::Members(..))
    }

    /// Whether it is read from the lists of people and of households.
    pub(crate) fn is_of_people(&self) -> bool {
        matches!(self, Self::Age | Self::Members(..) | Self::Moves)
    }

    /// The category that it reads, if it reads one.
    pub(crate) fn category(&self) -> Option<&str> {
        match self {
            Self::Distinct(category)
            | Self::DaysSinceChange(category)
            | Self::LatestIs { category, .. }
            | Self::LatestOf { category, .. } => Some(category),
            _ => None,
        }
    }

    pub(crate) fn needs_value(&self) -> bool {
        matches!(
            self,
            Self::Sum | Self::Mean | Self::Max | Self::Min | Self::Share | Self::Latest | Self::Slope
        )
    }

    pub(super) fn unit(&self) -> &'static str {
        match self {
            Self::Count | Self::Change => "records",
            Self::Any | Self::PresentNow | Self::LatestIs { .. } => "yes or no",
            Self::Sum | Self::Mean | Self::Max | Self::Min | Self::Latest | Self::LatestOf { .. } => "value",
            Self::Share => "%",
            Self::Slope => "per 30 days",
            Self::DistinctKinds => "kinds",
            Self::Incidents => "incidents",
            Self::Distinct(_) => "different values",
            Self::DistinctDays
            | Self::DaysSinceLast
            | Self::DaysSinceFirst
            | Self::DaysSinceChange(_)
            | Self::DaysOpen => "days",
            Self::Age => "years",
            Self::Members(..) => "people",
            Self::Moves => "moves",
        }
    }

    /// The short word used in names.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Count => "count".into(),
            Self::Any => "any".into(),
            Self::Sum => "sum".into(),
            Self::Mean => "mean".into(),
            Self::Max => "max".into(),
            Self::Min => "min".into(),
            Self::Share => "share".into(),
            Self::Latest => "latest".into(),
            Self::Slope => "slope".into(),
            Self::LatestIs { category, value } => format!("latest_{category}_{}", slug(value)),
            Self::LatestOf { category, .. } => format!("latest_{category}"),
            Self::DistinctKinds => "distinct_kinds".into(),
            Self::DistinctDays => "distinct_days".into(),
            Self::Incidents => "incidents".into(),
            Self::Distinct(category) => format!("distinct_{category}"),
            Self::DaysSinceLast => "days_since_last".into(),
            Self::DaysSinceFirst => "days_since_first".into(),
            Self::DaysSinceChange(category) => format!("days_since_change_of_{category}"),
            Self::DaysOpen => "days_open".into(),
            Self::Change => "change".into(),
            Self::PresentNow => "now".into(),
            Self::Age => "age".into(),
            Self::Members(from, to) => format!("members_{from}_to_{to}"),
            Self::Moves => "moves".into(),
        }
    }
}

/// Whose records a feature reads. The two are never added up: what the others in a household did is
/// shown as theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[non_exhaustive]
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
    /// What the records are called in sentences; made from the label where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<Noun>,
    /// The sentence, where it is not the measure's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Say>,
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
            noun: None,
            say: None,
        };
        feature.name = name_of(&feature, None);
        feature.label = label_of(&feature, None);
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

    /// What one of its records is called, and several.
    #[must_use]
    pub fn noun(mut self, one: impl Into<String>, many: impl Into<String>) -> Self {
        self.noun = Some(Noun { one: one.into(), many: many.into() });
        self
    }

    /// Its sentence, in other words than the measure's own.
    #[must_use]
    pub fn say(mut self, say: Say) -> Self {
        self.say = Some(say);
        self
    }

    /// The same of the other household members' records.
    #[must_use]
    pub fn of_household(mut self) -> Self {
        self.scope = Scope::Household;
        self.name = name_of(&self, None);
        self.label = label_of(&self, None);
        self
    }

    /// How many people of these ages, in whole years, live in the household.
    #[must_use]
    pub fn members(youngest: u8, oldest: u8) -> Self {
        Self::new(Selector::source(PEOPLE), Measure::Members(youngest, oldest), Lookback::Ever)
    }

    /// How often the person came into another household.
    #[must_use]
    pub fn moves(over: Lookback) -> Self {
        Self::new(Selector::source(PEOPLE), Measure::Moves, over)
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        let wrong =
            |why: &str| Err(SpecError::Invalid { of: format!("feature {}", self.name), why: why.to_owned() });
        if self.name.trim().is_empty() || self.label.trim().is_empty() {
            return wrong("a feature needs a name and a label that people can read");
        }
        if let Err(error) = self.over.check() {
            return wrong(&error.to_string());
        }
        if self.why.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return wrong("its reason (`why`) is blank: write one, or leave the key out");
        }
        if let Some(Noun { one, many }) = &self.noun
            && (one.trim().is_empty() || many.trim().is_empty())
        {
            return wrong("its records have no name (`noun`): write what one of them is called, and several");
        }
        if let Some(say) = &self.say {
            say.check().or_else(|why| wrong(&why))?;
        }
        if self.measure.is_of_people() != (self.records.source == PEOPLE) {
            return wrong("age, members and moves are read from \"people\", and nothing else is");
        }
        if let Measure::Members(youngest, oldest) = self.measure
            && youngest > oldest
        {
            return wrong("the ages of members go from the lower to the higher: members = [0, 17]");
        }
        if let Some(codes) = self.measure.codes() {
            self.check_codes(codes)?;
        }
        if self.measure == Measure::Change && self.over == Lookback::Ever {
            return wrong("a change needs a window of a stated length, not \"ever\"");
        }
        if self.measure.is_of_people() && self.scope == Scope::Household {
            return wrong("age, members and moves are the person's own; drop the household scope");
        }
        Ok(())
    }
}

impl Feature {
    fn check_codes(&self, codes: &[String]) -> Result<(), SpecError> {
        let wrong = |why: String| Err(SpecError::Invalid { of: format!("feature {}", self.name), why });
        if codes.is_empty() || codes.len() > Measure::MOST_CODES {
            return wrong(format!("it needs 1 to {} codes, and has {}", Measure::MOST_CODES, codes.len()));
        }
        let mut told = std::collections::BTreeSet::new();
        if codes.iter().any(|code| code.trim().is_empty() || !told.insert(code)) {
            return wrong("one of its codes is blank, or stands twice".to_owned());
        }
        if self.direction != Direction::None {
            return wrong(
                "codes have no order, so the risk cannot rise or fall with them; leave `direction` out"
                    .to_owned(),
            );
        }
        if self.need.is_some() {
            return wrong(
                "which of its codes speaks for a need cannot be told; name it with `latest_is`".to_owned(),
            );
        }
        Ok(())
    }

    /// The label without the words for what is computed, how far back and of whom: what its records are.
    pub(crate) fn stem(&self) -> &str {
        let computed = label_of(self, Some(""));
        self.label.strip_suffix(&computed).filter(|stem| !stem.is_empty()).unwrap_or(&self.label)
    }

    /// What a number of this feature stands for, where its numbers are codes; `None` where they are not, or for an absence.
    pub(crate) fn code(&self, cell: Cell) -> Option<&str> {
        let codes = self.measure.codes()?;
        Some(codes.get(cell.value()? as usize).map_or(NEW_CODE, String::as_str))
    }
}

/// What is said of a code that is not among those of the feature. Training refuses records with such a code.
pub(crate) const NEW_CODE: &str = "a code that training did not know";

/// `police_incident_victim_count_365d_household`.
pub(super) fn name_of(feature: &Feature, stem: Option<&str>) -> String {
    let mut parts = Vec::new();
    if let Some(stem) = stem {
        parts.push(stem.to_owned());
    } else if feature.records.source != PEOPLE {
        let records = &feature.records;
        if records.kinds.is_empty() {
            parts.push(records.source.clone());
        }
        parts.extend(records.kinds.iter().cloned());
        parts.extend(records.roles.iter().map(|role| role.name().to_owned()));
        parts.extend(records.categories.values().flatten().map(|value| slug(value)));
    }
    // What is read from the list of people is not computed from anything else that would go before.
    if stem.is_none() || feature.records.source != PEOPLE {
        parts.push(feature.measure.word());
    }
    match feature.over {
        _ if feature.measure.is_of_the_date() => {}
        Lookback::Days(n) => parts.push(format!("{n}d")),
        Lookback::Months(n) => parts.push(format!("{n}m")),
        Lookback::Ever => parts.push("ever".to_owned()),
    }
    if feature.scope == Scope::Household {
        parts.push("household".to_owned());
    }
    parts.join("_")
}

fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// `Police incident as victim: number in the last 12 months (others in the household)`.
pub(super) fn label_of(feature: &Feature, what: Option<&str>) -> String {
    let mut label = match (&feature.measure, what) {
        (_, Some(what)) => what.to_owned(),
        (Measure::Age, _) => "Age".to_owned(),
        (Measure::Members(from, to), _) => format!("People in the household aged {from} to {to}"),
        (Measure::Moves, _) => "Moves into another household".to_owned(),
        _ => words_of(&feature.records),
    };
    let computed = match &feature.measure {
        Measure::Count => ": how many",
        Measure::Any => ": any",
        Measure::Sum => ": total",
        Measure::Mean => ": average",
        Measure::Max => ": highest",
        Measure::Min => ": lowest",
        Measure::Share => ": share",
        Measure::Latest => ": latest",
        Measure::Slope => ": rise in 30 days",
        Measure::LatestIs { category, value } => {
            &format!(": latest {} is {value}", category.replace('_', " "))
        }
        Measure::LatestOf { category, .. } => &format!(": latest {}", category.replace('_', " ")),
        Measure::DistinctKinds => ": how many different kinds",
        Measure::Distinct(_) => ": how many different ones",
        Measure::DistinctDays => ": on how many days",
        Measure::Incidents => ": how many incidents",
        Measure::DaysSinceLast => ": days since the last one",
        Measure::DaysSinceFirst => ": days since the first one",
        Measure::DaysSinceChange(category) => {
            &format!(": days since a change of {}", category.replace('_', " "))
        }
        Measure::DaysOpen => ": days open",
        Measure::Change => ": change against the time before",
        Measure::PresentNow => ": at the date",
        Measure::Age | Measure::Members(..) | Measure::Moves => "",
    };
    label.push_str(computed);
    match feature.over {
        _ if feature.measure.is_of_the_date() => {}
        Lookback::Days(n) => label.push_str(&format!(", last {n} days")),
        Lookback::Months(n) => label.push_str(&format!(", last {n} months")),
        Lookback::Ever => label.push_str(", ever"),
    }
    if feature.scope == Scope::Household {
        label.push_str(" (others in the household)");
    }
    label
}

fn words_of(records: &Selector) -> String {
    let plain = |name: &str| name.replace('_', " ");
    let mut words = if records.kinds.is_empty() {
        plain(&records.source)
    } else {
        records.kinds.iter().map(|kind| plain(kind)).collect::<Vec<_>>().join(" or ")
    };
    if !records.roles.is_empty() {
        let roles: Vec<&str> = records.roles.iter().map(|role| role.name()).collect();
        words.push_str(&format!(" as {}", roles.join(" or ")));
    }
    for (column, values) in &records.categories {
        words.push_str(&format!(" ({} {})", plain(column), values.join(" or ")));
    }
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
