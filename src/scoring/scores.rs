//! Scoring a cohort.

use std::sync::{Arc, OnceLock};

use super::OnePer;
use super::abstention::{Abstention, Gate, NotScored};
use super::case::{Contribution, RankedCase, ScoredCase};
use super::places::KeptIn;
use super::provenance::{Acceptance, AcceptedSource, Exception, Provenance, ScoredTable, SourceState};
use super::release::Scorer;
use crate::calendar::{AsOf, Day};
use crate::cohort::{Cohort, CohortSpec};
use crate::error::{ScoringError, SpecError};
use crate::evaluate::NeedsOnRecord;
use crate::evaluate::ranking::lot;
use crate::features::FeatureMatrix;
use crate::held::Held;
use crate::known_to::{IsKnown, KnownCases, KnownTo};
use crate::records::{Snapshot, Source, SourceChange};
use crate::sentences::{self, Usual};
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

/// The seed of the lots by which equal scores of a date stand.
pub(crate) fn lots_of(as_of: AsOf) -> u64 {
    u64::from(as_of.day().epoch_days().cast_unsigned())
}

/// The longest use of scores, in days: a year. A score that is older says what was true of another family.
pub(crate) const LONGEST_USE: u32 = 366;

/// The scored cohort: every case's score is the sum of its explanation; a case is handed out whole.
pub struct Scores<'s, 'r> {
    scorer: Held<'s, Scorer>,
    pub(super) cohort: Cohort<'r>,
    pub(super) matrix: FeatureMatrix,
    /// Rows of the cohort that are scored, highest score first.
    pub(super) order: Vec<u32>,
    /// For each row its rank, 0 where it is not scored; made when a case is first asked for by its id.
    ranks: OnceLock<Vec<u32>>,
    /// The same rows in the order of their lots, by which equal scores stand.
    pub(super) by_lot: Vec<u32>,
    pub(super) log_odds: Vec<f64>,
    not_scored: Vec<NotScored>,
    /// For each row in how many refits it is on a list of the backtest's length; made when a case is first asked for by its
    /// rank.
    kept_in: OnceLock<KeptIn>,
    /// For each feature what it says of all of them together; made when a case is first explained.
    usual: Vec<OnceLock<Usual>>,
    cannot_see: Vec<String>,
    /// Who is known to a service already; `None` where nobody said what that means.
    pub(super) known_to: Option<KnownCases>,
    provenance: Provenance,
}

/// What the records of a date say, whoever is scored.
pub(super) struct Found {
    /// In what sources are not what they were when the model was trained.
    changes: Vec<SourceChange>,
    sources: Vec<SourceState>,
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
    /// Scores every case of a cohort.
    ///
    /// # Errors
    /// [`ScoringError::OtherPurpose`], [`ScoringError::ReviewOverdue`], [`ScoringError::OtherPopulation`],
    /// [`ScoringError::BeforeSignOff`] and [`ScoringError::Request`] where scoring is refused; [`ScoringError::AsOfAfterRequest`],
    /// [`ScoringError::BeforeRecords`] and [`ScoringError::AfterRecords`] where the date is none that the records
    /// can speak of; [`ScoringError::Spec`] where the records
    /// lack what the model reads; [`ScoringError::SourcesChanged`] where a source that it rests on is not what it was at
    /// training and the request does not accept that.
    pub fn score<'r>(&self, cohort: &Cohort<'r>, request: &Request) -> Result<Scores<'_, 'r>, ScoringError> {
        let features = |cohort: &Cohort<'_>| self.candidate().features().compute(cohort);
        Scores::of(Held::Lent(self), (cohort, None), request, features, None)
    }

    /// The same where the model is shared, and the records are ([`Records::as_of_shared`](crate::records::Records::as_of_shared)):
    /// the scores can be kept for as long as they are of use, and handed to threads.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use earlyhelp::calendar::AsOf;
    /// use earlyhelp::records::Records;
    /// use earlyhelp::scoring::{Request, Scorer, Scores};
    ///
    /// /// What a service keeps from one request to the next.
    /// struct Month {
    ///     scores: Scores<'static, 'static>,
    /// }
    ///
    /// fn of_month(
    ///     scorer: &Arc<Scorer>,
    ///     records: &Arc<Records>,
    ///     as_of: AsOf,
    ///     request: &Request,
    /// ) -> earlyhelp::Result<Month> {
    ///     let cohort = scorer.candidate().cohort().choose(&records.as_of_shared(as_of))?;
    ///     Ok(Month { scores: scorer.score_shared(&cohort, request)? })
    /// }
    /// ```
    pub fn score_shared(
        self: &Arc<Self>,
        cohort: &Cohort<'static>,
        request: &Request,
    ) -> Result<Scores<'static, 'static>, ScoringError> {
        let features = |cohort: &Cohort<'_>| self.candidate().features().compute(cohort);
        Scores::of(Held::Shared(Arc::clone(self)), (cohort, None), request, features, None)
    }

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
            features: self.candidate().features().digest(),
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

