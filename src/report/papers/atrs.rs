//! The record of the Algorithmic Transparency Recording Standard.

use askama::Template;

use super::document::{Document, PaperKind};
use super::known::Known;
use super::organisation::{self, Organisation};
use super::prose;
use crate::error::ReportError;
use crate::project::Project;
use crate::report::AnyModel;

#[derive(Template)]
#[template(path = "papers/atrs.md", config = "src/report/askama.toml", whitespace = "preserve")]
struct Record<'a> {
    about: Known<'a>,
}

/// The record of the UK Algorithmic Transparency Recording Standard: tier 1 and every field of tier 2, by name.
///
/// What the model file and the project file say is filled in, and so is what the organisation says. Where
/// something is left for the organisation, the field says so and what belongs there;
/// [`Document::open_fields`] finds them. The names of the fields are those of template version 4.0; compare with the
/// current template before publishing.
///
/// # Errors
/// [`ReportError::Render`] where the paper cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::{Organisation, atrs};
/// use earlyhelp::scoring::Scorer;
///
/// fn open_questions(model: &Scorer) -> earlyhelp::Result<usize> {
///     let record = atrs(model, None, &Organisation::default())?;
///     Ok(record.open_fields().len())
/// }
/// ```
///
/// # References
/// Government Digital Service, *Algorithmic Transparency Recording Standard: guidance for public sector bodies*
/// (gov.uk, updated 8 May 2025).
pub fn atrs<'a>(
    model: impl Into<AnyModel<'a>>,
    project: Option<&'a Project>,
    organisation: &'a Organisation,
) -> Result<Document, ReportError> {
    let about = Known { model: model.into(), project, organisation, intake: &[] };
    prose::paper(PaperKind::AtrsRecord, about.model.digest(), &Record { about })
}
