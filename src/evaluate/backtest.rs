//! The temporal backtest.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bands::Band;
use super::cases::Cases;
use super::cross_fit::{CrossFit, Part};
use super::known::KnownReport;
use super::lengths::{self, Lengths, ListLength};
use super::performance::{Performance, TestRows};
use super::plan::{BacktestPlan, Split};
use super::ranking::{at_capacity, lot, places_at_capacity};
use super::recalibration::RecalibrationReport;
use super::rules::{FittedRule, RuleReport, SimpleRule};
use crate::calendar::AsOf;
use crate::dataset::Dataset;
use crate::error::{EvaluateError, ModelError};
use crate::known_to::KnownCases;
use crate::model::Candidate;
use crate::stats::link::softplus;
use crate::stats::{Bootstrap, Estimate, clustered_mean};

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
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
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
        let tested = run_splits(candidate, data, plan)?;
        let report = |(split, (scored, trained_on)): (&Split, &(Scored, u64))| {
            let performance = scored.performance(&scored.model, &plan.bootstrap)?;
            Ok(SplitReport { split: split.clone(), trained_on: *trained_on, performance })
        };
        let splits: Vec<_> = plan.splits.par_iter().zip(&tested).map(report).collect();
        let splits = splits.into_iter().collect::<Result<Vec<_>, EvaluateError>>()?;
        let mut lengths = Lengths::default();
        for (scored, _) in &tested {
            lengths.add(&scored.model.log_odds, &scored.outcomes);
        }
        let all = Scored::together(tested.into_iter().map(|(scored, _)| scored).collect());
        // Of one split the model is measured already.
        let is_measured = splits.len() == 1;
        let contenders: Vec<&Contender> =
            all.rules.iter().chain((!is_measured).then_some(&all.model)).collect();
        let measured: Vec<Result<Performance, EvaluateError>> =
            contenders.par_iter().map(|contender| all.performance(contender, &plan.bootstrap)).collect();
        let mut measured = measured.into_iter();
        let of_rules: Vec<_> = measured.by_ref().take(SimpleRule::ALL.len()).collect();
        let overall = match measured.next() {
            Some(overall) => overall?,
            None => splits[0].performance.clone(),
        };
        let rules = SimpleRule::ALL
            .iter()
            .zip(of_rules)
            .map(|(&rule, performance)| Ok(RuleReport { rule, performance: performance? }))
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
            .par_iter()
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

/// The rows that a split tests, and the models that it fits for them.
struct Tested {
    rows: Vec<u32>,
    parts: Vec<Part>,
}

/// The most fits at a time: each has a copy of the rows that it learns from.
const FITS_AT_A_TIME: usize = 4;

/// Trains and tests every split; gives the scored rows of each, and how many cases were trained on.
fn run_splits(
    candidate: &Candidate,
    data: &Dataset,
    plan: &BacktestPlan,
) -> Result<Vec<(Scored, u64)>, EvaluateError> {
    let tested =
        plan.splits.iter().map(|split| Tested::by(data, plan, split)).collect::<Result<Vec<_>, _>>()?;
    let fits: Vec<(&Split, &Tested, &Part)> = plan
        .splits
        .iter()
        .zip(&tested)
        .flat_map(|(split, tested)| tested.parts.iter().map(move |part| (split, tested, part)))
        .collect();
    let mut given = Vec::with_capacity(fits.len());
    for fits in fits.chunks(FITS_AT_A_TIME) {
        let scored: Vec<Result<Given, EvaluateError>> = fits
            .par_iter()
            .map(|(split, tested, part)| {
                let rows: Vec<u32> = part.places.iter().map(|&place| tested.rows[place]).collect();
                fit_and_score(candidate, &data.take(&part.learnt), &data.take(&rows)).map_err(|error| {
                    EvaluateError::Training { test: split.test.to_string(), why: error.to_string() }
                })
            })
            .collect();
        for scored in scored {
            given.push(scored?);
        }
    }
    let mut given = given.into_iter();
    Ok(tested
        .into_iter()
        .map(|tested| {
            let given = given.by_ref().take(tested.parts.len()).collect();
            let trained_on = tested.parts.iter().map(|part| part.learnt.len()).max().unwrap_or(0) as u64;
            (tested.scored(data, plan, given), trained_on)
        })
        .collect())
}

impl Tested {
    fn by(data: &Dataset, plan: &BacktestPlan, split: &Split) -> Result<Self, EvaluateError> {
        let seed = plan.bootstrap.seed;
        let on = |row: u32, dates: &[AsOf]| dates.contains(&data.as_of(row as usize));
        let all = 0..data.rows() as u32;
        let mut rows: Vec<u32> = all.clone().filter(|&row| on(row, &[split.test])).collect();
        if rows.is_empty() {
            return Err(EvaluateError::Plan(format!("the dataset has no case at {}", split.test)));
        }
        plan.capacity.check_within(rows.len(), &format!("the test date {}", split.test))?;
        // Cases of equal score keep this order: it is the same every time and favours no id.
        rows.sort_by_cached_key(|&row| (lot(seed, data.id(row as usize)), row));
        let cross_fit = CrossFit { families: data.families(), rule: plan.families, seed };
        let learns: Vec<u32> = all.filter(|&row| on(row, &split.train)).collect();
        let parts = cross_fit.parts(&learns, &rows);
        Ok(Self { rows, parts })
    }

    /// The rows with what each of the split's models gives them.
    fn scored(self, data: &Dataset, plan: &BacktestPlan, given: Vec<Given>) -> Scored {
        let Self { rows, parts } = self;
        let blank = || Contender { log_odds: vec![0.0; rows.len()], ..Contender::default() };
        let mut scored = Scored {
            outcomes: rows.iter().map(|&row| data.outcomes()[row as usize]).collect(),
            families: rows.iter().map(|&row| data.families()[row as usize]).collect(),
            model: blank(),
            rules: SimpleRule::ALL.iter().map(|_| blank()).collect(),
            ..Scored::default()
        };
        for (Part { places, .. }, (log_odds, rules, terms)) in parts.into_iter().zip(given) {
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
        let length = plan.capacity.of(rows.len());
        for contender in std::iter::once(&mut scored.model).chain(&mut scored.rules) {
            contender.listed = at_capacity(&contender.log_odds, length);
            contender.places = places_at_capacity(&contender.log_odds, length);
        }
        let model = &scored.model.log_odds;
        scored.terms.par_iter_mut().for_each(|(_, term)| {
            let without: Vec<f64> = model.iter().zip(&term.log_odds).map(|(with, by)| with - by).collect();
            term.listed = at_capacity(&without, length);
        });
        scored.rows = rows;
        scored
    }
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
