//! What a source was when a model was trained, and whether it still is.
//!
//! A file that comes empty, halved or a month short makes no row unreadable: every count just falls, and a model
//! reads that as families of whom less is on record. So a model keeps what each of its sources was, and what
//! comes later is held against that.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::dictionary::NONE;
use super::{Snapshot, Source};
use crate::calendar::{AsOf, Day};
use crate::stats::chance::at_most;

/// What a source was at a training date, in numbers of rows: no id, no value of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceProfile {
    /// The source; `people` (rows are people whose date of birth is known) and `households` (rows are people who live
    /// in one) count as sources.
    pub source: String,
    /// The date: rows known before it are counted.
    pub as_of: AsOf,
    /// The day after the last that it covers, or the date: months are whole up to it.
    pub to: Day,
    /// People in all records.
    pub people: u64,
    /// Rows, each state of a record that came more than once for itself.
    pub rows: u64,
    /// Rows that became known before `from`.
    pub before: u64,
    /// People with a row that became known in the twelve months to `to`.
    pub people_with_rows: u64,
    /// How many rows come together, 1 or more: the rows that the person of a row has in the same month, on average over
    /// the rows of those twelve months. What chance does to a number of rows grows with it.
    pub bunching: f64,
    /// The last day on which a row became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Day>,
    /// The first day of the first month in `months`.
    pub from: Day,
    /// Rows that became known in each calendar month from `from`, whole months alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<u64>,
    /// How many of them have no value; none is given where the source has no values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty: Vec<u64>,
    /// How many of them do not say what their value is a part of, or say that it is of 0: they count in no share. None is
    /// given where the source has no such numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_nothing: Vec<u64>,
    /// Kinds of [`SourceProfile::FEWEST`] rows or more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindProfile>,
}

/// How often a kind of record stood in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KindProfile {
    /// The kind.
    pub kind: String,
    /// Rows.
    pub rows: u64,
    /// Rows that became known in the last twelve months.
    pub last_year: u64,
}

/// In what a source is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeIn {
    /// Rows that were there at training are gone, or are there twice.
    Past,
    /// There are fewer rows than in the same months of the year before training.
    Rows,
    /// A month is all but empty.
    Month,
    /// It ended early.
    End,
    /// Values are empty.
    Values,
    /// A kind of record is gone.
    Kinds,
    /// Few people have a row.
    People,
}

/// A finding: a source is not what it was when the model was trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceChange {
    /// The source.
    pub source: String,
    /// In what.
    pub what: ChangeIn,
    /// A sentence's part, with the numbers.
    pub words: String,
}

/// Rows by calendar month, from a month on.
struct Series<'a> {
    then: &'a [u64],
    now: &'a [u64],
}

/// What is compared month by month.
struct Window {
    /// The places of the first month that the model reads, and of the first that is not whole.
    first: usize,
    end: usize,
    /// How many times as many people there are as at training, at most 1.
    people: f64,
    bunching: f64,
}

/// A source as it is now, counted over the months of a profile and those since.
struct Now {
    profile: SourceProfile,
    window: Window,
}

impl SourceProfile {
    /// Months before a training date that are told apart. Three years: features mostly read one or two, and a
    /// third shows what was there when they began.
    pub const MONTHS: usize = 36;
    /// The largest share of the rows of the same months that may be gone. They were known before training and are
    /// compared with themselves, so chance has no part in it: what goes is corrected, merged or erased, a few in a
    /// hundred.
    pub const PAST_LOST: f64 = 0.2;
    /// How many times as many rows the same months may have: a source that is read twice has 2.
    pub const PAST_GROWN: f64 = 1.8;
    /// The smallest share of the rows of the same calendar months in the year before training. Services grow and
    /// shrink by less than a third in a year; half a delivery is half.
    pub const YEAR_FALL: f64 = 2.0 / 3.0;
    /// The smallest share that one month may have of the same month in the year before training: months differ by far
    /// more than years, and a month whose file was forgotten has next to nothing.
    pub const MONTH_FALL: f64 = 0.2;
    /// Months at the end that may still be filling up: a term, which is what the slowest sources deliver by.
    pub const FILLING_MONTHS: usize = 3;
    /// A source that brings so many rows in those months (a bunch counting once) has some of them by then if it goes
    /// on at all, so that none means that it ended or a file was forgotten.
    pub const SURELY_MANY: f64 = 300.0;
    /// By how much the share of empty values may rise.
    pub const EMPTY_RISE: f64 = 0.1;
    /// The smallest part of the people who had a row in the year before training: half.
    pub const PEOPLE_FALL: f64 = 0.5;
    /// Fewer rows than this are said nothing of, but that all are gone.
    pub const FEWEST: u64 = 20;
    /// What chance brings more often than this, at the rates of training, is no finding. One in a thousand: a dozen
    /// sources are looked at in a dozen months each time.
    pub const RARE: f64 = 0.001;

