//! Who is asked about: chosen by rules from what was known on the date.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::calendar::{AsOf, Day, Lookback};
use crate::error::SpecError;
use crate::records::{Gone, NONE, Records, Selection, Selector, Snapshot, open_on};

/// What is scored: people one by one, or the households they live in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each person.
    #[default]
    Person,
    /// Each household as known at the date, with the records of all its members.
    Family,
}

/// The rules by which a cohort is chosen. Nobody is in it of whom the list of people says that they died or left, once that is
/// known ([`PeopleColumns`](crate::records::PeopleColumns)); of a family the rules look at the other members. A family
/// passes "ages", "open" and "latest" if a member does, and "not open" and "none within" if no member is open and none has
/// such a record.
///
/// # Examples
/// ```
/// use earlyhelp::cohort::CohortSpec;
/// use earlyhelp::records::Selector;
///
/// let rules = CohortSpec::default()
///     .ages(0, 16)
///     .not_open(Selector::source("plans"));
/// assert_eq!(rules.ages, Some((0, 16)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CohortSpec {
    /// People or families.
    pub unit: Unit,
    /// Ages in whole years at the date, both ends included. A person of unknown age does not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ages: Option<(u8, u8)>,
    /// An episode among these records is open at the date: enrolled, resident, registered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Selector>,
    /// No episode among these records is open at the date: not already known to that service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_open: Vec<Selector>,
    /// No such record lately: not looked at only a month ago.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub none_within: Vec<NoneWithin>,
    /// The last record of the source is such a one: the tenure is a council's, the placement a foster home.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latest: Vec<Selector>,
    /// Each case is seen on a day of its own, in place of the date: so many days after a referral, day 28 of a course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_day: Option<OwnDay>,
}

/// The day on which each case is seen: so many days after such a record, or the first day on which the record was known,
/// if that is later. The cohort of a date takes those whose day fell in a span up to the date, the date included, so
/// lists drawn a span apart take every such record once. A case with two such days in the span is seen on the later one.
///
/// Ages, the other rules, households, features and outcomes are all of the case's own day.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Lookback;
/// use earlyhelp::cohort::{CohortSpec, OwnDay};
/// use earlyhelp::records::{Extract, Records, Selector, SourceMapping};
/// use polars::df;
///
/// let referrals = df!("who" => ["a", "b", "c"], "on" => ["2024-03-01", "2024-03-20", "2024-01-05"])?;
/// let mapping = SourceMapping::new("referrals", "who", "referral", "on");
/// let records = Records::builder().source(mapping, Extract::frame(referrals)).build()?;
///
/// // Ten days after a referral, for the list of a month.
/// let own_day = OwnDay { records: Selector::source("referrals"), days: 10, within: Lookback::Months(1) };
/// let cohort = CohortSpec::default().own_day(own_day).choose(&records.as_of("2024-04-01".parse()?))?;
/// let seen: Vec<String> = (0..cohort.len()).map(|row| cohort.seen_on(row).to_string()).collect();
/// assert_eq!(cohort.ids().collect::<Vec<_>>(), ["a", "b"]);
/// assert_eq!(seen, ["2024-03-11", "2024-03-30"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnDay {
    /// The records.
    pub records: Selector,
    /// How many days after one of them, 0 to 36,525.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(max = 36_525)))]
    pub days: u32,
    /// The span up to the date in which the day has to fall: as long as lists are apart.
    pub within: Lookback,
}

/// That there is no such record in so many days before the date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoneWithin {
    /// The records.
    pub records: Selector,
    /// How many days before the date, 1 or more. The source has to cover them: its silence tells nothing else.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 36_525)))]
    pub days: u32,
}

impl CohortSpec {
    /// Scores families in place of people.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Only people of these ages.
    #[must_use]
    pub fn ages(mut self, youngest: u8, oldest: u8) -> Self {
        self.ages = Some((youngest, oldest));
        self
    }

