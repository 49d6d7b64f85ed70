//! A model held against what it is used on now: has what it reads moved, do its sources still deliver, does
//! it still rank and foresee as it did when it was released, and do people disagree with some of its reasons?
//!
//! ```text
//! Records + Scorer (or AuditedModel) + AsOf ─Monitor::run→ MonitorReport { figures, limits, verdicts }
//!                     Account of its runs ─with_decisions┘
//! ```
//!
//! Every figure stands beside the one it is compared with, its interval (families as the unit) and its limit,
//! and gets one of three verdicts: [`Verdict::Within`], [`Verdict::Beyond`], or [`Verdict::CannotTell`] where
//! the interval lies on both sides of the limit. A report is for people: nothing here retrains, withdraws or
//! switches off anything.
//!
//! "Training" means the cohorts of the training dates, chosen and computed anew from today's extracts as they
//! were known on those dates; so both sides come through the same reading, and a difference is one of the
//! families or of the records, not of the software.
//!
//! # Examples
//! ```no_run
//! use earlyhelp::monitor::{Monitor, MonitorParams};
//! use earlyhelp::project::Project;
//! use earlyhelp::scoring::Scorer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let project = Project::load("project.toml")?;
//! let records = project.records()?;
//! let scorer = Scorer::from_json(&std::fs::read_to_string("released.json")?)?;
//! let report =
//!     Monitor::new(&scorer).run(&records, "2025-04-01".parse()?, &MonitorParams::default())?;
//! println!("{report}");
//! for what in report.beyond() {
//!     println!("look at: {what}");
//! }
//! # Ok(())
//! # }
//! ```

mod alerts;
mod bins;
mod decisions;
mod drift;
mod outcomes;
mod panel;
mod params;
mod people;
mod report;
mod shift;
mod sources;
mod verdict;

pub use alerts::{Alerts, NotScoredCount};
pub use decisions::{DecisionsSeen, ReasonSeen};
pub use drift::{FeatureDrift, ScoreDrift};
pub use outcomes::{FigureChange, Outcomes, WatchedFigure};
pub use params::{Limits, MonitorParams};
pub use report::{Finding, MonitorReport};
pub use shift::{BinShare, Shift};
pub use sources::{CoverageChange, Freshness, SourceHealth, Volume};
pub use verdict::Verdict;

use crate::calendar::AsOf;
use crate::cohort::Cohort;
use crate::error::{Error, ModelError, SpecError};
use crate::evaluate::BacktestReport;
use crate::features::FeatureMatrix;
use crate::model::Candidate;
use crate::records::Records;
use crate::scoring::{AuditedModel, Scorer};
use drift::Stacked;
use panel::Panel;
use sources::Compared;

/// Watches one model, released or only audited.
///
/// # Examples
/// See the [module's example](self).
#[derive(Debug, Clone, Copy)]
pub struct Monitor<'m> {
    candidate: &'m Candidate,
    backtest: &'m BacktestReport,
    scorer: Option<&'m Scorer>,
}

impl<'m> Monitor<'m> {
    /// Watches a released model.
    #[must_use]
    pub fn new(scorer: &'m Scorer) -> Self {
        Self { candidate: scorer.candidate(), backtest: scorer.backtest(), scorer: Some(scorer) }
    }

    /// Watches a model that is not released. It does not score, so the report cannot say how many cases would
    /// go without a score.
    #[must_use]
    pub fn audited(model: &'m AuditedModel) -> Self {
        Self { candidate: model.candidate(), backtest: model.backtest(), scorer: None }
    }

    /// Compares the cohort of `as_of` with those of the training dates, and the figures on outcomes known by
    /// `as_of` with those of the backtest. The same records, model and parameters give the same report, to the
    /// bit, at any number of threads.
    ///
    /// # Errors
    /// [`Error::Spec`] where the records lack what the model reads, nobody is in a cohort, or a limit makes no
    /// sense;
    /// [`Error::Model`] where the model names no training date; [`Error::Evaluate`] where the backtest's own
    /// settings cannot be used again; [`Error::Scoring`] where a released model refuses to score for another
    /// reason than an overdue review, which is reported.
    pub fn run(
        &self,
        records: &Records,
        as_of: AsOf,
        params: &MonitorParams,
    ) -> Result<MonitorReport, Error> {
        let since = outcomes::dates(self.candidate, records, as_of, params.outcomes_every_months);
        let known = |_: &Self| {
            outcomes::measure(self.candidate, self.backtest, &self.cohorts(records, &since)?, params)
        };
        self.look(records, as_of, params, known)
    }

    /// The same without anything that needs outcomes: what can be told of extracts on the day that they arrive. The
    /// report's outcomes are empty, and its verdict is on the rest.
    ///
    /// # Errors
    /// As [`Monitor::run`].
    pub fn run_at_the_door(
        &self,
        records: &Records,
        as_of: AsOf,
        params: &MonitorParams,
    ) -> Result<MonitorReport, Error> {
        self.look(records, as_of, params, |_| Ok(Outcomes::not_looked_at()))
    }

    fn look(
        &self,
        records: &Records,
        as_of: AsOf,
        params: &MonitorParams,
        outcomes: impl FnOnce(&Self) -> Result<Outcomes, Error>,
    ) -> Result<MonitorReport, Error> {
        params.check()?;
        let candidate = self.candidate;
        let dates: Vec<AsOf> = candidate.training().dates.iter().map(|date| date.as_of).collect();
        if dates.is_empty() {
            let why = "it names no training date; train it from records, not from a frame".to_owned();
            return Err(ModelError::Features(why).into());
        }
        let training = self.cohorts(records, &dates)?;
        let now = candidate.cohort().choose(&records.as_of(as_of))?;
        let features = |cohort: &Cohort<'_>| candidate.features().compute(cohort);
        let matrices = training.iter().map(features).collect::<Result<Vec<_>, _>>()?;
        let matrix = features(&now)?;
        let families = people::families(&training.iter().chain([&now]).collect::<Vec<_>>());
        let rows: usize = matrices.iter().map(FeatureMatrix::rows).sum();
        let panel = Panel::new(&families, rows);

        let mut log_odds = Vec::with_capacity(families.len());
        for matrix in matrices.iter().chain([&matrix]) {
            log_odds.extend(candidate.model().log_odds(matrix)?);
        }
        let stacked = Stacked { training: &matrices, now: &matrix };
        let capacity = self.backtest.plan.capacity;
        let (mut drift, score) = drift::measure(candidate, &stacked, &log_odds, &panel, capacity, params);
        drift.sort_by(|a, b| b.importance.total_cmp(&a.importance));
        let compared = Compared {
            records,
            training: &training,
            now: &now,
            matrices: &matrices,
            matrix: &matrix,
            families: &families,
            panel: &panel,
        };
        let sources = sources::measure(candidate, &compared, params);
        let report = MonitorReport {
            candidate: candidate.digest().to_owned(),
            as_of,
            training: dates,
            training_cases: panel.n[0],
            cases: panel.n[1],
            params: *params,
            drift,
            score,
            sources,
            outcomes: outcomes(self)?,
            alerts: alerts::measure(self.scorer, self.backtest, &now, params)?,
            decisions: None,
            verdict: Verdict::CannotTell,
            advice: String::new(),
        };
        Ok(report.concluded())
    }

    fn cohorts<'r>(&self, records: &'r Records, dates: &[AsOf]) -> Result<Vec<Cohort<'r>>, SpecError> {
        dates.iter().map(|&date| self.candidate.cohort().choose(&records.as_of(date))).collect()
    }
}

#[cfg(test)]
mod tests;