    /// What a source is at the snapshot's date; `None` where there is no such source.
    #[must_use]
    pub fn of(snapshot: &Snapshot<'_>, source: &str) -> Option<Self> {
        Self::since(snapshot, source, None)
    }

    /// The same, with months told apart from a day on.
    fn since(snapshot: &Snapshot<'_>, source: &str, from: Option<Day>) -> Option<Self> {
        let records = snapshot.records();
        let people = records.people() as u64;
        let flat = |rows: usize| Self {
            source: source.to_owned(),
            as_of: snapshot.as_of(),
            to: snapshot.as_of().day(),
            people,
            rows: rows as u64,
            before: 0,
            people_with_rows: rows as u64,
            bunching: 1.0,
            last: None,
            from: snapshot.as_of().day(),
            months: Vec::new(),
            empty: Vec::new(),
            of_nothing: Vec::new(),
            kinds: Vec::new(),
        };
        match source {
            "people" => {
                let all = 0..records.people() as u32;
                Some(flat(all.filter(|&person| records.the_people().born(person).is_some()).count()))
            }
            "households" => {
                let living = snapshot.residence().of_person.iter().filter(|&&household| household != NONE);
                Some(flat(living.count()))
            }
            _ => records.source(source).map(|held| counted(held, snapshot, from, flat(0))),
        }
    }

    /// In what the source is not what it was, as read on the snapshot's date by features that look back to `since`.
    ///
    /// Months that both have are compared with themselves. Months since are compared with the same calendar months of
    /// the year before training, so that holidays and winters weigh alike; where training had no such month, with
    /// its median month. A month that is not over, or not covered, is not compared. More rows than in training are no finding,
    /// but in months that training had.
    #[must_use]
    pub fn changes(&self, snapshot: &Snapshot<'_>, since: Day) -> Vec<SourceChange> {
        let Some(profile) = Self::since(snapshot, &self.source, Some(self.from)) else { return Vec::new() };
        let place = |day: Day| usize::try_from(month_of(day) - month_of(self.from)).unwrap_or(0);
        let first = place(since) + usize::from(since > self.from && since.ymd().2 > 1);
        // Without a list of people there are those whom records name, and where records are gone so are they.
        let is_listed = snapshot.records().intake().iter().any(|intake| intake.source == "people");
        let people = profile.people as f64 / self.people.max(1) as f64;
        let people = if is_listed { people.min(1.0) } else { 1.0 };
        let window = Window { first, end: profile.months.len(), people, bunching: self.bunching.max(1.0) };
        let now = Now { profile, window };
        let mut found = Vec::new();
        let mut add = |what: ChangeIn, words: Option<String>| {
            found.extend(words.map(|words| SourceChange { source: self.source.clone(), what, words }));
        };
        if let Some(words) = self.emptied(&now) {
            add(ChangeIn::Past, Some(words));
            return found;
        }
        if matches!(self.source.as_str(), "people" | "households") {
            add(ChangeIn::Past, self.list_lost(&now));
            return found;
        }
        let rows = Series { then: &self.months, now: &now.profile.months };
        for (what, words) in self.series(&rows, &now, "rows") {
            add(what, Some(words));
        }
        add(ChangeIn::Past, self.older(&now, since));
        add(ChangeIn::People, self.fewer_people(&now));
        for words in self.kinds_gone(&now, since) {
            add(ChangeIn::Kinds, Some(words));
        }
        // Where rows are gone their values are, too: that is said once.
        let has_rows = found.iter().all(|change| matches!(change.what, ChangeIn::Kinds | ChangeIn::People));
        let numbers = [
            (&self.empty, &now.profile.empty, "a value"),
            (&self.of_nothing, &now.profile.of_nothing, "a number above 0 that their value is a part of"),
        ];
        for (then, held, what) in numbers.into_iter().filter(|(then, ..)| has_rows && !then.is_empty()) {
            found.extend(self.emptier((then, held), &now, what).into_iter().map(|words| SourceChange {
                source: self.source.clone(),
                what: ChangeIn::Values,
                words,
            }));
        }
        found
    }

