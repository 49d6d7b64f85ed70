//! How lists treat groups: what the fairness audit says of each criterion, and the rates behind it.

use super::super::audit::criteria::size_in_words;
use super::super::audit::figure::points;
use super::super::audit::groups::{held_back, shown};
use super::super::figure::Unit;
use super::super::{labels, words};
use super::parts::{Block, Blocks, Cell};
use crate::evaluate::Estimate;
use crate::fairness::audit::{
    Against, AttributeFinding, Audit, AuditedGroup, CriterionReport, DisparityVerdict, GroupMeasures, Setter,
};

/// The groups of one characteristic.
pub(super) struct Groups {
    pub name: String,
    pub blocks: Blocks,
}

/// Each characteristic that was audited: the criteria and the rates of its groups, or why there are none.
pub(super) fn of(audit: &Audit) -> Vec<Groups> {
    audit
        .attributes
        .iter()
        .map(|held| Groups {
            name: words::capitalised(&words::plain(&held.name())),
            blocks: Blocks(match &held.finding {
                AttributeFinding::NotMeasurable { why } => vec![Block::text(format!(
                    "Not measurable: {why}. That is a gap, and not a finding that all is well."
                ))],
                AttributeFinding::Measured { groups, criteria, .. } => {
                    vec![judged(audit, criteria), rates(groups)]
                }
            }),
        })
        .collect()
}

/// The rates of the groups that are shown, and how many are held back.
fn rates(groups: &[AuditedGroup]) -> Block {
    let heads = [
        "Group",
        "Had the outcome (n: cases of the group)",
        "Was on a list (n: the same)",
        "Found by the list (n: cases with the outcome)",
        "Wrongly listed (n: cases without the outcome)",
    ];
    let row = |(group, measures): (&AuditedGroup, &GroupMeasures)| {
        let share = |estimate: Option<&Estimate>| match estimate {
            Some(_) => Cell::figure(estimate, Unit::Share),
            None => Cell::NotShown("not shown".to_owned()),
        };
        vec![
            Cell::text(labels::group(&group.name())),
            share(measures.prevalence.as_ref()),
            share(measures.selection_rate.as_ref()),
            share(measures.true_positive_rate.as_ref()),
            share(measures.false_positive_rate.as_ref()),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = shown(groups).map(row).collect();
    let hidden = held_back(groups);
    if !hidden.is_empty() {
        let mut row = vec![Cell::NotShown("held back".to_owned()); heads.len()];
        row[0] = Cell::text(hidden);
        rows.push(row);
    }
    Block::table(heads, rows)
}

/// What can be said of each criterion, and which group sets it.
fn judged(audit: &Audit, criteria: &[CriterionReport]) -> Block {
    if criteria.is_empty() {
        return Block::text("No criterion was judged. That is a gap, and not a finding that all is well.");
    }
    let rows = criteria.iter().map(|report| {
        let setter = report.set_by.as_ref();
        let against = report.set_against().map(|against| match against {
            Against::Reference(name) | Against::Largest(name) => labels::group(name),
            Against::Whole => "everybody".to_owned(),
        });
        vec![
            Cell::text(words::capitalised(report.criterion.name())),
            Cell::text(report.verdict.to_string()),
            match setter.zip(against) {
                Some((setter, against)) => Cell::text(format!(
                    "{} (n = {}) against {against}",
                    labels::group(&setter.group),
                    words::count(setter.n)
                )),
                None => Cell::text("no group"),
            },
            match setter {
                Some(setter) => Cell::text(with_n(size_in_words(audit, report.criterion, setter), setter)),
                None => Cell::NotShown("not shown".to_owned()),
            },
        ]
    });
    Block::table(
        ["Criterion", "Disparity", "Set by the group with the largest gap", "Size, with its interval"],
        rows,
    )
}

/// A size that has an interval, with what it rests on.
fn with_n(size: String, setter: &Setter) -> String {
    match size.rsplit_once(')') {
        Some((open, after)) => {
            let n = setter.denominator.unwrap_or(setter.n);
            format!("{open}; n = {}){after}", words::count(n))
        }
        None => size,
    }
}

/// For which characteristics disparities are present, for which none, and which cannot be measured.
pub(super) fn in_short(audit: &Audit) -> Option<String> {
    let (mut present, mut none, mut unjudged, mut lacking) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for held in &audit.attributes {
        let to = match &held.finding {
            AttributeFinding::NotMeasurable { .. } => &mut lacking,
            AttributeFinding::Measured { criteria, .. } if criteria.is_empty() => &mut unjudged,
            AttributeFinding::Measured { criteria, .. } => {
                let any = criteria.iter().any(|report| report.verdict == DisparityVerdict::Present);
                if any { &mut present } else { &mut none }
            }
        };
        to.push(words::plain(&held.name()));
    }
    let said = [
        ("disparities are present between groups by", present),
        ("none that this test could show by", none),
        ("groups were not judged by", unjudged),
        ("not measurable by", lacking),
    ];
    let said = said.iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<String> = said.map(|(what, names)| format!("{what} {}", words::listed(names))).collect();
    (!said.is_empty()).then(|| format!("How its lists treated groups in the test: {}.", said.join("; ")))
}

/// What a reader has to know before verdicts.
pub(super) fn on_differences(audit: &Audit) -> String {
    format!(
        "A disparity is present where the interval of a difference that holds for all groups of a characteristic at once \
         is clear of no difference, absent where that interval lies within ±{}, and otherwise cannot be told, which \
         is not the same as fair: a small group cannot show a difference, however large. A group that has the outcome more \
         often will stand on lists more often, so read the rates together. Intervals were corrected for the number of \
         groups {}. The command earlyhelp audit-model has every figure, and groups by two characteristics together.",
        points(audit.params.margin),
        audit.correction
    )
}

/// For each characteristic what can be said of each criterion, or why nothing can.
pub(super) fn disparities(audit: &Audit) -> Vec<Block> {
    if audit.attributes.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::text(format!(
        "{} The rates of all groups are in the model card.",
        on_differences(audit)
    ))];
    for held in &audit.attributes {
        let name = words::capitalised(&words::plain(&held.name()));
        match &held.finding {
            AttributeFinding::NotMeasurable { why } => {
                blocks.push(Block::text(format!("{name}: not measurable ({why}).")));
            }
            AttributeFinding::Measured { criteria, .. } => {
                blocks.extend([Block::text(format!("{name}:")), judged(audit, criteria)]);
            }
        }
    }
    blocks
}
