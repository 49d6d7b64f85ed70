//! The one model form, its explanation, the trainers that yield it, and the candidate that a release is
//! made of.
//!
//! ```text
//! Dataset ─Candidate::train→ Candidate { AdditiveModel, features, outcome, training record, digest }
//! AdditiveModel ─explain→ Explanation ─(summed by a Scorer alone)→ RiskScore
//! ```
//!
//! Every trainer yields an [`AdditiveModel`]: intercept plus centred terms, in log-odds. A model does not
//! predict, it *explains*. The score is the explanation's sum, and only a released model gives it out.

mod additive;
mod candidate;
mod design;
mod edit;
mod explanation;
mod footing;
mod form;
#[cfg(feature = "linfa")]
mod linfa_traits;
mod logistic;
mod notes;
mod path;
mod refits;
mod scorecard;
mod shape;
mod shapes;
mod solver;
mod trainer;
mod validation;

pub use additive::AdditiveParams;
pub use candidate::{Candidate, FeatureRange, SourceDigest, TrainingContext, TrainingRecord};
pub use edit::{Change, Edit, Recalibration};
pub use explanation::{Explanation, Explanations, RiskScore};
pub use form::{AdditiveModel, Axis, Reach, Scale, Shape, Term};
pub use logistic::{LogisticFit, LogisticParams};
pub use notes::TrainingNote;
pub use path::{PathChoice, PathParams, PathReport};
pub use refits::Refits;
pub use scorecard::{CardLine, Condition, PointsRow, Scorecard, ScorecardParams};
pub use shapes::{CurvePoint, GridCell, GridSide, Place, ShapeRow, ShapeTable, Shares, TermTable};
pub use trainer::{Trained, Trainer};
