//! A released model, the cases it scores, and the provenance that every score carries.
//!
//! ```text
//! Candidate + Backtest + FairnessAudit ─AuditedModel::new→ AuditedModel ─release(SignOff)→ Scorer
//! Scorer + Cohort + Request ─score→ Scores ─case→ RankedCase { rank, ScoredCase { score, explanation, provenance } }
//! Scorer + Snapshot + id + Request ─score_one→ Asked: a ScoredCase, or why there is none
//! ```
//!
//! Released means audited and signed: a [`Scorer`] has no other maker. It scores for the purpose it was
//! signed for, up to the date by which it has to be reviewed, and for the population it was trained on.
//! A [`ScoredCase`] cannot be made from its parts nor read from a file, so a score never travels without
//! its explanation and its provenance. Nothing here acts on a score.

mod abstention;
mod asked;
mod case;
mod counter;
mod dealing;
mod earlier;
mod file;
mod of_table;
mod recorded;
pub(crate) use recorded::CaseAgain;
mod places;
mod provenance;
mod release;
mod request;
mod scores;

pub use abstention::{Abstention, NotScored, WhyNot};
pub(crate) use abstention::{Gate, Watched};
pub use asked::{Answer, Asked, Asking};
pub(crate) use case::is_zero;
pub use case::{Absence, Chance, Contribution, RankedCase, ScoredCase, ShownBand, Stability};
pub use counter::{CounterEvidence, Without, WithoutRecord};
pub use file::ModelFile;
pub use places::OnePer;
pub(crate) use places::Places;
pub use provenance::{Acceptance, AcceptedSource, Exception, Provenance, ScoredTable, SourceState};
pub use release::{AuditedModel, Previous, Scorer, SignOff};
pub(crate) use request::LONGEST_USE;
pub use request::Request;
pub use scores::Scores;
pub(crate) use scores::lots_of;
