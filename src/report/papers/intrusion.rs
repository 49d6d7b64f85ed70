//! How often lists are wrong, and what a less intrusive way would have done.

use super::super::words;
use super::document::Section;
use super::evidence::{self, LINES, Line};
use super::markdown::said;
use super::parts::{Block, Cell, Figure, Unit};
use super::wording;
use crate::evaluate::{Estimate, Performance, RuleReport};
use crate::report::AnyModel;

/// How often lists are wrong.
pub(super) fn margins(model: AnyModel<'_>) -> Section {
    let report = model.backtest();
    let overall = &report.overall;
    let mut blocks = vec![Block::text(evidence::size(report))];
    blocks.extend(evidence::in_a_hundred(report).map(Block::text));
    if let (Some(listed), Some(found)) = (overall.precision_at_capacity, overall.recall_at_capacity) {
        let right = (listed.value * listed.n as f64).round() as u64;
        let missed = overall.positives.saturating_sub(right);
        let rate = |estimate: &Estimate| {
            Figure::of(estimate, Unit::Share)
                .map_or_else(|| "not measured".to_owned(), |figure| said(&figure))
        };
        blocks.push(Block::text(format!(
            "In counts: of {} cases on the lists, {} had the outcome, {}, and {} had not. {} cases had the outcome and were \
             not on a list; the lists held {} of all that had it.",
            words::count(listed.n),
            words::count(right),
            rate(&listed),
            words::count(listed.n - right.min(listed.n)),
            words::count(missed),
            rate(&found)
        )));
    }
    blocks.push(Block::text(
        "Every family that was on a list without having had the outcome is one whose records were looked at for a reason \
         that did not come true. Whether that is a harm depends on what reviewers do.",
    ));
    blocks.push(evidence::bands(report));
    Section::new("How often it is wrong", blocks, "")
}

/// What the comparison of a figure with a rule's says.
fn verdict(line: &Line, difference: &Estimate) -> &'static str {
    let (low, high) = (difference.interval.low, difference.interval.high);
    let better = if line.less_is_better { high < 0.0 } else { low > 0.0 };
    let worse = if line.less_is_better { low > 0.0 } else { high < 0.0 };
    match (better, worse) {
        (true, _) => "the model is better",
        (_, true) => "the rule is better",
        _ => "this test cannot tell them apart",
    }
}

/// What simple rules would have done.
pub(super) fn alternative(model: AnyModel<'_>) -> Section {
    let report = model.backtest();
    let blocks = vec![
        Block::text(
            "A simple rule needs no training: to count how many needs on record a case has, or to treat everybody alike. \
             These rules were tested on the same cases, with lists of the same length. If a rule does as well, it is \
             likely to be the less intrusive way: it can be explained in a sentence, and may need fewer data. Other ways, \
             such as fewer sources or no list at all, were not tested here.",
        ),
        Block::text(
            "A difference is the model's figure less the rule's. Its interval takes the two as if they had been measured \
             on different cases, which usually makes it wider than it need be: it errs towards \"cannot tell\".",
        ),
    ];
    let rules: Vec<Section> = report.rules.iter().map(|rule| against(rule, &report.overall)).collect();
    Section::new("A less intrusive way", blocks, "").with(rules)
}

fn against(rule: &RuleReport, overall: &Performance) -> Section {
    let heads = ["What was measured", "Model", "Rule", "Difference", "What it means"];
    let rows = LINES.iter().map(|line| {
        let (model, simple) = ((line.of)(overall), (line.of)(&rule.performance));
        let unit = if line.unit == Unit::Share { Unit::Points } else { line.unit };
        let gap = model.zip(simple).map(|(model, simple)| evidence::difference(&model, &simple));
        vec![
            Cell::text(line.says),
            Cell::figure(model.as_ref(), line.unit),
            Cell::figure(simple.as_ref(), line.unit),
            Cell::figure(gap.as_ref(), unit),
            Cell::text(gap.map_or("not measured", |gap| verdict(line, &gap))),
        ]
    });
    let title = wording::capitalised(rule.rule.words());
    let more =
        overall.precision_at_capacity.zip(rule.performance.precision_at_capacity).map(|(model, simple)| {
            let counted = |estimate: &Estimate| (estimate.value * estimate.n as f64).round() as u64;
            format!(
                "Of the {} cases on the lists, {} had the outcome with the model and {} with the rule.",
                words::count(model.n),
                words::count(counted(&model)),
                words::count(counted(&simple))
            )
        });
    let mut blocks = vec![Block::table(heads, rows)];
    blocks.extend(more.map(Block::text));
    Section::new(&title, blocks, "")
}
