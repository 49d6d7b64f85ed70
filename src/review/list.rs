//! The review list.

use serde::{Deserialize, Serialize};

use super::decision::OpenCase;
use super::judgement::Reviewer;
use super::listed::{ListedCase, WhyListed};
use super::listing::{Among, leads, length};
use super::picture::TermPicture;
use super::rules::ReviewRules;
use super::since::Since;
use crate::calendar::Day;
use crate::error::{AuditError, Error, ReviewError};
use crate::evaluate::{Capacity, ListLength, Tie};
use crate::fairness::audit::ScoreTable;
use crate::fairness::{CapacityShares, Protected};
use crate::known_to::IsKnown;
use crate::scoring::{NotScored, OnePer, Places, Provenance, Scores};
use crate::words::{self, Move};

/// The cases that a team looks at: the highest scores up to its capacity, and beside them, if asked for,
/// some cases drawn at random from the rest.
///
/// The random cases are marked. Without them a service only ever sees families that the model points at,
/// and nobody can tell what it misses.
#[derive(Serialize)]
pub struct ReviewList {
    #[serde(rename = "audit")]
    pub(super) provenance: Provenance,
    /// How many places were asked for.
    capacity: Capacity,
    /// The sample that was asked for.
    comparison: Option<RandomSample>,
    /// Whom a place is for.
    one_per: OnePer,
    /// Among whom places were given.
    among: Among,
    /// How places were dealt to groups, where they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<SharesUsed>,
    /// How the team works on it.
    #[serde(skip_serializing_if = "ReviewRules::is_default")]
    review: ReviewRules,
    /// What came of lists of this length, or of the next longer ones measured, in the backtest.
    #[serde(skip_serializing_if = "Option::is_none")]
    tested: Option<ListLength>,
    pub(super) entries: Vec<ListedCase>,
    /// The cases that have the last place's score, where not all of them have a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    tied: Option<Tie>,
    /// How the model treats the features that move a score on it.
    pictures: Vec<TermPicture>,
    /// What changed since an earlier list, where it was held against one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Since>,
    /// The cases of the cohort that were not scored: nothing is said of them, which is not the same as
    /// that all is well.
    not_scored: Vec<NotScored>,
    /// Where the ledger's chain ended when the run was put on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Witness>,
}

/// Where the chain of a ledger ended when it had put a list on record. It says nothing of the ledger, and stands on the
/// list in every form: a ledger that was rewritten since does not lead to it.
///
/// # Examples
/// ```
/// use earlyhelp::review::Witness;
///
/// // As it stands on a page.
/// let witness: Witness = "1204:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".parse()?;
/// assert_eq!(witness.entries, 1_204);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Witness {
    /// How many entries the ledger had.
    pub entries: u64,
    /// The hash of the last of them, 64 hexadecimal digits.
    pub hash: String,
}

impl std::fmt::Display for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.entries, self.hash)
    }
}

impl std::str::FromStr for Witness {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.trim().split_once(':').and_then(|(entries, hash)| Some((entries.parse().ok()?, hash)));
        match parts {
            Some((entries, hash))
                if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Ok(Self { entries, hash: hash.to_ascii_lowercase() })
            }
            _ => Err("a witness is a number of entries, a colon and 64 hexadecimal digits, as on the list"
                .to_owned()),
        }
    }
}

/// How a list is drawn from scores.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::Capacity;
/// use earlyhelp::review::{ListParams, RandomSample};
/// use earlyhelp::scoring::OnePer;
///
/// // Twenty households, and five drawn at random beside them.
/// let params = ListParams::new(Capacity::Cases(20)).comparison(RandomSample { cases: 5, seed: 1 });
/// assert_eq!(params.one_per, OnePer::Household);
/// // Twenty households: enough where nothing else is asked for.
/// assert_eq!(ListParams::from(Capacity::Cases(20)).comparison, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ListParams {
    /// How many places.
    pub capacity: Capacity,
    /// How many are drawn at random beside them; none by default.
    pub comparison: Option<RandomSample>,
    /// Whom a place is for.
    pub one_per: OnePer,
    /// Among whom places are given.
    pub among: Among,
}

