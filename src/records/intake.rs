//! From cells to dates, numbers and roles: each row is accepted whole or rejected with its first fault.

use std::collections::BTreeMap;

use super::codes::UnlistedCodes;
use super::column::{Batch, Column, NO_DAY, NO_INTEGER};
use super::date_form::{DateForm, DayZero, DayZeroColumn, DayZeros};
use super::days::{self, DateWritten, Order, OrderFault, Plausible, Stated, parse_day};
use super::dictionary::{Dictionary, LINKED_TWICE, NONE, UNKNOWN, UNLINKED};
use super::options::{Decimal, ReadOptions};
use super::pattern::CellPattern;
use super::reject::{Intake, Reject, RejectReason, Remark, RemarkKind};
use super::tables::{DateClass, DateTally, TableRead, TableTally};
use super::unmatched::Unmatched;
use crate::calendar::Day;
use crate::error::RecordsError;

/// The rejects of one source while it is read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    read: u64,
    rejects: Vec<Raw>,
    remarks: BTreeMap<RemarkKind, u64>,
    table: TableTally,
    unmatched: Unmatched,
}

/// What became of the rows of one table.
pub(crate) struct Closed {
    pub(crate) intake: Intake,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) table: TableRead,
    /// The codes that are not on the lists given for its columns.
    pub(crate) unlisted: Vec<UnlistedCodes>,
}

/// How somebody is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    Death,
    Leaving,
}

#[derive(Debug, Clone)]
struct Raw {
    file: Option<u32>,
    row: u64,
    column: Option<u32>,
    reason: RejectReason,
    pattern: Option<CellPattern>,
}

/// What the cell of a reject looks like.
fn pattern(cells: &Column, row: usize, reason: RejectReason) -> CellPattern {
    let is_date = matches!(
        reason,
        RejectReason::DateUnreadable | RejectReason::DateImplausible | RejectReason::EndBeforeStart
    );
    let cell = cells.text(row).unwrap_or_default();
    if is_date { CellPattern::of_date(&cell) } else { CellPattern::of(&cell) }
}

impl Ledger {
    /// Takes note of a batch's rows and gives for each whether it is accepted.
    pub(super) fn judge(&mut self, batch: &Batch, faults: &Faults) -> Accepted {
        self.read += (batch.rows.len() + batch.unreadable.len()) as u64;
        for &(kind, rows) in batch.remarks.iter().chain(&faults.remarks) {
            self.remark(kind, rows);
        }
        for &(row, reason) in &batch.unreadable {
            self.rejects.push(Raw { file: batch.file, row, column: None, reason, pattern: None });
        }
        for (&row, &(column, reason)) in &faults.of_rows {
            let pattern = batch.columns.get(column as usize).map(|cells| pattern(cells, row, reason));
            let row = batch.rows.position(row);
            self.rejects.push(Raw { file: batch.file, row, column: Some(column), reason, pattern });
        }
        self.table.take(batch, &faults.dates);
        if faults.of_rows.is_empty() {
            Accepted::All
        } else {
            Accepted::Some((0..batch.rows.len()).map(|row| faults.is_sound(row)).collect())
        }
    }

    /// Takes note of ids that are on no list: which of the `codes` of a batch say so.
    pub(super) fn look_at_ids(&mut self, ids: &Dictionary, codes: &[u32], columns: &[&Column]) {
        self.unmatched.look(ids, codes, columns);
    }

    /// Takes note of what is remarkable about rows that are used.
    pub(super) fn remark(&mut self, kind: RemarkKind, rows: u64) {
        if rows > 0 {
            *self.remarks.entry(kind).or_default() += rows;
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
        self.rejects.push(Raw { file, row, column, reason, pattern: None });
    }

    /// The counts and the rejects in order of file and row.
    pub(super) fn close(mut self, source: &str, files: &[String], columns: &[&str]) -> Closed {
        self.rejects.sort_by_key(|raw| (raw.file, raw.row));
        let rejected = self.rejects.len() as u64;
        let mut of_files: BTreeMap<Option<u32>, u64> = BTreeMap::new();
        self.rejects.iter().for_each(|raw| *of_files.entry(raw.file).or_default() += 1);
        let table = self.table.close(source, (files, columns), &of_files, self.unmatched.close());
        withhold_rare(&mut self.rejects);
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
                pattern: raw.pattern,
            })
            .collect();
        let remark = |(kind, rows)| Remark { source: source.to_owned(), kind, rows };
        let remarks = self.remarks.into_iter().map(remark).collect();
        Closed { intake, rejects, remarks, table, unlisted: Vec::new() }
    }
}

