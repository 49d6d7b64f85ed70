//! Which column of a table of scores says what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::{AsOf, Day, Horizon};
use crate::error::{AuditError, ScoresError};
use crate::fairness::audit::table::folded;

/// The columns of a table of scores, and what is said of them.
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreColumns {
    /// The score: a number, higher is more at risk, in any unit; a number with a per cent sign is a hundredth. Without
    /// it there has to be a selection, and the audit says nothing about scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// The texts that the score column holds in place of numbers, from the lowest risk to the highest (`Low`,
    /// `Medium`, `High`), in any case of letters. They count as 0, 1, 2 and so on, of which the audit uses the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub score_order: Vec<String>,
    /// Whether the outcome followed: true or false, 1 or 0, yes or no. Without it the audit says who is
    /// selected, and nothing about being right or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The texts by which the outcome column says that the outcome followed, in any case of letters; any other means
    /// that it did not. Empty where it says true or false, 1 or 0, yes or no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcome_true: Vec<String>,
    /// The texts by which the outcome column says that it is not resolved. Such rows are set apart and counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcome_unresolved: Vec<String>,
    /// The groups to compare, one column for each characteristic: texts, numbers or booleans. An empty cell is
    /// the group "unknown".
    pub groups: Vec<String>,
    /// Characteristics that the table does not hold: reported as not measurable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<String>,
    /// Whether the row was selected: true or false, 1 or 0, yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<String>,
    /// Whether the row would have been selected otherwise, such as the usual way: true or false, 1 or 0, yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// How many people of the population the row stands for, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The family, or whatever else makes rows alike; any text or number. A row without one is a family of
    /// its own: to leave it out would lose people, to put all such rows together would make strangers a family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whom the row is about, where people have several rows; any text or number. What is held back is then counted in
    /// people. A row without one is somebody of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How many cases of exactly this kind the row stands for, a whole number from 0 up: a table of counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// Confusion tables, a row for each: the columns of true positives, false positives, false negatives and true
    /// negatives. They stand in place of score, outcome and selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<[String; 4]>,
    /// How rows came to be looked at, where some were drawn at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<ArmColumn>,
    /// The day on which the row was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_on: Option<String>,
    /// How long outcomes were waited for. Rows whose whole horizon had not passed are set apart and counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<ScoreFollowUp>,
}

/// How rows came to be looked at. Where only those whom a score chose are looked into, the outcome of the others is not
/// known, and neither base rates nor errors can be measured; a random arm settles both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmColumn {
    /// The column.
    pub column: String,
    /// The texts of those who were drawn at random, in any case of letters; every other text means that the ranking
    /// chose them. A row without a text is of neither arm.
    pub random: Vec<String>,
}

/// How long outcomes were waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreFollowUp {
    /// Outcomes were recorded before this day.
    pub to: Day,
    /// The time in which an outcome counts, from the day of scoring on.
    pub horizon: Horizon,
}

impl ScoreFollowUp {
    /// Whether the whole horizon had passed.
    pub(super) fn is_complete(&self, scored_on: Day) -> bool {
        self.horizon.end(AsOf::new(scored_on)) <= self.to
    }
}

impl ScoreColumns {
    /// Score and outcome, and nothing else yet.
    pub fn new(score: &str, outcome: &str) -> Self {
        Self { score: Some(score.to_owned()), outcome: Some(outcome.to_owned()), ..Self::default() }
    }

    /// The score alone: a list in use, whose outcomes are not known yet.
    #[must_use]
    pub fn without_outcome(score: &str) -> Self {
        Self { score: Some(score.to_owned()), ..Self::default() }
    }

    /// Who was selected and what happened, without the scores.
    #[must_use]
    pub fn without_score(predicted: &str, outcome: &str) -> Self {
        Self { predicted: Some(predicted.to_owned()), outcome: Some(outcome.to_owned()), ..Self::default() }
    }

    /// One more group column.
    #[must_use]
    pub fn group(mut self, column: &str) -> Self {
        self.groups.push(column.to_owned());
        self
    }

    /// Whether what is asked for goes together.
    pub(super) fn check(&self) -> Result<(), ScoresError> {
        let wrong = |what: &'static str| Err(ScoresError::Columns { what });
        if let Some(names) = &self.confusion {
            if has_twice(names) {
                return wrong("the four columns of a confusion table are four different ones");
            }
            if self.score.is_some()
                || self.outcome.is_some()
                || self.predicted.is_some()
                || self.count.is_some()
                || self.scored_on.is_some()
                || self.arm.is_some()
                || self.cluster.is_some()
                || self.person.is_some()
                || self.weight.is_some()
            {
                return wrong(
                    "a confusion table says how many were selected and what happened to them: leave score, outcome, \
                     selection, count, date of scoring, arm, family, person and weight out",
                );
            }
        } else if self.score.is_none() && self.predicted.is_none() {
            return wrong("give the column of the score, or the one that says who was selected");
        }
        // In other capitals it is the same column.
        if let Some(column) = twice(&self.groups) {
            return Err(AuditError::Twice { column: column.clone() }.into());
        }
        let is_group =
            |column: &Option<String>| column.as_ref().is_some_and(|name| self.groups.contains(name));
        if is_group(&self.score) || is_group(&self.outcome) {
            return wrong(
                "the column of the score or of the outcome is no characteristic to compare groups by",
            );
        }
        if self.outcome.is_none() && !(self.outcome_true.is_empty() && self.outcome_unresolved.is_empty()) {
            return wrong("values of the outcome are given without its column");
        }
        if has_twice(&self.score_order) {
            return wrong("the order of scores names a band twice");
        }
        if has_twice(self.outcome_true.iter().chain(&self.outcome_unresolved)) {
            return wrong("a value of the outcome is named twice, so what it means cannot be told");
        }
        if self.score.is_none() && !self.score_order.is_empty() {
            return wrong("an order of scores is given without their column");
        }
        if self.follow_up.is_some() && (self.scored_on.is_none() || self.outcome.is_none()) {
            return wrong("follow-up needs the column of the day of scoring, and the one of the outcome");
        }
        if let Some(arm) = &self.arm {
            if arm.random.is_empty() {
                return wrong("say which value of the arm's column means drawn at random");
            }
            if self.outcome.is_none() {
                return wrong("a random arm says how common outcomes are: give their column");
            }
        }
        Ok(())
    }
}

/// Whether two of the names are one, but for capitals and blanks.
fn has_twice<'n>(names: impl IntoIterator<Item = &'n String>) -> bool {
    twice(names).is_some()
}

/// The first that was there before, but for capitals and blanks.
fn twice<'n>(names: impl IntoIterator<Item = &'n String>) -> Option<&'n String> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(folded(Some(name))))
}
