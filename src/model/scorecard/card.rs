//! The card that people print.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::line::logistic;
use crate::error::ModelError;
use crate::features::Exact;
use crate::limits;
use crate::model::shape::is_figure;
use crate::stats::{Estimate, wilson};

/// A scorecard: whole-number points for yes/no questions, and what a total of points means.
///
/// Add up the points of every line whose condition holds and look up the total in the table. It says the
/// same as the model that it comes with, in whole numbers; the score of a case is always the model's.
/// Printed with `{}` it is plain text, at most 78 characters wide.
///
/// # Examples
/// ```
/// use earlyhelp::model::{CardLine, Condition, Scorecard};
///
/// let line = CardLine { feature: "absences".into(), condition: Condition::AtLeast(3.0), points: 2 };
/// assert_eq!(line.to_string(), "absences: 3 or more");
/// let card = Scorecard { unit: 0.5, offset: -4.0, lines: vec![line], table: vec![] };
/// assert!(card.to_string().contains("absences: 3 or more"));
/// ```
///
/// # References
/// B. Ustun and C. Rudin, "Learning optimized risk scores", *Journal of Machine Learning Research* 20
/// (2019); J. Liu, C. Zhong, B. Li, M. Seltzer and C. Rudin, "`FasterRisk`: fast and accurate interpretable
/// risk scores", *Advances in Neural Information
/// Processing Systems* 35 (2022).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scorecard {
    /// What one point is worth in log-odds; above zero, or zero for a card without lines.
    pub unit: f64,
    /// The log-odds of a case with no points.
    pub offset: f64,
    /// The questions, feature by feature.
    pub lines: Vec<CardLine>,
    /// What totals of points mean, lowest first; its rows hold every training case once.
    pub table: Vec<PointsRow>,
}

/// A question with the points that a case gets where the answer is yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardLine {
    /// The feature's name.
    pub feature: String,
    /// What is asked of it.
    pub condition: Condition,
    /// The points: within plus and minus the limit, never 0. Of an absence that training could not learn from, those of an
    /// average value, over all lines of the feature.
    pub points: i32,
}

/// A yes/no question about a feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// There is a value, and it is this or more.
    AtLeast(f64),
    /// There is a value, and it is less than this.
    Below(f64),
    /// There is a value, and it is this code: the place in the feature's list of codes, from 0.
    Is(u32),
    /// There is no value.
    Missing,
    /// The source does not cover the case.
    NotCovered,
    /// Either: there is no value, or the source does not cover the case.
    Absent,
}

impl Condition {
    /// Whether it holds of a cell.
    #[inline]
    pub(crate) fn holds(self, cell: impl Into<Exact>) -> bool {
        match (self, cell.into()) {
            (Self::AtLeast(cut), Exact::Value(value)) => value >= cut,
            (Self::Below(cut), Exact::Value(value)) => value < cut,
            (Self::Is(code), Exact::Value(value)) => (value - f64::from(code)).abs() < 0.5,
            (Self::Missing | Self::Absent, Exact::Missing)
            | (Self::NotCovered | Self::Absent, Exact::NotCovered) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(cut) => write!(f, "{cut} or more"),
            Self::Below(cut) => write!(f, "below {cut}"),
            Self::Is(code) => write!(f, "code {code}"),
            Self::Missing => write!(f, "missing"),
            Self::NotCovered => write!(f, "not covered"),
            Self::Absent => write!(f, "missing or not covered"),
        }
    }
}

impl fmt::Display for CardLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.feature, self.condition)
    }
}

/// What it means to have a total of points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PointsRow {
    /// The lowest total of the row.
    pub from: i64,
    /// The highest total of the row, that included.
    pub to: i64,
    /// The mean predicted probability of the training cases in the row, 0 to 1.
    pub predicted: f64,
    /// The share of them that had the outcome, with Wilson's 95% interval.
    pub observed: Estimate,
    /// How many they are.
    pub cases: u64,
}

/// The most rows of the table: with the default ten lines they leave room on a page.
const MOST_ROWS: usize = 12;

impl Scorecard {
    /// The card of these lines over training cases: `totals` are their points.
    pub(in crate::model) fn new(
        (unit, offset): (f64, f64),
        lines: Vec<CardLine>,
        totals: &[i32],
        outcomes: &[bool],
    ) -> Self {
        let mut card = Self { unit, offset, lines, table: Vec::new() };
        card.table = card.rows(totals, outcomes);
        card
    }

