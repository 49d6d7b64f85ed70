//! The one form that every model has.

use serde::{Deserialize, Serialize};

use super::explanation::Explanation;
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix};

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
/// assert_eq!(model.explain(&cases, 0)?.log_odds(), -2.0);
/// assert_eq!(model.explain(&cases, 1)?.log_odds(), -3.3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
}

/// One part of the sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The feature, or the two features, that it is a function of.
    pub on: Vec<String>,
    /// The function.
    pub shape: Shape,
}

impl Term {
    /// A term of one feature.
    pub fn one(feature: impl Into<String>, shape: Shape) -> Self {
        Self { on: vec![feature.into()], shape }
    }

    /// A term of two features.
    pub fn pair(first: impl Into<String>, second: impl Into<String>, shape: Shape) -> Self {
        Self { on: vec![first.into(), second.into()], shape }
    }
}

/// On which scale a line runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The value as it is.
    Linear,
    /// The logarithm of one plus the value (mirrored below zero): a step from 0 to 1 says more than one
    /// from 10 to 11.
    Log,
}

impl Scale {
    /// The value on this scale.
    #[inline]
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.abs().ln_1p().copysign(value),
        }
    }
}

/// The function of a term. All its figures are contributions in log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// `at_centre + slope * (scale(value) - centre)`.
    Line {
        /// The scale.
        scale: Scale,
        /// The mean of the scaled values in training.
        centre: f64,
        /// Log-odds for one step on the scale.
        slope: f64,
        /// The contribution of a case at the centre.
        at_centre: f64,
        /// The contribution where the value is missing; `None` where training hardly saw that, which
        /// counts as a value at the centre.
        missing: Option<f64>,
        /// The contribution where the source does not cover the case; `None` as for `missing`.
        not_covered: Option<f64>,
    },
    /// A step for each interval between edges, one for missing, one for not covered.
    Steps {
        /// The intervals.
        axis: Axis,
        /// One contribution for each of [`Axis::bins`].
        values: Vec<f64>,
    },
    /// A step for each pair of intervals of two features.
    Grid {
        /// The first feature's intervals.
        first: Axis,
        /// The second feature's intervals.
        second: Axis,
        /// One contribution for each pair of bins, row by row: all of the second's bins for the first's
        /// first bin, and so on.
        values: Vec<f64>,
    },
}

/// A feature's values cut into intervals: below the first edge, from each edge up to the next, and from
/// the last edge up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Axis {
    edges: Vec<f64>,
}

impl Axis {
    /// Intervals between these edges, which must be finite and rise.
    ///
    /// # Errors
    /// [`ModelError::Form`] where they do not.
    pub fn new(edges: Vec<f64>) -> Result<Self, ModelError> {
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
        if rising && edges.iter().all(|edge| edge.is_finite()) {
            Ok(Self { edges })
        } else {
            Err(ModelError::Form("the edges of a step function must be finite and rise".into()))
        }
    }

    /// The number of bins: an interval more than edges, then *missing*, then *not covered*.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.edges.len() + 3
    }

    #[inline]
    fn bin(&self, cell: Cell) -> usize {
        match cell {
            Cell::Value(value) => self.edges.partition_point(|&edge| edge <= f64::from(value)),
            Cell::Missing => self.edges.len() + 1,
            Cell::NotCovered => self.edges.len() + 2,
        }
    }
}

impl Shape {
    fn check(&self, features: usize) -> Result<(), ModelError> {
        let wrong = |why: &str| Err(ModelError::Form(why.to_owned()));
        let (wanted, finite) = match self {
            Self::Line { centre, slope, at_centre, missing, not_covered, .. } => {
                let absent = [missing, not_covered].into_iter().flatten();
                (1, [centre, slope, at_centre].into_iter().chain(absent).all(|v| v.is_finite()))
            }
            Self::Steps { axis, values } => {
                if values.len() != axis.bins() {
                    return wrong("a step function needs a value for each bin");
                }
                (1, values.iter().all(|v| v.is_finite()))
            }
            Self::Grid { first, second, values } => {
                if values.len() != first.bins() * second.bins() {
                    return wrong("a grid needs a value for each pair of bins");
                }
                (2, values.iter().all(|v| v.is_finite()))
            }
        };
        if features != wanted {
            return wrong("a term has another number of features than its shape");
        }
        if finite { Ok(()) } else { wrong("a term holds a figure that is not finite") }
    }

