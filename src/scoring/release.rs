//! From a candidate to a model that may score.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::calendar::Day;
use crate::error::ScoringError;
use crate::evaluate::{Backtest, BacktestReport, Performance};
use crate::fairness::FairnessAudit;
use crate::fairness::audit::{Audit, EarlierCheck};
use crate::model::{Candidate, Edit};

/// Who answers for a release, for which purpose, and until when it has to be looked at again.
///
/// # Examples
/// ```
/// use earlyhelp::scoring::SignOff;
///
/// let sign_off = SignOff {
///     by: "A. Manager".into(),
///     role: "Head of Early Help".into(),
///     purpose: "Offer early help to families".into(),
///     signed_on: "2025-04-01".parse()?,
///     review_by: "2026-04-01".parse()?,
/// };
/// assert!(sign_off.review_by > sign_off.signed_on);
/// # Ok::<(), earlyhelp::error::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// The person who signs.
    pub by: String,
    /// Their role.
    pub role: String,
    /// What the scores may be used for. Scoring for anything else is refused.
    pub purpose: String,
    /// The day of signing.
    pub signed_on: Day,
    /// The last day on which the model may score without having been reviewed.
    pub review_by: Day,
}

impl SignOff {
    fn check(&self) -> Result<(), ScoringError> {
        for (what, text) in [("a name", &self.by), ("a role", &self.role), ("a purpose", &self.purpose)] {
            if crate::words::is_blank(text) {
                return Err(ScoringError::SignOff(format!("{what} is missing")));
            }
        }
        if self.review_by <= self.signed_on {
            return Err(ScoringError::SignOff("the review-by date must lie after the day of signing".into()));
        }
        Ok(())
    }
}

/// A candidate with its own backtest and fairness check: what a person signs, or does not.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditedModel {
    says: Evidence,
    digest: String,
}

/// A model that may score: audited, and signed for. See [`AuditedModel::release`].
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    says: Released,
    digest: String,
    /// The digest of its features: each answer says it.
    features: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    candidate: Candidate,
    backtest: BacktestReport,
    fairness: Fairness,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

/// The audit; in files of version 1 a shorter check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Fairness {
    Audit(Box<Audit>),
    Earlier(EarlierCheck),
}

impl Fairness {
    fn audit(&self) -> Cow<'_, Audit> {
        match self {
            Self::Audit(audit) => Cow::Borrowed(audit),
            Self::Earlier(check) => Cow::Owned(check.audit()),
        }
    }
}

/// The version that an edited model takes the place of, so that both versions' figures stand side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Previous {
    /// The digest of its candidate.
    pub candidate: String,
    /// The edits by which the two differ, in order.
    pub edits: Vec<Edit>,
    /// Its figures over all test cases of its backtest.
    pub performance: Performance,
}

impl Evidence {
    /// How a file with this evidence names itself.
    fn form(&self, form: Form) -> &'static str {
        let [earlier, now] = form;
        if matches!(self.fairness, Fairness::Earlier(_)) { earlier } else { now }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    sign_off: SignOff,
    evidence: Evidence,
}

/// A file: what it is, a digest of what it says, and what it says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<T> {
    format: String,
    digest: String,
    says: T,
}

