//! Which dates a backtest trains on and tests on, and how long its lists are.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bands::BandRule;
use super::cross_fit::FamilyRule;
use crate::calendar::{AsOf, Horizon};
use crate::cohort::CohortSpec;
use crate::error::EvaluateError;
use crate::stats::Bootstrap;

/// How many cases a team can look at from one list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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

/// `20` is so many cases, and `20%` such a share.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::Capacity;
///
/// assert_eq!("20".parse(), Ok(Capacity::Cases(20)));
/// assert_eq!("12.5%".parse(), Ok(Capacity::Share(0.125)));
/// assert!("101%".parse::<Capacity>().is_err());
/// ```
impl FromStr for Capacity {
    type Err = EvaluateError;

    fn from_str(text: &str) -> Result<Self, EvaluateError> {
        let text = text.trim();
        let read = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().ok().map(|percent: f64| Self::Share(percent / 100.0)),
            None => text.parse().ok().map(Self::Cases),
        };
        read.filter(|read| read.check().is_ok()).ok_or_else(|| {
            EvaluateError::Capacity("write a number of cases (20), or a share of them (20%)".into())
        })
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
