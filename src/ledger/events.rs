//! The entries of a ledger and what each holds.
//!
//! The *facts* of an entry stay for ever and name no family: counts, digests, dates, members of staff. Its
//! *content* is what a purge takes out: the pseudonym, the score, the explanation, reasons in free text.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::entry::LedgerEntry;
use super::shown::ShownCase;
use crate::calendar::{AsOf, Day};
use crate::error::LedgerError;
use crate::evaluate::Capacity;
use crate::features::Cell;
use crate::known_to::IsKnown;
use crate::records::{FromDatabase, Intake};
use crate::review::{
    Agreement, Among, ListParams, RandomSample, ReviewRules, Reviewer, SharesUsed, Step, WhyListed,
};
use crate::scoring::{Acceptance, Exception, OnePer, Provenance};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// A model with its evidence was put on record.
    ModelRegistered,
    /// Somebody signed for a model.
    ModelReleased,
    /// A model was taken out of use.
    ModelRetired,
    /// A run was asked for.
    RunStarted,
    /// A case was scored in a run.
    CaseScored,
    /// A case of the cohort was not scored, with the reason.
    CaseNotScored,
    /// A run ended, with its manifest.
    RunFinished,
    /// Somebody asked about one person or family, and was answered.
    CaseAsked,
    /// A named person opened a case.
    CaseOpened,
    /// A named person decided about a case that they had opened.
    Decision,
    /// Records about somebody were put right at their source.
    Correction,
    /// Content was taken out of the ledger.
    Purge,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::ModelRegistered,
        Self::ModelReleased,
        Self::ModelRetired,
        Self::RunStarted,
        Self::CaseScored,
        Self::CaseNotScored,
        Self::RunFinished,
        Self::CaseAsked,
        Self::CaseOpened,
        Self::Decision,
        Self::Correction,
        Self::Purge,
    ];

    /// As it is written in entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ModelRegistered => "model_registered",
            Self::ModelReleased => "model_released",
            Self::ModelRetired => "model_retired",
            Self::RunStarted => "run_started",
            Self::CaseScored => "case_scored",
            Self::CaseNotScored => "case_not_scored",
            Self::RunFinished => "run_finished",
            Self::CaseAsked => "case_asked",
            Self::CaseOpened => "case_opened",
            Self::Decision => "decision",
            Self::Correction => "correction",
            Self::Purge => "purge",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Facts of [`EntryKind::ModelRegistered`], [`EntryKind::ModelReleased`] and [`EntryKind::ModelRetired`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelFacts {
    /// The digest of the file: the audited model's when registered, the released model's from then on.
    pub(crate) model: String,
    /// The digest of the candidate in it.
    pub(crate) candidate: String,
    /// Who registered, signed for or retired it.
    pub(crate) by: String,
    /// Their role, where they signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// What scores may be used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    /// When they signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_on: Option<Day>,
    /// The last day on which it may score without having been reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) review_by: Option<Day>,
    /// Why it was retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Facts of [`EntryKind::RunStarted`]. A start without a [`RunFinished`] is a run that did not end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunStarted {
    /// The released model.
    pub(crate) model: String,
    /// The date scored for.
    pub(crate) as_of: AsOf,
    /// For what.
    pub(crate) purpose: String,
    /// Who asked.
    pub(crate) requested_by: String,
    /// Sources that are used though they are not what they were at training, by whom and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepted: Vec<Acceptance>,
    /// Who allows looser limits than usual, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exception: Option<Exception>,
    /// The digest of the project file, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) configuration: Option<String>,
    /// The version of this crate.
    pub(crate) library_version: String,
}

/// Facts of [`EntryKind::RunFinished`]: the manifest of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunFinished {
    /// The entry of the start.
    pub started: u64,
    /// What every score of the run carries, without the digests of cohort and sources, which stand in the content.
    pub audit: Provenance,
    /// Rows read, accepted and rejected of each source.
    pub intake: Vec<Intake>,
    /// Why rows were rejected.
    pub rejects: Vec<RejectCount>,
    /// The sources that were taken from a store of what was read before; all others were read. Empty without a store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_store: Vec<String>,
    /// The moment of the database that records were read from, and the queries; absent where they were read from files alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_database: Option<FromDatabase>,
    /// Cases scored.
    pub scored: u64,
    /// Cases of the cohort that were not.
    pub not_scored: u64,
    /// How long a list was asked for.
    pub capacity: Capacity,
    /// The random sample that was asked for beside it.
    pub comparison: Option<RandomSample>,
    /// Whom a place was for. Runs of before this was asked had one a case.
    #[serde(default = "one_per_case")]
    pub one_per: OnePer,
    /// Among whom places were given.
    #[serde(default)]
    pub among: Among,
    /// The shares by which its places were dealt to groups, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<SharesUsed>,
    /// How the team works on the list.
    #[serde(default, skip_serializing_if = "ReviewRules::is_default")]
    pub review: ReviewRules,
    /// Alerts: cases listed for their rank, in the cohort or in their group.
    pub alerts: u64,
    /// Cases listed at random.
    pub at_random: u64,
    /// For each place of the list, from the first, how many entries before this one its case stands, so that it is found without
    /// reading the run. Empty where the cases stand with an earlier manifest of the run, and in ledgers of before this was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<u64>,
}

