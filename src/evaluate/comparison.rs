//! Several trainers and the simple rules, on the same test cases; one is chosen by a rule that was written
//! down before.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::backtest::{Backtest, BacktestReport};
use super::figure::Figure;
use super::paired::PairedTest;
use super::performance::Performance;
use super::rules::{RuleReport, SimpleRule};
use crate::error::EvaluateError;
use crate::model::Candidate;
use crate::stats::Estimate;

/// How one of several models is chosen.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::{ChoiceRule, Figure};
///
/// let rule = ChoiceRule::default();
/// assert_eq!((rule.by, rule.margin), (Figure::AveragePrecision, 0.02));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChoiceRule {
    /// The figure that counts. The default is average precision: it is about the top of the ranking, which
    /// is all that a team reads.
    pub by: Figure,
    /// Models whose figure is within this share of the best are as good; of those the one with the fewest
    /// steps is chosen, since it is the easiest to read. The default, 0.02, is less than such a figure
    /// moves from one year to the next.
    pub margin: f64,
}

impl Default for ChoiceRule {
    fn default() -> Self {
        Self { by: Figure::AveragePrecision, margin: 0.02 }
    }
}

/// What a model has to reach for the project to count as a success, written down before any test.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::SuccessBar;
///
/// let bar: SuccessBar = serde_json::from_str(
///     r#"{ "figure": "precision_at_capacity", "better_than": "count_of_needs", "by": 0.05 }"#,
/// )?;
/// assert!(matches!(bar, SuccessBar::BetterThan { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, deny_unknown_fields)]
#[non_exhaustive]
pub enum SuccessBar {
    /// The figure reaches a value.
    #[serde(rename_all = "snake_case")]
    Reaches {
        /// The figure.
        figure: Figure,
        /// The least that counts as success (of a log loss: the most).
        reaches: f64,
    },
    /// The figure is better than a simple rule's by so much.
    #[serde(rename_all = "snake_case")]
    BetterThan {
        /// The figure.
        figure: Figure,
        /// The rule.
        better_than: SimpleRule,
        /// By how much, in the figure's own unit.
        by: f64,
    },
}

/// Whether a success bar was met. Not meeting it is a plain result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BarReport {
    /// The bar.
    pub bar: SuccessBar,
    /// What was found; `None` where it could not be measured, which does not meet the bar.
    pub found: Option<Estimate>,
    /// What it had to reach.
    pub wanted: Option<f64>,
    /// Whether it did.
    pub met: bool,
    /// Whether the whole interval lies on the better side: it would hardly have failed on other families.
    pub clearly: bool,
}

impl SuccessBar {
    /// Holds a backtest to the bar.
    #[must_use]
    pub fn check(&self, report: &BacktestReport) -> BarReport {
        let (figure, wanted) = match *self {
            Self::Reaches { figure, reaches } => (figure, Some(reaches)),
            Self::BetterThan { figure, better_than, by } => {
                let rule = report.rules.iter().find(|held| held.rule == better_than);
                let least = rule.and_then(|rule| figure.of(&rule.performance));
                (figure, least.map(|least| least.value + figure.rising(by)))
            }
        };
        let found = figure.of(&report.overall);
        let reaches = |value: f64| wanted.is_some_and(|wanted| figure.rising(value) >= figure.rising(wanted));
        let worst = |found: &Estimate| {
            if figure == Figure::LogLoss { found.interval.high } else { found.interval.low }
        };
        BarReport {
            bar: *self,
            found,
            wanted,
            met: found.is_some_and(|found| reaches(found.value)),
            clearly: found.is_some_and(|found| reaches(worst(&found))),
        }
    }
}

/// One trainer's model in a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entrant {
    /// The trainer.
    pub trainer: String,
    /// The candidate's digest.
    pub candidate: String,
    /// Terms, pairs included.
    pub terms: u64,
    /// Pairs.
    pub pairs: u64,
    /// Figures that one would have to read to know the whole model.
    pub figures: u64,
    /// CPU seconds of training on all dates, with refits, where the caller has a clock.
    pub cpu_seconds: Option<f64>,
    /// The backtest's figures over all test cases.
    pub overall: Performance,
    /// Whether chances pass their own check: see [`BacktestReport::is_calibrated`].
    pub calibrated: bool,
}

