//! Where referrals came from: a model that is fed by its own list learns from itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LabelCases, Side};
use crate::fairness::audit::held_back;
use crate::stats::{Estimate, wilson};

/// How cases were referred to the service that records the outcome.
#[derive(Debug, Clone, Copy)]
pub struct Referrals<'a> {
    /// The source of each case's referral, such as `school`; `None` where it was not referred.
    pub sources: &'a [Option<&'a str>],
    /// The sources that stand for a model's own list.
    pub from_model: &'a [&'a str],
}

/// Outcomes by referral source, and how much came from the model's own list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferralReport {
    /// How many cases were referred.
    pub referred: u64,
    /// Each source by name, then those not referred.
    pub sources: Vec<ReferralSource>,
    /// Of the cases referred, the share that came from the model's own list (Wilson). `None` where too few
    /// were referred to be shown, or too few came from one side.
    pub from_model: Option<Estimate>,
    /// What that means.
    pub closed_loop: ClosedLoop,
}

/// The cases of one referral source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferralSource {
    /// The source; `None` is those who were not referred.
    pub source: Option<String>,
    /// Whether it is a model's own list.
    pub from_model: bool,
    /// Outcomes and scores. `None` where held back: too few, or too few could be worked out from it.
    pub cases: Option<Side>,
}

/// How far a label is fed by the model's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedLoop {
    /// All referrals came from the list: whom the model does not name nobody refers, so no later model can
    /// learn of them.
    Closed,
    /// Clearly more than half did: the lower end of the interval is above one half.
    Mostly,
    /// Some did, and it is not clear that it was more than half.
    Partly,
    /// None did.
    Open,
    /// Too few cases were referred to say.
    CannotTell,
}

impl ClosedLoop {
    /// In a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Closed => {
                "CLOSED LOOP: all referrals came from the model's own list. The label now says whom the model \
                 named; a later model would learn from this one's choices."
            }
            Self::Mostly => {
                "Mostly closed: more than half of the referrals came from the model's own list. Compare outcomes \
                 with a random sample before training on this label."
            }
            Self::Partly => "Some referrals came from the model's own list.",
            Self::Open => "No referral came from the model's own list.",
            Self::CannotTell => "Too few cases were referred to say how many came from the model's own list.",
        }
    }
}

impl ReferralReport {
    pub(super) fn of(cases: &LabelCases<'_>, referrals: &Referrals<'_>, least: u64) -> Self {
        let is_model = |source: &str| referrals.from_model.contains(&source);
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for source in referrals.sources.iter().flatten() {
            *counts.entry(source).or_default() += 1;
        }
        let referred: u64 = counts.values().sum();
        let alone = referrals.sources.len() as u64 - referred;
        let mut kinds: Vec<(Option<&str>, u64)> =
            counts.iter().map(|(&source, &n)| (Some(source), n)).collect();
        if alone > 0 {
            kinds.push((None, alone));
        }
        let sizes: Vec<u64> = kinds.iter().map(|&(_, n)| n).collect();
        let sources = kinds.iter().zip(held_back(&sizes, least)).map(|(&(source, _), held)| ReferralSource {
            source: source.map(str::to_owned),
            from_model: source.is_some_and(is_model),
            cases: (!held).then(|| cases.side(|row| referrals.sources[row] == source)),
        });
        let of_model: u64 = counts.iter().filter(|(source, _)| is_model(source)).map(|(_, n)| n).sum();
        let share = if referred < least { None } else { wilson(of_model, referred) };
        // All and none give no single person away; a few against many would.
        let few = |part: u64| part > 0 && part < least;
        let shown = share.filter(|_| !few(of_model) && !few(referred - of_model));
        let closed_loop = match share {
            None => ClosedLoop::CannotTell,
            Some(_) if of_model == referred => ClosedLoop::Closed,
            Some(_) if of_model == 0 => ClosedLoop::Open,
            Some(share) if share.interval.low > 0.5 => ClosedLoop::Mostly,
            Some(_) => ClosedLoop::Partly,
        };
        Self { referred, sources: sources.collect(), from_model: shown, closed_loop }
    }
}
