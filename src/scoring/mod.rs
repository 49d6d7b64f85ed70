//! A released model, the cases it scores, and the record that every score carries.
//!
//! ```text
//! Candidate + Backtest + FairnessAudit ─AuditedModel::new→ AuditedModel ─release(SignOff)→ Scorer
//! Scorer + Cohort + Request ─score→ Scores ─case→ ScoredCase { score, explanation, audit }
//! ```
//!
//! Released means audited and signed: a [`Scorer`] has no other maker. It scores for the purpose it was
//! signed for, up to the date by which it has to be reviewed, and for the population it was trained on.
//! A [`ScoredCase`] cannot be made from its parts nor read from a file, so a score never travels without
//! its explanation and its audit record. Nothing here acts on a score.

mod case;
mod release;
mod scores;

pub use case::{Absence, AuditRecord, Contribution, ScoredCase, ShownBand, SourceState};
pub use release::{AuditedModel, Scorer, SignOff};
pub use scores::{Request, Scores};