impl Entrant {
    /// A trained candidate and its backtest.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where the backtest is of another candidate.
    pub fn new(
        candidate: &Candidate,
        backtest: &Backtest,
        cpu_seconds: Option<f64>,
    ) -> Result<Self, EvaluateError> {
        if backtest.candidate() != candidate.digest() {
            return Err(EvaluateError::Plan("the backtest is of another candidate".into()));
        }
        let terms = candidate.model().terms();
        Ok(Self {
            trainer: candidate.trainer().name().to_owned(),
            candidate: candidate.digest().to_owned(),
            terms: terms.len() as u64,
            pairs: terms.iter().filter(|term| term.on.len() == 2).count() as u64,
            figures: candidate.model().size() as u64,
            cpu_seconds,
            overall: backtest.report().overall.clone(),
            calibrated: backtest.report().is_calibrated(),
        })
    }
}

/// Trainers and simple rules side by side, and the choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelComparison {
    /// The rule that the choice was made by.
    pub rule: ChoiceRule,
    /// The models.
    pub entrants: Vec<Entrant>,
    /// The simple rules on the same cases.
    pub rules: Vec<RuleReport>,
    /// The place of the chosen one among the entrants.
    pub chosen: usize,
    /// How every other model differs from the chosen one on the same cases, by its trainer: see
    /// [`ModelComparison::paired`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<(String, PairedTest)>,
}

impl ModelComparison {
    /// Compares models that were tested on the same cases.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where there is none, they were not tested on the same cases, or the figure
    /// that counts could not be measured for any.
    pub fn new(
        entrants: Vec<Entrant>,
        rules: Vec<RuleReport>,
        rule: ChoiceRule,
    ) -> Result<Self, EvaluateError> {
        let wrong = |why: &str| EvaluateError::Plan(why.to_owned());
        let first = entrants.first().ok_or_else(|| wrong("there is no model to compare"))?;
        let cases = |entrant: &Entrant| (entrant.overall.n, entrant.overall.positives);
        if entrants.iter().any(|entrant| cases(entrant) != cases(first)) {
            return Err(wrong("the models were not tested on the same cases"));
        }
        if !(rule.margin.is_finite() && rule.margin >= 0.0) {
            return Err(wrong("the margin of the choice must be 0 or more"));
        }
        let figure =
            |entrant: &Entrant| rule.by.of(&entrant.overall).map(|found| rule.by.rising(found.value));
        let best = entrants.iter().filter_map(figure).fold(f64::NEG_INFINITY, f64::max);
        let as_good =
            |entrant: &Entrant| figure(entrant).is_some_and(|found| found >= best - rule.margin * best.abs());
        let chosen = (0..entrants.len())
            .filter(|&place| as_good(&entrants[place]))
            .min_by_key(|&place| (entrants[place].figures, place))
            .ok_or_else(|| wrong("the figure that the choice is made by could not be measured"))?;
        Ok(Self { rule, entrants, rules, chosen, differences: Vec::new() })
    }

    /// With the differences from the chosen model, measured case by case: the cases are the same, so a difference is
    /// surer than two intervals side by side suggest. One backtest per entrant, in their order.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where a backtest is of another candidate, or of other cases.
    pub fn paired(mut self, backtests: &[&Backtest]) -> Result<Self, EvaluateError> {
        let theirs = backtests.iter().map(|backtest| backtest.candidate());
        if !theirs.eq(self.entrants.iter().map(|entrant| entrant.candidate.as_str())) {
            return Err(EvaluateError::Plan("the backtests are of other candidates".into()));
        }
        let chosen = backtests[self.chosen];
        self.differences = self
            .entrants
            .iter()
            .zip(backtests)
            .enumerate()
            .filter(|&(place, _)| place != self.chosen)
            .map(|(_, (entrant, backtest))| Ok((entrant.trainer.clone(), PairedTest::of(chosen, backtest)?)))
            .collect::<Result<_, EvaluateError>>()?;
        Ok(self)
    }

    /// The chosen model.
    #[must_use]
    pub fn choice(&self) -> &Entrant {
        &self.entrants[self.chosen]
    }

