//! The functions that terms are: lines, steps and grids.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::features::Exact;
use crate::limits;

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
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
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

    /// The edges.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of bins: an interval more than edges, then *missing*, then *not covered*.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.edges.len() + 3
    }

    /// The bin of a cell.
    #[inline]
    pub(crate) fn bin(&self, cell: impl Into<Exact>) -> usize {
        match cell.into() {
            Exact::Value(value) => self.edges.partition_point(|&edge| edge <= value),
            Exact::Missing => self.edges.len() + 1,
            Exact::NotCovered => self.edges.len() + 2,
        }
    }
}

impl TryFrom<Vec<f64>> for Axis {
    type Error = ModelError;
    fn try_from(edges: Vec<f64>) -> Result<Self, ModelError> {
        Self::new(edges)
    }
}

impl From<Axis> for Vec<f64> {
    fn from(axis: Axis) -> Self {
        axis.edges
    }
}

/// Edges that give each of the codes 0, 1, 2 ... a step, and one more for any other.
pub(super) fn code_edges(codes: usize) -> Vec<f64> {
    (0..codes).map(|code| code as f64 + 0.5).collect()
}

/// Whether a number can be a figure of a model.
pub(super) fn is_figure(value: f64) -> bool {
    value.abs() <= limits::FIGURE
}

impl Shape {
    pub(super) fn check(&self, features: usize) -> Result<(), ModelError> {
        let wrong = |why: &str| Err(ModelError::Form(why.to_owned()));
        let (wanted, finite) = match self {
            Self::Line { centre, slope, at_centre, missing, not_covered, .. } => {
                let absent = [missing, not_covered].into_iter().flatten();
                // A centre is a value, and those are single precision; a slope of it stays a number.
                let is_value = centre.abs() <= f64::from(f32::MAX);
                (1, is_value && [slope, at_centre].into_iter().chain(absent).all(|&v| is_figure(v)))
            }
            Self::Steps { axis, values } => {
                if values.len() != axis.bins() {
                    return wrong("a step function needs a value for each bin");
                }
                (1, values.iter().all(|&v| is_figure(v)))
            }
            Self::Grid { first, second, values } => {
                if values.len() != first.bins() * second.bins() {
                    return wrong("a grid needs a value for each pair of bins");
                }
                (2, values.iter().all(|&v| is_figure(v)))
            }
        };
        if features != wanted {
            return wrong("a term has another number of features than its shape");
        }
        if finite {
            Ok(())
        } else {
            wrong("a term holds a figure that is not finite, or beyond all log-odds")
        }
    }

    #[inline]
    pub(super) fn contribution(&self, first: Exact, second: Exact) -> f64 {
        match self {
            Self::Line { scale, centre, slope, at_centre, missing, not_covered } => match first {
                Exact::Value(value) => at_centre + slope * (scale.apply(value) - centre),
                Exact::Missing => missing.unwrap_or(*at_centre),
                Exact::NotCovered => not_covered.unwrap_or(*at_centre),
            },
            Self::Steps { axis, values } => values[axis.bin(first)],
            Self::Grid { first: a, second: b, values } => values[a.bin(first) * b.bins() + b.bin(second)],
        }
    }

    /// The intervals that it has: none of a line, two of a grid.
    pub(crate) fn axes(&self) -> impl Iterator<Item = &Axis> {
        let (first, second) = match self {
            Self::Line { .. } => (None, None),
            Self::Steps { axis, .. } => (Some(axis), None),
            Self::Grid { first, second, .. } => (Some(first), Some(second)),
        };
        first.into_iter().chain(second)
    }

    /// Whether both are steps, or grids, of the same intervals.
    pub(super) fn has_bins_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Steps { axis, .. }, Self::Steps { axis: others, .. }) => axis == others,
            (Self::Grid { first, second, .. }, Self::Grid { first: one, second: two, .. }) => {
                (first, second) == (one, two)
            }
            _ => false,
        }
    }

    /// The figures that a trainer chose: what refits deviate in. A line's are its slope, and its
    /// contributions at the centre, where missing and where not covered.
    pub(crate) fn figures(&self) -> Vec<f64> {
        match self {
            Self::Line { slope, at_centre, missing, not_covered, .. } => {
                vec![*slope, *at_centre, missing.unwrap_or(*at_centre), not_covered.unwrap_or(*at_centre)]
            }
            Self::Steps { values, .. } | Self::Grid { values, .. } => values.clone(),
        }
    }

    /// What a case's contribution is made of: figures by their places, each with its factor.
    pub(crate) fn made_of(&self, first: Exact, second: Exact) -> [(usize, f64); 2] {
        const NOTHING: (usize, f64) = (0, 0.0);
        match self {
            Self::Line { scale, centre, .. } => match first {
                Exact::Value(value) => [(1, 1.0), (0, scale.apply(value) - centre)],
                Exact::Missing => [(2, 1.0), NOTHING],
                Exact::NotCovered => [(3, 1.0), NOTHING],
            },
            Self::Steps { axis, .. } => [(axis.bin(first), 1.0), NOTHING],
            Self::Grid { first: a, second: b, .. } => {
                [(a.bin(first) * b.bins() + b.bin(second), 1.0), NOTHING]
            }
        }
    }

    /// The shape with all contributions multiplied.
    pub(crate) fn scaled(mut self, by: f64) -> Self {
        match &mut self {
            Self::Line { slope, at_centre, missing, not_covered, .. } => {
                for figure in [slope, at_centre].into_iter().chain(missing).chain(not_covered) {
                    *figure *= by;
                }
            }
            Self::Steps { values, .. } | Self::Grid { values, .. } => {
                for value in values {
                    *value *= by;
                }
            }
        }
        self
    }
}