    fn emptied(&self, now: &Now) -> Option<String> {
        let Window { first, end, .. } = now.window;
        let of_then = || self.months.iter().take(end).skip(first).sum::<u64>();
        let then = if now.profile.as_of >= self.as_of { self.rows } else { of_then() };
        (now.profile.rows == 0 && then > 0)
            .then(|| format!("it has no row; when the model was trained it had {}", self.rows))
    }

    /// People with a date of birth, or in a household: lists without months.
    fn list_lost(&self, now: &Now) -> Option<String> {
        // A list of fewer people is another matter than a list of people of whom less is known.
        let expected = self.rows as f64 * now.window.people;
        let is_less = (now.profile.rows as f64) < (1.0 - Self::PAST_LOST) * expected;
        let what = if self.source == "people" { "a date of birth" } else { "a household" };
        (is_less && expected - now.profile.rows as f64 >= Self::FEWEST as f64).then(|| {
            format!(
                "{} of {} people have {what}; when the model was trained {} of {} had",
                now.profile.rows, now.profile.people, self.rows, self.people
            )
        })
    }

    /// Rows before the months that are told apart, where a feature reads them.
    fn older(&self, now: &Now, since: Day) -> Option<String> {
        let (then, held) = (self.before, now.profile.before);
        let is_read = since <= self.from && now.profile.as_of >= self.as_of;
        (is_read && Self::is_lost(then as f64 * now.window.people, held as f64)).then(|| {
            format!("of before {} it has {held} rows, where it had {then}", month_name(month_of(self.from)))
        })
    }

    fn is_lost(then: f64, now: f64) -> bool {
        now < (1.0 - Self::PAST_LOST) * then && then - now >= Self::FEWEST as f64
    }

    /// What is found in rows, or in rows with a value, by month.
    fn series(&self, series: &Series<'_>, now: &Now, what: &str) -> Vec<(ChangeIn, String)> {
        let mut found = Vec::new();
        found.extend(self.past(series, now, what).map(|words| (ChangeIn::Past, words)));
        let gaps = self.gaps(series, now, what);
        let is_whole = gaps.is_empty() && found.is_empty();
        found.extend(gaps);
        if is_whole {
            found.extend(self.year(series, now, what).map(|words| (ChangeIn::Rows, words)));
        }
        found
    }

    /// Months that training had, together.
    fn past(&self, series: &Series<'_>, now: &Now, what: &str) -> Option<String> {
        let Window { first, end, people, .. } = now.window;
        let end = end.min(series.then.len());
        if first >= end {
            return None;
        }
        let [then, held] = [series.then, series.now].map(|months| months[first..end].iter().sum::<u64>());
        let grown = held as f64 > Self::PAST_GROWN * then as f64 && then >= Self::FEWEST;
        let is_more_people = now.profile.people as f64 > Self::PAST_GROWN * self.people as f64;
        (Self::is_lost(then as f64 * people, held as f64) || grown && !is_more_people).then(|| {
            let months = self.span(first, end);
            format!("of {months} it has {held} {what}, where it had {then} when the model was trained")
        })
    }

    /// Months that are all but empty, and an end that came early.
    fn gaps(&self, series: &Series<'_>, now: &Now, what: &str) -> Vec<(ChangeIn, String)> {
        let Window { first, end, .. } = now.window;
        let expected: Vec<f64> = (0..end).map(|month| Self::expected(series, now, month)).collect();
        let filled = series.now.iter().rposition(|&rows| rows > 0).map_or(0, |month| month + 1);
        let last = filled.max(first).max(end.saturating_sub(12)).min(end);
        let mut found = Vec::new();
        // The last months may still be filling up: of them alone only a source of many rows is said to have ended.
        let is_sure = |wanted: &f64| {
            end - last > Self::FILLING_MONTHS || wanted / now.window.bunching >= Self::SURELY_MANY
        };
        if let Some(wanted) = Self::gap(last..end, &expected, series, now).filter(is_sure) {
            let since = self.span(last, last + 1);
            found.push((
                ChangeIn::End,
                format!("it has no {what} since {since}, where {wanted:.0} would be expected"),
            ));
        }
        for month in first..last {
            let held = series.now[month];
            let missing = if month < series.then.len() {
                let wanted = expected[month];
                let is_half = (held as f64) < 0.5 * wanted && wanted - held as f64 >= Self::FEWEST as f64;
                is_half.then_some(wanted)
            } else if month + 12 >= end {
                Self::gap(month..month + 1, &expected, series, now)
            } else {
                None
            };
            found.extend(missing.map(|wanted| {
                let name = self.span(month, month + 1);
                (
                    ChangeIn::Month,
                    format!("of {name} it has {held} {what}, where {wanted:.0} would be expected"),
                )
            }));
        }
        found
    }

