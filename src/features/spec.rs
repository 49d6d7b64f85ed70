//! The features of a model together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::feature::{Feature, Measure, PEOPLE, Scope};
use super::kernel;
use super::matrix::FeatureMatrix;
use super::plan::Plan;
use super::row::EventRow;
use crate::calendar::{AsOf, Day};
use crate::cohort::{Cohort, Unit};
use crate::error::SpecError;
use crate::limits;
use crate::records::{Records, Selector};

/// The features of a model, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Feature>", into = "Vec<Feature>")]
pub struct FeatureSpec {
    features: Vec<Feature>,
}

impl FeatureSpec {
    /// The spec of these features.
    ///
    /// # Errors
    /// [`SpecError`] where there is none, two have one name, or one contradicts itself.
    pub fn new(features: Vec<Feature>) -> Result<Self, SpecError> {
        if features.is_empty() {
            return Err(SpecError::Invalid { of: "features".into(), why: "there are none".into() });
        }
        if features.len() > limits::FEATURES {
            let why = format!("there are more than {}; keep those that people can review", limits::FEATURES);
            return Err(SpecError::Invalid { of: "features".into(), why });
        }
        let mut names = std::collections::BTreeSet::new();
        for feature in &features {
            feature.check()?;
            if !names.insert(feature.name.as_str()) {
                return Err(SpecError::FeatureTwice(feature.name.clone()));
            }
        }
        Ok(Self { features })
    }

    /// Refuses a feature that reads a protected characteristic: as a category that it counts or is
    /// selected by, as a kind, as a source, or as an age.
    ///
    /// # Errors
    /// [`SpecError::Protected`] names the feature and the characteristic.
    pub fn check_protected<S: AsRef<str>>(&self, protected: &[S]) -> Result<(), SpecError> {
        self.features.iter().try_for_each(|feature| match reads_protected(feature, protected) {
            None => Ok(()),
            Some(characteristic) => {
                Err(SpecError::Protected { feature: feature.name.clone(), characteristic })
            }
        })
    }

    /// The columns of extracts whose content the features can read: a protected characteristic that is
    /// mapped as a kind or a value is as protected as one that is named.
    pub(crate) fn columns_read(&self, records: &Records) -> Vec<String> {
        let sources: std::collections::BTreeSet<&str> =
            self.features.iter().map(|feature| feature.records.source.as_str()).collect();
        sources
            .into_iter()
            .filter_map(|name| records.source(name))
            .flat_map(|source| source.columns.iter().cloned())
            .collect()
    }

    /// The sources that the features rest on, each with the first day that is read at a date: those they read, the
    /// rosters of these, and `people` and `households`.
    pub(crate) fn reach<'a>(&'a self, records: &'a Records, as_of: AsOf) -> BTreeMap<&'a str, Day> {
        let mut reach = BTreeMap::from([("people", as_of.day())]);
        for feature in &self.features {
            let source = feature.records.source.as_str();
            let start = feature.over.start_of_previous(as_of).filter(|_| feature.measure == Measure::Change);
            let start = start.unwrap_or_else(|| feature.over.start(as_of));
            let roster = records.source(source).and_then(|held| held.coverage.roster.as_deref());
            let by_household = matches!(feature.measure, Measure::Members(..) | Measure::Moves);
            let household = (feature.scope == Scope::Household || by_household).then_some("households");
            for name in [Some(source), roster, household].into_iter().flatten() {
                let held = reach.entry(name).or_insert(start);
                *held = start.min(*held);
            }
        }
        reach
    }

    /// The features.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// For each feature whose numbers are codes without an order, how many there are.
    pub(crate) fn codes(&self) -> Vec<Option<usize>> {
        self.features.iter().map(|feature| feature.measure.codes().map(<[String]>::len)).collect()
    }

    /// A digest (SHA-256, hexadecimal) of everything the spec says.
    #[must_use]
    pub fn digest(&self) -> String {
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }

    /// Computes all features of a cohort.
    ///
    /// # Errors
    /// [`SpecError`] where a feature names a source or category that the records do not hold, or asks of
    /// a source what it cannot say (a sum of a source without values).
    pub fn compute(&self, cohort: &Cohort<'_>) -> Result<FeatureMatrix, SpecError> {
        self.compute_without(cohort, &[])
    }

