//! The account that a service can give of itself: how many alerts, who looked, what they decided.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::events::{CaseOpened, CaseScored, DecisionFacts, Kind, ModelFacts, RunFinished};
use super::{Filter, Ledger, LedgerError};
use crate::calendar::{AsOf, Day};
use crate::fairness::Protected;
use crate::fairness::audit::{UNKNOWN, held_back};
use crate::review::{Agreement, Step, WhyListed};
use crate::stats::{Estimate, wilson};

/// What became of alerts: counted, over the whole ledger and by run and group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The day up to which it counts.
    pub on: Day,
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
    /// Corrections on record.
    pub corrections: u64,
    /// Purges on record.
    pub purges: u64,
}

/// A released model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// What became of listed cases. A case that several people opened or decided about counts once, with its
/// last decision.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Listed cases.
    pub listed: u64,
    /// Opened by somebody.
    pub opened: u64,
    /// Decided about by somebody.
    pub decided: u64,
    /// Support was to be offered.
    pub offer_support: u64,
    /// More was to be found out first.
    pub seek_information: u64,
    /// Nothing was to be done.
    pub no_action: u64,
    /// The share of listed cases that were opened.
    pub opened_share: Option<Estimate>,
    /// The share of decisions that agree with the case's place on the list.
    pub agreement: Option<Estimate>,
    /// The share of decisions that disagree with it: the override rate. The rest could not tell.
    pub override_rate: Option<Estimate>,
    /// Days from the request of the list to the last decision about a case.
    pub days_to_decide: Option<Days>,
}

/// How long something took, in whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// A quarter took no longer than this.
    pub quarter: i32,
    /// Half took no longer than this.
    pub median: i32,
    /// Three quarters took no longer than this.
    pub three_quarters: i32,
    /// Nothing took longer than this.
    pub longest: i32,
    /// How many were measured.
    pub n: u64,
}

/// Alerts by group of one characteristic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTallies {
    /// The characteristic.
    pub characteristic: String,
    /// Its groups by name; `None` where a group has too few alerts to be shown, or could be worked out from
    /// one that has.
    pub groups: Vec<(String, Option<Tally>)>,
}

/// A listed case and what became of it.
struct Listed {
    entity: Option<String>,
    drawn: WhyListed,
    run: usize,
    requested_on: Day,
    opened: bool,
    decision: Option<(Day, DecisionFacts)>,
}

