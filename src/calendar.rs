//! Dates, and the three ways a date bounds what may be seen.
//!
//! Everything is a civil date: no clock, no time zone. Windows are half-open, so that a day
//! belongs to exactly one of "before" and "from then on":
//!
//! ```text
//!        Lookback                     Horizon
//! [as-of − span, as-of)        [as-of, as-of + span)
//!  what a feature may read      what an outcome may read
//! ```
//!
//! ```
//! use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
//!
//! let as_of = AsOf::new("2024-03-31".parse()?);
//! assert_eq!(Lookback::Days(30).start(as_of).to_string(), "2024-03-01");
//! assert_eq!(Lookback::Months(1).start(as_of).to_string(), "2024-02-29");
//! assert_eq!(Horizon::Months(12).end(as_of).to_string(), "2025-03-31");
//! # Ok::<(), earlyhelp::calendar::CalendarError>(())
//! ```

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

pub use crate::error::CalendarError;

/// A civil date, kept as days since 1970-01-01.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Day;
/// let day: Day = "2024-02-28".parse()?;
/// assert_eq!((day + 2).to_string(), "2024-03-01");
/// assert_eq!((day + 2) - day, 2);
/// # Ok::<(), earlyhelp::calendar::CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

const COMMON_YEARS: std::ops::Range<i16> = 1900..2100;

/// The first day of each month of the common years, and of the month after them, as days since 1970-01-01.
static MONTHS: LazyLock<Vec<i32>> = LazyLock::new(|| {
    let years = COMMON_YEARS.start..=COMMON_YEARS.end;
    let months =
        years.flat_map(|year| (1..=12).map(move |month| Day::from(Date::constant(year, month, 1)).0));
    months.take(12 * COMMON_YEARS.len() + 1).collect()
});

impl Day {
    /// The first and the last day that the civil calendar here knows (years 1 to 9999).
    pub(crate) const BOUNDS: (i32, i32) = (-719_162, 2_932_896);

    /// The day of a year, month (1-12) and day of the month; `None` where there is none.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        if year < 1 {
            return None;
        }
        // A look-up for nearly all days that a table of records can have.
        if COMMON_YEARS.contains(&year) && (1..=12).contains(&month) {
            let place = 12 * (year - COMMON_YEARS.start) as usize + month as usize - 1;
            let (first, next) = (MONTHS[place], MONTHS[place + 1]);
            let found = first + i32::from(day) - 1;
            return (day >= 1 && found < next).then_some(Self(found));
        }
        Date::new(year, month, day).ok().map(Self::from)
    }

    /// The day so many days after 1970-01-01 (before it, when negative), held to years 1 to 9999.
    #[must_use]
    pub fn from_epoch_days(days: i32) -> Self {
        Self(days.clamp(Self::BOUNDS.0, Self::BOUNDS.1))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// The same day as a [`jiff::civil::Date`].
    #[must_use]
    pub fn date(self) -> Date {
        Date::constant(1970, 1, 1)
            .checked_add(SignedDuration::from_hours(i64::from(self.0) * 24))
            .unwrap_or(Date::MAX)
    }

    /// Year, month (1-12) and day of the month.
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        let date = self.date();
        (date.year(), date.month(), date.day())
    }

    /// Whole calendar months later (earlier, when negative); the day of the month is held to the
    /// month's last day, so one month after 31 January is 28 or 29 February.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        // More months than there are between the first day and the last, and than a span can hold.
        const MOST: i32 = 12 * 19_000;
        match self.date().checked_add(i64::from(months.clamp(-MOST, MOST)).months()) {
            Ok(date) => Self::from(date),
            Err(_) => Self::from_epoch_days(if months < 0 { i32::MIN } else { i32::MAX }),
        }
    }

    /// Whole years from `birth` to this day: an age. Negative before birth.
    #[must_use]
    pub fn years_since(self, birth: Self) -> i32 {
        let ((y, m, d), (by, bm, bd)) = (self.ymd(), birth.ymd());
        i32::from(y) - i32::from(by) - i32::from((m, d) < (bm, bd))
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        let hours = date.duration_since(Date::constant(1970, 1, 1)).as_hours();
        Self::from_epoch_days(i32::try_from(hours / 24).unwrap_or(Self::BOUNDS.1))
    }
}

