//! What a list's page says of the list before it.

use super::words;
use crate::review::{ChangedReason, PastDecision, Reviewer, Since};

/// What changed since an earlier list.
pub(super) struct Changes<'a> {
    pub(super) as_of: String,
    pub(super) new: String,
    pub(super) stayed: String,
    pub(super) left: Vec<Gone<'a>>,
    pub(super) fallen: Vec<Gone<'a>>,
}

/// A place of an earlier list.
pub(super) struct Gone<'a> {
    pub(super) entity: &'a str,
    pub(super) place_then: u32,
    pub(super) why: String,
    pub(super) decided: String,
}

/// A reason that rests on other records than it did.
pub(super) struct Changed<'a> {
    now: &'a str,
    then: &'a str,
    records: String,
}

impl<'a> Changes<'a> {
    pub(super) fn of(since: &'a Since) -> Self {
        let places = |n: u32| words::counted(n as usize, "place", "places");
        Self {
            as_of: words::date(since.as_of.day()),
            new: places(since.new),
            stayed: places(since.stayed),
            left: since
                .left
                .iter()
                .map(|left| Gone {
                    entity: &left.entity,
                    place_then: left.place_then,
                    why: left.why.words(),
                    decided: left.decided.as_ref().map(decided_in_words).unwrap_or_default(),
                })
                .collect(),
            fallen: since
                .fallen
                .iter()
                .map(|fallen| Gone {
                    entity: &fallen.entity,
                    place_then: fallen.place_then,
                    why: format!(
                        "lower by {:.2} points (95% interval {:.2} to {:.2}); its rank is now {}",
                        -fallen.difference,
                        -fallen.interval.high,
                        -fallen.interval.low,
                        words::count(u64::from(fallen.rank))
                    ),
                    decided: fallen.decided.as_ref().map(decided_in_words).unwrap_or_default(),
                })
                .collect(),
        }
    }
}

impl<'a> Changed<'a> {
    pub(super) fn of(changed: &'a ChangedReason) -> Self {
        let new = changed
            .new_records
            .iter()
            .map(|record| format!("{} of {}", words::plain(&record.kind), words::date(record.occurred)));
        let mut records: Vec<String> = new.collect();
        if changed.records_gone > 0 {
            records.push(format!(
                "{} of then no longer counted",
                words::counted(changed.records_gone as usize, "record", "records")
            ));
        }
        Self {
            now: changed.now.trim_end_matches('.'),
            then: changed.then.trim_end_matches('.'),
            records: words::listed(&records),
        }
    }

    /// In a sentence.
    pub(super) fn in_words(&self) -> String {
        format!("{} (then: {}), by {}.", self.now, self.then, self.records)
    }
}

/// `Offer support, agrees: seen at school (A. Worker, early help worker, 12 April 2024)`.
pub(super) fn decided_in_words(decided: &PastDecision) -> String {
    let (step, agreement) = (decided.step.words(), decided.agreement.words());
    let reason = if decided.reason.is_empty() { String::new() } else { format!(": {}", decided.reason) };
    let Reviewer { name, role } = &decided.by;
    format!("{step}, {agreement}{reason} ({name}, {role}, {})", words::date(decided.on))
}
