//! The council's clock: when it starts, when the files were drawn, half-years and school terms.
//!
//! Days are plain `i32` counts from 1970-01-01 inside the generator; they become
//! [`Day`](crate::calendar::Day) in the files.

/// Days from 1970-01-01 to a civil date, usable in constants.
pub(super) const fn day(year: i32, month: usize, day: i32) -> i32 {
    const BEFORE_MONTH: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const fn leap_days_until(year: i32) -> i32 {
        year / 4 - year / 100 + year / 400
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let shift = if leap && month > 2 { 1 } else { 0 };
    (year - 1970) * 365 + leap_days_until(year - 1) - leap_days_until(1969)
        + BEFORE_MONTH[month - 1]
        + shift
        + day
        - 1
}

/// Marks an end that has not come, or a date that is not known.
pub(super) const OPEN: i32 = i32::MAX;

/// First year of the hidden run-up. Eight years before the first record are lived through without
/// being written down, so that the council starts with as many open plans and old histories as later.
pub(super) const WARM_UP_YEAR: i32 = 2011;
/// First day of the hidden run-up.
pub(super) const WARM_UP: i32 = day(WARM_UP_YEAR, 4, 1);
/// First day with complete records.
pub(super) const RECORDS_START: i32 = day(2019, 4, 1);
/// The day the files were drawn: nothing known on it or later is in them.
pub(super) const EXTRACT: i32 = day(2025, 4, 1);
/// First day of the youth-justice system that the files come from.
pub(super) const YOUTH_JUSTICE_START: i32 = day(2021, 4, 1);

/// Half-years (April to September, October to March) from the run-up to the extract.
pub(super) const HALVES: usize = 28;
/// The first half-year with records.
pub(super) const FIRST_HALF: usize = 16;
/// Bounds of the half-years: half-year `h` is `[BOUNDS[h], BOUNDS[h + 1])`.
pub(super) const BOUNDS: [i32; HALVES + 1] = {
    let mut bounds = [0; HALVES + 1];
    let mut h = 0;
    while h <= HALVES {
        bounds[h] = day(WARM_UP_YEAR + (h as i32) / 2, if h % 2 == 0 { 4 } else { 10 }, 1);
        h += 1;
    }
    bounds
};

/// Days in a year, on average.
pub(super) const YEAR: f64 = 365.25;

/// The half-year of a day, held to the ones there are.
pub(super) fn half_of(day: i32) -> usize {
    BOUNDS[1..HALVES].partition_point(|&bound| bound <= day)
}

/// The civil year and month (1-12) of a day.
pub(super) fn year_and_month(days: i32) -> (i32, usize) {
    let mut year = 1970 + ((f64::from(days) + 0.5) / 365.2425).floor() as i32;
    while day(year, 1, 1) > days {
        year -= 1;
    }
    while day(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (1..=12).rev().find(|&month| day(year, month, 1) <= days).unwrap_or(1);
    (year, month)
}

/// The last day of a day's month.
pub(super) fn month_end(days: i32) -> i32 {
    let (year, month) = year_and_month(days);
    if month == 12 { day(year + 1, 1, 1) - 1 } else { day(year, month + 1, 1) - 1 }
}

/// The same date so many years later; 29 February becomes 1 March.
pub(super) fn plus_years(days: i32, years: i32) -> i32 {
    let (year, month) = year_and_month(days);
    day(year + years, month, days - day(year, month, 1) + 1)
}

/// A school term.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) start: i32,
    pub(super) end: i32,
    /// When the council gets the attendance figures: with the end of the next term.
    pub(super) reported: i32,
    /// The half-year whose needs count for the whole term.
    pub(super) half: usize,
}

/// The first school year, by its first calendar year, that records touch.
pub(super) const FIRST_SCHOOL_YEAR: i32 = 2018;
/// The last one.
pub(super) const LAST_SCHOOL_YEAR: i32 = 2024;

/// The three terms of a school year, in order of time.
pub(super) fn terms_of(school_year: i32) -> [Term; 3] {
    let year = school_year;
    let autumn = (day(year, 9, 1), day(year, 12, 20));
    let spring = (day(year + 1, 1, 6), day(year + 1, 3, 25));
    let summer = (day(year + 1, 4, 15), day(year + 1, 7, 21));
    let next_autumn_end = day(year + 1, 12, 20);
    let [winter_half, summer_half] = halves_of(year);
    [(autumn, spring.1, winter_half), (spring, summer.1, winter_half), (summer, next_autumn_end, summer_half)]
        .map(|((start, end), reported, half)| Term { start, end, reported, half })
}

/// Half-years that stand for a school year: one for its first two terms, one for the third.
pub(super) fn halves_of(school_year: i32) -> [usize; 2] {
    [half_of(day(school_year, 11, 1)), half_of(day(school_year + 1, 5, 1))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Day;

    #[test]
    fn days_agree_with_the_calendar() {
        for days in (day(1940, 1, 1)..day(2101, 1, 1)).step_by(3) {
            let (year, month, of_month) = Day::from_epoch_days(days).ymd();
            assert_eq!(day(i32::from(year), month as usize, i32::from(of_month)), days);
            assert_eq!(year_and_month(days), (i32::from(year), month as usize));
            assert_eq!(year_and_month(month_end(days) + 1).1, month as usize % 12 + 1);
        }
        assert_eq!(plus_years(day(2008, 2, 29), 18), day(2026, 3, 1));
    }

    #[test]
    fn half_years_hold_their_days() {
        for days in WARM_UP..EXTRACT {
            let half = half_of(days);
            assert!(BOUNDS[half] <= days && days < BOUNDS[half + 1]);
        }
        assert_eq!(BOUNDS[FIRST_HALF], RECORDS_START);
        assert_eq!(BOUNDS[HALVES], EXTRACT);
    }

    #[test]
    fn terms_are_reported_a_term_late() {
        let all: Vec<Term> = (FIRST_SCHOOL_YEAR..=LAST_SCHOOL_YEAR).flat_map(terms_of).collect();
        for pair in all.windows(2) {
            assert!(pair[0].end < pair[1].start);
            assert_eq!(pair[0].reported, pair[1].end);
        }
    }
}
