//! The additive trainer: steps for each feature, grids for the pairs that pay, as smooth as the data say.
//!
//! ```text
//! cells ─bins→ Column (a byte a row) ─descent→ steps of each feature
//!       ─pairs→ ranked ─evidence→ clear ─other families→ grids that pay, each or together ─descent→ all terms
//!       ─other families→ strengths that foresee ─redrawn families→ refits
//! ```
//!
//! [`block`] holds a term's penalty and its exact best steps, [`descent`] the passes over rows, [`bar`] which terms say enough,
//! [`choice`] which pairs stay each by itself, [`together`] which do for each other's sake, [`judge`] what other families say of how strongly terms are held, [`grow`] the order of things.

mod axis;
mod banded;
mod bar;
mod bins;
mod block;
mod choice;
mod column;
mod descent;
mod grid;
mod grow;
mod judge;
mod levels;
mod line;
mod margins;
mod pairs;
mod sides;
mod slopes;
mod task;
#[cfg(test)]
mod tests;
mod together;

use serde::{Deserialize, Serialize};

use self::grow::{Grown, GrownTerm, Notes, grow};
use self::judge::Hold;
use self::task::{FeatureKind, Task};
use super::form::{AdditiveModel, Axis, Scale, Shape, Term};
use super::notes::TrainingNote;
use super::refits::Refits;
use super::validation::Validation;
use crate::calendar::AsOf;
use crate::error::ModelError;
use crate::features::{Cells, Direction, Exact, FeatureMatrix};