    /// How many rows would be expected of months that are all but empty, where chance and a delivery that came in the
    /// months beside them do not explain it.
    fn gap(months: Range<usize>, expected: &[f64], series: &Series<'_>, now: &Now) -> Option<f64> {
        let sum = |months: Range<usize>| -> (f64, f64) {
            let held: u64 = series.now[months.clone()].iter().sum();
            (held as f64, expected[months].iter().sum())
        };
        let (held, wanted) = sum(months.clone());
        // A source that grew is measured by what it grew to, or a month that is missing would hide in the growth.
        let year = now.window.first.max(expected.len().saturating_sub(12));
        let (before, after) = (sum(year.min(months.start)..months.start), sum(months.end..expected.len()));
        let others = (before.0 + after.0, before.1 + after.1);
        let growth = if others.1 > 0.0 { (others.0 / others.1).clamp(1.0, 3.0) } else { 1.0 };
        let wanted = growth * wanted;
        let bunching = now.window.bunching;
        if wanted == 0.0 || at_most(held / bunching, wanted / bunching, Self::MONTH_FALL) >= Self::RARE {
            return None;
        }
        // A delivery that came later or earlier than in the year before.
        let near = (
            sum(months.start.saturating_sub(2)..months.start),
            sum(months.end..(months.end + 2).min(expected.len())),
        );
        let more = near.0.0 + near.1.0 - growth * (near.0.1 + near.1.1);
        (more < 0.5 * (wanted - held)).then_some(wanted)
    }

    /// The last twelve months together, beside the same months of the year before training.
    fn year(&self, series: &Series<'_>, now: &Now, what: &str) -> Option<String> {
        let Window { first, end, bunching, .. } = now.window;
        let start = first.max(end.saturating_sub(12));
        if end <= series.then.len().max(start) {
            return None;
        }
        let wanted: f64 = (start..end).map(|month| Self::expected(series, now, month)).sum();
        let held: u64 = series.now[start..end].iter().sum();
        (at_most(held as f64 / bunching, wanted / bunching, Self::YEAR_FALL) < Self::RARE).then(|| {
            format!(
                "of {} it has {held} {what}, where {wanted:.0} would be expected after the year before training",
                self.span(start, end)
            )
        })
    }

    /// How many rows a month would have as things were at training.
    fn expected(series: &Series<'_>, now: &Now, month: usize) -> f64 {
        let then = series.then;
        let years = (month + 1).saturating_sub(then.len()).div_ceil(12);
        let rows = match month.checked_sub(12 * years).and_then(|place| then.get(place)) {
            Some(&rows) => rows as f64,
            None => Self::usual(then),
        };
        rows * now.window.people
    }

    /// The rows of a usual month, where training had no such calendar month: the median, since a source that is returned
    /// once a year has all its rows in one. Of so few months that one delivery may be all of them nothing follows.
    fn usual(months: &[u64]) -> f64 {
        let mut rows = months.to_vec();
        rows.sort_unstable();
        match rows.get(rows.len() / 2) {
            Some(&median) if rows.len() > Self::FILLING_MONTHS => median as f64,
            _ => 0.0,
        }
    }

