//! One scored case: what a practitioner reads.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::provenance::Provenance;
use crate::calendar::AsOf;
use crate::evaluate::{Estimate, Interval};
use crate::features::{Cell, Feature, Scope};
use crate::known_to::{IsKnown, KnownMark};
use crate::model::{Candidate, RiskScore};
use crate::records::RecordReference;
use crate::{sentences, words};

/// A case with its score, its explanation and its provenance. None of them can be had without the others: a
/// scored case comes from [`Scores::case`](super::Scores::case) or [`Scorer::score_one`](super::Scorer::score_one), has no
/// public fields, and is never read from a file.
///
/// # What does not compile
/// A case can be written out:
/// ```
/// # use earlyhelp::scoring::ScoredCase;
/// fn needs<T: serde::Serialize>() {}
/// needs::<ScoredCase>();
/// ```
/// and cannot be read back in as if it had been computed:
/// ```compile_fail,E0277
/// # use earlyhelp::scoring::ScoredCase;
/// fn needs<T: serde::de::DeserializeOwned>() {}
/// needs::<ScoredCase>();
/// ```
/// Its score is read through it:
/// ```
/// # use earlyhelp::scoring::ScoredCase;
/// fn ranks_above(case: &ScoredCase, other: &ScoredCase) -> bool {
///     case.score() > other.score()
/// }
/// ```
/// and cannot be taken out of it, or put into another case:
/// ```compile_fail,E0616
/// # use earlyhelp::scoring::ScoredCase;
/// fn ranks_above(case: &ScoredCase, other: &ScoredCase) -> bool {
///     case.score > other.score
/// }
/// ```
/// The score by itself cannot be written out as a number; the whole case can:
/// ```
/// # use earlyhelp::scoring::ScoredCase;
/// fn written(case: &ScoredCase) -> serde_json::Result<serde_json::Value> {
///     serde_json::to_value(case)
/// }
/// ```
/// ```compile_fail,E0277
/// # use earlyhelp::scoring::ScoredCase;
/// fn written(case: &ScoredCase) -> serde_json::Result<serde_json::Value> {
///     serde_json::to_value(case.score())
/// }
/// ```
#[derive(Clone, PartialEq, Serialize)]
pub struct ScoredCase {
    pub(super) entity: String,
    /// The day of the case's own that it is seen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen_on: Option<AsOf>,
    pub(super) band: ShownBand,
    pub(super) chance: Option<Chance>,
    #[serde(serialize_with = "as_log_odds")]
    pub(super) score: RiskScore,
    pub(super) average: f64,
    pub(super) contributions: Vec<Contribution>,
    pub(super) absent: Vec<Absence>,
    pub(super) cannot_see: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) known_to: Vec<KnownMark>,
    #[serde(rename = "audit")]
    pub(super) provenance: Provenance,
}

/// A scored case with its place in the ranking of its cohort, from [`Scores::case`](super::Scores::case). Whoever is asked about
/// alone ([`Scorer::score_one`](super::Scorer::score_one)) has none.
///
/// # Examples
/// ```
/// use earlyhelp::scoring::RankedCase;
///
/// fn says(case: &RankedCase) -> String {
///     format!("{} of {}: {}", case.rank(), case.of(), case.entity())
/// }
/// ```
#[derive(Clone, PartialEq, Serialize)]
pub struct RankedCase {
    pub(super) rank: u32,
    pub(super) of: u32,
    pub(super) stability: Option<Stability>,
    #[serde(flatten)]
    pub(super) case: ScoredCase,
}

impl std::ops::Deref for RankedCase {
    type Target = ScoredCase;

    fn deref(&self) -> &ScoredCase {
        &self.case
    }
}

impl RankedCase {
    /// Its place in the ranking of its cohort, from 1.
    #[must_use]
    pub fn rank(&self) -> u32 {
        self.rank
    }

    /// How many cases of the cohort were scored.
    #[must_use]
    pub fn of(&self) -> u32 {
        self.of
    }

