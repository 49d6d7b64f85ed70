//! Changes that a person makes to a trained model, each with a name and a reason.
//!
//! ```text
//! Candidate ─edited (Edit)→ Candidate' { edits, edited_from }, of another digest ─backtest, audit→ AuditedModel
//! ```
//!
//! [`reshape`] changes a term's figures, [`points`] a card's lines. Each says what it does in features and
//! ranges of values, never in the numbering of steps, so that it can be done to every fit of the same
//! trainer: a backtest tests the edited model and not the one before.

mod points;
mod reshape;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(super) use self::points::with_table;
use self::reshape::Reshaping;
use super::form::{AdditiveModel, Shape, Term};
use super::refits::Refits;
use super::scorecard::{Condition, Scorecard};
use super::trainer::Trainer;
use crate::calendar::Day;
use crate::dataset::Dataset;
use crate::error::ModelError;
use crate::features::{Cell, Cells, FeatureMatrix};

/// A change to a model, who made it and why. See [`Candidate::edited`](super::Candidate::edited).
///
/// # Examples
/// ```
/// use earlyhelp::model::{Change, Edit};
///
/// let edit = Edit {
///     on: vec!["visits".into()],
///     change: Change::Flatten { from: Some(6.0), to: None },
///     by: "A. Analyst".into(),
///     reason: "Six visits or more are a matter of how a clinic books.".into(),
///     on_day: "2025-03-01".parse()?,
/// };
/// assert!(edit.to_string().starts_with("visits: made flat from 6 up (A. Analyst, 2025-03-01: Six visits"));
/// # Ok::<(), earlyhelp::error::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What it is about: a feature, or the two features of a pair in either order.
    pub on: Vec<String>,
    /// What is changed.
    pub change: Change,
    /// The person who changes it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The day of the change.
    pub on_day: Day,
}

/// What an edit does. Contributions are in log-odds, differences from the average case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Change {
    /// Takes the term out. To drop a feature drops the pairs that it is part of as well, so that it plays
    /// no part any more; to drop a pair leaves its features' own terms. The intercept stands: the average
    /// case keeps its score.
    Drop,
    /// Values from one up to another (which is not among them) all get their mean contribution, weighted by
    /// cases. Missing and not covered stay as they are. Of a pair the range is the first feature's, for each
    /// step of the second. A line has one slope, so it can only be made flat as a whole.
    Flatten {
        /// The lowest value of the range; `None` for no limit.
        from: Option<f64>,
        /// The first value above the range; `None` for no limit.
        to: Option<f64>,
    },
    /// Contributions, as they stand before the edit, are held between two bounds. The term is centred again
    /// after that, so that they may then be read a little above or below the bounds; scores are what they
    /// would be without centring. Of a line only what is missing and what is not covered can be held.
    Clamp {
        /// The least contribution; `None` for no bound.
        least: Option<f64>,
        /// The largest contribution; `None` for no bound.
        most: Option<f64>,
    },
    /// A scorecard's line gets other points. In a fit whose card asks the same with another cut, the line
    /// with the nearest cut gets them; a card that does not ask it is left as it is.
    Points {
        /// The line's question.
        condition: Condition,
        /// Its new points, within the trainer's limit; 0 takes the line off the card.
        points: i32,
    },
}

impl Edit {
    /// Checks what can be checked without a model.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let refuse = |why: &str| Err(ModelError::Edit(why.to_owned()));
        if crate::words::is_blank(&self.by) {
            return refuse("it needs the name of the person who makes it");
        }
        if crate::words::is_blank(&self.reason) {
            return refuse("it needs a reason in words");
        }
        let pair = self.on.len() == 2 && self.on[0] != self.on[1];
        if !(self.on.len() == 1 || pair) {
            return refuse("it is about one feature, or about two different ones");
        }
        let is_finite = |bound: &Option<f64>| bound.is_none_or(f64::is_finite);
        match &self.change {
            Change::Flatten { from, to } | Change::Clamp { least: from, most: to }
                if !(is_finite(from) && is_finite(to)) =>
            {
                refuse("its figures must be finite")
            }
            Change::Points { condition: Condition::AtLeast(cut) | Condition::Below(cut), .. }
                if !cut.is_finite() =>
            {
                refuse("its figures must be finite")
            }
            Change::Flatten { from: Some(from), to: Some(to) } if from >= to => {
                refuse("the end of the range must be above its beginning")
            }
            Change::Clamp { least: None, most: None } => refuse("a clamp needs a bound"),
            Change::Clamp { least: Some(least), most: Some(most) } if least > most => {
                refuse("the upper bound must not be below the lower one")
            }
            Change::Points { .. } if pair => refuse("a scorecard has no pairs"),
            _ => Ok(()),
        }
    }

    /// Whether a term is the one it is about.
    fn is_of(&self, term: &Term) -> bool {
        term.on.len() == self.on.len() && self.on.iter().all(|name| term.on.contains(name))
    }
}