    /// Only people with an open episode among these records.
    #[must_use]
    pub fn open(mut self, records: Selector) -> Self {
        self.open.push(records);
        self
    }

    /// Only people without an open episode among these records.
    #[must_use]
    pub fn not_open(mut self, records: Selector) -> Self {
        self.not_open.push(records);
        self
    }

    /// Only people without such a record in the last so many days.
    #[must_use]
    pub fn none_within(mut self, records: Selector, days: u32) -> Self {
        self.none_within.push(NoneWithin { records, days });
        self
    }

    /// Only people whose last record of the source is such a one.
    #[must_use]
    pub fn latest(mut self, records: Selector) -> Self {
        self.latest.push(records);
        self
    }

    /// Sees each case on a day of its own.
    #[must_use]
    pub fn own_day(mut self, own_day: OwnDay) -> Self {
        self.own_day = Some(own_day);
        self
    }

    /// The first day on which a case of the cohort of a date can be seen: the date, unless cases have days of their own.
    #[must_use]
    pub fn first_seen(&self, as_of: AsOf) -> Day {
        self.own_day.as_ref().map_or(as_of.day(), |own_day| own_day.within.start(as_of) + 1)
    }

    /// Applies the rules to a snapshot.
    ///
    /// # Errors
    /// [`SpecError`] where a rule names a source that there is not, or one without episodes, or one that does not cover
    /// the days that it is asked about, or where nobody passes.
    pub fn choose<'r>(&self, snapshot: &Snapshot<'r>) -> Result<Cohort<'r>, SpecError> {
        let mut left_out = LeftOut::default();
        let (subjects, own_days) = match &self.own_day {
            None => {
                let rules = Rules::of(self, snapshot)?;
                let passes = |&subject: &u32| {
                    members_of(self.unit, subject, snapshot)
                        .is_some_and(|members| rules.passes(members.people(), &mut left_out))
                };
                (self.everybody(snapshot).filter(passes).collect(), None)
            }
            Some(own_day) => {
                let (subjects, days) = self.on_own_days(own_day, snapshot, &mut left_out)?;
                (subjects, Some(days))
            }
        };
        let subjects: Vec<u32> = subjects;
        if subjects.is_empty() {
            return Err(SpecError::EmptyCohort(snapshot.as_of().to_string()));
        }
        Ok(Cohort { snapshot: snapshot.clone(), rules: self.clone(), subjects, own_days, left_out })
    }

    /// Everybody who can be asked about, by number.
    fn everybody(&self, snapshot: &Snapshot<'_>) -> std::ops::Range<u32> {
        let records = snapshot.records();
        0..match self.unit {
            Unit::Person => records.people() as u32,
            Unit::Family => records.household_ids().len() as u32,
        }
    }

    /// Those whose day fell in the span, each held against the rules as of that day.
    fn on_own_days<'r>(
        &self,
        own_day: &OwnDay,
        snapshot: &Snapshot<'r>,
        left_out: &mut LeftOut,
    ) -> Result<(Vec<u32>, OwnDays<'r>), SpecError> {
        let rule = own_day.resolve(snapshot)?;
        let mut due: Vec<(u32, i32)> = Vec::new();
        for subject in self.everybody(snapshot) {
            let Some(members) = members_of(self.unit, subject, snapshot) else { continue };
            match members.people().iter().filter_map(|&person| rule.day(snapshot, person)).max() {
                Some(day) => due.push((subject, day)),
                None => left_out.no_own_day += 1,
            }
        }
        let mut days: Vec<i32> = due.iter().map(|&(_, day)| day).collect();
        days.sort_unstable();
        days.dedup();
        let of_day = |&day: &i32| snapshot.records().as_of(AsOf::new(Day::from_epoch_days(day)));
        let snapshots: Vec<Snapshot<'r>> = days.iter().map(of_day).collect();
        let rules = snapshots.iter().map(|held| Rules::of(self, held)).collect::<Result<Vec<_>, _>>()?;
        let (mut subjects, mut of_row) = (Vec::new(), Vec::new());
        for (subject, day) in due {
            let place = days.partition_point(|&held| held < day);
            match members_of(self.unit, subject, &snapshots[place]) {
                // Nobody lived there yet.
                None => left_out.no_own_day += 1,
                Some(members) if rules[place].passes(members.people(), left_out) => {
                    subjects.push(subject);
                    of_row.push(place as u32);
                }
                Some(_) => {}
            }
        }
        drop(rules);
        Ok((subjects, OwnDays { snapshots: snapshots.into(), of_row }))
    }

    /// The rules whose records are none at all: such a rule would let nobody pass, or everybody.
    pub(crate) fn faults(&self, records: &Records) -> Vec<SpecError> {
        let rules = self.selectors().filter_map(|(selector, of)| selector.check(records, of).err());
        rules.collect()
    }

    /// The records that the rules name, each with what its rule is called.
    pub(crate) fn selectors(&self) -> impl Iterator<Item = (&Selector, &'static str)> {
        let open = self.open.iter().map(|selector| (selector, OPEN_RULE));
        let not_open = self.not_open.iter().map(|selector| (selector, NOT_OPEN_RULE));
        let none_within = self.none_within.iter().map(|rule| (&rule.records, NONE_WITHIN_RULE));
        let latest = self.latest.iter().map(|selector| (selector, LATEST_RULE));
        let own_day = self.own_day.iter().map(|rule| (&rule.records, OWN_DAY_RULE));
        open.chain(not_open).chain(none_within).chain(latest).chain(own_day)
    }
}

