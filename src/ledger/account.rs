//! The account that a service can give of itself: how many alerts, who looked, what they decided.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::{HashMap, HashSet};
use serde::Serialize;

use super::decisions::Judged;
use super::events::{CaseOpened, CaseScored, DecisionFacts, EntryKind, ModelFacts, RunFinished};
use super::groups::{GroupTallies, by_group};
use super::handle::Ledger;
use super::store::Filter;
use super::tally::{Listed, Tally};
use crate::calendar::{AsOf, Day};
use crate::error::LedgerError;
use crate::fairness::Protected;
use crate::review::WhyListed;
use crate::stats::Estimate;
use crate::words;

/// What became of alerts: counted, over the whole ledger and by run and group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// The day up to which it counts.
    pub on: Day,
    /// The one released model that it is of; `None`: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_model: Option<String>,
    /// Models that were released.
    pub models: Vec<ModelLine>,
    /// Runs that were started and did not end.
    pub unfinished_runs: u64,
    /// Runs that ended, in their order.
    pub runs: Vec<RunLine>,
    /// Cases listed for their rank, in the cohort or in their group, and what became of them.
    pub alerts: Tally,
    /// Cases listed at random, and what became of them.
    pub at_random: Tally,
    /// Lists of which no case was opened.
    pub lists_never_opened: u64,
    /// Alerts by group of each protected characteristic, where they were given.
    pub by_group: Vec<GroupTallies>,
    /// How alerts were judged by the reasons that people were shown (the three largest that raise), the most disagreed with first.
    /// A reason is left out where it, or all others together, would tell of fewer than `minimum_group` people: in all, or among
    /// those whose place was disagreed with or was not.
    pub by_reason: Vec<Judged>,
    /// How they were judged by the codes that people gave, likewise.
    pub by_code: Vec<Judged>,
    /// Of a group, no number of people under this is told, nor could it be worked out.
    pub minimum_group: u32,
    /// Answers to who asked about one person or family alone; they are no alerts.
    pub asked: u64,
    /// Corrections on record.
    pub corrections: u64,
    /// Purges on record.
    pub purges: u64,
}

/// A released model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelLine {
    /// Its digest.
    pub model: String,
    /// When it was signed for.
    pub released_on: Day,
    /// By whom.
    pub by: String,
    /// For what.
    pub purpose: String,
    /// The last day on which it may score without having been reviewed.
    pub review_by: Option<Day>,
    /// When it was taken out of use, if it was.
    pub retired_on: Option<Day>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunLine {
    /// Its id.
    pub run: String,
    /// The date scored for.
    pub as_of: AsOf,
    /// The day of the request.
    pub on: Day,
    /// Who asked.
    pub requested_by: String,
    /// Cases scored.
    pub scored: u64,
    /// Cases of the cohort that were not.
    pub not_scored: u64,
    /// Cases listed, for their rank or at random.
    pub listed: u64,
    /// Of these, how many somebody opened.
    pub opened: u64,
    /// Of these, about how many somebody decided.
    pub decided: u64,
    /// The last day on which the list can be used.
    pub expires: Day,
}

impl Ledger {
    /// The account up to and including a day. With `protected`, alerts are counted by group, too: of a group, no
    /// number of people under `minimum` is told, nor can it be worked out from what is told and from the totals.
    /// The totals name no group and are told whole.
    ///
    /// The intervals (Wilson) take cases as independent.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where the ledger does not [verify](Ledger::verify), others where it cannot be read.
    pub fn account(
        &self,
        protected: Option<&Protected>,
        minimum: u32,
        on: Day,
    ) -> Result<Account, LedgerError> {
        self.account_of(None, protected, minimum, on)
    }

    /// The same of the runs of one released model, by its [digest](crate::scoring::Scorer::digest), and of what became of
    /// their cases; corrections, purges and runs that did not end are of the whole ledger.
    ///
    /// # Errors
    /// As [`Ledger::account`].
    pub fn account_of_model(
        &self,
        model: &str,
        protected: Option<&Protected>,
        minimum: u32,
        on: Day,
    ) -> Result<Account, LedgerError> {
        self.account_of(Some(model), protected, minimum, on)
    }

