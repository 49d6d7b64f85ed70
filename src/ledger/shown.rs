//! A listed case as the team saw it: what of a [`ScoredCase`] stands in a ledger.

use serde::{Deserialize, Serialize};

use crate::features::{Cell, Scope};
use crate::known_to::KnownMark;
use crate::records::RecordReference;
use crate::scoring::{
    Absence, CaseAgain, Chance, Contribution, CounterEvidence, RankedCase, ScoredCase, ShownBand, Stability,
};
use crate::stats::Interval;

/// A [`ScoredCase`] without its audit record, which the run's manifest has. Not public: it is read back, and a
/// scored case must never be.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownCase {
    pub(crate) entity: String,
    /// `None`, as of how many, where it was asked about alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rank: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<u32>,
    pub(crate) band: ShownBand,
    pub(crate) chance: Option<Chance>,
    pub(crate) stability: Option<Stability>,
    /// In log-odds. Written so that it reads back to the bit.
    pub(crate) score: f64,
    pub(crate) average: f64,
    pub(crate) contributions: Vec<ShownPart>,
    pub(crate) absent: Vec<Absence>,
    pub(crate) cannot_see: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) known_to: Vec<KnownMark>,
    /// Of a case that led a place.
    #[serde(default, skip_serializing_if = "CounterEvidence::is_empty")]
    pub(crate) counter: CounterEvidence,
}

crate::opaque_debug!(ShownCase);

/// What one term of the model added to a shown case.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownPart {
    pub(crate) features: Vec<String>,
    pub(crate) label: String,
    pub(crate) values: Vec<Cell>,
    pub(crate) units: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) help_seeking: bool,
    /// Entries of version 0.1.0 call it `points`.
    #[serde(alias = "points")]
    pub(crate) log_odds: f64,
    pub(crate) interval: Option<Interval>,
    #[serde(default, skip_serializing_if = "crate::scoring::is_zero")]
    pub(crate) without_value: usize,
    pub(crate) words: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) usual: String,
    pub(crate) records: Vec<RecordReference>,
}

crate::opaque_debug!(ShownPart);

impl ShownPart {
    fn of(part: &Contribution) -> Self {
        Self {
            features: part.features.clone(),
            label: part.label.clone(),
            values: part.values.clone(),
            units: part.units.clone(),
            codes: part.codes.clone(),
            scope: part.scope,
            help_seeking: part.help_seeking,
            log_odds: part.log_odds,
            interval: part.interval,
            without_value: part.without_value,
            words: part.words.clone(),
            detail: part.detail.clone(),
            usual: part.usual.clone(),
            records: part.records.clone(),
        }
    }
}

impl ShownCase {
    /// The case as a list shows it; `score` is its score in log-odds.
    pub(crate) fn ranked(case: &RankedCase, score: f64) -> Self {
        let (rank, of) = (Some(case.rank()), Some(case.of()));
        Self { rank, of, stability: case.stability(), ..Self::of(case, score) }
    }

    /// The case as it is shown to somebody who asks about it alone.
    pub(crate) fn of(case: &ScoredCase, score: f64) -> Self {
        Self {
            entity: case.entity().to_owned(),
            rank: None,
            of: None,
            band: case.band().clone(),
            chance: case.chance(),
            stability: None,
            score,
            average: case.average(),
            contributions: case.contributions().iter().map(ShownPart::of).collect(),
            absent: case.absent().to_vec(),
            cannot_see: case.cannot_see().to_vec(),
            known_to: case.known_to().to_vec(),
            counter: CounterEvidence::default(),
        }
    }

    /// The names of features that rest on one of the records (source and reference), in the order of the parts.
    pub(crate) fn features_that_read(&self, records: &[(String, String)]) -> Vec<String> {
        let is_one = |held: &RecordReference| {
            records.iter().any(|(source, reference)| {
                held.source == *source && held.reference.as_ref() == Some(reference)
            })
        };
        let reads = |part: &&ShownPart| part.records.iter().any(is_one);
        self.contributions.iter().filter(reads).flat_map(|part| part.features.iter().cloned()).collect()
    }

