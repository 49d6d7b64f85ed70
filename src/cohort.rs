//! Who is asked about: chosen by rules from what was known on the date.

mod own_day;
mod rules;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::calendar::{AsOf, Day};
use crate::error::SpecError;
use crate::records::{NONE, Records, Selector, Snapshot};

use self::own_day::{OfOneDay, OwnDays};
use self::rules::{LATEST_RULE, NONE_WITHIN_RULE, NOT_OPEN_RULE, OPEN_RULE, OWN_DAY_RULE, Rules};

pub use self::own_day::OwnDay;
pub use self::rules::{LeftOut, NoneWithin, NotInCohort};

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
        let cohort = self.chosen(snapshot, self.everybody(snapshot))?;
        if cohort.subjects.is_empty() {
            return Err(SpecError::EmptyCohort(snapshot.as_of().to_string()));
        }
        Ok(cohort)
    }

    /// The person or family of an id as a cohort of its own, or why it is in none.
    ///
    /// # Errors
    /// As [`CohortSpec::choose`], but for nobody passing.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::cohort::CohortSpec;
    /// use earlyhelp::records::Snapshot;
    ///
    /// fn is_asked_about(rules: &CohortSpec, today: &Snapshot<'_>, id: &str) -> Result<bool, earlyhelp::error::SpecError> {
    ///     Ok(rules.choose_one(today, id)?.is_ok())
    /// }
    /// ```
    pub fn choose_one<'r>(
        &self,
        snapshot: &Snapshot<'r>,
        entity: &str,
    ) -> Result<Result<Cohort<'r>, NotInCohort>, SpecError> {
        let Some(place) = self.place_of(snapshot, entity) else { return Ok(Err(NotInCohort::NotInRecords)) };
        let cohort = self.chosen(snapshot, place..place + 1)?;
        if cohort.subjects.is_empty() {
            let rule = cohort.left_out.by_rule().next().map_or(NOBODY_LIVES_THERE, |(rule, _)| rule);
            return Ok(Err(NotInCohort::LeftOut(rule)));
        }
        Ok(Ok(cohort))
    }

    /// The number of a person or family; `None` where the records do not hold it.
    fn place_of(&self, snapshot: &Snapshot<'_>, entity: &str) -> Option<u32> {
        let records = snapshot.records();
        match self.unit {
            Unit::Person => records.person(entity),
            Unit::Family => {
                let found = records.household_ids().binary_search_by(|held| (**held).cmp(entity));
                found.ok().map(|place| place as u32)
            }
        }
    }

    /// Those of a range of numbers that pass the rules, if any.
    fn chosen<'r>(&self, snapshot: &Snapshot<'r>, among: Range<u32>) -> Result<Cohort<'r>, SpecError> {
        let mut left_out = LeftOut::default();
        let (subjects, own_days) = match &self.own_day {
            None => {
                let rules = Rules::of(self, snapshot)?;
                let passes = |&subject: &u32| {
                    members_of(self.unit, subject, snapshot)
                        .is_some_and(|members| rules.passes(members.people(), &mut left_out))
                };
                (among.filter(passes).collect(), None)
            }
            Some(own_day) => {
                let (subjects, days) = self.on_own_days(own_day, snapshot, among, &mut left_out)?;
                (subjects, Some(days))
            }
        };
        let subjects: Vec<u32> = subjects;
        Ok(Cohort { snapshot: snapshot.clone(), rules: self.clone(), subjects, own_days, left_out })
    }

    /// A cohort that these rules chose elsewhere, by the ids of its cases; `None` where the records do not hold each of them, or one
    /// is there twice. Its cases stand in the order of ids.
    pub(crate) fn chosen_elsewhere<'r>(
        &self,
        snapshot: &Snapshot<'r>,
        ids: impl Iterator<Item = impl AsRef<str>>,
    ) -> Option<Cohort<'r>> {
        let records = snapshot.records();
        let all = match self.unit {
            Unit::Person => &records.the_people().ids,
            Unit::Family => records.household_ids(),
        };
        let place = |id: &str| all.binary_search_by(|held| (**held).cmp(id)).ok();
        let mut subjects =
            ids.map(|id| place(id.as_ref()).map(|place| place as u32)).collect::<Option<Vec<u32>>>()?;
        subjects.sort_unstable();
        let is_once = subjects.windows(2).all(|pair| pair[0] != pair[1]);
        let of_today = |&subject: &u32| members_of(self.unit, subject, snapshot).is_some();
        (is_once && !subjects.is_empty() && subjects.iter().all(of_today)).then(|| Cohort {
            snapshot: snapshot.clone(),
            rules: self.clone(),
            subjects,
            own_days: None,
            left_out: LeftOut::default(),
        })
    }

    /// Everybody who can be asked about, by number.
    fn everybody(&self, snapshot: &Snapshot<'_>) -> Range<u32> {
        let records = snapshot.records();
        0..match self.unit {
            Unit::Person => records.people() as u32,
            Unit::Family => records.household_ids().len() as u32,
        }
    }

    /// The keys of the rules that differ; none where they are the same.
    pub(crate) fn differs_from(&self, other: &Self) -> Vec<&'static str> {
        // Taken apart, so that a rule which is added later cannot be forgotten here.
        let Self { unit, ages, open, not_open, none_within, latest, own_day } = self;
        let rules = [
            ("`unit`", *unit != other.unit),
            ("`ages`", *ages != other.ages),
            ("`open`", *open != other.open),
            ("`not_open`", *not_open != other.not_open),
            ("`none_within`", *none_within != other.none_within),
            ("`latest`", *latest != other.latest),
            ("`own_day`", *own_day != other.own_day),
        ];
        rules.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
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

