//! Group rates: how often a group is listed, how often its members with the outcome are found, how often
//! those without it are listed wrongly, and whether that differs from everybody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluate::performance::TestRows;
use crate::stats::{Estimate, newcombe_difference, wilson};

/// The name of the group of those whose entry is not known.
pub const UNKNOWN: &str = "unknown";

/// How the fairness report is made.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::rates::FairnessParams;
///
/// assert_eq!(FairnessParams::default().minimum_group, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairnessParams {
    /// The fewest rows a group must have to be shown, and the fewest a rate must be a share of.
    ///
    /// 10 by default: the cautious end of the small-number rules of UK official statistics (counts under 5
    /// or under 10 are held back), because a rate of fewer says little and can point at a person.
    pub minimum_group: u32,
}

impl Default for FairnessParams {
    fn default() -> Self {
        Self { minimum_group: 10 }
    }
}

/// A protected characteristic to audit, loaded apart from what the model reads.
#[derive(Debug, Clone, Copy)]
pub enum Characteristic<'a> {
    /// The data hold it.
    Held {
        /// Its name, such as `sex`.
        name: &'a str,
        /// The group of each row of the test. `None` is not known: these rows are the group [`UNKNOWN`],
        /// together with those that the data themselves call so.
        groups: &'a [Option<&'a str>],
    },
    /// The data do not hold it: nothing can be said, which the report must say.
    NotHeld {
        /// Its name, such as `religion`.
        name: &'a str,
    },
}

impl<'a> Characteristic<'a> {
    /// The name of the characteristic.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Held { name, .. } | Self::NotHeld { name } => name,
        }
    }
}

/// What a comparison with the rest says in one word. It is about this test alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole 95% interval of the difference is above zero.
    Higher,
    /// The whole 95% interval of the difference is below zero.
    Lower,
    /// The interval holds zero, or there is none. This is *not* "no difference": with few rows it says little.
    CannotTell,
}

impl Verdict {
    fn of(difference: Option<&Estimate>) -> Self {
        match difference.map(|estimate| estimate.interval) {
            Some(interval) if interval.low > 0.0 => Self::Higher,
            Some(interval) if interval.high < 0.0 => Self::Lower,
            _ => Self::CannotTell,
        }
    }
}

/// A rate of a group minus the same rate of everybody else in the test.
///
/// The interval is **not corrected for the number of comparisons**: among twenty comparisons of groups
/// that do not differ, about one is expected to be called higher or lower. An audit that looks at many
/// groups should take one such verdict as a reason to look closer, not as proof.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The difference, -1 to 1 (Newcombe). `None` when either rate has too small a denominator.
    pub difference: Option<Estimate>,
    /// Whether the interval is clear of zero, and on which side.
    pub verdict: Verdict,
}

/// How the list treats a group. All rates are shares from 0 to 1 with Wilson intervals; each is `None` when
/// its denominator is under [`FairnessParams::minimum_group`], never zero for lack of rows.
///
/// The field uses several names for these: selection rate; true-positive rate, recall or sensitivity;
/// false-positive rate.
///
/// # References
/// M. Hardt, E. Price and N. Srebro (2016), "Equality of opportunity in supervised learning", *Advances in
/// Neural Information Processing Systems* 29. A. Chouldechova (2017), "Fair prediction with disparate impact",
/// *Big Data* 5:153-163, on why groups with different base rates cannot be equal in every rate at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRates {
    /// Rows of the group.
    pub n: u64,
    /// Rows of the group with the outcome.
    pub positives: u64,
    /// Rows of the group on the list.
    pub selected: u64,
    /// The share of the group with the outcome.
    pub base_rate: Option<Estimate>,
    /// The share of the group on the list.
    pub selection_rate: Option<Estimate>,
    /// Of those in the group with the outcome, the share on the list.
    pub true_positive_rate: Option<Estimate>,
    /// Of those in the group without the outcome, the share on the list.
    pub false_positive_rate: Option<Estimate>,
    /// The selection rate against everybody else.
    pub selection_rate_difference: Comparison,
    /// The true-positive rate against everybody else.
    pub true_positive_rate_difference: Comparison,
    /// The false-positive rate against everybody else.
    pub false_positive_rate_difference: Comparison,
}