/// Settings of the additive trainer (the class of EBM and GA²M): for each feature a step function with a
/// step for *missing* and one for *not covered*, for the pairs that pay a grid, and a calibrated amount of
/// smoothing for each term of its own.
///
/// # Method
/// Penalised additive logistic regression on steps. A term is a straight line on the feature's own scale (that of the
/// logistic trainer: the logarithm of one plus the value for counts and spans of days, else the value) plus deviations from it.
/// The penalty is on the line's slope, and on differences of neighbouring deviations by how close the two steps lie: so a straight effect costs one parameter,
/// as a line alone would (Marra and Wood 2011). How strong each is, is estimated from the data themselves, as the variance of
/// a random effect is: for the slopes of all terms together, and for the deviations of each (so a feature that says nothing
/// becomes flat, and no validation set is spent on it). The objective is convex for given strengths: there is one optimum, no learning rate and no order of cases
/// or threads that could change it; features are fitted in the order of their names, so that the order of
/// columns plays no part either. Directions declared with the features are kept. A feature that does not
/// make the data likelier becomes flat and is left out: by a twentieth and a four-thousandth of what is left unexplained (two at the most, as a logarithm), or by less
/// where most features say something, since one that hardly seems to is then more likely one of them. Of two that say
/// the same, never both are, each for the other's sake.
///
/// What is not known from the data is known beforehand, so that few cases neither run wild nor fall silent: one difference more for a
/// term that has but one (a yes or no), half a one for the others, of some 0.3 log-odds; and one slope of nothing beside those of all
/// terms. A feature that separates the outcomes says hardly more than half a case more on either side would.
///
/// Where there are few cases (fewer than a thousand of the rarer outcome), or outcomes are told apart so well that less is left unexplained than not, the
/// strengths are judged by *other families*: a fifth of them at a time is set aside, and all strengths together are made up to a hundred times
/// weaker, or twice as strong, and terms that hardly say anything are kept, where outcomes of the families that were set aside are foreseen
/// better so, by more than a standard error and a price. The estimate alone holds terms too strongly there (Breslow and Lin 1995). It is not done
/// as far as a fourth of the cases would be surer by one term alone than one case more on either side would have it.
///
/// Steps: a number has at most [`steps`](Self::steps), with about as many cases in each; from the default on those at both ends are halved, up to three
/// times as far as they have the cases; where outcomes clearly differ within
/// one it is cut again, up to four times as many in all. A setting below the default is a limit that holds.
///
/// Pairs: all pairs are ranked on what the features leave unexplained, and judged with the two features' own
/// terms fitted anew beside them, since these have taken over most of what a pair says. A pair is a grid of steps, and
/// in it the product of its two sides' places as one parameter of its own, which is all that most of them need. How clear one has to
/// be is judged from all of them together: one among hundreds has to be far likelier than chance, one of two dozen that all
/// say a little does not. Those that are clear are fitted together, and those go that say nothing more beside the others. A
/// pair stays where it is still that likely with what *other families* (at the last as-of date, where there are several) say of it,
/// and these do not speak against it by more than a standard error. Cases of one family count as far as they are independent.
/// Those that are likelier than chance and not clear stay together or not at all: where with all of them the outcomes of families that had
/// no part in finding them are a hundred times likelier than without.
/// What a grid says of one feature alone is handed over to that feature's own term. Codes without an order
/// stand in a grid in the order of what they say by themselves, and neighbours of few cases are one there.
///
/// What the trainer does by itself (codes that share a step, steps beyond the setting, strengths that other families judged, pairs that stay together, pairs that were dropped) stands in the model file:
/// [`TrainingNote`].
///
/// # Examples
/// As a linfa trainer, on a linfa dataset (NaN means missing):
/// ```
/// use earlyhelp::model::AdditiveParams;
/// use linfa::prelude::*;
/// use ndarray::{Array1, Array2};
///
/// let visits = Array2::from_shape_fn((2_000, 1), |(row, _)| (row % 10) as f64);
/// let outcomes = Array1::from_shape_fn(2_000, |row| (row * 7) % 23 < row % 10);
/// let data = DatasetBase::new(visits.clone(), outcomes).with_feature_names(vec!["visits"]);
///
/// let model = AdditiveParams::default().fit(&data)?;
/// assert_eq!(model.terms()[0].on, ["visits"]);
/// // A prediction is a whole explanation, and no score: that takes a release.
/// let explained = model.predict(&visits)?;
/// assert_eq!(explained.contributions().shape(), [2_000, 1]);
/// # Ok::<(), earlyhelp::error::ModelError>(())
/// ```
///
/// # References
/// T. Hastie and R. Tibshirani (1986), *Generalized additive models*. Y. Lou, R. Caruana, J. Gehrke and G.
/// Hooker (2013), *Accurate intelligible models with pairwise interactions*, KDD. H. Nori, S. Jenkins, P.
/// Koch and R. Caruana (2019), *`InterpretML`*, arXiv:1909.09223. Smoothing strengths: S. N. Wood and M.
/// Fasiolo (2017), *A generalized Fellner-Schall method for smoothing parameter optimization*, Biometrics
/// 73; N. E. Breslow and X. Lin (1995), *Bias correction in generalised linear mixed models with a single component of
/// dispersion*, Biometrika 82. Directions: O. Burdakov and O. Sysoev (2017), *A dual active-set algorithm for regularized monotonic
/// regression*, JOTA 172. Lines apart from deviations: G. Marra and S. N. Wood (2011), *Practical variable selection for
/// generalized additive models*, CSDA 55. Pairs together: L. Wasserman, A. Ramdas and S. Balakrishnan (2020), *Universal inference*, PNAS
/// 117. How many pairs there are: B. Efron (2008), *Microarrays, empirical Bayes and the two-groups
/// model*, Statistical Science 23; here also how many features say something. Purified pairs: B. Lengerich and others (2020), AISTATS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AdditiveParams {
    /// The most steps of a feature's values, 2 to 254. The default, 64: a step then holds 1.6% of the
    /// cases, and smoothing makes more of them cost time and bring nothing, but at the ends, where up to six more are,
    /// and where a shape jumps: there a step is cut again,
    /// up to four times as many in all. Fewer than the default are never cut again: who sets 3 gets 3.
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 254)))]
    pub steps: u32,
    /// The most pairs; 0 for none. Features with a declared direction take no part in pairs: a grid could
    /// turn against it. Nor does [`Measure::LatestOf`](crate::features::Measure::LatestOf): its rare codes have no neighbours
    /// that a grid could join them to. Few tables have any that pay; the default, 30, lets those with many have them (of two dozen
    /// that were planted in invented tables all were found, and ten of them alone lost half of what they say). On a model's page
    /// the terms stand in the order of how much they matter.
    pub pairs: u32,
    /// A soft limit on the number of terms: the least terms beyond it are taken out unless other families'
    /// outcomes speak for them by more than a standard error. `None`, the default: flat terms drop out by
    /// themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<u32>,
    /// Refits on redrawn families, from which intervals come; 0 for none. The default, 20, gives the width
    /// of an interval to within a sixth.
    pub refits: u32,
    /// Features whose numbers are codes without an order (0, 1, 2 ..., up to 9,999): each code has a step of its own,
    /// drawn to the feature's mean as far as its cases are few. Codes of fewer than ten families share one step, and so do those
    /// beyond the commonest 252; a code that nobody had adds nothing. Features of
    /// [`Measure::LatestOf`](crate::features::Measure::LatestOf) need not be named here; their rare codes add nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

impl Default for AdditiveParams {
    fn default() -> Self {
        Self { steps: bins::DEFAULT_STEPS as u32, pairs: 30, terms: None, refits: 20, categories: Vec::new() }
    }
}

/// Folds of which one is set aside to check pairs: a fifth of the families, as in the backtest.
pub(in crate::model) const FOLDS: u8 = 5;

