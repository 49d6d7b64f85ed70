//! The rules that a cohort is held against, and how many each left out.

use serde::{Deserialize, Serialize};

use super::CohortSpec;
use crate::error::SpecError;
use crate::records::{Gone, Records, Rows, Selection, Selector, Snapshot, open_on};

/// That there is no such record in so many days before the date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NoneWithin {
    /// The records.
    pub records: Selector,
    /// How many days before the date, 1 or more. The source has to cover them: its silence tells nothing else.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 36_525)))]
    pub days: u32,
}

impl NoneWithin {
    /// The records, and the first of the days.
    fn resolve(&self, snapshot: &Snapshot<'_>) -> Result<(Selection, i32), SpecError> {
        let wrong = |why: String| Err(SpecError::Invalid { of: NONE_WITHIN_RULE.to_owned(), why });
        let selection = self.records.resolve(snapshot.records(), NONE_WITHIN_RULE)?;
        let Some(days) = i32::try_from(self.days).ok().filter(|days| (1..=36_525).contains(days)) else {
            return wrong("`days` is a number of days from 1 to 36,525 (a hundred years)".to_owned());
        };
        let source = snapshot.records().source_at(selection.source);
        let start = snapshot.as_of().day().epoch_days() - days;
        let begins = source.begins_by(snapshot.as_of());
        if source.is_fresh(snapshot.as_of()) && begins.is_some_and(|from| from <= start) {
            Ok((selection, start))
        } else {
            wrong(format!(
                "source {} does not cover the {days} days before {}, so that its silence says nothing; ask about fewer days, \
                 or bring it up to date",
                source.name,
                snapshot.as_of()
            ))
        }
    }
}

pub(super) const NONE_WITHIN_RULE: &str = "cohort rule `none_within`";
pub(super) const OWN_DAY_RULE: &str = "cohort rule `own_day`";
pub(super) const LATEST_RULE: &str = "cohort rule `latest`";
pub(super) const OPEN_RULE: &str = "cohort rule `open`";
pub(super) const NOT_OPEN_RULE: &str = "cohort rule `not_open`";

/// Records that a rule asks for, and where they are.
struct Chosen<'r> {
    selection: Selection,
    events: Rows<'r>,
}

impl<'r> Chosen<'r> {
    fn of(selection: Selection, records: &'r Records) -> Self {
        let events = records.source_at(selection.source).events();
        Self { selection, events }
    }

    fn has(&self, row: usize) -> bool {
        self.selection.matches(&self.events, row)
    }
}

fn resolve_episodes<'r>(
    selectors: &[Selector],
    snapshot: &'r Snapshot<'_>,
    of: &str,
) -> Result<Vec<Chosen<'r>>, SpecError> {
    selectors
        .iter()
        .map(|selector| {
            let selection = selector.resolve(snapshot.records(), of)?;
            let source = snapshot.records().source_at(selection.source);
            if source.shape().has_episodes {
                Ok(Chosen::of(selection, snapshot.records()))
            } else {
                let why = format!(
                    "source {} holds no episodes; name the column of their ends in its mapping",
                    source.name
                );
                Err(SpecError::Invalid { of: of.to_owned(), why })
            }
        })
        .collect()
}

pub(super) struct Rules<'a, 'r> {
    ages: Option<(u8, u8)>,
    open: Vec<Chosen<'a>>,
    not_open: Vec<Chosen<'a>>,
    none_within: Vec<(Chosen<'a>, i32)>,
    latest: Vec<Chosen<'a>>,
    snapshot: &'a Snapshot<'r>,
}

impl<'a, 'r> Rules<'a, 'r> {
    pub(super) fn of(spec: &CohortSpec, snapshot: &'a Snapshot<'r>) -> Result<Self, SpecError> {
        let records = snapshot.records();
        let latest = spec.latest.iter().map(|selector| {
            selector.resolve(records, LATEST_RULE).map(|selection| Chosen::of(selection, records))
        });
        let none_within = spec.none_within.iter().map(|rule| {
            rule.resolve(snapshot).map(|(selection, start)| (Chosen::of(selection, records), start))
        });
        Ok(Self {
            ages: spec.ages,
            open: resolve_episodes(&spec.open, snapshot, OPEN_RULE)?,
            not_open: resolve_episodes(&spec.not_open, snapshot, NOT_OPEN_RULE)?,
            none_within: none_within.collect::<Result<_, _>>()?,
            latest: latest.collect::<Result<_, _>>()?,
            snapshot,
        })
    }

