//! Counts over several people of a source in which one thing is recorded for each of them.

use std::collections::BTreeMap;

use crate::cohort::Unit;
use crate::features::{Feature, Measure, Scope};
use crate::records::{Records, RejectReason};
use crate::words;

/// What is counted once for each person of a family or household though it happened once: a sentence for each source.
/// It stops no run, since a council may want just that.
pub(super) fn more_than_once(records: &Records, features: &[Feature], unit: Unit) -> Vec<String> {
    let adds_up = |measure: &Measure| matches!(measure, Measure::Count | Measure::Sum | Measure::Change);
    let mut of_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for feature in features {
        let several = unit == Unit::Family || feature.scope == Scope::Household;
        if several && adds_up(&feature.measure) {
            of_source.entry(&feature.records.source).or_default().push(&feature.name);
        }
    }
    let doubt = |(name, features): (&str, Vec<&str>)| {
        let features = features.join(", ");
        let shared = records.source(name)?.shared_incidents();
        if shared > 0 {
            return Some(format!(
                "source {name} has records of several people about {}, each of which counts once a person \
                 in {features}; `measure = \"incidents\"` counts it once",
                words::counted(shared, "incident", "incidents")
            ));
        }
        let is_repeated = |reject: &&crate::records::Reject| {
            reject.source == name && reject.reason == RejectReason::ReferenceRepeated
        };
        let repeated = records.rejects().iter().filter(is_repeated).count();
        (repeated > 0).then(|| {
            format!(
                "source {name}: {} rejected because their reference stands with another row as well, and \
                 {features} counts over several people; where the reference is that of an incident that is recorded for \
                 each of them, map it as `incident` and not as `reference`",
                words::counted(repeated, "row is", "rows are")
            )
        })
    };
    of_source.into_iter().filter_map(doubt).collect()
}