impl fmt::Display for Change {
    /// What is done, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => write!(f, "dropped"),
            Self::Flatten { from: Some(from), to: Some(to) } => {
                write!(f, "made flat from {from} up to, not including, {to}")
            }
            Self::Flatten { from: Some(from), to: None } => write!(f, "made flat from {from} up"),
            Self::Flatten { from: None, to: Some(to) } => write!(f, "made flat below {to}"),
            Self::Flatten { from: None, to: None } => write!(f, "made flat for all values"),
            Self::Clamp { least: Some(least), most: Some(most) } => {
                write!(f, "held between {least:+} and {most:+} in log-odds")
            }
            Self::Clamp { least: Some(least), most: None } => {
                write!(f, "held to {least:+} or more in log-odds")
            }
            Self::Clamp { least: None, most: Some(most) } => {
                write!(f, "held to {most:+} or less in log-odds")
            }
            Self::Clamp { least: None, most: None } => write!(f, "not held"),
            Self::Points { condition, points: 0 } => write!(f, "{condition}: line taken off the card"),
            Self::Points { condition, points } => write!(f, "{condition}: {points:+} points"),
        }
    }
}

impl fmt::Display for Edit {
    /// What, who, when and why, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}, {}: {})", self.on.join(" * "), self.change, self.by, self.on_day, self.reason)
    }
}

/// How a model was recalibrated on later data, `offset + slope * log-odds`, and how many edits had been made
/// before.
///
/// It is kept so that the model's history can be repeated, in its order, on every fit of a backtest: the bounds
/// of an edit then mean the same there. Both figures were learnt from all test cases of the backtest before, so
/// a later backtest takes them as given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Recalibration {
    /// How many edits came before it.
    pub after_edits: u32,
    /// What log-odds were multiplied by; above 0.
    pub slope: f64,
    /// What was added, in log-odds.
    pub offset: f64,
}

/// A model and, where its trainer made one, its card: the two say the same before and after every change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) model: AdditiveModel,
    pub(super) card: Option<Scorecard>,
}

impl Draft {
    /// The draft as a person asked for it. Everything that would not do what they expect is refused.
    pub(super) fn by_hand(&self, edit: &Edit, data: &Dataset, trainer: &Trainer) -> Result<Self, ModelError> {
        let refuse = |why: String| Err(ModelError::Edit(why));
        edit.check()?;
        let names = self.model.features();
        if let Some(name) = edit.on.iter().find(|name| !names.contains(name)) {
            return refuse(format!("the model has no feature \"{name}\""));
        }
        match (&edit.change, &self.card) {
            (Change::Points { condition, points }, Some(card)) => {
                points::check(&edit.on[0], *condition, *points, card, trainer)?;
            }
            (Change::Points { .. }, None) => return refuse("points are changed on scorecards alone".into()),
            (Change::Flatten { .. } | Change::Clamp { .. }, Some(_)) => {
                return refuse(
                    "a scorecard's points are whole numbers; change those, or drop the feature".into(),
                );
            }
            _ => {}
        }
        let Some(edited) = self.edited(edit, data.matrix())? else {
            return refuse(format!("the model has no term on {}", edit.on.join(" * ")));
        };
        if edited.model.terms().is_empty() {
            return refuse("no term would be left".into());
        }
        self.check_result(&edited, edit, data)?;
        if edit.change != Change::Drop && self.is_like(&edited, edit, data.matrix())? {
            return refuse("it would change nobody's score: the model is like that already".into());
        }
        Ok(edited)
    }

