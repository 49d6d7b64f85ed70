//! Scores of cases that a model never learnt from: of the dates it was trained on, and of a later one.

use crate::calendar::AsOf;
use crate::dataset::Dataset;
use crate::error::{Error, EvaluateError};
use crate::evaluate::ranking::{at_capacity, lot};
use crate::evaluate::{BacktestPlan, FamilyRule, Split};
use crate::model::Trainer;
use crate::stats::random::mix;

/// Some dates' cases with scores by models that had not seen their families.
pub(super) struct Side {
    pub(super) dates: Vec<AsOf>,
    /// The cases, in the order of their lots.
    pub(super) rows: Vec<u32>,
    pub(super) log_odds: Vec<f64>,
}

/// Both sides of a split.
pub(super) struct CrossFitted {
    /// The dates that were trained on.
    pub(super) training: Side,
    /// The test date.
    pub(super) later: Side,
}

/// Folds where the plan does not say: a fifth of the families, as in the backtest.
const FOLDS: u32 = 5;

impl CrossFitted {
    /// Trains on the split's dates, once for each fold without that fold's families, and scores these
    /// families at the dates trained on and at the test date. Families are dealt as in the backtest.
    pub(super) fn run(
        trainer: &Trainer,
        data: &Dataset,
        plan: &BacktestPlan,
        split: &Split,
    ) -> Result<Self, Error> {
        let seed = plan.bootstrap.seed;
        let folds = match plan.families {
            FamilyRule::CrossFit(folds) => folds.max(2),
            FamilyRule::LeaveOut => FOLDS,
        };
        let fold = |row: u32| (mix(seed, u64::from(data.families()[row as usize])) % u64::from(folds)) as u32;
        let on = |dates: &[AsOf]| -> Vec<u32> {
            let mut rows: Vec<u32> =
                (0..data.rows() as u32).filter(|&row| dates.contains(&data.as_of(row as usize))).collect();
            rows.sort_by_key(|&row| (lot(seed, data.id(row as usize)), row));
            rows
        };
        let side = |dates: &[AsOf]| {
            let rows = on(dates);
            Side { dates: dates.to_vec(), log_odds: vec![0.0; rows.len()], rows }
        };
        let mut fitted = Self { training: side(&split.train), later: side(&[split.test]) };
        if fitted.training.rows.is_empty() || fitted.later.rows.is_empty() {
            return Err(EvaluateError::Plan(format!(
                "the dataset lacks dates of the test on {}",
                split.test
            ))
            .into());
        }
        for this in 0..folds {
            let learnt: Vec<u32> =
                fitted.training.rows.iter().copied().filter(|&row| fold(row) != this).collect();
            let model = trainer.without_refits().fit(&data.take(&learnt), seed)?.model;
            for side in [&mut fitted.training, &mut fitted.later] {
                let places: Vec<usize> =
                    (0..side.rows.len()).filter(|&place| fold(side.rows[place]) == this).collect();
                let rows: Vec<u32> = places.iter().map(|&place| side.rows[place]).collect();
                let scores = model.log_odds(data.take(&rows).matrix())?;
                for (&place, score) in places.iter().zip(scores) {
                    side.log_odds[place] = score;
                }
            }
        }
        Ok(fitted)
    }
}

impl Side {
    /// Each date's list: the highest scores up to the capacity.
    pub(super) fn listed(&self, data: &Dataset, plan: &BacktestPlan) -> Vec<bool> {
        self.by_date(data, |places| {
            let scores: Vec<f64> = places.iter().map(|&place| self.log_odds[place]).collect();
            Ok(at_capacity(&scores, plan.capacity.of(places.len())))
        })
        .unwrap_or_else(|never: std::convert::Infallible| match never {})
    }

    /// A list for each date, made of the places of its cases.
    pub(super) fn by_date<E>(
        &self,
        data: &Dataset,
        list: impl Fn(&[usize]) -> Result<Vec<bool>, E>,
    ) -> Result<Vec<bool>, E> {
        let mut listed = vec![false; self.rows.len()];
        for &date in &self.dates {
            let places: Vec<usize> =
                (0..self.rows.len()).filter(|&place| data.as_of(self.rows[place] as usize) == date).collect();
            for (&place, on_it) in places.iter().zip(list(&places)?) {
                listed[place] = on_it;
            }
        }
        Ok(listed)
    }
}
