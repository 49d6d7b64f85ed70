//! Changing the points of a scorecard's lines: card and model together.

use super::{Draft, Parts};
use crate::error::ModelError;
use crate::features::{Direction, FeatureMatrix};
use crate::model::form::{Shape, Term};
use crate::model::scorecard::{self, CardLine, Condition, Scorecard};
use crate::model::trainer::Trainer;

/// Checks that a person can ask for these points.
pub(super) fn check(
    feature: &str,
    condition: Condition,
    points: i32,
    card: &Scorecard,
    trainer: &Trainer,
) -> Result<(), ModelError> {
    let is_it = |line: &&CardLine| line.feature == feature && line.condition == condition;
    let Some(line) = card.lines.iter().find(is_it) else {
        let asked: Vec<String> =
            card.lines.iter().filter(|line| line.feature == feature).map(CardLine::to_string).collect();
        let asked = if asked.is_empty() { "nothing of it".to_owned() } else { asked.join("; ") };
        return Err(ModelError::Edit(format!(
            "the card has no line \"{feature}: {condition}\"; it asks {asked}"
        )));
    };
    if line.points == points {
        return Err(ModelError::Edit(format!("the line \"{line}\" has {points} points already")));
    }
    match trainer {
        Trainer::Scorecard(params) if points.unsigned_abs() > params.points => {
            Err(ModelError::Edit(format!("points lie between -{0} and +{0} on this card", params.points)))
        }
        _ => Ok(()),
    }
}

/// Refuses points that go against what was declared of the feature.
pub(super) fn check_direction(shape: &Shape, direction: Direction) -> Result<(), ModelError> {
    let Shape::Steps { axis, values } = shape else { return Ok(()) };
    let of_values = &values[..=axis.edges().len()];
    let (is_kept, word) = match direction {
        Direction::None => return Ok(()),
        Direction::Rising => (of_values.is_sorted(), "rise"),
        Direction::Falling => (of_values.iter().rev().is_sorted(), "fall"),
    };
    if is_kept {
        return Ok(());
    }
    Err(ModelError::Edit(format!(
        "the risk is declared to {word} with this feature; with these points it would not"
    )))
}

/// The card without a feature. Its mean moves to the offset, so that the average case keeps its score.
pub(super) fn without(
    card: &Scorecard,
    feature: &str,
    matrix: &FeatureMatrix,
) -> Result<Scorecard, ModelError> {
    let (mut lines, offset) = (card.lines.clone(), card.offset + built(card, feature, matrix)?.1);
    lines.retain(|line| line.feature != feature);
    Ok(Scorecard { offset, ..tidy(card, lines) })
}

/// The card with its table counted anew.
pub(in crate::model) fn with_table(card: Scorecard, matrix: &FeatureMatrix, outcomes: &[bool]) -> Scorecard {
    let mut totals = vec![0; matrix.rows()];
    for line in &card.lines {
        let Some(place) = matrix.names().iter().position(|name| *name == line.feature) else { continue };
        for (total, cell) in totals.iter_mut().zip(matrix.cells(place).iter()) {
            *total += if line.condition.holds(cell) { line.points } else { 0 };
        }
    }
    Scorecard::new((card.unit, card.offset), card.lines, &totals, outcomes)
}

/// The card with other lines. A card without any has no unit.
fn tidy(card: &Scorecard, lines: Vec<CardLine>) -> Scorecard {
    let unit = if lines.is_empty() { 0.0 } else { card.unit };
    Scorecard { unit, offset: card.offset, lines, table: card.table.clone() }
}

/// A feature's lines as centred steps, and the mean that was taken out.
fn built(card: &Scorecard, feature: &str, matrix: &FeatureMatrix) -> Result<(Shape, f64), ModelError> {
    let of_feature = card.lines.iter().filter(|line| line.feature == feature);
    let rules: Vec<(Condition, i32)> = of_feature.map(|line| (line.condition, line.points)).collect();
    let place = matrix.names().iter().position(|name| name == feature).unwrap_or_default();
    scorecard::steps(&rules, card.unit, matrix.cells(place), None)
}

/// The line that a question is about: the same one, or else the same with the nearest cut.
fn nearest(card: &Scorecard, feature: &str, condition: Condition) -> Option<usize> {
    let away = |other: Condition| match (condition, other) {
        (Condition::AtLeast(a), Condition::AtLeast(b)) | (Condition::Below(a), Condition::Below(b)) => {
            Some((a - b).abs())
        }
        (a, b) if a == b => Some(0.0),
        _ => None,
    };
    let lines = card.lines.iter().enumerate().filter(|(_, line)| line.feature == feature);
    let distances = lines.filter_map(|(nth, line)| Some((nth, away(line.condition)?)));
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(nth, _)| nth)
}

impl Draft {
    /// The draft with other points on the line that a question is about; `None` where the card does not ask.
    pub(super) fn repointed(
        &self,
        feature: &str,
        condition: Condition,
        points: i32,
        matrix: &FeatureMatrix,
    ) -> Result<Option<Self>, ModelError> {
        let Some(card) = &self.card else { return Ok(None) };
        let mut parts = Parts::of(&self.model);
        let term = parts.terms.iter().position(|term| term.on == [feature]);
        let (Some(line), Some(nth)) = (nearest(card, feature, condition), term) else { return Ok(None) };
        let mut lines = card.lines.clone();
        if points == 0 {
            lines.remove(line);
        } else {
            lines[line].points = points;
        }
        let is_asked = lines.iter().any(|line| line.feature == feature);
        let after = Scorecard { lines, ..card.clone() };
        let (shape, mean) = built(&after, feature, matrix)?;
        let moved = mean - built(card, feature, matrix)?.1;
        // A refit says what a point would be worth and where the card would start; points stand.
        let worth = parts.worth();
        if let Some(drawn) = &mut parts.drawn {
            let figures = shape.figures();
            for (refit, intercept) in drawn.intercepts.iter_mut().enumerate() {
                *intercept += worth[refit] * moved;
                drawn.terms[nth][refit] = figures.iter().map(|figure| worth[refit] * figure).collect();
            }
        }
        parts.intercept += moved;
        parts.terms[nth] = Term::one(feature, shape);
        if !is_asked {
            parts.retain(|held| held != nth);
        }
        Ok(Some(Self { model: parts.model(self.model.features())?, card: Some(tidy(card, after.lines)) }))
    }
}

impl Parts {
    /// For each refit of a card what a point is worth there, as a share of what it is worth in the fit: by
    /// least squares over all figures, since a refit keeps them only to a thousandth of the widest.
    fn worth(&self) -> Vec<f64> {
        let Some(drawn) = &self.drawn else { return Vec::new() };
        let worth = |refit: usize| {
            let (mut both, mut squares) = (0.0, 0.0);
            for (term, drawn) in self.terms.iter().zip(&drawn.terms) {
                for (figure, drawn) in term.shape.figures().iter().zip(&drawn[refit]) {
                    both += figure * drawn;
                    squares += figure * figure;
                }
            }
            if squares > 0.0 { both / squares } else { 1.0 }
        };
        (0..drawn.intercepts.len()).map(worth).collect()
    }
}
