//! Scores from a polars frame or a file, for [`ScoreTable`].

mod cells;
mod files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hashbrown::HashMap;
use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use self::cells::{Cell, Columns, Role};
use super::ScoreTable;
pub use crate::error::ScoresError;

pub use self::files::read_scores;

/// The columns of a table of scores.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::{ScoreColumns, ScoreTable};
/// use polars::df;
///
/// let frame = df!(
///     "risk" => [Some(0.7), Some(0.2), None],
///     "excluded" => [1, 0, 0],
///     "sex" => [Some("F"), None, Some("M")],
/// )?;
/// let columns = ScoreColumns::new("risk", "excluded").group("sex");
/// let (table, intake) = ScoreTable::from_frame(&frame, &columns)?;
/// // The row without a score cannot be audited; the one without a sex is in the group "unknown".
/// assert_eq!((intake.read, intake.audited, intake.rejected[0].row), (3, 2, 3));
/// # let _ = table;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreColumns {
    /// The score: a number, higher is more at risk, in any unit.
    pub score: String,
    /// Whether the outcome followed: true or false, 1 or 0, yes or no. Without it the audit says who is
    /// selected, and nothing about being right or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The groups to compare, one column for each characteristic: texts, numbers or booleans. An empty cell is
    /// the group "unknown".
    pub groups: Vec<String>,
    /// Characteristics that the table does not hold: reported as not measurable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<String>,
    /// Whether the row was selected, in the forms of `outcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<String>,
    /// How many people of the population the row stands for, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The family, or whatever else makes rows alike; any text or number. A row without one is a family of
    /// its own: to leave it out would lose people, to put all such rows together would make strangers a family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

impl ScoreColumns {
    /// Score and outcome, and nothing else yet.
    pub fn new(score: &str, outcome: &str) -> Self {
        Self {
            score: score.to_owned(),
            outcome: Some(outcome.to_owned()),
            groups: Vec::new(),
            not_held: Vec::new(),
            predicted: None,
            weight: None,
            cluster: None,
        }
    }

    /// One more group column.
    #[must_use]
    pub fn group(mut self, column: &str) -> Self {
        self.groups.push(column.to_owned());
        self
    }

    /// The score alone: a list in use, whose outcomes are not known yet.
    #[must_use]
    pub fn without_outcome(score: &str) -> Self {
        let mut columns = Self::new(score, score);
        columns.outcome = None;
        columns
    }

    /// All columns that are read, with what is asked of each: score and outcome first, groups last.
    fn roles(&self) -> Vec<(Role, &str)> {
        let chosen = [
            (Role::Flag, &self.outcome),
            (Role::Flag, &self.predicted),
            (Role::Number, &self.weight),
            (Role::Label, &self.cluster),
        ];
        let chosen = chosen.into_iter().filter_map(|(role, name)| Some((role, name.as_deref()?)));
        let mut roles = vec![(Role::Number, self.score.as_str())];
        roles.extend(chosen);
        roles.extend(self.groups.iter().map(|name| (Role::Label, name.as_str())));
        roles
    }
}

/// Why a row cannot be audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowReason {
    /// Nothing in a cell that is needed.
    Missing,
    /// No finite number, or one too large for a score.
    NotANumber,
    /// Neither true nor false.
    NotYesOrNo,
    /// A weight that is not above 0.
    WeightNotAboveZero,
    /// More or fewer fields than the header.
    FieldCount,
    /// Not UTF-8.
    Encoding,
}

impl RowReason {
    /// What it means, in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "nothing in the cell",
            Self::NotANumber => "not a usable number",
            Self::NotYesOrNo => "not true or false, 1 or 0, yes or no",
            Self::WeightNotAboveZero => "a weight that is not above 0",
            Self::FieldCount => "the row has more or fewer fields than the header",
            Self::Encoding => "the row is not UTF-8 text",
        }
    }
}

/// A row that could not be audited: where it stands and why. It holds nothing of what the row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectedRow {
    /// CSV: the line on which the row begins (the header is line 1). Otherwise the row, from 1.
    pub row: u64,
    /// The column at fault, where it is one column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Why.
    pub reason: RowReason,
}