impl FromStr for Day {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        text.trim()
            .parse::<Date>()
            .ok()
            .filter(|date| date.year() >= 1)
            .map(Self::from)
            .ok_or(CalendarError::NotADate)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add<i32> for Day {
    type Output = Self;
    fn add(self, days: i32) -> Self {
        Self::from_epoch_days(self.0.saturating_add(days))
    }
}

impl Sub<i32> for Day {
    type Output = Self;
    fn sub(self, days: i32) -> Self {
        Self::from_epoch_days(self.0.saturating_sub(days))
    }
}

impl Sub for Day {
    type Output = i32;
    fn sub(self, other: Self) -> i32 {
        self.0 - other.0
    }
}

/// Writes a type as its `Display` text and reads it back with `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
serde_as_text!(Day);
serde_as_text!(AsOf);
serde_as_text!(Lookback);
serde_as_text!(Horizon);

/// What a project file's schema says of a type that is written as a text: the form that the guide names. Reading also lets
/// outer blanks pass.
#[cfg(feature = "schema")]
macro_rules! schema_of_text {
    ($type:ident, $pattern:expr, $words:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $words })
            }
        }
    };
}

#[cfg(feature = "schema")]
mod schema {
    use super::{AsOf, Day, Horizon, Lookback};

    const DAY: &str = r"^\d{4}-\d{2}-\d{2}$";
    const LOOKBACK: &str = r"^(ever|[1-9]\d{0,4} days?|[1-9]\d{0,3} months?)$";
    const HORIZON: &str = r"^([1-9]\d{0,4} days?|[1-9]\d{0,3} months?)$";
    schema_of_text!(Day, DAY, "A day, quoted: \"2024-04-01\".");
    schema_of_text!(
        AsOf,
        DAY,
        "An as-of date, quoted: \"2024-04-01\". What became known on it or later is not seen."
    );
    schema_of_text!(
        Lookback,
        LOOKBACK,
        "How far back: \"90 days\" (at most 36,600), \"12 months\" (at most 1,200) or \"ever\"."
    );
    schema_of_text!(
        Horizon,
        HORIZON,
        "How far ahead: \"180 days\" (at most 36,600) or \"12 months\" (at most 1,200)."
    );
}

/// The date on which the question is asked. What became known on this day or later is not seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsOf(Day);

impl AsOf {
    /// The as-of date `day`.
    #[must_use]
    pub const fn new(day: Day) -> Self {
        Self(day)
    }

    /// The date itself.
    #[must_use]
    pub const fn day(self) -> Day {
        self.0
    }

    /// Whether something known since `known` may be seen: it must have been known **strictly
    /// before** the as-of date. This is the crate's one guard against leakage; every reader of
    /// records goes through it.
    #[must_use]
    pub(crate) const fn sees(self, known: i32) -> bool {
        known < self.0.0
    }
}

impl FromStr for AsOf {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsOf({})", self.0)
    }
}

/// How far back a feature reads: the window `[as-of − span, as-of)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lookback {
    /// So many days.
    Days(u32),
    /// So many calendar months.
    Months(u32),
    /// Since records began. Prefer a limit: what is never forgotten flags people for ever.
    Ever,
}

impl Lookback {
    /// The first day inside the window.
    #[must_use]
    pub fn start(self, as_of: AsOf) -> Day {
        match self {
            Self::Days(days) => as_of.day() - i32::try_from(days).unwrap_or(i32::MAX),
            Self::Months(months) => as_of.day().plus_months(-i32::try_from(months).unwrap_or(i32::MAX)),
            Self::Ever => Day::from_epoch_days(i32::MIN),
        }
    }

