//! The papers that an auditor asks for: a model card, a transparency record, evidence for a data protection
//! impact assessment.
//!
//! ```text
//! AuditedModel, Scorer ─model_card→ Document ─to_markdown, to_json→ two files that say the same
//!   + Project, Organisation ─atrs→ Document (what the software cannot know is marked, with a hint)
//!   + Project, Organisation, Intake ─dpia_evidence→ Document
//! ```
//!
//! They are made from the model file, the project file and what the organisation says about itself, and are
//! never written by hand: to change a line, change what it is made from and make it again. A paper has no
//! date of its own, because the library has no clock; the digest of the model file says what it is about.

mod atrs;
mod card;
mod data;
mod document;
mod dpia;
mod evidence;
mod features;
mod groups;
mod intrusion;
mod known;
mod markdown;
mod organisation;
mod parts;
mod prose;
mod results;
#[cfg(test)]
mod tests;

pub use atrs::atrs;
pub use card::model_card;
pub use document::{Document, PaperKind};
pub use dpia::dpia_evidence;
pub use organisation::Organisation;
