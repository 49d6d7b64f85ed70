//! What stands in for a protected characteristic, though no model reads one.
//!
//! Three questions, each with an answer that names features:
//! - [`ProxyReport`]: how well does each feature, and do all together, tell who belongs to a group?
//! - [`CarrierReport`]: which term of the model carries a group's higher or lower scores?
//! - [`AblationReport`]: what would leaving a feature out do to ranking, and to each disparity?
//!
//! A feature that predicts a group is not for that reason unfair, and one that carries a disparity may carry a
//! real difference in need. A proxy is a reason to ask where the records come from; no figure here answers that.

mod ablation;
mod bins;
mod carriers;
pub(in crate::fairness) mod display;
pub(in crate::fairness) mod grouping;
mod regressions;
mod scores;
pub(in crate::fairness) mod separation;

pub use ablation::{AblationReport, FeatureAblation, GapChange, GroupGap, RankingFigures};
pub use bins::Leaning;
pub use carriers::{CarrierReport, GroupCarriers, TermDirection, TermShare};
pub use scores::AdditiveScores;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::people::RowPeople;
use super::{Characteristic, Protected};
use crate::dataset::Dataset;
use crate::error::EvaluateError;
use crate::evaluate::{CrossFit, FamilyRule, Part};
use crate::features::FeatureMatrix;
use crate::model::Scale;
use crate::stats::{Clusters, Estimate};
use bins::Bins;
use grouping::{Group, Grouped, Grouping};
use separation::{Levels, Separation, simultaneous_z};

/// How the proxy report is made.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::proxy::ProxyParams;
///
/// assert_eq!(ProxyParams::default().folds, 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProxyParams {
    /// The fewest rows a group must have to be shown. 10 by default, as in the fairness report.
    pub minimum_group: u32,
    /// From which area under the curve on a feature is called a proxy, 0.5 to 1.
    ///
    /// 0.556 by default: what a shift of the group's values by a fifth of a standard deviation gives, a
    /// "small" effect (Cohen's d of 0.2). Large councils show smaller ones beyond doubt, and
    /// nearly every feature would then be a proxy of something.
    pub limit: f64,
    /// Folds of families: what is said of a family is learnt from the other folds. 5 by default, the usual
    /// compromise between learning from most families and few fits.
    pub folds: u8,
    /// The most bins of a feature's values, 2 to 1000. 16 by default: fine enough for any smooth relation, and
    /// some hundred cases a bin where a council has a few thousand.
    pub bins: u16,
    /// The seed that deals families into folds.
    pub seed: u64,
}

impl Default for ProxyParams {
    fn default() -> Self {
        Self { minimum_group: 10, limit: 0.556, folds: 5, bins: 16, seed: 0 }
    }
}

/// How well features predict membership of each group of each protected characteristic.
///
/// **The measure.** The area under the ROC curve for "is in the group" against everybody else: how often a
/// member stands above somebody else. 0.5 is chance, 1 tells everyone apart. A feature is put in bins (missing
/// and not covered are bins of their own: who is not on record is information too), and each family's
/// bins are put in the order of the group's share in *other* families. So any relation counts, up, down or in
/// between, and luck does not: a feature that says nothing has an expected area of 0.5 or a little less. For
/// all features together the order is that of a ridge logistic regression, also learnt from other families;
/// learnt from few members, it can do worse than the best feature alone.
///
/// **The interval** is over families (their first-order effect on the area; a bootstrap of families gives the
/// same and cannot reach the far tails that many comparisons need). It takes what was learnt as given. The
/// `auc` intervals shown are 95% each; **verdicts hold together** with 95% for all features and groups of a
/// characteristic (Bonferroni).
///
/// # Examples
/// ```
/// use earlyhelp::fairness::Characteristic;
/// use earlyhelp::fairness::proxy::{Leaning, ProxyParams, ProxyReport, ProxyVerdict};
/// use earlyhelp::features::{Cell, FeatureMatrix};
/// use earlyhelp::model::Scale;
///
/// // 1,000 people: the east has a visit more often, and says nothing by the second feature.
/// let east = |row: usize| row % 2 == 0;
/// let visits = (0..1_000).map(|row| Cell::Value(f32::from(u8::from(east(row) || row % 10 == 1)))).collect();
/// let noise = (0..1_000).map(|row| Cell::Value((row / 2 % 7) as f32)).collect();
/// let matrix = FeatureMatrix::from_cells(vec!["visits".into(), "noise".into()], 1_000, &[visits, noise])
///     .ok_or("two columns")?;
/// let groups: Vec<Option<&str>> = (0..1_000).map(|row| Some(if east(row) { "east" } else { "west" })).collect();
/// let families: Vec<u32> = (0..1_000).collect();
///
/// let report = ProxyReport::measure(
///     &matrix,
///     (&[Scale::Linear, Scale::Linear], &families),
///     &[Characteristic::Held { name: "area", groups: &groups }],
///     &ProxyParams::default(),
/// )?;
/// let found = report.feature("area", "east", "visits").ok_or("measured")?;
/// assert_eq!((found.verdict, found.leaning), (ProxyVerdict::Proxy, Leaning::Higher));
/// let noise = report.feature("area", "east", "noise").ok_or("measured")?;
/// assert_ne!(noise.verdict, ProxyVerdict::Proxy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// D. Bamber (1975), *Journal of Mathematical Psychology* 12:387-415 (the area). N. A. Obuchowski (1997),
/// "Nonparametric analysis of clustered ROC curve data", *Biometrics* 53:567-578. J. Cohen (1988), *Statistical
/// Power Analysis for the Behavioral Sciences*, section 2.2 (small effects).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProxyReport {
    /// The settings.
    pub params: ProxyParams,
    /// How many cases were looked at.
    pub n: u64,
    /// Of how many families.
    pub families: u64,
    /// One entry a characteristic, in the order asked.
    pub characteristics: Vec<CharacteristicProxies>,
}

