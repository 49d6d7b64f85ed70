//! Rows beside the audit: who is left out of it, and whom a ranking chose where there is a random arm.

use super::criteria::{Said, disparities};
use super::{figure, groups, name};
use crate::fairness::audit::{
    Against, AttributeAudit, AttributeFinding, Audit, AuditedGroup, AuditedOutcome, Criterion,
    CriterionReport, Disparity, DisparityVerdict, GroupMeasure,
};
use crate::words;

/// One characteristic of the rows beside the audit.
pub(super) struct Parted {
    pub name: String,
    /// Whether groups differ at all, also where the group that does is withheld; `None` where nothing can be compared.
    pub said: Option<Said>,
    pub rows: Vec<PartedRow>,
    /// The groups held back, in words; empty where none is.
    pub held_back: String,
}

/// One group.
pub(super) struct PartedRow {
    pub group: String,
    pub n: String,
    /// Of its rows, the share left out, or chosen.
    pub share: String,
    /// Whether the share differs from everybody's.
    pub said: Said,
    /// The share of the random arm with the outcome; empty on the rows left out.
    pub base_rate: String,
    /// What the two mean together; empty on the rows left out.
    pub means: &'static str,
}

impl Parted {
    /// Who is left out.
    pub(super) fn left_out(audit: &Audit) -> Vec<Self> {
        audit.left_out.iter().map(|held| Self::of(audit, held, None)).collect()
    }

    /// Whom the ranking chose.
    pub(super) fn chosen(audit: &Audit) -> Vec<Self> {
        let beside =
            |held: &AttributeAudit| audit.attributes.iter().find(|measured| measured.columns == held.columns);
        audit.chosen.iter().map(|held| Self::of(audit, held, beside(held))).collect()
    }

    fn of(audit: &Audit, held: &AttributeAudit, random_arm: Option<&AttributeAudit>) -> Self {
        let random = random_arm.map_or(&[][..], measured);
        let of_all = measured(held);
        let rows = of_all.iter().filter_map(|group| {
            let AuditedOutcome::Shown { measures, .. } = &group.outcome else { return None };
            let share = measures.selection_rate.as_ref()?;
            let found = from_everybody(group, GroupMeasure::SelectionRate);
            let beside = random.iter().find(|other| other.values == group.values);
            Some(PartedRow {
                group: group.name(),
                n: words::count(measures.n),
                share: figure::percent(share),
                said: Said::of(found.map_or(DisparityVerdict::CannotTell, |found| found.verdict)),
                base_rate: beside.map(|group| base_rate(audit, group)).unwrap_or_default(),
                means: found.zip(beside).map_or("", |(found, beside)| {
                    means(found, from_everybody(beside, GroupMeasure::Prevalence))
                }),
            })
        });
        Self {
            name: name(held),
            said: parity(held).map(Said::of),
            rows: rows.collect(),
            held_back: groups::held_back(of_all),
        }
    }

    /// A few lines for a terminal: the groups that differ from everybody.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for row in self.rows.iter().filter(|row| row.said.class == "present") {
            text.push_str(&format!("  {}, {}: {} (n = {})", self.name, row.group, row.share, row.n));
            if !row.means.is_empty() {
                text.push_str(&format!("; {}", row.means));
            }
            text.push('\n');
        }
        if text.is_empty() && self.said.is_some_and(|said| said.class == "present") {
            text.push_str(&format!("  {}: groups differ; which is withheld\n", self.name));
        }
        text
    }
}

/// The verdict on equal shares.
fn parity(attribute: &AttributeAudit) -> Option<DisparityVerdict> {
    let AttributeFinding::Measured { criteria, .. } = &attribute.finding else { return None };
    let parity = |report: &&CriterionReport| report.criterion == Criterion::StatisticalParity;
    criteria.iter().find(parity).map(|report| report.verdict)
}

fn measured(attribute: &AttributeAudit) -> &[AuditedGroup] {
    match &attribute.finding {
        AttributeFinding::Measured { groups, .. } => groups,
        AttributeFinding::NotMeasurable { .. } => &[],
    }
}

fn from_everybody(group: &AuditedGroup, measure: GroupMeasure) -> Option<&Disparity> {
    disparities(group).iter().find(|found| found.measure == measure && found.against == Against::Whole)
}

fn base_rate(audit: &Audit, group: &AuditedGroup) -> String {
    let AuditedOutcome::Shown { measures, .. } = &group.outcome else {
        return "held back".to_owned();
    };
    match &measures.prevalence {
        Some(found) => figure::figure(GroupMeasure::Prevalence, found, audit.scores),
        None => figure::missing(measures, GroupMeasure::Prevalence).to_owned(),
    }
}

/// Being chosen more often is one thing where the outcome is commoner, and another where it is not.
fn means(chosen: &Disparity, outcome: Option<&Disparity>) -> &'static str {
    let sign = |found: &Disparity| found.difference.as_ref().map(|difference| difference.value > 0.0);
    let (DisparityVerdict::Present, Some(more)) = (chosen.verdict, sign(chosen)) else { return "" };
    let commoner = match outcome {
        Some(found) if found.verdict == DisparityVerdict::Present => sign(found),
        Some(found) if found.verdict == DisparityVerdict::AbsentWithin => None,
        _ if more => return "chosen more often; whether the outcome is commoner cannot be told",
        _ => return "chosen less often; whether the outcome is rarer cannot be told",
    };
    match (more, commoner) {
        (true, Some(true)) => "chosen more often, and the outcome is commoner",
        (true, Some(false)) => "chosen more often, though the outcome is rarer",
        (true, None) => "chosen more often, though the outcome is as common",
        (false, Some(true)) => "chosen less often, though the outcome is commoner",
        (false, Some(false)) => "chosen less often, and the outcome is rarer",
        (false, None) => "chosen less often, though the outcome is as common",
    }
}
