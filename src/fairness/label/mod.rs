//! What the label says, and of whom: outcomes and scores among those helped and not helped, and where
//! referrals came from.
//!
//! A label is what a service recorded, not what a child needed. Two things bend it. *Help*: whoever was helped
//! may have been spared the outcome, or was watched more closely; either way their label says something else than
//! that of people left alone. *The loop*: where the list itself brings people to the service that records the
//! outcome, the next model learns from the last one's choices. [`LabelReport`] lays both open.

mod display;
mod helped;
mod referrals;

pub use helped::Helped;
pub use referrals::{ClosedLoop, ReferralCases, ReferralReport, ReferralSource, Referrals, Referred};

use serde::Serialize;

use super::audit::{AuditParams, Counted, few_of_either, hold_back_parts};
use super::people::RowPeople;
use super::proxy::grouping::{Group, Grouped, Grouping, counted};
use super::proxy::separation::mean_difference;
use super::proxy::{characteristics, protected_groups};
use super::{Characteristic, Protected};
use crate::error::EvaluateError;
use crate::evaluate::{Backtest, Cases};
use crate::outcome::OutcomeSpec;
use crate::stats::{Clusters, Estimate, Interval, Z, clustered_mean_in, wilson};

/// The cases of a label report.
#[derive(Clone, Copy)]
pub struct LabelCases<'a> {
    /// The cases. Who was on a list plays no part.
    pub cases: &'a Cases,
    /// Whether the case was helped within the horizon: see [`Helped`].
    pub helped: &'a [bool],
    /// How each case was referred, where that is recorded.
    pub referrals: Option<Referrals<'a>>,
}

/// Outcomes and scores among those helped and not helped, by group, and by referral source.
///
/// It compares, and does not say that help worked or failed: those helped were chosen, mostly because they
/// seemed to need it. Read it for this: if the rate of the outcome among those helped is far from that among
/// the others *at like scores*, the label measures help as well as need; and if a group is helped less often at
/// like scores, its label is made differently.
///
/// Rates have Wilson intervals; means and differences have intervals over families; all are 95% and each for
/// itself.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Horizon;
/// use earlyhelp::evaluate::Cases;
/// use earlyhelp::fairness::label::{ClosedLoop, LabelCases, LabelReport, Referrals};
/// use earlyhelp::fairness::Characteristic;
/// use earlyhelp::fairness::audit::AuditParams;
/// use earlyhelp::outcome::OutcomeSpec;
/// use earlyhelp::records::Selector;
///
/// let outcome = OutcomeSpec::any("plan", "A plan begins", [Selector::source("plans")], Horizon::Months(12));
/// let families: Vec<u32> = (0..200).collect();
/// let helped: Vec<bool> = (0..200).map(|row| row % 4 == 0).collect();
/// let outcomes: Vec<bool> = (0..200).map(|row| row % 5 == 0).collect();
/// let log_odds: Vec<f64> = (0..200).map(|row| f64::from(row % 3) - 2.0).collect();
/// let groups: Vec<Option<&str>> = (0..200).map(|row| Some(if row < 100 { "east" } else { "west" })).collect();
/// let sources: Vec<Option<&str>> = helped.iter().map(|&helped| helped.then_some("risk list")).collect();
/// let cases = Cases {
///     dates: vec!["2024-04-01".parse()?; 200],
///     families,
///     outcomes,
///     log_odds,
///     ..Cases::default()
/// };
/// let cases = LabelCases {
///     cases: &cases,
///     helped: &helped,
///     referrals: Some(Referrals { sources: &sources, from_model: &["risk list"] }),
/// };
///
/// let asked = [Characteristic::Held { name: "area", groups: &groups }];
/// let report = LabelReport::measure(&cases, &outcome, &asked, &AuditParams::at_release())?;
/// assert_eq!(report.all.as_ref().map(|all| all.helped.n), Some(50));
/// let referrals = report.referrals.as_ref().ok_or("given")?;
/// assert_eq!(referrals.closed_loop, ClosedLoop::Closed);
/// assert!(report.to_string().contains("all referrals came from the model's own list"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// H. Lakkaraju, J. Kleinberg, J. Leskovec, J. Ludwig and S. Mullainathan (2017), "The selective labels problem",
/// *KDD* 23:275-284. D. Ensign, S. A. Friedler, S. Neville, C. Scheidegger and S. Venkatasubramanian (2018),
/// "Runaway feedback loops in predictive policing", *Proceedings of Machine Learning Research* 81:160-171.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LabelReport {
    /// What the label is.
    pub label: LabelMeaning,
    /// Groups of fewer people than this, helped or not helped, are held back.
    pub minimum_group: u32,
    /// How many cases there are.
    pub n: u64,
    /// All cases. `None` where fewer than the minimum were helped, or were not.
    pub all: Option<HelpSplit>,
    /// Each group of each characteristic that may be shown.
    pub groups: Vec<GroupLabels>,
    /// Characteristics of which nothing can be said, with the reason.
    pub not_measurable: Vec<(String, String)>,
    /// For characteristics with groups held back, how many these are.
    pub held_back: Vec<(String, u64)>,
    /// Where referrals came from, where that is recorded.
    pub referrals: Option<ReferralReport>,
}

