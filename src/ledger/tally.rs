//! What became of listed cases, counted.

use serde::Serialize;

use super::events::DecisionFacts;
use crate::calendar::Day;
use crate::review::{Agreement, Step, WhyListed};
use crate::stats::{Estimate, wilson};

/// What became of listed cases. A case that several people opened or decided about counts once, with its
/// last decision.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
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
    /// Decisions that agree with the case's place on the list.
    pub agreed: u64,
    /// Decisions that disagree with it. The rest could not tell.
    pub disagreed: u64,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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

/// A listed case and what became of it.
pub(super) struct Listed {
    pub(super) entity: Option<String>,
    pub(super) drawn: WhyListed,
    pub(super) run: usize,
    pub(super) requested_on: Day,
    pub(super) opened: bool,
    pub(super) decision: Option<(Day, DecisionFacts)>,
}

impl Tally {
    pub(super) fn of<'c>(cases: impl Iterator<Item = &'c Listed>) -> Self {
        let mut tally = Self::default();
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
                Agreement::Agree => tally.agreed += 1,
                Agreement::Disagree => tally.disagreed += 1,
                Agreement::CannotTell => {}
            }
        }
        tally.opened_share = wilson(tally.opened, tally.listed);
        tally.agreement = wilson(tally.agreed, tally.decided);
        tally.override_rate = wilson(tally.disagreed, tally.decided);
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
                    reason_code: None,
                    supersedes: None,
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