    fn account_of(
        &self,
        model: Option<&str>,
        protected: Option<&Protected>,
        minimum: u32,
        on: Day,
    ) -> Result<Account, LedgerError> {
        self.check()?;
        let asked_for = |digest: &str| model.is_none_or(|model| model == digest);
        let mut finished: Vec<RunFinished> = Vec::new();
        let mut counted: HashSet<String> = HashSet::new();
        for entry in self.entries(&Filter::of(&[EntryKind::RunFinished]))? {
            let run: RunFinished = entry.facts_as()?;
            // A run that was asked for twice is one run.
            if entry.on() <= on && asked_for(&run.audit.model) && counted.insert(run.audit.run_id.clone()) {
                finished.push(run);
            }
        }
        let cases = self.listed_cases(&finished, on)?;
        let mut ended = HashSet::new();
        for entry in self.entries(&Filter::of(&[EntryKind::RunFinished]))? {
            ended.insert(entry.facts_as::<RunFinished>()?.started);
        }
        let mut unfinished_runs = 0;
        for entry in self.entries(&Filter::of(&[EntryKind::RunStarted]))? {
            unfinished_runs += u64::from(entry.on() <= on && !ended.contains(&entry.seq()));
        }
        let runs = run_lines(&finished, &cases);
        let of = |random: bool| {
            Tally::of(cases.values().filter(|case| (case.drawn == WhyListed::AtRandom) == random))
        };
        let count = |kind: EntryKind| -> Result<u64, LedgerError> {
            Ok(self
                .entries(&Filter::of(&[kind]).facts_only())?
                .iter()
                .filter(|entry| entry.on() <= on)
                .count() as u64)
        };
        let mut models = self.model_lines(on)?;
        models.retain(|line| asked_for(&line.model));
        Ok(Account {
            on,
            of_model: model.map(str::to_owned),
            models,
            unfinished_runs,
            lists_never_opened: runs.iter().filter(|run| run.opened == 0).count() as u64,
            runs,
            alerts: of(false),
            at_random: of(true),
            by_group: protected.map_or_else(Vec::new, |protected| by_group(&cases, protected, minimum)),
            by_reason: self.judged_by_reason(&cases, minimum)?,
            by_code: Judged::by_code(&cases, &finished, minimum),
            minimum_group: minimum,
            asked: count(EntryKind::CaseAsked)?,
            corrections: count(EntryKind::Correction)?,
            purges: count(EntryKind::Purge)?,
        })
    }

    fn listed_cases(&self, runs: &[RunFinished], on: Day) -> Result<BTreeMap<u64, Listed>, LedgerError> {
        let place_of: HashMap<&str, usize> =
            runs.iter().enumerate().map(|(place, run)| (run.audit.run_id.as_str(), place)).collect();
        let mut cases = BTreeMap::new();
        self.read(&Filter::of(&[EntryKind::CaseScored]), &mut |entry| {
            let run = entry.run().and_then(|run| place_of.get(run));
            let facts: CaseScored = entry.facts_as()?;
            if let (Some(&run), Some(drawn)) = (run, facts.drawn) {
                let listed = Listed {
                    entity: entry.content().and_then(|content| content.subject.clone()),
                    drawn,
                    run,
                    requested_on: entry.on(),
                    opened: false,
                    decision: None,
                };
                cases.insert(entry.seq(), listed);
            }
            Ok(())
        })?;
        self.read(&Filter::of(&[EntryKind::CaseOpened, EntryKind::Decision]), &mut |entry| {
            if entry.on() > on {
                return Ok(());
            }
            if entry.about() == Some(EntryKind::CaseOpened) {
                if let Some(case) = cases.get_mut(&entry.facts_as::<CaseOpened>()?.case) {
                    case.opened = true;
                }
            } else {
                let facts: DecisionFacts = entry.facts_as()?;
                if let Some(case) = cases.get_mut(&facts.case) {
                    case.decision = Some((entry.on(), facts));
                }
            }
            Ok(())
        })?;
        Ok(cases)
    }

    fn model_lines(&self, on: Day) -> Result<Vec<ModelLine>, LedgerError> {
        let mut lines: Vec<ModelLine> = Vec::new();
        for entry in self.entries(&Filter::of(&[EntryKind::ModelReleased, EntryKind::ModelRetired]))? {
            let facts: ModelFacts = entry.facts_as()?;
            if entry.on() > on {
                continue;
            }
            if entry.about() == Some(EntryKind::ModelReleased) {
                lines.push(ModelLine {
                    model: facts.model,
                    released_on: facts.signed_on.unwrap_or_else(|| entry.on()),
                    by: facts.by,
                    purpose: facts.purpose.unwrap_or_default(),
                    review_by: facts.review_by,
                    retired_on: None,
                });
            } else if let Some(line) = lines.iter_mut().find(|line| line.model == facts.model) {
                line.retired_on = Some(entry.on());
            }
        }
        Ok(lines)
    }
}

