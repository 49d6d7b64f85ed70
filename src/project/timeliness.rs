//! How a source lies in time: how fresh it is, and which of its months are silent that should not be.

use std::collections::BTreeMap;

use super::quality::{MonthOfRows, Timeliness};
use crate::calendar::{AsOf, Day};
use crate::records::{Coverage, Records, SourceCounts, SourceProfile, first_of_month};
use crate::words;

impl Timeliness {
    /// How a source lies in time, as of a date.
    pub(super) fn of(records: &Records, source: &str, counted: &SourceCounts, as_of: AsOf) -> Self {
        let found = records.days_found(source);
        let declared: Coverage = records
            .sources()
            .find(|(name, ..)| *name == source)
            .map(|(_, coverage, _)| coverage.clone())
            .unwrap_or_default();
        let eve = as_of.day() - 1;
        let ends = declared.to.or_else(|| found.map(|found| found.last_occurred.max(found.last_known)));
        // Without a declared end silence up to any date counts.
        let from = declared.from.or_else(|| found.map(|found| found.first_occurred));
        let to = declared.to.map_or(eve, |to| to.min(eve));
        let is_covered =
            |month: Day| from.is_some_and(|from| from <= month) && month.plus_months(1) - 1 <= to;
        let mut months: BTreeMap<Day, u64> = counted.months.iter().copied().collect();
        let mut month = from.map_or(as_of.day(), first_of_month);
        while month <= to {
            months.entry(month).or_default();
            month = month.plus_months(1);
        }
        let shown = |(month, rows)| MonthOfRows { month, rows, covered: is_covered(month), missing: false };
        let mut months: Vec<MonthOfRows> = months.into_iter().map(shown).collect();
        tell_missing(&mut months);
        Self {
            days_behind: ends.map(|ends| eve - ends),
            stale_after_days: declared.stale_after_days.unwrap_or(Coverage::STALE_AFTER_DAYS),
            months,
            declared,
            found,
        }
    }

    /// Months that should have records and have none; `None` where there is no such month.
    pub(super) fn missing_months(&self) -> Option<String> {
        const NAMED: usize = 3;
        let missing: Vec<String> = self
            .months
            .iter()
            .filter(|month| month.missing)
            .map(|month| month.month.to_string()[..7].to_owned())
            .collect();
        let mut named: Vec<String> = missing.iter().take(NAMED).cloned().collect();
        if missing.len() > NAMED {
            named.push(words::counted(missing.len() - NAMED, "more month", "more months"));
        }
        (!named.is_empty()).then(|| {
            format!(
                "has no record of {}, where other years have some: silence there is read as \"nothing happened\"; ask the \
                 service whether a delivery was left out",
                words::listed(&named)
            )
        })
    }
}

/// Marks the months that should have records; see [`MonthOfRows::missing`].
fn tell_missing(months: &mut [MonthOfRows]) {
    let has_rows = |month: &MonthOfRows| month.rows > 0;
    let (first, last) = (months.iter().position(has_rows), months.iter().rposition(has_rows));
    let (Some(first), Some(last)) = (first, last) else { return };
    for place in first..last {
        let MonthOfRows { month, rows, covered, .. } = months[place];
        if rows > 0 || !covered {
            continue;
        }
        let others: Vec<u64> = months
            .iter()
            .filter(|other| other.covered && other.month != month && other.month.ymd().1 == month.ymd().1)
            .map(|other| other.rows)
            .collect();
        let sum: u64 = others.iter().sum();
        months[place].missing = !others.is_empty() && sum >= SourceProfile::FEWEST * others.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_missing_where_other_years_have_records_in_it() {
        let month = |nth: i32, rows| MonthOfRows {
            month: "2021-01-01".parse::<Day>().unwrap().plus_months(nth),
            rows,
            covered: true,
            missing: false,
        };
        // August is silent every year, and March of the second year once; the last month may still be filling up.
        let rows = |nth: i32| if nth % 12 == 7 || nth == 14 || nth == 35 { 0 } else { 40 };
        let mut months: Vec<MonthOfRows> = (0..36).map(|nth| month(nth, rows(nth))).collect();
        tell_missing(&mut months);
        let missing: Vec<String> =
            months.iter().filter(|month| month.missing).map(|month| month.month.to_string()).collect();
        assert_eq!(missing, ["2022-03-01"]);
        // So few that chance explains a silence.
        let mut few: Vec<MonthOfRows> = (0..36).map(|nth| month(nth, rows(nth).min(5))).collect();
        tell_missing(&mut few);
        assert!(few.iter().all(|month| !month.missing));
    }
}
