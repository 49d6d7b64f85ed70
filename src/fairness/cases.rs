//! Tables of what the crate itself holds: the test cases of a backtest, and a scored cohort with its list.

use hashbrown::HashSet;

use super::audit::ScoreTable;
use super::people::RowPeople;
use super::protected::Protected;
use crate::error::AuditError;
use crate::evaluate::Backtest;
use crate::stats::link::probability;

impl ScoreTable {
    /// The test cases of a backtest: the chance that each score speaks of, what happened, who was on the
    /// lists, families, and the protected characteristics.
    ///
    /// # Errors
    /// [`AuditError`] where a characteristic has too many groups to be one.
    pub fn of_backtest(backtest: &Backtest, protected: &Protected) -> Result<Self, AuditError> {
        let cases = backtest.cases();
        let chances = cases.log_odds.iter().copied().map(probability).collect();
        let table = Self::new(chances, cases.outcomes.clone())?
            .predicted(cases.listed.clone())?
            .clusters(cases.families.clone())?;
        let entities: Vec<&str> = cases.entities.iter().map(String::as_str).collect();
        table.protected(&entities, protected)
    }

    /// The most values that a protected characteristic may have: more than any code list of one in use (the
    /// Census's own list of ethnic groups, the longest, is put into 19), fewer than postcodes or ids.
    pub const MOST_PROTECTED: usize = 60;
    /// Up to so many values may be rarer than two people each: a small table of a real characteristic.
    const FEW_VALUES: usize = 10;

    /// Whom each row is about, and their characteristics.
    pub(crate) fn protected(mut self, entities: &[&str], protected: &Protected) -> Result<Self, AuditError> {
        protected.check_knows(entities.iter().copied())?;
        self.people = RowPeople::of_ids(entities);
        for (name, (groups, codes)) in protected.held().iter().zip(protected.columns_of(entities)) {
            // Of people and not of rows: one person at several dates does not make an id a grouping.
            let is_known = |row: usize| groups[codes[row] as usize].is_some();
            let known = self.people.with_any(entities.len(), is_known) as usize;
            let values = codes.iter().filter(|&&code| groups[code as usize].is_some());
            let values = values.collect::<HashSet<_>>().len();
            if values > Self::MOST_PROTECTED {
                return Err(AuditError::TooManyGroups { column: name.clone(), most: Self::MOST_PROTECTED });
            }
            if values > Self::FEW_VALUES && known < 2 * values {
                return Err(AuditError::RareValues { column: name.clone() });
            }
            self = self.group_coded(name, &codes, &groups)?;
        }
        for name in protected.not_held() {
            self = self.not_held(name)?;
        }
        Ok(self)
    }
}