/// What was found for one characteristic.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CharacteristicProxies {
    /// Its name.
    pub name: String,
    /// Its groups, or why there is nothing to say.
    pub finding: ProxyFinding,
}

/// Measured or not: a characteristic that cannot be measured is never one without proxies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyFinding {
    /// The data allow to look at it.
    Measured {
        /// How many comparisons the verdicts hold for together.
        comparisons: u64,
        /// Each group by name; those not known last.
        groups: Vec<GroupProxies>,
    },
    /// The data do not allow to look at it.
    NotMeasurable {
        /// Why, in a sentence.
        why: String,
    },
}

/// What predicts one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupProxies {
    /// The group, as the data have it; empty where it is held back, and last.
    pub group: String,
    /// What was found, if it may be shown.
    pub outcome: ProxyOutcome,
}

/// A group's figures, or that they are held back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyOutcome {
    /// The figures.
    Shown {
        /// Rows of the group.
        n: u64,
        /// All features together.
        together: Together,
        /// Each feature alone, the best predictor first.
        features: Vec<FeatureProxy>,
    },
    /// The group is too small to be shown, or is held back with one that is.
    Suppressed {
        /// Groups with fewer rows than this are too small.
        under: u32,
    },
}

/// How well all features together predict a group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Together {
    /// The area under the curve, 0 to 1. `None` where it cannot be learnt: a fold's other families hold no
    /// member, or nobody else.
    pub auc: Option<Estimate>,
    /// Whether it is beyond the limit.
    pub verdict: ProxyVerdict,
}

/// How well one feature alone predicts a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FeatureProxy {
    /// The feature.
    pub feature: String,
    /// The area under the curve, 0 to 1. `None` where no fold holds both members and others.
    pub auc: Option<Estimate>,
    /// In which way it tells the group from the rest.
    pub leaning: Leaning,
    /// Whether it is beyond the limit.
    pub verdict: ProxyVerdict,
}

/// Whether something predicts a group beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyVerdict {
    /// Clearly beyond the limit: the whole simultaneous interval is above it.
    Proxy,
    /// Not beyond the limit: the whole simultaneous interval is at or under it.
    NotBeyondLimit,
    /// The interval holds the limit, or there is none.
    CannotTell,
}

impl ProxyVerdict {
    fn of(separation: Option<&Separation>, limit: f64, z: f64) -> Self {
        match separation.map(|separation| separation.within(z)) {
            Some(interval) if interval.low > limit => Self::Proxy,
            Some(interval) if interval.high <= limit => Self::NotBeyondLimit,
            _ => Self::CannotTell,
        }
    }
}

impl ProxyReport {
    /// Looks at a dataset, over all its cases: build it of the as-of dates that are asked about.
    ///
    /// # Errors
    /// As [`ProxyReport::measure`].
    pub fn of(data: &Dataset, protected: &Protected, params: &ProxyParams) -> Result<Self, EvaluateError> {
        let ids: Vec<&str> = data.ids().collect();
        let groups = protected_groups(protected, &ids);
        let scales: Vec<Scale> = data
            .spec()
            .features()
            .iter()
            .map(|feature| if feature.measure.is_long_tailed() { Scale::Log } else { Scale::Linear })
            .collect();
        let asked = characteristics(protected, &groups);
        let codes = data.spec().codes();
        let people = RowPeople::of_ids(&ids);
        Self::measure_codes(data.matrix(), (&scales, &codes, data.families()), (&asked, &people), params)
    }

