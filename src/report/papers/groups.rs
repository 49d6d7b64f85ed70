//! How lists treat groups: rates, and clear differences from everybody else.

use super::super::figure::Unit;
use super::super::{labels, words};
use super::parts::{Block, Blocks, Cell};
use crate::evaluate::Estimate;
use crate::fairness::{Comparison, FairnessReport, Finding, GroupOutcome, GroupRates, GroupReport, Verdict};

/// The groups of one characteristic.
pub(super) struct Groups {
    pub name: String,
    pub blocks: Blocks,
}

/// Each characteristic that was audited: its rates and its clear differences, or why there are none.
pub(super) fn of(report: &FairnessReport) -> Vec<Groups> {
    let heads = [
        "Group",
        "Had the outcome (n: cases of the group)",
        "Was on a list (n: the same)",
        "Found by the list (n: cases with the outcome)",
        "Wrongly listed (n: cases without the outcome)",
    ];
    report
        .characteristics
        .iter()
        .map(|held| Groups {
            name: words::capitalised(&words::plain(&held.name)),
            blocks: Blocks(match &held.finding {
                Finding::NotMeasurable { why } => vec![Block::text(format!(
                    "Not measurable: {why}. That is a gap, and not a finding that all is well."
                ))],
                Finding::Measured { groups } => {
                    let rates = groups.iter().map(|group| match &group.outcome {
                        GroupOutcome::Shown(rates) => shown(&labels::group(&group.group), rates),
                        GroupOutcome::Suppressed { .. } => {
                            let mut row = vec![Cell::NotShown("held back".to_owned()); heads.len()];
                            row[0] = Cell::text(labels::group(&group.group));
                            row
                        }
                    });
                    vec![Block::table(heads, rates), differing(groups)]
                }
            }),
        })
        .collect()
}

fn shown(name: &str, rates: &GroupRates) -> Vec<Cell> {
    let share = |estimate: Option<&Estimate>| match estimate {
        Some(_) => Cell::figure(estimate, Unit::Share),
        None => Cell::NotShown("too few cases".to_owned()),
    };
    vec![
        Cell::text(name),
        share(rates.base_rate.as_ref()),
        share(rates.selection_rate.as_ref()),
        share(rates.true_positive_rate.as_ref()),
        share(rates.false_positive_rate.as_ref()),
    ]
}

/// For which characteristics clear differences were found, for which none, and which cannot be measured.
pub(super) fn in_short(report: &FairnessReport) -> Option<String> {
    let (mut clear, mut unclear, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
    for held in &report.characteristics {
        let to = match &held.finding {
            Finding::NotMeasurable { .. } => &mut lacking,
            Finding::Measured { groups } if matches!(differing(groups), Block::Table(_)) => &mut clear,
            Finding::Measured { .. } => &mut unclear,
        };
        to.push(words::plain(&held.name));
    }
    let said = [
        ("clear differences between groups by", clear),
        ("none that this test could show by", unclear),
        ("not measurable by", lacking),
    ];
    let said = said.iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<String> = said.map(|(what, names)| format!("{what} {}", words::listed(names))).collect();
    (!said.is_empty()).then(|| format!("How its lists treated groups in the test: {}.", said.join("; ")))
}

/// What a reader has to know before clear differences, with how many comparisons there are.
pub(super) fn on_differences(report: &FairnessReport) -> String {
    let compared: usize = report
        .characteristics
        .iter()
        .filter_map(|held| match &held.finding {
            Finding::Measured { groups } => Some(groups),
            Finding::NotMeasurable { .. } => None,
        })
        .flatten()
        .map(|group| match &group.outcome {
            GroupOutcome::Shown(rates) => {
                differences(rates).iter().filter(|compared| compared.difference.is_some()).count()
            }
            GroupOutcome::Suppressed { .. } => 0,
        })
        .sum();
    format!(
        "A difference is a group's rate less that of everybody else, and is clear where its interval does not hold 0. A \
         group that has the outcome more often will stand on lists more often, so read the rates together. \
         \"No clear difference\" means that this test could not show one, not that there is none: a small group cannot \
         show a difference, however large. There are {}; if no group differed from any other, chance alone would still make \
         about one in twenty look clear. The command earlyhelp audit-model has intervals that hold for all groups at once, \
         and groups by two characteristics together.",
        words::counted(compared, "comparison", "comparisons")
    )
}

/// For each characteristic the groups that clearly differ from everybody else, or that there are none.
pub(super) fn clear_differences(report: &FairnessReport) -> Vec<Block> {
    if report.characteristics.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::text(format!(
        "Groups that clearly differ from everybody else in the test. {} All groups with all rates are in the model card.",
        on_differences(report)
    ))];
    for held in &report.characteristics {
        let name = words::capitalised(&words::plain(&held.name));
        match &held.finding {
            Finding::NotMeasurable { why } => {
                blocks.push(Block::text(format!("{name}: not measurable ({why}).")));
            }
            Finding::Measured { groups } => match differing(groups) {
                table @ Block::Table(_) => blocks.extend([Block::text(format!("{name}:")), table]),
                _ => blocks.push(Block::text(format!("{name}: no clear difference."))),
            },
        }
    }
    blocks
}

/// The groups of one characteristic that clearly differ from everybody else, or that there is none.
fn differing(groups: &[GroupReport]) -> Block {
    let heads = [
        "Differs from everybody else (n: all test cases that the rate is about)",
        "Was on a list",
        "Found by the list",
        "Wrongly listed",
    ];
    let rows: Vec<Vec<Cell>> = groups
        .iter()
        .filter_map(|group| match &group.outcome {
            GroupOutcome::Shown(rates) => Some((&group.group, differences(rates))),
            GroupOutcome::Suppressed { .. } => None,
        })
        .filter(|(_, compared)| compared.iter().any(|one| one.verdict != Verdict::CannotTell))
        .map(|(group, compared)| {
            let cell = |one: &Comparison| match (one.verdict, one.difference.as_ref()) {
                (_, None) => Cell::NotShown("too few cases".to_owned()),
                (Verdict::CannotTell, _) => Cell::text("not clear"),
                (_, difference) => Cell::figure(difference, Unit::Points),
            };
            let mut row = vec![Cell::text(labels::group(group))];
            row.extend(compared.into_iter().map(cell));
            row
        })
        .collect();
    if rows.is_empty() {
        Block::text("No clear difference of any group from everybody else.")
    } else {
        Block::table(heads, rows)
    }
}

/// The comparisons of a group with everybody else.
fn differences(rates: &GroupRates) -> [&Comparison; 3] {
    [
        &rates.selection_rate_difference,
        &rates.true_positive_rate_difference,
        &rates.false_positive_rate_difference,
    ]
}
