//! Alerts by protected group, without telling any small number of people apart.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use serde::Serialize;

use super::tally::{Listed, Tally};
use crate::fairness::Protected;
use crate::fairness::audit::{Counted, Guard, Parts, UNKNOWN, hold_back};
use crate::review::{Agreement, WhyListed};
use crate::stats::{Estimate, wilson};

/// Alerts by group of one characteristic.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupTallies {
    /// The characteristic.
    pub characteristic: String,
    /// Its groups by name. Last comes one entry for all that are too small to be named, such as
    /// `2 further groups`.
    pub groups: Vec<GroupTally>,
}

/// What became of one group's alerts. `None`: withheld, because it would tell too few people apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
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
        let tallies: Vec<(&str, Tally, People)> = groups
            .into_iter()
            .map(|(group, cases)| (group, Tally::of(cases.iter().copied()), People::of(&cases)))
            .collect();
        GroupTallies { characteristic: name.clone(), groups: told(&tallies, u64::from(minimum)) }
    };
    protected.held().iter().enumerate().map(of).collect()
}

/// How many people are behind a group's tally: somebody who was on five lists is one. Those of whom there is some case and those
/// of whom there is some other are counted for each figure.
struct People {
    listed: Parts,
    opened: Parts,
    decided: Parts,
    agreed: Parts,
    disagreed: Parts,
    judged: Parts,
}

impl People {
    fn of(cases: &[&Listed]) -> Self {
        let says = |case: &Listed| case.decision.as_ref().map(|(_, facts)| facts.agreement);
        let decided: Vec<&Listed> = cases.iter().copied().filter(|case| case.decision.is_some()).collect();
        let judged = |case: &&Listed| says(case).is_some_and(|said| said != Agreement::CannotTell);
        Self {
            listed: [distinct(cases.iter().copied()); 2],
            opened: parted(cases, |case| case.opened),
            decided: parted(cases, |case| case.decision.is_some()),
            agreed: parted(&decided, |case| says(case) == Some(Agreement::Agree)),
            disagreed: parted(&decided, |case| says(case) == Some(Agreement::Disagree)),
            judged: parted(&decided, |case| judged(&case)),
        }
    }
}

/// How many people there are of whom something holds of one case, and of whom it does not.
pub(super) fn parted(cases: &[&Listed], holds: impl Fn(&Listed) -> bool) -> Parts {
    [true, false].map(|wanted| distinct(cases.iter().copied().filter(|case| holds(case) == wanted)))
}

/// How many people cases are about. Of those that were taken out nobody can tell whose they were: they may all be one person's,
/// and count as one.
pub(super) fn distinct<'c>(cases: impl Iterator<Item = &'c Listed>) -> u64 {
    cases.map(|case| case.entity.as_deref()).collect::<HashSet<Option<&str>>>().len() as u64
}

/// What may be told of each group, given that the totals are told. Groups that are too small are told as one,
/// without their names; a share is withheld where those on either side of it are few, though not none.
fn told(tallies: &[(&str, Tally, People)], least: u64) -> Vec<GroupTally> {
    // Everybody is of one group.
    let parts = |of: fn(&People) -> Parts| -> Vec<Counted> {
        tallies.iter().map(|(.., people)| of(people).into()).collect()
    };
    let mut rows = vec![false; tallies.len()];
    hold_back(&parts(|people| people.listed), &mut rows, Guard::of_rows(least));
    let guard = Guard::of_parts(least);
    let (mut opened, mut decided) = (rows.clone(), rows.clone());
    hold_back(&parts(|people| people.opened), &mut opened, guard);
    hold_back(&parts(|people| people.decided), &mut decided, guard);
    // Agreement, disagreement and what is left of the decisions: if one is too few, none of them is told.
    let mut judged = decided.clone();
    for of in
        [|people: &People| people.agreed, |people: &People| people.disagreed, |people: &People| people.judged]
    {
        hold_back(&parts(of), &mut judged, guard);
    }
    let mut told: Vec<GroupTally> = tallies
        .iter()
        .enumerate()
        .filter(|&(nth, _)| !rows[nth])
        .map(|(nth, (group, tally, _))| {
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

    /// A tally whose cases are each somebody else's.
    fn tally(
        group: &str,
        listed: u64,
        opened: u64,
        decided: u64,
        [agreed, disagreed]: [u64; 2],
    ) -> (&str, Tally, People) {
        let part = |part: u64, of: u64| [part, of - part];
        let people = People {
            listed: [listed; 2],
            opened: part(opened, listed),
            decided: part(decided, listed),
            agreed: part(agreed, decided),
            disagreed: part(disagreed, decided),
            judged: part(agreed + disagreed, decided),
        };
        (group, Tally { listed, opened, decided, agreed, disagreed, ..Tally::default() }, people)
    }

    #[test]
    fn one_decision_in_a_group_of_26_is_not_told() {
        let tallies = [
            tally("A", 200, 100, 80, [40, 20]),
            tally("B", 60, 30, 36, [12, 12]),
            tally("C", 26, 13, 1, [1, 0]),
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
    fn somebody_on_five_lists_is_one_person() {
        let case = |entity: &str| Listed {
            entity: Some(entity.to_owned()),
            drawn: WhyListed::ByRank,
            run: 0,
            requested_on: "2024-05-01".parse().unwrap(),
            opened: true,
            decision: None,
        };
        let of = |group: &'static str, people: usize| {
            let cases: Vec<Listed> =
                (0..5 * people).map(|nth| case(&format!("{group}{}", nth / 5))).collect();
            let cases: Vec<&Listed> = cases.iter().collect();
            (group, Tally::of(cases.iter().copied()), People::of(&cases))
        };
        let told = told(&[of("A", 40), of("B", 2), of("C", 12)], 10);
        // Ten cases of two people are two people, and the next larger group goes with them.
        assert_eq!(
            told.iter().map(|group| group.group.as_str()).collect::<Vec<_>>(),
            ["A", "2 further groups"]
        );
        assert_eq!((told[0].listed, told[1].listed), (Some(200), None));
    }

    #[test]
    fn two_who_could_not_tell_are_not_worked_out_from_the_others() {
        // 30 agree and 18 disagree of 50: the two who could not tell are what is left.
        let tallies = [
            tally("A", 100, 50, 50, [30, 18]),
            tally("B", 100, 50, 50, [20, 15]),
            tally("C", 100, 50, 50, [15, 15]),
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
            let tallies: Vec<(&str, Tally, People)> =
                of.iter().map(|&opened| tally("a group", 70, opened, 35, [12, 12])).collect();
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
