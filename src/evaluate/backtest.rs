//! The temporal backtest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bands::{Band, BandRule};
use super::cases::Cases;
use super::cross_fit::{CrossFit, FamilyRule, Part};
use super::known::KnownReport;
use super::lengths::{self, Lengths, ListLength};
use super::performance::{Performance, TestRows};
use super::ranking::{at_capacity, lot, places_at_capacity};
use super::recalibration::RecalibrationReport;
use super::rules::{FittedRule, RuleReport, SimpleRule};
use crate::calendar::{AsOf, Horizon};
use crate::cohort::CohortSpec;
use crate::dataset::Dataset;
use crate::error::{EvaluateError, ModelError};
use crate::known_to::KnownCases;
use crate::model::Candidate;
use crate::stats::link::softplus;
use crate::stats::{Bootstrap, Estimate, clustered_mean};

/// How many cases a team can look at from one list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// So many cases.
    Cases(#[cfg_attr(feature = "schema", schemars(range(min = 1)))] u32),
    /// A share of the cohort, 0 to 1, rounded up.
    Share(#[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))] f64),
}

impl Capacity {
    /// The number of cases on a list over a cohort of `n`.
    #[must_use]
    pub fn of(self, n: usize) -> usize {
        match self {
            Self::Cases(cases) => (cases as usize).min(n),
            Self::Share(share) => ((share.clamp(0.0, 1.0) * n as f64).ceil() as usize).min(n),
        }
    }

    /// Refuses a capacity of no place, and a share that is none.
    ///
    /// # Errors
    /// [`EvaluateError::Capacity`] says what a capacity can be.
    pub fn check(self) -> Result<(), EvaluateError> {
        match self {
            Self::Cases(0) => Err(EvaluateError::Capacity("0 cases are no list".into())),
            Self::Share(share) if !(share > 0.0 && share <= 1.0) => {
                Err(EvaluateError::Capacity(format!("{share} is no such share")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses also a list that is longer than a cohort of `n`.
    pub(crate) fn check_within(self, n: usize, of: &str) -> Result<(), EvaluateError> {
        self.check()?;
        match self {
            Self::Cases(cases) if cases as usize > n => Err(EvaluateError::Capacity(format!(
                "{cases} cases are more than the {n} of {of}, so that everybody would be listed"
            ))),
            _ => Ok(()),
        }
    }
}

/// Which dates are trained on and tested on.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Horizon;
/// use earlyhelp::evaluate::{BacktestPlan, Capacity};
///
/// let dates = ["2022-04-01".parse()?, "2023-04-01".parse()?, "2024-04-01".parse()?];
/// let plan = BacktestPlan::expanding(&dates, Horizon::Months(12), Capacity::Cases(50))?;
/// // 2022 is followed up until 2023-04-01, so it can teach a model that is used on that day.
/// assert_eq!(plan.splits.len(), 2);
/// assert_eq!(plan.splits[1].train, [dates[0], dates[1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestPlan {
    /// The splits, each tested on its own date.
    pub splits: Vec<Split>,
    /// How families are kept apart.
    pub families: FamilyRule,
    /// How long each date's list is.
    pub capacity: Capacity,
    /// Resamples and seed of the bootstrap; the seed also deals families into folds, and is the lot by which
    /// cases of equal score are put in order where a list is drawn. Figures at capacity need no lot: see
    /// [`Tie`](super::Tie).
    pub bootstrap: Bootstrap,
    /// How scores are put into bands.
    #[serde(default)]
    pub bands: BandRule,
}

/// Earlier dates to train on and a later one to test on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The dates trained on.
    pub train: Vec<AsOf>,
    /// The date tested on.
    pub test: AsOf,
}

impl BacktestPlan {
    /// Tests on every date that has earlier ones whose horizon is over by then, training on all of those:
    /// what could have been done at the time.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where no date has such an earlier one.
    pub fn expanding(dates: &[AsOf], horizon: Horizon, capacity: Capacity) -> Result<Self, EvaluateError> {
        let mut dates = dates.to_vec();
        dates.sort_unstable();
        dates.dedup();
        let splits: Vec<Split> = dates
            .iter()
            .map(|&test| Split {
                train: dates.iter().copied().filter(|&train| horizon.end(train) <= test.day()).collect(),
                test,
            })
            .filter(|split| !split.train.is_empty())
            .collect();
        if splits.is_empty() {
            return Err(EvaluateError::Plan(format!(
                "no as-of date lies {horizon} or more after another; a model has to be tested on a date by which \
                 the outcomes it learnt from were known"
            )));
        }
        Ok(Self {
            splits,
            families: FamilyRule::CrossFit(5),
            capacity,
            bootstrap: Bootstrap::default(),
            bands: BandRule::default(),
        })
    }

    /// The same plan for cases that are seen on days of their own: a test begins with the first of them, and trains only on
    /// dates whose outcomes were known by then.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where no test has a date left to train on.
    pub fn seen_by(mut self, cohort: &CohortSpec, horizon: Horizon) -> Result<Self, EvaluateError> {
        for split in &mut self.splits {
            let begins = cohort.first_seen(split.test);
            split.train.retain(|&train| horizon.end(train) <= begins);
        }
        self.splits.retain(|split| !split.train.is_empty());
        if self.splits.is_empty() {
            return Err(EvaluateError::Plan(format!(
                "no as-of date lies {horizon} or more before the first day on which cases of another are seen; add earlier \
                 dates, or make `within` of `own_day` shorter"
            )));
        }
        Ok(self)
    }

    pub(crate) fn check(&self, horizon: Horizon, cohort: &CohortSpec) -> Result<(), EvaluateError> {
        let wrong = |why: String| Err(EvaluateError::Plan(why));
        if self.splits.is_empty() {
            return wrong("it has no split".into());
        }
        for split in &self.splits {
            if split.train.is_empty() {
                return wrong(format!("the test on {} has no date to train on", split.test));
            }
            let begins = cohort.first_seen(split.test);
            if let Some(train) = split.train.iter().find(|&&train| horizon.end(train) > begins) {
                let test = if begins == split.test.day() {
                    format!("the test date {begins}")
                } else {
                    format!("{begins}, when the first case of the test on {} is seen", split.test)
                };
                return wrong(format!(
                    "outcomes from {train} are followed until {}, after {test}; train on earlier dates",
                    horizon.end(*train),
                ));
            }
        }
        if matches!(self.families, FamilyRule::CrossFit(folds) if folds < 2) {
            return wrong("cross-fitting needs at least 2 folds".into());
        }
        self.capacity.check()?;
        self.bands.check()
    }
}

/// A finished backtest: the receipt that a fairness audit asks for.
#[derive(Clone)]
pub struct Backtest {
    candidate: String,
    report: BacktestReport,
    cases: Cases,
    contributions: BTreeMap<Vec<String>, Vec<f64>>,
    /// The part of a place that each case has on its date's list.
    places: Vec<f64>,
    /// The scores before any recalibration.
    listing: Vec<f64>,
    /// The contributions before any recalibration, where there was one.
    unscaled: Option<BTreeMap<Vec<String>, Vec<f64>>>,
}

/// What a backtest found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestReport {
    /// The plan.
    pub plan: BacktestPlan,
    /// Each split's figures.
    pub splits: Vec<SplitReport>,
    /// The figures over all test cases together.
    pub overall: Performance,
    /// The simple rules on the same cases.
    pub rules: Vec<RuleReport>,
    /// Bands of the score, highest first, with the rate at which the outcome came about in each.
    pub bands: Vec<Band>,
    /// How lists of other lengths than the plan's would have done, the shortest first; empty where the file was
    /// written before this was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<ListLength>,
    /// What the model is without each of its terms, the most important first.
    pub terms: Vec<TermReport>,
    /// How the scores were recalibrated, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalibration: Option<RecalibrationReport>,
    /// Who on the lists was known to a service already, where the project says what that means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<KnownReport>,
}

/// One split's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitReport {
    /// The dates.
    pub split: Split,
    /// Cases trained on (the most of any fold).
    pub trained_on: u64,
    /// The figures on the test date.
    pub performance: Performance,
}

/// What the model is without one of its terms, on the test cases, without training anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermReport {
    /// The term's feature, or the two of a pair.
    pub on: Vec<String>,
    /// The mean size of its contributions, in log-odds.
    pub importance: f64,
    /// By how much the mean log loss rises without it (below zero: the model would be better off). `None`
    /// where the test is of one family.
    pub log_loss_without: Option<Estimate>,
    /// The share of the lists that would be the same without it, lists being drawn with the same lot for equals.
    pub list_kept: f64,
}

impl Backtest {
    /// Trains the candidate's trainer anew for every split and fold, and tests it.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where the plan looks ahead, names a date that the dataset lacks, or the
    /// dataset is not of the candidate's features and outcome; [`EvaluateError::Training`] where a fit
    /// fails; others where the test cannot be measured.
    pub fn run(candidate: &Candidate, data: &Dataset, plan: &BacktestPlan) -> Result<Self, EvaluateError> {
        if candidate.features() != data.spec() || candidate.outcome() != data.outcome() {
            return Err(EvaluateError::Plan("the dataset is of other features or another outcome".into()));
        }
        plan.check(data.outcome().horizon, data.cohort())?;
        let mut tested: Vec<Scored> = Vec::new();
        let mut splits = Vec::new();
        let mut lengths = Lengths::default();
        for split in &plan.splits {
            let (scored, trained_on) = run_split(candidate, data, plan, split)?;
            let performance = scored.performance(&scored.model, &plan.bootstrap)?;
            splits.push(SplitReport { split: split.clone(), trained_on, performance });
            lengths.add(&scored.model.log_odds, &scored.outcomes);
            tested.push(scored);
        }
        let all = Scored::together(tested);
        let overall = match splits.as_slice() {
            [only] => SplitReport::clone(only).performance,
            _ => all.performance(&all.model, &plan.bootstrap)?,
        };
        let rules = SimpleRule::ALL
            .iter()
            .zip(&all.rules)
            .map(|(&rule, log_odds)| {
                Ok(RuleReport { rule, performance: all.performance(log_odds, &plan.bootstrap)? })
            })
            .collect::<Result<_, EvaluateError>>()?;
        let bands = plan.bands.of(&all.model.log_odds, &all.outcomes);
        let terms = all.without_each_term();
        let cases = all.cases(data);
        let places = all.model.places;
        let contributions = all.terms.into_iter().map(|(on, term)| (on, term.log_odds)).collect();
        let report = BacktestReport {
            plan: plan.clone(),
            splits,
            overall,
            rules,
            bands,
            lengths: lengths.measured(),
            terms,
            recalibration: None,
            known_to: None,
        };
        let listing = cases.log_odds.clone();
        let candidate = candidate.digest().to_owned();
        Ok(Self { candidate, report, cases, contributions, places, listing, unscaled: None })
    }

    /// The same tests with scores recalibrated, each case by what other families' cases say; and the
    /// candidate recalibrated by all of them. The order of cases within a test date, and so the lists, can
    /// only change by rounding.
    ///
    /// Gives back both unchanged where calibration passes its own check, or cannot be measured.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where the candidate is another one; others as for [`Backtest::run`].
    pub fn recalibrated(self, candidate: Candidate) -> Result<(Self, Candidate), EvaluateError> {
        if candidate.digest() != self.candidate {
            return Err(EvaluateError::Plan("the backtest is of another candidate".into()));
        }
        if self.report.is_calibrated() {
            return Ok((self, candidate));
        }
        let Cases { log_odds: scores, outcomes, families, .. } = &self.cases;
        let Some((recalibration, log_odds)) = RecalibrationReport::fit(scores, outcomes, families) else {
            return Ok((self, candidate));
        };
        let recalibrate = |error: ModelError| EvaluateError::Training {
            test: "recalibration".into(),
            why: error.to_string(),
        };
        let candidate =
            candidate.recalibrated(recalibration.slope, recalibration.offset).map_err(recalibrate)?;
        let cases = Cases { log_odds, ..self.cases };
        let plan = &self.report.plan;
        let splits = self
            .report
            .splits
            .iter()
            .map(|held| {
                let date = held.split.test;
                let on = cases.dates.iter().zip(&self.places).filter(|&(&of, _)| of == date);
                let places: Vec<f64> = on.map(|(_, &part)| part).collect();
                Ok(SplitReport {
                    performance: Performance::measure(&cases.at(date).rows(&places), &plan.bootstrap)?,
                    ..held.clone()
                })
            })
            .collect::<Result<_, EvaluateError>>()?;
        let overall = Performance::measure(&cases.rows(&self.places), &plan.bootstrap)?;
        let bands = plan.bands.of(&cases.log_odds, &cases.outcomes);
        let (slope, mut contributions) = (recalibration.slope, self.contributions);
        let unscaled = self.unscaled.or_else(|| Some(contributions.clone()));
        for part in contributions.values_mut().flatten() {
            *part *= slope;
        }
        let report =
            BacktestReport { splits, overall, bands, recalibration: Some(recalibration), ..self.report };
        let (places, listing, digest) = (self.places, self.listing, candidate.digest().to_owned());
        Ok((Self { candidate: digest, report, cases, contributions, places, listing, unscaled }, candidate))
    }

    /// The same with what of its lists was known to a service already, and what the lists add. `known` is of the cohorts of
    /// all test dates; where it says nothing of any service, nothing is told.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where a test date or case is not among them.
    pub fn known_to(mut self, known: &[KnownCases]) -> Result<Self, EvaluateError> {
        if known.iter().all(|held| held.to().is_empty()) {
            return Ok(self);
        }
        let capacity = self.report.plan.capacity;
        let lists = (self.places.as_slice(), self.listing.as_slice());
        let report = KnownReport::measure(&self.cases, lists, known, |cases| capacity.of(cases))?;
        self.report.known_to = Some(report);
        Ok(self)
    }

    /// The digest of the candidate that was tested.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// What was found.
    #[must_use]
    pub fn report(&self) -> &BacktestReport {
        &self.report
    }

    /// The test cases.
    #[must_use]
    pub fn cases(&self) -> &Cases {
        &self.cases
    }

    /// What each term added to every test case's score, in log-odds and in the order of the cases, by the
    /// features that the term is on. Zero where the model that scored the case had no such term.
    #[must_use]
    pub fn contributions(&self) -> &BTreeMap<Vec<String>, Vec<f64>> {
        &self.contributions
    }

    /// The part of a place that each case has on its date's list, in the order of the cases.
    pub(super) fn places(&self) -> &[f64] {
        &self.places
    }

    /// The scores by which the lists were drawn, in log-odds and in the order of the cases: those before any
    /// recalibration. Recalibration is learnt fold by fold of families, so between families of two folds
    /// recalibrated scores may stand in another order than the lists do.
    #[must_use]
    pub fn listing_scores(&self) -> &[f64] {
        &self.listing
    }

    /// As [`Backtest::contributions`], but what each term added to [`Backtest::listing_scores`].
    #[must_use]
    pub fn listing_contributions(&self) -> &BTreeMap<Vec<String>, Vec<f64>> {
        self.unscaled.as_ref().unwrap_or(&self.contributions)
    }
}

impl BacktestReport {
    /// What came of the backtest's lists of so many cases, or of the next longer ones that were measured (or of the
    /// longest). `None` where none was.
    #[must_use]
    pub fn of_length(&self, length: usize) -> Option<&ListLength> {
        lengths::nearest(&self.lengths, length)
    }

    /// Whether predicted chances pass their own check: the intervals of the calibration slope and of
    /// calibration in the large hold what is right, 1 and 0. Where they do not, readers are shown bands and
    /// never a chance.
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        let holds = |estimate: &Estimate, right: f64| {
            estimate.interval.low <= right && right <= estimate.interval.high
        };
        self.overall
            .calibration
            .as_ref()
            .is_some_and(|calibration| holds(&calibration.slope, 1.0) && holds(&calibration.intercept, 0.0))
    }
}