/// A kind of file: how it names itself in version 1, whose fairness check was another, and now.
type Form = [&'static str; 2];

const AUDITED: Form = ["earlyhelp-audited/1", "earlyhelp-audited/2"];
const RELEASED: Form = ["earlyhelp-released/1", "earlyhelp-released/2"];

/// Whether a file of this format holds a released model.
pub(super) fn is_released(format: &str) -> bool {
    format.starts_with("earlyhelp-released/")
}

impl AuditedModel {
    /// Puts a candidate and its evidence together.
    ///
    /// # Errors
    /// [`ScoringError::OtherCandidate`] where the backtest or the audit is of another candidate,
    /// [`ScoringError::Spec`] where a feature reads a characteristic that was audited, and
    /// [`ScoringError::NothingAudited`] where the audit names no characteristic, held or not.
    pub fn new(
        candidate: Candidate,
        backtest: &Backtest,
        audit: &FairnessAudit,
    ) -> Result<Self, ScoringError> {
        if backtest.candidate() != candidate.digest() {
            return Err(ScoringError::OtherCandidate { what: "backtest" });
        }
        if audit.candidate() != candidate.digest() {
            return Err(ScoringError::OtherCandidate { what: "fairness check" });
        }
        let attributes = &audit.audit().attributes;
        let protected: Vec<&str> =
            attributes.iter().flat_map(|held| &held.columns).map(String::as_str).collect();
        if protected.is_empty() {
            return Err(ScoringError::NothingAudited);
        }
        candidate.features().check_protected(&protected)?;
        let fairness = Fairness::Audit(Box::new(audit.audit().clone()));
        let backtest = backtest.report().clone();
        let says = Evidence { candidate, backtest, fairness, previous: None };
        Ok(Self { digest: digest(&says)?, says })
    }

    /// Puts the version that this edited model takes the place of beside it. Both must have been tested by
    /// the same plan, so that their figures can be compared.
    ///
    /// # Errors
    /// [`ScoringError::NotAnEdit`] where this is not an edited version of it, or was tested otherwise.
    pub fn replacing(self, previous: &Self) -> Result<Self, ScoringError> {
        let Some(edits) = self.candidate().edits_since(previous.candidate()) else {
            return Err(ScoringError::NotAnEdit("it is not an edited version of the other model"));
        };
        if self.backtest().plan != previous.backtest().plan {
            return Err(ScoringError::NotAnEdit("the two were tested by different plans"));
        }
        let previous = Previous {
            candidate: previous.candidate().digest().to_owned(),
            edits: edits.to_vec(),
            performance: previous.backtest().overall.clone(),
        };
        let says = Evidence { previous: Some(previous), ..self.says };
        Ok(Self { digest: digest(&says)?, says })
    }

    /// Signs for the model: the only way to a [`Scorer`].
    ///
    /// # Errors
    /// [`ScoringError::SignOff`] where the sign-off lacks something, [`ScoringError::EarlierCheck`] where the model
    /// is from a file of version 1, [`ScoringError::NoPrevious`] where it was edited and does not show the figures
    /// of the version that it takes the place of.
    pub fn release(self, sign_off: SignOff) -> Result<Scorer, ScoringError> {
        sign_off.check()?;
        if matches!(self.says.fairness, Fairness::Earlier(_)) {
            return Err(ScoringError::EarlierCheck);
        }
        if !self.candidate().edits().is_empty() && self.previous().is_none() {
            return Err(ScoringError::NoPrevious);
        }
        let says = Released { sign_off, evidence: self.says };
        Ok(Scorer::of(digest(&says)?, says))
    }

    /// The candidate.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.says.candidate
    }

    /// What its backtest found.
    #[must_use]
    pub fn backtest(&self) -> &BacktestReport {
        &self.says.backtest
    }

    /// What its fairness audit found. A file of version 1 had a shorter check without verdicts, of which only what
    /// an audit would show is shown; [`Audit::correction`] then says so.
    #[must_use]
    pub fn fairness(&self) -> Cow<'_, Audit> {
        self.says.fairness.audit()
    }

    /// The version that it takes the place of, where it was edited.
    #[must_use]
    pub fn previous(&self) -> Option<&Previous> {
        self.says.previous.as_ref()
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`ScoringError::File`] where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, ScoringError> {
        write(self.says.form(AUDITED), &self.digest, &self.says)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScoringError::Later`] where a later version wrote it, [`ScoringError::File`] where it is not such a file, [`ScoringError::Changed`] where it does not say
    /// what its digest says.
    pub fn from_json(text: &str) -> Result<Self, ScoringError> {
        let (says, digest) = read(AUDITED, text, |says: &Evidence| says)?;
        Ok(Self { says, digest })
    }
}

impl Scorer {
    fn of(digest: String, says: Released) -> Self {
        Self { features: says.evidence.candidate.features().digest(), digest, says }
    }

    /// The digest of its features.
    pub(super) fn features_digest(&self) -> &str {
        &self.features
    }

    /// The candidate.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.says.evidence.candidate
    }

    /// What its backtest found.
    #[must_use]
    pub fn backtest(&self) -> &BacktestReport {
        &self.says.evidence.backtest
    }

    /// What its fairness audit found, see [`AuditedModel::fairness`].
    #[must_use]
    pub fn fairness(&self) -> Cow<'_, Audit> {
        self.says.evidence.fairness.audit()
    }

    /// The version that it takes the place of, where it was edited.
    #[must_use]
    pub fn previous(&self) -> Option<&Previous> {
        self.says.evidence.previous.as_ref()
    }

    /// The model with its evidence and without the signature, as it was before the release: what an edit
    /// starts from.
    ///
    /// # Errors
    /// [`ScoringError::File`] where it cannot be written as JSON, to take its digest.
    pub fn audited(&self) -> Result<AuditedModel, ScoringError> {
        let says = self.says.evidence.clone();
        Ok(AuditedModel { digest: digest(&says)?, says })
    }

    /// Who signed, for what.
    #[must_use]
    pub fn sign_off(&self) -> &SignOff {
        &self.says.sign_off
    }

    /// The digest (SHA-256, hexadecimal) of model, evidence and sign-off.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`ScoringError::File`] where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, ScoringError> {
        write(self.says.evidence.form(RELEASED), &self.digest, &self.says)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScoringError::Later`] where a later version wrote it, [`ScoringError::File`] where it is not a released model, [`ScoringError::Changed`] where it does
    /// not say what its digest says, [`ScoringError::SignOff`] where the sign-off is not complete.
    pub fn from_json(text: &str) -> Result<Self, ScoringError> {
        let (says, digest) = read(RELEASED, text, |says: &Released| &says.evidence)?;
        says.sign_off.check()?;
        Ok(Self::of(digest, says))
    }
}