    /// The table as comma-separated values: a line for each model and each rule, with the ends of the
    /// intervals.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::from("model,chosen,terms,pairs,figures,cpu_seconds,calibrated");
        for figure in SHOWN {
            let name = figure.words().replace(' ', "_");
            text.push_str(&format!(",{name},{name}_low,{name}_high"));
        }
        text.push('\n');
        let figures = |performance: &Performance| -> String {
            SHOWN
                .iter()
                .map(|figure| match figure.of(performance) {
                    Some(found) => {
                        format!(",{:.6},{:.6},{:.6}", found.value, found.interval.low, found.interval.high)
                    }
                    None => ",,,".to_owned(),
                })
                .collect()
        };
        for (place, entrant) in self.entrants.iter().enumerate() {
            text.push_str(&format!(
                "{},{},{},{},{},{},{}{}\n",
                entrant.trainer,
                place == self.chosen,
                entrant.terms,
                entrant.pairs,
                entrant.figures,
                entrant.cpu_seconds.map_or_else(String::new, |seconds| format!("{seconds:.2}")),
                entrant.calibrated,
                figures(&entrant.overall)
            ));
        }
        for rule in &self.rules {
            text.push_str(&format!("{},,,,,,{}\n", rule.rule.words(), figures(&rule.performance)));
        }
        text
    }
}

const SHOWN: [Figure; 4] =
    [Figure::Auc, Figure::AveragePrecision, Figure::PrecisionAtCapacity, Figure::LogLoss];

impl fmt::Display for ModelComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<34}", "")?;
        for figure in SHOWN {
            write!(f, " {:<21}", figure.words())?;
        }
        writeln!(f, " {:>5} {:>7} {:>7}", "terms", "figures", "CPU s")?;
        let figures = |f: &mut fmt::Formatter<'_>, performance: &Performance| -> fmt::Result {
            for figure in SHOWN {
                let shown = figure.of(performance).map_or_else(
                    || "-".to_owned(),
                    |e| format!("{:.4} ({:.4}-{:.4})", e.value, e.interval.low, e.interval.high),
                );
                write!(f, " {shown:<21}")?;
            }
            Ok(())
        };
        for (place, entrant) in self.entrants.iter().enumerate() {
            let mark = if place == self.chosen { "*" } else { " " };
            write!(f, "{mark} {:<34}", entrant.trainer)?;
            figures(f, &entrant.overall)?;
            let seconds =
                entrant.cpu_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
            writeln!(f, " {:>5} {:>7} {seconds:>7}", entrant.terms, entrant.figures)?;
        }
        for rule in &self.rules {
            write!(f, "  {:<34}", rule.rule.words())?;
            figures(f, &rule.performance)?;
            writeln!(f)?;
        }
        writeln!(
            f,
            "* chosen: of the models within {:.0}% of the best {}, the one with the fewest figures.",
            100.0 * self.rule.margin,
            self.rule.by.words()
        )?;
        let chosen = &self.choice().trainer;
        for (trainer, test) in &self.differences {
            writeln!(
                f,
                "\n{trainer} (second) minus {chosen} (first), on the same cases; * clear of no difference:"
            )?;
            write!(f, "{test}")?;
        }
        Ok(())
    }
}

impl fmt::Display for BarReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (figure, aim) = match self.bar {
            SuccessBar::Reaches { figure, reaches } => (figure, format!("{reaches}")),
            SuccessBar::BetterThan { figure, better_than, by } => {
                (figure, format!("{by} better than {}", better_than.words()))
            }
        };
        let found = self.found.map_or_else(
            || "it could not be measured".to_owned(),
            |e| format!("found {:.4} ({:.4} to {:.4})", e.value, e.interval.low, e.interval.high),
        );
        let wanted = self.wanted.map_or_else(String::new, |wanted| format!(" (that is {wanted:.4})"));
        let verdict = match (self.met, self.clearly) {
            (true, true) => "met, with the whole interval beyond it",
            (true, false) => "met, and the interval reaches below it",
            (false, _) => "NOT met",
        };
        writeln!(f, "Success bar: {} {aim}{wanted}: {verdict}; {found}.", figure.words())
    }
}