/// Scores of one contender, and who was on its list.
#[derive(Debug, Clone, Default)]
struct Contender {
    log_odds: Vec<f64>,
    /// Who is on a list that is drawn, equals by lot.
    listed: Vec<bool>,
    /// The part of a place that each case has, equals alike; empty for a term.
    places: Vec<f64>,
}

/// Test rows with everybody's scores.
#[derive(Debug, Default)]
struct Scored {
    rows: Vec<u32>,
    outcomes: Vec<bool>,
    families: Vec<u32>,
    model: Contender,
    rules: Vec<Contender>,
    /// For each term that a fold's model had, its contribution to every row (0 where it had none), and
    /// what the list would be without it.
    terms: BTreeMap<Vec<String>, Contender>,
}

impl Scored {
    /// Each term's worth on the test rows.
    fn without_each_term(&self) -> Vec<TermReport> {
        let rows = self.rows.len() as f64;
        let listed = self.model.listed.iter().filter(|&&listed| listed).count() as f64;
        let cost = |log_odds: f64, outcome: bool| softplus(if outcome { -log_odds } else { log_odds });
        let mut terms: Vec<TermReport> = self
            .terms
            .iter()
            .map(|(on, term)| {
                let costs: Vec<f64> = (0..self.rows.len())
                    .map(|row| {
                        let (with, by) = (self.model.log_odds[row], term.log_odds[row]);
                        cost(with - by, self.outcomes[row]) - cost(with, self.outcomes[row])
                    })
                    .collect();
                let both =
                    self.model.listed.iter().zip(&term.listed).filter(|(with, without)| **with && **without);
                TermReport {
                    on: on.clone(),
                    importance: term.log_odds.iter().map(|part| part.abs()).sum::<f64>() / rows,
                    log_loss_without: clustered_mean(&costs, &self.families),
                    list_kept: both.count() as f64 / listed.max(1.0),
                }
            })
            .collect();
        terms.sort_by(|a, b| b.importance.total_cmp(&a.importance));
        terms
    }