impl ListParams {
    /// So many places, one a household, and nobody at random.
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        Self { capacity, comparison: None, one_per: OnePer::default(), among: Among::default() }
    }

    /// With some drawn at random beside them.
    #[must_use]
    pub fn comparison(mut self, comparison: RandomSample) -> Self {
        self.comparison = Some(comparison);
        self
    }

    /// Places among others than everybody.
    #[must_use]
    pub fn among(mut self, among: Among) -> Self {
        self.among = among;
        self
    }

    /// Places for others than households.
    #[must_use]
    pub fn one_per(mut self, one_per: OnePer) -> Self {
        self.one_per = one_per;
        self
    }
}

impl From<Capacity> for ListParams {
    fn from(capacity: Capacity) -> Self {
        Self::new(capacity)
    }
}

/// How a list is drawn from scores: part of what a run is named after.
#[derive(Serialize)]
struct Draw<'a> {
    params: ListParams,
    shares: Option<&'a CapacityShares>,
}

/// How places were dealt to groups, and what that changed: counts alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SharesUsed {
    /// What was asked for, why, and by whom it was approved.
    pub asked: CapacityShares,
    /// Places that were dealt.
    pub places: u32,
    /// Of these, those with a case that by rank alone would not be on the list. As many cases whose rank
    /// alone would have listed them are not on it.
    pub changed: u32,
    /// The lowest rank on the list; by rank alone it would be the number of places.
    pub lowest_rank: u32,
}

/// A random sample, to compare the ranked cases with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomSample {
    /// How many cases.
    pub cases: u32,
    /// The seed of the draw.
    pub seed: u64,
}

/// How many of the leading cases have the score of the last of `length` places, where some of them have none.
#[allow(clippy::float_cmp, reason = "equal scores are equal to the bit")]
fn tied_at(scores: &Scores<'_, '_>, leads: &[usize], length: usize) -> Option<Tie> {
    let at: Vec<f64> = scores.ranked(leads).map(|(_, score)| score).collect();
    let last = *at.get(length.checked_sub(1)?)?;
    let rows = at.iter().filter(|score| **score == last).count() as u64;
    let places = at[..length].iter().filter(|score| **score == last).count() as u64;
    (places < rows).then_some(Tie { rows, places })
}

impl ReviewList {
    /// Takes the highest-scored cases up to the capacity, then the random sample from the others, in the
    /// order of their ranks. Capacity and sample count places: households, unless asked otherwise ([`OnePer`]).
    ///
    /// # Errors
    /// [`ReviewError::NoCapacity`] and [`ReviewError::CapacityAboveCohort`] where the list would be empty or longer
    /// than the cohort, [`ReviewError::SampleAboveCohort`] where the sample would be larger than what the list leaves, [`ReviewError::NobodyScored`] where every case was left unscored, or the error of a case that
    /// cannot be explained.
    pub fn draw(scores: &Scores<'_, '_>, params: impl Into<ListParams>) -> Result<Self, Error> {
        let params = params.into();
        let places = scores.places(params.one_per);
        let leads = leads(scores, &places, params.among)?;
        let length = length(scores, params.capacity, leads.len())?;
        Self::of(scores, params, (&places, &leads), &(0..length).collect::<Vec<_>>(), None)
    }