    /// How sure the ranking is of the case; `None` where the model has no refits.
    #[must_use]
    pub fn stability(&self) -> Option<Stability> {
        self.stability
    }

    /// The case without its rank.
    #[must_use]
    pub fn case(&self) -> &ScoredCase {
        &self.case
    }

    /// Gives the run another name: see [`Provenance::run_id`].
    pub(crate) fn name_run(&mut self, run: &str) {
        run.clone_into(&mut self.case.provenance.run_id);
    }
}

crate::opaque_debug!(RankedCase);

/// Auditors need the score of a whole case to check that its contributions add up to it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn as_log_odds<S: Serializer>(score: &RiskScore, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(score.log_odds())
}

/// The band that a score lies in, and what came of such cases in the backtest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShownBand {
    /// The band's name.
    pub name: String,
    /// The share of cases in this band that had the outcome, in the backtest.
    pub observed: Estimate,
    /// The share among all cases there.
    pub average: Estimate,
}

/// The chance of the outcome that a score speaks of. It is shown only where chances passed their own check
/// in the backtest, and only up to the mean chance of the check's highest tenth of cases: above it nothing
/// was measured finely enough. The band is always shown.
///
/// A chance is there to be read, with its interval; no program gets it as a number to hold against a
/// threshold. Printing it compiles:
/// ```
/// # use earlyhelp::scoring::Chance;
/// fn says(chance: Chance) -> String {
///     format!("{chance}")
/// }
/// ```
/// Cutting at it does not:
/// ```compile_fail,E0616
/// # use earlyhelp::scoring::Chance;
/// fn says(chance: Chance) -> String {
///     format!("{}", chance.value > 0.5)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// The chance, 0 to 1.
    pub(crate) value: f64,
    /// Its 95% interval, over refits on redrawn families.
    pub(crate) interval: Interval,
}

impl fmt::Display for Chance {
    /// In percent, with its interval: `12% (8% to 17%)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, low, high] =
            [self.value, self.interval.low, self.interval.high].map(|share| 100.0 * share);
        write!(f, "{value:.0}% ({low:.0}% to {high:.0}%)")
    }
}

/// How sure the ranking is of a case: in how many refits on redrawn families it would be on a list of the
/// backtest's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stability {
    /// In so many refits.
    pub kept_in: u32,
    /// Out of so many.
    pub refits: u32,
    /// The length of the list.
    pub capacity: u32,
}

/// What one term of the model adds to a case's score, in words and figures.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Contribution {
    /// The features' names: one, or the two of a pair.
    pub features: Vec<String>,
    /// What it is about, in plain words.
    pub label: String,
    /// What the features say of the case.
    pub values: Vec<Cell>,
    /// Their units.
    pub units: Vec<String>,
    /// What the values stand for where they are codes, in the project's words; empty where a value is none. No entry where
    /// none of the features is of codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Whether it is about the case's own records or those of others in the household (association is
    /// never hidden).
    pub scope: Scope,
    /// Whether it rests on somebody having asked for help.
    pub help_seeking: bool,
    /// What it adds to the average case's score, in log-odds: above zero it raises the score.
    pub log_odds: f64,
    /// Its 95% interval, over refits on redrawn families; `None` where the model has none.
    pub interval: Option<Interval>,
    /// So many records that it would have rested on have no value that could be read, so that its values are of the others
    /// alone: a sum may be too low. 0 where the case was computed again from a ledger, which keeps no records.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_value: usize,
    /// What the features say of the case, in a sentence or, of a pair, two.
    pub words: String,
    /// What the records behind it are, where they differ (`2 as victim, 1 as suspect`). Empty where there is nothing to
    /// add, and where the case was computed again from a ledger.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How usual that is in the cohort, in a sentence. Empty of a pair, of a cohort too small to say, and where the case was
    /// computed again from a ledger.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub usual: String,
    /// The records it rests on; empty where the case was computed again from a ledger, which keeps none.
    pub records: Vec<RecordReference>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