    fn performance(
        &self,
        contender: &Contender,
        bootstrap: &Bootstrap,
    ) -> Result<Performance, EvaluateError> {
        let rows = TestRows {
            log_odds: &contender.log_odds,
            outcomes: &self.outcomes,
            families: &self.families,
            places: &contender.places,
        };
        Performance::measure(&rows, bootstrap)
    }

    fn together(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        all.rules.resize_with(SimpleRule::ALL.len(), Contender::default);
        for mut part in parts {
            let (before, rows) = (all.rows.len(), part.rows.len());
            for on in part.terms.keys() {
                let blank = || Contender {
                    log_odds: vec![0.0; before],
                    listed: all.model.listed.clone(),
                    places: Vec::new(),
                };
                all.terms.entry(on.clone()).or_insert_with(blank);
            }
            for (on, term) in &mut all.terms {
                let blank = || Contender {
                    log_odds: vec![0.0; rows],
                    listed: part.model.listed.clone(),
                    places: Vec::new(),
                };
                let part = part.terms.remove(on).unwrap_or_else(blank);
                term.log_odds.extend(part.log_odds);
                term.listed.extend(part.listed);
            }
            all.rows.extend(part.rows);
            all.outcomes.extend(part.outcomes);
            all.families.extend(part.families);
            for (all, part) in std::iter::once(&mut all.model)
                .chain(&mut all.rules)
                .zip([part.model].into_iter().chain(part.rules))
            {
                all.log_odds.extend(part.log_odds);
                all.listed.extend(part.listed);
                all.places.extend(part.places);
            }
        }
        all
    }

