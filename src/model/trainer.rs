//! The trainers, under one roof: from a dataset to a model with its refits.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::additive::{self, AdditiveParams, Cases};
use super::form::{AdditiveModel, Scale, Shape, Term};
use super::logistic::{Groups, LogisticFit, LogisticParams};
use super::notes::TrainingNote;
use super::path::PathReport;
use super::refits::{Draw, Refits};
use super::scorecard::{Scorecard, ScorecardParams};
use super::validation::Validation;
use crate::calendar::AsOf;
use crate::dataset::Dataset;
use crate::error::ModelError;
use crate::features::{Cell, Direction};
use crate::stats::link::probability;

/// A trainer and its settings, as a project file and a model file name them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "trainer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trainer {
    /// Steps for each feature and grids for the pairs that pay: the default.
    Additive(AdditiveParams),
    /// Whole-number points on few yes/no steps.
    Scorecard(ScorecardParams),
    /// Ridge, lasso or elastic-net logistic regression.
    Logistic(LogisticParams),
}

impl Default for Trainer {
    /// The additive trainer: the most accurate of the three, and as readable.
    fn default() -> Self {
        Self::Additive(AdditiveParams::default())
    }
}

/// What a trainer found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trained {
    /// The model, with refits if the trainer was asked for them.
    pub model: AdditiveModel,
    /// The features that play no part in it.
    pub unused: Vec<String>,
    /// A scorecard trainer's cards, best first; the first is the model.
    pub cards: Vec<Scorecard>,
    /// What the path showed, where one chose a penalty.
    pub path: Option<PathReport>,
    /// What the trainer did that nobody asked for.
    pub notes: Vec<TrainingNote>,
}

impl Trainer {
    /// The names of all trainers, as on the command line.
    pub const NAMES: [&str; 3] = ["additive", "scorecard", "logistic"];

    /// The trainer's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Additive(_) => "additive",
            Self::Scorecard(_) => "scorecard",
            Self::Logistic(_) => "logistic",
        }
    }

    /// A trainer with its default settings by name; `None` where there is none of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "additive" => Some(Self::Additive(AdditiveParams::default())),
            "scorecard" => Some(Self::Scorecard(ScorecardParams::default())),
            "logistic" => Some(Self::Logistic(LogisticParams::default())),
            _ => None,
        }
    }

    /// The same without refits, where no intervals of single scores are needed.
    #[must_use]
    pub fn without_refits(&self) -> Self {
        match self {
            Self::Additive(params) => Self::Additive(params.clone().refits(0)),
            Self::Scorecard(params) => Self::Scorecard(params.clone().refits(0)),
            Self::Logistic(params) => Self::Logistic(params.clone().refits(0)),
        }
    }

    /// Fits a dataset. The order of its cases plays no part: they are first put in the order of their dates
    /// and ids, and families are known by their members' ids.
    ///
    /// Where cases do not count alike ([`Dataset::case_weights`]), fit, choice of penalty or pairs, and
    /// refits all go by their weights (a scorecard's cuts and table do not), terms are
    /// centred on the weighted cases, and finally the intercept is set so that the mean chance over the
    /// cases as they are is the share that had the outcome.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`], as the trainer says.
    pub fn fit(&self, data: &Dataset, seed: u64) -> Result<Trained, ModelError> {
        let data = in_order(data);
        let families = data.family_keys();
        let dates: Vec<_> = (0..data.rows()).map(|row| data.as_of(row)).collect();
        let features = data.spec().features();
        let directions: Vec<Direction> = features.iter().map(|feature| feature.direction).collect();
        let codes = data.spec().codes();
        let weights = data.case_weights();
        let weights = weights.as_deref();
        let trained = match self {
            Self::Additive(params) => {
                let narrow = weights.map(|held| held.iter().map(|&weight| weight as f32).collect::<Vec<_>>());
                let validation = additive::validation(&families, &dates, seed);
                let fitted = params.fit_cases(Cases {
                    matrix: data.matrix(),
                    directions: &directions,
                    scales: &scales(&data),
                    codes: &codes,
                    outcomes: data.outcomes(),
                    weights: narrow.as_deref(),
                    families: &families,
                    validation: &validation,
                    seed,
                })?;
                let additive::Fitted { model, unused, notes } = fitted;
                Trained { model, unused, cards: Vec::new(), path: None, notes }
            }
            Self::Scorecard(params) => fit_card(params, &data, (&directions, &codes), &families, seed)?,
            Self::Logistic(params) => fit_lines(params, &data, &families, &dates, seed)?,
        };
        if weights.is_some() { on_the_base_rate(trained, &data) } else { Ok(trained) }
    }
}

