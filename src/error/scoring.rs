//! Why a model is not released, or cases are not scored.

use super::{ModelError, SpecError};

/// A release or a scoring run that is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoringError {
    /// The evidence is of another model.
    #[error("the {what} is of another candidate than the one to be released; run it again for this one")]
    OtherCandidate {
        /// Which evidence.
        what: &'static str,
    },
    /// An audit of nothing.
    #[error(
        "the fairness check names no protected characteristic; name those that are held, and those that are not under \
         not_held, so that everybody sees what could not be measured"
    )]
    NothingAudited,
    /// A model of a file of version 1, whose fairness check was not yet an audit.
    #[error(
        "the model was checked for fairness by an earlier form of the check; train or edit it again, then release it"
    )]
    EarlierCheck,
    /// Two versions of a model that cannot be put side by side.
    #[error("the two versions cannot be put side by side: {0}")]
    NotAnEdit(&'static str),
    /// An edited model without the figures of the version before.
    #[error(
        "the model was edited: put the version that it replaces beside it first, so that whoever signs sees both \
         versions' figures"
    )]
    NoPrevious,
    /// A sign-off that says too little.
    #[error("the sign-off is not complete: {0}")]
    SignOff(String),
    /// A scored table whose features are not those of the records.
    #[error(
        "the scored table says something else than the records of {cases} of the {of} cases that were computed again; nothing of it is \
         used: find out who changed it, or from which records it was made"
    )]
    OtherFeatures {
        /// Of how many.
        cases: usize,
        /// Of how many cases features were computed again.
        of: usize,
    },
    /// Scoring for a purpose that was not signed for.
    #[error(
        "the model was released for the purpose \"{released}\" and for no other; a new purpose needs its own release"
    )]
    OtherPurpose {
        /// The purpose that was signed for.
        released: String,
    },
    /// The date by which the model had to be reviewed has passed.
    #[error(
        "the model had to be reviewed by {review_by}; review it and release it anew before scoring with it"
    )]
    ReviewOverdue {
        /// That date.
        review_by: String,
    },
    /// A request before anybody had signed for the model.
    #[error(
        "the model was signed for on {signed_on}, and nobody answers for scores that are asked for before; give the day of the \
         request as it is"
    )]
    BeforeSignOff {
        /// The day of signing.
        signed_on: String,
    },
    /// A cohort that was chosen by other rules than the model was trained on.
    #[error(
        "the cohort was chosen by other rules than those that the model was trained on: they differ in {rules}; put the \
         project's `[cohort]` back to what it was, or train a model by the new rules"
    )]
    OtherPopulation {
        /// The rules that differ, by their keys.
        rules: String,
    },
    /// A date in the future of the request: what will be known by then is not on record yet.
    #[error(
        "scores as of {as_of} were asked for on {on}, before that date: what becomes known until then is missing; ask for {on} \
         or an earlier date"
    )]
    AsOfAfterRequest {
        /// The as-of date.
        as_of: String,
        /// The day of the request.
        on: String,
    },
    /// No source that the model reads comes near the date.
    #[error(
        "no source that the model reads reaches {as_of}: the latest ends on {ends}; get new extracts, or ask for an earlier \
         date"
    )]
    AfterRecords {
        /// The as-of date.
        as_of: String,
        /// The last day of the source that ends last.
        ends: String,
    },
    /// No source that the model reads had begun by the date.
    #[error("no source that the model reads holds anything known before {as_of}; ask for a later date")]
    BeforeRecords {
        /// The as-of date.
        as_of: String,
    },
    /// A source that is not what it was when the model was trained.
    #[error(
        "not scored: sources are not what they were when the model was trained. {found}. Get the extract again and \
         look at how it was made; where it is right as it is, somebody has to accept each such source by name and say \
         why (--accept SOURCE --by NAME --reason TEXT), which stays on record with the list"
    )]
    SourcesChanged {
        /// What was found, source by source.
        found: String,
    },
    /// A request that does not say who asks.
    #[error("the request is not complete: {0}")]
    Request(String),
    /// The file cannot be read.
    #[error("the model file cannot be read: {0}")]
    File(String),
    /// The file's content is not what its digest says.
    #[error(
        "the model file was changed after it was made: its content does not match its digest; get the original"
    )]
    Changed,
    /// A file of a later version of the crate, undamaged as far as this one can tell.
    #[error(
        "the model file was written by a later version of earlyhelp, and says what this one does not know; use that version, or train again"
    )]
    Later,
    /// The records lack what the model reads.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The model cannot be applied.
    #[error(transparent)]
    Model(#[from] ModelError),
}