fn run_lines(finished: &[RunFinished], cases: &BTreeMap<u64, Listed>) -> Vec<RunLine> {
    let mut lines: Vec<RunLine> = finished
        .iter()
        .map(|run| RunLine {
            run: run.audit.run_id.clone(),
            as_of: run.audit.as_of,
            on: run.audit.requested_on,
            requested_by: run.audit.requested_by.clone(),
            scored: run.scored,
            not_scored: run.not_scored,
            listed: 0,
            opened: 0,
            decided: 0,
            expires: run.audit.expires,
        })
        .collect();
    for case in cases.values() {
        let line = &mut lines[case.run];
        line.listed += 1;
        line.opened += u64::from(case.opened);
        line.decided += u64::from(case.decision.is_some());
    }
    lines
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Account up to {}", self.on)?;
        for model in &self.models {
            let short = model.model.get(..12).unwrap_or(&model.model);
            write!(
                f,
                "Model {short}, released by {} on {} for: {}",
                model.by, model.released_on, model.purpose
            )?;
            if let Some(day) = model.review_by {
                write!(f, "; to be reviewed by {day}")?;
            }
            if let Some(day) = model.retired_on {
                write!(f, "; retired on {day}")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\n{}; {} of them never opened; {} started and not ended.",
            counted(self.runs.len() as u64, "list"),
            self.lists_never_opened,
            counted(self.unfinished_runs, "run")
        )?;
        writeln!(
            f,
            "\n  {:<16}  {:<10}  {:>7}  {:>7}  {:>7}  {:>7}",
            "run", "as of", "scored", "listed", "opened", "decided"
        )?;
        for run in &self.runs {
            let as_of = run.as_of.to_string();
            writeln!(
                f,
                "  {:<16}  {as_of:<10}  {:>7}  {:>7}  {:>7}  {:>7}",
                run.run, run.scored, run.listed, run.opened, run.decided
            )?;
        }
        writeln!(f, "\nAlerts (cases listed for their rank)")?;
        write_tally(f, &self.alerts)?;
        if self.at_random.listed > 0 {
            writeln!(f, "\nCases listed at random, for comparison")?;
            write_tally(f, &self.at_random)?;
        }
        write_judged(f, "How alerts were judged, by the reasons that led them", &self.by_reason)?;
        write_judged(f, "How alerts were judged, by the reason given", &self.by_code)?;
        for held in &self.by_group {
            writeln!(f, "\nAlerts by {}", held.characteristic)?;
            for tally in &held.groups {
                let listed = tally.listed.map_or_else(|| "-".to_owned(), |listed| listed.to_string());
                let [opened, decided, agreed, overridden] =
                    [&tally.opened, &tally.decided, &tally.agreement, &tally.override_rate]
                        .map(|share| shown(share.as_ref()));
                writeln!(
                    f,
                    "  {}: {listed} alerts; opened {opened}; decided {decided}; agreed {agreed}; overrode {overridden}",
                    tally.group
                )?;
            }
        }
        if !self.by_group.is_empty() {
            writeln!(
                f,
                "\"-\": withheld, because fewer than {} people would be told apart, or such a number could be worked out.",
                self.minimum_group
            )?;
        }
        writeln!(
            f,
            "\n{} about one person alone, {} and {} on record.",
            counted(self.asked, "answer"),
            counted(self.corrections, "correction"),
            counted(self.purges, "purge")
        )?;
        write!(f, "Brackets hold 95% intervals (Wilson); they take cases as independent.")
    }
}

fn write_judged(f: &mut fmt::Formatter<'_>, head: &str, all: &[Judged]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{head}")?;
    for judged in all {
        let mark = if judged.stands_out() { "; more than others: is that feature right?" } else { "" };
        let rate = shown_of(judged.override_rate.as_ref(), "decision");
        writeln!(f, "  {}: overrode {rate}{mark}", judged.reason)?;
    }
    Ok(())
}

/// `1 list`, `2 lists`.
fn counted(n: u64, what: &str) -> String {
    words::counted(n as usize, what, &format!("{what}s"))
}

fn shown(share: Option<&Estimate>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{} of {}", share.percent(), share.n))
}

fn shown_of(share: Option<&Estimate>, of: &str) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{} of {}", share.percent(), counted(share.n, of)))
}

fn write_tally(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    writeln!(f, "  listed {}, opened {}, decided {}", tally.listed, tally.opened, tally.decided)?;
    writeln!(f, "  opened: {}", shown_of(tally.opened_share.as_ref(), "case"))?;
    writeln!(
        f,
        "  next step: offer support {}, seek information {}, no action {}",
        tally.offer_support, tally.seek_information, tally.no_action
    )?;
    writeln!(f, "  agreed with the list: {}", shown_of(tally.agreement.as_ref(), "decision"))?;
    writeln!(f, "  overrode it: {}", shown_of(tally.override_rate.as_ref(), "decision"))?;
    match &tally.days_to_decide {
        None => writeln!(f, "  time to decide: no decision yet"),
        Some(days) => writeln!(
            f,
            "  time to decide: half within {} days, three quarters within {}, the longest {} ({})",
            days.median,
            days.three_quarters,
            days.longest,
            counted(days.n, "decision")
        ),
    }
}