    /// Looks at any table of features: `scales` has a scale for each feature (as for a logistic
    /// regression), `families` a number for each row.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`] and [`EvaluateError::OneFamily`] where there is nothing to compare;
    /// [`EvaluateError::LengthMismatch`] where something has another number of entries than there are rows;
    /// [`EvaluateError::Plan`] where a setting is out of range.
    pub fn measure(
        matrix: &FeatureMatrix,
        (scales, families): (&[Scale], &[u32]),
        characteristics: &[Characteristic<'_>],
        params: &ProxyParams,
    ) -> Result<Self, EvaluateError> {
        Self::measure_codes(matrix, (scales, &[], families), (characteristics, &RowPeople::default()), params)
    }

    /// The same where some features' numbers are codes without an order: `codes` has how many, and may be empty.
    fn measure_codes(
        matrix: &FeatureMatrix,
        (scales, codes, families): (&[Scale], &[Option<usize>], &[u32]),
        (characteristics, people): (&[Characteristic<'_>], &RowPeople),
        params: &ProxyParams,
    ) -> Result<Self, EvaluateError> {
        params.check()?;
        let rows = matrix.rows();
        let lengths = [("families", families.len(), rows), ("scales", scales.len(), matrix.names().len())];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found });
            }
        }
        if rows == 0 {
            return Err(EvaluateError::Empty);
        }
        let clusters = Clusters::new(families);
        if clusters.count < 2 {
            return Err(EvaluateError::OneFamily);
        }
        let cross_fit =
            CrossFit { families, rule: FamilyRule::CrossFit(u32::from(params.folds)), seed: params.seed };
        let all: Vec<u32> = (0..rows as u32).collect();
        let table = Table {
            matrix,
            scales,
            codes,
            bins: (0..matrix.names().len())
                .map(|column| match codes.get(column).copied().flatten() {
                    Some(codes) => Bins::of_codes(matrix, column, codes),
                    None => Bins::of(matrix, column, usize::from(params.bins)),
                })
                .collect(),
            folds: all.iter().map(|&row| cross_fit.fold(row) as u8).collect(),
            parts: cross_fit.parts(&all, &all),
            clusters,
            params,
        };
        let grouped: Vec<Grouped<'_>> = characteristics
            .iter()
            .map(|asked| Grouped::of(asked, (rows, people), params.minimum_group))
            .collect::<Result<_, EvaluateError>>()?;
        let mut looks = table.looks(&grouped).into_iter();
        let characteristics = characteristics
            .iter()
            .zip(grouped)
            .map(|(asked, grouped)| {
                let finding = match grouped {
                    Grouped::NotMeasurable(why) => ProxyFinding::NotMeasurable { why },
                    Grouped::Groups(grouping) => table.look_at(&grouping, &mut looks),
                };
                CharacteristicProxies { name: asked.name().to_owned(), finding }
            })
            .collect();
        Ok(Self { params: *params, n: rows as u64, families: table.clusters.count as u64, characteristics })
    }

    /// What was found of one feature for one group; `None` where it is not shown.
    #[must_use]
    pub fn feature(&self, characteristic: &str, group: &str, feature: &str) -> Option<&FeatureProxy> {
        let ProxyOutcome::Shown { features, .. } = self.group(characteristic, group)? else { return None };
        features.iter().find(|found| found.feature == feature)
    }

    /// What was found for one group; `None` where the report has no such group.
    #[must_use]
    pub fn group(&self, characteristic: &str, group: &str) -> Option<&ProxyOutcome> {
        let found = self.characteristics.iter().find(|held| held.name == characteristic)?;
        let ProxyFinding::Measured { groups, .. } = &found.finding else { return None };
        groups.iter().find(|held| held.group == group).map(|held| &held.outcome)
    }
}

impl ProxyParams {
    fn check(&self) -> Result<(), EvaluateError> {
        let need = |fine: bool, why: &str| {
            if fine { Ok(()) } else { Err(EvaluateError::Plan(format!("proxy report: {why}"))) }
        };
        need(self.limit >= 0.5 && self.limit < 1.0, "the limit must be from 0.5 up to 1, and not 1")?;
        need(self.folds >= 2, "there must be at least 2 folds")?;
        need((2..=1000).contains(&self.bins), "there must be 2 to 1000 bins")
    }
}

