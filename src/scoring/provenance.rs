//! What every score of a run carries of how it came about.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::abstention::Abstention;
use crate::calendar::{AsOf, Day};
use crate::records::SourceChange;
use crate::words;

/// Where a score comes from: what an auditor needs to compute it again. It is the same for all cases of a
/// run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Provenance {
    /// The run, by what was asked: the model, the date, the request and, of a list, its length, sample and shares. Nothing of
    /// what the records say goes into it: the id stands where nobody can be taken out, and could confirm a guess
    /// of who was there. A ledger that holds another run of that id adds `-2`, `-3`.
    pub run_id: String,
    /// The released model (model, evidence and sign-off).
    pub model: String,
    /// The candidate in it.
    pub candidate: String,
    /// The feature spec.
    pub features: String,
    /// What is foreseen, in words, with its horizon.
    pub outcome: String,
    /// What such an outcome on record does and does not measure, where the project says so.
    pub outcome_measures: String,
    /// The as-of date.
    pub as_of: AsOf,
    /// What each source said on that date.
    pub sources: Vec<SourceState>,
    /// Sources that were not what they were at training, and who accepted that, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedSource>,
    /// The scored table that the features were taken from; `None`, the usual case, where they were computed of the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<ScoredTable>,
    /// Where the records come from, of a question that brought its own: they are of those asked about alone, so whether sources are
    /// what they were when the model was trained could not be seen. `None`, the usual case, of records that were read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// Who was in the cohort.
    pub cohort: String,
    /// How many were in the cohort.
    pub cohort_size: u32,
    /// How many of them were not scored.
    pub not_scored: u32,
    /// The rule by which they were not.
    pub abstention: Abstention,
    /// Who allows a rule or a time of use that is looser than usual, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// The purpose.
    pub purpose: String,
    /// Who asked.
    pub requested_by: String,
    /// On which day.
    pub requested_on: Day,
    /// The version of this crate.
    pub library_version: String,
    /// The last day on which the score may be used.
    pub expires: Day,
}

/// Who allows that scores are made with looser limits than usual, and why: see [`Request`](super::Request).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exception {
    /// Who allows it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Provenance {
    /// Names the run after what was asked; `draw` is how a list was drawn from the scores.
    pub(crate) fn name_run(&mut self, draw: Option<&impl Serialize>) {
        let mut asked = self.without_digests();
        (asked.run_id, asked.cohort) = (String::new(), String::new());
        let says = serde_json::to_vec(&(asked, draw)).unwrap_or_default();
        self.run_id = hex::encode(&Sha256::digest(says)[..8]);
    }

    /// What somebody allowed so that these scores could be made, a sentence or two each.
    #[must_use]
    pub fn allowed(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.accepted.iter().map(AcceptedSource::in_words).collect();
        if let Some(Exception { by, reason }) = &self.exception {
            let Abstention { widths_outside, unknown_share, stale_days } = self.abstention;
            lines.push(format!(
                "These scores may be used for {} days, and cases were scored up to {widths_outside} widths outside the range of \
                 training, with up to {} unknown, from sources up to {stale_days} days old: one of these is more than usual. {by} \
                 allowed that: {}",
                self.expires - self.as_of.day(),
                words::percent(unknown_share),
                words::sentence(reason)
            ));
        }
        lines
    }

    /// The same without what each source said: a digest of records could confirm a guess of them.
    pub(crate) fn without_digests(&self) -> Self {
        let mut bare = self.clone();
        for source in &mut bare.sources {
            source.digest.clear();
        }
        if let Some(table) = &mut bare.table {
            table.digest.clear();
        }
        bare
    }

    /// Whether both are of one scoring, however lists were drawn from it.
    pub(crate) fn is_of_the_scoring(&self, other: &Self) -> bool {
        *self == Self { run_id: self.run_id.clone(), ..other.clone() }
    }
}

/// That a source which is not what it was at training is used all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Acceptance {
    /// The source.
    pub source: String,
    /// Who accepts it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A source that was accepted, with what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptedSource {
    /// Who accepted which source, and why.
    pub acceptance: Acceptance,
    /// In what it was not what it was.
    pub found: Vec<SourceChange>,
}

impl AcceptedSource {
    /// One sentence or two for people to read.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Acceptance { source, by, reason } = &self.acceptance;
        let found: Vec<&str> = self.found.iter().map(|change| change.words.as_str()).collect();
        format!(
            "The source {} is not what it was when the model was trained: {}. {by} accepted that: {}",
            words::plain(source),
            found.join("; "),
            words::sentence(reason)
        )
    }
}

/// A source as a run saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceState {
    /// The source.
    pub source: String,
    /// The digest of what it said: see [`Snapshot::digest`](crate::records::Snapshot::digest). Empty in the facts of a
    /// ledger, whose manifest holds it where it can be taken out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The first day it covers, where the project says so.
    pub covers_from: Option<Day>,
    /// The last day it covers, where the project says so.
    pub covers_to: Option<Day>,
    /// The day of the extract, where the project says so.
    pub updated: Option<Day>,
}

/// The scored table that a run's features were taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScoredTable {
    /// The dialect of the texts that made it, or where else its features come from.
    pub dialect: String,
    /// SHA-256 over its files; empty where only facts are kept.
    pub digest: String,
    /// Of how many cases the features were computed again from the records, listed ones aside: those always are.
    pub recomputed: u32,
}