    /// The same as if these records were not there: what rests on them alone is zero or missing, and what their sources cover
    /// stays as it is.
    pub(crate) fn compute_without(
        &self,
        cohort: &Cohort<'_>,
        without: &[EventRow],
    ) -> Result<FeatureMatrix, SpecError> {
        if cohort.unit() == Unit::Family
            && let Some(feature) = self.features.iter().find(|f| f.scope == Scope::Household)
        {
            return Err(SpecError::Invalid {
                of: format!("feature {}", feature.name),
                why: "a family's records are all its own; drop the household scope".into(),
            });
        }
        let plan = Plan::new(&self.features, cohort.snapshot().records())?;
        let Some(days) = cohort.by_day() else {
            return Ok(kernel::compute(&self.features, &plan, cohort, without));
        };
        // Day by day, and then in the order of the cohort.
        let mut matrix = FeatureMatrix::default();
        let mut places = vec![0; cohort.len()];
        for day in &days {
            for (place, &row) in (matrix.rows() as u32..).zip(&day.rows) {
                places[row as usize] = place;
            }
            matrix.append(kernel::compute(&self.features, &plan, &day.cohort, without));
        }
        Ok(matrix.take(&places))
    }

    /// Checks the spec against the records that a model is to be trained on, without computing anything.
    ///
    /// # Errors
    /// As [`FeatureSpec::compute`], and where a feature's records are none at all: see
    /// [`Selector::optional`](crate::records::Selector::optional).
    pub fn check(&self, records: &Records) -> Result<(), SpecError> {
        self.faults(records).into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that [`FeatureSpec::check`] finds. Features of one choice of records share its fault.
    pub(crate) fn faults(&self, records: &Records) -> Vec<SpecError> {
        let mut chosen: Vec<&Selector> = Vec::new();
        let mut faults = Vec::new();
        for feature in &self.features {
            if let Err(fault) = Plan::new(std::slice::from_ref(feature), records) {
                faults.push(fault);
            } else if feature.records.source != PEOPLE && !chosen.contains(&&feature.records) {
                faults.extend(feature.records.check(records, &format!("feature {}", feature.name)).err());
            }
            if let Measure::LatestIs { category, value } = &feature.measure
                && feature.records.check(records, "").is_ok()
            {
                let with = feature.records.clone().category(category, value);
                faults.extend(with.check(records, &format!("feature {}", feature.name)).err());
            }
            if let Measure::LatestOf { category, codes } = &feature.measure
                && feature.records.check(records, "").is_ok()
            {
                let of = format!("feature {}", feature.name);
                faults.extend(feature.records.check_codes(records, &of, (category, codes)));
            }
            chosen.push(&feature.records);
        }
        faults
    }
}

impl TryFrom<Vec<Feature>> for FeatureSpec {
    type Error = SpecError;
    fn try_from(features: Vec<Feature>) -> Result<Self, SpecError> {
        Self::new(features)
    }
}

impl From<FeatureSpec> for Vec<Feature> {
    fn from(spec: FeatureSpec) -> Self {
        spec.features
    }
}

fn reads_protected<S: AsRef<str>>(feature: &Feature, protected: &[S]) -> Option<String> {
    let counted = match &feature.measure {
        Measure::Age => Some("age"),
        measure => measure.category(),
    };
    let read = feature
        .records
        .categories
        .keys()
        .chain(&feature.records.kinds)
        .map(String::as_str)
        .chain(counted)
        .chain([feature.records.source.as_str()]);
    let protected: Vec<&str> = protected.iter().map(AsRef::as_ref).collect();
    let is_age =
        |name: &str| ["age", "age_band", "date_of_birth"].iter().any(|age| age.eq_ignore_ascii_case(name));
    read.into_iter()
        .find_map(|name| {
            protected.iter().find(|p| p.eq_ignore_ascii_case(name) || (name == "age" && is_age(p)))
        })
        .map(|&name| name.to_owned())
}
