//! How lists treat groups: what an audit of them found, in the audit's words.

use super::audit::criteria::{CriterionRow, main_against, present};
use super::audit::groups::{held_back, shown};
use super::{audit, words};
use crate::evaluate::Estimate;
use crate::fairness::audit::{AttributeAudit, AttributeFinding, Audit};

/// An audit of lists by group.
pub(super) struct Fairness {
    pub listed: String,
    pub cases: String,
    pub under: u32,
    /// Whether outcomes are known.
    pub is_followed: bool,
    /// How intervals were made to hold for all groups at once, or why they were not.
    pub correction: String,
    pub characteristics: Vec<CharacteristicRow>,
}

pub(super) struct CharacteristicRow {
    pub name: String,
    /// Why it could not be measured; empty where it was.
    pub not_measurable: String,
    /// Whom its groups are compared with; empty where with nobody.
    pub against: String,
    pub criteria: Vec<CriterionRow>,
    pub groups: Vec<GroupRow>,
    /// How many groups are held back, such as `2 further groups`; empty for none.
    pub held_back: String,
}

pub(super) struct GroupRow {
    pub name: String,
    pub cases: String,
    pub listed: String,
    pub found: String,
    pub wrongly: String,
    /// The differences that are present.
    pub differs: String,
}

impl Fairness {
    pub(super) fn of(audit: &Audit) -> Self {
        Self {
            listed: audit.selected.map_or_else(|| "some".to_owned(), words::count),
            cases: words::count(audit.n),
            under: audit.params.minimum,
            is_followed: audit.followed,
            correction: audit.correction.clone(),
            characteristics: audit
                .attributes
                .iter()
                .map(|attribute| CharacteristicRow::of(audit, attribute))
                .collect(),
        }
    }
}

impl CharacteristicRow {
    fn of(audit: &Audit, attribute: &AttributeAudit) -> Self {
        let mut row = Self {
            name: audit::name(attribute),
            not_measurable: String::new(),
            against: String::new(),
            criteria: Vec::new(),
            groups: Vec::new(),
            held_back: String::new(),
        };
        match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => row.not_measurable.clone_from(why),
            AttributeFinding::Measured { groups, criteria, .. } => {
                let against = main_against(criteria);
                row.against = against.map(ToString::to_string).unwrap_or_default();
                row.criteria = CriterionRow::all(audit, groups, criteria);
                row.groups.extend(shown(groups).map(|(group, measures)| GroupRow {
                    name: group.name(),
                    cases: words::count(measures.n),
                    listed: share(measures.selection_rate.as_ref()),
                    found: share(measures.true_positive_rate.as_ref()),
                    wrongly: share(measures.false_positive_rate.as_ref()),
                    differs: present(audit, group, against).join("; "),
                }));
                row.held_back = held_back(groups);
            }
        }
        row
    }
}

fn share(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "not shown".to_owned(), Estimate::percent)
}