impl Ledger {
    /// The account up to and including a day. With `protected`, alerts are counted by group, too; groups of
    /// fewer than `minimum` alerts are held back, and so is what they could be worked out from.
    ///
    /// The intervals (Wilson) take cases as independent.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub fn account(
        &self,
        protected: Option<&Protected>,
        minimum: u32,
        on: Day,
    ) -> Result<Account, LedgerError> {
        let mut finished: Vec<RunFinished> = Vec::new();
        let mut counted: HashSet<String> = HashSet::new();
        for entry in self.entries(&Filter::of(&[Kind::RunFinished]))? {
            let run: RunFinished = entry.facts_as()?;
            // A run that was asked for twice is one run.
            if entry.on() <= on && counted.insert(run.audit.run_id.clone()) {
                finished.push(run);
            }
        }
        let cases = self.listed_cases(&finished, on)?;
        let mut ended = HashSet::new();
        for entry in self.entries(&Filter::of(&[Kind::RunFinished]))? {
            ended.insert(entry.facts_as::<RunFinished>()?.started);
        }
        let mut unfinished_runs = 0;
        for entry in self.entries(&Filter::of(&[Kind::RunStarted]))? {
            unfinished_runs += u64::from(entry.on() <= on && !ended.contains(&entry.seq()));
        }
        let runs = run_lines(&finished, &cases);
        let of = |random: bool| {
            Tally::of(cases.values().filter(|case| (case.drawn == WhyListed::AtRandom) == random))
        };
        let count = |kind: Kind| -> Result<u64, LedgerError> {
            Ok(self.entries(&Filter::of(&[kind]))?.iter().filter(|entry| entry.on() <= on).count() as u64)
        };
        Ok(Account {
            on,
            models: self.model_lines(on)?,
            unfinished_runs,
            lists_never_opened: runs.iter().filter(|run| run.opened == 0).count() as u64,
            runs,
            alerts: of(false),
            at_random: of(true),
            by_group: protected.map_or_else(Vec::new, |protected| by_group(&cases, protected, minimum)),
            corrections: count(Kind::Correction)?,
            purges: count(Kind::Purge)?,
        })
    }

    fn listed_cases(&self, runs: &[RunFinished], on: Day) -> Result<BTreeMap<u64, Listed>, LedgerError> {
        let place_of: HashMap<&str, usize> =
            runs.iter().enumerate().map(|(place, run)| (run.audit.run_id.as_str(), place)).collect();
        let mut cases = BTreeMap::new();
        self.read(&Filter::of(&[Kind::CaseScored]), &mut |entry| {
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
        self.read(&Filter::of(&[Kind::CaseOpened, Kind::Decision]), &mut |entry| {
            if entry.on() > on {
                return Ok(());
            }
            if entry.about() == Some(Kind::CaseOpened) {
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
        for entry in self.entries(&Filter::of(&[Kind::ModelReleased, Kind::ModelRetired]))? {
            let facts: ModelFacts = entry.facts_as()?;
            if entry.on() > on {
                continue;
            }
            if entry.about() == Some(Kind::ModelReleased) {
                lines.push(ModelLine {
                    model: facts.model,
                    released_on: entry.on(),
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

fn by_group(cases: &BTreeMap<u64, Listed>, protected: &Protected, minimum: u32) -> Vec<GroupTallies> {
    let tallies = |(nth, name): (usize, &String)| {
        let mut groups: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for case in cases.values().filter(|case| case.drawn != WhyListed::AtRandom) {
            let entity = case.entity.as_deref();
            let group = entity.and_then(|entity| protected.group(nth, entity)).unwrap_or(UNKNOWN);
            groups.entry(group).or_default().push(case);
        }
        let sizes: Vec<u64> = groups.values().map(|cases| cases.len() as u64).collect();
        let held = held_back(&sizes, u64::from(minimum));
        let hidden = held.iter().filter(|&&held| held).count();
        let shown = groups.into_iter().zip(held).filter(|(_, held)| !held);
        let mut groups: Vec<(String, Option<Tally>)> =
            shown.map(|((group, cases), _)| (group.to_owned(), Some(Tally::of(cases.into_iter())))).collect();
        if hidden > 0 {
            groups.push((format!("{hidden} further groups"), None));
        }
        GroupTallies { characteristic: name.clone(), groups }
    };
    protected.held().iter().enumerate().map(tallies).collect()
}

impl Tally {
    fn of<'c>(cases: impl Iterator<Item = &'c Listed>) -> Self {
        let mut tally = Self::default();
        let (mut agree, mut disagree) = (0, 0);
        let mut days = Vec::new();
        for case in cases {
            tally.listed += 1;
            tally.opened += u64::from(case.opened);
            let Some((decided_on, facts)) = &case.decision else { continue };
            tally.decided += 1;
            days.push(*decided_on - case.requested_on);
            match facts.step {
                Step::OfferSupport => tally.offer_support += 1,
                Step::SeekInformation => tally.seek_information += 1,
                Step::NoAction => tally.no_action += 1,
            }
            match facts.agreement {
                Agreement::Agree => agree += 1,
                Agreement::Disagree => disagree += 1,
                Agreement::CannotTell => {}
            }
        }
        tally.opened_share = wilson(tally.opened, tally.listed);
        tally.agreement = wilson(agree, tally.decided);
        tally.override_rate = wilson(disagree, tally.decided);
        tally.days_to_decide = Days::of(days);
        tally
    }
}

impl Days {
    fn of(mut days: Vec<i32>) -> Option<Self> {
        days.sort_unstable();
        let longest = *days.last()?;
        // The smallest number of days that at least the share took no longer than.
        let within = |quarters: usize| days[(days.len() * quarters).div_ceil(4).max(1) - 1];
        let n = days.len() as u64;
        Some(Self { quarter: within(1), median: within(2), three_quarters: within(3), longest, n })
    }
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
            "\n{} lists; {} of them never opened; {} runs were started and did not end.",
            self.runs.len(),
            self.lists_never_opened,
            self.unfinished_runs
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
        for held in &self.by_group {
            writeln!(f, "\nAlerts by {}", held.characteristic)?;
            for (group, tally) in &held.groups {
                match tally {
                    None => writeln!(f, "  {group}: held back, too few")?,
                    Some(tally) => writeln!(
                        f,
                        "  {group}: {} alerts; opened {}; agreement {}; overridden {}",
                        tally.listed,
                        shown(tally.opened_share.as_ref()),
                        shown(tally.agreement.as_ref()),
                        shown(tally.override_rate.as_ref())
                    )?,
                }
            }
        }
        writeln!(f, "\n{} corrections and {} purges on record.", self.corrections, self.purges)?;
        write!(f, "Brackets hold 95% intervals (Wilson); they take cases as independent.")
    }
}

fn shown(share: Option<&Estimate>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{} of {}", share.percent(), share.n))
}

fn write_tally(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    writeln!(f, "  listed {}, opened {}, decided {}", tally.listed, tally.opened, tally.decided)?;
    writeln!(f, "  opened: {} cases", shown(tally.opened_share.as_ref()))?;
    writeln!(
        f,
        "  next step: offer support {}, seek information {}, no action {}",
        tally.offer_support, tally.seek_information, tally.no_action
    )?;
    writeln!(f, "  agreed with the list: {} decisions", shown(tally.agreement.as_ref()))?;
    writeln!(f, "  overrode it: {} decisions", shown(tally.override_rate.as_ref()))?;
    match &tally.days_to_decide {
        None => writeln!(f, "  time to decide: no decision yet"),
        Some(days) => writeln!(
            f,
            "  time to decide: half within {} days, three quarters within {}, the longest {} ({} decisions)",
            days.median, days.three_quarters, days.longest, days.n
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_order_statistics() {
        assert_eq!(Days::of(vec![]), None);
        let days = Days::of(vec![9, 1, 3, 5]).unwrap();
        assert_eq!((days.quarter, days.median, days.three_quarters, days.longest), (1, 3, 5, 9));
        let one = Days::of(vec![4]).unwrap();
        assert_eq!((one.quarter, one.longest, one.n), (4, 4, 1));
    }

    #[test]
    fn a_tally_by_hand() {
        let case = |opened: bool, agreement: Option<(Agreement, &str)>| Listed {
            entity: None,
            drawn: WhyListed::ByRank,
            run: 0,
            requested_on: "2025-01-01".parse().unwrap(),
            opened,
            decision: agreement.map(|(agreement, on)| {
                let facts = DecisionFacts {
                    case: 1,
                    drawn: WhyListed::ByRank,
                    reviewer: crate::review::Reviewer::new("A", "B"),
                    opened_on: "2025-01-01".parse().unwrap(),
                    step: Step::NoAction,
                    agreement,
                };
                (on.parse().unwrap(), facts)
            }),
        };
        let cases = [
            case(false, None),
            case(true, None),
            case(true, Some((Agreement::Agree, "2025-01-03"))),
            case(true, Some((Agreement::Disagree, "2025-01-11"))),
        ];
        let tally = Tally::of(cases.iter());
        assert_eq!((tally.listed, tally.opened, tally.decided, tally.no_action), (4, 3, 2, 2));
        assert_eq!(tally.opened_share, wilson(3, 4));
        assert_eq!((tally.agreement, tally.override_rate), (wilson(1, 2), wilson(1, 2)));
        assert_eq!(tally.days_to_decide.unwrap().longest, 10);
    }
}
