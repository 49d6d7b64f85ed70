//! What a project states about dates: their order of day and month, or the day 0 from which they are counted.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::column::{Column, NO_DAY, NO_INTEGER};
use super::days::{self, DateWritten, Order, OrderFault, Stated};
use crate::calendar::Day;

/// How the dates of a table are written, where that does not follow from the dates themselves.
///
/// Without it dates are read that say what they are: `2024-03-31`, `31/03/2024`, `31.03.2024`, `31-03-2024`,
/// `31-Mar-2024`, `31 March 2024`, `20240331`, and the numbers of days that spreadsheets write (45382), each with or
/// without a time behind it. Whether day or month comes first is looked for in the whole column; a column in which every
/// date could be either is refused until it is said here.
///
/// # Examples
/// ```
/// use earlyhelp::records::{DateForm, ReadOptions};
///
/// let options: ReadOptions = toml::from_str("dates = \"mm/dd/yyyy\"").unwrap();
/// assert_eq!(options.dates, Some(DateForm::MonthFirst));
/// let options: ReadOptions = toml::from_str("dates = { days_from = \"2013-10-01\" }").unwrap();
/// assert!(matches!(options.dates, Some(DateForm::DaysFrom(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum DateForm {
    /// The day stands before the month: `31/03/2024`, `31.03.2024`, `31-03-2024`.
    #[serde(rename = "dd/mm/yyyy")]
    DayFirst,
    /// The month stands before the day: `03/31/2024`.
    #[serde(rename = "mm/dd/yyyy")]
    MonthFirst,
    /// Whole numbers of days, negative ones too, counted from a day that is 0. What is written as a date is one.
    #[serde(rename = "days_from")]
    DaysFrom(DayZero),
}

/// The day from which dates are counted in days: one for the whole table, or each row's own.
///
/// # Examples
/// ```
/// use earlyhelp::records::{DateForm, DayZero, ReadOptions};
///
/// let by_name = r#"dates = { days_from = { column = "term", is = { "2013J" = "2013-10-01" } } }"#;
/// let options: ReadOptions = toml::from_str(by_name).unwrap();
/// let Some(DateForm::DaysFrom(DayZero::Column(zero))) = options.dates else { panic!("a column") };
/// assert_eq!((zero.column.as_str(), zero.is["2013J"].to_string()), ("term", "2013-10-01".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "give the day that is 0, or the column that has it: { column = \"started\" }, or { column = \"term\", is = \
                 { \"2013J\" = \"2013-10-01\" } }. `is` names at least one, each once whatever blanks are around it, and each with a \
                 day as year-month-day"
)]
#[non_exhaustive]
pub enum DayZero {
    /// The same day for all rows.
    Day(Day),
    /// A column gives it.
    Column(DayZeroColumn),
}

/// The column that gives a row's day 0. Mapped as a date itself, it is that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DayZeroColumn {
    /// The column, which a look-up table may give. Without `is` it holds dates.
    pub column: String,
    /// Where it holds names: the day that each stands for, by the name as it is written. A row with another name has no
    /// day 0, and its dates cannot be read: it is a reject with a reason of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "named_days")]
    pub is: BTreeMap<String, Day>,
}

/// Names as cells are read: without outer blanks. Why they are refused, [`DayZero`] says.
fn named_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Day>, D::Error> {
    let written = BTreeMap::<String, Day>::deserialize(deserializer)?;
    let names = written.len();
    let is: BTreeMap<String, Day> =
        written.into_iter().map(|(name, day)| (name.trim().to_owned(), day)).collect();
    if is.is_empty() || is.len() < names {
        return Err(D::Error::custom("a name stands twice, or there is none"));
    }
    Ok(is)
}

/// Day 0 of a batch's rows: [`NO_DAY`] where the cell is empty, `None` where it gives no day.
#[derive(Debug)]
pub(super) enum DayZeros {
    All(Option<i32>),
    Each(Vec<Option<i32>>),
}

impl DayZeros {
    /// Reads the cells of a column.
    pub(super) fn read(of: &DayZeroColumn, (cells, rows): (&Column, usize), order: &mut Order) -> Self {
        let mut one = |row: usize| -> Option<i32> {
            if !of.is.is_empty() {
                let Some(name) = cells.text(row) else { return Some(NO_DAY) };
                return of.is.get(name.trim()).map(|day| day.epoch_days());
            }
            let number = match cells {
                Column::Day(days) => return Some(days[row]),
                Column::Text(texts) => return days::read(texts.at(row), None, order),
                Column::Constant(text) => {
                    return days::read(text.as_deref().unwrap_or_default(), None, order);
                }
                Column::Integer(numbers) => Some(numbers[row]).filter(|&n| n != NO_INTEGER).map(|n| n as f64),
                Column::Number(numbers) => Some(numbers[row]).filter(|number| !number.is_nan()),
            };
            let Some(number) = number else { return Some(NO_DAY) };
            let day = days::number_of_days(number, None);
            day.inspect(|_| order.note(DateWritten::number(number, None)))
        };
        match cells {
            Column::Constant(_) => Self::All(one(0)),
            _ => Self::Each((0..rows).map(one).collect()),
        }
    }

