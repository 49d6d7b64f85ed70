//! What followed: the event a model is asked to foresee, and who cannot be said to have had it or not.

use serde::{Deserialize, Serialize};

use crate::calendar::{AsOf, Day, Horizon};
use crate::cohort::Cohort;
use crate::error::SpecError;
use crate::records::{Coverage, EventTable, OPEN, Records, Rows, Selection, Selector};

/// The outcome: any of some records within a horizon after the date.
///
/// It reads what *happened* from the as-of date on, however late it became known; features read what
/// was *known* before it. The two never meet.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Horizon;
/// use earlyhelp::outcome::OutcomeSpec;
/// use earlyhelp::records::Selector;
///
/// let outcome = OutcomeSpec::any(
///     "plan_within_a_year",
///     "A child-in-need or protection plan begins within 12 months",
///     [Selector::source("plans").kind("cin_episode").kind("cp_plan")],
///     Horizon::Months(12),
/// );
/// assert_eq!(outcome.horizon.to_string(), "12 months");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    /// A short name.
    pub name: String,
    /// What it means, in plain words.
    pub words: String,
    /// The records that count as the outcome.
    pub records: Vec<Selector>,
    /// How far ahead it is looked for.
    pub horizon: Horizon,
    /// Any such record, or only the first that the person ever had.
    #[serde(default)]
    pub counts: Occurrence,
    /// When follow-up is taken to be complete.
    #[serde(default, skip_serializing_if = "FollowUp::is_whole")]
    pub follow_up: FollowUp,
    /// What the label does and does not measure, for the reader of a report.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub measures: String,
}

/// Which occurrence counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// Any within the horizon.
    #[default]
    Any,
    /// Only the first ever: whoever had one before the date is no longer at risk of it and is left out.
    First,
}

/// Until when a case is followed. A case whose follow-up ends early without the outcome is **censored**:
/// it is left out and counted, never taken for a negative.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FollowUp {
    /// A case is followed while an episode among these records lasts (resident, on roll).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub during: Option<Selector>,
    /// A case is followed until this birthday (of a family: its youngest member's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_age: Option<u8>,
}

impl FollowUp {
    fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// What followed for one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The outcome came about within the horizon.
    Positive,
    /// Followed over the whole horizon without it.
    Negative,
    /// Follow-up ended before the horizon did, without the outcome.
    FollowUpEnded,
    /// It had come about before the date, and only the first counts.
    AlreadyHappened,
}

impl Label {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Positive, Self::Negative, Self::FollowUpEnded, Self::AlreadyHappened];

    /// Its name, as files have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::FollowUpEnded => "follow_up_ended",
            Self::AlreadyHappened => "already_happened",
        }
    }

    /// Whether the outcome came about; `None` for a case of which that cannot be said.
    #[must_use]
    pub fn outcome(self) -> Option<bool> {
        match self {
            Self::Positive => Some(true),
            Self::Negative => Some(false),
            Self::FollowUpEnded | Self::AlreadyHappened => None,
        }
    }
}

impl OutcomeSpec {
    /// Any of these records within the horizon.
    pub fn any(
        name: impl Into<String>,
        words: impl Into<String>,
        records: impl IntoIterator<Item = Selector>,
        horizon: Horizon,
    ) -> Self {
        Self {
            name: name.into(),
            words: words.into(),
            records: records.into_iter().collect(),
            horizon,
            counts: Occurrence::Any,
            follow_up: FollowUp::default(),
            measures: String::new(),
        }
    }

    /// The label of every case of the cohort, in its order. The horizon begins on the day that the case is seen.
    ///
    /// # Errors
    /// [`SpecError::BeyondExtract`] and [`SpecError::BeforeExtract`] where the horizon reaches beyond what a source
    /// of the outcome covers, at its end or at its beginning;
    /// other [`SpecError`]s where a source or category is not there, or a source of the outcome does not say
    /// up to which day it is complete.
    pub fn labels(&self, cohort: &Cohort<'_>) -> Result<Vec<Label>, SpecError> {
        self.check()?;
        let of = format!("outcome {}", self.name);
        if let Some(days) = cohort.by_day() {
            let mut labels = vec![Label::Negative; cohort.len()];
            for day in &days {
                for (&row, label) in day.rows.iter().zip(self.labels(&day.cohort)?) {
                    labels[row as usize] = label;
                }
            }
            return Ok(labels);
        }
        let records = cohort.snapshot().records();
        let as_of = cohort.as_of();
        let selections = self
            .records
            .iter()
            .map(|selector| {
                let selection = selector.resolve(records, &of)?;
                self.check_reach_of(cohort, &selection)?;
                let events = records.source_at(selection.source).events();
                Ok((selection, events))
            })
            .collect::<Result<Vec<_>, SpecError>>()?;
        let during = match &self.follow_up.during {
            None => None,
            Some(selector) => {
                let selection = selector.resolve(records, &of)?;
                // Beyond the end of the register everybody on it would seem to be followed.
                self.check_reach_of(cohort, &selection)?;
                let events = records.source_at(selection.source).events();
                Some((selection, events))
            }
        };
        let from = as_of.day().epoch_days();
        let to = self.horizon.end(as_of).epoch_days();
        Ok((0..cohort.len())
            .map(|row| {
                let own = cohort.own(row);
                let days = |within: std::ops::Range<i32>| {
                    selections.iter().find_map(|(selection, events)| {
                        own.people().iter().find_map(|&person| happened(events, selection, person, &within))
                    })
                };
                if self.counts == Occurrence::First && days(i32::MIN..from).is_some() {
                    Label::AlreadyHappened
                } else if days(from..to).is_some() {
                    Label::Positive
                } else if self.followed_until(cohort, row, during.as_ref()) < to {
                    Label::FollowUpEnded
                } else {
                    Label::Negative
                }
            })
            .collect())
    }