/// What became of the rows of a table of scores. `read` is `audited` and the rejected together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreIntake {
    /// Rows read.
    pub read: u64,
    /// Rows in the table.
    pub audited: u64,
    /// Rows in the table that have no family where others have one: each counts as its own.
    pub without_cluster: u64,
    /// Rows that could not be audited, in the order of the table.
    pub rejected: Vec<RejectedRow>,
}

impl ScoreIntake {
    /// How many rows were rejected for each column and reason, the commonest first.
    pub fn reasons(&self) -> Vec<(Option<&str>, RowReason, u64)> {
        let mut counts: BTreeMap<(Option<&str>, RowReason), u64> = BTreeMap::new();
        for rejected in &self.rejected {
            *counts.entry((rejected.column.as_deref(), rejected.reason)).or_default() += 1;
        }
        let mut reasons: Vec<_> =
            counts.into_iter().map(|((column, reason), count)| (column, reason, count)).collect();
        reasons.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        reasons
    }
}

impl ScoreTable {
    /// The columns of a frame as a table for an audit, and what became of its rows.
    ///
    /// Scores and weights may be numbers or texts of numbers; outcomes and selections booleans, 0 and 1, or
    /// texts such as `yes` and `false`. A row without a usable score, outcome, selection or weight is not in the
    /// table but in [`ScoreIntake::rejected`]; a row without a group is in the table, in the group "unknown".
    ///
    /// # Errors
    /// [`ScoresError::NoColumn`], [`ScoresError::ColumnType`]; [`ScoresError::OneAndTwo`] where an outcome or a selection is
    /// coded 1 and 2; [`ScoresError::NoRow`] where no row can be used;
    /// [`ScoresError::Table`] where [`ScoreTable`] refuses a column.
    pub fn from_frame(frame: &DataFrame, columns: &ScoreColumns) -> Result<(Self, ScoreIntake), ScoresError> {
        let mut rows = Rows::new(columns);
        let read = Columns::of(frame, columns)?;
        for row in 0..frame.height() {
            rows.push(row as u64 + 1, |nth| read.cell(nth, row));
        }
        rows.finish()
    }
}

/// Rows on their way into a table. Cells come in the order of [`ScoreColumns::roles`].
struct Rows<'a> {
    columns: &'a ScoreColumns,
    scores: Vec<f64>,
    outcomes: Vec<bool>,
    predicted: Vec<bool>,
    weights: Vec<f64>,
    clusters: Coded,
    groups: Vec<Coded>,
    /// Of outcome and selection: whether a 2 was met, and a no.
    coded: [(bool, bool); 2],
    intake: ScoreIntake,
}

impl<'a> Rows<'a> {
    fn new(columns: &'a ScoreColumns) -> Self {
        Self {
            columns,
            scores: Vec::new(),
            outcomes: Vec::new(),
            predicted: Vec::new(),
            weights: Vec::new(),
            clusters: Coded::default(),
            groups: columns.groups.iter().map(|_| Coded::default()).collect(),
            coded: [(false, false); 2],
            intake: ScoreIntake::default(),
        }
    }

    /// A row that cannot be audited.
    fn reject(&mut self, row: u64, column: Option<&str>, reason: RowReason) {
        self.intake.read += 1;
        self.intake.rejected.push(RejectedRow { row, column: column.map(str::to_owned), reason });
    }