impl GroupRates {
    /// The rates of `group`, compared with those of `rest`; none of fewer than `least` rows.
    pub(crate) fn new(group: &Counts, rest: &Counts, least: u64) -> Self {
        let rate = |(part, whole)| if whole < least { None } else { wilson(part, whole) };
        let compare = |share: fn(&Counts) -> (u64, u64)| {
            let (here, there) = (share(group), share(rest));
            let shown = here.1 >= least && there.1 >= least;
            let difference = if shown { newcombe_difference(here, there) } else { None };
            Comparison { difference, verdict: Verdict::of(difference.as_ref()) }
        };
        Self {
            n: group.n,
            positives: group.positives,
            selected: group.selected,
            base_rate: rate((group.positives, group.n)),
            selection_rate: rate(group.listed()),
            true_positive_rate: rate(group.found()),
            false_positive_rate: rate(group.wrongly_listed()),
            selection_rate_difference: compare(Counts::listed),
            true_positive_rate_difference: compare(Counts::found),
            false_positive_rate_difference: compare(Counts::wrongly_listed),
        }
    }
}

/// The four counts that all rates come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) n: u64,
    pub(crate) positives: u64,
    pub(crate) selected: u64,
    /// With the outcome *and* on the list.
    pub(crate) both: u64,
}

impl Counts {
    fn add(&mut self, outcome: bool, selected: bool) {
        self.n += 1;
        self.positives += u64::from(outcome);
        self.selected += u64::from(selected);
        self.both += u64::from(outcome && selected);
    }

    pub(crate) fn without(&self, part: &Self) -> Self {
        Self {
            n: self.n - part.n,
            positives: self.positives - part.positives,
            selected: self.selected - part.selected,
            both: self.both - part.both,
        }
    }

    fn listed(&self) -> (u64, u64) {
        (self.selected, self.n)
    }

    fn found(&self) -> (u64, u64) {
        (self.both, self.positives)
    }

    fn wrongly_listed(&self) -> (u64, u64) {
        (self.selected - self.both, self.n - self.positives)
    }

    /// The counts of all rows.
    pub(crate) fn of_all(rows: &TestRows<'_>) -> Self {
        let mut all = Self::default();
        for (&outcome, &selected) in rows.outcomes.iter().zip(rows.selected) {
            all.add(outcome, selected);
        }
        all
    }