    /// What the cell of a row says.
    pub(super) fn at(&self, row: usize) -> Option<i32> {
        match self {
            Self::All(day) => *day,
            Self::Each(days) => days[row],
        }
    }

    /// How the numbers of a row are to be read.
    pub(super) fn stated(&self, row: usize) -> Stated {
        Stated::DaysFrom(self.at(row).filter(|&day| day != NO_DAY))
    }
}

/// The dates of one column, and what they show of the order of day and month.
#[derive(Debug, Default)]
pub(crate) struct DatesRead {
    form: Option<Stated>,
    order: Order,
}

impl DatesRead {
    /// By what is stated about them. `None` where they are counted from a day: they are no dates by themselves.
    pub(crate) fn new(form: Option<&DateForm>) -> Option<Self> {
        let form = match form {
            None => None,
            Some(DateForm::DayFirst) => Some(Stated::DayFirst),
            Some(DateForm::MonthFirst) => Some(Stated::MonthFirst),
            Some(DateForm::DaysFrom(_)) => return None,
        };
        Some(Self { form, order: Order::default() })
    }

    /// `None` for what is no date, and for nothing.
    pub(crate) fn read(&mut self, text: &str) -> Option<Day> {
        days::read(text, self.form, &mut self.order).filter(|&day| day != NO_DAY).map(Day::from_epoch_days)
    }

    /// What is wrong with their order, once all are read.
    pub(crate) fn fault(&self) -> Option<OrderFault> {
        self.order.fault()
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Texts;
    use super::*;

    fn texts(cells: &[&str]) -> Column {
        let mut texts = Texts::default();
        for cell in cells {
            texts.push(cell);
        }
        Column::Text(texts)
    }

    fn day(text: &str) -> Option<i32> {
        days::parse_day(text).map(Day::epoch_days)
    }

    #[test]
    fn a_name_without_a_day_an_empty_cell_and_a_date_are_told_apart() {
        let is = BTreeMap::from([("2013J".to_owned(), days::parse_day("2013-10-01").unwrap())]);
        let named = DayZeroColumn { column: "term".to_owned(), is };
        let mut order = Order::default();
        let zeros = DayZeros::read(&named, (&texts(&["2013J", " 2013J ", "2013j", ""]), 4), &mut order);
        let read: Vec<_> = (0..4).map(|row| zeros.at(row)).collect();
        assert_eq!(read, [day("2013-10-01"), day("2013-10-01"), None, Some(NO_DAY)]);
        assert_eq!(zeros.stated(3), Stated::DaysFrom(None));

        let dated = DayZeroColumn { column: "started".to_owned(), is: BTreeMap::new() };
        let zeros = DayZeros::read(&dated, (&texts(&["2013-10-01", "31/12/2013", "soon"]), 3), &mut order);
        assert_eq!([zeros.at(0), zeros.at(1), zeros.at(2)], [day("2013-10-01"), day("2013-12-31"), None]);
        assert!(order.is_day_first(), "dates of the column show their order as any column's do");
        let serial = DayZeros::read(&dated, (&Column::Number(vec![45_382.0, f64::NAN]), 2), &mut order);
        assert_eq!([serial.at(0), serial.at(1)], [day("2024-03-31"), Some(NO_DAY)]);
    }

    #[test]
    fn a_day_zero_that_is_none_is_refused_with_the_forms_there_are() {
        let read = |text: &str| toml::from_str::<super::super::ReadOptions>(text).map_err(|e| e.to_string());
        assert!(read("dates = { days_from = \"2013-10-01\" }").is_ok());
        assert!(read("dates = { days_from = { column = \"started\" } }").is_ok());
        assert!(read("dates = { days_from = { column = \"a\", is = { \" a\" = \"2013-10-01\" } } }").is_ok());
        for text in [
            "\"2013\"",
            "{ colum = \"started\" }",
            "{ column = \"a\", is = { a = \"b\" } }",
            "{ column = \"a\", is = { a = \"31/02/2024\" } }",
            "{ column = \"a\", is = {} }",
            "{ column = \"a\", is = { a = \"2013-10-01\", \"a \" = \"2014-10-01\" } }",
        ] {
            let told = read(&format!("dates = {{ days_from = {text} }}")).unwrap_err();
            assert!(told.contains("give the day that is 0"), "{told}");
        }
    }
}
