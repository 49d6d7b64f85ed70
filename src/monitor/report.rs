//! The whole report, and how it reads.

use std::fmt;

use serde::Serialize;

use super::alerts::Alerts;
use super::decisions::DecisionsSeen;
use super::drift::{FeatureDrift, ScoreDrift};
use super::outcomes::{Outcomes, WatchedFigure};
use super::params::MonitorParams;
use super::shift::Shift;
use super::sources::SourceHealth;
use super::verdict::Verdict;
use crate::calendar::AsOf;
use crate::evaluate::{Estimate, Interval};
use crate::ledger::{Account, Judged};
use crate::records::SourceChange;
use crate::words;

/// What was found when a model was held against what it is used on now. It is something to read: nothing in
/// it, and nothing in the crate, switches anything off.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MonitorReport {
    /// The digest of the candidate in the model.
    pub candidate: String,
    /// The date that is called "now".
    pub as_of: AsOf,
    /// The training dates, whose cohorts are called "training". Features are computed anew from today's
    /// extracts, as known on each date.
    pub training: Vec<AsOf>,
    /// Cases in training's cohorts.
    pub training_cases: u64,
    /// Cases now.
    pub cases: u64,
    /// Limits and settings.
    pub params: MonitorParams,
    /// Every feature, those that the model leans on most first.
    pub drift: Vec<FeatureDrift>,
    /// The score.
    pub score: ScoreDrift,
    /// Every source, by name.
    pub sources: Vec<SourceHealth>,
    /// What became of the cases.
    pub outcomes: Outcomes,
    /// Lists, and cases without a score.
    pub alerts: Alerts,
    /// What was decided about the model's cases, where a ledger [was looked at](MonitorReport::with_decisions).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<DecisionsSeen>,
    /// The verdict on all of it: the highest of all verdicts, but those on features of little weight
    /// ([`FeatureDrift::counts`]).
    pub verdict: Verdict,
    /// What to do about it, in a sentence or two.
    pub advice: String,
}

/// A verdict and what it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is on: `feature NAME`, `source NAME: volume`, `source NAME: as at training` (whether the source is still
    /// what the model file says it was), `source NAME: past` (whether it still says of the training
    /// dates what it said when the model was trained), and so on.
    pub about: String,
    /// The verdict.
    pub verdict: Verdict,
}

impl MonitorReport {
    /// The report with what was decided about the model's cases as well: give it the account of
    /// [this model](crate::ledger::Ledger::account_of_model).
    #[must_use]
    pub fn with_decisions(mut self, account: &Account) -> Self {
        self.decisions = Some(DecisionsSeen::of(account, &self.params.limits));
        self.concluded()
    }