    /// The counts of each group, by name, those not known last.
    pub(crate) fn of_groups<'a>(rows: &TestRows<'_>, groups: &[Option<&'a str>]) -> Vec<(&'a str, Self)> {
        let mut counts: BTreeMap<&'a str, Self> = BTreeMap::new();
        for (group, (&outcome, &selected)) in groups.iter().zip(rows.outcomes.iter().zip(rows.selected)) {
            counts.entry(group.unwrap_or(UNKNOWN)).or_default().add(outcome, selected);
        }
        let unknown = counts.remove(UNKNOWN);
        counts.into_iter().chain(unknown.map(|counts| (UNKNOWN, counts))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::fixture::{close, load};

    #[test]
    fn group_rates_agree_with_fairlearn_and_statsmodels() {
        for set in load().datasets {
            let (outcomes, selected) = (set.outcomes(), set.selected());
            let rows = TestRows {
                log_odds: &set.log_odds,
                outcomes: &outcomes,
                families: &set.families,
                selected: &selected,
            };
            let groups: Vec<Option<&str>> = set.groups.iter().map(|group| Some(group.as_str())).collect();
            let (all, counts) = (Counts::of_all(&rows), Counts::of_groups(&rows, &groups));
            assert_eq!(counts.len(), set.rates.len());
            for ((group, counts), theirs) in counts.iter().zip(&set.rates) {
                assert_eq!((*group, counts.n as f64), (theirs.group.as_str(), theirs.n));
                let ours = GroupRates::new(counts, &all.without(counts), 0);
                close(ours.selection_rate.unwrap().value, theirs.selection, 1e-12);
                close(ours.true_positive_rate.unwrap().value, theirs.found, 1e-12);
                close(ours.false_positive_rate.unwrap().value, theirs.wrong, 1e-12);
                for (comparison, ends) in [
                    (ours.selection_rate_difference, theirs.selection_difference),
                    (ours.true_positive_rate_difference, theirs.found_difference),
                    (ours.false_positive_rate_difference, theirs.wrong_difference),
                ] {
                    let interval = comparison.difference.unwrap().interval;
                    close(interval.low, ends.0, 1e-9);
                    close(interval.high, ends.1, 1e-9);
                }
            }
        }
    }

    #[test]
    fn rates_by_hand() {
        // 40 people, 12 with the outcome, 10 listed, 9 of them rightly; the rest 100, 30, 5, 3.
        let group = Counts { n: 40, positives: 12, selected: 10, both: 9 };
        let rest = Counts { n: 100, positives: 30, selected: 5, both: 3 };
        let found = GroupRates::new(&group, &rest, 10);
        assert_eq!(found.base_rate, wilson(12, 40));
        assert_eq!(found.selection_rate, wilson(10, 40));
        assert_eq!(found.true_positive_rate, wilson(9, 12));
        assert_eq!(found.false_positive_rate, wilson(1, 28));
        assert_eq!(found.selection_rate_difference.difference, newcombe_difference((10, 40), (5, 100)));
        assert_eq!(found.selection_rate_difference.verdict, Verdict::Higher);
        assert_eq!(found.true_positive_rate_difference.difference, newcombe_difference((9, 12), (3, 30)));
        assert_eq!(found.true_positive_rate_difference.verdict, Verdict::Higher);
        assert_eq!(found.false_positive_rate_difference.difference, newcombe_difference((1, 28), (2, 70)));
        assert_eq!(found.false_positive_rate_difference.verdict, Verdict::CannotTell);
        let turned = GroupRates::new(&rest, &group, 10);
        assert_eq!(turned.selection_rate_difference.verdict, Verdict::Lower);
        assert_eq!(turned.true_positive_rate_difference.verdict, Verdict::Lower);
    }

    #[test]
    fn a_small_denominator_gives_no_rate_and_no_comparison() {
        let group = Counts { n: 40, positives: 9, selected: 10, both: 9 };
        let rest = Counts { n: 40, positives: 31, selected: 10, both: 9 };
        let found = GroupRates::new(&group, &rest, 10);
        assert_eq!(found.true_positive_rate, None); // nine with the outcome: too few, and not zero
        assert_eq!(found.true_positive_rate_difference.difference, None);
        assert_eq!(found.true_positive_rate_difference.verdict, Verdict::CannotTell);
        assert_eq!(found.false_positive_rate, wilson(1, 31));
        // The rest has nine without the outcome.
        assert_eq!(found.false_positive_rate_difference.difference, None);
        assert!(found.selection_rate_difference.difference.is_some());
        // Nobody with the outcome: no rate even where nothing is too small.
        let none = GroupRates::new(&Counts { positives: 0, both: 0, ..group }, &rest, 0);
        assert_eq!(none.true_positive_rate, None);
    }

    #[test]
    fn those_not_known_are_a_group_of_their_own_at_the_end() {
        let rows = TestRows {
            log_odds: &[0.0; 5],
            outcomes: &[true, false, true, false, true],
            families: &[1; 5],
            selected: &[true, true, false, false, true],
        };
        let counts =
            Counts::of_groups(&rows, &[Some("x"), None, Some("Unknown"), Some("unknown"), Some("a")]);
        let names: Vec<&str> = counts.iter().map(|&(name, _)| name).collect();
        assert_eq!(names, ["Unknown", "a", "x", "unknown"]);
        assert_eq!(counts[3].1, Counts { n: 2, positives: 0, selected: 1, both: 0 });
        assert_eq!(Counts::of_all(&rows), Counts { n: 5, positives: 3, selected: 3, both: 2 });
    }
}
