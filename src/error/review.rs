//! Why a list is not drawn, or a decision not taken.

/// A review that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// A list without a place.
    #[error("a list has 1 place or more, or a share of the cohort above 0 and at most 1")]
    NoCapacity,
    /// A list that is longer than the cohort: somebody mistook a figure.
    #[error(
        "the list was to have {places} places, and there are {cohort} cases in the cohort; ask for 1 to {cohort}"
    )]
    CapacityAboveCohort {
        /// Places asked for.
        places: u32,
        /// Cases in the cohort.
        cohort: usize,
    },
    /// A sample of more cases than are left: somebody mistook a figure.
    #[error("{cases} cases were to be drawn at random, and the list leaves {left}; ask for fewer")]
    SampleAboveCohort {
        /// Cases asked for.
        cases: u32,
        /// Places that the list leaves.
        left: usize,
    },
    /// Not one case was scored.
    #[error(
        "nobody could be scored, so there is no list: of {cohort} cases {stale} rest on sources that are out of date, {thin} on \
         too little that is known or covered, and {outside} have a value far from any in training; bring the sources up to \
         date, ask for a date that they cover (`earlyhelp check` shows which dates each holds), or, for a source that comes less \
         often than monthly, say so (`stale_after_days` in its coverage)"
    )]
    NobodyScored {
        /// Cases in the cohort.
        cohort: usize,
        /// Cases whose sources are out of date.
        stale: usize,
        /// Cases of which too little is known.
        thin: usize,
        /// Cases with a value outside the range of training.
        outside: usize,
    },
    /// A list of those that no service knows, where nobody is marked.
    #[error(
        "nothing says who is known to a service already, so there is no list of the others: declare it in the project (`[[known_to]]`)"
    )]
    NobodyIsMarked,
    /// The same, where everybody is known.
    #[error(
        "every case is known to a service already, so the list of the others is empty; ask for one of everybody"
    )]
    AllAreKnown,
    /// A list cannot be held against this one.
    #[error(
        "what changed since an earlier list cannot be told: {0}; give the list.json of an earlier month, or none"
    )]
    EarlierList(String),
    /// There is no such place on the list.
    #[error("the list has no place {0}; places count from 1")]
    NoPlace(usize),
    /// Nobody is named as the reviewer.
    #[error("a case is opened by a named person with a role: {0}")]
    Reviewer(&'static str),
    /// The list is too old.
    #[error(
        "the list expired on {0}; score again, so that people are not judged by what was true then. For what was done \
         while it held, give the day on which it was (`--on`; in a file of decisions, its own days)"
    )]
    Expired(String),
    /// A decision without a reason.
    #[error("a decision needs a reason in words")]
    NoReason,
    /// A text of a reviewer that is longer than anybody reads.
    #[error(
        "what a reviewer writes about one case has no more than {most} bytes, and this has {bytes}; keep longer notes in the case file"
    )]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// The council's own list of reasons is none.
    #[error("the list of reasons (`review.reason_codes`) cannot be used: {0}")]
    ReasonCodes(String),
    /// A decision does not name one of the council's reasons.
    #[error(
        "a decision of this list names one of its reasons, {}", if .0.is_empty() { "and it has none; leave it out".to_owned() } else { .0.join(", ") }
    )]
    ReasonCode(Vec<String>),
    /// A reviewer who has not written their own judgement down.
    #[error(
        "on this list the reviewer's own judgement is written down before the case is seen (`--own-judgement`, or `own_judgement` in a file)"
    )]
    JudgeFirst,
    /// A file of decisions that cannot be used.
    #[error("the file of decisions cannot be used: {0}; nothing of it was put on record")]
    DecisionFile(String),
}