    /// The shape of the term that an edit is about.
    fn shape_of(&self, edit: &Edit) -> Option<&Shape> {
        self.model.terms().iter().find(|term| edit.is_of(term)).map(|term| &term.shape)
    }

    /// Whether the edited term is as it was: also where training has no case, since others may come.
    fn is_like(&self, edited: &Self, edit: &Edit, matrix: &FeatureMatrix) -> Result<bool, ModelError> {
        match (self.shape_of(edit), edited.shape_of(edit)) {
            (Some(before), Some(after)) if before.has_bins_of(after) => {
                let (before, after) = (before.figures(), after.figures());
                let mut moved = before.iter().zip(&after).map(|(before, after)| after - before);
                let first = moved.next().unwrap_or_default();
                Ok(moved.all(|by| (by - first).abs() <= 1e-9))
            }
            _ => self.scores_alike(edited, matrix),
        }
    }

    /// Whether every case has the same score in both, but for rounding.
    fn scores_alike(&self, other: &Self, matrix: &FeatureMatrix) -> Result<bool, ModelError> {
        let (these, others) = (self.model.log_odds(matrix)?, other.model.log_odds(matrix)?);
        Ok(these.iter().zip(&others).all(|(this, other)| (this - other).abs() <= 1e-9))
    }

    /// Checks that an edit does what it says, given what comes of it.
    fn check_result(&self, edited: &Self, edit: &Edit, data: &Dataset) -> Result<(), ModelError> {
        let place = data.matrix().names().iter().position(|name| *name == edit.on[0]).unwrap_or_default();
        let is_of_codes = |name: &String| {
            let feature = data.spec().features().iter().find(|feature| feature.name == *name);
            feature.is_some_and(|feature| feature.measure.codes().is_some())
        };
        let is_of_range = |change: &Change| matches!(change, Change::Flatten { from, to } if from.is_some() || to.is_some());
        if is_of_range(&edit.change) && edit.on.iter().any(is_of_codes) {
            return Err(ModelError::Edit(
                "codes have no order, so there is no range of them; clamp the term, or drop it".into(),
            ));
        }
        match (&edit.change, self.shape_of(edit), edited.shape_of(edit)) {
            (Change::Points { .. }, _, Some(shape)) => {
                points::check_direction(shape, data.spec().features()[place].direction)
            }
            (Change::Clamp { least, most }, Some(Shape::Line { scale, centre, slope, at_centre, .. }), _) => {
                let is_out = |value: f32| {
                    let contribution = at_centre + slope * (scale.apply(f64::from(value)) - centre);
                    least.is_some_and(|least| contribution < least)
                        || most.is_some_and(|most| contribution > most)
                };
                if data.matrix().column(place).filter_map(Cell::value).any(is_out) {
                    return Err(ModelError::Edit(
                        "a line cannot be bent where it passes a bound; drop it, make it flat, or train with the \
                         additive trainer, whose steps can be held"
                            .into(),
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The draft after an edit, centred on the cases of the matrix; `None` where it has nothing that the
    /// edit is about.
    pub(super) fn edited(&self, edit: &Edit, matrix: &FeatureMatrix) -> Result<Option<Self>, ModelError> {
        match &edit.change {
            Change::Drop => self.without(edit, matrix),
            Change::Points { condition, points } => self.repointed(&edit.on[0], *condition, *points, matrix),
            Change::Flatten { .. } | Change::Clamp { .. } => self.reshaped(edit, matrix),
        }
    }

    /// The draft recalibrated.
    pub(super) fn recalibrated(mut self, by: &Recalibration) -> Result<Self, ModelError> {
        self.model = self.model.recalibrated(by.slope, by.offset)?;
        if let Some(card) = &mut self.card {
            card.recalibrate(by.slope, by.offset);
        }
        Ok(self)
    }

    fn without(&self, edit: &Edit, matrix: &FeatureMatrix) -> Result<Option<Self>, ModelError> {
        let is_dropped = |term: &Term| match edit.on.as_slice() {
            [feature] => term.on.contains(feature),
            _ => edit.is_of(term),
        };
        let mut parts = Parts::of(&self.model);
        let dropped: Vec<bool> = parts.terms.iter().map(is_dropped).collect();
        if !dropped.contains(&true) {
            return Ok(None);
        }
        parts.retain(|nth| !dropped[nth]);
        let card = self.card.as_ref().map(|card| points::without(card, &edit.on[0], matrix)).transpose()?;
        Ok(Some(Self { model: parts.model(self.model.features())?, card }))
    }

    fn reshaped(&self, edit: &Edit, matrix: &FeatureMatrix) -> Result<Option<Self>, ModelError> {
        let mut parts = Parts::of(&self.model);
        let Some(nth) = parts.terms.iter().position(|term| edit.is_of(term)) else { return Ok(None) };
        let term = &mut parts.terms[nth];
        let columns: Vec<Cells> = self.model.places(nth).map(|place| matrix.cells(place)).collect();
        let along = term.on.iter().position(|name| *name == edit.on[0]).unwrap_or_default();
        let reshaping = Reshaping::of(&term.shape, &edit.change, along, &columns)?;
        let (figures, moved) = reshaping.figures(&term.shape.figures());
        parts.intercept += moved;
        term.shape = reshaping.shape(figures);
        if let Some(counts) = reshaping.counts().filter(|_| !term.cases.is_empty()) {
            *term = term.clone().counted(counts);
        }
        if let Some(drawn) = &mut parts.drawn {
            for (figures, intercept) in drawn.terms[nth].iter_mut().zip(&mut drawn.intercepts) {
                let (changed, moved) = reshaping.figures(figures);
                *figures = changed;
                *intercept += moved;
            }
        }
        Ok(Some(Self { model: parts.model(self.model.features())?, card: self.card.clone() }))
    }
}

/// A model taken apart, so that one term can be changed in the fit and in all refits alike.
struct Parts {
    intercept: f64,
    terms: Vec<Term>,
    drawn: Option<Drawn>,
}

/// What became of intercept and figures in each refit.
struct Drawn {
    seed: u64,
    intercepts: Vec<f64>,
    /// For each term, for each refit, its figures.
    terms: Vec<Vec<Vec<f64>>>,
}

impl Parts {
    fn of(model: &AdditiveModel) -> Self {
        let drawn = model.refits().map(|refits| {
            let of_term = |(nth, term): (usize, &Term)| {
                let figures = term.shape.figures();
                let in_refit = |refit: usize| {
                    let moved =
                        figures.iter().enumerate().map(|(at, figure)| figure + refits.figure(nth, refit, at));
                    moved.collect()
                };
                (0..refits.len()).map(in_refit).collect()
            };
            Drawn {
                seed: refits.seed(),
                intercepts: (0..refits.len())
                    .map(|refit| model.intercept() + refits.intercept(refit))
                    .collect(),
                terms: model.terms().iter().enumerate().map(of_term).collect(),
            }
        });
        Self { intercept: model.intercept(), terms: model.terms().to_vec(), drawn }
    }

    fn retain(&mut self, mut kept: impl FnMut(usize) -> bool) {
        let kept: Vec<bool> = (0..self.terms.len()).map(&mut kept).collect();
        let mut flags = kept.iter();
        self.terms.retain(|_| flags.next() == Some(&true));
        if let Some(drawn) = &mut self.drawn {
            let mut flags = kept.iter();
            drawn.terms.retain(|_| flags.next() == Some(&true));
        }
    }

    fn model(self, features: &[String]) -> Result<AdditiveModel, ModelError> {
        let Self { intercept, terms, drawn } = self;
        let fitted: Vec<Vec<f64>> = terms.iter().map(|term| term.shape.figures()).collect();
        let model = AdditiveModel::new(features.to_vec(), intercept, terms)?;
        match drawn {
            None => Ok(model),
            Some(drawn) => {
                let terms: Vec<_> = fitted.into_iter().zip(drawn.terms).collect();
                model.with_refits(Refits::new(drawn.seed, intercept, &drawn.intercepts, &terms))
            }
        }
    }
}