    pub(super) fn passes(&self, people: &[u32], left_out: &mut LeftOut) -> bool {
        if are_gone(people, self.snapshot, left_out) {
            return false;
        }
        let is_here = |person: u32| self.snapshot.gone(person).is_none();
        let here: Vec<u32>;
        let people = if people.iter().all(|&person| is_here(person)) {
            people
        } else {
            here = people.iter().copied().filter(|&person| is_here(person)).collect();
            &here
        };
        if let Some((youngest, oldest)) = self.ages {
            let mut known = false;
            let fits = people.iter().any(|&person| {
                self.snapshot.age(person).is_some_and(|age| {
                    known = true;
                    (i32::from(youngest)..=i32::from(oldest)).contains(&age)
                })
            });
            if !fits {
                *(if known { &mut left_out.age } else { &mut left_out.age_unknown }) += 1;
                return false;
            }
        }
        if !self.open.iter().all(|chosen| people.iter().any(|&p| self.is_open(chosen, p))) {
            left_out.not_open += 1;
            return false;
        }
        if self.not_open.iter().any(|chosen| people.iter().any(|&p| self.is_open(chosen, p))) {
            left_out.already_open += 1;
            return false;
        }
        if self.none_within.iter().any(|(chosen, start)| people.iter().any(|&p| self.has(chosen, *start, p)))
        {
            left_out.has_record += 1;
            return false;
        }
        if !self.latest.iter().all(|chosen| people.iter().any(|&p| self.ends_with(chosen, p))) {
            left_out.other_latest += 1;
            return false;
        }
        true
    }

    /// Whether the person has such a record from `start` on and before the date.
    fn has(&self, chosen: &Chosen<'_>, start: i32, person: u32) -> bool {
        let (events, as_of) = (&*chosen.events, self.snapshot.as_of());
        let days = start..as_of.day().epoch_days();
        events.visible(person, as_of).any(|row| days.contains(&events.occurred[row]) && chosen.has(row))
    }

    /// Whether the person's last record of the source is such a one.
    fn ends_with(&self, chosen: &Chosen<'_>, person: u32) -> bool {
        let (events, as_of) = (&*chosen.events, self.snapshot.as_of());
        let mut past = events
            .visible(person, as_of)
            .rev()
            .filter(|&row| events.occurred[row] < as_of.day().epoch_days());
        past.next().is_some_and(|row| chosen.has(row))
    }

    fn is_open(&self, chosen: &Chosen<'_>, person: u32) -> bool {
        let (events, as_of) = (&*chosen.events, self.snapshot.as_of());
        events.visible(person, as_of).any(|row| {
            events
                .ended(row, as_of)
                .is_some_and(|end| open_on(as_of.day().epoch_days(), events.occurred[row], end))
                && chosen.has(row)
        })
    }
}

/// Whether all these people are known to have died or left; if so, they are counted.
pub(super) fn are_gone(people: &[u32], snapshot: &Snapshot<'_>, left_out: &mut LeftOut) -> bool {
    let gone: Vec<Gone> = people.iter().map_while(|&person| snapshot.gone(person)).collect();
    let all = !people.is_empty() && gone.len() == people.len();
    if all {
        let died = gone.iter().all(|&gone| gone == Gone::Died);
        *(if died { &mut left_out.died } else { &mut left_out.left }) += 1;
    }
    all
}

/// How many were left out, by the first rule they did not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Known to have died; a family, if all its members have.
    #[serde(default)]
    pub died: u64,
    /// Known to have left; a family, if all its members have left or died.
    #[serde(default)]
    pub left: u64,
    /// Of another age.
    pub age: u64,
    /// Of unknown age.
    pub age_unknown: u64,
    /// Without an episode that had to be open.
    pub not_open: u64,
    /// With an episode that had not to be open.
    pub already_open: u64,
    /// With a record that had not to be there lately.
    #[serde(default)]
    pub has_record: u64,
    /// Whose last record had to be another, or is none.
    #[serde(default)]
    pub other_latest: u64,
    /// Whose own day did not fall in the span up to the date.
    #[serde(default)]
    pub no_own_day: u64,
}

impl LeftOut {
    /// Each rule in words, with how many it left out; rules that left out nobody are not named.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::cohort::LeftOut;
    ///
    /// let mut left_out = LeftOut::default();
    /// (left_out.died, left_out.age) = (12, 340);
    /// let by_rule: Vec<(&str, u64)> = left_out.by_rule().collect();
    /// assert_eq!(by_rule, [("had died", 12), ("of another age", 340)]);
    /// ```
    pub fn by_rule(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("had died", self.died),
            ("had left", self.left),
            ("of another age", self.age),
            ("of unknown age", self.age_unknown),
            ("without the open episode that is asked for", self.not_open),
            ("with an open episode that rules them out", self.already_open),
            ("with a recent record where there is to be none", self.has_record),
            ("with another last record", self.other_latest),
            ("not due, by the day of their own", self.no_own_day),
        ]
        .into_iter()
        .filter(|&(_, count)| count > 0)
    }
}

/// Why a person or family is in no cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotInCohort {
    /// The records hold nobody of that id.
    NotInRecords,
    /// A rule leaves them out: the first that they do not pass, in words.
    LeftOut(&'static str),
}

impl NotInCohort {
    /// The reason as a sentence.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::cohort::NotInCohort;
    ///
    /// let why = NotInCohort::LeftOut("of another age");
    /// assert_eq!(why.words(), "Not among those whom the model is for: of another age.");
    /// ```
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::NotInRecords => "The records hold nobody of that id.".to_owned(),
            Self::LeftOut(rule) => format!("Not among those whom the model is for: {rule}."),
        }
    }
}