fn digest(says: &impl Serialize) -> Result<String, ScoringError> {
    let canonical = serde_json::to_vec(says).map_err(|error| ScoringError::File(error.to_string()))?;
    Ok(hex::encode(Sha256::digest(canonical)))
}

/// Whether a file of this kind is of a version after this one's.
fn is_later(format: &str, [_, now]: Form) -> bool {
    let parts = |form: &str| {
        let (kind, version) = form.split_once('/')?;
        Some((kind.to_owned(), version.parse::<u32>().ok()?))
    };
    parts(format).zip(parts(now)).is_some_and(|(given, now)| given.0 == now.0 && given.1 > now.1)
}

/// Whether a text that cannot be read is what its digest says all the same: a later version says more, and nobody changed it.
fn is_whole(text: &str) -> bool {
    serde_json::from_str::<Stored<Box<RawValue>>>(text)
        .is_ok_and(|stored| hex::encode(Sha256::digest(without_space(stored.says.get()))) == stored.digest)
}

/// JSON without the spaces between its tokens: what a digest is of.
fn without_space(json: &str) -> Vec<u8> {
    let (mut in_text, mut escaped) = (false, false);
    json.bytes()
        .filter(|&byte| {
            let keep = in_text || !byte.is_ascii_whitespace();
            in_text = if in_text { escaped || byte != b'"' } else { byte == b'"' };
            escaped = in_text && !escaped && byte == b'\\';
            keep
        })
        .collect()
}

fn write(format: &str, digest: &str, says: &impl Serialize) -> Result<String, ScoringError> {
    let stored = Stored { format: format.to_owned(), digest: digest.to_owned(), says };
    serde_json::to_string_pretty(&stored).map_err(|error| ScoringError::File(error.to_string()))
}

fn read<T: Serialize + DeserializeOwned>(
    form: Form,
    text: &str,
    evidence: fn(&T) -> &Evidence,
) -> Result<(T, String), ScoringError> {
    #[derive(Deserialize)]
    struct Kind {
        format: String,
    }
    let unreadable = |error: serde_json::Error| ScoringError::File(error.to_string());
    let kind: Kind = serde_json::from_str(text).map_err(unreadable)?;
    let is = |form: Form| form.contains(&kind.format.as_str());
    if !is(form) {
        return Err(if is(AUDITED) {
            ScoringError::File(
                "it is a model that was audited and not yet released; release it first".to_owned(),
            )
        } else if is(RELEASED) {
            ScoringError::File("it is a released model already".to_owned())
        } else if [AUDITED, RELEASED].into_iter().any(|form| is_later(&kind.format, form)) {
            ScoringError::Later
        } else {
            ScoringError::File(format!("it is not of the form {}", form[1]))
        });
    }
    // What this version does not know is a later one's if nobody changed it; what it knows and cannot use is no model.
    let is_unknown = |error: &serde_json::Error| {
        let says = error.to_string();
        says.starts_with("unknown field") || says.starts_with("unknown variant")
    };
    let stored: Stored<T> = serde_json::from_str(text).map_err(|error| {
        if is_unknown(&error) && is_whole(text) { ScoringError::Later } else { unreadable(error) }
    })?;
    if evidence(&stored.says).form(form) != kind.format {
        return Err(ScoringError::File("its fairness audit is of another version than the file".to_owned()));
    }
    if digest(&stored.says)? != stored.digest {
        return Err(ScoringError::Changed);
    }
    Ok((stored.says, stored.digest))
}
