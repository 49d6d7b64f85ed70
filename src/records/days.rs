//! Dates as they are written: their forms, the order of day and month, and what is plausible.

use serde::{Deserialize, Serialize};

use super::column::NO_DAY;
use super::month::month_named;
use crate::calendar::Day;

/// What is stated about one cell's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    DayFirst,
    MonthFirst,
    /// Counted in days from this one, if the row has one.
    DaysFrom(Option<i32>),
}

/// The first and the last day that a date can be, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plausible {
    pub(crate) first: i32,
    pub(crate) last: i32,
}

impl Plausible {
    /// From the second day of 1900 on: systems write the first where they know none. To a day after which no record of
    /// today can lie, as long as nothing better is known.
    pub(crate) const DEFAULT: Self = Self { first: -25_566, last: 47_481 };

    pub(super) fn has(self, day: i32) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DateWritten {
    /// `2024-03-31` or `2024/03/31`.
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    /// In any of these ways, with a time behind it.
    #[serde(rename = "with a time")]
    WithTime,
    /// Three numbers, the day before the month: `31/03/2024`, `31.03.2024`.
    #[serde(rename = "dd/mm/yyyy")]
    DayFirst,
    /// Three numbers, the month before the day: `03/31/2024`.
    #[serde(rename = "mm/dd/yyyy")]
    MonthFirst,
    /// The month by its name: `31-Mar-2024`.
    #[serde(rename = "dd-Mon-yyyy")]
    MonthNamed,
    /// `20240331`.
    #[serde(rename = "yyyymmdd")]
    Compact,
    /// The number of days that spreadsheets write.
    #[serde(rename = "Excel serial")]
    Serial,
    /// A number of days from a day that the project states.
    #[serde(rename = "days from a day")]
    Offset,
    /// A month without a day.
    #[serde(rename = "yyyy-mm")]
    Month,
    /// As a date, which the file knows as such.
    #[serde(rename = "a date by its type")]
    Typed,
}

/// How many ways there are.
pub(super) const WAYS: usize = DateWritten::ALL.len();

impl DateWritten {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Iso,
        Self::WithTime,
        Self::DayFirst,
        Self::MonthFirst,
        Self::MonthNamed,
        Self::Compact,
        Self::Serial,
        Self::Offset,
        Self::Month,
        Self::Typed,
    ];

    /// What it is called.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Iso => "yyyy-mm-dd",
            Self::WithTime => "with a time",
            Self::DayFirst => "dd/mm/yyyy",
            Self::MonthFirst => "mm/dd/yyyy",
            Self::MonthNamed => "dd-Mon-yyyy",
            Self::Compact => "yyyymmdd",
            Self::Serial => "Excel serial",
            Self::Offset => "days from a day",
            Self::Month => "yyyy-mm",
            Self::Typed => "a date by its type",
        }
    }

    /// How a number is written that is a day.
    pub(super) fn number(number: f64, form: Option<Stated>) -> Self {
        match form {
            Some(Stated::DaysFrom(_)) => Self::Offset,
            _ if SERIALS.contains(&number) => Self::Serial,
            _ => Self::Compact,
        }
    }
}

/// Serial numbers have five digits from 1927 to 2173; fewer or more would be taken for other things.
const SERIALS: std::ops::Range<f64> = 10_000.0..100_000.0;

/// What the dates of a column show of the order of day and month, and how they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Dates by the way they are written, since somebody last took these counts.
    pub(super) written: [u64; WAYS],
    /// The first number is above 12 in so many, so it is the day.
    day_first: u64,
    /// The second is.
    month_first: u64,
    /// Both could be either, and they differ.
    either: u64,
}

/// What is wrong with the order of day and month in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderFault {
    /// No date of the column shows it.
    Unclear,
    /// Every date that shows it has the month first.
    MonthFirst,
    /// Some have the day first and some the month.
    Mixed,
}

impl Order {
    /// Whether dates show that the day stands first, and none the other way round.
    pub(super) fn is_day_first(&self) -> bool {
        self.day_first > 0 && self.month_first == 0
    }

    /// Takes note of how a date is written.
    pub(super) fn note(&mut self, written: DateWritten) {
        self.written[written as usize] += 1;
    }

    pub(super) fn fault(self) -> Option<OrderFault> {
        match self {
            Self { either: 0, month_first: 0, .. } => None,
            Self { day_first: 0, month_first: 0, .. } => Some(OrderFault::Unclear),
            Self { day_first: 0, .. } => Some(OrderFault::MonthFirst),
            // A date whose month is above 12 is no date; one that reads otherwise only the other way round is seldom chance.
            Self { month_first, day_first, .. } if month_first > 0 && day_first < 20 * month_first => {
                Some(OrderFault::Mixed)
            }
            _ => None,
        }
    }
}

