//! Which column of an extract means what.

use serde::{Deserialize, Serialize};

use super::file_name::FilePattern;
use super::kind::Kind;
use crate::calendar::{AsOf, Day};
use crate::error::RecordsError;

/// How one source of dated records is read: its columns, and what it covers.
///
/// A source is one service's extract. Every feature reads exactly one source, so that its coverage
/// and its freshness can be told.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Known, SourceMapping};
///
/// let police = SourceMapping::new("police", "person_id", "police_incident", "occurred")
///     .known(Known::Column("recorded".into()))
///     .role("role")
///     .reference("record_id");
/// assert_eq!(police.name, "police");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMapping {
    /// The name features refer to.
    pub name: String,
    /// The columns.
    pub columns: EventColumns,
    /// The period, ages and people for which an absent record means "it did not happen".
    #[serde(default)]
    pub coverage: Coverage,
}

/// The columns of a source of dated records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventColumns {
    /// The person (or family) the record is about: one column, or several that make one id together
    /// (joined by `/`).
    #[serde(with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOrMany<String>"))]
    pub entity: Vec<String>,
    /// The system whose ids they are, by its name in the tables of identities. Without it they are people's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What kind of event it is.
    pub kind: Kind,
    /// The day it happened, or an episode began.
    pub occurred: String,
    /// The day an episode ended; empty while it is open. Only for sources of episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// For how many days an episode lasts, where no column says when it ended; 1 or more. The end is known with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub lasts_days: Option<u32>,
    /// The day it became known to the council.
    #[serde(default)]
    pub known: Known,
    /// The day an episode's end became known. Where it is not given: with a lag, the end plus that lag;
    /// with a column, the later of the end and of that column's day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_known: Option<String>,
    /// A number, for instance pounds of arrears. Kept in single precision (seven digits): rows of which that makes
    /// another number, by a half or more, are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The number that the value is a part of: the sessions possible, where the value is the sessions missed. What the
    /// measure `share` divides by. A row whose value is below 0 or above this number is rejected: one of the two is wrong,
    /// and nobody can tell which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The person's part in it: subject, victim, suspect or witness. Subject where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The source's own reference of the record. What becomes of one that stands more than once, `repeated` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The incident that the record is about, where one is recorded for several people: what the measure `incidents`
    /// counts. A record without one counts as an incident of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What a reference means that stands more than once about one person.
    #[serde(default, skip_serializing_if = "Repeated::is_default")]
    pub repeated: Repeated,
    /// What becomes of rows without a reference that are the same in everything.
    #[serde(default, skip_serializing_if = "Duplicates::is_default")]
    pub duplicates: Duplicates,
    /// How sure the linkage is that the record is this person's, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_probability: Option<String>,
    /// A row with a lower link probability is rejected. The default, 0.9: a wrong link harms two
    /// families, the one that is shown another's records and the one whose records are lost, so a link
    /// has to be much likelier right than wrong.
    #[serde(default = "default_minimum_link", skip_serializing_if = "is_default_minimum_link")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub minimum_link: f64,
    /// Further columns to keep as categories, for selecting records or counting distinct ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

impl EventColumns {
    /// The columns whose content features can read: kind, value, what it is a part of, role and categories.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &str> + Clone {
        let kind = match &self.kind {
            Kind::Column(column) => Some(column),
            Kind::Constant(_) | Kind::FileName(_) | Kind::ByDates(_) => None,
        };
        let numbers = self.value.iter().chain(&self.of);
        kind.into_iter().chain(numbers).chain(&self.role).chain(&self.categories).map(String::as_str)
    }
}

/// See [`EventColumns::minimum_link`].
pub(super) const MINIMUM_LINK: f64 = 0.9;

fn default_minimum_link() -> f64 {
    MINIMUM_LINK
}

#[allow(
    clippy::float_cmp,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's signature; an exact default"
)]
fn is_default_minimum_link(value: &f64) -> bool {
    *value == default_minimum_link()
}

/// What a reference means that stands more than once about one person, as it does where monthly or yearly returns are
/// put on top of each other. About two people it is a reject either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repeated {
    /// Each row is a state of the record, from the day it became known until the next one did: an episode that a later
    /// return closes is open before it and closed from it on. Rows that say the same are one.
    #[default]
    Latest,
    /// Only the row that became known first is used; the others are rejects.
    Reject,
}

/// What becomes of rows without a reference that are the same in everything. Nobody can tell whether a thing happened twice
/// or was written twice, so it is counted and said either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Duplicates {
    /// Each is used: two notices of one day may be two.
    #[default]
    Keep,
    /// One is used, the others are rejects.
    Drop,
}