/// Tells patterns that few rejects share as `other`.
fn withhold_rare(rejects: &mut [Raw]) {
    let mut shared: BTreeMap<(Option<u32>, RejectReason, CellPattern), u64> = BTreeMap::new();
    let key = |raw: &Raw| {
        let open = raw.pattern.clone().filter(|pattern| !pattern.is_named());
        open.map(|pattern| (raw.column, raw.reason, pattern))
    };
    for key in rejects.iter().filter_map(key) {
        *shared.entry(key).or_default() += 1;
    }
    for raw in rejects {
        if key(raw).is_some_and(|key| shared[&key] < CellPattern::FEWEST) {
            raw.pattern = Some(CellPattern::other());
        }
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

/// Where the order of a column of days 0 is kept that nothing else asks for.
const ZERO_COLUMN: u32 = u32::MAX;

/// How the cells of a table are read, and what its dates have shown so far.
#[derive(Debug)]
pub(super) struct Reader {
    form: Option<Stated>,
    /// The column that gives each row's day 0, if one does.
    zero_of: Option<DayZeroColumn>,
    /// Day 0 of the rows of the batch at hand, and the place of the column if it is asked for by itself.
    zeros: Option<(DayZeros, Option<u32>)>,
    decimal: Decimal,
    plausible: Plausible,
    /// Whether a day was turned away because it lies behind the last that there can be: read later, it might not be.
    pub(super) is_late: bool,
    /// For each column of dates.
    orders: BTreeMap<u32, Order>,
}

impl Reader {
    /// `last`: the day after which nothing can have happened, if it is known.
    pub(super) fn new(options: &ReadOptions, last: Option<Day>) -> Self {
        let mut plausible = Plausible::DEFAULT;
        if let Some([first, last]) = options.plausible {
            plausible = Plausible { first: first.epoch_days(), last: last.epoch_days() };
        } else if let Some(last) = last {
            plausible.last = last.epoch_days();
        }
        let (mut form, mut zero_of) = (None, None);
        match &options.dates {
            None => {}
            Some(DateForm::DayFirst) => form = Some(Stated::DayFirst),
            Some(DateForm::MonthFirst) => form = Some(Stated::MonthFirst),
            Some(DateForm::DaysFrom(DayZero::Day(day))) => {
                form = Some(Stated::DaysFrom(Some(day.epoch_days())));
            }
            Some(DateForm::DaysFrom(DayZero::Column(column))) => zero_of = Some(column.clone()),
        }
        let (decimal, orders) = (options.decimal, BTreeMap::new());
        Self { form, zero_of, zeros: None, decimal, plausible, is_late: false, orders }
    }

    /// Takes up a batch, whose cells alone are read until the next.
    pub(super) fn begin(&mut self, batch: &Batch) {
        self.zeros = None;
        if let (Some(of), Some(given)) = (&self.zero_of, &batch.day_zero) {
            let order = self.orders.entry(given.place.unwrap_or(ZERO_COLUMN)).or_default();
            let zeros = DayZeros::read(of, (&given.cells, batch.rows.len()), order);
            self.zeros = Some((zeros, given.place));
        }
    }

    /// What is stated about the dates of a row.
    fn stated(&self, row: usize) -> Option<Stated> {
        self.zeros.as_ref().map_or(self.form, |(zeros, _)| Some(zeros.stated(row)))
    }

    /// Whether a row has no day 0 although its dates are counted from one.
    fn lacks_zero(&self, row: usize) -> bool {
        self.zeros.is_some() && self.stated(row) == Some(Stated::DaysFrom(None))
    }

    /// Refuses a table of whose dates nobody can say whether the day or the month comes first. A column that does not show
    /// it by itself is written as another of its table that does.
    pub(super) fn check(&self, source: &str, columns: &[&str]) -> Result<(), RecordsError> {
        let is_shown = self.orders.values().any(Order::is_day_first);
        let name = |column: u32| match &self.zero_of {
            Some(of) if column == ZERO_COLUMN => of.column.clone(),
            _ => columns[column as usize].to_owned(),
        };
        let fault = |(column, order): (&u32, &Order)| {
            let fault = order.fault().filter(|fault| !(is_shown && *fault == OrderFault::Unclear));
            fault.map(|fault| RecordsError::DateOrder {
                extract: source.to_owned(),
                column: name(*column),
                why: fault.words(),
            })
        };
        self.orders.iter().find_map(fault).map_or(Ok(()), Err)
    }

    /// The days of a column: [`NO_DAY`] where absent, `None` where there is no telling.
    fn days(&mut self, cells: &Column, rows: usize, column: u32) -> Vec<Option<i32>> {
        if let Some((zeros, Some(place))) = &self.zeros
            && *place == column
        {
            return (0..rows).map(|row| zeros.at(row)).collect();
        }
        let mut order = std::mem::take(self.orders.entry(column).or_default());
        let number = |row: usize, number: f64, order: &mut Order| {
            let form = self.stated(row);
            let day = days::number_of_days(number, form);
            day.inspect(|_| order.note(DateWritten::number(number, form)))
        };
        let days = match cells {
            Column::Day(days) => {
                order.written[DateWritten::Typed as usize] += rows as u64 - cells.empty(rows);
                days.iter().copied().map(Some).collect()
            }
            Column::Text(texts) => {
                (0..rows).map(|row| days::read(texts.at(row), self.stated(row), &mut order)).collect()
            }
            Column::Constant(text) => {
                let text = text.as_deref().unwrap_or_default();
                (0..rows).map(|row| days::read(text, self.stated(row), &mut order)).collect()
            }
            Column::Integer(numbers) => numbers
                .iter()
                .enumerate()
                .map(|(row, &whole)| match whole {
                    NO_INTEGER => Some(NO_DAY),
                    whole => number(row, whole as f64, &mut order),
                })
                .collect(),
            Column::Number(numbers) => numbers
                .iter()
                .enumerate()
                .map(|(row, &held)| if held.is_nan() { Some(NO_DAY) } else { number(row, held, &mut order) })
                .collect(),
        };
        self.orders.insert(column, order);
        days
    }
}

/// The first fault of each row that has one: column and reason; and what else is remarkable.
#[derive(Debug, Default)]
pub(super) struct Faults {
    of_rows: BTreeMap<usize, (u32, RejectReason)>,
    remarks: Vec<(RemarkKind, u64)>,
    /// The dates of each column that was read as such, once for a column that means several things.
    dates: Vec<(u32, DateTally)>,
}

/// What a column of dates is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayOf {
    /// Something that happened, or became known: there has to be one.
    Event,
    /// The same, where it may be so many days ahead: the last day of a month that is not over.
    Ahead(i32),
    /// The same, where there need not be one.
    Optional,
    /// Something that may be yet to come, such as an end that is planned. One beyond every plan is none.
    End,
}

impl Faults {
    pub(super) fn is_sound(&self, row: usize) -> bool {
        !self.of_rows.contains_key(&row)
    }

    pub(super) fn add(&mut self, row: usize, column: u32, reason: RejectReason) {
        self.of_rows.entry(row).or_insert((column, reason));
    }

    /// The first faults of rows that were found apart, for rows that have none yet.
    pub(super) fn absorb(&mut self, later: Self) {
        for (row, fault) in later.of_rows {
            self.of_rows.entry(row).or_insert(fault);
        }
        self.remarks.extend(later.remarks);
        self.dates.extend(later.dates);
    }

    pub(super) fn remark(&mut self, kind: RemarkKind) {
        match self.remarks.iter_mut().find(|held| held.0 == kind) {
            Some(held) => held.1 += 1,
            None => self.remarks.push((kind, 1)),
        }
    }

    /// The fault of every row whose id has no code.
    pub(super) fn add_missing_ids(&mut self, codes: &[u32], column: u32) {
        for (row, &code) in codes.iter().enumerate() {
            match code {
                NONE => self.add(row, column, RejectReason::EntityMissing),
                UNKNOWN => self.add(row, column, RejectReason::EntityUnknown),
                UNLINKED => self.add(row, column, RejectReason::IdentityUnknown),
                LINKED_TWICE => self.add(row, column, RejectReason::IdentityTwice),
                _ => {}
            }
        }
    }

    /// The days of a column; [`NO_DAY`] where absent or faulty.
    pub(super) fn days(
        &mut self,
        (cells, rows): (&Column, usize),
        (column, of): (u32, DayOf),
        reader: &mut Reader,
    ) -> Vec<i32> {
        let read = reader.days(cells, rows, column);
        let plausible = reader.plausible;
        // Beyond it nothing is planned.
        let never = Plausible::DEFAULT.last;
        let (mut tally, mut is_late) = (DateTally::default(), false);
        let mut judge = |(row, day): (usize, Option<i32>)| {
            let class = match day {
                None => DateClass::Unreadable,
                Some(NO_DAY) => DateClass::Absent,
                Some(day) if of == DayOf::End && day >= never => DateClass::OpenEnd,
                Some(day) if plausible.has(day) || of == DayOf::End && day > plausible.last => {
                    DateClass::Plausible
                }
                Some(day) if matches!(of, DayOf::Ahead(days) if (1..=days).contains(&(day - plausible.last))) => {
                    DateClass::Plausible
                }
                Some(day) => DateClass::implausible(day, plausible),
            };
            tally.classes[class as usize] += 1;
            is_late |= class == DateClass::AfterExtract;
            match class {
                DateClass::Plausible => return day.unwrap_or(NO_DAY),
                DateClass::Absent if of == DayOf::Event => self.add(row, column, RejectReason::DateMissing),
                DateClass::Absent => {}
                DateClass::OpenEnd => self.remark(RemarkKind::OpenEnd),
                DateClass::Unreadable if reader.lacks_zero(row) => {
                    self.add(row, column, RejectReason::DayZeroUnknown);
                }
                DateClass::Unreadable => self.add(row, column, RejectReason::DateUnreadable),
                _ => self.add(row, column, RejectReason::DateImplausible),
            }
            NO_DAY
        };
        let days = read.into_iter().enumerate().map(&mut judge).collect();
        // Not by the tally: of a column that is read in two ways that counts one.
        reader.is_late |= is_late;
        self.note_dates(column, tally, reader);
        days
    }

    /// Takes note of a column's dates. One that is read twice, as happened and as known, counts once.
    fn note_dates(&mut self, column: u32, mut tally: DateTally, reader: &mut Reader) {
        if let Some(order) = reader.orders.get_mut(&column) {
            tally.written = std::mem::take(&mut order.written);
        }
        if self.dates.iter().all(|(held, _)| *held != column) {
            self.dates.push((column, tally));
        }
    }

    /// The dates of birth of a column; [`NO_DAY`] where absent, and where it cannot be read or cannot be: a wrong date
    /// loses the date, not the person. A date that gives only the month (`2014-05` or `05/2014`) is taken as its 15th, the
    /// day that records use where it is not known.
    pub(super) fn births(
        &mut self,
        (cells, rows): (&Column, usize),
        column: u32,
        reader: &mut Reader,
    ) -> Vec<i32> {
        let days: Vec<Option<i32>> = match cells {
            Column::Text(texts) => {
                let mut order = std::mem::take(reader.orders.entry(column).or_default());
                let mut read = |(row, text): (usize, &str)| match parse_month(text) {
                    Some(day) => {
                        order.note(DateWritten::Month);
                        Some(day.epoch_days())
                    }
                    None => days::read(text, reader.stated(row), &mut order),
                };
                let days = texts.iter().enumerate().map(&mut read).collect();
                reader.orders.insert(column, order);
                days
            }
            _ => reader.days(cells, rows, column),
        };
        let plausible = reader.plausible;
        let mut tally = DateTally::default();
        let mut judge = |day: Option<i32>| {
            let class = match day {
                None => DateClass::Unreadable,
                Some(NO_DAY) => DateClass::Absent,
                Some(day) if plausible.has(day) => DateClass::Plausible,
                Some(day) => DateClass::implausible(day, plausible),
            };
            tally.classes[class as usize] += 1;
            match class {
                DateClass::Plausible => return day.unwrap_or(NO_DAY),
                DateClass::Absent => {}
                DateClass::Unreadable => self.remark(RemarkKind::BirthUnreadable),
                _ => self.remark(RemarkKind::BirthImplausible),
            }
            NO_DAY
        };
        let days = days.into_iter().map(&mut judge).collect();
        self.note_dates(column, tally, reader);
        days
    }

    /// The days on which people died or left; [`NO_DAY`] where absent, and where it cannot be read or cannot be: a wrong
    /// date loses the date, not the person. To leave may be planned; nobody has died on a day that is yet to come.
    pub(super) fn partings(
        &mut self,
        (cells, rows): (&Column, usize),
        (column, of): (u32, Parting),
        reader: &mut Reader,
    ) -> Vec<i32> {
        let (Plausible { first, last }, never) = (reader.plausible, Plausible::DEFAULT.last);
        let can_be = move |day: i32| match of {
            Parting::Death => (first..=last).contains(&day),
            Parting::Leaving => first <= day,
        };
        let judge = |day: Option<i32>| match day {
            Some(NO_DAY) => NO_DAY,
            Some(day) if day < never && can_be(day) => day,
            Some(day) if day >= never => {
                self.remark(RemarkKind::OpenEnd);
                NO_DAY
            }
            _ => {
                self.remark(RemarkKind::PartingUnusable);
                NO_DAY
            }
        };
        reader.days(cells, rows, column).into_iter().map(judge).collect()
    }

    /// The link probabilities of a column. An absent one is no assurance, and is rejected.
    pub(super) fn probabilities(
        &mut self,
        (cells, rows): (&Column, usize),
        column: u32,
        reader: &Reader,
    ) -> Vec<f64> {
        let mut links = self.numbers((cells, rows), column, reader);
        for (row, link) in links.iter_mut().enumerate() {
            if link.is_nan() {
                self.add(row, column, RejectReason::LinkWeak);
                *link = 0.0;
            } else if !(0.0..=1.0).contains(link) {
                self.add(row, column, RejectReason::LinkNotAShare);
                *link = 0.0;
            }
        }
        links
    }

    /// The numbers of a column; NaN where absent or faulty.
    pub(super) fn numbers(
        &mut self,
        (cells, rows): (&Column, usize),
        column: u32,
        reader: &Reader,
    ) -> Vec<f64> {
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
                    _ => cells
                        .text(row)
                        .map(|text| parse_number(&text, reader.decimal).unwrap_or(f64::INFINITY)),
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

/// Reads a month without a day, as its 15th.
fn parse_month(text: &str) -> Option<Day> {
    match text.split_once('-').or_else(|| text.split_once('/').map(|(month, year)| (year, month)))? {
        (year, month) if year.len() == 4 && !month.contains(['-', '/']) => {
            parse_day(&format!("{year}-{month}-15"))
        }
        _ => None,
    }
}

/// Reads a number as ledgers and spreadsheets write it: with a currency, thousands grouped, a percent sign (which is left
/// out: 12% is 12), a minus behind it, or brackets for what is below zero. A separator of thousands stands before groups of
/// three digits or the text is no number: `0,25` is a quarter where it was written, and must not become 25 here.
fn parse_number(text: &str, decimal: Decimal) -> Option<f64> {
    if decimal == Decimal::Point
        && let Ok(number) = text.parse()
    {
        return Some(number);
    }
    let plain: String =
        text.chars().filter(|c| !matches!(c, '£' | '€' | '$') && !c.is_whitespace()).collect();
    let within = plain.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let figure = within.unwrap_or(&plain);
    let figure = figure.strip_suffix('%').unwrap_or(figure);
    let signed = figure.strip_prefix(['-', '−']).or_else(|| figure.strip_suffix('-'));
    let below = within.is_some() || signed.is_some();
    let figure = signed.filter(|_| within.is_none()).unwrap_or(figure);
    let (group, point) = if decimal == Decimal::Point { (',', '.') } else { ('.', ',') };
    let (whole, decimals) = figure.split_once(point).unwrap_or((figure, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = whole.split(group).collect();
    let first = groups[0];
    let is_grouped = groups.len() == 1
        || (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && groups[1..].iter().all(|group| group.len() == 3);
    if !is_grouped || whole.is_empty() && decimals.is_empty() {
        return None;
    }
    if !(groups.iter().all(|group| is_digits(group)) && is_digits(decimals)) {
        return None;
    }
    let number: f64 = format!("0{}.{decimals}0", groups.concat()).parse().ok()?;
    Some(if below { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn numbers_are_read_as_ledgers_write_them() {
        let point = |text: &str| parse_number(text, Decimal::Point);
        for (text, number) in [
            ("£1,204.50", 1204.5),
            ("-3e2", -300.0),
            ("-1,204,000", -1_204_000.0),
            ("12.5%", 12.5),
            ("(50.00)", -50.0),
            ("£ 50.00-", -50.0),
            ("-£50", -50.0),
            ("(£1,204.50)", -1204.5),
            (".5", 0.5),
            ("7.", 7.0),
            ("1 204.50", 1204.5),
        ] {
            assert_eq!(point(text), Some(number), "{text}");
        }
        for text in [
            "1.2.3", "0,25", "0,250", "12,5", "1,2045", "3.000,5", ",250", "1.204,50", "12,50", "--5", "",
            "%", "()", "£", "twelve", "1,204,50", "5 apples", "- -5", "(-5)",
        ] {
            assert_eq!(point(text), None, "{text}");
        }
        let comma = |text: &str| parse_number(text, Decimal::Comma);
        for (text, number) in
            [("12,50", 12.5), ("1.204,50", 1204.5), ("1.204", 1204.0), ("£1.204,5", 1204.5), ("-3", -3.0)]
        {
            assert_eq!(comma(text), Some(number), "{text}");
        }
        for text in ["12.50", "1,204.50", "0.25"] {
            assert_eq!(comma(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_fault_of_a_row_is_kept() {
        let mut faults = Faults::default();
        faults.add(0, 3, RejectReason::DateMissing);
        faults.add(0, 4, RejectReason::RoleUnknown);
        assert_eq!(faults.of_rows[&0], (3, RejectReason::DateMissing));
    }
}
