//! Decisions as a page or another program hands them in.

use serde::{Deserialize, Serialize};

use super::judgement::{Agreement, Reviewer, Step};
use crate::calendar::Day;
use crate::error::ReviewError;
use crate::limits;
use crate::words;

/// What a file of decisions says it is.
const FORMAT: &str = "earlyhelp decisions, format 1";

/// One reviewer's decisions about cases of one list, as its page writes them and
/// [`Ledger::submit`](crate::ledger::Ledger::submit) puts them on record.
///
/// A file is no [`Decision`](super::Decision): it says what somebody wants to have on record, and the ledger holds each to the
/// rules of any other. Nothing in it has a default: what the reviewer did not answer is an error.
///
/// # Examples
/// ```
/// use earlyhelp::review::{Agreement, DecisionFile};
///
/// let file = DecisionFile::from_json(
///     r#"{
///         "format": "earlyhelp decisions, format 1",
///         "run": "2025-04-01-5f3a9c",
///         "reviewer": { "name": "C. Lead", "role": "Early help lead" },
///         "decisions": [{
///             "place": 2, "case": "P-0017", "opened_on": "2025-04-03", "decided_on": "2025-04-03",
///             "own_judgement": "Settled, and well supported at school",
///             "step": "no_action", "agreement": "disagree", "reason": "The school knows the family well"
///         }]
///     }"#,
/// )?;
/// assert_eq!(file.decisions[0].agreement, Agreement::Disagree);
/// # Ok::<(), earlyhelp::error::ReviewError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFile {
    format: String,
    /// The run whose list it is, whole or by the beginning of its id.
    pub run: String,
    /// Who decided, about every case in it.
    pub reviewer: Reviewer,
    /// One a case.
    pub decisions: Vec<SubmittedDecision>,
}

/// One of the decisions in a [`DecisionFile`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmittedDecision {
    /// The place on the list, from 1.
    pub place: u32,
    /// The pseudonymous id in that place: a file that went with another list is seen.
    pub case: String,
    /// What the reviewer thought before they saw the reasons, where they wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_judgement: Option<String>,
    /// The day on which they opened the case.
    pub opened_on: Day,
    /// The day on which they decided.
    pub decided_on: Day,
    /// The next step.
    pub step: Step,
    /// Whether they agree with the case's place on the list.
    pub agreement: Agreement,
    /// The reason in the council's own list, where it has one ([`ReviewRules`](super::ReviewRules)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// The entry of the case's last decision, where this one is to take its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<u64>,
}

crate::opaque_debug!(DecisionFile);
crate::opaque_debug!(SubmittedDecision);

impl DecisionFile {
    /// A file of decisions by a reviewer about cases of a run's list.
    pub fn new(run: impl Into<String>, reviewer: Reviewer, decisions: Vec<SubmittedDecision>) -> Self {
        Self { format: FORMAT.to_owned(), run: run.into(), reviewer, decisions }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ReviewError::DecisionFile`] where the text is none, of another format, larger than 4 MiB, without a decision, or with
    /// two about one place.
    pub fn from_json(text: &str) -> Result<Self, ReviewError> {
        if text.len() as u64 > limits::SETTINGS_BYTES {
            return Err(wrong(format!("it has more than {} bytes", limits::SETTINGS_BYTES)));
        }
        // What a parser says of a value shows it, and it may be what somebody wrote of a family.
        let file: Self = serde_json::from_str(text).map_err(|error| {
            wrong(format!(
                "at line {}, column {} it is not what such a file holds (see the guide, \"outputs\")",
                error.line(),
                error.column()
            ))
        })?;
        file.check()?;
        Ok(file)
    }

    /// The text of it, which [`DecisionFile::from_json`] reads.
    ///
    /// # Errors
    /// [`ReviewError::DecisionFile`] where it would not read back.
    pub fn to_json(&self) -> Result<String, ReviewError> {
        self.check()?;
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|error| wrong(error.to_string()))
    }

    fn check(&self) -> Result<(), ReviewError> {
        if self.format != FORMAT {
            return Err(wrong(format!("its format is not \"{FORMAT}\"")));
        }
        if self.decisions.is_empty() {
            return Err(wrong("there is no decision in it".to_owned()));
        }
        let mut places: Vec<u32> = self.decisions.iter().map(|decision| decision.place).collect();
        places.sort_unstable();
        if let Some([place, _]) = places.array_windows().find(|[one, next]| one == next) {
            return Err(wrong(format!(
                "it holds two decisions about place {place}; keep the one that counts"
            )));
        }
        let early = |decision: &&SubmittedDecision| decision.decided_on < decision.opened_on;
        match self.decisions.iter().find(early) {
            None => Ok(()),
            Some(decision) => Err(wrong(format!(
                "place {} was decided on {}, before it was opened on {}",
                decision.place, decision.decided_on, decision.opened_on
            ))),
        }
    }
}

impl SubmittedDecision {
    /// What the reviewer thought before, if they wrote anything.
    pub(crate) fn own_judgement(&self) -> Option<&str> {
        self.own_judgement.as_deref().map(str::trim).filter(|text| !words::is_blank(text))
    }
}

fn wrong(why: String) -> ReviewError {
    ReviewError::DecisionFile(why)
}