/// The best card and its model.
fn fit_card(
    params: &ScorecardParams,
    data: &Dataset,
    features: (&[Direction], &[Option<usize>]),
    families: &[u64],
    seed: u64,
) -> Result<Trained, ModelError> {
    let weights = data.case_weights();
    let cases = (data.matrix(), data.outcomes());
    let found = params.fit_families(cases, features, weights.as_deref(), Some(families))?;
    let (models, mut cards): (Vec<AdditiveModel>, Vec<Scorecard>) = found.into_iter().unzip();
    if weights.is_some() {
        // As `on_the_base_rate` does with the model.
        for (model, card) in models.iter().zip(&mut cards) {
            let log_odds = model.log_odds(data.matrix())?;
            card.recalibrate(1.0, offset_in_the_large(&log_odds, data.outcomes()));
        }
    }
    let Some(model) = models.into_iter().next() else {
        return Err(ModelError::NotFitted("no card was found".into()));
    };
    let is_used = |name: &String| model.terms().iter().any(|term| term.on.contains(name));
    let unused = model.features().iter().filter(|name| !is_used(name)).cloned().collect();
    let model = rescaled(model, data, families, params.refits, seed)?;
    Ok(Trained { model, unused, cards, path: None, notes: Vec::new() })
}

/// A line for each feature.
/// For each feature the scale on which a straight line is straight.
fn scales(data: &Dataset) -> Vec<Scale> {
    let features = data.spec().features().iter();
    features
        .map(|feature| if feature.measure.is_long_tailed() { Scale::Log } else { Scale::Linear })
        .collect()
}

fn fit_lines(
    params: &LogisticParams,
    data: &Dataset,
    families: &[u64],
    dates: &[AsOf],
    seed: u64,
) -> Result<Trained, ModelError> {
    let scales = scales(data);
    let folds = params.path.as_ref().map(|path| path.folds).filter(|&folds| folds >= 2);
    let validation = folds.map(|folds| Validation::new(families, dates, folds, seed));
    let codes = data.spec().codes();
    let fit = |params: &LogisticParams, weights: Option<&[f64]>, near: Option<&LogisticFit>| {
        let (matrix, outcomes) = (data.matrix(), data.outcomes());
        let groups = Groups { families: Some(families), validation: validation.as_ref(), codes: &codes };
        params.fit_validated(matrix, &scales, outcomes, weights, groups, near)
    };
    let whole = fit(params, data.case_weights().as_deref(), None)?;
    // Refits keep the strength that was chosen: they say how well the terms are known under it.
    let strength = whole.path.as_ref().map(PathReport::strength).or(params.strength);
    let again = LogisticParams { path: None, strength, tolerance: REFIT_TOLERANCE, ..params.clone() };
    let model = refitted(whole.model.clone(), data, families, params.refits, seed, |weights| {
        Ok(fit(&again, Some(weights), Some(&whole))?.model)
    })?;
    let LogisticFit { unused, path, .. } = whole;
    Ok(Trained { model, unused, cards: Vec::new(), path, notes: Vec::new() })
}

/// A model of reweighed cases, moved so that its mean chance over the cases as they are is the share that
/// had the outcome. Weights keep that share, but move which features go with it; so the fit is right on
/// average over weighted cases, and a little off over people.
fn on_the_base_rate(mut trained: Trained, data: &Dataset) -> Result<Trained, ModelError> {
    let offset = offset_in_the_large(&trained.model.log_odds(data.matrix())?, data.outcomes());
    trained.model = trained.model.recalibrated(1.0, offset)?;
    Ok(trained)
}

