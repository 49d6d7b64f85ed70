//! The temporal backtest.

use serde::{Deserialize, Serialize};

use super::interval::{Bootstrap, Estimate, wilson};
use super::performance::{Performance, TestRows};
use super::ranking::{at_capacity, lot, mix, ranking};
use super::rules::{FittedRule, RuleReport, SimpleRule};
use crate::calendar::{AsOf, Horizon};
use crate::dataset::Dataset;
use crate::error::{EvaluateError, ModelError};
use crate::model::Candidate;

/// How many cases a team can look at from one list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// So many cases.
    Cases(u32),
    /// A share of the cohort, 0 to 1, rounded up.
    Share(f64),
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
}

/// How families are kept from being trained and tested on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyRule {
    /// Families are dealt into so many folds; each fold's cases are scored by a model trained on the
    /// other folds' (at the earlier dates). Every case of the test date is tested, and the right choice
    /// where the same people are in the cohort year after year. The default, with 5 folds: the usual
    /// compromise between training on most families and fitting few models.
    CrossFit(u32),
    /// Families in the test are left out of training. One model a split; the right choice where most
    /// people appear once.
    LeaveOut,
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
    /// Resamples and seed of the bootstrap; the seed also deals families into folds and breaks ties.
    pub bootstrap: Bootstrap,
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
        Ok(Self { splits, families: FamilyRule::CrossFit(5), capacity, bootstrap: Bootstrap::default() })
    }

    fn check(&self, horizon: Horizon) -> Result<(), EvaluateError> {
        let wrong = |why: String| Err(EvaluateError::Plan(why));
        if self.splits.is_empty() {
            return wrong("it has no split".into());
        }
        for split in &self.splits {
            if split.train.is_empty() {
                return wrong(format!("the test on {} has no date to train on", split.test));
            }
            if let Some(train) = split.train.iter().find(|&&train| horizon.end(train) > split.test.day()) {
                return wrong(format!(
                    "outcomes from {train} are followed until {}, after the test date {}; train on earlier dates",
                    horizon.end(*train),
                    split.test
                ));
            }
        }
        if matches!(self.families, FamilyRule::CrossFit(folds) if folds < 2) {
            return wrong("cross-fitting needs at least 2 folds".into());
        }
        if matches!(self.capacity, Capacity::Share(share) if !(share > 0.0 && share <= 1.0))
            || self.capacity == Capacity::Cases(0)
        {
            return wrong("the capacity must be above zero, and a share at most 1".into());
        }
        Ok(())
    }
}

/// A case of the test: what a model that had never seen its family or its future said, and what happened.
#[derive(Clone, PartialEq)]
pub struct TestCase {
    /// The pseudonymous id.
    pub entity: String,
    /// The as-of date.
    pub as_of: AsOf,
    /// The number of its family.
    pub family: u32,
    /// Whether the outcome came about.
    pub outcome: bool,
    /// The score, in log-odds.
    pub log_odds: f64,
    /// Whether it was on that date's list.
    pub listed: bool,
}

/// A finished backtest: the receipt that a fairness audit asks for.
#[derive(Clone)]
pub struct Backtest {
    candidate: String,
    report: BacktestReport,
    cases: Vec<TestCase>,
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

/// A range of scores and what came of the cases in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub name: String,
    /// The lowest log-odds in it; `None` for the lowest band.
    pub from: Option<f64>,
    /// The rate of the outcome among test cases in it.
    pub observed: Estimate,
}

/// Where bands end, as shares of cases from the highest score down. A list is a small top slice of a
/// large cohort, so bands are narrow there.
const BANDS: [(&str, f64); 5] = [
    ("highest 1%", 0.01),
    ("highest 1 to 5%", 0.05),
    ("highest 5 to 10%", 0.10),
    ("highest 10 to 25%", 0.25),
    ("lower 75%", 1.0),
];

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
        plan.check(data.outcome().horizon)?;
        let mut tested: Vec<Scored> = Vec::new();
        let mut splits = Vec::new();
        for split in &plan.splits {
            let (scored, trained_on) = run_split(candidate, data, plan, split)?;
            let performance = scored.performance(&scored.model, &plan.bootstrap)?;
            splits.push(SplitReport { split: split.clone(), trained_on, performance });
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
        let bands = bands(&all.model.log_odds, &all.outcomes);
        let cases = all.cases(data);
        let report = BacktestReport { plan: plan.clone(), splits, overall, rules, bands };
        Ok(Self { candidate: candidate.digest().to_owned(), report, cases })
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
    pub fn cases(&self) -> &[TestCase] {
        &self.cases
    }
}

/// Scores of one contender, and who was on its list.
#[derive(Debug, Clone, Default)]
struct Contender {
    log_odds: Vec<f64>,
    listed: Vec<bool>,
}

/// Test rows with everybody's scores.
#[derive(Debug, Default)]
struct Scored {
    rows: Vec<u32>,
    outcomes: Vec<bool>,
    families: Vec<u32>,
    model: Contender,
    rules: Vec<Contender>,
}

