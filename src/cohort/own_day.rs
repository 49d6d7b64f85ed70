//! Cases that are seen each on a day of its own.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::{LeftOut, OWN_DAY_RULE, Rules, are_gone};
use super::{Cohort, CohortSpec, members_of};
use crate::calendar::{AsOf, Day, Lookback};
use crate::error::SpecError;
use crate::records::{Rows, Selection, Selector, Snapshot};

/// The day on which each case is seen: so many days after such a record, or the first day on which the record was known,
/// if that is later. The cohort of a date takes those whose day fell in a span up to the date, the date included, so
/// lists drawn a span apart take everybody with such a record, and nobody twice for one record; a return that says it again
/// is the same record. A case with two such days in the span is seen on the later one. Months differ in length: lists drawn
/// a month apart on the 29th, 30th or 31st overlap by some days in the month after; take a day up to the 28th.
///
/// Ages, the other rules, households, features and outcomes are all of the case's own day. Whoever died or left by the date,
/// as far as it was known then, is in no cohort of it.
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
    /// The span up to the date in which the day has to fall: as long as lists are apart, and at most 366 days.
    pub within: Lookback,
}

impl OwnDay {
    fn resolve<'a>(&self, snapshot: &'a Snapshot<'_>) -> Result<OwnDayRule<'a>, SpecError> {
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
        // Each day is a snapshot of its own.
        if snapshot.as_of().day().epoch_days() - after > MOST_DAYS {
            return wrong(format!(
                "`within` is a span of at most {MOST_DAYS} days: as long as lists are apart"
            ));
        }
        let selection = self.records.resolve(snapshot.records(), OWN_DAY_RULE)?;
        let events = snapshot.records().source_at(selection.source).events();
        Ok(OwnDayRule { selection, events, days, after })
    }
}

/// The longest span: a year.
const MOST_DAYS: i32 = 366;

struct OwnDayRule<'r> {
    selection: Selection,
    events: Rows<'r>,
    days: i32,
    /// The day before the span.
    after: i32,
}

impl OwnDayRule<'_> {
    /// The last day in the span on which the person is due.
    fn day(&self, snapshot: &Snapshot<'_>, person: u32) -> Option<i32> {
        let events = &*self.events;
        let as_of = snapshot.as_of();
        let span = self.after + 1..=as_of.day().epoch_days();
        let matches = |row: usize| self.selection.matches(events, row);
        events
            .visible(person, as_of)
            .filter(|&row| matches(row))
            .filter_map(|row| {
                // A state that is corrected later, or returned again with its end, makes no second day.
                let states = events.states(person, row, as_of).filter(|&state| matches(state));
                // Visible is what was known before a day, so the first such day is the one after.
                states.map(|state| (events.occurred[state] + self.days).max(events.known(state) + 1)).min()
            })
            .filter(|day| span.contains(day))
            .max()
    }
}

/// What was known on the days of cases' own, and which of them is each row's.
#[derive(Clone)]
pub(super) struct OwnDays<'r> {
    pub(super) snapshots: Arc<[Snapshot<'r>]>,
    pub(super) of_row: Vec<u32>,
}

/// Cases of a cohort that are seen on one day, as a cohort of that day.
pub(crate) struct OfOneDay<'r> {
    /// Their rows in the whole cohort.
    pub(crate) rows: Vec<u32>,
    pub(crate) cohort: Cohort<'r>,
}

impl CohortSpec {
    /// Those of a range of numbers whose day fell in the span, each held against the rules as of that day.
    pub(super) fn on_own_days<'r>(
        &self,
        own_day: &OwnDay,
        snapshot: &Snapshot<'r>,
        among: Range<u32>,
        left_out: &mut LeftOut,
    ) -> Result<(Vec<u32>, OwnDays<'r>), SpecError> {
        let rule = own_day.resolve(snapshot)?;
        let mut due: Vec<(u32, i32)> = Vec::new();
        for subject in among {
            let Some(members) = members_of(self.unit, subject, snapshot) else { continue };
            // Whoever died or left since is on no list, either.
            if are_gone(members.people(), snapshot, left_out) {
                continue;
            }
            let here = members.people().iter().filter(|&&person| snapshot.gone(person).is_none());
            match here.filter_map(|&person| rule.day(snapshot, person)).max() {
                Some(day) => due.push((subject, day)),
                None => left_out.no_own_day += 1,
            }
        }
        let mut days: Vec<i32> = due.iter().map(|&(_, day)| day).collect();
        days.sort_unstable();
        days.dedup();
        let of_day = |&day: &i32| snapshot.on(AsOf::new(Day::from_epoch_days(day)));
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
}