/// What is fitted: cases, and which belong together.
#[derive(Clone, Copy)]
pub(crate) struct Cases<'a> {
    /// The features of each case.
    pub matrix: &'a FeatureMatrix,
    /// For each feature how the risk may move with it.
    pub directions: &'a [Direction],
    /// For each feature the scale on which a straight line is straight; empty for each its own numbers'.
    pub scales: &'a [Scale],
    /// For each feature whose numbers are codes without an order, how many there are; empty where there is no such feature.
    pub codes: &'a [Option<usize>],
    /// For each case the outcome.
    pub outcomes: &'a [bool],
    /// For each case how much it counts, if not all count alike.
    pub weights: Option<&'a [f32]>,
    /// For each case a key of its family.
    pub families: &'a [u64],
    /// Which cases settings are checked on.
    pub validation: &'a Validation,
    /// The seed of redrawn families.
    pub seed: u64,
}

impl AdditiveParams {
    /// At most so many pairs.
    #[must_use]
    pub fn pairs(mut self, most: u32) -> Self {
        self.pairs = most;
        self
    }

    /// At most so many terms, softly.
    #[must_use]
    pub fn terms(mut self, most: u32) -> Self {
        self.terms = Some(most);
        self
    }

    /// So many refits.
    #[must_use]
    pub fn refits(mut self, refits: u32) -> Self {
        self.refits = refits;
        self
    }

    /// Features whose numbers are codes without an order.
    #[must_use]
    pub fn categories<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.categories = names.into_iter().map(Into::into).collect();
        self
    }

    /// Fits cases of one date, given a direction for each feature, an outcome for each case and a key of its
    /// family; `seed` sets which families pairs are checked on and how families are redrawn. Gives the
    /// model, and the features that play no part in it.
    ///
    /// For cases that come from records, [`Trainer::fit`](crate::model::Trainer::fit) does this with dates.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`] where there is only one outcome, lengths differ, or a setting is out of
    /// range.
    pub fn fit_matrix(
        &self,
        matrix: &FeatureMatrix,
        directions: &[Direction],
        outcomes: &[bool],
        families: &[u64],
        seed: u64,
    ) -> Result<(AdditiveModel, Vec<String>), ModelError> {
        let validation = Validation::of_one_date(families, FOLDS, seed);
        let validation = &validation;
        let codes = &[];
        let cases = Cases {
            matrix,
            directions,
            scales: &[],
            codes,
            outcomes,
            weights: None,
            families,
            validation,
            seed,
        };
        self.fit_cases(cases).map(|fitted| (fitted.model, fitted.unused))
    }

    /// Fits cases.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`] where there is only one outcome, lengths differ, or a setting is out of
    /// range.
    pub(crate) fn fit_cases(&self, cases: Cases<'_>) -> Result<Fitted, ModelError> {
        self.check(&cases)?;
        let names = cases.matrix.names();
        let order = cases.matrix.by_name();
        let kind = |&feature: &usize| {
            if let Some(codes) = cases.codes.get(feature).copied().flatten() {
                FeatureKind::Category { codes, is_listed: true }
            } else if self.categories.contains(&names[feature]) {
                let codes = bins::codes_in(cases.matrix.cells(feature));
                FeatureKind::Category { codes, is_listed: false }
            } else {
                let scale = cases.scales.get(feature).copied().unwrap_or(Scale::Linear);
                FeatureKind::Number(cases.directions[feature], scale)
            }
        };
        let kinds: Vec<FeatureKind> = order.iter().map(kind).collect();
        let cells: Vec<Cells> = order.iter().map(|&feature| cases.matrix.cells(feature)).collect();
        let mut grown = grow(&Task {
            cells: &cells,
            kinds: &kinds,
            outcomes: cases.outcomes,
            mass: cases.weights,
            families: cases.families,
            validation: cases.validation,
            most_steps: self.steps as usize,
            most_pairs: self.pairs as usize,
            most_terms: self.terms.map(|most| most as usize),
            redraws: self.refits as usize,
            seed: cases.seed,
        });
        let notes = notes(&grown, |feature| names[order[feature]].clone());
        for term in &mut grown.terms {
            term.features.iter_mut().for_each(|feature| *feature = order[*feature]);
        }
        let is_used = |feature: usize| grown.terms.iter().any(|term| term.features.contains(&feature));
        let unused = order
            .iter()
            .filter(|feature| !is_used(**feature))
            .map(|&feature| names[feature].clone())
            .collect();
        let refitted: Vec<(Vec<f64>, Vec<Vec<f64>>)> =
            grown.terms.iter().map(|term| (term.values.clone(), term.redrawn.clone())).collect();
        let terms = grown.terms.into_iter().map(|term| term_of(term, names)).collect::<Result<_, _>>()?;
        let model = AdditiveModel::new(names.to_vec(), grown.intercept, terms)?;
        if grown.intercepts.is_empty() {
            return Ok(Fitted { model, unused, notes });
        }
        let refits = Refits::new(cases.seed, model.intercept(), &grown.intercepts, &refitted);
        Ok(Fitted { model: model.with_refits(refits)?, unused, notes })
    }

    fn check(&self, cases: &Cases<'_>) -> Result<(), ModelError> {
        let wrong = |why: String| Err(ModelError::NotFitted(why));
        let rows = cases.matrix.rows();
        if cases.directions.len() != cases.matrix.names().len() {
            return wrong("there must be a direction for each feature".into());
        }
        if cases.outcomes.len() != rows
            || cases.families.len() != rows
            || cases.weights.is_some_and(|held| held.len() != rows)
        {
            return wrong("there must be an outcome, a family and a weight for each case".into());
        }
        let counts = |row: usize| cases.weights.is_none_or(|weights| weights[row] > 0.0);
        let of = |wanted: bool| (0..rows).any(|row| cases.outcomes[row] == wanted && counts(row));
        if cases
            .weights
            .is_some_and(|weights| weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)))
        {
            return wrong("a case's weight must be a finite number, 0 or more".into());
        }
        if !of(true) || !of(false) {
            return wrong("all cases have the same outcome; there is nothing to learn from".into());
        }
        if !(2..=254).contains(&self.steps) {
            return wrong("steps must be 2 to 254".into());
        }
        if self.refits == 1 {
            return wrong("refits must be 0, or at least 2".into());
        }
        if let Some(name) = self.categories.iter().find(|name| !cases.matrix.names().contains(name)) {
            return wrong(format!("there is no feature \"{name}\" to take as a category"));
        }
        for name in &self.categories {
            let feature = cases.matrix.names().iter().position(|held| held == name).unwrap_or_default();
            let codes = cases.matrix.cells(feature).iter().filter_map(Exact::value);
            if codes
                .into_iter()
                .any(|code| code < 0.0 || code.fract() != 0.0 || code >= levels::MOST_CODES as f64)
            {
                return wrong(format!(
                    "feature \"{name}\" is a category, so its values must be whole numbers from 0 to {}",
                    levels::MOST_CODES - 1
                ));
            }
        }
        Ok(())
    }
}

