//! A model edited by hand and tested again beside the version before.

use std::fmt;

use serde::Serialize;

use super::Project;
use crate::error::{Error, ProjectError};
use crate::evaluate::{Backtest, Estimate, PairedTest, Performance};
use crate::fairness::Protected;
use crate::fairness::audit::{AttributeFinding, Audit, DisparityVerdict};
use crate::model::{Candidate, Edit};
use crate::records::Records;
use crate::scoring::AuditedModel;

/// An edited model and the version before it, tested on the same cases: see [`Project::edit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    before: AuditedModel,
    after: AuditedModel,
    difference: PairedTest,
    changed_verdicts: Vec<ChangedVerdict>,
}

/// A criterion of fairness about which the audit now says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChangedVerdict {
    /// The characteristic.
    pub characteristic: String,
    /// The criterion.
    pub criterion: String,
    /// What was said of it before the edit.
    pub before: String,
    /// What is said of it now.
    pub after: String,
}

impl Project {
    /// Edits a model, and tests and checks the edited one on the cases on which the version before was tested.
    /// The same edit is made to every model that the backtest trains.
    ///
    /// # Errors
    /// [`ProjectError::OtherSource`] where the records are not those that the model was trained on;
    /// [`Error::Model`] where the edit cannot be made; others as for [`Project::train`].
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::model::{Change, Edit, Trainer};
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(3_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-project-edit");
    /// let project = Project::load(council.write(&folder, Format::Csv)?)?;
    /// let (records, protected) = project.records_and_protected()?;
    /// let trainer = Trainer::by_name("logistic").unwrap_or_default();
    /// let model = project.train(&records, &protected, &trainer)?;
    ///
    /// let edit = Edit {
    ///     on: model.candidate().model().terms()[0].on.clone(),
    ///     change: Change::Drop,
    ///     by: "A. Analyst".into(),
    ///     reason: "It says how a clinic books".into(),
    ///     on_day: council.extract_date(),
    /// };
    /// let edited = project.edit(&records, &protected, model, edit)?;
    /// assert_eq!(edited.after().candidate().edits().len(), 1);
    /// println!("{edited}");
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    pub fn edit(
        &self,
        records: &Records,
        protected: &Protected,
        before: AuditedModel,
        edit: Edit,
    ) -> Result<Edited, Error> {
        self.watch.stage("digests of the sources");
        check_sources(before.candidate(), records)?;
        self.watch.stage("features and outcomes");
        let data = self.training_data(records, protected)?;
        self.watch.stage("editing");
        let candidate = before.candidate().edited(edit, &data)?;
        self.watch.stage("backtest");
        // By the plan of the version before, so that the two are compared on the same cases.
        let plan = &before.backtest().plan;
        let backtest = Backtest::run(&candidate, &data, plan)?;
        // The version before is tested again, since its file has figures and no cases to compare one by one.
        self.watch.stage("backtest of the version before");
        let difference = PairedTest::of(&Backtest::run(before.candidate(), &data, plan)?, &backtest)?;
        let backtest = self.with_known(backtest, records)?;
        self.watch.stage("fairness check");
        let (candidate, backtest) = self.recalibrate(candidate, backtest)?;
        let after = self.audit(candidate, &backtest, protected)?.replacing(&before)?;
        let changed_verdicts = changed_verdicts(&before.fairness(), &after.fairness());
        Ok(Edited { before, after, difference, changed_verdicts })
    }
}

/// Refuses records that say something else than at training.
fn check_sources(candidate: &Candidate, records: &Records) -> Result<(), ProjectError> {
    for held in &candidate.training().sources {
        if records.as_of(held.as_of).digest(&held.source).as_ref() != Some(&held.digest) {
            let (extract, as_of) = (held.source.clone(), held.as_of.to_string());
            return Err(ProjectError::OtherSource { extract, as_of });
        }
    }
    Ok(())
}

impl Edited {
    /// The version before.
    #[must_use]
    pub fn before(&self) -> &AuditedModel {
        &self.before
    }

    /// The edited model, which has to be released like any other.
    #[must_use]
    pub fn after(&self) -> &AuditedModel {
        &self.after
    }