    /// The features and log-odds (as bits) of its parts, sorted.
    pub(crate) fn log_odds(&self) -> Vec<(&[String], u64)> {
        let bits = |part: &ShownPart| part.log_odds.to_bits();
        let mut parts: Vec<_> =
            self.contributions.iter().map(|part| (part.features.as_slice(), bits(part))).collect();
        parts.sort_unstable();
        parts
    }

    /// Whether all that can be made again from its cells is what was shown: everything but stability, how usual a value was
    /// in the cohort, and the records behind a reason with their detail.
    pub(crate) fn says_the_same(&self, again: &CaseAgain, cannot_see: &[String]) -> bool {
        let parts = self.contributions.iter().zip(&again.contributions).all(|(shown, again)| {
            let ShownPart { detail, usual, records, .. } = shown.clone();
            *shown == ShownPart { detail, usual, records, ..ShownPart::of(again) }
        });
        parts
            && self.contributions.len() == again.contributions.len()
            && (&self.band, self.chance, self.average) == (&again.band, again.chance, again.average)
            && self.absent == again.absent
            && self.cannot_see == cannot_see
    }

    /// The case in a few lines, with its largest parts; the list's page and its data hold the rest.
    pub(crate) fn in_words(&self) -> String {
        let rank = self.rank.zip(self.of).map(|(rank, of)| format!("rank {rank} of {of}, "));
        let mut text = format!("{}: {}{}\n", self.entity, rank.unwrap_or_default(), self.band.name);
        for part in self.contributions.iter().take(8) {
            text.push_str(&format!("  {:+.2}  {}\n", part.log_odds, part.words));
        }
        for mark in &self.known_to {
            text.push_str(&format!("Known already ({}): {}\n", mark.words, mark.known));
        }
        text.push_str("What the list cannot see:\n");
        for line in &self.cannot_see {
            text.push_str(&format!("  {line}\n"));
        }
        text
    }
}

/// What was said of a case, read back from a ledger: everything that people were shown, and nothing that could be shown as if it
/// had been computed now. It comes from [`RecordedCase::view`](super::RecordedCase::view).
///
/// # Examples
/// ```
/// use earlyhelp::ledger::CaseView;
///
/// fn print(case: CaseView<'_>) {
///     println!("{}: {} of scores", case.entity(), case.band().name);
///     for reason in case.reasons() {
///         println!("{:+.2}  {}", reason.log_odds(), reason.words());
///     }
///     for line in case.cannot_see() {
///         println!("  {line}");
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct CaseView<'c>(pub(super) &'c ShownCase);

crate::opaque_debug!(CaseView<'_>);

impl<'c> CaseView<'c> {
    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &'c str {
        &self.0.entity
    }

    /// Its place in the ranking of its cohort, from 1, and of how many; `None` where it was asked about alone.
    #[must_use]
    pub fn rank(&self) -> Option<(u32, u32)> {
        self.0.rank.zip(self.0.of)
    }

    /// The band that the score lay in.
    #[must_use]
    pub fn band(&self) -> &'c ShownBand {
        &self.0.band
    }

    /// The chance that the score spoke of, where one was shown.
    #[must_use]
    pub fn chance(&self) -> Option<Chance> {
        self.0.chance
    }

    /// How sure the ranking was of the case, where that was known.
    #[must_use]
    pub fn stability(&self) -> Option<Stability> {
        self.0.stability
    }

    /// The average case's score in training, in log-odds: where the sum of reasons starts.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.0.average
    }

    /// What made the score, the largest part first.
    pub fn reasons(&self) -> impl ExactSizeIterator<Item = ReasonView<'c>> {
        self.0.contributions.iter().map(ReasonView)
    }

    /// What was missing or not covered.
    #[must_use]
    pub fn absent(&self) -> &'c [Absence] {
        &self.0.absent
    }

    /// What the model could not see.
    #[must_use]
    pub fn cannot_see(&self) -> &'c [String] {
        &self.0.cannot_see
    }

    /// Which services the case was known to already.
    #[must_use]
    pub fn known_to(&self) -> &'c [KnownMark] {
        &self.0.known_to
    }

    /// What the score would have been without single records.
    #[must_use]
    pub fn counter_evidence(&self) -> &'c CounterEvidence {
        &self.0.counter
    }
}

/// What one term of the model added to a case's score, as people were shown it.
#[derive(Clone, Copy)]
pub struct ReasonView<'c>(&'c ShownPart);

