//! A paper as a value: sections that cannot be empty, figures that carry their unit, interval and n.

use serde::{Deserialize, Serialize};

use super::super::glossary::Term;
use super::parts::{Block, Field};
use crate::error::ReportError;
use crate::outputs::json_text;

/// A paper about a model: one value that is written as Markdown and as JSON, so that both say the same.
///
/// It is made by [`model_card`](super::model_card), [`atrs`](super::atrs) or
/// [`dpia_evidence`](super::dpia_evidence) and by nobody else. No section of it is empty, every figure has a
/// unit, a 95% interval and the number of cases it rests on, and the glossary holds the terms that occur and
/// no others.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::{Document, model_card};
/// use earlyhelp::scoring::Scorer;
///
/// fn card(model: &Scorer) -> earlyhelp::Result<String> {
///     let card = model_card(model)?;
///     let again: Document = serde_json::from_str(&card.to_json()?).map_err(|_| unreadable())?;
///     assert_eq!(again.to_markdown(), card.to_markdown());
///     Ok(card.to_markdown())
/// }
/// # fn unreadable() -> earlyhelp::error::ReportError {
/// #     earlyhelp::error::ReportError::Render("it does not read back".into())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft")]
pub struct Document {
    pub(super) kind: PaperKind,
    pub(super) title: String,
    /// The digest of the model file that it is about.
    pub(super) model: String,
    /// What stands before the first section, a paragraph each.
    pub(super) lead: Vec<String>,
    pub(super) sections: Vec<Section>,
    /// The terms that occur in it, in alphabetical order, and what they mean.
    pub(super) glossary: Vec<Term>,
}

/// Which paper it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaperKind {
    /// What a model is, does, and how well.
    ModelCard,
    /// The record of the UK Algorithmic Transparency Recording Standard.
    AtrsRecord,
    /// Evidence for a data protection impact assessment.
    DpiaEvidence,
}

impl PaperKind {
    /// The name of its files, without an ending: `model_card`, `atrs_record`, `dpia_evidence`.
    #[must_use]
    pub fn file_stem(self) -> &'static str {
        match self {
            Self::ModelCard => "model_card",
            Self::AtrsRecord => "atrs_record",
            Self::DpiaEvidence => "dpia_evidence",
        }
    }
}

/// A part of a paper. It has a heading, and under it at least one block or one further section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Self>,
}

/// A document as a file has it, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    kind: PaperKind,
    title: String,
    model: String,
    lead: Vec<String>,
    sections: Vec<Section>,
    glossary: Vec<Term>,
}

impl TryFrom<Draft> for Document {
    type Error = String;
    fn try_from(draft: Draft) -> Result<Self, String> {
        let Draft { kind, title, model, lead, sections, glossary } = draft;
        Self { kind, title, model, lead, sections, glossary }.checked()
    }
}

impl Document {
    /// The paper if no section of it is empty; else what is wrong.
    pub(super) fn checked(self) -> Result<Self, String> {
        match self.sections.iter().find_map(Section::fault) {
            Some(fault) => Err(fault),
            None if self.sections.is_empty() => Err("the document has no section".to_owned()),
            None => Ok(self),
        }
    }

    /// Which paper it is.
    #[must_use]
    pub fn kind(&self) -> PaperKind {
        self.kind
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The digest of the model file that it is about.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The fields of the form that the organisation still has to fill in, each by its number and name; none
    /// where it is not a form.
    #[must_use]
    pub fn open_fields(&self) -> Vec<String> {
        let open = self.fields().into_iter().filter(|field| field.to_complete.is_some());
        open.map(|field| format!("{} {}", field.number, field.name)).collect()
    }

    /// All fields of the form, in order.
    pub(super) fn fields(&self) -> Vec<&Field> {
        let mut fields = Vec::new();
        self.sections.iter().for_each(|section| section.gather(&mut fields));
        fields
    }

    /// The paper as JSON, with every digit of its figures, ending in one newline.
    ///
    /// # Errors
    /// [`ReportError::Render`] where the text cannot be made.
    pub fn to_json(&self) -> Result<String, ReportError> {
        json_text(self).map_err(|error| ReportError::Render(error.to_string()))
    }
}

impl Section {
    fn gather<'a>(&'a self, fields: &mut Vec<&'a Field>) {
        fields.extend(self.blocks.iter().filter_map(|block| match block {
            Block::Field(field) => Some(field),
            _ => None,
        }));
        self.sections.iter().for_each(|section| section.gather(fields));
    }

    /// What is wrong with it, if anything.
    fn fault(&self) -> Option<String> {
        let heading = &self.title;
        if heading.trim().is_empty() {
            return Some("a section has no heading".to_owned());
        }
        if self.blocks.is_empty() && self.sections.is_empty() {
            return Some(format!("nothing stands under the heading \"{heading}\""));
        }
        let within = |fault: &str| format!("under the heading \"{heading}\": {fault}");
        let block = self.blocks.iter().find_map(Block::fault).map(within);
        block.or_else(|| self.sections.iter().find_map(Self::fault))
    }
}