    /// The next row: into the table, or among the rejects for the first cell that cannot be used.
    fn push<'c>(&mut self, row: u64, cell: impl Fn(usize) -> Cell<'c>) {
        let columns = self.columns;
        let score = match cell(0).score() {
            Err(reason) => return self.reject(row, Some(&columns.score), reason),
            Ok(score) => score,
        };
        let mut nth = 1;
        let (mut outcome, mut predicted) = (None, None);
        let flags = [(&columns.outcome, &mut outcome), (&columns.predicted, &mut predicted)];
        for (place, (name, held)) in flags.into_iter().enumerate() {
            let Some(name) = name else { continue };
            let flag = cell(nth).flag();
            let (two, no) = &mut self.coded[place];
            *two |= cell(nth).is_two();
            *no |= flag == Ok(false);
            match flag {
                Err(reason) => return self.reject(row, Some(name), reason),
                Ok(flag) => *held = Some(flag),
            }
            nth += 1;
        }
        let mut weight = None;
        if let Some(name) = &columns.weight {
            match cell(nth).weight() {
                Err(reason) => return self.reject(row, Some(name), reason),
                Ok(number) => weight = Some(number),
            }
            nth += 1;
        }
        if columns.cluster.is_some() {
            self.clusters.push(cell(nth).label());
            nth += 1;
        }
        for (place, groups) in self.groups.iter_mut().enumerate() {
            groups.push(cell(nth + place).label());
        }
        self.scores.push(score);
        self.outcomes.extend(outcome);
        self.predicted.extend(predicted);
        self.weights.extend(weight);
        self.intake.read += 1;
        self.intake.audited += 1;
    }

    fn finish(mut self) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
        for (name, (two, no)) in [&self.columns.outcome, &self.columns.predicted].into_iter().zip(self.coded)
        {
            if let Some(column) = name.as_ref().filter(|_| two && !no) {
                return Err(ScoresError::OneAndTwo { column: column.clone() });
            }
        }
        if self.scores.is_empty() {
            let why = self.intake.reasons().first().map(|(column, reason, _)| {
                let column =
                    column.map_or_else(String::new, |column| format!(", mostly column \"{column}\""));
                format!("{column}: {}", reason.words())
            });
            return Err(ScoresError::NoRow { read: self.intake.read, why: why.unwrap_or_default() });
        }
        let mut table = if self.columns.outcome.is_some() {
            ScoreTable::new(self.scores, self.outcomes)?
        } else {
            ScoreTable::without_outcomes(self.scores)?
        };
        if self.columns.predicted.is_some() {
            table = table.predicted(self.predicted)?;
        }
        if self.columns.weight.is_some() {
            table = table.weights(self.weights)?;
        }
        if self.columns.cluster.is_some() {
            self.intake.without_cluster = self.clusters.missing();
            table = table.clusters(self.clusters.into_clusters())?;
        }
        for (name, coded) in self.columns.groups.iter().zip(self.groups) {
            let values: Vec<Option<&str>> = coded.names.iter().map(Option::as_deref).collect();
            table = table.group_coded(name, &coded.codes, &values)?;
        }
        for name in &self.columns.not_held {
            table = table.not_held(name)?;
        }
        Ok((table, self.intake))
    }
}

/// Texts, each coded by its place among the different ones.
#[derive(Default)]
struct Coded {
    codes: Vec<u32>,
    places: HashMap<Box<str>, u32>,
    /// The code of no text.
    none: Option<u32>,
    names: Vec<Option<Box<str>>>,
}

impl Coded {
    fn push(&mut self, text: Option<&str>) {
        let known = match text {
            Some(text) => self.places.get(text).copied(),
            None => self.none,
        };
        let code = known.unwrap_or_else(|| {
            let code = self.names.len() as u32;
            match text {
                Some(text) => {
                    self.places.insert(text.into(), code);
                }
                None => self.none = Some(code),
            }
            self.names.push(text.map(Into::into));
            code
        });
        self.codes.push(code);
    }

    /// How many rows have no text.
    fn missing(&self) -> u64 {
        self.codes.iter().filter(|code| Some(**code) == self.none).count() as u64
    }

    /// Codes in the order of the texts, which does not depend on the order of the rows. Each row without a text
    /// has a code of its own, after the others.
    fn into_clusters(self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by(|a, b| self.names[*a].cmp(&self.names[*b]));
        let mut ranks = vec![0; order.len()];
        for (rank, place) in order.into_iter().enumerate() {
            ranks[place] = rank as u32;
        }
        let mut alone = ranks.len() as u32;
        self.codes
            .into_iter()
            .map(|code| {
                if Some(code) != self.none {
                    return ranks[code as usize];
                }
                alone += 1;
                alone - 1
            })
            .collect()
    }
}