/// What the label is, in the words of its maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LabelMeaning {
    /// Its short name.
    pub name: String,
    /// What it means.
    pub words: String,
    /// How far ahead it looks.
    pub horizon: String,
    /// What it does and does not measure; empty where nobody has said.
    pub measures: String,
}

/// One group's outcomes and scores by help.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupLabels {
    /// The characteristic.
    pub characteristic: String,
    /// The group.
    pub group: String,
    /// What was found.
    pub split: HelpSplit,
}

/// Those helped beside those not helped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HelpSplit {
    /// The share that was helped.
    pub helped_share: Option<Estimate>,
    /// Those who were helped.
    pub helped: Side,
    /// Those who were not.
    pub not_helped: Side,
    /// The rate of the outcome among those helped, less that among the others (-1 to 1). `None` where a rate is withheld.
    pub outcome_difference: Option<Estimate>,
    /// The mean score of those helped, less that of the others, in log-odds.
    pub score_difference: Option<Estimate>,
}

/// Outcomes and scores of some cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Side {
    /// How many cases.
    pub n: u64,
    /// How many with the outcome. `None` where they, or those without it, are from one up to the minimum, or where such a
    /// number could be worked out from it.
    pub positives: Option<u64>,
    /// The share with the outcome (Wilson). `None` where their number is.
    pub outcome_rate: Option<Estimate>,
    /// The mean score, in log-odds. `None` where all are of one family.
    pub mean_score: Option<Estimate>,
}

/// What is known of the label of a backtest's cases.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LabelSource<'a> {
    /// The outcome that the label stands for.
    pub outcome: &'a OutcomeSpec,
    /// Who was helped, at all test dates.
    pub helped: &'a Helped,
    /// Who was referred by whom, at all test dates, where that is recorded.
    pub referred: Option<&'a Referred>,
}

impl LabelReport {
    /// Looks at a backtest's test cases: scores by models that had seen neither the family nor the date.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where a test date has no cohort that says who was helped or referred; as for [`LabelReport::measure`].
    pub fn of(
        backtest: &Backtest,
        label: &LabelSource<'_>,
        protected: &Protected,
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        let cases = backtest.cases();
        let of_case = cases.ids();
        let no_cohort = || {
            EvaluateError::Plan(
                "label report: a test date has no cohort that says who was helped or referred; give the cohorts of \
                 all test dates"
                    .into(),
            )
        };
        let helped = label.helped.mask(&of_case).ok_or_else(no_cohort)?;
        let from_model = label.referred.map(Referred::from_model).unwrap_or_default();
        let sources = match label.referred {
            None => None,
            Some(referred) => Some(referred.sources(&of_case).ok_or_else(no_cohort)?),
        };
        let entities: Vec<&str> = of_case.iter().map(|&(_, entity)| entity).collect();
        let groups = protected_groups(protected, &entities);
        let label_cases = LabelCases {
            cases,
            helped: &helped,
            referrals: sources.as_deref().map(|sources| Referrals { sources, from_model: &from_model }),
        };
        Self::measure(&label_cases, label.outcome, &characteristics(protected, &groups), params)
    }

