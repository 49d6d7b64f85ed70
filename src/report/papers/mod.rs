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

mod afterwards;
mod answers;
mod atrs;
mod card;
mod data;
mod document;
mod dpia;
mod evidence;
mod glossary;
mod groups;
mod intrusion;
mod markdown;
mod organisation;
mod parts;
mod results;
mod risks;
mod template;
#[cfg(test)]
mod tests;
mod wording;

pub use atrs::atrs;
pub use card::model_card;
pub use document::{Document, Kind, Section};
pub use dpia::dpia_evidence;
pub use glossary::Entry;
pub use organisation::Organisation;
pub use parts::{Block, Cell, Fact, Field, Figure, Table, Unit};
