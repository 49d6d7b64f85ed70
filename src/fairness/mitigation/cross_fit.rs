//! Scores of cases that a model never learnt from: of the dates it was trained on, and of a later one.

use super::super::people::RowPeople;
use super::paired::Tested;
use crate::calendar::AsOf;
use crate::dataset::Dataset;
use crate::error::{Error, EvaluateError};
use crate::evaluate::ranking::{at_capacity, lot};
use crate::evaluate::{BacktestPlan, CrossFit, FamilyRule, Part, Split};
use crate::model::Trainer;

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
        let rule = match plan.families {
            FamilyRule::CrossFit(folds) => FamilyRule::CrossFit(folds.max(2)),
            FamilyRule::LeaveOut => FamilyRule::CrossFit(FOLDS),
        };
        let on = |dates: &[AsOf]| -> Vec<u32> {
            let mut rows: Vec<u32> =
                (0..data.rows() as u32).filter(|&row| dates.contains(&data.as_of(row as usize))).collect();
            rows.sort_by_key(|&row| (lot(seed, data.id(row as usize)), row));
            rows
        };
        let (learns, later) = (on(&split.train), on(&[split.test]));
        if learns.is_empty() || later.is_empty() {
            return Err(EvaluateError::Plan(format!(
                "the dataset lacks dates of the test on {}",
                split.test
            ))
            .into());
        }
        let scored = [learns.as_slice(), &later].concat();
        let mut log_odds = vec![0.0; scored.len()];
        let cross_fit = CrossFit { families: data.families(), rule, seed };
        for Part { learnt, places } in cross_fit.parts(&learns, &scored) {
            let model = trainer.without_refits().fit(&data.take(&learnt), seed)?.model;
            let rows: Vec<u32> = places.iter().map(|&place| scored[place]).collect();
            for (&place, score) in places.iter().zip(model.log_odds(data.take(&rows).matrix())?) {
                log_odds[place] = score;
            }
        }
        let of_later = log_odds.split_off(learns.len());
        Ok(Self {
            training: Side { dates: split.train.clone(), rows: learns, log_odds },
            later: Side { dates: vec![split.test], rows: later, log_odds: of_later },
        })
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

    /// The cases, in columns.
    pub(super) fn tested<'a>(&self, data: &'a Dataset) -> Tested<'a> {
        let rows = || self.rows.iter().map(|&row| row as usize);
        Tested {
            dates: self.dates.clone(),
            entities: rows().map(|row| data.id(row)).collect(),
            outcomes: rows().map(|row| data.outcomes()[row]).collect(),
            families: rows().map(|row| data.families()[row]).collect(),
            people: RowPeople::of_ids(&rows().map(|row| data.id(row)).collect::<Vec<_>>()),
        }
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
