//! A source on a time line: a bar for each month's records, what it covers, and where it is silent.

use crate::calendar::Day;
use crate::project::{DataQuality, MonthOfRows, Timeliness};
use crate::records::first_of_month;
use crate::words;

/// The drawing's width and the height of its tallest bar, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 44.0;

/// The most months that are drawn. Twenty years: longer than anybody's childhood, and a bar is still seen.
const MOST: i32 = 240;

/// One record in so many may lie before the drawing: single old ones would leave no room for the others.
const STRAY: u64 = 100;

fn px(place: f64) -> String {
    format!("{place:.1}")
}

/// The number of a month since the year 0.
fn number(day: Day) -> i32 {
    let (year, month, _) = day.ymd();
    12 * i32::from(year) + i32::from(month) - 1
}

/// The months that all time lines of a page run over.
pub(super) struct Axis {
    first: i32,
    months: i32,
    as_of: f64,
    /// Place and year.
    pub(super) years: Vec<(String, String)>,
    /// Where the as-of date lies.
    pub(super) today: String,
}

/// The first month of a source that is worth drawing.
fn first_drawn(held: &Timeliness) -> Option<i32> {
    let all: u64 = held.months.iter().map(|month| month.rows).sum();
    let mut before = 0;
    let of_rows = held.months.iter().find(|month| {
        before += month.rows;
        before * STRAY > all
    });
    let declared = held.declared.from.map(|from| number(first_of_month(from)));
    of_rows.map(|month| number(month.month)).into_iter().chain(declared).min()
}

impl Axis {
    pub(super) fn of(quality: &DataQuality) -> Self {
        let end = number(quality.as_of.day()) + 1;
        let held = quality.tables.iter().filter_map(|table| table.timeliness.as_ref());
        let first = held.filter_map(first_drawn).min().unwrap_or(end - 12).clamp(end - MOST, end - 12);
        let months = end - first;
        let mut axis = Self { first, months, as_of: 0.0, years: Vec::new(), today: String::new() };
        let of_month = f64::from(quality.as_of.day().ymd().2 - 1) / 31.0;
        axis.as_of = (f64::from(months - 1) + of_month) * axis.step();
        axis.today = px(axis.as_of);
        let every = if months > 120 { 2 } else { 1 };
        axis.years = (first.div_euclid(12)..=end.div_euclid(12))
            .filter(|year| year % every == 0 && 12 * year >= first && 12 * year < end)
            .map(|year| (px(axis.x(12 * year)), year.to_string()))
            .collect();
        axis
    }

    fn step(&self) -> f64 {
        WIDTH / f64::from(self.months)
    }

    /// Where a month begins.
    fn x(&self, month: i32) -> f64 {
        f64::from((month - self.first).clamp(0, self.months)) * self.step()
    }
}

/// A bar, or the place of a month without any record.
pub(super) struct Mark {
    pub x: String,
    pub width: String,
    pub y: String,
    pub height: String,
}

/// A source's drawing.
pub(super) struct Timeline {
    pub bars: Vec<Mark>,
    /// Months without a record in which silence counts, as in other years.
    pub silent: Vec<Mark>,
    /// Those in which other years have records.
    pub missing: Vec<Mark>,
    /// From where to where it declares to be complete.
    pub declared: Option<(String, String)>,
    /// From the first to the last record.
    pub found: Option<(String, String)>,
    /// What the drawing says, for those who do not see it.
    pub says: String,
}

impl Timeline {
    pub(super) fn of(held: &Timeliness, axis: &Axis) -> Self {
        let drawn = || {
            let months = held.months.iter().map(|month| (number(month.month), month));
            months.filter(|(place, _)| (axis.first..axis.first + axis.months).contains(place))
        };
        let most = drawn().map(|(_, month)| month.rows).max().unwrap_or(0).max(1);
        let mark = |place: i32, height: f64| Mark {
            x: px(axis.x(place)),
            // A little air between bars.
            width: px((axis.step() * 0.85).max(0.5)),
            y: px(HEIGHT - height),
            height: px(height),
        };
        let bar = |(place, month): (i32, &MonthOfRows)| {
            mark(place, (HEIGHT * month.rows as f64 / most as f64).max(1.0))
        };
        let span = |from: Option<Day>, to: Option<Day>| {
            let end = axis.first + axis.months;
            let from = from.map_or(axis.first, number);
            let to = to.map_or(end, |to| number(to) + 1);
            (from < to && to > axis.first && from < end).then(|| (px(axis.x(from)), px(axis.x(to))))
        };
        let is_declared = held.declared.from.is_some() || held.declared.to.is_some();
        Self {
            bars: drawn().filter(|(_, month)| month.rows > 0).map(bar).collect(),
            silent: drawn()
                .filter(|(_, month)| month.covered && month.rows == 0 && !month.missing)
                .map(|(place, _)| mark(place, 4.0))
                .collect(),
            missing: drawn()
                .filter(|(_, month)| month.missing)
                .map(|(place, _)| mark(place, HEIGHT / 3.0))
                .collect(),
            declared: span(held.declared.from, held.declared.to).filter(|_| is_declared),
            found: held.found.and_then(|found| span(Some(found.first_occurred), Some(found.last_occurred))),
            says: says(held, axis, most),
        }
    }
}

/// The drawing in words.
fn says(held: &Timeliness, axis: &Axis, most: u64) -> String {
    let rows = |which: &dyn Fn(i32) -> bool| -> u64 {
        held.months.iter().filter(|month| which(number(month.month))).map(|month| month.rows).sum()
    };
    let end = axis.first + axis.months;
    let drawn = rows(&|month| (axis.first..end).contains(&month));
    if held.found.is_none() {
        return "No record.".to_owned();
    }
    let mut says = format!(
        "{} drawn by the month in which they happened, up to {} a month.",
        words::counted(drawn as usize, "record is", "records are"),
        words::count(most)
    );
    let silent = held.months.iter().filter(|month| month.covered && month.rows == 0).count();
    if silent > 0 {
        let months = words::counted(silent, "month", "months");
        says.push_str(&format!(" {months} without a record where the source counts as complete"));
        let missing = held.months.iter().filter(|month| month.missing).count();
        says.push_str(&match missing {
            0 => ".".to_owned(),
            _ => format!("; missing beside other years: {missing}."),
        });
    }
    for (apart, where_) in [
        (rows(&|month| month < axis.first), "before what is drawn"),
        (rows(&|month| month >= end), "after the as-of month"),
    ] {
        if apart > 0 {
            says.push_str(&format!(
                " {} {where_}.",
                words::counted(apart as usize, "record lies", "records lie")
            ));
        }
    }
    says
}