    /// The first day of the equally long window just before this one; `None` for [`Lookback::Ever`].
    #[must_use]
    pub fn start_of_previous(self, as_of: AsOf) -> Option<Day> {
        match self {
            Self::Days(days) => Some(Self::Days(days.saturating_mul(2)).start(as_of)),
            Self::Months(months) => Some(Self::Months(months.saturating_mul(2)).start(as_of)),
            Self::Ever => None,
        }
    }
}

impl Lookback {
    /// Refuses a look-back of no length, or of more than a hundred years, whoever made it.
    pub(crate) fn check(self) -> Result<(), CalendarError> {
        match self {
            Self::Days(days) => check_span(days, MOST_DAYS),
            Self::Months(months) => check_span(months, MOST_MONTHS),
            Self::Ever => Ok(()),
        }
    }
}

impl FromStr for Lookback {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        if text.trim() == "ever" {
            return Ok(Self::Ever);
        }
        Ok(match parse_span(text)? {
            (n, Unit::Days) => Self::Days(n),
            (n, Unit::Months) => Self::Months(n),
        })
    }
}

impl fmt::Display for Lookback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(n) => write!(f, "{n} days"),
            Self::Months(n) => write!(f, "{n} months"),
            Self::Ever => f.write_str("ever"),
        }
    }
}

/// How far ahead an outcome is looked for: the window `[as-of, as-of + span)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Horizon {
    /// So many days.
    Days(u32),
    /// So many calendar months.
    Months(u32),
}

impl Horizon {
    /// The first day after the window.
    #[must_use]
    pub fn end(self, as_of: AsOf) -> Day {
        match self {
            Self::Days(days) => as_of.day() + i32::try_from(days).unwrap_or(i32::MAX),
            Self::Months(months) => as_of.day().plus_months(i32::try_from(months).unwrap_or(i32::MAX)),
        }
    }

    /// The last as-of date whose window ends by a day.
    #[must_use]
    pub(crate) fn last_over_by(self, day: Day) -> Day {
        match self {
            Self::Days(days) => day - i32::try_from(days).unwrap_or(i32::MAX),
            Self::Months(months) => {
                // Of the days that one month's end stands for, the last.
                let begins = day.plus_months(-i32::try_from(months).unwrap_or(i32::MAX));
                let is_over = |from: &Day| self.end(AsOf::new(*from)) <= day;
                (0..=3).map(|later| begins + later).take_while(is_over).last().unwrap_or(begins)
            }
        }
    }
}

impl Horizon {
    /// Refuses a horizon of no length, or of more than a hundred years, whoever made it.
    pub(crate) fn check(self) -> Result<(), CalendarError> {
        match self {
            Self::Days(days) => check_span(days, MOST_DAYS),
            Self::Months(months) => check_span(months, MOST_MONTHS),
        }
        .map_err(horizon_error)
    }
}

fn horizon_error(error: CalendarError) -> CalendarError {
    if error == CalendarError::NotASpan { CalendarError::NotAHorizon } else { error }
}

impl FromStr for Horizon {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        Ok(match parse_span(text).map_err(horizon_error)? {
            (n, Unit::Days) => Self::Days(n),
            (n, Unit::Months) => Self::Months(n),
        })
    }
}

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(n) => write!(f, "{n} days"),
            Self::Months(n) => write!(f, "{n} months"),
        }
    }
}

enum Unit {
    Days,
    Months,
}

fn parse_span(text: &str) -> Result<(u32, Unit), CalendarError> {
    let (count, unit) = text.trim().split_once(' ').ok_or(CalendarError::NotASpan)?;
    let count: u64 = count.parse().ok().filter(|&n| n > 0).ok_or(CalendarError::NotASpan)?;
    let (most, unit) = match unit.trim() {
        "day" | "days" => (MOST_DAYS, Unit::Days),
        "month" | "months" => (MOST_MONTHS, Unit::Months),
        _ => return Err(CalendarError::NotASpan),
    };
    match u32::try_from(count) {
        Ok(count) if count <= most => Ok((count, unit)),
        _ => Err(CalendarError::TooLong),
    }
}