pub(crate) fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Contribution {
    /// What a term adds to a case of these cells, in words; interval and records are the caller's to add.
    pub(super) fn of(
        candidate: &Candidate,
        term: usize,
        cell: impl Fn(usize) -> Cell,
        log_odds: f64,
        seen_on: AsOf,
    ) -> Self {
        let features = candidate.features().features();
        let (of, values): (Vec<&Feature>, Vec<Cell>) =
            candidate.model().places(term).map(|place| (&features[place], cell(place))).unzip();
        let household = of.iter().any(|feature| feature.scope == Scope::Household);
        Self {
            features: of.iter().map(|feature| feature.name.clone()).collect(),
            label: of.iter().map(|feature| feature.label.as_str()).collect::<Vec<_>>().join(" and "),
            words: words(&of, &values, seen_on, (0, is_unlearnt(candidate, term, &of, &values))),
            detail: String::new(),
            usual: String::new(),
            codes: codes_of(&of, &values),
            values,
            units: of.iter().map(|feature| feature.unit.clone()).collect(),
            scope: if household { Scope::Household } else { Scope::Own },
            help_seeking: of.iter().any(|feature| feature.help_seeking),
            log_odds,
            interval: None,
            without_value: 0,
            records: Vec::new(),
        }
    }

    /// The same, beside so many records without a value.
    pub(super) fn without_values(
        mut self,
        candidate: &Candidate,
        term: usize,
        records: usize,
        seen_on: AsOf,
    ) -> Self {
        let features = candidate.features().features();
        let of: Vec<&Feature> = candidate.model().places(term).map(|place| &features[place]).collect();
        let unlearnt = is_unlearnt(candidate, term, &of, &self.values);
        self.words = words(&of, &self.values, seen_on, (records, unlearnt));
        self.without_value = records;
        self
    }

    /// Which way it moves the score, as a sentence.
    #[must_use]
    pub fn effect(&self) -> &'static str {
        sentences::effect(self.log_odds)
    }

    /// All that is said of it: the sentence with the detail of its records, how usual that is, and which way it moves the
    /// score.
    #[must_use]
    pub fn paragraph(&self) -> String {
        let mut text = self.words.trim_end_matches('.').to_owned();
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text.push('.');
        for more in [&words::sentence(&self.usual), self.effect()] {
            if !more.is_empty() {
                text.push(' ');
                text.push_str(more);
            }
        }
        text
    }

    /// The same with half the width of its interval, where the model knows it.
    pub(super) fn within(mut self, reach: Option<f64>) -> Self {
        self.interval =
            reach.map(|reach| Interval { low: self.log_odds - reach, high: self.log_odds + reach });
        self
    }
}

/// A feature for which there is no value.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Absence {
    /// The feature's name.
    pub feature: String,
    /// What it is about.
    pub label: String,
    /// Missing, or not covered.
    pub why: Cell,
    /// Whether training saw enough such cases to learn what it means; if not, it counts as an average
    /// value, which is not the same as safe.
    pub learnt: bool,
}

impl ScoredCase {
    /// The pseudonymous id. Putting a name to it is the caller's act.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// The day that its features are of: the run's as-of date, or the case's own day before it
    /// ([`OwnDay`](crate::cohort::OwnDay)).
    #[must_use]
    pub fn seen_on(&self) -> AsOf {
        self.seen_on.unwrap_or(self.provenance.as_of)
    }

    /// The day of its own that it is seen on.
    pub(crate) fn own_day(&self) -> Option<AsOf> {
        self.seen_on
    }

    /// Whether it is seen on a day of its own.
    pub(crate) fn has_own_day(&self) -> bool {
        self.seen_on.is_some()
    }

    /// The band.
    #[must_use]
    pub fn band(&self) -> &ShownBand {
        &self.band
    }

    /// The chance that the score speaks of; `None` where chances failed their own check in the backtest, or
    /// the model has no refits.
    #[must_use]
    pub fn chance(&self) -> Option<Chance> {
        self.chance
    }

