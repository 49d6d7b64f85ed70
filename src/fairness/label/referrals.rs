//! Where referrals came from: a model that is fed by its own list learns from itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::helped::Helped;
use super::{LabelCases, Side};
use crate::calendar::{AsOf, Horizon};
use crate::cohort::Cohort;
use crate::error::SpecError;
use crate::fairness::audit::{few_of_either, held_back, hold_back_parts};
use crate::fairness::people::RowPeople;
use crate::outcome::OutcomeSpec;
use crate::records::Selector;
use crate::stats::{Estimate, wilson};

/// The records which mean that one source referred somebody: a `[[referral]]` of a project file.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::label::ReferralSource;
///
/// let list: ReferralSource = toml::from_str(
///     r#"
/// name = "risk list"
/// records = [{ source = "contacts", kinds = ["risk_list"] }]
/// from_model = true
/// "#,
/// )?;
/// assert!(list.from_model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReferralSource {
    /// Its name, such as `school`.
    pub name: String,
    /// Any of these records within the horizon means that it referred the case.
    pub records: Vec<Selector>,
    /// Whether it stands for a model's own list.
    #[serde(default)]
    pub from_model: bool,
}

/// Who referred the cases of some cohorts within a horizon, read from records exactly as an outcome is. A case
/// with records of several sources counts under the first of them in the order in which they are given.
pub struct Referred {
    sources: Vec<(ReferralSource, Helped)>,
}

crate::opaque_debug!(Referred);

impl Referred {
    /// Looks for the sources' records in the horizon after each cohort's date.
    ///
    /// # Errors
    /// As for [`Helped::within`]; [`SpecError::Invalid`] where two sources have one name.
    pub fn within(
        cohorts: &[Cohort<'_>],
        sources: &[ReferralSource],
        horizon: Horizon,
    ) -> Result<Self, SpecError> {
        let mut found: Vec<(ReferralSource, Helped)> = Vec::new();
        for source in sources {
            let of = format!("referral {}", source.name);
            if found.iter().any(|(held, _)| held.name == source.name) {
                return Err(SpecError::Invalid { of, why: "it is there twice".into() });
            }
            let referral = OutcomeSpec::any(of, "A referral", source.records.iter().cloned(), horizon);
            found.push((source.clone(), Helped::of(cohorts, &referral)?));
        }
        Ok(Self { sources: found })
    }

    /// The source that referred each case (a date and a pseudonymous id), if one did; `None` where there was
    /// no cohort of a date.
    #[must_use]
    pub fn sources(&self, cases: &[(AsOf, &str)]) -> Option<Vec<Option<&str>>> {
        let mut of_case = vec![None; cases.len()];
        for (source, referred) in &self.sources {
            for (held, referred) in of_case.iter_mut().zip(referred.mask(cases)?) {
                if referred && held.is_none() {
                    *held = Some(source.name.as_str());
                }
            }
        }
        Some(of_case)
    }

    /// The names of the sources that stand for a model's own list.
    #[must_use]
    pub fn from_model(&self) -> Vec<&str> {
        self.sources.iter().filter(|(source, _)| source.from_model).map(|(source, _)| &*source.name).collect()
    }
}

/// How cases were referred to the service that records the outcome.
#[derive(Debug, Clone, Copy)]
pub struct Referrals<'a> {
    /// The source of each case's referral, such as `school`; `None` where it was not referred.
    pub sources: &'a [Option<&'a str>],
    /// The sources that stand for a model's own list.
    pub from_model: &'a [&'a str],
}

/// Outcomes by referral source, and how much came from the model's own list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReferralReport {
    /// How many cases were referred.
    pub referred: u64,
    /// Each source by name, then those not referred.
    pub sources: Vec<ReferralCases>,
    /// Of the cases referred, the share that came from the model's own list (Wilson). `None` where too few
    /// were referred to be shown, or too few came from one side.
    pub from_model: Option<Estimate>,
    /// What that means.
    pub closed_loop: ClosedLoop,
}

/// The cases of one referral source.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReferralCases {
    /// The source; `None` is those who were not referred.
    pub source: Option<String>,
    /// Whether it is a model's own list.
    pub from_model: bool,
    /// Outcomes and scores. `None` where held back: too few, or too few could be worked out from it.
    pub cases: Option<Side>,
}

/// How far a label is fed by the model's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    pub(super) fn of(
        (cases, people): (&LabelCases<'_>, &RowPeople),
        referrals: &Referrals<'_>,
        least: u64,
    ) -> Self {
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
        let rows = referrals.sources.len();
        let kind = |row: usize| kinds.iter().position(|&(source, _)| source == referrals.sources[row]);
        let of_row: Vec<usize> = (0..rows).filter_map(kind).collect();
        let held = held_back(&people.sizes(rows, kinds.len(), |row| of_row[row]), least);
        let sides: Vec<Side> =
            kinds.iter().map(|&(source, _)| cases.side(|row| referrals.sources[row] == source)).collect();
        let mut withheld = held.clone();
        let outcomes = &cases.cases.outcomes;
        hold_back_parts(
            &people.parted(rows, kinds.len(), |row| Some((of_row[row], outcomes[row]))),
            &mut withheld,
            least,
        );
        let sources = kinds.iter().zip(sides).zip(held).zip(withheld).map(
            |(((&(source, _), mut side), held), withheld)| {
                if withheld {
                    side.withhold();
                }
                ReferralCases {
                    source: source.map(str::to_owned),
                    from_model: source.is_some_and(is_model),
                    cases: (!held).then_some(side),
                }
            },
        );
        let of_model: u64 = counts.iter().filter(|(source, _)| is_model(source)).map(|(_, n)| n).sum();
        let by_model = |row: usize| Some((0, is_model(referrals.sources[row]?)));
        let referred_people = people.distinct((0..rows).filter(|&row| by_model(row).is_some()));
        let share = if referred_people < least { None } else { wilson(of_model, referred) };
        // All and none give no single person away; a few against many would.
        let parted = people.parted(rows, 1, by_model);
        let shown = share.filter(|_| !parted.iter().any(|people| few_of_either(people.parts, least)));
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