/// Whose records a case is made of at a date; `None` for a household in which nobody lives then.
fn members_of<'a>(unit: Unit, subject: u32, snapshot: &'a Snapshot<'_>) -> Option<Own<'a>> {
    match unit {
        Unit::Person => Some(Own::Person([subject])),
        Unit::Family => {
            let members = snapshot.residence().members(subject);
            (!members.is_empty()).then_some(Own::Family(members))
        }
    }
}

impl OwnDay {
    fn resolve(&self, snapshot: &Snapshot<'_>) -> Result<OwnDayRule, SpecError> {
        let wrong = |why: String| Err(SpecError::Invalid { of: OWN_DAY_RULE.to_owned(), why });
        let Some(days) = i32::try_from(self.days).ok().filter(|days| (0..=36_525).contains(days)) else {
            return wrong("`days` is a number of days from 0 to 36,525 (a hundred years)".to_owned());
        };
        if self.within == Lookback::Ever {
            return wrong("`within` is a span of days or months: as long as lists are apart".to_owned());
        }
        if let Err(error) = self.within.check() {
            return wrong(error.to_string());
        }
        let after = self.within.start(snapshot.as_of()).epoch_days();
        Ok(OwnDayRule { selection: self.records.resolve(snapshot.records(), OWN_DAY_RULE)?, days, after })
    }
}

struct OwnDayRule {
    selection: Selection,
    days: i32,
    /// The day before the span.
    after: i32,
}

