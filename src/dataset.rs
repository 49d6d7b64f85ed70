//! Features and outcomes of one or several as-of dates, stacked: what a model is trained and tested on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::AsOf;
use crate::cohort::{Cohort, CohortSpec};
use crate::error::{DatasetError, Error};
use crate::features::{FeatureMatrix, FeatureSpec};
use crate::outcome::{Label, OutcomeSpec};
use crate::records::SourceProfile;

#[cfg(feature = "files")]
mod frames;
#[cfg(feature = "linfa")]
mod linfa_dataset;
mod reweighing;

use self::reweighing::Strata;
pub use self::reweighing::{Reweighed, Reweighing};

/// Cases with features and a known outcome. A row is a case (an entity at an as-of date).
///
/// # Examples
/// ```
/// use earlyhelp::calendar::{Horizon, Lookback};
/// use earlyhelp::cohort::CohortSpec;
/// use earlyhelp::dataset::Dataset;
/// use earlyhelp::features::{Feature, FeatureSpec, Measure};
/// use earlyhelp::outcome::OutcomeSpec;
/// use earlyhelp::records::{Coverage, Extract, Records, Selector, SourceMapping};
/// use polars::df;
///
/// let visits = df!("who" => ["a", "a", "b"], "on" => ["2024-01-05", "2024-05-01", "2024-02-01"])?;
/// let (from, to) = ("2023-01-01".parse()?, "2024-06-30".parse()?);
/// let complete = Coverage { from: Some(from), to: Some(to), ..Coverage::default() };
/// let mapping = SourceMapping::new("visits", "who", "visit", "on").coverage(complete);
/// let records = Records::builder().source(mapping, Extract::frame(visits)).build()?;
/// let spec = FeatureSpec::new(vec![Feature::new(Selector::source("visits"), Measure::Count, Lookback::Days(365))])?;
/// let outcome = OutcomeSpec::any("again", "Comes again", [Selector::source("visits")], Horizon::Days(90));
///
/// let cohort = CohortSpec::default().choose(&records.as_of("2024-04-01".parse()?))?;
/// let data = Dataset::build(&spec, &outcome, &[cohort])?;
/// assert_eq!(data.outcomes(), [true, false]);
/// assert_eq!(data.to_linfa().records().shape(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dataset {
    /// Columns of extracts whose content the features can read.
    columns: Vec<String>,
    /// What each source was at the last date.
    profiles: Arc<[SourceProfile]>,
    cohort: CohortSpec,
    spec: FeatureSpec,
    outcome: OutcomeSpec,
    dates: Vec<DateSummary>,
    /// For each row the place of its date.
    date: Vec<u16>,
    /// For each row the day on which it is seen, where cases have days of their own; empty otherwise.
    seen: Vec<AsOf>,
    entity: Vec<u32>,
    ids: Arc<[Box<str>]>,
    family: Vec<u32>,
    matrix: FeatureMatrix,
    outcomes: Vec<bool>,
    /// What weights are made of, where cases do not count alike.
    strata: Option<Strata>,
    /// The tables that features and labels were taken from, each with its date and its digest; none where they were computed of records.
    tables: Arc<[(&'static str, AsOf, String)]>,
}

/// What one as-of date brought to a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DateSummary {
    /// The date.
    pub as_of: AsOf,
    /// Cases in the cohort.
    pub cohort: u64,
    /// Cases with the outcome.
    pub positive: u64,
    /// Cases followed over the whole horizon without it.
    pub negative: u64,
    /// Cases left out because their follow-up ended early.
    pub follow_up_ended: u64,
    /// Cases left out because the outcome had come about before.
    pub already_happened: u64,
}