/// Content of [`EntryKind::RunFinished`]: digests over ids and records. They are no facts, because somebody who knows all
/// others of a run could confirm a guess with them; so they go when one of the run's cases is taken out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunContent {
    /// The digest of the cohort: see [`Cohort::digest`](crate::cohort::Cohort::digest).
    pub(crate) cohort: String,
    /// SHA-256 of the list as data: [`list_json`](crate::report::list_json)'s text without `witness` and `says`, unindented,
    /// the keys of objects sorted.
    pub(crate) output: String,
    /// The digest of what each source said.
    #[serde(default)]
    pub(crate) sources: BTreeMap<String, String>,
}

impl RunFinished {
    /// How its list was drawn.
    pub(crate) fn drawn_with(&self) -> ListParams {
        ListParams {
            capacity: self.capacity,
            comparison: self.comparison,
            one_per: self.one_per,
            among: self.among,
        }
    }
}

fn one_per_case() -> OnePer {
    OnePer::Case
}

/// How many rows of a source were rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RejectCount {
    /// The source.
    pub source: String,
    /// The column, where one was at fault.
    pub column: Option<String>,
    /// The reason's code.
    pub reason: String,
    /// Rows.
    pub rows: u64,
}

/// Facts of [`EntryKind::CaseScored`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaseScored {
    /// Its place on the list, from 1, if it was on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<u32>,
    /// Why it was on the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drawn: Option<WhyListed>,
    /// The place of the case of its household that it stood beside, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<u32>,
}

/// Content of [`EntryKind::CaseScored`]. Not public: a program is handed no scores without a person who asks.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScoreContent {
    /// Its rank in the cohort, from 1.
    pub(crate) rank: u32,
    /// Of how many.
    pub(crate) of: u32,
    /// The score in log-odds. Written so that it reads back to the bit.
    pub(crate) log_odds: f64,
    /// What the model's features said of the case, in the order of the features.
    pub(crate) cells: Vec<Cell>,
    /// The day of its own that the case was seen on; `None` where that is the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seen_on: Option<AsOf>,
    /// Whether it was known to a service already. Not computed again in a replay: what that means stands in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<IsKnown>,
    /// What the team saw, for a listed case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) case: Option<ShownCase>,
}

/// Facts of [`EntryKind::CaseAsked`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AskedFacts {
    /// What the answer carries, without its run's id and the digests of cohort and sources, which stand in the content: each of
    /// them could confirm a guess of whom it is about.
    pub(crate) audit: Provenance,
    /// What kind of answer it was.
    pub(crate) answer: Answered,
}

/// What kind of answer somebody was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answered {
    Scored,
    NotScored,
    NotInCohort,
}

/// Content of [`EntryKind::CaseAsked`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AskedContent {
    /// The id that the answer carries.
    pub(crate) run_id: String,
    /// The digest of the case as a cohort of one; empty where it is in none.
    pub(crate) cohort: String,
    /// The digest of what each source said.
    pub(crate) sources: BTreeMap<String, String>,
    /// What the model's features said of the case, in the order of the features; none where it is in no cohort.
    pub(crate) cells: Vec<Cell>,
    /// The day of its own that the case was seen on; `None` where that is the answer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seen_on: Option<AsOf>,
    /// What was shown, of a scored case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) case: Option<ShownCase>,
    /// Why there is no score, as it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

crate::opaque_debug!(AskedContent);

/// Facts of [`EntryKind::CaseOpened`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaseOpened {
    /// The entry in which the case was scored.
    pub(crate) case: u64,
    /// Who opened it.
    pub(crate) reviewer: Reviewer,
    /// Whether they wrote their own judgement down before they saw the score.
    pub(crate) judged_first: bool,
}

