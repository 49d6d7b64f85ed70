//! Which lists are simulated.

use serde::{Deserialize, Serialize};

use super::super::dates;
use crate::calendar::{AsOf, Day, Horizon};
use crate::error::{Error, EvaluateError, SimulationError};
use crate::evaluate::Capacity;
use crate::fairness::CapacityShares;
use crate::review::Among;

/// Which lists are simulated: their dates, how long they are, and among whom places are given.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Horizon;
/// use earlyhelp::project::SimulationParams;
///
/// // A list a month, drawn at the project's capacity, at half and at twice that.
/// let params = SimulationParams::new("2023-04-01".parse()?, "2024-03-01".parse()?);
/// assert_eq!(params.every, Horizon::Months(1));
/// assert_eq!(params.dates()?.len(), 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulationParams {
    /// The date of the first list.
    pub from: AsOf,
    /// No list is of a later date.
    pub to: AsOf,
    /// From each list to the next. The default, one month, is how long a list may be used.
    pub every: Horizon,
    /// How long lists are; the first is told in detail. None is the project's own capacity. Of a single one, half and
    /// twice as much are told beside it.
    pub capacities: Vec<Capacity>,
    /// Among whom places are given.
    pub among: Among,
    /// How places are dealt to groups, where they are. Lists by the count of needs go by that alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<CapacityShares>,
}

impl SimulationParams {
    /// The most lists: ten years of monthly ones, more than any extract can speak of.
    pub const MOST_LISTS: usize = 120;

    /// A list a month, among everybody.
    #[must_use]
    pub fn new(from: AsOf, to: AsOf) -> Self {
        Self {
            from,
            to,
            every: Horizon::Months(1),
            capacities: Vec::new(),
            among: Among::Everybody,
            shares: None,
        }
    }

    /// Lists of these lengths.
    #[must_use]
    pub fn capacities(mut self, capacities: impl IntoIterator<Item = Capacity>) -> Self {
        self.capacities = capacities.into_iter().collect();
        self
    }

    /// The dates of the lists.
    ///
    /// # Errors
    /// [`SimulationError::Period`] and [`SimulationError::TooManyLists`]; [`Error::Calendar`] where there is no time
    /// from list to list.
    pub fn dates(&self) -> Result<Vec<AsOf>, Error> {
        let Self { from, to, every, .. } = *self;
        every.check()?;
        if from > to {
            let (from, to) = (from.to_string(), to.to_string());
            return Err(SimulationError::Period { from, to }.into());
        }
        let most = Self::MOST_LISTS;
        let dates = dates::every(every, from.day(), to.day(), most as i32);
        if dates.len() > most {
            return Err(SimulationError::TooManyLists { most }.into());
        }
        Ok(dates)
    }

    /// From which day on lists of these dates are the last year's; `None` where they do not span one. Twelve monthly lists are
    /// a year's: the last is in use for a month.
    pub(super) fn year_from(&self, mut dates: impl DoubleEndedIterator<Item = AsOf> + Clone) -> Option<Day> {
        let first = dates.clone().next()?;
        let from = self.every.end(dates.next_back()?).plus_months(-12);
        (first.day() <= from).then_some(from)
    }

    /// The lengths that are simulated, the one in detail first.
    pub(super) fn lengths(&self, usual: Capacity) -> Result<Vec<Capacity>, EvaluateError> {
        let asked = match self.capacities.as_slice() {
            [] => vec![usual],
            asked => asked.to_vec(),
        };
        asked.iter().try_for_each(|capacity| capacity.check())?;
        let scaled = match *asked.as_slice() {
            [only @ Capacity::Cases(cases)] => {
                vec![only, Capacity::Cases(cases.div_ceil(2)), Capacity::Cases(cases.saturating_mul(2))]
            }
            [only @ Capacity::Share(share)] => {
                vec![only, Capacity::Share(share / 2.0), Capacity::Share((2.0 * share).min(1.0))]
            }
            _ => asked,
        };
        let mut different: Vec<Capacity> = Vec::new();
        for capacity in scaled {
            if !different.contains(&capacity) {
                different.push(capacity);
            }
        }
        Ok(different)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(from: &str, to: &str) -> SimulationParams {
        SimulationParams::new(from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn dates_keep_the_day_of_the_month_and_end_in_time() {
        let dates = params("2023-12-31", "2024-03-31").dates().unwrap();
        let texts: Vec<String> = dates.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]);
        let one = params("2024-01-01", "2024-01-01").dates().unwrap();
        assert_eq!(one.len(), 1);
        let weeks = SimulationParams { every: Horizon::Days(7), ..params("2024-01-01", "2024-01-28") };
        assert_eq!(weeks.dates().unwrap().len(), 4);
        let most = SimulationParams { every: Horizon::Days(1), ..params("2024-01-01", "2024-04-29") };
        assert_eq!(most.dates().unwrap().len(), SimulationParams::MOST_LISTS);
        let over = SimulationParams { to: "2024-04-30".parse().unwrap(), ..most };
        assert!(over.dates().unwrap_err().to_string().contains("more than 120 lists"));
        let none = SimulationParams { every: Horizon::Months(0), ..params("2024-01-01", "2024-01-28") };
        assert!(matches!(none.dates(), Err(Error::Calendar(_))));
        let told = params("2024-02-01", "2024-01-01").dates().unwrap_err().to_string();
        assert!(told.contains("2024-02-01 to 2024-01-01"), "{told}");
    }

    #[test]
    fn twelve_monthly_lists_are_a_year() {
        let from = |from: &str, to: &str| {
            let params = params(from, to);
            params.year_from(params.dates().unwrap().into_iter()).map(|day| day.to_string())
        };
        assert_eq!(from("2023-04-01", "2024-03-01").as_deref(), Some("2023-04-01"));
        assert_eq!(from("2023-01-01", "2024-03-01").as_deref(), Some("2023-04-01"));
        assert_eq!(from("2023-04-01", "2024-02-01"), None);
    }

    #[test]
    fn one_length_has_its_half_and_its_double_beside_it() {
        let of = |asked: &[Capacity]| {
            let params = params("2024-01-01", "2024-01-01").capacities(asked.iter().copied());
            params.lengths(Capacity::Cases(30)).unwrap()
        };
        let cases = |cases: &[u32]| cases.iter().map(|&cases| Capacity::Cases(cases)).collect::<Vec<_>>();
        assert_eq!(of(&[]), cases(&[30, 15, 60]));
        assert_eq!(of(&cases(&[1])), cases(&[1, 2]));
        assert_eq!(of(&cases(&[20, 5, 20])), cases(&[20, 5]));
        let share = Capacity::Share;
        assert_eq!(of(&[share(0.75)]), [share(0.75), share(0.375), share(1.0)]);
        for none in [Capacity::Cases(0), share(0.0)] {
            let params = params("2024-01-01", "2024-01-01").capacities([none]);
            assert!(params.lengths(Capacity::Cases(30)).is_err());
        }
    }
}