/// The longest span, in days and in months: a hundred years and a little, longer than anybody's records.
const MOST_DAYS: u32 = 36_600;
const MOST_MONTHS: u32 = 1_200;

/// Refuses a span that is empty or longer than any record goes back.
fn check_span(count: u32, most: u32) -> Result<(), CalendarError> {
    match count {
        0 => Err(CalendarError::NotASpan),
        count if count > most => Err(CalendarError::TooLong),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_window_over_by_a_day_is_the_longest_that_fits() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        for (span, by, last) in [
            ("12 months", "2024-04-01", "2023-04-01"),
            ("1 month", "2023-02-28", "2023-01-31"),
            ("12 months", "2024-02-29", "2023-02-28"),
            ("12 months", "2025-02-28", "2024-02-29"),
            ("30 days", "2024-03-31", "2024-03-01"),
        ] {
            let span: Horizon = span.parse().unwrap();
            assert_eq!(span.last_over_by(day(by)), day(last), "{span} by {by}");
            assert!(span.end(AsOf::new(day(last) + 1)) > day(by), "{span} by {by}");
        }
    }

    #[test]
    fn days_round_trip_over_the_whole_calendar() {
        for days in (Day::BOUNDS.0..Day::BOUNDS.1).step_by(397) {
            let day = Day::from_epoch_days(days);
            assert_eq!(day.to_string().parse::<Day>(), Ok(day));
            assert_eq!(Day::from(day.date()), day);
        }
        assert_eq!(Day::from_epoch_days(0).to_string(), "1970-01-01");
        assert_eq!(Day::from_epoch_days(i32::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn a_span_beyond_a_hundred_years_is_refused_where_it_is_read() {
        for text in ["200000 months", "1201 months", "36601 days", "99999999999 days"] {
            assert_eq!(text.parse::<Lookback>(), Err(CalendarError::TooLong), "{text}");
            assert_eq!(text.parse::<Horizon>(), Err(CalendarError::TooLong), "{text}");
        }
        assert!("1200 months".parse::<Lookback>().is_ok_and(|span| span.check().is_ok()));
        assert_eq!(Lookback::Months(200_000).check(), Err(CalendarError::TooLong));
        assert_eq!(Horizon::Days(0).check(), Err(CalendarError::NotAHorizon));
        assert_eq!("-1 days".parse::<Lookback>(), Err(CalendarError::NotASpan));
    }

    #[test]
    fn only_what_was_known_strictly_before_is_seen() {
        let as_of = AsOf::new(Day::from_epoch_days(100));
        assert!(as_of.sees(99));
        assert!(!as_of.sees(100));
        assert!(!as_of.sees(101));
    }

    #[test]
    fn age_turns_on_the_birthday() {
        let born = Day::from_ymd(2008, 2, 29).unwrap();
        assert_eq!(Day::from_ymd(2018, 2, 28).unwrap().years_since(born), 9);
        assert_eq!(Day::from_ymd(2018, 3, 1).unwrap().years_since(born), 10);
    }

    #[test]
    fn spans_read_back_what_they_write() {
        for text in ["30 days", "12 months", "ever"] {
            assert_eq!(text.parse::<Lookback>().unwrap().to_string(), text);
        }
        for text in ["0 days", "12", "12 weeks", "days 12", "-3 days"] {
            assert!(text.parse::<Lookback>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_looked_up_is_the_day_of_the_calendar() {
        for year in 1898..=2102_i16 {
            for (month, day) in (0..=13_i8).flat_map(|month| (-1..=32_i8).map(move |day| (month, day))) {
                let found = Day::from_ymd(year, month, day);
                assert_eq!(found, Date::new(year, month, day).ok().map(Day::from), "{year} {month} {day}");
            }
        }
        assert_eq!(Day::from_ymd(2024, 2, 29).map(Day::epoch_days), Some(19_782));
    }
}