impl Repeated {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Duplicates {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the day comes from on which a record became known. It is not the day it happened: absence
/// reaches a council a term in arrears, and a model that reads it earlier sees the future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// A column says it.
    Column(String),
    /// So many days after it happened. Negative for a register that is kept ahead of time.
    LagDays(i32),
    /// The name of the file says it: a monthly return is known from the day on its name, whatever its rows say.
    FileName(FilePattern),
}

impl Default for Known {
    /// Known on the day it happened, and so seen from the day after.
    fn default() -> Self {
        Self::LagDays(0)
    }
}

/// For when and for whom a source's silence means "nothing happened".
///
/// Outside it a feature is *not covered*: neither zero nor missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The first day the source holds. A look-back that begins earlier is not covered. Without it: the first day
    /// on which anything happened of what was known at the as-of date, since silence from before any record says
    /// nothing. State it: one old record makes a source look older than it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last day the source holds. Without it, the source is taken as complete up to any date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// The day the extract was made. Shown as freshness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Day>,
    /// How many days before an as-of date `to` may lie for the source still to count as covering it.
    /// The default, 35: a monthly extract that is a few days late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_days: Option<u32>,
    /// The ages, in whole years at the as-of date, that the source covers (both ends included).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ages: Option<(u8, u8)>,
    /// Another source, of episodes: only people with an episode there within the look-back are covered
    /// (a school roll says whose absence could be recorded at all).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<String>,
}

impl Coverage {
    /// [`Coverage::stale_after_days`] where the project does not say.
    pub const STALE_AFTER_DAYS: u32 = 35;

    /// Whether the source reaches close enough to a date.
    pub(crate) fn is_fresh(&self, as_of: AsOf) -> bool {
        let allowed = self.stale_after_days.unwrap_or(Self::STALE_AFTER_DAYS);
        let last_needed = as_of.day() - 1 - i32::try_from(allowed).unwrap_or(i32::MAX);
        self.to.is_none_or(|to| to >= last_needed)
    }
}