impl Dataset {
    /// Computes features and labels of each cohort and stacks them, in the order of their dates.
    ///
    /// # Errors
    /// [`Error::Spec`] where features, outcome or the cohorts' rules do not fit the records, or name records of
    /// which there is none; [`Error::Dataset`] where there is no cohort, two are of one date, they are of other
    /// records or chosen by other rules, or no case has a known outcome.
    pub fn build(spec: &FeatureSpec, outcome: &OutcomeSpec, cohorts: &[Cohort<'_>]) -> Result<Self, Error> {
        if let Some(first) = cohorts.first() {
            let records = first.snapshot().records();
            spec.check(records)?;
            let mut faults = outcome.faults(records).into_iter().chain(first.rules().faults(records));
            faults.try_for_each(Err)?;
        }
        Self::of_model(spec, outcome, cohorts)
    }

    /// The same for a model that is trained already: what it reads was there then, and a later extract may be
    /// without one of the kinds.
    pub(crate) fn of_model(
        spec: &FeatureSpec,
        outcome: &OutcomeSpec,
        cohorts: &[Cohort<'_>],
    ) -> Result<Self, Error> {
        let mut cohorts: Vec<&Cohort<'_>> = cohorts.iter().collect();
        cohorts.sort_by_key(|cohort| cohort.as_of());
        let mut data = Self::empty((spec, outcome), &cohorts)?;
        for cohort in cohorts {
            data.add(cohort, &outcome.labels(cohort)?, |followed| Ok(spec.compute(&cohort.keep(followed))?))?;
        }
        data.with_outcomes()
    }

    /// Features and labels that were computed elsewhere, of cohorts that were chosen there: of each date a row of the matrix and
    /// a label for each case. `columns`: those of extracts whose content the features can read.
    pub(crate) fn of_tables(
        (spec, outcome): (&FeatureSpec, &OutcomeSpec),
        (columns, tables): (Vec<String>, Vec<(&'static str, AsOf, String)>),
        mut dates: Vec<(Cohort<'_>, FeatureMatrix, Vec<Label>)>,
    ) -> Result<Self, Error> {
        dates.sort_by_key(|(cohort, ..)| cohort.as_of());
        let cohorts: Vec<&Cohort<'_>> = dates.iter().map(|(cohort, ..)| cohort).collect();
        let mut data = Self { columns, tables: tables.into(), ..Self::empty((spec, outcome), &cohorts)? };
        for (cohort, matrix, labels) in &dates {
            data.add(cohort, labels, |followed| {
                let rows: Vec<u32> =
                    (0..).zip(followed).filter(|(_, keep)| **keep).map(|(row, _)| row).collect();
                Ok(matrix.take(&rows))
            })?;
        }
        data.with_outcomes()
    }

    fn with_outcomes(self) -> Result<Self, Error> {
        if self.outcomes.is_empty() {
            return Err(DatasetError::NoOutcomes.into());
        }
        Ok(self)
    }

    /// No case yet; the cohorts stand in the order of their dates.
    fn empty((spec, outcome): (&FeatureSpec, &OutcomeSpec), cohorts: &[&Cohort<'_>]) -> Result<Self, Error> {
        let (Some(first), Some(last)) = (cohorts.first(), cohorts.last()) else {
            return Err(DatasetError::NoDates.into());
        };
        let last = last.snapshot();
        let ids = first.all_ids();
        let records = first.snapshot().records();
        Ok(Self {
            columns: spec.columns_read(records),
            profiles: last
                .of_sources(|source| SourceProfile::of(last, source))
                .into_iter()
                .flatten()
                .collect(),
            cohort: first.rules().clone(),
            spec: spec.clone(),
            outcome: outcome.clone(),
            dates: Vec::new(),
            date: Vec::new(),
            seen: Vec::new(),
            entity: Vec::new(),
            ids,
            family: Vec::new(),
            matrix: FeatureMatrix::default(),
            outcomes: Vec::new(),
            strata: None,
            tables: Arc::default(),
        })
    }

    fn add(
        &mut self,
        cohort: &Cohort<'_>,
        labels: &[Label],
        features: impl FnOnce(&[bool]) -> Result<FeatureMatrix, Error>,
    ) -> Result<(), Error> {
        if !Arc::ptr_eq(&cohort.all_ids(), &self.ids) || *cohort.rules() != self.cohort {
            return Err(DatasetError::OtherRecords.into());
        }
        if self.dates.iter().any(|held| held.as_of == cohort.as_of()) {
            return Err(DatasetError::DateTwice(cohort.as_of().to_string()).into());
        }
        let count = |label: Label| labels.iter().filter(|&&held| held == label).count() as u64;
        let place = u16::try_from(self.dates.len()).map_err(|_| DatasetError::TooManyDates)?;
        self.dates.push(DateSummary {
            as_of: cohort.as_of(),
            cohort: cohort.len() as u64,
            positive: count(Label::Positive),
            negative: count(Label::Negative),
            follow_up_ended: count(Label::FollowUpEnded),
            already_happened: count(Label::AlreadyHappened),
        });
        let known: Vec<bool> = labels.iter().map(|label| label.outcome().is_some()).collect();
        let followed = cohort.keep(&known);
        if followed.is_empty() {
            return Ok(());
        }
        self.matrix.append(features(&known)?);
        self.outcomes.extend(labels.iter().filter_map(|label| label.outcome()));
        self.date.extend(std::iter::repeat_n(place, followed.len()));
        if followed.has_own_days() {
            self.seen.extend((0..followed.len()).map(|row| followed.seen_on(row)));
        }
        self.entity.extend(followed.subjects());
        self.family.extend((0..followed.len()).map(|row| followed.family(row)));
        Ok(())
    }

    /// How many cases.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.outcomes.len()
    }

    /// The rules by which the cases were chosen.
    #[must_use]
    pub fn cohort(&self) -> &CohortSpec {
        &self.cohort
    }

    /// The features.
    #[must_use]
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// The outcome.
    #[must_use]
    pub fn outcome(&self) -> &OutcomeSpec {
        &self.outcome
    }

    /// What each date brought, in order.
    #[must_use]
    pub fn dates(&self) -> &[DateSummary] {
        &self.dates
    }

    /// The features of all cases.
    #[must_use]
    pub fn matrix(&self) -> &FeatureMatrix {
        &self.matrix
    }

    /// Whether the outcome came about, case by case.
    #[must_use]
    pub fn outcomes(&self) -> &[bool] {
        &self.outcomes
    }

    /// The pseudonymous id of each case.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entity.iter().map(|&entity| &*self.ids[entity as usize])
    }

    /// The as-of date of a case.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn as_of(&self, row: usize) -> AsOf {
        self.dates[usize::from(self.date[row])].as_of
    }

    /// The day that the features of a case are of, and on which its follow-up begins: the as-of date, or the case's own
    /// day before it ([`OwnDay`](crate::cohort::OwnDay)).
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn seen_on(&self, row: usize) -> AsOf {
        self.seen.get(row).copied().unwrap_or_else(|| self.as_of(row))
    }

    /// A number for the family of each case: equal numbers, one family, at any date.
    #[must_use]
    pub fn families(&self) -> &[u32] {
        &self.family
    }

    /// How many different families there are.
    #[must_use]
    pub fn family_count(&self) -> usize {
        let mut families = self.family.clone();
        families.sort_unstable();
        families.dedup();
        families.len()
    }

    /// For each case how much it counts in training; `None`, the usual case, where all count alike.
    ///
    /// Weights come from [`reweigh`](crate::fairness::reweigh) alone. They are made of the cases that are
    /// in this dataset, so a part of it (a fold, the dates before a test) has weights of its own, in which
    /// no other case plays a part. Their sum is the number of cases.
    #[must_use]
    pub fn case_weights(&self) -> Option<Vec<f64>> {
        self.strata.as_ref()?.weights(&self.outcomes)
    }

    /// What the reweighing came to, where the cases were reweighed.
    #[must_use]
    pub fn reweighed_by(&self) -> Option<Reweighed> {
        self.strata.as_ref().map(|strata| strata.summary(&self.outcomes))
    }

    /// The reweighing that was asked for.
    pub(crate) fn reweighing(&self) -> Option<&Reweighing> {
        self.strata.as_ref().map(|strata| &strata.asked)
    }

    /// The same cases, counting by the groups that they are in: one number a case, and no name.
    pub(crate) fn in_strata(&self, of_case: Vec<u32>, asked: Reweighing, minimum_group: u32) -> Self {
        Self { strata: Some(Strata { asked, minimum_group, of_case }), ..self.clone() }
    }

    /// The same cases, all counting alike.
    pub(crate) fn unweighed(&self) -> Self {
        Self { strata: None, ..self.clone() }
    }

    /// For each case a key of its family, made of its members' ids: the same whatever order the records
    /// were read in.
    pub(crate) fn family_keys(&self) -> Vec<u64> {
        let mut first: hashbrown::HashMap<u32, &str> = hashbrown::HashMap::new();
        for (row, &family) in self.family.iter().enumerate() {
            let id = self.id(row);
            first.entry(family).and_modify(|held| *held = (*held).min(id)).or_insert(id);
        }
        let keys: hashbrown::HashMap<u32, u64> =
            first.into_iter().map(|(family, id)| (family, key_of(id))).collect();
        self.family.iter().map(|family| keys[family]).collect()
    }

    /// The cases in these rows, as a dataset of its own.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let pick = |row: &u32| *row as usize;
        Self {
            columns: self.columns.clone(),
            profiles: Arc::clone(&self.profiles),
            cohort: self.cohort.clone(),
            spec: self.spec.clone(),
            outcome: self.outcome.clone(),
            dates: self.dates.clone(),
            date: rows.iter().map(|row| self.date[pick(row)]).collect(),
            seen: rows.iter().filter_map(|row| self.seen.get(pick(row)).copied()).collect(),
            entity: rows.iter().map(|row| self.entity[pick(row)]).collect(),
            ids: Arc::clone(&self.ids),
            family: rows.iter().map(|row| self.family[pick(row)]).collect(),
            matrix: self.matrix.take(rows),
            outcomes: rows.iter().map(|row| self.outcomes[pick(row)]).collect(),
            strata: self.strata.as_ref().map(|strata| strata.take(rows)),
            tables: Arc::clone(&self.tables),
        }
    }

    /// The columns of extracts whose content the features can read.
    pub(crate) fn columns_read(&self) -> &[String] {
        &self.columns
    }

    /// The tables that features and labels were taken from, each with its date and its digest.
    pub(crate) fn tables(&self) -> &[(&'static str, AsOf, String)] {
        &self.tables
    }

    /// What each source was at the last date.
    pub(crate) fn profiles(&self) -> &[SourceProfile] {
        &self.profiles
    }

    pub(crate) fn id(&self, row: usize) -> &str {
        &self.ids[self.entity[row] as usize]
    }
}

/// A key made of an id: FNV-1a (Fowler, Noll and Vo, draft-eastlake-fnv).
fn key_of(id: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.bytes().fold(0xcbf2_9ce4_8422_2325, fold)
}

crate::opaque_debug!(Dataset);
