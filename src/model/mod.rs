//! The one model form, its explanation, the trainers that yield it, and the candidate that a release is
//! made of.
//!
//! ```text
//! Dataset ─Candidate::train→ Candidate { AdditiveModel, features, outcome, training record, digest }
//! AdditiveModel ─explain→ Explanation ─sum→ RiskScore
//! ```
//!
//! Every trainer yields an [`AdditiveModel`]: intercept plus centred terms, in log-odds. A model does not
//! predict, it *explains*, and the score is the explanation's sum.

mod candidate;
mod design;
mod explanation;
mod form;
mod logistic;
mod solver;

pub use candidate::{Candidate, SourceDigest, Trainer, TrainingContext, TrainingRecord};
pub use explanation::{Explanation, RiskScore};
pub use form::{AdditiveModel, Axis, Scale, Shape, Term};
pub use logistic::LogisticParams;
