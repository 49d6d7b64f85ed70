//! Cases that are not scored, and why: a score that rests on nothing is worse than none.

use serde::{Deserialize, Serialize};

use crate::calendar::AsOf;
use crate::error::ScoringError;
use crate::features::{Cell, FeatureMatrix, Scope};
use crate::model::{AdditiveModel, Candidate};
use crate::records::Coverage;

/// When a case is not scored.
///
/// A term is *important* if it makes up at least a twentieth of all contributions in training. Only
/// important terms count here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Abstention {
    /// A value is outside the range of training (0.1% to 99.9%) if it lies further from that range than this
    /// many times its width. The default, 1, spares the highest values that are merely rare, which are those
    /// of the families in greatest need.
    pub widths_outside: f64,
    /// A case is too thin, or too stale, where more than this share of the importance rests on features
    /// that its sources do not cover, that are missing, or whose sources are out of date. Missing counts where
    /// it means that something is not known (the household, the age), or where the model never learnt what it
    /// means; "no last visit, for there was none" is knowledge. The default is one half: beyond it
    /// the score would say more about the records than about the family.
    pub unknown_share: f64,
    /// A source whose extract ends more than this many days before the as-of date is out of date. The
    /// default, 92, is a quarter: the slowest of the usual extracts.
    pub stale_days: u32,
}

impl Default for Abstention {
    fn default() -> Self {
        Self { widths_outside: 1.0, unknown_share: 0.5, stale_days: 92 }
    }
}

impl Abstention {
    /// Refuses a rule that is none.
    pub(super) fn check(&self) -> Result<(), ScoringError> {
        let wrong =
            |what: &str| Err(ScoringError::Request(format!("the rule of abstention is none: {what}")));
        if !self.widths_outside.is_finite() {
            return wrong("`widths_outside` is a finite number");
        }
        if !(self.unknown_share.is_finite() && self.unknown_share <= 1.0) {
            return wrong("`unknown_share` is at most 1");
        }
        Ok(())
    }

    /// Whether some case would be scored by this rule that is not by the other.
    pub(super) fn is_looser_than(&self, other: Self) -> bool {
        self.widths_outside > other.widths_outside
            || self.unknown_share > other.unknown_share
            || self.stale_days > other.stale_days
    }
}

/// A case that was not scored.
#[derive(Clone, PartialEq, Serialize)]
pub struct NotScored {
    pub(super) entity: String,
    pub(super) reason: WhyNot,
}

crate::opaque_debug!(NotScored);

impl NotScored {
    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &WhyNot {
        &self.reason
    }
}

/// Why a case was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyNot {
    /// A feature that matters has a value far from any that the model was trained on.
    Outside {
        /// The feature's label.
        feature: String,
    },
    /// Most of what the model reads is missing or not covered for this case.
    Thin {
        /// The labels of the features that are not known.
        features: Vec<String>,
    },
    /// Most of what the model reads comes from sources that are out of date.
    Stale {
        /// The sources.
        sources: Vec<String>,
    },
}

impl WhyNot {
    /// The reason as a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Outside { feature } => {
                format!(
                    "Outside what the model was trained on: \"{feature}\" has a value far from any seen there."
                )
            }
            Self::Thin { features } => format!(
                "Too little is known: most of what the model reads is missing or not covered for this case ({}).",
                features.join("; ")
            ),
            Self::Stale { sources } => format!(
                "Out of date: most of what the model reads comes from sources that were not brought up to date in time ({}).",
                sources.join(", ")
            ),
        }
    }
}

/// The share of all contributions from which a term is important.
const IMPORTANT: f64 = 0.05;

/// Whether no term of a feature learnt what a missing value means: it then counts as an average one.
fn is_blind_to_missing(model: &AdditiveModel, place: usize) -> bool {
    (0..model.terms().len())
        .filter(|&term| model.places(term).any(|held| held == place))
        .all(|term| model.terms()[term].is_blind_to(Cell::Missing))
}

/// What is looked at of every case on a date, to say whether it is scored.
pub(crate) struct Gate<'m> {
    pub(crate) features: Vec<Watched<'m>>,
    pub(crate) rule: Abstention,
}

