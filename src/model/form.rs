//! The one form that every model has.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::explanation::{Explanation, Explanations};
use super::refits::Refits;
use super::shape::is_figure;
pub use super::shape::{Axis, Scale, Shape};
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix};
use crate::limits;

/// A model: `score (log-odds) = intercept + sum of terms`, each term a function of one feature or of a
/// named pair.
///
/// Terms are centred on the cases the model was trained on: the intercept is the score of the average
/// case there, and a term's contribution is the difference that its feature makes from it. Every trainer
/// yields this form, so there is one explanation, one file and one scorer.
///
/// # Examples
/// ```
/// use earlyhelp::features::{Cell, FeatureMatrix};
/// use earlyhelp::model::{AdditiveModel, Scale, Shape, Term};
///
/// let line = Shape::Line {
///     scale: Scale::Linear, centre: 2.0, slope: 0.5, at_centre: 0.0, missing: Some(-0.3), not_covered: None,
/// };
/// let model = AdditiveModel::new(vec!["contacts".into()], -3.0, vec![Term::one("contacts", line)])?;
/// let cases = FeatureMatrix::from_cells(
///     vec!["contacts".into()], 2, &[vec![Cell::Value(4.0), Cell::Missing]],
/// ).ok_or("one column of two cells")?;
/// assert_eq!(model.explain(&cases, 0)?.contributions(), [1.0]);
/// assert_eq!(model.explain(&cases, 1)?.contributions(), [-0.3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What does not compile
/// A model explains whoever it is shown:
/// ```
/// # use earlyhelp::error::ModelError;
/// # use earlyhelp::features::FeatureMatrix;
/// # use earlyhelp::model::AdditiveModel;
/// fn shown(model: &AdditiveModel, cases: &FeatureMatrix) -> Result<(), ModelError> {
///     model.explain_all(cases).map(drop)
/// }
/// ```
/// It scores nobody: that takes a release (see [`Scorer`](crate::scoring::Scorer)).
/// ```compile_fail,E0624
/// # use earlyhelp::error::ModelError;
/// # use earlyhelp::features::FeatureMatrix;
/// # use earlyhelp::model::AdditiveModel;
/// fn shown(model: &AdditiveModel, cases: &FeatureMatrix) -> Result<(), ModelError> {
///     model.log_odds(cases).map(drop)
/// }
/// ```
///
/// # References
/// Hastie and Tibshirani, *Generalized Additive Models* (1986); Lou, Caruana, Gehrke and Hooker,
/// *Accurate intelligible models with pairwise interactions* (KDD 2013).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Plain", into = "Plain")]
pub struct AdditiveModel {
    features: Vec<String>,
    intercept: f64,
    terms: Vec<Term>,
    refits: Option<Refits>,
    /// For each term the places of its features.
    places: Vec<(usize, usize)>,
}

/// The model as it is written in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    features: Vec<String>,
    intercept: f64,
    terms: Vec<Term>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refits: Option<Refits>,
}

/// One part of the sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Term {
    /// The feature, or the two features, that it is a function of.
    pub on: Vec<String>,
    /// The function.
    pub shape: Shape,
    /// How many training cases were in each step, to the nearest five, and 0 for fewer than ten: no single
    /// person shows. Empty where the shape is a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<u64>,
}

impl Term {
    /// A term of one feature.
    pub fn one(feature: impl Into<String>, shape: Shape) -> Self {
        Self { on: vec![feature.into()], shape, cases: Vec::new() }
    }

    /// A term of two features.
    pub fn pair(first: impl Into<String>, second: impl Into<String>, shape: Shape) -> Self {
        Self { on: vec![first.into(), second.into()], shape, cases: Vec::new() }
    }

    /// The same, with how many training cases were in each step.
    pub(crate) fn counted(mut self, counts: &[f64]) -> Self {
        let shown = |count: f64| if count < FEWEST_SHOWN { 0 } else { (count / 5.0).round() as u64 * 5 };
        self.cases = counts.iter().map(|&count| shown(count)).collect();
        self
    }
}