impl<'s, 'r> Scores<'s, 'r> {
    /// Scores a cohort by features that are computed in some way, once nothing speaks against scoring; `found` is what the records
    /// of its date say, where that is known already.
    pub(super) fn of(
        scorer: Held<'s, Scorer>,
        (cohort, found): (&Cohort<'r>, Option<&Found>),
        request: &Request,
        features: impl FnOnce(&Cohort<'r>) -> Result<FeatureMatrix, SpecError>,
        table: Option<ScoredTable>,
    ) -> Result<Self, ScoringError> {
        scorer.check(cohort.rules(), (cohort.snapshot(), found), request)?;
        let looked: Found;
        let found = if let Some(found) = found {
            found
        } else {
            looked = scorer.found(cohort.snapshot());
            &looked
        };
        let stated = found.stated(request)?;
        let matrix = features(cohort)?;
        let log_odds = scorer.candidate().model().log_odds(&matrix)?;
        let records = cohort.snapshot().records();
        let coverage = |source: &str| records.source(source).map(|held| &held.coverage);
        let gate = Gate::new(scorer.candidate(), (cohort.as_of(), coverage), request.abstention);
        let mut order = Vec::with_capacity(cohort.len());
        let mut not_scored = Vec::new();
        for row in 0..cohort.len() {
            match gate.refuses(&matrix, row, || cohort.others(row).is_some()) {
                None => order.push(row as u32),
                Some(reason) => not_scored.push(NotScored { entity: cohort.id(row).to_owned(), reason }),
            }
        }
        // Equal scores: by lots that are drawn anew for each date, so that nobody is always last.
        let date = lots_of(cohort.as_of());
        order.sort_by_cached_key(|&row| lot(date, cohort.id(row as usize)));
        let by_lot = order.clone();
        order.sort_by(|&a, &b| log_odds[b as usize].total_cmp(&log_odds[a as usize]));
        let mut provenance =
            scorer.provenance(cohort.as_of(), request, stated, Some((cohort, not_scored.len())));
        if table.is_some() {
            provenance.table = table;
            provenance.name_run(None::<&()>);
        }
        let cannot_see = scorer.cannot_see(cohort.has_own_days(), cohort.as_of());
        let usual = (0..matrix.names().len()).map(|_| OnceLock::new()).collect();
        Ok(Self {
            scorer,
            cohort: cohort.clone(),
            matrix,
            order,
            ranks: OnceLock::new(),
            by_lot,
            log_odds,
            not_scored,
            kept_in: OnceLock::new(),
            usual,
            cannot_see,
            known_to: None,
            provenance,
        })
    }
}

impl Scores<'_, '_> {
    /// The model that scored.
    #[must_use]
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The same scores, each case marked with what services it is known to already. Nothing of it goes into a score.
    /// Where `to` names nothing, cases have no marks.
    ///
    /// # Errors
    /// [`ScoringError::Spec`] as [`KnownCases::of`].
    pub fn known_to(mut self, to: &[KnownTo]) -> Result<Self, ScoringError> {
        self.known_to = if to.is_empty() { None } else { Some(KnownCases::of(to, &self.cohort)?) };
        Ok(self)
    }

    /// Whether the case at a rank (from 1) is known to a service already, whichever it is; `None` beyond the last rank, and
    /// where nobody said what that means ([`Scores::known_to`]).
    #[must_use]
    pub fn is_known(&self, rank: usize) -> Option<IsKnown> {
        let row = *rank.checked_sub(1).and_then(|place| self.order.get(place))?;
        self.known_to.as_ref().map(|known| known.any(row as usize))
    }

    /// The rank of a case by its id, from 1; `None` where no case of that id was scored.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::scoring::{RankedCase, Scores};
    ///
    /// fn case_of(scores: &Scores<'_, '_>, id: &str) -> Result<Option<RankedCase>, earlyhelp::error::ScoringError> {
    ///     scores.rank_of(id).map_or(Ok(None), |rank| scores.case(rank))
    /// }
    /// ```
    #[must_use]
    pub fn rank_of(&self, entity: &str) -> Option<usize> {
        let ranks = self.ranks.get_or_init(|| {
            let mut ranks = vec![0; self.cohort.len()];
            for (&row, rank) in self.order.iter().zip(1_u32..) {
                ranks[row as usize] = rank;
            }
            ranks
        });
        let rank = ranks[self.cohort.row_of(entity)?];
        (rank > 0).then_some(rank as usize)
    }

    /// How many cases were scored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The cases of the cohort that were not scored, with the reason. Together with those that were they
    /// are the cohort.
    #[must_use]
    pub fn not_scored(&self) -> &[NotScored] {
        &self.not_scored
    }

    /// Whether no case could be scored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where the scores of the run come from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The case at a rank (from 1, highest score first; equal scores in an order drawn by lot), whole:
    /// score, explanation, records and provenance. `None` beyond the last rank. Its [stability](super::Stability) is that of a list of
    /// the backtest's length with a place for each case; on a list it is the list's own.
    ///
    /// # Errors
    /// [`ScoringError`] where the case cannot be explained from the records.
    pub fn case(&self, rank: usize) -> Result<Option<RankedCase>, ScoringError> {
        if self.kept_in.get().is_none() {
            let length = self.scorer.backtest().plan.capacity.of(self.order.len());
            let kept_in = self.kept_in(&self.places(OnePer::Case), length)?;
            return self.case_kept(rank, self.kept_in.get_or_init(|| kept_in));
        }
        self.kept_in.get().map_or(Ok(None), |kept_in| self.case_kept(rank, kept_in))
    }

    /// The case at a rank, with its stability on such lists.
    pub(crate) fn case_kept(
        &self,
        rank: usize,
        kept_in: &KeptIn,
    ) -> Result<Option<RankedCase>, ScoringError> {
        let Some(&row) = rank.checked_sub(1).and_then(|place| self.order.get(place)) else { return Ok(None) };
        let row = row as usize;
        self.compute_case_again(row)?;
        Ok(Some(RankedCase {
            rank: rank as u32,
            of: self.order.len() as u32,
            stability: kept_in.of(row),
            case: self.case_of_row(row)?,
        }))
    }

    /// What is said of a case, whatever its rank.
    pub(super) fn case_of_row(&self, row: usize) -> Result<ScoredCase, ScoringError> {
        let candidate = self.scorer.candidate();
        let explanation = candidate.model().explain(&self.matrix, row)?;
        let mut contributions = Vec::new();
        let reach = candidate.model().reach(&self.matrix, row)?;
        for (term, &log_odds) in explanation.contributions().iter().enumerate() {
            let reach = reach.as_ref().map(|reach| reach.contributions[term]);
            contributions.push(self.contribution(term, row, log_odds)?.within(reach));
        }
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        Ok(ScoredCase {
            entity: self.cohort.id(row).to_owned(),
            seen_on: self.cohort.has_own_days().then(|| self.cohort.seen_on(row)),
            band: self.scorer.band(self.log_odds[row]),
            chance: self.scorer.chance(self.log_odds[row], reach.as_ref().map(|reach| reach.score)),
            score: explanation.score(),
            average: explanation.intercept(),
            contributions,
            absent: self.scorer.absent(|place| self.matrix.cell(row, place)),
            cannot_see: self.cannot_see.clone(),
            known_to: self.known_to.as_ref().map_or_else(Vec::new, |known| known.marks(row)),
            provenance: self.provenance.clone(),
        })
    }

    /// Names the run after what was asked, and about whom: who is asked about alone is no run with anybody else. `given`: where
    /// the records come from, where they came with the question.
    pub(super) fn name_after(&mut self, entity: &str, given: Option<&str>) {
        self.provenance.given = given.map(str::to_owned);
        self.provenance.name_run(Some(&entity));
    }

    fn contribution(&self, term: usize, row: usize, log_odds: f64) -> Result<Contribution, ScoringError> {
        let candidate = self.scorer.candidate();
        let seen_on = self.cohort.seen_on(row);
        let cell = |place| self.matrix.cell(row, place);
        let mut part = Contribution::of(candidate, term, cell, log_odds, seen_on);
        let mut without_value = 0;
        for place in candidate.model().places(term) {
            part.records.extend(candidate.features().records_behind(&self.cohort, row, place)?);
            // Of a pair the one that lacks more: both may lack the same records.
            let unknown = candidate.features().unknown_behind(&self.cohort, row, place)?;
            without_value = without_value.max(unknown);
        }
        if without_value > 0 {
            part = part.without_values(candidate, term, without_value, seen_on);
        }
        if part.features.len() > 1 {
            // Two features of a pair may rest on the same records.
            part.records.sort();
            part.records.dedup();
        } else if let Some(place) = candidate.model().places(term).next() {
            let feature = &candidate.features().features()[place];
            part.detail = sentences::detail(feature, &part.records);
            part.usual = self.usual(place).words(feature, cell(place));
        }
        Ok(part)
    }

    /// What a feature says of all scored cases together.
    fn usual(&self, place: usize) -> &Usual {
        self.usual[place].get_or_init(|| {
            let cells = self.order.iter().map(|&row| self.matrix.cell(row as usize, place));
            Usual::of(&self.scorer.candidate().features().features()[place], cells)
        })
    }

    /// The needs that the model's features speak of, and for each scored case, by rank, its id and which of them it shows.
    pub(crate) fn needs(&self) -> (Vec<&str>, impl Iterator<Item = (&str, Vec<bool>)>) {
        let on_record = NeedsOnRecord::of(self.scorer.candidate().features());
        let names = on_record.names.clone();
        let cases = self.order.iter().map(move |&row| {
            let mut shown = vec![false; on_record.names.len()];
            on_record.of_case(&self.matrix, row as usize, &mut shown);
            (self.cohort.id(row as usize), shown)
        });
        (names, cases)
    }

    /// The rows of the cohort that are scored, highest score first.
    pub(crate) fn by_rank(&self) -> &[u32] {
        &self.order
    }

    /// The log-odds of a row of the cohort, scored or not.
    pub(crate) fn log_odds_at(&self, row: usize) -> f64 {
        self.log_odds[row]
    }

    /// The id and the log-odds at each of these ranks: for dealing places to groups.
    pub(crate) fn ranked<'a>(&'a self, ranks: &'a [usize]) -> impl Iterator<Item = (&'a str, f64)> {
        ranks.iter().map(|&rank| {
            let row = self.order[rank - 1] as usize;
            (self.cohort.id(row), self.log_odds[row])
        })
    }

    /// A lot for each of these ranks: for drawing a comparison sample.
    pub(crate) fn lots<'a>(&'a self, seed: u64, ranks: &'a [usize]) -> impl Iterator<Item = u64> + 'a {
        // Of its own for each date: a sample that never changes would show the same few families for ever.
        let date = lots_of(self.cohort.as_of());
        let seed = seed.wrapping_add(1).wrapping_mul(1 << 32).wrapping_add(date);
        ranks.iter().map(move |&rank| lot(seed, self.cohort.id(self.order[rank - 1] as usize)))
    }
}

crate::opaque_debug!(Scores<'_, '_>);