    fn cases(&self, data: &Dataset) -> Cases {
        let rows = || self.rows.iter().map(|&row| row as usize);
        Cases {
            entities: rows().map(|row| data.id(row).to_owned()).collect(),
            dates: rows().map(|row| data.as_of(row)).collect(),
            families: self.families.clone(),
            outcomes: self.outcomes.clone(),
            log_odds: self.model.log_odds.clone(),
            listed: self.model.listed.clone(),
        }
    }
}

/// Trains and tests one split; gives the scored rows and how many cases were trained on.
fn run_split(
    candidate: &Candidate,
    data: &Dataset,
    plan: &BacktestPlan,
    split: &Split,
) -> Result<(Scored, u64), EvaluateError> {
    let seed = plan.bootstrap.seed;
    let on = |row: u32, dates: &[AsOf]| dates.contains(&data.as_of(row as usize));
    let all = 0..data.rows() as u32;
    let mut test: Vec<u32> = all.clone().filter(|&row| on(row, &[split.test])).collect();
    if test.is_empty() {
        return Err(EvaluateError::Plan(format!("the dataset has no case at {}", split.test)));
    }
    plan.capacity.check_within(test.len(), &format!("the test date {}", split.test))?;
    // Cases of equal score keep this order: it is the same every time and favours no id.
    test.sort_by_key(|&row| (lot(seed, data.id(row as usize)), row));
    let family = |row: u32| data.families()[row as usize];
    let cross_fit = CrossFit { families: data.families(), rule: plan.families, seed };

    let mut scored = Scored {
        outcomes: test.iter().map(|&row| data.outcomes()[row as usize]).collect(),
        families: test.iter().map(|&row| family(row)).collect(),
        ..Scored::default()
    };
    let blank = || Contender { log_odds: vec![0.0; test.len()], ..Contender::default() };
    scored.model = blank();
    scored.rules = SimpleRule::ALL.iter().map(|_| blank()).collect();
    let mut trained_on = 0;
    let learns: Vec<u32> = all.filter(|&row| on(row, &split.train)).collect();
    for Part { learnt, places } in cross_fit.parts(&learns, &test) {
        trained_on = trained_on.max(learnt.len() as u64);
        let rows: Vec<u32> = places.iter().map(|&place| test[place]).collect();
        let (log_odds, rules, terms) =
            fit_and_score(candidate, &data.take(&learnt), &data.take(&rows)).map_err(|error| {
                EvaluateError::Training { test: split.test.to_string(), why: error.to_string() }
            })?;
        for (on, contributions) in terms {
            let term = scored.terms.entry(on).or_insert_with(blank);
            for (&place, contribution) in places.iter().zip(contributions) {
                term.log_odds[place] = contribution;
            }
        }
        for (nth, &place) in places.iter().enumerate() {
            scored.model.log_odds[place] = log_odds[nth];
            for (rule, log_odds) in scored.rules.iter_mut().zip(&rules) {
                rule.log_odds[place] = log_odds[nth];
            }
        }
    }
    let length = plan.capacity.of(test.len());
    for contender in std::iter::once(&mut scored.model).chain(&mut scored.rules) {
        contender.listed = at_capacity(&contender.log_odds, length);
        contender.places = places_at_capacity(&contender.log_odds, length);
    }
    for term in scored.terms.values_mut() {
        let without: Vec<f64> =
            scored.model.log_odds.iter().zip(&term.log_odds).map(|(with, by)| with - by).collect();
        term.listed = at_capacity(&without, length);
    }
    scored.rows = test;
    Ok((scored, trained_on))
}

/// What the test cases are given: log-odds by the trainer and by each simple rule, and each term's part.
type Given = (Vec<f64>, Vec<Vec<f64>>, Vec<(Vec<String>, Vec<f64>)>);

fn fit_and_score(candidate: &Candidate, train: &Dataset, test: &Dataset) -> Result<Given, ModelError> {
    if train.rows() == 0 {
        return Err(ModelError::NotFitted("every case to train on is of a family in the test".into()));
    }
    let model = candidate.fit_again(train)?;
    let rules = SimpleRule::ALL
        .iter()
        .map(|&rule| FittedRule::fit(rule, train)?.log_odds(test))
        .collect::<Result<_, _>>()?;
    let explained = model.explain_all(test.matrix())?;
    let contributions = explained.contributions();
    let columns = contributions.columns().into_iter().map(|column| column.to_vec());
    let terms = explained.terms().iter().cloned().zip(columns).collect();
    Ok((model.log_odds(test.matrix())?, rules, terms))
}

crate::opaque_debug!(Backtest);