    /// Every verdict in the report, in its order.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let finding = |about: String, verdict: Verdict| Finding { about, verdict };
        let mut all = vec![
            finding("score".to_owned(), self.score.shift.verdict),
            finding("cases over the cut".to_owned(), self.score.verdict),
        ];
        all.extend(
            self.drift.iter().map(|drift| finding(format!("feature {}", drift.feature), drift.shift.verdict)),
        );
        for held in &self.sources {
            let mut add =
                |what: &str, verdict| all.push(finding(format!("source {}: {what}", held.source), verdict));
            add("volume", held.volume.verdict);
            if let Some(coverage) = &held.coverage {
                add("coverage", coverage.verdict);
            }
            add("freshness", held.freshness.verdict);
            if let Some(same) = held.past_as_trained {
                add("past", if same { Verdict::Within } else { Verdict::CannotTell });
            }
            if let Some(changes) = &held.changes {
                let verdict = if changes.is_empty() { Verdict::Within } else { Verdict::Beyond };
                add("as at training", verdict);
            }
        }
        let figures = self.outcomes.figures.iter();
        all.extend(figures.map(|figure| finding(figure.figure.words().to_owned(), figure.verdict)));
        all.push(finding("cases without a score".to_owned(), self.alerts.verdict));
        if let Some(decisions) = &self.decisions {
            if decisions.reasons.is_empty() {
                all.push(finding("disagreement by reason".to_owned(), decisions.verdict));
            }
            all.extend(decisions.reasons.iter().map(|reason| {
                finding(format!("disagreement with reason \"{}\"", reason.judged.reason), reason.verdict)
            }));
        }
        all
    }

    /// What is beyond its limit, features of little weight among it.
    #[must_use]
    pub fn beyond(&self) -> Vec<String> {
        about(&self.findings(), Verdict::Beyond)
    }

    /// What sources are not what they were at training in, source by source.
    fn changes(&self) -> impl Iterator<Item = &SourceChange> {
        self.sources.iter().flat_map(|held| held.changes.iter().flatten())
    }

    /// The findings that set the verdict, and those on features of little weight.
    pub(crate) fn deciding(&self) -> (Vec<Finding>, Vec<Finding>) {
        let minor = self.drift.iter().filter(|drift| !drift.counts());
        let minor: Vec<String> = minor.map(|drift| format!("feature {}", drift.feature)).collect();
        self.findings().into_iter().partition(|found| !minor.contains(&found.about))
    }

    /// Sources that say of the training dates something else than they did when the model was trained.
    fn changed_past(&self) -> Vec<String> {
        let changed = self.sources.iter().filter(|held| held.past_as_trained == Some(false));
        changed.map(|held| held.source.clone()).collect()
    }

    /// Gives the report its verdict and the advice that goes with it.
    pub(super) fn concluded(mut self) -> Self {
        let (findings, minor) = self.deciding();
        self.verdict = findings.iter().map(|found| found.verdict).max().unwrap_or(Verdict::CannotTell);
        let unsure = about(&findings, Verdict::CannotTell);
        self.advice = match self.verdict {
            Verdict::Beyond => format!(
                "Beyond its limit: {}. Before the next list is used, the person who signed for the model should \
                 find out why: first whether an extract is late, cut short or changed in form, then whether \
                 families or the service have changed. If it is not mended at the source, train and release anew.",
                some_of(&about(&findings, Verdict::Beyond))
            ),
            Verdict::CannotTell => format!(
                "Nothing is known to be beyond its limit, but {} of {} checks could not be told, which is not the \
                 same as right: {}. Keep using the model with that in mind, and look again when there are more \
                 cases or more outcomes are known.",
                unsure.len(),
                findings.len(),
                some_of(&unsure)
            ),
            Verdict::Within => format!(
                "All {} checks are within their limits. Nothing needs to be done; look again with the next extract.",
                findings.len()
            ),
        };
        let changed = self.changed_past();
        if !changed.is_empty() {
            self.advice.push_str(&format!(
                " What these sources say of the training dates is not what the model was trained on: {}. What is \
                 called training here is as today's extracts have it.",
                changed.join(", ")
            ));
        }
        let minor = about(&minor, Verdict::Beyond);
        if !minor.is_empty() {
            self.advice.push_str(&format!(
                " Beyond its limit but under {} of the model's weight, so without part in this verdict: {}.",
                percent(FeatureDrift::LEAST_IMPORTANCE),
                some_of(&minor)
            ));
        }
        self
    }
}

/// What has this verdict.
fn about(findings: &[Finding], verdict: Verdict) -> Vec<String> {
    findings.iter().filter(|found| found.verdict == verdict).map(|found| found.about.clone()).collect()
}

/// The first few of a list, and how many more there are.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if names.len() > SHOWN {
        text.push_str(&format!("; and {} more", names.len() - SHOWN));
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn optional<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), words)
}

/// `1.04 (0.98 to 1.10)`
fn times(ratio: Estimate) -> String {
    let end = |value: f64| if value > 1e6 { "no end".to_owned() } else { format!("{value:.2}") };
    let Interval { low, high } = ratio.interval;
    format!("{} ({} to {})", end(ratio.value), end(low), end(high))
}

impl fmt::Display for MonitorReport {
    /// A text of a page or two for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dates: Vec<String> = self.training.iter().map(ToString::to_string).collect();
        writeln!(f, "Model {} as of {}", self.candidate.get(..12).unwrap_or(&self.candidate), self.as_of)?;
        writeln!(
            f,
            "{} cases now, beside {} in training ({})\n",
            self.cases,
            self.training_cases,
            dates.join(", ")
        )?;
        writeln!(f, "VERDICT: {}. {}\n", self.verdict, self.advice)?;
        self.write_score(f)?;
        self.write_features(f)?;
        self.write_sources(f)?;
        self.write_outcomes(f)?;
        self.write_alerts(f)?;
        self.write_decisions(f)?;
        write!(
            f,
            "Brackets hold 95% intervals, with families as the unit (of decisions: each by itself). \"cannot tell\" means that the interval \
             holds values on both sides of the limit, or that there is nothing to compare."
        )
    }
}