/// What has to be added to log-odds for their mean chance to be the share of outcomes, by Newton's method.
/// The sum of chances rises with the offset all the way from none to all, so there is one answer.
fn offset_in_the_large(log_odds: &[f64], outcomes: &[bool]) -> f64 {
    const MOST_STEPS: usize = 50;
    let wanted = outcomes.iter().filter(|&&outcome| outcome).count() as f64;
    let mut offset = 0.0;
    for _ in 0..MOST_STEPS {
        let (mut sum, mut spread) = (0.0, 0.0);
        for score in log_odds {
            let chance = probability(offset + score);
            sum += chance;
            spread += chance * (1.0 - chance);
        }
        let step: f64 = ((wanted - sum) / spread).clamp(-1.0, 1.0);
        if !step.is_finite() {
            break;
        }
        offset += step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    offset
}

/// For each case how much it counts in a refit: as its family was drawn, times its weight if it has one.
fn drawn_weights(draw: Draw, families: &[u64], weights: Option<&[f64]>) -> Vec<f64> {
    let counts = families.iter().map(|&family| f64::from(draw.count(family)));
    match weights {
        None => counts.collect(),
        Some(weights) => counts.zip(weights).map(|(count, weight)| count * weight).collect(),
    }
}

/// Refits of a logistic regression are read to a thousandth of their widest deviation; this holds
/// coefficients to about five decimals.
const REFIT_TOLERANCE: f64 = 1e-7;

/// The dataset with its cases in the order of dates and ids.
fn in_order(data: &Dataset) -> Cow<'_, Dataset> {
    let key = |row: u32| (data.as_of(row as usize), data.id(row as usize));
    let mut rows: Vec<u32> = (0..data.rows() as u32).collect();
    if rows.is_sorted_by_key(|&row| key(row)) {
        return Cow::Borrowed(data);
    }
    rows.sort_by_key(|&row| key(row));
    Cow::Owned(data.take(&rows))
}

/// The model with refits: the same trainer on families that count anew each time.
fn refitted(
    model: AdditiveModel,
    data: &Dataset,
    families: &[u64],
    refits: u32,
    seed: u64,
    fit: impl Fn(&[f64]) -> Result<AdditiveModel, ModelError>,
) -> Result<AdditiveModel, ModelError> {
    if refits == 0 {
        return Ok(model);
    }
    let own = data.case_weights();
    let mut intercepts = Vec::new();
    let mut terms: Vec<(Vec<f64>, Vec<Vec<f64>>)> =
        model.terms().iter().map(|term| (term.shape.figures(), Vec::new())).collect();
    // The order of columns plays no part, not even in what the intercept adds up to.
    let mut by_name: Vec<usize> = (0..terms.len()).collect();
    by_name.sort_by_key(|&nth| &model.terms()[nth].on);
    for nth in 0..refits {
        let draw = Draw::new(seed, nth);
        let weights = drawn_weights(draw, families, own.as_deref());
        let again = fit(&weights)?;
        let mut intercept = again.intercept();
        for &nth in &by_name {
            let term = &model.terms()[nth];
            let same = again.terms().iter().find(|held| held.on == term.on);
            let (figures, moved) = match same {
                Some(same) => on_the_same_footing(term, same, data, own.as_deref()),
                // It plays no part in this refit.
                None => (vec![0.0; terms[nth].0.len()], 0.0),
            };
            intercept += moved;
            terms[nth].1.push(figures);
        }
        intercepts.push(intercept);
    }
    let refits = Refits::new(seed, model.intercept(), &intercepts, &terms);
    model.with_refits(refits)
}

