//! From cells to dates, numbers and roles: each row is accepted whole or rejected with its first fault.

use std::collections::BTreeMap;

use super::column::{Batch, Column, NO_DAY, NO_INTEGER};
use super::dictionary::{NONE, UNKNOWN};
use super::reject::{Intake, Reject, RejectReason};
use crate::calendar::Day;

/// The rejects of one source while it is read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    read: u64,
    rejects: Vec<Raw>,
}

#[derive(Debug, Clone, Copy)]
struct Raw {
    file: Option<u32>,
    row: u64,
    column: Option<u32>,
    reason: RejectReason,
}

impl Ledger {
    /// Takes note of a batch's rows and gives for each whether it is accepted.
    pub(super) fn judge(&mut self, batch: &Batch, faults: &Faults) -> Accepted {
        self.read += (batch.rows.len() + batch.unreadable.len()) as u64;
        for &(row, reason) in &batch.unreadable {
            self.rejects.push(Raw { file: batch.file, row, column: None, reason });
        }
        for (&row, &(column, reason)) in &faults.0 {
            let row = batch.rows.position(row);
            self.rejects.push(Raw { file: batch.file, row, column: Some(column), reason });
        }
        if faults.0.is_empty() {
            Accepted::All
        } else {
            Accepted::Some((0..batch.rows.len()).map(|row| faults.is_sound(row)).collect())
        }
    }

    /// Rejects a row that had been accepted.
    pub(super) fn reject_later(
        &mut self,
        file: Option<u32>,
        row: u64,
        column: Option<u32>,
        reason: RejectReason,
    ) {
        self.rejects.push(Raw { file, row, column, reason });
    }

    /// The counts and the rejects in order of file and row.
    pub(super) fn close(mut self, source: &str, files: &[String], columns: &[&str]) -> (Intake, Vec<Reject>) {
        self.rejects.sort_by_key(|raw| (raw.file, raw.row));
        let rejected = self.rejects.len() as u64;
        let intake =
            Intake { source: source.to_owned(), read: self.read, accepted: self.read - rejected, rejected };
        let rejects = self
            .rejects
            .into_iter()
            .map(|raw| Reject {
                source: source.to_owned(),
                file: raw.file.map(|file| files[file as usize].clone()),
                row: raw.row,
                column: raw.column.map(|column| columns[column as usize].to_owned()),
                reason: raw.reason,
            })
            .collect();
        (intake, rejects)
    }
}

/// Which rows of a batch are accepted.
#[derive(Debug)]
pub(super) enum Accepted {
    All,
    Some(Vec<bool>),
}

impl Accepted {
    pub(super) fn has(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(rows) => rows[row],
        }
    }
}

/// The first fault of each row that has one: column and reason.
#[derive(Debug, Default)]
pub(super) struct Faults(BTreeMap<usize, (u32, RejectReason)>);

impl Faults {
    pub(super) fn is_sound(&self, row: usize) -> bool {
        !self.0.contains_key(&row)
    }

    pub(super) fn add(&mut self, row: usize, column: u32, reason: RejectReason) {
        self.0.entry(row).or_insert((column, reason));
    }

    /// The fault of every row whose id has no code.
    pub(super) fn add_missing_ids(&mut self, codes: &[u32], column: u32) {
        for (row, &code) in codes.iter().enumerate() {
            match code {
                NONE => self.add(row, column, RejectReason::EntityMissing),
                UNKNOWN => self.add(row, column, RejectReason::EntityUnknown),
                _ => {}
            }
        }
    }

    /// The days of a column; [`NO_DAY`] where absent or faulty.
    pub(super) fn days(&mut self, cells: &Column, rows: usize, column: u32, required: bool) -> Vec<i32> {
        let days: Vec<i32> = match cells {
            Column::Day(days) => days.clone(),
            Column::Text(texts) => (0..rows).map(|row| self.day(texts.at(row), row, column)).collect(),
            Column::Constant(text) => {
                (0..rows).map(|row| self.day(text.as_deref().unwrap_or_default(), row, column)).collect()
            }
            Column::Integer(_) | Column::Number(_) => (0..rows)
                .map(|row| {
                    if cells.text(row).is_some() {
                        self.add(row, column, RejectReason::DateUnreadable);
                    }
                    NO_DAY
                })
                .collect(),
        };
        if required {
            for (row, &day) in days.iter().enumerate() {
                if day == NO_DAY {
                    self.add(row, column, RejectReason::DateMissing);
                }
            }
        }
        days
    }

    /// The dates of birth of a column; [`NO_DAY`] where absent or faulty. A date that gives only the month
    /// (`2014-05` or `05/2014`) is taken as its 15th, the day that records use where it is not known.
    pub(super) fn births(&mut self, cells: &Column, rows: usize, column: u32) -> Vec<i32> {
        let Column::Text(texts) = cells else { return self.days(cells, rows, column, false) };
        (0..rows)
            .map(|row| match parse_month(texts.at(row)) {
                Some(day) => day.epoch_days(),
                None => self.day(texts.at(row), row, column),
            })
            .collect()
    }