/// The table with what all groups are measured by.
struct Table<'a> {
    matrix: &'a FeatureMatrix,
    scales: &'a [Scale],
    codes: &'a [Option<usize>],
    bins: Vec<Bins>,
    folds: Vec<u8>,
    parts: Vec<Part>,
    clusters: Clusters,
    params: &'a ProxyParams,
}

/// A group that is shown: who is in it, and how well all features together tell.
struct Look {
    members: Vec<bool>,
    together: Option<Separation>,
}

impl Table<'_> {
    /// All groups that are shown, of one characteristic after the other.
    fn looks(&self, grouped: &[Grouped<'_>]) -> Vec<Look> {
        let mut members = Vec::new();
        for grouped in grouped {
            let Grouped::Groups(grouping) = grouped else { continue };
            let shown = (0..grouping.groups.len()).filter(|&nth| !grouping.groups[nth].held);
            members.extend(shown.map(|nth| grouping.members(nth)));
        }
        let levels = regressions::cross_fitted(self.matrix, (self.scales, self.codes), &self.parts, &members);
        let look = |(members, levels): (Vec<bool>, Option<Levels>)| {
            let together = levels.and_then(|levels| Separation::of(&levels, &members, &self.clusters));
            Look { members, together }
        };
        members.into_par_iter().zip(levels).map(look).collect()
    }

    /// What predicts each group of a characteristic, whose shown groups' looks come next.
    fn look_at(&self, grouping: &Grouping<'_>, looks: &mut impl Iterator<Item = Look>) -> ProxyFinding {
        let comparisons = grouping.compared() * (self.bins.len() + 1);
        let z = simultaneous_z(comparisons);
        let (mut groups, mut held) = (Vec::new(), Vec::new());
        for group in &grouping.groups {
            let Some(look) = (!group.held).then(|| looks.next()).flatten() else {
                let outcome = ProxyOutcome::Suppressed { under: self.params.minimum_group };
                held.push(GroupProxies { group: String::new(), outcome });
                continue;
            };
            let outcome = self.outcome(group, &look, z);
            groups.push(GroupProxies { group: group.name.to_owned(), outcome });
        }
        groups.append(&mut held);
        ProxyFinding::Measured { groups, comparisons: comparisons as u64 }
    }

    fn outcome(&self, group: &Group<'_>, Look { members, together }: &Look, z: f64) -> ProxyOutcome {
        let limit = self.params.limit;
        let folds = usize::from(self.params.folds);
        let mut features: Vec<FeatureProxy> = (0..self.bins.len())
            .into_par_iter()
            .map(|column| {
                let levels = self.bins[column].cross_fitted(members, &self.folds, folds);
                let found = Separation::of(&levels, members, &self.clusters);
                FeatureProxy {
                    feature: self.matrix.names()[column].clone(),
                    auc: found.as_ref().map(Separation::estimate),
                    leaning: self.bins[column].leaning(members, found.map_or(0.5, |found| found.auc)),
                    verdict: ProxyVerdict::of(found.as_ref(), limit, z),
                }
            })
            .collect();
        let area = |found: &FeatureProxy| found.auc.map_or(0.0, |auc| auc.value);
        features.sort_by(|a, b| area(b).total_cmp(&area(a)));
        let together = Together {
            auc: together.as_ref().map(Separation::estimate),
            verdict: ProxyVerdict::of(together.as_ref(), limit, z),
        };
        ProxyOutcome::Shown { n: group.n, together, features }
    }
}

/// For each characteristic that is held, the group of each entity.
pub(in crate::fairness) fn protected_groups<'a>(
    protected: &'a Protected,
    entities: &[&str],
) -> Vec<Vec<Option<&'a str>>> {
    (0..protected.held().len())
        .map(|nth| entities.iter().map(|entity| protected.group(nth, entity)).collect())
        .collect()
}

/// All characteristics, held or not, as the measures take them.
pub(in crate::fairness) fn characteristics<'a>(
    protected: &'a Protected,
    groups: &'a [Vec<Option<&'a str>>],
) -> Vec<Characteristic<'a>> {
    let held = protected.held().iter().zip(groups);
    held.map(|(name, groups)| Characteristic::Held { name, groups })
        .chain(protected.not_held().map(|name| Characteristic::NotHeld { name }))
        .collect()
}

#[cfg(test)]
mod tests;
