//! Whether a source's silence about a person and a window means that nothing happened.

use super::plan::SourcePlan;
use crate::calendar::Day;
use crate::records::{Coverage, OPEN, Rows, Snapshot};

/// The coverage of one source at one date.
pub(super) struct Covered<'a, 'r> {
    snapshot: &'a Snapshot<'r>,
    coverage: &'a Coverage,
    roster: Option<Rows<'a>>,
    fresh: bool,
    from: Option<i32>,
}

impl<'a, 'r> Covered<'a, 'r> {
    pub(super) fn new(snapshot: &'a Snapshot<'r>, plan: &SourcePlan) -> Self {
        let records = snapshot.records();
        let source = records.source_at(plan.source);
        let coverage = &source.coverage;
        Self {
            snapshot,
            coverage,
            roster: plan.roster.map(|source| records.source_at(source).events()),
            fresh: source.is_fresh(snapshot.as_of()),
            from: source.begins_by(snapshot.as_of()),
        }
    }

    /// Whether the source covers the person over the window that begins on `start`.
    pub(super) fn person(&self, person: u32, start: i32) -> bool {
        if !self.fresh {
            return false;
        }
        if let Some((youngest, oldest)) = self.coverage.ages {
            // A person of unknown age is not known to be outside.
            let fits = |age: i32| (i32::from(youngest)..=i32::from(oldest)).contains(&age);
            if !self.snapshot.age(person).is_none_or(fits) {
                return false;
            }
        }
        let Some(from) = self.from else { return false };
        // Before birth there was nothing to record; "ever" means since records began.
        let born = self.snapshot.records().the_people().born(person).map_or(i32::MIN, Day::epoch_days);
        if start > Day::BOUNDS.0 && from > start.max(born) {
            return false;
        }
        self.roster.as_ref().is_none_or(|roster| {
            let as_of = self.snapshot.as_of();
            let today = as_of.day().epoch_days();
            roster
                .visible(person, as_of)
                .any(|row| roster.occurred[row] <= today && roster.ended(row, as_of).unwrap_or(OPEN) > start)
        })
    }
}
