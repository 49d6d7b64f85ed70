//! Which term carries a group's higher or lower scores.

use rayon::prelude::*;
use serde::Serialize;

use super::grouping::{Grouped, Grouping, counted};
use super::scores::AdditiveScores;
use super::separation::{mean_difference, simultaneous_z};
use super::{characteristics, protected_groups};
use crate::error::EvaluateError;
use crate::evaluate::Backtest;
use crate::fairness::audit::AuditParams;
use crate::fairness::people::RowPeople;
use crate::fairness::{Characteristic, Protected};
use crate::stats::{Clusters, Estimate, Interval, Z};

/// A group's mean score less that of everybody else, term by term.
///
/// A score is the sum of its contributions, so the difference between two mean scores is the sum of the
/// differences between mean contributions: the disparity is explained exactly, and the term with the largest
/// part in it is the one to ask about. Differences are in log-odds; intervals are over families.
///
/// Whether a term's part is *unfair* is another question: a term carries a real difference in need as
/// readily as a difference in how often a service writes things down.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::AsOf;
/// use earlyhelp::evaluate::{Capacity, Cases};
/// use earlyhelp::fairness::proxy::{AdditiveScores, CarrierReport};
/// use earlyhelp::fairness::Characteristic;
/// use earlyhelp::fairness::audit::AuditParams;
///
/// // 200 people; police records are more usual in the east, age is spread alike.
/// let police: Vec<f64> = (0..200).map(|row| if row % 2 == 0 && row % 3 > 0 { 0.9 } else { -0.3 }).collect();
/// let age: Vec<f64> = (0..200).map(|row| f64::from(row / 2 % 5) / 10.0).collect();
/// let scores = AdditiveScores {
///     cases: Cases {
///         log_odds: police.iter().zip(&age).map(|(police, age)| -2.0 + police + age).collect(),
///         outcomes: (0..200).map(|row| row % 7 == 0).collect(),
///         families: (0..200).collect(),
///         dates: vec!["2024-04-01".parse::<AsOf>()?; 200],
///         ..Cases::default()
///     },
///     contributions: vec![(vec!["police".into()], police), (vec!["age".into()], age)],
///     capacity: Capacity::Cases(20),
/// };
/// let groups: Vec<Option<&str>> = (0..200).map(|row| Some(if row % 2 == 0 { "east" } else { "west" })).collect();
/// let asked = [Characteristic::Held { name: "area", groups: &groups }];
///
/// let report = CarrierReport::measure(&scores, &asked, &AuditParams::at_release())?;
/// let most = report.most_raising("area", "east").ok_or("one raises")?;
/// assert_eq!(most.on, ["police"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// The split is that of A. S. Blinder (1973), *Journal of Human Resources* 8:436-455, and R. Oaxaca (1973),
/// *International Economic Review* 14:693-709, for a model that is the same for both groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CarrierReport {
    /// Groups of fewer rows than this are held back.
    pub minimum_group: u32,
    /// How many cases there are.
    pub n: u64,
    /// How many comparisons, over all groups and terms of a characteristic, its verdicts hold for together.
    pub comparisons: Vec<(String, u64)>,
    /// Each group that may be shown.
    pub groups: Vec<GroupCarriers>,
    /// Characteristics of which nothing can be said, with the reason.
    pub not_measurable: Vec<(String, String)>,
    /// For characteristics with groups held back, how many these are.
    pub held_back: Vec<(String, u64)>,
}

/// One group's difference in mean score, and what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupCarriers {
    /// The characteristic.
    pub characteristic: String,
    /// The group.
    pub group: String,
    /// Rows of the group.
    pub n: u64,
    /// The group's mean score less the rest's, in log-odds.
    pub difference: Estimate,
    /// What each term has in it, the largest first. With `intercepts` they sum to the difference.
    pub terms: Vec<TermShare>,
    /// What no term has in it: the test's folds and dates were scored by models whose intercepts differ a
    /// little.
    pub intercepts: Estimate,
}

/// One term's part in a difference of mean scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermShare {
    /// The feature, or the two of a pair.
    pub on: Vec<String>,
    /// The mean contribution in the group less that in the rest, in log-odds.
    pub difference: Estimate,
    /// Whether it raises or lowers the group's scores beyond doubt, for all terms and groups of the
    /// characteristic together (Bonferroni, 95%).
    pub verdict: TermDirection,
}

/// Which way a term moves a group's scores, beside those of everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TermDirection {
    /// The whole interval of the difference is above zero.
    Higher,
    /// The whole interval of the difference is below zero.
    Lower,
    /// The interval holds zero. This is *not* "no difference": with few rows it says little.
    CannotTell,
}