    /// What is found in the rows of which `empty`, then and now, lack `what`.
    fn emptier(&self, empty: (&[u64], &[u64]), now: &Now, what: &str) -> Vec<String> {
        // Now the mapping may name no such column, and then no row has it.
        let filled = |profile: &Self, empty: &[u64]| -> Vec<u64> {
            let empty = |month: usize| empty.get(month).copied().unwrap_or(profile.months[month]);
            (0..profile.months.len()).map(|month| profile.months[month] - empty(month)).collect()
        };
        let (then, held) = (filled(self, empty.0), filled(&now.profile, empty.1));
        let found = self.series(&Series { then: &then, now: &held }, now, &format!("rows with {what}"));
        if !found.is_empty() {
            return found.into_iter().map(|(_, words)| words).collect();
        }
        let share = |profile: &Self, filled: &[u64]| {
            let last = profile.months.len().saturating_sub(12);
            let [rows, filled] =
                [&profile.months, filled].map(|months| months[last..].iter().sum::<u64>() as f64);
            (rows, (rows - filled) / rows.max(1.0))
        };
        let ((_, then), (rows, held)) = (share(self, &then), share(&now.profile, &held));
        let error = (held * (1.0 - held) * now.window.bunching / rows.max(1.0)).sqrt();
        // 3.09 standard errors: one in a thousand.
        if rows >= Self::FEWEST as f64 && held - 3.09 * error > then + Self::EMPTY_RISE {
            let [held, then] = [held, then].map(|share| 100.0 * share);
            vec![format!(
                "{held:.0}% of the rows of its last twelve months are without {what}; when the model was trained {then:.0}%"
            )]
        } else {
            Vec::new()
        }
    }

    fn fewer_people(&self, now: &Now) -> Option<String> {
        let share = |profile: &Self| profile.people_with_rows as f64 / profile.people.max(1) as f64;
        let (then, held) = (share(self), share(&now.profile));
        let expected = self.people_with_rows as f64 * now.window.people;
        (held < Self::PEOPLE_FALL * then
            && at_most(now.profile.people_with_rows as f64, expected, Self::PEOPLE_FALL) < Self::RARE)
            .then(|| {
                let [held, then] = [held, then].map(|share| 100.0 * share);
                format!(
                    "{held:.1}% of people have a row in its last twelve months; when the model was trained {then:.1}%"
                )
            })
    }

    fn kinds_gone(&self, now: &Now, since: Day) -> Vec<String> {
        let Window { people, bunching, .. } = now.window;
        let is_all_read = since <= self.from && now.profile.as_of >= self.as_of;
        let is_gone = |then: &&KindProfile| match now.profile.kinds.iter().find(|held| held.kind == then.kind)
        {
            None if is_all_read => true,
            Some(KindProfile { last_year: 1.., .. }) => false,
            _ => at_most(0.0, then.last_year as f64 * people / bunching, Self::MONTH_FALL) < Self::RARE,
        };
        let gone = self.kinds.iter().filter(is_gone);
        gone.map(|then| {
            let KindProfile { kind, rows, last_year } = then;
            format!(
                "it has no row of the kind \"{kind}\" in its last twelve months; when the model was trained it had \
                 {last_year} ({rows} in all)"
            )
        })
        .collect()
    }

    /// Months by their names.
    fn span(&self, first: usize, end: usize) -> String {
        let [first, last] = [first, end - 1].map(|month| month_name(month_of(self.from) + month as i32));
        if first == last { first } else { format!("{first} to {last}") }
    }
}