impl OwnDayRule {
    /// The last day in the span on which the person is due.
    fn day(&self, snapshot: &Snapshot<'_>, person: u32) -> Option<i32> {
        let events = &snapshot.records().source_at(self.selection.source).events;
        let as_of = snapshot.as_of();
        let span = self.after + 1..=as_of.day().epoch_days();
        events
            .visible(person, as_of)
            .filter(|&row| self.selection.matches(events, row))
            // Visible is what was known before a day, so the first such day is the one after.
            .map(|row| (events.occurred[row] + self.days).max(events.known(row) + 1))
            .filter(|day| span.contains(day))
            .max()
    }
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

const NONE_WITHIN_RULE: &str = "cohort rule `none_within`";
const OWN_DAY_RULE: &str = "cohort rule `own_day`";
const LATEST_RULE: &str = "cohort rule `latest`";
const OPEN_RULE: &str = "cohort rule `open`";
const NOT_OPEN_RULE: &str = "cohort rule `not_open`";

fn resolve_episodes(
    selectors: &[Selector],
    snapshot: &Snapshot<'_>,
    of: &str,
) -> Result<Vec<Selection>, SpecError> {
    selectors
        .iter()
        .map(|selector| {
            let selection = selector.resolve(snapshot.records(), of)?;
            let source = snapshot.records().source_at(selection.source);
            if source.events.has_episodes() {
                Ok(selection)
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

struct Rules<'a, 'r> {
    ages: Option<(u8, u8)>,
    open: Vec<Selection>,
    not_open: Vec<Selection>,
    none_within: Vec<(Selection, i32)>,
    latest: Vec<Selection>,
    snapshot: &'a Snapshot<'r>,
}

impl<'a, 'r> Rules<'a, 'r> {
    fn of(spec: &CohortSpec, snapshot: &'a Snapshot<'r>) -> Result<Self, SpecError> {
        let latest = spec.latest.iter().map(|selector| selector.resolve(snapshot.records(), LATEST_RULE));
        Ok(Self {
            ages: spec.ages,
            open: resolve_episodes(&spec.open, snapshot, OPEN_RULE)?,
            not_open: resolve_episodes(&spec.not_open, snapshot, NOT_OPEN_RULE)?,
            none_within: spec
                .none_within
                .iter()
                .map(|rule| rule.resolve(snapshot))
                .collect::<Result<_, _>>()?,
            latest: latest.collect::<Result<_, _>>()?,
            snapshot,
        })
    }

    fn passes(&self, people: &[u32], left_out: &mut LeftOut) -> bool {
        let here: Vec<u32>;
        let gone: Vec<Gone> = people.iter().filter_map(|&person| self.snapshot.gone(person)).collect();
        let people = if gone.is_empty() {
            people
        } else if gone.len() == people.len() {
            let all_died = gone.iter().all(|&gone| gone == Gone::Died);
            *(if all_died { &mut left_out.died } else { &mut left_out.left }) += 1;
            return false;
        } else {
            here = people.iter().copied().filter(|&person| self.snapshot.gone(person).is_none()).collect();
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
        if !self.open.iter().all(|selection| people.iter().any(|&p| self.is_open(selection, p))) {
            left_out.not_open += 1;
            return false;
        }
        if self.not_open.iter().any(|selection| people.iter().any(|&p| self.is_open(selection, p))) {
            left_out.already_open += 1;
            return false;
        }
        if self
            .none_within
            .iter()
            .any(|(selection, start)| people.iter().any(|&p| self.has(selection, *start, p)))
        {
            left_out.has_record += 1;
            return false;
        }
        if !self.latest.iter().all(|selection| people.iter().any(|&p| self.ends_with(selection, p))) {
            left_out.other_latest += 1;
            return false;
        }
        true
    }

    /// Whether the person has such a record from `start` on and before the date.
    fn has(&self, selection: &Selection, start: i32, person: u32) -> bool {
        let events = &self.snapshot.records().source_at(selection.source).events;
        let as_of = self.snapshot.as_of();
        let days = start..as_of.day().epoch_days();
        events
            .visible(person, as_of)
            .any(|row| days.contains(&events.occurred[row]) && selection.matches(events, row))
    }

    /// Whether the person's last record of the source is such a one.
    fn ends_with(&self, selection: &Selection, person: u32) -> bool {
        let events = &self.snapshot.records().source_at(selection.source).events;
        let as_of = self.snapshot.as_of();
        let mut past = events
            .visible(person, as_of)
            .rev()
            .filter(|&row| events.occurred[row] < as_of.day().epoch_days());
        past.next().is_some_and(|row| selection.matches(events, row))
    }

    fn is_open(&self, selection: &Selection, person: u32) -> bool {
        let events = &self.snapshot.records().source_at(selection.source).events;
        let as_of = self.snapshot.as_of();
        events.visible(person, as_of).any(|row| {
            events
                .ended(row, as_of)
                .is_some_and(|end| open_on(as_of.day().epoch_days(), events.occurred[row], end))
                && selection.matches(events, row)
        })
    }
}

/// How many were left out, by the first rule they did not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub no_own_day: u64,
}

impl LeftOut {
    /// Each rule in words, with how many it left out; rules that left out nobody are not named.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::cohort::LeftOut;
    ///
    /// let left_out = LeftOut { died: 12, age: 340, ..LeftOut::default() };
    /// let by_rule: Vec<(&str, u64)> = left_out.by_rule().collect();
    /// assert_eq!(by_rule, [("had died", 12), ("of another age", 340)]);
    /// ```
    pub fn by_rule(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("had died", self.died),
            ("had left", self.left),
            ("of another age", self.age),
            ("of unknown age", self.age_unknown),
            ("not open where that is asked for", self.not_open),
            ("open where that is not to be", self.already_open),
            ("with a recent record where there is to be none", self.has_record),
            ("with another last record", self.other_latest),
            ("not due, by the day of their own", self.no_own_day),
        ]
        .into_iter()
        .filter(|&(_, count)| count > 0)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_none_at_all(number: &u64) -> bool {
    *number == 0
}

/// The people or families asked about on a date, in the order of their ids. It is bound to the snapshot
/// it was chosen from: features and scores of a cohort are of that date, or of the day of each case's own
/// ([`OwnDay`]), which is never after it.
#[derive(Clone)]
pub struct Cohort<'r> {
    snapshot: Snapshot<'r>,
    rules: CohortSpec,
    subjects: Vec<u32>,
    own_days: Option<OwnDays<'r>>,
    left_out: LeftOut,
}

/// What was known on the days of cases' own, and which of them is each row's.
#[derive(Clone)]
struct OwnDays<'r> {
    snapshots: Arc<[Snapshot<'r>]>,
    of_row: Vec<u32>,
}

/// Cases of a cohort that are seen on one day, as a cohort of that day.
pub(crate) struct OfOneDay<'r> {
    /// Their rows in the whole cohort.
    pub(crate) rows: Vec<u32>,
    pub(crate) cohort: Cohort<'r>,
}

impl<'r> Cohort<'r> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Never true: an empty cohort is an error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// The date.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.snapshot.as_of()
    }

    /// The snapshot it was chosen from.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot<'r> {
        &self.snapshot
    }

    /// The day that the features of a case are of: the date, or a day of the case's own before it.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn seen_on(&self, row: usize) -> AsOf {
        self.seen(row).as_of()
    }

