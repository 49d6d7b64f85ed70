//! What of a scored cohort is kept in a ledger, and how a kept case is computed again.

use super::{Absence, Chance, Contribution, Scorer, Scores, ShownBand};
use crate::calendar::AsOf;
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix};
use crate::known_to::IsKnown;
use crate::stats::Interval;
use crate::stats::link::probability;

/// One scored case as a ledger keeps it: enough to compute its score again to the bit.
pub(crate) struct RecordedScore<'s> {
    pub(crate) entity: &'s str,
    pub(crate) family: u32,
    pub(crate) rank: u32,
    pub(crate) log_odds: f64,
    pub(crate) cells: Vec<Cell>,
    /// The day of its own that it is seen on.
    pub(crate) seen_on: Option<AsOf>,
    /// Whether it is known to a service already; `None` where nobody said what that means.
    pub(crate) known: Option<IsKnown>,
}

/// What is said of a kept case, made again from its cells alone.
pub(crate) struct CaseAgain {
    pub(crate) band: ShownBand,
    pub(crate) chance: Option<Chance>,
    pub(crate) average: f64,
    /// The largest first, without the records behind them.
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) absent: Vec<Absence>,
}

impl Scores<'_, '_> {
    /// Every scored case in the order of the ranks.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = RecordedScore<'_>> {
        self.order.iter().zip(1..).map(|(&row, rank)| {
            let row = row as usize;
            RecordedScore {
                entity: self.cohort.id(row),
                family: self.cohort.family(row),
                rank,
                log_odds: self.log_odds[row],
                cells: self.cells_of(row),
                seen_on: self.cohort.has_own_days().then(|| self.cohort.seen_on(row)),
                known: self.known_to.as_ref().map(|known| known.any(row)),
            }
        })
    }

    /// What the model's features say of a row of the cohort.
    pub(super) fn cells_of(&self, row: usize) -> Vec<Cell> {
        (0..self.matrix.names().len()).map(|feature| self.matrix.cell(row, feature)).collect()
    }
}

impl Scorer {
    /// The scores (log-odds) of kept cases, computed again from their cells.
    ///
    /// # Errors
    /// [`ModelError::Features`] where a case does not have one cell for each feature of the model.
    pub(crate) fn score_again(&self, cases: &[Vec<Cell>]) -> Result<Vec<f64>, ModelError> {
        self.candidate().model().log_odds(&self.kept(cases)?)
    }

    /// What makes the score of a kept case, the largest part first; `without_value` tells how many records behind these
    /// features had no value, which their words say.
    ///
    /// # Errors
    /// [`ModelError::Features`] where it does not have one cell for each feature of the model.
    pub(crate) fn explain_again(
        &self,
        cells: &[Cell],
        seen_on: AsOf,
        without_value: impl Fn(&[String]) -> usize,
    ) -> Result<CaseAgain, ModelError> {
        let model = self.candidate().model();
        let case = self.kept(&[cells.to_vec()])?;
        let explanation = model.explain(&case, 0)?;
        let reach = model.reach(&case, 0)?;
        let mut contributions: Vec<Contribution> = explanation
            .contributions()
            .iter()
            .enumerate()
            .map(|(term, &log_odds)| {
                let part = Contribution::of(self.candidate(), term, |place| cells[place], log_odds, seen_on)
                    .within(reach.as_ref().map(|reach| reach.contributions[term]));
                match without_value(&part.features) {
                    0 => part,
                    records => part.without_values(self.candidate(), term, records, seen_on),
                }
            })
            .collect();
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        let log_odds = model.log_odds(&case)?[0];
        Ok(CaseAgain {
            band: self.band(log_odds),
            chance: self.chance(log_odds, reach.map(|reach| reach.score)),
            average: explanation.intercept(),
            contributions,
            absent: self.absent(|place| cells[place]),
        })
    }

    /// The band of a score.
    pub(crate) fn band(&self, log_odds: f64) -> ShownBand {
        let backtest = self.backtest();
        let average = backtest.overall.prevalence;
        let found = backtest.bands.iter().find(|band| band.from.is_none_or(|from| log_odds >= from));
        match found {
            Some(band) => ShownBand { name: band.name.clone(), observed: band.observed, average },
            None => ShownBand { name: "all cases".to_owned(), observed: average, average },
        }
    }

    /// The chance that a score speaks of; `None` where chances failed their check, the check had nothing to
    /// say of chances so high, or nothing is known of how sure they are.
    pub(super) fn chance(&self, log_odds: f64, reach: Option<f64>) -> Option<Chance> {
        let backtest = self.backtest();
        let reach = reach.filter(|_| backtest.is_calibrated())?;
        let highest = backtest.overall.calibration.as_ref()?.bins.last()?.mean_predicted;
        if probability(log_odds) > highest {
            return None;
        }
        let interval = Interval { low: probability(log_odds - reach), high: probability(log_odds + reach) };
        Some(Chance { value: probability(log_odds), interval })
    }

    /// The features for which a case has no value.
    pub(super) fn absent(&self, cell: impl Fn(usize) -> Cell) -> Vec<Absence> {
        let candidate = self.candidate();
        let model = candidate.model();
        candidate
            .features()
            .features()
            .iter()
            .enumerate()
            .map(|(place, feature)| (place, feature, cell(place)))
            .filter(|(_, _, cell)| cell.value().is_none())
            .map(|(place, feature, cell)| {
                let mut terms =
                    (0..model.terms().len()).filter(|&term| model.places(term).any(|held| held == place));
                Absence {
                    feature: feature.name.clone(),
                    label: feature.label.clone(),
                    why: cell,
                    learnt: terms.any(|term| !model.terms()[term].is_blind_to(cell)),
                }
            })
            .collect()
    }

    /// What the model cannot see of any case.
    pub(crate) fn cannot_see(&self, has_own_days: bool, as_of: AsOf) -> Vec<String> {
        let day = if has_own_days {
            "the day on which the case is seen".to_owned()
        } else {
            crate::words::date(as_of.day())
        };
        self.candidate().training().blind_spots(&day)
    }

    /// Kept cases as the model reads them.
    fn kept(&self, cases: &[Vec<Cell>]) -> Result<FeatureMatrix, ModelError> {
        let names = self.candidate().model().features().to_vec();
        if cases.iter().any(|cells| cells.len() != names.len()) {
            return Err(ModelError::Features("a kept case does not have one cell for each feature".into()));
        }
        let columns: Vec<Vec<Cell>> =
            (0..names.len()).map(|feature| cases.iter().map(|cells| cells[feature]).collect()).collect();
        FeatureMatrix::from_cells(names, cases.len(), &columns)
            .ok_or_else(|| ModelError::Features("the kept cells do not make a table".into()))
    }
}