impl Scored {
    fn performance(
        &self,
        contender: &Contender,
        bootstrap: &Bootstrap,
    ) -> Result<Performance, EvaluateError> {
        let rows = TestRows {
            log_odds: &contender.log_odds,
            outcomes: &self.outcomes,
            families: &self.families,
            selected: &contender.listed,
        };
        Performance::measure(&rows, bootstrap)
    }

    fn together(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        all.rules.resize_with(SimpleRule::ALL.len(), Contender::default);
        for part in parts {
            all.rows.extend(part.rows);
            all.outcomes.extend(part.outcomes);
            all.families.extend(part.families);
            for (all, part) in std::iter::once(&mut all.model)
                .chain(&mut all.rules)
                .zip([part.model].into_iter().chain(part.rules))
            {
                all.log_odds.extend(part.log_odds);
                all.listed.extend(part.listed);
            }
        }
        all
    }

    fn cases(&self, data: &Dataset) -> Vec<TestCase> {
        (0..self.rows.len())
            .map(|place| {
                let row = self.rows[place] as usize;
                TestCase {
                    entity: data.id(row).to_owned(),
                    as_of: data.as_of(row),
                    family: self.families[place],
                    outcome: self.outcomes[place],
                    log_odds: self.model.log_odds[place],
                    listed: self.model.listed[place],
                }
            })
            .collect()
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
    // Cases of equal score keep this order: it is the same every time and favours no id.
    test.sort_by_key(|&row| (lot(seed, data.id(row as usize)), row));
    let family = |row: u32| data.families()[row as usize];
    let tested: hashbrown::HashSet<u32> = test.iter().map(|&row| family(row)).collect();
    let folds = match plan.families {
        FamilyRule::CrossFit(folds) => folds,
        FamilyRule::LeaveOut => 1,
    };
    let fold = |row: u32| (mix(seed, u64::from(family(row))) % u64::from(folds)) as u32;

    let mut scored = Scored {
        outcomes: test.iter().map(|&row| data.outcomes()[row as usize]).collect(),
        families: test.iter().map(|&row| family(row)).collect(),
        ..Scored::default()
    };
    let blank = || Contender { log_odds: vec![0.0; test.len()], listed: Vec::new() };
    scored.model = blank();
    scored.rules = SimpleRule::ALL.iter().map(|_| blank()).collect();
    let mut trained_on = 0;
    for this in 0..folds {
        let train: Vec<u32> = all
            .clone()
            .filter(|&row| on(row, &split.train))
            .filter(|&row| match plan.families {
                FamilyRule::CrossFit(_) => fold(row) != this,
                FamilyRule::LeaveOut => !tested.contains(&family(row)),
            })
            .collect();
        let places: Vec<usize> =
            (0..test.len()).filter(|&place| folds == 1 || fold(test[place]) == this).collect();
        if places.is_empty() {
            continue;
        }
        trained_on = trained_on.max(train.len() as u64);
        let rows: Vec<u32> = places.iter().map(|&place| test[place]).collect();
        let (log_odds, rules) =
            fit_and_score(candidate, &data.take(&train), &data.take(&rows)).map_err(|error| {
                EvaluateError::Training { test: split.test.to_string(), why: error.to_string() }
            })?;
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
    }
    scored.rows = test;
    Ok((scored, trained_on))
}

/// The log-odds that the trainer and each simple rule give the test cases.
fn fit_and_score(
    candidate: &Candidate,
    train: &Dataset,
    test: &Dataset,
) -> Result<(Vec<f64>, Vec<Vec<f64>>), ModelError> {
    if train.rows() == 0 {
        return Err(ModelError::NotFitted("every case to train on is of a family in the test".into()));
    }
    let (model, _) = candidate.trainer().fit(train)?;
    let rules = SimpleRule::ALL
        .iter()
        .map(|&rule| FittedRule::fit(rule, train)?.log_odds(test))
        .collect::<Result<_, _>>()?;
    Ok((model.log_odds(test.matrix())?, rules))
}

fn bands(log_odds: &[f64], outcomes: &[bool]) -> Vec<Band> {
    let order = ranking(log_odds);
    let mut start = 0;
    let mut bands = Vec::new();
    for (name, share) in BANDS {
        let mut end = ((share * order.len() as f64).round() as usize).clamp(start, order.len());
        // Equal scores are never in two bands.
        while end > start && end < order.len() && same(log_odds, &order, end) {
            end += 1;
        }
        let cases = &order[start..end];
        let positives = cases.iter().filter(|&&row| outcomes[row as usize]).count() as u64;
        if let Some(observed) = wilson(positives, cases.len() as u64) {
            let lowest = cases.last().map(|&row| log_odds[row as usize]);
            let from = if end == order.len() { None } else { lowest };
            bands.push(Band { name: name.to_owned(), from, observed });
        }
        start = end;
    }
    bands
}

#[allow(clippy::float_cmp, reason = "the very same score")]
fn same(log_odds: &[f64], order: &[u32], place: usize) -> bool {
    log_odds[order[place] as usize] == log_odds[order[place - 1] as usize]
}

crate::opaque_debug!(TestCase);

crate::opaque_debug!(Backtest);
