//! Evidence for a data protection impact assessment.

use askama::Template;

use super::document::{Document, PaperKind};
use super::known::Known;
use super::organisation::Organisation;
use super::{evidence, prose};
use crate::error::ReportError;
use crate::project::Project;
use crate::records::Intake;
use crate::report::AnyModel;

#[derive(Template)]
#[template(path = "papers/dpia.md", config = "src/report/askama.toml", whitespace = "preserve")]
struct Evidence<'a> {
    about: Known<'a>,
}

/// Evidence for a data protection impact assessment (DPIA): which data flow where, what could be left out, how
/// often the lists are wrong, and what a less intrusive way would have done.
///
/// It is not a DPIA. It weighs nothing and asks nobody; it gives those who do the figures they need. `intake`
/// is what became of the rows of each source ([`Records::intake`](crate::records::Records::intake)).
///
/// # Errors
/// [`ReportError::Render`] where the paper cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::project::Project;
/// use earlyhelp::report::papers::{Organisation, dpia_evidence};
/// use earlyhelp::scoring::Scorer;
///
/// fn write(model: &Scorer, project: &Project) -> earlyhelp::Result<String> {
///     let records = project.records()?;
///     let intake = Some(records.intake());
///     Ok(dpia_evidence(model, Some(project), &Organisation::default(), intake)?.to_markdown())
/// }
/// ```
///
/// # References
/// UK GDPR, Article 35(7), on what an assessment has to hold. Information Commissioner's Office, *Data protection
/// impact assessments*, on its steps.
pub fn dpia_evidence<'a>(
    model: impl Into<AnyModel<'a>>,
    project: Option<&'a Project>,
    organisation: &'a Organisation,
    intake: Option<&'a [Intake]>,
) -> Result<Document, ReportError> {
    let about = Known { model: model.into(), project, organisation, intake: intake.unwrap_or_default() };
    prose::paper(PaperKind::DpiaEvidence, about.model.digest(), &Evidence { about })
}