    /// After minus before, case by case, before any recalibration by these cases.
    #[must_use]
    pub fn difference(&self) -> &PairedTest {
        &self.difference
    }

    /// The criteria of fairness about which the audit now says something else.
    #[must_use]
    pub fn changed_verdicts(&self) -> &[ChangedVerdict] {
        &self.changed_verdicts
    }
}

impl fmt::Display for Edited {
    /// Both versions' figures side by side, and the verdicts that have changed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after, difference, changed_verdicts } = self;
        writeln!(f, "Edits:")?;
        for edit in after.previous().map(|previous| previous.edits.as_slice()).unwrap_or_default() {
            writeln!(f, "  {edit}")?;
        }
        let name =
            |which: &str, model: &AuditedModel| format!("{which} ({})", &model.candidate().digest()[..12]);
        writeln!(f, "\nBacktest, both versions on the same cases (with 95% intervals):")?;
        writeln!(f, "  {:<38} {:<26} {}", "", name("before", before), name("after", after))?;
        let both = figures(&before.backtest().overall).into_iter().zip(figures(&after.backtest().overall));
        for ((what, before), (_, after)) in both {
            writeln!(f, "  {what:<38} {before:<26} {after}")?;
        }
        let terms = |model: &AuditedModel| model.candidate().model().terms().len();
        writeln!(f, "  {:<38} {:<26} {}", "terms of the model", terms(before), terms(after))?;
        writeln!(
            f,
            "\nAfter (second) minus before (first), measured on the same cases before any recalibration by them; \
             * clear of no difference:"
        )?;
        write!(f, "{difference}")?;
        if changed_verdicts.is_empty() {
            return writeln!(f, "\nFairness audit: no verdict on any criterion has changed.");
        }
        writeln!(f, "\nFairness audit, verdicts that have changed:")?;
        for changed in changed_verdicts {
            let ChangedVerdict { characteristic, criterion, before, after } = changed;
            writeln!(f, "  {characteristic}, {criterion}: {before} -> {after}")?;
        }
        Ok(())
    }
}

/// The figures that are compared, each with its name.
fn figures(performance: &Performance) -> Vec<(&'static str, String)> {
    let shown = |estimate: Option<&Estimate>| estimate.map_or_else(|| "-".to_owned(), Estimate::to_string);
    let calibration = performance.calibration.as_ref();
    vec![
        ("AUC", shown(performance.auc.as_ref())),
        ("average precision", shown(performance.average_precision.as_ref())),
        ("share of the list with the outcome", shown(performance.precision_at_capacity.as_ref())),
        ("log loss (less is better)", format!("{:.4}", performance.log_loss)),
        ("calibration slope (right is 1)", shown(calibration.map(|calibration| &calibration.slope))),
        (
            "calibration in the large (right is 0)",
            shown(calibration.map(|calibration| &calibration.intercept)),
        ),
    ]
}

fn changed_verdicts(before: &Audit, after: &Audit) -> Vec<ChangedVerdict> {
    let (before, after) = (said(before), said(after));
    let mut changed = Vec::new();
    for (characteristic, criterion, now) in after {
        let same = |(of, held, _): &&(String, String, String)| *of == characteristic && *held == criterion;
        let then = before.iter().find(same).map_or("not in the audit", |(.., said)| said);
        if then != now {
            let before = then.to_owned();
            changed.push(ChangedVerdict { characteristic, criterion, before, after: now });
        }
    }
    changed
}

/// What an audit says of every criterion: characteristic, criterion, verdict with the group that sets it.
fn said(audit: &Audit) -> Vec<(String, String, String)> {
    let mut said = Vec::new();
    for attribute in &audit.attributes {
        let name = attribute.name();
        match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => {
                said.push((name, "all criteria".to_owned(), format!("not measurable: {why}")));
            }
            AttributeFinding::Measured { criteria, .. } => said.extend(criteria.iter().map(|report| {
                let set_by = report.set_by.as_ref().filter(|_| report.verdict == DisparityVerdict::Present);
                let set_by = set_by.map_or_else(String::new, |setter| format!(" ({})", setter.group));
                (name.clone(), report.criterion.to_string(), format!("{}{set_by}", report.verdict))
            })),
        }
    }
    said
}