/// Why a family that no rule leaves out is in no cohort.
const NOBODY_LIVES_THERE: &str = "a household in which nobody lived";

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

    /// The same cases, each as of the date and not of a day of its own.
    pub(crate) fn on_its_date(&self) -> Self {
        Self { own_days: None, ..self.clone() }
    }

    /// The cases by the day on which they are seen, a cohort a day; `None` where all are seen on the date.
    pub(crate) fn by_day(&self) -> Option<Vec<OfOneDay<'r>>> {
        let days = self.own_days.as_ref()?;
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); days.snapshots.len()];
        for (row, &place) in (0..).zip(&days.of_row) {
            rows[place as usize].push(row);
        }
        let of_day = |(rows, snapshot): (Vec<u32>, &Snapshot<'r>)| {
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
        let seen = rows.into_iter().zip(days.snapshots.iter()).filter(|(rows, _)| !rows.is_empty());
        Some(seen.map(of_day).collect())
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
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
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

    /// The row of an id; `None` where it is not in the cohort.
    pub(crate) fn row_of(&self, entity: &str) -> Option<usize> {
        let subject = self.rules.place_of(&self.snapshot, entity)?;
        self.subjects.binary_search(&subject).ok()
    }

    pub(crate) fn id(&self, row: usize) -> &str {
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

    /// The row's household as known on the day that it is seen; `None` where none is known, and of a family, which is one.
    pub(crate) fn household(&self, row: usize) -> Option<u32> {
        let of_person = match self.rules.unit {
            Unit::Person => self.seen(row).residence().of_person[self.subjects[row] as usize],
            Unit::Family => NONE,
        };
        (of_person != NONE).then_some(of_person)
    }

    /// The people whose records are somebody's own, who need not be in the cohort; empty where the records do not hold them.
    pub(crate) fn people_of(&self, entity: &str) -> Vec<u32> {
        let records = self.snapshot.records();
        match self.rules.unit {
            Unit::Person => records.person(entity).into_iter().collect(),
            Unit::Family => {
                let household = records.household_ids().iter().position(|id| **id == *entity);
                let members = household.map(|household| self.snapshot.residence().members(household as u32));
                members.map(<[u32]>::to_vec).unwrap_or_default()
            }
        }
    }

    /// The first rule that somebody does not pass, in words; `None` where the records do not hold them.
    pub(crate) fn why_left_out(&self, entity: &str) -> Result<Option<&'static str>, SpecError> {
        let people = self.people_of(entity);
        if people.is_empty() {
            return Ok(None);
        }
        let mut left_out = LeftOut::default();
        if Rules::of(&self.rules, &self.snapshot)?.passes(&people, &mut left_out) {
            // What is left is the day of their own.
            left_out.no_own_day += 1;
        }
        Ok(left_out.by_rule().next().map(|(rule, _)| rule))
    }

    /// The family that the row belongs to, as a number that is stable over dates: see
    /// [`Records::families`](crate::records::Records::families).
    pub(crate) fn family(&self, row: usize) -> u32 {
        let first = self.own(row).people()[0];
        self.snapshot.records().the_people().family[first as usize]
    }

    /// One row, as a cohort of its own.
    pub(crate) fn only(&self, row: usize) -> Self {
        let own_days = self
            .own_days
            .as_ref()
            .map(|days| OwnDays { snapshots: Arc::clone(&days.snapshots), of_row: vec![days.of_row[row]] });
        Self { subjects: vec![self.subjects[row]], own_days, ..self.clone() }
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
