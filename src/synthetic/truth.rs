//! What was put into the council on purpose, so that a model and an audit can be held against it.

use std::fmt;

use serde::Serialize;

use super::needs::Need;
use super::rates::OVER_RECORDING;
use crate::calendar::Day;
use crate::features::Scope;

/// A planted effect: while the need is there, the hazard of an episode of need is `exp(log_odds)` times
/// as high.
///
/// The need itself is in no file. What it writes into `kinds` of `source` is near three records a year
/// for every need, so a model on counts of records finds the effects smaller than planted, but in order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlantedEffect {
    /// The need.
    pub need: &'static str,
    /// The file that mainly shows it.
    pub source: &'static str,
    /// The kinds of record in that file.
    pub kinds: &'static [&'static str],
    /// Whose records to count.
    pub scope: Scope,
    /// Planted size on the log scale; negative protects, zero means that the records say nothing.
    pub log_odds: f64,
    /// In words.
    pub words: &'static str,
}

/// A planted fault of one source for one group of people. It is in no coverage list: an audit must find it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlantedBias {
    /// Column of the protected file.
    pub characteristic: &'static str,
    /// The values of that column that are hit.
    pub group: &'static [&'static str],
    /// The file with the fault.
    pub source: &'static str,
    /// How many times the right number of records the file holds for the group.
    pub factor: f64,
    /// In words.
    pub words: &'static str,
}

/// Everything planted in a council. Its `Display` is a table.
///
/// # Examples
/// ```
/// use earlyhelp::synthetic::CouncilParams;
/// let council = CouncilParams::new(2_000, 1).generate()?;
/// let largest = council.truth().effects.first().ok_or("no effect")?;
/// assert_eq!((largest.need, largest.source), ("domestic_abuse", "domestic_abuse"));
/// assert!(council.truth().to_string().contains("youth_activity"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Truth {
    /// Planted effects, the largest first.
    pub effects: Vec<PlantedEffect>,
    /// Planted faults of sources.
    pub biases: Vec<PlantedBias>,
}

impl Truth {
    pub(super) fn planted() -> Self {
        use Scope::{Household, Own};
        let effect = |need: Need, name, source, kinds, scope, words| PlantedEffect {
            need: name,
            source,
            kinds,
            scope,
            log_odds: need.log_odds(),
            words,
        };
        let effects = vec![
            effect(
                Need::DomesticAbuse,
                "domestic_abuse",
                "domestic_abuse",
                &["domestic_abuse_notification"],
                Household,
                "abuse between adults in the home; the largest effect",
            ),
            effect(
                Need::Offending,
                "offending",
                "police",
                &["police_incident"],
                Household,
                "someone in the home offends",
            ),
            effect(
                Need::SubstanceUse,
                "parental_substance_use",
                "health",
                &["substance_referral"],
                Household,
                "a carer referred for alcohol or drugs",
            ),
            effect(
                Need::Housing,
                "housing_instability",
                "housing",
                &["arrears_snapshot", "tenancy_warning", "homelessness_application"],
                Household,
                "the home may be lost",
            ),
            effect(
                Need::SchoolDisengagement,
                "school_disengagement",
                "suspensions",
                &["suspension", "permanent_exclusion"],
                Own,
                "the child turns away from school; seen in attendance too",
            ),
            effect(
                Need::Financial,
                "financial_hardship",
                "benefits",
                &["council_tax_arrears"],
                Household,
                "bills that cannot be paid; the smallest effect",
            ),
            effect(
                Need::MentalHealth,
                "parental_mental_health",
                "health",
                &["mental_health_referral"],
                Household,
                "a carer seeks help; planted to say nothing about need",
            ),
            effect(
                Need::YouthActivity,
                "youth_activity",
                "youth_activity",
                &["youth_activity"],
                Own,
                "the child goes to a club; protects",
            ),
        ];
        let biases = vec![
            PlantedBias {
                characteristic: "ethnicity",
                group: &["BCRB", "BAFR", "BOTH"],
                source: "police",
                factor: OVER_RECORDING,
                words: "police record more incidents for the same need; the outcome does not depend on ethnicity",
            },
            PlantedBias {
                characteristic: "area",
                group: &["Area 07"],
                source: "domestic_abuse",
                factor: 0.0,
                words: "the area's notifications never arrive, and nothing says so",
            },
        ];
        Self { effects, biases }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24}{:<16}{:<11}{:>8}  in words", "need", "source", "scope", "log-odds")?;
        for effect in &self.effects {
            let scope = match effect.scope {
                Scope::Own => "own",
                Scope::Household => "household",
            };
            let PlantedEffect { need, source, log_odds, words, .. } = effect;
            writeln!(f, "{need:<24}{source:<16}{scope:<11}{log_odds:>8.2}  {words}")?;
        }
        writeln!(f, "\n{:<16}{:<18}{:<16}{:>8}  in words", "characteristic", "group", "source", "factor")?;
        for PlantedBias { characteristic, group, source, factor, words } in &self.biases {
            let group = group.join(" ");
            writeln!(f, "{characteristic:<16}{group:<18}{source:<16}{factor:>8.2}  {words}")?;
        }
        Ok(())
    }
}

/// From when to when a source holds records, as the council declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SourceCoverage {
    /// The file.
    pub source: &'static str,
    /// First day with complete records. Spells that were open on it keep their true, earlier start.
    pub from: Day,
    /// First day not covered any more: nothing known on it or later is in the file.
    pub to: Day,
    /// The day on which the newest record became known.
    pub last_updated: Day,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_stand_in_order_and_clearly_apart() {
        let effects = Truth::planted().effects;
        for pair in effects.windows(2) {
            assert!(pair[0].log_odds - pair[1].log_odds > 0.19, "{} and {}", pair[0].need, pair[1].need);
        }
    }

    #[test]
    fn the_table_has_a_line_for_everything() {
        let truth = Truth::planted();
        let lines = truth.to_string().lines().count();
        assert_eq!(lines, 1 + truth.effects.len() + 2 + truth.biases.len());
    }
}