/// A card's model with refits of what a point is worth and where the card starts. Its points are whole
/// numbers that people chose to use, and stand; the table of observed rates says how well they serve. A card's unit is
/// less than what fits its cases best, so refits are told by how far they lie from that.
fn rescaled(
    model: AdditiveModel,
    data: &Dataset,
    families: &[u64],
    refits: u32,
    seed: u64,
) -> Result<AdditiveModel, ModelError> {
    if refits == 0 {
        return Ok(model);
    }
    let log_odds = model.log_odds(data.matrix())?;
    let own = data.case_weights();
    let as_they_are = own.clone().unwrap_or_else(|| vec![1.0; families.len()]);
    let fitted = line_through(&log_odds, data.outcomes(), &as_they_are);
    let mut intercepts = Vec::new();
    let mut terms: Vec<(Vec<f64>, Vec<Vec<f64>>)> =
        model.terms().iter().map(|term| (term.shape.figures(), Vec::new())).collect();
    for nth in 0..refits {
        let draw = Draw::new(seed, nth);
        let weights = drawn_weights(draw, families, own.as_deref());
        let drawn = line_through(&log_odds, data.outcomes(), &weights);
        let (slope, offset) = (1.0 + drawn.0 - fitted.0, drawn.1 - fitted.1);
        intercepts.push(offset + slope * model.intercept());
        for (figures, drawn) in &mut terms {
            drawn.push(figures.iter().map(|figure| slope * figure).collect());
        }
    }
    let refits = Refits::new(seed, model.intercept(), &intercepts, &terms);
    model.with_refits(refits)
}

/// Slope and offset of the logistic regression of outcomes on log-odds, by Newton's method from (1, 0).
/// Where a step would not be finite (all of one outcome), it stays where it is.
fn line_through(log_odds: &[f64], outcomes: &[bool], weights: &[f64]) -> (f64, f64) {
    const MOST_STEPS: usize = 20;
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..MOST_STEPS {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((&score, &outcome), &weight) in log_odds.iter().zip(outcomes).zip(weights) {
            let chance = probability(offset + slope * score);
            let residual = weight * (f64::from(u8::from(outcome)) - chance);
            let spread = weight * chance * (1.0 - chance);
            g0 += residual;
            g1 += residual * score;
            h00 += spread;
            h01 += spread * score;
            h11 += spread * score * score;
        }
        let determinant = h00 * h11 - h01 * h01;
        let (by_offset, by_slope) = if determinant > 1e-12 * h00 * h11 {
            ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
        } else {
            (g0 / h00, 0.0)
        };
        if !(by_offset.is_finite() && by_slope.is_finite()) {
            break;
        }
        offset += by_offset.clamp(-1.0, 1.0);
        slope += by_slope.clamp(-0.5, 0.5);
        if by_offset.abs() + by_slope.abs() < 1e-10 {
            break;
        }
    }
    (slope, offset)
}

/// A refitted line's figures at the model's centre, or a refitted step's, with a mean of zero over the training cases; and what
/// the intercept takes over for that.
fn on_the_same_footing(
    term: &Term,
    again: &Term,
    data: &Dataset,
    weights: Option<&[f64]>,
) -> (Vec<f64>, f64) {
    let mut figures = again.shape.figures();
    let place = data.matrix().names().iter().position(|name| *name == term.on[0]).unwrap_or_default();
    if let (Shape::Steps { axis, .. }, true) = (&term.shape, term.cases.len() == figures.len()) {
        // Of codes; those of too few families have none in the model, and none in a refit.
        let (mut sum, mut all) = (0.0, 0.0);
        for (row, cell) in data.matrix().cells(place).iter().enumerate() {
            let (step, weight) = (axis.bin(cell), weights.map_or(1.0, |weights| weights[row]));
            if term.cases[step] > 0 {
                sum += weight * figures[step];
                all += weight;
            }
        }
        let mean = if all > 0.0 { sum / all } else { 0.0 };
        for (figure, &cases) in figures.iter_mut().zip(&term.cases) {
            *figure = if cases > 0 { *figure - mean } else { 0.0 };
        }
        return (figures, mean);
    }
    let (Shape::Line { centre, .. }, Shape::Line { centre: other, .. }) = (&term.shape, &again.shape) else {
        return (figures, 0.0);
    };
    figures[1] += figures[0] * (centre - other);
    let (mut missing, mut not_covered, mut all) = (0.0, 0.0, 0.0);
    for (row, cell) in data.matrix().column(place).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[row]);
        all += weight;
        match cell {
            Cell::Missing => missing += weight,
            Cell::NotCovered => not_covered += weight,
            Cell::Value(_) => {}
        }
    }
    let (missing, not_covered) = (missing / all, not_covered / all);
    let mean = (1.0 - missing - not_covered) * figures[1] + missing * figures[2] + not_covered * figures[3];
    figures[1..].iter_mut().for_each(|figure| *figure -= mean);
    (figures, mean)
}
