//! The model card.

use askama::Template;

use super::document::{Document, PaperKind};
use super::known::Known;
use super::organisation::Organisation;
use super::{evidence, prose};
use crate::error::ReportError;
use crate::report::AnyModel;

#[derive(Template)]
#[template(path = "papers/card.md", config = "src/report/askama.toml", whitespace = "preserve")]
struct Card<'a> {
    about: Known<'a>,
}

/// The model card: what a model is, what it is for and not for, what it reads, how it did when tested, how
/// its lists treat groups, what it cannot see, and who decided what.
///
/// Everything in it comes from the model file. It names nobody whose records were read.
///
/// # Errors
/// [`ReportError::Render`] where the paper cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::model_card;
/// use earlyhelp::scoring::AuditedModel;
///
/// fn write(model: &AuditedModel) -> earlyhelp::Result<[String; 2]> {
///     let card = model_card(model)?;
///     Ok([card.to_markdown(), card.to_json()?])
/// }
/// ```
///
/// # References
/// M. Mitchell and others (2019), "Model cards for model reporting", *Proceedings of the Conference on Fairness,
/// Accountability, and Transparency*, 220-229. G. S. Collins and others (2024), "TRIPOD+AI statement", *BMJ*
/// 385:e078378, for what is said of outcome, predictors, population and calibration.
pub fn model_card<'a>(model: impl Into<AnyModel<'a>>) -> Result<Document, ReportError> {
    let (model, organisation) = (model.into(), Organisation::default());
    let about = Known { model, project: None, organisation: &organisation, intake: &[] };
    prose::paper(PaperKind::ModelCard, model.digest(), &Card { about })
}
