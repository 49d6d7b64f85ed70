//! A model as one page: what it does, how well it did, and what it is made of.

mod about;
mod card;
mod curve;
mod evidence;
mod extreme;
mod grid;
mod path;
mod terms;

use std::borrow::Cow;

use askama::Template;
use serde::Serialize;

use self::about::{About, Audit, EditRow, FeatureRow};
use self::card::Card;
use self::curve::Curve;
use self::evidence::Evidence;
use self::path::PathSheet;
use self::terms::Terms;
use super::groups_sheet::Fairness;
use super::words::{about, percent};
use crate::error::ReportError;
use crate::evaluate::{BacktestReport, TermReport};
use crate::fairness::audit::Audit as FairnessAudit;
use crate::features::Feature;
use crate::model::{Candidate, TermTable, TrainingRecord};
use crate::outputs::json_text;
use crate::scoring::{AuditedModel, ModelFile, Previous, Scorer, SignOff};

/// A model with its evidence, released or not.
///
/// # Examples
/// ```
/// use earlyhelp::report::{AnyModel, model_html};
/// use earlyhelp::scoring::{AuditedModel, Scorer};
///
/// fn pages(audited: &AuditedModel, released: &Scorer) -> earlyhelp::Result<[String; 2]> {
///     assert!(AnyModel::from(audited).sign_off().is_none());
///     Ok([model_html(audited)?, model_html(released)?])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum AnyModel<'a> {
    /// A model that nobody has signed for.
    Audited(&'a AuditedModel),
    /// A model that may score.
    Released(&'a Scorer),
}

impl<'a> From<&'a ModelFile> for AnyModel<'a> {
    fn from(file: &'a ModelFile) -> Self {
        match file {
            ModelFile::Audited(model) => Self::Audited(model),
            ModelFile::Released(scorer) => Self::Released(scorer),
        }
    }
}

impl<'a> From<&'a AuditedModel> for AnyModel<'a> {
    fn from(model: &'a AuditedModel) -> Self {
        Self::Audited(model)
    }
}

impl<'a> From<&'a Scorer> for AnyModel<'a> {
    fn from(model: &'a Scorer) -> Self {
        Self::Released(model)
    }
}

impl<'a> AnyModel<'a> {
    /// The candidate in it.
    #[must_use]
    pub fn candidate(self) -> &'a Candidate {
        match self {
            Self::Audited(model) => model.candidate(),
            Self::Released(model) => model.candidate(),
        }
    }

    /// What its backtest found.
    #[must_use]
    pub fn backtest(self) -> &'a BacktestReport {
        match self {
            Self::Audited(model) => model.backtest(),
            Self::Released(model) => model.backtest(),
        }
    }

    /// What its fairness audit found, see [`AuditedModel::fairness`].
    #[must_use]
    pub fn fairness(self) -> Cow<'a, FairnessAudit> {
        match self {
            Self::Audited(model) => model.fairness(),
            Self::Released(model) => model.fairness(),
        }
    }

    /// Who signed for it, if anybody did.
    #[must_use]
    pub fn sign_off(self) -> Option<&'a SignOff> {
        match self {
            Self::Audited(_) => None,
            Self::Released(model) => Some(model.sign_off()),
        }
    }

    /// The version that it takes the place of, where people edited it.
    #[must_use]
    pub fn previous(self) -> Option<&'a Previous> {
        match self {
            Self::Audited(model) => model.previous(),
            Self::Released(model) => model.previous(),
        }
    }

    /// The digest of the file.
    #[must_use]
    pub fn digest(self) -> &'a str {
        match self {
            Self::Audited(model) => model.digest(),
            Self::Released(model) => model.digest(),
        }
    }

    /// What the test found of a term: what the model is without it.
    fn without(self, on: &[String]) -> Option<&'a TermReport> {
        self.backtest().terms.iter().find(|term| term.on == on)
    }
}