/// Content of [`EntryKind::CaseOpened`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenedContent {
    /// The reviewer's own judgement before they saw the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) own_judgement: Option<String>,
}

/// Facts of [`EntryKind::Decision`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecisionFacts {
    /// The entry in which the case was scored.
    pub(crate) case: u64,
    /// Why the case was on the list.
    pub(crate) drawn: WhyListed,
    /// Who decided.
    pub(crate) reviewer: Reviewer,
    /// When they had opened it.
    pub(crate) opened_on: Day,
    /// The next step.
    pub(crate) step: Step,
    /// Whether they agree with the case's place on the list.
    pub(crate) agreement: Agreement,
    /// The reason in the council's own list, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason_code: Option<String>,
    /// The entry of the decision about the same case whose place this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) supersedes: Option<u64>,
}

/// Content of [`EntryKind::Decision`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecisionContent {
    /// Why, in words.
    pub(crate) reason: String,
}

/// Facts of [`EntryKind::Correction`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CorrectionFacts {
    /// Who put it on record.
    pub(crate) by: String,
    /// How many past cases rest on the records, as far as the ledger shows.
    pub(crate) cases: u64,
    /// How many records.
    pub(crate) records: u64,
}

/// Content of [`EntryKind::Correction`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CorrectionContent {
    /// What was wrong and what was put right.
    pub(crate) what: String,
    /// The entries of the scored cases that rest on the records.
    pub(crate) cases: Vec<u64>,
    /// The records, as source and reference.
    pub(crate) records: Vec<(String, String)>,
}

/// Facts of a [`EntryKind::Purge`] that took a person out; the store adds which entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PurgeFacts {
    /// Who did it.
    pub(crate) by: String,
    /// On what ground, without naming the person.
    pub(crate) reason: String,
    /// Entries about others that were named one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) named: Vec<u64>,
}

impl LedgerEntry {
    /// What the entry is about; `None` for an entry of a later version of this crate.
    #[must_use]
    pub fn about(&self) -> Option<EntryKind> {
        EntryKind::of(self.kind())
    }

    /// The entry's facts, read as what its kind holds.
    ///
    /// # Errors
    /// [`LedgerError::Meaning`] where they are something else.
    pub(crate) fn facts_as<T: DeserializeOwned>(&self) -> Result<T, LedgerError> {
        serde_json::from_value(self.facts().clone()).map_err(|error| self.not_understood(&error))
    }

    /// The content, read as what the entry's kind holds; `None` where there is none or it was purged.
    ///
    /// # Errors
    /// [`LedgerError::Meaning`] where it is something else.
    pub(crate) fn content_as<T: DeserializeOwned>(&self) -> Result<Option<T>, LedgerError> {
        let Some(content) = self.content() else { return Ok(None) };
        serde_json::from_value(content.body.clone()).map(Some).map_err(|error| self.not_understood(&error))
    }

    fn not_understood(&self, error: &serde_json::Error) -> LedgerError {
        // serde's text can hold a value; the category and the entry are enough to find it.
        let _ = error;
        LedgerError::Meaning { entry: self.seq(), kind: self.kind().to_owned() }
    }
}

crate::opaque_debug!(ScoreContent);
crate::opaque_debug!(OpenedContent);
crate::opaque_debug!(RunContent);
crate::opaque_debug!(DecisionContent);
crate::opaque_debug!(CorrectionContent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::of(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(EntryKind::of("alert"), None);
    }

    #[test]
    fn scores_and_cells_read_back_to_the_bit() {
        let cells = vec![Cell::Value(0.1), Cell::Missing, Cell::NotCovered, Cell::Value(-3.4e-20)];
        let log_odds = -1.234_567_890_123_456_7_f64;
        let content = ScoreContent {
            rank: 3,
            of: 10,
            log_odds,
            cells: cells.clone(),
            seen_on: None,
            known: None,
            case: None,
        };
        let text = serde_json::to_string(&serde_json::to_value(&content).unwrap()).unwrap();
        let back: ScoreContent = serde_json::from_str(&text).unwrap();
        assert_eq!(back.log_odds.to_bits(), log_odds.to_bits());
        assert_eq!(back.cells, cells);
        assert!(serde_json::from_str::<Cell>("\"none\"").is_err());
        assert!(serde_json::from_str::<Cell>("1e60").is_err());
    }
}
