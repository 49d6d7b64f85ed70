//! Who was helped.

use std::collections::{BTreeMap, HashSet};

use crate::calendar::{AsOf, Horizon};
use crate::cohort::Cohort;
use crate::error::SpecError;
use crate::outcome::{Label, OutcomeSpec};
use crate::records::Selector;

/// Who of some cohorts was helped within a horizon: any of some records (an early-help episode, a visit)
/// happened from the as-of date on, read exactly as an outcome is. Help that had begun before the date is
/// history that features may read, and is not counted.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Horizon;
/// use earlyhelp::cohort::CohortSpec;
/// use earlyhelp::fairness::label::Helped;
/// use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};
/// use polars::df;
///
/// let visits = df!("who" => ["a", "b", "b"], "on" => ["2024-01-05", "2024-02-01", "2024-05-01"])?;
/// let complete = Coverage { to: Some("2024-06-30".parse()?), ..Coverage::default() };
/// let mapping = SourceMapping::new("support", "who", "visit", "on").coverage(complete);
/// let records = Records::builder().source(mapping, Extract::frame(visits)).build()?;
/// let as_of = "2024-04-01".parse()?;
/// let cohort = CohortSpec::default().choose(&records.as_of(as_of))?;
///
/// let helped = Helped::within(&[cohort], &[Selector::source("support")], Horizon::Days(90))?;
/// assert_eq!(helped.mask(&[(as_of, "b"), (as_of, "a")]), Some(vec![true, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Helped {
    by_date: BTreeMap<AsOf, HashSet<Box<str>>>,
}

crate::opaque_debug!(Helped);

impl Helped {
    /// Looks for these records in the horizon after each cohort's date.
    ///
    /// # Errors
    /// [`SpecError`] where a record's source is not there, holds no such record, does not say up to which day it is complete, or
    /// ends before the horizon does: its silence would be taken for no help.
    pub fn within(cohorts: &[Cohort<'_>], records: &[Selector], horizon: Horizon) -> Result<Self, SpecError> {
        Self::of(cohorts, &OutcomeSpec::any("helped", "Help began", records.iter().cloned(), horizon))
    }

    /// Those of whom the outcome is true.
    pub(super) fn of(cohorts: &[Cohort<'_>], outcome: &OutcomeSpec) -> Result<Self, SpecError> {
        let mut by_date: BTreeMap<AsOf, HashSet<Box<str>>> = BTreeMap::new();
        if let Some(cohort) = cohorts.first() {
            let faults = outcome.faults(cohort.snapshot().records());
            faults.into_iter().next().map_or(Ok(()), Err)?;
        }
        for cohort in cohorts {
            let labels = outcome.labels(cohort)?;
            let helped = cohort.ids().zip(labels).filter(|&(_, label)| label == Label::Positive);
            by_date.entry(cohort.as_of()).or_default().extend(helped.map(|(id, _)| Box::from(id)));
        }
        Ok(Self { by_date })
    }

    /// Whether each case (a date and a pseudonymous id) was helped; `None` where there was no cohort of a
    /// date. An id that was in no cohort of its date counts as not helped.
    #[must_use]
    pub fn mask(&self, cases: &[(AsOf, &str)]) -> Option<Vec<bool>> {
        cases.iter().map(|(as_of, id)| Some(self.by_date.get(as_of)?.contains(*id))).collect()
    }
}