/// A model explained as one HTML page for those who answer for it, complete in itself: no script, nothing
/// loaded from elsewhere, readable on paper. It names nobody whose records were read.
///
/// It says what the model is for and what it cannot see, how it did in the backtest beside simple rules,
/// whether its chances can be believed, and for each term what it adds to the score as a table and a curve,
/// with its interval, the people under it, and what the model would be without it.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
pub fn model_html<'a>(model: impl Into<AnyModel<'a>>) -> Result<String, ReportError> {
    let mut page = Page::of(model.into()).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

/// Each term's curve as an SVG file of its own, complete in itself, for slides and papers: `01.svg` for the most important, and so
/// on, in the order of the page, with what the term is of. Pairs have no curve: their grids are tables.
///
/// # Errors
/// [`ReportError::Render`] where a drawing cannot be made.
pub fn model_curves<'a>(model: impl Into<AnyModel<'a>>) -> Result<Vec<(String, String)>, ReportError> {
    let model = model.into();
    let terms = Terms::of(model, &model.candidate().tables());
    let drawn = terms.articles.iter().filter_map(|term| Some((term, term.curve.as_ref()?)));
    drawn
        .map(|(term, curve)| {
            let file = CurveFile { name: &term.name, curve };
            let text = file.render().map_err(|error| ReportError::Render(error.to_string()))?;
            Ok((format!("{:02}.svg", term.place), text + "\n"))
        })
        .collect()
}

#[derive(Template)]
#[template(path = "model_curve_file.html", config = "src/report/askama.toml")]
struct CurveFile<'a> {
    name: &'a str,
    curve: &'a Curve,
}

/// The same as JSON, digit for digit, ending in one newline. Contributions are log-odds.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn model_json<'a>(model: impl Into<AnyModel<'a>>) -> Result<String, ReportError> {
    json_text(&Data::of(model.into())).map_err(|error| ReportError::Render(error.to_string()))
}

#[derive(Template)]
#[template(path = "model.html", config = "src/report/askama.toml")]
struct Page<'a> {
    about: About<'a>,
    edits: Vec<EditRow>,
    evidence: Evidence,
    card: Option<Card>,
    terms: Terms,
    path: Option<PathSheet>,
    features: Vec<FeatureRow>,
    fairness: Fairness,
    audit: Audit,
}

impl<'a> Page<'a> {
    fn of(model: AnyModel<'a>) -> Self {
        let tables = model.candidate().tables();
        Self {
            about: About::of(model),
            edits: EditRow::all(model.candidate()),
            evidence: Evidence::of(model),
            card: Card::of(model),
            terms: Terms::of(model, &tables),
            path: model.candidate().training().path.as_ref().map(PathSheet::of),
            features: FeatureRow::all(model.candidate()),
            fairness: Fairness::of(&model.fairness()),
            audit: Audit::of(model),
        }
    }
}

/// What the JSON holds.
#[derive(Serialize)]
struct Data<'a> {
    file: &'a str,
    candidate: &'a str,
    made_by: String,
    sign_off: Option<&'a SignOff>,
    edits: &'a [crate::model::Edit],
    edited_from: Option<&'a str>,
    previous: Option<&'a Previous>,
    outcome: &'a crate::outcome::OutcomeSpec,
    cohort: &'a crate::cohort::CohortSpec,
    trainer: &'a crate::model::Trainer,
    intercept: f64,
    terms: Vec<TermData<'a>>,
    is_calibrated: bool,
    backtest: &'a BacktestReport,
    fairness: Cow<'a, FairnessAudit>,
    training: &'a TrainingRecord,
}

#[derive(Serialize)]
struct TermData<'a> {
    #[serde(flatten)]
    table: TermTable,
    features: Vec<&'a Feature>,
    without: Option<&'a TermReport>,
}

impl<'a> Data<'a> {
    fn of(model: AnyModel<'a>) -> Self {
        let candidate = model.candidate();
        let term = |table: TermTable| {
            let features = candidate.features().features().iter();
            TermData {
                features: features.filter(|feature| table.on.contains(&feature.name)).collect(),
                without: model.without(&table.on),
                table,
            }
        };
        Self {
            file: model.digest(),
            candidate: candidate.digest(),
            made_by: format!("earlyhelp {}", candidate.crate_version()),
            sign_off: model.sign_off(),
            edits: candidate.edits(),
            edited_from: candidate.edited_from(),
            previous: model.previous(),
            outcome: candidate.outcome(),
            cohort: candidate.cohort(),
            trainer: candidate.trainer(),
            intercept: candidate.model().intercept(),
            terms: candidate.tables().into_iter().map(term).collect(),
            is_calibrated: model.backtest().is_calibrated(),
            backtest: model.backtest(),
            fairness: model.fairness(),
            training: candidate.training(),
        }
    }
}

/// A place on a drawing, to a tenth of its unit.
fn px(place: f64) -> String {
    format!("{place:.1}")
}