    /// The score, to compare with another case's.
    #[must_use]
    pub fn score(&self) -> RiskScore {
        self.score
    }

    /// The average case's score in training, in log-odds: where the sum of contributions starts.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.average
    }

    /// What makes the score, the largest part first.
    #[must_use]
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// What was missing or not covered.
    #[must_use]
    pub fn absent(&self) -> &[Absence] {
        &self.absent
    }

    /// What the model cannot see.
    #[must_use]
    pub fn cannot_see(&self) -> &[String] {
        &self.cannot_see
    }

    /// Which services the case is known to already, as far as records say; empty where the project does not say what that
    /// means.
    #[must_use]
    pub fn known_to(&self) -> &[KnownMark] {
        &self.known_to
    }

    /// Whether the case is known to a service already, whichever it is; `None` where the project does not say what that means.
    #[must_use]
    pub fn is_known(&self) -> Option<IsKnown> {
        (!self.known_to.is_empty()).then(|| IsKnown::any(self.known_to.iter().map(|mark| mark.known)))
    }

    /// Where the score comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// Whether a term is of a code that training did not know, or saw with too few families to learn from.
fn is_unlearnt(candidate: &Candidate, term: usize, features: &[&Feature], cells: &[Cell]) -> bool {
    let ([feature], [cell]) = (features, cells) else { return false };
    let (Some(codes), Some(value)) = (feature.measure.codes(), cell.value()) else { return false };
    value as usize >= codes.len() || candidate.model().terms()[term].is_uncounted(*cell)
}

/// What cells stand for, where one of the features is of codes.
fn codes_of(features: &[&Feature], cells: &[Cell]) -> Vec<String> {
    if features.iter().all(|feature| feature.measure.codes().is_none()) {
        return Vec::new();
    }
    features
        .iter()
        .zip(cells)
        .map(|(feature, &cell)| feature.code(cell).unwrap_or_default().to_owned())
        .collect()
}

/// `Domestic abuse notices about others in the home in the last year: 2.`
fn words(
    features: &[&Feature],
    cells: &[Cell],
    seen_on: AsOf,
    (without_value, is_unlearnt): (usize, bool),
) -> String {
    let said: Vec<String> =
        features.iter().zip(cells).map(|(feature, &cell)| sentences::of(feature, cell, seen_on)).collect();
    let mut text = said.join(". ");
    if without_value > 0 {
        text.push_str(&format!(" ({})", sentences::without_value(without_value)));
    }
    text.push('.');
    if is_unlearnt {
        text.push(' ');
        text.push_str(sentences::unlearnt());
    }
    text
}

crate::opaque_debug!(ScoredCase);

crate::opaque_debug!(Contribution);

crate::opaque_debug!(Absence);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Lookback;
    use crate::features::{Cell, Feature, Measure};
    use crate::records::Selector;

    #[test]
    fn a_pair_has_two_sentences_and_a_code_that_was_not_learnt_its_caution() {
        let feature =
            |source: &str| Feature::new(Selector::source(source), Measure::Count, Lookback::Days(365));
        let (police, school) = (feature("police").label("Police"), feature("school").noun("visit", "visits"));
        let on = AsOf::new("2025-04-01".parse().unwrap());
        let cells = [Cell::Value(1.0), Cell::Value(1_204.0)];
        assert_eq!(
            words(&[&police, &school], &cells, on, (2, false)),
            "1 record of police in the last year. 1,204 visits in the last year (2 records without a value not counted)."
        );
        let caution = words(&[&school], &[Cell::Value(0.0)], on, (0, true));
        assert!(caution.starts_with("No visits in the last year. Too few families"), "{caution}");
        assert!(caution.ends_with("not the same as safe."), "{caution}");
    }

    #[test]
    fn a_chance_says_its_interval_in_percent() {
        let chance = Chance { value: 0.123, interval: Interval { low: 0.08, high: 0.1749 } };
        assert_eq!(chance.to_string(), "12% (8% to 17%)");
    }
}