/// Fewer training cases than this in a step are shown as none.
const FEWEST_SHOWN: f64 = 10.0;

impl Term {
    /// Whether the step of a cell is one that no training cases, or too few to be told, were in.
    pub(crate) fn is_uncounted(&self, cell: Cell) -> bool {
        match &self.shape {
            Shape::Steps { axis, .. } => self.cases.get(axis.bin(cell)) == Some(&0),
            Shape::Line { .. } | Shape::Grid { .. } => false,
        }
    }

    /// Whether training told nothing of what a case shows here, so that it counts as the average.
    pub(crate) fn is_blind_to(&self, cell: Cell) -> bool {
        match (&self.shape, cell) {
            (Shape::Line { missing, .. }, Cell::Missing) => missing.is_none(),
            (Shape::Line { not_covered, .. }, Cell::NotCovered) => not_covered.is_none(),
            (Shape::Steps { .. }, Cell::Missing | Cell::NotCovered) => self.is_uncounted(cell),
            _ => false,
        }
    }
}

impl AdditiveModel {
    /// The model of these terms over these features.
    ///
    /// # Errors
    /// [`ModelError::Form`] where a term names a feature that is not among them, a figure is not finite or beyond
    /// [`limits::FIGURE`], a shape does not fit its features, a feature stands twice, or there are more features or terms
    /// than [`limits`] allows.
    pub fn new(features: Vec<String>, intercept: f64, terms: Vec<Term>) -> Result<Self, ModelError> {
        if !is_figure(intercept) {
            return Err(ModelError::Form("the intercept is not finite, or beyond all log-odds".into()));
        }
        let counts = [(features.len(), limits::FEATURES, "features"), (terms.len(), limits::TERMS, "terms")];
        if let Some((_, most, what)) = counts.into_iter().find(|(found, most, _)| found > most) {
            return Err(ModelError::Form(format!("it has more than {most} {what}")));
        }
        let place = |name: &String| {
            features.iter().position(|held| held == name).ok_or_else(|| {
                ModelError::Form(format!("a term names the feature \"{name}\", which there is not"))
            })
        };
        let mut names = std::collections::HashSet::new();
        if let Some(twice) = features.iter().find(|name| !names.insert(name.as_str())) {
            return Err(ModelError::Form(format!("it has the feature \"{twice}\" twice")));
        }
        let places = terms
            .iter()
            .map(|term| {
                term.shape.check(term.on.len())?;
                if !term.cases.is_empty() && term.cases.len() != term.shape.figures().len() {
                    return Err(ModelError::Form("a term counts cases for other steps than it has".into()));
                }
                let first = place(&term.on[0])?;
                Ok((first, term.on.get(1).map_or(Ok(first), place)?))
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { features, intercept, terms, refits: None, places })
    }

    /// The model with refits of it.
    ///
    /// # Errors
    /// [`ModelError::Form`] where they are of other terms.
    pub(crate) fn with_refits(mut self, refits: Refits) -> Result<Self, ModelError> {
        let figures: Vec<usize> = self.terms.iter().map(|term| term.shape.figures().len()).collect();
        refits.check(&figures)?;
        self.refits = Some(refits);
        Ok(self)
    }

    /// The model recalibrated: its log-odds become `offset + slope * log-odds`. Contributions are multiplied
    /// by the slope, so they still sum to the score.
    ///
    /// # Errors
    /// [`ModelError::Form`] where the slope is not above 0 (ranks would turn) or a figure is not finite.
    pub fn recalibrated(&self, slope: f64, offset: f64) -> Result<Self, ModelError> {
        if !(slope.is_finite() && slope > 0.0) {
            return Err(ModelError::Form("a calibration slope must be above zero".into()));
        }
        let terms =
            self.terms.iter().map(|term| Term { shape: term.shape.clone().scaled(slope), ..term.clone() });
        let mut model = Self::new(self.features.clone(), offset + slope * self.intercept, terms.collect())?;
        model.refits = self.refits.clone().map(|refits| refits.scaled(slope));
        Ok(model)
    }

    /// The features that a case must have, in order.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// The score of the average case in training, in log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Explains one case. **An explanation is the only source of a score**, which is its sum.
    ///
    /// # Errors
    /// [`ModelError::Features`] where the matrix has other features than the model, or no such row.
    pub fn explain(&self, matrix: &FeatureMatrix, row: usize) -> Result<Explanation, ModelError> {
        self.check_matrix(matrix)?;
        if row >= matrix.rows() {
            return Err(ModelError::Features("there is no such case".into()));
        }
        let mut contributions = vec![0.0; self.terms.len()];
        self.explain_into(matrix, row, &mut contributions);
        Ok(Explanation::new(self.intercept, contributions))
    }

    /// Explains all cases of the matrix.
    ///
    /// # Errors
    /// [`ModelError::Features`] where the matrix has other features than the model.
    pub fn explain_all(&self, matrix: &FeatureMatrix) -> Result<Explanations, ModelError> {
        use rayon::prelude::*;
        self.check_matrix(matrix)?;
        let width = self.terms.len();
        let mut contributions = vec![0.0; matrix.rows() * width];
        contributions.par_chunks_mut((BLOCK * width).max(1)).enumerate().for_each(
            |(block, contributions)| {
                self.explain_block(matrix, block * BLOCK, contributions);
            },
        );
        let contributions = Array2::from_shape_vec((matrix.rows(), width), contributions)
            .map_err(|error| ModelError::Features(error.to_string()))?;
        let terms = self.terms.iter().map(|term| term.on.clone()).collect();
        Ok(Explanations::new(self.intercept, terms, contributions))
    }

    /// Shows each case's contributions in turn, without keeping them.
    pub(crate) fn for_each_explained(
        &self,
        matrix: &FeatureMatrix,
        mut show: impl FnMut(&[f64]),
    ) -> Result<(), ModelError> {
        self.check_matrix(matrix)?;
        let width = self.terms.len();
        let mut contributions = vec![0.0; BLOCK * width];
        for start in (0..matrix.rows()).step_by(BLOCK) {
            let block = &mut contributions[..(matrix.rows() - start).min(BLOCK) * width];
            self.explain_block(matrix, start, block);
            block.chunks_exact(width.max(1)).for_each(&mut show);
        }
        Ok(())
    }

    /// The log-odds of every case of the matrix, each the sum of its explanation: for training, measuring
    /// and a [`Scorer`](crate::scoring::Scorer).
    pub(crate) fn log_odds(&self, matrix: &FeatureMatrix) -> Result<Vec<f64>, ModelError> {
        use rayon::prelude::*;
        self.check_matrix(matrix)?;
        let width = self.terms.len();
        let mut log_odds = vec![self.intercept; matrix.rows()];
        log_odds.par_chunks_mut(BLOCK).enumerate().for_each_init(
            || vec![0.0; BLOCK * width],
            |contributions, (block, log_odds)| {
                let contributions = &mut contributions[..log_odds.len() * width];
                self.explain_block(matrix, block * BLOCK, contributions);
                for (log_odds, contributions) in
                    log_odds.iter_mut().zip(contributions.chunks_exact(width.max(1)))
                {
                    *log_odds = Explanation::sum(self.intercept, contributions.iter());
                }
            },
        );
        Ok(log_odds)
    }

    /// How many figures the whole model is: the intercept, and a term's steps (only those that training
    /// cases were in, where that is known), cells, or line.
    #[must_use]
    pub fn size(&self) -> usize {
        let of = |term: &Term| match (&term.shape, term.cases.as_slice()) {
            (Shape::Line { missing, not_covered, .. }, _) => {
                2 + usize::from(missing.is_some()) + usize::from(not_covered.is_some())
            }
            (shape, []) => shape.figures().len(),
            (_, cases) => cases.iter().filter(|&&cases| cases > 0).count(),
        };
        1 + self.terms.iter().map(of).sum::<usize>()
    }

    /// Refits of the model on redrawn families, where its trainer made them.
    #[must_use]
    pub fn refits(&self) -> Option<&Refits> {
        self.refits.as_ref()
    }

    /// The log-odds of every case of the matrix in one refit; `None` where there is no such refit.
    pub(crate) fn refit_log_odds(
        &self,
        matrix: &FeatureMatrix,
        refit: usize,
    ) -> Result<Option<Vec<f64>>, ModelError> {
        let Some(refits) = self.refits.as_ref().filter(|refits| refit < refits.len()) else {
            return Ok(None);
        };
        let mut log_odds = self.log_odds(matrix)?;
        let by = refits.intercept(refit);
        for log_odds in &mut log_odds {
            *log_odds += by;
        }
        for (nth, (term, &(first, second))) in self.terms.iter().zip(&self.places).enumerate() {
            let away: Vec<f64> =
                (0..term.shape.figures().len()).map(|figure| refits.figure(nth, refit, figure)).collect();
            let (first, second) = (matrix.cells(first), matrix.cells(second));
            for (log_odds, (first, second)) in log_odds.iter_mut().zip(first.iter().zip(second.iter())) {
                for (figure, factor) in term.shape.made_of(first, second) {
                    *log_odds += factor * away[figure];
                }
            }
        }
        Ok(Some(log_odds))
    }

    /// How much higher the score of the matrix's second case is than that of its first, in log-odds, and half the width of the
    /// 95% interval of that over the refits; `None` where the model has none.
    pub(crate) fn moved(&self, matrix: &FeatureMatrix) -> Result<Option<(f64, f64)>, ModelError> {
        let difference = |log_odds: &[f64]| match log_odds {
            [first, second, ..] => second - first,
            _ => 0.0,
        };
        let by = difference(&self.log_odds(matrix)?);
        let mut deviations = Vec::new();
        while let Some(log_odds) = self.refit_log_odds(matrix, deviations.len())? {
            deviations.push(difference(&log_odds) - by);
        }
        Ok((!deviations.is_empty()).then(|| (by, Refits::reach(deviations.into_iter()))))
    }

    /// How well a case's score, and each contribution to it, is known: half the width of its 95% interval
    /// over the refits, in log-odds; `None` where the model has none.
    ///
    /// # Errors
    /// [`ModelError::Features`] as for [`AdditiveModel::explain`].
    pub fn reach(&self, matrix: &FeatureMatrix, row: usize) -> Result<Option<Reach>, ModelError> {
        self.check_matrix(matrix)?;
        if row >= matrix.rows() {
            return Err(ModelError::Features("there is no such case".into()));
        }
        let Some(refits) = &self.refits else { return Ok(None) };
        let mut score: Vec<f64> = (0..refits.len()).map(|refit| refits.intercept(refit)).collect();
        let mut contributions = Vec::with_capacity(self.terms.len());
        for (nth, (term, &(first, second))) in self.terms.iter().zip(&self.places).enumerate() {
            let made_of = term.shape.made_of(matrix.cells(first).at(row), matrix.cells(second).at(row));
            let away: Vec<f64> = (0..refits.len())
                .map(|refit| {
                    made_of.iter().map(|&(figure, factor)| factor * refits.figure(nth, refit, figure)).sum()
                })
                .collect();
            score.iter_mut().zip(&away).for_each(|(score, away)| *score += away);
            contributions.push(Refits::reach(away.into_iter()));
        }
        Ok(Some(Reach { score: Refits::reach(score.into_iter()), contributions }))
    }

    pub(crate) fn check_matrix(&self, matrix: &FeatureMatrix) -> Result<(), ModelError> {
        if matrix.names() == self.features {
            return Ok(());
        }
        let missing = self.features.iter().find(|name| !matrix.names().contains(name));
        Err(ModelError::Features(match missing {
            Some(name) => format!("the cases lack the model's feature \"{name}\""),
            None => "the cases have other features than the model, or in another order".to_owned(),
        }))
    }

    /// Writes each term's contribution for a case of a matrix that was checked.
    #[inline]
    fn explain_into(&self, matrix: &FeatureMatrix, row: usize, contributions: &mut [f64]) {
        for ((term, &(first, second)), contribution) in self.terms.iter().zip(&self.places).zip(contributions)
        {
            *contribution =
                term.shape.contribution(matrix.cells(first).at(row), matrix.cells(second).at(row));
        }
    }

    /// Writes the contributions of a block of cases from `start`, case by case; term by term is faster,
    /// since one term's steps stay at hand.
    fn explain_block(&self, matrix: &FeatureMatrix, start: usize, contributions: &mut [f64]) {
        let width = self.terms.len();
        if width == 0 {
            return;
        }
        let rows = start..start + contributions.len() / width;
        for (nth, (term, &(first, second))) in self.terms.iter().zip(&self.places).enumerate() {
            let first = matrix.cells(first).range(rows.clone());
            let places = contributions[nth..].iter_mut().step_by(width);
            match &term.shape {
                Shape::Steps { axis, values } => {
                    for (contribution, first) in places.zip(first.iter()) {
                        *contribution = values[axis.bin(first)];
                    }
                }
                shape => {
                    let second = matrix.cells(second).range(rows.clone());
                    for (contribution, (first, second)) in places.zip(first.iter().zip(second.iter())) {
                        *contribution = shape.contribution(first, second);
                    }
                }
            }
        }
    }

    /// The places of a term's features: one, or two.
    pub(crate) fn places(&self, term: usize) -> impl Iterator<Item = usize> {
        let (first, second) = self.places[term];
        std::iter::once(first).chain((self.terms[term].on.len() == 2).then_some(second))
    }
}

/// Half the widths of 95% intervals around a case's score and contributions, in log-odds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reach {
    /// Of the score.
    pub score: f64,
    /// Of each contribution, in the order of [`AdditiveModel::terms`].
    pub contributions: Vec<f64>,
}

