//! Training cases that count as if group and outcome were independent.

use std::collections::BTreeMap;

use super::super::audit::{AuditParams, UNKNOWN};
use super::super::protected::Protected;
use super::shares::signed;
use crate::dataset::{Dataset, Reweighing};
use crate::error::MitigationError;

/// The same cases, counting in training as if group and outcome were independent.
///
/// A case of a group and an outcome counts `P(group) P(outcome) / P(group, outcome)`: with 10 cases in a
/// group of which 4 have the outcome, where half of everybody has it, each of the 4 counts 1.25 and each of
/// the 6 counts 0.83. Every group then has the same weighted outcome rate, and neither the size of a group
/// nor the outcome rate of all changes. A group with fewer than `minimum_group` cases of either outcome is
/// pooled with others like it, because a weight that rests on few cases is chance; those whose group is not
/// known are a group.
///
/// The dataset keeps a bare number for each case's group, which no feature, trainer or report can read: the
/// weights are made of it, anew for whatever part of the cases is learnt from. So a backtest weighs each
/// split by its own training cases, and test cases, which are always counted as they are, play no part.
/// **Protected characteristics still have no road into the model as features: the weights are their only
/// trace**, and the model's training record says so ([`Reweighed`](crate::dataset::Reweighed)).
///
/// # What it does to calibration
/// Weighted cases are not what happens. After the fit the intercept is set so that the mean chance over the
/// cases as they are is the outcome rate, and the backtest's recalibration, which counts cases as they are,
/// comes after it. Within groups the chances stay off by design: where records show a higher rate for a
/// group than for others, its chances come out too low against those records, and the others' too high. Ranks
/// move for the same reason. Whether that is right depends on whether the difference in the records is
/// real or an artefact of recording, which no weight can tell.
///
/// # Errors
/// [`MitigationError`] where no reason or no name is given, a characteristic is not held or is named twice,
/// or fewer than two groups are large enough.
///
/// # Examples
/// ```
/// use earlyhelp::dataset::Reweighing;
/// use earlyhelp::fairness::audit::AuditParams;
/// use earlyhelp::fairness::reweigh;
/// use earlyhelp::project::Project;
/// use earlyhelp::synthetic::{CouncilParams, Format};
///
/// let council = CouncilParams::new(4_000, 1).generate()?;
/// let folder = std::env::temp_dir().join("earlyhelp-reweigh");
/// let project = Project::load(council.write(&folder, Format::Csv)?)?;
/// let records = project.records()?;
///
/// let asked = Reweighing {
///     reweigh: vec!["sex".into()],
///     reason: "Asked for in the impact assessment, part 4".into(),
///     approved_by: "C. Monitoring Officer".into(),
/// };
/// let data = project.dataset(&records)?;
/// let reweighed = reweigh(&data, &project.protected()?, &asked, &AuditParams::at_release())?;
/// assert!(reweighed.reweighed_by().is_some_and(|record| record.groups >= 2));
/// # Ok::<(), earlyhelp::Error>(())
/// ```
///
/// # References
/// F. Kamiran and T. Calders (2012), "Data preprocessing techniques for classification without
/// discrimination", *Knowledge and Information Systems* 33:1-33, section 5.2.
pub fn reweigh(
    data: &Dataset,
    protected: &Protected,
    asked: &Reweighing,
    params: &AuditParams,
) -> Result<Dataset, MitigationError> {
    signed(&asked.reason, &asked.approved_by)?;
    let mut places = Vec::new();
    for name in &asked.reweigh {
        let place = protected.place(name)?;
        if places.contains(&place) {
            return Err(MitigationError::Twice(name.clone()));
        }
        places.push(place);
    }
    if places.is_empty() {
        return Err(MitigationError::NoCharacteristic);
    }
    let group = |entity: &str| -> Vec<&str> {
        places.iter().map(|&place| protected.group(place, entity).unwrap_or(UNKNOWN)).collect()
    };
    let groups: Vec<Vec<&str>> = data.ids().map(group).collect();
    // Numbered in the order of their names, so that the order of cases plays no part.
    let mut numbers: BTreeMap<&[&str], u32> = groups.iter().map(|group| (group.as_slice(), 0)).collect();
    for (nth, number) in numbers.values_mut().enumerate() {
        *number = nth as u32;
    }
    let of_case = groups.iter().map(|group| numbers[group.as_slice()]).collect();
    let reweighed = data.in_strata(of_case, asked.clone(), params.minimum);
    match reweighed.reweighed_by() {
        Some(record) if record.groups >= 2 => Ok(reweighed),
        _ => Err(MitigationError::TooSmall { minimum: params.minimum }),
    }
}
