//! How often lists are wrong, and what a less intrusive way would have done.

use super::super::figure::{Figure, Unit};
use super::super::words;
use super::evidence::{self, LINES, Line};
use super::known::Known;
use super::parts::{Block, Blocks, Cell};
use crate::evaluate::{Estimate, Performance, RuleReport};

/// The model beside one simple rule.
pub(super) struct Against {
    pub name: String,
    pub blocks: Blocks,
}

impl Known<'_> {
    /// How often the lists were right and wrong, in counts.
    pub(super) fn in_counts(&self) -> String {
        let overall = &self.model.backtest().overall;
        let (Some(listed), Some(found)) = (overall.precision_at_capacity, overall.recall_at_capacity) else {
            return String::new();
        };
        let right = (listed.value * listed.n as f64).round() as u64;
        let rate = |estimate: &Estimate| {
            Figure::of(estimate, Unit::Share)
                .map_or_else(|| "not measured".to_owned(), |figure| figure.words())
        };
        format!(
            "In counts: of {} cases on the lists, {} had the outcome, {}, and {} had not. {} cases had the outcome and were not \
             on a list; the lists held {} of all that had it.",
            words::count(listed.n),
            words::count(right),
            rate(&listed),
            words::count(listed.n - right.min(listed.n)),
            words::count(overall.positives.saturating_sub(right)),
            rate(&found)
        )
    }

    /// What simple rules would have done.
    pub(super) fn rules(&self) -> Vec<Against> {
        let report = self.model.backtest();
        report.rules.iter().map(|rule| against(rule, &report.overall)).collect()
    }
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

fn against(rule: &RuleReport, overall: &Performance) -> Against {
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
    Against { name: words::capitalised(rule.rule.words()), blocks: Blocks(blocks) }
}