impl CarrierReport {
    /// Splits the differences of a backtest's test cases.
    ///
    /// # Errors
    /// As [`CarrierReport::measure`].
    pub fn of(
        backtest: &Backtest,
        protected: &Protected,
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        let entities: Vec<&str> = backtest.cases().entities.iter().map(String::as_str).collect();
        let groups = protected_groups(protected, &entities);
        Self::measure(&AdditiveScores::of(backtest), &characteristics(protected, &groups), params)
    }

    /// Splits the differences of any additive scores.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`] and [`EvaluateError::OneFamily`] where there is nothing to compare;
    /// [`EvaluateError::LengthMismatch`] where something has another number of entries than there are cases;
    /// [`EvaluateError::Score`] where a score or a contribution is not a number.
    pub fn measure(
        scores: &AdditiveScores,
        characteristics: &[Characteristic<'_>],
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        scores.check()?;
        let rows = scores.cases.log_odds.len();
        let mut report = Self {
            minimum_group: params.minimum,
            n: rows as u64,
            comparisons: Vec::new(),
            groups: Vec::new(),
            not_measurable: Vec::new(),
            held_back: Vec::new(),
        };
        let clusters = Clusters::new(&scores.cases.families);
        let mut intercepts = scores.cases.log_odds.clone();
        for (_, added) in &scores.contributions {
            for (left, by) in intercepts.iter_mut().zip(added) {
                *left -= by;
            }
        }
        let people = RowPeople::of_ids(&scores.cases.entities);
        for asked in characteristics {
            match Grouped::of(asked, (rows, &people), params.minimum)? {
                Grouped::NotMeasurable(why) => report.not_measurable.push((asked.name().to_owned(), why)),
                Grouped::Groups(grouping) => {
                    report.add(scores, (&intercepts, &clusters), asked.name(), &grouping);
                }
            }
        }
        Ok(report)
    }

    fn add(
        &mut self,
        scores: &AdditiveScores,
        (intercepts, clusters): (&[f64], &Clusters),
        characteristic: &str,
        grouping: &Grouping<'_>,
    ) {
        let comparisons = grouping.compared() * scores.contributions.len();
        let z = simultaneous_z(comparisons);
        self.comparisons.push((characteristic.to_owned(), comparisons as u64));
        let mut held = 0;
        for (nth, group) in grouping.groups.iter().enumerate() {
            let members = grouping.members(nth);
            let within = |(value, error): (f64, f64), z: f64| Interval {
                low: value - z * error,
                high: value + z * error,
            };
            let estimate = |difference: (f64, f64)| Estimate {
                value: difference.0,
                interval: within(difference, Z),
                n: members.len() as u64,
            };
            let between = |values: &[f64]| mean_difference(values, &members, clusters);
            let whole = between(&scores.cases.log_odds).zip(between(intercepts));
            let whole = whole.map(|(whole, rest)| (estimate(whole), estimate(rest)));
            let Some((difference, intercepts)) = whole.filter(|_| !group.held) else {
                held += 1;
                continue;
            };
            let mut terms: Vec<TermShare> = scores
                .contributions
                .par_iter()
                .filter_map(|(on, added)| {
                    let found = between(added)?;
                    let verdict = match within(found, z) {
                        Interval { low, .. } if low > 0.0 => TermDirection::Higher,
                        Interval { high, .. } if high < 0.0 => TermDirection::Lower,
                        Interval { .. } => TermDirection::CannotTell,
                    };
                    Some(TermShare { on: on.clone(), difference: estimate(found), verdict })
                })
                .collect();
            terms.sort_by(|a, b| b.difference.value.abs().total_cmp(&a.difference.value.abs()));
            self.groups.push(GroupCarriers {
                characteristic: characteristic.to_owned(),
                group: group.name.to_owned(),
                n: group.n,
                difference,
                terms,
                intercepts,
            });
        }
        self.held_back.extend(counted(characteristic, held));
    }

    /// What was found for one group; `None` where it is not shown.
    #[must_use]
    pub fn group(&self, characteristic: &str, group: &str) -> Option<&GroupCarriers> {
        self.groups.iter().find(|held| held.characteristic == characteristic && held.group == group)
    }

    /// The term that raises a group's scores the most beyond doubt; `None` where none does.
    #[must_use]
    pub fn most_raising(&self, characteristic: &str, group: &str) -> Option<&TermShare> {
        let terms = &self.group(characteristic, group)?.terms;
        terms.iter().find(|term| term.verdict == TermDirection::Higher)
    }
}
