//! What the page asks a reviewer, and the file that it saves.

use crate::review::{Agreement, ReasonCode, ReviewList, Step};

/// The questions about a case: the same for each. None of them has an answer until the reviewer gives one.
pub(super) struct Questions<'a> {
    /// The run that the file names.
    pub(super) run: &'a str,
    /// Whether the list is on record: decisions about one that is not could be put nowhere.
    pub(super) on_record: bool,
    /// Whether the reviewer's own judgement comes before place, band and reasons.
    pub(super) first: bool,
    pub(super) codes: &'a [ReasonCode],
    pub(super) steps: [Choice; 3],
    pub(super) agreements: [Choice; 3],
}

/// An answer.
pub(super) struct Choice {
    pub(super) code: &'static str,
    pub(super) words: &'static str,
}

impl<'a> Questions<'a> {
    pub(super) fn of(list: &'a ReviewList) -> Self {
        Self {
            run: &list.provenance().run_id,
            on_record: list.witness().is_some(),
            first: list.review().own_judgement_first,
            codes: &list.review().reason_codes,
            steps: Step::ALL.map(|step| Choice {
                code: step.code(),
                words: match step {
                    Step::OfferSupport => "Offer the family support",
                    Step::SeekInformation => "Ask those who know the family first",
                    Step::NoAction => "Do nothing",
                },
            }),
            agreements: Agreement::ALL.map(|agreement| Choice {
                code: agreement.code(),
                words: match agreement {
                    Agreement::Agree => "I agree",
                    Agreement::Disagree => "I disagree",
                    Agreement::CannotTell => "It cannot be told from what is known",
                },
            }),
        }
    }
}