impl OrderFault {
    /// What is wrong, and what to do.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unclear => {
                "every date could have the day or the month first; say which: read = { dates = \"dd/mm/yyyy\" } or \
                 \"mm/dd/yyyy\""
            }
            Self::MonthFirst => {
                "the month stands first in its dates; say so: read = { dates = \"mm/dd/yyyy\" }"
            }
            Self::Mixed => {
                "some dates have the day first and some the month, so none can be trusted; export them in one form, \
                 best as yyyy-mm-dd"
            }
        }
    }
}

/// Reads one text. `NO_DAY` for an empty one, `None` for what is no date.
pub(super) fn read(text: &str, form: Option<Stated>, order: &mut Order) -> Option<i32> {
    if text.is_empty() {
        return Some(NO_DAY);
    }
    if let Some(day) = iso(text) {
        let is_date_alone = text.len() <= "2024-03-31".len();
        order.note(if is_date_alone { DateWritten::Iso } else { DateWritten::WithTime });
        return Some(day.epoch_days());
    }
    if let Ok(number) = text.parse::<f64>() {
        let day = number_of_days(number, form);
        day.inspect(|_| order.note(DateWritten::number(number, form)));
        return day;
    }
    let (date, behind) = parts(text)?;
    if !(behind.is_empty() || is_time(behind)) {
        return None;
    }
    let [a, b, year] = date;
    let year: i16 = year.parse().ok()?;
    let of = |day: &str, month: i8| Day::from_ymd(year, month, day.parse().ok()?);
    let way = |way| if behind.is_empty() { way } else { DateWritten::WithTime };
    if let Some(month) = month_named(b) {
        let day = of(a, month).map(Day::epoch_days);
        day.inspect(|_| order.note(way(DateWritten::MonthNamed)));
        return day;
    }
    let (first, second): (i8, i8) = (a.parse().ok()?, b.parse().ok()?);
    // A mistyped year is implausible whichever way round it is: such a date shows nothing of the others.
    if form.is_none() && (1800..2100).contains(&year) {
        match (first > 12, second > 12) {
            (true, false) => order.day_first += 1,
            (false, true) => order.month_first += 1,
            (false, false) if first != second => order.either += 1,
            _ => {}
        }
    }
    let is_month_first = form == Some(Stated::MonthFirst);
    let day = if is_month_first { of(b, first) } else { of(a, second) };
    let written = if is_month_first { DateWritten::MonthFirst } else { DateWritten::DayFirst };
    day.inspect(|_| order.note(way(written)));
    day.map(Day::epoch_days)
}

/// Reads a date that needs no column around it to be understood; day first where a slash parts it, as councils write.
pub(super) fn parse_day(text: &str) -> Option<Day> {
    let mut order = Order::default();
    let day = read(text, Some(Stated::DayFirst), &mut order)?;
    (day != NO_DAY).then(|| Day::from_epoch_days(day))
}

/// A number as a day: `20240331`, a spreadsheet's serial number, or an offset from the day that was said.
pub(super) fn number_of_days(number: f64, form: Option<Stated>) -> Option<i32> {
    /// Day 0 of spreadsheets, 1899-12-30.
    const ZERO: i32 = -25_569;
    if let Some(Stated::DaysFrom(zero)) = form {
        let is_offset = number.fract() == 0.0 && number.abs() < 100_000.0;
        return zero.filter(|_| is_offset).map(|zero| zero + number as i32);
    }
    if SERIALS.contains(&number) {
        // What follows the point is the time of day.
        return Some(ZERO + number as i32);
    }
    if number.fract() == 0.0 && (10_000_000.0..100_000_000.0).contains(&number) {
        let number = number as i32;
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        return Day::from_ymd(year as i16, month as i8, day as i8).map(Day::epoch_days);
    }
    None
}

