//! What the steps of a feature's values are.

use super::bins::{self, Edges};
use super::column::Column;
use super::levels::Levels;
use super::task::{FeatureKind, Task};
use crate::features::Cells;
use crate::model::shape::code_edges;

/// The steps of a feature's values.
pub(super) enum StepAxis {
    /// Numbers between edges.
    Numbers(Edges),
    /// Codes.
    Codes(Levels),
}

impl StepAxis {
    /// The steps of a feature, and each case's.
    pub(super) fn of(task: &Task<'_>, cells: Cells<'_>, kind: FeatureKind) -> (Self, Column) {
        match kind {
            FeatureKind::Number(..) => {
                let edges = bins::edges(cells, (task.outcomes, task.mass), task.most_steps);
                let column = Column::new(bins::codes(cells, &edges.at));
                (Self::Numbers(edges), column)
            }
            FeatureKind::Category { codes, is_listed } => {
                let levels = if is_listed {
                    Levels::apart(codes)
                } else {
                    Levels::grouped(cells, codes, task.families)
                };
                let column = Column::new(levels.codes(cells));
                (Self::Codes(levels), column)
            }
        }
    }

    /// How many steps there are for values.
    pub(super) fn values(&self) -> usize {
        match self {
            Self::Numbers(edges) => edges.at.len() + 1,
            Self::Codes(levels) => levels.steps(),
        }
    }

    /// The edges of the finished term.
    pub(super) fn edges(&self) -> Vec<f64> {
        match self {
            Self::Numbers(edges) => edges.at.clone(),
            Self::Codes(levels) => code_edges(levels.spread().len() - 3),
        }
    }

    /// The figures of the steps as the finished term has them.
    pub(super) fn spread<T: Copy>(&self, steps: &[T]) -> Vec<T> {
        match self {
            Self::Numbers(_) => steps.to_vec(),
            Self::Codes(levels) => levels.spread().into_iter().map(|step| steps[step]).collect(),
        }
    }
}