    /// The same, with the places dealt to the groups of a protected characteristic, the highest scores within
    /// each. Every case that is listed because of it is marked [`WhyListed::ByShare`], and the list's record
    /// ([`ReviewList::shares`]) says how many places are others than by rank alone. Read the caution in
    /// [`mitigation`](crate::fairness::mitigation) first.
    ///
    /// # Errors
    /// As [`ReviewList::draw`]; [`Error::Mitigation`] where no reason or no name is given, the
    /// characteristic is not held, or the shares cannot be dealt.
    pub fn draw_shared(
        scores: &Scores<'_, '_>,
        params: impl Into<ListParams>,
        protected: &Protected,
        shares: &CapacityShares,
    ) -> Result<Self, Error> {
        let params = params.into();
        let places = scores.places(params.one_per);
        let leads = leads(scores, &places, params.among)?;
        let length = length(scores, params.capacity, leads.len())?;
        let chosen = shares.deal(protected, scores.ranked(&leads), length)?;
        let nths: Vec<usize> =
            chosen.iter().enumerate().filter(|(_, has_place)| **has_place).map(|(nth, _)| nth).collect();
        let used = SharesUsed {
            asked: shares.clone(),
            places: nths.len() as u32,
            changed: nths.iter().filter(|&&nth| nth >= length).count() as u32,
            lowest_rank: nths.last().map_or(0, |&nth| leads[nth] as u32),
        };
        Self::of(scores, params, (&places, &leads), &nths, Some(used))
    }

    /// The leading cases at these positions among all of them, and a sample of the others.
    fn of(
        scores: &Scores<'_, '_>,
        params: ListParams,
        (places, leads): (&Places, &[usize]),
        listed: &[usize],
        shares: Option<SharesUsed>,
    ) -> Result<Self, Error> {
        let ListParams { capacity, comparison, one_per, among } = params;
        let length = listed.len();
        let why =
            |&nth: &usize| (leads[nth], if nth < length { WhyListed::ByRank } else { WhyListed::ByShare });
        let mut chosen: Vec<(usize, WhyListed)> = listed.iter().map(why).collect();
        if let Some(RandomSample { cases, seed }) = comparison {
            let mut rest: Vec<(u64, usize)> = scores
                .lots(seed, leads)
                .enumerate()
                .filter(|(nth, _)| listed.binary_search(nth).is_err())
                .map(|(nth, lot)| (lot, leads[nth]))
                .collect();
            if cases as usize > rest.len() {
                return Err(ReviewError::SampleAboveCohort { cases, left: rest.len() }.into());
            }
            rest.sort_unstable();
            rest.truncate(cases as usize);
            rest.sort_unstable_by_key(|&(_, rank)| rank);
            chosen.extend(rest.into_iter().map(|(_, rank)| (rank, WhyListed::AtRandom)));
        }
        let ranks: Vec<usize> = chosen.iter().map(|&(rank, _)| rank).collect();
        let kept_in = scores.kept_in(places, length)?;
        let case = |rank: usize| scores.case_kept(rank, &kept_in);
        let mut entries = Vec::with_capacity(ranks.len());
        for ((rank, why_listed), others) in chosen.into_iter().zip(scores.beside(places, &ranks)) {
            let mut beside = Vec::with_capacity(others.len());
            for other in others {
                beside.extend(case(other)?);
            }
            if let Some(case) = case(rank)? {
                let counter = scores.counter_evidence(rank)?.unwrap_or_default();
                entries.push(ListedCase { why_listed, case, beside, since: None, counter });
            }
        }
        let not_scored = scores.not_scored().to_vec();
        let mut provenance = scores.provenance().clone();
        let asked = shares.as_ref().map(|used| &used.asked);
        provenance.name_run(Some(&Draw { params, shares: asked }));
        let run = provenance.run_id.clone();
        let moves = |name: &str| {
            let parts = entries.iter().flat_map(|entry| entry.case.contributions());
            parts
                .filter(|part| part.features == [name])
                .any(|part| words::rounds_to(part.log_odds) != Move::None)
        };
        let pictures = TermPicture::of(scores.scorer().candidate(), moves);
        // By shares every group has a last place of its own.
        let tied = if shares.is_none() { tied_at(scores, leads, length) } else { None };
        let tested = scores.scorer().backtest().of_length(length).copied();
        let mut list = Self {
            provenance,
            capacity,
            comparison,
            one_per,
            among,
            shares,
            review: ReviewRules::default(),
            tested,
            entries,
            tied,
            pictures,
            since: None,
            not_scored,
            witness: None,
        };
        list.name_run(&run);
        Ok(list)
    }