/// What was fitted.
pub(crate) struct Fitted {
    pub model: AdditiveModel,
    /// The features that play no part in it.
    pub unused: Vec<String>,
    pub notes: Vec<TrainingNote>,
}

/// What was done that nobody asked for, features by their names.
fn notes(grown: &Grown, name: impl Fn(usize) -> String) -> Vec<TrainingNote> {
    let Notes { shared, cut, hold, pairs } = &grown.notes;
    let shared = shared
        .iter()
        .map(|&(feature, codes)| TrainingNote::CodesGrouped { feature: name(feature), codes: codes as u32 });
    let cut = cut
        .iter()
        .map(|&(feature, steps)| TrainingNote::StepsAdded { feature: name(feature), steps: steps as u32 });
    let together =
        (pairs.together > 0).then_some(TrainingNote::PairsTogether { pairs: pairs.together as u32 });
    let dropped = (pairs.kept < pairs.clear)
        .then_some(TrainingNote::PairsDropped { found: pairs.clear as u32, kept: pairs.kept as u32 });
    let judged = (*hold != Hold::default()).then(|| TrainingNote::StrengthsJudged {
        percent: (100.0 * hold.factor).round() as u32,
        idle_kept: hold.keeps_idle,
    });
    shared.chain(cut).chain(judged).chain(together).chain(dropped).collect()
}

/// A grown term in the one model form.
fn term_of(term: GrownTerm, names: &[String]) -> Result<Term, ModelError> {
    let mut axes = term.edges.into_iter().map(Axis::new);
    let name = |place: usize| names[term.features[place]].as_str();
    let built = match (axes.next(), axes.next()) {
        (Some(first), Some(second)) => {
            let shape = Shape::Grid { first: first?, second: second?, values: term.values };
            Term::pair(name(0), name(1), shape)
        }
        (Some(axis), None) => Term::one(name(0), Shape::Steps { axis: axis?, values: term.values }),
        (None, _) => return Err(ModelError::Form("a term needs a feature".into())),
    };
    Ok(built.counted(&term.counts))
}

/// The folds that a dataset's cases are checked by, given their families' keys and dates.
pub(crate) fn validation(families: &[u64], dates: &[AsOf], seed: u64) -> Validation {
    Validation::new(families, dates, FOLDS, seed)
}