impl SourceMapping {
    /// A source of events of one kind, known on the day they happened.
    pub fn new(
        name: impl Into<String>,
        entity: impl Into<String>,
        kind: impl Into<String>,
        occurred: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            columns: EventColumns {
                entity: vec![entity.into()],
                system: None,
                kind: Kind::Constant(kind.into()),
                occurred: occurred.into(),
                ended: None,
                lasts_days: None,
                known: Known::default(),
                ended_known: None,
                value: None,
                of: None,
                role: None,
                reference: None,
                incident: None,
                repeated: Repeated::default(),
                duplicates: Duplicates::default(),
                link_probability: None,
                minimum_link: default_minimum_link(),
                categories: Vec::new(),
            },
            coverage: Coverage::default(),
        }
    }

    /// The columns that make the entity's id together.
    #[must_use]
    pub fn entity<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns.entity = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The system whose ids the entity's are: see [`Identities`](super::Identities).
    #[must_use]
    pub fn system(mut self, name: impl Into<String>) -> Self {
        self.columns.system = Some(name.into());
        self
    }

    /// The column that says the kind.
    #[must_use]
    pub fn kind_column(mut self, column: impl Into<String>) -> Self {
        self.columns.kind = Kind::Column(column.into());
        self
    }

    /// The kind as the name of the file says it.
    #[must_use]
    pub fn kind_of_file(self, pattern: FilePattern) -> Self {
        self.kind_of(Kind::FileName(pattern))
    }

    /// Where the kind comes from.
    #[must_use]
    pub fn kind_of(mut self, kind: Kind) -> Self {
        self.columns.kind = kind;
        self
    }

    /// The column of an episode's end.
    #[must_use]
    pub fn ended(mut self, column: impl Into<String>) -> Self {
        self.columns.ended = Some(column.into());
        self
    }

    /// For how many days an episode lasts, where no column says when it ended.
    #[must_use]
    pub fn lasts_days(mut self, days: u32) -> Self {
        self.columns.lasts_days = Some(days);
        self
    }

    /// When a record became known.
    #[must_use]
    pub fn known(mut self, known: Known) -> Self {
        self.columns.known = known;
        self
    }

    /// The column that says when an episode's end became known.
    #[must_use]
    pub fn ended_known(mut self, column: impl Into<String>) -> Self {
        self.columns.ended_known = Some(column.into());
        self
    }

    /// The column of a number.
    #[must_use]
    pub fn value(mut self, column: impl Into<String>) -> Self {
        self.columns.value = Some(column.into());
        self
    }

    /// The column of the number that the value is a part of: see [`EventColumns::of`].
    #[must_use]
    pub fn of(mut self, column: impl Into<String>) -> Self {
        self.columns.of = Some(column.into());
        self
    }

    /// The column of the person's role.
    #[must_use]
    pub fn role(mut self, column: impl Into<String>) -> Self {
        self.columns.role = Some(column.into());
        self
    }

    /// The column of the record's own reference.
    #[must_use]
    pub fn reference(mut self, column: impl Into<String>) -> Self {
        self.columns.reference = Some(column.into());
        self
    }

    /// The column of the incident that a record is about.
    #[must_use]
    pub fn incident(mut self, column: impl Into<String>) -> Self {
        self.columns.incident = Some(column.into());
        self
    }

    /// What a reference means that stands more than once.
    #[must_use]
    pub fn repeated(mut self, repeated: Repeated) -> Self {
        self.columns.repeated = repeated;
        self
    }

    /// What becomes of rows that are the same in everything.
    #[must_use]
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.columns.duplicates = duplicates;
        self
    }

    /// The column of the link probability, and the least that is accepted.
    #[must_use]
    pub fn link_probability(mut self, column: impl Into<String>, minimum: f64) -> Self {
        self.columns.link_probability = Some(column.into());
        self.columns.minimum_link = minimum;
        self
    }

    /// A further column to keep as a category.
    #[must_use]
    pub fn category(mut self, column: impl Into<String>) -> Self {
        self.columns.categories.push(column.into());
        self
    }

    /// What the source covers.
    #[must_use]
    pub fn coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// Refuses a mapping that contradicts itself.
    pub(super) fn check(&self) -> Result<(), RecordsError> {
        let wrong =
            |why: &str| Err(RecordsError::Mapping { extract: self.name.clone(), why: why.to_owned() });
        let columns = &self.columns;
        if self.name.is_empty() || self.name.trim() != self.name {
            return wrong("the name of a source needs letters, and no blank before or after them");
        }
        if columns.entity.is_empty() {
            return wrong("no entity column is named");
        }
        if let Known::FileName(pattern) = &columns.known
            && !pattern.has_day()
        {
            return wrong("`known` is to come from the file's name, and the pattern names no date ({yyyy})");
        }
        if let Kind::FileName(pattern) = &columns.kind
            && !pattern.has_kind()
        {
            return wrong(
                "`kind` is to come from the file's name, and the pattern does not name it ({kind})",
            );
        }
        if let Kind::ByDates(by) = &columns.kind {
            let known = match &columns.known {
                Known::Column(column) => Some(column.as_str()),
                Known::LagDays(_) | Known::FileName(_) => None,
            };
            if let Some(why) = by.fault([Some(&columns.occurred), known]) {
                return wrong(why);
            }
        }
        if columns.lasts_days.is_some() && columns.ended.is_some() {
            return wrong("both `ended` and `lasts_days` are given; leave one out");
        }
        if columns.lasts_days.is_some_and(|days| !(1..=36_525).contains(&days)) {
            return wrong("`lasts_days` is a number of days from 1 to 36,525 (a hundred years)");
        }
        if columns.ended_known.is_some() && columns.ended.is_none() {
            return wrong("ended_known is given without ended");
        }
        if columns.of.is_some() && columns.value.is_none() {
            return wrong("`of` is given without the value that is a part of it");
        }
        if columns.of.is_some() && columns.of == columns.value {
            return wrong("`of` and `value` are one column: every share would be all of it");
        }
        if !(0.0..=1.0).contains(&columns.minimum_link) {
            return wrong("minimum_link must lie between 0 and 1");
        }
        if let (Some(from), Some(to)) = (self.coverage.from, self.coverage.to)
            && to < from
        {
            return wrong("its coverage ends before it begins");
        }
        if self.coverage.ages.is_some_and(|(youngest, oldest)| oldest < youngest) {
            return wrong("its coverage's ages are the wrong way round");
        }
        Ok(())
    }
}

/// The columns of the list of people.
///
/// With a list of people, a record about anybody else is rejected; without one, people are those that
/// the records name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PeopleColumns {
    /// The person's pseudonymous id: one column, or several joined by `/`.
    #[serde(with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOrMany<String>"))]
    pub person: Vec<String>,
    /// The system whose ids they are, by its name in the tables of identities. Without it they are people's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The date of birth. An unknown day stands as the 15th, by the convention of the records; a text that
    /// gives only the month is read so. Empty where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The day of death. Once it is known (the day after), the person is in no cohort. Empty while they live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
    /// The day on which the person left for good, as by a move out of the area: the same. Empty while they are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// The columns of the list of who belonged to which household or family, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HouseholdColumns {
    /// The person: one column, or several joined by `/`.
    #[serde(with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOrMany<String>"))]
    pub person: Vec<String>,
    /// The system whose ids the people's are, by its name in the tables of identities. Without it they are people's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The household or family.
    pub household: String,
    /// The first day. Without the column, or where it is empty, there is no beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The day after the last. Empty while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// How many days after a move the council knows of it.
    #[serde(default)]
    pub lag_days: i32,
}

/// One thing, or a list of several.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "OneOrMany{T}"))]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

/// Reads `"id"` and `["module", "id"]` alike.
pub(crate) mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::OneOrMany;

    pub fn serialize<T: Serialize, S: Serializer>(items: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        match items {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(item) => vec![item],
            OneOrMany::Many(items) => items,
        })
    }
}