    #[inline]
    fn contribution(&self, first: Cell, second: Cell) -> f64 {
        match self {
            Self::Line { scale, centre, slope, at_centre, missing, not_covered } => match first {
                Cell::Value(value) => at_centre + slope * (scale.apply(f64::from(value)) - centre),
                Cell::Missing => missing.unwrap_or(*at_centre),
                Cell::NotCovered => not_covered.unwrap_or(*at_centre),
            },
            Self::Steps { axis, values } => values[axis.bin(first)],
            Self::Grid { first: a, second: b, values } => values[a.bin(first) * b.bins() + b.bin(second)],
        }
    }

    /// Whether training told nothing of what a case shows here, so that it counts as the average.
    pub(crate) fn is_blind_to(&self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::Line { missing, .. }, Cell::Missing) => missing.is_none(),
            (Self::Line { not_covered, .. }, Cell::NotCovered) => not_covered.is_none(),
            _ => false,
        }
    }
}

impl AdditiveModel {
    /// The model of these terms over these features.
    ///
    /// # Errors
    /// [`ModelError::Form`] where a term names a feature that is not among them, a figure is not finite,
    /// or a shape does not fit its features.
    pub fn new(features: Vec<String>, intercept: f64, terms: Vec<Term>) -> Result<Self, ModelError> {
        if !intercept.is_finite() {
            return Err(ModelError::Form("the intercept is not finite".into()));
        }
        let place = |name: &String| {
            features.iter().position(|held| held == name).ok_or_else(|| {
                ModelError::Form(format!("a term names the feature \"{name}\", which there is not"))
            })
        };
        let places = terms
            .iter()
            .map(|term| {
                term.shape.check(term.on.len())?;
                let first = place(&term.on[0])?;
                Ok((first, term.on.get(1).map_or(Ok(first), place)?))
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { features, intercept, terms, places })
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

    /// Explains one case. **This is the only way to a score**: it is the explanation's sum.
    ///
    /// # Errors
    /// [`ModelError::Features`] where the matrix has other features than the model, or no such row.
    pub fn explain(&self, matrix: &FeatureMatrix, row: usize) -> Result<Explanation<'_>, ModelError> {
        self.check_matrix(matrix)?;
        if row >= matrix.rows() {
            return Err(ModelError::Features("there is no such case".into()));
        }
        let mut contributions = vec![0.0; self.terms.len()];
        self.explain_into(matrix, row, &mut contributions);
        Ok(Explanation::new(self, contributions))
    }

    /// The log-odds of every case of the matrix, each the sum of its explanation, row by row.
    ///
    /// # Errors
    /// [`ModelError::Features`] where the matrix has other features than the model.
    pub fn log_odds(&self, matrix: &FeatureMatrix) -> Result<Vec<f64>, ModelError> {
        use rayon::prelude::*;
        self.check_matrix(matrix)?;
        Ok((0..matrix.rows())
            .into_par_iter()
            .with_min_len(1024)
            .map_init(
                || vec![0.0; self.terms.len()],
                |contributions, row| {
                    self.explain_into(matrix, row, contributions);
                    Explanation::sum(self.intercept, contributions)
                },
            )
            .collect())
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
    pub(crate) fn explain_into(&self, matrix: &FeatureMatrix, row: usize, contributions: &mut [f64]) {
        for ((term, &(first, second)), contribution) in self.terms.iter().zip(&self.places).zip(contributions)
        {
            let cell = |place: usize| Cell::decode(matrix.raw(place)[row]);
            *contribution = term.shape.contribution(cell(first), cell(second));
        }
    }

    /// The places of a term's features: one, or two.
    pub(crate) fn places(&self, term: usize) -> impl Iterator<Item = usize> {
        let (first, second) = self.places[term];
        std::iter::once(first).chain((self.terms[term].on.len() == 2).then_some(second))
    }
}

impl TryFrom<Plain> for AdditiveModel {
    type Error = ModelError;
    fn try_from(plain: Plain) -> Result<Self, ModelError> {
        for term in &plain.terms {
            if let Shape::Steps { axis, .. } = &term.shape {
                Axis::new(axis.edges.clone())?;
            }
            if let Shape::Grid { first, second, .. } = &term.shape {
                Axis::new(first.edges.clone())?;
                Axis::new(second.edges.clone())?;
            }
        }
        Self::new(plain.features, plain.intercept, plain.terms)
    }
}

impl From<AdditiveModel> for Plain {
    fn from(model: AdditiveModel) -> Self {
        Self { features: model.features, intercept: model.intercept, terms: model.terms }
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