/// Counts a source's rows that were known at the snapshot's date.
fn counted(source: &Source, snapshot: &Snapshot<'_>, from: Option<Day>, of: SourceProfile) -> SourceProfile {
    let as_of = snapshot.as_of();
    let to = source.coverage.to.map_or(as_of.day(), |to| as_of.day().min(to + 1));
    let end = month_of(to);
    // Of now all kinds are kept: one row more or less of a rare kind is not the kind's end.
    let fewest = if from.is_some() { 1 } else { SourceProfile::FEWEST };
    let first = from.map_or(end - SourceProfile::MONTHS as i32, month_of);
    let starts: Vec<i32> = (first..=end.max(first)).map(|month| first_day(month).epoch_days()).collect();
    let year = to.plus_months(-12).epoch_days();
    let events = source.events();
    let (mut found, mut last, mut squares, mut in_year) = (of, None, 0, 0);
    let mut kinds = vec![(0_u64, 0_u64); source.kinds.len()];
    // One more month than there are whole ones, for what came after them.
    let mut months = vec![(0_u64, 0_u64, 0_u64); starts.len()];
    // The person's rows of the last year by month: of few months, since it is a year.
    let mut recent: Vec<(usize, u64)> = Vec::new();
    for person in 0..found.people as u32 {
        recent.clear();
        // Superseded states among them: a return that says again what an earlier one said takes nothing from the month in
        // which that came, and shows that the source goes on.
        for row in events.told(person, as_of) {
            let known = events.known(row);
            let is_recent = known >= year && known < to.epoch_days();
            last = last.max(Some(known));
            let kind = &mut kinds[usize::from(events.kind[row])];
            kind.0 += 1;
            kind.1 += u64::from(is_recent);
            found.rows += 1;
            match starts.partition_point(|&start| start <= known).checked_sub(1) {
                None => found.before += 1,
                Some(month) => {
                    let is_empty = events.value.as_ref().is_some_and(|values| values[row].is_nan());
                    months[month].0 += 1;
                    if is_recent {
                        match recent.iter_mut().find(|held| held.0 == month) {
                            Some(held) => held.1 += 1,
                            None => recent.push((month, 1)),
                        }
                    }
                    months[month].1 += u64::from(is_empty);
                    let is_of_nothing =
                        events.of.as_ref().is_some_and(|of| of[row].is_nan() || of[row] == 0.0);
                    months[month].2 += u64::from(is_of_nothing);
                }
            }
        }
        found.people_with_rows += u64::from(!recent.is_empty());
        squares += recent.iter().map(|(_, rows)| rows * rows).sum::<u64>();
        in_year += recent.iter().map(|(_, rows)| rows).sum::<u64>();
    }
    months.pop();
    // Months before the first row say nothing.
    let silent = if from.is_some() { 0 } else { months.iter().take_while(|month| month.0 == 0).count() };
    months.drain(..silent);
    found.to = to;
    found.from = first_day(first + silent as i32);
    found.last = last.map(Day::from_epoch_days);
    found.bunching = if in_year > 0 { squares as f64 / in_year as f64 } else { 1.0 };
    if events.value.is_some() {
        found.empty = months.iter().map(|month| month.1).collect();
    }
    if events.of.is_some() {
        found.of_nothing = months.iter().map(|month| month.2).collect();
    }
    found.months = months.into_iter().map(|month| month.0).collect();
    let kinds = source.kinds.iter().zip(kinds).filter(|(_, (rows, _))| *rows >= fewest);
    found.kinds = kinds
        .map(|(kind, (rows, last_year))| KindProfile { kind: kind.to_string(), rows, last_year })
        .collect();
    found
}

fn first_day(month: i32) -> Day {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
    let day = i16::try_from(year).ok().and_then(|year| Day::from_ymd(year, month as i8 + 1, 1));
    day.unwrap_or(Day::from_epoch_days(if year < 1 { i32::MIN } else { i32::MAX }))
}

/// Months since the year 0.
fn month_of(day: Day) -> i32 {
    let (year, month, _) = day.ymd();
    12 * i32::from(year) + i32::from(month) - 1
}