    /// What was known on the day that a case is seen.
    pub(crate) fn seen(&self, row: usize) -> &Snapshot<'r> {
        self.own_days.as_ref().map_or(&self.snapshot, |days| &days.snapshots[days.of_row[row] as usize])
    }

    /// Whether cases are seen on days of their own.
    pub(crate) fn has_own_days(&self) -> bool {
        self.own_days.is_some()
    }

    /// The cases by the day on which they are seen, a cohort a day; `None` where all are seen on the date.
    pub(crate) fn by_day(&self) -> Option<Vec<OfOneDay<'r>>> {
        let days = self.own_days.as_ref()?;
        let of_day = |(place, snapshot): (usize, &Snapshot<'r>)| {
            let rows: Vec<u32> = (0..)
                .zip(&days.of_row)
                .filter(|&(_, &of)| of as usize == place)
                .map(|(row, _)| row)
                .collect();
            let subjects = rows.iter().map(|&row| self.subjects[row as usize]).collect();
            let cohort = Cohort {
                snapshot: snapshot.clone(),
                rules: self.rules.clone(),
                subjects,
                own_days: None,
                left_out: LeftOut::default(),
            };
            OfOneDay { rows, cohort }
        };
        Some(days.snapshots.iter().enumerate().map(of_day).filter(|day| !day.rows.is_empty()).collect())
    }

    /// People or families.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.rules.unit
    }

    /// The rules it was chosen by.
    #[must_use]
    pub fn rules(&self) -> &CohortSpec {
        &self.rules
    }

    /// How many the rules left out.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// The pseudonymous ids, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &'r str> {
        let records = self.snapshot.records();
        let unit = self.rules.unit;
        self.subjects.iter().map(move |&subject| match unit {
            Unit::Person => &*records.the_people().ids[subject as usize],
            Unit::Family => &*records.household_ids()[subject as usize],
        })
    }

    /// A digest of who is in it.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.as_of().to_string());
        for (row, id) in self.ids().enumerate() {
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id);
            if self.has_own_days() {
                hash.update(self.seen_on(row).to_string());
            }
        }
        hex::encode(hash.finalize())
    }

    pub(crate) fn id(&self, row: usize) -> &'r str {
        let records = self.snapshot.records();
        let subject = self.subjects[row] as usize;
        match self.rules.unit {
            Unit::Person => &records.the_people().ids[subject],
            Unit::Family => &records.household_ids()[subject],
        }
    }

    /// The ids of everybody who could be in it, in order.
    pub(crate) fn all_ids(&self) -> Arc<[Box<str>]> {
        let records = self.snapshot.records();
        Arc::clone(match self.rules.unit {
            Unit::Person => &records.the_people().ids,
            Unit::Family => records.household_ids(),
        })
    }

    /// The places of its cases among all ids.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = u32> {
        self.subjects.iter().copied()
    }

    /// The people whose records are the row's own.
    pub(crate) fn own(&self, row: usize) -> Own<'_> {
        match self.rules.unit {
            Unit::Person => Own::Person([self.subjects[row]]),
            Unit::Family => Own::Family(self.seen(row).residence().members(self.subjects[row])),
        }
    }

    /// The other members of the row's household; `None` where no household is known. A family has none.
    pub(crate) fn others(&self, row: usize) -> Option<impl Iterator<Item = u32> + Clone + '_> {
        let residence = self.seen(row).residence();
        let person = self.subjects[row];
        let known = self.rules.unit == Unit::Person && residence.of_person[person as usize] != NONE;
        known.then(|| {
            let members = residence.members(residence.of_person[person as usize]);
            members.iter().copied().filter(move |&member| member != person)
        })
    }

    /// Everybody in the row's household, the person among them; `None` where no household is known.
    pub(crate) fn members(&self, row: usize) -> Option<&[u32]> {
        let residence = self.seen(row).residence();
        let household = match self.rules.unit {
            Unit::Person => residence.of_person[self.subjects[row] as usize],
            Unit::Family => self.subjects[row],
        };
        (household != NONE).then(|| residence.members(household))
    }

    /// The family that the row belongs to, as a number that is stable over dates: see
    /// [`Records::families`](crate::records::Records::families).
    pub(crate) fn family(&self, row: usize) -> u32 {
        let first = self.own(row).people()[0];
        self.snapshot.records().the_people().family[first as usize]
    }

    /// The rows that pass, as a cohort of their own.
    pub(crate) fn keep(&self, keep: &[bool]) -> Self {
        fn kept(all: &[u32], keep: &[bool]) -> Vec<u32> {
            all.iter().zip(keep).filter(|(_, keep)| **keep).map(|(&held, _)| held).collect()
        }
        let own_days = self
            .own_days
            .as_ref()
            .map(|days| OwnDays { snapshots: Arc::clone(&days.snapshots), of_row: kept(&days.of_row, keep) });
        Self { subjects: kept(&self.subjects, keep), own_days, ..self.clone() }
    }
}

/// The people whose records are a row's own.
pub(crate) enum Own<'a> {
    Person([u32; 1]),
    Family(&'a [u32]),
}

impl Own<'_> {
    pub(crate) fn people(&self) -> &[u32] {
        match self {
            Self::Person(person) => person,
            Self::Family(members) => members,
        }
    }
}

crate::opaque_debug!(Cohort<'_>);
