//! Alerts by protected group, without telling any small number of people apart.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tally::{Listed, Tally};
use crate::fairness::Protected;
use crate::fairness::audit::{Guard, UNKNOWN, hold_back};
use crate::review::WhyListed;
use crate::stats::{Estimate, wilson};

/// Alerts by group of one characteristic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTallies {
    /// The characteristic.
    pub characteristic: String,
    /// Its groups by name. Last comes one entry for all that are too small to be named, such as
    /// `2 further groups`.
    pub groups: Vec<GroupTally>,
}

/// What became of one group's alerts. `None`: withheld, because it would tell too few people apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTally {
    /// The group.
    pub group: String,
    /// Listed cases.
    pub listed: Option<u64>,
    /// The share of them that were opened.
    pub opened: Option<Estimate>,
    /// The share of them that were decided about.
    pub decided: Option<Estimate>,
    /// The share of decisions that agree with the case's place on the list.
    pub agreement: Option<Estimate>,
    /// The share of decisions that disagree with it.
    pub override_rate: Option<Estimate>,
}

/// Alerts (no random cases) by group of every characteristic that is held.
pub(super) fn by_group(
    cases: &BTreeMap<u64, Listed>,
    protected: &Protected,
    minimum: u32,
) -> Vec<GroupTallies> {
    let of = |(nth, name): (usize, &String)| {
        let mut groups: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for case in cases.values().filter(|case| case.drawn != WhyListed::AtRandom) {
            let entity = case.entity.as_deref();
            let group = entity.and_then(|entity| protected.group(nth, entity)).unwrap_or(UNKNOWN);
            groups.entry(group).or_default().push(case);
        }
        let tallies: Vec<(&str, Tally)> =
            groups.into_iter().map(|(group, cases)| (group, Tally::of(cases.into_iter()))).collect();
        GroupTallies { characteristic: name.clone(), groups: told(&tallies, u64::from(minimum)) }
    };
    protected.held().iter().enumerate().map(of).collect()
}

/// What may be told of each group, given that the totals are told. Groups that are too small are told as one,
/// without their names; a share is withheld where those on either side of it are few, though not none.
fn told(tallies: &[(&str, Tally)], least: u64) -> Vec<GroupTally> {
    let parts = |of: fn(&Tally) -> (u64, u64)| -> Vec<[u64; 2]> {
        let both = tallies.iter().map(|(_, tally)| of(tally));
        both.map(|(part, whole)| [part, whole - part]).collect()
    };
    let mut rows = vec![false; tallies.len()];
    let sizes: Vec<[u64; 2]> = tallies.iter().map(|(_, tally)| [tally.listed; 2]).collect();
    hold_back(&sizes, &mut rows, Guard::of_rows(least));
    let guard = Guard::of_parts(least);
    let (mut opened, mut decided) = (rows.clone(), rows.clone());
    hold_back(&parts(|tally| (tally.opened, tally.listed)), &mut opened, guard);
    hold_back(&parts(|tally| (tally.decided, tally.listed)), &mut decided, guard);
    // Agreement, disagreement and what is left of the decisions: if one is too few, none of them is told.
    let mut judged = decided.clone();
    for of in [
        |tally: &Tally| (tally.agreed, tally.decided),
        |tally: &Tally| (tally.disagreed, tally.decided),
        |tally: &Tally| (tally.agreed + tally.disagreed, tally.decided),
    ] {
        hold_back(&parts(of), &mut judged, guard);
    }
    let mut told: Vec<GroupTally> = tallies
        .iter()
        .enumerate()
        .filter(|&(nth, _)| !rows[nth])
        .map(|(nth, (group, tally))| {
            let share = |held: &[bool], part: u64, whole: u64| {
                if held[nth] { None } else { wilson(part, whole) }
            };
            GroupTally {
                group: (*group).to_owned(),
                listed: Some(tally.listed),
                opened: share(&opened, tally.opened, tally.listed),
                decided: share(&decided, tally.decided, tally.listed),
                agreement: share(&judged, tally.agreed, tally.decided),
                override_rate: share(&judged, tally.disagreed, tally.decided),
            }
        })
        .collect();
    let hidden = rows.iter().filter(|&&held| held).count();
    if hidden > 0 {
        told.push(GroupTally {
            group: format!("{hidden} further group{}", if hidden == 1 { "" } else { "s" }),
            listed: None,
            opened: None,
            decided: None,
            agreement: None,
            override_rate: None,
        });
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(listed: u64, opened: u64, decided: u64, [agreed, disagreed]: [u64; 2]) -> Tally {
        Tally { listed, opened, decided, agreed, disagreed, ..Tally::default() }
    }

    #[test]
    fn one_decision_in_a_group_of_26_is_not_told() {
        let tallies = [
            ("A", tally(200, 100, 80, [40, 20])),
            ("B", tally(60, 30, 36, [12, 12])),
            ("C", tally(26, 13, 1, [1, 0])),
        ];
        let [a, b, c] = <[GroupTally; 3]>::try_from(told(&tallies, 10)).unwrap();
        assert_eq!([a.listed, b.listed, c.listed], [Some(200), Some(60), Some(26)]);
        assert!([&a, &b, &c].iter().all(|group| group.opened.is_some()));
        // One more goes with it, or it could be worked out from the total of 117 decisions.
        assert_eq!((&c.decided, &c.agreement, &c.override_rate), (&None, &None, &None));
        assert_eq!((&b.decided, &b.agreement, &b.override_rate), (&None, &None, &None));
        assert_eq!(
            (a.decided, a.agreement, a.override_rate),
            (wilson(80, 200), wilson(40, 80), wilson(20, 80))
        );
    }

    #[test]
    fn two_who_could_not_tell_are_not_worked_out_from_the_others() {
        // 30 agree and 18 disagree of 50: the two who could not tell are what is left.
        let tallies = [
            ("A", tally(100, 50, 50, [30, 18])),
            ("B", tally(100, 50, 50, [20, 15])),
            ("C", tally(100, 50, 50, [15, 15])),
        ];
        let told = told(&tallies, 10);
        assert!(told.iter().all(|group| group.decided == wilson(50, 100)));
        let shown: Vec<bool> = told.iter().map(|group| group.agreement.is_some()).collect();
        assert_eq!(shown, [false, false, true]);
        assert!(told.iter().all(|group| group.agreement.is_some() == group.override_rate.is_some()));
    }

    #[test]
    fn nothing_small_can_be_worked_out_from_the_totals() {
        let numbers = [0_u64, 3, 9, 10, 25, 60];
        for code in 0..6_usize.pow(4) {
            let of = [code % 6, code / 6 % 6, code / 36 % 6, code / 216].map(|which| numbers[which]);
            let tallies: Vec<(&str, Tally)> =
                of.iter().map(|&opened| ("a group", tally(70, opened, 35, [12, 12]))).collect();
            let told = told(&tallies, 10);
            let hidden: Vec<u64> =
                (0..4).filter(|&group| told[group].opened.is_none()).map(|group| of[group]).collect();
            for (group, opened) in told.iter().zip(of) {
                assert!(group.opened.is_none() || opened == 0 || opened >= 10, "{of:?}");
            }
            assert_ne!(hidden.len(), 1, "{of:?}");
            let total: u64 = hidden.iter().sum();
            assert!(hidden.is_empty() || hidden.len() == 4 || total >= 10, "{of:?}");
        }
    }
}
