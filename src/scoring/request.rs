//! A request for scores, and what speaks against it: the one place where scoring is refused.

use super::abstention::Abstention;
use super::provenance::{Acceptance, AcceptedSource, Exception, Provenance, SourceState};
use super::release::Scorer;
use crate::calendar::{AsOf, Day};
use crate::cohort::{Cohort, CohortSpec};
use crate::error::ScoringError;
use crate::records::{Snapshot, Source, SourceChange};
use crate::words;

/// Who asks for scores, for what, and when.
///
/// # Examples
/// ```
/// use earlyhelp::scoring::Request;
///
/// let request = Request::new("B. Lead", "Offer early help to families", "2025-04-01".parse()?);
/// assert_eq!(request.valid_for_days, 31);
/// # Ok::<(), earlyhelp::error::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who asks.
    pub requested_by: String,
    /// For what; it must be the purpose that the model was signed for.
    pub purpose: String,
    /// The day of the request. The library has no clock.
    pub on: Day,
    /// How many days after the as-of date the scores may be used, at most 366. The default, 31: until the next
    /// month's list, so that nobody stays flagged by what was true once. More needs an exception.
    pub valid_for_days: u32,
    /// When a case is not scored. A rule that is looser than the default one needs an exception.
    pub abstention: Abstention,
    /// Who allows a longer use or a looser rule, and why: it stands on the list and in the ledger.
    pub exception: Option<Exception>,
    /// Sources that are not what they were when the model was trained, and are used all the same. Without this, scoring
    /// is refused where there is such a source.
    pub accepted: Vec<Acceptance>,
}

impl Request {
    /// A request on a day.
    pub fn new(requested_by: impl Into<String>, purpose: impl Into<String>, on: Day) -> Self {
        Self {
            requested_by: requested_by.into(),
            purpose: purpose.into(),
            on,
            valid_for_days: 31,
            abstention: Abstention::default(),
            exception: None,
            accepted: Vec::new(),
        }
    }

    /// The same request with somebody who allows that its use is longer, or its rule looser, than usual.
    #[must_use]
    pub fn by_exception(mut self, by: impl Into<String>, reason: impl Into<String>) -> Self {
        self.exception = Some(Exception { by: by.into(), reason: reason.into() });
        self
    }