    /// Whether it came about for somebody from a day on, as far as that was known on the cohort's date; false of whoever the
    /// records do not hold.
    pub(crate) fn came_about(
        &self,
        cohort: &Cohort<'_>,
        entity: &str,
        from: crate::calendar::Day,
    ) -> Result<bool, SpecError> {
        let records = cohort.snapshot().records();
        let people = cohort.people_of(entity);
        for selector in &self.records {
            let selection = selector.resolve(records, &format!("outcome {}", self.name))?;
            let events = &*records.source_at(selection.source).events();
            let has = |&person: &u32| {
                let mut rows = events.visible(person, cohort.as_of());
                rows.any(|row| events.occurred[row] >= from.epoch_days() && selection.matches(events, row))
            };
            if people.iter().any(has) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The choices of records that match none at all: nobody would have the outcome, or nobody be followed.
    pub(crate) fn faults(&self, records: &Records) -> Vec<SpecError> {
        let of = format!("outcome {}", self.name);
        self.selectors().filter_map(|selector| selector.check(records, &of).err()).collect()
    }

    /// The records that it reads: those that count, and those that say who is followed.
    pub(crate) fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.records.iter().chain(&self.follow_up.during)
    }

    /// Refuses an outcome of no records, or of a horizon that cannot be.
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        let wrong = |why: String| Err(SpecError::Invalid { of: format!("outcome {}", self.name), why });
        if self.records.is_empty() {
            return wrong("it names no records".to_owned());
        }
        self.horizon.check().or_else(|error| wrong(error.to_string()))
    }

    fn check_reach_of(&self, cohort: &Cohort<'_>, selection: &Selection) -> Result<(), SpecError> {
        let source = cohort.snapshot().records().source_at(selection.source);
        self.check_reach(cohort.as_of(), (&source.name, &source.coverage))
    }

    /// Refuses a source that does not cover the horizon from a date on, at its beginning or at its end.
    pub(crate) fn check_reach(
        &self,
        as_of: AsOf,
        (source_name, coverage): (&str, &Coverage),
    ) -> Result<(), SpecError> {
        let ends = self.horizon.end(as_of);
        if let Some(from) = coverage.from.filter(|&from| from > as_of.day()) {
            return Err(SpecError::BeforeExtract {
                outcome: self.name.clone(),
                as_of: as_of.to_string(),
                source_name: source_name.to_owned(),
                covered_from: from.to_string(),
            });
        }
        match coverage.to {
            Some(to) if to < ends - 1 => Err(SpecError::BeyondExtract {
                outcome: self.name.clone(),
                as_of: as_of.to_string(),
                ends: ends.to_string(),
                source_name: source_name.to_owned(),
                covered_to: to.to_string(),
            }),
            Some(_) => Ok(()),
            None => Err(SpecError::Invalid {
                of: format!("outcome {}", self.name),
                why: format!(
                    "source {source_name} does not say up to which day it is complete, so a missing record would be taken for a \
                     negative; give `to` in its coverage"
                ),
            }),
        }
    }

    /// The first day on which the case is followed no more.
    fn followed_until(&self, cohort: &Cohort<'_>, row: usize, during: Option<&(Selection, Rows<'_>)>) -> i32 {
        let own = cohort.own(row);
        let records = cohort.snapshot().records();
        let mut until = i32::MAX;
        if let Some(age) = self.follow_up.until_age {
            let born = own.people().iter().filter_map(|&p| records.the_people().born(p)).max();
            let birthday = |born: Day| born.plus_months(i32::from(age) * 12).epoch_days();
            until = born.map_or(i32::MAX, birthday);
        }
        if let Some((selection, events)) = during {
            let lasting = |person| lasts_until(events, selection, person, cohort.as_of());
            until = until.min(own.people().iter().map(|&person| lasting(person)).max().unwrap_or(i32::MIN));
        }
        until
    }
}

/// The day on which something first happened to a person within some days, known or not.
fn happened(
    events: &EventTable,
    selection: &Selection,
    person: u32,
    within: &std::ops::Range<i32>,
) -> Option<i32> {
    events
        .all(person)
        .find(|&row| within.contains(&events.occurred[row]) && selection.matches(events, row))
        .map(|row| events.occurred[row])
}

/// The end of the unbroken run of episodes that holds the date.
fn lasts_until(events: &EventTable, selection: &Selection, person: u32, as_of: AsOf) -> i32 {
    let mut until = as_of.day().epoch_days();
    let mut begun = false;
    for row in events.all(person).filter(|&row| selection.matches(events, row)) {
        let end = events.finally_ended(row).unwrap_or(OPEN);
        if events.occurred[row] <= until && (end > until || !begun) {
            begun |= end > as_of.day().epoch_days();
            until = until.max(end);
        }
    }
    if begun { until } else { i32::MIN }
}