/// `2024-03-31` or `2024/03/31`, with or without a time: the commonest form, read without looking at any other.
fn iso(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    if let &[a, b, c, d, mark @ (b'-' | b'/'), e, f, again, g, h] = bytes
        && mark == again
        && [a, b, c, d, e, f, g, h].iter().all(u8::is_ascii_digit)
    {
        let digit = |byte: u8| i16::from(byte - b'0');
        let two = |tens: u8, ones: u8| 10 * digit(tens) + digit(ones);
        return Day::from_ymd(100 * two(a, b) + two(c, d), two(e, f) as i8, two(g, h) as i8);
    }
    let is_four_digits = bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit);
    if !is_four_digits || !matches!(bytes[4], b'-' | b'/') {
        return None;
    }
    let rest = &text[5..];
    let (month, rest) = rest.split_once(bytes[4] as char)?;
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (day, behind) = rest.split_at(end);
    let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(month) || !digits(day) || !(behind.is_empty() || is_time(behind)) {
        return None;
    }
    Day::from_ymd(text[..4].parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Day, month and year in the order in which they stand, and what follows them.
fn parts(text: &str) -> Option<([&str; 3], &str)> {
    let separator = |byte: u8| matches!(byte, b'/' | b'.' | b'-' | b' ');
    let first = text.bytes().position(separator)?;
    let mark = text.as_bytes()[first];
    let (a, rest) = (&text[..first], &text[first + 1..]);
    let second = rest.bytes().position(|byte| byte == mark)?;
    let (b, rest) = (&rest[..second], &rest[second + 1..]);
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (year, behind) = rest.split_at(end);
    let short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (short(a) && (short(b) || month_named(b).is_some()) && year.len() == 4).then_some(([a, b, year], behind))
}

/// Whether what follows a date is a time: `T08:30:00Z`, ` 08:30`, ` 8:30 PM`.
fn is_time(behind: &str) -> bool {
    let mut bytes = behind.bytes();
    let Some(b'T' | b't' | b' ' | b',') = bytes.next() else { return false };
    let rest = behind[1..].trim_start();
    rest.is_empty()
        || rest.as_bytes()[0].is_ascii_digit()
            && rest.contains(':')
            && rest.bytes().all(|byte| {
                byte.is_ascii_digit()
                    || matches!(
                        byte,
                        b':' | b'.' | b',' | b'+' | b'-' | b' ' | b'Z' | b'z' | b'[' | b']' | b'/' | b'_'
                    )
                    || byte.is_ascii_alphabetic()
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_day_that_can_be_told_is_read() {
        let day = Day::from_ymd(2024, 3, 1);
        for text in [
            "2024-03-01",
            "2024/03/01",
            "2024-3-1",
            "01/03/2024",
            "1/3/2024",
            "01.03.2024",
            "01-03-2024",
            "1-Mar-2024",
            "01 March 2024",
            "01-MAR-2024",
            "20240301",
            "45352",
            "45352.75",
            "2024-03-01T08:30:00",
            "2024-03-01T23:30:00Z",
            "2024-03-01 00:00:00+01:00",
            "01/03/2024 08:30",
            "1/3/2024 8:30 PM",
            "2024-03-01T00:00:00+01:00[Europe/London]",
        ] {
            assert_eq!(parse_day(text), day, "{text}");
        }
        for text in [
            "31/02/2023",
            "n/k",
            "1/3/24",
            "2024-13-01",
            "",
            "2024-03",
            "20241301",
            "12",
            "1-Foo-2024",
            "2024-03-01x",
            "2024-03-01 seen at home",
            "99999999",
            "1e4",
            "-5",
            "March 2024",
            "01/03-2024",
        ] {
            let read = parse_day(text);
            assert!(read.is_none() || text == "1e4", "{text} {read:?}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_looked_for_in_the_whole_column() {
        let fault = |texts: &[&str]| {
            let mut order = Order::default();
            for text in texts {
                read(text, None, &mut order);
            }
            order.fault()
        };
        assert_eq!(fault(&["31/03/2024", "01/02/2024"]), None);
        assert_eq!(fault(&["01/02/2024", "05/05/2024"]), Some(OrderFault::Unclear));
        assert_eq!(fault(&["05/05/2024", "2024-03-01"]), None);
        // A year that nobody can have meant is implausible both ways.
        assert_eq!(fault(&["12/08/0024", "12/08/2224", "2024-03-01"]), None);
        assert_eq!(fault(&["03/31/2024", "01/02/2024"]), Some(OrderFault::MonthFirst));
        assert_eq!(fault(&["03/31/2024", "31/03/2024"]), Some(OrderFault::Mixed));
        // A slip among many dates of one form is a reject, not a reason to doubt the others.
        let mut many = vec!["31/03/2024"; 40];
        many.push("03/31/2024");
        assert_eq!(fault(&many), None);
    }

    #[test]
    fn what_is_said_is_how_it_is_read() {
        let mut order = Order::default();
        let mut of = |text: &str, form| read(text, Some(form), &mut order).map(Day::from_epoch_days);
        let zero = Stated::DaysFrom(Day::from_ymd(2013, 10, 1).map(Day::epoch_days));
        assert_eq!(of("03/01/2024", Stated::MonthFirst), Day::from_ymd(2024, 3, 1));
        assert_eq!(of("31/01/2024", Stated::MonthFirst), None);
        assert_eq!(of("-1", zero), Day::from_ymd(2013, 9, 30));
        assert_eq!(of("40000", zero).unwrap().to_string(), "2123-04-08");
        assert_eq!(of("1.5", zero), None);
        assert_eq!(of("1", Stated::DaysFrom(None)), None);
        assert_eq!(of("2013-09-30", Stated::DaysFrom(None)), Day::from_ymd(2013, 9, 30));
        order.written = Order::default().written;
        assert_eq!(order, Order::default());
    }

    #[test]
    fn plausible_days_begin_after_the_first_of_1900_and_end_with_2099() {
        let day = |text: &str| parse_day(text).unwrap().epoch_days();
        let plausible = Plausible::DEFAULT;
        assert_eq!((plausible.first, plausible.last), (day("1900-01-02"), day("2099-12-31")));
        assert!(!plausible.has(day("0024-08-12")) && !plausible.has(day("1900-01-01")));
    }
}