crate::opaque_debug!(ReasonView<'_>);

impl<'c> ReasonView<'c> {
    /// The features' names: one, or the two of a pair.
    #[must_use]
    pub fn features(&self) -> &'c [String] {
        &self.0.features
    }

    /// What it is about, in plain words.
    #[must_use]
    pub fn label(&self) -> &'c str {
        &self.0.label
    }

    /// What the features said of the case, in a sentence or, of a pair, two.
    #[must_use]
    pub fn words(&self) -> &'c str {
        &self.0.words
    }

    /// What the records behind it were, where they differed; often empty.
    #[must_use]
    pub fn detail(&self) -> &'c str {
        &self.0.detail
    }

    /// How usual that was in the cohort, in a sentence; often empty.
    #[must_use]
    pub fn usual(&self) -> &'c str {
        &self.0.usual
    }

    /// What it added to the average case's score, in log-odds.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        self.0.log_odds
    }

    /// Its 95% interval, where the model had one.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.0.interval
    }

    /// Whether it was about the case's own records or those of others in the household.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.0.scope
    }

    /// Whether it rested on somebody having asked for help.
    #[must_use]
    pub fn help_seeking(&self) -> bool {
        self.0.help_seeking
    }

    /// The records it rested on.
    #[must_use]
    pub fn records(&self) -> &'c [RecordReference] {
        &self.0.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a ledger has it, keys sorted.
    const WRITTEN: &str = r#"{"absent":[{"feature":"absence_rate","label":"Absence","learnt":true,"why":"not covered"}],"average":-2.5,"band":{"average":{"interval":{"high":0.1,"low":0.05},"n":900,"value":0.07},"name":"high","observed":{"interval":{"high":0.4,"low":0.2},"n":90,"value":0.3}},"cannot_see":["what no service wrote down"],"chance":null,"contributions":[{"features":["a","b"],"help_seeking":false,"interval":{"high":1.25,"low":0.0},"label":"A with B","log_odds":0.1234567890123456,"records":[{"kind":"visit","known":"2024-01-03","occurred":"2024-01-02","reference":"V-1","source":"visits"},{"kind":"visit","known":"2024-01-05","occurred":"2024-01-05","source":"visits"}],"scope":"own","units":["records","days"],"values":[0.10000000149011612,"missing"],"words":"A: 1. Raises the score."},{"features":["c"],"help_seeking":true,"interval":null,"label":"C","log_odds":-0.5,"records":[],"scope":"household","units":["value"],"values":[3.0],"words":"C: 3. Lowers the score."}],"entity":"P-0001","of":900,"rank":3,"score":-1.2345678901234567,"stability":{"capacity":10,"kept_in":18,"refits":20}}"#;

    #[test]
    fn what_was_written_reads_back_and_is_written_the_same() {
        let case: ShownCase = serde_json::from_str(WRITTEN).unwrap();
        let mut value = serde_json::to_value(&case).unwrap();
        value.sort_all_objects();
        assert_eq!(serde_json::to_string(&value).unwrap(), WRITTEN);
        // As version 0.1.0 wrote it.
        let earlier: ShownCase = serde_json::from_str(&WRITTEN.replace("log_odds", "points")).unwrap();
        assert!(earlier == case);
    }

    #[test]
    fn features_are_found_by_source_and_reference_together() {
        let case: ShownCase = serde_json::from_str(WRITTEN).unwrap();
        let of = |source: &str, reference: &str| {
            case.features_that_read(&[(source.to_owned(), reference.to_owned())])
        };
        assert_eq!(of("visits", "V-1"), ["a", "b"]);
        assert!(of("visits", "V-2").is_empty() && of("contacts", "V-1").is_empty());
        let (c, ab) = (vec!["c".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            case.log_odds(),
            [(ab.as_slice(), 0.123_456_789_012_345_6_f64.to_bits()), (c.as_slice(), (-0.5_f64).to_bits())]
        );
    }

    #[test]
    fn a_case_in_words() {
        let case: ShownCase = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(
            case.in_words(),
            "P-0001: rank 3 of 900, high\n  +0.12  A: 1. Raises the score.\n  -0.50  C: 3. Lowers the score.\n\
             What the list cannot see:\n  what no service wrote down\n"
        );
    }
}