    fn day(&mut self, text: &str, row: usize, column: u32) -> i32 {
        if text.is_empty() {
            return NO_DAY;
        }
        parse_day(text).map_or_else(
            || {
                self.add(row, column, RejectReason::DateUnreadable);
                NO_DAY
            },
            Day::epoch_days,
        )
    }

    /// The numbers of a column; NaN where absent or faulty.
    pub(super) fn numbers(&mut self, cells: &Column, rows: usize, column: u32) -> Vec<f64> {
        if let Column::Number(values) = cells
            && values.iter().all(|&value| value.is_nan() || (value as f32).is_finite())
        {
            return values.clone();
        }
        (0..rows)
            .map(|row| {
                let number = match cells {
                    Column::Number(values) => Some(values[row]).filter(|v| !v.is_nan()),
                    Column::Integer(values) => {
                        Some(values[row]).filter(|&v| v != NO_INTEGER).map(|v| v as f64)
                    }
                    _ => cells.text(row).map(|text| parse_number(&text).unwrap_or(f64::INFINITY)),
                };
                match number {
                    None => f64::NAN,
                    Some(number) if (number as f32).is_finite() => number,
                    Some(_) => {
                        self.add(row, column, RejectReason::NumberUnreadable);
                        f64::NAN
                    }
                }
            })
            .collect()
    }
}

/// Reads a date as councils write them: `2024-03-31` or `31/03/2024` (always day first), with or without
/// a time behind it. The two forms cannot be taken for one another.
pub(crate) fn parse_day(text: &str) -> Option<Day> {
    let date = text.split(['T', ' ']).next()?;
    let (separator, day_first) = if date.contains('/') { ('/', true) } else { ('-', false) };
    let mut parts = date.split(separator);
    let (a, month, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, day) = if day_first { (c, a) } else { (a, c) };
    let digits = |part: &str, most: usize| {
        (!part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i16>().ok())
            .flatten()
    };
    if year.len() != 4 {
        return None;
    }
    Day::from_ymd(digits(year, 4)?, digits(month, 2)? as i8, digits(day, 2)? as i8)
}

/// Reads a month without a day, as its 15th.
fn parse_month(text: &str) -> Option<Day> {
    match text.split_once('-').or_else(|| text.split_once('/').map(|(month, year)| (year, month)))? {
        (year, month) if year.len() == 4 && !month.contains(['-', '/']) => {
            parse_day(&format!("{year}-{month}-15"))
        }
        _ => None,
    }
}

/// Reads a number, with or without a pound sign and thousands separators. A comma stands before groups of three digits or
/// the text is no number: `0,25` is a quarter where it was written, and must not become 25 here.
fn parse_number(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '£' | ' ')).collect();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = groups.all(|group| group.len() == 3);
    if decimals.contains(',')
        || whole.contains(',') && !(grouped && (1..=3).contains(&first.len()) && !first.starts_with('0'))
    {
        return None;
    }
    plain.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_a_date_are_read_and_neither_is_guessed() {
        let day = Day::from_ymd(2024, 3, 1);
        for text in ["2024-03-01", "01/03/2024", "1/3/2024", "2024-03-01T08:30:00", "01/03/2024 08:30"] {
            assert_eq!(parse_day(text), day, "{text}");
        }
        for text in ["31/02/2023", "n/k", "03-01-2024", "2024/03/01", "1/3/24", "2024-13-01", "", "2024-03"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }

    #[test]
    fn a_birth_of_which_only_the_month_is_known_is_put_on_its_15th() {
        let day = Day::from_ymd(2014, 5, 15);
        for text in ["2014-05", "05/2014", "5/2014"] {
            assert_eq!(parse_month(text), day, "{text}");
        }
        for text in ["2014-05-03", "03/05/2014", "2014", "2014-13", "", "n/k", "5-14"] {
            assert_eq!(parse_month(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_with_their_pound_signs() {
        assert_eq!(parse_number("£1,204.50"), Some(1204.5));
        assert_eq!(parse_number("-3e2"), Some(-300.0));
        assert_eq!(parse_number("1.2.3"), None);
        assert_eq!(parse_number("-1,204,000"), Some(-1_204_000.0));
        for decimal_comma in ["0,25", "0,250", "12,5", "1,2045", "3.000,5", ",250"] {
            assert_eq!(parse_number(decimal_comma), None, "{decimal_comma}");
        }
    }

    #[test]
    fn the_first_fault_of_a_row_is_kept() {
        let mut faults = Faults::default();
        faults.add(0, 3, RejectReason::DateMissing);
        faults.add(0, 4, RejectReason::RoleUnknown);
        assert_eq!(faults.0[&0], (3, RejectReason::DateMissing));
    }
}
