//! Scoring a cohort.

use std::sync::{Arc, OnceLock};

use super::OnePer;
use super::abstention::{Gate, NotScored};
use super::case::{Contribution, RankedCase, ScoredCase};
use super::places::KeptIn;
use super::provenance::{Provenance, ScoredTable};
use super::release::Scorer;
use super::request::{Found, Request};
use crate::calendar::AsOf;
use crate::cohort::Cohort;
use crate::error::{ScoringError, SpecError};
use crate::evaluate::NeedsOnRecord;
use crate::evaluate::ranking::lot;
use crate::features::FeatureMatrix;
use crate::held::Held;
use crate::known_to::{IsKnown, KnownCases, KnownTo};
use crate::sentences::{self, Usual};

/// The seed of the lots by which equal scores of a date stand.
pub(crate) fn lots_of(as_of: AsOf) -> u64 {
    u64::from(as_of.day().epoch_days().cast_unsigned())
}

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
