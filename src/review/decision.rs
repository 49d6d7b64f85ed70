//! What a person decides about one case.

use serde::Serialize;

use super::judgement::{Agreement, Reviewer, Step};
use super::listed::{ListedCase, WhyListed};
use crate::calendar::Day;
use crate::error::ReviewError;
use crate::limits;
use crate::scoring::RankedCase;

/// A case while a named person looks at it. Only from here can there be a [`Decision`], and only one:
/// ```
/// # use earlyhelp::calendar::Day;
/// # use earlyhelp::error::ReviewError;
/// # use earlyhelp::review::{Agreement, Decision, OpenCase, Step};
/// fn decided(case: OpenCase<'_>, on: Day) -> Result<Decision, ReviewError> {
///     case.decide(Step::OfferSupport, Agreement::Agree, "The school sees it too", on)
/// }
/// ```
/// ```compile_fail,E0382
/// # use earlyhelp::calendar::Day;
/// # use earlyhelp::error::ReviewError;
/// # use earlyhelp::review::{Agreement, Decision, OpenCase, Step};
/// fn decided(case: OpenCase<'_>, on: Day) -> Result<Decision, ReviewError> {
///     case.decide(Step::NoAction, Agreement::Agree, "Another family", on)?;
///     case.decide(Step::OfferSupport, Agreement::Agree, "The school sees it too", on)
/// }
/// ```
pub struct OpenCase<'l> {
    entry: &'l mut ListedCase,
    reviewer: Reviewer,
    opened_on: Day,
}

/// What a named person decided about one case that they had opened, and why.
///
/// Nothing makes one but [`OpenCase::decide`] and, for a list that a ledger holds,
/// [`RecordedCase::decide`](crate::ledger::RecordedCase::decide). Reading one compiles:
/// ```
/// # use earlyhelp::review::{Agreement, Decision, Step};
/// fn reason(decision: &Decision) -> &str {
///     decision.reason()
/// }
/// ```
/// Reaching into one does not:
/// ```compile_fail,E0616
/// # use earlyhelp::review::{Agreement, Decision, Step};
/// fn reason(decision: &Decision) -> &str {
///     &decision.reason
/// }
/// ```
/// One can be handed on:
/// ```
/// # use earlyhelp::review::Decision;
/// fn given(decision: Decision) -> Decision {
///     decision
/// }
/// ```
/// and not be made up:
/// ```compile_fail,E0451
/// # use earlyhelp::review::Decision;
/// fn given(decision: Decision) -> Decision {
///     Decision { reason: "batch".to_owned(), ..decision }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    run_id: String,
    entity: String,
    #[serde(rename = "drawn")]
    why_listed: WhyListed,
    reviewer: Reviewer,
    opened_on: Day,
    decided_on: Day,
    step: Step,
    agreement: Agreement,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<String>,
    reason: String,
}

impl<'l> OpenCase<'l> {
    pub(super) fn new(entry: &'l mut ListedCase, reviewer: Reviewer, opened_on: Day) -> Self {
        Self { entry, reviewer, opened_on }
    }

    /// The case.
    #[must_use]
    pub fn case(&self) -> &RankedCase {
        self.entry.case()
    }

    /// Why it is on the list.
    #[must_use]
    pub fn why_listed(&self) -> WhyListed {
        self.entry.why_listed()
    }

    /// Decides, with a reason in words, and closes the case.
    ///
    /// # Errors
    /// [`ReviewError::NoReason`] without a reason, [`ReviewError::TooLong`] with one beyond 64 KiB,
    /// [`ReviewError::Expired`] after the list's last day.
    pub fn decide(
        self,
        step: Step,
        agreement: Agreement,
        reason: impl Into<String>,
        on: Day,
    ) -> Result<Decision, ReviewError> {
        let provenance = self.case().provenance();
        let case = LookedAt {
            run_id: provenance.run_id.clone(),
            entity: self.case().entity().to_owned(),
            drawn: self.why_listed(),
            expires: provenance.expires,
            opened_on: self.opened_on,
            reviewer: self.reviewer,
        };
        Decision::about(case, step, agreement, reason.into(), on)
    }
}

/// Which case somebody opened, and when: from the list itself or from a ledger that holds it.
pub(crate) struct LookedAt {
    pub(crate) run_id: String,
    pub(crate) entity: String,
    pub(crate) drawn: WhyListed,
    pub(crate) reviewer: Reviewer,
    pub(crate) opened_on: Day,
    /// The list's last day.
    pub(crate) expires: Day,
}

impl Decision {
    /// The one maker.
    pub(crate) fn about(
        case: LookedAt,
        step: Step,
        agreement: Agreement,
        reason: String,
        on: Day,
    ) -> Result<Self, ReviewError> {
        if crate::words::is_blank(&reason) {
            return Err(ReviewError::NoReason);
        }
        if reason.len() > limits::NOTE_BYTES {
            return Err(ReviewError::TooLong { bytes: reason.len(), most: limits::NOTE_BYTES });
        }
        if on > case.expires {
            return Err(ReviewError::Expired(case.expires.to_string()));
        }
        Ok(Self {
            run_id: case.run_id,
            entity: case.entity,
            why_listed: case.drawn,
            reviewer: case.reviewer,
            opened_on: case.opened_on,
            decided_on: on.max(case.opened_on),
            step,
            agreement,
            reason_code: None,
            reason,
        })
    }

    /// The same, with a reason of the council's own list ([`ReviewRules`](super::ReviewRules)) beside the words. A ledger
    /// refuses one that the list's project does not have.
    #[must_use]
    pub fn coded(mut self, code: impl Into<String>) -> Self {
        self.reason_code = Some(code.into());
        self
    }

    /// The run whose list the case was on.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// Why the case was on the list.
    #[must_use]
    pub fn why_listed(&self) -> WhyListed {
        self.why_listed
    }

    /// Who decided.
    #[must_use]
    pub fn reviewer(&self) -> &Reviewer {
        &self.reviewer
    }

    /// When the case was opened.
    #[must_use]
    pub fn opened_on(&self) -> Day {
        self.opened_on
    }

    /// When it was decided.
    #[must_use]
    pub fn decided_on(&self) -> Day {
        self.decided_on
    }

    /// The next step.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether the person agrees with the case's place on the list.
    #[must_use]
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// The reason in the council's own list, where one was named.
    #[must_use]
    pub fn reason_code(&self) -> Option<&str> {
        self.reason_code.as_deref()
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

crate::opaque_debug!(OpenCase<'_>);

crate::opaque_debug!(Decision);