/// `2024-03`
fn month_name(month: i32) -> String {
    format!("{}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Coverage, Extract, Known, Records, SourceMapping};
    use polars::df;
    use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

    /// A record of a person: month since January 2020, kind, and whether a value is given.
    #[derive(Clone, Copy)]
    struct Row(i32, &'static str, bool);

    /// Twenty records a month of a hundred people, and none in August; a tenth of them are visits.
    fn rows() -> Vec<Row> {
        let months = (0..60).filter(|month| month % 12 != 7);
        months
            .flat_map(|month| {
                (0..20).map(move |nth| Row(month, if nth < 2 { "visit" } else { "call" }, true))
            })
            .collect()
    }

    fn records(rows: &[Row], to: &str) -> Records {
        let (frame, mapping) = table(rows, to);
        Records::builder().source(mapping, Extract::frame(frame)).build().unwrap()
    }

    fn table(rows: &[Row], to: &str) -> (DataFrame, SourceMapping) {
        let who: Vec<String> = (0..rows.len()).map(|row| format!("p{}", row * 37 % 100)).collect();
        let on: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(row, held)| format!("{}-{:02}", month_name(24_240 + held.0), 1 + row % 28))
            .collect();
        let kind: Vec<&str> = rows.iter().map(|row| row.1).collect();
        let value: Vec<Option<f64>> = rows.iter().map(|row| row.2.then_some(12.0)).collect();
        let frame = df!("who" => who, "on" => on, "kind" => kind, "value" => value).unwrap();
        let coverage = Coverage { to: Some(to.parse().unwrap()), ..Coverage::default() };
        let mapping = SourceMapping::new("calls", "who", "", "on")
            .kind_column("kind")
            .value("value")
            .coverage(coverage);
        (frame, mapping)
    }

    const TO: &str = "2024-12-31";

    /// What is found on 1 January 2025 in records of which the model was trained two years before.
    fn found(now: &[Row]) -> Vec<ChangeIn> {
        changes(&rows(), now, "2015-01-01").into_iter().map(|change| change.what).collect()
    }

    fn changes(then: &[Row], now: &[Row], since: &str) -> Vec<SourceChange> {
        let then = records(then, TO);
        let profile = SourceProfile::of(&then.as_of("2023-01-01".parse().unwrap()), "calls").unwrap();
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<SourceProfile>(&text).unwrap(), profile);
        let now = records(now, TO);
        profile.changes(&now.as_of("2025-01-01".parse().unwrap()), since.parse().unwrap())
    }

    fn without(gone: impl Fn(usize, &Row) -> bool) -> Vec<Row> {
        rows().into_iter().enumerate().filter(|(nth, row)| !gone(*nth, row)).map(|(_, row)| row).collect()
    }

    #[test]
    fn a_source_that_goes_on_is_what_it_was() {
        assert_eq!(found(&rows()), []);
        let mut grown = rows();
        grown.extend(rows().into_iter().filter(|row| row.0 >= 36));
        assert_eq!(found(&grown), [], "more since training is no fault");
        assert_eq!(found(&without(|nth, row| row.0 >= 48 && nth % 10 == 0)), [], "a tenth less");
    }

    #[test]
    fn rows_of_the_past_that_are_gone_or_doubled_are_found() {
        assert_eq!(found(&without(|nth, row| row.0 > 0 || nth > 0)).first(), Some(&ChangeIn::Past));
        assert!(found(&without(|nth, _| nth % 2 == 0)).contains(&ChangeIn::Past), "halved");
        assert!(found(&without(|nth, row| row.0 < 36 && nth % 2 == 0)).contains(&ChangeIn::Past));
        let twice = [rows(), rows()].concat();
        assert!(found(&twice).contains(&ChangeIn::Past), "read twice");
    }

    #[test]
    fn a_month_left_out_is_found_and_one_that_is_always_quiet_is_not() {
        // Of the years that training saw, and of those since.
        assert_eq!(found(&without(|_, row| row.0 == 30)), [ChangeIn::Month]);
        let many = |then: &[Row]| -> Vec<Row> { then.iter().flat_map(|row| [*row; 4]).collect() };
        let now = many(&without(|_, row| row.0 == 52));
        let words: Vec<String> =
            changes(&many(&rows()), &now, "2015-01-01").into_iter().map(|change| change.words).collect();
        assert_eq!(words, ["of 2024-05 it has 0 rows, where 80 would be expected"]);
    }

    #[test]
    fn an_end_that_came_early_is_found_once_the_last_months_are_full() {
        assert!(found(&without(|_, row| row.0 >= 50)).contains(&ChangeIn::End));
        assert_eq!(found(&without(|_, row| row.0 >= 58)), [], "two months of few rows may be on their way");
    }

    #[test]
    fn values_that_are_blank_and_kinds_that_are_gone_are_found() {
        let blank = |from: i32| -> Vec<Row> {
            rows().into_iter().map(|row| Row(row.0, row.1, row.0 < from)).collect()
        };
        assert!(
            found(&blank(0)).iter().all(|what| *what == ChangeIn::Values) && !found(&blank(0)).is_empty()
        );
        assert!(found(&blank(48)).contains(&ChangeIn::Values));
        let renamed: Vec<Row> = rows()
            .into_iter()
            .map(|row| if row.1 == "visit" { Row(row.0, "Visit (new)", row.2) } else { row })
            .collect();
        assert_eq!(found(&renamed), [ChangeIn::Kinds]);
    }

    #[test]
    fn numbers_that_values_are_a_part_of_are_missed_like_values() {
        // Blank, 0, or as before, from a month on.
        let of = |blank: i32, to: Option<f64>| -> Vec<ChangeIn> {
            let profiled = |from: i32| {
                let held = rows();
                let number = |row: &Row| if row.0 < from { Some(60.0) } else { to };
                let possible: Vec<Option<f64>> = held.iter().map(number).collect();
                let missed: Vec<Option<f64>> = possible.iter().map(|of| of.map(|of| of / 4.0)).collect();
                let (mut frame, mapping) = table(&held, TO);
                frame.with_column(Series::new("value".into(), missed).into_column()).unwrap();
                frame.with_column(Series::new("possible".into(), possible).into_column()).unwrap();
                Records::builder().source(mapping.of("possible"), Extract::frame(frame)).build().unwrap()
            };
            let then = profiled(i32::MAX);
            let profile = SourceProfile::of(&then.as_of("2023-01-01".parse().unwrap()), "calls").unwrap();
            let text = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<SourceProfile>(&text).unwrap(), profile);
            let now = profiled(blank);
            let found =
                profile.changes(&now.as_of("2025-01-01".parse().unwrap()), "2015-01-01".parse().unwrap());
            found.into_iter().map(|change| change.what).collect()
        };
        assert_eq!(of(i32::MAX, None), []);
        for to in [None, Some(0.0)] {
            for from in [0, 48] {
                let found = of(from, to);
                assert!(found.contains(&ChangeIn::Values), "{from} {to:?}");
                assert!(found.iter().all(|what| *what == ChangeIn::Values), "{found:?}");
            }
        }
    }

    #[test]
    fn what_no_feature_reads_may_go() {
        let recent = without(|_, row| row.0 < 44);
        assert!(!changes(&rows(), &recent, "2015-01-01").is_empty());
        assert_eq!(changes(&rows(), &recent, "2024-01-01"), []);
    }

    #[test]
    fn of_a_source_of_a_few_rows_nothing_is_said_but_that_all_are_gone() {
        let few: Vec<Row> = rows().into_iter().step_by(90).collect();
        assert!(few.len() < 20);
        let half: Vec<Row> = few.iter().copied().step_by(2).collect();
        assert_eq!(changes(&few, &half, "2015-01-01"), []);
        // One row that became known on the as-of date: nothing is visible.
        let none = [Row(60, "call", true)];
        assert_eq!(changes(&few, &none, "2015-01-01").len(), 1);
    }

    /// Returns of the end of each March: an episode that was open in one comes again, closed, in the next.
    fn returns(until: i32) -> Records {
        let (mut who, mut reference, mut on) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ended, mut returned) = (Vec::new(), Vec::new());
        for year in 2022..=until {
            for nth in 0..120 {
                for (told, end) in [(year, None), (year + 1, Some(format!("{year}-{:02}-14", 4 + nth % 9)))] {
                    if told <= until {
                        who.push(format!("p{nth}"));
                        reference.push(format!("{year}-{nth}"));
                        on.push(format!("{}-{:02}-{:02}", year - 1, 4 + nth % 9, 1 + nth % 28));
                        ended.push(end);
                        returned.push(format!("{told}-03-30"));
                    }
                }
            }
        }
        let table = df!("who" => who, "ref" => reference, "on" => on, "end" => ended, "returned" => returned);
        let mapping = SourceMapping::new("care", "who", "episode", "on")
            .ended("end")
            .reference("ref")
            .known(Known::Column("returned".into()));
        Records::builder().source(mapping, Extract::frame(table.unwrap())).build().unwrap()
    }

    #[test]
    fn a_return_that_closes_what_an_earlier_one_left_open_takes_nothing_from_it() {
        for (trained, scored, until) in [
            ("2022-04-01", "2023-03-31", 2023),
            ("2023-04-01", "2024-03-31", 2024),
            ("2022-07-01", "2024-07-01", 2024),
        ] {
            let now = returns(until);
            let profile = SourceProfile::of(&now.as_of(trained.parse().unwrap()), "care").unwrap();
            let found = profile.changes(&now.as_of(scored.parse().unwrap()), "2015-01-01".parse().unwrap());
            assert_eq!(found, [], "{trained} {scored}");
        }
        // The return of a year that was forgotten is missed.
        let then = returns(2023);
        let profile = SourceProfile::of(&then.as_of("2023-04-01".parse().unwrap()), "care").unwrap();
        let found =
            profile.changes(&then.as_of("2024-07-01".parse().unwrap()), "2015-01-01".parse().unwrap());
        assert!(!found.is_empty());
    }
}