/// A feature of an important term.
pub(crate) struct Watched<'m> {
    pub(crate) place: usize,
    label: &'m str,
    source: &'m str,
    /// What share of the importance rests on it.
    pub(crate) share: f64,
    /// How many codes there are, where its values are codes without an order.
    pub(crate) codes: Option<usize>,
    /// Values beyond these are outside.
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_stale: bool,
    /// Of others in the household: missing where no household is known.
    pub(crate) is_of_household: bool,
    /// Whether a missing value means that something is not known, whatever the household.
    pub(crate) missing_is_unknown: bool,
}

impl<'m> Gate<'m> {
    /// `coverage`: what a source covers, by its name.
    pub(crate) fn new<'c>(
        candidate: &'m Candidate,
        (as_of, coverage): (AsOf, impl Fn(&str) -> Option<&'c Coverage>),
        rule: Abstention,
    ) -> Self {
        let model = candidate.model();
        let importance = &candidate.training().importance;
        let total: f64 = importance.iter().sum();
        let mut shares = vec![0.0; candidate.features().features().len()];
        for (term, importance) in importance.iter().enumerate() {
            let places: Vec<usize> = model.places(term).collect();
            if *importance >= IMPORTANT * total {
                for &place in &places {
                    shares[place] += importance / places.len() as f64;
                }
            }
        }
        let watched: f64 = shares.iter().sum();
        let stale = |source: &str| {
            let ends = coverage(source).and_then(|held| [held.to, held.updated].into_iter().flatten().min());
            let days = i32::try_from(rule.stale_days).unwrap_or(i32::MAX);
            ends.is_some_and(|ends| ends + days < as_of.day())
        };
        let features = candidate
            .features()
            .features()
            .iter()
            .enumerate()
            .filter(|(place, _)| shares[*place] > 0.0)
            .map(|(place, feature)| {
                let quantiles =
                    candidate.training().ranges.get(place).map_or(&[][..], |range| &range.quantiles);
                let codes = feature.measure.codes().map(<[String]>::len);
                let (from, to) = match quantiles {
                    // Of codes there is no outside, but those that are none of them.
                    [low, .., high] if codes.is_none() => {
                        let reach = rule.widths_outside * (high - low);
                        (low - reach, high + reach)
                    }
                    _ => (f64::NEG_INFINITY, f64::INFINITY),
                };
                Watched {
                    place,
                    label: &feature.label,
                    source: &feature.records.source,
                    share: shares[place] / watched,
                    codes,
                    from,
                    to,
                    is_stale: stale(&feature.records.source),
                    is_of_household: feature.scope == Scope::Household,
                    missing_is_unknown: feature.measure.is_of_people() || is_blind_to_missing(model, place),
                }
            })
            .collect();
        Self { features, rule }
    }

    /// Why a case is not scored, if it is not; `has_household`: whether a household of it is known.
    pub(super) fn refuses(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        has_household: impl FnOnce() -> bool,
    ) -> Option<WhyNot> {
        let cell = |watched: &Watched<'_>| matrix.cell(row, watched.place);
        let outside = self.features.iter().find(|watched| match cell(watched) {
            Cell::Value(value) => f64::from(value) < watched.from || f64::from(value) > watched.to,
            Cell::Missing | Cell::NotCovered => false,
        });
        if let Some(watched) = outside {
            return Some(WhyNot::Outside { feature: watched.label.to_owned() });
        }
        let has_household = has_household();
        let is_unknown = |watched: &Watched<'_>| match cell(watched) {
            // What a code says that training did not know is not known.
            Cell::Value(value) => watched.codes.is_some_and(|codes| value as usize >= codes),
            Cell::NotCovered => true,
            Cell::Missing => watched.missing_is_unknown || (watched.is_of_household && !has_household),
        };
        let unknown = || self.features.iter().filter(|watched| is_unknown(watched));
        if unknown().map(|watched| watched.share).sum::<f64>() > self.rule.unknown_share {
            return Some(WhyNot::Thin {
                features: unknown().map(|watched| watched.label.to_owned()).collect(),
            });
        }
        let stale = || self.features.iter().filter(|watched| watched.is_stale && !is_unknown(watched));
        if unknown().chain(stale()).map(|watched| watched.share).sum::<f64>() > self.rule.unknown_share {
            let mut sources: Vec<String> = stale().map(|watched| watched.source.to_owned()).collect();
            sources.sort_unstable();
            sources.dedup();
            return Some(WhyNot::Stale { sources });
        }
        None
    }
}