    /// Checks a card that was read against the features of its model.
    ///
    /// # Errors
    /// [`ModelError::Form`] where a line asks of another feature, or a figure cannot be.
    pub(in crate::model) fn check(&self, features: &[String]) -> Result<(), ModelError> {
        /// Points are at most 1000 by training, and may be more by hand.
        const POINTS: u32 = 1_000_000;
        let wrong = |why: &str| Err(ModelError::Form(format!("a card {why}")));
        if !(self.unit >= 0.0 && is_figure(self.unit) && is_figure(self.offset)) {
            return wrong("has a unit or an offset that cannot be");
        }
        let (lines, rows) = (self.lines.len(), self.table.len());
        if lines > limits::TERMS || rows > limits::TERMS {
            return wrong("has more lines or rows than a model can have terms");
        }
        if self.lines.iter().any(|line| line.points.unsigned_abs() > POINTS) {
            return wrong("gives more points than a million");
        }
        let is_cut = |condition: Condition| match condition {
            Condition::AtLeast(cut) | Condition::Below(cut) => cut.is_finite(),
            Condition::Is(_) | Condition::Missing | Condition::NotCovered | Condition::Absent => true,
        };
        if !self.lines.iter().all(|line| features.contains(&line.feature) && is_cut(line.condition)) {
            return wrong("asks of a feature that the model does not have");
        }
        let is_row = |row: &PointsRow| row.from <= row.to && (0.0..=1.0).contains(&row.predicted);
        if self.table.iter().all(is_row) { Ok(()) } else { wrong("has a table that cannot be") }
    }

    /// Recalibrates the card: log-odds become `offset + slope * log-odds`. A row of several totals keeps its
    /// mean chance as if they were one.
    pub(crate) fn recalibrate(&mut self, slope: f64, offset: f64) {
        self.unit *= slope;
        self.offset = offset + slope * self.offset;
        for row in &mut self.table {
            let log_odds = (row.predicted / (1.0 - row.predicted)).ln();
            row.predicted = logistic(offset + slope * log_odds);
        }
    }

    /// The probability that the card gives to a total of points.
    fn predicted(&self, points: i64) -> f64 {
        logistic(self.offset + self.unit * points as f64)
    }

    /// One row for each total, or, of more than [`MOST_ROWS`], rows that expect about as many outcomes
    /// each: high totals, where cases are few and matter most, are told apart best.
    fn rows(&self, totals: &[i32], outcomes: &[bool]) -> Vec<PointsRow> {
        let mut counts = std::collections::BTreeMap::<i32, (u64, u64)>::new();
        for (&total, &outcome) in totals.iter().zip(outcomes) {
            let count = counts.entry(total).or_default();
            count.0 += 1;
            count.1 += u64::from(outcome);
        }
        let expect = |total: i32, cases: u64| cases as f64 * self.predicted(i64::from(total));
        let expected: f64 = counts.iter().map(|(&total, &(cases, _))| expect(total, cases)).sum();
        let share = if counts.len() > MOST_ROWS { expected / MOST_ROWS as f64 } else { 0.0 };
        let mut rows = Vec::new();
        let mut open: Option<(i32, i32, f64, u64, u64)> = None;
        let mut finish = |(from, to, hoped, cases, yes): (i32, i32, f64, u64, u64)| {
            if let Some(observed) = wilson(yes, cases) {
                let predicted = hoped / cases as f64;
                rows.push(PointsRow { from: from.into(), to: to.into(), predicted, observed, cases });
            }
        };
        // From the top, so that the highest totals are not what is left over.
        for (&total, &(cases, yes)) in counts.iter().rev() {
            let hoped = expect(total, cases);
            let row = match open.take() {
                None => (total, total, hoped, cases, yes),
                Some((_, to, sum, all, had)) => (total, to, sum + hoped, all + cases, had + yes),
            };
            if row.2 >= share { finish(row) } else { open = Some(row) }
        }
        if let Some(row) = open {
            finish(row);
        }
        rows.reverse();
        rows
    }
}

/// A card is no wider than this: 78 characters print on A4 and Letter in the usual type.
const WIDTH: usize = 78;

impl fmt::Display for Scorecard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &|line| line.condition.to_string())
    }
}

/// A card with its conditions in other words.
pub(in crate::model) struct Worded<'c> {
    pub(in crate::model) card: &'c Scorecard,
    pub(in crate::model) words: &'c dyn Fn(&CardLine) -> String,
}

impl fmt::Display for Worded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.card.write(f, self.words)
    }
}

impl Scorecard {
    fn write(&self, f: &mut fmt::Formatter<'_>, words: &dyn Fn(&CardLine) -> String) -> fmt::Result {
        writeln!(f, "{:<68}{:>10}", "Add the points of every line that holds", "points")?;
        for line in &self.lines {
            let text = format!("{}: {}", line.feature, words(line));
            let room = WIDTH - 10;
            let shown: String = if text.chars().count() > room {
                // The condition is what must not be lost.
                let condition = format!("...: {}", words(line));
                let kept = room.saturating_sub(condition.chars().count());
                line.feature.chars().take(kept).chain(condition.chars()).collect()
            } else {
                text
            };
            writeln!(f, "{shown:.<room$}{:.>+10}", line.points)?;
        }
        if self.lines.is_empty() {
            writeln!(f, "(no line pays for its place)")?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "{:>14}  {:>10}  {:<30}  {:>16}",
            "total points", "predicted", "observed (95% interval)", "cases"
        )?;
        for row in &self.table {
            let points =
                if row.from == row.to { row.from.to_string() } else { format!("{} to {}", row.from, row.to) };
            let predicted = format!("{:.1}%", 100.0 * row.predicted);
            writeln!(f, "{points:>14}  {predicted:>10}  {:<30}  {:>16}", row.observed.percent(), row.cases)?;
        }
        write!(f, "\nOne point is {:.3} in log-odds; no points are {:.3}.", self.unit, self.offset)
    }
}