impl MonitorReport {
    fn write_score(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScoreDrift { shift, reached_in_training, reached_now, ratio, limit, verdict, .. } = &self.score;
        writeln!(f, "Score")?;
        writeln!(
            f,
            "  stability index {:.3} ({}), {:.3} of it expected by chance; limit {}: {}",
            shift.psi,
            optional(shift.interval, |i| format!("{:.3} to {:.3} without chance", i.low, i.high)),
            shift.psi_by_chance,
            shift.limit,
            shift.verdict
        )?;
        writeln!(
            f,
            "  distance {:.3} ({}), adjusted p {}",
            shift.distance,
            optional(shift.distance_interval, |i| format!("{:.3} to {:.3}", i.low, i.high)),
            optional(shift.p_value, |p| format!("{p:.4}"))
        )?;
        writeln!(
            f,
            "  {} of cases reach the score that was the cut of the lists in training, {} there: {} times as many; \
             limit {limit} times: {verdict}\n",
            percent(*reached_now),
            percent(*reached_in_training),
            optional(*ratio, times)
        )
    }

    fn write_features(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Features (stability index without the part that chance adds; limit {}; those under {} of the weight do \
             not set the verdict above)",
            self.params.limits.feature_psi,
            percent(FeatureDrift::LEAST_IMPORTANCE)
        )?;
        writeln!(
            f,
            "  {:<44} {:>6}  {:<24} {:<24} {:>7}  verdict",
            "", "weight", "index", "distance", "adj. p"
        )?;
        for drift in &self.drift {
            let Shift { psi, psi_by_chance, interval, distance, distance_interval, p_value, verdict, .. } =
                &drift.shift;
            let ends = |interval: &Option<Interval>| {
                optional(*interval, |i| format!("({:.3} to {:.3})", i.low, i.high))
            };
            writeln!(
                f,
                "  {:<44} {:>6}  {:<24} {:<24} {:>7}  {verdict}",
                drift.feature,
                percent(drift.importance),
                format!("{:.3} {}", (psi - psi_by_chance).max(0.0), ends(interval)),
                format!("{distance:.3} {}", ends(distance_interval)),
                optional(*p_value, |p| format!("{p:.4}")),
            )?;
        }
        writeln!(f)
    }

    fn write_sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = &self.params.limits;
        writeln!(
            f,
            "Sources (rows per case and household known in {} days: limit {} times; cases covered: limit {} fewer)",
            self.params.volume_days,
            limits.volume_ratio,
            percent(limits.coverage_fall)
        )?;
        writeln!(
            f,
            "  {:<16} {:>8} {:>8}  {:<26} {:<12} {:>8} {:>8}  {:<12} {:<10} {:<10} verdict",
            "",
            "training",
            "now",
            "times as many",
            "verdict",
            "covered",
            "now",
            "verdict",
            "covers to",
            "last row"
        )?;
        for held in &self.sources {
            let day = |day: Option<crate::calendar::Day>| optional(day, |day| day.to_string());
            let rate = |rate: Option<f64>| optional(rate, |rate| format!("{rate:.3}"));
            let coverage = held.coverage.as_ref();
            writeln!(
                f,
                "  {:<16} {:>8} {:>8}  {:<26} {:<12} {:>8} {:>8}  {:<12} {:<10} {:<10} {}",
                held.source,
                rate(held.volume.training),
                rate(held.volume.now),
                optional(held.volume.ratio, times),
                held.volume.verdict,
                optional(coverage, |coverage| percent(coverage.training)),
                optional(coverage, |coverage| percent(coverage.now)),
                optional(coverage, |coverage| coverage.verdict.to_string()),
                day(held.freshness.covers_to),
                day(held.freshness.last_record),
                held.freshness.verdict
            )?;
        }
        for change in self.changes() {
            writeln!(
                f,
                "  {} is not what it was when the model was trained: {}.",
                change.source, change.words
            )?;
        }
        if self.sources.iter().all(|held| held.changes.is_none()) {
            writeln!(
                f,
                "  The model file does not say what the sources were when the model was trained: whether one was emptied, \
                 cut short or left blank since is told only as far as the figures above go. Training it again keeps that."
            )?;
        }
        let changed = self.changed_past();
        if !changed.is_empty() {
            writeln!(
                f,
                "  These say of the training dates something else than they did when the model was trained: {}.",
                changed.join(", ")
            )?;
        }
        writeln!(f)
    }

    fn write_outcomes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dates: Vec<String> = self.outcomes.dates.iter().map(ToString::to_string).collect();
        match &self.outcomes.performance {
            None => writeln!(
                f,
                "Outcomes: cannot tell. No date after the last outcome that training saw is followed up yet."
            )?,
            Some(performance) => writeln!(
                f,
                "Outcomes of {} cases of {} families at {} (the model did not learn from these outcomes)",
                performance.n,
                performance.families,
                dates.join(", ")
            )?,
        }
        if self.outcomes.performance.is_some() {
            writeln!(f, "  {:<26} {:<26} {:<26} {:<28} verdict", "", "backtest", "now", "difference")?;
            for figure in &self.outcomes.figures {
                let shown = |estimate: Option<Estimate>| optional(estimate, |estimate| estimate.to_string());
                writeln!(
                    f,
                    "  {:<26} {:<26} {:<26} {:<28} {} ({})",
                    figure.figure.words(),
                    shown(figure.backtest),
                    shown(figure.now),
                    shown(figure.difference),
                    figure.verdict,
                    allowed(figure.figure, figure.allowed)
                )?;
            }
        }
        writeln!(f)
    }

    fn write_alerts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alerts = &self.alerts;
        writeln!(
            f,
            "Lists: {} of {} cases at the model's capacity. Without a score: {}; limit {}: {}",
            alerts.listed,
            alerts.cohort,
            optional(alerts.share_not_scored, |share| share.percent()),
            percent(alerts.limit),
            alerts.verdict
        )?;
        if let Some(why) = &alerts.why {
            writeln!(f, "  cases without a score were not counted: {why}")?;
        }
        for count in alerts.not_scored.iter().flatten() {
            writeln!(f, "  {}: {}", count.cases, count.reason)?;
        }
        writeln!(f)
    }

    fn write_decisions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seen) = &self.decisions else { return Ok(()) };
        if seen.lists == 0 {
            return writeln!(
                f,
                "Decisions: the ledger holds no list of this model up to {}\n",
                words::date(seen.on)
            );
        }
        let rate = optional(seen.alerts.override_rate, |rate| rate.percent());
        writeln!(
            f,
            "Decisions up to {}: {} listed on {}, {} opened, {} decided; disagreed with the list in {rate} of decisions",
            words::date(seen.on),
            words::counted(seen.alerts.listed as usize, "case", "cases"),
            words::counted(seen.lists as usize, "list", "lists"),
            seen.alerts.opened,
            seen.alerts.decided
        )?;
        writeln!(
            f,
            "  by the reasons shown first (limit {} more than of all other decisions):",
            percent(seen.limit)
        )?;
        for reason in &seen.reasons {
            write_judged(f, &reason.judged)?;
            let more = optional(reason.judged.difference, |difference| difference.percent());
            writeln!(f, ", {more} more: {}", reason.verdict)?;
        }
        if seen.reasons.is_empty() {
            writeln!(
                f,
                "  cannot tell: of no reason can it be told without telling of fewer than {} people",
                seen.minimum_group
            )?;
        }
        if !seen.by_code.is_empty() {
            writeln!(f, "  by the reason given:")?;
        }
        for judged in &seen.by_code {
            write_judged(f, judged)?;
            writeln!(f)?;
        }
        for held in &seen.by_group {
            writeln!(f, "  by {}:", held.characteristic)?;
            for group in &held.groups {
                let rate = optional(group.override_rate, |rate| format!("{} of {}", rate.percent(), rate.n));
                writeln!(f, "  {}: disagreed in {rate}", group.group)?;
            }
        }
        writeln!(f)
    }
}

/// `disagreed in 40.0% (…) of 25 decisions`
fn write_judged(f: &mut fmt::Formatter<'_>, judged: &Judged) -> fmt::Result {
    let rate = optional(judged.override_rate, |rate| rate.percent());
    write!(f, "  {}: disagreed in {rate} of {}", judged.reason, counted_decisions(judged.decided))
}

fn counted_decisions(n: u64) -> String {
    words::counted(n as usize, "decision", "decisions")
}

/// The limit of a figure in words.
fn allowed(figure: WatchedFigure, allowed: Interval) -> String {
    match figure {
        WatchedFigure::Auc | WatchedFigure::AveragePrecision | WatchedFigure::PrecisionAtCapacity => {
            format!("limit {:.3}", allowed.low)
        }
        _ => format!("limit ±{:.3}", allowed.high),
    }
}