    /// Gives the run another name, here and in every case: a ledger may hold another run of this one.
    pub(crate) fn name_run(&mut self, run: &str) {
        run.clone_into(&mut self.provenance.run_id);
        for entry in &mut self.entries {
            entry.case.name_run(run);
            entry.beside.iter_mut().for_each(|case| case.name_run(run));
        }
    }

    /// Where the ledger's chain ended when the run was put on record, which a ledger that was rewritten since does not
    /// lead to; `None` for a list that is on no record.
    #[must_use]
    pub fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }

    /// With where the chain of the ledger ended that holds it.
    pub(crate) fn set_witness(&mut self, witness: Option<Witness>) {
        self.witness = witness;
    }

    /// The same list, on which the team works so. A ledger holds decisions about its cases to that.
    ///
    /// # Errors
    /// [`ReviewError::ReasonCodes`] where the list of reasons cannot be used.
    pub fn reviewed_by(mut self, rules: ReviewRules) -> Result<Self, ReviewError> {
        rules.check()?;
        self.review = rules;
        Ok(self)
    }

    /// The cases that have the score of the last place drawn by rank, and how many of them have a place, where it is not all.
    #[must_use]
    pub fn tied(&self) -> Option<Tie> {
        self.tied
    }

    /// How the model treats each feature that by itself moves the score of a case on the list.
    #[must_use]
    pub fn pictures(&self) -> &[TermPicture] {
        &self.pictures
    }

    /// How the team works on it.
    #[must_use]
    pub fn review(&self) -> &ReviewRules {
        &self.review
    }

    /// What changed since an earlier list; `None` where it was held against none ([`ReviewList::since`]).
    #[must_use]
    pub fn changes(&self) -> Option<&Since> {
        self.since.as_ref()
    }

    /// Where the scores of the run come from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The cases of the cohort that were not scored, with the reason.
    #[must_use]
    pub fn not_scored(&self) -> &[NotScored] {
        &self.not_scored
    }

    /// The scored cohort with who is on this list for their rank, as a table to audit: outcomes are not known
    /// yet, so it can be asked who is listed, and not yet who rightly. Of a household that shares a place the one who leads it
    /// counts as listed. Scores are in log-odds. `scores` are those
    /// that the list was drawn from.
    ///
    /// # Errors
    /// [`AuditError`] where a characteristic has too many groups to be one.
    pub fn table(&self, scores: &Scores<'_, '_>, protected: &Protected) -> Result<ScoreTable, AuditError> {
        let listed: hashbrown::HashSet<&str> = self
            .entries
            .iter()
            .filter(|entry| entry.why_listed != WhyListed::AtRandom)
            .map(|entry| entry.case.entity())
            .collect();
        let cases: Vec<_> = scores.recorded().collect();
        let entities: Vec<&str> = cases.iter().map(|case| case.entity).collect();
        ScoreTable::without_outcomes(cases.iter().map(|case| case.log_odds).collect())?
            .predicted(entities.iter().map(|entity| listed.contains(entity)).collect())?
            .clusters(cases.iter().map(|case| case.family).collect())?
            .protected(&entities, protected)
    }

    /// How many of the places are known to a service already, are not, and cannot be told of, by the case that leads each; `None`
    /// where the project does not say what known is.
    #[must_use]
    pub fn known(&self) -> Option<[usize; 3]> {
        let known: Vec<IsKnown> = self.entries.iter().filter_map(|entry| entry.case.is_known()).collect();
        let of = |wanted| known.iter().filter(|&&known| known == wanted).count();
        (!known.is_empty()).then(|| [IsKnown::Yes, IsKnown::No, IsKnown::CannotTell].map(of))
    }

    /// What was asked for: with the run's provenance, and the shares where there are any, all that is needed to draw the same
    /// list again.
    #[must_use]
    pub fn drawn_with(&self) -> ListParams {
        ListParams {
            capacity: self.capacity,
            comparison: self.comparison,
            one_per: self.one_per,
            among: self.among,
        }
    }

    /// How places were dealt to groups; `None` where the list goes by rank alone, which it does unless
    /// somebody asked for shares.
    #[must_use]
    pub fn shares(&self) -> Option<&SharesUsed> {
        self.shares.as_ref()
    }

    /// What share of a list of this length had the outcome in the backtest, where the model file says so. Lists
    /// there go by rank alone.
    #[must_use]
    pub fn tested(&self) -> Option<&ListLength> {
        self.tested.as_ref()
    }

    /// The same in a sentence or two; empty where nothing was measured.
    #[must_use]
    pub fn tested_in_words(&self) -> String {
        let Some(tested) = &self.tested else { return String::new() };
        let said = tested.words(self.places());
        let another = match (self.one_per, self.among) {
            (OnePer::Case, Among::Everybody) => return said,
            (OnePer::Case, Among::NotKnown) => "gave places to those whom a service knew already, too",
            (OnePer::Household, Among::Everybody) => "had a place for each case, not for each household",
            (OnePer::Household, Among::NotKnown) => {
                "had a place for each case, not for each household, and gave places to those whom a service knew already, too"
            }
        };
        format!("{said} Lists there {another}.")
    }

    /// How many places have a case that was not drawn at random.
    #[must_use]
    pub fn places(&self) -> usize {
        self.entries.iter().filter(|entry| entry.why_listed != WhyListed::AtRandom).count()
    }

    /// How many of these places are in each band of the score, the highest first; bands without any are left out.
    #[must_use]
    pub fn by_band(&self) -> Vec<(&str, usize)> {
        let mut bands: Vec<(&str, usize)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.why_listed != WhyListed::AtRandom) {
            let name = entry.case.band().name.as_str();
            match bands.last_mut() {
                Some((band, count)) if *band == name => *count += 1,
                _ => bands.push((name, 1)),
            }
        }
        bands
    }

    /// How many places it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true: an empty list is an error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The places, to print or to store. Nobody can decide from here: that takes [`ReviewList::open`].
    #[must_use]
    pub fn entries(&self) -> &[ListedCase] {
        &self.entries
    }

    /// Opens the case in a place (from 1) for a named reviewer on a day. While it is open the list
    /// cannot be used: cases are looked at one by one.
    ///
    /// # What does not compile
    /// The next case can be opened once the first is decided:
    /// ```
    /// # use earlyhelp::calendar::Day;
    /// # use earlyhelp::error::ReviewError;
    /// # use earlyhelp::review::{Agreement, ReviewList, Reviewer, Step};
    /// fn both(list: &mut ReviewList, one: Reviewer, other: Reviewer, on: Day) -> Result<(), ReviewError> {
    ///     let first = list.open(1, one, on)?.decide(Step::NoAction, Agreement::CannotTell, "known", on)?;
    ///     let second = list.open(2, other, on)?;
    ///     drop((first, second));
    ///     Ok(())
    /// }
    /// ```
    /// and not while it is still open:
    /// ```compile_fail,E0499
    /// # use earlyhelp::calendar::Day;
    /// # use earlyhelp::error::ReviewError;
    /// # use earlyhelp::review::{Agreement, ReviewList, Reviewer, Step};
    /// fn both(list: &mut ReviewList, one: Reviewer, other: Reviewer, on: Day) -> Result<(), ReviewError> {
    ///     let first = list.open(1, one, on)?;
    ///     let second = list.open(2, other, on)?;
    ///     drop((first, second));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ReviewError`] where there is no such place, the reviewer is not named, or the list has expired.
    pub fn open(&mut self, place: usize, reviewer: Reviewer, on: Day) -> Result<OpenCase<'_>, ReviewError> {
        reviewer.check()?;
        if on > self.provenance.expires {
            return Err(ReviewError::Expired(self.provenance.expires.to_string()));
        }
        let entry = place.checked_sub(1).and_then(|place| self.entries.get_mut(place));
        entry.map(|entry| OpenCase::new(entry, reviewer, on)).ok_or(ReviewError::NoPlace(place))
    }
}

crate::opaque_debug!(ReviewList);