/// Cases explained at a time: few enough that their contributions stay in the nearest cache.
const BLOCK: usize = 256;

impl TryFrom<Plain> for AdditiveModel {
    type Error = ModelError;
    fn try_from(plain: Plain) -> Result<Self, ModelError> {
        let model = Self::new(plain.features, plain.intercept, plain.terms)?;
        match plain.refits {
            Some(refits) => model.with_refits(refits),
            None => Ok(model),
        }
    }
}

impl From<AdditiveModel> for Plain {
    fn from(model: AdditiveModel) -> Self {
        let AdditiveModel { features, intercept, terms, refits, .. } = model;
        Self { features, intercept, terms, refits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(cells: &[Vec<Cell>]) -> FeatureMatrix {
        let names = (0..cells.len()).map(|i| format!("f{i}")).collect();
        FeatureMatrix::from_cells(names, cells[0].len(), cells).unwrap()
    }

    #[test]
    fn steps_and_grids_look_up_the_interval_and_both_absences() {
        let axis = || Axis::new(vec![1.0, 3.0]).unwrap();
        let steps = Shape::Steps { axis: axis(), values: vec![-1.0, 0.0, 1.0, 0.25, 0.5] };
        let grid = Shape::Grid { first: axis(), second: axis(), values: (0..25).map(f64::from).collect() };
        let model = AdditiveModel::new(
            vec!["f0".into(), "f1".into()],
            0.0,
            vec![Term::one("f0", steps), Term::pair("f0", "f1", grid)],
        )
        .unwrap();
        let values = |v: f32| Cell::Value(v);
        let cases = matrix(&[
            vec![values(0.9), values(1.0), values(3.0), Cell::Missing, Cell::NotCovered],
            vec![values(9.0), values(0.0), Cell::NotCovered, values(2.0), Cell::Missing],
        ]);
        let of = |row| model.explain(&cases, row).unwrap().contributions().to_vec();
        assert_eq!(of(0), [-1.0, 2.0]);
        assert_eq!(of(1), [0.0, 5.0]);
        assert_eq!(of(2), [1.0, 14.0]);
        assert_eq!(of(3), [0.25, 16.0]);
        assert_eq!(of(4), [0.5, 23.0]);
    }

    /// Two refits of a line, of steps and of a grid, each 0.5 and -0.25 from the model in every figure.
    #[test]
    fn a_reach_is_that_of_the_scores_of_the_refits() {
        let axis = || Axis::new(vec![1.0, 3.0]).unwrap();
        let line = Shape::Line {
            scale: Scale::Linear,
            centre: 2.0,
            slope: 0.5,
            at_centre: 0.1,
            missing: Some(-0.3),
            not_covered: Some(0.2),
        };
        let steps = Shape::Steps { axis: axis(), values: vec![-1.0, 0.0, 1.0, 0.25, 0.5] };
        let grid = Shape::Grid { first: axis(), second: axis(), values: (0..25).map(f64::from).collect() };
        let terms = vec![Term::one("f0", line), Term::one("f1", steps), Term::pair("f0", "f1", grid)];
        let drawn = |term: &Term| {
            let figures = term.shape.figures();
            let by = |away: f64| figures.iter().map(|figure| figure + away).collect::<Vec<_>>();
            let refits = vec![by(0.5), by(-0.25)];
            (figures, refits)
        };
        let refits = Refits::new(1, -3.0, &[-2.0, -3.5], &terms.iter().map(drawn).collect::<Vec<_>>());
        let model = AdditiveModel::new(vec!["f0".into(), "f1".into()], -3.0, terms).unwrap();
        let model = model.with_refits(refits).unwrap();
        let cases = matrix(&[
            vec![Cell::Value(4.0), Cell::Missing, Cell::NotCovered],
            vec![Cell::Value(0.0), Cell::NotCovered, Cell::Value(3.0)],
        ]);
        let score = model.log_odds(&cases).unwrap();
        let refits: Vec<Vec<f64>> =
            (0..2).map(|refit| model.refit_log_odds(&cases, refit).unwrap().unwrap()).collect();
        for row in 0..3 {
            let away = refits.iter().map(|refit| refit[row] - score[row]).collect::<Vec<_>>();
            let reach = model.reach(&cases, row).unwrap().unwrap();
            assert!((reach.score - Refits::reach(away.iter().copied())).abs() < 1e-12, "case {row}");
            assert_eq!(reach.contributions.len(), 3);
            // By hand: a line that moves by 0.5 in slope and height, at 2 above its centre, moves by 1.5; steps
            // and grid move by 0.5 each, and the intercept by 1.
            if row == 0 {
                assert!((away[0] - (1.0 + 1.5 + 0.5 + 0.5)).abs() < 1e-12, "{away:?}");
                assert!((away[1] + (0.5 + 0.75 + 0.25 + 0.25)).abs() < 1e-12, "{away:?}");
            }
        }
        assert!(model.refit_log_odds(&cases, 2).unwrap().is_none());
    }

    #[test]
    fn a_file_with_a_wrong_form_is_refused() {
        let good = r#"{"features":["a"],"intercept":0.5,"terms":[{"on":["a"],"shape":{"steps":{"axis":[1,2],"values":[0,1,2,3,4]}}}]}"#;
        assert!(serde_json::from_str::<AdditiveModel>(good).is_ok());
        for (from, to) in
            [("[1,2]", "[2,1]"), (",3,4]", ",3]"), ("on\":[\"a\"", "on\":[\"b\""), ("{\"f", "{\"x\":1,\"f")]
        {
            assert!(serde_json::from_str::<AdditiveModel>(&good.replace(from, to)).is_err(), "{to}");
        }
    }
}
