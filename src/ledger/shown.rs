//! A listed case as the team saw it: what of a [`ScoredCase`] stands in a ledger.

use serde::{Deserialize, Serialize};

use crate::features::{Cell, Scope};
use crate::known_to::KnownMark;
use crate::records::RecordReference;
use crate::scoring::{
    Absence, CaseAgain, Chance, Contribution, CounterEvidence, ScoredCase, ShownBand, Stability,
};
use crate::stats::Interval;

/// A [`ScoredCase`] without its audit record, which the run's manifest has. Not public: it is read back, and a
/// scored case must never be.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownCase {
    pub(crate) entity: String,
    pub(crate) rank: u32,
    pub(crate) of: u32,
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
    pub(crate) fn of(case: &ScoredCase, score: f64) -> Self {
        Self {
            entity: case.entity().to_owned(),
            rank: case.rank(),
            of: case.of(),
            band: case.band().clone(),
            chance: case.chance(),
            stability: case.stability(),
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
        let mut text = format!("{}: rank {} of {}, {}\n", self.entity, self.rank, self.of, self.band.name);
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