    /// Refuses limits that are no limits, and looser ones than usual for which nobody answers.
    fn check_limits(&self) -> Result<(), ScoringError> {
        let wrong = |why: String| Err(ScoringError::Request(why));
        if !(1..=LONGEST_USE).contains(&self.valid_for_days) {
            return wrong(format!(
                "scores can be used for 1 to {LONGEST_USE} days; give `valid_for_days` in that range"
            ));
        }
        self.abstention.check()?;
        let usual = Self::new("", "", self.on);
        let is_looser =
            self.valid_for_days > usual.valid_for_days || self.abstention.is_looser_than(usual.abstention);
        match &self.exception {
            None if is_looser => wrong(
                "scores are to be used for longer, or made with a looser rule of abstention, than usual; say who allows that, and \
                 why (`by_exception`)"
                    .to_owned(),
            ),
            Some(_) if !is_looser => wrong("an exception is given, and there is nothing to except".to_owned()),
            Some(Exception { by, reason }) if words::is_blank(by) || words::is_blank(reason) => {
                wrong("an exception needs a name and a reason; give both".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The same request, which uses a source that is not what it was when the model was trained: see
    /// [`Candidate::changed_sources`](crate::model::Candidate::changed_sources).
    #[must_use]
    pub fn accepting(
        mut self,
        source: impl Into<String>,
        by: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (source, by, reason) = (source.into(), by.into(), reason.into());
        self.accepted.push(Acceptance { source, by, reason });
        self
    }
}

/// The longest use of scores, in days: a year. A score that is older says what was true of another family.
pub(crate) const LONGEST_USE: u32 = 366;

/// What the records of a date say, whoever is scored.
pub(super) struct Found {
    /// In what sources are not what they were when the model was trained.
    changes: Vec<SourceChange>,
    pub(super) sources: Vec<SourceState>,
    /// Whether the records are of a few people alone, so that nothing can be said of whole sources.
    is_of_few: bool,
}

/// What a provenance says of sources: each, and those that are used though they are not what they were.
type Stated = (Vec<SourceState>, Vec<AcceptedSource>);

impl Found {
    /// What is said of sources for a request.
    pub(super) fn stated(&self, request: &Request) -> Result<Stated, ScoringError> {
        let accepted = accepted(&self.changes, request)?;
        Ok((self.sources.clone(), accepted))
    }
}

impl Scorer {
    /// What the records of a date say, whoever is scored.
    pub(super) fn found(&self, snapshot: &Snapshot<'_>) -> Found {
        let changes = self.candidate().changed_sources(snapshot);
        Found { changes, sources: source_states(snapshot), is_of_few: false }
    }

    /// The same of records that are of a few people alone.
    pub(super) fn found_of_few(snapshot: &Snapshot<'_>) -> Found {
        Found { changes: Vec::new(), sources: source_states(snapshot), is_of_few: true }
    }

    /// Whether cases of such rules are scored for this request by what was known on a date.
    pub(super) fn check(
        &self,
        rules: &CohortSpec,
        (snapshot, found): (&Snapshot<'_>, Option<&Found>),
        request: &Request,
    ) -> Result<(), ScoringError> {
        if words::is_blank(&request.requested_by) {
            return Err(ScoringError::Request("nobody is named who asks for the scores".into()));
        }
        self.check_request(rules, snapshot.as_of(), request)?;
        match found {
            // Of a few people a source may hold nothing.
            Some(found) if found.is_of_few => Ok(()),
            _ => self.check_records(snapshot, request),
        }
    }

    /// Whether the cases of such rules on a date are scored for this request, whatever their records are.
    pub(crate) fn check_request(
        &self,
        rules: &CohortSpec,
        as_of: AsOf,
        request: &Request,
    ) -> Result<(), ScoringError> {
        request.check_limits()?;
        let sign_off = self.sign_off();
        if request.on < sign_off.signed_on {
            return Err(ScoringError::BeforeSignOff { signed_on: sign_off.signed_on.to_string() });
        }
        if request.purpose.trim() != sign_off.purpose.trim() {
            return Err(ScoringError::OtherPurpose { released: sign_off.purpose.clone() });
        }
        if request.on.max(as_of.day()) > sign_off.review_by {
            return Err(ScoringError::ReviewOverdue { review_by: sign_off.review_by.to_string() });
        }
        let other = rules.differs_from(self.candidate().cohort());
        if !other.is_empty() {
            return Err(ScoringError::OtherPopulation { rules: words::listed(&other) });
        }
        let (as_of, on) = (as_of.day(), request.on);
        if as_of > on {
            return Err(ScoringError::AsOfAfterRequest { as_of: as_of.to_string(), on: on.to_string() });
        }
        Ok(())
    }

    /// Whether the records can say anything about the date. **The one place** where records to be scored are
    /// held against what the model was trained on. A kind of which this month has no record is no fault.
    fn check_records(&self, snapshot: &Snapshot<'_>, request: &Request) -> Result<(), ScoringError> {
        let (as_of, records) = (snapshot.as_of(), snapshot.records());
        let features = self.candidate().features().features().iter();
        let mut names: Vec<&str> = features.map(|feature| feature.records.source.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let sources: Vec<&Source> = names.into_iter().filter_map(|name| records.source(name)).collect();
        if sources.is_empty() {
            return Ok(());
        }
        let has_begun = |source: &&Source| {
            source.first_day(as_of).is_some() && source.coverage.from.is_none_or(|from| from < as_of.day())
        };
        if !sources.iter().any(has_begun) {
            return Err(ScoringError::BeforeRecords { as_of: as_of.to_string() });
        }
        // Where nobody declares how far a source reaches, its last record is all there is to go by.
        let reaches = |source: &&Source| {
            source.coverage.to.or_else(|| source.days_found().map(|found| found.last_known))
        };
        let stale_days = i32::try_from(request.abstention.stale_days).unwrap_or(i32::MAX);
        match sources.iter().filter_map(reaches).max() {
            Some(ends) if ends + stale_days < as_of.day() => {
                Err(ScoringError::AfterRecords { as_of: as_of.to_string(), ends: ends.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Where scores of a date come from; of a cohort, with how many of it were not scored.
    pub(super) fn provenance(
        &self,
        as_of: AsOf,
        request: &Request,
        (sources, accepted): Stated,
        cohort: Option<(&Cohort<'_>, usize)>,
    ) -> Provenance {
        let mut provenance = Provenance {
            run_id: String::new(),
            model: self.digest().to_owned(),
            candidate: self.candidate().digest().to_owned(),
            features: self.features_digest().to_owned(),
            outcome: self.candidate().outcome().words.clone(),
            outcome_measures: self.candidate().outcome().measures.clone(),
            as_of,
            sources,
            accepted,
            table: None,
            given: None,
            cohort: String::new(),
            cohort_size: cohort.map_or(0, |(cohort, _)| cohort.len() as u32),
            not_scored: cohort.map_or(0, |(_, not_scored)| not_scored as u32),
            abstention: request.abstention,
            exception: request.exception.clone(),
            purpose: request.purpose.clone(),
            requested_by: request.requested_by.clone(),
            requested_on: request.on,
            library_version: env!("CARGO_PKG_VERSION").to_owned(),
            expires: as_of.day() + i32::try_from(request.valid_for_days).unwrap_or(i32::MAX),
        };
        provenance.name_run(None::<&()>);
        if let Some((cohort, _)) = cohort {
            provenance.cohort = cohort.digest();
        }
        provenance
    }
}

/// What the request accepts, with what was found.
fn accepted(found: &[SourceChange], request: &Request) -> Result<Vec<AcceptedSource>, ScoringError> {
    let is_of = |accepted: &Acceptance, change: &SourceChange| accepted.source == change.source;
    let mut accepted: Vec<AcceptedSource> = Vec::new();
    for acceptance in &request.accepted {
        let Acceptance { source, by, reason } = acceptance;
        let wrong = |why: &str| Err(ScoringError::Request(format!("the source \"{source}\" {why}")));
        if words::is_blank(by) || words::is_blank(reason) {
            return wrong("is accepted without a name or a reason; give both");
        }
        if accepted.iter().any(|held| held.acceptance.source == *source) {
            return wrong("is accepted twice; accept it once");
        }
        let found: Vec<SourceChange> =
            found.iter().filter(|change| is_of(acceptance, change)).cloned().collect();
        if found.is_empty() {
            // An acceptance that stands in a script for good would hide the next fault.
            return wrong(
                "is what it was when the model was trained, or is none of the model's; there is nothing to accept",
            );
        }
        accepted.push(AcceptedSource { acceptance: acceptance.clone(), found });
    }
    let open: Vec<String> = found
        .iter()
        .filter(|change| !request.accepted.iter().any(|accepted| is_of(accepted, change)))
        .map(|change| format!("{}: {}", change.source, change.words))
        .collect();
    if open.is_empty() { Ok(accepted) } else { Err(ScoringError::SourcesChanged { found: open.join("; ") }) }
}

/// What each source says on a date.
fn source_states(snapshot: &Snapshot<'_>) -> Vec<SourceState> {
    snapshot
        .digests()
        .into_iter()
        .map(|(source, digest)| {
            let coverage = snapshot.records().source(&source).map(|source| &source.coverage);
            SourceState {
                source,
                digest,
                covers_from: coverage.and_then(|coverage| coverage.from),
                covers_to: coverage.and_then(|coverage| coverage.to),
                updated: coverage.and_then(|coverage| coverage.updated),
            }
        })
        .collect()
}