    /// Looks at any scored cases.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`] where there is no case; [`EvaluateError::LengthMismatch`] where something has
    /// another number of entries than there are scores; [`EvaluateError::Score`] where a score is not a number.
    pub fn measure(
        cases: &LabelCases<'_>,
        outcome: &OutcomeSpec,
        characteristics: &[Characteristic<'_>],
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        cases.check()?;
        let rows = cases.cases.len();
        let least = u64::from(params.minimum);
        let people = RowPeople::of_ids(&cases.cases.entities);
        let mut all = cases.split(&vec![true; rows]);
        let sides = [true, false]
            .map(|helped| people.parted(rows, 1, |row| Some((0, cases.outcome_of(row, helped)?))));
        if sides.iter().flatten().any(|side| few_of_either(side.parts, least)) {
            all.withhold();
        }
        let helped = people.parted(rows, 1, |row| Some((0, cases.helped[row])));
        let is_told = helped.iter().flat_map(|side| side.parts).all(|people| people >= least);
        let mut report = Self {
            label: LabelMeaning {
                name: outcome.name.clone(),
                words: outcome.words.clone(),
                horizon: outcome.horizon.to_string(),
                measures: outcome.measures.clone(),
            },
            minimum_group: params.minimum,
            n: rows as u64,
            all: is_told.then_some(all),
            groups: Vec::new(),
            not_measurable: Vec::new(),
            held_back: Vec::new(),
            referrals: cases
                .referrals
                .map(|referrals| ReferralReport::of((cases, &people), &referrals, least)),
        };
        for asked in characteristics {
            match Grouped::of(asked, (rows, &people), params.minimum)? {
                Grouped::NotMeasurable(why) => report.not_measurable.push((asked.name().to_owned(), why)),
                Grouped::Groups(grouping) => report.add((cases, &people), (asked.name(), &grouping), least),
            }
        }
        Ok(report)
    }

    fn add(
        &mut self,
        (cases, people): (&LabelCases<'_>, &RowPeople),
        (name, grouping): (&str, &Grouping<'_>),
        least: u64,
    ) {
        let (rows, groups) = (cases.helped.len(), grouping.groups.len());
        let group = |row: usize| grouping.of_row[row] as usize;
        let sizes = people.parted(rows, groups, |row| Some((group(row), cases.helped[row])));
        // Two halves are compared: one of nobody, or of a few, leaves nothing to say.
        let held = |(group, sizes): (&Group<'_>, &Counted)| {
            group.held || sizes.parts.into_iter().any(|people| people < least)
        };
        let mut held: Vec<bool> = grouping.groups.iter().zip(&sizes).map(held).collect();
        hold_back_parts(&sizes, &mut held, least);
        // How many had the outcome is guarded on both sides at once: an audit gives the two together.
        let parts = [false, true].map(|helped| {
            people.parted(rows, groups, |row| Some((group(row), cases.outcome_of(row, helped)?)))
        });
        let mut withheld = held.clone();
        loop {
            let before = withheld.clone();
            for parts in &parts {
                hold_back_parts(parts, &mut withheld, least);
            }
            if withheld == before {
                break;
            }
        }
        for (nth, group) in grouping.groups.iter().enumerate().filter(|&(nth, _)| !held[nth]) {
            let (characteristic, group) = (name.to_owned(), group.name.to_owned());
            let mut split = cases.split(&grouping.members(nth));
            if withheld[nth] {
                split.withhold();
            }
            self.groups.push(GroupLabels { characteristic, group, split });
        }
        self.held_back.extend(counted(name, held.into_iter().filter(|&held| held).count()));
    }

    /// What was found for one group; `None` where it is not shown.
    #[must_use]
    pub fn group(&self, characteristic: &str, group: &str) -> Option<&HelpSplit> {
        let found =
            self.groups.iter().find(|held| held.characteristic == characteristic && held.group == group);
        found.map(|held| &held.split)
    }
}

impl Side {
    fn withhold(&mut self) {
        (self.positives, self.outcome_rate) = (None, None);
    }
}

impl HelpSplit {
    /// Takes out how many had the outcome.
    fn withhold(&mut self) {
        self.helped.withhold();
        self.not_helped.withhold();
        self.outcome_difference = None;
    }
}

impl LabelCases<'_> {
    fn check(&self) -> Result<(), EvaluateError> {
        self.cases.check()?;
        let expected = self.cases.len();
        let sources = self.referrals.map_or(expected, |referrals| referrals.sources.len());
        for (what, found) in [("helped", self.helped.len()), ("referral sources", sources)] {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found });
            }
        }
        Ok(())
    }

    /// Whether a case has the outcome, if it is one of those `helped`, or of the others.
    fn outcome_of(&self, row: usize, helped: bool) -> Option<bool> {
        (self.helped[row] == helped).then(|| self.cases.outcomes[row])
    }

    /// The figures of the cases that are wanted.
    fn side(&self, wanted: impl Fn(usize) -> bool) -> Side {
        let rows: Vec<usize> = (0..self.cases.len()).filter(|&row| wanted(row)).collect();
        let families: Vec<u32> = rows.iter().map(|&row| self.cases.families[row]).collect();
        let scores: Vec<f64> = rows.iter().map(|&row| self.cases.log_odds[row]).collect();
        let (n, positives) =
            (rows.len() as u64, rows.iter().filter(|&&row| self.cases.outcomes[row]).count() as u64);
        Side {
            n,
            positives: Some(positives),
            outcome_rate: wilson(positives, n),
            mean_score: clustered_mean_in(&scores, &Clusters::new(&families)),
        }
    }

    /// Those helped beside those not helped, among members.
    fn split(&self, members: &[bool]) -> HelpSplit {
        let helped = self.side(|row| members[row] && self.helped[row]);
        let not_helped = self.side(|row| members[row] && !self.helped[row]);
        let rows: Vec<usize> = (0..members.len()).filter(|&row| members[row]).collect();
        let families: Vec<u32> = rows.iter().map(|&row| self.cases.families[row]).collect();
        let is_helped: Vec<bool> = rows.iter().map(|&row| self.helped[row]).collect();
        let clusters = Clusters::new(&families);
        let between = |value: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = rows.iter().map(|&row| value(row)).collect();
            let (value, error) = mean_difference(&values, &is_helped, &clusters)?;
            let interval = Interval { low: value - Z * error, high: value + Z * error };
            Some(Estimate { value, interval, n: rows.len() as u64 })
        };
        HelpSplit {
            helped_share: wilson(helped.n, helped.n + not_helped.n),
            helped,
            not_helped,
            outcome_difference: between(&|row| f64::from(u8::from(self.cases.outcomes[row]))),
            score_difference: between(&|row| self.cases.log_odds[row]),
        }
    }
}

impl std::fmt::Debug for LabelCases<'_> {
    /// Never prints a case.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabelCases").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
